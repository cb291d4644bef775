// The publish stage: the market-data channel. Events in, ITCH 5.0 messages in MoldUDP64 datagrams to a multicast group
// out, and unicast answers to those who missed some. Runs behind transmit, by default on its thread and port; it never
// waits, allocates after construction, or reads a clock.
//
//   event                              ITCH                                      locate
//   accepted, rested, replaced,        by FeedAction: A, attributable F; X, D, U symbol
//   canceled, modified
//   executed                           E of the resting order, hidden P          symbol
//   crossed                            C of the buyer, of the seller, if shown   symbol
//   cross_done                         Q                                         symbol
//   imbalance                          I                                         symbol
//   phase                              H                                         symbol
//   halt_level                         W                                         0
//   declines                           V                                         0
//   directory                          R                                         symbol
//   system                             S                                         0
//   feed_resend                        one packet of kept messages, or a heartbeat, to the asker
//   tick                               heartbeat after heartbeat_ns without sending on the channel
//   day_end, and each whole second      end of session, instead of heartbeats
//   behind it
//
// Messages are packed into one datagram until the next one would exceed the MTU or an event is the last of its burst
// (DESIGN 3), so packing is a function of the events alone. A datagram's origin is the event at which it closed: so the
// causes of this stage's frames never fall.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/config.hpp"
#include "engine/event.hpp"
#include "engine/order.hpp"
#include "hugepages/memory/arena.hpp"
#include "hugepages/rings/broadcast_ring.hpp"
#include "netstack/common/config.hpp"
#include "netstack/common/message_store.hpp"
#include "netstack/frame_writer/datagram_template.hpp"
#include "netstack/port/port.hpp"
#include "netstack/publish/counters.hpp"
#include "netstack/wire/mold.hpp"

namespace crosswire {

class PublishStage {
 public:
  using Events = BroadcastRing<Event>::GatingReader;

  /// All but `engine` outlive the stage (its symbols are copied); `port` may be shared with the transmit stage on the
  /// same thread. Of `orders` only the cold lines are read, of orders that unreleased events name.
  PublishStage(const NetConfig& config, const EngineConfig& engine, Events& events, const Orders& orders, TxPort& port,
               Arena& arena);
  PublishStage(const PublishStage&) = delete;
  PublishStage& operator=(const PublishStage&) = delete;

  static std::size_t bytes_for(const NetConfig& config, const EngineConfig& engine);

  /// Handles up to kMaxEvents events, as far as the port has room, and flushes the port. Returns events finished plus
  /// frames committed. An event is released when its messages are kept for re-request and packed, and when it closes
  /// the datagram, committed: the open datagram holds a copy of them.
  std::size_t poll();

  const PublishCounters& counters() const { return counters_; }

  static constexpr std::uint64_t kMaxEvents = 64;

 private:
  bool handle(const Event& event);
  bool say(const Event& event);

  // One per kind of event. False: no room, call again; what is done is remembered in progress_.
  bool order(const Event& event);
  bool prevented(const Event& event);
  bool add(const Event& event);
  bool executed(const Event& event);
  bool crossed(const Event& event);
  bool cross_done(const Event& event);
  bool imbalance(const Event& event);
  bool phase(const Event& event);
  bool system(const Event& event);
  bool halt_level(const Event& event);
  bool declines(const Event& event);
  bool directory(const Event& event);
  bool resend(const Event& event);
  bool tick(const Event& event);
  bool day_end(const Event& event);
  bool say_end(const Event& event);

  template <class Make>
  bool publish(const Event& event, Make make);
  bool close(const Event& event);
  bool send_empty(const Event& event, std::uint16_t count);
  void commit(std::size_t length, const Event& event);
  const SymbolName& stock(SymbolId symbol) const;

  /// Number of the next message that leaves on the channel: those in the open datagram have not left.
  std::uint64_t next_to_leave() const { return messages_.next() - packet_.count(); }

  const NetConfig& config_;
  const wire::alpha<10> session_name_;
  Events& events_;
  const Orders& orders_;
  TxPort& port_;
  std::span<SymbolName> symbols_;  // by SymbolId - 1
  DatagramTemplate channel_;
  MessageStore<64> messages_;
  // The open datagram's payload. In memory of its own, because the port's buffer may be wanted by transmit meanwhile.
  std::span<std::uint8_t> payload_;
  wire::mold::PacketWriter packet_;
  TimeNs last_sent_ns_ = 0;
  bool day_over_ = false;      // from day_end on
  std::size_t progress_ = 0;   // of the oldest unreleased event: messages that are packed
  bool said_ = false;          // of the oldest unreleased event: all is packed, but its datagram is not closed yet
  std::size_t committed_ = 0;  // frames of this poll
  PublishCounters counters_;
};

}  // namespace crosswire
