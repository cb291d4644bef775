// Reading and checking of the configuration file. Set-up only: throws ConfigError, allocates, opens files.
#include "app/config.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cctype>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <limits>
#include <map>
#include <string_view>

#include "engine/user_refs.hpp"

namespace crosswire {
namespace {

constexpr std::int64_t kNsPerSecondSigned = 1'000'000'000;

[[noreturn]] void fail(const std::string& file, std::int64_t line, std::string_view key, std::string_view what,
                       std::string_view mend) {
  throw ConfigError(fmt::format("{}:{}: {}: {}; {}", file, line, key, what, mend));
}

std::int64_t line_of(const toml::node& node) { return node.source().begin.line; }

std::string_view type_name(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "a whole number";
    case toml::node_type::floating_point:
      return "a number with a fraction";
    case toml::node_type::boolean:
      return "true or false";
    case toml::node_type::date:
      return "a date";
    case toml::node_type::time:
      return "a time";
    case toml::node_type::date_time:
      return "a date and time";
    default:
      return "nothing";
  }
}

/// "a, b, c". Not fmt::join, which GCC 12 warns of at -O3 (stringop-overflow, wrongly).
template <class Strings>
std::string joined(const Strings& strings) {
  std::string result;
  for (const std::string_view string : strings) result += (result.empty() ? "" : ", ") + std::string(string);
  return result;
}

bool is_printable(std::string_view text, char first) {
  return std::all_of(text.begin(), text.end(), [first](char c) { return c >= first && c <= '~'; });
}

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return result;
}

/// One TOML table being read: knows its file and its own name, and turns every fault into the user's line.
class Section {
 public:
  /// `known` lists every key the table may have; any other is an error here and now.
  Section(const std::string& file, std::string name, const toml::table& table,
          std::initializer_list<std::string_view> known)
      : file_(file), name_(std::move(name)), table_(table) {
    const toml::key* first_unknown = nullptr;
    for (const auto& [key, node] : table) {
      if (std::find(known.begin(), known.end(), key.str()) != known.end()) continue;
      if (first_unknown == nullptr || key.source().begin.line < first_unknown->source().begin.line) {
        first_unknown = &key;
      }
    }
    if (first_unknown != nullptr) {
      fail(file_, first_unknown->source().begin.line, full(first_unknown->str()), "unknown key",
           fmt::format("known here: {}", joined(known)));
    }
  }

  bool has(std::string_view key) const { return table_.contains(key); }
  std::int64_t line(std::string_view key) const {
    const toml::node* node = table_.get(key);
    return node == nullptr ? line_of(table_) : line_of(*node);
  }

  [[noreturn]] void reject(std::string_view key, std::string_view what, std::string_view mend) const {
    fail(file_, line(key), full(key), what, mend);
  }

  /// A whole number in low .. high; `fallback` where the key is not there.
  std::uint64_t number(std::string_view key, std::uint64_t low, std::uint64_t high, std::uint64_t fallback) const {
    return has(key) ? required_number(key, low, high) : fallback;
  }

  std::uint64_t required_number(std::string_view key, std::uint64_t low, std::uint64_t high) const {
    const toml::node& node = need(key, fmt::format("give a whole number, {} .. {}", low, high));
    if (!node.is_integer()) {
      reject(key, fmt::format("is {}", type_name(node)), fmt::format("give a whole number, {} .. {}", low, high));
    }
    const std::int64_t value = node.as_integer()->get();
    if (value < 0 || static_cast<std::uint64_t>(value) < low || static_cast<std::uint64_t>(value) > high) {
      reject(key, fmt::format("{} is out of range", value), fmt::format("give {} .. {}", low, high));
    }
    return static_cast<std::uint64_t>(value);
  }

  std::uint32_t power_of_two(std::string_view key, std::uint32_t low, std::uint32_t high,
                             std::uint32_t fallback) const {
    const auto value = static_cast<std::uint32_t>(number(key, low, high, fallback));
    if (!std::has_single_bit(value)) {
      const std::uint64_t next = std::min<std::uint64_t>(std::bit_ceil(std::uint64_t{value}), high);
      reject(key, fmt::format("{} is not a power of two", value), fmt::format("give {} or {}", next / 2, next));
    }
    return value;
  }

  bool truth(std::string_view key, bool fallback) const {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return fallback;
    if (!node->is_boolean()) reject(key, fmt::format("is {}", type_name(*node)), "give true or false");
    return node->as_boolean()->get();
  }

