// Order attributes as a client and a reader of the feed meet them: OUCH frames go in at one end of the whole appliance,
// OUCH answers and ITCH messages come out at the other. One test for each attribute and message of docs/protocol.md.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "netstack/wire/itch.hpp"
#include "netstack/wire/ouch.hpp"
#include "tests/app/replay/replay_rig.hpp"

namespace crosswire::test {
namespace {

namespace itch = wire::itch;
namespace ouch = wire::ouch;
using ouch::Tag;
using Lines = std::vector<std::string>;

/// What is not said is a buy of 100 at 100.0000, plain and for the day.
struct Wish {
  char side = 'B';
  std::uint32_t quantity = 100;
  std::uint64_t price = 1'000'000;
  char time_in_force = '0';
  char display = 'Y';
  char cross_type = 'N';
  Payload options = {};
};

Payload enter(std::uint32_t number, const Wish& wish = {}) {
  ouch::EnterOrder message = enter_fields(number);
  message.side = wish.side;
  message.quantity = wish.quantity;
  message.price = wish.price;
  message.time_in_force = wish.time_in_force;
  message.display = wish.display;
  message.cross_type = wish.cross_type;
  return with_options(bytes(message), wish.options);
}

Payload replace(std::uint32_t original, std::uint32_t number, const Wish& wish = {}) {
  ouch::ReplaceOrder message = replace_fields(original, number);
  message.quantity = wish.quantity;
  message.price = wish.price;
  message.time_in_force = wish.time_in_force;
  message.display = wish.display;
  return with_options(bytes(message), wish.options);
}

Payload min_qty(std::uint32_t shares) { return option(Tag::min_qty, u32(shares)); }
Payload expire_time(std::uint32_t seconds) { return option(Tag::expire_time, u32(seconds)); }
Payload post_only(char value) { return option(Tag::post_only, letter(value)); }
Payload group(std::uint16_t number) { return option(Tag::group_id, u16(number)); }
Payload side(char value) { return option(Tag::side, letter(value)); }
Payload channel(std::uint8_t number) { return option(Tag::user_ref_idx, {number}); }
Payload both(Payload first, const Payload& second) {
  put(first, second);
  return first;
}

template <class M>
const M& as(const Payload& message) {
  return *wire::view_as<M>(message);
}

/// " Name value" for each option of an answer.
std::string options_text(const Payload& message) {
  const ouch::MessageInfo& info = *ouch::kOutbound.find(static_cast<char>(message[0]));
  const ouch::Split split = ouch::split(info, message);
  EXPECT_EQ(split.fault, ouch::SplitFault::none);
  std::string text;
  ouch::OptionReader reader(split.options, info.tags);
  while (reader.next()) {
    const ouch::Option& option = reader.option();
    const ouch::TagInfo& tag = ouch::tag_info(option.tag);
    const bool is_text = tag.kind == ouch::ValueKind::letter || tag.kind == ouch::ValueKind::text;
    text += fmt::format(" {} {}", tag.name, is_text ? std::string(option.text()) : std::to_string(option.number()));
  }
  EXPECT_EQ(reader.fault(), ouch::OptionFault::none);
  return text;
}

/// An answer in short: its letter and UserRefNum, what matters of it, its options.
std::string answer_text(const Payload& message) {
  const char type = static_cast<char>(message[0]);
  const auto number = [&message] { return as<ouch::CancelPending>(message).user_ref_num.value(); };  // mostly there
  switch (type) {
    case 'A': {
      const auto& accepted = as<ouch::OrderAccepted>(message);
      return fmt::format("A{}{}", number(), accepted.order_state == 'D' ? " dead" : "");
    }
    case 'U': {
      const auto& replaced = as<ouch::OrderReplaced>(message);
      return fmt::format("U{}>{} {}{}", replaced.orig_user_ref_num.value(), replaced.user_ref_num.value(),
                         replaced.quantity.value(), replaced.order_state == 'D' ? " dead" : "");
    }
    case 'C': {
      const auto& canceled = as<ouch::OrderCanceled>(message);
      return fmt::format("C{} {} {}", number(), canceled.quantity.value(), canceled.reason);
    }
    case 'E': {
      const auto& executed = as<ouch::OrderExecuted>(message);
      return fmt::format("E{} {} {}", number(), executed.quantity.value(), executed.liquidity);
    }
    case 'J': {
      const auto& rejected = as<ouch::Rejected>(message);
      return fmt::format("J{} {:04X}{}", number(), rejected.reason.value(),
                         rejected.cl_ord_id.view().empty() ? " no order" : "");
    }
    default:
      return fmt::format("{}{}", type, number());
  }
}

/// A message of the feed about an order or a cross, in short; "" for others.
std::string feed_text(const Payload& message) {
  switch (static_cast<char>(message[0])) {
    case 'A': {
      const auto& add = as<itch::AddOrder>(message);
      return fmt::format("A{} {} {}", add.order_ref.value(), add.side, add.shares.value());
    }
    case 'F': {
      const auto& add = as<itch::AddOrderMpid>(message);
      return fmt::format("F{} {} {} {}", add.order_ref.value(), add.side, add.shares.value(), add.attribution.view());
    }
    case 'E':
      return fmt::format("E{} {}", as<itch::OrderExecuted>(message).order_ref.value(),
                         as<itch::OrderExecuted>(message).shares.value());
    case 'C':
      return fmt::format("C{} {}", as<itch::OrderExecutedWithPrice>(message).order_ref.value(),
                         as<itch::OrderExecutedWithPrice>(message).shares.value());
    case 'P': {
      const auto& trade = as<itch::Trade>(message);
      return fmt::format("P{} {} {} at {}", trade.order_ref.value(), trade.side, trade.shares.value(),
                         trade.price.value());
    }
    case 'X':
      return fmt::format("X{} {}", as<itch::OrderCancel>(message).order_ref.value(),
                         as<itch::OrderCancel>(message).shares.value());
    case 'D':
      return fmt::format("D{}", as<itch::OrderDelete>(message).order_ref.value());
    case 'U': {
      const auto& replaced = as<itch::OrderReplace>(message);
      return fmt::format("U{}>{} {}", replaced.old_ref.value(), replaced.new_ref.value(), replaced.shares.value());
    }
    case 'Q':
      return fmt::format("Q{} {}", as<itch::CrossTrade>(message).shares.value(),
                         as<itch::CrossTrade>(message).cross_type);
    default:
      return "";
  }
}

class AttributesOnTheWire : public ::testing::Test {
 protected:
  AttributesOnTheWire() {
    in_ = std::make_unique<Input>(folder_.file("in.pcap"));
    in_->login(now, kAnn, "ann");
    in_->login(now, kBob, "bob");
  }

