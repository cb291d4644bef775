// Accounts: see the header.
#include "app/config/accounts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <iterator>
#include <map>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "app/config/keys.hpp"
#include "app/config/limits_section.hpp"
#include "app/config/secret_file.hpp"

namespace crosswire::config_file {
namespace {

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return result;
}

/// Reads accounts one by one, of several files.
class AccountReader {
 public:
  AccountReader(const std::string& path, const SymbolNumbers& symbols, Logins logins, Config& config)
      : path_(path), logins_(logins), config_(config), limits_(path, symbols, config) {}

  void read(const Section& root, const toml::table& tables) {
    for (const toml::table* table : find_tables(path_, tables, "account")) read_account(path_, *table);
    if (root.has("accounts_file")) {
      const std::string path =
          beside(path_, root.text("accounts_file", "give the path of a file with [[account]] tables"));
      std::error_code error;
      if (!std::filesystem::is_regular_file(path, error)) {
        root.reject("accounts_file",
                    fmt::format("{} cannot be read: {}", path, error ? error.message() : std::string("it is no file")),
                    "give the path of a file that you may read");
      }
      const toml::table accounts = parse_file(path);
      config_.files.push_back(path);
      const Section section(path, "", accounts, {"account"});
      keep_keys(path, accounts, config_.keys);
      for (const toml::table* table : find_tables(path, accounts, "account")) read_account(path, *table);
    }
    if (config_.net.accounts.empty()) {
      fail(path_, 1, "account", "missing", "add an [[account]] with user, password_file or password, and firm");
    }
    config_.engine.sessions = static_cast<std::uint32_t>(config_.net.accounts.size());
    number_firms();
    limits_.finish(tables);
  }

 private:
  void read_account(const std::string& file, const toml::table& table) {
    std::vector<std::string_view> keys = {"user",    "password",   "password_file", "firm",
                                          "sources", "transports", "cancel_on",     "enabled"};
    keys.insert(keys.end(), LimitsReader::account_keys().begin(), LimitsReader::account_keys().end());
    const Section section(file, "account", table, keys);
    AccountConfig account{};
    constexpr std::string_view kUser = "give 1 to 6 printable ASCII characters, each user once (case does not count)";
    account.user = section.text("user", kUser);
    if (account.user.empty() || account.user.size() > 6 || !is_printable(account.user, '!')) {
      section.reject("user", fmt::format("\"{}\" cannot be a user", account.user), kUser);
    }
    if (!users_.emplace(upper(account.user), true).second) {
      section.reject("user", fmt::format("\"{}\" is there twice", account.user), kUser);
    }
    if (config_.net.accounts.size() >= 65'534) section.reject("user", "one account too many", "give at most 65534");
    account.password = read_password(section, file);
    account.firm.fill(' ');
    if (section.has("firm")) {
      constexpr std::string_view kFirm = "give 1 to 4 upper-case letters or digits";
      const std::string firm = section.text("firm", kFirm);
      const bool legal = std::all_of(firm.begin(), firm.end(),
                                     [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); });
      if (firm.empty() || firm.size() > 4 || !legal)
        section.reject("firm", fmt::format("\"{}\" cannot be a firm", firm), kFirm);
      std::copy(firm.begin(), firm.end(), account.firm.begin());
    }
    if (section.has("sources")) account.sources = read_sources(section);
    if (section.has("transports")) read_transports(section, account);
    if (!section.has("password"))
      config_.keys[fmt::format("account[{}].password_file: what is in it", account.user)] = {
          account.password, file, section.line("user"), true};
    const SessionId session{static_cast<std::uint16_t>(config_.net.accounts.size())};
    if (!section.truth("enabled", true)) config_.engine.switched_off.push_back(session);
    config_.net.accounts.push_back(std::move(account));
    config_.engine.cancel_on.push_back(section.has("cancel_on") ? read_cancel_on(section) : kCancelOn);
    limits_.read_account(file, section, table);
  }

  /// Accounts that name one firm are its accounts; one that names none is a firm of its own.
  void number_firms() {
    std::map<std::array<char, 4>, FirmId> named;
    std::uint16_t firms = 0;
    for (const AccountConfig& account : config_.net.accounts) {
      const bool alone = account.firm == std::array<char, 4>{' ', ' ', ' ', ' '};
      const auto [found, added] = named.try_emplace(account.firm, FirmId{firms});
      config_.engine.firms.push_back(alone ? FirmId{firms} : found->second);
      if (alone || added) ++firms;
    }
  }

