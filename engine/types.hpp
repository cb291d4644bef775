// The words of the engine: identifiers, prices, phases. Plain types, no behaviour beyond comparison.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "hugepages/base/strong.hpp"

namespace crosswire {

/// For exact products of 64-bit numbers.
__extension__ using Uint128 = unsigned __int128;

/// Account of a trading firm within a partition: 0 .. sessions-1. One account has one session at a time.
using SessionId = Strong<struct SessionIdTag, std::uint16_t>;
inline constexpr SessionId kNoSession{0xFFFF};

/// A trading firm within a partition: 0 .. firms-1, in the order in which the configuration names them. It has one
/// account or more.
using FirmId = Strong<struct FirmIdTag, std::uint16_t>;
inline constexpr FirmId kNoFirm{0xFFFF};

/// Instrument within a partition: 1 .. symbols; equals the ITCH locate code. 0 is "none" or "all".
using SymbolId = Strong<struct SymbolIdTag, std::uint16_t>;
inline constexpr SymbolId kNoSymbol{0};
inline constexpr SymbolId kAllSymbols{0};

/// Price in 1/10000 of the currency unit. 1 .. kMaxPrice where it is a limit; 0 is "none".
using Price = Strong<struct PriceTag, std::uint32_t>;
inline constexpr Price kNoPrice{0};
inline constexpr Price kMaxPrice{1'999'999'900};    // WIRE 3.3 Enter Order: 199,999.9900
inline constexpr Price kMarketPrice{0x7FFF'FFFFu};  // of an Enter or Replace that names none: a market order
/// Of a level's price, too: market orders of a call are at a level of their own, whose price is no limit.
constexpr bool is_limit_price(Price price) { return price.value - 1 < kMaxPrice.value; }

/// Whole shares. An order has 1 .. kMaxQuantity; sums over orders are 64-bit.
using Quantity = std::uint32_t;
inline constexpr Quantity kMaxQuantity = 999'999;  // WIRE 0

/// Number of a client's transaction (OUCH UserRefNum, WIRE 3.1): strictly increasing per session and channel, from 1.
using UserRefNum = Strong<struct UserRefNumTag, std::uint32_t>;

/// Day-unique number of an order on the feed (ITCH order reference): 1, 2, .. in entry order; fits 48 bits.
using OrderRef = Strong<struct OrderRefTag, std::uint64_t>;

/// Number of an execution, the same on both sides and on the feed: 1, 2, .. in execution order.
using MatchNumber = Strong<struct MatchNumberTag, std::uint64_t>;

/// Nanoseconds that have passed since the day's midnight in the exchange's zone.
using TimeNs = std::uint64_t;
inline constexpr TimeNs kNsPerSecond = 1'000'000'000;
inline constexpr TimeNs kNsPerDay = 86'400 * kNsPerSecond;

/// Eight ASCII characters, left-justified, padded with spaces (WIRE 0, alpha).
using SymbolName = std::array<char, 8>;

/// Order-flow channel within a session (OUCH option UserRefIdx, WIRE 3.2): each counts UserRefNums of its own. 0: the
/// session's own, for messages without the option.
using Channel = std::uint8_t;
inline constexpr std::size_t kChannels = 256;

/// OUCH's side letter (WIRE 3.3): which queue, and how a sale is marked.
enum class Side : char { buy = 'B', sell = 'S', sell_short = 'T', sell_short_exempt = 'E' };
constexpr bool is_buy(Side side) { return side == Side::buy; }
/// In a request where a side may be left out: Replace keeps the original's, Mass Cancel takes every side.
inline constexpr Side kNoSide{};

/// OUCH's time in force letter. Others are rejected at parsing.
enum class TimeInForce : char { day = '0', ioc = '3', gtt = '6' };
/// Longest life of a GTT order, in seconds (WIRE 3.2, ExpireTime).
inline constexpr std::uint32_t kMaxExpireSeconds = 86'399;

/// OUCH's display letter: shown on the feed, shown with the firm's name, or not shown and behind what is.
enum class Display : char { visible = 'Y', attributable = 'A', hidden = 'N' };

/// OUCH's cross type letter. On-open and on-close orders trade in that cross only, and are never shown.
enum class CrossType : char { continuous = 'N', opening = 'O', closing = 'C' };

/// OUCH option PostOnly. `unsaid` in a Replace: as the original; in an Enter: no.
enum class PostOnly : char { unsaid = 0, no = 'N', yes = 'P' };

/// Option StayOnDisconnect: whether the order stays when its session ends. `unsaid` in a Replace: as the original; in
/// an Enter: no.
enum class StayOnDisconnect : char { unsaid = 0, no = 'N', yes = 'Y' };

/// Option SelfTrade: what becomes of an order that would execute against one of its own group. `unsaid`: what its
/// account's configuration says.
enum class SelfTrade : char {
  unsaid = 0,
  newest = 'N',  // the arriving order is cancelled
  oldest = 'O',  // the resting one is
  both = 'B',
  decrement = 'D',  // the smaller one is, and the other loses as many shares
};

/// Trading phase of one symbol. What each allows is in engine/engine.hpp.
enum class Phase : std::uint8_t {
  pre_open,
  opening_call,
  continuous,
  closing_call,
  closed,
  halted,
  intraday_call,
  interrupted
};
inline constexpr std::array kPhaseNames = {"pre_open", "opening_call", "continuous",    "closing_call",
                                           "closed",   "halted",       "intraday_call", "interrupted"};
constexpr const char* phase_name(Phase phase) { return kPhaseNames[static_cast<std::size_t>(phase)]; }
/// Those that a schedule or an operator may ask for, by number: a symbol is interrupted by its collar,
/// or behind a halt.
inline constexpr std::span<const char* const> kAskedPhaseNames =
    std::span(kPhaseNames).first(static_cast<std::size_t>(Phase::interrupted));
/// Whether orders gather for a cross, with which the phase ends.
constexpr bool is_call(Phase phase) {
  return phase == Phase::opening_call || phase == Phase::closing_call || phase == Phase::intraday_call ||
         phase == Phase::interrupted;
}

/// One line of the day's schedule: at `at_ns` the symbol (or kAllSymbols) enters `phase`.
struct PhaseChange {
  TimeNs at_ns;
  SymbolId symbol;
  Phase phase;
};

}  // namespace crosswire
