// The configuration file: any bytes. It is refused in one line that names file and line, or it is complete and within
// what the rest of the program takes without asking.
#include "app/config/config.hpp"

#include <bit>
#include <limits>
#include <set>

#include "app/partition/partition.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace crosswire {
namespace {

using namespace fuzz;

void check_engine(const EngineConfig& engine) {
  HOLDS(!engine.symbols.empty() && engine.symbols.size() < 0xFFFF);
  std::set<SymbolName> names;
  for (const SymbolConfig& symbol : engine.symbols) {
    HOLDS(symbol.tick_e4 >= 1 && symbol.reference != kNoPrice && symbol.reference <= kMaxPrice);
    HOLDS(symbol.reference.value % symbol.tick_e4 == 0);
    HOLDS(names.insert(symbol.name).second);
  }
  HOLDS(engine.max_orders >= 1 && engine.max_levels >= 1);
  HOLDS(std::has_single_bit(engine.user_ref_window));
}

void check_net(const NetConfig& net) {
  HOLDS(std::has_single_bit(net.messages_kept) && std::has_single_bit(net.feed_messages_kept));
  HOLDS(net.order_port != 0 && net.feed_port != 0 && net.feed_request_port != 0);
  HOLDS(net.order_port != net.feed_request_port && net.feed_port != net.feed_request_port);
  HOLDS(net.heartbeat_ns >= kTickIntervalNs && net.silence_ns > net.heartbeat_ns);
  HOLDS(net.feed_group >> 28 == 0xE);
  TimeNs last = 0;
  for (const PhaseChange& change : net.schedule) {
    HOLDS(change.at_ns >= last && change.at_ns < kNsPerDay);
    last = change.at_ns;
  }
  for (const AccountConfig& account : net.accounts) {
    HOLDS(!account.user.empty() && account.user.size() <= 6 && account.password.size() <= 10);
    for (const AddressRange& range : account.sources) HOLDS(range.prefix <= 32);
  }
}

void check(const std::string& path, ConfigUse use) try {
  const Config config = load_config(path, use);
  check_engine(config.engine);
  check_net(config.net);
  HOLDS(config.engine.sessions == config.net.accounts.size() && config.engine.sessions >= 1);
  HOLDS(std::has_single_bit(config.command_ring) && std::has_single_bit(config.event_ring));
  HOLDS(order_pool_slots(config) < std::numeric_limits<std::uint32_t>::max());
  HOLDS(use == ConfigUse::replay || !config.port.device.empty());
  HOLDS(Partition::bytes_for(config) > 0);  // sums up without a broken CHECK
  HOLDS(schedule_end_ns(config) == config.net.schedule.back().at_ns);
  HOLDS(location_of(config, "limits").rfind(path + ":", 0) == 0);
} catch (const ConfigError& fault) {
  HOLDS(std::string_view(fault.what()).rfind(path + ":", 0) == 0);
}

}  // namespace
}  // namespace crosswire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace crosswire;
  static fuzz::MemoryFile file;
  file.set({{data, size}});
  check(file.path(), ConfigUse::run);
  check(file.path(), ConfigUse::replay);
  return 0;
}
