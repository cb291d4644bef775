// What a control thread is told of sessions, for the log: who logged in, who was refused and why, whose session ended.
// Written by the receive stage, taken by the control thread, over a ring; where that is full the news is lost and
// counted: no stage waits for a log. Constant size, no allocation.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/command.hpp"
#include "engine/types.hpp"
#include "hugepages/base/count_word.hpp"
#include "hugepages/memory/arena.hpp"
#include "hugepages/rings/spsc_ring.hpp"
#include "netstack/common/token_bucket.hpp"

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
    reset,  // its connection ended without a logout
    cut,    // it did not read, or sent what is no SoupBinTCP
    count_
  };
  Kind kind;
  Transport transport;
  char code;                 // of refused, as on the wire, or one of these two
  std::array<char, 6> user;  // of refused, as it was asked for
  SessionId session;         // kNoSession of refused
  std::uint16_t port, vlan;  // of the source, host byte order; 0 = untagged
  std::uint32_t address;

  static constexpr char kTooOften = 'T';  // J with A
  static constexpr char kNoNumber = 'N';  // J with S

  /// Who caused it need not have an account.
  bool of_anybody() const { return kind == refused || kind == source_not_allowed; }
};

class SessionNewsRing {
 public:
  /// More than accounts that log in between two looks of the control thread. A power of two.
  static constexpr std::uint64_t kNews = 1024;

  /// Of one account: at once, and in a second.
  static constexpr std::uint32_t kOfAccount = 32, kOfAccountPerSecond = 32;

  SessionNewsRing(Arena& arena, std::size_t accounts)
      : ring_(arena, kNews), of_accounts_(arena.array<TokenBucket>(accounts)) {
    std::fill(of_accounts_.begin(), of_accounts_.end(), TokenBucket(kOfAccountPerSecond, kOfAccount));
  }
  static std::size_t bytes_for(std::size_t accounts) {
    return SpscRing<SessionNews>::bytes_for(kNews) + Arena::bytes_for<TokenBucket>(accounts);
  }

  /// The receive stage. What anybody can cause who has no account gets half of the ring, an account a small part.
  void tell(const SessionNews& news, TimeNs now) {
    const bool may = news.of_anybody() ? ring_.size() < kNews / 2 : of_accounts_[news.session.value].take(now);
    if (!may || !ring_.push(news)) lost_.add();
  }

  /// The control thread. False: there is none.
  bool take(SessionNews& news) { return ring_.pop(news); }
  /// Any thread.
  std::uint64_t lost() const { return lost_.get(); }

 private:
  SpscRing<SessionNews> ring_;
  std::span<TokenBucket> of_accounts_;  // by SessionId
  CountWord lost_;
};

}  // namespace crosswire
