// The SoupBinTCP sessions in a capture: finds the TCP connections whose clients speak it, whatever of their handshakes
// is there, and tells what they say in the order of time. Tools only; one thread. Memory is bounded: connections, and
// all that waits for lost segments.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "app/flow/event_order.hpp"
#include "app/flow/soup_connection.hpp"
#include "app/flow/tcp_frames.hpp"

namespace crosswire {

/// What is known of a connection in the end.
struct StreamReport {
  struct Hole {
    std::uint64_t offset;
    std::uint64_t length;
    std::uint64_t acknowledged;  // bytes of it that the exchange had
  };
  std::uint32_t connection;
  Endpoint client;
  Endpoint exchange;
  StreamBeginning beginning;
  bool acknowledgements;  // the exchange's are in the capture
  SoupReader::Figures packets;
  StreamAssembler::Figures stream;
  std::vector<Hole> holes;
};

class CapturedStreams {
 public:
  /// At one time, of any protocol, and of SoupBinTCP before these. Those of which it is not certain make room.
  static constexpr std::size_t kMostConnections = 65'536;
  /// A hole that has been there for so long is given up: an exchange that hears nothing for 15 s ends the session.
  static constexpr TimeNs kHoleWaitNs = 30 * kNsPerSecond;
  /// Memory of all that waits, about; then the oldest hole is given up.
  static constexpr std::size_t kMostWaiting = std::size_t{256} << 20;

  /// `port`: of the exchange; without one, connections of any ports are looked at.
  CapturedStreams(std::optional<std::uint16_t> port, EventOrder::Take take);

  /// A frame of the capture; their numbers rise, their times never fall.
  void take(const TcpFrame& frame, CapturedAt at);
  /// The capture is at its end.
  void finish();

  /// After finish(): of the connections that spoke SoupBinTCP, in the order in which they began.
  const std::vector<StreamReport>& reports() const { return reports_; }
  /// Segments of other connections.
  std::uint64_t other_segments() const { return other_segments_; }
  /// Segments that would have begun a connection too many.
  std::uint64_t left_out() const { return left_out_; }

 private:
  using Pair = std::pair<Endpoint, Endpoint>;  // the lesser first
  struct Entry {
    std::uint32_t number = 0;
    std::unique_ptr<SoupConnection> connection;  // none: of another protocol
    std::optional<CapturedAt> waits_since;       // as it stands in waiting_
    std::size_t held_cost = 0;                   // as it is in held_cost_
  };
  using Table = std::map<Pair, Entry>;

  bool may_go_to_exchange(const TcpFrame& frame) const;
  void take_handshake(const TcpFrame& frame, CapturedAt at);
  void take_segment(const TcpFrame& frame, CapturedAt at);
  Table::iterator begin_in_the_middle(const TcpFrame& frame);
  void set_aside(Table::iterator entry);
  Table::iterator begin(const Endpoint& client, const Endpoint& exchange, std::uint32_t sequence,
                        StreamBeginning beginning);
  bool make_room();
  void keep_books(Table::iterator entry);
  void retire(Table::iterator entry);
  void settle(CapturedAt now);

  std::optional<std::uint16_t> port_;
  EventOrder order_;
  SoupConnection::Tell tell_;
  Table table_;
  std::map<std::uint32_t, Pair> uncertain_;           // by number: of other protocols, or not known yet
  std::set<std::pair<std::uint64_t, Pair>> waiting_;  // since which frame
  std::size_t held_cost_ = 0;
  std::uint32_t next_number_ = 0;
  std::vector<StreamReport> reports_;
  std::uint64_t other_segments_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace crosswire
