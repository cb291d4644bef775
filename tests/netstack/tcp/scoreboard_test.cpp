// The scoreboard against RFC 6675, read byte by byte.
#include "netstack/tcp/scoreboard.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "tests/seed.hpp"

namespace crosswire::tcp::scoreboard_test {
namespace {

/// Octets una .. sent - 1, whether each is SACKed; the RFC's functions as it words them.
struct Octets {
  std::vector<bool> sacked;  // by offset from una

  std::size_t size() const { return sacked.size(); }
  /// IsLost (SeqNum), section 4: DupThresh discontiguous sequences above, or more than (DupThresh - 1) * SMSS bytes.
  bool is_lost(std::size_t octet, std::uint32_t mss) const {
    std::size_t sequences = 0, bytes = 0;
    for (std::size_t i = octet; i < size(); ++i) {
      if (!sacked[i]) continue;
      ++bytes;
      if (i == octet || !sacked[i - 1]) ++sequences;
    }
    return sequences >= 3 || bytes > 2 * std::size_t{mss};
  }
  /// SetPipe (), section 4: each octet that is not SACKed counts if it is not lost, and if it is at or below HighRxt.
  std::uint32_t pipe(std::size_t again, std::uint32_t mss) const {
    std::uint32_t pipe = 0;
    for (std::size_t i = 0; i < size(); ++i) {
      if (sacked[i]) continue;
      if (!is_lost(i, mss)) ++pipe;
      if (i < again) ++pipe;
    }
    return pipe;
  }
  /// NextSeg () (1) a to c: the smallest unSACKed octet behind HighRxt, below the highest SACKed, lost; `any` without
  /// c.
  std::optional<std::size_t> next(std::size_t again, std::uint32_t mss, bool any) const {
    std::size_t highest = 0;
    for (std::size_t i = 0; i < size(); ++i) highest = sacked[i] ? i : highest;
    for (std::size_t i = again; i < highest; ++i) {
      if (!sacked[i] && (any || is_lost(i, mss))) return i;
    }
    return std::nullopt;
  }
  std::size_t ranges() const {
    std::size_t count = 0;
    for (std::size_t i = 0; i < size(); ++i) count += sacked[i] && (i == 0 || !sacked[i - 1]) ? 1 : 0;
    return count;
  }
};

class Beside {
 public:
  explicit Beside(std::uint64_t seed)
      : random_(seed),
        una_(static_cast<std::uint32_t>(random_())),
        mss_(static_cast<std::uint32_t>(4 + random_() % 20)) {}

  void step() {
    switch (random_() % 8) {
      case 0:
        if (octets_.size() < kMostOctets) octets_.sacked.resize(octets_.size() + random_() % 60, false);
        break;
      case 1:
        acknowledge();
        break;
      default:
        sack();
    }
    check();
  }
  static constexpr std::size_t kMostOctets = 200;
  bool forgot = false;  // more ranges than are remembered

 private:
  std::uint32_t number(std::size_t offset) const { return una_ + static_cast<std::uint32_t>(offset); }

  void acknowledge() {
    if (octets_.size() == 0) return;
    const std::size_t by = random_() % octets_.size() / 4;
    octets_.sacked.erase(octets_.sacked.begin(), octets_.sacked.begin() + static_cast<std::ptrdiff_t>(by));
    una_ += static_cast<std::uint32_t>(by);
    board_.forget_before(una_);
  }

  void sack() {
    const std::size_t begin = random_() % (octets_.size() + 4);
    const std::size_t end = begin + random_() % (random_() % 4 == 0 ? 24 : 3);
    const bool sane = begin > 0 && begin < end && end <= octets_.size();
    bool news = false;
    Octets would = octets_;
    for (std::size_t i = begin; sane && i < end; ++i) {
      news = news || !would.sacked[i];
      would.sacked[i] = true;
    }
    const bool told = board_.add({number(begin), number(end)}, una_, number(octets_.size()));
    if (would.ranges() > Scoreboard::kMost) {
      // The lowest is forgotten, which is the new one itself if it is lower than all.
      forgot = true;
      forget_lowest(would);
      news = would.sacked != octets_.sacked;
    }
    ASSERT_EQ(told, news);
    octets_ = would;
  }

  static void forget_lowest(Octets& octets) {
    std::size_t i = 0;
    while (!octets.sacked[i]) ++i;
    for (; i < octets.size() && octets.sacked[i]; ++i) octets.sacked[i] = false;
  }

