// Which reader an event is for.
#include "engine/event.hpp"

#include <gtest/gtest.h>

namespace crosswire::event_test {
namespace {

EventKind kind_at(std::size_t number) { return static_cast<EventKind>(number); }

TEST(EventTable, EachReaderPassesOverWhatIsForTheOtherOrForNeither) {
  EXPECT_TRUE(is_only_for_others(EventKind::rested, EventFor::transmit));
  EXPECT_FALSE(is_only_for_others(EventKind::rested, EventFor::publish));
  EXPECT_TRUE(is_only_for_others(EventKind::rejected, EventFor::publish));
  EXPECT_FALSE(is_only_for_others(EventKind::rejected, EventFor::transmit));
  EXPECT_TRUE(is_only_for_others(EventKind::burst_end, EventFor::transmit));
  EXPECT_TRUE(is_only_for_others(EventKind::burst_end, EventFor::publish));
}

TEST(EventTable, NobodyPassesOverWhatIsForBoth) {
  EXPECT_FALSE(is_only_for_others(EventKind::accepted, EventFor::transmit));
  EXPECT_FALSE(is_only_for_others(EventKind::accepted, EventFor::publish));
}

TEST(EventTable, WhatMatchMakesIsSomebodysAndTheRestStopsWhoeverIsToldOfIt) {
  for (std::size_t i = 0; i < kEventFor.size(); ++i) {
    const bool made = kind_at(i) != EventKind::none && kind_at(i) < EventKind::resumed;
    EXPECT_EQ(kEventFor[i] != EventFor::nobody, made) << "kind " << i;
    if (made) continue;
    EXPECT_FALSE(is_only_for_others(kind_at(i), EventFor::transmit)) << "kind " << i;
    EXPECT_FALSE(is_only_for_others(kind_at(i), EventFor::publish)) << "kind " << i;
  }
}

}  // namespace
}  // namespace crosswire::event_test
