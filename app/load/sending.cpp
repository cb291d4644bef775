// What the load generator sends: see client.hpp. On its one polling thread.
#include <rte_arp.h>
#include <rte_byteorder.h>
#include <rte_ether.h>

#include <array>
#include <cstring>

#include "app/load/client.hpp"
#include "netstack/common/limits.hpp"
#include "netstack/frame_writer/arp_reply.hpp"
#include "netstack/wire/ouch.hpp"

namespace crosswire {
namespace {

namespace mold = wire::mold;

/// From when something is found missing to when it is asked for, so that what is only out of order can come by itself.
constexpr TimeNs kAskAfterNs = 2'000'000;
constexpr TimeNs kLookForGapsNs = 250'000;

}  // namespace

bool LoadClient::put_frame(const LoadFrame& frame) {
  std::uint8_t* const room = tx_.reserve();
  if (room == nullptr) return false;
  if (frame.size <= LoadFrame::kReadable) [[likely]] {
    std::memcpy(room, frame.bytes, LoadFrame::kReadable);  // of constant size: else it would be a call
  } else {
    std::memcpy(room, frame.bytes, frame.size);
  }
  tx_.commit(frame.size, {});
  return true;
}

bool LoadClient::send_frame(const LoadFrame& frame) {
  if (!(connections_ == nullptr ? put_frame(frame) : put_in_stream(frame))) {
    ++figures_.tx_blocked;
    return false;
  }
  const LoadMessage& message = message_of(frame.message);
  ++sent_;
  if (measured(message)) {
    ++figures_.sent;
    ++figures_.sent_by_kind[static_cast<std::size_t>(message.kind)];
  }
  source_->pop();
  return true;
}

template <class Write>
bool LoadClient::send(Session& session, Write&& write) {
  std::uint8_t* const frame = tx_.reserve();
  if (frame == nullptr) return false;
  const std::size_t size = write(std::span<std::uint8_t>(frame + session.to_exchange.payload_offset(), kMaxUdpPayload));
  tx_.commit(session.to_exchange.finish(frame, size), {});
  return true;
}

void LoadClient::send_login(Session& session) {
  send(session, [&session](std::span<std::uint8_t> room) { return session.orders.login(room); });
}

void LoadClient::send_query(Session& session) {
  const auto write = [&session](std::span<std::uint8_t> room) {
    session.orders.begin(room);
    session.orders.add(wire::ouch::AccountQuery{});
    return session.orders.finish();
  };
  if (connections_ == nullptr) {
    send(session, write);
    return;
  }
  std::array<std::uint8_t, kMaxUdpPayload> mold;
  connections_->send_orders(static_cast<std::uint32_t>(&session - sessions_.data()), {mold.data(), write(mold)});
}

void LoadClient::send_logout(Session& session) {
  send(session, [&session](std::span<std::uint8_t> room) { return session.orders.logout(room); });
}

bool LoadClient::send_arp() {
  std::uint8_t* const frame = tx_.reserve();
  if (frame == nullptr) return false;
  const LoadParty& us = options_.parties.front();
  // A request is the reply's layout with another operation and no target.
  const Station everybody{{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}, options_.vlan, options_.server.address};
  const std::size_t size = write_arp_reply(frame, side_of(us), everybody);
  auto& arp =
      *reinterpret_cast<rte_arp_hdr*>(frame + sizeof(rte_ether_hdr) + (options_.vlan == 0 ? 0 : sizeof(rte_vlan_hdr)));
  arp.arp_opcode = rte_cpu_to_be_16(RTE_ARP_OP_REQUEST);
  std::memset(arp.arp_data.arp_tha.addr_bytes, 0, RTE_ETHER_ADDR_LEN);
  tx_.commit(size, {});
  return true;
}

bool LoadClient::send_feed_request(const mold::Header& header) {
  std::uint8_t* const frame = tx_.reserve();
  if (frame == nullptr) return false;
  wire::overlay<mold::Header>(frame + to_feed_requests_.payload_offset()) = header;
  tx_.commit(to_feed_requests_.finish(frame, sizeof header), {});
  return true;
}

/// Asks for what did not come, each stream at most once in kAskAfterNs. Looks only now and then: there may be many.
void LoadClient::ask_again() {
  if (options_.floor || now_ns_ < next_look_ns_) return;
  next_look_ns_ = now_ns_ + kLookForGapsNs;
  if (connections_ == nullptr) ask_for_answers();
  if (feed_.complete()) {
    next_feed_ask_ns_ = now_ns_ + kAskAfterNs;
  } else if (now_ns_ >= next_feed_ask_ns_ && send_feed_request(*feed_.request())) {
    next_feed_ask_ns_ = now_ns_ + kAskAfterNs;
  }
}

void LoadClient::ask_for_answers() {
  for (Session& session : sessions_) {
    if (session.answers.complete()) {
      session.next_ask_ns = now_ns_ + kAskAfterNs;
    } else if (now_ns_ >= session.next_ask_ns) {
      const auto header = session.answers.request();
      const auto put = [&header](std::span<std::uint8_t> room) {
        wire::overlay<mold::Header>(room.data()) = *header;
        return sizeof *header;
      };
      if (send(session, put)) session.next_ask_ns = now_ns_ + kAskAfterNs;
    }
  }
}

void LoadClient::keep_alive() {
  if (options_.floor || connections_ != nullptr || now_ns_ < keep_alive_ns_) return;
  for (Session& session : sessions_) {
    if (!session.answers.begun()) continue;
    send(session, [&session](std::span<std::uint8_t> room) { return session.orders.heartbeat(room); });
  }
  keep_alive_ns_ = now_ns_ + kKeepAliveNs;
}

}  // namespace crosswire
