// Hostile OUCH: options, numbers, other people's orders. What is counted, what is answered, and that bystanders notice
// nothing.
#include "tests/app/partition/hostile_rig.hpp"

namespace crosswire::test {
namespace {

using enum ReceiveCounter;
using wire::ouch::Tag;

class HostileOrder : public Hostile {
 protected:
  static constexpr std::uint32_t kMostNumber = 0xFFFF'FFFF;

  /// Far from where the bystanders trade.
  static Payload far_order(std::uint32_t number, const Payload& options = {}) {
    wire::ouch::EnterOrder enter = enter_fields(number);
    enter.symbol = std::string_view{"BBB"};
    enter.price = std::uint64_t{10'0000};
    return with_options(bytes(enter), options);
  }

  /// Every answer is a Rejected with this reason.
  static void expect_rejected(const Frames& answers, std::size_t count, std::uint16_t reason) {
    const std::vector<Payload> messages = messages_of(answers);
    EXPECT_EQ(types_of(messages), std::string(count, 'J'));
    for (const Payload& message : messages) {
      const auto* const rejected = wire::view_as<wire::ouch::Rejected>(message);
      ASSERT_NE(rejected, nullptr);
      EXPECT_EQ(static_cast<std::uint16_t>(rejected->reason), reason);
    }
  }

  /// Sends each appendage (its two length bytes included) with an Enter of its own.
  void expect_enters_rejected(const std::vector<Payload>& appendages) {
    Frames frames;
    std::uint32_t number = 0;
    for (const Payload& appendage : appendages) {
      Payload message = bytes(enter_fields(++number));
      put(message, appendage);
      frames.push_back(orders({message}));
    }
    const Frames answers = attack(frames, {{enters, frames.size()}, {rejects, frames.size()}});
    expect_rejected(answers, frames.size(), 0x000F);
  }

  /// Sends each with a Cancel, where it is not answered.
  void expect_cancels_dropped(const std::vector<Payload>& appendages) {
    Frames frames;
    for (const Payload& appendage : appendages) {
      Payload message = cancel_message(1);
      put(message, appendage);
      frames.push_back(orders({message}));
    }
    expect_silence(frames, {{ouch_appendage, frames.size()}});
  }

  static Payload appendage(const std::vector<Payload>& options) {
    Payload all;
    for (const Payload& one : options) put(all, one);
    Payload result;
    put16(result, all.size());
    put(result, all);
    return result;
  }

  static Payload value(Tag tag, std::size_t length) {
    const bool letter =
        tag == Tag::customer_type || tag == Tag::post_only || tag == Tag::stay_on_disconnect || tag == Tag::self_trade;
    return Payload(length, letter ? 'N' : 0);
  }

  /// Each option of the set, in a length that is not its own.
  static std::vector<Payload> of_wrong_length(wire::ouch::TagSet tags) {
    std::vector<Payload> result;
    for (unsigned number = 0; number < 256; ++number) {
      const Tag tag = static_cast<Tag>(number);
      if (!tags.contains(tag)) continue;
      const std::size_t right = wire::ouch::value_length(wire::ouch::tag_info(tag).kind);
      for (const std::size_t length : {0, 1, 2, 3, 4, 5, 8, 9, 100, 254}) {
        if (length != right) result.push_back(appendage({option(tag, value(tag, length))}));
      }
    }
    return result;
  }

  /// Every option that the set has not, in its right length where it has one.
  static std::vector<Payload> foreign(wire::ouch::TagSet tags) {
    std::vector<Payload> result;
    for (unsigned number = 0; number < 256; ++number) {
      const Tag tag = static_cast<Tag>(number);
      if (tags.contains(tag)) continue;
      const std::size_t length = wire::ouch::value_length(wire::ouch::tag_info(tag).kind);
      result.push_back(appendage({option(tag, value(tag, length))}));
    }
    return result;
  }

  /// Appendages that end early, go on, or lie about their length.
  static std::vector<Payload> broken() {
    const Payload good = appendage({option(Tag::user_ref_idx, {0})});
    std::vector<Payload> result{{0}, {9}};
    for (unsigned length = 0; length <= 0xFFFF; length += length < 300 ? 1 : 997) {
      if (length == 3) continue;
      Payload lying = good;
      set16(lying, 0, length);
      result.push_back(lying);
    }
    for (unsigned length = 0; length < 256; ++length) {
      if (length == 2) continue;
      Payload lying = good;  // the option's own length
      lying[2] = static_cast<std::uint8_t>(length);
      result.push_back(lying);
    }
    return result;
  }

  /// As many options as an MTU holds, one over and over.
  static std::vector<Payload> bombs() {
    const Payload one = option(Tag::user_ref_idx, {0});
    const Payload none{0};
    return {appendage(std::vector<Payload>(400, one)), appendage(std::vector<Payload>(1300, none)),
            appendage(std::vector<Payload>(2, one))};
  }
};

// ---- Options --------------------------------------------------------------------------------------------------------

TEST_F(HostileOrder, AnEnterWithOptionsOfWrongLengthIsRejected) {
  expect_enters_rejected(of_wrong_length(wire::ouch::EnterOrder::kTags));
}

TEST_F(HostileOrder, ACancelWithOptionsOfWrongLengthIsDropped) {
  expect_cancels_dropped(of_wrong_length(wire::ouch::CancelOrder::kTags));
}

TEST_F(HostileOrder, AnEnterWithOptionsOfOtherMessagesOrOfNoneIsRejected) {
  expect_enters_rejected(foreign(wire::ouch::EnterOrder::kTags));
}

TEST_F(HostileOrder, ACancelWithOptionsOfOtherMessagesOrOfNoneIsDropped) {
  expect_cancels_dropped(foreign(wire::ouch::CancelOrder::kTags));
}

TEST_F(HostileOrder, AnEnterWithATruncatedOrLyingAppendageIsRejected) { expect_enters_rejected(broken()); }

TEST_F(HostileOrder, ACancelWithATruncatedOrLyingAppendageIsDropped) { expect_cancels_dropped(broken()); }

TEST_F(HostileOrder, AnEnterWithRepeatedOptionsOrAnMtuFullOfThemIsRejected) { expect_enters_rejected(bombs()); }

TEST_F(HostileOrder, ACancelWithRepeatedOptionsOrAnMtuFullOfThemIsDropped) { expect_cancels_dropped(bombs()); }

TEST_F(HostileOrder, AMessageCutAtAnyLengthIsDroppedOrRejected) {
  Frames frames;
  std::uint32_t number = 0;
  for (std::size_t length = 0; length < sizeof(wire::ouch::EnterOrder); ++length) {
    Payload message = bytes(enter_fields(++number));
    message.resize(length, 0);
    frames.push_back(orders({message}));
  }
  for (const Payload& whole : {bytes(replace_fields(1, 2)), cancel_message(1), modify_message(1, 'S', 1)}) {
    for (std::size_t length = 1; length < whole.size(); ++length) {
      frames.push_back(orders({{whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)}}));
    }
  }
  expect_silence(frames, {{ouch_short, frames.size()}});
}

TEST_F(HostileOrder, AnEnterWhoseFieldsAreAllBitsIsRejectedByItsSymbol) {
  Payload message(sizeof(wire::ouch::EnterOrder), 0xFF);
  message[0] = 'O';
  put16(message, 0);
  const Frames answers = attack({orders({message})}, {{enters, 1}, {rejects, 1}});
  expect_rejected(answers, 1, 0x0017);
}

// ---- UserRefNum -----------------------------------------------------------------------------------------------------

TEST_F(HostileOrder, AJumpToTheLastNumberLeavesNoneAndHarmsNobodyElse) {
  const Frames answers =
      attack({orders({far_order(1)}), orders({far_order(kMostNumber)}), orders({query_message()}),
              orders({far_order(kMostNumber), far_order(0), far_order(2), replace_message(1, kMostNumber)}),
              orders({cancel_message(1)}), orders({cancel_message(kMostNumber)})},
             {{enters, 3}, {replaces, 1}, {account_queries, 1}}, Attack::spread,
             {data_frame(mal, 1, {far_order(1)}), data_frame(mal, 2, {far_order(2)}), heartbeat(), heartbeat(),
              data_frame(mal, 3, {cancel_message(1)}), data_frame(mal, 4, {cancel_message(2)})});
  const std::vector<Payload> messages = messages_of(answers);
  EXPECT_EQ(types_of(messages), "AAQCC");
  const auto* const next = wire::view_as<wire::ouch::AccountQueryResponse>(messages.at(2));
  ASSERT_NE(next, nullptr);
  EXPECT_EQ(next->next_user_ref_num, 0u) << "no number is left";
  EXPECT_EQ(
      hostile.engine.get(EngineCounter::ignored_used_ref_num) - quiet.engine.get(EngineCounter::ignored_used_ref_num),
      4u);
}

/// Live orders whose numbers are far apart, and those around the edges of what is kept together.
TEST_F(HostileOrder, NumbersFarApartAndAtTheEdgesOfBlocksFindTheirOrders) {
  const std::uint32_t w = 256 * UserRefs::kPerBlock;
  const std::vector<std::uint32_t> strange{1,     w - 1,     w,        w + 1,           2 * w,      2 * w + 1,
                                           3 * w, 1'000'001, 1u << 31, kMostNumber - w, kMostNumber};
  const auto day = [this](const std::vector<std::uint32_t>& numbers) {
    Frames frames;
    std::uint64_t upstream = 1;
    for (const std::uint32_t number : numbers) frames.push_back(data_frame(mal, upstream++, {far_order(number)}));
    for (std::size_t i = 0; i < numbers.size(); ++i) {  // not in the order of their entry
      frames.push_back(data_frame(mal, upstream++, {cancel_message(numbers[i * 7 % numbers.size()])}));
    }
    return frames;
  };
  std::vector<std::uint32_t> usual(strange.size());
  for (std::size_t i = 0; i < usual.size(); ++i) usual[i] = static_cast<std::uint32_t>(i + 1);
  const Frames answers = attack(day(strange), {}, Attack::spread, day(usual));
  EXPECT_EQ(types_of(messages_of(answers)), std::string(strange.size(), 'A') + std::string(strange.size(), 'C'));
}

TEST_F(HostileOrder, NobodyReachesAnotherAccountsOrders) {
  std::vector<Payload> messages;
  for (std::uint32_t number = 1; number <= 30; ++number) {
    messages.push_back(cancel_message(number));
    messages.push_back(modify_message(number, 'E', 1));
    messages.push_back(replace_message(number, 100 + number));
  }
  Frames frames;
  for (const Payload& message : messages) frames.push_back(orders({message}));
  expect_silence(frames, {{cancels, 30}, {modifies, 30}, {replaces, 30}});
  EXPECT_EQ(hostile.engine.get(EngineCounter::ignored_dead_order) - quiet.engine.get(EngineCounter::ignored_dead_order),
            90u);
}

}  // namespace
}  // namespace crosswire::test
