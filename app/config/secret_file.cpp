// Files of secrets: see the header.
#include "app/config/secret_file.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace crosswire::config_file {

std::string beside(const std::string& config_path, const std::string& name) {
  return (std::filesystem::path(config_path).parent_path() / name).string();
}

void check_owner_only(const Section& section, std::string_view key, const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) {
    section.reject(key, fmt::format("{} cannot be read: {}", path, std::strerror(errno)),
                   "give the path of a file that you may read");
  }
  if (!S_ISREG(status.st_mode)) {
    section.reject(key, fmt::format("{} is not a file", path), "give the path of a file that you may read");
  }
  if ((status.st_mode & 077) != 0) {
    section.reject(key, fmt::format("others may read {}", path), fmt::format("chmod 600 {}", path));
  }
}

std::string read_secret_file(const Section& section, std::string_view key, const std::string& path,
                             std::string_view what) {
  check_owner_only(section, key, path);
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  std::string secret;
  if (!in || (std::getline(in, secret).bad())) {
    section.reject(key, fmt::format("{} cannot be read: {}", path, std::strerror(errno)),
                   "give the path of a file that you may read");
  }
  if (!secret.empty() && secret.back() == '\r') secret.pop_back();
  if (secret.empty())
    section.reject(key, fmt::format("{} is empty", path), fmt::format("write {} into it, one line", what));
  return secret;
}

}  // namespace crosswire::config_file
