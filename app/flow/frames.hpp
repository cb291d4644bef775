// Client messages as order-entry frames over UDP (WIRE 7), written to a capture: what a rack of trading firms would
// have sent. Tools only; one thread.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "app/flow/client_frames.hpp"
#include "app/flow/message.hpp"

namespace crosswire {

/// Writes logins, messages and heartbeats in time order. Errors of the file are in the writer.
class OrderEntryFrames {
 public:
  /// Times are ns since `midnight_epoch_ns`. `symbols`: SymbolId n is symbols[n - 1]. All sessions log in at
  /// `login_ns`, the first frames of the capture. Session n is user U00001, U00002, .., firm F001, ..
  OrderEntryFrames(CaptureWriter& writer, std::int64_t midnight_epoch_ns, std::uint32_t sessions,
                   std::vector<SymbolName> symbols, TimeNs login_ns);

  /// One datagram with one message, after the heartbeats that are due. Times must not fall.
  void send(const FlowMessage& message);

  /// Heartbeats up to `until_ns`: the clients stay to the end of the day.
  void finish(TimeNs until_ns) { clients_.heartbeats(until_ns); }

  /// What the replay's configuration must have.
  const std::vector<AccountConfig>& accounts() const { return clients_.accounts(); }

 private:
  /// An Enter Order without options is 45 + 2 bytes.
  using Message = std::array<std::uint8_t, 64>;

  std::size_t compose(const FlowMessage& message, Message& bytes) const;

  std::vector<SymbolName> symbols_;
  ClientFrames clients_;
};

}  // namespace crosswire
