// OUCH 5.0 options: the tagged values of a message's appendage (WIRE 3.2), read and written in place.
// Receive reads them, transmit writes them. Pure: no allocation, no exceptions; a bad option is a value.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

#include "netstack/wire/bytes.hpp"

namespace crosswire::wire::ouch {

enum class Tag : std::uint8_t {
  secondary_ord_ref_num = 1,
  firm = 2,
  min_qty = 3,
  customer_type = 4,
  max_floor = 5,
  price_type = 6,
  peg_offset = 7,
  discretion_price = 9,
  discretion_price_type = 10,
  discretion_peg_offset = 11,
  post_only = 12,
  random_reserves = 13,
  route = 14,
  expire_time = 15,
  trade_now = 16,
  handle_inst = 17,
  bbo_weight_indicator = 18,
  display_quantity = 22,
  display_price = 23,
  group_id = 24,
  shares_located = 25,
  locate_broker = 26,
  side = 27,
  user_ref_idx = 28,
  // Of ours, from 128 on: OUCH has none of them.
  stay_on_disconnect = 128,
  self_trade = 129,
  kill = 130,
};

enum class ValueKind : std::uint8_t { none, letter, u8, u16, u32, i32, u64, text };

constexpr std::uint8_t value_length(ValueKind kind) {
  constexpr std::array<std::uint8_t, 8> kLengths{0, 1, 1, 2, 4, 4, 8, 4};
  return kLengths[static_cast<std::size_t>(kind)];
}

/// What an option's value is. Which messages take it is in their kTags.
struct TagInfo {
  std::string_view name;  // empty: the tag is unused
  ValueKind kind = ValueKind::none;
};

/// OUCH's tags are below it; behind them as many of ours have a place, so that a set of tags is one word.
inline constexpr std::size_t kOuchTags = 32;
inline constexpr std::size_t kFirstOfOurs = 128;

/// The tag's place in the table; 0, which is no tag's: it has none.
constexpr std::size_t place_of(Tag tag) {
  const std::size_t number = static_cast<std::size_t>(tag);
  if (number < kOuchTags) return number;
  return number - kFirstOfOurs < kOuchTags ? number - kFirstOfOurs + kOuchTags : 0;
}
constexpr Tag tag_at(std::size_t place) {
  return static_cast<Tag>(place < kOuchTags ? place : place - kOuchTags + kFirstOfOurs);
}

/// By place.
inline constexpr std::array<TagInfo, 2 * kOuchTags> kTagTable = [] {
  std::array<TagInfo, 2 * kOuchTags> table{};
  const auto define = [&table](Tag tag, std::string_view name, ValueKind kind) { table[place_of(tag)] = {name, kind}; };
  define(Tag::secondary_ord_ref_num, "SecondaryOrdRefNum", ValueKind::u64);
  define(Tag::firm, "Firm", ValueKind::text);
  define(Tag::min_qty, "MinQty", ValueKind::u32);
  define(Tag::customer_type, "CustomerType", ValueKind::letter);
  define(Tag::max_floor, "MaxFloor", ValueKind::u32);
  define(Tag::price_type, "PriceType", ValueKind::letter);
  define(Tag::peg_offset, "PegOffset", ValueKind::i32);              // 1/10000
  define(Tag::discretion_price, "DiscretionPrice", ValueKind::u64);  // 1/10000
  define(Tag::discretion_price_type, "DiscretionPriceType", ValueKind::letter);
  define(Tag::discretion_peg_offset, "DiscretionPegOffset", ValueKind::i32);  // 1/10000
  define(Tag::post_only, "PostOnly", ValueKind::letter);
  define(Tag::random_reserves, "RandomReserves", ValueKind::u32);
  define(Tag::route, "Route", ValueKind::text);
  define(Tag::expire_time, "ExpireTime", ValueKind::u32);  // seconds
  define(Tag::trade_now, "TradeNow", ValueKind::letter);
  define(Tag::handle_inst, "HandleInst", ValueKind::letter);
  define(Tag::bbo_weight_indicator, "BBOWeightIndicator", ValueKind::letter);
  define(Tag::display_quantity, "DisplayQuantity", ValueKind::u32);
  define(Tag::display_price, "DisplayPrice", ValueKind::u64);  // 1/10000
  define(Tag::group_id, "GroupID", ValueKind::u16);
  define(Tag::shares_located, "SharesLocated", ValueKind::letter);
  define(Tag::locate_broker, "LocateBroker", ValueKind::text);
  define(Tag::side, "Side", ValueKind::letter);
  define(Tag::user_ref_idx, "UserRefIdx", ValueKind::u8);
  define(Tag::stay_on_disconnect, "StayOnDisconnect", ValueKind::letter);
  define(Tag::self_trade, "SelfTrade", ValueKind::letter);
  define(Tag::kill, "Kill", ValueKind::letter);
  return table;
}();

/// The unused TagInfo for a tag that does not exist.
constexpr const TagInfo& tag_info(Tag tag) { return kTagTable[place_of(tag)]; }

class TagSet {
 public:
  template <std::same_as<Tag>... Tags>
  constexpr explicit TagSet(Tags... tags) {
    (add(tags), ...);
  }

  constexpr void add(Tag tag) { bits_ |= bit(tag); }
  constexpr bool contains(Tag tag) const { return (bits_ & bit(tag)) != 0; }

 private:
  /// No bit for a tag without a place, so that no set contains it.
  static constexpr std::uint64_t bit(Tag tag) { return std::uint64_t{place_of(tag) != 0} << place_of(tag); }

