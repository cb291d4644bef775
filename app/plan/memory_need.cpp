// Memory against hugepages: see the header.
#include "app/plan/memory_need.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "app/partition/partition.hpp"
#include "netstack/port/device.hpp"
#include "netstack/port/eal.hpp"
#include "netstack/port/recorder.hpp"

namespace crosswire {
namespace {

constexpr std::uint64_t kOrdinary = 4096;
constexpr std::uint64_t kSmall = 2 * kMiB;
constexpr std::uint64_t kLarge = 1024 * kMiB;

std::uint64_t pages_for(std::uint64_t bytes, std::uint64_t page_bytes) { return (bytes + page_bytes - 1) / page_bytes; }

/// Hugepages that are still to be had.
class Pages {
 public:
  explicit Pages(const std::vector<HostNode>& nodes) {
    for (const HostNode& node : nodes) {
      for (const HostPages& pages : node.hugepages) {
        left_[{node.number, pages.page_bytes}] = pages.free.value_or(pages.total);
        told_ &= pages.free.has_value();
      }
    }
  }

  [[nodiscard]] bool told() const { return told_; }
  [[nodiscard]] std::uint64_t left(int node, std::uint64_t page_bytes) const {
    std::uint64_t sum = 0;
    for (const auto& [key, pages] : left_) {
      if ((node < 0 || key.first == node) && key.second == page_bytes) sum += pages;
    }
    return sum;
  }
  void take(int node, std::uint64_t page_bytes, std::uint64_t count) {
    for (auto& [key, pages] : left_) {
      if ((node >= 0 && key.first != node) || key.second != page_bytes) continue;
      const std::uint64_t used = std::min(count, pages);
      pages -= used;
      count -= used;
    }
  }

 private:
  std::map<std::pair<int, std::uint64_t>, std::uint64_t> left_;  // (node, page size) -> pages
  bool told_ = true;
};

/// Of the pages that the wish is met from where all it asks for is there.
std::uint64_t page_wanted(const MemoryWish& wish, const Pages& pages) {
  const auto enough = [&](std::uint64_t page) { return pages.left(wish.node, page) >= pages_for(wish.bytes, page); };
  if (wish.dpdk) return !enough(kSmall) && enough(kLarge) ? kLarge : kSmall;
  if (wish.page_size == PageSize::automatic) return wish.bytes >= kLarge && enough(kLarge) ? kLarge : kSmall;
  return wish.page_size == PageSize::one_gib ? kLarge : kSmall;
}

/// As an arena goes about it (hugepages/memory/arena.cpp), and DPDK.
MemoryNeed meet_one(const MemoryWish& wish, Pages& pages) {
  MemoryNeed need{.wish = wish};
  if (wish.policy == HugepagePolicy::off) {
    need.page_bytes = kOrdinary;
    need.pages = pages_for(wish.bytes, kOrdinary);
    return need;
  }
  need.page_bytes = page_wanted(wish, pages);
  need.pages = pages_for(wish.bytes, need.page_bytes);
  need.free = pages.left(wish.node, need.page_bytes);
  const std::uint64_t small = pages_for(wish.bytes, kSmall);
  if (*need.free >= need.pages) {
    pages.take(wish.node, need.page_bytes, need.pages);
    need.state = pages.told() ? MemoryNeed::State::fits : MemoryNeed::State::not_told;
  } else if (wish.policy == HugepagePolicy::required) {
    need.state = MemoryNeed::State::refused;
  } else if (need.page_bytes == kLarge && pages.left(wish.node, kSmall) >= small) {
    pages.take(wish.node, kSmall, small);
    need.state = MemoryNeed::State::smaller_pages;
  } else {
    need.state = MemoryNeed::State::ordinary_pages;
  }
  return need;
}

}  // namespace

std::vector<MemoryWish> memory_wishes(const std::vector<Config>& configs,
                                      const std::vector<PartitionNodes>& partition_nodes, int dpdk_node,
                                      bool recording) {
  const auto of_dpdk = [policy = configs.front().hugepages](std::string what, int node, int megabytes) {
    return MemoryWish{std::move(what), node, static_cast<std::uint64_t>(megabytes) * kMiB, policy, {}, true};
  };
  std::vector<MemoryWish> wishes = {of_dpdk("DPDK", dpdk_node, EalOptions{}.memory_mb)};
  for (std::size_t i = 0; i < configs.size(); ++i) {
    const Config& config = configs[i];
    const PartitionNodes& nodes = partition_nodes[i];
    // Virtual devices are where DPDK is.
    const bool elsewhere = nodes.nic_node >= 0 && !pci_address(config.port.device).empty();
    const int device_node = elsewhere ? nodes.nic_node : dpdk_node;
    if (dpdk_node >= 0 && device_node != dpdk_node) {
      wishes.push_back(of_dpdk("buffers " + nodes.name, device_node, kDeviceMemoryMb));
    }
    if (recording) {
      wishes.push_back(
          {"recording " + nodes.name, device_node, RecordingRxPort::bytes_for(), config.hugepages, config.page_size});
    }
    wishes.push_back(
        {"partition " + nodes.name, nodes.node, Partition::bytes_for(config), config.hugepages, config.page_size});
  }
  return wishes;
}

std::vector<MemoryNeed> meet(const std::vector<MemoryWish>& wishes, const std::vector<HostNode>& nodes) {
  Pages pages(nodes);
  std::uint64_t machine = 0;
  for (const HostNode& node : nodes) machine += node.bytes;
  std::vector<MemoryNeed> needs;
  for (const MemoryWish& wish : wishes) {
    needs.push_back(meet_one(wish, pages));
    if (machine > 0 && wish.bytes > machine) needs.back().state = MemoryNeed::State::too_large;
  }
  return needs;
}

}  // namespace crosswire
