// HdrHistogram's percentile files (.hgrm), as its plotters read them. At the end of a run, never on a polling core.
#pragma once

#include <string>

#include "app/partition/partition.hpp"
#include "hugepages/base/histogram.hpp"

namespace crosswire {

/// The text of such a file, values in microseconds, to the nanosecond; its last line says so.
std::string to_hgrm(const Histogram& histogram);

/// A folder that takes a file for each latency histogram of each partition.
class HgrmFolder {
 public:
  /// Throws std::runtime_error (one line) where `path` is no folder in which files can be made.
  explicit HgrmFolder(std::string path);

  /// Writes PATH/NAME-LATENCY.hgrm of each, as "one-in_the_box.hgrm", in the place of what is there. The partition runs
  /// no more. Returns "" or one line that says what could not be written.
  std::string write(const std::string& name, const Partition& partition) const;

 private:
  std::string path_;
};

}  // namespace crosswire
