// Frames of segments recognised in one look, against the way that goes field by field: never a yes that the long way
// does not say, with the same segment from the same source, and never a no to a plain frame.
#include "netstack/tcp/segment_frames.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <random>
#include <vector>

#include "netstack/ip/ipv4.hpp"
#include "netstack/link/ethernet.hpp"
#include "netstack/tcp/segment_template.hpp"

namespace crosswire::tcp::segment_frames_test {
namespace {

using Frame = std::vector<std::uint8_t>;

NetConfig station(std::uint8_t last) {
  NetConfig net;
  net.mac = {2, 0, 0, 0, 0, last};
  net.address = 0x0A630000u | last;
  return net;
}

const NetConfig kUs = station(1), kPeer = station(2);

/// A segment of the peer with timestamps and ten bytes.
Frame plain_frame() {
  Frame frame(kMaxFrame);
  const SegmentTemplate header(kPeer, 40'000, {kUs.address, 26'400, 0, kUs.mac});
  frame.resize(header.finish(frame.data(), {7, 9, 500, kAck | kPsh}, kTimestampBytes, kTimestampBytes + 10));
  return frame;
}

void fix_ip(Frame& frame) {
  const std::size_t words = frame[14] & 15u;
  if (words < 5 || frame.size() < 14 + 4 * words) return;
  std::memset(frame.data() + 24, 0, 2);
  const std::uint16_t sum = ip::checksum(ip::ones_sum(frame.data() + 14, 4 * words));
  std::memcpy(frame.data() + 24, &sum, sizeof sum);
}

struct Seen {
  SegmentSource from;
  wire::Bytes segment;
  bool tagged, broadcast;
};

/// The long way.
std::optional<Seen> field_by_field(const Frame& bytes, const std::vector<std::uint16_t>& vlans, CheckedSums checked) {
  const auto frame = link::parse_ethernet(bytes, kUs.mac, link::VlanFilter(vlans));
  if (!frame.ok() || frame.value.type != RTE_ETHER_TYPE_IPV4) return std::nullopt;
  const auto datagram = ip::parse_ipv4(frame.value.payload, kUs.address, frame.value.broadcast, checked.ip);
  if (!datagram.ok() || datagram.value.protocol != kProtocol) return std::nullopt;
  return Seen{{frame.value.source, frame.value.vlan, datagram.value.source},
              datagram.value.payload,
              bytes[12] == 0x81,
              frame.value.broadcast};
}

/// Both ways agree; says whether the one look said yes.
bool agree_on(const Frame& bytes, const std::vector<std::uint16_t>& vlans = {}, CheckedSums checked = {}) {
  NetConfig net = kUs;
  net.vlans = vlans;
  SegmentSource from{};
  const wire::Bytes fast = SegmentFrames(net).segment_in(bytes, checked, from);
  const std::optional<Seen> slow = field_by_field(bytes, vlans, checked);
  if (!fast.empty()) {
    EXPECT_TRUE(slow && slow->segment.data() == fast.data() && slow->segment.size() == fast.size());
    EXPECT_TRUE(slow && slow->from.mac == from.mac && slow->from.vlan == from.vlan);
    EXPECT_TRUE(slow && slow->from.address == from.address);
  }
  // What it leaves to the long way although that may take it.
  const bool left = !slow || slow->tagged || slow->broadcast || bytes[14] != 0x45 || slow->segment.size() < 20;
  EXPECT_TRUE(left || !fast.empty()) << "refused in one look";
  return !fast.empty();
}

TEST(SegmentFrames, AreRecognisedWithPaddingBehindThem) {
  Frame frame = plain_frame();
  EXPECT_TRUE(agree_on(frame));
  frame.resize(frame.size() + 7);
  EXPECT_TRUE(agree_on(frame));
}

TEST(SegmentFrames, EveryBitThatIsTurnedIsSeenAsTheLongWaySeesIt) {
  const Frame whole = plain_frame();
  for (const CheckedSums checked : {CheckedSums{}, CheckedSums{.ip = true}}) {
    for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
      Frame frame = whole;
      frame[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
      agree_on(frame, {}, checked);
    }
  }
}

TEST(SegmentFrames, OfEveryHeaderFieldWithARightChecksumAreTakenWhereTheLongWayTakesThem) {
  std::mt19937_64 random(3);
  int accepted = 0;
  for (int i = 0; i < 100'000; ++i) {
    Frame frame = plain_frame();
    frame[random() % 34] = static_cast<std::uint8_t>(random());
    fix_ip(frame);
    accepted += agree_on(frame);
  }
  EXPECT_GT(accepted, 10'000);
  EXPECT_LT(accepted, 90'000);
}

TEST(SegmentFrames, FromNoStationAreLeftToTheLongWay) {
  const auto with = [](std::size_t at, std::vector<std::uint8_t> bytes) {
    Frame frame = plain_frame();
    std::copy(bytes.begin(), bytes.end(), frame.begin() + static_cast<std::ptrdiff_t>(at));
    fix_ip(frame);
    return frame;
  };
  EXPECT_FALSE(agree_on(with(6, {0, 0, 0, 0, 0, 0})));
  EXPECT_FALSE(agree_on(with(6, {2, 0, 0, 0, 0, 1}))) << "our own";
  EXPECT_FALSE(agree_on(with(6, {1, 0, 0, 0, 0, 2}))) << "a group";
  EXPECT_FALSE(agree_on(with(26, {10, 99, 0, 1}))) << "our own";
  for (const int first : {0, 127, 224, 255})
    EXPECT_FALSE(agree_on(with(26, {static_cast<std::uint8_t>(first), 99, 0, 2})));
}

TEST(SegmentFrames, WithoutATagAreLeftWhereOnlyTaggedOnesAreLetIn) {
  EXPECT_FALSE(agree_on(plain_frame(), {7}));
  EXPECT_TRUE(agree_on(plain_frame(), {0, 7}));
}

TEST(SegmentFrames, CutOffAnywhereAreNeverTaken) {
  const Frame whole = plain_frame();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(agree_on(Frame(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)))) << size;
  }
}

}  // namespace
}  // namespace crosswire::tcp::segment_frames_test
