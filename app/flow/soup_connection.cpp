// A connection's client stream: see the header. Tools only.
#include "app/flow/soup_connection.hpp"

namespace crosswire {

SoupConnection::SoupConnection(std::uint32_t number, const Endpoint& client, const Endpoint& exchange,
                               std::uint32_t sequence, StreamBeginning beginning, bool trusted, const Tell& tell)
    : number_(number),
      client_(client),
      exchange_(exchange),
      first_sequence_(sequence),
      beginning_(beginning),
      tell_(tell),
      assembler_(sequence),
      reader_(*this, beginning != StreamBeginning::middle, trusted) {}

void SoupConnection::from_client(const tcp::Segment& segment, CapturedAt at) {
  const std::uint32_t first = segment.sequence + (segment.has(tcp::kSyn) ? 1 : 0);
  assembler_.take(first, segment.payload, at, reader_);
  if (segment.has(tcp::kFin)) {
    assembler_.take_end(first + static_cast<std::uint32_t>(segment.payload.size()), at, reader_);
  }
  if (segment.has(tcp::kRst) && assembler_.is_near(first)) ended(at);
}

void SoupConnection::from_exchange(const tcp::Segment& segment, CapturedAt at) {
  const bool reset = segment.has(tcp::kRst);
  if (segment.has(tcp::kAck) && !reset) assembler_.take_acknowledgement(segment.acknowledgement);
  if (reset || segment.has(tcp::kFin)) ended(at);
}

bool SoupConnection::is_strange(const tcp::Segment& segment) const {
  if (segment.payload.empty() || assembler_.is_near(segment.sequence)) return false;
  const wire::soup::Read first = wire::soup::read(segment.payload);
  const bool login = first.type == wire::soup::PacketType::login_request;
  return ended_ || (login && is_packet_chain(segment.payload, false));
}

bool SoupConnection::began_at(const Endpoint& client, std::uint32_t sequence) const {
  return client == client_ && sequence == first_sequence_;
}

void SoupConnection::login(const wire::soup::LoginRequest& login, CapturedAt at) {
  tell(StreamEvent::Kind::login, wire::bytes_of(login), at);
}
void SoupConnection::message(wire::Bytes message, CapturedAt at) { tell(StreamEvent::Kind::message, message, at); }
void SoupConnection::logout(CapturedAt at) { tell(StreamEvent::Kind::logout, {}, at); }

/// By either side, in whatever way: the first counts.
void SoupConnection::ended(CapturedAt at) {
  if (ended_) return;
  ended_ = true;
  tell(StreamEvent::Kind::ended, {}, at);
}

void SoupConnection::tell(StreamEvent::Kind kind, wire::Bytes bytes, CapturedAt at) {
  if (reader_.verdict() != SoupReader::Verdict::soup) return;
  tell_({at, number_, kind, client_, exchange_, {bytes.begin(), bytes.end()}});
}

}  // namespace crosswire
