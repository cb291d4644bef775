// The order intake by its sessions, and by what it does without room.
#include "netstack/intake/order_intake.hpp"

#include <gtest/gtest.h>

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
