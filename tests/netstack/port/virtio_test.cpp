// Checksums that the other side of a virtio device leaves to a card: net_vhost and net_virtio_user in one process, each
// once as our device and once as a sender that does as a guest's kernel does. On ordinary pages, for any user.
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include <chrono>
#include <memory>
#include <optional>
#include <thread>

#include "netstack/port/capture.hpp"
#include "netstack/port/device.hpp"
#include "netstack/port/eal.hpp"
#include "port_testing.hpp"

namespace crosswire::virtio_test {
namespace {

constexpr std::chrono::seconds kPatience{60};

const TemporaryFolder& folder() {
  static const TemporaryFolder made;
  return made;
}

class StartedEal : public testing::Environment {
 public:
  void SetUp() override {
    EalOptions options;
    options.hugepages = HugepagePolicy::off;
    options.file_prefix = "crosswire_virtio_test";
    options.extra_args = {"--single-file-segments"};  // as with virtio_user from the start
    folder();
    ASSERT_EQ(eal_start(options), "");
  }
  void TearDown() override { eal_stop(); }
};

const auto* const kEal = testing::AddGlobalTestEnvironment(new StartedEal);

/// 10.99.0.100:40001 to 10.99.0.1:26400 with 5 bytes and the checksum that stands for all of it, or its pseudo-header's
/// sum alone.
FrameBytes datagram(bool partial) {
  FrameBytes frame = {0x02, 0, 0, 0, 0, 1, 0x02, 0, 0, 0, 1, 1, 0x08, 0x00, 0x45, 0, 0, 33, 0, 1, 0x40};
  for (const int byte : {0, 64, 17, 0x25, 0xA1, 10, 99, 0, 100, 10, 99, 0, 1, 0x9C, 0x41, 0x67, 0x20, 0, 13}) {
    frame.push_back(static_cast<std::uint8_t>(byte));
  }
  // 1549, and with 9C41 + 6720 + 000D + 6865 + 6C6C + 6F00 it is 5C8A
  for (const int byte : {partial ? 0x15 : 0xA3, partial ? 0x49 : 0x75}) {
    frame.push_back(static_cast<std::uint8_t>(byte));
  }
  for (const char letter : {'h', 'e', 'l', 'l', 'o'}) frame.push_back(static_cast<std::uint8_t>(letter));
  return frame;
}

/// The other side, which leaves its UDP checksums to a card where the frame's is partial.
class Sender {
 public:
  explicit Sender(const std::string& device) {
    EXPECT_EQ(rte_eth_dev_get_port_by_name(device_name(device).c_str(), &port_id_), 0);
    rte_eth_conf conf{};
    conf.txmode.offloads = RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
    EXPECT_EQ(rte_eth_dev_configure(port_id_, 1, 1, &conf), 0);
    pool_ = rte_pktmbuf_pool_create(("sender" + std::to_string(port_id_)).c_str(), 1'023, 0, 0,
                                    RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    EXPECT_EQ(rte_eth_rx_queue_setup(port_id_, 0, 256, 0, nullptr, pool_), 0);
    EXPECT_EQ(rte_eth_tx_queue_setup(port_id_, 0, 256, 0, nullptr), 0);
    EXPECT_EQ(rte_eth_dev_start(port_id_), 0);
  }
  ~Sender() {
    rte_eth_dev_stop(port_id_);
    rte_eth_dev_close(port_id_);
    rte_mempool_free(pool_);
  }
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  bool send(const FrameBytes& bytes, bool partial) {
    rte_mbuf* mbuf = rte_pktmbuf_alloc(pool_);
    std::copy(bytes.begin(), bytes.end(), rte_pktmbuf_append(mbuf, static_cast<std::uint16_t>(bytes.size())));
    if (partial) {
      mbuf->ol_flags |= RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_UDP_CKSUM;
      mbuf->l2_len = 14;
      mbuf->l3_len = 20;
    }
    if (rte_eth_tx_burst(port_id_, 0, &mbuf, 1) == 1) return true;
    rte_pktmbuf_free(mbuf);
    return false;
  }

 private:
  std::uint16_t port_id_ = 0;
  rte_mempool* pool_;
};

/// Sends a frame until it is taken, since the two sides may still be finding each other, and gives back what comes.
FrameBytes carried(Sender& sender, DeviceRxPort& port, const FrameBytes& bytes, bool partial) {
  const auto until = std::chrono::steady_clock::now() + kPatience;
  for (bool sent = false; std::chrono::steady_clock::now() < until;) {
    if (!sent) sent = sender.send(bytes, partial);
    const RxBurst burst = port.receive();
    if (!burst.frames.empty()) return bytes_of(burst.frames[0]);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return {};
}

void expect_partial_checksums_settled(Device& device, Sender& sender) {
  EXPECT_NE(device.description().find("checksums checked by the device: IPv4 no, UDP yes"), std::string::npos)
      << device.description();
  const SharedClock clock(TscClock::calibrated());
  DeviceRxPort port(device, clock, midnight_utc(clock.read().now_epoch_ns()));
  ASSERT_EQ(device.wait_for_link(kPatience), "");
  EXPECT_EQ(carried(sender, port, datagram(false), false), datagram(false)) << "with a checksum of its own";
  EXPECT_EQ(port.counters().get(DeviceCounter::rx_checksum_partial), 0u);
  FrameBytes settled = datagram(true);
  EXPECT_EQ(carried(sender, port, settled, false), settled) << "nobody has said that it is partial: it is wrong";
  EXPECT_EQ(port.counters().get(DeviceCounter::rx_checksum_partial), 0u);
  settled[40] = settled[41] = 0;
  EXPECT_EQ(carried(sender, port, datagram(true), true), settled) << "as a recording has it, too";
  EXPECT_EQ(port.counters().get(DeviceCounter::rx_checksum_partial), 1u);
}

TEST(Virtio, TellsAHostWhichChecksumsAGuestHasLeftToACard) {
  const std::string socket = folder().file("host.sock");
  const std::string ours = "net_vhost0,iface=" + socket;
  const std::string theirs = "net_virtio_user0,path=" + socket;
  ASSERT_EQ(eal_attach(ours), "");
  Device device({.device = ours});
  ASSERT_EQ(eal_attach(theirs), "");
  Sender sender(theirs);
  expect_partial_checksums_settled(device, sender);
}

TEST(Virtio, TellsAGuestWhichChecksumsItsHostHasLeftToACard) {
  const std::string socket = folder().file("guest.sock");
  const std::string ours = "net_virtio_user1,path=" + socket;
  const std::string theirs = "net_vhost1,iface=" + socket;
  ASSERT_EQ(eal_attach(theirs), "");
  Sender sender(theirs);
  ASSERT_EQ(eal_attach(ours), "");
  Device device({.device = ours});
  expect_partial_checksums_settled(device, sender);
}

}  // namespace
}  // namespace crosswire::virtio_test
