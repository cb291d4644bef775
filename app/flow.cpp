// The subcommand `flow`: its options, and what it prints. Tools only.
#include "app/flow.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <initializer_list>
#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "app/day.hpp"
#include "app/file_clash.hpp"
#include "app/flow_check.hpp"
#include "app/flow_error.hpp"
#include "app/flow_frames.hpp"
#include "app/flow_orders.hpp"
#include "app/flow_synthetic.hpp"

namespace crosswire {
namespace {

struct FlowArguments {
  std::string orders;
  std::string symbol;
  std::string day;
  std::string out;
  std::string config_out;
  std::string check_trades;
  std::string check_depth;
  std::string in;
  bool synthetic = false;
  std::uint32_t sessions = 1;
  SyntheticOptions options;
};

bool printable_symbol(const std::string& symbol) {
  if (symbol.empty() || symbol.size() > 8) return false;
  for (const char c : symbol) {
    if (c <= ' ' || c > '~') return false;
  }
  return true;
}

int run_orders(const FlowArguments& arguments) {
  OrderFlowOptions options{.orders_path = arguments.orders,
                           .symbol = arguments.symbol,
                           .sessions = arguments.sessions,
                           .capture_path = arguments.out,
                           .day = std::nullopt,
                           .config_path = arguments.config_out};
  if (!arguments.day.empty()) {
    options.day = load_day(arguments.day);
    if (options.symbol.empty()) options.symbol = options.day->symbol;
    if (options.symbol != options.day->symbol) {
      throw FlowError(fmt::format("{}: its symbol is {}, not {}; leave --symbol out", arguments.day,
                                  options.day->symbol, options.symbol));
    }
  }
  const OrderFlowFigures figures = write_order_flow(options);
  fmt::print("{}: {} frames, {} sessions: {} orders, {} cancels, {} reductions; {} executions expected\n",
             arguments.out, figures.frames, arguments.sessions, figures.enters, figures.cancels, figures.reductions,
             figures.executions);
  if (figures.without_effect > 0) {
    fmt::print("{} rows named orders with nothing left to take; with the phases of its --day they may have\n",
               figures.without_effect);
  }
  return 0;
}

int run_synthetic(const FlowArguments& arguments) {
  SyntheticOptions options = arguments.options;
  options.sessions = arguments.sessions;
  const SyntheticFigures figures = write_synthetic_flow(options, arguments.out, arguments.config_out);
  fmt::print(
      "{}: {} frames, seed {}, {} sessions, {} symbols: {} messages, at most {} orders live; {} executions expected\n",
      arguments.out, figures.frames, options.seed, options.sessions, options.symbols, options.messages,
      figures.most_live_orders, figures.executions);
  return 0;
}

int run_check(const FlowArguments& arguments) {
  const std::vector<CheckResult> results = check_day({.capture_path = arguments.in,
                                                      .trades_path = arguments.check_trades,
                                                      .depth_path = arguments.check_depth,
                                                      .symbol = arguments.symbol});
  int exit_code = 0;
  for (const CheckResult& result : results) {
    fmt::print("{}\n", result.summary);
    for (const std::string& difference : result.differences) fmt::print(stderr, "{}\n", difference);
    if (!result.identical()) exit_code = 1;
  }
  return exit_code;
}

int run_flow(const FlowArguments& arguments) try {
  if (arguments.synthetic) return run_synthetic(arguments);
  if (!arguments.orders.empty()) return run_orders(arguments);
  return run_check(arguments);
} catch (const std::exception& error) {  // FlowError, or no memory for the engine
  fmt::print(stderr, "crosswire flow: {}\n", one_line(error.what()));
  return 1;
}

constexpr const char* kDayGroup = "A recorded day";
constexpr const char* kSyntheticGroup = "A made-up day";
constexpr const char* kOutGroup = "What is written";
constexpr const char* kCheckGroup = "Comparing a replay with the exchange";

/// Refuses an option that `mode` would not heed: one of none of its groups.
void refuse_others(const CLI::App& flow, const std::string& mode, std::initializer_list<std::string> groups) {
  for (const CLI::Option* const option : flow.get_options()) {
    if (option->count() == 0 || std::find(groups.begin(), groups.end(), option->get_group()) != groups.end()) continue;
    if (option->get_name() == "--symbol" && mode != "--synthetic") continue;
    throw CLI::ValidationError(option->get_name(), "does not go with " + mode);
  }
}

/// What CLI11's own rules cannot say.
void check_usage(const CLI::App& flow, const FlowArguments& arguments) {
  const bool check = !arguments.check_trades.empty() || !arguments.check_depth.empty();
  const bool orders = !arguments.orders.empty();
  if (check + orders + arguments.synthetic != 1) {
    throw CLI::ValidationError("flow", "give one of --orders, --synthetic, --check-trades and --check-depth");
  }
  if (check) refuse_others(flow, "a check", {kCheckGroup});
  if (orders) refuse_others(flow, "--orders", {kDayGroup, kOutGroup});
  if (arguments.synthetic) refuse_others(flow, "--synthetic", {kSyntheticGroup, kOutGroup});
  if (check && arguments.in.empty()) throw CLI::RequiredError("--in");
  if (!check && arguments.out.empty()) throw CLI::RequiredError("--out");
  if (orders && arguments.symbol.empty() && arguments.day.empty()) throw CLI::RequiredError("--symbol or --day");
  if (!arguments.symbol.empty() && !printable_symbol(arguments.symbol)) {
    throw CLI::ValidationError("--symbol", "1 to 8 printable ASCII characters");
  }
  const std::string clash = file_clash({arguments.orders, arguments.day}, {arguments.out, arguments.config_out});
  if (!clash.empty()) throw CLI::ValidationError("flow", clash);
}

}  // namespace

void add_flow_command(CLI::App& root, int& exit_code) {
  CLI::App* const flow =
      root.add_subcommand("flow", "turn recorded exchange data into an order-entry capture, or make one up");
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

  flow->add_option("--sessions", a.sessions, "trading firms that send it")
      ->check(CLI::Range(1u, kMaxFlowSessions))
      ->capture_default_str()
      ->group(kOutGroup);
  flow->add_option("--out", a.out, "capture of the order-entry frames")->group(kOutGroup);
  flow->add_option("--config-out", a.config_out, "configuration for `crosswire replay`")->group(kOutGroup);

  flow->add_option("--check-trades", a.check_trades, "trades.csv or .csv.gz")->group(kCheckGroup);
  flow->add_option("--check-depth", a.check_depth, "depth.csv or .csv.gz")->group(kCheckGroup);
  flow->add_option("--in", a.in, "capture that the replay wrote")->group(kCheckGroup);

  flow->footer(
      "Examples:\n"
      "  crosswire flow --orders orders.csv.gz --day day.toml --sessions 8 --out orders.pcap --config-out replay.toml\n"
      "  crosswire flow --check-trades trades.csv.gz --check-depth depth.csv.gz --in out.pcap\n"
      "  crosswire flow --synthetic --orders-count 1000000 --symbols 100 --sessions 16 --out flow.pcap --config-out "
      "flow.toml");
  flow->callback([flow, arguments, &exit_code] {
    check_usage(*flow, *arguments);
    exit_code = run_flow(*arguments);
  });
}

}  // namespace crosswire
