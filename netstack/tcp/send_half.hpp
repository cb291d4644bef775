// The send half of TCP, on the transmit core: what of each stream is under way, when it goes again, how much at once,
// and what becomes of the connection. It never waits for a window or for a frame: what a peer does not take stays with
// the writer, and its connection falls behind alone. RFC 9293, 5681, 6298, 6582, 6675, 8985, 3522, 7323. It never
// allocates after construction, locks or calls the system; its clock is its caller's, one reading a poll.
//
// What waits for a frame or for room in the ring of signals stands in a list and goes on at the next poll(), so that
// the half takes in signals whatever else is full.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "hugepages/base/check.hpp"
#include "hugepages/base/counters.hpp"
#include "hugepages/memory/arena.hpp"
#include "netstack/common/config.hpp"
#include "netstack/port/port.hpp"
#include "netstack/tcp/counters.hpp"
#include "netstack/tcp/numbers.hpp"
#include "netstack/tcp/round_trip.hpp"
#include "netstack/tcp/scoreboard.hpp"
#include "netstack/tcp/segment_template.hpp"
#include "netstack/tcp/service.hpp"
#include "netstack/tcp/signals.hpp"
#include "netstack/tcp/timer_wheel.hpp"

namespace crosswire::tcp {

class SendHalf {
 public:
  /// RFC 9293 3.3.2, without CLOSED and LISTEN: of these nothing is kept. `resolving`: the peer's MAC is asked for.
  enum class State : std::uint8_t {
    unused,
    resolving,
    syn_sent,
    syn_received,
    established,
    fin_wait_1,
    fin_wait_2,
    close_wait,
    closing,
    last_ack,
    time_wait,
    ended,  // what is left is to say so
  };

  /// All that is passed outlives this; `net` has our addresses.
  SendHalf(const TcpConfig& config, const NetConfig& net, Signals& signals, StreamWriter& writer, TxPort& port,
           Arena& arena);
  SendHalf(const SendHalf&) = delete;
  SendHalf& operator=(const SendHalf&) = delete;

  static std::size_t bytes_for(const TcpConfig& config);

  /// Takes in signals, lets timers expire, and sends what may be sent, as far as the port has room. `now` never falls.
  /// Returns signals taken and frames committed; the port is the caller's to flush.
  std::size_t poll(TimeNs now) {
    const bool idle = signals_.to_send.front() == nullptr && ready_first_ == kNobody && delayed_first_ == kNobody;
    if (!idle || now < no_timer_before_ns_ || wheel_.wants(now) || stood_still(now)) return work(now);
    now_ = now;
    timers_looked_at_ = true;
    return 0;
  }

  // For the writer, also out of its calls. They say nothing of a connection that is gone.

  /// The outgoing stream has `bytes` more. Between ready() and finish().
  void extend(ConnectionId connection, std::uint32_t bytes) {
    Line& line = lines_[connection.value];
    const bool open = line.state == State::established || line.state == State::close_wait;
    if (!open || (line.bits & kFinWanted) != 0) return;
    // Numbers are compared by half of their space.
    CHECK(line.end - line.una + bytes < 1u << 30, "%u bytes are not acknowledged", line.end - line.una);
    line.end += bytes;
    make_ready(connection, line);
  }
  /// Nothing more will come: FIN behind what there is. The peer may go on sending.
  void finish(ConnectionId connection);
  /// The same, and nobody listens any more: what the peer still sends is answered by an RST, and its FIN is waited for
  /// TcpConfig::fin_wait_ns.
  void close(ConnectionId connection);
  /// RST, and gone.
  void abort(ConnectionId connection, EndReason reason = EndReason::aborted);

  /// Opens a connection from our `port` (0: one that is free) to an address of the link; the writer hears ready() or
  /// closed(). `to.mac` of zeros: it is asked for. None: all places are in use, or this pair of ports is.
  std::optional<ConnectionId> connect(Remote to, std::uint16_t port);

  /// All that receive has numbered up to here is answered: acknowledgements of it wait no longer.
  void passed(std::uint64_t number) { passed_ = number; }
  /// Of all frames from now on, for a port that puts them in order.
  void set_origin(const FrameOrigin& origin) { origin_ = origin; }

