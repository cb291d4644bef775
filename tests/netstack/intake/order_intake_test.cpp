// The order intake by its sessions, and by what it does without room.
#include "netstack/intake/order_intake.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "tests/netstack/intake/intake_rig.hpp"

namespace crosswire::test {
namespace {

using enum CommandKind;

TEST_F(Intake, NamesTheSessionThatSentAndItsFirm) {
  const MadeCommand alices = send_one(enter_message(1));
  const MadeCommand bobs = send_one(enter_message(1), kBobs);
  EXPECT_EQ(alices.command.session, kAlices);
  EXPECT_EQ(alices.asked.session, kAlices);
  EXPECT_EQ(alices.resolved.firm, (std::array{'A', 'L', 'I', 'C'}));
  EXPECT_EQ(bobs.command.session, kBobs);
  EXPECT_EQ(bobs.asked.session, kBobs);
  EXPECT_EQ(bobs.resolved.firm, (std::array{'B', 'O', 'B', ' '}));
}

/// Enters that say every letter in every field that has letters, and numbers at the ends of what is offered.
std::vector<wire::ouch::EnterOrder> enters_of_all_letters() {
  std::vector<wire::ouch::EnterOrder> messages;
  const auto add = [&messages](auto change) {
    wire::ouch::EnterOrder message = enter_fields(1);
    change(message);
    messages.push_back(message);
  };
  for (int i = 0; i < 256; ++i) {
    const char letter = static_cast<char>(i);
    add([letter](auto& message) { message.side = letter; });
    add([letter](auto& message) { message.time_in_force = letter; });
    add([letter](auto& message) { message.display = letter; });
    add([letter](auto& message) { message.capacity = letter; });
    add([letter](auto& message) { message.iso = letter; });
    add([letter](auto& message) { message.cross_type = letter; });
  }
  for (const std::uint32_t quantity : {0u, 1u, kMaxQuantity, kMaxQuantity + 1}) {
    add([quantity](auto& message) { message.quantity = quantity; });
  }
  for (const std::uint64_t price :
       {std::uint64_t{0}, std::uint64_t{kMaxPrice.value}, std::uint64_t{kMaxPrice.value} + 1,
        std::uint64_t{kMarketPrice.value}, std::uint64_t{2'000'000'000}}) {
    add([price](auto& message) { message.price = price; });
  }
  add([](auto& message) { message.symbol = std::string_view("NONE"); });
  return messages;
}

TEST_F(Intake, MakesTheSameOfAnEnterWithoutOptionsAsOfOneWhoseOptionSaysNothing) {
  const Payload says_nothing = option(wire::ouch::Tag::trade_now, {'N'});
  for (const wire::ouch::EnterOrder& message : enters_of_all_letters()) {
    MadeCommand without = send_one(with_options(bytes(message), {}));
    MadeCommand with = send_one(with_options(bytes(message), says_nothing));
    EXPECT_EQ(std::memcmp(&without.asked, &with.asked, sizeof with.asked), 0);
    EXPECT_EQ(std::memcmp(&without.resolved, &with.resolved, sizeof with.resolved), 0);
    without.command.sequence = with.command.sequence;
    without.command.order.order = with.command.order.order;
    EXPECT_EQ(std::memcmp(&without.command, &with.command, sizeof with.command), 0);
  }
}

TEST_F(Intake, MarksAnEnterAsPlainJustWhereItsCommandIs) {
  using wire::ouch::Tag;
  std::vector<Payload> messages;
  for (const wire::ouch::EnterOrder& message : enters_of_all_letters()) {
    messages.push_back(with_options(bytes(message), {}));
  }
  for (const Payload& said :
       {option(Tag::trade_now, {'N'}), option(Tag::trade_now, {'Y'}), option(Tag::user_ref_idx, {1}),
        option(Tag::user_ref_idx, {0}), option(Tag::min_qty, {0, 0, 0, 1}), option(Tag::min_qty, {0, 0, 0, 0}),
        option(Tag::expire_time, {0, 0, 0, 1}), option(Tag::post_only, {'P'}), option(Tag::post_only, {'N'})}) {
    messages.push_back(enter_message(1, said));
  }
  std::size_t plain = 0;
  for (const Payload& message : messages) {
    const Command command = send_one(message).command;
    EXPECT_EQ((command.flags & kPlain) != 0, is_plain(command));
    plain += is_plain(command);
  }
  EXPECT_GT(plain, 10u);
  EXPECT_LT(plain, messages.size() - 10);
}

TEST_F(Intake, CountsTheMassCancelsOfEachSessionApart) {
  for (std::uint32_t i = 0; i < kMassCancelsPerSecond; ++i) send_one(mass_cancel_message(1 + i, "", ""));
  EXPECT_EQ(send_one(mass_cancel_message(90, "", "")).command.reject, 0x0029);
  EXPECT_EQ(send_one(mass_cancel_message(90, "", ""), kBobs).command.reject, 0);
  rig.commands().move_on(rig.commands().now() + kNsPerSecond);
  EXPECT_EQ(send_one(mass_cancel_message(91, "", "")).command.reject, 0);
}

TEST_F(Intake, HasChangedNothingWhereThereIsNoRoomForACommand) {
  IntakeRig small(4);
  for (std::uint32_t n = 1; n <= 4; ++n) EXPECT_TRUE(small.take(kAlices, enter_message(n)));
  const Payload odd = {'?'};
  for (const Payload& message : {enter_message(5), cancel_message(1), mass_cancel_message(6, "", ""), odd}) {
    EXPECT_FALSE(small.take(kAlices, message));
  }
  EXPECT_EQ(small.count(ReceiveCounter::enters), 4u);
  EXPECT_EQ(small.count(ReceiveCounter::cancels) + small.count(ReceiveCounter::mass_cancels), 0u);
  EXPECT_EQ(small.count(ReceiveCounter::ouch_type_unknown), 0u);
  EXPECT_EQ(small.read().size(), 3u) << "the newest is held back";
  EXPECT_TRUE(small.take(kAlices, enter_message(5)));
}

TEST_F(Intake, WithoutAFreeSlotPublishesWhatIsHeldBackAndGoesOnWithTheVeryMessage) {
  IntakeRig small(64, 2);
  EXPECT_TRUE(small.take(kAlices, enter_message(1)));
  EXPECT_TRUE(small.take(kAlices, enter_message(2)));
  EXPECT_FALSE(small.take(kAlices, enter_message(3)));
  EXPECT_FALSE(small.take(kAlices, replace_message(1, 3)));
  EXPECT_EQ(small.count(ReceiveCounter::enters), 2u);
  const auto first = small.read();
  ASSERT_EQ(kinds(first), (Kinds{enter, enter}));
  EXPECT_FALSE(marked(first[1])) << "it is not the burst's last";
  EXPECT_TRUE(small.take(kAlices, enter_message(3)));
  small.commands().finish_burst();
  const auto others = small.read();
  ASSERT_EQ(kinds(others), Kinds{enter});
  EXPECT_EQ(others[0].command.sequence, Sequence{3});
  EXPECT_TRUE(marked(others[0]));
}

}  // namespace
}  // namespace crosswire::test
