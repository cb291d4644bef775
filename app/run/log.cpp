// The log: see the header. Over spdlog.
#include "app/run/log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
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
#include <cstring>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "app/files/line_queue.hpp"
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

/// Hands the lines on to a queue, formatted.
class QueueSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit QueueSink(LineQueue& queue) : queue_(queue) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t text;
    formatter_->format(message, text);
    queue_.put({text.data(), text.size()});
  }
  void flush_() override {}

  LineQueue& queue_;
};

std::unique_ptr<spdlog::pattern_formatter> formatter(bool priorities) {
  return std::make_unique<spdlog::pattern_formatter>(priorities ? "%v" : "%Y-%m-%dT%H:%M:%S.%fZ %l %v",
                                                     spdlog::pattern_time_type::utc);
}

struct Log {
  explicit Log(const LogOptions& options)
      : file(options.file), priorities(options.file.empty() && stderr_is_journal()), in_file(!options.file.empty()) {
    spdlog::sink_ptr sink;
    if (in_file) {
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(options.file);
    } else {
      sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    }
    logger = std::make_shared<spdlog::logger>("crosswire", std::move(sink));
    logger->set_formatter(formatter(priorities));
    logger->set_level(kLevels[static_cast<std::size_t>(options.least)]);
    logger->flush_on(spdlog::level::info);
    logger->set_error_handler(complain);
  }

  void write(LogLevel level, const std::string& text) const {
    logger->log(now(), {}, kLevels[static_cast<std::size_t>(level)], with_priority(level, text));
  }

  std::string with_priority(LogLevel level, const std::string& text) const {
    return priorities ? fmt::format("{}{}", kPriorities[static_cast<std::size_t>(level)], text) : text;
  }

  /// A whole line, as write() makes them.
  std::string line(LogLevel level, const std::string& text) const {
    const std::string all = with_priority(level, text);
    spdlog::memory_buf_t buffer;
    formatter(priorities)
        ->format(spdlog::details::log_msg(now(), {}, "crosswire", kLevels[static_cast<std::size_t>(level)], all),
                 buffer);
    return {buffer.data(), buffer.size()};
  }

  std::shared_ptr<spdlog::logger> logger;
  std::string file;
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

/// What writes in the background. Never destroyed: a last line may come late.
struct Background {
  std::unique_ptr<LineQueue> log, out;
  std::atomic<bool> out_failed{false};
};
Background& background() {
  static auto* const background = new Background;
  return *background;
}

std::string lines_lost(std::uint64_t lost) {
  return the_log().line(LogLevel::warning,
                        log_text("lines of the log are lost; nobody took them in time", {{"lines", lost}}));
}

/// For who ends: a pipe that nobody reads must not keep him.
bool takes_text(int fd) {
  constexpr int kPatienceMs = 1000;
  pollfd polled{fd, POLLOUT, 0};
  return background().log == nullptr || poll(&polled, 1, kPatienceMs) > 0;
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

void log_in_background() {
  Log& log = *log_here();
  int fd = STDERR_FILENO;
  if (log.in_file) fd = open(log.file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0) {
    throw std::runtime_error(fmt::format("{}: cannot be written: {}; give --log-file a file that you may write",
                                         log.file, std::generic_category().message(errno)));
  }
  std::fflush(stdout);
  Background& behind = background();
  behind.log = std::make_unique<LineQueue>(fd, lines_lost, [](int error) { complain(std::strerror(error)); });
  behind.out = std::make_unique<LineQueue>(
      STDOUT_FILENO, [](std::uint64_t lost) { return fmt::format("{} texts are lost; nobody took them\n", lost); },
      [](int) { background().out_failed.store(true); });
  auto sink = std::make_shared<QueueSink>(*behind.log);
  sink->set_formatter(formatter(log.priorities));
  log.logger->sinks() = {std::move(sink)};
}

bool log_end() {
  constexpr std::chrono::seconds kPatience{2};
  Background& behind = background();
  if (behind.log == nullptr) return true;
  if (!behind.log->drain(kPatience) && takes_text(STDERR_FILENO)) {
    say(stderr, "crosswire: the last lines of the log are lost; nobody takes them\n");
  }
  return behind.out->drain(kPatience) && !behind.out_failed.load() && behind.out->lost() == 0;
}

std::uint64_t log_lines_lost() { return background().log == nullptr ? 0 : background().log->lost(); }

void print_out(const std::string& text) {
  if (background().out != nullptr) return background().out->put(text);
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
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
  if (background().log != nullptr) background().log->drain(std::chrono::seconds(1));
  if (takes_text(STDERR_FILENO)) say(stderr, "{}{}\n", stderr_is_journal() ? kPriorities.back() : "", line);
}

std::string log_text(std::string_view message, LogFields fields) {
  std::string text = printable(message);
  for (const LogField& field : fields) text += fmt::format(" {}={}", field.key, value_text(field.value));
  return text;
}

}  // namespace crosswire