  /// The connection between a peer's address and port and our port, if there is one; looks at all. Tests.
  std::optional<ConnectionId> find(std::uint32_t address, std::uint16_t port, std::uint16_t ours) const;
  /// As ReceiveHalf::turn_of().
  std::uint16_t turn_of(ConnectionId connection) const { return cold_[connection.value].turn; }
  State state(ConnectionId connection) const { return lines_[connection.value].state; }
  /// Bytes that were offered, and those of them that the peer has: differ by what is not acknowledged.
  std::uint64_t offered(ConnectionId connection) const;
  std::uint64_t acknowledged(ConnectionId connection) const { return lines_[connection.value].una_offset; }

  const Counters<TcpSendCounter>& counters() const { return counters_; }
  /// When a timer may expire, at the earliest; `none` if none is set. Tests and simulators.
  TimeNs next_timer(TimeNs none) const;

  /// Frames of one connection before others have their turn.
  static constexpr unsigned kMostAtOnce = 16;

 private:
  enum class Timer : std::uint8_t {
    none,
    resolve,
    retransmit,
    tail_probe,
    window_probe,
    keepalive,
    fin_wait,
    time_wait
  };

  // Bits of Line::bits.
  static constexpr std::uint32_t kTimestamps = 1;           // agreed upon
  static constexpr std::uint32_t kSack = 2;                 // agreed upon
  static constexpr std::uint32_t kReady = 4;                // in the list of those with something to send or to say
  static constexpr std::uint32_t kAckOwed = 8;              // within the delay
  static constexpr std::uint32_t kAckAtOnce = 16;           // owed at once
  static constexpr std::uint32_t kInDelay = 32;             // in the queue of those that wait
  static constexpr std::uint32_t kFinWanted = 64;           // behind `end`
  static constexpr std::uint32_t kSynOwed = 128;            // SYN, or SYN and ACK, is to be sent (again)
  static constexpr std::uint32_t kRecovering = 256;         // fast recovery, until `recover`
  static constexpr std::uint32_t kTimedOut = 512;           // recovery by time-out, until `recover`
  static constexpr std::uint32_t kResendFirst = 1024;       // the first segment, whatever the window
  static constexpr std::uint32_t kMaybeSpurious = 2048;     // timestamps may still show it
  static constexpr std::uint32_t kProbing = 4096;           // a tail probe is out, up to probe_end
  static constexpr std::uint32_t kProbeAgain = 8192;        // which brought nothing new
  static constexpr std::uint32_t kTiming = 16384;           // the round trip of what ends at timed_end
  static constexpr std::uint32_t kLimited = 32768;          // it was the congestion window that ended the last turn
  static constexpr std::uint32_t kWindowProbed = 65536;     // into a window that is shut
  static constexpr std::uint32_t kOurs = 1u << 17;          // opened by us
  static constexpr std::uint32_t kDeafOwed = 1u << 18;      // to be told to the receive half
  static constexpr std::uint32_t kTimeWaitOwed = 1u << 19;  // as well
  static constexpr std::uint32_t kOpeningOwed = 1u << 20;   // as well, before the first SYN
  static constexpr std::uint32_t kResetOwed = 1u << 21;
  static constexpr std::uint32_t kAskOwed = 1u << 22;      // ARP
  static constexpr std::uint32_t kDeaf = 1u << 23;         // nobody listens any more
  static constexpr std::uint32_t kOpened = 1u << 24;       // the writer knows of it
  static constexpr std::uint32_t kSynRepeated = 1u << 25;  // our SYN was sent more than once
  static constexpr std::uint32_t kTailProbeOwed = 1u << 26;
  static constexpr std::uint32_t kWindowProbeOwed = 1u << 27;
  static constexpr std::uint32_t kKeepaliveOwed = 1u << 28;
  static constexpr std::uint32_t kRescueOwed = 1u << 29;  // RFC 6675's: the tail of a recovery seems lost
  static constexpr std::uint32_t kKnown = 1u << 30;       // to the receive half