  std::string text(std::string_view key, std::string_view mend) const {
    const toml::node& node = need(key, mend);
    if (!node.is_string()) reject(key, fmt::format("is {}", type_name(node)), mend);
    return node.as_string()->get();
  }

  const toml::array& list(std::string_view key, std::string_view mend) const {
    const toml::node& node = need(key, mend);
    if (!node.is_array()) reject(key, fmt::format("is {}", type_name(node)), mend);
    return *node.as_array();
  }

  const toml::node& need(std::string_view key, std::string_view mend) const {
    const toml::node* node = table_.get(key);
    if (node == nullptr) fail(file_, line_of(table_), full(key), "missing", mend);
    return *node;
  }

 private:
  std::string full(std::string_view key) const {
    return name_.empty() ? std::string(key) : fmt::format("{}.{}", name_, key);
  }

  const std::string& file_;
  std::string name_;
  const toml::table& table_;
};

bool is_multicast(std::uint32_t address) { return address >> 28 == 0xE; }

/// 0/8, loopback, multicast and above are nobody's own address.
bool is_host_address(std::uint32_t address) {
  const std::uint32_t first = address >> 24;
  return first != 0 && first != 127 && first < 224;
}

/// "HH:MM:SS" with up to nine digits of a fraction, below 24 h.
std::optional<TimeNs> parse_time_of_day(std::string_view text) {
  if (text.size() < 8 || text.size() == 9 || text.size() > 18) return std::nullopt;
  constexpr std::string_view kPattern = "dd:dd:dd.ddddddddd";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool fits = kPattern[i] == 'd' ? text[i] >= '0' && text[i] <= '9' : text[i] == kPattern[i];
    if (!fits) return std::nullopt;
  }
  const auto two = [text](std::size_t at) { return TimeNs(text[at] - '0') * 10 + TimeNs(text[at + 1] - '0'); };
  if (two(0) > 23 || two(3) > 59 || two(6) > 59) return std::nullopt;
  TimeNs time = ((two(0) * 60 + two(3)) * 60 + two(6)) * kNsPerSecond;
  TimeNs unit = kNsPerSecond / 10;
  for (std::size_t i = 9; i < text.size(); ++i, unit /= 10) time += TimeNs(text[i] - '0') * unit;
  return time;
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

toml::table parse_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::error_code error;
  if (!in || std::filesystem::is_directory(path, error)) {
    throw ConfigError(fmt::format("{}:1: file: cannot be read; give the path of a TOML file that you may read", path));
  }
  try {
    return toml::parse(in, path);
  } catch (const toml::parse_error& fault) {
    fail(path, fault.source().begin.line, "syntax", fault.description(), "write it as TOML 1.0");
  }
}

/// A table of the root, or nothing where the file leaves it out.
const toml::table* find_table(const std::string& file, const toml::table& root, std::string_view name) {
  const toml::node* node = root.get(name);
  if (node == nullptr) return nullptr;
  if (!node->is_table()) {
    fail(file, line_of(*node), name, fmt::format("is {}", type_name(*node)), fmt::format("write [{}]", name));
  }
  return node->as_table();
}

/// The [[name]] tables of `root`, in the file's order.
std::vector<const toml::table*> find_tables(const std::string& file, const toml::table& root, std::string_view name) {
  std::vector<const toml::table*> tables;
  const toml::node* node = root.get(name);
  if (node == nullptr) return tables;
  const std::string mend = fmt::format("write [[{}]] above each", name);
  if (!node->is_array()) fail(file, line_of(*node), name, fmt::format("is {}", type_name(*node)), mend);
  for (const toml::node& item : *node->as_array()) {
    if (!item.is_table()) fail(file, line_of(item), name, fmt::format("holds {}", type_name(item)), mend);
    tables.push_back(item.as_table());
  }
  return tables;
}

/// A password is worth as much as the file that holds it.
void check_owner_only(const Section& section, std::string_view key, const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) {
    section.reject(key, fmt::format("{} cannot be read", path), "give the path of a file that you may read");
  }
  if (!S_ISREG(status.st_mode)) {
    section.reject(key, fmt::format("{} is not a file", path), "give the path of a file that you may read");
  }
  if ((status.st_mode & 077) != 0) {
    section.reject(key, fmt::format("others may read {}", path), fmt::format("chmod 600 {}", path));
  }
}

