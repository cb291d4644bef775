// What an answer's appendage says, and how it is written (WIRE 3.2).
// Whoever writes answers runs it; pure functions over bytes, in sight of who calls them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/order.hpp"
#include "engine/types.hpp"
#include "netstack/wire/ouch.hpp"

namespace crosswire::answers {

/// Bytes of the longest answer, its options included.
inline constexpr std::size_t kMaxBytes = 126;

inline constexpr std::array<char, 4> kNoFirm{' ', ' ', ' ', ' '};

/// Each where the message takes it, and where it is not as here.
struct Options {
  std::array<char, 4> firm = kNoFirm;
  Quantity min_quantity = 0;
  KeptOptions kept;
  bool group_given = false;  // of kept.group_id
  Side side = kNoSide;
  Channel user_ref_idx = 0;
  bool kills = false;
};

/// Bytes of a Message with every option of that list that it takes.
template <class Message>
constexpr std::size_t longest() {
  using wire::ouch::Tag;
  std::size_t size = sizeof(Message) + sizeof(wire::be16);
  for (const Tag tag : {Tag::firm, Tag::min_qty, Tag::post_only, Tag::expire_time, Tag::group_id, Tag::side,
                        Tag::user_ref_idx, Tag::stay_on_disconnect, Tag::kill}) {
    if (Message::kTags.contains(tag)) size += 2u + wire::ouch::value_length(wire::ouch::tag_info(tag).kind);
  }
  return size;
}

template <class Message, wire::ouch::Tag tag>
void put_if(bool given, wire::ouch::OptionWriter& writer, const wire::ouch::OptionValue<tag>& value) {
  if constexpr (Message::kTags.contains(tag)) {
    if (given) writer.put<tag>(value);
  }
}

/// Writes the appendage of the message at `at`, where the message has one. Returns the bytes of both. In place, as most
/// answers have none and then this is a test or two.
template <class Message>
[[gnu::always_inline]] inline std::size_t put_options(std::uint8_t* at, const Options& options) {
  static_assert(longest<Message>() <= kMaxBytes);
  using enum wire::ouch::Tag;
  using wire::ouch::Appendage;
  const bool wanted = Message::kAppendage == Appendage::always || options.user_ref_idx != 0;
  if (Message::kAppendage == Appendage::none || !wanted) return sizeof(Message);
  wire::ouch::OptionWriter writer({at + sizeof(Message), kMaxBytes - sizeof(Message)});
  put_if<Message, firm>(options.firm != kNoFirm, writer, wire::alpha<4>{options.firm});
  put_if<Message, min_qty>(options.min_quantity != 0, writer, options.min_quantity);
  put_if<Message, post_only>(options.kept.post_only == PostOnly::yes, writer, static_cast<char>(PostOnly::yes));
  put_if<Message, expire_time>(options.kept.expire_seconds != 0, writer, options.kept.expire_seconds);
  put_if<Message, group_id>(options.group_given, writer, options.kept.group_id);
  put_if<Message, side>(options.side != kNoSide, writer, static_cast<char>(options.side));
  put_if<Message, user_ref_idx>(options.user_ref_idx != 0, writer, options.user_ref_idx);
  put_if<Message, stay_on_disconnect>(options.kept.stays_on_disconnect, writer,
                                      static_cast<char>(StayOnDisconnect::yes));
  put_if<Message, kill>(options.kills, writer, 'Y');
  return sizeof(Message) + writer.finish();
}

}  // namespace crosswire::answers
