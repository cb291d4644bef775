// The clean hot path: while it polls, the polling thread makes no system call, takes no lock, allocates nothing and
// meets no page for the first time. What `crosswire run` polls with (poll_until_ended) runs between two net_ring
// devices' rings in memory, fed with a million frames by another thread. net_ring makes no such call of its own, so
// nothing is excepted. Not seen here: DPDK's spin locks, which are inline code; the rings and the pool caches on this
// way have none.
//
// CROSSWIRE_TEST_PAGES=huge: on hugepages. EAL starts once per process, so each kind of page is a process.
#include <gtest/gtest.h>
#include <pthread.h>
#include <rte_eth_ring.h>
#include <rte_mbuf.h>
#include <rte_pause.h>
#include <rte_ring.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cinttypes>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "app/flow/synthetic.hpp"
#include "app/partition/partition.hpp"
#include "app/run/poll.hpp"
#include "hot_path_watch.hpp"
#include "hugepages/memory/resident.hpp"
#include "netstack/port/capture.hpp"
#include "netstack/port/device.hpp"
#include "netstack/port/eal.hpp"
#include "tests/netstack/client_frames.hpp"
#include "tests/seed.hpp"

namespace crosswire::test {
namespace {

constexpr std::uint64_t kFlowMessages = 1'000'000;
constexpr std::uint64_t kExtraEvery = 20;  // one frame that no well-behaved client sends, after so many of the flow
// Without frames for so long is silence: longer than a busy machine keeps one of the threads off its core.
constexpr TimeNs kSilenceNs = 8 * kNsPerSecond;
// Pauses, so that the flow is in every phase of the day.
constexpr std::chrono::milliseconds kPause{100};
constexpr std::uint64_t kPauseEvery = 50'000;
// Once nobody takes what comes out, at least for so long and until the full ring was noticed so often.
constexpr std::chrono::milliseconds kStall{1'000};
constexpr std::uint64_t kStallNoticed = 1'000;
constexpr std::chrono::seconds kPatience{60};

bool on_hugepages() {
  const char* const pages = std::getenv("CROSSWIRE_TEST_PAGES");
  return pages != nullptr && std::string_view(pages) == "huge";
}

// ---- The wire -------------------------------------------------------------------------------------------------------

/// A device whose receive queue is one ring and whose transmit queue another, and the feeder's ends of both.
class Wire {
 public:
  Wire() {
    in_ = rte_ring_create("clean_in", kRing, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
    out_ = rte_ring_create("clean_out", kRing, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
    CHECK(in_ != nullptr && out_ != nullptr, "no rings");
    CHECK(rte_eth_from_rings("clean", &in_, 1, &out_, 1, 0) >= 0, "no net_ring device");
    pool_ = rte_pktmbuf_pool_create("clean_feeder", kMbufs, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    CHECK(pool_ != nullptr, "no buffers for the feeder");
  }
  ~Wire() {
    rte_mempool_free(pool_);
    rte_ring_free(in_);
    rte_ring_free(out_);
  }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  /// Of either direction: more than the ring holds, so that it is the ring that is full first.
  static constexpr unsigned kMbufs = 16'383;

  /// A frame on its way in; waits while the ring is full, and takes in what comes out meanwhile. `pieces`: segments.
  void put(const std::uint8_t* frame, std::size_t length, std::size_t pieces = 1) {
    rte_mbuf* head = nullptr;
    for (std::size_t piece = 0; piece < pieces; ++piece) {
      const std::size_t from = length * piece / pieces;
      const std::size_t bytes = length * (piece + 1) / pieces - from;
      rte_mbuf* mbuf = nullptr;
      wait_until([&] { return (mbuf = rte_pktmbuf_alloc(pool_)) != nullptr; });
      std::memcpy(rte_pktmbuf_append(mbuf, static_cast<std::uint16_t>(bytes)), frame + from, bytes);
      if (head == nullptr) {
        head = mbuf;
      } else {
        CHECK(rte_pktmbuf_chain(head, mbuf) == 0, "chain");
      }
    }
    wait_until([&] { return rte_ring_enqueue(in_, head) == 0; });
    ++sent_;
    if (sent_ % 16 == 0) take();
  }
  void put(const Payload& frame, std::size_t pieces = 1) { put(frame.data(), frame.size(), pieces); }

  /// What has come out is counted, looked at and thrown away.
  void take() {
    if (stalled_ && std::chrono::steady_clock::now() >= stalled_until_) stalled_ = !noticed_();
    if (stalled_) return;
    void* mbufs[64];
    const unsigned n = rte_ring_dequeue_burst(out_, mbufs, 64, nullptr);
    for (unsigned i = 0; i < n; ++i) {
      auto* const mbuf = static_cast<rte_mbuf*>(mbufs[i]);
      look_at(rte_pktmbuf_mtod(mbuf, const std::uint8_t*));
      rte_pktmbuf_free(mbuf);
    }
    received_ += n;
  }

  /// From now on take() takes nothing for a while and until that was `noticed`, so that the appliance can send nothing,
  /// and then take nothing in.
  void stall(std::chrono::milliseconds span, std::function<bool()> noticed) {
    stalled_ = true;
    stalled_until_ = std::chrono::steady_clock::now() + span;
    noticed_ = std::move(noticed);
  }

  /// Datagrams of the feed that were not the next one: a feed without a hole has none.
  std::uint64_t feed_holes() const { return feed_holes_; }

  void take_for(std::chrono::milliseconds span) {
    const auto until = std::chrono::steady_clock::now() + span;
    while (std::chrono::steady_clock::now() < until) take_and_pause();
  }

  /// Until `done`, or for kPatience.
  void take_until(const std::function<bool()>& done) {
    const auto limit = std::chrono::steady_clock::now() + kPatience;
    while (!done() && std::chrono::steady_clock::now() < limit) take_and_pause();
  }

  /// For a thread with nothing else to do: leaves the core to the polling thread, which may have no other.
  void take_and_pause() {
    take();
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }

  /// All that was put in has been taken.
  bool empty() const { return rte_ring_empty(in_) == 1; }

  std::uint64_t sent() const { return sent_; }
  std::uint64_t received() const { return received_; }

 private:
  // Deep enough for a while of work on either side: on a busy machine the two threads take turns.
  static constexpr unsigned kRing = 8'192;

  /// The multicast channel alone; answers to re-requests are to one station.
  void look_at(const std::uint8_t* frame) {
    constexpr std::size_t kMold = 14 + 20 + 8;
    constexpr std::uint16_t kEndOfSession = 0xFFFF;
    if (frame[0] != 0x01) return;
    const auto& header = *reinterpret_cast<const wire::mold::Header*>(frame + kMold);
    if (header.sequence != next_in_feed_) ++feed_holes_;
    const std::uint16_t count = header.count;
    next_in_feed_ = header.sequence + (count == kEndOfSession ? 0u : count);
  }

  void wait_until(const std::function<bool()>& done) {
    const auto limit = std::chrono::steady_clock::now() + kPatience;
    while (!done()) {
      take_and_pause();
      CHECK(std::chrono::steady_clock::now() < limit, "the appliance takes no frames");
    }
  }

  rte_ring* in_ = nullptr;
  rte_ring* out_ = nullptr;
  rte_mempool* pool_ = nullptr;
  std::uint64_t sent_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t next_in_feed_ = 1;
  std::uint64_t feed_holes_ = 0;
  bool stalled_ = false;
  std::chrono::steady_clock::time_point stalled_until_;
  std::function<bool()> noticed_;
};

// ---- The feeder -----------------------------------------------------------------------------------------------------

/// What comes between the flow's frames: all that a network and a careless client send.
class Extras {
 public:
  Extras(Wire& wire, const Config& config, std::uint64_t seed)
      : wire_(wire), net_(config.net), random_(seed), symbol_(config.engine.symbols.front().name) {
    // A client of the flow, for what only a known source is listened to.
    known_.mac = {0x02, 0x00, 0x01, 0x00, 0, 0};
    known_.address = 0x0A630101;
    known_.port = 30'000;
    log_in();
  }

  static constexpr std::string_view kUser = "EXTRA";
  static constexpr std::string_view kPassword = "more";

  void send(const RxFrame& flow_frame) {
    switch (next_++ % 24) {
      case 0:
        return wire_.put(arp_frame(known_));
      case 1:
        return wire_.put(echo_frame(known_, 64 + random_() % 400));
      case 2:  // re-requests of answers, from the first to beyond the last
        return wire_.put(udp_frame(known_, kOrderPort, mold_header(net_.order_session, 1 + random_() % 200'000, 20)));
      case 3:
        return wire_.put(
            udp_frame(stranger(), net_.feed_request_port, mold_header(net_.feed_session, 1 + random_() % 800'000, 30)));
      case 4:
        return wire_.put(udp_frame(known_, kOrderPort, soup_packet('R')));
      case 5:  // the same datagram again
        return wire_.put(flow_frame.data, flow_frame.length);
      case 6:  // cut short
        return wire_.put(flow_frame.data, 1 + random_() % flow_frame.length);
      case 7:
        return wire_.put(broken(flow_frame));
      case 8:
        return wire_.put(noise());
      case 9:
        return wire_.put(login_frame(stranger(), "U00001", "wrong"));
      case 10:
        return wire_.put(data_frame(stranger(), 1, {enter_message(1)}));
      case 11:
        return wire_.put(Payload(1'600, 0xAB));  // longer than any frame
      case 12:
        return wire_.put(flow_frame.data, flow_frame.length, 3);  // in pieces
      case 13:
        return say({query_message()});
      case 14:
        return say({enter_order(), enter_order()});
      case 15:
        return say({modify_message(ref_, 'B', 50), cancel_message(ref_, 10)});
      case 16:
        return say({replace_message(ref_, ref_ + 1)}), void(++ref_);
      case 17:
        return say({Payload{'C', 0, 0, 0}, Payload{'?'}, Payload{}});  // no OUCH
      case 18:
        return say({enter_message(1)});  // a number that was used
      case 19: {
        upstream_ += 5;  // a gap
        return say({cancel_message(ref_ - 1)});
      }
      case 20:
        return wire_.put(udp_frame(known_extra(), kOrderPort, soup_packet('O')));  // a logout ..
      case 21: {
        extra_port_ = static_cast<std::uint16_t>(50'000 + random_() % 100);
        return log_in();  // .. and a login, often from elsewhere
      }
      case 22:
        return wire_.put(login_frame(known_extra(), kUser, kPassword, "NOTTODAY"));
      default:
        return wire_.put(ethernet(known_, {0x01, 0x00, 0x5E, 0, 0, 1}, 0x0800, Payload(46)));
    }
  }

  /// Twice, as a client does whose answer was lost.
  void log_in() {
    for (int i = 0; i < 2; ++i) wire_.put(login_frame(known_extra(), kUser, kPassword));
  }

 private:
  Client known_extra() const {
    return {.mac = {2, 0, 0, 0, 9, 9}, .vlan = 0, .address = 0x0A63FE01, .port = extra_port_};
  }
  Client stranger() {
    return {.mac = {2, 0, 0, 0, 8, 8},
            .vlan = 0,
            .address = 0x0A63FD00 + static_cast<std::uint32_t>(random_() % 250) + 1,
            .port = static_cast<std::uint16_t>(1'024 + random_() % 60'000)};
  }
  Payload enter_order() {
    wire::ouch::EnterOrder fields = enter_fields(++ref_);
    fields.symbol = symbol_;
    fields.side = random_() % 2 == 0 ? 'B' : 'S';
    fields.price = std::uint64_t{(1 + random_() % 10'000) * 100};
    return with_options(bytes(fields), {});
  }
  void say(const std::vector<Payload>& messages) {
    wire_.put(udp_frame(known_extra(), kOrderPort, mold_packet(upstream_, messages, net_.order_session)));
    upstream_ += messages.size();
  }
  Payload broken(const RxFrame& frame) {
    Payload copy(frame.data, frame.data + frame.length);
    // One bit: no checksum overlooks it. Of three, two may make up for each other, and a number so far ahead that
    // nothing of its client is listened to any more would be taken for the client's.
    copy[random_() % copy.size()] ^= static_cast<std::uint8_t>(1u << random_() % 8);
    return copy;
  }
  Payload noise() {
    Payload frame(random_() % 200 + 1);
    for (std::uint8_t& byte : frame) byte = static_cast<std::uint8_t>(random_());
    return frame;
  }

 private:
  Wire& wire_;
  const NetConfig& net_;
  std::mt19937_64 random_;
  Client known_;
  wire::alpha<8> symbol_;
  std::uint64_t next_ = 0;
  std::uint64_t upstream_ = 1;
  std::uint32_t ref_ = 1;
  std::uint16_t extra_port_ = 50'000;
};

// ---- The appliance --------------------------------------------------------------------------------------------------

struct Flow {
  Flow() {
    std::string name = (std::filesystem::temp_directory_path() / "crosswire-clean-XXXXXX").string();
    CHECK(mkdtemp(name.data()) != nullptr, "no temporary folder");
    folder = name;
    SyntheticOptions options;
    options.seed = 20'260'101;
    options.messages = kFlowMessages;
    write_synthetic_flow(options, capture(), config());
  }
  ~Flow() {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }
  Flow(const Flow&) = delete;
  Flow& operator=(const Flow&) = delete;
  std::string capture() const { return folder / "flow.pcap"; }
  std::string config() const { return folder / "flow.toml"; }

  std::filesystem::path folder;
};

/// Calls and continuous trading in turns from the start on, so that crosses happen whenever the feeder is how far.
std::vector<PhaseChange> short_phases(TimeNs start_ns) {
  constexpr TimeNs kTurn = 250'000'000;
  constexpr int kTurns = 2'400;  // longer than the test may take
  std::vector<PhaseChange> phases;
  for (int turn = 0; turn < kTurns; ++turn) {
    constexpr std::array kPhases = {Phase::opening_call, Phase::continuous, Phase::continuous, Phase::closing_call};
    phases.push_back({start_ns + static_cast<TimeNs>(turn) * kTurn, kAllSymbols, kPhases[turn % kPhases.size()]});
  }
  return phases;
}

Config appliance_config(const Flow& flow, std::int64_t midnight, TimeNs start_ns) {
  Config config = load_config(flow.config(), ConfigUse::replay);
  config.hugepages = on_hugepages() ? HugepagePolicy::required : HugepagePolicy::off;
  config.net.mac = kReplayMac;
  // The flow's clients know the session by the name that it had in their day.
  const CaptureRxPort capture(flow.capture(), *config.midnight_epoch_ns);
  set_start(config, *config.midnight_epoch_ns, capture.start_time_ns());
  const std::string order_session = config.net.order_session;
  set_start(config, midnight, start_ns);
  config.net.order_session = order_session;
  config.net.schedule = short_phases(start_ns);
  config.net.accounts.push_back({std::string(Extras::kUser), std::string(Extras::kPassword), {'E', 'X', 'T', 'R'}, {}});
  config.engine.sessions = static_cast<std::uint32_t>(config.net.accounts.size());
  config.engine.firms.clear();  // whose account is whose is no matter here
  config.engine.cancel_on.clear();
  // Short enough for the quiet end to see both.
  config.net.heartbeat_ns = 200'000'000;
  config.net.silence_ns = kSilenceNs;
  return config;
}

/// One thread tells the other how far it is; the polling thread makes no call to wait.
class Steps {
 public:
  void reach(int step) { at_.store(step, std::memory_order_release); }
  bool reached(int step) const { return at_.load(std::memory_order_acquire) >= step; }
  void spin_until(int step) const {
    while (!reached(step)) rte_pause();
  }
  void sleep_until(int step) const {
    while (!reached(step)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }

 private:
  std::atomic<int> at_{0};
};

/// What the counters showed of deeds done on purpose.
struct Deliberate {
  Watch allocation;
  Watch new_delete;
  Watch lock;
  Watch system_call;
};

/// The polling thread. Steps of its own: 1 ready for the deeds, 2 deeds done, 3 about to poll, 4 has polled.
/// Of the controller's: 1 do them, 2 no deed now, 3 poll, 4 end.
struct PollingThread {
  Partition& partition;
  const DeviceRxPort& rx;
  const TscClock& clock;
  std::byte* fresh_page;

  Steps mine;
  Steps controllers;
  std::atomic<pid_t> id{0};
  std::string refused;
  std::string unregistered;
  bool locked = false;
  Deliberate deliberate;
  Watch watch;
  PollEnd end{};

  void run() {
    id = static_cast<pid_t>(syscall(SYS_gettid));
    unregistered = eal_register_thread();
    locked = make_resident();
    refused = trap_system_calls();
    mine.reach(1);
    if (!refused.empty() || !unregistered.empty()) return;
    controllers.spin_until(1);
    do_deeds();
    mine.reach(2);
    controllers.spin_until(2);
    mine.reach(3);
    controllers.spin_until(3);
    watch_this_thread(&watch);
    end = poll_until_ended(partition.loops().front(), rx, Idle::spin, clock);
    watch_this_thread(nullptr);
    mine.reach(4);
    controllers.spin_until(4);
  }

  void do_deeds() {
    watch_this_thread(&deliberate.allocation);
    void* volatile memory = std::malloc(100);
    std::free(memory);
    watch_this_thread(&deliberate.new_delete);
    delete new volatile int(1);
    watch_this_thread(&deliberate.lock);
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&mutex);
    watch_this_thread(&deliberate.system_call);
    getppid();
    watch_this_thread(nullptr);
    *const_cast<volatile std::byte*>(fresh_page) = std::byte{1};
  }
};

struct Session {
  explicit Session(const Flow& flow)
      : clock(TscClock::calibrated()),
        shared_clock(clock),
        midnight(midnight_utc(clock.now_epoch_ns())),
        device({.device = "net_ring_clean", .tx_mbufs = Wire::kMbufs}),
        rx(device, shared_clock, midnight),
        transmit(device),
        publish(device),
        config(appliance_config(flow, midnight, rx.start_time_ns())),
        partition(config, {rx, transmit, publish}, clock) {}

  TscClock clock;
  SharedClock shared_clock;
  Wire wire;
  std::int64_t midnight;
  Device device;
  DeviceRxPort rx;
  DeviceTxPort transmit;
  DeviceTxPort publish;
  Config config;
  Partition partition;
};

/// How often a stage found no room in its port, or the port none in the ring: the lesser number.
std::uint64_t times_full(const Session& session) {
  const Partition& partition = session.partition;
  return std::min<std::uint64_t>(session.transmit.counters().get(DeviceCounter::tx_ring_full) +
                                     session.publish.counters().get(DeviceCounter::tx_ring_full),
                                 partition.transmit().counters().get(TransmitCounter::port_full) +
                                     partition.publish().counters().get(PublishCounter::port_full));
}

void feed(Session& session, const Flow& flow, std::uint64_t seed) {
  CaptureRxPort capture(flow.capture(), *load_config(flow.config(), ConfigUse::replay).midnight_epoch_ns);
  Extras extras(session.wire, session.config, seed);
  std::uint64_t sent = 0;
  for (RxBurst burst = capture.receive(); !burst.ended; burst = capture.receive()) {
    for (const RxFrame& frame : burst.frames) {
      session.wire.put(frame.data, frame.length);
      if (++sent % kExtraEvery == 0) extras.send(frame);
      if (sent % kPauseEvery == 0) session.wire.take_for(kPause);
      if (sent == kFlowMessages / 2 + kPauseEvery / 2) {
        session.wire.stall(kStall, [&session] { return times_full(session) > kStallNoticed; });
      }
    }
  }
  // Without frames: heartbeats, silences, ticks, idle rounds.
  session.wire.take_until(
      [&session] { return session.partition.receive().counters().get(ReceiveCounter::silences) > 0; });
  extras.log_in();  // somebody is there at the end of the day
}

std::uint64_t drops(const ReceiveCounters& counters) {
  std::uint64_t sum = 0;
  for (const auto& row : kReceiveCounters) sum += row.kind == CounterKind::drop ? counters.get(row.counter) : 0;
  return sum;
}

void print_table(const Session& session, const Watch& watch, std::uint64_t faults, const PollEnd& end) {
  const Partition& partition = session.partition;
  const auto row = [](const char* name, std::uint64_t value) { std::printf("  %-14s %12" PRIu64 "\n", name, value); };
  std::printf("the polling thread between start and end, %s pages, %.1f s:\n",
              partition.memory().huge ? "huge" : "ordinary", static_cast<double>(end.wall_ns) / 1e9);
  row("frames", partition.receive().counters().get(ReceiveCounter::frames));
  row("- dropped", drops(partition.receive().counters()));
  for (const auto& counter : kReceiveCounters) {
    if (const std::uint64_t n = partition.receive().counters().get(counter.counter);
        counter.kind == CounterKind::drop && n > 0) {
      row(("  - " + std::string(counter.label)).c_str(), n);
    }
  }
  row("orders", partition.engine().counters().get(EngineCounter::orders));
  row("executions", partition.engine().counters().get(EngineCounter::executions));
  row("commands", partition.receive().counters().get(ReceiveCounter::commands));
  row("answers", partition.transmit().counters().get(TransmitCounter::answers));
  row("feed messages", partition.publish().counters().get(PublishCounter::messages));
  row("rounds", partition.chain().times(Stage::receive).polls.get());
  row("allocations", watch.count(Watched::allocation));
  row("locks", watch.count(Watched::lock));
  row("system calls", watch.count(Watched::system_call));
  row("page faults", faults);
}

std::uint64_t frames_in(const Session& session) {
  return session.partition.receive().counters().get(ReceiveCounter::frames) +
         session.rx.counters().get(DeviceCounter::rx_oversized);
}
std::uint64_t frames_out(const Session& session) {
  return session.partition.transmit().counters().get(TransmitCounter::frames) +
         session.partition.publish().counters().get(PublishCounter::frames);
}

/// The flow was what it was to be: without that, zeros prove little.
void expect_real_flow(const Session& session) {
  const ReceiveCounters& receive = session.partition.receive().counters();
  EXPECT_GE(receive.get(ReceiveCounter::frames), kFlowMessages);
  using enum ReceiveCounter;
  for (const ReceiveCounter counter :
       {enters,         replaces,          cancels,         modifies,      account_queries, rejects,
        logins,         logins_repeated,   logins_refused,  logouts,       silences,        heartbeats,
        order_requests, order_gaps,        order_repeats,   feed_requests, arp_requests,    icmp_echoes,
        ouch_short,     ouch_type_unknown, ether_multicast, ip_checksum,   udp_checksum,    order_source_unknown}) {
    EXPECT_GT(receive.get(counter), 0u) << kReceiveCounters[static_cast<std::size_t>(counter)].label;
  }
  const TransmitCounters& transmit = session.partition.transmit().counters();
  for (const TransmitCounter counter : {TransmitCounter::answers, TransmitCounter::heartbeats, TransmitCounter::resends,
                                        TransmitCounter::resent_messages, TransmitCounter::sessions_ended}) {
    EXPECT_GT(transmit.get(counter), 0u) << kTransmitCounters[static_cast<std::size_t>(counter)].label;
  }
  const PublishCounters& publish = session.partition.publish().counters();
  EXPECT_GT(publish.get(PublishCounter::messages), kFlowMessages / 2);
  EXPECT_GT(publish.get(PublishCounter::resent_messages), 0u);
  EXPECT_GT(publish.get(PublishCounter::heartbeats), 0u);
  EXPECT_GT(session.partition.engine().counters().get(EngineCounter::orders), kFlowMessages / 10 * 9);
  EXPECT_GT(session.partition.engine().counters().get(EngineCounter::executions), kFlowMessages / 100);
  EXPECT_GT(session.partition.engine().counters().get(EngineCounter::crosses), 0u);
  EXPECT_GT(session.rx.counters().get(DeviceCounter::rx_oversized), 0u);
  EXPECT_GT(session.rx.counters().get(DeviceCounter::rx_in_pieces), 0u);
  EXPECT_GT(times_full(session), kStallNoticed);
}

void expect_that_counters_can_count(const Deliberate& deeds, std::uint64_t faults) {
  EXPECT_EQ(deeds.allocation.count(Watched::allocation), 2u) << "malloc and free";
  EXPECT_EQ(deeds.new_delete.count(Watched::allocation), 2u) << "new and delete";
  EXPECT_EQ(deeds.lock.count(Watched::lock), 1u);
  EXPECT_EQ(deeds.system_call.count(Watched::system_call), 1u);
  EXPECT_EQ(deeds.system_call.first[static_cast<std::size_t>(Watched::system_call)].system_call, SYS_getppid);
  EXPECT_GE(faults, 1u) << "a fresh page";
}

class StartedEal : public testing::Environment {
 public:
  void SetUp() override {
    EalOptions options;
    options.hugepages = on_hugepages() ? HugepagePolicy::required : HugepagePolicy::off;
    options.file_prefix = "crosswire_clean_path_test";
    constexpr std::size_t kWanted = std::size_t{640} << 20;  // DPDK's and the partition's
    if (on_hugepages() && inspect_host().free_hugepage_bytes < kWanted) {
      why_not = "fewer than 640 MiB of free hugepages (sysctl vm.nr_hugepages=320)";
      return;
    }
    ASSERT_EQ(eal_start(options), "");
  }
  void TearDown() override { eal_stop(); }
  static inline std::string why_not;
};

const auto* const kEal = testing::AddGlobalTestEnvironment(new StartedEal);

TEST(CleanPath, MakesNoAllocationLockSystemCallOrPageFaultInAMillionFrames) {
  if (!StartedEal::why_not.empty()) GTEST_SKIP() << StartedEal::why_not;
  const std::uint64_t seed = test::seed();
  const Flow flow;
  Session session(flow);
  PollingThread polling{.partition = session.partition,
                        .rx = session.rx,
                        .clock = session.clock,
                        .fresh_page = nullptr,
                        .mine = {},
                        .controllers = {},
                        .refused = {},
                        .unregistered = {},
                        .deliberate = {},
                        .watch = {}};
  std::thread thread([&polling] { polling.run(); });
  polling.mine.sleep_until(1);
  if (!polling.refused.empty() || !polling.unregistered.empty()) {
    thread.join();
    ASSERT_EQ(polling.unregistered, "");
    GTEST_SKIP() << "seccomp filters are not to be had here: " << polling.refused;
  }

  // Mapped only now, so that nobody has faulted it in.
  void* const page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(page, MAP_FAILED);
  polling.fresh_page = static_cast<std::byte*>(page);
  const std::uint64_t faults_before = faults_of(polling.id);
  polling.controllers.reach(1);
  polling.mine.sleep_until(2);
  const std::uint64_t faults_of_deeds = faults_of(polling.id) - faults_before;
  polling.controllers.reach(2);
  polling.mine.sleep_until(3);

  const std::uint64_t faults_at_start = faults_of(polling.id);
  polling.controllers.reach(3);
  feed(session, flow, seed);
  while (!session.wire.empty()) session.wire.take_and_pause();
  session.rx.request_end();
  while (!polling.mine.reached(4)) session.wire.take_and_pause();
  const std::uint64_t faults = faults_of(polling.id) - faults_at_start;
  polling.controllers.reach(4);
  thread.join();
  for (std::uint64_t seen = 0; seen != session.wire.received();) {  // the rest
    seen = session.wire.received();
    session.wire.take();
  }
  munmap(page, 4096);

  print_table(session, polling.watch, faults, polling.end);
  expect_that_counters_can_count(polling.deliberate, faults_of_deeds);
  expect_real_flow(session);
  EXPECT_EQ(session.wire.received(), frames_out(session)) << "what the stages sent has come out";
  EXPECT_EQ(session.wire.sent(), frames_in(session)) << "what was sent has come in";
  EXPECT_EQ(session.wire.feed_holes(), 0u) << "also over the time in which the wire took nothing";
  EXPECT_FALSE(polling.end.cut_off);
  for (const Watched watched : {Watched::allocation, Watched::lock, Watched::system_call}) {
    EXPECT_EQ(polling.watch.count(watched), 0u) << "the first: " << polling.watch.first_text(watched);
  }
  EXPECT_EQ(faults, 0u) << (polling.locked ? "" : "memory could not be locked: ulimit -l unlimited");
}

}  // namespace
}  // namespace crosswire::test
