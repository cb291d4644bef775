// HdrHistogram's percentile files: see the header.
#include "app/figures/hgrm.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <filesystem>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include "app/figures/figures.hpp"
#include "app/files/whole_file.hpp"

namespace crosswire {
namespace {

constexpr double kNsPerUs = 1e3;

}  // namespace

std::string to_hgrm(const Histogram& histogram) {
  std::string text =
      fmt::format("{:>12} {:>14} {:>10} {:>14}\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
  const std::uint64_t count_of_all = histogram.count();  // both add all buckets up
  const double mean = histogram.mean();
  const auto total = static_cast<double>(count_of_all);
  double squares = 0;
  std::uint64_t seen = 0;
  // HdrHistogram's steps: so many at each halving of what is left to 100 %.
  constexpr double kStepsPerHalving = 5;
  double wanted = 0;
  histogram.each_bucket([&](std::uint64_t value, std::uint64_t count) {
    seen += count;
    const double off = static_cast<double>(value) - mean;
    squares += static_cast<double>(count) * off * off;
    const double reached = static_cast<double>(seen) / total;
    if (reached < wanted && seen < count_of_all) return;
    const std::string inverse = seen == count_of_all ? "" : fmt::format(" {:>14.2f}", 1 / (1 - reached));
    text +=
        fmt::format("{:>12.3f} {:>2.12f} {:>10}{}\n", static_cast<double>(value) / kNsPerUs, reached, seen, inverse);
    if (reached >= 1) return;
    const double halvings = std::floor(std::log2(1 / (1 - reached))) + 1;
    const double step = 1 / (kStepsPerHalving * std::exp2(halvings));
    wanted = (std::floor(reached / step) + 1) * step;
  });
  const double deviation = count_of_all == 0 ? 0 : std::sqrt(squares / total);
  text += fmt::format("#[Mean    = {:>12.3f}, StdDeviation   = {:>12.3f}]\n", mean / kNsPerUs, deviation / kNsPerUs);
  text += fmt::format("#[Max     = {:>12.3f}, Total count    = {:>12}]\n",
                      static_cast<double>(histogram.max()) / kNsPerUs, count_of_all);
  text += fmt::format("#[Buckets = {:>12}, SubBuckets     = {:>12}]\n",
                      Histogram::kMaxValueBits - Histogram::kPrecisionBits + 1, 1u << Histogram::kPrecisionBits);
  text += "#[Unit    = microseconds]\n";
  return text;
}

HgrmFolder::HgrmFolder(std::string path) : path_(std::move(path)) {
  std::error_code error;
  const bool folder = std::filesystem::is_directory(path_, error);
  // access(2) says it for root as well where the file system is mounted to be read only.
  if (folder && access(path_.c_str(), W_OK | X_OK) == 0) return;
  const int reason = error ? error.value() : folder ? errno : ENOTDIR;
  throw std::runtime_error(fmt::format("{}: {}; give --hgrm a folder that is there and that you may write", path_,
                                       std::generic_category().message(reason)));
}

std::string HgrmFolder::write(const std::string& name, const Partition& partition) const try {
  each_latency(partition, [&](std::string_view latency, const Histogram& times) {
    std::string file(latency);
    std::replace(file.begin(), file.end(), ' ', '_');
    write_whole(fmt::format("{}/{}-{}.hgrm", path_, name, file), to_hgrm(times));
  });
  return "";
} catch (const std::runtime_error& error) {
  return error.what();
}

}  // namespace crosswire
