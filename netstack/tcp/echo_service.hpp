// A service that sends back every byte it gets, or takes them all and sends nothing: what carries TCP in tests, in
// benchmarks and behind `crosswire echo --tcp`. It closes when its peer does.
// Reader on the receive core, writer on the transmit core; they meet in a ring of bytes of each connection.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "hugepages/base/count_word.hpp"
#include "hugepages/memory/arena.hpp"
#include "netstack/tcp/send_half.hpp"
#include "netstack/tcp/service.hpp"

namespace crosswire::tcp {

class EchoService final : public StreamReader, public StreamWriter {
 public:
  enum class Mode : std::uint8_t { echo, sink };

  /// Room for so many bytes of each connection that are on their way back, a power of two. The arena outlives this.
  EchoService(Arena& arena, const TcpConfig& config, Mode mode, std::uint32_t bytes = 65'536)
      : streams_(arena.array<Stream>(config.connections)), mode_(mode), bytes_(bytes) {
    if (mode == Mode::sink) return;
    for (Stream& stream : streams_) stream.ring = arena.array<std::uint8_t>(bytes);
  }

  static std::size_t bytes_for(const TcpConfig& config, std::uint32_t bytes = 65'536) {
    return Arena::bytes_for<Stream>(config.connections) + config.connections * Arena::bytes_for<std::uint8_t>(bytes);
  }

  /// Before the first poll: the half that it writes to.
  void write_to(SendHalf& half) { half_ = &half; }

  /// Any thread.
  std::uint64_t connections() const { return connections_.get(); }
  std::uint64_t bytes() const { return taken_.get(); }

  // StreamReader.
  void opened(ConnectionId id, const Remote&, std::uint16_t) override {
    Stream& stream = streams_[id.value];
    stream.written.store(0, std::memory_order_relaxed);
    stream.read.store(0, std::memory_order_relaxed);
    stream.whole.store(false, std::memory_order_relaxed);
    connections_.add();
  }
  Taken take(ConnectionId id, wire::Bytes bytes) override {
    if (mode_ == Mode::sink) {
      taken_.add(bytes.size());
      return {bytes.size(), kNoNumber};
    }
    Stream& stream = streams_[id.value];
    const std::uint64_t written = stream.written.load(std::memory_order_relaxed);
    const std::uint64_t room = bytes_ - (written - stream.read.load(std::memory_order_acquire));
    const std::size_t taken = std::min<std::size_t>(bytes.size(), room);
    const std::size_t at = written & (bytes_ - 1);
    const std::size_t first = std::min<std::size_t>(taken, bytes_ - at);
    std::memcpy(stream.ring.data() + at, bytes.data(), first);
    if (first < taken) std::memcpy(stream.ring.data(), bytes.data() + first, taken - first);
    stream.written.store(written + taken, std::memory_order_release);
    taken_.add(taken);
    return {taken, kNoNumber};
  }
  void gone(ConnectionId, EndReason) override {}
  void finished(ConnectionId id) override { streams_[id.value].whole.store(true, std::memory_order_release); }

  // StreamWriter.
  void ready(ConnectionId id) override {
    streams_[id.value].offered = 0;
    streams_[id.value].closed = false;
  }
  void copy(ConnectionId id, std::uint64_t offset, std::span<std::uint8_t> to) override {
    const Stream& stream = streams_[id.value];
    const std::size_t at = offset & (bytes_ - 1);
    const std::size_t first = std::min<std::size_t>(to.size(), bytes_ - at);
    std::memcpy(to.data(), stream.ring.data() + at, first);
    if (first < to.size()) std::memcpy(to.data() + first, stream.ring.data(), to.size() - first);
  }
  void acknowledged(ConnectionId id, std::uint64_t offset) override {
    streams_[id.value].read.store(offset, std::memory_order_release);
  }
  void heard(ConnectionId id) override {
    Stream& stream = streams_[id.value];
    const bool whole = stream.whole.load(std::memory_order_acquire);  // first, so that it is not ahead of the bytes
    if (mode_ == Mode::echo) {
      const std::uint64_t written = stream.written.load(std::memory_order_acquire);
      if (written > stream.offered) {
        half_->extend(id, static_cast<std::uint32_t>(written - stream.offered));
        stream.offered = written;
      }
    }
    if (!whole || stream.closed) return;
    stream.closed = true;
    half_->finish(id);
  }
  /// Said by heard(), when the reader has all bytes.
  void finished_by_peer(ConnectionId) override {}
  void closed(ConnectionId, EndReason) override {}

 private:
  struct Stream {
    std::span<std::uint8_t> ring;
    alignas(kCacheLine) std::atomic<std::uint64_t> written{0};  // the reader's
    std::atomic<bool> whole{false};
    alignas(kCacheLine) std::atomic<std::uint64_t> read{0};  // the writer's
    std::uint64_t offered = 0;
    bool closed = false;
  };

  std::span<Stream> streams_;
  Mode mode_;
  std::uint32_t bytes_;
  SendHalf* half_ = nullptr;
  CountWord connections_;
  CountWord taken_;
};

}  // namespace crosswire::tcp
