// What match knows of an account: the lines that a check of an order reads, and what the account may use up. Match
// stage only.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/command.hpp"
#include "engine/types.hpp"
#include "engine/user_refs.hpp"

namespace crosswire {

/// So much of something in a second, and a second's worth at once. Whoever has used up less may overdraw once, and has
/// none until that is paid back: what a thing costs is known only when it is done.
class Budget {
 public:
  /// `now_ns`: of the command, never falling.
  bool spent(TimeNs now_ns) const { return paid_back_ns_ >= now_ns + kNsPerSecond; }
  /// `each_ns`: kNsPerSecond by the rate, in which one is paid back. count * each_ns stays below 2^63.
  void charge(TimeNs now_ns, std::uint64_t count, TimeNs each_ns) {
    paid_back_ns_ = std::max(paid_back_ns_, now_ns) + count * each_ns;
  }

 private:
  friend struct EngineState;
  TimeNs paid_back_ns_ = 0;  // when all that was charged is
};

/// Account::stops.
inline constexpr std::uint8_t kDisabled = 1;       // by its own client, who may enable it
inline constexpr std::uint8_t kKilled = 2;         // by an operator, who alone may allow it again
inline constexpr std::uint8_t kKilledItself = 16;  // by its own client; likewise
inline constexpr std::uint8_t kTripped = 8;        // by a breaker of its own (engine/breakers.hpp); likewise
inline constexpr std::uint8_t kSwitchedOff = 32;   // by the configuration: [[account]] enabled = false
inline constexpr std::uint8_t kKilledByAny = kKilled | kKilledItself;
inline constexpr std::uint8_t kStopped = kKilledByAny | kTripped | kSwitchedOff;  // none of its orders executes
inline constexpr std::uint8_t kSweeping = 4;  // its orders are being cancelled: engine/jobs.hpp

/// Account::checked.
inline constexpr std::uint8_t kHasLimits = 1;
inline constexpr std::uint8_t kHasSymbolRate = 2;

/// One line, which is all that a check of an order on the session's own channel reads of its account.
struct alignas(64) Account {
  std::uint32_t live;    // orders
  std::uint32_t levels;  // price levels at the head of whose queue it stands
  FirmId firm;
  // No Enter, no Replace, where any is set.
  std::uint8_t stops;
  // Of Risk: whether it has limits at all, and whether its orders are reserved.
  std::uint8_t checked;  // 0, or kHasLimits and what else is asked of each order
  bool ledger;
  SelfTrade self_trade;
  std::uint16_t self_trade_group;  // 0: none
  // The ends of its session with which its orders go.
  SessionEndReasons cancel_on;
  Budget looks;     // at what a command leaves as it is
  Budget queries;   // answered
  ChannelRefs own;  // of channel 0; those of the others are aside
};
static_assert(sizeof(Account) == 64);

}  // namespace crosswire
