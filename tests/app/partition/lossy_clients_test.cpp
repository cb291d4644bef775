// Four clients and a follower of the feed against the whole appliance, over a network that loses a tenth of all frames.
// In the end everyone knows everything: what a client holds and what the feed shows is what the engine has. Virtual
// time.
#include <gtest/gtest.h>

#include <iostream>
#include <string>

#include "app/partition/impaired_ports.hpp"
#include "app/partition/partition.hpp"
#include "netstack/port/memory_port.hpp"
#include "tests/app/traders.hpp"
#include "tests/netstack/client_frames.hpp"
#include "tests/seed.hpp"

namespace crosswire {
namespace {

constexpr std::size_t kClients = 4;
constexpr TimeNs kStart = 9 * 3600 * kNsPerSecond;
constexpr TimeNs kStep = 1'000'000;

Config config_of_four() {
  Config config;
  config.net.mac = test::kOurMac;
  config.net.address = test::kOurAddress;
  config.net.order_session = test::kOrderSession;
  config.net.feed_session = test::kFeedSession;
  config.net.start_ns = kStart;
  for (char name = 'A'; name < 'A' + static_cast<char>(kClients); ++name) {
    config.net.accounts.push_back({std::string(1, name), "secret", {name, ' ', ' ', ' '}, {}});
  }
  config.net.schedule = {{kStart, kAllSymbols, Phase::opening_call},
                         {kStart + kNsPerSecond, kAllSymbols, Phase::continuous}};
  config.engine.symbols = {{{'A', 'A', 'A', ' ', ' ', ' ', ' ', ' '}, Price{100'0000}, 100},
                           {{'B', 'B', 'B', ' ', ' ', ' ', ' ', ' '}, Price{100'0000}, 100}};
  config.engine.sessions = kClients;
  config.engine.max_orders = 1 << 14;
  config.engine.max_levels = 1 << 10;
  config.command_ring = 256;
  config.event_ring = 512;
  config.hugepages = HugepagePolicy::off;
  return config;
}

TEST(LossyClients, EveryoneKnowsEverythingInTheEnd) {
  const std::uint64_t seed = test::seed();
  const Config config = config_of_four();
  MemoryRxPort rx;
  MemoryTxPort tx;
  Partition partition(config, {rx, tx, tx}, TscClock::calibrated());
  test::Traders traders(config.net, seed);
  TimeNs now = kStart;
  const auto run = [&](unsigned steps, unsigned loss_percent) {
    traders.lose(loss_percent);
    for (unsigned i = 0; i < steps; ++i) {
      rx.push_burst(now += kStep, traders.speak(loss_percent > 0));
      for (int idle = 0; idle < 2;) idle = partition.round() ? 0 : idle + 1;
      traders.hear(tx.take_frames());
    }
  };
  run(10'000, 10);
  run(3'000, 0);  // everyone asks until nothing is missing
  traders.expect_to_know_everything(partition);
  std::cout << traders.accepted() << " orders, " << partition.engine().counters().get(EngineCounter::executions)
            << " executions, " << traders.lost() << " frames lost; clients saw " << traders.gaps() << " gaps and "
            << traders.repeats() << " repeats, the feed " << traders.feed_gaps() << " gaps\n";
  EXPECT_GT(traders.gaps(), 0u);
  EXPECT_GT(traders.feed_gaps(), 0u);
  EXPECT_GT(traders.held(), 0u);
}

/// The same where it is the appliance's own ports that lose frames, double them, hold them back and out of order.
TEST(LossyClients, EveryoneKnowsEverythingInTheEndBehindImpairedPorts) {
  const std::uint64_t seed = test::seed();
  Config config = config_of_four();
  config.impair.seed = seed;
  config.impair.receive = {.loss = 0.03,
                           .burst_loss = 0.005,
                           .duplicate = 0.05,
                           .reorder = 0.05,
                           .delay_ns = 500'000,
                           .jitter_ns = 3'000'000,
                           .rate_bits_per_s = 100'000'000};
  config.impair.transmit = config.impair.receive;
  MemoryRxPort rx;
  MemoryTxPort tx;
  ImpairedPorts ports(config.impair, rx, tx, tx, ImpairedPorts::Time::of_receive);
  Partition partition(config, {ports.rx(), ports.transmit(), ports.publish()}, TscClock::calibrated());
  test::Traders traders(config.net, seed);
  TimeNs now = kStart;
  const auto run = [&](unsigned steps, bool trading) {
    for (unsigned i = 0; i < steps; ++i) {
      rx.push_burst(now += kStep, traders.speak(trading));
      for (int idle = 0; idle < 8;) idle = partition.round() ? 0 : idle + 1;  // bursts of no work are between others
      traders.hear(tx.take_frames());
    }
  };
  run(10'000, true);
  run(20'000, false);  // everyone asks until nothing is missing
  traders.expect_to_know_everything(partition);
  using enum ImpairmentCounter;
  for (const ImpairmentCounters& counters : {ports.received(), ports.sent()}) {
    for (const auto counter : {frames, lost, lost_in_burst, duplicated, delayed, reordered}) {
      EXPECT_GT(counters.get(counter), 0u) << kImpairmentCounters[static_cast<std::size_t>(counter)].label;
    }
    EXPECT_EQ(counters.get(no_buffer), 0u);
  }
  std::cout << describe(config.impair) << ": " << traders.accepted() << " orders; clients saw " << traders.gaps()
            << " gaps and " << traders.repeats() << " repeats, the feed " << traders.feed_gaps() << " gaps\n";
}

}  // namespace
}  // namespace crosswire
