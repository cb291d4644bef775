// Ports in memory, for tests and benchmarks: a script of bursts in, a list of frames out. No device, file or clock.
// They allocate as they go.
#pragma once

#include <algorithm>
#include <cstring>
#include <deque>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "netstack/port/port.hpp"

namespace crosswire {

using FrameBytes = std::vector<std::uint8_t>;

/// Plays what a test pushed, one burst a call; when the script is used up, empty bursts at the last time.
class MemoryRxPort final : public RxPort {
 public:
  /// Appends a burst of 0 .. kMaxBurst frames. Times as the test wishes: nothing is clamped here. `checked`: what a
  /// device says of each.
  void push_burst(TimeNs time_ns, std::vector<FrameBytes> frames, CheckedSums checked = {}) {
    CHECK(frames.size() <= kMaxBurst, "%zu frames in a burst", frames.size());
    script_.push_back({time_ns, std::move(frames), false, false, checked});
  }

  /// Appends the day's end; bursts may still follow.
  void end_day(TimeNs time_ns) { script_.push_back({time_ns, {}, false, true, {}}); }

  /// Appends a burst of its own, out of band, as the control thread's ring gives it.
  void push_operator(TimeNs time_ns, FrameBytes frame) {
    script_.push_back({time_ns, {std::move(frame)}, true, false, {}});
  }

  /// After the bursts pushed so far, the port has ended at `time_ns`.
  void end(TimeNs time_ns) {
    end_ns_ = time_ns;
    ends_ = true;
  }

  RxBurst receive() override {
    if (script_.empty()) {
      if (ends_) time_ns_ = end_ns_;
      return {{}, time_ns_, ends_};
    }
    current_ = std::move(script_.front());
    script_.pop_front();
    time_ns_ = current_.time_ns;
    for (std::size_t i = 0; i < current_.frames.size(); ++i) {
      views_[i] = {current_.frames[i].data(), static_cast<std::uint32_t>(current_.frames[i].size()), current_.checked};
    }
    return {{views_.data(), current_.frames.size()}, time_ns_, false, current_.out_of_band, current_.ends_day};
  }

 private:
  struct Burst {
    TimeNs time_ns;
    std::vector<FrameBytes> frames;
    bool out_of_band;
    bool ends_day;
    CheckedSums checked;
  };
  std::deque<Burst> script_;
  Burst current_{};
  std::array<RxFrame, kMaxBurst> views_{};
  TimeNs time_ns_ = 0;
  TimeNs end_ns_ = 0;
  bool ends_ = false;
};

/// Collects what is sent. With set_room() it behaves as a transmit ring that takes so many frames and then is full.
class MemoryTxPort final : public TxPort {
 public:
  struct Sent {
    FrameBytes bytes;
    FrameOrigin origin;
  };

  MemoryTxPort() : buffers_(std::make_unique<Buffer[]>(kMaxBurst)) {
    for (std::size_t i = 0; i < kMaxBurst; ++i) batch_[i].data = buffers_[i].data();
    ready_ = kMaxBurst;
  }

  std::size_t flush() override {
    const std::size_t sent = std::min(used_, room_);
    if (sent == 0) return 0;
    room_ -= room_ == kUnlimited ? 0 : sent;
    for (std::size_t i = 0; i < sent; ++i) {
      frames_.push_back({FrameBytes(batch_[i].data, batch_[i].data + batch_[i].length), batch_[i].origin});
    }
    // Rotated, not cleared: what is left stays first, and a reserved buffer stays the next one.
    std::rotate(batch_.begin(), batch_.begin() + static_cast<std::ptrdiff_t>(sent), batch_.end());
    used_ -= sent;
    ready_ = kMaxBurst;
    return sent;
  }

  /// From now on takes `frames` more frames, then none; a later call sets a new figure.
  void set_room(std::size_t frames) { room_ = frames; }
  /// No limit again (the state at start).
  void set_unlimited_room() { room_ = kUnlimited; }

  /// Everything sent and not yet taken, in the order of sending.
  [[nodiscard]] const std::vector<Sent>& frames() const { return frames_; }
  [[nodiscard]] std::vector<Sent> take_frames() { return std::exchange(frames_, {}); }

 private:
  static constexpr std::size_t kUnlimited = std::numeric_limits<std::size_t>::max();
  using Buffer = std::array<std::uint8_t, kMaxFrame>;

  bool refill() override {
    flush();
    return used_ < ready_;
  }

  std::unique_ptr<Buffer[]> buffers_;
  std::vector<Sent> frames_;
  std::size_t room_ = kUnlimited;
};

}  // namespace crosswire
