// Comparing a replay with the exchange: see check.hpp. Tools only.
#include "app/flow/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include "app/flow/csv.hpp"
#include "app/flow/error.hpp"
#include "app/flow/output.hpp"
#include "netstack/wire/itch.hpp"
#include "netstack/wire/ouch.hpp"

namespace crosswire {
namespace {

namespace ouch = wire::ouch;
namespace itch = wire::itch;

constexpr std::size_t kShown = 5;  // differences of one kind

std::string price_text(std::uint64_t price) { return fmt::format("{}.{:04}", price / 10'000, price % 10'000); }

// ---- Executions -----------------------------------------------------------------------------------------------------

/// An execution as the two clients were told of it.
struct Told {
  struct SideTold {
    bool told = false;
    std::uint64_t order = 0;  // ClOrdId
    std::uint64_t ref = 0;    // on the feed
    Quantity shares = 0;
    std::uint64_t price = 0;
    char liquidity = ' ';
  };
  SideTold buy;
  SideTold sell;
  // As the feed said it: one message of the resting order, or one for each order of a cross.
  struct OnFeed {
    std::uint64_t ref;
    Quantity shares;
    std::uint64_t price;
  };
  std::vector<OnFeed> feed;

  char aggressor() const {
    if (buy.liquidity == static_cast<char>(ouch::Liquidity::removed)) return 'B';
    return sell.liquidity == static_cast<char>(ouch::Liquidity::removed) ? 'S' : ' ';
  }
};

/// Collects executions of one symbol, by match number, from answers and feed.
class Executions {
 public:
  /// An empty `symbol` stands for all.
  explicit Executions(std::string symbol) : symbol_(std::move(symbol)) {}

  void answer(ClientKey client, wire::Bytes bytes) {
    if (const auto* accepted = as<ouch::OrderAccepted>(bytes)) {
      remember(client, accepted->user_ref_num, *accepted);
    } else if (const auto* replaced = as<ouch::OrderReplaced>(bytes)) {
      remember(client, replaced->user_ref_num, *replaced);
    } else if (const auto* executed = as<ouch::OrderExecuted>(bytes)) {
      execute(client, *executed);
    }
  }

  void feed_executed(std::uint64_t match, std::uint64_t ref, Quantity shares, std::uint64_t price) {
    by_match_[match].feed.push_back({ref, shares, price});
  }

  /// In match order. Throws FlowError for an execution that one side or the feed knows otherwise.
  std::vector<TradeRow> in_order(const std::string& path) const {
    std::vector<TradeRow> rows;
    for (const auto& [match, told] : by_match_) {
      const std::string fault = fault_of(told);
      if (!fault.empty()) throw FlowError(fmt::format("{}: execution {}: {}", path, match, fault));
      rows.push_back({.buy_order = told.buy.order,
                      .sell_order = told.sell.order,
                      .line = 0,
                      .price = Price{static_cast<std::uint32_t>(told.buy.price)},
                      .shares = told.buy.shares,
                      .aggressor = told.aggressor()});
    }
    return rows;
  }

 private:
  struct Known {
    std::uint64_t cl_ord_id;
    std::uint64_t ref;
    bool buy;
    bool wanted;  // of our symbol
  };

  template <class M>
  static const M* as(wire::Bytes bytes) {
    return !bytes.empty() && static_cast<char>(bytes[0]) == M::kType ? wire::view_as<M>(bytes) : nullptr;
  }

  template <class M>
  void remember(ClientKey client, std::uint32_t user_ref_num, const M& message) {
    const bool wanted = symbol_.empty() || message.symbol.view() == symbol_;
    const std::optional<std::uint64_t> number = message.cl_ord_id.decimal();
    if (wanted && !number) throw FlowError(fmt::format("ClOrdId \"{}\" is no order number", message.cl_ord_id.view()));
    orders_[client][user_ref_num] = {number.value_or(0), message.order_ref, message.side == 'B', wanted};
  }

