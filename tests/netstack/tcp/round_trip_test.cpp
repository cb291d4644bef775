// RFC 6298 by its own numbers.
#include "netstack/tcp/round_trip.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "tests/seed.hpp"

namespace crosswire::tcp::round_trip_test {
namespace {

constexpr TimeNs kMs = 1'000'000;

TEST(RoundTrip, WaitsASecondBeforeTheFirstMeasurement) {
  const TcpConfig config;
  const RoundTrip fresh;
  EXPECT_FALSE(fresh.measured());
  EXPECT_EQ(fresh.timeout_ns(config), 1'000 * kMs);
  EXPECT_EQ(fresh.probe_timeout_ns(config, false), 1'000 * kMs) << "RFC 8985 7.2: without a sample, one second";
}

TEST(RoundTrip, TheFirstMeasurementIsTheSmoothedOneWithHalfOfItAsVariation) {
  TcpConfig config;
  config.least_rto_ns = 1;
  RoundTrip trip;
  trip.sample(100 * kMs);
  EXPECT_TRUE(trip.measured());
  EXPECT_EQ(trip.smoothed_ns(), 100 * kMs);
  EXPECT_EQ(trip.timeout_ns(config), 100 * kMs + 4 * 50 * kMs);
}

TEST(RoundTrip, LaterMeasurementsCountAnEighthAndAQuarter) {
  TcpConfig config;
  config.least_rto_ns = 1;
  RoundTrip trip;
  trip.sample(100 * kMs);
  trip.sample(180 * kMs);
  // RTTVAR = 3/4 * 50 + 1/4 * 80 = 57.5, SRTT = 7/8 * 100 + 1/8 * 180 = 110
  EXPECT_EQ(trip.smoothed_ns(), 110 * kMs);
  EXPECT_EQ(trip.timeout_ns(config), 110 * kMs + 4 * 57'500'000u);
}

TEST(RoundTrip, FollowsTheFormulasOfRfc6298WithinANanosecondAMeasurement) {
  std::mt19937_64 random(test::seed());
  TcpConfig config;
  config.least_rto_ns = 1;
  config.most_rto_ns = ~TimeNs{0} >> 8;
  for (int run = 0; run < 200; ++run) {
    RoundTrip trip;
    double srtt = 0, rttvar = 0;
    for (int i = 0; i < 100; ++i) {
      const TimeNs took = random() % (TimeNs{1} << (10 + run % 25));
      const auto r = static_cast<double>(took);
      rttvar = i == 0 ? r / 2 : 0.75 * rttvar + 0.25 * std::abs(srtt - r);
      srtt = i == 0 ? r : 0.875 * srtt + 0.125 * r;
      trip.sample(took);
      ASSERT_NEAR(static_cast<double>(trip.smoothed_ns()), srtt, 10);
      const double expected = srtt + std::max(8192.0, 4 * rttvar);
      ASSERT_NEAR(static_cast<double>(trip.timeout_ns(config)), expected, 60);
    }
  }
}

TEST(RoundTrip, TheTimeoutHasAFloorAndACeiling) {
  const TcpConfig config;
  RoundTrip trip;
  trip.sample(10'000);
  EXPECT_EQ(trip.timeout_ns(config), 60 * kMs);
  trip.sample(3'600 * kNsPerSecond);
  EXPECT_EQ(trip.timeout_ns(config), 60 * kNsPerSecond);
}

TEST(RoundTrip, EachTimeOutDoublesUpToTheCeilingAndANewMeasurementEndsThat) {
  const TcpConfig config;
  RoundTrip trip;
  trip.sample(1 * kMs);
  TimeNs expected = 60 * kMs;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(trip.timeout_ns(config), std::min(expected, 60 * kNsPerSecond));
    trip.back_off();
    if (i < 16) expected *= 2;
  }
  trip.sample(1 * kMs);
  EXPECT_EQ(trip.backed_off(), 0u);
  EXPECT_EQ(trip.timeout_ns(config), 60 * kMs);
  trip.back_off();
  trip.end_back_off();
  EXPECT_EQ(trip.timeout_ns(config), 60 * kMs);
}

TEST(RoundTrip, AProbeWaitsTwoRoundTripsAndForALoneSegmentThePeersDelay) {
  const TcpConfig config;
  RoundTrip trip;
  trip.sample(10 * kMs);
  EXPECT_EQ(trip.probe_timeout_ns(config, false), 20 * kMs);
  EXPECT_EQ(trip.probe_timeout_ns(config, true), 60 * kMs);
  trip.reset();
  EXPECT_FALSE(trip.measured());
  trip.sample(10'000);
  EXPECT_EQ(trip.probe_timeout_ns(config, false), 2 * kMs) << "a peer that was not scheduled has lost nothing";
}

}  // namespace
}  // namespace crosswire::tcp::round_trip_test
