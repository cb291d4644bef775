// The watch over the polling cores: see the header.
#include "app/run/stall_monitor.hpp"

#include <algorithm>
#include <utility>

namespace crosswire {
namespace {

struct Seen {
  std::uint64_t polls = 0;
  Stage last{};  // begun last: each stage counts a poll when it begins, so those before it are not behind it
};

Seen see(const Chain& chain, const CoreLoop& loop) {
  Seen seen;
  std::uint64_t most = 0;
  for (const Stage stage : kAllStages) {
    if (!loop.polls(stage)) continue;
    const std::uint64_t polls = chain.times(stage).polls.get();
    seen.polls += polls;
    if (polls >= most) seen.last = stage;
    most = std::max(most, polls);
  }
  return seen;
}

}  // namespace

void StallMonitor::watch(std::string partition, const Chain& chain, const CoreLoop& loop,
                         std::optional<unsigned> core) {
  watched_.push_back({std::move(partition), &chain, &loop, core});
}

std::vector<StallMonitor::News> StallMonitor::look(std::uint64_t now_ns) {
  const std::uint64_t step_ns = std::min(now_ns - last_look_ns_.value_or(now_ns), kLongestStepNs);
  last_look_ns_ = now_ns;
  std::vector<News> news;
  for (Watched& watched : watched_) {
    const Seen seen = see(*watched.chain, *watched.loop);
    const bool ended = watched.loop->ended();
    if (seen.polls == watched.polls && !ended) {
      watched.still_ns += step_ns;
      if (watched.told || watched.still_ns <= kLimitNs) continue;
      watched.told = true;
      watched.stage = seen.last;
      news.push_back(news_of(watched, true));
      continue;
    }
    if (watched.told) news.push_back(news_of(watched, false));
    watched.polls = seen.polls;
    watched.still_ns = 0;
    watched.told = false;
  }
  return news;
}

StallMonitor::News StallMonitor::news_of(const Watched& watched, bool stands_still) {
  return {watched.partition, watched.stage, watched.core, static_cast<double>(watched.still_ns) / 1e9, stands_still};
}

Standstill::Standstill(const Chain& chain, const std::deque<CoreLoop>& loops)
    : chain_(chain), loops_(loops), items_(items()), ended_(ended()), polls_(polls()) {}

std::vector<std::uint64_t> Standstill::polls() const {
  std::vector<std::uint64_t> polls;
  for (const CoreLoop& loop : loops_) {
    const auto first = std::find_if(kAllStages.begin(), kAllStages.end(), [&loop](Stage s) { return loop.polls(s); });
    polls.push_back(chain_.times(*first).polls.get());
  }
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
