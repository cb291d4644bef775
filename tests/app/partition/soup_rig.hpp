// The whole appliance and clients of SoupBinTCP, each a TCP station of its own, on one line in virtual time. What the
// clients say and hear is bytes of a stream, taken apart here and not by the code under test. Tests only.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "app/partition/partition.hpp"
#include "netstack/port/memory_port.hpp"
#include "netstack/port/recorder.hpp"
#include "tests/netstack/client_frames.hpp"
#include "tests/netstack/tcp/station.hpp"

namespace crosswire::test {

/// A SoupBinTCP packet that a client got.
struct Packet {
  char type;
  Payload payload;
};

/// One client: a station with one connection at a time.
class SoupPeer final : public tcp::StreamReader, public tcp::StreamWriter {
 public:
  /// `number`: of its addresses. `places`: of its connections, those that are gone for a moment still with them.
  explicit SoupPeer(std::uint16_t number, std::uint16_t places = 8)
      : station_(tcp_config(places), config(number), *this, *this) {}

  /// Opens a connection anew; what the one before has heard is forgotten.
  void connect(std::uint16_t from = 0) {
    in_.clear();
    out_.clear();
    ended_.reset();
    finished_ = ready_ = false;
    id_ = station_.send().connect({kOurAddress, kOrderPort, 0, kOurMac}, from);
    CHECK(id_.has_value(), "no place for a connection");
  }
  void write(const Payload& bytes) {
    out_.insert(out_.end(), bytes.begin(), bytes.end());
    if (ready_) station_.send().extend(*id_, static_cast<std::uint32_t>(bytes.size()));
  }
  void finish() { station_.send().finish(*id_); }
  void reset() { station_.send().abort(*id_); }
  /// It ends its side when the appliance has ended its own, as a client does, or does not.
  void closes(bool closes) { closes_ = closes; }
  /// From now on it takes in what comes, or does not.
  void reads(bool reads) { reads_ = reads; }

  /// Whole packets so far; asserts that nothing else came.
  std::vector<Packet> packets() const {
    std::vector<Packet> packets;
    std::size_t at = 0;
    while (at + 3 <= in_.size() && at + 2 + get16(in_, at) <= in_.size()) {
      const std::size_t end = at + 2 + get16(in_, at);
      packets.push_back({static_cast<char>(in_[at + 2]), Payload(in_.begin() + static_cast<std::ptrdiff_t>(at) + 3,
                                                                 in_.begin() + static_cast<std::ptrdiff_t>(end))});
      at = end;
    }
    EXPECT_EQ(at, in_.size()) << "half a packet";
    return packets;
  }
  /// Their types, without heartbeats.
  std::string types() const {
    std::string types;
    for (const Packet& packet : packets()) {
      if (packet.type != 'H') types += packet.type;
    }
    return types;
  }
  /// The first of the type, as text.
  std::string text_of(char type) const {
    for (const Packet& packet : packets()) {
      if (packet.type == type) return {packet.payload.begin(), packet.payload.end()};
    }
    return "none";
  }
  /// Messages of sequenced packets.
  std::vector<Payload> messages() const {
    std::vector<Payload> messages;
    for (const Packet& packet : packets()) {
      if (packet.type == 'S') messages.push_back(packet.payload);
    }
    return messages;
  }
  bool finished() const { return finished_; }  // the appliance sends no more
  std::optional<tcp::EndReason> ended() const { return ended_; }
  TcpStation& station() { return station_; }
  const MacAddress& mac() const { return station_.net().mac; }

