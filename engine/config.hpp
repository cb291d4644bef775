// What the engine has to know before it starts. Plain values, checked by the caller (app/config/config).
#pragma once

#include <cstdint>
#include <vector>

#include "engine/types.hpp"

namespace crosswire {

struct SymbolConfig {
  SymbolName name;
  Price reference;        // previous close; 1 .. kMaxPrice
  std::uint32_t tick_e4;  // prices are multiples of it, in 1/10000; >= 1
};

struct EngineConfig {
  std::vector<SymbolConfig> symbols;            // SymbolId n is symbols[n - 1]; 1 .. 65,534 of them
  std::uint32_t sessions = 1;                   // SessionId 0 .. sessions - 1
  std::vector<FirmId> firms;                    // of each session, by SessionId; empty: each is a firm of its own
  std::uint32_t max_orders = 1u << 20;          // live at once; one more Enter is rejected
  std::uint32_t max_levels = 1u << 18;          // price levels of all books together
  std::uint32_t user_ref_window = 1u << 13;     // dense UserRefNum window per session, a power of two >= 256
  TimeNs imbalance_interval_ns = kNsPerSecond;  // during a call; a multiple of kTickIntervalNs
  std::uint64_t hash_key =
      0x5bd1e9955bd1e995;  // of the UserRefNum table; secret where clients are not trusted. Changes no output
};

}  // namespace crosswire