  /// One datagram, a millisecond after the one before.
  void send(const Client& client, const std::vector<Payload>& messages) {
    now += kMs;
    in_->messages(now, client, messages);
  }
  void ann(const Payload& message) { send(kAnn, {message}); }
  void bob(const Payload& message) { send(kBob, {message}); }

  /// Replays it all; `phases`: of the schedule, without any it is continuous trading.
  void play(const std::string& phases = "") {
    in_.reset();
    constexpr const char* kSecondSymbol = R"([[symbol]]
name = "BBB"
reference_price_e4 = 1000000
tick_e4 = 100
)";
    const std::string config = folder_.write("c.toml", config_text("", kSecondSymbol + phases));
    const std::string output = folder_.file("out.pcap");
    ReplayProgress progress;
    figures_ = replay({load_config(config, ConfigUse::replay), folder_.file("in.pcap"), output, "", ""}, test_clock(),
                      progress);
    sent_ = read_output(output);
  }

  std::vector<Payload> messages_of(const Client& client) const {
    return messages_to(sent_, client.address, client.port);
  }
  Lines answers(const Client& client) const {
    Lines lines;
    for (const Payload& message : messages_of(client)) {
      if (message[0] != 'S') lines.push_back(answer_text(message) + options_text(message));
    }
    return lines;
  }
  Lines feed() const {
    Lines lines;
    for (const Payload& message : messages_to(sent_, 0xEFC00001, 26477)) {
      if (const std::string line = feed_text(message); !line.empty()) lines.push_back(line);
    }
    return lines;
  }

