// An exchange in a few lines for tests of the load generator: answers what a client sends after a fixed time, stalls,
// loses, repeats and dies as told. Memory ports and virtual time. Tests only.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "app/load/client.hpp"
#include "netstack/frame_writer/arp_reply.hpp"
#include "netstack/frame_writer/datagram_template.hpp"
#include "netstack/port/memory_port.hpp"
#include "netstack/wire/itch.hpp"
#include "netstack/wire/mold.hpp"
#include "netstack/wire/ouch.hpp"
#include "netstack/wire/soup.hpp"
#include "tests/netstack/client_frames.hpp"

namespace crosswire::test {

inline constexpr TimeNs kUs = 1'000;
inline constexpr TimeNs kMilli = 1'000'000;

/// What the exchange does wrong.
struct Faults {
  TimeNs stall_from_ns = 0, stall_to_ns = 0;  // by virtual time: nothing is processed in between
  TimeNs dead_from_ns = ~TimeNs{0};           // from then on nothing is
  TimeNs sessions_gone_ns = ~TimeNs{0};       // from then on who sends is told that he has no session
  unsigned put_off_logins = 0;                // so many are, with a word, before one is accepted
  bool no_arp = false;
  bool refuse_logins = false;
  bool other_protocol = false;             // answers logins with something else
  std::set<std::uint64_t> lose;            // answers of session 0, by number: not sent at first
  std::set<std::uint64_t> repeat;          // sent twice
  std::set<std::uint64_t> swap_with_next;  // sent after the next one
  std::set<std::uint32_t> ignore;          // UserRefNums of session 0 that it never sees
  std::set<std::uint32_t> reject;          // and that it rejects
  std::uint32_t reject_ahead = 0;          // at its 20th UserRefNum it rejects so many that were not sent yet
};

inline Payload answer_accepted(const wire::ouch::EnterOrder& enter, std::uint64_t reference) {
  return with_options(bytes(wire::ouch::OrderAccepted{.timestamp = std::uint64_t{1},
                                                      .user_ref_num = enter.user_ref_num,
                                                      .side = enter.side,
                                                      .quantity = enter.quantity,
                                                      .symbol = enter.symbol,
                                                      .price = enter.price,
                                                      .time_in_force = enter.time_in_force,
                                                      .display = 'Y',
                                                      .order_ref = reference,
                                                      .capacity = 'A',
                                                      .iso = 'N',
                                                      .cross_type = 'N',
                                                      .order_state = 'L',
                                                      .cl_ord_id = enter.cl_ord_id}),
                      {});
}
inline Payload answer_executed(const wire::ouch::EnterOrder& enter, std::uint64_t match_number) {
  return with_options(bytes(wire::ouch::OrderExecuted{.timestamp = std::uint64_t{1},
                                                      .user_ref_num = enter.user_ref_num,
                                                      .quantity = enter.quantity,
                                                      .price = enter.price,
                                                      .liquidity = 'R',
                                                      .match_number = match_number}),
                      {});
}
inline Payload answer_canceled(std::uint32_t user_ref_num) {
  return bytes(wire::ouch::OrderCanceled{
      .timestamp = std::uint64_t{1}, .user_ref_num = user_ref_num, .quantity = 100u, .reason = 'U'});
}

class StubExchange {
 public:
  explicit StubExchange(const LoadOptions& options) : options_(options) {
    server_.mac = kOurMac;
    server_.address = options.server.address;
    for (const LoadParty& party : options.parties) {
      const Station to{party.mac, 0, party.address};
      sessions_[party.port].to_client = DatagramTemplate(server_, options.server.order_port, to, party.port, 64);
    }
    const Station group = station_of_group(options.server.feed_group, 0);
    to_feed_ = DatagramTemplate(server_, options.server.feed_port, group, options.server.feed_port, 1);
  }

  Faults faults;
  TimeNs answer_ns = 5 * kUs;
  std::size_t answers_kept = 1'000'000;  // of a session
  std::size_t most_outstanding = 0;

  /// Takes what the client sent at `now_ns`.
  void take(const std::vector<MemoryTxPort::Sent>& frames, TimeNs now_ns) {
    if (now_ns >= faults.dead_from_ns) return;
    const bool stalled = now_ns >= faults.stall_from_ns && now_ns < faults.stall_to_ns;
    at_ns_ = (stalled ? faults.stall_to_ns : now_ns) + answer_ns;
    for (const MemoryTxPort::Sent& frame : frames) take(frame.bytes);
    if (now_ns >= heartbeat_ns_) heartbeats(now_ns);
    outstanding_.erase(outstanding_.begin(), outstanding_.upper_bound(now_ns));
    most_outstanding = std::max(most_outstanding, outstanding_.size());
  }

