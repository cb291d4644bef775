// SoupStreams: SoupBinTCP packets out of TCP's streams (WIRE 1), logins and orders out of these. It stands above TCP's
// receive half and in front of the session desk and the order intake, which UDP has in common with it.
// receive stage alone; no allocation after construction, and no stream can make it do more than count.
//
// What the commands are follows from the bytes in their order alone. So where there is no room for a command it takes
// no further byte of any stream, and who feeds it takes no further frame, until there is.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/command.hpp"
#include "hugepages/memory/arena.hpp"
#include "netstack/common/config.hpp"
#include "netstack/common/limits.hpp"
#include "netstack/intake/command_writer.hpp"
#include "netstack/intake/order_intake.hpp"
#include "netstack/port/port.hpp"
#include "netstack/receive/counters.hpp"
#include "netstack/receive/session_desk.hpp"
#include "netstack/session/admission.hpp"
#include "netstack/tcp/receive_half.hpp"
#include "netstack/tcp/service.hpp"
#include "netstack/wire/bytes.hpp"
#include "netstack/wire/soup.hpp"

namespace crosswire {

class SoupStreams final : public tcp::StreamReader {
 public:
  /// All outlive it. `connections`: places of TCP's table. Of `admissions` it is the reader.
  SoupStreams(const NetConfig& net, std::size_t connections, AdmissionRing& admissions, SessionDesk& desk,
              OrderIntake& intake, CommandWriter& commands, ReceiveCounters& counters, Arena& arena);

  static std::size_t bytes_for(const NetConfig& net, std::size_t connections);

  /// Before the first segment: whose streams they are.
  void read_from(tcp::ReceiveHalf& half) { half_ = &half; }
  /// The day is over: orders are taken no more.
  void end_day() { day_over_ = true; }

  /// Makes the commands of sessions and connections that have ended meanwhile. Before the next frame is taken, and
  /// before anything else that makes commands. False: no room for all of them; call again, at a later poll.
  bool make_ends() { return !has_ends() || make_all_ends(); }
  bool has_ends() const { return ends_first_ != ends_last_; }

  /// Behind each segment: what of it had no room for its command is taken, and ends are made. False: still no room;
  /// call again, at a later poll, and take no other frame before.
  bool take_the_rest() { return (rest_ == kNobody || take_rest()) && make_ends(); }

  /// What no frame says: sessions begin whose logins transmit has found right, and end whose connections are gone. Each
  /// is a burst of its own, and noted with `port`: behind the frames of a burst, so that a replay finds it at the same
  /// place. False: no room, call again.
  bool settle(RxPort& port) {
    return (gone_n_ == 0 && rest_ == kNobody && admissions_.front() == nullptr) || settle_all(port);
  }
  /// The same out of a recording: a note. False: no room, call again with the same.
  bool take_note(wire::Bytes frame);

  /// Connections whose login has not come in time are to end: make_ends() says so. Once a tick.
  void look_for_late_logins(TimeNs now);

  // StreamReader.
  void opened(tcp::ConnectionId id, const tcp::Remote& remote, std::uint16_t port) override;
  Taken take(tcp::ConnectionId id, wire::Bytes bytes) override;
  void finished(tcp::ConnectionId id) override;
  void gone(tcp::ConnectionId id, tcp::EndReason reason) override;

  /// Longer packets are passed over: no message of order entry is (netstack/common/limits.hpp).
  static constexpr std::size_t kMostPacket = kMaxUdpPayload;

 private:
  enum class Phase : std::uint8_t {
    none,
    stranger,  // before the login
    asking,    // its login is with transmit: what comes meanwhile waits
    session,   // the connection carried it when it was looked at last
    left,      // what comes is nobody's
  };

  struct Stream {
    Source source;
    TimeNs opened_ns;
    std::uint32_t skip;           // bytes of a packet that is passed over, still to come
    std::uint16_t have;           // bytes of a packet that is not whole: in `part`
    SessionId session;            // of Phase::asking and Phase::session
    std::uint64_t wanted;         // of Phase::asking: the first message that its client wants
    std::uint16_t before, after;  // strangers, in the order in which they came
    Phase phase;
    std::array<std::uint8_t, kMostPacket> part;
  };

  /// A session or connection that has ended, whose command is not made yet.
  struct End {
    SessionId session;  // kNoSession: a connection without one
    ConnectionRef connection;
    SessionEndReason reason;
    bool at_once = false;
  };

  enum class Step : std::uint8_t { done, no_room, cut };

  ConnectionRef ref_of(tcp::ConnectionId id) const { return {id.value, half_->turn_of(id)}; }
  bool is_live(tcp::ConnectionId id, const Stream& stream) const;
  void leave(tcp::ConnectionId id, Stream& stream, SessionEndReason reason, bool at_once = false);
  void push_end(const End& end);
  bool make_all_ends();
  bool take_rest();
  bool settle_all(RxPort& port);
  bool settle_next(RxPort& port, bool& done);
  bool settle_admission(const Admission& admission, RxPort& port);
  void admit(tcp::ConnectionId id, Stream& stream);
  void note(RxPort& port, SessionId session, SessionEndReason reason, const Source* source);
  bool close(const End& end);
  void add_stranger(tcp::ConnectionId id, Stream& stream);
  void remove_stranger(Stream& stream);
  void cut_oldest_stranger();

  Step take_packet(tcp::ConnectionId id, Stream& stream, const wire::soup::Read& packet);
  Step take_login(tcp::ConnectionId id, Stream& stream, wire::Bytes payload);
  Step take_first(tcp::ConnectionId id, Stream& stream, const wire::soup::Read& packet);
  std::size_t take_part(tcp::ConnectionId id, Stream& stream, wire::Bytes bytes, Step& step);

  const NetConfig& net_;
  AdmissionRing& admissions_;
  SessionDesk& desk_;
  OrderIntake& intake_;
  CommandWriter& commands_;
  ReceiveCounters& counters_;
  tcp::ReceiveHalf* half_ = nullptr;
  std::span<Stream> streams_;  // by ConnectionId
  std::span<End> ends_;        // a ring; each session and each connection is in it once at most
  std::size_t ends_first_ = 0;
  std::size_t ends_last_ = 0;
  std::span<End> gone_;  // the first gone_n_
  std::size_t gone_n_ = 0;
  std::uint16_t rest_ = kNobody;  // whose bytes wait for room, and with them all others
  std::size_t strangers_ = 0;
  std::uint16_t oldest_stranger_ = kNobody;
  std::uint16_t newest_stranger_ = kNobody;
  bool day_over_ = false;

  static constexpr std::uint16_t kNobody = 0xFFFF;
};

}  // namespace crosswire
