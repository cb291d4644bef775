// Reads one TOML table and reports its faults, for all readers of TOML files: of a configuration and of a recorded day.
// Set-up only: throws ConfigError, allocates, opens files.
#pragma once

#include <fmt/format.h>
#include <toml++/toml.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/config/config.hpp"

namespace crosswire::config_file {

/// Throws the ConfigError `FILE:LINE: KEY: WHAT; REMEDY`.
[[noreturn]] void fail(const std::string& file, std::int64_t line, std::string_view key, std::string_view what,
                       std::string_view remedy);

/// 1 for what stands for a part that is not there.
std::int64_t line_of(const toml::node& node);
/// "a whole number".
std::string_view type_name(const toml::node& node);

/// "a, b, c". Not fmt::join, which GCC 12 warns of at -O3 (stringop-overflow, wrongly).
template <class Strings>
std::string joined(const Strings& strings) {
  std::string result;
  for (const std::string_view string : strings) result += (result.empty() ? "" : ", ") + std::string(string);
  return result;
}

/// ASCII from `first` on, which is ' ' or '!'.
bool is_printable(std::string_view text, char first);

/// One TOML table being read: knows its file and its own name, and turns every fault into the user's line.
class Section {
 public:
  /// `known` lists every key the table may have; any other is an error here and now.
  Section(const std::string& file, std::string name, const toml::table& table,
          const std::vector<std::string_view>& known);

  bool has(std::string_view key) const { return table_.contains(key); }
  std::int64_t line(std::string_view key) const;
  [[noreturn]] void reject(std::string_view key, std::string_view what, std::string_view remedy) const;

  /// A whole number in low .. high; `fallback` where the key is not there.
  std::uint64_t number(std::string_view key, std::uint64_t low, std::uint64_t high, std::uint64_t fallback) const;
  std::uint64_t required_number(std::string_view key, std::uint64_t low, std::uint64_t high) const;
  std::uint32_t power_of_two(std::string_view key, std::uint32_t low, std::uint32_t high, std::uint32_t fallback) const;
  bool truth(std::string_view key, bool fallback) const;
  std::string text(std::string_view key, std::string_view remedy) const;
  const toml::array& list(std::string_view key, std::string_view remedy) const;
  const toml::node& need(std::string_view key, std::string_view remedy) const;

 private:
  std::string full(std::string_view key) const;

  const std::string& file_;
  std::string name_;
  const toml::table& table_;
};

/// The file as TOML. Throws ConfigError.
toml::table parse_file(const std::string& path);
/// The same of a text that stands in the file `path`.
toml::table parse_text(const std::string& path, const std::string& text);
/// Whether anybody logs in to the accounts: where nobody does, passwords are left out and not looked at.
enum class Logins { some, none };
/// load_config() of what is there as TOML: the root of the file `path`. Throws ConfigError.
Config read_table(const std::string& path, toml::table root, ConfigUse use, Logins logins);

/// A table of the root, or nothing where the file leaves it out.
const toml::table* find_table(const std::string& file, const toml::table& root, std::string_view name);

/// The [[name]] tables of `table`, in the file's order. `parent`: "calendar." for [[calendar.name]]; "" of the root.
std::vector<const toml::table*> find_tables(const std::string& file, const toml::table& table, std::string_view name,
                                            std::string_view parent = "");

/// A list of strings.
std::vector<std::string> strings(const Section& section, std::string_view key, std::string_view remedy);

/// The value that goes with the string.
template <class Value>
Value one_of(const Section& section, std::string_view key,
             std::initializer_list<std::pair<std::string_view, Value>> choices) {
  std::string remedy = "give one of";
  for (const auto& [name, value] : choices) remedy += fmt::format(" \"{}\"", name);
  const std::string text = section.text(key, remedy);
  for (const auto& [name, value] : choices) {
    if (name == text) return value;
  }
  section.reject(key, fmt::format("\"{}\" is unknown", text), remedy);
}

}  // namespace crosswire::config_file
