// The cores that this process may use, and threads bound to them.
#include "hugepages/host/pinning.hpp"

#include <gtest/gtest.h>
#include <sched.h>

#include <string>
#include <thread>

namespace crosswire::pinning_test {
namespace {

TEST(Pinning, PinsAThreadToEachCoreItMayUse) {
  ASSERT_FALSE(allowed_cores().empty());
  for (const unsigned core : allowed_cores()) {
    std::thread([core] {
      EXPECT_EQ(pin_this_thread(core), "");
      EXPECT_EQ(sched_getcpu(), static_cast<int>(core));
    }).join();
  }
}

TEST(Pinning, FreesAThreadAgain) {
  std::thread([] {
    ASSERT_EQ(pin_this_thread(allowed_cores().front()), "");
    EXPECT_EQ(free_this_thread(), "");
    cpu_set_t cores;
    ASSERT_EQ(sched_getaffinity(0, sizeof cores, &cores), 0);
    EXPECT_EQ(static_cast<std::size_t>(CPU_COUNT(&cores)), allowed_cores().size());
  }).join();
}

TEST(Pinning, SaysWhichCoresThereAreWhenOneDoesNotExist) {
  const std::string error = pin_this_thread(100'000);
  EXPECT_NE(error.find("core 100000"), std::string::npos) << error;
  EXPECT_NE(error.find(std::to_string(allowed_cores().front())), std::string::npos) << error;
  EXPECT_EQ(error.find('\n'), std::string::npos);
}

TEST(Pinning, KnowsTheNodeOfEachCore) {
  for (const unsigned core : allowed_cores()) EXPECT_GE(node_of_core(core), 0);
  EXPECT_EQ(node_of_core(100'000), -1);
}

}  // namespace
}  // namespace crosswire::pinning_test
