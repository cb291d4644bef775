// Whether two names are one file, by device and inode: a link or another spelling of a path is found too. Set-up only.
#pragma once

#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>

namespace crosswire {

// True where both names lead (through symbolic links) to one existing regular file. A device such as /dev/null is never
// "the same file": writing to it destroys nothing. A name that leads nowhere is not an error (it is what an output
// usually is); any other failure of stat(2), such as a loop of links or a folder that may not be read, is put in
// `error` and the answer is false. `error` is cleared otherwise.
inline bool same_file(const std::string& a, const std::string& b, std::error_code& error) noexcept {
  error.clear();
  struct stat of_a {};
  struct stat of_b {};
  if (::stat(a.c_str(), &of_a) != 0 || ::stat(b.c_str(), &of_b) != 0) {
    if (errno != ENOENT) error.assign(errno, std::generic_category());
    return false;
  }
  return S_ISREG(of_a.st_mode) && of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino;
}

/// A name that all spellings of one path have in common, also where there is no file yet.
inline std::string plain_name(const std::string& path) {
  std::error_code error;
  const std::filesystem::path plain = std::filesystem::weakly_canonical(path, error);
  return error ? path : plain.string();
}

}  // namespace crosswire
