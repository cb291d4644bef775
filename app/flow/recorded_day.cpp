// Reading and checking of day.toml. Set-up only.
#include "app/flow/recorded_day.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <chrono>
#include <string_view>

#include "app/config/market.hpp"
#include "app/config/section.hpp"

namespace crosswire {
namespace {

using namespace config_file;

/// Its first moment in UTC, ns since the Unix epoch.
std::int64_t read_date(const Section& section) {
  constexpr std::string_view kRemedy = "give a date without quotes, as 2023-02-07";
  const toml::node& node = section.need("date", kRemedy);
  if (!node.is_date()) section.reject("date", fmt::format("is {}", type_name(node)), kRemedy);
  const toml::date& date = node.as_date()->get();
  if (date.year < 1970 || date.year > 2200) section.reject("date", "is not in 1970 .. 2200", kRemedy);
  const std::chrono::sys_days midnight{std::chrono::year{date.year} / std::chrono::month{date.month} /
                                       std::chrono::day{date.day}};
  return std::chrono::nanoseconds(midnight.time_since_epoch()).count();
}

}  // namespace

Day load_day(const std::string& path) {
  const toml::table file = parse_file(path);
  const Section root(path, "", file, {"venue", "date", "symbol", "reference_price_e4", "tick_e4", "phase"});
  Day day{};
  if (root.has("venue")) day.venue = root.text("venue", "give its name");
  day.midnight_epoch_ns = read_date(root);
  day.symbol = read_symbol_name(root, "symbol");
  const SymbolPrices prices = read_symbol_prices(root);
  day.reference = prices.reference;
  day.tick_e4 = prices.tick_e4;
  day.schedule = read_recorded_phases(path, file);
  return day;
}

}  // namespace crosswire
