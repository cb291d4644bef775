// Hostile Ethernet, 802.1Q and ARP: what is counted, what is answered, and that bystanders notice nothing.
#include "tests/app/partition/hostile_rig.hpp"

namespace crosswire::test {
namespace {

using enum ReceiveCounter;

class HostileLink : public Hostile {
 protected:
  /// A frame that would be heard and not answered, spoilt by `change`.
  template <class Change>
  FrameBytes spoilt(Change change) const {
    FrameBytes frame = heartbeat();
    change(frame);
    return frame;
  }

  FrameBytes arp(std::uint16_t operation, const MacAddress& sender, std::uint32_t address, std::uint32_t target) const {
    return ethernet(mal, kBroadcast, 0x0806, arp_packet(operation, sender, address, target));
  }

  /// `tags` behind the source MAC of an untagged frame: pairs of EtherType and tag control.
  static FrameBytes tagged(FrameBytes frame, const std::vector<std::pair<unsigned, unsigned>>& tags) {
    Payload bytes;
    for (const auto& [type, control] : tags) put16(bytes, type), put16(bytes, control);
    frame.insert(frame.begin() + 12, bytes.begin(), bytes.end());
    return frame;
  }
};

// ---- Frames ---------------------------------------------------------------------------------------------------------

TEST_F(HostileLink, AFrameCutAtAnyLengthIsDroppedByTheFirstHeaderThatIsNotWhole) {
  const FrameBytes whole = orders({query_message()});
  Frames frames;
  for (std::size_t length = 0; length <= whole.size(); ++length) {
    frames.emplace_back(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
  }
  const Frames answers = attack(frames, {{ether_short, 14}, {ip_short, 20}, {ip_total_length, whole.size() - 34}});
  EXPECT_EQ(types_of(messages_of(answers)), "Q") << "the whole frame";
}

TEST_F(HostileLink, ATaggedFrameCutAtAnyLengthIsDroppedByTheFirstHeaderThatIsNotWhole) {
  move_to_vlan(7);
  const FrameBytes whole = orders({query_message()});
  Frames frames;
  for (std::size_t length = 0; length <= whole.size(); ++length) {
    frames.emplace_back(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
  }
  const Frames answers = attack(frames, {{ether_short, 18}, {ip_short, 20}, {ip_total_length, whole.size() - 38}});
  EXPECT_EQ(types_of(messages_of(answers)), "Q") << "the whole frame";
}

TEST_F(HostileLink, ADatagramBeyondTheMtuIsDroppedAndOneOfTheMtuIsNot) {
  Frames frames;
  for (const std::size_t length : {1501u, 1504u, 1518u, 4000u, 9000u, 65'535u}) {
    frames.push_back(to_orders(Payload(length - 28, 'O')));
    frames.push_back(echo_frame(mal, length - 20));
  }
  frames.push_back(to_orders(Payload(1472, 'O')));  // names another session
  frames.push_back(echo_frame(mal, 1480));
  const Frames answers = attack(frames, {{ip_too_long, 12}, {order_session, 1}, {icmp_echoes, 1}});
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].size(), 1514u);
}

TEST_F(HostileLink, AFrameOfAnUnknownEtherTypeIsDropped) {
  Frames frames;
  for (unsigned type = 0; type <= 0xFFFF; ++type) {
    if (type == 0x0800 || type == 0x0806 || type == 0x8100) continue;
    frames.push_back(spoilt([type](Payload& frame) { set16(frame, 12, type); }));
  }
  expect_silence(frames, {{ether_type_unknown, frames.size()}});
}

TEST_F(HostileLink, AFrameFromOurMacOrFromNoStationIsDropped) {
  const auto from = [this](const MacAddress& mac) {
    return spoilt([&mac](Payload& frame) { std::copy(mac.begin(), mac.end(), frame.begin() + 6); });
  };
  expect_silence({from(kOurMac), from(kBroadcast), from({1, 0, 0x5E, 0x40, 0, 1}), from({}), from({0x67})},
                 {{ether_source_ours, 1}, {ether_source_invalid, 4}});
}

TEST_F(HostileLink, AFrameToOtherMacsIsDropped) {
  const auto to = [this](const MacAddress& mac) {
    return spoilt([&mac](Payload& frame) { std::copy(mac.begin(), mac.end(), frame.begin()); });
  };
  expect_silence({to(ann.mac), to({}), to({1, 0, 0x5E, 0x40, 0, 1}), to({0x33, 0x33, 0, 0, 0, 1}), to(kBroadcast)},
                 {{ether_other_destination, 2}, {ether_multicast, 2}, {ip_link_broadcast, 1}});
}

// ---- 802.1Q ---------------------------------------------------------------------------------------------------------

TEST_F(HostileLink, ATagIsDroppedWhereNoneIsConfigured) {
  Frames frames;
  for (unsigned vlan = 1; vlan < 4096; ++vlan) frames.push_back(tagged(heartbeat(), {{0x8100, vlan}}));
  expect_silence(frames, {{vlan_not_accepted, 4095}});
}

TEST_F(HostileLink, AMissingOrOtherTagIsDroppedWhereOneIsConfigured) {
  Client untagged = mal;
  move_to_vlan(7);
  const FrameBytes plain = udp_frame(untagged, kOrderPort, soup_packet('R'));
  Frames frames{plain};
  for (unsigned vlan = 0; vlan < 4096; ++vlan) {
    if (vlan != 7) frames.push_back(tagged(plain, {{0x8100, vlan}}));
  }
  expect_silence(frames, {{vlan_not_accepted, 4096}});
}

TEST_F(HostileLink, APriorityTagIsTakenForNoTag) {
  Frames frames;
  for (unsigned control = 0; control < 16; ++control) {
    frames.push_back(tagged(heartbeat(), {{0x8100, control << 12}}));
  }
  frames.push_back(tagged(orders({query_message()}), {{0x8100, 0xE000}}));
  const Frames answers = attack(frames, {{heartbeats, 16}, {account_queries, 1}});
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(get16(answers[0], 12), 0x0800u);
}

TEST_F(HostileLink, TwoTagsAreDropped) {
  expect_silence({tagged(heartbeat(), {{0x8100, 0}, {0x8100, 0}}), tagged(heartbeat(), {{0x88A8, 0}, {0x8100, 0}}),
                  tagged(heartbeat(), {{0x9100, 7}, {0x8100, 7}}), tagged(heartbeat(), {{0x8100, 7}, {0x8100, 0}}),
                  tagged(heartbeat(), {{0x8100, 0}, {0x8100, 0}, {0x8100, 0}})},
                 {{ether_type_unknown, 4}, {vlan_not_accepted, 1}});
}

TEST_F(HostileLink, TwoTagsAreDroppedWhereOneIsConfigured) {
  const FrameBytes plain = heartbeat();
  move_to_vlan(7);
  expect_silence({tagged(plain, {{0x8100, 7}, {0x8100, 7}}), tagged(plain, {{0x88A8, 7}, {0x8100, 7}}),
                  tagged(plain, {{0x8100, 8}, {0x8100, 7}})},
                 {{ether_type_unknown, 1}, {vlan_not_accepted, 2}});
}

TEST_F(HostileLink, AnotherVlanDoesNotSpeakForABoundClient) {
  config_.net.vlans = {0, 7};
  Client forged = ann;
  forged.vlan = 7;
  expect_silence({udp_frame(forged, kOrderPort, soup_packet('O')), udp_frame(forged, kOrderPort, soup_packet('R')),
                  data_frame(forged, 1000, {cancel_message(1)})},
                 {{order_source_changed, 3}});
}

// ---- ARP ------------------------------------------------------------------------------------------------------------

TEST_F(HostileLink, AnArpStormUsesUpItsOwnTenthOfTheReplies) {
  constexpr std::size_t kStorm = 5000;
  const Frames answers = attack(
      Frames(kStorm, arp_frame(mal)),
      {{arp_requests, kArpRepliesPerSecond / 10}, {arp_rate, kStorm - kArpRepliesPerSecond / 10}}, Attack::at_once);
  EXPECT_EQ(answers.size(), kArpRepliesPerSecond / 10);
}

TEST_F(HostileLink, AnArpStormUnderForgedAddressesUsesUpNoMore) {
  constexpr std::size_t kStorm = 5000;
  Frames frames;
  for (std::uint32_t i = 0; i < kStorm; ++i) {
    frames.push_back(arp(1, mal.mac, 0x0A640000 + i, kOurAddress));
  }
  const Frames answers =
      attack(frames, {{arp_requests, kArpRepliesPerSecond / 10}, {arp_rate, kStorm - kArpRepliesPerSecond / 10}},
             Attack::at_once);
  EXPECT_EQ(answers.size(), kArpRepliesPerSecond / 10);
}

TEST_F(HostileLink, ArpThatClaimsOurAddressOrMacIsCountedAndNotAnswered) {
  expect_silence({arp(1, mal.mac, kOurAddress, kOurAddress), arp(2, mal.mac, kOurAddress, kOurAddress),
                  arp(1, mal.mac, kOurAddress, ann.address), arp(2, mal.mac, kOurAddress, ann.address),
                  arp(1, kOurMac, mal.address, kOurAddress), arp(2, kOurMac, mal.address, mal.address)},
                 {{arp_sender_ours, 6}});
}

TEST_F(HostileLink, ArpThatClaimsAClientsAddressMovesNoAnswers) {
  const Frames answers = attack({arp(1, mal.mac, ann.address, ann.address),  // gratuitous
                                 arp(2, mal.mac, ann.address, ann.address), arp(2, mal.mac, ann.address, kOurAddress),
                                 arp(1, mal.mac, ann.address, kOurAddress)},
                                {{arp_other_target, 1}, {arp_not_request, 2}, {arp_requests, 1}});
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(destination_of(answers[0]), mal.mac) << "who asked is told; Ann's answers go where she logged in from";
}

TEST_F(HostileLink, ArpThatNamesAnotherMacThanItsOwnSendsNobodyAReply) {
  expect_silence({arp(1, ann.mac, ann.address, kOurAddress), arp(1, bob.mac, mal.address, kOurAddress),
                  arp(1, ann.mac, 0, kOurAddress)},
                 {{arp_sender_differs, 3}});
}

TEST_F(HostileLink, ArpOfAnyOtherSizeIsDropped) {
  const FrameBytes whole = arp_frame(mal);
  Frames frames;
  for (std::size_t length = 14; length < whole.size(); ++length) {
    frames.emplace_back(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
  }
  const auto with = [&whole](std::size_t at, unsigned value) {
    FrameBytes frame = whole;
    frame[at] = static_cast<std::uint8_t>(value);
    return frame;
  };
  for (unsigned length = 0; length < 256; ++length) {
    if (length != 6) frames.push_back(with(18, length));
    if (length != 4) frames.push_back(with(19, length));
  }
  frames.push_back(with(15, 6));  // IEEE 802 networks
  frames.push_back(with(16, 0x86));
  expect_silence(frames, {{arp_malformed, 28 + 2 * 255 + 2}});
}

TEST_F(HostileLink, ArpRepliesThatNobodyAskedForAndOtherOperationsAreDropped) {
  Frames frames;
  for (const unsigned operation : {0u, 2u, 3u, 4u, 8u, 9u, 256u, 65'535u}) {
    frames.push_back(arp(static_cast<std::uint16_t>(operation), mal.mac, mal.address, kOurAddress));
  }
  expect_silence(frames, {{arp_not_request, 8}});
}

TEST_F(HostileLink, ArpForOthersOrFromNoStationIsDropped) {
  expect_silence({arp(1, mal.mac, mal.address, ann.address), arp(1, mal.mac, mal.address, mal.address),
                  arp(1, mal.mac, mal.address, 0xFFFFFFFF), arp(1, kBroadcast, mal.address, kOurAddress),
                  arp(1, {}, mal.address, kOurAddress), arp(1, mal.mac, 0x7F000001, kOurAddress),
                  arp(1, mal.mac, 0xE0000001, kOurAddress), arp(1, mal.mac, 0xFFFFFFFF, kOurAddress)},
                 {{arp_other_target, 3}, {arp_sender_invalid, 5}});
}

}  // namespace
}  // namespace crosswire::test
