// `crosswire flow` from end to end: a day's orders through the whole exchange, and the checker that judges it.

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "app/command_line.hpp"
#include "app/config/config.hpp"
#include "app/flow/check.hpp"
#include "app/flow/csv.hpp"
#include "app/flow/error.hpp"
#include "app/flow/frames.hpp"
#include "app/flow/orders.hpp"
#include "app/flow/recorded_day.hpp"
#include "app/replay/replay.hpp"
#include "netstack/port/capture.hpp"
#include "netstack/session/session_name.hpp"
#include "netstack/wire/mold.hpp"
#include "netstack/wire/ouch.hpp"
#include "netstack/wire/soup.hpp"
#include "tests/app/flow/flow_files.hpp"

namespace crosswire {
namespace {

using test::Folder;
using test::kDay;
using test::kDepth;
using test::kOrders;
using test::kTrades;
using test::with;

/// The made-up day in a folder, replayed.
class ReplayedDay {
 public:
  explicit ReplayedDay(std::uint32_t sessions, const std::string& orders = kOrders,
                       const std::string& day = std::string(kDay)) {
    figures = write_order_flow({.orders_path = write_gz(folder, "orders.csv.gz", orders),
                                .symbol = "TST",
                                .sessions = sessions,
                                .capture_path = folder.file("orders.pcap"),
                                .day = load_day(folder.write("day.toml", day)),
                                .config_path = folder.file("crosswire.toml")});
    static const TscClock clock = TscClock::calibrated();
    ReplayProgress progress;
    const ReplayJob job{.config = load_config(folder.file("crosswire.toml"), ConfigUse::replay),
                        .in = folder.file("orders.pcap"),
                        .out = folder.file("out.pcap"),
                        .report = "",
                        .session = ""};
    replayed = replay(job, clock, progress);
  }

  std::vector<CheckResult> check(std::string_view trades, std::string_view depth,
                                 const std::string& symbol = "") const {
    return check_day({.capture_path = folder.file("out.pcap"),
                      .trades_path = trades.empty() ? "" : write_gz(folder, "trades.csv.gz", trades),
                      .depth_path = depth.empty() ? "" : write_gz(folder, "depth.csv.gz", depth),
                      .symbol = symbol});
  }

