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
//   intraday_call  day; IOC dies   yes              yes              at its end (cross H)
//   interrupted    day; IOC dies   yes              yes              at its end (cross H)
//   halted         rejected        rejected, stays  yes              no; going on with a crossed book: cross H
//   closed         rejected        -                -                no; entering it cancels every order (reason E)
//
// Leaving a call for another phase than halted executes its cross first; an interruption goes on as another call
// without one. A halt in a call leaves the book as it is. A symbol is interrupted by its collar and ends that by
// itself: engine/collar.hpp. What an operator halts stays halted through the schedule's changes, `closed` apart, until
// an operator resumes it; then it enters the phase that the schedule has by then. A halt may also be for a time:
// engine/collar.hpp.
//
// Every account has its share of the live orders and of the price levels, a level being that of the order at the head
// of its queue. An order that would only rest and finds no place, level or node left is rejected; one that executes is
// accepted, and what it leaves over is cancelled then (reason Z). What a Mass Cancel or a MinQty looks at in vain is
// charged to its account; whose looks are used up is rejected. An order that has met max_fills_per_order others on
// arrival meets no more: what is left and would is cancelled (reason Z).
//
// A command whose work has no bound (Mass Cancel, a session's end, a kill, lives that are over, a close) opens a job,
// which goes on in turns behind this command and later ones: engine/jobs.hpp.
//
// What is more than a limit order for the day:
//
//   hidden         behind the displayed orders of its price
//   MinQty m       on arrival at least m shares execute, or the order dies, as an IOC that finds nobody. Only the best
//                  looks_for_minimum price levels count, and of these the first max_fills_per_order orders
//   post-only      if it would execute on arrival it is cancelled: G against a displayed order, F against a hidden one
//   GTT            cancelled (T) at the first tick of the whole second at which its life is over, at most 1 s late
//   on-open        enters in the opening call, hidden
//   on-close       enters from the opening call on; waits outside the book for the closing call, is hidden in it
//                  Both: what is left in the book when their call is over is cancelled (T)
//   market         gets a limit when it comes, so far through the best price that the other side shows; what is left is
//                  cancelled (K; I where nobody is left). In a call it is hidden, ahead of every limit, and what the
//                  cross leaves is cancelled (K; T if it is for that cross alone)
//   staying        not cancelled (Z) where the account's orders go with its session
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/account.hpp"
#include "engine/auction.hpp"
#include "engine/book.hpp"
#include "engine/collar.hpp"
#include "engine/command.hpp"
#include "engine/config.hpp"
#include "engine/counters.hpp"
#include "engine/event.hpp"
#include "engine/jobs.hpp"
#include "engine/operator_log.hpp"
#include "engine/order_lists.hpp"
#include "engine/reject.hpp"
#include "engine/risk.hpp"
#include "engine/user_refs.hpp"
#include "hugepages/memory/arena.hpp"
#include "hugepages/rings/broadcast_ring.hpp"

namespace crosswire {

class Engine {
 public:
  using Out = BroadcastRing<Event>::Producer;

  /// `config` is checked already (app/config/config). `returner` gets the slots of dead orders. All outlive the engine.
  Engine(const EngineConfig& config, Orders& orders, SlotReturner& returner, Arena& arena);
  /// `slots`: of the order pool.
  static std::size_t bytes_for(const EngineConfig& config, std::uint32_t slots);

  /// Applies commands in order, until `out` has no room for an event. Returns how many are finished; the next call must
  /// begin with the first one that is not, which then goes on where it stopped. Commands must be numbered 1, 2, ..
  /// without gaps and their times must not fall (CHECKed). Each finished command's events are published.
  std::size_t apply(std::span<const Command> commands, Out& out);

  /// Digest of all that engine/state.hpp visits: equal for equal command sequences, on any machine and whatever the
  /// hash key. Between two commands. Walks every live order.
  std::uint64_t state_hash() const;

