// OUCH 5.0 (revision 1.04): the layouts of every message, and the split of a message into fixed part and options.
// Receive reads the inbound ones, transmit writes the outbound ones. Pure: no state, no allocation, no exceptions.
// Names, offsets and letters are those of WIRE 3.3. Integers are unsigned; prices are in 1/10000.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "netstack/wire/bytes.hpp"
#include "netstack/wire/message_table.hpp"
#include "netstack/wire/ouch_codes.hpp"
#include "netstack/wire/ouch_options.hpp"

namespace crosswire::wire::ouch {

/// Does a u16 with the length of the options follow the fixed part (WIRE 3.2)?
enum class Appendage : std::uint8_t {
  none,
  always,    // the length is there even without options
  optional,  // inbound: the client may leave length and options out. Outbound: there only if the order's inbound
             // message had a non-zero UserRefIdx
};

// ---- To the exchange ------------------------------------------------------------------------------------------------

struct EnterOrder {
  static constexpr std::string_view kName = "EnterOrder";
  static constexpr char kType = 'O';
  static constexpr Appendage kAppendage = Appendage::always;
  static constexpr TagSet kTags =
      TagSet(Tag::firm, Tag::min_qty, Tag::customer_type, Tag::max_floor, Tag::price_type, Tag::peg_offset,
             Tag::discretion_price, Tag::discretion_price_type, Tag::discretion_peg_offset, Tag::post_only,
             Tag::random_reserves, Tag::expire_time, Tag::trade_now, Tag::handle_inst, Tag::group_id,
             Tag::shares_located, Tag::locate_broker, Tag::user_ref_idx, Tag::stay_on_disconnect, Tag::self_trade);

  char type = kType;
  be32 user_ref_num;  // day-unique and strictly increasing per port (or per UserRefIdx), from 1
  char side;          // B buy, S sell, T sell short, E sell short exempt
  be32 quantity;      // 1 .. 999,999
  alpha<8> symbol;
  be64 price;           // 1/10000; at most 199,999.9900; 0x7FFFFFFF or 200,000.0000 = market (in a cross)
  char time_in_force;   // 0 day, 3 IOC, 5 GTX extended hours, 6 GTT (needs ExpireTime), E after hours
  char display;         // Y visible, N hidden, A attributable
  char capacity;        // A agency, P principal, R riskless, O other
  char iso;             // Y eligible, N not eligible
  char cross_type;      // N continuous, O opening, C closing, H halt/IPO, S, R, E, A: WIRE 3.3
  alpha<14> cl_ord_id;  // client's own reference; not checked for uniqueness
};
static_assert(kIsLayout<EnterOrder> && sizeof(EnterOrder) == 45 && offsetof(EnterOrder, cl_ord_id) == 31);

struct ReplaceOrder {
  static constexpr std::string_view kName = "ReplaceOrder";
  static constexpr char kType = 'U';
  static constexpr Appendage kAppendage = Appendage::always;
  static constexpr TagSet kTags =
      TagSet(Tag::min_qty, Tag::max_floor, Tag::price_type, Tag::post_only, Tag::expire_time, Tag::trade_now,
             Tag::handle_inst, Tag::random_reserves, Tag::peg_offset, Tag::discretion_price, Tag::discretion_price_type,
             Tag::discretion_peg_offset, Tag::shares_located, Tag::locate_broker, Tag::user_ref_idx, Tag::side,
             Tag::stay_on_disconnect, Tag::self_trade);

  char type = kType;
  be32 orig_user_ref_num;  // the live order
  be32 user_ref_num;       // number of the replacement; must be new and increasing
  be32 quantity;           // total liable for the whole chain, executions included; 1 .. 999,999
  be64 price;              // 1/10000
  char time_in_force;      // 0 day, 3 IOC, 5 GTX, 6 GTT
  char display;            // Y visible, N hidden, A attributable
  char iso;                // Y eligible, N not eligible
  alpha<14> cl_ord_id;
};
static_assert(kIsLayout<ReplaceOrder> && sizeof(ReplaceOrder) == 38 && offsetof(ReplaceOrder, cl_ord_id) == 24);

struct CancelOrder {
  static constexpr std::string_view kName = "CancelOrder";
  static constexpr char kType = 'X';
  static constexpr Appendage kAppendage = Appendage::optional;
  static constexpr TagSet kTags = TagSet(Tag::user_ref_idx);