  /// Frames that reach the client at `now_ns`.
  std::vector<FrameBytes> due(TimeNs now_ns) {
    std::vector<FrameBytes> frames;
    while (!wire_.empty() && wire_.begin()->first <= now_ns && now_ns < faults.dead_from_ns) {
      frames.push_back(wire_.begin()->second);
      wire_.erase(wire_.begin());
    }
    return frames;
  }

 private:
  struct Session {
    DatagramTemplate to_client;
    std::deque<Payload> answers;  // number n is answers[n - 1 - forgotten]
    std::uint64_t forgotten = 0;
    std::uint64_t count() const { return forgotten + answers.size(); }
    std::map<std::uint32_t, std::uint64_t> references;
    std::uint32_t next_ref = 1;
  };

  void put(const DatagramTemplate& to, const Payload& payload, TimeNs at_ns) {
    FrameBytes frame(kMaxFrame);
    std::copy(payload.begin(), payload.end(), frame.begin() + static_cast<std::ptrdiff_t>(to.payload_offset()));
    frame.resize(to.finish(frame.data(), payload.size()));
    wire_.emplace(at_ns, std::move(frame));
  }

  void answer(Session& session, const Payload& message) {
    session.answers.push_back(message);
    const std::uint64_t number = session.count();
    if (session.answers.size() > answers_kept) {
      session.answers.pop_front();
      ++session.forgotten;
    }
    const bool first = &session == &sessions_.begin()->second;
    if (first && faults.lose.contains(number)) return;
    const TimeNs at_ns = at_ns_ + (first && faults.swap_with_next.contains(number) ? 150 * kUs : 0);
    const int times = first && faults.repeat.contains(number) ? 2 : 1;
    for (int i = 0; i < times; ++i) put(session.to_client, mold_packet(number, {message}), at_ns);
  }

  void publish(const Payload& message) {
    put(to_feed_, mold_packet(++feed_number_, {message}, kFeedSession), at_ns_ + kUs);
  }

  void take(const FrameBytes& frame) {
    if (frame[12] == 0x08 && frame[13] == 0x06) {
      if (!faults.no_arp) answer_arp();
      return;
    }
    const std::uint16_t port = static_cast<std::uint16_t>(frame[34] << 8 | frame[35]);
    const auto found = sessions_.find(port);
    if (found == sessions_.end()) return;
    const std::size_t length = static_cast<std::size_t>(frame[38] << 8 | frame[39]) - 8;
    const wire::Bytes payload(frame.data() + 42, length);
    if (payload[0] == 0) return take_soup(found->second, payload);
    if (at_ns_ >= faults.sessions_gone_ns) return say_no_session(found->second, "silent");
    if (wire::mold::packet_kind(payload) == wire::mold::PacketKind::request) return resend(found->second, payload);
    for (wire::mold::BlockReader blocks(payload); blocks.next();) take_order(found->second, blocks.block());
  }

  void say_no_session(Session& session, std::string_view why) {
    put(session.to_client, soup_packet('+', {why.begin(), why.end()}), at_ns_);
    put(session.to_client, soup_packet('J', letter('S')), at_ns_ + 1);
  }

  void heartbeats(TimeNs now_ns) {
    heartbeat_ns_ = now_ns + kNsPerSecond;
    for (auto& [port, session] : sessions_) {
      if (session.answers.empty()) continue;
      put(session.to_client, mold_header(kOrderSession, session.count() + 1, 0), at_ns_);
    }
  }

  void answer_arp() {
    FrameBytes frame(kMaxFrame);
    const LoadParty& party = options_.parties.front();
    frame.resize(write_arp_reply(frame.data(), server_, {party.mac, 0, party.address}));
    wire_.emplace(at_ns_, std::move(frame));
  }

  void take_soup(Session& session, wire::Bytes payload) {
    if (static_cast<char>(payload[2]) != 'L') return;
    if (faults.other_protocol) return put(session.to_client, Payload{'H', 'T', 'T', 'P'}, at_ns_);
    if (faults.put_off_logins > 0) {
      --faults.put_off_logins;
      return say_no_session(session, "taken over");
    }
    if (faults.refuse_logins) return put(session.to_client, soup_packet('J', letter('A')), at_ns_);
    put(session.to_client, soup_packet('A', bytes(wire::soup::login_accepted(kOrderSession, session.count() + 1))),
        at_ns_);
  }

  void resend(Session& session, wire::Bytes payload) {
    const auto* const header = wire::view_as<wire::mold::Header>(payload);
    const std::uint64_t first = header->sequence;
    std::vector<Payload> messages;
    for (std::uint64_t n = first; n < first + header->count && n <= session.count(); ++n) {
      messages.push_back(session.answers[n - 1 - session.forgotten]);
    }
    put(session.to_client, mold_packet(first, messages), at_ns_);
  }

