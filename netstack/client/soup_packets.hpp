// The packets of a SoupBinTCP stream, put together again: bytes come in parts of any size, packets go out whole.
// Clients only (tests, tools, the load generator); one thread, no sockets, no clock, no allocation. It trusts nothing.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "netstack/wire/soup.hpp"

namespace crosswire::client {

class SoupPackets {
 public:
  /// Of a longer payload only so many bytes are handed out, however the stream is cut: more than any answer has.
  static constexpr std::size_t kMostPayload = 512;

  struct Packet {
    wire::soup::PacketType type;
    wire::Bytes payload;  // its first kMostPayload bytes at most; valid during the call
    std::size_t size;     // of the whole payload
    bool whole() const { return payload.size() == size; }
  };

  /// Takes the next bytes of the stream, all of them, and calls `on_packet(const Packet&)` for each packet that they
  /// complete, in order. False, from then on: a length of 0 has come, and where packets begin is not known any more.
  template <class OnPacket>
  bool take(wire::Bytes bytes, OnPacket&& on_packet) {
    while (!broken_ && !bytes.empty()) {
      if (held_ == 0) [[likely]] {
        const wire::soup::Read read = wire::soup::read(bytes);
        if (read.status == wire::soup::ReadStatus::packet) [[likely]] {
          on_packet(
              Packet{read.type, read.payload.first(std::min(read.payload.size(), kMostPayload)), read.payload.size()});
          bytes = bytes.subspan(read.size);
          continue;
        }
      }
      bytes = bytes.subspan(hold(bytes));
      if (held_ < sizeof(wire::be16) || held_ < total()) continue;
      const std::size_t size = total() - sizeof(wire::soup::Header);
      held_ = 0;
      on_packet(Packet{static_cast<wire::soup::PacketType>(kept_[2]),
                       wire::Bytes(kept_).subspan(sizeof(wire::soup::Header), std::min(size, kMostPayload)), size});
    }
    return !broken_;
  }

  bool broken() const { return broken_; }
  /// Another stream begins.
  void clear() {
    held_ = 0;
    broken_ = false;
  }

 private:
  /// Of the packet that is held, once its length has come.
  std::size_t total() const { return sizeof(wire::be16) + wire::view_as<wire::be16>(wire::Bytes(kept_))->value(); }

  /// Of a packet that is not whole yet. Returns how many bytes are its own.
  std::size_t hold(wire::Bytes bytes) {
    const std::size_t wanted = held_ < sizeof(wire::be16) ? sizeof(wire::be16) : total();
    const std::size_t n = std::min(bytes.size(), wanted - held_);
    if (held_ < kept_.size()) std::copy_n(bytes.begin(), std::min(n, kept_.size() - held_), kept_.begin() + held_);
    held_ += n;
    broken_ = held_ == sizeof(wire::be16) && total() == sizeof(wire::be16);
    return n;
  }

  std::array<std::uint8_t, sizeof(wire::soup::Header) + kMostPayload> kept_{};
  std::size_t held_ = 0;  // bytes of the packet that has begun; beyond kept_ they are counted alone
  bool broken_ = false;
};

}  // namespace crosswire::client
