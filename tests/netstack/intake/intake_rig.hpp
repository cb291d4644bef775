// An OrderIntake between messages that the test makes and a command ring that it reads, without frames; and what it
// shares with the receive stage's tests. Tests only.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "netstack/intake/order_intake.hpp"
#include "tests/netstack/client_frames.hpp"

namespace crosswire::test {

inline NetConfig test_net() {
  NetConfig net;
  net.mac = kOurMac;
  net.address = kOurAddress;
  net.order_port = kOrderPort;
  net.feed_request_port = kRequestPort;
  net.order_session = kOrderSession;
  net.feed_session = kFeedSession;
  net.start_ns = 9 * 3600 * kNsPerSecond + 50'000'000;  // between two ticks
  net.accounts = {{"ALICE", "secret", {'A', 'L', 'I', 'C'}, {}},
                  {"Bob", "PassWord", {'B', 'O', 'B', ' '}, {}},
                  {"carol", "", {'C', 'A', 'R', 'O'}, {{0x0A630000, 24}, {0xC0A80101, 32}}}};
  return net;
}

inline EngineConfig test_engine() {
  EngineConfig engine;
  engine.symbols = {{{'A', 'A', 'A', ' ', ' ', ' ', ' ', ' '}, Price{100'0000}, 100},
                    {{'B', 'B', 'B', ' ', ' ', ' ', ' ', ' '}, Price{100'0000}, 100}};
  engine.sessions = 3;
  return engine;
}

/// A command as read, with what it names elsewhere: so that two runs are compared by meaning, not by slot.
struct MadeCommand {
  Command command;
  OrderAsked asked{};
  OrderResolved resolved{};
  Payload echo{};
  OperatorWho who{};
  OperatorWhy why{};
};

using Kinds = std::vector<CommandKind>;

inline Kinds kinds(const std::vector<MadeCommand>& commands) {
  Kinds result;
  for (const MadeCommand& made : commands) result.push_back(made.command.kind);
  return result;
}

inline bool marked(const MadeCommand& made) { return (made.command.flags & kLastOfBurst) != 0; }

/// What the command's slot holds, if it has one, which is given back.
inline MadeCommand take_out(const Command& command, Orders& orders, SlotReturnRing& returns) {
  MadeCommand made{.command = command};
  const bool operates = command.kind == CommandKind::operate;
  if (operates || command.kind == CommandKind::configure) {
    const OrderIndex slot = operates ? command.operate.slot : command.configure.slot;
    made.who = operator_who(orders, slot);
    made.why = operator_why(orders, slot);
    returns.push(slot);
  }
  const bool has_slot = command.kind == CommandKind::enter || command.kind == CommandKind::replace;
  if (!has_slot) return made;
  const OrderIndex index = command.order.order;
  made.asked = orders.asked(index);
  if (command.kind == CommandKind::enter) made.resolved = orders.resolved(index);
  returns.push(index);
  return made;
}

class IntakeRig {
 public:
  explicit IntakeRig(std::uint64_t ring_capacity = 1024, std::uint32_t slots = 64)
      : arena_(BroadcastRing<Command>::bytes_for(ring_capacity) + Orders::bytes_for(slots) +
                   SlotReturnRing::bytes_for(slot_return_capacity(slots)) + SlotSource::bytes_for(slots) +
                   OrderIntake::bytes_for(test_net(), test_engine()),
               HugepagePolicy::off),
        ring_(arena_, ring_capacity),
        reader_(ring_.add_gating("test")),
        orders_(arena_, slots),
        returns_(arena_, slot_return_capacity(slots)),
        slots_(arena_, returns_, slots),
        commands_(ring_.producer(), counters_, test_engine(), test_net().start_ns),
        intake_(test_net(), test_engine(), commands_, orders_, slots_, counters_, arena_) {}

  CommandWriter& commands() { return commands_; }
  std::uint64_t count(ReceiveCounter counter) const { return counters_.get(counter); }

  bool take(SessionId session, const Payload& message) { return intake_.take(session, message); }

  /// Reads at most `most` commands and gives back what they hold.
  std::vector<MadeCommand> read(std::size_t most = 1024) {
    std::vector<MadeCommand> commands;
    for (; most > 0 && reader_.available() > 0; --most) {
      commands.push_back(take_out(reader_.peek(), orders_, returns_));
      reader_.release();
    }
    return commands;
  }

 private:
  Arena arena_;
  BroadcastRing<Command> ring_;
  BroadcastRing<Command>::GatingReader& reader_;
  Orders orders_;
  SlotReturnRing returns_;
  SlotSource slots_;
  ReceiveCounters counters_;
  CommandWriter commands_;
  OrderIntake intake_;
};

inline constexpr SessionId kAlices{0};
inline constexpr SessionId kBobs{1};

/// Alice sends.
struct Intake : ::testing::Test {
  /// The messages as one burst, and its commands.
  std::vector<MadeCommand> send(const std::vector<Payload>& messages, SessionId session = kAlices) {
    for (const Payload& message : messages) EXPECT_TRUE(rig.take(session, message));
    rig.commands().finish_burst();
    return rig.read();
  }

  /// Sends one message and expects one command of it.
  MadeCommand send_one(const Payload& message, SessionId session = kAlices) {
    const auto commands = send({message}, session);
    EXPECT_EQ(commands.size(), 1u);
    return commands.empty() ? MadeCommand{} : commands[0];
  }

  IntakeRig rig;
};

}  // namespace crosswire::test
