// The table of the stages: what is asserted of it where it is written is not repeated here.
#include "hugepages/base/stage.hpp"

#include <gtest/gtest.h>

#include <set>

namespace crosswire::stage_test {
namespace {

TEST(StageTable, NamesEachStageOnce) {
  EXPECT_EQ(std::set(kStageNames.begin(), kStageNames.end()).size(), kStages);
  for (const Stage stage : kAllStages) {
    EXPECT_EQ(row_of(stage).stage, stage);
    EXPECT_EQ(row_of(stage).name, kStageNames[index_of(stage)]);
    EXPECT_EQ(row_of(stage).name.data()[row_of(stage).name.size()], '\0') << "readers of rings are named by it";
  }
}

TEST(StageTable, SaysWhoseOutputAStageReads) {
  for (const StageRow& row : kStageTable) {
    if (row.reads == StageInput::device) continue;
    EXPECT_EQ(row.behind, row.reads == StageInput::commands ? Stage::receive : Stage::match) << row.name;
  }
}

}  // namespace
}  // namespace crosswire::stage_test
