// Live figures of a partition that is polled: what its stages are asked for comes whole and in order, however many
// questions it takes; and the Prometheus endpoint for those who behave, beside those who do not.
#include "app/figures/live_figures.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <prometheus/metric_family.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <vector>

#include "app/figures/prometheus.hpp"
#include "app/partition/idle.hpp"
#include "netstack/port/memory_port.hpp"
#include "netstack/port/tsc_clock.hpp"

namespace crosswire {
namespace {

constexpr std::size_t kSymbols = 100, kAccounts = 67, kPositions = 70;

Config many_of_each() {
  std::string folder = (std::filesystem::temp_directory_path() / "crosswire-live-XXXXXX").string();
  EXPECT_NE(mkdtemp(folder.data()), nullptr);
  const std::string path = folder + "/day.toml";
  std::ofstream file(path);
  file << "[port]\naddress = \"10.99.0.1\"\n[limits]\nmax_orders = 1000\nmax_levels = 1000\n[orders]\nmessages_kept = "
          "128\n"
          "[feed]\nmessages_kept = 1024\n[memory]\nhugepages = \"off\"\n";
  for (std::size_t i = 0; i < kSymbols; ++i) {
    file << fmt::format("[[symbol]]\nname = \"S{}\"\nreference_price_e4 = {}\ntick_e4 = 100\n", i, 100 * (i + 10));
  }
  for (std::size_t i = 0; i < kAccounts; ++i) file << fmt::format("[[account]]\nuser = \"U{}\"\npassword = \"x\"\n", i);
  file << "firm = \"LAST\"\n[account.risk]\nfunds_e4 = 50_000\n";
  for (std::size_t i = 0; i < kPositions; ++i)
    file << fmt::format("[[account.position]]\nsymbol = \"S{}\"\nshares = {}\n", i, i);
  file.close();
  chmod(path.c_str(), 0600);
  Config config = load_config(path, ConfigUse::replay);
  std::filesystem::remove_all(folder);
  config.net.mac = kReplayMac;
  set_start(config, 0, 0);
  return config;
}

/// A partition that a thread polls, seen by live figures.
class Live : public ::testing::Test {
 protected:
  Live() : partition_(many_of_each(), {rx_, tx_, tx_}, TscClock::calibrated()) {
    figures_.add({partition_name("/etc/crosswire/day.toml"), partition_, {}, nullptr});
  }
  void start() {
    thread_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        if (!partition_.round()) idle_once(Idle::yield);
      }
    });
  }

  MemoryRxPort rx_;
  MemoryTxPort tx_;
  Partition partition_;
  LiveFigures figures_{std::chrono::seconds(60)};  // the thread may be without a core for a while
  std::jthread thread_;
};

