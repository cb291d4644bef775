// Device ports over net_ring: two devices back to back in memory, on ordinary pages, for any user.
#include "netstack/port/device.hpp"

#include <rte_eth_ring.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include <memory>
#include <stdexcept>
#include <thread>

#include "netstack/port/capture.hpp"
#include "netstack/port/eal.hpp"
#include "port_testing.hpp"

namespace crosswire::device_test {
namespace {

class StartedEal : public testing::Environment {
 public:
  void SetUp() override {
    EalOptions options;
    options.hugepages = HugepagePolicy::off;
    options.file_prefix = "crosswire_device_test";
    ASSERT_EQ(eal_start(options), "");
    clock_.write(TscClock::calibrated());
  }
  void TearDown() override { eal_stop(); }
  static const SharedClock& clock() { return clock_; }

 private:
  static inline SharedClock clock_{TscClock{}};
};

const auto* const kEal = testing::AddGlobalTestEnvironment(new StartedEal);

/// The wires of two devices: what one sends the other receives. `kWire - 1` frames fit on one.
constexpr unsigned kWire = 64;

struct Wires {
  Wires() : name("pair" + std::to_string(++count)) {
    a_to_b = rte_ring_create((name + "ab").c_str(), kWire, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
    b_to_a = rte_ring_create((name + "ba").c_str(), kWire, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
    a = connect("a", b_to_a, a_to_b);
    b = connect("b", a_to_b, b_to_a);
  }
  ~Wires() {
    for (rte_ring* ring : {a_to_b, b_to_a}) rte_ring_free(ring);
  }
  Wires(const Wires&) = delete;
  Wires& operator=(const Wires&) = delete;

  std::string connect(const char* side, rte_ring* in, rte_ring* out) const {
    rte_ring* ins[] = {in};
    rte_ring* outs[] = {out};
    EXPECT_GE(rte_eth_from_rings((name + side).c_str(), ins, 1, outs, 1, 0), 0);
    return "net_ring_" + name + side;
  }

  static inline int count = 0;
  std::string name;
  rte_ring* a_to_b;
  rte_ring* b_to_a;
  std::string a, b;  // devices
};

struct PortPair {
  explicit PortPair(std::uint32_t tx_mbufs = 0)
      : device_a({.device = wires.a, .tx_mbufs = tx_mbufs}),
        device_b({.device = wires.b}),
        midnight(midnight_utc(StartedEal::clock().read().now_epoch_ns())),
        rx_a(device_a, StartedEal::clock(), midnight),
        rx_b(device_b, StartedEal::clock(), midnight),
        tx_a(device_a),
        tx_b(device_b) {}

  Wires wires;
  Device device_a, device_b;
  std::int64_t midnight;
  DeviceRxPort rx_a, rx_b;
  DeviceTxPort tx_a, tx_b;
};

std::vector<std::uint32_t> numbers_of(const RxBurst& burst) {
  std::vector<std::uint32_t> numbers;
  for (const RxFrame& frame : burst.frames) numbers.push_back(number_of(frame.data));
  return numbers;
}

TEST(DevicePorts, CarryFramesBothWays) {
  PortPair pair;
  for (std::uint32_t i = 0; i < 5; ++i) ASSERT_TRUE(send(pair.tx_a, numbered_frame(i, 60 + i)));
  ASSERT_TRUE(send(pair.tx_b, numbered_frame(9, kMaxFrame)));
  EXPECT_EQ(pair.tx_a.flush(), 5u);
  EXPECT_EQ(pair.tx_b.flush(), 1u);
  const RxBurst at_b = pair.rx_b.receive();
  ASSERT_EQ(at_b.frames.size(), 5u);
  for (std::uint32_t i = 0; i < 5; ++i) EXPECT_EQ(bytes_of(at_b.frames[i]), numbered_frame(i, 60 + i));
  const RxBurst at_a = pair.rx_a.receive();
  ASSERT_EQ(at_a.frames.size(), 1u);
  EXPECT_EQ(bytes_of(at_a.frames[0]), numbered_frame(9, kMaxFrame));
  EXPECT_EQ(pair.device_a.counters().get(DeviceCounter::tx_frames), 5u);
  EXPECT_EQ(pair.device_a.counters().get(DeviceCounter::rx_frames), 1u);
  EXPECT_EQ(pair.device_b.counters().get(DeviceCounter::rx_frames), 5u);
}

TEST(DevicePorts, StampBurstsWithTimesThatRiseStrictly) {
  PortPair pair;
  TimeNs last_ns = pair.rx_b.start_time_ns();
  TimeNs last_frames_ns = last_ns;
  for (std::uint32_t i = 0; i < 1'000; ++i) {
    if (i % 3 != 0) {
      ASSERT_TRUE(send(pair.tx_a, numbered_frame(i)));
      ASSERT_EQ(pair.tx_a.flush(), 1u);
    }
    const RxBurst burst = pair.rx_b.receive();
    EXPECT_GE(burst.time_ns, last_ns);
    last_ns = burst.time_ns;
    if (i % 3 == 0) continue;
    ASSERT_EQ(burst.frames.size(), 1u);
    EXPECT_GT(burst.time_ns, last_frames_ns);
    last_frames_ns = burst.time_ns;
  }
  const std::int64_t off_ns =
      StartedEal::clock().read().now_epoch_ns() - pair.midnight - static_cast<std::int64_t>(last_ns);
  EXPECT_GE(off_ns, 0);
  EXPECT_LT(off_ns, 60'000'000'000) << "the last burst was just now";
}

TEST(DevicePorts, FollowTheClockOfTheProcessAndNeverTellATimeThatFalls) {
  PortPair pair;
  const TscClock clock = StartedEal::clock().read();
  SharedClock shared(clock);
  DeviceRxPort rx(pair.device_b, shared, pair.midnight);
  const auto told_ns = [&] {
    TimeNs last_ns = 0;
    for (int i = 0; i < 64; ++i) last_ns = rx.receive().time_ns;  // empty polls: not each tells a new time
    return last_ns;
  };
  const auto at = [&](std::int64_t seconds) {
    const std::uint64_t now = TscClock::read();
    return TscClock::at(now, clock.epoch_ns(now) + seconds * 1'000'000'000, 1 / clock.ticks_per_ns());
  };
  const TimeNs first_ns = told_ns();
  shared.write(at(60));
  const TimeNs ahead_ns = told_ns();
  EXPECT_GE(ahead_ns, first_ns + 60 * kNsPerSecond);
  shared.write(at(-60));
  EXPECT_EQ(told_ns(), ahead_ns);
  ASSERT_TRUE(send(pair.tx_a, numbered_frame(1)));
  ASSERT_EQ(pair.tx_a.flush(), 1u);
  const RxBurst burst = rx.receive();
  ASSERT_EQ(burst.frames.size(), 1u);
  EXPECT_GE(burst.time_ns, ahead_ns);
}

TEST(DevicePorts, DropWhatTheWireBringsOfTheRecordersEtherType) {
  PortPair pair;
  std::vector<std::uint8_t> forged = numbered_frame(1, sizeof(wire::OperatorFrame));
  forged[12] = 0x88;
  forged[13] = 0xB5;
  ASSERT_TRUE(send(pair.tx_a, forged));
  ASSERT_TRUE(send(pair.tx_a, numbered_frame(2)));
  pair.tx_a.flush();
  const RxBurst burst = pair.rx_b.receive();
  EXPECT_EQ(numbers_of(burst), std::vector<std::uint32_t>{2});
  EXPECT_FALSE(burst.out_of_band);
  EXPECT_EQ(pair.rx_b.counters().get(DeviceCounter::rx_recorders_type), 1u);
  ASSERT_TRUE(send(pair.tx_a, forged));
  pair.tx_a.flush();
  EXPECT_TRUE(pair.rx_b.receive().frames.empty());
}

TEST(DevicePorts, HandOnWhatOperatorsAskInBurstsOfItsOwnWithATimeOfItsOwn) {
  PortPair pair;
  Arena arena(OperatorRings::bytes_for(), HugepagePolicy::off);
  OperatorRings rings(arena);
  pair.rx_b.take_operators(rings);
  ASSERT_TRUE(send(pair.tx_a, numbered_frame(1)));
  ASSERT_TRUE(send(pair.tx_a, numbered_frame(2)));
  pair.tx_a.flush();
  wire::OperatorFrame frame{};
  for (const std::uint64_t request : {5u, 6u}) {
    frame.request = request;
    ASSERT_TRUE(rings.requests.push(frame));
  }
  TimeNs last_ns = 0;
  for (const std::uint64_t request : {5u, 6u}) {
    const RxBurst burst = pair.rx_b.receive();
    EXPECT_TRUE(burst.out_of_band);
    ASSERT_EQ(burst.frames.size(), 1u);
    ASSERT_EQ(burst.frames[0].length, sizeof frame);
    EXPECT_EQ(wire::view_as<wire::OperatorFrame>({burst.frames[0].data, burst.frames[0].length})->request, request);
    EXPECT_GT(burst.time_ns, last_ns);
    last_ns = burst.time_ns;
  }
  const RxBurst wires = pair.rx_b.receive();
  EXPECT_EQ(numbers_of(wires), (std::vector<std::uint32_t>{1, 2}));
  EXPECT_FALSE(wires.out_of_band);
  EXPECT_GT(wires.time_ns, last_ns);
}

TEST(DevicePorts, KeepInOrderWhatAFullTransmitRingDoesNotTake) {
  PortPair pair;
  std::uint32_t sent = 0;
  while (send(pair.tx_a, numbered_frame(sent))) ++sent;
  EXPECT_EQ(sent, kWire - 1 + kMaxBurst) << "a full wire and a full batch";
  EXPECT_EQ(pair.tx_a.flush(), 0u);
  EXPECT_EQ(pair.tx_a.reserve(), nullptr);
  EXPECT_GE(pair.tx_a.counters().get(DeviceCounter::tx_ring_full), 3u)
      << "the last batch in part, and twice not at all";
  EXPECT_EQ(pair.tx_a.counters().get(DeviceCounter::tx_no_mbuf), 0u);

  std::uint32_t received = 0;
  for (int poll = 0; poll < 10; ++poll) {
    for (const std::uint32_t number : numbers_of(pair.rx_b.receive())) EXPECT_EQ(number, received++);
    pair.tx_a.flush();
  }
  EXPECT_EQ(received, sent) << "nothing is dropped";
  EXPECT_NE(pair.tx_a.reserve(), nullptr);
}

TEST(DevicePorts, SendInOrderThroughAWireThatIsAlwaysNearlyFull) {
  PortPair pair;
  std::uint32_t sent = 0;
  std::uint32_t received = 0;
  for (int round = 0; round < 2'000; ++round) {
    for (int i = 0; i < 1 + round % 40 && send(pair.tx_a, numbered_frame(sent)); ++i) ++sent;
    pair.tx_a.flush();
    if (round % 2 != 0) continue;
    for (const std::uint32_t number : numbers_of(pair.rx_b.receive())) ASSERT_EQ(number, received++);
  }
  while (received < sent) {
    pair.tx_a.flush();
    for (const std::uint32_t number : numbers_of(pair.rx_b.receive())) ASSERT_EQ(number, received++);
  }
  EXPECT_GT(sent, 10'000u);
}

TEST(DevicePorts, SayThatTheyHaveNoRoomWhenTheBuffersAreUsedUpAndRecover) {
  constexpr std::uint32_t kMbufs = 40;
  PortPair pair(kMbufs);
  std::uint32_t sent = 0;
  // The wire has room: it is the buffers that end, 32 at once, then one by one.
  for (; send(pair.tx_a, numbered_frame(sent)); ++sent) pair.tx_a.flush();
  EXPECT_EQ(sent, kMbufs);
  EXPECT_EQ(pair.tx_a.reserve(), nullptr);
  EXPECT_EQ(pair.tx_a.counters().get(DeviceCounter::tx_no_mbuf), 2u) << "the frame that found no room, and this one";
  EXPECT_EQ(pair.tx_a.counters().get(DeviceCounter::tx_ring_full), 0u);
  std::uint32_t received = 0;
  for (int round = 0; round < 200; ++round) {
    for (const std::uint32_t number : numbers_of(pair.rx_b.receive())) ASSERT_EQ(number, received++);
    for (int i = 0; i < 1 + round % 50 && send(pair.tx_a, numbered_frame(sent)); ++i) ++sent;
    pair.tx_a.flush();
  }
  for (int poll = 0; poll < 10; ++poll) {
    for (const std::uint32_t number : numbers_of(pair.rx_b.receive())) ASSERT_EQ(number, received++);
    pair.tx_a.flush();
  }
  EXPECT_EQ(received, sent);
  EXPECT_GT(sent, 1'000u);
}

TEST(DevicePorts, TakeFramesInWhileTheirTransmitBuffersAreUsedUp) {
  constexpr std::uint32_t kMbufs = 40;
  PortPair pair(kMbufs);
  for (std::uint32_t i = 0; send(pair.tx_a, numbered_frame(i)); ++i) pair.tx_a.flush();
  for (std::uint32_t i = 0; i < 500; ++i) {
    ASSERT_TRUE(send(pair.tx_b, numbered_frame(i)));
    ASSERT_EQ(pair.tx_b.flush(), 1u);
    EXPECT_EQ(numbers_of(pair.rx_a.receive()), (std::vector<std::uint32_t>{i}));
    EXPECT_EQ(pair.tx_a.reserve(), nullptr);
  }
  EXPECT_EQ(pair.tx_a.counters().get(DeviceCounter::tx_no_mbuf), 501u);
}

TEST(DevicePorts, LoseNothingOnAWireThatTakesNothingForASecond) {
  PortPair pair;
  std::uint32_t sent = 0;
  while (send(pair.tx_a, numbered_frame(sent))) ++sent;
  std::uint32_t in = 0;
  std::uint64_t polls = 0;
  const std::uint64_t begun = TscClock::read();
  for (; StartedEal::clock().read().span_ns(TscClock::read() - begun) < kNsPerSecond; ++polls) {
    ASSERT_EQ(pair.tx_a.flush(), 0u);
    ASSERT_EQ(pair.tx_a.reserve(), nullptr);
    ASSERT_TRUE(pair.tx_a.unsent());
    if (polls % 1'000 != 0) continue;
    // Meanwhile the way in is open.
    ASSERT_TRUE(send(pair.tx_b, numbered_frame(in)));
    ASSERT_EQ(pair.tx_b.flush(), 1u);
    ASSERT_EQ(numbers_of(pair.rx_a.receive()), (std::vector<std::uint32_t>{in}));
    ++in;
  }
  EXPECT_GE(pair.tx_a.counters().get(DeviceCounter::tx_ring_full), 2 * polls);
  EXPECT_EQ(pair.tx_a.counters().get(DeviceCounter::tx_no_mbuf), 0u);

  // The other side is back: all of it comes, in order, and what is sent from then on behind it.
  std::uint32_t received = 0;
  for (int poll = 0; poll < 100; ++poll) {
    if (poll < 50 && send(pair.tx_a, numbered_frame(sent))) ++sent;
    pair.tx_a.flush();
    for (const std::uint32_t number : numbers_of(pair.rx_b.receive())) ASSERT_EQ(number, received++);
  }
  EXPECT_EQ(received, sent);
  EXPECT_FALSE(pair.tx_a.unsent());
  EXPECT_GT(sent, kWire + kMaxBurst);
}

TEST(DevicePorts, LeaveAReservedBufferReservedOverAFlush) {
  PortPair pair;
  for (std::uint32_t committed = 0; committed < kMaxBurst; ++committed) {
    for (std::uint32_t i = 0; i < committed; ++i) ASSERT_TRUE(send(pair.tx_a, numbered_frame(i)));
    std::uint8_t* reserved = pair.tx_a.reserve();
    EXPECT_EQ(pair.tx_a.flush(), committed);
    EXPECT_EQ(pair.tx_a.reserve(), reserved);
    pair.rx_b.receive();
  }
  // And when only a part of the batch left.
  std::uint32_t filled = 0;
  for (; filled < kWire - 1 - 2; ++filled) {
    ASSERT_TRUE(send(pair.tx_a, numbered_frame(filled)));
    pair.tx_a.flush();
  }
  for (std::uint32_t i = 0; i < 5; ++i) ASSERT_TRUE(send(pair.tx_a, numbered_frame(filled + i)));
  std::uint8_t* reserved = pair.tx_a.reserve();
  EXPECT_EQ(pair.tx_a.flush(), 2u);
  EXPECT_EQ(pair.tx_a.reserve(), reserved);
}

TEST(DevicePorts, ShareAQueueAndTheBuffersBehindIt) {
  PortPair pair;
  DeviceTxPort publish(pair.device_a);
  ASSERT_TRUE(send(pair.tx_a, numbered_frame(1)));
  ASSERT_TRUE(send(publish, numbered_frame(3)));
  ASSERT_TRUE(send(pair.tx_a, numbered_frame(2)));
  pair.tx_a.flush();
  publish.flush();
  EXPECT_EQ(numbers_of(pair.rx_b.receive()), (std::vector<std::uint32_t>{1, 2, 3}));
}

TEST(DevicePorts, LingerBehindTheDaysEndUntilTheirTimeIsOver) {
  PortPair pair;
  const TimeNs linger_ns = 50'000'000;
  pair.rx_b.begin_day(midnight_utc(StartedEal::clock().read().now_epoch_ns()), linger_ns);
  pair.rx_b.request_day_end();
  EXPECT_FALSE(pair.rx_b.ending());
  const RxBurst end = pair.rx_b.receive();
  EXPECT_TRUE(end.day_ended && !end.ended && end.frames.empty());
  ASSERT_TRUE(send(pair.tx_a, numbered_frame(1)));
  pair.tx_a.flush();
  EXPECT_EQ(numbers_of(pair.rx_b.receive()), (std::vector<std::uint32_t>{1}));
  RxBurst burst = pair.rx_b.receive();
  for (; !burst.ended; burst = pair.rx_b.receive()) EXPECT_FALSE(burst.day_ended) << "it is said once";
  EXPECT_GE(burst.time_ns, end.time_ns + linger_ns);
  EXPECT_TRUE(pair.rx_b.ending());
}

TEST(DevicePorts, BeginAnotherDayAndCountWhatCameBefore) {
  PortPair pair;
  pair.rx_b.request_end();
  EXPECT_TRUE(pair.rx_b.receive().ended);
  ASSERT_TRUE(send(pair.tx_a, numbered_frame(1)));
  pair.tx_a.flush();
  pair.rx_b.drop_waiting();
  const std::int64_t midnight = midnight_utc(StartedEal::clock().read().now_epoch_ns());
  pair.rx_b.begin_day(midnight - std::int64_t{1'000'000'000}, 0);
  EXPECT_FALSE(pair.rx_b.ending());
  EXPECT_EQ(pair.rx_b.counters().get(DeviceCounter::rx_between_days), 1u);
  ASSERT_TRUE(send(pair.tx_a, numbered_frame(2)));
  pair.tx_a.flush();
  const RxBurst burst = pair.rx_b.receive();
  EXPECT_EQ(numbers_of(burst), (std::vector<std::uint32_t>{2}));
  EXPECT_GE(burst.time_ns, kNsPerSecond) << "times count from the new day's midnight";
  EXPECT_GE(burst.time_ns, pair.rx_b.start_time_ns());
}

TEST(DevicePorts, EndWhenAskedToWhateverIsStillOnTheWire) {
  PortPair pair;
  ASSERT_TRUE(send(pair.tx_a, numbered_frame(1)));
  pair.tx_a.flush();
  std::thread([&pair] { pair.rx_b.request_end(); }).join();
  const RxBurst end = pair.rx_b.receive();
  EXPECT_TRUE(end.ended);
  EXPECT_TRUE(end.frames.empty());
  EXPECT_GE(end.time_ns, pair.rx_b.start_time_ns());
  const RxBurst again = pair.rx_b.receive();
  EXPECT_TRUE(again.ended);
  EXPECT_EQ(again.time_ns, end.time_ns) << "time has ended";
}

/// Frames as only a driver makes them, put on the wire to B by hand.
class DriverFrames : public testing::Test {
 protected:
  DriverFrames()
      : pool_(rte_pktmbuf_pool_create("driver_frames", 255, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY)) {}
  ~DriverFrames() override {
    EXPECT_EQ(rte_mempool_in_use_count(pool_), 0u) << "buffers were lost";
    rte_mempool_free(pool_);
  }
  rte_mbuf* mbuf_of(const FrameBytes& bytes) {
    rte_mbuf* mbuf = rte_pktmbuf_alloc(pool_);
    std::copy(bytes.begin(), bytes.end(), rte_pktmbuf_append(mbuf, static_cast<std::uint16_t>(bytes.size())));
    return mbuf;
  }
  /// Another buffer with the same bytes; `direct` is given up to it.
  rte_mbuf* borrowing(rte_mbuf* direct) {
    rte_mbuf* indirect = rte_pktmbuf_alloc(pool_);
    rte_pktmbuf_attach(indirect, direct);
    rte_pktmbuf_free(direct);
    return indirect;
  }
  static void put_on_wire(PortPair& pair, rte_mbuf* mbuf) { ASSERT_EQ(rte_ring_enqueue(pair.wires.a_to_b, mbuf), 0); }

  rte_mempool* pool_;
};

TEST_F(DriverFrames, InSeveralPiecesAreHandedOnInOne) {
  PortPair pair;
  const FrameBytes whole = numbered_frame(7, 1'000);
  for (const std::ptrdiff_t cut : {1, 14, 500, 999}) {
    rte_mbuf* head = mbuf_of({whole.begin(), whole.begin() + cut});
    ASSERT_EQ(rte_pktmbuf_chain(head, mbuf_of({whole.begin() + cut, whole.end()})), 0);
    put_on_wire(pair, head);
  }
  const RxBurst burst = pair.rx_b.receive();
  ASSERT_EQ(burst.frames.size(), 4u);
  for (const RxFrame& frame : burst.frames) EXPECT_EQ(bytes_of(frame), whole);
  EXPECT_EQ(pair.rx_b.counters().get(DeviceCounter::rx_in_pieces), 4u);
  pair.rx_b.receive();
}

/// An indirect buffer: the bytes are `direct`'s, which lives until the last that borrows from it is gone.
TEST_F(DriverFrames, WithBorrowedBytesAreHandedOnAndBothBuffersGivenBack) {
  PortPair pair;
  const FrameBytes whole = numbered_frame(7, 300);
  put_on_wire(pair, borrowing(mbuf_of(whole)));
  const RxBurst burst = pair.rx_b.receive();
  ASSERT_EQ(burst.frames.size(), 1u);
  EXPECT_EQ(bytes_of(burst.frames[0]), whole);
  EXPECT_EQ(rte_mempool_in_use_count(pool_), 2u) << "both are held as long as the burst is";
  EXPECT_EQ(pair.rx_b.counters().get(DeviceCounter::rx_in_pieces), 0u) << "nothing was copied";
  pair.rx_b.receive();
  EXPECT_EQ(rte_mempool_in_use_count(pool_), 0u);
}

TEST_F(DriverFrames, InSeveralPiecesOfBorrowedBytesAreHandedOnInOne) {
  PortPair pair;
  const FrameBytes whole = numbered_frame(7, 900);
  rte_mbuf* head = borrowing(mbuf_of({whole.begin(), whole.begin() + 300}));
  ASSERT_EQ(rte_pktmbuf_chain(head, borrowing(mbuf_of({whole.begin() + 300, whole.begin() + 600}))), 0);
  ASSERT_EQ(rte_pktmbuf_chain(head, mbuf_of({whole.begin() + 600, whole.end()})), 0);
  put_on_wire(pair, head);
  const RxBurst burst = pair.rx_b.receive();
  ASSERT_EQ(burst.frames.size(), 1u);
  EXPECT_EQ(bytes_of(burst.frames[0]), whole);
  EXPECT_EQ(pair.rx_b.counters().get(DeviceCounter::rx_in_pieces), 1u);
  pair.rx_b.receive();
}

TEST_F(DriverFrames, WithBorrowedBytesAreDroppedAndCountedWhereATagIsToBePutBack) {
  PortPair pair;
  rte_mbuf* mbuf = borrowing(mbuf_of(numbered_frame(1)));
  mbuf->vlan_tci = 0x2065;
  mbuf->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
  put_on_wire(pair, mbuf);
  put_on_wire(pair, mbuf_of(numbered_frame(2)));
  EXPECT_EQ(numbers_of(pair.rx_b.receive()), (std::vector<std::uint32_t>{2})) << "the bytes may be another's, too";
  EXPECT_EQ(pair.rx_b.counters().get(DeviceCounter::rx_untaggable), 1u);
  pair.rx_b.receive();
}

/// net_ring refuses at the sending end what a NIC would count as rx_missed; what that loses is the same.
TEST_F(DriverFrames, BeyondAFullReceiveRingAreLostAloneAndThoseAfterThemCome) {
  PortPair pair;
  std::vector<std::uint32_t> accepted;
  std::uint64_t refused = 0;
  std::vector<std::uint32_t> received;
  for (std::uint32_t number = 0; number < 1'000; ++number) {
    rte_mbuf* mbuf = mbuf_of(numbered_frame(number));
    if (rte_ring_enqueue(pair.wires.a_to_b, mbuf) == 0) {
      accepted.push_back(number);
    } else {
      ++refused;
      rte_pktmbuf_free(mbuf);
    }
    if (number % 100 != 99) continue;  // polled too seldom
    for (const std::uint32_t got : numbers_of(pair.rx_b.receive())) received.push_back(got);
  }
  for (int poll = 0; poll < 3; ++poll) {
    for (const std::uint32_t got : numbers_of(pair.rx_b.receive())) received.push_back(got);
  }
  EXPECT_GT(refused, 500u);
  EXPECT_EQ(received, accepted);
  EXPECT_EQ(pair.device_b.counters().get(DeviceCounter::rx_frames), accepted.size());

  put_on_wire(pair, mbuf_of(numbered_frame(5'000)));
  EXPECT_EQ(numbers_of(pair.rx_b.receive()), (std::vector<std::uint32_t>{5'000}));
  pair.rx_b.receive();
}

TEST_F(DriverFrames, ThatAreTooLongAreDroppedAndCounted) {
  PortPair pair;
  put_on_wire(pair, mbuf_of(numbered_frame(1, kMaxFrame + 1)));
  put_on_wire(pair, mbuf_of(numbered_frame(2, kMaxFrame)));
  rte_mbuf* long_chain = mbuf_of(numbered_frame(3, 1'000));
  ASSERT_EQ(rte_pktmbuf_chain(long_chain, mbuf_of(numbered_frame(3, 1'000))), 0);
  put_on_wire(pair, long_chain);
  EXPECT_EQ(numbers_of(pair.rx_b.receive()), (std::vector<std::uint32_t>{2}));
  EXPECT_EQ(pair.rx_b.counters().get(DeviceCounter::rx_oversized), 2u);

  put_on_wire(pair, mbuf_of(numbered_frame(4, kMaxFrame + 1)));
  EXPECT_TRUE(pair.rx_b.receive().frames.empty()) << "a burst of nothing else is an empty one";
}

TEST_F(DriverFrames, GetBackTheTagThatTheDriverTookOut) {
  PortPair pair;
  rte_mbuf* mbuf = mbuf_of(numbered_frame(1));
  mbuf->vlan_tci = 0x2065;
  mbuf->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
  put_on_wire(pair, mbuf);
  const RxBurst burst = pair.rx_b.receive();
  ASSERT_EQ(burst.frames.size(), 1u);
  FrameBytes tagged = numbered_frame(1);
  const FrameBytes tag = {0x81, 0x00, 0x20, 0x65};
  tagged.insert(tagged.begin() + 12, tag.begin(), tag.end());
  EXPECT_EQ(bytes_of(burst.frames[0]), tagged);
  pair.rx_b.receive();
}

TEST_F(DriverFrames, AreHandedOnWithWhatTheDriverSaysOfTheirChecksums) {
  PortPair pair;
  for (const unsigned long long flags : {RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD,
                                         RTE_MBUF_F_RX_IP_CKSUM_BAD | RTE_MBUF_F_RX_L4_CKSUM_BAD,
                                         RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_NONE, 0ull}) {
    rte_mbuf* mbuf = mbuf_of(numbered_frame(1));
    mbuf->ol_flags |= flags;
    put_on_wire(pair, mbuf);
  }
  const RxBurst burst = pair.rx_b.receive();
  ASSERT_EQ(burst.frames.size(), 4u) << "whatever they are, the receive stage counts them";
  std::vector<std::pair<bool, bool>> said;
  for (const RxFrame& frame : burst.frames) said.emplace_back(frame.checked.ip, frame.checked.udp);
  EXPECT_EQ(said, (std::vector<std::pair<bool, bool>>{{true, true}, {false, false}, {true, false}, {false, false}}));
  EXPECT_EQ(pair.rx_b.counters().get(DeviceCounter::rx_checksum_partial), 0u);
  pair.rx_b.receive();
}

TEST(Devices, TellTheirAddressLinkAndDescription) {
  const Wires wires;
  const Device device({.device = wires.a});
  EXPECT_EQ(device.name(), wires.a);
  EXPECT_EQ(device.wait_for_link(std::chrono::milliseconds(100)), "");
  EXPECT_FALSE(device.faces_process());
  EXPECT_TRUE(device.link_up());
  EXPECT_NE(device.description().find("net_ring"), std::string::npos) << device.description();
  EXPECT_NE(device.description().find("rings of a size of its own"), std::string::npos) << device.description();
  EXPECT_FALSE(device.counts_missed()) << "nobody here knows what its other end could not put in";
  EXPECT_NE(device.description().find("checksums checked by the device: IPv4 no, UDP no"), std::string::npos)
      << device.description();
  EXPECT_EQ(device.mac().size(), 6u);
  EXPECT_EQ(device.mac()[0] & 1, 0) << "a group address belongs to nobody";
}

std::string reason_not_to_come_up(const DeviceOptions& options) {
  try {
    const Device device(options);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

std::size_t dpdk_bytes_in_use() {
  std::size_t sum = 0;
  for (int socket = 0; socket < RTE_MAX_NUMA_NODES; ++socket) {
    rte_malloc_socket_stats stats{};
    if (rte_malloc_get_socket_stats(socket, &stats) == 0) sum += stats.heap_allocsz_bytes;
  }
  return sum;
}

TEST(Devices, TakeNoMoreOfDpdksMemoryThanIsPlannedFor) {
  rte_ring* const wire = rte_ring_create("both", kWire, SOCKET_ID_ANY, 0);
  rte_ring* wires[] = {wire, wire};
  ASSERT_GE(rte_eth_from_rings("wide", wires, 1, wires, 2, 0), 0);
  const std::size_t before = dpdk_bytes_in_use();
  {
    const Device device({.device = "net_ring_wide", .tx_queues = 2});
    const std::size_t used = dpdk_bytes_in_use() - before;
    EXPECT_GT(used, std::size_t{4} << 20);
    EXPECT_LT(used, static_cast<std::size_t>(kDeviceMemoryMb) << 20);
  }
  rte_ring_free(wire);
}

TEST(Devices, ThatCannotComeUpSayWhyInOneLine) {
  const std::string missing = reason_not_to_come_up({.device = "net_nowhere0,iface=x"});
  EXPECT_EQ(missing.find("device \"net_nowhere0\" is not there"), 0u) << missing;
  const Wires wires;
  const std::string queues = reason_not_to_come_up({.device = wires.a, .tx_queues = 2});
  EXPECT_NE(queues.find("has 1 transmit queues and is to use 2"), std::string::npos) << queues;
  const std::string memory = reason_not_to_come_up({.device = wires.a, .tx_mbufs = 100'000'000});
  EXPECT_NE(memory.find("gets no buffers"), std::string::npos) << memory;
  for (const std::string& reason : {missing, queues, memory}) EXPECT_EQ(reason.find('\n'), std::string::npos) << reason;
  EXPECT_EQ(reason_not_to_come_up({.device = wires.b}), "") << "the failures left nothing behind";
}

TEST(Devices, RefuseAMidnightInTheFuture) {
  const Wires wires;
  Device device({.device = wires.a});
  const std::int64_t tomorrow =
      midnight_utc(StartedEal::clock().read().now_epoch_ns()) + static_cast<std::int64_t>(kNsPerDay);
  EXPECT_THROW(DeviceRxPort(device, StartedEal::clock(), tomorrow), std::runtime_error);
}

TEST(EalThreads, CanBeRegisteredOnceOrTwice) {
  std::string first = "not run";
  std::string second = "not run";
  std::thread([&] {
    first = eal_register_thread();
    second = eal_register_thread();
  }).join();
  EXPECT_EQ(first, "");
  EXPECT_EQ(second, "");
}

}  // namespace
}  // namespace crosswire::device_test
