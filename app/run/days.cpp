// The partitions' days: see the header. On the control thread, but for what it hands to the background.
#include "app/run/days.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <random>
#include <stdexcept>
#include <utility>

#include "app/run/end_wish.hpp"
#include "app/run/log.hpp"

namespace crosswire {
namespace {

void report(const OperatorDesk::Done& done) {
  if (!done.answer.error.empty()) {
    log_warning("an operator was not answered; the stages have not carried his command out in time",
                {{"partition", done.partition},
                 {"operator", done.by.name},
                 {"command", describe(done.ask)},
                 {"request", done.ask.request}});
    return;
  }
  log_info("an operator's command", {{"partition", done.partition},
                                     {"operator", done.by.name},
                                     {"role", role_name(done.by.role)},
                                     {"approved_by", done.by.approver},
                                     {"command", describe(done.ask)},
                                     {"result", result_name(done.answer.result)},
                                     {is_about_accounts(done.ask.action) ? "accounts" : "symbols", done.answer.changed},
                                     {"canceled", done.answer.canceled},
                                     {"sequence", done.answer.sequence},
                                     {"request", done.ask.request},
                                     {"repeated", done.answer.repeated},
                                     {"reason", done.ask.reason}});
}

void report(const CtlNotice& notice) {
  const std::string command = notice.ask.action == OperatorAction::none ? "" : describe(notice.ask);
  switch (notice.what) {
    case CtlNotice::What::pending:
      return log_info("an operator's command waits for a second person", {{"partition", notice.ask.partition},
                                                                          {"operator", notice.name},
                                                                          {"number", notice.number},
                                                                          {"command", command},
                                                                          {"because", notice.why},
                                                                          {"reason", notice.ask.reason}});
    case CtlNotice::What::withdrawn:
      return log_info("an operator's command is withdrawn", {{"partition", notice.ask.partition},
                                                             {"operator", notice.name},
                                                             {"number", notice.number},
                                                             {"command", command},
                                                             {"withdrawn_by", notice.other}});
    case CtlNotice::What::lapsed:
      return log_warning("an operator's command has lapsed; nobody has approved it in time",
                         {{"partition", notice.ask.partition},
                          {"operator", notice.name},
                          {"number", notice.number},
                          {"command", command}});
    case CtlNotice::What::refused:
      return log_warning("an operator is refused",
                         {{"operator", notice.name}, {"command", command}, {"because", notice.why}});
  }
}

void report(const RunningPartition& running, const DeviceKeeper::News& news) {
  if (!news.error.empty()) {
    log_error("the device cannot be opened again; it is tried each second",
              {{"partition", running.name()}, {"because", news.because}, {"is", news.error}});
  } else {
    log_warning("the device is open again", {{"partition", running.name()}, {"because", news.because}});
  }
}

void report(const RunningPartition& running, const RunningPartition::LinkNews& news) {
  if (!news.fault.empty()) {
    log_error("the link is down", {{"partition", running.name()}, {"is", news.fault}});
  } else {
    log_warning("the link is up again",
                {{"partition", running.name()}, {"seconds", fmt::format("{:.1f}", news.seconds_down)}});
  }
}

void report(const RunningPartition& running, const StallMonitor::News& news) {
  const LogFields about = {{"partition", running.name()},
                           {"stage", row_of(news.stage).name},
                           {"core", news.core ? std::to_string(*news.core) : "any"},
                           {"seconds", fmt::format("{:.1f}", news.seconds)}};
  if (news.stands_still) {
    log_error("a stage stands still; does anything else run on its core, or is its port stuck?", about);
  } else {
    log_warning("a stage that stood still goes on", about);
  }
}

std::uint64_t random_request() {
  std::random_device random;
  return std::uint64_t{random()} << 32 | random() | 1;
}

/// Nobody here knows what came of the orders of this day before a late start, and behind a roll-over that took too long
/// a call may be missing: until an operator says so, nothing trades.
void halt(const RunningPartition& running, OperatorDesk& desk) {
  CtlAsk ask;
  ask.action = OperatorAction::halt;
  ask.request = random_request();
  ask.reason = running.has_rolled() ? "rolled over behind a phase of the day" : "started behind a phase of the day";
  std::string error;
  if (!desk.submit(ask, {"crosswire"}, error)) throw std::runtime_error(error);
  const LogFields about = {{"partition", running.name()}};
  if (running.has_rolled()) {
    log_warning(
        "phases have passed before the new day could begin, so all symbols are halted; crosswire ctl resume --all",
        about);
  } else {
    log_warning(
        "the day has begun without this process, so all symbols are halted; crosswire ctl resume --all, or run "
        "--resume",
        about);
  }
}

std::string listed(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : " ") + name;
  return list;
}

/// On a thread that takes no signals and inherits our core.
template <class Do>
auto in_background(Do what) {
  return std::async(std::launch::async, [what] {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, nullptr);
    struct Wake {
      ~Wake() { wake_control(); }
    } const when_done;
    return what();
  });
}

