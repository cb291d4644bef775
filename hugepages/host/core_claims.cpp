// Claims of cores: see the header. Set-up only.
#include "hugepages/host/core_claims.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>

namespace crosswire {
namespace {

std::string file_of(unsigned core, const std::string& folder) {
  return folder + "/crosswire-core-" + std::to_string(core);
}

/// A file that is there is opened without O_CREAT: in a folder for all the kernel may forbid that to any but its owner.
int open_claim(const std::string& file) {
  constexpr int kHow = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  constexpr mode_t kForAll = 0666;  // the next one may be another user's
  const int there = open(file.c_str(), kHow);
  if (there >= 0 || errno != ENOENT) return there;
  const int made = open(file.c_str(), kHow | O_CREAT | O_EXCL, kForAll);
  if (made < 0) return errno == EEXIST ? open(file.c_str(), kHow) : made;
  static_cast<void>(fchmod(made, kForAll));  // whatever the umask says
  return made;
}

/// Who holds a lock on the file, by the kernel's list of them (proc(5): class, mode, kind, process, device and inode).
int holder_of(int lock) {
  struct stat file {};
  if (fstat(lock, &file) != 0) return 0;
  char wanted[64];
  std::snprintf(wanted, sizeof wanted, "%02x:%02x:%lu", major(file.st_dev), minor(file.st_dev),
                static_cast<unsigned long>(file.st_ino));
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    std::istringstream words(line);
    std::string number, kind, advisory, mode, which;
    int holder = 0;
    if (words >> number >> kind >> advisory >> mode >> holder >> which && kind == "FLOCK" && which == wanted) {
      return std::max(holder, 0);
    }
  }
  return 0;
}

/// Who looks at a claim holds the lock for a moment.
bool lock_soon(int lock, int how) {
  constexpr int kTries = 20;
  for (int i = 0; i < kTries; ++i) {
    if (flock(lock, how | LOCK_NB) == 0) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

}  // namespace

CoreClaims::~CoreClaims() {
  for (const int lock : locks_) close(lock);
}

CoreClaim CoreClaims::claim(unsigned core, CoreUse use) {
  const std::string file = file_of(core, folder_);
  const int lock = open_claim(file);
  if (lock < 0) return {std::nullopt, file + ": " + std::strerror(errno)};
  const bool alone = lock_soon(lock, LOCK_EX);
  const CoreClaim result = alone ? CoreClaim{} : CoreClaim{holder_of(lock), ""};
  if (use == CoreUse::shared ? lock_soon(lock, LOCK_SH) : alone) {
    locks_.push_back(lock);
  } else {
    close(lock);
  }
  return result;
}

std::optional<int> core_holder(unsigned core, const std::string& folder) {
  const int lock = open(file_of(core, folder).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (lock < 0) return std::nullopt;
  const bool held = flock(lock, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  const int holder = held ? holder_of(lock) : 0;
  close(lock);
  return held ? std::optional<int>(holder) : std::nullopt;
}

}  // namespace crosswire
