// What a device says of itself, and what it has counted: see device.hpp. Control threads.
#include <rte_ethdev.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "netstack/port/device.hpp"
#include "netstack/port/eal.hpp"
#include "netstack/port/rx_checksums.hpp"

namespace crosswire {
namespace {

/// Drivers (DPDK 22.11) that do not say what found their receive ring full. A virtual one has rings of its own size,
/// whatever is asked for.
struct SilentDriver {
  std::string_view name;
  bool is_virtual;
};
constexpr std::array kSilentDrivers = {
    SilentDriver{"net_tap", true},       SilentDriver{"net_vhost", true},         SilentDriver{"net_virtio_user", true},
    SilentDriver{"net_virtio", true},    SilentDriver{"net_memif", true},         SilentDriver{"net_ring", true},
    SilentDriver{"net_null", true},      SilentDriver{"net_pcap", true},          SilentDriver{"net_gve", false},
    SilentDriver{"net_ixgbe_vf", false}, SilentDriver{"net_e1000_igb_vf", false},
};

const SilentDriver* silent_driver(std::string_view name) {
  const auto* const found = std::find_if(kSilentDrivers.begin(), kSilentDrivers.end(),
                                         [name](const SilentDriver& driver) { return driver.name == name; });
  return found == kSilentDrivers.end() ? nullptr : found;
}

std::string_view driver_of(std::uint16_t port_id) {
  rte_eth_dev_info info{};
  return rte_eth_dev_info_get(port_id, &info) == 0 ? info.driver_name : "unknown";
}

/// Of both rings of net_af_packet, which takes no other number than its argument's.
std::string packet_frames(const std::string& device) {
  const std::string frames = device_argument(device, "framecnt");
  return frames.empty() ? "512" : frames;
}

}  // namespace

void Device::learn() {
  rte_ether_addr address{};
  rte_eth_macaddr_get(port_id_, &address);
  std::copy(std::begin(address.addr_bytes), std::end(address.addr_bytes), mac_.begin());
  numa_node_ = rte_eth_dev_socket_id(port_id_);

  rte_eth_dev_info info{};
  rte_eth_dev_info_get(port_id_, &info);
  const std::string_view driver = driver_of(port_id_);
  const SilentDriver* const silent = silent_driver(driver);
  const bool packet = driver == "net_af_packet";
  const std::string receive = packet ? packet_frames(options_.device) : std::to_string(rx_descriptors_);
  const std::string transmit = packet ? packet_frames(options_.device) : std::to_string(tx_descriptors_);
  const std::string rings = silent != nullptr && silent->is_virtual
                                ? "rings of a size of its own"
                                : receive + " receive and " + transmit + " transmit descriptors";
  const auto has = [](std::uint64_t offloads, std::uint64_t one) { return (offloads & one) != 0 ? "yes" : "no"; };
  const std::uint64_t checksums = rx_checksums(info, faces_kernel());
  description_ = name_ + ": driver " + std::string(driver) + ", " + rings + ", fast free " +
                 has(info.tx_offload_capa, RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE) +
                 ", checksums checked by the device: IPv4 " + has(checksums, RTE_ETH_RX_OFFLOAD_IPV4_CKSUM) + ", UDP " +
                 has(checksums, RTE_ETH_RX_OFFLOAD_UDP_CKSUM);
}

void Device::begin_to_count(const std::vector<int>& sockets) {
  const std::lock_guard lock(counters_);
  kernel_loss_ = std::make_unique<KernelLoss>(options_.device, sockets);
  told_counters_ = DeviceCounters();
  const std::string_view driver = driver_of(port_id_);
  const bool asks_kernel = driver == "net_af_packet" || driver == "net_af_xdp";
  counts_missed_.store(asks_kernel ? kernel_loss_->asks() : silent_driver(driver) == nullptr,
                       std::memory_order_relaxed);
}

/// What the driver has counted would go with it. Until it is up again nothing more is asked.
void Device::keep_counters() {
  const std::lock_guard lock(counters_);
  kept_counters_ = counted();
  kernel_loss_.reset();
}

DeviceCounters Device::counters() const {
  const std::lock_guard lock(counters_);
  return counted();
}

DeviceCounters Device::counted() const {
  DeviceCounters counters = kept_counters_;
  if (kernel_loss_ == nullptr) return counters;  // it is closed
  rte_eth_stats stats{};
  if (rte_eth_stats_get(port_id_, &stats) == 0) {
    DeviceCounters& told = told_counters_;
    told.set(DeviceCounter::rx_frames, stats.ipackets);
    told.set(DeviceCounter::rx_bytes, stats.ibytes);
    told.set(DeviceCounter::rx_missed, stats.imissed + kernel_loss_->lost());
    told.set(DeviceCounter::rx_errors, stats.ierrors);
    told.set(DeviceCounter::rx_no_mbuf, stats.rx_nombuf);
    told.set(DeviceCounter::tx_frames, stats.opackets);
    told.set(DeviceCounter::tx_bytes, stats.obytes);
    told.set(DeviceCounter::tx_errors, stats.oerrors);
  }
  for (const auto& row : kDeviceCounters) counters.add(row.counter, told_counters_.get(row.counter));
  return counters;
}

}  // namespace crosswire
