// Days and nights of an appliance in virtual time: it rolls over from one trading day to the next, on ports and in
// memory that stay, through weekends, a holiday, a half day and a change of the clocks, while links are lost and the
// host's clock is slewed. Each day is recorded, and its recording replays to the same answers, feed and state.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iostream>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "app/config/config.hpp"
#include "app/partition/references.hpp"
#include "app/replay/replay.hpp"
#include "app/run/running_day.hpp"
#include "netstack/port/capture.hpp"
#include "netstack/port/clock_discipline.hpp"
#include "netstack/port/memory_port.hpp"
#include "tests/app/traders.hpp"
#include "tests/folder.hpp"
#include "tests/seed.hpp"

namespace crosswire {
namespace {

constexpr TimeNs kMs = 1'000'000;
constexpr std::size_t kClients = 3;

/// A host whose clock NTP slews, now this way and now that, by up to 500 ppm, and our time beside it.
class SlewedHost {
 public:
  SlewedHost(std::int64_t epoch_ns, std::uint64_t seed)
      : random_(seed), real_ns_(static_cast<double>(epoch_ns - kBase)), discipline_(calibrated()) {}

  /// Time passes, and the control thread looks at the clocks every 100 ms.
  void advance(TimeNs ns) {
    while (ns > 0) {
      const TimeNs part = std::min<TimeNs>(ns, 100 * kMs - since_look_ns_);
      pass(part);
      ns -= part;
      since_look_ns_ += part;
      if (since_look_ns_ < 100 * kMs) continue;
      since_look_ns_ = 0;
      discipline_.look(reading());
      largest_offset_ns_ = std::max(largest_offset_ns_, std::abs(discipline_.offset_ns()));
      if (++looks_ % 6'000 == 0) slew_ = slew_ != 0 ? 0 : (static_cast<double>(random_() % 1'001) - 500) * 1e-6;
    }
  }
  /// Ours.
  std::int64_t now_epoch_ns() const { return discipline_.clock().epoch_ns(tsc()); }
  std::int64_t largest_offset_ns() const { return largest_offset_ns_; }

 private:
  static constexpr std::int64_t kBase = 1'700'000'000'000'000'000;  // a double holds what is beyond to some 10 ns

  std::uint64_t tsc() const { return 1'000'000 + 3 * raw_ns_; }
  void pass(TimeNs ns) {
    raw_ns_ += ns;
    real_ns_ += static_cast<double>(ns) * (1 + slew_);
  }
  ClockDiscipline calibrated() {
    const ClockReading first = reading();
    pass(200 * kMs);
    return {first, reading()};
  }
  ClockReading reading() const {
    return {tsc(), static_cast<std::int64_t>(raw_ns_), tsc(), kBase + static_cast<std::int64_t>(real_ns_), 150};
  }

  std::mt19937_64 random_;
  std::uint64_t raw_ns_ = 0;
  double real_ns_;
  double slew_ = 200e-6;
  TimeNs since_look_ns_ = 0;
  std::uint64_t looks_ = 0;
  std::int64_t largest_offset_ns_ = 0;
  ClockDiscipline discipline_;
};

/// As the device's port: bursts carry the time of the host, a day ends when it is told to, and lingers.
class VirtualRxPort final : public RxPort {
 public:
  explicit VirtualRxPort(const SlewedHost& host) : host_(host) {}

  void begin_day(std::int64_t midnight_epoch_ns) {
    midnight_ = midnight_epoch_ns;
    last_ns_ = 0;
    wish_ = Wish::none;
  }
  void push(std::vector<FrameBytes> frames) { frames_ = std::move(frames); }
  void end_day() { wish_ = Wish::day_end; }
  void end() { wish_ = Wish::end; }

