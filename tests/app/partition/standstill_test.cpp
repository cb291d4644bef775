// The watch over stages that wait for each other for ever. To be run under ThreadSanitizer, too, by hand:
// -Db_sanitize=thread.
#include "app/partition/standstill.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <thread>

#include "tests/app/partition/pipeline_rig.hpp"

namespace crosswire {
namespace {

TEST(Standstill, IsWhereAllLoopsPollAndNoneFindsWork) {
  for (const std::size_t loops : {1u, 2u, 3u, 4u}) {
    Pipeline pipeline({StageLayout::over(loops), 16});
    Standstill standstill(pipeline.partition().chain(), pipeline.partition().loops());
    EXPECT_FALSE(standstill.look()) << "nobody polls yet";
    pipeline.transmit().set_refuse(true);
    pipeline.start();
    while (!standstill.look()) std::this_thread::yield();
    pipeline.transmit().set_refuse(false);
    pipeline.join();
    EXPECT_FALSE(standstill.look()) << "all have ended";
  }
}

TEST(Standstill, TakesSoManyRoundsOfEachLoop) {
  Pipeline pipeline({StageLayout::over(3), 16});
  std::deque<CoreLoop>& loops = pipeline.partition().loops();
  const auto rounds = [&loops](std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
      for (CoreLoop& loop : loops) loop.round();
    }
  };
  Standstill standstill(pipeline.partition().chain(), loops);
  pipeline.transmit().set_refuse(true);
  rounds(10 * Standstill::kRounds);  // all that can be done is done
  EXPECT_FALSE(standstill.look()) << "something was done since the last look";
  rounds(Standstill::kRounds - 1);
  for (std::uint64_t i = 0; i < 10 * Standstill::kRounds; ++i) loops.front().round();
  EXPECT_FALSE(standstill.look());
  rounds(1);
  EXPECT_TRUE(standstill.look());
  pipeline.transmit().set_refuse(false);
  pipeline.start();
  pipeline.join();
}

TEST(Standstill, IsNotWherePortsOnlyHesitate) {
  for (const std::size_t loops : {2u, 4u}) {
    Pipeline pipeline({StageLayout::over(loops), 16, true});
    Standstill standstill(pipeline.partition().chain(), pipeline.partition().loops());
    pipeline.start();
    while (pipeline.running()) ASSERT_FALSE(standstill.look());
    pipeline.join();
  }
}

}  // namespace
}  // namespace crosswire
