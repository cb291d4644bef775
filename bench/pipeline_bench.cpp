// The whole chain on one core and as a pipeline over two and three: orders a second through all four stages, over
// frames in memory, one order a frame. Needs that many idle cores; on a busy machine its figures say nothing.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "app/flow/synthetic.hpp"
#include "app/partition/partition.hpp"
#include "hugepages/host/pinning.hpp"
#include "netstack/port/capture.hpp"

namespace crosswire {
namespace {

constexpr std::uint64_t kMessages = 500'000;

/// A capture, read into memory beforehand.
class LoadedRxPort final : public RxPort {
 public:
  LoadedRxPort(const std::string& path, std::int64_t midnight, TimeNs end) {
    CaptureRxPort capture(path, midnight, end);
    for (RxBurst burst = capture.receive();; burst = capture.receive()) {
      bursts_.push_back({frames_.size(), burst.frames.size(), burst.time_ns, burst.ended});
      for (const RxFrame& frame : burst.frames) {
        frames_.push_back({nullptr, frame.length});
        bytes_.insert(bytes_.end(), frame.data, frame.data + frame.length);
      }
      if (burst.ended) break;
    }
    std::size_t at = 0;
    for (RxFrame& frame : frames_) frame.data = bytes_.data() + std::exchange(at, at + frame.length);
  }
  RxBurst receive() override {
    const Burst& burst = bursts_[std::min(next_++, bursts_.size() - 1)];
    return {{frames_.data() + burst.first, burst.count}, burst.time_ns, burst.ended};
  }
  void rewind() { next_ = 0; }

 private:
  struct Burst {
    std::size_t first, count;
    TimeNs time_ns;
    bool ended;
  };
  std::vector<std::uint8_t> bytes_;
  std::vector<RxFrame> frames_;
  std::vector<Burst> bursts_;
  std::size_t next_ = 0;
};

/// Takes everything and forgets it.
class SinkPort final : public TxPort {
 public:
  SinkPort() {
    for (std::size_t i = 0; i < kMaxBurst; ++i) batch_[i].data = (*buffers_)[i].data();
    ready_ = kMaxBurst;
  }
  std::size_t flush() override { return std::exchange(used_, 0); }

 private:
  bool refill() override {
    flush();
    return true;
  }
  using Buffers = std::array<std::array<std::uint8_t, kMaxFrame>, kMaxBurst>;
  std::unique_ptr<Buffers> buffers_ = std::make_unique<Buffers>();
};

void measure(const Config& config, LoadedRxPort& rx, std::size_t loops) {
  if (allowed_cores().size() < loops) {
    fmt::print("{} threads   not measured: needs {} cores\n", loops, loops);
    return;
  }
  rx.rewind();
  SinkPort transmit, publish;
  Partition partition(config, {rx, transmit, publish}, TscClock::calibrated(), StageLayout::over(loops));
  std::atomic<bool> go{false};
  std::vector<std::jthread> threads;
  for (CoreLoop& loop : partition.loops()) {
    // The highest cores: 0 has the operating system's own work.
    const unsigned core = allowed_cores()[allowed_cores().size() - 1 - threads.size()];
    threads.emplace_back([&loop, &go, core] {
      CHECK(pin_this_thread(core).empty(), "core %u", core);
      while (!go.load(std::memory_order_acquire)) std::this_thread::yield();
      while (!loop.ended()) loop.round();
    });
  }
  const auto begun = std::chrono::steady_clock::now();
  go.store(true, std::memory_order_release);
  threads.clear();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  const auto orders = static_cast<double>(partition.engine().counters().get(EngineCounter::orders));
  fmt::print("{} threads   {:>9.0f} orders/s   busy:", loops, orders / seconds);
  for (const Stage stage : kAllStages) {
    fmt::print("  {} {:.0f} %", kStageNames[index_of(stage)],
               static_cast<double>(partition.chain().times(stage).busy_ns()) / (seconds * 1e7));
  }
  fmt::print("   state_hash {:016x}\n", partition.engine().state_hash());
}

int run() {
  std::string name = (std::filesystem::temp_directory_path() / "crosswire-bench-XXXXXX").string();
  CHECK(mkdtemp(name.data()) != nullptr, "no temporary folder");
  const std::filesystem::path folder = name;
  SyntheticOptions options;
  options.messages = kMessages;
  options.burst = 32;
  write_synthetic_flow(options, folder / "flow.pcap", folder / "flow.toml");
  Config config = load_config(folder / "flow.toml", ConfigUse::replay);
  config.net.mac = kReplayMac;
  const std::int64_t midnight = *config.midnight_epoch_ns;
  set_start(config, midnight, CaptureRxPort(folder / "flow.pcap", midnight).start_time_ns());
  LoadedRxPort rx(folder / "flow.pcap", midnight, schedule_end_ns(config));
  std::filesystem::remove_all(folder);
  for (std::size_t loops = 1; loops <= 3; ++loops) measure(config, rx, loops);
  return 0;
}

}  // namespace
}  // namespace crosswire

int main() { return crosswire::run(); }
