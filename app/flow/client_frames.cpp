// What clients send as frames: see the header. Tools only.
#include "app/flow/client_frames.hpp"

#include <algorithm>
#include <utility>

#include "app/config/config.hpp"
#include "hugepages/base/check.hpp"
#include "netstack/session/session_name.hpp"
#include "netstack/wire/soup.hpp"

namespace crosswire {
namespace {

constexpr std::uint32_t kNetwork = 0x0A630000;  // 10.99.0.0/16, the exchange is 10.99.0.1
constexpr std::uint32_t kHostsPerOctet = 250;
constexpr std::uint16_t kFirstClientPort = 30'000;
constexpr std::uint32_t kClientPorts = 20'000;
constexpr std::uint8_t kTtl = 64;

static_assert(kMaxFlowSessions / kHostsPerOctet + 1 <= 255);

/// 10.99.1.1 .. 10.99.1.250, 10.99.2.1 ..
std::uint32_t client_address(std::uint32_t session) {
  return kNetwork + ((session / kHostsPerOctet + 1) << 8) + session % kHostsPerOctet + 1;
}

/// The client as the sender of frames.
NetConfig client_side(std::uint32_t session) {
  NetConfig client;
  client.mac = {0x02, 0x00, 0x01, 0x00, static_cast<std::uint8_t>(session >> 8), static_cast<std::uint8_t>(session)};
  client.address = client_address(session);
  return client;
}

std::uint16_t client_port(std::uint32_t session) {
  return static_cast<std::uint16_t>(kFirstClientPort + session % kClientPorts);
}

}  // namespace

NetConfig flow_exchange() {
  NetConfig exchange;
  exchange.mac = kReplayMac;
  exchange.address = kNetwork + 1;
  return exchange;
}

ClientFrames::ClientFrames(CaptureWriter& writer, std::int64_t midnight_epoch_ns, TimeNs start_ns)
    : writer_(writer),
      midnight_epoch_ns_(midnight_epoch_ns),
      start_epoch_ms_((static_cast<std::uint64_t>(midnight_epoch_ns) + start_ns) / 1'000'000),
      session_name_(session_name(kOrderSessionPrefix, start_epoch_ms_)) {}

SessionId ClientFrames::add(AccountConfig account) {
  CHECK(clients_.size() < kMaxFlowSessions, "%zu sessions", clients_.size());
  const auto session = static_cast<std::uint16_t>(clients_.size());
  // A test's password: it only has to be the same in the login frame and in the configuration.
  account.password = session_name('P', start_epoch_ms_ + (session + 1u) * 2'654'435'761ull);
  account.sources = {{client_address(session), 32}};
  accounts_.push_back(std::move(account));
  const NetConfig exchange = flow_exchange();
  const Station to{exchange.mac, 0, exchange.address};
  clients_.push_back(
      {.to_exchange = DatagramTemplate(client_side(session), client_port(session), to, exchange.order_port, kTtl)});
  return SessionId{session};
}

void ClientFrames::log_in(SessionId session, TimeNs time_ns) {
  heartbeats(time_ns);
  Client& client = clients_[session.value];
  const AccountConfig& account = accounts_[session.value];
  using Login = wire::soup::Framed<wire::soup::LoginRequest>;
  wire::overlay<Login>(payload(client).data()) = {.payload =
                                                      wire::soup::login_request(account.user, account.password, "", 1)};
  write(client, sizeof(Login), time_ns);
  client.next_number = 1;
  client.logged_in = true;
  if (!client.due) plan_heartbeat(session.value);
}

void ClientFrames::send(SessionId session, wire::Bytes message, TimeNs time_ns) {
  heartbeats(time_ns);
  CHECK(session.value < clients_.size(), "session %u", session.value);
  Client& client = clients_[session.value];
  wire::mold::PacketWriter packet(payload(client));
  std::uint8_t* const at = packet.try_append(message.size());
  CHECK(at != nullptr, "%zu bytes do not fit a datagram of %zu bytes", message.size(), kMaxUdpPayload);
  std::copy(message.begin(), message.end(), at);
  write(client, packet.finish(session_name_, client.next_number++), time_ns);
}

void ClientFrames::log_out(SessionId session, TimeNs time_ns) {
  heartbeats(time_ns);
  Client& client = clients_[session.value];
  write_empty(client, wire::soup::PacketType::logout_request, time_ns);
  client.logged_in = false;
}

void ClientFrames::fall_silent(SessionId session, TimeNs time_ns) {
  heartbeats(time_ns);
  clients_[session.value].logged_in = false;
}

void ClientFrames::heartbeats(TimeNs until_ns) {
  while (!due_.empty() && due_.top().at_ns <= until_ns) {
    const Due due = due_.top();
    due_.pop();
    heartbeat(due);
  }
}

void ClientFrames::heartbeat(const Due& due) {
  Client& client = clients_[due.session];
  client.due = false;
  if (!client.logged_in) return;
  if (client.last_sent_ns + kClientHeartbeatNs <= due.at_ns) {
    write_empty(client, wire::soup::PacketType::client_heartbeat, due.at_ns);
  }
  plan_heartbeat(due.session);
}

void ClientFrames::plan_heartbeat(std::uint32_t session) {
  Client& client = clients_[session];
  due_.push({client.last_sent_ns + kClientHeartbeatNs, session});
  client.due = true;
}

void ClientFrames::write_empty(Client& client, wire::soup::PacketType type, TimeNs time_ns) {
  wire::overlay<wire::soup::Header>(payload(client).data()) = {.length = std::uint16_t{1}, .type = type};
  write(client, sizeof(wire::soup::Header), time_ns);
}

void ClientFrames::write(Client& client, std::size_t payload_size, TimeNs time_ns) {
  const std::size_t length = client.to_exchange.finish(frame_.data(), payload_size);
  writer_.write(midnight_epoch_ns_ + static_cast<std::int64_t>(time_ns), {frame_.data(), length});
  client.last_sent_ns = time_ns;
}

}  // namespace crosswire
