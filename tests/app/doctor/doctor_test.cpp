// The doctor over hosts of our own making, each fault by itself, garbage in every file; the jitter probe over a counter
// of our own; and the command as an operator meets it.
#include "app/doctor/doctor.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <thread>

#include "hugepages/host/pinning.hpp"
#include "netstack/port/tsc_clock.hpp"
#include "tests/app/doctor/host_tree.hpp"
#include "tests/app/program.hpp"
#include "tests/seed.hpp"

namespace crosswire {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

class Doctor : public ::testing::Test {
 protected:
  void SetUp() override {
    // Hundreds of small files, many times over: in memory where that is to be had.
    const bool memory = access("/dev/shm", W_OK) == 0;
    const std::filesystem::path folder = memory ? "/dev/shm" : std::filesystem::temp_directory_path();
    std::string name = (folder / "crosswire-doctor-XXXXXX").string();
    root_ = mkdtemp(name.data());
    needs_.cores = {2, 3};
    needs_.devices = {"0000:3b:00.0"};
    needs_.memory = {{.what = "DPDK", .node = 0, .bytes = 256 * kMiB, .dpdk = true},
                     {.what = "partition one", .node = 0, .bytes = 700 * kMiB}};
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  DoctorResults examine_tree(const test::HostTree& tree) {
    std::filesystem::remove_all(root_);
    std::filesystem::create_directories(root_);
    test::write_tree(tree, root_);
    return examine(HostFiles(root_), needs_);
  }

  static std::set<std::string> names(const DoctorResults& results, DoctorState state) {
    std::set<std::string> found;
    for (const DoctorResult& result : results) {
      if (result.state == state) found.insert(result.name);
    }
    return found;
  }

  static const DoctorResult& named(const DoctorResults& results, const std::string& name) {
    const auto found =
        std::find_if(results.begin(), results.end(), [&](const auto& result) { return result.name == name; });
    EXPECT_NE(found, results.end()) << name;
    static const DoctorResult kNone{};
    return found == results.end() ? kNone : *found;
  }

  std::filesystem::path root_;
  DoctorNeeds needs_;
};

using Names = std::set<std::string>;

TEST_F(Doctor, FindsNothingOnAServerThatIsWellTuned) {
  const DoctorResults results = examine_tree(test::tuned_server());
  EXPECT_EQ(names(results, DoctorState::finding), Names{});
  EXPECT_EQ(names(results, DoctorState::not_told), Names{});
  EXPECT_EQ(exit_code_of({.results = results}), 0);
}

TEST_F(Doctor, FindsEveryFaultOfAServerFromTheShop) {
  const DoctorResults results = examine_tree(test::untuned_server());
  EXPECT_EQ(names(results, DoctorState::finding),
            (Names{"isolation",     "nohz_full",     "rcu_nocbs", "irqs",        "irq_default",    "irqbalance",
                   "governor",      "c_states",      "smt",       "workqueue",   "hugepages",      "memlock",
                   "thp",           "swap",          "ksm",       "clocksource", "numa_balancing", "nmi_watchdog",
                   "soft_watchdog", "stat_interval", "nic_driver"}));
  EXPECT_EQ(exit_code_of({.results = results}), 1);
  for (const DoctorResult& result : results) {
    if (result.state != DoctorState::finding) continue;
    EXPECT_FALSE(result.is.empty() || result.should.empty() || result.costs.empty() || result.remedy.empty())
        << result.name;
    EXPECT_EQ(result.tune, result.remedy.find("scripts/tune apply") == 0) << result.name << ": " << result.remedy;
  }
}

TEST_F(Doctor, NamesInterruptsThatNobodyCanMoveAndFindsOnlyTheOthers) {
  test::HostTree tree = test::tuned_server();
  tree.files["proc/irq/30/effective_affinity_list"] = "3";
  tree.files["proc/irq/30/smp_affinity_list"] = "3";
  tree.files["proc/irq/25/smp_affinity_list"] = "0-3";
  tree.files["run/crosswire-host/tune.refused"] = "/proc/irq/25/smp_affinity_list";  // at the attempt
  const auto examined = [&](bool managed) {
    std::filesystem::remove_all(root_);
    test::write_tree(tree, root_);
    const auto mode = managed ? std::filesystem::perms::owner_read : std::filesystem::perms::owner_all;
    std::filesystem::permissions(root_ / "proc/irq/30/smp_affinity_list", mode);
    return examine(HostFiles(root_), needs_);
  };
  const DoctorResults kept = examined(true);
  EXPECT_EQ(names(kept, DoctorState::finding), Names{});
  const DoctorResult& line = named(kept, "irqs_kept");
  EXPECT_EQ(line.state, DoctorState::information);
  EXPECT_EQ(line.is.find("2 interrupts of polling cores cannot be moved"), 0u) << line.is;
  EXPECT_NE(line.is.find("25 (nvme0q25), 30 (nvme0q30)"), std::string::npos) << line.is;
  const DoctorResults movable = examined(false);
  EXPECT_EQ(names(movable, DoctorState::finding), Names{"irqs"});
  EXPECT_EQ(named(movable, "irqs").is, "1 interrupts arrive on polling cores: 30 (nvme0q30)");
}

TEST_F(Doctor, HasNothingToFixWhereAnInterruptIsSentElsewhereAlready) {
  test::HostTree tree = test::tuned_server();
  tree.files["proc/irq/30/effective_affinity_list"] = "3";  // until its next one
  const DoctorResults results = examine_tree(tree);
  EXPECT_EQ(names(results, DoctorState::finding), Names{});
  EXPECT_EQ(named(results, "irqs_leaving").is,
            "1 interrupts are sent to other cores, and come to a polling core once more at most: 30 (nvme0q30)");
}

TEST_F(Doctor, FindsEachFaultByItself) {
  const std::string cpu = "sys/devices/system/cpu/";
  const struct {
    std::string file, text, finding;
  } kFaults[] = {
      {cpu + "online", "0-2,4-15", "cores"},
      {cpu + "nohz_full", "2", "nohz_full"},
      {"proc/irq/30/smp_affinity_list", "0-3", "irqs"},
      {"proc/irq/default_smp_affinity", "00000000,00000004", "irq_default"},
      {cpu + "cpu3/cpufreq/scaling_governor", "powersave", "governor"},
      {cpu + "cpu3/cpuidle/state2/disable", "0", "c_states"},
      {cpu + "cpu2/topology/thread_siblings_list", "2-3", "smt"},
      {cpu + "cpu2/topology/thread_siblings_list", "2,12", "smt"},
      {"sys/devices/virtual/workqueue/cpumask", "8", "workqueue"},
      {"proc/77/comm", "irqbalance", "irqbalance"},
      {"sys/devices/system/node/node0/hugepages/hugepages-2048kB/free_hugepages", "477", "hugepages"},
      {"proc/self/limits", "Max locked memory  1000000  unlimited  bytes", "memlock"},
      {"sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never", "thp"},
      {"proc/swaps", "Filename\n/dev/sda2 partition 1 0 -2", "swap"},
      {"sys/kernel/mm/ksm/run", "1", "ksm"},
      {"proc/cpuinfo", "flags : tsc constant_tsc", "tsc"},
      {"sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet", "clocksource"},
      {"proc/sys/kernel/numa_balancing", "1", "numa_balancing"},
      {"proc/sys/kernel/nmi_watchdog", "1", "nmi_watchdog"},
      {"proc/sys/kernel/watchdog_cpumask", "0-15", "soft_watchdog"},
      {"proc/sys/vm/stat_interval", "1", "stat_interval"},
      {"sys/bus/pci/devices/0000:3b:00.0/numa_node", "1", "nic_node"},
      {"sys/bus/pci/devices/0000:3b:00.0/current_link_width", "8", "nic_slot"},
  };
  for (const auto& fault : kFaults) {
    test::HostTree tree = test::tuned_server();
    tree.files[fault.file] = fault.text;
    EXPECT_EQ(names(examine_tree(tree), DoctorState::finding), Names{fault.finding})
        << fault.file << " = " << fault.text;
  }
  test::HostTree tree = test::tuned_server();
  tree.files[cpu + "isolated"] = "2,10-11";
  EXPECT_EQ(names(examine_tree(tree), DoctorState::finding), Names{"isolation"});
  tree = test::tuned_server();
  tree.files["proc/cmdline"] = "rcu_nocbs=2";
  tree.files[cpu + "nohz_full"] = "2";
  EXPECT_EQ(names(examine_tree(tree), DoctorState::finding), (Names{"nohz_full", "rcu_nocbs"}));
  tree = test::tuned_server();
  tree.links["sys/bus/pci/devices/0000:3b:00.0/driver"] = "x/ice";
  EXPECT_EQ(names(examine_tree(tree), DoctorState::finding), Names{"nic_driver"});
  tree = test::tuned_server();
  tree.links.erase("sys/bus/pci/devices/0000:3b:00.0/iommu_group");
  EXPECT_EQ(names(examine_tree(tree), DoctorState::finding), Names{"iommu"});
}

TEST_F(Doctor, TellsPollingCoresOnSiblingsFromSiblingsThatAreOpen) {
  needs_.cores = {2, 10};
  EXPECT_EQ(named(examine_tree(test::tuned_server()), "smt").weight, DoctorWeight::heavy);
  needs_.cores = {0};
  const DoctorResults results = examine_tree(test::tuned_server());
  EXPECT_EQ(named(results, "smt").weight, DoctorWeight::middling);
  EXPECT_NE(named(results, "smt").is.find("8 of polling cores"), std::string::npos) << named(results, "smt").is;
  EXPECT_EQ(named(results, "cores").state, DoctorState::finding) << "core 0 polls";
}

TEST_F(Doctor, CountsHugepagesAsTheArenasAndDpdkTakeThem) {
  // 256 MiB for DPDK and 700 MiB: 478 pages of 2 MiB. (477 is among the faults.)
  const std::string node0 = "sys/devices/system/node/node0/hugepages/hugepages-";
  test::HostTree tree = test::tuned_server();
  tree.files[node0 + "2048kB/free_hugepages"] = "478";
  EXPECT_EQ(named(examine_tree(tree), "hugepages").state, DoctorState::ok);
  // An arena of a GiB or more goes to 1 GiB pages where they are, else to 2 MiB pages.
  needs_.memory[1].bytes = 1024 * kMiB;
  tree.files[node0 + "2048kB/free_hugepages"] = "639";
  tree.files[node0 + "2048kB/nr_hugepages"] = "700";
  const DoctorResult missing = named(examine_tree(tree), "hugepages");
  EXPECT_EQ(missing.state, DoctorState::finding);
  EXPECT_NE(missing.remedy.find("scripts/hugepages reserve --2m 701 --node 0"), std::string::npos) << missing.remedy;
  tree.files[node0 + "1048576kB/free_hugepages"] = "1";
  EXPECT_EQ(named(examine_tree(tree), "hugepages").state, DoctorState::ok);
  // DPDK too takes a large page, where there are no small ones.
  tree.files[node0 + "2048kB/free_hugepages"] = "0";
  EXPECT_EQ(named(examine_tree(tree), "hugepages").state, DoctorState::finding);
  tree.files[node0 + "1048576kB/free_hugepages"] = "2";
  EXPECT_EQ(named(examine_tree(tree), "hugepages").state, DoctorState::ok);
}

TEST_F(Doctor, WantsLargePagesWhereTheConfigurationDoes) {
  needs_.memory[1].page_size = PageSize::one_gib;
  const DoctorResult missing = named(examine_tree(test::tuned_server()), "hugepages");
  EXPECT_EQ(missing.state, DoctorState::finding);
  EXPECT_NE(missing.remedy.find("reserve --2m 128 --1g 1 --node 0"), std::string::npos) << missing.remedy;
  test::HostTree tree = test::tuned_server();
  tree.files["sys/devices/system/node/node0/hugepages/hugepages-1048576kB/free_hugepages"] = "1";
  EXPECT_EQ(named(examine_tree(tree), "hugepages").state, DoctorState::ok);
}

TEST_F(Doctor, CountsWhatEarlierTakersHaveLeftOnAnyNode) {
  // 1024 pages in all, on node 0: 128 of them for DPDK, anywhere, and 350 there; then 546 are left.
  needs_.memory[0].node = -1;
  needs_.memory.push_back({.what = "last", .node = 0, .bytes = 546 * 2 * kMiB});
  EXPECT_EQ(names(examine_tree(test::tuned_server()), DoctorState::finding), Names{});
  needs_.memory[2].bytes += 1;
  const DoctorResults results = examine_tree(test::tuned_server());
  EXPECT_EQ(names(results, DoctorState::finding), Names{"hugepages"});
}

TEST_F(Doctor, SaysWhatMissingHugepagesComeToByPolicy) {
  needs_.memory.push_back({.what = "two", .node = 1, .bytes = kMiB, .policy = HugepagePolicy::required});
  const DoctorResults results = examine_tree(test::tuned_server());
  const auto finding =
      std::find_if(results.begin(), results.end(), [](const auto& r) { return r.state == DoctorState::finding; });
  ASSERT_NE(finding, results.end());
  EXPECT_NE(finding->is.find("node 1: "), std::string::npos) << finding->is;
  EXPECT_NE(finding->costs.find("does not start"), std::string::npos) << finding->costs;
  needs_.memory = {{.what = "off", .node = 1, .bytes = kMiB, .policy = HugepagePolicy::off}};
  EXPECT_EQ(named(examine_tree(test::tuned_server()), "hugepages").state, DoctorState::information);
}

TEST_F(Doctor, TakesALockLimitForNothingWhereTheUserMayLockAnyway) {
  test::HostTree tree = test::untuned_server();
  tree.files["proc/self/status"] = "CapEff:\t0000000000004000\n";
  EXPECT_EQ(named(examine_tree(tree), "memlock").state, DoctorState::ok);
  tree.files["proc/self/status"] = "CapEff:\t0000000000008000\n";
  EXPECT_EQ(named(examine_tree(tree), "memlock").state, DoctorState::finding);
}

TEST_F(Doctor, ExaminesInterfacesOfKernelDevices) {
  needs_.devices = {"net_af_packet0,iface=eth1", "net_vhost0,iface=/tmp/x.sock", "net_ring0"};
  EXPECT_EQ(names(examine_tree(test::tuned_server()), DoctorState::finding), Names{});
  test::HostTree tree = test::tuned_server();
  tree.files["sys/class/net/eth1/operstate"] = "down";
  EXPECT_EQ(names(examine_tree(tree), DoctorState::finding), Names{"nic_link"});
  for (const char* const device : {"net_af_packet0,iface=eth9", "net_af_packet0,iface=../../x", "0000:ff:00.0"}) {
    needs_.devices = {device};
    EXPECT_EQ(names(examine_tree(test::tuned_server()), DoctorState::finding), Names{"nic"}) << device;
  }
}

TEST_F(Doctor, SaysNotToldWhereFilesAreMissing) {
  const DoctorResults results = examine_tree({});
  EXPECT_EQ(names(results, DoctorState::ok), Names{"irqbalance"});
  EXPECT_EQ(names(results, DoctorState::finding), Names{"nic"});
  // Each file by itself is dispensable: no fault is made up.
  for (const auto& [path, text] : test::tuned_server().files) {
    if (path == "proc/cmdline" || path.find("/cpu1") != std::string::npos ||
        path.find("sys/devices/system/node") == 0 || path.find("/isolated") != std::string::npos)
      continue;
    test::HostTree tree = test::tuned_server();
    tree.files.erase(path);
    EXPECT_EQ(names(examine_tree(tree), DoctorState::finding), Names{}) << "without " << path;
  }
}

TEST_F(Doctor, GivesGarbageInAnyFileADefinedAnswer) {
  std::mt19937 random(static_cast<unsigned>(test::seed()));
  const auto garbage = [&random](std::size_t bytes) {
    std::string text(bytes, '\0');
    for (char& c : text) c = static_cast<char>(random());
    return text;
  };
  const std::string kTexts[] = {"",
                                "-1",
                                "99999999999999999999999999",
                                "0-99999999",
                                "3-2",
                                "1,,2",
                                "[",
                                "]x[",
                                "[]",
                                garbage(7),
                                garbage(5000),
                                std::string(3'000'000, '7'),
                                "0-8191,0-8191,0-8191,0-8191,0-8191,0-8191",
                                "\033[2Jx\n"};
  const test::HostTree whole = test::tuned_server();
  test::write_tree(whole, root_);
  for (const auto& [path, good] : whole.files) {
    // One core and one interrupt stand for all.
    const bool other_core = path.find("/cpu/cpu") != std::string::npos && path.find("/cpu2/") == std::string::npos;
    if (other_core || path.find("irq/24") != std::string::npos) continue;
    for (const std::string& text : kTexts) {
      test::write_file(root_ / path, text);
      const DoctorReport report{.cores = needs_.cores, .results = examine(HostFiles(root_), needs_)};
      const std::string said = to_text(report, false);
      EXPECT_TRUE(std::all_of(said.begin(), said.end(), [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); }))
          << path;
      EXPECT_LT(said.size(), 20'000u) << path;
      EXPECT_TRUE(nlohmann::json::accept(to_json(report))) << path;
    }
    test::write_file(root_ / path, good);
  }
  // A pipe where a file should be makes nobody wait; a folder neither.
  std::filesystem::remove(root_ / "proc/cmdline");
  ASSERT_EQ(mkfifo((root_ / "proc/cmdline").c_str(), 0600), 0);
  std::filesystem::remove(root_ / "proc/swaps");
  std::filesystem::create_directory(root_ / "proc/swaps");
  EXPECT_EQ(named(examine(HostFiles(root_), needs_), "swap").state, DoctorState::not_told);
}

TEST_F(Doctor, FindsAClockThatNobodyKeeps) {
  EXPECT_EQ(judge_clock(false).state, DoctorState::ok);
  const DoctorResult found = judge_clock(true);
  EXPECT_EQ(found.state, DoctorState::finding);
  EXPECT_EQ(found.name, "clock");
  EXPECT_FALSE(found.is.empty() || found.should.empty() || found.costs.empty() || found.remedy.empty() || found.tune);
}

TEST_F(Doctor, PrintsFindingsFirstAndTheHeaviestFirst) {
  DoctorReport report{.cores = {2, 3}, .results = examine_tree(test::untuned_server())};
  const std::string text = to_text(report, false);
  EXPECT_EQ(text.find("21 findings: 4 heavy, "), 0u) << text;
  std::size_t last = 0;
  for (const char* const word :
       {"\nheavy ", "\nmiddling ", "\nlight ", "\nscripts/tune apply --cores 2-3 fixes", "\nworth knowing", "\nok: "}) {
    const std::size_t at = text.find(word);
    ASSERT_NE(at, std::string::npos) << word;
    EXPECT_GT(at, last) << word;
    last = at;
  }
  EXPECT_EQ(text.rfind("\nheavy "), text.rfind("\nheavy ", text.find("\nmiddling ")));
  EXPECT_EQ(text.find('\033'), std::string::npos);
  EXPECT_NE(to_text(report, true).find("\033[1;31mheavy"), std::string::npos);
}

TEST(CpuLists, AreReadAsTheKernelWritesThem) {
  EXPECT_EQ(parse_cpu_list("0-2,8\n"), (CpuList{0, 1, 2, 8}));
  EXPECT_EQ(parse_cpu_list("3,1,1-2"), (CpuList{1, 2, 3}));
  EXPECT_EQ(parse_cpu_list(""), CpuList{});
  for (const char* const wrong : {"a", "1-", "-1", "2-1", "1,", ",1", "1 2", "9000", "1-2-3"})
    EXPECT_EQ(parse_cpu_list(wrong), std::nullopt) << wrong;
  EXPECT_EQ(parse_cpu_mask("00000001,80000005"), (CpuList{0, 2, 31, 32}));
  EXPECT_EQ(parse_cpu_mask("0"), CpuList{});
  for (const char* const wrong : {"", "x", "0x1", "1 2"}) EXPECT_EQ(parse_cpu_mask(wrong), std::nullopt) << wrong;
  EXPECT_EQ(format_cpu_list({0, 1, 2, 8, 10, 11}), "0-2,8,10-11");
  EXPECT_EQ(format_cpu_list({}), "none");
}

/// Readings of a counter, one after the other; then it goes on by `step`.
auto counter_of(std::vector<std::uint64_t> readings, std::uint64_t step) {
  return [readings, step, at = std::size_t{0}]() mutable {
    ++at;
    return at <= readings.size() ? readings[at - 1] : readings.back() + step * (at - readings.size());
  };
}

TEST(Jitter, AddsGapsUpExactly) {
  // 1000: begin. Gaps of 100 (too short), 400 (the threshold), 250000 at 1500, 5000, then steps of 10.
  const GapCounter gaps = count_gaps(counter_of({1000, 1100, 1500, 251'500, 256'500}, 10), 300'000, 400);
  EXPECT_EQ(gaps.gaps(), 3u);
  EXPECT_EQ(gaps.stolen(), 255'400u);
  EXPECT_EQ(gaps.worst(), 250'000u);
  EXPECT_EQ(gaps.worst_at(), 500u);
  EXPECT_EQ(gaps.span(), 300'000u);
  EXPECT_EQ(gaps.readings(), 4u + 44'500u / 10);
  const JitterCore core = describe_gaps(7, gaps, 2.0);  // two ticks a nanosecond
  EXPECT_EQ(core.core, 7u);
  EXPECT_DOUBLE_EQ(core.seconds, 150e-6);
  EXPECT_DOUBLE_EQ(core.stolen_percent, 100.0 * 255'400 / 300'000);
  EXPECT_EQ(core.worst_ns, 125'000u);
  EXPECT_DOUBLE_EQ(core.worst_at_s, 250e-9);
  EXPECT_NEAR(static_cast<double>(core.p50_ns), 2500, 2500 / 64.0);
  EXPECT_EQ(core.p99_ns, 125'000u);
  EXPECT_EQ(core.buckets[0], 1u);  // 200 ns
  EXPECT_EQ(core.buckets[3], 1u);  // 2.5 us: from 2 us
  EXPECT_EQ(core.buckets[8], 1u);  // 125 us: from 100 us
}

TEST(Jitter, FindsNothingWhereNothingIsAndSurvivesACounterThatFalls) {
  const GapCounter calm = count_gaps(counter_of({50}, 10), 10'000, 400);
  EXPECT_EQ(calm.gaps(), 0u);
  EXPECT_EQ(describe_gaps(0, calm, 1.0).worst_ns, 0u);
  const GapCounter fallen = count_gaps(counter_of({1000, 2000, 900, 2100}, 10), 3000, 400);
  EXPECT_EQ(fallen.gaps(), 1u);
  EXPECT_EQ(fallen.stolen(), 1000u);
}

TEST(Jitter, FindsAGapThatIsMade) {
  using namespace std::chrono_literals;
  unsigned readings = 0;
  const double ticks_per_ns = TscClock::calibrated().ticks_per_ns();
  const auto clock = [&readings] {
    if (++readings == 2) std::this_thread::sleep_for(30ms);  // before another gap can use up the time to look
    return TscClock::read();
  };
  const GapCounter gaps = count_gaps(clock, static_cast<std::uint64_t>(20e6 * ticks_per_ns),
                                     static_cast<std::uint64_t>(200 * ticks_per_ns));
  const JitterCore core = describe_gaps(0, gaps, ticks_per_ns);
  EXPECT_GE(core.worst_ns, 29'900'000u);
  EXPECT_EQ(judge_jitter({core}, 10'000).state, DoctorState::finding);
}

TEST(Jitter, FindsWhoTakesItsCoreFromIt) {
  const unsigned core = allowed_cores().back();
  std::atomic<bool> end{false};
  std::jthread rival([&] {
    EXPECT_EQ(pin_this_thread(core), "");
    while (!end.load(std::memory_order_relaxed)) {
    }
  });
  const auto found = probe_jitter({{core}, 0.3, 200});
  end = true;
  ASSERT_EQ(found.size(), 1u);
  EXPECT_GT(found[0].preempted, 0u);
  EXPECT_GT(found[0].worst_ns, 100'000u);
  EXPECT_GE(found[0].seconds, 0.3 * (1 - 1e-6));  // whole ticks of the counter
  EXPECT_NE(judge_jitter(found, 10'000).remedy.find("other threads"), std::string::npos);
}

TEST(Jitter, SaysWhichCoreCannotBeHad) {
  try {
    probe_jitter({{4000}, 0.1, 200});
    FAIL() << "core 4000";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("core 4000"), std::string::npos) << error.what();
  }
}

TEST(Jitter, JudgesByTheWorstCoreAndSaysWhereToLook) {
  JitterCore calm{.core = 2, .worst_ns = 9'000};
  JitterCore hit{.core = 3, .worst_ns = 11'000};
  EXPECT_EQ(judge_jitter({calm}, 10'000).state, DoctorState::ok);
  EXPECT_NE(judge_jitter({calm, hit}, 10'000).is.find("core 3"), std::string::npos);
  EXPECT_NE(judge_jitter({calm, hit}, 10'000).remedy.find("SMI"), std::string::npos);
  hit.interrupts = {{"LOC", 5}, {"24 eth0-rx", 90}};
  EXPECT_NE(judge_jitter({calm, hit}, 10'000).remedy.find("24 eth0-rx 90, LOC 5"), std::string::npos);
}

TEST(Jitter, ReadsInterruptsByCore) {
  const auto counts = parse_interrupts(
      "            CPU0       CPU2       \n"
      "  0:         10          0   IO-APIC   2-edge      timer\n"
      " 24:          1         20   PCI-MSI 512-edge      eth0-rx-0\n"
      "LOC:        100        200   Local timer interrupts\n"
      "ERR:          7\n");
  EXPECT_EQ(counts.at(2).at("24 eth0-rx-0"), 20u);
  EXPECT_EQ(counts.at(2).at("LOC"), 200u);
  EXPECT_EQ(counts.at(0).at("0 timer"), 10u);
  EXPECT_EQ(counts.at(0).count("ERR"), 0u);
  EXPECT_TRUE(parse_interrupts("").empty());
  EXPECT_TRUE(parse_interrupts("what is this\n1: 2\n").empty());
}

class DoctorCommand : public Doctor {
 protected:
  void SetUp() override {
    Doctor::SetUp();
    program_ = test::program();
    if (program_.empty()) GTEST_SKIP() << "CROSSWIRE does not name the program: run it by meson test";
  }
  test::Ran doctor(const std::string& arguments) const { return test::shell(program_ + " doctor " + arguments); }
  std::string program_;
};

TEST_F(DoctorCommand, EndsWithZeroWhereThereIsNothingToFixAndWithOneElse) {
  test::write_tree(test::tuned_server(), root_);
  const test::Ran clean = doctor("--root " + root_.string() + " --cores 2-3");
  EXPECT_EQ(clean.status, 0) << clean.output;
  EXPECT_EQ(clean.output.find("nothing to fix\npolling cores 2-3 (of --cores)\n"), 0u) << clean.output;
  // Nobody names cores: what is isolated is for polling; siblings then poll, too, which is a finding.
  const test::Ran guessed = doctor("--root " + root_.string());
  EXPECT_EQ(guessed.status, 1) << guessed.output;
  EXPECT_NE(guessed.output.find("polling cores 2-3,10-11 (these are isolated"), std::string::npos) << guessed.output;
}

TEST_F(DoctorCommand, PrintsJsonThatHoldsTheSame) {
  test::write_tree(test::untuned_server(), root_);
  const test::Ran ran = doctor("--json --root " + root_.string() + " --cores 2-3");
  EXPECT_EQ(ran.status, 1);
  const nlohmann::json json = nlohmann::json::parse(ran.output);
  EXPECT_EQ(json["cores"], (std::vector<int>{2, 3}));
  EXPECT_EQ(json["findings"].size(), 19u);  // without a configuration neither NIC nor hugepages
  EXPECT_EQ(json["findings"][0]["weight"], "heavy");
  EXPECT_TRUE(json["jitter"].is_null());
}

TEST_F(DoctorCommand, TakesCoresDeviceAndMemoryFromTheConfiguration) {
  test::write_tree(test::tuned_server(), root_);
  const std::string config = root_ / "c.toml";
  test::write_file(
      config,
      "[port]\naddress = \"10.99.0.1\"\ndevice = \"0000:3b:00.0\"\n[placement]\ncore = 3\n"
      "[[symbol]]\nname = \"A\"\nreference_price_e4 = 100\ntick_e4 = 1\n[[account]]\nuser = \"a\"\npassword = \"b\"\n");
  std::filesystem::permissions(config, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  const test::Ran ran = doctor("--json --root " + root_.string() + " --config " + config);
  EXPECT_EQ(ran.status, 0) << ran.output;
  const nlohmann::json json = nlohmann::json::parse(ran.output);
  EXPECT_EQ(json["cores"], (std::vector<int>{3}));
  std::string ok;
  for (const auto& result : json["ok"]) ok += result["is"].get<std::string>() + "\n";
  EXPECT_NE(ok.find("0000:3b:00.0: vfio-pci"), std::string::npos) << ok;
  EXPECT_NE(ok.find("wanted: DPDK 256 MiB, partition c "), std::string::npos) << ok;
  const test::Ran recording = doctor("--json --record --root " + root_.string() + " --config " + config);
  EXPECT_NE(recording.output.find("wanted: DPDK 256 MiB, recording c 16 MiB, partition c "), std::string::npos)
      << recording.output;
}

TEST_F(DoctorCommand, RunsOnThisHost) {
  const test::Ran ran = doctor("--json --seconds 0.1");
  ASSERT_TRUE(ran.status == 0 || ran.status == 1) << ran.output;
  const nlohmann::json json = nlohmann::json::parse(ran.output);
  // Another test may have an appliance on that core, which is told then.
  EXPECT_NE(json["jitter"].is_null(), json.dump().find("so it is not probed") == std::string::npos) << ran.output;
  // Of this host's clock it tells; of another host's files it cannot.
  const auto tells_of_the_clock = [](const nlohmann::json& visit) {
    std::size_t results = 0;
    for (const char* const state : {"findings", "ok"}) {
      for (const auto& result : visit[state]) results += result["name"] == "clock" ? 1 : 0;
    }
    return results;
  };
  EXPECT_EQ(tells_of_the_clock(json), 1u) << ran.output;
  test::write_tree(test::tuned_server(), root_);
  const test::Ran other = doctor("--json --cores 2-3 --root " + root_.string());
  EXPECT_EQ(tells_of_the_clock(nlohmann::json::parse(other.output)), 0u) << other.output;
}

TEST_F(DoctorCommand, ExplainsInOneLineWhatItCannotDo) {
  for (const std::string arguments :
       {"--cores x", "--cores 3-1", "--cores ''", "--cores 4000", "--config /nowhere.toml"}) {
    const test::Ran ran = doctor(arguments + " --seconds 0.01");
    if (arguments == "--cores ''") continue;  // as if it were left out
    EXPECT_EQ(ran.status, 1) << arguments;
    EXPECT_EQ(std::count(ran.output.begin(), ran.output.end(), '\n'), 1) << ran.output;
  }
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  // Memory for some of the probe's threads: they must not wait for the others.
  const test::Ran few = test::shell("ulimit -s 65536; ulimit -v 3000000; timeout 60 " + program_ +
                                    " doctor --cores 100-199 --seconds 0.01");
  EXPECT_EQ(few.status, 1);
  EXPECT_EQ(few.output.find("crosswire doctor: cannot start a thread for each of 100 cores: "), 0u) << few.output;
  EXPECT_EQ(std::count(few.output.begin(), few.output.end(), '\n'), 1) << few.output;
#endif
  for (const std::string arguments : {"--seconds -1", "--root /nowhere", "--fast", "--gap-threshold 0"}) {
    EXPECT_EQ(doctor(arguments).status, 2) << arguments;
  }
  EXPECT_EQ(doctor("--help").status, 0);
}

}  // namespace
}  // namespace crosswire
