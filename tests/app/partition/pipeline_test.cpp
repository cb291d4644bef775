// The pipeline: however the stages are spread over threads, the same bytes leave and the same state is reached, with
// rings that are nearly always full and ports that take nothing now and then. To be run under ThreadSanitizer, too, by
// hand: -Db_sanitize=thread.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "app/figures/live_figures.hpp"
#include "app/partition/partition.hpp"
#include "tests/app/partition/pipeline_rig.hpp"

namespace crosswire {
namespace {

struct Outcome {
  std::string bytes;
  std::uint64_t state_hash;
  std::uint64_t executions;
  bool operator==(const Outcome&) const = default;
};

Outcome play(const Options& options) {
  Pipeline pipeline(options);
  pipeline.start();
  pipeline.join();
  const Engine& engine = pipeline.partition().engine();
  return {pipeline.bytes(), engine.state_hash(), engine.counters().get(EngineCounter::executions)};
}

const Outcome& fused() {
  static const Outcome outcome = play({});
  return outcome;
}

/// Every way to share the four stages out among loops, in the numbering of StageLayout.
std::vector<StageLayout> all_layouts() {
  std::vector<StageLayout> layouts;
  for (std::size_t match = 0; match <= 1; ++match) {
    for (std::size_t transmit = 0; transmit <= match + 1; ++transmit) {
      for (std::size_t publish = 0; publish <= std::max(match, transmit) + 1; ++publish) {
        layouts.push_back({{0, match, transmit, publish}});
      }
    }
  }
  return layouts;
}

void expect_as_fused(const Options& options) {
  const Outcome outcome = play(options);
  EXPECT_EQ(outcome.state_hash, fused().state_hash) << describe(options);
  EXPECT_EQ(outcome.executions, fused().executions) << describe(options);
  EXPECT_TRUE(outcome.bytes == fused().bytes) << describe(options);
}

TEST(Pipeline, SendsTheSameBytesHoweverItsStagesAreSpreadOverThreads) {
  std::printf("seed %llu\n", static_cast<unsigned long long>(kSeed));
  EXPECT_GT(fused().executions, 100u);
  EXPECT_GT(fused().bytes.size(), 300'000u);
  ASSERT_EQ(all_layouts().size(), 15u);
  for (const StageLayout& layout : all_layouts()) expect_as_fused({layout});
}

TEST(Pipeline, SendsTheSameBytesWithRingsThatAreNearlyAlwaysFull) {
  for (const StageLayout& layout : all_layouts()) expect_as_fused({layout, 16});
  for (std::size_t loops = 1; loops <= kStages; ++loops) expect_as_fused({StageLayout::over(loops), 2});
}

TEST(Pipeline, SendsTheSameBytesOverPortsThatTakeNothingNowAndThen) {
  for (const StageLayout& layout : all_layouts()) expect_as_fused({layout, 0, true});
  for (std::size_t loops = 1; loops <= kStages; ++loops) expect_as_fused({StageLayout::over(loops), 16, true});
}

TEST(Pipeline, SendsTheSameBytesWhenOneThreadPollsTheLoopsOfMany) {
  for (const StageLayout& layout : all_layouts()) {
    Pipeline pipeline({layout, 64});
    while (!pipeline.partition().finished()) pipeline.partition().round();
    pipeline.join();
    EXPECT_TRUE(pipeline.bytes() == fused().bytes) << describe({layout, 64});
  }
}

TEST(Pipeline, MeasuresEachStageAndTheWayThroughTheBoxOnAnyNumberOfThreads) {
  for (std::size_t loops = 1; loops <= kStages; ++loops) {
    Pipeline pipeline({StageLayout::over(loops)});
    pipeline.start();
    pipeline.join();
    const Chain& chain = pipeline.partition().chain();
    EXPECT_GT(chain.box().all_ns.count(), 0u) << loops;
    EXPECT_EQ(chain.box().match_ns.count(), loops == 1 ? 0 : chain.box().all_ns.count()) << loops;
    EXPECT_EQ(chain.box().transmit_ns.count(), chain.box().match_ns.count()) << loops;
    for (const Stage stage : kAllStages) {
      const StageTimes& times = chain.times(stage);
      std::uint64_t items = 0, working = 0;
      for (std::size_t n = 1; n <= BatchSizes::kMost; ++n) {
        items += n * times.batch.polls(n);
        working += times.batch.polls(n);
      }
      EXPECT_EQ(working, times.poll_ns.count());
      EXPECT_GE(times.items.get(), items);
      EXPECT_GE(times.polls.get(), working);
      EXPECT_GT(items, kMessages / 2) << kStageNames[index_of(stage)];
      EXPECT_EQ(chain.waiting(stage), 0u);
      EXPECT_EQ(chain.most_waiting(stage) > 0, stage != Stage::receive);
      EXPECT_TRUE(chain.done(stage));
    }
  }
}

TEST(Pipeline, ShowsItsFiguresWhileItWorksAndSendsTheSameBytes) {
  for (const std::size_t loops : {std::size_t{1}, kStages}) {
    const Options options{StageLayout::over(loops), 64, true};
    Pipeline pipeline(options);
    LiveFigures figures;
    figures.add({"day", pipeline.partition(), {}, nullptr});
    pipeline.start();
    std::uint64_t orders = 0, busy_ns = 0;
    do {
      const PartitionFigures now = figures.partition(0);
      EXPECT_GE(now.counter("match", "orders"), orders);
      EXPECT_GE(now.stages.front().figure.busy_ns, busy_ns);
      orders = now.counter("match", "orders");
      busy_ns = now.stages.front().figure.busy_ns;
      const std::vector<BookFigure> books = figures.books(0, 0);
      EXPECT_TRUE(books.empty() || books.size() == day().config().engine.symbols.size());
      const std::vector<SessionFigure> sessions = figures.sessions(0, 0);
      EXPECT_TRUE(sessions.empty() || sessions.size() == day().config().net.accounts.size());
    } while (!pipeline.partition().finished());
    pipeline.join();
    EXPECT_TRUE(pipeline.bytes() == fused().bytes) << describe(options);
  }
}

TEST(Stages, AreVisitedInTheOrderOfTheTable) {
  Pipeline pipeline({});
  std::vector<Stage> visited;
  pipeline.partition().stages().each([&](auto stage, auto&) { visited.push_back(stage); });
  EXPECT_EQ(visited, std::vector<Stage>(kAllStages.begin(), kAllStages.end()));
}

}  // namespace
}  // namespace crosswire
