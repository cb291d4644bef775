// ITCH 5.0: the layouts of every feed message, and GLIMPSE's Snapshot.
// Publish writes them, feed clients read them. Pure: no state, no allocation, no exceptions.
// Names, offsets and letters are those of WIRE 5 and 6. Integers are unsigned; prices are in 1/10000.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "netstack/wire/bytes.hpp"
#include "netstack/wire/message_table.hpp"

namespace crosswire::wire::itch {

/// The first 11 bytes of every ITCH message.
struct Header {
  char type;
  be16 locate;     // day-dynamic index of the instrument, from 1; 0 = not about one
  be16 tracking;   // exchange's internal number
  be48 timestamp;  // ns since midnight
};
static_assert(kIsLayout<Header> && sizeof(Header) == 11 && offsetof(Header, timestamp) == 5);

/// The header of message M: `overlay<AddOrder>(at) = {.head = head<AddOrder>(locate, tracking, time_ns), ..}`.
template <class M>
constexpr Header head(std::uint16_t locate, std::uint16_t tracking, std::uint64_t time_ns) {
  return {.type = M::kType, .locate = locate, .tracking = tracking, .timestamp = time_ns};
}

struct SystemEvent {
  static constexpr std::string_view kName = "SystemEvent";
  static constexpr char kType = 'S';

  Header head{.type = kType};
  char event;  // O S Q M E C: start of messages, system, market hours; end of market, system hours, messages
};
static_assert(kIsLayout<SystemEvent> && sizeof(SystemEvent) == 12 && offsetof(SystemEvent, event) == 11);

struct StockDirectory {
  static constexpr std::string_view kName = "StockDirectory";
  static constexpr char kType = 'R';

  Header head{.type = kType};
  alpha<8> stock;
  char market_category;   // letters of this and the next five fields: WIRE 5
  char financial_status;  // N normal, space none
  be32 round_lot_size;
  char round_lots_only;    // Y, N
  char issue_class;        // C common, O ordinary, Q other, ..
  alpha<2> issue_subtype;  // two-letter table, Z not applicable
  char authenticity;       // P production, T test
  char short_threshold;    // Y restricted, N not, space none
  char ipo_flag;           // Y set up for IPO release, N not, Z non-IPO new listing, space none
  char luld_tier;          // 1, 2, space none
  char etp_flag;           // Y, N, space none
  be32 etp_leverage;
  char inverse;  // Y, N
};
static_assert(kIsLayout<StockDirectory> && sizeof(StockDirectory) == 39 && offsetof(StockDirectory, inverse) == 38);

struct StockTradingAction {
  static constexpr std::string_view kName = "StockTradingAction";
  static constexpr char kType = 'H';

  Header head{.type = kType};
  alpha<8> stock;
  char state;       // H halted, P paused, Q quotation only, T trading
  char reserved;    // space
  alpha<4> reason;  // T1, H10, LUDP, MWC1, IPO1, .. or spaces
};
static_assert(kIsLayout<StockTradingAction> && sizeof(StockTradingAction) == 25 &&
              offsetof(StockTradingAction, reason) == 21);

struct RegShoRestriction {
  static constexpr std::string_view kName = "RegShoRestriction";
  static constexpr char kType = 'Y';

  Header head{.type = kType};
  alpha<8> stock;
  char action;  // 0 none, 1 in effect from an intraday drop, 2 remains in effect
};
static_assert(kIsLayout<RegShoRestriction> && sizeof(RegShoRestriction) == 20 &&
              offsetof(RegShoRestriction, action) == 19);

struct MarketParticipantPosition {
  static constexpr std::string_view kName = "MarketParticipantPosition";
  static constexpr char kType = 'L';

  Header head{.type = kType};
  alpha<4> mpid;
  alpha<8> stock;
  char primary_mm;  // Y, N
  char mm_mode;     // N normal, P passive, S syndicate, R pre-syndicate, L penalty
  char state;       // A active, E excused, W withdrawn, S suspended, D deleted
};
static_assert(kIsLayout<MarketParticipantPosition> && sizeof(MarketParticipantPosition) == 26 &&
              offsetof(MarketParticipantPosition, state) == 25);

struct MwcbDeclineLevel {
  static constexpr std::string_view kName = "MwcbDeclineLevel";
  static constexpr char kType = 'V';

  Header head{.type = kType};
  be64 level1;  // 1/100000000
  be64 level2;  // 1/100000000
  be64 level3;  // 1/100000000
};
static_assert(kIsLayout<MwcbDeclineLevel> && sizeof(MwcbDeclineLevel) == 35 &&
              offsetof(MwcbDeclineLevel, level3) == 27);

struct MwcbStatus {
  static constexpr std::string_view kName = "MwcbStatus";
  static constexpr char kType = 'W';

