// Replay through impaired ports: frames come to nothing, late and twice as [impair] says, are counted, and the same
// seed gives the same bytes on any number of threads. A recording that was impaired is not impaired again.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "app/replay/replay.hpp"
#include "netstack/port/recording_frames.hpp"
#include "tests/app/replay/replay_rig.hpp"

namespace crosswire {
namespace {

using test::Input;
using test::kAnn;
using test::kBob;
using test::kMs;
using test::kStart;
using test::order;
using test::Payload;
using test::Sent;

class ImpairedReplay : public ::testing::Test {
 protected:
  std::string path(const std::string& name) const { return folder_.file(name); }

  Figures run(const std::string& impair, std::size_t cores = 1) const {
    const std::string config = folder_.write("c.toml", test::config_text("", impair));
    ReplayProgress progress;
    ::testing::internal::CaptureStderr();
    ReplayJob job{load_config(config, ConfigUse::replay), path("in.pcap"), path("out.pcap"), "", ""};
    job.cores = cores;
    const Figures figures = replay(job, test::test_clock(), progress);
    said_ = ::testing::internal::GetCapturedStderr();
    return figures;
  }

  /// `orders` of Ann, one each millisecond, each in a frame of its own, behind both logins.
  void write_orders(std::uint32_t orders, const RecordingStart* start = nullptr) const {
    Input in(path("in.pcap"));
    if (start != nullptr) {
      const auto marker = start_marker(*start);
      in.frame(kStart, Payload(marker.begin(), marker.end()));
    }
    in.login(kStart, kAnn, "ann");
    in.login(kStart, kBob, "bob");
    for (std::uint32_t i = 1; i <= orders; ++i) in.messages(kStart + i * kMs, kAnn, {order(i, 'B', 100, 1'000'000)});
    if (start != nullptr) {
      const auto marker = end_marker();
      in.frame(kStart + (orders + 1) * kMs, Payload(marker.begin(), marker.end()));
    }
  }

