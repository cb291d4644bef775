// The receive half of TCP, its predicted path (RFC 1323 appendix C had it first): the next segment of an established
// stream, or an acknowledgement, with timestamps in their usual place or without options, and nothing odd about it.
// What is not all of this goes the general way, which says why; nothing has happened then.
#include <algorithm>

#include "hugepages/base/check.hpp"
#include "netstack/tcp/receive_half.hpp"

namespace crosswire::tcp {

using Count = TcpReceiveCounter;

/// Whether the header is as foreseen, of a connection that is_plain(). `bytes` are at least such a header.
template <bool kStamped>
[[gnu::always_inline]] inline bool ReceiveHalf::foresees(const Hot& hot, const SegmentSource& from, wire::Bytes bytes,
                                                         Foreseen& segment) {
  constexpr std::size_t kHeaderBytes = sizeof(Header) + (kStamped ? kTimestampBytes : 0);
  constexpr std::uint16_t kUsualStart = (kHeaderBytes / 4 << 4) << 8 | kAck;
  constexpr std::uint32_t kUsualTimestamps = 0x0101'080A;
  const std::uint8_t* const at = bytes.data();
  const auto& header = *reinterpret_cast<const Header*>(at);
  const auto start = *reinterpret_cast<const wire::be16*>(&header.data_offset);
  const auto word = [at](std::size_t i) { return reinterpret_cast<const wire::be32*>(at + i)->value(); };
  if ((start & ~std::uint16_t{kPsh}) != kUsualStart || header.sequence != hot.receive_next) return false;
  segment.ack = header.acknowledgement;
  segment.length = static_cast<std::uint32_t>(bytes.size() - kHeaderBytes);
  if (segment.ack - hot.una > hot.sent - hot.una) return false;
  if (segment.length > 0 && distance(hot.receive_next, hot.edge) < static_cast<std::int32_t>(segment.length)) {
    return false;
  }
  segment.ts_value = hot.ts_recent;
  segment.ts_echo = 0;
  if constexpr (kStamped) {
    segment.ts_value = word(sizeof(Header) + 4);
    segment.ts_echo = word(sizeof(Header) + 8);
    if (word(sizeof(Header)) != kUsualTimestamps || before(segment.ts_value, hot.ts_recent)) return false;
  }
  segment.window = std::uint32_t{header.window} << hot.shift;
  return station_number(from) == hot.station;
}

/// What the checksum is over besides the segment itself.
std::uint64_t ReceiveHalf::sum_before(const SegmentSource& from, std::size_t bytes) const {
  return our_sum_ + __builtin_bswap32(from.address) + __builtin_bswap16(static_cast<std::uint16_t>(bytes));
}

/// The predicted path at its shortest: a bare acknowledgement that differs from the one before it, whose signal is
/// held, by its numbers alone, and acknowledges more. A sum is never 0, as what it begins with is not.
[[gnu::always_inline]] inline bool ReceiveHalf::take_alike(const SegmentSource& from, wire::Bytes bytes, bool checked) {
  constexpr std::size_t kStampedBytes = sizeof(Header) + kTimestampBytes;
  const std::uint8_t* const at = bytes.data();
  if (bytes.size() != kStampedBytes || held_.alike != Alike::of(from, at)) return false;
  Hot& hot = *held_.hot;
  const auto word = [at](std::size_t i) { return reinterpret_cast<const wire::be32*>(at + i)->value(); };
  const std::uint32_t ack = word(offsetof(Header, acknowledgement));
  const std::uint32_t ts_value = word(sizeof(Header) + 4);
  // At least one more, and at most all. The last that the signal has room for is not taken here, as it tells.
  if (ack - hot.una - 1 >= hot.sent - hot.una || before(ts_value, hot.ts_recent)) return false;
  if (held_.segments == kMostTogether - 1) return false;
  const auto sum = [&] { return ip::CarryChain{sum_before(from, kStampedBytes)}.plus_32(at).end(); };
  if (!checked && sum() % 0xFFFF != 0) return false;
  hot.una = hot.window_ack = ack;
  hot.ts_recent = ts_value;
  ++held_.segments;
  counters_.add(Count::tcp_segments);
  counters_.add(Count::tcp_acks);
  return true;
}

template <bool kStamped>
[[gnu::always_inline]] inline bool ReceiveHalf::take_predicted(Hot& hot, const SegmentSource& from, wire::Bytes bytes,
                                                               bool checked) {
  constexpr std::size_t kHeaderBytes = sizeof(Header) + (kStamped ? kTimestampBytes : 0);
  Foreseen segment;
  if (bytes.size() < kHeaderBytes || !foresees<kStamped>(hot, from, bytes, segment)) return false;
  if (!checked && ip::ones_sum(bytes.data(), bytes.size(), sum_before(from, bytes.size())) % 0xFFFF != 0) return false;

  std::uint8_t bits = kStamped ? kEchoes : 0;
  if (segment.ack != hot.una) {
    bits |= kTakesAck;
  } else if (segment.length == 0 && segment.window == hot.window && segment.ack != hot.sent) {
    bits |= kRepeatsAck;
    end_burst();  // those that repeat each other are counted, so each is told alone
  }
  counters_.add(Count::tcp_segments);
  hot.una = hot.window_ack = segment.ack;
  hot.window_sequence = hot.receive_next;
  hot.ts_recent = segment.ts_value;
  if (segment.window != hot.window) {
    hot.window = segment.window;
    Cold& cold = cold_[id_of(hot).value];
    cold.most_window = std::max(cold.most_window, segment.window);
    bits |= kTakesWindow;
  }
  if (segment.length > 0) {
    bits |= kAckLater;
    const std::uint64_t covers = take_next(hot, bytes.subspan(kHeaderBytes));
    hold(hot, segment, bits, covers);
    held_.alike.station = kNoStation;
    if (hot.unread > 0) [[unlikely]]
      end_burst();
  } else {
    counters_.add(Count::tcp_acks);
    hold(hot, segment, bits, kNoNumber);
    if (kStamped && (held_.bits & kTakesAck) != 0) held_.alike = Alike::of(from, bytes.data());
    if ((bits & kRepeatsAck) != 0) end_burst();
  }
  if (held_.segments == kMostTogether) end_burst();
  return true;
}

/// The next bytes of a stream of which nothing is unread. Returns what the reader says they are covered by.
[[gnu::always_inline]] inline std::uint64_t ReceiveHalf::take_next(Hot& hot, wire::Bytes bytes) {
  const ConnectionId id = id_of(hot);
  const StreamReader::Taken taken = reader_.take(id, bytes);
  counters_.add(Count::tcp_in_order);
  counters_.add(Count::tcp_bytes, taken.bytes);
  hot.receive_next += static_cast<std::uint32_t>(taken.bytes);
  if (taken.bytes != bytes.size()) [[unlikely]] {
    CHECK(taken.bytes < bytes.size(), "%zu bytes taken of %zu", taken.bytes, bytes.size());
    leave_unread(id, hot, cold_[id.value], bytes.subspan(taken.bytes));
  }
  if (widens(hot)) [[unlikely]]
    widen(hot, cold_[id.value]);
  return taken.covers;
}

/// Its signal waits for the next of its connection.
[[gnu::always_inline]] inline void ReceiveHalf::hold(Hot& hot, const Foreseen& segment, std::uint8_t bits,
                                                     std::uint64_t covers) {
  const auto bytes = static_cast<std::uint16_t>(segment.length);
  if (held_.hot == &hot) [[likely]] {
    // The first that acknowledges says what was answered (RFC 3522).
    if ((held_.bits & kTakesAck) == 0) held_.ts_echo = segment.ts_echo;
    if (covers != kNoNumber) held_.covers = covers;
    if (bytes > held_.bytes) held_.bytes = bytes;
    held_.bits |= bits;
    ++held_.segments;
  } else {
    end_burst();
    held_ = {&hot, {}, id_of(hot), bytes, bits, 1, segment.ts_echo, covers};
  }
}

[[gnu::flatten]] bool ReceiveHalf::take(const SegmentSource& from, wire::Bytes payload, bool checked, TimeNs now) {
  if (take_alike(from, payload, checked)) return true;
  return take_unlike(from, payload, checked, now);
}

[[gnu::flatten]] bool ReceiveHalf::take_unlike(const SegmentSource& from, wire::Bytes bytes, bool checked, TimeNs now) {
  Hot* hot = nullptr;
  if (bytes.size() >= sizeof(Header)) {
    const std::uint64_t key = key_of(from, bytes);
    // What joins, and even what repeats, finds the room that there was for all of the first.
    if (held_.hot != nullptr && held_.hot->key == key) [[likely]] {
      hot = held_.hot;
    } else {
      if (!signals_.to_send.has_room(kMostSignals)) return false;
      const std::optional<ConnectionId> id = table_.find(key);
      if (id && is_plain(hot_[id->value])) hot = &hot_[id->value];
    }
  }
  if (hot != nullptr) [[likely]] {
    const bool stamped = (hot->bits & kTimestamps) != 0;
    if (stamped ? take_predicted<true>(*hot, from, bytes, checked)
                : take_predicted<false>(*hot, from, bytes, checked)) {
      return true;
    }
  }
  return take_any(from, bytes, checked, now);
}

}  // namespace crosswire::tcp