  /// What a plain acknowledgement or a plain segment out needs.
  struct alignas(kCacheLine) Line {
    std::uint32_t una;           // SND.UNA
    std::uint32_t next;          // SND.NXT; goes back behind a time-out
    std::uint32_t most;          // the highest number sent, never goes back
    std::uint32_t end;           // of what was offered; FIN comes there
    std::uint32_t window;        // SND.WND
    std::uint32_t congestion;    // cwnd, in bytes
    std::uint32_t receive_next;  // RCV.NXT
    std::uint32_t receive_edge;  // the number beyond our window
    std::uint32_t acknowledged;  // RCV.NXT as it was sent last
    std::uint32_t ts_recent;
    std::uint32_t bits;
    std::uint16_t mss;  // payload of a full segment without other options than timestamps
    State state;
    Timer timer;
    std::uint64_t una_offset;  // of the stream: bytes before SND.UNA
    TimeNs due_ns;             // of `timer`
  };
  static_assert(sizeof(Line) == kCacheLine);

  /// Nothing was lost, nothing ends, and nothing but data and acknowledgements is owed: what may be under way has been
  /// sent once. Where SACK has told of no hole either, that is all the state that the short ways have to know of.
  static bool is_plain(const Line& line) {
    constexpr std::uint32_t kOdd = kFinWanted | kSynOwed | kRecovering | kTimedOut | kResendFirst | kMaybeSpurious |
                                   kProbing | kWindowProbed | kDeafOwed | kTimeWaitOwed | kOpeningOwed | kResetOwed |
                                   kAskOwed | kDeaf | kTailProbeOwed | kWindowProbeOwed | kKeepaliveOwed;
    return line.state == State::established && (line.bits & kOdd) == 0 && line.next == line.most;
  }

  struct Cold {
    SegmentTemplate header;
    Remote remote{};
    std::uint16_t port = 0;
    std::uint16_t turn = 0;
    std::uint16_t next_ready = 0;
    std::uint16_t next_delayed = 0;
    std::uint16_t peer_segment = 0;  // the largest payload that came
    std::uint8_t shift = 0;          // of our window
    std::uint8_t syn_shift = 0;      // that our SYN offers; kNoShift: none
    std::uint8_t resolve_tries = 0;
    std::uint8_t duplicates = 0;  // acknowledgements
    bool rescued = false;         // in this recovery
    EndReason reason = EndReason::none;
    std::uint32_t iss = 0;
    std::uint32_t ts_offset = 0;
    std::uint32_t threshold = 0;  // ssthresh
    std::uint32_t recover = 0;
    std::uint32_t again = 0;  // RFC 6675's HighRxt
    std::uint32_t probe_end = 0;
    std::uint32_t timed_end = 0;
    std::uint32_t most_window = 0;
    std::uint32_t grown = 0;             // bytes acknowledged towards the next growth
    std::uint32_t saved_congestion = 0;  // before what may be spurious
    std::uint32_t saved_threshold = 0;
    std::uint32_t resent_ts = 0;
    TimeNs timed_ns = 0;
    TimeNs started_ns = 0;    // of the timer of retransmission: the last progress
    TimeNs last_sent_ns = 0;  // data
    TimeNs heard_ns = 0;
    TimeNs stuck_ns = 0;        // since when nothing goes on; kNever: it does
    TimeNs lonely_ns = 0;       // nobody listens any more: since when nothing goes on
    TimeNs delay_until_ns = 0;  // of the acknowledgement that is owed
    std::uint64_t covers = 0;
    TimeNs wheel_ns = 0;  // what the wheel has
    RoundTrip round_trip;
    Scoreboard scoreboard;
    std::array<Range, kMaxSackRanges> holes{};  // of the peer's stream
    std::uint8_t hole_count = 0;
  };

  /// A piece of the stream to be sent.
  struct Piece {
    std::uint32_t sequence;
    std::uint32_t bytes;
    bool fin;
    bool rescue = false;

    std::uint32_t end() const { return sequence + bytes + (fin ? 1 : 0); }
    bool empty() const { return bytes == 0 && !fin; }
  };

