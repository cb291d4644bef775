// An output file that takes its name only when it is whole: a run that fails leaves no half file that looks good, and
// what was there before stays. Set-up and end only; never on a polling core.
#pragma once

#include <string>
#include <string_view>

namespace crosswire {

/// What a signal's handler knows of a file that is not whole (whole_file.cpp).
struct PartFile;

class WholeFile {
 public:
  /// Creates PATH.part, which goes when this does, and when SIGINT, SIGTERM or SIGHUP ends the process: those that have
  /// no handler yet get one that removes it first; a handler of another kind calls remove_part_files(). What is there
  /// already and is no regular file (/dev/null, a pipe) is written itself. Throws std::runtime_error (one line) where
  /// that cannot be, so before any work is done.
  /// `reserved`: PATH is there, empty (take_name()), and goes with this unless it becomes whole.
  explicit WholeFile(std::string path, bool reserved = false);
  ~WholeFile();
  WholeFile(const WholeFile&) = delete;
  WholeFile& operator=(const WholeFile&) = delete;

  /// The name to write to until commit(). Open it for writing as usual.
  [[nodiscard]] const std::string& path() const { return part_.empty() ? path_ : part_; }
  /// What was written takes the name PATH, in the place of what had it. Throws std::runtime_error (one line).
  void commit();

  /// Name that a file has until it is whole, to be spared by whoever checks that no input is overwritten.
  static std::string part_of(const std::string& path) { return path + ".part"; }

 private:
  std::string path_;
  std::string part_;  // "" where the file is written itself, or is whole
  bool reserved_;
  PartFile* known_ = nullptr;  // while there is a part
};

/// Makes an empty file of that name, so that nobody else takes it. False: there is one. Throws std::runtime_error (one
/// line).
bool take_name(const std::string& path);

/// Removes what no WholeFile has committed yet, by whatever thread. Safe in a signal handler, and for one alone: the
/// process is to end.
void remove_part_files();

/// Writes `text` into `path`; "" or one line that says why it could not.
std::string write_file(const std::string& path, std::string_view text);

/// The same by way of a WholeFile. Throws std::runtime_error (one line).
void write_whole(const std::string& path, std::string_view text);

}  // namespace crosswire
