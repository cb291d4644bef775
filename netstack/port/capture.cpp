// Capture files: libpcap for reading (it knows pcapng, byte orders and resolutions), our own 24+16 byte headers for
// writing, so that the bytes written depend on nothing but the frames. Replay and recorder threads only.
#include "netstack/port/capture.hpp"

#include <pcap/pcap.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <stdexcept>
#include <system_error>
#include <tuple>
#include <utility>

#include "netstack/port/capture_file.hpp"
#include "netstack/port/partial_checksum.hpp"

namespace crosswire {
namespace {

constexpr std::int64_t kNs = static_cast<std::int64_t>(kNsPerSecond);
constexpr std::int64_t kDay = static_cast<std::int64_t>(kNsPerDay);

static_assert(std::endian::native == std::endian::little, "captures are written in the byte order of the host");

// https://www.ietf.org/archive/id/draft-gharris-opsawg-pcap-01.html, sections 4 and 5.
struct FileHeader {
  std::uint32_t magic;
  std::uint16_t major, minor;
  std::uint32_t reserved1, reserved2;
  std::uint32_t snap_length;
  std::uint32_t link_type;
};
static_assert(sizeof(FileHeader) == 24);
struct FrameHeader {
  std::uint32_t seconds, nanoseconds;
  std::uint32_t captured, original;
};
static_assert(sizeof(FrameHeader) == 16);
constexpr FileHeader kFileHeader{0xA1B23C4D, 2, 4, 0, 0, 65535, 1};

// The seconds of classic pcap have 32 bits.
constexpr std::int64_t kLatestEpochNs = ((std::int64_t{1} << 32) - 1) * kNs;
constexpr std::size_t kWriterBuffer = std::size_t{1} << 20;
constexpr const char* kMakeRoom = "make room, or give another path";

pcap* open_capture(const std::string& path) {
  std::FILE* const file = open_capture_file(path);
  if (file == nullptr) {
    throw std::runtime_error(path + ": cannot be read: " + std::generic_category().message(errno) +
                             "; give the path of a capture that you may read");
  }
  char reason[PCAP_ERRBUF_SIZE] = "";
  pcap* handle = pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, reason);
  if (handle == nullptr) {
    std::fclose(file);
    throw std::runtime_error(path + ": is no capture (" + reason +
                             "); give a pcap or pcapng file, as it is or packed by gzip or zstd");
  }
  const int link_type = pcap_datalink(handle);
  if (link_type == DLT_EN10MB) return handle;
  const char* name = pcap_datalink_val_to_description_or_dlt(link_type);
  std::string message = path + ": holds frames of link type " + name + ", not Ethernet; capture on an Ethernet device";
  pcap_close(handle);
  throw std::runtime_error(message);
}

/// cut: the file ends within a frame, which is an error but for a recording.
enum class Next { frame, end, cut, error };

Next read_next(pcap* handle, const std::string& path, std::uint64_t number, pcap_pkthdr*& header, const u_char*& data,
               std::string& error) {
  const int result = pcap_next_ex(handle, &header, &data);
  if (result == 1) return Next::frame;
  if (result == PCAP_ERROR_BREAK) return Next::end;
  error = path + ": frame " + std::to_string(number) + ": " + pcap_geterr(handle);
  // libpcap's words for a capture of several devices. It reads frames of one kind of link alone.
  if (error.find("different from the type of the first interface") != std::string::npos) {
    error += "; frames of one kind of link can be read: capture on the Ethernet device alone";
    return Next::error;
  }
  error += "; the file is cut off or damaged";
  if (number > 1) error += ", keep what is whole: editcap -r " + path + " whole.pcap 1-" + std::to_string(number - 1);
  return std::feof(pcap_file(handle)) != 0 ? Next::cut : Next::error;
}

/// "2026-01-31 08:00:00 UTC"; a time that no calendar has is left as a number.
std::string utc(std::int64_t epoch_s) {
  const auto seconds = static_cast<std::time_t>(epoch_s);
  std::tm parts{};
  char text[64];
  if (gmtime_r(&seconds, &parts) == nullptr || std::strftime(text, sizeof text, "%F %T UTC", &parts) == 0) {
    return std::to_string(epoch_s) + " s since 1970";
  }
  return text;
}

/// "2026-01-31 08:00:00.000000001 UTC", of a time that the format can hold.
std::string utc_ns(std::int64_t epoch_ns) {
  char fraction[16];
  std::snprintf(fraction, sizeof fraction, ".%09ld", static_cast<long>(epoch_ns % kNs));
  std::string text = utc(epoch_ns / kNs);
  return text.insert(text.rfind(' '), fraction);
}

/// What is wrong with a frame's time that is not within the limits of `expected`.
std::string time_fault(const pcap_pkthdr& header, const std::string& expected) {
  const std::int64_t nanoseconds = header.ts.tv_usec;
  if (nanoseconds < 0 || nanoseconds >= kNs) {
    return "its time is no time (" + std::to_string(nanoseconds) + " ns into a second); the capture is damaged";
  }
  return "its time is " + utc(header.ts.tv_sec) + ", not " + expected;
}

/// Nanoseconds from `origin_ns` to the frame; nothing when that is outside 0 .. `limit`. Seconds first: a lying pcapng
/// may hold any 64-bit time.
bool time_within(const pcap_pkthdr& header, std::int64_t origin_ns, std::int64_t limit_ns, std::int64_t& offset_ns) {
  const std::int64_t origin_s = origin_ns / kNs;  // only to bound the multiplication, so its rounding is no matter
  const std::int64_t seconds = header.ts.tv_sec;
  if (seconds < origin_s - 1 || seconds > origin_s + limit_ns / kNs + 1) return false;
  const std::int64_t nanoseconds = header.ts.tv_usec;  // asked for in nanoseconds, whatever the field is called
  if (nanoseconds < 0 || nanoseconds >= kNs) return false;
  offset_ns = seconds * kNs + nanoseconds - origin_ns;
  return offset_ns >= 0 && offset_ns <= limit_ns;
}

}  // namespace

