// The configuration file: what a good one becomes, and the one line that each bad one gets.
#include "app/config/config.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>

#include "tests/folder.hpp"

namespace crosswire::config_test {
namespace {

const std::string kPort = "[port]\naddress = \"10.99.0.1\"\n";                                          // lines 1, 2
const std::string kSymbol = "[[symbol]]\nname = \"AAA\"\nreference_price_e4 = 10000\ntick_e4 = 100\n";  // 3 .. 6
const std::string kAccount = "[[account]]\nuser = \"U1\"\npassword = \"p\"\nfirm = \"FIRM\"\n";         // 7 .. 10
const std::string kGood = kPort + kSymbol + kAccount;
constexpr int kNext = 11;  // number of the line behind kGood

class ConfigFile : public ::testing::Test {
 protected:
  Config load(const std::string& text, ConfigUse use = ConfigUse::replay, mode_t mode = 0600) {
    return load_config(folder_.write("c.toml", text, mode), use);
  }

  /// The error's line without the file's path in front: "LINE: key: what; remedy". "" where there is no error.
  std::string error_of(const std::string& text, ConfigUse use = ConfigUse::replay, mode_t mode = 0600) {
    const std::string path = folder_.write("c.toml", text, mode);
    try {
      load_config(path, use);
    } catch (const ConfigError& error) {
      const std::string line = error.what();
      EXPECT_EQ(line.find('\n'), std::string::npos) << line;
      return line.substr(0, path.size() + 1) == path + ":" ? line.substr(path.size() + 1) : line;
    }
    return "";
  }

  /// Expects an error that begins with `line: key: ` and has something behind it and a remedy.
  void expect_error(const std::string& text, int line, const std::string& key, const std::string& what = "",
                    ConfigUse use = ConfigUse::replay) {
    const std::string error = error_of(text, use);
    const std::string start = std::to_string(line) + ": " + key + ": ";
    EXPECT_EQ(error.substr(0, start.size()), start) << error << "\nof:\n" << text;
    EXPECT_NE(error.find(what), std::string::npos) << error;
    EXPECT_NE(error.find("; "), std::string::npos) << error;
  }

