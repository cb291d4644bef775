// Clients of the client library and a follower of the feed, who trade at random over a network that loses frames, and
// ask for what they miss. What a client holds and what the feed shows can be laid beside what the engine has. Virtual
// time; tests only.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <iostream>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "app/partition/partition.hpp"
#include "netstack/client/feed_book.hpp"
#include "netstack/client/order_client.hpp"
#include "netstack/port/memory_port.hpp"
#include "tests/netstack/client_frames.hpp"

namespace crosswire::test {

/// What a client knows of its orders, from its answers alone.
struct Holdings {
  std::map<std::uint32_t, std::uint32_t> open;  // by UserRefNum
  std::uint64_t accepted = 0;

  void take(wire::Bytes message) {
    switch (static_cast<char>(message[0])) {
      case wire::ouch::OrderAccepted::kType: {
        const auto& m = *wire::view_as<wire::ouch::OrderAccepted>(message);
        ++accepted;
        if (m.order_state == 'L') open[m.user_ref_num] = m.quantity;
        break;
      }
      case wire::ouch::OrderReplaced::kType: {
        const auto& m = *wire::view_as<wire::ouch::OrderReplaced>(message);
        open.erase(m.orig_user_ref_num);
        if (m.order_state == 'L') open[m.user_ref_num] = m.quantity;
        break;
      }
      case wire::ouch::OrderExecuted::kType: {
        const auto& m = *wire::view_as<wire::ouch::OrderExecuted>(message);
        less(m.user_ref_num, m.quantity);
        break;
      }
      case wire::ouch::OrderCanceled::kType: {
        const auto& m = *wire::view_as<wire::ouch::OrderCanceled>(message);
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

/// Of one day. The configuration has an account for each client, named by one letter, and at least two symbols, AAA and
/// BBB, at about 100.
class Traders {
 public:
  Traders(const NetConfig& config, std::uint64_t seed) : random_(seed), feed_(wire::alpha<10>(config.feed_session)) {
    for (std::size_t i = 0; i < config.accounts.size(); ++i) {
      clients_.emplace_back(config.accounts[i].user, config.accounts[i].password);
      stations_.push_back({.mac = {2, 0, 0, 0, 1, static_cast<std::uint8_t>(i)},
                           .address = 0x0A630064 + static_cast<std::uint32_t>(i),
                           .port = 40'000});
    }
    holdings_.resize(clients_.size());
    numbers_.resize(clients_.size());
  }

  /// Of all frames, both ways, from now on.
  void lose(unsigned percent) { loss_percent_ = percent; }

  /// They were silent for so long that their sessions are gone: they log in anew.
  void come_back() {
    for (std::size_t i = 0; i < clients_.size(); ++i) send(i, kOrderPort, clients_[i].login(room_));
  }

  /// What they say in a millisecond.
  std::vector<FrameBytes> speak(bool trading) {
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      if (!clients_[i].logged_in()) {
        if (below(20) == 0) send(i, kOrderPort, clients_[i].login(room_));
      } else if (below(10) == 0) {
        send(i, kOrderPort, clients_[i].request(room_));
      } else if (below(1'000) == 0) {
        send(i, kOrderPort, clients_[i].heartbeat(room_));
      } else if (trading) {
        order(i);
      }
    }
    if (const auto request = feed_.request(); request && below(10) == 0) {
      wire::overlay<wire::mold::Header>(room_.data()) = *request;
      send(0, kRequestPort, sizeof(*request));
    }
    return std::exchange(burst_, {});
  }

  void hear(const std::vector<MemoryTxPort::Sent>& frames) {
    for (const MemoryTxPort::Sent& sent : frames) {
      if (below(100) < loss_percent_) {
        ++lost_;
      } else {
        hear(sent.bytes);
      }
    }
  }

  /// Everyone has asked until nothing is missing.
  void expect_to_know_everything(const Partition& partition) const {
    std::uint64_t accepted = 0, held = 0;
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      EXPECT_EQ(clients_[i].missing(), 0u) << "client " << i;
      accepted += holdings_[i].accepted;
      held += holdings_[i].open.size();
      for (const auto& [number, open] : holdings_[i].open) {
        const OrderIndex index = partition.engine().find(SessionId{static_cast<std::uint16_t>(i)}, UserRefNum{number});
        ASSERT_NE(index, kNoOrder) << "client " << i << " believes in order " << number;
        EXPECT_EQ(partition.engine().pools().orders.hot(index).open, open) << "order " << number << " of client " << i;
      }
    }
    EXPECT_EQ(accepted, partition.engine().counters().get(EngineCounter::accepted));
    EXPECT_EQ(held, partition.engine().live_orders());
    EXPECT_EQ(feed_.missing(), 0u);
    for (std::uint16_t symbol = 1; symbol <= 2; ++symbol) {
      const auto found = feed_book_.symbols().find(symbol);
      ASSERT_NE(found, feed_book_.symbols().end());
      EXPECT_EQ(shown(partition, symbol, true), found->second.bids);
      EXPECT_EQ(shown(partition, symbol, false), found->second.asks);
    }
  }

  std::uint64_t lost() const { return lost_; }
  std::uint64_t accepted() const {
    std::uint64_t accepted = 0;
    for (const Holdings& holdings : holdings_) accepted += holdings.accepted;
    return accepted;
  }
  std::uint64_t held() const {
    std::uint64_t held = 0;
    for (const Holdings& holdings : holdings_) held += holdings.open.size();
    return held;
  }
  std::uint64_t gaps() const {
    std::uint64_t gaps = 0;
    for (const client::OrderClient& one : clients_) gaps += one.answers() ? one.answers()->gaps() : 0;
    return gaps;
  }
  std::uint64_t repeats() const {
    std::uint64_t repeats = 0;
    for (const client::OrderClient& one : clients_) repeats += one.answers() ? one.answers()->repeats() : 0;
    return repeats;
  }
  std::uint64_t feed_gaps() const { return feed_.gaps(); }

 private:
  /// The displayed orders of the engine's book.
  static client::FeedBook::Side shown(const Partition& partition, std::uint16_t symbol, bool buy) {
    client::FeedBook::Side side;
    const BookPools& pools = partition.engine().pools();
    const Ladder& ladder = partition.engine().book(SymbolId{symbol}).side(buy);
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
        udp_frame(stations_[client], port, {room_.begin(), room_.begin() + static_cast<std::ptrdiff_t>(size)}));
  }

  void order(std::size_t i) {
    client::OrderClient& orders = clients_[i];
    orders.begin(room_);
    const std::uint32_t kind = below(10);
    if (kind < 6 || numbers_[i] < 5) {
      wire::ouch::EnterOrder enter = enter_fields(++numbers_[i]);
      enter.symbol = std::string_view(below(2) == 0 ? "AAA" : "BBB");
      enter.side = below(2) == 0 ? 'B' : 'S';
      enter.quantity = 1 + below(300);
      enter.price = std::uint64_t{100'0000 + 100 * below(20)};
      enter.time_in_force = below(10) == 0 ? '3' : '0';
      enter.display = below(5) == 0 ? 'N' : below(5) == 0 ? 'A' : 'Y';
      orders.add(enter);
    } else if (kind < 8) {
      orders.add(wire::ouch::CancelOrder{.user_ref_num = 1 + below(numbers_[i]), .quantity = 0u});
    } else {
      const std::uint32_t original = 1 + below(numbers_[i]);
      wire::ouch::ReplaceOrder replace = replace_fields(original, ++numbers_[i]);
      replace.quantity = 1 + below(300);
      replace.price = std::uint64_t{100'0000 + 100 * below(20)};
      replace.time_in_force = '0';
      orders.add(replace);
    }
    send(i, kOrderPort, orders.finish());
  }

  void hear(const FrameBytes& frame) {
    const std::size_t udp = 14 + 20;
    const std::size_t length = get16(frame, udp + 4) - 8;
    const wire::Bytes payload{frame.data() + udp + 8, length};
    const std::size_t from = get16(frame, udp);
    if (from != kOrderPort) {
      feed_.take(payload, [this](std::uint64_t, wire::Bytes message) {
        EXPECT_EQ(feed_book_.apply(message), client::FeedFault::none);
      });
      return;
    }
    const std::size_t i = frame[5];
    ASSERT_LT(i, clients_.size());
    clients_[i].take(payload, [&](std::uint64_t, wire::Bytes message) { holdings_[i].take(message); });
  }

  std::mt19937_64 random_;
  std::vector<client::OrderClient> clients_;
  std::vector<Client> stations_;
  std::vector<std::uint32_t> numbers_;
  std::vector<Holdings> holdings_;
  client::StreamFollower feed_;
  client::FeedBook feed_book_;
  std::array<std::uint8_t, kMaxUdpPayload> room_{};
  std::vector<FrameBytes> burst_;
  unsigned loss_percent_ = 0;
  std::uint64_t lost_ = 0;
};

}  // namespace crosswire::test