std::int64_t midnight_utc(std::int64_t epoch_ns) {
  const std::int64_t into_day = epoch_ns % kDay;
  return epoch_ns - into_day - (into_day < 0 ? kDay : 0);
}

// --- writing ---

CaptureWriter::CaptureWriter(std::string path)
    : path_(std::move(path)), buffer_(std::make_unique<char[]>(kWriterBuffer)), file_(std::fopen(path_.c_str(), "wb")) {
  if (file_ == nullptr) {
    fail("cannot be created", "give a path that you may write");
    return;
  }
  std::setvbuf(file_, buffer_.get(), _IOFBF, kWriterBuffer);
  put(&kFileHeader, sizeof kFileHeader);
}

CaptureWriter::~CaptureWriter() { close(); }

void CaptureWriter::fail(const char* what, const char* remedy) {
  if (error_.empty()) error_ = path_ + ": " + what + ": " + std::generic_category().message(errno) + "; " + remedy;
}

void CaptureWriter::put(const void* bytes, std::size_t length) {
  if (!error_.empty()) return;
  if (std::fwrite(bytes, 1, length, file_) != length) fail("cannot be written", kMakeRoom);
  buffered_ += length;
}

void CaptureWriter::flush() {
  if (!error_.empty() || file_ == nullptr) return;
  if (std::fflush(file_) != 0) fail("cannot be written", kMakeRoom);
  buffered_ = 0;
}

void CaptureWriter::write(std::int64_t epoch_ns, std::span<const std::uint8_t> frame) {
  const std::int64_t seconds = epoch_ns / kNs;
  if (epoch_ns < 0 || epoch_ns > kLatestEpochNs + kNs - 1) {
    errno = EOVERFLOW;
    return fail("cannot hold a frame before 1970 or after 2106", "check the date");
  }
  const auto length = static_cast<std::uint32_t>(frame.size());
  const FrameHeader header{static_cast<std::uint32_t>(seconds), static_cast<std::uint32_t>(epoch_ns % kNs), length,
                           length};
  // The file ends with a whole frame whenever the process is killed, but in the middle of a system call.
  if (buffered_ + sizeof header + frame.size() > kWriterBuffer) flush();
  put(&header, sizeof header);
  put(frame.data(), frame.size());
  frames_ += error_.empty() ? 1 : 0;
}

