// The transmit stage: see transmit.hpp.
#include "netstack/transmit.hpp"

#include <algorithm>
#include <cstring>

#include "hugepages/check.hpp"
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

/// What an answer's appendage says. `firm` nullptr: no Firm option.
struct Options {
  const std::array<char, 4>* firm = nullptr;
  std::uint8_t user_ref_idx = 0;
};

/// Writes a message and, where the message has one, its appendage (WIRE 3.2). Returns the bytes.
template <class Message>
std::size_t put(std::uint8_t* at, const Message& message, const Options& options) {
  overlay<Message>(at) = message;
  const bool wanted = Message::kAppendage == ouch::Appendage::always || options.user_ref_idx != 0;
  if (Message::kAppendage == ouch::Appendage::none || !wanted) return sizeof(Message);
  ouch::OptionWriter writer({at + sizeof(Message), MessageStore<128>::kMaxMessage - sizeof(Message)});
  if constexpr (Message::kTags.contains(ouch::Tag::firm)) {
    if (options.firm != nullptr) writer.put<ouch::Tag::firm>(wire::alpha<4>{*options.firm});
  }
  if (options.user_ref_idx != 0) writer.put<ouch::Tag::user_ref_idx>(options.user_ref_idx);
  return sizeof(Message) + writer.finish();
}

