// Frames of the link's own (announcements of our address), left by the control thread with a transmit port, whose own
// thread sends them. They are no part of the day: no stage knows of them, and a replay has none.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace crosswire {

/// A frame of the smallest size, tag included.
using LinkFrame = std::array<std::uint8_t, 60>;

/// A few frames in the hands of one thread or the other.
class LinkFrames {
 public:
  static constexpr std::size_t kMost = 8;

  /// The control thread. Takes as many as there is room for; none while those of before have not been taken out.
  std::size_t leave(std::span<const LinkFrame> frames) {
    if (waiting_.load(std::memory_order_acquire) != 0) return 0;
    const std::size_t count = std::min(frames.size(), kMost);
    std::copy_n(frames.begin(), count, frames_.begin());
    waiting_.store(count, std::memory_order_release);
    return count;
  }

  /// The port's thread: `send` gets each frame that waits.
  template <class Send>
  void take(Send send) {
    const std::size_t count = waiting_.load(std::memory_order_acquire);
    for (std::size_t i = 0; i < count; ++i) send(frames_[i]);
    waiting_.store(0, std::memory_order_release);
  }

 private:
  std::array<LinkFrame, kMost> frames_{};
  std::atomic<std::size_t> waiting_{0};
};

}  // namespace crosswire
