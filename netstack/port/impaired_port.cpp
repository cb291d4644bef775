// Ports behind a bad link: see the header.
#include "netstack/port/impaired_port.hpp"

#include <algorithm>
#include <limits>

namespace crosswire {
namespace {

/// Behind all times, and far from the end of what they are counted in.
constexpr TimeNs kForever = TimeNs{1} << 62;

}  // namespace

// --- receive ---

ImpairedRxPort::ImpairedRxPort(RxPort& inner, const ImpairmentConfig& config, std::uint64_t seed, std::size_t buffers)
    : inner_(inner), line_(config, seed, buffers) {}

TimeNs ImpairedRxPort::time_now() {
  const TimeNs now_ns = inner_.time_now();
  last_ns_ = std::max(last_ns_, now_ns);
  return now_ns == 0 ? 0 : last_ns_;
}

RxBurst ImpairedRxPort::receive() {
  for (; given_ > 0; --given_) line_.give_back(buffers_[given_ - 1]);
  if (told_) take_in();
  if (const auto due = due_ns()) return give(*due);
  told_ = true;
  last_ns_ = std::max(last_ns_, burst_.time_ns);
  RxBurst burst = burst_;
  burst.time_ns = last_ns_;
  if (!passes_) burst.frames = {};
  return burst;
}

void ImpairedRxPort::take_in() {
  burst_ = inner_.receive();
  told_ = false;
  passes_ = burst_.out_of_band || burst_.day_ended || burst_.ended;
  clock_.store(burst_.time_ns, std::memory_order_relaxed);
  if (passes_) return line_.let_go(burst_.time_ns);
  for (const RxFrame& frame : burst_.frames) line_.put(burst_.time_ns, frame);
}

/// The time of the burst that comes before the inner port's last is told, if there is one.
std::optional<TimeNs> ImpairedRxPort::due_ns() const {
  const auto next = line_.next_ns();
  if (!next || *next > burst_.time_ns) return std::nullopt;
  return std::max(*next, last_ns_);
}

/// Those that leave at one time are one burst. Where they are too many a full one goes in front, as of a capture.
RxBurst ImpairedRxPort::give(TimeNs time_ns) {
  while (given_ < kMaxBurst && due_ns() == time_ns) {
    const ImpairedLine::Leaving leaving = line_.take();
    views_[given_] = leaving.frame;
    buffers_[given_++] = leaving.buffer;
  }
  last_ns_ = time_ns;
  told_ = !passes_ && !due_ns() && time_ns >= burst_.time_ns;
  return {{views_.data(), given_}, time_ns, false};
}

// --- transmit ---

ImpairedTxPort::ImpairedTxPort(TxPort& inner, const ImpairmentConfig& config, std::uint64_t seed, std::size_t buffers,
                               const std::atomic<TimeNs>* clock)
    : inner_(inner), line_(config, seed, buffers), clock_(clock), bytes_(std::make_unique<Buffer[]>(kMaxBurst)) {
  for (std::size_t i = 0; i < kMaxBurst; ++i) batch_[i].data = bytes_[i].data();
  ready_ = kMaxBurst;
  called_.store(true, std::memory_order_relaxed);  // for good: time passes, and the inner port may have been called
}

std::size_t ImpairedTxPort::flush() {
  if (clock_ != nullptr) now_ns_ = std::max(now_ns_, clock_->load(std::memory_order_relaxed));
  std::size_t taken = 0;
  // One after the other: what comes out does not depend on how many wait.
  while (send_due() && taken < used_) {
    const Slot& slot = batch_[taken++];
    now_ns_ = std::max(now_ns_, slot.origin.time_ns);
    cause_ = slot.origin.cause;
    line_.put(now_ns_, {slot.data, slot.length}, slot.origin);
  }
  if (inner_.wants_flush()) inner_.flush();
  // Rotated: what is left stays first, and a reserved buffer stays the next one.
  std::rotate(batch_.begin(), batch_.begin() + static_cast<std::ptrdiff_t>(taken), batch_.end());
  used_ -= taken;
  return taken;
}

/// False where the inner port has no room.
bool ImpairedTxPort::send_due() {
  for (auto next = line_.next_ns(); next && *next <= now_ns_; next = line_.next_ns()) {
    std::uint8_t* const room = inner_.reserve();
    if (room == nullptr) return false;
    const ImpairedLine::Leaving leaving = line_.take();
    std::copy_n(leaving.frame.data, leaving.frame.length, room);
    const FrameOrigin held{cause_, leaving.at_ns, leaving.origin.rank};
    inner_.commit(leaving.frame.length, leaving.held ? held : leaving.origin);
    line_.give_back(leaving.buffer);
  }
  return true;
}

void ImpairedTxPort::let_go() {
  flush();
  // Behind all that may be said to have caused it, so that a capture has it last whenever it was written.
  cause_ = {std::numeric_limits<std::uint64_t>::max()};
  now_ns_ = kForever;
  flush();
}

bool ImpairedTxPort::refill() {
  flush();
  return used_ < ready_;
}

}  // namespace crosswire
