// Reading and checking of the configuration file: its sections but for days (calendar_section), symbols
// (market) and accounts (accounts), and what spans them. Set-up only: throws ConfigError, allocates, opens files.
#include "app/config/config.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <initializer_list>
#include <limits>
#include <string_view>
#include <utility>

#include "app/config/accounts.hpp"
#include "app/config/calendar_section.hpp"
#include "app/config/impair_section.hpp"
#include "app/config/keys.hpp"
#include "app/config/market.hpp"
#include "app/config/operators_section.hpp"
#include "app/config/section.hpp"
#include "engine/user_refs.hpp"
#include "netstack/common/limits.hpp"

namespace crosswire {
namespace {

using namespace config_file;

/// Some answers to re-requests a second: fewer would be no service.
constexpr std::uint64_t kLeastResendBytes = 10 * kMaxFrame;

bool is_multicast(std::uint32_t address) { return address >> 28 == 0xE; }

/// 0/8, loopback, multicast and above are nobody's own address.
bool is_host_address(std::uint32_t address) {
  const std::uint32_t first = address >> 24;
  return first != 0 && first != 127 && first < 224;
}

/// What ends DPDK's start (help, version), ties it to another process, or contradicts what crosswire derives.
bool is_refused(std::string_view argument) {
  constexpr std::string_view kShort = "hvaclm";
  constexpr std::array<std::string_view, 9> kLong = {"help",   "version", "proc-type",   "allow", "vdev",
                                                     "lcores", "no-huge", "file-prefix", "no-pci"};
  if (argument.size() < 2 || argument[0] != '-') return false;
  if (argument[1] != '-') return kShort.find(argument[1]) != std::string_view::npos;
  // DPDK takes the beginning of a long name for the name.
  const std::string_view name = argument.substr(2, argument.find('=') - 2);
  return std::any_of(kLong.begin(), kLong.end(),
                     [name](auto refused) { return refused.substr(0, name.size()) == name; });
}

/// Reads one configuration file into a Config, section by section, then checks what spans sections.
class Reader {
 public:
  Reader(const std::string& path, toml::table root, ConfigUse use, config_file::Logins logins)
      : path_(path), use_(use), logins_(logins), root_(std::move(root)) {}

  Config read() {
    config_.path = path_;
    config_.files.push_back(path_);
    const Section root(
        path_, "", root_,
        {"time", "calendar", "port", "placement", "orders", "feed", "limits", "memory", "monitoring", "operators",
         "impair", "collars", "market_halts", "symbol", "account", "accounts_file", "firm", "phase"});
    read_port(root);
    read_placement();
    read_orders();
    read_feed();
    read_limits();
    read_memory();
    read_monitoring();
    config_.impair = read_impair(path_, root_);
    const Symbols symbols = read_symbols(path_, root_, config_);
    read_accounts(root, path_, root_, symbols.numbers, logins_, config_);
    config_.operators = read_operators(path_, root_, config_.net.accounts);
    read_calendar(path_, root_, symbols, logins_, config_);
    check_relations(root);
    keep_keys(path_, root_, config_.keys);
    return std::move(config_);
  }

 private:
  /// Keeps the line of a key whose fault only the start can show.
  void note(const Section& section, const std::string& name, std::string_view key) {
    if (section.has(key)) config_.lines[fmt::format("{}.{}", name, key)] = section.line(key);
  }

  /// The table, or an empty one that stands for its absence.
  const toml::table& table(std::string_view name) const {
    static const toml::table kNone;
    const toml::table* found = find_table(path_, root_, name);
    return found == nullptr ? kNone : *found;
  }