  /// Whether a job is open (engine/jobs.hpp): `turn` commands, or others, are wanted for it.
  bool has_jobs() const { return open_jobs_ != 0; }

  /// apply() stopped in the middle of a command to let other stages have their turn, not for want of room.
  bool yielded() const { return yielded_; }

  const EngineCounters& counters() const { return counters_; }
  std::uint32_t live_orders() const { return live_; }
  /// Of the last command.
  TimeNs time_ns() const { return last_time_ns_; }
  Phase phase(SymbolId symbol) const { return state(symbol).phase; }
  /// For tests and tools: the live order of a session's UserRefNum, or kNoOrder.
  OrderIndex find(SessionId session, UserRefNum number, Channel channel = 0) const {
    return users_.find(session, channel, number);
  }
  const Book& book(SymbolId symbol) const { return state(symbol).book; }
  /// The last execution's price, before the first one the previous close.
  Price last_price(SymbolId symbol) const { return state(symbol).reference; }
  std::uint64_t volume(SymbolId symbol) const { return state(symbol).volume; }
  /// Whether an operator's halt is in force.
  bool held(SymbolId symbol) const { return state(symbol).held; }
  /// Whether an operator, or its own client, has stopped the session's account until it is allowed again.
  bool killed(SessionId session) const { return (account(session).stops & kKilledByAny) != 0; }
  /// Whether the configuration has.
  bool switched_off(SessionId session) const { return (account(session).stops & kSwitchedOff) != 0; }
  /// Whether a breaker of its own has stopped it.
  bool tripped(SessionId session) const { return (account(session).stops & kTripped) != 0; }
  /// The firm that a session's account belongs to.
  FirmId firm_of(SessionId session) const { return account(session).firm; }
  /// Symbols in that phase. Any thread.
  std::uint64_t symbols_in(Phase phase) const { return in_phase_[static_cast<std::size_t>(phase)].get(); }
  std::uint16_t symbol_count() const { return static_cast<std::uint16_t>(symbols_.size()); }
  const BookPools& pools() const { return pools_; }
  const Risk& risk() const { return risk_; }

 private:
  friend struct EngineState;

  struct alignas(2 * kCacheLine) SymbolState {
    Book book;
    Phase phase = Phase::pre_open;
    Phase scheduled = Phase::pre_open;  // the phase that it has or, while an operator halts it, would have
    bool held = false;                  // halted by an operator
    Price reference;                    // the last execution's price, before the first one the previous close
    std::uint64_t volume = 0;
    // The lowest and the highest price at which it may execute in continuous trading; without a collar `high` is
    // kNoPrice.
    Price low, high;

    /// Of one that has a collar.
    bool may_execute(Price price) const { return low <= price && price <= high; }
  };

  /// What an Enter or Replace asks for, with nothing left to inherit.
  struct Terms {
    Side side;
    TimeInForce time_in_force;
    Display display;
    CrossType cross;
    bool post_only;
    Price price;
    Quantity open;
    Quantity min_quantity;
    std::uint32_t expire_seconds;
    bool keeps_life;      // a Replace's: its life ends when its original's would have
    bool market = false;  // `price` is as far as it may go, not what was asked for

    bool buy() const { return is_buy(side); }
    bool one_cross() const { return cross != CrossType::continuous; }
  };

  /// What becomes of an order on arrival.
  enum class Fate : std::uint8_t { rest, wait, execute, refuse, die, overdraw };
  /// How an order stands on the feed.
  enum class Shown : std::uint8_t { no, plain, named };

