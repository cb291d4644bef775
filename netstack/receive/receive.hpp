// The receive stage: frames in, commands out. The only producer of commands, and the only stage that knows what time
// it is; it runs alone on its thread. poll() never waits, allocates, locks or calls the system (the port's driver
// apart), and no frame can make it do more than count.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/command.hpp"
#include "engine/config.hpp"
#include "engine/order.hpp"
#include "hugepages/memory/arena.hpp"
#include "hugepages/rings/broadcast_ring.hpp"
#include "hugepages/rings/mailbox.hpp"
#include "netstack/common/config.hpp"
#include "netstack/common/shared_rate.hpp"
#include "netstack/common/token_bucket.hpp"
#include "netstack/intake/command_writer.hpp"
#include "netstack/intake/operator_intake.hpp"
#include "netstack/intake/order_intake.hpp"
#include "netstack/ip/echo_store.hpp"
#include "netstack/link/vlan_filter.hpp"
#include "netstack/port/port.hpp"
#include "netstack/receive/counters.hpp"
#include "netstack/receive/session_desk.hpp"
#include "netstack/receive/soup_streams.hpp"
#include "netstack/session/order_frames.hpp"
#include "netstack/session/session_news.hpp"
#include "netstack/tcp/receive_half.hpp"
#include "netstack/tcp/segment_frames.hpp"
#include "netstack/tcp/wiring.hpp"
#include "netstack/wire/mold.hpp"

namespace crosswire {

namespace link {
struct Frame;
}
namespace ip {
struct Datagram;
}

/// ARP requests answered a second, in all: far above what the stations of a rack ask.
inline constexpr std::uint32_t kArpRepliesPerSecond = 1000;

/// An account's session as receive sees it, for control threads.
struct ReceiveSessionState {
  bool open;              // bound to a source
  Transport transport;    // like what follows, meaningful while open
  std::uint32_t address;  // of the source, host byte order
  std::uint16_t port;
  std::uint16_t vlan;     // 0 = untagged
  TimeNs silent_ns;       // since it was heard
  std::uint64_t next_in;  // the client's next MoldUDP64 number; over TCP nothing is numbered
};
/// Asked for sessions from a number on, by SessionId.
using ReceiveSessionMailbox = Mailbox<ReceiveSessionState, 64>;

/// Whether all commands so far are answered: match has passed them, and transmit has passed match's events.
struct Answered {
  ReaderProgress match, transmit;

  /// In this order: match publishes a command's events before it has passed the command.
  bool all(std::uint64_t commands_made) const {
    return match.position() == commands_made && transmit.position() == transmit.published();
  }
};

/// The sequence it produces: day_start; then for each burst what is due before it (phases of the schedule, ticks and
/// the sessions that a tick finds silent) and the burst's own commands; day_end where the port says that the day ends,
/// at the latest where the port ends itself, and there run_end. Between the two no phase is entered and no order taken:
/// clients may still log in and ask for what they have missed. Each of day_start, phase, tick with its closings, burst,
/// operator's command, day_end, run_end is a burst of its own: its last command is marked.
class ReceiveStage {
 public:
  /// What is passed outlives the stage. Slots come from `slots`, and their cold lines are written into `orders`.
  /// Symbols are unique, as are users (CHECKed). `tcp`: the receive half's side; none: TCP is an unknown protocol.
  ReceiveStage(const NetConfig& net, const EngineConfig& engine, RxPort& port,
               BroadcastRing<Command>::Producer& commands, Orders& orders, SlotSource& slots, EchoStore& echoes,
               Arena& arena, const tcp::Wiring* tcp = nullptr);

  /// In a replay with TCP: no burst is taken before all commands so far are answered. Before the first poll(); what
  /// `answered` refers to outlives the stage.
  void wait_for(const Answered& answered) { answered_ = answered; }
  ReceiveStage(const ReceiveStage&) = delete;
  ReceiveStage& operator=(const ReceiveStage&) = delete;

  /// Arena bytes that the constructor takes.
  static std::size_t bytes_for(const NetConfig& net, const EngineConfig& engine, const tcp::TcpConfig* tcp = nullptr);

  /// At most one burst, and at most kMostDuePerPoll points of time that are due before it. Returns frames finished
  /// plus commands made; 0 = nothing to do, or no room in the ring, no free slot or no place for an echo, in which
  /// case the next poll() goes on where this one stopped.
  std::size_t poll();

  /// run_end is published; poll() does nothing any more.
  bool ended() const { return step_ == Step::ended; }

  const ReceiveCounters& counters() const { return counters_; }

  /// For control threads to ask.
  ReceiveSessionMailbox& session_mailbox() { return session_mailbox_; }

  /// For the control thread to take.
  SessionNewsRing& session_news() { return desk_.news(); }
  /// Of these, what had no room. Any thread.
  std::uint64_t session_news_lost() const { return desk_.news_lost(); }
  /// Sessions that are logged in. Any thread.
  std::uint64_t sessions_open() const { return desk_.open_count(); }
  /// Of TCP; all zero without it.
  const Counters<tcp::TcpReceiveCounter>& tcp_counters() const { return tcp_ ? tcp_->half.counters() : no_tcp_; }

