// Brings a dead device back: see the header. The control thread.
#include "netstack/port/device_keeper.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "netstack/port/eal.hpp"

namespace crosswire {

std::optional<DeviceKeeper::News> DeviceKeeper::look(std::uint64_t now_ns) {
  constexpr std::uint64_t kTryEveryNs = 1'000'000'000;
  if (state_ == State::open) {
    resets_ = device_.reset_wanted();
    because_ = resets_ ? "the card asked for a reset" : device_.interface_lost();
    if (because_.empty()) return std::nullopt;
    shut();
    state_ = State::closing;
  }
  if (state_ == State::closing) {
    if (!ports_are_out()) return std::nullopt;
    const DpdkErrors errors;  // of what is gone, some drivers cannot take leave
    const PrintedLines printed;
    if (!resets_) device_.close_port();
    state_ = State::away;
    said_.clear();
    tried_ns_ = now_ns - kTryEveryNs;
  }
  if (now_ns - tried_ns_ < kTryEveryNs || !device_.interface_there()) return std::nullopt;
  tried_ns_ = now_ns;
  if (const std::string error = bring_back(); !error.empty()) {
    if (std::exchange(said_, error) == error) return std::nullopt;
    return News{because_, error};
  }
  let_go_on();
  state_ = State::open;
  return News{because_, ""};
}

void DeviceKeeper::shut() {
  for (DeviceGate* gate : device_.gates_) gate->shut();
}

bool DeviceKeeper::ports_are_out() const {
  return std::all_of(device_.gates_.begin(), device_.gates_.end(),
                     [](const DeviceGate* gate) { return gate->clear(); });
}

/// "" or why not.
std::string DeviceKeeper::bring_back() {
  const DpdkErrors errors;
  const PrintedLines printed;
  try {
    if (resets_ && device_.reset()) return "";
    resets_ = false;
    device_.close_port();
    device_.open_again();
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

void DeviceKeeper::let_go_on() {
  {
    const std::lock_guard lock(device_.counters_);
    device_.kept_counters_.add(DeviceCounter::device_reopened);
  }
  for (DeviceGate* gate : device_.gates_) gate->open(device_.port_id_);
}

}  // namespace crosswire