  void execute(ClientKey client, const ouch::OrderExecuted& executed) {
    const auto& known = orders_[client];
    const auto order = known.find(executed.user_ref_num);
    if (order == known.end()) {
      throw FlowError(fmt::format("execution {}: of UserRefNum {}, which was never accepted",
                                  executed.match_number.value(), executed.user_ref_num.value()));
    }
    if (!order->second.wanted) return;
    Told& told = by_match_[executed.match_number];
    Told::SideTold& side = order->second.buy ? told.buy : told.sell;
    if (side.told) throw FlowError(fmt::format("execution {}: told twice to one side", executed.match_number.value()));
    side = {true, order->second.cl_ord_id, order->second.ref, executed.quantity, executed.price, executed.liquidity};
  }

  static std::string fault_of(const Told& told) {
    if (!told.buy.told || !told.sell.told)
      return fmt::format("the {} was not told", told.buy.told ? "seller" : "buyer");
    if (told.buy.shares != told.sell.shares || told.buy.price != told.sell.price)
      return "buyer and seller were told differently";
    const char aggressor = told.aggressor();
    const bool both = told.feed.size() == 2 && told.feed[0].ref == told.buy.ref && told.feed[1].ref == told.sell.ref;
    const bool one = told.feed.size() == 1 && told.feed[0].ref == (aggressor == 'B' ? told.sell.ref : told.buy.ref);
    if (aggressor == ' ' ? !both : !one) return "the feed names other orders";
    const bool agrees = std::all_of(told.feed.begin(), told.feed.end(), [&told](const Told::OnFeed& on_feed) {
      return on_feed.shares == told.buy.shares && on_feed.price == told.buy.price;
    });
    return agrees ? "" : "the feed has another price or size";
  }

  std::string symbol_;
  std::unordered_map<ClientKey, std::unordered_map<std::uint32_t, Known>> orders_;
  std::map<std::uint64_t, Told> by_match_;
};

std::string text_of(const TradeRow& row) {
  return fmt::format("buy {} sell {} {} shares at {} {}", row.buy_order, row.sell_order, row.shares,
                     price_text(row.price.value),
                     row.aggressor == ' '   ? "in a cross"
                     : row.aggressor == 'B' ? "bought"
                                            : "sold");
}

/// A comparison with nothing must not look like one that has passed.
CheckResult nothing_in(const std::string& path, std::string_view what, std::string_view remedy) {
  return {.summary = fmt::format("{} 0/0: NOTHING TO COMPARE WITH", what),
          .differences = {fmt::format("{}: has no row behind its header; give {}", path, remedy)}};
}

CheckResult compare_trades(const std::string& path, const std::vector<TradeRow>& wanted,
                           const std::vector<TradeRow>& got) {
  if (wanted.empty()) return nothing_in(path, "executions", "the day's trades, or no --check-trades");
  CheckResult result;
  std::size_t same = 0;
  for (std::size_t i = 0; i < std::max(wanted.size(), got.size()); ++i) {
    if (i < wanted.size() && i < got.size() && wanted[i].same(got[i])) {
      ++same;
    } else if (result.differences.size() < kShown) {
      const std::uint64_t line = i < wanted.size() ? wanted[i].line : wanted.size() + 2;
      result.differences.push_back(fmt::format("{}:{}: exchange: {}; replay: {}", path, line,
                                               i < wanted.size() ? text_of(wanted[i]) : "no more",
                                               i < got.size() ? text_of(got[i]) : "no more"));
    }
  }
  result.summary = result.differences.empty()
                       ? fmt::format("executions {}/{} identical in order", same, wanted.size())
                       : fmt::format("executions {}/{} identical in order, the replay has {}: DIFFERENT", same,
                                     wanted.size(), got.size());
  return result;
}

// ---- The feed's book ------------------------------------------------------------------------------------------------

/// One instrument's book kept from its feed alone, as a client would (WIRE 5).
class FeedBook {
 public:
  struct Order {
    std::uint64_t price;
    std::uint64_t shares;
    bool buy;
  };

