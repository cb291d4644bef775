// The chain: see the header.
#include "app/partition/chain.hpp"

#include <algorithm>

#include "hugepages/base/check.hpp"

namespace crosswire {

Chain::Chain(const Rings& rings, Arena& arena)
    : rings_(rings),
      times_(arena.array<StageTimes>(kStages)),
      box_(arena.array<BoxTimes>(1)[0]),
      to_match_(arena, kPassages),
      to_transmit_(arena, kPassages) {
  for (const StageRow& row : kStageTable) {
    CHECK(reader(row.stage).is_there() == (row.reads != StageInput::device), "the reader of %s", row.name.data());
  }
}

std::size_t Chain::bytes_for() {
  return Arena::bytes_for<StageTimes>(kStages) + Arena::bytes_for<BoxTimes>(1) +
         2 * SpscRing<Passage>::bytes_for(kPassages);
}

bool Chain::done(Stage stage) const {
  // Each load makes what was published before it final: a stage publishes what comes of an item before it releases it.
  if (!all_received_.load(std::memory_order_acquire)) return false;
  const StageRow& row = row_of(stage);
  if (row.reads == StageInput::device) return true;
  return done(row.behind) && waiting(stage) == 0;
}

bool Chain::finished() const {
  return std::all_of(kAllStages.begin(), kAllStages.end(), [this](Stage stage) { return done(stage); });
}

std::uint64_t Chain::waiting(Stage stage) const { return reader(stage).is_there() ? reader(stage).waiting() : 0; }

std::uint64_t Chain::most_waiting(Stage stage) const {
  return reader(stage).is_there() ? reader(stage).high_water() : 0;
}

std::uint64_t Chain::capacity(Stage stage) const { return reader(stage).is_there() ? reader(stage).capacity() : 0; }

bool Chain::idle() const {
  return rings_.commands.producer().unpublished() == 0 &&
         std::all_of(kAllStages.begin(), kAllStages.end(), [this](Stage stage) { return waiting(stage) == 0; });
}

}  // namespace crosswire
