// Recorded data: what is read, and how each broken line is named.
#include "app/flow/csv.hpp"

#include <gtest/gtest.h>

#include "app/flow/error.hpp"
#include "tests/app/flow/flow_files.hpp"

namespace crosswire {
namespace {

using test::Folder;
using test::kOrders;
using test::kOrdersHeader;
using test::with;

/// What the FlowError of `action` says; "" if there is none.
template <class Action>
std::string error_of(Action action) {
  try {
    action();
    return "";
  } catch (const FlowError& error) {
    return error.what();
  }
}

/// The error of the day's orders with one of its lines made `line`.
std::string order_error(const std::string& from, const std::string& to) {
  const Folder folder;
  const std::string path = folder.write("o.csv", with(kOrders, from, to));
  std::string error = error_of([&] { read_orders(path, 100); });
  return error.empty() ? error : with(error, path, "FILE");
}

TEST(OrdersCsv, IsReadPlainAndGzippedAlike) {
  const Folder folder;
  const auto plain = read_orders(folder.write("o.csv", kOrders), 100);
  const auto gzipped = read_orders(write_gz(folder, "o.csv.gz", kOrders), 100);
  ASSERT_EQ(plain.size(), 14u);
  ASSERT_EQ(gzipped.size(), plain.size());
  for (std::size_t i = 0; i < plain.size(); ++i) {
    EXPECT_EQ(plain[i].order, gzipped[i].order);
    EXPECT_EQ(plain[i].line, i + 2);
  }
  EXPECT_EQ(plain[3].kind, OrderRow::Kind::reduce);
  EXPECT_EQ(plain[3].shares, 50u);
  EXPECT_EQ(plain[11].kind, OrderRow::Kind::remove);
  EXPECT_EQ(plain[13].price, Price{100'200});
  EXPECT_EQ(plain[13].side, Side::buy);
  EXPECT_EQ(plain[13].time_ns, 54'060'000'000'000u);
}

TEST(OrdersCsv, MayHaveWindowsLineEndsAndNoneOnItsLastLine) {
  const Folder folder;
  std::string text;
  for (const char c : kOrders) {
    if (c == '\n') text += '\r';
    text += c;
  }
  EXPECT_EQ(read_orders(folder.write("o.csv", text), 100).size(), 14u);
  EXPECT_EQ(read_orders(folder.write("o.csv", kOrders.substr(0, kOrders.size() - 1)), 100).size(), 14u);
}

TEST(OrdersCsv, NamesTheLineOfEachFault) {
  EXPECT_EQ(order_error("99900,100\n", "99900\n"), "FILE:3: 5 columns, wanted are 6");
  EXPECT_EQ(order_error("99900,100\n", "99900,100,7\n"), "FILE:3: 7 columns, wanted are 6");
  EXPECT_EQ(order_error("33060000000000,A,2,S,99900,100\n", "\n"), "FILE:3: 1 column, wanted are 6");
  EXPECT_EQ(order_error("99900,100\n", "99900,10x\n"), "FILE:3: shares \"10x\" is no whole number");
  EXPECT_EQ(order_error("99900,100\n", "99900,-1\n"), "FILE:3: shares \"-1\" is no whole number");
  EXPECT_EQ(order_error("99900,100\n", "99900,\n"), "FILE:3: shares \"\" is no whole number");
  EXPECT_EQ(order_error("A,2,S", "B,2,S"), "FILE:3: kind \"B\" is unknown; give A, D or X");
  EXPECT_EQ(order_error("A,2,S", "D,2,S"), "FILE:3: order 2 is unknown; no A came before");
  EXPECT_EQ(order_error("X,3,S", "X,8,S"), "FILE:5: order 8 is unknown; no A came before");
  EXPECT_EQ(order_error("X,3,S", "X,3,B"), "FILE:5: order 3 has another side in line 4");
  EXPECT_EQ(order_error("33120000000000", "33059999999999"), "FILE:4: time_ns 33059999999999 is before the line above");
  EXPECT_EQ(order_error("33120000000000", "86400000000000"), "FILE:4: time_ns 86400000000000 is above 86399999999999");
  EXPECT_EQ(order_error("A,2,S", "A,2,T"), "FILE:3: side \"T\" is neither B nor S");
  EXPECT_EQ(order_error("99900,100\n", "99900,0\n"), "FILE:3: 0 shares");
  EXPECT_EQ(order_error("100000,50\n", "100000,0\n"), "FILE:5: 0 shares");
  EXPECT_EQ(order_error("X,3,S,100000,50\n", "X,3,S,100000,150\n"),
            "FILE:5: order 3 cannot be reduced to 150: it has 150 shares since line 4");
  EXPECT_EQ(order_error("A,10,S,100200,70\n", "D,7,B,100000,20\n"), "FILE:14: order 7 has nothing left since line 13");
  EXPECT_EQ(order_error("99900,100\n", "99900,1000000\n"), "FILE:3: shares 1000000 is above 999999");
  EXPECT_EQ(order_error("99900,100\n", "0,100\n"), "FILE:3: price_e4 is 0");
  EXPECT_EQ(order_error("99900,100\n", "2000000000,100\n"), "FILE:3: price_e4 2000000000 is above 1999999900");
  EXPECT_EQ(order_error("99900,100\n", "99950,100\n"), "FILE:3: price_e4 99950 is not a multiple of the tick, 100");
  EXPECT_EQ(order_error("A,2,S", "A,100000000000000,S"), "FILE:3: order 100000000000000 is above 99999999999999");
  EXPECT_EQ(order_error("price_e4", "price"),
            "FILE:1: the columns are \"time_ns,kind,order,side,price,shares\"; wanted are "
            "time_ns,kind,order,side,price_e4,shares");
}

TEST(OrdersCsv, ShowTheirFaultsReadablyAndWhole) {
  const std::string nul("10\0", 3);
  EXPECT_EQ(order_error("99900,100\n", "99900," + nul + "\n"), "FILE:3: shares \"10\\x00\" is no whole number");
  EXPECT_EQ(order_error("A,2,S", "A,2," + std::string(200, 'S')),
            "FILE:3: side \"" + std::string(60, 'S') + "...\" is neither B nor S");
  EXPECT_EQ(order_error("A,2,S", "A,2,x" + std::string(40, '\xC3') + "\xB6").find("FILE:3: side \"x"), 0u);
  EXPECT_EQ(order_error("shares\n", "shares,a_column_that_other_venues_have_in_their_files\n"),
            "FILE:1: 7 columns, wanted are 6");
  const Folder folder;
  const std::string path = folder.write("d.csv", with(test::kDepth, "ask3_shares", "ask3_size"));
  EXPECT_EQ(error_of([&] { read_depth(path); }), path + ":1: column 30 is \"ask3_size\"; wanted is ask3_shares");
}

TEST(OrdersCsv, MayBeginWithAByteOrderMark) {
  const Folder folder;
  EXPECT_EQ(read_orders(folder.write("o.csv", "\xEF\xBB\xBF" + kOrders), 100).size(), 14u);
}

TEST(OrdersCsv, MustHaveOrders) {
  const Folder folder;
  const std::string empty = folder.write("e.csv", "");
  EXPECT_EQ(error_of([&] { read_orders(empty, 1); }), empty + ":1: empty file");
  const std::string bare = folder.write("h.csv", kOrdersHeader);
  EXPECT_EQ(error_of([&] { read_orders(bare, 1); }), bare + ":2: no order; the file ends after its header");
  const std::string missing = folder.file("none.csv");
  EXPECT_EQ(error_of([&] { read_orders(missing, 1); }), missing + ": cannot be opened: No such file or directory");
}

TEST(OrdersCsv, SaysWhereACompressedFileIsCutOffOrDamaged) {
  const Folder folder;
  std::string orders(kOrdersHeader);
  for (int i = 0; i < 20'000; ++i) orders += fmt::format("33000000000000,A,{},B,100100,300\n", i * 7919);
  const std::string whole = test::read_file(write_gz(folder, "o.csv.gz", orders));
  const std::string cut = folder.write("cut.csv.gz", whole.substr(0, whole.size() / 2));
  const std::string error = error_of([&] { read_orders(cut, 1); });
  EXPECT_EQ(error.find(cut + ":"), 0u) << error;
  EXPECT_NE(error.find("cut off"), std::string::npos) << error;

  const std::string trailer_cut = folder.write("trailer.csv.gz", whole.substr(0, whole.size() - 4));
  EXPECT_NE(error_of([&] { read_orders(trailer_cut, 1); }), "");
  std::string damaged = whole;
  damaged[whole.size() - 6] = static_cast<char>(damaged[whole.size() - 6] ^ 1);  // of the CRC
  EXPECT_NE(error_of([&] { read_orders(folder.write("bad.csv.gz", damaged), 1); }), "");
}

TEST(TradesCsv, NamesTheLineOfEachFault) {
  const Folder folder;
  const auto fault = [&](std::string_view from, std::string_view to) {
    const std::string path = folder.write("t.csv", with(test::kTrades, from, to));
    return with(error_of([&] { read_trades(path); }), path, "FILE");
  };
  EXPECT_EQ(fault("100,S\n", "100,T\n"), "FILE:4: aggressor \"T\" is neither B nor S nor empty");
  EXPECT_EQ(fault(",100,\n", ",100\n"), "FILE:2: 5 columns, wanted are 6");
  EXPECT_EQ(fault(",1,4,", ",1,x,"), "FILE:4: sell_order \"x\" is no whole number");
}

TEST(DepthCsv, ReadsTenLevelsOfBothSides) {
  const Folder folder;
  const auto rows = read_depth(write_gz(folder, "d.csv.gz", test::kDepth));
  ASSERT_EQ(rows.size(), 5u);
  EXPECT_EQ(rows[3].cum_shares, 570u);
  EXPECT_EQ(rows[3].bids[0], (DepthLevel{99'800, 500}));
  EXPECT_EQ(rows[3].asks[0], (DepthLevel{100'200, 70}));
  EXPECT_EQ(rows[3].asks[9], (DepthLevel{0, 0}));
}

TEST(OneLine, ShowsControlCharacters) { EXPECT_EQ(one_line("a\nb\x1b[1m\t"), "a\\nb\\x1b[1m\\x09"); }

}  // namespace
}  // namespace crosswire
