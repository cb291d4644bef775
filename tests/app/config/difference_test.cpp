// In what two configurations differ: every key by its name, what of it may change within a day, what loosens, and what
// the exchange is told.
#include "app/config/difference.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/folder.hpp"

namespace crosswire::difference_test {
namespace {

const std::string kHead =
    "[port]\naddress = \"10.99.0.1\"\n"
    "[limits]\nlooks_per_second = 100\n"
    "[[symbol]]\nname = \"AAA\"\nreference_price_e4 = 10000\ntick_e4 = 100\n"
    "[[symbol]]\nname = \"BBB\"\nreference_price_e4 = 10000\ntick_e4 = 100\n"
    "[[firm]]\nname = \"ONE\"\nfunds_e4 = 5000\n";
const std::string kFirst = "[[account]]\nuser = \"U1\"\npassword = \"p\"\nfirm = \"ONE\"\nself_trade = \"oldest\"\n";
const std::string kRisk =
    "[account.risk]\norder_quantity = 100\nduplicate_window_ms = 10\nposition_long = 50\nforbids = [\"ioc\"]\n"
    "[[account.position]]\nsymbol = \"AAA\"\nlong = 70\n";
const std::string kSecond = "[[account]]\nuser = \"U2\"\npassword = \"p\"\nfirm = \"TWO\"\n";

class ConfigDifferencesTest : public ::testing::Test {
 protected:
  Config load(std::string text, const std::string& before = "", const std::string& after = "") {
    if (!before.empty()) {
      const std::size_t at = text.find(before);
      EXPECT_NE(at, std::string::npos) << before;
      text.replace(at, before.size(), after);
    }
    return load_config(folder_.write("c.toml", text, 0600), ConfigUse::replay);
  }
  /// From the usual one to one in which `before` is `after`.
  ConfigDifferences to(const std::string& before, const std::string& after) {
    return differences(load(kAll), load(kAll, before, after));
  }
  /// The one row, "KEY BEFORE AFTER" with what is said of it.
  static std::string only(const ConfigDifferences& all) {
    if (all.rows.size() != 1) return std::to_string(all.rows.size()) + " rows";
    const ConfigDifference& row = all.rows.front();
    return row.key + " " + row.before + " " + row.after + (row.may ? " may" : "") + (row.loosens ? " loosens" : "");
  }

