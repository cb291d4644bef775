// An order in the pool: a hot record that only match touches, and two cold lines that name it to everyone else.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "engine/types.hpp"
#include "hugepages/memory/order_pool.hpp"

namespace crosswire {

/// Half a cache line; read and written by match alone. An order that is not in a book has level == kNoLevel: one that
/// is being placed, or waits for the closing call.
struct HotOrder {
  OrderIndex next;      // behind this one in the level's queue
  OrderIndex prev;      // ahead of it
  std::uint32_t level;  // index in the engine's level pool
  Quantity open;        // shares that may still execute
  // One word, so that it is stored whole: half a word that was just stored alone cannot be read on before it has
  // settled.
  std::uint64_t ref_and_session;
  std::uint32_t executed : 21;      // by the whole chain of replaces; at most kMaxQuantity, with a bit to spare
  std::uint32_t side_bits : 3;      // of side()
  std::uint32_t place_in_refs : 3;  // in ref_block
  std::uint32_t hidden : 1;         // not on the feed, and behind what is; of a market order always
  std::uint32_t attributable : 1;
  std::uint32_t one_cross : 1;    // on-open or on-close; hidden is set too
  std::uint32_t waits : 1;        // in a list of what is to happen to it: GTT, or one_cross
  std::uint32_t has_channel : 1;  // OrderAsked::user_ref_idx is not 0
  std::uint32_t ref_block;        // UserRefs' block that names its UserRefNum

  /// As it is now (Modify may change it). The last three bits of the letters are all different.
  Side side() const { return static_cast<Side>("--BSTE--"[side_bits]); }
  static std::uint32_t bits_of(Side side) { return static_cast<unsigned char>(side) & 7u; }
  bool buy() const { return side_bits == bits_of(Side::buy); }

  OrderRef ref() const { return OrderRef{ref_and_session >> 16}; }  // below 2^48
  SessionId session() const { return SessionId{static_cast<std::uint16_t>(ref_and_session)}; }
  static std::uint64_t pack(OrderRef ref, SessionId session) { return ref.value << 16 | session.value; }
};
static_assert(kMaxQuantity < 1u << 20);
inline constexpr std::uint32_t kNoLevel = 0xFFFFFFFFu;
static_assert(sizeof(HotOrder) == 32 && std::is_trivially_copyable_v<HotOrder>);

/// Cold line 0, *as asked*: written by receive, straight from the Enter or Replace message, then never.
struct alignas(64) OrderAsked {
  SessionId session;
  Channel user_ref_idx;
  bool firm_given;  // the client named a Firm option: answers carry it
  UserRefNum user_ref_num;
  std::array<char, 14> cl_ord_id;
  TimeInForce time_in_force;
  char display;
  char iso;
  std::uint8_t reserved0[3];
  Quantity quantity;
  std::uint64_t price;    // as on the wire, unchecked
  Quantity min_quantity;  // option MinQty, 0 = none
  std::uint8_t reserved1[20];
};
static_assert(sizeof(OrderAsked) == 64 && offsetof(OrderAsked, quantity) == 28 && offsetof(OrderAsked, price) == 32);

/// Options of an Enter that stay with its order: answers carry them, and a Replace inherits what it does not name.
struct KeptOptions {
  bool firm_given : 1 = false;           // as OrderAsked::firm_given, inherited
  bool stays_on_disconnect : 1 = false;  // option StayOnDisconnect
  PostOnly post_only = PostOnly::unsaid;
  std::uint16_t group_id = 0;        // option GroupID, 0 = none
  std::uint32_t expire_seconds = 0;  // option ExpireTime, 0 = none; at most kMaxExpireSeconds
};

/// Cold line 1, *as resolved*: what a Replace inherits. Written by receive for an Enter, by match for a Replace before
/// the first event that names the order, then never, but for what is match's alone.
struct alignas(64) OrderResolved {
  SymbolName symbol_name;
  std::array<char, 4> firm;
  SymbolId symbol;
  Side side;  // as entered; the side as it is now travels in events
  char capacity;
  char cross_type;  // CrossType's letter, if the order was accepted
  std::uint8_t reserved0[3];
  KeptOptions kept;
  std::uint32_t
      life_ends_s;  // match's alone: the second of the day with which a GTT order's life ends, from when it rests
  Price bound;      // match's alone: how far a market order may go, from when it rests or waits
  std::uint8_t reserved1[28];
};
static_assert(sizeof(OrderResolved) == 64);

using Orders = OrderPool<HotOrder, OrderAsked, OrderResolved>;

/// As whom an operator has done something. What each may is the configuration's to say: [operators].
enum class OperatorRole : std::uint8_t {
  owner = 1,       // without [operators]: the user that the process runs as, or root, who may do all alone
  market_control,  // symbols and phases
  house_risk,      // accounts of all firms
  firm_risk,       // accounts of his own firm
};

/// Cold line 0 of an operator's command: who. Names are padded with NUL; longer ones come shortened.
struct alignas(64) OperatorWho {
  std::array<char, 16> name;      // the system's user who asked
  std::array<char, 16> approver;  // the second one who agreed; empty: none was needed
  OperatorRole role;              // of `name`
  std::uint8_t reserved[31];
};

/// Cold line 1 of an operator's command: why, in the operator's words.
struct alignas(64) OperatorWhy {
  std::array<char, 64> reason;  // UTF-8, padded with NUL
};

static_assert(sizeof(OperatorWho) == sizeof(OrderAsked) && std::is_trivially_copyable_v<OperatorWho>);
static_assert(sizeof(OperatorWhy) == sizeof(OrderResolved) && std::is_trivially_copyable_v<OperatorWhy>);

/// A slot that an operator's command has taken holds these two instead of an order's lines. receive, before the command
/// is published.
inline void put_operator(Orders& orders, OrderIndex slot, const OperatorWho& who, const OperatorWhy& why) {
  std::memcpy(static_cast<void*>(&orders.asked(slot)), &who, sizeof who);
  std::memcpy(static_cast<void*>(&orders.resolved(slot)), &why, sizeof why);
}
/// Readers of the command `operate` and of the event `operated`, until they release it.
inline OperatorWho operator_who(const Orders& orders, OrderIndex slot) {
  OperatorWho who;
  std::memcpy(&who, &orders.asked(slot), sizeof who);
  return who;
}
inline OperatorWhy operator_why(const Orders& orders, OrderIndex slot) {
  OperatorWhy why;
  std::memcpy(&why, &orders.resolved(slot), sizeof why);
  return why;
}

}  // namespace crosswire
