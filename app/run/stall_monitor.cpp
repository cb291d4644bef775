// The watch over the polling cores: see the header.
#include "app/run/stall_monitor.hpp"

#include <algorithm>

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

void StallMonitor::watch(const Chain& chain, const CoreLoop& loop, std::optional<unsigned> core) {
  watched_.push_back({&chain, &loop, core});
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
      if (!watched.counted && watched.still_ns >= kCountedNs) {
        watched.counted = true;
        counters_.add(static_cast<StallCounter>(index_of(seen.last)));
      }
      if (watched.reported || watched.still_ns <= kLimitNs) continue;
      watched.reported = true;
      watched.stage = seen.last;
      news.push_back(news_of(watched, true));
      continue;
    }
    if (watched.reported) news.push_back(news_of(watched, false));
    watched.polls = seen.polls;
    watched.still_ns = 0;
    watched.counted = watched.reported = false;
  }
  return news;
}

StallMonitor::News StallMonitor::news_of(const Watched& watched, bool stands_still) {
  return {watched.stage, watched.core, static_cast<double>(watched.still_ns) / 1e9, stands_still};
}

}  // namespace crosswire
