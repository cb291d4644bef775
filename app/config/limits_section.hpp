// What accounts and firms may ask for and own: [account.risk], [[account.position]], self_trade and [[firm]] of a
// configuration. docs/rules.md says what each limit is. Set-up only.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "app/config/config.hpp"
#include "app/config/market.hpp"
#include "app/config/section.hpp"

namespace crosswire::config_file {

/// Reads them account by account, in the order of their SessionIds. Throws ConfigError.
class LimitsReader {
 public:
  /// All outlive it. `path`: the file that may have [[firm]].
  LimitsReader(const std::string& path, const SymbolNumbers& symbols, Config& config)
      : path_(path), symbols_(symbols), config_(config) {}

  /// Keys of an [[account]] that it reads.
  static const std::vector<std::string_view>& account_keys();

  /// The next account's, of the table `table` of the file `file`.
  void read_account(const std::string& file, const Section& account, const toml::table& table);
  /// Behind all accounts, whose firms have their numbers: [[firm]] of `root`, and what the accounts have is put into
  /// the engine's configuration.
  void finish(const toml::table& root);

 private:
  void read_risk(const std::string& file, const toml::table& table, RiskConfig& risk);
  PositionConfig read_position(const std::string& file, const toml::table& table);
  SymbolId read_symbol(const Section& section, std::string_view key, const std::string& name);
  void read_firm(const toml::table& table);
  void number_groups();

  struct Group {
    std::string name;  // empty: none
    SelfTrade action = SelfTrade::newest;
  };

  const std::string& path_;
  const SymbolNumbers& symbols_;
  Config& config_;
  std::vector<RiskConfig> risk_;
  std::vector<Group> groups_;
  std::map<std::string, bool> firms_;  // that [[firm]] has named
};

}  // namespace crosswire::config_file
