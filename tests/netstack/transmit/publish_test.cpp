// transmit and publish on one port and one thread, as they run by default.
#include "netstack/publish/publish.hpp"
#include "netstack/transmit/transmit.hpp"
#include "tests/netstack/transmit/transmit_fixture.hpp"
#include "tests/seed.hpp"

namespace crosswire::transmit_publish_test {
namespace {

using testing::RandomDay;
using testing::StubbornTxPort;

/// Plays the day through both stages; `shared`: on one port, else on one each. Frames of transmit, then of publish.
std::array<std::vector<MemoryTxPort::Sent>, 2> frames_of(const RandomDay& day, bool shared, std::uint64_t ring_size,
                                                         std::uint64_t seed, double refuses) {
  const NetConfig config = testing::net_config();
  const EngineConfig engine = testing::engine_config();
  const auto slots = static_cast<std::uint32_t>(day.asked.size());
  Arena arena(BroadcastRing<Event>::bytes_for(ring_size) + Orders::bytes_for(slots) + EchoStore::bytes_for() +
                  TransmitStage::bytes_for(config) + PublishStage::bytes_for(config, engine),
              HugepagePolicy::off);
  BroadcastRing<Event> ring(arena, ring_size);
  auto& transmit_reader = ring.add_gating("transmit");
  auto& publish_reader = ring.add_gating("publish");
  Orders orders(arena, slots);
  EchoStore echoes(arena);
  StubbornTxPort first(seed, refuses);
  StubbornTxPort second(seed + 1, refuses);
  StubbornTxPort& publish_port = shared ? first : second;
  TransmitStage transmit(config, transmit_reader, orders, first, echoes, arena);
  PublishStage publish(config, engine, publish_reader, orders, publish_port, arena);
  day.install(orders);
  std::size_t next = 0;
  const auto busy = [&] {
    return next < day.steps.size() || transmit_reader.available() > 0 || publish_reader.available() > 0 ||
           first.unsent() || second.unsent();
  };
  while (busy()) {
    for (; next < day.steps.size() && ring.producer().has_room(); ++next) {
      const RandomDay::Step& step = day.steps[next];
      if (!step.echo.empty() && !echoes.has_room()) break;
      if (!step.echo.empty()) echoes.put(step.echo);
      ring.producer().claim() = step.event;
    }
    ring.producer().publish();
    transmit.poll();
    publish.poll();
  }
  std::array<std::vector<MemoryTxPort::Sent>, 2> frames;
  for (const StubbornTxPort* port : {&first, &second}) {
    for (const MemoryTxPort::Sent& sent : port->frames()) frames.at(sent.origin.rank).push_back(sent);
  }
  return frames;
}

TEST(TransmitAndPublish, SendTheSameFramesOnOnePortAsOnOneEach) {
  const std::uint64_t seed = test::seed();
  for (std::uint64_t i = 0; i < 5; ++i) {
    const RandomDay day(seed + i, 1000);
    const auto expected = frames_of(day, false, 512, seed, 0.0);
    for (const std::uint64_t ring_size : {4u, 64u}) {
      const auto frames = frames_of(day, true, ring_size, seed, 0.5);
      for (std::size_t rank = 0; rank < 2; ++rank) {
        ASSERT_GT(expected[rank].size(), 100u);
        ASSERT_EQ(frames[rank].size(), expected[rank].size());
        for (std::size_t f = 0; f < frames[rank].size(); ++f) ASSERT_EQ(frames[rank][f].bytes, expected[rank][f].bytes);
      }
    }
  }
}

}  // namespace
}  // namespace crosswire::transmit_publish_test
