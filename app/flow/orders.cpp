// A recorded day's orders as frames: see orders.hpp. Tools only.
#include "app/flow/orders.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "app/files/whole_file.hpp"
#include "app/flow/config.hpp"
#include "app/flow/csv.hpp"
#include "app/flow/error.hpp"
#include "app/flow/frames.hpp"
#include "app/flow/message.hpp"
#include "app/flow/mirror.hpp"
#include "app/flow/progress.hpp"

namespace crosswire {
namespace {

constexpr TimeNs kLoginAhead = kNsPerSecond;  // of the first order

/// splitmix64's finaliser: consecutive order numbers spread evenly over the sessions.
std::uint64_t mixed(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

SessionId session_of(std::uint64_t order, std::uint32_t sessions) {
  return SessionId{static_cast<std::uint16_t>(mixed(order) % sessions)};
}

SymbolName padded(const std::string& symbol) {
  SymbolName name;
  name.fill(' ');
  std::copy_n(symbol.begin(), std::min(symbol.size(), name.size()), name.begin());
  return name;
}

/// An upper bound of what lives at once: executions would only lower it.
EngineConfig engine_for(const std::vector<OrderRow>& rows, const OrderFlowOptions& options) {
  std::unordered_set<std::uint64_t> live;
  std::unordered_set<std::uint32_t> prices;
  std::uint64_t most_live = 0;
  for (const OrderRow& row : rows) {
    if (row.kind == OrderRow::Kind::remove) live.erase(row.order);
    if (row.kind != OrderRow::Kind::add) continue;
    live.insert(row.order);
    prices.insert(row.price.value);
    most_live = std::max<std::uint64_t>(most_live, live.size());
  }
  EngineConfig engine;
  const Price reference = options.day ? options.day->reference : rows.front().price;
  engine.symbols = {{padded(options.symbol), reference, options.day ? options.day->tick_e4 : 1}};
  engine.sessions = options.sessions;
  size_limits(engine, most_live, 2 * prices.size());
  return engine;
}

/// Gives each row its OUCH message.
class OrderMessages {
 public:
  OrderMessages(const EngineConfig& engine, const std::vector<PhaseChange>& schedule, const OrderFlowOptions& options)
      : options_(options), next_ref_(engine.sessions, 1), mirror_(engine, schedule) {}

  FlowMessage message(const OrderRow& row) {
    FlowMessage message{};
    message.time_ns = row.time_ns;
    message.session = session_of(row.order, options_.sessions);
    message.side = row.side;
    check_phase(row);
    if (row.kind == OrderRow::Kind::add) {
      message.kind = CommandKind::enter;
      message.symbol = SymbolId{1};
      message.user_ref_num = UserRefNum{next_ref_[message.session.value]++};
      message.price = row.price;
      message.quantity = row.shares;
      message.time_in_force = TimeInForce::day;
      message.cl_ord_id = row.order;
      check_number(row, message.session);
      refs_.insert_or_assign(row.order, Entered{message.user_ref_num, row.line});
    } else {
      message.kind = CommandKind::cancel;
      message.user_ref_num = refs_.at(row.order).user_ref_num;
      message.quantity = may_execute(message, row);
    }
    mirror_.apply(message);
    return message;
  }

  const EngineMirror& mirror() const { return mirror_; }
  std::uint64_t without_effect() const { return without_effect_; }
  const std::string& first_without_effect() const { return first_without_effect_; }
  void finish(TimeNs end_ns) { mirror_.advance(end_ns); }

 private:
  /// OUCH's Cancel names the most that may execute in all, or 0; the row what stays open.
  Quantity may_execute(const FlowMessage& message, const OrderRow& row) {
    mirror_.advance(row.time_ns);
    const HotOrder* const order = mirror_.find(message.session, message.user_ref_num);
    const bool reduce = row.kind == OrderRow::Kind::reduce;
    const Quantity open = order == nullptr ? 0 : order->open;
    if (open <= (reduce ? row.shares : 0)) no_effect(row, open);
    return reduce ? row.shares + (order == nullptr ? 0 : order->executed) : 0;
  }

  /// It would be rejected, and its cancel blamed.
  void check_phase(const OrderRow& row) const {
    if (!options_.day || options_.day->schedule.empty() || row.time_ns >= options_.day->schedule.front().at_ns) return;
    throw FlowError(fmt::format("{}:{}: order {} is before the first phase of the day; correct its time, or the phases",
                                options_.orders_path, row.line, row.order));
  }

  /// The number of an order that is dead may come again.
  void check_number(const OrderRow& row, SessionId session) {
    const auto entered = refs_.find(row.order);
    if (entered == refs_.end()) return;
    mirror_.advance(row.time_ns);
    if (mirror_.find(session, entered->second.user_ref_num) == nullptr) return;
    throw FlowError(fmt::format("{}:{}: order {} is there since line {}", options_.orders_path, row.line, row.order,
                                entered->second.line));
  }

  /// The exchange matched otherwise than the engine does here: without the day's phases, or by rules of its own. What
  /// comes of it the comparison with its trades says.
  void no_effect(const OrderRow& row, Quantity open) {
    if (++without_effect_ > 1) return;
    const char* const kind = row.kind == OrderRow::Kind::reduce ? "reduced" : "cancelled";
    first_without_effect_ = fmt::format("{}:{}: order {} cannot be {}: it has {} left", options_.orders_path, row.line,
                                        row.order, kind, counted(open, "share"));
  }

  struct Entered {
    UserRefNum user_ref_num;
    std::uint32_t line;
  };

  const OrderFlowOptions& options_;
  std::uint64_t without_effect_ = 0;
  std::string first_without_effect_;
  std::vector<std::uint32_t> next_ref_;
  std::unordered_map<std::uint64_t, Entered> refs_;  // by order number, the last of it
  EngineMirror mirror_;
};

}  // namespace

OrderFlowFigures write_order_flow(const OrderFlowOptions& options) {
  const std::vector<OrderRow> rows = read_orders(options.orders_path, options.day ? options.day->tick_e4 : 1);
  FlowVenue venue;
  venue.title = options.day && !options.day->venue.empty() ? options.day->venue : options.symbol;
  venue.midnight_epoch_ns = options.day ? options.day->midnight_epoch_ns : 0;
  venue.engine = engine_for(rows, options);
  if (options.day) venue.schedule = options.day->schedule;

  WholeFile capture(options.capture_path);
  std::optional<WholeFile> config;
  if (!options.config_path.empty()) config.emplace(options.config_path);
  CaptureWriter writer(capture.path());
  const TimeNs first_ns = rows.front().time_ns;
  OrderEntryFrames frames(writer, venue.midnight_epoch_ns, options.sessions, {venue.engine.symbols[0].name},
                          first_ns - std::min(first_ns, kLoginAhead));
  OrderMessages messages(venue.engine, venue.schedule, options);
  FlowProgress progress(rows.size());
  OrderFlowFigures figures{};
  for (const OrderRow& row : rows) {
    frames.send(messages.message(row));
    figures.enters += row.kind == OrderRow::Kind::add;
    figures.cancels += row.kind == OrderRow::Kind::remove;
    figures.reductions += row.kind == OrderRow::Kind::reduce;
    progress.step();
    if (!writer.error().empty()) break;
  }
  // The clients stay until the last phase, so that its executions reach them.
  const TimeNs end_ns = std::max(rows.back().time_ns, venue.schedule.empty() ? 0 : venue.schedule.back().at_ns);
  frames.finish(end_ns);
  messages.finish(end_ns);
  const std::string error = writer.close();
  if (!error.empty()) throw FlowError(error);
  if (config) {
    write_flow_config(config->path(), venue, frames.accounts());
    config->commit();
  }
  capture.commit();
  figures.without_effect = messages.without_effect();
  figures.first_without_effect = messages.first_without_effect();
  figures.frames = writer.frames();
  figures.executions = messages.mirror().engine().counters().get(EngineCounter::executions);
  return figures;
}

}  // namespace crosswire
