// Frames of orders recognised in one look, against the way that goes field by field: never a yes that the long way does
// not say, and never a no to a session's next message alone in its datagram.
#include "netstack/session/order_frames.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>

#include "netstack/link/ethernet.hpp"
#include "netstack/udp/datagram_reader.hpp"
#include "tests/netstack/receive/random_bursts.hpp"

namespace crosswire::test {
namespace {

NetConfig net() {
  NetConfig config;
  config.mac = kOurMac;
  config.address = kOurAddress;
  config.order_port = kOrderPort;
  return config;
}

struct Seen {
  Source source;
  wire::Bytes payload;
};

/// The long way.
std::optional<Seen> field_by_field(const FrameBytes& bytes, CheckedSums checked = {}) {
  const link::VlanFilter vlans({0, 7});
  const auto frame = link::parse_ethernet(bytes, kOurMac, vlans);
  if (!frame.ok() || frame.value.type != RTE_ETHER_TYPE_IPV4) return std::nullopt;
  const auto datagram = ip::parse_ipv4(frame.value.payload, kOurAddress, frame.value.broadcast, checked.ip);
  if (!datagram.ok() || datagram.value.protocol != IPPROTO_UDP) return std::nullopt;
  const auto udp = udp::parse_udp(datagram.value.payload, datagram.value.source, kOurAddress, checked.udp);
  if (!udp.ok() || udp.value.destination_port != kOrderPort) return std::nullopt;
  return Seen{{frame.value.source, frame.value.vlan, datagram.value.source, udp.value.source_port}, udp.value.payload};
}

/// The one message that a datagram of ours holds, if it is of the session and has `next` as its number.
wire::Bytes only_message(wire::Bytes payload, std::uint64_t next) {
  if (wire::mold::fault_of(payload) != wire::mold::BlockFault::none || next + 1 == 0) return {};
  wire::mold::BlockReader blocks(payload);
  const wire::mold::Header& header = *blocks.header();
  const bool ours = header.session.view() == kOrderSession && header.sequence == next && header.count == 1;
  return ours && blocks.next() ? blocks.block() : wire::Bytes{};
}

/// Two accounts, which may be bound to one address and port, from different MACs or VLANs.
class Sessions {
 public:
  static constexpr SessionId kFirst{0}, kSecond{1};

  const Logins& logins() const { return logins_; }
  void unbind() {
    for (const SessionId session : {kFirst, kSecond})
      if (logins_.login(session).open) logins_.close(session, SessionEndReason::logout, 0);
  }
  /// Nothing was taken yet from there.
  void bind(SessionId session, const Source& source) {
    if (!logins_.find(source).ok()) logins_.open(session, source, 0);
  }
  void expect(SessionId session, std::uint64_t next) { logins_.expect_upstream(session, next); }

