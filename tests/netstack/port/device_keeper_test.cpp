// A device that dies under its ports and is brought back: net_null, whose driver raises the event that a card would,
// and a reset that answers as the test wants (it takes DPDK's place, of which no virtual device has one).
#include "netstack/port/device_keeper.hpp"

#include <rte_ethdev.h>
#include <rte_mempool.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <thread>

#include "netstack/port/capture.hpp"
#include "netstack/port/eal.hpp"
#include "port_testing.hpp"

// Of ethdev_driver.h, which is for drivers alone and not installed.
extern "C" rte_eth_dev* rte_eth_dev_allocated(const char* name);
extern "C" int rte_eth_dev_callback_process(rte_eth_dev* device, rte_eth_event_type event, void* answer);

namespace {
int g_reset_answer = 0;
int g_resets = 0;
}  // namespace

extern "C" int rte_eth_dev_reset(std::uint16_t port_id) {
  ++g_resets;
  if (g_reset_answer == 0) rte_eth_dev_stop(port_id);
  return g_reset_answer;
}

namespace crosswire::device_keeper_test {
namespace {

constexpr const char* kName = "net_null0";
constexpr const char* kDevice = "net_null0,no-rx=1";  // takes all that is sent
constexpr std::uint64_t kLookNs = 100'000'000;

class StartedEal : public testing::Environment {
 public:
  void SetUp() override {
    EalOptions options;
    options.devices = {kDevice};
    options.hugepages = HugepagePolicy::off;
    options.file_prefix = "crosswire_keeper_test";
    ASSERT_EQ(eal_start(options), "");
    clock_.write(TscClock::calibrated());
  }
  void TearDown() override { eal_stop(); }
  static const SharedClock& clock() { return clock_; }

 private:
  static inline SharedClock clock_{TscClock{}};
};

const auto* const kEal = testing::AddGlobalTestEnvironment(new StartedEal);

/// One device for all tests: EAL probes it once, and who is closed for good is gone.
class Keeper : public testing::Test {
 protected:
  static void SetUpTestSuite() { device_ = std::make_unique<Device>(DeviceOptions{.device = kDevice}); }
  static void TearDownTestSuite() { device_.reset(); }

  Keeper()
      : keeper_(*device_),
        rx_(*device_, StartedEal::clock(), midnight_utc(StartedEal::clock().read().now_epoch_ns())),
        transmit_(*device_),
        publish_(*device_) {
    g_reset_answer = 0;
    g_resets = 0;
  }

  static void ask_for_reset() {
    rte_eth_dev_callback_process(rte_eth_dev_allocated(kName), RTE_ETH_EVENT_INTR_RESET, nullptr);
  }
  static std::uint64_t count(DeviceCounter counter) { return device_->counters().get(counter); }

  /// A look, 100 ms after the last.
  std::optional<DeviceKeeper::News> look() { return keeper_.look(now_ns_ += kLookNs); }
  /// As the stages do in a poll.
  void poll() {
    rx_.receive();
    if (transmit_.wants_flush()) transmit_.flush();
    if (publish_.wants_flush()) publish_.flush();
  }
  /// To where all ports are out of the device, and nothing else has happened yet.
  void ask_and_poll() {
    ask_for_reset();
    ASSERT_EQ(look(), std::nullopt);
    poll();
  }

