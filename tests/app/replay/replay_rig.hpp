// A replay's two ends: captures of what clients send, written by hand, and what the appliance wrote, read back.
// Tests only.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "app/replay/replay.hpp"
#include "netstack/port/capture.hpp"
#include "netstack/session/session_name.hpp"
#include "tests/app/venue.hpp"
#include "tests/folder.hpp"
#include "tests/netstack/client_frames.hpp"

namespace crosswire::test {

inline constexpr std::int64_t kMidnight = 1'700'006'400'000'000'000;  // 2023-11-15T00:00:00Z
inline constexpr TimeNs kMs = 1'000'000;
inline constexpr TimeNs kStart = 10 * 3600 * kNsPerSecond;  // of each capture here

inline const Client kAnn{.mac = {2, 0, 0, 0, 1, 1}, .address = 0x0A630064, .port = 40000};
inline const Client kBob{.mac = {2, 0, 0, 0, 1, 2}, .address = 0x0A630065, .port = 40001};

inline std::string replay_session() { return session_name('O', (kMidnight + kStart) / 1'000'000); }

/// One client's way into a capture: numbers its datagrams.
class Input {
 public:
  explicit Input(const std::string& path) : writer_(path) {}
  ~Input() { EXPECT_EQ(writer_.close(), ""); }

  void frame(TimeNs time, const Payload& bytes) { writer_.write(kMidnight + static_cast<std::int64_t>(time), bytes); }
  void login(TimeNs time, const Client& client, std::string_view user) {
    frame(time, login_frame(client, user, "secret"));
  }
  void messages(TimeNs time, const Client& client, const std::vector<Payload>& messages) {
    std::uint64_t& next = next_[client.port];
    frame(time, udp_frame(client, kOrderPort, mold_packet(next + 1, messages, replay_session())));
    next += messages.size();
  }

 private:
  CaptureWriter writer_;
  std::map<std::uint16_t, std::uint64_t> next_;
};

inline Payload order(std::uint32_t user_ref_num, char side, std::uint32_t quantity, std::uint64_t price) {
  wire::ouch::EnterOrder enter = enter_fields(user_ref_num);
  enter.side = side;
  enter.quantity = quantity;
  enter.price = price;
  return with_options(bytes(enter), {});
}

/// A frame of an output capture: who it is for, and its UDP payload.
struct Sent {
  TimeNs time;
  std::uint32_t address;
  std::uint16_t port;
  Payload payload;
};

inline std::vector<Sent> read_output(const std::string& path) {
  CaptureRxPort capture(path, kMidnight);
  std::vector<Sent> sent;
  for (RxBurst burst = capture.receive(); !burst.ended; burst = capture.receive()) {
    for (const RxFrame& frame : burst.frames) {
      const Payload bytes(frame.data, frame.data + frame.length);
      const std::size_t udp = 14 + 20;
      const std::size_t end = udp + get16(bytes, udp + 4);
      const auto address = static_cast<std::uint32_t>(get16(bytes, 30) << 16 | get16(bytes, 32));
      sent.push_back({burst.time_ns, address, static_cast<std::uint16_t>(get16(bytes, udp + 2)),
                      Payload(bytes.begin() + udp + 8, bytes.begin() + static_cast<std::ptrdiff_t>(end))});
    }
  }
  EXPECT_EQ(capture.error(), "");
  return sent;
}

/// All application messages sent to one place, in order.
inline std::vector<Payload> messages_to(const std::vector<Sent>& sent, std::uint32_t address, std::uint16_t port) {
  std::vector<Payload> messages;
  for (const Sent& frame : sent) {
    if (frame.address != address || frame.port != port || frame.payload[0] == 0) continue;
    wire::mold::BlockReader reader(frame.payload);
    while (reader.next()) messages.emplace_back(reader.block().begin(), reader.block().end());
    EXPECT_EQ(reader.fault(), wire::mold::BlockFault::none);
  }
  return messages;
}

inline std::string types_of(const std::vector<Payload>& messages) {
  std::string types;
  for (const Payload& message : messages) types += static_cast<char>(message.at(0));
  return types;
}

/// A replay's configuration: one symbol, two accounts, small memory. `limits`: keys of its last section, `more`:
/// tables.
inline std::string config_text(const std::string& limits = "", const std::string& more = "") {
  std::string text = R"([time]
linger_s = 0
[port]
address = "10.99.0.1"
[orders]
messages_kept = 4096
[feed]
messages_kept = 8192
[memory]
hugepages = "off"
[limits]
max_orders = 4000
max_levels = 1000
)";
  text += limits;
  text += kSymbolTable;
  text += kAnnTable;
  text += kBobTable;
  return text + more;
}

inline const TscClock& test_clock() {
  static const TscClock clock = TscClock::calibrated();
  return clock;
}

}  // namespace crosswire::test
