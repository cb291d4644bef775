// A capture's bytes: see the header. zlib reads plain files and gzip alike; a zstd file is told by its magic number.
#include "netstack/port/capture_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <memory>
#include <vector>

namespace crosswire {
namespace {

constexpr std::size_t kBuffer = std::size_t{1} << 16;

/// Hands out bytes in order; -1 and errno where there is an error, 0 at the end.
class Unpacker {
 public:
  Unpacker() = default;
  virtual ~Unpacker() = default;
  Unpacker(const Unpacker&) = delete;
  Unpacker& operator=(const Unpacker&) = delete;
  virtual ssize_t read(char* to, std::size_t size) = 0;
};

class PlainOrGzip final : public Unpacker {
 public:
  /// Takes the file descriptor over.
  explicit PlainOrGzip(int file) : file_(gzdopen(file, "rb")) {
    if (file_ == nullptr) ::close(file);
    if (file_ != nullptr) gzbuffer(file_, kBuffer);
  }
  ~PlainOrGzip() override {
    if (file_ != nullptr) gzclose(file_);
  }

  ssize_t read(char* to, std::size_t size) override {
    errno = 0;
    const int got =
        file_ == nullptr ? -1 : gzread(file_, to, static_cast<unsigned>(std::min<std::size_t>(size, INT_MAX)));
    int code = Z_OK;
    if (file_ != nullptr) gzerror(file_, &code);
    if (got > 0 || (got == 0 && code == Z_OK)) return got;
    if (errno == 0) errno = EBADMSG;  // it is zlib's complaint, of what it read
    return -1;
  }

 private:
  gzFile file_;
};

class Zstd final : public Unpacker {
 public:
  /// Takes the file descriptor over.
  explicit Zstd(int file) : file_(file), context_(ZSTD_createDCtx()), packed_(kBuffer) {}
  ~Zstd() override {
    ZSTD_freeDCtx(context_);
    ::close(file_);
  }

  ssize_t read(char* to, std::size_t size) override {
    ZSTD_outBuffer out{to, size, 0};
    while (out.pos == 0) {
      if (in_.pos == in_.size && !full_) {
        const ssize_t got = ::read(file_, packed_.data(), packed_.size());
        if (got < 0) return -1;
        if (got == 0 && whole_) return 0;
        if (got == 0) return bad();  // within a packed frame
        in_ = {packed_.data(), static_cast<std::size_t>(got), 0};
      }
      const std::size_t left = ZSTD_decompressStream(context_, &out, &in_);
      if (ZSTD_isError(left) != 0) return bad();
      whole_ = left == 0;
      full_ = out.pos == out.size && !whole_;  // it may hold back more of what it has read
    }
    return static_cast<ssize_t>(out.pos);
  }

 private:
  static ssize_t bad() {
    errno = EBADMSG;
    return -1;
  }

  int file_;
  ZSTD_DCtx* context_;
  std::vector<char> packed_;
  ZSTD_inBuffer in_{nullptr, 0, 0};
  bool whole_ = true;  // nothing of a packed frame is outstanding
  bool full_ = false;
};

/// What a FILE of ours stands on.
struct Cookie {
  std::unique_ptr<Unpacker> unpacker;
  std::array<unsigned char, 4> magic{};
  std::uint64_t position = 0;
};

/// In either byte order, of microseconds or nanoseconds.
bool is_classic(const std::array<unsigned char, 4>& magic) {
  using Magic = std::array<unsigned char, 4>;
  constexpr std::array<Magic, 4> kClassic = {
      {{0xA1, 0xB2, 0xC3, 0xD4}, {0xD4, 0xC3, 0xB2, 0xA1}, {0xA1, 0xB2, 0x3C, 0x4D}, {0x4D, 0x3C, 0xB2, 0xA1}}};
  return std::find(kClassic.begin(), kClassic.end(), magic) != kClassic.end();
}

/// Sets the snap length to 0, which libpcap takes for none.
void leave_snap_length_out(Cookie& cookie, char* bytes, std::size_t count) {
  constexpr std::uint64_t kSnapLength = 16;
  constexpr std::uint64_t kLength = 4;
  if (cookie.position >= kSnapLength + kLength) return;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t at = cookie.position + i;
    if (at < cookie.magic.size()) cookie.magic[at] = static_cast<unsigned char>(bytes[i]);
    if (at >= kSnapLength && at < kSnapLength + kLength && is_classic(cookie.magic)) bytes[i] = 0;
  }
}

ssize_t read_cookie(void* of, char* to, std::size_t size) {
  Cookie& cookie = *static_cast<Cookie*>(of);
  const ssize_t got = cookie.unpacker->read(to, size);
  if (got <= 0) return got;
  leave_snap_length_out(cookie, to, static_cast<std::size_t>(got));
  cookie.position += static_cast<std::uint64_t>(got);
  return got;
}

int close_cookie(void* of) {
  delete static_cast<Cookie*>(of);
  return 0;
}

bool is_zstd(int file) {
  constexpr std::array<unsigned char, 4> kMagic = {0x28, 0xB5, 0x2F, 0xFD};
  std::array<unsigned char, 4> magic{};
  return pread(file, magic.data(), magic.size(), 0) == ssize_t{magic.size()} && magic == kMagic;
}

}  // namespace

std::FILE* open_capture_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return nullptr;
  struct stat status {};
  if (fstat(file, &status) == 0 && S_ISDIR(status.st_mode)) {
    ::close(file);
    errno = EISDIR;
    return nullptr;
  }
  auto cookie = std::make_unique<Cookie>();
  if (is_zstd(file)) {
    cookie->unpacker = std::make_unique<Zstd>(file);
  } else {
    cookie->unpacker = std::make_unique<PlainOrGzip>(file);
  }
  std::FILE* const stream = fopencookie(cookie.get(), "rb", {read_cookie, nullptr, nullptr, close_cookie});
  if (stream == nullptr) return nullptr;
  cookie.release();
  std::setvbuf(stream, nullptr, _IOFBF, kBuffer);
  return stream;
}

}  // namespace crosswire
