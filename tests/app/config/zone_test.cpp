// The exchange's zone: what its clock shows when, where it is changed, too.
#include "app/config/zone.hpp"

#include <gtest/gtest.h>

#include <string>

namespace crosswire::zone_test {
namespace {

constexpr std::int64_t kHour = 3'600'000'000'000;

// date -u -d "..." +%s
constexpr std::int64_t kSpringBerlin = 1'774'746'000'000'000'000;  // 2026-03-29 01:00:00 UTC
constexpr std::int64_t kAutumnBerlin = 1'792'890'000'000'000'000;  // 2026-10-25 01:00:00 UTC

Zone zone(const std::string& name) { return std::get<Zone>(find_zone(name)); }

/// "what; remedy".
std::string fault(const std::string& name) {
  const auto found = find_zone(name);
  const auto* const fault = std::get_if<ZoneFault>(&found);
  return fault == nullptr ? "" : fault->what + "; " + fault->remedy;
}

TEST(Zone, IsUtcUnlessSaid) {
  EXPECT_EQ(Zone().name(), "UTC");
  EXPECT_EQ(zone("UTC").epoch_ns(kHour), kHour);
  EXPECT_EQ(Zone().clock(kSpringBerlin), "2026-03-29 01:00:00");
  EXPECT_EQ(Zone().clock(-1), "1969-12-31 23:59:59");
}

TEST(Zone, MayBeAnOffset) {
  EXPECT_EQ(zone("+08:00").epoch_ns(0), -8 * kHour);
  EXPECT_EQ(zone("-03:30").local_ns(0), -3 * kHour - kHour / 2);
  EXPECT_EQ(zone("-03:30").name(), "-03:30");
  EXPECT_EQ(zone("+00:00").name(), "UTC");
  EXPECT_EQ(zone("+08:00").clock(kSpringBerlin), "2026-03-29 09:00:00");
  for (const std::string bad : {"+8:00", "+15:00", "+14:01", "08:00", "+08:60", "+08-00", "+0a:00", "Z", ""}) {
    EXPECT_NE(fault(bad).find("is no zone; "), std::string::npos) << bad;
  }
}

TEST(Zone, LeapsOverAnHourInSpring) {
  const Zone berlin = zone("Europe/Berlin");
  const std::int64_t three = berlin.local_ns(kSpringBerlin);  // 03:00:00
  EXPECT_EQ(berlin.clock(kSpringBerlin - 1), "2026-03-29 01:59:59");
  EXPECT_EQ(berlin.clock(kSpringBerlin), "2026-03-29 03:00:00");
  EXPECT_EQ(berlin.epoch_ns(three), kSpringBerlin);
  EXPECT_EQ(berlin.epoch_ns(three + 7), kSpringBerlin + 7);
  EXPECT_EQ(berlin.epoch_ns(three - kHour - 1), kSpringBerlin - 1);
  for (const std::int64_t into_gap : {std::int64_t{0}, std::int64_t{1}, kHour / 2 + 3, kHour - 1}) {
    EXPECT_EQ(berlin.epoch_ns(three - kHour + into_gap), kSpringBerlin) << into_gap;
  }
}

TEST(Zone, ShowsAnHourTwiceInAutumnOfWhichTheFirstIsMeant) {
  const Zone berlin = zone("Europe/Berlin");
  const std::int64_t two = berlin.local_ns(kAutumnBerlin);  // 02:00:00, for the second time
  EXPECT_EQ(berlin.clock(kAutumnBerlin - kHour), "2026-10-25 02:00:00");
  EXPECT_EQ(berlin.clock(kAutumnBerlin), "2026-10-25 02:00:00");
  EXPECT_EQ(berlin.epoch_ns(two), kAutumnBerlin - kHour);
  EXPECT_EQ(berlin.epoch_ns(two + kHour - 1), kAutumnBerlin - 1);
  EXPECT_EQ(berlin.epoch_ns(two + kHour), kAutumnBerlin + kHour);
}

TEST(Zone, IsTheOneThatTheHostKnows) {
  EXPECT_EQ(zone("Asia/Shanghai").local_ns(0), 8 * kHour);
  EXPECT_EQ(zone("Pacific/Apia").clock(1'325'239'200'000'000'000 - 1), "2011-12-29 23:59:59");
  EXPECT_EQ(zone("Pacific/Apia").clock(1'325'239'200'000'000'000), "2011-12-31 00:00:00");
}

TEST(Zone, ThatDoesNotExistHasNearOnes) {
  EXPECT_EQ(fault("Asia/Shangai"), "\"Asia/Shangai\" is no zone; did you mean Asia/Shanghai?");
  EXPECT_EQ(fault("asia/shanghai"), "\"asia/shanghai\" is no zone; did you mean Asia/Shanghai?");
  EXPECT_EQ(fault("Shanghai"), "\"Shanghai\" is no zone; did you mean Asia/Shanghai?");
  EXPECT_EQ(fault("../Asia/Shanghai").find("\"../Asia/Shanghai\" is no zone; give one that"), 0u);
  EXPECT_NE(fault("Middle-earth/Bree").find("timedatectl list-timezones"), std::string::npos);
  EXPECT_NE(fault(std::string(100'000, 'a')).find("timedatectl list-timezones"), std::string::npos);
}

}  // namespace
}  // namespace crosswire::zone_test
