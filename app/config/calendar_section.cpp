// The venue's days in the configuration: see the header.
#include "app/config/calendar_section.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "app/config/secret_file.hpp"
#include "app/config/time_of_day.hpp"

namespace crosswire::config_file {
namespace {

using std::chrono::days;

constexpr std::int64_t kNs = 1'000'000'000;
constexpr std::array<std::string_view, 7> kWeekdays = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

Date date_of(const toml::date& date) {
  return Date{std::chrono::year{date.year} / std::chrono::month{date.month} / std::chrono::day{date.day}};
}

/// A schedule, and where the file has it.
struct WrittenSchedule {
  LocalSchedule phases;
  const toml::table* table;
  std::string_view parent;
};

/// Reads what makes up the days, then checks that none reaches into the next.
class CalendarReader {
 public:
  CalendarReader(const std::string& path, const toml::table& root, const Symbols& symbols, Logins logins,
                 Config& config)
      : path_(path), root_(root), symbols_(symbols), logins_(logins), config_(config) {}

  void read() {
    ordinary_ = {read_phases(path_, root_, symbols_), &root_, ""};
    rules_.schedule = ordinary_.phases;
    read_time();
    if (const toml::table* const calendar = find_table(path_, root_, "calendar")) read_dates(*calendar);
    if (logins_ == Logins::some && !has_random_key_) check_nothing_drawn();
    check_days_apart();
    config_.calendar = Calendar(std::move(rules_));
    set_day(config_, config_.calendar.day_at(config_.midnight_epoch_ns.value_or(0)));
  }

 private:
  void read_time() {
    static const toml::table kNone;
    const toml::table* const table = find_table(path_, root_, "time");
    const Section section(path_, "time", table == nullptr ? kNone : *table,
                          {"midnight", "zone", "at_end", "linger_s", "random_key_file"});
    if (section.has("midnight")) read_midnight(section);
    if (section.has("zone")) read_zone(section);
    config_.rolls = !section.has("midnight");
    if (section.has("at_end")) {
      const bool rolls = one_of<bool>(section, "at_end", {{"roll", true}, {"stop", false}});
      if (rolls && section.has("midnight")) {
        section.reject("at_end", "midnight names the one day that there is", "write at_end = \"stop\", or zone");
      }
      config_.rolls = rolls;
    }
    if (section.has("random_key_file")) read_random_key(section);
    config_.net.linger_ns = section.number("linger_s", 0, 3600, kLingerS) * kNsPerSecond;
  }

  /// Two words of 16 hexadecimal digits.
  void read_random_key(const Section& section) {
    constexpr std::string_view kKey = "random_key_file",
                               kRemedy = "write 32 hexadecimal digits, as `openssl rand -hex 16`";
    const std::string path = beside(path_, section.text(kKey, "give the path of a file with the key"));
    config_.files.push_back(path);
    const std::string text = read_secret_file(section, kKey, path, "the key");
    config_.keys[fmt::format("calendar.{}: what is in it", kKey)] = {text, path, 1, true};
    const auto word = [&text](std::size_t at, std::uint64_t& into) {
      const char* const end = text.data() + at + 16;
      const auto [stop, error] = std::from_chars(text.data() + at, end, into, 16);
      return error == std::errc{} && stop == end;
    };
    if (text.size() != 32 || !word(0, rules_.random_key.first) || !word(16, rules_.random_key.second)) {
      section.reject(kKey, fmt::format("{} holds no key", path), kRemedy);
    }
    has_random_key_ = true;
  }

  /// Without a secret key clients could foresee what is drawn.
  void check_nothing_drawn() const {
    check_no(find_tables(path_, root_, "phase"), "random_seconds", "phase.");
    for (const auto& [date, schedule] : half_days_)
      check_no(find_tables(path_, *schedule.table, "phase", schedule.parent), "random_seconds",
               fmt::format("{}phase.", schedule.parent));
    if (const toml::table* const collars = find_table(path_, root_, "collars"))
      check_no({collars}, "interruption_random_seconds", "collars.");
    check_no(find_tables(path_, root_, "symbol"), "interruption_random_seconds", "symbol.");
  }
  void check_no(const std::vector<const toml::table*>& tables, std::string_view key, std::string_view before) const {
    for (const toml::table* const table : tables) {
      const toml::node* const seconds = table->get(key);
      if (seconds == nullptr || seconds->value_or(0) == 0) continue;
      fail(path_, line_of(*seconds), fmt::format("{}{}", before, key), "times are drawn with a key, and there is none",
           "give [time] random_key_file");
    }
  }

