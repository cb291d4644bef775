// The host's cores as this process sees them.
#include "hugepages/topology.hpp"

#include <gtest/gtest.h>
#include <sched.h>

#include <string>
#include <thread>

namespace crosswire {
namespace {

TEST(Topology, PinsAThreadToEachCoreItMayUse) {
  ASSERT_FALSE(allowed_cores().empty());
  for (const unsigned core : allowed_cores()) {
    std::thread([core] {
      EXPECT_EQ(pin_this_thread(core), "");
      EXPECT_EQ(sched_getcpu(), static_cast<int>(core));
    }).join();
  }
}

TEST(Topology, SaysWhichCoresThereAreWhenOneDoesNotExist) {
  const std::string error = pin_this_thread(100'000);
  EXPECT_NE(error.find("core 100000"), std::string::npos) << error;
  EXPECT_NE(error.find(std::to_string(allowed_cores().front())), std::string::npos) << error;
  EXPECT_EQ(error.find('\n'), std::string::npos);
}

TEST(Topology, KnowsTheNodeOfEachCore) {
  for (const unsigned core : allowed_cores()) EXPECT_GE(node_of_core(core), 0);
  EXPECT_EQ(node_of_core(100'000), -1);
}

}  // namespace
}  // namespace crosswire
