// The load generator: its schedules, orders, arithmetic and accounts, over memory ports and in virtual time.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <set>
#include <string>
#include <utility>

#include "app/command_line.hpp"
#include "app/figures/hgrm.hpp"
#include "app/files/whole_file.hpp"
#include "app/load/capture.hpp"
#include "app/load/client.hpp"
#include "app/load/figures.hpp"
#include "app/load/mix.hpp"
#include "app/load/schedule.hpp"
#include "app/load/stream.hpp"
#include "netstack/port/capture.hpp"
#include "tests/app/load/load_exchange.hpp"
#include "tests/app/venue.hpp"
#include "tests/folder.hpp"

namespace crosswire {
namespace {

using test::kMilli;
using test::kUs;
using test::load_options;
using test::LoadRig;
using test::StubExchange;

// --- schedules -------------------------------------------------------------------------------------------------------

TEST(LoadSchedules, AConstantRateIsEvenAndNeverDrifts) {
  LoadSchedule schedule = LoadSchedule::constant(3);
  for (std::uint64_t i = 0; i < 3'000'000; ++i) {
    const TimeNs due_ns = schedule.next();
    ASSERT_EQ(due_ns, i / 3 * 1'000'000'000 + i % 3 * 1'000'000'000 / 3);
  }
}

TEST(LoadSchedules, BurstsAreDueAtOneTime) {
  LoadSchedule schedule = LoadSchedule::burst(1'000'000, 8);
  for (std::uint64_t i = 0; i < 80'000; ++i) ASSERT_EQ(schedule.next(), i / 8 * 8'000);
}

TEST(LoadSchedules, PoissonHasTheRateAndSpreadOfItsName) {
  for (const std::uint64_t rate : {1'000ull, 3'000'000ull}) {
    LoadSchedule schedule = LoadSchedule::poisson(rate, 7);
    constexpr std::uint64_t kOrders = 400'000;
    double sum = 0, squares = 0;
    TimeNs last_ns = 0;
    for (std::uint64_t i = 0; i < kOrders; ++i) {
      const TimeNs due_ns = schedule.next();
      ASSERT_GE(due_ns, last_ns);
      const auto gap = static_cast<double>(due_ns - last_ns);
      sum += gap;
      squares += gap * gap;
      last_ns = due_ns;
    }
    const double mean = sum / kOrders;
    const double deviation = std::sqrt(squares / kOrders - mean * mean);
    EXPECT_NEAR(mean, 1e9 / static_cast<double>(rate), 1e9 / static_cast<double>(rate) * 0.01);
    EXPECT_NEAR(deviation / mean, 1, 0.02) << "an exponential distribution's deviation is its mean";
  }
}

TEST(LoadSchedules, PoissonFollowsFromItsSeed) {
  LoadSchedule one = LoadSchedule::poisson(1'000, 7), same = LoadSchedule::poisson(1'000, 7),
               other = LoadSchedule::poisson(1'000, 8);
  std::size_t different = 0;
  for (int i = 0; i < 1'000; ++i) {
    const TimeNs due_ns = one.next();
    ASSERT_EQ(due_ns, same.next());
    different += due_ns != other.next();
  }
  EXPECT_GT(different, 990u);
}

TEST(LoadSchedules, GapsOfACaptureComeAgainInTheirOrder) {
  LoadSchedule schedule = LoadSchedule::gaps({10, 0, 500});
  std::vector<TimeNs> due_ns(8);
  for (TimeNs& due : due_ns) due = schedule.next();
  EXPECT_EQ(due_ns, (std::vector<TimeNs>{0, 10, 10, 510, 520, 520, 1'020, 1'030}));
}

// --- orders ----------------------------------------------------------------------------------------------------------

TEST(LoadMixes, KeepTheirPartsAndTheOrdersThatRest) {
  LoadMix mix({.resting = 1'000}, load_options().symbols, 4);
  for (int i = 0; i < 1'000; ++i) ASSERT_EQ(mix.next_add().kind, LoadKind::add);
  std::array<int, 5> kinds{};
  for (int i = 0; i < 100'000; ++i) {
    ++kinds[static_cast<std::size_t>(mix.next().kind)];
    ASSERT_GE(mix.live(), 990u);
    ASSERT_LE(mix.live(), 1'100u);
  }
  EXPECT_NEAR(kinds[1], 10'000, 300) << "crossing";
  EXPECT_NEAR(kinds[0], 50'000, 500) << "adds: as many as cancels and executions take away";
  EXPECT_NEAR(kinds[2], 40'000, 500) << "cancels";
}

TEST(LoadMixes, GoOnInTheSameSlotsForEver) {
  // Each session goes through its slots several times.
  constexpr std::uint32_t kResting = 400'000;
  LoadMix mix({.resting = kResting}, load_options().symbols, 200);
  std::vector<LoadOrder> resting(mix.slots(), {.kind = LoadKind::modify});
  std::vector<std::uint32_t> canceled_at(mix.slots());  // orders of its session so far
  while (mix.live() < kResting) {
    const LoadOrder order = mix.next_add();
    resting[order.slot] = order;
  }
  std::uint64_t crossed = 0, canceled = 0;
  for (std::uint32_t i = 0; i < 12'000'000; ++i) {
    const LoadOrder order = mix.next();
    LoadOrder& slot = resting[order.slot];
    crossed += order.kind == LoadKind::cross;
    if (order.kind == LoadKind::cancel) {
      ++canceled;
      ASSERT_EQ(slot.kind, LoadKind::add);
      ASSERT_EQ(slot.session, order.session);
      canceled_at[order.slot] = mix.used(order.session);
    } else {
      if (slot.kind == LoadKind::cancel) {
        ASSERT_GE(mix.used(order.session) - canceled_at[order.slot], mix.turns_ahead()) << "its answer has time";
      }
      ASSERT_EQ(order.slot / mix.per_session(), order.session);
      ASSERT_EQ(order.slot % mix.per_session(), (mix.used(order.session) - 1) % mix.per_session());
    }
    slot = order;
    ASSERT_NEAR(static_cast<double>(mix.live()), kResting, 100);
  }
  EXPECT_GT(mix.used(0), 2 * mix.per_session());
  EXPECT_NEAR(static_cast<double>(crossed), 1'200'000, 60'000) << "crossing";
  EXPECT_NEAR(static_cast<double>(canceled), 4'800'000, 100'000);
}

TEST(LoadMixes, CancelNothingTwice) {
  LoadMix mix({.resting = 50}, load_options().symbols, 4);
  std::set<std::uint32_t> alive;  // or executed
  std::uint32_t canceled = 0;
  for (int i = 0; i < 50'000; ++i) {
    const LoadOrder order = mix.next();
    if (order.kind == LoadKind::add) {
      ASSERT_TRUE(alive.insert(order.slot).second);
    } else if (order.kind == LoadKind::cancel) {
      ASSERT_EQ(alive.erase(order.slot), 1u);
      ++canceled;
    }
  }
  EXPECT_GT(canceled, 10'000u);
}

// --- streams ---------------------------------------------------------------------------------------------------------

TEST(LoadStreams, CountWhatIsLostRecoveredLateAndRepeated) {
  LoadStream stream;
  stream.begin(std::string_view{"S"}, 5);
  EXPECT_TRUE(stream.take(5));
  EXPECT_TRUE(stream.take(9)) << "a message behind a gap counts at once";
  EXPECT_FALSE(stream.complete());
  EXPECT_TRUE(stream.take(7)) << "by itself";
  const auto request = stream.request();
  ASSERT_TRUE(request);
  EXPECT_EQ(request->sequence, 6u);
  EXPECT_EQ(request->count, 1u);
  EXPECT_TRUE(stream.take(6)) << "as asked for";
  EXPECT_FALSE(stream.take(6));
  EXPECT_FALSE(stream.take(4));
  EXPECT_FALSE(stream.take(9));
  EXPECT_FALSE(stream.complete()) << "8 never came";
  EXPECT_EQ(stream.counts().lost, 3u);
  EXPECT_EQ(stream.counts().recovered, 1u);
  EXPECT_EQ(stream.counts().out_of_order, 1u);
  EXPECT_EQ(stream.counts().repeated, 3u);
  EXPECT_EQ(stream.counts().still_missing(), 1u);
  stream.heard_of(12);
  EXPECT_EQ(stream.counts().lost, 5u) << "a heartbeat tells of 10 and 11";
  EXPECT_TRUE(stream.take(8));
  EXPECT_TRUE(stream.take(11));
  EXPECT_TRUE(stream.take(10));
  EXPECT_TRUE(stream.complete());
}

// --- latency ---------------------------------------------------------------------------------------------------------

/// Nearest rank.
std::uint64_t exact_percentile(const std::vector<std::uint64_t>& sorted, double p) {
  const auto rank = static_cast<std::size_t>(std::ceil(p / 100 * static_cast<double>(sorted.size())));
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

void expect_exactly(const Histogram& histogram, std::vector<std::uint64_t> values) {
  std::sort(values.begin(), values.end());
  ASSERT_EQ(histogram.count(), values.size());
  EXPECT_LE(histogram.min(), values.front());
  EXPECT_EQ(histogram.max(), values.back());
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  EXPECT_DOUBLE_EQ(histogram.mean(), sum / static_cast<double>(values.size()));
  for (const double p : {1.0, 50.0, 90.0, 95.0, 99.0, 99.5, 99.9, 99.99}) {
    const std::uint64_t exact = exact_percentile(values, p);
    Histogram bucket;  // what the histogram can tell of that one value, next to a greater one
    bucket.record(exact);
    bucket.record(values.back());
    EXPECT_EQ(histogram.percentile(p), bucket.percentile(50)) << p << " %";
  }
}

TEST(LoadLatencies, AStallIsChargedToEveryOrderThatItDelays) {
  LoadOptions options = load_options();
  options.measured_ns = 1'000 * kMilli;
  LoadRig rig(options);
  ASSERT_TRUE(rig.get_ready());
  const TimeNs stall_ns = rig.now_ns + 500 * kMilli;
  rig.exchange.faults.stall_from_ns = stall_ns;
  rig.exchange.faults.stall_to_ns = stall_ns + 10 * kMilli;
  const LoadFigures figures = rig.run();
  ASSERT_EQ(figures.partial, "");
  ASSERT_EQ(figures.sent, 10'000u);

  // One order each 100 us. 100 of them are due in the 10 ms that the exchange sleeps, wherever these begin; each waits
  // for the rest of them, and all take 5 us.
  const std::uint64_t first_wait_ns = figures.latencies[0].max() - 5 * kUs;
  ASSERT_GT(first_wait_ns, 9'899 * kUs);
  ASSERT_LE(first_wait_ns, 10'000 * kUs);
  std::vector<std::uint64_t> values(9'900, 5 * kUs);
  for (std::uint64_t i = 0; i < 100; ++i) values.push_back(5 * kUs + first_wait_ns - i * 100 * kUs);
  expect_exactly(figures.of(LoadLatency::ack), values);
  EXPECT_EQ(figures.late, 0u) << "the sender was never late: it was the exchange";
  EXPECT_EQ(figures.lost, 0u);

  // What a loop that waits for its answers would have seen: one slow order of ten thousand.
  EXPECT_GT(figures.of(LoadLatency::ack).percentile(99.5), 4'900 * kUs);
}

TEST(LoadLatencies, ASenderThatFallsBehindIsChargedToo) {
  LoadOptions options = load_options();
  LoadRig rig(options);
  ASSERT_TRUE(rig.get_ready());
  rig.client.start();
  while (rig.client.progress().sent < 100) rig.step();
  rig.now_ns += 2 * kMilli;  // the generator itself does not run
  while (rig.step()) {
  }
  const LoadFigures& figures = rig.client.figures();
  EXPECT_EQ(figures.sent, 1'000u);
  EXPECT_EQ(figures.late, 19u) << "and one is late by a microsecond";
  EXPECT_EQ(figures.send_lateness.max(), 1'901 * kUs);
  EXPECT_EQ(figures.of(LoadLatency::ack).max(), 2'001 * kUs) << "the answer that lay there meanwhile";
  EXPECT_EQ(figures.of(LoadLatency::ack).percentile(99), std::uint64_t{1'007'615})
      << "the bucket of the eleventh slowest, 1006 us";
  EXPECT_EQ(figures.partial, "") << "it caught up";
}

TEST(LoadLatencies, OnlyTheMeasuredTimeCounts) {
  LoadOptions options = load_options();
  options.warm_up_ns = 50 * kMilli;
  LoadRig rig(options);
  ASSERT_TRUE(rig.get_ready());
  rig.exchange.faults.stall_from_ns = rig.now_ns + 10 * kMilli;  // in the warm-up
  rig.exchange.faults.stall_to_ns = rig.now_ns + 20 * kMilli;
  const LoadFigures& figures = rig.run();
  EXPECT_EQ(figures.sent, 1'000u);
  EXPECT_EQ(figures.of(LoadLatency::ack).count(), 1'000u);
  EXPECT_EQ(figures.of(LoadLatency::ack).max(), 5 * kUs);
  EXPECT_DOUBLE_EQ(figures.rate_achieved(), 10'000);
}

TEST(LoadLatencies, AreKeptForEachKindAndForTheFeed) {
  LoadOptions options = load_options();
  options.mix = {.adds = 30, .cancels = 50, .crossing = 20, .resting = 500};
  LoadRig rig(options);
  const LoadFigures& figures = rig.run_all();
  ASSERT_EQ(figures.partial, "");
  const auto count = [&figures](LoadLatency latency) { return figures.of(latency).count(); };
  const auto sent = [&figures](LoadKind kind) { return figures.sent_by_kind[static_cast<std::size_t>(kind)]; };
  EXPECT_EQ(count(LoadLatency::ack), 1'000u);
  EXPECT_GT(sent(LoadKind::cross), 100u);
  EXPECT_EQ(count(LoadLatency::ack_add), sent(LoadKind::add));
  EXPECT_EQ(count(LoadLatency::ack_cross), sent(LoadKind::cross));
  EXPECT_EQ(count(LoadLatency::ack_cancel), sent(LoadKind::cancel));
  EXPECT_EQ(count(LoadLatency::execution), sent(LoadKind::cross));
  EXPECT_EQ(count(LoadLatency::feed_add), sent(LoadKind::add));
  EXPECT_EQ(count(LoadLatency::feed_execution), sent(LoadKind::cross));
  EXPECT_EQ(count(LoadLatency::feed_delete), sent(LoadKind::cancel));
  EXPECT_EQ(count(LoadLatency::feed), 1'000u);
  EXPECT_EQ(figures.executions, sent(LoadKind::cross));
  EXPECT_EQ(figures.of(LoadLatency::feed).max(), 6 * kUs) << "the exchange tells the feed a microsecond later";
  EXPECT_EQ(figures.feed_missing, 0u);
}

// --- accounts --------------------------------------------------------------------------------------------------------

TEST(LoadAccounts, AnAnswerThatIsLostIsAskedForAgainAndTakesThatLong) {
  LoadRig rig(load_options());
  rig.exchange.faults.lose = {400, 700, 701};
  const LoadFigures& figures = rig.run_all();
  EXPECT_EQ(figures.partial, "");
  EXPECT_EQ(figures.lost, 0u);
  EXPECT_EQ(figures.answers.lost, 3u);
  EXPECT_EQ(figures.answers.recovered, 3u);
  EXPECT_EQ(figures.answers.still_missing(), 0u);
  EXPECT_EQ(figures.answered, 1'000u);
  EXPECT_GT(figures.of(LoadLatency::ack).max(), 2 * kMilli);
}

TEST(LoadAccounts, RepeatsAndAnswersOutOfOrderAreCounted) {
  LoadRig rig(load_options());
  rig.exchange.faults.repeat = {300, 301};
  rig.exchange.faults.swap_with_next = {500};
  const LoadFigures& figures = rig.run_all();
  EXPECT_EQ(figures.answers.repeated, 2u);
  EXPECT_EQ(figures.answers.out_of_order, 1u);
  EXPECT_EQ(figures.answers.recovered, 0u);
  EXPECT_EQ(figures.answered, 1'000u);
  EXPECT_EQ(figures.of(LoadLatency::ack).count(), 1'000u) << "each once";
}

TEST(LoadAccounts, OrdersWithoutAnyAnswerAreLost) {
  LoadRig rig(load_options());
  rig.step_ns = 50 * kUs;
  rig.exchange.faults.ignore = {200, 201, 202};
  rig.exchange.faults.reject = {210};
  const LoadFigures& figures = rig.run_all();
  // Cancels of what the exchange never saw have no answer either; they are lost as well.
  EXPECT_GE(figures.lost, 3u);
  EXPECT_LE(figures.lost, 6u);
  EXPECT_EQ(figures.rejected, 1u);
  EXPECT_LT(figures.answered, 1'000u);
}

TEST(LoadAccounts, TheBooksAreEmptyAfterwards) {
  LoadRig rig(load_options());
  const LoadFigures& figures = rig.run_all();
  EXPECT_EQ(figures.partial, "");
  std::size_t enters = 0, cancels = 0, crossing = 0, logouts = 0;
  for (const FrameBytes& frame : rig.sent) {
    if (frame.size() < 70 && frame[42] == 0) logouts += frame[44] == 'O';
    if (frame[42] == 0 || frame.size() < 73) continue;
    enters += frame[64] == 'O';
    crossing += frame[64] == 'O' && frame[64 + 26] == '3';
    cancels += frame[64] == 'X';
  }
  EXPECT_GT(crossing, 50u);
  EXPECT_EQ(enters, crossing + cancels)
      << "this exchange tells no resting order that it executed, so all are cancelled";
  EXPECT_EQ(logouts, 1u);
}

TEST(LoadAccounts, OneSeedSendsTheSameBytesAndAnotherDoesNot) {
  const auto bytes_of = [](std::uint64_t seed) {
    LoadOptions options = load_options();
    options.mix.seed = seed;
    options.parties.push_back({{2, 0, 0, 0, 1, 1}, 0x0A630064, 40'001, "BOB", "secret"});
    options.schedule = LoadSchedule::poisson(20'000, seed);
    LoadRig rig(options);
    rig.run_all();
    return rig.sent;
  };
  const std::vector<FrameBytes> sent = bytes_of(3);
  EXPECT_GT(sent.size(), 2'000u);
  EXPECT_EQ(sent, bytes_of(3));
  EXPECT_NE(sent, bytes_of(4));
}

/// Decodes a frame's one message and writes it again as any client would.
FrameBytes written_again(const FrameBytes& frame, const LoadOptions& options) {
  namespace ouch = wire::ouch;
  const LoadParty& party = options.parties.front();
  NetConfig side;
  side.mac = party.mac;
  side.address = party.address;
  const Station to{test::kOurMac, options.vlan, options.server.address};
  const DatagramTemplate headers(side, party.port, to, options.server.order_port, 64);
  const std::size_t at = headers.payload_offset();
  const auto* const mold = wire::view_as<wire::mold::Header>(wire::Bytes(frame).subspan(at));
  const wire::Bytes message = wire::Bytes(frame).subspan(at + sizeof *mold + 2);
  FrameBytes again(kMaxFrame);
  wire::mold::PacketWriter packet({again.data() + at, kMaxUdpPayload});
  const auto add = [&packet](const auto& typed) {
    std::array<std::uint8_t, 64> bytes;
    const std::size_t size = ouch::write_message(bytes, typed, ouch::NoOptions{});
    std::copy_n(bytes.data(), size, packet.try_append(size));
  };
  if (message[0] == 'O') {
    add(*wire::view_as<ouch::EnterOrder>(message));
  } else {
    add(*wire::view_as<ouch::CancelOrder>(message));
  }
  again.resize(headers.finish(again.data(), packet.finish(mold->session, mold->sequence)));
  return again;
}

TEST(LoadAccounts, FramesAreAsAnyClientWouldWriteThem) {
  for (const std::uint16_t vlan : {std::uint16_t{0}, std::uint16_t{7}}) {
    LoadOptions options = load_options();
    options.vlan = vlan;
    StubExchange server(options);
    MemoryRxPort rx;
    MemoryTxPort tx;
    LoadClient client(options, rx, tx);
    const std::size_t type_at = vlan == 0 ? 12 : 16, message_at = vlan == 0 ? 64 : 68;
    TimeNs now_ns = kMilli;
    std::uint64_t next_upstream = 0;
    std::set<std::string> ids;
    bool goes_on = true;
    for (bool started = false; goes_on; now_ns += kUs) {
      rx.push_burst(now_ns, server.due(now_ns));
      goes_on = client.poll();
      if (client.ready() && !std::exchange(started, true)) client.start();
      std::vector<MemoryTxPort::Sent> out = tx.take_frames();
      for (MemoryTxPort::Sent& sent : out) {
        FrameBytes& frame = sent.bytes;
        const bool data = frame[type_at] == 0x08 && frame[type_at + 1] == 0x00 && frame.size() > message_at &&
                          (frame[message_at] == 'O' || frame[message_at] == 'X') && frame[message_at - 22] != 0;
        if (data) {
          ASSERT_EQ(frame, written_again(frame, options));
          const auto* const mold = wire::view_as<wire::mold::Header>(wire::Bytes(frame).subspan(message_at - 22));
          ASSERT_TRUE(next_upstream == 0 || mold->sequence == next_upstream) << "none is left out";
          next_upstream = mold->sequence + 1;
          if (frame[message_at] == 'O') {
            EXPECT_TRUE(ids.emplace(frame.begin() + static_cast<std::ptrdiff_t>(message_at) + 31,
                                    frame.begin() + static_cast<std::ptrdiff_t>(message_at) + 45)
                            .second);
          }
        }
        if (vlan != 0) frame.erase(frame.begin() + 12, frame.begin() + 16);  // the stub knows none
      }
      server.take(out, now_ns);
    }
    EXPECT_EQ(client.figures().partial, "");
    EXPECT_GT(ids.size(), 500u);
  }
}

std::uint64_t resident_kib() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t pages = 0;
  file >> pages >> pages;
  return pages * static_cast<std::uint64_t>(getpagesize()) / 1024;
}

TEST(LoadAccounts, ALongRunTakesNoMoreMemoryThanAShortOne) {
#ifdef __SANITIZE_ADDRESS__  // whose allocator keeps for a while what was freed: for the rest a tenth will do
  constexpr std::uint32_t kMillis = 220;
#else
  constexpr std::uint32_t kMillis = 2'200;
#endif
  LoadOptions options = load_options();
  options.schedule = LoadSchedule::poisson(500'000, 5);
  options.measured_ns = kMillis * kMilli;
  LoadRig rig(options);
  rig.keep_sent = false;
  rig.exchange.answers_kept = 1'000;
  ASSERT_TRUE(rig.get_ready());
  rig.client.start();
  while (rig.client.progress().sent < 100'000) ASSERT_TRUE(rig.step());
  [[maybe_unused]] const std::uint64_t before_kib = resident_kib();
  while (rig.step()) {
  }
  const LoadFigures& figures = rig.client.figures();
  EXPECT_EQ(figures.partial, "");
  EXPECT_GT(figures.sent, 478u * kMillis) << "500 a millisecond";
  EXPECT_EQ(figures.answered, figures.sent);
  EXPECT_EQ(figures.lost, 0u);
#ifndef __SANITIZE_ADDRESS__
  EXPECT_LE(resident_kib(), before_kib + 4'096) << "a million orders more, a tenth of them at 200 bytes would show";
#endif
}

TEST(LoadAccounts, AWindowHasItsOrdersOutstandingAndNoMore) {
  LoadOptions options = load_options();
  options.schedule.reset();
  options.window = 7;
  options.mix.resting = 0;
  LoadRig rig(options);
  ASSERT_TRUE(rig.get_ready());
  rig.client.start();
  while (rig.client.progress().sent < 1'000) rig.step();
  EXPECT_EQ(rig.exchange.most_outstanding, 7u);
  while (rig.step()) {
  }
  const LoadFigures& figures = rig.client.figures();
  EXPECT_EQ(figures.partial, "");
  EXPECT_EQ(figures.of(LoadLatency::ack).max(), 5 * kUs);
  EXPECT_NEAR(figures.rate_answered(), 7 / 5e-6, 1'000) << "seven each five microseconds";
}

TEST(LoadFailures, RejectsOfOrdersThatWereNotSentYetAreNoAnswers) {
  LoadOptions options = load_options();
  options.schedule.reset();
  options.window = 7;
  options.mix.resting = 0;
  LoadRig rig(options);
  rig.exchange.faults.reject_ahead = 100;
  const LoadFigures& figures = rig.run_all();
  EXPECT_EQ(figures.partial, "");
  EXPECT_GT(figures.sent, 10'000u) << "what nobody waits for must not be counted as answered";
  EXPECT_EQ(figures.lost, 0u);
}

/// All that comes goes back with its MAC addresses swapped, as dpdk-testpmd's macswap does.
TEST(LoadFloors, CanBeAMirror) {
  LoadOptions options = load_options();
  options.floor = true;
  MemoryRxPort rx;
  MemoryTxPort tx;
  LoadClient client(options, rx, tx);
  std::vector<FrameBytes> back;
  TimeNs now_ns = kMilli;
  bool goes_on = true;
  for (bool started = false; goes_on; now_ns += kUs) {
    rx.push_burst(now_ns, std::exchange(back, {}));
    goes_on = client.poll();
    if (client.ready() && !std::exchange(started, true)) client.start();
    for (MemoryTxPort::Sent& sent : tx.take_frames()) {
      std::swap_ranges(sent.bytes.begin(), sent.bytes.begin() + 6, sent.bytes.begin() + 6);
      back.push_back(std::move(sent.bytes));
    }
  }
  const LoadFigures& figures = client.figures();
  EXPECT_EQ(figures.partial, "");
  EXPECT_EQ(figures.answered, 1'000u);
  EXPECT_EQ(figures.lost, 0u);
  EXPECT_EQ(figures.of(LoadLatency::ack).max(), 1 * kUs);
}

// --- what goes wrong -------------------------------------------------------------------------------------------------

TEST(LoadFailures, NobodyThere) {
  LoadRig rig(load_options());
  rig.step_ns = 50 * kUs;
  rig.exchange.faults.no_arp = true;
  EXPECT_NE(rig.run_all().partial.find("nobody answers ARP for 10.99.0.1"), std::string::npos);
}

TEST(LoadFailures, ARefusedLogin) {
  LoadRig rig(load_options());
  rig.exchange.faults.refuse_logins = true;
  EXPECT_NE(rig.run_all().partial.find("login is refused (A)"), std::string::npos);
}

TEST(LoadFailures, ALoginThatIsPutOffIsSentAgain) {
  LoadRig rig(load_options());
  rig.step_ns = 50 * kUs;
  rig.exchange.faults.put_off_logins = 20;
  EXPECT_TRUE(rig.get_ready()) << rig.client.figures().partial;
}

TEST(LoadFailures, ALoginThatIsPutOffForEverEndsWithTheServersWord) {
  LoadRig rig(load_options());
  rig.step_ns = 50 * kUs;
  rig.exchange.faults.put_off_logins = 1'000'000;
  const std::string partial = rig.run_all().partial;
  EXPECT_NE(partial.find("puts a login off and says: taken over"), std::string::npos) << partial;
}

TEST(LoadFailures, ASessionThatIsGoneEndsTheRunWithTheServersWord) {
  LoadRig rig(load_options());
  ASSERT_TRUE(rig.get_ready());
  rig.exchange.faults.sessions_gone_ns = rig.now_ns + 100 * kMilli;
  const LoadFigures figures = rig.run();
  EXPECT_NE(figures.partial.find("has no session of ours any more (silent)"), std::string::npos) << figures.partial;
  EXPECT_GT(figures.lost, 0u);
}

TEST(LoadFailures, AnotherProtocol) {
  LoadRig rig(load_options());
  rig.step_ns = 50 * kUs;
  rig.exchange.faults.other_protocol = true;
  EXPECT_NE(rig.run_all().partial.find("is not an order session's"), std::string::npos);
}

TEST(LoadFailures, AnExchangeThatDoesNotTakeTheOrdersToFillItsBooks) {
  LoadRig rig(load_options());
  rig.step_ns = 50 * kUs;
  rig.exchange.faults.ignore = {1, 2};
  const LoadFigures& figures = rig.run_all();
  EXPECT_NE(figures.partial.find("2 of the 100 orders to fill the books had no answer"), std::string::npos)
      << figures.partial;
  EXPECT_EQ(figures.sent, 0u);
}

TEST(LoadFailures, AServerThatDiesLeavesAPartialReport) {
  LoadOptions options = load_options();
  options.measured_ns = 15'000 * kMilli;
  options.schedule = LoadSchedule::constant(1'000);
  LoadRig rig(options);
  ASSERT_TRUE(rig.get_ready());
  rig.step_ns = 50 * kUs;
  rig.exchange.faults.dead_from_ns = rig.now_ns + 2'000 * kMilli;
  const LoadFigures& figures = rig.run();
  EXPECT_NE(figures.partial.find("has sent nothing for 10 s"), std::string::npos) << figures.partial;
  EXPECT_NEAR(static_cast<double>(figures.answered), 1'999, 3);
  EXPECT_NEAR(static_cast<double>(figures.lost), 10'000, 5);
  EXPECT_EQ(figures.not_sent, 0u) << "the rest was not due yet";
  EXPECT_EQ(to_text(figures, {}).rfind("PARTIAL ", 0), 0u);
  EXPECT_NE(to_json(figures).find("\"partial\": \"the server"), std::string::npos);
}

TEST(LoadFailures, AServerThatDiesShortlyBeforeTheEndIsNoSuccess) {
  LoadOptions options = load_options();
  options.measured_ns = 2'000 * kMilli;
  options.schedule = LoadSchedule::constant(1'000);
  LoadRig rig(options);
  ASSERT_TRUE(rig.get_ready());
  rig.step_ns = 50 * kUs;
  rig.exchange.faults.dead_from_ns = rig.now_ns + 1'800 * kMilli;
  const LoadFigures& figures = rig.run();
  EXPECT_GT(figures.lost, 100u);
  EXPECT_LT(figures.lost, 300u);
  EXPECT_EQ(figures.partial.find("the server has sent nothing for 5 s; it is gone, or the link is: "), 0u)
      << figures.partial;
  EXPECT_NE(figures.partial.find(" orders (10 %) had no answer"), std::string::npos) << figures.partial;
}

TEST(LoadFailures, MostOrdersLostIsNoSuccessAndALessShareIsTold) {
  LoadOptions options = load_options();
  LoadRig few(options);
  few.step_ns = 50 * kUs;
  few.exchange.faults.ignore = {200, 201, 202};
  EXPECT_EQ(few.run_all().partial, "");
  EXPECT_NE(few.client.figures().losses.find(" orders (1 %) had no answer; see the other side's drops"),
            std::string::npos)
      << few.client.figures().losses;
  LoadRig most(options);
  most.step_ns = 50 * kUs;
  for (std::uint32_t ref = 101; ref < 2'000; ++ref) most.exchange.faults.ignore.insert(ref);
  EXPECT_NE(most.run_all().partial.find("had no answer"), std::string::npos) << most.client.figures().partial;
}

TEST(LoadFailures, ALongPauseBeforeTheStartIsNoSilence) {
  LoadRig rig(load_options());
  ASSERT_TRUE(rig.get_ready());
  rig.client.start();
  rig.now_ns += 5'000 * kMilli;
  while (rig.step()) {
  }
  EXPECT_EQ(rig.client.figures().partial, "");
}

TEST(LoadFailures, ARateThatThePortDoesNotTakeIsNotReported) {
  LoadRig rig(load_options());
  ASSERT_TRUE(rig.get_ready());
  rig.client.start();
  std::size_t steps = 0;
  do {
    if (steps % 1'000 == 0) rig.tx.set_room(5);  // 5,000 frames a second
    ++steps;
  } while (rig.step());
  const LoadFigures& figures = rig.client.figures();
  EXPECT_NE(figures.partial.find("the rate was not reached"), std::string::npos) << figures.partial;
  EXPECT_LT(figures.rate_achieved(), 6'000);
  EXPECT_GT(figures.late, 0u);
}

TEST(LoadFailures, AnInterruptionWaitsForWhatIsUnderWay) {
  LoadRig rig(load_options());
  ASSERT_TRUE(rig.get_ready());
  rig.client.start();
  while (rig.client.progress().sent < 500) rig.step();
  rig.client.stop("interrupted");
  while (rig.step()) {
  }
  EXPECT_EQ(rig.client.figures().partial, "interrupted");
  EXPECT_EQ(rig.client.figures().lost, 0u);
  EXPECT_EQ(rig.client.figures().answered, rig.client.figures().sent);
}

// --- captures --------------------------------------------------------------------------------------------------------

/// The path of a file that no other process has.
std::string own_file(const std::string& name) {
  return fmt::format("{}crosswire-load-{}-{}", testing::TempDir(), getpid(), name);
}

/// A capture of two clients, one of which never logs in; the orders of the other are 3 ms apart.
std::string some_capture() {
  const std::string path = own_file("capture.pcap");
  CaptureWriter writer(path);
  test::Client ann, stranger;
  stranger.port = 40'009;
  std::int64_t at_ns = 1'700'000'000'000'000'000;
  const auto write = [&writer, &at_ns](const test::Payload& frame) { writer.write(at_ns, frame); };
  write(test::arp_frame(ann));
  write(test::login_frame(ann, "ANN", "secret"));
  for (std::uint32_t number = 1; number <= 50; ++number) {
    at_ns += 3'000'000;
    write(test::data_frame(ann, number,
                           {number % 5 == 0 ? test::cancel_message(number - 1) : test::enter_message(number)}));
    write(test::data_frame(stranger, number, {test::enter_message(number)}));
  }
  write(test::udp_frame(ann, test::kOrderPort, test::soup_packet('R')));
  EXPECT_EQ(writer.close(), "");
  return path;
}

TEST(LoadCaptures, AreSentAgainAsTheyWere) {
  const std::string path = some_capture();
  const LoadCaptureFile file = read_load_capture(path, test::kOrderPort);
  std::remove(path.c_str());
  ASSERT_EQ(file.parties.size(), 1u);
  EXPECT_EQ(file.parties[0].user, "ANN");
  EXPECT_EQ(file.parties[0].port, 40'000);
  ASSERT_EQ(file.orders.payloads.size(), 50u);
  EXPECT_EQ(file.orders.due_ns.back(), 49u * 3 * kMilli);

  LoadOptions options = load_options();
  options.capture = &file.orders;
  options.parties = file.parties;
  options.schedule.reset();
  options.measured_ns = file.orders.due_ns.back() + 1;
  LoadRig rig(options);
  const LoadFigures& figures = rig.run_all();
  EXPECT_EQ(figures.partial, "");
  EXPECT_EQ(figures.sent, 50u);
  EXPECT_EQ(figures.answered, 50u);
  EXPECT_EQ(figures.of(LoadLatency::ack).max(), 5 * kUs);
  std::uint32_t number = 0;
  for (const FrameBytes& frame : rig.sent) {
    if (frame[12] == 0x08 && frame[13] == 0x06) continue;
    if (frame[42] == 0) continue;
    ++number;
    const test::Payload message = number % 5 == 0 ? test::cancel_message(number - 1) : test::enter_message(number);
    const test::Payload payload(frame.begin() + 42, frame.end());
    EXPECT_EQ(payload, test::mold_packet(number, {message}));
  }
  EXPECT_EQ(number, 50u);
}

TEST(LoadCaptures, GiveTheirGaps) {
  const std::string path = some_capture();
  const std::vector<std::uint64_t> gaps = read_gaps(path);
  std::remove(path.c_str());
  EXPECT_EQ(gaps.size(), 102u);
  EXPECT_EQ(std::accumulate(gaps.begin(), gaps.end(), std::uint64_t{0}), 50u * 3 * kMilli);
}

TEST(LoadCaptures, WithoutOrdersOfAClientThatLogsInAreRefused) {
  const std::string path = some_capture();
  EXPECT_THROW(read_load_capture(path, 1), std::runtime_error);
  std::remove(path.c_str());
  EXPECT_THROW(read_load_capture(path, test::kOrderPort), std::runtime_error);
  EXPECT_THROW(read_gaps(path), std::runtime_error);
}

// --- reports ---------------------------------------------------------------------------------------------------------

LoadFigures some_figures(std::uint64_t count) {
  LoadFigures figures;
  figures.measured_ns = kNsPerSecond;
  figures.intervals.resize(kLoadIntervals);
  for (std::uint64_t i = 1; i <= count; ++i) {
    figures.of(LoadLatency::ack).record(i);
    figures.intervals[i % kLoadIntervals].record(i);
  }
  return figures;
}

TEST(LoadReports, SayOnlyThePercentilesThatTheCountAllows) {
  const std::string few = to_text(some_figures(120), {});
  const std::string row = few.substr(few.find("order_to_ack"));
  EXPECT_EQ(row,
            "order_to_ack                 120       0.06       0.11          -          -          -       0.12\n");
}

TEST(LoadReports, SayOverTcpWhatBecameOfConnectionsAndSegments) {
  LoadFigures figures = some_figures(120);
  EXPECT_EQ(to_json(figures).find("\"tcp\""), std::string::npos);
  EXPECT_EQ(to_text(figures, {}).find("\ntcp "), std::string::npos);
  figures.tcp = {.connections = 500,
                 .lost = 1,
                 .segments_sent = 12'000,
                 .segments_received = 9'000,
                 .retransmitted = 7,
                 .timeouts = 2,
                 .out_of_order = 5,
                 .repeated = 3};
  EXPECT_NE(to_text(figures, {})
                .find("\ntcp          500 connections, 1 lost; of 12 000 segments 7 sent again, 2 "
                      "time-outs; of 9 000 that came 5 out of order, 3 twice\n"),
            std::string::npos);
  EXPECT_NE(to_json(figures).find(R"("tcp": {"connections": 500, "lost": 1, "segments_sent": 12000, )"
                                  R"("segments_received": 9000, "retransmitted": 7, "timeouts": 2, )"
                                  R"("out_of_order": 5, "repeated": 3},)"),
            std::string::npos);
}

TEST(LoadReports, CanBeReadBackToStandBesideAnother) {
  const std::string path = own_file("floor.json");
  ASSERT_EQ(write_file(path, to_json(some_figures(60))), "");
  const LoadBeside beside = read_beside(path);
  std::remove(path.c_str());
  EXPECT_EQ(beside.at("order_to_ack").at("p50"), 30);
  EXPECT_EQ(beside.at("order_to_ack").at("max"), 60);
  EXPECT_EQ(beside.at("order_to_ack").count("p99"), 0u);
  const std::string text = to_text(some_figures(120), beside);
  EXPECT_NE(text.find("  above the floor"), std::string::npos);
  EXPECT_NE(text.find("0.03"), std::string::npos) << text;
}

TEST(LoadReports, RefuseAFileThatIsNone) {
  const std::string path = own_file("none.json");
  ASSERT_EQ(write_file(path, "{}\n"), "");
  EXPECT_THROW(read_beside(path), std::runtime_error);
  std::remove(path.c_str());
  EXPECT_THROW(read_beside(path), std::runtime_error);
}

TEST(LoadReports, ThePercentileTextEndsAtAllOfTheCount) {
  const std::string text = to_hgrm(some_figures(5'000).of(LoadLatency::ack));
  EXPECT_EQ(text.rfind("       Value", 0), 0u);
  EXPECT_NE(text.find("\n       5.000 1.000000000000       5000\n"), std::string::npos) << text;
  EXPECT_NE(text.find("#[Max     =        5.000, Total count    =         5000]\n"), std::string::npos);
  EXPECT_EQ(text.substr(text.size() - 26), "#[Unit    = microseconds]\n");
  double last = -1;
  std::size_t lines = 0;
  for (std::size_t at = text.find("\n\n") + 2; text[at] != '#'; at = text.find('\n', at) + 1, ++lines) {
    const double percentile = std::strtod(text.c_str() + at + 12, nullptr);
    EXPECT_GT(percentile, last);
    last = percentile;
  }
  EXPECT_EQ(last, 1);
  EXPECT_GT(lines, 20u);
}

// --- the command line ------------------------------------------------------------------------------------------------

/// What `crosswire load` with `arguments` says where it ends with 1 before it has a device; else "exit status N".
std::string failure_of(const std::vector<std::string>& arguments) {
  std::vector<const char*> words = {"crosswire", "load"};
  for (const std::string& argument : arguments) words.push_back(argument.c_str());
  testing::internal::CaptureStderr();
  const int exit_code = command_line(static_cast<int>(words.size()), words.data());
  const std::string said = testing::internal::GetCapturedStderr();
  return exit_code == 1 ? said : "exit status " + std::to_string(exit_code);
}

TEST(LoadCommand, WritesNoFileTwiceAndOverNoneThatItReads) {
  std::string name = (std::filesystem::temp_directory_path() / "crosswire-load-XXXXXX").string();
  const std::filesystem::path folder = mkdtemp(name.data());
  const std::string config = folder / "c.toml";
  std::ofstream(config) << R"([port]
address = "10.99.0.1"
)" << test::kSymbolTable << test::kAnnTable;
  chmod(config.c_str(), 0600);
  const std::string x = folder / "x", ack = folder / "x-ack.hgrm";
  const auto expect = [&](std::vector<std::string> files, const std::string& what) {
    files.insert(files.begin(), {"--config", config, "--device", "net_nowhere0"});
    const std::string said = failure_of(files);
    EXPECT_NE(said.find(what), std::string::npos) << said;
    EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
  };
  expect({"--json", x, "--svg", x}, "x: is written twice; give each output a file of its own");
  expect({"--hgrm", x, "--svg", ack}, "x-ack.hgrm: is written twice");
  expect({"--json", config}, "c.toml would be overwritten");
  expect({"--json", x, "--capture", x}, "x would be overwritten");
  expect({"--json", x, "--gaps", x}, "x would be overwritten");
  expect({"--json", x, "--beside", x}, "x would be overwritten");
  EXPECT_FALSE(std::filesystem::exists(x));
  std::filesystem::remove_all(folder);
}

TEST(LoadCommand, TradesOnlyWhereThatIsMeant) {
  const test::Folder folder;
  const std::string config =
      folder.write("c.toml", fmt::format("[port]\naddress = \"10.99.0.1\"\n{}{}", test::kSymbolTable, test::kAnnTable));
  const std::vector<std::string> run = {"--config", config, "--device", "net_nowhere0"};
  const auto with = [&run](std::vector<std::string> more) {
    more.insert(more.begin(), run.begin(), run.end());
    return more;
  };
  const std::string said = failure_of(with({"--json", folder.file("x.json")}));
  EXPECT_NE(said.find("crosswire load: would log in to the appliance behind net_nowhere0 with account "),
            std::string::npos)
      << said;
  EXPECT_NE(said.find("give --yes-trade if that is meant"), std::string::npos) << said;
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
  EXPECT_FALSE(std::filesystem::exists(folder.file("x.json.part")));
  // Meant, or against an echo that knows no accounts, it goes on to the device; which these tests do not start.
  EXPECT_EQ(failure_of(with({"--yes-trade", "--json", "/nowhere/x"})).find("would log in"), std::string::npos);
  EXPECT_EQ(failure_of(with({"--floor", "--json", "/nowhere/x"})).find("would log in"), std::string::npos);
}

TEST(LoadCommand, OverTcpIsOneStationOfTwoThousandConnectionsAtMost) {
  const test::Folder folder;
  std::string accounts;
  for (int i = 0; i < 2'001; ++i) {
    const int third = i == 1 ? 2 : 1;
    accounts += fmt::format(
        "[[account]]\nuser = \"U{:05}\"\npassword = \"x\"\nfirm = \"F{:03}\"\nsources = [\"10.99.{}.7/32\"]\n", i,
        i % 1'000, third);
  }
  const std::string config =
      folder.write("c.toml", fmt::format("[port]\naddress = \"10.99.0.1\"\n{}{}", test::kSymbolTable, accounts));
  const auto with = [&config](std::vector<std::string> more) {
    more.insert(more.begin(), {"--config", config, "--device", "net_nowhere0", "--transport", "tcp"});
    return failure_of(more);
  };
  EXPECT_EQ(with({"--sessions", "2001"}),
            "crosswire load: --transport tcp: 2001 sessions; 2000 connections are the most\n");
  EXPECT_EQ(with({"--sessions", "2"}),
            "crosswire load: --transport tcp: U00000 would come from 10.99.1.7, and U00001 from 10.99.2.7; give the "
            "accounts one source, or --address\n");
  EXPECT_NE(with({"--sessions", "2", "--address", "10.99.1.7"}).find("would log in to the appliance"),
            std::string::npos);
  EXPECT_NE(with({"--sessions", "1"}).find("would log in to the appliance"), std::string::npos);

  const std::string deaf =
      folder.write("deaf.toml", fmt::format("[port]\naddress = \"10.99.0.1\"\n[orders]\ntcp_port = 0\n{}{}",
                                            test::kSymbolTable, test::kAnnTable));
  const std::string said = failure_of({"--config", deaf, "--device", "net_nowhere0", "--transport", "tcp"});
  EXPECT_NE(said.find("takes no orders over TCP; set [orders] tcp_port"), std::string::npos) << said;
}

}  // namespace
}  // namespace crosswire
