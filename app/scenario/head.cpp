// The head of a scenario: see the header.
#include "app/scenario/head.hpp"

#include <string_view>

#include "app/config/section.hpp"

namespace crosswire {
namespace {

/// Small tables: a scenario's exchange is made anew for each, and its memory is written once at the start.
constexpr std::string_view kDefaults = R"(
[port]
address = "10.99.0.1"
[limits]
max_orders = 16384
max_levels = 16384
command_ring = 64
event_ring = 1024
[[symbol]]
name = "AAA"
[[account]]
user = "ann"
firm = "ANNS"
[[account]]
user = "bob"
firm = "BOBS"
)";
constexpr std::int64_t kReferenceE4 = 100'000;
constexpr std::int64_t kTickE4 = 100;

/// A table's keys that are missing are those of the default.
void fill_in(toml::table& table, const toml::table& defaults) {
  for (const auto& [key, value] : defaults) {
    toml::node* const node = table.get(key);
    if (node == nullptr) {
      value.visit([&table, &name = key](const auto& given) { table.insert(name, given); });
    } else if (node->is_table() && value.is_table()) {
      fill_in(*node->as_table(), *value.as_table());
    }
  }
}

}  // namespace

Config read_scenario_head(const std::string& path, const std::string& text, std::size_t first_line) {
  // Lines before it are lines of TOML too, so that faults name the scenario's.
  toml::table table = config_file::parse_text(path, std::string(first_line - 1, '\n') + text);
  fill_in(table, toml::parse(kDefaults));
  if (toml::array* const symbols = table["symbol"].as_array()) {
    for (toml::node& symbol : *symbols) {
      if (!symbol.is_table()) continue;
      symbol.as_table()->emplace("reference_price_e4", kReferenceE4);
      symbol.as_table()->emplace("tick_e4", kTickE4);
    }
  }
  return config_file::read_table(path, std::move(table), ConfigUse::replay, config_file::Logins::none);
}

}  // namespace crosswire
