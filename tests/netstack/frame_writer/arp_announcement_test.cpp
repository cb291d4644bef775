// Announcements of our address, byte for byte (RFC 5227 section 2.3).
#include "netstack/frame_writer/arp_announcement.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace crosswire::arp_announcement_test {
namespace {

using Bytes = std::vector<std::uint8_t>;

NetConfig config() {
  NetConfig config;
  config.mac = {0x02, 0, 0, 0, 0, 0x01};
  config.address = 0x0A630001;
  return config;
}

/// Request, Ethernet, IPv4; we are sender and target, whose MAC nobody knows.
const Bytes kArp = {0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 99, 0, 1, 0, 0, 0, 0, 0, 0, 10, 99, 0, 1};

Bytes expected(Bytes frame) {
  frame.insert(frame.end(), kArp.begin(), kArp.end());
  frame.resize(60);
  return frame;
}

TEST(ArpAnnouncement, IsABroadcastRequestForOurOwnAddress) {
  const LinkFrame frame = arp_announcement(config(), 0);
  EXPECT_EQ(Bytes(frame.begin(), frame.end()), expected({255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1, 8, 6}));
}

TEST(ArpAnnouncement, CarriesTheTagOfItsVlan) {
  const LinkFrame frame = arp_announcement(config(), 101);
  EXPECT_EQ(Bytes(frame.begin(), frame.end()),
            expected({255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1, 0x81, 0, 0, 101, 8, 6}));
}

}  // namespace
}  // namespace crosswire::arp_announcement_test