char liquidity_of_cross(char cross_type) {
  switch (cross_type) {
    case 'O':
      return static_cast<char>(ouch::Liquidity::opening_cross);
    case 'C':
      return static_cast<char>(ouch::Liquidity::closing_cross);
    default:
      return static_cast<char>(ouch::Liquidity::halt_ipo_cross);
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
  const std::uint64_t waiting = std::min(events_.available(), kMaxEvents);
  std::uint64_t done = 0;
  committed_ = 0;
  for (; done < waiting && handle(events_.peek(done)); ++done) progress_ = 0;
  if (done < waiting) counters_.add(TransmitCounter::port_full);
  if (done > 0) events_.release(done);
  if (port_.unsent()) port_.flush();
  return done + committed_;
}

bool TransmitStage::handle(const Event& event) {
  switch (event.kind) {
    case EventKind::accepted:
      return accepted(event);
    case EventKind::replaced:
      return replaced(event);
    case EventKind::canceled:
      return canceled(event);
    case EventKind::modified:
      return modified(event);
    case EventKind::rejected:
      return rejected(event);
    case EventKind::account:
      return account(event);
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

bool TransmitStage::accepted(const Event& event) {
  const OrderEvent& order = event.order;
  const OrderAsked& asked = orders_.asked(order.order);
  const OrderResolved& resolved = orders_.resolved(order.order);
  return answer(session(asked.session), event, [&](std::uint8_t* at) {
    return put(at,
               ouch::OrderAccepted{.timestamp = event.time_ns,
                                   .user_ref_num = order.user_ref_num.value,
                                   .side = static_cast<char>(order.side),
                                   .quantity = order.quantity,
                                   .symbol = resolved.symbol_name,
                                   .price = order.price.value,
                                   .time_in_force = static_cast<char>(asked.time_in_force),
                                   .display = asked.display,
                                   .order_ref = order.ref.value,
                                   .capacity = resolved.capacity,
                                   .iso = asked.iso,
                                   .cross_type = resolved.cross_type,
                                   .order_state = order.code,
                                   .cl_ord_id = asked.cl_ord_id},
               {resolved.firm_given ? &resolved.firm : nullptr, asked.user_ref_idx});
  });
}

bool TransmitStage::replaced(const Event& event) {
  const OrderEvent& order = event.order;
  const OrderAsked& asked = orders_.asked(order.order);
  const OrderResolved& resolved = orders_.resolved(order.order);
  return answer(session(asked.session), event, [&](std::uint8_t* at) {
    return put(at,
               ouch::OrderReplaced{.timestamp = event.time_ns,
                                   .orig_user_ref_num = order.user_ref_num.value,
                                   .user_ref_num = asked.user_ref_num.value,
                                   .side = static_cast<char>(order.side),
                                   .quantity = order.quantity,
                                   .symbol = resolved.symbol_name,
                                   .price = order.price.value,
                                   .time_in_force = static_cast<char>(asked.time_in_force),
                                   .display = asked.display,
                                   .order_ref = order.ref.value,
                                   .capacity = resolved.capacity,
                                   .iso = asked.iso,
                                   .cross_type = resolved.cross_type,
                                   .order_state = order.code,
                                   .cl_ord_id = asked.cl_ord_id},
               {resolved.firm_given ? &resolved.firm : nullptr, asked.user_ref_idx});
  });
}

bool TransmitStage::canceled(const Event& event) {
  const OrderAsked& asked = orders_.asked(event.order.order);
  return answer(session(asked.session), event, [&](std::uint8_t* at) {
    return put(at,
               ouch::OrderCanceled{.timestamp = event.time_ns,
                                   .user_ref_num = event.order.user_ref_num.value,
                                   .quantity = event.order.quantity,
                                   .reason = event.order.code},
               {nullptr, asked.user_ref_idx});
  });
}

bool TransmitStage::modified(const Event& event) {
  const OrderAsked& asked = orders_.asked(event.order.order);
  return answer(session(asked.session), event, [&](std::uint8_t* at) {
    return put(at,
               ouch::OrderModified{.timestamp = event.time_ns,
                                   .user_ref_num = event.order.user_ref_num.value,
                                   .side = static_cast<char>(event.order.side),
                                   .quantity = event.order.open},
               {nullptr, asked.user_ref_idx});
  });
}

/// Of a rejected order only line 0 is written: a Replace never got its line 1.
bool TransmitStage::rejected(const Event& event) {
  const OrderAsked& asked = orders_.asked(event.order.order);
  return answer(session(asked.session), event, [&](std::uint8_t* at) {
    return put(at,
               ouch::Rejected{.timestamp = event.time_ns,
                              .user_ref_num = event.order.user_ref_num.value,
                              .reason = event.reject,
                              .cl_ord_id = asked.cl_ord_id},
               {nullptr, asked.user_ref_idx});
  });
}

bool TransmitStage::account(const Event& event) {
  return answer(session(event.session), event, [&](std::uint8_t* at) {
    return put(
        at, ouch::AccountQueryResponse{.timestamp = event.time_ns, .next_user_ref_num = event.order.user_ref_num.value},
        {});
  });
}

bool TransmitStage::executed(const Event& event) {
  if (progress_ == 0) {
    if (!execution(event, event.execution.order, static_cast<char>(ouch::Liquidity::removed))) return false;
    progress_ = 1;
  }
  return execution(event, event.execution.resting, static_cast<char>(ouch::Liquidity::added));
}

bool TransmitStage::crossed(const Event& event) {
  const char liquidity = liquidity_of_cross(event.cross_type);
  if (progress_ == 0) {
    if (!execution(event, event.execution.order, liquidity)) return false;
    progress_ = 1;
  }
  return execution(event, event.execution.resting, liquidity);
}

bool TransmitStage::execution(const Event& event, OrderIndex order, char liquidity) {
  const OrderAsked& asked = orders_.asked(order);
  return answer(session(asked.session), event, [&](std::uint8_t* at) {
    return put(at,
               ouch::OrderExecuted{.timestamp = event.time_ns,
                                   .user_ref_num = asked.user_ref_num.value,
                                   .quantity = event.execution.quantity,
                                   .price = event.execution.price.value,
                                   .liquidity = liquidity,
                                   .match_number = event.execution.match.value},
               {nullptr, asked.user_ref_idx});
  });
}

bool TransmitStage::system(const Event& event) {
  const char letter = event.system.event;
  if (letter != 'S' && letter != 'E') return true;
  return each_session([&](Session& session) {
    return answer(session, event, [&](std::uint8_t* at) {
      return put(at, ouch::SystemEvent{.timestamp = event.time_ns, .event = letter}, {});
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
  std::uint8_t* const message = session.messages.fill();
  const std::size_t length = write(message);
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
  std::memcpy(payload + kMessageOffset, message, length);
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
