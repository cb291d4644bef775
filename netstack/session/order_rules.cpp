// Fields and options of Enter and Replace: see the header.
#include "netstack/session/order_rules.hpp"

#include <cstring>

namespace crosswire {
namespace {

using namespace wire;
using ouch::RejectReason;
using ouch::Tag;

constexpr RejectReason refuse_unless(bool offered, RejectReason reason) { return offered ? kNoReject : reason; }

bool is_blank(std::string_view text) { return text.find_first_not_of(' ') == std::string_view::npos; }

bool is_one_of(char letter, std::string_view letters) { return letters.find(letter) != std::string_view::npos; }

RejectReason check_customer(char letter) {
  if (letter == 'R') return RejectReason::retail_not_allowed;
  return refuse_unless(is_one_of(letter, "N "), RejectReason::other);
}

/// Why this option cannot be accepted. Values that ask for nothing (the defaults of WIRE 3.2) are harmless.
RejectReason check_option(const ouch::Option& option, const std::array<char, 4>& firm) {
  switch (option.tag) {
    case Tag::firm: {
      const bool ours = is_blank(option.text()) || std::memcmp(option.value.data(), firm.data(), firm.size()) == 0;
      return refuse_unless(ours, RejectReason::firm_not_authorised);
    }
    case Tag::customer_type:
      return check_customer(option.letter());
    case Tag::min_qty:
      return refuse_unless(option.number() == 0, RejectReason::invalid_min_quantity);
    case Tag::max_floor:
    case Tag::random_reserves:
      return refuse_unless(option.number() == 0, RejectReason::invalid_max_floor);
    case Tag::price_type:
      return refuse_unless(option.letter() == 'L', RejectReason::invalid_peg_type);
    case Tag::discretion_price_type:
      return refuse_unless(option.letter() == 'L', RejectReason::pegging_not_allowed);
    case Tag::peg_offset:
    case Tag::discretion_price:
    case Tag::discretion_peg_offset:
      return refuse_unless(option.number() == 0, RejectReason::pegging_not_allowed);
    case Tag::post_only:
      return refuse_unless(option.letter() == 'N', RejectReason::other);
    case Tag::trade_now:
      return refuse_unless(is_one_of(option.letter(), "N "), RejectReason::other);
    case Tag::handle_inst:
      return refuse_unless(option.letter() == ' ', RejectReason::other);
    case Tag::shares_located:
      return refuse_unless(is_one_of(option.letter(), "YN"), RejectReason::other);
    case Tag::expire_time:
    case Tag::group_id:
    case Tag::user_ref_idx:
      return refuse_unless(option.number() == 0, RejectReason::other);
    case Tag::side:
      return RejectReason::invalid_side;
    case Tag::locate_broker:
      return kNoReject;
    default:
      return RejectReason::other;
  }
}

RejectReason check_price_and_size(std::uint32_t quantity, std::uint64_t price) {
  if (quantity == 0 || quantity > kMaxQuantity) return RejectReason::invalid_quantity;
  if (price == 0 || price > kMaxPrice.value) return RejectReason::invalid_price;  // market prices are above the limit
  return kNoReject;
}

RejectReason check_handling(char time_in_force, char display, char iso) {
  if (!is_time_in_force(time_in_force)) return RejectReason::other;
  if (display != 'Y') return RejectReason::invalid_display;
  if (iso != 'N') return RejectReason::iso_not_allowed;
  return kNoReject;
}

}  // namespace

OrderOptions read_options(const ouch::Split& split, ouch::TagSet allowed, const std::array<char, 4>& firm) {
  OrderOptions result;
  const auto refuse = [&result](RejectReason reason) {
    if (result.reject == kNoReject) result.reject = reason;
  };
  ouch::OptionReader reader(split.options, allowed);
  while (reader.next()) {
    const ouch::Option& option = reader.option();
    const RejectReason reason = check_option(option, firm);
    refuse(reason);
    if (option.tag == Tag::user_ref_idx) result.user_ref_idx = static_cast<std::uint8_t>(option.number());
    if (option.tag == Tag::firm) result.firm_given = reason == kNoReject && !is_blank(option.text());
  }
  if (split.fault != ouch::SplitFault::none || reader.fault() != ouch::OptionFault::none) refuse(RejectReason::other);
  return result;
}

RejectReason find_fault(const ouch::EnterOrder& message, bool symbol_known, RejectReason options) {
  if (!symbol_known) return RejectReason::invalid_symbol;
  if (!is_side(message.side)) return RejectReason::invalid_side;
  RejectReason fault = check_price_and_size(message.quantity, message.price);
  if (fault != kNoReject) return fault;
  fault = check_handling(message.time_in_force, message.display, message.iso);
  if (fault != kNoReject) return fault;
  if (message.cross_type != 'N') return RejectReason::invalid_cross_order;
  if (!is_capacity(message.capacity)) return RejectReason::other;
  return options;
}

RejectReason find_fault(const ouch::ReplaceOrder& message, RejectReason options) {
  RejectReason fault = check_price_and_size(message.quantity, message.price);
  if (fault != kNoReject) return fault;
  fault = check_handling(message.time_in_force, message.display, message.iso);
  return fault != kNoReject ? fault : options;
}

}  // namespace crosswire