  void take_order(Session& session, wire::Bytes message) {
    namespace ouch = wire::ouch;
    const bool first = &session == &sessions_.begin()->second;
    if (message[0] == 'Q') {
      answer(session,
             bytes(ouch::AccountQueryResponse{.timestamp = std::uint64_t{1}, .next_user_ref_num = session.next_ref}));
      return;
    }
    outstanding_.insert(at_ns_);
    if (const auto* const enter = wire::view_as<ouch::EnterOrder>(message); enter != nullptr && enter->type == 'O') {
      const std::uint32_t ref = enter->user_ref_num;
      session.next_ref = ref + 1;
      if (first && faults.ignore.contains(ref)) return;
      for (std::uint32_t ahead = 1; first && ref == 20 && ahead <= faults.reject_ahead; ++ahead) {
        answer(session, bytes(ouch::Rejected{
                            .timestamp = std::uint64_t{1}, .user_ref_num = ref + ahead, .reason = std::uint16_t{3}}));
      }
      if (first && faults.reject.contains(ref)) {
        return answer(session, bytes(ouch::Rejected{
                                   .timestamp = std::uint64_t{1}, .user_ref_num = ref, .reason = std::uint16_t{3}}));
      }
      accept(session, *enter);
      return;
    }
    const auto* const cancel = wire::view_as<ouch::CancelOrder>(message);
    const auto order = session.references.find(cancel->user_ref_num);
    if (order == session.references.end()) return;
    answer(session, answer_canceled(order->first));
    publish(bytes(wire::itch::OrderDelete{.order_ref = order->second}));
    session.references.erase(order);
  }

  void accept(Session& session, const wire::ouch::EnterOrder& enter) {
    const std::uint64_t reference = ++references_;
    if (enter.time_in_force != '3') session.references[enter.user_ref_num] = reference;
    answer(session, answer_accepted(enter, reference));
    if (enter.time_in_force == '3') {
      answer(session, answer_executed(enter, ++matches_));
      publish(
          bytes(wire::itch::OrderExecuted{.order_ref = std::uint64_t{1}, .shares = 100u, .match_number = matches_}));
    } else {
      publish(bytes(wire::itch::AddOrder{
          .order_ref = reference, .side = enter.side, .shares = enter.quantity, .stock = enter.symbol, .price = 1u}));
    }
  }

  LoadOptions options_;
  NetConfig server_;
  std::map<std::uint16_t, Session> sessions_;  // by the client's port
  DatagramTemplate to_feed_;
  std::multimap<TimeNs, FrameBytes> wire_;  // to the client, by arrival
  std::multiset<TimeNs> outstanding_;       // when orders will be answered
  TimeNs at_ns_ = 0;
  TimeNs heartbeat_ns_ = 0;  // next
  std::uint64_t references_ = 0, matches_ = 0, feed_number_ = 0;
};

/// A client and an exchange, a step at a time.
class LoadRig {
 public:
  explicit LoadRig(const LoadOptions& options) : exchange(options), client(options, rx, tx) {}

  /// Until the client is ready; true if it is.
  bool get_ready() {
    while (!client.ready()) {
      if (!step()) return false;
    }
    return true;
  }
  /// From ready to the end.
  const LoadFigures& run() {
    client.start();
    while (step()) {
    }
    return client.figures();
  }
  const LoadFigures& run_all() {
    if (!get_ready()) return client.figures();
    return run();
  }

  bool step() {
    now_ns += step_ns;
    std::vector<FrameBytes> frames = exchange.due(now_ns);
    bool goes_on = true;
    // More than a burst: one after the other, at one time.
    do {
      const std::size_t count = std::min(frames.size(), kMaxBurst);
      const auto end = frames.begin() + static_cast<std::ptrdiff_t>(count);
      rx.push_burst(now_ns, {frames.begin(), end});
      frames.erase(frames.begin(), end);
      goes_on = client.poll();
    } while (goes_on && !frames.empty());
    std::vector<MemoryTxPort::Sent> out = tx.take_frames();
    exchange.take(out, now_ns);
    if (!keep_sent) return goes_on;
    for (MemoryTxPort::Sent& frame : out) sent.push_back(std::move(frame.bytes));
    return goes_on;
  }

  TimeNs now_ns = 1'000 * kMilli;
  TimeNs step_ns = kUs;  // longer where seconds are waited and no microsecond is looked at
  MemoryRxPort rx;
  MemoryTxPort tx;
  StubExchange exchange;
  LoadClient client;
  std::vector<FrameBytes> sent;
  bool keep_sent = true;
};

/// One session, one symbol, no orders resting before, no warm-up.
inline LoadOptions load_options() {
  LoadOptions options;
  options.parties = {{{2, 0, 0, 0, 1, 1}, 0x0A630064, 40'000, "ANN", "secret"}};
  options.server.address = kOurAddress;
  options.symbols = {{{'A', 'A', 'A', ' ', ' ', ' ', ' ', ' '}, Price{1'000'000}, 100}};
  options.mix.resting = 100;
  options.schedule = LoadSchedule::constant(10'000);
  options.measured_ns = 100 * kMilli;
  return options;
}

}  // namespace crosswire::test
