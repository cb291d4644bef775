// The load generator over SoupBinTCP, against a server on our own TCP and a link between them, in virtual time: each
// order is answered once, and latency counts from when it was due, whatever is lost on the way.
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "app/load/figures.hpp"
#include "netstack/tcp/echo_service.hpp"
#include "tests/app/load/tcp_exchange.hpp"

namespace crosswire {
namespace {

using test::kLinkNs;
using test::kMilli;
using test::kUs;
using test::SoupLoadRig;
using test::tcp_load_options;

ImpairmentConfig bad_link() {
  ImpairmentConfig link;
  link.delay_ns = kLinkNs;
  link.jitter_ns = 20 * kUs;
  link.loss = 0.01;
  link.duplicate = 0.01;
  link.reorder = 0.01;
  link.corrupt = 0.005;
  return link;
}

class LoadOverTcp : public ::testing::TestWithParam<std::pair<std::size_t, bool>> {};

TEST_P(LoadOverTcp, EveryOrderIsAnsweredOnce) {
  const auto [connections, impaired] = GetParam();
  LoadOptions options = tcp_load_options(connections);
  options.schedule = LoadSchedule::poisson(50'000, 3);
  options.mix.resting = 1'000;
  options.measured_ns = 200 * kMilli;
  SoupLoadRig soup(options, impaired ? bad_link() : ImpairmentConfig{.delay_ns = kLinkNs});
  soup.rig.step_ns = 5 * kUs;
  const LoadFigures& figures = soup.rig.run_all();
  EXPECT_EQ(figures.partial, "");
  EXPECT_GT(figures.sent, 9'500u);
  EXPECT_EQ(figures.answered, figures.sent);
  EXPECT_EQ(figures.of(LoadLatency::ack).count(), figures.sent);
  EXPECT_EQ(figures.lost, 0u);
  EXPECT_EQ(figures.not_sent, 0u);
  EXPECT_EQ(figures.malformed, 0u);
  EXPECT_EQ(figures.answers.lost + figures.answers.repeated, 0u) << "TCP sees to that";
  EXPECT_EQ(soup.exchange.entered_twice, 0u);
  EXPECT_EQ(soup.exchange.logins, connections);
  EXPECT_EQ(soup.exchange.logouts, connections);
  EXPECT_EQ(soup.exchange.finished_by_client, connections);
  ASSERT_TRUE(figures.tcp);
  EXPECT_EQ(figures.tcp->connections, connections);
  EXPECT_EQ(figures.tcp->lost, 0u);
  if (!impaired) {
    EXPECT_EQ(figures.tcp->retransmitted + figures.tcp->timeouts + figures.tcp->repeated, 0u);
    EXPECT_LE(figures.of(LoadLatency::ack).max(), 2 * kLinkNs + 3 * soup.rig.step_ns);
  } else {
    EXPECT_GT(figures.tcp->retransmitted, 0u);
    EXPECT_GT(figures.tcp->out_of_order, 0u);
    EXPECT_GT(figures.of(LoadLatency::ack).max(), 100 * kUs) << "what was lost is in the latency";
  }
}

INSTANTIATE_TEST_SUITE_P(Connections, LoadOverTcp,
                         ::testing::Values(std::pair{1, false}, std::pair{100, false}, std::pair{500, false},
                                           std::pair{1, true}, std::pair{100, true}, std::pair{500, true}),
                         [](const auto& given) {
                           return std::to_string(given.param.first) + (given.param.second ? "Impaired" : "");
                         });

// --- latency ---------------------------------------------------------------------------------------------------------

TEST(LoadTcpLatencies, CountFromTheTimeAtWhichAnOrderWasDue) {
  SoupLoadRig soup(tcp_load_options());
  const LoadFigures& figures = soup.rig.run_all();
  ASSERT_EQ(figures.partial, "");
  EXPECT_EQ(figures.sent, 1'000u);
  EXPECT_EQ(figures.of(LoadLatency::ack).max(), 2 * kLinkNs);
  EXPECT_DOUBLE_EQ(figures.of(LoadLatency::ack).mean(), 2 * kLinkNs) << "each of them";
  EXPECT_EQ(figures.executions, figures.sent_by_kind[static_cast<std::size_t>(LoadKind::cross)]);
  EXPECT_DOUBLE_EQ(figures.rate_achieved(), 10'000);
}

TEST(LoadTcpLatencies, EndWithTheLastByteOfTheAnswersPacket) {
  LoadOptions options = tcp_load_options();
  options.schedule = LoadSchedule::constant(1'000);  // one at a time: halves of two answers would be mixed up
  options.mix = {.adds = 50, .cancels = 50, .crossing = 0, .resting = 0};
  SoupLoadRig soup(options);
  soup.exchange.faults.answer_in_halves = true;
  const LoadFigures& figures = soup.rig.run_all();
  ASSERT_EQ(figures.partial, "");
  EXPECT_EQ(figures.answered, 100u);
  EXPECT_GE(figures.of(LoadLatency::ack).min(), 500 * kUs + 2 * kLinkNs);
}

TEST(LoadTcpLatencies, ALostSegmentIsChargedToEveryOrderBehindIt) {
  LoadOptions options = tcp_load_options();
  ImpairmentConfig link{.delay_ns = kLinkNs};
  link.lose_frames = {700};
  SoupLoadRig soup(options, link);
  const LoadFigures& figures = soup.rig.run_all();
  ASSERT_EQ(figures.partial, "");
  EXPECT_EQ(figures.answered, 1'000u);
  EXPECT_GT(figures.tcp->retransmitted + figures.tcp->out_of_order, 0u);
  // Orders are 100 us apart, and those behind the hole come to the server, or their answers to us, with it.
  EXPECT_GT(figures.of(LoadLatency::ack).max(), 150 * kUs);
  EXPECT_GT(figures.of(LoadLatency::ack).percentile(99.9), 2 * kLinkNs);
}

TEST(LoadTcpLatencies, AWindowHasItsOrdersOutstandingAndNoMore) {
  LoadOptions options = tcp_load_options();
  options.schedule.reset();
  options.window = 7;
  options.mix.resting = 0;
  SoupLoadRig soup(options);
  const LoadFigures& figures = soup.rig.run_all();
  EXPECT_EQ(figures.partial, "");
  EXPECT_EQ(figures.of(LoadLatency::ack).max(), 2 * kLinkNs);
  EXPECT_NEAR(figures.rate_answered(), 7 / 10e-6, 1'000);
}

TEST(LoadTcpFloors, AreAServiceThatSendsBackWhatItGets) {
  LoadOptions options = tcp_load_options(3);
  options.floor = true;
  tcp::TcpConfig config;
  config.connections = 16;
  Arena memory(tcp::EchoService::bytes_for(config) + 4096, HugepagePolicy::off);
  tcp::EchoService echo(memory, config, tcp::EchoService::Mode::echo);
  test::TcpLoadRig rig(options, echo, echo, {.delay_ns = kLinkNs});
  echo.write_to(rig.server.send());
  const LoadFigures& figures = rig.run_all();
  EXPECT_EQ(figures.partial, "");
  EXPECT_EQ(figures.answered, 1'000u);
  EXPECT_EQ(figures.lost, 0u);
  EXPECT_EQ(figures.of(LoadLatency::ack).max(), 2 * kLinkNs);
  EXPECT_EQ(figures.tcp->lost, 0u);
}

// --- connections -----------------------------------------------------------------------------------------------------

TEST(LoadTcpConnections, AreKeptAliveWhileNothingIsSent) {
  SoupLoadRig soup(tcp_load_options(10));
  soup.rig.step_ns = 50 * kUs;
  ASSERT_TRUE(soup.rig.get_ready());
  for (int i = 0; i < 400'000; ++i) ASSERT_TRUE(soup.rig.step());  // 20 s
  EXPECT_GE(soup.exchange.heartbeats, 10 * 20u);
  EXPECT_LE(soup.exchange.heartbeats, 10 * 41u);
  EXPECT_EQ(soup.rig.run().partial, "");
}

TEST(LoadTcpConnections, OfAServerThatSendsNothingForFifteenSecondsAreLost) {
  SoupLoadRig soup(tcp_load_options(2));
  soup.rig.step_ns = 50 * kUs;
  soup.exchange.faults.no_heartbeats = true;
  ASSERT_TRUE(soup.rig.get_ready());
  const TimeNs since_ns = soup.rig.now_ns;
  while (soup.rig.step()) ASSERT_LT(soup.rig.now_ns, since_ns + 20 * kNsPerSecond);
  EXPECT_GE(soup.rig.now_ns, since_ns + 14 * kNsPerSecond);
  const LoadFigures& figures = soup.rig.client.figures();
  EXPECT_NE(figures.partial.find("is lost: nothing has come for 15 s"), std::string::npos) << figures.partial;
}

// --- what goes wrong -------------------------------------------------------------------------------------------------

TEST(LoadTcpFailures, AConnectionThatTheServerClosesIsSaidWithTheServersWord) {
  SoupLoadRig soup(tcp_load_options(4));
  soup.exchange.faults.close_at = 400;
  soup.rig.step_ns = 10 * kUs;
  const LoadFigures& figures = soup.rig.run_all();
  EXPECT_NE(figures.partial.find("the connection of U1000"), std::string::npos) << figures.partial;
  EXPECT_NE(figures.partial.find("to 10.99.0.1:26400 is lost: the server has closed it, and says: too slow"),
            std::string::npos)
      << figures.partial;
  EXPECT_EQ(figures.tcp->lost, 1u);
  EXPECT_GE(figures.lost, 1u);
  EXPECT_EQ(soup.exchange.logouts, 3u) << "the others leave as always";
}

TEST(LoadTcpFailures, AConnectionThatIsReset) {
  SoupLoadRig soup(tcp_load_options(4));
  soup.exchange.faults.reset_at = 400;
  soup.rig.step_ns = 10 * kUs;
  const LoadFigures& figures = soup.rig.run_all();
  EXPECT_NE(figures.partial.find("is lost: reset by peer"), std::string::npos) << figures.partial;
  EXPECT_EQ(figures.tcp->lost, 1u);
  EXPECT_GE(figures.lost, 1u);
}

TEST(LoadTcpFailures, AServerThatEndsTheSession) {
  SoupLoadRig soup(tcp_load_options(4));
  soup.exchange.faults.end_day_at = 400;
  soup.rig.step_ns = 10 * kUs;
  const LoadFigures& figures = soup.rig.run_all();
  EXPECT_NE(figures.partial.find("the server has ended the session"), std::string::npos) << figures.partial;
}

TEST(LoadTcpFailures, AServerThatSendsNonsense) {
  SoupLoadRig soup(tcp_load_options(4));
  soup.exchange.faults.nonsense_at = 400;
  soup.rig.step_ns = 10 * kUs;
  const LoadFigures& figures = soup.rig.run_all();
  EXPECT_NE(figures.partial.find("what comes is not SoupBinTCP"), std::string::npos) << figures.partial;
  EXPECT_EQ(figures.tcp->lost, 1u);
}

TEST(LoadTcpFailures, OrdersWithoutAnyAnswerAreLost) {
  LoadOptions options = tcp_load_options(4);
  SoupLoadRig soup(options);
  soup.exchange.faults.ignore = {300, 301, 302};
  soup.rig.step_ns = 50 * kUs;
  const LoadFigures& figures = soup.rig.run_all();
  EXPECT_GE(figures.lost, 3u);
  EXPECT_LE(figures.lost, 6u);
  EXPECT_LT(figures.answered, 1'000u);
  EXPECT_EQ(figures.tcp->lost, 0u);
}

TEST(LoadTcpFailures, AServerThatDiesMeanwhile) {
  SoupLoadRig soup(tcp_load_options(4));
  soup.rig.step_ns = 50 * kUs;
  ASSERT_TRUE(soup.rig.get_ready());
  soup.rig.client.start();
  while (soup.rig.client.progress().sent < 500) ASSERT_TRUE(soup.rig.step());
  soup.rig.dead = true;
  while (soup.rig.step()) {
  }
  const LoadFigures& figures = soup.rig.client.figures();
  EXPECT_NE(figures.partial.find("the server has sent nothing for"), std::string::npos) << figures.partial;
  EXPECT_GT(figures.lost, 100u);
}

TEST(LoadTcpFailures, ARefusedLogin) {
  SoupLoadRig soup(tcp_load_options(4));
  soup.exchange.faults.refuse_logins = true;
  const std::string& partial = soup.rig.run_all().partial;
  EXPECT_NE(partial.find("login is refused (A)"), std::string::npos) << partial;
}

TEST(LoadTcpFailures, ALoginWithoutAnAnswer) {
  SoupLoadRig soup(tcp_load_options(4));
  soup.rig.step_ns = 50 * kUs;
  soup.exchange.faults.ignore_logins = true;
  const std::string& partial = soup.rig.run_all().partial;
  EXPECT_NE(partial.find("4 of 4 logins had no answer"), std::string::npos) << partial;
}

TEST(LoadTcpFailures, AnotherService) {
  SoupLoadRig soup(tcp_load_options(1));
  soup.exchange.faults.speak_http = true;
  const std::string& partial = soup.rig.run_all().partial;
  EXPECT_NE(partial.find("what comes is not SoupBinTCP; does the appliance take orders over TCP"), std::string::npos)
      << partial;
}

TEST(LoadTcpFailures, NobodyListens) {
  LoadOptions options = tcp_load_options(2);
  options.tcp->port = 7;
  SoupLoadRig soup(options);
  const std::string& partial = soup.rig.run_all().partial;
  EXPECT_NE(partial.find("no connection of U10000 to 10.99.0.1:7 came about: refused"), std::string::npos) << partial;
}

}  // namespace
}  // namespace crosswire
