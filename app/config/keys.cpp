// Keys one by one: see the header.
#include "app/config/keys.hpp"

#include <fmt/format.h>

#include <array>
#include <sstream>
#include <string_view>
#include <utility>

#include "app/config/section.hpp"

namespace crosswire::config_file {
namespace {

/// The key that names a table of the list; "": none does.
std::string_view name_key(std::string_view list) {
  constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"account", "user"}, {"symbol", "name"}, {"firm", "name"}, {"position", "symbol"}};
  for (const auto& [name, key] : kNames)
    if (name == list) return key;
  return "";
}

std::string text_of(const toml::node& node) {
  std::ostringstream text;
  node.visit([&text](const auto& value) { text << value; });
  return text.str();
}

class Keeper {
 public:
  Keeper(const std::string& file, std::map<std::string, ConfigKey>& keys) : file_(file), keys_(keys) {}

  void keep(const std::string& prefix, const toml::table& table) {
    for (const auto& [key, node] : table) {
      const std::string name = prefix + std::string(key.str());
      if (const toml::table* const inner = node.as_table(); inner != nullptr) {
        keep(name + ".", *inner);
      } else if (node.is_array_of_tables()) {
        keep_list(name, key.str(), *node.as_array());
      } else {
        keys_[name] = {text_of(node), file_, line_of(node), key.str() == "password"};
      }
    }
  }

 private:
  void keep_list(const std::string& name, std::string_view list, const toml::array& tables) {
    std::size_t place = 0;
    for (const toml::node& node : tables) {
      const toml::table& table = *node.as_table();
      const toml::node* const named = table.get(name_key(list));
      const bool is_named = named != nullptr && named->is_string();
      const std::string by = is_named ? named->as_string()->get() : std::to_string(place + 1);
      keep(fmt::format("{}[{}].", name, by), table);
      ++place;
    }
  }

  const std::string& file_;
  std::map<std::string, ConfigKey>& keys_;
};

}  // namespace

void keep_keys(const std::string& file, const toml::table& root, std::map<std::string, ConfigKey>& keys) {
  Keeper(file, keys).keep("", root);
}

}  // namespace crosswire::config_file