  /// Where the command under way goes on. A command that needs many events walks through these.
  enum class Step : std::uint8_t {
    begin,      // nothing done yet
    match,      // enter, replace: the aggressor executes
    interrupt,  // enter, replace: the symbol is interrupted, if what is left would go on outside its collar
    settle,     // enter, replace: what is left of it rests or dies
    show,       // replace: rests anew on the feed
    symbols,    // phase, operate, tick: the next symbol of the range, or the end
    price,      // phase, operate, tick: finding the price of the symbol's cross
    cross,      // phase, operate, tick: pairs of the symbol's cross
    clear,      // phase, operate, tick: orders that do not live on in the new one
    admit,      // phase, operate, tick: on-close orders enter the book
    announce,   // phase, operate, tick: the symbol's new phase
    lives,      // tick: GTT orders whose time is over
    list,       // day_start: directory of each symbol. tick: imbalance of each symbol
    walk,       // tick: finding the indicative price of the symbol
    say,        // tick: the symbol's imbalance
    close,      // what follows after the last symbol
    turn,       // done, but for its turn of the jobs
    jobs,       // nothing done yet: waits for all jobs
    kills,      // likewise, for kills alone
  };

  void look_ahead(std::span<const Command> commands) const;
  void look_ahead_at_levels(std::span<const Command> commands) const;
  bool advance(const Command& command, Out& out);
  /// What the short ways have done in one apply().
  struct ShortWays {
    std::uint64_t entered = 0;
    std::uint64_t replaced = 0;
    std::uint64_t canceled = 0;
  };
  void finish(const Command& command, bool any, Out& out);
  void count(const ShortWays& done);
  void end_burst(const Command& command, bool any, Out& out);

  bool rest_plain(const Command& command, ShortWays& done, Out& out);
  bool rest_limited(const Command& command, ShortWays& done, Out& out);
  template <bool kLimited>
  bool rest_plain_of(const Command& command, ShortWays& done, Out& out);
  bool replace_plain(const Command& command, ShortWays& done, Out& out);
  bool cancel_plain(const Command& command, ShortWays& done, Out& out);
  bool enter(const Command& command, Out& out);
  bool replace(const Command& command, Out& out);
  OrderIndex named_order(const Command& command);
  void cancel(const Command& command, Out& out);
  void modify(const Command& command, Out& out);
  void account_query(const Command& command, Out& out);
  void mass_cancel(const Command& command, Out& out);
  void session_changes(const Command& command, EventKind kind, Out& out);
  void set_disabled(const Command& command, bool disabled, Out& out);
  bool change_phase(const Command& command, Out& out);
  bool operate(const Command& command, Out& out);
  void begin_operate(const Command& command, Out& out);
  bool configure(const Command& command, Out& out);
  OperatorResult begin_configure(const Command& command);
  OperatorResult configure_limit(const Command& command);
  bool configure_positions(const Command& command);
  void switch_account(SessionId session, bool on);
  bool is_target(const OperatorAsk& ask, std::uint32_t account) const;
  void stop_accounts(const OperatorAsk& ask);
  void allow_again(SessionId session);
  void open_sweep(SessionId session, const SweepAsk& ask);
  const SweepAsk* ask_for(const Sweep& sweep, OrderIndex index, const HotOrder& order) const;
  bool sweep(const Command& command, Out& out);
  void pass_by(OrderIndex index, const HotOrder& order);
  void open_closing(SymbolId symbol);
  bool close_books(const Command& command, Out& out);
  bool take_turn(const Command& command, Out& out);
  bool finish_jobs(const Command& command, Out& out);
  bool finish_kills(const Command& command, Out& out);
  /// What is to be done before a command.
  enum class Wait : std::uint8_t { none, kills, jobs };
  Wait waits(const Command& command) const;
  bool waits_for_kills(const Command& command) const;
  void end_turn();
  void begin_turn() { acts_ = looks_ = 0; }
  bool turn_has_more() const { return acts_ < acts_of_turn_ && looks_ < looks_of_turn_; }
  void begin_phases(const Command& command, bool opens, Out& out);
  Phase enters(const Command& command, SymbolState& symbol);
  bool enter_phases(const Command& command, Out& out);
  bool enter_phase(const Command& command, Out& out);
  bool finish_kills_between(const Command& command, Out& out);
  void set_phase(const Command& command, SymbolId id, Phase to, Out& out);
  OperatorResult result_of(const OperatorAsk& ask) const;
  bool hold(const Command& command, SymbolState& symbol);
  void end_halt(SymbolState& symbol);
  void report_operated(const Command& command, const OperatorLog::Entry& done, Out& out);
  bool tick(const Command& command, Out& out);
  bool day_start(const Command& command, Out& out);
  bool day_end(const Command& command, Out& out);
  void pass_on(const Command& command, EventKind kind, Out& out);

