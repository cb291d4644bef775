// Replay from end to end: captures made by hand from the wire codecs go in, the capture that comes out is read back.
#include "app/replay/replay.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "app/partition/partition.hpp"
#include "netstack/port/capture.hpp"
#include "netstack/port/memory_port.hpp"
#include "netstack/session/session_name.hpp"
#include "netstack/wire/itch.hpp"
#include "tests/app/program.hpp"
#include "tests/app/replay/replay_rig.hpp"

namespace crosswire {
namespace {

using test::Input;
using test::kAnn;
using test::kBob;
using test::kMs;
using test::kStart;
using test::messages_to;
using test::order;
using test::Payload;
using test::read_output;
using test::Sent;
using test::types_of;

const std::string kSession = test::replay_session();

std::string bytes_of_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class Replay : public ::testing::Test {
 protected:
  Replay() { chmod(folder_.path().c_str(), 0777); }  // for the run as another user

  std::string path(const std::string& name) const { return folder_.file(name); }

  /// As config_text() has it.
  std::string config_file(const std::string& name, const std::string& limits = "", const std::string& more = "") const {
    return folder_.write(name, test::config_text(limits, more));
  }

  ReplayJob job(const std::string& config, const std::string& in, const std::string& out) const {
    return {load_config(config, ConfigUse::replay), path(in), path(out), "", ""};
  }

  Figures run(const ReplayJob& job) const {
    ReplayProgress progress;
    return replay(job, test::test_clock(), progress);
  }

  /// A little of everything in continuous trading.
  void write_small_day(const std::string& name) const {
    Input in(path(name));
    in.login(kStart, kAnn, "ann");
    in.login(kStart, kBob, "bob");
    in.messages(kStart + 1 * kMs, kAnn, {order(1, 'B', 300, 1'000'000)});
    in.messages(kStart + 2 * kMs, kBob, {order(1, 'S', 100, 990'000)});
    in.messages(kStart + 3 * kMs, kAnn, {test::cancel_message(1, 150)});
    in.messages(kStart + 3 * kMs, kBob, {order(2, 'S', 100, 1'010'000), order(3, 'S', 0, 1'010'000)});
    in.messages(kStart + 250 * kMs, kAnn, {test::cancel_message(1), test::query_message()});
  }

  /// A call that ends in a cross of `pairs` executions, with bursts, replaces and cancels on the way.
  void write_call_day(const std::string& name, std::uint32_t pairs) const {
    Input in(path(name));
    in.login(kStart, kAnn, "ann");
    in.login(kStart, kBob, "bob");
    for (std::uint32_t i = 1; i <= pairs; ++i) {
      const TimeNs time = kStart + (1 + i / 20) * kMs;  // forty frames of one time
      in.messages(time, kAnn, {order(2 * i - 1, 'B', 100, 1'000'000 + 100ull * (i % 7)), test::query_message()});
      in.messages(time, kBob, {order(2 * i - 1, 'S', 100, 1'000'000 - 100ull * (i % 5))});
      if (i % 10 == 0) in.messages(time, kAnn, {test::replace_message(2 * i - 1, 2 * i)});
      if (i % 15 == 0) in.messages(time, kBob, {test::cancel_message(2 * i - 1, 50)});
    }
  }

  static constexpr const char* kCallPhases = R"([[phase]]
at = "10:00:00"
state = "opening_call"
[[phase]]
at = "10:00:05"
state = "continuous"
[[phase]]
at = "10:00:06.5"
state = "closed"
)";

  test::Folder folder_;
};

TEST_F(Replay, AnswersEachOrderAtTheTimeOfItsFrame) {
  write_small_day("in.pcap");
  const Figures figures = run(job(config_file("c.toml"), "in.pcap", "out.pcap"));
  const std::vector<Sent> sent = read_output(path("out.pcap"));

  EXPECT_EQ(types_of(messages_to(sent, kAnn.address, kAnn.port)), "AECCQS");
  EXPECT_EQ(types_of(messages_to(sent, kBob.address, kBob.port)), "AEAJS");
  const auto accepted = *wire::view_as<wire::ouch::OrderAccepted>(messages_to(sent, kAnn.address, kAnn.port).at(0));
  EXPECT_EQ(accepted.timestamp, kStart + 1 * kMs);
  EXPECT_EQ(accepted.quantity, 300u);
  const auto executed = *wire::view_as<wire::ouch::OrderExecuted>(messages_to(sent, kBob.address, kBob.port).at(1));
  EXPECT_EQ(executed.quantity, 100u);
  EXPECT_EQ(executed.price, 1'000'000u);  // the resting order's
  for (const Sent& frame : sent) {
    if (frame.payload[0] == 0) {
      EXPECT_EQ(frame.time, kStart);
    }  // Login Accepted
  }
  EXPECT_EQ(figures.orders, 7u);
  EXPECT_EQ(figures.executions, 1u);
  EXPECT_EQ(figures.frames_in, 7u);
  EXPECT_EQ(figures.frames_out, sent.size());
  EXPECT_EQ(figures.order_session, kSession);
}

TEST_F(Replay, IsOfTheDayOfItsFirstFrameInTheZone) {
  write_small_day("in.pcap");
  std::ofstream(config_file("c.toml")) << "[time]\nzone = \"+08:00\"\n" + test::config_text().substr(sizeof "[time]");
  run(job(path("c.toml"), "in.pcap", "out.pcap"));
  const std::vector<Payload> to_ann = messages_to(read_output(path("out.pcap")), kAnn.address, kAnn.port);
  const auto accepted = *wire::view_as<wire::ouch::OrderAccepted>(to_ann.at(0));
  EXPECT_EQ(accepted.timestamp, kStart + 8 * 3600 * kNsPerSecond + 1 * kMs);
}

TEST_F(Replay, OfAHolidayIsClosed) {
  write_small_day("in.pcap");
  const Figures figures =
      run(job(config_file("c.toml", "", "[calendar]\nholidays = [2023-11-15]\n"), "in.pcap", "out.pcap"));
  EXPECT_EQ(figures.executions, 0u);
  const std::string types = types_of(messages_to(read_output(path("out.pcap")), kAnn.address, kAnn.port));
  EXPECT_EQ(types.find('A'), std::string::npos) << types << ": no order is accepted";
  EXPECT_EQ(types.find('J'), 0u) << types;
}

TEST_F(Replay, LingersBehindTheDaysEndAndSaysItAgainEachSecond) {
  write_small_day("in.pcap");
  std::string text = test::config_text();
  const std::string none = "linger_s = 0";
  text.replace(text.find(none), none.size(), "linger_s = 3");
  run(job(folder_.write("c.toml", text), "in.pcap", "out.pcap"));
  std::vector<TimeNs> to_ann;
  std::vector<TimeNs> on_the_feed;
  for (const Sent& frame : read_output(path("out.pcap"))) {
    const auto* const header = wire::view_as<wire::mold::Header>(frame.payload);
    if (frame.payload[0] == 0 || header->count != wire::mold::kEndOfSession) continue;
    if (frame.address == kAnn.address && frame.port == kAnn.port) to_ann.push_back(frame.time);
    if (frame.port == 26477) on_the_feed.push_back(frame.time);
  }
  const TimeNs end = kStart + 250 * kMs;
  const std::vector<TimeNs> seconds = {end, kStart + 1000 * kMs, kStart + 2000 * kMs, kStart + 3000 * kMs};
  EXPECT_EQ(to_ann, seconds);
  EXPECT_EQ(on_the_feed, seconds);
}

TEST_F(Replay, PublishesWhatTheAnswersSay) {
  write_small_day("in.pcap");
  const Figures figures = run(job(config_file("c.toml"), "in.pcap", "out.pcap"));
  const std::vector<Payload> feed = messages_to(read_output(path("out.pcap")), 0xEFC00001, 26477);
  EXPECT_EQ(figures.feed_messages, feed.size());
  const std::string types = types_of(feed);
  EXPECT_NE(types.find("R"), std::string::npos) << types;
  // Ann's order rests, is hit, is reduced, Bob's second rests, and Ann's is cancelled.
  std::string orders;
  for (const char type : types) {
    if (std::string_view("AFECXDU").find(type) != std::string_view::npos) orders.push_back(type);
  }
  EXPECT_EQ(orders.substr(0, 5), "AEXAD") << types;
}

TEST_F(Replay, RunsTheSameInMemoryThatAnotherPartitionHad) {
  Config config = load_config(config_file("c.toml"), ConfigUse::replay);
  config.net.mac = test::kOurMac;
  set_start(config, test::kMidnight, kStart);
  Arena arena(Partition::bytes_for(config), HugepagePolicy::off);
  const auto answers = [&] {
    MemoryRxPort rx;
    MemoryTxPort tx;
    rx.push_burst(kStart, {test::login_frame(kAnn, "ann", "secret")});
    rx.push_burst(kStart + 1,
                  {test::udp_frame(kAnn, test::kOrderPort,
                                   test::mold_packet(1, {order(1, 'B', 300, 1'000'000)}, test::replay_session()))});
    rx.end(kStart + 2);
    arena.clear();
    Partition partition(config, {rx, tx, tx}, TscClock{}, arena);
    while (!partition.finished()) partition.round();
    EXPECT_EQ(partition.engine().live_orders(), 1u);
    std::vector<Payload> frames;
    for (const MemoryTxPort::Sent& sent : tx.frames()) frames.push_back(sent.bytes);
    return frames;
  };
  const std::vector<Payload> first = answers();
  EXPECT_GT(first.size(), 3u);
  EXPECT_EQ(answers(), first);
}

TEST_F(Replay, WritesTheSameBytesTwice) {
  write_call_day("in.pcap", 200);
  const std::string config = config_file("c.toml", "", kCallPhases);
  const Figures first = run(job(config, "in.pcap", "one.pcap"));
  const Figures second = run(job(config, "in.pcap", "two.pcap"));
  EXPECT_GT(first.executions, 150u);
  EXPECT_EQ(first.state_hash, second.state_hash);
  EXPECT_EQ(bytes_of_file(path("one.pcap")), bytes_of_file(path("two.pcap")));
}

TEST_F(Replay, WritesTheSameBytesOnOneToFourThreads) {
  write_call_day("in.pcap", 400);
  const std::string config = config_file("c.toml", "command_ring = 16\nevent_ring = 16\n", kCallPhases);
  const Figures fused = run(job(config, "in.pcap", "fused.pcap"));
  const std::string expected = bytes_of_file(path("fused.pcap"));
  ASSERT_GT(expected.size(), 100'000u);
  for (std::size_t cores = 2; cores <= kStages; ++cores) {
    ReplayJob threaded = job(config, "in.pcap", "threaded.pcap");
    threaded.cores = cores;
    EXPECT_EQ(run(threaded).state_hash, fused.state_hash) << cores;
    EXPECT_TRUE(bytes_of_file(path("threaded.pcap")) == expected) << cores;
  }
}

TEST_F(Replay, WritesTheSameBytesWhateverTheSizeOfTheRings) {
  write_call_day("in.pcap", 400);
  const Figures wide = run(job(config_file("wide.toml", "", kCallPhases), "in.pcap", "wide.pcap"));
  EXPECT_GT(wide.executions, 300u);
  const std::string expected = bytes_of_file(path("wide.pcap"));
  ASSERT_GT(expected.size(), 100'000u);
  for (const auto& [commands, events] : {std::pair{16, 16}, {2, 2}, {2, 1024}, {1024, 2}, {64, 16}}) {
    const std::string limits = fmt::format("command_ring = {}\nevent_ring = {}\n", commands, events);
    const Figures narrow = run(job(config_file("narrow.toml", limits, kCallPhases), "in.pcap", "narrow.pcap"));
    EXPECT_EQ(narrow.state_hash, wide.state_hash) << limits;
    EXPECT_EQ(narrow.executions, wide.executions) << limits;
    EXPECT_TRUE(bytes_of_file(path("narrow.pcap")) == expected) << limits;
  }
}

TEST_F(Replay, WritesFramesInTheOrderOfTheirTimes) {
  write_call_day("in.pcap", 100);
  run(job(config_file("c.toml", "event_ring = 4\n", kCallPhases), "in.pcap", "out.pcap"));
  TimeNs last = 0;
  for (const Sent& frame : read_output(path("out.pcap"))) {
    EXPECT_GE(frame.time, last);
    last = frame.time;
  }
}

TEST_F(Replay, PlaysTheScheduleToItsEnd) {
  write_small_day("in.pcap");
  run(job(config_file("c.toml", "", kCallPhases), "in.pcap", "out.pcap"));
  const std::vector<Sent> sent = read_output(path("out.pcap"));
  EXPECT_EQ(sent.back().time, 36'006 * kNsPerSecond + kNsPerSecond / 2);
  const wire::mold::Header& last = *wire::view_as<wire::mold::Header>(sent.back().payload);
  EXPECT_EQ(last.count, wire::mold::kEndOfSession);
}

TEST_F(Replay, CountsWhatItDropsByName) {
  {
    Input in(path("in.pcap"));
    in.login(kStart, kAnn, "ann");
    in.messages(kStart + kMs, kBob, {order(1, 'B', 100, 1'000'000)});  // not logged in
    Payload broken = test::echo_frame(kAnn);
    broken[14 + 10] ^= 0xFF;
    in.frame(kStart + 2 * kMs, broken);
  }
  const Figures figures = run(job(config_file("c.toml"), "in.pcap", "out.pcap"));
  const std::string text = to_text(figures);
  EXPECT_NE(text.find("receive.order_source_unknown 1"), std::string::npos) << text;
  EXPECT_NE(text.find("receive.ip_checksum 1"), std::string::npos) << text;
  const std::string json = to_json(figures);
  for (const auto& row : kReceiveCounters) {
    EXPECT_NE(json.find(fmt::format("\"{}\":", row.label)), std::string::npos) << row.label;
  }
  EXPECT_NE(json.find(fmt::format("\"state_hash\": \"{:016x}\"", figures.state_hash)), std::string::npos) << json;
}

TEST_F(Replay, SideBySideIsAsAlone) {
  write_small_day("a.pcap");
  write_call_day("b.pcap", 120);
  const std::string plain = config_file("plain.toml");
  const std::string call = config_file("call.toml", "event_ring = 16\n", kCallPhases);
  const Figures a = run(job(plain, "a.pcap", "a-alone.pcap"));
  run(job(call, "b.pcap", "b-alone.pcap"));
  ::testing::internal::CaptureStdout();
  const int status = replay_main({{plain, call},
                                  {path("a.pcap"), path("b.pcap")},
                                  {path("a-out.pcap"), path("b-out.pcap")},
                                  {path("a.json"), path("b.json")},
                                  ""});
  const std::string text = ::testing::internal::GetCapturedStdout();
  EXPECT_EQ(status, 0);
  EXPECT_NE(text.find(fmt::format("state_hash   {:016x}", a.state_hash)), std::string::npos) << text;
  EXPECT_EQ(bytes_of_file(path("a-out.pcap")), bytes_of_file(path("a-alone.pcap")));
  EXPECT_EQ(bytes_of_file(path("b-out.pcap")), bytes_of_file(path("b-alone.pcap")));
  EXPECT_NE(bytes_of_file(path("a.json")).find("\"executions\": 1,"), std::string::npos);
}

TEST_F(Replay, AnswersUnderTheMacThatTheCapturesClientsUse) {
  {
    Input in(path("in.pcap"));
    Payload login = test::login_frame(kAnn, "ann", "secret");
    const MacAddress device{0x0A, 1, 2, 3, 4, 5};
    std::copy(device.begin(), device.end(), login.begin());
    in.frame(kStart, test::arp_frame(kAnn));
    in.frame(kStart + kMs, login);
  }
  const std::string config = config_file("c.toml");
  const auto logins = [&] {
    const Figures figures = run(job(config, "in.pcap", "out.pcap"));
    return to_json(figures).find("\"logins_accepted\": 1") != std::string::npos;
  };
  EXPECT_TRUE(logins());
  std::string text = bytes_of_file(config);
  text.insert(text.find("address"), "mac = \"02:00:00:00:00:01\"\n");  // the configuration's word counts more
  std::ofstream(config) << text;
  EXPECT_FALSE(logins());
}

TEST_F(Replay, TakesTheSessionNameThatTheClientsKnow) {
  write_small_day("in.pcap");
  ReplayJob other = job(config_file("c.toml"), "in.pcap", "out.pcap");
  other.session = "SOMEOTHER1";
  EXPECT_EQ(run(other).orders, 0u);
  other.session = kSession;
  EXPECT_EQ(run(other).orders, 7u);
}

/// As recorded: a run's start, and what the wire brought.
class Recorded : public Replay {
 protected:
  static constexpr wire::RecordingTag kTag = {1, 2, 3};

  /// Ann and Bob trade once a millisecond, `trades` times, after `start`; `end`: the end marker is there.
  void write_recording(const std::string& name, const RecordingStart& start, std::uint32_t trades, bool end) const {
    Input in(path(name));
    const auto frame = [&in](TimeNs time, const auto& bytes) { in.frame(time, Payload(bytes.begin(), bytes.end())); };
    frame(kStart, start_marker(start));
    for (const auto& references : reference_frames(start)) frame(kStart, references);
    in.login(kStart, kAnn, "ann");
    in.login(kStart, kBob, "bob");
    for (std::uint32_t i = 1; i <= trades; ++i) {
      in.messages(kStart + i * kMs, kAnn, {order(i, 'B', 100, 1'000'000)});
      in.messages(kStart + i * kMs, kBob, {order(i, 'S', 100, 1'000'000)});
    }
    if (end) frame(kStart + (trades + 1) * kMs, end_marker());
  }

  static RecordingStart start() { return {test::kOurMac, kTag, {}}; }
};

TEST_F(Recorded, GivesTheSameAnswersUpToWhereItWasBrokenOff) {
  write_recording("whole.pcap", start(), 3, true);
  const std::string config = config_file("c.toml");
  run(job(config, "whole.pcap", "out.pcap"));
  const std::vector<Sent> whole = read_output(path("out.pcap"));
  const std::string bytes = bytes_of_file(path("whole.pcap"));
  ::testing::internal::CaptureStderr();
  std::size_t cuts = 0;
  // Every 7 bytes, in the last frames, as a kill in the middle of a system call may leave it.
  for (std::size_t length = bytes.size() - 400; length < bytes.size(); length += 7, ++cuts) {
    std::ofstream(path("cut.pcap"), std::ios::binary) << bytes.substr(0, length);
    run(job(config, "cut.pcap", "out.pcap"));
    const std::vector<Sent> sent = read_output(path("out.pcap"));
    const CaptureRxPort input(path("cut.pcap"), test::kMidnight);
    // Where the input ends, the day does.
    const auto over = std::find_if(sent.begin(), sent.end(), [](const Sent& frame) {
      return frame.payload.size() == sizeof(wire::mold::Header) &&
             wire::view_as<wire::mold::Header>(frame.payload)->count == wire::mold::kEndOfSession;
    });
    ASSERT_NE(over, sent.end());
    for (auto at = sent.begin(); at->time < over->time; ++at) {
      const Sent& other = whole.at(static_cast<std::size_t>(at - sent.begin()));
      ASSERT_TRUE(at->time == other.time && at->port == other.port && at->payload == other.payload) << length;
    }
  }
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), static_cast<std::ptrdiff_t>(cuts)) << said;
  EXPECT_NE(said.find("cut.pcap: the recording was broken off at 2023-11-15 10:00:00.00"), std::string::npos) << said;
}

TEST_F(Recorded, HasTheReferencePricesOfItsRunAndNotOfItsConfiguration) {
  const auto hash = [this](const RecordingStart& start, const std::string& config) {
    write_recording("in.pcap", start, 1, true);
    return run(job(config, "in.pcap", "out.pcap")).state_hash;
  };
  const std::string config = config_file("c.toml");
  const Config loaded = load_config(config, ConfigUse::replay);
  const SymbolConfig& symbol = loaded.engine.symbols.at(0);
  RecordingStart with = start();
  with.references = {{symbol.name, Price{symbol.reference.value + 3 * symbol.tick_e4}}};
  RecordingStart with_same = start();
  with_same.references = {{symbol.name, symbol.reference}};
  EXPECT_EQ(hash(with_same, config), hash(start(), config));

  std::string text = bytes_of_file(config);
  const std::string key = fmt::format("reference_price_e4 = {}", symbol.reference.value);
  ASSERT_NE(text.find(key), std::string::npos);
  text.replace(text.find(key), key.size(),
               fmt::format("reference_price_e4 = {}", symbol.reference.value + 3 * symbol.tick_e4));
  const std::string other = folder_.write("other.toml", text);
  // What it says on the feed and in the books is the same either way.
  const std::uint64_t recorded = hash(with, config);
  const std::string recorded_bytes = bytes_of_file(path("out.pcap"));
  EXPECT_EQ(recorded, hash(start(), other));
  EXPECT_EQ(recorded_bytes, bytes_of_file(path("out.pcap")));
}

TEST_F(Recorded, WithASymbolThatTheConfigurationDoesNotHaveIsRefused) {
  const std::string config = config_file("c.toml");
  const auto fault = [&](const ReferencePrice& reference) -> std::string {
    RecordingStart with = start();
    with.references = {reference};
    write_recording("in.pcap", with, 1, true);
    try {
      run(job(config, "in.pcap", "out.pcap"));
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(fault({{'N', 'O', 'N', 'E', ' ', ' ', ' ', ' '}, Price{100}}),
            path("in.pcap") + ": the recorded run had symbol NONE with a reference price of 100, which " + config +
                " does not have; replay with the configuration of that run");
  const SymbolName name = load_config(config, ConfigUse::replay).engine.symbols.at(0).name;
  EXPECT_NE(fault({name, Price{101}}).find("which is no multiple of its tick_e4 in " + config), std::string::npos);
}

// ---- The program as a user meets it ---------------------------------------------------------------------------------

using test::Ran;
using test::shell;

class Program : public Replay {
 protected:
  void SetUp() override {
    program_ = test::program();
    if (program_.empty()) GTEST_SKIP() << "CROSSWIRE does not name the program: run it by meson test";
    write_small_day("in.pcap");
    config_ = config_file("c.toml");
  }

  Ran replay_of(const std::string& arguments) const { return shell(program_ + " replay " + arguments); }

  /// Exit status 1, and one line that names `what`.
  void expect_failure(const Ran& ran, const std::string& what) const {
    EXPECT_EQ(ran.status, 1);
    EXPECT_NE(ran.output.find(what), std::string::npos) << ran.output;
    EXPECT_EQ(std::count(ran.output.begin(), ran.output.end(), '\n'), 1) << ran.output;
  }

  std::string program_;
  std::string config_;
};

TEST_F(Program, ReplaysAndPrintsTheFigures) {
  const Ran ran = replay_of("--config " + config_ + " --in " + path("in.pcap") + " --out " + path("out.pcap"));
  EXPECT_EQ(ran.status, 0) << ran.output;
  for (const char* const word :
       {"frames ", "orders ", "executions 1 ", "dropped ", "orders/s", "state_hash", "in the box", "memory"}) {
    EXPECT_NE(ran.output.find(word), std::string::npos) << word << " in:\n" << ran.output;
  }
}

TEST_F(Program, WritesItsLatencyHistogramsByTheCapturesName) {
  std::filesystem::create_directory(path("hgrm"));
  const std::string arguments =
      "--config " + config_ + " --in " + path("in.pcap") + " --out " + path("out.pcap") + " --hgrm ";
  const Ran ran = replay_of(arguments + path("hgrm"));
  EXPECT_EQ(ran.status, 0) << ran.output;
  const std::string text = bytes_of_file(path("hgrm/in-in_the_box.hgrm"));
  EXPECT_NE(text.find("Total count    ="), std::string::npos) << text;
  EXPECT_FALSE(std::filesystem::exists(path("hgrm/in-in_the_box.hgrm.part")));
  expect_failure(replay_of(arguments + path("nowhere")), "nowhere: No such file or directory");
}

TEST_F(Program, RunsAsAnOrdinaryUser) {
  constexpr uid_t kNobody = 65534;
  const bool root = getuid() == 0;
  if (root) {
    ASSERT_EQ(chown(config_.c_str(), kNobody, kNobody), 0);
  }
  const std::string in = path("in.pcap");
  const std::string out = path("user.pcap");
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (root && (setgroups(0, nullptr) != 0 || setgid(kNobody) != 0 || setuid(kNobody) != 0)) _exit(99);
    execl(program_.c_str(), "crosswire", "replay", "--config", config_.c_str(), "--in", in.c_str(), "--out",
          out.c_str(), nullptr);
    _exit(98);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_GT(std::filesystem::file_size(out), 24u);
}

TEST_F(Program, ExplainsWhatItCannotReadOrWriteInOneLine) {
  const std::string in = path("in.pcap");
  expect_failure(replay_of("--config /nowhere.toml --in " + in + " --out " + path("o.pcap")), "/nowhere.toml:1: file:");
  expect_failure(replay_of("--config " + config_ + " --in " + path("no.pcap") + " --out " + path("o.pcap")),
                 path("no.pcap"));
  expect_failure(replay_of("--config " + config_ + " --in " + in + " --out /nowhere/o.pcap"), "/nowhere/o.pcap");
  expect_failure(
      replay_of("--config " + config_ + " --in " + in + " --out " + path("o.pcap") + " --report /nowhere/r.json"),
      "/nowhere/r.json");
  std::ofstream(path("bad.toml")) << "[port]\naddress = 1\n";
  expect_failure(replay_of("--config " + path("bad.toml") + " --in " + in + " --out " + path("o.pcap")),
                 path("bad.toml") + ":2: port.address:");
  EXPECT_FALSE(std::filesystem::exists(path("o2.pcap")));

  std::string cut = bytes_of_file(in);
  cut.resize(cut.size() - 5);
  std::ofstream(path("cut.pcap"), std::ios::binary) << cut;
  expect_failure(replay_of("--config " + config_ + " --in " + path("cut.pcap") + " --out " + path("o.pcap")),
                 "frame 7");
}

TEST_F(Program, LeavesNothingHalfWrittenAndWhatWasThereAlone) {
  const std::string in = path("in.pcap");
  std::string cut = bytes_of_file(in);
  cut.resize(cut.size() - 5);
  std::ofstream(path("cut.pcap"), std::ios::binary) << cut;
  std::ofstream(path("o.pcap")) << "earlier";
  expect_failure(replay_of("--config " + config_ + " --in " + path("cut.pcap") + " --out " + path("o.pcap")),
                 "editcap -r ");
  const std::string greedy = config_file("greedy.toml", "event_ring = 268435456\n");
  EXPECT_EQ(replay_of("--config " + greedy + " --in " + in + " --out " + path("o.pcap")).status, 1);
  EXPECT_EQ(bytes_of_file(path("o.pcap")), "earlier");
  EXPECT_FALSE(std::filesystem::exists(path("o.pcap.part")));
}

TEST_F(Program, EndsAtAFrameWhoseTimeFellUnlessThatIsAllowed) {
  {
    Input in(path("in.pcap"));
    in.login(kStart, kAnn, "ann");
    // One of the orders is stamped twelve hours ahead.
    for (std::uint32_t i = 1; i <= 10; ++i) {
      in.messages(kStart + i * kMs + (i == 2 ? 12 * 3600 * kNsPerSecond : 0), kAnn, {order(i, 'B', 100, 1'000'000)});
    }
  }
  const std::string arguments = "--config " + config_ + " --in " + path("in.pcap") + " --out " + path("o.pcap");
  expect_failure(replay_of(arguments),
                 "in.pcap: frame 4: its time, 2023-11-15 10:00:00.003000000 UTC, is more than a second before that of "
                 "frame 3, 2023-11-15 22:00:00.002000000 UTC; ");
  EXPECT_FALSE(std::filesystem::exists(path("o.pcap")));
  const Ran allowed = replay_of(arguments + " --allow-time-fall");
  EXPECT_EQ(allowed.status, 1) << allowed.output;  // most orders came to nothing
  EXPECT_NE(allowed.output.find("port.clamped_time 8"), std::string::npos) << allowed.output;
  EXPECT_EQ(replay_of(arguments + " --allow-time-fall --allow-drops").status, 0);
}

TEST_F(Program, OverwritesNothingThatItReads) {
  const std::string in = path("in.pcap");
  const std::string before = bytes_of_file(config_);
  std::filesystem::create_hard_link(config_, path("hard"));
  std::filesystem::create_symlink(in, path("soft"));
  for (const std::string& out : {config_, path("hard"), path("soft")}) {
    const Ran ran = replay_of("--config " + config_ + " --in " + in + " --out " + out);
    EXPECT_EQ(ran.status, 2);
    EXPECT_NE(ran.output.find("would be overwritten by " + out), std::string::npos) << ran.output;
  }
  EXPECT_EQ(replay_of("--config " + config_ + " --in " + in + " --out " + path("o") + " --report " + config_).status,
            2);
  const Ran twice =
      replay_of("--config " + config_ + " --in " + in + " --out " + path("o") + " --report " + path("./o"));
  EXPECT_EQ(twice.status, 2);
  EXPECT_NE(twice.output.find("o: is written twice"), std::string::npos) << twice.output;
  EXPECT_EQ(bytes_of_file(config_), before);
}

TEST_F(Program, TellsPathsThatCannotBeFollowedInOneLine) {
  std::filesystem::create_symlink(path("loop"), path("loop"));
  const std::string config = "--config " + config_;
  const std::string in = " --in " + path("in.pcap");
  expect_failure(replay_of(config + " --in " + path("loop") + " --out " + path("o")), "/loop: cannot be read");
  expect_failure(replay_of(config + in + " --out " + path("loop")), "/loop: cannot be written");
  expect_failure(replay_of(config + " --in " + path("") + " --out " + path("o")), ": cannot be read: Is a directory; ");
  expect_failure(replay_of("--config " + path("nope.toml") + in + " --out " + path("o")),
                 "nope.toml:1: file: cannot be read: No such file or directory; ");
  expect_failure(replay_of(config + in + " --out " + path(std::string(300, 'x'))), "File name too long");
  expect_failure(
      shell("cat " + path("in.pcap") + " | " + program_ + " replay " + config + " --in /dev/stdin --out " + path("o")),
      "more than once");
}

TEST_F(Program, SaysWhenItsFiguresCannotBePrinted) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full to write to";
  const Ran ran = shell("( " + program_ + " replay --config " + config_ + " --in " + path("in.pcap") + " --out " +
                        path("o") + " > /dev/full )");
  expect_failure(ran, "output cannot be written");
}

TEST_F(Program, TakesWrongUsageForAnErrorOfItsOwn) {
  const std::string in = " --in " + path("in.pcap");
  const std::string config = " --config " + config_;
  EXPECT_EQ(shell(program_).status, 2);
  const Ran fly = shell(program_ + " fly");
  EXPECT_EQ(fly.status, 2);
  EXPECT_EQ(
      fly.output,
      "crosswire: \"fly\" is no command; give run, replay, doctor, flow, load, echo, plan, top, ctl or scenario, or "
      "see crosswire --help\n");
  const Ran mistyped = shell(program_ + " replay --confg x --out o");
  EXPECT_EQ(mistyped.status, 2);
  EXPECT_EQ(mistyped.output.find("The following arguments were not expected: --confg x\n"), 0u) << mistyped.output;
  EXPECT_EQ(replay_of(config + in + " --out ''").status, 2);
  for (const char* const option : {"--report", "--hgrm"}) {
    const Ran ran = replay_of(config + in + " --out " + path("o.pcap") + " " + option + " -");
    EXPECT_EQ(ran.status, 2);
    EXPECT_NE(ran.output.find(std::string(option) + ": stdout is for the figures; give a path (./- for"),
              std::string::npos)
        << ran.output;
  }
  EXPECT_EQ(replay_of(config + in + " --out -").status, 2);
  EXPECT_EQ(replay_of(config + in).status, 2);
  EXPECT_EQ(replay_of(config + in + " --out " + path("o.pcap") + " --fast").status, 2);
  EXPECT_EQ(replay_of(config + in + in + " --out " + path("o.pcap")).status, 2);
  EXPECT_EQ(replay_of(config + in + " --out " + path("in.pcap")).status, 2);  // would overwrite its input
  EXPECT_EQ(replay_of(config + in + " --out " + path("o.pcap") + " --session SHORT").status, 2);
}

TEST_F(Program, HelpsWithEachCommand) {
  EXPECT_EQ(shell(program_ + " --version").output, "crosswire " CROSSWIRE_VERSION "\n");
  for (const char* const command : {"", " run", " replay", " flow"}) {
    const Ran ran = shell(program_ + command + " --help");
    EXPECT_EQ(ran.status, 0);
    EXPECT_NE(ran.output.find("Example"), std::string::npos) << ran.output;
  }
}

}  // namespace
}  // namespace crosswire
