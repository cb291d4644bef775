// Times of day: what is read, what is not, and how they are written.
#include "app/config/time_of_day.hpp"

#include <gtest/gtest.h>

#include <optional>

namespace crosswire::time_of_day_test {
namespace {

TEST(TimeOfDay, IsReadWithAFractionOrWithout) {
  EXPECT_EQ(parse_time_of_day("09:15:00"), 33'300 * kNsPerSecond);
  EXPECT_EQ(parse_time_of_day("23:59:59.999999999"), kNsPerDay - 1);
  EXPECT_EQ(parse_time_of_day("00:00:00.5"), kNsPerSecond / 2);
  for (const char* const bad :
       {"", "09:15", "24:00:00", "09:60:00", "09:15:60", "09:15:00.", "09:15:00.0000000000", "09-15-00"}) {
    EXPECT_EQ(parse_time_of_day(bad), std::nullopt) << bad;
  }
}

TEST(TimeOfDay, IsWrittenAsItIsRead) {
  EXPECT_EQ(format_time_of_day(33'900'080'000'000), "09:25:00.080");
  EXPECT_EQ(format_time_of_day(1), "00:00:00.000000001");
  for (const TimeNs time_ns : {TimeNs{0}, TimeNs{1}, TimeNs{33'900'080'000'000}, kNsPerDay - 1}) {
    EXPECT_EQ(parse_time_of_day(format_time_of_day(time_ns)), time_ns);
  }
}

}  // namespace
}  // namespace crosswire::time_of_day_test
