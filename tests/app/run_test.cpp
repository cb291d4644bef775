// `crosswire run` as an operator meets it: over a device that needs no rights, and with configurations that cannot run.
#include "app/run.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "app/config.hpp"
#include "app/loop.hpp"
#include "app/plan.hpp"
#include "hugepages/topology.hpp"
#include "tests/app/program.hpp"

namespace crosswire {
namespace {

class Run : public ::testing::Test {
 protected:
  void SetUp() override {
    program_ = test::program();
    if (program_.empty()) GTEST_SKIP() << "CROSSWIRE does not name the program: run it by meson test";
    std::string name = (std::filesystem::temp_directory_path() / "crosswire-run-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return folder_ / name; }

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
[[symbol]]
name = "AAA"
reference_price_e4 = 1000000
tick_e4 = 100
[[account]]
user = "ann"
password = "secret"
)",
                                             port, placement, hugepages, feed);
    chmod(path(name).c_str(), 0600);
    return path(name);
  }

  /// Starts the program in the background of a shell, waits until it runs, sends `signal`, and waits for its end.
  test::Ran run_until_signal(const std::string& arguments, const std::string& signal) const {
    const std::string out = path("stdout");
    return test::shell(
        fmt::format("rm -f {2}; {0} run {1} > {2} 2> {3} & pid=$!; "
                    "for i in $(seq 300); do grep -q '^running until' {2} && break; "
                    "kill -0 $pid 2> /dev/null || break; sleep 0.1; done; "
                    "sleep 0.3; for signal in {4}; do kill -$signal $pid; sleep 0.02; done; wait $pid; status=$?; cat "
                    "{2} {3}; exit $status",
                    program_, arguments, out, path("stderr"), signal));
  }

  void expect_failure(const std::string& arguments, const std::string& what) const {
    const test::Ran ran = test::shell(program_ + " run " + arguments);
    EXPECT_EQ(ran.status, 1);
    EXPECT_NE(ran.output.find(what), std::string::npos) << ran.output;
    EXPECT_EQ(std::count(ran.output.begin(), ran.output.end(), '\n'), 1) << ran.output;
  }

  std::filesystem::path folder_;
  std::string program_;
};

TEST_F(Run, EndsOnEitherSignalWithItsFigures) {
  const std::string arguments = "--config " + config("device = \"net_ring0\"");
  // A shell without job control starts background jobs with SIGINT ignored; the program asks for it all the same.
  // Two at once are one wish, as from a terminal and a supervisor.
  for (const std::string signal : {"TERM", "INT", "INT INT", "TERM INT"}) {
    const test::Ran ran = run_until_signal(arguments, signal);
    EXPECT_EQ(ran.status, 0) << ran.output;
    for (const char* const word :
         {"device       net_ring0", "address      10.99.0.1", "memory ", "time         midnight ",
          "continuous to the end", "ended\n", "noticed      ", "state_hash   "}) {
      EXPECT_NE(ran.output.find(word), std::string::npos) << word << " in:\n" << ran.output;
    }
  }
}

TEST_F(Run, EndsAsWellWhereItsTerminalHangsUp) {
  struct sigaction now {};
  ASSERT_EQ(sigaction(SIGHUP, nullptr, &now), 0);
  if (now.sa_handler == SIG_IGN) GTEST_SKIP() << "these tests run under nohup";
  const std::string arguments = "--config " + config("device = \"net_ring0\"") + " --report " + path("r.json");
  const test::Ran ran = run_until_signal(arguments, "HUP");
  EXPECT_EQ(ran.status, 0) << ran.output;
  EXPECT_NE(ran.output.find("state_hash   "), std::string::npos) << ran.output;
  EXPECT_GT(std::filesystem::file_size(path("r.json")), 100u);
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
    EXPECT_EQ(ran.output.find("stood still"), std::string::npos) << ran.output;
    const test::Ran replay = test::shell(fmt::format("{} replay {} --in {} --out {} --cores {}", program_, arguments,
                                                     recording, path("out.pcap"), cores));
    ASSERT_EQ(replay.status, 0) << replay.output;
    const std::size_t hash = ran.output.find("state_hash ");
    ASSERT_NE(hash, std::string::npos);
    EXPECT_NE(replay.output.find(ran.output.substr(hash, 29)), std::string::npos) << ran.output << replay.output;
  }
}

TEST_F(Run, DoesWhatThePlanShows) {
  const std::string file = config("device = \"net_ring0\"", "off", "idle = \"yield\"");
  const Plan plan = make_plan(read_host(), {load_config(file, ConfigUse::run)});
  // While it runs, each polling core has a thread that may run nowhere else, and so has control.
  std::ofstream(path("look")) << fmt::format(
      "{} run --config {} > {} 2>&1 & pid=$!; "
      "for i in $(seq 300); do grep -q '^running until' {} && break; kill -0 $pid 2> /dev/null || break; sleep 0.1; "
      "done; "
      "grep -h Cpus_allowed_list /proc/$pid/task/*/status; kill $pid; wait $pid; cat {}",
      program_, file, path("stdout"), path("stdout"), path("stdout"));
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
  expect_together(b("device = \"net_ring0\"", unpinned), "b.toml:3: port.device: net_ring0 is the device of ");
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
                 "c.toml:5: time.midnight:");
  // 192.0.2.0/24 is nobody's (RFC 5737).
  expect_failure("--config " + config("device = \"net_ring0\"\n[monitoring]\nprometheus = \"192.0.2.1:9464\""),
                 "c.toml:5: monitoring.prometheus: 192.0.2.1:9464 cannot be listened on: Cannot assign");
}

TEST_F(Run, DestroysNothingThatIsThere) {
  const std::string file = config("device = \"net_ring0\"");
  std::ofstream(path("in.pcap")) << "a recording";
  expect_failure("--config " + file + " --record " + path("in.pcap"), "in.pcap: exists");
  expect_failure("--config " + file + " --record " + file, "c.toml: exists");
  std::filesystem::create_hard_link(file, path("link.json"));
  expect_failure("--config " + file + " --report " + path("link.json"), "would be overwritten");
  EXPECT_EQ(std::filesystem::file_size(path("in.pcap")), 11u);
  EXPECT_GT(std::filesystem::file_size(file), 100u);
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
  // The histograms are those of the figures.
  const test::Ran counts =
      test::shell("grep -h -o 'Total count.*[0-9]' " + path("one-receive_poll.hgrm") + " | tr -d ' '");
  const std::size_t printed = ran.output.find("receive poll ");
  ASSERT_NE(printed, std::string::npos);
  const unsigned long count = std::strtoul(ran.output.c_str() + printed + 13, nullptr, 10);
  EXPECT_GT(count, 0u);
  EXPECT_EQ(counts.output, fmt::format("Totalcount={}\n", count));
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
  if (test::shell("grep -q '^HugePages_Total: *0$' /proc/meminfo").status != 0)
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
