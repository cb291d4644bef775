// Lines that wait for nobody: see the header.
#include "app/files/line_queue.hpp"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

namespace crosswire {

struct LineQueue::Shared {
  struct Line {
    std::string text;
    std::uint64_t lost_before;
  };

  int fd = -1;
  std::function<std::string(std::uint64_t)> say_lost;
  std::function<void(int)> on_error;

  std::mutex mutex;
  std::condition_variable news;  // a line, or the end
  std::condition_variable idle;  // all is written
  std::deque<Line> lines;
  std::size_t bytes = 0;          // of these
  std::uint64_t lost = 0;         // ever
  std::uint64_t lost_untold = 0;  // since the last of the lines
  bool writing = false;
  bool refused = false;  // the last one could not be written
  bool ended = false;
  bool complained = false;  // the thread's own

  bool write_all(const std::string& text) {
    for (std::size_t done = 0; done < text.size();) {
      const ssize_t n = ::write(fd, text.data() + done, text.size() - done);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return false;
      done += static_cast<std::size_t>(n);
    }
    return true;
  }

  void run() {
    std::unique_lock lock(mutex);
    while (true) {
      news.wait(lock, [this] { return ended || !lines.empty() || (lost_untold > 0 && !refused); });
      if (ended) return;
      Line line;
      if (lines.empty()) {
        line.lost_before = std::exchange(lost_untold, 0);
      } else {
        line = std::move(lines.front());
        lines.pop_front();
        bytes -= line.text.size();
      }
      writing = true;
      lock.unlock();
      const std::string before = line.lost_before > 0 ? say_lost(line.lost_before) : "";
      const bool good = write_all(before) && write_all(line.text);
      if (!good && !std::exchange(complained, true)) on_error(errno);
      lock.lock();
      writing = false;
      refused = !good;
      if (refused) forgo(line);
      if (lines.empty()) idle.notify_all();
    }
  }

  /// A line of its own that told it would fail again: what is written next tells it.
  void forgo(const Line& line) {
    const std::uint64_t own = line.text.empty() ? 0 : 1;
    lost += own;
    (lines.empty() ? lost_untold : lines.front().lost_before) += line.lost_before + own;
  }
};

LineQueue::LineQueue(int fd, std::function<std::string(std::uint64_t)> say_lost, std::function<void(int)> on_error)
    : shared_(std::make_shared<Shared>()) {
  shared_->fd = fd;
  shared_->say_lost = std::move(say_lost);
  shared_->on_error = std::move(on_error);
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread([shared = shared_] { shared->run(); }).detach();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

LineQueue::~LineQueue() {
  const std::lock_guard lock(shared_->mutex);
  shared_->ended = true;
  shared_->news.notify_all();
}

void LineQueue::put(std::string text) {
  const std::lock_guard lock(shared_->mutex);
  if (shared_->bytes + text.size() > kMostBytes) {
    ++shared_->lost;
    ++shared_->lost_untold;
    return;
  }
  shared_->bytes += text.size();
  shared_->lines.push_back({std::move(text), std::exchange(shared_->lost_untold, 0)});
  shared_->news.notify_one();
}

std::uint64_t LineQueue::lost() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->lost;
}

bool LineQueue::drain(std::chrono::milliseconds patience) {
  std::unique_lock lock(shared_->mutex);
  return shared_->idle.wait_for(lock, patience, [this] {
    return shared_->lines.empty() && !shared_->writing && (shared_->lost_untold == 0 || shared_->refused);
  });
}

}  // namespace crosswire
