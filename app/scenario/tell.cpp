// Events in words: see the header.
#include "app/scenario/tell.hpp"

#include <fmt/format.h>

#include "app/ctl/protocol.hpp"
#include "netstack/wire/ouch_codes.hpp"

namespace crosswire {
namespace {

using wire::ouch::CancelReason;
using wire::ouch::RejectReason;

/// Those that the exchange gives; docs/messages.md, section 6, says what each is.
constexpr Word<RejectReason> kRejectWords[] = {
    {"destination_closed", RejectReason::destination_closed},
    {"invalid_display", RejectReason::invalid_display},
    {"invalid_max_floor", RejectReason::invalid_max_floor},
    {"quote_unavailable", RejectReason::quote_unavailable},
    {"invalid_peg_type", RejectReason::invalid_peg_type},
    {"halted", RejectReason::halted},
    {"iso_not_allowed", RejectReason::iso_not_allowed},
    {"invalid_side", RejectReason::invalid_side},
    {"processing_error", RejectReason::processing_error},
    {"cancel_pending", RejectReason::cancel_pending},
    {"firm_not_authorised", RejectReason::firm_not_authorised},
    {"invalid_min_quantity", RejectReason::invalid_min_quantity},
    {"other", RejectReason::other},
    {"pegging_not_allowed", RejectReason::pegging_not_allowed},
    {"invalid_quantity", RejectReason::invalid_quantity},
    {"invalid_cross_order", RejectReason::invalid_cross_order},
    {"invalid_symbol", RejectReason::invalid_symbol},
    {"retail_not_allowed", RejectReason::retail_not_allowed},
    {"invalid_price", RejectReason::invalid_price},
    {"exceeds_maximum_notional_value", RejectReason::exceeds_maximum_notional_value},
    {"risk_aggregate_exposure_exceeded", RejectReason::risk_aggregate_exposure_exceeded},
    {"risk_restricted_stock", RejectReason::risk_restricted_stock},
    {"risk_fat_finger", RejectReason::risk_fat_finger},
    {"risk_symbol_message_rate", RejectReason::risk_symbol_message_rate},
    {"risk_port_message_rate", RejectReason::risk_port_message_rate},
    {"risk_duplicate_message_rate", RejectReason::risk_duplicate_message_rate},
    {"risk_short_sell_not_allowed", RejectReason::risk_short_sell_not_allowed},
    {"risk_order_type_not_allowed", RejectReason::risk_market_order_not_allowed},
    {"risk_short_sell_exempt_not_allowed", RejectReason::risk_short_sell_exempt_not_allowed},
    {"risk_single_order_notional_exceeded", RejectReason::risk_single_order_notional_exceeded},
    {"risk_max_quantity_exceeded", RejectReason::risk_max_quantity_exceeded},
};
constexpr Word<CancelReason> kCancelWords[] = {
    {"user", CancelReason::user},
    {"ioc", CancelReason::immediate_or_cancel},
    {"closed", CancelReason::closed},
    {"expired", CancelReason::time_in_force_expired},
    {"post_only_hidden", CancelReason::post_only_slid},
    {"post_only", CancelReason::post_only_slid_displayed},
    {"stopped", CancelReason::supervisory},
    {"system", CancelReason::system},
    {"market_collars", CancelReason::market_collars},
};
constexpr Word<char> kCrossWords[] = {{"opening", 'O'}, {"closing", 'C'}, {"halt", 'H'}};
constexpr Word<char> kDirectionWords[] = {{"buy", 'B'}, {"sell", 'S'}, {"even", 'N'}, {"none", 'O'}};

/// Of one event; what it names can be read meanwhile.
class Telling {
 public:
  Telling(const Event& event, const Orders& orders, const Names& names)
      : event_(event), orders_(orders), names_(names) {}

  std::string text() const {
    switch (event_.kind) {
      case EventKind::accepted:
        return fmt::format("accepted {}{}", name_of(event_.order.order), terms());
      case EventKind::replaced:
        return fmt::format("replaced {} by {}{}",
                           names_.order_name({session_of(event_.order.order), event_.order.user_ref_num}),
                           name_of(event_.order.order), terms());
      case EventKind::canceled:
        return fmt::format("canceled {} {} {} {}", name_of(event_.order.order), event_.order.quantity,
                           event_.order.code, word_for(kCancelWords, static_cast<CancelReason>(event_.order.code))) +
               left(event_.order.open);
      case EventKind::modified:
        return fmt::format("modified {} {}", name_of(event_.order.order), word_for(kSideWords, event_.order.side)) +
               left(event_.order.open);
      case EventKind::prevented:
        return prevented();
      case EventKind::rejected:
        return rejected();
      case EventKind::refused:
        return fmt::format("refused {}", name_of(event_.order.order));
      case EventKind::account:
        return fmt::format("next {} {}", names_.account_name(event_.session), event_.order.user_ref_num.value);
      case EventKind::executed:
        return execution("executed", "");
      case EventKind::crossed:
        return execution("crossed", word_for(kCrossWords, event_.cross_type));
      case EventKind::mass_cancel:
        return fmt::format("mass_cancel {}", names_.account_name(event_.session));
      case EventKind::disable:
        return fmt::format("disabled {}", names_.account_name(event_.session));
      case EventKind::enable:
        return fmt::format("enabled {}", names_.account_name(event_.session));
      case EventKind::operated:
        return operated();
      default:
        return of_the_feed();
    }
  }

