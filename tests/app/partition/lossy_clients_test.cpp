// Four clients and a follower of the feed against the whole appliance, over a network that loses a tenth of all frames.
// In the end everyone knows everything: what a client holds and what the feed shows is what the engine has. Virtual
// time.
#include <gtest/gtest.h>

#include <iostream>
#include <string>

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

}  // namespace
}  // namespace crosswire
