// What `crosswire ctl account` shows, of an appliance or of something else that answers.
#include "app/top/account.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/risk_limits.hpp"
#include "tests/app/top/top_rig.hpp"

namespace crosswire {
namespace {

using test::bare;
using test::expect_words;
using test::TelemetryServer;

/// An appliance with one account, its number 3.
std::function<std::string(const std::string&)> with(const std::string& columns) {
  return [columns](const std::string& question) {
    if (question == "/crosswire/positions,ann,a,0")
      return std::string(R"({"/crosswire/positions":{"account":3,"next":64,"symbol":["AAA"],"long":[0],"short":[9],)") +
             R"("open_buys":[1],"open_sells":[2],"most_long":[1099511627776],"most_short":[40]}})";
    if (question == "/crosswire/positions,ann,a,64")
      return std::string(R"({"/crosswire/positions":{"account":3,"next":0,"symbol":["BBB"],"long":[5]}})");
    if (question == "/crosswire/accounts,a,3") return R"({"/crosswire/accounts":{"user":["ann"],)" + columns + "}}";
    return bare(question);
  };
}

TEST(AccountPage, HasWhatIsLeftOfEachLimit) {
  const TelemetryServer server(with(
      R"("firm":["ANNS"],"disabled":[0],"killed":[0],"live_orders":[7],"price_levels":[2],"orders_limit":[100],)"
      R"("orders_taken":[30],"cancels_limit":[0],"has_positions":[1],"has_funds":[1],"cash_e4":[12345600],)"
      R"("reserved_e4":[345601],"firm_has_funds":[1],"firm_cash_e4":[2305843009213693951],"firm_reserved_e4":[0])"));
  std::string raw;
  const TopAccount got = ask_top_account(server.path(), "", "ann", &raw);
  const std::string page = account_page(got);
  expect_words(page, {"ann, firm ANNS, partition a\n", "trading\n", "7, at the head of 2 price levels\n",
                      "1234.5600 of the currency, 34.5601 reserved by open purchases, 1199.9999 left\n",
                      "230584300921369.3951 of the currency, 0.0000 reserved",
                      "orders_per_second   100 messages, 30 taken within the last second, 70 left\n",
                      "cancels_per_second  no limit\n", "position_long  position_short  last second's\n"});
  const auto line_of = [&page](const std::string& symbol) {
    const std::size_t at = page.find("\n" + symbol + " ");
    return at == std::string::npos ? "" : page.substr(at + 1, page.find('\n', at + 1) - at - 1);
  };
  expect_words(line_of("AAA"), {" -9 ", " 1 ", " 2 ", " no limit ", " 40"});
  expect_words(line_of("BBB"), {" 5 "});
  expect_words(raw, {R"({"partition":"a","user":"ann","firm":"ANNS",)", R"("positions":[{"symbol":"AAA","long":0,)"});
}

TEST(AccountPage, SaysWhoHasStoppedAnAccount) {
  TopAccount account{.partition = "a", .user = "ann", .firm = "", .numbers = {}, .positions = {}};
  expect_words(account_page(account), {"ann, firm none, partition a\n", "state               trading\n"});
  account.numbers = {{"disabled", 1}};
  expect_words(account_page(account), {"state               disabled by its client\n"});
  account.numbers = {{"killed", 1}};
  expect_words(account_page(account), {"state               killed by an operator\n"});
  account.numbers = {{"killed", 1}, {"disabled", 1}};
  expect_words(account_page(account), {"killed by an operator, disabled by its client too\n"});
  account.numbers = {{"tripped", 1}};
  expect_words(account_page(account), {"state               stopped by its breaker rejects_in_a_row\n"});
  account.numbers = {{"tripped", 4}, {"disabled", 1}, {"killed", 1}};
  expect_words(account_page(account), {"killed by an operator, stopped by its breaker executions_per_second_shares, "
                                       "disabled by its client too\n"});
}

TEST(AccountPage, SaysHowFarItsBreakersAre) {
  TopAccount account{.partition = "a", .user = "ann", .firm = "", .numbers = {}, .positions = {}};
  expect_words(account_page(account),
               {"rejects_in_a_row             no limit\n", "loss_of_day_e4               no limit\n",
                "executions_per_second_count  no limit\n"});
  account.numbers = {{"rejected_limit", 50},  {"rejected_taken", 3}, {"loss_limit_e4", 1'000'000},
                     {"gain_e4", 0},          {"loss_e4", 123'456},  {"executions_limit", 9},
                     {"executions_taken", 8}, {"shares_limit", 700}, {"shares_taken", 600}};
  expect_words(account_page(account), {"rejects_in_a_row             50 Rejected, 3 by now\n",
                                       "loss_of_day_e4               100.0000 of the currency, result -12.3456\n",
                                       "executions_per_second_count  9 executions, 8 within the last second\n",
                                       "executions_per_second_shares 700 shares, 600 within the last second\n"});
}

TEST(LimitsPage, HasEachLimitWithUnitAndScopeSetOrNot) {
  const TelemetryServer server([](const std::string& question) -> std::string {
    if (question == "/crosswire/limits,a,0")
      return R"({"/crosswire/limits":{"next":16,"user":["ann"],"firm":["ANNS"],"set_order_quantity":[1],)"
             R"("order_quantity":[500],"set_firm_funds_e4":[1],"firm_funds_e4":[7],"forbids":["ioc hidden"],)"
             R"("symbols":[2]}})";
    if (question == "/crosswire/limits,a,16") return R"({"/crosswire/limits":{"next":0,"user":["bob"],"firm":[""]}})";
    return bare(question);
  });
  std::string raw;
  const std::vector<TopAccount> got = ask_top_accounts(server.path(), "limits", "", "", &raw);
  ASSERT_EQ(got.size(), 2u);
  const std::string page = limits_page(got);
  const auto line_of = [&page](const std::string& begin) {
    const std::size_t at = page.find(begin);
    return at == std::string::npos ? "" : page.substr(at, page.find('\n', at) - at);
  };
  expect_words(line_of("ann       order_quantity"), {" 500  shares ", "account"});
  expect_words(line_of("ann       funds_e4"), {" not set  1/10000 of the currency ", "account"});
  expect_words(page, {" 7  1/10000 of the currency   firm ANNS\n", "ioc hidden"});
  for (const RiskRow& row : kRiskRows) {
    expect_words(line_of("bob       " + std::string(row.key)), {"not set", std::string(row.unit)});
  }
  expect_words(raw, {R"({"partition":"a","accounts":[{"user":"ann","firm":"ANNS",)", R"({"user":"bob")"});
}

TEST(RatesPage, HasWhatIsUsedAndLeft) {
  const TelemetryServer server([](const std::string& question) -> std::string {
    if (question == "/crosswire/positions,bob,a,0") return R"({"/crosswire/positions":{"account":5,"next":0}})";
    if (question == "/crosswire/accounts,a,5")
      return R"({"/crosswire/accounts":{"next":6,"user":["bob","cyn"],"orders_limit":[100,0],"orders_taken":[30,0],)"
             R"("cancels_limit":[0,0],"cancels_taken":[0,0]}})";
    return bare(question);
  });
  const std::vector<TopAccount> got = ask_top_accounts(server.path(), "accounts", "", "bob");
  ASSERT_EQ(got.size(), 1u) << "of the one that was asked for";
  EXPECT_EQ(rates_page(got),
            "account   rate                        used        left       limit\n"
            "bob       orders_per_second             30          70         100\n"
            "bob       cancels_per_second             -           -     not set\n");
}

TEST(RatesPage, IsNotThereForWhoIsNot) {
  const TelemetryServer server([](const std::string& question) {
    if (question == "/crosswire/positions,eve,a,0")
      return std::string(R"({"/crosswire/positions":{"error":"there is no account 'eve'"}})");
    return bare(question);
  });
  EXPECT_THROW(ask_top_accounts(server.path(), "accounts", "", "eve"), std::runtime_error);
}

TEST(AccountPage, IsNotThereForWhoIsNot) {
  const auto error_of = [](const std::string& answer) {
    const TelemetryServer server([&](const std::string& question) {
      return question.find("/crosswire/positions") == 0 ? answer : bare(question);
    });
    try {
      ask_top_account(server.path(), "a", "ann");
    } catch (const std::runtime_error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(error_of(R"({"/crosswire/positions":{"error":"there is no account 'ann'"}})"),
            "partition a: there is no account 'ann'");
  expect_words(error_of(R"({"/crosswire/positions":{"account":3,"next":0}})"), {"the match stage gives no answer"});
  expect_words(error_of(R"({"/crosswire/positions":[1]})"), {"something else than figures"});
  expect_words(error_of(R"({"/crosswire/positions":{"account":"x","next":1e300}})"), {"no answer"});
}

}  // namespace
}  // namespace crosswire
