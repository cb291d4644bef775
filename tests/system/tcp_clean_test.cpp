// The clean path of TCP: both halves, with a service above them, make no allocation, take no lock, ask nothing of the
// kernel and meet no page for the first time, whatever comes: handshakes, data both ways, losses, resets, floods of
// SYNs, guesses at live connections, a wire that takes nothing for a while. Another thread is all of their peers: a
// station of the same TCP over a wire that loses, and a raw flood beside it.
#include <gtest/gtest.h>
#include <rte_pause.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cinttypes>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>
#include <random>
#include <thread>

#include "hot_path_watch.hpp"
#include "hugepages/memory/resident.hpp"
#include "hugepages/rings/spsc_ring.hpp"
#include "netstack/port/tsc_clock.hpp"
#include "netstack/tcp/echo_service.hpp"
#include "netstack/tcp/host.hpp"
#include "tests/netstack/tcp/station.hpp"
#include "tests/seed.hpp"

namespace crosswire::test {
namespace {

constexpr std::uint64_t kSegments = 400'000;
constexpr std::chrono::seconds kPatience{120};
constexpr std::uint16_t kPort = 7;
constexpr std::uint16_t kClients = 32;

// ---- The wire -------------------------------------------------------------------------------------------------------

struct WireFrame {
  std::uint32_t length = 0;
  std::array<std::uint8_t, kMaxFrame> bytes;
};
using WireRing = SpscRing<WireFrame>;
constexpr std::uint64_t kRing = 1'024;

/// Loses of what passes so many of a thousand.
class Losses {
 public:
  Losses(unsigned of_thousand, std::uint64_t seed) : of_thousand_(of_thousand), random_(seed) {}
  bool hit() { return of_thousand_ > 0 && random_() % 1'000 < of_thousand_; }

 private:
  unsigned of_thousand_;
  std::minstd_rand random_;
};

class RingRxPort final : public RxPort {
 public:
  RingRxPort(WireRing& ring, const TscClock& clock, Losses losses)
      : ring_(ring), clock_(clock), losses_(losses), started_ns_(clock.now_epoch_ns()) {}

  RxBurst receive() override {
    std::size_t n = 0;
    while (n < kMaxBurst && ring_.pop(frames_[n])) {
      if (losses_.hit()) continue;
      views_[n] = {frames_[n].bytes.data(), frames_[n].length};
      ++n;
    }
    return {{views_.data(), n}, static_cast<TimeNs>(clock_.now_epoch_ns() - started_ns_), false};
  }

 private:
  WireRing& ring_;
  const TscClock& clock_;
  Losses losses_;
  std::int64_t started_ns_;
  std::array<WireFrame, kMaxBurst> frames_{};
  std::array<RxFrame, kMaxBurst> views_{};
};

class RingTxPort final : public TxPort {
 public:
  RingTxPort(WireRing& ring, Losses losses) : ring_(ring), losses_(losses) {
    for (std::size_t i = 0; i < kMaxBurst; ++i) batch_[i].data = buffers_[i].data();
    ready_ = kMaxBurst;
  }

  std::size_t flush() override {
    std::size_t sent = 0;
    for (; sent < used_ && ring_.has_room(1); ++sent) {
      if (losses_.hit()) continue;
      put(ring_, batch_[sent].data, batch_[sent].length);
    }
    std::rotate(batch_.begin(), batch_.begin() + static_cast<std::ptrdiff_t>(sent), batch_.end());
    used_ -= sent;
    return sent;
  }

  /// There is room.
  static void put(WireRing& ring, const std::uint8_t* frame, std::size_t length) {
    WireFrame& next = ring.next();
    next.length = static_cast<std::uint32_t>(length);
    std::memcpy(next.bytes.data(), frame, length);
    ring.publish();
  }

 private:
  bool refill() override { return flush() > 0; }

