// Reassembly: what of one stream waits in a receive half, in bounded memory: bytes in order that their reader has not
// taken yet, and bytes beyond a hole. receive core; the bytes are copied here, as a frame lives one poll.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "hugepages/base/check.hpp"
#include "netstack/tcp/segment.hpp"
#include "netstack/tcp/sequence.hpp"
#include "netstack/wire/bytes.hpp"

namespace crosswire::tcp {

/// Byte `n` of the sequence space lies at n mod size: so nothing is moved when a hole is filled.
class Reassembly {
 public:
  /// Ranges beyond holes that are remembered. What makes one more is not kept, and will be sent again.
  static constexpr std::size_t kMostRanges = 8;

  Reassembly() = default;
  /// `bytes`: a power of two, a connection's receive window at most. It outlives this.
  explicit Reassembly(std::span<std::uint8_t> bytes) : bytes_(bytes) {}

  void clear() { count_ = 0; }

  bool has_holes() const { return count_ > 0; }
  std::size_t ranges() const { return count_; }
  /// The one that grew last comes first (RFC 2018 section 4).
  const Range& range(std::size_t i) const { return ranges_[i]; }

  /// Is there a byte at or behind `number`?
  bool reaches_beyond(std::uint32_t number) const {
    for (std::size_t i = 0; i < count_; ++i) {
      if (before(number, ranges_[i].end)) return true;
    }
    return false;
  }

  /// Bytes at `sequence`, to be read later. Within the window (the caller's to see to).
  void store(std::uint32_t sequence, wire::Bytes bytes) {
    const std::size_t at = sequence & mask();
    const std::size_t first = std::min(bytes.size(), bytes_.size() - at);
    std::memcpy(bytes_.data() + at, bytes.data(), first);
    if (first < bytes.size()) std::memcpy(bytes_.data(), bytes.data() + first, bytes.size() - first);
  }

  /// Stored bytes from `sequence` on, at most `size` and as far as they lie in one piece.
  wire::Bytes read(std::uint32_t sequence, std::size_t size) const {
    const std::size_t at = sequence & mask();
    return {bytes_.data() + at, std::min(size, bytes_.size() - at)};
  }

  /// Stores what lies beyond a hole. False: that would be one range more than are remembered; nothing is kept.
  bool keep(std::uint32_t sequence, wire::Bytes bytes) {
    Range grown{sequence, sequence + static_cast<std::uint32_t>(bytes.size())};
    if (grown.size() == 0) return true;
    // All that touch become one.
    std::size_t kept = 0;
    Range joined = grown;
    for (std::size_t i = 0; i < count_; ++i) {
      if (touches(ranges_[i], joined)) joined = hull(ranges_[i], joined);
    }
    std::array<Range, kMostRanges + 1> left;
    for (std::size_t i = 0; i < count_; ++i) {
      if (!touches(ranges_[i], joined)) left[kept++] = ranges_[i];
    }
    if (kept + 1 > kMostRanges) return false;
    ranges_[0] = joined;
    std::copy_n(left.begin(), kept, ranges_.begin() + 1);
    count_ = kept + 1;
    store(sequence, bytes);
    return true;
  }

  /// The stream has come up to `next`. Returns the number behind what is now in order: `next` itself, or the end of the
  /// range that began at or before it.
  std::uint32_t close_hole(std::uint32_t next) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      const Range range = ranges_[i];
      if (before(next, range.begin)) {
        ranges_[kept++] = range;
      } else {
        next = later_of(next, range.end);
      }
    }
    const bool more = kept != count_ && kept > 0;
    count_ = kept;
    return more ? close_hole(next) : next;
  }

 private:
  static bool touches(const Range& a, const Range& b) {
    return at_or_before(a.begin, b.end) && at_or_before(b.begin, a.end);
  }
  static Range hull(const Range& a, const Range& b) { return {earlier_of(a.begin, b.begin), later_of(a.end, b.end)}; }

  std::size_t mask() const { return bytes_.size() - 1; }

  std::span<std::uint8_t> bytes_;
  std::array<Range, kMostRanges> ranges_{};
  std::size_t count_ = 0;
};

}  // namespace crosswire::tcp
