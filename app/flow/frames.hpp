// Client messages as order-entry frames over UDP (WIRE 7), written to a capture: what a rack of trading firms would
// have sent. Tools only; one thread.
#pragma once

#include <array>
#include <cstdint>
#include <queue>
#include <span>
#include <string>
#include <vector>

#include "app/flow/message.hpp"
#include "netstack/client/order_client.hpp"
#include "netstack/common/config.hpp"
#include "netstack/common/limits.hpp"
#include "netstack/frame_writer/datagram_template.hpp"
#include "netstack/port/capture.hpp"

namespace crosswire {

/// Sessions of one flow: more than an exchange has, few enough that a replay has the memory for all.
inline constexpr std::uint32_t kMaxFlowSessions = 2'000;

/// A client that sent nothing for this long sends a heartbeat, so that it is not taken for gone (15 s, WIRE 7).
inline constexpr TimeNs kClientHeartbeatNs = 10 * kNsPerSecond;

/// The exchange's side of the link: what the generated configuration says, too.
NetConfig flow_exchange();

/// Account of session n: user U00001, U00002, .., firm F001, .., a password that follows from `epoch_ms` (the start),
/// and the client's address as its one source.
AccountConfig flow_account(SessionId session, std::uint64_t epoch_ms);

/// Writes logins, messages and heartbeats in time order. Errors of the file are in the writer.
class OrderEntryFrames {
 public:
  /// Times are ns since `midnight_epoch_ns`. `symbols`: SymbolId n is symbols[n - 1]. All sessions log in at
  /// `login_ns`, the first frames of the capture, from which a replay takes the session's name.
  OrderEntryFrames(CaptureWriter& writer, std::int64_t midnight_epoch_ns, std::uint32_t sessions,
                   std::vector<SymbolName> symbols, TimeNs login_ns);

  /// One datagram with one message, after the heartbeats that are due. Times must not fall.
  void send(const FlowMessage& message);

  /// Heartbeats up to `until_ns`: the clients stay to the end of the day.
  void finish(TimeNs until_ns);

  /// Milliseconds since the Unix epoch at the logins: what names and passwords follow from.
  std::uint64_t start_epoch_ms() const { return start_epoch_ms_; }

 private:
  struct Client {
    DatagramTemplate to_exchange;
    client::OrderClient orders;
    TimeNs last_sent_ns = 0;
  };
  struct Due {
    TimeNs at_ns;
    std::uint32_t session;
    bool operator>(const Due& other) const {
      return at_ns != other.at_ns ? at_ns > other.at_ns : session > other.session;
    }
  };

  void log_in(std::uint32_t session, TimeNs time_ns);
  void heartbeats(TimeNs until_ns);
  bool add(client::OrderClient& orders, const FlowMessage& message) const;
  std::span<std::uint8_t> payload(const Client& client) {
    return {frame_.data() + client.to_exchange.payload_offset(), kMaxUdpPayload};
  }
  void write(Client& client, std::size_t payload_size, TimeNs time_ns);

  CaptureWriter& writer_;
  std::int64_t midnight_epoch_ns_;
  std::uint64_t start_epoch_ms_;
  std::string session_name_;
  std::vector<SymbolName> symbols_;
  std::vector<Client> clients_;
  // One entry per client, which may be early: it is looked at again when it comes up.
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  std::array<std::uint8_t, kMaxFrame> frame_{};
};

}  // namespace crosswire
