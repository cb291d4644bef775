// SharedRate: answers that anyone may ask for, at most so many a second in all, of which one station gets a tenth.
// receive stage; plain state in virtual time, no allocation.
//
// A station is the MAC that a frame came from: addresses behind it cost nothing to forge, while a switch can hold a
// port to its MAC. So who floods uses up his own tenth, whatever he claims to be.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "engine/types.hpp"
#include "netstack/common/config.hpp"
#include "netstack/common/mac_number.hpp"
#include "netstack/common/token_bucket.hpp"

namespace crosswire {

class SharedRate {
 public:
  static constexpr std::uint32_t kParts = 10;

  /// 0 lets nothing through; a station gets 1 a second at least.
  explicit SharedRate(std::uint32_t per_second) : all_(per_second) {
    by_station_.fill(TokenBucket(std::max<std::uint32_t>(1, per_second / kParts)));
  }

  /// Takes a token of the station's, and then one of all; the station's is spent even if there is none of all. `now`
  /// does not fall from call to call.
  bool take(const MacAddress& station, TimeNs now) { return part_of(station).take(now) && all_.take(now); }

 private:
  /// Stations whose MACs hash alike share a part.
  static constexpr std::size_t kBuckets = 256;

  TokenBucket& part_of(const MacAddress& station) {
    constexpr int kShift = 64 - std::countr_zero(kBuckets);
    return by_station_[link::mac_number(station) * 0x9E3779B97F4A7C15u >> kShift];
  }

  TokenBucket all_;
  std::array<TokenBucket, kBuckets> by_station_;
};

}  // namespace crosswire