template <class Result>
bool is_ready(const std::future<Result>& future) {
  return future.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

}  // namespace

std::uint64_t steady_ns() {
  return static_cast<std::uint64_t>(
      std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count());
}

void report(const CtlNews& news) {
  for (const OperatorDesk::Done& done : news) report(done);
}

void report(const std::vector<Reload::Done>& reloads) {
  for (const Reload::Done& done : reloads) {
    const LogFields about = {{"operator", done.by.name},
                             {"approved_by", done.by.approver},
                             {"rows", done.answer.rows.size() + done.answer.left_out},
                             {"request", done.ask.request},
                             {"reason", done.ask.reason}};
    if (!done.answer.error.empty()) {
      log_error("the configuration is not reloaded", {{"operator", done.by.name}, {"is", done.answer.error}});
      continue;
    }
    if (done.answer.state == CtlReloadState::same) log_info("the configuration is read again, and is the same", about);
    if (done.answer.state == CtlReloadState::checked) log_info("a reload is tried, and nothing is changed", about);
    if (done.answer.state != CtlReloadState::done) continue;
    log_info("the configuration is reloaded", about);
    for (const CtlReloadRow& row : done.answer.rows) {
      log_info(
          row.may ? "a key of the configuration has changed" : "a key of the configuration waits for the next start",
          {{"partition", row.partition}, {"key", row.key}, {"before", row.before}, {"after", row.after}});
    }
  }
}

void report(const std::vector<CtlNotice>& notices, LineAllowance& refusals, std::uint64_t now_ns) {
  for (const CtlNotice& notice : notices) {
    if (notice.what != CtlNotice::What::refused || refusals.take(now_ns)) report(notice);
  }
  if (const std::uint64_t left_out = refusals.left_out(now_ns); left_out > 0) {
    log_warning("more lines of a kind are left out; the counters have all of it",
                {{"kind", "an operator is refused"}, {"lines", left_out}});
  }
}

Days::Days(std::deque<RunningPartition>& partitions, std::deque<OperatorDesk>& desks, ControlSocket* control,
           LiveFigures& figures)
    : control_(control), figures_(figures) {
  for (std::size_t i = 0; i < partitions.size(); ++i) kept_.push_back(Kept{partitions[i], desks[i]});
}

void Days::begin(bool resume) {
  for (Kept& kept : kept_) {
    if (!resume && kept.running.began_late()) halt(kept.running, kept.desk);
  }
  for (Kept& kept : kept_) kept.running.go();
}

bool Days::look() {
  constexpr std::uint64_t kDevicesEveryNs = 100'000'000;
  bool any = false;
  devices_too_ = steady_ns() - devices_looked_ns_ >= kDevicesEveryNs;
  if (devices_too_) devices_looked_ns_ = steady_ns();
  for (Kept& kept : kept_) {
    if (!kept.finished) look_at(kept);
    any |= !kept.finished;
  }
  return any;
}

