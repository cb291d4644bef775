// The exchange's zone: see the header.
#include "app/config/zone.hpp"

#include <date/tz.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

namespace crosswire {
namespace {

constexpr std::int64_t kSignedNsPerSecond = 1'000'000'000;
constexpr std::string_view kRemedy =
    "give one that timedatectl list-timezones lists, as \"Asia/Shanghai\", or an offset, as \"+08:00\"";

/// Rounded down, before 1970, too.
std::int64_t whole_seconds(std::int64_t ns) { return ns / kSignedNsPerSecond - (ns % kSignedNsPerSecond < 0 ? 1 : 0); }

/// "+08:00" in seconds.
std::optional<std::int64_t> parse_offset(std::string_view text) {
  constexpr std::string_view kPattern = "+dd:dd";
  if (text.size() != kPattern.size() || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  for (const std::size_t i : {1u, 2u, 4u, 5u}) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
  }
  const auto two = [text](std::size_t at) { return (text[at] - '0') * 10 + (text[at + 1] - '0'); };
  const std::int64_t minutes = two(1) * 60 + two(4);
  if (two(4) > 59 || minutes > 14 * 60) return std::nullopt;
  return (text[0] == '-' ? -minutes : minutes) * 60;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

/// How many letters one has to add, leave out or change to make one of the other.
std::size_t distance(std::string_view one, std::string_view other) {
  std::vector<std::size_t> row(other.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < one.size(); ++i) {
    std::size_t corner = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < other.size(); ++j) {
      const std::size_t changed = corner + (one[i] == other[j] ? 0 : 1);
      corner = std::exchange(row[j + 1], std::min({changed, row[j] + 1, row[j + 1] + 1}));
    }
  }
  return row.back();
}

/// Zones that may have been meant: "Asia/Shanghai" for "Shanghai", "asia/shanghai" or "Asia/Shangai".
std::string near_ones(std::string_view name) {
  constexpr std::size_t kFarthest = 2, kMost = 3, kLongest = 64;
  if (name.size() > kLongest) return "";
  const std::string asked = lower(name);
  std::vector<std::string> found;
  for (const date::time_zone& zone : date::get_tzdb().zones) {
    const std::string known = lower(zone.name());
    const std::string city = known.substr(known.rfind('/') + 1);
    if (distance(asked, known) <= kFarthest || (asked == city && found.size() < kMost)) found.push_back(zone.name());
  }
  std::string text;
  for (std::size_t i = 0; i < std::min(found.size(), kMost); ++i) text += (i == 0 ? "" : ", ") + found[i];
  return text;
}

/// The date library knows the changes that a zone's file lists, and does not read the rule for the years behind them.
/// Where a file is of the slim kind, it lists none of the years to come.
bool lists_its_summers(const date::time_zone& zone) {
  std::ifstream in("/usr/share/zoneinfo/" + zone.name(), std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  const std::string rule = text.size() < 2 ? "" : text.substr(text.rfind('\n', text.size() - 2) + 1);
  if (rule.find(',') == std::string::npos) return true;                    // the clock is not changed any more
  constexpr date::sys_seconds kLate{std::chrono::seconds(2'082'758'400)};  // 2036-01-01
  return zone.get_info(kLate).end - kLate < std::chrono::hours(366 * 24);
}

}  // namespace

/// Makes zones of tzdata's.
class ZoneSearch {
 public:
  static std::variant<Zone, ZoneFault> find(const std::string& name) try {
    const auto& zones = date::get_tzdb().zones;
    const auto found = std::find_if(zones.begin(), zones.end(), [&](const auto& zone) { return zone.name() == name; });
    if (found == zones.end()) {
      const std::string near = near_ones(name);
      return ZoneFault{fmt::format("\"{}\" is no zone", name),
                       near.empty() ? std::string(kRemedy) : fmt::format("did you mean {}?", near)};
    }
    if (!lists_its_summers(*found)) {
      return ZoneFault{fmt::format("the host's tzdata does not list the summer times of {}", name),
                       "install tzdata that zic -b fat has made, as Debian's"};
    }
    Zone zone;
    zone.name_ = name;
    zone.zone_ = &*found;
    return zone;
  } catch (const std::runtime_error& error) {  // without tzdata, or with files that are none
    return ZoneFault{fmt::format("tzdata cannot be read: {}", error.what()),
                     "install tzdata, or give an offset, as \"+08:00\""};
  }
};

Zone Zone::at_offset(std::int64_t offset_s) {
  Zone zone;
  zone.offset_s_ = offset_s;
  const std::int64_t minutes = std::abs(offset_s) / 60;
  if (offset_s != 0) {
    zone.name_ = fmt::format("{}{:02}:{:02}", offset_s < 0 ? '-' : '+', minutes / 60, minutes % 60);
  }
  return zone;
}

std::int64_t Zone::epoch_ns(std::int64_t local_ns) const {
  if (zone_ == nullptr) return local_ns - offset_s_ * kSignedNsPerSecond;
  const date::local_info info = zone_->get_info(date::local_seconds(std::chrono::seconds(whole_seconds(local_ns))));
  if (info.result == date::local_info::nonexistent)
    return info.first.end.time_since_epoch().count() * kSignedNsPerSecond;
  return local_ns - info.first.offset.count() * kSignedNsPerSecond;
}

std::int64_t Zone::local_ns(std::int64_t epoch_ns) const {
  if (zone_ == nullptr) return epoch_ns + offset_s_ * kSignedNsPerSecond;
  const date::sys_seconds seconds{std::chrono::seconds(whole_seconds(epoch_ns))};
  return epoch_ns + zone_->get_info(seconds).offset.count() * kSignedNsPerSecond;
}

std::string Zone::clock(std::int64_t epoch_ns) const {
  using namespace std::chrono;
  const seconds local{whole_seconds(local_ns(epoch_ns))};
  const sys_days date{floor<days>(local)};
  const year_month_day ymd{date};
  const auto second = (local - date.time_since_epoch()).count();
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", static_cast<int>(ymd.year()),
                     static_cast<unsigned>(ymd.month()), static_cast<unsigned>(ymd.day()), second / 3600,
                     second / 60 % 60, second % 60);
}

std::variant<Zone, ZoneFault> find_zone(std::string_view name) {
  if (name == "UTC") return Zone();
  if (const auto offset_s = parse_offset(name)) return Zone::at_offset(*offset_s);
  return ZoneSearch::find(std::string(name));
}

}  // namespace crosswire
