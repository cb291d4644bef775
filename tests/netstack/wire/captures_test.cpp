// Real frames from production captures, decoded and written again to the same bytes.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "netstack/wire/mold.hpp"
#include "netstack/wire/soup.hpp"
#include "tests/netstack/wire/message_text.hpp"

namespace crosswire::wire {
namespace {

using test::Octets;
using test::Protocol;
using test::to_hex;

namespace fs = std::filesystem;

const fs::path kCaptures = fs::path(CROSSWIRE_SOURCE_ROOT).parent_path() / "shared/data/captures";

// Classic pcap of either resolution, written by a little-endian machine. Frames are views into the file.
std::vector<Bytes> frames_of(Bytes file) {
  const auto u32 = [&file](std::size_t at) {
    std::uint32_t number = 0;
    for (std::size_t i = 4; i-- > 0;) number = number << 8 | file[at + i];
    return number;
  };
  constexpr std::size_t kFileHeader = 24;
  constexpr std::size_t kFrameHeader = 16;
  std::vector<Bytes> frames;
  EXPECT_TRUE(file.size() >= kFileHeader && (u32(0) == 0xA1B2C3D4 || u32(0) == 0xA1B23C4D)) << "not a classic pcap";
  if (testing::Test::HasFailure()) return frames;
  for (std::size_t at = kFileHeader; at + kFrameHeader <= file.size();) {
    const std::size_t size = u32(at + 8);
    EXPECT_EQ(size, u32(at + 12)) << "a frame cut by the capture";
    at += kFrameHeader;
    frames.push_back(file.subspan(at, size));
    at += size;
  }
  return frames;
}

// What UDP or TCP carries: by the IP length, since real frames have bytes behind the datagram (WIRE 8).
Bytes payload_of(Bytes frame) {
  constexpr unsigned kVlan = 0x8100;
  constexpr unsigned kIpv4 = 0x0800;
  std::size_t at = 12;
  const auto u16 = [&frame](std::size_t offset) { return *view_as<be16>(frame.subspan(offset)); };
  if (u16(at) == kVlan) at += 4;
  if (u16(at) != kIpv4) return {};
  const Bytes ip = frame.subspan(at + 2);
  const Bytes datagram = ip.first(u16(at + 4)).subspan((ip[0] & 15u) * 4);
  constexpr std::uint8_t kUdp = 17;
  return datagram.subspan(ip[9] == kUdp ? 8u : (datagram[12] >> 4) * 4u);
}

void expect_same_bytes_again(Protocol protocol, Bytes message, std::set<std::string>& names) {
  const std::string text = test::describe(protocol, message);
  ASSERT_FALSE(text.starts_with('!')) << text << ' ' << to_hex(message);
  ASSERT_EQ(to_hex(test::build(protocol, text)), to_hex(message)) << text;
  names.insert(text.substr(0, text.find('\t')));
}

// Calls f(payload) for each frame of each capture in the folder.
template <class F>
void for_each_payload(const char* folder, F&& f) {
  for (const fs::directory_entry& entry : fs::directory_iterator(kCaptures / folder)) {
    SCOPED_TRACE(entry.path().filename());
    std::ifstream stream(entry.path(), std::ios::binary);
    const Octets file{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
    for (const Bytes frame : frames_of(file)) f(payload_of(frame));
  }
}

TEST(RealCaptures, OfTheFeedComeBackToTheSameBytes) {
  if (!fs::exists(kCaptures / "itch50-moldudp64")) {
    GTEST_SKIP() << "the real captures, ../shared/data/captures beside the project, are not there";
  }
  std::set<std::string> names;
  for_each_payload("itch50-moldudp64", [&](Bytes payload) {
    expect_same_bytes_again(Protocol::mold, payload, names);
    mold::BlockReader reader(payload);
    while (reader.next()) expect_same_bytes_again(Protocol::itch, reader.block(), names);
    EXPECT_EQ(reader.fault(), mold::BlockFault::none);
  });
  const std::set<std::string> expected{"AddOrder",           "AddOrderMpid", "MarketParticipantPosition",
                                       "NetOrderImbalance",  "OrderCancel",  "OrderDelete",
                                       "OrderExecuted",      "OrderReplace", "Packet",
                                       "StockTradingAction", "SystemEvent",  "Trade"};
  EXPECT_EQ(names, expected);
}

TEST(RealCaptures, OfOrderEntryComeBackToTheSameBytes) {
  if (!fs::exists(kCaptures / "ouch50-soupbintcp")) {
    GTEST_SKIP() << "the real captures, ../shared/data/captures beside the project, are not there";
  }
  std::set<std::string> names;
  for_each_payload("ouch50-soupbintcp", [&](Bytes payload) {
    while (!payload.empty()) {
      const soup::Read read = soup::read(payload);
      ASSERT_EQ(read.status, soup::ReadStatus::packet);
      expect_same_bytes_again(Protocol::soup, payload.first(read.size), names);
      if (read.type == soup::PacketType::unsequenced_data) {
        expect_same_bytes_again(Protocol::ouch_in, read.payload, names);
      }
      if (read.type == soup::PacketType::sequenced_data) {
        expect_same_bytes_again(Protocol::ouch_out, read.payload, names);
      }
      payload = payload.subspan(read.size);
    }
  });
  const std::set<std::string> expected{"CancelOrder",   "ClientHeartbeat", "EnterOrder",      "OrderAccepted",
                                       "OrderCanceled", "SequencedData",   "ServerHeartbeat", "UnsequencedData"};
  EXPECT_EQ(names, expected);
}

}  // namespace
}  // namespace crosswire::wire
