// Impaired ports are polled by the stages: once made they allocate nothing, take no lock and ask nothing of the kernel,
// whatever befalls the frames.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <utility>

#include "hot_path_watch.hpp"
#include "netstack/port/impaired_port.hpp"

namespace crosswire::test {
namespace {

constexpr TimeNs kStepNs = 10'000;

/// A full burst at each call, and now and then a command; of its own bytes.
class EndlessRxPort final : public RxPort {
 public:
  EndlessRxPort() {
    for (RxFrame& view : views_) view = {bytes_.data(), kMaxFrame};
  }
  RxBurst receive() override {
    const bool command = ++polls_ % 1'000 == 0;
    return {{views_.data(), command ? 1 : kMaxBurst}, now_ns_ += kStepNs, false, command};
  }
  TimeNs time_now() override { return now_ns_; }

 private:
  std::array<std::uint8_t, kMaxFrame> bytes_{};
  std::array<RxFrame, kMaxBurst> views_{};
  TimeNs now_ns_ = 0;
  std::uint64_t polls_ = 0;
};

/// Takes everything, and now and then nothing.
class EndlessTxPort final : public TxPort {
 public:
  EndlessTxPort() {
    for (Slot& slot : batch_) slot.data = bytes_.data();
    ready_ = kMaxBurst;
  }
  std::size_t flush() override {
    if (++flushes_ % 5 == 0) return 0;
    sent += used_;
    return std::exchange(used_, 0);
  }
  std::uint64_t sent = 0;

 private:
  bool refill() override { return flush() > 0; }
  std::array<std::uint8_t, kMaxFrame> bytes_{};
  std::uint64_t flushes_ = 0;
};

TEST(ImpairedPorts, AskNothingOfTheHeapOrTheKernelWhilePolled) {
  ImpairmentConfig config{.loss = 0.1,
                          .burst_loss = 0.01,
                          .duplicate = 0.2,
                          .corrupt = 0.2,
                          .reorder = 0.2,
                          .reorder_by = 50,
                          .delay_ns = 20'000,
                          .jitter_ns = 100'000,
                          .rate_bits_per_s = 30'000'000'000};
  for (std::uint64_t frame = 10; frame < 1'000; frame += 10) config.lose_frames.push_back(frame);
  EndlessRxPort rx;
  EndlessTxPort tx;
  ImpairedRxPort in(rx, config, 1, 256);
  ImpairedTxPort out(tx, config, 2, 256, &in.clock());
  Watch watch;
  ASSERT_EQ(trap_system_calls(), "");
  watch_this_thread(&watch);
  std::uint64_t received = 0;
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    const RxBurst burst = in.receive();
    received += burst.frames.size();
    for (const RxFrame& frame : burst.frames) {
      std::uint8_t* const room = out.reserve();
      if (room == nullptr) break;
      std::copy_n(frame.data, frame.length, room);
      out.commit(frame.length, {Sequence{i}, burst.time_ns, 0});
    }
    if (out.wants_flush()) out.flush();
  }
  watch_this_thread(nullptr);
  for (const Watched watched : {Watched::allocation, Watched::lock, Watched::system_call}) {
    EXPECT_EQ(watch.count(watched), 0u) << watch.first_text(watched);
  }
  EXPECT_GT(received, 100'000u);
  EXPECT_GT(tx.sent, 100'000u);
  for (const auto& row : kImpairmentCounters) EXPECT_GT(in.counters().get(row.counter), 0u) << row.label;
}

}  // namespace
}  // namespace crosswire::test
