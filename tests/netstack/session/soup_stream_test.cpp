// SoupStream against a stream that is kept whole, and under TCP that loses every third frame.
#include "netstack/session/soup_stream.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "tests/netstack/tcp/station.hpp"
#include "tests/seed.hpp"

namespace crosswire::soup_stream_test {
namespace {

using Store = MessageStore<128>;

std::vector<std::uint8_t> message_of(std::uint64_t number, std::size_t bytes) {
  std::vector<std::uint8_t> message(bytes);
  for (std::size_t i = 0; i < bytes; ++i) message[i] = static_cast<std::uint8_t>(number * 31 + i);
  return message;
}

/// A store, the stream over it, and the same stream as flat bytes.
struct Rig {
  explicit Rig(std::size_t runs = 64, std::uint32_t kept = 256)
      : arena(SoupStream::bytes_for(runs) + Store::bytes_for(kept) + 4096, HugepagePolicy::off),
        store(arena, kept),
        stream(arena, runs) {}

  bool message(std::size_t bytes) {
    const std::uint64_t number = store.append(message_of(store.next(), bytes));
    if (!stream.append_message(number, bytes)) return false;
    flat.push_back(static_cast<std::uint8_t>((bytes + 1) >> 8));
    flat.push_back(static_cast<std::uint8_t>(bytes + 1));
    flat.push_back('S');
    const auto text = message_of(number, bytes);
    flat.insert(flat.end(), text.begin(), text.end());
    return true;
  }
  bool control(std::vector<std::uint8_t> packet) {
    if (!stream.append_control(packet)) return false;
    flat.insert(flat.end(), packet.begin(), packet.end());
    return true;
  }
  bool holds(std::uint64_t offset, std::size_t bytes) {
    std::vector<std::uint8_t> got(bytes);
    stream.copy(store, offset, got);
    return std::equal(got.begin(), got.end(), flat.begin() + static_cast<std::ptrdiff_t>(offset));
  }

  Arena arena;
  Store store;
  SoupStream stream;
  std::vector<std::uint8_t> flat;
};

TEST(SoupStream, GivesAnyPartThatIsNotAcknowledgedAsItWasSent) {
  std::mt19937_64 random(test::seed());
  for (unsigned round = 0; round < 200; ++round) {
    Rig rig;
    std::uint64_t acknowledged = 0;
    for (unsigned step = 0; step < 300; ++step) {
      const auto kind = random() % 10;
      if (kind < 6 && !rig.stream.loses_by_next(rig.store)) {
        rig.message(random() % (Store::kMaxMessage + 1));
      } else if (kind < 8) {
        rig.control(std::vector<std::uint8_t>(1 + random() % SoupStream::kMaxControl, static_cast<std::uint8_t>(step)));
      } else if (rig.stream.end() > acknowledged) {
        acknowledged += random() % (rig.stream.end() - acknowledged + 1);
        rig.stream.acknowledged(acknowledged);
      }
      ASSERT_EQ(rig.stream.end(), rig.flat.size());
      if (rig.stream.end() == acknowledged) continue;
      const std::uint64_t offset = acknowledged + random() % (rig.stream.end() - acknowledged);
      const std::size_t bytes = 1 + random() % std::min<std::uint64_t>(1460, rig.stream.end() - offset);
      ASSERT_TRUE(rig.holds(offset, bytes)) << bytes << " bytes from " << offset;
    }
  }
}

TEST(SoupStream, IsFullRatherThanForgetful) {
  Rig rig(4);
  for (unsigned i = 0; i < 4; ++i) EXPECT_TRUE(rig.control({1, 2, 3}));
  EXPECT_FALSE(rig.control({1, 2, 3}));
  EXPECT_FALSE(rig.message(10));
  EXPECT_TRUE(rig.holds(0, rig.flat.size()));
  rig.stream.acknowledged(3);
  EXPECT_TRUE(rig.message(10));
}

TEST(SoupStream, TellsBeforeAMessageThatIsUnderWayIsOverwritten) {
  Rig rig(64, 8);
  EXPECT_EQ(rig.stream.oldest_message(), 0u);
  for (unsigned i = 0; i < 8; ++i) {
    EXPECT_FALSE(rig.stream.loses_by_next(rig.store)) << i;
    EXPECT_TRUE(rig.message(20));
  }
  EXPECT_EQ(rig.stream.oldest_message(), 1u);
  EXPECT_TRUE(rig.stream.loses_by_next(rig.store));
  rig.stream.acknowledged(rig.stream.end());
  EXPECT_FALSE(rig.stream.loses_by_next(rig.store));
}

/// Takes what comes; writes a SoupStream.
class Session final : public tcp::StreamReader, public tcp::StreamWriter {
 public:
  void opened(tcp::ConnectionId, const tcp::Remote&, std::uint16_t) override {}
  Taken take(tcp::ConnectionId, wire::Bytes bytes) override {
    got.insert(got.end(), bytes.begin(), bytes.end());
    return {bytes.size(), tcp::kNoNumber};
  }
  void finished(tcp::ConnectionId) override {}
  void gone(tcp::ConnectionId, tcp::EndReason) override {}
  void ready(tcp::ConnectionId id) override { connection = id; }
  void copy(tcp::ConnectionId, std::uint64_t offset, std::span<std::uint8_t> to) override {
    rig.stream.copy(rig.store, offset, to);
  }
  void acknowledged(tcp::ConnectionId, std::uint64_t offset) override { rig.stream.acknowledged(offset); }
  void heard(tcp::ConnectionId) override {}
  void finished_by_peer(tcp::ConnectionId) override {}
  void closed(tcp::ConnectionId, tcp::EndReason) override {}