std::string CaptureWriter::close() {
  if (file_ != nullptr && std::fclose(std::exchange(file_, nullptr)) != 0) fail("cannot be written", kMakeRoom);
  return error_;
}

// --- reading ---

CaptureRxPort::CaptureRxPort(std::string path, std::int64_t midnight_epoch_ns, TimeNs schedule_end_ns,
                             LongFall long_fall)
    : path_(std::move(path)),
      handle_(open_capture(path_)),
      midnight_epoch_ns_(midnight_epoch_ns),
      schedule_end_ns_(schedule_end_ns),
      long_fall_(long_fall),
      buffers_(std::make_unique<Buffer[]>(kMaxBurst)) {
  advance();
  if (!error_.empty()) {
    close();
    throw std::runtime_error(error_);
  }
  start_ns_ = has_pending_ ? pending_.time_ns : 0;
  last_ns_ = start_ns_;
  const auto start = read_start_marker(pending());
  if (!start) return;
  start_ = *start;
  has_start_marker_ = true;
  advance();
  take_references();
}

CaptureRxPort::~CaptureRxPort() { close(); }

/// Those behind the start marker.
void CaptureRxPort::take_references() {
  for (; is_reference_frame(pending(), start_.tag); advance()) {
    if (read_references(pending(), start_.references)) continue;
    close();
    throw std::runtime_error(path_ + ": frame " + std::to_string(frames_read_) +
                             ": reference prices that this version does not know; replay with the version that "
                             "recorded it");
  }
}

void CaptureRxPort::close() {
  if (handle_ != nullptr) pcap_close(std::exchange(handle_, nullptr));
}

std::int64_t CaptureRxPort::first_frame_epoch_ns(const std::string& path) {
  const std::unique_ptr<pcap, void (*)(pcap*)> handle(open_capture(path), pcap_close);
  pcap_pkthdr* header = nullptr;
  const u_char* data = nullptr;
  std::string error;
  const Next next = read_next(handle.get(), path, 1, header, data, error);
  if (next == Next::end)
    throw std::runtime_error(path + ": holds no frame, so it has no date; give one in the configuration");
  std::int64_t epoch_ns = 0;
  if (next == Next::frame && !time_within(*header, 0, kLatestEpochNs, epoch_ns)) {
    error = path + ": frame 1: " + time_fault(*header, "in 1970 .. 2106; correct the capture's times (editcap -t)");
  }
  if (!error.empty()) throw std::runtime_error(error);
  return epoch_ns;
}

/// Reads the next frame into pending_; without one, has_pending_ is false, and error_ says whether the file just ended.
void CaptureRxPort::advance() {
  has_pending_ = false;
  pcap_pkthdr* header = nullptr;
  const u_char* data = nullptr;
  const Next next = read_next(handle_, path_, frames_read_ + 1, header, data, error_);
  if (next == Next::cut && has_start_marker_) error_.clear();  // it was broken off
  if (next != Next::frame) return;
  ++frames_read_;

  std::int64_t offset_ns = 0;
  if (!time_within(*header, midnight_epoch_ns_, static_cast<std::int64_t>(kLatestNs), offset_ns)) {
    error_ = path_ + ": frame " + std::to_string(frames_read_) + ": " +
             time_fault(*header, "in the 72 hours from midnight (" + utc(midnight_epoch_ns_ / kNs) +
                                     ") on; check the date in the configuration");
    return;
  }
  if (!settle_time(static_cast<TimeNs>(offset_ns))) return;
  counters_.add(CaptureCounter::cut_short, header->caplen < header->len ? 1 : 0);
  pending_ = {latest_ns_, header->caplen};
  std::memcpy(pending_bytes_.data(), data, std::min<std::size_t>(header->caplen, kMaxFrame));
  has_pending_ = true;
}