  std::vector<Sent> to_ann() const {
    std::vector<Sent> sent = test::read_output(path("out.pcap"));
    std::erase_if(sent, [](const Sent& frame) { return frame.port != kAnn.port; });
    return sent;
  }
  std::string output() const {
    std::ifstream in(path("out.pcap"), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  static std::uint64_t count(const Figures& figures, std::string_view stage, std::string_view label) {
    const auto found = std::find_if(figures.counters.begin(), figures.counters.end(), [&](const CounterFigure& figure) {
      return figure.stage == stage && figure.label == label;
    });
    EXPECT_NE(found, figures.counters.end()) << stage << " " << label;
    return found == figures.counters.end() ? 0 : found->value.value_or(0);
  }

  test::Folder folder_;
  mutable std::string said_;
};

TEST_F(ImpairedReplay, LosesTheFramesThatAreListedOnTheWayInAndSaysSo) {
  write_orders(10);
  const Figures whole = run("");
  EXPECT_EQ(whole.frames_in, 12u);
  EXPECT_EQ(said_.find("IMPAIRED"), std::string::npos);
  for (const CounterFigure& figure : whole.counters) EXPECT_FALSE(figure.stage.starts_with("impaired")) << figure.label;

  const Figures figures = run("[impair.receive]\nlose_frames = [3, 12]\n");
  EXPECT_EQ(figures.frames_in, 10u);
  EXPECT_EQ(figures.orders, 8u);
  EXPECT_EQ(count(figures, "impaired_rx", "lost_by_number"), 2u);
  EXPECT_EQ(count(figures, "impaired_rx", "frames"), 12u);
  EXPECT_NE(said_.find("IMPAIRED: " + path("in.pcap")), std::string::npos) << said_;
  EXPECT_NE(said_.find("receive lose_frames=2, transmit nothing, seed=1"), std::string::npos) << said_;
  EXPECT_NE(to_text(figures).find("impaired_rx.lost_by_number 2"), std::string::npos);
  EXPECT_NE(to_json(figures).find("\"impaired_rx.lost_by_number\": 2"), std::string::npos);
}

TEST_F(ImpairedReplay, TakesDelayedOrdersAtTheTimeAtWhichTheyCome) {
  write_orders(3);
  run("");
  const std::vector<Sent> on_time = to_ann();
  const Figures figures = run("[impair.receive]\ndelay_us = 700\n");
  const std::vector<Sent> late = to_ann();
  ASSERT_EQ(late.size(), on_time.size());
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(late[i].time, on_time[i].time + 700'000) << i;  // login and two orders
  EXPECT_EQ(late[3].time, on_time[3].time);  // where the capture ends
  EXPECT_EQ(count(figures, "impaired_rx", "delayed"), 5u);
  EXPECT_EQ(count(figures, "impaired_rx", "let_go_early"), 1u);
}

TEST_F(ImpairedReplay, WritesAnswersAtTheTimeAtWhichTheyLeave) {
  write_orders(30);
  run("");
  std::vector<Sent> on_time = to_ann();
  const Figures figures = run("[impair.transmit]\ndelay_us = 2500\n");
  std::vector<Sent> late = to_ann();
  ASSERT_EQ(late.size(), on_time.size());
  for (std::size_t i = 0; i < late.size(); ++i) {
    EXPECT_EQ(late[i].time, on_time[i].time + 2'500'000) << i;
    EXPECT_EQ(late[i].payload, on_time[i].payload) << i;
  }
  EXPECT_EQ(figures.orders, 30u);
  EXPECT_GT(count(figures, "impaired_tx", "delayed"), 30u);
}

TEST_F(ImpairedReplay, EndsWhereAllFramesAreLost) {
  write_orders(5'000);  // far more than rounds without work are taken for a standstill
  const Figures figures = run("[impair.receive]\nloss = 1\n[impair.transmit]\nloss = 1.0\n");
  EXPECT_EQ(figures.frames_in, 0u);
  EXPECT_EQ(count(figures, "impaired_rx", "lost"), 5'002u);
  EXPECT_TRUE(test::read_output(path("out.pcap")).empty());
}

TEST_F(ImpairedReplay, WritesTheSameBytesForTheSameSeedOnOneToFourThreads) {
  write_orders(500);
  const auto impaired = [](int seed) {
    std::string text = "[impair]\nseed = " + std::to_string(seed) + "\n";
    for (const char* const way : {"receive", "transmit"}) {
      text += std::string("[impair.") + way +
              "]\nloss = 0.02\nburst_loss = 0.01\nduplicate = 0.05\ncorrupt = 0.02\nreorder = 0.05\ndelay_us = 300\n"
              "jitter_us = 5000\nrate_bits_per_s = 5_000_000\nqueue_bytes = 3000\n";
    }
    return text;
  };
  const std::uint64_t hash = run(impaired(1)).state_hash;
  const std::string once = output();
  for (const std::size_t cores : {1, 2, 3, 4}) {
    EXPECT_EQ(run(impaired(1), cores).state_hash, hash);
    EXPECT_TRUE(output() == once) << cores;
  }
  run(impaired(2));
  EXPECT_FALSE(output() == once);
}

TEST_F(ImpairedReplay, OfARecordingThatWasImpairedImpairsOnlyItsOutput) {
  RecordingStart start{test::kOurMac, {1, 2, 3}, {}, true};
  write_orders(20, &start);
  const std::uint64_t whole = run("").state_hash;
  const Figures figures = run("[impair.receive]\nloss = 1\n[impair.transmit]\nlose_frames = [1]\n");
  EXPECT_EQ(figures.state_hash, whole);
  EXPECT_EQ(count(figures, "impaired_tx", "lost_by_number"), 1u + 1u);  // of answers and feed
  EXPECT_NE(said_.find("came through [impair.receive] when it was recorded, and does not again"), std::string::npos)
      << said_;
  EXPECT_NE(said_.find("receive nothing, transmit lose_frames=1"), std::string::npos) << said_;

  start.impaired = false;  // of a run without: what it had can be tried on a bad link
  write_orders(20, &start);
  EXPECT_EQ(run("[impair.receive]\nloss = 1\n").orders, 0u);
}

}  // namespace
}  // namespace crosswire
