// Users and groups: see the header.
#include "app/ctl/groups.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <stdexcept>
#include <string_view>

namespace crosswire {
namespace {

[[noreturn]] void fail(const Config& config, const OperatorsConfig::Group& group, const std::string& what,
                       const std::string& remedy) {
  throw std::runtime_error(fmt::format("{}:{}: {}: {}; {}", config.path, group.line, group.key, what, remedy));
}

gid_t number_of(const Config& config, const OperatorsConfig::Group& group) {
  errno = 0;
  const struct group* const found = getgrnam(group.name.c_str());
  if (found != nullptr) return found->gr_gid;
  fail(config, group, fmt::format("there is no group \"{}\" on this host", group.name),
       fmt::format("groupadd {}, or name another", group.name));
}

std::vector<gid_t> numbers_of(const Config& config, const std::vector<OperatorsConfig::Group>& groups) {
  std::vector<gid_t> numbers;
  for (const OperatorsConfig::Group& group : groups) numbers.push_back(number_of(config, group));
  return numbers;
}

void check_same_groups(const Config& config, const std::vector<OperatorsConfig::Group>& groups, const Config& first,
                       const std::vector<OperatorsConfig::Group>& of_first, std::string_view key) {
  const bool same = std::equal(groups.begin(), groups.end(), of_first.begin(), of_first.end(),
                               [](const auto& a, const auto& b) { return a.name == b.name; });
  if (same) return;
  const std::int64_t line = groups.empty() ? 1 : groups.front().line;
  throw std::runtime_error(
      fmt::format("{}:{}: operators.{}: differs from that of {}; a process has one control socket, give both the same",
                  config.path, line, key, first.path));
}

/// A firm that both have has one risk group: what is given to it here is not another's there.
void check_same_firms(const Config& config, const Config& other) {
  for (const OperatorsConfig::FirmGroup& one : config.operators->firms) {
    const auto& accounts = other.net.accounts;
    const auto& firms = other.operators->firms;
    const bool trades_there = std::any_of(accounts.begin(), accounts.end(), [&one](const auto& account) {
      const std::string_view padded(account.firm.data(), account.firm.size());
      return padded.substr(0, padded.find_last_not_of(' ') + 1) == one.firm;
    });
    const bool same = std::any_of(firms.begin(), firms.end(), [&one](const OperatorsConfig::FirmGroup& there) {
      return there.firm == one.firm && there.group.name == one.group.name;
    });
    if (!trades_there || same) continue;
    throw std::runtime_error(
        fmt::format("{}:{}: operators.firm: {} is of group {} here and not in {}; a process has one control socket, "
                    "give both the same",
                    config.path, one.group.line, one.firm, one.group.name, other.path));
  }
}

void check_same_operators(const Config& config, const Config& first) {
  if (config.operators.has_value() != first.operators.has_value()) {
    const Config& without = config.operators ? first : config;
    const Config& with = config.operators ? config : first;
    throw std::runtime_error(
        fmt::format("{}:1: operators: missing, and {} has it; a process has one control socket, give both the same",
                    without.path, with.path));
  }
  if (!config.operators) return;
  check_same_groups(config, config.operators->viewer, first, first.operators->viewer, "viewer");
  check_same_groups(config, config.operators->market_control, first, first.operators->market_control, "market_control");
  check_same_groups(config, config.operators->house_risk, first, first.operators->house_risk, "house_risk");
}

}  // namespace

std::optional<OperatorGroups> find_groups(const std::vector<Config>& configs) {
  for (const Config& config : configs) check_same_operators(config, configs.front());
  if (configs.empty() || !configs.front().operators) return std::nullopt;
  for (const Config& config : configs)
    for (const Config& other : configs) check_same_firms(config, other);
  const Config& first = configs.front();
  OperatorGroups groups;
  groups.viewer = numbers_of(first, first.operators->viewer);
  groups.market_control = numbers_of(first, first.operators->market_control);
  groups.house_risk = numbers_of(first, first.operators->house_risk);
  for (const Config& config : configs) {
    for (const OperatorsConfig::FirmGroup& one : config.operators->firms) {
      groups.firms.push_back({one.firm, number_of(config, one.group)});
    }
  }
  return groups;
}

UserNames::UserNames(const std::optional<OperatorGroups>& groups) {
  const auto add = [this](const passwd* user) {
    if (user != nullptr) names_.emplace(user->pw_uid, user->pw_name);
  };
  add(getpwuid(geteuid()));
  add(getpwuid(0));
  if (!groups) return;
  std::set<gid_t> all(groups->viewer.begin(), groups->viewer.end());
  all.insert(groups->market_control.begin(), groups->market_control.end());
  all.insert(groups->house_risk.begin(), groups->house_risk.end());
  for (const OperatorGroups::FirmGroup& one : groups->firms) all.insert(one.group);
  for (const gid_t number : all) {
    const group* const found = getgrgid(number);
    std::vector<std::string> members;  // getpwnam() may use the same memory
    for (char** name = found == nullptr ? nullptr : found->gr_mem; name != nullptr && *name != nullptr; ++name) {
      members.emplace_back(*name);
    }
    for (const std::string& name : members) add(getpwnam(name.c_str()));
  }
  setpwent();
  while (const passwd* const user = getpwent()) {
    if (all.count(user->pw_gid) > 0) add(user);
  }
  endpwent();
}

std::string UserNames::of(uid_t uid) const {
  const auto found = names_.find(uid);
  return found == names_.end() ? fmt::format("uid {}", uid) : found->second;
}

std::optional<Person> peer_of(int fd, const UserNames& names) {
  ucred who{};
  socklen_t size = sizeof who;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) return std::nullopt;
  Person person{.uid = who.uid, .name = names.of(who.uid), .groups = {who.gid}};
  std::vector<gid_t> groups(64);
  size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
  while (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) != 0) {
    if (errno != ERANGE) return person;  // an old kernel; else it says how many bytes it wants
    groups.resize(size / sizeof(gid_t));
  }
  groups.resize(size / sizeof(gid_t));
  person.groups.insert(person.groups.end(), groups.begin(), groups.end());
  return person;
}

}  // namespace crosswire
