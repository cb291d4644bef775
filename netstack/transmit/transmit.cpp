// The transmit stage: see transmit.hpp.
#include "netstack/transmit/transmit.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>

#include "hugepages/base/check.hpp"
#include "netstack/answers/answers.hpp"
#include "netstack/common/limits.hpp"
#include "netstack/frame_writer/arp_reply.hpp"
#include "netstack/frame_writer/echo_reply.hpp"
#include "netstack/frame_writer/finish_in_place.hpp"
#include "netstack/frame_writer/station.hpp"
#include "netstack/session/end_words.hpp"
#include "netstack/wire/soup.hpp"

namespace crosswire {
namespace {

namespace mold = wire::mold;
namespace soup = wire::soup;
using wire::overlay;

constexpr std::uint8_t kUnicastTtl = 64;
constexpr std::uint8_t kRank = 0;  // FrameOrigin: before publish
constexpr std::uint64_t kNever = ~std::uint64_t{0};

/// An answer's frame: a packet of one message.
constexpr std::size_t kMessageOffset = sizeof(mold::Header) + sizeof(wire::be16);
static_assert(answers::kMaxBytes <= MessageStore<128>::kMaxMessage);
static_assert(kMessageOffset + answers::kMaxBytes <= kMaxUdpPayload);

// SoupBinTCP packets; both return their length.

std::size_t put_word(std::uint8_t* at, SessionEndReason ended) {
  const std::string_view word = word_of(ended);
  std::uint8_t* const text = soup::begin_packet({at, kMaxUdpPayload}, soup::PacketType::debug, word.size());
  std::copy(word.begin(), word.end(), text);
  return sizeof(soup::Header) + word.size();
}

std::size_t put_rejected(std::uint8_t* at, soup::RejectCode reason) {
  overlay<soup::Framed<soup::LoginRejected>>(at) = {.payload = {.reason = reason}};
  return sizeof(soup::Framed<soup::LoginRejected>);
}

}  // namespace

TransmitStage::TransmitStage(const NetConfig& config, Events& events, const Orders& orders, TxPort& port,
                             EchoStore& echoes, Arena& arena, const tcp::Wiring* tcp)
    : config_(config),
      session_name_(std::string_view(config.order_session)),
      events_(events),
      orders_(orders),
      port_(port),
      echoes_(echoes),
      sessions_(arena.array<Session>(config.accounts.size())),
      sharing_(arena.array<SessionId>(config.accounts.size())),
      login_news_(arena, kLoginNews) {
  for (Session& session : sessions_) {
    session.messages = MessageStore<128>(arena, config.messages_kept);
    session.connection = kNoConnection;
    session.look_at = kNever;
  }
  if (tcp == nullptr) return;
  soup_.emplace(config, *tcp, port, counters_, arena);
  admissions_ = &tcp->admissions;
}

std::size_t TransmitStage::bytes_for(const NetConfig& config, const tcp::TcpConfig* tcp) {
  return Arena::bytes_for<Session>(config.accounts.size()) + Arena::bytes_for<SessionId>(config.accounts.size()) +
         config.accounts.size() * MessageStore<128>::bytes_for(config.messages_kept) +
         LoginNewsRing::bytes_for(kLoginNews) + (tcp == nullptr ? 0 : SoupSender::bytes_for(*tcp));
}

std::size_t TransmitStage::poll() {
  if (session_mailbox_.asked()) [[unlikely]]
    report_sessions();
  const std::uint64_t waiting = std::min(events_.available(), kMaxEvents);
  std::uint64_t done = 0;
  committed_ = 0;
  for (; done < waiting && take(events_.peek(done)); ++done) progress_ = 0;
  if (done < waiting && !std::exchange(awaits_connection_, false)) counters_.add(TransmitCounter::port_full);
  if (soup_) {
    if (done > 0) newest_ = {events_.peek(done - 1).cause, events_.peek(done - 1).time_ns, kRank};
    committed_ += soup_->poll(std::max(port_.time_now(), newest_.time_ns), newest_);
  }
  if (done > 0) events_.release(done);
  if (port_.wants_flush()) port_.flush();
  return done + committed_;
}

void TransmitStage::report_sessions() {
  session_mailbox_.answer([this](std::uint64_t first, std::span<TransmitSessionState> items) {
    std::size_t n = 0;
    for (; n < items.size() && first + n < sessions_.size(); ++n) {
      const Session& session = sessions_[first + n];
      const bool connected = session.connected || session.connection != kNoConnection;
      items[n] = {connected, session.messages.next(), session.messages.oldest()};
    }
    return n;
  });
}

/// Handles the event, and behind the last one of a burst sends what shares datagrams.
bool TransmitStage::take(const Event& event) {
  if (!burst_over_ && !handle(event)) return false;
  return sharing_n_ == 0 || end_burst(event);
}

bool TransmitStage::handle(const Event& event) {
  const auto to = [this](auto whom, const Event& cause, auto write) {
    if constexpr (std::is_same_v<decltype(whom), answers::EverySession>) {
      return each_session([&](Session& session) { return answer(session, cause, write); });
    } else if constexpr (std::is_same_v<decltype(whom), answers::Sharing>) {
      return share(whom.session, cause, write);
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
      return session_close(event);
    case EventKind::login_reject:
      return login_reject(event);
    case EventKind::resend:
      return resend(event);
    case EventKind::arp_reply:
      return arp_reply(event);
    case EventKind::echo_reply:
      return echo_reply(event);
    case EventKind::operated:
    case EventKind::configured:
      return operated(event);
    case EventKind::day_end:
      return day_end(event);
    default:
      CHECK(is_only_for_others(event.kind, EventFor::transmit), "event of kind %u", static_cast<unsigned>(event.kind));
      return true;
  }
}

/// Ahead of who calls it, so that it is in place there.
[[gnu::always_inline]] inline void TransmitStage::commit(std::size_t length, const Event& event) {
  port_.commit(length, {event.cause, event.time_ns, kRank});
  counters_.add(TransmitCounter::frames);
  ++committed_;
}

// ---- Sessions -----------------------------------------------------------------------------------------------------

bool TransmitStage::session_open(const Event& event) {
  Session& session = this->session(event.session);
  if (session.held > 0 && !send_held(session, event)) return false;
  if (event.peer.transport == Transport::tcp) return session_open_over_tcp(event);
  if (!leave(session, event, SessionEndReason::takeover, event.peer.told)) return false;
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

bool TransmitStage::session_open_over_tcp(const Event& event) {
  Session& session = this->session(event.session);
  const SoupSender::Standing standing = soup_->standing(event.peer.connection);
  if (standing == SoupSender::Standing::not_yet) return await_connection();
  if (event.peer.asks) {
    if (standing == SoupSender::Standing::ready) judge_login(event);
    return true;
  }
  if (!leave(session, event, SessionEndReason::takeover, event.peer.told)) return false;
  if (standing == SoupSender::Standing::gone) return true;
  const MessageStore<128>& messages = session.messages;
  soup_->accept(event.peer.connection, event.session, messages, event.peer.wanted, config_.order_session, day_over_);
  session.connection = event.peer.connection;
  session.last_sent_ns = event.time_ns;
  session.look_at = messages.next();
  return true;
}

/// Whether what the client wants is kept: SoupBinTCP's numbers are implicit, so it must never be told from a later one.
void TransmitStage::judge_login(const Event& event) {
  const MessageStore<128>& messages = session(event.session).messages;
  const bool admitted = SoupSender::first_of(messages, event.peer.wanted) >= messages.oldest();
  if (!admitted) {
    soup_->reject(event.peer.connection, soup::RejectCode::session_not_available);
    counters_.add(TransmitCounter::logins_too_early);
    login_news_.push({event.session, event.peer.wanted, messages.oldest()});
  }
  const bool pushed = admissions_->push({event.peer.connection, admitted});
  CHECK(pushed, "no room for what is found of a login on connection %u", event.peer.connection.place);
}

/// Where the session was it is no more; who had it is `told`, if he is over UDP: over TCP each is.
bool TransmitStage::leave(Session& session, const Event& event, SessionEndReason reason, bool told) {
  if (session.connection != kNoConnection) {
    soup_->leave(session.connection, reason, reason != SessionEndReason::logout && reason != SessionEndReason::reset);
    if (reason == SessionEndReason::takeover) counters_.add(TransmitCounter::takeovers);
    session.connection = kNoConnection;
  }
  if (told && session.connected) {
    if (!tell(session.header, event, reason)) return false;
    if (reason == SessionEndReason::takeover) counters_.add(TransmitCounter::takeovers);
  }
  session.connected = false;  // so that what goes on at a later poll has nothing left to do here
  return true;
}

/// Who has ended the session himself, or is logged in to another one from there, knows it.
bool TransmitStage::session_close(const Event& event) {
  if (event.session == kNoSession) {
    if (soup_->standing(event.end.connection) == SoupSender::Standing::not_yet) return await_connection();
    if (event.end.at_once) {
      soup_->cut(event.end.connection);
    } else {
      soup_->leave(event.end.connection, event.end.reason, event.end.reason != SessionEndReason::reset);
    }
    return true;
  }
  Session& session = this->session(event.session);
  if (session.held > 0 && !send_held(session, event)) return false;
  const SessionEndReason reason = event.end.reason;
  const bool told =
      reason == SessionEndReason::silence || reason == SessionEndReason::cut || reason == SessionEndReason::by_operator;
  return leave(session, event, reason, told);
}

bool TransmitStage::login_reject(const Event& event) {
  if (event.peer.transport == Transport::tcp) {
    const SoupSender::Standing standing = soup_->standing(event.peer.connection);
    if (standing == SoupSender::Standing::not_yet) return await_connection();
    const auto reason = static_cast<soup::RejectCode>(event.peer.code);
    if (standing == SoupSender::Standing::ready) soup_->reject(event.peer.connection, reason);
    return true;
  }
  const DatagramTemplate header(config_, config_.order_port, station_of(event.peer), event.peer.port, kUnicastTtl);
  if (event.peer.told) return tell(header, event, event.peer.ended);
  std::uint8_t* const frame = port_.reserve();
  if (frame == nullptr) return false;
  const auto reason = static_cast<soup::RejectCode>(event.peer.code);
  commit(header.finish(frame, put_rejected(frame + header.payload_offset(), reason)), event);
  counters_.add(TransmitCounter::logins_refused);
  return true;
}

/// A client that has no session here learns why, and that it has to log in: two packets, each a datagram (WIRE 7).
bool TransmitStage::tell(const DatagramTemplate& header, const Event& event, SessionEndReason ended) {
  for (; progress_ < 2; ++progress_) {
    std::uint8_t* const frame = port_.reserve();
    if (frame == nullptr) return false;
    std::uint8_t* const payload = frame + header.payload_offset();
    const std::size_t size =
        progress_ == 0 ? put_word(payload, ended) : put_rejected(payload, soup::RejectCode::session_not_available);
    commit(header.finish(frame, size), event);
  }
  counters_.add(TransmitCounter::no_session_told);
  return true;
}

bool TransmitStage::resend(const Event& event) {
  Session& session = this->session(event.session);
  if (session.held > 0 && !send_held(session, event)) return false;
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
  if (soup_ && progress_ == 0) soup_->look_for_late_ends();
  if (day_over_) return event.time_ns % kEndRepeatNs == 0 ? say_end(event) : true;
  return each_session([&](Session& session) {
    if (session.held > 0 && !send_held(session, event)) return false;
    const bool over_tcp = session.connection != kNoConnection;
    const bool bound = session.connected || over_tcp;
    if (!bound || event.time_ns - session.last_sent_ns < config_.heartbeat_ns) return true;
    if (over_tcp) {
      soup_->heartbeat(session.connection);
      session.last_sent_ns = event.time_ns;
      return true;
    }
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
    // It stays the session's until it ends: history may still be on its way.
    if (session.connection != kNoConnection) soup_->end_session(session.connection);
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
  make_way(session);
  std::uint8_t* frame = nullptr;
  if (session.connected) {
    if (session.held > 0) [[unlikely]] {
      if (!send_held(session, event)) return false;
    }
    frame = port_.reserve();
    if (frame == nullptr) return false;
  }
  counters_.add(TransmitCounter::answers);
  // Written at one place, so that the compiler writes it here.
  std::uint8_t* const message =
      frame == nullptr ? session.messages.fill() : frame + session.header.payload_offset() + kMessageOffset;
  const std::size_t length = write(message);
  if (frame == nullptr) [[unlikely]] {
    session.messages.commit(length);
    offer(session, event);
    return true;
  }
  std::uint8_t* const payload = message - kMessageOffset;
  overlay<mold::Header>(payload) = {.session = session_name_, .sequence = session.messages.next(), .count = 1};
  overlay<wire::be16>(payload + sizeof(mold::Header)) = static_cast<std::uint16_t>(length);
  // Kept behind the sum, which has waited for the message's small stores, so that the copy need not; and before the
  // frame is the port's. Both without loops and calls for the size that most messages of the kind have.
  if (length == Write::kUsualBytes) [[likely]] {
    const std::size_t frame_length = session.header.finish_in_place(frame, kMessageOffset + Write::kUsualBytes);
    std::memcpy(session.messages.fill(), message, Write::kUsualBytes);
    session.messages.commit(Write::kUsualBytes);
    session.last_sent_ns = event.time_ns;
    commit(frame_length, event);
    return true;
  }
  session.messages.append({message, length});
  commit_to(session, frame, kMessageOffset + length, event);
  return true;
}

/// The newest message of a session that is not over UDP.
void TransmitStage::offer(Session& session, const Event& event) {
  if (session.connection != kNoConnection && soup_->offer(session.connection, session.messages)) {
    session.last_sent_ns = event.time_ns;
  } else {
    counters_.add(TransmitCounter::answers_unsent);
  }
}

/// As answer(), but the message waits for others of its burst, to leave in one datagram with them.
template <class Write>
bool TransmitStage::share(SessionId id, const Event& event, Write write) {
  Session& session = this->session(id);
  if (!session.connected) return answer(session, event, write);
  make_way(session);
  // What waits lies in the store alone, and must not be overwritten there.
  if (session.held == session.messages.kept() && !send_held(session, event)) return false;
  const std::size_t length = write(session.messages.fill());
  const std::size_t block = sizeof(wire::be16) + length;
  if (session.held > 0 && session.held_bytes + block > kMaxUdpPayload && !send_held(session, event)) return false;
  session.messages.commit(length);
  counters_.add(TransmitCounter::answers);
  if (session.held == 0) session.held_bytes = sizeof(mold::Header);
  ++session.held;
  session.held_bytes = static_cast<std::uint16_t>(session.held_bytes + block);
  if (!session.shares) sharing_[sharing_n_++] = id;
  session.shares = true;
  return true;
}

/// The messages that wait leave in one datagram. Before anything else of the session does, so that its order stays.
bool TransmitStage::send_held(Session& session, const Event& event) {
  std::uint8_t* const frame = port_.reserve();
  if (frame == nullptr) return false;
  const std::uint64_t next = session.messages.next();
  const ResendAsk held{.first = next - session.held, .count = session.held};
  const Resend packet = write_resend({frame + session.header.payload_offset(), kMaxUdpPayload}, session_name_,
                                     session.messages, next, held);
  CHECK(packet.count == session.held, "%u of %u answers in a datagram", packet.count, session.held);
  session.held = 0;
  commit_to(session, frame, packet.size, event);
  counters_.add(TransmitCounter::shared_datagrams);
  return true;
}

bool TransmitStage::end_burst(const Event& event) {
  if ((event.flags & kLastOfBurst) == 0) return true;
  burst_over_ = true;
  for (; sharing_sent_ < sharing_n_; ++sharing_sent_) {
    Session& session = this->session(sharing_[sharing_sent_]);
    if (session.held > 0 && !send_held(session, event)) return false;
    session.shares = false;
  }
  sharing_n_ = sharing_sent_ = 0;
  burst_over_ = false;
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
  if (session.held > 0 && !send_held(session, event)) return false;
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

TransmitStage::Session& TransmitStage::session(SessionId id) {
  CHECK(id.value < sessions_.size(), "session %u of %zu", id.value, sessions_.size());
  return sessions_[id.value];
}

}  // namespace crosswire