  /// So that a poll() stays short when time makes a leap.
  static constexpr unsigned kMostDuePerPoll = 64;

 private:
  enum class Step : std::uint8_t { start, receive, clock, frames, gone, end_day, end_run, ended };

  // Everything below returns false when it has to be called again, at the next poll(), for want of room. Until then
  // it has changed nothing that it would do twice.

  // Commands. What is seldom made is marked, so that it stays out of the way of poll().
  [[gnu::cold]] bool make_alone(CommandKind kind);
  [[gnu::cold]] void end_day();

  // Time.
  void take_burst();
  bool advance_clock() {
    if (burst_ns_ >= commands_.due()) return make_what_is_due();
    commands_.move_on(burst_ns_);
    return true;
  }
  /// Of TCP's sessions, before other commands are made.
  bool make_ends() { return !tcp_ || tcp_->streams.make_ends(); }
  bool make_what_is_due();
  [[gnu::cold]] bool close_silent_sessions();
  [[gnu::cold]] void enter_phase();
  [[gnu::cold]] void tick();

  // What came past the wire.
  [[gnu::cold]] bool take_operators();

  // Frames, from the outside in. `bytes` is the payload of what was parsed before.
  bool take_frames();
  bool take_frame(wire::Bytes frame, CheckedSums checked);
  bool take_next(SessionId session, wire::Bytes message);
  [[gnu::noinline]] bool take_any_frame(wire::Bytes frame);
  bool take_arp(const link::Frame& frame);
  bool take_ipv4(const link::Frame& frame);
  bool take_icmp(const link::Frame& frame, const ip::Datagram& datagram);
  bool take_tcp(const link::Frame& frame, const ip::Datagram& datagram);
  bool take_segment(const tcp::SegmentSource& from, wire::Bytes segment, bool checked);
  bool take_udp(const link::Frame& frame, const ip::Datagram& datagram);
  bool take_feed_request(const Source& source, wire::Bytes bytes);
  bool take_order_datagram(const Source& source, wire::Bytes bytes);
  bool take_soup(const Source& source, wire::Bytes bytes);
  bool take_mold(SessionId session, wire::Bytes bytes);
  bool take_request(SessionId session, const wire::mold::Header& header);
  bool take_data(SessionId session, wire::Bytes bytes);

  bool take_blocks();
  bool finish_tcp();

  void report_sessions();

  bool count(ReceiveCounter counter, std::uint64_t n = 1) {
    counters_.add(counter, n);
    return true;
  }
  TimeNs now() const { return commands_.now(); }

  /// TCP's receive half and what stands above it.
  struct OverTcp {
    OverTcp(const NetConfig& net, const tcp::Wiring& wiring, SessionDesk& desk, OrderIntake& intake,
            CommandWriter& commands, ReceiveCounters& counters, Arena& arena)
        : streams(net, wiring.config.connections, wiring.admissions, desk, intake, commands, counters, arena),
          half(wiring.config, net.address, wiring.signals, streams, arena) {
      streams.read_from(half);
    }
    SoupStreams streams;
    tcp::ReceiveHalf half;
  };

  // Given at the start.
  const NetConfig& net_;
  RxPort& port_;
  EchoStore& echoes_;
  link::VlanFilter vlans_;
  OrderFrames order_frames_;
  tcp::SegmentFrames segment_frames_;
  wire::alpha<10> order_session_;
  wire::alpha<10> feed_session_;

  // Where it is.
  Step step_ = Step::start;
  std::span<const RxFrame> frames_;  // of the burst
  TimeNs burst_ns_ = 0;              // its time
  bool burst_ended_ = false;
  bool burst_ends_day_ = false;
  bool out_of_band_ = false;                       // the burst is an operator's command
  bool day_over_ = false;                          // day_end is made
  std::size_t frame_ = 0;                          // of the burst
  wire::mold::BlockReader blocks_{wire::Bytes{}};  // of the frame
  SessionId block_session_ = kNoSession;
  bool in_block_ = false;         // blocks_ has a block that is not yet taken
  bool in_tcp_ = false;           // what the frame's segment said is not yet all taken
  bool in_silence_scan_ = false;  // a tick's closings are not yet all made
  SessionId silence_scan_{0};
  std::size_t finished_ = 0;  // frames of this poll()

  // What it knows.
  TimeNs next_tick_;
  std::size_t next_phase_ = 0;  // of the schedule
  SharedRate arp_replies_{kArpRepliesPerSecond};
  SharedRate echo_replies_;
  SharedRate feed_answers_;
  std::span<TokenBucket> order_requests_;  // by SessionId
  TokenBucket order_resend_bytes_;         // of all of them
  ReceiveCounters counters_;
  CommandWriter commands_;
  SessionDesk desk_;
  OrderIntake intake_;
  OperatorIntake operators_;
  ReceiveSessionMailbox session_mailbox_;
  std::optional<OverTcp> tcp_;
  std::optional<Answered> answered_;
  Counters<tcp::TcpReceiveCounter> no_tcp_;
};

}  // namespace crosswire
