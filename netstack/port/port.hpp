// What the stages know of a port: bursts of frames in, frames out. Behind it: a DPDK device, a capture file, memory.
// Receive polls an RxPort, transmit and publish write to a TxPort. One stage, one thread each; nothing here blocks.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/types.hpp"
#include "hugepages/base/check.hpp"
#include "netstack/common/checked_sums.hpp"
#include "netstack/common/limits.hpp"

namespace crosswire {

/// Most frames in a burst (DESIGN 5: 8 to 32).
inline constexpr std::size_t kMaxBurst = 32;

/// A received frame, contiguous, owned by the port. `length` may be any value; parsers trust nothing in it.
struct RxFrame {
  const std::uint8_t* data;
  std::uint32_t length;
  CheckedSums checked{};
};

/// Up to kMaxBurst frames of one time. Live: `time_ns` rises strictly from one burst with frames to the next, and an
/// empty burst tells what time it is. Replay: consecutive frames of one timestamp (DESIGN 3).
struct RxBurst {
  std::span<const RxFrame> frames;
  TimeNs time_ns;
  bool ended;  // no frame will come any more, this burst has none, and `time_ns` is where time ends
  // The one frame is an operator's command (netstack/wire/operator_frame.hpp) that came past the wire: from this
  // process's control thread, or out of a recording that had it from there.
  bool out_of_band = false;
  // The trading day ends at `time_ns`; this burst has no frames. Behind it the port lingers: frames may still come,
  // for instance of clients that ask for what they have missed, until a burst is `ended`. Said once, and before
  // `ended`; where it is not, the day ends where time does.
  bool day_ended = false;
};

class RxPort {
 public:
  virtual ~RxPort() = default;
  /// The next burst; its frames stay valid until the next call.
  virtual RxBurst receive() = 0;
  /// What time it is, without taking frames: for who cannot take any now. No burst that follows is before it. 0 of a
  /// port that has no clock, whose times are its frames'.
  virtual TimeNs time_now() { return 0; }
  /// What decides a command and stands in no frame: a recorder keeps it behind the last burst. `frame`: of its EtherType
  /// (netstack/wire/operator_frame.hpp), without a tag; in a replay it comes back out of band.
  virtual void note(std::span<const std::uint8_t>) {}
};

/// Who caused a frame: a capture is written in the order (cause, rank, emission), at the cause's time (DESIGN 3).
struct FrameOrigin {
  Sequence cause;
  TimeNs time_ns;
  std::uint8_t rank;  // 0 transmit, 1 publish
};

/// Frames are written in place, into buffers the port hands out, and leave at flush() or when the port's batch is full.
/// Nothing is dropped here: without a buffer reserve() says so and the stage tries again at its next poll().
class TxPort {
 public:
  virtual ~TxPort() = default;

  /// kMaxFrame writable bytes for the next frame, or nullptr when the port has no room now. The same buffer until
  /// commit().
  std::uint8_t* reserve() {
    if (used_ == ready_ && !refill()) [[unlikely]]
      return nullptr;
    return batch_[used_].data;
  }

  /// The reserved buffer holds a frame of `length` bytes (kEthernetBytes .. kMaxFrame), ready to leave.
  void commit(std::size_t length, const FrameOrigin& origin) {
    CHECK(used_ < ready_ && length >= kEthernetBytes && length <= kMaxFrame, "commit of %zu bytes, %zu of %zu used",
          length, used_, ready_);
    Slot& slot = batch_[used_++];
    slot.length = static_cast<std::uint32_t>(length);
    // Field by field: as a whole it would be read back from where it has just been put together.
    slot.origin.cause = origin.cause;
    slot.origin.time_ns = origin.time_ns;
    slot.origin.rank = origin.rank;
  }

  /// Are there committed frames that have not left?
  bool unsent() const { return used_ > 0; }
  /// Is there anything for flush() to do? These, or what the control thread wants of the port's own.
  bool wants_flush() const { return used_ > 0 || called_.load(std::memory_order_relaxed); }

  /// Hands committed frames to the wire; what the wire does not take now stays for the next call. Returns how many
  /// left.
  virtual std::size_t flush() = 0;

  /// What time it is, for a stage whose timers decide when frames leave and nothing of what is in the record. Never
  /// falls. 0 of a port without a clock: its stage is told the time by who polls it.
  virtual TimeNs time_now() { return 0; }

 protected:
  struct Slot {
    std::uint8_t* data;
    std::uint32_t length;
    FrameOrigin origin;
    void* handle;  // the port's own (an mbuf)
  };
  /// Makes batch_[used_] usable: sends a full batch, gets fresh buffers. False when it cannot now.
  virtual bool refill() = 0;

  std::array<Slot, kMaxBurst> batch_{};
  std::size_t used_ = 0;   // committed, not yet sent
  std::size_t ready_ = 0;  // slots with a buffer
  std::atomic<bool> called_{false};
};

}  // namespace crosswire
