// Lists of cores: see the header. Set-up only.
#include "hugepages/host/core_list.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <utility>

namespace crosswire {
namespace {

std::vector<unsigned> both(const std::vector<unsigned>& a, const std::vector<unsigned>& b) {
  std::vector<unsigned> result;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(result));
  return result;
}

std::string line_of_file(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::filesystem::path cpu_folder(const std::string& root) {
  return std::filesystem::path(root) / "sys/devices/system/cpu";
}

/// Empty where the text is no list.
std::vector<unsigned> list_of(const std::string& text, unsigned last = 0) {
  return parse_cores(text, last).value_or(std::vector<unsigned>{});
}

/// The first number of a part of a list; `text` is what is left of it.
std::optional<unsigned> take_number(std::string_view& text, unsigned last) {
  if (!text.empty() && text.front() == 'N') {
    text.remove_prefix(1);
    return last;
  }
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number >= kMostCores) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

bool take_letter(std::string_view& text, char letter) {
  if (text.empty() || text.front() != letter) return false;
  text.remove_prefix(1);
  return true;
}

/// One part of a list: "3", "3-5", "3-20:2/4" (two of each four).
bool add_part(std::string_view part, unsigned last, std::set<unsigned>& cores) {
  const std::optional<unsigned> first = take_number(part, last);
  std::optional<unsigned> end = first;
  std::optional<unsigned> used = 1;
  std::optional<unsigned> group = 1;
  if (first && take_letter(part, '-')) {
    end = take_number(part, last);
    if (end && take_letter(part, ':')) {
      used = take_number(part, last);
      group = take_letter(part, '/') ? take_number(part, last) : std::nullopt;
    }
  }
  if (!first || !end || !used || !group || *end < *first || *group == 0 || *used > *group || !part.empty())
    return false;
  for (unsigned core = *first; core <= *end; ++core) {
    if ((core - *first) % *group < *used) cores.insert(core);
  }
  return true;
}

/// The value of a word of the kernel's command line, the last one if there are several; nothing if it is not there.
std::optional<std::string> boot_parameter(const std::string& command_line, const std::string& name) {
  std::optional<std::string> value;
  std::istringstream words(command_line);
  for (std::string word; words >> word;) {
    if (word == name) value = "";
    if (word.compare(0, name.size() + 1, name + "=") == 0) value = word.substr(name.size() + 1);
  }
  return value;
}

}  // namespace

std::optional<std::vector<unsigned>> parse_cores(std::string_view text, unsigned last) {
  std::set<unsigned> cores;
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    std::string_view part = text.substr(0, comma);
    if (!add_part(part == "all" ? "0-N" : part, last, cores)) return std::nullopt;
    if (comma == text.size() - 1) return std::nullopt;
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return std::vector<unsigned>(cores.begin(), cores.end());
}

std::string format_cores(const std::vector<unsigned>& cores) {
  std::string text;
  for (std::size_t i = 0; i < cores.size(); ++i) {
    const unsigned first = cores[i];
    while (i + 1 < cores.size() && cores[i + 1] == cores[i] + 1) ++i;
    if (!text.empty()) text += ',';
    text += std::to_string(first);
    if (cores[i] == first) continue;
    text += cores[i] == first + 1 ? ',' : '-';
    text += std::to_string(cores[i]);
  }
  return text;
}

KernelLists read_kernel_lists(const std::string& root) {
  const std::filesystem::path cpu = cpu_folder(root);
  const std::vector<unsigned> possible = list_of(line_of_file(cpu / "possible"));
  const unsigned last = possible.empty() ? 0 : possible.back();
  // What the kernel has not got it writes as "(null)".
  KernelLists lists{list_of(line_of_file(cpu / "isolated"), last), list_of(line_of_file(cpu / "nohz_full"), last), {}};
  const std::string command_line = line_of_file(std::filesystem::path(root) / "proc/cmdline");
  if (const auto nocbs = boot_parameter(command_line, "rcu_nocbs")) {
    lists.rcu_nocbs = list_of(nocbs->empty() ? "all" : *nocbs, last);
  }
  // The kernel offloads the callbacks of nohz_full cores, asked or not.
  std::vector<unsigned> offloaded;
  std::set_union(lists.rcu_nocbs.begin(), lists.rcu_nocbs.end(), lists.nohz_full.begin(), lists.nohz_full.end(),
                 std::back_inserter(offloaded));
  lists.rcu_nocbs = std::move(offloaded);
  return lists;
}

std::vector<unsigned> read_offline_cores(const std::string& root) {
  return list_of(line_of_file(cpu_folder(root) / "offline"));
}

std::vector<unsigned> usable_cores(const std::vector<unsigned>& online, const std::vector<unsigned>& cpuset,
                                   const std::vector<unsigned>& affinity, const std::vector<unsigned>& isolated) {
  const std::vector<unsigned> offered = both(online, cpuset);
  std::vector<unsigned> unbound;
  std::set_difference(offered.begin(), offered.end(), isolated.begin(), isolated.end(), std::back_inserter(unbound));
  const std::vector<unsigned> bound = both(offered, affinity);
  return bound == unbound || bound.empty() ? offered : bound;
}

}  // namespace crosswire
