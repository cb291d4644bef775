// The transmit stage: see transmit.hpp.
#include "netstack/transmit/transmit.hpp"

#include <algorithm>
#include <type_traits>

#include "hugepages/base/check.hpp"
#include "netstack/answers/answers.hpp"
#include "netstack/common/limits.hpp"
#include "netstack/frame_writer/arp_reply.hpp"
#include "netstack/frame_writer/echo_reply.hpp"
#include "netstack/frame_writer/station.hpp"
#include "netstack/wire/soup.hpp"

namespace crosswire {
namespace {

namespace mold = wire::mold;
namespace soup = wire::soup;
using wire::overlay;

constexpr std::uint8_t kUnicastTtl = 64;
constexpr std::uint8_t kRank = 0;  // FrameOrigin: before publish

/// An answer's frame: a packet of one message.
constexpr std::size_t kMessageOffset = sizeof(mold::Header) + sizeof(wire::be16);
static_assert(answers::kMaxBytes <= MessageStore<128>::kMaxMessage);
static_assert(kMessageOffset + answers::kMaxBytes <= kMaxUdpPayload);

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
  if (session_mailbox_.asked()) [[unlikely]]
    report_sessions();
  const std::uint64_t waiting = std::min(events_.available(), kMaxEvents);
  std::uint64_t done = 0;
  committed_ = 0;
  for (; done < waiting && handle(events_.peek(done)); ++done) progress_ = 0;
  if (done < waiting) counters_.add(TransmitCounter::port_full);
  if (done > 0) events_.release(done);
  if (port_.wants_flush()) port_.flush();
  return done + committed_;
}

void TransmitStage::report_sessions() {
  session_mailbox_.answer([this](std::uint64_t first, std::span<TransmitSessionState> items) {
    std::size_t n = 0;
    for (; n < items.size() && first + n < sessions_.size(); ++n) {
      const Session& session = sessions_[first + n];
      items[n] = {session.connected, session.messages.next(), session.messages.oldest()};
    }
    return n;
  });
}

bool TransmitStage::handle(const Event& event) {
  const auto to = [this](auto whom, const Event& cause, auto write) {
    if constexpr (std::is_same_v<decltype(whom), answers::EverySession>) {
      return each_session([&](Session& session) { return answer(session, cause, write); });
    } else {
      return answer(session(whom), cause, write);
    }
  };
  return answers::each(event, orders_, progress_, to, [this](const Event& other) { return handle_other(other); });
}

bool TransmitStage::handle_other(const Event& event) {
  switch (event.kind) {
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
    case EventKind::operated:
      return operated(event);
    case EventKind::day_end:
      return day_end(event);
    default:
      CHECK(is_only_for_others(event.kind, EventFor::transmit), "event of kind %u", static_cast<unsigned>(event.kind));
      return true;
  }
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
  if (day_over_) return event.time_ns % kEndRepeatNs == 0 ? say_end(event) : true;
  return each_session([&](Session& session) {
    if (!session.connected || event.time_ns - session.last_sent_ns < config_.heartbeat_ns) return true;
    if (!send_empty(session, event, mold::kHeartbeat)) return false;
    counters_.add(TransmitCounter::heartbeats);
    return true;
  });
}

bool TransmitStage::day_end(const Event& event) {
  if (!say_end(event)) return false;
  day_over_ = true;
  return true;
}

bool TransmitStage::say_end(const Event& event) {
  return each_session([&](Session& session) {
    if (!session.connected) return true;
    if (!send_empty(session, event, mold::kEndOfSession)) return false;
    counters_.add(day_over_ ? TransmitCounter::ends_repeated : TransmitCounter::sessions_ended);
    return true;
  });
}

/// The control thread lets no more commands in than the ring has places.
bool TransmitStage::operated(const Event& event) {
  if (operators_ == nullptr) return true;  // in a replay nobody waits
  const bool pushed = operators_->results.push(event);
  CHECK(pushed, "no room for the result of request %llu", static_cast<unsigned long long>(event.operated.request));
  return true;
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
  const EchoAsk& ask = event.echo;
  if (!echoes_.is_oldest(ask.slot)) {
    counters_.add(TransmitCounter::echoes_gone);
    return true;
  }
  std::uint8_t* const frame = port_.reserve();
  if (frame == nullptr) return false;
  commit(write_echo_reply(frame, config_, station_of(ask), echoes_.message(ask.slot, ask.length)), event);
  echoes_.free_oldest();
  counters_.add(TransmitCounter::echo_replies);
  return true;
}

// ---- Frames -------------------------------------------------------------------------------------------------------

/// `write` puts a message at the bytes it is given, at most answers::kMaxBytes, and returns its length. The message is
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
