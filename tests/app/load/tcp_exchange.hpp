// An exchange in a few lines for tests of the load generator over TCP: a SoupBinTCP server on our own TCP, behind a
// link that does to frames what a seed says. It answers each order, and does wrong what it is told to. Virtual time.
// Tests only.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "app/load/client.hpp"
#include "netstack/client/soup_packets.hpp"
#include "netstack/port/impairments.hpp"
#include "tests/app/load/load_exchange.hpp"
#include "tests/netstack/tcp/station.hpp"

namespace crosswire::test {

/// What the server does wrong. Orders are counted over all sessions, from 1: Enters and Cancels.
struct SoupFaults {
  bool refuse_logins = false;
  bool ignore_logins = false;
  bool speak_http = false;
  bool no_heartbeats = false;
  bool answer_in_halves = false;        // of each answer the second half comes half a millisecond later
  std::uint64_t end_day_at = 0;         // at this order: Z, and no answer
  std::uint64_t close_at = 0;           // at this order: a word and FIN to who sent it, and no answer
  std::uint64_t reset_at = 0;           // at this order: RST to who sent it
  std::uint64_t nonsense_at = 0;        // at this order: a length of 0
  std::set<std::uint64_t> ignore = {};  // these have no answer
};

class SoupExchange final : public tcp::StreamReader, public tcp::StreamWriter {
 public:
  SoupFaults faults;
  std::uint64_t orders = 0, logins = 0, logouts = 0, heartbeats = 0, finished_by_client = 0;
  std::map<tcp::EndReason, std::size_t> ends;
  std::set<std::pair<std::string, std::uint32_t>> entered;  // user and UserRefNum
  std::uint64_t entered_twice = 0;

  void write_to(tcp::SendHalf& half) { half_ = &half; }

  /// What is due by itself.
  void advance_to(TimeNs now) {
    now_ = now;
    while (!later_.empty() && later_.begin()->first <= now) {
      auto [id, rest] = later_.begin()->second;
      later_.erase(later_.begin());
      write(id, rest);
    }
    if (faults.no_heartbeats || now < heartbeat_ns_) return;
    heartbeat_ns_ = now + kNsPerSecond;
    for (auto& [id, connection] : connections_) {
      if (connection.session != nullptr) put(id, soup_packet('H'));
    }
  }

  void opened(tcp::ConnectionId id, const tcp::Remote&, std::uint16_t) override { connections_[id] = {}; }
  Taken take(tcp::ConnectionId id, wire::Bytes bytes) override {
    taken_ = id;
    Connection& connection = connections_.at(id);
    connection.packets.take(bytes, [&](const client::SoupPackets::Packet& packet) {
      if (!connection.closed) take_packet(id, static_cast<char>(packet.type), packet.payload);
    });
    taken_.reset();
    if (connection.closed) connections_.erase(id);
    return {bytes.size(), tcp::kNoNumber};
  }
  void finished(tcp::ConnectionId id) override {
    ++finished_by_client;
    half_->finish(id);
  }
  void gone(tcp::ConnectionId, tcp::EndReason) override {}
  void ready(tcp::ConnectionId id) override {
    connections_.at(id).ready = true;
    offer(id);
  }
  void copy(tcp::ConnectionId id, std::uint64_t offset, std::span<std::uint8_t> to) override {
    const Connection& connection = connections_.at(id);
    std::copy_n(connection.out.begin() + static_cast<std::ptrdiff_t>(offset - connection.forgotten), to.size(),
                to.begin());
  }
  void acknowledged(tcp::ConnectionId id, std::uint64_t offset) override {
    Connection& connection = connections_.at(id);
    connection.out.erase(connection.out.begin(),
                         connection.out.begin() + static_cast<std::ptrdiff_t>(offset - connection.forgotten));
    connection.forgotten = offset;
  }
  void heard(tcp::ConnectionId id) override { offer(id); }
  void finished_by_peer(tcp::ConnectionId) override {}
  void closed(tcp::ConnectionId id, tcp::EndReason reason) override {
    ++ends[reason];
    if (taken_ == id) {
      connections_.at(id).closed = true;  // its packets are under way
    } else {
      connections_.erase(id);
    }
  }

 private:
  struct Session {
    std::string user;
    std::uint64_t answers = 0;
    std::uint32_t next_ref = 1;
    std::set<std::uint32_t> resting;
  };
  struct Connection {
    client::SoupPackets packets;
    bool closed = false;
    Session* session = nullptr;
    bool ready = false;
    std::deque<std::uint8_t> out;  // not acknowledged
    std::uint64_t forgotten = 0;   // bytes before these
    std::uint64_t offered = 0;
  };

