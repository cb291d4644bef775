// Stages that wait for each other for ever: see the header.
#include "app/partition/standstill.hpp"

#include <utility>

namespace crosswire {

Standstill::Standstill(const Chain& chain, const std::deque<CoreLoop>& loops)
    : chain_(chain), loops_(loops), items_(items()), ended_(ended()), polls_(polls()) {}

std::vector<std::uint64_t> Standstill::polls() const {
  std::vector<std::uint64_t> polls;
  for (const CoreLoop& loop : loops_) polls.push_back(chain_.times(loop.first()).polls.get());
  return polls;
}

std::uint64_t Standstill::items() const {
  std::uint64_t items = 0;
  for (const Stage stage : kAllStages) items += chain_.times(stage).items.get();
  return items;
}

std::vector<bool> Standstill::ended() const {
  std::vector<bool> ended;
  for (const CoreLoop& loop : loops_) ended.push_back(loop.ended());
  return ended;
}

bool Standstill::look() {
  // The polls first: those seen have then ended without work, where the items have not risen. A loop that ends has done
  // its last work, which it may not have counted yet, and the others have waited for that until now.
  const std::vector<std::uint64_t> polls_now = polls();
  const std::uint64_t items_now = items();
  std::vector<bool> ended_now = ended();
  if (items_now != items_ || ended_now != ended_) {
    items_ = items_now;
    ended_ = std::move(ended_now);
    polls_ = polls();
    return false;
  }
  bool all_ended = true;
  for (std::size_t i = 0; i < loops_.size(); ++i) {
    if (ended_[i]) continue;
    all_ended = false;
    if (polls_now[i] - polls_[i] < kRounds) return false;
  }
  return !all_ended;
}

}  // namespace crosswire