  void read_midnight(const Section& section) {
    constexpr std::string_view kRemedy = "write RFC 3339 with offset and without quotes: 2026-01-31T00:00:00+08:00";
    const toml::node& node = section.need("midnight", kRemedy);
    if (!node.is_date_time()) section.reject("midnight", fmt::format("is {}", type_name(node)), kRemedy);
    const toml::date_time& value = node.as_date_time()->get();
    if (!value.offset.has_value()) section.reject("midnight", "has no offset", kRemedy);
    if (value.time != toml::time{}) section.reject("midnight", "is not 00:00:00", kRemedy);
    const Date date = date_of(value.date);
    const std::int64_t offset_s = std::int64_t{value.offset->minutes} * 60;
    const std::int64_t epoch_s = std::int64_t{date.time_since_epoch().count()} * 86'400 - offset_s;
    if (epoch_s < 0 || epoch_s > 4'000'000'000) section.reject("midnight", "is not in 1970 .. 2096", kRemedy);
    config_.midnight_epoch_ns = epoch_s * kNs;
    config_.lines["time.midnight"] = section.line("midnight");
    rules_.zone = Zone::at_offset(offset_s);
    const bool evening_before = !rules_.schedule.empty() && rules_.schedule.front().at_ns < 0;
    rules_.only = date + days(evening_before ? 1 : 0);
  }

  void read_zone(const Section& section) {
    if (section.has("midnight")) section.reject("zone", "midnight is given as well", "leave one of the two out");
    const std::string name = section.text("zone", "give a zone, as \"Asia/Shanghai\", or an offset, as \"+08:00\"");
    const auto found = find_zone(name);
    if (const auto* const fault = std::get_if<ZoneFault>(&found)) section.reject("zone", fault->what, fault->remedy);
    rules_.zone = std::get<Zone>(found);
  }

  void read_dates(const toml::table& table) {
    const Section section(path_, "calendar", table, {"weekdays", "holidays", "half_day"});
    if (rules_.only)
      fail(path_, line_of(table), "calendar", "time.midnight names the one day that there is",
           "leave [calendar] or time.midnight out");
    rules_.weekdays = {true, true, true, true, true, false, false};
    if (section.has("weekdays")) read_weekdays(section);
    if (section.has("holidays")) {
      for (const Date date : dates(section, "calendar.holidays", "holidays")) rules_.holidays.insert(date);
    }
    for (const toml::table* half_day : find_tables(path_, table, "half_day", "calendar.")) read_half_day(*half_day);
  }

  void read_weekdays(const Section& section) {
    const std::string remedy = fmt::format("give some of {}, in quotes", joined(kWeekdays));
    rules_.weekdays = {};
    for (const std::string& name : strings(section, "weekdays", remedy)) {
      const auto* const found = std::find(kWeekdays.begin(), kWeekdays.end(), name);
      if (found == kWeekdays.end()) section.reject("weekdays", fmt::format("\"{}\" is no weekday", name), remedy);
      rules_.weekdays[static_cast<std::size_t>(found - kWeekdays.begin())] = true;
    }
    const bool none = std::find(rules_.weekdays.begin(), rules_.weekdays.end(), true) == rules_.weekdays.end();
    if (none) section.reject("weekdays", "is empty", remedy);
  }

  void read_half_day(const toml::table& table) {
    constexpr std::string_view kParent = "calendar.half_day.";
    const Section section(path_, "calendar.half_day", table, {"dates", "phase"});
    const WrittenSchedule schedule{read_phases(path_, table, symbols_, kParent), &table, kParent};
    if (schedule.phases.empty()) {
      fail(path_, line_of(table), "calendar.half_day.phase", "missing",
           "add a [[calendar.half_day.phase]] with at and state below it");
    }
    const std::vector<Date> all = dates(section, "calendar.half_day.dates", "dates");
    if (all.empty()) section.reject("dates", "is empty", "give dates, as [2026-12-24]");
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (const std::string why = rules_.no_trading(all[i]); !why.empty()) {
        fail(path_, line_of(*section.list("dates", "").get(i)), "calendar.half_day.dates",
             fmt::format("{} is a {}, without trading", format_date(all[i]), why),
             "leave it out, or add the day to calendar.weekdays");
      }
      rules_.half_days[all[i]] = schedule.phases;
      half_days_[all[i]] = schedule;
    }
  }

