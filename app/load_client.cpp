// The load generator: see load_client.hpp. On the generator's one polling thread.
#include "app/load_client.hpp"

#include <fmt/format.h>
#include <rte_arp.h>
#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "app/config.hpp"
#include "app/flow_message.hpp"
#include "hugepages/check.hpp"
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

constexpr TimeNs kMs = 1'000'000;
/// To find the appliance and to log in, each.
constexpr TimeNs kPatienceNs = 3'000 * kMs;
constexpr TimeNs kTryAgainNs = 200 * kMs;
/// With orders outstanding: an appliance sends a heartbeat each second at least.
constexpr TimeNs kSilenceNs = 3'000 * kMs;
/// From when something is found missing to when it is asked for, so that what is only out of order can come by itself.
constexpr TimeNs kAskAfterNs = 2 * kMs;
constexpr TimeNs kLookForGapsNs = kMs / 4;
/// Longer than the appliance's heartbeats are apart: they tell of what was lost at the end.
constexpr TimeNs kDrainNs = 1'500 * kMs;
constexpr TimeNs kKeepAliveNs = 5'000 * kMs;
/// Beyond its end, for what the sender is behind with.
constexpr TimeNs kGraceNs = 100 * kMs;
/// A window in which nothing came for this long has lost what it waits for.
constexpr TimeNs kWindowStuckNs = 20 * kMs;
constexpr std::uint32_t kFillWindow = 32;
constexpr std::size_t kPreparedAtOnce = 1'024;
constexpr std::size_t kFrameBytes = 112;  // an Enter's, the longest of the mix
constexpr std::uint8_t kTtl = 64;
constexpr std::uint16_t kNoParty = 0xFFFF;
constexpr std::string_view kFloorSession = "FLOOR00000";

NetConfig side_of(const LoadParty& party) {
  NetConfig side;
  side.mac = party.mac;
  side.address = party.address;
  return side;
}

template <class Message>
const Message* as(wire::Bytes message) {
  return wire::view_as<Message>(message);
}

}  // namespace

LoadClient::LoadClient(const LoadOptions& options, RxPort& rx, TxPort& tx)
    : options_(options),
      rx_(rx),
      tx_(tx),
      session_of_port_(std::size_t{1} << 16, kNoParty),
      by_reference_(std::bit_ceil(std::size_t{4} * options.mix.resting + (1u << 16))),
      by_match_(std::size_t{1} << 16) {
  CHECK(!options_.parties.empty() && options_.parties.size() <= kMaxLoadSessions, "%zu sessions",
        options_.parties.size());
  for (const LoadParty& party : options_.parties) {
    session_of_port_[party.port] = static_cast<std::uint16_t>(sessions_.size());
    sessions_.push_back({.orders = client::OrderClient(party.user, party.password)});
  }
  figures_.warm_up_ns = options_.warm_up_ns;
  figures_.measured_ns = options_.measured_ns;
  figures_.sessions = static_cast<std::uint32_t>(sessions_.size());
  figures_.floor = options_.floor;
  figures_.seed = options_.mix.seed;
  figures_.intervals.resize(kLoadIntervals);
}

bool LoadClient::poll() {
  const RxBurst burst = rx_.receive();
  now_ns_ = burst.time_ns;
  if (!started_) [[unlikely]] {
    started_ = true;
    last_heard_ns_ = stage_ns_ = now_ns_;
  }
  for (const RxFrame& frame : burst.frames) take(frame);
  if (burst.ended && !ended_) [[unlikely]] {
    ended_ = true;
    if (stage_ < Stage::leave) fail("interrupted");
  }
  if (stage_ != Stage::done) step();
  if (tx_.unsent()) tx_.flush();
  return stage_ != Stage::done || (tx_.unsent() && now_ns_ < stage_ns_ + kTryAgainNs && !ended_);
}

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
  const bool reply = arp.arp_opcode == rte_cpu_to_be_16(RTE_ARP_OP_REPLY);
  if (!reply || rte_be_to_cpu_32(arp.arp_data.arp_sip) != options_.server.address) return;
  server_mac_ = link::mac_address(arp.arp_data.arp_sha);
}

