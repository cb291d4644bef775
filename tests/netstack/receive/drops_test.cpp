// Every reason for which the receive stage drops something, each met by a frame made for it.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "tests/netstack/receive/receive_rig.hpp"

namespace crosswire::test {
namespace {

using enum ReceiveCounter;
using wire::ouch::Tag;

constexpr std::size_t kIp = 14;  // where an untagged frame's IPv4 header begins

/// A good frame, spoilt by `change`.
template <class Change>
FrameBytes spoilt(FrameBytes frame, Change change) {
  change(frame);
  return frame;
}

/// The same, with the IPv4 header's checksum made right again.
template <class Change>
FrameBytes spoilt_ip(FrameBytes frame, Change change) {
  change(frame);
  fix_ip(frame, kIp);
  return frame;
}

FrameBytes login() { return login_frame(kAlice, "ALICE", "secret"); }
FrameBytes arp(std::uint16_t operation, const MacAddress& sender, std::uint32_t address, std::uint32_t target) {
  return ethernet(kAlice, kBroadcast, 0x0806, arp_packet(operation, sender, address, target));
}
FrameBytes icmp(const Payload& message) { return ethernet(kAlice, kOurMac, 0x0800, ipv4(kAlice, 1, message)); }
FrameBytes from_address(std::uint32_t address) {
  Client client = kAlice;
  client.address = address;
  return login_frame(client, "ALICE", "secret");
}
FrameBytes to_orders(const Payload& payload) { return udp_frame(kAlice, kOrderPort, payload); }
FrameBytes to_requests(const Payload& payload) { return udp_frame(kAlice, kRequestPort, payload); }
FrameBytes message(const Payload& bytes) { return data_frame(kAlice, 1, {bytes}); }

struct Drop {
  ReceiveCounter counter;
  const char* what;
  FrameBytes frame;
};

std::vector<Drop> drops() {
  const MacAddress alice = kAlice.mac;
  return {
      {ether_short, "nothing", {}},
      {ether_short, "13 bytes", Payload(13, 2)},
      {ether_short, "half a tag", spoilt(login(), [](Payload& f) { set16(f, 12, 0x8100), f.resize(17); })},
      {ether_source_invalid, "from a group", spoilt(login(), [](Payload& f) { f[6] = 3; })},
      {ether_source_invalid, "from nobody", spoilt(login(), [](Payload& f) { std::fill_n(f.begin() + 6, 6, 0); })},
      {ether_source_ours, "from our MAC",
       spoilt(login(), [](Payload& f) { std::copy_n(f.begin(), 6, f.begin() + 6); })},
      {ether_multicast, "to a group", spoilt(login(), [](Payload& f) { f[0] = 1; })},
      {ether_other_destination, "to another", spoilt(login(), [](Payload& f) { f[5] = 9; })},
      {ether_type_unknown, "IPv6", spoilt(login(), [](Payload& f) { set16(f, 12, 0x86DD); })},
      {ether_type_unknown, "802.3 length", spoilt(login(), [](Payload& f) { set16(f, 12, 46); })},
      {ether_type_unknown, "two tags", ethernet(kAlice, kOurMac, 0x8100, {0, 0, 0x81, 0, 0, 0, 8, 0})},
      {vlan_not_accepted, "tagged", login_frame({.vlan = 5}, "ALICE", "secret")},

      {arp_malformed, "short", spoilt(arp_frame(kAlice), [](Payload& f) { f.pop_back(); })},
      {arp_malformed, "of another hardware", spoilt(arp_frame(kAlice), [](Payload& f) { f[15] = 6; })},
      {arp_malformed, "of another protocol", spoilt(arp_frame(kAlice), [](Payload& f) { f[16] = 9; })},
      {arp_malformed, "of long MACs", spoilt(arp_frame(kAlice), [](Payload& f) { f[18] = 8; })},
      {arp_malformed, "of long addresses", spoilt(arp_frame(kAlice), [](Payload& f) { f[19] = 16; })},
      {arp_not_request, "a reply", arp(2, alice, kAlice.address, kOurAddress)},
      {arp_other_target, "for another", arp(1, alice, kAlice.address, kOurAddress + 1)},
      {arp_sender_invalid, "from a group MAC", arp(1, kBroadcast, kAlice.address, kOurAddress)},
      {arp_sender_invalid, "from no MAC", arp(1, {}, kAlice.address, kOurAddress)},
      {arp_sender_invalid, "from a group address", arp(1, alice, 0xE0000001, kOurAddress)},
      {arp_sender_invalid, "from everybody", arp(1, alice, 0xFFFFFFFF, kOurAddress)},
      {arp_sender_ours, "our address", arp(1, alice, kOurAddress, kOurAddress)},
      {arp_sender_ours, "our address, announced", arp(2, alice, kOurAddress, kOurAddress)},
      {arp_sender_ours, "our MAC", arp(1, kOurMac, kAlice.address, kOurAddress)},
      {arp_sender_differs, "for a neighbour", arp(1, {2, 0, 0, 0, 7, 7}, kAlice.address, kOurAddress)},

      {ip_short, "19 bytes", spoilt(login(), [](Payload& f) { f.resize(kIp + 19); })},
      {ip_version, "version 6", spoilt_ip(login(), [](Payload& f) { f[kIp] = 0x65; })},
      {ip_header_length, "header of 16 bytes", spoilt_ip(login(), [](Payload& f) { f[kIp] = 0x44; })},
      {ip_total_length, "below the header", spoilt_ip(login(), [](Payload& f) { set16(f, kIp + 2, 19); })},
      {ip_total_length, "beyond the frame", spoilt_ip(login(), [](Payload& f) { f.pop_back(); })},
      {ip_total_length, "options beyond it", spoilt(echo_frame(kAlice, 8), [](Payload& f) { f[kIp] = 0x4F; })},
      {ip_too_long, "an echo of 1481 bytes", echo_frame(kAlice, 1481)},
      {ip_checksum, "wrong", spoilt(login(), [](Payload& f) { f[kIp + 8] = 1; })},
      {ip_fragment, "more to come", spoilt_ip(login(), [](Payload& f) { f[kIp + 6] = 0x20; })},
      {ip_fragment, "a later one", spoilt_ip(login(), [](Payload& f) { f[kIp + 7] = 1; })},
      {ip_other_destination, "to a neighbour", spoilt_ip(login(), [](Payload& f) { f[kIp + 19] = 2; })},
      {ip_other_destination, "to everybody",
       spoilt_ip(login(), [](Payload& f) { std::fill_n(f.begin() + 30, 4, 255); })},
      {ip_link_broadcast, "MAC broadcast", spoilt(login(), [](Payload& f) { std::fill_n(f.begin(), 6, 255); })},
      {ip_source_invalid, "zero", from_address(0)},
      {ip_source_invalid, "this network", from_address(0x00FFFFFF)},
      {ip_source_invalid, "loopback", from_address(0x7F000001)},
      {ip_source_invalid, "multicast", from_address(0xE0000001)},
      {ip_source_invalid, "broadcast", from_address(0xFFFFFFFF)},
      {ip_source_ours, "ours", from_address(kOurAddress)},
      {ip_protocol_unknown, "TCP", spoilt_ip(login(), [](Payload& f) { f[kIp + 9] = 6; })},

      {icmp_short, "7 bytes", icmp(Payload(7, 0))},
      {icmp_checksum, "wrong", spoilt(echo_frame(kAlice), [](Payload& f) { f.back() ^= 1; })},
      {icmp_not_echo, "a reply", icmp(icmp_message(0, 64))},
      {icmp_not_echo, "another code", icmp([] {
         Payload m = icmp_message(8, 64);
         m[1] = 1;
         set16(m, 2, 0);
         set16(m, 2, folded(sum16(m, 0, 64)));
         return m;
       }())},

      {udp_short, "7 bytes", ethernet(kAlice, kOurMac, 0x0800, ipv4(kAlice, 17, Payload(7, 1)))},
      {udp_length, "below the header", spoilt(login(), [](Payload& f) { set16(f, kIp + 24, 7); })},
      {udp_length, "beyond the datagram", spoilt(login(), [](Payload& f) { set16(f, kIp + 24, f.size()); })},
      {udp_checksum, "wrong payload", spoilt(login(), [](Payload& f) { f.back() ^= 1; })},
      {udp_checksum, "wrong pseudo header", spoilt_ip(login(), [](Payload& f) { f[kIp + 15] ^= 1; })},
      {udp_source_port_zero, "from port 0", login_frame({.port = 0}, "ALICE", "secret")},
      {udp_port_unknown, "port 9", udp_frame(kAlice, 9, {1})},

      {feed_request_malformed, "19 bytes",
       to_requests(spoilt(mold_header(kFeedSession, 1, 1), [](Payload& p) { p.pop_back(); }))},
      {feed_request_malformed, "a block", to_requests(mold_packet(1, {{1}}, kFeedSession))},
      {feed_request_malformed, "none wanted", to_requests(mold_header(kFeedSession, 1, 0))},
      {feed_request_malformed, "65,535 wanted", to_requests(mold_header(kFeedSession, 1, 0xFFFF))},
      {feed_request_malformed, "from number 0", to_requests(mold_header(kFeedSession, 0, 1))},
      {feed_request_session, "of orders", to_requests(mold_header(kOrderSession, 1, 1))},

      {login_source_not_allowed, "from elsewhere", login_frame({.address = 0x01010101}, "CAROL", "")},
      {soup_malformed, "ends early",
       to_orders(spoilt(login_packet("ALICE", "secret"), [](Payload& p) { p.pop_back(); }))},
      {soup_malformed, "goes on", to_orders(spoilt(soup_packet('R'), [](Payload& p) { p.push_back(0); }))},
      {soup_malformed, "length 0", to_orders({0, 0, 'R'})},
      {soup_malformed, "no type", to_orders({0, 1})},
      {soup_malformed, "one byte", to_orders({0})},
      {soup_malformed, "a short login", to_orders(soup_packet('L', Payload(45, ' ')))},
      {soup_malformed, "a full heartbeat", to_orders(soup_packet('R', {1}))},
      {soup_type, "unsequenced data", to_orders(soup_packet('U', query_message()))},
      {soup_type, "debug", to_orders(soup_packet('+', {'h', 'i'}))},

      {order_empty, "empty", to_orders({})},
      {order_source_unknown, "another port", data_frame({.port = 1}, 1, {query_message()})},
      {order_source_unknown, "logout of nobody", udp_frame({.port = 1}, kOrderPort, soup_packet('O'))},
      {order_source_changed, "another MAC", data_frame({.mac = {2, 0, 0, 0, 7, 7}}, 1, {query_message()})},
      {order_short, "19 bytes", to_orders(Payload(19, 'O'))},
      {order_session, "the feed's", to_orders(mold_packet(1, {query_message()}, kFeedSession))},
      {order_count, "a heartbeat", to_orders(mold_header(kOrderSession, 1, 0))},
      {order_count, "end of session", to_orders(mold_header(kOrderSession, 1, 0xFFFF))},
      {order_blocks, "one too few", to_orders(spoilt(mold_packet(1, {{'Q'}}), [](Payload& p) { set16(p, 18, 2); }))},
      {order_sequence, "0", data_frame(kAlice, 0, {query_message()})},
      {order_sequence, "the greatest", data_frame(kAlice, ~std::uint64_t{0}, {query_message()})},
      {order_sequence, "a request from 0", to_orders(mold_header(kOrderSession, 0, 1))},

      {ouch_short, "an empty message", message({})},
      {ouch_type_unknown, "type Z", message({'Z'})},
      {ouch_short, "a short mass cancel", message({'C'})},
      {ouch_appendage, "trailing byte", message({'Q', 0})},
      {ouch_appendage, "a disable without one", message(bytes(wire::ouch::DisableOrderEntry{}))},
      {ouch_side, "side A", message(modify_message(1, 'A', 1))},
  };
}

TEST(ReceiveDrops, CountsEachUnderItsNameAndMakesNoCommand) {
  NetConfig net = test_net();
  net.strangers_told_per_second = 0;  // sessions_test.cpp has what they are told
  for (const Drop& drop : drops()) {
    SCOPED_TRACE(std::string(kReceiveCounters[static_cast<std::size_t>(drop.counter)].label) + ": " + drop.what);
    ReceiveRig rig(1024, 64, net);
    rig.run();
    ASSERT_EQ(rig.frame(login()).size(), 1u);
    EXPECT_TRUE(rig.frame(drop.frame).empty());
    EXPECT_EQ(rig.count(drop.counter), 1u);
    EXPECT_EQ(rig.count(frames), 2u);
    for (const auto& row : kReceiveCounters) {
      const bool other = row.kind == CounterKind::drop && row.counter != drop.counter;
      EXPECT_TRUE(!other || rig.count(row.counter) == 0) << row.label << " is counted too";
    }
  }
}

/// Untagged order frames are recognised in one look (order_frames_test.cpp); these go the long way.
TEST(ReceiveDrops, SumsUpWhatTheDeviceHasNotFoundRight) {
  ReceiveRig rig;
  rig.run();
  const auto commands_of = [&rig](const FrameBytes& frame, CheckedSums checked) {
    rig.port().push_burst(rig.start(), {frame}, checked);
    return rig.run().size();
  };
  const FrameBytes wrong_ip = spoilt(login(), [](Payload& f) { f[24] ^= 1; });
  const FrameBytes wrong_udp = spoilt(login(), [](Payload& f) { f[40] ^= 1; });
  EXPECT_EQ(commands_of(wrong_ip, {.udp = true}), 0u);
  EXPECT_EQ(rig.count(ip_checksum), 1u);
  EXPECT_EQ(commands_of(wrong_udp, {.ip = true}), 0u);
  EXPECT_EQ(rig.count(udp_checksum), 1u);
  EXPECT_EQ(commands_of(wrong_ip, {.ip = true}), 1u);
  EXPECT_EQ(commands_of(wrong_udp, {.udp = true}), 1u);
  EXPECT_EQ(commands_of(icmp({8, 0, 1, 1, 0, 0, 0, 0}), {.ip = true, .udp = true}), 0u);
  EXPECT_EQ(rig.count(icmp_checksum), 1u) << "no device looks at these";
}

TEST(ReceiveDrops, HasAFrameForEveryReason) {
  // These depend on more than one frame, or come past the wire: receive_test.cpp, sessions_test.cpp, operators_test.cpp
  // and, over TCP, tests/app/partition/soup_test.cpp have them.
  std::map<ReceiveCounter, int> met{{operator_unknown, 1},    {arp_rate, 1},           {icmp_rate, 1},
                                    {feed_request_rate, 1},   {login_refused_rate, 1}, {order_repeats, 1},
                                    {order_day_over, 1},      {login_late, 1},         {order_request_rate, 1},
                                    {order_request_bytes, 1}, {soup_before_login, 1},  {soup_login_again, 1},
                                    {soup_too_long, 1}};
  for (const Drop& drop : drops()) ++met[drop.counter];
  for (const auto& row : kReceiveCounters) {
    EXPECT_EQ(row.kind == CounterKind::drop, met.contains(row.counter)) << row.label;
  }
}

}  // namespace
}  // namespace crosswire::test
