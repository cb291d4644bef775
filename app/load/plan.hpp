// What a load generator knows of its messages: those to be sent, under way, or resting as orders. Plain data.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "app/load/mix.hpp"
#include "engine/types.hpp"

namespace crosswire {

/// What is known of one message, sixteen bytes. It has a number, its place among all that are known.
struct LoadMessage {
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

  TimeNs due_ns = 0;           // from the start; in a window when it was sent
  std::uint32_t link = kNone;  // of an order and of a cancel: the next cancel of the same order that has no answer yet
  std::uint16_t session = 0;
  LoadKind kind = LoadKind::modify;
  bool aside : 1 = false;  // before or after the run: orders that rest from the start on, and what clears the books
  bool sent : 1 = false;
  bool answered : 1 = false;
  bool rejected : 1 = false;
  bool ended : 1 = false;     // of an order: nothing of it rests any more
  bool executed : 1 = false;  // of a crossing order: its first execution was seen
};
static_assert(sizeof(LoadMessage) == 16);

/// Frames or payloads one behind the other in one block of memory, to be read in their order.
class LoadFrames {
 public:
  /// `readable`: how much may be read from where the frame begins, though it be shorter.
  void add(std::span<const std::uint8_t> frame, std::size_t readable = 0) {
    const std::size_t begin = ends_.empty() ? 0 : ends_.back();
    bytes_.resize(begin + std::max(frame.size(), readable));
    std::copy(frame.begin(), frame.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(begin));
    ends_.push_back(begin + frame.size());
  }
  std::size_t size() const { return ends_.size(); }
  std::span<const std::uint8_t> operator[](std::size_t at) const {
    const std::size_t begin = at == 0 ? 0 : ends_[at - 1];
    return {bytes_.data() + begin, ends_[at] - begin};
  }

 private:
  std::vector<std::uint8_t> bytes_;
  std::vector<std::size_t> ends_;
};

/// Which message of a session a UserRefNum is. Numbers are dense, or nearly.
class UserRefIndex {
 public:
  /// The first number of all sets where the table begins; what is before it, or kMostApart beyond, has no place.
  void add(std::uint32_t user_ref_num, std::uint32_t message) {
    if (messages_.empty()) first_ = user_ref_num;
    const std::uint32_t at = user_ref_num - first_;
    if (at >= messages_.size() + kMostApart) return;
    if (at >= messages_.size()) messages_.resize(at + 1, LoadMessage::kNone);
    messages_[at] = message;
  }
  std::uint32_t find(std::uint32_t user_ref_num) const {
    const std::uint32_t at = user_ref_num - first_;
    return at < messages_.size() ? messages_[at] : LoadMessage::kNone;
  }

 private:
  static constexpr std::uint32_t kMostApart = 1u << 16;

  std::uint32_t first_ = 0;
  std::vector<std::uint32_t> messages_;
};

}  // namespace crosswire
