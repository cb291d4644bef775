// The SoupBinTCP sessions in a capture: see the header. Tools only.
#include "app/flow/captured_streams.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace crosswire {
namespace {

std::pair<Endpoint, Endpoint> pair_of(const Endpoint& a, const Endpoint& b) {
  return a < b ? std::pair{a, b} : std::pair{b, a};
}

bool is_soup(const SoupConnection& connection) { return connection.reader().verdict() == SoupReader::Verdict::soup; }

bool begins_with_login(wire::Bytes payload) {
  return wire::soup::read(payload).type == wire::soup::PacketType::login_request;
}

}  // namespace

CapturedStreams::CapturedStreams(std::optional<std::uint16_t> port, EventOrder::Take take)
    : port_(port), order_(std::move(take)), tell_([this](StreamEvent&& event) { order_.add(std::move(event)); }) {}

void CapturedStreams::take(const TcpFrame& frame, CapturedAt at) {
  if (port_ && frame.source.port != *port_ && frame.destination.port != *port_) {
    ++other_segments_;
    return;
  }
  if (frame.segment.has(tcp::kSyn) && !frame.segment.has(tcp::kRst)) take_handshake(frame, at);
  take_segment(frame, at);
  settle(at);
}

/// As far as the ports tell.
bool CapturedStreams::may_go_to_exchange(const TcpFrame& frame) const {
  return !port_ || frame.destination.port == *port_;
}

/// A SYN, or the answer to one, that is not of the connection which is there begins one.
void CapturedStreams::take_handshake(const TcpFrame& frame, CapturedAt at) {
  const bool answer = frame.segment.has(tcp::kAck);
  const Endpoint& client = answer ? frame.destination : frame.source;
  const Endpoint& exchange = answer ? frame.source : frame.destination;
  if (port_ && exchange.port != *port_) return;
  const std::uint32_t first = answer ? frame.segment.acknowledgement : frame.segment.sequence + 1;
  const auto found = table_.find(pair_of(client, exchange));
  if (found != table_.end()) {
    if (found->second.connection && found->second.connection->began_at(client, first)) return;
    retire(found);
  }
  begin(client, exchange, first, answer ? StreamBeginning::half_handshake : StreamBeginning::handshake);
  settle(at);
}

void CapturedStreams::take_segment(const TcpFrame& frame, CapturedAt at) {
  auto entry = table_.find(pair_of(frame.source, frame.destination));
  if (entry != table_.end() && entry->second.connection && entry->second.connection->client() == frame.source &&
      entry->second.connection->is_strange(frame.segment)) {
    retire(entry);
    entry = table_.end();
  }
  if (entry == table_.end()) entry = begin_in_the_middle(frame);
  if (entry == table_.end() || !entry->second.connection) {
    ++other_segments_;
    return;
  }
  SoupConnection& connection = *entry->second.connection;
  if (connection.client() == frame.source) {
    connection.from_client(frame.segment, at);
  } else {
    connection.from_exchange(frame.segment, at);
  }
  keep_books(entry);
  if (connection.reader().verdict() == SoupReader::Verdict::not_soup) set_aside(entry);
}

/// Until its ports are used anew, nothing of it is looked at.
void CapturedStreams::set_aside(Table::iterator entry) {
  entry->second.connection->finish();
  keep_books(entry);
  entry->second.connection.reset();
}

/// Where the segment's connection is none that is known, but is one that is to be followed from here on.
CapturedStreams::Table::iterator CapturedStreams::begin_in_the_middle(const TcpFrame& frame) {
  const wire::Bytes payload = frame.segment.payload;
  if (payload.empty() || !may_go_to_exchange(frame)) return table_.end();
  const bool certain = is_packet_chain(payload, false);
  if (!certain && !port_) return table_.end();
  const bool login = certain && begins_with_login(payload);
  return begin(frame.source, frame.destination, frame.segment.sequence + (frame.segment.has(tcp::kSyn) ? 1 : 0),
               login ? StreamBeginning::login : StreamBeginning::middle);
}

CapturedStreams::Table::iterator CapturedStreams::begin(const Endpoint& client, const Endpoint& exchange,
                                                        std::uint32_t sequence, StreamBeginning beginning) {
  if (reports_.size() >= kMostConnections || (table_.size() >= kMostConnections && !make_room())) {
    ++left_out_;
    return table_.end();
  }
  const auto entry = table_.try_emplace(pair_of(client, exchange)).first;
  const std::uint32_t number = next_number_++;
  entry->second.number = number;
  entry->second.connection =
      std::make_unique<SoupConnection>(number, client, exchange, sequence, beginning, port_.has_value(), tell_);
  uncertain_.emplace(number, entry->first);
  return entry;
}

/// Forgets the oldest connection of which it is not known that it speaks SoupBinTCP. False: there is none.
bool CapturedStreams::make_room() {
  if (uncertain_.empty()) return false;
  retire(table_.find(uncertain_.begin()->second));
  return true;
}

/// After whatever was done to the connection.
void CapturedStreams::keep_books(Table::iterator entry) {
  Entry& at = entry->second;
  const StreamAssembler& assembler = at.connection->assembler();
  held_cost_ += assembler.held_cost() - at.held_cost;
  at.held_cost = assembler.held_cost();
  const std::optional<CapturedAt> since = assembler.waits_since();
  if (at.waits_since) waiting_.erase({at.waits_since->frame, entry->first});
  at.waits_since = since;
  if (since) waiting_.insert({since->frame, entry->first});
  if (is_soup(*at.connection)) uncertain_.erase(at.number);
}

/// No segment of it comes any more.
void CapturedStreams::retire(Table::iterator entry) {
  if (SoupConnection* const connection = entry->second.connection.get(); connection != nullptr) {
    connection->finish();
    keep_books(entry);
    if (is_soup(*connection)) {
      const StreamAssembler& assembler = connection->assembler();
      StreamReport report{connection->number(),
                          connection->client(),
                          connection->exchange(),
                          connection->beginning(),
                          assembler.has_acknowledgements(),
                          connection->reader().figures(),
                          assembler.figures(),
                          {}};
      for (const StreamAssembler::Hole& hole : assembler.holes()) {
        report.holes.push_back({hole.offset, hole.length, assembler.acknowledged(hole)});
      }
      reports_.push_back(std::move(report));
    }
  }
  uncertain_.erase(entry->second.number);
  table_.erase(entry);
}

/// Hands on what is in order, and gives up what has been waited for long enough.
void CapturedStreams::settle(CapturedAt now) {
  while (!waiting_.empty()) {
    order_.hand_on(waiting_.begin()->first);
    const auto oldest = table_.find(waiting_.begin()->second);
    const bool in_time = oldest->second.waits_since->time_ns + kHoleWaitNs >= now.time_ns;
    if (in_time && held_cost_ + order_.cost() <= kMostWaiting) return;
    oldest->second.connection->give_up_hole();
    keep_books(oldest);
  }
  order_.hand_on(std::numeric_limits<std::uint64_t>::max());
}

void CapturedStreams::finish() {
  while (!table_.empty()) retire(table_.begin());
  order_.hand_on(std::numeric_limits<std::uint64_t>::max());
  std::sort(reports_.begin(), reports_.end(),
            [](const StreamReport& a, const StreamReport& b) { return a.connection < b.connection; });
}

}  // namespace crosswire
