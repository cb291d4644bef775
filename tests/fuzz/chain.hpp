// The whole chain in memory, and what must hold of it whatever comes in: a partition between memory ports, and a reader
// of everything that it sends. It knows the wire and the counters, not what an order message means. Tests only.
#pragma once

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "app/partition/partition.hpp"
#include "netstack/session/end_words.hpp"
#include "netstack/wire/itch.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/netstack/client_frames.hpp"

namespace crosswire::fuzz {

using test::Client;
using test::Payload;

inline constexpr unsigned kAccounts = 3;
inline constexpr unsigned kSymbols = 3;
inline constexpr TimeNs kStart = 9 * 3600 * kNsPerSecond + 50'000'000;  // between two ticks
/// Time goes no further than this beyond the start: each tick is work.
inline constexpr TimeNs kLongest = 40 * kNsPerSecond;

/// What the first bytes of a script choose.
struct Setting {
  unsigned day = 0;            // 0 .. 3: which schedule
  bool shared_source = false;  // accounts may log in from anywhere: answers then do not tell whose they are
  bool tiny = false;           // limits so small that every script meets them
  bool plenty = false;         // large rings: must change nothing
  bool keep = false;           // what was sent, for take_sent()
};
inline constexpr unsigned kDays = 4;

inline std::vector<PhaseChange> schedule_of(unsigned day) {
  const auto at = [](TimeNs seconds) { return kStart + seconds * kNsPerSecond; };
  if (day == 0) return {{0, kAllSymbols, Phase::continuous}};
  if (day == 1) {
    return {{0, kAllSymbols, Phase::pre_open},        {at(1), kAllSymbols, Phase::opening_call},
            {at(3), kAllSymbols, Phase::continuous},  {at(12), SymbolId{2}, Phase::halted},
            {at(14), SymbolId{2}, Phase::continuous}, {at(20), kAllSymbols, Phase::closing_call},
            {at(24), kAllSymbols, Phase::closed}};
  }
  if (day == 2) {
    return {{0, kAllSymbols, Phase::opening_call},     {at(1), SymbolId{1}, Phase::continuous},
            {at(2), kAllSymbols, Phase::halted},       {at(3), kAllSymbols, Phase::continuous},
            {at(4), SymbolId{3}, Phase::closing_call}, {at(6), SymbolId{3}, Phase::halted},
            {at(8), SymbolId{3}, Phase::closing_call}, {at(9), kAllSymbols, Phase::closed}};
  }
  return {{0, kAllSymbols, Phase::opening_call}};
}

inline SymbolConfig symbol(const char (&name)[9], std::uint32_t reference, std::uint32_t tick) {
  SymbolConfig result{{}, Price{reference}, tick};
  std::copy_n(name, 8, result.name.begin());
  return result;
}

inline Config config_of(const Setting& setting) {
  Config config;
  config.net.mac = test::kOurMac;
  config.net.address = test::kOurAddress;
  config.net.vlans = {0, 7};
  config.net.order_port = test::kOrderPort;
  config.net.feed_request_port = test::kRequestPort;
  config.net.order_session = test::kOrderSession;
  config.net.feed_session = test::kFeedSession;
  config.net.start_ns = kStart;
  config.net.schedule = schedule_of(setting.day);
  config.net.silence_ns = 5 * kNsPerSecond;
  config.net.messages_kept = setting.tiny ? 2 : 32;
  config.net.feed_messages_kept = setting.tiny ? 2 : 64;
  config.net.failed_logins_per_second = 3;
  config.net.feed_requests_per_second = 20;
  config.net.pings_per_second = 5;
  config.net.strangers_told_per_second = 20;
  config.net.order_requests_per_second = 30;
  for (unsigned k = 0; k < kAccounts; ++k) {
    AccountConfig account{"USER" + std::to_string(k), k == 2 ? "" : "secret", {'F', 'R', 'M', char('0' + k)}, {}};
    if (!setting.shared_source) account.sources = {{Client{}.address + k, 32}};
    config.net.accounts.push_back(std::move(account));
  }
  config.engine.symbols = {symbol("AAA     ", 100'0000, 100), symbol("BBBBBBBB", 5, 1),
                           symbol("C.C     ", 500'0000, 50'0000)};
  config.engine.sessions = kAccounts;
  config.engine.max_orders = setting.tiny ? 6 : 64;
  config.engine.max_levels = setting.tiny ? 4 : 32;
  config.command_ring = setting.plenty ? 64 : setting.tiny ? 2 : 8;
  config.event_ring = setting.plenty ? 256 : setting.tiny ? 2 : 16;
  config.hugepages = HugepagePolicy::off;
  return config;
}

// ---- What is sent, read back ----------------------------------------------------------------------------------------

/// A frame from the appliance, checked: its lengths, checksums and sender.
struct SentFrame {
  std::uint16_t type = 0;
  std::uint8_t protocol = 0;
  std::uint32_t to = 0;
  std::uint16_t from_port = 0;
  std::uint16_t to_port = 0;
  wire::Bytes payload;  // of UDP or ICMP
};

inline SentFrame read_sent(const FrameBytes& frame) {
  HOLDS(frame.size() >= 60 && frame.size() <= kMaxFrame);
  HOLDS(std::equal(test::kOurMac.begin(), test::kOurMac.end(), frame.begin() + 6));
  const std::size_t at = test::get16(frame, 12) == 0x8100 ? 18 : 14;
  SentFrame sent;
  sent.type = static_cast<std::uint16_t>(test::get16(frame, at - 2));
  if (sent.type != 0x0800) return sent;
  const std::size_t end = at + test::get16(frame, at + 2);
  HOLDS(frame[at] == 0x45 && end <= frame.size() && end - at <= 1500);
  HOLDS(test::folded(test::sum16(frame, at, at + 20)) == 0);
  sent.protocol = frame[at + 9];
  sent.to = static_cast<std::uint32_t>(test::get16(frame, at + 16) << 16 | test::get16(frame, at + 18));
  const std::size_t inner = at + 20;
  if (sent.protocol == 1) {
    HOLDS(test::folded(test::sum16(frame, inner, end)) == 0);
    sent.payload = wire::Bytes(frame).subspan(inner, end - inner);
    return sent;
  }
  HOLDS(sent.protocol == 17 && test::get16(frame, inner + 4) == end - inner);
  const std::uint32_t pseudo = test::sum16(frame, at + 12, at + 20) + 17 + static_cast<std::uint32_t>(end - inner);
  HOLDS(test::folded(pseudo + test::sum16(frame, inner, end)) == 0);
  sent.from_port = static_cast<std::uint16_t>(test::get16(frame, inner));
  sent.to_port = static_cast<std::uint16_t>(test::get16(frame, inner + 2));
  sent.payload = wire::Bytes(frame).subspan(inner + 8, end - inner - 8);
  return sent;
}

/// A numbered stream of messages: each number means the same bytes whenever it is sent, and none is beyond the next.
class Stream {
 public:
  /// A packet of it; `published`: it has to go on exactly where the stream is. Returns how many messages it holds.
  template <class Check>
  std::uint64_t packet(wire::Bytes payload, std::string_view session, bool published, Check check) {
    wire::mold::BlockReader reader(payload);
    HOLDS(reader.header() != nullptr && reader.header()->session.raw() == session);
    std::uint64_t number = reader.header()->sequence;
    HOLDS(number >= 1);
    if (published) HOLDS(number == next_);
    std::uint64_t messages = 0;
    for (; reader.next(); ++number, ++messages) {
      check(reader.block());
      const auto [known, fresh] = messages_.try_emplace(number, reader.block().begin(), reader.block().end());
      HOLDS(fresh || same_bytes(known->second, reader.block()));
    }
    HOLDS(reader.fault() == wire::mold::BlockFault::none);
    if (messages == 0) said_next(number);
    next_ = std::max(next_, number);
    return messages;
  }
  /// The appliance says which number comes next: nothing at or above it was sent.
  void said_next(std::uint64_t number) {
    HOLDS(messages_.empty() || messages_.rbegin()->first < number);
    next_ = std::max(next_, number);
  }

  std::uint64_t next() const { return next_; }
  /// Numbers below next() that were never seen.
  std::uint64_t missing() const { return next_ - 1 - messages_.size(); }

 private:
  std::uint64_t next_ = 1;
  std::map<std::uint64_t, Payload> messages_;
};

inline void check_answer(wire::Bytes message) {
  HOLDS(!message.empty());
  const auto* const info = wire::ouch::kOutbound.find(static_cast<char>(message[0]));
  HOLDS(info != nullptr);
  const wire::ouch::Split split = wire::ouch::split(*info, message);
  HOLDS(split.fault == wire::ouch::SplitFault::none);
  wire::ouch::OptionReader options(split.options, info->tags);
  while (options.next()) {
  }
  HOLDS(options.fault() == wire::ouch::OptionFault::none);
}

/// The order books as a client of the feed keeps them.
class FeedBooks {
 public:
  struct Order {
    std::uint16_t locate;
    bool buy;
    std::uint32_t shares;
    std::uint32_t price;
    std::uint64_t entered;  // place in time order
  };

  void message(wire::Bytes bytes) {
    namespace itch = wire::itch;
    HOLDS(!bytes.empty());
    const auto* const info = itch::kMessages.find(static_cast<char>(bytes[0]));
    HOLDS(info != nullptr && info->size == bytes.size());
    if (const auto* add = as<itch::AddOrder>(bytes)) enter(*add);
    if (const auto* add = as<itch::AddOrderMpid>(bytes)) enter(*add);
    if (const auto* executed = as<itch::OrderExecuted>(bytes)) take(executed->order_ref, executed->shares);
    if (const auto* executed = as<itch::OrderExecutedWithPrice>(bytes)) take(executed->order_ref, executed->shares);
    if (const auto* cancel = as<itch::OrderCancel>(bytes)) {
      HOLDS(at(cancel->order_ref).shares > cancel->shares);
      take(cancel->order_ref, cancel->shares);
    }
    if (const auto* gone = as<itch::OrderDelete>(bytes)) {
      at(gone->order_ref);
      orders_.erase(gone->order_ref);
    }
    if (const auto* replace = as<itch::OrderReplace>(bytes)) {
      Order order = at(replace->old_ref);
      orders_.erase(replace->old_ref);
      order.shares = replace->shares;
      order.price = replace->price;
      put(replace->new_ref, order);
    }
  }

  const std::map<std::uint64_t, Order>& orders() const { return orders_; }

 private:
  template <class M>
  static const M* as(wire::Bytes bytes) {
    return static_cast<char>(bytes[0]) == M::kType ? wire::view_as<M>(bytes) : nullptr;
  }
  template <class M>
  void enter(const M& add) {
    HOLDS(add.head.locate >= 1 && add.head.locate <= kSymbols && (add.side == 'B' || add.side == 'S'));
    put(add.order_ref, {add.head.locate, add.side == 'B', add.shares, add.price, 0});
  }
  void put(std::uint64_t ref, Order order) {
    HOLDS(order.shares > 0 && order.price > 0);
    order.entered = ++entered_;
    HOLDS(orders_.emplace(ref, order).second);
  }
  Order& at(std::uint64_t ref) {
    const auto order = orders_.find(ref);
    HOLDS(order != orders_.end());
    return order->second;
  }
  void take(std::uint64_t ref, std::uint32_t shares) {
    Order& order = at(ref);
    HOLDS(shares > 0 && shares <= order.shares);
    order.shares -= shares;
    if (order.shares == 0) orders_.erase(ref);
  }

  std::map<std::uint64_t, Order> orders_;
  std::uint64_t entered_ = 0;
};

// ---- The chain ------------------------------------------------------------------------------------------------------

/// What takes longer to make than a script to play: used by one chain after the other.
struct ChainMemory {
  Arena arena;
  MemoryTxPort answers;
  MemoryTxPort feed;
};

class Chain {
 public:
  /// `memory` is for this chain alone until it goes.
  Chain(const Setting& setting, ChainMemory& memory)
      : setting_(setting),
        config_(config_of(setting)),
        answers_(memory.answers),
        feed_(memory.feed),
        partition_(config_, {rx_, answers_, feed_}, TscClock{}, cleared(memory.arena)) {
    run();
  }

  void burst(TimeNs time_ns, std::vector<FrameBytes> frames) {
    frames_in_ += frames.size();
    rx_.push_burst(time_ns, std::move(frames));
    run();
  }

  /// From now on the ports take no more than so many frames at a time.
  void set_room(std::size_t frames) { room_ = frames; }

  /// Ends the day at `time_ns`; checks what can be told only then. Every account is logged in, so that each is told
  /// where its stream ends.
  void end(TimeNs time_ns) {
    check_books();
    rx_.end(time_ns);
    run();
    HOLDS(partition_.finished());
    check_books();
    check_counters();
  }

  std::uint64_t state_hash() const { return partition_.engine().state_hash(); }

  /// The displayed orders of the engine's books, price by price and in time order, are those of the feed's.
  void check_books() const {
    std::size_t shown = 0;
    for (std::uint16_t id = 1; id <= kSymbols; ++id) {
      for (const bool buy : {true, false}) shown += check_side(SymbolId{id}, buy);
    }
    HOLDS(shown == books_.orders().size());
  }

  /// Everything that was sent, in the order in which a capture would have it.
  std::vector<MemoryTxPort::Sent> take_sent() {
    std::stable_sort(sent_.begin(), sent_.end(), [](const auto& a, const auto& b) {
      return std::pair(a.origin.cause, a.origin.rank) < std::pair(b.origin.cause, b.origin.rank);
    });
    return std::move(sent_);
  }

 private:
  static Arena& cleared(Arena& arena) {
    arena.clear();
    return arena;
  }

  /// Rounds until nothing is left to do.
  void run() {
    constexpr unsigned kStandstill = 100;
    unsigned without_work = 0;
    for (;;) {
      answers_.set_room(room_);
      feed_.set_room(room_);
      const bool worked = partition_.round();
      read_answers();
      read_feed();
      const bool waits = partition_.finished() || (!worked && partition_.idle() && !rx_pending());
      if (waits && !answers_.unsent() && !feed_.unsent()) return;
      without_work = worked ? 0 : without_work + 1;
      HOLDS(without_work < kStandstill);
    }
  }
  /// Bursts that receive has not taken in whole.
  bool rx_pending() const { return partition_.receive().counters().get(ReceiveCounter::frames) != frames_in_; }

  void read_answers() {
    for (MemoryTxPort::Sent& sent : answers_.take_frames()) {
      ++answer_frames_;
      const SentFrame frame = read_sent(sent.bytes);
      if (frame.protocol == 17) read_answer(frame);
      if (setting_.keep) sent_.push_back(std::move(sent));
    }
  }

  void read_answer(const SentFrame& frame) {
    HOLDS(frame.from_port == test::kOrderPort && !frame.payload.empty());
    // Whose stream it is, where the source tells.
    Stream other;
    const std::uint32_t account = frame.to - Client{}.address;
    const bool told = !setting_.shared_source && account < kAccounts;
    Stream& stream = told ? streams_[account] : other;
    if (frame.payload[0] == 0) {
      const wire::soup::Read packet = wire::soup::read_datagram(frame.payload);
      HOLDS(packet.status == wire::soup::ReadStatus::packet);
      if (packet.type == wire::soup::PacketType::login_accepted) {
        const auto* const accepted = wire::view_as<wire::soup::LoginAccepted>(packet.payload);
        HOLDS(accepted != nullptr && accepted->session.text() == test::kOrderSession);
        HOLDS(accepted->sequence.decimal().has_value());
        stream.said_next(*accepted->sequence.decimal());
      } else if (packet.type == wire::soup::PacketType::debug) {
        HOLDS(!packet.payload.empty() && packet.payload.size() <= kMostEndWord);
      } else {
        HOLDS(packet.type == wire::soup::PacketType::login_rejected && packet.payload.size() == 1);
      }
      return;
    }
    answer_messages_ += stream.packet(frame.payload, test::kOrderSession, false, check_answer);
  }

  void read_feed() {
    for (MemoryTxPort::Sent& sent : feed_.take_frames()) {
      ++feed_frames_;
      const SentFrame frame = read_sent(sent.bytes);
      HOLDS(frame.protocol == 17);
      const bool published = frame.to == config_.net.feed_group;
      HOLDS(frame.from_port == (published ? frame.from_port : test::kRequestPort));
      const std::uint64_t known = feed_stream_.next();
      std::uint64_t number = 0;
      feed_stream_.packet(frame.payload, test::kFeedSession, published, [&](wire::Bytes message) {
        if (published) books_.message(message);
        ++number;
      });
      // What is sent again was sent before.
      if (!published) HOLDS(feed_stream_.next() == known);
      if (setting_.keep) sent_.push_back(std::move(sent));
    }
  }

  std::size_t check_side(SymbolId id, bool buy) const {
    const Book& book = partition_.engine().book(id);
    const BookPools& pools = partition_.engine().pools();
    const Ladder& ladder = book.side(buy);
    std::size_t shown = 0;
    for (Rank rank = ladder.best(); rank != kNoRank; rank = ladder.after(pools.nodes, rank)) {
      const Level& level = pools.levels[ladder.find(pools.nodes, rank)];
      std::uint64_t entered = 0;
      for (OrderIndex at = level.head; at != kNoOrder; at = pools.orders.hot(at).next) {
        if (pools.orders.hot(at).hidden) continue;
        const HotOrder& order = pools.orders.hot(at);
        const auto found = books_.orders().find(order.ref().value);
        HOLDS(found != books_.orders().end());
        const FeedBooks::Order& on_feed = found->second;
        HOLDS(on_feed.locate == id.value && on_feed.buy == buy && on_feed.price == level.price.value);
        HOLDS(on_feed.shares == order.open);
        HOLDS(on_feed.entered > entered);
        entered = on_feed.entered;
        ++shown;
      }
    }
    return shown;
  }

  void check_counters() const {
    const ReceiveCounters& receive = partition_.receive().counters();
    const TransmitCounters& transmit = partition_.transmit().counters();
    const PublishCounters& publish = partition_.publish().counters();
    // Each frame has one outcome. Counters of messages come from `enters` on, and the repeats.
    using enum ReceiveCounter;
    std::uint64_t outcomes = 0;
    for (const auto& row : kReceiveCounters) {
      const bool frame = row.counter < enters && row.counter != order_repeats;
      if (row.kind == CounterKind::drop && frame) outcomes += receive.get(row.counter);
    }
    for (const ReceiveCounter accepted : {arp_requests, icmp_echoes, feed_requests, logins, logins_refused, heartbeats,
                                          logouts, order_datagrams, order_requests}) {
      outcomes += receive.get(accepted);
    }
    HOLDS(receive.get(frames) == frames_in_);
    HOLDS(outcomes == frames_in_);

    // What asks for one answer gets one.
    HOLDS(transmit.get(TransmitCounter::logins_accepted) == receive.get(logins));
    HOLDS(transmit.get(TransmitCounter::logins_refused) == receive.get(logins_refused));
    const std::uint64_t told = transmit.get(TransmitCounter::no_session_told);
    HOLDS(told >= receive.get(strangers_told) + transmit.get(TransmitCounter::takeovers));
    HOLDS(told <= receive.get(strangers_told) + receive.get(logins_taking_over) + receive.get(silences));
    HOLDS(transmit.get(TransmitCounter::arp_replies) == receive.get(arp_requests));
    HOLDS(transmit.get(TransmitCounter::echo_replies) == receive.get(icmp_echoes));
    HOLDS(transmit.get(TransmitCounter::resends) + transmit.get(TransmitCounter::resends_unbound) ==
          receive.get(order_requests));
    HOLDS(publish.get(PublishCounter::resends) == receive.get(feed_requests));

    HOLDS(transmit.get(TransmitCounter::frames) == answer_frames_);
    HOLDS(publish.get(PublishCounter::frames) == feed_frames_);
    HOLDS(publish.get(PublishCounter::messages) == feed_stream_.next() - 1 && feed_stream_.missing() == 0);
    // An answer leaves once, unless nobody is there to get it, and again when it is asked for.
    const std::uint64_t answers = transmit.get(TransmitCounter::answers);
    const std::uint64_t unsent = transmit.get(TransmitCounter::answers_unsent);
    HOLDS(answer_messages_ == answers - unsent + transmit.get(TransmitCounter::resent_messages));
    if (!setting_.shared_source) {
      std::uint64_t numbered = 0;
      std::uint64_t missing = 0;
      for (const Stream& stream : streams_) {
        numbered += stream.next() - 1;
        missing += stream.missing();
      }
      HOLDS(missing <= unsent && numbered == answers);
    }
    HOLDS(partition_.free_slots() + partition_.engine().live_orders() == partition_.slots());
  }

  Setting setting_;
  Config config_;
  MemoryRxPort rx_;
  MemoryTxPort& answers_;
  MemoryTxPort& feed_;
  Partition partition_;
  std::size_t room_ = kMaxBurst;
  std::uint64_t frames_in_ = 0;
  std::uint64_t answer_frames_ = 0;
  std::uint64_t answer_messages_ = 0;
  std::uint64_t feed_frames_ = 0;
  std::array<Stream, kAccounts> streams_;
  Stream feed_stream_;
  FeedBooks books_;
  std::vector<MemoryTxPort::Sent> sent_;
};

}  // namespace crosswire::fuzz
