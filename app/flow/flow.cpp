// `crosswire flow`: see the header. What it prints. Tools only.
#include "app/flow/flow.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "app/flow/check.hpp"
#include "app/flow/csv.hpp"
#include "app/flow/error.hpp"
#include "app/flow/from_capture.hpp"
#include "app/flow/orders.hpp"
#include "app/flow/recorded_day.hpp"
#include "app/flow/synthetic.hpp"

namespace crosswire {
namespace {

/// Of files to compare with later: their flaws are told before the work.
void check_recorded(const FlowArguments& arguments) {
  if (!arguments.check_trades.empty()) read_trades(arguments.check_trades);
  if (!arguments.check_depth.empty()) read_depth(arguments.check_depth);
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
  check_recorded(arguments);
  const OrderFlowFigures figures = write_order_flow(options);
  fmt::print("{}: {}, {}: {}, {}, {}; {} expected\n", arguments.out, counted(figures.frames, "frame"),
             counted(arguments.sessions, "session"), counted(figures.enters, "order"),
             counted(figures.cancels, "cancel"), counted(figures.reductions, "reduction"),
             counted(figures.executions, "execution"));
  if (figures.without_effect > 0) {
    fmt::print("{} of an order with nothing left to take: the exchange matched otherwise{}; the first: {}\n",
               counted(figures.without_effect, "row"), options.day ? "" : ", maybe by the phases of a --day",
               figures.first_without_effect);
  }
  return 0;
}

int run_synthetic(const FlowArguments& arguments) {
  SyntheticOptions options = arguments.options;
  options.sessions = arguments.sessions;
  const SyntheticFigures figures = write_synthetic_flow(options, arguments.out, arguments.config_out);
  fmt::print("{}: {}, seed {}, {}, {}: {}, at most {} live; {} expected\n", arguments.out,
             counted(figures.frames, "frame"), options.seed, counted(options.sessions, "session"),
             counted(options.symbols, "symbol"), counted(options.messages, "message"),
             counted(figures.most_live_orders, "order"), counted(figures.executions, "execution"));
  return 0;
}

int run_from_capture(const FlowArguments& arguments) {
  FromCaptureOptions options{.in_path = arguments.from_capture,
                             .port = std::nullopt,
                             .capture_path = arguments.out,
                             .config_path = arguments.config_out};
  if (arguments.port != 0) options.port = arguments.port;
  fmt::print("{}", to_text(options, write_captured_flow(options)));
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

}  // namespace

int flow_main(const FlowArguments& arguments) try {
  if (arguments.synthetic) return run_synthetic(arguments);
  if (!arguments.from_capture.empty()) return run_from_capture(arguments);
  if (!arguments.orders.empty()) return run_orders(arguments);
  return run_check(arguments);
} catch (const std::exception& error) {  // FlowError, or no memory for the engine
  fmt::print(stderr, "crosswire flow: {}\n", one_line(error.what()));
  return 1;
}

}  // namespace crosswire
