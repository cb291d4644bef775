// Patterns of file names: see the header.
#include "app/run/file_pattern.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <stdexcept>
#include <system_error>

#include "app/files/whole_file.hpp"

namespace crosswire {
namespace {

/// The last part of a path begins here.
std::size_t name_begin(std::string_view path) { return path.rfind('/') + 1; }  // npos + 1 is 0

/// A name's text before and behind its number; without `%N` all is before.
struct NameParts {
  std::string before, behind;
  bool numbered = false;
};

NameParts parts_of(std::string_view pattern, std::string_view date) {
  NameParts parts;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    std::string& text = parts.numbered ? parts.behind : parts.before;
    const char kind = pattern[i] == '%' ? pattern[++i] : '\0';
    if (kind == 'N') {
      parts.numbered = true;
    } else if (kind == 'F') {
      text += date;
    } else {
      text += pattern[i];
    }
  }
  return parts;
}

/// With its last slash; `%%` in it is a percent sign.
std::string folder_of(std::string_view pattern) { return parts_of(pattern.substr(0, name_begin(pattern)), "").before; }

/// The number that a file's name has between the two; nothing if it is none of the pattern's.
std::optional<std::uint64_t> number_in(std::string_view name, const NameParts& parts) {
  if (name.size() <= parts.before.size() + parts.behind.size() || !name.starts_with(parts.before) ||
      !name.ends_with(parts.behind)) {
    return std::nullopt;
  }
  const std::string_view digits =
      name.substr(parts.before.size(), name.size() - parts.before.size() - parts.behind.size());
  std::uint64_t number = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc{} || stop != digits.data() + digits.size()) return std::nullopt;
  return number;
}

/// The pattern with `what` before its ending.
std::string with(std::string pattern, const char* what) {
  const std::size_t dot = pattern.rfind('.');
  const bool has_ending = dot != std::string::npos && dot > name_begin(pattern);
  return pattern.insert(has_ending ? dot : pattern.size(), what);
}

std::string fault_of_letters(std::string_view pattern) {
  constexpr std::string_view kLetters = "%F is the trading date, %N a number, %% a percent sign";
  std::size_t numbers = 0;
  for (std::size_t i = pattern.find('%'); i != std::string_view::npos; i = pattern.find('%', i + 2)) {
    const char kind = i + 1 < pattern.size() ? pattern[i + 1] : '\0';
    if (kind != 'F' && kind != 'N' && kind != '%') {
      return fmt::format("{}: {} stands for nothing; {}", pattern, pattern.substr(i, 2), kLetters);
    }
    if (kind != '%' && i < name_begin(pattern)) {
      return fmt::format("{}: {} is in the name of a folder; write it behind the last /", pattern,
                         pattern.substr(i, 2));
    }
    numbers += kind == 'N' ? 1 : 0;
  }
  return numbers <= 1 ? "" : fmt::format("{}: has more than one %N; a name has one number", pattern);
}

bool has_letter(std::string_view pattern, char letter) {
  for (std::size_t i = pattern.find('%'); i != std::string_view::npos; i = pattern.find('%', i + 2)) {
    if (pattern[i + 1] == letter) return true;
  }
  return false;
}

}  // namespace

std::string fault_of_pattern(const std::string& pattern, bool rolls) {
  std::string fault = fault_of_letters(pattern);
  if (!fault.empty() || !rolls || has_letter(pattern, 'N')) return fault;
  if (has_letter(pattern, 'F')) {
    return fmt::format("{}: names one file for a date, and a second start on it could not go on; write {}", pattern,
                       with(pattern, "-%N"));
  }
  return fmt::format("{}: names one file for ever, and the next day could not go on; write {}", pattern,
                     with(pattern, "-%F-%N"));
}

bool is_numbered(const std::string& pattern) { return has_letter(pattern, 'N'); }
bool is_dated(const std::string& pattern) { return has_letter(pattern, 'F'); }

std::set<std::uint64_t> numbers_of(const std::string& pattern, std::string_view date) {
  std::set<std::uint64_t> numbers;
  const std::string folder = folder_of(pattern);
  const NameParts parts = parts_of(std::string_view(pattern).substr(name_begin(pattern)), date);
  const NameParts unfinished{parts.before, WholeFile::part_of(parts.behind), true};
  std::error_code error;
  std::filesystem::directory_iterator entry(folder.empty() ? "." : folder, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (const auto number = number_in(name, parts)) numbers.insert(*number);
    if (const auto number = number_in(name, unfinished)) numbers.insert(*number);
  }
  if (!error) return numbers;
  throw std::runtime_error(fmt::format("{}: the folder of {} cannot be read: {}; make it, or give another path",
                                       folder.empty() ? "." : folder, pattern, error.message()));
}

std::uint64_t next_number(const std::vector<std::string>& patterns, std::string_view date) {
  std::uint64_t highest = 0;
  for (const std::string& pattern : patterns) {
    if (!is_numbered(pattern)) continue;
    const std::set<std::uint64_t> numbers = numbers_of(pattern, date);
    if (!numbers.empty()) highest = std::max(highest, *numbers.rbegin());
  }
  if (highest == std::numeric_limits<std::uint64_t>::max()) throw std::runtime_error("no number is left for a file");
  return highest + 1;
}

std::string file_of(const std::string& pattern, std::string_view date, std::uint64_t number) {
  const NameParts parts = parts_of(std::string_view(pattern).substr(name_begin(pattern)), date);
  return fmt::format("{}{}{}{}", folder_of(pattern), parts.before, parts.numbered ? std::to_string(number) : "",
                     parts.behind);
}

}  // namespace crosswire