  void opened(tcp::ConnectionId, const tcp::Remote&, std::uint16_t) override {}
  Taken take(tcp::ConnectionId id, wire::Bytes bytes) override {
    if (id != id_) return {bytes.size(), tcp::kNoNumber};  // of the connection before
    if (!reads_) return {0, tcp::kNoNumber};
    in_.insert(in_.end(), bytes.begin(), bytes.end());
    return {bytes.size(), tcp::kNoNumber};
  }
  void finished(tcp::ConnectionId id) override {
    if (id == id_) finished_ = true;
    if (closes_) station_.send().finish(id);
  }
  void gone(tcp::ConnectionId, tcp::EndReason) override {}
  void ready(tcp::ConnectionId id) override {
    if (id != id_) return;
    ready_ = true;
    if (!out_.empty()) station_.send().extend(id, static_cast<std::uint32_t>(out_.size()));
  }
  void copy(tcp::ConnectionId, std::uint64_t offset, std::span<std::uint8_t> to) override {
    std::copy_n(out_.begin() + static_cast<std::ptrdiff_t>(offset), to.size(), to.begin());
  }
  void acknowledged(tcp::ConnectionId, std::uint64_t) override {}
  void heard(tcp::ConnectionId) override {}
  void finished_by_peer(tcp::ConnectionId) override {}
  void closed(tcp::ConnectionId id, tcp::EndReason reason) override {
    if (id == id_) ended_ = reason;
  }

 private:
  static tcp::TcpConfig tcp_config(std::uint16_t places) {
    tcp::TcpConfig config;
    config.connections = config.opened_by_us = places;
    config.secret = {3, 4};
    config.time_wait_ns = 1'000'000;
    return config;
  }
  static NetConfig config(std::uint16_t number) {
    NetConfig net;
    net.mac = {2, 0, 0, 1, static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)};
    net.address = 0x0A630000u | number;
    return net;
  }

  TcpStation station_;
  std::optional<tcp::ConnectionId> id_;
  Payload in_, out_;
  bool reads_ = true, closes_ = true, ready_ = false, finished_ = false;
  std::optional<tcp::EndReason> ended_;
};

class Soup : public ::testing::Test {
 protected:
  static constexpr TimeNs kStart = 9 * 3600 * kNsPerSecond;

