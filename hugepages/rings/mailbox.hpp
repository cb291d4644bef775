// Mailbox: a control thread asks a stage for a look at state that only the stage may touch; the stage answers between
// two polls with a bounded copy. Costs the stage one load and one predicted branch a poll; it never waits, locks or
// allocates.
//
//   asker                                     stage, once a poll
//   question = Q                              asked (relaxed) != answered by me?
//   asked = n (release)          ─────►       asked (acquire), reads question, writes items and count
//   waits for answered == n      ◄─────       answered = n (release)
//   answered (acquire), copies items
//
// Neither side writes what the other may be reading: a new question waits until the last one is answered, also when its
// asker has given up.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <thread>
#include <type_traits>
#include <vector>

#include "hugepages/memory/arena.hpp"

namespace crosswire {

template <class Item, std::size_t kMost>
class Mailbox {
  static_assert(std::is_trivially_copyable_v<Item>);

 public:
  static constexpr std::size_t kMostItems = kMost;

  /// The stage: does somebody wait for an answer?
  bool asked() const { return asked_.load(std::memory_order_relaxed) != answered_by_me_; }

  /// The stage, when asked(). `fill(question, items)` writes up to kMost items and returns how many.
  template <class Fill>
  void answer(Fill&& fill) {
    const std::uint64_t number = asked_.load(std::memory_order_acquire);
    count_ = fill(question_, std::span<Item, kMost>(items_));
    answered_by_me_ = number;
    answered_.store(number, std::memory_order_release);
  }

  /// Any control thread; one question at a time, others wait. Sleeps until the stage answers or `patience` is over:
  /// false then, and `items` is empty. A stage that is stalled, or not polled any more, gives no answer.
  bool ask(std::uint64_t question, std::vector<Item>& items, std::chrono::milliseconds patience) {
    const std::lock_guard lock(askers_);
    items.clear();
    const auto until = std::chrono::steady_clock::now() + patience;
    const std::uint64_t last = asked_.load(std::memory_order_relaxed);
    if (!wait_for(last, until)) return false;  // of an asker that gave up
    question_ = question;
    asked_.store(last + 1, std::memory_order_release);
    if (!wait_for(last + 1, until)) return false;
    items.assign(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(count_));
    return true;
  }

 private:
  bool wait_for(std::uint64_t number, std::chrono::steady_clock::time_point until) const {
    while (answered_.load(std::memory_order_acquire) != number) {
      if (std::chrono::steady_clock::now() >= until) return false;
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
    return true;
  }

  // Written by the asker; the stage finds this line unchanged in its cache.
  alignas(kCacheLine) std::atomic<std::uint64_t> asked_{0};
  std::uint64_t question_ = 0;
  // Written by the stage.
  alignas(kCacheLine) std::uint64_t answered_by_me_ = 0;
  std::atomic<std::uint64_t> answered_{0};
  std::size_t count_ = 0;
  std::array<Item, kMost> items_{};
  // Of the askers.
  alignas(kCacheLine) std::mutex askers_;
};

}  // namespace crosswire