/// Brings the latest time to that of the frame just read, unless it fell: a little, or a long way. False: an error.
bool CaptureRxPort::settle_time(TimeNs stamped_ns) {
  if (stamped_ns >= latest_ns_) {
    latest_ns_ = stamped_ns;
    latest_frame_ = frames_read_;
    return true;
  }
  if (latest_ns_ - stamped_ns <= kLongestFallNs || long_fall_ == LongFall::is_taken) {
    counters_.add(CaptureCounter::clamped_time);
    return true;
  }
  const auto at = [this](TimeNs time_ns) { return utc_ns(midnight_epoch_ns_ + static_cast<std::int64_t>(time_ns)); };
  error_ = path_ + ": frame " + std::to_string(frames_read_) + ": its time, " + at(stamped_ns) +
           ", is more than a second before that of frame " + std::to_string(latest_frame_) + ", " + at(latest_ns_) +
           "; correct whichever is wrong, or take what fell back as of the time before it by --allow-time-fall";
  return false;
}

/// The bytes of the frame read ahead; none if there is none, or one too long for any purpose.
std::span<const std::uint8_t> CaptureRxPort::pending() const {
  if (!has_pending_ || pending_.length > kMaxFrame) return {};
  return {pending_bytes_.data(), pending_.length};
}

/// Moves the frame read ahead into the burst and reads the next one. False if it is none for the stages.
bool CaptureRxPort::take_pending(RxFrame& view, Buffer& buffer) {
  const Pending current = pending_;
  buffer = pending_bytes_;
  advance();
  if (current.length > kMaxFrame) {
    counters_.add(CaptureCounter::oversized);
    return false;
  }
  // An end marker is one only if the file ends with it.
  const auto end = end_marker();
  const bool is_end = current.length == end.size() && std::equal(end.begin(), end.end(), buffer.begin());
  if (is_end && !has_pending_ && error_.empty()) {
    has_end_marker_ = true;
    last_ns_ = current.time_ns;
    return false;
  }
  if (partial_checksums_ && settle_partial_checksum(buffer.data(), current.length)) {
    counters_.add(CaptureCounter::checksum_partial);
  }
  view = {buffer.data(), current.length};
  return true;
}

/// Whether the frame read ahead says that the day ends, which it does once.
bool CaptureRxPort::is_day_end() const { return !day_over_ && is_day_end_marker(pending(), start_.tag); }

/// Whether the frame read ahead is an operator's command of this recording. A recording without a tag has none.
bool CaptureRxPort::is_operators() const {
  constexpr std::size_t kTag = offsetof(wire::OperatorFrame, tag);
  if (!has_pending_ || start_.tag == wire::RecordingTag{} || pending_.length < kTag + start_.tag.size()) return false;
  return wire::is_recorders(pending_bytes_.data(), pending_.length) &&
         std::equal(start_.tag.begin(), start_.tag.end(), pending_bytes_.begin() + kTag);
}

/// What operators did is part of the day: one that cannot be read must not be passed over.
bool CaptureRxPort::is_of_this_version() {
  const auto* const asked = wire::view_as<wire::OperatorFrame>({pending_bytes_.data(), pending_.length});
  if (pending_.length == sizeof(*asked) && asked->version == wire::OperatorFrame::kVersion) return true;
  const auto* const session = wire::view_as<wire::SessionFrame>({pending_bytes_.data(), pending_.length});
  if (pending_.length == sizeof(*session) && session->version == wire::SessionFrame::kVersion) return true;
  error_ = path_ + ": frame " + std::to_string(frames_read_) +
           ": an operator's command that this version does not know; replay with the version that recorded it";
  has_pending_ = false;
  return false;
}

RxBurst CaptureRxPort::receive() {
  // A burst has frames: one of which all were dropped is passed over, so that every call brings the input forward.
  while (has_pending_) {
    last_ns_ = pending_.time_ns;
    if (is_day_end()) {
      advance();
      return end_day();
    }
    std::size_t count = 0;
    const bool out_of_band = is_operators();
    if (out_of_band && !is_of_this_version()) break;
    if (out_of_band) count += take_pending(views_[0], buffers_[0]) ? 1 : 0;
    while (!out_of_band && has_pending_ && pending_.time_ns == last_ns_ && count < kMaxBurst && !is_operators() &&
           !is_day_end()) {
      count += take_pending(views_[count], buffers_[count]) ? 1 : 0;
    }
    counters_.add(CaptureCounter::frames, count);
    if (count > 0) return {{views_.data(), count}, last_ns_, false, out_of_band};
  }
  return end();
}

