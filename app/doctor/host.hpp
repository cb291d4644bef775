// The host's files under /proc, /sys and /dev as `crosswire doctor` reads them: every access of the doctor goes through
// here, under a root directory, so that tests give it hosts of their own making. Reads only. Any thread; never a stage.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace crosswire {

/// Ascending, each once.
using CpuList = std::vector<unsigned>;

/// CPUs above this are taken for garbage; Linux allows 8192.
inline constexpr unsigned kMaxCpu = 8191;

/// "0-3,8" as the kernel and taskset write it; empty text is an empty list. Nothing if it is anything else.
std::optional<CpuList> parse_cpu_list(std::string_view text);
/// The kernel's hexadecimal masks, "ff" or "00000003,ffffffff". Nothing if it is anything else.
std::optional<CpuList> parse_cpu_mask(std::string_view text);
/// "0-3,8"; "none" without any.
std::string format_cpu_list(const CpuList& cpus);

CpuList in_both(const CpuList& a, const CpuList& b);
CpuList in_first_only(const CpuList& a, const CpuList& b);

/// A whole decimal number and nothing else (a minus is allowed); nothing otherwise.
std::optional<std::int64_t> parse_whole(std::string_view text);

/// For a terminal: what is not printable becomes '?', and more than `most` characters are cut.
std::string shown(std::string_view text, std::size_t most = 80);

class HostFiles {
 public:
  /// `root` takes the place of "/".
  explicit HostFiles(std::filesystem::path root = "/") : root_(std::move(root)) {}

  /// The file's text without white space around it, at most 1 MiB; nothing if it is not there, or cannot be read.
  /// `path` begins without "/", as "proc/cmdline".
  std::optional<std::string> read(const std::string& path) const;
  /// The same as a number, a list of CPUs; nothing also if it is no such thing.
  std::optional<std::int64_t> number(const std::string& path) const;
  std::optional<CpuList> cpus(const std::string& path) const;
  /// The word in brackets of "always [madvise] never".
  std::optional<std::string> chosen(const std::string& path) const;
  /// Names in a directory, sorted; empty if it is not there.
  std::vector<std::string> names(const std::string& path) const;
  std::vector<std::string> folders(const std::string& path) const;
  bool exists(const std::string& path) const;
  /// Its owner may write it.
  bool writable(const std::string& path) const;
  /// The last part of what a symbolic link points to: a device's driver.
  std::optional<std::string> link_name(const std::string& path) const;
  /// The first four bytes as a native number: /dev/cpu_dma_latency.
  std::optional<std::int32_t> word(const std::string& path) const;

 private:
  std::filesystem::path root_;
};

}  // namespace crosswire