  [[gnu::noinline]] std::size_t work(TimeNs now);
  bool stood_still(TimeNs now) const { return config_.standstill_ns > 0 && now > now_ + config_.standstill_ns; }

  // Signals in.
  void take_other(const ToSend& told);
  void take_segment(ConnectionId id, Line& line, const SegmentSignal& told);
  bool take_plain(ConnectionId id, Line& line, Cold& cold, const SegmentSignal& told);
  [[gnu::noinline]] void take_any(ConnectionId id, Line& line, Cold& cold, const SegmentSignal& told);
  void take_opening(ConnectionId id, const OpeningSignal& told);
  void take_resolved(const Remote& who);
  void take_end(ConnectionId id, Line& line, EndReason reason, bool reset);
  void answer(const AnswerSignal& told);
  void answer_arp(const Remote& who);

  // Acknowledgements: congestion.cpp.
  void take_acknowledgement(ConnectionId id, Line& line, Cold& cold, const SegmentSignal& told);
  void take_duplicate(Line& line, Cold& cold, const SegmentSignal& told);
  bool take_sacks(Line& line, Cold& cold, const SegmentSignal& told);
  void grow(Line& line, Cold& cold, std::uint32_t bytes, std::uint32_t segments);
  /// Whether the congestion window held back what flew before the last `bytes` of it were acknowledged, or half of it
  /// was in use: only then does it grow (RFC 7661 has the reasons).
  static bool used_window(const Line& line, std::uint32_t bytes) {
    return (line.bits & kLimited) != 0 || 2 * (line.most - line.una + bytes) >= line.congestion;
  }
  void enter_recovery(Line& line, Cold& cold);
  void leave_or_go_on(Line& line, Cold& cold, std::uint32_t bytes, std::uint32_t segments);
  void undo_spurious(Line& line, Cold& cold);
  void judge_tail_probe(Line& line, Cold& cold, const SegmentSignal& told);
  void time_out(ConnectionId id, Line& line, Cold& cold);
  std::uint32_t in_flight(const Line& line, const Cold& cold) const;
  void remember_for_undo(Line& line, Cold& cold);

  // What to send: congestion.cpp.
  Piece pick(Line& line, Cold& cold);
  Piece pick_in_recovery(Line& line, Cold& cold);
  Piece next_in_recovery(const Line& line, const Cold& cold) const;
  Piece pick_next(Line& line, Cold& cold);
  Piece piece_at(const Line& line, const Cold& cold, std::uint32_t sequence, std::uint32_t most) const;
  Piece last_piece(const Line& line, const Cold& cold) const;

  // Frames out.
  enum class Turn : std::uint8_t { done, more, no_room };
  Turn turn(ConnectionId id);
  Turn any_turn(ConnectionId id, Line& line, Cold& cold);
  static bool goes_at_once(const Line& line, const Cold& cold);
  bool send_at_once(ConnectionId id, Line& line, Cold& cold);
  bool say_owed(ConnectionId id, Line& line, Cold& cold);
  bool send_syn(Line& line, Cold& cold);
  bool send_piece(ConnectionId id, Line& line, Cold& cold, const Piece& piece, bool again);
  bool send_probes(ConnectionId id, Line& line, Cold& cold);
  bool send_bare(Line& line, Cold& cold, std::uint32_t sequence, std::uint8_t flags);
  bool send_delayed();
  bool ask_for_mac(Line& line, Cold& cold);
  void commit(std::size_t length) {
    port_.commit(length, origin_);
    counters_.add(TcpSendCounter::tcp_sent);
    ++committed_;
  }
  std::size_t put_options(std::uint8_t* at, const Line& line, const Cold& cold) const;
  /// Rounded up: what is told never moves back by the rounding, and the receive half has kept room for it.
  static std::uint16_t window_to_tell(const Line& line, const Cold& cold) {
    const std::uint32_t window = line.receive_edge - line.receive_next;
    return static_cast<std::uint16_t>(std::min<std::uint32_t>((window + (1u << cold.shift) - 1) >> cold.shift, 0xFFFF));
  }
  std::uint32_t sequence_to_tell(const Line& line) const;
  static void acknowledged_now(Line& line) {
    line.acknowledged = line.receive_next;
    line.bits &= ~(kAckOwed | kAckAtOnce);
  }

