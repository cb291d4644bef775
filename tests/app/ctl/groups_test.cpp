// The system's groups and users, as far as a host has them for sure: those of the test itself.
#include "app/ctl/groups.hpp"

#include <grp.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <string>

namespace crosswire {
namespace {

Config config_with(const OperatorsConfig& operators, const std::string& path = "c.toml") {
  Config config;
  config.path = path;
  config.operators = operators;
  return config;
}

std::string own_group() { return getgrgid(getgid())->gr_name; }

OperatorsConfig::Group group(const std::string& name, const std::string& key = "operators.viewer") {
  return {name, key, 7};
}

std::string fault_of(const std::vector<Config>& configs) {
  try {
    find_groups(configs);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

TEST(Groups, AreFoundByName) {
  EXPECT_FALSE(find_groups({Config{}}));
  const auto groups = find_groups({config_with({.viewer = {group(own_group())},
                                                .market_control = {},
                                                .house_risk = {group(own_group())},
                                                .firms = {{"ANNS", group(own_group())}}})});
  ASSERT_TRUE(groups);
  EXPECT_EQ(groups->viewer, std::vector<gid_t>{getgid()});
  EXPECT_TRUE(groups->market_control.empty());
  ASSERT_EQ(groups->firms.size(), 1u);
  EXPECT_EQ(groups->firms[0].firm, "ANNS");
  EXPECT_EQ(groups->firms[0].group, getgid());
}

TEST(Groups, OneThatTheHostDoesNotHaveIsToldWithItsLine) {
  const std::string unknown = "no-such-group-here";
  EXPECT_EQ(fault_of({config_with({.viewer = {group(unknown)}, .market_control = {}, .house_risk = {}, .firms = {}})}),
            "c.toml:7: operators.viewer: there is no group \"no-such-group-here\" on this host; groupadd "
            "no-such-group-here, or name another");
  const auto of_firm = config_with({.viewer = {},
                                    .market_control = {},
                                    .house_risk = {},
                                    .firms = {{"ANNS", group(unknown, "operators.firm.group")}}});
  EXPECT_EQ(fault_of({of_firm}).find("c.toml:7: operators.firm.group: there is no group"), 0u);
}

TEST(Groups, AreTheSameInAllPartitionsButForTheirFirms) {
  const OperatorsConfig one{
      .viewer = {group(own_group())}, .market_control = {}, .house_risk = {}, .firms = {{"ANNS", group(own_group())}}};
  OperatorsConfig other = one;
  other.firms = {{"BOBS", group(own_group())}};
  EXPECT_EQ(find_groups({config_with(one), config_with(other)})->firms.size(), 2u);
  other.viewer.clear();
  EXPECT_NE(fault_of({config_with(one), config_with(other, "d.toml")}).find("d.toml:1: operators.viewer: differs"),
            std::string::npos);
  EXPECT_EQ(fault_of({config_with(one), Config{}}).find(":1: operators: missing, and c.toml has it"), 0u);
  EXPECT_EQ(fault_of({Config{}, config_with(one)}).find(":1: operators: missing, and c.toml has it"), 0u);
}

TEST(Groups, AUserWithoutANameIsANumber) {
  const UserNames names({});
  EXPECT_EQ(names.of(0), "root");
  EXPECT_EQ(names.of(4'000'000'000u), "uid 4000000000");
}

TEST(Groups, APeerIsKnownByTheGroupsOfItsProcess) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  const auto peer = peer_of(ends[0], UserNames({}));
  ASSERT_TRUE(peer);
  EXPECT_EQ(peer->uid, geteuid());
  std::vector<gid_t> groups(static_cast<std::size_t>(getgroups(0, nullptr)));
  groups.resize(static_cast<std::size_t>(getgroups(static_cast<int>(groups.size()), groups.data())));
  groups.push_back(getegid());
  for (const gid_t one : groups) {
    EXPECT_NE(std::find(peer->groups.begin(), peer->groups.end(), one), peer->groups.end()) << one;
  }
  close(ends[0]);
  close(ends[1]);
  EXPECT_FALSE(peer_of(-1, UserNames({})));
}

}  // namespace
}  // namespace crosswire
