// The made-up flow: the same for the same seed, and like a market.
#include "app/flow/synthetic.hpp"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <set>

#include "app/config/config.hpp"
#include "app/flow/error.hpp"
#include "app/replay/replay.hpp"
#include "tests/app/flow/flow_files.hpp"

namespace crosswire {
namespace {

using test::Folder;

std::vector<FlowMessage> all_of(SyntheticFlow& flow) {
  std::vector<FlowMessage> messages;
  for (FlowMessage message; flow.next(message);) messages.push_back(message);
  return messages;
}

TEST(FlowRandom, GivesTheSameNumbersEverywhere) {
  FlowRandom random(1);
  EXPECT_EQ(random.next(), 0xB3F2AF6D0FC710C5u);  // the algorithms' own reference values
  EXPECT_EQ(random.next(), 0x853B559647364CEAu);
}

TEST(FlowRandom, IsExponentialNormalAndEven) {
  FlowRandom random(7);
  constexpr int kDraws = 200'000;
  double exponential = 0;
  double normal = 0;
  double squares = 0;
  int above_mean = 0;
  std::array<int, 10> even{};
  for (int i = 0; i < kDraws; ++i) {
    const auto x = static_cast<double>(random.exponential(1'000'000));
    exponential += x;
    above_mean += x > 1e6;
    const double z = random.normal() / 65'536.0;
    normal += z;
    squares += z * z;
    ++even[random.below(10)];
  }
  EXPECT_NEAR(exponential / kDraws, 1e6, 1e4);
  EXPECT_NEAR(above_mean / double{kDraws}, 0.3679, 0.005);  // 1/e
  EXPECT_NEAR(normal / kDraws, 0, 0.01);
  EXPECT_NEAR(squares / kDraws, 1, 0.02);
  for (const int count : even) EXPECT_NEAR(count, kDraws / 10, 600);
  EXPECT_EQ(FlowRandom::power_of_2(0), 1u);
  EXPECT_EQ(FlowRandom::power_of_2(10 << 16), 1024u);
  EXPECT_EQ(FlowRandom::power_of_2((10 << 16) + 32'768), 1536u);
}

TEST(SyntheticFlow, IsTheSameForTheSameSeedAndAnotherForAnother) {
  const Folder folder;
  SyntheticOptions options{.seed = 42, .messages = 5'000, .symbols = 7, .sessions = 5};
  write_synthetic_flow(options, folder.file("a.pcap"), folder.file("a.toml"));
  write_synthetic_flow(options, folder.file("b.pcap"), folder.file("b.toml"));
  options.seed = 43;
  write_synthetic_flow(options, folder.file("c.pcap"), folder.file("c.toml"));
  EXPECT_EQ(test::read_file(folder.file("a.pcap")), test::read_file(folder.file("b.pcap")));
  EXPECT_EQ(test::read_file(folder.file("a.toml")), test::read_file(folder.file("b.toml")));
  EXPECT_NE(test::read_file(folder.file("a.pcap")), test::read_file(folder.file("c.pcap")));
}

TEST(SyntheticFlow, KeepsItsMixRateAndBursts) {
  SyntheticFlow flow({.seed = 3, .messages = 100'000, .symbols = 20, .sessions = 8, .rate = 50'000, .burst = 5});
  const std::vector<FlowMessage> messages = all_of(flow);
  ASSERT_EQ(messages.size(), 100'000u);
  std::map<CommandKind, int> kinds;
  std::map<TimeNs, int> bursts;
  int iocs = 0;
  TimeNs last_ns = 0;
  for (const FlowMessage& message : messages) {
    EXPECT_GE(message.time_ns, last_ns);
    last_ns = message.time_ns;
    ++kinds[message.kind];
    ++bursts[message.time_ns];
    iocs += message.kind == CommandKind::enter && message.time_in_force == TimeInForce::ioc;
  }
  EXPECT_NEAR(kinds[CommandKind::enter], 55'000, 1'500);
  EXPECT_NEAR(kinds[CommandKind::cancel], 39'000, 1'500);
  EXPECT_NEAR(kinds[CommandKind::replace], 5'000, 500);
  EXPECT_NEAR(kinds[CommandKind::modify], 1'000, 200);
  EXPECT_NEAR(iocs, 2'700, 400);  // 30 % of 10 %, of nine tenths of the day
  for (const auto& [time_ns, count] : bursts) EXPECT_LE(count, 5);
  const double seconds = static_cast<double>(messages.back().time_ns - messages.front().time_ns) / 1e9;
  EXPECT_NEAR(seconds, 2, 0.1);
}

TEST(SyntheticFlow, ChangesOnlyOrdersThatLiveAndIsNeverRejected) {
  SyntheticFlow flow({.seed = 4, .messages = 50'000, .symbols = 3, .sessions = 2});
  all_of(flow);
  const EngineCounters& counters = flow.mirror().engine().counters();
  EXPECT_EQ(counters.get(EngineCounter::orders), 50'000u);
  EXPECT_EQ(counters.get(EngineCounter::rejected), 0u);
  EXPECT_EQ(counters.get(EngineCounter::ignored_dead_order), 0u);
  EXPECT_EQ(counters.get(EngineCounter::ignored_used_ref_num), 0u);
  EXPECT_GT(counters.get(EngineCounter::executions), 3'000u);
  EXPECT_GT(counters.get(EngineCounter::modified), 100u);
  EXPECT_EQ(counters.get(EngineCounter::crosses), 6u);  // two calls of three symbols
  EXPECT_EQ(flow.mirror().engine().live_orders(), 0u);
}

TEST(SyntheticFlow, HasBusyAndQuietSymbols) {
  SyntheticFlow flow({.seed = 5, .messages = 50'000, .symbols = 100});
  std::map<std::uint16_t, int> enters;
  for (const FlowMessage& message : all_of(flow)) {
    if (message.kind == CommandKind::enter) ++enters[message.symbol.value];
  }
  EXPECT_NEAR(enters[1], 2 * enters[2], enters[1] / 10);
  EXPECT_NEAR(enters[1], 10 * enters[10], enters[1] / 4);
  EXPECT_GT(enters.size(), 95u);
}

TEST(SyntheticFlow, GoesThroughTheDaysPhases) {
  SyntheticFlow flow({.messages = 1'000});
  const auto& schedule = flow.schedule();
  ASSERT_EQ(schedule.size(), 4u);
  EXPECT_EQ(schedule[0].phase, Phase::opening_call);
  EXPECT_EQ(schedule[3].phase, Phase::closed);
  const std::vector<FlowMessage> messages = all_of(flow);
  const auto before = [&](TimeNs time_ns) {
    return std::count_if(messages.begin(), messages.end(), [=](const FlowMessage& m) { return m.time_ns < time_ns; });
  };
  EXPECT_NEAR(static_cast<double>(before(schedule[1].at_ns)), 50, 4);
  EXPECT_NEAR(static_cast<double>(before(schedule[2].at_ns)), 950, 4);
  EXPECT_EQ(before(schedule[3].at_ns), 1'000);
}

TEST(SyntheticFlow, MayBeTiny) {
  for (const std::uint64_t messages : {1u, 2u, 19u, 21u}) {
    SyntheticFlow flow({.seed = messages, .messages = messages, .symbols = 1, .sessions = 1, .burst = 1});
    EXPECT_EQ(all_of(flow).size(), messages);
    for (std::size_t i = 1; i < 4; ++i) EXPECT_GT(flow.schedule()[i].at_ns, flow.schedule()[i - 1].at_ns);
  }
}

TEST(SyntheticFlow, SaysWhatIsWrongWithItsOptions) {
  const auto error_of = [](const SyntheticOptions& options) -> std::string {
    try {
      SyntheticFlow flow(options);
      return "";
    } catch (const FlowError& error) {
      return error.what();
    }
  };
  EXPECT_EQ(error_of({.messages = 0}), "--orders-count 0 is not in 1 .. 1000000000");
  EXPECT_EQ(error_of({.symbols = 10'001}), "--symbols 10001 is not in 1 .. 10000");
  EXPECT_EQ(error_of({.burst = 33}), "--burst 33 is not in 1 .. 32");
  EXPECT_EQ(error_of({.mix = {.adds = 46}}), "the kinds of messages add up to 101 percent; make it 100");
  EXPECT_EQ(error_of({.messages = 100'000, .rate = 1}),
            "100000 messages at 1 a second from 09:00 do not fit the day; raise --rate or lower --orders-count");
}

TEST(SyntheticFlow, ReplaysToTheExecutionsThatItExpects) {
  const Folder folder;
  const SyntheticFigures figures = write_synthetic_flow({.seed = 6, .messages = 20'000, .symbols = 5, .sessions = 9},
                                                        folder.file("in.pcap"), folder.file("c.toml"));
  EXPECT_EQ(figures.frames, 20'009u);
  ReplayProgress progress;
  const Figures replayed = replay({.config = load_config(folder.file("c.toml"), ConfigUse::replay),
                                   .in = folder.file("in.pcap"),
                                   .out = folder.file("out.pcap"),
                                   .report = "",
                                   .session = ""},
                                  TscClock::calibrated(), progress);
  EXPECT_EQ(replayed.orders, 20'000u);
  EXPECT_EQ(replayed.executions, figures.executions);
  EXPECT_EQ(replayed.live_orders, 0u);
  for (const CounterFigure& counter : replayed.counters) {
    EXPECT_TRUE(counter.kind != CounterKind::drop || counter.value == 0)
        << counter.stage << " " << counter.label << " " << counter.value.value_or(0);
  }
}

}  // namespace
}  // namespace crosswire
