// The order intake: see the header.
#include "netstack/intake/order_intake.hpp"

#include <bit>
#include <limits>
#include <new>

#include "hugepages/base/check.hpp"

namespace crosswire {
namespace {

using namespace wire;
using Count = ReceiveCounter;

std::uint64_t symbol_key(const SymbolName& name) { return std::bit_cast<std::uint64_t>(name); }

/// Nothing rare in the options of an Enter: what is_plain() asks of them.
bool are_plain(const OrderOptions& options) {
  return options.user_ref_idx == 0 && (options.min_quantity | options.kept.expire_seconds) == 0 &&
         options.kept.post_only == PostOnly::no;
}

}  // namespace

OrderIntake::OrderIntake(const NetConfig& net, const EngineConfig& engine, CommandWriter& commands, Orders& orders,
                         SlotSource& slots, ReceiveCounters& counters, Arena& arena)
    : commands_(commands),
      orders_(orders),
      slots_(slots),
      counters_(counters),
      symbols_(arena, engine.symbols.size()),
      accounts_(arena.array<Account>(net.accounts.size())),
      life_ends_(arena) {
  CHECK(engine.symbols.size() <= std::numeric_limits<std::uint16_t>::max(), "%zu symbols", engine.symbols.size());
  for (std::size_t i = 0; i < engine.symbols.size(); ++i) {
    symbols_.insert(symbol_key(engine.symbols[i].name), static_cast<std::uint16_t>(i + 1));
  }
  for (std::size_t i = 0; i < accounts_.size(); ++i) {
    accounts_[i] = {net.accounts[i].firm, TokenBucket(kMassCancelsPerSecond)};
  }
}

std::size_t OrderIntake::bytes_for(const NetConfig& net, const EngineConfig& engine) {
  return FixedMap::bytes_for(engine.symbols.size()) + Arena::bytes_for<Account>(net.accounts.size()) +
         LifeEnds::bytes_for();
}

SymbolId OrderIntake::find_symbol(const alpha<8>& name) const {
  const std::uint16_t* const found = symbols_.find(symbol_key(name.chars));
  return found == nullptr ? kNoSymbol : SymbolId{*found};
}

/// Without a free slot the held-back command goes out, since the message at hand will follow it in the burst: the last
/// slot may be the one that it holds.
[[gnu::always_inline]] inline bool OrderIntake::take_slot(OrderIndex& index) {
  if (slots_.take(index)) [[likely]]
    return true;
  commands_.publish_held_back();
  return false;
}

/// What Enter and Replace have in common: cold line 0, and the command but for what only an Enter says. All is written
/// straight into place: a record made aside would be copied before its own small stores have settled.
template <class Message>
[[gnu::always_inline]] inline Command& OrderIntake::make_order(CommandKind kind, SessionId session, OrderIndex slot,
                                                               const Message& message, const OrderOptions& options,
                                                               const Judgement& judged) {
  // Read once: the compiler has to think that what is written may be the message.
  const UserRefNum user_ref_num{message.user_ref_num};
  const std::uint32_t quantity = message.quantity;
  const std::uint64_t price = message.price;
  ::new (&orders_.asked(slot)) OrderAsked{.session = session,
                                          .user_ref_idx = options.user_ref_idx,
                                          .firm_given = options.kept.firm_given,
                                          .user_ref_num = user_ref_num,
                                          .cl_ord_id = message.cl_ord_id.chars,
                                          .time_in_force = static_cast<TimeInForce>(message.time_in_force),
                                          .display = message.display,
                                          .iso = message.iso,
                                          .reserved0 = {},
                                          .quantity = quantity,
                                          .price = price,
                                          .min_quantity = options.min_quantity,
                                          .reserved1 = {}};
  Command& command = commands_.make_head(kind, session);
  command.reject = static_cast<std::uint16_t>(judged.reject);
  ::new (&command.order) OrderAsk{.order = slot,
                                  .user_ref_num = user_ref_num,
                                  .orig_user_ref_num = {},
                                  .price = price_of(price),
                                  .quantity = quantity,
                                  .side = judged.side,
                                  .time_in_force = judged.time_in_force,
                                  .user_ref_idx = options.user_ref_idx,
                                  .display = judged.display,
                                  .min_quantity = options.min_quantity,
                                  .expire_seconds = options.kept.expire_seconds,
                                  .post_only = options.kept.post_only,
                                  .cross_type = judged.cross_type,
                                  .stay_on_disconnect = options.stay_on_disconnect,
                                  .self_trade = options.self_trade,
                                  .reserved = {}};
  if (judged.reject != kNoReject) counters_.add(Count::rejects);
  return command;
}

[[gnu::always_inline]] inline bool OrderIntake::enter(SessionId session, OrderIndex index,
                                                      const ouch::EnterOrder& message, const OrderOptions& options) {
  const SymbolId symbol = find_symbol(message.symbol);
  const Judgement judged = judge(message, symbol != kNoSymbol, options.reject);

  ::new (&orders_.resolved(index)) OrderResolved{.symbol_name = message.symbol.chars,
                                                 .firm = accounts_[session.value].firm,
                                                 .symbol = symbol,
                                                 .side = judged.side,
                                                 .capacity = message.capacity,
                                                 .cross_type = message.cross_type,
                                                 .reserved0 = {},
                                                 .kept = options.kept,
                                                 .reserved1 = {}};
  Command& command = make_order(CommandKind::enter, session, index, message, options, judged);
  command.symbol = symbol;
  command.flags = judged.plain && are_plain(options) ? kPlain : 0;
  return count(Count::enters);
}

/// Apart, so that an Enter without options, as most are, reads and builds none.
[[gnu::noinline]] bool OrderIntake::enter_with_options(SessionId session, OrderIndex index, Bytes bytes) {
  OrderOptions options =
      read_any_options(ouch::split<ouch::EnterOrder>(bytes), ouch::EnterOrder::kTags, accounts_[session.value].firm);
  if (options.kept.post_only == PostOnly::unsaid) options.kept.post_only = PostOnly::no;
  const ouch::EnterOrder& message = *view_as<ouch::EnterOrder>(bytes);
  // Without a life it is rejected.
  if (static_cast<TimeInForce>(message.time_in_force) == TimeInForce::gtt && options.kept.expire_seconds != 0)
    life_ends_.add(commands_.now(), options.kept.expire_seconds);
  return enter(session, index, message, options);
}

template <>
bool OrderIntake::take_one<ouch::EnterOrder>(SessionId session, Bytes bytes) {
  const ouch::Split split = ouch::split<ouch::EnterOrder>(bytes);
  if (split.fault == ouch::SplitFault::too_short) return count(Count::ouch_short);
  OrderIndex index;
  if (!take_slot(index)) return false;
  if (has_options(split)) return enter_with_options(session, index, bytes);
  static constexpr OrderOptions kNone{.kept = {.post_only = PostOnly::no}};
  return enter(session, index, *view_as<ouch::EnterOrder>(bytes), kNone);
}

/// Line 1 is the engine's to write: the original's, which it inherits.
template <>
bool OrderIntake::take_one<ouch::ReplaceOrder>(SessionId session, Bytes bytes) {
  const ouch::Split split = ouch::split<ouch::ReplaceOrder>(bytes);
  if (split.fault == ouch::SplitFault::too_short) return count(Count::ouch_short);
  OrderIndex index;
  if (!take_slot(index)) return false;
  const ouch::ReplaceOrder& message = *view_as<ouch::ReplaceOrder>(bytes);
  const OrderOptions options = read_options(split, ouch::ReplaceOrder::kTags, accounts_[session.value].firm);
  const Judgement judged{.reject = find_fault(message, options.reject),
                         .side = options.side,
                         .time_in_force = offered_or(message.time_in_force, TimeInForce::day),
                         .display = offered_or(message.display, Display::visible),
                         .cross_type = CrossType::continuous};
  Command& command = make_order(CommandKind::replace, session, index, message, options, judged);
  command.order.orig_user_ref_num = UserRefNum{message.orig_user_ref_num};
  if (is_plain(command)) command.flags |= kPlain;
  if (judged.time_in_force == TimeInForce::gtt) life_ends_.add(commands_.now(), options.kept.expire_seconds);
  return count(Count::replaces);
}

/// A Cancel, Modify or Account Query cannot be rejected: what is wrong with its options is silence.
template <>
bool OrderIntake::take_one<ouch::CancelOrder>(SessionId session, Bytes bytes) {
  const ouch::Split split = ouch::split<ouch::CancelOrder>(bytes);
  if (split.fault == ouch::SplitFault::too_short) return count(Count::ouch_short);
  const OrderOptions options = read_options(split, ouch::CancelOrder::kTags, {});
  if (options.reject != kNoReject) return count(Count::ouch_appendage);
  const ouch::CancelOrder& message = *view_as<ouch::CancelOrder>(bytes);
  Command& command = commands_.make(CommandKind::cancel, session);
  command.order.order = kNoOrder;
  command.order.user_ref_num = UserRefNum{message.user_ref_num};
  command.order.quantity = message.quantity;
  command.order.user_ref_idx = options.user_ref_idx;
  return count(Count::cancels);
}

template <>
bool OrderIntake::take_one<ouch::ModifyOrder>(SessionId session, Bytes bytes) {
  const ouch::Split split = ouch::split<ouch::ModifyOrder>(bytes);
  if (split.fault == ouch::SplitFault::too_short) return count(Count::ouch_short);
  const OrderOptions options = read_options(split, ouch::ModifyOrder::kTags, {});
  if (options.reject != kNoReject) return count(Count::ouch_appendage);
  const ouch::ModifyOrder& message = *view_as<ouch::ModifyOrder>(bytes);
  if (!is_side(message.side)) return count(Count::ouch_side);
  Command& command = commands_.make(CommandKind::modify, session);
  command.order.order = kNoOrder;
  command.order.user_ref_num = UserRefNum{message.user_ref_num};
  command.order.quantity = message.quantity;
  command.order.side = static_cast<Side>(message.side);
  command.order.user_ref_idx = options.user_ref_idx;
  return count(Count::modifies);
}

template <>
bool OrderIntake::take_one<ouch::AccountQuery>(SessionId session, Bytes bytes) {
  const ouch::Split split = ouch::split<ouch::AccountQuery>(bytes);
  const OrderOptions options = read_options(split, ouch::AccountQuery::kTags, {});
  if (options.reject != kNoReject) return count(Count::ouch_appendage);
  Command& command = commands_.make(CommandKind::account_query, session);
  command.order.order = kNoOrder;
  command.order.user_ref_idx = options.user_ref_idx;
  return count(Count::account_queries);
}

/// What Mass Cancel, Disable and Enable have in common; the firm is the first thing that can be wrong with them.
template <class Message>
Command& OrderIntake::make_firm(CommandKind kind, SessionId session, const Message& message,
                                const OrderOptions& options) {
  Command& command = commands_.make(kind, session);
  command.firm.user_ref_num = UserRefNum{message.user_ref_num};
  command.firm.firm = message.firm.chars;
  command.firm.user_ref_idx = options.user_ref_idx;
  if (!is_own_firm(message.firm.raw(), accounts_[session.value].firm)) {
    command.reject = static_cast<std::uint16_t>(ouch::RejectReason::firm_not_authorised);
  }
  return command;
}

template <>
bool OrderIntake::take_one<ouch::MassCancel>(SessionId session, Bytes bytes) {
  const ouch::Split split = ouch::split<ouch::MassCancel>(bytes);
  if (split.fault == ouch::SplitFault::too_short) return count(Count::ouch_short);
  const OrderOptions options = read_options(split, ouch::MassCancel::kTags, {});
  if (options.broken) return count(Count::ouch_appendage);
  const ouch::MassCancel& message = *view_as<ouch::MassCancel>(bytes);
  const bool all_symbols = message.symbol.view().empty();
  const SymbolId symbol = all_symbols ? kAllSymbols : find_symbol(message.symbol);
  const bool symbol_known = all_symbols || symbol != kNoSymbol;

  Command& command = make_firm(CommandKind::mass_cancel, session, message, options);
  command.symbol = symbol;
  command.firm.symbol_name = message.symbol.chars;
  command.firm.group_id = options.kept.group_id;
  command.firm.group_given = options.group_given;
  command.firm.side = options.side;
  if (command.reject == 0) {
    ouch::RejectReason reject = symbol_known ? options.reject : ouch::RejectReason::invalid_symbol;
    const bool in_time = reject != kNoReject || accounts_[session.value].mass_cancels.take(commands_.now());
    if (!in_time) reject = ouch::RejectReason::risk_port_message_rate;
    command.reject = static_cast<std::uint16_t>(reject);
  }
  counters_.add(Count::rejects, command.reject != 0);
  return count(Count::mass_cancels);
}

template <class Message>
bool OrderIntake::take_switch(CommandKind kind, ReceiveCounter counter, SessionId session, Bytes bytes) {
  const ouch::Split split = ouch::split<Message>(bytes);
  if (split.fault == ouch::SplitFault::too_short) return count(Count::ouch_short);
  const OrderOptions options = read_options(split, Message::kTags, {});
  if (options.broken) return count(Count::ouch_appendage);
  Command& command = make_firm(kind, session, *view_as<Message>(bytes), options);
  command.firm.kills = options.kills;
  if (options.kills) commands_.expect_kill(session);
  if (command.reject == 0) command.reject = static_cast<std::uint16_t>(options.reject);
  counters_.add(Count::rejects, command.reject != 0);
  return count(counter);
}

template <>
bool OrderIntake::take_one<ouch::DisableOrderEntry>(SessionId session, Bytes bytes) {
  return take_switch<ouch::DisableOrderEntry>(CommandKind::disable, Count::disables, session, bytes);
}

template <>
bool OrderIntake::take_one<ouch::EnableOrderEntry>(SessionId session, Bytes bytes) {
  return take_switch<ouch::EnableOrderEntry>(CommandKind::enable, Count::enables, session, bytes);
}

// Behind what it calls: a specialization is declared before it is used.
bool OrderIntake::take(SessionId session, Bytes message) {
  if (!commands_.has_room()) return false;
  if (message.empty()) return count(Count::ouch_short);
  switch (static_cast<char>(message[0])) {
    case ouch::EnterOrder::kType:
      return take_one<ouch::EnterOrder>(session, message);
    case ouch::CancelOrder::kType:
      return take_one<ouch::CancelOrder>(session, message);
    case ouch::ReplaceOrder::kType:
      return take_one<ouch::ReplaceOrder>(session, message);
    case ouch::ModifyOrder::kType:
      return take_one<ouch::ModifyOrder>(session, message);
    case ouch::AccountQuery::kType:
      return take_one<ouch::AccountQuery>(session, message);
    case ouch::MassCancel::kType:
      return take_one<ouch::MassCancel>(session, message);
    case ouch::DisableOrderEntry::kType:
      return take_one<ouch::DisableOrderEntry>(session, message);
    case ouch::EnableOrderEntry::kType:
      return take_one<ouch::EnableOrderEntry>(session, message);
    default:
      return count(Count::ouch_type_unknown);
  }
}

}  // namespace crosswire
