// The pipeline: however the stages are spread over threads, the same bytes leave and the same state is reached, with
// rings that are nearly always full and ports that take nothing now and then. And the watch over threads that stand
// still. To be run under ThreadSanitizer, too, by hand: -Db_sanitize=thread.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "app/figures/live_figures.hpp"
#include "app/flow/synthetic.hpp"
#include "app/partition/partition.hpp"
#include "app/run/cores.hpp"
#include "app/run/poll.hpp"
#include "app/run/stall_monitor.hpp"
#include "netstack/port/capture.hpp"
#include "netstack/port/memory_port.hpp"

namespace crosswire {
namespace {

constexpr std::uint64_t kMessages = 3'000;
constexpr std::uint64_t kSeed = 20'261'121;

/// A synthetic day in a folder of its own: calls, bursts, crosses, every kind of order.
class SyntheticDay {
 public:
  SyntheticDay() {
    std::string name = (std::filesystem::temp_directory_path() / "crosswire-pipeline-XXXXXX").string();
    CHECK(mkdtemp(name.data()) != nullptr, "no temporary folder");
    folder_ = name;
    SyntheticOptions options;
    options.seed = kSeed;
    options.messages = kMessages;
    options.burst = 32;
    write_synthetic_flow(options, capture(), folder_ / "flow.toml");
    config_ = load_config(folder_ / "flow.toml", ConfigUse::replay);
    config_.hugepages = HugepagePolicy::off;
    config_.net.mac = kReplayMac;
    set_start(config_, *config_.midnight_epoch_ns,
              CaptureRxPort(capture(), *config_.midnight_epoch_ns).start_time_ns());
  }
  ~SyntheticDay() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  SyntheticDay(const SyntheticDay&) = delete;
  SyntheticDay& operator=(const SyntheticDay&) = delete;

  std::string capture() const { return folder_ / "flow.pcap"; }
  const Config& config() const { return config_; }

 private:
  std::filesystem::path folder_;
  Config config_;
};

const TscClock& test_clock() {
  static const TscClock clock = TscClock::calibrated();
  return clock;
}

const SyntheticDay& day() {
  static const SyntheticDay instance;
  return instance;
}

using Sent = MemoryTxPort::Sent;

/// Keeps what is sent. A moody one takes only some frames of a burst, or none, at many of its flushes; one that is told
/// to block does not come back from a flush until it is told to go on.
class TestTxPort final : public TxPort {
 public:
  explicit TestTxPort(bool moody = false) : moody_(moody), buffers_(std::make_unique<Buffer[]>(kMaxBurst)) {
    for (std::size_t i = 0; i < kMaxBurst; ++i) batch_[i].data = buffers_[i].data();
    ready_ = kMaxBurst;
  }

  std::size_t flush() override {
    if (used_ == 0) return 0;
    while (block_.load(std::memory_order_acquire)) {
      blocked_.store(true, std::memory_order_release);
      std::this_thread::yield();
    }
    ++flushes_;
    if (refuse_.load(std::memory_order_relaxed)) return 0;
    const std::size_t room = !moody_ || flushes_ % 3 == 0 ? kMaxBurst : flushes_ % 3 == 1 ? 0 : flushes_ % 5;
    const std::size_t taken = std::min(used_, room);
    for (std::size_t i = 0; i < taken; ++i) {
      sent_.push_back({FrameBytes(batch_[i].data, batch_[i].data + batch_[i].length), batch_[i].origin});
    }
    std::rotate(batch_.begin(), batch_.begin() + static_cast<std::ptrdiff_t>(taken), batch_.end());
    used_ -= taken;
    return taken;
  }

  /// From then on it takes nothing.
  void set_refuse(bool refuse) { refuse_.store(refuse, std::memory_order_relaxed); }
  void set_block(bool block) { block_.store(block, std::memory_order_release); }
  bool blocked() const { return blocked_.load(std::memory_order_acquire); }
  const std::vector<Sent>& sent() const { return sent_; }

 private:
  using Buffer = std::array<std::uint8_t, kMaxFrame>;

