// The venue's days: which dates trade, when each begins and ends, and its schedule at elapsed times. Set-up and control
// threads only; values. Pure but for the host's tzdata (zone.hpp).
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/config/zone.hpp"
#include "engine/types.hpp"
#include "netstack/common/siphash.hpp"

namespace crosswire {

using Date = std::chrono::sys_days;

/// "2026-03-29".
std::string format_date(Date date);
/// The same the other way round; nothing if it is anything else, or not in 1970 .. 2099.
std::optional<Date> parse_date(std::string_view text);
/// "Saturday".
std::string_view weekday_name(Date date);

/// One line of a schedule, by the clock on the exchange's wall.
struct LocalPhase {
  std::int64_t at_ns;  // since the midnight of the trading date, -24 h .. below 24 h; negative: the evening before
  SymbolId symbol;
  Phase phase;
  std::int64_t random_ns = 0;  // it is entered within so much from at_ns on, at a time drawn for the day
  std::uint32_t draw = 0;      // phases with one number have one time drawn
};
using LocalSchedule = std::vector<LocalPhase>;  // rising times

/// When a phase is entered, before its time was drawn: from from_ns on, and less than for_ns later; 0: then.
struct PhaseWindow {
  TimeNs from_ns;
  TimeNs for_ns;
};

/// One day of the venue. Times are elapsed ns since `midnight_epoch_ns`: on a day on which the clock is changed they
/// are not what it shows.
struct TradingDay {
  std::string date;                   // the trading date, "2026-03-29"
  std::int64_t midnight_epoch_ns;     // local midnight of `date`, or of the date before if the day begins there
  TimeNs begin_ns;                    // 0, or the first phase of the evening before
  TimeNs end_ns;                      // where the next day begins; below 50 h
  std::vector<PhaseChange> schedule;  // rising times from begin_ns on, all before end_ns; never empty
  std::vector<PhaseWindow> windows;   // of each phase of the schedule: what may be told of its time
  std::uint64_t seed;                 // of what else is drawn on it; secret as the key is
  bool phases_written;     // the schedule is of [[phase]] lines; else continuous, or closed, from begin_ns on
  std::string no_trading;  // "", or why it does not trade: "Saturday", "holiday"; then it is closed all day
  Zone zone;
};

/// What the clock on the exchange's wall shows at a time of the day: "2026-03-29 03:00:00".
std::string local_time(const TradingDay& day, TimeNs time_ns);
/// The same of when the schedule's phase `at` is entered, as far as it may be told: "2026-03-29 17:30:00", or with
/// " and up to 30 s later" behind it.
std::string local_time_of_phase(const TradingDay& day, std::size_t at);

/// What a Calendar goes by.
struct CalendarRules {
  Zone zone;
  std::optional<Date> only;                                                   // the one trading date that there is
  std::array<bool, 7> weekdays = {true, true, true, true, true, true, true};  // which trade, from Monday on
  std::set<Date> holidays;
  LocalSchedule schedule;                   // of an ordinary day; empty: continuous
  std::map<Date, LocalSchedule> half_days;  // none of them empty
  SipKey random_key;                        // what times and seeds are drawn with; secret, or clients foresee them

  /// "", or why there is no trading on it.
  std::string no_trading(Date date) const;
  /// Of that date; none where there is no trading.
  const LocalSchedule* schedule_of(Date date) const;
};

/// Every date is a day, with or without trading, and where one ends the next begins. A day begins at the local midnight
/// of its date, or at its first phase where that is on the evening before. (A date that the zone leaps over, or that
/// another day's evening takes up whole, is none.)
class Calendar {
 public:
  Calendar() = default;  // in UTC, every day continuous
  /// No phase of a day is at or behind the begin of the next, by the clock on the wall.
  explicit Calendar(CalendarRules rules) : rules_(std::move(rules)) {}

  /// The day in which this moment lies, 1970 .. 2200; where there is one day only, that one.
  TradingDay day_at(std::int64_t epoch_ns) const;
  /// The day that begins where `day` ends. Not where there is one day only.
  TradingDay after(const TradingDay& day) const;
  /// The day of that trading date; it ends where it begins if the zone leaps over the date.
  TradingDay on(Date date) const;
  /// The first day behind `day` that trades; none where there is one day only, or nothing but holidays for ten years.
  std::optional<TradingDay> next_trading(const TradingDay& day) const;

  bool has_one_day() const { return rules_.only.has_value(); }
  const Zone& zone() const { return rules_.zone; }

 private:
  std::int64_t midnight_epoch_ns(Date date) const;
  std::int64_t begin_epoch_ns(Date date) const;
  bool begins_the_evening_before(Date date) const;
  std::int64_t drawn_ns(Date date, const LocalPhase& phase) const;

  CalendarRules rules_;
};

}  // namespace crosswire
