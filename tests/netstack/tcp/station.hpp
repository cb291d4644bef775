// A whole TCP station on virtual time, over memory ports: both halves, their signals, ARP. Tests, simulators, fuzzers.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "netstack/port/memory_port.hpp"
#include "netstack/tcp/host.hpp"

namespace crosswire::test {

inline NetConfig station_config(std::uint8_t last) {
  NetConfig net;
  net.mac = {0x02, 0, 0, 0, 0, last};
  net.address = 0x0A63'0000u | last;
  return net;
}

/// What stands above TCP is the test's: a reader and a writer, who may be one.
class TcpStation {
 public:
  struct Frame {
    TimeNs time_ns;
    FrameBytes bytes;
  };

  /// `memory`: of bytes_for() at least, that outlives the station; none: its own.
  TcpStation(tcp::TcpConfig tcp, NetConfig net, tcp::StreamReader& reader, tcp::StreamWriter& writer,
             Arena* memory = nullptr)
      : tcp_(std::move(tcp)),
        net_(std::move(net)),
        own_(memory != nullptr ? nullptr : std::make_unique<Arena>(bytes_for(tcp_), HugepagePolicy::off)),
        signals_(memory_of(memory)),
        receive_(tcp_, net_.address, signals_, reader, memory_of(memory)),
        send_(tcp_, net_, signals_, writer, tx_, memory_of(memory)),
        host_(net_, receive_, rx_) {}

  static std::size_t bytes_for(const tcp::TcpConfig& tcp) {
    return tcp::Signals::bytes_for() + tcp::ReceiveHalf::bytes_for(tcp) + tcp::SendHalf::bytes_for(tcp) + 4096;
  }

  /// The frame arrives now.
  void inject(FrameBytes frame) {
    std::vector<FrameBytes> burst;
    burst.push_back(std::move(frame));
    inject_burst(std::move(burst));
  }

  /// All of them are there before the first is looked at.
  void inject_burst(std::vector<FrameBytes> burst) {
    rx_.push_burst(now_, std::move(burst));
    settle();
  }

  /// Does all that can be done now.
  void settle() {
    for (;;) {
      rx_.push_burst(now_, {});
      std::size_t did = host_.poll() + host_.poll();
      did += send_.poll(now_);
      tx_.flush();
      for (MemoryTxPort::Sent& sent : tx_.take_frames()) out_.push_back({now_, std::move(sent.bytes)});
      if (did == 0) return;
    }
  }

  /// Timers up to and at `to` expire, each at its time. What is due and waits for a frame, the port being full, is tried
  /// again each millisecond.
  void advance_to(TimeNs to) {
    constexpr TimeNs kAgainNs = 1'000'000;
    bool waits = false;
    for (TimeNs next = next_timer(); next <= to && !(waits && now_ >= to); next = next_timer()) {
      now_ = waits ? std::min(now_ + kAgainNs, to) : std::max(now_, next);
      settle();
      waits = next_timer() <= now_;
    }
    now_ = std::max(now_, to);
    settle();
  }

  /// When something may happen by itself; kNever if nothing will.
  TimeNs next_timer() const { return send_.next_timer(kNever); }

  std::vector<Frame> take_frames() { return std::exchange(out_, {}); }

  TimeNs now() const { return now_; }
  void set_now(TimeNs now) { now_ = now; }
  tcp::ReceiveHalf& receive() { return receive_; }
  tcp::SendHalf& send() { return send_; }
  MemoryTxPort& tx() { return tx_; }
  const tcp::TcpConfig& config() const { return tcp_; }
  const NetConfig& net() const { return net_; }

  static constexpr TimeNs kNever = std::numeric_limits<TimeNs>::max();

 private:
  Arena& memory_of(Arena* memory) { return memory != nullptr ? *memory : *own_; }

  tcp::TcpConfig tcp_;
  NetConfig net_;
  std::unique_ptr<Arena> own_;
  tcp::Signals signals_;
  MemoryRxPort rx_;
  MemoryTxPort tx_;
  tcp::ReceiveHalf receive_;
  tcp::SendHalf send_;
  tcp::ReceivingHost host_;
  TimeNs now_ = 0;
  std::vector<Frame> out_;
};

}  // namespace crosswire::test