/// At the time of the last burst.
RxBurst CaptureRxPort::end_day() {
  day_over_ = true;
  day_end_ns_ = last_ns_;
  return {{}, last_ns_, false, false, true};
}

/// What is left behind the last frame. Time goes on only where the input was whole and does not say itself when it
/// ended: to the schedule's end, and as long as the port lingers behind it.
RxBurst CaptureRxPort::end() {
  if (has_end_marker_ || !error_.empty()) return {{}, last_ns_, true};
  if (!day_over_) {
    last_ns_ = std::max(last_ns_, schedule_end_ns_);
    if (linger_ns_ > 0) return end_day();
  } else {
    last_ns_ = std::max(last_ns_, day_end_ns_ + linger_ns_);
  }
  return {{}, last_ns_, true};
}

std::string CaptureRxPort::broken_off() const {
  if (!has_start_marker_ || has_end_marker_ || !error_.empty()) return "";
  return path_ + ": the recording was broken off at " +
         utc_ns(midnight_epoch_ns_ + static_cast<std::int64_t>(latest_ns_)) +
         ", the time of its last frame: what came behind that is not in it";
}

// --- frames out ---

CaptureTxPort::CaptureTxPort() : buffers_(std::make_unique<Buffer[]>(kMaxBurst)) {
  for (std::size_t i = 0; i < kMaxBurst; ++i) batch_[i].data = buffers_[i].data();
  ready_ = kMaxBurst;
}

std::size_t CaptureTxPort::flush() {
  const std::size_t frames = used_;
  if (frames == 0) return 0;
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < frames; ++i) {
    const Slot& slot = batch_[i];
    kept_.push_back({slot.origin, bytes_.size(), slot.length});
    bytes_.insert(bytes_.end(), slot.data, slot.data + slot.length);
  }
  newest_ = batch_[frames - 1].origin.cause;
  // The buffer after the last committed one may be reserved: it has to be the next one again.
  if (frames < kMaxBurst) std::swap(batch_[0].data, batch_[frames].data);
  used_ = 0;
  return frames;
}

bool CaptureTxPort::refill() {
  flush();
  return true;
}

std::size_t CaptureOutput::drain(Sequence complete) {
  due_.clear();
  std::deque<std::unique_lock<std::mutex>> locks;
  for (CaptureTxPort& port : ports_) {
    locks.emplace_back(port.mutex_);
    for (const CaptureTxPort::Kept& kept : port.kept_) {
      if (kept.origin.cause <= complete) due_.push_back({kept.origin, {port.bytes_.data() + kept.offset, kept.length}});
    }
  }
  std::stable_sort(due_.begin(), due_.end(), [](const Due& left, const Due& right) {
    return std::tie(left.origin.cause, left.origin.rank) < std::tie(right.origin.cause, right.origin.rank);
  });
  for (const Due& due : due_) {
    writer_.write(midnight_epoch_ns_ + static_cast<std::int64_t>(due.origin.time_ns), due.bytes);
  }
  for (CaptureTxPort& port : ports_) port.forget(complete);
  return due_.size();
}

std::size_t CaptureOutput::drain_passed() {
  Sequence passed{std::numeric_limits<std::uint64_t>::max()};
  for (CaptureTxPort& port : ports_) {
    const std::lock_guard lock(port.mutex_);
    CHECK(!port.silent_ || port.newest_.value == 0, "a frame for command %lu from a silent stage", port.newest_.value);
    if (!port.silent_) passed = std::min(passed, port.newest_);
  }
  // There may be more of the newest itself.
  return passed.value == 0 ? 0 : drain(Sequence{passed.value - 1});
}

/// Drops what was written and closes the gaps it leaves.
void CaptureTxPort::forget(Sequence complete) {
  std::size_t end = 0;
  std::size_t count = 0;
  for (const Kept& kept : kept_) {
    if (kept.origin.cause <= complete) continue;
    std::memmove(bytes_.data() + end, bytes_.data() + kept.offset, kept.length);
    kept_[count++] = {kept.origin, end, kept.length};
    end += kept.length;
  }
  kept_.resize(count);
  bytes_.resize(end);
}

}  // namespace crosswire
