// What a station asks and hears of its neighbours: ARP both ways, and ICMP's word that somebody is unreachable.
#include <gtest/gtest.h>

#include <memory>
#include <random>

#include "netstack/frame_writer/arp_request.hpp"
#include "netstack/ip/icmp.hpp"
#include "netstack/link/arp.hpp"
#include "tests/netstack/client_frames.hpp"
#include "tests/seed.hpp"

namespace crosswire::neighbours_test {
namespace {

using test::Payload;

NetConfig config() {
  NetConfig net;
  net.mac = test::kOurMac;
  net.address = test::kOurAddress;
  return net;
}

TEST(ArpRequest, IsABroadcastFromUsForAnAddressWhoseMacNobodyKnows) {
  for (const std::uint16_t vlan : {std::uint16_t{0}, std::uint16_t{7}}) {
    Payload frame(kMaxFrame, 0xEE);
    frame.resize(write_arp_request(frame.data(), config(), vlan, 0x0A63'0102));
    Payload expected = test::ethernet({.mac = test::kOurMac, .vlan = vlan}, test::kBroadcast, 0x0806,
                                      test::arp_packet(1, test::kOurMac, test::kOurAddress, 0x0A63'0102));
    expected.resize(60);
    EXPECT_EQ(frame, expected) << vlan;
  }
}

// A reply to us, field by field as RFC 826 has them.
constexpr MacAddress kTheirMac{2, 0, 0, 0, 1, 1};
constexpr std::uint32_t kTheirAddress = 0x0A63'0102;

Payload reply() {
  Payload packet = test::arp_packet(2, kTheirMac, kTheirAddress, test::kOurAddress);
  std::copy(test::kOurMac.begin(), test::kOurMac.end(), packet.begin() + 18);  // its target's MAC
  return packet;
}

std::optional<std::uint32_t> told_by(const Payload& packet, const MacAddress& source = kTheirMac) {
  const std::unique_ptr<std::uint8_t[]> exact(new std::uint8_t[packet.size()]);
  std::copy(packet.begin(), packet.end(), exact.get());
  return link::arp_reply_to({exact.get(), packet.size()}, source, test::kOurMac, test::kOurAddress);
}

TEST(ArpReply, ToUsTellsWhoseAddressItIs) {
  EXPECT_EQ(told_by(reply()), kTheirAddress);
  Payload padded = reply();
  padded.resize(46);
  EXPECT_EQ(told_by(padded), kTheirAddress);
}

TEST(ArpReply, OfAnyOtherByteTellsNothing) {
  const Payload right = reply();
  for (std::size_t at = 0; at < right.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      Payload wrong = right;
      wrong[at] ^= static_cast<std::uint8_t>(1u << bit);
      const bool sender_address = at >= 14 && at < 18;
      const auto told = told_by(wrong);
      if (!sender_address) {
        EXPECT_EQ(told, std::nullopt) << "byte " << at << " bit " << bit;
      } else if (told) {
        EXPECT_NE(*told, kTheirAddress);
        EXPECT_TRUE(ip::is_station(*told));
      }
    }
  }
}

TEST(ArpReply, IsBelievedOfTheFramesOwnMacAloneAndNeverOfOurAddress) {
  EXPECT_EQ(told_by(reply(), {2, 0, 0, 0, 1, 2}), std::nullopt);
  Payload ours = test::arp_packet(2, kTheirMac, test::kOurAddress, test::kOurAddress);
  std::copy(test::kOurMac.begin(), test::kOurMac.end(), ours.begin() + 18);
  EXPECT_EQ(told_by(ours), std::nullopt);
  Payload request = reply();
  request[7] = 1;
  EXPECT_EQ(told_by(request), std::nullopt);
}

TEST(ArpReply, CutShortTellsNothing) {
  const Payload right = reply();
  for (std::size_t size = 0; size < right.size(); ++size) {
    EXPECT_EQ(told_by(Payload(right.begin(), right.begin() + static_cast<std::ptrdiff_t>(size))), std::nullopt);
  }
}

Parsed<wire::Bytes> read_unreachable(const Payload& message) {
  return ip::parse_unreachable({message.data(), message.size()});
}

TEST(Unreachable, IsTakenWholeOfTypeThreeAlone) {
  for (unsigned type = 0; type < 256; ++type) {
    const Payload message = test::icmp_message(static_cast<std::uint8_t>(type), 40);
    const auto parsed = read_unreachable(message);
    EXPECT_EQ(parsed.ok(), type == 3);
    if (parsed.ok()) {
      EXPECT_EQ(parsed.value.data(), message.data());
      EXPECT_EQ(parsed.value.size(), message.size());
    } else {
      EXPECT_EQ(parsed.drop, ReceiveCounter::icmp_not_echo);
    }
  }
}

TEST(Unreachable, ShortOrBrokenOnesAreDropped) {
  for (std::size_t size = 0; size < 8; ++size) {
    EXPECT_EQ(read_unreachable(Payload(size, 3)).drop, ReceiveCounter::icmp_short);
  }
  std::mt19937_64 random(test::seed());
  for (int i = 0; i < 1'000; ++i) {
    Payload message = test::icmp_message(3, 8 + random() % 100);
    const std::size_t at = random() % message.size();
    message[at] ^= static_cast<std::uint8_t>(1u << random() % 8);
    const bool is_type = at == 0;  // what is none is not summed
    EXPECT_EQ(read_unreachable(message).drop, is_type ? ReceiveCounter::icmp_not_echo : ReceiveCounter::icmp_checksum);
  }
}

}  // namespace
}  // namespace crosswire::neighbours_test
