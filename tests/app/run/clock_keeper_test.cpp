// What is told of the host's clock, over a host of our own making.
#include "app/run/clock_keeper.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "app/run/log.hpp"
#include "tests/folder.hpp"

namespace crosswire {
namespace {

using Kind = ClockNews::Kind;

/// A counter of 1 GHz that all clocks run by; CLOCK_REALTIME is set by hand.
class Kept {
 public:
  Kept() : keeper_(discipline(), {[this] { return read(); }, [this] { return unsynchronised; }}) {}

  std::vector<Kind> look(std::int64_t after_ns = 100'000'000) {
    now_ns_ += static_cast<std::uint64_t>(after_ns);
    std::vector<Kind> kinds;
    news = keeper_.look(now_ns_);
    for (const ClockNews& each : news) kinds.push_back(each.kind);
    return kinds;
  }
  /// The kinds of news until it has been looked so many times.
  std::vector<Kind> look_for(int looks) {
    std::vector<Kind> all;
    for (int i = 0; i < looks; ++i) {
      for (const Kind kind : look()) all.push_back(kind);
    }
    return all;
  }
  const ClockKeeper& keeper() const { return keeper_; }

  std::int64_t ahead_ns = 0;  // CLOCK_REALTIME
  bool unsynchronised = false;
  int readings = 0;
  std::vector<ClockNews> news;

 private:
  ClockReading read() {
    ++readings;
    const auto ns = static_cast<std::int64_t>(now_ns_);
    return {now_ns_, ns, now_ns_, ns + 1'800'000'000'000'000'000 + ahead_ns, 50};
  }
  ClockDiscipline discipline() {
    const ClockReading first = read();
    now_ns_ += 200'000'000;
    return {first, read()};
  }

  std::uint64_t now_ns_ = 1'000'000'000'000;
  ClockKeeper keeper_;
};

TEST(ClockKeeper, SaysNothingWhileTheHostsClockIsKept) {
  Kept kept;
  EXPECT_EQ(kept.look_for(600), std::vector<Kind>());
  const ClockFigure figure = kept.keeper().figure();
  EXPECT_LT(std::abs(figure.offset_ns), 1'000);
  EXPECT_LT(figure.bound_ns, 1'000);
  EXPECT_EQ(figure.unfollowed_ns, 0);
  EXPECT_TRUE(figure.synchronised);
}

TEST(ClockKeeper, LooksNoMoreOftenThanItIsGoodFor) {
  Kept kept;
  kept.look();
  const int before = kept.readings;
  for (int i = 0; i < 100; ++i) kept.look(1'000'000);  // as while an operator waits
  EXPECT_EQ(kept.readings, before + 2);
}

TEST(ClockKeeper, TellsALeapOnceAndTheWayBackOnce) {
  Kept kept;
  kept.look_for(20);
  kept.ahead_ns = -3'600'000'000'000;
  EXPECT_EQ(kept.look(), std::vector{Kind::leapt});
  EXPECT_NEAR(kept.news[0].leap_s, -3'600, 0.001);
  EXPECT_EQ(kept.look_for(100), std::vector<Kind>());
  EXPECT_NEAR(static_cast<double>(kept.keeper().figure().unfollowed_ns), -3.6e12, 1e6);
  EXPECT_LT(std::abs(kept.keeper().figure().offset_ns), 1'000);
  kept.ahead_ns = 0;
  EXPECT_EQ(kept.look(), std::vector{Kind::leapt_back});
  EXPECT_EQ(kept.keeper().figure().unfollowed_ns, 0);
}

TEST(ClockKeeper, TellsWhenItIsBeyondItsBoundAndWhenItIsBack) {
  Kept kept;
  kept.look_for(20);
  kept.ahead_ns = 10'000'000;
  EXPECT_EQ(kept.look(), std::vector{Kind::beyond_bound});
  EXPECT_GT(kept.keeper().figure().bound_ns, 9'990'000);
  EXPECT_EQ(kept.look_for(190), std::vector<Kind>());
  EXPECT_EQ(kept.look_for(100), std::vector{Kind::within_bound});
}

TEST(ClockKeeper, TellsWhenNobodyKeepsTheHostsClockAndWhenSomebodyDoesAgain) {
  Kept kept;
  kept.unsynchronised = true;
  EXPECT_EQ(kept.look(), std::vector{Kind::unsynchronised});
  EXPECT_EQ(kept.look_for(10), std::vector<Kind>());
  EXPECT_FALSE(kept.keeper().figure().synchronised);
  kept.unsynchronised = false;
  EXPECT_EQ(kept.look(), std::vector{Kind::synchronised});
  EXPECT_TRUE(kept.keeper().figure().synchronised);
}

TEST(ClockKeeper, SaysEachNewsInALineOfTheLog) {
  const test::Folder folder;
  log_begin({.file = folder.file("log")});
  const auto of = [](Kind kind) { return ClockNews{kind, -3'600, -3'600.5, 150.25, 160}; };
  report({of(Kind::leapt), of(Kind::leapt_back), of(Kind::unsynchronised), of(Kind::synchronised),
          of(Kind::beyond_bound), of(Kind::within_bound)});
  std::ifstream file(folder.file("log"));
  log_begin({});  // the file goes
  for (const std::string expected :
       {"error the host's clock has leapt, and is not followed seconds=-3600.000000 unfollowed_seconds=-3600.500000",
        "warning the host's clock has leapt back, and is followed again seconds=-3600.000000 offset_us=+150.2",
        "warning nobody keeps the host's clock", "warning the host's clock is kept again",
        "warning our time is off the host's clock by more than its bound offset_us=+150.2 bound_us=100",
        "warning our time is within its bound of the host's clock again offset_us=+150.2"}) {
    std::string line;
    std::getline(file, line);
    EXPECT_EQ(line.substr(line.find(' ') + 1), expected);
  }
  std::string more;
  EXPECT_FALSE(std::getline(file, more)) << more;
}

TEST(ClockKeeper, GivesStagesAndLogTheDisciplinedClock) {
  Kept kept;
  SharedClock::Copy stages(*kept.keeper().shared());
  kept.ahead_ns = 100'000'000;
  kept.look();
  const auto rate = [](const TscClock& clock) { return 1 / clock.ticks_per_ns(); };
  EXPECT_NEAR(rate(stages.latest()), 1 + 500e-6, 1e-6);
  EXPECT_EQ(rate(kept.keeper().shared()->read()), rate(stages.latest()));
}

TEST(ClockKeeper, ReadsTheClocksOfThisHost) {
  ClockKeeper keeper;
  for (std::uint64_t i = 1; i <= 10; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(60));
    keeper.look(i * 60'000'000);
  }
  EXPECT_LT(std::abs(keeper.figure().offset_ns), 100'000'000) << "unless somebody sets it just now";
  EXPECT_GT(keeper.figure().bound_ns, 0);
  EXPECT_EQ(keeper.figure().unfollowed_ns, 0);
}

}  // namespace
}  // namespace crosswire
