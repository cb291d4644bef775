// Hostile IPv4, ICMP and UDP: what is counted, what is answered, and that bystanders notice nothing.
#include "tests/app/partition/hostile_rig.hpp"

namespace crosswire::test {
namespace {

using enum ReceiveCounter;

class HostileIp : public Hostile {
 protected:
  /// A heartbeat whose IPv4 header is spoilt by `change`, its checksum right again.
  template <class Change>
  FrameBytes spoilt(Change change) const {
    FrameBytes frame = heartbeat();
    change(frame);
    fix_ip(frame, ip_at());
    return frame;
  }

  FrameBytes from_address(std::uint32_t address) const {
    Client client = mal;
    client.address = address;
    return udp_frame(client, kOrderPort, soup_packet('R'));
  }
  FrameBytes icmp(const Payload& message) const { return ethernet(mal, kOurMac, 0x0800, ipv4(mal, 1, message)); }
};

// ---- IPv4 -----------------------------------------------------------------------------------------------------------

TEST_F(HostileIp, AnyTotalLengthThatLiesIsDroppedByThePartThatItCutsOff) {
  const FrameBytes login = to_orders(login_packet("MAL", "mal"));
  const std::size_t honest = login.size() - ip_at();
  Frames frames;
  for (std::size_t length = 0; length <= 0xFFFF; ++length) {
    if (length == honest) continue;
    frames.push_back(login);
    set16(frames.back(), ip_at() + 2, length);
    fix_ip(frames.back(), ip_at());
  }
  expect_silence(frames, {{ip_total_length, 20 + (0xFFFF - honest)}, {udp_short, 8}, {udp_length, honest - 28}});
}

TEST_F(HostileIp, AnyWrongHeaderChecksumIsDropped) {
  const FrameBytes right = heartbeat();
  Frames frames;
  for (unsigned wrong = 1; wrong <= 0xFFFF; ++wrong) {
    frames.push_back(right);
    set16(frames.back(), ip_at() + 10, get16(right, ip_at() + 10) ^ wrong);
  }
  expect_silence(frames, {{ip_checksum, 0xFFFF}});
}

TEST_F(HostileIp, FirstMiddleAndLastFragmentsAreDropped) {
  Frames frames;
  const auto add = [&](unsigned bits) {
    frames.push_back(spoilt([&](Payload& frame) { set16(frame, ip_at() + 6, bits); }));
  };
  add(0x2000);                                             // first
  add(0x6000);                                             // first, and not to be fragmented
  add(0x2001);                                             // middle
  for (unsigned bit = 0; bit < 13; ++bit) add(1u << bit);  // last
  add(0x1FFF);
  expect_silence(frames, {{ip_fragment, 17}});
}

TEST_F(HostileIp, ADatagramFromOurAddressOrFromNoStationIsDropped) {
  Frames frames;
  for (const std::uint32_t address :
       {0x00000000u, 0x00FFFFFFu, 0x7F000001u, 0x7FFFFFFFu, 0xE0000001u, 0xEFC00001u, 0xF0000001u, 0xFFFFFFFFu}) {
    frames.push_back(from_address(address));
  }
  frames.push_back(from_address(kOurAddress));
  expect_silence(frames, {{ip_source_invalid, 8}, {ip_source_ours, 1}});
}

TEST_F(HostileIp, ADatagramToAnotherOrABroadcastAddressIsDropped) {
  const auto to = [this](std::uint32_t address) { return ethernet(mal, kOurMac, 0x0800, ipv4(mal, 17, {}, address)); };
  const auto ping = [this](std::uint32_t address, const MacAddress& mac) {
    return ethernet(mal, mac, 0x0800, ipv4(mal, 1, icmp_message(8, 64), address));
  };
  expect_silence({to(kOurAddress + 1), to(0xFFFFFFFF), to(0x0A6300FF), to(0xEFC00001), to(ann.address), to(0),
                  ping(0xFFFFFFFF, kBroadcast), ping(0x0A6300FF, kBroadcast), ping(0xE0000001, kBroadcast),
                  ping(kOurAddress, kBroadcast)},
                 {{ip_other_destination, 9}, {ip_link_broadcast, 1}});
}

TEST_F(HostileIp, OptionsAreSkippedWhateverTheySay) {
  const Payload kinds[] = {{1, 1, 1, 0},                            // as they should be
                           {7, 0, 0, 0},                            // length 0
                           {7, 255, 4, 0},                          // beyond the header
                           {0x83, 3, 4, 0}, {0x89, 1, 0xFF, 0xFF},  // source routes
                           {0x44, 4, 5, 0}, {0xFF, 0xFF, 0xFF, 0xFF}};
  Frames frames;
  for (const Payload& kind : kinds) {
    Payload options;
    for (int words = 1; words <= 10; ++words) {
      put(options, kind);
      frames.push_back(udp_frame(mal, kOrderPort, soup_packet('R'), options));
    }
  }
  expect_silence(frames, {{heartbeats, 70}});
}

TEST_F(HostileIp, AHeaderLengthThatLiesIsDropped) {
  Frames frames;
  for (unsigned words = 0; words < 5; ++words) {
    frames.push_back(spoilt([&](Payload& f) { f[ip_at()] = static_cast<std::uint8_t>(0x40 | words); }));
  }
  for (unsigned words = 8; words < 16; ++words) {  // 31 bytes in all
    frames.push_back(heartbeat());
    frames.back()[ip_at()] = static_cast<std::uint8_t>(0x40 | words);
  }
  expect_silence(frames, {{ip_header_length, 5}, {ip_total_length, 8}});
}

TEST_F(HostileIp, OtherVersionsAndProtocolsAreDropped) {
  Frames frames;
  for (unsigned version = 0; version < 16; ++version) {
    if (version == 4) continue;
    frames.push_back(spoilt([&](Payload& f) { f[ip_at()] = static_cast<std::uint8_t>(version << 4 | 5); }));
  }
  for (unsigned protocol = 0; protocol < 256; ++protocol) {
    if (protocol == 1 || protocol == 17) continue;
    frames.push_back(spoilt([&](Payload& f) { f[ip_at() + 9] = static_cast<std::uint8_t>(protocol); }));
  }
  expect_silence(frames, {{ip_version, 15}, {ip_protocol_unknown, 254}});
}

TEST_F(HostileIp, BytesBehindTheDatagramAreIgnored) {
  Frames frames;
  for (std::size_t length = 1; length <= 64; ++length) {  // a vendor's trailer has 12 to 16
    frames.push_back(heartbeat());
    for (std::size_t i = 0; i < length; ++i) frames.back().push_back(static_cast<std::uint8_t>(0xA5 + i));
  }
  frames.push_back(orders({query_message()}));
  put(frames.back(), std::string_view{"sixteen bytes..."});
  EXPECT_EQ(types_of(messages_of(attack(frames, {{heartbeats, 64}, {account_queries, 1}}))), "Q");
}

// ---- ICMP -----------------------------------------------------------------------------------------------------------

TEST_F(HostileIp, APingFloodUsesUpItsOwnTenthOfTheReplies) {
  const std::size_t part = config_.net.pings_per_second / 10;
  const Frames answers =
      attack(Frames(20'000, echo_frame(mal, 1480)), {{icmp_echoes, part}, {icmp_rate, 20'000 - part}}, Attack::at_once);
  EXPECT_EQ(answers.size(), part);
}

TEST_F(HostileIp, APingFloodUnderForgedAddressesUsesUpNoMore) {
  const std::size_t part = config_.net.pings_per_second / 10;
  Frames frames;
  Client client = mal;
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    client.address = 0x0A640000 + i;
    frames.push_back(echo_frame(client));
  }
  const Frames answers = attack(frames, {{icmp_echoes, part}, {icmp_rate, 20'000 - part}}, Attack::at_once);
  EXPECT_EQ(answers.size(), part);
}

TEST_F(HostileIp, ATruncatedPingOrOneWithAnyWrongChecksumIsDropped) {
  const FrameBytes right = echo_frame(mal, 8);
  Frames frames;
  for (std::size_t length = 0; length < 8; ++length) frames.push_back(icmp(Payload(length, 8)));
  for (unsigned wrong = 1; wrong <= 0xFFFF; ++wrong) {
    frames.push_back(right);
    set16(frames.back(), ip_at() + 22, get16(right, ip_at() + 22) ^ wrong);
  }
  expect_silence(frames, {{icmp_short, 8}, {icmp_checksum, 0xFFFF}});
}

TEST_F(HostileIp, UnreachablesRedirectsAndEveryOtherIcmpAreDropped) {
  Frames frames;
  for (unsigned type = 0; type < 256; ++type) {
    for (const unsigned code : {0u, 1u, 3u, 4u, 255u}) {
      if (type == 8 && code == 0) continue;
      // What it quotes: Ann's own answers, so that a stack which believed it would stop sending them.
      Payload message{static_cast<std::uint8_t>(type), static_cast<std::uint8_t>(code), 0, 0, 0, 0, 0, 0};
      Client us{.address = kOurAddress, .port = kOrderPort};
      put(message, ipv4(us, 17, Payload(8, 0), ann.address));
      set16(message, 2, folded(sum16(message, 0, message.size())));
      frames.push_back(icmp(message));
    }
  }
  expect_silence(frames, {{icmp_not_echo, 256 * 5 - 1}});
}

// ---- UDP ------------------------------------------------------------------------------------------------------------

TEST_F(HostileIp, AnyUdpLengthThatLiesIsDroppedByThePartThatItCutsOff) {
  FrameBytes login = to_orders(login_packet("MAL", "mal"));
  set16(login, ip_at() + 26, 0);  // no checksum, so that only the length lies
  constexpr std::size_t kHonest = 57;
  Frames frames;
  for (std::size_t length = 0; length <= 0xFFFF; ++length) {
    if (length == kHonest) continue;
    frames.push_back(login);
    set16(frames.back(), ip_at() + 24, length);
  }
  expect_silence(frames, {{udp_length, 8 + 0xFFFF - kHonest}, {order_empty, 1}, {soup_malformed, kHonest - 9}});
}

TEST_F(HostileIp, AnyWrongUdpChecksumIsDroppedAndNoneIsTaken) {
  const FrameBytes right = heartbeat();
  Frames frames;
  for (unsigned wrong = 1; wrong <= 0xFFFF; ++wrong) {
    frames.push_back(right);
    set16(frames.back(), ip_at() + 26, get16(right, ip_at() + 26) ^ wrong);
  }
  expect_silence(frames, {{udp_checksum, 0xFFFE}, {heartbeats, 1}});
}

TEST_F(HostileIp, ADatagramToAnyOtherPortIsDroppedWithoutAnUnreachable) {
  Frames frames;
  for (unsigned port = 0; port <= 0xFFFF; ++port) {
    if (port == kOrderPort || port == kRequestPort) continue;
    frames.push_back(udp_frame(mal, static_cast<std::uint16_t>(port), soup_packet('R')));
  }
  expect_silence(frames, {{udp_port_unknown, 0xFFFE}});
}

TEST_F(HostileIp, ADatagramFromPortZeroIsDropped) {
  Client nowhere = mal;
  nowhere.port = 0;
  expect_silence({login_frame(nowhere, "MAL2", "mal"), udp_frame(nowhere, kOrderPort, soup_packet('R')),
                  udp_frame(nowhere, kRequestPort, mold_header(kFeedSession, 1, 1))},
                 {{udp_source_port_zero, 3}});
}

TEST_F(HostileIp, ADatagramCutHonestlyIsDroppedByWhatIsMissingOrIsWhatItThenSays) {
  Payload packet = mold_packet(1, {query_message(), query_message()});
  Frames frames;
  for (std::size_t length = 0; length < packet.size(); ++length) {
    frames.push_back(to_orders({packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(length)}));
  }
  const Frames answers =
      attack(frames, {{order_empty, 1}, {order_short, 19}, {order_requests, 1}, {order_blocks, packet.size() - 21}});
  EXPECT_EQ(types_of(messages_of(answers)), "S") << "a header alone asks for messages again";
}

}  // namespace
}  // namespace crosswire::test
