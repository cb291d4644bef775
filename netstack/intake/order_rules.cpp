// Fields and options of clients' messages: see the header.
#include "netstack/intake/order_rules.hpp"

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

RejectReason take_post_only(char letter, PostOnly& result) {
  if (!is_one_of(letter, "PN")) return RejectReason::other;
  result = static_cast<PostOnly>(letter);
  return kNoReject;
}

RejectReason take_stay(char letter, OrderOptions& result) {
  if (!is_one_of(letter, "YN")) return RejectReason::other;
  result.stay_on_disconnect = static_cast<StayOnDisconnect>(letter);
  result.kept.stays_on_disconnect = result.stay_on_disconnect == StayOnDisconnect::yes;
  return kNoReject;
}

RejectReason take_self_trade(char letter, SelfTrade& result) {
  if (!is_one_of(letter, "NOBD")) return RejectReason::other;
  result = static_cast<SelfTrade>(letter);
  return kNoReject;
}

RejectReason take_side(char letter, Side& result) {
  if (!is_side(letter)) return RejectReason::invalid_side;
  result = static_cast<Side>(letter);
  return kNoReject;
}

RejectReason take_expire_time(std::uint64_t seconds, std::uint32_t& result) {
  if (seconds > kMaxExpireSeconds) return RejectReason::other;
  result = static_cast<std::uint32_t>(seconds);
  return kNoReject;
}

/// Keeps what the option says, or tells why it cannot be accepted. Of what is not offered, values that ask for nothing
/// (the defaults of WIRE 3.2) are harmless.
RejectReason take_option(const ouch::Option& option, const std::array<char, 4>& firm, OrderOptions& result) {
  switch (option.tag) {
    case Tag::firm:
      if (!is_own_firm(option.text(), firm)) return RejectReason::firm_not_authorised;
      result.kept.firm_given = !is_blank(option.text());
      return kNoReject;
    case Tag::min_qty:
      result.min_quantity = static_cast<Quantity>(option.number());
      return kNoReject;
    case Tag::post_only:
      return take_post_only(option.letter(), result.kept.post_only);
    case Tag::expire_time:
      return take_expire_time(option.number(), result.kept.expire_seconds);
    case Tag::group_id:
      result.kept.group_id = static_cast<std::uint16_t>(option.number());
      result.group_given = true;
      return kNoReject;
    case Tag::side:
      return take_side(option.letter(), result.side);
    case Tag::user_ref_idx:
      result.user_ref_idx = static_cast<Channel>(option.number());
      return kNoReject;
    case Tag::stay_on_disconnect:
      return take_stay(option.letter(), result);
    case Tag::self_trade:
      return take_self_trade(option.letter(), result.self_trade);
    case Tag::kill:
      result.kills = option.letter() == 'Y';
      return refuse_unless(result.kills, RejectReason::other);
    case Tag::customer_type:
      return check_customer(option.letter());
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
    case Tag::trade_now:
      return refuse_unless(is_one_of(option.letter(), "N "), RejectReason::other);
    case Tag::handle_inst:
      return refuse_unless(option.letter() == ' ', RejectReason::other);
    case Tag::shares_located:
      return refuse_unless(is_one_of(option.letter(), "YN"), RejectReason::other);
    case Tag::locate_broker:
      return kNoReject;
    default:
      return RejectReason::other;
  }
}

RejectReason check_price_and_size(std::uint32_t quantity, std::uint64_t price) {
  if (!is_quantity(quantity)) return RejectReason::invalid_quantity;
  return refuse_unless(is_price(price) || is_market(price), RejectReason::invalid_price);
}

RejectReason check_handling(char time_in_force, char display, char iso) {
  if (!is_offered(static_cast<TimeInForce>(time_in_force))) return RejectReason::other;
  if (!is_offered(static_cast<Display>(display))) return RejectReason::invalid_display;
  if (iso != 'N') return RejectReason::iso_not_allowed;
  return kNoReject;
}

}  // namespace

OrderOptions read_any_options(const ouch::Split& split, ouch::TagSet allowed, const std::array<char, 4>& firm) {
  OrderOptions result;
  const auto refuse = [&result](RejectReason reason) {
    if (result.reject == kNoReject) result.reject = reason;
  };
  ouch::OptionReader reader(split.options, allowed);
  while (reader.next()) {
    refuse(take_option(reader.option(), firm, result));
  }
  result.broken = split.fault != ouch::SplitFault::none || reader.fault() != ouch::OptionFault::none;
  if (result.broken) refuse(RejectReason::other);
  return result;
}

bool is_own_firm(std::string_view named, const std::array<char, 4>& firm) {
  return is_blank(named) || named == std::string_view{firm.data(), firm.size()};
}

RejectReason find_first_fault(const ouch::EnterOrder& message, bool symbol_known, RejectReason options) {
  if (!symbol_known) return RejectReason::invalid_symbol;
  if (!is_side(message.side)) return RejectReason::invalid_side;
  RejectReason fault = check_price_and_size(message.quantity, message.price);
  if (fault != kNoReject) return fault;
  fault = check_handling(message.time_in_force, message.display, message.iso);
  if (fault != kNoReject) return fault;
  if (!is_offered(static_cast<CrossType>(message.cross_type))) return RejectReason::invalid_cross_order;
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
