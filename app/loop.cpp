// The fused loop: see the header. On the polling core.
#include "app/loop.hpp"

namespace crosswire {

FusedLoop::FusedLoop(const Stages& stages, const Rings& rings, const TscClock& clock, Arena& arena)
    : stages_(stages),
      rings_(rings),
      clock_(clock),
      times_(arena.array<LoopTimes>(1)[0]),
      passages_(arena.array<Passage>(kPassages)) {}

std::size_t FusedLoop::bytes_for() { return Arena::bytes_for<LoopTimes>(1) + Arena::bytes_for<Passage>(kPassages); }

bool FusedLoop::round() {
  const std::uint64_t begun = TscClock::read();
  std::uint64_t now = begun;
  if (const std::size_t items = stages_.receive.poll(); items > 0) {
    now = note(kReceive, items, now);
    begin_passage(begun);
  }
  if (const std::size_t items = stages_.match.poll(); items > 0) now = note(kMatch, items, now);
  match_passages();
  if (const std::size_t items = stages_.transmit.poll(); items > 0) {
    now = note(kTransmit, items, now);
    end_passages(now);
  }
  if (const std::size_t items = stages_.publish.poll(); items > 0) now = note(kPublish, items, now);
  ++times_.rounds;
  if (now == begun) return false;
  ++times_.busy_rounds;
  times_.busy_ns += clock_.span_ns(now - begun);
  return true;
}

bool FusedLoop::idle() const {
  const std::uint64_t events = rings_.events.published();
  return rings_.commands.producer().unpublished() == 0 && rings_.match.position() == rings_.commands.published() &&
         rings_.transmit.position() == events && rings_.publish.position() == events;
}

/// Books a poll that did `items` of work since `begun_tsc`; returns the time now.
std::uint64_t FusedLoop::note(Stage stage, std::size_t items, std::uint64_t begun_tsc) {
  const std::uint64_t now = TscClock::read();
  const std::uint64_t took_ns = clock_.span_ns(now - begun_tsc);
  StageTimes& times = times_.stages[stage];
  times.poll_ns.record(took_ns);
  times.item_ns.record(took_ns / items);
  times.items += items;
  return now;
}

std::uint64_t FusedLoop::orders_taken() const {
  using enum ReceiveCounter;
  const ReceiveCounters& counters = stages_.receive.counters();
  return counters.get(enters) + counters.get(replaces) + counters.get(cancels) + counters.get(modifies) +
         counters.get(account_queries);
}

void FusedLoop::begin_passage(std::uint64_t begun_tsc) {
  const std::uint64_t orders = orders_taken();
  const bool full = passages_begun_ - passages_ended_ == kPassages;
  if (orders != orders_ && !full) {
    // The newest may still be held back by receive; it is counted: the burst has passed when it has.
    const CommandRing::Producer& producer = rings_.commands.producer();
    passages_[passages_begun_++ % kPassages] = {begun_tsc, producer.published() + producer.unpublished(), 0};
  }
  orders_ = orders;
}

void FusedLoop::match_passages() {
  for (; passages_matched_ != passages_begun_; ++passages_matched_) {
    Passage& passage = passages_[passages_matched_ % kPassages];
    if (rings_.match.position() < passage.last_command) return;
    passage.last_event = rings_.events.published();
  }
}

void FusedLoop::end_passages(std::uint64_t now_tsc) {
  for (; passages_ended_ != passages_matched_; ++passages_ended_) {
    const Passage& passage = passages_[passages_ended_ % kPassages];
    if (rings_.transmit.position() < passage.last_event) return;
    times_.in_the_box_ns.record(clock_.span_ns(now_tsc - passage.begun_tsc));
  }
}

}  // namespace crosswire
