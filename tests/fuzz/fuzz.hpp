// What the fuzz targets share: what must hold, the input taken apart, and files that are memory. Tests only.
#pragma once

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "netstack/wire/bytes.hpp"

namespace crosswire::fuzz {

/// A find: says what does not hold, and ends the process so that libFuzzer keeps the input.
[[noreturn, gnu::noinline]] inline void found(const char* file, int line, const char* what) {
  std::fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
  std::abort();
}

/// The input, taken from the front. Past its end everything is 0 or empty.
class Input {
 public:
  explicit Input(wire::Bytes bytes) : remaining_(bytes) {}

  bool empty() const { return remaining_.empty(); }
  std::uint8_t byte() { return remaining_.empty() ? std::uint8_t{0} : take(1)[0]; }
  std::uint16_t u16() {
    const std::uint8_t high = byte();
    return static_cast<std::uint16_t>(high << 8 | byte());
  }
  /// At most `size` bytes.
  wire::Bytes take(std::size_t size) {
    const wire::Bytes bytes = remaining_.first(std::min(size, remaining_.size()));
    remaining_ = remaining_.subspan(bytes.size());
    return bytes;
  }
  wire::Bytes remaining() { return take(remaining_.size()); }

 private:
  wire::Bytes remaining_;
};

inline bool same_bytes(wire::Bytes a, wire::Bytes b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

/// Are `inner`'s bytes some of `outer`'s, in place?
inline bool within(wire::Bytes inner, wire::Bytes outer) {
  return inner.empty() || (inner.data() >= outer.data() && inner.size() <= outer.size() &&
                           inner.data() + inner.size() <= outer.data() + outer.size());
}

/// A file without a disk, for parsers that take a path; only its owner may read it. It keeps its path for the life of
/// the process, so that messages with the path in them do not vary.
class MemoryFile {
 public:
  MemoryFile() : file_(memfd_create("fuzz", MFD_CLOEXEC)), path_("/proc/self/fd/" + std::to_string(file_)) {
    if (file_ < 0 || fchmod(file_, 0600) != 0) found(__FILE__, __LINE__, "no memory file is to be had");
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile() { close(file_); }

  /// From now on holds `parts`, one behind the other.
  void set(std::initializer_list<wire::Bytes> parts) {
    if (ftruncate(file_, 0) != 0) found(__FILE__, __LINE__, "the memory file cannot be emptied");
    off_t at = 0;
    for (const wire::Bytes part : parts) {
      if (pwrite(file_, part.data(), part.size(), at) != static_cast<ssize_t>(part.size())) {
        found(__FILE__, __LINE__, "the memory file cannot be written");
      }
      at += static_cast<off_t>(part.size());
    }
  }
  const std::string& path() const { return path_; }

 private:
  int file_;
  std::string path_;
};

inline wire::Bytes bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace crosswire::fuzz

/// Freed memory comes back sooner than by default: the targets make small things, and page faults would be most of
/// their time. Each target is one source file, so this is defined once.
extern "C" inline __attribute__((used)) const char* __asan_default_options() {
  return "quarantine_size_mb=1:malloc_context_size=6";
}

/// What has to hold whatever the input is.
#define HOLDS(condition)                                                        \
  do {                                                                          \
    if (!(condition)) ::crosswire::fuzz::found(__FILE__, __LINE__, #condition); \
  } while (false)
