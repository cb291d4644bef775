// Recorded exchange data: byte 0 says which file, and whether the rest comes behind the right header or is all of it
// (gzipped, perhaps). Refused with file and line, or rows that the flow may use without asking.
#include "app/flow/csv.hpp"

#include <map>

#include "app/flow/error.hpp"
#include "app/flow/message.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace crosswire {
namespace {

using namespace fuzz;

constexpr std::uint32_t kTick = 100;

void check_orders(const std::string& path) {
  std::map<std::uint64_t, Quantity> left;
  TimeNs last = 0;
  const std::vector<OrderRow> rows = read_orders(path, kTick);
  HOLDS(!rows.empty());
  for (const OrderRow& row : rows) {
    HOLDS(row.time_ns >= last && row.time_ns < kNsPerDay);
    HOLDS(row.order <= kMaxClOrdId);
    last = row.time_ns;
    if (row.kind == OrderRow::Kind::add) {
      HOLDS(row.shares >= 1 && row.shares <= kMaxQuantity);
      HOLDS(row.price != kNoPrice && row.price <= kMaxPrice && row.price.value % kTick == 0);
      left.insert_or_assign(row.order, row.shares);  // the number of a dead order may be given out again
    } else {
      const Quantity now = row.kind == OrderRow::Kind::remove ? 0 : row.shares;
      HOLDS(left.contains(row.order) && now < left[row.order]);
      left[row.order] = now;
    }
  }
}

void check_trades(const std::string& path) {
  for (const TradeRow& row : read_trades(path)) {
    HOLDS(row.price <= kMaxPrice && row.shares <= kMaxQuantity && row.line >= 2);
    HOLDS(row.aggressor == 'B' || row.aggressor == 'S' || row.aggressor == ' ');
  }
}

void check_depth(const std::string& path) {
  for (const DepthRow& row : read_depth(path)) {
    for (const DepthLevel& level : row.bids) HOLDS(level.price <= kMaxPrice.value);
    for (const DepthLevel& level : row.asks) HOLDS(level.price <= kMaxPrice.value);
  }
}

std::string depth_header() {
  std::string header = "time_ns,cum_shares";
  for (const char* const side : {"bid", "ask"}) {
    for (std::size_t i = 0; i < kDepthLevels; ++i) {
      const std::string column = side + std::to_string(i);
      header += "," + column + "_price_e4," + column + "_shares";
    }
  }
  return header + "\n";
}

}  // namespace
}  // namespace crosswire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace crosswire;
  static fuzz::MemoryFile file;
  static const std::array<std::string, 3> kHeaders{"time_ns,kind,order,side,price_e4,shares\n",
                                                   "time_ns,buy_order,sell_order,price_e4,shares,aggressor\n",
                                                   depth_header()};
  fuzz::Input input({data, size});
  const std::uint8_t chosen = input.byte();
  const unsigned which = chosen % 3;
  const bool whole = chosen >= 128;
  file.set({whole ? wire::Bytes{} : fuzz::bytes_of(kHeaders[which]), input.remaining()});
  try {
    if (which == 0) check_orders(file.path());
    if (which == 1) check_trades(file.path());
    if (which == 2) check_depth(file.path());
  } catch (const FlowError& fault) {
    HOLDS(std::string_view(fault.what()).rfind(file.path() + ":", 0) == 0);
  }
  return 0;
}
