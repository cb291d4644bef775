// The receive half of TCP, on the receive core: which connection a segment belongs to, whether it is acceptable, and
// the peer's stream, in order. It sends nothing: what a segment means for what we send goes to the send half as a
// signal. RFC 9293 section 3.10.7, RFC 5961, RFC 7323. It never waits, allocates after construction, locks or calls the
// system, and takes what time it is from its caller.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "hugepages/base/counters.hpp"
#include "hugepages/memory/arena.hpp"
#include "netstack/common/token_bucket.hpp"
#include "netstack/tcp/connection_table.hpp"
#include "netstack/tcp/counters.hpp"
#include "netstack/tcp/numbers.hpp"
#include "netstack/tcp/reassembly.hpp"
#include "netstack/tcp/segment.hpp"
#include "netstack/tcp/service.hpp"
#include "netstack/tcp/signals.hpp"

namespace crosswire::tcp {

/// Where a segment came from, besides its ports: host byte order.
struct SegmentSource {
  MacAddress mac;
  std::uint16_t vlan;  // 0 = untagged
  std::uint32_t address;
};

class ReceiveHalf {
 public:
  /// `address` is ours. All that is passed outlives this.
  ReceiveHalf(const TcpConfig& config, std::uint32_t address, Signals& signals, StreamReader& reader, Arena& arena);
  ReceiveHalf(const ReceiveHalf&) = delete;
  ReceiveHalf& operator=(const ReceiveHalf&) = delete;

  static std::size_t bytes_for(const TcpConfig& config);

  /// Takes in all that the send half has said. After the port has given a burst and before its frames are taken, so
  /// that what answers a frame of ours is never older than what is known of that frame. It never needs room.
  void take_signals() {
    if (signals_.to_receive.front() != nullptr || forgotten_n_ > 0) [[unlikely]]
      take_waiting_signals();
  }

  /// One IPv4 payload of protocol 6 to our address. `checked`: a device has found TCP's checksum right. False: no room
  /// for its signals now, and nothing has happened; call again, at a later poll.
  bool take(const SegmentSource& from, wire::Bytes payload, bool checked, TimeNs now);
  /// Behind the frames of a burst, taken or not: what segments of one connection in a row have said goes as one signal,
  /// which waits for the next of them until then.
  void end_burst() {
    if (held_.hot != nullptr) tell_held();
  }
  /// An ICMP message of type 3 to our address: its whole bytes, checksum right. As take().
  bool take_unreachable(wire::Bytes message);
  /// Somebody's ARP reply to us, or his request for our address. As take().
  bool take_resolved(const Remote& who);
  bool take_asked(const Remote& who);

  /// Offers bytes that the reader did not take to it once more. Once a poll. Returns how many it took.
  std::size_t offer_again();
  /// Has the connection such bytes?
  bool has_unread(ConnectionId connection) const { return hot_[connection.value].unread > 0; }

  /// Which of the connections that have had the place: with its id it names a connection for ever.
  std::uint16_t turn_of(ConnectionId connection) const { return cold_[connection.value].turn; }

  const Counters<TcpReceiveCounter>& counters() const { return counters_; }
  /// Connections that a segment may find, those in TIME-WAIT with them.
  std::size_t connections() const { return table_.size(); }

  /// Signals of one frame, at most, and one that is held.
  static constexpr std::uint64_t kMostSignals = 5;

 private:
  // `draining`: both sides have closed, and the reader has not taken all that was acknowledged.
  enum class State : std::uint8_t { unused, syn_sent, syn_received, open, time_wait, draining, dead };

  // Bits of Hot::bits.
  static constexpr std::uint16_t kTimestamps = 1;      // agreed upon
  static constexpr std::uint16_t kSack = 2;            // agreed upon
  static constexpr std::uint16_t kFinished = 4;        // the peer's FIN was taken
  static constexpr std::uint16_t kFinKnown = 8;        // it came, maybe beyond a hole: Cold::fin
  static constexpr std::uint16_t kDeaf = 16;           // nobody listens: data is answered by an RST
  static constexpr std::uint16_t kOurs = 32;           // opened by us: its place is the send half's
  static constexpr std::uint16_t kUnread = 64;         // in the list of those with unread bytes
  static constexpr std::uint16_t kToldFinished = 128;  // the reader knows of kFinished
  static constexpr std::uint16_t kHoles = 256;         // Cold::reassembly has some