  Folder folder;
  OrderFlowFigures figures;
  Figures replayed;
};

const ReplayedDay& the_day() {
  static const ReplayedDay day(3);
  return day;
}

TEST(Flow, TakesADayThroughTheExchangeToItsOwnExecutionsAndDepth) {
  EXPECT_EQ(the_day().figures.enters, 11u);
  EXPECT_EQ(the_day().figures.cancels, 1u);
  EXPECT_EQ(the_day().figures.reductions, 2u);
  EXPECT_EQ(the_day().figures.executions, 8u);
  const auto results = the_day().check(kTrades, kDepth);
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[0].summary, "executions 8/8 identical in order");
  EXPECT_EQ(results[1].summary, "depth 5/5 identical");
  for (const CheckResult& result : results) EXPECT_TRUE(result.identical()) << result.differences.front();
}

TEST(Flow, GivesTheSameExecutionsWithAnyNumberOfSessions) {
  for (const std::uint32_t sessions : {1u, 2u, 11u, 300u}) {
    const ReplayedDay day(sessions);
    EXPECT_EQ(day.check(kTrades, kDepth)[0].summary, "executions 8/8 identical in order") << sessions;
    EXPECT_EQ(day.replayed.executions, 8u);
  }
}

TEST(Flow, MakesTheSameBytesEachTime) {
  const ReplayedDay again(3);
  for (const char* const name : {"orders.pcap", "out.pcap", "crosswire.toml"}) {
    EXPECT_EQ(test::read_file(again.folder.file(name)), test::read_file(the_day().folder.file(name))) << name;
  }
}

TEST(Flow, KeepsItsClientsUntilTheLastPhaseAfterALongSilence) {
  // The last order enters four minutes before the closing cross.
  const auto executed = [](const ReplayedDay& day) { return day.check(kTrades, "")[0].summary; };
  EXPECT_EQ(executed(the_day()), "executions 8/8 identical in order");
  for (const CounterFigure& counter : the_day().replayed.counters) {
    EXPECT_TRUE(counter.kind != CounterKind::drop || counter.value == 0)
        << counter.stage << " " << counter.label << " " << counter.value.value_or(0);
  }
}

TEST(Flow, WithoutADayTradesContinuouslyFromTheStart) {
  const Folder folder;
  const OrderFlowFigures figures = write_order_flow({.orders_path = folder.write("o.csv", kOrders),
                                                     .symbol = "TST",
                                                     .sessions = 1,
                                                     .capture_path = folder.file("o.pcap"),
                                                     .day = std::nullopt,
                                                     .config_path = folder.file("c.toml")});
  EXPECT_GT(figures.executions, 0u);
  EXPECT_EQ(load_config(folder.file("c.toml"), ConfigUse::replay).net.schedule.front().phase, Phase::continuous);
}

TEST(Flow, GoesOnBehindAnOrderThatCannotBeCancelledToAScore) {
  // Here order 7 is executed whole, where it was not at the exchange.
  const ReplayedDay day(2, with(kOrders, "A,8,S,99900,120", "A,8,S,99900,160"));
  EXPECT_EQ(day.figures.without_effect, 1u);
  EXPECT_NE(
      day.figures.first_without_effect.find("orders.csv.gz:13: order 7 cannot be cancelled: it has 0 shares left"),
      std::string::npos)
      << day.figures.first_without_effect;
  EXPECT_EQ(day.check(kTrades, "")[0].summary, "executions 6/8 identical in order, the replay has 9: DIFFERENT");
}

TEST(Flow, TakesTheNumberOfADeadOrderAgain) {
  // 2 has executed in the opening cross, 7 was cancelled: both numbers come again.
  const ReplayedDay day(3, kOrders +
                               "54070000000000,A,7,B,99700,30\n54080000000000,A,2,B,99700,10\n"
                               "54090000000000,D,7,B,99700,30\n");
  EXPECT_EQ(day.figures.enters, 13u);
  EXPECT_EQ(day.figures.without_effect, 0u);
  EXPECT_EQ(day.check(kTrades, "")[0].summary, "executions 8/8 identical in order");
}

TEST(Flow, NamesTheOrderThatIsBeforeTheFirstPhase) {
  try {
    const ReplayedDay day(1, with(kOrders, "33000000000000,A,1", "32000000000000,A,1"));
    FAIL() << "it is taken";
  } catch (const FlowError& error) {
    EXPECT_NE(std::string(error.what()).find("orders.csv.gz:2: order 1 is before the first phase of the day"),
              std::string::npos)
        << error.what();
  }
}

TEST(Flow, WritesAConfigurationThatOnlyItsOwnerMayRead) {
  const Folder folder;
  folder.write("c.toml", "was here before, readable by all");
  chmod(folder.file("c.toml").c_str(), 0644);
  write_order_flow({.orders_path = folder.write("o.csv", kOrders),
                    .symbol = "TST",
                    .sessions = 260,
                    .capture_path = folder.file("o.pcap"),
                    .day = load_day(folder.write("day.toml", kDay)),
                    .config_path = folder.file("c.toml")});
  struct stat status {};
  ASSERT_EQ(stat(folder.file("c.toml").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0600u);

  const Config config = load_config(folder.file("c.toml"), ConfigUse::replay);
  EXPECT_EQ(config.midnight_epoch_ns, 1'709'164'800'000'000'000);
  EXPECT_EQ(config.net.accounts.size(), 260u);
  EXPECT_EQ(config.net.accounts[259].user, "U00260");
  EXPECT_EQ(config.net.schedule.size(), 4u);
  EXPECT_EQ(config.net.schedule[3].at_ns, 54'300 * kNsPerSecond);
  EXPECT_EQ(config.engine.symbols[0].reference, Price{100'000});
}

TEST(Flow, CannotWriteWhereItMayNot) {
  const Folder folder;
  EXPECT_THROW(write_order_flow({.orders_path = folder.write("o.csv", kOrders),
                                 .symbol = "TST",
                                 .sessions = 1,
                                 .capture_path = folder.file("none/o.pcap"),
                                 .day = std::nullopt,
                                 .config_path = ""}),
               std::runtime_error);
  EXPECT_THROW(write_order_flow({.orders_path = folder.write("o.csv", kOrders),
                                 .symbol = "TST",
                                 .sessions = 1,
                                 .capture_path = folder.file("o.pcap"),
                                 .day = std::nullopt,
                                 .config_path = folder.file("none/c.toml")}),
               std::runtime_error);
  EXPECT_FALSE(std::filesystem::exists(folder.file("o.pcap")));  // the one without the other is of no use
}

// ---- The frames -----------------------------------------------------------------------------------------------------

constexpr std::size_t kPayloadAt = 42;

TEST(FlowFrames, LogInFirstThenNumberEachSessionsMessagesAndNeverFallSilent) {
  const std::string path = the_day().folder.file("orders.pcap");
  const std::int64_t first_ns = CaptureRxPort::first_frame_epoch_ns(path);
  EXPECT_EQ(first_ns, 1'709'164'800'000'000'000 + 32'999'000'000'000);  // one second before the first order
  const std::string name = session_name('O', static_cast<std::uint64_t>(first_ns) / 1'000'000);

  CaptureRxPort port(path, midnight_utc(first_ns));
  std::map<int, std::uint64_t> next_sequence;  // by the client's MAC
  std::map<int, TimeNs> last_ns;
  TimeNs longest_silence = 0;
  std::size_t orders = 0;
  for (RxBurst burst = port.receive(); !burst.ended; burst = port.receive()) {
    for (const RxFrame& frame : burst.frames) {
      const int client = frame.data[11];
      const wire::Bytes ip(frame.data + 14, frame.length - 14);
      const std::size_t datagram = std::size_t{ip[2]} << 8 | ip[3];
      const wire::Bytes payload(frame.data + kPayloadAt, datagram - 28);
      if (last_ns.contains(client)) longest_silence = std::max(longest_silence, burst.time_ns - last_ns[client]);
      const bool login = !last_ns.contains(client);
      last_ns[client] = burst.time_ns;
      if (payload[0] == 0) {
        const auto packet = wire::soup::read_datagram(payload);
        ASSERT_EQ(packet.status, wire::soup::ReadStatus::packet);
        EXPECT_EQ(packet.type,
                  login ? wire::soup::PacketType::login_request : wire::soup::PacketType::client_heartbeat);
        continue;
      }
      EXPECT_FALSE(login);
      wire::mold::BlockReader reader(payload);
      EXPECT_EQ(reader.header()->session.raw(), name);
      EXPECT_EQ(reader.header()->count, 1);
      EXPECT_EQ(reader.header()->sequence, ++next_sequence[client]);
      ASSERT_TRUE(reader.next());
      ++orders;
    }
  }
  EXPECT_EQ(port.error(), "");
  EXPECT_EQ(orders, 14u);
  EXPECT_EQ(last_ns.size(), 3u);
  EXPECT_EQ(longest_silence, kClientHeartbeatNs);
  for (const auto& [client, time_ns] : last_ns) EXPECT_GT(time_ns + kClientHeartbeatNs, 54'300 * kNsPerSecond);
}

TEST(FlowFrames, CarryTheOrderNumberAsClOrdIdAndACancelGoesWithItsOrder) {
  const std::string path = the_day().folder.file("orders.pcap");
  CaptureRxPort port(path, midnight_utc(CaptureRxPort::first_frame_epoch_ns(path)));
  std::map<std::pair<int, std::uint32_t>, std::string> entered;
  std::vector<std::pair<std::string, std::uint32_t>> cancels;
  for (RxBurst burst = port.receive(); !burst.ended; burst = port.receive()) {
    for (const RxFrame& frame : burst.frames) {
      const wire::Bytes payload(frame.data + kPayloadAt, frame.length - kPayloadAt);
      if (payload[0] == 0) continue;
      const wire::Bytes message = payload.subspan(22);
      if (message[0] == 'O') {
        const auto& enter = *wire::view_as<wire::ouch::EnterOrder>(message);
        entered[{frame.data[11], enter.user_ref_num}] = std::string(enter.cl_ord_id.view());
      } else {
        const auto& cancel = *wire::view_as<wire::ouch::CancelOrder>(message);
        cancels.emplace_back(entered[{frame.data[11], cancel.user_ref_num}], cancel.quantity);
      }
    }
  }
  // Order 5 has executed 150 and is to keep 100.
  EXPECT_EQ(cancels, (std::vector<std::pair<std::string, std::uint32_t>>{{"3", 50}, {"5", 250}, {"7", 0}}));
}

TEST(SessionName, IsALetterAndTheStartInBase36) {
  EXPECT_EQ(session_name('O', 0), "O000000000");
  EXPECT_EQ(session_name('F', 35), "F00000000Z");
  EXPECT_EQ(session_name('O', 36), "O000000010");
  EXPECT_EQ(session_name('O', 1'709'197'799'000), "O0LT708M6W");
  EXPECT_LT(session_name('O', 1'709'197'799'000), session_name('O', 1'709'197'799'001));
}

// ---- The checker must see what is wrong -----------------------------------------------------------------------------

CheckResult trades_against(const std::string& trades) { return the_day().check(trades, "")[0]; }

TEST(FlowCheck, SeesAnExecutionWithAnotherOrderPriceSizeOrAggressor) {
  const std::string line = "34260000000000,1,4,100100,100,S\n";
  for (const char* const other :
       {"34260000000000,5,4,100100,100,S\n", "34260000000000,1,6,100100,100,S\n", "34260000000000,1,4,100000,100,S\n",
        "34260000000000,1,4,100100,99,S\n", "34260000000000,1,4,100100,100,B\n", "34260000000000,1,4,100100,100,\n"}) {
    const CheckResult result = trades_against(with(kTrades, line, other));
    EXPECT_EQ(result.summary, "executions 7/8 identical in order, the replay has 8: DIFFERENT") << other;
    ASSERT_EQ(result.differences.size(), 1u);
    EXPECT_NE(result.differences[0].find("trades.csv.gz:4: "), std::string::npos) << result.differences[0];
  }
}

TEST(FlowCheck, SeesTwoExecutionsThatChangedPlaces) {
  const std::string first = "34200000000000,1,2,100100,100,\n";
  const std::string second = "34200000000000,1,3,100100,50,\n";
  const CheckResult result = trades_against(with(kTrades, first + second, second + first));
  EXPECT_EQ(result.summary, "executions 6/8 identical in order, the replay has 8: DIFFERENT");
  EXPECT_NE(
      result.differences[0].find(":2: exchange: buy 1 sell 3 50 shares at 10.0100 in a cross; replay: buy 1 sell 2"),
      std::string::npos)
      << result.differences[0];
}

TEST(FlowCheck, SeesExecutionsThatOneOfThemDoesNotHave) {
  EXPECT_FALSE(trades_against(with(kTrades, "54300000000000,11,10,100200,70,\n", "")).identical());
  EXPECT_FALSE(trades_against(kTrades + "54300000000000,11,10,100200,70,\n").identical());
  EXPECT_FALSE(trades_against(std::string(test::kTradesHeader)).identical());
}

TEST(FlowCheck, SeesADepthThatIsOffByOneShareOneTickOrOneMoment) {
  const auto depth = [](std::string_view from, std::string_view to) {
    return the_day().check("", with(kDepth, from, to))[0];
  };
  EXPECT_EQ(depth("100000,140", "100000,141").summary, "depth 4/5 identical: DIFFERENT");
  EXPECT_EQ(depth("100200,70", "100300,70").summary, "depth 4/5 identical: DIFFERENT");
  const CheckResult late = depth(",570,", ",571,");
  EXPECT_EQ(late.summary, "depth 4/5 identical: DIFFERENT");
  EXPECT_NE(late.differences[0].find("depth.csv.gz:5: cum_shares 571: the replay never came by it"), std::string::npos)
      << late.differences[0];
  // The order of moments counts: 140 comes after 100.
  EXPECT_FALSE(the_day()
                   .check("", test::depth_header() + test::depth_line("450", "100000,140", "0,0") +
                                  test::depth_line("450", "100000,100", "0,0"))[0]
                   .identical());
}

TEST(FlowCheck, OneWrongDepthRowCostsItselfAlone) {
  const auto depth = [](std::string_view from, std::string_view to) {
    return the_day().check("", with(kDepth, from, to))[0];
  };
  // The first of three at one number of shares, and one at a number that comes much later or never.
  EXPECT_EQ(depth("100000,350", "100000,351").summary, "depth 4/5 identical: DIFFERENT");
  EXPECT_EQ(depth(",450,", ",640,").summary, "depth 4/5 identical: DIFFERENT");
  EXPECT_EQ(depth(",450,", ",999999,").summary, "depth 4/5 identical: DIFFERENT");
  const std::string line = test::depth_line("450", "100000,100", "0,0");
  EXPECT_EQ(depth(line, line + line + line).summary, "depth 7/7 identical") << "snapshots of one moment";
}

TEST(FlowCheck, AComparisonWithNothingIsNoSuccess) {
  const CheckResult none = the_day().check("", test::depth_header())[0];
  EXPECT_EQ(none.summary, "depth 0/0: NOTHING TO COMPARE WITH");
  EXPECT_FALSE(none.identical());
  const CheckResult trades = trades_against(std::string(test::kTradesHeader));
  EXPECT_EQ(trades.summary, "executions 0/0: NOTHING TO COMPARE WITH");
  EXPECT_NE(trades.differences.at(0).find("has no row behind its header"), std::string::npos);
}

TEST(FlowCheck, AFlawOfOneFileDoesNotHideTheResultOfTheOther) {
  const auto bad_depth = the_day().check(kTrades, with(kDepth, "100000,140", "100000,x"));
  ASSERT_EQ(bad_depth.size(), 2u);
  EXPECT_EQ(bad_depth[0].summary, "executions 8/8 identical in order");
  EXPECT_EQ(bad_depth[1].summary, "depth NOT COMPARED");
  EXPECT_FALSE(bad_depth[1].identical());
  EXPECT_NE(bad_depth[1].differences.at(0).find("depth.csv.gz:4: "), std::string::npos) << bad_depth[1].differences[0];
  const auto bad_trades = the_day().check(with(kTrades, ",20,S", ",y,S"), kDepth);
  ASSERT_EQ(bad_trades.size(), 2u);
  EXPECT_EQ(bad_trades[0].summary, "executions NOT COMPARED");
  EXPECT_EQ(bad_trades[1].summary, "depth 5/5 identical");
}

/// The output capture without its n-th frame for which `match` holds.
template <class Match>
std::string without_frame(const Folder& folder, std::size_t n, Match match) {
  const std::string path = the_day().folder.file("out.pcap");
  const std::int64_t midnight = midnight_utc(CaptureRxPort::first_frame_epoch_ns(path));
  CaptureRxPort port(path, midnight);
  CaptureWriter writer(folder.file("less.pcap"));
  for (RxBurst burst = port.receive(); !burst.ended; burst = port.receive()) {
    for (const RxFrame& frame : burst.frames) {
      if (match(frame) && n-- == 0) continue;
      writer.write(midnight + static_cast<std::int64_t>(burst.time_ns), {frame.data, frame.length});
    }
  }
  EXPECT_EQ(writer.close(), "");
  return folder.file("less.pcap");
}

bool is_feed(const RxFrame& frame) { return frame.data[0] == 0x01; }
bool is_executed(const RxFrame& frame) { return !is_feed(frame) && frame.length > 64 && frame.data[64] == 'E'; }

std::string check_error(const CheckOptions& options) {
  try {
    check_day(options);
    return "";
  } catch (const FlowError& error) {
    return error.what();
  }
}

TEST(FlowCheck, DoesNotJudgeACaptureWithMissingMessages) {
  const Folder folder;
  const std::string trades = folder.write("t.csv", kTrades);
  const std::string no_feed = check_error({without_frame(folder, 4, is_feed), trades, "", ""});
  EXPECT_NE(no_feed.find("are missing before it"), std::string::npos) << no_feed;
  const std::string no_answer = check_error({without_frame(folder, 2, is_executed), trades, "", ""});
  EXPECT_NE(no_answer.find("are missing before it"), std::string::npos) << no_answer;
}

TEST(FlowCheck, SaysWhenThereIsNothingToCompare) {
  const Folder folder;
  const std::string trades = folder.write("t.csv", kTrades);
  EXPECT_NE(check_error({folder.file("none.pcap"), trades, "", ""}), "");
  EXPECT_NE(check_error({folder.write("text.pcap", "not a capture"), trades, "", ""}), "");
  const std::string input = the_day().folder.file("orders.pcap");  // the clients' side has no feed
  EXPECT_EQ(check_error({input, trades, "", ""}), input + ": no feed of the symbol in it");
  const std::string output = the_day().folder.file("out.pcap");
  EXPECT_EQ(check_error({output, trades, "", "OTHER"}), output + ": no feed of the symbol in it");
}

// ---- The command line -----------------------------------------------------------------------------------------------

struct Outcome {
  int exit_code = -1;
  bool wrong_usage = false;
  std::string out;
  std::string err;
};

Outcome run(const std::vector<std::string>& arguments) {
  std::vector<const char*> words = {"crosswire", "flow"};
  for (const std::string& argument : arguments) words.push_back(argument.c_str());
  Outcome outcome;
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  outcome.exit_code = command_line(static_cast<int>(words.size()), words.data());
  outcome.wrong_usage = outcome.exit_code == 2;
  outcome.out = testing::internal::GetCapturedStdout();
  outcome.err = testing::internal::GetCapturedStderr();
  return outcome;
}

TEST(FlowCommand, WritesACaptureAndChecksOne) {
  const Folder folder;
  const std::string orders = folder.write("o.csv", kOrders);
  const std::string day = folder.write("day.toml", kDay);
  const Outcome written = run({"--orders", orders, "--day", day, "--sessions", "2", "--out", folder.file("o.pcap")});
  EXPECT_EQ(written.exit_code, 0) << written.err;
  EXPECT_NE(written.out.find("11 orders, 1 cancel, 2 reductions; 8 executions expected"), std::string::npos)
      << written.out;

  const std::string trades = folder.write("t.csv", kTrades);
  const std::string out = the_day().folder.file("out.pcap");
  const Outcome same = run({"--check-trades", trades, "--check-depth", folder.write("d.csv", kDepth), "--in", out});
  EXPECT_EQ(same.exit_code, 0) << same.err;
  EXPECT_EQ(same.out, "executions 8/8 identical in order\ndepth 5/5 identical\n");

  const Outcome different =
      run({"--check-trades", folder.write("t.csv", with(kTrades, ",20,S", ",21,S")), "--in", out});
  EXPECT_EQ(different.exit_code, 1);
  EXPECT_NE(different.err.find("t.csv:8: "), std::string::npos) << different.err;
}

TEST(FlowCommand, ExplainsAFailureInOneLine) {
  const Folder folder;
  const std::string orders = folder.write("o.csv", with(kOrders, "A,2,S", "A,1,S"));
  const Outcome outcome = run({"--orders", orders, "--symbol", "TST", "--out", folder.file("o.pcap")});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.err, "crosswire flow: " + orders + ":3: order 1 is there since line 2\n");
  EXPECT_FALSE(std::filesystem::exists(folder.file("o.pcap")));

  const std::string day = folder.write("day.toml", kDay);
  const Outcome other = run({"--orders", orders, "--symbol", "ELSE", "--day", day, "--out", folder.file("o.pcap")});
  EXPECT_EQ(other.exit_code, 1);
  EXPECT_EQ(other.err, "crosswire flow: " + day + ": its symbol is TST, not ELSE; leave --symbol out\n");
}

TEST(FlowCommand, RefusesWrongUsage) {
  EXPECT_TRUE(run({}).wrong_usage);
  EXPECT_TRUE(run({"--orders", "o.csv", "--out", "o.pcap"}).wrong_usage);                      // no symbol
  EXPECT_TRUE(run({"--orders", "o.csv", "--symbol", "S"}).wrong_usage);                        // no --out
  EXPECT_TRUE(run({"--orders", "o.csv", "--symbol", "NINELONGS", "--out", "o"}).wrong_usage);  // nine characters
  EXPECT_TRUE(run({"--orders", "o.csv", "--synthetic", "--out", "o"}).wrong_usage);            // two of them
  EXPECT_TRUE(run({"--check-trades", "t.csv"}).wrong_usage);                                   // no --in
  EXPECT_TRUE(run({"--synthetic", "--out", "o", "--sessions", "0"}).wrong_usage);
  EXPECT_TRUE(run({"--synthetic", "--out", "o", "--sessions", "2001"}).wrong_usage);
}

TEST(FlowCommand, RefusesWhatItWouldNotHeedAndNumbersOutOfRange) {
  EXPECT_TRUE(run({"--synthetic", "--out", "o", "--symbol", "S"}).wrong_usage);
  EXPECT_TRUE(run({"--synthetic", "--out", "o", "--in", "i"}).wrong_usage);
  EXPECT_TRUE(run({"--orders", "o.csv", "--symbol", "S", "--out", "o", "--rate", "5"}).wrong_usage);
  EXPECT_TRUE(run({"--check-trades", "t.csv", "--in", "i", "--out", "o"}).wrong_usage);
  for (const char* const name : {"--rate", "--seed", "--burst", "--ioc", "--orders-count"}) {
    EXPECT_TRUE(run({"--synthetic", "--out", "/dev/null", name, "-5"}).wrong_usage) << name;
  }
}

TEST(FlowCommand, RefusesToWriteOverItsInputsByAnyName) {
  const Folder folder;
  const std::string orders = folder.write("o.csv", kOrders);
  const std::string link = folder.file("link");
  std::filesystem::create_hard_link(orders, link);
  EXPECT_TRUE(run({"--orders", orders, "--symbol", "S", "--out", link}).wrong_usage);
  EXPECT_TRUE(run({"--orders", orders, "--symbol", "S", "--out", folder.file("x"), "--config-out", link}).wrong_usage);
  EXPECT_TRUE(run({"--orders", orders, "--symbol", "S", "--out", folder.file("x"), "--config-out", folder.file("./x")})
                  .wrong_usage);
  EXPECT_EQ(test::read_file(orders), kOrders);
}

TEST(FlowCommand, LeavesTheModeOfADeviceAlone) {
  struct stat before {};
  struct stat after {};
  ASSERT_EQ(stat("/dev/null", &before), 0);
  EXPECT_EQ(run({"--synthetic", "--orders-count", "10", "--out", "/dev/null", "--config-out", "/dev/null"}).exit_code,
            0);
  ASSERT_EQ(stat("/dev/null", &after), 0);
  EXPECT_EQ(before.st_mode, after.st_mode);
}

// ---- scripts/replay-day ---------------------------------------------------------------------------------------------

/// Exit status of the script; its output is in `log`.
int replay_day(const std::string& arguments, const std::string& log) {
  const std::string command =
      fmt::format("'{}/scripts/replay-day' {} >'{}' 2>&1", CROSSWIRE_SOURCE_ROOT, arguments, log);
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

class ReplayDayScript : public testing::Test {
 protected:
  void SetUp() override {
    if (std::getenv("CROSSWIRE") == nullptr) GTEST_SKIP() << "$CROSSWIRE does not name the program";
  }

  /// A day's folder with these trades; gzipped files, or plain ones and no depth.
  std::string day(const std::string& name, const std::string& trades, bool gzipped) const {
    std::filesystem::create_directory(folder_.file(name));
    folder_.write(name + "/day.toml", kDay);
    if (gzipped) {
      write_gz(folder_, name + "/orders.csv.gz", kOrders);
      write_gz(folder_, name + "/trades.csv.gz", trades);
      write_gz(folder_, name + "/depth.csv.gz", kDepth);
    } else {
      folder_.write(name + "/orders.csv", kOrders);
      folder_.write(name + "/trades.csv", trades);
    }
    return folder_.file(name);
  }

  Folder folder_;
  std::string log_ = folder_.file("log");
  std::string out_ = folder_.file("out");
};

TEST_F(ReplayDayScript, LeavesTheCapturesAndTheReportOfADay) {
  EXPECT_EQ(replay_day(fmt::format("{} {} --sessions 4", day("one", kTrades, true), out_), log_), 0);
  const std::string log = test::read_file(log_);
  EXPECT_NE(log.find("executions 8/8 identical in order\ndepth 5/5 identical\n"), std::string::npos) << log;
  for (const char* const name : {"/orders.pcap", "/out.pcap", "/report.json", "/crosswire.toml"}) {
    EXPECT_TRUE(std::filesystem::exists(out_ + name)) << name;
  }
}

TEST_F(ReplayDayScript, ReplaysSeveralDaysSideBySideAndFailsIfOneOfThemDiffers) {
  const std::string good = day("good", kTrades, false);
  const std::string bad = day("bad", with(kTrades, ",20,S", ",19,S"), true);
  EXPECT_EQ(replay_day(fmt::format("{} {} {}", good, bad, out_), log_), 1);
  const std::string log = test::read_file(log_);
  EXPECT_NE(log.find("good:\nexecutions 8/8 identical in order\n"), std::string::npos) << log;
  EXPECT_NE(log.find("executions 7/8 identical in order, the replay has 8: DIFFERENT"), std::string::npos) << log;
  EXPECT_TRUE(std::filesystem::exists(out_ + "/good/out.pcap"));
  EXPECT_EQ(test::read_file(out_ + "/good/out.pcap"), test::read_file(out_ + "/bad/out.pcap"));
}

TEST_F(ReplayDayScript, TellsAFlawOfWhatItComparesWithBeforeTheReplay) {
  const std::string flawed = day("flawed", with(kTrades, ",20,S", ",y,S"), true);
  EXPECT_EQ(replay_day(fmt::format("{} {}", flawed, out_), log_), 1);
  EXPECT_NE(test::read_file(log_).find("trades.csv.gz:8: shares \"y\" is no whole number"), std::string::npos)
      << test::read_file(log_);
  EXPECT_FALSE(std::filesystem::exists(out_ + "/orders.pcap"));
}

TEST_F(ReplayDayScript, RefusesWrongUsageAndFoldersThatHoldNoDay) {
  EXPECT_EQ(replay_day("", log_), 2);
  EXPECT_EQ(replay_day("--what", log_), 2);
  std::filesystem::create_directory(folder_.file("empty"));
  EXPECT_EQ(replay_day(fmt::format("{} {}", folder_.file("empty"), out_), log_), 1);
  EXPECT_NE(test::read_file(log_).find("has no day.toml"), std::string::npos);
  EXPECT_EQ(replay_day("--help", log_), 0);
}

// ---- The real day ---------------------------------------------------------------------------------------------------

TEST(RealDay, IsRetradedToTheExchangesOwnExecutionsAndDepth) {
  const std::filesystem::path data = std::filesystem::path(CROSSWIRE_SOURCE_ROOT) / "../shared/data/sse-600519";
  if (!std::filesystem::exists(data / "day.toml"))
    GTEST_SKIP() << "the recorded day is not at ../shared/data/sse-600519";
  const Folder folder;
  const Day day = load_day((data / "day.toml").string());
  write_order_flow({.orders_path = (data / "orders.csv.gz").string(),
                    .symbol = day.symbol,
                    .sessions = 7,
                    .capture_path = folder.file("orders.pcap"),
                    .day = day,
                    .config_path = folder.file("crosswire.toml")});
  ReplayProgress progress;
  replay({.config = load_config(folder.file("crosswire.toml"), ConfigUse::replay),
          .in = folder.file("orders.pcap"),
          .out = folder.file("out.pcap"),
          .report = "",
          .session = ""},
         TscClock::calibrated(), progress);
  const auto results = check_day({.capture_path = folder.file("out.pcap"),
                                  .trades_path = (data / "trades.csv.gz").string(),
                                  .depth_path = (data / "depth.csv.gz").string(),
                                  .symbol = ""});
  EXPECT_EQ(results[0].summary, "executions 18685/18685 identical in order");
  EXPECT_EQ(results[1].summary, "depth 4865/4865 identical");
}

}  // namespace
}  // namespace crosswire