  Header head{.type = kType};
  char breached;  // 1, 2, 3
};
static_assert(kIsLayout<MwcbStatus> && sizeof(MwcbStatus) == 12 && offsetof(MwcbStatus, breached) == 11);

struct IpoQuotingPeriod {
  static constexpr std::string_view kName = "IpoQuotingPeriod";
  static constexpr char kType = 'K';

  Header head{.type = kType};
  alpha<8> stock;
  be32 release_time;  // seconds since midnight
  char qualifier;     // A anticipated, C cancelled or postponed
  be32 ipo_price;     // 1/10000
};
static_assert(kIsLayout<IpoQuotingPeriod> && sizeof(IpoQuotingPeriod) == 28 &&
              offsetof(IpoQuotingPeriod, ipo_price) == 24);

struct LuldAuctionCollar {
  static constexpr std::string_view kName = "LuldAuctionCollar";
  static constexpr char kType = 'J';

  Header head{.type = kType};
  alpha<8> stock;
  be32 reference_price;  // 1/10000
  be32 upper_price;      // 1/10000
  be32 lower_price;      // 1/10000
  be32 extension;        // number of extensions so far
};
static_assert(kIsLayout<LuldAuctionCollar> && sizeof(LuldAuctionCollar) == 35 &&
              offsetof(LuldAuctionCollar, extension) == 31);

struct OperationalHalt {
  static constexpr std::string_view kName = "OperationalHalt";
  static constexpr char kType = 'h';

  Header head{.type = kType};
  alpha<8> stock;
  char market;  // Q Nasdaq, B BX (Nasdaq Texas), X PSX
  char action;  // H halted, T resumed
};
static_assert(kIsLayout<OperationalHalt> && sizeof(OperationalHalt) == 21 && offsetof(OperationalHalt, action) == 20);

struct AddOrder {
  static constexpr std::string_view kName = "AddOrder";
  static constexpr char kType = 'A';

  Header head{.type = kType};
  be64 order_ref;  // day-unique
  char side;       // B, S
  be32 shares;
  alpha<8> stock;
  be32 price;  // 1/10000
};
static_assert(kIsLayout<AddOrder> && sizeof(AddOrder) == 36 && offsetof(AddOrder, price) == 32);

struct AddOrderMpid {
  static constexpr std::string_view kName = "AddOrderMpid";
  static constexpr char kType = 'F';

  Header head{.type = kType};
  be64 order_ref;
  char side;  // B, S
  be32 shares;
  alpha<8> stock;
  be32 price;            // 1/10000
  alpha<4> attribution;  // MPID
};
static_assert(kIsLayout<AddOrderMpid> && sizeof(AddOrderMpid) == 40 && offsetof(AddOrderMpid, attribution) == 36);

struct OrderExecuted {
  static constexpr std::string_view kName = "OrderExecuted";
  static constexpr char kType = 'E';

  Header head{.type = kType};
  be64 order_ref;
  be32 shares;
  be64 match_number;
};
static_assert(kIsLayout<OrderExecuted> && sizeof(OrderExecuted) == 31 && offsetof(OrderExecuted, match_number) == 23);

struct OrderExecutedWithPrice {
  static constexpr std::string_view kName = "OrderExecutedWithPrice";
  static constexpr char kType = 'C';

  Header head{.type = kType};
  be64 order_ref;
  be32 shares;
  be64 match_number;
  char printable;  // Y counts in time-and-sales and volume, N does not
  be32 price;      // 1/10000
};
static_assert(kIsLayout<OrderExecutedWithPrice> && sizeof(OrderExecutedWithPrice) == 36 &&
              offsetof(OrderExecutedWithPrice, price) == 32);

struct OrderCancel {
  static constexpr std::string_view kName = "OrderCancel";
  static constexpr char kType = 'X';

  Header head{.type = kType};
  be64 order_ref;
  be32 shares;
};
static_assert(kIsLayout<OrderCancel> && sizeof(OrderCancel) == 23 && offsetof(OrderCancel, shares) == 19);

struct OrderDelete {
  static constexpr std::string_view kName = "OrderDelete";
  static constexpr char kType = 'D';

  Header head{.type = kType};
  be64 order_ref;
};
static_assert(kIsLayout<OrderDelete> && sizeof(OrderDelete) == 19 && offsetof(OrderDelete, order_ref) == 11);

struct OrderReplace {
  static constexpr std::string_view kName = "OrderReplace";
  static constexpr char kType = 'U';

  Header head{.type = kType};
  be64 old_ref;
  be64 new_ref;
  be32 shares;
  be32 price;  // 1/10000
};
static_assert(kIsLayout<OrderReplace> && sizeof(OrderReplace) == 35 && offsetof(OrderReplace, price) == 31);

struct Trade {
  static constexpr std::string_view kName = "Trade";
  static constexpr char kType = 'P';

