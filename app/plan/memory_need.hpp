// The memory that a process takes at its start, against the hugepages that a host has: what `crosswire plan` shows and
// `crosswire doctor` judges. Functions of values. Set-up only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/config/config.hpp"
#include "hugepages/host/topology.hpp"
#include "hugepages/memory/arena.hpp"

namespace crosswire {

/// Bytes in a mebibyte.
inline constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

/// Something that takes memory.
struct MemoryWish {
  std::string what;         // "DPDK", "partition NAME"
  int node = -1;            // -1 = any
  std::uint64_t bytes = 0;  // without rounding up to pages
  HugepagePolicy policy = HugepagePolicy::automatic;
  PageSize page_size = PageSize::automatic;
  bool dpdk = false;  // DPDK takes it: small pages where there are enough, else large ones
};

/// The nodes that a partition's memory and device are on.
struct PartitionNodes {
  std::string name;   // the partition's
  int node = -1;      // of its stages; -1 = any
  int nic_node = -1;  // of its device; -1 = not told
};

/// What a start takes, in its order. `partition_nodes`: by configuration. `dpdk_node`: of the first partition's receive
/// core. `recording`: with --record.
std::vector<MemoryWish> memory_wishes(const std::vector<Config>& configs,
                                      const std::vector<PartitionNodes>& partition_nodes, int dpdk_node,
                                      bool recording);

/// A wish, and what there is for it when its turn comes.
struct MemoryNeed {
  /// not_told: it fits if all pages are free. smaller_pages, ordinary_pages: slower than asked for. refused, too_large:
  /// no start.
  enum class State { fits, not_told, smaller_pages, ordinary_pages, refused, too_large };
  MemoryWish wish;
  std::uint64_t page_bytes = 0;  // of the pages that it takes, or would take if there were enough
  std::uint64_t pages = 0;
  std::optional<std::uint64_t> free;  // of these pages
  State state = State::fits;
};

/// `nodes`: one of number -1 stands for a host that tells of no nodes.
std::vector<MemoryNeed> meet(const std::vector<MemoryWish>& wishes, const std::vector<HostNode>& nodes);

}  // namespace crosswire
