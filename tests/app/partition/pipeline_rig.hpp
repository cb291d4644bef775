// A partition with a synthetic day before it and a thread for each of its loops, for tests of the loops and of those
// who watch them. Its ports can be moody, refuse and block.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "app/config/config.hpp"
#include "app/flow/synthetic.hpp"
#include "app/partition/idle.hpp"
#include "app/partition/partition.hpp"
#include "netstack/port/capture.hpp"
#include "netstack/port/memory_port.hpp"

namespace crosswire {

inline constexpr std::uint64_t kMessages = 3'000;
inline constexpr std::uint64_t kSeed = 20'261'121;

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

inline const TscClock& test_clock() {
  static const TscClock clock = TscClock::calibrated();
  return clock;
}

inline const SyntheticDay& day() {
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
    const std::size_t accepted = std::min(used_, room);
    for (std::size_t i = 0; i < accepted; ++i) {
      sent_.push_back({FrameBytes(batch_[i].data, batch_[i].data + batch_[i].length), batch_[i].origin});
    }
    std::rotate(batch_.begin(), batch_.begin() + static_cast<std::ptrdiff_t>(accepted), batch_.end());
    used_ -= accepted;
    return accepted;
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

inline std::string describe(const Options& options) {
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
          if (!loop.round()) idle_once(Idle::yield);
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

}  // namespace crosswire
