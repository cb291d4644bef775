// Times of the stages: see the header.
#include "app/partition/stage_times.hpp"

#include <cmath>

namespace crosswire {

std::size_t BatchSizes::percentile(double p) const {
  std::uint64_t total = 0;
  for (const CountWord& polls : polls_) total += polls.get();
  const auto wanted =
      static_cast<std::uint64_t>(std::ceil(std::clamp(p, 0.0, 100.0) / 100.0 * static_cast<double>(total)));
  std::uint64_t seen = 0;
  for (std::size_t items = 0; items < polls_.size(); ++items) {
    seen += polls_[items].get();
    if (seen > 0 && seen >= wanted) return items;
  }
  return 0;
}

}  // namespace crosswire
