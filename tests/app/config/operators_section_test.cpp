// [operators] in the configuration: what it becomes, and the one line that each fault gets.
#include "app/config/operators_section.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/folder.hpp"

namespace crosswire::operators_section_test {
namespace {

const std::string kRest =
    "[port]\naddress = \"10.99.0.1\"\n[[symbol]]\nname = \"AAA\"\nreference_price_e4 = 10000\ntick_e4 = 100\n"
    "[[account]]\nuser = \"U1\"\npassword = \"p\"\nfirm = \"ANNS\"\n[[account]]\nuser = \"U2\"\npassword = \"p\"\n";

class OperatorsSection : public ::testing::Test {
 protected:
  std::optional<OperatorsConfig> load(const std::string& text) {
    return load_config(folder_.write("c.toml", text + kRest, 0600), ConfigUse::replay).operators;
  }

  /// Expects FILE:`line`: `key`: something with `what`; a remedy.
  void expect_error(const std::string& text, int line, const std::string& key, const std::string& what) {
    try {
      load(text);
      FAIL() << "taken:\n" << text;
    } catch (const ConfigError& error) {
      const std::string said = error.what();
      const std::string start = folder_.file("c.toml") + ":" + std::to_string(line) + ": " + key + ": ";
      EXPECT_EQ(said.substr(0, start.size()), start) << said;
      EXPECT_NE(said.find(what), std::string::npos) << said;
      EXPECT_NE(said.find("; "), std::string::npos) << said;
      EXPECT_EQ(said.find('\n'), std::string::npos) << said;
    }
  }

  test::Folder folder_;
};

TEST_F(OperatorsSection, LeftOutIsNone) {
  EXPECT_FALSE(load(""));
  EXPECT_TRUE(load("[operators]\n")) << "nobody may do anything then";
}

TEST_F(OperatorsSection, TakesGroupsByRoleAndFirm) {
  const auto operators = load(
      "[operators]\n"
      "viewer = [\"ops\", \"exch-mc\"]\n"
      "market_control = [\"exch-mc\"]\n"
      "house_risk = [\"exch-risk\"]\n"
      "[[operators.firm]]\n"
      "firm = \"ANNS\"\n"
      "group = \"anns-risk\"\n"
      "[[operators.firm]]\n"
      "firm = \"ANNS\"\n"
      "group = \"anns-desk\"\n");
  ASSERT_TRUE(operators);
  ASSERT_EQ(operators->viewer.size(), 2u);
  EXPECT_EQ(operators->viewer[1].name, "exch-mc");
  EXPECT_EQ(operators->viewer[1].key, "operators.viewer");
  EXPECT_EQ(operators->viewer[1].line, 2);
  EXPECT_EQ(operators->market_control.at(0).name, "exch-mc");
  EXPECT_EQ(operators->house_risk.at(0).line, 4);
  ASSERT_EQ(operators->firms.size(), 2u);
  EXPECT_EQ(operators->firms[0].firm, "ANNS");
  EXPECT_EQ(operators->firms[0].group.name, "anns-risk");
  EXPECT_EQ(operators->firms[1].group.line, 10);
}

TEST_F(OperatorsSection, NamesEachFaultWithItsLine) {
  expect_error("[operators]\nviewers = [\"ops\"]\n", 2, "operators.viewers", "unknown key");
  expect_error("operators = 5\n", 1, "operators", "whole number");
  expect_error("[operators]\nviewer = \"ops\"\n", 2, "operators.viewer", "a string");
  expect_error("[operators]\nviewer = [5]\n", 2, "operators.viewer", "whole number");
  expect_error("[operators]\nviewer = []\n", 2, "operators.viewer", "empty list");
  expect_error("[operators]\nviewer = [\"\"]\n", 2, "operators.viewer", "cannot be a group");
  expect_error("[operators]\nviewer = [\"a:b\"]\n", 2, "operators.viewer", "cannot be a group");
  expect_error("[operators]\nhouse_risk = [\"a b\"]\n", 2, "operators.house_risk", "cannot be a group");
  expect_error("[operators]\nviewer = [\"ops\", \"ops\"]\n", 2, "operators.viewer", "twice");
  expect_error("[operators]\nfirm = \"ANNS\"\n", 2, "operators.firm", "a string");
  expect_error("[[operators.firm]]\ngroup = \"a\"\n", 1, "operators.firm.firm", "missing");
  expect_error("[[operators.firm]]\nfirm = \"ANNS\"\n", 1, "operators.firm.group", "missing");
  expect_error("[[operators.firm]]\nfirm = \"BOBS\"\ngroup = \"a\"\n", 2, "operators.firm.firm", "no account");
  expect_error("[[operators.firm]]\nfirm = \"\"\ngroup = \"a\"\n", 2, "operators.firm.firm", "no account");
  expect_error("[[operators.firm]]\nfirm = \"ANNSX\"\ngroup = \"a\"\n", 2, "operators.firm.firm", "no account");
  expect_error("[[operators.firm]]\nfirm = \"ANNS\"\ngroup = \"\"\n", 3, "operators.firm.group", "cannot be a group");
  const std::string one = "[[operators.firm]]\nfirm = \"ANNS\"\ngroup = \"a\"\n";
  expect_error(one + one, 6, "operators.firm.group", "already");
}

}  // namespace
}  // namespace crosswire::operators_section_test