  void add(std::uint64_t ref, const Order& order) {
    if (!orders_.emplace(ref, order).second) throw FlowError(fmt::format("the feed adds order {} twice", ref));
    (order.buy ? bids_[order.price] : asks_[order.price]) += order.shares;
  }

  const Order& order(std::uint64_t ref) const {
    const auto found = orders_.find(ref);
    if (found == orders_.end()) throw FlowError(fmt::format("the feed names order {}, which it has not added", ref));
    return found->second;
  }

  void take(std::uint64_t ref, std::uint64_t shares) {
    Order order = this->order(ref);
    if (shares > order.shares)
      throw FlowError(fmt::format("the feed takes {} of order {}'s {}", shares, ref, order.shares));
    if (order.buy) {
      take_from(bids_, order.price, shares);
    } else {
      take_from(asks_, order.price, shares);
    }
    if (order.shares == shares) {
      orders_.erase(ref);
    } else {
      orders_[ref].shares -= shares;
    }
  }

  DepthSide bids() const { return top(bids_); }
  DepthSide asks() const { return top(asks_); }

  std::uint64_t cum_shares = 0;  // E, C printable, P, Q

 private:
  template <class Map>
  static void take_from(Map& side, std::uint64_t price, std::uint64_t shares) {
    const auto level = side.find(price);
    level->second -= shares;
    if (level->second == 0) side.erase(level);
  }

  template <class Map>
  static DepthSide top(const Map& side) {
    DepthSide levels{};
    std::size_t i = 0;
    for (auto level = side.begin(); level != side.end() && i < kDepthLevels; ++level, ++i) {
      levels[i] = {level->first, level->second};
    }
    return levels;
  }

  std::unordered_map<std::uint64_t, Order> orders_;
  std::map<std::uint64_t, std::uint64_t, std::greater<>> bids_;  // price -> shares, best first
  std::map<std::uint64_t, std::uint64_t> asks_;
};

/// Finds the exchange's snapshots among the moments of the feed: as many as can be found in their order. So one that is
/// wrong costs itself and none behind it.
class DepthCheck {
 public:
  explicit DepthCheck(std::string path) : path_(std::move(path)), rows_(read_depth(path_)) {
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      rows_of_[hash(rows_[i].cum_shares, rows_[i].bids, rows_[i].asks)].push_back(i);
      last_at_.try_emplace(rows_[i].cum_shares);
    }
  }

  /// The book has changed.
  void moment(const FeedBook& book) {
    const auto last = last_at_.find(book.cum_shares);
    if (last == last_at_.end()) return;
    last->second = {true, book.bids(), book.asks()};
    const auto rows = rows_of_.find(hash(book.cum_shares, last->second.bids, last->second.asks));
    if (rows == rows_of_.end()) return;
    for (const std::size_t row : rows->second) {
      if (is(rows_[row], book.cum_shares, last->second)) found(row);
    }
  }

  CheckResult result() const {
    if (rows_.empty()) return nothing_in(path_, "depth", "the day's snapshots, or no --check-depth");
    std::vector<bool> identical(rows_.size());
    for (std::size_t link = ends_.empty() ? kNone : ends_.back(); link != kNone; link = links_[link].before) {
      identical[links_[link].row] = true;
    }
    CheckResult result;
    for (std::size_t i = 0; i < rows_.size() && result.differences.size() < kShown; ++i) {
      if (identical[i]) continue;
      const DepthRow& row = rows_[i];
      result.differences.push_back(fmt::format("{}:{}: cum_shares {}: {}", path_, row.line, row.cum_shares, why(row)));
    }
    result.summary = fmt::format("depth {}/{} identical{}", ends_.size(), rows_.size(),
                                 result.differences.empty() ? "" : ": DIFFERENT");
    return result;
  }

 private:
  static constexpr std::size_t kNone = ~std::size_t{0};

