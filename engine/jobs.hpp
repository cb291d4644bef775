// Jobs: what a command asks for that may be more than others should wait for. A Mass Cancel, a session's end, a kill
// or a breaker (engine/breakers.hpp) opens one for its account, a tick one for the lives that are over, a close one for
// the orders that are left. Jobs go on in turns: behind each command, whosever, the engine does one turn
// (EngineConfig::acts_of_turn, looks_of_turn), and so behind the command `turn`, which is nothing else. What is within
// a turn is done behind its own command.
//
// While an account has a job its Enters and Replaces are rejected (0x000B), and what else it asks is taken: no order of
// it is entered behind the job's back. Its orders may execute until their turn comes, but for those of an account that
// is killed, or stopped by a breaker.
//
// Match stage only. What jobs do is in engine/jobs.cpp.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/command.hpp"
#include "engine/config.hpp"
#include "engine/types.hpp"
#include "hugepages/base/check.hpp"
#include "hugepages/memory/arena.hpp"

namespace crosswire {

/// Which orders of an account are cancelled, and why.
struct SweepAsk {
  SymbolId symbol = kAllSymbols;  // of this one alone
  std::uint16_t group_id = 0;     // of this one alone, if group_given
  Side side = kNoSide;            // so marked alone
  char reason = 0;                // of the Canceled
  bool group_given = false;
  bool spares_staying = false;  // not those that stay when their session ends

  bool is_filtered() const { return symbol != kAllSymbols || side != kNoSide || group_given; }
  friend bool operator==(const SweepAsk&, const SweepAsk&) = default;
};
inline constexpr char kReasonOfKill = 'S';

/// Of an account: it goes through its orders channel by channel, in each by number, and cancels what any of its asks
/// means, with the reason of the first that does. One more ask has it begin anew.
struct alignas(64) Sweep {
  OrderIndex at;        // the next order, live; kNoOrder: no more
  SessionId next;       // in the ring
  SessionId before;     // likewise
  std::uint16_t asked;  // how many
  std::array<SweepAsk, 4> asks;

  std::span<const SweepAsk> all() const { return {asks.data(), asked}; }
};

/// The accounts' jobs, in the order in which they go on: whose command opened one comes first, and behind each turn the
/// first becomes the last. Fixed size: one for each account. A ring of accounts, in both directions.
class Sweeps {
 public:
  /// A Mass Cancel beyond it waits until the job has ended; a session's end and a kill always have a place.
  static constexpr std::size_t kMostMassCancels = 2;

  Sweeps(Arena& arena, std::uint32_t sessions) : sweeps_(arena.array<Sweep>(sessions)) {}
  static std::size_t bytes_for(std::uint32_t sessions) { return Arena::bytes_for<Sweep>(sessions); }

  bool any() const { return first_ != kNoSession; }
  SessionId first() const { return first_; }
  Sweep& of(SessionId session) { return sweeps_[session.value]; }
  const Sweep& of(SessionId session) const { return sweeps_[session.value]; }
  /// Accounts whose orders do not execute any more, and of which some may live.
  std::uint32_t kills() const { return kills_; }

  /// Of an account with a job: whether one more such Mass Cancel finds a place, or is there. One of everything does.
  bool takes(SessionId session, const SweepAsk& ask) const {
    const auto asks = of(session).all();
    return !ask.is_filtered() || std::ranges::find(asks, ask) != asks.end() ||
           std::ranges::count(asks, ask.reason, &SweepAsk::reason) < std::ptrdiff_t{kMostMassCancels};
  }

  /// Of an account without a job; it is the first.
  void open(SessionId session) {
    of(session) = {.at = kNoOrder, .next = session, .before = session, .asked = 0, .asks = {}};
    if (any()) insert_before_first(session);
    first_ = session;
  }

  /// Of an account with a job. False: it goes on where it is, since it was asked already and nothing new can mean an
  /// order that it has passed.
  bool add(SessionId session, const SweepAsk& ask) {
    Sweep& sweep = of(session);
    // A Modify may have marked an order as the side that is asked for.
    if (std::ranges::find(sweep.all(), ask) != sweep.all().end()) return ask.side != kNoSide;
    if (ask.reason == 'U' && !ask.is_filtered()) drop_mass_cancels(sweep);
    CHECK(sweep.asked < sweep.asks.size(), "%u asks of account %u", sweep.asked, session.value);
    sweep.asks[sweep.asked++] = ask;
    kills_ += ask.reason == kReasonOfKill;
    return true;
  }

  /// Of an account with a job: it is the first.
  void bring_forward(SessionId session) {
    if (session == first_) return;
    take_out(session);
    insert_before_first(session);
    first_ = session;
  }
  /// The first that is a kill is the first. There is one.
  void bring_kill_forward() {
    SessionId session = first_;
    while (std::ranges::count(of(session).all(), kReasonOfKill, &SweepAsk::reason) == 0) session = of(session).next;
    bring_forward(session);
  }
  /// The first becomes the last.
  void pass_on() { first_ = of(first_).next; }

  void close_first() {
    const Sweep& sweep = of(first_);
    for (const SweepAsk& ask : sweep.all()) kills_ -= ask.reason == kReasonOfKill;
    const SessionId next = sweep.next;
    take_out(first_);
    first_ = next == first_ ? kNoSession : next;
  }

 private:
  friend struct EngineState;

  /// One of everything means what they mean.
  static void drop_mass_cancels(Sweep& sweep) {
    const auto end = std::remove_if(sweep.asks.begin(), sweep.asks.begin() + sweep.asked,
                                    [](const SweepAsk& ask) { return ask.reason == 'U'; });
    sweep.asked = static_cast<std::uint16_t>(end - sweep.asks.begin());
  }
  void take_out(SessionId session) {
    const Sweep& sweep = of(session);
    of(sweep.before).next = sweep.next;
    of(sweep.next).before = sweep.before;
  }
  void insert_before_first(SessionId session) {
    Sweep& sweep = of(session);
    sweep.next = first_;
    sweep.before = of(first_).before;
    of(sweep.before).next = session;
    of(first_).before = session;
  }

  std::span<Sweep> sweeps_;  // by SessionId
  SessionId first_ = kNoSession;
  std::uint32_t kills_ = 0;
};

}  // namespace crosswire
