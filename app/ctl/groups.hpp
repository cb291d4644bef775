// The system's users and groups, as the control socket needs them: those of [operators] by their numbers, users' names
// for the log and the recording, and who is at the other end of a socket. Names are looked up at the start alone, since
// a name service may keep one waiting.
#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/config/config.hpp"
#include "app/ctl/authority.hpp"

namespace crosswire {

/// The numbers of the groups that the configurations name; of firms those of all of them. None where there is no
/// [operators]. Throws std::runtime_error (`FILE:LINE: key: what; remedy`) where this host has no such group, or where
/// one configuration has [operators] and another has none, or other groups.
std::optional<OperatorGroups> find_groups(const std::vector<Config>& configs);

/// Names of users by their numbers.
class UserNames {
 public:
  /// Of this process' own user, of root, and of the members of `groups`, those whose primary group it is included.
  explicit UserNames(const std::optional<OperatorGroups>& groups);
  /// "uid 1001" where no name is known.
  std::string of(uid_t uid) const;

 private:
  std::map<uid_t, std::string> names_;
};

/// Who has connected to a socket: his user and the groups of his process, as the kernel tells them; of one before Linux
/// 4.13 the primary one alone. None: it tells nothing.
std::optional<Person> peer_of(int fd, const UserNames& names);

}  // namespace crosswire
