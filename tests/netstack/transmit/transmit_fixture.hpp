// What the tests of the transmit and publish stages share: reading frames back by the RFCs alone, a port that refuses
// when it likes, and scripts of events, by hand or random.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/config.hpp"
#include "engine/event.hpp"
#include "engine/order.hpp"
#include "hugepages/memory/arena.hpp"
#include "hugepages/rings/broadcast_ring.hpp"
#include "netstack/common/config.hpp"
#include "netstack/ip/echo_store.hpp"
#include "netstack/port/memory_port.hpp"
#include "netstack/wire/bytes.hpp"
#include "netstack/wire/mold.hpp"

namespace crosswire::testing {

using Block = std::vector<std::uint8_t>;

inline constexpr TimeNs kNow = 0x289b4d64af87;  // the time of WIRE 3.6's Accepted

inline Block bytes(std::initializer_list<int> values) {
  Block out;
  for (const int value : values) out.push_back(static_cast<std::uint8_t>(value));
  return out;
}

inline std::uint64_t number_at(const FrameBytes& bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | bytes.at(at + i);
  return value;
}

/// RFC 1071 word by word, without any trick: 0 over bytes that hold their own right checksum.
inline std::uint16_t internet_checksum(const Block& bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    sum += static_cast<std::uint32_t>(bytes[i]) << 8 | (i + 1 < bytes.size() ? bytes[i + 1] : 0u);
    sum = (sum & 0xFFFF) + (sum >> 16);
  }
  return static_cast<std::uint16_t>(~sum);
}

struct ReadFrame {
  Block to_mac, from_mac;
  std::uint16_t vlan = 0;  // 0 = untagged
  std::uint16_t ether_type = 0;
  Block body;  // behind the Ethernet header
  // IPv4 only.
  std::uint8_t ttl = 0, protocol = 0;
  std::uint32_t from = 0, to = 0;
  std::uint16_t from_port = 0, to_port = 0;  // UDP only
  Block payload;                             // of UDP or ICMP
};

/// Reads a frame and expects every length and checksum in it to be right.
inline ReadFrame read_frame(const FrameBytes& frame) {
  ReadFrame read;
  EXPECT_GE(frame.size(), 60u) << "shorter than Ethernet allows";
  read.to_mac.assign(frame.begin(), frame.begin() + 6);
  read.from_mac.assign(frame.begin() + 6, frame.begin() + 12);
  std::size_t at = 12;
  if (number_at(frame, at, 2) == 0x8100) {
    read.vlan = static_cast<std::uint16_t>(number_at(frame, at + 2, 2));
    at += 4;
  }
  read.ether_type = static_cast<std::uint16_t>(number_at(frame, at, 2));
  at += 2;
  read.body.assign(frame.begin() + static_cast<std::ptrdiff_t>(at), frame.end());
  if (read.ether_type != 0x0800) return read;

  const std::size_t ip_length = number_at(frame, at + 2, 2);
  EXPECT_LE(ip_length, 1500u);
  EXPECT_EQ(number_at(frame, at, 2), 0x4500u);      // version, header length, service
  EXPECT_EQ(number_at(frame, at + 6, 2), 0x4000u);  // Don't Fragment, no fragment
  EXPECT_EQ(frame.size(), std::max<std::size_t>(at + ip_length, 60));
  const auto ip = frame.begin() + static_cast<std::ptrdiff_t>(at);
  EXPECT_EQ(internet_checksum(Block(ip, ip + 20)), 0) << "IPv4 header checksum";
  read.ttl = frame[at + 8];
  read.protocol = frame[at + 9];
  read.from = static_cast<std::uint32_t>(number_at(frame, at + 12, 4));
  read.to = static_cast<std::uint32_t>(number_at(frame, at + 16, 4));
  const Block inner(ip + 20, ip + static_cast<std::ptrdiff_t>(ip_length));
  if (read.protocol == 1) {
    EXPECT_EQ(internet_checksum(inner), 0) << "ICMP checksum";
    read.payload = inner;
    return read;
  }
  EXPECT_EQ(read.protocol, 17);
  EXPECT_EQ(number_at(inner, 4, 2), inner.size()) << "UDP length";
  EXPECT_NE(number_at(inner, 6, 2), 0u) << "UDP checksum left out";
  Block summed(ip + 12, ip + 20);  // the pseudo-header of RFC 768
  for (const std::size_t byte : {std::size_t{0}, std::size_t{17}, inner.size() >> 8, inner.size() & 0xFF}) {
    summed.push_back(static_cast<std::uint8_t>(byte));
  }
  summed.insert(summed.end(), inner.begin(), inner.end());
  EXPECT_EQ(internet_checksum(summed), 0) << "UDP checksum";
  read.from_port = static_cast<std::uint16_t>(number_at(inner, 0, 2));
  read.to_port = static_cast<std::uint16_t>(number_at(inner, 2, 2));
  read.payload.assign(inner.begin() + 8, inner.end());
  return read;
}