  bool consume(ChannelRefs& refs, UserRefNum number);
  bool takes_order(SessionId session, TimeNs now_ns);
  bool takes_cancel(SessionId session, TimeNs now_ns);
  Reject judge(SessionId session, const HotOrder* original, Price original_limit) const;
  bool only_lowers(const HotOrder& original, Price limit) const;
  bool admit_cancel(const Command& command, OrderIndex index, Out& out);
  OrderTypes types_of_terms() const;
  Price limit_of(OrderIndex index, const HotOrder& order) const;
  void reserve(const HotOrder& order, SymbolId symbol, Price limit);
  void release(const HotOrder& order, SymbolId symbol, Price limit, Quantity shares);
  void settle(const HotOrder& order, SymbolId symbol, Price price, Quantity shares);
  static Reject check_terms(const Terms& terms);
  bool holds(const Level& level, std::uint32_t orders, std::uint64_t shares) const;
  static Reject check_phase(const Terms& terms, Phase phase);
  Reject price_market(const Command& command);
  Reject find_quote(const Command& command, Price& quote);
  PriceRange market_range(SymbolId id) const;
  Price level_price() const;
  bool rebind(OrderIndex index, const HotOrder& order);
  bool cancel_market_orders(const Command& command, bool buy, Out& out);
  bool drop_beyond_auction(const Command& command, Out& out);
  bool clear_market_orders(const Command& command, Out& out);
  /// Whether one more order of the account may rest or wait.
  bool has_place(const Account& account) const { return live_ < max_orders_ && account.live < orders_per_account_; }
  bool has_level(SessionId session, const HotOrder* leaving) const;
  bool finds_level(SessionId session, const Book& book, bool buy, Price price, const HotOrder* leaving) const;
  bool may_open_level(const Account& account, const Book& book, bool buy) const {
    return account.levels < levels_per_account_ && book.can_rest(pools_, buy);
  }
  Reject check_room(SessionId session, Fate fate, const HotOrder* leaving) const;
  bool executes_now() const;
  void resolve_terms(const OrderAsk& ask, std::uint64_t quantity, OrderIndex original);
  Fate fate(const Command& command);
  Fate fate_of_minimum(const Command& command);
  char refusal() const;
  void fill_hot(const Command& command, std::uint32_t executed);
  bool match_or_rest(const Command& command, Out& out, Event& event, Fate fate, Shown before);
  bool match(const Command& command, Out& out);
  void prevent(const Command& command, OrderIndex index, Price price, Quantity left, Out& out);
  void report_prevention(const Command& command, OrderIndex index, const HotOrder& order, UserRefNum number,
                         Prevention said, Out& out);
  void move_collar(SymbolId id);
  Rank collared_limit(const Command& command, Rank limit, Out& out);
  Rank within(bool buy, Rank limit) const;
  bool end_collared(const Command& command, Out& out);
  bool is_stopped(SessionId session) const;
  bool finds_minimum(Rank limit, std::size_t& looks) const;
  bool interrupt(const Command& command, Out& out);
  void end_call_at(SymbolId id, TimeNs from_ns);
  bool prolongs_call(const Command& command) const;
  void prolong_call(const Command& command, Out& out);
  static TimeNs end_of_halt(const Command& command);
  Phase enters_by_itself();
  bool end_calls(const Command& command, Out& out);
  bool settle(const Command& command, Out& out);
  bool show(const Command& command, Out& out);
  void rest(const Command& command, OrderIndex index, HotOrder& order);
  bool walk_auction(const SymbolState& symbol);
  bool say_imbalance(const Command& command, Out& out);
  bool cross(const Command& command, Out& out);
  bool clear(const Command& command, Out& out);
  bool expire(const Command& command, SymbolId symbol, Out& out);
  bool admit(const Command& command, Out& out);
  bool end_lives(const Command& command, Out& out);
  void reject(const Command& command, std::uint16_t reason, Out& out);
  void count_rejected(SessionId session, std::uint16_t reason);
  void count_fill(const Command& command, const HotOrder& resting, Price price, Quantity quantity);
  void count_crossed(const HotOrder& buyer, const HotOrder& seller, Price price, Quantity quantity);
  void trip(SessionId session, RiskLimit breaker);
  void reject_firm(const Command& command, std::uint16_t reason, Out& out);
  void count_reject(std::uint16_t reason);
  OrderIndex first_order(SessionId session, std::uint32_t channel) const;
  OrderIndex order_after(OrderIndex index) const;
  void take_shares(SymbolId symbol, OrderIndex index, HotOrder& order, Quantity shares);
  void cancel_shares(const Command& command, OrderIndex index, Quantity shares, char reason, Out& out);
  void execute(Event& event, OrderIndex order, OrderIndex resting, HotOrder& a, HotOrder& b, SymbolState& symbol,
               Price price, Quantity quantity);
  void add_live(const Command& command, HotOrder& order);
  void remove_order(const Command& command, OrderIndex index, const HotOrder& order, Out& out);
  void retire(const Command& command, OrderIndex index, Out& out);
  static UserRefs::Place place_of(const HotOrder& order) { return {order.ref_block, order.place_in_refs}; }
  UserRefNum number_of(const HotOrder& order) const { return users_.number_at(place_of(order)); }