  static std::string phase(const char* at, const char* state) {
    return fmt::format("[[phase]]\nat = \"{}\"\nstate = \"{}\"\n", at, state);
  }
  /// The opening call until 10:00:02, continuous until 10:00:04, the closing call until 10:00:06.
  static std::string whole_day() {
    return phase("09:59:59", "opening_call") + phase("10:00:02", "continuous") + phase("10:00:04", "closing_call") +
           phase("10:00:06", "closed");
  }

  TimeNs now = kStart;
  Figures figures_{};

 private:
  Folder folder_;
  std::unique_ptr<Input> in_;
  std::vector<Sent> sent_;
};

// ---- Display --------------------------------------------------------------------------------------------------------

TEST_F(AttributesOnTheWire, AHiddenOrderIsBehindWhatIsDisplayedAndNotOnTheFeed) {
  ann(enter(1, {.side = 'S', .display = 'N'}));
  ann(enter(2, {.side = 'S'}));
  bob(enter(1, {.quantity = 150, .time_in_force = '3'}));
  ann(cancel_message(1));
  play();
  EXPECT_EQ(answers(kAnn), (Lines{"A1", "A2", "E2 100 A", "E1 50 J", "C1 50 U"}));
  EXPECT_EQ(answers(kBob), (Lines{"A1", "E1 100 R", "E1 50 R"}));
  EXPECT_EQ(feed(), (Lines{"A2 S 100", "E2 100", "P0 B 50 at 1000000"}));
  EXPECT_EQ(as<ouch::OrderAccepted>(messages_of(kAnn).at(0)).display, 'N');
}

TEST_F(AttributesOnTheWire, AnAttributableOrderIsOnTheFeedWithItsFirm) {
  ann(enter(1, {.side = 'S', .display = 'A'}));
  bob(enter(1, {.quantity = 40}));
  ann(replace(1, 2, {.price = 1'010'000, .display = 'A'}));
  ann(replace(2, 3, {.price = 1'010'000}));  // no more
  ann(replace(3, 4, {.price = 1'010'000, .display = 'N'}));
  ann(replace(4, 5, {.price = 1'010'000, .display = 'A'}));
  play();
  EXPECT_EQ(answers(kAnn), (Lines{"A1", "E1 40 A", "U1>2 60", "U2>3 60", "U3>4 60", "U4>5 60"}));
  EXPECT_EQ(feed(), (Lines{"F1 S 100 ANNS", "E1 40", "U1>3 60", "D3", "A4 S 60", "D4", "F6 S 60 ANNS"}));
}

TEST_F(AttributesOnTheWire, AnotherDisplayIsRejected) {
  ann(enter(1, {.display = 'Z'}));
  play();
  EXPECT_EQ(answers(kAnn), (Lines{"J1 0003"}));
}

// ---- Time in force --------------------------------------------------------------------------------------------------

TEST_F(AttributesOnTheWire, AGttOrderLivesForItsSeconds) {
  ann(enter(1, {.time_in_force = '6', .options = expire_time(2)}));
  now += 1900 * kMs;
  bob(enter(1, {.side = 'S', .quantity = 30}));
  now += 2000 * kMs;
  bob(query_message());
  play();
  EXPECT_EQ(answers(kAnn), (Lines{"A1 ExpireTime 2", "E1 30 A", "C1 70 T"}));
  EXPECT_EQ(feed(), (Lines{"A1 B 100", "E1 30", "D1"}));
  const std::uint64_t died = as<ouch::OrderCanceled>(messages_of(kAnn).at(2)).timestamp;
  EXPECT_GE(died, kStart + kMs + 2 * kNsPerSecond);
  EXPECT_LE(died, kStart + kMs + 3 * kNsPerSecond);
}

TEST_F(AttributesOnTheWire, GttAndExpireTimeNeedEachOther) {
  ann(enter(1, {.time_in_force = '6'}));
  ann(enter(2, {.options = expire_time(5)}));
  ann(enter(3, {.time_in_force = '3', .options = expire_time(5)}));
  ann(enter(4, {.time_in_force = '6', .options = expire_time(86'400)}));
  ann(enter(5, {.time_in_force = '6', .options = expire_time(86'399)}));
  ann(enter(6, {.time_in_force = '5'}));
  play();
  EXPECT_EQ(answers(kAnn), (Lines{"J1 000F", "J2 000F", "J3 000F", "J4 000F", "A5 ExpireTime 86399", "J6 000F"}));
}

// ---- Crosses --------------------------------------------------------------------------------------------------------

TEST_F(AttributesOnTheWire, OnOpenOrdersTradeInTheOpeningCrossUnseen) {
  ann(enter(1, {.quantity = 150, .cross_type = 'O'}));
  bob(enter(1, {.side = 'S', .cross_type = 'O'}));
  bob(enter(2, {.side = 'S', .price = 1'020'000}));
  now = kStart + 3 * kNsPerSecond;
  ann(enter(2, {.cross_type = 'O'}));
  play(whole_day());
  EXPECT_EQ(answers(kAnn), (Lines{"A1", "E1 100 O", "C1 50 T", "J2 0014"}));
  EXPECT_EQ(answers(kBob), (Lines{"A1", "A2", "E1 100 O", "C2 100 E"}));
  const Lines told = feed();
  ASSERT_GE(told.size(), 2u);
  EXPECT_EQ(Lines(told.begin(), told.begin() + 2), (Lines{"A3 S 100", "Q100 O"}));
}

TEST_F(AttributesOnTheWire, OnCloseOrdersWaitForTheClosingCross) {
  ann(enter(1, {.cross_type = 'C'}));  // in the opening call
  now = kStart + 3 * kNsPerSecond;
  bob(enter(1, {.side = 'S', .time_in_force = '3'}));  // in continuous trading: nobody is there for it
  bob(enter(2, {.side = 'S', .quantity = 60, .cross_type = 'C'}));
  now = kStart + 5 * kNsPerSecond;
  bob(enter(3, {.side = 'S', .quantity = 30}));  // in the closing call, displayed: ahead of what is not
  play(whole_day());
  EXPECT_EQ(answers(kAnn), (Lines{"A1", "E1 30 C", "E1 60 C", "C1 10 E"}));
  EXPECT_EQ(answers(kBob), (Lines{"A1 dead", "A2", "A3", "E3 30 C", "E2 60 C"}));
  const Lines told = feed();
  ASSERT_GE(told.size(), 4u);
  EXPECT_EQ(Lines(told.end() - 4, told.end()), (Lines{"A4 S 30", "C4 30", "Q90 C", "Q0 C"})) << "one Q a symbol";
}

TEST_F(AttributesOnTheWire, OrdersForACrossAreForTheDayAlone) {
  ann(enter(1, {.time_in_force = '3', .cross_type = 'O'}));
  ann(enter(2, {.time_in_force = '6', .cross_type = 'C', .options = expire_time(5)}));
  ann(enter(3, {.cross_type = 'C', .options = post_only('P')}));
  ann(enter(4, {.cross_type = 'H'}));
  play(whole_day());
  EXPECT_EQ(answers(kAnn), (Lines{"J1 0014", "J2 0014", "J3 000F", "J4 0014"}));
}

// ---- MinQty, FOK, PostOnly ------------------------------------------------------------------------------------------

TEST_F(AttributesOnTheWire, MinQtyExecutesAtOnceOrTheOrderDies) {
  ann(enter(1, {.side = 'S', .quantity = 40}));
  ann(enter(2, {.side = 'S', .quantity = 30, .price = 1'000'100}));
  bob(enter(1, {.options = min_qty(41)}));                      // 40 are there
  bob(enter(2, {.price = 1'000'100, .options = min_qty(71)}));  // 70 are there
  bob(enter(3, {.price = 1'000'100, .options = min_qty(70)}));  // and now they are taken
  bob(enter(4, {.quantity = 100, .options = min_qty(101)}));
  play();
  EXPECT_EQ(answers(kBob),
            (Lines{"A1 dead MinQty 41", "A2 dead MinQty 71", "A3 MinQty 70", "E3 40 R", "E3 30 R", "J4 000D"}));
  EXPECT_EQ(feed(), (Lines{"A1 S 40", "A2 S 30", "E1 40", "E2 30", "A5 B 30"}));
}

TEST_F(AttributesOnTheWire, FillOrKillIsAnIocWhoseMinQtyIsAllOfIt) {
  ann(enter(1, {.side = 'S', .quantity = 60}));
  ann(enter(2, {.side = 'S', .quantity = 60, .price = 1'000'100, .display = 'N'}));
  const auto fill_or_kill = [](std::uint32_t number, std::uint32_t quantity) {
    return enter(number,
                 {.quantity = quantity, .price = 1'000'100, .time_in_force = '3', .options = min_qty(quantity)});
  };
  bob(fill_or_kill(1, 121));
  bob(fill_or_kill(2, 110));  // what is hidden counts
  bob(fill_or_kill(3, 11));
  play();
  EXPECT_EQ(answers(kBob), (Lines{"A1 dead MinQty 121", "A2 MinQty 110", "E2 60 R", "E2 50 R", "A3 dead MinQty 11"}));
  EXPECT_EQ(answers(kAnn), (Lines{"A1", "A2", "E1 60 A", "E2 50 J"}));
}

TEST_F(AttributesOnTheWire, APostOnlyOrderAddsLiquidityOrIsCancelled) {
  ann(enter(1, {.side = 'S'}));
  ann(enter(2, {.side = 'S', .price = 990'000, .display = 'N'}));
  const auto only_post = [](std::uint32_t number, std::uint64_t price) {
    return enter(number, {.price = price, .options = post_only('P')});
  };
  bob(only_post(1, 990'000));  // a hidden one is best
  ann(cancel_message(2));
  bob(only_post(2, 1'000'000));
  bob(only_post(3, 999'900));
  ann(enter(3, {.side = 'S', .quantity = 10, .price = 999'900, .options = post_only('N')}));
  play();
  EXPECT_EQ(answers(kBob),
            (Lines{"A1 PostOnly P", "C1 100 F", "A2 PostOnly P", "C2 100 G", "A3 PostOnly P", "E3 10 A"}));
  EXPECT_EQ(feed(), (Lines{"A1 S 100", "A5 B 100", "E5 10"}));
}

TEST_F(AttributesOnTheWire, PostOnlyGoesWithNothingThatWantsToExecute) {
  ann(enter(1, {.time_in_force = '3', .options = post_only('P')}));
  ann(enter(2, {.options = both(post_only('P'), min_qty(1))}));
  ann(enter(3, {.options = post_only('?')}));
  play();
  EXPECT_EQ(answers(kAnn), (Lines{"J1 000F", "J2 000F", "J3 000F"}));
}

// ---- Channels -------------------------------------------------------------------------------------------------------

TEST_F(AttributesOnTheWire, EachChannelCountsItsOwnNumbers) {
  ann(enter(1));
  ann(enter(1, {.options = channel(5)}));
  ann(enter(1, {.options = channel(255)}));
  ann(enter(1, {.options = channel(5)}));  // was there before
  ann(enter(9, {.display = 'Z', .options = channel(5)}));
  ann(with_options(query_message(), channel(5)));
  ann(query_message());
  ann(with_options(cancel_message(1, 60), channel(5)));
  ann(with_options(modify_message(1, 'B', 30), channel(255)));
  ann(replace(1, 10, {.quantity = 50, .options = channel(5)}));
  ann(with_options(cancel_message(1), channel(6)));  // nobody is there
  bob(enter(1, {.side = 'S'}));
  play();
  EXPECT_EQ(answers(kAnn),
            (Lines{"A1", "A1 UserRefIdx 5", "A1 UserRefIdx 255", "J9 0003 UserRefIdx 5", "Q10 UserRefIdx 5", "Q2",
                   "C1 40 U UserRefIdx 5", "M1 UserRefIdx 255", "U1>10 50 UserRefIdx 5", "E1 100 A"}));
}

// ---- Replace --------------------------------------------------------------------------------------------------------

TEST_F(AttributesOnTheWire, AReplaceKeepsWhatItDoesNotName) {
  Payload options = both(both(group(7), post_only('P')), both(expire_time(3), option(Tag::firm, {'A', 'N', 'N', 'S'})));
  ann(enter(1, {.price = 990'000, .time_in_force = '6', .options = options}));
  ann(replace(1, 2, {.price = 980'000, .time_in_force = '6'}));
  ann(replace(2, 3, {.price = 980'000, .time_in_force = '6', .options = both(post_only('N'), expire_time(9))}));
  ann(replace(3, 4, {.price = 980'000}));  // a day order has no seconds
  ann(mass_cancel_message(5, "", "", group(7)));
  play();
  EXPECT_EQ(answers(kAnn),
            (Lines{"A1 Firm ANNS PostOnly P ExpireTime 3 GroupID 7", "U1>2 100 Firm ANNS PostOnly P ExpireTime 3",
                   "U2>3 100 Firm ANNS ExpireTime 9", "U3>4 100 Firm ANNS", "X5 GroupID 7", "C4 100 U"}));
}

TEST_F(AttributesOnTheWire, AReplaceStaysOnDisconnectAsItsOriginalUnlessItSaysOtherwise) {
  const auto stay = [](char value) { return option(Tag::stay_on_disconnect, letter(value)); };
  ann(enter(1, {.price = 990'000, .options = stay('Y')}));
  ann(replace(1, 2, {.price = 980'000}));
  ann(replace(2, 3, {.price = 980'000, .options = stay('N')}));
  ann(replace(3, 4, {.price = 980'000, .display = 'N', .options = stay('Y')}));
  ann(enter(5, {.price = 980'000, .options = stay('N')}));
  ann(enter(6, {.price = 980'000, .options = stay('P')}));
  ann(replace(4, 7, {.price = 980'000, .options = stay(' ')}));
  play();
  EXPECT_EQ(answers(kAnn), (Lines{"A1 StayOnDisconnect Y", "U1>2 100 StayOnDisconnect Y", "U2>3 100",
                                  "U3>4 100 StayOnDisconnect Y", "A5", "J6 000F", "C4 100 Z"}));
}

TEST_F(AttributesOnTheWire, AReplaceHasAMinQtyOfItsOwn) {
  ann(enter(1, {.side = 'S', .quantity = 30}));
  bob(enter(1, {.price = 990'000}));
  bob(replace(1, 2, {.options = min_qty(31)}));
  bob(enter(3, {.price = 990'000}));
  bob(replace(3, 4, {.options = min_qty(30)}));
  bob(replace(4, 5, {.price = 980'000}));
  play();
  EXPECT_EQ(answers(kBob), (Lines{"A1", "U1>2 100 dead MinQty 31", "A3", "U3>4 100 MinQty 30", "E4 30 R", "U4>5 70"}));
}

TEST_F(AttributesOnTheWire, AReplaceMayMarkASaleAnew) {
  ann(enter(1, {.side = 'S', .price = 1'010'000}));
  ann(replace(1, 2, {.price = 1'010'000, .options = side('T')}));
  ann(replace(2, 3, {.price = 1'010'000, .options = side('E')}));
  ann(replace(3, 4, {.price = 1'010'000, .options = side('S')}));
  ann(replace(4, 5, {.price = 1'010'000, .options = side('B')}));  // not a sale any more
  ann(enter(6, {}));
  ann(replace(6, 7, {.options = side('B')}));
  ann(replace(7, 8, {.options = side('X')}));
  play();
  EXPECT_EQ(answers(kAnn), (Lines{"A1", "U1>2 100", "U2>3 100", "U3>4 100", "C4 100 Z", "A6", "U6>7 100", "C7 100 Z"}));
  std::string sides;
  for (const Payload& message : messages_of(kAnn)) {
    if (message[0] == 'U') sides += as<ouch::OrderReplaced>(message).side;
  }
  EXPECT_EQ(sides, "TESB");
}

// ---- A firm's order entry as a whole --------------------------------------------------------------------------------

TEST_F(AttributesOnTheWire, AMassCancelTakesTheOrdersThatItMeans) {
  const auto bbb = [](Payload message) {
    std::fill_n(message.begin() + 10, 3, 'B');  // the symbol
    return message;
  };
  ann(enter(1, {.side = 'S', .price = 1'010'000, .options = group(7)}));
  ann(enter(2, {.side = 'T', .price = 1'010'000, .options = group(8)}));
  ann(bbb(enter(3, {.price = 990'000, .display = 'N', .options = group(7)})));
  ann(enter(1, {.price = 990'000, .options = channel(2)}));
  ann(enter(4, {.price = 990'000}));
  bob(enter(1, {.price = 980'000}));
  ann(mass_cancel_message(5, "ANNS", "", group(8)));
  ann(mass_cancel_message(6, "", "BBB"));
  ann(mass_cancel_message(7, "", "AAA", side('S')));
  ann(mass_cancel_message(7, "", ""));  // a number that was there before
  ann(mass_cancel_message(2, "", "", both(channel(2), group(0))));
  ann(mass_cancel_message(8, "", ""));  // nobody is left
  bob(query_message());
  play();
  EXPECT_EQ(answers(kAnn), (Lines{"A1 GroupID 7", "A2 GroupID 8", "A3 GroupID 7", "A1 UserRefIdx 2", "A4",
                                  "X5 GroupID 8", "C2 100 U", "X6", "C3 100 U", "X7 Side S", "C1 100 U",
                                  "X2 GroupID 0 UserRefIdx 2", "C4 100 U", "C1 100 U UserRefIdx 2", "X8"}));
  EXPECT_EQ(answers(kBob), (Lines{"A1", "Q2"})) << "another account's orders are not meant";
}

TEST_F(AttributesOnTheWire, AMassCancelThatCannotBeMeantIsRejected) {
  ann(enter(1));
  ann(mass_cancel_message(2, "BOBS", ""));
  ann(mass_cancel_message(3, "ANNS", "ZZZ", channel(0)));
  ann(mass_cancel_message(4, "ANNS", "AAA", side('X')));
  ann(mass_cancel_message(1, "BOBS", "", channel(4)));
  ann(mass_cancel_message(5, "", "", {9}));  // broken
  ann(query_message());
  play();
  EXPECT_EQ(answers(kAnn), (Lines{"A1", "J2 000C no order", "J3 0017 no order", "J4 0009 no order",
                                  "J1 000C no order UserRefIdx 4", "Q5"}));
}

TEST_F(AttributesOnTheWire, DisableStopsOrderEntryUntilEnable) {
  ann(enter(1));
  ann(disable_message(2, "ANNS"));
  ann(enter(3));
  ann(replace(1, 4, {.quantity = 50}));
  ann(enter(1, {.options = channel(3)}));
  ann(cancel_message(1, 80));
  ann(disable_message(5, "BOBS"));
  ann(enable_message(2, "", channel(3)));
  ann(enter(6));
  play();
  EXPECT_EQ(answers(kAnn), (Lines{"A1", "G2", "J3 000C", "J4 000C", "J1 000C UserRefIdx 3", "C1 20 U",
                                  "J5 000C no order", "K2 UserRefIdx 3", "A6"}));
}

}  // namespace
}  // namespace crosswire::test
