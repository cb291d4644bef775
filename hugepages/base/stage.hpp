// The stages of a partition: one table of what all that name them, place them, poll them and show them have in common.
// A further stage is a row here, its own sources, and its construction in app/partition/partition. Constants only.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <type_traits>

namespace crosswire {

/// In chain order: stages that share a loop are polled in it.
enum class Stage : std::size_t { receive, match, transmit, publish };

constexpr std::size_t index_of(Stage stage) { return static_cast<std::size_t>(stage); }

/// Where a stage takes its work from: the device, or one of the two rings, whose gating reader it then is.
enum class StageInput { device, commands, events };

struct StageRow {
  Stage stage;
  /// Of a literal, so that a zero byte follows. Its key of [placement], and its name in figures, metrics and the log.
  std::string_view name;
  StageInput reads;
  /// Whose output that is: nothing more can come once that one is done. Receive is behind itself.
  Stage behind;
  /// On whose core it is polled unless it is pinned elsewhere. None: it takes a core of its own where there are enough.
  std::optional<Stage> shares;
};

/// By Stage.
inline constexpr auto kStageTable = std::to_array<StageRow>({
    {Stage::receive, "receive", StageInput::device, Stage::receive, std::nullopt},
    {Stage::match, "match", StageInput::commands, Stage::receive, std::nullopt},
    {Stage::transmit, "transmit", StageInput::events, Stage::match, std::nullopt},
    {Stage::publish, "publish", StageInput::events, Stage::match, Stage::transmit},
});

inline constexpr std::size_t kStages = kStageTable.size();

constexpr const StageRow& row_of(Stage stage) { return kStageTable[index_of(stage)]; }
constexpr std::string_view name_of(StageInput input) {
  return input == StageInput::device ? "device" : input == StageInput::commands ? "commands" : "events";
}

// Columns of the table, by Stage.
inline constexpr auto kAllStages = [] {
  std::array<Stage, kStages> stages{};
  std::transform(kStageTable.begin(), kStageTable.end(), stages.begin(), [](const StageRow& row) { return row.stage; });
  return stages;
}();
inline constexpr auto kStageNames = [] {
  std::array<std::string_view, kStages> names{};
  std::transform(kStageTable.begin(), kStageTable.end(), names.begin(), [](const StageRow& row) { return row.name; });
  return names;
}();

/// A stage as a constant of the compiler: what polls the stages knows each by its type.
template <Stage stage>
using StageConstant = std::integral_constant<Stage, stage>;

namespace stage_table {

constexpr bool is_in_the_order_of_the_enum() {
  for (std::size_t i = 0; i < kStages; ++i) {
    if (index_of(kStageTable[i].stage) != i || kStageTable[i].name.empty()) return false;
  }
  return true;
}

/// What reads the device begins the chain; all else is behind, or on the core of, a stage that comes before it.
constexpr bool names_only_earlier_stages() {
  return std::all_of(kStageTable.begin(), kStageTable.end(), [](const StageRow& row) {
    const bool first = row.stage == kStageTable.front().stage;
    return (row.reads == StageInput::device) == first && (row.behind < row.stage || first) &&
           (!row.shares || *row.shares < row.stage);
  });
}

static_assert(is_in_the_order_of_the_enum(), "a row for each Stage, at its place");
static_assert(index_of(Stage::publish) + 1 == kStages, "a row for each Stage, to the last");
static_assert(names_only_earlier_stages());

}  // namespace stage_table

}  // namespace crosswire
