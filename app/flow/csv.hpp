// Recorded exchange data: CSV files, gzipped or plain. Tools only. A broken line is a FlowError that names it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/types.hpp"

struct gzFile_s;

namespace crosswire {

/// Reads a CSV file line by line; no quoting, as the files have none.
class CsvReader {
 public:
  /// `header`: the first line that the file must have. Throws FlowError when it has another or cannot be read.
  CsvReader(std::string path, std::string_view header);
  ~CsvReader();
  CsvReader(const CsvReader&) = delete;
  CsvReader& operator=(const CsvReader&) = delete;

  /// The next line's fields, as many as the header has. False at the end of a whole file. Throws FlowError for a wrong
  /// number of fields and for a compressed file that is cut off or damaged.
  bool next();

  std::string_view field(std::size_t column) const { return fields_[column]; }
  /// Whole decimal number, 0 .. most.
  std::uint64_t number(std::size_t column, std::uint64_t most) const;
  /// Of the line that next() read, from 1; the header is line 1.
  std::uint64_t line() const { return line_; }
  const std::string& path() const { return path_; }

  /// Throws FlowError `FILE:LINE: what`.
  [[noreturn]] void fail(const std::string& what) const;

 private:
  struct Close {
    void operator()(gzFile_s* file) const;
  };

  bool read_line();
  bool fill();
  std::string header_fault(std::string_view header) const;

  std::string path_;
  std::unique_ptr<gzFile_s, Close> file_;
  std::vector<char> buffer_;
  std::size_t at_ = 0;   // of the buffer
  std::size_t end_ = 0;  // of what is in it
  std::string text_;     // the line
  std::uint64_t line_ = 0;
  std::vector<std::string> names_;
  std::vector<std::string_view> fields_;
};

/// A line of orders.csv.
struct OrderRow {
  enum class Kind : char { add = 'A', remove = 'D', reduce = 'X' };

  TimeNs time_ns;
  std::uint64_t order;
  std::uint32_t line;
  Quantity shares;  // add: entered. reduce: left open. remove: as the file says, without meaning here
  Price price;      // add
  Kind kind;
  Side side;
};

/// All of orders.csv, checked: numbers, kinds, sides, rising times, each order added before it is changed,
/// reduced to less than it was and not changed after its removal, shares and prices that OUCH can carry, prices on the
/// tick. Throws FlowError with file and line.
std::vector<OrderRow> read_orders(const std::string& path, std::uint32_t tick_e4);

/// A line of trades.csv.
struct TradeRow {
  std::uint64_t buy_order;
  std::uint64_t sell_order;
  std::uint64_t line;
  Price price;
  Quantity shares;
  char aggressor;  // B, S; ' ' in a cross

  bool same(const TradeRow& other) const {
    return buy_order == other.buy_order && sell_order == other.sell_order && price == other.price &&
           shares == other.shares && aggressor == other.aggressor;
  }
};
std::vector<TradeRow> read_trades(const std::string& path);

inline constexpr std::size_t kDepthLevels = 10;

/// One price of a snapshot; price 0 and 0 shares where the side has no more.
struct DepthLevel {
  std::uint64_t price;
  std::uint64_t shares;
  bool operator==(const DepthLevel&) const = default;
};
using DepthSide = std::array<DepthLevel, kDepthLevels>;

/// A line of depth.csv.
struct DepthRow {
  std::uint64_t cum_shares;
  std::uint64_t line;
  DepthSide bids;  // best first
  DepthSide asks;
};
std::vector<DepthRow> read_depth(const std::string& path);

}  // namespace crosswire
