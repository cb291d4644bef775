// Recorded exchange data: see csv.hpp. Tools only.
#include "app/flow/csv.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <unordered_map>

#include "app/flow/error.hpp"
#include "app/flow/message.hpp"

namespace crosswire {
namespace {

constexpr std::size_t kBufferBytes = 1u << 16;
constexpr std::size_t kLongestLine = 1u << 14;  // far beyond any row; a file without line ends is none of ours

std::vector<std::string_view> split(std::string_view line) {
  std::vector<std::string_view> fields;
  for (;;) {
    const std::size_t comma = line.find(',');
    fields.push_back(line.substr(0, comma));
    if (comma == std::string_view::npos) return fields;
    line.remove_prefix(comma + 1);
  }
}

Price price_of(const CsvReader& csv, std::size_t column) {
  return Price{static_cast<std::uint32_t>(csv.number(column, kMaxPrice.value))};
}

Quantity shares_of(const CsvReader& csv, std::size_t column) {
  return static_cast<Quantity>(csv.number(column, kMaxQuantity));
}

}  // namespace

void CsvReader::Close::operator()(gzFile_s* file) const { gzclose_r(file); }

CsvReader::CsvReader(std::string path, std::string_view header)
    : path_(std::move(path)), file_(gzopen(path_.c_str(), "rb")), buffer_(kBufferBytes) {
  if (!file_) throw FlowError(fmt::format("{}: cannot be opened: {}", path_, std::strerror(errno)));
  if (!read_line()) fail("empty file");
  constexpr std::string_view kUtf8 = "\xEF\xBB\xBF";  // which some programs put in front
  if (text_.compare(0, kUtf8.size(), kUtf8) == 0) text_.erase(0, kUtf8.size());
  for (const std::string_view name : split(header)) names_.emplace_back(name);
  if (text_ != header) fail(header_fault(header));
}

/// Short headers are shown whole, of others the first column that is another.
std::string CsvReader::header_fault(std::string_view header) const {
  constexpr std::size_t kWhole = 60;
  if (text_.size() <= kWhole && header.size() <= kWhole) {
    return fmt::format("the columns are \"{}\"; wanted are {}", one_line(text_), header);
  }
  const std::vector<std::string_view> given = split(text_);
  for (std::size_t i = 0; i < std::min(given.size(), names_.size()); ++i) {
    if (given[i] == names_[i]) continue;
    return fmt::format("column {} is \"{}\"; wanted is {}", i + 1, shown(given[i]), names_[i]);
  }
  return fmt::format("{}, wanted are {}", counted(given.size(), "column"), names_.size());
}

CsvReader::~CsvReader() = default;

bool CsvReader::next() {
  if (!read_line()) return false;
  fields_ = split(text_);
  if (fields_.size() != names_.size()) {
    fail(fmt::format("{}, wanted are {}", counted(fields_.size(), "column"), names_.size()));
  }
  return true;
}

std::uint64_t CsvReader::number(std::size_t column, std::uint64_t most) const {
  const std::string_view text = fields_[column];
  std::uint64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || stop != text.data() + text.size() || error == std::errc::invalid_argument) {
    fail(fmt::format("{} \"{}\" is no whole number", names_[column], shown(text)));
  }
  if (error != std::errc{} || value > most) fail(fmt::format("{} {} is above {}", names_[column], shown(text), most));
  return value;
}

void CsvReader::fail(const std::string& what) const { throw FlowError(fmt::format("{}:{}: {}", path_, line_, what)); }

bool CsvReader::read_line() {
  text_.clear();
  ++line_;
  for (;;) {
    if (at_ == end_ && !fill()) break;
    const char* const from = buffer_.data() + at_;
    const auto* const newline = static_cast<const char*>(std::memchr(from, '\n', end_ - at_));
    const std::size_t length = newline == nullptr ? end_ - at_ : static_cast<std::size_t>(newline - from);
    text_.append(from, length);
    if (text_.size() > kLongestLine) fail("longer than any row can be");
    at_ += length + (newline == nullptr ? 0 : 1);
    if (newline == nullptr) continue;
    if (!text_.empty() && text_.back() == '\r') text_.pop_back();
    return true;
  }
  return !text_.empty();
}

/// More of the file. False at its end; a compressed file that ends too early or is damaged is an error.
bool CsvReader::fill() {
  const int n = gzread(file_.get(), buffer_.data(), static_cast<unsigned>(buffer_.size()));
  at_ = 0;
  end_ = n > 0 ? static_cast<std::size_t>(n) : 0;
  if (n > 0) return true;
  int code = Z_OK;
  const char* const reason = gzerror(file_.get(), &code);
  if (code == Z_BUF_ERROR) fail("the compressed file is cut off here");
  if (code != Z_OK && code != Z_STREAM_END) fail(fmt::format("cannot be read on: {}", reason));
  return false;
}

namespace {

/// Checks the rows of one day against each other.
class OrderRows {
 public:
  OrderRows(const CsvReader& csv, std::uint32_t tick_e4) : csv_(csv), tick_e4_(tick_e4) {}

