// What `crosswire ctl account` shows, of an appliance or of something else that answers.
#include "app/top/account.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <stdexcept>
#include <string>

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
