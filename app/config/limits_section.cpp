// Limits of accounts and firms: see the header.
#include "app/config/limits_section.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace crosswire::config_file {
namespace {

constexpr std::string_view kSymbolRemedy = "give the name of a [[symbol]]";

std::vector<std::string_view> keys_of(RiskScope scope, std::vector<std::string_view> others) {
  for (const RiskRow& row : kRiskRows) {
    if (row.scope == scope) others.push_back(row.key);
  }
  return others;
}

void read_numbers(const Section& section, RiskScope scope, RiskConfig& risk) {
  for (const RiskRow& row : kRiskRows) {
    if (row.scope != scope || !section.has(row.key)) continue;
    risk.limits[static_cast<std::size_t>(row.limit)] = static_cast<std::int64_t>(
        section.required_number(row.key, static_cast<std::uint64_t>(row.low), static_cast<std::uint64_t>(row.high)));
  }
}

OrderTypes read_forbidden(const Section& section) {
  std::string remedy = "give a list of";
  for (const OrderTypeRow& row : kOrderTypes) remedy += fmt::format(" \"{}\"", row.name);
  OrderTypes types = 0;
  for (const std::string& text : strings(section, "forbids", remedy)) {
    const auto* const found = std::find_if(kOrderTypes.begin(), kOrderTypes.end(),
                                           [&text](const OrderTypeRow& row) { return row.name == text; });
    if (found == kOrderTypes.end()) section.reject("forbids", fmt::format("\"{}\" is unknown", text), remedy);
    types |= set_of({found->type});
  }
  return types;
}

/// A table of an [[account]]; nullptr: it has none of that name.
const toml::table* table_of(const Section& account, const toml::table& table, std::string_view name) {
  const toml::node* const node = table.get(name);
  if (node == nullptr) return nullptr;
  if (!node->is_table()) account.reject(name, fmt::format("is {}", type_name(*node)), "write [account.risk] below it");
  return node->as_table();
}

}  // namespace

const std::vector<std::string_view>& LimitsReader::account_keys() {
  static const std::vector<std::string_view> kKeys = {"risk", "position", "self_trade", "self_trade_group"};
  return kKeys;
}

void LimitsReader::read_account(const std::string& file, const Section& account, const toml::table& table) {
  RiskConfig& risk = risk_.emplace_back();
  if (const toml::table* const limits = table_of(account, table, "risk"); limits != nullptr) {
    read_risk(file, *limits, risk);
  }
  for (const toml::table* position : find_tables(file, table, "position", "account.")) {
    const PositionConfig read = read_position(file, *position);
    const bool again = std::any_of(risk.positions.begin(), risk.positions.end(),
                                   [&](const PositionConfig& other) { return other.symbol == read.symbol; });
    if (again) fail(file, line_of(*position), "account.position.symbol", "is there twice", "keep one of the two");
    risk.positions.push_back(read);
  }
  Group& group = groups_.emplace_back();
  if (account.has("self_trade")) {
    group.action = one_of<SelfTrade>(account, "self_trade",
                                     {{"newest", SelfTrade::newest},
                                      {"oldest", SelfTrade::oldest},
                                      {"both", SelfTrade::both},
                                      {"decrement", SelfTrade::decrement}});
    group.name = "account";
  }
  if (account.has("self_trade_group")) {
    constexpr std::string_view kRemedy = "give \"account\", \"firm\" or a name that several accounts have";
    group.name = account.text("self_trade_group", kRemedy);
    if (group.name.empty()) account.reject("self_trade_group", "is empty", kRemedy);
  }
}

void LimitsReader::read_risk(const std::string& file, const toml::table& table, RiskConfig& risk) {
  const Section section(file, "account.risk", table, keys_of(RiskScope::account, {"symbols", "forbids"}));
  read_numbers(section, RiskScope::account, risk);
  if (section.has("forbids")) risk.forbidden = read_forbidden(section);
  if (!section.has("symbols")) return;
  for (const std::string& name : strings(section, "symbols", "give a list of names of [[symbol]]")) {
    risk.symbols.push_back(read_symbol(section, "symbols", name));
  }
  std::sort(risk.symbols.begin(), risk.symbols.end());
  risk.symbols.erase(std::unique(risk.symbols.begin(), risk.symbols.end()), risk.symbols.end());
  if (risk.symbols.empty()) section.reject("symbols", "is an empty list", "leave it out to allow all symbols");
}

