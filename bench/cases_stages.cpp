// The stages, and the whole chain, over frames in memory: one order a frame, one answer a datagram, the feed packed per
// burst (DESIGN 8). A stage's case polls all four and meters the one.
#include <algorithm>
#include <array>
#include <utility>

#include "app/partition/partition.hpp"
#include "bench/meter.hpp"
#include "bench/order_mix.hpp"
#include "netstack/client/order_client.hpp"
#include "netstack/frame_writer/datagram_template.hpp"

namespace crosswire::bench {
namespace {

namespace ouch = wire::ouch;

constexpr MacAddress kOurMac{2, 0, 0, 0, 0, 1}, kClientMac{2, 0, 0, 0, 1, 1};
constexpr std::uint32_t kOurAddress = 0x0A630001, kClientAddress = 0x0A630101;
constexpr std::string_view kOrderSession = "O000000000";
constexpr std::uint32_t kResting = 1'000;

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

 private:
  std::array<std::array<std::uint8_t, kMaxFrame>, kMaxBurst> bytes_{};
  std::array<RxFrame, kMaxBurst> frames_{};
  std::size_t count_ = 0;
  TimeNs time_ns_ = 0;
};

/// Takes everything and forgets it.
class SinkPort final : public TxPort {
 public:
  SinkPort() {
    for (std::size_t i = 0; i < kMaxBurst; ++i) batch_[i].data = buffers_[i].data();
    ready_ = kMaxBurst;
  }
  std::size_t flush() override { return std::exchange(used_, 0); }

 private:
  bool refill() override {
    flush();
    return true;
  }
  std::array<std::array<std::uint8_t, kMaxFrame>, kMaxBurst> buffers_{};
};

Config config_of_one() {
  Config config;
  config.net.mac = kOurMac;
  config.net.address = kOurAddress;
  config.net.order_session = kOrderSession;
  config.net.feed_session = "F000000000";
  config.net.accounts = {{"BENCH", "bench", {'B', 'E', 'N', 'C'}, {}}};
  config.net.schedule = {{0, kAllSymbols, Phase::continuous}};
  config.net.messages_kept = 1u << 12;
  config.net.feed_messages_kept = 1u << 12;
  config.engine.symbols = {{{'B', 'E', 'N', 'C', 'H', ' ', ' ', ' '}, Price{kMid}, kTick}};
  config.engine.max_orders = 1u << 14;
  config.engine.max_levels = 1u << 12;
  config.hugepages = HugepagePolicy::off;
  return config;
}

enum class What { receive, match, transmit, publish, chain };

class Stages final : public Runner {
 public:
  Stages(What what, std::size_t burst) : what_(what), burst_(burst) {
    rx_.commit(header_.finish(rx_.next(), orders_.login(payload())));
    settle();
    orders_.assume_session(kOrderSession);
    for (std::uint32_t i = 0; i < 4 * kResting; i += kMaxBurst) {
      fill(kMaxBurst);
      settle();
    }
  }

  std::size_t run(std::size_t operations, Meter& meter) override {
    std::size_t done = 0;
    for (; done < operations; done += burst_) {
      fill(burst_);
      if (what_ == What::chain) {
        const Metered metered(meter);
        settle();
      } else {
        while (poll_one_metered(meter)) {
        }
      }
    }
    CHECK(partition_.engine().counters().get(EngineCounter::executions) > 0, "nothing was executed");
    return done;
  }

 private:
  std::span<std::uint8_t> payload() { return {rx_.next() + header_.payload_offset(), kMaxUdpPayload}; }

  void settle() {
    while (partition_.round()) {
    }
  }

  bool poll_one_metered(Meter& meter) {
    auto& stages = partition_.stages();
    const auto poll = [&](What which, auto& stage) {
      if (which != what_) return stage.poll() > 0;
      const Metered metered(meter);
      return stage.poll() > 0;
    };
    bool worked = poll(What::receive, stages.receive);
    worked |= poll(What::match, stages.match);
    worked |= poll(What::transmit, stages.transmit);
    worked |= poll(What::publish, stages.publish);
    return worked;
  }

  void fill(std::size_t burst) {
    for (std::size_t i = 0; i < burst; ++i) {
      orders_.begin(payload());
      const Command c = flow_.next();
      if (c.kind == CommandKind::cancel) {
        orders_.add(ouch::CancelOrder{.user_ref_num = c.order.user_ref_num.value, .quantity = 0u});
      } else {
        orders_.add(ouch::EnterOrder{.user_ref_num = c.order.user_ref_num.value,
                                     .side = static_cast<char>(c.order.side),
                                     .quantity = c.order.quantity,
                                     .symbol = std::string_view("BENCH"),
                                     .price = std::uint64_t{c.order.price.value},
                                     .time_in_force = static_cast<char>(c.order.time_in_force),
                                     .display = 'Y',
                                     .capacity = 'A',
                                     .iso = 'N',
                                     .cross_type = 'N',
                                     .cl_ord_id = std::string_view("order")});
      }
      rx_.commit(header_.finish(rx_.next(), orders_.finish()));
    }
  }

  static NetConfig client_side() {
    NetConfig client;
    client.mac = kClientMac;
    client.address = kClientAddress;
    return client;
  }

  What what_;
  std::size_t burst_;
  BurstPort rx_;
  SinkPort tx_;
  Config config_ = config_of_one();
  Partition partition_{config_, {rx_, tx_, tx_}, TscClock::calibrated()};
  DatagramTemplate header_{client_side(), 30'000, {kOurMac, 0, kOurAddress}, config_.net.order_port, 64};
  client::OrderClient orders_{"BENCH", "bench"};
  OrderMix flow_{kResting};
};

Case stage(std::string name, What what, std::size_t burst) {
  return {std::move(name), [what, burst] { return std::make_unique<Stages>(what, burst); }};
}

}  // namespace

std::vector<Case> stage_cases() {
  return {
      stage("stage/receive", What::receive, 32),      stage("stage/match", What::match, 32),
      stage("stage/transmit", What::transmit, 32),    stage("stage/publish", What::publish, 32),
      stage("chain/order_burst_1", What::chain, 1),   stage("chain/order_burst_8", What::chain, 8),
      stage("chain/order_burst_32", What::chain, 32),
  };
}

}  // namespace crosswire::bench