  test::Folder folder_;
};

TEST_F(ConfigFile, FillsInDefaultsWhereItSaysNothing) {
  const Config config = load(kGood);
  EXPECT_EQ(config.net.address, 0x0A630001u);
  EXPECT_EQ(config.net.order_port, 26400);
  EXPECT_EQ(config.net.feed_group, 0xEFC00001u);
  EXPECT_TRUE(config.net.feed_enabled);
  EXPECT_EQ(config.engine.sessions, 1u);
  EXPECT_EQ(config.engine.symbols.size(), 1u);
  EXPECT_EQ(config.engine.symbols[0].reference, Price{10000});
  EXPECT_FALSE(config.midnight_epoch_ns.has_value());
  EXPECT_EQ(config.hugepages, HugepagePolicy::automatic);
  EXPECT_EQ(order_pool_slots(config),
            std::uint64_t{config.engine.max_orders} + config.command_ring + 2 * config.event_ring + 128);
}

TEST_F(ConfigFile, TradesContinuouslyFromTheStartWithoutPhases) {
  const Config config = load(kGood);
  ASSERT_EQ(config.net.schedule.size(), 1u);
  EXPECT_EQ(config.net.schedule[0].at_ns, 0u);
  EXPECT_EQ(config.net.schedule[0].phase, Phase::continuous);
}

TEST_F(ConfigFile, TakesEveryKeyOfTheSchema) {
  folder_.write("secret", "hush\n");
  folder_.write("more.toml", "[[account]]\nuser = \"u3\"\npassword_file = \"secret\"\n");
  const Config config = load(R"(accounts_file = "more.toml"
[time]
midnight = 2026-01-31T00:00:00+08:00
linger_s = 5
[port]
device = "net_af_packet0,iface=eth1"
address = "10.99.0.1"
mac = "02:00:5e:10:00:ff"
vlans = [10, 20]
feed_vlan = 20
dpdk_args = ["--log-level=8"]
[placement]
mode = "auto"
receive = 2
match = 3
transmit = 4
publish = 5
control = 1
node = 7
idle = "pause"
[orders]
udp_port = 1000
silence_s = 20
heartbeat_ms = 500
messages_kept = 128
[feed]
enabled = false
group = "239.1.2.3"
udp_port = 1001
request_port = 1002
ttl = 3
messages_kept = 256
[limits]
max_orders = 5000
max_levels = 600
orders_per_account = 4000
levels_per_account = 500
max_fills_per_order = 9
looks_per_second = 7
account_queries_per_second = 8
command_ring = 16
event_ring = 32
failed_logins_per_second = 1
feed_requests_per_second = 2
pings_per_second = 3
strangers_told_per_second = 4
order_requests_per_second = 5
order_resend_bytes_per_second = 60000
[memory]
hugepages = "off"
[[symbol]]
name = "AAA"
reference_price_e4 = 10000
tick_e4 = 100
[[symbol]]
name = "600519"
reference_price_e4 = 7
tick_e4 = 7
[[account]]
user = "U1"
password = "p"
firm = "ONE"
sources = ["10.99.0.0/24", "10.98.0.7"]
cancel_on = ["takeover", "operator"]
[[account]]
user = "U2"
cancel_on = []
password_file = "secret"
[[phase]]
at = "09:15:00.000"
state = "opening_call"
[[phase]]
at = "09:25:00"
state = "continuous"
[[phase]]
at = "09:25:00.5"
state = "halted"
symbol = "600519"
)",
                             ConfigUse::run);
  EXPECT_EQ(config.midnight_epoch_ns, 1'769'788'800'000'000'000);  // 2026-01-30T16:00:00Z
  EXPECT_EQ(config.port.device, "net_af_packet0,iface=eth1");
  EXPECT_EQ(config.port.mac, (MacAddress{2, 0, 0x5e, 0x10, 0, 0xff}));
  EXPECT_EQ(config.net.vlans, (std::vector<std::uint16_t>{10, 20}));
  EXPECT_EQ(config.net.feed_vlan, 20);
  EXPECT_EQ(config.port.dpdk_args, std::vector<std::string>{"--log-level=8"});
  EXPECT_EQ(config.placement.mode, PlacementMode::automatic);
  EXPECT_EQ(config.placement.stages, (std::array<std::optional<unsigned>, kStages>{2, 3, 4, 5}));
  EXPECT_EQ(config.placement.control, 1u);
  EXPECT_EQ(config.placement.node, 7);
  EXPECT_EQ(config.placement.idle, Idle::pause);
  EXPECT_EQ(config.net.order_port, 1000);
  EXPECT_EQ(config.net.silence_ns, 20 * kNsPerSecond);
  EXPECT_EQ(config.net.heartbeat_ns, kNsPerSecond / 2);
  EXPECT_EQ(config.net.linger_ns, 5 * kNsPerSecond);
  EXPECT_EQ(config.net.messages_kept, 128u);
  EXPECT_EQ(config.net.feed_group, 0xEF010203u);
  EXPECT_FALSE(config.net.feed_enabled);
  EXPECT_EQ(config.net.feed_port, 1001);
  EXPECT_EQ(config.net.feed_request_port, 1002);
  EXPECT_EQ(config.net.feed_ttl, 3);
  EXPECT_EQ(config.net.feed_messages_kept, 256u);
  EXPECT_EQ(config.engine.max_orders, 5000u);
  EXPECT_EQ(config.engine.max_levels, 600u);
  EXPECT_EQ(config.engine.orders_per_account, 4000u);
  EXPECT_EQ(config.engine.levels_per_account, 500u);
  EXPECT_EQ(config.engine.looks_per_second, 7u);
  EXPECT_EQ(config.engine.max_fills_per_order, 9u);
  EXPECT_EQ(config.engine.account_queries_per_second, 8u);
  EXPECT_EQ(config.command_ring, 16u);
  EXPECT_EQ(config.event_ring, 32u);
  EXPECT_EQ(config.net.failed_logins_per_second, 1u);
  EXPECT_EQ(config.net.feed_requests_per_second, 2u);
  EXPECT_EQ(config.net.pings_per_second, 3u);
  EXPECT_EQ(config.net.strangers_told_per_second, 4u);
  EXPECT_EQ(config.net.order_requests_per_second, 5u);
  EXPECT_EQ(config.net.order_resend_bytes_per_second, 60'000u);
  EXPECT_EQ(config.hugepages, HugepagePolicy::off);
  EXPECT_EQ(config.page_size, PageSize::automatic);
  ASSERT_EQ(config.engine.symbols.size(), 2u);
  EXPECT_EQ(config.engine.symbols[1].name, (SymbolName{'6', '0', '0', '5', '1', '9', ' ', ' '}));
  EXPECT_EQ(config.engine.symbols[1].tick_e4, 7u);
  ASSERT_EQ(config.net.accounts.size(), 3u);
  EXPECT_EQ(config.engine.sessions, 3u);
  EXPECT_EQ(config.engine.cancel_on,
            (std::vector<SessionEndReasons>{set_of({SessionEndReason::takeover, SessionEndReason::by_operator}), 0,
                                            kCancelOn}));
  EXPECT_EQ(config.net.accounts[0].firm, (std::array<char, 4>{'O', 'N', 'E', ' '}));
  ASSERT_EQ(config.net.accounts[0].sources.size(), 2u);
  EXPECT_EQ(config.net.accounts[0].sources[0].address, 0x0A630000u);
  EXPECT_EQ(config.net.accounts[0].sources[0].prefix, 24);
  EXPECT_EQ(config.net.accounts[0].sources[1].prefix, 32);
  EXPECT_EQ(config.net.accounts[1].password, "hush");
  EXPECT_EQ(config.net.accounts[2].user, "u3");
  EXPECT_EQ(config.net.accounts[2].password, "hush");
  ASSERT_EQ(config.net.schedule.size(), 3u);
  EXPECT_EQ(config.net.schedule[0].at_ns, (9 * 3600 + 15 * 60) * kNsPerSecond);
  EXPECT_EQ(config.net.schedule[2].at_ns, (9 * 3600 + 25 * 60) * kNsPerSecond + kNsPerSecond / 2);
  EXPECT_EQ(config.net.schedule[2].symbol, SymbolId{2});
  EXPECT_EQ(schedule_end_ns(config), config.net.schedule[2].at_ns);
}

TEST_F(ConfigFile, OfTheProjectIsAGoodOne) {
  const std::string example = std::string(CROSSWIRE_SOURCE_ROOT) + "/scripts/example.toml";
  std::ifstream in(example);
  ASSERT_TRUE(in.good()) << example;
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  EXPECT_EQ(error_of(text, ConfigUse::run), "");
}

TEST_F(ConfigFile, ThatIsNotThereOrNoTomlIsNamed) {
  EXPECT_THROW(load_config("/nowhere/c.toml", ConfigUse::replay), ConfigError);
  EXPECT_THROW(load_config("/", ConfigUse::replay), ConfigError);
  expect_error("[port\n", 1, "syntax");
  expect_error(kGood + "x = \n", kNext, "syntax");
  expect_error(kGood + "[port]\n", kNext, "syntax");  // twice
}

TEST_F(ConfigFile, WithAnUnknownKeyNamesItsLine) {
  expect_error("colour = 1\n" + kGood, 1, "colour", "unknown key");
  expect_error("[port]\naddress = \"10.99.0.1\"\nadress = \"10.99.0.1\"\n", 3, "port.adress",
               "known here: device, address");
  expect_error(kGood + "[orders]\nport = 1\n", kNext + 1, "orders.port", "unknown key");
  expect_error(kGood + "[[account]]\nuser = \"U2\"\npasswd = \"x\"\n", kNext + 2, "account.passwd", "unknown key");
  expect_error(kGood + "[[phase]]\nat = \"09:00:00\"\nphase = \"closed\"\n", kNext + 2, "phase.phase", "unknown key");
  expect_error(kGood + "[limits]\nzeta = 1\nalpha = 1\n", kNext + 1, "limits.zeta");  // the first one in the file
}

TEST_F(ConfigFile, WithAWrongTypeNamesItsLine) {
  expect_error(kGood + "[orders]\nudp_port = \"26400\"\n", kNext + 1, "orders.udp_port", "is a string");
  expect_error(kGood + "[limits]\nmax_orders = 1.5\n", kNext + 1, "limits.max_orders", "fraction");
  expect_error("[port]\naddress = 10\n" + kSymbol + kAccount, 2, "port.address", "is a whole number");
  expect_error("port = 1\n" + kSymbol + kAccount, 1, "port", "is a whole number");
  expect_error("symbol = \"AAA\"\n" + kPort + kAccount, 1, "symbol", "is a string");
  expect_error("[[port]]\naddress = \"10.99.0.1\"\n", 1, "port", "is a list");
  expect_error(kGood + "[time]\nmidnight = \"2026-01-31T00:00:00Z\"\n", kNext + 1, "time.midnight", "without quotes");
  expect_error("[port]\naddress = \"10.99.0.1\"\nvlans = 10\n", 3, "port.vlans", "is a whole number");
  expect_error("[port]\naddress = \"10.99.0.1\"\ndpdk_args = [1]\n", 3, "port.dpdk_args", "holds a whole number");
}

TEST_F(ConfigFile, WithAValueOutOfRangeNamesItsLine) {
  expect_error(kGood + "[orders]\nudp_port = 0\n", kNext + 1, "orders.udp_port", "1 .. 65535");
  expect_error(kGood + "[orders]\nudp_port = 65536\n", kNext + 1, "orders.udp_port");
  expect_error(kGood + "[orders]\nsilence_s = -1\n", kNext + 1, "orders.silence_s");
  expect_error(kGood + "[orders]\nheartbeat_ms = 150\n", kNext + 1, "orders.heartbeat_ms", "multiple of 100");
  expect_error(kGood + "[orders]\nmessages_kept = 1000\n", kNext + 1, "orders.messages_kept", "give 512 or 1024");
  expect_error(kGood + "[feed]\nttl = 256\n", kNext + 1, "feed.ttl");
  expect_error(kGood + "[feed]\nenabled = 0\n", kNext + 1, "feed.enabled", "give true or false");
  expect_error(kGood + "[feed]\ngroup = \"10.0.0.1\"\n", kNext + 1, "feed.group", "not an IPv4 multicast group");
  expect_error(kGood + "[feed]\ngroup = \"224.0.0.1\"\n", kNext + 1, "feed.group", "routing protocols");
  expect_error(kGood + "[limits]\ncommand_ring = 1\n", kNext + 1, "limits.command_ring", "2 ..");
  expect_error(kGood + "[limits]\nevent_ring = 3\n", kNext + 1, "limits.event_ring", "give 2 or 4");
  expect_error(kGood + "[limits]\nmax_orders = 0\n", kNext + 1, "limits.max_orders");
  expect_error(kGood + "[memory]\npage_size = \"4M\"\n", kNext + 1, "memory.page_size", "\"2M\"");
  expect_error(kGood + "[memory]\nhugepages = \"off\"\npage_size = \"1G\"\n", kNext + 2, "memory.page_size",
               "switch them on");
  expect_error(kGood + "[memory]\nhugepages = \"yes\"\n", kNext + 1, "memory.hugepages", "\"required\"");
  expect_error(kGood + "[time]\nmidnight = 2026-01-31T00:00:00\n", kNext + 1, "time.midnight", "no offset");
  expect_error("[port]\naddress = \"10.99.0\"\n", 2, "port.address");
  expect_error("[port]\naddress = \"127.0.0.1\"\n", 2, "port.address");
  expect_error("[port]\naddress = \"239.0.0.1\"\n", 2, "port.address");
  expect_error("[port]\naddress = \"10.99.0.1\"\nmac = \"01:00:5e:00:00:01\"\n", 3, "port.mac", "unicast");
  expect_error("[port]\naddress = \"10.99.0.1\"\nmac = \"02:00:5e:00:00\"\n", 3, "port.mac");
  expect_error("[port]\naddress = \"10.99.0.1\"\nvlans = [0]\n", 3, "port.vlans");
  expect_error("[port]\naddress = \"10.99.0.1\"\nvlans = [7, 7]\n", 3, "port.vlans", "twice");
  expect_error("[port]\naddress = \"10.99.0.1\"\nfeed_vlan = 4095\n", 3, "port.feed_vlan");
}

TEST_F(ConfigFile, PlacesStagesInOneWay) {
  const auto placed = [this](const std::string& keys) { return load(kGood + "[placement]\n" + keys).placement; };
  EXPECT_EQ(placed("").mode, PlacementMode::automatic);
  EXPECT_EQ(placed("").stages, decltype(PlacementConfig::stages){});
  const PlacementConfig fused = placed("core = 3\n");
  EXPECT_EQ(fused.mode, PlacementMode::fused);
  EXPECT_EQ(fused.stages, (std::array<std::optional<unsigned>, kStages>{3, 3, 3, 3}));
  EXPECT_EQ(placed("mode = \"fused\"\ncore = 3\n").stages, fused.stages);
  EXPECT_EQ(placed("mode = \"unpinned\"\n").mode, PlacementMode::unpinned);
  const auto wrong = [this](const std::string& keys, const std::string& key, const std::string& what) {
    expect_error(kGood + "[placement]\n" + keys, kNext + 1, "placement." + key, what);
  };
  wrong("core = 1\nmode = \"unpinned\"\n", "core", "mode is \"unpinned\"");
  wrong("core = 1\nmode = \"auto\"\n", "core", "mode is \"auto\"");
  wrong("match = 1\ncore = 1\n", "match", "core is given as well");
  wrong("publish = 1\nmode = \"fused\"\n", "publish", "mode is \"fused\"");
  wrong("transmit = 1\nmode = \"unpinned\"\n", "transmit", "mode is \"unpinned\"");
  wrong("mode = \"fast\"\n", "mode", "\"unpinned\"");
  wrong("receive = -1\n", "receive", "give 0 .. 4095");
  wrong("node = 1024\n", "node", "give 0 .. 1023");
  wrong("idle = \"sleep\"\n", "idle", "\"pause\"");
  wrong("cores = 2\n", "cores", "unknown key");
  expect_error("[port]\naddress = \"10.99.0.1\"\ncore = 1\n", 3, "port.core", "unknown key");
}

TEST_F(ConfigFile, NamesWhereFiguresCanBeFetched) {
  const auto monitored = [this](const std::string& keys) { return load(kGood + "[monitoring]\n" + keys).monitoring; };
  EXPECT_EQ(monitored("").prometheus, "");
  EXPECT_EQ(monitored("prometheus = \"127.0.0.1:9464\"\n").prometheus, "127.0.0.1:9464");
  EXPECT_EQ(monitored("prometheus = \"0.0.0.0:65535\"\n").prometheus, "0.0.0.0:65535");
  for (const std::string address : {"", "9464", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", ":9464",
                                    "127.0.0.1:94x", "127.0.0.1:9464s", "127.0.0.1:9464,80", "[::1]:9464", "here:80"}) {
    expect_error(kGood + "[monitoring]\nprometheus = \"" + address + "\"\n", kNext + 1, "monitoring.prometheus",
                 "cannot be listened on");
  }
  expect_error(kGood + "[monitoring]\nprometheus = 9464\n", kNext + 1, "monitoring.prometheus", "whole number");
  expect_error(kGood + "[monitoring]\ngraphite = 1\n", kNext + 1, "monitoring.graphite", "unknown key");
}

TEST_F(ConfigFile, WithoutWhatMustBeThereSaysWhat) {
  expect_error(kSymbol + kAccount, 1, "port", "missing");
  expect_error("[port]\n" + kSymbol + kAccount, 1, "port.address", "missing");
  expect_error(kPort + kAccount, 1, "symbol", "missing");
  expect_error(kPort + kSymbol, 1, "account", "missing");
  expect_error(kGood, 1, "port.device", "missing", ConfigUse::run);
  expect_error(kGood + "[[account]]\nuser = \"U2\"\n", kNext, "account.password_file", "missing");
  expect_error(kGood + "[[phase]]\nat = \"09:00:00\"\n", kNext, "phase.state", "give one of pre_open, opening_call");
}

TEST_F(ConfigFile, WithABadSymbolNamesIt) {
  const auto symbol = [](const std::string& name, int reference, int tick) {
    return kPort + kAccount + "[[symbol]]\nname = \"" + name + "\"\nreference_price_e4 = " + std::to_string(reference) +
           "\ntick_e4 = " + std::to_string(tick) + "\n";
  };
  EXPECT_EQ(error_of(symbol("AAA", 100, 1)), "");
  expect_error(symbol("TOOLONGER", 100, 1), 8, "symbol.name");
  expect_error(symbol("", 100, 1), 8, "symbol.name");
  expect_error(symbol("A B", 100, 1), 8, "symbol.name");
  expect_error(symbol("AAA", 100, 0), 10, "symbol.tick_e4");
  expect_error(symbol("AAA", 0, 1), 9, "symbol.reference_price_e4");
  expect_error(symbol("AAA", 2'000'000'000, 1), 9, "symbol.reference_price_e4");
  expect_error(symbol("AAA", 150, 100), 9, "symbol.reference_price_e4", "not a multiple of tick_e4 = 100; give 100");
  expect_error(kGood + kSymbol, kNext + 1, "symbol.name", "twice");
}

TEST_F(ConfigFile, OffersMarketOrdersWhereItSaysHowFarTheyGo) {
  const auto percent_e2 = [this](const std::string& text) {
    return load(text).engine.symbols[0].collar.market_percent_e2;
  };
  const std::string of_all = "[collars]\nmarket_order_percent_e2 = 10000\n";
  EXPECT_EQ(percent_e2(kGood), 0u);
  EXPECT_EQ(percent_e2(kGood + of_all), 10'000u);
  EXPECT_EQ(percent_e2(kPort + kSymbol + "market_order_percent_e2 = 0\n" + kAccount + of_all), 0u);
  expect_error(kGood + "[collars]\nmarket_order_percent_e2 = 10001\n", kNext + 1, "collars.market_order_percent_e2");
}

TEST_F(ConfigFile, WithABadAccountNamesIt) {
  const auto account = [](const std::string& more) { return kGood + "[[account]]\n" + more; };
  EXPECT_EQ(error_of(account("user = \"U2\"\npassword = \"\"\n")), "");
  expect_error(account("user = \"SEVENCH\"\npassword = \"p\"\n"), kNext + 1, "account.user");
  expect_error(account("user = \"\"\npassword = \"p\"\n"), kNext + 1, "account.user");
  expect_error(account("user = \"u1\"\npassword = \"p\"\n"), kNext + 1, "account.user",
               "twice");  // case does not count
  expect_error(account("user = \"U2\"\npassword = \"elevenchars\"\n"), kNext + 2, "account.password");
  expect_error(account("user = \"U2\"\npassword = \"p\"\npassword_file = \"f\"\n"), kNext + 3, "account.password_file");
  expect_error(account("user = \"U2\"\npassword_file = \"nofile\"\n"), kNext + 2, "account.password_file");
  expect_error(account("user = \"U2\"\npassword = \"p\"\nfirm = \"FIRMS\"\n"), kNext + 3, "account.firm");
  expect_error(account("user = \"U2\"\npassword = \"p\"\nfirm = \"ab\"\n"), kNext + 3, "account.firm");
  expect_error(account("user = \"U2\"\npassword = \"p\"\nsources = [\"10.0.0.0/33\"]\n"), kNext + 3, "account.sources");
  expect_error(account("user = \"U2\"\npassword = \"p\"\nsources = [\"10.0.0.1/24\"]\n"), kNext + 3, "account.sources",
               "write \"10.0.0.0/24\"");
  expect_error(account("user = \"U2\"\npassword = \"p\"\nsources = []\n"), kNext + 3, "account.sources");
  const auto cancel_on = [&account](const std::string& list) {
    return account("user = \"U2\"\npassword = \"p\"\ncancel_on = " + list + "\n");
  };
  EXPECT_EQ(error_of(cancel_on("[\"logout\", \"reset\", \"silence\", \"cut\", \"operator\", \"takeover\"]")), "");
  expect_error(cancel_on("[\"logout\", \"Silence\"]"), kNext + 3, "account.cancel_on",
               "\"Silence\" is unknown; give a list of \"logout\" \"reset\"");
  for (const char* const never : {"[\"recovery\"]", "[\"end_of_day\"]"})
    expect_error(cancel_on(never), kNext + 3, "account.cancel_on", "leaves no orders to cancel; give a list");
  expect_error(cancel_on("\"logout\""), kNext + 3, "account.cancel_on");
  expect_error(cancel_on("[1]"), kNext + 3, "account.cancel_on");
}

TEST_F(ConfigFile, WithASecretMustBeItsOwnersAlone) {
  const std::string error = error_of(kGood, ConfigUse::replay, 0640);
  EXPECT_EQ(error.substr(0, 20), "9: account.password:") << error;
  EXPECT_NE(error.find("; chmod 600 "), std::string::npos) << error;

  // Without a secret inside, the file may be anyone's, as long as the secret's own file is not.
  const std::string secret = folder_.write("secret", "hush\n", 0600);
  const std::string outside = kPort + kSymbol + "[[account]]\nuser = \"U1\"\npassword_file = \"secret\"\n";
  EXPECT_EQ(error_of(outside, ConfigUse::replay, 0644), "");
  folder_.write("secret", "hush\n", 0604);
  EXPECT_NE(error_of(outside).find("chmod 600 " + secret), std::string::npos);
}

TEST_F(ConfigFile, NamesTheAccountsFileForFaultsInIt) {
  const std::string more = folder_.write("more.toml", "[[account]]\nuser = \"U2\"\n");
  EXPECT_EQ(error_of("accounts_file = \"more.toml\"\n" + kGood).substr(0, more.size() + 4), more + ":1: ");
  folder_.write("more.toml", "[[account]]\nuser = \"U1\"\npassword = \"x\"\n");
  EXPECT_EQ(error_of("accounts_file = \"more.toml\"\n" + kGood).substr(0, more.size() + 4), more + ":2: ");
  folder_.write("more.toml", "x = 1\n");
  EXPECT_EQ(error_of("accounts_file = \"more.toml\"\n" + kGood).substr(0, more.size() + 4), more + ":1: ");
  expect_error("accounts_file = \"none.toml\"\n" + kGood, 1, "accounts_file");
}

TEST_F(ConfigFile, WithABadPhaseNamesIt) {
  const auto phase = [](const std::string& at, const std::string& more = "state = \"continuous\"\n") {
    return "[[phase]]\nat = \"" + at + "\"\n" + more;
  };
  EXPECT_EQ(error_of(kGood + phase("23:59:59.999999999")), "");
  for (const std::string at :
       {"9:15:00", "24:00:00", "09:60:00", "09:15:60", "09:15", "09:15:00.", "09:15:00.0000000000", ""}) {
    expect_error(kGood + phase(at), kNext + 1, "phase.at");
  }
  expect_error(kGood + "[[phase]]\nat = 09:15:00\nstate = \"closed\"\n", kNext + 1, "phase.at", "in quotes");
  expect_error(kGood + phase("09:15:00", "state = \"open\"\n"), kNext + 2, "phase.state");
  expect_error(kGood + phase("09:15:00", "state = \"closed\"\nsymbol = \"BBB\"\n"), kNext + 3, "phase.symbol");
  expect_error(kGood + phase("09:15:00") + phase("09:14:59"), kNext + 4, "phase.at", "before the phase above");
  expect_error(kGood + phase("09:15:00") + phase("09:15:00"), kNext + 4, "phase.at", "same time and symbol");
}

TEST_F(ConfigFile, WithAnImpossibleCombinationNamesOneOfItsKeys) {
  expect_error(kGood + "[feed]\nudp_port = 26400\n", kNext + 1, "feed.udp_port", "both an order and a feed port");
  expect_error(kGood + "[feed]\nrequest_port = 26477\n", kNext + 1, "feed.request_port");
  expect_error(kGood + "[orders]\nudp_port = 26478\n", kNext + 1, "orders.udp_port");
  expect_error(kGood + "[orders]\nsilence_s = 1\n", kNext + 1, "orders.silence_s", "longer than heartbeat_ms");
  expect_error(kGood + "[limits]\nmax_orders = 10\nmax_levels = 21\n", kNext + 2, "limits.max_levels", "at most 20");
  expect_error(kGood + "[limits]\nmax_orders = 10\norders_per_account = 11\n", kNext + 2, "limits.orders_per_account",
               "at most 10");
  expect_error(kGood + "[limits]\nmax_levels = 10\nlevels_per_account = 11\n", kNext + 2, "limits.levels_per_account",
               "at most 10");
  expect_error(kGood + "[limits]\nmax_fills_per_order = 0\n", kNext + 1, "limits.max_fills_per_order");
  expect_error(kGood + "[limits]\nlooks_per_second = 0\n", kNext + 1, "limits.looks_per_second");
}

TEST_F(ConfigFile, WantsAMidnightAtMidnight) {
  expect_error(kGood + "[time]\nmidnight = 2026-01-31T00:00:01+08:00\n", kNext + 1, "time.midnight", "not 00:00:00");
}

TEST_F(ConfigFile, TakesOnlyAFileWithSomethingInItForAPassword) {
  const std::string account = "[[account]]\nuser = \"U2\"\npassword_file = ";
  folder_.write("nothing", "\n");
  expect_error(kGood + account + "\"nothing\"\n", kNext + 2, "account.password_file", "is empty");
  expect_error(kGood + account + "\"/tmp\"\n", kNext + 2, "account.password_file", "is not a file");
}

TEST_F(ConfigFile, LeavesToCrosswireWhatItTellsDpdkItself) {
  for (const char* const argument :
       {"-h", "--help", "--hel", "-v", "--version", "--proc-type=secondary", "-a", "--vdev=x", "-l", "-l1", "--lcores",
        "-m", "--no-huge", "--file-prefix=x", "--no-pci", "--"}) {
    expect_error(kPort + "dpdk_args = [\"" + argument + "\"]\n" + kSymbol + kAccount, 3, "port.dpdk_args", argument);
  }
  load(kPort + "dpdk_args = [\"--log-level=8\", \"-n\", \"4\", \"--iova-mode=pa\"]\n" + kSymbol + kAccount);
}

TEST_F(ConfigFile, NamesAllFilesThatItIsMadeOf) {
  folder_.write("secret", "hush\n");
  folder_.write("more.toml", "[[account]]\nuser = \"u3\"\npassword_file = \"secret\"\n");
  const Config config = load("accounts_file = \"more.toml\"\n" + kGood);
  ASSERT_EQ(config.files.size(), 3u);
  EXPECT_EQ(std::filesystem::path(config.files[0]).filename(), "c.toml");
  EXPECT_EQ(std::filesystem::path(config.files[1]).filename(), "more.toml");
  EXPECT_EQ(std::filesystem::path(config.files[2]).filename(), "secret");
}

}  // namespace
}  // namespace crosswire::config_test