  void offer(tcp::ConnectionId id) {
    Connection& connection = connections_.at(id);
    const std::uint64_t written = connection.forgotten + connection.out.size();
    if (!connection.ready || written == connection.offered) return;
    half_->extend(id, static_cast<std::uint32_t>(written - connection.offered));
    connection.offered = written;
  }
  void put(tcp::ConnectionId id, const Payload& bytes) {
    std::deque<std::uint8_t>& out = connections_.at(id).out;
    out.insert(out.end(), bytes.begin(), bytes.end());
    offer(id);
  }
  /// In order: what waits for its second half holds up what is behind it.
  void write(tcp::ConnectionId id, const Payload& bytes) {
    if (connections_.contains(id)) put(id, bytes);
  }

  void answer(tcp::ConnectionId id, const Payload& message) {
    ++connections_.at(id).session->answers;
    const Payload packet = soup_packet('S', message);
    if (!faults.answer_in_halves) return put(id, packet);
    const auto middle = packet.begin() + static_cast<std::ptrdiff_t>(packet.size() / 2);
    put(id, {packet.begin(), middle});
    later_.emplace(now_ + 500 * kUs, std::pair{id, Payload(middle, packet.end())});
  }

  void take_packet(tcp::ConnectionId id, char type, wire::Bytes payload) {
    Connection& connection = connections_.at(id);
    if (type == 'L') return take_login(id, connection, payload);
    if (type == 'R') ++heartbeats;
    if (type == 'O') ++logouts;
    if (type == 'U' && connection.session != nullptr) take_message(id, *connection.session, payload);
  }

  void take_login(tcp::ConnectionId id, Connection& connection, wire::Bytes payload) {
    if (faults.ignore_logins) return;
    if (faults.speak_http) return put(id, {0, 0, 'H', 'T', 'T', 'P'});
    if (faults.refuse_logins) return put(id, soup_packet('J', letter('A')));
    ++logins;
    const auto* const login = wire::view_as<wire::soup::LoginRequest>(payload);
    const std::string user(login->username.text());
    connection.session = &sessions_[user];
    connection.session->user = user;
    put(id, soup_packet('A', bytes(wire::soup::login_accepted(kOrderSession, connection.session->answers + 1))));
  }

  void take_message(tcp::ConnectionId id, Session& session, wire::Bytes message) {
    namespace ouch = wire::ouch;
    if (message[0] == 'Q') {
      return answer(
          id, bytes(ouch::AccountQueryResponse{.timestamp = std::uint64_t{1}, .next_user_ref_num = session.next_ref}));
    }
    if (do_wrong(id, ++orders)) return;
    if (const auto* const enter = wire::view_as<ouch::EnterOrder>(message); message[0] == 'O' && enter != nullptr) {
      const std::uint32_t ref = enter->user_ref_num;
      entered_twice += !entered.emplace(session.user, ref).second;
      session.next_ref = ref + 1;
      answer(id, answer_accepted(*enter, ++references_));
      if (enter->time_in_force == '3') {
        answer(id, answer_executed(*enter, ++matches_));
      } else {
        session.resting.insert(ref);
      }
      return;
    }
    const auto* const cancel = wire::view_as<ouch::CancelOrder>(message);
    if (session.resting.erase(cancel->user_ref_num) == 1) answer(id, answer_canceled(cancel->user_ref_num));
  }

  bool do_wrong(tcp::ConnectionId id, std::uint64_t order) {
    if (order == faults.end_day_at) {
      put(id, soup_packet('Z'));
    } else if (order == faults.close_at) {
      put(id, soup_packet('+', {'t', 'o', 'o', ' ', 's', 'l', 'o', 'w'}));
      half_->finish(id);
    } else if (order == faults.reset_at) {
      half_->abort(id);
    } else if (order == faults.nonsense_at) {
      put(id, {0, 0});
    } else {
      return faults.ignore.contains(order);
    }
    return true;
  }

  tcp::SendHalf* half_ = nullptr;
  std::optional<tcp::ConnectionId> taken_;  // whose packets are under way
  std::map<tcp::ConnectionId, Connection> connections_;
  std::map<std::string, Session> sessions_;  // by user
  std::multimap<TimeNs, std::pair<tcp::ConnectionId, Payload>> later_;
  TimeNs now_ = 0;
  TimeNs heartbeat_ns_ = 0;
  std::uint64_t references_ = 0, matches_ = 0;
};

inline constexpr TimeNs kLinkNs = 5 * kUs;  // of the link of a rig, one way

/// A client and a service above TCP, a link between them, a step at a time.
class TcpLoadRig {
 public:
  /// `service`: what stands above the server's TCP.
  TcpLoadRig(const LoadOptions& options, tcp::StreamReader& reader, tcp::StreamWriter& writer,
             const ImpairmentConfig& link)
      : server(config(options), net(options), reader, writer),
        client(options, rx, tx),
        there_(link, seed_of(7, 0)),
        back_(link, seed_of(7, 1)) {
    server.set_now(now_ns);
  }

