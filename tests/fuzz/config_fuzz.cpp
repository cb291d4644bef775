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
}

void check_net(const NetConfig& net) {
  HOLDS(std::has_single_bit(net.messages_kept) && std::has_single_bit(net.feed_messages_kept));
  HOLDS(net.order_port != 0 && net.feed_port != 0 && net.feed_request_port != 0);
  HOLDS(net.order_port != net.feed_request_port && net.feed_port != net.feed_request_port);
  HOLDS(net.heartbeat_ns >= kTickIntervalNs && net.silence_ns > net.heartbeat_ns);
  HOLDS(net.feed_group >> 28 == 0xE);
  for (const AccountConfig& account : net.accounts) {
    HOLDS(!account.user.empty() && account.user.size() <= 6 && account.password.size() <= 10);
    for (const AddressRange& range : account.sources) HOLDS(range.prefix <= 32);
  }
}

/// Its times are in it, and where it ends the next one begins.
void check_day(const Calendar& calendar, std::int64_t epoch_ns) {
  const TradingDay day = calendar.day_at(epoch_ns);
  HOLDS(day.begin_ns < day.end_ns && day.end_ns < 50 * 3600 * kNsPerSecond);
  HOLDS(!day.schedule.empty());
  TimeNs last = day.begin_ns;
  for (const PhaseChange& change : day.schedule) {
    HOLDS(change.at_ns >= last && change.at_ns < day.end_ns);
    last = change.at_ns;
  }
  if (calendar.has_one_day()) return;
  const TradingDay next = calendar.after(day);
  HOLDS(next.midnight_epoch_ns + static_cast<std::int64_t>(next.begin_ns) ==
        day.midnight_epoch_ns + static_cast<std::int64_t>(day.end_ns));
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
  for (std::int64_t s = 0; s < 4'000'000'000; s += 333'333'333) check_day(config.calendar, s * 1'000'000'000);
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