  WireRing& ring_;
  Losses losses_;
  std::array<std::array<std::uint8_t, kMaxFrame>, kMaxBurst> buffers_{};
};

// ---- The peers ------------------------------------------------------------------------------------------------------

tcp::TcpConfig quick(tcp::TcpConfig config) {
  config.least_rto_ns = 5'000'000;
  config.peers_ack_delay_ns = 1'000'000;
  config.time_wait_ns = 20'000'000;
  config.fin_wait_ns = 100'000'000;
  return config;
}
tcp::TcpConfig appliances() {
  tcp::TcpConfig config;
  config.connections = 40;
  config.backlog = 8;
  config.ports = {kPort};
  config.resets_per_second = 200;
  config.secret = {5, 6};
  return quick(config);
}
tcp::TcpConfig peers() {
  tcp::TcpConfig config;
  config.connections = config.opened_by_us = 2 * kClients;
  config.secret = {7, 8};
  return quick(config);
}

/// What the peers write, and how it comes back.
class Clients final : public tcp::StreamReader, public tcp::StreamWriter {
 public:
  struct Client {
    std::uint64_t written = 0;
    std::uint64_t acknowledged = 0;
    std::uint64_t wanted = 0;
    bool ready = false;
    bool leaving = false;
  };

  static std::uint8_t byte_at(tcp::ConnectionId id, std::uint64_t offset) {
    return static_cast<std::uint8_t>((offset * 0x9E37'79B9'7F4A'7C15u + id.value) >> 40);
  }
  void opened(tcp::ConnectionId id, const tcp::Remote&, std::uint16_t) override { read_[id.value] = 0; }
  Taken take(tcp::ConnectionId id, wire::Bytes bytes) override {
    for (const std::uint8_t byte : bytes) wrong += byte != byte_at(id, read_[id.value]++) ? 1 : 0;
    return {bytes.size(), tcp::kNoNumber};
  }
  void finished(tcp::ConnectionId) override {}
  void gone(tcp::ConnectionId, tcp::EndReason) override {}
  void ready(tcp::ConnectionId id) override { clients_[id].ready = true; }
  void copy(tcp::ConnectionId id, std::uint64_t offset, std::span<std::uint8_t> to) override {
    for (std::uint8_t& byte : to) byte = byte_at(id, offset++);
  }
  void acknowledged(tcp::ConnectionId id, std::uint64_t offset) override { clients_[id].acknowledged = offset; }
  void heard(tcp::ConnectionId) override {}
  void finished_by_peer(tcp::ConnectionId) override {}
  void closed(tcp::ConnectionId id, tcp::EndReason reason) override {
    whole += reason == tcp::EndReason::finished ? 1 : 0;
    clients_.erase(id);
  }
  std::map<tcp::ConnectionId, Client>& all() { return clients_; }
  std::uint64_t read(tcp::ConnectionId id) const { return read_[id.value]; }

  std::uint64_t wrong = 0;
  std::uint64_t whole = 0;

 private:
  std::map<tcp::ConnectionId, Client> clients_;     // until closed()
  std::array<std::uint64_t, 2 * kClients> read_{};  // of each place, until gone(): that may be later
};

/// All that is not the appliance, on the feeding thread.
class Peers {
 public:
  Peers(WireRing& in, WireRing& out, const TscClock& clock, std::uint64_t seed)
      : random_(seed),
        in_(in),
        net_(station_config(2)),
        config_(peers()),
        arena_(
            tcp::Signals::bytes_for() + tcp::ReceiveHalf::bytes_for(config_) + tcp::SendHalf::bytes_for(config_) + 4096,
            HugepagePolicy::off),
        signals_(arena_),
        rx_(out, clock, {20, seed + 1}),
        tx_(in, {20, seed + 2}),
        receive_(config_, net_.address, signals_, clients_, arena_),
        send_(config_, net_, signals_, clients_, tx_, arena_),
        host_(net_, receive_, rx_) {}

  void step() {
    host_.poll();
    send_.poll(host_.now());
    tx_.flush();
    act();
    if (++steps_ % 64 == 0) flood();
    if (steps_ % 200'000 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(200));  // nobody takes anything
  }
  const Clients& clients() const { return clients_; }

 private:
  void act() {
    if (clients_.all().size() < kClients && random_() % 4 == 0) {
      const NetConfig to = station_config(1);
      const bool asks = random_() % 8 == 0;
      const auto id = send_.connect({to.address, kPort, 0, asks ? MacAddress{} : to.mac}, 0);
      if (id) clients_.all()[*id] = {.wanted = random_() % 3 == 0 ? 0 : random_() % 300'000};
    }
    // A copy: an abort takes its client out.
    const auto now = clients_.all();
    for (const auto& [id, client] : now) {
      if (!client.ready || client.leaving) continue;
      Clients::Client& mine = clients_.all().at(id);
      if (client.written < client.wanted && client.written - client.acknowledged < 50'000) {
        const auto bytes = static_cast<std::uint32_t>(random_() % 2 == 0 ? 1 + random_() % 100 : 1 + random_() % 8'000);
        mine.written += bytes;
        send_.extend(id, bytes);
      } else if (client.written >= client.wanted && clients_.read(id) == client.written) {
        mine.leaving = true;
        send_.finish(id);
      } else if (random_() % 20'000 == 0) {
        send_.abort(id);
      }
    }
  }

  /// Segments of who has no connection, and guesses at those that there are.
  void flood() {
    const NetConfig to = station_config(1);
    for (int i = 0; i < 8 && in_.has_room(1); ++i) {
      NetConfig from = net_;
      const bool guess = random_() % 2 == 0;
      if (!guess) from.address = 0x0A63'1000u + static_cast<std::uint32_t>(random_() % 4'000);
      const auto port = static_cast<std::uint16_t>(guess ? 49'152 + random_() % 16'384 : 1'024 + random_() % 60'000);
      const tcp::SegmentTemplate header(from, port, {to.address, kPort, 0, to.mac});
      constexpr std::array<std::uint8_t, 8> kFlags{
          tcp::kSyn, tcp::kSyn, tcp::kSyn, tcp::kAck, tcp::kRst, 0, tcp::kSyn | tcp::kFin, tcp::kFin | tcp::kAck};
      const tcp::SegmentHead head{static_cast<std::uint32_t>(random_()), static_cast<std::uint32_t>(random_()), 1'000,
                                  kFlags[random_() % kFlags.size()]};
      std::array<std::uint8_t, kMaxFrame> frame{};
      const std::size_t length = header.finish(frame.data(), head, 0, random_() % 100);
      if (random_() % 16 == 0) frame[34 + random_() % 20] ^= 4;
      RingTxPort::put(in_, frame.data(), length);
    }
  }

  std::mt19937_64 random_;
  WireRing& in_;
  NetConfig net_;
  tcp::TcpConfig config_;
  Clients clients_;
  Arena arena_;
  tcp::Signals signals_;
  RingRxPort rx_;
  RingTxPort tx_;
  tcp::ReceiveHalf receive_;
  tcp::SendHalf send_;
  tcp::ReceivingHost host_;
  std::uint64_t steps_ = 0;
};

// ---- The appliance's halves -----------------------------------------------------------------------------------------

struct Appliance {
  Appliance(WireRing& in, WireRing& out, const TscClock& clock)
      : net(station_config(1)),
        config(appliances()),
        arena(tcp::Signals::bytes_for() + tcp::ReceiveHalf::bytes_for(config) + tcp::SendHalf::bytes_for(config) +
                  tcp::EchoService::bytes_for(config) + 4096,
              HugepagePolicy::off),
        signals(arena),
        echo(arena, config, tcp::EchoService::Mode::echo),
        rx(in, clock, {0, 0}),
        tx(out, {0, 0}),
        receive(config, net.address, signals, echo, arena),
        send(config, net, signals, echo, tx, arena),
        host(net, receive, rx) {
    echo.write_to(send);
  }
  void poll() {
    host.poll();
    send.poll(host.now());
    if (tx.wants_flush()) tx.flush();
    segments.store(receive.counters().get(tcp::TcpReceiveCounter::tcp_segments), std::memory_order_relaxed);
  }

  NetConfig net;
  tcp::TcpConfig config;
  Arena arena;
  tcp::Signals signals;
  tcp::EchoService echo;
  RingRxPort rx;
  RingTxPort tx;
  tcp::ReceiveHalf receive;
  tcp::SendHalf send;
  tcp::ReceivingHost host;
  std::atomic<std::uint64_t> segments{0};
};

/// 1: the watch is proven, 2: polling, 3: has polled. The feeder's: 1 poll, 2 stop, 3 end.
struct PollingThread {
  Appliance& appliance;
  std::atomic<int> mine{0};
  std::atomic<int> feeders{0};
  std::atomic<pid_t> id{0};
  std::string refused;
  bool locked = false;
  Watch deliberate;
  Watch watch;

  void run() {
    id = static_cast<pid_t>(syscall(SYS_gettid));
    locked = make_resident();
    refused = trap_system_calls();
    if (refused.empty()) do_deeds();
    mine.store(1, std::memory_order_release);
    if (!refused.empty()) return;
    while (feeders.load(std::memory_order_acquire) < 1) rte_pause();
    watch_this_thread(&watch);
    while (feeders.load(std::memory_order_acquire) < 2) appliance.poll();
    watch_this_thread(nullptr);
    mine.store(3, std::memory_order_release);
    while (feeders.load(std::memory_order_acquire) < 3) rte_pause();
  }
  void do_deeds() {
    watch_this_thread(&deliberate);
    void* volatile memory = std::malloc(100);
    std::free(memory);
    getppid();
    watch_this_thread(nullptr);
  }
};

/// Without segments of many kinds zeros prove little.
void expect_real_traffic(const Appliance& appliance) {
  using enum tcp::TcpReceiveCounter;
  for (const tcp::TcpReceiveCounter counter :
       {tcp_in_order, tcp_acks, tcp_opened, tcp_cookies_sent, tcp_out_of_order, tcp_resets_taken, tcp_checksum,
        tcp_flags, tcp_no_connection, tcp_no_ack, tcp_repeated, tcp_reset_limit}) {
    EXPECT_GT(appliance.receive.counters().get(counter), 0u)
        << tcp::kTcpReceiveCounters[static_cast<std::size_t>(counter)].label;
  }
  using Send = tcp::TcpSendCounter;
  for (const tcp::TcpSendCounter counter :
       {Send::tcp_sent_bytes, Send::tcp_acks_alone, Send::tcp_retransmitted, Send::tcp_fast_recoveries,
        Send::tcp_resets_answered, Send::tcp_finished, Send::tcp_reset_by_peer}) {
    EXPECT_GT(appliance.send.counters().get(counter), 0u)
        << tcp::kTcpSendCounters[static_cast<std::size_t>(counter)].label;
  }
}

TEST(TcpCleanPath, BothHalvesAskNothingOfTheHeapTheKernelOrALockInHundredsOfThousandsOfSegments) {
  const std::uint64_t seed = test::seed();
  const TscClock clock = TscClock::calibrated();
  Arena rings(2 * WireRing::bytes_for(kRing) + 4096, HugepagePolicy::off);
  WireRing in(rings, kRing);
  WireRing out(rings, kRing);
  Appliance appliance(in, out, clock);
  Peers peers(in, out, clock, seed);
  PollingThread polling{.appliance = appliance, .refused = {}, .deliberate = {}, .watch = {}};
  std::thread thread([&polling] { polling.run(); });
  while (polling.mine.load(std::memory_order_acquire) < 1) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  if (!polling.refused.empty()) {
    thread.join();
    GTEST_SKIP() << "seccomp filters are not to be had here: " << polling.refused;
  }
  const std::uint64_t faults_before = faults_of(polling.id);
  polling.feeders.store(1, std::memory_order_release);
  const auto limit = std::chrono::steady_clock::now() + kPatience;
  while (appliance.segments.load(std::memory_order_relaxed) < kSegments && std::chrono::steady_clock::now() < limit) {
    for (int i = 0; i < 256; ++i) peers.step();
  }
  polling.feeders.store(2, std::memory_order_release);
  while (polling.mine.load(std::memory_order_acquire) < 3) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  const std::uint64_t faults = faults_of(polling.id) - faults_before;
  polling.feeders.store(3, std::memory_order_release);
  thread.join();

  for (const auto& row : tcp::kTcpReceiveCounters) {
    std::printf("  %-24s %12" PRIu64 "\n", row.label.data(), appliance.receive.counters().get(row.counter));
  }
  for (const auto& row : tcp::kTcpSendCounters) {
    std::printf("  %-24s %12" PRIu64 "\n", row.label.data(), appliance.send.counters().get(row.counter));
  }
  std::printf("  whole connections %" PRIu64 "\n", peers.clients().whole);
  EXPECT_EQ(polling.deliberate.count(Watched::allocation), 2u) << "the watch sees malloc and free";
  EXPECT_EQ(polling.deliberate.count(Watched::system_call), 1u) << "and getppid";
  EXPECT_GE(appliance.segments.load(), kSegments);
  expect_real_traffic(appliance);
  EXPECT_EQ(peers.clients().wrong, 0u) << "what came back is what was sent";
  EXPECT_GT(peers.clients().whole, 0u);
  for (const Watched watched : {Watched::allocation, Watched::lock, Watched::system_call}) {
    EXPECT_EQ(polling.watch.count(watched), 0u) << "the first: " << polling.watch.first_text(watched);
  }
  EXPECT_EQ(faults, 0u) << (polling.locked ? "" : "memory could not be locked: ulimit -l unlimited");
}

}  // namespace
}  // namespace crosswire::test
