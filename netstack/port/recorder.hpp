// `crosswire run --record`: a port that keeps a copy of every frame that another port hands on, for a later replay.
// The receive stage polls it; a thread of its own writes the file. The polling side only copies into a byte ring: no
// system call, no allocation, no lock. A recording that cannot go on is broken off, and the exchange goes on without.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "hugepages/memory/arena.hpp"
#include "netstack/port/capture.hpp"
#include "netstack/port/counters.hpp"
#include "netstack/port/port.hpp"

namespace crosswire {

/// Bytes from one thread to another in whole records of a frame each. One producer, one consumer.
/// Positions count bytes for ever; a record is a header and the frame, padded to the header's size.
class RecordRing {
 public:
  struct Header {
    TimeNs time_ns;
    std::uint32_t length;  // of the frame behind it
    std::uint32_t kind;    // RecordingRxPort's own
  };
  static_assert(sizeof(Header) == 16);

  static constexpr std::size_t record_bytes(std::size_t frame_length) {
    return sizeof(Header) + (frame_length + sizeof(Header) - 1) / sizeof(Header) * sizeof(Header);
  }

  /// `capacity` bytes, a power of two, from `arena`.
  RecordRing(Arena& arena, std::size_t capacity);

  /// Producer: whether `bytes` more fit now.
  bool has_room(std::size_t bytes);
  /// Producer: writes a record that fits; seen by the consumer after publish().
  void append(const Header& header, const std::uint8_t* frame);
  void publish() { published_.store(written_, std::memory_order_release); }

  std::uint64_t capacity() const { return mask_ + 1; }
  /// Bytes published and not yet taken, at some moment. Any thread.
  std::uint64_t waiting() const {
    const std::uint64_t released = released_.load(std::memory_order_acquire);  // first: it is never ahead
    return published_.load(std::memory_order_acquire) - released;
  }

  /// Consumer: copies the oldest record out; `frame` has kMaxFrame bytes. False when there is none.
  bool take(Header& header, std::uint8_t* frame);

 private:
  void copy_in(std::uint64_t position, const void* from, std::size_t length);
  void copy_out(std::uint64_t position, void* to, std::size_t length) const;

  std::uint8_t* bytes_;
  std::uint64_t mask_;
  alignas(kCacheLine) std::atomic<std::uint64_t> published_{0};  // written by the producer
  alignas(kCacheLine) std::atomic<std::uint64_t> released_{0};   // written by the consumer
  alignas(kCacheLine) std::uint64_t written_ = 0;                // producer's own
  std::uint64_t released_seen_ = 0;
  alignas(kCacheLine) std::uint64_t consumed_ = 0;  // consumer's own
  std::uint64_t published_seen_ = 0;
};

class RecordingRxPort final : public RxPort {
 public:
  /// At 14 M small frames a second this is 10 ms of frames; the writer wakes every millisecond.
  static constexpr std::size_t kDefaultRingBytes = std::size_t{16} << 20;
  static std::size_t bytes_for(std::size_t ring_bytes = kDefaultRingBytes) {
    return Arena::bytes_for<std::uint8_t>(ring_bytes);
  }

  /// The file is this far behind at most, unless the disk is slower than the wire: what a killed process may lose.
  static constexpr std::chrono::milliseconds kFlushInterval{100};
  /// When the ring has had no room for so long, by the inner port's time, the recording is broken off.
  static constexpr TimeNs kLongestHoldNs = kNsPerSecond / 10;

  /// `inner` and `arena` outlive this. `ring_bytes`: a power of two, at least two full bursts.
  RecordingRxPort(RxPort& inner, Arena& arena, std::int64_t midnight_epoch_ns, TimeNs start_time_ns,
                  std::size_t ring_bytes = kDefaultRingBytes);
  ~RecordingRxPort() override;

  /// Records what `inner` hands on into `path` (created or overwritten), after a start marker, which is in the file on
  /// return. To be called once, before receive(), when all else is ready to run. The writer's thread inherits the cores
  /// of the calling thread: call it before pinning. Throws std::runtime_error (one line) when the file cannot be
  /// written; who polls all the same records nothing.
  /// `start`: the tag is random, so that nobody can put an operator's command into the recording from the wire. It must
  /// be there where there are reference prices.
  void begin(const std::string& path, const RecordingStart& start = {});

  /// In begin()'s place, where there is no file to record into: bursts are handed on, and finish() returns `why`.
  void give_up(const std::string& why);

  /// The inner port's burst. Where the ring has no room for a full one, the inner port is not polled: an empty burst at
  /// the present time, counted in counters(); the frames wait in the NIC's ring. When that has lasted for
  /// kLongestHoldNs, or the file fails, the recording is broken off: from then on bursts are handed on unrecorded. What
  /// is in the ring is still written, no end marker follows, and the writer says it in a notice.
  RxBurst receive() override;

  /// Recorded behind the last burst, at its time; without room the recording is broken off.
  void note(std::span<const std::uint8_t> frame) override;

  /// Writes out the rest and ends the file. To be called when receive() is no longer called; again is harmless. Returns
  /// "" or in one line why the recording is not whole.
  std::string finish();

  /// Not broken off. Any thread.
  [[nodiscard]] bool going_on() const { return broken_off_.load(std::memory_order_relaxed) == BrokenOff::no; }

  // Any thread.
  /// Bytes of frames that its thread has given to the file.
  [[nodiscard]] std::uint64_t written_bytes() const { return written_bytes_.get(); }
  /// Bytes that wait for that thread, and as many as may.
  [[nodiscard]] std::uint64_t waiting_bytes() const { return ring_.waiting(); }
  [[nodiscard]] std::uint64_t ring_bytes() const { return ring_.capacity(); }

  /// Any thread.
  [[nodiscard]] const RecorderCounters& counters() const { return counters_; }

 private:
  enum class BrokenOff : std::uint8_t { no, ring_full, file };

  [[gnu::cold]] RxBurst hold_back();
  void break_off(BrokenOff reason);
  void record(const RxBurst& burst);
  void record_own(TimeNs time_ns, std::span<const std::uint8_t> frame);
  void write_until_stopped(const std::stop_token& stop);
  void drain();
  void say_broken_off(const std::string& why);

  RxPort& inner_;
  RecordRing ring_;
  std::int64_t midnight_epoch_ns_;
  TimeNs last_ns_;
  wire::RecordingTag tag_{};
  bool ended_ = false;
  bool held_back_ = false;    // the last poll found no room
  TimeNs held_since_ns_ = 0;  // then: since when
  std::atomic<BrokenOff> broken_off_{BrokenOff::no};
  RecorderCounters counters_;
  // The writer's thread alone, until it has joined.
  std::optional<CaptureWriter> writer_;  // from begin() on
  std::string error_;                    // once it has said it
  CountWord written_bytes_;
  std::jthread thread_;
};

}  // namespace crosswire