  /// Events ever, those not yet published included.
  static std::uint64_t emitted(const Out& out) { return out.published() + out.unpublished(); }
  Event& emit_head(const Command& command, EventKind kind, SessionId session, SymbolId symbol, Out& out);
  Event& emit(const Command& command, EventKind kind, SessionId session, SymbolId symbol, Out& out);
  void report_order(Event& event, OrderIndex index, const HotOrder& order, UserRefNum number, Price price,
                    Quantity quantity, char code, FeedAction feed) const;
  static Shown shown(const HotOrder& order);
  static OrderRef ref_on_feed(const HotOrder& order) { return order.hidden ? OrderRef{} : order.ref(); }
  SymbolId symbol_of(OrderIndex index, const HotOrder& order) const;
  Channel channel_of(OrderIndex index, const HotOrder& order) const;

  Account& account(SessionId session) { return pools_.accounts[session.value]; }
  const Account& account(SessionId session) const { return pools_.accounts[session.value]; }
  ChannelRefs& refs(SessionId session, Channel channel) {
    return channel == 0 ? account(session).own : channels_[channel_index(session, channel)];
  }
  const ChannelRefs& refs(SessionId session, Channel channel) const {
    return channel == 0 ? account(session).own : channels_[channel_index(session, channel)];
  }
  static std::size_t channel_index(SessionId session, Channel channel) {
    return session.value * (kChannels - 1) + channel - 1;
  }
  SymbolState& state(SymbolId symbol) { return symbols_[symbol.value - 1u]; }
  const SymbolState& state(SymbolId symbol) const { return symbols_[symbol.value - 1u]; }

  /// From so many commands, and live orders, on it pays to look ahead for what they will touch, so many commands at a
  /// time: fewer orders are in the cache as it is.
  static constexpr std::size_t kLeastToLookAhead = 4;
  static constexpr std::size_t kMostAhead = 32;
  static constexpr std::uint32_t kDeepBooks = 8192;

  /// Levels or orders that one apply() looks at for one command, some tens of microseconds' worth; then it yields, or
  /// has seen enough.
  static constexpr std::size_t kMostLooks = 2048;