 private:
  static NetConfig with_accounts() {
    NetConfig config = net();
    config.order_session = kOrderSession;
    config.accounts = {{"FIRST", "", {}, {}}, {"SECOND", "", {}, {}}};
    return config;
  }
  NetConfig config_ = with_accounts();
  Arena arena_{Logins::bytes_for(config_), HugepagePolicy::off, -1, "sessions"};
  Logins logins_{config_, arena_};
};

/// In one look; a frame without a message is none of its.
wire::Bytes in_one_look(const FrameBytes& bytes, CheckedSums checked, const Sessions& sessions, SessionId& session) {
  NetConfig config = net();
  config.order_session = kOrderSession;
  return OrderFrames(config).next_message(bytes, checked, sessions.logins(), session);
}

/// Whom a frame says it is from, where our clients' frames say it, if there could be a login from there: the frame that
/// brought it would not have been dropped.
std::optional<Source> claimed_source(const FrameBytes& bytes) {
  if (bytes.size() < 42) return std::nullopt;
  Source source{{},
                0,
                static_cast<std::uint32_t>(get16(bytes, 26) << 16 | get16(bytes, 28)),
                static_cast<std::uint16_t>(get16(bytes, 34))};
  std::copy_n(bytes.begin() + 6, source.mac.size(), source.mac.begin());
  const bool station = source.port != 0 && link::is_station(source.mac) && source.mac != kOurMac &&
                       source.address != kOurAddress && ip::is_station(source.address);
  return station ? std::optional(source) : std::nullopt;
}

/// The number that such a frame gives its first message.
std::uint64_t claimed_number(const FrameBytes& bytes) {
  const auto* const number = bytes.size() < 60 ? nullptr : wire::view_as<wire::be64>(wire::Bytes(bytes).subspan(52));
  return number == nullptr ? 1 : number->value();
}

/// Both ways agree where the frame is from a session and that session expects `next`; says whether the one look said
/// yes.
bool agree_on(const FrameBytes& bytes, CheckedSums checked = {}, std::uint64_t next = 1) {
  static Sessions sessions;
  sessions.unbind();
  if (const auto source = claimed_source(bytes)) sessions.bind(Sessions::kFirst, *source);
  const std::optional<Seen> slow = field_by_field(bytes, checked);
  if (slow) sessions.bind(Sessions::kSecond, slow->source);
  sessions.expect(Sessions::kFirst, next);
  sessions.expect(Sessions::kSecond, next);

  SessionId session = kNoSession;
  const wire::Bytes fast = in_one_look(bytes, checked, sessions, session);
  const wire::Bytes message = slow ? only_message(slow->payload, next) : wire::Bytes{};
  if (!fast.empty()) {
    EXPECT_TRUE(fast.data() == message.data() && fast.size() == message.size()) << "taken as something else";
    EXPECT_TRUE(slow && sessions.logins().find(slow->source).value == session) << "taken as another one's";
  }
  // What it leaves to the long way although that may take it.
  const bool left = message.empty() || slow->source.vlan != 0 || bytes[12] == 0x81 || bytes[14] != 0x45 ||
                    get16(bytes, 16) != get16(bytes, 38) + 20;
  EXPECT_TRUE(left || !fast.empty()) << "refused in one look";
  return !fast.empty();
}

TEST(OrderFrames, AreRecognisedWithPaddingBehindThemAndWithoutAChecksum) {
  const Client client;
  FrameBytes frame = data_frame(client, 1, {enter_message(1)});
  EXPECT_TRUE(agree_on(frame));
  frame.resize(frame.size() + 7);  // a trailer
  EXPECT_TRUE(agree_on(frame));
  frame[40] = frame[41] = 0;
  EXPECT_TRUE(agree_on(frame));
}

TEST(OrderFrames, EveryBitThatIsTurnedIsSeenAsTheLongWaySeesIt) {
  const FrameBytes whole = data_frame(Client{}, 1, {enter_message(1)});
  int refused = 0;
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    FrameBytes frame = whole;
    frame[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    if (!agree_on(frame)) ++refused;
  }
  // All but the source's MAC address, which nothing sums up, and of it the bit that no station has, and the one that
  // makes it ours.
  EXPECT_EQ(refused, static_cast<int>(whole.size() * 8 - 46));
}

TEST(OrderFrames, OfEveryHeaderFieldWithARightChecksumAreTakenWhereTheLongWayTakesThem) {
  std::mt19937_64 random(3);
  int accepted = 0;
  for (int i = 0; i < 200'000; ++i) {
    FrameBytes frame = data_frame(Client{}, 1, {enter_message(1)});
    // Header fields at will, then both checksums made right, so that the other rules decide.
    const std::size_t at = 14 + random() % 28;
    frame[at] = static_cast<std::uint8_t>(random());
    fix_ip(frame, 14);
    if (random() % 2 == 0) frame[40] = frame[41] = 0;
    accepted += agree_on(frame);
  }
  EXPECT_GT(accepted, 10'000);
  EXPECT_LT(accepted, 190'000);
}

TEST(OrderFrames, OfARandomDayAreTakenAsTheLongWayTakesThem) {
  constexpr std::uint32_t kSeed = 20260130;
  RecordProperty("seed", kSeed);
  RandomBursts input(kSeed, 0);
  int accepted = 0;
  for (int i = 0; i < 200'000; ++i) {
    const FrameBytes frame = input.frame();
    accepted += agree_on(frame, {}, claimed_number(frame));
  }
  EXPECT_GT(accepted, 10'000);
}

TEST(OrderFrames, WhoseChecksumsTheDeviceHasFoundRightAreNotSummedUpAgain) {
  const FrameBytes whole = data_frame(Client{}, 1, {enter_message(1)});
  FrameBytes wrong_ip = whole, wrong_udp = whole;
  wrong_ip[24] ^= 1;
  wrong_udp[40] ^= 1;
  EXPECT_TRUE(agree_on(whole, {.ip = true, .udp = true}));
  EXPECT_TRUE(agree_on(wrong_ip, {.ip = true}));
  EXPECT_TRUE(agree_on(wrong_udp, {.udp = true}));
  for (const auto& [frame, checked] : {std::pair(wrong_ip, CheckedSums{.udp = true}), {wrong_udp, {.ip = true}}}) {
    EXPECT_FALSE(agree_on(frame, {}));
    EXPECT_FALSE(agree_on(frame, checked)) << "of each of the two by itself";
  }
}

/// A card may go by the IPv4 datagram's length where we go by UDP's own, as a replay of the bytes does.
TEST(OrderFrames, WithBytesBehindTheUdpDatagramAreSummedUpWhateverTheDeviceSays) {
  FrameBytes frame = data_frame(Client{}, 1, {enter_message(1)});
  frame.push_back(7);
  set16(frame, 16, get16(frame, 16) + 1);
  fix_ip(frame, 14);
  EXPECT_FALSE(agree_on(frame, {.ip = true, .udp = true})) << "left to the long way";
  EXPECT_TRUE(field_by_field(frame, {.ip = true, .udp = true}).has_value());
  frame[40] ^= 1;
  EXPECT_FALSE(agree_on(frame, {.ip = true, .udp = true}));
  EXPECT_FALSE(field_by_field(frame, {.ip = true, .udp = true}).has_value());
}

TEST(OrderFrames, AreTakenWithTheNextNumberAlone) {
  for (const std::uint64_t number : {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{1} << 40}) {
    const FrameBytes frame = data_frame(Client{}, number, {enter_message(1)});
    EXPECT_TRUE(agree_on(frame, {}, number));
    EXPECT_FALSE(agree_on(frame, {}, number + 1));
    EXPECT_FALSE(agree_on(frame, {}, number - 1));
  }
  constexpr std::uint64_t kLast = ~std::uint64_t{0};
  EXPECT_FALSE(agree_on(data_frame(Client{}, kLast, {enter_message(1)}), {}, kLast)) << "none could follow it";
}

TEST(OrderFrames, WithNoneOrSeveralMessagesAreLeftToTheLongWay) {
  EXPECT_FALSE(agree_on(data_frame(Client{}, 1, {})));
  EXPECT_FALSE(agree_on(data_frame(Client{}, 1, {FrameBytes{}})));
  EXPECT_FALSE(agree_on(data_frame(Client{}, 1, {enter_message(1), enter_message(2)})));
  EXPECT_TRUE(agree_on(data_frame(Client{}, 1, {FrameBytes(1400)})));
}

/// The look finds the newest; who logged in before from there by another MAC goes the long way, and nobody goes as him.
TEST(OrderFrames, OfTwoSessionsAtOneAddressAreTakenAsTheirOwn) {
  Client other;
  other.mac[5] ^= 1;
  Sessions sessions;
  sessions.bind(Sessions::kFirst, *claimed_source(data_frame(Client{}, 1, {enter_message(1)})));
  sessions.bind(Sessions::kSecond, *claimed_source(data_frame(other, 1, {enter_message(1)})));
  SessionId session;
  EXPECT_TRUE(in_one_look(data_frame(Client{}, 1, {enter_message(1)}), {}, sessions, session).empty());
  EXPECT_FALSE(in_one_look(data_frame(other, 1, {enter_message(1)}), {}, sessions, session).empty());
  EXPECT_EQ(session, Sessions::kSecond);
}

/// A login on a VLAN is not one of the same station without.
TEST(OrderFrames, WithoutATagAreNotOfASessionOnAVlan) {
  const FrameBytes frame = data_frame(Client{}, 1, {enter_message(1)});
  Source source = *claimed_source(frame);
  source.vlan = 7;
  Sessions sessions;
  sessions.bind(Sessions::kFirst, source);
  SessionId session;
  EXPECT_TRUE(in_one_look(frame, {}, sessions, session).empty());
}

TEST(OrderFrames, CutOffAnywhereAreNeverTaken) {
  const FrameBytes whole = data_frame(Client{}, 1, {enter_message(1)});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const FrameBytes frame(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(agree_on(frame)) << size << " bytes";
  }
}

}  // namespace
}  // namespace crosswire::test