  void check() {
    ASSERT_LE(board_.count(), Scoreboard::kMost);
    ASSERT_EQ(board_.count(), octets_.ranges());
    ASSERT_EQ(board_.empty(), board_.count() == 0);
    for (std::size_t i = 0; i < octets_.size(); ++i) {
      ASSERT_EQ(board_.holding(number(i)).has_value(), octets_.sacked[i]) << i;
      if (!octets_.sacked[i]) {
        ASSERT_EQ(board_.is_lost(number(i), mss_), octets_.is_lost(i, mss_)) << i;
      }
    }
    for (std::size_t i = 1; i < board_.count(); ++i) {
      ASSERT_TRUE(before(board_.range(i - 1).end, board_.range(i).begin)) << "in order and apart";
    }
    const std::size_t again = octets_.size() == 0 ? 0 : random_() % (octets_.size() + 1);
    ASSERT_EQ(board_.pipe(una_, number(octets_.size()), number(again), mss_), octets_.pipe(again, mss_));
    for (const bool any : {false, true}) {
      const auto hole = board_.next_hole(number(again), una_, mss_, any);
      const auto octet = octets_.next(again, mss_, any);
      ASSERT_EQ(hole.has_value(), octet.has_value());
      if (!hole) continue;
      ASSERT_EQ(hole->begin, number(*octet));
      for (std::uint32_t n = hole->begin; n != hole->end; ++n) ASSERT_FALSE(octets_.sacked[n - una_]);
      ASSERT_TRUE(octets_.sacked[hole->end - una_]) << "a hole ends at what the peer has";
    }
    const std::size_t from = octets_.size() == 0 ? 0 : random_() % octets_.size();
    std::size_t begin = from + 1;
    while (begin < octets_.size() && !(octets_.sacked[begin] && !octets_.sacked[begin - 1])) ++begin;
    ASSERT_EQ(board_.next_begin(number(from), number(octets_.size())), number(std::min(begin, octets_.size())));
  }

  std::mt19937_64 random_;
  Scoreboard board_;
  Octets octets_;
  std::uint32_t una_;
  std::uint32_t mss_;
};

TEST(Scoreboard, SaysOfLossesAndThePipeWhatRfc6675SaysByteByByte) {
  const std::uint64_t seed = test::seed();
  bool forgot = false;
  for (std::uint64_t run = 0; run < 40; ++run) {
    Beside beside(seed + run);
    for (int i = 0; i < 120; ++i) {
      beside.step();
      if (testing::Test::HasFatalFailure()) FAIL() << "run " << run << " step " << i;
    }
    forgot = forgot || beside.forgot;
  }
  EXPECT_TRUE(forgot) << "the bound was met";
}

TEST(Scoreboard, RemembersTheHighestRangesAndForgetsTheLowest) {
  Scoreboard board;
  constexpr std::uint32_t kSent = 10'000;
  for (std::uint32_t i = 0; i <= Scoreboard::kMost; ++i) {
    EXPECT_TRUE(board.add({100 + 20 * i, 110 + 20 * i}, 50, kSent));
  }
  EXPECT_EQ(board.count(), Scoreboard::kMost);
  EXPECT_EQ(board.range(0), (Range{120, 130}));
  EXPECT_EQ(board.highest(), 110 + 20 * Scoreboard::kMost);
  EXPECT_FALSE(board.add({60, 70}, 50, kSent)) << "lower than all that are remembered";
  EXPECT_EQ(board.count(), Scoreboard::kMost);
}

TEST(Scoreboard, BelievesNothingOfWhatIsNotUnderWay) {
  Scoreboard board;
  EXPECT_FALSE(board.add({100, 100}, 50, 200)) << "empty";
  EXPECT_FALSE(board.add({120, 110}, 50, 200)) << "turned round";
  EXPECT_FALSE(board.add({50, 60}, 50, 200)) << "the first byte would be acknowledged";
  EXPECT_FALSE(board.add({40, 60}, 50, 200)) << "DSACK";
  EXPECT_FALSE(board.add({190, 201}, 50, 200)) << "never sent";
  EXPECT_FALSE(board.add({0x8000'0000, 60}, 50, 200));
  EXPECT_TRUE(board.empty());
  EXPECT_TRUE(board.add({51, 200}, 50, 200));
}

}  // namespace
}  // namespace crosswire::tcp::scoreboard_test