  // Fate.
  void start_over(Line& line, Cold& cold);
  void set_remote(Cold& cold, const Remote& remote);
  void establish(ConnectionId id, Line& line, Cold& cold);
  void take_fin(ConnectionId id, Line& line, Cold& cold);
  void fin_acknowledged(ConnectionId id, Line& line, Cold& cold);
  void wait_out(ConnectionId id, Line& line, Cold& cold);
  void end(ConnectionId id, Line& line, EndReason reason, bool reset);
  void release(ConnectionId id, Line& line, Cold& cold);

  // Timers.
  void arm(ConnectionId id, Line& line, Cold& cold);
  /// When the tail of a flight is to be probed for, if it may be.
  TimeNs probe_at(const Line& line, const Cold& cold) const {
    const bool alone = line.most - line.una <= line.mss;
    return std::max(cold.last_sent_ns, cold.started_ns) + cold.round_trip.probe_timeout_ns(config_, alone);
  }
  void set_timer(ConnectionId id, Line& line, Cold& cold, Timer timer, TimeNs at) {
    line.timer = timer;
    line.due_ns = at;
    if (!wheel_.is_set(id.value) || cold.wheel_ns > at) [[unlikely]]
      set_wheel(id, cold, at);
  }
  void set_wheel(ConnectionId id, Cold& cold, TimeNs at);
  void expired(ConnectionId id);
  void fire(ConnectionId id, Line& line, Cold& cold);

  // Lists.
  void make_ready(ConnectionId id, Line& line) {
    if ((line.bits & kReady) != 0) return;
    line.bits |= kReady;
    cold_[id.value].next_ready = kNobody;
    (ready_first_ == kNobody ? ready_first_ : cold_[ready_last_].next_ready) = id.value;
    ready_last_ = id.value;
  }
  void owe_acknowledgement(Line& line, Cold& cold, const SegmentSignal& told);
  void put_off_acknowledgement(ConnectionId id, Line& line, Cold& cold);

  bool push(ToReceiveKind kind, ConnectionId id, const Cold& cold, std::uint32_t number = 0,
            EndReason reason = EndReason::none);
  /// There is room. What such a signal does not need holds what was there before.
  void say_sent(ConnectionId id, const Cold& cold, std::uint32_t number) {
    ToReceive& told = signals_.to_receive.next();
    told.kind = ToReceiveKind::sent;
    told.connection = id;
    told.number = number;
    told.turn = cold.turn;
    signals_.to_receive.publish();
  }
  bool is_idle_place(std::uint16_t id) const;
  static bool has_waiting(const Line& line) { return line.most != line.end + ((line.bits & kFinWanted) != 0 ? 1 : 0); }
  static bool can_send_data(State state) {
    return state == State::established || state == State::close_wait || state == State::fin_wait_1 ||
           state == State::closing || state == State::last_ack;
  }

  static constexpr TimeNs kNever = ~TimeNs{0};
  static constexpr std::uint16_t kNobody = 0xFFFF;

  const TcpConfig& config_;
  const NetConfig& net_;
  Signals& signals_;
  StreamWriter& writer_;
  TxPort& port_;
  Numbers numbers_;
  TimerWheel wheel_;
  std::span<Line> lines_;      // by ConnectionId
  std::span<Cold> cold_;       // by ConnectionId
  std::span<bool> ours_free_;  // places that connect() may give, by ConnectionId
  std::uint16_t ready_first_ = kNobody;
  std::uint16_t ready_last_ = kNobody;
  std::uint16_t delayed_first_ = kNobody;
  std::uint16_t delayed_last_ = kNobody;
  std::uint64_t passed_ = 0;
  FrameOrigin origin_{};
  std::uint64_t connects_ = 0;
  TimeNs now_ = 0;
  TimeNs no_timer_before_ns_ = kNever;  // behind a standstill; kNever: before the first poll
  bool timers_looked_at_ = false;       // since the last one
  std::size_t committed_ = 0;
  Counters<TcpSendCounter> counters_;
};

}  // namespace crosswire::tcp
