// Figures for those who may not reach the telemetry socket: the control socket asks there in their place, by one
// connection, one question after the other, and never waits. The control thread's alone.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace crosswire {

class FigureRelay {
 public:
  using Clock = std::chrono::steady_clock;
  /// Where a question is not answered by then all are given up. Longer than the telemetry waits for a stage.
  static constexpr std::chrono::seconds kPatience{2};
  static constexpr std::size_t kMostAsked = 16;

  /// `socket`: path of this process' own telemetry socket, or of another process' beside which DPDK has put ours, with
  /// a number behind it. "": nothing is ever answered.
  explicit FigureRelay(std::string socket) : socket_(std::move(socket)) {}
  ~FigureRelay() { hang_up(); }
  FigureRelay(const FigureRelay&) = delete;
  FigureRelay& operator=(const FigureRelay&) = delete;

  /// Takes a question in, unless too many are; returns its ticket.
  std::optional<std::uint64_t> ask(const std::string& question);

  struct Answer {
    std::uint64_t ticket;
    std::string json;  // "": there is none
  };
  /// Sends what can be sent and takes what has come. Answers in the order of the questions.
  std::vector<Answer> look(Clock::time_point now);

  /// What to poll for input, while a question is under way; else -1.
  int fd() const { return under_way_ ? fd_ : -1; }

 private:
  struct Question {
    std::uint64_t ticket;
    std::string text;
  };

  bool connect();
  bool is_greeted();
  void hang_up();
  std::optional<std::string> receive();

  std::string socket_;
  int fd_ = -1;
  bool greeted_ = false;  // telemetry speaks first
  bool failed_ = false;   // since the last look
  bool under_way_ = false;
  Clock::time_point since_;
  std::deque<Question> asked_;  // the first is under way, if one is
  std::uint64_t last_ticket_ = 0;
};

/// Of an answer that is a table as columns with a column `user`: the rows of these users alone. What is no such table
/// comes to nothing: "".
std::string rows_of_users(const std::string& json, const std::vector<std::string>& users);

/// What a phase's question is answered with: the phases of one symbol (/crosswire/book) or of all (/crosswire/totals),
/// as far as they are named. Empty where the answer is another.
std::vector<std::string> phases_in(const std::string& json);

}  // namespace crosswire
