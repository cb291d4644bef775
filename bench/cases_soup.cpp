// The whole chain with order entry over TCP, beside cases_stages.cpp's over UDP: the same orders and ports, each order
// a SoupBinTCP packet in a segment of its own with timestamps, as Linux sends it. The clients acknowledge answers with
// their next order; what they do themselves is not metered. Every order is checked to have been answered.
#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "app/partition/partition.hpp"
#include "bench/meter.hpp"
#include "bench/stage_rig.hpp"
#include "netstack/tcp/segment.hpp"
#include "netstack/tcp/segment_template.hpp"
#include "netstack/wire/soup.hpp"

namespace crosswire::bench {
namespace {

namespace soup = wire::soup;

constexpr std::uint16_t kTcpPort = 26'400;
constexpr std::uint32_t kPeerIss = 5'000'000;
constexpr std::uint32_t kStamp = 1'000;  // the clients' clock, which stands still
constexpr std::size_t kTcpOffset = kEthernetBytes + kIpv4Bytes;

/// Takes everything, and keeps it until it is read.
class KeepingPort final : public TxPort {
 public:
  KeepingPort() : buffers_(kKept + kMaxBurst) {
    for (std::size_t i = 0; i < kMaxBurst; ++i) batch_[i].data = buffers_[i].data();
    ready_ = kMaxBurst;
    for (std::size_t i = 0; i < kKept; ++i) spare_[i] = buffers_[kMaxBurst + i].data();
  }
  std::size_t flush() override {
    CHECK(kept_ + used_ <= kKept, "%zu frames are not read", kept_);
    for (std::size_t i = 0; i < used_; ++i) {
      lengths_[kept_] = batch_[i].length;
      std::swap(batch_[i].data, spare_[kept_++]);
    }
    return std::exchange(used_, 0);
  }
  template <class Read>
  void read(Read read) {
    for (std::size_t i = 0; i < kept_; ++i) read(wire::Bytes{spare_[i], lengths_[i]});
    kept_ = 0;
  }

 private:
  bool refill() override {
    flush();
    return true;
  }

  static constexpr std::size_t kKept = 256;
  std::vector<std::array<std::uint8_t, kMaxFrame>> buffers_;
  std::array<std::uint8_t*, kKept> spare_{};  // the first kept_ of them hold frames
  std::array<std::uint32_t, kKept> lengths_{};
  std::size_t kept_ = 0;
};

/// A client's end of its connection: in order, as nothing is lost here.
class TcpClient {
 public:
  explicit TcpClient(std::uint32_t account) : account_(account) { renew(); }

  /// Another connection, from the next port.
  void renew() {
    header_ = tcp::SegmentTemplate(side_of(account_), ++port_, {kOurAddress, kTcpPort, 0, kOurMac});
    next_ = kPeerIss;
    heard_ = echo_ = 0;
    said_ = 0;
    finished_ = false;
    stream_.clear();
  }