  char type = kType;
  be32 user_ref_num;  // the order
  be32 quantity;      // new intended size: the most that may execute in all; 0 = cancel all that is open
};
static_assert(kIsLayout<CancelOrder> && sizeof(CancelOrder) == 9 && offsetof(CancelOrder, quantity) == 5);

struct ModifyOrder {
  static constexpr std::string_view kName = "ModifyOrder";
  static constexpr char kType = 'M';
  static constexpr Appendage kAppendage = Appendage::optional;
  static constexpr TagSet kTags = TagSet(Tag::user_ref_idx, Tag::shares_located, Tag::locate_broker);

  char type = kType;
  be32 user_ref_num;  // the order
  char side;          // allowed changes: S to E, S to T, E to T
  be32 quantity;      // new intended size; an increase is ignored
};
static_assert(kIsLayout<ModifyOrder> && sizeof(ModifyOrder) == 10 && offsetof(ModifyOrder, quantity) == 6);

struct MassCancel {
  static constexpr std::string_view kName = "MassCancel";
  static constexpr char kType = 'C';
  static constexpr Appendage kAppendage = Appendage::always;
  static constexpr TagSet kTags = TagSet(Tag::side, Tag::group_id, Tag::user_ref_idx);

  char type = kType;
  be32 user_ref_num;  // consumes a number
  alpha<4> firm;      // upper case
  alpha<8> symbol;    // spaces = all symbols
};
static_assert(kIsLayout<MassCancel> && sizeof(MassCancel) == 17 && offsetof(MassCancel, symbol) == 9);

struct DisableOrderEntry {
  static constexpr std::string_view kName = "DisableOrderEntry";
  static constexpr char kType = 'D';
  static constexpr Appendage kAppendage = Appendage::always;
  static constexpr TagSet kTags = TagSet(Tag::user_ref_idx, Tag::kill);

  char type = kType;
  be32 user_ref_num;
  alpha<4> firm;
};
static_assert(kIsLayout<DisableOrderEntry> && sizeof(DisableOrderEntry) == 9 && offsetof(DisableOrderEntry, firm) == 5);

struct EnableOrderEntry {
  static constexpr std::string_view kName = "EnableOrderEntry";
  static constexpr char kType = 'E';
  static constexpr Appendage kAppendage = Appendage::always;
  static constexpr TagSet kTags = TagSet(Tag::user_ref_idx);

  char type = kType;
  be32 user_ref_num;
  alpha<4> firm;
};
static_assert(kIsLayout<EnableOrderEntry> && sizeof(EnableOrderEntry) == 9 && offsetof(EnableOrderEntry, firm) == 5);

struct AccountQuery {
  static constexpr std::string_view kName = "AccountQuery";
  static constexpr char kType = 'Q';
  static constexpr Appendage kAppendage = Appendage::optional;
  static constexpr TagSet kTags = TagSet(Tag::user_ref_idx);

  char type = kType;
};
static_assert(kIsLayout<AccountQuery> && sizeof(AccountQuery) == 1);

// ---- From the exchange ----------------------------------------------------------------------------------------------

struct SystemEvent {
  static constexpr std::string_view kName = "SystemEvent";
  static constexpr char kType = 'S';
  static constexpr Appendage kAppendage = Appendage::none;
  static constexpr TagSet kTags = TagSet();

