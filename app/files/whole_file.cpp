// Whole files: see the header.
#include "app/files/whole_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace crosswire {

/// Made once and used again, never freed: a handler may be looking at it.
struct PartFile {
  std::atomic<bool> there{false};
  std::atomic<bool> taken{false};
  std::string path;  // written while taken and not there
  PartFile* next = nullptr;
};

namespace {

std::string why_not(const std::string& path, int error) {
  return fmt::format("{}: cannot be written: {}; give a path that you may write, with room left", path,
                     std::generic_category().message(error));
}

[[noreturn]] void fail(const std::string& path, int error) { throw std::runtime_error(why_not(path, error)); }

/// Where a chain of links ends: the file there is to be replaced, not the link.
std::string behind_links(const std::string& path) {
  std::error_code error;
  const std::filesystem::path target = std::filesystem::canonical(path, error);
  return error ? path : target.string();
}

std::atomic<PartFile*> g_parts{nullptr};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<PartFile*>::is_always_lock_free,
              "a signal handler loads them");

PartFile& free_part() {
  for (PartFile* part = g_parts.load(); part != nullptr; part = part->next) {
    if (!part->taken.exchange(true)) return *part;
  }
  auto* const part = new PartFile;
  part->taken.store(true);
  part->next = g_parts.load();
  while (!g_parts.compare_exchange_weak(part->next, part)) {
  }
  return *part;
}

/// From now on a signal's handler removes it.
PartFile* remember(const std::string& path) {
  PartFile& part = free_part();
  part.path = path;
  part.there.store(true);
  return &part;
}

/// By whoever has remembered it.
void forget(PartFile& part) {
  part.there.store(false);
  part.taken.store(false);
}

extern "C" void end_without_parts(int signal) {
  remove_part_files();
  std::signal(signal, SIG_DFL);
  std::raise(signal);  // when the handler has returned
}

/// What would end the process as it is takes the parts with it; who has a handler of his own, or ignores it, keeps it.
void remove_parts_on_signals() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action {};
    if (sigaction(signal, nullptr, &action) != 0 || action.sa_handler != SIG_DFL) continue;
    action = {};
    action.sa_handler = end_without_parts;
    sigaction(signal, &action, nullptr);
  }
}

}  // namespace

void remove_part_files() {
  for (const PartFile* part = g_parts.load(); part != nullptr; part = part->next) {
    if (part->there.load()) ::unlink(part->path.c_str());
  }
}

WholeFile::WholeFile(std::string path, bool reserved) : path_(std::move(path)), reserved_(reserved) {
  struct stat status {};
  const bool exists = ::stat(path_.c_str(), &status) == 0;
  if (!exists && errno != ENOENT) fail(path_, errno);
  if (exists && S_ISDIR(status.st_mode)) fail(path_, EISDIR);
  if (exists && ::access(path_.c_str(), W_OK) != 0) fail(path_, errno);
  if (exists && !S_ISREG(status.st_mode)) return;
  if (exists) path_ = behind_links(path_);
  std::string part = part_of(path_);
  std::FILE* const file = std::fopen(part.c_str(), "wb");
  if (file == nullptr) fail(path_, errno);
  remove_parts_on_signals();
  known_ = remember(part);
  std::fclose(file);
  part_ = std::move(part);
}

WholeFile::~WholeFile() {
  if (part_.empty()) return;
  std::remove(part_.c_str());
  forget(*known_);
  if (reserved_) std::remove(path_.c_str());
}

void WholeFile::commit() {
  if (part_.empty()) return;
  if (std::rename(part_.c_str(), path_.c_str()) != 0) fail(path_, errno);
  forget(*known_);
  part_.clear();
}

bool take_name(const std::string& path) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0 && errno == EEXIST) return false;
  if (fd < 0) fail(path, errno);
  close(fd);
  return true;
}

std::string write_file(const std::string& path, std::string_view text) {
  std::FILE* const file = std::fopen(path.c_str(), "wb");
  bool written = file != nullptr && std::fwrite(text.data(), 1, text.size(), file) == text.size();
  int error = errno;
  if (file != nullptr && std::fclose(file) != 0) {
    written = false;
    error = errno;
  }
  return written ? "" : why_not(path, error);
}

void write_whole(const std::string& path, std::string_view text) {
  WholeFile file(path);
  if (const std::string error = write_file(file.path(), text); !error.empty()) throw std::runtime_error(error);
  file.commit();
}

}  // namespace crosswire
