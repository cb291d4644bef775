// The transmit stage: see transmit.hpp.
#include "netstack/transmit/transmit.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <type_traits>

#include "hugepages/base/check.hpp"
#include "netstack/common/limits.hpp"
#include "netstack/frame_writer/arp_reply.hpp"
#include "netstack/frame_writer/echo_reply.hpp"
#include "netstack/frame_writer/station.hpp"
#include "netstack/wire/ouch.hpp"
#include "netstack/wire/soup.hpp"

namespace crosswire {
namespace {

namespace mold = wire::mold;
namespace ouch = wire::ouch;
namespace soup = wire::soup;
using wire::overlay;

constexpr std::uint8_t kUnicastTtl = 64;
constexpr std::uint8_t kRank = 0;  // FrameOrigin: before publish

constexpr std::array<char, 4> kNoFirm{' ', ' ', ' ', ' '};

/// What an answer's appendage says (WIRE 3.2): each where the message takes it, and where it is not as here.
struct Options {
  std::array<char, 4> firm = kNoFirm;
  Quantity min_quantity = 0;
  PostOnly post_only = PostOnly::no;
  std::uint32_t expire_seconds = 0;
  bool group_given = false;
  std::uint16_t group_id = 0;
  Side side = kNoSide;
  Channel user_ref_idx = 0;
};

/// Bytes of a Message with every option of that list that it takes.
template <class Message>
constexpr std::size_t longest() {
  std::size_t size = sizeof(Message) + sizeof(wire::be16);
  for (const ouch::Tag tag : {ouch::Tag::firm, ouch::Tag::min_qty, ouch::Tag::post_only, ouch::Tag::expire_time,
                              ouch::Tag::group_id, ouch::Tag::side, ouch::Tag::user_ref_idx}) {
    if (Message::kTags.contains(tag)) size += 2u + ouch::value_length(ouch::tag_info(tag).kind);
  }
  return size;
}

template <class Message, ouch::Tag tag>
void put_if(bool given, ouch::OptionWriter& writer, const ouch::OptionValue<tag>& value) {
  if constexpr (Message::kTags.contains(tag)) {
    if (given) writer.put<tag>(value);
  }
}

/// Writes the appendage of the message at `at`, where the message has one (WIRE 3.2). Returns the bytes of both.
template <class Message>
std::size_t put_options(std::uint8_t* at, const Options& options) {
  static_assert(longest<Message>() <= MessageStore<128>::kMaxMessage);
  using enum ouch::Tag;
  const bool wanted = Message::kAppendage == ouch::Appendage::always || options.user_ref_idx != 0;
  if (Message::kAppendage == ouch::Appendage::none || !wanted) return sizeof(Message);
  ouch::OptionWriter writer({at + sizeof(Message), MessageStore<128>::kMaxMessage - sizeof(Message)});
  put_if<Message, firm>(options.firm != kNoFirm, writer, wire::alpha<4>{options.firm});
  put_if<Message, min_qty>(options.min_quantity != 0, writer, options.min_quantity);
  put_if<Message, post_only>(options.post_only == PostOnly::yes, writer, static_cast<char>(PostOnly::yes));
  put_if<Message, expire_time>(options.expire_seconds != 0, writer, options.expire_seconds);
  put_if<Message, group_id>(options.group_given, writer, options.group_id);
  put_if<Message, side>(options.side != kNoSide, writer, static_cast<char>(options.side));
  put_if<Message, user_ref_idx>(options.user_ref_idx != 0, writer, options.user_ref_idx);
  return sizeof(Message) + writer.finish();
}

/// The message that `make` returns, made at `at`, and its options.
template <class Make>
std::size_t put(std::uint8_t* at, Make make, const Options& options) {
  wire::build_at(at, make);
  return put_options<std::invoke_result_t<Make>>(at, options);
}

/// Accepted or Replaced: the order as it is now, and the options that it was taken with.
template <class Message>
std::size_t put_order(std::uint8_t* at, const Event& event, const OrderAsked& asked, const OrderResolved& resolved) {
  const OrderEvent& order = event.order;
  Message& message = overlay<Message>(at);
  message.type = Message::kType;
  message.timestamp = event.time_ns;
  if constexpr (std::is_same_v<Message, ouch::OrderReplaced>) message.orig_user_ref_num = order.user_ref_num.value;
  message.user_ref_num = asked.user_ref_num.value;
  message.side = static_cast<char>(order.side);
  message.quantity = order.quantity;
  message.symbol = resolved.symbol_name;
  message.price = order.price.value;
  message.time_in_force = static_cast<char>(asked.time_in_force);
  // As accepted: an order for a cross is never shown.
  message.display = resolved.cross_type == 'N' ? asked.display : static_cast<char>(Display::hidden);
  message.order_ref = order.ref.value;
  message.capacity = resolved.capacity;
  message.iso = asked.iso;
  message.cross_type = resolved.cross_type;
  message.order_state = order.code;
  message.cl_ord_id = asked.cl_ord_id;
  return put_options<Message>(at, {.firm = resolved.firm_given ? resolved.firm : kNoFirm,
                                   .min_quantity = asked.min_quantity,
                                   .post_only = resolved.post_only,
                                   .expire_seconds = resolved.expire_seconds,
                                   .group_given = resolved.group_id != 0,
                                   .group_id = resolved.group_id,
                                   .user_ref_idx = asked.user_ref_idx});
}

/// What was there to execute against.
ouch::Liquidity liquidity_of_resting(const OrderAsked& asked) {
  const bool hidden = asked.display == static_cast<char>(Display::hidden);
  return hidden ? ouch::Liquidity::added_non_displayed : ouch::Liquidity::added;
}

ouch::Liquidity liquidity_of_cross(char cross_type) {
  switch (cross_type) {
    case 'O':
      return ouch::Liquidity::opening_cross;
    case 'C':
      return ouch::Liquidity::closing_cross;
    default:
      return ouch::Liquidity::halt_ipo_cross;
  }
}

}  // namespace

TransmitStage::TransmitStage(const NetConfig& config, Events& events, const Orders& orders, TxPort& port,
                             EchoStore& echoes, Arena& arena)
    : config_(config),
      session_name_(std::string_view(config.order_session)),
      events_(events),
      orders_(orders),
      port_(port),
      echoes_(echoes),
      sessions_(arena.array<Session>(config.accounts.size())) {
  for (Session& session : sessions_) session.messages = MessageStore<128>(arena, config.messages_kept);
}

std::size_t TransmitStage::bytes_for(const NetConfig& config) {
  return Arena::bytes_for<Session>(config.accounts.size()) +
         config.accounts.size() * MessageStore<128>::bytes_for(config.messages_kept);
}

std::size_t TransmitStage::poll() {
  if (sessions_out_.asked()) [[unlikely]]
    tell_sessions();
  const std::uint64_t waiting = std::min(events_.available(), kMaxEvents);
  std::uint64_t done = 0;
  committed_ = 0;
  for (; done < waiting && handle(events_.peek(done)); ++done) progress_ = 0;
  if (done < waiting) counters_.add(TransmitCounter::port_full);
  if (done > 0) events_.release(done);
  if (port_.unsent()) port_.flush();
  return done + committed_;
}

void TransmitStage::tell_sessions() {
  sessions_out_.answer([this](std::uint64_t first, std::span<SessionOut> items) {
    std::size_t n = 0;
    for (; n < items.size() && first + n < sessions_.size(); ++n) {
      const Session& session = sessions_[first + n];
      items[n] = {session.connected, session.messages.next(), session.messages.oldest()};
    }
    return n;
  });
}

bool TransmitStage::handle(const Event& event) {
  switch (event.kind) {
    case EventKind::accepted:
      return taken<ouch::OrderAccepted>(event);
    case EventKind::replaced:
      return taken<ouch::OrderReplaced>(event);
    case EventKind::canceled:
      return canceled(event);
    case EventKind::modified:
      return modified(event);
    case EventKind::rejected:
      return rejected(event);
    case EventKind::account:
      return account(event);
    case EventKind::mass_cancel:
      return mass_cancel(event);
    case EventKind::disable:
      return switched<ouch::DisableOrderEntryResponse>(event);
    case EventKind::enable:
      return switched<ouch::EnableOrderEntryResponse>(event);
    case EventKind::executed:
      return executed(event);
    case EventKind::crossed:
      return crossed(event);
    case EventKind::system:
      return system(event);
    case EventKind::tick:
      return tick(event);
    case EventKind::session_open:
      return session_open(event);
    case EventKind::session_close:
      session(event.session).connected = false;
      return true;
    case EventKind::login_reject:
      return login_reject(event);
    case EventKind::resend:
      return resend(event);
    case EventKind::arp_reply:
      return arp_reply(event);
    case EventKind::echo_reply:
      return echo_reply(event);
    case EventKind::day_end:
      return day_end(event);
    case EventKind::rested:
    case EventKind::cross_done:
    case EventKind::imbalance:
    case EventKind::phase:
    case EventKind::directory:
    case EventKind::burst_end:
    case EventKind::feed_resend:
      return true;
    case EventKind::none:
      break;
  }
  CHECK(false, "event of kind %u", static_cast<unsigned>(event.kind));
}

// ---- Orders -------------------------------------------------------------------------------------------------------

template <class Message>
bool TransmitStage::taken(const Event& event) {
  const OrderAsked& asked = orders_.asked(event.order.order);
  const OrderResolved& resolved = orders_.resolved(event.order.order);
  return answer(session(asked.session), event,
                [&](std::uint8_t* at) { return put_order<Message>(at, event, asked, resolved); });
}

bool TransmitStage::canceled(const Event& event) {
  const OrderAsked& asked = orders_.asked(event.order.order);
  return answer(session(asked.session), event, [&](std::uint8_t* at) {
    return put(at,
               [&] {
                 return ouch::OrderCanceled{.timestamp = event.time_ns,
                                            .user_ref_num = event.order.user_ref_num.value,
                                            .quantity = event.order.quantity,
                                            .reason = event.order.code};
               },
               {.user_ref_idx = asked.user_ref_idx});
  });
}

bool TransmitStage::modified(const Event& event) {
  const OrderAsked& asked = orders_.asked(event.order.order);
  return answer(session(asked.session), event, [&](std::uint8_t* at) {
    return put(at,
               [&] {
                 return ouch::OrderModified{.timestamp = event.time_ns,
                                            .user_ref_num = event.order.user_ref_num.value,
                                            .side = static_cast<char>(event.order.side),
                                            .quantity = event.order.open};
               },
               {.user_ref_idx = asked.user_ref_idx});
  });
}

/// Of a rejected order only line 0 is written: a Replace never got its line 1. What asks for no order has none.
bool TransmitStage::rejected(const Event& event) {
  const OrderEvent& order = event.order;
  const OrderAsked* const asked = order.order == kNoOrder ? nullptr : &orders_.asked(order.order);
  const wire::alpha<14> no_cl_ord_id{std::string_view{}};
  return answer(session(event.session), event, [&](std::uint8_t* at) {
    return put(at,
               [&] {
                 return ouch::Rejected{
                     .timestamp = event.time_ns,
                     .user_ref_num = order.user_ref_num.value,
                     .reason = event.reject,
                     .cl_ord_id = asked == nullptr ? no_cl_ord_id : wire::alpha<14>{asked->cl_ord_id}};
               },
               {.user_ref_idx = asked == nullptr ? order.user_ref_idx : asked->user_ref_idx});
  });
}

bool TransmitStage::account(const Event& event) {
  return answer(session(event.session), event, [&](std::uint8_t* at) {
    return put(at,
               [&] {
                 return ouch::AccountQueryResponse{.timestamp = event.time_ns,
                                                   .next_user_ref_num = event.order.user_ref_num.value};
               },
               {.user_ref_idx = event.order.user_ref_idx});
  });
}

/// The symbol as asked: blank where it was all of them. So are Side and GroupID, left out where they were.
bool TransmitStage::mass_cancel(const Event& event) {
  const FirmAsk& firm = event.firm;
  return answer(session(event.session), event, [&](std::uint8_t* at) {
    return put(at,
               [&] {
                 return ouch::MassCancelResponse{.timestamp = event.time_ns,
                                                 .user_ref_num = firm.user_ref_num.value,
                                                 .firm = firm.firm,
                                                 .symbol = firm.symbol_name};
               },
               {.group_given = firm.group_given,
                .group_id = firm.group_id,
                .side = firm.side,
                .user_ref_idx = firm.user_ref_idx});
  });
}

template <class Message>
bool TransmitStage::switched(const Event& event) {
  const FirmAsk& firm = event.firm;
  return answer(session(event.session), event, [&](std::uint8_t* at) {
    return put(
        at,
        [&] { return Message{.timestamp = event.time_ns, .user_ref_num = firm.user_ref_num.value, .firm = firm.firm}; },
        {.user_ref_idx = firm.user_ref_idx});
  });
}

bool TransmitStage::executed(const Event& event) {
  if (progress_ == 0) {
    if (!execution(event, event.execution.order, ouch::Liquidity::removed)) return false;
    progress_ = 1;
  }
  const OrderIndex resting = event.execution.resting;
  return execution(event, resting, liquidity_of_resting(orders_.asked(resting)));
}

bool TransmitStage::crossed(const Event& event) {
  const ouch::Liquidity liquidity = liquidity_of_cross(event.cross_type);
  if (progress_ == 0) {
    if (!execution(event, event.execution.order, liquidity)) return false;
    progress_ = 1;
  }
  return execution(event, event.execution.resting, liquidity);
}

bool TransmitStage::execution(const Event& event, OrderIndex order, wire::ouch::Liquidity liquidity) {
  const OrderAsked& asked = orders_.asked(order);
  return answer(session(asked.session), event, [&](std::uint8_t* at) {
    return put(at,
               [&] {
                 return ouch::OrderExecuted{.timestamp = event.time_ns,
                                            .user_ref_num = asked.user_ref_num.value,
                                            .quantity = event.execution.quantity,
                                            .price = event.execution.price.value,
                                            .liquidity = static_cast<char>(liquidity),
                                            .match_number = event.execution.match.value};
               },
               {.user_ref_idx = asked.user_ref_idx});
  });
}

bool TransmitStage::system(const Event& event) {
  const char letter = event.system.event;
  if (letter != 'S' && letter != 'E') return true;
  return each_session([&](Session& session) {
    return answer(session, event, [&](std::uint8_t* at) {
      return put(at, [&] { return ouch::SystemEvent{.timestamp = event.time_ns, .event = letter}; }, {});
    });
  });
}

// ---- Sessions -----------------------------------------------------------------------------------------------------

bool TransmitStage::session_open(const Event& event) {
  Session& session = this->session(event.session);
  if (event.peer.code == 'T' && session.connected) {
    if (!send_empty(session, event, mold::kEndOfSession)) return false;
    counters_.add(TransmitCounter::takeovers);
    session.connected = false;  // so that this is an ordinary login from here on, also if it goes on at a later poll
  }
  std::uint8_t* const frame = port_.reserve();
  if (frame == nullptr) return false;
  session.header = DatagramTemplate(config_, config_.order_port, station_of(event.peer), event.peer.port, kUnicastTtl);
  session.connected = true;
  overlay<soup::Framed<soup::LoginAccepted>>(frame + session.header.payload_offset()) = {
      .payload = soup::login_accepted(config_.order_session, session.messages.next())};
  commit_to(session, frame, sizeof(soup::Framed<soup::LoginAccepted>), event);
  counters_.add(TransmitCounter::logins_accepted);
  return true;
}

bool TransmitStage::login_reject(const Event& event) {
  std::uint8_t* const frame = port_.reserve();
  if (frame == nullptr) return false;
  const DatagramTemplate header(config_, config_.order_port, station_of(event.peer), event.peer.port, kUnicastTtl);
  overlay<soup::Framed<soup::LoginRejected>>(frame + header.payload_offset()) = {
      .payload = {.reason = static_cast<soup::RejectCode>(event.peer.code)}};
  commit(header.finish(frame, sizeof(soup::Framed<soup::LoginRejected>)), event);
  counters_.add(TransmitCounter::logins_refused);
  return true;
}

bool TransmitStage::resend(const Event& event) {
  Session& session = this->session(event.session);
  if (!session.connected) {
    counters_.add(TransmitCounter::resends_unbound);
    return true;
  }
  std::uint8_t* const frame = port_.reserve();
  if (frame == nullptr) return false;
  const Resend resend = write_resend({frame + session.header.payload_offset(), kMaxUdpPayload}, session_name_,
                                     session.messages, session.messages.next(), event.resend);
  commit_to(session, frame, resend.size, event);
  counters_.add(TransmitCounter::resends);
  counters_.add(TransmitCounter::resent_messages, resend.count);
  counters_.add(TransmitCounter::resends_past_end, resend.count == 0);
  counters_.add(TransmitCounter::resends_too_early, resend.begins_too_early);
  return true;
}

bool TransmitStage::tick(const Event& event) {
  return each_session([&](Session& session) {
    if (!session.connected || event.time_ns - session.last_sent_ns < config_.heartbeat_ns) return true;
    if (!send_empty(session, event, mold::kHeartbeat)) return false;
    counters_.add(TransmitCounter::heartbeats);
    return true;
  });
}

bool TransmitStage::day_end(const Event& event) {
  return each_session([&](Session& session) {
    if (!session.connected) return true;
    if (!send_empty(session, event, mold::kEndOfSession)) return false;
    counters_.add(TransmitCounter::sessions_ended);
    return true;
  });
}

// ---- Neighbours ---------------------------------------------------------------------------------------------------

bool TransmitStage::arp_reply(const Event& event) {
  std::uint8_t* const frame = port_.reserve();
  if (frame == nullptr) return false;
  commit(write_arp_reply(frame, config_, station_of(event.peer)), event);
  counters_.add(TransmitCounter::arp_replies);
  return true;
}

bool TransmitStage::echo_reply(const Event& event) {
  std::uint8_t* const frame = port_.reserve();
  if (frame == nullptr) return false;
  const EchoAsk& ask = event.echo;
  commit(write_echo_reply(frame, config_, station_of(ask), echoes_.message(ask.slot, ask.length)), event);
  echoes_.free_oldest();
  counters_.add(TransmitCounter::echo_replies);
  return true;
}

// ---- Frames -------------------------------------------------------------------------------------------------------

/// `write` puts a message at the bytes it is given, at most kMaxMessage, and returns its length. The message is
/// numbered and kept; a connected session gets it at once, so without room for its frame nothing happens.
template <class Write>
bool TransmitStage::answer(Session& session, const Event& event, Write write) {
  std::uint8_t* frame = nullptr;
  if (session.connected) {
    frame = port_.reserve();
    if (frame == nullptr) return false;
  }
  std::uint8_t* const kept = session.messages.fill();
  const std::size_t length = write(kept);
  const std::uint64_t number = session.messages.commit(length);
  counters_.add(TransmitCounter::answers);
  if (frame == nullptr) {
    counters_.add(TransmitCounter::answers_unsent);
    return true;
  }
  std::uint8_t* const payload = frame + session.header.payload_offset();
  overlay<mold::Header>(payload) = {.session = session_name_, .sequence = number, .count = 1};
  overlay<wire::be16>(payload + sizeof(mold::Header)) = static_cast<std::uint16_t>(length);
  constexpr std::size_t kMessageOffset = sizeof(mold::Header) + sizeof(wire::be16);
  write(payload + kMessageOffset);
  commit_to(session, frame, kMessageOffset + length, event);
  return true;
}

/// `action` for every session, one that had no room again at the next poll.
template <class Action>
bool TransmitStage::each_session(Action action) {
  for (; progress_ < sessions_.size(); ++progress_) {
    if (!action(sessions_[progress_])) return false;
  }
  return true;
}

/// A header alone: heartbeat or end of session, with the number of the next message.
bool TransmitStage::send_empty(Session& session, const Event& event, std::uint16_t count) {
  std::uint8_t* const frame = port_.reserve();
  if (frame == nullptr) return false;
  overlay<mold::Header>(frame + session.header.payload_offset()) = {
      .session = session_name_, .sequence = session.messages.next(), .count = count};
  commit_to(session, frame, sizeof(mold::Header), event);
  return true;
}

void TransmitStage::commit_to(Session& session, std::uint8_t* frame, std::size_t payload_size, const Event& event) {
  session.last_sent_ns = event.time_ns;
  commit(session.header.finish(frame, payload_size), event);
}

void TransmitStage::commit(std::size_t length, const Event& event) {
  port_.commit(length, {event.cause, event.time_ns, kRank});
  counters_.add(TransmitCounter::frames);
  ++committed_;
}

TransmitStage::Session& TransmitStage::session(SessionId id) {
  CHECK(id.value < sessions_.size(), "session %u of %zu", id.value, sessions_.size());
  return sessions_[id.value];
}

}  // namespace crosswire
