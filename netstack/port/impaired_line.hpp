// A bad link in one direction: frames go in, and come out as Impairments says, each at its time. Between the impaired
// ports' two sides, and for simulators of a link. It holds copies, in a bounded number of buffers. One thread; no
// clock, no allocation after construction.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "netstack/port/impairments.hpp"
#include "netstack/port/port.hpp"

namespace crosswire {

class ImpairedLine {
 public:
  static constexpr std::size_t kLeastBuffers = 2 * kMaxBurst;

  /// `buffers`: frames that it holds at most, those taken and not given back included; kLeastBuffers or more. What
  /// finds none is lost and counted.
  ImpairedLine(const ImpairmentConfig& config, std::uint64_t seed, std::size_t buffers);

  /// A frame comes in at `now_ns`, which does not fall. It is copied.
  void put(TimeNs now_ns, const RxFrame& frame, const FrameOrigin& origin = {});

  /// When the next frame leaves; nothing while none is held.
  [[nodiscard]] std::optional<TimeNs> next_ns() const;

  struct Leaving {
    RxFrame frame;  // what it says of checksums is kept, but for corrupted frames
    TimeNs at_ns;
    FrameOrigin origin;
    bool held;  // it did not leave when it came
    std::uint32_t buffer;
  };
  /// The next frame, of which there is one. Its bytes stay until give_back().
  Leaving take();
  void give_back(std::uint32_t buffer) { free_.push_back(buffer); }

  /// All that it holds leaves by `now_ns`, in the order in which it would have left.
  void let_go(TimeNs now_ns);

  [[nodiscard]] bool empty() const { return under_way_.empty() && waiting_.empty(); }
  /// Any thread.
  [[nodiscard]] const ImpairmentCounters& counters() const { return impairments_.counters(); }

 private:
  using Buffer = std::array<std::uint8_t, kMaxFrame>;
  struct Held {
    TimeNs leaves_ns;      // of one that waits: at the latest
    std::uint64_t number;  // in the order in which they came
    TimeNs came_ns;
    TimeNs earliest_ns;        // of one that waits
    std::uint32_t overtakers;  // that it waits for
    bool overtaken;
    std::uint32_t buffer;
    std::uint32_t length;
    CheckedSums checked;
    FrameOrigin origin;
  };
  static bool leaves_later(const Held& a, const Held& b);

  std::optional<std::uint32_t> copy_in(const RxFrame& frame, const Impairments::Fate& fate);
  void set_out(const Held& held);
  Held take_first();
  void overtake(const Held& first);

  Impairments impairments_;
  std::unique_ptr<Buffer[]> bytes_;
  std::vector<std::uint32_t> free_;
  std::vector<Held> under_way_;  // a heap, the next in front
  std::vector<Held> waiting_;    // for those that are to overtake them
  std::uint64_t came_ = 0;
};

}  // namespace crosswire
