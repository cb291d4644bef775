// `crosswire flow`: see the header. What it prints. Tools only.
#include "app/flow/flow.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "app/flow/check.hpp"
#include "app/flow/error.hpp"
#include "app/flow/orders.hpp"
#include "app/flow/recorded_day.hpp"
#include "app/flow/synthetic.hpp"

namespace crosswire {
namespace {

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

}  // namespace

int flow_main(const FlowArguments& arguments) try {
  if (arguments.synthetic) return run_synthetic(arguments);
  if (!arguments.orders.empty()) return run_orders(arguments);
  return run_check(arguments);
} catch (const std::exception& error) {  // FlowError, or no memory for the engine
  fmt::print(stderr, "crosswire flow: {}\n", one_line(error.what()));
  return 1;
}

}  // namespace crosswire
