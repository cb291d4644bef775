// Claims of cores: see the header. Set-up only.
#include "hugepages/host/core_claims.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
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

/// The number in the file is its last holder's.
int holder_in(int lock) {
  std::array<char, 16> text{};
  const ssize_t length = pread(lock, text.data(), text.size(), 0);
  int holder = 0;
  if (length > 0) std::from_chars(text.data(), text.data() + length, holder);
  return holder;
}

void sign(int lock) {
  const std::string text = std::to_string(getpid()) + "\n";
  if (ftruncate(lock, 0) != 0 || pwrite(lock, text.data(), text.size(), 0) < 0) return;  // then the holder is not known
}

/// Who looks at a claim holds the lock for a moment.
bool lock_soon(int lock, CoreUse use) {
  constexpr int kTries = 20;
  for (int i = 0; i < kTries; ++i) {
    if (flock(lock, (use == CoreUse::alone ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0) return true;
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
  if (!lock_soon(lock, use)) {
    const CoreClaim taken{holder_in(lock), ""};
    close(lock);
    return taken;
  }
  sign(lock);
  locks_.push_back(lock);
  return {};
}

std::optional<int> core_holder(unsigned core, const std::string& folder) {
  const int lock = open(file_of(core, folder).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (lock < 0) return std::nullopt;
  const bool held = flock(lock, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  const int holder = held ? holder_in(lock) : 0;
  close(lock);
  return held ? std::optional<int>(holder) : std::nullopt;
}

}  // namespace crosswire
