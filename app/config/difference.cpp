// In what two configurations differ: see the header.
#include "app/config/difference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

namespace crosswire {
namespace {

constexpr std::int64_t kNone = RiskConfig::kNoLimit;

RiskConfig risk_of(const Config& config, std::size_t account) {
  return config.engine.risk.empty() ? RiskConfig{} : config.engine.risk[account];
}
bool is_on(const Config& config, SessionId account) {
  const std::vector<SessionId>& off = config.engine.switched_off;
  return std::find(off.begin(), off.end(), account) == off.end();
}
std::string firm_name(const AccountConfig& account) {
  return {account.firm.begin(), std::find(account.firm.begin(), account.firm.end(), ' ')};
}

/// Accounts and symbols in one order, so that their numbers mean the same.
bool have_same_numbers(const Config& a, const Config& b) {
  const auto same_account = [](const AccountConfig& x, const AccountConfig& y) {
    return x.user == y.user && x.firm == y.firm;
  };
  const auto same_symbol = [](const SymbolConfig& x, const SymbolConfig& y) { return x.name == y.name; };
  const auto& [aa, bb] =
      std::pair<const std::vector<AccountConfig>&, const std::vector<AccountConfig>&>(a.net.accounts, b.net.accounts);
  return std::equal(aa.begin(), aa.end(), bb.begin(), bb.end(), same_account) &&
         std::equal(a.engine.symbols.begin(), a.engine.symbols.end(), b.engine.symbols.begin(), b.engine.symbols.end(),
                    same_symbol);
}

struct PartitionNumber {
  std::string_view key;
  ConfigRow row;
  std::uint32_t (*of)(const EngineConfig&);
  std::uint32_t EngineConfig::*field;
};
constexpr std::array kPartitionNumbers = {
    PartitionNumber{"looks_per_second", ConfigRow::looks_per_second,
                    [](const EngineConfig& c) { return c.looks_per_second; }, &EngineConfig::looks_per_second},
    PartitionNumber{"account_queries_per_second", ConfigRow::account_queries_per_second,
                    [](const EngineConfig& c) { return c.account_queries_per_second; },
                    &EngineConfig::account_queries_per_second},
    PartitionNumber{"max_fills_per_order", ConfigRow::max_fills_per_order,
                    [](const EngineConfig& c) { return c.max_fills_per_order; }, &EngineConfig::max_fills_per_order},
    PartitionNumber{"orders_per_account", ConfigRow::orders_per_account,
                    [](const EngineConfig& c) { return orders_per_account(c); }, &EngineConfig::orders_per_account},
    PartitionNumber{"levels_per_account", ConfigRow::levels_per_account,
                    [](const EngineConfig& c) { return levels_per_account(c); }, &EngineConfig::levels_per_account},
};

/// Looks at what the keys stand for.
class Comparison {
 public:
  Comparison(const Config& running, const Config& next) : running_(running), next_(next) {}

  std::vector<ConfigChange> changes() {
    for (std::size_t i = 0; i < running_.net.accounts.size(); ++i) compare_account(i);
    for (const PartitionNumber& number : kPartitionNumbers) {
      const std::uint32_t before = number.of(running_.engine), after = number.of(next_.engine);
      if (before == after) continue;
      add({.key = fmt::format("limits.{}", number.key), .row = number.row, .value = after, .loosens = after > before});
    }
    return std::move(changes_);
  }

 private:
  void add(ConfigChange change) { changes_.push_back(std::move(change)); }

