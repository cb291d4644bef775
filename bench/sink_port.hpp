// A port that takes every frame. Benchmarks only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "netstack/common/limits.hpp"
#include "netstack/port/port.hpp"

namespace crosswire::bench {

/// Takes everything and forgets it.
class SinkPort final : public TxPort {
 public:
  SinkPort() {
    for (std::size_t i = 0; i < kMaxBurst; ++i) batch_[i].data = buffers_[i].data();
    ready_ = kMaxBurst;
  }
  std::size_t flush() override { return std::exchange(used_, 0); }

 private:
  bool refill() override {
    flush();
    return true;
  }
  std::array<std::array<std::uint8_t, kMaxFrame>, kMaxBurst> buffers_{};
};

}  // namespace crosswire::bench
