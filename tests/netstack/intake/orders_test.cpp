// The order intake by what it makes of OUCH messages: commands, cold lines, and what cannot be answered.
#include <gtest/gtest.h>

#include "netstack/intake/order_intake.hpp"
#include "tests/netstack/intake/intake_rig.hpp"

namespace crosswire::test {
namespace {

using enum CommandKind;
using wire::ouch::Tag;

TEST_F(Intake, WritesAnEnterIntoItsSlot) {
  wire::ouch::EnterOrder fields = enter_fields(7);
  fields.side = 'T';
  fields.symbol = std::string_view{"BBB"};
  fields.time_in_force = '3';
  fields.capacity = 'P';
  const auto commands = send({with_options(bytes(fields), option(Tag::firm, {'A', 'L', 'I', 'C'}))});
  ASSERT_EQ(kinds(commands), Kinds{enter});
  const auto& [command, asked, resolved, echo, who, why] = commands[0];
  EXPECT_EQ(command.symbol, SymbolId{2});
  EXPECT_EQ(command.reject, 0);
  EXPECT_EQ(command.order.user_ref_num, UserRefNum{7});
  EXPECT_EQ(command.order.price, Price{123'4500});
  EXPECT_EQ(command.order.quantity, 100u);
  EXPECT_EQ(command.order.side, Side::sell_short);
  EXPECT_EQ(command.order.time_in_force, TimeInForce::ioc);
  EXPECT_EQ(asked.session, SessionId{0});
  EXPECT_EQ(asked.user_ref_num, UserRefNum{7});
  EXPECT_EQ(asked.cl_ord_id, fields.cl_ord_id.chars);
  EXPECT_EQ(asked.quantity, 100u);
  EXPECT_EQ(asked.price, 123'4500u);
  EXPECT_EQ(asked.time_in_force, TimeInForce::ioc);
  EXPECT_EQ(asked.display, 'Y');
  EXPECT_EQ(asked.iso, 'N');
  EXPECT_TRUE(asked.firm_given && resolved.kept.firm_given);
  EXPECT_EQ(resolved.symbol_name, fields.symbol.chars);
  EXPECT_EQ(resolved.symbol, SymbolId{2});
  EXPECT_EQ(resolved.firm, (std::array{'A', 'L', 'I', 'C'}));
  EXPECT_EQ(resolved.side, Side::sell_short);
  EXPECT_EQ(resolved.capacity, 'P');
  EXPECT_EQ(resolved.cross_type, 'N');
}

TEST_F(Intake, WritesAReplaceIntoLineZeroAlone) {
  const auto commands = send({replace_message(3, 9)});
  ASSERT_EQ(kinds(commands), Kinds{replace});
  const auto& [command, asked, resolved, echo, who, why] = commands[0];
  EXPECT_EQ(command.symbol, kNoSymbol);
  EXPECT_EQ(command.reject, 0);
  EXPECT_NE(command.order.order, kNoOrder);
  EXPECT_EQ(command.order.user_ref_num, UserRefNum{9});
  EXPECT_EQ(command.order.orig_user_ref_num, UserRefNum{3});
  EXPECT_EQ(command.order.price, Price{124'0000});
  EXPECT_EQ(command.order.quantity, 200u);
  EXPECT_EQ(command.order.time_in_force, TimeInForce::ioc);
  EXPECT_EQ(asked.user_ref_num, UserRefNum{9});
  EXPECT_EQ(asked.cl_ord_id, replace_fields(3, 9).cl_ord_id.chars);
}

TEST_F(Intake, TakesNoSlotForCancelModifyAndQuery) {
  const auto commands = send({cancel_message(4, 60), modify_message(5, 'S', 80), query_message()});
  ASSERT_EQ(kinds(commands), (Kinds{cancel, modify, account_query}));
  for (const MadeCommand& made : commands) EXPECT_EQ(made.command.order.order, kNoOrder);
  EXPECT_EQ(commands[0].command.order.user_ref_num, UserRefNum{4});
  EXPECT_EQ(commands[0].command.order.quantity, 60u);
  EXPECT_EQ(commands[1].command.order.user_ref_num, UserRefNum{5});
  EXPECT_EQ(commands[1].command.order.quantity, 80u);
  EXPECT_EQ(commands[1].command.order.side, Side::sell);
}

TEST_F(Intake, LetsTheEngineAnswerAnEnterThatParsingRefuses) {
  wire::ouch::EnterOrder fields = enter_fields(1);
  fields.side = 'X';
  fields.symbol = std::string_view{"ZZZ"};
  fields.quantity = 0u;
  fields.price = ~std::uint64_t{0};
  fields.time_in_force = '?';
  const auto commands = send({with_options(bytes(fields), {})});
  ASSERT_EQ(kinds(commands), Kinds{enter});
  const auto& [command, asked, resolved, echo, who, why] = commands[0];
  EXPECT_EQ(command.reject, 0x0017);
  EXPECT_EQ(command.symbol, kNoSymbol);
  EXPECT_EQ(command.order.side, Side::buy);
  EXPECT_EQ(command.order.time_in_force, TimeInForce::day);
  EXPECT_EQ(command.order.price, kNoPrice);
  EXPECT_EQ(asked.price, ~std::uint64_t{0});
  EXPECT_EQ(asked.cl_ord_id, fields.cl_ord_id.chars);
  EXPECT_EQ(resolved.symbol_name, fields.symbol.chars);
  EXPECT_EQ(rig.count(ReceiveCounter::rejects), 1u);
}

TEST_F(Intake, RejectsABrokenAppendageOfEnterAndReplaceAndDropsItElsewhere) {
  Payload no_length = bytes(enter_fields(1));
  Payload lying = enter_message(2);
  set16(lying, 45, 9);
  Payload replace_trailing = replace_message(1, 3);
  replace_trailing.push_back(0);
  const auto rejected =
      send({no_length, lying, replace_trailing, replace_message(1, 4, option(Tag::firm, {1, 2, 3, 4}))});
  ASSERT_EQ(kinds(rejected), (Kinds{enter, enter, replace, replace}));
  for (const MadeCommand& made : rejected) EXPECT_EQ(made.command.reject, 0x000F);

  EXPECT_EQ(
      send({with_options(cancel_message(1), {}), with_options(query_message(), option(Tag::user_ref_idx, {0}))}).size(),
      2u);
  Payload cancel_trailing = cancel_message(1);
  cancel_trailing.push_back(0);
  EXPECT_TRUE(send({cancel_trailing, with_options(modify_message(1, 'S', 1), option(Tag::firm, {1, 2, 3, 4})),
                    with_options(modify_message(1, 'S', 1), option(Tag::shares_located, letter('?'))),
                    with_options(query_message(), {9})})
                  .empty());
  EXPECT_EQ(rig.count(ReceiveCounter::ouch_appendage), 4u);
}

TEST_F(Intake, DropsMessagesThatItCannotAnswer) {
  Payload short_enter = bytes(enter_fields(1));
  short_enter.pop_back();
  Payload short_replace = bytes(replace_fields(1, 2));
  short_replace.pop_back();
  Payload short_cancel = cancel_message(1);
  short_cancel.pop_back();
  Payload short_modify = modify_message(1, 'S', 1);
  short_modify.pop_back();
  EXPECT_TRUE(send({short_enter, short_replace, short_cancel, short_modify, {}}).empty());
  EXPECT_EQ(rig.count(ReceiveCounter::ouch_short), 5u);
  EXPECT_TRUE(send({{'A'}, {0}, {0xFF}}).empty());
  EXPECT_EQ(rig.count(ReceiveCounter::ouch_type_unknown), 3u);
  EXPECT_TRUE(send({modify_message(1, 'X', 1)}).empty());
  EXPECT_EQ(rig.count(ReceiveCounter::ouch_side), 1u);
}

}  // namespace
}  // namespace crosswire::test
