// The configuration file: one TOML file, checked whole before anything starts, turned into the plain values that the
// engine and the netstack take. Set-up only; no stage runs any of it. It opens files and nothing else.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "app/config/calendar.hpp"
#include "engine/config.hpp"
#include "hugepages/base/stage.hpp"
#include "hugepages/host/placement.hpp"
#include "hugepages/memory/arena.hpp"
#include "netstack/common/config.hpp"
#include "netstack/port/impairments.hpp"

namespace crosswire {

/// What a polling core does in a round in which its stages found no work: nothing, the CPU's pause instruction, or give
/// the core away.
enum class Idle { spin, pause, yield };

/// [port]: the device of `run`, and the EAL behind it.
struct PortConfig {
  std::string device;                  // DPDK device string: a PCI address or a vdev; empty in a replay
  std::optional<MacAddress> mac;       // given in the file; else the device's (run), or the capture's (replay)
  std::vector<std::string> dpdk_args;  // handed to the EAL behind those that crosswire derives
};

/// [placement]: which core polls what. A core is a Linux CPU number.
struct PlacementConfig {
  PlacementMode mode = PlacementMode::automatic;
  std::array<std::optional<unsigned>, kStages> stages;  // as given, by Stage
  std::optional<unsigned> control;                      // of the threads that do not poll
  std::optional<int> node;                              // NUMA node of the memory; none: of match's core
  Idle idle = Idle::spin;
};

/// [monitoring]: how live figures leave, beside DPDK's telemetry socket.
struct MonitoringConfig {
  std::string prometheus;  // "127.0.0.1:9464", checked; empty = no endpoint
};

/// [impair]: what befalls frames between device or capture and stages. For tests and rehearsals.
struct ImpairConfig {
  std::uint64_t seed = 1;
  std::uint32_t held_frames = 4096;  // that each port holds back at most
  ImpairmentConfig receive, transmit;

  [[nodiscard]] bool any() const { return receive.any() || transmit.any(); }
};

/// [operators]: the system's groups whose members may say something to a running appliance, by what they may. That the
/// groups are there is seen at the start of a run alone: other hosts may read the file.
struct OperatorsConfig {
  struct Group {
    std::string name;
    std::string key;  // "operators.viewer", of the line
    std::int64_t line;
  };
  struct FirmGroup {
    std::string firm;  // of an account
    Group group;
  };
  std::vector<Group> viewer, market_control, house_risk;
  std::vector<FirmGroup> firms;
};

/// Our MAC address in a replay where neither the configuration nor the capture tells it.
inline constexpr MacAddress kReplayMac{0x02, 0, 0, 0, 0, 0x01};

/// A key as a file has it, for who compares two configurations.
struct ConfigKey {
  std::string value;  // in TOML; of a file that holds what is secret, that
  std::string file;   // in which it is
  std::int64_t line = 1;
  bool secret = false;  // not to be told
};

/// Everything a partition needs. `net.mac`, the session names and `net.start_ns` are filled in by run or replay, which
/// know them, and so is the day (set_day): before that it is the one that [time] midnight names, or else 1970-01-01.
/// All else is complete and checked.
struct Config {
  std::string path;
  std::vector<std::string> files;                 // all that were read: this one, those with accounts and passwords
  std::map<std::string, std::int64_t> lines;      // of "SECTION.KEY", for those whose fault shows only later
  std::map<std::string, ConfigKey> keys;          // all, as "account[ann].risk.funds_e4" (app/config/keys.hpp)
  std::optional<std::int64_t> midnight_epoch_ns;  // [time] midnight, ns since the Unix epoch: the calendar has one day
  Calendar calendar;
  bool rolls = true;  // [time] at_end: run goes on with the next day
  PortConfig port;
  PlacementConfig placement;
  MonitoringConfig monitoring;
  ImpairConfig impair;
  std::optional<OperatorsConfig> operators;  // none: the process's own user, and root, may all
  NetConfig net;
  EngineConfig engine;
  std::uint32_t command_ring = 1u << 12;  // slots, a power of two >= 2
  std::uint32_t event_ring = 1u << 13;    // slots, a power of two >= 2
  HugepagePolicy hugepages = HugepagePolicy::automatic;
  PageSize page_size = PageSize::automatic;  // of the partition's memory
};

/// Slots of the order pool: what may live, and what both rings can hold in flight beyond that. A command in the ring
/// holds one slot; an event names at most two orders; the one command that match and receive each have in hand is
/// slack.
std::uint64_t order_pool_slots(const Config& config);

/// Makes it that day's: its schedule, and what is drawn on it.
void set_day(Config& config, const TradingDay& day);

/// Time of the last scheduled phase, ns since midnight; 0 without a schedule.
TimeNs schedule_end_ns(const Config& config);

/// what() is the one line for the user: `FILE:LINE: key: what; how to fix it`.
class ConfigError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

enum class ConfigUse { run, replay };

/// "FILE:LINE: KEY", to begin a message with about a key that cannot be used; `key` as "placement.core". A key that the
/// file leaves out is on line 1.
std::string location_of(const Config& config, const std::string& key);

/// Reads and checks `path` and the files that it names. Throws ConfigError at the first fault. `use` decides only
/// whether [port] device must be there.
Config load_config(const std::string& path, ConfigUse use);

/// "10.99.0.1" for messages and figures; `address` in host byte order.
std::string format_address(std::uint32_t address);
/// "02:00:00:00:00:01" for messages and figures.
std::string format_mac(const MacAddress& mac);
/// The other way round; nothing if it is anything else.
std::optional<std::uint32_t> parse_address(const std::string& text);
std::optional<MacAddress> parse_mac(const std::string& text);

}  // namespace crosswire
