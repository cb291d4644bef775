// A real kernel device: net_af_packet on one end of a veth pair, a packet socket on the other, in a network namespace
// that this process makes for itself and that ends with it. Needs root; skips without, saying so.
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <thread>
#include <utility>

#include "netstack/port/capture.hpp"
#include "netstack/port/device.hpp"
#include "netstack/port/eal.hpp"
#include "port_testing.hpp"

namespace crosswire::veth_test {
namespace {

constexpr const char* kOurEnd = "cwport0";
constexpr const char* kPeerEnd = "cwport1";
constexpr std::uint16_t kTestEtherType = 0x88B6;
constexpr std::chrono::seconds kPatience{60};

/// "" or why there is no veth pair. IPv6 is switched off first: the kernel would send neighbour discovery at once.
std::string make_veth_pair() {
  if (geteuid() != 0) return "needs root";
  if (unshare(CLONE_NEWNET) != 0) return "no network namespaces here";
  put_contents("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
  const std::string ours = kOurEnd;
  const std::string peer = kPeerEnd;
  const std::string make = "ip link add " + ours + " type veth peer name " + peer + " >/dev/null 2>&1 && ip link set " +
                           ours + " up && ip link set " + peer + " up";
  return std::system(make.c_str()) == 0 ? "" : "no veth devices (or no ip command) here";
}

class Veth : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    reason_to_skip_ = make_veth_pair();
    if (!reason_to_skip_.empty()) return;
    EalOptions options;
    options.devices = {std::string("net_af_packet0,iface=") + kOurEnd};
    options.hugepages = HugepagePolicy::off;
    options.file_prefix = "crosswire_veth_test";
    ASSERT_EQ(eal_start(options), "");
    device_ = std::make_unique<Device>(DeviceOptions{.device = options.devices[0]});
  }
  static void TearDownTestSuite() {
    device_.reset();
    eal_stop();
  }

