// What a client is told that has no session here: the word of a SoupBinTCP `+` (WIRE 7).
// transmit runs it; constant data.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "engine/command.hpp"

namespace crosswire {

/// No word is longer: its frame is the shortest that Ethernet has, with a VLAN tag too, so that who asks with a frame
/// gets none that is longer.
inline constexpr std::size_t kMostEndWord = 11;

/// How the session ended, in a word; none: there was none.
constexpr std::string_view word_of(SessionEndReason reason) {
  switch (reason) {
    case SessionEndReason::none:
      return "no login";
    case SessionEndReason::logout:
      return "logged out";
    case SessionEndReason::reset:
      return "reset";
    case SessionEndReason::silence:
      return "silent";
    case SessionEndReason::cut:
      return "cut off";
    case SessionEndReason::takeover:
      return "taken over";
    case SessionEndReason::by_operator:
      return "operator";
    case SessionEndReason::recovery:
      return "restarted";
    case SessionEndReason::end_of_day:
      return "day is over";
  }
  return "no session";
}

static_assert([] {
  for (int i = 0; i <= static_cast<int>(SessionEndReason::end_of_day); ++i) {
    if (word_of(static_cast<SessionEndReason>(i)).size() > kMostEndWord) return false;
  }
  return true;
}());

}  // namespace crosswire