  std::size_t segment(std::uint8_t* frame, std::uint8_t flags, wire::Bytes payload = {}) {
    const bool syn = (flags & tcp::kSyn) != 0;
    std::uint8_t* const options = frame + header_.options_offset();
    std::size_t n = 0;
    const auto word = [&](std::uint32_t value) {
      wire::overlay<wire::be32>(options + n) = value;
      n += sizeof value;
    };
    if (syn) word(0x0204'05B4);  // MSS 1460
    word(syn ? 0x0402'080A : 0x0101'080A);
    word(kStamp);
    word(echo_);
    if (syn) word(0x0103'0307);
    if (!payload.empty()) std::memcpy(options + n, payload.data(), payload.size());
    const std::uint16_t window = syn ? 64'240 : 502;
    const std::size_t length = header_.finish(frame, {next_, heard_, window, flags}, n, n + payload.size());
    next_ += static_cast<std::uint32_t>(payload.size()) + ((flags & (tcp::kSyn | tcp::kFin)) != 0);
    said_ = heard_;
    return length;
  }

  void take(const tcp::Segment& segment) {
    CHECK(segment.has(tcp::kSyn) || segment.sequence == heard_, "a segment is missing");
    CHECK(!segment.has(tcp::kRst), "reset");
    heard_ = segment.sequence + segment.length();
    echo_ = segment.ts_value;
    finished_ = finished_ || segment.has(tcp::kFin);
    stream_.insert(stream_.end(), segment.payload.begin(), segment.payload.end());
    std::size_t at = 0;
    for (;;) {
      const soup::Read packet = soup::read(wire::Bytes(stream_).subspan(at));
      if (packet.status != soup::ReadStatus::packet) break;
      at += packet.size;
      logins += packet.type == soup::PacketType::login_accepted;
      if (packet.type != soup::PacketType::sequenced_data) continue;
      ++messages;
      accepted += packet.payload[0] == static_cast<std::uint8_t>(ouch::OrderAccepted::kType);
    }
    stream_.erase(stream_.begin(), stream_.begin() + static_cast<std::ptrdiff_t>(at));
  }

  std::uint32_t unacknowledged() const { return heard_ - said_; }
  bool finished() const { return finished_; }

  std::uint64_t logins = 0, messages = 0, accepted = 0;

 private:
  std::uint32_t account_;
  std::uint16_t port_ = 30'000;
  tcp::SegmentTemplate header_;
  std::uint32_t next_ = 0, heard_ = 0, said_ = 0, echo_ = 0;
  bool finished_ = false;
  std::vector<std::uint8_t> stream_;
};

/// one_trader()'s orders, given to so many accounts in turn.
Traders many_traders(std::uint32_t accounts) {
  Traders traders = one_trader();
  traders.accounts = accounts;
  traders.next = [next = std::move(traders.next), accounts]() {
    Command c = next();
    const std::uint32_t number = c.order.user_ref_num.value - 1;
    c.session = SessionId{static_cast<std::uint16_t>(number % accounts)};
    c.order.user_ref_num = UserRefNum{number / accounts + 1};
    return c;
  };
  return traders;
}

/// chain: a burst until nothing is left to do. idle: a round with nothing to do. replay: a message of the history that
/// a client asks for when it logs in late, its acknowledgements with it.
enum class What { chain, idle, replay };

class SoupChain final : public Runner {
 public:
  SoupChain(What what, std::size_t burst, std::uint32_t accounts)
      : what_(what), burst_(burst), traders_(many_traders(accounts)), config_(over_tcp(config_of(traders_))) {
    for (std::uint32_t i = 0; i < accounts; ++i) {
      clients_.emplace_back(i);
      log_in(clients_.back(), 1);
      settle();
      read();
      CHECK(clients_.back().logins == 1, "account %u is not logged in", i);
    }
    for (std::uint32_t i = 0; i < traders_.filling; i += kFilling) {
      fill(kFilling);
      settle();
      read();
    }
  }

  std::size_t run(std::size_t operations, Meter& meter) override {
    if (what_ == What::idle) return run_idle(operations, meter);
    if (what_ == What::replay) return run_replays(operations, meter);
    const std::uint64_t before = messages(), answers = partition_.transmit().counters().get(TransmitCounter::answers);
    const std::uint64_t accepted = total(&TcpClient::accepted), entered = entered_;
    const EngineCounters& counters = partition_.engine().counters();
    const std::uint64_t commands = counters.get(EngineCounter::commands);
    std::size_t done = 0;
    for (; done < operations; done += burst_) {
      fill(burst_);
      {
        const Metered metered(meter);
        settle();
      }
      read();
    }
    CHECK(counters.get(EngineCounter::commands) == commands + done, "not every segment was an order's");
    CHECK(counters.get(EngineCounter::rejected) == 0, "some were rejected");
    CHECK(total(&TcpClient::accepted) - accepted == entered_ - entered, "not every order was answered");
    CHECK(messages() - before == partition_.transmit().counters().get(TransmitCounter::answers) - answers,
          "not every answer has come");
    return done;
  }

 private:
  static constexpr std::size_t kFilling = 32;

  static Config over_tcp(Config config) {
    config.net.tcp_port = kTcpPort;
    config.engine.cancel_on.assign(config.net.accounts.size(), 0);  // a logout leaves the books as they are
    return config;
  }

  void settle() {
    while (partition_.round()) {
    }
  }

  void read() {
    tx_.read([this](wire::Bytes frame) {
      const auto to = wire::view_as<wire::be32>(frame.subspan(kEthernetBytes + 16))->value();
      const std::size_t ip_bytes = wire::view_as<wire::be16>(frame.subspan(kEthernetBytes + 2))->value();
      tcp::Segment segment;
      const wire::Bytes bytes = frame.subspan(kTcpOffset, ip_bytes - kIpv4Bytes);
      CHECK(tcp::parse_segment(bytes, kOurAddress, to, false, segment) == tcp::kNoTcpDrop, "not a segment");
      clients_[to - kClientAddresses].take(segment);
    });
  }

  void send(TcpClient& client, std::uint8_t flags, wire::Bytes payload = {}) {
    rx_.commit(client.segment(rx_.next(), flags, payload));
  }

  /// A handshake, and the login with what ends it.
  void log_in(TcpClient& client, std::uint64_t wanted) {
    send(client, tcp::kSyn);
    settle();
    read();
    const std::string& user = config_.net.accounts[static_cast<std::size_t>(&client - clients_.data())].user;
    const soup::Framed<soup::LoginRequest> login{.payload = soup::login_request(user, "bench", "", wanted)};
    send(client, tcp::kAck | tcp::kPsh, wire::bytes_of(login));
  }

  void fill(std::size_t burst) {
    for (std::size_t i = 0; i < burst; ++i) {
      const Command c = traders_.next();
      std::array<std::uint8_t, kMaxFrame> packet;
      const std::span<std::uint8_t> room = std::span(packet).subspan(sizeof(soup::Header));
      const bool cancels = c.kind == CommandKind::cancel;
      entered_ += !cancels;
      const std::size_t size = cancels ? ouch::write_message(room, cancel_order(c), ouch::NoOptions{})
                                       : ouch::write_message(room, enter_order(c, traders_.symbols), ouch::NoOptions{});
      soup::begin_packet(packet, soup::PacketType::unsequenced_data, size);
      send(clients_[c.session.value], tcp::kAck | tcp::kPsh, wire::Bytes(packet).first(sizeof(soup::Header) + size));
    }
  }

  std::size_t run_idle(std::size_t operations, Meter& meter) {
    bool worked = false;
    {
      const Metered metered(meter);
      for (std::size_t i = 0; i < operations; ++i) worked |= partition_.round();
    }
    CHECK(!worked, "there was something to do");
    return operations;
  }

  std::size_t run_replays(std::size_t operations, Meter& meter) {
    std::size_t done = 0;
    for (; done < operations; done += kHistory) replay(meter);
    return done;
  }

  /// The client is gone and comes again, for the newest kHistory messages. It acknowledges what has come together.
  void replay(Meter& meter) {
    TcpClient& client = clients_[0];
    const std::uint64_t all = all_messages_ == 0 ? all_messages_ = client.messages : all_messages_;
    constexpr soup::Header kLogout{.length = std::uint16_t{1}, .type = soup::PacketType::logout_request};
    send(client, tcp::kAck | tcp::kPsh, wire::bytes_of(kLogout));
    settle();
    read();
    CHECK(client.finished(), "the logout is not heard");
    send(client, tcp::kAck | tcp::kFin);
    settle();
    rx_.wait(2 * kNsPerSecond);
    settle();
    read();
    client.renew();
    client.messages = 0;
    log_in(client, all - kHistory + 1);
    while (client.messages < kHistory) {
      {
        const Metered metered(meter);
        settle();
      }
      read();
      CHECK(client.unacknowledged() > 0, "%llu messages of the history came",
            static_cast<unsigned long long>(client.messages));
      send(client, tcp::kAck);
    }
    settle();
    CHECK(client.messages == kHistory, "too many messages");
  }

  std::uint64_t total(std::uint64_t TcpClient::*count) const {
    std::uint64_t sum = 0;
    for (const TcpClient& client : clients_) sum += client.*count;
    return sum;
  }
  std::uint64_t messages() const { return total(&TcpClient::messages); }

  static constexpr std::uint64_t kHistory = 4'000;

  What what_;
  std::size_t burst_;
  Traders traders_;
  BurstPort rx_;
  KeepingPort tx_;
  SinkPort feed_;
  Config config_;
  Partition partition_{config_, {rx_, tx_, feed_}, TscClock::calibrated()};
  std::vector<TcpClient> clients_;
  std::uint64_t entered_ = 0;
  std::uint64_t all_messages_ = 0;  // of the history
};

Case soup_case(std::string name, What what, std::size_t burst, std::uint32_t accounts) {
  return {std::move(name), [=] { return std::make_unique<SoupChain>(what, burst, accounts); }};
}

}  // namespace

std::vector<Case> soup_cases() {
  return {
      soup_case("soup/order_burst_1", What::chain, 1, 1),
      soup_case("soup/order_burst_32", What::chain, 32, 1),
      soup_case("soup/order_burst_1_sessions_100", What::chain, 1, 100),
      soup_case("soup/order_burst_1_sessions_500", What::chain, 1, 500),
      soup_case("soup/idle_round", What::idle, 1, 100),
      soup_case("soup/replay_message", What::replay, 1, 1),
  };
}

}  // namespace crosswire::bench