  void read_port(const Section& root) {
    const Section section(path_, "port", table("port"),
                          {"device", "address", "mac", "vlans", "feed_vlan", "dpdk_args"});
    if (!root.has("port")) root.reject("port", "missing", "add a [port] section with address, and device for run");
    PortConfig& port = config_.port;
    NetConfig& net = config_.net;

    constexpr std::string_view kDevice = "give a DPDK device: \"0000:3b:00.0\" or \"net_af_packet0,iface=eth1\"";
    if (section.has("device") || use_ == ConfigUse::run) port.device = section.text("device", kDevice);
    if (section.has("device") && port.device.empty()) section.reject("device", "is empty", kDevice);

    constexpr std::string_view kAddress = "give the appliance's own IPv4 address, as \"10.99.0.1\"";
    const std::string address = section.text("address", kAddress);
    const auto parsed = parse_address(address);
    if (!parsed || !is_host_address(*parsed)) {
      section.reject("address", fmt::format("\"{}\" is not a host's IPv4 address", address), kAddress);
    }
    net.address = *parsed;

    if (section.has("mac")) {
      constexpr std::string_view kMac = "give a unicast address, as \"02:00:00:00:00:01\"";
      const std::string mac = section.text("mac", kMac);
      port.mac = parse_mac(mac);
      if (!port.mac || ((*port.mac)[0] & 1) != 0 || *port.mac == MacAddress{}) {
        section.reject("mac", fmt::format("\"{}\" is not a unicast MAC address", mac), kMac);
      }
    }
    read_vlans(section);
    net.feed_vlan = static_cast<std::uint16_t>(section.number("feed_vlan", 0, 4094, 0));
    note(section, "port", "device");
    note(section, "port", "dpdk_args");
    if (section.has("dpdk_args")) read_dpdk_args(section);
  }

  void read_placement() {
    constexpr unsigned kHighestCore = 4095;
    constexpr unsigned kHighestNode = 1023;
    std::vector<std::string_view> known = {"mode", "core", "control", "node", "idle"};
    known.insert(known.begin() + 2, kStageNames.begin(), kStageNames.end());
    const Section section(path_, "placement", table("placement"), known);
    const auto core_of = [&](std::string_view key) -> std::optional<unsigned> {
      note(section, "placement", key);
      if (!section.has(key)) return std::nullopt;
      return static_cast<unsigned>(section.required_number(key, 0, kHighestCore));
    };
    PlacementConfig& placement = config_.placement;
    for (std::size_t i = 0; i < kStages; ++i) placement.stages[i] = core_of(kStageNames[i]);
    if (section.has("mode")) {
      placement.mode = one_of<PlacementMode>(
          section, "mode",
          {{"auto", PlacementMode::automatic}, {"fused", PlacementMode::fused}, {"unpinned", PlacementMode::unpinned}});
    }
    check_placement(section);
    if (const auto core = core_of("core")) {
      placement.mode = PlacementMode::fused;
      placement.stages.fill(core);
    }
    placement.control = core_of("control");
    note(section, "placement", "mode");
    note(section, "placement", "node");
    if (section.has("node")) placement.node = static_cast<int>(section.required_number("node", 0, kHighestNode));
    if (section.has("idle")) {
      placement.idle =
          one_of<Idle>(section, "idle", {{"spin", Idle::spin}, {"pause", Idle::pause}, {"yield", Idle::yield}});
    }
  }

  /// One way of saying it: `core` for all stages, a core for each of some, or none.
  void check_placement(const Section& section) const {
    const PlacementMode mode = config_.placement.mode;
    const bool unpinned = mode == PlacementMode::unpinned;
    for (const std::string_view stage : kStageNames) {
      if (!section.has(stage)) continue;
      if (section.has("core")) section.reject(stage, "core is given as well", "keep core, or a core for each stage");
      if (unpinned) section.reject(stage, "mode is \"unpinned\"", "leave one of the two out");
      if (mode == PlacementMode::fused) {
        section.reject(stage, "mode is \"fused\"", "name the one core by core, or leave mode out");
      }
    }
    if (!section.has("core")) return;
    if (unpinned) section.reject("core", "mode is \"unpinned\"", "leave one of the two out");
    if (section.has("mode") && mode == PlacementMode::automatic) {
      section.reject("core", "mode is \"auto\"", "leave mode out: all stages run on that core");
    }
  }

  void read_dpdk_args(const Section& section) {
    config_.port.dpdk_args = strings(section, "dpdk_args", "give a list of strings");
    for (const std::string& argument : config_.port.dpdk_args) {
      if (!is_refused(argument)) continue;
      section.reject("dpdk_args", fmt::format("\"{}\" is not for the configuration to say", argument),
                     "leave it out: crosswire gives cores, memory and devices to DPDK itself");
    }
  }