TEST_F(Live, TellsOfAllBooksInOrderSixtyFourAtATime) {
  start();
  std::size_t seen = 0;
  for (const std::size_t rows : {64, 36, 0}) {
    const std::vector<BookFigure> books = figures_.books(0, seen);
    ASSERT_EQ(books.size(), rows);
    for (const BookFigure& book : books) {
      ASSERT_EQ(book.symbol, fmt::format("S{}", seen));
      ASSERT_EQ(book.top.last.value, 100 * (seen + 10)) << "the previous close of another";
      ++seen;
    }
  }
  EXPECT_EQ(figures_.books(0, 99).size(), 1u);
  EXPECT_EQ(figures_.books(0, 65'535).size(), 0u);
}

TEST_F(Live, TellsOfAllSessionsInOrderSixtyFourAtATime) {
  start();
  std::size_t seen = 0;
  for (const std::size_t rows : {64, 3, 0}) {
    const std::vector<SessionFigure> sessions = figures_.sessions(0, seen);
    ASSERT_EQ(sessions.size(), rows);
    for (const SessionFigure& session : sessions) ASSERT_EQ(session.user, fmt::format("U{}", seen++));
  }
}

TEST_F(Live, TellsOfAllAccountsInOrderSixtyFourAtATime) {
  start();
  std::size_t seen = 0;
  for (const std::size_t rows : {64, 3, 0}) {
    const std::vector<AccountFigure> accounts = figures_.accounts(0, seen);
    ASSERT_EQ(accounts.size(), rows);
    for (const AccountFigure& account : accounts) {
      ASSERT_EQ(account.user, fmt::format("U{}", seen++));
      ASSERT_EQ(account.state.has_funds, seen == kAccounts);
      ASSERT_EQ(account.state.purse.cash, seen == kAccounts ? 50'000 : 0);
      ASSERT_EQ(account.firm, seen == kAccounts ? "LAST" : "");
    }
  }
  EXPECT_EQ(figures_.account(0, "U66"), 66u);
  EXPECT_EQ(figures_.account(0, "U67"), std::nullopt);
}

TEST_F(Live, TellsOfAllPositionsInOrderSixtyFourAtATime) {
  start();
  std::size_t seen = 0, first = 0;
  for (const std::size_t rows : {64, 6}) {
    const auto told = figures_.positions(0, 66, first);
    ASSERT_TRUE(told.has_value());
    ASSERT_EQ(told->positions.size(), rows);
    for (const PositionFigure& position : told->positions) {
      ASSERT_EQ(position.symbol, fmt::format("S{}", seen));
      ASSERT_EQ(position.position.shares, seen++);
    }
    first = told->next;
  }
  EXPECT_EQ(first, 0u) << "there are more";
  const auto none = figures_.positions(0, 0, 0);
  EXPECT_TRUE(none.has_value() && none->positions.empty() && none->next == 0);
}

TEST_F(Live, WaitsWhileAPartitionIsMadeAnew) {
  std::atomic<bool> seen{false};
  std::jthread looking;
  {
    const auto pause = figures_.pause();
    looking = std::jthread([&] {
      figures_.partition(0);
      figures_.symbol(0, "S1");
      seen.store(true);
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_FALSE(seen.load());
  }
  looking.join();
  EXPECT_TRUE(seen.load());
}

TEST_F(Live, KnowsTheNumberOfASymbol) {
  EXPECT_EQ(figures_.symbol(0, "S0"), 0u);
  EXPECT_EQ(figures_.symbol(0, "S99"), 99u);
  EXPECT_EQ(figures_.symbol(0, "S"), std::nullopt);
}

TEST_F(Live, HasNoRowsOfAStageThatIsStalled) {
  LiveFigures impatient;
  impatient.add({"day", partition_, {}, nullptr});
  EXPECT_TRUE(impatient.books(0, 0).empty());
  EXPECT_TRUE(impatient.sessions(0, 0).empty());
  EXPECT_TRUE(impatient.accounts(0, 0).empty());
  EXPECT_FALSE(impatient.positions(0, 66, 0).has_value());
}

// ---- Prometheus -----------------------------------------------------------------------------------------------------

/// Ample for a busy machine, and less than the 30 s for which the server's library would leave a thread to somebody who
/// says nothing.
constexpr std::chrono::seconds kPatience{25};

int connect_to(std::uint16_t port) {
  sockaddr_in socket_address{};
  socket_address.sin_family = AF_INET;
  socket_address.sin_port = htons(port);
  socket_address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const timeval patience{kPatience.count(), 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  EXPECT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&socket_address), sizeof socket_address), 0);
  return fd;
}

constexpr std::string_view kScrape = "GET /metrics HTTP/1.0\r\n\r\n";

/// The whole answer to a scrape; what there is of it after kPatience without more.
std::string scrape(std::uint16_t port) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + kPatience;
  std::string answer;
  while (true) {
    const auto begun = Clock::now();
    const int fd = connect_to(port);
    const ssize_t sent = send(fd, kScrape.data(), kScrape.size(), MSG_NOSIGNAL);
    char part[4096];
    for (ssize_t n = 1; n > 0 || (n < 0 && errno == EINTR);) {
      n = recv(fd, part, sizeof part, 0);
      if (n > 0) answer.append(part, static_cast<std::size_t>(n));
    }
    close(fd);
    // A thread of the server or this one without a core for the second that the server gives whoever says nothing: it
    // hangs up, and who scrapes comes again.
    const bool out_of_time = Clock::now() - begun > std::chrono::milliseconds(900);
    if (answer.empty() && out_of_time && Clock::now() < end) continue;
    EXPECT_EQ(sent, static_cast<ssize_t>(kScrape.size()));
    return answer;
  }
}

/// An endpoint on a port that nobody has.
class Endpoint : public Live {
 protected:
  void SetUp() override {
    for (port_ = 19'464; endpoint_ == nullptr && port_ < 19'564; ++port_) {
      try {
        endpoint_ = std::make_unique<PrometheusEndpoint>(figures_, fmt::format("127.0.0.1:{}", port_));
        break;
      } catch (const std::runtime_error&) {  // taken
      }
    }
    ASSERT_NE(endpoint_, nullptr);
  }

  std::uint16_t port_ = 0;
  std::unique_ptr<PrometheusEndpoint> endpoint_;
};

TEST_F(Endpoint, IsThereForAScrapeWhileOthersSayNothingOrDoNotRead) {
  std::vector<int> idle;
  for (int i = 0; i < 6; ++i) idle.push_back(connect_to(port_));
  for (int i = 0; i < 2; ++i) send(idle[static_cast<std::size_t>(i)], kScrape.data(), kScrape.size(), MSG_NOSIGNAL);
  const std::string answer = scrape(port_);
  EXPECT_EQ(answer.find("HTTP/1."), 0u) << "no answer in time";
  EXPECT_NE(answer.find("crosswire_orders_total{partition=\"day\"} 0"), std::string::npos);
  for (const int fd : idle) close(fd);
}

TEST_F(Live, NeverTakesACountThatIsNotKnownForZero) {
  FigureSource source{"day", partition_, {}, nullptr};
  source.port = [] {
    return std::vector<CounterFigure>{{"port", "rx_missed", CounterKind::drop, std::nullopt},
                                      {"port", "rx_errors", CounterKind::drop, 0}};
  };
  LiveFigures live;
  live.add(source);
  std::vector<std::string> reasons;
  for (const auto& family : prometheus_metrics(live)) {
    if (family.name != "crosswire_dropped_total") continue;
    for (const auto& metric : family.metric) reasons.push_back(metric.label.at(2).value);
  }
  EXPECT_EQ(std::count(reasons.begin(), reasons.end(), "rx_errors"), 1);
  EXPECT_EQ(std::count(reasons.begin(), reasons.end(), "rx_missed"), 0);

  const Figures end = figures_of(partition_, 1, source.port());
  EXPECT_NE(to_text(end).find("dropped      port.rx_missed not known\n"), std::string::npos) << to_text(end);
  const std::string json = to_json(end);
  EXPECT_NE(json.find("\"port\": {\"rx_missed\": null, \"rx_errors\": 0}"), std::string::npos) << json;
  EXPECT_NE(json.find("\"port.rx_missed\": null, \"port.rx_errors\": 0,"), std::string::npos) << json;
}

TEST_F(Live, TellsPrometheusOfARecordingWhereThereIsOne) {
  const auto gauge = [](const LiveFigures& figures) -> std::optional<double> {
    for (const auto& family : prometheus_metrics(figures)) {
      if (family.name == "crosswire_recording") return family.metric.at(0).gauge.value;
    }
    return std::nullopt;
  };
  EXPECT_EQ(gauge(figures_), std::nullopt);
  bool going_on = true;
  FigureSource source{"day", partition_, {}, nullptr};
  source.recording = [&going_on] { return std::optional(going_on); };
  LiveFigures recording;
  recording.add(source);
  EXPECT_EQ(gauge(recording), 1.0);
  going_on = false;
  EXPECT_EQ(gauge(recording), 0.0);
}

TEST_F(Live, TellsPrometheusHowFullTheTablesAreAndInWhichPhasesTheSymbols) {
  std::map<std::string, double> gauges;
  for (const auto& family : prometheus_metrics(figures_)) {
    for (const auto& metric : family.metric) {
      const bool by_phase = family.name == "crosswire_symbols";
      gauges[by_phase ? metric.label.at(1).value : family.name] = metric.gauge.value;
    }
  }
  EXPECT_EQ(gauges.at("crosswire_live_orders_limit"), 1000);
  EXPECT_EQ(gauges.at("crosswire_price_levels_limit"), 1000);
  EXPECT_EQ(gauges.at("crosswire_live_orders"), 0);
  EXPECT_EQ(gauges.at("crosswire_sessions_logged_in"), 0);
  EXPECT_EQ(gauges.at("crosswire_accounts"), kAccounts);
  EXPECT_EQ(gauges.at("pre_open"), kSymbols);
  EXPECT_EQ(gauges.at("continuous"), 0);
  EXPECT_FALSE(gauges.contains("crosswire_recording_waiting_bytes"));
}

TEST_F(Live, TellsOfTheRecordersBytesWhereThereIsOne) {
  FigureSource source{"day", partition_, {}, nullptr};
  source.recording = [] { return std::optional(true); };
  source.recorder = [] { return std::optional(RecorderFigure{7, 8, 9}); };
  LiveFigures recording;
  recording.add(source);
  std::map<std::string, double> values;
  for (const auto& family : prometheus_metrics(recording)) {
    const auto& metric = family.metric.at(0);
    values[family.name] = family.type == prometheus::MetricType::Counter ? metric.counter.value : metric.gauge.value;
  }
  EXPECT_EQ(values.at("crosswire_recording_written_bytes_total"), 7);
  EXPECT_EQ(values.at("crosswire_recording_waiting_bytes"), 8);
  EXPECT_EQ(values.at("crosswire_recording_waiting_bytes_limit"), 9);
}

TEST_F(Live, TellsPrometheusOfTheClockInSeconds) {
  const auto gauge = [this](const std::string& name) {
    for (const auto& family : prometheus_metrics(figures_)) {
      if (family.name == name) return family.metric.at(0).gauge.value;
    }
    return std::nan("");
  };
  ClockFigure told{.offset_ns = -1'500, .bound_ns = 100'000, .unfollowed_ns = -3'600'000'000'000};
  figures_.tell_clock([&told] { return told; });
  EXPECT_EQ(gauge("crosswire_clock_offset_seconds"), -1.5e-6);
  EXPECT_EQ(gauge("crosswire_clock_bound_seconds"), 1e-4);
  EXPECT_EQ(gauge("crosswire_clock_unfollowed_seconds"), -3'600);
  EXPECT_EQ(gauge("crosswire_clock_synchronised"), 1);
  told.synchronised = false;
  EXPECT_EQ(gauge("crosswire_clock_synchronised"), 0);
}

TEST_F(Endpoint, EndsWhileSomebodyIsConnectedAndSaysNothing) {
  const int idle = connect_to(port_);
  ASSERT_NE(scrape(port_), "");  // so the idle one has been taken on
  const auto begun = std::chrono::steady_clock::now();
  endpoint_.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, kPatience);
  close(idle);
}

TEST_F(Endpoint, TakesScrapesFromManyAtOnceWhileTheStagesWork) {
  start();
  std::vector<std::jthread> scrapers;
  std::atomic<int> good{0};
  for (int i = 0; i < 8; ++i) {
    scrapers.emplace_back([this, &good] {
      for (int n = 0; n < 5; ++n) good += scrape(port_).find("crosswire_stage_polls_total") != std::string::npos;
    });
  }
  scrapers.clear();
  EXPECT_EQ(good, 40);
}

TEST(PartitionName, IsOneThatEveryToolTakesWhole) {
  EXPECT_EQ(partition_name("/etc/crosswire/one.toml"), "one");
  EXPECT_EQ(partition_name("a,b\x1b[2J.toml"), "a_b__2J");
  EXPECT_EQ(partition_name(std::string(200, 'n') + ".toml"), std::string(48, 'n'));
  const std::string long_name(200, 'n');
  EXPECT_LE(partition_name(long_name).size() + 4, 64u) << "crosswire top cuts what is longer";
}

}  // namespace
}  // namespace crosswire