/// A MoldUDP64 packet. count is the header's; messages are its blocks.
struct ReadPacket {
  std::string session;
  std::uint64_t sequence = 0;
  std::uint16_t count = 0;
  std::vector<Block> messages;
};

inline ReadPacket read_packet(const Block& payload) {
  ReadPacket read;
  wire::mold::BlockReader reader(payload);
  if (reader.header() == nullptr) {
    ADD_FAILURE() << "no MoldUDP64 header in " << payload.size() << " bytes";
    return read;
  }
  read.session = std::string(reader.header()->session.raw());
  read.sequence = reader.header()->sequence;
  read.count = reader.header()->count;
  while (reader.next()) read.messages.emplace_back(reader.block().begin(), reader.block().end());
  EXPECT_EQ(reader.fault(), wire::mold::BlockFault::none);
  return read;
}

/// The layout M at the start of a message of at least its size.
template <class M>
M as(const Block& message) {
  M out;
  if (message.size() < sizeof(M) || message[0] != static_cast<std::uint8_t>(M::kType)) {
    ADD_FAILURE() << "not a " << M::kName << ": " << message.size() << " bytes";
    return M{};
  }
  std::memcpy(&out, message.data(), sizeof(M));
  return out;
}

/// Takes one frame at a time and refuses the next one with the given probability, at every single reserve().
class StubbornTxPort final : public TxPort {
 public:
  StubbornTxPort(std::uint64_t seed, double refuses) : random_(seed), refuses_(refuses) {
    batch_[0].data = buffer_.data();
  }

  std::size_t flush() override {
    const std::size_t sent = used_;
    if (sent > 0) frames_.push_back({FrameBytes(buffer_.data(), buffer_.data() + batch_[0].length), batch_[0].origin});
    used_ = ready_ = 0;
    return sent;
  }
  void set_refuses(double probability) { refuses_ = probability; }
  const std::vector<MemoryTxPort::Sent>& frames() const { return frames_; }

 private:
  bool refill() override {
    flush();
    if (std::bernoulli_distribution(refuses_)(random_)) return false;
    ready_ = 1;
    return true;
  }

  std::mt19937_64 random_;
  double refuses_;
  alignas(64) std::array<std::uint8_t, kMaxFrame> buffer_{};
  std::vector<MemoryTxPort::Sent> frames_;
};

inline constexpr MacAddress kOurMac = {0x02, 0, 0, 0, 0, 0x01};
inline constexpr std::uint32_t kOurAddress = 0x0A630001;  // 10.99.0.1

inline SymbolName symbol_name(std::string_view text) {
  SymbolName name;
  name.fill(' ');
  std::copy(text.begin(), text.end(), name.begin());
  return name;
}

