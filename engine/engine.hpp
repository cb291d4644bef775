// The exchange as a deterministic state machine: commands in, events out. Match stage only. It reads no clock,
// allocates nothing after construction, and its output is a pure function of the command sequence.
//
// What each phase allows:
//
//   phase          enter           replace          cancel, modify   matches
//   pre_open       rejected        rejected         yes              no
//   opening_call   day; IOC dies   yes              yes              at its end (cross O)
//   continuous     yes             yes              yes              at once
//   closing_call   day; IOC dies   yes              yes              at its end (cross C)
//   halted         rejected        rejected, stays  yes              no; going on with a crossed book: cross H
//   closed         rejected        -                -                no; entering it cancels every day order (reason E)
//
// Leaving a call for another phase than halted executes its cross first. A halt in a call leaves the book as it is.
// An order that finds no level or node left is rejected; what an aggressor leaves over is cancelled then (reason Z).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/auction.hpp"
#include "engine/book.hpp"
#include "engine/command.hpp"
#include "engine/config.hpp"
#include "engine/counters.hpp"
#include "engine/event.hpp"
#include "engine/user_refs.hpp"
#include "hugepages/arena.hpp"
#include "hugepages/broadcast_ring.hpp"

namespace crosswire {

/// Reject reasons (WIRE 3.4) that the engine itself gives.
enum class Reject : std::uint16_t {
  none = 0,
  destination_closed = 0x0002,
  halted = 0x0007,
  processing = 0x000A,  // no room: max_orders, max_levels
  invalid_price = 0x001D,
};

class Engine {
 public:
  using Out = BroadcastRing<Event>::Producer;

  /// `config` is checked already (app/config). `returner` gets the slots of dead orders. All outlive the engine.
  Engine(const EngineConfig& config, Orders& orders, SlotReturner& returner, Arena& arena);
  static std::size_t bytes_for(const EngineConfig& config);

  /// Applies commands in order, until `out` has no room for an event. Returns how many are finished; the next call must
  /// begin with the first one that is not, which then goes on where it stopped. Commands must be numbered 1, 2, ..
  /// without gaps and their times must not fall (CHECKed). Each finished command's events are published.
  std::size_t apply(std::span<const Command> commands, Out& out);

  /// Digest of books and order state: equal for equal command sequences, on any machine. Walks every live order.
  std::uint64_t state_hash() const;

  /// apply() stopped in the middle of a command to let other stages have their turn, not for want of room.
  bool yielded() const { return yielded_; }

  const EngineCounters& counters() const { return counters_; }
  std::uint32_t live_orders() const { return live_; }
  Phase phase(SymbolId symbol) const { return state(symbol).phase; }
  /// For tests and tools: the live order of a session's UserRefNum, or kNoOrder.
  OrderIndex find(SessionId session, UserRefNum number) const { return users_.find(session, number); }
  const Book& book(SymbolId symbol) const { return state(symbol).book; }
  const BookPools& pools() const { return pools_; }

 private:
  struct SymbolState {
    Book book;
    Phase phase = Phase::pre_open;
    Price reference;  // the last execution's price, before the first one the previous close
    std::uint64_t volume = 0;
  };

  /// Where the command under way goes on. A command that needs many events walks through these.
  enum class Step : std::uint8_t {
    begin,     // nothing done yet
    match,     // enter, replace: the aggressor executes, then rests or dies
    symbols,   // phase: the next symbol of the range, or the end
    price,     // phase: finding the price of the symbol's cross
    cross,     // phase: pairs of the symbol's cross
    expire,    // phase: day orders of the symbol, into closed
    announce,  // phase: the symbol's new phase
    list,      // day_start: directory of each symbol. tick: imbalance of each symbol
    walk,      // tick: finding the indicative price of the symbol
    close,     // what follows after the last symbol
  };

  bool advance(const Command& command, Out& out);
  void finish(const Command& command, Out& out);

  bool enter(const Command& command, Out& out);
  bool replace(const Command& command, Out& out);
  void cancel(const Command& command, Out& out);
  void modify(const Command& command, Out& out);
  void account_query(const Command& command, Out& out);
  bool change_phase(const Command& command, Out& out);
  bool tick(const Command& command, Out& out);
  bool day_start(const Command& command, Out& out);
  bool day_end(const Command& command, Out& out);
  void pass_on(const Command& command, EventKind kind, Out& out);

  bool has_place(const Command& command, const SymbolState& symbol, bool buy, const HotOrder* leaving) const;
  Reject check_phase_and_price(const Command& command, const SymbolState& symbol) const;
  bool place(const Command& command, Out& out, Event& event, FeedAction resting);
  bool match(const Command& command, Out& out);
  bool walk_auction(const SymbolState& symbol);
  bool say_imbalance(const Command& command, Out& out);
  bool cross(const Command& command, Out& out);
  bool expire(const Command& command, Out& out);
  void reject(const Command& command, std::uint16_t reason, Out& out);
  void take_off(const Command& command, OrderIndex index, Quantity shares, char reason, Out& out);
  void execute(Event& event, OrderIndex order, OrderIndex resting, SymbolState& symbol, Price price, Quantity quantity);
  void bury(const Command& command, OrderIndex index, Out& out);

  Event& emit(const Command& command, EventKind kind, SessionId session, SymbolId symbol, Out& out);
  OrderEvent order_event(OrderIndex index, Price price, Quantity quantity, char code, FeedAction feed) const;

  SymbolState& state(SymbolId symbol) { return symbols_[symbol.value - 1u]; }
  const SymbolState& state(SymbolId symbol) const { return symbols_[symbol.value - 1u]; }
  std::uint16_t symbol_count() const { return static_cast<std::uint16_t>(symbols_.size()); }

  BookPools pools_;
  SlotReturner& returner_;
  std::span<SymbolState> symbols_;
  std::span<UserRefNum> last_user_ref_num_;  // per session
  UserRefs users_;
  std::uint32_t max_orders_;
  TimeNs imbalance_interval_ns_;

  std::uint32_t live_ = 0;
  std::uint64_t last_ref_ = 0;
  std::uint64_t last_match_ = 0;
  std::uint64_t last_command_ = 0;
  TimeNs last_time_ns_ = 0;
  std::uint32_t calls_ = 0;        // symbols in a call
  std::uint32_t closed_ = 0;       // symbols in phase closed
  bool market_open_ = false;       // system event Q was sent, M not yet
  bool burst_has_events_ = false;  // since the last mark

  // The command under way.
  Step step_ = Step::begin;
  std::uint64_t events_before_ = 0;  // of the ring, when it began
  OrderIndex aggressor_ = kNoOrder;
  SymbolId at_symbol_{};
  AuctionWalk walk_;
  AuctionPrice auction_{};
  std::uint64_t cross_left_ = 0;
  bool yielded_ = false;

  EngineCounters counters_;
};

}  // namespace crosswire
