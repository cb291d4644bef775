// Capture files through libpcap: frames in from a capture, frames out into one (DESIGN 3, Replay).
// The ports are run by the stages of a replay, the writer also by the recorder's thread. They read and write files, so
// no polling core of `crosswire run` may use them.
#pragma once

#include <cstdio>
#include <deque>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "netstack/port/counters.hpp"
#include "netstack/port/port.hpp"
#include "netstack/port/recording_frames.hpp"

struct pcap;

namespace crosswire {

/// Midnight UTC at or before `epoch_ns` (nanoseconds since the Unix epoch).
std::int64_t midnight_utc(std::int64_t epoch_ns);

/// Writes classic pcap: nanoseconds, Ethernet, byte order of the host. Same calls, same bytes.
/// One thread at a time. The first error is kept, named with the path; what comes after it is not written.
class CaptureWriter {
 public:
  /// Creates or overwrites `path`. An error is in error() at once.
  explicit CaptureWriter(std::string path);
  ~CaptureWriter();
  CaptureWriter(const CaptureWriter&) = delete;
  CaptureWriter& operator=(const CaptureWriter&) = delete;

  /// Appends a frame. `epoch_ns`: 0 .. 2^32 seconds since the Unix epoch, what the format holds; else an error.
  void write(std::int64_t epoch_ns, std::span<const std::uint8_t> frame);
  /// Brings all frames so far to the file. Between calls the writer keeps up to 1 MiB, and writes whole frames only.
  void flush();
  /// Ends the file. Returns the first error of the writer's life in one line, or "". More calls change nothing.
  std::string close();
  [[nodiscard]] const std::string& error() const { return error_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::uint64_t frames() const { return frames_; }

 private:
  void put(const void* bytes, std::size_t length);
  void fail(const char* what, const char* remedy);

  std::string path_;
  std::unique_ptr<char[]> buffer_;  // outlives file_, which writes through it
  std::FILE* file_ = nullptr;
  std::string error_;
  std::uint64_t frames_ = 0;
  std::size_t buffered_ = 0;  // bytes since the last flush
};

/// Plays a capture, read as it goes: pcap or pcapng, micro- or nanoseconds, Ethernet only. A burst is up to kMaxBurst
/// consecutive frames of one timestamp. A start marker as first frame, reference prices behind it and an end marker as
/// last are swallowed. A day-end marker with the start marker's tag is the day's end, a burst without frames; an
/// operator's command with that tag is a burst of its own, out of band. Without it each is a frame like any other. Of a
/// recording that was broken off (recording_frames.hpp) a last frame that is not whole is left out. Errors on the way
/// end the port: receive() returns `ended`, and error() says why.
class CaptureRxPort final : public RxPort {
 public:
  /// Frames may be this long after midnight. A day may begin the evening before, whose midnight its times count from,
  /// and its calendar day may have 25 hours: 49 in all, and a run may go on behind its last phase. Nothing wraps: the
  /// narrowest field that a time goes into has 48 bits (of ITCH; 78 hours), also with the longest linger behind it.
  static constexpr TimeNs kLatestNs = 3 * kNsPerDay;
  static_assert(kLatestNs + 3600 * kNsPerSecond < TimeNs{1} << 48);

  /// A frame stamped further than this before an earlier one has a wrong time, or that one has: what came between them
  /// cannot be known. Where it is taken all the same, and below, it gets the time of the earlier one, and is counted.
  static constexpr TimeNs kLongestFallNs = kNsPerSecond;
  enum class LongFall : std::uint8_t { is_taken, is_an_error };

  /// `midnight_epoch_ns`: the exchange's midnight, ns since the Unix epoch. `schedule_end_ns`: where the day ends at
  /// the earliest, unless a marker says exactly. Throws std::runtime_error (one line: file, what) when the file cannot
  /// be opened, is no capture of Ethernet frames, or its first frame or its reference prices are broken, or the first
  /// frame is outside the day.
  CaptureRxPort(std::string path, std::int64_t midnight_epoch_ns, TimeNs schedule_end_ns = 0,
                LongFall long_fall = LongFall::is_taken);
  ~CaptureRxPort() override;
  CaptureRxPort(const CaptureRxPort&) = delete;
  CaptureRxPort& operator=(const CaptureRxPort&) = delete;

  RxBurst receive() override;

  /// The capture was taken on the host that sent its frames, before a network card had put the checksums in: UDP
  /// checksums that were left to it (netstack/port/partial_checksum.hpp) are taken for none. Before receive().
  void take_partial_checksums() { partial_checksums_ = true; }

  /// For so long the port lingers behind the day's end where no end marker says until when. With 0, and without a
  /// day-end marker, there is no burst for the day's end. Before receive().
  void linger(TimeNs linger_ns) { linger_ns_ = linger_ns; }

