// Two of our stacks on a bad link, seed after seed. CROSSWIRE_SIMULATIONS says how many (scripts/tcp-simulate).
#include "tests/netstack/tcp/simulation.hpp"

#include <gtest/gtest.h>

#include "tests/folder.hpp"
#include "tests/seed.hpp"

namespace crosswire::simulation_test {
namespace {

using test::TcpSimulation;

std::uint64_t simulations(std::uint64_t usual) {
  const char* const asked = std::getenv("CROSSWIRE_SIMULATIONS");
  return asked != nullptr ? std::strtoull(asked, nullptr, 10) : usual;
}

void run_seeds(std::uint64_t first, std::uint64_t count, TcpSimulation::Options options) {
  std::uint64_t bytes = 0;
  std::uint64_t whole = 0;
  std::uint64_t retransmitted = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    options.seed = first + i;
    TcpSimulation simulation(options);
    const std::string fault = simulation.run();
    if (!fault.empty()) {
      const std::string capture = "tcp-simulation-" + std::to_string(options.seed) + ".pcap";
      simulation.save_capture(capture);
      FAIL() << fault << ": CROSSWIRE_SEED=" << options.seed << " CROSSWIRE_SIMULATIONS=1; " << capture;
    }
    bytes += simulation.bytes_read();
    whole += simulation.whole();
    std::uint64_t in_vain = 0;  // on a clean link nothing of the kind has a reason
    std::uint64_t windows_probed = 0;
    for (test::TcpStation* station : {&simulation.opener(), &simulation.taker()}) {
      using enum tcp::TcpSendCounter;
      const auto& counters = station->send().counters();
      retransmitted += counters.get(tcp_retransmitted);
      windows_probed += counters.get(tcp_probes_of_window);
      in_vain += counters.get(tcp_timeouts) + counters.get(tcp_fast_recoveries) + counters.get(tcp_probes_of_tail);
    }
    // While a window is probed, an acknowledgement may lie just outside of it: then what it says is not heard.
    if (!options.impaired && in_vain > 0 && windows_probed == 0) {
      simulation.save_capture("tcp-simulation-" + std::to_string(options.seed) + ".pcap");
      FAIL() << "something was taken for lost: CROSSWIRE_SEED=" << options.seed << " CROSSWIRE_SIMULATIONS=1";
    }
  }
  std::cout << count << " simulations, " << bytes << " bytes read, " << whole << " connections closed by both, "
            << retransmitted << " segments sent again\n";
  EXPECT_GT(whole, count / 4);
}

TEST(TcpSimulation, EveryByteArrivesOnceAndInItsPlaceOrTheConnectionEndsWithAReason) {
  run_seeds(test::seed() % 1'000'000'000, simulations(150), {});
}

TEST(TcpSimulation, OnACleanLinkNothingIsTakenForLost) {
  run_seeds(test::seed() % 1'000'000'000, simulations(50), {.impaired = false, .aborts = false});
}

TEST(TcpSimulation, IsTheSameForTheSameSeed) {
  TcpSimulation first({.seed = 7});
  TcpSimulation second({.seed = 7});
  EXPECT_EQ(first.run(), second.run());
  EXPECT_EQ(first.bytes_read(), second.bytes_read());
  EXPECT_GT(first.bytes_read(), 0u);
}

}  // namespace
}  // namespace crosswire::simulation_test
