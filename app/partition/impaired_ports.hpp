// The impaired ports of a partition, in front of its own: what run and replay make of [impair]. Set-up and control
// threads; the ports themselves are the stages'.
#pragma once

#include <string>
#include <vector>

#include "app/config/config.hpp"
#include "netstack/port/impaired_port.hpp"

namespace crosswire {

class ImpairedPorts {
 public:
  /// What transmit's ports have for the present time.
  enum class Time {
    of_receive,  // of the receive port, polled on some other core: as frames really wait
    of_frames,   // of the frames that are sent: the same frames give the same, wherever the stages are polled
  };

  /// The ports outlive this.
  ImpairedPorts(const ImpairConfig& config, RxPort& rx, TxPort& transmit, TxPort& publish, Time time);

  RxPort& rx() { return rx_; }
  TxPort& transmit() { return transmit_; }
  TxPort& publish() { return publish_; }

  /// The stages have ended: what the transmit ports hold leaves; again, for who waits until holds() is false.
  void let_go();
  /// While nobody polls.
  bool holds() const { return transmit_.holds() || publish_.holds(); }

  /// Any thread.
  const ImpairmentCounters& received() const { return rx_.counters(); }
  /// Of both ports. Any thread.
  ImpairmentCounters sent() const;

 private:
  ImpairedRxPort rx_;
  ImpairedTxPort transmit_;
  ImpairedTxPort publish_;
};

/// For the line that says so: "receive loss=0.01, transmit nothing, seed=1".
std::string describe(const ImpairConfig& config);

}  // namespace crosswire
