// `crosswire run` as an operator meets it: over a device that needs no rights, and with configurations that cannot run.
#include "app/run/run.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <regex.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <string_view>

#include "app/config/config.hpp"
#include "app/partition/layout.hpp"
#include "app/plan/plan.hpp"
#include "app/run/log.hpp"
#include "app/run/polling_threads.hpp"
#include "hugepages/host/core_claims.hpp"
#include "hugepages/host/pinning.hpp"
#include "hugepages/host/topology.hpp"
#include "tests/app/program.hpp"
#include "tests/app/venue.hpp"

namespace crosswire {
namespace {

class Run : public ::testing::Test {
 protected:
  void SetUp() override {
    program_ = test::program();
    if (program_.empty()) GTEST_SKIP() << "CROSSWIRE does not name the program: run it by meson test";
    std::string name = (std::filesystem::temp_directory_path() / "crosswire-run-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    std::filesystem::create_directory(path("runtime"));
    setenv("RUNTIME_DIRECTORY", path("runtime").c_str(), 1);  // where DPDK puts its sockets: others may run here
    mounts_ = mounts();
  }
  void TearDown() override {
    if (folder_.empty()) return;
    EXPECT_EQ(left_behind(), "");
    std::filesystem::remove_all(folder_);
  }

  std::string path(const std::string& name) const { return folder_ / name; }

  static std::string mounts() { return test::shell("grep -E 'hugetlbfs|crosswire-run' /proc/self/mounts").output; }
  /// What is still there of a process that has ended: sockets in the folder of DPDK's, files of hugepages, mounts.
  std::string left_behind() const {
    std::string left = mounts() == mounts_ ? "" : mounts();
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path("runtime"))) {
      if (!entry.is_directory()) left += entry.path().string() + "\n";
    }
    return left +
           test::shell("find $(awk '$3 == \"hugetlbfs\" { print $2 }' /proc/self/mounts) /dev/null -name 'crosswire*'")
               .output;
  }

  /// net_ring hands every frame that is sent back to the receive queue, and needs neither root nor hugepages.
  std::string config(const std::string& port, const std::string& hugepages = "off",
                     const std::string& placement = "mode = \"unpinned\"\nidle = \"yield\"",
                     const std::string& name = "c.toml", const std::string& feed = "239.192.0.1") const {
    std::ofstream(path(name)) << fmt::format(R"([port]
address = "10.99.0.1"
{}
[placement]
{}
[memory]
hugepages = "{}"
[limits]
max_orders = 1000
max_levels = 1000
[orders]
messages_kept = 128
[feed]
group = "{}"
messages_kept = 1024
{})",
                                             port, placement, hugepages, feed,
                                             port.find("[time]") == port.npos
                                                 ? "[time]\nat_end = \"stop\"\nlinger_s = 0\n"
                                                 : "")
                              << test::kSymbolTable << test::kAnnTable;
    chmod(path(name).c_str(), 0600);
    return path(name);
  }

  /// A shell's words: waits until the background process `pid` has said in the file `out` that it runs, or has ended.
  /// $before is then a time before it ran, and not long before.
  static std::string until_it_runs(const std::string& out, const std::string& pid = "$pid") {
    return fmt::format(
        "now=$(date +%s%N); for i in $(seq 1000); do before=$now; now=$(date +%s%N); "
        "grep -qs '^running until' {} && break; kill -0 {} 2> /dev/null || break; sleep 0.1; done",
        out, pid);
  }