  void compare_account(std::size_t i) {
    const AccountConfig& account = running_.net.accounts[i];
    const SessionId session{static_cast<std::uint16_t>(i)};
    const std::string name = fmt::format("account[{}].", account.user);
    compare_limits(i, session, name);
    compare_positions(i, session, name);
    const auto& before = running_.engine;
    const auto& after = next_.engine;
    const auto row = [&](std::string_view key, ConfigRow which, std::int64_t value, bool loosens) {
      add({.key = name + std::string(key), .row = which, .account = session, .value = value, .loosens = loosens});
    };
    if (before.cancel_on[i] != after.cancel_on[i]) row("cancel_on", ConfigRow::cancel_on, after.cancel_on[i], true);
    const bool groups = !before.self_trade.empty() && !after.self_trade.empty();
    if (groups && before.self_trade[i].action != after.self_trade[i].action)
      row("self_trade", ConfigRow::self_trade, static_cast<int>(after.self_trade[i].action), true);
    const bool on = is_on(next_, session);
    if (is_on(running_, session) != on) row("enabled", ConfigRow::enabled, on ? 1 : 0, on);
    if (account.password == next_.net.accounts[i].password) return;
    row("password", ConfigRow::password, 0, true);
    changes_.back().password = next_.net.accounts[i].password;
  }

  void compare_limits(std::size_t i, SessionId session, const std::string& name) {
    const RiskConfig before = risk_of(running_, i), after = risk_of(next_, i);
    for (const RiskRow& about : kRiskRows) {
      const std::int64_t from = before.limit(about.limit), to = after.limit(about.limit);
      if (from == to) continue;
      // A longer window refuses more, and so does any limit where there was none.
      const bool less = about.limit == RiskLimit::duplicate_window ? to < from : to > from;
      const bool loosens = to == kNone || (from != kNone && less);
      if (about.scope == RiskScope::account) {
        add({.key = fmt::format("{}risk.{}", name, about.key),
             .row = ConfigRow::limit,
             .limit = about.limit,
             .account = session,
             .value = to,
             .loosens = loosens});
        continue;
      }
      const FirmId firm = running_.engine.firms[i];
      const bool again = std::any_of(changes_.begin(), changes_.end(), [&](const ConfigChange& one) {
        return one.row == ConfigRow::firm_limit && one.firm == firm && one.limit == about.limit;
      });
      if (again) continue;
      add({.key = fmt::format("firm[{}].{}", firm_name(running_.net.accounts[i]), about.key),
           .row = ConfigRow::firm_limit,
           .limit = about.limit,
           .firm = firm,
           .value = to,
           .loosens = loosens});
    }
    if (before.forbidden == after.forbidden) return;
    add({.key = name + "risk.forbids",
         .row = ConfigRow::forbids,
         .account = session,
         .value = after.forbidden,
         .loosens = (before.forbidden & ~after.forbidden) != 0});
  }

  static PositionConfig position_in(const RiskConfig& risk, SymbolId symbol) {
    const auto found = std::find_if(risk.positions.begin(), risk.positions.end(),
                                    [symbol](const auto& p) { return p.symbol == symbol; });
    return found == risk.positions.end() ? PositionConfig{.symbol = symbol} : *found;
  }

  void compare_positions(std::size_t i, SessionId session, const std::string& name) {
    const RiskConfig before = risk_of(running_, i), after = risk_of(next_, i);
    std::vector<SymbolId> symbols;
    for (const RiskConfig* const risk : {&before, &after})
      for (const PositionConfig& position : risk->positions) symbols.push_back(position.symbol);
    std::sort(symbols.begin(), symbols.end());
    symbols.erase(std::unique(symbols.begin(), symbols.end()), symbols.end());
    for (const SymbolId symbol : symbols) {
      const PositionConfig from = position_in(before, symbol), to = position_in(after, symbol);
      const SymbolName& padded = running_.engine.symbols[symbol.value - 1u].name;
      const std::string text(padded.begin(), std::find(padded.begin(), padded.end(), ' '));
      const auto row = [&](std::string_view key, RiskLimit which, std::int64_t was, std::int64_t is) {
        if (was == is) return;
        add({.key = fmt::format("{}position[{}].{}", name, text, key),
             .row = ConfigRow::position_limit,
             .limit = which,
             .account = session,
             .symbol = symbol,
             .value = is,
             // Whether the account's own is more than the symbol's was is not worked out.
             .loosens = was == kNone || is == kNone || is > was});
      };
      row("long", RiskLimit::position_long, from.most_long, to.most_long);
      row("short", RiskLimit::position_short, from.most_short, to.most_short);
    }
  }

