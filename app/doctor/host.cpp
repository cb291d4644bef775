// Reading of /proc and /sys: see the header. Whatever is in the files, the answer is a value or nothing.
#include "app/doctor/host.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iterator>

namespace crosswire {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 20;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::optional<unsigned> parse_cpu(std::string_view text) {
  unsigned cpu = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), cpu);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || cpu > kMaxCpu) return std::nullopt;
  return cpu;
}

void sort_once(CpuList& cpus) {
  std::sort(cpus.begin(), cpus.end());
  cpus.erase(std::unique(cpus.begin(), cpus.end()), cpus.end());
}

}  // namespace

std::optional<CpuList> parse_cpu_list(std::string_view text) {
  text = trimmed(text);
  CpuList cpus;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(','));
    const std::size_t dash = part.find('-');
    const auto first = parse_cpu(part.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : parse_cpu(part.substr(dash + 1));
    if (!first || !last || *last < *first) return std::nullopt;
    for (unsigned cpu = *first; cpu <= *last; ++cpu) cpus.push_back(cpu);
    if (cpus.size() > 4 * std::size_t{kMaxCpu}) return std::nullopt;
    if (part.size() == text.size()) break;
    text.remove_prefix(part.size() + 1);
    if (text.empty()) return std::nullopt;  // ends in a comma
  }
  sort_once(cpus);
  return cpus;
}

std::optional<CpuList> parse_cpu_mask(std::string_view text) {
  text = trimmed(text);
  std::string digits;
  std::copy_if(text.begin(), text.end(), std::back_inserter(digits), [](char c) { return c != ','; });
  if (digits.empty() || digits.size() > (kMaxCpu + 1) / 4) return std::nullopt;
  CpuList cpus;
  unsigned cpu = 0;
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit, cpu += 4) {
    unsigned bits = 0;
    if (std::from_chars(&*digit, &*digit + 1, bits, 16).ec != std::errc()) return std::nullopt;
    for (unsigned bit = 0; bit < 4; ++bit) {
      if ((bits >> bit & 1) != 0) cpus.push_back(cpu + bit);
    }
  }
  return cpus;
}

std::string format_cpu_list(const CpuList& cpus) {
  std::string text;
  for (std::size_t i = 0; i < cpus.size();) {
    std::size_t last = i;
    while (last + 1 < cpus.size() && cpus[last + 1] == cpus[last] + 1) ++last;
    if (!text.empty()) text += ',';
    text += std::to_string(cpus[i]);
    if (last > i) text += '-' + std::to_string(cpus[last]);
    i = last + 1;
  }
  return text.empty() ? "none" : text;
}

CpuList in_both(const CpuList& a, const CpuList& b) {
  CpuList both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return both;
}

CpuList in_first_only(const CpuList& a, const CpuList& b) {
  CpuList remaining;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(remaining));
  return remaining;
}

std::optional<std::int64_t> parse_whole(std::string_view text) {
  text = trimmed(text);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string shown(std::string_view text, std::size_t most) {
  std::string result(text.substr(0, most));
  std::replace_if(
      result.begin(), result.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  if (text.size() > most) result += "...";
  return result;
}

std::optional<std::string> HostFiles::read(const std::string& path) const {
  std::error_code error;
  const std::filesystem::path file = root_ / path;
  if (!std::filesystem::is_regular_file(file, error)) return std::nullopt;  // a pipe would make us wait
  std::ifstream in(file, std::ios::binary);
  std::string text;
  for (char piece[4096]; text.size() < kMostBytes && in;) {
    in.read(piece, sizeof piece);
    text.append(piece, static_cast<std::size_t>(in.gcount()));
  }
  // Some files of /sys are there and refuse to be read; that shows as a stream that is bad, not at its end.
  if (in.bad() || (!in && !in.eof())) return std::nullopt;
  return std::string(trimmed(text));
}

std::optional<std::int64_t> HostFiles::number(const std::string& path) const {
  const auto text = read(path);
  return text ? parse_whole(*text) : std::nullopt;
}

std::optional<CpuList> HostFiles::cpus(const std::string& path) const {
  const auto text = read(path);
  return text ? parse_cpu_list(*text) : std::nullopt;
}

std::optional<std::string> HostFiles::chosen(const std::string& path) const {
  const auto text = read(path);
  if (!text) return std::nullopt;
  const std::size_t open = text->find('[');
  const std::size_t close = text->find(']', open == std::string::npos ? 0 : open);
  if (open == std::string::npos || close == std::string::npos || close == open + 1) return std::nullopt;
  return text->substr(open + 1, close - open - 1);
}

std::vector<std::string> HostFiles::names(const std::string& path) const {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator it(root_ / path, error), end; !error && it != end; it.increment(error)) {
    names.push_back(it->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> HostFiles::folders(const std::string& path) const {
  std::vector<std::string> folders;
  for (const std::string& name : names(path)) {
    std::error_code error;
    if (std::filesystem::is_directory(root_ / path / name, error)) folders.push_back(name);
  }
  return folders;
}

bool HostFiles::exists(const std::string& path) const {
  std::error_code error;
  return std::filesystem::exists(root_ / path, error);
}

bool HostFiles::writable(const std::string& path) const {
  std::error_code error;
  const auto permissions = std::filesystem::status(root_ / path, error).permissions();
  return !error && (permissions & std::filesystem::perms::owner_write) != std::filesystem::perms::none;
}

std::optional<std::string> HostFiles::link_name(const std::string& path) const {
  std::error_code error;
  const std::filesystem::path target = std::filesystem::read_symlink(root_ / path, error);
  if (error) return std::nullopt;
  return target.filename().string();
}

std::optional<std::int32_t> HostFiles::word(const std::string& path) const {
  std::ifstream in(root_ / path, std::ios::binary);
  std::int32_t value = 0;
  char bytes[sizeof value];
  if (!in.read(bytes, sizeof bytes)) return std::nullopt;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

}  // namespace crosswire
