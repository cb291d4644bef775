// The polling threads: see the header.
#include "app/run/polling_threads.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "hugepages/host/pinning.hpp"
#include "hugepages/memory/resident.hpp"
#include "netstack/port/eal.hpp"

namespace crosswire {
namespace {

/// While it lives, threads that are started take no signals: those are the control thread's.
class NoSignals {
 public:
  NoSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~NoSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  NoSignals(const NoSignals&) = delete;
  NoSignals& operator=(const NoSignals&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

PollingThreads::PollingThreads(std::vector<PollingTask> tasks, const TscClock& clock, std::function<void()> on_end)
    : clock_(clock), on_end_(std::move(on_end)), running_(tasks.size()) {
  for (PollingTask& task : tasks) seats_.push_back({std::move(task), "", false, {}});
  try {
    const NoSignals no_signals;
    for (Seat& seat : seats_) threads_.emplace_back([this, &seat] { run(seat); });
  } catch (const std::system_error& error) {
    leave();
    throw std::runtime_error(fmt::format("cannot start a thread: {}; raise ulimit -u", error.what()));
  }
  for (std::size_t n = ready_.load(); n != seats_.size(); n = ready_.load()) ready_.wait(n);
  const auto failed = std::find_if(seats_.begin(), seats_.end(), [](const Seat& seat) { return !seat.error.empty(); });
  if (failed == seats_.end()) return;
  leave();
  throw std::runtime_error(fmt::format("{}: {}", failed->task.location, failed->error));
}

PollingThreads::~PollingThreads() {
  if (order_.load() == Order::wait) leave();
  for (Seat& seat : seats_) seat.task.rx->request_end();
}

bool PollingThreads::locked() const {
  return std::all_of(seats_.begin(), seats_.end(), [](const Seat& seat) { return seat.locked; });
}

void PollingThreads::go() {
  order_.store(Order::go);
  order_.notify_all();
}

std::vector<PollEnd> PollingThreads::join() {
  threads_.clear();
  std::vector<PollEnd> ends;
  for (const Seat& seat : seats_) ends.push_back(seat.end);
  return ends;
}

void PollingThreads::leave() {
  order_.store(Order::leave);
  order_.notify_all();
  threads_.clear();
}

void PollingThreads::start(Seat& seat) {
  // A thread without a core has inherited control's.
  seat.error = seat.task.core ? pin_this_thread(*seat.task.core) : free_this_thread();
  if (seat.error.empty()) seat.error = eal_register_thread();
  if (seat.error.empty()) seat.locked = make_resident();
}

void PollingThreads::run(Seat& seat) {
  start(seat);
  ready_.fetch_add(1);
  ready_.notify_all();
  order_.wait(Order::wait);
  if (order_.load() == Order::leave) return eal_unregister_thread();
  seat.end = poll_until_ended(*seat.task.loop, *seat.task.rx, seat.task.idle, clock_);
  eal_unregister_thread();
  running_.fetch_sub(1, std::memory_order_release);
  on_end_();
}

}  // namespace crosswire
