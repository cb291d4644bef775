// `crosswire plan` as an operator meets it: on this host, on hosts from files, with what cannot be planned.
#include "app/plan/plan.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "app/partition/partition.hpp"
#include "app/plan/picture.hpp"
#include "hugepages/host/pinning.hpp"
#include "tests/app/program.hpp"

namespace crosswire {
namespace {

/// Two packages of 4 cores with siblings, 64 GiB each; no hugepages told.
HostTopology server() {
  HostTopology host = synthetic_host("pack:2 [numa(memory=64GB)] l3:1 core:4 pu:2");
  host.devices = {{"0000:17:00.0", "ens1f0", 1}, {"0000:18:00.0", "", 0}};
  return host;
}

Config config_for(const std::string& name, const std::string& device = "") {
  Config config;
  config.path = name + ".toml";
  config.port.device = device;
  return config;
}

class PlanCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    program_ = test::program();
    if (program_.empty()) GTEST_SKIP() << "CROSSWIRE does not name the program: run it by meson test";
    std::string name = (std::filesystem::temp_directory_path() / "crosswire-plan-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return folder_ / name; }

  std::string config(const std::string& name, const std::string& placement = "",
                     const std::string& device = "net_ring0") const {
    std::ofstream(path(name)) << "[port]\ndevice = \"" << device << "\"\naddress = \"10.99.0.1\"\n[placement]\n"
                              << placement << "\n[[symbol]]\nname = \"AAA\"\nreference_price_e4 = 1000000\n"
                              << "tick_e4 = 100\n[[account]]\nuser = \"ann\"\npassword = \"secret\"\n";
    chmod(path(name).c_str(), 0600);
    return path(name);
  }

  test::Ran plan(const std::string& arguments) const { return test::shell(program_ + " plan " + arguments); }

  void expect_failure(const std::string& arguments, const std::string& what, int status = 1) const {
    const test::Ran ran = plan(arguments);
    EXPECT_EQ(ran.status, status) << ran.output;
    EXPECT_NE(ran.output.find(what), std::string::npos) << ran.output;
    if (status == 1) {
      EXPECT_EQ(std::count(ran.output.begin(), ran.output.end(), '\n'), 1) << ran.output;
    }
  }

  std::filesystem::path folder_;
  std::string program_;
};

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// --- plans of made-up hosts ---

TEST(Plan, TheDevicesNodeIsTheHosts) {
  const Plan plan = make_plan(server(), {config_for("a", "17:00.0"), config_for("b", "net_af_packet0,iface=ens1f0")});
  EXPECT_EQ(plan.nic_nodes, (std::vector<int>{1, 1}));
  EXPECT_EQ(plan.placement.partitions[0].memory_node, 1);
  EXPECT_EQ(make_plan(server(), {config_for("a", "17:00.0")}, 0).nic_nodes, (std::vector<int>{0}));
  EXPECT_EQ(make_plan(server(), {config_for("a", "net_ring0")}).nic_nodes, (std::vector<int>{-1}));
}

TEST(Plan, MemoryIsCountedAgainstWhatIsFreeInTheOrderOfTheStart) {
  constexpr std::uint64_t kPage = std::uint64_t{2} << 20;
  const Config config = config_for("a");
  const std::uint64_t dpdk = 128;
  const std::uint64_t arena = (Partition::bytes_for(config) + kPage - 1) / kPage;
  const auto states = [&](std::uint64_t free, HugepagePolicy policy) {
    HostTopology host = server();
    for (HostNode& node : host.nodes) node.hugepages = {{kPage, 4096, node.number == 0 ? free : 0}};
    Config wanted = config;
    wanted.hugepages = policy;
    const Plan plan = make_plan(host, {wanted});
    EXPECT_EQ(plan.memory.size(), 2u);
    EXPECT_EQ(plan.memory[1].wish.bytes, Partition::bytes_for(config));
    return std::pair(plan.memory[0].state, plan.memory[1].state);
  };
  using State = MemoryNeed::State;
  EXPECT_EQ(states(dpdk + arena, HugepagePolicy::required), std::pair(State::fits, State::fits));
  EXPECT_EQ(states(dpdk + arena - 1, HugepagePolicy::required), std::pair(State::fits, State::refused));
  EXPECT_EQ(states(dpdk + arena - 1, HugepagePolicy::automatic), std::pair(State::fits, State::ordinary_pages));
  EXPECT_EQ(states(dpdk - 1, HugepagePolicy::required), std::pair(State::refused, State::refused));
  EXPECT_EQ(states(0, HugepagePolicy::off), std::pair(State::fits, State::fits));
}

TEST(Plan, APartitionLargerThanTheMachineIsTold) {
  HostTopology host = server();
  for (HostNode& node : host.nodes) node.bytes = std::uint64_t{100} << 20;
  EXPECT_EQ(make_plan(host, {config_for("a")}).memory[1].state, MemoryNeed::State::too_large);
}

TEST(Plan, LargePartitionsTakePagesOf1GiB) {
  HostTopology host = server();
  for (HostNode& node : host.nodes) {
    node.hugepages = {{std::uint64_t{2} << 20, 1024, 1024}, {std::uint64_t{1} << 30, 16, 16}};
  }
  Config config = config_for("a");
  config.engine.max_orders = 1u << 24;
  const Plan plan = make_plan(host, {config});
  EXPECT_EQ(plan.memory[0].page_bytes, std::uint64_t{2} << 20);
  EXPECT_EQ(plan.memory[1].page_bytes, std::uint64_t{1} << 30);
}

TEST(Plan, PagesAreThoseThatTheConfigurationAsksFor) {
  constexpr std::uint64_t kSmall = std::uint64_t{2} << 20, kLarge = std::uint64_t{1} << 30;
  const auto partition = [&](PageSize size, HugepagePolicy policy, std::uint64_t large) {
    HostTopology host = server();
    for (HostNode& node : host.nodes) node.hugepages = {{kSmall, 4096, 4096}, {kLarge, 16, large}};
    Config config = config_for("a");
    config.engine.max_orders = size == PageSize::two_mib ? 1u << 24 : 1000;
    config.page_size = size;
    config.hugepages = policy;
    return make_plan(host, {config}).memory.back();
  };
  using State = MemoryNeed::State;
  const MemoryNeed small = partition(PageSize::two_mib, HugepagePolicy::automatic, 16);
  EXPECT_GE(small.wish.bytes, kLarge) << "of itself it would go to 1 GiB pages";
  EXPECT_EQ(std::pair(small.page_bytes, small.state), std::pair(kSmall, State::fits));
  const MemoryNeed large = partition(PageSize::one_gib, HugepagePolicy::automatic, 16);
  EXPECT_LT(large.wish.bytes, kLarge);
  EXPECT_EQ(std::pair(large.page_bytes, large.state), std::pair(kLarge, State::fits));
  EXPECT_EQ(partition(PageSize::one_gib, HugepagePolicy::automatic, 0).state, State::smaller_pages);
  EXPECT_EQ(partition(PageSize::one_gib, HugepagePolicy::required, 0).state, State::refused);
}

TEST(Plan, DpdksBuffersOnASecondNodeAndRecordingsAreCountedThere) {
  HostTopology host = server();
  for (HostNode& node : host.nodes) node.hugepages = {{std::uint64_t{2} << 20, 4096, node.number == 1 ? 15u : 4096u}};
  const std::vector<Config> configs = {config_for("a", "18:00.0"), config_for("b", "17:00.0")};
  const auto rows = [&](bool recording) {
    std::vector<std::pair<std::string, int>> found;
    for (const MemoryNeed& need : make_plan(host, configs, std::nullopt, recording).memory) {
      found.emplace_back(need.wish.what, need.wish.node);
    }
    return found;
  };
  using Rows = std::vector<std::pair<std::string, int>>;
  EXPECT_EQ(rows(false), (Rows{{"DPDK", 0}, {"partition a", 0}, {"buffers b", 1}, {"partition b", 1}}));
  EXPECT_EQ(rows(true), (Rows{{"DPDK", 0},
                              {"recording a", 0},
                              {"partition a", 0},
                              {"buffers b", 1},
                              {"recording b", 1},
                              {"partition b", 1}}));
  EXPECT_EQ(make_plan(host, configs).memory[2].state, MemoryNeed::State::ordinary_pages) << "15 pages are not enough";
  // A device of no node of its own is where DPDK is.
  EXPECT_EQ(make_plan(host, {config_for("a", "18:00.0"), config_for("b", "net_af_packet0,iface=ens1f0")}).memory.size(),
            3u);
}

TEST(Plan, AFaultNamesFileAndKey) {
  const auto error_of = [](std::vector<Config> configs) -> std::string {
    try {
      make_plan(server(), configs);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "";
  };
  Config a = config_for("a");
  Config b = config_for("b");
  a.placement.stages[1] = b.placement.stages[0] = 3;
  b.lines["placement.receive"] = 7;
  EXPECT_EQ(error_of({a, b}).substr(0, 60), "b.toml:7: placement.receive: core 3 is polled by partition a");
  a = config_for("a");
  a.placement.control = 0;
  b = config_for("b");
  b.placement.control = 1;
  EXPECT_TRUE(has(error_of({a, b}), "b.toml:1: placement.control: is 1 and another file's is 0")) << error_of({a, b});
  b.placement.control = 99;
  a.placement.control.reset();
  EXPECT_TRUE(has(error_of({a, b}), "b.toml:1: placement.control: core 99 does not exist")) << error_of({a, b});
}

TEST(Plan, PicturesShowEachStageOnce) {
  HostTopology host = server();
  apply_lists(host, {{10, 11, 12, 13, 14, 15}, {}, {}});
  host.cpus[2].allowed = false;
  Config unsafe = config_for("a<&'b", "17:00.0");
  const Plan plan = make_plan(host, {unsafe});
  const std::string ascii = plan_ascii(plan);
  for (const char* const word : {"[0,1 control]", "[10*,11* receive]", "[12*,13* match]", "[14*,15* transmit+publish]",
                                 "package 1", "L3 1", "ens1f0 0000:17:00.0 in use", "memory of a<&'b"}) {
    EXPECT_TRUE(has(ascii, word)) << word << "\n" << ascii;
  }
  std::size_t begin = 0;
  for (std::size_t end; (end = ascii.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const std::string line = ascii.substr(begin, end - begin);
    EXPECT_EQ(line.front() == '[' ? 100u : line.size(), 100u) << line;
  }
  const std::string svg = plan_svg(plan);
  for (const char* const stage : {">receive<", ">match<", ">transmit<", ">publish<", ">control<"}) {
    EXPECT_TRUE(has(svg, stage)) << stage;
  }
  EXPECT_TRUE(has(svg, "a&lt;&amp;&#39;b"));
  EXPECT_FALSE(has(svg, "a<&"));
}

TEST(Plan, LinesOfAStartHaveAStageEachAndTheWarnings) {
  const std::string lines = placement_lines(make_plan(server(), {config_for("a", "17:00.0")}));
  for (const char* const word :
       {"receive      core 8: ", "match        core 10: ", "transmit     core 12: ",
        "publish      core 12: shares transmit's core", "control      core 0: ", "warning      a: "}) {
    EXPECT_TRUE(has(lines, word)) << word << "\n" << lines;
  }
}

// --- the command ---

TEST_F(PlanCommand, PlansForThisHostWithoutAConfiguration) {
  const test::Ran ran = plan("--ascii --svg " + path("plan.svg"));
  EXPECT_EQ(ran.status, 0) << ran.output;
  for (const char* const word : {"host         this host", "default    receive", "control", "memory", "+- "}) {
    EXPECT_TRUE(has(ran.output, word)) << word << "\n" << ran.output;
  }
  EXPECT_GT(std::filesystem::file_size(path("plan.svg")), 500u);
  EXPECT_FALSE(std::filesystem::exists(path("plan.svg.part")));
}

TEST_F(PlanCommand, JsonIsJson) {
  const std::string python =
      "python3 -c 'import json,sys; plan=json.load(sys.stdin); p=plan[\"partitions\"][0]; "
      "print([s[\"stage\"] for s in p[\"stages\"]], sorted(plan), p[\"name\"], len(plan[\"host\"][\"cores\"]) > 0)'";
  const test::Ran ran = test::shell(program_ + " plan --json --config '" + config("od\"d.toml") + "' | " + python);
  EXPECT_EQ(ran.output,
            "['receive', 'match', 'transmit', 'publish'] ['control', 'host', 'housekeeping', 'memory', 'partitions', "
            "'polled_already', 'warnings'] od\"d True\n");
}

TEST_F(PlanCommand, ShowsTheDay) {
  std::ofstream(path("random.key")) << "000102030405060708090a0b0c0d0e0f\n";
  std::filesystem::permissions(path("random.key"), std::filesystem::perms::owner_read);
  std::ofstream(config("a.toml"), std::ios::app)
      << "[time]\nzone = \"Europe/Berlin\"\nrandom_key_file = \"random.key\"\n[calendar]\nholidays = [2026-12-25]\n"
         "[[phase]]\nat = \"-1d 20:00:00\"\nstate = \"continuous\"\n"
         "[[phase]]\nat = \"17:30:00\"\nstate = \"closed\"\nsymbol = \"AAA\"\nrandom_seconds = 30\n";
  const std::string file = "--config " + path("a.toml");
  const test::Ran monday = plan(file + " --date 2026-03-30");
  EXPECT_EQ(monday.status, 0) << monday.output;
  for (const std::string line : {
           "day          a: 2026-03-30 (Monday) in Europe/Berlin, 24 h\n",
           "counts from  2026-03-29 00:00:00 = 2026-03-28 23:00:00 UTC\n",
           "begins       2026-03-29 20:00:00 = 2026-03-29 18:00:00 UTC\n",
           "ends         2026-03-30 20:00:00 = 2026-03-30 18:00:00 UTC\n",
           "continuous   2026-03-29 20:00:00  2026-03-29 18:00:00  19:00:00.000        all\n",
           "closed       2026-03-30 17:30:00  2026-03-30 15:30:00  40:30:00.000        AAA, up to 30 s later\n",
       }) {
    EXPECT_TRUE(has(monday.output, line)) << line << "of:\n" << monday.output;
  }
  const test::Ran holiday = plan(file + " --date 2026-12-25");
  EXPECT_TRUE(has(holiday.output, "no trading   holiday; the next trading date is 2026-12-28\n")) << holiday.output;
  const test::Ran today = plan(file);
  EXPECT_TRUE(has(today.output, "day          a: 20")) << today.output;
  expect_failure(file + " --date 2026-13-01", "--date 2026-13-01: is no date; give one as 2026-12-24");
  expect_failure("--date 2026-12-24", "", 2);
  std::ofstream(config("b.toml"), std::ios::app) << "[time]\nmidnight = 2026-01-31T00:00:00Z\n";
  expect_failure("--config " + path("b.toml") + " --date 2026-12-24", "time.midnight: names the one day that there is");
}

TEST_F(PlanCommand, PlansForAHostThatWasSavedElsewhere) {
  ASSERT_EQ(plan("--save " + path("host.xml")).status, 0);
  const test::Ran ran =
      plan("--topology " + path("host.xml") + " --isolated " + std::to_string(allowed_cores().back()));
  EXPECT_EQ(ran.status, 0) << ran.output;
  EXPECT_TRUE(has(ran.output, "host         " + path("host.xml")));
  EXPECT_TRUE(has(ran.output, "isolated     " + std::to_string(allowed_cores().back()))) << ran.output;
  EXPECT_TRUE(has(ran.output, "  isolated")) << ran.output;
}

TEST_F(PlanCommand, TakesNoOtherHostForThisOneBecauseOfTheEnvironment) {
  // hwloc would describe it, and `run` would bind its threads to cores of it: to none.
  const std::string config_file = config("a.toml");
  for (const std::string& command : {std::string("plan"), "run --config " + config_file}) {
    const test::Ran ran = test::shell("HWLOC_SYNTHETIC='core:64 pu:1' timeout 60 " + program_ + " " + command);
    EXPECT_EQ(ran.status, 1) << ran.output;
    EXPECT_TRUE(has(ran.output, "hwloc is told to describe another host")) << ran.output;
    EXPECT_EQ(std::count(ran.output.begin(), ran.output.end(), '\n'), 1) << ran.output;
  }
}

TEST_F(PlanCommand, SaysInOneLineWhatCannotBePlanned) {
  std::ofstream(path("garbage.xml")) << "no host";
  expect_failure("--topology " + path("none.xml"), "none.xml: No such file");
  expect_failure("--topology " + path("garbage.xml"), "garbage.xml: is no hwloc XML file");
  expect_failure("--config " + path("none.toml"), "none.toml");
  expect_failure("--nic-node 99", "--nic-node 99: there is no such node; give one of 0");
  expect_failure("--isolated 3-", "--isolated 3-: is no list of cores");
  expect_failure("--isolated 9999", "--isolated 9999: there is no core 9999");
  expect_failure("--config " + config("a.toml", "match = 4000"), "a.toml:5: placement.match: core 4000 does not exist");
  expect_failure("--config " + config("a.toml", "core = 4000"), "a.toml:5: placement.core: core 4000 does not exist");
  expect_failure("--config " + config("a.toml", "node = 77"), "a.toml:5: placement.node: NUMA node 77 does not exist");
  expect_failure("--svg /nowhere/plan.svg", "/nowhere/plan.svg");
  expect_failure("--config " + config("a.toml", "", "0000:fe:1f.7"),
                 "a.toml:2: port.device: 0000:fe:1f.7 is no PCI device of this host; ");
  expect_failure("--svg -", "stdout is for the figures", 2);
  const std::string core = "core = " + std::to_string(allowed_cores().back());
  expect_failure(
      "--config " + config("a.toml", core) + " --config " + config("b.toml", core),
      "b.toml:5: placement.core: core " + std::to_string(allowed_cores().back()) + " is polled by partition a");
  expect_failure("--config " + config("a.toml") + " --svg " + path("a.toml"), "a.toml would be overwritten");
  expect_failure("--svg " + path("x") + " --save " + path("x"), "x: is written twice; give each output a file of its");
  expect_failure("--save " + path("x") + " --svg " + path("./x"), "x: is written twice");
  expect_failure("--svg " + path("x.part") + " --save " + path("x"), "x: is written twice");
  expect_failure("--topology " + path("x") + " --save " + path("x"), "x would be overwritten");
  EXPECT_FALSE(std::filesystem::exists(path("x")));
  std::ofstream(path("x")) << "there";
  std::filesystem::create_symlink(path("x"), path("link"));
  expect_failure("--svg " + path("link") + " --save " + path("x"), "x: is written twice");
  expect_failure("--svg " + path("link") + " --save " + path("x.part"), "x.part: is written twice");
  expect_failure("--json --ascii", "", 2);
  expect_failure("--nic-node x", "", 2);
  expect_failure("--config ''", "", 2);
}

}  // namespace
}  // namespace crosswire
