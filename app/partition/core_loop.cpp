// The loops over the stages: see the header. On the polling cores.
#include "app/partition/core_loop.hpp"

#include <algorithm>

#include "app/partition/partition.hpp"
#include "hugepages/base/check.hpp"

namespace crosswire {

CoreLoop::CoreLoop(Stages& stages, Chain& chain, const StageLayout& layout, std::size_t number, const TscClock& clock)
    : stages_(stages),
      chain_(chain),
      rings_(chain.rings_),
      times_(chain.times_.data()),
      clock_(clock),
      alone_(layout.loops() == 1) {
  for (std::size_t i = 0; i < kStages; ++i) polls_[i] = layout.loop_of[i] == number;
  CHECK(std::find(polls_.begin(), polls_.end(), true) != polls_.end(), "loop %zu has no stage", number);
}

bool CoreLoop::round() {
  const std::uint64_t begun = TscClock::read();
  std::uint64_t now = begun;
  const auto poll = [&](auto stage, auto& polled) {
    times_[index_of(stage)].polls.add();
    const std::size_t items = polled.poll();
    if (items > 0) now = note(stage, items, now);
    follow<stage()>(items, begun, now);
  };
  // A direct call for each stage: the compiler knows them all. A loop that has them all asks for none.
  if (alone_) {
    stages_.each(poll);
  } else {
    stages_.each([&](auto stage, auto& polled) {
      if (polls(stage)) poll(stage, polled);
    });
  }
  if (noted_ == 0) return false;
  book();
  return true;
}

Stage CoreLoop::first() const {
  return *std::find_if(kAllStages.begin(), kAllStages.end(), [this](Stage s) { return polls(s); });
}

bool CoreLoop::ended() const {
  if (!chain_.done(Stage::receive)) return false;
  return std::all_of(kAllStages.begin(), kAllStages.end(), [this](Stage s) { return !polls(s) || chain_.done(s); });
}

/// What is due behind a stage's poll of `items`, beyond taking its time: the way of a burst through the box is told on
/// from receive to match to transmit, and receive's end to all.
template <Stage stage>
void CoreLoop::follow(std::size_t items, std::uint64_t begun_tsc, std::uint64_t now_tsc) {
  if constexpr (stage == Stage::receive) {
    if (items == 0) return;
    begin_passage(begun_tsc, now_tsc);
    if (stages_.receive.ended()) chain_.all_received_.store(true, std::memory_order_release);
  }
  // A passage may come to another core's loop behind the burst that it tells of; within one loop it comes before it.
  if constexpr (stage == Stage::match) {
    if (items > 0 || !alone_) match_passages(now_tsc);
  }
  if constexpr (stage == Stage::transmit) {
    if (items > 0 || !alone_) end_passages(now_tsc);
  }
}

/// A poll that did `items` of work since `begun_tsc`; returns the time now.
std::uint64_t CoreLoop::note(Stage stage, std::size_t items, std::uint64_t begun_tsc) {
  const std::uint64_t now = TscClock::read();
  work_[noted_++] = {stage, items, now - begun_tsc};
  return now;
}

/// Behind the last stage: an answer does not wait for the book-keeping.
void CoreLoop::book() {
  for (std::size_t i = 0; i < noted_; ++i) {
    const Work& work = work_[i];
    const std::uint64_t took_ns = clock_.span_ns(work.ticks);
    StageTimes& times = times_[index_of(work.stage)];
    times.poll_ns.record(took_ns);
    times.item_ns.record(took_ns / work.items);
    times.batch.record(work.items);
    times.items.add(work.items);
  }
  noted_ = 0;
}

/// Between two cores' counters; the same moment may read a little earlier on the other.
std::uint64_t CoreLoop::span_ns(std::uint64_t from_tsc, std::uint64_t to_tsc) const {
  return to_tsc > from_tsc ? clock_.span_ns(to_tsc - from_tsc) : 0;
}

std::uint64_t CoreLoop::orders_taken() const {
  using enum ReceiveCounter;
  const ReceiveCounters& counters = stages_.receive.counters();
  return counters.get(enters) + counters.get(replaces) + counters.get(cancels) + counters.get(modifies) +
         counters.get(account_queries);
}

void CoreLoop::begin_passage(std::uint64_t begun_tsc, std::uint64_t now_tsc) {
  const std::uint64_t orders = orders_taken();
  if (orders != orders_) {
    // The newest may still be held back by receive; it is counted: the burst has passed when it has.
    const CommandRing::Producer& producer = rings_.commands.producer();
    const Passage passage{begun_tsc, now_tsc, 0, producer.published() + producer.unpublished()};
    // Within one loop past the ring, which match's part of the loop has then emptied.
    if (polls(Stage::match) && !has_matching_) {
      matching_ = passage;
      has_matching_ = true;
    } else {
      chain_.to_match_.push(passage);
    }
  }
  orders_ = orders;
}

void CoreLoop::match_passages(std::uint64_t now_tsc) {
  while (has_matching_ || (has_matching_ = chain_.to_match_.pop(matching_))) {
    if (rings_.readers[index_of(Stage::match)].position() < matching_.last) return;
    matching_.matched_tsc = now_tsc;
    matching_.last = rings_.events.published();
    has_matching_ = false;
    if (polls(Stage::transmit) && !has_sending_) {
      sending_ = matching_;
      has_sending_ = true;
    } else {
      chain_.to_transmit_.push(matching_);
    }
  }
}

void CoreLoop::end_passages(std::uint64_t now_tsc) {
  while (has_sending_ || (has_sending_ = chain_.to_transmit_.pop(sending_))) {
    if (rings_.readers[index_of(Stage::transmit)].position() < sending_.last) return;
    BoxTimes& box = chain_.box_;
    box.all_ns.record(span_ns(sending_.begun_tsc, now_tsc));
    if (!alone_) {
      box.match_ns.record(span_ns(sending_.received_tsc, sending_.matched_tsc));
      box.transmit_ns.record(span_ns(sending_.matched_tsc, now_tsc));
    }
    has_sending_ = false;
  }
}

}  // namespace crosswire
