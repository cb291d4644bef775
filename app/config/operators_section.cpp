// Groups of operators: see the header.
#include "app/config/operators_section.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "app/config/section.hpp"

namespace crosswire::config_file {
namespace {

constexpr std::size_t kMostName = 32;  // useradd's and groupadd's

bool is_name(const std::string& name) {
  return !name.empty() && name.size() <= kMostName && is_printable(name, '!') && name.find(':') == std::string::npos;
}

std::vector<OperatorsConfig::Group> read_groups(const Section& section, std::string_view key) {
  std::vector<OperatorsConfig::Group> groups;
  if (!section.has(key)) return groups;
  constexpr std::string_view kRemedy = "give a list of names of the system's groups, as [\"exch-ops\"], each once";
  for (const std::string& name : strings(section, key, kRemedy)) {
    if (!is_name(name)) section.reject(key, fmt::format("\"{}\" cannot be a group", name), kRemedy);
    const bool again = std::any_of(groups.begin(), groups.end(), [&name](const auto& one) { return one.name == name; });
    if (again) section.reject(key, fmt::format("\"{}\" is there twice", name), kRemedy);
    groups.push_back({name, fmt::format("operators.{}", key), section.line(key)});
  }
  if (groups.empty()) section.reject(key, "is an empty list", "leave it out where nobody may");
  return groups;
}

OperatorsConfig::FirmGroup read_firm(const std::string& path, const toml::table& table,
                                     const std::vector<AccountConfig>& accounts) {
  const Section section(path, "operators.firm", table, {"firm", "group"});
  constexpr std::string_view kFirm = "give the firm of an [[account]]";
  const std::string firm = section.text("firm", kFirm);
  std::array<char, 4> padded{' ', ' ', ' ', ' '};
  std::copy_n(firm.begin(), std::min(firm.size(), padded.size()), padded.begin());
  const bool known =
      !firm.empty() && firm.size() <= padded.size() &&
      std::any_of(accounts.begin(), accounts.end(), [&padded](const auto& one) { return one.firm == padded; });
  if (!known) section.reject("firm", fmt::format("\"{}\" has no account", firm), kFirm);
  constexpr std::string_view kGroup = "give the name of one of the system's groups";
  const std::string group = section.text("group", kGroup);
  if (!is_name(group)) section.reject("group", fmt::format("\"{}\" cannot be a group", group), kGroup);
  return {firm, {group, "operators.firm.group", section.line("group")}};
}

}  // namespace

std::optional<OperatorsConfig> read_operators(const std::string& path, const toml::table& root,
                                              const std::vector<AccountConfig>& accounts) {
  const toml::table* const table = find_table(path, root, "operators");
  if (table == nullptr) return std::nullopt;
  const Section section(path, "operators", *table, {"viewer", "market_control", "house_risk", "firm"});
  OperatorsConfig operators;
  operators.viewer = read_groups(section, "viewer");
  operators.market_control = read_groups(section, "market_control");
  operators.house_risk = read_groups(section, "house_risk");
  for (const toml::table* firm : find_tables(path, *table, "firm", "operators.")) {
    operators.firms.push_back(read_firm(path, *firm, accounts));
    const OperatorsConfig::FirmGroup& last = operators.firms.back();
    const auto same = std::count_if(operators.firms.begin(), operators.firms.end(), [&last](const auto& one) {
      return one.firm == last.firm && one.group.name == last.group.name;
    });
    if (same > 1) fail(path, last.group.line, last.group.key, "the firm has it already", "keep one of the two");
  }
  return operators;
}

}  // namespace crosswire::config_file
