// Reassembly against a set of bytes.
#include "netstack/tcp/reassembly.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

#include "tests/seed.hpp"

namespace crosswire::tcp::reassembly_test {
namespace {

using Bytes = std::vector<std::uint8_t>;

/// What byte of the stream has this number.
std::uint8_t byte_at(std::uint32_t number) { return static_cast<std::uint8_t>(number * 2'654'435'761u >> 19); }

Bytes piece(std::uint32_t sequence, std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = byte_at(sequence + static_cast<std::uint32_t>(i));
  return bytes;
}

Bytes read_all(const Reassembly& reassembly, std::uint32_t from, std::size_t size) {
  Bytes all;
  while (all.size() < size) {
    const wire::Bytes some = reassembly.read(from + static_cast<std::uint32_t>(all.size()), size - all.size());
    if (some.empty()) break;
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

/// A receiver with a window of `size - 1` from `next` on, by bytes: offset from the first number to whether it is here.
class Beside {
 public:
  Beside(std::uint64_t seed, std::size_t size)
      : random_(seed), memory_(size), reassembly_(memory_), first_(static_cast<std::uint32_t>(random_())) {}

  void step() {
    const std::uint64_t window = memory_.size() - 1;
    const std::uint64_t from = next_ + 1 + random_() % window;
    const std::uint64_t most = std::min<std::uint64_t>(next_ + window - from, 1 + random_() % (window / 4 + 1));
    if (random_() % 5 == 0) {
      arrive_in_order(1 + random_() % (window / 3 + 1));
    } else if (from < next_ + window) {
      arrive_beyond(from, most == 0 ? 0 : random_() % (most + 1));
    }
    check();
  }
  unsigned refused = 0;
  unsigned joined = 0;

 private:
  std::uint32_t number(std::uint64_t offset) const { return first_ + static_cast<std::uint32_t>(offset); }

  void arrive_beyond(std::uint64_t from, std::uint64_t size) {
    std::map<std::uint64_t, bool> would = here_;
    for (std::uint64_t i = from; i < from + size; ++i) would[i] = true;
    const bool fits = ranges_of(would) <= Reassembly::kMostRanges;
    const bool kept = reassembly_.keep(number(from), piece(number(from), size));
    ASSERT_EQ(kept, fits);
    refused += kept ? 0 : 1;
    if (!kept) return;
    here_ = std::move(would);
    if (size == 0) return;
    // RFC 2018 section 4: the range with what came last comes first.
    ASSERT_TRUE(reassembly_.range(0).holds(number(from)));
  }

  void arrive_in_order(std::uint64_t size) {
    for (std::uint64_t i = next_; i < next_ + size; ++i) ASSERT_FALSE(size == 0);
    size = std::min<std::uint64_t>(size, memory_.size() - 1);
    reassembly_.store(number(next_), piece(number(next_), size));
    const std::uint64_t before = next_;
    next_ += size;
    while (here_.count(next_) != 0) ++next_;
    here_.erase(here_.begin(), here_.lower_bound(next_));
    const std::uint32_t closed = reassembly_.close_hole(number(before + size));
    ASSERT_EQ(closed, number(next_));
    joined += next_ > before + size ? 1 : 0;
    ASSERT_EQ(read_all(reassembly_, number(before), next_ - before), piece(number(before), next_ - before));
  }

  static std::size_t ranges_of(const std::map<std::uint64_t, bool>& bytes) {
    std::size_t ranges = 0;
    std::uint64_t expected = ~std::uint64_t{0};
    for (const auto& [offset, here] : bytes) {
      if (offset != expected) ++ranges;
      expected = offset + 1;
    }
    return ranges;
  }

  void check() {
    ASSERT_LE(reassembly_.ranges(), Reassembly::kMostRanges);
    ASSERT_EQ(reassembly_.has_holes(), !here_.empty());
    ASSERT_EQ(reassembly_.ranges(), ranges_of(here_));
    std::size_t in_ranges = 0;
    for (std::size_t i = 0; i < reassembly_.ranges(); ++i) {
      const Range& range = reassembly_.range(i);
      in_ranges += range.size();
      for (std::uint32_t n = range.begin; n != range.end; ++n) {
        ASSERT_EQ(here_.count(next_ + (n - number(next_))), 1u) << "a byte that never came";
      }
      ASSERT_EQ(read_all(reassembly_, range.begin, range.size()), piece(range.begin, range.size()));
    }
    ASSERT_EQ(in_ranges, here_.size());
  }

  std::mt19937_64 random_;
  Bytes memory_;
  Reassembly reassembly_;
  std::uint32_t first_;
  std::uint64_t next_ = 0;
  std::map<std::uint64_t, bool> here_;  // beyond `next_`
};

TEST(Reassembly, IsASetOfBytesInBoundedMemoryWhateverComesInWhatOrder) {
  const std::uint64_t seed = test::seed();
  unsigned refused = 0, joined = 0;
  for (std::uint64_t run = 0; run < 60; ++run) {
    Beside beside(seed + run, 64u << run % 5);
    for (int i = 0; i < 500; ++i) {
      beside.step();
      if (testing::Test::HasFatalFailure()) FAIL() << "run " << run << " step " << i;
    }
    refused += beside.refused;
    joined += beside.joined;
  }
  EXPECT_GT(refused, 0u);
  EXPECT_GT(joined, 100u);
}

TEST(Reassembly, KeepsItsMostRangesAndRefusesOneMoreButNotWhatJoinsTwo) {
  Bytes memory(4096);
  Reassembly reassembly(memory);
  for (std::uint32_t i = 0; i < Reassembly::kMostRanges; ++i) {
    EXPECT_TRUE(reassembly.keep(100 + 20 * i, piece(100 + 20 * i, 10)));
  }
  EXPECT_FALSE(reassembly.keep(2'000, piece(2'000, 1)));
  EXPECT_EQ(reassembly.ranges(), Reassembly::kMostRanges);
  EXPECT_TRUE(reassembly.keep(110, piece(110, 10))) << "joins the first two";
  EXPECT_EQ(reassembly.ranges(), Reassembly::kMostRanges - 1);
  EXPECT_EQ(reassembly.range(0), (Range{100, 130}));
  EXPECT_TRUE(reassembly.keep(2'000, piece(2'000, 1)));
  EXPECT_EQ(reassembly.range(0), (Range{2'000, 2'001}));
  EXPECT_TRUE(reassembly.keep(105, piece(105, 3))) << "what is there already comes first all the same";
  EXPECT_EQ(reassembly.range(0), (Range{100, 130}));
}

TEST(Reassembly, WhatIsClearedIsForgotten) {
  Bytes memory(64);
  Reassembly reassembly(memory);
  EXPECT_TRUE(reassembly.keep(5, piece(5, 3)));
  reassembly.clear();
  EXPECT_FALSE(reassembly.has_holes());
  EXPECT_EQ(reassembly.close_hole(5), 5u);
}

}  // namespace
}  // namespace crosswire::tcp::reassembly_test