  static inline std::unique_ptr<Device> device_;
  DeviceKeeper keeper_;
  DeviceRxPort rx_;
  DeviceTxPort transmit_;
  DeviceTxPort publish_;
  std::uint64_t now_ns_ = 1;  // of a clock that has just begun
};

TEST_F(Keeper, LeavesADeviceAloneThatIsWell) {
  for (int i = 0; i < 100; ++i) ASSERT_EQ(look(), std::nullopt);
  EXPECT_FALSE(transmit_.wants_flush());
}

TEST_F(Keeper, ResetsACardThatAsksForItWhenEveryPortIsOutOfIt) {
  const std::uint64_t reopened = count(DeviceCounter::device_reopened);
  ask_for_reset();
  EXPECT_EQ(look(), std::nullopt);
  rx_.receive();
  transmit_.flush();
  EXPECT_EQ(look(), std::nullopt) << "publish has not been there yet";
  EXPECT_EQ(g_resets, 0);
  EXPECT_TRUE(publish_.wants_flush()) << "which has nothing to send";
  publish_.flush();
  const auto news = look();
  ASSERT_TRUE(news);
  EXPECT_EQ(news->because, "the card asked for a reset");
  EXPECT_EQ(news->error, "");
  EXPECT_EQ(g_resets, 1);
  EXPECT_EQ(count(DeviceCounter::device_reopened), reopened + 1);
  poll();
  EXPECT_EQ(look(), std::nullopt) << "once asked, once done";
  EXPECT_TRUE(device_->link_up());
}

TEST_F(Keeper, ClosesAndOpensWhatItsDriverCannotReset) {
  g_reset_answer = -ENOTSUP;
  ask_and_poll();
  const auto news = look();
  ASSERT_TRUE(news);
  EXPECT_EQ(news->error, "");
  ASSERT_TRUE(send(transmit_, numbered_frame(1)));
  EXPECT_EQ(transmit_.flush(), 1u);
  EXPECT_TRUE(device_->link_up());
}

TEST_F(Keeper, TriesEachSecondAndSaysOnceWhyItCannotYet) {
  g_reset_answer = -EAGAIN;
  ask_and_poll();
  const auto news = look();
  ASSERT_TRUE(news);
  EXPECT_EQ(news->error.find("device \"net_null0\" cannot be reset: "), 0u) << news->error;
  for (int i = 0; i < 25; ++i) EXPECT_EQ(look(), std::nullopt);
  EXPECT_EQ(g_resets, 3);
  g_reset_answer = 0;
  std::optional<DeviceKeeper::News> back;
  for (int i = 0; i < 10 && !back; ++i) back = look();
  ASSERT_TRUE(back);
  EXPECT_EQ(back->error, "");
}

TEST_F(Keeper, KeepsWhatStagesHaveReservedAndCommittedAndSendsItAfterwards) {
  for (const int answer : {0, -ENOTSUP}) {
    g_reset_answer = answer;
    const std::uint64_t sent = count(DeviceCounter::tx_frames);
    ASSERT_TRUE(send(transmit_, numbered_frame(1)));
    ASSERT_TRUE(send(transmit_, numbered_frame(2)));
    std::uint8_t* const reserved = transmit_.reserve();
    ask_for_reset();
    ASSERT_EQ(look(), std::nullopt);
    EXPECT_EQ(transmit_.flush(), 0u);
    poll();
    ASSERT_TRUE(look());
    EXPECT_EQ(transmit_.reserve(), reserved);
    const FrameBytes third = numbered_frame(3);
    std::copy(third.begin(), third.end(), reserved);
    transmit_.commit(third.size(), {});
    EXPECT_EQ(transmit_.flush(), 3u);
    EXPECT_EQ(count(DeviceCounter::tx_frames), sent + 3) << "what was counted before stays, and is counted once";
    EXPECT_EQ(count(DeviceCounter::tx_no_device), 0u);
  }
}

TEST_F(Keeper, LetsTheMarketGoOnWhileTheDeviceIsAway) {
  g_reset_answer = -EAGAIN;
  ask_and_poll();
  ASSERT_TRUE(look());
  TimeNs last_ns = rx_.receive().time_ns;
  const TimeNs begun_ns = last_ns;
  while (last_ns < begun_ns + 1'000'000) {
    const RxBurst burst = rx_.receive();
    EXPECT_TRUE(burst.frames.empty());
    EXPECT_FALSE(burst.ended);
    ASSERT_GE(burst.time_ns, last_ns);
    last_ns = burst.time_ns;
  }
  for (std::uint32_t i = 0; i < 3 * kMaxBurst + 5; ++i) {
    ASSERT_TRUE(send(transmit_, numbered_frame(i))) << "a stage is never held up";
    transmit_.flush();
  }
  EXPECT_EQ(transmit_.counters().get(DeviceCounter::tx_no_device), 3 * kMaxBurst);
  g_reset_answer = 0;
  std::optional<DeviceKeeper::News> back;
  for (int i = 0; i < 20 && !back; ++i) back = look();
  ASSERT_TRUE(back);
  EXPECT_EQ(transmit_.flush(), 5u);
}

TEST_F(Keeper, LetsLinkFramesWaitUntilTheDeviceIsBack) {
  const std::uint64_t sent = count(DeviceCounter::tx_frames);
  const LinkFrame frame{0xFF};
  ask_and_poll();
  EXPECT_EQ(transmit_.leave(std::span(&frame, 1)), 1u);
  EXPECT_EQ(transmit_.leave(std::span(&frame, 1)), 0u) << "one waits";
  poll();
  EXPECT_EQ(transmit_.counters().get(DeviceCounter::arp_announcements), 0u);
  ASSERT_TRUE(look());
  EXPECT_TRUE(transmit_.wants_flush());
  EXPECT_EQ(transmit_.flush(), 0u) << "they are not the stage's";
  EXPECT_EQ(transmit_.counters().get(DeviceCounter::arp_announcements), 1u);
  EXPECT_EQ(count(DeviceCounter::tx_frames), sent + 1);
  EXPECT_FALSE(transmit_.wants_flush());
  EXPECT_EQ(transmit_.leave(std::span(&frame, 1)), 1u);
}

/// To be run under ThreadSanitizer, too: the ports poll, as fast as they can, while the device is replaced under them.
TEST_F(Keeper, ReplacesADeviceUnderPortsThatArePolled) {
  std::atomic<bool> done{false};
  std::uint64_t committed = 0;
  const std::uint64_t sent = count(DeviceCounter::tx_frames);
  std::thread stages([&] {
    EXPECT_EQ(eal_register_thread(), "");
    while (!done.load()) {
      committed += send(transmit_, numbered_frame(1)) ? 1 : 0;
      poll();
    }
  });
  int replaced = 0;
  for (; replaced < 20; ++replaced) {
    g_reset_answer = replaced % 2 == 0 ? 0 : -ENOTSUP;
    ask_for_reset();
    std::optional<DeviceKeeper::News> news;
    while (!(news = look())) std::this_thread::yield();
    EXPECT_EQ(news->error, "");
  }
  done.store(true);
  stages.join();
  while (transmit_.unsent()) transmit_.flush();
  EXPECT_EQ(count(DeviceCounter::tx_frames) - sent + transmit_.counters().get(DeviceCounter::tx_no_device), committed);
}

}  // namespace
}  // namespace crosswire::device_keeper_test
