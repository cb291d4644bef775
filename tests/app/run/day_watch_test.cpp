// What the log says of a day: of clients, phases and tables, from a partition in virtual time.
#include "app/run/day_watch.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "app/run/log.hpp"
#include "netstack/port/memory_port.hpp"
#include "netstack/port/tsc_clock.hpp"
#include "tests/folder.hpp"
#include "tests/netstack/client_frames.hpp"

namespace crosswire::test {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

Config config() {
  Config config;
  config.net.mac = kOurMac;
  config.net.address = kOurAddress;
  config.net.order_session = kOrderSession;
  config.net.feed_session = kFeedSession;
  config.net.accounts = {{"ANN", "ann", {'A', 'N', 'N', ' '}, {}},
                         {"BOB", "bob", {'B', 'O', 'B', ' '}, {}},
                         {"FAR", "far", {'F', 'A', 'R', ' '}, {{0xC0A80101, 32}}}};
  config.net.schedule = {{kSecond, kAllSymbols, Phase::continuous}, {50 * kSecond, SymbolId{2}, Phase::halted}};
  config.net.messages_kept = 1024;
  config.net.feed_messages_kept = 1024;
  config.engine.symbols = {{{'A', 'A', 'A', ' ', ' ', ' ', ' ', ' '}, Price{100'0000}, 100},
                           {{'B', 'B', 'B', ' ', ' ', ' ', ' ', ' '}, Price{100'0000}, 100}};
  config.engine.sessions = 3;
  config.engine.risk.resize(3);
  config.engine.risk[0].limits[static_cast<std::size_t>(RiskLimit::order_quantity)] = 100'000;
  config.engine.risk[0].limits[static_cast<std::size_t>(RiskLimit::rejects_in_a_row)] = 3;
  config.engine.max_orders = config.engine.orders_per_account = 10;
  config.engine.max_levels = 1000;
  config.command_ring = 256;
  config.event_ring = 512;
  config.hugepages = HugepagePolicy::off;
  return config;
}

/// A partition, and a log of its own.
class Watched : public ::testing::Test {
 protected:
  Watched() : partition_(config(), {rx_, tx_, tx_}, TscClock::calibrated()) {
    log_begin({.file = folder_.file("log")});
    watch_.begin_day(partition_);
  }
  ~Watched() override { log_begin({}); }

  void take(TimeNs time_ns, std::vector<FrameBytes> frames) {
    rx_.push_burst(time_ns, std::move(frames));
    while (partition_.round()) {
    }
  }
  /// What the log got since the last look, without times, lines ended.
  std::string look(std::uint64_t now_ns = 0) {
    watch_.look("one", partition_, nullptr, now_ns);
    std::ifstream file(folder_.file("log"));
    file.seekg(read_);
    std::string text;
    for (std::string line; std::getline(file, line);) {
      read_ += static_cast<std::streamoff>(line.size() + 1);
      text += line.substr(line.find(' ') + 1) + "\n";
    }
    return text;
  }
  FrameBytes order(std::uint32_t number, std::uint32_t quantity = 100) {
    wire::ouch::EnterOrder enter = enter_fields(number);
    enter.side = 'B';
    enter.quantity = quantity;
    enter.price = 90'0000;
    return data_frame(ann_, number, {with_options(bytes(enter), {})});
  }

  Folder folder_;
  MemoryRxPort rx_;
  MemoryTxPort tx_;
  Partition partition_;
  DayWatch watch_;
  std::streamoff read_ = 0;
  Client ann_{.mac = {2, 0, 0, 0, 1, 1}, .address = 0x0A630064, .port = 40000};
  Client bob_{.mac = {2, 0, 0, 0, 1, 2}, .address = 0x0A630065, .port = 40001};
};

TEST_F(Watched, IsToldOfLoginsAndHowSessionsEnd) {
  EXPECT_EQ(look(), "");
  take(0, {login_frame(ann_, "ann", "ann")});
  EXPECT_EQ(partition_.receive().sessions_open(), 1u);
  EXPECT_EQ(look(), "info a client has logged in partition=one user=ANN source=10.99.0.100:40000\n");
  take(1, {login_frame(ann_, "ann", "ann")});
  EXPECT_EQ(look(), "") << "it is bound to that source";
  take(2, {login_frame(bob_, "ann", "ann")});
  EXPECT_EQ(look(),
            "warning a login has taken a session over from another source partition=one user=ANN "
            "source=10.99.0.101:40001\n");
  take(3, {login_frame(bob_, "bob", "bob")});
  EXPECT_EQ(look(),
            "warning a session is closed because another account has logged in from its source partition=one user=ANN "
            "source=10.99.0.101:40001\n"
            "info a client has logged in partition=one user=BOB source=10.99.0.101:40001\n");
  EXPECT_EQ(partition_.receive().sessions_open(), 1u);
  take(4, {udp_frame(bob_, kOrderPort, soup_packet('O'))});
  EXPECT_EQ(look(), "info a client has logged out partition=one user=BOB source=10.99.0.101:40001\n");
  take(6 * kSecond, {login_frame(ann_, "ann", "ann")});  // sooner it might be an old datagram that comes late
  look();
  for (TimeNs second = 7; second < 40; ++second) take(second * kSecond, {});
  EXPECT_NE(look().find("warning a session is closed because nothing was heard of its client partition=one user=ANN "
                        "source=10.99.0.100:40000\n"),
            std::string::npos);
  EXPECT_EQ(partition_.receive().sessions_open(), 0u);
}

TEST_F(Watched, IsToldWhoIsRefusedAndWhy) {
  // One of each station: a station is answered once a second.
  Client third = bob_;
  third.mac = {2, 0, 0, 0, 1, 3};
  take(0, {login_frame(ann_, "ann", "wrong"), login_frame(bob_, "who?", "x"), login_frame(third, "ann", "ann", "NONE"),
           login_frame(ann_, "far", "far")});
  EXPECT_EQ(look(),
            "warning a login is refused partition=one user=ann source=10.99.0.100:40000 "
            "reason=\"user or password is wrong\"\n"
            "warning a login is refused partition=one user=who? source=10.99.0.101:40001 "
            "reason=\"user or password is wrong\"\n"
            "warning a login is refused partition=one user=ann source=10.99.0.101:40001 "
            "reason=\"names another session\"\n"
            "warning a login is refused partition=one user=FAR source=10.99.0.100:40000 "
            "reason=\"the account does not allow the address\"\n");
}

TEST_F(Watched, IsToldOfPhasesAndHowManySymbolsHaveThem) {
  take(0, {});
  EXPECT_EQ(look(), "");
  take(2 * kSecond, {});
  EXPECT_EQ(look(), "info the phase has changed partition=one symbols=\"continuous 2\" before=\"pre_open 2\"\n");
  take(60 * kSecond, {});
  EXPECT_EQ(look(),
            "info the phase has changed partition=one symbols=\"continuous 1, halted 1\" before=\"continuous 2\"\n");
}

TEST_F(Watched, IsToldOnceThatATableFillsIsFullAndHasRoomAgain) {
  take(0, {login_frame(ann_, "ann", "ann")});
  take(2 * kSecond, {});
  for (std::uint32_t n = 1; n <= 7; ++n) take(2 * kSecond, {order(n)});
  look();
  take(2 * kSecond, {order(8)});
  EXPECT_EQ(look(), "warning a table fills partition=one table=live_orders used=8 of=10\n");
  take(2 * kSecond, {order(9)});
  EXPECT_EQ(look(), "");
  take(2 * kSecond, {order(10)});
  EXPECT_EQ(look(),
            "error a table is full; orders that need room in it are rejected partition=one table=live_orders "
            "used=10 of=10\n");
  const auto cancel = [this](std::uint32_t number) { return data_frame(ann_, 10 + number, {cancel_message(number)}); };
  for (std::uint32_t n = 1; n <= 3; ++n) take(2 * kSecond, {cancel(n)});
  EXPECT_EQ(look(), "") << "70 % is no room yet";
  take(2 * kSecond, {cancel(4)});
  EXPECT_EQ(look(), "info a table has room again partition=one table=live_orders used=6 of=10\n");
}

TEST_F(Watched, IsToldWhomWhichBreakerHasStopped) {
  take(kSecond, {login_frame(ann_, "ann", "ann")});
  look();
  for (std::uint32_t n = 1; n <= 2; ++n) take(2 * kSecond, {order(n, 100'001)});
  EXPECT_EQ(look().find("breaker"), std::string::npos);
  for (std::uint32_t n = 3; n <= 5; ++n) take(2 * kSecond, {order(n, 100'001)});
  EXPECT_EQ(look(), "warning an account is stopped by its breaker partition=one user=ANN breaker=rejects_in_a_row\n");
  EXPECT_EQ(look(), "");
}

TEST_F(Watched, WritesNoMoreLinesThanTheirAllowanceAndTellsOfTheRest) {
  const auto lines = [](const std::string& text, const std::string& with) {
    std::size_t n = 0;
    for (std::size_t at = text.find(with); at != std::string::npos; at = text.find(with, at + 1)) ++n;
    return n;
  };
  constexpr std::size_t kRounds = 2'000;
  std::string text;
  for (std::size_t i = 0; i < kRounds; ++i) {
    take(0, {login_frame(ann_, "ann", "ann"), udp_frame(ann_, kOrderPort, soup_packet('O'))});
    text += look(0);
  }
  EXPECT_EQ(lines(text, "a client has logged in"), DayWatch::kOfAccount / 2);
  EXPECT_EQ(lines(text, "a client has logged out"), DayWatch::kOfAccount / 2);
  EXPECT_GE(lines(text, "more lines of a kind are left out"), 1u);
  text = look(LineAllowance::kTellEveryNs);
  EXPECT_NE(text.find("more lines of a kind are left out partition=one kind=sessions lines="), std::string::npos)
      << text;
  // It is another's flood.
  take(0, {login_frame(bob_, "bob", "bob")});
  EXPECT_EQ(lines(look(LineAllowance::kTellEveryNs), "user=BOB"), 1u);
}

TEST_F(Watched, WritesARefusedNameAsPlainLetters) {
  take(0, {login_frame(ann_, "\xc2\x9b\\J", "x")});
  EXPECT_NE(look().find("user=\\xc2\\x9b\\x5cJ "), std::string::npos);
}

TEST_F(Watched, CountsTheNewsThatNobodyTook) {
  constexpr std::uint64_t kRounds = SessionNewsRing::kNews;
  for (std::uint64_t i = 0; i < kRounds; ++i) {
    take(0, {login_frame(ann_, "ann", "ann"), udp_frame(ann_, kOrderPort, soup_packet('O'))});
  }
  // Beyond these the account's logins are refused, and that without a word.
  const std::uint64_t lost = 2 * kLoginsAtOnce - SessionNewsRing::kOfAccount;
  EXPECT_EQ(partition_.receive().session_news_lost(), lost);
  EXPECT_NE(look().find(
                fmt::format("warning more lines of a kind are left out partition=one kind=sessions lines={}\n", lost)),
            std::string::npos);
  // Strangers have half of the ring, and others' news still come through.
  for (std::uint64_t i = 0; i < 2 * SessionNewsRing::kNews; ++i) {
    Client stranger = bob_;
    stranger.mac = {2, 1, 0, 0, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)};
    take(0, {login_frame(stranger, "far", "far")});
  }
  EXPECT_EQ(partition_.receive().session_news_lost(), lost + 2 * SessionNewsRing::kNews - SessionNewsRing::kNews / 2);
  take(0, {login_frame(bob_, "bob", "bob")});
  EXPECT_NE(look().find("info a client has logged in partition=one user=BOB"), std::string::npos);
}

TEST(LineAllowanceOfOneKind, GivesManyAtOnceAndOneEachTenSecondsFromThenOn) {
  LineAllowance allowance;
  for (std::uint64_t i = 0; i < LineAllowance::kAtOnce; ++i) ASSERT_TRUE(allowance.take(5));
  EXPECT_FALSE(allowance.take(5));
  EXPECT_FALSE(allowance.take(5 + LineAllowance::kEachNs - 1));
  EXPECT_TRUE(allowance.take(5 + LineAllowance::kEachNs));
  EXPECT_FALSE(allowance.take(5 + LineAllowance::kEachNs));
  EXPECT_EQ(allowance.left_out(5 + LineAllowance::kEachNs), 3u);
  EXPECT_FALSE(allowance.take(6 + LineAllowance::kEachNs));
  EXPECT_EQ(allowance.left_out(6 + LineAllowance::kEachNs), 0u) << "it was told a moment ago";
  EXPECT_EQ(allowance.left_out(5 + LineAllowance::kEachNs + LineAllowance::kTellEveryNs), 1u);
}

}  // namespace
}  // namespace crosswire::test
