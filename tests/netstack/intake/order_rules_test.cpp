// What parsing alone finds in clients' messages: every field, every option, and which fault is named first.
#include "netstack/intake/order_rules.hpp"

#include <gtest/gtest.h>

#include "tests/netstack/client_frames.hpp"

namespace crosswire::test {
namespace {

using wire::ouch::EnterOrder;
using wire::ouch::RejectReason;
using wire::ouch::ReplaceOrder;
using wire::ouch::Tag;

constexpr std::array<char, 4> kFirm{'F', 'I', 'R', 'M'};

RejectReason enter_fault(const EnterOrder& message, bool symbol_known = true) {
  return find_fault(message, symbol_known, kNoReject);
}

TEST(OrderRules, FindNothingWrongWithAnOrdinaryOrder) {
  EXPECT_EQ(enter_fault(enter_fields(1)), kNoReject);
  EXPECT_EQ(find_fault(replace_fields(1, 2), kNoReject), kNoReject);
}

TEST(OrderRules, NameTheFirstFaultOfAnEnterInTheDocumentedOrder) {
  EnterOrder message = enter_fields(1);
  // Every field wrong; then each is fixed in turn, and the next one shows.
  message.side = 'b';
  message.quantity = 0u;
  message.price = std::uint64_t{0};
  message.time_in_force = '5';
  message.display = 'Z';
  message.iso = 'Y';
  message.cross_type = 'H';
  message.capacity = 'X';
  EXPECT_EQ(find_fault(message, false, RejectReason::invalid_max_floor), RejectReason::invalid_symbol);
  const auto fault = [&message] { return find_fault(message, true, RejectReason::invalid_max_floor); };
  EXPECT_EQ(fault(), RejectReason::invalid_side);
  message.side = 'E';
  EXPECT_EQ(fault(), RejectReason::invalid_quantity);
  message.quantity = 1u;
  EXPECT_EQ(fault(), RejectReason::invalid_price);
  message.price = std::uint64_t{1};
  EXPECT_EQ(fault(), RejectReason::other);
  message.time_in_force = '0';
  EXPECT_EQ(fault(), RejectReason::invalid_display);
  message.display = 'Y';
  EXPECT_EQ(fault(), RejectReason::iso_not_allowed);
  message.iso = 'N';
  EXPECT_EQ(fault(), RejectReason::invalid_cross_order);
  message.cross_type = 'N';
  EXPECT_EQ(fault(), RejectReason::other);
  message.capacity = 'O';
  EXPECT_EQ(fault(), RejectReason::invalid_max_floor);
}

TEST(OrderRules, NameTheFirstFaultOfAReplaceInTheDocumentedOrder) {
  ReplaceOrder message = replace_fields(1, 2);
  message.quantity = 1'000'000u;
  message.price = std::uint64_t{2'000'000'001};
  message.time_in_force = '5';
  message.display = ' ';
  message.iso = ' ';
  const auto fault = [&message] { return find_fault(message, RejectReason::invalid_side); };
  EXPECT_EQ(fault(), RejectReason::invalid_quantity);
  message.quantity = 999'999u;
  EXPECT_EQ(fault(), RejectReason::invalid_price);
  message.price = std::uint64_t{1'999'999'900};
  EXPECT_EQ(fault(), RejectReason::other);
  message.time_in_force = '3';
  EXPECT_EQ(fault(), RejectReason::invalid_display);
  message.display = 'Y';
  EXPECT_EQ(fault(), RejectReason::iso_not_allowed);
  message.iso = 'N';
  EXPECT_EQ(fault(), RejectReason::invalid_side);
}

TEST(OrderRules, TakeQuantitiesAndPricesUpToTheLimitsOfTheWire) {
  EnterOrder message = enter_fields(1);
  for (const std::uint32_t quantity : {1u, 999'999u}) {
    message.quantity = quantity;
    EXPECT_EQ(enter_fault(message), kNoReject) << quantity;
  }
  for (const std::uint32_t quantity : {0u, 1'000'000u, 0xFFFFFFFFu}) {
    message.quantity = quantity;
    EXPECT_EQ(enter_fault(message), RejectReason::invalid_quantity) << quantity;
  }
  message.quantity = 1u;
  for (const std::uint64_t price : {std::uint64_t{1}, std::uint64_t{1'999'999'900}}) {
    message.price = price;
    EXPECT_EQ(enter_fault(message), kNoReject) << price;
    EXPECT_EQ(price_of(price).value, price);
  }
  // One above; beside both market prices; 64-bit prices whose low half would be a good limit or a market price.
  for (const std::uint64_t price : {std::uint64_t{0}, std::uint64_t{1'999'999'901}, std::uint64_t{1'999'999'999},
                                    std::uint64_t{2'000'000'001}, std::uint64_t{0x7FFFFFFE}, std::uint64_t{0x80000000},
                                    (std::uint64_t{1} << 32) + 5, (std::uint64_t{1} << 32) + 0x7FFFFFFF}) {
    message.price = price;
    EXPECT_EQ(enter_fault(message), RejectReason::invalid_price) << price;
    EXPECT_EQ(price_of(price), kNoPrice);
  }
}

TEST(OrderRules, TakeBothMarketPricesAsOneAndNeverAsPlain) {
  for (const std::uint64_t price : {std::uint64_t{0x7FFFFFFF}, std::uint64_t{2'000'000'000}}) {
    EnterOrder enter = enter_fields(1);
    enter.price = price;
    EXPECT_EQ(enter_fault(enter), kNoReject) << price;
    EXPECT_FALSE(look_at(enter).plain);
    ReplaceOrder replace = replace_fields(1, 2);
    replace.price = price;
    EXPECT_EQ(find_fault(replace, kNoReject), kNoReject) << price;
    EXPECT_EQ(price_of(price), kMarketPrice);
  }
}

TEST(OrderRules, KnowTheLettersOfEachFieldAndNoOthers) {
  for (int letter = 0; letter < 256; ++letter) {
    EnterOrder message = enter_fields(1);
    const char c = static_cast<char>(letter);
    const auto in = [c](std::string_view letters) { return letters.find(c) != std::string_view::npos; };
    message.side = c;
    EXPECT_EQ(enter_fault(message) == kNoReject, in("BSTE")) << letter;
    message = enter_fields(1);
    message.capacity = c;
    EXPECT_EQ(enter_fault(message) == kNoReject, in("APRO")) << letter;
    message = enter_fields(1);
    message.time_in_force = c;
    EXPECT_EQ(enter_fault(message) == kNoReject, in("036")) << letter;
    EXPECT_EQ(offered_or(c, TimeInForce::day), in("036") ? TimeInForce{c} : TimeInForce::day);
    message = enter_fields(1);
    message.display = c;
    EXPECT_EQ(enter_fault(message) == kNoReject, in("YAN")) << letter;
    EXPECT_EQ(offered_or(c, Display::visible), in("YAN") ? Display{c} : Display::visible);
    message = enter_fields(1);
    message.cross_type = c;
    EXPECT_EQ(enter_fault(message) == kNoReject, in("NOC")) << letter;
    EXPECT_EQ(offered_or(c, CrossType::continuous), in("NOC") ? CrossType{c} : CrossType::continuous);
    message = enter_fields(1);
    message.iso = c;
    EXPECT_EQ(enter_fault(message) == kNoReject, in("N")) << letter;
  }
}

// ---- Options --------------------------------------------------------------------------------------------------------

OrderOptions enter_options(const Payload& options) {
  const Payload message = enter_message(1, options);
  return read_options(wire::ouch::split<EnterOrder>(message), EnterOrder::kTags, kFirm);
}

OrderOptions replace_options(const Payload& options) {
  const Payload message = replace_message(1, 2, options);
  return read_options(wire::ouch::split<ReplaceOrder>(message), ReplaceOrder::kTags, kFirm);
}

struct OptionCase {
  Tag tag;
  Payload value;
  RejectReason enter;
  RejectReason replace;
};

TEST(OrderRules, TakeWhatIsOfferedAndRefuseTheOtherOptionsEachForItsReason) {
  const RejectReason none = kNoReject;
  const RejectReason other = RejectReason::other;
  const RejectReason floor = RejectReason::invalid_max_floor;
  const RejectReason peg = RejectReason::pegging_not_allowed;
  const std::vector<OptionCase> cases = {
      {Tag::firm, {'F', 'I', 'R', 'M'}, none, other},
      {Tag::firm, {' ', ' ', ' ', ' '}, none, other},
      {Tag::firm, {'f', 'i', 'r', 'm'}, RejectReason::firm_not_authorised, other},
      {Tag::min_qty, {0, 0, 0, 0}, none, none},
      {Tag::min_qty, {1, 0, 0, 0}, none, none},
      {Tag::customer_type, letter('N'), none, other},
      {Tag::customer_type, letter(' '), none, other},
      {Tag::customer_type, letter('R'), RejectReason::retail_not_allowed, other},
      {Tag::customer_type, letter('x'), other, other},
      {Tag::max_floor, {0, 0, 0, 0}, none, none},
      {Tag::max_floor, {0, 0, 0, 1}, floor, floor},
      {Tag::random_reserves, {0, 0, 0, 0}, none, none},
      {Tag::random_reserves, {0, 0, 0, 1}, floor, floor},
      {Tag::price_type, letter('L'), none, none},
      {Tag::price_type, letter('M'), RejectReason::invalid_peg_type, RejectReason::invalid_peg_type},
      {Tag::peg_offset, {0, 0, 0, 0}, none, none},
      {Tag::peg_offset, {255, 255, 255, 255}, peg, peg},
      {Tag::discretion_price, {0, 0, 0, 0, 0, 0, 0, 0}, none, none},
      {Tag::discretion_price, {0, 0, 0, 0, 0, 0, 0, 1}, peg, peg},
      {Tag::discretion_price_type, letter('L'), none, none},
      {Tag::discretion_price_type, letter('P'), peg, peg},
      {Tag::discretion_peg_offset, {0, 0, 0, 0}, none, none},
      {Tag::discretion_peg_offset, {0, 0, 0, 1}, peg, peg},
      {Tag::post_only, letter('N'), none, none},
      {Tag::post_only, letter('P'), none, none},
      {Tag::post_only, letter('?'), other, other},
      {Tag::expire_time, {0, 0, 0, 0}, none, none},
      {Tag::expire_time, {0, 1, 0x51, 0x7F}, none, none},
      {Tag::expire_time, {0, 1, 0x51, 0x80}, other, other},
      {Tag::trade_now, letter('N'), none, none},
      {Tag::trade_now, letter(' '), none, none},
      {Tag::trade_now, letter('Y'), other, other},
      {Tag::handle_inst, letter(' '), none, none},
      {Tag::handle_inst, letter('I'), other, other},
      {Tag::group_id, {0, 0}, none, other},
      {Tag::group_id, {255, 255}, none, other},
      {Tag::shares_located, letter('Y'), none, none},
      {Tag::shares_located, letter('N'), none, none},
      {Tag::shares_located, letter('?'), other, other},
      {Tag::locate_broker, {'L', 'B', ' ', ' '}, none, none},
      {Tag::user_ref_idx, {0}, none, none},
      {Tag::user_ref_idx, {255}, none, none},
      {Tag::side, letter('S'), other, none},
      {Tag::side, letter('?'), other, RejectReason::invalid_side},
      {Tag::stay_on_disconnect, letter('Y'), none, none},
      {Tag::stay_on_disconnect, letter('N'), none, none},
      {Tag::stay_on_disconnect, letter('y'), other, other},
      {Tag::stay_on_disconnect, letter(' '), other, other},
      {Tag::self_trade, letter('N'), none, none},
      {Tag::self_trade, letter('D'), none, none},
      {Tag::self_trade, letter('d'), other, other},
      {Tag::route, {'X', 'X', 'X', 'X'}, other, other},
      {Tag{8}, {0}, other, other},
      {Tag{129}, {0}, other, other},
  };
  for (const OptionCase& c : cases) {
    SCOPED_TRACE(std::string(tag_info(c.tag).name) + " " + std::to_string(c.value.back()));
    EXPECT_EQ(enter_options(option(c.tag, c.value)).reject, c.enter);
    EXPECT_EQ(replace_options(option(c.tag, c.value)).reject, c.replace);
  }
}

TEST(OrderRules, NameTheFirstOptionThatCannotBeAccepted) {
  Payload options = option(Tag::post_only, letter('N'));
  put(options, option(Tag::max_floor, {0, 0, 0, 9}));
  put(options, option(Tag::handle_inst, letter('I')));
  EXPECT_EQ(enter_options(options).reject, RejectReason::invalid_max_floor);
  options.push_back(0);  // the appendage is broken behind it
  EXPECT_EQ(enter_options(options).reject, RejectReason::invalid_max_floor);
}

TEST(OrderRules, RefuseBrokenAppendages) {
  EXPECT_EQ(enter_options({0}).reject, RejectReason::other) << "length byte 0";
  EXPECT_EQ(enter_options({2}).reject, RejectReason::other) << "no tag";
  EXPECT_EQ(enter_options({5, 2, 'F'}).reject, RejectReason::other) << "truncated value";
  EXPECT_EQ(enter_options({2, 2, 'F'}).reject, RejectReason::other) << "wrong length for its tag";
  Payload twice = option(Tag::post_only, letter('N'));
  put(twice, Payload(twice));
  EXPECT_EQ(enter_options(twice).reject, RejectReason::other) << "repeated";
  EXPECT_TRUE(enter_options(twice).broken);
}

TEST(OrderRules, TellAnOptionThatIsRefusedFromAnAppendageThatIsBroken) {
  EXPECT_FALSE(enter_options(option(Tag::max_floor, u32(9))).broken);
  Payload options = option(Tag::max_floor, u32(9));
  options.push_back(9);
  EXPECT_TRUE(enter_options(options).broken);
  EXPECT_EQ(enter_options(options).reject, RejectReason::invalid_max_floor) << "the first fault";
  EXPECT_TRUE(enter_options(option(Tag::side, letter('S'))).broken) << "of another message";
}

TEST(OrderRules, RememberTheFirmThatWasNamedAndTheChannelEvenOfARejectedOrder) {
  EXPECT_TRUE(enter_options(option(Tag::firm, {'F', 'I', 'R', 'M'})).kept.firm_given);
  EXPECT_FALSE(enter_options(option(Tag::firm, {' ', ' ', ' ', ' '})).kept.firm_given);
  EXPECT_FALSE(enter_options(option(Tag::firm, {'E', 'L', 'S', 'E'})).kept.firm_given);
  EXPECT_FALSE(enter_options({}).kept.firm_given);
  Payload options = option(Tag::max_floor, {0, 0, 0, 9});
  put(options, option(Tag::user_ref_idx, {5}));
  EXPECT_EQ(enter_options(options).user_ref_idx, 5);
}

TEST(OrderRules, RememberWhatEachOptionSays) {
  Payload options = option(Tag::min_qty, u32(70'000));
  for (const Payload& next :
       {option(Tag::post_only, letter('P')), option(Tag::expire_time, u32(600)), option(Tag::user_ref_idx, {255})}) {
    put(options, next);
  }
  for (const OrderOptions& read : {enter_options(options), replace_options(options)}) {
    EXPECT_EQ(read.reject, kNoReject);
    EXPECT_EQ(read.min_quantity, 70'000u);
    EXPECT_EQ(read.kept.post_only, PostOnly::yes);
    EXPECT_EQ(read.kept.expire_seconds, 600u);
    EXPECT_EQ(read.user_ref_idx, 255);
    EXPECT_EQ(read.side, kNoSide);
    EXPECT_FALSE(read.group_given);
  }
  EXPECT_EQ(replace_options(option(Tag::side, letter('E'))).side, Side::sell_short_exempt);
  const OrderOptions group = enter_options(option(Tag::group_id, u16(0xABCD)));
  EXPECT_TRUE(group.group_given);
  EXPECT_EQ(group.kept.group_id, 0xABCD);
  EXPECT_EQ(enter_options({}).kept.post_only, PostOnly::unsaid);
}

}  // namespace
}  // namespace crosswire::test