inline NetConfig net_config() {
  NetConfig config;
  config.mac = kOurMac;
  config.address = kOurAddress;
  config.vlans = {0, 7};
  config.feed_vlan = 0;
  config.order_session = "O0KZ3M7QX1";
  config.feed_session = "F0KZ3M7QX1";
  for (const char* user : {"ALPHA", "BRAVO", "CHARLI", "DELTA"}) {
    config.accounts.push_back({.user = user, .password = "", .firm = {'L', 'I', 'M', 'E'}, .sources = {}});
  }
  config.messages_kept = 64;
  config.feed_messages_kept = 256;
  return config;
}

inline EngineConfig engine_config() {
  EngineConfig config;
  config.symbols = {{symbol_name("ADBE"), Price{400'0000}, 1},
                    {symbol_name("600519"), Price{1700'0000}, 100},
                    {symbol_name("LONGNAME"), Price{10'0000}, 100}};
  config.sessions = 4;
  return config;
}

/// The source of client `n`: all of address, port and MAC tell it from the others.
inline Peer peer(std::uint8_t n, std::uint16_t vlan = 0, char code = 0) {
  Peer out{};
  const std::uint8_t mac[] = {0x02, 0, 0, 0, 1, n};
  std::copy(std::begin(mac), std::end(mac), out.mac);
  out.vlan = vlan;
  out.address = 0x0A630100u + n;
  out.port = static_cast<std::uint16_t>(30000 + n);
  out.code = code;
  return out;
}

inline Event event_of(EventKind kind, std::uint64_t cause, TimeNs time_ns, SessionId session = kNoSession,
                      SymbolId symbol = kNoSymbol) {
  Event event{};
  event.kind = kind;
  event.cause = Sequence{cause};
  event.time_ns = time_ns;
  event.session = session;
  event.symbol = symbol;
  return event;
}

/// An order of `session` in slot `index`: 40 ADBE at 477.7800, ClOrdId 76827001.
inline OrderIndex put_order(Orders& orders, std::uint32_t index, std::uint16_t session, std::uint32_t user_ref_num) {
  OrderAsked& asked = orders.asked(OrderIndex{index});
  asked = {};
  asked.session = SessionId{session};
  asked.user_ref_num = UserRefNum{user_ref_num};
  asked.cl_ord_id = {'7', '6', '8', '2', '7', '0', '0', '1', ' ', ' ', ' ', ' ', ' ', ' '};
  asked.time_in_force = TimeInForce{'5'};
  asked.display = 'Y';
  asked.iso = 'N';
  OrderResolved& resolved = orders.resolved(OrderIndex{index});
  resolved = {};
  resolved.symbol_name = symbol_name("ADBE");
  resolved.firm = {'M', 'L', 'R', 'O'};
  resolved.capacity = 'A';
  resolved.cross_type = 'N';
  resolved.kept.post_only = PostOnly::no;
  return OrderIndex{index};
}

inline OrderEvent order_event(const Orders& orders, OrderIndex index, char code = 0) {
  return {.order = index,
          .price = Price{0x48e748},
          .quantity = 40,
          .open = 15,
          .ref = OrderRef{0x0f56b4f5},
          .old_ref = OrderRef{77},
          .user_ref_num = orders.asked(index).user_ref_num,
          .side = Side::buy,
          .code = code,
          .feed = FeedAction::add,
          .user_ref_idx = 0};
}

/// A random but consistent day: orders that live, trade and die, clients that come and go. What the book is at its end
/// is known without looking at any frame.
struct RandomDay {
  struct Step {
    Event event;
    Block echo;  // echo_reply: the ICMP message that waits in the EchoStore
  };
  struct Live {
    OrderIndex index;
    SymbolId symbol;
    bool buy;
    Price price;
    Quantity open;
    bool hidden;
  };

  explicit RandomDay(std::uint64_t seed, std::size_t commands) : random(seed) {
    for (std::uint16_t s = 1; s <= 3; ++s) push(EventKind::directory, kNoSession, SymbolId{s});
    push(EventKind::system).system.event = 'S';
    mark();
    while (cause < commands) command();
    push(EventKind::system).system.event = 'E';
    push(EventKind::day_end);
    mark();
  }

  void install(Orders& orders) const {
    for (std::uint32_t i = 0; i < asked.size(); ++i) {
      orders.asked(OrderIndex{i}) = asked[i];
      orders.resolved(OrderIndex{i}) = resolved[i];
    }
  }

  std::vector<Step> steps;
  std::vector<OrderAsked> asked;
  std::vector<OrderResolved> resolved;
  std::map<std::uint64_t, Live> live;  // by reference, hidden ones too

 private:
  std::uint64_t pick(std::uint64_t n) { return random() % n; }

  Event& push(EventKind kind, SessionId session = kNoSession, SymbolId symbol = kNoSymbol) {
    steps.push_back({event_of(kind, cause, now, session, symbol), {}});
    return steps.back().event;
  }
  void mark() { steps.back().event.flags |= kLastOfBurst; }

  OrderIndex new_order(SessionId session, SymbolId symbol, Side side) {
    const auto index = static_cast<std::uint32_t>(asked.size());
    OrderAsked a{};
    a.session = session;
    a.user_ref_num = UserRefNum{index + 1};
    a.cl_ord_id.fill('x');
    a.time_in_force = TimeInForce::day;
    a.display = "YYYAN"[pick(5)];
    a.iso = 'N';
    a.min_quantity = pick(8) == 0 ? 7 : 0;
    a.user_ref_idx = pick(8) == 0 ? Channel{3} : Channel{0};
    OrderResolved r{};
    r.symbol_name = engine_config().symbols[symbol.value - 1u].name;
    r.firm = {'L', 'I', 'M', 'E'};
    r.symbol = symbol;
    r.side = side;
    r.capacity = 'P';
    r.cross_type = 'N';
    r.kept.firm_given = pick(3) == 0;
    r.kept.post_only = PostOnly::no;
    r.kept.group_id = pick(8) == 0 ? std::uint16_t{5} : std::uint16_t{0};
    asked.push_back(a);
    resolved.push_back(r);
    return OrderIndex{index};
  }

  OrderEvent order_event(OrderIndex index, std::uint64_t ref, Price price, Quantity quantity, Quantity open,
                         FeedAction feed, char code = 'L') {
    return {.order = index,
            .price = price,
            .quantity = quantity,
            .open = open,
            .ref = OrderRef{ref},
            .old_ref = {},
            .user_ref_num = asked[index.value].user_ref_num,
            .side = resolved[index.value].side,
            .code = code,
            .feed = feed,
            .user_ref_idx = 0};
  }

  bool hidden(OrderIndex index) const { return asked[index.value].display == 'N'; }
  FeedAction unless_hidden(OrderIndex index, FeedAction action) const {
    return hidden(index) ? FeedAction::none : action;
  }

  std::map<std::uint64_t, Live>::iterator any_live() {
    return std::next(live.begin(), static_cast<std::ptrdiff_t>(pick(live.size())));
  }

  void enter() {
    const SessionId session{static_cast<std::uint16_t>(pick(4))};
    const SymbolId symbol{static_cast<std::uint16_t>(1 + pick(3))};
    const Side side = pick(2) == 0 ? Side::buy : pick(2) == 0 ? Side::sell : Side::sell_short;
    const OrderIndex index = new_order(session, symbol, side);
    const std::uint64_t ref = ++last_ref;
    const Price price{static_cast<std::uint32_t>(1 + pick(1000))};
    Quantity open = static_cast<Quantity>(100 + pick(900));
    const bool marketable = pick(3) == 0 && !live.empty();
    push(EventKind::accepted, session, symbol).order = order_event(
        index, ref, price, open, open, marketable ? FeedAction::none : unless_hidden(index, FeedAction::add));
    for (std::uint64_t n = marketable ? 1 + pick(4) : 0; n > 0 && !live.empty() && open > 0; --n) {
      const auto resting = any_live();
      const Quantity quantity = std::min<Quantity>(open, static_cast<Quantity>(1 + pick(resting->second.open)));
      execute(EventKind::executed, index, ref, resting, quantity, resting->second.symbol);
      open -= quantity;
    }
    if (open == 0) return;
    if (marketable) {
      push(EventKind::rested, session, symbol).order =
          order_event(index, ref, price, open, open, unless_hidden(index, FeedAction::add));
    }
    live[ref] = {index, symbol, is_buy(side), price, open, hidden(index)};
  }

  OrderRef on_feed(OrderIndex index, std::uint64_t ref) const { return OrderRef{hidden(index) ? 0 : ref}; }

  void execute(EventKind kind, OrderIndex order, std::uint64_t ref, std::map<std::uint64_t, Live>::iterator resting,
               Quantity quantity, SymbolId symbol) {
    push(kind, kNoSession, symbol).execution = {order,
                                                resting->second.index,
                                                resting->second.price,
                                                quantity,
                                                MatchNumber{++last_match},
                                                on_feed(order, ref),
                                                on_feed(resting->second.index, resting->first)};
    resting->second.open -= quantity;
    if (resting->second.open == 0) live.erase(resting);
  }

  void cross() {
    for (std::uint64_t n = 1 + pick(60); n > 0 && live.size() > 1; --n) {
      const auto buyer = live.begin();
      const auto seller = std::next(buyer);
      const Quantity quantity = std::min(buyer->second.open, seller->second.open);
      const OrderIndex order = buyer->second.index;
      const std::uint64_t ref = buyer->first;
      buyer->second.open -= quantity;
      const bool gone = buyer->second.open == 0;
      if (gone) live.erase(buyer);
      execute(EventKind::crossed, order, ref, seller, quantity, seller->second.symbol);
      steps.back().event.cross_type = "OCH"[n % 3];
    }
    push(EventKind::cross_done, kNoSession, SymbolId{1}).cross = {
        1000, 0, MatchNumber{++last_match}, Price{500}, Price{480}, 'N', 'O', {}};
  }

  void cancel_shares(EventKind kind) {
    const auto found = any_live();
    Live& order = found->second;
    const Quantity quantity = static_cast<Quantity>(1 + pick(order.open));
    order.open -= quantity;
    push(kind, asked[order.index.value].session, order.symbol).order =
        order_event(order.index, found->first, kNoPrice, quantity, order.open,
                    unless_hidden(order.index, order.open == 0 ? FeedAction::remove : FeedAction::reduce), 'U');
    if (order.open == 0) live.erase(found);
  }

  void replace() {
    const auto found = any_live();
    const Live old = found->second;
    const OrderAsked old_asked = asked[old.index.value];
    const OrderIndex index = new_order(old_asked.session, old.symbol, resolved[old.index.value].side);
    const std::uint64_t ref = ++last_ref;
    const Price price{static_cast<std::uint32_t>(1 + pick(1000))};
    const Quantity open = static_cast<Quantity>(1 + pick(1000));
    Event& event = push(EventKind::replaced, old_asked.session, old.symbol);
    const bool dies = pick(5) == 0;
    asked[index.value].display = pick(6) == 0 ? 'N' : old_asked.display;  // else ITCH's Replace keeps the attribution
    const bool shown = !dies && !hidden(index);
    const FeedAction feed =
        old.hidden ? (shown ? FeedAction::add : FeedAction::none) : (shown ? FeedAction::replace : FeedAction::remove);
    event.order = order_event(index, ref, price, open, dies ? 0 : open, feed, dies ? 'D' : 'L');
    event.order.old_ref = OrderRef{found->first};
    event.order.user_ref_num = old_asked.user_ref_num;
    live.erase(found);
    if (!dies) live[ref] = {index, old.symbol, old.buy, price, open, hidden(index)};
  }

  void ask_again(EventKind kind) {
    const auto n = static_cast<std::uint8_t>(pick(4));
    Event& event = push(kind, kind == EventKind::resend ? SessionId{n} : kNoSession);
    event.resend = {.first = 1 + pick(400), .count = static_cast<std::uint16_t>(1 + pick(100))};
    if (kind == EventKind::resend) return;
    const Peer asker = peer(n, 7);
    std::copy(std::begin(asker.mac), std::end(asker.mac), event.resend.mac);
    event.resend.vlan = asker.vlan;
    event.resend.port = asker.port;
    event.resend.address = asker.address;
  }

  void firm(SessionId session) {
    if (pick(2) == 0) {
      Event& event = push(pick(2) == 0 ? EventKind::account : EventKind::rejected, session);
      event.order.order = kNoOrder;
      event.order.user_ref_num = UserRefNum{17};
      event.order.user_ref_idx = static_cast<Channel>(pick(3));
      return;
    }
    const EventKind kinds[] = {EventKind::mass_cancel, EventKind::disable, EventKind::enable};
    push(kinds[pick(3)], session).firm = {.user_ref_num = UserRefNum{18},
                                          .firm = {'L', 'I', 'M', 'E'},
                                          .symbol_name = symbol_name("ADBE"),
                                          .group_id = 0,
                                          .group_given = pick(2) == 0,
                                          .side = pick(2) == 0 ? Side::sell : kNoSide,
                                          .user_ref_idx = static_cast<Channel>(pick(3)),
                                          .reserved = {}};
  }

  void ping() {
    Event& event = push(EventKind::echo_reply);
    const Peer asker = peer(9, 7);
    std::copy(std::begin(asker.mac), std::end(asker.mac), event.echo.mac);
    event.echo.vlan = asker.vlan;
    event.echo.address = asker.address;
    event.echo.length = static_cast<std::uint16_t>(8 + pick(200));
    event.echo.slot = static_cast<std::uint16_t>(pings++ % EchoStore::kEntries);
    Block& message = steps.back().echo;
    for (std::uint16_t i = 0; i < event.echo.length; ++i) message.push_back(static_cast<std::uint8_t>(pick(256)));
    message[0] = 8;
  }

  void command() {
    ++cause;
    now += pick(50'000'000);
    const SessionId session{static_cast<std::uint16_t>(pick(4))};
    const std::uint8_t n = static_cast<std::uint8_t>(pick(4));
    const std::uint64_t what = pick(live.empty() ? 3 : 24);
    switch (what) {
      default:
        enter();
        break;
      case 3:
      case 4:
      case 5:
        cancel_shares(EventKind::canceled);
        break;
      case 6:
        cancel_shares(EventKind::modified);
        break;
      case 7:
      case 8:
        replace();
        break;
      case 9:
        push(EventKind::session_open, session).peer = peer(n, n % 2 == 0 ? 0 : 7, pick(2) == 0 ? 'T' : '\0');
        break;
      case 10:
        push(pick(4) == 0 ? EventKind::session_close : EventKind::burst_end, session);
        break;
      case 11:
        push(EventKind::login_reject).peer = peer(n, 0, 'A');
        break;
      case 12:
        ask_again(EventKind::resend);
        break;
      case 13:
        ask_again(EventKind::feed_resend);
        break;
      case 14:
        push(EventKind::arp_reply).peer = peer(n, 7);
        break;
      case 15:
        ping();
        break;
      case 16:
        pick(4) == 0 ? cross() : enter();
        break;
      case 17:
        push(EventKind::phase, kNoSession, SymbolId{2}).phase = {Phase::halted, Phase::continuous, {}};
        break;
      case 18:
        firm(session);
        break;
      case 19:
        now += pick(2 * kNsPerSecond);
        push(EventKind::imbalance, kNoSession, SymbolId{3}).cross = {10, 20, {}, Price{95}, Price{100}, 'B', 'O', {}};
        push(EventKind::tick);
        mark();
        break;
    }
    if (pick(4) == 0) mark();
  }

  std::mt19937_64 random;
  std::uint64_t cause = 1;
  TimeNs now = 9 * 3600 * kNsPerSecond;
  std::uint64_t last_ref = 0;
  std::uint64_t last_match = 0;
  std::uint64_t pings = 0;
};

}  // namespace crosswire::testing
