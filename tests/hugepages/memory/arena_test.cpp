// Arena: what it hands out, and what it does where there are no hugepages. Needs no privileges and no hugepages.
#include "hugepages/memory/arena.hpp"

#include <gtest/gtest.h>
#include <linux/mman.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "hugepages/base/strong.hpp"

namespace crosswire::arena_test {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr std::size_t kMoreThanAnyHostHas = std::size_t{1} << 46;

bool is_aligned(const void* address, std::size_t to) { return reinterpret_cast<std::uintptr_t>(address) % to == 0; }

/// As Command is: no default constructor, because of the union, but an aggregate.
struct WithUnion {
  OrderIndex index;
  union {
    OrderIndex order;
    std::uint64_t other;
  };
};

struct WithDefault {
  std::uint32_t level = 0xFFFFFFFFu;
};

struct alignas(256) Coarse {
  std::uint8_t byte;
};

TEST(Arena, HandsOutZeroedCacheLineAlignedArrays) {
  Arena arena(kMiB, HugepagePolicy::off);
  const auto bytes = arena.array<std::uint8_t>(3);
  const auto words = arena.array<std::uint64_t>(1000);
  EXPECT_TRUE(is_aligned(bytes.data(), kCacheLine));
  EXPECT_TRUE(is_aligned(words.data(), kCacheLine));
  EXPECT_GE(reinterpret_cast<std::uintptr_t>(words.data()),
            reinterpret_cast<std::uintptr_t>(bytes.data()) + kCacheLine);
  for (const std::uint8_t byte : bytes) EXPECT_EQ(byte, 0u);
  for (const std::uint64_t word : words) EXPECT_EQ(word, 0u);
}

TEST(Arena, ValueInitialisesAggregatesWithUnionsAndWithDefaults) {
  Arena arena(kMiB, HugepagePolicy::off);
  for (const WithUnion& item : arena.array<WithUnion>(10)) EXPECT_EQ(item.order.value, 0u);
  for (const WithDefault& item : arena.array<WithDefault>(10)) EXPECT_EQ(item.level, 0xFFFFFFFFu);
}

TEST(Arena, HonoursAlignmentBeyondACacheLineWithinTheBytesForeseen) {
  const std::size_t bytes = Arena::bytes_for<std::uint8_t>(1) + Arena::bytes_for<Coarse>(3);
  Arena arena(bytes, HugepagePolicy::off);
  (void)arena.array<std::uint8_t>(1);
  EXPECT_TRUE(is_aligned(arena.array<Coarse>(3).data(), 256));
  EXPECT_LE(arena.used(), bytes);
}

TEST(Arena, UsesExactlyTheBytesForeseen) {
  Arena arena(kMiB, HugepagePolicy::off);
  (void)arena.array<std::uint8_t>(65);
  (void)arena.array<std::uint64_t>(8);
  EXPECT_EQ(Arena::bytes_for<std::uint8_t>(65), 128u);
  EXPECT_EQ(arena.used(), Arena::bytes_for<std::uint8_t>(65) + Arena::bytes_for<std::uint64_t>(8));
}

TEST(Arena, HandsTheSameMemoryOutAnewAndZeroedAfterClear) {
  Arena arena(Arena::bytes_for<std::uint64_t>(100), HugepagePolicy::off);
  const auto before = arena.array<std::uint64_t>(100);
  std::fill(before.begin(), before.end(), ~std::uint64_t{0});
  arena.clear();
  EXPECT_EQ(arena.used(), 0u);
  const auto after = arena.array<std::uint64_t>(100);
  EXPECT_EQ(after.data(), before.data());
  for (const std::uint64_t word : after) EXPECT_EQ(word, 0u);
}

TEST(Arena, ReportsOrdinaryPagesWhenHugepagesAreOff) {
  const Arena arena(100, HugepagePolicy::off);
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  EXPECT_EQ(arena.report().bytes, page);
  EXPECT_EQ(arena.report().page_size, page);
  EXPECT_FALSE(arena.report().huge);
  EXPECT_GE(arena.report().node, -1);
}

TEST(Arena, GivesTheNodeAskedForWhereTheKernelTells) {
  const Arena arena(kMiB, HugepagePolicy::off, 0);  // node 0 exists everywhere but for odd memory-less hosts
  if (arena.report().node == -1) GTEST_SKIP() << "the kernel does not tell the node of a page";
  EXPECT_EQ(arena.report().node, 0);
}

TEST(Arena, RunsOnSomeNodeWhenTheOneAskedForDoesNotExist) {
  Arena arena(kMiB, HugepagePolicy::off, 1000);
  EXPECT_NE(arena.report().node, 1000);
  EXPECT_EQ(arena.array<std::uint64_t>(10).size(), 10u);
}

TEST(Arena, ExplainsInOneLineThatRequiredHugepagesAreMissing) {
  try {
    const Arena arena(kMoreThanAnyHostHas, HugepagePolicy::required, 0, "orders");
    FAIL() << "64 TiB of hugepages";
  } catch (const std::runtime_error& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("'orders'"), std::string::npos) << text;
    EXPECT_NE(text.find("node 0"), std::string::npos) << text;
    EXPECT_NE(text.find("vm.nr_hugepages"), std::string::npos) << text;
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
  }
}

