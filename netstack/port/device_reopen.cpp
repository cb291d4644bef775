// The device's opening and closing, once or again: see device.hpp. The control thread, while no port polls it.
#include <rte_ethdev.h>
#include <rte_mempool.h>

#include <cerrno>
#include <stdexcept>

#include "netstack/port/device.hpp"
#include "netstack/port/eal.hpp"

namespace crosswire {
namespace {

/// On a thread of the driver's.
int take_reset_event(std::uint16_t, rte_eth_event_type, void* wanted, void*) {
  static_cast<std::atomic<bool>*>(wanted)->store(true, std::memory_order_relaxed);
  return 0;
}

}  // namespace

void Device::open() {
  std::uint16_t port_id = 0;
  if (const int error = rte_eth_dev_get_port_by_name(name_.c_str(), &port_id); error != 0) {
    fail("is not there", error, "give it to DPDK at start");
  }
  {
    const std::lock_guard lock(counters_);
    port_id_ = port_id;
  }
  rte_eth_dev_callback_register(port_id_, RTE_ETH_EVENT_INTR_RESET, take_reset_event, &reset_wanted_);
  bring_up();
}

void Device::bring_up() {
  const std::vector<int> others = xdp_sockets();
  configure();
  set_up_queues();
  start();
  learn();
  const std::vector<int> sockets = driver_sockets(options_.device, others);
  interface_link_ = std::make_unique<InterfaceLink>(options_.device, sockets);
  begin_to_count(sockets);
}

void Device::close_port() {
  keep_counters();
  if (port_id_ != DeviceGate::kShut) {
    while (rte_eth_dev_callback_unregister(port_id_, RTE_ETH_EVENT_INTR_RESET, take_reset_event, &reset_wanted_) ==
           -EAGAIN) {  // it is being called
    }
  }
  if (configured_) {
    rte_eth_dev_stop(port_id_);
    rte_eth_dev_close(port_id_);
    configured_ = false;
  }
  // A driver may not give all of them back (af_xdp), so the next one gets others.
  rte_mempool_free(rx_pool_);
  rx_pool_ = nullptr;
  const std::lock_guard lock(counters_);
  port_id_ = DeviceGate::kShut;
}

void Device::open_again() {
  eal_detach(options_.device);
  if (const std::string error = eal_attach(options_.device); !error.empty()) throw std::runtime_error(error);
  open();
}

bool Device::reset() {
  keep_counters();
  const int error = rte_eth_dev_reset(port_id_);
  if (error == -ENOTSUP) return false;
  if (error != 0) fail("cannot be reset", error, "is the card's physical function up?");
  rte_eth_stats_reset(port_id_);
  bring_up();
  return true;
}

std::string Device::interface_lost() const { return interface_link_->lost() ? interface_link_->fault() : ""; }

bool Device::interface_there() const { return interface_link_->there(); }

}  // namespace crosswire
