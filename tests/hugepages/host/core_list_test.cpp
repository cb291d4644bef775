// Lists of cores: as the kernel writes them, those below a made-up root, and what they leave a process.
#include "hugepages/host/core_list.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "tests/folder.hpp"

namespace crosswire::core_list_test {
namespace {

using Cores = std::vector<unsigned>;

TEST(CoreList, ReadsListsAsTheKernelWritesThem) {
  EXPECT_EQ(parse_cores(""), Cores{});
  EXPECT_EQ(parse_cores("\n"), Cores{});
  EXPECT_EQ(parse_cores("0-2,8\n"), (Cores{0, 1, 2, 8}));
  EXPECT_EQ(parse_cores("8,1-2,2"), (Cores{1, 2, 8}));
  EXPECT_EQ(parse_cores("0-7:2/4"), (Cores{0, 1, 4, 5}));
  EXPECT_EQ(parse_cores("2-N", 4), (Cores{2, 3, 4}));
  EXPECT_EQ(parse_cores("all", 1), (Cores{0, 1}));
  for (const char* const wrong : {"x", "1-", "-1", "3-1", "1,,2", ",", "1,", "1-2-3", "0-7:2", "0-7:5/4", "0-7:0/0",
                                  "99999999999", "70000", "0-4294967295", "1 2", "(null)"}) {
    EXPECT_EQ(parse_cores(wrong), std::nullopt) << wrong;
  }
}

TEST(CoreList, WritesListsWithRanges) {
  EXPECT_EQ(format_cores({}), "");
  EXPECT_EQ(format_cores({3}), "3");
  EXPECT_EQ(format_cores({0, 1, 2, 5, 8, 9}), "0-2,5,8,9");
}

TEST(CoreList, ReadsTheKernelsListsBelowARoot) {
  const test::Folder folder;
  EXPECT_TRUE(read_kernel_lists(folder.path()).isolated.empty());
  EXPECT_TRUE(read_offline_cores(folder.path()).empty());
  folder.write("sys/devices/system/cpu/possible", "0-7\n");
  folder.write("sys/devices/system/cpu/isolated", "2-7\n");
  folder.write("sys/devices/system/cpu/nohz_full", "2-5\n");
  folder.write("sys/devices/system/cpu/offline", "6-7\n");
  EXPECT_EQ(read_offline_cores(folder.path()), (Cores{6, 7}));
  folder.write("proc/cmdline",
               "BOOT_IMAGE=/vmlinuz quiet isolcpus=managed_irq,domain,2-7 rcu_nocbs=6-N nohz_full=2-5\n");
  const KernelLists lists = read_kernel_lists(folder.path());
  EXPECT_EQ(lists.isolated, (Cores{2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(lists.nohz_full, (Cores{2, 3, 4, 5}));
  EXPECT_EQ(lists.rcu_nocbs, (Cores{2, 3, 4, 5, 6, 7}));
  // As a kernel without the feature writes it; garbage.
  folder.write("sys/devices/system/cpu/nohz_full", "  (null)\n");
  folder.write("sys/devices/system/cpu/isolated", std::string("\0\xff-", 3));
  folder.write("proc/cmdline", "rcu_nocbs\n");
  const KernelLists odd = read_kernel_lists(folder.path());
  EXPECT_TRUE(odd.nohz_full.empty());
  EXPECT_TRUE(odd.isolated.empty());
  EXPECT_EQ(odd.rcu_nocbs.size(), 8u);
}

TEST(CoreList, IsolatedCoresAreUsableByAProcessThatNobodyBound) {
  const Cores all = {0, 1, 2, 3, 4, 5};
  EXPECT_EQ(usable_cores(all, all, {0, 1}, {2, 3, 4, 5}), all);            // the kernel's default affinity
  EXPECT_EQ(usable_cores(all, all, {0, 2}, {2, 3, 4, 5}), (Cores{0, 2}));  // somebody's taskset
  EXPECT_EQ(usable_cores(all, {0, 1, 2, 3}, {0, 1}, {2, 3, 4, 5}), (Cores{0, 1, 2, 3}));
  EXPECT_EQ(usable_cores(all, {1, 3}, all, {}), (Cores{1, 3}));
  EXPECT_EQ(usable_cores(all, all, {4}, {}), (Cores{4}));
}

}  // namespace
}  // namespace crosswire::core_list_test
