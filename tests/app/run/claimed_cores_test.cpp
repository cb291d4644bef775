// Whose the cores of `run` are: what is refused, what is a warning.
#include "app/run/claimed_cores.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <stdexcept>

#include "tests/folder.hpp"

namespace crosswire {
namespace {

class ClaimedCores : public ::testing::Test {
 protected:
  ClaimedCores() : others_(files_.path()) {
    config_.path = "c.toml";
    plan_.partitions = {{{3, 4, 4, 4}, -1}};
  }
  /// What the log says, or the refusal.
  std::string claim(bool share = false) {
    testing::internal::CaptureStderr();
    std::string refusal;
    try {
      const CoreClaims claims = claim_cores({config_}, plan_, share, files_.path());
    } catch (const std::runtime_error& error) {
      refusal = error.what();
    }
    return refusal + testing::internal::GetCapturedStderr();
  }

  test::Folder files_;
  CoreClaims others_;  // a lock is its open file's: this stands for another process
  Config config_;
  CorePlan plan_;
};

TEST_F(ClaimedCores, AreFreeForTheFirstAndAgainWhenItHasEnded) {
  EXPECT_EQ(claim(), "");
  EXPECT_EQ(claim(), "");
}

TEST_F(ClaimedCores, ThatTheConfigurationNamesAreRefusedWhereAnotherPollsThem) {
  ASSERT_FALSE(others_.claim(4, CoreUse::alone).holder);
  config_.placement.stages[1] = 4;
  config_.lines["placement.match"] = 7;
  EXPECT_EQ(claim(), fmt::format("c.toml:7: placement.match: core 4 is polled by another crosswire (pid {}); place the "
                                 "stage on another core, end that process, or give run --share-cores",
                                 getpid()));
  config_.lines["placement.core"] = 9;
  EXPECT_EQ(claim().substr(0, 24), "c.toml:9: placement.core");
  EXPECT_NE(claim(true).find("warning another crosswire polls a core of this one"), std::string::npos);
  config_.placement.idle = Idle::yield;
  EXPECT_NE(claim().find("warning another crosswire polls a core of this one"), std::string::npos);
}

TEST_F(ClaimedCores, ThatAreIsolatedAreRefusedAndThoseForEverybodyAreAWarning) {
  ASSERT_FALSE(others_.claim(4, CoreUse::alone).holder);
  EXPECT_NE(claim().find(fmt::format("config=c.toml core=4 pid={}", getpid())), std::string::npos) << claim();
  plan_.isolated = {4};
  EXPECT_NE(claim().find("core 4 is polled by another crosswire"), std::string::npos);
}

TEST_F(ClaimedCores, AreSharedWithAWarningByPartitionsThatYield) {
  ASSERT_FALSE(others_.claim(4, CoreUse::shared).holder);
  config_.placement.stages[1] = 4;
  config_.placement.idle = Idle::yield;
  EXPECT_NE(claim().find("warning another crosswire polls a core of this one"), std::string::npos);
}

TEST_F(ClaimedCores, ThatCannotBeClaimedArePolledWithOneWarning) {
  testing::internal::CaptureStderr();
  const CoreClaims claims = claim_cores({config_}, plan_, false, files_.file("nowhere"));
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_EQ(said.find("cores cannot be claimed"), said.rfind("cores cannot be claimed")) << said;
  EXPECT_NE(said.find("crosswire-core-3: No such file"), std::string::npos) << said;
}

}  // namespace
}  // namespace crosswire
