// The venue's days: see the header.
#include "app/config/calendar.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "hugepages/base/check.hpp"

namespace crosswire {
namespace {

using std::chrono::days;

constexpr auto kDay = static_cast<std::int64_t>(kNsPerDay);

/// From Monday on.
std::size_t weekday_of(Date date) { return std::chrono::weekday(date).iso_encoding() - 1; }

std::int64_t local_midnight_ns(Date date) { return std::int64_t{date.time_since_epoch().count()} * kDay; }

}  // namespace

std::string format_date(Date date) {
  const std::chrono::year_month_day ymd{date};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(ymd.year()), static_cast<unsigned>(ymd.month()),
                     static_cast<unsigned>(ymd.day()));
}

std::optional<Date> parse_date(std::string_view text) {
  constexpr std::string_view kPattern = "dddd-dd-dd";
  if (text.size() != kPattern.size()) return std::nullopt;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (kPattern[i] == 'd' ? !digit : text[i] != kPattern[i]) return std::nullopt;
  }
  const auto number = [text](std::size_t from, std::size_t digits) {
    int value = 0;
    for (const char digit : text.substr(from, digits)) value = value * 10 + (digit - '0');
    return value;
  };
  const std::chrono::year_month_day ymd{std::chrono::year(number(0, 4)),
                                        std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                        std::chrono::day(static_cast<unsigned>(number(8, 2)))};
  if (!ymd.ok() || number(0, 4) < 1970 || number(0, 4) > 2099) return std::nullopt;
  return Date{ymd};
}

std::string_view weekday_name(Date date) {
  constexpr std::array<std::string_view, 7> kNames = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                      "Friday", "Saturday", "Sunday"};
  return kNames[weekday_of(date)];
}

std::string local_time(const TradingDay& day, TimeNs time_ns) {
  return day.zone.clock(day.midnight_epoch_ns + static_cast<std::int64_t>(time_ns));
}

std::string local_time_of_phase(const TradingDay& day, std::size_t at) {
  const PhaseWindow& window = day.windows[at];
  const std::string from = local_time(day, window.from_ns);
  return window.for_ns == 0
             ? from
             : fmt::format("{} and up to {:g} s later", from, static_cast<double>(window.for_ns) / kNsPerSecond);
}

std::string CalendarRules::no_trading(Date date) const {
  if (holidays.count(date) != 0) return "holiday";
  return weekdays[weekday_of(date)] ? "" : std::string(weekday_name(date));
}

const LocalSchedule* CalendarRules::schedule_of(Date date) const {
  if (!no_trading(date).empty()) return nullptr;
  const auto half_day = half_days.find(date);
  return half_day == half_days.end() ? &schedule : &half_day->second;
}

std::int64_t Calendar::midnight_epoch_ns(Date date) const { return rules_.zone.epoch_ns(local_midnight_ns(date)); }

bool Calendar::begins_the_evening_before(Date date) const {
  const LocalSchedule* const schedule = rules_.schedule_of(date);
  return schedule != nullptr && !schedule->empty() && schedule->front().at_ns < 0;
}

std::int64_t Calendar::begin_epoch_ns(Date date) const {
  if (!begins_the_evening_before(date)) return midnight_epoch_ns(date);
  return rules_.zone.epoch_ns(local_midnight_ns(date) + rules_.schedule_of(date)->front().at_ns);
}

/// A number that no phase has as its draw.
constexpr std::uint64_t kSeedDraw = ~std::uint64_t{0};

/// How much behind at_ns the phase is entered on that date: whole milliseconds below random_ns.
std::int64_t Calendar::drawn_ns(Date date, const LocalPhase& phase) const {
  constexpr std::int64_t kGrid = 1'000'000;
  if (phase.random_ns < kGrid) return 0;
  const auto day = static_cast<std::uint64_t>(date.time_since_epoch().count());
  const std::uint64_t hash = siphash<2>(rules_.random_key, {day, phase.draw});
  return static_cast<std::int64_t>(hash % static_cast<std::uint64_t>(phase.random_ns / kGrid)) * kGrid;
}

TradingDay Calendar::on(Date date) const {
  const std::int64_t midnight = midnight_epoch_ns(begins_the_evening_before(date) ? date - days(1) : date);
  const Date next = date + days(1);
  TradingDay day{};
  day.date = format_date(date);
  day.midnight_epoch_ns = midnight;
  day.begin_ns = static_cast<TimeNs>(begin_epoch_ns(date) - midnight);
  day.end_ns = static_cast<TimeNs>((has_one_day() ? midnight_epoch_ns(next) : begin_epoch_ns(next)) - midnight);
  day.no_trading = rules_.no_trading(date);
  day.zone = rules_.zone;
  day.seed = siphash<2>(rules_.random_key, {static_cast<std::uint64_t>(date.time_since_epoch().count()), kSeedDraw});
  const LocalSchedule* const schedule = rules_.schedule_of(date);
  day.phases_written = schedule != nullptr && !schedule->empty();
  if (!day.phases_written) {
    day.schedule = {{day.begin_ns, kAllSymbols, schedule == nullptr ? Phase::closed : Phase::continuous}};
    day.windows = {{day.begin_ns, 0}};
    return day;
  }
  struct Drawn {
    PhaseChange change;
    PhaseWindow window;
  };
  std::vector<Drawn> drawn;
  for (const LocalPhase& phase : *schedule) {
    // A clock that leaps over the last phase and midnight at once has both where the next day begins.
    const auto in_day = [&](std::int64_t random_ns) {
      const std::int64_t at_ns = rules_.zone.epoch_ns(local_midnight_ns(date) + phase.at_ns) - midnight + random_ns;
      return std::max(std::min(static_cast<TimeNs>(at_ns), day.end_ns - 1), day.begin_ns);
    };
    const PhaseWindow window{in_day(0), static_cast<TimeNs>(phase.random_ns)};
    drawn.push_back({{in_day(drawn_ns(date, phase)), phase.symbol, phase.phase}, window});
  }
  std::ranges::stable_sort(drawn, {}, [](const Drawn& phase) { return phase.change.at_ns; });
  for (const Drawn& phase : drawn) {
    day.schedule.push_back(phase.change);
    day.windows.push_back(phase.window);
  }
  return day;
}

TradingDay Calendar::day_at(std::int64_t epoch_ns) const {
  if (rules_.only) return on(*rules_.only);
  // The next day may have begun on this evening; and a clock set back over midnight shows the old date again.
  constexpr days kMostAhead{2};
  Date date = Date(days(rules_.zone.local_ns(epoch_ns) / kDay)) + kMostAhead;
  while (begin_epoch_ns(date) > epoch_ns) date -= days(1);
  return on(date);
}

TradingDay Calendar::after(const TradingDay& day) const {
  CHECK(!has_one_day(), "no day follows the one that [time] midnight names");
  return day_at(day.midnight_epoch_ns + static_cast<std::int64_t>(day.end_ns));
}

std::optional<TradingDay> Calendar::next_trading(const TradingDay& day) const {
  constexpr int kMostDays = 3660;
  if (has_one_day()) return std::nullopt;
  TradingDay next = after(day);
  for (int i = 0; i < kMostDays && !next.no_trading.empty(); ++i) next = after(next);
  return next.no_trading.empty() ? std::optional(std::move(next)) : std::nullopt;
}

}  // namespace crosswire
