// Inputs on which sessions fell short, on the whole appliance in virtual time: old logins that come late, floods of
// re-requests and queries, a client behind two routers, and one that was silent.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "app/partition/partition.hpp"
#include "netstack/port/memory_port.hpp"
#include "tests/netstack/client_frames.hpp"
#include "tests/netstack/transmit/transmit_fixture.hpp"

namespace crosswire::test {
namespace {

using crosswire::testing::read_frame;
using crosswire::testing::read_packet;
using crosswire::testing::ReadFrame;
using crosswire::testing::ReadPacket;
namespace soup = wire::soup;

constexpr TimeNs kStart = 9 * 3600 * kNsPerSecond;
constexpr TimeNs kMs = 1'000'000;

/// A frame to a client, and when it left.
struct Told {
  TimeNs after_ns;  // since the start
  ReadFrame frame;
};

class Faults : public ::testing::Test {
 protected:
  Faults() {
    config_.net.mac = kOurMac;
    config_.net.address = kOurAddress;
    config_.net.order_session = kOrderSession;
    config_.net.feed_session = kFeedSession;
    config_.net.start_ns = kStart;
    config_.net.accounts = {{"ALPHA", "secret1", {'A', 'L', 'F', 'A'}, {}},
                            {"BRAVO", "secret2", {'B', 'R', 'V', 'O'}, {}}};
    config_.net.schedule = {{kStart, kAllSymbols, Phase::continuous}};
    config_.engine.symbols = {{{'A', 'A', 'A', ' ', ' ', ' ', ' ', ' '}, Price{100'0000}, 100}};
    config_.engine.sessions = 2;
    config_.engine.max_orders = 4096;
    config_.engine.max_levels = 1024;
    config_.hugepages = HugepagePolicy::off;
  }

  /// Frames of one burst, `after_ns` since the start.
  void send(TimeNs after_ns, std::vector<FrameBytes> frames) {
    rx_.push_burst(kStart + after_ns, std::move(frames));
    last_ns_ = after_ns;
  }
  void log_in(TimeNs after_ns, const Client& client) { send(after_ns, {login(client)}); }
  static FrameBytes login(const Client& client) { return login_frame(client, "ALPHA", "secret1"); }

  /// Runs to an end some seconds behind the last frame, and keeps what was sent to clients.
  void run() {
    static const TscClock clock = TscClock::calibrated();
    MemoryTxPort tx;
    rx_.end(kStart + last_ns_ + 3 * kNsPerSecond);
    Partition partition(config_, {rx_, tx, tx}, clock);
    for (unsigned idle = 0; !partition.finished() && idle < 1000;) idle = partition.round() ? 0 : idle + 1;
    for (const MemoryTxPort::Sent& sent : tx.take_frames()) {
      if (sent.origin.rank == 0) told_.push_back({sent.origin.time_ns - kStart, read_frame(sent.bytes)});
    }
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      counts_[i] = partition.receive().counters().get(static_cast<ReceiveCounter>(i));
    }
  }
  std::uint64_t count(ReceiveCounter counter) const { return counts_[static_cast<std::size_t>(counter)]; }

  /// What a client got between two times, one word each: the letter of a SoupBinTCP packet, `+` with its text, the
  /// letters of OUCH messages, `end`; no heartbeats.
  std::string heard(const Client& client, TimeNs from_ns, TimeNs to_ns) const {
    std::string all;
    for (const Told& told : told_) {
      if (told.after_ns < from_ns || told.after_ns >= to_ns || !is_to(told, client)) continue;
      const std::string word = word_of_frame(told.frame.payload);
      if (word != "heartbeat") all += (all.empty() ? "" : " ") + word;
    }
    return all;
  }

  static bool is_to(const Told& told, const Client& client) {
    return told.frame.to == client.address && told.frame.to_port == client.port &&
           std::equal(client.mac.begin(), client.mac.end(), told.frame.to_mac.begin());
  }

  static std::string word_of_frame(const Payload& payload) {
    if (payload.at(0) == 0) {
      const soup::Read packet = soup::read_datagram(payload);
      EXPECT_EQ(packet.status, soup::ReadStatus::packet) << "one packet a datagram";
      const bool has_text = packet.type == soup::PacketType::debug || packet.type == soup::PacketType::login_rejected;
      return static_cast<char>(packet.type) +
             (has_text ? std::string(packet.payload.begin(), packet.payload.end()) : std::string());
    }
    const ReadPacket packet = read_packet(payload);
    if (packet.count == 0xFFFF) return "end";
    if (packet.count == 0) return "heartbeat";
    std::string letters;
    for (const Payload& message : packet.messages) letters += static_cast<char>(message.at(0));
    return letters;
  }

  Config config_;
  std::vector<Told> told_;
  const Client first_{.mac = {2, 0, 0, 0, 1, 1}, .address = 0x0A63000B, .port = 30'001};
  const Client second_{.mac = {2, 0, 0, 0, 1, 2}, .address = 0x0A63000C, .port = 30'002};

 private:
  MemoryRxPort rx_;
  TimeNs last_ns_ = 0;
  std::array<std::uint64_t, kReceiveCounters.size()> counts_{};
};

TEST_F(Faults, ReplayedLogin16DoesNotTakeTheSessionBack) {
  const TimeNs second = kNsPerSecond;
  log_in(1 * second, first_);
  send(2 * second, {data_frame(first_, 1, {enter_message(1)})});
  log_in(3 * second, second_);
  log_in(3 * second + 50'000, first_);  // the old datagram, once more
  send(4 * second, {data_frame(second_, 1, {enter_message(2)})});
  log_in(8 * second - 1, first_);
  send(8 * second, {data_frame(second_, 2, {enter_message(3)})});
  log_in(9 * second, first_);  // a login like any other
  send(9 * second + kMs, {data_frame(first_, 1, {enter_message(4)})});
  run();
  EXPECT_EQ(heard(first_, 1 * second, 2 * second + kMs), "A A") << "of the login, and of the order";
  EXPECT_EQ(heard(first_, 3 * second, 3 * second + 1), "+taken over JS");
  EXPECT_EQ(heard(second_, 3 * second, 3 * second + 1), "A");
  EXPECT_EQ(heard(first_, 3 * second + 1, 9 * second), "+taken over JS +taken over JS");
  EXPECT_EQ(heard(second_, 4 * second, 4 * second + 1), "A") << "the order is taken";
  EXPECT_EQ(heard(second_, 8 * second, 8 * second + 1), "A");
  EXPECT_EQ(count(ReceiveCounter::login_late), 2u);
  EXPECT_EQ(heard(second_, 9 * second, 9 * second + 1), "+taken over JS");
  EXPECT_EQ(heard(first_, 9 * second, 9 * second + 2 * kMs), "A A");
}

TEST_F(Faults, OrderReRequests09aAreAnsweredAtARateAndAShareOfTheLink) {
  log_in(100 * kMs, first_);
  send(101 * kMs, {login_frame(second_, "BRAVO", "secret2")});
  std::uint32_t number = 1;
  for (unsigned datagram = 0; datagram < 4; ++datagram) {
    std::vector<Payload> orders;
    const std::uint32_t from = number;
    for (unsigned i = 0; i < 25; ++i) orders.push_back(enter_message(number++));
    send(200 * kMs + datagram * 1000, {data_frame(first_, from, orders)});
  }
  for (unsigned i = 0; i < 1000; ++i) {
    send(1000 * kMs + i * 1000, {udp_frame(first_, kOrderPort, mold_header(kOrderSession, 2, 65'534))});
  }
  send(1001 * kMs, {udp_frame(second_, kOrderPort, mold_header(kOrderSession, 1, 1))});
  run();
  std::size_t answers = 0, bytes = 0;
  for (const Told& told : told_) {
    const bool resent = told.after_ns >= 1000 * kMs && told.after_ns < 1001 * kMs && is_to(told, first_);
    answers += resent;
    bytes += resent ? told.frame.payload.size() : 0;
  }
  const std::uint32_t rate = config_.net.order_requests_per_second;
  EXPECT_GE(answers, rate / 10);
  EXPECT_LE(answers, rate / 10 + 1);
  EXPECT_LT(bytes, 1000 * 20u) << "less than what asked for it";
  EXPECT_EQ(count(ReceiveCounter::order_request_rate), 1000 - answers);
  EXPECT_EQ(heard(second_, 1001 * kMs, 1001 * kMs + 1), "S") << "and the other account has its answer";
}

TEST_F(Faults, AccountQueries09bOfOneBurstShareDatagrams) {
  constexpr std::size_t kQueries = 484;  // as many as one datagram holds
  log_in(100 * kMs, first_);
  for (std::uint64_t i = 0; i < 10; ++i) {
    const std::vector<Payload> queries(kQueries, query_message());
    send(1000 * kMs + i * 1000, {data_frame(first_, 1 + i * kQueries, queries)});
  }
  run();
  constexpr std::size_t kBlock = 2 + sizeof(wire::ouch::AccountQueryResponse) + 2;
  std::size_t frames = 0, not_full = 0;
  std::uint64_t next = 2;  // 1 is the day's start
  for (const Told& told : told_) {
    if (told.after_ns < 1000 * kMs || told.after_ns > 1001 * kMs || !is_to(told, first_)) continue;
    const ReadPacket packet = read_packet(told.frame.payload);
    EXPECT_EQ(packet.sequence, next);
    next += packet.messages.size();
    not_full += told.frame.payload.size() + kBlock <= kMaxUdpPayload;
    ++frames;
  }
  EXPECT_GT(next, 2u);
  EXPECT_LE(not_full, 10u) << "one a burst";
  EXPECT_LE(frames, 60u) << "for what 4,840 were";
}

TEST_F(Faults, TwoRouterMacs12IsDroppedUntoldAndNamed) {
  Client other_way = first_;
  other_way.mac = {2, 0, 0, 0, 1, 0x51};
  log_in(1000 * kMs, first_);
  for (std::uint32_t n = 1; n <= 10; ++n) {
    send(2000 * kMs + n * 10 * kMs, {data_frame(n % 2 == 1 ? first_ : other_way, n, {enter_message(n)})});
  }
  run();
  EXPECT_EQ(count(ReceiveCounter::order_source_changed), 5u);
  EXPECT_EQ(heard(first_, 2000 * kMs, 2150 * kMs), "A A A A A");
  EXPECT_EQ(heard(other_way, 0, 10 * kNsPerSecond), "");
  const std::string notice(kReceiveCounters[static_cast<std::size_t>(ReceiveCounter::order_source_changed)].meaning);
  EXPECT_NE(notice.find("two routers"), std::string::npos) << notice;
}

TEST_F(Faults, ASilentClientIsToldWhenItGoesAndWhenItSendsAgain) {
  log_in(50 * kMs, first_);
  send(16 * kNsPerSecond, {data_frame(first_, 1, {mass_cancel_message(1, "ALFA", "")})});
  send(17 * kNsPerSecond, {data_frame(first_, 2, {cancel_message(1)})});
  log_in(18 * kNsPerSecond, first_);
  run();
  EXPECT_EQ(heard(first_, 15 * kNsPerSecond + 1, 16 * kNsPerSecond), "+silent JS");
  EXPECT_EQ(heard(first_, 16 * kNsPerSecond, 16 * kNsPerSecond + 1), "+silent JS");
  EXPECT_EQ(heard(first_, 17 * kNsPerSecond, 17 * kNsPerSecond + 1), "+silent JS");
  EXPECT_EQ(heard(first_, 18 * kNsPerSecond, 18 * kNsPerSecond + 1), "A");
}

TEST_F(Faults, ASilentClientsOrdersGoButForThoseThatStayAndHeCanAskForWhatHeMissed) {
  const Payload stays = option(wire::ouch::Tag::stay_on_disconnect, {'Y'});
  log_in(50 * kMs, first_);
  send(100 * kMs, {data_frame(first_, 1, {enter_message(1), enter_message(2, stays)})});
  send(101 * kMs, {data_frame(first_, 3, {query_message()})});
  log_in(18 * kNsPerSecond, second_);
  send(18 * kNsPerSecond + kMs, {udp_frame(second_, kOrderPort, mold_header(kOrderSession, 1, 10))});
  send(18 * kNsPerSecond + 2 * kMs, {data_frame(second_, 1, {cancel_message(1), cancel_message(2)})});
  run();
  EXPECT_EQ(heard(first_, 15 * kNsPerSecond, 18 * kNsPerSecond), "+silent JS");
  EXPECT_EQ(heard(second_, 18 * kNsPerSecond + kMs, 18 * kNsPerSecond + kMs + 1), "SAAQC");
  EXPECT_EQ(heard(second_, 18 * kNsPerSecond + 2 * kMs, 19 * kNsPerSecond), "C")
      << "order 2 was there, order 1 was not";
}

/// Two orders, whose session is taken over, logged out of, and logged in to again; each is asked for in between.
class OrdersOfASession : public Faults {
 protected:
  std::string heard_by_the_second(SessionEndReasons cancel_on) {
    config_.engine.cancel_on = {cancel_on, kCancelOn};
    log_in(100 * kMs, first_);
    send(101 * kMs, {data_frame(first_, 1, {enter_message(1), enter_message(2)})});
    log_in(102 * kMs, second_);
    send(103 * kMs, {data_frame(second_, 1, {cancel_message(1)})});
    send(104 * kMs, {udp_frame(second_, kOrderPort, soup_packet('O'))});
    log_in(105 * kMs, second_);
    send(106 * kMs, {data_frame(second_, 1, {cancel_message(2)})});
    run();
    return heard(second_, 0, kNsPerSecond);
  }
};

TEST_F(OrdersOfASession, GoWithALogoutAndStayInATakeover) {
  EXPECT_EQ(heard_by_the_second(kCancelOn), "A C A") << "order 2 went, and nobody was there to be told";
}

TEST_F(OrdersOfASession, GoWithATakeoverBehindItsLoginIfTheAccountWantsIt) {
  EXPECT_EQ(heard_by_the_second(set_of({SessionEndReason::takeover})), "A C C A");
}

TEST_F(OrdersOfASession, StayIfTheAccountWantsNothingElse) { EXPECT_EQ(heard_by_the_second(0), "A C A C"); }

TEST_F(Faults, OnlyTheDaysEndIsAnEndForEver) {
  log_in(100 * kMs, first_);
  log_in(200 * kMs, second_);                                           // a takeover
  send(300 * kMs, {login_frame(second_, "BRAVO", "secret2")});          // another account from there
  send(400 * kMs, {udp_frame(second_, kOrderPort, soup_packet('O'))});  // a logout
  log_in(500 * kMs, second_);
  send(20 * kNsPerSecond, {login_frame(first_, "BRAVO", "secret2")});  // behind a silence
  run();
  for (const Told& told : told_) {
    const bool ends = word_of_frame(told.frame.payload) == "end";
    EXPECT_TRUE(!ends || told.after_ns >= 23 * kNsPerSecond);
  }
  EXPECT_NE(heard(first_, 20 * kNsPerSecond, 30 * kNsPerSecond).find("end"), std::string::npos);
}

}  // namespace
}  // namespace crosswire::test
