// An operator's command as a frame. From the control thread to the port it is a record; in a recording it stands among
// the frames of the wire, told apart by the recording's tag, so that a replay does what the operator did, when he did
// it. Pure layout; no stage trusts such a frame that came from the wire.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "netstack/wire/bytes.hpp"

namespace crosswire::wire {

/// IEEE 802 local experimental EtherType 1: of a recording's markers and operators' commands. A device port drops what
/// the wire brings of it, so that neither can be forged.
inline constexpr std::uint16_t kRecorderEtherType = 0x88B5;

/// 16 random bytes, new with each recording: in its opening marker, and repeated in each operator's command in it.
using RecordingTag = std::array<std::uint8_t, 16>;

/// One command. All numbers big-endian; texts padded with NUL.
struct OperatorFrame {
  static constexpr std::uint16_t kVersion = 3;

  std::array<std::uint8_t, 12> addresses;  // both zero: no station's
  be16 ether_type;                         // kRecorderEtherType
  RecordingTag tag;                        // zero until it is recorded
  be16 version;
  be64 request;         // the operator's number of it, not 0
  std::uint8_t action;  // OperatorAction (engine/command.hpp)
  std::uint8_t phase;   // Phase, where the action takes one; else 0
  alpha<8> symbol;      // blank: all
  be16 account;         // SessionId, where the action takes one; else 0xFFFF
  be16 firm;            // FirmId, likewise
  std::uint8_t level;   // of a halt of all, 1 .. kMostHaltLevel (engine/command.hpp), or 0
  be32 seconds;         // of a halt, 1 .. kMostHaltSeconds; 0: until resumed
  std::uint8_t role;    // OperatorRole (engine/order.hpp)
  std::array<char, 16> name;
  std::array<char, 16> approver;
  std::array<char, 64> reason;
  // A row of the configuration that changes (OperatorAction::reload): ConfigureAsk (engine/command.hpp). `account` or
  // `firm` says whose it is, `symbol` which one's. Else 0.
  std::uint8_t row;
  std::uint8_t limit;
  be64 value;  // two's complement. Of a password: its digest under `salt` (netstack/session/password_digest.hpp)
  be64 salt;
};
static_assert(kIsLayout<OperatorFrame> && sizeof(OperatorFrame) == 174 && offsetof(OperatorFrame, ether_type) == 12);

/// What has become of a session over TCP that no frame of the wire says: it has begun, as transmit keeps the messages
/// that its client wants, or its connection is known to be gone on the other core. Written by the receive stage behind
/// the burst in which it heard of it, so that a replay does the same at the same place.
struct SessionFrame {
  static constexpr std::uint16_t kVersion = 0x8001;  // no OperatorFrame's

  std::array<std::uint8_t, 12> addresses;  // both zero
  be16 ether_type;                         // kRecorderEtherType
  RecordingTag tag;                        // zero until it is recorded
  be16 version;
  be16 session;         // SessionId
  std::uint8_t reason;  // SessionEndReason (engine/command.hpp) of its end; none: it has begun
  be32 address;         // of its client where it has begun, whose connection it is; else 0
  be16 port;
};
static_assert(kIsLayout<SessionFrame> && offsetof(SessionFrame, tag) == offsetof(OperatorFrame, tag) &&
              offsetof(SessionFrame, version) == offsetof(OperatorFrame, version));

/// Whether a frame has the recorder's EtherType. Untagged only: a tagged one is never taken for the recorder's.
inline bool is_recorders(const std::uint8_t* frame, std::size_t length) {
  return length >= 14 && frame[12] == kRecorderEtherType >> 8 && frame[13] == (kRecorderEtherType & 0xFF);
}

}  // namespace crosswire::wire