  /// What an in-order segment needs.
  struct alignas(kCacheLine) Hot {
    std::uint64_t key;      // ConnectionTable's
    std::uint64_t station;  // MAC and VLAN of the last accepted segment
    std::uint32_t receive_next;
    std::uint32_t edge;             // the first number beyond the window
    std::uint32_t una;              // SND.UNA
    std::uint32_t sent;             // SND.NXT, as the send half has said
    std::uint32_t window_sequence;  // SND.WL1
    std::uint32_t window_ack;       // SND.WL2
    std::uint32_t window;           // SND.WND
    std::uint32_t ts_recent;
    std::uint32_t unread;     // bytes in order that the reader has not taken
    std::uint32_t widens_at;  // the first number that the reader has not taken is so high: `edge` moves
    std::uint16_t bits;
    State state;
    std::uint8_t shift;  // of the peer's window
    std::uint8_t receive_shift;
  };
  static_assert(sizeof(Hot) == kCacheLine);

  static constexpr std::uint64_t kNoStation = ~std::uint64_t{0};  // of no frame, whose VLAN has 12 bits

  /// What bare acknowledgements with timestamps, in a row at one connection, have in common: of their source and header
  /// all but their numbers and the checksum, as it lies in memory.
  struct Alike {
    std::uint64_t station = kNoStation;
    std::uint64_t ports_and_sequence = 0;
    std::uint32_t address = 0;
    std::uint32_t flags_and_window = 0;
    std::uint32_t options = 0;

    static Alike of(const SegmentSource& from, const std::uint8_t* header) {
      Alike made;
      made.station = station_number(from);
      made.address = from.address;
      std::memcpy(&made.ports_and_sequence, header, sizeof made.ports_and_sequence);
      std::memcpy(&made.flags_and_window, header + offsetof(Header, data_offset), sizeof made.flags_and_window);
      std::memcpy(&made.options, header + sizeof(Header), sizeof made.options);
      return made;
    }
    bool operator==(const Alike&) const = default;
  };

  /// What the segments of a burst that follow each other at one connection have said, with nothing odd about them.
  struct Held {
    Hot* hot = nullptr;  // nullptr: nothing is held. Else the connection is open, and nothing is odd about it
    Alike alike;         // what the next may be like; of none where it may not join without a look
    ConnectionId id{};
    std::uint16_t bytes = 0;  // of payload, of the largest
    std::uint8_t bits = 0;
    std::uint8_t segments = 0;
    std::uint32_t ts_echo = 0;
    std::uint64_t covers = 0;
  };

  /// The numbers of a segment whose header is as it was foreseen.
  struct Foreseen {
    std::uint32_t ack;
    std::uint32_t window;
    std::uint32_t ts_value;
    std::uint32_t ts_echo;
    std::uint32_t length;  // of payload
  };

  struct Cold {
    Reassembly reassembly;
    TimeNs challenged_ns = 0;
    std::uint32_t most_window = 0;  // of the peer, ever
    std::uint32_t irs = 0;
    std::uint32_t iss = 0;
    std::uint32_t capacity = 0;  // our window at its widest
    std::uint32_t fin = 0;       // the number of the peer's FIN
    std::uint16_t next_unread = 0;
    bool challenged = false;
    bool counted_half_open = false;
    bool told_opened = false;  // the reader knows of it
    std::uint16_t turn = 0;    // of the place: counts the connections that it was given to
  };

  /// A segment under way through the half.
  struct Arrival {
    const SegmentSource& from;
    Segment segment;
    std::uint64_t key;
    TimeNs now;
  };

