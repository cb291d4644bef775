// What the load generator takes in, and what answers mean: see client.hpp. On its one polling thread.
#include <fmt/format.h>
#include <rte_arp.h>
#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include <algorithm>

#include "app/load/client.hpp"
#include "hugepages/base/check.hpp"
#include "netstack/link/ethernet.hpp"
#include "netstack/wire/itch.hpp"
#include "netstack/wire/ouch.hpp"
#include "netstack/wire/soup.hpp"

namespace crosswire {
namespace {

namespace itch = wire::itch;
namespace mold = wire::mold;
namespace ouch = wire::ouch;
namespace soup = wire::soup;

/// Where a floor's frames go that sends everything back as it is but for the MAC addresses, ARP requests too.
constexpr MacAddress kMirrorMac{0x02, 0, 0, 0, 0, 0x01};

template <class Message>
const Message* as(wire::Bytes message) {
  return wire::view_as<Message>(message);
}

}  // namespace

// --- frames in -------------------------------------------------------------------------------------------------------

void LoadClient::take(const RxFrame& frame) {
  wire::Bytes bytes(frame.data, frame.length);
  if (bytes.size() < sizeof(rte_ether_hdr)) return;
  const auto ether = link::header_at<rte_ether_hdr>(bytes.data());
  std::uint16_t type = rte_be_to_cpu_16(ether.ether_type);
  bytes = bytes.subspan(sizeof ether);
  if (type == RTE_ETHER_TYPE_VLAN && bytes.size() >= sizeof(rte_vlan_hdr)) {
    type = rte_be_to_cpu_16(link::header_at<rte_vlan_hdr>(bytes.data()).eth_proto);
    bytes = bytes.subspan(sizeof(rte_vlan_hdr));
  }
  if (type == RTE_ETHER_TYPE_IPV4) [[likely]] {
    take_udp(bytes);
  } else if (type == RTE_ETHER_TYPE_ARP) {
    take_arp(bytes);
  }
}

void LoadClient::take_arp(wire::Bytes bytes) {
  if (bytes.size() < sizeof(rte_arp_hdr)) return;
  const auto arp = link::header_at<rte_arp_hdr>(bytes.data());
  const bool mirrored = options_.floor && arp.arp_opcode == rte_cpu_to_be_16(RTE_ARP_OP_REQUEST) &&
                        rte_be_to_cpu_32(arp.arp_data.arp_sip) == options_.parties.front().address;
  if (mirrored && !server_mac_) server_mac_ = kMirrorMac;
  const bool reply = arp.arp_opcode == rte_cpu_to_be_16(RTE_ARP_OP_REPLY);
  if (!reply || rte_be_to_cpu_32(arp.arp_data.arp_sip) != options_.server.address) return;
  server_mac_ = link::mac_address(arp.arp_data.arp_sha);
}

void LoadClient::take_udp(wire::Bytes ip) {
  if (ip.size() < sizeof(rte_ipv4_hdr)) return;
  const auto header = link::header_at<rte_ipv4_hdr>(ip.data());
  const std::size_t header_size = (header.version_ihl & 15u) * 4u;
  if (header.next_proto_id != IPPROTO_UDP || ip.size() < header_size + sizeof(rte_udp_hdr)) return;
  const std::uint32_t to = rte_be_to_cpu_32(header.dst_addr);
  const bool mirrored = options_.floor && to == options_.server.address;
  if (!mirrored && rte_be_to_cpu_32(header.src_addr) != options_.server.address) return;
  const auto udp = link::header_at<rte_udp_hdr>(ip.data() + header_size);
  const std::size_t length = rte_be_to_cpu_16(udp.dgram_len);
  if (length < sizeof udp || header_size + length > ip.size()) {
    ++figures_.malformed;
    return;
  }
  last_heard_ns_ = now_ns_;
  const wire::Bytes payload = ip.subspan(header_size + sizeof udp, length - sizeof udp);
  const std::uint16_t to_port = rte_be_to_cpu_16(mirrored ? udp.src_port : udp.dst_port);
  const bool of_feed =
      (to == options_.server.feed_group && to_port == options_.server.feed_port) || to_port == options_.feed_asker_port;
  if (of_feed) {
    take_feed(payload);
  } else if (const std::uint16_t session = session_of_port_[to_port]; session != kNoLoadParty) {
    take_orders(session, payload);
  }
}

void LoadClient::take_orders(std::uint32_t number, wire::Bytes payload) {
  Session& session = sessions_[number];
  if (!payload.empty() && payload[0] == 0) {
    take_soup(session, payload);
    return;
  }
  const mold::Header* const header = as<mold::Header>(payload);
  if (header == nullptr || !session.answers.begun() || !session.answers.is(header->session)) {
    figures_.malformed += header == nullptr || !session.answers.begun();
    return;
  }
  std::uint64_t at = header->sequence;
  mold::BlockReader blocks(payload);
  for (; blocks.next(); ++at) {
    if (session.answers.take(at)) take_answer(number, blocks.block());
  }
  figures_.malformed += blocks.fault() != mold::BlockFault::none;
  if (header->count == mold::kHeartbeat || header->count == mold::kEndOfSession) session.answers.heard_of(at);
  if (header->count == mold::kEndOfSession && stage_ < Stage::leave) fail("the server has ended a session");
}

void LoadClient::take_soup(Session& session, wire::Bytes payload) {
  const client::Answer answer = session.orders.take(payload, [](std::uint64_t, wire::Bytes) {});
  if (answer == client::Answer::remark) {
    remark_ = session.orders.remark();
  } else if (answer == client::Answer::no_session) {
    if (stage_ < Stage::leave) fail(fmt::format("the server has no session of ours any more ({})", remark_));
  } else if (answer == client::Answer::login_refused) {
    // A login that names no session is put off, not refused, by an S: it is sent again.
    if (session.orders.refusal() != static_cast<char>(soup::RejectCode::session_not_available)) {
      refusal_ = session.orders.refusal();
    }
  } else if (answer == client::Answer::logged_in && !session.answers.begun()) {
    // Messages from before are another day's work.
    const auto* const accepted = as<soup::LoginAccepted>(soup::read_datagram(payload).payload);
    CHECK(accepted != nullptr, "a login's answer of %zu bytes", payload.size());
    wire::alpha<10> name;
    name.set(accepted->session.text());
    session.answers.begin(name, accepted->sequence.decimal().value_or(1));
  } else if (answer != client::Answer::logged_in) {
    ++figures_.malformed;
  }
}

void LoadClient::take_answer(std::uint32_t number, wire::Bytes message) {
  if (message.empty()) return;
  if (static_cast<char>(message[0]) == ouch::AccountQueryResponse::kType) {
    const auto* const response = as<ouch::AccountQueryResponse>(message);
    Session& session = sessions_[number];
    if (response != nullptr && session.next_ref == 0) session.next_ref = response->next_user_ref_num;
    return;
  }
  if (source_ == nullptr) return;
  const auto find = [this, number](std::uint32_t ref) { return source_->find(number, ref); };
  switch (static_cast<char>(message[0])) {
    case ouch::OrderAccepted::kType:
      if (const auto* const accepted = as<ouch::OrderAccepted>(message)) {
        const std::uint32_t order = find(accepted->user_ref_num);
        if (order == LoadMessage::kNone) return;
        LoadMessage& known = message_of(order);
        const bool crossing = known.kind == LoadKind::cross;
        acknowledged(known, crossing ? LoadLatency::ack_cross : LoadLatency::ack_add);
        if (accepted->order_state == 'D') known.ended = true;
        if (crossing || options_.floor) return;
        Join::Entry& entry = by_reference_.at(accepted->order_ref);
        entry.message = order;
        feed_open_ += expects_feed();  // else it may have executed at once
        if (entry.seen_ns != 0) note_feed(entry, LoadLatency::feed_add);
      }
      return;
    case ouch::OrderCanceled::kType:
      if (const auto* const answer = as<ouch::OrderCanceled>(message)) canceled(find(answer->user_ref_num));
      return;
    case ouch::OrderExecuted::kType:
      if (const auto* const answer = as<ouch::OrderExecuted>(message)) {
        executed(find(answer->user_ref_num), answer->liquidity, answer->match_number);
      }
      return;
    case ouch::Rejected::kType:
      if (const auto* const rejected = as<ouch::Rejected>(message)) {
        const std::uint32_t order = find(rejected->user_ref_num);
        ++figures_.rejected;
        figures_.last_reject = rejected->reason;
        if (order == LoadMessage::kNone) return;
        LoadMessage& known = message_of(order);
        if (known.answered || !known.sent) return;  // made ahead, and not known to anybody
        known.rejected = known.answered = known.ended = true;
        ++answered_;
        last_answer_ns_ = now_ns_;
        if (measured(known)) ++figures_.answered;
      }
      return;
    case ouch::OrderReplaced::kType:
      if (const auto* const replaced = as<ouch::OrderReplaced>(message)) {
        if (const auto order = find(replaced->user_ref_num); order != LoadMessage::kNone) {
          acknowledged(message_of(order), LoadLatency::ack_other);
        }
      }
      return;
    case ouch::OrderModified::kType:
      if (const auto* const modified = as<ouch::OrderModified>(message)) canceled(find(modified->user_ref_num));
      return;
    case ouch::EnterOrder::kType:  // an echo's answers are what was sent
      if (const auto* const echo = as<ouch::EnterOrder>(message); echo != nullptr && options_.floor) {
        const std::uint32_t order = find(echo->user_ref_num);
        if (order == LoadMessage::kNone) return;
        LoadMessage& known = message_of(order);
        acknowledged(known, known.kind == LoadKind::cross ? LoadLatency::ack_cross : LoadLatency::ack_add);
      }
      return;
    case ouch::CancelOrder::kType:
      if (const auto* const echo = as<ouch::CancelOrder>(message); echo != nullptr && options_.floor) {
        canceled(find(echo->user_ref_num));
      }
      return;
    default:
      return;
  }
}

void LoadClient::take_feed(wire::Bytes payload) {
  const mold::Header* const header = as<mold::Header>(payload);
  if (header == nullptr) {
    ++figures_.malformed;
    return;
  }
  // Where we came in is where it begins for us.
  if (!feed_.begun()) feed_.begin(header->session, header->sequence);
  if (!feed_.is(header->session)) return;
  std::uint64_t at = header->sequence;
  mold::BlockReader blocks(payload);
  for (; blocks.next(); ++at) {
    if (feed_.take(at)) take_feed_message(blocks.block());
  }
  figures_.malformed += blocks.fault() != mold::BlockFault::none;
  if (header->count == mold::kHeartbeat || header->count == mold::kEndOfSession) feed_.heard_of(at);
}

void LoadClient::take_feed_message(wire::Bytes message) {
  if (message.empty()) return;
  switch (static_cast<char>(message[0])) {
    case itch::AddOrder::kType:
    case itch::AddOrderMpid::kType:
      if (const auto* const add = as<itch::AddOrder>(message)) {
        Join::Entry& entry = by_reference_.at(add->order_ref);
        entry.seen_ns = now_ns_;
        if (entry.message != LoadMessage::kNone) note_feed(entry, LoadLatency::feed_add);
      }
      return;
    case itch::OrderExecuted::kType:
      if (const auto* const execution = as<itch::OrderExecuted>(message)) {
        Join::Entry& entry = by_match_.at(execution->match_number);
        entry.seen_ns = now_ns_;
        if (entry.message != LoadMessage::kNone) note_feed(entry, LoadLatency::feed_execution);
      }
      return;
    case itch::OrderDelete::kType:
      if (const auto* const gone = as<itch::OrderDelete>(message)) {
        const Join::Entry& entry = by_reference_.at(gone->order_ref);
        if (entry.message == LoadMessage::kNone) return;
        std::uint32_t cancel = message_of(entry.message).link;
        if (cancel == LoadMessage::kNone) return;
        while (message_of(cancel).link != LoadMessage::kNone) cancel = message_of(cancel).link;
        if (message_of(cancel).sent) note(message_of(cancel), LoadLatency::feed_delete, now_ns_);
      }
      return;
    default:
      return;
  }
}

// --- what answers mean -----------------------------------------------------------------------------------------------

/// Latency from when the message was due.
void LoadClient::note(const LoadMessage& message, LoadLatency part, TimeNs at_ns) {
  if (!measured(message)) return;
  const TimeNs due_ns = start_ns_ + message.due_ns;
  figures_.of(part).record(at_ns > due_ns ? at_ns - due_ns : 0);
}

void LoadClient::acknowledged(LoadMessage& message, LoadLatency part) {
  if (message.answered || !message.sent) return;
  message.answered = true;
  ++answered_;
  last_answer_ns_ = now_ns_;
  if (!measured(message)) return;
  ++figures_.answered;
  last_measured_answer_ns_ = now_ns_;
  const TimeNs took_ns = now_ns_ - std::min(now_ns_, start_ns_ + message.due_ns);
  figures_.of(part).record(took_ns);
  const std::size_t interval = std::min((message.due_ns - options_.warm_up_ns) / interval_ns_, kLoadIntervals - 1);
  figures_.intervals[interval].record(took_ns);
}

/// Cancels of one order are answered in their order.
void LoadClient::canceled(std::uint32_t number) {
  if (number == LoadMessage::kNone) return;
  LoadMessage& order = message_of(number);
  std::uint32_t cancel = order.link;
  while (cancel != LoadMessage::kNone && message_of(cancel).answered) cancel = message_of(cancel).link;
  const bool asked = cancel != LoadMessage::kNone && message_of(cancel).sent;
  if (!asked || options_.capture == nullptr) order.ended = true;
  if (!asked) return;
  const bool is_cancel = message_of(cancel).kind == LoadKind::cancel;
  acknowledged(message_of(cancel), is_cancel ? LoadLatency::ack_cancel : LoadLatency::ack_other);
}

void LoadClient::executed(std::uint32_t order, char liquidity, std::uint64_t match_number) {
  if (order == LoadMessage::kNone) return;
  LoadMessage& message = message_of(order);
  if (liquidity == 'A') {
    // All orders of the mix are of one size.
    if (options_.capture == nullptr) message.ended = true;
    return;
  }
  figures_.executions += measured(message);
  if (message.executed) return;
  message.executed = true;
  note(message, LoadLatency::execution, now_ns_);
  Join::Entry& entry = by_match_.at(match_number);
  entry.message = order;
  feed_open_ += expects_feed();
  if (entry.seen_ns != 0) note_feed(entry, LoadLatency::feed_execution);
}

/// Both the feed and the answer have come.
void LoadClient::note_feed(Join::Entry& entry, LoadLatency part) {
  if (feed_open_ > 0) --feed_open_;
  note(message_of(entry.message), part, entry.seen_ns);
}

}  // namespace crosswire
