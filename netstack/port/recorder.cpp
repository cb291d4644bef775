// The recorder: the polling side copies frames into a byte ring, the writer's thread brings them to the file.
#include "netstack/port/recorder.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include "hugepages/base/notice.hpp"

namespace crosswire {
namespace {

enum Kind : std::uint32_t { kFrame, kDayEndMarker, kEndMarker };

constexpr std::size_t kFullBurstBytes = kMaxBurst * RecordRing::record_bytes(kMaxFrame);
constexpr std::chrono::milliseconds kWriterPause{1};

}  // namespace

// --- ring ---

RecordRing::RecordRing(Arena& arena, std::size_t capacity)
    : bytes_(arena.array<std::uint8_t>(capacity).data()), mask_(capacity - 1) {
  CHECK(std::has_single_bit(capacity) && capacity >= 2 * kFullBurstBytes, "ring of %zu bytes", capacity);
}

bool RecordRing::has_room(std::size_t bytes) {
  const std::uint64_t capacity = mask_ + 1;
  if (written_ + bytes - released_seen_ <= capacity) return true;
  released_seen_ = released_.load(std::memory_order_acquire);
  return written_ + bytes - released_seen_ <= capacity;
}

void RecordRing::append(const Header& header, const std::uint8_t* frame) {
  CHECK(header.length <= kMaxFrame && has_room(record_bytes(header.length)), "record of %u bytes", header.length);
  copy_in(written_, &header, sizeof header);
  copy_in(written_ + sizeof header, frame, header.length);
  written_ += record_bytes(header.length);
}

bool RecordRing::take(Header& header, std::uint8_t* frame) {
  if (consumed_ == published_seen_) {
    published_seen_ = published_.load(std::memory_order_acquire);
    if (consumed_ == published_seen_) return false;
  }
  copy_out(consumed_, &header, sizeof header);
  copy_out(consumed_ + sizeof header, frame, header.length);
  consumed_ += record_bytes(header.length);
  released_.store(consumed_, std::memory_order_release);
  return true;
}

void RecordRing::copy_in(std::uint64_t position, const void* from, std::size_t length) {
  if (length == 0) return;
  const std::size_t offset = position & mask_;
  const std::size_t first = std::min<std::size_t>(length, mask_ + 1 - offset);
  std::memcpy(bytes_ + offset, from, first);
  std::memcpy(bytes_, static_cast<const std::uint8_t*>(from) + first, length - first);
}

void RecordRing::copy_out(std::uint64_t position, void* to, std::size_t length) const {
  if (length == 0) return;
  const std::size_t offset = position & mask_;
  const std::size_t first = std::min<std::size_t>(length, mask_ + 1 - offset);
  std::memcpy(to, bytes_ + offset, first);
  std::memcpy(static_cast<std::uint8_t*>(to) + first, bytes_, length - first);
}

// --- port ---

RecordingRxPort::RecordingRxPort(RxPort& inner, Arena& arena, std::int64_t midnight_epoch_ns, TimeNs start_time_ns,
                                 std::size_t ring_bytes)
    : inner_(inner), ring_(arena, ring_bytes), midnight_epoch_ns_(midnight_epoch_ns), last_ns_(start_time_ns) {}

void RecordingRxPort::begin(const std::string& path, const RecordingStart& start) {
  CHECK(start.references.empty() || start.tag != wire::RecordingTag{}, "reference prices of a recording without a tag");
  tag_ = start.tag;
  const std::int64_t start_epoch_ns = midnight_epoch_ns_ + static_cast<std::int64_t>(last_ns_);
  writer_.emplace(path);
  // It has passwords and the secret of TCP's numbers. What is no file of ours (a device, a pipe) stays as it is.
  std::error_code ignored;
  if (std::filesystem::is_regular_file(path, ignored)) {
    std::filesystem::permissions(
        path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write, ignored);
  }
  writer_->write(start_epoch_ns, start_marker(start));
  for (const std::vector<std::uint8_t>& frame : reference_frames(start)) writer_->write(start_epoch_ns, frame);
  writer_->flush();  // a full disk is told now
  if (!writer_->error().empty()) {
    give_up(writer_->error());
    throw std::runtime_error(error_);
  }
  thread_ = std::jthread([this](const std::stop_token& stop) { write_until_stopped(stop); });
}

void RecordingRxPort::give_up(const std::string& why) {
  error_ = why;
  break_off(BrokenOff::file);
}

RecordingRxPort::~RecordingRxPort() { finish(); }

RxBurst RecordingRxPort::receive() {
  if (ended_ || !going_on()) [[unlikely]]
    return inner_.receive();
  if (!ring_.has_room(kFullBurstBytes)) [[unlikely]]
    return hold_back();
  held_back_ = false;
  const RxBurst burst = inner_.receive();
  last_ns_ = burst.time_ns;
  if (!burst.frames.empty() || burst.day_ended || burst.ended) record(burst);
  return burst;
}

/// Time goes on meanwhile: phases, expiries and heartbeats do not wait for a disk.
RxBurst RecordingRxPort::hold_back() {
  counters_.add(RecorderCounter::recorder_held_back);
  last_ns_ = std::max(last_ns_, inner_.time_now());
  if (!std::exchange(held_back_, true)) held_since_ns_ = last_ns_;
  if (last_ns_ - held_since_ns_ >= kLongestHoldNs) break_off(BrokenOff::ring_full);
  return {{}, last_ns_, false};
}

/// What was published before is there for who sees it. The first reason stays.
void RecordingRxPort::break_off(BrokenOff reason) {
  BrokenOff before = BrokenOff::no;
  broken_off_.compare_exchange_strong(before, reason, std::memory_order_release, std::memory_order_relaxed);
}

void RecordingRxPort::record(const RxBurst& burst) {
  if (burst.out_of_band) {
    const RxFrame& frame = burst.frames.front();
    CHECK(frame.length == sizeof(wire::OperatorFrame), "an operator's command of %u bytes", frame.length);
    record_own(burst.time_ns, {frame.data, frame.length});
  } else {
    for (const RxFrame& frame : burst.frames) ring_.append({burst.time_ns, frame.length, kFrame}, frame.data);
  }
  if (burst.day_ended) ring_.append({burst.time_ns, 0, kDayEndMarker}, nullptr);
  if (burst.ended) {
    ended_ = true;
    ring_.append({burst.time_ns, 0, kEndMarker}, nullptr);
  }
  ring_.publish();
}

/// A frame that came past the wire: with the recording's tag.
void RecordingRxPort::record_own(TimeNs time_ns, std::span<const std::uint8_t> frame) {
  std::array<std::uint8_t, sizeof(wire::OperatorFrame)> tagged;
  constexpr std::size_t kTag = offsetof(wire::OperatorFrame, tag);
  CHECK(frame.size() <= tagged.size() && frame.size() >= kTag + tag_.size(), "%zu bytes of our own", frame.size());
  std::copy(frame.begin(), frame.end(), tagged.begin());
  std::copy(tag_.begin(), tag_.end(), tagged.begin() + kTag);
  ring_.append({time_ns, static_cast<std::uint32_t>(frame.size()), kFrame}, tagged.data());
}

void RecordingRxPort::note(std::span<const std::uint8_t> frame) {
  if (ended_ || !going_on()) return;
  if (!ring_.has_room(RecordRing::record_bytes(frame.size()))) return break_off(BrokenOff::ring_full);
  record_own(last_ns_, frame);
  ring_.publish();
}

std::string RecordingRxPort::finish() {
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
  }
  const std::string close_error = writer_ ? writer_->close() : "";
  return error_.empty() ? close_error : error_;
}

