// The wiring of a partition: see the header. Set-up only.
#include "app/partition/partition.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <optional>
#include <stdexcept>
#include <utility>

#include "netstack/intake/order_tcp.hpp"
#include "netstack/session/session_name.hpp"

namespace crosswire {
namespace {

/// Names of readers are C strings.
const char* reader_name(Stage stage) { return row_of(stage).name.data(); }

std::uint32_t slots_of(const Config& config) { return static_cast<std::uint32_t>(order_pool_slots(config)); }

/// A limit that is a slip of the pen must not send the machine into swapping, or the process to the OOM killer.
std::size_t checked_size(const Config& config) {
  const std::size_t bytes = Partition::bytes_for(config);
  const auto machine =
      static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  if (bytes > machine) {
    throw std::runtime_error(
        fmt::format("{}: needs {} MiB of memory, the machine has {} MiB; lower limits.max_orders, limits.max_levels, "
                    "orders.messages_kept, feed.messages_kept, or the number of accounts",
                    location_of(config, "limits"), bytes >> 20, machine >> 20));
  }
  return bytes;
}

}  // namespace

void set_start(Config& config, std::int64_t midnight_epoch_ns, TimeNs start_ns) {
  const std::uint64_t epoch_ms = (static_cast<std::uint64_t>(midnight_epoch_ns) + start_ns) / 1'000'000;
  config.net.start_ns = start_ns;
  config.net.order_session = session_name(kOrderSessionPrefix, epoch_ms);
  config.net.feed_session = session_name(kFeedSessionPrefix, epoch_ms);
}

Partition::OverTcp::OverTcp(const Config& of, Arena& arena)
    : config(order_tcp_config(of.net)),
      signals(arena),
      admissions(arena, admissions_for(config.connections)),
      wiring{config, signals, admissions} {}

std::size_t Partition::bytes_for(const Config& config) {
  const std::uint32_t slots = slots_of(config);
  std::optional<tcp::TcpConfig> over_tcp;
  if (config.net.tcp_port != 0) over_tcp = order_tcp_config(config.net);
  const tcp::TcpConfig* const tcp = over_tcp ? &*over_tcp : nullptr;
  return CommandRing::bytes_for(config.command_ring) + EventRing::bytes_for(config.event_ring) +
         Orders::bytes_for(slots) + SlotReturnRing::bytes_for(slot_return_capacity(slots)) +
         SlotSource::bytes_for(slots) + SlotReturner::bytes_for(slots) + EchoStore::bytes_for() +
         OperatorRings::bytes_for() + Engine::bytes_for(config.engine, slots) +
         ReceiveStage::bytes_for(config.net, config.engine, tcp) + TransmitStage::bytes_for(config.net, tcp) +
         (tcp == nullptr ? 0 : tcp::Signals::bytes_for() + AdmissionRing::bytes_for(admissions_for(tcp->connections))) +
         PublishStage::bytes_for(config.net, config.engine) + Chain::bytes_for();
}

Arena Partition::make_arena(const Config& config) {
  return Arena(checked_size(config), config.hugepages, config.placement.node.value_or(-1), "partition",
               config.page_size);
}

Partition::Partition(const Config& config, const Ports& ports, const TscClock& clock, const StageLayout& layout)
    : Partition(config, ports, clock, std::make_unique<Arena>(make_arena(config)), nullptr, layout) {}

Partition::Partition(const Config& config, const Ports& ports, const TscClock& clock, Arena& arena,
                     const StageLayout& layout)
    : Partition(config, ports, clock, nullptr, &arena, layout) {}

Partition::Partition(const Config& config, const Ports& ports, const TscClock& clock, std::unique_ptr<Arena> own,
                     Arena* given, const StageLayout& layout)
    : config_(config),
      own_arena_(std::move(own)),
      arena_(own_arena_ ? *own_arena_ : *given),
      commands_(arena_, config.command_ring),
      events_(arena_, config.event_ring),
      match_in_(commands_.add_gating(reader_name(Stage::match))),
      transmit_in_(events_.add_gating(reader_name(Stage::transmit))),
      publish_in_(events_.add_gating(reader_name(Stage::publish))),
      orders_(arena_, slots_of(config)),
      slot_returns_(arena_, slot_return_capacity(slots_of(config))),
      slot_source_(arena_, slot_returns_, slots_of(config)),
      slot_returner_(arena_, slot_returns_, slots_of(config)),
      echoes_(arena_),
      tcp_(config_.net.tcp_port != 0 ? std::make_unique<OverTcp>(config_, arena_) : nullptr),
      operators_(arena_),
      engine_(config_.engine, orders_, slot_returner_, arena_),
      stages_{
          {config_.net, config_.engine, ports.rx, commands_.producer(), orders_, slot_source_, echoes_, arena_,
           wiring()},
          {engine_, commands_, match_in_, events_, slot_returner_},
          {config_.net, transmit_in_, orders_, ports.transmit, echoes_, arena_, wiring()},
          {config_.net, config_.engine, publish_in_, orders_, ports.publish, arena_},
      },
      chain_({commands_, events_, {{{}, match_in_.progress(), transmit_in_.progress(), publish_in_.progress()}}},
             arena_) {
  if (tcp_ && config_.net.replays) {
    stages_.receive.wait_for({match_in_.progress(), transmit_in_.progress()});
  }
  for (std::size_t i = 0; i < layout.loops(); ++i) loops_.emplace_back(stages_, chain_, layout, i, clock);
}

bool Partition::round() {
  CoreLoop& first = loops_.front();
  if (&first == &loops_.back()) return first.round();  // as a rule; a walk over a deque takes longer
  bool worked = false;
  for (CoreLoop& loop : loops_) worked |= loop.round();
  return worked;
}

}  // namespace crosswire
