// ITCH 5.0 in words. The facts are those of WIRE 5 and of docs/protocol.md.
#include "tests/netstack/wire/guide/build.hpp"

namespace crosswire::wire::test {
namespace {

constexpr std::string_view kNumbers = "FieldsOnTheWire.NumbersAndTimesOfAnswersAreThoseOfTheFeed";
const Note kOrder = {"order_ref", "the order's number, as in its Accepted or Replaced", {}, kNumbers};
const Note kNoInstrument = {"locate", "always 0: about no instrument"};
const Note kNone = {"", "always a space: none", {{" ", "none"}}};

Note none(std::string_view field) { return {field, kNone.says, kNone.values}; }

}  // namespace

std::vector<Message> itch_messages() {
  const wire::alpha<8> stock{std::string_view("AAA")};
  const std::uint64_t ref = 1, match = 1;
  const Note gone = {"shares", "shares taken off now"};
  const Note match_of_cross = {"match_number", "number of the pair; both sides' Executed have the same"};
  const std::string_view added = "PublishTest.AnOrderThatRestsIsAdded";
  const std::string_view reduced = "PublishTest.ACancelOrModifyReducesOrRemovesTheOrder";
  const std::string_view imbalance = "PublishTest.AnImbalanceTellsThePriceAtWhichItsSharesAreCountedAsReferenceAndNear";
  const std::string_view counted = "FieldsOnTheWire.AnImbalanceCountsItsSharesAtItsReferencePrice";
  const std::string_view prices = "Attributes.AnImbalanceTellsThePriceOfAllOrdersAndThatOfThoseForTheCrossAlone";
  return {
      itch_message("System Event", "how far the day is", "PublishTest.ASystemEventIsAboutNoInstrument",
                   itch::SystemEvent{.event = 'O'},
                   {kNoInstrument,
                    {"event",
                     "which it is",
                     {{"O", "start of messages"},
                      {"S", "start of system hours"},
                      {"Q", "the first symbol trades"},
                      {"M", "the last symbol has closed"},
                      {"E", "end of system hours"},
                      {"C", "end of messages"}}}}),
      itch_message("Stock Directory", "once for each symbol, at the start",
                   "PublishTest.TheDirectoryDescribesAnOrdinaryShare",
                   itch::StockDirectory{.stock = stock,
                                        .market_category = ' ',
                                        .financial_status = ' ',
                                        .round_lot_size = 1u,
                                        .round_lots_only = 'N',
                                        .issue_class = 'C',
                                        .issue_subtype = std::string_view("Z"),
                                        .authenticity = 'P',
                                        .short_threshold = ' ',
                                        .ipo_flag = ' ',
                                        .luld_tier = ' ',
                                        .etp_flag = 'N',
                                        .etp_leverage = 0u,
                                        .inverse = 'N'},
                   {{"stock", "the instrument that `locate` means from here on"},
                    none("market_category"),
                    none("financial_status"),
                    {"round_lot_size", "always 1"},
                    {"round_lots_only", "always `N`", {{"N", "any size"}}},
                    {"issue_class", "always `C`", {{"C", "common"}}},
                    {"issue_subtype", "always `Z`", {{"Z", "none"}}},
                    {"authenticity", "always `P`", {{"P", "production"}}},
                    none("short_threshold"),
                    none("ipo_flag"),
                    none("luld_tier"),
                    {"etp_flag", "always `N`", {{"N", "no"}}},
                    {"etp_leverage", "always 0"},
                    {"inverse", "always `N`", {{"N", "no"}}}}),
      itch_message(
          "Stock Trading Action", "each symbol at the start, and at each of its phases",
          "PublishTest.APhaseIsATradingAction",
          itch::StockTradingAction{.stock = stock, .state = 'T', .reserved = ' ', .reason = std::string_view("")},
          {{"state",
            "what becomes of orders",
            {{"T", "they trade at once"},
             {"Q", "a call: they wait for its cross"},
             {"P", "interrupted: likewise"},
             {"H", "they do not trade"}}},
           none("reserved"),
           {"reason", "blank; of an operator's halt `O1`, of an interruption `LUDP`"}}),
      itch_message("Add Order", "a displayed order rests", added,
                   itch::AddOrder{.order_ref = ref, .side = 'B', .shares = 100u, .stock = stock, .price = 1'000'000u},
                   {kOrder, {"shares", "that rest"}, {"price", "1/10000, its limit"}}),
      itch_message("Add Order with MPID", "an attributable order rests",
                   "PublishTest.AnAttributableOrderIsAddedWithItsFirm",
                   itch::AddOrderMpid{.order_ref = ref,
                                      .side = 'S',
                                      .shares = 100u,
                                      .stock = stock,
                                      .price = 1'000'000u,
                                      .attribution = std::string_view("ANNS")},
                   {{"shares", "that rest"}, {"price", "1/10000, its limit"}, {"attribution", "the account's firm"}}),
      itch_message("Order Executed", "a displayed order that rested is executed, at its price",
                   "PublishTest.AnExecutionNamesTheRestingOrder",
                   itch::OrderExecuted{.order_ref = ref, .shares = 100u, .match_number = match},
                   {kOrder,
                    {"shares", "shares executed now"},
                    {"match_number", "number of the execution; OUCH's Executed has the same", {}, kNumbers}}),
      itch_message("Order Executed With Price", "a displayed order is executed in a cross",
                   "PublishTest.APairOfACrossNamesBothOrdersAndIsNotPrintable",
                   itch::OrderExecutedWithPrice{
                       .order_ref = ref, .shares = 100u, .match_number = match, .printable = 'N', .price = 1'000'000u},
                   {{"shares", "shares executed now"},
                    match_of_cross,
                    {"printable", "always `N`", {{"N", "not in the volume: the Cross Trade is"}}},
                    {"price", "1/10000, of the cross"}}),
      itch_message("Order Cancel", "some shares of a displayed order are cancelled", reduced,
                   itch::OrderCancel{.order_ref = ref, .shares = 40u}, {gone}),
      itch_message("Order Delete", "a displayed order leaves the book without an execution", reduced,
                   itch::OrderDelete{.order_ref = ref}, {}),
      itch_message("Order Replace", "a displayed order leaves the book, another takes its place behind all others",
                   "PublishTest.AReplaceMovesTheOrderOrTakesItsOriginalAway",
                   itch::OrderReplace{.old_ref = ref, .new_ref = ref + 1, .shares = 150u, .price = 1'000'100u},
                   {{"old_ref", "the order that leaves"},
                    {"new_ref", "the other, of the same side and instrument"},
                    {"shares", "that rest"},
                    {"price", "1/10000, its limit"}}),
      itch_message("Trade", "a hidden order that rested is executed",
                   "PublishTest.AnExecutionAgainstAHiddenOrderIsATradeWithoutReference",
                   itch::Trade{.order_ref = std::uint64_t{0},
                               .side = 'B',
                               .shares = 100u,
                               .stock = stock,
                               .price = 1'000'000u,
                               .match_number = match},
                   {{"order_ref", "always 0"},
                    {"side", "always `B`, whatever the side", {{"B", "says nothing"}}},
                    {"shares", "shares executed now"},
                    {"price", "1/10000, of the execution"}}),
      itch_message("Cross Trade", "the end of a cross", "PublishTest.ACrossEndsWithItsTotal",
                   itch::CrossTrade{.shares = std::uint64_t{5000},
                                    .stock = stock,
                                    .price = 1'000'000u,
                                    .match_number = match + 1,
                                    .cross_type = 'O'},
                   {{"shares", "of all its pairs; 0: nothing paired"},
                    {"price", "1/10000, of the cross; 0: none"},
                    {"match_number", "a number of its own"}}),
      itch_message(
          "Net Order Imbalance", "each second of a call, each of its symbols", imbalance,
          itch::NetOrderImbalance{.paired = std::uint64_t{5000},
                                  .imbalance = std::uint64_t{300},
                                  .direction = 'B',
                                  .stock = stock,
                                  .far_price = 1'000'100u,
                                  .near_price = 1'000'000u,
                                  .reference_price = 1'000'000u,
                                  .cross_type = 'O',
                                  .variation = 'L'},
          {{"paired", "shares that would execute at the reference price", {}, counted},
           {"imbalance", "shares that would be left there", {}, counted},
           {"direction",
            "whose they are",
            {{"B", "buyers'"}, {"S", "sellers'"}, {"N", "none are left"}, {"O", "nothing pairs"}},
            "EngineProperty.SaysWhatTheReferenceExchangeSaysToRandomCommandsInAllPhases"},
           {"far_price", "1/10000: that of the orders for the cross alone; 0: none of them pair", {}, prices},
           {"near_price", "1/10000: that of all orders; 0: nothing pairs"},
           {"reference_price", "1/10000: at which the shares are counted, in a call the near price", {}, counted},
           {"cross_type", "which cross comes", {{"O", "opening"}, {"C", "closing"}, {"H", "of an interruption"}}},
           {"variation",
            "of the near price from the reference price",
            {{"L", "under 1 %"}, {" ", "no price"}},
            "PublishTest.AnImbalanceWithoutAPriceHasNoneOfItsPricesAndNoVariation"}}),
  };
}

}  // namespace crosswire::wire::test