  /// Starts the program in the background of a shell, waits until it runs, sends the signals, and waits for its end.
  test::Ran run_until_signal(const std::string& arguments, const std::string& signals) const {
    const std::string out = path("stdout");
    return test::shell(fmt::format(
        "rm -f {2}; {0} run {1} > {2} 2> {3} & pid=$!; {5}; "
        "sleep 0.3; begin=$(date +%s%N); for signal in {4}; do kill -$signal $pid; sleep 0.02; done; wait $pid; "
        "status=$?; end=$(date +%s%N); echo ended in $(((end - begin) / 1000000)) ms, "
        "ran for at most $(((end - before) / 1000000)) ms; cat {2} {3}; exit $status",
        program_, arguments, out, path("stderr"), signals, until_it_runs(out)));
  }
  /// The same for two signals, which are one wish if less than a second is between them. Shell and program may be
  /// without a core just there: where the program may have seen two wishes, it is done again.
  test::Ran run_until_two_signals(const std::string& arguments, const std::string& signals) const {
    for (int attempt = 1;; ++attempt) {
      const test::Ran ran = run_until_signal(arguments, signals);
      if (ran.status == 0 || ended_in_ms(ran) < 1'000 || attempt == 10) return ran;
    }
  }
  static long number_behind(const test::Ran& ran, const std::string& words) {
    const std::size_t at = ran.output.find(words);
    EXPECT_NE(at, std::string::npos) << ran.output;
    return at == std::string::npos ? 0 : std::strtol(ran.output.c_str() + at + words.size(), nullptr, 10);
  }
  static long ended_in_ms(const test::Ran& ran) { return number_behind(ran, "ended in "); }

  void expect_failure(const std::string& arguments, const std::string& what) const {
    const test::Ran ran = test::shell(program_ + " run " + arguments);
    EXPECT_EQ(ran.status, 1);
    EXPECT_NE(ran.output.find(what), std::string::npos) << ran.output;
    EXPECT_EQ(std::count(ran.output.begin(), ran.output.end(), '\n'), 1) << ran.output;
    EXPECT_EQ(left_behind(), "");
  }

  std::filesystem::path folder_;
  std::string program_;
  std::string mounts_;
};

TEST_F(Run, EndsOnEitherSignalWithItsFigures) {
  const std::string arguments = "--config " + config("device = \"net_ring0\"");
  // A shell without job control starts background jobs with SIGINT ignored; the program asks for it all the same.
  // Two at once are one wish, as from a terminal and a supervisor.
  for (const std::string signal : {"TERM", "INT", "INT INT", "TERM INT"}) {
    const test::Ran ran = run_until_two_signals(arguments, signal);
    EXPECT_EQ(ran.status, 0) << ran.output;
    for (const char* const word :
         {"device       net_ring0", "address      10.99.0.1", "memory ", "time         midnight ",
          "continuous to the end", "ended\n", "noticed      ", "state_hash   "}) {
      EXPECT_NE(ran.output.find(word), std::string::npos) << word << " in:\n" << ran.output;
    }
  }
}

TEST_F(Run, GoesOnWhereItsTerminalHangsUp) {
  const std::string arguments = "--config " + config("device = \"net_ring0\"");
  const test::Ran ran = run_until_two_signals(arguments, "HUP TERM");
  EXPECT_EQ(ran.status, 0) << ran.output;
  EXPECT_NE(ran.output.find("SIGHUP: the configuration is read again"), std::string::npos) << ran.output;
  EXPECT_NE(ran.output.find("stopping signal=SIGTERM"), std::string::npos) << ran.output;
}

TEST_F(Run, LeavesNothingBehindWhereItIsEndedWhileItStarts) {
  // Much memory, so that the start takes long from the first file that it makes on.
  std::string text;
  std::getline(std::ifstream(config("device = \"net_vhost0,iface=" + path("sock") + "\"")), text, '\0');
  text.replace(text.find("max_orders = 1000"), 17, "max_orders = 1000000");
  std::ofstream(path("c.toml")) << text;
  for (const std::string signal : {"TERM", "INT"}) {
    const test::Ran ran =
        test::shell(fmt::format("{0} run --config {1} --report {2} > {3} 2>&1 & pid=$!; "
                                "while kill -0 $pid 2> /dev/null && [ ! -e {2}.part ]; do :; done; "
                                "kill -{4} $pid; wait $pid; status=$?; cat {3}; exit $status",
                                program_, path("c.toml"), path("r.json"), path("stdout"), signal));
    EXPECT_EQ(ran.status, 0) << ran.output;
    EXPECT_FALSE(std::filesystem::exists(path("r.json.part"))) << ran.output;
    EXPECT_FALSE(std::filesystem::exists(path("sock"))) << ran.output;
    EXPECT_EQ(left_behind(), "");
  }
}

TEST_F(Run, LeavesARecordingThatReplaysToTheSameState) {
  const std::string arguments = "--config " + config("device = \"net_ring0\"");
  const test::Ran ran = run_until_signal(arguments + " --record " + path("in.pcap"), "TERM");
  ASSERT_EQ(ran.status, 0) << ran.output;
  const test::Ran replay =
      test::shell(program_ + " replay " + arguments + " --in " + path("in.pcap") + " --out " + path("out.pcap"));
  ASSERT_EQ(replay.status, 0) << replay.output;
  const std::size_t hash = ran.output.find("state_hash ");
  ASSERT_NE(hash, std::string::npos);
  EXPECT_NE(replay.output.find(ran.output.substr(hash, 29)), std::string::npos) << ran.output << replay.output;
}

TEST_F(Run, SaysLoudlyThatItsPortsAreImpairedAndRecordsWhatCameThrough) {
  const std::string file = config("device = \"net_ring0\"");
  // Our own announcements come back, and what is held back leaves at the end at the latest.
  std::ofstream(file, std::ios::app) << "[impair]\nseed = 9\n[impair.receive]\nduplicate = 1\n"
                                        "[impair.transmit]\nlose_frames = [100]\ndelay_us = 60_000_000\n";
  const test::Ran ran = run_until_signal(
      fmt::format("--config {} --record {} --report {}", file, path("in.pcap"), path("r.json")), "TERM");
  ASSERT_EQ(ran.status, 0) << ran.output;
  for (const char* const words :
       {"\nIMPAIRED     receive duplicate=1, transmit lose_frames=1 delay_us=60000000, seed=9\n",
        "warning IMPAIRED: frames are lost and held back on purpose; ", "impaired_rx.duplicated "}) {
    EXPECT_NE(ran.output.find(words), std::string::npos) << words << " in:\n" << ran.output;
  }
  const std::string report = test::shell("cat " + path("r.json")).output;
  EXPECT_NE(report.find("\"impaired_rx\": {\"frames\": "), std::string::npos) << report;
  EXPECT_NE(report.find("\"impaired_tx\": {\"frames\": "), std::string::npos) << report;
  EXPECT_NE(report.find("\"port.tx_cut_off\": 0"), std::string::npos) << report;

  const test::Ran replay = test::shell(
      fmt::format("{} replay --config {} --in {} --out {}", program_, file, path("in.pcap"), path("out.pcap")));
  ASSERT_EQ(replay.status, 0) << replay.output;
  EXPECT_NE(replay.output.find("in.pcap: came through [impair.receive] when it was recorded, and does not again"),
            std::string::npos)
      << replay.output;
  const std::size_t hash = ran.output.find("state_hash ");
  ASSERT_NE(hash, std::string::npos);
  EXPECT_NE(replay.output.find(ran.output.substr(hash, 29)), std::string::npos) << ran.output << replay.output;
  // The frames of both are the same: none is doubled again.
  const std::string frames = ran.output.substr(ran.output.find("frames       in "), 18);
  EXPECT_NE(replay.output.find(frames), std::string::npos) << ran.output << replay.output;
}

/// Stages on as many cores as this host has, up to one each.
std::string placement_over(std::size_t loops) {
  const StageLayout layout = StageLayout::over(loops);
  std::string keys = "idle = \"yield\"\n";
  for (std::size_t i = 0; i < kStages; ++i) {
    keys += fmt::format("{} = {}\n", kStageNames[i], allowed_cores()[layout.loop_of[i]]);
  }
  return keys;
}

TEST_F(Run, RunsItsStagesOnOneToFourCoresAndLeavesARecordingThatReplaysToTheSameState) {
  for (std::size_t cores = 1; cores <= std::min(kStages, allowed_cores().size()); ++cores) {
    const std::string arguments = "--config " + config("device = \"net_ring0\"", "off", placement_over(cores));
    const std::string recording = path(fmt::format("in{}.pcap", cores));
    const test::Ran ran = run_until_signal(arguments + " --record " + recording, "TERM");
    ASSERT_EQ(ran.status, 0) << ran.output;
    EXPECT_NE(ran.output.find("control      core "), std::string::npos) << ran.output;
    // For longer a busy host may have taken a thread's core away: then that is the truth.
    if (number_behind(ran, "ran for at most ") < 1'000) {
      EXPECT_EQ(ran.output.find("stands still"), std::string::npos) << ran.output;
    }
    const test::Ran replay = test::shell(fmt::format("{} replay {} --in {} --out {} --cores {}", program_, arguments,
                                                     recording, path("out.pcap"), cores));
    ASSERT_EQ(replay.status, 0) << replay.output;
    const std::size_t hash = ran.output.find("state_hash ");
    ASSERT_NE(hash, std::string::npos);
    EXPECT_NE(replay.output.find(ran.output.substr(hash, 29)), std::string::npos) << ran.output << replay.output;
  }
}

TEST_F(Run, DoesNotPollACoreThatAnotherPollsAndPlanAndDoctorTellOfIt) {
  const unsigned core = allowed_cores().back();
  CoreClaims another;  // this process stands for it, unless there is one already
  const CoreClaim claim = another.claim(core, CoreUse::alone);
  if (!claim.fault.empty()) GTEST_SKIP() << claim.fault;
  const std::string pid = fmt::format("(pid {})", claim.holder.value_or(getpid()));
  const std::string file = config("device = \"net_ring0\"", "off", fmt::format("core = {}", core));
  const test::Ran ran = test::shell(program_ + " run --config " + file);
  EXPECT_EQ(ran.status, 1) << ran.output;
  EXPECT_EQ(ran.output.find(fmt::format(
                "crosswire run: {}:5: placement.core: core {} is polled by another crosswire {};", file, core, pid)),
            0u)
      << ran.output;
  EXPECT_EQ(std::count(ran.output.begin(), ran.output.end(), '\n'), 1) << ran.output;
  const std::string line = fmt::format("core {} is polled by a crosswire that runs {}", core, pid);
  const test::Ran plan = test::shell(program_ + " plan --config " + file);
  EXPECT_NE(plan.output.find("warning: " + line), std::string::npos) << plan.output;
  const test::Ran doctor = test::shell(program_ + " doctor --seconds 0.05 --config " + file);
  EXPECT_NE(doctor.output.find(line + ", so it is not probed"), std::string::npos) << doctor.output;
  EXPECT_EQ(doctor.output.find("jitter: gaps"), std::string::npos) << doctor.output;
}

TEST_F(Run, DoesWhatThePlanShows) {
  const std::string file = config("device = \"net_ring0\"", "off", "idle = \"yield\"");
  const Plan plan = make_plan(read_host(), {load_config(file, ConfigUse::run)});
  // While it runs, each polling core has a thread that may run nowhere else, and so has control.
  std::ofstream(path("look")) << fmt::format(
      "{0} run --config {1} > {2} 2>&1 & pid=$!; {3}; "
      "grep -h Cpus_allowed_list /proc/$pid/task/*/status; kill $pid; wait $pid; cat {2}",
      program_, file, path("stdout"), until_it_runs(path("stdout")));
  const test::Ran ran = test::shell("sh " + path("look"));
  EXPECT_EQ(ran.status, 0) << ran.output;
  EXPECT_NE(ran.output.find(placement_lines(plan)), std::string::npos) << ran.output << placement_lines(plan);
  std::vector<unsigned> cores = polling_cores(plan.placement.partitions.front());
  cores.push_back(plan.placement.control.value());
  for (const unsigned core : cores) {
    EXPECT_NE(ran.output.find(fmt::format("Cpus_allowed_list:\t{}\n", core)), std::string::npos) << ran.output;
  }
}

TEST_F(Run, RunsSeveralPartitionsEachWithItsOwnFigures) {
  const std::string unpinned = "mode = \"unpinned\"\nidle = \"yield\"";
  const std::string a = config("device = \"net_ring0\"", "off", unpinned, "a.toml", "239.192.0.1");
  const std::string b = config("device = \"net_ring1\"", "off", unpinned, "b.toml", "239.192.0.2");
  const test::Ran ran = run_until_signal(
      fmt::format("--config {} --config {} --report {} --report {}", a, b, path("a.json"), path("b.json")), "TERM");
  EXPECT_EQ(ran.status, 0) << ran.output;
  for (const std::string word :
       {"device       net_ring0", "device       net_ring1", "ended\npartition    a\n", "ended\npartition    b\n"}) {
    EXPECT_NE(ran.output.find(word), std::string::npos) << word << " in:\n" << ran.output;
  }
  EXPECT_GT(std::filesystem::file_size(path("a.json")), 100u);
  EXPECT_GT(std::filesystem::file_size(path("b.json")), 100u);
}

TEST_F(Run, RefusesPartitionsThatDoNotGoTogether) {
  const std::string unpinned = "mode = \"unpinned\"\nidle = \"yield\"";
  const std::string core = fmt::format("core = {}", allowed_cores().back());
  const std::string match = fmt::format("match = {}", allowed_cores().back());
  config("device = \"net_ring0\"", "off", core, "a.toml", "239.192.0.1");
  const auto expect_together = [&](const std::string& b, const std::string& what) {
    expect_failure("--config " + path("a.toml") + " --config " + b, what);
  };
  const auto b = [&](const std::string& port, const std::string& placement, const std::string& pages = "off") {
    return config(port, pages, placement, "b.toml", "239.192.0.2");
  };
  expect_together(b("device = \"net_ring0\"", unpinned), "b.toml:3: port.device: DPDK's device net_ring0 is that of ");
  expect_together(b("device = \"net_ring1\"", match), "b.toml:5: placement.match: ");
  expect_together(b("device = \"net_ring1\"", core), "b.toml:5: placement.core: ");
  expect_together(b("device = \"net_ring1\"", unpinned, "auto"), "b.toml:8: memory.hugepages: differs");
  expect_together(b("device = \"net_ring1\"\ndpdk_args = [\"--log-level=3\"]", unpinned),
                  "b.toml:4: port.dpdk_args: differs");
  const std::string together = "--config " + path("a.toml") + " --config " + b("device = \"net_ring1\"", unpinned);
  expect_failure(together + " --report " + path("r") + " --report " + path("r"), "r: is written twice");
  expect_failure(together + " --report " + path("r") + " --report " + path("./r"), "r: is written twice");
  expect_failure(together + " --record " + path("r") + " --record " + path("s") + " --report " + path("t") +
                     " --report " + folder_.string() + "//r",
                 "r: is written twice");
  expect_failure(together + " --report " + path("b.toml") + " --report " + path("r"), "b.toml would be overwritten");
  EXPECT_EQ(test::shell(program_ + " run " + together + " --report r").status, 2);
}

TEST_F(Run, ExplainsInOneLineWhyItCannotStart) {
  expect_failure("--config " + config(""), "c.toml:1: port.device: missing");
  expect_failure("--config " + config("device = \"net_af_packet0,iface=nosuchdev\""),
                 "c.toml:3: port.device: device \"net_af_packet0,iface=nosuchdev\"");
  expect_failure("--config " + config("device = \"0000:ff:1f.7\""), "0000:ff:1f.7");
  expect_failure("--config " + config("device = \"net_ring0\"") + " --record /nowhere/in.pcap", "/nowhere/in.pcap");
  expect_failure("--config " + config("device = \"net_ring0\"", "off", "core = 4000"),
                 "c.toml:5: placement.core: core 4000 ");
  expect_failure("--config " + config("device = \"net_ring0\"", "off", "match = 4000"),
                 "c.toml:5: placement.match: core 4000 ");
  expect_failure("--config " + config("device = \"net_ring0\"", "off", "control = 4000"),
                 "c.toml:5: placement.control: core 4000 ");
  expect_failure("--config " + config("device = \"net_ring0\"\ndpdk_args = [\"--help\"]"), "c.toml:4: port.dpdk_args:");
  expect_failure("--config " + config("device = \"net_ring0\"\n[time]\nmidnight = 2020-01-31T00:00:00Z"),
                 "c.toml:5: time.midnight: its day, 2020-01-31, ended at 2020-02-01 00:00:00 UTC, ");
  expect_failure("--config " + config("device = \"net_ring0\"\n[time]\nmidnight = 2090-01-31T00:00:00Z"),
                 "c.toml:5: time.midnight: its day, 2090-01-31, begins only at 2090-01-31 00:00:00 UTC, ");
  // 192.0.2.0/24 is nobody's (RFC 5737).
  expect_failure("--config " + config("device = \"net_ring0\"\n[monitoring]\nprometheus = \"192.0.2.1:9464\""),
                 "c.toml:5: monitoring.prometheus: 192.0.2.1:9464 cannot be listened on: Cannot assign");
}

TEST_F(Run, RefusesADeviceWithFewerTransmitQueuesThanItsPlacementWants) {
  if (allowed_cores().size() < 2) GTEST_SKIP() << "transmit and publish apart need two cores";
  const std::string apart =
      fmt::format("receive = {0}\nmatch = {0}\ntransmit = {0}\npublish = {1}", allowed_cores()[0], allowed_cores()[1]);
  expect_failure("--config " + config("device = \"net_vhost0,iface=" + path("sock") + "\"", "off", apart),
                 "c.toml:3: port.device: device \"net_vhost0\" has 1 transmit queues and is to use 2");
  EXPECT_FALSE(std::filesystem::exists(path("sock")));
}

TEST_F(Run, RefusesACoreThatTheProcessMayNotUse) {
  if (allowed_cores().size() < 2) GTEST_SKIP() << "one core cannot be without the other";
  const unsigned mine = allowed_cores()[0], other = allowed_cores()[1];
  const std::string file = config("device = \"net_ring0\"", "off", fmt::format("core = {}", other));
  const test::Ran ran = test::shell(fmt::format("taskset -c {} {} run --config {}", mine, program_, file));
  EXPECT_EQ(ran.status, 1);
  EXPECT_EQ(ran.output.find(fmt::format(
                "crosswire run: {}:5: placement.core: core {} is not one that this process may use;", file, other)),
            0u)
      << ran.output;
  EXPECT_EQ(std::count(ran.output.begin(), ran.output.end(), '\n'), 1) << ran.output;
  expect_failure("--config " + config("device = \"net_ring0\"", "off", "node = 77"),
                 "c.toml:5: placement.node: NUMA node 77 does not exist;");
}

std::size_t threads_here() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return static_cast<std::size_t>(std::distance(begin(tasks), end(tasks)));
}

