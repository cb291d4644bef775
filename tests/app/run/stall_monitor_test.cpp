// The watch over threads that stand still. To be run under ThreadSanitizer, too, by hand: -Db_sanitize=thread.
#include "app/run/stall_monitor.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "tests/app/partition/pipeline_rig.hpp"

namespace crosswire {
namespace {

constexpr std::uint64_t kMonitorLookNs = 100'000'000;

/// A pipeline whose transmit stage stands still in its port. The rings are so short that no other stage can end.
class Stalled {
 public:
  explicit Stalled(std::size_t loops) : pipeline_({StageLayout::over(loops), 16}) {
    unsigned core = 7;
    for (const CoreLoop& loop : pipeline_.partition().loops()) monitor_.watch(chain(), loop, core++);
    pipeline_.transmit().set_block(true);
    pipeline_.start();
    while (!pipeline_.transmit().blocked()) std::this_thread::yield();
  }
  ~Stalled() {
    pipeline_.transmit().set_block(false);
    pipeline_.join();
  }
  Stalled(const Stalled&) = delete;
  Stalled& operator=(const Stalled&) = delete;

  /// Looks once more, `step_ns` later; all stages with threads of their own have polled meanwhile.
  std::vector<StallMonitor::News> look(std::uint64_t step_ns = kMonitorLookNs) {
    for (const CoreLoop& loop : pipeline_.partition().loops()) {
      if (!loop.polls(Stage::transmit)) wait_for_a_poll(loop);
    }
    return monitor_.look(now_ns_ += step_ns);
  }
  std::uint64_t stalls(Stage stage) const {
    return monitor_.counters().get(static_cast<StallCounter>(index_of(stage)));
  }
  void go_on() {
    pipeline_.transmit().set_block(false);
    for (const CoreLoop& loop : pipeline_.partition().loops()) wait_for_a_poll(loop);
  }

 private:
  const Chain& chain() { return pipeline_.partition().chain(); }
  void wait_for_a_poll(const CoreLoop& loop) {
    const CountWord& polls = chain().times(loop.first()).polls;
    const std::uint64_t before = polls.get();
    while (polls.get() == before && !loop.ended()) std::this_thread::yield();
  }

  Pipeline pipeline_;
  StallMonitor monitor_;
  std::uint64_t now_ns_ = 5'000'000'000;
};

TEST(StallMonitor, TellsWhichStageStandsStillAndWhenItGoesOn) {
  for (const auto& [loops, core] : {std::pair{1, 7}, {2, 8}, {3, 9}, {4, 9}}) {
    Stalled stalled(static_cast<std::size_t>(loops));
    std::vector<StallMonitor::News> news;
    for (int i = 0; i < 12; ++i) {
      EXPECT_TRUE(news.empty()) << news.front().seconds;
      news = stalled.look();
    }
    if (news.empty()) news = stalled.look();
    const auto expect = [&news, core = static_cast<unsigned>(core)](bool stands_still, double seconds) {
      ASSERT_EQ(news.size(), 1u) << core;
      EXPECT_EQ(news[0].stage, Stage::transmit);
      EXPECT_EQ(news[0].core, core);
      EXPECT_NEAR(news[0].seconds, seconds, 1e-6);
      EXPECT_EQ(news[0].stands_still, stands_still);
    };
    expect(true, 1.1);
    EXPECT_TRUE(stalled.look().empty()) << "it is told once";
    stalled.go_on();
    news = stalled.look();
    expect(false, 1.2);
  }
}

TEST(StallMonitor, CountsAStageThatDoesNotPollForATenthOfASecond) {
  Stalled stalled(3);
  stalled.look(StallMonitor::kLookEveryNs);
  for (int i = 0; i < 3; ++i) stalled.look(StallMonitor::kLookEveryNs);
  EXPECT_EQ(stalled.stalls(Stage::transmit), 0u);
  for (int i = 0; i < 20; ++i) stalled.look(StallMonitor::kLookEveryNs);
  EXPECT_EQ(stalled.stalls(Stage::transmit), 1u) << "once, however long it lasts";
  EXPECT_EQ(stalled.stalls(Stage::receive) + stalled.stalls(Stage::match) + stalled.stalls(Stage::publish), 0u);
  stalled.go_on();
  stalled.look(StallMonitor::kLookEveryNs);
  EXPECT_EQ(stalled.stalls(Stage::transmit), 1u);
}

TEST(StallMonitor, BlamesNoStageWhereTheWholeProcessStoodStill) {
  Stalled stalled(3);
  stalled.look();
  EXPECT_TRUE(stalled.look(3'600'000'000'000).empty());
}

TEST(StallMonitor, LeavesStagesAloneThatHaveEnded) {
  Pipeline pipeline({StageLayout::over(3)});
  StallMonitor monitor;
  for (const CoreLoop& loop : pipeline.partition().loops()) {
    monitor.watch(pipeline.partition().chain(), loop, std::nullopt);
  }
  pipeline.start();
  pipeline.join();
  for (std::uint64_t now = 0; now < 50 * kMonitorLookNs; now += kMonitorLookNs) EXPECT_TRUE(monitor.look(now).empty());
}

}  // namespace
}  // namespace crosswire
