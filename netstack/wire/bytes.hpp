// Field types of the wire: big-endian integers and padded ASCII of alignment 1, and views over bounded bytes.
// Any stage; pure functions over bytes. May not allocate, throw, or include anything but the standard library.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>
#include <type_traits>

namespace crosswire::wire {

static_assert(std::endian::native == std::endian::little, "the codecs swap bytes unconditionally");

/// Bytes of a frame, read only. Not owned: they live as long as the buffer (an mbuf, a capture's frame) does.
using Bytes = std::span<const std::uint8_t>;

/// Unsigned integer in network order, at any address: one load and one bswap.
template <class UInt>
class BigEndian {
  static_assert(std::is_unsigned_v<UInt> && (sizeof(UInt) == 2 || sizeof(UInt) == 4 || sizeof(UInt) == 8));

 public:
  using value_type = UInt;

  BigEndian() = default;
  constexpr BigEndian(UInt value) : bytes_(std::bit_cast<Raw>(swapped(value))) {}

  constexpr UInt value() const { return swapped(std::bit_cast<UInt>(bytes_)); }
  constexpr operator UInt() const { return value(); }

 private:
  using Raw = std::array<std::uint8_t, sizeof(UInt)>;

  static constexpr UInt swapped(UInt value) {
    if constexpr (sizeof(UInt) == 2) return __builtin_bswap16(value);
    if constexpr (sizeof(UInt) == 4) return __builtin_bswap32(value);
    if constexpr (sizeof(UInt) == 8) return __builtin_bswap64(value);
  }

  Raw bytes_;
};

using be16 = BigEndian<std::uint16_t>;
using be32 = BigEndian<std::uint32_t>;
using be64 = BigEndian<std::uint64_t>;

/// Six bytes in network order (ITCH timestamps). Holds 0 .. 2^48-1; higher bits of what is assigned are dropped.
class be48 {
 public:
  using value_type = std::uint64_t;

  be48() = default;
  constexpr be48(std::uint64_t value)
      : high_(static_cast<std::uint32_t>(value >> 16)), low_(static_cast<std::uint16_t>(value)) {}

  constexpr std::uint64_t value() const { return std::uint64_t{high_.value()} << 16 | low_.value(); }
  constexpr operator std::uint64_t() const { return value(); }

 private:
  // Four bytes before two, as compilers copy six: the stores of a fresh value forward to such a copy.
  be32 high_;
  be16 low_;
};

/// `text` without spaces and NULs on either side: what clients send is justified either way (WIRE 1.3, rule 4).
constexpr std::string_view stripped(std::string_view text) {
  constexpr std::string_view kPadding{" \0", 2};
  const std::size_t first = text.find_first_not_of(kPadding);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kPadding) - first + 1);
}

/// N ASCII characters padded with spaces: on the right (WIRE 0, "alpha") unless a function says otherwise.
/// Equality is of the raw bytes, padding included.
template <std::size_t N>
struct alpha {
  std::array<char, N> chars;

  alpha() = default;
  constexpr alpha(const std::array<char, N>& raw) : chars(raw) {}
  /// Straight into place: through a temporary of odd size a compiler reads back what it has just stored in two pieces.
  constexpr alpha& operator=(const std::array<char, N>& raw) {
    chars = raw;
    return *this;
  }
  constexpr alpha(std::string_view text) { set(text); }

  /// Left-justified. Text beyond N characters is cut off.
  constexpr void set(std::string_view text) {
    const std::size_t length = std::min(text.size(), N);
    std::copy_n(text.data(), length, chars.begin());
    std::fill(chars.begin() + length, chars.end(), ' ');
  }

  /// Right-justified (WIRE 1.1). Text beyond N characters is cut off.
  constexpr void set_right(std::string_view text) {
    const std::size_t length = std::min(text.size(), N);
    std::fill(chars.begin(), chars.end() - length, ' ');
    std::copy_n(text.data(), length, chars.end() - length);
  }

  /// Decimal without leading zeros, left- or right-justified. Every 64-bit number fits, so nothing is ever cut off.
  void set_decimal(std::uint64_t number) requires(N >= 20) { set(Digits(number).view()); }
  void set_decimal_right(std::uint64_t number) requires(N >= 20) { set_right(Digits(number).view()); }

  /// All N characters.
  constexpr std::string_view raw() const { return {chars.data(), N}; }

  /// Without the spaces on the right. Points into this object.
  constexpr std::string_view view() const {
    return raw().substr(0, raw().find_last_not_of(' ') + 1);  // npos + 1 is 0: all spaces
  }

  /// Without spaces and NULs on either side. Points into this object.
  constexpr std::string_view text() const { return stripped(raw()); }

  /// The decimal number that text() is; nothing if it is blank, has any other character, or exceeds 64 bits.
  std::optional<std::uint64_t> decimal() const {
    const std::string_view digits = text();
    const char* const end = digits.data() + digits.size();
    std::uint64_t number = 0;
    const auto [stop, error] = std::from_chars(digits.data(), end, number);
    if (error != std::errc{} || stop != end) return std::nullopt;
    return number;
  }

  constexpr bool operator==(const alpha&) const = default;

 private:
  class Digits {
   public:
    explicit Digits(std::uint64_t number)
        : size_(static_cast<std::size_t>(std::to_chars(text_, text_ + sizeof(text_), number).ptr - text_)) {}
    std::string_view view() const { return {text_, size_}; }

   private:
    char text_[20];
    std::size_t size_;
  };
};

/// What may lie over bytes of a frame: alignment 1, nothing to construct or destroy.
template <class M>
inline constexpr bool kIsLayout = alignof(M) == 1 && std::is_trivially_copyable_v<M>&& std::is_standard_layout_v<M>;

static_assert(kIsLayout<be16> && kIsLayout<be32> && kIsLayout<be48> && kIsLayout<be64> && kIsLayout<alpha<14>>);
static_assert(sizeof(be16) == 2 && sizeof(be32) == 4 && sizeof(be48) == 6 && sizeof(be64) == 8);
static_assert(sizeof(alpha<14>) == 14);

/// The layout M over the start of `bytes`; nullptr if they are too few. Later bytes are the caller's affair.
template <class M>
const M* view_as(Bytes bytes) {
  static_assert(kIsLayout<M>);
  return bytes.size() < sizeof(M) ? nullptr : reinterpret_cast<const M*>(bytes.data());
}

/// The layout M over the sizeof(M) bytes at `at`, for writing; the caller has made sure that they are there.
/// `overlay<M>(at) = {.field = value}` writes all of M, type letter included.
template <class M>
M& overlay(std::uint8_t* at) {
  static_assert(kIsLayout<M>);
  return *reinterpret_cast<M*>(at);
}

/// The layout that `make()` returns, made where it belongs: sizeof it bytes at `at`, which the caller has made sure of.
/// A temporary is made of small stores, and copying it at once would have to wait until they are all in the cache.
template <class Make>
void build_at(std::uint8_t* at, Make&& make) {
  using M = std::invoke_result_t<Make>;
  static_assert(kIsLayout<M>);
  ::new (at) M(make());
}

/// The bytes of a layout.
template <class M>
Bytes bytes_of(const M& message) {
  static_assert(kIsLayout<M>);
  return {reinterpret_cast<const std::uint8_t*>(&message), sizeof(M)};
}

}  // namespace crosswire::wire
