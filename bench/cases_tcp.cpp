// What TCP costs: both halves on one core, segments of an order's size with timestamps, in bursts of 32. A case meters
// the receive half and what the send half makes of its signals, checksums with them; headers below TCP are not in it.
#include <array>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "bench/meter.hpp"
#include "bench/sink_port.hpp"
#include "netstack/tcp/receive_half.hpp"
#include "netstack/tcp/send_half.hpp"

namespace crosswire::bench {
namespace {

using tcp::ConnectionId;

constexpr std::size_t kPayload = 50;
constexpr std::size_t kBurst = 32;
constexpr std::uint16_t kPort = 26'400, kPeerPort = 40'000;
constexpr std::uint32_t kIss = 1'000'000, kPeerIss = 5'000'000;
constexpr std::size_t kTcpOffset = kEthernetBytes + kIpv4Bytes;

/// Takes all bytes, sends zeros.
class Zeros final : public tcp::StreamReader, public tcp::StreamWriter {
 public:
  void opened(ConnectionId, const tcp::Remote&, std::uint16_t) override {}
  Taken take(ConnectionId, wire::Bytes bytes) override {
    use(bytes);
    return {bytes.size(), tcp::kNoNumber};
  }
  void finished(ConnectionId) override {}
  void gone(ConnectionId, tcp::EndReason) override {}
  void ready(ConnectionId id) override { connection = id; }
  void copy(ConnectionId, std::uint64_t, std::span<std::uint8_t> to) override { std::memset(to.data(), 0, to.size()); }
  void acknowledged(ConnectionId, std::uint64_t) override {}
  void heard(ConnectionId) override {}
  void finished_by_peer(ConnectionId) override {}
  void closed(ConnectionId, tcp::EndReason) override {}

  ConnectionId connection{};
};

NetConfig station(std::uint8_t last) {
  NetConfig net;
  net.mac = {2, 0, 0, 0, 0, last};
  net.address = 0x0A630000u | last;
  return net;
}

tcp::TcpConfig tcp_config() {
  tcp::TcpConfig config;
  config.connections = 512;
  config.ports = {kPort};
  config.initial_sequence = kIss;
  config.secret = {1, 2};
  return config;
}

/// One established connection, and the peer's segments to it.
class TcpRig {
 public:
  TcpRig()
      : arena_(
            tcp::Signals::bytes_for() + tcp::ReceiveHalf::bytes_for(config_) + tcp::SendHalf::bytes_for(config_) + 4096,
            HugepagePolicy::off),
        signals_(arena_),
        receive_(config_, us_.address, signals_, app_, arena_),
        send_(config_, us_, signals_, app_, port_, arena_),
        header_(peer_, kPeerPort, {us_.address, kPort, 0, us_.mac}) {
    take(segment(tcp::kSyn, 0));
    poll();
    next_ = kPeerIss + 1;
    acknowledged_ = kIss + 1;
    take(segment(tcp::kAck, 0));
    poll();
  }