  RxBurst receive() override {
    switch (std::exchange(wish_, wish_ == Wish::end ? Wish::end : Wish::none)) {
      case Wish::end:
        return {{}, last_ns_ = time_now(), true};
      case Wish::day_end:
        return {{}, last_ns_ = time_now(), false, false, true};
      case Wish::none:
        break;
    }
    held_ = std::exchange(frames_, {});
    last_ns_ = std::max(time_now(), last_ns_ + (held_.empty() ? 0 : 1));
    for (std::size_t i = 0; i < held_.size(); ++i) {
      views_[i] = {held_[i].data(), static_cast<std::uint32_t>(held_[i].size())};
    }
    return {{views_.data(), held_.size()}, last_ns_, false};
  }
  TimeNs time_now() override { return std::max(last_ns_, static_cast<TimeNs>(host_.now_epoch_ns() - midnight_)); }

 private:
  enum class Wish { none, day_end, end };

  const SlewedHost& host_;
  std::int64_t midnight_ = 0;
  TimeNs last_ns_ = 0;
  Wish wish_ = Wish::none;
  std::vector<FrameBytes> frames_, held_;
  std::array<RxFrame, kMaxBurst> views_{};
};

/// Of what was sent, in each UDP stream: the order between streams is the ports' affair.
using Streams = std::map<std::pair<std::string, std::size_t>, std::vector<FrameBytes>>;

void sort_in(Streams& streams, const FrameBytes& frame) {
  constexpr std::size_t kUdp = 14 + 20;
  const std::string to(frame.begin(), frame.begin() + 6);
  streams[{to, frame.size() < kUdp + 8 ? 0 : test::get16(frame, kUdp)}].push_back(frame);
}

Streams streams_in(const std::string& capture) {
  Streams streams;
  CaptureRxPort port(capture, midnight_utc(CaptureRxPort::first_frame_epoch_ns(capture)));
  for (RxBurst burst = port.receive(); !burst.ended; burst = port.receive()) {
    for (const RxFrame& frame : burst.frames) sort_in(streams, FrameBytes(frame.data, frame.data + frame.length));
  }
  EXPECT_EQ(port.error(), "");
  return streams;
}

struct Season {
  std::string name;
  std::string calendar;  // of the configuration: [time], [calendar] and [[phase]]
  std::int64_t begin_s;  // the process starts, since the Unix epoch
  std::size_t days;
  std::set<std::string> without_trading;
  std::map<std::string, unsigned> hours;  // of days that do not have 24
};

std::ostream& operator<<(std::ostream& out, const Season& season) { return out << season.name; }

class Seasons : public testing::TestWithParam<Season> {
 protected:
  Seasons() {
    config_ = load_config(folder_.write("venue.toml", GetParam().calendar + kVenue), ConfigUse::replay);
    config_.net.mac = test::kOurMac;
    host_.emplace(GetParam().begin_s * 1'000'000'000, seed_);
    rx_.emplace(*host_);
    memory_.emplace(Partition::bytes_for(config_), HugepagePolicy::off);
    record_memory_.emplace(RecordingRxPort::bytes_for(), HugepagePolicy::off);
  }

  static constexpr const char* kVenue = R"(
[port]
address = "10.99.0.1"
[orders]
udp_port = 26400
messages_kept = 4096
[feed]
group = "239.9.9.9"
udp_port = 26477
request_port = 26478
messages_kept = 8192
[limits]
max_orders = 4096
max_levels = 512
[[symbol]]
name = "AAA"
reference_price_e4 = 1000000
tick_e4 = 100
[[symbol]]
name = "BBB"
reference_price_e4 = 1000000
tick_e4 = 100
[[account]]
user = "A"
password = "secret"
firm = "A"
[[account]]
user = "B"
password = "secret"
firm = "B"
[[account]]
user = "C"
password = "secret"
firm = "C"
)";

  std::string path(const std::string& name) const { return folder_.file(name); }

  void make_day() {
    TradingDay day = config_.calendar.day_at(host_->now_epoch_ns());
    rx_->begin_day(day.midnight_epoch_ns);
    const TimeNs start_ns = rx_->time_now();
    day_.reset();
    day_.emplace(config_, std::move(day), start_ns, references_,
                 RunningDay::Ground{*rx_, tx_, tx_, *memory_, &*record_memory_}, TscClock(), StageLayout());
    recording_ = path("day-" + day_->day().date + ".pcap");
    day_->begin_recording(recording_);
    sent_.clear();
  }

