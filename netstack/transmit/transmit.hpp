// The transmit stage: everything that is sent to clients. Events in, frames out: OUCH messages with their session
// sequence numbers, login answers, heartbeats, re-requested messages, ARP and ICMP echo replies. Over UDP an answer is
// a frame of its own, but for those to the account queries of one session and burst: they share datagrams; over TCP
// they are packets of its stream (netstack/transmit/soup_sender.hpp). Its own thread or receive's; it never waits or
// allocates after construction. It reads a clock for TCP's timers alone, once a poll: no message, number or order of
// them follows from it.
//
//   event                   frames                                            for whom
//   what clients are told   an OUCH message (netstack/answers/answers.hpp)    as there
//   account                 one for several: when it is full, when other       the session
//                           answers follow, or when their burst ends
//   session_open            Login Accepted, before it what says so to the     the source of the login
//                           source that has lost the session
//   session_close           what says so, unless the client asked for it      the session
//   login_reject            Login Rejected; before it a word, to who has no   the source of the login
//                           session and sends
//   resend                  one packet of kept messages, or a heartbeat       the session
//   tick                    heartbeat after heartbeat_ns without sending      every connected session
//   day_end, and each       end of session, instead of heartbeats             every connected session
//   whole second behind it
//   arp_reply, echo_reply   the reply; none to an echo whose data is not      the asker
//                           kept, of a command that is run again
//   operated, configured    none: the event itself goes over a ring           the control thread
//
// An OUCH message is numbered and kept for re-request whether or not its session is connected.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "engine/event.hpp"
#include "engine/order.hpp"
#include "hugepages/memory/arena.hpp"
#include "hugepages/rings/broadcast_ring.hpp"
#include "hugepages/rings/mailbox.hpp"
#include "netstack/common/config.hpp"
#include "netstack/common/message_store.hpp"
#include "netstack/frame_writer/datagram_template.hpp"
#include "netstack/ip/echo_store.hpp"
#include "netstack/port/operator_rings.hpp"
#include "netstack/port/port.hpp"
#include "netstack/tcp/wiring.hpp"
#include "netstack/transmit/counters.hpp"
#include "netstack/transmit/login_news.hpp"
#include "netstack/transmit/soup_sender.hpp"
#include "netstack/wire/mold.hpp"

namespace crosswire {

/// An account's session as transmit sees it, for control threads.
struct TransmitSessionState {
  bool connected;
  std::uint64_t next_out;  // number of the next message to it
  std::uint64_t oldest;    // number of the oldest message that is kept; next_out: none is
};
/// Asked for sessions from a number on, by SessionId.
using TransmitSessionMailbox = Mailbox<TransmitSessionState, 64>;

class TransmitStage {
 public:
  using Events = BroadcastRing<Event>::GatingReader;

  /// All outlive the stage; `port` may be shared with the publish stage on the same thread. Of `orders` only the cold
  /// lines are read, of orders that unreleased events name.
  /// `tcp`: the send half's side; none: all sessions are over UDP.
  TransmitStage(const NetConfig& config, Events& events, const Orders& orders, TxPort& port, EchoStore& echoes,
                Arena& arena, const tcp::Wiring* tcp = nullptr);
  TransmitStage(const TransmitStage&) = delete;
  TransmitStage& operator=(const TransmitStage&) = delete;

  static std::size_t bytes_for(const NetConfig& config, const tcp::TcpConfig* tcp = nullptr);

  /// Handles up to kMaxEvents events, as far as the port has room, and flushes the port. An event is released when all
  /// its frames are committed; one that is half done goes on where it stopped. Returns events finished plus frames
  /// committed.
  std::size_t poll();

  /// From then on the results of operators' commands go there. Before the first poll(); `rings` outlives this.
  void report_operator_results_to(OperatorRings& rings) { operators_ = &rings; }

  const TransmitCounters& counters() const { return counters_; }
  /// Of TCP; all zero without it.
  const Counters<tcp::TcpSendCounter>& tcp_counters() const { return soup_ ? soup_->counters() : no_tcp_; }

