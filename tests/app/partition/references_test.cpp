// Reference prices from the day before, and what of them fits a configuration.
#include "app/partition/references.hpp"

#include <gtest/gtest.h>

#include "netstack/port/memory_port.hpp"

namespace crosswire {
namespace {

constexpr SymbolName kAaa{'A', 'A', 'A', ' ', ' ', ' ', ' ', ' '};
constexpr SymbolName kBbb{'B', 'B', 'B', ' ', ' ', ' ', ' ', ' '};

Config two_symbols() {
  Config config;
  config.path = "venue.toml";
  config.net.mac = kReplayMac;
  config.engine.symbols = {{kAaa, Price{100'0000}, 100}, {kBbb, Price{50'0000}, 50}};
  config.engine.max_orders = 64;
  config.engine.max_levels = 16;
  config.hugepages = HugepagePolicy::off;
  return config;
}

TEST(References, OfADayWithoutExecutionsAreThoseWithWhichItBegan) {
  Config config = two_symbols();
  const std::vector<ReferencePrice> before = {{kBbb, Price{49'0050}}};
  ASSERT_EQ(set_references(config, before), "");
  MemoryRxPort rx;
  MemoryTxPort tx;
  const Partition partition(config, {rx, tx, tx}, TscClock());
  const std::vector<ReferencePrice> expected = {{kAaa, Price{100'0000}}, {kBbb, Price{49'0050}}};
  EXPECT_EQ(last_prices(partition), expected);
}

TEST(References, OfAnotherConfigurationAreRefusedByName) {
  Config config = two_symbols();
  const std::vector<ReferencePrice> unknown = {{{'C', 'C', 'C', ' ', ' ', ' ', ' ', ' '}, Price{100}}};
  EXPECT_EQ(set_references(config, unknown),
            "symbol CCC with a reference price of 100, which venue.toml does not have");
  const std::vector<ReferencePrice> off_tick = {{kAaa, Price{100'0050}}};
  EXPECT_EQ(set_references(config, off_tick),
            "symbol AAA with a reference price of 1000050, which is no multiple of its tick_e4 in venue.toml");
}

}  // namespace
}  // namespace crosswire
