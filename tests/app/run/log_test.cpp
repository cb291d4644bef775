// The log's time: the host's at first, that of the process once there is one.
#include "app/run/log.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <ctime>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "netstack/port/tsc_clock.hpp"
#include "tests/folder.hpp"

namespace crosswire {
namespace {

/// A clock that says so from now on, and hardly runs.
TscClock standing_at(std::int64_t epoch_ns) { return TscClock::at(TscClock::read(), epoch_ns, 1e-6); }

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

/// To the second.
std::string time_of(const std::string& line) { return line.substr(0, std::string("2001-09-09T01:46:40").size()); }

TEST(LogTime, IsThatOfTheProcessOnceThereIsOneAndOfTheHostUntilThen) {
  const test::Folder folder;
  log_begin({.file = folder.file("log")});
  // Not time(2), which is up to a tick behind the clock that the log reads.
  const auto now = [] { return std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()); };
  const std::time_t host = now();
  log_info("before");
  constexpr std::int64_t kBillionSeconds = 1'000'000'000'000'000'000;
  const auto shared = std::make_shared<SharedClock>(standing_at(kBillionSeconds));
  log_time_from(shared);
  log_warning("of the process");
  shared->write(standing_at(kBillionSeconds + 3'600'000'000'000));
  log_error("an hour later");
  const std::vector<std::string> lines = lines_of(folder.file("log"));
  log_begin({});  // the file goes
  ASSERT_EQ(lines.size(), 3u);
  char earliest[32], latest[32];
  const std::time_t later = now();
  std::strftime(earliest, sizeof earliest, "%FT%T", std::gmtime(&host));
  std::strftime(latest, sizeof latest, "%FT%T", std::gmtime(&later));
  EXPECT_LE(earliest, time_of(lines[0]));
  EXPECT_GE(latest, time_of(lines[0]));
  EXPECT_EQ(time_of(lines[1]), "2001-09-09T01:46:40") << lines[1];
  EXPECT_EQ(time_of(lines[2]), "2001-09-09T02:46:40") << lines[2];
  EXPECT_NE(lines[1].find("Z warning of the process"), std::string::npos) << lines[1];
}

}  // namespace
}  // namespace crosswire
