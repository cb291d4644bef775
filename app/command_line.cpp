// The command line: see the header. Each subcommand's options, and what they must hold; what a subcommand does is in a
// file of its own. Only here is CLI11 included: it takes the compiler several seconds, wherever it is.
#include "app/command_line.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <initializer_list>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/config/config.hpp"
#include "app/ctl/client.hpp"
#include "app/doctor/doctor.hpp"
#include "app/files/file_clash.hpp"
#include "app/flow/flow.hpp"
#include "app/flow/frames.hpp"
#include "app/load/echo.hpp"
#include "app/load/load.hpp"
#include "app/load/options.hpp"
#include "app/plan/plan.hpp"
#include "app/replay/replay.hpp"
#include "app/run/run.hpp"
#include "app/scenario/scenario.hpp"
#include "app/top/account.hpp"
#include "app/top/top.hpp"
#include "hugepages/base/stage.hpp"

namespace crosswire {
namespace {

/// A shell variable that is not set becomes an empty name.
CLI::Validator not_empty() {
  return {[](const std::string& text) { return text.empty() ? std::string("is empty") : std::string(); }, ""};
}

/// Of an output: nothing here is written to stdout, where the figures go.
CLI::Validator file_name() {
  return {[](const std::string& text) {
            if (text.empty()) return std::string("is empty");
            return text == "-" ? std::string("stdout is for the figures; give a path (./- for a file of that name)")
                               : std::string();
          },
          ""};
}

CLI::Validator is_mac() {
  return {[](const std::string& text) {
            return parse_mac(text) ? std::string() : std::string("is no station's MAC address, as 02:00:00:00:00:64");
          },
          ""};
}

CLI::Validator is_address() {
  return {[](const std::string& text) {
            return parse_address(text) ? std::string() : std::string("is no IPv4 address, as 10.99.0.100");
          },
          ""};
}

/// `whose`: what the histograms' files are named by.
void add_hgrm_option(CLI::App& command, std::string& folder, const std::string& whose) {
  command
      .add_option("--hgrm", folder,
                  "at the end, write each latency histogram into this folder, as " + whose +
                      "-LATENCY.hgrm:\nHdrHistogram's percentile format, values in microseconds")
      ->type_name("DIR")
      ->check(file_name());
}

void add_run_command(CLI::App& root, int& exit_code) {
  CLI::App* const run = root.add_subcommand(
      "run",
      "Run the appliance until SIGINT or SIGTERM, from one trading day to the next ([time] at_end); each ends with its "
      "figures.\n"
      "Between a day's end and these it lingers ([time] linger_s): the end is said each second, and clients can ask "
      "for\n"
      "what they missed. A second signal ends that.\n"
      "Given several times, --config, --record and --report go together by their order: a partition each, on a device\n"
      "and cores of its own.");
  const auto options = std::make_shared<RunOptions>();
  run->add_option("--config", options->configs, "configuration file (TOML)")
      ->required()
      ->allow_extra_args(false)
      ->type_name("FILE")
      ->check(not_empty());
  run->add_option(
         "--record", options->records,
         "write the input into this capture, which may not be there yet; replayed, it gives the same\n"
         "answers. In its name %F is the trading date and %N a number, one above the highest that is there; a\n"
         "run that goes on from day to day needs %N. A killed process loses at most the last 0.1 s of it. A disk "
         "that is full, or has taken too\n"
         "little for 0.1 s, ends the recording and not the run: an error in the log, and an alert")
      ->allow_extra_args(false)
      ->type_name("FILE")
      ->check(file_name());
  run->add_option("--report", options->reports, "write each day's figures as JSON; %F and %N as of --record")
      ->allow_extra_args(false)
      ->type_name("FILE")
      ->check(file_name());
  add_hgrm_option(*run, options->hgrm, "PARTITION[-DATE][-N]");
  run->add_flag(
      "--resume", options->resume,
      "trade at once, though phases of the day are over; else such a start, which does not know what came of\n"
      "the day's orders before it, begins with all symbols halted, until crosswire ctl resume");
  run->add_flag("--share-cores", options->share_cores,
                "begin though another crosswire polls a core that the configuration names or the kernel has isolated;\n"
                "the two then take turns, a time slice each");
  run->add_option("--log-file", options->log.file, "append the log to this file (default: stderr)")
      ->type_name("FILE")
      ->check(file_name());
  const auto set_level = [options](const std::string& level) {
    options->log.least = level == "error" ? LogLevel::error : level == "warning" ? LogLevel::warning : LogLevel::info;
  };
  run->add_option_function<std::string>("--log-level", set_level,
                                        "leave out of the log what is below: info is the life of the process, warning "
                                        "is to be looked at,\nerror to be acted on (default info)")
      ->check(CLI::IsMember({"info", "warning", "error"}));
  run->footer("Example:\n  crosswire run --config crosswire.toml --record 'day-%F-%N.pcap'");
  run->callback([options, &exit_code] { exit_code = run_main(*options); });
}

void add_replay_command(CLI::App& root, int& exit_code) {
  CLI::App* const replay = root.add_subcommand(
      "replay",
      "Feed captures through the same stages as run, time from the capture: same input, same bytes out.\n"
      "Given several times, --in, --out and --report go together by their order: a partition each, side by side.");
  const auto options = std::make_shared<ReplayOptions>();
  replay->add_option("--config", options->configs, "configuration file (TOML): one for all, or one for each --in")
      ->required()
      ->allow_extra_args(false)
      ->type_name("FILE")
      ->check(not_empty());
  replay
      ->add_option("--in", options->ins,
                   "capture to replay: pcap or pcapng, Ethernet, as it is or packed by gzip or zstd")
      ->required()
      ->allow_extra_args(false)
      ->type_name("FILE")
      ->check(not_empty());
  replay->add_option("--out", options->outs, "capture to write: classic pcap, nanoseconds")
      ->required()
      ->allow_extra_args(false)
      ->type_name("FILE")
      ->check(file_name());
  replay->add_option("--report", options->reports, "write the figures as JSON")
      ->allow_extra_args(false)
      ->type_name("FILE")
      ->check(file_name());
  add_hgrm_option(*replay, options->hgrm, "CAPTURE");
  replay
      ->add_option(
          "--session", options->session,
          "name of the order session, ten characters, where the capture's clients know another than that of its start")
      ->type_name("NAME");
  replay
      ->add_option(
          "--cores", options->cores,
          fmt::format("threads that each capture's stages are polled by: 1 all; 2 receive, the rest; 3 receive, match, "
                      "the\nrest; {} each its own. Same bytes out with any (default 1)",
                      kStages))
      ->type_name("N")
      ->check(CLI::Range(1, static_cast<int>(kStages)));
  replay->add_flag("--partial-checksums", options->partial_checksums,
                   "the capture was taken on the host that sent its orders, before a network card had put UDP's\n"
                   "checksums in (udp_checksum drops them all): take those for none");
  replay->add_flag(
      "--allow-time-fall", options->allow_time_fall,
      "go on where a frame's time is more than a second before an earlier one's, which ends a replay\n"
      "otherwise: one of the two is wrong. It is taken as of the earlier one's time, as smaller falls are");
  replay->add_flag(
      "--allow-drops", options->allow_drops,
      "end with 0 though more than half of the capture's order frames were dropped; the last line says why");
  replay->footer(
      "Exit status: 0 replayed, 1 not, or more than half of the order frames were dropped, 2 wrong usage.\n"
      "Example:\n  crosswire replay --config crosswire.toml --in today.pcap --out answers.pcap --report report.json");
  replay->callback([options, &exit_code] { exit_code = replay_main(*options); });
}

void add_doctor_command(CLI::App& root, int& exit_code) {
  CLI::App* const doctor = root.add_subcommand(
      "doctor",
      "Examine this host as the appliance will use it: isolated cores, interrupts, clocks, hugepages, NIC. Says what "
      "is\n"
      "wrong, what it costs and how to fix it, and probes the polling cores for jitter. Changes nothing.\n"
      "Exit status: 0 nothing to fix, 1 findings.");
  const auto options = std::make_shared<DoctorOptions>();
  doctor
      ->add_option("--config", options->configs,
                   "configuration of an appliance (TOML); several times for several partitions")
      ->allow_extra_args(false)
      ->type_name("FILE");
  doctor->add_option("--cores", options->cores, "polling cores, as 2-5,8; left out: those of the configuration")
      ->type_name("LIST");
  doctor->add_option("--seconds", options->seconds, "how long to probe for jitter, 0: not at all")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 3600.0))
      ->type_name("N");
  doctor->add_option("--gap-limit", options->gap_limit_us, "a longer gap is a finding, microseconds")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1e9))
      ->type_name("US");
  doctor->add_option("--gap-threshold", options->threshold_ns, "a shorter gap is none, nanoseconds")
      ->capture_default_str()
      ->check(CLI::Range(20, 1'000'000'000))
      ->type_name("NS");
  doctor
      ->add_option("--root", options->root,
                   "examine a copy of another host's /proc and /sys under this directory; no probe")
      ->capture_default_str()
      ->check(CLI::ExistingDirectory)
      ->type_name("DIR");
  doctor->add_flag("--record", options->record, "count the memory of `run --record`, too");
  doctor->add_flag("--json", options->json, "print one JSON object");
  doctor->footer("Example:\n  crosswire doctor --config crosswire.toml\n  crosswire doctor --cores 2-4 --seconds 10");
  doctor->callback([options, &exit_code] { exit_code = doctor_main(*options); });
}

bool printable_symbol(const std::string& symbol) {
  if (symbol.empty() || symbol.size() > 8) return false;
  for (const char c : symbol) {
    if (c <= ' ' || c > '~') return false;
  }
  return true;
}

constexpr const char* kDayGroup = "A recorded day";
constexpr const char* kSyntheticGroup = "A made-up day";
constexpr const char* kCapturedGroup = "Sessions of another exchange, as captured";
constexpr const char* kOutGroup = "What is written";
constexpr const char* kCheckGroup = "Comparing a replay with the exchange";

/// Refuses an option that `mode` would not heed: one of none of its groups.
void refuse_others(const CLI::App& flow, const std::string& mode, std::initializer_list<std::string> groups) {
  for (const CLI::Option* const option : flow.get_options()) {
    if (option->count() == 0 || std::find(groups.begin(), groups.end(), option->get_group()) != groups.end()) continue;
    if (option->get_name() == "--symbol" && mode != "--synthetic" && mode != "--from-capture") continue;
    // Read before the work that they are to be compared with.
    const bool compared = option->get_name() == "--check-trades" || option->get_name() == "--check-depth";
    if (compared && mode == "--orders") continue;
    throw CLI::ValidationError(option->get_name(), "does not go with " + mode);
  }
}

/// What CLI11's own rules cannot say.
void check_usage(const CLI::App& flow, const FlowArguments& arguments) {
  const bool orders = !arguments.orders.empty();
  const bool check = !orders && (!arguments.check_trades.empty() || !arguments.check_depth.empty());
  const bool captured = !arguments.from_capture.empty();
  if (check + orders + arguments.synthetic + captured != 1) {
    throw CLI::ValidationError("flow",
                               "give one of --orders, --synthetic, --from-capture, --check-trades and --check-depth");
  }
  if (check) refuse_others(flow, "a check", {kCheckGroup});
  if (orders) refuse_others(flow, "--orders", {kDayGroup, kOutGroup});
  if (arguments.synthetic) refuse_others(flow, "--synthetic", {kSyntheticGroup, kOutGroup});
  if (captured) refuse_others(flow, "--from-capture", {kCapturedGroup, kOutGroup});
  if (captured && flow.get_option("--sessions")->count() > 0) {
    throw CLI::ValidationError("--sessions", "does not go with --from-capture");
  }
  if (check && arguments.in.empty()) throw CLI::RequiredError("--in");
  if (!check && arguments.out.empty()) throw CLI::RequiredError("--out");
  if (orders && arguments.symbol.empty() && arguments.day.empty()) throw CLI::RequiredError("--symbol or --day");
  if (!arguments.symbol.empty() && !printable_symbol(arguments.symbol)) {
    throw CLI::ValidationError("--symbol", "1 to 8 printable ASCII characters");
  }
  const std::string clash =
      file_clash({arguments.orders, arguments.day, arguments.from_capture}, {arguments.out, arguments.config_out});
  if (!clash.empty()) throw CLI::ValidationError("flow", clash);
}

void add_flow_command(CLI::App& root, int& exit_code) {
  CLI::App* const flow = root.add_subcommand(
      "flow", "turn recorded exchange data or a capture of SoupBinTCP into an order-entry capture, or make one up");
  const auto arguments = std::make_shared<FlowArguments>();
  FlowArguments& a = *arguments;

  flow->add_option("--orders", a.orders, "orders.csv or .csv.gz: time_ns,kind,order,side,price_e4,shares")
      ->group(kDayGroup);
  flow->add_option("--day", a.day, "day.toml: date, symbol, reference price, tick, phases")->group(kDayGroup);
  flow->add_option("--symbol", a.symbol, "instrument; may be left out with --day")->group(kDayGroup);

  SyntheticOptions& s = a.options;
  flow->add_flag("--synthetic", a.synthetic, "a seeded flow: same options, same bytes")->group(kSyntheticGroup);
  const auto number = [flow](const char* name, auto& value, std::uint64_t least, std::uint64_t most, const char* text) {
    flow->add_option(name, value, text)->check(CLI::Range(least, most))->capture_default_str()->group(kSyntheticGroup);
  };
  number("--orders-count", s.messages, 1, kMaxFlowMessages, "messages in all, cancels and replaces included");
  number("--symbols", s.symbols, 1, kMaxFlowSymbols, "instruments, of Zipf-like activity");
  number("--seed", s.seed, 0, std::numeric_limits<std::int64_t>::max(), "any whole number");
  number("--rate", s.rate, 1, kMaxFlowRate, "messages per second on average");
  number("--burst", s.burst, 1, kMaxFlowBurst, "most messages at one time");
  number("--adds", s.mix.adds, 0, 100, "passive orders, percent");
  number("--cancels", s.mix.cancels, 0, 100, "percent");
  number("--reductions", s.mix.reductions, 0, 100, "cancels to fewer shares, percent");
  number("--modifies", s.mix.modifies, 0, 100, "percent");
  number("--replaces", s.mix.replaces, 0, 100, "percent");
  number("--marketable", s.mix.marketable, 0, 100, "orders through the touch, percent");
  number("--ioc", s.ioc_percent, 0, 100, "immediate-or-cancel among those, percent");

  flow->add_option(
          "--from-capture", a.from_capture,
          "pcap or pcapng, packed or not, with clients that trade OUCH 5.0 over SoupBinTCP: puts their streams\n"
          "together, and says by session and byte what is missing")
      ->type_name("FILE")
      ->group(kCapturedGroup);
  flow->add_option("--port", a.port, "the exchange's TCP port (default: found by the clients' logins and orders)")
      ->type_name("PORT")
      ->check(CLI::Range(1, 65'535))
      ->group(kCapturedGroup);

  flow->add_option("--sessions", a.sessions, "trading firms that send it")
      ->check(CLI::Range(1u, kMaxFlowSessions))
      ->capture_default_str()
      ->group(kOutGroup);
  flow->add_option("--out", a.out, "capture of the order-entry frames")->check(file_name())->group(kOutGroup);
  flow->add_option("--config-out", a.config_out, "configuration for `crosswire replay`")
      ->check(file_name())
      ->group(kOutGroup);

  flow->add_option(
          "--check-trades", a.check_trades,
          "trades.csv or .csv.gz; with --orders it is only read, so that its flaws are told before\nthe replay")
      ->group(kCheckGroup);
  flow->add_option("--check-depth", a.check_depth, "depth.csv or .csv.gz; as --check-trades")->group(kCheckGroup);
  flow->add_option("--in", a.in, "capture that the replay wrote")->group(kCheckGroup);

  flow->footer(
      "Examples:\n"
      "  crosswire flow --orders orders.csv.gz --day day.toml --sessions 8 --out orders.pcap --config-out replay.toml\n"
      "  crosswire flow --check-trades trades.csv.gz --check-depth depth.csv.gz --in out.pcap\n"
      "  crosswire flow --synthetic --orders-count 1000000 --symbols 100 --sessions 16 --out flow.pcap --config-out "
      "flow.toml\n"
      "  crosswire flow --from-capture mirror.pcapng --port 9001 --out orders.pcap --config-out replay.toml");
  flow->callback([flow, arguments, &exit_code] {
    check_usage(*flow, *arguments);
    exit_code = flow_main(*arguments);
  });
}

void add_load_command(CLI::App& root, int& exit_code) {
  CLI::App* const load = root.add_subcommand(
      "load",
      "Send orders to an appliance and take the time of every answer and of what the feed tells.\n"
      "An open loop: orders are sent when they are due, whatever the appliance does, and latency counts from then, so\n"
      "that a stall costs every order that it delays.");
  const auto arguments = std::make_shared<LoadArguments>();
  LoadArguments& a = *arguments;
  constexpr const char* kWhere = "Where";
  constexpr const char* kWhat = "What is sent";
  constexpr const char* kWhen = "When";
  constexpr const char* kOut = "What comes of it";
  load->add_option("--config", a.config, "the appliance's configuration: address, ports, symbols, accounts, feed")
      ->required()
      ->type_name("FILE")
      ->group(kWhere);
  load->add_option("--device", a.device, "this side's device: a PCI address, or a DPDK vdev with its arguments")
      ->required()
      ->group(kWhere);
  load->add_option("--dpdk-arg", a.dpdk_args, "handed to DPDK behind what crosswire derives")
      ->allow_extra_args(false)
      ->group(kWhere);
  load->add_option("--mac", a.mac, "this side's MAC address (default 02:00:00:00:00:64)")
      ->check(is_mac())
      ->group(kWhere);
  load->add_option("--address", a.address, "this side's IPv4 address (default: one that the accounts may log in from)")
      ->check(is_address())
      ->group(kWhere);
  load->add_option("--core", a.core, "polling core (default: wherever the operating system puts it)")->group(kWhere);
  load->add_option("--hugepages", a.hugepages, "as [memory] hugepages of the configuration")
      ->check(CLI::IsMember({"auto", "off", "required"}))
      ->capture_default_str()
      ->group(kWhere);
  load->add_option("--sessions", a.sessions, "log in with the first N accounts (default: all)")
      ->check(CLI::Range(1u, kMaxLoadSessions))
      ->group(kWhere);
  load->add_option("--transport", a.transport,
                   "how orders go: udp (MoldUDP64), or tcp (SoupBinTCP, a connection for each session, 2000 at most)")
      ->check(CLI::IsMember({"udp", "tcp"}))
      ->capture_default_str()
      ->group(kWhere);
  load->add_flag("--yes-trade", a.yes_trade,
                 "yes, log in with these accounts, which takes them over from whoever is logged in, and trade: to the\n"
                 "appliance these orders are like any others. Needed without --floor")
      ->group(kWhere);
  load->add_flag(
          "--floor", a.floor,
          "the other side is `crosswire echo`, or sends every frame back as it is, MAC addresses swapped or not;\n"
          "over TCP `crosswire echo --tcp` on the order port")
      ->group(kWhere);

  load->add_option("--mix", a.mix, "adds/cancels/crossing orders, in percent")->capture_default_str()->group(kWhat);
  load->add_option("--resting", a.resting, "orders in the books from the start on (default 10000)")->group(kWhat);
  load->add_option("--seed", a.seed, "of orders and arrivals: same seed, same orders")
      ->capture_default_str()
      ->group(kWhat);
  CLI::Option* const capture =
      load->add_option("--capture", a.capture,
                       "send the orders of this flow capture again, when they were sent then, or at --rate; the "
                       "appliance must be fresh")
          ->type_name("FILE")
          ->group(kWhat);

  CLI::Option* const rate = load->add_option("--rate", a.rate, "orders per second")
                                ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{100'000'000}))
                                ->capture_default_str()
                                ->group(kWhen);
  CLI::Option* const arrivals =
      load->add_option("--arrivals", a.arrivals, "constant, poisson or burst:N")->capture_default_str()->group(kWhen);
  CLI::Option* const gaps =
      load->add_option("--gaps", a.gaps, "the gaps between the frames of this capture, over and over")
          ->type_name("FILE")
          ->excludes(rate)
          ->excludes(arrivals)
          ->excludes(capture)
          ->group(kWhen);
  load->add_option("--window", a.window, "a closed loop: this many orders outstanding, as fast as they are answered")
      ->check(CLI::Range(1u, 1u << 20))
      ->excludes(rate)
      ->excludes(arrivals)
      ->excludes(gaps)
      ->excludes(capture)
      ->group(kWhen);
  load->add_option("--seconds", a.seconds, "measured")
      ->check(CLI::Range(0.001, 86'400.0))
      ->capture_default_str()
      ->group(kWhen);
  load->add_option("--warm-up", a.warm_up, "seconds before, not measured")
      ->check(CLI::Range(0.0, 3'600.0))
      ->capture_default_str()
      ->group(kWhen);

  load->add_option("--json", a.json, "all figures")->type_name("FILE")->check(file_name())->group(kOut);
  load->add_option("--hgrm", a.hgrm, "PREFIX-ack.hgrm, -execution, -feed: HdrHistogram's percentile format")
      ->type_name("PREFIX")
      ->check(file_name())
      ->group(kOut);
  load->add_option("--svg", a.svg, "percentile curve, and latency over time")
      ->type_name("FILE")
      ->check(file_name())
      ->group(kOut);
  load->add_option("--beside", a.beside, "print the difference to this --json report of the floor")
      ->type_name("FILE")
      ->group(kOut);
  load->footer(
      "Exit status: 0 all was sent at the rate asked for, 1 a partial result or none (one line says why), 2 wrong "
      "usage.\n"
      "Examples:\n"
      "  crosswire load --config crosswire.toml --device net_virtio_user0,path=/run/x.sock --rate 100000 --yes-trade\n"
      "  crosswire load --config crosswire.toml --device 0000:03:00.1 --rate 1000000 --svg run.svg --yes-trade\n"
      "  crosswire load --config crosswire.toml --device 0000:03:00.1 --window 64 --yes-trade\n"
      "  crosswire load --config crosswire.toml --device 0000:03:00.1 --floor --json floor.json   (against crosswire "
      "echo)\n"
      "  crosswire load --config crosswire.toml --device 0000:03:00.1 --transport tcp --sessions 500 --yes-trade\n"
      "  crosswire load --config crosswire.toml --device 0000:03:00.1 --beside floor.json --yes-trade");
  load->callback([arguments, rate, &exit_code] {
    arguments->rate_given = rate->count() > 0;
    exit_code = load_main(*arguments);
  });
}

void add_echo_command(CLI::App& root, int& exit_code) {
  CLI::App* const echo = root.add_subcommand(
      "echo",
      "The floor: a plain DPDK echo in the place of `crosswire run`, on the same device with the same bursts, that\n"
      "sends each order back at the size of its answer. What `crosswire load --floor` measures.\n"
      "With --tcp: a service behind crosswire's TCP that sends back what it gets, for any TCP client.");
  const auto arguments = std::make_shared<EchoArguments>();
  echo->add_option("--config", arguments->config, "the appliance's configuration file (TOML)")
      ->required()
      ->type_name("FILE");
  CLI::Option* const tcp =
      echo->add_option("--tcp", arguments->tcp_port, "listen on this TCP port instead, and send back every byte")
          ->type_name("PORT")
          ->check(CLI::Range(1, 65'535));
  echo->add_flag("--sink", arguments->sink, "take every byte and send nothing back")->needs(tcp);
  echo->add_option("--connections", arguments->connections, "at once, at most")
      ->capture_default_str()
      ->type_name("N")
      ->check(CLI::Range(1, 8'192))
      ->needs(tcp);
  echo->add_option("--backlog", arguments->backlog, "handshakes under way at once; the next get SYN cookies")
      ->capture_default_str()
      ->type_name("N")
      ->check(CLI::Range(0, 8'192))
      ->needs(tcp);
  echo->add_option("--keepalive", arguments->keepalive_s, "ask a peer that is idle for so many seconds; 0: never")
      ->capture_default_str()
      ->type_name("S")
      ->check(CLI::Range(0.0, 86'400.0))
      ->needs(tcp);
  echo->add_option("--send-core", arguments->send_core, "what is sent on this core, what comes on receive's")
      ->type_name("CORE")
      ->needs(tcp);
  echo->footer(
      "Example:\n  crosswire echo --config crosswire.toml\n"
      "  crosswire load --config crosswire.toml --device ... --floor --json floor.json\n"
      "  crosswire echo --config crosswire.toml --tcp 7");
  echo->callback([arguments, &exit_code] { exit_code = echo_main(*arguments); });
}

void add_plan_command(CLI::App& root, int& exit_code) {
  CLI::App* const plan =
      root.add_subcommand("plan",
                          "Show which core polls which stage and why, which rules that breaks, what memory is taken, "
                          "and the trading day: what run will do.\n"
                          "Without --config: for one partition with defaults. Needs no root and starts nothing.");
  const auto options = std::make_shared<PlanOptions>();
  plan->add_option("--config", options->configs, "configuration file (TOML); several: a partition each")
      ->allow_extra_args(false)
      ->type_name("FILE")
      ->check(not_empty());
  plan->add_option("--topology", options->topology, "plan for the host in this hwloc file (lstopo host.xml, or --save)")
      ->type_name("FILE")
      ->check(not_empty());
  plan->add_option("--nic-node", options->nic_node, "NUMA node of the NIC, instead of what the host says")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber);
  plan->add_option("--isolated", options->isolated, "cores as if the kernel isolated these (isolcpus=LIST)")
      ->type_name("LIST");
  plan->add_option("--nohz-full", options->nohz_full, "cores as if the kernel were started with nohz_full=LIST")
      ->type_name("LIST");
  plan->add_flag("--record", options->record, "count the memory of `run --record`, too");
  plan->add_flag("--json", options->json, "for programs; docs/placement.md lists the keys");
  plan->add_option("--date", options->date, "show the day of this date, as 2026-12-24, instead of today's")
      ->type_name("DATE")
      ->check(not_empty())
      ->needs("--config")
      ->excludes("--json");
  plan->add_flag("--ascii", options->ascii, "draw the machine, too")->excludes("--json");
  plan->add_option("--svg", options->svg, "write a picture of the machine")->type_name("FILE")->check(file_name());
  plan->add_option("--save", options->save, "write this host, the kernel's lists included, for --topology elsewhere")
      ->type_name("FILE")
      ->check(file_name());
  plan->footer(
      "Example:\n  crosswire plan --config crosswire.toml --ascii\n"
      "  crosswire plan --topology host.xml --isolated 2-7 --nic-node 1 --svg plan.svg");
  plan->callback([options, &exit_code] { exit_code = plan_main(*options); });
}

void add_top_command(CLI::App& root, int& exit_code) {
  CLI::App* const top = root.add_subcommand(
      "top",
      "Watch a running appliance: load of each stage, rings, latency in the box, rates, drops, sessions, books.\n"
      "q ends it, any other key refreshes.");
  const auto options = std::make_shared<TopOptions>();
  top->add_option("--prefix", options->prefix, "DPDK's file prefix of the appliance")
      ->type_name("P")
      ->capture_default_str()
      ->check(not_empty());
  top->add_option("--socket", options->socket, "its telemetry socket, instead")->type_name("PATH")->check(not_empty());
  top->add_option("--interval", options->interval_s, "seconds from one page to the next")
      ->type_name("S")
      ->capture_default_str()
      ->check(CLI::Range(0.1, 3600.0));
  top->add_flag("--once", options->once, "print one page and end; so without a terminal");
  top->add_flag("--json", options->json, "print all figures once, as one JSON object");
  top->footer("Example:\n  crosswire top\n  crosswire top --once --prefix crosswire");
  top->callback([options, &exit_code] { exit_code = top_main(*options); });
}

void add_ctl_symbols(CLI::App& command, const std::shared_ptr<CtlOptions>& options, bool& all) {
  CLI::Option* const symbol = command.add_option("SYMBOL", options->ask.symbol, "which symbol")->check(not_empty());
  CLI::Option* const every = command.add_flag("--all", all, "all symbols of the partition");
  symbol->excludes(every);
}

void add_ctl_accounts(CLI::App& command, const std::shared_ptr<CtlOptions>& options) {
  CLI::Option* const account =
      command.add_option("--account", options->ask.account, "of one account")->type_name("USER")->check(not_empty());
  CLI::Option* const firm = command.add_option("--firm", options->ask.firm, "of all accounts of a firm")
                                ->type_name("FIRM")
                                ->check(not_empty());
  account->excludes(firm);
}

/// CLI11 takes -1 for a large number.
CLI::Validator number_from_one() {
  return {[](const std::string& text) {
            const bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
            return digits && text.find_first_not_of('0') != std::string::npos ? std::string()
                                                                              : std::string("is no number from 1 on");
          },
          ""};
}

void add_ctl_socket(CLI::App& command, const std::shared_ptr<CtlOptions>& options) {
  command.add_option("--prefix", options->prefix, "DPDK file prefix of the appliance")
      ->capture_default_str()
      ->type_name("NAME");
  command.add_option("--socket", options->socket, "path of its control socket, instead of --prefix")->type_name("PATH");
}

/// What each of ctl's commands takes beside its own.
void add_ctl_options(CLI::App& command, const std::shared_ptr<CtlOptions>& options, bool of_one_partition = true) {
  if (of_one_partition) {
    command.add_option("--partition", options->ask.partition, "which partition, where the process has several")
        ->type_name("NAME")
        ->check(not_empty());
  }
  command.add_option("--reason", options->ask.reason, "why, in at most 64 bytes; it is kept with the command")
      ->type_name("TEXT")
      ->check([](const std::string& text) {
        return text.size() <= kMostReason ? std::string() : fmt::format("has over {} bytes", kMostReason);
      });
  command
      .add_option("--request", options->ask.request,
                  "a number of your own for the command (default: a random one). A command with the number of an\n"
                  "earlier one is not done again: it gets the earlier one's answer")
      ->type_name("N")
      ->check(number_from_one());
  add_ctl_socket(command, options);
}

/// account, limits, rates: what is asked for figures.
void add_account_options(CLI::App& command, const std::shared_ptr<AccountOptions>& options, bool one) {
  CLI::Option* const user = command.add_option(one ? "USER" : "ACCOUNT", options->user,
                                               one ? "which account" : "which account (default: all)");
  user->check(not_empty())->required(one);
  command.add_option("--partition", options->partition, "which partition, where the process has several")
      ->type_name("NAME")
      ->check(not_empty());
  command.add_option("--prefix", options->prefix, "DPDK file prefix of the appliance")
      ->capture_default_str()
      ->type_name("NAME")
      ->check(not_empty());
  command.add_option("--socket", options->socket, "path of its telemetry or control socket, instead of --prefix")
      ->type_name("PATH")
      ->check(not_empty());
  command.add_flag("--json", options->json, "print one JSON object");
}

void add_account_commands(CLI::App& ctl, int& exit_code) {
  const auto options = std::make_shared<AccountOptions>();
  CLI::App* const account = ctl.add_subcommand(
      "account",
      "What is left of an account's limits: state, funds, rates, positions. From the telemetry, as top, or from the\n"
      "control socket for who may not reach that: viewer, or the risk of its firm.");
  CLI::App* const limits =
      ctl.add_subcommand("limits", "The limits of an account, or of all: each with unit and scope, set or not.");
  CLI::App* const rates = ctl.add_subcommand(
      "rates", "What an account, or each, has used of its rates within the last second, and what is left.");
  add_account_options(*account, options, true);
  add_account_options(*limits, options, false);
  add_account_options(*rates, options, false);
  account->footer("Example:\n  crosswire ctl account ann");
  limits->footer("Example:\n  crosswire ctl limits ann");
  rates->footer("Example:\n  crosswire ctl rates --json");
  account->callback([options, &exit_code] { exit_code = account_main(*options); });
  limits->callback([options, &exit_code] { exit_code = limits_main(*options); });
  rates->callback([options, &exit_code] { exit_code = rates_main(*options); });
}

/// The second person's: where the configuration has [operators].
void add_pending_commands(CLI::App& ctl, int& exit_code) {
  const auto options = std::make_shared<CtlOptions>();
  CLI::App* const pending =
      ctl.add_subcommand("pending", "The commands that wait for a second person: number, who asked, for how long yet.");
  CLI::App* const approve = ctl.add_subcommand(
      "approve",
      "Have a pending command done that another person has asked for. Who approves has to be one who may do it, too.");
  CLI::App* const withdraw =
      ctl.add_subcommand("withdraw", "Take a pending command back: your own, or one that you could approve.");
  pending->add_flag("--json", options->json, "print one JSON object");
  for (CLI::App* const command : {approve, withdraw}) {
    command->add_option("N", options->number, "which command, by the number that pending lists")
        ->required()
        ->check(number_from_one());
  }
  for (CLI::App* const command : {pending, approve, withdraw}) {
    add_ctl_socket(*command, options);
    command->footer(
        "Example:\n  crosswire ctl allow --account ann     (alice: it is command 4710)\n"
        "  crosswire ctl approve 4710            (bob)");
  }
  pending->callback([options, &exit_code] { exit_code = ctl_pending_main(*options); });
  approve->callback([options, &exit_code] { exit_code = ctl_approve_main(*options); });
  withdraw->callback([options, &exit_code] { exit_code = ctl_withdraw_main(*options); });
}

void add_reload_command(CLI::App& ctl, int& exit_code) {
  const auto options = std::make_shared<CtlOptions>();
  CLI::App* const reload = ctl.add_subcommand(
      "reload",
      "Read the configuration again, check it whole, and change what of it may change within a day: limits, "
      "passwords,\n"
      "accounts switched on and off, operators' groups (docs/operating.md). Any fault, or a key that may not: nothing\n"
      "changes. What loosens needs a second person where there is [operators]. SIGHUP does the same, but\n"
      "loosens nothing there.");
  reload->add_flag("--dry-run", options->ask.dry_run, "only print what would change");
  reload->add_flag("--only-what-may", options->ask.only_what_may,
                   "leave what may not change within a day to the next start, and change the rest");
  reload->add_flag("--json", options->json, "print one JSON object");
  add_ctl_options(*reload, options, false);
  reload->footer("Example:\n  crosswire ctl reload --dry-run\n  crosswire ctl reload --reason \"funds of ann\"");
  reload->callback([options, &exit_code] { exit_code = ctl_reload_main(*options); });
}

void add_ctl_command(CLI::App& root, int& exit_code) {
  CLI::App* const ctl = root.add_subcommand(
      "ctl",
      "Halt, resume and change phases of a running appliance, kill accounts, see what is left of their limits. As the\n"
      "user that it runs as, or root; with [operators] in its configuration as who has a role there. Exit status 0: "
      "done.\n"
      "1: refused, or not reached. 3: it waits for a second person (pending, approve, withdraw).");
  ctl->require_subcommand(1);
  const auto options = std::make_shared<CtlOptions>();
  const auto all = std::make_shared<bool>(false);
  const auto phase = std::make_shared<std::string>();
  const auto level = std::make_shared<std::uint32_t>(0);
  const auto run = [options, all, phase, level, &exit_code](OperatorAction action) {
    const bool symbols = !options->ask.symbol.empty() || *all;
    const bool accounts = !options->ask.account.empty() || !options->ask.firm.empty();
    if (is_about_accounts(action) && !accounts) throw CLI::ValidationError("give --account or --firm");
    if (!is_about_accounts(action) && !symbols) throw CLI::ValidationError("give a SYMBOL, or --all");
    if (*level != 0 && !*all) throw CLI::ValidationError("--level goes with --all");
    if (*level == kMostHaltLevel && options->ask.seconds != 0)
      throw CLI::ValidationError("a halt at level 3 is until resumed: leave --for out");
    options->ask.level = static_cast<std::uint8_t>(*level);
    options->ask.action = action;
    const auto found = std::find(kAskedPhaseNames.begin(), kAskedPhaseNames.end(), *phase);
    if (found != kAskedPhaseNames.end()) options->ask.phase = static_cast<Phase>(found - kAskedPhaseNames.begin());
    exit_code = ctl_main(*options);
  };
  CLI::App* const halt = ctl->add_subcommand(
      "halt", "Halt a symbol, or all. It stays halted through the schedule's changes, but for closed, until resumed.");
  halt->add_option("--for", options->ask.seconds,
                   "so long, as 30s, 15m or 1h: then a call begins, at whose end a cross lets trading go on. Never "
                   "shorter than a halt that there is")
      ->type_name("TIME")
      ->transform(CLI::AsNumberWithUnit(std::map<std::string, std::uint32_t>{{"s", 1}, {"m", 60}, {"h", 3600}},
                                        CLI::AsNumberWithUnit::UNIT_REQUIRED, "TIME"))
      ->check(CLI::Range(1u, kMostHaltSeconds));
  halt->add_flag_callback(
          "--until-resumed", [] {}, "until resumed, as without --for")
      ->excludes("--for");
  halt->add_option("--level", *level,
                   "with --all: of a market-wide circuit breaker, which the feed tells; at 3 until resumed")
      ->check(CLI::Range(1u, std::uint32_t{kMostHaltLevel}));
  CLI::App* const resume = ctl->add_subcommand("resume",
                                               "End such a halt: the symbol enters the phase that the schedule has by "
                                               "now. With [operators] a second person has to\n"
                                               "approve it, but for the halt of a start.");
  CLI::App* const to_phase = ctl->add_subcommand(
      "phase",
      "Enter a phase now, as if the schedule said so; for rehearsals. A halted symbol does so when resumed. With\n"
      "[operators] a second person has to approve what goes towards trading.");
  to_phase->add_option("PHASE", *phase, "which phase")
      ->required()
      ->check(CLI::IsMember(std::vector<std::string>(kAskedPhaseNames.begin(), kAskedPhaseNames.end())));
  CLI::App* const kill = ctl->add_subcommand(
      "kill",
      "Stop an account, or all of a firm, at once: its orders are cancelled, and no order is taken until allowed,\n"
      "whatever its client says and however often it logs in.");
  CLI::App* const allow = ctl->add_subcommand(
      "allow", "End such a stop: orders are taken again. With [operators] a second person has to approve it.");
  add_pending_commands(*ctl, exit_code);
  add_account_commands(*ctl, exit_code);
  add_reload_command(*ctl, exit_code);
  for (CLI::App* const command : {halt, resume, to_phase}) add_ctl_symbols(*command, options, *all);
  for (CLI::App* const command : {kill, allow}) add_ctl_accounts(*command, options);
  for (CLI::App* const command : {halt, resume, to_phase, kill, allow}) add_ctl_options(*command, options);
  halt->callback([run] { run(OperatorAction::halt); });
  resume->callback([run] { run(OperatorAction::resume); });
  to_phase->callback([run] { run(OperatorAction::phase); });
  kill->callback([run] { run(OperatorAction::kill); });
  allow->callback([run] { run(OperatorAction::allow); });
  for (CLI::App* const command : {ctl, halt, resume, to_phase, kill, allow})
    command->footer(
        "Example:\n  crosswire ctl halt AAA --reason \"news pending\"\n"
        "  crosswire ctl halt --all --level 1 --for 15m\n  crosswire ctl resume AAA\n"
        "  crosswire ctl phase opening_call --all\n  crosswire ctl kill --firm ANNS --reason \"runs wild\"");
}

void add_scenario_command(CLI::App& root, int& exit_code) {
  CLI::App* const scenario = root.add_subcommand(
      "scenario",
      "Run rule-book scenarios: a few lines of text that say what clients and operators do and what should come of "
      "it,\n"
      "against the real engine and its limits, in virtual time, without network. docs/scenarios.md has the language.\n"
      "Exit status 0: all hold. 1: one does not; the first difference is told with its file and line.");
  const auto options = std::make_shared<ScenarioOptions>();
  scenario->add_option("FILE", options->paths, "scenario, or a folder with *.scenario")
      ->required()
      ->check(CLI::ExistingPath);
  scenario->add_flag("--verbose", options->verbose, "print each line and what comes of it, as `expect` may have it");
  scenario->add_flag("--tap", options->tap, "print the Test Anything Protocol, a test for each scenario");
  scenario->footer("Example:\n  crosswire scenario --verbose my-rule.scenario");
  scenario->callback([options, &exit_code] { exit_code = scenario_main(*options); });
}

/// "run, replay, ... or top", as they were added.
std::string commands_of(CLI::App& root) {
  const std::vector<CLI::App*> commands = root.get_subcommands([](const CLI::App*) { return true; });
  std::string text;
  for (std::size_t i = 0; i < commands.size(); ++i) {
    if (i > 0) text += i + 1 == commands.size() ? " or " : ", ";
    text += commands[i]->get_name();
  }
  return text;
}

}  // namespace

int command_line(int argc, const char* const* argv) {
  constexpr int kWrongUsage = 2;
  int exit_code = 0;
  CLI::App app("crosswire: a kernel-bypass exchange appliance", "crosswire");
  app.set_version_flag("--version", "crosswire " CROSSWIRE_VERSION);
  app.require_subcommand(1);
  app.footer("Example:\n  crosswire replay --help");
  add_run_command(app, exit_code);
  add_replay_command(app, exit_code);
  add_doctor_command(app, exit_code);
  add_flow_command(app, exit_code);
  add_load_command(app, exit_code);
  add_echo_command(app, exit_code);
  add_plan_command(app, exit_code);
  add_top_command(app, exit_code);
  add_ctl_command(app, exit_code);
  add_scenario_command(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // A command that is not known is told of as such, be it ours or one of a command's own.
    CLI::App* level = &app;
    std::string path = "crosswire";
    for (int i = 1; i < argc && argv[i][0] != '-' && !level->get_subcommands({}).empty(); ++i) {
      if (level->get_subcommands().empty()) {
        std::fprintf(stderr, "%s: \"%s\" is no command; give %s, or see %s --help\n", path.c_str(), argv[i],
                     commands_of(*level).c_str(), path.c_str());
        return kWrongUsage;
      }
      level = level->get_subcommands().front();
      path += " " + level->get_name();
    }
    // A mistyped option is the cause where the right one is missing, too.
    std::vector<std::string> unknown = app.remaining(true);
    std::reverse(unknown.begin(), unknown.end());  // as CLI11 wants them
    const bool missing = error.get_name() == "RequiredError" && !unknown.empty();
    if ((missing ? level->exit(CLI::ExtrasError(unknown)) : app.exit(error)) != 0) return kWrongUsage;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "crosswire: %s\n", error.what());
    return 1;
  }
  // Figures that could not be printed are lost: the caller must know.
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    std::fprintf(stderr, "crosswire: the output cannot be written; make room where stdout goes\n");
    return 1;
  }
  return exit_code;
}

}  // namespace crosswire
