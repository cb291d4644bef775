// SoupBinTCP sessions as a capture has them, for the tests of `crosswire flow --from-capture`: frames written by hand,
// independent of what reads them. Tests only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/flow/message.hpp"
#include "app/flow/random.hpp"
#include "app/flow/tcp_frames.hpp"
#include "netstack/port/capture.hpp"
#include "netstack/tcp/segment.hpp"
#include "netstack/wire/ouch.hpp"
#include "netstack/wire/soup.hpp"

namespace crosswire::test {

using Buffer = std::vector<std::uint8_t>;

inline constexpr std::int64_t kCapturedDay = 1'709'164'800'000'000'000;  // 2024-02-29T00:00:00Z

inline Buffer& operator+=(Buffer& to, const Buffer& more) {
  to.insert(to.end(), more.begin(), more.end());
  return to;
}

inline Buffer cut(const Buffer& bytes, std::size_t begin, std::size_t end) {
  return {bytes.begin() + static_cast<std::ptrdiff_t>(begin), bytes.begin() + static_cast<std::ptrdiff_t>(end)};
}

// ---- Packets --------------------------------------------------------------------------------------------------------

inline Buffer packet(char type, const Buffer& payload = {}) {
  const std::size_t length = payload.size() + 1;
  Buffer bytes{static_cast<std::uint8_t>(length >> 8), static_cast<std::uint8_t>(length),
               static_cast<std::uint8_t>(type)};
  return bytes += payload;
}

inline Buffer text(std::string_view text) { return {text.begin(), text.end()}; }

inline Buffer login(std::string_view user) {
  std::string payload(46, ' ');
  payload.replace(0, user.size(), user);
  payload.replace(6, 6, "secret");
  payload[45] = '1';
  return packet('L', text(payload));
}

template <class Message, class Options = wire::ouch::NoOptions>
Buffer ouch(const Message& message, Options options = {}) {
  Buffer bytes(256);
  bytes.resize(wire::ouch::write_message(bytes, message, options));
  return bytes;
}

inline wire::ouch::EnterOrder enter(std::uint32_t number, char side, std::uint32_t shares, std::uint64_t price,
                                    std::string_view symbol = "TST") {
  return {.user_ref_num = number,
          .side = side,
          .quantity = shares,
          .symbol = symbol,
          .price = price,
          .time_in_force = '0',
          .display = 'Y',
          .capacity = 'A',
          .iso = 'N',
          .cross_type = 'N',
          .cl_ord_id = cl_ord_id_text(number)};
}

inline Buffer order(std::uint32_t number, char side = 'B', std::uint32_t shares = 100, std::uint64_t price = 100'000,
                    std::string_view symbol = "TST") {
  return packet('U', ouch(enter(number, side, shares, price, symbol)));
}

// ---- Frames ---------------------------------------------------------------------------------------------------------

struct FrameShape {
  std::vector<std::uint16_t> tags;  // EtherTypes of VLAN tags
  std::size_t trailer = 0;
  bool partial_checksum = false;
  std::uint16_t fragment = 0;
  std::uint8_t protocol = 6;
};

inline void put16(Buffer& to, std::size_t value) {
  to.push_back(static_cast<std::uint8_t>(value >> 8));
  to.push_back(static_cast<std::uint8_t>(value));
}
inline void put32(Buffer& to, std::uint32_t value) {
  put16(to, value >> 16);
  put16(to, value & 0xFFFF);
}

inline std::uint16_t plain_sum(const Buffer& bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) sum += i % 2 == 0 ? bytes[i] * 256u : bytes[i];
  while (sum > 0xFFFF) sum = (sum & 0xFFFF) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

inline Buffer tcp_frame(const Endpoint& from, const Endpoint& to, std::uint32_t sequence, std::uint32_t acknowledgement,
                        std::uint8_t flags, const Buffer& payload = {}, const FrameShape& shape = {}) {
  Buffer segment;
  put16(segment, from.port);
  put16(segment, to.port);
  put32(segment, sequence);
  put32(segment, acknowledgement);
  segment.push_back(0x50);
  segment.push_back(flags);
  put16(segment, 0xFFFF);
  put32(segment, 0);  // checksum, urgent pointer
  segment += payload;
  Buffer pseudo;
  put32(pseudo, from.address);
  put32(pseudo, to.address);
  put16(pseudo, 6);
  put16(pseudo, segment.size());
  std::uint16_t checksum = plain_sum(pseudo);
  if (!shape.partial_checksum) {
    pseudo += segment;
    checksum = static_cast<std::uint16_t>(~plain_sum(pseudo));
  }
  segment[16] = static_cast<std::uint8_t>(checksum >> 8);
  segment[17] = static_cast<std::uint8_t>(checksum);

  Buffer frame{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
  for (const std::uint16_t tag : shape.tags) {
    put16(frame, tag);
    put16(frame, 5);
  }
  put16(frame, 0x0800);
  put16(frame, 0x4500);
  put16(frame, 20 + segment.size());
  put16(frame, 0);
  put16(frame, shape.fragment);
  frame.push_back(64);
  frame.push_back(shape.protocol);
  put16(frame, 0);  // nobody looks at its sum
  put32(frame, from.address);
  put32(frame, to.address);
  frame += segment;
  frame.resize(std::max<std::size_t>(frame.size(), 60) + shape.trailer);
  return frame;
}

/// Writes the frames, `step_ns` apart from `start_ns` into the day on.
inline void write_capture(const std::string& path, const std::vector<Buffer>& frames,
                          TimeNs start_ns = 9 * 3600 * kNsPerSecond, TimeNs step_ns = 1'000'000) {
  CaptureWriter writer(path);
  TimeNs time_ns = start_ns;
  for (const Buffer& frame : frames) {
    writer.write(kCapturedDay + static_cast<std::int64_t>(time_ns), frame);
    time_ns += step_ns;
  }
  writer.close();
}

// ---- A connection ---------------------------------------------------------------------------------------------------

inline constexpr Endpoint kExchange{0x0A000001, 9001};

/// The client's bytes, and frames that carry parts of them.
struct Client {
  Endpoint client{0x0A000101, 40'001};
  std::uint32_t isn = 1'000;
  Buffer stream;

  Buffer syn() const { return tcp_frame(client, kExchange, isn, 0, tcp::kSyn); }
  Buffer syn_ack() const { return tcp_frame(kExchange, client, 7'000, isn + 1, tcp::kSyn | tcp::kAck); }
  Buffer data(std::size_t begin, std::size_t end) const {
    return tcp_frame(client, kExchange, at(begin), 7'001, tcp::kAck | tcp::kPsh, cut(stream, begin, end));
  }
  Buffer all() const { return data(0, stream.size()); }
  Buffer other(std::size_t begin, const Buffer& bytes) const {
    return tcp_frame(client, kExchange, at(begin), 7'001, tcp::kAck, bytes);
  }
  Buffer fin() const { return tcp_frame(client, kExchange, at(stream.size()), 7'001, tcp::kAck | tcp::kFin); }
  Buffer reset() const { return tcp_frame(client, kExchange, at(stream.size()), 0, tcp::kRst); }
  Buffer ack(std::size_t offset, std::uint8_t flags = tcp::kAck) const {
    return tcp_frame(kExchange, client, 7'001, at(offset), flags);
  }
  std::uint32_t at(std::size_t offset) const { return isn + 1 + static_cast<std::uint32_t>(offset); }
};

}  // namespace crosswire::test
