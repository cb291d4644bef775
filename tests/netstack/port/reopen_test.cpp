// Devices over interfaces of the kernel that go and come back: two of net_af_packet and one of net_af_xdp, each on one
// end of a veth pair, in a network namespace that this process makes for itself. Needs root; skips without.
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <array>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <thread>

#include "netstack/port/capture.hpp"
#include "netstack/port/device.hpp"
#include "netstack/port/device_keeper.hpp"
#include "netstack/port/eal.hpp"
#include "port_testing.hpp"

/// libxdp does not take a socket off its umem when the socket's interface is gone, so the driver (DPDK 22.11) cannot
/// give that back: 240 bytes for each interface that a net_af_xdp loses. Nothing else may leak.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:xsk_umem__create\n"; }

namespace crosswire::reopen_test {
namespace {

constexpr std::uint16_t kTestEtherType = 0x88B6;
constexpr std::chrono::seconds kPatience{30};
constexpr std::uint64_t kLookNs = 100'000'000;
using Clock = std::chrono::steady_clock;

void shell(const std::string& command) { ASSERT_EQ(std::system(command.c_str()), 0) << command; }

/// The interface of a device, and the other end of its pair, which tests send to and hear.
class Wire {
 public:
  explicit Wire(std::string name) : ours_(std::move(name)), peer_(ours_ + "p") {}
  ~Wire() { forget(); }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  [[nodiscard]] const std::string& name() const { return ours_; }
  void make(const std::string& about_ours = "") {
    add(about_ours);
    set_up();
  }
  /// Its two halves.
  void add(const std::string& about_ours = "") {
    shell("ip link add " + ours_ + " " + about_ours + " type veth peer name " + peer_);
  }
  void set_up() {
    forget();
    shell("ip link set " + ours_ + " up && ip link set " + peer_ + " up");
    socket_ = socket(AF_PACKET, SOCK_RAW, htons(kTestEtherType));
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(kTestEtherType);
    address.sll_ifindex = static_cast<int>(if_nametoindex(peer_.c_str()));
    ASSERT_EQ(bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  void remove() { shell("ip link del " + ours_); }

  void put(std::uint32_t number) const {
    const FrameBytes frame = numbered_frame(number);
    ASSERT_EQ(::send(socket_, frame.data(), frame.size(), 0), static_cast<ssize_t>(frame.size()));
  }
  /// The number of the next frame of ours; -1 where there is none.
  [[nodiscard]] std::int64_t take() const {
    FrameBytes buffer(2'000);
    return recv(socket_, buffer.data(), buffer.size(), MSG_DONTWAIT) < 60 ? -1 : std::int64_t{number_of(buffer.data())};
  }

 private:
  void forget() {
    if (socket_ >= 0) close(socket_);
    socket_ = -1;
  }

  std::string ours_, peer_;
  int socket_ = -1;
};

/// Says until `condition()` or for long enough whether it is so.
template <class Condition>
bool comes(Condition condition) {
  const auto until = Clock::now() + kPatience;
  while (!condition()) {
    if (Clock::now() > until) return false;
    std::this_thread::yield();
  }
  return true;
}

/// A device with what a partition has around it; the test is its control thread and its stages.
struct Rig {
  Rig(const std::string& driver, Wire& its_wire, const SharedClock& clock)
      : wire(its_wire),
        device({.device = driver + ",iface=" + its_wire.name()}),
        rx(device, clock, midnight_utc(clock.read().now_epoch_ns())),
        tx(device),
        keeper(device) {}

  /// The next of what there is to say.
  std::optional<DeviceKeeper::News> news(unsigned looks = 50) {
    for (unsigned look = 0; look < looks; ++look) {
      if (auto said = keeper.look(now_ns += kLookNs)) return said;
      poll();
    }
    return std::nullopt;
  }
  std::size_t poll() {
    if (tx.wants_flush()) tx.flush();
    return rx.receive().frames.size();
  }
  [[nodiscard]] std::uint64_t missed() const { return device.counters().get(DeviceCounter::rx_missed); }

  /// A frame comes in and one goes out.
  void expect_both_ways(std::uint32_t number) {
    while (poll() > 0) {
    }
    while (wire.take() >= 0) {
    }
    ASSERT_TRUE(comes([&] { return device.link_fault().empty(); })) << device.link_fault();
    wire.put(number);
    EXPECT_TRUE(comes([&] {
      const RxBurst burst = rx.receive();
      return !burst.frames.empty() && number_of(burst.frames[0].data) == number;
    })) << device.name()
        << " gets nothing of its own wire";
    // The first one behind a fall of the link is told of that, and leaves with the next.
    EXPECT_TRUE(comes([&] {
      EXPECT_TRUE(send(tx, numbered_frame(number + 1)));
      tx.flush();
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      return wire.take() == std::int64_t{number} + 1;
    })) << device.name()
        << " sends nothing to its own wire";
  }

  /// While nobody polls more come than the ring holds. All but what it holds are counted.
  void expect_loss_to_be_counted(std::uint32_t ring) {
    const std::uint64_t before = missed();
    constexpr std::uint32_t kFrames = 5'000;
    for (std::uint32_t sent = 0; sent < kFrames; ++sent) {
      wire.put(sent);
      // A veth that serves XDP has a small ring of its own in front, and empties it in its own time.
      if (sent % 64 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    EXPECT_TRUE(comes([&] { return missed() == before + kFrames - ring; }))
        << device.name() << ": " << missed() - before << " of " << kFrames;
    std::uint64_t received = 0;
    EXPECT_TRUE(comes([&] { return (received += poll()) == ring; })) << received;
    EXPECT_EQ(missed(), before + kFrames - ring) << "what is told once is not told again";
  }

  Wire& wire;
  Device device;
  DeviceRxPort rx;
  DeviceTxPort tx;
  DeviceKeeper keeper;
  std::uint64_t now_ns = 1;
};

class Reopen : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    reason_to_skip_ = set_up();
    if (!reason_to_skip_.empty()) return;
    clock_.write(TscClock::calibrated());
    one_ = std::make_unique<Rig>("net_af_packet0", wires_[0], clock_);
    two_ = std::make_unique<Rig>("net_af_packet1", wires_[1], clock_);
    try {
      xdp_ = std::make_unique<Rig>("net_af_xdp0", wires_[2], clock_);
    } catch (const std::runtime_error& error) {
      no_xdp_ = error.what();
    }
  }
  static void TearDownTestSuite() {
    one_.reset();
    two_.reset();
    xdp_.reset();
    eal_stop();
  }
  void SetUp() override {
    if (!reason_to_skip_.empty()) GTEST_SKIP() << reason_to_skip_;
  }

  static inline std::array<Wire, 3> wires_{Wire("cwone"), Wire("cwtwo"), Wire("cwxdp")};
  static inline SharedClock clock_{TscClock{}};
  static inline std::unique_ptr<Rig> one_, two_, xdp_;
  static inline std::string no_xdp_;

 private:
  static std::string set_up() {
    if (geteuid() != 0) return "needs root";
    if (unshare(CLONE_NEWNET) != 0) return "no network namespaces here";
    put_contents("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
    if (std::system("ip link add cwtry0 type veth peer name cwtry1 >/dev/null 2>&1") != 0)
      return "no veth devices here";
    EalOptions options;
    options.devices = {"net_af_packet0,iface=cwone", "net_af_packet1,iface=cwtwo", "net_af_xdp0,iface=cwxdp"};
    options.hugepages = HugepagePolicy::off;
    options.file_prefix = "crosswire_reopen_test";
    for (Wire& wire : wires_) wire.make();
    return eal_start(options);
  }

  static inline std::string reason_to_skip_;
};

TEST_F(Reopen, CountsOnWhenItsInterfaceIsMadeAnew) {
  one_->expect_loss_to_be_counted(512);
  const DeviceCounters before = one_->device.counters();
  wires_[0].remove();
  EXPECT_EQ(one_->news(), std::nullopt) << "there is nothing to open yet";
  EXPECT_EQ(one_->device.counters().get(DeviceCounter::rx_missed), before.get(DeviceCounter::rx_missed));
  EXPECT_EQ(one_->device.counters().get(DeviceCounter::rx_frames), before.get(DeviceCounter::rx_frames));
  wires_[0].make();
  EXPECT_EQ(one_->news(), (DeviceKeeper::News{"interface cwone is gone", ""}));
  EXPECT_EQ(one_->missed(), before.get(DeviceCounter::rx_missed)) << "it falls never";
  EXPECT_TRUE(one_->device.counts_missed());
  one_->expect_loss_to_be_counted(512);
  one_->expect_both_ways(10);
}

TEST_F(Reopen, KnowsWhatItWasWhileItIsAway) {
  const Device::Mac mac = one_->device.mac();
  const std::string description = one_->device.description();
  wires_[0].remove();
  EXPECT_EQ(one_->news(), std::nullopt);
  EXPECT_EQ(one_->device.mac(), mac) << "a day may begin meanwhile";
  EXPECT_EQ(one_->device.description(), description);
  EXPECT_EQ(one_->device.link_fault(), "interface cwone is gone");
  EXPECT_FALSE(one_->device.link_up());
  wires_[0].make("address 02:00:00:00:00:77");
  ASSERT_TRUE(one_->news());
  EXPECT_EQ(one_->device.mac(), (Device::Mac{2, 0, 0, 0, 0, 0x77}));
  one_->expect_both_ways(20);
}

TEST_F(Reopen, IsNotOpenedWhileTheInterfacesMtuIsTooSmall) {
  wires_[0].remove();
  wires_[0].make("mtu 1400");
  const auto news = one_->news();
  ASSERT_TRUE(news);
  EXPECT_EQ(news->error, "device \"net_af_packet0\" has an MTU of 1400: Message too long; set it to 1500");
  EXPECT_EQ(one_->news(25), std::nullopt) << "said once";
  shell("ip link set cwone mtu 1500");
  EXPECT_EQ(one_->news(), (DeviceKeeper::News{news->because, ""}));
  one_->expect_both_ways(30);
}

TEST_F(Reopen, WorksOnAnInterfaceThatIsSetUpOnlyLater) {
  wires_[0].remove();
  wires_[0].add();
  ASSERT_TRUE(one_->news());
  EXPECT_EQ(one_->device.link_fault(), "interface cwone is down");
  ASSERT_TRUE(send(one_->tx, numbered_frame(1)));
  one_->poll();
  wires_[0].set_up();
  EXPECT_EQ(one_->news(), std::nullopt) << "it is the same one";
  one_->expect_both_ways(40);
}

TEST_F(Reopen, LeavesTheOthersAloneWhileOneIsAway) {
  wires_[0].remove();
  EXPECT_EQ(one_->news(), std::nullopt);
  two_->expect_both_ways(50);
  two_->expect_loss_to_be_counted(512);
  const std::uint64_t lost = one_->missed();
  wires_[0].make();
  ASSERT_TRUE(one_->news());
  EXPECT_EQ(one_->missed(), lost);
  EXPECT_EQ(two_->news(), std::nullopt);
  two_->expect_both_ways(60);
  one_->expect_both_ways(70);
}

/// DPDK gives the second one to come the number that the first one had.
TEST_F(Reopen, KeepsTwoApartThatComeBackInAnotherOrder) {
  wires_[0].remove();
  wires_[1].remove();
  EXPECT_EQ(one_->news(), std::nullopt);
  EXPECT_EQ(two_->news(), std::nullopt);
  wires_[1].make();
  ASSERT_TRUE(two_->news());
  wires_[0].make();
  ASSERT_TRUE(one_->news());
  one_->expect_both_ways(80);
  two_->expect_both_ways(90);
  one_->expect_loss_to_be_counted(512);
  two_->expect_loss_to_be_counted(512);
}

TEST_F(Reopen, CountsWhatAnXdpSocketsRingHadNoRoomFor) {
  if (xdp_ == nullptr) GTEST_SKIP() << no_xdp_;
  EXPECT_TRUE(xdp_->device.counts_missed());
  xdp_->expect_loss_to_be_counted(1'024);
  const std::uint64_t lost = xdp_->missed();
  wires_[2].remove();
  EXPECT_EQ(xdp_->news(), std::nullopt);
  EXPECT_EQ(xdp_->missed(), lost);
  wires_[2].make();
  EXPECT_EQ(xdp_->news(), (DeviceKeeper::News{"interface cwxdp is gone", ""}));
  EXPECT_EQ(xdp_->missed(), lost);
  xdp_->expect_loss_to_be_counted(1'024);
  xdp_->expect_both_ways(100);
}

TEST_F(Reopen, SeesAnInterfaceThatWasAwayForAMoment) {
  for (Rig* const rig : {one_.get(), xdp_.get()}) {
    if (rig == nullptr) continue;
    const std::string& name = rig->wire.name();
    const std::string pid = std::to_string(getpid());
    // There and back between two looks, with the number that it had.
    const std::string elsewhere = "unshare --net sh -c 'nsenter --net=/proc/" + pid + "/ns/net ip link set " + name +
                                  " netns $$ && ip link set " + name + " netns " + pid + "'";
    shell(elsewhere);
    rig->wire.set_up();
    EXPECT_EQ(rig->news(), (DeviceKeeper::News{"interface " + name + " was made anew", ""}));
    rig->expect_both_ways(110);
  }
}

}  // namespace
}  // namespace crosswire::reopen_test