  bool refill() override {
    flush();
    return used_ < ready_;
  }

  bool moody_;
  std::unique_ptr<Buffer[]> buffers_;
  std::vector<Sent> sent_;
  std::size_t flushes_ = 0;
  std::atomic<bool> refuse_{false};
  std::atomic<bool> block_{false};
  std::atomic<bool> blocked_{false};
};

struct Options {
  StageLayout layout;
  std::uint32_t ring = 0;  // slots of both; 0: as configured
  bool moody = false;
};

std::string describe(const Options& options) {
  std::string text;
  for (std::size_t i = 0; i < kStages; ++i) text += fmt::format("{} {}, ", kStageNames[i], options.layout.loop_of[i]);
  return fmt::format("{}rings of {}, {} ports", text, options.ring, options.moody ? "moody" : "willing");
}

/// A partition with the day before it, and threads for its loops.
class Pipeline {
 public:
  explicit Pipeline(const Options& options)
      : rx_(day().capture(), *day().config().midnight_epoch_ns, schedule_end_ns(day().config())),
        transmit_(options.moody),
        publish_(options.moody),
        partition_(config_of(options), {rx_, transmit_, publish_}, test_clock(), options.layout) {}

  void start() {
    for (CoreLoop& loop : partition_.loops()) {
      threads_.emplace_back([&loop] {
        while (!loop.ended()) {
          if (!loop.round()) rest(Idle::yield);
        }
      });
    }
  }
  /// Waits for the end of the day.
  void join() {
    threads_.clear();
    EXPECT_TRUE(partition_.finished());
    while (transmit_.unsent() || publish_.unsent()) {
      transmit_.flush();
      publish_.flush();
    }
  }

  Partition& partition() { return partition_; }
  TestTxPort& transmit() { return transmit_; }
  bool running() const {
    return !std::all_of(partition_.loops().begin(), partition_.loops().end(),
                        [](const CoreLoop& l) { return l.ended(); });
  }

  /// All frames in the order (cause, rank, emission), with their times.
  std::string bytes() const {
    std::vector<const Sent*> frames;
    for (const Sent& sent : transmit_.sent()) frames.push_back(&sent);
    for (const Sent& sent : publish_.sent()) frames.push_back(&sent);
    std::stable_sort(frames.begin(), frames.end(), [](const Sent* left, const Sent* right) {
      return std::tie(left->origin.cause, left->origin.rank) < std::tie(right->origin.cause, right->origin.rank);
    });
    std::string all;
    for (const Sent* sent : frames) {
      all += fmt::format("{} {} {}:", sent->origin.time_ns, sent->origin.rank, sent->bytes.size());
      all.append(sent->bytes.begin(), sent->bytes.end());
    }
    return all;
  }

 private:
  static Config config_of(const Options& options) {
    Config config = day().config();
    if (options.ring > 0) config.command_ring = config.event_ring = options.ring;
    return config;
  }