void RecordingRxPort::write_until_stopped(const std::stop_token& stop) {
  // The polling core may not wake anybody (a system call), so the writer looks by itself.
  using Clock = std::chrono::steady_clock;
  Clock::time_point flushed = Clock::now();
  while (!stop.stop_requested()) {
    drain();
    if (const Clock::time_point now = Clock::now(); now - flushed >= kFlushInterval) {
      writer_->flush();
      flushed = now;
    }
    std::this_thread::sleep_for(kWriterPause);
  }
  drain();
}

void RecordingRxPort::drain() {
  // Before what is in the ring, which may take a slow disk long; nothing is published behind it.
  if (broken_off_.load(std::memory_order_acquire) == BrokenOff::ring_full) {
    say_broken_off(writer_->path() + ": the disk has taken too little for 100 ms; give a path on a faster one");
  }
  RecordRing::Header header{};
  std::array<std::uint8_t, kMaxFrame> frame;
  const auto end = end_marker();
  while (ring_.take(header, frame.data())) {
    const std::int64_t epoch_ns = midnight_epoch_ns_ + static_cast<std::int64_t>(header.time_ns);
    if (header.kind == kEndMarker) {
      writer_->write(epoch_ns, end);
    } else if (header.kind == kDayEndMarker) {
      writer_->write(epoch_ns, day_end_marker(tag_));
    } else {
      writer_->write(epoch_ns, {frame.data(), header.length});
      written_bytes_.add(header.length);
    }
  }
  if (!writer_->error().empty()) {
    break_off(BrokenOff::file);
    say_broken_off(writer_->error());
  }
}

/// Once: what follows, follows from it.
void RecordingRxPort::say_broken_off(const std::string& why) {
  if (!error_.empty()) return;
  error_ = why;
  notice(NoticeLevel::error, "recording broken off: " + why);
}

}  // namespace crosswire
