// The start of DPDK: what arguments come of which options, and that trouble is one line. DPDK starts once per process,
// so whatever starts it does so in a child.
#include "netstack/port/eal.hpp"

#include <grp.h>
#include <linux/capability.h>
#include <rte_log.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <functional>

#include "hugepages/base/notice.hpp"
#include "netstack/port/capture.hpp"
#include "netstack/port/device.hpp"
#include "netstack/port/kernel_interface.hpp"
#include "port_testing.hpp"

namespace crosswire::eal_test {
namespace {

constexpr EalHost kWithHugepages{std::size_t{1} << 30, 3};
constexpr EalHost kWithout{0, 3};

bool has(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// What `work` returns in a child process, or what became of the child. DPDK's run-time folder is one of the test's
/// own.
std::string in_child(const std::function<std::string()>& work) {
  const TemporaryFolder folder;
  std::filesystem::permissions(folder.file(""), std::filesystem::perms::all);
  int ends[2];
  if (pipe(ends) != 0) return "no pipe";
  const pid_t child = fork();
  if (child == 0) {
    setenv("RUNTIME_DIRECTORY", folder.file("").c_str(), 1);
    const std::string said = work();
    const bool written = write(ends[1], said.data(), said.size()) == static_cast<ssize_t>(said.size());
    _exit(written ? 0 : 1);
  }
  close(ends[1]);
  std::string said;
  char buffer[4096];
  for (ssize_t got = 0; (got = read(ends[0], buffer, sizeof buffer)) > 0;)
    said.append(buffer, static_cast<std::size_t>(got));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return status == 0 ? said : "child ended with status " + std::to_string(status) + " " + said;
}

EalOptions small(const std::vector<std::string>& devices) {
  EalOptions options;
  options.devices = devices;
  options.hugepages = HugepagePolicy::off;
  options.file_prefix = "crosswire_test";
  options.memory_mb = 64;
  return options;
}

void become_ordinary_user() {
  constexpr uid_t kNobody = 65'534;
  if (geteuid() != 0) return;
  if (setgroups(0, nullptr) != 0 || setgid(kNobody) != 0 || setuid(kNobody) != 0) _exit(3);
}

TEST(EalArguments, WithoutHugepagesUseOrdinaryPagesAndLeaveNoFiles) {
  EalOptions options = small({"net_ring0"});
  options.hugepages = HugepagePolicy::automatic;
  EXPECT_EQ(eal_arguments(options, kWithout),
            (std::vector<std::string>{"--log-level=*:error", "--file-prefix=crosswire_test", "--lcores=0@3", "-m", "64",
                                      "--no-huge", "--no-shconf", "--vdev=net_ring0", "--no-pci", "--iova-mode=va"}));
}

TEST(EalArguments, WithHugepagesNeedNoMountOfThem) {
  EalOptions options = small({"net_ring0"});
  options.hugepages = HugepagePolicy::automatic;
  const auto words = eal_arguments(options, kWithHugepages);
  EXPECT_TRUE(has(words, "--in-memory"));
  EXPECT_FALSE(has(words, "--no-huge")) << "DPDK refuses the two together";
  options.hugepages = HugepagePolicy::off;
  EXPECT_TRUE(has(eal_arguments(options, kWithHugepages), "--no-huge"));
  options.hugepages = HugepagePolicy::automatic;
  options.memory_mb = 2'000;
  EXPECT_TRUE(has(eal_arguments(options, kWithHugepages), "--no-huge")) << "too few of them";
}

TEST(EalArguments, AllowPciDevicesByFullAddressAndLeaveTheBusOnForThem) {
  const auto words = eal_arguments(small({"3b:00.0,promisc=0", "net_memif0,role=server"}), kWithHugepages);
  const auto allowed = std::find(words.begin(), words.end(), "-a");
  ASSERT_NE(allowed, words.end());
  EXPECT_EQ(*(allowed + 1), "0000:3b:00.0,promisc=0");
  EXPECT_TRUE(has(words, "--vdev=net_memif0,role=server"));
  EXPECT_FALSE(has(words, "--no-pci"));
  EXPECT_FALSE(has(words, "--iova-mode=va"));
}

TEST(EalArguments, GiveVirtioUserSingleFileSegments) {
  EXPECT_TRUE(has(eal_arguments(small({"net_virtio_user0,path=/x"}), kWithout), "--single-file-segments"));
  EXPECT_FALSE(has(eal_arguments(small({"net_vhost0,iface=/x"}), kWithout), "--single-file-segments"));
}

TEST(EalArguments, EndWithTheOperatorsOwn) {
  EalOptions options = small({});
  options.extra_args = {"--log-level=debug", "--legacy-mem"};
  options.main_core = 7;
  const auto words = eal_arguments(options, kWithout);
  ASSERT_GE(words.size(), 2u);
  EXPECT_EQ(words[words.size() - 2], "--log-level=debug");
  EXPECT_EQ(words.back(), "--legacy-mem");
  EXPECT_TRUE(has(words, "--lcores=0@7"));
}

TEST(DeviceNames, AreThePartBeforeTheArgumentsOrTheFullPciAddress) {
  EXPECT_EQ(device_name("net_af_packet0,iface=veth1"), "net_af_packet0");
  EXPECT_EQ(device_name("net_ring0"), "net_ring0");
  EXPECT_EQ(device_name("3b:00.1"), "0000:3b:00.1");
  EXPECT_EQ(device_name("0001:3b:00.0,a=b"), "0001:3b:00.0");
  EXPECT_EQ(pci_address("net_ring0"), "");
  EXPECT_EQ(pci_address("3b:00"), "");
  EXPECT_EQ(pci_address("3b:00.8"), "") << "functions are 0 .. 7";
  EXPECT_EQ(pci_address("123:3b:00.0"), "") << "a domain has four digits";
  EXPECT_EQ(pci_address("x:3b:00.0"), "");
  EXPECT_EQ(pci_address(""), "");
}

/// A device that brings what it sends back to itself, and one frame around it.
std::string send_a_frame_around() {
  const std::string error = eal_start(small({"net_ring0"}));
  if (!error.empty()) return error;
  {
    Device device({.device = "net_ring0"});
    const SharedClock clock(TscClock::calibrated());
    DeviceRxPort rx(device, clock, midnight_utc(clock.read().now_epoch_ns()));
    DeviceTxPort tx(device);
    if (!send(tx, numbered_frame(42)) || tx.flush() != 1) return "not sent";
    const RxBurst burst = rx.receive();
    if (burst.frames.size() != 1 || bytes_of(burst.frames[0]) != numbered_frame(42)) return "not received";
  }
  eal_stop();
  return "all well";
}

TEST(Eal, StartsAndCarriesFramesForAnOrdinaryUserWithoutHugepages) {
  EXPECT_EQ(in_child([] {
              become_ordinary_user();
              return send_a_frame_around();
            }),
            "all well");
}

TEST(Eal, LeavesTheCallingThreadOnTheCoresItMayRunOn) {
  EXPECT_EQ(in_child([]() -> std::string {
              cpu_set_t before;
              cpu_set_t after;
              sched_getaffinity(0, sizeof before, &before);
              const std::string error = eal_start(small({"net_ring0"}));
              sched_getaffinity(0, sizeof after, &after);
              return error + (CPU_EQUAL(&before, &after) ? "the same" : "others");
            }),
            "the same");
}

TEST(Eal, StartsOncePerProcess) {
  const std::string said = in_child([] {
    const std::string error = eal_start(small({"net_ring0"}));
    eal_stop();
    return error + eal_start(small({"net_ring0"}));
  });
  EXPECT_NE(said.find("already started"), std::string::npos) << said;
}

TEST(Eal, TellsInOneLineThatADeviceCannotBeHad) {
  for (const char* device : {"net_af_packet0,iface=no_such_if", "no_such_driver0", "0000:ff:1f.7"}) {
    const std::string said = in_child([device] {
      become_ordinary_user();
      return eal_start(small({device}));
    });
    EXPECT_NE(said.find(device), std::string::npos) << said;
    EXPECT_EQ(said.find('\n'), std::string::npos) << said;
  }
}

/// Interfaces of the kernel, in a network namespace of the test's own. The device itself need not come up.
class EalInterfaces : public testing::Test {
 protected:
  /// What eal_start() says of `device` in a child, with `script` run before, while another process holds `held`.
  static std::string start_beside(const std::string& held, const std::string& device, const std::string& script = "") {
    return in_child([&]() -> std::string {
      if (unshare(CLONE_NEWNET) != 0) return "no namespace";
      if (!script.empty() && std::system((script + " > /dev/null 2>&1").c_str()) != 0) return "no namespace";
      int ready[2];
      if (pipe(ready) != 0) return "no pipe";
      const pid_t holder = fork();
      if (holder == 0) {
        const std::string said = eal_start(small({held}));
        const bool told = write(ready[1], "x", 1) == 1;
        pause();
        _exit(told ? 0 : 1);
      }
      char byte = 0;
      if (read(ready[0], &byte, 1) != 1) return "the holder has gone";
      std::string said = eal_start(small({device}));
      const std::string pid = "process " + std::to_string(holder) + " polls";
      if (const std::size_t at = said.find(pid); at != std::string::npos) said.replace(at, pid.size(), "it polls");
      kill(holder, SIGKILL);
      waitpid(holder, nullptr, 0);
      return said;
    });
  }
  static constexpr const char* kInUse = " already, and both would answer;";
};

TEST_F(EalInterfaces, BelongToOneProcess) {
  const std::string said = start_beside("net_af_packet0,iface=lo", "net_af_packet1,iface=lo");
  if (said == "no namespace") GTEST_SKIP() << "no network namespaces here";
  EXPECT_EQ(said,
            "device \"net_af_packet1,iface=lo\": it polls interface lo already, and both would answer; end that, or "
            "give this device another");
}

TEST_F(EalInterfaces, AreTheSameByAllTheirNamesAndForBothDrivers) {
  const std::string names = "ip link property add dev lo altname other";
  const std::string said = start_beside("net_af_packet0,iface=lo", "net_af_packet0,iface=other", names);
  if (said == "no namespace") GTEST_SKIP() << "no network namespaces or no second names here";
  EXPECT_NE(said.find("it polls interface other" + std::string(kInUse)), std::string::npos) << said;
  const std::string xdp = start_beside("net_af_packet0,iface=lo", "net_af_xdp0,iface=other,queue_count=2", names);
  EXPECT_NE(xdp.find("it polls queue 0 of interface other" + std::string(kInUse)), std::string::npos) << xdp;
}

TEST_F(EalInterfaces, ArePolledByQueuesWhereTheDriverTakesQueues) {
  const std::string said = in_child([]() -> std::string {
    if (unshare(CLONE_NEWNET) != 0) return "no namespace";
    InterfaceClaims claims, others;
    const auto answer = [](const std::string& error) { return error.empty() ? std::string("free, ") : "taken, "; };
    std::string answers = answer(claims.claim({"net_af_xdp0,iface=lo,start_queue=4,queue_count=2"}));
    for (const char* const start : {"3", "4", "5", "6"}) {
      answers += answer(others.claim({std::string("net_af_xdp1,iface=lo,start_queue=") + start}));
    }
    claims.release();
    return answers + answer(others.claim({"net_af_xdp1,iface=lo,start_queue=5"})) +
           answer(others.claim({"net_af_packet1,iface=none", "net_af_packet1", "net_ring0", "net_tap0,iface=lo"}));
  });
  if (said == "no namespace") GTEST_SKIP() << "no network namespaces here";
  EXPECT_EQ(said, "free, free, taken, taken, free, free, free, ");
}

/// In a child, with the capability `right` given up.
void give_up(unsigned right) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct mine[_LINUX_CAPABILITY_U32S_3];
  if (syscall(SYS_capget, &header, mine) != 0) _exit(3);
  mine[right / 32].effective &= ~(1u << right % 32);
  if (syscall(SYS_capset, &header, mine) != 0) _exit(3);
}

TEST(Eal, NamesTheRightsThatItLacksForAnInterface) {
  const std::string said = in_child([] {
    become_ordinary_user();
    return eal_start(small({"net_af_packet0,iface=lo"}));
  });
  EXPECT_NE(said.find("give the process CAP_NET_RAW and CAP_NET_ADMIN, or run it as root"), std::string::npos) << said;
}

TEST_F(EalInterfaces, TellWhichRightsTheyWantAlsoWhereTheDriverDoesNot) {
  for (const auto& [right, name] :
       {std::pair{CAP_SYS_ADMIN, "CAP_SYS_ADMIN"}, std::pair{CAP_NET_ADMIN, "CAP_NET_ADMIN"}}) {
    const std::string said = in_child([right = right]() -> std::string {
      const std::string make = "ip link add one type veth peer name two && ip link set one up && ip link set two up";
      if (unshare(CLONE_NEWNET) != 0 || std::system((make + " > /dev/null 2>&1").c_str()) != 0) return "no namespace";
      const EalOptions options = small({"net_af_xdp0,iface=one"});
      if (const std::string error = eal_start(options); !error.empty()) return "no driver: " + error;
      give_up(static_cast<unsigned>(right));
      try {
        const Device device({.device = options.devices[0]});
        return "not needed here";
      } catch (const std::runtime_error& error) {
        return error.what();
      }
    });
    if (said.rfind("no", 0) == 0) GTEST_SKIP() << said;
    EXPECT_NE(said.find("; give the process " + std::string(name) + ", or run it as root"), std::string::npos) << said;
  }
}

TEST(Eal, RefusesAnInterfaceThatTwoOfItsDevicesShare) {
  const std::string said = in_child([] {
    return eal_start(small({"net_af_packet0,iface=lo", "net_af_packet1,iface=lo"}));
  });
  EXPECT_EQ(said.find("device \"net_af_packet1,iface=lo\": another device of this process polls interface lo already"),
            0u)
      << said;
}

TEST(Eal, TellsInOneLineThatAnArgumentIsWrongAndPrintsNoUsage) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const std::string said = in_child([] {
    become_ordinary_user();
    EalOptions options = small({"net_ring0"});
    options.extra_args = {"--no-such-option"};
    return eal_start(options);
  });
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(said.find("DPDK does not start: "), 0u) << said;
  EXPECT_NE(said.find("--no-such-option"), std::string::npos) << said;
  EXPECT_EQ(said.find('\n'), std::string::npos) << said;
}

std::string told_by_dpdk;

TEST(Eal, TellsWhatDpdkSaysLaterAsNoticesOfItsLevels) {
  const std::string said = in_child([] {
    send_notices_to([](NoticeLevel level, const std::string& line) {
      constexpr std::array kNames = {"info", "warning", "error"};
      told_by_dpdk += std::string(kNames[static_cast<std::size_t>(level)]) + " " + line + "\n";
    });
    EalOptions options = small({"net_ring0"});
    options.extra_args = {"--log-level=user1:debug"};
    if (const std::string error = eal_start(options); !error.empty()) return error;
    told_by_dpdk.clear();
    rte_log(RTE_LOG_ERR, RTE_LOGTYPE_USER1, "one ");
    rte_log(RTE_LOG_CRIT, RTE_LOGTYPE_USER1, "line\nanother\n");
    rte_log(RTE_LOG_WARNING, RTE_LOGTYPE_USER1, "a warning\n");
    rte_log(RTE_LOG_INFO, RTE_LOGTYPE_USER1, "news\n");
    rte_log(RTE_LOG_WARNING, RTE_LOGTYPE_USER2, "nobody asked for this\n");
    {
      const DpdkErrors errors;
      const PrintedLines printed;
      rte_log(RTE_LOG_ERR, RTE_LOGTYPE_USER1, "kept\n");
      std::fprintf(stderr, "printed %d\n", 1);
      told_by_dpdk += "kept: " + DpdkErrors::text() + "\n";
      PrintedLines::report();
    }
    for (int i = 0; i < 100; ++i) rte_log(RTE_LOG_ERR, RTE_LOGTYPE_USER1, "again\n");
    return told_by_dpdk;
  });
  const std::string expected =
      "error dpdk: one line\nerror dpdk: another\nwarning dpdk: a warning\ninfo dpdk: news\n"
      "kept: kept\nwarning dpdk: printed 1\nerror dpdk: again\n";
  EXPECT_EQ(said.substr(0, expected.size()), expected) << said;
  EXPECT_LT(std::count(said.begin(), said.end(), '\n'), 7 + 2 * 10 + 1) << said;
}

TEST(Eal, RefusesToStartWithoutTheHugepagesThatAreRequired) {
  const std::string said = in_child([] {
    EalOptions options = small({"net_ring0"});
    options.hugepages = HugepagePolicy::required;
    options.memory_mb = 1 << 20;  // a terabyte: more than any test machine has set aside
    return eal_start(options);
  });
  EXPECT_EQ(said.find("hugepages are required: DPDK wants 1048576 MB"), 0u) << said;
  EXPECT_NE(said.find("vm.nr_hugepages=524288"), std::string::npos) << said;
}

TEST(Eal, SaysLoudlyOnceThatItRunsWithoutTheHugepagesThatWereWanted) {
  testing::internal::CaptureStderr();
  const std::string error = in_child([] {
    become_ordinary_user();
    EalOptions options = small({"net_ring0"});
    options.hugepages = HugepagePolicy::automatic;
    return inspect_host().free_hugepage_bytes >= (std::size_t{64} << 20) ? "enough" : eal_start(options);
  });
  const std::string said = testing::internal::GetCapturedStderr();
  if (error == "enough") GTEST_SKIP() << "this machine has hugepages";
  EXPECT_EQ(error, "");
  EXPECT_EQ(said.find("crosswire: no hugepages for DPDK (DPDK wants 64 MB"), 0u) << said;
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
}

}  // namespace
}  // namespace crosswire::eal_test