  char type = kType;
  be64 timestamp;  // ns since midnight
  char event;      // O S Q M E C: start of messages, system, market hours; end of market, system hours, messages
};
static_assert(kIsLayout<SystemEvent> && sizeof(SystemEvent) == 10 && offsetof(SystemEvent, event) == 9);

struct OrderAccepted {
  static constexpr std::string_view kName = "OrderAccepted";
  static constexpr char kType = 'A';
  static constexpr Appendage kAppendage = Appendage::always;
  static constexpr TagSet kTags =
      TagSet(Tag::firm, Tag::min_qty, Tag::customer_type, Tag::max_floor, Tag::price_type, Tag::peg_offset,
             Tag::discretion_price, Tag::discretion_price_type, Tag::discretion_peg_offset, Tag::post_only,
             Tag::random_reserves, Tag::route, Tag::expire_time, Tag::trade_now, Tag::handle_inst,
             Tag::bbo_weight_indicator, Tag::group_id, Tag::shares_located, Tag::user_ref_idx, Tag::stay_on_disconnect);

  char type = kType;
  be64 timestamp;  // ns since midnight
  be32 user_ref_num;
  char side;
  be32 quantity;
  alpha<8> symbol;
  be64 price;          // 1/10000; as accepted: equal to or better than entered (may be re-priced)
  char time_in_force;  // as accepted: equal or shorter scope
  char display;        // Y visible, N hidden, A attributable, Z conformant
  be64 order_ref;      // exchange's day-unique number (the number ITCH uses)
  char capacity;
  char iso;
  char cross_type;
  char order_state;  // L live, D dead: nothing more will come for it
  alpha<14> cl_ord_id;
};
static_assert(kIsLayout<OrderAccepted> && sizeof(OrderAccepted) == 62 && offsetof(OrderAccepted, cl_ord_id) == 48);

struct OrderReplaced {
  static constexpr std::string_view kName = "OrderReplaced";
  static constexpr char kType = 'U';
  static constexpr Appendage kAppendage = Appendage::always;
  static constexpr TagSet kTags =
      TagSet(Tag::firm, Tag::min_qty, Tag::max_floor, Tag::price_type, Tag::post_only, Tag::expire_time, Tag::trade_now,
             Tag::handle_inst, Tag::bbo_weight_indicator, Tag::user_ref_idx, Tag::stay_on_disconnect);

  char type = kType;
  be64 timestamp;  // ns since midnight
  be32 orig_user_ref_num;
  be32 user_ref_num;
  char side;
  be32 quantity;  // shares outstanding after the replace
  alpha<8> symbol;
  be64 price;  // 1/10000
  char time_in_force;
  char display;  // Y, N, A, Z
  be64 order_ref;
  char capacity;
  char iso;
  char cross_type;
  char order_state;  // L live, D dead: nothing more will come for it
  alpha<14> cl_ord_id;
};
static_assert(kIsLayout<OrderReplaced> && sizeof(OrderReplaced) == 66 && offsetof(OrderReplaced, cl_ord_id) == 52);

struct OrderCanceled {
  static constexpr std::string_view kName = "OrderCanceled";
  static constexpr char kType = 'C';
  static constexpr Appendage kAppendage = Appendage::optional;
  static constexpr TagSet kTags = TagSet(Tag::user_ref_idx);

  char type = kType;
  be64 timestamp;  // ns since midnight
  be32 user_ref_num;
  be32 quantity;  // shares canceled now (incremental)
  char reason;    // see cancel reasons
};
static_assert(kIsLayout<OrderCanceled> && sizeof(OrderCanceled) == 18 && offsetof(OrderCanceled, reason) == 17);

struct AiqCanceled {
  static constexpr std::string_view kName = "AiqCanceled";
  static constexpr char kType = 'D';
  static constexpr Appendage kAppendage = Appendage::optional;
  static constexpr TagSet kTags = TagSet(Tag::user_ref_idx);

