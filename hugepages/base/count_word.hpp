// CountWord: a number that one thread writes and any thread may read while it runs: what a stage counts. Standard
// library only; it can lie in an Arena.
#pragma once

#include <atomic>
#include <cstdint>

namespace crosswire {

/// The writer pays a plain load, add and store: no locked instruction, no fence. Readers see some recent value; two
/// counts read one after the other need not be of one moment. Copying takes the value as it is now.
class CountWord {
 public:
  constexpr CountWord(std::uint64_t value = 0) noexcept : value_(value) {}
  CountWord(const CountWord& other) noexcept : value_(other.get()) {}
  CountWord& operator=(const CountWord& other) noexcept {
    set(other.get());
    return *this;
  }

  /// The writing thread.
  void add(std::uint64_t n = 1) { set(get() + n); }
  /// The writing thread.
  void set(std::uint64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }

  /// Any thread.
  std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
  std::atomic<std::uint64_t> value_;
};

}  // namespace crosswire
