// The day as `crosswire plan` shows it: see the header.
#include "app/plan/day.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <stdexcept>

#include "app/config/time_of_day.hpp"

namespace crosswire {
namespace {

/// "2026-03-29 03:00:00 = 2026-03-29 01:00:00 UTC".
std::string both_clocks(const TradingDay& day, TimeNs time_ns) {
  const std::int64_t epoch_ns = day.midnight_epoch_ns + static_cast<std::int64_t>(time_ns);
  return fmt::format("{} = {} UTC", day.zone.clock(epoch_ns), Zone().clock(epoch_ns));
}

std::string no_trading_text(const Calendar& calendar, const TradingDay& day) {
  const auto next = calendar.next_trading(day);
  if (!next) return day.no_trading;
  return fmt::format("{}; the next trading date is {}", day.no_trading, next->date);
}

std::string symbol_text(const Config& config, SymbolId symbol) {
  if (symbol == kAllSymbols) return "all";
  const SymbolName& name = config.engine.symbols[symbol.value - 1].name;
  return {name.begin(), std::find(name.begin(), name.end(), ' ')};
}

}  // namespace

TradingDay planned_day(const Config& config, const std::string& date, std::int64_t now_epoch_ns) {
  if (date.empty()) return config.calendar.day_at(now_epoch_ns);
  const std::optional<Date> asked = parse_date(date);
  if (!asked) throw std::runtime_error(fmt::format("--date {}: is no date; give one as 2026-12-24", date));
  if (config.calendar.has_one_day()) {
    throw std::runtime_error(fmt::format("{}: names the one day that there is; leave it or --date out",
                                         location_of(config, "time.midnight")));
  }
  TradingDay day = config.calendar.on(*asked);
  if (day.end_ns > day.begin_ns) return day;
  throw std::runtime_error(
      fmt::format("--date {}: there is no such day in {}; give another", date, config.calendar.zone().name()));
}

std::string day_text(const std::string& name, const Config& config, const TradingDay& day) {
  constexpr double kHour = 3600.0 * kNsPerSecond;
  std::string text;
  const auto line = [&text](std::string_view what, const std::string& is) {
    text += fmt::format("{:<13}{}\n", what, is);
  };
  line("day", fmt::format("{}: {} ({}) in {}, {:g} h", name, day.date, weekday_name(*parse_date(day.date)),
                          day.zone.name(), static_cast<double>(day.end_ns - day.begin_ns) / kHour));
  line("counts from", both_clocks(day, 0));
  line("begins", both_clocks(day, day.begin_ns));
  line("ends", both_clocks(day, day.end_ns));
  if (!day.no_trading.empty()) line("no trading", no_trading_text(config.calendar, day));
  constexpr std::string_view kRow = "{:<13}{:<21}{:<21}{:<20}{}\n";
  text += '\n';
  text += fmt::format(kRow, "phase", "local time", "UTC", "since midnight", "symbol");
  for (std::size_t i = 0; i < day.schedule.size(); ++i) {
    const PhaseChange& change = day.schedule[i];
    const PhaseWindow& window = day.windows[i];
    const std::int64_t epoch_ns = day.midnight_epoch_ns + static_cast<std::int64_t>(window.from_ns);
    std::string whose = symbol_text(config, change.symbol);
    if (window.for_ns > 0)
      whose += fmt::format(", up to {:g} s later", static_cast<double>(window.for_ns) / kNsPerSecond);
    text += fmt::format(kRow, phase_name(change.phase), day.zone.clock(epoch_ns), Zone().clock(epoch_ns),
                        format_time_of_day(window.from_ns), whose);
  }
  return text;
}

}  // namespace crosswire