  char type = kType;
  be64 timestamp;  // ns since midnight
  be32 user_ref_num;
  be32 decrement;        // shares canceled now (incremental)
  char reason;           // always Q
  be32 prevented;        // shares that would have traded
  be64 execution_price;  // 1/10000; price at which they would have
  char liquidity;
  char aiq_strategy;  // strategy used on the cancelled order
};
static_assert(kIsLayout<AiqCanceled> && sizeof(AiqCanceled) == 32 && offsetof(AiqCanceled, aiq_strategy) == 31);

struct OrderExecuted {
  static constexpr std::string_view kName = "OrderExecuted";
  static constexpr char kType = 'E';
  static constexpr Appendage kAppendage = Appendage::always;
  static constexpr TagSet kTags = TagSet(Tag::user_ref_idx);

  char type = kType;
  be64 timestamp;  // ns since midnight
  be32 user_ref_num;
  be32 quantity;      // shares executed now (incremental)
  be64 price;         // 1/10000
  char liquidity;     // see liquidity flags
  be64 match_number;  // same number on both sides of the trade (and in ITCH)
};
static_assert(kIsLayout<OrderExecuted> && sizeof(OrderExecuted) == 34 && offsetof(OrderExecuted, match_number) == 26);

struct BrokenTrade {
  static constexpr std::string_view kName = "BrokenTrade";
  static constexpr char kType = 'B';
  static constexpr Appendage kAppendage = Appendage::optional;
  static constexpr TagSet kTags = TagSet(Tag::user_ref_idx);

  char type = kType;
  be64 timestamp;  // ns since midnight
  be32 user_ref_num;
  be64 match_number;
  char reason;  // E erroneous, C consent, S supervisory, X external
  alpha<14> cl_ord_id;
};
static_assert(kIsLayout<BrokenTrade> && sizeof(BrokenTrade) == 36 && offsetof(BrokenTrade, cl_ord_id) == 22);

struct Rejected {
  static constexpr std::string_view kName = "Rejected";
  static constexpr char kType = 'J';
  static constexpr Appendage kAppendage = Appendage::optional;
  static constexpr TagSet kTags = TagSet(Tag::user_ref_idx);

  char type = kType;
  be64 timestamp;     // ns since midnight
  be32 user_ref_num;  // consumed: may not be used again
  be16 reason;        // see reject reasons
  alpha<14> cl_ord_id;
};
static_assert(kIsLayout<Rejected> && sizeof(Rejected) == 29 && offsetof(Rejected, cl_ord_id) == 15);

struct CancelPending {
  static constexpr std::string_view kName = "CancelPending";
  static constexpr char kType = 'P';
  static constexpr Appendage kAppendage = Appendage::optional;
  static constexpr TagSet kTags = TagSet(Tag::user_ref_idx);

  char type = kType;
  be64 timestamp;  // ns since midnight
  be32 user_ref_num;
};
static_assert(kIsLayout<CancelPending> && sizeof(CancelPending) == 13 && offsetof(CancelPending, user_ref_num) == 9);

struct CancelReject {
  static constexpr std::string_view kName = "CancelReject";
  static constexpr char kType = 'I';
  static constexpr Appendage kAppendage = Appendage::optional;
  static constexpr TagSet kTags = TagSet(Tag::user_ref_idx);

  char type = kType;
  be64 timestamp;  // ns since midnight
  be32 user_ref_num;
};
static_assert(kIsLayout<CancelReject> && sizeof(CancelReject) == 13 && offsetof(CancelReject, user_ref_num) == 9);

struct PriorityUpdate {
  static constexpr std::string_view kName = "PriorityUpdate";
  static constexpr char kType = 'T';
  static constexpr Appendage kAppendage = Appendage::optional;
  static constexpr TagSet kTags = TagSet(Tag::user_ref_idx);

