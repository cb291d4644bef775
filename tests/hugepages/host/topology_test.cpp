// Hosts as values: this one, and made-up ones from hwloc's descriptions.
#include "hugepages/host/topology.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "hugepages/host/pinning.hpp"

namespace crosswire::topology_test {
namespace {

using Cores = std::vector<unsigned>;

TEST(Topology, ReadsThisHostAsValues) {
  const HostTopology host = read_host();
  EXPECT_EQ(host.source, "this host");
  Cores allowed;
  for (const HostCpu& cpu : host.cpus) {
    if (cpu.allowed) allowed.push_back(cpu.number);
    EXPECT_NE(host.node(cpu.node), nullptr);
  }
  EXPECT_EQ(allowed, allowed_cores());
  ASSERT_FALSE(host.nodes.empty());
  for (const HostNode& node : host.nodes) {
    EXPECT_TRUE(node.free_bytes.has_value());
    for (const HostPages& pages : node.hugepages) EXPECT_TRUE(pages.free.has_value());
  }
}

TEST(Topology, KnowsPackagesNodesCachesAndSiblings) {
  const HostTopology host = synthetic_host("pack:2 [numa] l3:4 core:8 pu:2");
  ASSERT_EQ(host.cpus.size(), 128u);
  EXPECT_EQ(host.nodes.size(), 2u);
  const HostCpu* const cpu = host.cpu(70);
  ASSERT_NE(cpu, nullptr);
  EXPECT_EQ(cpu->package, 1);
  EXPECT_EQ(cpu->node, 1);
  EXPECT_EQ(cpu->l3, 4);
  EXPECT_EQ(host.siblings(*cpu), (Cores{71}));
  EXPECT_EQ(host.cpu(128), nullptr);
  EXPECT_EQ(host.node(2), nullptr);
  const HostTopology without = synthetic_host("core:4 pu:1");
  EXPECT_TRUE(without.siblings(*without.cpu(2)).empty());
}

TEST(Topology, TellsWhatIsNotToldApart) {
  const HostTopology host = synthetic_host("pu:4");
  ASSERT_EQ(host.cpus.size(), 4u);
  EXPECT_EQ(host.cpus[3].l3, -1);
  EXPECT_EQ(host.cpus[3].physical_core, -1);
  EXPECT_TRUE(host.siblings(host.cpus[3]).empty());
  EXPECT_EQ(host.nodes.size(), 1u);  // a machine's memory is a node
}

TEST(Topology, TakesOverTheKernelsListsOfCoresThatAreThere) {
  HostTopology host = synthetic_host("pu:4");
  apply_lists(host, {{1, 9}, {2}, {3}});
  EXPECT_TRUE(host.cpus[1].isolated);
  EXPECT_TRUE(host.cpus[2].nohz_full);
  EXPECT_TRUE(host.cpus[3].rcu_nocbs);
  apply_lists(host, {});
  EXPECT_FALSE(host.cpus[1].isolated);
}

}  // namespace
}  // namespace crosswire::topology_test
