// Hosts from files: saved ones, damaged ones, and whatever else lies under a name.
#include "hugepages/host/host_file.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>

#include "tests/folder.hpp"
#include "tests/seed.hpp"

namespace crosswire::host_file_test {
namespace {

/// The one line of an error; "" where there is none.
std::string error_of(const std::string& path) {
  try {
    read_host_file(path);
  } catch (const std::runtime_error& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    EXPECT_EQ(std::string(error.what()).compare(0, path.size(), path), 0) << error.what();
    return error.what();
  }
  return "";
}

TEST(HostFile, ASavedHostComesBackWithTheKernelsLists) {
  const test::Folder folder;
  const std::string path = folder.file("host.xml");
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

TEST(HostFile, ReadsEverythingThatAFileTells) {
  const test::Folder folder;
  const HostTopology host = read_host_file(folder.write("host.xml", kFile));
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

TEST(HostFile, NamesNoDeviceInAWayThatATerminalWouldObey) {
  const test::Folder folder;
  // U+009B begins what a terminal obeys, and XML allows it.
  std::string text = kFile;
  text.replace(text.find("ens1f0"), 6,
               "x\xc2\x9b"
               "2J");
  const HostTopology host = read_host_file(folder.write("host.xml", text));
  ASSERT_EQ(host.devices.size(), 1u);
  EXPECT_EQ(host.devices[0].name, "x??2J");
}

TEST(HostFile, SaysInOneLineWhyAFileIsNoHost) {
  const test::Folder folder;
  EXPECT_NE(error_of("/nowhere/host.xml").find("No such file"), std::string::npos);
  EXPECT_NE(error_of("/tmp").find("is no file"), std::string::npos);
  EXPECT_NE(error_of("/dev/zero").find("is no file"), std::string::npos);
  EXPECT_NE(error_of(folder.write("a", "")).find("no hwloc XML file"), std::string::npos);
  EXPECT_NE(error_of(folder.write("b",
                                  "\x7f"
                                  "ELF garbage"))
                .find("no hwloc XML file"),
            std::string::npos);
  EXPECT_NE(error_of(folder.write("c", "<topology")).find("hwloc cannot read it"), std::string::npos);
  EXPECT_NE(error_of(folder.write("d", "<?xml version=\"1.0\"?>\n<topology version=\"2.0\">\n</topology>\n")), "");
  std::string no_cores = kFile;
  for (std::size_t at; (at = no_cores.find("\"PU\"")) != std::string::npos;) no_cores.replace(at, 4, "\"Group\"");
  EXPECT_NE(error_of(folder.write("e", no_cores)), "");
  const std::string huge = folder.write("huge", "<topology");
  std::filesystem::resize_file(huge, std::uintmax_t{1} << 30);
  EXPECT_NE(error_of(huge).find("is larger"), std::string::npos);
}

TEST(HostFile, ADamagedFileIsAHostOrALine) {
  const test::Folder folder;
  const auto seed = static_cast<unsigned>(test::seed());
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
    const std::string path = folder.write("damaged.xml", text);
    (error_of(path).empty() ? hosts : lines) += 1;
  }
  EXPECT_GT(hosts, 0);
  EXPECT_GT(lines, 0);
}

}  // namespace
}  // namespace crosswire::host_file_test
