// A stream out of segments: see the header. Tools only.
#include "app/flow/stream_assembler.hpp"

#include <algorithm>
#include <iterator>

#include "hugepages/base/check.hpp"
#include "netstack/tcp/sequence.hpp"

namespace crosswire {

/// May be before the first byte, and so negative.
std::int64_t StreamAssembler::offset_of(std::uint32_t sequence) const {
  return static_cast<std::int64_t>(next_) + tcp::distance(next_sequence_, sequence);
}

bool StreamAssembler::is_near(std::uint32_t sequence) const {
  const std::int32_t distance = tcp::distance(next_sequence_, sequence);
  return distance >= -kWindow && distance <= kWindow;
}

bool StreamAssembler::take(std::uint32_t sequence, wire::Bytes bytes, CapturedAt at, StreamSink& sink) {
  if (!is_near(sequence)) {
    ++figures_.outside;
    return false;
  }
  // A keep-alive asks with the byte before the next one, whose value means nothing.
  if (bytes.size() == 1 && sequence + 1 == next_sequence_ && held_.empty()) return true;
  std::int64_t offset = offset_of(sequence);
  const std::int64_t behind = static_cast<std::int64_t>(next_) - offset;
  bool segment = true;
  if (behind > 0) {
    const std::size_t old = std::min<std::size_t>(static_cast<std::size_t>(behind), bytes.size());
    const std::size_t before_first = offset < 0 ? std::min<std::size_t>(static_cast<std::size_t>(-offset), old) : 0;
    figures_.repeated += before_first;
    repeat(static_cast<std::uint64_t>(offset + static_cast<std::int64_t>(before_first)),
           bytes.subspan(before_first, old - before_first));
    bytes = bytes.subspan(old);
    offset += static_cast<std::int64_t>(old);
    segment = false;
  }
  // What comes behind the end does not belong to the stream.
  if (end_ && static_cast<std::uint64_t>(offset) + bytes.size() > *end_) {
    bytes = bytes.first(*end_ > static_cast<std::uint64_t>(offset) ? *end_ - static_cast<std::uint64_t>(offset) : 0);
  }
  if (bytes.empty()) return true;
  const auto from = static_cast<std::uint64_t>(offset);
  if (from == next_ && (held_.empty() || held_.begin()->first >= from + bytes.size())) {
    hand_on(bytes, segment, at, sink);
  } else {
    hold(from, bytes, at);
  }
  hand_on_held(sink);
  while (held_bytes_ > kMostHeld || held_.size() > kMostHeldSegments) give_up_hole(sink);
  return true;
}

void StreamAssembler::take_end(std::uint32_t sequence, CapturedAt at, StreamSink& sink) {
  const std::int64_t offset = offset_of(sequence);
  const bool believed = is_near(sequence) && offset >= static_cast<std::int64_t>(next_);
  // Not before what has come already: the first to come wins here, too.
  const bool cuts = !held_.empty() && static_cast<std::uint64_t>(offset) <
                                          std::prev(held_.end())->first + std::prev(held_.end())->second.bytes.size();
  if (end_ || !believed || cuts) return;
  end_ = static_cast<std::uint64_t>(offset);
  end_at_ = at;
  tell_end(sink);
}

void StreamAssembler::take_acknowledgement(std::uint32_t number) {
  if (!is_near(number)) return;
  const std::int64_t offset = std::max<std::int64_t>(offset_of(number), 0);
  acknowledged_ = std::max(acknowledged_.value_or(0), static_cast<std::uint64_t>(offset));
}

/// Bytes that were there already, `offset` in the stream.
void StreamAssembler::repeat(std::uint64_t offset, wire::Bytes bytes) {
  figures_.repeated += bytes.size();
  for (const Hole& hole : holes_) {
    const std::uint64_t begin = std::max(hole.offset, offset);
    const std::uint64_t end = std::min(hole.offset + hole.length, offset + bytes.size());
    if (begin >= end) continue;
    figures_.late += end - begin;
    figures_.repeated -= end - begin;
  }
  const std::uint64_t known_from = next_ - history_.size();
  if (offset < known_from) {
    const std::size_t unknown = std::min<std::size_t>(known_from - offset, bytes.size());
    bytes = bytes.subspan(unknown);
    offset += unknown;
  }
  if (!bytes.empty()) compare(bytes, history_.data() + (offset - known_from));
}

void StreamAssembler::compare(wire::Bytes now, const std::uint8_t* before) {
  for (std::size_t i = 0; i < now.size(); ++i) figures_.changed += now[i] != before[i] ? 1 : 0;
}

/// Keeps what of the bytes is not held yet.
void StreamAssembler::hold(std::uint64_t offset, wire::Bytes bytes, CapturedAt at) {
  bool segment = true;
  auto next = held_.upper_bound(offset);
  if (next != held_.begin() && std::prev(next)->first + std::prev(next)->second.bytes.size() > offset) --next;
  while (!bytes.empty()) {
    const std::uint64_t limit = next == held_.end() ? offset + bytes.size() : next->first;
    if (limit > offset) {  // free up to there
      const std::size_t size = std::min<std::size_t>(limit - offset, bytes.size());
      held_.emplace_hint(next, offset,
                         Piece{{bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)}, at, segment});
      held_bytes_ += size;
      offset += size;
      bytes = bytes.subspan(size);
    } else {  // taken
      const std::size_t into = offset - next->first;
      const std::size_t size = std::min(next->second.bytes.size() - into, bytes.size());
      compare(bytes.first(size), next->second.bytes.data() + into);
      figures_.repeated += size;
      offset += size;
      bytes = bytes.subspan(size);
      ++next;
    }
    segment = false;
  }
}

