// Initial sequence numbers (RFC 6528), timestamps' offsets (RFC 7323 7.1) and SYN cookies: what nobody may foresee.
// Both halves; pure functions of the secret, the connection and the time.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "netstack/tcp/config.hpp"

namespace crosswire::tcp {

class Numbers {
 public:
  explicit Numbers(const SipKey& secret) : secret_(secret) {}

  /// RFC 6528 section 3, M a counter of 4.096 us. `key`: ConnectionTable::key_of().
  std::uint32_t initial(std::uint64_t key, TimeNs now) const {
    return static_cast<std::uint32_t>(siphash(secret_, std::array{key, kInitial})) +
           static_cast<std::uint32_t>(now >> 12);
  }

  /// Timestamps tick every 1.05 ms, from a place of the connection's own.
  std::uint32_t timestamp(std::uint64_t key, TimeNs now) const {
    return static_cast<std::uint32_t>(siphash(secret_, std::array{key, kTimestamp})) + ticks(now);
  }
  static std::uint32_t ticks(TimeNs now) { return static_cast<std::uint32_t>(now >> 20); }

  /// The initial sequence number by which a handshake is known again without having kept anything of it: 24 bits that
  /// only we can make, 5 of the time (its 64 s), 3 of the peer's segment size.
  std::uint32_t cookie(std::uint64_t key, std::uint32_t irs, std::uint16_t mss, TimeNs now) const {
    const auto slot = static_cast<std::uint32_t>(now >> kCookieSlotBits);
    std::uint32_t index = kCookieMss.size() - 1;
    while (index > 0 && kCookieMss[index] > mss) --index;
    return hash(key, irs, slot, index) << 8 | (slot & 31) << 3 | index;
  }

  /// The segment size of a cookie that was made at most 128 s before; none of any other number.
  std::optional<std::uint16_t> mss_of_cookie(std::uint64_t key, std::uint32_t irs, std::uint32_t number,
                                             TimeNs now) const {
    const auto newest = static_cast<std::uint32_t>(now >> kCookieSlotBits);
    const std::uint32_t age = (newest - (number >> 3)) & 31;
    const std::uint32_t index = number & 7;
    if (age > 1 || age > newest || number >> 8 != (hash(key, irs, newest - age, index) & 0xFF'FFFF)) return {};
    return kCookieMss[index];
  }

  /// Any number that is as good as random, the n-th.
  std::uint64_t random(std::uint64_t n) const { return siphash(secret_, std::array{n, kRandom}); }

 private:
  static constexpr std::uint64_t kInitial = 1, kTimestamp = 2, kCookie = 3, kRandom = 4;
  static constexpr unsigned kCookieSlotBits = 36;  // 68.7 s
  static constexpr std::array<std::uint16_t, 8> kCookieMss{64, 256, 536, 1024, 1220, 1400, 1440, 1460};

  std::uint32_t hash(std::uint64_t key, std::uint32_t irs, std::uint32_t slot, std::uint32_t index) const {
    const std::uint64_t told = std::uint64_t{irs} << 32 | slot << 3 | index;
    return static_cast<std::uint32_t>(siphash(secret_, std::array{key, told, kCookie}) & 0xFF'FFFF);
  }

  SipKey secret_;
};

/// About so many a second: each second another number from a half to one and a half of it, so that nobody can tell by
/// what is left for him what others have taken (the fixed number of RFC 5961 section 7 was such a side channel). Plain
/// state, in the caller's time.
class RandomBudget {
 public:
  /// `salt`: another one for each budget of a half.
  RandomBudget(std::uint32_t per_second, std::uint32_t salt) : per_second_(per_second), salt_(salt) {}

  bool take(const Numbers& numbers, TimeNs now) {
    if (now / kNsPerSecond != second_) {
      second_ = now / kNsPerSecond;
      const std::uint64_t drawn = numbers.random(second_ << 8 | salt_) % (std::uint64_t{per_second_} + 1);
      left_ = per_second_ / 2 + static_cast<std::uint32_t>(drawn);
    }
    if (left_ == 0) return false;
    --left_;
    return true;
  }

 private:
  std::uint32_t per_second_;
  std::uint32_t salt_;
  std::uint32_t left_ = 0;
  std::uint64_t second_ = ~std::uint64_t{0};
};

}  // namespace crosswire::tcp
