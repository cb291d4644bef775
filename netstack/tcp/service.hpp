// What stands above TCP, a half on each core: it takes the bytes that come in order, and has those that go. Sessions,
// and in tests and `crosswire echo` a service that sends back what it gets. Interfaces alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "netstack/tcp/signals.hpp"
#include "netstack/wire/bytes.hpp"

namespace crosswire::tcp {

/// On the receive core. Nothing here waits; all calls come out of ReceiveHalf's own.
class StreamReader {
 public:
  virtual ~StreamReader() = default;

  /// A connection is established; `port` is ours.
  virtual void opened(ConnectionId connection, const Remote& remote, std::uint16_t port) = 0;

  struct Taken {
    std::size_t bytes;     // of those offered, from the first on; the others are offered again
    std::uint64_t covers;  // kNoNumber, or what the sender passes when it has answered all of these
  };
  /// The next bytes of the stream, never none. They lie in the frame or in the connection's memory, until this returns.
  virtual Taken take(ConnectionId connection, wire::Bytes bytes) = 0;

  /// The peer sends no more: all its bytes have been taken.
  virtual void finished(ConnectionId connection) = 0;

  /// The connection is gone; its id may be another's from now on. Also after finished(), and of connections that were
  /// opened() only.
  virtual void gone(ConnectionId connection, EndReason reason) = 0;
};

/// On the transmit core. All calls but those made of the send half's own come out of SendHalf's poll().
class StreamWriter {
 public:
  virtual ~StreamWriter() = default;

  /// The connection is established: bytes may be offered (SendHalf::extend()).
  virtual void ready(ConnectionId connection) = 0;

  /// Writes bytes of the outgoing stream, the first of which is its byte `offset` (from 0). All of these have been
  /// offered and none was acknowledged(). The same bytes each time that it is asked.
  virtual void copy(ConnectionId connection, std::uint64_t offset, std::span<std::uint8_t> to) = 0;

  /// The peer has every byte before `offset`: they are never asked for again.
  virtual void acknowledged(ConnectionId connection, std::uint64_t offset) = 0;

  /// A segment of the peer has been seen by the reader on the other core; what it left for this one may be taken up.
  virtual void heard(ConnectionId connection) = 0;

  /// The peer sends no more. (What the reader has not taken yet may still come to it.)
  virtual void finished_by_peer(ConnectionId connection) = 0;

  /// The connection is gone. Nothing may be said of it any more.
  virtual void closed(ConnectionId connection, EndReason reason) = 0;
};

}  // namespace crosswire::tcp