void StreamAssembler::hand_on_held(StreamSink& sink) {
  while (!held_.empty() && held_.begin()->first == next_) {
    const auto first = held_.extract(held_.begin());
    held_bytes_ -= first.mapped().bytes.size();
    hand_on(first.mapped().bytes, first.mapped().segment, first.mapped().at, sink);
  }
  tell_end(sink);
}

void StreamAssembler::hand_on(wire::Bytes bytes, bool segment, CapturedAt at, StreamSink& sink) {
  latest_ = std::max(latest_, at);
  next_ += bytes.size();
  next_sequence_ += static_cast<std::uint32_t>(bytes.size());
  figures_.bytes += bytes.size();
  const wire::Bytes last = bytes.last(std::min(bytes.size(), kHistory));
  history_.insert(history_.end(), last.begin(), last.end());
  // Cut now and then, not byte by byte.
  if (history_.size() > 2 * kHistory) history_.erase(history_.begin(), history_.end() - kHistory);
  sink.bytes(bytes, segment, latest_);
}

void StreamAssembler::pass_hole(std::uint64_t length, StreamSink& sink) {
  if (holes_.size() < kMostHoles) holes_.push_back({next_, length});
  figures_.missing += length;
  next_ += length;
  next_sequence_ += static_cast<std::uint32_t>(length);
  history_.clear();
  sink.gap(length);
}

void StreamAssembler::tell_end(StreamSink& sink) {
  if (!end_ || end_told_ || next_ < *end_) return;
  end_told_ = true;
  sink.end(std::max(latest_, end_at_));
}

std::optional<CapturedAt> StreamAssembler::waits_since() const {
  if (held_.empty()) return std::nullopt;
  return std::max(latest_, held_.begin()->second.at);
}

void StreamAssembler::give_up_hole(StreamSink& sink) {
  CHECK(!held_.empty(), "no bytes wait behind %lu", next_);
  pass_hole(held_.begin()->first - next_, sink);
  hand_on_held(sink);
}

void StreamAssembler::finish(StreamSink& sink) {
  while (!held_.empty()) give_up_hole(sink);
  // An acknowledged byte alone is a FIN that the capture has not: no packet is that short.
  const std::uint64_t acknowledged = acknowledged_.value_or(0) > next_ + 1 ? *acknowledged_ : next_;
  const std::uint64_t end = end_ ? *end_ : acknowledged;
  if (end > next_) pass_hole(end - next_, sink);
  tell_end(sink);
}

std::uint64_t StreamAssembler::acknowledged(const Hole& hole) const {
  const std::uint64_t up_to = acknowledged_.value_or(0);
  return up_to <= hole.offset ? 0 : std::min(up_to - hole.offset, hole.length);
}

}  // namespace crosswire