std::string read_password_file(const Section& section, std::string_view key, const std::string& path) {
  check_owner_only(section, key, path);
  std::ifstream in(path, std::ios::binary);
  std::string password;
  if (!in || (std::getline(in, password).bad())) {
    section.reject(key, fmt::format("{} cannot be read", path), "give the path of a file that you may read");
  }
  if (!password.empty() && password.back() == '\r') password.pop_back();
  if (password.empty()) section.reject(key, fmt::format("{} is empty", path), "write the password into it, one line");
  return password;
}

/// Reads one configuration file into a Config, section by section, then checks what spans sections.
class Reader {
 public:
  Reader(const std::string& path, ConfigUse use) : path_(path), use_(use), root_(parse_file(path)) {}

  Config read() {
    config_.path = path_;
    config_.files.push_back(path_);
    const Section root(path_, "", root_,
                       {"time", "port", "placement", "orders", "feed", "limits", "memory", "monitoring", "symbol",
                        "account", "accounts_file", "phase"});
    read_time();
    read_port(root);
    read_placement();
    read_orders();
    read_feed();
    read_limits();
    read_memory();
    read_monitoring();
    read_symbols();
    read_accounts(root);
    read_phases();
    check_relations(root);
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

  void read_time() {
    const Section section(path_, "time", table("time"), {"midnight"});
    if (!section.has("midnight")) return;
    constexpr std::string_view kMend = "write RFC 3339 with offset and without quotes: 2026-01-31T00:00:00+08:00";
    const toml::node& node = section.need("midnight", kMend);
    if (!node.is_date_time()) section.reject("midnight", fmt::format("is {}", type_name(node)), kMend);
    const toml::date_time& value = node.as_date_time()->get();
    if (!value.offset.has_value()) section.reject("midnight", "has no offset", kMend);
    using std::chrono::day, std::chrono::month, std::chrono::sys_days, std::chrono::year;
    const sys_days date{year{value.date.year} / month{value.date.month} / day{value.date.day}};
    const std::int64_t minutes = (std::int64_t{value.time.hour} * 60 + value.time.minute) - value.offset->minutes;
    const std::int64_t seconds =
        std::int64_t{date.time_since_epoch().count()} * 86'400 + minutes * 60 + value.time.second;
    if (seconds < 0 || seconds > 4'000'000'000) section.reject("midnight", "is not in 1970 .. 2096", kMend);
    if (value.time != toml::time{}) section.reject("midnight", "is not 00:00:00", kMend);
    config_.midnight_epoch_ns = seconds * kNsPerSecondSigned;
    note(section, "time", "midnight");
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
    const Section section(path_, "placement", table("placement"),
                          {"mode", "core", "receive", "match", "transmit", "publish", "control", "node", "idle"});
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
    constexpr std::string_view kMend = "give a list of 802.1Q ids, 1 .. 4094, each once";
    for (const toml::node& item : section.list("vlans", kMend)) {
      const std::int64_t id = item.is_integer() ? item.as_integer()->get() : 0;
      if (id < 1 || id > 4094) section.reject("vlans", "holds something that is no VLAN id", kMend);
      const auto vlan = static_cast<std::uint16_t>(id);
      std::vector<std::uint16_t>& vlans = config_.net.vlans;
      if (std::find(vlans.begin(), vlans.end(), vlan) != vlans.end()) {
        section.reject("vlans", fmt::format("{} is there twice", id), kMend);
      }
      vlans.push_back(vlan);
    }
  }

  void read_orders() {
    const Section section(path_, "orders", table("orders"), {"udp_port", "silence_s", "heartbeat_ms", "messages_kept"});
    NetConfig& net = config_.net;
    net.order_port = udp_port(section, "udp_port", net.order_port);
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
      constexpr std::string_view kMend = "give a multicast group, as \"239.192.0.1\"";
      const std::string group = section.text("group", kMend);
      const auto parsed = parse_address(group);
      if (!parsed || !is_multicast(*parsed)) {
        section.reject("group", fmt::format("\"{}\" is not an IPv4 multicast group", group), kMend);
      }
      if (*parsed >> 8 == 0xE00000) {
        section.reject("group", fmt::format("\"{}\" is kept for routing protocols (224.0.0.0/24)", group), kMend);
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
                          {"max_orders", "max_levels", "user_ref_window", "command_ring", "event_ring",
                           "failed_logins_per_second", "feed_requests_per_second", "pings_per_second"});
    if (const toml::table* const limits = find_table(path_, root_, "limits"))
      config_.lines["limits"] = line_of(*limits);
    EngineConfig& engine = config_.engine;
    NetConfig& net = config_.net;
    engine.max_orders = static_cast<std::uint32_t>(section.number("max_orders", 1, 1u << 30, engine.max_orders));
    engine.max_levels = static_cast<std::uint32_t>(section.number("max_levels", 1, 1u << 30, engine.max_levels));
    engine.user_ref_window =
        section.power_of_two("user_ref_window", UserRefs::kLeastWindow, 1u << 28, engine.user_ref_window);
    config_.command_ring = section.power_of_two("command_ring", 2, 1u << 28, config_.command_ring);
    config_.event_ring = section.power_of_two("event_ring", 2, 1u << 28, config_.event_ring);
    net.failed_logins_per_second = rate(section, "failed_logins_per_second", net.failed_logins_per_second);
    net.feed_requests_per_second = rate(section, "feed_requests_per_second", net.feed_requests_per_second);
    net.pings_per_second = rate(section, "pings_per_second", net.pings_per_second);
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
    constexpr std::string_view kMend = "give an IPv4 address of this host and a TCP port, as \"127.0.0.1:9464\"";
    const std::string text = section.text("prometheus", kMend);
    const std::size_t colon = text.find(':');
    const std::string port = colon == std::string::npos ? "" : text.substr(colon + 1);
    const bool digits = !port.empty() && port.size() <= 5 &&
                        std::all_of(port.begin(), port.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
    const unsigned long value = digits ? std::stoul(port) : 0;
    if (!parse_address(text.substr(0, colon)) || value < 1 || value > 65'535) {
      section.reject("prometheus", fmt::format("\"{}\" cannot be listened on", text), kMend);
    }
    config_.monitoring.prometheus = text;
  }

  void read_symbols() {
    const auto tables = find_tables(path_, root_, "symbol");
    if (tables.empty()) fail(path_, 1, "symbol", "missing", "add a [[symbol]] with name, reference_price_e4, tick_e4");
    if (tables.size() > 65'534) fail(path_, line_of(*tables[65'534]), "symbol", "too many", "give at most 65534");
    for (const toml::table* table : tables) {
      const Section section(path_, "symbol", *table, {"name", "reference_price_e4", "tick_e4"});
      SymbolConfig symbol{};
      constexpr std::string_view kMend = "give 1 to 8 printable ASCII characters, each name once";
      const std::string name = section.text("name", kMend);
      if (name.empty() || name.size() > 8 || !is_printable(name, '!')) {
        section.reject("name", fmt::format("\"{}\" cannot be a symbol", name), kMend);
      }
      if (!symbols_.emplace(name, symbols_.size() + 1).second) {
        section.reject("name", fmt::format("\"{}\" is there twice", name), kMend);
      }
      symbol.name.fill(' ');
      std::copy(name.begin(), name.end(), symbol.name.begin());
      symbol.tick_e4 = static_cast<std::uint32_t>(section.required_number("tick_e4", 1, kMaxPrice.value));
      const std::uint64_t reference = section.required_number("reference_price_e4", 1, kMaxPrice.value);
      if (reference % symbol.tick_e4 != 0) {
        section.reject("reference_price_e4",
                       fmt::format("{} is not a multiple of tick_e4 = {}", reference, symbol.tick_e4),
                       fmt::format("give {} or mend tick_e4",
                                   std::max<std::uint64_t>(reference / symbol.tick_e4, 1) * symbol.tick_e4));
      }
      symbol.reference = Price{static_cast<std::uint32_t>(reference)};
      config_.engine.symbols.push_back(symbol);
    }
  }

  void read_accounts(const Section& root) {
    for (const toml::table* table : find_tables(path_, root_, "account")) read_account(path_, *table);
    if (root.has("accounts_file")) {
      const std::string path = beside(root.text("accounts_file", "give the path of a file with [[account]] tables"));
      std::error_code error;
      if (!std::filesystem::is_regular_file(path, error)) {
        root.reject("accounts_file", fmt::format("{} cannot be read", path),
                    "give the path of a file that you may read");
      }
      const toml::table accounts = parse_file(path);
      config_.files.push_back(path);
      const Section section(path, "", accounts, {"account"});
      for (const toml::table* table : find_tables(path, accounts, "account")) read_account(path, *table);
    }
    if (config_.net.accounts.empty()) {
      fail(path_, 1, "account", "missing", "add an [[account]] with user, password_file or password, and firm");
    }
    config_.engine.sessions = static_cast<std::uint32_t>(config_.net.accounts.size());
  }

  void read_account(const std::string& file, const toml::table& table) {
    const Section section(file, "account", table, {"user", "password", "password_file", "firm", "sources"});
    AccountConfig account{};
    constexpr std::string_view kUser = "give 1 to 6 printable ASCII characters, each user once (case does not count)";
    account.user = section.text("user", kUser);
    if (account.user.empty() || account.user.size() > 6 || !is_printable(account.user, '!')) {
      section.reject("user", fmt::format("\"{}\" cannot be a user", account.user), kUser);
    }
    if (!users_.emplace(upper(account.user), true).second) {
      section.reject("user", fmt::format("\"{}\" is there twice", account.user), kUser);
    }
    if (config_.net.accounts.size() >= 65'534) section.reject("user", "one account too many", "give at most 65534");
    account.password = read_password(section, file);
    account.firm.fill(' ');
    if (section.has("firm")) {
      constexpr std::string_view kFirm = "give 1 to 4 upper-case letters or digits";
      const std::string firm = section.text("firm", kFirm);
      const bool legal = std::all_of(firm.begin(), firm.end(),
                                     [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); });
      if (firm.empty() || firm.size() > 4 || !legal)
        section.reject("firm", fmt::format("\"{}\" cannot be a firm", firm), kFirm);
      std::copy(firm.begin(), firm.end(), account.firm.begin());
    }
    if (section.has("sources")) account.sources = read_sources(section);
    config_.net.accounts.push_back(std::move(account));
  }

  std::string read_password(const Section& section, const std::string& file) {
    if (section.has("password") && section.has("password_file")) {
      section.reject("password_file", "password is given as well", "keep one of the two");
    }
    const std::string_view key = section.has("password") ? "password" : "password_file";
    std::string password = section.text(key, "give password_file or password");
    if (key == "password") {
      check_owner_only(section, key, file);
    } else {
      config_.files.push_back(beside(password));
      password = read_password_file(section, key, config_.files.back());
    }
    if (password.size() > 10 || !is_printable(password, '!')) {
      section.reject(key, "is no password of 0 to 10 printable ASCII characters without spaces",
                     "shorten it, the login packet has ten places");
    }
    return password;
  }

  static std::vector<AddressRange> read_sources(const Section& section) {
    constexpr std::string_view kMend = "give a list like [\"10.99.0.0/24\", \"10.98.0.7\"]";
    std::vector<AddressRange> sources;
    for (const std::string& text : strings(section, "sources", kMend)) {
      const std::size_t slash = text.find('/');
      const auto address = parse_address(text.substr(0, slash));
      unsigned prefix = 32;
      bool legal = address.has_value();
      if (slash != std::string::npos) {
        const std::string digits = text.substr(slash + 1);
        legal = legal && !digits.empty() && digits.size() <= 2 &&
                std::all_of(digits.begin(), digits.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
        prefix = legal ? static_cast<unsigned>(std::stoul(digits)) : 33;
      }
      if (!legal || prefix > 32) section.reject("sources", fmt::format("\"{}\" is no address or range", text), kMend);
      const std::uint32_t mask = prefix == 0 ? 0 : ~0u << (32 - prefix);
      if ((*address & ~mask) != 0) {
        section.reject("sources", fmt::format("\"{}\" has bits beyond its prefix", text),
                       fmt::format("write \"{}/{}\"", format_address(*address & mask), prefix));
      }
      sources.push_back({*address, static_cast<std::uint8_t>(prefix)});
    }
    if (sources.empty()) section.reject("sources", "is an empty list", "leave it out to allow any address");
    return sources;
  }

  void read_phases() {
    std::vector<PhaseChange>& schedule = config_.net.schedule;
    for (const toml::table* table : find_tables(path_, root_, "phase")) {
      const Section section(path_, "phase", *table, {"at", "state", "symbol"});
      PhaseChange change{};
      constexpr std::string_view kAt = "give a time of day in quotes, as \"09:15:00\" or \"09:15:00.000\"";
      const std::string at = section.text("at", kAt);
      const auto time = parse_time_of_day(at);
      if (!time) section.reject("at", fmt::format("\"{}\" is no time of day", at), kAt);
      change.at_ns = *time;
      change.phase = read_phase(section);
      change.symbol = kAllSymbols;
      if (section.has("symbol")) {
        const std::string name = section.text("symbol", "give the name of a [[symbol]]");
        const auto found = symbols_.find(name);
        if (found == symbols_.end()) {
          section.reject("symbol", fmt::format("\"{}\" is unknown", name), "give the name of a [[symbol]]");
        }
        change.symbol = SymbolId{static_cast<std::uint16_t>(found->second)};
      }
      check_rising(section, change);
      schedule.push_back(change);
    }
    if (schedule.empty()) schedule.push_back({0, kAllSymbols, Phase::continuous});
  }

  static Phase read_phase(const Section& section) {
    const std::string mend = fmt::format("give one of {}", joined(kPhaseNames));
    const std::string state = section.text("state", mend);
    const auto* found = std::find(kPhaseNames.begin(), kPhaseNames.end(), state);
    if (found == kPhaseNames.end()) section.reject("state", fmt::format("\"{}\" is unknown", state), mend);
    return static_cast<Phase>(found - kPhaseNames.begin());
  }

  /// Times never fall, and at one time a symbol enters one phase.
  void check_rising(const Section& section, const PhaseChange& change) const {
    const std::vector<PhaseChange>& schedule = config_.net.schedule;
    if (!schedule.empty() && change.at_ns < schedule.back().at_ns) {
      section.reject("at", "is before the phase above", "put the phases in the order of their times");
    }
    for (auto other = schedule.rbegin(); other != schedule.rend() && other->at_ns == change.at_ns; ++other) {
      const bool same = other->symbol == change.symbol || other->symbol == kAllSymbols || change.symbol == kAllSymbols;
      if (same) section.reject("at", "the phase above has the same time and symbol", "keep one of the two");
    }
  }

  void check_relations(const Section& root) const {
    const NetConfig& net = config_.net;
    const Section feed(path_, "feed", table("feed"),
                       {"enabled", "group", "udp_port", "request_port", "ttl", "messages_kept"});
    const Section orders(path_, "orders", table("orders"), {"udp_port", "silence_s", "heartbeat_ms", "messages_kept"});
    constexpr std::string_view kMend = "give three different ports";
    // The complaint goes to a key that is written in the file: the other may be a default.
    if (net.feed_request_port == net.feed_port) {
      feed.reject(feed.has("request_port") ? "request_port" : "udp_port",
                  fmt::format("{} is both the feed's and the re-request port", net.feed_port), kMend);
    }
    if (net.order_port == net.feed_port || net.order_port == net.feed_request_port) {
      const std::string what = fmt::format("{} is both an order and a feed port", net.order_port);
      if (orders.has("udp_port")) orders.reject("udp_port", what, kMend);
      feed.reject(net.order_port == net.feed_port ? "udp_port" : "request_port", what, kMend);
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

  static std::uint32_t rate(const Section& section, std::string_view key, std::uint32_t fallback) {
    return static_cast<std::uint32_t>(section.number(key, 1, 10'000'000, fallback));
  }

  static std::vector<std::string> strings(const Section& section, std::string_view key, std::string_view mend) {
    std::vector<std::string> result;
    for (const toml::node& item : section.list(key, mend)) {
      if (!item.is_string()) section.reject(key, fmt::format("holds {}", type_name(item)), mend);
      result.push_back(item.as_string()->get());
    }
    return result;
  }

  template <class Value>
  static Value one_of(const Section& section, std::string_view key,
                      std::initializer_list<std::pair<std::string_view, Value>> choices) {
    std::string mend = "give one of";
    for (const auto& [name, value] : choices) mend += fmt::format(" \"{}\"", name);
    const std::string text = section.text(key, mend);
    for (const auto& [name, value] : choices) {
      if (name == text) return value;
    }
    section.reject(key, fmt::format("\"{}\" is unknown", text), mend);
  }

  /// A file named in the configuration is sought beside it.
  std::string beside(const std::string& name) const {
    return (std::filesystem::path(path_).parent_path() / name).string();
  }

  std::string path_;
  ConfigUse use_;
  toml::table root_;
  Config config_;
  std::map<std::string, std::size_t> symbols_;  // name -> SymbolId
  std::map<std::string, bool> users_;           // upper case
};

}  // namespace

std::uint64_t order_pool_slots(const Config& config) {
  constexpr std::uint64_t kInHand = 64;  // of receive's burst and match's command
  return std::uint64_t{config.engine.max_orders} + config.command_ring + 2ull * config.event_ring + kInHand;
}

TimeNs schedule_end_ns(const Config& config) {
  return config.net.schedule.empty() ? 0 : config.net.schedule.back().at_ns;
}

Config load_config(const std::string& path, ConfigUse use) { return Reader(path, use).read(); }

std::string place_of(const Config& config, const std::string& key) {
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
