// The host's cores as this process sees them, and hosts from files, descriptions and made-up kernel lists.
#include "hugepages/host/topology.hpp"

#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <thread>

namespace crosswire {
namespace {

using Cores = std::vector<unsigned>;

/// A folder of its own for each test, gone with it.
class Topology : public ::testing::Test {
 protected:
  Topology() {
    std::string name = (std::filesystem::temp_directory_path() / "crosswire-topology-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~Topology() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return folder_ / name;
  }

  /// The one line of an error; "" where there is none.
  static std::string error_of(const std::string& path) {
    try {
      read_host_file(path);
    } catch (const std::runtime_error& error) {
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
      EXPECT_EQ(std::string(error.what()).compare(0, path.size(), path), 0) << error.what();
      return error.what();
    }
    return "";
  }

  std::filesystem::path folder_;
};

// --- this process ---

TEST_F(Topology, PinsAThreadToEachCoreItMayUse) {
  ASSERT_FALSE(allowed_cores().empty());
  for (const unsigned core : allowed_cores()) {
    std::thread([core] {
      EXPECT_EQ(pin_this_thread(core), "");
      EXPECT_EQ(sched_getcpu(), static_cast<int>(core));
    }).join();
  }
}

TEST_F(Topology, FreesAThreadAgain) {
  std::thread([] {
    ASSERT_EQ(pin_this_thread(allowed_cores().front()), "");
    EXPECT_EQ(free_this_thread(), "");
    cpu_set_t cores;
    ASSERT_EQ(sched_getaffinity(0, sizeof cores, &cores), 0);
    EXPECT_EQ(static_cast<std::size_t>(CPU_COUNT(&cores)), allowed_cores().size());
  }).join();
}

TEST_F(Topology, SaysWhichCoresThereAreWhenOneDoesNotExist) {
  const std::string error = pin_this_thread(100'000);
  EXPECT_NE(error.find("core 100000"), std::string::npos) << error;
  EXPECT_NE(error.find(std::to_string(allowed_cores().front())), std::string::npos) << error;
  EXPECT_EQ(error.find('\n'), std::string::npos);
}

TEST_F(Topology, KnowsTheNodeOfEachCore) {
  for (const unsigned core : allowed_cores()) EXPECT_GE(node_of_core(core), 0);
  EXPECT_EQ(node_of_core(100'000), -1);
}

TEST_F(Topology, ReadsThisHostAsValues) {
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

// --- synthetic hosts ---

TEST_F(Topology, KnowsPackagesNodesCachesAndSiblings) {
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

TEST_F(Topology, TellsWhatIsNotToldApart) {
  const HostTopology host = synthetic_host("pu:4");
  ASSERT_EQ(host.cpus.size(), 4u);
  EXPECT_EQ(host.cpus[3].l3, -1);
  EXPECT_EQ(host.cpus[3].physical_core, -1);
  EXPECT_TRUE(host.siblings(host.cpus[3]).empty());
  EXPECT_EQ(host.nodes.size(), 1u);  // a machine's memory is a node
}

// --- files ---

TEST_F(Topology, ASavedHostComesBackWithTheKernelsLists) {
  const std::string path = folder_ / "host.xml";
  save_host(path);
  const HostTopology host = read_host();
  const HostTopology again = read_host_file(path);
  ASSERT_EQ(again.cpus.size(), host.cpus.size());
  for (std::size_t i = 0; i < host.cpus.size(); ++i) {
    EXPECT_EQ(again.cpus[i].number, host.cpus[i].number);
    EXPECT_EQ(again.cpus[i].node, host.cpus[i].node);
    EXPECT_EQ(again.cpus[i].isolated, host.cpus[i].isolated);
  }
  EXPECT_EQ(again.devices.size(), host.devices.size());
  EXPECT_EQ(again.source, path);
}

const std::string kFile = R"(<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE topology SYSTEM "hwloc2.dtd">
<topology version="2.0">
  <object type="Machine" os_index="0" cpuset="0x0000000f" complete_cpuset="0x0000000f" allowed_cpuset="0x00000007" nodeset="0x00000003" complete_nodeset="0x00000003" allowed_nodeset="0x00000003" gp_index="1">
    <info name="CrosswireIsolated" value="2-3"/>
    <object type="Package" os_index="0" cpuset="0x00000003" complete_cpuset="0x00000003" nodeset="0x00000001" complete_nodeset="0x00000001" gp_index="2">
      <object type="NUMANode" os_index="0" cpuset="0x00000003" complete_cpuset="0x00000003" nodeset="0x00000001" complete_nodeset="0x00000001" gp_index="3" local_memory="1073741824">
        <page_type size="4096" count="131072"/>
        <page_type size="2097152" count="256"/>
      </object>
      <object type="Core" os_index="0" cpuset="0x00000001" complete_cpuset="0x00000001" nodeset="0x00000001" complete_nodeset="0x00000001" gp_index="4">
        <object type="PU" os_index="0" cpuset="0x00000001" complete_cpuset="0x00000001" nodeset="0x00000001" complete_nodeset="0x00000001" gp_index="5"/>
      </object>
      <object type="Core" os_index="1" cpuset="0x00000002" complete_cpuset="0x00000002" nodeset="0x00000001" complete_nodeset="0x00000001" gp_index="6">
        <object type="PU" os_index="1" cpuset="0x00000002" complete_cpuset="0x00000002" nodeset="0x00000001" complete_nodeset="0x00000001" gp_index="7"/>
      </object>
    </object>
    <object type="Package" os_index="1" cpuset="0x0000000c" complete_cpuset="0x0000000c" nodeset="0x00000002" complete_nodeset="0x00000002" gp_index="8">
      <object type="NUMANode" os_index="1" cpuset="0x0000000c" complete_cpuset="0x0000000c" nodeset="0x00000002" complete_nodeset="0x00000002" gp_index="9" local_memory="1073741824">
        <page_type size="4096" count="262144"/>
      </object>
      <object type="Core" os_index="0" cpuset="0x00000004" complete_cpuset="0x00000004" nodeset="0x00000002" complete_nodeset="0x00000002" gp_index="10">
        <object type="PU" os_index="2" cpuset="0x00000004" complete_cpuset="0x00000004" nodeset="0x00000002" complete_nodeset="0x00000002" gp_index="11"/>
      </object>
      <object type="Core" os_index="1" cpuset="0x00000008" complete_cpuset="0x00000008" nodeset="0x00000002" complete_nodeset="0x00000002" gp_index="12">
        <object type="PU" os_index="3" cpuset="0x00000008" complete_cpuset="0x00000008" nodeset="0x00000002" complete_nodeset="0x00000002" gp_index="13"/>
      </object>
      <object type="Bridge" gp_index="14" bridge_type="0-1" depth="0" bridge_pci="0000:[10-1f]">
        <object type="PCIDev" gp_index="15" pci_busid="0000:17:00.0" pci_type="0200 [15b3:1017] [15b3:0001] 00" pci_link_speed="7.876923">
          <object type="OSDev" gp_index="16" name="ens1f0" osdev_type="2"/>
        </object>
      </object>
    </object>
  </object>
  <cpukind cpuset="0x00000005" forced_efficiency="0"><info name="CoreType" value="IntelAtom"/></cpukind>
  <cpukind cpuset="0x0000000a" forced_efficiency="1"><info name="CoreType" value="IntelCore"/></cpukind>
</topology>
)";

TEST_F(Topology, ReadsEverythingThatAFileTells) {
  const HostTopology host = read_host_file(write("host.xml", kFile));
  ASSERT_EQ(host.cpus.size(), 4u);
  EXPECT_TRUE(host.cpus[2].allowed);
  EXPECT_FALSE(host.cpus[3].allowed);  // outside the cpuset, and still there
  EXPECT_TRUE(host.cpus[2].isolated);
  EXPECT_FALSE(host.cpus[1].isolated);
  EXPECT_TRUE(host.cpus[0].efficiency);
  EXPECT_FALSE(host.cpus[1].efficiency);
  ASSERT_EQ(host.nodes.size(), 2u);
  ASSERT_EQ(host.nodes[0].hugepages.size(), 1u);
  EXPECT_EQ(host.nodes[0].hugepages[0].total, 256u);
  EXPECT_FALSE(host.nodes[0].hugepages[0].free.has_value());
  ASSERT_EQ(host.devices.size(), 1u);
  EXPECT_EQ(host.devices[0].name, "ens1f0");
  EXPECT_EQ(host.devices[0].node, 1);
  for (const char* const name :
       {"0000:17:00.0", "17:00.0", "17:00.0,rx_vec=1", "net_af_packet0,iface=ens1f0", "net_af_xdp0,iface=ens1f0,x=1"}) {
    ASSERT_NE(host.device(name), nullptr) << name;
    EXPECT_EQ(host.device(name)->node, 1);
  }
  for (const char* const name : {"", "17:00.1", "net_ring0", "net_af_packet0,iface=ens1f", "net_vhost0,iface=/run/s"}) {
    EXPECT_EQ(host.device(name), nullptr) << name;
  }
}

TEST_F(Topology, NamesNoDeviceInAWayThatATerminalWouldObey) {
  // U+009B begins what a terminal obeys, and XML allows it.
  std::string text = kFile;
  text.replace(text.find("ens1f0"), 6,
               "x\xc2\x9b"
               "2J");
  const HostTopology host = read_host_file(write("host.xml", text));
  ASSERT_EQ(host.devices.size(), 1u);
  EXPECT_EQ(host.devices[0].name, "x??2J");
}

TEST_F(Topology, SaysInOneLineWhyAFileIsNoHost) {
  EXPECT_NE(error_of("/nowhere/host.xml").find("No such file"), std::string::npos);
  EXPECT_NE(error_of("/tmp").find("is no file"), std::string::npos);
  EXPECT_NE(error_of("/dev/zero").find("is no file"), std::string::npos);
  EXPECT_NE(error_of(write("a", "")).find("no hwloc XML file"), std::string::npos);
  EXPECT_NE(error_of(write("b",
                           "\x7f"
                           "ELF garbage"))
                .find("no hwloc XML file"),
            std::string::npos);
  EXPECT_NE(error_of(write("c", "<topology")).find("hwloc cannot read it"), std::string::npos);
  EXPECT_NE(error_of(write("d", "<?xml version=\"1.0\"?>\n<topology version=\"2.0\">\n</topology>\n")), "");
  std::string no_cores = kFile;
  for (std::size_t at; (at = no_cores.find("\"PU\"")) != std::string::npos;) no_cores.replace(at, 4, "\"Group\"");
  EXPECT_NE(error_of(write("e", no_cores)), "");
  const std::string huge = write("huge", "<topology");
  std::filesystem::resize_file(huge, std::uintmax_t{1} << 30);
  EXPECT_NE(error_of(huge).find("is larger"), std::string::npos);
}

TEST_F(Topology, ADamagedFileIsAHostOrALine) {
  const unsigned seed = std::random_device{}();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  int hosts = 0;
  int lines = 0;
  for (int i = 0; i < 300; ++i) {
    std::string text = kFile;
    if (random() % 4 == 0) text.resize(random() % text.size());
    for (unsigned changes = random() % 4; changes > 0 && !text.empty(); --changes) {
      constexpr std::string_view kLetters = "0123456789abcdef<>/\"= x-";
      text[random() % text.size()] = kLetters[random() % kLetters.size()];
    }
    const std::string path = write("damaged.xml", text);
    (error_of(path).empty() ? hosts : lines) += 1;
  }
  EXPECT_GT(hosts, 0);
  EXPECT_GT(lines, 0);
}

// --- lists of cores ---

TEST_F(Topology, ReadsListsAsTheKernelWritesThem) {
  EXPECT_EQ(parse_cores(""), Cores{});
  EXPECT_EQ(parse_cores("\n"), Cores{});
  EXPECT_EQ(parse_cores("0-2,8\n"), (Cores{0, 1, 2, 8}));
  EXPECT_EQ(parse_cores("8,1-2,2"), (Cores{1, 2, 8}));
  EXPECT_EQ(parse_cores("0-7:2/4"), (Cores{0, 1, 4, 5}));
  EXPECT_EQ(parse_cores("2-N", 4), (Cores{2, 3, 4}));
  EXPECT_EQ(parse_cores("all", 1), (Cores{0, 1}));
  for (const char* const wrong : {"x", "1-", "-1", "3-1", "1,,2", ",", "1,", "1-2-3", "0-7:2", "0-7:5/4", "0-7:0/0",
                                  "99999999999", "70000", "0-4294967295", "1 2", "(null)"}) {
    EXPECT_EQ(parse_cores(wrong), std::nullopt) << wrong;
  }
}

TEST_F(Topology, WritesListsWithRanges) {
  EXPECT_EQ(format_cores({}), "");
  EXPECT_EQ(format_cores({3}), "3");
  EXPECT_EQ(format_cores({0, 1, 2, 5, 8, 9}), "0-2,5,8,9");
}

TEST_F(Topology, ReadsTheKernelsListsBelowARoot) {
  EXPECT_TRUE(read_kernel_lists(folder_).isolated.empty());
  write("sys/devices/system/cpu/possible", "0-7\n");
  write("sys/devices/system/cpu/isolated", "2-7\n");
  write("sys/devices/system/cpu/nohz_full", "2-5\n");
  write("proc/cmdline", "BOOT_IMAGE=/vmlinuz quiet isolcpus=managed_irq,domain,2-7 rcu_nocbs=6-N nohz_full=2-5\n");
  const KernelLists lists = read_kernel_lists(folder_);
  EXPECT_EQ(lists.isolated, (Cores{2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(lists.nohz_full, (Cores{2, 3, 4, 5}));
  EXPECT_EQ(lists.rcu_nocbs, (Cores{2, 3, 4, 5, 6, 7}));
  // As a kernel without the feature writes it; garbage.
  write("sys/devices/system/cpu/nohz_full", "  (null)\n");
  write("sys/devices/system/cpu/isolated", std::string("\0\xff-", 3));
  write("proc/cmdline", "rcu_nocbs\n");
  const KernelLists odd = read_kernel_lists(folder_);
  EXPECT_TRUE(odd.nohz_full.empty());
  EXPECT_TRUE(odd.isolated.empty());
  EXPECT_EQ(odd.rcu_nocbs.size(), 8u);
}

TEST_F(Topology, IsolatedCoresAreUsableByAProcessThatNobodyBound) {
  const Cores all = {0, 1, 2, 3, 4, 5};
  EXPECT_EQ(usable_cores(all, all, {0, 1}, {2, 3, 4, 5}), all);            // the kernel's default affinity
  EXPECT_EQ(usable_cores(all, all, {0, 2}, {2, 3, 4, 5}), (Cores{0, 2}));  // somebody's taskset
  EXPECT_EQ(usable_cores(all, {0, 1, 2, 3}, {0, 1}, {2, 3, 4, 5}), (Cores{0, 1, 2, 3}));
  EXPECT_EQ(usable_cores(all, {1, 3}, all, {}), (Cores{1, 3}));
  EXPECT_EQ(usable_cores(all, all, {4}, {}), (Cores{4}));
}

}  // namespace
}  // namespace crosswire
