// OUCH 5.0: byte 0 says which direction, the rest is one message. Its split, its fields, and its options under the tags
// of its type and under all tags; what decodes encodes to the same bytes.
#include "netstack/wire/ouch.hpp"

#include <array>
#include <vector>

#include "netstack/intake/order_rules.hpp"
#include "tests/fuzz/message_fields.hpp"

namespace crosswire {
namespace {

using namespace fuzz;
namespace ouch = wire::ouch;

constexpr ouch::TagSet kAllTags = [] {
  ouch::TagSet all;
  for (std::size_t place = 0; place < ouch::kTagTable.size(); ++place) {
    if (ouch::kTagTable[place].kind != ouch::ValueKind::none) all.add(ouch::tag_at(place));
  }
  return all;
}();

/// The option's value anew, from what it reads as.
std::vector<std::uint8_t> value_again(const ouch::Option& option) {
  const ouch::ValueKind kind = ouch::tag_info(option.tag).kind;
  if (kind == ouch::ValueKind::letter) return {static_cast<std::uint8_t>(option.letter())};
  if (kind == ouch::ValueKind::text) return {option.text().begin(), option.text().end()};
  std::vector<std::uint8_t> value(ouch::value_length(kind));
  std::uint64_t number = option.number();
  for (auto byte = value.rbegin(); byte != value.rend(); ++byte, number >>= 8)
    *byte = static_cast<std::uint8_t>(number);
  HOLDS(number == 0);
  return value;
}

/// Options up to the first fault; without one they are, written anew, the same bytes.
void check_options(wire::Bytes options, ouch::TagSet allowed) {
  std::vector<std::uint8_t> again(options.size() + sizeof(wire::be16));
  ouch::OptionWriter writer(again);
  ouch::TagSet seen;
  ouch::OptionReader reader(options, allowed);
  while (reader.next()) {
    const ouch::Option& option = reader.option();
    HOLDS(allowed.contains(option.tag) && !seen.contains(option.tag));
    HOLDS(within(option.value, options));
    HOLDS(option.value.size() == ouch::value_length(ouch::tag_info(option.tag).kind));
    HOLDS(writer.put(option.tag, value_again(option)));
    seen.add(option.tag);
  }
  HOLDS(!reader.next());
  const std::size_t written = writer.finish();
  if (reader.fault() != ouch::OptionFault::none) return;
  HOLDS(written == again.size());
  HOLDS(same_bytes(wire::Bytes(again).subspan(sizeof(wire::be16)), options));
}

void check_split(const ouch::MessageInfo& info, const ouch::Split& split, wire::Bytes message) {
  HOLDS(within(split.options, message));
  HOLDS((split.fault == ouch::SplitFault::too_short) == (message.size() < info.size));
  HOLDS(split.fault == ouch::SplitFault::none || (split.options.empty() && !split.has_appendage));
  if (split.fault != ouch::SplitFault::none) return;
  const std::size_t appendage = split.has_appendage ? sizeof(wire::be16) + split.options.size() : 0;
  HOLDS(info.size + appendage == message.size());
  HOLDS(!split.has_appendage || info.appendage != ouch::Appendage::none);
  HOLDS(split.has_appendage || info.appendage != ouch::Appendage::always);
}

template <class M>
void check_fields_if(char type, wire::Bytes message) {
  if (type == M::kType) check_fields<M>(message);
}

/// What receive makes of the fields: a fault, or values that the engine may be given.
void check_rules(const ouch::Split& split, wire::Bytes message) {
  constexpr std::array<char, 4> kFirm{'F', 'I', 'R', 'M'};
  if (const auto* enter = wire::view_as<ouch::EnterOrder>(message); enter->type == ouch::EnterOrder::kType) {
    const OrderOptions options = read_options(split, ouch::EnterOrder::kTags, kFirm);
    if (find_fault(*enter, true, options.reject) == kNoReject) {
      HOLDS(is_side(enter->side) && price_of(enter->price) != kNoPrice);
      HOLDS(enter->quantity >= 1 && enter->quantity <= kMaxQuantity);
      HOLDS(split.fault == ouch::SplitFault::none);
    }
    HOLDS(find_fault(*enter, false, options.reject) == ouch::RejectReason::invalid_symbol);
  }
}

void check_message(bool inbound, wire::Bytes message) {
  if (message.empty()) return;
  const char type = static_cast<char>(message[0]);
  const ouch::MessageInfo* const info = inbound ? ouch::kInbound.find(type) : ouch::kOutbound.find(type);
  if (info == nullptr) return;
  const ouch::Split split = ouch::split(*info, message);
  check_split(*info, split, message);
  check_options(split.options, info->tags);
  check_options(split.options, kAllTags);
  if (split.fault == ouch::SplitFault::too_short) return;
  if (inbound) {
    wire::test::for_each_inbound([&]<class M>() { check_fields_if<M>(type, message); });
    if (type == ouch::EnterOrder::kType) check_rules(split, message);
  } else {
    wire::test::for_each_outbound([&]<class M>() { check_fields_if<M>(type, message); });
  }
}

}  // namespace
}  // namespace crosswire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  crosswire::fuzz::Input input({data, size});
  const bool inbound = (input.byte() & 1) == 0;
  crosswire::check_message(inbound, input.remaining());
  return 0;
}