void Days::look_at(Kept& kept) {
  if (kept.finishing.valid()) return look_at_finishing(kept);
  if (kept.rolling.valid()) return look_at_rolling(kept);
  if (!kept.killed.empty()) kill_again(kept);
  RunningPartition& running = kept.running;
  if (stop_wanted() || running.day_is_over() || running.day_is_ending()) {
    kept.desk.close();
    running.end_day(steady_ns(), stop_wanted_now());
  }
  if (devices_too_ || running.day_has_ended()) running.look_at_day(steady_ns());
  if (running.day_has_ended()) {
    kept.finishing = in_background([&running] { return running.finish_day(); });
    return;
  }
  for (const StallMonitor::News& news : running.look_at_stages(steady_ns())) report(running, news);
  look_for_trouble(kept);
  if (!devices_too_) return;
  if (const auto news = running.look_at_device(steady_ns())) report(running, *news);
  if (const auto news = running.look_at_link(steady_ns())) report(running, *news);
}

/// What lasts, and is told once.
void Days::look_for_trouble(Kept& kept) {
  const RunningPartition& running = kept.running;
  if (running.day_end_is_overdue(steady_ns()) && !std::exchange(kept.overdue_told, true)) {
    log_error("the day cannot end: a stage does not come to its end, and no day follows",
              {{"partition", running.name()}});
  }
  // Its writer says why, as soon as the disk lets it.
  if (running.recording_is_broken() && !std::exchange(kept.broken_recording_told, true)) {
    log_error("the recording has ended before its day, which goes on without", {{"partition", running.name()}});
  }
}

void Days::look_at_finishing(Kept& kept) {
  if (!is_ready(kept.finishing)) return;
  RunningPartition& running = kept.running;
  const RunningPartition::DayEnd end = kept.finishing.get();
  if (control_ != nullptr) {
    report(control_->end_day(kept.desk, end.cut_off));
  } else {
    kept.desk.leave();
  }
  if (!end.error.empty()) errors_.push_back(end.error);
  kept.finished = stop_wanted() || !running.rolls();
  if (kept.finished) return;
  if (!end.error.empty())
    log_error("something of the day is not written", {{"partition", running.name()}, {"is", end.error}});
  if (const std::vector<std::string> held = running.held_symbols(); !held.empty()) {
    log_warning("operators' halts have ended with the day", {{"partition", running.name()}, {"symbols", listed(held)}});
  }
  const std::vector<std::string> killed = running.killed_accounts();
  kept.killed.insert(kept.killed.end(), killed.rbegin(), killed.rend());
  if (!kept.killed.empty()) {
    log_warning("killed accounts stay so over the day's end; crosswire ctl allow",
                {{"partition", running.name()}, {"accounts", listed(kept.killed)}});
  }
  kept.rolling = in_background([this, &running] { running.roll_over(figures_); });
}

void Days::look_at_rolling(Kept& kept) {
  if (!is_ready(kept.rolling)) return;
  try {
    kept.rolling.get();
  } catch (const std::exception& error) {
    // Without its day a partition is nothing. Who supervises the process starts it again, as after any crash.
    log_failure(fmt::format("crosswire run: {}: the next day cannot begin: {}", kept.running.name(), error.what()));
    std::abort();
  }
  kept.overdue_told = false;
  kept.broken_recording_told = kept.running.recording_is_broken();  // from its begin: that is told
  kept.desk.open();
  kill_again(kept);
  if (kept.running.began_late()) halt(kept.running, kept.desk);
  kept.running.go();
}

/// Before any order of the new day, so far as there is room for so many commands at once.
void Days::kill_again(Kept& kept) {
  while (!kept.killed.empty() && kept.desk.under_way() + 1 < OperatorRings::kUnderWay) {
    CtlAsk ask;
    ask.action = OperatorAction::kill;
    ask.account = kept.killed.back();
    ask.request = random_request();
    ask.reason = "killed on the day before";
    std::string error;
    if (!kept.desk.submit(ask, {"crosswire"}, error)) return;  // the day is over already: they stay for the next
    kept.killed.pop_back();
  }
}

}  // namespace crosswire
