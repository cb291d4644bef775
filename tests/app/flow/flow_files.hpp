// Files for the tests of `crosswire flow`: how they are read and written, and a made-up exchange day.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <fstream>
#include <string>
#include <string_view>

#include "tests/folder.hpp"

namespace crosswire::test {

/// As folder.write(), compressed.
inline std::string write_gz(const Folder& folder, const std::string& name, std::string_view text) {
  const gzFile out = gzopen(folder.file(name).c_str(), "wb");
  gzwrite(out, text.data(), static_cast<unsigned>(text.size()));
  gzclose(out);
  return folder.file(name);
}

inline std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// `text` with the first `from` in it made `to`.
inline std::string with(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

inline constexpr std::string_view kOrdersHeader = "time_ns,kind,order,side,price_e4,shares\n";
inline constexpr std::string_view kTradesHeader = "time_ns,buy_order,sell_order,price_e4,shares,aggressor\n";

// A day of nowhere: both crosses, an order that is reduced before it executes and one that is reduced after, which
// keeps its place, and a cancel of a partly executed order. Worked out by hand.
inline constexpr std::string_view kDay = R"(venue = "Nowhere"
date = 2024-02-29
symbol = "TST"
reference_price_e4 = 100000
tick_e4 = 100
[[phase]]
at = "09:00:00"
state = "opening_call"
[[phase]]
at = "09:30:00.000"
state = "continuous"
[[phase]]
at = "15:00:00"
state = "closing_call"
[[phase]]
at = "15:05:00"
state = "closed"
)";

inline const std::string kOrders = std::string(kOrdersHeader) +
                                   "33000000000000,A,1,B,100100,300\n"  // 09:10
                                   "33060000000000,A,2,S,99900,100\n"
                                   "33120000000000,A,3,S,100000,150\n"
                                   "33180000000000,X,3,S,100000,50\n"
                                   "34260000000000,A,4,S,100100,100\n"  // 09:31
                                   "34320000000000,A,5,B,100000,500\n"
                                   "34380000000000,A,6,S,100000,200\n"
                                   "34440000000000,X,5,B,100000,100\n"  // 150 of 500 have executed: 250 in all
                                   "34500000000000,A,7,B,100000,40\n"
                                   "34560000000000,A,8,S,99900,120\n"
                                   "34620000000000,A,9,B,99800,500\n"
                                   "34680000000000,D,7,B,100000,20\n"
                                   "34740000000000,A,10,S,100200,70\n"
                                   "54060000000000,A,11,B,100200,70\n";  // 15:01

inline const std::string kTrades = std::string(kTradesHeader) +
                                   "34200000000000,1,2,100100,100,\n"
                                   "34200000000000,1,3,100100,50,\n"
                                   "34260000000000,1,4,100100,100,S\n"
                                   "34380000000000,1,6,100100,50,S\n"
                                   "34380000000000,5,6,100000,150,S\n"
                                   "34560000000000,5,8,100000,100,S\n"
                                   "34560000000000,7,8,100000,20,S\n"
                                   "54300000000000,11,10,100200,70,\n";

/// Best bid and best ask alone; the other levels of the snapshot are empty.
inline std::string depth_line(std::string_view cum_shares, std::string_view bid, std::string_view ask) {
  constexpr std::string_view kNineEmpty = ",0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0";
  return fmt::format("34000000000000,{},{}{},{}{}\n", cum_shares, bid, kNineEmpty, ask, kNineEmpty);
}

inline std::string depth_header() {
  std::string header = "time_ns,cum_shares";
  for (const char* const side : {"bid", "ask"}) {
    for (int i = 0; i < 10; ++i) {
      header += fmt::format(",{0}{1}_price_e4,{0}{1}_shares", side, i);
    }
  }
  return header + "\n";
}

inline const std::string kDepth = depth_header() + depth_line("450", "100000,350", "0,0") +
                                  depth_line("450", "100000,100", "0,0") + depth_line("450", "100000,140", "0,0") +
                                  depth_line("570", "99800,500", "100200,70") + depth_line("640", "99800,500", "0,0");

}  // namespace crosswire::test
