// Both halves on threads of their own, as on two cores: a client on a third sends through an echo and closes, many times
// over the same places. Built under ThreadSanitizer in every ordinary build.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <mutex>
#include <thread>

#include "netstack/tcp/echo_service.hpp"
#include "tests/netstack/tcp/station.hpp"

namespace crosswire::threads_test {
namespace {

TimeNs now() {
  return static_cast<TimeNs>(std::chrono::steady_clock::now().time_since_epoch().count());
}

/// Frames on their way from one thread to another.
class Wire {
 public:
  void put(FrameBytes frame) {
    const std::lock_guard lock(mutex_);
    frames_.push_back(std::move(frame));
  }
  std::vector<FrameBytes> take(std::size_t most) {
    const std::lock_guard lock(mutex_);
    std::vector<FrameBytes> taken;
    for (; !frames_.empty() && taken.size() < most; frames_.pop_front()) taken.push_back(std::move(frames_.front()));
    return taken;
  }

 private:
  std::mutex mutex_;
  std::deque<FrameBytes> frames_;
};

class WireRxPort final : public RxPort {
 public:
  explicit WireRxPort(Wire& wire) : wire_(wire) {}
  RxBurst receive() override {
    burst_ = wire_.take(kMaxBurst);
    for (std::size_t i = 0; i < burst_.size(); ++i) {
      views_[i] = {burst_[i].data(), static_cast<std::uint32_t>(burst_[i].size()), {}};
    }
    return {{views_.data(), burst_.size()}, now(), false};
  }

 private:
  Wire& wire_;
  std::vector<FrameBytes> burst_;
  std::array<RxFrame, kMaxBurst> views_{};
};

/// Sends numbered bytes, and expects them back.
class Client final : public tcp::StreamReader, public tcp::StreamWriter {
 public:
  void opened(tcp::ConnectionId, const tcp::Remote&, std::uint16_t) override { read = 0; }
  Taken take(tcp::ConnectionId, wire::Bytes bytes) override {
    for (const std::uint8_t byte : bytes) right &= byte == static_cast<std::uint8_t>(read++ % 251);
    return {bytes.size(), tcp::kNoNumber};
  }
  void finished(tcp::ConnectionId) override {}
  void gone(tcp::ConnectionId, tcp::EndReason) override {}
  void ready(tcp::ConnectionId) override { is_ready = true; }
  void copy(tcp::ConnectionId, std::uint64_t offset, std::span<std::uint8_t> to) override {
    for (std::uint8_t& byte : to) byte = static_cast<std::uint8_t>(offset++ % 251);
  }
  void acknowledged(tcp::ConnectionId, std::uint64_t) override {}
  void heard(tcp::ConnectionId) override {}
  void finished_by_peer(tcp::ConnectionId) override {}
  void closed(tcp::ConnectionId, tcp::EndReason reason) override { ended = reason; }

  std::uint64_t read = 0;
  bool right = true;
  bool is_ready = false;
  std::optional<tcp::EndReason> ended;
};

TEST(TcpThreads, AnEchoWithAThreadForEachHalfGivesEveryByteBackAndItsPlacesToo) {
  tcp::TcpConfig config;
  config.connections = 4;
  config.ports = {7};
  config.secret = {1, 2};
  // The service may say FIN before the send half hears of the peer's: then it is this side that waits.
  config.time_wait_ns = 1'000'000;
  const NetConfig ours = test::station_config(1);
  Arena arena(tcp::Signals::bytes_for() + tcp::ReceiveHalf::bytes_for(config) + tcp::SendHalf::bytes_for(config) +
                  tcp::EchoService::bytes_for(config) + 4096,
              HugepagePolicy::off);
  Wire there, back;
  WireRxPort rx(there);
  MemoryTxPort tx;
  tcp::Signals signals(arena);
  tcp::EchoService echo(arena, config, tcp::EchoService::Mode::echo);
  tcp::ReceiveHalf receive(config, ours.address, signals, echo, arena);
  tcp::SendHalf send(config, ours, signals, echo, tx, arena);
  tcp::ReceivingHost host(ours, receive, rx);
  echo.write_to(send);

  std::atomic<bool> end{false};
  std::thread receiver([&] {
    while (!end.load()) {
      if (host.poll() == 0) std::this_thread::yield();
    }
  });
  std::thread sender([&] {
    while (!end.load()) {
      if (send.poll(now()) == 0) std::this_thread::yield();
      tx.flush();
      for (MemoryTxPort::Sent& frame : tx.take_frames()) back.put(std::move(frame.bytes));
    }
  });

  tcp::TcpConfig opening = config;
  opening.opened_by_us = 2;
  opening.time_wait_ns = 1'000'000;
  Client client;
  test::TcpStation station(opening, test::station_config(2), client, client);
  const auto poll_until = [&](auto done) {
    const TimeNs patience = now() + 60 * kNsPerSecond;
    while (!done() && now() < patience) {
      station.advance_to(now());
      for (FrameBytes& frame : back.take(kMaxBurst)) station.inject(std::move(frame));
      for (auto& frame : station.take_frames()) there.put(std::move(frame.bytes));
      std::this_thread::yield();
    }
    return done();
  };
  constexpr std::uint32_t kBytes = 20'000;
  constexpr unsigned kConnections = 20;  // five times the places
  station.set_now(now());
  for (unsigned i = 0; i < kConnections; ++i) {
    client.is_ready = false;
    client.ended.reset();
    std::optional<tcp::ConnectionId> id;
    ASSERT_TRUE(poll_until([&] {
      if (!id) id = station.send().connect({ours.address, 7, 0, ours.mac}, static_cast<std::uint16_t>(40'000 + i));
      return id && client.is_ready;
    })) << i;
    station.send().extend(*id, kBytes);
    ASSERT_TRUE(poll_until([&] { return client.read == kBytes; })) << i << ": " << client.read << " bytes are back";
    station.send().finish(*id);
    ASSERT_TRUE(poll_until([&] { return client.ended.has_value(); })) << i;
    EXPECT_EQ(*client.ended, tcp::EndReason::finished);
  }
  // Its places are given back when the last acknowledgement has come, which may be after our own end.
  const auto finished = [&] { return send.counters().get(tcp::TcpSendCounter::tcp_finished); };
  poll_until([&] { return finished() == kConnections; });
  end.store(true);
  receiver.join();
  sender.join();
  EXPECT_TRUE(client.right);
  EXPECT_EQ(echo.bytes(), std::uint64_t{kBytes} * kConnections);
  EXPECT_EQ(finished(), kConnections);
}

}  // namespace
}  // namespace crosswire::threads_test