TEST(Arena, ThrowsWhenThereIsNoMemoryAtAll) {
  EXPECT_THROW(Arena(SIZE_MAX / 2, HugepagePolicy::off), std::runtime_error);
  EXPECT_THROW(Arena(SIZE_MAX, HugepagePolicy::automatic), std::runtime_error);
}

std::size_t free_hugepages() {
  std::ifstream meminfo("/proc/meminfo");
  std::size_t pages = 0;
  for (std::string line; std::getline(meminfo, line);) {
    if (std::sscanf(line.c_str(), "HugePages_Free: %zu", &pages) == 1) break;
  }
  return pages;
}

TEST(Arena, LiesOnHugepagesWhereTheHostHasSome) {
  if (free_hugepages() == 0) GTEST_SKIP() << "no free hugepages; sysctl -w vm.nr_hugepages=16 runs this test too";
  Arena arena(kMiB, HugepagePolicy::required, -1, "huge");
  EXPECT_TRUE(arena.report().huge);
  EXPECT_EQ(arena.report().page_size, 2 * kMiB);
  EXPECT_EQ(arena.report().bytes, 2 * kMiB);
  for (const std::uint64_t word : arena.array<std::uint64_t>(2 * kMiB / 8)) ASSERT_EQ(word, 0u);
}

TEST(Arena, IsOneRangeWhereAllPagesAreAlike) {
  const Arena arena(40 * kMiB + 1, HugepagePolicy::off);  // more pages than are asked for at once
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  ASSERT_EQ(arena.report().bytes, 40 * kMiB + page);
  std::size_t bytes = 0;
  for (const ArenaRange& range : arena.report().ranges) {
    EXPECT_EQ(range.at, bytes);
    EXPECT_EQ(range.page_size, page);
    bytes += range.bytes;
  }
  EXPECT_EQ(bytes, arena.report().bytes);
  if (std::filesystem::exists("/sys/devices/system/node/node1")) GTEST_SKIP() << "several nodes: pages may be mixed";
  EXPECT_EQ(arena.report().ranges.size(), 1u);
  EXPECT_EQ(complaint_of(arena.report()), "");
}

