// The market from its feed: see feed_book.hpp.
#include "netstack/client/feed_book.hpp"

namespace crosswire::client {
namespace {

namespace itch = wire::itch;

constexpr std::array<char, 4> kNobody{' ', ' ', ' ', ' '};

}  // namespace

FeedFault FeedBook::apply(wire::Bytes message) {
  const auto* const info = message.empty() ? nullptr : itch::kMessages.find(static_cast<char>(message[0]));
  if (info == nullptr) return FeedFault::unknown_type;
  if (message.size() != info->size) return FeedFault::wrong_length;
  switch (static_cast<char>(message[0])) {
    case itch::StockDirectory::kType: {
      const auto& m = *wire::view_as<itch::StockDirectory>(message);
      symbols_[m.head.locate].name = m.stock.chars;
      return FeedFault::none;
    }
    case itch::StockTradingAction::kType: {
      const auto& m = *wire::view_as<itch::StockTradingAction>(message);
      symbols_[m.head.locate].state = m.state;
      return FeedFault::none;
    }
    case itch::AddOrder::kType: {
      const auto& m = *wire::view_as<itch::AddOrder>(message);
      return add(m.order_ref, {m.head.locate, m.side, m.shares, m.price, kNobody});
    }
    case itch::AddOrderMpid::kType: {
      const auto& m = *wire::view_as<itch::AddOrderMpid>(message);
      return add(m.order_ref, {m.head.locate, m.side, m.shares, m.price, m.attribution.chars});
    }
    case itch::OrderExecuted::kType: {
      const auto& m = *wire::view_as<itch::OrderExecuted>(message);
      const FeedFault fault = take(m.order_ref, m.shares);
      if (fault == FeedFault::none) trade(m.head.locate, m.shares);
      return fault;
    }
    case itch::OrderExecutedWithPrice::kType: {
      const auto& m = *wire::view_as<itch::OrderExecutedWithPrice>(message);
      const FeedFault fault = take(m.order_ref, m.shares);
      if (fault == FeedFault::none && m.printable == 'Y') trade(m.head.locate, m.shares);
      return fault;
    }
    case itch::OrderCancel::kType: {
      const auto& m = *wire::view_as<itch::OrderCancel>(message);
      return take(m.order_ref, m.shares);
    }
    case itch::OrderDelete::kType:
      return take(wire::view_as<itch::OrderDelete>(message)->order_ref, 0, true);
    case itch::OrderReplace::kType:
      return replace(*wire::view_as<itch::OrderReplace>(message));
    case itch::Trade::kType: {
      const auto& m = *wire::view_as<itch::Trade>(message);
      trade(m.head.locate, m.shares);
      return FeedFault::none;
    }
    case itch::CrossTrade::kType: {
      const auto& m = *wire::view_as<itch::CrossTrade>(message);
      trade(m.head.locate, m.shares);
      return FeedFault::none;
    }
    default:
      return FeedFault::none;
  }
}

FeedBook::Side& FeedBook::side_of(const Order& order) {
  Symbol& symbol = symbols_[order.locate];
  return order.side == 'B' ? symbol.bids : symbol.asks;
}

FeedFault FeedBook::add(std::uint64_t ref, const Order& order) {
  if (!orders_.try_emplace(ref, order).second) return FeedFault::repeated_order;
  Level& level = side_of(order)[order.price];
  level.shares += order.shares;
  ++level.orders;
  return FeedFault::none;
}

/// Shares off an order, or `all` that it has; without any left it is gone.
FeedFault FeedBook::take(std::uint64_t ref, std::uint32_t shares, bool all) {
  const auto found = orders_.find(ref);
  if (found == orders_.end()) return FeedFault::unknown_order;
  Order& order = found->second;
  if (all) shares = order.shares;
  if (shares > order.shares) return FeedFault::too_many_shares;
  Side& side = side_of(order);
  const auto level = side.find(order.price);
  level->second.shares -= shares;
  order.shares -= shares;
  if (order.shares > 0) return FeedFault::none;
  if (--level->second.orders == 0) side.erase(level);
  orders_.erase(found);
  return FeedFault::none;
}

/// Side, stock and attribution are the old order's (WIRE 5).
FeedFault FeedBook::replace(const itch::OrderReplace& message) {
  const auto found = orders_.find(message.old_ref);
  if (found == orders_.end()) return FeedFault::unknown_order;
  if (orders_.contains(message.new_ref)) return FeedFault::repeated_order;
  Order order = found->second;
  take(message.old_ref, 0, true);
  order.shares = message.shares;
  order.price = message.price;
  return add(message.new_ref, order);
}

void FeedBook::trade(std::uint16_t locate, std::uint64_t shares) {
  Symbol& symbol = symbols_[locate];
  symbol.volume += shares;
  ++symbol.trades;
}

}  // namespace crosswire::client
