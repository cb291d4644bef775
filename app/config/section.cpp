// Tables of a TOML file: see the header.
#include "app/config/section.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

namespace crosswire::config_file {

void fail(const std::string& file, std::int64_t line, std::string_view key, std::string_view what,
          std::string_view remedy) {
  throw ConfigError(fmt::format("{}:{}: {}: {}; {}", file, line, key, what, remedy));
}

std::int64_t line_of(const toml::node& node) { return std::max<std::int64_t>(node.source().begin.line, 1); }

std::string_view type_name(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "a whole number";
    case toml::node_type::floating_point:
      return "a number with a fraction";
    case toml::node_type::boolean:
      return "true or false";
    case toml::node_type::date:
      return "a date";
    case toml::node_type::time:
      return "a time";
    case toml::node_type::date_time:
      return "a date and time";
    default:
      return "nothing";
  }
}

bool is_printable(std::string_view text, char first) {
  return std::all_of(text.begin(), text.end(), [first](char c) { return c >= first && c <= '~'; });
}

Section::Section(const std::string& file, std::string name, const toml::table& table,
                 const std::vector<std::string_view>& known)
    : file_(file), name_(std::move(name)), table_(table) {
  const toml::key* first_unknown = nullptr;
  for (const auto& [key, node] : table) {
    if (std::find(known.begin(), known.end(), key.str()) != known.end()) continue;
    if (first_unknown == nullptr || key.source().begin.line < first_unknown->source().begin.line) {
      first_unknown = &key;
    }
  }
  if (first_unknown != nullptr) {
    fail(file_, first_unknown->source().begin.line, full(first_unknown->str()), "unknown key",
         fmt::format("known here: {}", joined(known)));
  }
}

std::int64_t Section::line(std::string_view key) const {
  const toml::node* node = table_.get(key);
  return line_of(node == nullptr ? table_ : *node);
}

void Section::reject(std::string_view key, std::string_view what, std::string_view remedy) const {
  fail(file_, line(key), full(key), what, remedy);
}

std::uint64_t Section::number(std::string_view key, std::uint64_t low, std::uint64_t high,
                              std::uint64_t fallback) const {
  return has(key) ? required_number(key, low, high) : fallback;
}

std::uint64_t Section::required_number(std::string_view key, std::uint64_t low, std::uint64_t high) const {
  const toml::node& node = need(key, fmt::format("give a whole number, {} .. {}", low, high));
  if (!node.is_integer()) {
    reject(key, fmt::format("is {}", type_name(node)), fmt::format("give a whole number, {} .. {}", low, high));
  }
  const std::int64_t value = node.as_integer()->get();
  if (value < 0 || static_cast<std::uint64_t>(value) < low || static_cast<std::uint64_t>(value) > high) {
    reject(key, fmt::format("{} is out of range", value), fmt::format("give {} .. {}", low, high));
  }
  return static_cast<std::uint64_t>(value);
}

std::uint32_t Section::power_of_two(std::string_view key, std::uint32_t low, std::uint32_t high,
                                    std::uint32_t fallback) const {
  const auto value = static_cast<std::uint32_t>(number(key, low, high, fallback));
  if (!std::has_single_bit(value)) {
    const std::uint64_t next = std::min<std::uint64_t>(std::bit_ceil(std::uint64_t{value}), high);
    reject(key, fmt::format("{} is not a power of two", value), fmt::format("give {} or {}", next / 2, next));
  }
  return value;
}

bool Section::truth(std::string_view key, bool fallback) const {
  const toml::node* node = table_.get(key);
  if (node == nullptr) return fallback;
  if (!node->is_boolean()) reject(key, fmt::format("is {}", type_name(*node)), "give true or false");
  return node->as_boolean()->get();
}

std::string Section::text(std::string_view key, std::string_view remedy) const {
  const toml::node& node = need(key, remedy);
  if (!node.is_string()) reject(key, fmt::format("is {}", type_name(node)), remedy);
  return node.as_string()->get();
}

const toml::array& Section::list(std::string_view key, std::string_view remedy) const {
  const toml::node& node = need(key, remedy);
  if (!node.is_array()) reject(key, fmt::format("is {}", type_name(node)), remedy);
  return *node.as_array();
}

const toml::node& Section::need(std::string_view key, std::string_view remedy) const {
  const toml::node* node = table_.get(key);
  if (node == nullptr) fail(file_, line_of(table_), full(key), "missing", remedy);
  return *node;
}

std::string Section::full(std::string_view key) const {
  return name_.empty() ? std::string(key) : fmt::format("{}.{}", name_, key);
}

toml::table parse_file(const std::string& path) {
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  const int reason = errno;
  std::error_code error;
  const bool folder = std::filesystem::is_directory(path, error);
  if (!in || folder) {
    throw ConfigError(fmt::format("{}:1: file: cannot be read: {}; give the path of a TOML file that you may read",
                                  path, std::generic_category().message(folder ? EISDIR : reason)));
  }
  return parse_text(path, {std::istreambuf_iterator<char>(in), {}});
}

toml::table parse_text(const std::string& path, const std::string& text) {
  try {
    return toml::parse(text, path);
  } catch (const toml::parse_error& fault) {
    fail(path, fault.source().begin.line, "syntax", fault.description(), "write it as TOML 1.0");
  }
}

const toml::table* find_table(const std::string& file, const toml::table& root, std::string_view name) {
  const toml::node* node = root.get(name);
  if (node == nullptr) return nullptr;
  if (!node->is_table()) {
    fail(file, line_of(*node), name, fmt::format("is {}", type_name(*node)), fmt::format("write [{}]", name));
  }
  return node->as_table();
}

std::vector<const toml::table*> find_tables(const std::string& file, const toml::table& table, std::string_view name,
                                            std::string_view parent) {
  std::vector<const toml::table*> tables;
  const toml::node* node = table.get(name);
  if (node == nullptr) return tables;
  const std::string key = fmt::format("{}{}", parent, name);
  const std::string remedy = fmt::format("write [[{}]] above each", key);
  if (!node->is_array()) fail(file, line_of(*node), key, fmt::format("is {}", type_name(*node)), remedy);
  for (const toml::node& item : *node->as_array()) {
    if (!item.is_table()) fail(file, line_of(item), key, fmt::format("holds {}", type_name(item)), remedy);
    tables.push_back(item.as_table());
  }
  return tables;
}

std::vector<std::string> strings(const Section& section, std::string_view key, std::string_view remedy) {
  std::vector<std::string> result;
  for (const toml::node& item : section.list(key, remedy)) {
    if (!item.is_string()) section.reject(key, fmt::format("holds {}", type_name(item)), remedy);
    result.push_back(item.as_string()->get());
  }
  return result;
}

}  // namespace crosswire::config_file