  /// Each date once in the whole file.
  std::vector<Date> dates(const Section& section, std::string_view full_key, std::string_view key) {
    constexpr std::string_view kRemedy = "give dates without quotes, as [2026-12-25, 2027-01-01]";
    std::vector<Date> result;
    for (const toml::node& item : section.list(key, kRemedy)) {
      if (!item.is_date()) fail(path_, line_of(item), full_key, fmt::format("holds {}", type_name(item)), kRemedy);
      const Date date = date_of(item.as_date()->get());
      const auto [before, is_new] = used_.emplace(date, full_key);
      if (!is_new) {
        fail(path_, line_of(item), full_key,
             fmt::format("{} is there already, in {}", format_date(date), before->second), "give each date once");
      }
      result.push_back(date);
    }
    return result;
  }

  /// Of that date; none where there is no trading.
  const WrittenSchedule* schedule_of(Date date) const {
    if (rules_.schedule_of(date) == nullptr) return nullptr;
    const auto half_day = half_days_.find(date);
    return half_day == half_days_.end() ? &ordinary_ : &half_day->second;
  }

  void check_days_apart() const {
    for (std::size_t i = 0; i < kWeekdays.size(); ++i) {
      if (rules_.weekdays[i] && rules_.weekdays[(i + 1) % kWeekdays.size()]) check_apart(&ordinary_, &ordinary_);
    }
    for (const auto& [date, schedule] : half_days_) {
      check_apart(schedule_of(date - days(1)), &schedule);
      check_apart(&schedule, schedule_of(date + days(1)));
    }
  }

  /// All phases of a day are before the evening on which the next one begins.
  void check_apart(const WrittenSchedule* day, const WrittenSchedule* next) const {
    if (day == nullptr || next == nullptr || day->phases.empty() || next->phases.empty()) return;
    const std::int64_t begin_ns = next->phases.front().at_ns;
    if (begin_ns >= 0) return;
    const auto evening_ns = static_cast<TimeNs>(begin_ns + static_cast<std::int64_t>(kNsPerDay));
    const auto reaches = [evening_ns](const LocalPhase& phase) {
      return phase.at_ns + std::max<std::int64_t>(phase.random_ns - 1, 0) >= static_cast<std::int64_t>(evening_ns);
    };
    if (std::ranges::none_of(day->phases, reaches)) return;
    const toml::table& last = *find_tables(path_, *day->table, "phase", day->parent).back();
    fail(path_, line_of(*last.get("at")), fmt::format("{}phase.at", day->parent),
         fmt::format("the next day has begun, at \"-1d {}\"", format_time_of_day(evening_ns)),
         "let the day end before that, or the next begin later");
  }

  static constexpr std::uint64_t kLingerS = 3;

  const std::string& path_;
  const toml::table& root_;
  const Symbols& symbols_;
  Logins logins_;
  Config& config_;
  CalendarRules rules_;
  WrittenSchedule ordinary_{};
  bool has_random_key_ = false;
  std::map<Date, WrittenSchedule> half_days_;
  std::map<Date, std::string> used_;  // where the file has it
};

}  // namespace

void read_calendar(const std::string& path, const toml::table& root, const Symbols& symbols, Logins logins,
                   Config& config) {
  CalendarReader(path, root, symbols, logins, config).read();
}

}  // namespace crosswire::config_file