  const std::string kAll = kHead + kFirst + kRisk + kSecond;
  test::Folder folder_;
};

TEST_F(ConfigDifferencesTest, OfTheSameThereIsNone) {
  const ConfigDifferences none = differences(load(kAll), load("# read anew\n" + kAll));
  EXPECT_TRUE(none.rows.empty() && none.changes.empty());
}

TEST_F(ConfigDifferencesTest, ALimitThatIsLowerTightensAndOneThatIsHigherLoosens) {
  const ConfigDifferences lower = to("order_quantity = 100", "order_quantity = 99");
  EXPECT_EQ(only(lower), "account[U1].risk.order_quantity 100 99 may");
  ASSERT_EQ(lower.changes.size(), 1u);
  EXPECT_EQ(lower.changes[0].row, ConfigRow::limit);
  EXPECT_EQ(lower.changes[0].account, SessionId{0});
  EXPECT_EQ(lower.changes[0].value, 99);
  EXPECT_EQ(only(to("order_quantity = 100", "order_quantity = 101")),
            "account[U1].risk.order_quantity 100 101 may loosens");
  EXPECT_EQ(only(to("order_quantity = 100\n", "")), "account[U1].risk.order_quantity 100  may loosens");
  EXPECT_EQ(only(to("_ms = 10", "_ms = 11")), "account[U1].risk.duplicate_window_ms 10 11 may");
  EXPECT_EQ(only(to("_ms = 10", "_ms = 9")), "account[U1].risk.duplicate_window_ms 10 9 may loosens");
  EXPECT_EQ(only(to("forbids = [\"ioc\"]", "forbids = [\"ioc\", \"gtt\"]")).substr(0, 24), "account[U1].risk.forbids");
  EXPECT_EQ(only(to("funds_e4 = 5000", "funds_e4 = 4000")), "firm[ONE].funds_e4 5000 4000 may");
  EXPECT_EQ(only(to("looks_per_second = 100", "looks_per_second = 50")), "limits.looks_per_second 100 50 may");
  EXPECT_EQ(only(to("long = 70", "long = 60")), "account[U1].position[AAA].long 70 60 may");
}

TEST_F(ConfigDifferencesTest, WhatNeedsToBeKeptFromTheDaysStartOnMayNotCome) {
  const std::string with = "firm = \"TWO\"\n[account.risk]\n";
  EXPECT_EQ(only(to("firm = \"TWO\"\n", with + "order_quantity = 5\n")), "account[U2].risk.order_quantity  5 may");
  EXPECT_EQ(only(to("firm = \"TWO\"\n", with + "funds_e4 = 5\n")), "account[U2].risk.funds_e4  5");
  EXPECT_EQ(only(to("firm = \"TWO\"\n", with + "symbols = [\"AAA\"]\n")).substr(0, 24), "account[U2].risk.symbols");
  EXPECT_TRUE(to("firm = \"TWO\"\n", with + "funds_e4 = 5\n").changes.empty());
  EXPECT_EQ(only(to("duplicate_window_ms = 10\n", "")), "account[U1].risk.duplicate_window_ms 10 ");
}

TEST_F(ConfigDifferencesTest, APasswordIsSaidToHaveChangedAndNotPrinted) {
  const ConfigDifferences changed = to("password = \"p\"", "password = \"q\"");
  EXPECT_EQ(only(changed), "account[U1].password (secret) (secret) may loosens");
  ASSERT_EQ(changed.changes.size(), 1u);
  EXPECT_EQ(changed.changes[0].row, ConfigRow::password);
  EXPECT_EQ(changed.changes[0].password, "q");
}

TEST_F(ConfigDifferencesTest, AnAccountIsSwitchedOffAndOn) {
  const Config on = load(kAll), off = load(kAll, "firm = \"TWO\"\n", "firm = \"TWO\"\nenabled = false\n");
  EXPECT_EQ(only(differences(on, off)), "account[U2].enabled  false may");
  EXPECT_EQ(only(differences(off, on)), "account[U2].enabled false  may loosens");
}

TEST_F(ConfigDifferencesTest, AllElseMayNotChangeWithinADay) {
  EXPECT_EQ(only(to("10.99.0.1", "10.99.0.2")), "port.address '10.99.0.1' '10.99.0.2'");
  EXPECT_EQ(only(to("tick_e4 = 100", "tick_e4 = 10")), "symbol[AAA].tick_e4 100 10");
  EXPECT_EQ(only(to("[limits]\n", "[limits]\nmax_orders = 1000\n")), "limits.max_orders  1000");
  EXPECT_EQ(only(to("self_trade = \"oldest\"\n", "")).substr(0, 22), "account[U1].self_trade");
  EXPECT_FALSE(to("self_trade = \"oldest\"\n", "").rows.front().may) << "its group goes with it";
  for (const ConfigDifference& row : differences(load(kAll), load(kHead + kFirst + kRisk)).rows) EXPECT_FALSE(row.may);
  for (const ConfigDifference& row : differences(load(kAll), load(kHead + kSecond + kFirst + kRisk)).rows)
    EXPECT_FALSE(row.may) << "another order of accounts is one of their numbers";
}

TEST_F(ConfigDifferencesTest, WhatIsTakenIsNoDifferenceAnyMore) {
  Config running = load(kAll);
  std::string text = kAll;
  for (const auto& [before, after] : {std::pair<std::string, std::string>{"order_quantity = 100", "order_quantity = 7"},
                                      {"long = 70", "long = 60"},
                                      {"tick_e4 = 100", "tick_e4 = 10"},
                                      {"password = \"p\"", "password = \"q\""},
                                      {"firm = \"TWO\"\n", "firm = \"TWO\"\nenabled = false\ncancel_on = []\n"},
                                      {"\"oldest\"", "\"newest\""},
                                      {"funds_e4 = 5000", "funds_e4 = 4000"},
                                      {"looks_per_second = 100", "looks_per_second = 50"}})
    text.replace(text.find(before), before.size(), after);
  const Config next = load(text);
  const ConfigDifferences all = differences(running, next);
  EXPECT_EQ(all.rows.size(), 9u);
  EXPECT_EQ(all.changes.size(), 8u);
  take_changes(all, next, running);
  EXPECT_EQ(only(differences(running, next)), "symbol[AAA].tick_e4 100 10") << "which waits for the next start";
  EXPECT_EQ(running.engine.risk[0].limit(RiskLimit::order_quantity), 7);
  EXPECT_EQ(running.engine.risk[0].positions[0].most_long, 60);
  EXPECT_EQ(running.net.accounts[0].password, "q");
  EXPECT_EQ(running.engine.symbols[0].tick_e4, 100u);
  EXPECT_EQ(running.engine.looks_per_second, 50u);
}

}  // namespace
}  // namespace crosswire::difference_test
