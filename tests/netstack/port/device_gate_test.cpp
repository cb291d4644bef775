// What passes between the control thread and a port beside frames: the gate, and frames of the link's own.
#include "netstack/port/device_gate.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "netstack/port/link_frames.hpp"

namespace crosswire::device_gate_test {
namespace {

TEST(DeviceGate, IsClearWhenThePortHasSeenThatItIsShut) {
  DeviceGate gate(3);
  EXPECT_EQ(gate.enter(), 3);
  for (const std::uint16_t next : {std::uint16_t{7}, std::uint16_t{0}}) {
    gate.shut();
    EXPECT_FALSE(gate.clear()) << "the port may still be in the driver, whatever it saw at earlier times";
    EXPECT_EQ(gate.enter(), DeviceGate::kShut);
    EXPECT_TRUE(gate.clear());
    EXPECT_EQ(gate.enter(), DeviceGate::kShut);
    gate.open(next);
    EXPECT_EQ(gate.enter(), next);
  }
}

TEST(DeviceGate, CallsAPortThatDoesNotComeByItself) {
  std::atomic<bool> called{false};
  DeviceGate gate(0, &called);
  gate.shut();
  EXPECT_TRUE(called.exchange(false));
  gate.enter();
  EXPECT_FALSE(called);
  gate.open(0);
  EXPECT_TRUE(called) << "it may have kept frames meanwhile";
}

TEST(LinkFrames, AreTakenOutOnceAndInOrder) {
  LinkFrames frames;
  std::vector<LinkFrame> ten(10);
  for (std::size_t i = 0; i < ten.size(); ++i) ten[i][0] = static_cast<std::uint8_t>(i);
  EXPECT_EQ(frames.leave(ten), LinkFrames::kMost);
  EXPECT_EQ(frames.leave(ten), 0u) << "none was taken out yet";
  std::vector<LinkFrame> taken;
  frames.take([&](const LinkFrame& frame) { taken.push_back(frame); });
  frames.take([&](const LinkFrame& frame) { taken.push_back(frame); });
  EXPECT_EQ(taken, std::vector<LinkFrame>(ten.begin(), ten.begin() + LinkFrames::kMost));
  EXPECT_EQ(frames.leave(std::span(ten).subspan(8)), 2u);
}

}  // namespace
}  // namespace crosswire::device_gate_test
