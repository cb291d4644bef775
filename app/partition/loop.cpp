// The loops over the stages: see the header. On the polling cores.
#include "app/partition/loop.hpp"

#include <algorithm>
#include <cmath>

namespace crosswire {

std::size_t BatchSizes::percentile(double p) const {
  std::uint64_t total = 0;
  for (const CountWord& polls : polls_) total += polls.get();
  const auto wanted =
      static_cast<std::uint64_t>(std::ceil(std::clamp(p, 0.0, 100.0) / 100.0 * static_cast<double>(total)));
  std::uint64_t seen = 0;
  for (std::size_t items = 0; items < polls_.size(); ++items) {
    seen += polls_[items].get();
    if (seen > 0 && seen >= wanted) return items;
  }
  return 0;
}

std::size_t StageLayout::loops() const { return *std::max_element(loop_of.begin(), loop_of.end()) + 1; }

StageLayout StageLayout::over(std::size_t loops) {
  CHECK(loops >= 1 && loops <= kStages, "%zu loops", loops);
  StageLayout layout;
  for (std::size_t i = 0; i < kStages; ++i) layout.loop_of[i] = std::min(i, loops - 1);
  return layout;
}

// --- chain ---

Chain::Chain(const Stages& stages, const Rings& rings, Arena& arena)
    : stages_(stages),
      rings_(rings),
      times_(arena.array<StageTimes>(kStages)),
      box_(arena.array<BoxTimes>(1)[0]),
      to_match_(arena, kPassages),
      to_transmit_(arena, kPassages) {}

std::size_t Chain::bytes_for() {
  return Arena::bytes_for<StageTimes>(kStages) + Arena::bytes_for<BoxTimes>(1) +
         2 * SpscRing<Passage>::bytes_for(kPassages);
}

bool Chain::done(Stage stage) const {
  // Each load makes what was published before it final: a stage publishes what comes of an item before it releases it.
  if (!all_received_.load(std::memory_order_acquire)) return false;
  if (stage == Stage::receive) return true;
  if (rings_.match.position() != rings_.commands.published()) return false;
  if (stage == Stage::match) return true;
  return waiting(stage) == 0;
}

std::uint64_t Chain::waiting(Stage stage) const {
  if (stage == Stage::receive) return 0;
  // The position first: it is then never ahead of what was published.
  const std::uint64_t position = stage == Stage::match      ? rings_.match.position()
                                 : stage == Stage::transmit ? rings_.transmit.position()
                                                            : rings_.publish.position();
  return (stage == Stage::match ? rings_.commands.published() : rings_.events.published()) - position;
}

std::uint64_t Chain::most_waiting(Stage stage) const {
  switch (stage) {
    case Stage::receive:
      return 0;
    case Stage::match:
      return rings_.match.high_water();
    case Stage::transmit:
      return rings_.transmit.high_water();
    case Stage::publish:
      return rings_.publish.high_water();
  }
  return 0;
}

bool Chain::idle() const {
  return rings_.commands.producer().unpublished() == 0 && waiting(Stage::match) == 0 && waiting(Stage::transmit) == 0 &&
         waiting(Stage::publish) == 0;
}

// --- loop ---

CoreLoop::CoreLoop(Chain& chain, const StageLayout& layout, std::size_t number, const TscClock& clock)
    : chain_(chain),
      stages_(chain.stages_),
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
  if (polls(Stage::receive)) {
    if (const std::size_t items = poll(Stage::receive, stages_.receive); items > 0) {
      now = note(Stage::receive, items, now);
      begin_passage(begun, now);
      if (stages_.receive.ended()) chain_.all_received_.store(true, std::memory_order_release);
    }
  }
  // A passage may come to another core's loop behind the burst that it tells of; within one loop it comes before it.
  if (polls(Stage::match)) {
    const std::size_t items = poll(Stage::match, stages_.match);
    if (items > 0) now = note(Stage::match, items, now);
    if (items > 0 || !alone_) match_passages(now);
  }
  if (polls(Stage::transmit)) {
    const std::size_t items = poll(Stage::transmit, stages_.transmit);
    if (items > 0) now = note(Stage::transmit, items, now);
    if (items > 0 || !alone_) end_passages(now);
  }
  if (polls(Stage::publish)) {
    if (const std::size_t items = poll(Stage::publish, stages_.publish); items > 0) {
      now = note(Stage::publish, items, now);
    }
  }
  if (noted_ == 0) return false;
  book();
  return true;
}

bool CoreLoop::ended() const {
  if (!chain_.done(Stage::receive)) return false;
  for (std::size_t i = 0; i < kStages; ++i) {
    if (polls_[i] && !chain_.done(static_cast<Stage>(i))) return false;
  }
  return true;
}

template <class Polled>
std::size_t CoreLoop::poll(Stage stage, Polled& polled) {
  times_[index_of(stage)].polls.add();
  return polled.poll();
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
    if (rings_.match.position() < matching_.last) return;
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
    if (rings_.transmit.position() < sending_.last) return;
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