  void SetUp() override {
    if (!reason_to_skip_.empty()) GTEST_SKIP() << reason_to_skip_;
    ASSERT_NE(device_, nullptr);
    ASSERT_EQ(device_->wait_for_link(kPatience), "");
    peer_ = socket(AF_PACKET, SOCK_RAW, htons(kTestEtherType));
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(kTestEtherType);
    address.sll_ifindex = static_cast<int>(if_nametoindex(kPeerEnd));
    ASSERT_EQ(bind(peer_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    const timeval patience{kPatience.count(), 0};
    ASSERT_EQ(setsockopt(peer_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
  }
  void TearDown() override {
    if (peer_ >= 0) close(peer_);
  }

  static inline std::string reason_to_skip_;
  static inline std::unique_ptr<Device> device_;
  int peer_ = -1;
};

TEST_F(Veth, CarriesFramesIn) {
  const SharedClock clock(TscClock::calibrated());
  DeviceRxPort rx(*device_, clock, midnight_utc(clock.read().now_epoch_ns()));
  constexpr std::uint32_t kFrames = 100;
  std::uint32_t received = 0;
  TimeNs last_ns = 0;
  const auto until = std::chrono::steady_clock::now() + kPatience;
  for (std::uint32_t sent = 0; received < kFrames && std::chrono::steady_clock::now() < until;) {
    if (sent < kFrames) {
      const FrameBytes frame = numbered_frame(sent, 60 + sent * 14);
      ASSERT_EQ(::send(peer_, frame.data(), frame.size(), 0), static_cast<ssize_t>(frame.size()));
      ++sent;
    }
    const RxBurst burst = rx.receive();
    for (const RxFrame& frame : burst.frames) {
      EXPECT_EQ(bytes_of(frame), numbered_frame(received, 60 + received * 14));
      ++received;
    }
    if (burst.frames.empty()) {
      std::this_thread::yield();
    } else {
      EXPECT_GT(burst.time_ns, std::exchange(last_ns, burst.time_ns));
    }
  }
  EXPECT_EQ(received, kFrames);
  EXPECT_EQ(device_->counters().get(DeviceCounter::rx_frames), kFrames);
}

TEST_F(Veth, GivesBackTheTagOfAFrameThatHadOne) {
  const SharedClock clock(TscClock::calibrated());
  DeviceRxPort rx(*device_, clock, midnight_utc(clock.read().now_epoch_ns()));
  FrameBytes frame = numbered_frame(1, kMaxFrame - 4);
  const FrameBytes tag = {0x81, 0x00, 0x00, 0x65};
  frame.insert(frame.begin() + 12, tag.begin(), tag.end());
  ASSERT_EQ(::send(peer_, frame.data(), frame.size(), 0), static_cast<ssize_t>(frame.size()));
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < until) {
    const RxBurst burst = rx.receive();
    if (burst.frames.empty()) continue;
    EXPECT_EQ(bytes_of(burst.frames[0]), frame);
    return;
  }
  FAIL() << "the tagged frame of " << frame.size() << " bytes has not come";
}

TEST_F(Veth, CountsWhatTheKernelHadNoRoomForWhileNobodyPolled) {
  const SharedClock clock(TscClock::calibrated());
  DeviceRxPort rx(*device_, clock, midnight_utc(clock.read().now_epoch_ns()));
  while (!rx.receive().frames.empty()) {
  }
  const std::uint64_t missed = device_->counters().get(DeviceCounter::rx_missed);
  constexpr std::uint32_t kFrames = 5'000;  // far more than its ring holds
  const FrameBytes frame = numbered_frame(7);
  for (std::uint32_t sent = 0; sent < kFrames; ++sent) {
    ASSERT_EQ(::send(peer_, frame.data(), frame.size(), 0), static_cast<ssize_t>(frame.size()));
  }
  std::uint64_t received = 0;
  const auto until = std::chrono::steady_clock::now() + kPatience;
  std::uint64_t lost = 0;
  while (received + lost < kFrames && std::chrono::steady_clock::now() < until) {
    received += rx.receive().frames.size();
    lost = device_->counters().get(DeviceCounter::rx_missed) - missed;
  }
  EXPECT_EQ(received + lost, kFrames);
  EXPECT_EQ(received, 512u) << "what the ring really holds";
  EXPECT_NE(device_->description().find(" 512 receive and 512 transmit "), std::string::npos) << device_->description();
  EXPECT_TRUE(device_->counts_missed());
}

/// A datagram of the kernel's own to us, from a socket on the peer's end with all offloads as they are by default.
TEST_F(Veth, TakesADatagramWhoseChecksumTheKernelLeftToACard) {
  ASSERT_EQ(
      std::system("ip addr add 10.98.0.2/24 dev cwport1 && ip neigh replace 10.98.0.1 lladdr 02:00:00:00:00:01 dev "
                  "cwport1 nud permanent"),
      0);
  const SharedClock clock(TscClock::calibrated());
  DeviceRxPort rx(*device_, clock, midnight_utc(clock.read().now_epoch_ns()));
  const int client = socket(AF_INET, SOCK_DGRAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(26'400);
  to.sin_addr.s_addr = htonl(0x0A620001);
  ASSERT_EQ(sendto(client, "hello", 5, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to), 5);
  close(client);
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < until) {
    const RxBurst burst = rx.receive();
    if (burst.frames.empty()) continue;
    ASSERT_GE(burst.frames[0].length, 14u + 20 + 8 + 5);
    EXPECT_EQ(burst.frames[0].data[40] | burst.frames[0].data[41], 0) << "no checksum, rather than half of one";
    EXPECT_EQ(rx.counters().get(DeviceCounter::rx_checksum_partial), 1u);
    return;
  }
  FAIL() << "the datagram has not come";
}

TEST_F(Veth, CarriesFramesOut) {
  DeviceTxPort tx(*device_);
  constexpr std::uint32_t kFrames = 100;
  for (std::uint32_t sent = 0; sent < kFrames; ++sent) {
    ASSERT_TRUE(send(tx, numbered_frame(sent, 60 + sent * 14)));
    if (sent % 7 == 0) tx.flush();
  }
  tx.flush();
  FrameBytes buffer(2'000);
  for (std::uint32_t i = 0; i < kFrames; ++i) {
    ssize_t length = -1;
    do {
      length = recv(peer_, buffer.data(), buffer.size(), 0);
    } while (length < 0 && errno == EINTR);
    ASSERT_EQ(length, 60 + i * 14);
    EXPECT_EQ(FrameBytes(buffer.begin(), buffer.begin() + length), numbered_frame(i, 60 + i * 14));
  }
}

TEST_F(Veth, HasTheAddressOfItsInterface) {
  ifreq request{};
  std::strcpy(request.ifr_name, kOurEnd);
  ASSERT_EQ(ioctl(peer_, SIOCGIFHWADDR, &request), 0);
  Device::Mac kernels{};
  std::memcpy(kernels.data(), request.ifr_hwaddr.sa_data, kernels.size());
  EXPECT_EQ(device_->mac(), kernels);
}

TEST_F(Veth, IsTheSameInterfaceUnderAnotherNameAndLostWhenItIsDeleted) {
  const std::string device = std::string("net_af_packet0,iface=") + kOurEnd;
  InterfaceLink link(device, driver_sockets(device, {}));
  EXPECT_EQ(link.fault(), "");
  ASSERT_EQ(std::system("ip link set cwport0 down && ip link set cwport0 name cwport9"), 0);
  EXPECT_FALSE(link.lost());
  EXPECT_EQ(link.fault(), "interface cwport0 is down");
  ASSERT_EQ(std::system("ip link set cwport9 name cwport0 && ip link set cwport0 up"), 0);
  EXPECT_EQ(link.fault(), "");
  ASSERT_EQ(std::system("ip link del cwport0"), 0);
  EXPECT_TRUE(link.lost());
  EXPECT_EQ(link.fault(), "interface cwport0 is gone");
  ASSERT_EQ(std::system("ip link add cwport0 type veth peer name cwport1"), 0);
  EXPECT_EQ(link.fault(), "interface cwport0 was made anew");
}

}  // namespace
}  // namespace crosswire::veth_test
