// A partition: memory, rings, pool, engine and stages, wired up. The one place that does so, for run, replay and tests.
// Made at set-up; then each loop is polled by a thread of its own, or all by one that calls round(), until finished().
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>

#include "app/config/config.hpp"
#include "app/partition/chain.hpp"
#include "app/partition/core_loop.hpp"
#include "app/partition/layout.hpp"
#include "engine/match_stage.hpp"
#include "hugepages/base/cache_line.hpp"
#include "hugepages/base/stage.hpp"
#include "hugepages/memory/arena.hpp"
#include "netstack/ip/echo_store.hpp"
#include "netstack/port/operator_rings.hpp"
#include "netstack/port/port.hpp"
#include "netstack/publish/publish.hpp"
#include "netstack/receive/receive.hpp"
#include "netstack/tcp/wiring.hpp"
#include "netstack/transmit/transmit.hpp"

namespace crosswire {

/// Fills in what only the start knows: `net.start_ns`, both session names, which tell one start from another, and the
/// secret of TCP's sequence numbers.
/// `midnight_epoch_ns`: ns since the Unix epoch; `start_ns`: ns since that midnight.
void set_start(Config& config, std::int64_t midnight_epoch_ns, TimeNs start_ns);

/// The stages of kStageTable by their types. They lie beside each other and may be polled on as many cores, each of
/// which writes its own: hence their own lines.
struct Stages {
  OnOwnLines<ReceiveStage> receive;
  OnOwnLines<MatchStage> match;
  OnOwnLines<TransmitStage> transmit;
  OnOwnLines<PublishStage> publish;

  /// Calls visit(StageConstant, the stage) with each in turn, in the table's order.
  template <class Visit>
  void each(Visit visit) {
    visit(StageConstant<Stage::receive>(), receive);
    visit(StageConstant<Stage::match>(), match);
    visit(StageConstant<Stage::transmit>(), transmit);
    visit(StageConstant<Stage::publish>(), publish);
  }
};

class Partition {
 public:
  /// `transmit` and `publish` may be the same port.
  struct Ports {
    RxPort& rx;
    TxPort& transmit;
    TxPort& publish;
  };

  /// `config` is complete (set_start, net.mac, placement.node: -1 = any) and is kept as a copy; the ports outlive the
  /// partition. Throws std::runtime_error (one line) if the memory is not to be had.
  /// Where `layout` has transmit and publish in two loops, they use their ports from two threads.
  Partition(const Config& config, const Ports& ports, const TscClock& clock, const StageLayout& layout = {});
  /// The same in memory of the caller's, bytes_for(config) at least, which outlives the partition.
  Partition(const Config& config, const Ports& ports, const TscClock& clock, Arena& arena,
            const StageLayout& layout = {});
  Partition(const Partition&) = delete;
  Partition& operator=(const Partition&) = delete;

  /// Arena bytes of a partition: the sum over all its parts.
  static std::size_t bytes_for(const Config& config);
  /// Of that size, on the pages and the node that it asks for, for who makes one partition after the other in it.
  /// Throws std::runtime_error (one line) if the memory is not to be had.
  static Arena make_arena(const Config& config);

  /// One for each core, in the order of their first stages. Each is one thread's.
  std::deque<CoreLoop>& loops() { return loops_; }
  const std::deque<CoreLoop>& loops() const { return loops_; }
  /// A round of each loop in turn, for who polls all of them on one thread. Returns whether any had work.
  bool round();
  /// As Chain's functions of the same names.
  bool idle() const { return chain_.idle(); }
  bool finished() const { return chain_.finished(); }

  /// The way of operators' commands past the wire. For the control thread and the receive port.
  OperatorRings& operators() { return operators_; }
  /// Results of operators' commands go there from now on. Before any loop runs.
  void report_operator_results() { stages_.transmit.report_operator_results_to(operators_); }

  /// For who polls the stages himself, instead of round(): benchmarks. For control threads to ask them.
  Stages& stages() { return stages_; }

  // For the figures: before the loops run and when they have ended; by any thread what the parts themselves allow.
  const Config& config() const { return config_; }
  const ArenaReport& memory() const { return arena_.report(); }
  const Chain& chain() const { return chain_; }
  const Engine& engine() const { return engine_; }
  const ReceiveStage& receive() const { return stages_.receive; }
  const MatchStage& match() const { return stages_.match; }
  const TransmitStage& transmit() const { return stages_.transmit; }
  const PublishStage& publish() const { return stages_.publish; }
  std::uint64_t free_slots() const { return slot_source_.free_count(); }
  std::uint64_t slots() const { return orders_.capacity(); }

 private:
  Partition(const Config& config, const Ports& ports, const TscClock& clock, std::unique_ptr<Arena> own, Arena* given,
            const StageLayout& layout);

  // In the order of construction.
  Config config_;
  std::unique_ptr<Arena> own_arena_;  // none in the caller's memory
  Arena& arena_;
  CommandRing commands_;
  EventRing events_;
  CommandRing::GatingReader& match_in_;
  EventRing::GatingReader& transmit_in_;
  EventRing::GatingReader& publish_in_;
  Orders orders_;
  SlotReturnRing slot_returns_;
  SlotSource slot_source_;      // receive's; both are on lines of their own wherever they lie
  SlotReturner slot_returner_;  // match's
  EchoStore echoes_;
  // Order entry over TCP, where it is configured.
  struct OverTcp {
    OverTcp(const Config& config, Arena& arena);
    tcp::TcpConfig config;
    tcp::Signals signals;
    AdmissionRing admissions;
    tcp::Wiring wiring;
  };
  const tcp::Wiring* wiring() const { return tcp_ ? &tcp_->wiring : nullptr; }
  std::unique_ptr<OverTcp> tcp_;
  OperatorRings operators_;
  OnOwnLines<Engine> engine_;  // match's
  Stages stages_;
  Chain chain_;
  std::deque<CoreLoop> loops_;  // addresses stay
};

}  // namespace crosswire