  char type = kType;
  be64 timestamp;  // ns since midnight
  be32 user_ref_num;
  be64 price;      // 1/10000
  char display;    // Y price to comply
  be64 order_ref;  // the new number
};
static_assert(kIsLayout<PriorityUpdate> && sizeof(PriorityUpdate) == 30 && offsetof(PriorityUpdate, order_ref) == 22);

struct OrderModified {
  static constexpr std::string_view kName = "OrderModified";
  static constexpr char kType = 'M';
  static constexpr Appendage kAppendage = Appendage::optional;
  static constexpr TagSet kTags = TagSet(Tag::user_ref_idx, Tag::shares_located, Tag::locate_broker);

  char type = kType;
  be64 timestamp;  // ns since midnight
  be32 user_ref_num;
  char side;
  be32 quantity;  // shares outstanding
};
static_assert(kIsLayout<OrderModified> && sizeof(OrderModified) == 18 && offsetof(OrderModified, quantity) == 14);

struct OrderRestated {
  static constexpr std::string_view kName = "OrderRestated";
  static constexpr char kType = 'R';
  static constexpr Appendage kAppendage = Appendage::always;
  static constexpr TagSet kTags =
      TagSet(Tag::display_quantity, Tag::display_price, Tag::secondary_ord_ref_num, Tag::user_ref_idx);

  char type = kType;
  be64 timestamp;  // ns since midnight
  be32 user_ref_num;
  char reason;  // R refresh of display (reserve order), P update of displayed price
};
static_assert(kIsLayout<OrderRestated> && sizeof(OrderRestated) == 14 && offsetof(OrderRestated, reason) == 13);

struct MassCancelResponse {
  static constexpr std::string_view kName = "MassCancelResponse";
  static constexpr char kType = 'X';
  static constexpr Appendage kAppendage = Appendage::always;
  static constexpr TagSet kTags = TagSet(Tag::side, Tag::group_id, Tag::user_ref_idx);

  char type = kType;
  be64 timestamp;  // ns since midnight
  be32 user_ref_num;
  alpha<4> firm;
  alpha<8> symbol;
};
static_assert(kIsLayout<MassCancelResponse> && sizeof(MassCancelResponse) == 25 &&
              offsetof(MassCancelResponse, symbol) == 17);

struct DisableOrderEntryResponse {
  static constexpr std::string_view kName = "DisableOrderEntryResponse";
  static constexpr char kType = 'G';
  static constexpr Appendage kAppendage = Appendage::always;
  static constexpr TagSet kTags = TagSet(Tag::user_ref_idx, Tag::kill);

  char type = kType;
  be64 timestamp;  // ns since midnight
  be32 user_ref_num;
  alpha<4> firm;
};
static_assert(kIsLayout<DisableOrderEntryResponse> && sizeof(DisableOrderEntryResponse) == 17 &&
              offsetof(DisableOrderEntryResponse, firm) == 13);

struct EnableOrderEntryResponse {
  static constexpr std::string_view kName = "EnableOrderEntryResponse";
  static constexpr char kType = 'K';
  static constexpr Appendage kAppendage = Appendage::always;
  static constexpr TagSet kTags = TagSet(Tag::user_ref_idx);

  char type = kType;
  be64 timestamp;  // ns since midnight
  be32 user_ref_num;
  alpha<4> firm;
};
static_assert(kIsLayout<EnableOrderEntryResponse> && sizeof(EnableOrderEntryResponse) == 17 &&
              offsetof(EnableOrderEntryResponse, firm) == 13);

struct AccountQueryResponse {
  static constexpr std::string_view kName = "AccountQueryResponse";
  static constexpr char kType = 'Q';
  static constexpr Appendage kAppendage = Appendage::optional;
  static constexpr TagSet kTags = TagSet(Tag::user_ref_idx);

