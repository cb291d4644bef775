// The impaired ports of a partition: see the header.
#include "app/partition/impaired_ports.hpp"

#include <fmt/format.h>

#include "app/config/impair_section.hpp"

namespace crosswire {

ImpairedPorts::ImpairedPorts(const ImpairConfig& config, RxPort& rx, TxPort& transmit, TxPort& publish, Time time)
    : rx_(rx, config.receive, seed_of(config.seed, 0), config.held_frames),
      transmit_(transmit, config.transmit, seed_of(config.seed, 1), config.held_frames,
                time == Time::of_receive ? &rx_.clock() : nullptr),
      publish_(publish, config.transmit, seed_of(config.seed, 2), config.held_frames,
               time == Time::of_receive ? &rx_.clock() : nullptr) {}

void ImpairedPorts::let_go() {
  transmit_.let_go();
  publish_.let_go();
}

ImpairmentCounters ImpairedPorts::sent() const {
  ImpairmentCounters sum;
  for (const auto& row : kImpairmentCounters) {
    sum.set(row.counter, transmit_.counters().get(row.counter) + publish_.counters().get(row.counter));
  }
  return sum;
}

std::string describe(const ImpairConfig& config) {
  return fmt::format("receive {}, transmit {}, seed={}", config_file::to_text(config.receive),
                     config_file::to_text(config.transmit), config.seed);
}

}  // namespace crosswire