  struct Sides {
    bool seen = false;
    DepthSide bids{};
    DepthSide asks{};
  };
  /// A row that was found, behind another.
  struct Link {
    std::size_t row;
    std::size_t before;  // link, or kNone
  };

  static std::uint64_t hash(std::uint64_t cum_shares, const DepthSide& bids, const DepthSide& asks) {
    std::uint64_t value = cum_shares;
    const auto mix = [&value](std::uint64_t next) { value = (value ^ next) * 0x9E3779B97F4A7C15u + (value >> 29); };
    for (const DepthSide* const side : {&bids, &asks}) {
      for (const DepthLevel& level : *side) {
        mix(level.price);
        mix(level.shares);
      }
    }
    return value;
  }

  static bool is(const DepthRow& row, std::uint64_t cum_shares, const Sides& sides) {
    return row.cum_shares == cum_shares && row.bids == sides.bids && row.asks == sides.asks;
  }

  /// The longest rising sequence of rows in the order in which they are found: ends_[n] is the end, with the lowest
  /// row, of the chains of n + 1 rows.
  void found(std::size_t row) {
    const auto end = std::lower_bound(ends_.begin(), ends_.end(), row, [this](std::size_t link, std::size_t wanted) {
      return links_[link].row < wanted;
    });
    if (end != ends_.end() && links_[*end].row == row) return;
    links_.push_back({row, end == ends_.begin() ? kNone : *std::prev(end)});
    if (end == ends_.end()) {
      ends_.push_back(links_.size() - 1);
    } else {
      *end = links_.size() - 1;
    }
  }

  std::string why(const DepthRow& row) const {
    const Sides& last = last_at_.at(row.cum_shares);
    if (!last.seen) return "the replay never came by it";
    for (const auto& [side, wanted, got] : {std::tuple{"bid", &row.bids, &last.bids}, {"ask", &row.asks, &last.asks}}) {
      for (std::size_t i = 0; i < kDepthLevels; ++i) {
        if ((*wanted)[i] == (*got)[i]) continue;
        return fmt::format("no such moment; at the last one {} {} is {} at {}, not {} at {}", side, i, (*got)[i].shares,
                           price_text((*got)[i].price), (*wanted)[i].shares, price_text((*wanted)[i].price));
      }
    }
    return "the replay came by it, but not in the order of the rows";
  }

  std::string path_;
  std::vector<DepthRow> rows_;
  std::unordered_map<std::uint64_t, std::vector<std::size_t>> rows_of_;  // by hash()
  std::unordered_map<std::uint64_t, Sides> last_at_;                     // by cum_shares, of those that rows have
  std::vector<Link> links_;
  std::vector<std::size_t> ends_;
};

// ---- The feed -------------------------------------------------------------------------------------------------------

/// Walks the feed of one instrument: keeps its book, notes executions, offers each moment to the depth check.
class FeedWalk {
 public:
  FeedWalk(std::string symbol, Executions& executions, DepthCheck* depth)
      : symbol_(std::move(symbol)), executions_(executions), depth_(depth) {}

  void message(wire::Bytes bytes) {
    const auto* const head = wire::view_as<itch::Header>(bytes);
    if (head == nullptr) throw FlowError("a feed message shorter than its header");
    if (const auto* m = as<itch::StockDirectory>(bytes)) return directory(*m);
    if (locate_ == 0 || head->locate != locate_) return;
    if (book_changed(bytes) && depth_ != nullptr) depth_->moment(book_);
  }

  bool found() const { return locate_ != 0; }

 private:
  template <class M>
  static const M* as(wire::Bytes bytes) {
    if (static_cast<char>(bytes[0]) != M::kType) return nullptr;
    const M* const message = wire::view_as<M>(bytes);
    if (message == nullptr) throw FlowError(fmt::format("a feed message {} that is too short", M::kType));
    return message;
  }