 private:
  /// What the feed alone tells.
  std::string of_the_feed() const {
    const std::string symbol = names_.symbol_name(event_.symbol);
    switch (event_.kind) {
      case EventKind::phase:
        return fmt::format("phase {} {}", symbol, phase_name(event_.phase.phase));
      case EventKind::halt_level:
        return fmt::format("halt_level {}", event_.halt_level.level);
      case EventKind::cross_done:
        return fmt::format("cross {} {} {}{}", symbol, word_for(kCrossWords, event_.cross.cross_type),
                           event_.cross.paired, price(event_.cross.price));
      case EventKind::imbalance:
        return fmt::format("imbalance {} paired {} left {} {}{}", symbol, event_.cross.paired, event_.cross.imbalance,
                           word_for(kDirectionWords, event_.cross.direction), price(event_.cross.price));
      default:
        return "";
    }
  }

  std::string terms() const {
    const OrderEvent& order = event_.order;
    const OrderResolved& resolved = orders_.resolved(order.order);
    return fmt::format(" {} {} {} @ {}{}", word_for(kSideWords, order.side), order.quantity,
                       names_.symbol_name(resolved.symbol), format_order_price(order.price),
                       order.code == 'D' ? " dead" : "");
  }

  std::string prevented() const {
    const Prevention& said = event_.prevention;
    return fmt::format("prevented {} {} @ {} {}", name_of(said.order), said.quantity, format_price(said.price.value),
                       word_for(kSelfTradeWords, said.action)) +
           left(said.open);
  }

  std::string rejected() const {
    const OrderIndex order = event_.order.order;
    return fmt::format("rejected {} 0x{:04X} {}",
                       order == kNoOrder ? names_.account_name(event_.session) : name_of(order), event_.reject,
                       word_for(kRejectWords, static_cast<RejectReason>(event_.reject)));
  }

  std::string execution(std::string_view kind, std::string_view cross) const {
    const Execution& done = event_.execution;
    return fmt::format("{} {} @ {} {} with {}{}{}", kind, done.quantity, format_price(done.price.value),
                       name_of(done.order), name_of(done.resting), cross.empty() ? "" : " ", cross);
  }

  std::string operated() const {
    const Operated& done = event_.operated;
    std::string text = fmt::format("operated {} {}", action_name(done.action), result_name(done.result));
    if (done.held > 0) text += fmt::format(" held {}", done.held);
    if (done.action == OperatorAction::kill) text += fmt::format(" canceled {}", done.canceled);
    return text;
  }

  SessionId session_of(OrderIndex order) const { return orders_.asked(order).session; }
  std::string name_of(OrderIndex order) const {
    const OrderAsked& asked = orders_.asked(order);
    return names_.order_name({asked.session, asked.user_ref_num});
  }
  static std::string price(Price price) { return price == kNoPrice ? "" : " @ " + format_price(price.value); }
  static std::string left(Quantity open) { return open == 0 ? "" : fmt::format(" left {}", open); }

  const Event& event_;
  const Orders& orders_;
  const Names& names_;
};

std::string tell_level(const BookPools& pools, const Level& level) {
  std::uint64_t shown = 0;
  for (OrderIndex i = level.head; i != kNoOrder; i = pools.orders.hot(i).next) {
    if (!pools.orders.hot(i).hidden) shown += pools.orders.hot(i).open;
  }
  std::string text;
  const std::string price = format_order_price(level.price);
  if (shown > 0) text += fmt::format(" {} x {}", shown, price);
  if (level.shares > shown) text += fmt::format(" hidden {} x {}", level.shares - shown, price);
  return text;
}

}  // namespace

std::string tell(const Event& event, const Orders& orders, const Names& names) {
  return Telling(event, orders, names).text();
}

std::string tell_book(const Engine& engine, SymbolId symbol) {
  const BookPools& pools = engine.pools();
  std::string text;
  for (const bool buy : {true, false}) {
    const Ladder& ladder = engine.book(symbol).side(buy);
    if (ladder.empty()) continue;
    text += buy ? "bid" : text.empty() ? "ask" : " ask";
    for (Rank rank = ladder.best(); rank != kNoRank; rank = ladder.after(pools.nodes, rank)) {
      text += tell_level(pools, pools.levels[ladder.find(pools.nodes, rank)]);
    }
  }
  return text;
}

}  // namespace crosswire
