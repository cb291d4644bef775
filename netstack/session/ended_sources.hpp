// EndedSources: which sources had a session and have none any more, and why, so that they can be told (WIRE 7).
// receive stage alone; a table of fixed size, no allocation after construction. Only sources that have logged in come
// in here, so no stranger can fill it; where a set is full, the account's own oldest is forgotten, or, if it has none
// there, the oldest: so nobody makes another's be forgotten alone.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "engine/command.hpp"
#include "hugepages/memory/arena.hpp"
#include "netstack/session/source.hpp"

namespace crosswire {

class EndedSources {
 public:
  /// The arena outlives it.
  EndedSources(Arena& arena, std::size_t accounts) : sets_(arena.array<Set>(sets_for(accounts))) {}

  static std::size_t bytes_for(std::size_t accounts) { return Arena::bytes_for<Set>(sets_for(accounts)); }

  /// The session is bound to the source no more. `taken_over`: by another source. `now` does not fall from call to
  /// call.
  void remember(const Source& source, SessionId session, SessionEndReason reason, bool taken_over, TimeNs now) {
    Set& set = set_of(source);
    // The first of: this very one, a free place, the oldest of the session, the oldest.
    const auto rank = [&](const Ended& ended) {
      const bool same = ended.session == session && ended.source == source;
      const int kind = same ? 0 : ended.number == 0 ? 1 : ended.session == session ? 2 : 3;
      return std::pair(kind, ended.number);
    };
    const auto better = [&](const Ended& a, const Ended& b) { return rank(a) < rank(b); };
    const auto place = std::min_element(set.begin(), set.end(), better);
    *place = {source, session, reason, taken_over, now, ++last_number_};
  }

  /// How the last session of the source ended; none if it never had one, or that is long ago.
  SessionEndReason reason_of(const Source& source) const {
    const Ended* newest = nullptr;
    for (const Ended& ended : set_of(source)) {
      const bool known = ended.number != 0 && ended.source == source;
      if (known && (newest == nullptr || ended.number > newest->number)) newest = &ended;
    }
    return newest == nullptr ? SessionEndReason::none : newest->reason;
  }

  /// Was this session taken over from this source less than `for_ns` ago?
  bool lost_it_lately(const Source& source, SessionId session, TimeNs now, TimeNs for_ns) const {
    const Set& set = set_of(source);
    return std::any_of(set.begin(), set.end(), [&](const Ended& ended) {
      return ended.taken_over && ended.session == session && ended.source == source && now < ended.at_ns + for_ns;
    });
  }

 private:
  struct Ended {
    Source source{};
    SessionId session = kNoSession;
    SessionEndReason reason = SessionEndReason::none;
    bool taken_over = false;
    TimeNs at_ns = 0;
    std::uint64_t number = 0;  // of the sessions that have ended, from 1; 0: nothing here
  };
  using Set = std::array<Ended, 4>;

  static constexpr std::size_t kLeastSets = 256;
  static std::size_t sets_for(std::size_t accounts) { return std::bit_ceil(std::max(kLeastSets, accounts)); }

  std::size_t index_of(const Source& source) const {
    const std::uint64_t key = link::mac_number(source.mac) ^ std::uint64_t{source.address} << 16 ^ source.port ^
                              std::uint64_t{source.vlan} << 48;
    return static_cast<std::size_t>(key * 0x9E3779B97F4A7C15u >> (64 - std::countr_zero(sets_.size())));
  }
  Set& set_of(const Source& source) { return sets_[index_of(source)]; }
  const Set& set_of(const Source& source) const { return sets_[index_of(source)]; }

  std::span<Set> sets_;
  std::uint64_t last_number_ = 0;
};

}  // namespace crosswire
