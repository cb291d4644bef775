// Limits in the configuration: what they become, the one line that each fault gets, and the page that lists them.
#include "app/config/limits_section.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/folder.hpp"

namespace crosswire::limits_section_test {
namespace {

const std::string kHead =
    "[port]\naddress = \"10.99.0.1\"\n"                                        // 1, 2
    "[[symbol]]\nname = \"AAA\"\nreference_price_e4 = 10000\ntick_e4 = 100\n"  // 3 .. 6
    "[[symbol]]\nname = \"BBB\"\nreference_price_e4 = 10000\ntick_e4 = 100\n"  // 7 .. 10
    "[[account]]\nuser = \"U1\"\npassword = \"p\"\nfirm = \"ONE\"\n";          // 11 .. 14
constexpr int kNext = 15;
const std::string kOthers =
    "[[account]]\nuser = \"U2\"\npassword = \"p\"\nfirm = \"ONE\"\n"
    "[[account]]\nuser = \"U3\"\npassword = \"p\"\nfirm = \"TWO\"\n";

class LimitsSection : public ::testing::Test {
 protected:
  /// `text` stands behind the first of three accounts.
  EngineConfig load(const std::string& text) {
    return load_config(folder_.write("c.toml", kHead + text + kOthers, 0600), ConfigUse::replay).engine;
  }

  /// Expects FILE:`line`: `key`: something with `what`; a remedy.
  void expect_error(const std::string& text, int line, const std::string& key, const std::string& what) {
    try {
      load(text);
      FAIL() << "taken:\n" << text;
    } catch (const ConfigError& error) {
      const std::string said = error.what();
      const std::string start = fmt::format("{}:{}: {}: ", folder_.file("c.toml"), line, key);
      EXPECT_EQ(said.substr(0, start.size()), start) << said;
      EXPECT_NE(said.find(what), std::string::npos) << said;
      EXPECT_NE(said.find("; "), std::string::npos) << said;
      EXPECT_EQ(said.find('\n'), std::string::npos) << said;
    }
  }

