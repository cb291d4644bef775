// The order intake by what it makes of an order's attributes: each value of each, by itself, into command and cold
// lines.
#include <gtest/gtest.h>

#include <tuple>

#include "netstack/intake/order_intake.hpp"
#include "tests/netstack/intake/intake_rig.hpp"

namespace crosswire::test {
namespace {

using enum CommandKind;
using wire::ouch::EnterOrder;
using wire::ouch::ReplaceOrder;
using wire::ouch::Tag;

struct IntakeAttributes : Intake {
  /// An Enter as usual but for one field, and one option.
  template <class Value>
  MadeCommand enter_with(Value EnterOrder::*field, Value value, const Payload& options = {}) {
    EnterOrder message = enter_fields(number++);
    message.*field = value;
    return send_one(with_options(bytes(message), options));
  }
  template <class Value>
  MadeCommand replace_with(Value ReplaceOrder::*field, Value value, const Payload& options = {}) {
    ReplaceOrder message = replace_fields(1, number++);
    message.*field = value;
    return send_one(with_options(bytes(message), options));
  }
  MadeCommand enter_with(const Payload& options) { return send_one(enter_message(number++, options)); }
  MadeCommand replace_with(const Payload& options) { return send_one(replace_message(1, number++, options)); }

  std::uint32_t number = 2;
};

TEST_F(IntakeAttributes, AnOrderWithoutAnyIsAPlainDayOrder) {
  const MadeCommand entered = enter_with({});
  const OrderAsk& ask = entered.command.order;
  EXPECT_EQ(entered.command.reject, 0);
  EXPECT_EQ(ask.time_in_force, TimeInForce::day);
  EXPECT_EQ(ask.display, Display::visible);
  EXPECT_EQ(ask.cross_type, CrossType::continuous);
  EXPECT_EQ(ask.post_only, PostOnly::no);
  EXPECT_EQ(ask.min_quantity, 0u);
  EXPECT_EQ(ask.expire_seconds, 0u);
  EXPECT_EQ(ask.user_ref_idx, 0);
  EXPECT_EQ(entered.asked.min_quantity, 0u);
  EXPECT_EQ(entered.resolved.kept.post_only, PostOnly::no);
  EXPECT_EQ(entered.resolved.kept.group_id, 0);
  EXPECT_EQ(entered.resolved.kept.expire_seconds, 0u);
  const MadeCommand replaced = replace_with({});
  EXPECT_EQ(replaced.command.order.post_only, PostOnly::unsaid) << "as the original";
  EXPECT_EQ(replaced.command.order.side, kNoSide);
  EXPECT_EQ(replaced.command.order.expire_seconds, 0u);
  EXPECT_EQ(replaced.command.order.min_quantity, 0u);
}

TEST_F(IntakeAttributes, PassEachDisplayOnAndRefuseOthers) {
  for (const char letter : {'Y', 'A', 'N'}) {
    for (const MadeCommand& made :
         {enter_with(&EnterOrder::display, letter), replace_with(&ReplaceOrder::display, letter)}) {
      EXPECT_EQ(made.command.reject, 0) << letter;
      EXPECT_EQ(made.command.order.display, Display{letter});
      EXPECT_EQ(made.asked.display, letter);
    }
  }
  for (const char letter : {'Z', 'y', ' ', '\0'}) {
    for (const MadeCommand& made :
         {enter_with(&EnterOrder::display, letter), replace_with(&ReplaceOrder::display, letter)}) {
      EXPECT_EQ(made.command.reject, 0x0003) << letter;
      EXPECT_EQ(made.command.order.display, Display::visible) << "the engine meets no letter of no meaning";
    }
  }
}

TEST_F(IntakeAttributes, PassEachTimeInForceOnAndRefuseOthers) {
  for (const char letter : {'0', '3', '6'}) {
    for (const MadeCommand& made :
         {enter_with(&EnterOrder::time_in_force, letter), replace_with(&ReplaceOrder::time_in_force, letter)}) {
      EXPECT_EQ(made.command.reject, 0) << letter;
      EXPECT_EQ(made.command.order.time_in_force, TimeInForce{letter});
      EXPECT_EQ(made.asked.time_in_force, TimeInForce{letter});
    }
  }
  for (const char letter : {'1', '5', 'E', ' '}) {
    for (const MadeCommand& made :
         {enter_with(&EnterOrder::time_in_force, letter), replace_with(&ReplaceOrder::time_in_force, letter)}) {
      EXPECT_EQ(made.command.reject, 0x000F) << letter;
      EXPECT_EQ(made.command.order.time_in_force, TimeInForce::day);
    }
  }
}

TEST_F(IntakeAttributes, PassEachCrossTypeOnAndRefuseOthers) {
  for (const char letter : {'N', 'O', 'C'}) {
    const MadeCommand made = enter_with(&EnterOrder::cross_type, letter);
    EXPECT_EQ(made.command.reject, 0) << letter;
    EXPECT_EQ(made.command.order.cross_type, CrossType{letter});
    EXPECT_EQ(made.resolved.cross_type, letter);
  }
  for (const char letter : {'H', 'S', 'R', 'E', 'A', ' '}) {
    const MadeCommand made = enter_with(&EnterOrder::cross_type, letter);
    EXPECT_EQ(made.command.reject, 0x0014) << letter;
    EXPECT_EQ(made.command.order.cross_type, CrossType::continuous);
  }
}

TEST_F(IntakeAttributes, PassExpireTimeOnUpToADay) {
  for (const std::uint32_t seconds : {0u, 1u, 86'399u}) {
    const Payload options = option(Tag::expire_time, u32(seconds));
    const MadeCommand entered = enter_with(options);
    EXPECT_EQ(entered.command.reject, 0) << seconds;
    EXPECT_EQ(entered.command.order.expire_seconds, seconds);
    EXPECT_EQ(entered.resolved.kept.expire_seconds, seconds);
    EXPECT_EQ(replace_with(options).command.order.expire_seconds, seconds);
  }
  for (const std::uint32_t seconds : {86'400u, 0xFFFFFFFFu}) {
    const Payload options = option(Tag::expire_time, u32(seconds));
    for (const MadeCommand& made : {enter_with(options), replace_with(options)}) {
      EXPECT_EQ(made.command.reject, 0x000F) << seconds;
      EXPECT_EQ(made.command.order.expire_seconds, 0u);
    }
  }
}

TEST_F(IntakeAttributes, PassMinQtyOn) {
  for (const std::uint32_t quantity : {0u, 1u, 100u, 999'999u}) {
    const Payload options = option(Tag::min_qty, u32(quantity));
    for (const MadeCommand& made : {enter_with(options), replace_with(options)}) {
      EXPECT_EQ(made.command.reject, 0);
      EXPECT_EQ(made.command.order.min_quantity, quantity);
      EXPECT_EQ(made.asked.min_quantity, quantity);
    }
  }
}

TEST_F(IntakeAttributes, PassPostOnlyOnAndRefuseOthers) {
  for (const PostOnly value : {PostOnly::yes, PostOnly::no}) {
    const Payload options = option(Tag::post_only, letter(static_cast<char>(value)));
    const MadeCommand entered = enter_with(options);
    EXPECT_EQ(entered.command.order.post_only, value);
    EXPECT_EQ(entered.resolved.kept.post_only, value);
    const MadeCommand replaced = replace_with(options);
    EXPECT_EQ(replaced.command.order.post_only, value);
    EXPECT_EQ(entered.command.reject + replaced.command.reject, 0);
  }
  for (const char value : {'p', ' ', '\0'}) {
    const Payload options = option(Tag::post_only, letter(value));
    EXPECT_EQ(enter_with(options).command.reject, 0x000F);
    EXPECT_EQ(replace_with(options).command.reject, 0x000F);
  }
}

TEST_F(IntakeAttributes, PassStayOnDisconnectOnAndRefuseOthers) {
  EXPECT_FALSE(enter_with({}).resolved.kept.stays_on_disconnect);
  EXPECT_EQ(replace_with({}).command.order.stay_on_disconnect, StayOnDisconnect::unsaid) << "as the original";
  for (const StayOnDisconnect value : {StayOnDisconnect::yes, StayOnDisconnect::no}) {
    const Payload options = option(Tag::stay_on_disconnect, letter(static_cast<char>(value)));
    const MadeCommand entered = enter_with(options);
    EXPECT_EQ(entered.resolved.kept.stays_on_disconnect, value == StayOnDisconnect::yes);
    EXPECT_NE(entered.command.flags & kPlain, 0) << "it asks match for nothing rare";
    const MadeCommand replaced = replace_with(options);
    EXPECT_EQ(replaced.command.order.stay_on_disconnect, value);
    EXPECT_EQ(entered.command.reject + replaced.command.reject, 0);
  }
  for (const char value : {'y', 'P', ' ', '\0'}) {
    const Payload options = option(Tag::stay_on_disconnect, letter(value));
    EXPECT_EQ(enter_with(options).command.reject, 0x000F);
    EXPECT_EQ(replace_with(options).command.reject, 0x000F);
  }
}

TEST_F(IntakeAttributes, PassEachSelfTradeOnAndRefuseOthers) {
  EXPECT_EQ(enter_with({}).command.order.self_trade, SelfTrade::unsaid) << "as the account's configuration says";
  for (const SelfTrade value : {SelfTrade::newest, SelfTrade::oldest, SelfTrade::both, SelfTrade::decrement}) {
    const Payload options = option(Tag::self_trade, letter(static_cast<char>(value)));
    const MadeCommand entered = enter_with(options);
    EXPECT_EQ(entered.command.order.self_trade, value);
    EXPECT_NE(entered.command.flags & kPlain, 0) << "it asks match for nothing rare";
    const MadeCommand replaced = replace_with(options);
    EXPECT_EQ(replaced.command.order.self_trade, value);
    EXPECT_EQ(entered.command.reject + replaced.command.reject, 0);
  }
  for (const char value : {'n', 'X', ' ', '\0'}) {
    const Payload options = option(Tag::self_trade, letter(value));
    EXPECT_EQ(enter_with(options).command.reject, 0x000F);
    EXPECT_EQ(replace_with(options).command.reject, 0x000F);
  }
}

TEST_F(IntakeAttributes, PassAGroupOnWhichAReplaceCannotName) {
  for (const std::uint16_t group : {std::uint16_t{0}, std::uint16_t{1}, std::uint16_t{0xFFFF}}) {
    const Payload options = option(Tag::group_id, u16(group));
    const MadeCommand entered = enter_with(options);
    EXPECT_EQ(entered.command.reject, 0);
    EXPECT_EQ(entered.resolved.kept.group_id, group);
    EXPECT_EQ(replace_with(options).command.reject, 0x000F);
  }
}

TEST_F(IntakeAttributes, PassTheSideOfAReplaceOnWhichAnEnterCannotName) {
  for (const char side : {'B', 'S', 'T', 'E'}) {
    const MadeCommand made = replace_with(option(Tag::side, letter(side)));
    EXPECT_EQ(made.command.reject, 0);
    EXPECT_EQ(made.command.order.side, Side{side});
    EXPECT_EQ(enter_with(option(Tag::side, letter(side))).command.reject, 0x000F);
  }
  const MadeCommand made = replace_with(option(Tag::side, letter('X')));
  EXPECT_EQ(made.command.reject, 0x0009);
  EXPECT_EQ(made.command.order.side, kNoSide);
}

TEST_F(IntakeAttributes, PassEveryChannelOnInEveryMessage) {
  for (unsigned i = 0; i < kChannels; ++i) {
    const auto channel = static_cast<Channel>(i);
    const Payload options = option(Tag::user_ref_idx, {channel});
    const auto commands =
        send({enter_message(1, options), replace_message(1, 2, options), with_options(cancel_message(1), options),
              with_options(modify_message(1, 'S', 1), options), with_options(query_message(), options)});
    ASSERT_EQ(kinds(commands), (Kinds{enter, replace, cancel, modify, account_query}));
    for (const MadeCommand& made : commands) {
      EXPECT_EQ(made.command.reject, 0);
      EXPECT_EQ(made.command.order.user_ref_idx, channel);
    }
    EXPECT_EQ(commands[0].asked.user_ref_idx, channel);
    EXPECT_EQ(commands[1].asked.user_ref_idx, channel);
    const auto firms = send({mass_cancel_message(3, "ALIC", "", options), disable_message(4, "ALIC", options),
                             enable_message(5, "ALIC", options)});
    ASSERT_EQ(kinds(firms), (Kinds{mass_cancel, disable, enable}));
    for (const MadeCommand& made : firms) EXPECT_EQ(made.command.firm.user_ref_idx, channel);
  }
}

TEST_F(IntakeAttributes, LeaveToTheEngineWhatValuesMeanTogether) {
  EnterOrder gtt = enter_fields(10);
  gtt.time_in_force = '6';
  EnterOrder ioc = enter_fields(11);
  ioc.time_in_force = '3';
  EnterOrder on_open = enter_fields(12);
  on_open.cross_type = 'O';
  on_open.time_in_force = '3';
  const Payload post_only = option(Tag::post_only, letter('P'));
  Payload all = post_only;
  put(all, option(Tag::min_qty, u32(999)));
  put(all, option(Tag::expire_time, u32(5)));
  const auto commands = send({with_options(bytes(gtt), {}), enter_message(13, option(Tag::expire_time, u32(5))),
                              with_options(bytes(ioc), post_only), enter_message(14, option(Tag::min_qty, u32(101))),
                              with_options(bytes(on_open), all), replace_message(1, 15, all)});
  ASSERT_EQ(commands.size(), 6u);
  for (const MadeCommand& made : commands) EXPECT_EQ(made.command.reject, 0);
  const OrderAsk& ask = commands[4].command.order;
  EXPECT_EQ(std::tuple(ask.cross_type, ask.time_in_force, ask.post_only, ask.min_quantity, ask.expire_seconds),
            std::tuple(CrossType::opening, TimeInForce::ioc, PostOnly::yes, 999u, 5u));
}

TEST_F(IntakeAttributes, RejectOnTheChannelThatIsNamed) {
  Payload options = option(Tag::user_ref_idx, {9});
  put(options, option(Tag::max_floor, u32(5)));
  const MadeCommand made = enter_with(options);
  EXPECT_EQ(made.command.reject, 0x0004);
  EXPECT_EQ(made.command.order.user_ref_idx, 9);
  EXPECT_EQ(made.asked.user_ref_idx, 9);
  options.push_back(77);  // and the appendage is broken
  EXPECT_EQ(enter_with(options).command.order.user_ref_idx, 9);
  Payload behind = option(Tag::max_floor, u32(5));
  put(behind, option(Tag::user_ref_idx, {9}));
  EXPECT_EQ(enter_with(behind).command.order.user_ref_idx, 9);
}

// ---- A firm's order entry as a whole --------------------------------------------------------------------------------

using IntakeFirms = IntakeAttributes;

TEST_F(IntakeFirms, AMassCancelNamesWhatItIsFor) {
  Payload options = option(Tag::side, letter('T'));
  put(options, option(Tag::group_id, u16(513)));
  put(options, option(Tag::user_ref_idx, {7}));
  const MadeCommand made = send_one(mass_cancel_message(21, "ALIC", "BBB", options));
  const Command& command = made.command;
  EXPECT_EQ(command.kind, mass_cancel);
  EXPECT_EQ(command.session, SessionId{0});
  EXPECT_EQ(command.symbol, SymbolId{2});
  EXPECT_EQ(command.reject, 0);
  EXPECT_EQ(command.firm.user_ref_num, UserRefNum{21});
  EXPECT_EQ(command.firm.firm, (std::array{'A', 'L', 'I', 'C'}));
  EXPECT_EQ(command.firm.symbol_name, test_engine().symbols[1].name);
  EXPECT_EQ(command.firm.group_id, 513);
  EXPECT_TRUE(command.firm.group_given);
  EXPECT_EQ(command.firm.side, Side::sell_short);
  EXPECT_EQ(command.firm.user_ref_idx, 7);
  EXPECT_EQ(rig.count(ReceiveCounter::mass_cancels), 1u);
}

TEST_F(IntakeFirms, AMassCancelWithoutMoreIsForAll) {
  const Command command = send_one(mass_cancel_message(21, "", "")).command;
  EXPECT_EQ(command.reject, 0);
  EXPECT_EQ(command.symbol, kAllSymbols);
  EXPECT_EQ(command.firm.firm, (std::array{' ', ' ', ' ', ' '}));
  EXPECT_EQ(command.firm.symbol_name, (SymbolName{' ', ' ', ' ', ' ', ' ', ' ', ' ', ' '}));
  EXPECT_FALSE(command.firm.group_given);
  EXPECT_EQ(command.firm.side, kNoSide);
  EXPECT_EQ(command.firm.user_ref_idx, 0);
  const Command no_group = send_one(mass_cancel_message(22, "", "", option(Tag::group_id, u16(0)))).command;
  EXPECT_TRUE(no_group.firm.group_given) << "orders without a group, and no others";
  EXPECT_EQ(no_group.firm.group_id, 0);
}

TEST_F(IntakeFirms, AMassCancelTakesEachSide) {
  for (const char side : {'B', 'S', 'T', 'E'}) {
    EXPECT_EQ(send_one(mass_cancel_message(21, "", "", option(Tag::side, letter(side)))).command.firm.side, Side{side});
  }
}

TEST_F(IntakeFirms, AMassCancelIsRejectedForItsFirstFault) {
  const Payload no_side = option(Tag::side, letter('X'));
  EXPECT_EQ(send_one(mass_cancel_message(21, "BOB", "ZZZ", no_side)).command.reject, 0x000C);
  EXPECT_EQ(send_one(mass_cancel_message(21, "alic", "AAA")).command.reject, 0x000C);
  EXPECT_EQ(send_one(mass_cancel_message(21, "ALIC", "ZZZ", no_side)).command.reject, 0x0017);
  const Command command = send_one(mass_cancel_message(21, "ALIC", "AAA", no_side)).command;
  EXPECT_EQ(command.reject, 0x0009);
  EXPECT_EQ(command.firm.side, kNoSide);
  EXPECT_EQ(rig.count(ReceiveCounter::mass_cancels), 4u);
  EXPECT_EQ(rig.count(ReceiveCounter::rejects), 4u);
}

TEST_F(IntakeFirms, MassCancelsBeyondTheirRateAreRejected) {
  for (std::uint32_t i = 0; i < kMassCancelsPerSecond; ++i) {
    EXPECT_EQ(send_one(mass_cancel_message(21 + i, "", "")).command.reject, 0) << i;
  }
  EXPECT_EQ(send_one(mass_cancel_message(99, "", "")).command.reject, 0x0029);
}

TEST_F(IntakeFirms, DisableAndEnableNameTheFirm) {
  for (const CommandKind kind : {disable, enable}) {
    const auto message = [kind](std::string_view firm) {
      const Payload options = option(Tag::user_ref_idx, {3});
      return kind == disable ? disable_message(31, firm, options) : enable_message(31, firm, options);
    };
    for (const char* const firm : {"ALIC", ""}) {
      const Command command = send_one(message(firm)).command;
      EXPECT_EQ(command.kind, kind);
      EXPECT_EQ(command.session, SessionId{0});
      EXPECT_EQ(command.reject, 0);
      EXPECT_EQ(command.firm.user_ref_num, UserRefNum{31});
      EXPECT_EQ(command.firm.firm, wire::alpha<4>(std::string_view{firm}).chars);
      EXPECT_EQ(command.firm.user_ref_idx, 3);
    }
    EXPECT_EQ(send_one(message("BOB")).command.reject, 0x000C);
  }
  EXPECT_EQ(rig.count(ReceiveCounter::disables), 3u);
  EXPECT_EQ(rig.count(ReceiveCounter::enables), 3u);
  EXPECT_EQ(rig.count(ReceiveCounter::rejects), 2u);
}

TEST_F(IntakeFirms, ADisableMayKillAndAnEnableMayNot) {
  const auto kill = [](std::uint8_t value) { return option(Tag::kill, {value}); };
  EXPECT_TRUE(send_one(disable_message(31, "", kill('Y'))).command.firm.kills);
  EXPECT_FALSE(send_one(disable_message(32, "", {})).command.firm.kills);
  const Command wrong = send_one(disable_message(33, "", kill('N'))).command;
  EXPECT_EQ(wrong.reject, 0x000F);
  EXPECT_TRUE(send({enable_message(34, "", kill('Y'))}).empty());
  EXPECT_EQ(rig.count(ReceiveCounter::ouch_appendage), 1u);
}

TEST_F(IntakeFirms, AFaultyAppendageIsSilence) {
  const auto no_appendage = [](Payload message) {
    message.pop_back();
    message.pop_back();
    return message;
  };
  Payload side_then_rubbish = option(Tag::side, letter('X'));
  side_then_rubbish.push_back(9);
  EXPECT_TRUE(send({no_appendage(mass_cancel_message(1, "", "")), no_appendage(disable_message(1, "")),
                    no_appendage(enable_message(1, "")),
                    mass_cancel_message(1, "", "", option(Tag::firm, {'A', 'L', 'I', 'C'})),
                    mass_cancel_message(1, "", "", side_then_rubbish),
                    disable_message(1, "", option(Tag::group_id, u16(1))), enable_message(1, "", {0})})
                  .empty());
  EXPECT_EQ(rig.count(ReceiveCounter::ouch_appendage), 7u);
}

TEST_F(IntakeFirms, OnesThatAreTooShortAreDropped) {
  for (const Payload& message : {mass_cancel_message(1, "", ""), disable_message(1, ""), enable_message(1, "")}) {
    EXPECT_TRUE(send({Payload(message.begin(), message.end() - 3)}).empty());
  }
  EXPECT_EQ(rig.count(ReceiveCounter::ouch_short), 3u);
}

}  // namespace
}  // namespace crosswire::test