  void step(TimeNs ns, std::vector<FrameBytes> frames) {
    host_->advance(ns);
    rx_->push(std::move(frames));
    for (int idle = 0; idle < 2;) idle = day_->partition().round() ? 0 : idle + 1;
    heard_ = tx_.take_frames();
    for (const MemoryTxPort::Sent& frame : heard_) sort_in(sent_, frame.bytes);
  }

  std::int64_t left_ns() const {
    return day_->day().midnight_epoch_ns + static_cast<std::int64_t>(day_->day().end_ns) - host_->now_epoch_ns();
  }

  /// Nobody speaks for so long, but all listen.
  void wait(test::Traders& traders, TimeNs ns) {
    traders.lose(0);
    step(std::min<TimeNs>(ns + kMs, 60'000 * kMs), {});
    traders.hear(heard_);
  }

  void trade(test::Traders& traders, unsigned milliseconds, unsigned loss_percent, bool trading) {
    traders.lose(loss_percent);
    for (unsigned i = 0; i < milliseconds; ++i) {
      step(kMs, traders.speak(trading));
      traders.hear(heard_);
    }
  }

  /// Over a line that loses frames, and is lost as a whole for a while; then everyone catches up.
  void trade_for_a_while(test::Traders& traders) {
    traders.come_back();
    trade(traders, 150, 0, true);
    trade(traders, 400, 5, true);
    trade(traders, 200, 100, true);
    trade(traders, 1'500, 0, false);
    traders.expect_to_know_everything(day_->partition());
  }

  void end_day(test::Traders& traders) {
    rx_->end_day();
    step(kMs, {});
    traders.hear(heard_);
    for (TimeNs lingered = 0; lingered < config_.net.linger_ns; lingered += 500 * kMs) {
      step(500 * kMs, traders.speak(false));
      traders.hear(heard_);
    }
    rx_->end();
    step(kMs, {});
    ASSERT_TRUE(day_->partition().finished());
    ASSERT_EQ(day_->end_recording(), "");
    EXPECT_TRUE(day_->recorder()->going_on());
  }

  /// The recording's answers, feed and state are the day's.
  void expect_the_same_replayed() {
    ReplayJob job;
    job.config = config_;
    job.in = recording_;
    job.out = path("out.pcap");
    ReplayProgress progress;
    const Figures replayed = replay(job, TscClock(), progress);
    EXPECT_EQ(replayed.state_hash, day_->partition().engine().state_hash());
    const Streams streams = streams_in(job.out);
    EXPECT_EQ(streams.size(), sent_.size());
    for (const auto& [stream, frames] : sent_) {
      const auto found = streams.find(stream);
      ASSERT_NE(found, streams.end());
      EXPECT_TRUE(found->second == frames) << frames.size() << " frames in one of the streams";
    }
  }

  std::uint64_t seed_ = test::seed();
  test::Folder folder_;
  Config config_;
  std::optional<SlewedHost> host_;
  std::optional<VirtualRxPort> rx_;
  MemoryTxPort tx_;
  std::optional<Arena> memory_, record_memory_;
  std::vector<ReferencePrice> references_;
  std::optional<RunningDay> day_;
  std::string recording_;
  std::vector<MemoryTxPort::Sent> heard_;
  Streams sent_;
};

TEST_P(Seasons, RollOverFromDayToDayAndEachReplaysToTheSame) {
  std::set<std::string> sessions, dates;
  std::uint64_t orders = 0, executions = 0, lost = 0;
  for (std::size_t number = 0; number < GetParam().days; ++number) {
    make_day();
    const Partition& partition = day_->partition();
    const TradingDay& day = day_->day();
    SCOPED_TRACE(day.date);
    EXPECT_TRUE(dates.insert(day.date).second) << "twice";
    EXPECT_TRUE(sessions.insert(partition.config().net.order_session).second) << "the name of an earlier session";
    EXPECT_EQ(!day.no_trading.empty(), GetParam().without_trading.contains(day.date));
    const auto hours = GetParam().hours.find(day.date);
    EXPECT_EQ((day.end_ns - day.begin_ns) / (3600 * 1'000 * kMs), hours == GetParam().hours.end() ? 24 : hours->second);
    if (number > 0) {
      EXPECT_LT(partition.config().net.start_ns - day.begin_ns, 10'000 * kMs) << "begun late";
    }
    for (std::size_t i = 0; i < references_.size(); ++i) {
      EXPECT_EQ(partition.config().engine.symbols[i].reference, references_[i].price);
    }

    test::Traders traders(partition.config().net, seed_ + number);
    step(kMs, {});
    for (const PhaseChange& change : day.schedule) {
      if (change.phase == Phase::closed && day.no_trading.empty()) continue;
      while (rx_->time_now() < change.at_ns + 1'000 * kMs) wait(traders, change.at_ns + 1'000 * kMs - rx_->time_now());
      trade_for_a_while(traders);
    }
    const std::uint64_t live = partition.engine().live_orders();
    EXPECT_EQ(live > 0, day.no_trading.empty());
    while (left_ns() > 0) wait(traders, static_cast<TimeNs>(left_ns()));
    end_day(traders);
    if (HasFatalFailure()) return;
    expect_the_same_replayed();
    if (HasFatalFailure()) return;
    references_ = last_prices(partition);
    orders += partition.engine().counters().get(EngineCounter::accepted);
    executions += partition.engine().counters().get(EngineCounter::executions);
    lost += traders.lost();
    host_->advance(20 * kMs);  // the next day is made
  }
  EXPECT_GT(executions, 0u);
  EXPECT_NE(references_.front().price, Price{1'000'000}) << "nothing has moved the price";
  EXPECT_LT(host_->largest_offset_ns(), ClockDiscipline::kBoundNs);
  std::cout << GetParam().days << " days: " << orders << " orders, " << executions << " executions, " << lost
            << " frames lost, the clock at most " << host_->largest_offset_ns() / 1000 << " us off\n";
}

const Season kSpring{"Spring",
                     R"([time]
zone = "Europe/Berlin"
linger_s = 3
[calendar]
weekdays = ["mon", "tue", "wed", "thu", "fri", "sun"]
holidays = [2026-04-03]
[[calendar.half_day]]
dates = [2026-04-02]
[[calendar.half_day.phase]]
at = "09:00:00"
state = "continuous"
[[calendar.half_day.phase]]
at = "13:00:00"
state = "closed"
[[phase]]
at = "02:30:00"
state = "opening_call"
[[phase]]
at = "09:00:00"
state = "continuous"
[[phase]]
at = "17:30:00"
state = "closing_call"
[[phase]]
at = "17:35:00"
state = "closed"
)",
                     1774220400,  // 2026-03-23 00:00:00 in Berlin
                     14,         {"2026-03-28", "2026-04-03", "2026-04-04"}, {{"2026-03-29", 23}}};

/// Days that begin on the evening before, but for those without trading.
const Season kAutumn{"Autumn",
                     R"([time]
zone = "Europe/Berlin"
linger_s = 3
[calendar]
holidays = [2026-10-21]
[[phase]]
at = "-1d 20:00:00"
state = "opening_call"
[[phase]]
at = "-1d 21:00:00"
state = "continuous"
[[phase]]
at = "16:00:00"
state = "closed"
)",
                     1792346460,  // 2026-10-18 20:01:00 in Berlin, a Sunday: the day is Monday's
                     10,
                     {"2026-10-21", "2026-10-24", "2026-10-25"},
                     {{"2026-10-20", 28}, {"2026-10-21", 20}, {"2026-10-23", 28}, {"2026-10-25", 21}}};

INSTANTIATE_TEST_SUITE_P(Virtual, Seasons, testing::Values(kSpring, kAutumn),
                         [](const auto& season) { return season.param.name; });

}  // namespace
}  // namespace crosswire
