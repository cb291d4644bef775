// What a control thread is told of sessions, for the log: who logged in, who was refused and why, whose session ended.
// Written by the receive stage, taken by the control thread, over a ring; where that is full the news is lost and
// counted: no stage waits for a log. Constant size, no allocation.
#pragma once

#include <array>
#include <cstdint>

#include "engine/types.hpp"
#include "hugepages/base/count_word.hpp"
#include "hugepages/memory/arena.hpp"
#include "hugepages/rings/spsc_ring.hpp"

namespace crosswire {

struct SessionNews {
  enum Kind : std::uint8_t {
    login,               // from a source that was not bound to it
    takeover,            // the same, and another source lost it
    rebinding,           // closed, because another account logged in from its source
    refused,             // answered with `code`
    source_not_allowed,  // not answered
    logout,
    silence,
    count_
  };
  Kind kind;
  char code;                 // of refused, as on the wire
  std::array<char, 6> user;  // of refused, as it was asked for
  SessionId session;         // kNoSession of refused
  std::uint16_t port, vlan;  // of the source, host byte order; 0 = untagged
  std::uint32_t address;
};

class SessionNewsRing {
 public:
  /// More than accounts that log in between two looks of the control thread. A power of two.
  static constexpr std::uint64_t kNews = 1024;

  explicit SessionNewsRing(Arena& arena) : ring_(arena, kNews) {}
  static std::size_t bytes_for() { return SpscRing<SessionNews>::bytes_for(kNews); }

  /// The receive stage. What anybody can cause who has no account gets half of the ring.
  void tell(const SessionNews& news) {
    const bool anybody = news.kind == SessionNews::refused || news.kind == SessionNews::source_not_allowed;
    if ((anybody && ring_.size() >= kNews / 2) || !ring_.push(news)) lost_.add();
  }

  /// The control thread. False: there is none.
  bool take(SessionNews& news) { return ring_.pop(news); }
  /// Any thread.
  std::uint64_t lost() const { return lost_.get(); }

 private:
  SpscRing<SessionNews> ring_;
  CountWord lost_;
};

}  // namespace crosswire
