// A receive and a transmit port that stand in front of others as a bad link does: frames are lost, doubled, corrupted,
// late, out of order, as configured, and counted. In tests over memory's ports, in run and replay by configuration.
// Polled by the stage whose port it is: no clock of its own, no allocation after construction, no system call.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "hugepages/base/cache_line.hpp"
#include "netstack/port/impaired_line.hpp"
#include "netstack/port/port.hpp"

namespace crosswire {

/// Bursts of the inner port, impaired. A frame that is held back comes in a burst of the time at which it leaves, or
/// of the first time told behind that. An operator's command, the day's end and the port's pass as they are, and what
/// is held then is let go before them.
class ImpairedRxPort final : public RxPort {
 public:
  /// `inner` outlives this. `buffers` as of ImpairedLine.
  ImpairedRxPort(RxPort& inner, const ImpairmentConfig& config, std::uint64_t seed, std::size_t buffers);

  RxBurst receive() override;
  TimeNs time_now() override;

  /// The time of the inner port's last burst, for transmit ports that hold frames back. Any thread.
  [[nodiscard]] const std::atomic<TimeNs>& clock() const { return clock_; }
  /// Any thread.
  [[nodiscard]] const ImpairmentCounters& counters() const { return line_.counters(); }

 private:
  void take_in();
  RxBurst give(TimeNs time_ns);
  [[nodiscard]] std::optional<TimeNs> due_ns() const;

  RxPort& inner_;
  ImpairedLine line_;
  RxBurst burst_{};      // the inner port's last
  bool told_ = true;     // all of it has been handed on
  bool passes_ = false;  // it is one that passes as it is
  TimeNs last_ns_ = 0;   // that was told
  std::size_t given_ = 0;
  std::array<RxFrame, kMaxBurst> views_{};
  std::array<std::uint32_t, kMaxBurst> buffers_{};  // of the last burst
  alignas(kCacheLine) std::atomic<TimeNs> clock_{0};
};

/// The way out through a bad link. Its time is the latest of its frames' origins, and of `clock` where there is one:
/// without, what is held back leaves before a later frame, and what comes out is a function of the frames alone. A
/// frame that was held back has the time at which it leaves, and the cause of the newest frame that has come.
class alignas(kCacheLine) ImpairedTxPort final : public TxPort {
 public:
  /// `inner` and `clock` outlive this. `buffers` as of ImpairedLine.
  ImpairedTxPort(TxPort& inner, const ImpairmentConfig& config, std::uint64_t seed, std::size_t buffers,
                 const std::atomic<TimeNs>* clock = nullptr);

  /// Is called at each poll, as wants_flush() says always. Returns how many of the stage's frames it has taken, of
  /// which the inner port has had those that are not lost and not held back.
  std::size_t flush() override;
  /// The inner port's.
  TimeNs time_now() override { return inner_.time_now(); }

  /// No frame will come any more: what is held leaves from now on, as fast as the inner port takes it. While nobody
  /// polls.
  void let_go();
  /// Frames are held, or the stage's have not been taken. While nobody polls.
  [[nodiscard]] bool holds() const { return used_ > 0 || !line_.empty(); }

  /// Any thread.
  [[nodiscard]] const ImpairmentCounters& counters() const { return line_.counters(); }

 private:
  using Buffer = std::array<std::uint8_t, kMaxFrame>;

  bool refill() override;
  bool send_due();

  TxPort& inner_;
  ImpairedLine line_;
  const std::atomic<TimeNs>* clock_;
  std::unique_ptr<Buffer[]> bytes_;
  TimeNs now_ns_ = 0;
  Sequence cause_{0};  // of the newest frame
};

}  // namespace crosswire