  /// Of the start marker or else the first frame; midnight where the capture has no frame.
  [[nodiscard]] TimeNs start_time_ns() const { return start_ns_; }
  /// The MAC address of the run that was recorded; zero if the capture does not say.
  [[nodiscard]] const std::array<std::uint8_t, 6>& station() const { return start_.station; }
  /// The secret of the recorded run's TCP; nothing if it had none.
  [[nodiscard]] const std::optional<std::array<std::uint64_t, 2>>& tcp_secret() const { return start_.tcp_secret; }
  /// It is a recording whose frames have come through an ImpairedRxPort.
  [[nodiscard]] bool impaired() const { return start_.impaired; }
  /// Those that the recorded run began with, where they were not its configuration's.
  [[nodiscard]] const std::vector<ReferencePrice>& references() const { return start_.references; }
  /// "" or, after receive() returned `ended` without an error, that this is a recording which was broken off, and when:
  /// the file and the time of its last frame, in one line.
  [[nodiscard]] std::string broken_off() const;
  /// "" or, after receive() returned `ended`, what broke off the reading: file, frame number (from 1) and reason.
  [[nodiscard]] const std::string& error() const { return error_; }
  [[nodiscard]] const CaptureCounters& counters() const { return counters_; }

  /// Time of the first frame, ns since the Unix epoch, to derive midnight from. Throws as the constructor does, and
  /// when there is no frame.
  static std::int64_t first_frame_epoch_ns(const std::string& path);

 private:
  struct Pending {
    TimeNs time_ns;
    std::uint32_t length;  // may be above kMaxFrame: then pending_bytes_ holds its beginning
  };
  using Buffer = std::array<std::uint8_t, kMaxFrame>;

  void advance();
  bool settle_time(TimeNs stamped_ns);
  void take_references();
  bool take_pending(RxFrame& view, Buffer& buffer);
  RxBurst end_day();
  RxBurst end();
  std::span<const std::uint8_t> pending() const;
  bool is_day_end() const;
  bool is_operators() const;
  bool is_of_this_version();
  void close();

  std::string path_;
  pcap* handle_ = nullptr;
  std::int64_t midnight_epoch_ns_;
  TimeNs schedule_end_ns_;
  LongFall long_fall_;
  TimeNs linger_ns_ = 0;
  TimeNs start_ns_ = 0;
  TimeNs last_ns_ = 0;              // of the last burst
  TimeNs latest_ns_ = 0;            // of all frames read
  std::uint64_t latest_frame_ = 0;  // which has it
  TimeNs day_end_ns_ = 0;           // once day_over_
  bool day_over_ = false;
  bool has_start_marker_ = false;
  bool has_end_marker_ = false;
  bool partial_checksums_ = false;
  RecordingStart start_;
  std::uint64_t frames_read_ = 0;
  std::string error_;
  CaptureCounters counters_;

  // One frame is read ahead: only so does one know where a burst ends and which frame is the last.
  bool has_pending_ = false;
  Pending pending_{};
  Buffer pending_bytes_{};
  std::unique_ptr<Buffer[]> buffers_;
  std::array<RxFrame, kMaxBurst> views_{};
};

class CaptureOutput;

/// Takes frames without limit and keeps them for its CaptureOutput. reserve() never returns nullptr. Made by
/// CaptureOutput::add_port(); each stage has its own, as a stage may hold a reserved buffer from poll to poll. The
/// stage may run on another thread than its CaptureOutput: flush() and drain() take turns.
class CaptureTxPort final : public TxPort {
 public:
  CaptureTxPort();
  std::size_t flush() override;

 private:
  friend class CaptureOutput;
  struct Kept {
    FrameOrigin origin;
    std::size_t offset;  // in bytes_
    std::uint32_t length;
  };
  using Buffer = std::array<std::uint8_t, kMaxFrame>;

  bool refill() override;
  void forget(Sequence complete);

  std::unique_ptr<Buffer[]> buffers_;
  // What has been flushed and not written yet.
  std::mutex mutex_;
  std::vector<std::uint8_t> bytes_;
  std::vector<Kept> kept_;
  Sequence newest_{0};  // cause of the last frame flushed
  bool silent_ = false;
};

/// Brings the frames of all its ports into one file in the order (cause, rank, emission), each at its cause's time, so
/// that the bytes do not depend on which stage was polled first. For one thread, the one that drives the replay.
class CaptureOutput {
 public:
  /// `writer` outlives this. `midnight_epoch_ns` as for CaptureRxPort.
  CaptureOutput(CaptureWriter& writer, std::int64_t midnight_epoch_ns)
      : writer_(writer), midnight_epoch_ns_(midnight_epoch_ns) {}

  /// Lives as long as this does. `silent`: of a stage that will send nothing, so that drain_passed() waits for the
  /// others alone.
  CaptureTxPort& add_port(bool silent = false) {
    CaptureTxPort& port = ports_.emplace_back();
    port.silent_ = silent;
    return port;
  }

  /// Appends the flushed frames whose cause is at most `complete` to the file and returns how many. To be called when
  /// no stage will send another frame for a command up to `complete`: after a driver step that left nothing behind, or
  /// with the slowest stage's position. Frames of later causes stay.
  std::size_t drain(Sequence complete = {std::numeric_limits<std::uint64_t>::max()});

  /// The same while the stages run on threads of their own: up to the cause before which no port will have another
  /// frame, as the causes of a stage's frames never fall. drain() is for the rest, when they have ended.
  std::size_t drain_passed();

 private:
  struct Due {
    FrameOrigin origin;
    std::span<const std::uint8_t> bytes;
  };
  CaptureWriter& writer_;
  std::int64_t midnight_epoch_ns_;
  std::deque<CaptureTxPort> ports_;  // addresses stay
  std::vector<Due> due_;             // kept for its memory
};

}  // namespace crosswire
