// The log: see the header. Over spdlog.
#include "app/run/log.hpp"

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "app/files/say.hpp"
#include "hugepages/base/notice.hpp"

namespace crosswire {
namespace {

constexpr std::array kLevels = {spdlog::level::info, spdlog::level::warn, spdlog::level::err};  // by LogLevel
constexpr std::array<std::string_view, kLevels.size()> kPriorities = {"<6>", "<4>", "<3>"};     // of syslog

/// Whether stderr is the very stream that systemd has connected to its journal, and not a file behind it.
bool stderr_is_journal() {
  const char* const stream = std::getenv("JOURNAL_STREAM");  // "DEVICE:INODE"
  struct stat status {};
  if (stream == nullptr || fstat(STDERR_FILENO, &status) != 0) return false;
  return fmt::format("{}:{}", status.st_dev, status.st_ino) == stream;
}

/// What cannot be logged is reported on stderr, once.
void complain(const std::string& reason) {
  static std::atomic_flag reported;
  if (reported.test_and_set()) return;
  std::fprintf(stderr, "crosswire: the log cannot be written: %s\n", reason.c_str());
}

/// Written once, when DPDK's threads may already log; what it points to stays.
std::atomic<const SharedClock*> g_clock{nullptr};

std::chrono::system_clock::time_point now() {
  const SharedClock* const clock = g_clock.load(std::memory_order_acquire);
  if (clock == nullptr) return std::chrono::system_clock::now();
  return std::chrono::system_clock::time_point(std::chrono::nanoseconds(clock->read().now_epoch_ns()));
}

struct Log {
  explicit Log(const LogOptions& options)
      : priorities(options.file.empty() && stderr_is_journal()), in_file(!options.file.empty()) {
    spdlog::sink_ptr sink;
    if (in_file) {
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(options.file);
    } else {
      sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    }
    logger = std::make_shared<spdlog::logger>("crosswire", std::move(sink));
    logger->set_formatter(std::make_unique<spdlog::pattern_formatter>(priorities ? "%v" : "%Y-%m-%dT%H:%M:%S.%fZ %l %v",
                                                                      spdlog::pattern_time_type::utc));
    logger->set_level(kLevels[static_cast<std::size_t>(options.least)]);
    logger->flush_on(spdlog::level::info);
    logger->set_error_handler(complain);
  }

  void write(LogLevel level, const std::string& text) const {
    const auto i = static_cast<std::size_t>(level);
    logger->log(now(), {}, kLevels[i], priorities ? fmt::format("{}{}", kPriorities[i], text) : text);
  }

  std::shared_ptr<spdlog::logger> logger;
  bool priorities;  // in front of a line, for systemd
  bool in_file;
};

std::unique_ptr<Log>& log_here() {
  static auto* const log = new std::unique_ptr<Log>;  // never destroyed: a last line may come late
  return *log;
}

const Log& the_log() {
  if (log_here() == nullptr) log_here() = std::make_unique<Log>(LogOptions{});
  return *log_here();
}

/// As text on one line.
std::string printable(std::string_view text) {
  std::string result;
  for (const char letter : text) {
    if (letter == '\n') {
      result += "\\n";
    } else if (std::iscntrl(static_cast<unsigned char>(letter)) != 0) {
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(letter));
    } else {
      result += letter;
    }
  }
  return result;
}

std::string value_text(const std::string& value) {
  if (!value.empty() && value.find_first_of(" \t\n\"=") == std::string::npos) return printable(value);
  std::string quoted = "\"";
  for (const char letter : value) {
    if (letter == '"' || letter == '\\') quoted += '\\';
    quoted += letter;
  }
  return printable(quoted + '"');
}

void take_notice(NoticeLevel level, const std::string& line) {
  constexpr std::array kLogLevels = {LogLevel::info, LogLevel::warning, LogLevel::error};  // by NoticeLevel
  the_log().write(kLogLevels[static_cast<std::size_t>(level)], printable(line));
}

}  // namespace

void log_begin(const LogOptions& options) {
  if (!options.file.empty()) {
    // spdlog would make the folders of a name that is a slip of the pen.
    std::FILE* const file = std::fopen(options.file.c_str(), "ab");
    if (file == nullptr) {
      throw std::runtime_error(fmt::format("{}: cannot be written: {}; give --log-file a file that you may write",
                                           options.file, std::generic_category().message(errno)));
    }
    std::fclose(file);
  }
  log_here() = std::make_unique<Log>(options);
  send_notices_to(take_notice);
}

void log_time_from(std::shared_ptr<const SharedClock> clock) {
  static auto* const kept = new std::shared_ptr<const SharedClock>;  // never destroyed: a last line may come late
  *kept = std::move(clock);
  g_clock.store(kept->get(), std::memory_order_release);
}

void log_info(std::string_view message, LogFields fields) {
  the_log().write(LogLevel::info, log_text(message, fields));
}
void log_warning(std::string_view message, LogFields fields) {
  the_log().write(LogLevel::warning, log_text(message, fields));
}
void log_error(std::string_view message, LogFields fields) {
  the_log().write(LogLevel::error, log_text(message, fields));
}

void log_failure(const std::string& line) {
  const Log& log = the_log();
  if (log.in_file) log.write(LogLevel::error, printable(line));
  say(stderr, "{}{}\n", stderr_is_journal() ? kPriorities.back() : "", line);
}

std::string log_text(std::string_view message, LogFields fields) {
  std::string text = printable(message);
  for (const LogField& field : fields) text += fmt::format(" {}={}", field.key, value_text(field.value));
  return text;
}

}  // namespace crosswire