  // All return true: the frame is done with.
  bool drop(TcpReceiveCounter counter);
  bool take_alike(const SegmentSource& from, wire::Bytes bytes, bool checked);
  [[gnu::noinline]] bool take_unlike(const SegmentSource& from, wire::Bytes bytes, bool checked, TimeNs now);
  template <bool kStamped>
  bool take_predicted(Hot& hot, const SegmentSource& from, wire::Bytes bytes, bool checked);
  [[gnu::noinline]] bool take_any(const SegmentSource& from, wire::Bytes bytes, bool checked, TimeNs now);
  bool take_general(ConnectionId id, Hot& hot, Arrival& arrival);
  [[gnu::cold]] bool take_unknown(Arrival& arrival);
  [[gnu::cold]] bool take_syn(Arrival& arrival);
  [[gnu::cold]] bool take_cookie(Arrival& arrival);
  bool was_taken(std::uint64_t key, std::uint32_t iss) const;
  [[gnu::cold]] bool take_in_syn_sent(ConnectionId id, Hot& hot, Arrival& arrival);
  [[gnu::cold]] bool take_in_time_wait(ConnectionId id, Hot& hot, Arrival& arrival);
  [[gnu::cold]] bool take_when_dead(ConnectionId id, Hot& hot, const Arrival& arrival);
  [[gnu::cold]] bool begin_anew(ConnectionId id, Hot& hot, const Arrival& arrival);
  [[gnu::cold]] bool take_reset(ConnectionId id, Hot& hot, Arrival& arrival);
  [[gnu::cold]] bool take_syn_again(ConnectionId id, Hot& hot, Arrival& arrival);
  [[gnu::cold]] bool take_outside(ConnectionId id, Hot& hot, Arrival& arrival);

  // Beginnings and ends.
  void begin(ConnectionId id, Hot& hot, const Segment& syn, std::uint64_t key, const SegmentSource& from);
  void agree(Hot& hot, Cold& cold, const Segment& syn);
  void become_open(ConnectionId id, Hot& hot);
  void signal_opening(ConnectionId id, const Hot& hot, const Arrival& arrival, std::uint16_t mss, std::uint8_t bits);
  void end(ConnectionId id, Hot& hot, EndReason reason, bool reset);
  void forget(ConnectionId id, EndReason reason);

  // Parts of the general way.
  bool is_acceptable(const Hot& hot, const Segment& segment) const;
  std::uint8_t take_acknowledgement(Hot& hot, Cold& cold, const Segment& segment);
  std::uint8_t take_text(ConnectionId id, Hot& hot, Cold& cold, Segment& segment, std::uint64_t& covers);
  std::uint64_t hand_over(ConnectionId id, Hot& hot, Cold& cold, wire::Bytes bytes);
  [[gnu::noinline]] void leave_unread(ConnectionId id, Hot& hot, Cold& cold, wire::Bytes bytes);
  std::uint64_t drain(ConnectionId id, Hot& hot, Cold& cold);
  static void note_holes(Hot& hot, const Cold& cold) {
    hot.bits = static_cast<std::uint16_t>((hot.bits & ~kHoles) | (cold.reassembly.has_holes() ? kHoles : 0));
  }
  void offer(ConnectionId id, Hot& hot, Cold& cold);
  void tell_finished(ConnectionId id, Hot& hot);
  /// Our window from what comes next on.
  static std::uint32_t window_of(const Hot& hot) {
    return static_cast<std::uint32_t>(std::max(distance(hot.receive_next, hot.edge), 0));
  }
  /// What may come: a scaled window is told rounded up, and there is room for that (Cold::capacity).
  static std::uint32_t room_of(const Hot& hot) { return hot.edge + (1u << hot.receive_shift) - 1 - hot.receive_next; }
  /// Whether the reader has taken enough for our window to open further.
  static bool widens(const Hot& hot) { return at_or_before(hot.widens_at, hot.receive_next - hot.unread); }
  bool widen(Hot& hot, const Cold& cold);
  static void set_edge(Hot& hot, const Cold& cold, std::uint32_t edge);