TEST(PollingThreads, AreAllGoneWhereOneCannotHaveItsCore) {
  const std::size_t before = threads_here();
  const PollingTask nowhere{nullptr, nullptr, 4000, Idle::yield, "c.toml:5: placement.match"};
  try {
    const PollingThreads threads({nowhere, nowhere}, TscClock{}, [] {});
    FAIL() << "a core that is not there";
  } catch (const std::runtime_error& error) {
    EXPECT_EQ(std::string(error.what()).find("c.toml:5: placement.match: cannot bind a thread to core 4000;"), 0u)
        << error.what();
  }
  EXPECT_EQ(threads_here(), before);
}

TEST_F(Run, EndsInTimeWhereTheWireTakesNothing) {
  // Nobody is at the other end of the link, and the feed has more to say than fits into the port's hands.
  std::string placement = "idle = \"yield\"\nmode = \"unpinned\"";
  if (allowed_cores().size() >= 2) {
    placement = fmt::format("idle = \"yield\"\nreceive = {0}\nmatch = {1}\ntransmit = {1}\npublish = {1}",
                            allowed_cores()[0], allowed_cores()[1]);
  }
  const std::string file = config("device = \"net_vhost0,iface=" + path("sock") + "\"", "off", placement);
  std::ofstream more(file, std::ios::app);
  for (int i = 0; i < 10'000; ++i) {
    more << fmt::format("[[symbol]]\nname = \"S{:05}\"\nreference_price_e4 = 1000000\ntick_e4 = 100\n", i);
  }
  more.close();
  const test::Ran ran = run_until_two_signals("--config " + file, "TERM TERM");
  EXPECT_EQ(ran.status, 0) << ran.output;
  EXPECT_NE(ran.output.find("error the port has taken too little for 2 s; the last answers are not sent partition=c"),
            std::string::npos)
      << ran.output;
  EXPECT_NE(ran.output.find("port.tx_cut_off 1"), std::string::npos) << ran.output;
  EXPECT_GE(ended_in_ms(ran), 2'000);
  EXPECT_LT(ended_in_ms(ran), 30'000);
  EXPECT_FALSE(std::filesystem::exists(path("sock")));
}

TEST_F(Run, LeavesAnotherProcessAloneThatIsHereAlready) {
  const std::string unpinned = "mode = \"unpinned\"\nidle = \"yield\"";
  const std::string vhost = "device = \"net_vhost0,iface=" + path("sock") + "\"";
  const std::string here = config(vhost, "off", unpinned, "here.toml");
  const std::string same = config(vhost, "off", unpinned, "same.toml");
  const std::string other = config("device = \"net_ring0\"", "off", unpinned, "other.toml");
  // A shell's lines: `run` of `config` in the background, as process $NAME, until it runs.
  const auto in_background = [this](const std::string& name, const std::string& config, const std::string& out) {
    return fmt::format("{0} run --config {2} > {3} 2>&1 & {1}=$!\n{4}\n", program_, name, config, out,
                       until_it_runs(out, "$" + name));
  };
  // One with the same device is refused; one with another has the same folder of DPDK's, and both can be watched.
  std::ofstream(path("script")) << in_background("here", here, path("here.out"))
                                << fmt::format("{} run --config {}; echo status $?; ls {}\n", program_, same,
                                               path("sock"))
                                << in_background("other", other, path("other.out"))
                                << fmt::format(
                                       "cd {}; ls; kill $other; wait $other; echo status $?; {} top --once\n"
                                       "kill -9 $here; wait $here; ls {}\n",
                                       path("runtime/dpdk/crosswire"), program_, path("sock"));
  const test::Ran ran = test::shell("sh " + path("script"));
  EXPECT_EQ(
      ran.output.find(fmt::format("crosswire run: {}:3: port.device: device \"net_vhost0,iface={}\": {} is another "
                                  "process's socket; end that, or give this device another\nstatus 1\n{}\n"
                                  "dpdk_telemetry.v2\ndpdk_telemetry.v2:1\nstatus 0\ncrosswire ",
                                  same, path("sock"), path("sock"), path("sock"))),
      0u)
      << ran.output;
  EXPECT_NE(ran.output.find("partition here "), std::string::npos) << ran.output;
  // What it has left behind, killed, is in nobody's way.
  EXPECT_NE(ran.output.find(path("sock") + "\n", ran.output.find("partition here ")), std::string::npos) << ran.output;
  std::filesystem::remove_all(path("runtime/dpdk"));
  EXPECT_EQ(run_until_signal("--config " + here, "TERM").status, 0);
  EXPECT_FALSE(std::filesystem::exists(path("sock")));
  std::ofstream(path("sock")) << "no socket";
  expect_failure("--config " + here, "here.toml:3: port.device: ");
  EXPECT_EQ(std::filesystem::file_size(path("sock")), 9u) << "not ours to remove";
}

TEST_F(Run, DestroysNothingThatIsThere) {
  const std::string file = config("device = \"net_ring0\"");
  std::ofstream(path("in.pcap")) << "a recording";
  expect_failure("--config " + file + " --record " + path("in.pcap"), "in.pcap: exists");
  expect_failure("--config " + file + " --record " + file, "c.toml would be overwritten");
  std::filesystem::create_hard_link(file, path("link.json"));
  expect_failure("--config " + file + " --report " + path("link.json"), "would be overwritten");
  EXPECT_EQ(std::filesystem::file_size(path("in.pcap")), 11u);
  EXPECT_GT(std::filesystem::file_size(file), 100u);
}

TEST_F(Run, RefusesAFileOfOneNameWhereItGoesOnFromDayToDay) {
  const std::string file = config("device = \"net_ring0\"\n[time]\nlinger_s = 0");
  expect_failure("--config " + file + " --record " + path("in.pcap"),
                 "in.pcap: names one file for ever, and the next day could not go on; write " + path("in-%F-%N.pcap"));
  expect_failure("--config " + file + " --record " + path("in-%F.pcap"), "; write " + path("in-%F-%N.pcap"));
  expect_failure("--config " + file + " --report " + path("r.json"), "; write " + path("r-%F-%N.json"));
  expect_failure("--config " + file + " --report " + path("%Q.json"), "%Q stands for nothing");
}

TEST_F(Run, NumbersItsFilesOfADay) {
  const std::string file = config("device = \"net_ring0\"\n[time]\nlinger_s = 0");
  const std::string arguments =
      "--config " + file + " --record " + path("in-%N.pcap") + " --report " + path("r-%F-%N.json");
  for (int start = 1; start <= 2; ++start) {
    const test::Ran ran = run_until_signal(arguments, "TERM");
    EXPECT_EQ(ran.status, 0) << ran.output;
    EXPECT_TRUE(std::filesystem::exists(path(fmt::format("in-{}.pcap", start)))) << ran.output;
  }
  std::size_t reports = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    const std::string name = entry.path().filename().string();
    reports += name.starts_with("r-20") && name.ends_with(".json") && name.size() == 19;
  }
  EXPECT_EQ(reports, 2u);
}

TEST_F(Run, LeavesNoRecordingWhereItDoesNotStart) {
  // The next start would not write over it.
  const std::string file = config("device = \"net_ring0\"\n[monitoring]\nprometheus = \"192.0.2.1:9464\"");
  expect_failure("--config " + file + " --record " + path("in.pcap"), "cannot be listened on");
  EXPECT_FALSE(std::filesystem::exists(path("in.pcap")));
}

TEST_F(Run, WritesItsFiguresAsJson) {
  const test::Ran ran =
      run_until_signal("--config " + config("device = \"net_ring0\"") + " --report " + path("r.json"), "TERM");
  EXPECT_EQ(ran.status, 0) << ran.output;
  EXPECT_GT(std::filesystem::file_size(path("r.json")), 100u);
  EXPECT_FALSE(std::filesystem::exists(path("r.json.part")));
}

/// Where the first line that matches the extended regular expression ends. Not std::regex, of which GCC 12 warns under
/// the sanitizers.
std::optional<std::size_t> find_line(const std::string& text, const std::string& expression) {
  regex_t compiled{};
  EXPECT_EQ(regcomp(&compiled, ("^" + expression + "$").c_str(), REG_EXTENDED | REG_NEWLINE), 0) << expression;
  regmatch_t found{};
  const bool matches = regexec(&compiled, text.c_str(), 1, &found, 0) == 0;
  regfree(&compiled);
  return matches ? std::optional<std::size_t>(found.rm_eo) : std::nullopt;
}

TEST_F(Run, LogsItsLifeInLinesOfTimeLevelMessageAndFields) {
  const std::string time = "20[0-9-]{8}T[0-9:]{8}\\.[0-9]{6}Z ";
  const test::Ran ran = run_until_signal("--config " + config("device = \"net_ring0\""), "INT");
  EXPECT_EQ(ran.status, 0) << ran.output;
  const std::string log = test::shell("cat " + path("stderr")).output;
  std::size_t at = 0;
  for (const char* const line :
       {"info partition is ready partition=c device=net_ring0 address=10\\.99\\.0\\.1 order_session=O[0-9A-Z]{9} .*",
        "info running version=[0-9.]+ pid=[0-9]+ partitions=1", "info stopping signal=SIGINT",
        "info partition has ended partition=c seconds=[0-9.]+ orders=0 executions=0 dropped=[0-9]+ "
        "state_hash=[0-9a-f]{16} day=[0-9-]{10}",
        "info stopped"}) {
    const auto end = find_line(log.substr(at), time + line);
    ASSERT_TRUE(end) << line << " in:\n" << log;
    at += *end;
  }
}

TEST_F(Run, LogsIntoAFileAndLeavesOutWhatIsBelowTheLevel) {
  const std::string arguments = "--config " + config("device = \"net_ring0\"") + " --log-file " + path("log");
  std::ofstream(path("log")) << "of yesterday\n";
  const test::Ran ran = run_until_signal(arguments, "TERM");
  EXPECT_EQ(ran.status, 0) << ran.output;
  EXPECT_EQ(std::filesystem::file_size(path("stderr")), 0u) << ran.output;
  const std::string log = test::shell("cat " + path("log")).output;
  EXPECT_TRUE(log.find("of yesterday\n2") == 0 && find_line(log, ".* info stopping signal=SIGTERM").has_value()) << log;
  // An end with a failure is in both.
  expect_failure(arguments + " --report " + path("nowhere/r.json"), "nowhere/r.json");
  EXPECT_TRUE(find_line(test::shell("cat " + path("log")).output, ".* error crosswire run: .*nowhere/r\\.json.*"));

  std::filesystem::remove(path("log"));
  EXPECT_EQ(run_until_signal(arguments + " --log-level error", "TERM").status, 0);
  EXPECT_EQ(std::filesystem::file_size(path("log")), 0u);
  EXPECT_EQ(test::shell(program_ + " run " + arguments + " --log-level loud").status, 2);
}

TEST_F(Run, LogsPrioritiesInsteadOfTimesForSystemdsJournal) {
  const std::string file = config("device = \"net_ring0\"");
  std::ofstream(path("journal"));
  struct stat status {};
  ASSERT_EQ(stat(path("journal").c_str(), &status), 0);
  const auto log_of = [&](const std::string& stream, const std::string& arguments) {
    std::ofstream(path("journal"));
    const test::Ran ran = test::shell(fmt::format(
        "rm -f {4}; JOURNAL_STREAM={0} {1} run --config {2} {3} > {4} 2>> {5} & pid=$!; {6}; kill $pid; wait $pid; "
        "cat {5}",
        stream, program_, file, arguments, path("stdout"), path("journal"), until_it_runs(path("stdout"))));
    return ran.output;
  };
  const std::string stream = fmt::format("{}:{}", status.st_dev, status.st_ino);
  const std::string log = log_of(stream, "");
  EXPECT_TRUE(find_line(log, "<6>stopping signal=SIGTERM")) << log;
  EXPECT_EQ(log.find("Z info"), std::string::npos) << log;
  const std::string failed = log_of(stream, "--hgrm /nowhere");
  EXPECT_TRUE(find_line(failed, "<3>crosswire run: /nowhere: .*")) << failed;
  // A unit's stderr in a file: JOURNAL_STREAM is there, but means another stream.
  EXPECT_TRUE(find_line(log_of(fmt::format("{}:1", status.st_dev), ""), "20.* info stopping signal=SIGTERM"));
}

TEST_F(Run, HasDpdksLinesInItsLog) {
  // What it says of each polling thread.
  const std::string file = config("device = \"net_ring0\"\ndpdk_args = [\"--log-level=lib.eal:debug\"]");
  const test::Ran ran = run_until_signal("--config " + file, "TERM");
  EXPECT_EQ(ran.status, 0) << ran.output;
  EXPECT_TRUE(find_line(ran.output, "20.*Z info dpdk: EAL: Registered non-EAL thread as lcore 1.*")) << ran.output;
  EXPECT_FALSE(find_line(ran.output, "crosswire: .*")) << ran.output;
}

TEST_F(Run, RefusesALogWhereItWouldDestroySomethingOrCannotBe) {
  const std::string file = config("device = \"net_ring0\"");
  const std::string arguments = "--config " + file + " --log-file ";
  const auto size = std::filesystem::file_size(file);
  expect_failure(arguments + file, "c.toml would be overwritten");
  EXPECT_EQ(std::filesystem::file_size(file), size);
  expect_failure(arguments + path("r") + " --report " + path("r"), "r: is written twice");
  expect_failure(arguments + path("nowhere/log"), "nowhere/log: cannot be written: No such file or directory");
  EXPECT_FALSE(std::filesystem::exists(path("nowhere")));
}

TEST(Log, PutsEverythingOnOneLineAndValuesOfSeveralWordsInQuotes) {
  EXPECT_EQ(log_text("a stage stands still", {{"stage", "match"}, {"core", 3u}, {"seconds", 1.5}, {"huge", true}}),
            "a stage stands still stage=match core=3 seconds=1.5 huge=true");
  EXPECT_EQ(log_text("x", {{"a", ""}, {"b", "two words"}, {"c", "say \"no\""}, {"d", "e=f"}, {"g", "C:\\h i"}}),
            R"(x a="" b="two words" c="say \"no\"" d="e=f" g="C:\\h i")");
  EXPECT_EQ(log_text("two\nlines", {{"name", "bell\a\nend"}}), "two\\nlines name=\"bell\\x07\\nend\"");
}

TEST_F(Run, WritesItsLatencyHistogramsForHdrHistogramsPlotters) {
  std::filesystem::create_directories(path("other"));
  const std::string unpinned = "mode = \"unpinned\"\nidle = \"yield\"";
  const std::string one = config("device = \"net_ring0\"", "off", unpinned, "one.toml");
  const std::string other = config("device = \"net_ring1\"", "off", unpinned, "other/one.toml", "239.192.0.2");
  const test::Ran ran =
      run_until_signal(fmt::format("--config {} --config {} --hgrm {}", one, other, folder_.string()), "TERM");
  EXPECT_EQ(ran.status, 0) << ran.output;
  for (const char* const name : {"one", "one_2"}) {
    for (const char* const latency : {"in_the_box", "receive_poll", "match_item"}) {
      std::ifstream file(path(fmt::format("{}-{}.hgrm", name, latency)));
      std::string first;
      EXPECT_TRUE(std::getline(file, first) && first.find("1/(1-Percentile)") != std::string::npos)
          << name << latency << first;
    }
  }
  // The histograms are those of the figures; which of the two days ends first is anyone's guess.
  std::multiset<unsigned long> written, printed;
  for (const char* const name : {"one", "one_2"}) {
    const test::Ran count = test::shell("sed -n 's/.*Total count *= *//p' " +
                                        path(fmt::format("{}-receive_poll.hgrm", name)) + " | tr -d ' ]'");
    written.insert(std::strtoul(count.output.c_str(), nullptr, 10));
  }
  constexpr std::string_view kRow = "receive poll ";
  for (std::size_t at = 0; (at = ran.output.find(kRow, at)) != std::string::npos;) {
    at += kRow.size();
    printed.insert(std::strtoul(ran.output.c_str() + at, nullptr, 10));
  }
  EXPECT_EQ(written, printed);
  EXPECT_EQ(written.size(), 2u);
  EXPECT_GT(*written.begin(), 0u);
}

TEST_F(Run, SaysBeforeItStartsWhereHistogramsCannotGo) {
  const std::string arguments = "--config " + config("device = \"net_ring0\"") + " --hgrm ";
  expect_failure(arguments + path("nowhere"), "nowhere: No such file or directory; give --hgrm a folder");
  expect_failure(arguments + path("c.toml"), "c.toml: Not a directory");
  if (getuid() == 0) {
    expect_failure(arguments + "/proc/sys", "/proc/sys: ");
  } else {
    chmod(path(".").c_str(), 0500);
    expect_failure(arguments + folder_.string(), "Permission denied");
    chmod(path(".").c_str(), 0700);
  }
}

TEST_F(Run, DoesNotStartWithoutTheHugepagesThatAreRequired) {
  const std::string file = config("device = \"net_ring0\"", "required");
  if (test::shell("awk '/^HugePages_Free/ { exit $2 < 128 }' /proc/meminfo").status == 0)
    GTEST_SKIP() << "this host has hugepages";
  expect_failure("--config " + file, "hugepages are required");
}

TEST_F(Run, TakesWrongUsageForAnErrorOfItsOwn) {
  EXPECT_EQ(test::shell(program_ + " run").status, 2);
  EXPECT_EQ(test::shell(program_ + " run --config").status, 2);
  EXPECT_EQ(test::shell(program_ + " run --config c.toml --fast").status, 2);
}

}  // namespace
}  // namespace crosswire
