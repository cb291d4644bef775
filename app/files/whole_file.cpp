// Whole files: see the header.
#include "app/files/whole_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace crosswire {
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

}  // namespace

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
  std::fclose(file);
  part_ = std::move(part);
}

WholeFile::~WholeFile() {
  if (part_.empty()) return;
  std::remove(part_.c_str());
  if (reserved_) std::remove(path_.c_str());
}

void WholeFile::commit() {
  if (part_.empty()) return;
  if (std::rename(part_.c_str(), path_.c_str()) != 0) fail(path_, errno);
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
