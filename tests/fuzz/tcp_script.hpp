// The words of the script that tcp_fuzz.cpp plays: one byte, and what each takes of the input behind it. Tests only.
#pragma once

#include <cstdint>

namespace crosswire::fuzz {

/// Of connections (`slot`: one byte, taken modulo kTcpSlots), unless it is said otherwise.
enum class TcpOp : std::uint8_t {
  segment,      // slot, flags, place of SEQ, of ACK (2 bytes each), payload bytes, window, bytes of options, those
  open,         // slot, options: the whole handshake as a peer that means it
  data,         // slot, bytes: the next of the stream
  acknowledge,  // slot: all that was sent
  hole,         // slot, distance, bytes: data beyond what comes next
  sack,         // slot, ranges, that many pairs of distance and bytes
  finish,       // slot: the peer's FIN, in order
  reset,        // slot: RST, exact
  broken,       // slot, bit (2 bytes): the next data with one bit turned; nothing of it may count
  time,         // exponent, mantissa
  extend,       // slot, bytes (2): the writer offers
  close,        // slot, how: finish, close, abort
  read,         // slot, whether the reader reads from now on, and how much at once
  connect,      // slot, whether the MAC is known
  icmp,         // slot, code, distance from SND.UNA
  arp,          // who, request or reply
  raw,          // bytes (2), those: a frame
  room,         // frames that leave until the next such; 255: as many as there are
  count_
};
inline constexpr unsigned kTcpOps = static_cast<unsigned>(TcpOp::count_);
/// The first kTcpPassive are opened by their peer, the others by the station.
inline constexpr unsigned kTcpSlots = 8;
inline constexpr unsigned kTcpPassive = 6;

}  // namespace crosswire::fuzz