  Soup() {
    config_.net.mac = kOurMac;
    config_.net.address = kOurAddress;
    config_.net.order_session = kOrderSession;
    config_.net.feed_session = kFeedSession;
    config_.net.start_ns = kStart;
    config_.net.tcp_port = kOrderPort;
    config_.net.tcp_secret = {1, 2};
    config_.net.accounts = {{"ANN", "ann", {'A', 'N', 'N', ' '}, {}}, {"BOB", "bob", {'B', 'O', 'B', ' '}, {}}};
    config_.net.schedule = {{kStart, kAllSymbols, Phase::continuous}};
    config_.net.messages_kept = 1024;
    config_.net.feed_messages_kept = 1024;
    config_.engine.symbols = {{{'A', 'A', 'A', ' ', ' ', ' ', ' ', ' '}, Price{100'0000}, 100}};
    config_.engine.sessions = 2;
    config_.engine.max_orders = 4096;
    config_.engine.max_levels = 1024;
    config_.command_ring = 256;
    config_.event_ring = 512;
    config_.hugepages = HugepagePolicy::off;
  }

  void start() {
    static const TscClock clock = TscClock::calibrated();
    now_ = kStart;
    if (!recording_.empty()) {
      recorder_memory_ = std::make_unique<Arena>(RecordingRxPort::bytes_for(), HugepagePolicy::off);
      recorder_ = std::make_unique<RecordingRxPort>(rx_, *recorder_memory_, 0, kStart);
      recorder_->begin(recording_, {kOurMac, {7}, {}, false, config_.net.tcp_secret});
    }
    RxPort& rx = recorder_ ? static_cast<RxPort&>(*recorder_) : rx_;
    partition_ = std::make_unique<Partition>(config_, Partition::Ports{rx, tx_, tx_}, clock);
    for (SoupPeer* peer : peers_) peer->station().set_now(now_);
    pass(1'000'000);
  }

  /// Time goes on by so much, in steps, and all frames go where they are to.
  void pass(TimeNs by, TimeNs step = 1'000'000) {
    const TimeNs until = now_ + by;
    do {
      now_ = std::min(now_ + step, until);
      exchange();
    } while (now_ < until);
  }

  /// A frame comes, for instance a datagram of a client over UDP; no two at one time, as live.
  void send(const FrameBytes& frame) {
    burst_ns_ = std::max(burst_ns_ + 1, now_);
    rx_.push_burst(burst_ns_, {frame});
  }

  /// Logged in by `peer` with `user`, asking for `sequence`.
  void login(SoupPeer& peer, std::string_view user, std::string_view password, std::uint64_t sequence = 1) {
    peer.connect();
    peer.write(login_of(user, password, sequence));
    pass(5'000'000);
  }
  static Payload login_of(std::string_view user, std::string_view password, std::uint64_t sequence) {
    return soup_packet('L', bytes(wire::soup::login_request(user, password, "", sequence)));
  }
  static Payload enter(std::uint32_t number, char side = 'B', std::uint32_t quantity = 100,
                       std::uint64_t price = 100'0000) {
    wire::ouch::EnterOrder order = enter_fields(number);
    order.side = side;
    order.quantity = quantity;
    order.price = price;
    return soup_packet('U', with_options(bytes(order), {}));
  }
  /// Another client says the same: `login` begins with the login.
  static void set_user(Payload& login, std::string_view user, std::string_view password) {
    const Payload other = login_of(user, password, 1);
    std::copy(other.begin(), other.end(), login.begin());
  }
  static std::string types_of(const std::vector<Payload>& messages) {
    std::string types;
    for (const Payload& message : messages) types += static_cast<char>(message.at(0));
    return types;
  }
  std::uint64_t count(ReceiveCounter counter) const { return partition_->receive().counters().get(counter); }
  std::uint64_t count(TransmitCounter counter) const { return partition_->transmit().counters().get(counter); }

  /// The day ends, the run with it, and the recording, if there is one, is whole.
  void end() {
    rx_.end_day(now_ + 1'000'000);
    pass(100'000'000, 10'000'000);
    rx_.end(now_ + 1'000'000);
    while (!partition_->finished()) partition_->round();
    for (MemoryTxPort::Sent& sent : tx_.take_frames()) all_.push_back(std::move(sent.bytes));
    if (recorder_) {
      EXPECT_EQ(recorder_->finish(), "");
    }
  }

  /// The news of sessions since the last call, by kind.
  std::vector<SessionNews::Kind> news() {
    std::vector<SessionNews::Kind> kinds;
    SessionNews news{};
    while (partition_->stages().receive.session_news().take(news)) kinds.push_back(news.kind);
    return kinds;
  }

  Config config_;
  SoupPeer ann_{100}, bob_{101}, eve_{102};
  std::vector<SoupPeer*> peers_{&ann_, &bob_, &eve_};
  MemoryRxPort rx_;
  MemoryTxPort tx_;
  std::unique_ptr<Partition> partition_;
  TimeNs now_ = kStart;
  std::vector<FrameBytes> others_;  // frames to nobody's station
  std::vector<FrameBytes> all_;     // every frame that the appliance has sent
  std::string recording_;           // where to, if the day is recorded
  std::mt19937_64 random_{1};
  double loss_ = 0;  // of frames of TCP, each way

 private:
  /// Until nothing moves any more at this moment.
  void exchange() {
    bool moved = true;
    for (unsigned rounds = 0; moved && rounds < 1000; ++rounds) {
      moved = false;
      for (SoupPeer* peer : peers_) {
        peer->station().advance_to(now_);
        for (TcpStation::Frame& frame : peer->station().take_frames()) {
          moved = true;
          if (!is_lost()) send(frame.bytes);
        }
      }
      burst_ns_ = std::max(burst_ns_, now_);
      rx_.push_burst(burst_ns_, {});
      for (unsigned idle = 0; idle < 3;) idle = partition_->round() ? 0 : idle + 1;
      for (MemoryTxPort::Sent& sent : tx_.take_frames()) {
        moved = true;
        all_.push_back(sent.bytes);
        deliver(std::move(sent.bytes));
      }
    }
  }
  bool is_lost() { return loss_ > 0 && std::bernoulli_distribution(loss_)(random_); }
  void deliver(FrameBytes frame) {
    for (SoupPeer* peer : peers_) {
      if (std::equal(peer->mac().begin(), peer->mac().end(), frame.begin()) && frame[23] == 6) {
        if (!is_lost()) peer->station().inject(std::move(frame));
        return;
      }
    }
    others_.push_back(std::move(frame));
  }

  TimeNs burst_ns_ = 0;  // of the newest burst
  std::unique_ptr<Arena> recorder_memory_;
  std::unique_ptr<RecordingRxPort> recorder_;
};

}  // namespace crosswire::test
