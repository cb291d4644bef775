// Brings what the connections of a capture say into the order of time: one that waits for a lost segment says later
// what came earlier. Tools only; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "app/flow/soup_connection.hpp"

namespace crosswire {

class EventOrder {
 public:
  using Take = std::function<void(const StreamEvent&)>;
  explicit EventOrder(Take take) : take_(std::move(take)) {}

  void add(StreamEvent&& event) {
    cost_ += cost_of(event);
    const std::pair key{event.at.frame, next_++};
    waiting_.emplace_hint(waiting_.end(), key, std::move(event));
  }

  /// Hands on the events of frames before `frame`: no connection has any of these left to tell.
  void hand_on(std::uint64_t frame) {
    while (!waiting_.empty() && waiting_.begin()->first.first < frame) {
      const auto first = waiting_.extract(waiting_.begin());
      cost_ -= cost_of(first.mapped());
      take_(first.mapped());
    }
  }

  /// Bytes of memory, about.
  std::size_t cost() const { return cost_; }

 private:
  static std::size_t cost_of(const StreamEvent& event) { return 2 * sizeof(StreamEvent) + event.bytes.size(); }

  Take take_;
  // By frame, then as they came: those of one frame are of one connection.
  std::map<std::pair<std::uint64_t, std::uint64_t>, StreamEvent> waiting_;
  std::uint64_t next_ = 0;
  std::size_t cost_ = 0;
};

}  // namespace crosswire
