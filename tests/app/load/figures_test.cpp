// What a load generator says of a run whose orders came to nothing.
#include "app/load/figures.hpp"

#include <gtest/gtest.h>

namespace crosswire {
namespace {

TEST(LoadJudgement, ARunWhoseMessagesWereMostlyRejectedIsPartialAndSaysWhatToDo) {
  LoadFigures figures;
  figures.rejected = 501;
  figures.last_reject = 0x0007;
  figures.judge_losses(1'000, 0);
  EXPECT_NE(figures.partial.find("501 of 1000 messages (50 %) were rejected, the last with 0x0007"), std::string::npos)
      << figures.partial;
  EXPECT_NE(figures.partial.find("crosswire ctl resume --all"), std::string::npos);
}

TEST(LoadJudgement, HalfOfThemRejectedIsAResult) {
  LoadFigures figures;
  figures.rejected = 500;
  figures.judge_losses(1'000, 0);
  EXPECT_EQ(figures.partial, "");
}

}  // namespace
}  // namespace crosswire