  CaptureRxPort rx_;
  TestTxPort transmit_;
  TestTxPort publish_;
  Partition partition_;
  std::vector<std::jthread> threads_;
};

struct Outcome {
  std::string bytes;
  std::uint64_t state_hash;
  std::uint64_t executions;
  bool operator==(const Outcome&) const = default;
};

Outcome play(const Options& options) {
  Pipeline pipeline(options);
  pipeline.start();
  pipeline.join();
  const Engine& engine = pipeline.partition().engine();
  return {pipeline.bytes(), engine.state_hash(), engine.counters().get(EngineCounter::executions)};
}

const Outcome& fused() {
  static const Outcome outcome = play({});
  return outcome;
}

/// Every way to share the four stages out among loops, in the numbering of StageLayout.
std::vector<StageLayout> all_layouts() {
  std::vector<StageLayout> layouts;
  for (std::size_t match = 0; match <= 1; ++match) {
    for (std::size_t transmit = 0; transmit <= match + 1; ++transmit) {
      for (std::size_t publish = 0; publish <= std::max(match, transmit) + 1; ++publish) {
        layouts.push_back({{0, match, transmit, publish}});
      }
    }
  }
  return layouts;
}

void expect_as_fused(const Options& options) {
  const Outcome outcome = play(options);
  EXPECT_EQ(outcome.state_hash, fused().state_hash) << describe(options);
  EXPECT_EQ(outcome.executions, fused().executions) << describe(options);
  EXPECT_TRUE(outcome.bytes == fused().bytes) << describe(options);
}

TEST(Pipeline, SendsTheSameBytesHoweverItsStagesAreSpreadOverThreads) {
  std::printf("seed %llu\n", static_cast<unsigned long long>(kSeed));
  EXPECT_GT(fused().executions, 100u);
  EXPECT_GT(fused().bytes.size(), 300'000u);
  ASSERT_EQ(all_layouts().size(), 15u);
  for (const StageLayout& layout : all_layouts()) expect_as_fused({layout});
}

TEST(Pipeline, SendsTheSameBytesWithRingsThatAreNearlyAlwaysFull) {
  for (const StageLayout& layout : all_layouts()) expect_as_fused({layout, 16});
  for (std::size_t loops = 1; loops <= kStages; ++loops) expect_as_fused({StageLayout::over(loops), 2});
}

TEST(Pipeline, SendsTheSameBytesOverPortsThatTakeNothingNowAndThen) {
  for (const StageLayout& layout : all_layouts()) expect_as_fused({layout, 0, true});
  for (std::size_t loops = 1; loops <= kStages; ++loops) expect_as_fused({StageLayout::over(loops), 16, true});
}

TEST(Pipeline, SendsTheSameBytesWhenOneThreadPollsTheLoopsOfMany) {
  for (const StageLayout& layout : all_layouts()) {
    Pipeline pipeline({layout, 64});
    while (!pipeline.partition().finished()) pipeline.partition().round();
    pipeline.join();
    EXPECT_TRUE(pipeline.bytes() == fused().bytes) << describe({layout, 64});
  }
}

TEST(Pipeline, MeasuresEachStageAndTheWayThroughTheBoxOnAnyNumberOfThreads) {
  for (std::size_t loops = 1; loops <= kStages; ++loops) {
    Pipeline pipeline({StageLayout::over(loops)});
    pipeline.start();
    pipeline.join();
    const Chain& chain = pipeline.partition().chain();
    EXPECT_GT(chain.box().all_ns.count(), 0u) << loops;
    EXPECT_EQ(chain.box().match_ns.count(), loops == 1 ? 0 : chain.box().all_ns.count()) << loops;
    EXPECT_EQ(chain.box().transmit_ns.count(), chain.box().match_ns.count()) << loops;
    for (const Stage stage : kAllStages) {
      const StageTimes& times = chain.times(stage);
      std::uint64_t items = 0, working = 0;
      for (std::size_t n = 1; n <= BatchSizes::kMost; ++n) {
        items += n * times.batch.polls(n);
        working += times.batch.polls(n);
      }
      EXPECT_EQ(working, times.poll_ns.count());
      EXPECT_GE(times.items.get(), items);
      EXPECT_GE(times.polls.get(), working);
      EXPECT_GT(items, kMessages / 2) << kStageNames[index_of(stage)];
      EXPECT_EQ(chain.waiting(stage), 0u);
      EXPECT_EQ(chain.most_waiting(stage) > 0, stage != Stage::receive);
      EXPECT_TRUE(chain.done(stage));
    }
  }
}

TEST(Pipeline, ShowsItsFiguresWhileItWorksAndSendsTheSameBytes) {
  for (const std::size_t loops : {std::size_t{1}, kStages}) {
    const Options options{StageLayout::over(loops), 64, true};
    Pipeline pipeline(options);
    LiveFigures figures;
    figures.add({"day", pipeline.partition(), {}, nullptr});
    pipeline.start();
    std::uint64_t orders = 0, busy_ns = 0;
    do {
      const PartitionNow now = figures.partition(0);
      EXPECT_GE(now.counter("match", "orders"), orders);
      EXPECT_GE(now.stages.front().figure.busy_ns, busy_ns);
      orders = now.counter("match", "orders");
      busy_ns = now.stages.front().figure.busy_ns;
      const std::vector<BookNow> books = figures.books(0, 0);
      EXPECT_TRUE(books.empty() || books.size() == day().config().engine.symbols.size());
      const std::vector<SessionNow> sessions = figures.sessions(0, 0);
      EXPECT_TRUE(sessions.empty() || sessions.size() == day().config().net.accounts.size());
    } while (!pipeline.partition().finished());
    pipeline.join();
    EXPECT_TRUE(pipeline.bytes() == fused().bytes) << describe(options);
  }
}

TEST(Pipeline, GivesStagesOfOneCoreOneLoop) {
  const auto layout = [](std::array<std::optional<unsigned>, kStages> cores) { return layout_of({cores}).loop_of; };
  using Loops = std::array<std::size_t, kStages>;
  EXPECT_EQ(layout({5, 5, 5, 5}), (Loops{0, 0, 0, 0}));
  EXPECT_EQ(layout({}), (Loops{0, 0, 0, 0}));
  EXPECT_EQ(layout({7, 2, 7, 2}), (Loops{0, 1, 0, 1}));
  EXPECT_EQ(layout({4, 3, 2, 2}), (Loops{0, 1, 2, 2}));
  EXPECT_EQ(layout({1, 2, 3, 4}), (Loops{0, 1, 2, 3}));
  EXPECT_EQ(StageLayout::over(2).loop_of, (Loops{0, 1, 1, 1}));
  EXPECT_EQ(StageLayout::over(3).loop_of, (Loops{0, 1, 2, 2}));
}

TEST(StageTimes, AreBusyForTheSumOfTheirPollsSoThatItNeverFalls) {
  const auto times = std::make_unique<StageTimes>();
  // More than the 2^53 ns up to which a double tells one from the next.
  for (int i = 0; i < 10'000; ++i) times->poll_ns.record(Histogram::kMaxValue);
  times->poll_ns.record(1);
  EXPECT_EQ(times->busy_ns(), 10'000 * Histogram::kMaxValue + 1);
}

// ---- The watch ------------------------------------------------------------------------------------------------------

constexpr std::uint64_t kLookNs = 100'000'000;

/// A pipeline whose transmit stage stands still in its port. The rings are so short that no other stage can end.
class Stalled {
 public:
  explicit Stalled(std::size_t loops) : pipeline_({StageLayout::over(loops), 16}) {
    unsigned core = 7;
    for (const CoreLoop& loop : pipeline_.partition().loops()) monitor_.watch("p", chain(), loop, core++);
    pipeline_.transmit().set_block(true);
    pipeline_.start();
    while (!pipeline_.transmit().blocked()) std::this_thread::yield();
  }
  ~Stalled() {
    pipeline_.transmit().set_block(false);
    pipeline_.join();
  }
  Stalled(const Stalled&) = delete;
  Stalled& operator=(const Stalled&) = delete;

  /// Looks once more, `step_ns` later; all stages with threads of their own have polled meanwhile.
  std::vector<StallMonitor::News> look(std::uint64_t step_ns = kLookNs) {
    for (const CoreLoop& loop : pipeline_.partition().loops()) {
      if (!loop.polls(Stage::transmit)) wait_for_a_poll(loop);
    }
    return monitor_.look(now_ns_ += step_ns);
  }
  void go_on() {
    pipeline_.transmit().set_block(false);
    for (const CoreLoop& loop : pipeline_.partition().loops()) wait_for_a_poll(loop);
  }

 private:
  const Chain& chain() { return pipeline_.partition().chain(); }
  void wait_for_a_poll(const CoreLoop& loop) {
    const Stage stage = *std::find_if(kAllStages.begin(), kAllStages.end(), [&](Stage s) { return loop.polls(s); });
    const std::uint64_t polls = chain().times(stage).polls.get();
    while (chain().times(stage).polls.get() == polls && !loop.ended()) std::this_thread::yield();
  }

  Pipeline pipeline_;
  StallMonitor monitor_;
  std::uint64_t now_ns_ = 5'000'000'000;
};

TEST(StallMonitor, TellsWhichStageStandsStillAndWhenItGoesOn) {
  for (const auto& [loops, core] : {std::pair{1, 7}, {2, 8}, {3, 9}, {4, 9}}) {
    Stalled stalled(static_cast<std::size_t>(loops));
    std::vector<StallMonitor::News> news;
    for (int i = 0; i < 12; ++i) {
      EXPECT_TRUE(news.empty()) << news.front().seconds;
      news = stalled.look();
    }
    if (news.empty()) news = stalled.look();
    const auto expect = [&news, core = static_cast<unsigned>(core)](bool stands_still, double seconds) {
      ASSERT_EQ(news.size(), 1u) << core;
      EXPECT_EQ(news[0].partition, "p");
      EXPECT_EQ(news[0].stage, Stage::transmit);
      EXPECT_EQ(news[0].core, core);
      EXPECT_NEAR(news[0].seconds, seconds, 1e-6);
      EXPECT_EQ(news[0].stands_still, stands_still);
    };
    expect(true, 1.1);
    EXPECT_TRUE(stalled.look().empty()) << "it is told once";
    stalled.go_on();
    news = stalled.look();
    expect(false, 1.2);
  }
}

TEST(StallMonitor, BlamesNoStageWhereTheWholeProcessStoodStill) {
  Stalled stalled(3);
  stalled.look();
  EXPECT_TRUE(stalled.look(3'600'000'000'000).empty());
}

TEST(Standstill, IsWhereAllLoopsPollAndNoneFindsWork) {
  for (const std::size_t loops : {1u, 2u, 3u, 4u}) {
    Pipeline pipeline({StageLayout::over(loops), 16});
    Standstill standstill(pipeline.partition().chain(), pipeline.partition().loops());
    EXPECT_FALSE(standstill.look()) << "nobody polls yet";
    pipeline.transmit().set_refuse(true);
    pipeline.start();
    while (!standstill.look()) std::this_thread::yield();
    pipeline.transmit().set_refuse(false);
    pipeline.join();
    EXPECT_FALSE(standstill.look()) << "all have ended";
  }
}

TEST(Standstill, TakesSoManyRoundsOfEachLoop) {
  Pipeline pipeline({StageLayout::over(3), 16});
  std::deque<CoreLoop>& loops = pipeline.partition().loops();
  const auto rounds = [&loops](std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
      for (CoreLoop& loop : loops) loop.round();
    }
  };
  Standstill standstill(pipeline.partition().chain(), loops);
  pipeline.transmit().set_refuse(true);
  rounds(10 * Standstill::kRounds);  // all that can be done is done
  EXPECT_FALSE(standstill.look()) << "something was done since the last look";
  rounds(Standstill::kRounds - 1);
  for (std::uint64_t i = 0; i < 10 * Standstill::kRounds; ++i) loops.front().round();
  EXPECT_FALSE(standstill.look());
  rounds(1);
  EXPECT_TRUE(standstill.look());
  pipeline.transmit().set_refuse(false);
  pipeline.start();
  pipeline.join();
}

TEST(Standstill, IsNotWherePortsOnlyHesitate) {
  for (const std::size_t loops : {2u, 4u}) {
    Pipeline pipeline({StageLayout::over(loops), 16, true});
    Standstill standstill(pipeline.partition().chain(), pipeline.partition().loops());
    pipeline.start();
    while (pipeline.running()) ASSERT_FALSE(standstill.look());
    pipeline.join();
  }
}

TEST(StallMonitor, LeavesStagesAloneThatHaveEnded) {
  Pipeline pipeline({StageLayout::over(3)});
  StallMonitor monitor;
  for (const CoreLoop& loop : pipeline.partition().loops()) {
    monitor.watch("p", pipeline.partition().chain(), loop, std::nullopt);
  }
  pipeline.start();
  pipeline.join();
  for (std::uint64_t now = 0; now < 50 * kLookNs; now += kLookNs) EXPECT_TRUE(monitor.look(now).empty());
}

}  // namespace
}  // namespace crosswire
