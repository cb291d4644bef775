// The log of `crosswire run`: the life of the process, what to look at and what to act on, a line each.
//
//   2026-01-31T09:30:00.123456Z error a stage stands still partition=one stage=match core=3 seconds=1.1
//
// On stderr, or in a file. Where stderr is systemd's journal, a line begins with the priority instead of time and
// level ("<3>a stage stands still ..."). Control threads and the recorder's; never a polling thread: a line is a system
// call. From log_in_background() on no line waits for a disk or for who reads a pipe: a stalled one would keep the
// control thread from telling the watchdog that the exchange is alive.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "netstack/port/tsc_clock.hpp"

namespace crosswire {

/// error: an operator has to act now. warning: look at it. info: the life of the process.
enum class LogLevel { info, warning, error };

struct LogOptions {
  std::string file;                 // appended to; "" = stderr
  LogLevel least = LogLevel::info;  // what is below is left out
};

/// A key and a value behind the message: KEY=VALUE, the value in quotes where it holds more than one word.
struct LogField {
  template <class Value>
  LogField(std::string_view key_, const Value& value_) : key(key_), value(fmt::format("{}", value_)) {}

  std::string_view key;
  std::string value;
};
using LogFields = std::initializer_list<LogField>;

/// Opens the log, and takes notices (hugepages/base/notice.hpp) into it. Before it and without it lines go to stderr.
/// Before other threads log. Throws std::runtime_error (one line) where the file cannot be written.
void log_begin(const LogOptions& options);

/// From then on a thread, which inherits the caller's cores, writes the lines, and what print_out() gets: what it
/// cannot write in time is lost and counted, and told when it goes on. Before other threads log.
void log_in_background();

/// Waits for these, at most 2 s each. What is not written then is told on stderr, where that takes it. Returns whether
/// stdout has taken all.
bool log_end();

/// Lines of the log that were lost. Any thread.
std::uint64_t log_lines_lost();

/// Lines for people, on stdout, as they are.
void print_out(const std::string& text);

/// From then on lines have the time of the process, which stages, feed and figures tell, and no longer the host's.
void log_time_from(std::shared_ptr<const SharedClock> clock);

/// `message`: one phrase, always the same for the same thing, so that one can look for it.
void log_info(std::string_view message, LogFields fields = {});
void log_warning(std::string_view message, LogFields fields = {});
void log_error(std::string_view message, LogFields fields = {});

/// The one line with which a command ends that has failed: on stderr as it is, and in the log where that is a file.
void log_failure(const std::string& line);

/// A line without time and level, for tests: what is not printable is written as \n, \x1b and so on.
std::string log_text(std::string_view message, LogFields fields = {});

}  // namespace crosswire