PositionConfig LimitsReader::read_position(const std::string& file, const toml::table& table) {
  const Section section(file, "account.position", table, {"symbol", "shares", "long", "short"});
  PositionConfig position{};
  position.symbol = read_symbol(section, "symbol", section.text("symbol", kSymbolRemedy));
  if (section.has("shares")) {
    const std::string remedy = fmt::format("give a whole number, {} .. {}", -kMostShares, kMostShares);
    const toml::node& node = section.need("shares", remedy);
    if (!node.is_integer()) section.reject("shares", fmt::format("is {}", type_name(node)), remedy);
    position.shares = node.as_integer()->get();
    if (position.shares < -kMostShares || position.shares > kMostShares) {
      section.reject("shares", fmt::format("{} is out of range", position.shares), remedy);
    }
  }
  constexpr auto kMost = static_cast<std::uint64_t>(kMostShares);
  if (section.has("long")) position.most_long = static_cast<std::int64_t>(section.required_number("long", 0, kMost));
  if (section.has("short")) position.most_short = static_cast<std::int64_t>(section.required_number("short", 0, kMost));
  return position;
}

SymbolId LimitsReader::read_symbol(const Section& section, std::string_view key, const std::string& name) {
  const auto found = symbols_.find(name);
  if (found == symbols_.end()) section.reject(key, fmt::format("\"{}\" is unknown", name), kSymbolRemedy);
  return SymbolId{static_cast<std::uint16_t>(found->second)};
}

void LimitsReader::finish(const toml::table& root) {
  for (const toml::table* firm : find_tables(path_, root, "firm")) read_firm(*firm);
  number_groups();
  const auto is_none = [](const RiskConfig& risk) { return risk.is_none(); };
  if (!std::all_of(risk_.begin(), risk_.end(), is_none)) config_.engine.risk = std::move(risk_);
}

/// What a firm may is kept with each of its accounts.
void LimitsReader::read_firm(const toml::table& table) {
  const Section section(path_, "firm", table, keys_of(RiskScope::firm, {"name"}));
  constexpr std::string_view kRemedy = "give the firm of an [[account]], each once";
  const std::string name = section.text("name", kRemedy);
  std::array<char, 4> padded{' ', ' ', ' ', ' '};
  std::copy_n(name.begin(), std::min(name.size(), padded.size()), padded.begin());
  bool known = false;
  for (std::size_t i = 0; i < risk_.size(); ++i) {
    if (name.empty() || name.size() > padded.size() || config_.net.accounts[i].firm != padded) continue;
    known = true;
    read_numbers(section, RiskScope::firm, risk_[i]);
  }
  if (!known) section.reject("name", fmt::format("\"{}\" has no account", name), kRemedy);
  if (!firms_.emplace(name, true).second) section.reject("name", fmt::format("\"{}\" is there twice", name), kRemedy);
}

void LimitsReader::number_groups() {
  const bool any = std::any_of(groups_.begin(), groups_.end(), [](const Group& group) { return !group.name.empty(); });
  if (!any) return;
  std::map<std::pair<std::string, std::uint32_t>, std::uint16_t> numbers;  // by kind and firm or account
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    const Group& group = groups_[i];
    SelfTradeConfig& config = config_.engine.self_trade.emplace_back();
    config.action = group.action;
    if (group.name.empty()) continue;
    const std::uint32_t of = group.name == "account" ? static_cast<std::uint32_t>(i)
                             : group.name == "firm"  ? config_.engine.firms[i].value
                                                     : 0;
    const auto number = static_cast<std::uint16_t>(numbers.size() + 1);
    config.group = numbers.try_emplace({group.name, of}, number).first->second;
  }
}

}  // namespace crosswire::config_file
