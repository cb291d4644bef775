// Lines on their way to a file, pipe or terminal that may take them late or never: who puts one never waits. A thread
// of the queue's own writes them. Where it cannot keep up, lines are lost and counted, and the next one that is written
// has a line before it that says how many.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace crosswire {

class LineQueue {
 public:
  /// Bytes that wait at most, beside the line that is being written.
  static constexpr std::size_t kMostBytes = std::size_t{1} << 20;

  /// Writes to `fd`, which stays the caller's and stays open for as long as the process lives: a write that is under
  /// way cannot be called back. `say_lost`: the text that tells of so many lost lines, "" for none; `on_error`: once,
  /// with errno of a write that failed. Both on the queue's thread, which takes no signals and inherits the caller's
  /// cores.
  LineQueue(int fd, std::function<std::string(std::uint64_t lost)> say_lost, std::function<void(int error)> on_error);
  /// Without waiting: what has not been written is lost.
  ~LineQueue();
  LineQueue(const LineQueue&) = delete;
  LineQueue& operator=(const LineQueue&) = delete;

  /// Any thread. `text` has its newlines. Throws nothing but std::bad_alloc.
  void put(std::string text);
  /// Lines that were lost, or could not be written. Any thread.
  std::uint64_t lost() const;
  /// Waits until all is written, at most for so long. Returns whether it is.
  bool drain(std::chrono::milliseconds patience);

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;  // with the thread, which may outlive this in a write that does not return
};

}  // namespace crosswire