  Header head{.type = kType};
  be64 order_ref;  // 0
  char side;       // B since 2014-07-14, whatever the side
  be32 shares;
  alpha<8> stock;
  be32 price;  // 1/10000
  be64 match_number;
};
static_assert(kIsLayout<Trade> && sizeof(Trade) == 44 && offsetof(Trade, match_number) == 36);

struct CrossTrade {
  static constexpr std::string_view kName = "CrossTrade";
  static constexpr char kType = 'Q';

  Header head{.type = kType};
  be64 shares;
  alpha<8> stock;
  be32 price;  // 1/10000
  be64 match_number;
  char cross_type;  // O opening, C closing, H halt/IPO, I intraday (old), A extended close
};
static_assert(kIsLayout<CrossTrade> && sizeof(CrossTrade) == 40 && offsetof(CrossTrade, cross_type) == 39);

struct BrokenTrade {
  static constexpr std::string_view kName = "BrokenTrade";
  static constexpr char kType = 'B';

  Header head{.type = kType};
  be64 match_number;
};
static_assert(kIsLayout<BrokenTrade> && sizeof(BrokenTrade) == 19 && offsetof(BrokenTrade, match_number) == 11);

struct NetOrderImbalance {
  static constexpr std::string_view kName = "NetOrderImbalance";
  static constexpr char kType = 'I';

  Header head{.type = kType};
  be64 paired;
  be64 imbalance;
  char direction;  // B buy, S sell, N none, O insufficient orders, P paused
  alpha<8> stock;
  be32 far_price;        // 1/10000
  be32 near_price;       // 1/10000
  be32 reference_price;  // 1/10000
  char cross_type;       // O, C, H, A
  char variation;        // L under 1%, 1-9 under 2%..10%, A under 20%, B under 30%, C 30% or more, space none
};
static_assert(kIsLayout<NetOrderImbalance> && sizeof(NetOrderImbalance) == 50 &&
              offsetof(NetOrderImbalance, variation) == 49);

struct RetailInterest {
  static constexpr std::string_view kName = "RetailInterest";
  static constexpr char kType = 'N';

  Header head{.type = kType};
  alpha<8> stock;
  char interest;  // B, S, A both, N none
};
static_assert(kIsLayout<RetailInterest> && sizeof(RetailInterest) == 20 && offsetof(RetailInterest, interest) == 19);

struct DirectListing {
  static constexpr std::string_view kName = "DirectListing";
  static constexpr char kType = 'O';

  Header head{.type = kType};
  alpha<8> stock;
  char eligibility;  // Y, N
  be32 min_price;    // 1/10000
  be32 max_price;    // 1/10000
  be32 near_price;   // 1/10000
  be64 near_time;
  be32 lower_collar;  // 1/10000
  be32 upper_collar;  // 1/10000
};
static_assert(kIsLayout<DirectListing> && sizeof(DirectListing) == 48 && offsetof(DirectListing, upper_collar) == 44);

/// GLIMPSE 5.0: the last message of a snapshot (WIRE 6).
struct Snapshot {
  static constexpr std::string_view kName = "Snapshot";
  static constexpr char kType = 'G';

  char type = kType;
  alpha<20> sequence;  // left-justified decimal: number of the first ITCH message that the snapshot does not contain
};
static_assert(kIsLayout<Snapshot> && sizeof(Snapshot) == 21);

struct MessageInfo {
  std::string_view name;
  char type;
  std::uint8_t size;  // whole: ITCH messages have no variable part
};

template <class M>
inline constexpr MessageInfo kInfo{M::kName, M::kType, sizeof(M)};

/// By type letter.
inline constexpr MessageTable kMessages{std::array{kInfo<SystemEvent>,
                                                   kInfo<StockDirectory>,
                                                   kInfo<StockTradingAction>,
                                                   kInfo<RegShoRestriction>,
                                                   kInfo<MarketParticipantPosition>,
                                                   kInfo<MwcbDeclineLevel>,
                                                   kInfo<MwcbStatus>,
                                                   kInfo<IpoQuotingPeriod>,
                                                   kInfo<LuldAuctionCollar>,
                                                   kInfo<OperationalHalt>,
                                                   kInfo<AddOrder>,
                                                   kInfo<AddOrderMpid>,
                                                   kInfo<OrderExecuted>,
                                                   kInfo<OrderExecutedWithPrice>,
                                                   kInfo<OrderCancel>,
                                                   kInfo<OrderDelete>,
                                                   kInfo<OrderReplace>,
                                                   kInfo<Trade>,
                                                   kInfo<CrossTrade>,
                                                   kInfo<BrokenTrade>,
                                                   kInfo<NetOrderImbalance>,
                                                   kInfo<RetailInterest>,
                                                   kInfo<DirectListing>,
                                                   kInfo<Snapshot>}};

}  // namespace crosswire::wire::itch