  Rig rig{256, 1024};
  std::vector<std::uint8_t> got;
  std::optional<tcp::ConnectionId> connection;
};

TEST(SoupStream, ArrivesWholeOverTcpThatLosesEveryThirdFrame) {
  std::mt19937_64 random(test::seed());
  tcp::TcpConfig config;
  config.connections = 2;
  config.opened_by_us = 1;
  config.ports = {7};
  Session client, server;
  test::TcpStation there(config, test::station_config(1), client, client);
  test::TcpStation here(config, test::station_config(2), server, server);
  ASSERT_TRUE(there.send().connect({here.net().address, 7, 0, here.net().mac}, 40'000));
  std::uint64_t frames = 0;
  TimeNs now = 0;
  const auto run_for = [&](TimeNs span) {
    for (const TimeNs until = now + span; now < until; now += 100'000) {
      there.advance_to(now);
      here.advance_to(now);
      for (auto& frame : there.take_frames()) here.inject(std::move(frame.bytes));
      for (auto& frame : here.take_frames()) {
        if (++frames % 3 != 0) there.inject(std::move(frame.bytes));
      }
    }
  };
  run_for(5 * kNsPerSecond);
  ASSERT_TRUE(server.connection);
  for (unsigned i = 0; i < 2000; ++i) {
    const std::uint64_t before = server.rig.stream.end();
    if (server.rig.stream.loses_by_next(server.rig.store)) run_for(kNsPerSecond);
    const bool taken = random() % 8 == 0 ? server.rig.control({0, 1, 'H'}) : server.rig.message(1 + random() % 100);
    if (taken) here.send().extend(*server.connection, static_cast<std::uint32_t>(server.rig.stream.end() - before));
    if (i % 50 == 0) run_for(20'000'000);
  }
  run_for(60 * kNsPerSecond);
  EXPECT_EQ(client.got, server.rig.flat);
  EXPECT_TRUE(server.rig.stream.empty());
  EXPECT_GT(here.send().counters().get(tcp::TcpSendCounter::tcp_retransmitted), 10u);
}

}  // namespace
}  // namespace crosswire::soup_stream_test