  char type = kType;
  be64 timestamp;          // ns since midnight
  be32 next_user_ref_num;  // the next number free to use
};
static_assert(kIsLayout<AccountQueryResponse> && sizeof(AccountQueryResponse) == 13 &&
              offsetof(AccountQueryResponse, next_user_ref_num) == 9);

// ---- Tables and the split -------------------------------------------------------------------------------------------

struct MessageInfo {
  std::string_view name;
  char type;
  std::uint8_t size;  // of the fixed part, type letter included
  Appendage appendage;
  TagSet tags;  // options that it may carry
};

template <class M>
inline constexpr MessageInfo kInfo{M::kName, M::kType, sizeof(M), M::kAppendage, M::kTags};

/// By type letter; the letters of the two directions overlap.
inline constexpr MessageTable kInbound{std::array{kInfo<EnterOrder>, kInfo<ReplaceOrder>, kInfo<CancelOrder>,
                                                  kInfo<ModifyOrder>, kInfo<MassCancel>, kInfo<DisableOrderEntry>,
                                                  kInfo<EnableOrderEntry>, kInfo<AccountQuery>}};
inline constexpr MessageTable kOutbound{
    std::array{kInfo<SystemEvent>, kInfo<OrderAccepted>, kInfo<OrderReplaced>, kInfo<OrderCanceled>, kInfo<AiqCanceled>,
               kInfo<OrderExecuted>, kInfo<BrokenTrade>, kInfo<Rejected>, kInfo<CancelPending>, kInfo<CancelReject>,
               kInfo<PriorityUpdate>, kInfo<OrderModified>, kInfo<OrderRestated>, kInfo<MassCancelResponse>,
               kInfo<DisableOrderEntryResponse>, kInfo<EnableOrderEntryResponse>, kInfo<AccountQueryResponse>}};

enum class SplitFault : std::uint8_t {
  none,
  too_short,          // not even the fixed part
  appendage_missing,  // ends where the length of the options must be
  appendage_length,   // that length disagrees with the bytes that are there
  trailing_bytes,     // a message that takes no options goes on
};

struct Split {
  Bytes options;  // what follows the length: for OptionReader. Not looked into yet
  bool has_appendage = false;
  SplitFault fault = SplitFault::none;
};

/// Finds the options of a message whose transport told its exact size. The type letter is not looked at.
constexpr Split split(std::size_t fixed_size, Appendage appendage, Bytes message) {
  if (message.size() < fixed_size) return {.fault = SplitFault::too_short};
  const Bytes remaining = message.subspan(fixed_size);
  if (remaining.empty())
    return {.fault = appendage == Appendage::always ? SplitFault::appendage_missing : SplitFault::none};
  if (appendage == Appendage::none) return {.fault = SplitFault::trailing_bytes};
  if (remaining.size() < sizeof(be16) ||
      remaining.size() - sizeof(be16) != (std::size_t{remaining[0]} << 8 | remaining[1]))
    return {.fault = SplitFault::appendage_length};
  return {.options = remaining.subspan(sizeof(be16)), .has_appendage = true};
}

constexpr Split split(const MessageInfo& info, Bytes message) { return split(info.size, info.appendage, message); }

/// The same where the type is known. Without a fault, view_as<M>(message) is there.
template <class M>
constexpr Split split(Bytes message) {
  return split(sizeof(M), M::kAppendage, message);
}

// ---- Writing --------------------------------------------------------------------------------------------------------

/// The options of a message that has none.
struct NoOptions {
  void operator()(OptionWriter&) const {}
};

/// Writes the fixed part, then what `options(writer)` puts: the appendage is there if the message always has one, or
/// has options. Returns the message's bytes. `room` is at least the fixed part and 2 bytes; options beyond it are left
/// out.
template <class M, class Options>
std::size_t write_message(std::span<std::uint8_t> room, const M& message, Options&& options) {
  overlay<M>(room.data()) = message;
  if constexpr (M::kAppendage == Appendage::none) return sizeof(M);
  OptionWriter writer(room.subspan(sizeof(M)));
  options(writer);
  const std::size_t appendage = writer.finish();
  const bool wanted = M::kAppendage == Appendage::always || appendage > sizeof(be16);
  return sizeof(M) + (wanted ? appendage : 0);
}

}  // namespace crosswire::wire::ouch
