// A bad link in one direction: see the header.
#include "netstack/port/impaired_line.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace crosswire {

ImpairedLine::ImpairedLine(const ImpairmentConfig& config, std::uint64_t seed, std::size_t buffers)
    : impairments_(config, seed), bytes_(std::make_unique<Buffer[]>(buffers)), free_(buffers) {
  CHECK(buffers >= kLeastBuffers && buffers <= UINT32_MAX, "%zu buffers", buffers);
  std::iota(free_.rbegin(), free_.rend(), 0u);
  under_way_.reserve(buffers);
  waiting_.reserve(buffers);
}

bool ImpairedLine::leaves_later(const Held& a, const Held& b) {
  return std::tie(a.leaves_ns, a.number) > std::tie(b.leaves_ns, b.number);
}

void ImpairedLine::put(TimeNs now_ns, const RxFrame& frame, const FrameOrigin& origin) {
  const Impairments::Fate fate = impairments_.next(now_ns, frame.length);
  const CheckedSums checked = fate.flips > 0 ? CheckedSums{} : frame.checked;
  for (std::size_t i = 0; i < fate.count; ++i) {
    const Impairments::Fate::Copy& copy = fate.copies[i];
    const auto buffer = copy_in(frame, fate);
    if (!buffer) continue;
    set_out({copy.waits_until_ns, ++came_, now_ns, copy.leaves_ns, copy.overtakers, false, *buffer, frame.length,
             checked, origin});
  }
}

std::optional<std::uint32_t> ImpairedLine::copy_in(const RxFrame& frame, const Impairments::Fate& fate) {
  if (free_.empty() || frame.length > kMaxFrame) {
    impairments_.count(ImpairmentCounter::no_buffer);
    return std::nullopt;
  }
  const std::uint32_t buffer = free_.back();
  free_.pop_back();
  std::copy_n(frame.data, frame.length, bytes_[buffer].begin());
  Impairments::flip(fate, {bytes_[buffer].data(), frame.length});
  return buffer;
}

void ImpairedLine::set_out(const Held& held) {
  if (held.overtakers > 0) {
    waiting_.push_back(held);
    return;
  }
  under_way_.push_back(held);
  std::push_heap(under_way_.begin(), under_way_.end(), leaves_later);
}

std::optional<TimeNs> ImpairedLine::next_ns() const {
  std::optional<TimeNs> next;
  if (!under_way_.empty()) next = under_way_.front().leaves_ns;
  for (const Held& held : waiting_) next = std::min(next.value_or(held.leaves_ns), held.leaves_ns);
  return next;
}

ImpairedLine::Held ImpairedLine::take_first() {
  const auto patient = std::max_element(waiting_.begin(), waiting_.end(), leaves_later);
  if (patient != waiting_.end() && (under_way_.empty() || leaves_later(under_way_.front(), *patient))) {
    const Held first = *patient;
    waiting_.erase(patient);
    return first;
  }
  CHECK(!under_way_.empty(), "nothing is held");
  std::pop_heap(under_way_.begin(), under_way_.end(), leaves_later);
  const Held first = under_way_.back();
  under_way_.pop_back();
  return first;
}

ImpairedLine::Leaving ImpairedLine::take() {
  const Held first = take_first();
  overtake(first);
  if (first.overtaken) impairments_.count(ImpairmentCounter::reordered);
  return {{bytes_[first.buffer].data(), first.length, first.checked},
          first.leaves_ns,
          first.origin,
          first.overtaken || first.leaves_ns > first.came_ns,
          first.buffer};
}

/// It has left, so those that came before it and wait have one more in front. Who has let enough pass is next.
void ImpairedLine::overtake(const Held& first) {
  for (std::size_t i = 0; i < waiting_.size();) {
    Held& held = waiting_[i];
    if (held.number > first.number) {
      ++i;
      continue;
    }
    held.overtaken = true;
    if (--held.overtakers > 0) {
      ++i;
      continue;
    }
    held.leaves_ns = std::max(held.earliest_ns, first.leaves_ns);
    set_out(held);
    waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

void ImpairedLine::let_go(TimeNs now_ns) {
  under_way_.insert(under_way_.end(), waiting_.begin(), waiting_.end());  // there is room for all buffers
  waiting_.clear();
  // What is sorted is a heap.
  std::sort(under_way_.begin(), under_way_.end(), [](const Held& a, const Held& b) { return leaves_later(b, a); });
  for (Held& held : under_way_) {
    held.number = ++came_;
    if (held.leaves_ns <= now_ns) continue;
    held.leaves_ns = now_ns;
    impairments_.count(ImpairmentCounter::let_go_early);
  }
}

}  // namespace crosswire
