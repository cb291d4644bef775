// Fields of what is sent, against one another: what docs/messages.md says of two messages at once, on the whole
// appliance.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "netstack/wire/itch.hpp"
#include "netstack/wire/ouch.hpp"
#include "tests/app/replay/replay_rig.hpp"

namespace crosswire::test {
namespace {

namespace itch = wire::itch;
namespace ouch = wire::ouch;

template <class M>
std::vector<M> all_of(const std::vector<Payload>& messages) {
  std::vector<M> found;
  for (const Payload& message : messages) {
    if (static_cast<char>(message[0]) == M::kType) found.push_back(*wire::view_as<M>(message));
  }
  return found;
}

class FieldsOnTheWire : public ::testing::Test {
 protected:
  FieldsOnTheWire() {
    in_ = std::make_unique<Input>(folder_.file("in.pcap"));
    in_->login(now, kAnn, "ann");
    in_->login(now, kBob, "bob");
  }

  void enter(const Client& client, std::uint32_t number, char side, std::uint32_t quantity, std::uint64_t price) {
    ouch::EnterOrder message = enter_fields(number);
    message.side = side;
    message.quantity = quantity;
    message.price = price;
    in_->messages(now += kMs, client, {with_options(bytes(message), {})});
  }

  void play(const std::string& phases = "") {
    in_.reset();
    const std::string config = folder_.write("c.toml", config_text("", phases));
    ReplayProgress progress;
    replay({load_config(config, ConfigUse::replay), folder_.file("in.pcap"), folder_.file("out.pcap"), "", ""},
           test_clock(), progress);
    sent_ = read_output(folder_.file("out.pcap"));
  }
  std::vector<Payload> answers(const Client& client) const { return messages_to(sent_, client.address, client.port); }
  std::vector<Payload> feed() const { return messages_to(sent_, 0xEFC00001, 26477); }

  TimeNs now = kStart;

 private:
  Folder folder_;
  std::unique_ptr<Input> in_;
  std::vector<Sent> sent_;
};

TEST_F(FieldsOnTheWire, NumbersAndTimesOfAnswersAreThoseOfTheFeed) {
  enter(kAnn, 1, 'S', 100, 1'000'000);
  enter(kAnn, 2, 'S', 100, 1'000'100);
  enter(kBob, 1, 'B', 150, 1'000'100);
  play();
  std::map<std::uint32_t, std::uint64_t> order_refs;
  for (const auto& accepted : all_of<ouch::OrderAccepted>(answers(kAnn)))
    order_refs[accepted.user_ref_num] = accepted.order_ref;
  const auto added = all_of<itch::AddOrder>(feed());
  ASSERT_EQ(added.size(), 2u);
  EXPECT_EQ(added[0].order_ref, order_refs[1]);
  EXPECT_EQ(added[1].order_ref, order_refs[2]);

  const auto rested = all_of<ouch::OrderExecuted>(answers(kAnn));
  const auto took = all_of<ouch::OrderExecuted>(answers(kBob));
  const auto told = all_of<itch::OrderExecuted>(feed());
  ASSERT_EQ(told.size(), 2u);
  ASSERT_EQ(rested.size(), 2u);
  ASSERT_EQ(took.size(), 2u);
  for (std::size_t i = 0; i < told.size(); ++i) {
    EXPECT_EQ(told[i].order_ref, order_refs[rested[i].user_ref_num]);
    EXPECT_EQ(told[i].shares, rested[i].quantity);
    EXPECT_EQ(told[i].match_number, rested[i].match_number);
    EXPECT_EQ(told[i].match_number, took[i].match_number);
    EXPECT_EQ(told[i].head.timestamp, rested[i].timestamp);
    EXPECT_EQ(rested[i].timestamp, took[i].timestamp);
    EXPECT_EQ(told[i].head.locate, added[i].head.locate);
  }
}

/// Counted anew from the orders that the feed has shown, all of which are displayed.
TEST_F(FieldsOnTheWire, AnImbalanceCountsItsSharesAtItsReferencePrice) {
  const std::string phases =
      "[[phase]]\nat = \"09:59:59\"\nstate = \"opening_call\"\n[[phase]]\nat = \"10:00:04\"\nstate = \"continuous\"\n";
  enter(kAnn, 1, 'B', 11, 1'020'000);
  enter(kBob, 1, 'S', 10, 1'010'000);
  now += 1000 * kMs;
  enter(kBob, 2, 'S', 30, 990'000);
  enter(kAnn, 2, 'B', 5, 990'000);
  now += 2000 * kMs;
  enter(kAnn, 3, 'B', 1, 900'000);
  play(phases);
  std::vector<itch::AddOrder> book;
  std::vector<std::string> seen;
  for (const Payload& message : feed()) {
    const char type = static_cast<char>(message[0]);
    if (type == itch::AddOrder::kType) book.push_back(*wire::view_as<itch::AddOrder>(message));
    if (type != itch::NetOrderImbalance::kType) continue;
    const auto& told = *wire::view_as<itch::NetOrderImbalance>(message);
    std::uint64_t demand = 0, supply = 0;
    for (const itch::AddOrder& order : book) {
      if (order.side == 'B' && order.price >= told.reference_price) demand += order.shares;
      if (order.side == 'S' && order.price <= told.reference_price) supply += order.shares;
    }
    if (told.reference_price == 0) demand = supply = 0;
    EXPECT_EQ(told.paired, std::min(demand, supply));
    EXPECT_EQ(told.imbalance, std::max(demand, supply) - std::min(demand, supply));
    EXPECT_EQ(told.near_price, told.reference_price);
    EXPECT_EQ(told.far_price, 0u) << "no order is for the cross alone";
    const std::string count = fmt::format("{} and {} {} at {}", told.paired.value(), told.imbalance.value(),
                                          told.direction, told.reference_price.value());
    if (seen.empty() || seen.back() != count) seen.push_back(count);
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"0 and 0 O at 0", "10 and 1 B at 1020000", "16 and 14 S at 990000"}));
}

}  // namespace
}  // namespace crosswire::test
