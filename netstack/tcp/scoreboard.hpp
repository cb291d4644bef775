// Scoreboard: what a peer says it has beyond a hole, and what follows of it for what is lost (RFC 2018, RFC 6675).
// transmit core; bounded memory, plain arithmetic.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "netstack/tcp/sequence.hpp"

namespace crosswire::tcp {

class Scoreboard {
 public:
  /// Ranges remembered, in order. With more holes than that the lowest are forgotten, which RFC 2018 allows: a peer's
  /// words bind nobody.
  static constexpr std::size_t kMost = 16;

  void clear() { count_ = 0; }
  bool empty() const { return count_ == 0; }
  std::size_t count() const { return count_; }
  const Range& range(std::size_t i) const { return ranges_[i]; }
  std::uint32_t highest() const { return ranges_[count_ - 1].end; }

  /// The peer says it has `range`, of what is under way between `una` and `sent`. Anything else says nothing. True if
  /// some of it is new.
  bool add(Range range, std::uint32_t una, std::uint32_t sent) {
    const bool sane = before(range.begin, range.end) && before(una, range.begin) && at_or_before(range.end, sent);
    if (!sane) return false;
    std::size_t at = 0;
    while (at < count_ && before(ranges_[at].end, range.begin)) ++at;
    if (at < count_ && at_or_before(ranges_[at].begin, range.begin) && at_or_before(range.end, ranges_[at].end)) {
      return false;
    }
    std::size_t last = at;  // those from `at` up to here touch it
    for (; last < count_ && at_or_before(ranges_[last].begin, range.end); ++last) {
      range = {earlier_of(range.begin, ranges_[last].begin), later_of(range.end, ranges_[last].end)};
    }
    if (last == at) {
      if (count_ == kMost) {
        if (at == 0) return false;
        for (std::size_t i = 1; i < at; ++i) ranges_[i - 1] = ranges_[i];
        ranges_[at - 1] = range;
        return true;
      }
      for (std::size_t i = count_; i > at; --i) ranges_[i] = ranges_[i - 1];
      ++count_;
    } else {
      const std::size_t fewer = last - at - 1;
      for (std::size_t i = last; i < count_; ++i) ranges_[i - fewer] = ranges_[i];
      count_ -= fewer;
    }
    ranges_[at] = range;
    return true;
  }

  /// Everything before `una` is acknowledged.
  void forget_before(std::uint32_t una) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      if (at_or_before(ranges_[i].end, una)) continue;
      ranges_[kept] = ranges_[i];
      if (before(ranges_[kept].begin, una)) ranges_[kept].begin = una;
      ++kept;
    }
    count_ = kept;
  }

  /// The range that holds `number`.
  std::optional<Range> holding(std::uint32_t number) const {
    for (std::size_t i = 0; i < count_; ++i) {
      if (ranges_[i].holds(number)) return ranges_[i];
    }
    return std::nullopt;
  }
  /// Where the next range behind `number` begins; `end` if there is none.
  std::uint32_t next_begin(std::uint32_t number, std::uint32_t end) const {
    for (std::size_t i = 0; i < count_; ++i) {
      if (before(number, ranges_[i].begin)) return earlier_of(ranges_[i].begin, end);
    }
    return end;
  }

  /// RFC 6675's IsLost, of a number that is in no range: three ranges above it, or more than two segments' bytes.
  bool is_lost(std::uint32_t number, std::uint32_t mss) const {
    std::size_t ranges = 0;
    std::uint32_t bytes = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      if (!before(number, ranges_[i].begin)) continue;
      ++ranges;
      bytes += ranges_[i].size();
    }
    return ranges >= kDuplicates || bytes > (kDuplicates - 1) * mss;
  }

  /// RFC 6675's pipe: what is thought to be on its way of una .. sent, of which all before `again` has been sent twice.
  std::uint32_t pipe(std::uint32_t una, std::uint32_t sent, std::uint32_t again, std::uint32_t mss) const {
    std::uint32_t sum = 0;
    std::uint32_t begin = una;
    for (std::size_t i = 0; i <= count_; ++i) {
      const std::uint32_t end = i < count_ ? ranges_[i].begin : sent;
      if (before(begin, end)) {
        if (!is_lost(begin, mss)) sum += end - begin;
        if (before(begin, again)) sum += earlier_of(end, again) - begin;
      }
      if (i < count_) begin = ranges_[i].end;
    }
    return sum;
  }

  /// RFC 6675's NextSeg (1), or with `any` (3): the first hole at or behind `from` with a range above it, that is lost.
  std::optional<Range> next_hole(std::uint32_t from, std::uint32_t una, std::uint32_t mss, bool any) const {
    std::uint32_t begin = later_of(from, una);
    for (std::size_t i = 0; i < count_; ++i) {
      const Range& range = ranges_[i];
      if (before(begin, range.begin)) {
        if (any || is_lost(begin, mss)) return Range{begin, range.begin};
        return std::nullopt;  // what lies higher has less above it
      }
      begin = later_of(begin, range.end);
    }
    return std::nullopt;
  }

  static constexpr std::uint32_t kDuplicates = 3;  // DupThresh

 private:
  std::array<Range, kMost> ranges_{};
  std::size_t count_ = 0;
};

}  // namespace crosswire::tcp
