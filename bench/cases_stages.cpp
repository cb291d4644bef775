// The stages, and the whole chain, over frames in memory: one order a frame, one answer a datagram, the feed on and
// packed per burst (DESIGN 8). A stage's case polls all four and meters the one.
#include <utility>
#include <vector>

#include "app/partition/partition.hpp"
#include "bench/crowd_mix.hpp"
#include "bench/meter.hpp"
#include "bench/stage_rig.hpp"
#include "netstack/client/order_client.hpp"
#include "netstack/frame_writer/datagram_template.hpp"

namespace crosswire::bench {
namespace {

/// 20 resting orders a symbol.
Traders wide() {
  constexpr CrowdMix::Shape kShape = {.accounts = 200, .symbols = 500, .resting_an_account = 50, .in_turn = false};
  return {kShape.accounts, kShape.symbols, 30'000, [mix = CrowdMix(kShape)]() mutable { return mix.next(); }};
}

/// 4 resting orders a session, 8 a symbol.
Traders cold() {
  constexpr CrowdMix::Shape kShape = {.accounts = 4'096, .symbols = 2'048, .resting_an_account = 4, .in_turn = true};
  return {kShape.accounts, kShape.symbols, 32'768, [mix = CrowdMix(kShape)]() mutable { return mix.next(); }};
}

/// An account's way in: its numbers, its address.
struct Client {
  client::OrderClient orders;
  DatagramTemplate header;
};

/// chain: a burst until nothing is left to do. enter: one plain order for the day behind others of its price, alone,
/// for one round, in which it goes from frame to frame. idle: a round with nothing to do.
enum class What { receive, match, transmit, publish, chain, enter, idle };

class Stages final : public Runner {
 public:
  Stages(What what, std::size_t burst, Traders traders)
      : what_(what), burst_(burst), traders_(std::move(traders)), config_(config_of(traders_)) {
    for (std::uint32_t i = 0; i < traders_.accounts; ++i) {
      Client& client = clients_.emplace_back(
          Client{client::OrderClient(config_.net.accounts[i].user, "bench"),
                 DatagramTemplate(side_of(i), 30'000, {kOurMac, 0, kOurAddress}, config_.net.order_port, 64)});
      rx_.commit(client.header.finish(rx_.next(), client.orders.login(payload(client))));
      settle();
      client.orders.assume_session(kOrderSession);
    }
    for (std::uint32_t i = 0; i < traders_.filling; i += kMaxBurst) {
      fill(kMaxBurst);
      settle();
    }
  }

  std::size_t run(std::size_t operations, Meter& meter) override {
    if (what_ == What::enter) return run_enters(operations, meter);
    if (what_ == What::idle) return run_idle(operations, meter);
    const EngineCounters& counters = partition_.engine().counters();
    const std::uint64_t before = counters.get(EngineCounter::commands);
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
    CHECK(counters.get(EngineCounter::commands) == before + done, "not every frame was an order's");
    CHECK(counters.get(EngineCounter::rejected) == 0, "some were rejected");
    CHECK(counters.get(EngineCounter::executions) > 0, "nothing was executed");
    return done;
  }

 private:
  std::span<std::uint8_t> payload(const Client& client) {
    return {rx_.next() + client.header.payload_offset(), kMaxUdpPayload};
  }

  void settle() {
    while (partition_.round()) {
    }
  }

  std::size_t run_enters(std::size_t operations, Meter& meter) {
    for (std::size_t i = 0; i < operations; ++i) {
      Command c = traders_.next();
      while (c.kind != CommandKind::enter || c.order.time_in_force != TimeInForce::day) {
        add_frame(c);
        settle();
        c = traders_.next();
      }
      const std::uint32_t live = partition_.engine().live_orders();
      add_frame(c);
      {
        const Metered metered(meter);
        partition_.round();
      }
      CHECK(partition_.engine().live_orders() == live + 1 && !partition_.round(), "not done in one round");
    }
    return operations;
  }

  std::size_t run_idle(std::size_t operations, Meter& meter) {
    bool worked = false;
    {
      const Metered metered(meter);
      for (std::size_t i = 0; i < operations; ++i) worked |= partition_.round();
    }
    CHECK(!worked, "there was something to do");
    return operations;
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
    for (std::size_t i = 0; i < burst; ++i) add_frame(traders_.next());
  }

  void add_frame(const Command& c) {
    Client& client = clients_[c.session.value];
    client.orders.begin(payload(client));
    if (c.kind == CommandKind::cancel) {
      client.orders.add(cancel_order(c));
    } else {
      client.orders.add(enter_order(c, traders_.symbols));
    }
    rx_.commit(client.header.finish(rx_.next(), client.orders.finish()));
  }

  What what_;
  std::size_t burst_;
  Traders traders_;
  BurstPort rx_;
  SinkPort tx_;
  Config config_;
  Partition partition_{config_, {rx_, tx_, tx_}, TscClock::calibrated()};
  std::vector<Client> clients_;
};

Case stage(std::string name, What what, std::size_t burst, Traders (*traders)() = one_trader) {
  return {std::move(name), [=] { return std::make_unique<Stages>(what, burst, traders()); }};
}

}  // namespace

std::vector<Case> stage_cases() {
  return {
      stage("stage/receive", What::receive, 32),
      stage("stage/match", What::match, 32),
      stage("stage/transmit", What::transmit, 32),
      stage("stage/publish", What::publish, 32),
      stage("chain/order_burst_1", What::chain, 1),
      stage("chain/order_burst_8", What::chain, 8),
      stage("chain/order_burst_32", What::chain, 32),
      stage("chain/order_burst_1_wide", What::chain, 1, wide),
      stage("chain/order_burst_32_wide", What::chain, 32, wide),
      stage("chain/order_burst_1_cold", What::chain, 1, cold),
      stage("chain/order_burst_32_cold", What::chain, 32, cold),
      stage("chain/enter", What::enter, 1),
      stage("chain/idle_round", What::idle, 1),
  };
}

}  // namespace crosswire::bench
