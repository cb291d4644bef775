// When our address is announced, in virtual time.
#include "app/run/announcer.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "netstack/frame_writer/arp_announcement.hpp"

namespace crosswire {
namespace {

constexpr std::uint64_t kLookNs = 100'000'000;

class Announced : public testing::Test {
 protected:
  Announcer announcer(const NetConfig& config) {
    return Announcer(config, [this](std::span<const LinkFrame> frames) {
      const std::size_t taken = std::min(frames.size(), room_);
      left_.insert(left_.end(), frames.begin(), frames.begin() + static_cast<std::ptrdiff_t>(taken));
      return taken;
    });
  }
  /// What is left at a look, 100 ms after the last.
  std::size_t look(Announcer& announcer) {
    const std::size_t before = left_.size();
    announcer.look(now_ns_ += kLookNs);
    return left_.size() - before;
  }

  std::size_t room_ = 2;
  std::vector<LinkFrame> left_;
  std::uint64_t now_ns_ = 0;
};

TEST_F(Announced, IsTheAddressTwiceTwoSecondsApart) {
  Announcer announcer = this->announcer({});
  EXPECT_EQ(look(announcer), 0u);
  announcer.begin(now_ns_);
  EXPECT_EQ(look(announcer), 1u);
  for (int i = 0; i < 19; ++i) EXPECT_EQ(look(announcer), 0u);
  EXPECT_EQ(look(announcer), 1u);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(look(announcer), 0u);
  announcer.begin(now_ns_);
  EXPECT_EQ(look(announcer), 1u);
  announcer.begin(now_ns_);
  EXPECT_EQ(look(announcer), 1u) << "a link that comes again in between begins anew";
  EXPECT_EQ(left_[0], arp_announcement({}, 0));
}

TEST_F(Announced, IsItOnEveryVlanAsThePortHasRoom) {
  NetConfig config;
  config.vlans = {5, 6, 7};
  Announcer announcer = this->announcer(config);
  announcer.begin(now_ns_);
  EXPECT_EQ(look(announcer), 2u);
  room_ = 0;
  EXPECT_EQ(look(announcer), 0u);
  room_ = 2;
  EXPECT_EQ(look(announcer), 1u);
  const std::vector<LinkFrame> round = {arp_announcement(config, 5), arp_announcement(config, 6),
                                        arp_announcement(config, 7)};
  EXPECT_EQ(left_, round);
  for (int i = 0; i < 30; ++i) look(announcer);
  EXPECT_EQ(left_.size(), 6u);
}

}  // namespace
}  // namespace crosswire
