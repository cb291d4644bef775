// The language of scenarios: what holds, what is told where something does not, and what is no scenario. (That the
// exchange keeps to its rules is what tests/scenarios is for.)
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "app/scenario/expectation.hpp"
#include "app/scenario/script.hpp"
#include "app/scenario/words.hpp"
#include "tests/folder.hpp"

namespace crosswire {
namespace {

class Scenario : public ::testing::Test {
 protected:
  ScenarioOutcome run(const std::string& text, bool verbose = false) {
    told.clear();
    const auto tell = [this](const std::string& line) { told.push_back(line); };
    return run_scenario(path = folder_.write("rule.scenario", text), verbose ? tell : decltype(verbose_){});
  }
  std::string fault(const std::string& text) {
    const std::string whole = run(text).fault;
    return whole.compare(0, path.size(), path) == 0 ? whole.substr(path.size() + 1) : whole;
  }

  test::Folder folder_;
  std::function<void(const std::string&)> verbose_;
  std::string path;
  std::vector<std::string> told;
};

TEST_F(Scenario, HoldsIfAllThatComesIsExpected) {
  const ScenarioOutcome outcome =
      run("ann buy 100 AAA @ 10.00 as o1\nexpect accepted o1\nbob sell 40 AAA @ 10.00 as b1\nexpect accepted b1\n"
          "expect executed 40 @ 10.00 b1 with o1\nexpect book AAA bid 60 x 10.00\n");
  EXPECT_EQ(outcome.fault, "");
  EXPECT_EQ(outcome.expectations, 4u);
}

TEST_F(Scenario, TellsTheFirstDifferenceWithItsLineAndWhatCameOfTheStep) {
  EXPECT_EQ(fault("ann buy 100 AAA @ 10 as o1\nexpect accepted o1\nbob sell 40 AAA @ 10 as b1\nexpect accepted b1\n"
                  "expect executed 50 @ 10\n"),
            "5: expected executed 50 @ 10.00, got executed 40 @ 10.00 b1 with o1\n"
            "  line 3: bob sell 40 AAA @ 10 as b1\n"
            "    accepted b1 sell 40 AAA @ 10.00\n"
            "  > executed 40 @ 10.00 b1 with o1");
}

TEST_F(Scenario, IsStrictWithWhatNobodyExpected) {
  const std::string text = "ann buy 100 AAA @ 10.00 as o1\nann query\nexpect next ann 2\n";
  EXPECT_EQ(fault(text).substr(0, 50), "1: expected nothing more of it, got accepted o1 bu");
  EXPECT_EQ(fault("loose\n" + text), "");
  EXPECT_EQ(fault("loose\nann buy 1 AAA @ 1 as o1\nexpect rejected o1\n").substr(0, 50),
            "3: expected rejected o1, got none that is like it\n");
}

TEST_F(Scenario, NamesTheLineOfTheHeadThatIsWrong) {
  EXPECT_EQ(fault("# a rule\n---\n[limits]\nmax_oders = 3\n---\n").substr(0, 20), "4: limits.max_oders:");
  EXPECT_EQ(fault("---\naccount = [{user = \"ann\", risk = {funds = 1}}]\n---\n").substr(0, 22),
            "2: account.risk.funds:");
  EXPECT_EQ(fault("---\n").substr(0, 26), "2: the head has no end; cl");
}

TEST_F(Scenario, SaysWhatIsWrongWithALine) {
  for (const auto& [line, what] : std::vector<std::pair<std::string, std::string>>{
           {"amy buy 1 AAA @ 1", "\"amy\" is neither an account nor a statement"},
           {"ann buys 1 AAA @ 1", "\"buys\" is nothing that an account does"},
           {"ann buy x AAA @ 1", "\"x\" is no number of shares"},
           {"ann buy 1 AAA 1", "\"@\" is wanted, not \"1\""},
           {"ann buy 1 AAA @ 1.00001", "\"1.00001\" is no price"},
           {"ann buy 1 AAA @ 1 quickly", "\"quickly\" is no option"},
           {"cancel o1", "no order is called o1"},
           {"halt BBB", "no symbol is called BBB"},
           {"kill firm AAAA", "no account is of a firm AAAA"},
           {"tick 5", "\"5\" is no span"},
           {"tick 1441m", "1441m is longer than a day"},
           {"ann query\nexpekt next ann 1", "2: \"expekt\" is neither an account nor a statement"},
           {"at 9:30", "\"9:30\" is no time of day"},
           {"ann session_ends soon", "\"soon\" is no end of a session"},
           {"expect accepted", "nothing has been done yet"},
           {"ann query\nexpect happiness", "\"happiness\" is no event"},
           {"ann query\nexpect book AAA", "give bid SHARES x PRICE"},
           {"0 times ann query", "0 times is nothing"},
           {"ann query\nexpect 0 times next", "0 times is nothing"},
           {"ann query\nexpect funds ann 0", "the account has no funds"},
           {"ann query\nexpect position ann AAA 0", "the account has no positions"},
           {"ann buy 1 AAA @ 1 ioc day", "\"day\": the line has a time in force already"},
           {"ann buy 1 AAA @ 1 min_qty=1 min_qty=2", "\"min_qty=2\": the line has min_qty already"},
           {"loose\nann buy 1 AAA @ 1 as o\nbob buy 1 AAA @ 1 as o", "3: an order is called o already"},
           {"---\naccount = [{user = \"kill\"}]\n---\nkill buy 1 AAA @ 1", "no account may be called kill"},
           {"ann \x1B[2Jbuy 1 AAA @ 1", "byte 1 of the word that begins with \"\" is 0x1B"},
           {"\xEF\xBB\xBF"
            "ann query",
            "byte 1 of the word that begins with \"\" is 0xEF"},
           {"ann " + std::string(5'000, 'x'), "a line has at most 4096 bytes"},
       }) {
    EXPECT_NE(fault(line + "\n").find(what), std::string::npos) << line << ": " << fault(line + "\n");
  }
  EXPECT_NE(fault("ann query\n").find("expected nothing more"), std::string::npos);
  EXPECT_TRUE(run("ann query\n").differs);
  EXPECT_TRUE(run("ann query\nexpect nothing\n").differs);
  EXPECT_FALSE(run("ann quern\n").differs);
  EXPECT_FALSE(run("---\nnokey = 1\n---\nann query\n").differs);
  EXPECT_NE(fault("# empty\n").find("nothing is expected"), std::string::npos);
  EXPECT_NE(run_scenario("/nowhere", {}).fault.find("/nowhere:1: cannot be read"), std::string::npos);
}

TEST_F(Scenario, TellsASideWithoutOrdersFromOneThatIsNotLookedAt) {
  const std::string buys = "ann buy 100 AAA @ 10.00 as o1\nexpect accepted o1  # \xC3\xA0 la carte\n";
  for (const char* const book : {"ask none", "bid 100 x 10.00 ask none", "bid 100 x 10.00"}) {
    EXPECT_EQ(fault(buys + "expect book AAA " + book + "\n"), "");
  }
  EXPECT_NE(fault(buys + "expect book AAA bid none\n").find("expected book bid none, got book bid 100 x 10.00"),
            std::string::npos);
  EXPECT_NE(fault(buys + "expect book AAA ask 1 x 11\n").find("expected book ask 1 x 11.00, got book ask none"),
            std::string::npos);
}

TEST_F(Scenario, KnowsOnlyTheFundsAndPositionsThatAreKept) {
  const std::string head =
      "---\naccount = [{user = \"ann\", risk = {funds_e4 = 5_0000}}, {user = \"bob\"}]\n---\n"
      "ann query\nexpect next\n";
  EXPECT_EQ(fault(head + "expect funds ann 5.00\n"), "");
  EXPECT_NE(fault(head + "expect funds bob 0\n").find("6: the account has no funds"), std::string::npos);
  EXPECT_NE(fault(head + "expect position ann AAA 0\n").find("6: the account has no positions"), std::string::npos);
}

TEST_F(Scenario, TellsWhatHappensInTheWordsThatExpectTakes) {
  run("ann buy 100 AAA @ 10.00 as o1\nexpect accepted o1\n", true);
  EXPECT_EQ(told, (std::vector<std::string>{path + ":1: ann buy 100 AAA @ 10.00 as o1",
                                            "    accepted o1 buy 100 AAA @ 10.00"}));
}

TEST_F(Scenario, GoesByItsOwnTimeAndSchedule) {
  EXPECT_EQ(fault("---\nphase = [{at = \"09:30:00\", state = \"continuous\"}]\n---\nat 09:29:59.9\nexpect nothing\n"
                  "tick 100ms\nexpect phase AAA continuous\n"),
            "");
  EXPECT_EQ(fault("at 09:30:00\nexpect nothing\nat 09:29:00\n"), "3: 09:29:00 is over already");
}

TEST(Expectation, IsTheWordsOfAnEventWithSomeLeftOut) {
  const auto expects = [](const std::string& expected, const std::string& told) {
    return is_expected(as_told(split_line(expected)), told);
  };
  const std::string event = "canceled o1 50 U user left 100";
  EXPECT_TRUE(expects("canceled", event));
  EXPECT_TRUE(expects("canceled 50 user", event));
  EXPECT_TRUE(expects("canceled left 1_00", event));
  EXPECT_FALSE(expects("canceled 100", event)) << "what is left is another matter";
  EXPECT_FALSE(expects("canceled user 50", event));
  EXPECT_FALSE(expects("accepted o1", event));
  EXPECT_TRUE(expects("executed 5 @ 10", "executed 5 @ 10.00 b1 with o1"));
  EXPECT_TRUE(expects("rejected 0x00a0", "rejected o1 0x00A0 other"));
}

TEST(ScenarioWords, AreNumbersPricesAndSpans) {
  EXPECT_EQ(split_line(" a\tb # c"), (Words{"a", "b"}));
  EXPECT_EQ(split_line("cancel ann#3"), (Words{"cancel", "ann#3"}));
  EXPECT_EQ(parse_number("1_000"), 1000u);
  EXPECT_FALSE(parse_number("-1"));
  EXPECT_FALSE(parse_number("4294967296"));
  EXPECT_EQ(parse_price("10.0001"), 100'001u);
  EXPECT_EQ(format_price(100'001), "10.0001");
  EXPECT_EQ(format_price(100'100), "10.01");
  EXPECT_FALSE(parse_price("10."));
  EXPECT_EQ(parse_span("2.5s"), 2'500'000'000u);
  EXPECT_EQ(parse_span("1h"), 3600 * kNsPerSecond);
  EXPECT_FALSE(parse_span("ms"));
}

}  // namespace
}  // namespace crosswire