  void directory(const itch::StockDirectory& directory) {
    if (!symbol_.empty() && directory.stock.view() != symbol_) return;
    if (locate_ != 0 && directory.head.locate != locate_) {
      throw FlowError("the feed is of several symbols; say which with --symbol");
    }
    locate_ = directory.head.locate;
  }

  bool book_changed(wire::Bytes bytes) {
    if (const auto* m = as<itch::AddOrder>(bytes)) {
      book_.add(m->order_ref, {m->price, m->shares, m->side == 'B'});
    } else if (const auto* f = as<itch::AddOrderMpid>(bytes)) {
      book_.add(f->order_ref, {f->price, f->shares, f->side == 'B'});
    } else if (const auto* e = as<itch::OrderExecuted>(bytes)) {
      execute(e->order_ref, e->shares, e->match_number, book_.order(e->order_ref).price, true);
    } else if (const auto* c = as<itch::OrderExecutedWithPrice>(bytes)) {
      execute(c->order_ref, c->shares, c->match_number, c->price, c->printable == 'Y');
    } else if (const auto* x = as<itch::OrderCancel>(bytes)) {
      book_.take(x->order_ref, x->shares);
    } else if (const auto* d = as<itch::OrderDelete>(bytes)) {
      book_.take(d->order_ref, book_.order(d->order_ref).shares);
    } else if (const auto* u = as<itch::OrderReplace>(bytes)) {
      const FeedBook::Order old = book_.order(u->old_ref);
      book_.take(u->old_ref, old.shares);
      book_.add(u->new_ref, {u->price, u->shares, old.buy});
    } else if (const auto* p = as<itch::Trade>(bytes)) {
      book_.cum_shares += p->shares;
    } else if (const auto* q = as<itch::CrossTrade>(bytes)) {
      book_.cum_shares += q->shares;
    } else {
      return false;
    }
    return true;
  }

  void execute(std::uint64_t ref, Quantity shares, std::uint64_t match, std::uint64_t price, bool printable) {
    executions_.feed_executed(match, ref, shares, price);
    book_.take(ref, shares);
    if (printable) book_.cum_shares += shares;
  }

  std::string symbol_;
  Executions& executions_;
  DepthCheck* depth_;
  std::uint16_t locate_ = 0;
  FeedBook book_;
};

/// What the FlowError of `read` says; "" without one.
template <class Read>
std::string fault_of(Read read) {
  try {
    read();
    return "";
  } catch (const FlowError& error) {
    return error.what();
  }
}

}  // namespace

std::vector<CheckResult> check_day(const CheckOptions& options) {
  // The files first: where none is whole there is nothing to walk through the capture for.
  std::vector<TradeRow> trades;
  std::optional<DepthCheck> depth;
  const std::string trades_fault = fault_of([&] {
    if (!options.trades_path.empty()) trades = read_trades(options.trades_path);
  });
  const std::string depth_fault = fault_of([&] {
    if (!options.depth_path.empty()) depth.emplace(options.depth_path);
  });
  const bool with_trades = !options.trades_path.empty() && trades_fault.empty();
  if (!with_trades && !depth) throw FlowError(trades_fault.empty() ? depth_fault : trades_fault);

  Executions executions(options.symbol);
  FeedWalk feed(options.symbol, executions, depth ? &*depth : nullptr);
  read_output(options.capture_path,
              {.answer = [&](ClientKey client, wire::Bytes message) { executions.answer(client, message); },
               .feed = [&](wire::Bytes message) { feed.message(message); }});
  if (!feed.found()) throw FlowError(fmt::format("{}: no feed of the symbol in it", options.capture_path));

  std::vector<CheckResult> results;
  if (with_trades) {
    results.push_back(compare_trades(options.trades_path, trades, executions.in_order(options.capture_path)));
  }
  if (!trades_fault.empty()) results.push_back({"executions NOT COMPARED", {trades_fault}});
  if (depth) results.push_back(depth->result());
  if (!depth_fault.empty()) results.push_back({"depth NOT COMPARED", {depth_fault}});
  return results;
}

}  // namespace crosswire
