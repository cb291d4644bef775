// Round-trip time of a connection and the retransmission time-out that follows from it (RFC 6298). transmit core; plain
// arithmetic in nanoseconds.
#pragma once

#include <algorithm>
#include <cstdint>

#include "netstack/tcp/config.hpp"

namespace crosswire::tcp {

class RoundTrip {
 public:
  /// Of a connection whose peer has not answered yet.
  void reset() { *this = {}; }

  bool measured() const { return measured_; }
  TimeNs smoothed_ns() const { return smoothed_ns_; }

  /// RFC 6298 (2.2), (2.3). A new sample ends the back-off too (5.7 and its note).
  void sample(TimeNs took_ns) {
    if (!measured_) {
      measured_ = true;
      smoothed_ns_ = took_ns;
      variation_ns_ = took_ns / 2;
    } else {
      const TimeNs off = took_ns > smoothed_ns_ ? took_ns - smoothed_ns_ : smoothed_ns_ - took_ns;
      variation_ns_ = (3 * variation_ns_ + off) / 4;
      smoothed_ns_ = (7 * smoothed_ns_ + took_ns) / 8;
    }
    backed_off_ = 0;
  }

  /// The timer has expired: (5.5).
  void back_off() {
    if (backed_off_ < kMostDoublings) ++backed_off_;
  }
  void end_back_off() { backed_off_ = 0; }
  unsigned backed_off() const { return backed_off_; }

  TimeNs timeout_ns(const TcpConfig& config) const {
    const TimeNs base = measured_
                            ? std::max(config.least_rto_ns, smoothed_ns_ + std::max(kGranularityNs, 4 * variation_ns_))
                            : config.first_rto_ns;
    return std::min(base << backed_off_, config.most_rto_ns);
  }

  /// How long the last segment of a flight waits before it is probed for: PTO of RFC 8985 section 7.2. `alone`: the
  /// flight is one segment, whose acknowledgement the peer may hold.
  TimeNs probe_timeout_ns(const TcpConfig& config, bool alone) const {
    if (!measured_) return config.first_rto_ns;
    return std::max(kLeastProbeNs, 2 * smoothed_ns_) + (alone ? config.peers_ack_delay_ns : 0);
  }

 private:
  static constexpr TimeNs kGranularityNs = 8'192;     // the timing wheel's tick
  static constexpr TimeNs kLeastProbeNs = 2'000'000;  // a peer that was not scheduled for so long has lost nothing
  static constexpr unsigned kMostDoublings = 16;

  TimeNs smoothed_ns_ = 0;
  TimeNs variation_ns_ = 0;
  bool measured_ = false;
  std::uint8_t backed_off_ = 0;
};

}  // namespace crosswire::tcp
