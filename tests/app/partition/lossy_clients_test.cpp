// Four clients and a follower of the feed against the whole appliance, over a network that loses a tenth of all frames.
// In the end everyone knows everything: what a client holds and what the feed shows is what the engine has. Virtual
// time.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <iostream>
#include <map>
#include <random>
#include <vector>

#include "app/partition/partition.hpp"
#include "netstack/client/feed_book.hpp"
#include "netstack/client/order_client.hpp"
#include "netstack/port/memory_port.hpp"
#include "tests/netstack/client_frames.hpp"

namespace crosswire {
namespace {

namespace ouch = wire::ouch;
using test::Payload;

constexpr std::size_t kClients = 4;
constexpr TimeNs kStart = 9 * 3600 * kNsPerSecond;
constexpr TimeNs kStep = 1'000'000;

Config config_of_four() {
  Config config;
  config.net.mac = test::kOurMac;
  config.net.address = test::kOurAddress;
  config.net.order_session = test::kOrderSession;
  config.net.feed_session = test::kFeedSession;
  config.net.start_ns = kStart;
  for (char name = 'A'; name < 'A' + static_cast<char>(kClients); ++name) {
    config.net.accounts.push_back({std::string(1, name), "secret", {name, ' ', ' ', ' '}, {}});
  }
  config.net.schedule = {{kStart, kAllSymbols, Phase::opening_call},
                         {kStart + kNsPerSecond, kAllSymbols, Phase::continuous}};
  config.engine.symbols = {{{'A', 'A', 'A', ' ', ' ', ' ', ' ', ' '}, Price{100'0000}, 100},
                           {{'B', 'B', 'B', ' ', ' ', ' ', ' ', ' '}, Price{100'0000}, 100}};
  config.engine.sessions = kClients;
  config.engine.max_orders = 1 << 14;
  config.engine.max_levels = 1 << 10;
  config.command_ring = 256;
  config.event_ring = 512;
  config.hugepages = HugepagePolicy::off;
  return config;
}

/// What a client knows of its orders, from its answers alone.
struct Holdings {
  std::map<std::uint32_t, std::uint32_t> open;  // by UserRefNum
  std::uint64_t accepted = 0;

  void take(wire::Bytes message) {
    switch (static_cast<char>(message[0])) {
      case ouch::OrderAccepted::kType: {
        const auto& m = *wire::view_as<ouch::OrderAccepted>(message);
        ++accepted;
        if (m.order_state == 'L') open[m.user_ref_num] = m.quantity;
        break;
      }
      case ouch::OrderReplaced::kType: {
        const auto& m = *wire::view_as<ouch::OrderReplaced>(message);
        open.erase(m.orig_user_ref_num);
        if (m.order_state == 'L') open[m.user_ref_num] = m.quantity;
        break;
      }
      case ouch::OrderExecuted::kType: {
        const auto& m = *wire::view_as<ouch::OrderExecuted>(message);
        less(m.user_ref_num, m.quantity);
        break;
      }
      case ouch::OrderCanceled::kType: {
        const auto& m = *wire::view_as<ouch::OrderCanceled>(message);
        less(m.user_ref_num, m.quantity);
        break;
      }
      default:
        break;
    }
  }
  void less(std::uint32_t number, std::uint32_t shares) {
    const auto found = open.find(number);
    ASSERT_NE(found, open.end()) << "an answer about order " << number << ", which is not live";
    ASSERT_GE(found->second, shares);
    found->second -= shares;
    if (found->second == 0) open.erase(found);
  }
};

class Network {
 public:
  explicit Network(std::uint64_t seed) : random_(seed), partition_(config_, {rx_, tx_, tx_}, TscClock::calibrated()) {
    for (std::size_t i = 0; i < kClients; ++i) {
      clients_.emplace_back(config_.net.accounts[i].user, config_.net.accounts[i].password);
      stations_.push_back({.mac = {2, 0, 0, 0, 1, static_cast<std::uint8_t>(i)},
                           .address = 0x0A630064 + static_cast<std::uint32_t>(i),
                           .port = 40'000});
    }
  }

  void run(unsigned steps, unsigned loss_percent) {
    loss_percent_ = loss_percent;
    for (unsigned i = 0; i < steps; ++i) step(loss_percent > 0);
  }

  /// Everyone asks until nothing is missing.
  void settle() { run(3'000, 0); }

  void expect_everyone_knows_everything() const {
    std::uint64_t accepted = 0, held = 0, repeats = 0, gaps = 0;
    for (std::size_t i = 0; i < kClients; ++i) {
      EXPECT_EQ(clients_[i].missing(), 0u) << "client " << i;
      accepted += holdings_[i].accepted;
      held += holdings_[i].open.size();
      repeats += clients_[i].answers()->repeats();
      gaps += clients_[i].answers()->gaps();
      for (const auto& [number, open] : holdings_[i].open) {
        const OrderIndex index = partition_.engine().find(SessionId{static_cast<std::uint16_t>(i)}, UserRefNum{number});
        ASSERT_NE(index, kNoOrder) << "client " << i << " believes in order " << number;
        EXPECT_EQ(partition_.engine().pools().orders.hot(index).open, open) << "order " << number << " of client " << i;
      }
    }
    EXPECT_EQ(accepted, partition_.engine().counters().get(EngineCounter::accepted));
    EXPECT_EQ(held, partition_.engine().live_orders());
    EXPECT_EQ(feed_.missing(), 0u);
    for (std::uint16_t symbol = 1; symbol <= 2; ++symbol) {
      EXPECT_EQ(shown(symbol, true), feed_book_.symbols().at(symbol).bids);
      EXPECT_EQ(shown(symbol, false), feed_book_.symbols().at(symbol).asks);
    }
    std::cout << accepted << " orders, " << partition_.engine().counters().get(EngineCounter::executions)
              << " executions, " << lost_ << " frames lost; clients saw " << gaps << " gaps and " << repeats
              << " repeats, the feed " << feed_.gaps() << " gaps\n";
    EXPECT_GT(gaps, 0u);
    EXPECT_GT(feed_.gaps(), 0u);
    EXPECT_GT(held, 0u);
  }

 private:
  /// The displayed orders of the engine's book.
  client::FeedBook::Side shown(std::uint16_t symbol, bool buy) const {
    client::FeedBook::Side side;
    const BookPools& pools = partition_.engine().pools();
    const Ladder& ladder = partition_.engine().book(SymbolId{symbol}).side(buy);
    for (Rank rank = ladder.best(); rank != kNoRank; rank = ladder.after(pools.nodes, rank)) {
      const Level& level = pools.levels[ladder.find(pools.nodes, rank)];
      for (OrderIndex i = level.head; i != kNoOrder; i = pools.orders.hot(i).next) {
        if (pools.orders.hot(i).hidden) continue;
        side[level.price.value].shares += pools.orders.hot(i).open;
        ++side[level.price.value].orders;
      }
    }
    return side;
  }

  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(random_() % n); }

  void send(std::size_t client, std::uint16_t port, std::size_t size) {
    if (size == 0) return;
    if (below(100) < loss_percent_) {
      ++lost_;
      return;
    }
    burst_.push_back(
        test::udp_frame(stations_[client], port, {room_.begin(), room_.begin() + static_cast<std::ptrdiff_t>(size)}));
  }

  void order(std::size_t i) {
    client::OrderClient& orders = clients_[i];
    orders.begin(room_);
    const std::uint32_t kind = below(10);
    if (kind < 6 || numbers_[i] < 5) {
      ouch::EnterOrder enter = test::enter_fields(++numbers_[i]);
      enter.symbol = std::string_view(below(2) == 0 ? "AAA" : "BBB");
      enter.side = below(2) == 0 ? 'B' : 'S';
      enter.quantity = 1 + below(300);
      enter.price = std::uint64_t{100'0000 + 100 * below(20)};
      enter.time_in_force = below(10) == 0 ? '3' : '0';
      enter.display = below(5) == 0 ? 'N' : below(5) == 0 ? 'A' : 'Y';
      orders.add(enter);
    } else if (kind < 8) {
      orders.add(ouch::CancelOrder{.user_ref_num = 1 + below(numbers_[i]), .quantity = 0u});
    } else {
      const std::uint32_t original = 1 + below(numbers_[i]);
      ouch::ReplaceOrder replace = test::replace_fields(original, ++numbers_[i]);
      replace.quantity = 1 + below(300);
      replace.price = std::uint64_t{100'0000 + 100 * below(20)};
      replace.time_in_force = '0';
      orders.add(replace);
    }
    send(i, test::kOrderPort, orders.finish());
  }

  /// One millisecond: clients speak, the appliance answers, clients listen.
  void step(bool trading) {
    now_ += kStep;
    for (std::size_t i = 0; i < kClients; ++i) {
      if (!clients_[i].logged_in()) {
        if (below(20) == 0) send(i, test::kOrderPort, clients_[i].login(room_));
      } else if (below(10) == 0) {
        send(i, test::kOrderPort, clients_[i].request(room_));
      } else if (below(1'000) == 0) {
        send(i, test::kOrderPort, clients_[i].heartbeat(room_));
      } else if (trading) {
        order(i);
      }
    }
    if (const auto request = feed_.request(); request && below(10) == 0) {
      wire::overlay<wire::mold::Header>(room_.data()) = *request;
      send(0, test::kRequestPort, sizeof(*request));
    }
    rx_.push_burst(now_, std::exchange(burst_, {}));
    for (int idle = 0; idle < 2;) idle = partition_.round() ? 0 : idle + 1;
    for (const MemoryTxPort::Sent& sent : tx_.take_frames()) {
      if (below(100) < loss_percent_) {
        ++lost_;
        continue;
      }
      hear(sent.bytes);
    }
  }

  void hear(const FrameBytes& frame) {
    const std::size_t udp = 14 + 20;
    const std::size_t length = test::get16(frame, udp + 4) - 8;
    const wire::Bytes payload{frame.data() + udp + 8, length};
    const std::size_t from = test::get16(frame, udp);
    if (from != test::kOrderPort) {
      feed_.take(payload, [this](std::uint64_t, wire::Bytes message) {
        EXPECT_EQ(feed_book_.apply(message), client::FeedFault::none);
      });
      return;
    }
    const std::size_t i = frame[5];
    ASSERT_LT(i, kClients);
    clients_[i].take(payload, [&](std::uint64_t, wire::Bytes message) { holdings_[i].take(message); });
  }

  std::mt19937_64 random_;
  Config config_ = config_of_four();
  MemoryRxPort rx_;
  MemoryTxPort tx_;
  Partition partition_;
  std::vector<client::OrderClient> clients_;
  std::vector<test::Client> stations_;
  std::array<std::uint32_t, kClients> numbers_{};
  std::array<Holdings, kClients> holdings_;
  client::StreamFollower feed_{test::kFeedSession};
  client::FeedBook feed_book_;
  std::array<std::uint8_t, kMaxUdpPayload> room_{};
  std::vector<FrameBytes> burst_;
  TimeNs now_ = kStart;
  unsigned loss_percent_ = 0;
  std::uint64_t lost_ = 0;
};

TEST(LossyClients, EveryoneKnowsEverythingInTheEnd) {
  const char* const given = std::getenv("CROSSWIRE_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::cout << "seed " << seed << "\n";
  Network network(seed);
  network.run(10'000, 10);
  network.settle();
  network.expect_everyone_knows_everything();
}

}  // namespace
}  // namespace crosswire