void LoadClient::take_udp(wire::Bytes ip) {
  if (ip.size() < sizeof(rte_ipv4_hdr)) return;
  const auto header = link::header_at<rte_ipv4_hdr>(ip.data());
  const std::size_t header_size = (header.version_ihl & 15u) * 4u;
  if (header.next_proto_id != IPPROTO_UDP || ip.size() < header_size + sizeof(rte_udp_hdr)) return;
  if (rte_be_to_cpu_32(header.src_addr) != options_.server.address) return;
  const auto udp = link::header_at<rte_udp_hdr>(ip.data() + header_size);
  const std::size_t length = rte_be_to_cpu_16(udp.dgram_len);
  if (length < sizeof udp || header_size + length > ip.size()) {
    ++figures_.malformed;
    return;
  }
  last_heard_ns_ = now_ns_;
  const wire::Bytes payload = ip.subspan(header_size + sizeof udp, length - sizeof udp);
  const std::uint16_t to_port = rte_be_to_cpu_16(udp.dst_port);
  const std::uint32_t to = rte_be_to_cpu_32(header.dst_addr);
  const bool of_feed =
      (to == options_.server.feed_group && to_port == options_.server.feed_port) || to_port == options_.feed_asker_port;
  if (of_feed) {
    take_feed(payload);
  } else if (const std::uint16_t session = session_of_port_[to_port]; session != kNoParty) {
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
  if (header == nullptr || !session.answers.begun() || header->session != session.answers.session()) {
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
  if (answer == client::Answer::login_refused) {
    refusal_ = session.orders.refusal();
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
  Session& session = sessions_[number];
  if (message.empty()) return;
  const auto find = [&session](std::uint32_t ref) { return session.refs.find(ref); };
  switch (static_cast<char>(message[0])) {
    case ouch::OrderAccepted::kType:
      if (const auto* const accepted = as<ouch::OrderAccepted>(message)) {
        const std::uint32_t order = find(accepted->user_ref_num);
        if (order == LoadMessage::kNone) return;
        const bool crossing = messages_[order].kind == LoadKind::cross;
        acknowledged(order, crossing ? LoadLatency::ack_cross : LoadLatency::ack_add);
        if (accepted->order_state == 'D') messages_[order].ended = true;
        if (crossing || options_.floor) return;
        Join::Place& place = by_reference_.at(accepted->order_ref);
        place.message = order;
        feed_open_ += options_.capture == nullptr;  // else it may have executed at once
        if (place.seen_ns != 0) told(place, LoadLatency::feed_add);
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
        if (order == LoadMessage::kNone || messages_[order].answered) return;
        messages_[order].rejected = messages_[order].answered = messages_[order].ended = true;
        ++answered_;
        last_answer_ns_ = now_ns_;
        if (measured(order)) ++figures_.answered;
      }
      return;
    case ouch::OrderReplaced::kType:
      if (const auto* const replaced = as<ouch::OrderReplaced>(message)) {
        if (const auto order = find(replaced->user_ref_num); order != LoadMessage::kNone) {
          acknowledged(order, LoadLatency::ack_other);
        }
      }
      return;
    case ouch::OrderModified::kType:
      if (const auto* const modified = as<ouch::OrderModified>(message)) canceled(find(modified->user_ref_num));
      return;
    case ouch::AccountQueryResponse::kType:
      if (const auto* const response = as<ouch::AccountQueryResponse>(message)) {
        if (session.next_ref == 0) session.next_ref = response->next_user_ref_num;
      }
      return;
    case ouch::EnterOrder::kType:  // an echo's answers are what was sent
      if (const auto* const echo = as<ouch::EnterOrder>(message); echo != nullptr && options_.floor) {
        const std::uint32_t order = find(echo->user_ref_num);
        if (order == LoadMessage::kNone) return;
        const bool crossing = messages_[order].kind == LoadKind::cross;
        acknowledged(order, crossing ? LoadLatency::ack_cross : LoadLatency::ack_add);
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
  if (header->session != feed_.session()) return;
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
        Join::Place& place = by_reference_.at(add->order_ref);
        place.seen_ns = now_ns_;
        if (place.message != LoadMessage::kNone) told(place, LoadLatency::feed_add);
      }
      return;
    case itch::OrderExecuted::kType:
      if (const auto* const execution = as<itch::OrderExecuted>(message)) {
        Join::Place& place = by_match_.at(execution->match_number);
        place.seen_ns = now_ns_;
        if (place.message != LoadMessage::kNone) told(place, LoadLatency::feed_execution);
      }
      return;
    case itch::OrderDelete::kType:
      if (const auto* const gone = as<itch::OrderDelete>(message)) {
        const Join::Place& place = by_reference_.at(gone->order_ref);
        if (place.message == LoadMessage::kNone) return;
        std::uint32_t cancel = messages_[place.message].link;
        if (cancel == LoadMessage::kNone) return;
        while (messages_[cancel].link != LoadMessage::kNone) cancel = messages_[cancel].link;
        if (cancel >= next_) return;
        note(cancel, LoadLatency::feed, now_ns_);
        note(cancel, LoadLatency::feed_delete, now_ns_);
      }
      return;
    default:
      return;
  }
}

// --- what answers mean -----------------------------------------------------------------------------------------------

/// Latency from when the message was due.
void LoadClient::note(std::uint32_t message, LoadLatency latency, TimeNs at_ns) {
  if (!measured(message)) return;
  const TimeNs due_ns = start_ns_ + due_ns_[message];
  figures_.of(latency).record(at_ns > due_ns ? at_ns - due_ns : 0);
}

void LoadClient::acknowledged(std::uint32_t number, LoadLatency part) {
  LoadMessage& message = messages_[number];
  if (message.answered || number >= next_) return;
  message.answered = true;
  ++answered_;
  last_answer_ns_ = now_ns_;
  if (!measured(number)) return;
  ++figures_.answered;
  note(number, LoadLatency::ack, now_ns_);
  note(number, part, now_ns_);
  const TimeNs due_ns = due_ns_[number];
  const std::size_t interval = std::min((due_ns - options_.warm_up_ns) / interval_ns_, kLoadIntervals - 1);
  const TimeNs took_ns = now_ns_ - std::min(now_ns_, start_ns_ + due_ns);
  figures_.intervals[interval].record(took_ns);
  figures_.answering_ns = now_ns_ - std::min(now_ns_, start_ns_ + options_.warm_up_ns);
}

/// Cancels of one order are answered in their order.
void LoadClient::canceled(std::uint32_t order) {
  if (order == LoadMessage::kNone) return;
  std::uint32_t cancel = messages_[order].link;
  while (cancel != LoadMessage::kNone && messages_[cancel].answered) cancel = messages_[cancel].link;
  if (cancel == LoadMessage::kNone || cancel >= next_) {
    clear_answered_ += stage_ == Stage::clear;
    messages_[order].ended = true;
    return;
  }
  if (options_.capture == nullptr) messages_[order].ended = true;
  const bool is_cancel = messages_[cancel].kind == LoadKind::cancel;
  acknowledged(cancel, is_cancel ? LoadLatency::ack_cancel : LoadLatency::ack_other);
}

void LoadClient::executed(std::uint32_t order, char liquidity, std::uint64_t match_number) {
  if (order == LoadMessage::kNone) return;
  LoadMessage& message = messages_[order];
  if (liquidity == 'A') {
    // All orders of the mix are of one size.
    if (options_.capture == nullptr) message.ended = true;
    return;
  }
  if (measured(order)) ++figures_.executions;
  if (message.executed) return;
  message.executed = true;
  note(order, LoadLatency::execution, now_ns_);
  Join::Place& place = by_match_.at(match_number);
  place.message = order;
  feed_open_ += options_.capture == nullptr;
  if (place.seen_ns != 0) told(place, LoadLatency::feed_execution);
}

/// Both the feed and the answer have come.
void LoadClient::told(Join::Place& place, LoadLatency part) {
  if (feed_open_ > 0) --feed_open_;
  note(place.message, LoadLatency::feed, place.seen_ns);
  note(place.message, part, place.seen_ns);
}

// --- frames out ------------------------------------------------------------------------------------------------------

bool LoadClient::send_next() {
  std::uint8_t* const room = tx_.reserve();
  if (room == nullptr) {
    ++figures_.tx_blocked;
    return false;
  }
  const std::span<const std::uint8_t> frame = frames_[next_];
  std::memcpy(room, frame.data(), frame.size());
  tx_.commit(frame.size(), {});
  ++next_;
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
  if (feed_.complete()) {
    next_feed_ask_ns_ = now_ns_ + kAskAfterNs;
  } else if (now_ns_ >= next_feed_ask_ns_ && send_feed_request(*feed_.request())) {
    next_feed_ask_ns_ = now_ns_ + kAskAfterNs;
  }
}

void LoadClient::keep_alive() {
  if (options_.floor || now_ns_ < keep_alive_ns_) return;
  for (Session& session : sessions_) {
    if (!session.answers.begun()) continue;
    send(session, [&session](std::span<std::uint8_t> room) { return session.orders.heartbeat(room); });
  }
  keep_alive_ns_ = now_ns_ + kKeepAliveNs;
}

// --- stages ----------------------------------------------------------------------------------------------------------

void LoadClient::enter(Stage stage) {
  stage_ = stage;
  stage_ns_ = now_ns_;
  next_try_ns_ = 0;
}

bool LoadClient::every(TimeNs interval_ns) {
  if (now_ns_ < next_try_ns_) return false;
  next_try_ns_ = now_ns_ + interval_ns;
  return true;
}

void LoadClient::step() {
  switch (stage_) {
    case Stage::resolve:
      return resolve();
    case Stage::log_in:
      return log_in();
    case Stage::query:
      return query();
    case Stage::prepare:
      return prepare();
    case Stage::ready:
      return keep_alive();
    case Stage::fill:
      return fill();
    case Stage::run:
      return run();
    case Stage::drain:
      return drain();
    case Stage::clear:
      return clear();
    case Stage::leave:
      return leave();
    case Stage::done:
      return;
  }
}

void LoadClient::resolve() {
  if (!server_mac_) {
    if (now_ns_ - stage_ns_ > kPatienceNs) {
      return fail(fmt::format("nobody answers ARP for {}; is the appliance up, and on this link?",
                              format_address(options_.server.address)));
    }
    if (every(kTryAgainNs)) send_arp();
    return;
  }
  const Station to{*server_mac_, options_.vlan, options_.server.address};
  for (std::size_t i = 0; i < sessions_.size(); ++i) {
    const LoadParty& party = options_.parties[i];
    sessions_[i].to_exchange = DatagramTemplate(side_of(party), party.port, to, options_.server.order_port, kTtl);
    if (!options_.floor) continue;
    sessions_[i].orders.assume_session(kFloorSession);
    sessions_[i].answers.begin(kFloorSession, 1);
    sessions_[i].next_ref = 1;
  }
  to_feed_requests_ = DatagramTemplate(side_of(options_.parties.front()), options_.feed_asker_port, to,
                                       options_.server.feed_request_port, kTtl);
  enter(options_.floor ? Stage::prepare : Stage::log_in);
}

void LoadClient::log_in() {
  const auto waiting = [](const Session& session) { return !session.answers.begun(); };
  const auto missing = std::count_if(sessions_.begin(), sessions_.end(), waiting);
  if (!refusal_.empty()) {
    return fail(fmt::format("a login is refused ({}); are accounts and passwords those of the appliance?", refusal_));
  }
  if (missing == 0) {
    keep_alive_ns_ = now_ns_ + kKeepAliveNs;
    enter(options_.capture != nullptr ? Stage::prepare : Stage::query);
    return;
  }
  if (now_ns_ - stage_ns_ > kPatienceNs) {
    return fail(figures_.malformed > 0
                    ? "what answers the logins is not an order session's; is the order port another service's?"
                    : fmt::format("{} of {} logins had no answer; may the accounts log in from these addresses?",
                                  missing, sessions_.size()));
  }
  if (!every(kTryAgainNs)) return;
  for (Session& session : sessions_) {
    if (!waiting(session)) continue;
    send(session, [&session](std::span<std::uint8_t> room) { return session.orders.login(room); });
  }
}

/// Which UserRefNum is free.
void LoadClient::query() {
  const auto waiting = [](const Session& session) { return session.next_ref == 0; };
  if (std::none_of(sessions_.begin(), sessions_.end(), waiting)) return enter(Stage::prepare);
  if (now_ns_ - stage_ns_ > kPatienceNs) return fail("an Account Query had no answer");
  ask_again();
  if (!every(kTryAgainNs)) return;
  for (Session& session : sessions_) {
    if (!waiting(session)) continue;
    send(session, [&session](std::span<std::uint8_t> room) {
      session.orders.begin(room);
      session.orders.add(ouch::AccountQuery{});
      return session.orders.finish();
    });
  }
}

/// A piece at a poll: the sessions stay alive meanwhile.
void LoadClient::prepare() {
  keep_alive();
  for (std::size_t i = 0; i < kPreparedAtOnce; ++i) {
    if (prepare_next()) continue;
    mix_.reset();
    std::vector<std::uint32_t>().swap(refs_);
    if (frames_.size() == fill_count_) return fail("there is no order to send in this time");
    enter(Stage::ready);
    return;
  }
}

bool LoadClient::prepare_next() { return options_.capture != nullptr ? prepare_from_capture() : prepare_from_mix(); }

bool LoadClient::prepare_from_mix() {
  if (!mix_) {
    mix_.emplace(options_.mix, options_.symbols, static_cast<std::uint32_t>(sessions_.size()));
    fill_count_ = first_measured_ = count_measured_to_ = options_.mix.resting;
    const std::size_t expected = fill_count_ + options_.orders;
    frames_.reserve(expected, expected * kFrameBytes);
    due_ns_.reserve(expected);
    messages_.reserve(expected);
    refs_.reserve(expected);
  }
  const bool filling = frames_.size() < fill_count_;
  TimeNs due_ns = 0;
  if (!filling && options_.schedule) {
    due_ns = options_.schedule->next();
    if (due_ns >= options_.warm_up_ns + options_.measured_ns) return false;
    first_measured_ += due_ns < options_.warm_up_ns;
    ++count_measured_to_;
  } else if (!filling && frames_.size() - fill_count_ == options_.orders) {
    return false;
  }
  const LoadOrder order = filling ? mix_->next_add() : mix_->next();
  Session& session = sessions_[order.session];
  const auto number = static_cast<std::uint32_t>(messages_.size());
  std::array<std::uint8_t, kMaxFrame> frame;
  session.orders.begin({frame.data() + session.to_exchange.payload_offset(), kMaxUdpPayload});
  if (order.kind == LoadKind::cancel) {
    session.orders.add(ouch::CancelOrder{.user_ref_num = refs_[order.number], .quantity = 0u});
    messages_[order.number].link = number;
    refs_.push_back(0);
  } else {
    const std::uint32_t ref = session.next_ref++;
    session.orders.add(ouch::EnterOrder{.user_ref_num = ref,
                                        .side = order.buy ? 'B' : 'S',
                                        .quantity = LoadMix::kShares,
                                        .symbol = options_.symbols[order.symbol].name,
                                        .price = std::uint64_t{order.price},
                                        .time_in_force = order.kind == LoadKind::cross ? '3' : '0',
                                        .display = 'Y',
                                        .capacity = 'A',
                                        .iso = 'N',
                                        .cross_type = 'N',
                                        .cl_ord_id = cl_ord_id_text(number)});
    session.refs.add(ref, number);
    refs_.push_back(ref);
  }
  const std::size_t length = session.to_exchange.finish(frame.data(), session.orders.finish());
  frames_.add({frame.data(), length});
  due_ns_.push_back(due_ns);
  messages_.push_back({.link = LoadMessage::kNone, .session = order.session, .kind = order.kind});
  return true;
}

bool LoadClient::prepare_from_capture() {
  const LoadCapture& capture = *options_.capture;
  const std::size_t at = frames_.size();
  if (at == capture.payloads.size()) return false;
  const TimeNs due_ns = options_.schedule ? options_.schedule->next() : capture.due_ns[at];
  const std::span<const std::uint8_t> payload = capture.payloads[at];
  Session& session = sessions_[capture.party[at]];
  std::array<std::uint8_t, kMaxFrame> frame;
  std::uint8_t* const to = frame.data() + session.to_exchange.payload_offset();
  std::memcpy(to, payload.data(), payload.size());
  wire::overlay<mold::Header>(to).session = session.answers.session();
  frames_.add({frame.data(), session.to_exchange.finish(frame.data(), payload.size())});

  LoadMessage known{.session = capture.party[at]};
  const auto number = static_cast<std::uint32_t>(messages_.size());
  for (mold::BlockReader blocks(payload); blocks.next();) keep_capture_message(blocks.block(), number, known);
  messages_.push_back(known);
  due_ns_.push_back(due_ns);
  first_measured_ += due_ns < options_.warm_up_ns;
  ++count_measured_to_;
  return true;
}

/// What a datagram of a capture asks, by its first message; all its orders are known to be of it.
void LoadClient::keep_capture_message(wire::Bytes message, std::uint32_t number, LoadMessage& known) {
  Session& session = sessions_[known.session];
  const auto follow = [this, number, &session](std::uint32_t ref) {
    std::uint32_t order = session.refs.find(ref);
    if (order == LoadMessage::kNone || order == number) return;
    while (messages_[order].link != LoadMessage::kNone) order = messages_[order].link;
    messages_[order].link = number;
  };
  if (const auto* const enter = as<ouch::EnterOrder>(message); enter != nullptr && enter->type == enter->kType) {
    session.refs.add(enter->user_ref_num, number);
    known.kind = enter->time_in_force == '3' ? LoadKind::cross : LoadKind::add;
  } else if (const auto* const replace = as<ouch::ReplaceOrder>(message);
             replace != nullptr && replace->type == replace->kType) {
    session.refs.add(replace->user_ref_num, number);
    known.kind = LoadKind::replace;
  } else if (const auto* const modify = as<ouch::ModifyOrder>(message);
             modify != nullptr && modify->type == modify->kType) {
    follow(modify->user_ref_num);
    known.kind = LoadKind::modify;
  } else if (const auto* const cancel = as<ouch::CancelOrder>(message);
             cancel != nullptr && cancel->type == cancel->kType) {
    follow(cancel->user_ref_num);
    known.kind = LoadKind::cancel;
  }
}

void LoadClient::start() {
  CHECK(stage_ == Stage::ready, "start in stage %d", static_cast<int>(stage_));
  interval_ns_ = std::max<TimeNs>(options_.measured_ns / kLoadIntervals, 1);
  last_heard_ns_ = last_answer_ns_ = now_ns_;
  enter(Stage::fill);
}

/// The books get their resting orders, some at a time.
void LoadClient::fill() {
  if (answered_ >= next_) last_answer_ns_ = now_ns_;  // nothing is waited for
  watch_server();
  ask_again();
  if (stage_ != Stage::fill) return;
  while (next_ < fill_count_ && next_ - answered_ < kFillWindow && send_next()) {
  }
  if (answered_ < next_ && now_ns_ > last_answer_ns_ + kPatienceNs) {
    return fail(fmt::format("{} of the {} orders to fill the books had no answer; is this {}?", next_ - answered_,
                            next_, options_.floor ? "an echo" : "the appliance of this configuration"));
  }
  if (next_ < fill_count_ || answered_ < next_) return;
  // The first is due when the loop is surely back here.
  start_ns_ = now_ns_ + kMs;
  last_answer_ns_ = start_ns_;
  progress_.running.store(true, std::memory_order_relaxed);
  enter(Stage::run);
}

void LoadClient::run() {
  if (options_.schedule || options_.capture != nullptr) {
    send_scheduled();
  } else {
    send_window();
  }
  keep_alive();
  ask_again();
  watch_server();
  progress_.sent.store(next_ - fill_count_, std::memory_order_relaxed);
  progress_.answered.store(answered_ - fill_count_, std::memory_order_relaxed);
  progress_.late.store(figures_.late, std::memory_order_relaxed);
  progress_.executions.store(figures_.executions, std::memory_order_relaxed);
  progress_.lost.store(feed_.counts().lost, std::memory_order_relaxed);
}

void LoadClient::send_scheduled() {
  const auto count = static_cast<std::uint32_t>(frames_.size());
  for (std::size_t i = 0; i < kMaxBurst && next_ < count; ++i) {
    const TimeNs due_ns = start_ns_ + due_ns_[next_];
    if (due_ns > now_ns_) return;
    const std::uint32_t message = next_;
    if (!send_next()) break;
    last_sent_ns_ = now_ns_;
    if (!measured(message)) continue;
    figures_.send_lateness.record(now_ns_ - due_ns);
    figures_.late += now_ns_ - due_ns > kLoadLateNs;
  }
  const TimeNs end_ns = start_ns_ + options_.warm_up_ns + options_.measured_ns;
  if (next_ == count || now_ns_ > end_ns + kGraceNs) enter(Stage::drain);
}

void LoadClient::send_window() {
  const auto count = static_cast<std::uint32_t>(frames_.size());
  if (now_ns_ < start_ns_) return;
  const TimeNs into_ns = now_ns_ - start_ns_;
  const bool over = into_ns >= options_.warm_up_ns + options_.measured_ns;
  if (over || next_ == count) return enter(Stage::drain);
  if (next_ - answered_ - given_up_ >= options_.window &&
      now_ns_ > std::max(last_answer_ns_, last_sent_ns_) + kWindowStuckNs) {
    given_up_ = next_ - answered_;
  }
  while (next_ < count && next_ - answered_ < options_.window + given_up_) {
    due_ns_[next_] = into_ns;
    if (!send_next()) return;
    last_sent_ns_ = now_ns_;
    first_measured_ += into_ns < options_.warm_up_ns;
    count_measured_to_ = next_;
  }
}

void LoadClient::watch_server() {
  if (answered_ >= next_) last_heard_ns_ = now_ns_;  // nothing is waited for
  if (now_ns_ < last_heard_ns_ + kSilenceNs) return;
  fail(fmt::format("the server has sent nothing for {} s; it is gone, or the link is", kSilenceNs / kNsPerSecond));
}

/// Until all is answered and told, or nothing more comes.
void LoadClient::drain() {
  keep_alive();
  ask_again();
  const bool streams = feed_.complete() && std::all_of(sessions_.begin(), sessions_.end(), [](const Session& session) {
                         return session.answers.complete();
                       });
  const bool all = answered_ >= next_ && streams && feed_open_ == 0;
  const TimeNs quiet_since_ns = std::max({last_answer_ns_, last_sent_ns_, stage_ns_});
  if (!all && now_ns_ < quiet_since_ns + kDrainNs && !ended_) return;
  count_unanswered();
  progress_.running.store(false, std::memory_order_relaxed);
  const bool nothing_rests = options_.floor || options_.capture != nullptr || failed_;
  last_answer_ns_ = now_ns_;
  enter(nothing_rests ? Stage::leave : Stage::clear);
}

/// The books are left as they were found, so that the next run finds them so.
void LoadClient::clear() {
  ask_again();
  while (clear_next_ < next_ && clear_sent_ - clear_answered_ < kFillWindow) {
    const LoadMessage& message = messages_[clear_next_];
    const bool rests = message.kind == LoadKind::add && message.answered && !message.ended && !message.rejected;
    if (rests) {
      Session& session = sessions_[message.session];
      const bool sent = send(session, [this, &session](std::span<std::uint8_t> room) {
        session.orders.begin(room);
        const std::size_t at = session.to_exchange.payload_offset() + sizeof(mold::Header) + sizeof(wire::be16);
        const auto* const enter = as<ouch::EnterOrder>(frames_[clear_next_].subspan(at));
        session.orders.add(ouch::CancelOrder{.user_ref_num = enter->user_ref_num, .quantity = 0u});
        return session.orders.finish();
      });
      if (!sent) return;
      ++clear_sent_;
      next_try_ns_ = now_ns_ + kTryAgainNs;
    }
    ++clear_next_;
  }
  if ((clear_next_ == next_ && clear_answered_ == clear_sent_) || now_ns_ > next_try_ns_ + kTryAgainNs) {
    enter(Stage::leave);
  }
}

void LoadClient::leave() {
  if (!options_.floor) {
    for (Session& session : sessions_) {
      if (!session.answers.begun()) continue;
      send(session, [&session](std::span<std::uint8_t> room) { return session.orders.logout(room); });
    }
  }
  finish();
  enter(Stage::done);
}

void LoadClient::stop(const std::string& why) {
  if (stage_ < Stage::leave) fail(why);
}

void LoadClient::fail(const std::string& why) {
  if (!failed_) figures_.partial = why;
  failed_ = true;
  const bool sending = stage_ == Stage::run || stage_ == Stage::fill;
  if (sending && !ended_ && now_ns_ < last_heard_ns_ + kSilenceNs) return enter(Stage::drain);
  if (stage_ >= Stage::fill && stage_ <= Stage::drain) count_unanswered();
  progress_.running.store(false, std::memory_order_relaxed);
  enter(Stage::leave);
}

/// An Enter always has an answer. What names an order that is gone has silence for an answer, and is not lost; of a
/// capture's orders it is not known which are gone.
void LoadClient::count_unanswered() {
  const bool mix = options_.capture == nullptr;
  for (std::uint32_t i = 0; i < next_; ++i) {
    const LoadMessage& message = messages_[i];
    const bool enter = message.kind == LoadKind::add || message.kind == LoadKind::cross;
    if (enter) figures_.lost += !message.answered;
    if (!mix && !enter) figures_.too_late += !message.answered;
    if (!mix || message.link >= next_ || messages_[message.link].answered) continue;
    ++(message.ended ? figures_.too_late : figures_.lost);
  }
}

void LoadClient::finish() {
  for (std::uint32_t i = first_measured_; i < std::min(next_, count_measured_to_); ++i) {
    ++figures_.sent;
    ++figures_.sent_by_kind[static_cast<std::size_t>(messages_[i].kind)];
  }
  const bool window = !options_.schedule && options_.capture == nullptr;
  if (!window) figures_.not_sent = frames_.size() - next_;
  const TimeNs begun_ns = start_ns_ + options_.warm_up_ns;
  figures_.sending_ns = last_sent_ns_ > begun_ns ? last_sent_ns_ - begun_ns : 0;
  figures_.feed_missing = feed_open_;
  for (const Session& session : sessions_) {
    const LoadStream::Counts& counts = session.answers.counts();
    figures_.answers.lost += counts.lost;
    figures_.answers.recovered += counts.recovered;
    figures_.answers.out_of_order += counts.out_of_order;
    figures_.answers.repeated += counts.repeated;
  }
  figures_.feed = feed_.counts();
  const bool behind = figures_.not_sent > 0 || figures_.sending_ns > figures_.measured_ns + figures_.measured_ns / 100;
  if (figures_.partial.empty() && !window && behind) {
    figures_.partial = figures_.tx_blocked > 0
                           ? "the rate was not reached: the port took no more; the appliance or the link is the limit"
                           : "the rate was not reached: the sender cannot do more";
  }
}

}  // namespace crosswire
