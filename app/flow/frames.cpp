// Client messages as frames: see frames.hpp. Tools only.
#include "app/flow/frames.hpp"

#include <fmt/format.h>

#include "app/config/config.hpp"
#include "hugepages/base/check.hpp"
#include "netstack/session/session_name.hpp"
#include "netstack/wire/ouch.hpp"

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

AccountConfig flow_account(SessionId session, std::uint64_t epoch_ms) {
  const unsigned number = session.value + 1u;
  AccountConfig account;
  account.user = fmt::format("U{:05}", number);
  // A test's password: it only has to be the same in the login frame and in the configuration.
  account.password = session_name('P', epoch_ms + number * 2'654'435'761ull);
  const std::string firm = session_name('F', number).substr(7);
  account.firm = {'F', firm[0], firm[1], firm[2]};
  account.sources = {{client_address(session.value), 32}};
  return account;
}

OrderEntryFrames::OrderEntryFrames(CaptureWriter& writer, std::int64_t midnight_epoch_ns, std::uint32_t sessions,
                                   std::vector<SymbolName> symbols, TimeNs login_ns)
    : writer_(writer),
      midnight_epoch_ns_(midnight_epoch_ns),
      start_epoch_ms_((static_cast<std::uint64_t>(midnight_epoch_ns) + login_ns) / 1'000'000),
      session_name_(session_name(kOrderSessionPrefix, start_epoch_ms_)),
      symbols_(std::move(symbols)) {
  CHECK(sessions >= 1 && sessions <= kMaxFlowSessions, "%u sessions", sessions);
  const NetConfig exchange = flow_exchange();
  const Station to{exchange.mac, 0, exchange.address};
  for (std::uint32_t session = 0; session < sessions; ++session) {
    const AccountConfig account = flow_account(SessionId{static_cast<std::uint16_t>(session)}, start_epoch_ms_);
    clients_.push_back(
        {.to_exchange = DatagramTemplate(client_side(session), client_port(session), to, exchange.order_port, kTtl),
         .orders = client::OrderClient(account.user, account.password)});
  }
  for (std::uint32_t session = 0; session < sessions; ++session) log_in(session, login_ns);
}

void OrderEntryFrames::log_in(std::uint32_t session, TimeNs time_ns) {
  Client& client = clients_[session];
  write(client, client.orders.login(payload(client)), time_ns);
  client.orders.assume_session(std::string_view(session_name_));
  due_.push({time_ns + kClientHeartbeatNs, session});
}

void OrderEntryFrames::send(const FlowMessage& message) {
  heartbeats(message.time_ns);
  CHECK(message.session.value < clients_.size(), "session %u", message.session.value);
  Client& client = clients_[message.session.value];
  client.orders.begin(payload(client));
  const bool fits = add(client.orders, message);
  CHECK(fits, "one message does not fit a datagram of %zu bytes", kMaxUdpPayload);
  write(client, client.orders.finish(), message.time_ns);
}

bool OrderEntryFrames::add(client::OrderClient& orders, const FlowMessage& message) const {
  namespace ouch = wire::ouch;
  switch (message.kind) {
    case CommandKind::enter:
      CHECK(message.symbol.value >= 1 && message.symbol.value <= symbols_.size(), "symbol %u", message.symbol.value);
      return orders.add(ouch::EnterOrder{.user_ref_num = message.user_ref_num.value,
                                         .side = static_cast<char>(message.side),
                                         .quantity = message.quantity,
                                         .symbol = symbols_[message.symbol.value - 1u],
                                         .price = std::uint64_t{message.price.value},
                                         .time_in_force = static_cast<char>(message.time_in_force),
                                         .display = 'Y',
                                         .capacity = 'A',
                                         .iso = 'N',
                                         .cross_type = 'N',
                                         .cl_ord_id = cl_ord_id_text(message.cl_ord_id)});
    case CommandKind::replace:
      return orders.add(ouch::ReplaceOrder{.orig_user_ref_num = message.orig_user_ref_num.value,
                                           .user_ref_num = message.user_ref_num.value,
                                           .quantity = message.quantity,
                                           .price = std::uint64_t{message.price.value},
                                           .time_in_force = static_cast<char>(message.time_in_force),
                                           .display = 'Y',
                                           .iso = 'N',
                                           .cl_ord_id = cl_ord_id_text(message.cl_ord_id)});
    case CommandKind::cancel:
      return orders.add(ouch::CancelOrder{.user_ref_num = message.user_ref_num.value, .quantity = message.quantity});
    case CommandKind::modify:
      return orders.add(ouch::ModifyOrder{.user_ref_num = message.user_ref_num.value,
                                          .side = static_cast<char>(message.side),
                                          .quantity = message.quantity});
    default:
      CHECK(false, "a client does not send kind %u", static_cast<unsigned>(message.kind));
  }
}

void OrderEntryFrames::heartbeats(TimeNs until_ns) {
  while (due_.top().at_ns <= until_ns) {
    const Due due = due_.top();
    due_.pop();
    Client& client = clients_[due.session];
    if (client.last_sent_ns + kClientHeartbeatNs <= due.at_ns) {
      write(client, client.orders.heartbeat(payload(client)), due.at_ns);
    }
    due_.push({client.last_sent_ns + kClientHeartbeatNs, due.session});
  }
}

void OrderEntryFrames::finish(TimeNs until_ns) { heartbeats(until_ns); }

void OrderEntryFrames::write(Client& client, std::size_t payload_size, TimeNs time_ns) {
  const std::size_t length = client.to_exchange.finish(frame_.data(), payload_size);
  writer_.write(midnight_epoch_ns_ + static_cast<std::int64_t>(time_ns), {frame_.data(), length});
  client.last_sent_ns = time_ns;
}

}  // namespace crosswire
