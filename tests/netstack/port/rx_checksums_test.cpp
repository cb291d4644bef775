// What devices are asked for and what is believed of their drivers: mbuf flags and capabilities as DPDK defines them.
#include "netstack/port/rx_checksums.hpp"

#include <gtest/gtest.h>

namespace crosswire::rx_checksums_test {
namespace {

rte_eth_dev_info offering(std::uint64_t offloads, const char* driver = "net_ice") {
  rte_eth_dev_info info{};
  info.driver_name = driver;
  info.rx_offload_capa = offloads;
  return info;
}

TEST(ReceiveChecksums, AreAskedOfADeviceAsFarAsItOffersThem) {
  constexpr std::uint64_t kIp = RTE_ETH_RX_OFFLOAD_IPV4_CKSUM, kUdp = RTE_ETH_RX_OFFLOAD_UDP_CKSUM;
  EXPECT_EQ(rx_checksums(offering(~std::uint64_t{0}), false), kIp | kUdp);
  EXPECT_EQ(rx_checksums(offering(kUdp | RTE_ETH_RX_OFFLOAD_TCP_CKSUM), false), kUdp) << "as virtio offers them";
  EXPECT_EQ(rx_checksums(offering(RTE_ETH_RX_OFFLOAD_VLAN_STRIP), false), 0u);
  EXPECT_EQ(rx_checksums(offering(kIp | kUdp), true), 0u) << "net_tap would sum in software";
}

TEST(ReceiveChecksums, AreBelievedOfADriverWhereItCallsThemRightAlone) {
  const auto udp = [](std::uint64_t flags) { return checked_sums(flags).udp; };
  EXPECT_TRUE(udp(RTE_MBUF_F_RX_L4_CKSUM_GOOD));
  EXPECT_FALSE(udp(RTE_MBUF_F_RX_L4_CKSUM_BAD));
  EXPECT_FALSE(udp(RTE_MBUF_F_RX_L4_CKSUM_NONE));
  EXPECT_FALSE(udp(RTE_MBUF_F_RX_L4_CKSUM_UNKNOWN));
  EXPECT_FALSE(udp(RTE_MBUF_F_RX_IP_CKSUM_GOOD)) << "which is the other one";
  const auto ip = [](std::uint64_t flags) { return checked_sums(flags).ip; };
  EXPECT_TRUE(ip(RTE_MBUF_F_RX_IP_CKSUM_GOOD));
  EXPECT_FALSE(ip(RTE_MBUF_F_RX_IP_CKSUM_BAD));
  EXPECT_FALSE(ip(RTE_MBUF_F_RX_IP_CKSUM_NONE));
  EXPECT_FALSE(ip(RTE_MBUF_F_RX_IP_CKSUM_UNKNOWN));
  EXPECT_FALSE(ip(RTE_MBUF_F_RX_L4_CKSUM_GOOD));
}

TEST(ReceiveChecksums, MayBePartialWhereVirtioSaysSoEverywhereOverTheKernelAndNeverOnACard) {
  const auto which = [](const char* driver, bool faces_kernel = false) {
    return partial_sums(offering(0, driver), faces_kernel);
  };
  for (const char* const driver : {"net_virtio", "net_virtio_user", "net_vhost"}) {
    EXPECT_EQ(which(driver), PartialSums::told) << driver;
  }
  EXPECT_EQ(which("net_af_packet", true), PartialSums::any);
  EXPECT_EQ(which("net_ice"), PartialSums::none);
  EXPECT_TRUE(may_be_partial(PartialSums::told, RTE_MBUF_F_RX_L4_CKSUM_NONE));
  for (const unsigned long long flags :
       {RTE_MBUF_F_RX_L4_CKSUM_GOOD, RTE_MBUF_F_RX_L4_CKSUM_BAD, 0ull + RTE_MBUF_F_RX_L4_CKSUM_UNKNOWN}) {
    EXPECT_FALSE(may_be_partial(PartialSums::told, flags));
    EXPECT_TRUE(may_be_partial(PartialSums::any, flags));
  }
  EXPECT_FALSE(may_be_partial(PartialSums::none, RTE_MBUF_F_RX_L4_CKSUM_NONE));
}

}  // namespace
}  // namespace crosswire::rx_checksums_test
