// Files in each other's way: see the header.
#include "app/files/file_clash.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>
#include <system_error>

#include "app/files/whole_file.hpp"

namespace crosswire {
namespace {

/// A name that all spellings of one path have in common, also where there is no file yet.
std::string plain_name(const std::string& path) {
  std::error_code error;  // what cannot be followed cannot be opened either: that is told then
  const std::filesystem::path plain = std::filesystem::weakly_canonical(path, error);
  return error ? path : plain.string();
}

bool one_file(const std::string& a, const std::string& b) {
  struct stat of_a {};
  struct stat of_b {};
  const bool a_there = ::stat(a.c_str(), &of_a) == 0;
  if (a_there && !S_ISREG(of_a.st_mode)) return false;
  if (a_there && ::stat(b.c_str(), &of_b) == 0) return of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino;
  return plain_name(a) == plain_name(b);
}

/// Whether writing `written` would destroy `other`.
bool destroys(const std::string& written, const std::string& other) {
  if (written.empty() || other.empty()) return false;
  return one_file(written, other) || one_file(WholeFile::part_of(plain_name(written)), other);
}

}  // namespace

std::string file_clash(const std::vector<std::string>& read, const std::vector<std::string>& written) {
  for (std::size_t i = 0; i < written.size(); ++i) {
    for (const std::string& in : read) {
      if (destroys(written[i], in)) {
        return fmt::format("{} would be overwritten by {}; give the output another name", in, written[i]);
      }
    }
    for (std::size_t other = 0; other < i; ++other) {
      if (destroys(written[i], written[other]) || destroys(written[other], written[i])) {
        return fmt::format("{}: is written twice; give each output a file of its own", written[i]);
      }
    }
  }
  return "";
}

}  // namespace crosswire