  test::Folder folder_;
};

TEST_F(LimitsSection, LeftOutLimitsNothing) {
  const EngineConfig config = load("");
  EXPECT_TRUE(config.risk.empty());
  EXPECT_TRUE(config.self_trade.empty());
  EXPECT_TRUE(load("[account.risk]\n").risk.empty());
}

TEST_F(LimitsSection, TakesEachNumberFromItsLowestToItsHighest) {
  for (const RiskRow& row : kRiskRows) {
    const bool of_firm = row.scope == RiskScope::firm;
    const std::string section = of_firm ? "[[firm]]\nname = \"ONE\"\n" : "[account.risk]\n";
    const auto with = [&](std::int64_t value) { return fmt::format("{}{} = {}\n", section, row.key, value); };
    const int line = kNext + (of_firm ? 2 : 1);
    const std::string key = fmt::format("{}.{}", of_firm ? "firm" : "account.risk", row.key);
    for (const std::int64_t value : {row.low, row.high}) {
      const EngineConfig config = load(with(value));
      ASSERT_EQ(config.risk.size(), 3u);
      EXPECT_EQ(config.risk[0].limit(row.limit), value) << key;
      EXPECT_EQ(config.risk[1].has(row.limit), of_firm) << "the other account of the firm";
      EXPECT_FALSE(config.risk[2].has(row.limit));
    }
    expect_error(with(row.low - 1), line, key, "is out of range");
    if (row.high < INT64_MAX) expect_error(with(row.high + 1), line, key, "is out of range");
    expect_error(fmt::format("{}{} = \"1\"\n", section, row.key), line, key, "is a string");
  }
}

TEST_F(LimitsSection, TakesSymbolsAndForbiddenTypes) {
  const EngineConfig config =
      load("[account.risk]\nsymbols = [\"BBB\", \"AAA\", \"BBB\"]\nforbids = [\"ioc\", \"short_sale\"]\n");
  EXPECT_EQ(config.risk[0].symbols, (std::vector<SymbolId>{SymbolId{1}, SymbolId{2}}));
  EXPECT_EQ(config.risk[0].forbidden, set_of({OrderType::ioc, OrderType::short_sale}));
  EXPECT_TRUE(config.risk[1].is_none());
  expect_error("[account.risk]\nsymbols = [\"CCC\"]\n", kNext + 1, "account.risk.symbols", "\"CCC\" is unknown");
  expect_error("[account.risk]\nsymbols = []\n", kNext + 1, "account.risk.symbols", "is an empty list");
  EXPECT_EQ(load("[account.risk]\nforbids = [\"market\"]\n").risk[0].forbidden, set_of({OrderType::market}));
  expect_error("[account.risk]\nforbids = [\"stop\"]\n", kNext + 1, "account.risk.forbids", "\"stop\" is unknown");
  expect_error("[account.risk]\nfund = 1\n", kNext + 1, "account.risk.fund", "unknown key");
  expect_error("risk = 1\n", kNext, "account.risk", "is a whole number");
}

TEST_F(LimitsSection, TakesPositionsOfTheDaysStart) {
  const EngineConfig config = load(
      "[[account.position]]\nsymbol = \"BBB\"\nshares = -5\nlong = 7\n[[account.position]]\nsymbol = \"AAA\"\nshort = "
      "9\n");
  ASSERT_EQ(config.risk[0].positions.size(), 2u);
  const PositionConfig& first = config.risk[0].positions[0];
  EXPECT_EQ(first.symbol, SymbolId{2});
  EXPECT_EQ(first.shares, -5);
  EXPECT_EQ(first.most_long, 7);
  EXPECT_EQ(first.most_short, -1);
  EXPECT_EQ(config.risk[0].positions[1].most_short, 9);
  const std::string position = "[[account.position]]\nsymbol = \"AAA\"\n";
  expect_error(position + position, kNext + 2, "account.position.symbol", "is there twice");
  expect_error(position + "shares = 1099511627777\n", kNext + 2, "account.position.shares", "is out of range");
  expect_error(position + "shares = 0.5\n", kNext + 2, "account.position.shares", "is a number with a fraction");
  expect_error("[[account.position]]\nshares = 1\n", kNext, "account.position.symbol", "missing");
}

TEST_F(LimitsSection, OfAFirmNameOneThatIsThereOnce) {
  expect_error("[[firm]]\nname = \"TRE\"\n", kNext + 1, "firm.name", "\"TRE\" has no account");
  expect_error("[[firm]]\nname = \"\"\n", kNext + 1, "firm.name", "has no account");
  expect_error("[[firm]]\nname = \"ONE\"\n[[firm]]\nname = \"ONE\"\n", kNext + 3, "firm.name", "is there twice");
}

TEST_F(LimitsSection, FormsGroupsOfAccountsThatDoNotTradeWithEachOther) {
  const auto groups = [](const EngineConfig& config) {
    std::vector<std::uint16_t> of;
    for (const SelfTradeConfig& account : config.self_trade) of.push_back(account.group);
    return of;
  };
  using Groups = std::vector<std::uint16_t>;
  EXPECT_EQ(groups(load("self_trade = \"oldest\"\n")), (Groups{1, 0, 0})) << "alone, if nothing else is said";
  EXPECT_EQ(load("self_trade = \"decrement\"\n").self_trade[0].action, SelfTrade::decrement);
  const auto all = [this](const std::string& group) {
    const std::string line = "self_trade_group = \"" + group + "\"\n";
    std::string text = kHead + line;
    for (const std::string user : {"U2", "U3"}) {
      text += "[[account]]\nuser = \"" + user + "\"\npassword = \"p\"\nfirm = \"" + (user == "U2" ? "ONE" : "TWO") +
              "\"\n" + line;
    }
    return load_config(folder_.write("c.toml", text, 0600), ConfigUse::replay).engine;
  };
  EXPECT_EQ(groups(all("account")), (Groups{1, 2, 3}));
  EXPECT_EQ(groups(all("firm")), (Groups{1, 1, 2}));
  EXPECT_EQ(groups(all("desk")), (Groups{1, 1, 1}));
  EXPECT_EQ(all("desk").self_trade[2].action, SelfTrade::newest);
  expect_error("self_trade = \"none\"\n", kNext, "account.self_trade", "\"none\" is unknown");
  expect_error("self_trade_group = \"\"\n", kNext, "account.self_trade_group", "is empty");
}

TEST(LimitsTable, IsWhatTheRulesPageSays) {
  constexpr std::string_view kMark = "<!-- limits: made by `CROSSWIRE_WRITE_DOCS=1 meson test -C build config` -->\n";
  constexpr std::string_view kEndMark = "<!-- end of limits -->\n";
  std::string made = "| key | of | unit | range | refused, if set | with | scenario |\n|---|---|---|---|---|---|---|\n";
  for (const RiskRow& row : kRiskRows) {
    const bool firm = row.scope == RiskScope::firm;
    made += fmt::format("| `{}` | {} | {} | {} to {} | {} | 0x{:04X} | `{}{}` |\n", row.key,
                        firm ? "`[[firm]]`" : "`[account.risk]`", row.unit, row.low, row.high, row.about, row.code,
                        firm ? "firm_" : "", row.key);
  }
  made += "\n| order type that `forbids` may name | refused with | scenario |\n|---|---|---|\n";
  for (const OrderTypeRow& row : kOrderTypes) {
    made += fmt::format("| `{}` | 0x{:04X} | `forbids_{}` |\n", row.name, row.code, row.name);
  }
  const std::string path = std::string(CROSSWIRE_SOURCE_ROOT) + "/docs/rules.md";
  std::ifstream in(path);
  const std::string docs((std::istreambuf_iterator<char>(in)), {});
  const std::size_t mark = docs.find(kMark), end = docs.find(kEndMark);
  ASSERT_TRUE(mark < end && end != std::string::npos) << path << " has lost the marks around its limits";
  const std::size_t first = mark + kMark.size();
  if (std::getenv("CROSSWIRE_WRITE_DOCS") != nullptr) {
    std::ofstream(path) << docs.substr(0, first) << made << docs.substr(end);
    return;
  }
  EXPECT_EQ(docs.substr(first, end - first), made)
      << "refresh it with: CROSSWIRE_WRITE_DOCS=1 meson test -C build config";
}

}  // namespace
}  // namespace crosswire::limits_section_test