  static std::uint32_t waiting_lists(const EngineConfig& config);
  // Lists of waiting_: a wheel of seconds at which lives end, then two a symbol.
  static constexpr std::uint32_t kWheelSeconds = 1u << 17;
  static_assert(kWheelSeconds > kMaxExpireSeconds + 2);
  static std::uint32_t list_of(std::uint64_t second) { return second & (kWheelSeconds - 1); }
  static std::uint32_t list_of(SymbolId symbol, CrossType cross) {
    return kWheelSeconds + 2 * (symbol.value - 1u) + (cross == CrossType::closing);
  }

  BookPools pools_;
  SlotReturner& returner_;
  std::span<SymbolState> symbols_;
  std::span<Collar> collars_;  // of the symbols
  Risk risk_;
  UserRefs users_;
  std::span<ChannelRefs> channels_;  // of the accounts, their own one apart
  OrderLists waiting_;               // HotOrder::waits
  std::uint32_t max_orders_;
  std::uint32_t orders_per_account_;
  std::uint32_t levels_per_account_;
  TimeNs look_ns_;   // in which an account gets one
  TimeNs query_ns_;  // likewise
  TimeNs imbalance_interval_ns_;
  std::uint32_t max_fills_;  // of an order on arrival
  std::uint32_t looks_for_minimum_;
  std::uint32_t acts_of_turn_;
  std::uint32_t looks_of_turn_;
  DeclineLevels decline_levels_e8_;

  std::uint32_t live_ = 0;
  std::uint64_t last_ref_ = 0;
  std::uint64_t last_match_ = 0;
  std::uint64_t last_command_ = 0;
  TimeNs last_time_ns_ = 0;
  std::uint64_t next_second_ = 0;  // lives that end before it have ended
  std::uint32_t calls_ = 0;        // symbols in a call
  std::uint32_t closed_ = 0;       // symbols in phase closed
  bool market_open_ = false;       // system event Q was sent, M not yet
  bool day_over_ = false;          // day_end was sent
  bool burst_has_events_ = false;  // since the last mark
  static constexpr TimeNs kNever = ~TimeNs{0};
  TimeNs next_end_ns_ = kNever;  // no call ends by itself before
  Draws draws_;

  // Jobs.
  static constexpr std::uint8_t kSweeps = 1, kLives = 2, kClosing = 4;
  std::uint8_t open_jobs_ = 0;  // a set of these
  SymbolId at_closing_{};       // from which on closed books may hold orders
  TimeNs lives_until_ns_ = 0;   // those end that are over then
  Sweeps sweeps_;

  // The command under way.
  Step step_ = Step::begin;
  std::uint64_t events_before_ = 0;  // of the ring, when it began
  Terms terms_{};
  OrderIndex aggressor_ = kNoOrder;
  Prevention owed_{};  // by an aggressor that met its own group; quantity 0: nothing
  char refusal_ = 0;   // cancel reason of an aggressor that may not execute
  std::uint32_t fills_left_ = 0;
  bool may_rest_ = false;    // there was a place for the order when it came
  std::uint32_t acts_ = 0;   // of its turn
  std::uint32_t looks_ = 0;  // likewise
  OrderIndex at_order_ = kNoOrder;
  SymbolId at_symbol_{};
  AuctionWalk walk_;
  AuctionPrice auction_{};
  std::uint64_t cross_left_ = 0;
  Phase to_{};  // that at_symbol_ enters
  // What an operator's command has come to so far.
  std::uint16_t changed_ = 0;
  std::uint16_t held_ = 0;
  std::uint32_t canceled_ = 0;
  OperatorResult configured_{};  // what a configure has come to
  bool yielded_ = false;

  OperatorLog operator_log_;

  EngineCounters counters_;
  std::array<CountWord, kPhaseNames.size()> in_phase_;  // symbols
};

}  // namespace crosswire