  // Parts of the predicted way.
  static bool is_plain(const Hot& hot) {
    constexpr std::uint16_t kOdd = kFinished | kFinKnown | kDeaf | kUnread | kHoles;
    return hot.state == State::open && (hot.bits & kOdd) == 0;
  }
  template <bool kStamped>
  static bool foresees(const Hot& hot, const SegmentSource& from, wire::Bytes bytes, Foreseen& segment);
  std::uint64_t sum_before(const SegmentSource& from, std::size_t bytes) const;
  std::uint64_t take_next(Hot& hot, wire::Bytes bytes);
  void hold(Hot& hot, const Foreseen& segment, std::uint8_t bits, std::uint64_t covers);
  static std::uint64_t key_of(const SegmentSource& from, wire::Bytes bytes) {
    // Both ports as one number are as ConnectionTable::key_of() wants them.
    return std::uint64_t{from.address} << 32 | reinterpret_cast<const wire::be32*>(bytes.data())->value();
  }
  ConnectionId id_of(const Hot& hot) const { return ConnectionId{static_cast<std::uint16_t>(&hot - hot_.data())}; }

  // Signals; there is room.
  void take_waiting_signals();
  void take_sent(const ToReceive& told);
  ToSend& signal(ToSendKind kind, ConnectionId id);
  static SegmentSignal& signal_of(ToSend& next, ConnectionId id, const Hot& hot);
  [[gnu::noinline]] void tell_held();
  void signal_segment(ConnectionId id, Hot& hot, const Segment* segment, std::uint8_t bits, std::uint64_t covers);
  void signal_holes(ConnectionId id, const Cold& cold);
  void note_station(ConnectionId id, Hot& hot, const Arrival& arrival);
  void answer(const Arrival& arrival, std::uint32_t sequence, std::uint32_t acknowledgement, std::uint8_t flags);
  bool answer_reset(const Arrival& arrival, TcpReceiveCounter counter);
  void acknowledge_now(ConnectionId id, Hot& hot);
  void challenge(ConnectionId id, Hot& hot, TimeNs now);
  bool may_challenge(Cold& cold, TimeNs now);

  bool listens(std::uint16_t port) const;
  static std::uint64_t station_number(const SegmentSource& from) {
    static_assert(offsetof(SegmentSource, mac) == 0 && offsetof(SegmentSource, vlan) == 6);
    std::uint64_t number;
    std::memcpy(&number, &from, sizeof number);
    return number;
  }
  std::uint32_t window_of_syn(const Cold& cold) const;

  const TcpConfig& config_;
  std::uint32_t address_;
  std::uint64_t our_sum_;  // pseudo_sum() without the peer's address and the length
  Signals& signals_;
  StreamReader& reader_;
  Numbers numbers_;
  ConnectionTable table_;
  std::span<Hot> hot_;             // by ConnectionId
  std::span<Cold> cold_;           // by ConnectionId
  std::span<std::uint16_t> free_;  // places for connections that peers open: the first free_n_
  std::size_t free_n_ = 0;
  std::size_t half_open_ = 0;
  std::span<std::uint16_t> forgotten_;  // places that the send half is owed: the first forgotten_n_
  std::size_t forgotten_n_ = 0;
  Held held_;  // there is room for its signal
  std::uint16_t first_unread_ = kNobody;
  std::uint8_t receive_shift_;
  TimeNs cookies_until_ns_ = 0;
  RandomBudget resets_;
  RandomBudget challenges_;
  TokenBucket cookies_;
  struct TakenCookie {
    std::uint64_t key;
    std::uint32_t iss;
    friend bool operator==(const TakenCookie&, const TakenCookie&) = default;
  };
  std::array<TakenCookie, 1024> taken_cookies_{};  // the newest
  std::uint64_t taken_n_ = 0;
  Counters<TcpReceiveCounter> counters_;

  static constexpr std::uint16_t kNobody = 0xFFFF;
  static constexpr std::uint8_t kMostTogether = 255;  // segments in a signal
};

}  // namespace crosswire::tcp