  bool get_ready() {
    while (!client.ready()) {
      if (!step()) return false;
    }
    return true;
  }
  const LoadFigures& run() {
    client.start();
    while (step()) {
    }
    for (int i = 0; i < 100; ++i) step();  // what is still on the link
    return client.figures();
  }
  const LoadFigures& run_all() {
    if (!get_ready()) return client.figures();
    return run();
  }

  bool step() {
    now_ns += step_ns;
    std::vector<FrameBytes> frames = due(to_client_);
    bool goes_on = true;
    do {
      const std::size_t count = std::min(frames.size(), kMaxBurst);
      const auto end = frames.begin() + static_cast<std::ptrdiff_t>(count);
      rx.push_burst(now_ns, {frames.begin(), end});
      frames.erase(frames.begin(), end);
      goes_on = client.poll();
    } while (!frames.empty());
    for (MemoryTxPort::Sent& sent : tx.take_frames()) put(there_, to_server_, std::move(sent.bytes));
    if (dead) {
      due(to_server_);
      return goes_on;
    }
    if (each_step) each_step(now_ns);
    const std::vector<FrameBytes> arrived = due(to_server_);
    // What the service has put, what has come, and now and then what is due: all of it each time would take too long.
    server.set_now(now_ns);
    if (now_ns >= look_ns_) {
      server.advance_to(now_ns);
      look_ns_ = now_ns + 20 * kUs;
    }
    for (const FrameBytes& frame : arrived) server.inject(frame);
    for (TcpStation::Frame& frame : server.take_frames()) put(back_, to_client_, std::move(frame.bytes));
    return goes_on;
  }

  std::function<void(TimeNs)> each_step;  // the service's own time
  bool dead = false;                      // the server's machine is
  TimeNs now_ns = 1'000 * kMilli;
  TimeNs step_ns = kUs;
  MemoryRxPort rx;
  MemoryTxPort tx;
  TcpStation server;
  LoadClient client;

 private:
  using Wire = std::multimap<TimeNs, FrameBytes>;

  static tcp::TcpConfig config(const LoadOptions& options) {
    tcp::TcpConfig config;
    config.connections = static_cast<std::uint16_t>(options.parties.size() + 4);
    config.backlog = std::min<std::uint16_t>(64, config.connections);
    config.receive_bytes = 16'384;
    config.ports = {kOrderPort};
    config.secret = {3, 4};
    return config;
  }
  static NetConfig net(const LoadOptions& options) {
    NetConfig net;
    net.mac = kOurMac;
    net.address = options.server.address;
    return net;
  }

  void put(Impairments& link, Wire& wire, FrameBytes frame) {
    const Impairments::Fate fate = link.next(now_ns, static_cast<std::uint32_t>(frame.size()));
    for (std::size_t i = 0; i < fate.count; ++i) {
      FrameBytes copy = frame;
      Impairments::flip(fate, copy);
      // What Ethernet's own check would not let through: TCP's does not cover a MAC address.
      if (!std::equal(frame.begin(), frame.begin() + kEthernetBytes, copy.begin())) continue;
      const TimeNs late = fate.copies[i].overtakers > 0 ? 60 * kUs : 0;
      wire.emplace(std::max(fate.copies[i].leaves_ns, now_ns) + late, std::move(copy));
    }
  }
  std::vector<FrameBytes> due(Wire& wire) const {
    std::vector<FrameBytes> frames;
    while (!wire.empty() && wire.begin()->first <= now_ns) {
      frames.push_back(std::move(wire.begin()->second));
      wire.erase(wire.begin());
    }
    return frames;
  }

  Impairments there_, back_;
  Wire to_server_, to_client_;
  TimeNs look_ns_ = 0;
};

/// With a SoupBinTCP server.
class SoupLoadRig {
 public:
  explicit SoupLoadRig(const LoadOptions& options, const ImpairmentConfig& link = {.delay_ns = kLinkNs})
      : rig(options, exchange, exchange, link) {
    exchange.write_to(rig.server.send());
    rig.each_step = [this](TimeNs now_ns) { exchange.advance_to(now_ns); };
  }

  SoupExchange exchange;
  TcpLoadRig rig;
};

/// As load_options(), over TCP, and without a feed.
inline LoadOptions tcp_load_options(std::size_t connections = 1) {
  LoadOptions options = load_options();
  options.server.feed_enabled = false;
  options.tcp = {.port = kOrderPort, .secret = {1, 2}, .hugepages = HugepagePolicy::off};
  const LoadParty first = options.parties.front();
  options.parties.clear();
  for (std::size_t i = 0; i < connections; ++i) {
    options.parties.push_back(
        {first.mac, first.address, static_cast<std::uint16_t>(40'000 + i), "U" + std::to_string(10'000 + i), "secret"});
  }
  return options;
}

}  // namespace crosswire::test