  /// The peer's next segment, in a place of its own of the burst.
  wire::Bytes segment(std::uint8_t flags, std::size_t payload) {
    auto& frame = frames_[used_++ % kBurst];
    std::uint8_t* const options = frame.data() + header_.options_offset();
    const bool syn = (flags & tcp::kSyn) != 0;
    std::size_t n = 0;
    const auto word = [&](std::uint32_t value) {
      const std::uint32_t swapped = __builtin_bswap32(value);
      std::memcpy(options + n, &swapped, sizeof swapped);
      n += sizeof swapped;
    };
    if (syn) word(0x0204'05B4);  // MSS 1460
    word(syn ? 0x0402'080A : 0x0101'080A);
    word(1000);
    word(0);
    const std::uint32_t sequence = syn ? kPeerIss : next_;
    const std::size_t length = header_.finish(frame.data(), {sequence, acknowledged_, 0xFFFF, flags}, n, n + payload);
    next_ += static_cast<std::uint32_t>(payload);
    return {frame.data() + kTcpOffset, std::min(length - kTcpOffset, tcp::kTcpHeaderBytes + n + payload)};
  }

  void take(wire::Bytes bytes) { CHECK(receive_.take(source_, bytes, false, now_), "no room"); }
  void end_burst() { receive_.end_burst(); }
  void poll() {
    receive_.end_burst();
    receive_.take_signals();
    send_.poll(now_);
    port_.flush();
    receive_.take_signals();
  }
  /// So much later that nothing waits any more.
  void settle() {
    now_ += 100'000;
    poll();
  }
  void offer(std::uint32_t bytes) { send_.extend(app_.connection, bytes); }
  void acknowledge(std::uint32_t bytes) { acknowledged_ += bytes; }

 private:
  tcp::TcpConfig config_ = tcp_config();
  NetConfig us_ = station(1);
  NetConfig peer_ = station(2);
  tcp::SegmentSource source_{peer_.mac, 0, peer_.address};
  Zeros app_;
  SinkPort port_;
  Arena arena_;
  tcp::Signals signals_;
  tcp::ReceiveHalf receive_;
  tcp::SendHalf send_;
  tcp::SegmentTemplate header_;
  std::array<std::array<std::uint8_t, kMaxFrame>, kBurst> frames_{};
  std::size_t used_ = 0;
  std::uint32_t next_ = kPeerIss + 1;
  std::uint32_t acknowledged_ = 0;
  TimeNs now_ = 36'000 * kNsPerSecond;
};

/// Bursts of `step`, between `before` and `after`, which are not metered.
template <class Before, class Step, class After>
class TcpRunner final : public Runner {
 public:
  TcpRunner(Before before, Step step, After after) : before_(before), step_(step), after_(after) {}
  std::size_t run(std::size_t operations, Meter& meter) override {
    std::size_t done = 0;
    for (; done < operations; done += kBurst) {
      before_(rig_);
      {
        const Metered metered(meter);
        step_(rig_);
      }
      after_(rig_);
    }
    return done;
  }

 private:
  TcpRig rig_;
  Before before_;
  Step step_;
  After after_;
};

template <class Before, class Step, class After>
Case of(std::string name, Before before, Step step, After after) {
  return {std::move(name), [=] { return std::make_unique<TcpRunner<Before, Step, After>>(before, step, after); }};
}

}  // namespace

std::vector<Case> tcp_cases() {
  // Shared by the closures of one case at a time; cases run one after the other.
  static std::array<wire::Bytes, kBurst> burst;
  const auto nothing = [](TcpRig&) {};
  const auto take_burst = [](TcpRig& rig) {
    for (const wire::Bytes bytes : burst) rig.take(bytes);
    rig.end_burst();
    rig.poll();
  };
  const auto settle = [](TcpRig& rig) { rig.settle(); };
  const auto acknowledgements = [](TcpRig& rig) {
    for (wire::Bytes& bytes : burst) {
      rig.offer(kPayload);
      rig.poll();
      rig.acknowledge(kPayload);
      bytes = rig.segment(tcp::kAck, 0);
    }
  };
  return {
      of(
          "tcp/in_order_segment",
          [](TcpRig& rig) {
            for (wire::Bytes& bytes : burst) bytes = rig.segment(tcp::kAck | tcp::kPsh, kPayload);
          },
          take_burst, settle),
      of("tcp/bare_ack", acknowledgements, take_burst, nothing),
      of(
          "tcp/bare_ack_alone", acknowledgements,
          [](TcpRig& rig) {
            for (const wire::Bytes bytes : burst) {
              rig.take(bytes);
              rig.end_burst();
            }
            rig.poll();
          },
          nothing),
      of(
          "tcp/segment_out", nothing,
          [](TcpRig& rig) {
            for (std::size_t i = 0; i < kBurst; ++i) {
              rig.offer(kPayload);
              rig.poll();
            }
          },
          [](TcpRig& rig) {
            rig.acknowledge(kBurst * kPayload);
            rig.take(rig.segment(tcp::kAck, 0));
            rig.settle();
          }),
      of(
          "tcp/idle_round", nothing,
          [](TcpRig& rig) {
            for (std::size_t i = 0; i < kBurst; ++i) rig.poll();
          },
          nothing),
  };
}

}  // namespace crosswire::bench
