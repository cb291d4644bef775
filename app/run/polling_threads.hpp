// The polling threads of `crosswire run`: one for each loop of each partition, on its core. Started, watched and joined
// by the control thread.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "app/config/config.hpp"
#include "app/partition/core_loop.hpp"
#include "app/run/poll.hpp"
#include "netstack/port/device.hpp"
#include "netstack/port/tsc_clock.hpp"

namespace crosswire {

struct PollingTask {
  CoreLoop* loop;
  DeviceRxPort* rx;              // of its partition
  std::optional<unsigned> core;  // none: wherever the operating system puts the thread
  Idle idle;
  std::string location;  // of the core in the configuration, for messages
};

class PollingThreads {
 public:
  /// Starts the threads: each takes its core, becomes DPDK's and has its memory resident; all are ready on return, and
  /// poll nothing yet. They take no signals. `on_end` is called on each thread when it has polled its last, and must
  /// not throw. Throws std::runtime_error (one line) when a thread cannot be what it is to be; then none is left.
  PollingThreads(std::vector<PollingTask> tasks, const TscClock& clock, std::function<void()> on_end);
  /// Ends the day where they still poll.
  ~PollingThreads();
  PollingThreads(const PollingThreads&) = delete;
  PollingThreads& operator=(const PollingThreads&) = delete;

  /// Whether the kernel promised each to leave its memory there.
  bool locked() const;
  void go();
  /// All have polled their last.
  bool ended() const { return running_.load(std::memory_order_acquire) == 0; }
  /// Waits until they have. In the order of the tasks.
  std::vector<PollEnd> join();

 private:
  enum class Order { wait, go, leave };
  struct Seat {
    PollingTask task;
    std::string error;
    bool locked = false;
    PollEnd end{};
  };

  void run(Seat& seat);
  void start(Seat& seat);
  void leave();

  TscClock clock_;
  std::function<void()> on_end_;
  std::vector<Seat> seats_;
  std::atomic<std::size_t> ready_{0};
  std::atomic<std::size_t> running_;
  std::atomic<Order> order_{Order::wait};
  std::vector<std::jthread> threads_;
};

}  // namespace crosswire
