// OUCH 5.0 in words: its messages, options and reasons. The facts are those of WIRE 3 and of docs/protocol.md.
#include "netstack/wire/ouch_codes.hpp"
#include "tests/netstack/wire/guide/build.hpp"

namespace crosswire::wire::test {
namespace {

const Note kNewNumber = {"user_ref_num", "consumed: above the last one of its channel"};
const Note kOrderNumber = {"user_ref_num", "number of the live order"};
const Note kFirm = {"firm", "blank, or the account's own in upper case"};

const std::vector<Meaning> kCancelReasons = {{"U", "asked for"},
                                             {"I", "rest of an IOC"},
                                             {"E", "the close"},
                                             {"T", "its time or its cross is over"},
                                             {"F", "post-only, against a hidden order"},
                                             {"G", "post-only, against a displayed order"},
                                             {"S", "an operator stopped the account"},
                                             {"K", "a market order may go no further"},
                                             {"Z", "by the system"}};
const std::vector<Meaning> kLiquidity = {{"R", "removed: the aggressor"},  {"A", "added: it rested"},
                                         {"J", "added: it rested hidden"}, {"O", "opening cross"},
                                         {"C", "closing cross"},           {"H", "halt cross"}};
const std::vector<Meaning> kSelfTrades = {{"N", "the arriving order is cancelled"},
                                          {"O", "the resting one is"},
                                          {"B", "both are"},
                                          {"D", "both lose what would have executed"}};

Meaning reason(ouch::RejectReason code, std::string means) {
  return {std::to_string(static_cast<unsigned>(code)), std::move(means)};
}

}  // namespace

std::vector<Message> ouch_in() {
  const ouch::EnterOrder enter{.user_ref_num = 1u,
                               .side = 'B',
                               .quantity = 100u,
                               .symbol = std::string_view("AAA"),
                               .price = std::uint64_t{1'000'000},
                               .time_in_force = '0',
                               .display = 'Y',
                               .capacity = 'A',
                               .iso = 'N',
                               .cross_type = 'N',
                               .cl_ord_id = std::string_view("first")};
  const ouch::ReplaceOrder replace{.orig_user_ref_num = 1u,
                                   .user_ref_num = 2u,
                                   .quantity = 150u,
                                   .price = std::uint64_t{1'000'100},
                                   .time_in_force = '0',
                                   .display = 'Y',
                                   .iso = 'N',
                                   .cl_ord_id = std::string_view("second")};
  const std::string quantity = "1 to 999,999 shares";
  return {
      ouch_message("Enter Order", "a new order. Answered by Accepted, then by what becomes of it, or by Rejected", "",
                   enter,
                   {kNewNumber,
                    {"side", "the order's side", kSides},
                    {"quantity", quantity},
                    {"symbol", "of a Stock Directory, in its case"},
                    {"price", "limit, " + std::string(kPrice) + "; 0x7FFFFFFF or 200,000: a market order"},
                    {"time_in_force", "how long it may live", kTimes},
                    {"display", "who sees it", kDisplays},
                    {"capacity", "for whom the client trades; passed on", kCapacities},
                    {"cross_type", "which cross it is for", kCrossTypes},
                    {"cl_ord_id", "any bytes; its answers repeat them"}},
                   {.tags = {}, .example = {{Tag::firm, {'A', 'N', 'N', 'S'}}}}),
      ouch_message("Replace Order",
                   "another order in the place of a live one. Answered by Replaced, by Canceled of the original, by "
                   "Rejected, or not at all",
                   "", replace,
                   {{"orig_user_ref_num", "number of the live order"},
                    kNewNumber,
                    {"quantity", quantity + " of the whole chain, what is executed included"},
                    {"price", "limit, " + std::string(kPrice) + "; 0x7FFFFFFF or 200,000: a market order"},
                    {"time_in_force", "how long it may live", kTimes},
                    {"display", "who sees it", kDisplays},
                    {"cl_ord_id", "any bytes; its answers repeat them"}}),
      ouch_message(
          "Cancel Order", "takes shares off. Answered by Canceled, by Cancel Reject, or not at all", "",
          ouch::CancelOrder{.user_ref_num = 2u, .quantity = 0u},
          {kOrderNumber, {"quantity", "the most that may execute in all, what is executed included; 0: no more"}}),
      ouch_message(
          "Modify Order",
          "marks a sale anew, takes shares off. Answered by Modified, by Canceled, by Cancel Reject, or not at all", "",
          ouch::ModifyOrder{.user_ref_num = 2u, .side = 'T', .quantity = 100u},
          {kOrderNumber,
           {"side", "the present one, or `S` to `E`, `S` to `T`, `E` to `T`", kSides},
           {"quantity", "as of Cancel Order; more than is there changes nothing"}}),
      ouch_message(
          "Mass Cancel",
          "cancels the account's orders. Answered by Mass Cancel Response, then a Canceled for each, or by "
          "Rejected",
          "", ouch::MassCancel{.user_ref_num = 3u, .firm = std::string_view(""), .symbol = std::string_view("AAA")},
          {kNewNumber, kFirm, {"symbol", "blank: all"}}),
      ouch_message("Disable Order Entry", "no more orders until Enable. Answered by Disable Response, or by Rejected",
                   "", ouch::DisableOrderEntry{.user_ref_num = 4u, .firm = std::string_view("ANNS")},
                   {kNewNumber, kFirm}),
      ouch_message("Enable Order Entry", "orders again. Answered by Enable Response, or by Rejected", "",
                   ouch::EnableOrderEntry{.user_ref_num = 5u, .firm = std::string_view("ANNS")}, {kNewNumber, kFirm}),
      ouch_message("Account Query", "asks for the next free number. Answered by Account Query Response", "",
                   ouch::AccountQuery{}, {}, {.tags = {}, .example = {{Tag::user_ref_idx, {5}}}}),
  };
}

std::vector<Message> ouch_out() {
  const auto accepted = [] {
    return ouch::OrderAccepted{.timestamp = kNow,
                               .user_ref_num = 1u,
                               .side = 'B',
                               .quantity = 100u,
                               .symbol = std::string_view("AAA"),
                               .price = std::uint64_t{1'000'000},
                               .time_in_force = '0',
                               .display = 'Y',
                               .order_ref = std::uint64_t{1},
                               .capacity = 'A',
                               .iso = 'N',
                               .cross_type = 'N',
                               .order_state = 'L',
                               .cl_ord_id = std::string_view("first")};
  };
  const ouch::OrderReplaced replaced{.timestamp = kNow,
                                     .orig_user_ref_num = 1u,
                                     .user_ref_num = 2u,
                                     .side = 'B',
                                     .quantity = 150u,
                                     .symbol = std::string_view("AAA"),
                                     .price = std::uint64_t{1'000'100},
                                     .time_in_force = '0',
                                     .display = 'Y',
                                     .order_ref = std::uint64_t{2},
                                     .capacity = 'A',
                                     .iso = 'N',
                                     .cross_type = 'N',
                                     .order_state = 'L',
                                     .cl_ord_id = std::string_view("second")};
  const std::string_view numbers = "FieldsOnTheWire.NumbersAndTimesOfAnswersAreThoseOfTheFeed";
  const std::string_view repeated = "Answers.AcceptedAndReplacedRepeatTheFieldsAsAsked";
  const std::string_view dead = "EngineTest.AcceptsAnIocThatMeetsNobodyAsDeadInOneMessage";
  const std::string_view chain = "EngineTest.ReplaceLosesPriorityAndCountsTheWholeChain";
  const Note display = {"display", "as asked; `N` of an order for a cross", kDisplays, repeated};
  const Note time = {"time_in_force", "as asked", kTimes, repeated};
  const Note cross = {"cross_type", "as asked", kCrossTypes, repeated};
  const Note state = {"order_state", "whether more may come for it", kStates, dead};
  const Note consumed = {"user_ref_num", "as asked; it is consumed"};
  return {
      ouch_message("System Event", "to every account, at the day's start and at its end",
                   "Answers.TheDaysStartAndEndAreForEverySession", ouch::SystemEvent{.timestamp = kNow, .event = 'S'},
                   {{"event", "which it is", {{"S", "start of day"}, {"E", "end of day"}}}}),
      ouch_message(
          "Accepted", "an Enter Order is taken", "Answers.AcceptedIsTheMessageThatProductionSends", accepted(),
          {{"quantity", "shares as entered"},
           {"order_ref", "the exchange's number of the order, unique in the day; the feed has the same", {}, numbers},
           time,
           display,
           cross,
           state},
          {.tags = {Tag::firm, Tag::min_qty, Tag::post_only, Tag::expire_time, Tag::group_id, Tag::user_ref_idx,
                    Tag::stay_on_disconnect},
           .example = {{Tag::firm, {'A', 'N', 'N', 'S'}}}}),
      ouch_message("Replaced", "a Replace Order is done; the original is gone",
                   "Answers.ReplacedNamesBothNumbersAndTheNewOrder", replaced,
                   {{"orig_user_ref_num", "number of the order that is gone"},
                    {"user_ref_num", "number of the one in its place"},
                    {"quantity", "shares that are left open, what is executed not included", {}, chain},
                    time,
                    display,
                    cross,
                    state},
                   {.tags = {Tag::firm, Tag::min_qty, Tag::post_only, Tag::expire_time, Tag::user_ref_idx,
                             Tag::stay_on_disconnect}}),
      ouch_message(
          "Canceled", "shares are taken off an order", "Answers.CanceledIsTheMessageThatProductionSends",
          ouch::OrderCanceled{.timestamp = kNow, .user_ref_num = 2u, .quantity = 150u, .reason = 'U'},
          {{"quantity", "shares taken off now", {}, "EngineTest.CancelNamesTheMostThatMayExecuteAndKeepsPriority"},
           {"reason", "why", kCancelReasons, "Answers.ACancelNamesEveryReason"}}),
      ouch_message(
          "AIQ Canceled",
          "shares are taken off an order that would have executed against one of its own group; each order that "
          "loses some is told",
          "Answers.APreventedExecutionIsToldToEachOrderThatLosesShares",
          ouch::AiqCanceled{.timestamp = kNow,
                            .user_ref_num = 2u,
                            .decrement = 150u,
                            .reason = 'Q',
                            .prevented = 100u,
                            .execution_price = std::uint64_t{1'000'000},
                            .liquidity = 'R',
                            .aiq_strategy = 'N'},
          {{"decrement", "shares taken off now"},
           {"reason", "always the same", {{"Q", "self-trade prevention"}}},
           {"prevented", "shares that would have executed"},
           {"execution_price", "1/10000, at which they would have"},
           {"liquidity", "what the order would have been to it", {{"R", "the aggressor"}, {"A", "it rested"}}},
           {"aiq_strategy", "what decided: the aggressor's SelfTrade, or his account's", kSelfTrades}}),
      ouch_message("Executed", "shares of an order are executed; each side is told",
                   "Answers.AnExecutionIsToldToBothSidesWithTheirLiquidity",
                   ouch::OrderExecuted{.timestamp = kNow,
                                       .user_ref_num = 1u,
                                       .quantity = 100u,
                                       .price = std::uint64_t{1'000'000},
                                       .liquidity = 'A',
                                       .match_number = std::uint64_t{1}},
                   {{"quantity", "shares executed now"},
                    {"price", "1/10000, of the execution"},
                    {"liquidity", "what the order was to it", kLiquidity, "Answers.AHiddenOrderThatRestedIsToldSo"},
                    {"match_number", "the same on both sides and on the feed", {}, numbers}}),
      ouch_message("Rejected", "what was asked is not done", "Answers.RejectedNeedsNothingButTheOrderAsAsked",
                   ouch::Rejected{.timestamp = kNow,
                                  .user_ref_num = 2u,
                                  .reason = std::uint16_t{0x000C},
                                  .cl_ord_id = std::string_view("second")},
                   {consumed,
                    {"reason", "why: section 6", reject_reasons()},
                    {"cl_ord_id",
                     "as asked; blank where no order was asked for",
                     {},
                     "Answers.WhatAsksForNoOrderIsRejectedWithoutAClOrdId"}}),
      ouch_message("Cancel Reject", "a Cancel or Modify Order is beyond its account's rate; the order stays",
                   "Answers.ARefusedCancelIsToldToTheOrdersOwner",
                   ouch::CancelReject{.timestamp = kNow, .user_ref_num = 2u}, {{"user_ref_num", "of the order"}},
                   {.tags = {Tag::user_ref_idx}}),
      ouch_message("Modified", "a Modify Order is done", "Answers.ModifiedSaysWhatIsLeft",
                   ouch::OrderModified{.timestamp = kNow, .user_ref_num = 2u, .side = 'T', .quantity = 100u},
                   {{"quantity", "shares that are left open"}}, {.tags = {Tag::user_ref_idx}}),
      ouch_message(
          "Mass Cancel Response", "a Mass Cancel is taken; a Canceled for each order follows",
          "Answers.AMassCancelIsAnsweredAsAsked",
          ouch::MassCancelResponse{
              .timestamp = kNow, .user_ref_num = 3u, .firm = std::string_view(""), .symbol = std::string_view("AAA")},
          {consumed, {"symbol", "as asked"}}),
      ouch_message(
          "Disable Response", "a Disable Order Entry is done", "Answers.DisableAndEnableAreAnsweredWithTheFirm",
          ouch::DisableOrderEntryResponse{.timestamp = kNow, .user_ref_num = 4u, .firm = std::string_view("ANNS")},
          {consumed}),
      ouch_message(
          "Enable Response", "an Enable Order Entry is done", "Answers.DisableAndEnableAreAnsweredWithTheFirm",
          ouch::EnableOrderEntryResponse{.timestamp = kNow, .user_ref_num = 5u, .firm = std::string_view("ANNS")},
          {consumed}),
      ouch_message("Account Query Response", "to an Account Query", "Answers.AnAccountQueryNeedsNoOrder",
                   ouch::AccountQueryResponse{.timestamp = kNow, .next_user_ref_num = 6u},
                   {{"next_user_ref_num", "the least that is free on the channel; 0: none is left"}},
                   {.tags = {Tag::user_ref_idx}, .example = {{Tag::user_ref_idx, {5}}}}),
  };
}

const std::vector<Option>& options() {
  static const std::vector<Option> kOptions = {
      {Tag::firm, Form::text, "blank, or the account's own in upper case", {}},
      {Tag::min_qty, Form::number, "shares that execute at once, or the order dies; 0: none", {}},
      {Tag::customer_type, Form::letter, "whose order it is", {{"N", "not retail"}, {" ", "not said"}}},
      {Tag::max_floor, Form::number, "0", {}},
      {Tag::price_type, Form::letter, "how the price is meant", {{"L", "limit"}}},
      {Tag::peg_offset, Form::price, "0", {}},
      {Tag::discretion_price, Form::price, "0", {}},
      {Tag::discretion_price_type, Form::letter, "how that price is meant", {{"L", "limit"}}},
      {Tag::discretion_peg_offset, Form::price, "0", {}},
      {Tag::post_only, Form::letter, "adds liquidity, or is cancelled", {{"P", "yes"}, {"N", "no"}}},
      {Tag::random_reserves, Form::number, "0", {}},
      {Tag::expire_time, Form::seconds, "seconds to live, 1 to 86,399; 0: says nothing", {}},
      {Tag::trade_now, Form::letter, "no", {{"N", "no"}, {" ", "not said"}}},
      {Tag::handle_inst, Form::letter, "a space", {{" ", "none"}}},
      {Tag::group_id, Form::number, "the client's group of orders, for Mass Cancel; 0: none", {}},
      {Tag::shares_located, Form::letter, "read, without effect", {{"Y", "yes"}, {"N", "no"}}},
      {Tag::locate_broker, Form::text, "read, without effect", {}},
      {Tag::side, Form::letter, "Replace: the new side. Mass Cancel: orders of it alone", kSides},
      {Tag::user_ref_idx, Form::number, "the channel that a UserRefNum counts in; 0 is that of who names none", {}},
      {Tag::stay_on_disconnect, Form::letter, "stays when its session ends", {{"Y", "yes"}, {"N", "no"}}},
      {Tag::self_trade, Form::letter, "what becomes of orders of one group that would execute", kSelfTrades},
      {Tag::kill,
       Form::letter,
       "Disable: all orders are cancelled, and none is taken until an operator allows it",
       {{"Y", "yes"}}}};
  return kOptions;
}

const Option& option_of(Tag tag) {
  for (const Option& option : options()) {
    if (option.tag == tag) return option;
  }
  throw std::logic_error("no option " + std::to_string(static_cast<unsigned>(tag)));
}

const std::vector<Meaning>& reject_reasons() {
  using enum ouch::RejectReason;
  static const std::vector<Meaning> kReasons = {
      reason(quote_unavailable, "a market order, and the other side shows no price"),
      reason(destination_closed, "the instrument is not open yet, or closed"),
      reason(invalid_display, "display"),
      reason(invalid_max_floor, "MaxFloor or RandomReserves, which are not offered"),
      reason(invalid_peg_type, "PriceType other than limit"),
      reason(halted, "the instrument is halted"),
      reason(iso_not_allowed, "ISO is not offered"),
      reason(invalid_side, "side"),
      reason(processing_error, "no room: orders or price levels"),
      reason(cancel_pending, "the account's orders are being cancelled: come again"),
      reason(firm_not_authorised, "another firm, or order entry is disabled"),
      reason(invalid_min_quantity, "MinQty above the quantity, or where it cannot be"),
      reason(other, "another field or option, or some that exclude each other"),
      reason(pegging_not_allowed, "pegging and discretion are not offered"),
      reason(invalid_quantity, "quantity"),
      reason(invalid_cross_order, "cross type, or not at this time"),
      reason(invalid_symbol, "symbol"),
      reason(retail_not_allowed, "retail is not offered"),
      reason(invalid_price, "price: out of range, or off the tick"),
      reason(exceeds_maximum_notional_value, "a sum of money that could not be counted any more"),
      reason(risk_aggregate_exposure_exceeded, "the account's or the firm's funds, or the limit of a position"),
      reason(risk_restricted_stock, "a symbol that the account may not trade"),
      reason(risk_fat_finger, "price: too far from the last one"),
      reason(risk_symbol_message_rate, "more than the account's rate in the symbol"),
      reason(risk_port_message_rate, "more than the account's rate"),
      reason(risk_duplicate_message_rate, "equal to one that the account entered just before"),
      reason(risk_short_sell_not_allowed, "the account may not sell short"),
      reason(risk_market_order_not_allowed,
             "an order type that the account may not use, or a market order in a symbol that takes none"),
      reason(risk_short_sell_exempt_not_allowed, "the account may not sell short exempt"),
      reason(risk_single_order_notional_exceeded, "price times shares: more than the account's limit"),
      reason(risk_max_quantity_exceeded, "quantity: more than the account's limit")};
  return kReasons;
}

}  // namespace crosswire::wire::test
