// Frames of orders recognised in one look, against the way that goes field by field: never a yes that the long way does
// not say, and never a no to what clients send.
#include "netstack/session/order_frames.hpp"

#include <gtest/gtest.h>

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

/// In one look; a frame whose payload is empty is none of its.
std::optional<Seen> in_one_look(const FrameBytes& bytes, CheckedSums checked = {}) {
  Seen seen{};
  seen.payload = OrderFrames(net()).payload_of(bytes, checked, seen.source);
  return seen.payload.empty() ? std::nullopt : std::optional(seen);
}

/// What it leaves to the long way although that may take it.
bool is_left(const FrameBytes& bytes, const Seen& seen) {
  const bool options = bytes.size() > 14 && bytes[14] != 0x45;
  return seen.source.vlan != 0 || bytes[12] == 0x81 || options || seen.payload.empty();
}

/// Of a source that no login can have, since its frame would have been dropped.
bool can_have_logged_in(const Source& source) {
  return source.port != 0 && link::is_station(source.mac) && source.mac != kOurMac && source.address != kOurAddress &&
         ip::is_station(source.address);
}

/// Both ways agree; says whether the one look said yes.
bool agree_on(const FrameBytes& bytes, CheckedSums checked = {}) {
  const std::optional<Seen> fast = in_one_look(bytes, checked), slow = field_by_field(bytes, checked);
  if (fast && can_have_logged_in(fast->source)) {
    EXPECT_TRUE(slow.has_value()) << "taken in one look, refused field by field";
    const bool same = slow && fast->source == slow->source && fast->payload.data() == slow->payload.data() &&
                      fast->payload.size() == slow->payload.size();
    EXPECT_TRUE(same) << "taken as something else";
  }
  const bool due = slow && !is_left(bytes, *slow);
  EXPECT_TRUE(fast.has_value() || !due) << "refused in one look";
  return fast.has_value();
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
  // All but the source's MAC address, which nothing sums up.
  EXPECT_EQ(refused, static_cast<int>(whole.size() * 8 - 48));
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
  for (int i = 0; i < 200'000; ++i) accepted += agree_on(input.frame());
  EXPECT_GT(accepted, 50'000);
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
  EXPECT_TRUE(agree_on(frame, {.ip = true, .udp = true}));
  frame[40] ^= 1;
  EXPECT_FALSE(agree_on(frame, {.ip = true, .udp = true}));
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