  OrderRow read() {
    OrderRow row{};
    row.line = static_cast<std::uint32_t>(csv_.line());
    row.time_ns = csv_.number(0, kNsPerDay - 1);
    if (row.time_ns < last_ns_) csv_.fail(fmt::format("time_ns {} is before the line above", row.time_ns));
    last_ns_ = row.time_ns;
    row.kind = kind();
    row.order = csv_.number(2, kMaxClOrdId);
    row.side = side();
    row.price = price_of(csv_, 4);
    row.shares = shares_of(csv_, 5);
    check(row);
    return row;
  }

 private:
  struct Known {
    Side side;
    std::uint32_t line;
    Quantity left;
    std::uint32_t left_since;  // line
  };

  OrderRow::Kind kind() const {
    const std::string_view text = csv_.field(1);
    if (text != "A" && text != "D" && text != "X")
      csv_.fail(fmt::format("kind \"{}\" is unknown; give A, D or X", shown(text)));
    return static_cast<OrderRow::Kind>(text[0]);
  }

  Side side() const {
    const std::string_view text = csv_.field(3);
    if (text != "B" && text != "S") csv_.fail(fmt::format("side \"{}\" is neither B nor S", shown(text)));
    return static_cast<Side>(text[0]);
  }

  void check(const OrderRow& row) {
    if (row.kind != OrderRow::Kind::remove && row.shares == 0) csv_.fail("0 shares");
    if (row.kind == OrderRow::Kind::add) {
      if (row.price == kNoPrice) csv_.fail("price_e4 is 0");
      if (row.price.value % tick_e4_ != 0) {
        csv_.fail(fmt::format("price_e4 {} is not a multiple of the tick, {}", row.price.value, tick_e4_));
      }
      // Some venues give the number of a dead order out again. Which are dead by execution only the engine knows.
      orders_.insert_or_assign(row.order, Known{row.side, row.line, row.shares, row.line});
      return;
    }
    const auto known = orders_.find(row.order);
    if (known == orders_.end()) csv_.fail(fmt::format("order {} is unknown; no A came before", row.order));
    if (known->second.side != row.side) {
      csv_.fail(fmt::format("order {} has another side in line {}", row.order, known->second.line));
    }
    take(row, known->second);
  }

  /// What a row leaves of an order, executions aside, which only the engine knows.
  void take(const OrderRow& row, Known& order) const {
    if (order.left == 0) csv_.fail(fmt::format("order {} has nothing left since line {}", row.order, order.left_since));
    const Quantity left = row.kind == OrderRow::Kind::remove ? 0 : row.shares;
    if (left >= order.left) {
      csv_.fail(fmt::format("order {} cannot be reduced to {}: it has {} shares since line {}", row.order, left,
                            order.left, order.left_since));
    }
    order.left = left;
    order.left_since = row.line;
  }

  const CsvReader& csv_;
  std::uint32_t tick_e4_;
  TimeNs last_ns_ = 0;
  std::unordered_map<std::uint64_t, Known> orders_;
};

DepthSide depth_side(const CsvReader& csv, std::size_t column) {
  DepthSide side;
  for (DepthLevel& level : side) {
    level.price = csv.number(column++, kMaxPrice.value);
    level.shares = csv.number(column++, ~std::uint64_t{0});
  }
  return side;
}

std::string depth_header() {
  std::string header = "time_ns,cum_shares";
  for (const char* const side : {"bid", "ask"}) {
    for (std::size_t i = 0; i < kDepthLevels; ++i) header += fmt::format(",{0}{1}_price_e4,{0}{1}_shares", side, i);
  }
  return header;
}

}  // namespace

std::vector<OrderRow> read_orders(const std::string& path, std::uint32_t tick_e4) {
  CsvReader csv(path, "time_ns,kind,order,side,price_e4,shares");
  std::vector<OrderRow> rows;
  for (OrderRows reader(csv, tick_e4); csv.next();) rows.push_back(reader.read());
  if (rows.empty()) csv.fail("no order; the file ends after its header");
  return rows;
}

std::vector<TradeRow> read_trades(const std::string& path) {
  CsvReader csv(path, "time_ns,buy_order,sell_order,price_e4,shares,aggressor");
  std::vector<TradeRow> rows;
  while (csv.next()) {
    csv.number(0, kNsPerDay - 1);
    const std::string_view aggressor = csv.field(5);
    if (!aggressor.empty() && aggressor != "B" && aggressor != "S") {
      csv.fail(fmt::format("aggressor \"{}\" is neither B nor S nor empty", shown(aggressor)));
    }
    rows.push_back({.buy_order = csv.number(1, kMaxClOrdId),
                    .sell_order = csv.number(2, kMaxClOrdId),
                    .line = csv.line(),
                    .price = price_of(csv, 3),
                    .shares = shares_of(csv, 4),
                    .aggressor = aggressor.empty() ? ' ' : aggressor[0]});
  }
  return rows;
}

std::vector<DepthRow> read_depth(const std::string& path) {
  CsvReader csv(path, depth_header());
  std::vector<DepthRow> rows;
  while (csv.next()) {
    csv.number(0, kNsPerDay - 1);
    rows.push_back({.cum_shares = csv.number(1, ~std::uint64_t{0}),
                    .line = csv.line(),
                    .bids = depth_side(csv, 2),
                    .asks = depth_side(csv, 2 + 2 * kDepthLevels)});
  }
  return rows;
}

}  // namespace crosswire