  std::uint64_t bits_ = 0;
};

/// One option. `value` has the length that the tag table gives.
struct Option {
  Tag tag;
  Bytes value;

  char letter() const { return static_cast<char>(value[0]); }
  std::string_view text() const { return {reinterpret_cast<const char*>(value.data()), value.size()}; }

  /// Big-endian, unsigned; for an i32 cast the result to std::uint32_t, then to std::int32_t.
  std::uint64_t number() const {
    std::uint64_t number = 0;
    for (const std::uint8_t byte : value) number = number << 8 | byte;
    return number;
  }
};

enum class OptionFault : std::uint8_t {
  none,
  bad_length,    // a length byte of 0 leaves no room for the tag
  truncated,     // the option ends after the appendage
  unknown_tag,   // a tag that does not exist
  not_allowed,   // a tag that this message does not take
  wrong_length,  // a value longer or shorter than its tag's
  repeated,      // a tag that was there before
};

/// Walks over the options of one message; stops at the first fault.
///   for (OptionReader reader(split.options, M::kTags); reader.next();) use(reader.option());
class OptionReader {
 public:
  OptionReader(Bytes options, TagSet allowed) : remaining_(options), allowed_(allowed) {}

  /// False at the end and at a fault; then fault() tells which.
  bool next() {
    if (remaining_.empty()) return false;
    const std::size_t length = remaining_[0];
    if (length == 0) return fail(OptionFault::bad_length);
    if (length >= remaining_.size()) return fail(OptionFault::truncated);
    option_ = {static_cast<Tag>(remaining_[1]), remaining_.subspan(2, length - 1)};
    if (!allowed_.contains(option_.tag)) return fail(refusal(option_.tag));
    if (option_.value.size() != value_length(tag_info(option_.tag).kind)) return fail(OptionFault::wrong_length);
    if (seen_.contains(option_.tag)) return fail(OptionFault::repeated);
    seen_.add(option_.tag);
    remaining_ = remaining_.subspan(1 + length);
    return true;
  }

  /// Valid after next() returned true, until it is called again.
  const Option& option() const { return option_; }
  OptionFault fault() const { return fault_; }

 private:
  static OptionFault refusal(Tag tag) {
    return tag_info(tag).kind == ValueKind::none ? OptionFault::unknown_tag : OptionFault::not_allowed;
  }

  bool fail(OptionFault fault) {
    fault_ = fault;
    remaining_ = {};
    return false;
  }

  Bytes remaining_;
  TagSet allowed_;
  TagSet seen_;
  Option option_{};
  OptionFault fault_ = OptionFault::none;
};

namespace detail {
template <ValueKind kind>
constexpr auto value_of_kind() {
  static_assert(kind != ValueKind::none, "the tag is unused");
  if constexpr (kind == ValueKind::letter) return std::type_identity<char>{};
  if constexpr (kind == ValueKind::u8) return std::type_identity<std::uint8_t>{};
  if constexpr (kind == ValueKind::u16) return std::type_identity<be16>{};
  if constexpr (kind == ValueKind::u32 || kind == ValueKind::i32) return std::type_identity<be32>{};
  if constexpr (kind == ValueKind::u64) return std::type_identity<be64>{};
  if constexpr (kind == ValueKind::text) return std::type_identity<alpha<4>>{};
}
}  // namespace detail

/// The wire type of a tag's value: char, std::uint8_t, be16, be32 (two's complement for i32), be64 or alpha<4>.
template <Tag tag>
using OptionValue = typename decltype(detail::value_of_kind<tag_info(tag).kind>())::type;

/// Appends options to a bounded buffer, behind the u16 of their length.
///   OptionWriter writer(room); writer.put<Tag::user_ref_idx>(5); size += writer.finish();
/// Whether a message takes the tag, and takes an appendage at all, is the caller's affair.
class OptionWriter {
 public:
  /// `buffer` begins where the appendage does, and is the caller's until finish().
  explicit OptionWriter(std::span<std::uint8_t> buffer)
      : buffer_(buffer.first(std::min(buffer.size(), sizeof(be16) + 0xFFFF))) {}

  /// False, and nothing written, without room.
  template <Tag tag>
  bool put(const OptionValue<tag>& value) {
    return put(tag, Bytes{reinterpret_cast<const std::uint8_t*>(&value), sizeof(value)});
  }

  /// False, and nothing written, without room or if `value` has not the tag's length.
  bool put(Tag tag, Bytes value) {
    if (value.size() != value_length(tag_info(tag).kind) || value.empty()) return false;
    if (buffer_.size() < size_ + 2 + value.size()) return false;
    buffer_[size_] = static_cast<std::uint8_t>(1 + value.size());
    buffer_[size_ + 1] = static_cast<std::uint8_t>(tag);
    std::copy(value.begin(), value.end(), buffer_.begin() + static_cast<std::ptrdiff_t>(size_) + 2);
    size_ += 2 + value.size();
    return true;
  }

  /// Writes the length; returns the bytes of the appendage, the length's two included; 0 if not even those have room.
  std::size_t finish() {
    if (buffer_.size() < sizeof(be16)) return 0;
    overlay<be16>(buffer_.data()) = static_cast<std::uint16_t>(size_ - sizeof(be16));
    return size_;
  }

 private:
  std::span<std::uint8_t> buffer_;
  std::size_t size_ = sizeof(be16);
};

}  // namespace crosswire::wire::ouch