  const Config& running_;
  const Config& next_;
  std::vector<ConfigChange> changes_;
};

bool take(std::string_view& text, std::string_view head) {
  if (text.substr(0, head.size()) != head) return false;
  text.remove_prefix(head.size());
  return true;
}

/// Whether a limit may come, change or go.
bool may_limit(std::string_view key, RiskScope scope, bool before, bool after) {
  const auto found = std::find_if(kRiskRows.begin(), kRiskRows.end(),
                                  [&](const RiskRow& row) { return row.key == key && row.scope == scope; });
  return found != kRiskRows.end() &&
         ((before && after) || (scope == RiskScope::account && comes_within_a_day(found->limit)));
}

/// Of an account that there is on both sides.
bool may_of_account(std::string_view key, const RiskConfig& risk, bool any_limits, bool before, bool after) {
  if (key == "cancel_on" || key == "enabled" || key == "password" || key == "password_file" ||
      key == "password_file: what is in it")
    return true;
  if (key == "self_trade") return before && after;  // else its group comes or goes
  if (take(key, "risk.")) return any_limits && (key == "forbids" || may_limit(key, RiskScope::account, before, after));
  if (!take(key, "position[")) return false;
  const std::string_view of_it = key.substr(std::min(key.size(), key.find("].") + 2));
  return risk.limits_positions() && (of_it == "long" || of_it == "short" || of_it == "symbol");
}

bool may_change(std::string_view key, const Config& running, const Config& next, bool before, bool after) {
  // Whether there is a table of limits at all is for a day, as whether an account's positions are kept.
  const bool any_limits = !running.engine.risk.empty() && !next.engine.risk.empty();
  if (take(key, "operators.")) return running.operators.has_value() && next.operators.has_value();
  if (take(key, "limits.")) {
    return std::any_of(kPartitionNumbers.begin(), kPartitionNumbers.end(),
                       [key](const PartitionNumber& number) { return number.key == key; });
  }
  const std::size_t end = key.find("].");
  if (end == std::string_view::npos) return false;
  if (take(key, "firm["))
    return any_limits && may_limit(key.substr(key.find("].") + 2), RiskScope::firm, before, after);
  if (!take(key, "account[")) return false;
  const std::string_view user = key.substr(0, key.find("]."));
  const auto& accounts = running.net.accounts;
  const auto found =
      std::find_if(accounts.begin(), accounts.end(), [user](const AccountConfig& one) { return one.user == user; });
  if (found == accounts.end()) return false;
  const auto i = static_cast<std::size_t>(found - accounts.begin());
  key.remove_prefix(user.size() + 2);
  const bool of_positions = key.starts_with("position[") || key.starts_with("risk.position_");
  if (of_positions && risk_of(running, i).limits_positions() != risk_of(next, i).limits_positions()) return false;
  return may_of_account(key, risk_of(running, i), any_limits, before, after);
}

/// The row of a key that is on one side, or on both with two values.
ConfigDifference row_of(const std::string& key, const ConfigKey* before, const ConfigKey* after) {
  const auto told = [](const ConfigKey* one) {
    return one == nullptr ? std::string() : one->secret ? "(secret)" : one->value;
  };
  const ConfigKey& there = after != nullptr ? *after : *before;
  return {
      .key = key, .before = told(before), .after = told(after), .where = fmt::format("{}:{}", there.file, there.line)};
}

const ConfigKey* find(const Config& config, const std::string& key) {
  const auto found = config.keys.find(key);
  return found == config.keys.end() ? nullptr : &found->second;
}

/// A password is one however it is given.
std::string_view changed_by(std::string_view row) {
  constexpr std::string_view kFile = "_file: what is in it";
  if (row.size() > kFile.size() && row.substr(row.size() - kFile.size()) == kFile) row.remove_suffix(kFile.size());
  return row;
}

void apply(const ConfigChange& change, Config& config) {
  EngineConfig& engine = config.engine;
  const std::size_t i = change.account.value;
  const auto limit = static_cast<std::size_t>(change.limit);
  switch (change.row) {
    case ConfigRow::limit:
      engine.risk[i].limits[limit] = change.value;
      return;
    case ConfigRow::firm_limit:
      for (std::size_t of = 0; of < engine.firms.size(); ++of)
        if (engine.firms[of] == change.firm) engine.risk[of].limits[limit] = change.value;
      return;
    case ConfigRow::position_limit: {
      auto& positions = engine.risk[i].positions;
      auto found = std::find_if(positions.begin(), positions.end(),
                                [&change](const PositionConfig& one) { return one.symbol == change.symbol; });
      if (found == positions.end()) found = positions.insert(found, {.symbol = change.symbol});
      (change.limit == RiskLimit::position_long ? found->most_long : found->most_short) = change.value;
      return;
    }
    case ConfigRow::forbids:
      engine.risk[i].forbidden = static_cast<OrderTypes>(change.value);
      return;
    case ConfigRow::self_trade:
      engine.self_trade[i].action = static_cast<SelfTrade>(change.value);
      return;
    case ConfigRow::cancel_on:
      engine.cancel_on[i] = static_cast<SessionEndReasons>(change.value);
      return;
    case ConfigRow::enabled:
      std::erase(engine.switched_off, change.account);
      if (change.value == 0) engine.switched_off.push_back(change.account);
      return;
    case ConfigRow::password:
      config.net.accounts[i].password = change.password;
      return;
    default:
      for (const PartitionNumber& number : kPartitionNumbers)
        if (number.row == change.row) engine.*number.field = static_cast<std::uint32_t>(change.value);
  }
}

}  // namespace

ConfigDifferences differences(const Config& running, const Config& next) {
  ConfigDifferences all;
  const bool comparable = have_same_numbers(running, next);
  std::vector<ConfigChange> changes = comparable ? Comparison(running, next).changes() : std::vector<ConfigChange>();
  std::map<std::string, int> keys;
  for (const Config* const config : {&running, &next})
    for (const auto& [key, value] : config->keys) keys[key];
  for (const auto& [key, unused] : keys) {
    const ConfigKey* const before = find(running, key);
    const ConfigKey* const after = find(next, key);
    if (before != nullptr && after != nullptr && before->value == after->value) continue;
    ConfigDifference& row = all.rows.emplace_back(row_of(key, before, after));
    row.may = comparable && may_change(key, running, next, before != nullptr, after != nullptr);
    const bool operators = key.starts_with("operators.");
    all.operators |= row.may && operators;
    row.loosens = row.may && operators;
    for (const ConfigChange& change : changes)
      row.loosens |= row.may && change.loosens && change.key == changed_by(key);
  }
  if (!comparable && all.rows.empty())
    all.rows.push_back({.key = "account or symbol: their order", .where = next.path});
  std::erase_if(changes, [&all](const ConfigChange& change) {
    return std::none_of(all.rows.begin(), all.rows.end(), [&change](const ConfigDifference& row) {
      return row.may && changed_by(row.key) == change.key;
    });
  });
  all.changes = std::move(changes);
  return all;
}

void take_changes(const ConfigDifferences& from_here, const Config& next, Config& running) {
  for (const ConfigDifference& row : from_here.rows) {
    if (!row.may) continue;
    if (const ConfigKey* const key = find(next, row.key); key != nullptr) {
      running.keys[row.key] = *key;
    } else {
      running.keys.erase(row.key);
    }
  }
  for (const ConfigChange& change : from_here.changes) apply(change, running);
  if (from_here.operators) running.operators = next.operators;
}

}  // namespace crosswire
