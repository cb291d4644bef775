// A numbered stream as a latency meter sees it: unlike client::StreamFollower it takes messages behind a gap at once,
// since their time of arrival is what counts, and keeps account of what is missing, late, out of order and repeated.
// One thread; it allocates only at a gap.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

#include "netstack/wire/mold.hpp"

namespace crosswire {

class LoadStream {
 public:
  /// Of MoldUDP64 messages.
  struct Counts {
    std::uint64_t lost = 0;          // found missing when a later one came
    std::uint64_t recovered = 0;     // of these, came when asked for again
    std::uint64_t out_of_order = 0;  // of these, came by themselves, late
    std::uint64_t repeated = 0;      // had come before
    std::uint64_t still_missing() const { return lost - recovered - out_of_order; }
  };

  /// The number of the next message to come is `next`; what is before it is not looked at.
  void begin(const wire::alpha<10>& session, std::uint64_t next) {
    session_ = session;
    next_ = next;
    missing_.clear();
    begun_ = true;
  }
  bool begun() const { return begun_; }
  const wire::alpha<10>& session() const { return session_; }
  /// Whether it is the stream of this session. Two words: a comparison of ten bytes would be a call.
  bool is(const wire::alpha<10>& session) const {
    const auto differ = [this, &session]<class Word>(Word, std::size_t at) {
      Word ours, theirs;
      std::memcpy(&ours, session_.chars.data() + at, sizeof ours);
      std::memcpy(&theirs, session.chars.data() + at, sizeof theirs);
      return static_cast<std::uint64_t>(ours ^ theirs);
    };
    return (differ(std::uint64_t{}, 0) | differ(std::uint16_t{}, 8)) == 0;
  }

  /// Message `number` has come. True: for the first time.
  bool take(std::uint64_t number) {
    if (number == next_) [[likely]] {
      ++next_;
      return true;
    }
    if (number > next_) {
      heard_of(number);
      ++next_;
      return true;
    }
    return take_old(number);
  }

  /// All messages below `next` exist (a heartbeat says so).
  void heard_of(std::uint64_t next) {
    if (next <= next_) return;
    counts_.lost += next - next_;
    missing_.push_back({next_, next, false});
    next_ = next;
  }

  /// Asks for the first messages that are missing; nothing if none are.
  std::optional<wire::mold::Header> request() {
    if (missing_.empty()) return std::nullopt;
    Gap& gap = missing_.front();
    gap.asked = true;
    const auto count =
        static_cast<std::uint16_t>(std::min<std::uint64_t>(gap.end - gap.begin, wire::mold::kEndOfSession - 1));
    return wire::mold::Header{.session = session_, .sequence = gap.begin, .count = count};
  }

  bool complete() const { return missing_.empty(); }
  const Counts& counts() const { return counts_; }

 private:
  struct Gap {
    std::uint64_t begin, end;  // [begin, end) are missing
    bool asked;
  };

  bool take_old(std::uint64_t number) {
    const auto behind = std::upper_bound(missing_.begin(), missing_.end(), number,
                                         [](std::uint64_t n, const Gap& gap) { return n < gap.begin; });
    if (behind == missing_.begin() || number >= std::prev(behind)->end) {
      ++counts_.repeated;
      return false;
    }
    const auto gap = std::prev(behind);
    ++(gap->asked ? counts_.recovered : counts_.out_of_order);
    const Gap after{number + 1, gap->end, gap->asked};
    gap->end = number;
    if (after.begin == after.end && gap->begin == gap->end) {
      missing_.erase(gap);
    } else if (gap->begin == gap->end) {
      *gap = after;
    } else if (after.begin != after.end) {
      missing_.insert(std::next(gap), after);
    }
    return true;
  }

  wire::alpha<10> session_{};
  std::uint64_t next_ = 1;
  std::vector<Gap> missing_;  // rising, apart from each other
  Counts counts_;
  bool begun_ = false;
};

}  // namespace crosswire
