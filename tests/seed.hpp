// The seed of a test that draws lots. Tests only.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>

namespace crosswire::test {

/// $CROSSWIRE_SEED, which .ci/run takes from the commit, or another one each time. Said, so that a failure can be had
/// again.
inline std::uint64_t seed() {
  const char* const given = std::getenv("CROSSWIRE_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::cout << "seed " << seed << "\n";
  return seed;
}

}  // namespace crosswire::test