  std::string read_password(const Section& section, const std::string& file) {
    if (logins_ == Logins::none) return "";  // nobody logs in by it
    if (section.has("password") && section.has("password_file")) {
      section.reject("password_file", "password is given as well", "keep one of the two");
    }
    const std::string_view key = section.has("password") ? "password" : "password_file";
    std::string password = section.text(key, "give password_file or password");
    if (key == "password") {
      check_owner_only(section, key, file);
    } else {
      config_.files.push_back(beside(path_, password));
      password = read_secret_file(section, key, config_.files.back(), "the password");
    }
    if (password.size() > 10 || !is_printable(password, '!')) {
      section.reject(key, "is no password of 0 to 10 printable ASCII characters without spaces",
                     "shorten it, the login packet has ten places");
    }
    return password;
  }

  static void read_transports(const Section& section, AccountConfig& account) {
    constexpr std::string_view kRemedy = "give [\"udp\"], [\"tcp\"] or [\"udp\", \"tcp\"]";
    account.over_udp = account.over_tcp = false;
    for (const std::string& text : strings(section, "transports", kRemedy)) {
      if (text != "udp" && text != "tcp") section.reject("transports", fmt::format("\"{}\" is none", text), kRemedy);
      bool& over = text == "udp" ? account.over_udp : account.over_tcp;
      if (over) section.reject("transports", fmt::format("\"{}\" is there twice", text), kRemedy);
      over = true;
    }
    if (!account.over_udp && !account.over_tcp) section.reject("transports", "is an empty list", kRemedy);
  }

  static std::vector<AddressRange> read_sources(const Section& section) {
    constexpr std::string_view kRemedy = "give a list like [\"10.99.0.0/24\", \"10.98.0.7\"]";
    std::vector<AddressRange> sources;
    for (const std::string& text : strings(section, "sources", kRemedy)) {
      const std::size_t slash = text.find('/');
      const auto address = parse_address(text.substr(0, slash));
      unsigned prefix = 32;
      bool legal = address.has_value();
      if (slash != std::string::npos) {
        const std::string digits = text.substr(slash + 1);
        legal = legal && !digits.empty() && digits.size() <= 2 &&
                std::all_of(digits.begin(), digits.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
        prefix = legal ? static_cast<unsigned>(std::stoul(digits)) : 33;
      }
      if (!legal || prefix > 32) section.reject("sources", fmt::format("\"{}\" is no address or range", text), kRemedy);
      const std::uint32_t mask = prefix == 0 ? 0 : ~0u << (32 - prefix);
      if ((*address & ~mask) != 0) {
        section.reject("sources", fmt::format("\"{}\" has bits beyond its prefix", text),
                       fmt::format("write \"{}/{}\"", format_address(*address & mask), prefix));
      }
      sources.push_back({*address, static_cast<std::uint8_t>(prefix)});
    }
    if (sources.empty()) section.reject("sources", "is an empty list", "leave it out to allow any address");
    return sources;
  }

  /// Neither a restart nor the day's end leaves orders to cancel.
  static SessionEndReasons read_cancel_on(const Section& section) {
    using enum SessionEndReason;
    constexpr std::pair<std::string_view, SessionEndReason> kWords[] = {
        {"logout", logout}, {"reset", reset},          {"silence", silence},
        {"cut", cut},       {"operator", by_operator}, {"takeover", takeover}};
    std::string remedy = "give a list of";
    for (const auto& [word, reason] : kWords) remedy += fmt::format(" \"{}\"", word);
    remedy += ", or [] for never";
    SessionEndReasons reasons = 0;
    for (const std::string& text : strings(section, "cancel_on", remedy)) {
      if (text == "recovery" || text == "end_of_day")
        section.reject("cancel_on", fmt::format("\"{}\" leaves no orders to cancel", text), remedy);
      const auto found =
          std::find_if(std::begin(kWords), std::end(kWords), [&text](const auto& word) { return word.first == text; });
      if (found == std::end(kWords)) section.reject("cancel_on", fmt::format("\"{}\" is unknown", text), remedy);
      reasons |= set_of({found->second});
    }
    return reasons;
  }

  const std::string& path_;
  Logins logins_;
  Config& config_;
  std::map<std::string, bool> users_;  // upper case
  LimitsReader limits_;
};

}  // namespace

void read_accounts(const Section& root, const std::string& path, const toml::table& tables,
                   const SymbolNumbers& symbols, Logins logins, Config& config) {
  AccountReader(path, symbols, logins, config).read(root, tables);
}

}  // namespace crosswire::config_file
