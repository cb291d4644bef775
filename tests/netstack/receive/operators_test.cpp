// Operators' commands, which come past the wire: each a burst and a command of its own.
#include <gtest/gtest.h>

#include "netstack/wire/operator_frame.hpp"
#include "tests/netstack/receive/receive_rig.hpp"

namespace crosswire::test {
namespace {

wire::OperatorFrame frame_of(OperatorAction action, std::string_view symbol, std::uint64_t request = 7) {
  wire::OperatorFrame frame{};
  frame.ether_type = wire::kRecorderEtherType;
  frame.version = wire::OperatorFrame::kVersion;
  frame.request = request;
  frame.action = static_cast<std::uint8_t>(action);
  frame.symbol.set(symbol);
  frame.account = kNoSession.value;
  frame.firm = kNoFirm.value;
  frame.role = static_cast<std::uint8_t>(OperatorRole::owner);
  frame.name = {'r', 'o', 'o', 't'};
  frame.reason = {'w', 'h', 'y'};
  return frame;
}

FrameBytes bytes_of(const wire::OperatorFrame& frame) {
  const wire::Bytes bytes = wire::bytes_of(frame);
  return {bytes.begin(), bytes.end()};
}

struct Operators : Receive {
  std::vector<MadeCommand> operate(const FrameBytes& frame) {
    rig.port().push_operator(rig.start() + 1, frame);
    return rig.run();
  }
  std::vector<MadeCommand> operate(const wire::OperatorFrame& frame) { return operate(bytes_of(frame)); }
};

TEST_F(Operators, CommandsAreBurstsOfTheirOwnAndHoldWhoAndWhy) {
  wire::OperatorFrame frame = frame_of(OperatorAction::phase, "BBB");
  frame.phase = static_cast<std::uint8_t>(Phase::closing_call);
  const auto commands = operate(frame);
  ASSERT_EQ(kinds(commands), Kinds{CommandKind::operate});
  const Command& command = commands[0].command;
  EXPECT_TRUE(marked(commands[0]));
  EXPECT_EQ(command.session, kNoSession);
  EXPECT_EQ(command.symbol, SymbolId{2});
  EXPECT_EQ(command.operate.request, 7u);
  EXPECT_EQ(command.operate.action, OperatorAction::phase);
  EXPECT_EQ(command.operate.phase, Phase::closing_call);
  EXPECT_EQ(command.operate.refused, OperatorResult::none);
  EXPECT_STREQ(commands[0].who.name.data(), "root");
  EXPECT_EQ(commands[0].who.role, OperatorRole::owner);
  EXPECT_STREQ(commands[0].why.reason.data(), "why");
  EXPECT_EQ(rig.count(ReceiveCounter::operators), 1u);
}

TEST_F(Operators, CommandsWithoutASymbolMeanAll) {
  EXPECT_EQ(operate(frame_of(OperatorAction::halt, "")).at(0).command.symbol, kAllSymbols);
}

TEST_F(Operators, HaltsHaveTheirTimeAndLevel) {
  wire::OperatorFrame frame = frame_of(OperatorAction::halt, "");
  frame.level = 2;
  frame.seconds = 900u;
  const Command command = operate(frame).at(0).command;
  EXPECT_EQ(command.operate.level, 2);
  EXPECT_EQ(command.operate.seconds, 900u);
}

TEST_F(Operators, CommandsForASymbolThatIsNotThereGoOnRefused) {
  const auto commands = operate(frame_of(OperatorAction::halt, "NOSUCH"));
  EXPECT_EQ(commands.at(0).command.operate.refused, OperatorResult::unknown_symbol);
}

TEST_F(Operators, CommandsForAnAccountOrFirmThatIsNotThereGoOnRefused) {
  const auto result = [this](OperatorAction action, std::uint16_t account, std::uint16_t firm) {
    wire::OperatorFrame frame = frame_of(action, "");
    frame.account = account;
    frame.firm = firm;
    const Command command = operate(frame).at(0).command;
    EXPECT_EQ(command.operate.account.value, account);
    EXPECT_EQ(command.operate.firm.value, firm);
    return command.operate.refused;
  };
  using enum OperatorResult;
  const std::uint16_t nobody = kNoSession.value, no_firm = kNoFirm.value;
  EXPECT_EQ(result(OperatorAction::kill, 0, no_firm), none);
  EXPECT_EQ(result(OperatorAction::allow, nobody, 0), none);
  EXPECT_EQ(result(OperatorAction::kill, nobody, no_firm), unknown_account);
  EXPECT_EQ(result(OperatorAction::kill, 0, 0), unknown_account) << "one of the two";
  EXPECT_EQ(result(OperatorAction::kill, 1'000, no_firm), unknown_account);
  EXPECT_EQ(result(OperatorAction::kill, nobody, 1'000), unknown_account);
  EXPECT_EQ(result(OperatorAction::halt, 0, no_firm), unknown_account) << "a symbol has no account";
}

TEST_F(Operators, FramesOfTheirsFromTheWireAreAStrangers) {
  const FrameBytes forged = bytes_of(frame_of(OperatorAction::halt, ""));
  EXPECT_TRUE(rig.burst(rig.start() + 1, {forged}).empty());
  FrameBytes to_us = forged;
  std::copy(kOurMac.begin(), kOurMac.end(), to_us.begin());
  to_us[6] = 2;
  EXPECT_TRUE(rig.burst(rig.start() + 2, {to_us}).empty());
  EXPECT_EQ(rig.count(ReceiveCounter::ether_other_destination), 1u);
  EXPECT_EQ(rig.count(ReceiveCounter::ether_type_unknown), 1u);
  EXPECT_EQ(rig.count(ReceiveCounter::operators), 0u);
}

TEST_F(Operators, CommandsThatCannotBeReadAreCountedAndDoNothing) {
  wire::OperatorFrame version = frame_of(OperatorAction::halt, "");
  version.version = wire::OperatorFrame::kVersion + 1;
  wire::OperatorFrame action = frame_of(OperatorAction::none, "");
  wire::OperatorFrame later = frame_of(OperatorAction::halt, "");
  later.action = static_cast<std::uint8_t>(kLastOperatorAction) + 1;
  wire::OperatorFrame phase = frame_of(OperatorAction::phase, "");
  phase.phase = static_cast<std::uint8_t>(kPhaseNames.size());
  const wire::OperatorFrame request = frame_of(OperatorAction::halt, "", 0);
  const auto halt = [](std::uint8_t level, std::uint32_t seconds, std::string_view symbol = "") {
    wire::OperatorFrame frame = frame_of(OperatorAction::halt, symbol);
    frame.level = level;
    frame.seconds = seconds;
    return frame;
  };
  wire::OperatorFrame resume = halt(1, 0);
  resume.action = static_cast<std::uint8_t>(OperatorAction::resume);
  for (const wire::OperatorFrame& bad : {version, action, later, phase, request, halt(4, 0),
                                         halt(0, kMostHaltSeconds + 1), halt(3, 1), halt(1, 0, "AAA"), resume})
    EXPECT_TRUE(operate(bad).empty());
  FrameBytes cut = bytes_of(frame_of(OperatorAction::halt, ""));
  cut.pop_back();
  EXPECT_TRUE(operate(cut).empty());
  EXPECT_EQ(rig.count(ReceiveCounter::operator_unknown), 11u);
}

TEST_F(Operators, CommandsWaitForASlotAndForRoom) {
  ReceiveRig small(2, 1);  // a ring of two commands, one slot
  small.run();
  for (std::uint64_t i = 1; i <= 5; ++i) {
    small.port().push_operator(small.start() + i, bytes_of(frame_of(OperatorAction::halt, "", i)));
  }
  const auto commands = small.run();  // gives each slot back as it reads
  ASSERT_EQ(commands.size(), 5u);
  for (std::uint64_t i = 0; i < 5; ++i) EXPECT_EQ(commands[i].command.operate.request, i + 1);
}

TEST_F(Operators, CommandsStandInTheSequenceWhereTheyCame) {
  log_in_alice();
  rig.port().push_burst(rig.start() + 10, {data_frame(kAlice, 1, {enter_message(1)})});
  rig.port().push_operator(rig.start() + 11, bytes_of(frame_of(OperatorAction::halt, "")));
  rig.port().push_burst(rig.start() + 12, {data_frame(kAlice, 2, {enter_message(2)})});
  EXPECT_EQ(kinds(rig.run()), (Kinds{CommandKind::enter, CommandKind::operate, CommandKind::enter}));
}

}  // namespace
}  // namespace crosswire::test
