// The fields of every message by the names that WIRE gives them, so that tests can fill, compare and print them.
#pragma once

#include "netstack/wire/itch.hpp"
#include "netstack/wire/ouch.hpp"
#include "netstack/wire/soup.hpp"

namespace crosswire::wire::test {

// Calls f(name, field) for each field in the order of the bytes.
template <class F>
void visit(ouch::EnterOrder& m, F&& f) {
  f("type", m.type);
  f("user_ref_num", m.user_ref_num);
  f("side", m.side);
  f("quantity", m.quantity);
  f("symbol", m.symbol);
  f("price", m.price);
  f("time_in_force", m.time_in_force);
  f("display", m.display);
  f("capacity", m.capacity);
  f("iso", m.iso);
  f("cross_type", m.cross_type);
  f("cl_ord_id", m.cl_ord_id);
}
template <class F>
void visit(ouch::ReplaceOrder& m, F&& f) {
  f("type", m.type);
  f("orig_user_ref_num", m.orig_user_ref_num);
  f("user_ref_num", m.user_ref_num);
  f("quantity", m.quantity);
  f("price", m.price);
  f("time_in_force", m.time_in_force);
  f("display", m.display);
  f("iso", m.iso);
  f("cl_ord_id", m.cl_ord_id);
}
template <class F>
void visit(ouch::CancelOrder& m, F&& f) {
  f("type", m.type);
  f("user_ref_num", m.user_ref_num);
  f("quantity", m.quantity);
}
template <class F>
void visit(ouch::ModifyOrder& m, F&& f) {
  f("type", m.type);
  f("user_ref_num", m.user_ref_num);
  f("side", m.side);
  f("quantity", m.quantity);
}
template <class F>
void visit(ouch::MassCancel& m, F&& f) {
  f("type", m.type);
  f("user_ref_num", m.user_ref_num);
  f("firm", m.firm);
  f("symbol", m.symbol);
}
template <class F>
void visit(ouch::DisableOrderEntry& m, F&& f) {
  f("type", m.type);
  f("user_ref_num", m.user_ref_num);
  f("firm", m.firm);
}
template <class F>
void visit(ouch::EnableOrderEntry& m, F&& f) {
  f("type", m.type);
  f("user_ref_num", m.user_ref_num);
  f("firm", m.firm);
}
template <class F>
void visit(ouch::AccountQuery& m, F&& f) {
  f("type", m.type);
}
template <class F>
void visit(ouch::SystemEvent& m, F&& f) {
  f("type", m.type);
  f("timestamp", m.timestamp);
  f("event", m.event);
}
template <class F>
void visit(ouch::OrderAccepted& m, F&& f) {
  f("type", m.type);
  f("timestamp", m.timestamp);
  f("user_ref_num", m.user_ref_num);
  f("side", m.side);
  f("quantity", m.quantity);
  f("symbol", m.symbol);
  f("price", m.price);
  f("time_in_force", m.time_in_force);
  f("display", m.display);
  f("order_ref", m.order_ref);
  f("capacity", m.capacity);
  f("iso", m.iso);
  f("cross_type", m.cross_type);
  f("order_state", m.order_state);
  f("cl_ord_id", m.cl_ord_id);
}
template <class F>
void visit(ouch::OrderReplaced& m, F&& f) {
  f("type", m.type);
  f("timestamp", m.timestamp);
  f("orig_user_ref_num", m.orig_user_ref_num);
  f("user_ref_num", m.user_ref_num);
  f("side", m.side);
  f("quantity", m.quantity);
  f("symbol", m.symbol);
  f("price", m.price);
  f("time_in_force", m.time_in_force);
  f("display", m.display);
  f("order_ref", m.order_ref);
  f("capacity", m.capacity);
  f("iso", m.iso);
  f("cross_type", m.cross_type);
  f("order_state", m.order_state);
  f("cl_ord_id", m.cl_ord_id);
}
template <class F>
void visit(ouch::OrderCanceled& m, F&& f) {
  f("type", m.type);
  f("timestamp", m.timestamp);
  f("user_ref_num", m.user_ref_num);
  f("quantity", m.quantity);
  f("reason", m.reason);
}
template <class F>
void visit(ouch::AiqCanceled& m, F&& f) {
  f("type", m.type);
  f("timestamp", m.timestamp);
  f("user_ref_num", m.user_ref_num);
  f("decrement", m.decrement);
  f("reason", m.reason);
  f("prevented", m.prevented);
  f("execution_price", m.execution_price);
  f("liquidity", m.liquidity);
  f("aiq_strategy", m.aiq_strategy);
}
template <class F>
void visit(ouch::OrderExecuted& m, F&& f) {
  f("type", m.type);
  f("timestamp", m.timestamp);
  f("user_ref_num", m.user_ref_num);
  f("quantity", m.quantity);
  f("price", m.price);
  f("liquidity", m.liquidity);
  f("match_number", m.match_number);
}
template <class F>
void visit(ouch::BrokenTrade& m, F&& f) {
  f("type", m.type);
  f("timestamp", m.timestamp);
  f("user_ref_num", m.user_ref_num);
  f("match_number", m.match_number);
  f("reason", m.reason);
  f("cl_ord_id", m.cl_ord_id);
}
template <class F>
void visit(ouch::Rejected& m, F&& f) {
  f("type", m.type);
  f("timestamp", m.timestamp);
  f("user_ref_num", m.user_ref_num);
  f("reason", m.reason);
  f("cl_ord_id", m.cl_ord_id);
}
template <class F>
void visit(ouch::CancelPending& m, F&& f) {
  f("type", m.type);
  f("timestamp", m.timestamp);
  f("user_ref_num", m.user_ref_num);
}
template <class F>
void visit(ouch::CancelReject& m, F&& f) {
  f("type", m.type);
  f("timestamp", m.timestamp);
  f("user_ref_num", m.user_ref_num);
}
template <class F>
void visit(ouch::PriorityUpdate& m, F&& f) {
  f("type", m.type);
  f("timestamp", m.timestamp);
  f("user_ref_num", m.user_ref_num);
  f("price", m.price);
  f("display", m.display);
  f("order_ref", m.order_ref);
}
template <class F>
void visit(ouch::OrderModified& m, F&& f) {
  f("type", m.type);
  f("timestamp", m.timestamp);
  f("user_ref_num", m.user_ref_num);
  f("side", m.side);
  f("quantity", m.quantity);
}
template <class F>
void visit(ouch::OrderRestated& m, F&& f) {
  f("type", m.type);
  f("timestamp", m.timestamp);
  f("user_ref_num", m.user_ref_num);
  f("reason", m.reason);
}
template <class F>
void visit(ouch::MassCancelResponse& m, F&& f) {
  f("type", m.type);
  f("timestamp", m.timestamp);
  f("user_ref_num", m.user_ref_num);
  f("firm", m.firm);
  f("symbol", m.symbol);
}
template <class F>
void visit(ouch::DisableOrderEntryResponse& m, F&& f) {
  f("type", m.type);
  f("timestamp", m.timestamp);
  f("user_ref_num", m.user_ref_num);
  f("firm", m.firm);
}
template <class F>
void visit(ouch::EnableOrderEntryResponse& m, F&& f) {
  f("type", m.type);
  f("timestamp", m.timestamp);
  f("user_ref_num", m.user_ref_num);
  f("firm", m.firm);
}
template <class F>
void visit(ouch::AccountQueryResponse& m, F&& f) {
  f("type", m.type);
  f("timestamp", m.timestamp);
  f("next_user_ref_num", m.next_user_ref_num);
}
template <class F>
void visit(itch::SystemEvent& m, F&& f) {
  f("type", m.head.type);
  f("locate", m.head.locate);
  f("tracking", m.head.tracking);
  f("timestamp", m.head.timestamp);
  f("event", m.event);
}
template <class F>
void visit(itch::StockDirectory& m, F&& f) {
  f("type", m.head.type);
  f("locate", m.head.locate);
  f("tracking", m.head.tracking);
  f("timestamp", m.head.timestamp);
  f("stock", m.stock);
  f("market_category", m.market_category);
  f("financial_status", m.financial_status);
  f("round_lot_size", m.round_lot_size);
  f("round_lots_only", m.round_lots_only);
  f("issue_class", m.issue_class);
  f("issue_subtype", m.issue_subtype);
  f("authenticity", m.authenticity);
  f("short_threshold", m.short_threshold);
  f("ipo_flag", m.ipo_flag);
  f("luld_tier", m.luld_tier);
  f("etp_flag", m.etp_flag);
  f("etp_leverage", m.etp_leverage);
  f("inverse", m.inverse);
}
template <class F>
void visit(itch::StockTradingAction& m, F&& f) {
  f("type", m.head.type);
  f("locate", m.head.locate);
  f("tracking", m.head.tracking);
  f("timestamp", m.head.timestamp);
  f("stock", m.stock);
  f("state", m.state);
  f("reserved", m.reserved);
  f("reason", m.reason);
}
template <class F>
void visit(itch::RegShoRestriction& m, F&& f) {
  f("type", m.head.type);
  f("locate", m.head.locate);
  f("tracking", m.head.tracking);
  f("timestamp", m.head.timestamp);
  f("stock", m.stock);
  f("action", m.action);
}
template <class F>
void visit(itch::MarketParticipantPosition& m, F&& f) {
  f("type", m.head.type);
  f("locate", m.head.locate);
  f("tracking", m.head.tracking);
  f("timestamp", m.head.timestamp);
  f("mpid", m.mpid);
  f("stock", m.stock);
  f("primary_mm", m.primary_mm);
  f("mm_mode", m.mm_mode);
  f("state", m.state);
}
template <class F>
void visit(itch::MwcbDeclineLevel& m, F&& f) {
  f("type", m.head.type);
  f("locate", m.head.locate);
  f("tracking", m.head.tracking);
  f("timestamp", m.head.timestamp);
  f("level1", m.level1);
  f("level2", m.level2);
  f("level3", m.level3);
}
template <class F>
void visit(itch::MwcbStatus& m, F&& f) {
  f("type", m.head.type);
  f("locate", m.head.locate);
  f("tracking", m.head.tracking);
  f("timestamp", m.head.timestamp);
  f("breached", m.breached);
}
template <class F>
void visit(itch::IpoQuotingPeriod& m, F&& f) {
  f("type", m.head.type);
  f("locate", m.head.locate);
  f("tracking", m.head.tracking);
  f("timestamp", m.head.timestamp);
  f("stock", m.stock);
  f("release_time", m.release_time);
  f("qualifier", m.qualifier);
  f("ipo_price", m.ipo_price);
}
template <class F>
void visit(itch::LuldAuctionCollar& m, F&& f) {
  f("type", m.head.type);
  f("locate", m.head.locate);
  f("tracking", m.head.tracking);
  f("timestamp", m.head.timestamp);
  f("stock", m.stock);
  f("reference_price", m.reference_price);
  f("upper_price", m.upper_price);
  f("lower_price", m.lower_price);
  f("extension", m.extension);
}
template <class F>
void visit(itch::OperationalHalt& m, F&& f) {
  f("type", m.head.type);
  f("locate", m.head.locate);
  f("tracking", m.head.tracking);
  f("timestamp", m.head.timestamp);
  f("stock", m.stock);
  f("market", m.market);
  f("action", m.action);
}
template <class F>
void visit(itch::AddOrder& m, F&& f) {
  f("type", m.head.type);
  f("locate", m.head.locate);
  f("tracking", m.head.tracking);
  f("timestamp", m.head.timestamp);
  f("order_ref", m.order_ref);
  f("side", m.side);
  f("shares", m.shares);
  f("stock", m.stock);
  f("price", m.price);
}
template <class F>
void visit(itch::AddOrderMpid& m, F&& f) {
  f("type", m.head.type);
  f("locate", m.head.locate);
  f("tracking", m.head.tracking);
  f("timestamp", m.head.timestamp);
  f("order_ref", m.order_ref);
  f("side", m.side);
  f("shares", m.shares);
  f("stock", m.stock);
  f("price", m.price);
  f("attribution", m.attribution);
}
template <class F>
void visit(itch::OrderExecuted& m, F&& f) {
  f("type", m.head.type);
  f("locate", m.head.locate);
  f("tracking", m.head.tracking);
  f("timestamp", m.head.timestamp);
  f("order_ref", m.order_ref);
  f("shares", m.shares);
  f("match_number", m.match_number);
}
template <class F>
void visit(itch::OrderExecutedWithPrice& m, F&& f) {
  f("type", m.head.type);
  f("locate", m.head.locate);
  f("tracking", m.head.tracking);
  f("timestamp", m.head.timestamp);
  f("order_ref", m.order_ref);
  f("shares", m.shares);
  f("match_number", m.match_number);
  f("printable", m.printable);
  f("price", m.price);
}
template <class F>
void visit(itch::OrderCancel& m, F&& f) {
  f("type", m.head.type);
  f("locate", m.head.locate);
  f("tracking", m.head.tracking);
  f("timestamp", m.head.timestamp);
  f("order_ref", m.order_ref);
  f("shares", m.shares);
}
template <class F>
void visit(itch::OrderDelete& m, F&& f) {
  f("type", m.head.type);
  f("locate", m.head.locate);
  f("tracking", m.head.tracking);
  f("timestamp", m.head.timestamp);
  f("order_ref", m.order_ref);
}
template <class F>
void visit(itch::OrderReplace& m, F&& f) {
  f("type", m.head.type);
  f("locate", m.head.locate);
  f("tracking", m.head.tracking);
  f("timestamp", m.head.timestamp);
  f("old_ref", m.old_ref);
  f("new_ref", m.new_ref);
  f("shares", m.shares);
  f("price", m.price);
}
template <class F>
void visit(itch::Trade& m, F&& f) {
  f("type", m.head.type);
  f("locate", m.head.locate);
  f("tracking", m.head.tracking);
  f("timestamp", m.head.timestamp);
  f("order_ref", m.order_ref);
  f("side", m.side);
  f("shares", m.shares);
  f("stock", m.stock);
  f("price", m.price);
  f("match_number", m.match_number);
}
template <class F>
void visit(itch::CrossTrade& m, F&& f) {
  f("type", m.head.type);
  f("locate", m.head.locate);
  f("tracking", m.head.tracking);
  f("timestamp", m.head.timestamp);
  f("shares", m.shares);
  f("stock", m.stock);
  f("price", m.price);
  f("match_number", m.match_number);
  f("cross_type", m.cross_type);
}
template <class F>
void visit(itch::BrokenTrade& m, F&& f) {
  f("type", m.head.type);
  f("locate", m.head.locate);
  f("tracking", m.head.tracking);
  f("timestamp", m.head.timestamp);
  f("match_number", m.match_number);
}
template <class F>
void visit(itch::NetOrderImbalance& m, F&& f) {
  f("type", m.head.type);
  f("locate", m.head.locate);
  f("tracking", m.head.tracking);
  f("timestamp", m.head.timestamp);
  f("paired", m.paired);
  f("imbalance", m.imbalance);
  f("direction", m.direction);
  f("stock", m.stock);
  f("far_price", m.far_price);
  f("near_price", m.near_price);
  f("reference_price", m.reference_price);
  f("cross_type", m.cross_type);
  f("variation", m.variation);
}
template <class F>
void visit(itch::RetailInterest& m, F&& f) {
  f("type", m.head.type);
  f("locate", m.head.locate);
  f("tracking", m.head.tracking);
  f("timestamp", m.head.timestamp);
  f("stock", m.stock);
  f("interest", m.interest);
}
template <class F>
void visit(itch::DirectListing& m, F&& f) {
  f("type", m.head.type);
  f("locate", m.head.locate);
  f("tracking", m.head.tracking);
  f("timestamp", m.head.timestamp);
  f("stock", m.stock);
  f("eligibility", m.eligibility);
  f("min_price", m.min_price);
  f("max_price", m.max_price);
  f("near_price", m.near_price);
  f("near_time", m.near_time);
  f("lower_collar", m.lower_collar);
  f("upper_collar", m.upper_collar);
}
template <class F>
void visit(itch::Snapshot& m, F&& f) {
  f("type", m.type);
  f("sequence", m.sequence);
}
template <class F>
void visit(soup::LoginRequest& m, F&& f) {
  f("username", m.username);
  f("password", m.password);
  f("session", m.session);
  f("sequence", m.sequence);
}
template <class F>
void visit(soup::LoginAccepted& m, F&& f) {
  f("session", m.session);
  f("sequence", m.sequence);
}

// Calls f.template operator()<M>() for each message.
template <class F>
void for_each_inbound(F&& f) {
  f.template operator()<ouch::EnterOrder>();
  f.template operator()<ouch::ReplaceOrder>();
  f.template operator()<ouch::CancelOrder>();
  f.template operator()<ouch::ModifyOrder>();
  f.template operator()<ouch::MassCancel>();
  f.template operator()<ouch::DisableOrderEntry>();
  f.template operator()<ouch::EnableOrderEntry>();
  f.template operator()<ouch::AccountQuery>();
}
template <class F>
void for_each_outbound(F&& f) {
  f.template operator()<ouch::SystemEvent>();
  f.template operator()<ouch::OrderAccepted>();
  f.template operator()<ouch::OrderReplaced>();
  f.template operator()<ouch::OrderCanceled>();
  f.template operator()<ouch::AiqCanceled>();
  f.template operator()<ouch::OrderExecuted>();
  f.template operator()<ouch::BrokenTrade>();
  f.template operator()<ouch::Rejected>();
  f.template operator()<ouch::CancelPending>();
  f.template operator()<ouch::CancelReject>();
  f.template operator()<ouch::PriorityUpdate>();
  f.template operator()<ouch::OrderModified>();
  f.template operator()<ouch::OrderRestated>();
  f.template operator()<ouch::MassCancelResponse>();
  f.template operator()<ouch::DisableOrderEntryResponse>();
  f.template operator()<ouch::EnableOrderEntryResponse>();
  f.template operator()<ouch::AccountQueryResponse>();
}
template <class F>
void for_each_itch(F&& f) {
  f.template operator()<itch::SystemEvent>();
  f.template operator()<itch::StockDirectory>();
  f.template operator()<itch::StockTradingAction>();
  f.template operator()<itch::RegShoRestriction>();
  f.template operator()<itch::MarketParticipantPosition>();
  f.template operator()<itch::MwcbDeclineLevel>();
  f.template operator()<itch::MwcbStatus>();
  f.template operator()<itch::IpoQuotingPeriod>();
  f.template operator()<itch::LuldAuctionCollar>();
  f.template operator()<itch::OperationalHalt>();
  f.template operator()<itch::AddOrder>();
  f.template operator()<itch::AddOrderMpid>();
  f.template operator()<itch::OrderExecuted>();
  f.template operator()<itch::OrderExecutedWithPrice>();
  f.template operator()<itch::OrderCancel>();
  f.template operator()<itch::OrderDelete>();
  f.template operator()<itch::OrderReplace>();
  f.template operator()<itch::Trade>();
  f.template operator()<itch::CrossTrade>();
  f.template operator()<itch::BrokenTrade>();
  f.template operator()<itch::NetOrderImbalance>();
  f.template operator()<itch::RetailInterest>();
  f.template operator()<itch::DirectListing>();
  f.template operator()<itch::Snapshot>();
}

}  // namespace crosswire::wire::test