/// Pages of which the kernel says where they are: all that were touched, and no others.
TEST(Arena, AsksTheKernelAboutEveryPageByItself) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  constexpr std::size_t kPages = 10'000;
  auto* const base =
      static_cast<std::byte*>(mmap(nullptr, kPages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(base, MAP_FAILED);
  madvise(base, kPages * page, MADV_NOHUGEPAGE);
  for (std::size_t i = 5000; i < 9000; ++i) base[i * page] = std::byte{1};
  const std::vector<ArenaRange> ranges = ranges_of(base, kPages * page);
  munmap(base, kPages * page);
  if (ranges.size() == 1 && ranges[0].node == -1) GTEST_SKIP() << "the kernel does not tell the node of a page";
  ASSERT_EQ(ranges.size(), 3u);
  EXPECT_EQ(ranges[0], (ArenaRange{0, 5000 * page, page, -1}));
  EXPECT_EQ(ranges[1].at, 5000 * page);
  EXPECT_EQ(ranges[1].bytes, 4000 * page);
  EXPECT_GE(ranges[1].node, 0);
  EXPECT_EQ(ranges[2], (ArenaRange{9000 * page, 1000 * page, page, -1}));
}

TEST(Arena, TellsHugepagesFromOrdinaryOnesInOneMapping) {
  if (free_hugepages() == 0) GTEST_SKIP() << "no free hugepages; sysctl -w vm.nr_hugepages=16 runs this test too";
  constexpr std::size_t kHuge = 2 * kMiB;
  auto* const base =
      static_cast<std::byte*>(mmap(nullptr, 4 * kHuge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(base, MAP_FAILED);
  auto* const huge = base + (kHuge - reinterpret_cast<std::uintptr_t>(base) % kHuge);
  constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_HUGETLB | (21 << MAP_HUGE_SHIFT);
  ASSERT_EQ(mmap(huge, kHuge, PROT_READ | PROT_WRITE, kFlags, -1, 0), huge);
  std::fill(huge, huge + 2 * kHuge, std::byte{1});
  ArenaReport report{.bytes = 2 * kHuge, .ranges = ranges_of(huge, 2 * kHuge)};
  sum_up(report);
  munmap(huge, kHuge);
  munmap(base, 4 * kHuge);
  ASSERT_EQ(report.ranges.size(), 2u);
  EXPECT_EQ(report.ranges[0].page_size, kHuge);
  EXPECT_EQ(report.ranges[1].at, kHuge);
  EXPECT_FALSE(report.huge) << "not all of it";
  EXPECT_NE(complaint_of(report), "");
}

TEST(Arena, ComplainsOfWhatIsMixedOrNotAsAskedFor) {
  ArenaReport report{.bytes = 32 * kMiB, .ranges = {{0, 24 * kMiB, 2 * kMiB, 0}, {24 * kMiB, 8 * kMiB, 2 * kMiB, 1}}};
  sum_up(report);
  EXPECT_EQ(report.node, 0);
  EXPECT_EQ(report.page_size, 2 * kMiB);
  EXPECT_TRUE(report.huge);
  EXPECT_EQ(complaint_of(report), "24 MiB on 2048 KiB pages of node 0, 8 MiB on 2048 KiB pages of node 1");
  report.ranges = {{0, 32 * kMiB, 2 * kMiB, 0}};
  sum_up(report);
  EXPECT_EQ(complaint_of(report), "");
  report.asked_node = 1;
  EXPECT_EQ(complaint_of(report), "32 MiB on 2048 KiB pages of node 0; asked for node 1");
  report.asked_page_size = 1024 * kMiB;
  EXPECT_EQ(complaint_of(report), "32 MiB on 2048 KiB pages of node 0; asked for 1048576 KiB pages on node 1");
  report.asked_node = 0;
  EXPECT_EQ(complaint_of(report), "32 MiB on 2048 KiB pages of node 0; asked for 1048576 KiB pages on node 0");
  report.asked_page_size = 2 * kMiB;
  EXPECT_EQ(complaint_of(report), "");
  report.ranges = {{0, 32 * kMiB, 0, -1}};  // the kernel says nothing
  EXPECT_EQ(complaint_of(report), "");
}

std::size_t free_large_pages() {
  std::size_t pages = 0;
  std::ifstream("/sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages") >> pages;
  return pages;
}

TEST(Arena, TakesThePageSizeAskedFor) {
  if (free_large_pages() == 0) {
    try {
      const Arena arena(kMiB, HugepagePolicy::required, -1, "large", PageSize::one_gib);
      FAIL() << "1 GiB pages of nowhere";
    } catch (const std::runtime_error& error) {
      EXPECT_NE(std::string(error.what()).find("1 free pages of 1 GiB"), std::string::npos) << error.what();
    }
  } else {
    const Arena arena(kMiB, HugepagePolicy::required, -1, "large", PageSize::one_gib);
    EXPECT_EQ(arena.report().page_size, 1024 * kMiB);
    EXPECT_EQ(complaint_of(arena.report()), "");
  }
  if (free_hugepages() == 0) GTEST_SKIP() << "no free hugepages; sysctl -w vm.nr_hugepages=16 runs this test too";
  const Arena small(kMiB, HugepagePolicy::required, -1, "small", PageSize::two_mib);
  EXPECT_EQ(complaint_of(small.report()), "");
  if (free_large_pages() > 0) GTEST_SKIP() << "this host has 1 GiB pages";
  const Arena other(kMiB, HugepagePolicy::automatic, -1, "large", PageSize::one_gib);
  EXPECT_EQ(other.report().page_size, 2 * kMiB);
  EXPECT_NE(complaint_of(other.report()).find("asked for 1048576 KiB pages"), std::string::npos);
}

TEST(ArenaDeathTest, FallsBackToOrdinaryPagesWithOneLoudLinePerProcess) {
  const std::size_t bytes = (free_hugepages() + 1) * 2 * kMiB;
  if (bytes > 512 * kMiB) GTEST_SKIP() << "this host has too many free hugepages to ask for more";
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // a fresh process, so that nothing has warned before
  EXPECT_EXIT(
      {
        testing::internal::CaptureStderr();
        const Arena first(bytes, HugepagePolicy::automatic, -1, "first");
        const Arena second(bytes, HugepagePolicy::automatic, -1, "second");
        const std::string said = testing::internal::GetCapturedStderr();
        const bool once = said.find("crosswire: no hugepages") == 0 && said.find('\n') == said.size() - 1;
        std::exit(once && !first.report().huge && !second.report().huge ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

TEST(ArenaDeathTest, StopsTheProcessWhenItIsExhausted) {
  Arena arena(4096, HugepagePolicy::off, -1, "small");
  (void)arena.array<std::uint8_t>(arena.report().bytes - 64);
  EXPECT_DEATH((void)arena.array<std::uint8_t>(65), "arena 'small': 128 bytes wanted");
  EXPECT_DEATH((void)arena.array<std::uint64_t>(SIZE_MAX / 4), "broken invariant");
}

TEST(Arena, MovesWithItsContents) {
  Arena from(kMiB, HugepagePolicy::off, -1, "moved");
  const auto words = from.array<std::uint64_t>(4);
  words[0] = 7;
  Arena to(std::move(from));
  EXPECT_EQ(words[0], 7u);
  EXPECT_EQ(to.used(), 64u);
  EXPECT_EQ(to.name(), "moved");
  Arena other(kMiB, HugepagePolicy::off);
  other = std::move(to);
  EXPECT_EQ(words[0], 7u);
  EXPECT_NE(other.array<std::uint64_t>(1).data(), words.data());
}

}  // namespace
}  // namespace crosswire::arena_test
