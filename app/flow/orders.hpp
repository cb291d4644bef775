// A recorded day's orders as an order-entry capture. Tools only; one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "app/flow/recorded_day.hpp"

namespace crosswire {

struct OrderFlowOptions {
  std::string orders_path;  // orders.csv, gzipped or plain
  std::string symbol;       // 1 .. 8 characters
  std::uint32_t sessions;   // 1 .. kMaxFlowSessions
  std::string capture_path;
  std::optional<Day> day;   // without it: the day 1970-01-01, tick 1, continuous from the start
  std::string config_path;  // empty: no configuration is written
};

struct OrderFlowFigures {
  std::uint64_t frames;
  std::uint64_t enters;
  std::uint64_t cancels;  // of all that was left
  std::uint64_t reductions;
  std::uint64_t executions;          // by the engine that was run along
  std::uint64_t without_effect;      // cancels and reductions of orders with nothing left to take
  std::string first_without_effect;  // of these: file, line and order, in one line
};

/// Writes the capture, and the configuration if asked for. An order goes to the session that the hash of its number
/// says, its cancels with it. Rows that can change nothing are sent and counted. Throws std::runtime_error
/// (one line), FlowError for what is wrong with the rows; then neither file is written.
OrderFlowFigures write_order_flow(const OrderFlowOptions& options);

}  // namespace crosswire