  void read_vlans(const Section& section) {
    if (!section.has("vlans")) return;
    constexpr std::string_view kRemedy = "give a list of 802.1Q ids, 1 .. 4094, each once";
    for (const toml::node& item : section.list("vlans", kRemedy)) {
      const std::int64_t id = item.is_integer() ? item.as_integer()->get() : 0;
      if (id < 1 || id > 4094) section.reject("vlans", "holds something that is no VLAN id", kRemedy);
      const auto vlan = static_cast<std::uint16_t>(id);
      std::vector<std::uint16_t>& vlans = config_.net.vlans;
      if (std::find(vlans.begin(), vlans.end(), vlan) != vlans.end()) {
        section.reject("vlans", fmt::format("{} is there twice", id), kRemedy);
      }
      vlans.push_back(vlan);
    }
  }

  Section orders_section() const {
    return {path_,
            "orders",
            table("orders"),
            {"udp_port", "tcp_port", "silence_s", "heartbeat_ms", "login_s", "strangers", "messages_kept"}};
  }

  void read_orders() {
    const Section section = orders_section();
    NetConfig& net = config_.net;
    net.order_port = udp_port(section, "udp_port", net.order_port);
    net.tcp_port = static_cast<std::uint16_t>(section.number("tcp_port", 0, 65'535, net.order_port));
    net.login_ns = section.number("login_s", 1, 3600, net.login_ns / kNsPerSecond) * kNsPerSecond;
    net.strangers = static_cast<std::uint32_t>(section.number("strangers", 1, 10'000, net.strangers));
    net.silence_ns = section.number("silence_s", 1, 86'400, net.silence_ns / kNsPerSecond) * kNsPerSecond;
    const std::uint64_t heartbeat_ms = section.number("heartbeat_ms", 100, 60'000, net.heartbeat_ns / 1'000'000);
    if (heartbeat_ms % 100 != 0) {
      section.reject("heartbeat_ms", fmt::format("{} is between two ticks", heartbeat_ms), "give a multiple of 100");
    }
    net.heartbeat_ns = heartbeat_ms * 1'000'000;
    net.messages_kept = section.power_of_two("messages_kept", 2, 1u << 28, net.messages_kept);
  }

  void read_feed() {
    const Section section(path_, "feed", table("feed"),
                          {"enabled", "group", "udp_port", "request_port", "ttl", "messages_kept"});
    note(section, "feed", "group");
    NetConfig& net = config_.net;
    if (section.has("group")) {
      constexpr std::string_view kRemedy = "give a multicast group, as \"239.192.0.1\"";
      const std::string group = section.text("group", kRemedy);
      const auto parsed = parse_address(group);
      if (!parsed || !is_multicast(*parsed)) {
        section.reject("group", fmt::format("\"{}\" is not an IPv4 multicast group", group), kRemedy);
      }
      if (*parsed >> 8 == 0xE00000) {
        section.reject("group", fmt::format("\"{}\" is kept for routing protocols (224.0.0.0/24)", group), kRemedy);
      }
      net.feed_group = *parsed;
    }
    net.feed_enabled = section.truth("enabled", net.feed_enabled);
    net.feed_port = udp_port(section, "udp_port", net.feed_port);
    net.feed_request_port = udp_port(section, "request_port", net.feed_request_port);
    net.feed_ttl = static_cast<std::uint8_t>(section.number("ttl", 1, 255, net.feed_ttl));
    net.feed_messages_kept = section.power_of_two("messages_kept", 2, 1u << 30, net.feed_messages_kept);
  }

  void read_limits() {
    const Section section(path_, "limits", table("limits"),
                          {"max_orders", "max_levels", "orders_per_account", "levels_per_account",
                           "max_fills_per_order", "looks_per_second", "account_queries_per_second", "command_ring",
                           "event_ring", "failed_logins_per_second", "feed_requests_per_second", "pings_per_second",
                           "strangers_told_per_second", "order_requests_per_second", "order_resend_bytes_per_second"});
    if (const toml::table* const limits = find_table(path_, root_, "limits"))
      config_.lines["limits"] = line_of(*limits);
    EngineConfig& engine = config_.engine;
    NetConfig& net = config_.net;
    engine.max_orders = static_cast<std::uint32_t>(section.number("max_orders", 1, 1u << 30, engine.max_orders));
    engine.max_levels = static_cast<std::uint32_t>(section.number("max_levels", 1, 1u << 30, engine.max_levels));
    engine.orders_per_account = share(section, "orders_per_account", "max_orders", engine.max_orders);
    engine.levels_per_account = share(section, "levels_per_account", "max_levels", engine.max_levels);
    engine.max_fills_per_order =
        static_cast<std::uint32_t>(section.number("max_fills_per_order", 1, 1u << 30, engine.max_fills_per_order));
    engine.looks_per_second = rate(section, "looks_per_second", engine.looks_per_second);
    engine.account_queries_per_second = rate(section, "account_queries_per_second", engine.account_queries_per_second);
    config_.command_ring = section.power_of_two("command_ring", 2, 1u << 28, config_.command_ring);
    config_.event_ring = section.power_of_two("event_ring", 2, 1u << 28, config_.event_ring);
    net.failed_logins_per_second = rate(section, "failed_logins_per_second", net.failed_logins_per_second);
    net.feed_requests_per_second = rate(section, "feed_requests_per_second", net.feed_requests_per_second);
    net.pings_per_second = rate(section, "pings_per_second", net.pings_per_second);
    net.strangers_told_per_second = rate(section, "strangers_told_per_second", net.strangers_told_per_second);
    net.order_requests_per_second = rate(section, "order_requests_per_second", net.order_requests_per_second);
    net.order_resend_bytes_per_second = static_cast<std::uint32_t>(section.number(
        "order_resend_bytes_per_second", kLeastResendBytes, 1'000'000'000, net.order_resend_bytes_per_second));
    if (engine.max_levels > 2ull * engine.max_orders && section.has("max_levels")) {
      section.reject("max_levels",
                     fmt::format("{} levels for {} orders can never fill", engine.max_levels, engine.max_orders),
                     fmt::format("give at most {}", 2ull * engine.max_orders));
    }
  }

  void read_memory() {
    const Section section(path_, "memory", table("memory"), {"hugepages", "page_size"});
    if (section.has("hugepages")) {
      note(section, "memory", "hugepages");
      config_.hugepages = one_of<HugepagePolicy>(
          section, "hugepages",
          {{"auto", HugepagePolicy::automatic}, {"required", HugepagePolicy::required}, {"off", HugepagePolicy::off}});
    }
    if (!section.has("page_size")) return;
    note(section, "memory", "page_size");
    config_.page_size = one_of<PageSize>(
        section, "page_size", {{"auto", PageSize::automatic}, {"2M", PageSize::two_mib}, {"1G", PageSize::one_gib}});
    if (config_.hugepages == HugepagePolicy::off && config_.page_size != PageSize::automatic) {
      section.reject("page_size", "hugepages are off", "leave it out, or switch them on with hugepages = \"auto\"");
    }
  }

  void read_monitoring() {
    const Section section(path_, "monitoring", table("monitoring"), {"prometheus"});
    note(section, "monitoring", "prometheus");
    if (!section.has("prometheus")) return;
    constexpr std::string_view kRemedy = "give an IPv4 address of this host and a TCP port, as \"127.0.0.1:9464\"";
    const std::string text = section.text("prometheus", kRemedy);
    const std::size_t colon = text.find(':');
    const std::string port = colon == std::string::npos ? "" : text.substr(colon + 1);
    const bool digits = !port.empty() && port.size() <= 5 &&
                        std::all_of(port.begin(), port.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
    const unsigned long value = digits ? std::stoul(port) : 0;
    if (!parse_address(text.substr(0, colon)) || value < 1 || value > 65'535) {
      section.reject("prometheus", fmt::format("\"{}\" cannot be listened on", text), kRemedy);
    }
    config_.monitoring.prometheus = text;
  }

  void check_relations(const Section& root) const {
    const NetConfig& net = config_.net;
    const Section feed(path_, "feed", table("feed"),
                       {"enabled", "group", "udp_port", "request_port", "ttl", "messages_kept"});
    const Section orders = orders_section();
    constexpr std::string_view kRemedy = "give three different ports";
    // The complaint goes to a key that is written in the file: the other may be a default.
    if (net.feed_request_port == net.feed_port) {
      feed.reject(feed.has("request_port") ? "request_port" : "udp_port",
                  fmt::format("{} is both the feed's and the re-request port", net.feed_port), kRemedy);
    }
    if (net.order_port == net.feed_port || net.order_port == net.feed_request_port) {
      const std::string what = fmt::format("{} is both an order and a feed port", net.order_port);
      if (orders.has("udp_port")) orders.reject("udp_port", what, kRemedy);
      feed.reject(net.order_port == net.feed_port ? "udp_port" : "request_port", what, kRemedy);
    }
    if (net.silence_ns <= net.heartbeat_ns) {
      orders.reject(orders.has("silence_s") ? "silence_s" : "heartbeat_ms",
                    "clients would be taken for gone between two heartbeats",
                    "make silence_s longer than heartbeat_ms");
    }
    if (order_pool_slots(config_) >= std::numeric_limits<std::uint32_t>::max()) {
      root.reject("limits", fmt::format("{} order slots do not fit 32 bits", order_pool_slots(config_)),
                  "lower max_orders or the rings");
    }
  }

  static std::uint16_t udp_port(const Section& section, std::string_view key, std::uint16_t fallback) {
    return static_cast<std::uint16_t>(section.number(key, 1, 65'535, fallback));
  }

  /// What one account may have of a limit; 0: it is left out.
  static std::uint32_t share(const Section& section, std::string_view key, std::string_view of, std::uint32_t limit) {
    if (!section.has(key)) return 0;
    const std::uint64_t value = section.number(key, 1, 1u << 30, 0);
    if (value > limit) {
      section.reject(key, fmt::format("{} of one account, but {} = {} of all", value, of, limit),
                     fmt::format("give at most {}", limit));
    }
    return static_cast<std::uint32_t>(value);
  }

  static std::uint32_t rate(const Section& section, std::string_view key, std::uint32_t fallback) {
    return static_cast<std::uint32_t>(section.number(key, 1, 10'000'000, fallback));
  }

  std::string path_;
  ConfigUse use_;
  config_file::Logins logins_;
  toml::table root_;
  Config config_;
};

}  // namespace

std::uint64_t order_pool_slots(const Config& config) {
  constexpr std::uint64_t kInHand = 128;  // of receive's burst, match's command and its newest group of dead slots
  return std::uint64_t{config.engine.max_orders} + config.command_ring + 2ull * config.event_ring + kInHand;
}

void set_day(Config& config, const TradingDay& day) {
  config.net.schedule = day.schedule;
  config.engine.interruption_seed = day.seed;
}

TimeNs schedule_end_ns(const Config& config) {
  return config.net.schedule.empty() ? 0 : config.net.schedule.back().at_ns;
}

Config load_config(const std::string& path, ConfigUse use) {
  return read_table(path, parse_file(path), use, config_file::Logins::some);
}

Config config_file::read_table(const std::string& path, toml::table root, ConfigUse use, config_file::Logins logins) {
  return Reader(path, std::move(root), use, logins).read();
}

std::string location_of(const Config& config, const std::string& key) {
  const auto line = config.lines.find(key);
  return fmt::format("{}:{}: {}", config.path, line == config.lines.end() ? 1 : line->second, key);
}

std::optional<std::uint32_t> parse_address(const std::string& text) {
  in_addr address{};
  if (inet_pton(AF_INET, text.c_str(), &address) != 1) return std::nullopt;
  return ntohl(address.s_addr);
}

std::optional<MacAddress> parse_mac(const std::string& text) {
  MacAddress mac{};
  if (text.size() != 17) return std::nullopt;
  for (std::size_t i = 0; i < 17; ++i) {
    const bool separator = i % 3 == 2;
    if (separator ? text[i] != ':' : std::isxdigit(static_cast<unsigned char>(text[i])) == 0) return std::nullopt;
  }
  for (std::size_t i = 0; i < 6; ++i)
    mac[i] = static_cast<std::uint8_t>(std::stoul(text.substr(3 * i, 2), nullptr, 16));
  return mac;
}

std::string format_address(std::uint32_t address) {
  return fmt::format("{}.{}.{}.{}", address >> 24, (address >> 16) & 255, (address >> 8) & 255, address & 255);
}

std::string format_mac(const MacAddress& mac) {
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

}  // namespace crosswire
