// What the cases of the whole chain have in common, over UDP (cases_stages.cpp) and over TCP (cases_soup.cpp): ports
// over memory, who trades, the configuration, the orders. Benchmarks only.
#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "app/config/config.hpp"
#include "bench/order_mix.hpp"
#include "bench/sink_port.hpp"
#include "netstack/common/limits.hpp"
#include "netstack/port/port.hpp"
#include "netstack/wire/ouch.hpp"

namespace crosswire::bench {

namespace ouch = wire::ouch;

inline constexpr MacAddress kOurMac{2, 0, 0, 0, 0, 1}, kClientMac{2, 0, 0, 0, 1, 1};
inline constexpr std::uint32_t kOurAddress = 0x0A630001, kClientAddresses = 0x0A630101;  // of the first account
inline constexpr std::string_view kOrderSession = "O000000000";
inline constexpr std::uint32_t kResting = 1'000;

/// Hands out one burst of frames when it is given one.
class BurstPort final : public RxPort {
 public:
  RxBurst receive() override {
    const std::size_t count = std::exchange(count_, 0);
    time_ns_ += count > 0;
    return {{frames_.data(), count}, time_ns_, false};
  }
  /// The next frame of the burst, to be written; commit() says its length.
  std::uint8_t* next() { return bytes_[count_].data(); }
  void commit(std::size_t length) {
    frames_[count_] = {bytes_[count_].data(), static_cast<std::uint32_t>(length)};
    ++count_;
  }
  /// So much time passes.
  void wait(TimeNs time_ns) { time_ns_ += time_ns; }

 private:
  std::array<std::array<std::uint8_t, kMaxFrame>, kMaxBurst> bytes_{};
  std::array<RxFrame, kMaxBurst> frames_{};
  std::size_t count_ = 0;
  TimeNs time_ns_ = 0;
};

/// Who trades: accounts, symbols, and the flow, in which Command::session is the account.
struct Traders {
  std::uint32_t accounts;
  std::uint32_t symbols;
  std::uint32_t filling;  // orders of the flow until the books are as it keeps them
  std::function<Command()> next;
};

inline Traders one_trader() {
  return {1, 1, 4 * kResting, [mix = OrderMix(kResting)]() mutable { return mix.next(); }};
}

/// "BENCH" where there is one, else "10000", "10001", ..
inline std::string name_of(std::uint32_t number, std::uint32_t of) {
  return of == 1 ? std::string("BENCH") : std::to_string(10'000 + number);
}

inline SymbolName padded(const std::string& text) {
  SymbolName name;
  name.fill(' ');
  std::copy(text.begin(), text.end(), name.begin());
  return name;
}

inline Config config_of(const Traders& traders) {
  Config config;
  config.net.mac = kOurMac;
  config.net.address = kOurAddress;
  config.net.order_session = kOrderSession;
  config.net.feed_session = "F000000000";
  for (std::uint32_t i = 0; i < traders.accounts; ++i) {
    config.net.accounts.push_back({name_of(i, traders.accounts), "bench", {'B', 'E', 'N', 'C'}, {}});
  }
  config.net.schedule = {{0, kAllSymbols, Phase::continuous}};
  config.net.messages_kept = traders.accounts == 1 ? 1u << 12 : 1u << 8;
  config.net.feed_messages_kept = 1u << 12;
  config.engine.sessions = traders.accounts;
  for (std::uint32_t i = 0; i < traders.symbols; ++i) {
    config.engine.symbols.push_back({padded(name_of(i, traders.symbols)), Price{kMid}, kTick});
  }
  config.engine.max_orders = traders.accounts == 1 ? 1u << 14 : 1u << 16;
  config.engine.max_levels = traders.symbols == 1 ? 1u << 12 : 1u << 16;
  config.hugepages = HugepagePolicy::off;
  return config;
}

/// An account's client.
inline NetConfig side_of(std::uint32_t account) {
  NetConfig client;
  client.mac = kClientMac;
  client.address = kClientAddresses + account;
  return client;
}

inline ouch::EnterOrder enter_order(const Command& c, std::uint32_t symbols) {
  const std::string symbol = name_of(c.symbol.value - 1u, symbols);
  return {.user_ref_num = c.order.user_ref_num.value,
          .side = static_cast<char>(c.order.side),
          .quantity = c.order.quantity,
          .symbol = std::string_view(symbol),
          .price = std::uint64_t{c.order.price.value},
          .time_in_force = static_cast<char>(c.order.time_in_force),
          .display = 'Y',
          .capacity = 'A',
          .iso = 'N',
          .cross_type = 'N',
          .cl_ord_id = std::string_view("order")};
}

inline ouch::CancelOrder cancel_order(const Command& c) {
  return {.user_ref_num = c.order.user_ref_num.value, .quantity = 0u};
}

}  // namespace crosswire::bench
