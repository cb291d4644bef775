// What clients send over UDP (WIRE 7), written to a capture: logins, messages, heartbeats in their absence, logouts.
// Tools only; one thread.
#pragma once

#include <array>
#include <cstdint>
#include <queue>
#include <span>
#include <string>
#include <vector>

#include "netstack/common/config.hpp"
#include "netstack/common/limits.hpp"
#include "netstack/frame_writer/datagram_template.hpp"
#include "netstack/port/capture.hpp"
#include "netstack/wire/bytes.hpp"
#include "netstack/wire/mold.hpp"
#include "netstack/wire/soup.hpp"

namespace crosswire {

/// Sessions of one flow: more than an exchange has, few enough that a replay has the memory for all.
inline constexpr std::uint32_t kMaxFlowSessions = 2'000;

/// A client that sent nothing for this long sends a heartbeat, so that it is not taken for gone (15 s, WIRE 7).
inline constexpr TimeNs kClientHeartbeatNs = 10 * kNsPerSecond;

/// The longest message that fits a datagram of its own.
inline constexpr std::size_t kMaxClientMessage = kMaxUdpPayload - sizeof(wire::mold::Header) - sizeof(wire::be16);

/// The exchange's side of the link: what the generated configuration says, too.
NetConfig flow_exchange();

/// Times never fall from call to call. Errors of the file are in the writer.
class ClientFrames {
 public:
  /// Times are ns since `midnight_epoch_ns`. `start_ns`: of the first frame, a login, from which a replay takes the
  /// session's name. The writer outlives this.
  ClientFrames(CaptureWriter& writer, std::int64_t midnight_epoch_ns, TimeNs start_ns);

  /// The next client, not logged in. Of `account` the user and the firm (blank: none) count; its password, which
  /// follows from the start, and its one source, the client's address, are made up. At most kMaxFlowSessions (CHECKed).
  SessionId add(AccountConfig account);

  /// For the configuration.
  void set_firm(SessionId session, const std::array<char, 4>& firm) { accounts_[session.value].firm = firm; }

  /// From the client's one address and port, whether it is logged in or not; its messages are numbered from 1 again.
  void log_in(SessionId session, TimeNs time_ns);
  /// One message of at most kMaxClientMessage bytes, as it is, in a datagram of its own. The client is logged in.
  void send(SessionId session, wire::Bytes message, TimeNs time_ns);
  /// The client is logged in, and is not afterwards.
  void log_out(SessionId session, TimeNs time_ns);
  /// No heartbeat of the client follows until it logs in again.
  void fall_silent(SessionId session, TimeNs time_ns);
  /// Heartbeats that are due up to `until_ns`.
  void heartbeats(TimeNs until_ns);

  /// Of all clients, SessionId n is [n]; what the replay's configuration must have.
  const std::vector<AccountConfig>& accounts() const { return accounts_; }

 private:
  struct Client {
    DatagramTemplate to_exchange;
    std::uint64_t next_number = 1;  // of its messages, since its login
    TimeNs last_sent_ns = 0;
    bool logged_in = false;
    bool due = false;  // it has its one entry in due_
  };
  struct Due {
    TimeNs at_ns;
    std::uint32_t session;
    bool operator>(const Due& other) const {
      return at_ns != other.at_ns ? at_ns > other.at_ns : session > other.session;
    }
  };

  void heartbeat(const Due& due);
  void plan_heartbeat(std::uint32_t session);
  void write_empty(Client& client, wire::soup::PacketType type, TimeNs time_ns);
  std::span<std::uint8_t> payload(const Client& client) {
    return {frame_.data() + client.to_exchange.payload_offset(), kMaxUdpPayload};
  }
  void write(Client& client, std::size_t payload_size, TimeNs time_ns);

  CaptureWriter& writer_;
  std::int64_t midnight_epoch_ns_;
  std::uint64_t start_epoch_ms_;  // what names and passwords follow from
  wire::alpha<10> session_name_;
  std::vector<Client> clients_;
  std::vector<AccountConfig> accounts_;
  // One entry per client, which may be early: it is looked at again when it comes up.
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  std::array<std::uint8_t, kMaxFrame> frame_{};
};

}  // namespace crosswire