  /// For the control thread to take.
  LoginNewsRing& login_news() { return login_news_; }

  /// For control threads to ask.
  TransmitSessionMailbox& session_mailbox() { return session_mailbox_; }

  static constexpr std::uint64_t kMaxEvents = 64;

 private:
  struct Session {
    DatagramTemplate header;  // to the bound source
    TimeNs last_sent_ns;
    std::uint64_t look_at;     // before this message: whether a TCP connection still needs what it overwrites
    ConnectionRef connection;  // over TCP; else kNoConnection
    bool connected;            // over UDP
    bool shares;               // it is in sharing_
    std::uint16_t held;        // newest messages that are not sent yet: they share a datagram
    std::uint16_t held_bytes;  // of that datagram's payload
    MessageStore<128> messages;
  };

  bool take(const Event& event);
  bool handle(const Event& event);
  bool handle_other(const Event& event);

  // Answers that share a datagram.
  template <class Write>
  bool share(SessionId id, const Event& event, Write write);
  [[gnu::cold]] bool send_held(Session& session, const Event& event);
  [[gnu::cold]] bool end_burst(const Event& event);

  // One per kind of event without answers. False: no room, call again; what is done is remembered in progress_.
  bool session_open(const Event& event);
  bool session_open_over_tcp(const Event& event);
  void judge_login(const Event& event);
  bool session_close(const Event& event);
  bool login_reject(const Event& event);
  /// What TCP says of the event's connection has not come yet: the event waits for the next poll.
  bool await_connection() {
    awaits_connection_ = true;
    return false;
  }
  bool resend(const Event& event);
  bool tick(const Event& event);
  bool day_end(const Event& event);
  bool say_end(const Event& event);
  bool operated(const Event& event);
  bool arp_reply(const Event& event);
  bool echo_reply(const Event& event);

  bool leave(Session& session, const Event& event, SessionEndReason reason, bool told);
  void offer(Session& session, const Event& event);
  /// Before a message overwrites the oldest one: TCP may still need it.
  void make_way(Session& session) {
    if (session.messages.next() >= session.look_at) [[unlikely]]
      session.look_at = soup_->make_way(id_of(session), session.messages);
  }
  SessionId id_of(const Session& session) const {
    return SessionId{static_cast<std::uint16_t>(&session - sessions_.data())};
  }

  template <class Write>
  bool answer(Session& session, const Event& event, Write write);
  template <class Action>
  bool each_session(Action action);
  bool tell(const DatagramTemplate& header, const Event& event, SessionEndReason ended);
  bool send_empty(Session& session, const Event& event, std::uint16_t count);
  void commit_to(Session& session, std::uint8_t* frame, std::size_t payload_size, const Event& event);
  void commit(std::size_t length, const Event& event);
  Session& session(SessionId id);
  void report_sessions();

  const NetConfig& config_;
  const wire::alpha<10> session_name_;
  Events& events_;
  const Orders& orders_;
  TxPort& port_;
  EchoStore& echoes_;
  OperatorRings* operators_ = nullptr;
  std::span<Session> sessions_;   // by SessionId
  std::span<SessionId> sharing_;  // sessions that had queries in this burst, in their order: the first sharing_n_
  std::size_t sharing_n_ = 0;
  std::size_t sharing_sent_ = 0;  // of these, once the burst has ended
  bool burst_over_ = false;       // the oldest unreleased event is handled, and ends its burst
  bool awaits_connection_ = false;
  bool day_over_ = false;      // from day_end on
  std::size_t progress_ = 0;   // of the oldest unreleased event: answers or sessions that are done
  std::size_t committed_ = 0;  // frames of this poll
  TransmitCounters counters_;
  std::optional<SoupSender> soup_;
  AdmissionRing* admissions_ = nullptr;  // with it
  Counters<tcp::TcpSendCounter> no_tcp_;
  LoginNewsRing login_news_;
  FrameOrigin newest_{};  // of TCP's frames: that of the newest event that is handled
  TransmitSessionMailbox session_mailbox_;
};

}  // namespace crosswire
