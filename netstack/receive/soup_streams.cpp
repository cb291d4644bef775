// SoupBinTCP out of TCP's streams: see the header.
#include "netstack/receive/soup_streams.hpp"

#include <algorithm>
#include <cstring>

#include "hugepages/base/check.hpp"
#include "netstack/wire/operator_frame.hpp"

namespace crosswire {

using namespace wire;
using Count = ReceiveCounter;

SoupStreams::SoupStreams(const NetConfig& net, std::size_t connections, AdmissionRing& admissions, SessionDesk& desk,
                         OrderIntake& intake, CommandWriter& commands, ReceiveCounters& counters, Arena& arena)
    : net_(net),
      admissions_(admissions),
      desk_(desk),
      intake_(intake),
      commands_(commands),
      counters_(counters),
      streams_(arena.array<Stream>(connections)),
      ends_(arena.array<End>(connections + 1)),
      gone_(arena.array<End>(connections + kMaxBurst)) {}

std::size_t SoupStreams::bytes_for(const NetConfig&, std::size_t connections) {
  return Arena::bytes_for<Stream>(connections) + Arena::bytes_for<End>(connections + 1) +
         Arena::bytes_for<End>(connections + kMaxBurst);
}

// ---- Ends -----------------------------------------------------------------------------------------------------------

/// A login elsewhere, or an end that was not the stream's own, has taken the session from it.
bool SoupStreams::is_live(tcp::ConnectionId id, const Stream& stream) const {
  const Login& login = desk_.logins().login(stream.session);
  return login.open && login.connection == ref_of(id);
}

void SoupStreams::push_end(const End& end) {
  ends_[ends_last_] = end;
  ends_last_ = ends_last_ + 1 == ends_.size() ? 0 : ends_last_ + 1;
  CHECK(ends_last_ != ends_first_, "%zu ends at once", ends_.size());
}

/// No byte of the stream counts any more. What it carried ends, and the client is told why.
void SoupStreams::leave(tcp::ConnectionId id, Stream& stream, SessionEndReason reason, bool at_once) {
  if (stream.phase == Phase::stranger || stream.phase == Phase::asking) {
    if (stream.phase == Phase::stranger) remove_stranger(stream);
    push_end({kNoSession, ref_of(id), reason, at_once});
  } else if (stream.phase == Phase::session && is_live(id, stream)) {
    push_end({stream.session, ref_of(id), reason});
  }
  stream.phase = Phase::left;
}

bool SoupStreams::make_all_ends() {
  while (has_ends()) {
    const End& end = ends_[ends_first_];
    if (!commands_.has_room()) return false;
    if (end.session == kNoSession) {
      SessionEnd& body = commands_.make(CommandKind::session_close, kNoSession).end;
      body.reason = end.reason;
      body.at_once = end.at_once;
      body.connection = end.connection;
    } else {
      close(end);
    }
    ends_first_ = ends_first_ + 1 == ends_.size() ? 0 : ends_first_ + 1;
  }
  return true;
}

/// Unless it is carried by another connection by now, or by none.
bool SoupStreams::close(const End& end) {
  const Login& login = desk_.logins().login(end.session);
  if (!login.open || login.connection != end.connection) return false;
  desk_.close(end.session, end.reason);
  return true;
}

// ---- What no frame says ---------------------------------------------------------------------------------------------

bool SoupStreams::settle_all(RxPort& port) {
  for (bool done = false; !done;) {
    if (!take_the_rest() || !settle_next(port, done)) return false;
    commands_.finish_burst();
  }
  return true;
}

/// `done`: there is nothing any more.
bool SoupStreams::settle_next(RxPort& port, bool& done) {
  const Admission* const admission = admissions_.front();
  done = gone_n_ == 0 && admission == nullptr;
  if (done) return true;
  if (!commands_.has_room()) return false;
  if (gone_n_ > 0) {
    const End& end = gone_[--gone_n_];
    if (close(end)) note(port, end.session, end.reason, nullptr);
    return true;
  }
  if (!settle_admission(*admission, port)) return false;
  admissions_.drop_front();
  return true;
}

/// A client that is gone meanwhile, or has another connection on its place, is not meant.
bool SoupStreams::settle_admission(const Admission& admission, RxPort& port) {
  const tcp::ConnectionId id{admission.connection.place};
  Stream& stream = streams_[id.value];
  if (stream.phase != Phase::asking || ref_of(id) != admission.connection) return true;
  if (!admission.admitted) {  // transmit has told it
    stream.phase = Phase::left;
    rest_ = id.value;
  } else if (!net_.replays) {  // else the recording says when
    note(port, stream.session, SessionEndReason::none, &stream.source);
    admit(id, stream);
  }
  return true;
}

void SoupStreams::admit(tcp::ConnectionId id, Stream& stream) {
  desk_.open(stream.session, stream.source, ref_of(id), stream.wanted);
  stream.phase = Phase::session;
  rest_ = id.value;  // what came behind the login
}

void SoupStreams::note(RxPort& port, SessionId session, SessionEndReason reason, const Source* source) {
  SessionFrame frame{};
  frame.ether_type = kRecorderEtherType;
  frame.version = SessionFrame::kVersion;
  frame.session = session.value;
  frame.reason = static_cast<std::uint8_t>(reason);
  if (source != nullptr) {
    frame.address = source->address;
    frame.port = source->port;
  }
  port.note(bytes_of(frame));
}

bool SoupStreams::take_note(Bytes frame) {
  if (rest_ != kNobody) return take_the_rest();  // of this one: it was called before
  if (!commands_.has_room()) return false;
  const auto* const note = view_as<SessionFrame>(frame);
  const bool known = note != nullptr && note->session < net_.accounts.size() &&
                     note->reason <= static_cast<std::uint8_t>(SessionEndReason::end_of_day);
  if (!known) {
    counters_.add(Count::operator_unknown);
    return true;
  }
  const SessionId session{note->session.value()};
  const auto reason = static_cast<SessionEndReason>(note->reason);
  if (reason != SessionEndReason::none) {
    close({session, desk_.logins().login(session).connection, reason});
    return true;
  }
  const auto asks = [&](const Stream& stream) {
    return stream.phase == Phase::asking && stream.session == session && stream.source.address == note->address &&
           stream.source.port == note->port;
  };
  const auto found = std::find_if(streams_.begin(), streams_.end(), asks);
  if (found == streams_.end()) {
    counters_.add(Count::operator_unknown);
    return true;
  }
  admit(tcp::ConnectionId{static_cast<std::uint16_t>(found - streams_.begin())}, *found);
  return take_the_rest();
}

void SoupStreams::look_for_late_logins(TimeNs now) {
  while (oldest_stranger_ != kNobody && now >= streams_[oldest_stranger_].opened_ns + net_.login_ns) {
    leave(tcp::ConnectionId{oldest_stranger_}, streams_[oldest_stranger_], SessionEndReason::none);
    counters_.add(Count::soup_logins_late);
  }
}

// ---- Strangers ------------------------------------------------------------------------------------------------------

void SoupStreams::add_stranger(tcp::ConnectionId id, Stream& stream) {
  stream.before = newest_stranger_;
  stream.after = kNobody;
  (newest_stranger_ == kNobody ? oldest_stranger_ : streams_[newest_stranger_].after) = id.value;
  newest_stranger_ = id.value;
  ++strangers_;
}

void SoupStreams::remove_stranger(Stream& stream) {
  (stream.before == kNobody ? oldest_stranger_ : streams_[stream.before].after) = stream.after;
  (stream.after == kNobody ? newest_stranger_ : streams_[stream.after].before) = stream.before;
  --strangers_;
}

/// So that who only connects cannot keep out who logs in: its place is free at once.
void SoupStreams::cut_oldest_stranger() {
  leave(tcp::ConnectionId{oldest_stranger_}, streams_[oldest_stranger_], SessionEndReason::none, true);
  counters_.add(Count::soup_strangers_cut);
}

// ---- Connections ----------------------------------------------------------------------------------------------------

void SoupStreams::opened(tcp::ConnectionId id, const tcp::Remote& remote, std::uint16_t) {
  if (strangers_ >= net_.strangers) cut_oldest_stranger();
  Stream& stream = streams_[id.value];
  stream.source = {remote.mac, remote.vlan, remote.address, remote.port};
  stream.opened_ns = commands_.now();
  stream.skip = 0;
  stream.have = 0;
  stream.session = kNoSession;
  stream.phase = Phase::stranger;
  add_stranger(id, stream);
}

/// Without a logout in front of it: as if the connection had broken.
void SoupStreams::finished(tcp::ConnectionId id) { leave(id, streams_[id.value], SessionEndReason::reset); }

void SoupStreams::gone(tcp::ConnectionId id, tcp::EndReason reason) {
  Stream& stream = streams_[id.value];
  // Whose own end was still to come; of a stranger nothing is left that could be told.
  if (stream.phase == Phase::session) {
    const bool silent = reason == tcp::EndReason::silent;
    const bool cut = reason == tcp::EndReason::fell_behind;
    const SessionEndReason why = silent ? SessionEndReason::silence
                                 : cut  ? SessionEndReason::cut
                                        : SessionEndReason::reset;
    // In a replay the recording says where it was heard of.
    if (!net_.replays && is_live(id, stream)) {
      CHECK(gone_n_ < gone_.size(), "%zu connections gone at once", gone_n_);
      gone_[gone_n_++] = {stream.session, ref_of(id), why};
    }
  }
  if (stream.phase == Phase::stranger) remove_stranger(stream);
  stream.phase = Phase::none;
}

// ---- Bytes ----------------------------------------------------------------------------------------------------------

tcp::StreamReader::Taken SoupStreams::take(tcp::ConnectionId id, Bytes bytes) {
  Stream& stream = streams_[id.value];
  std::size_t done = 0;
  Step step = Step::done;
  if (stream.phase == Phase::session && !is_live(id, stream)) stream.phase = Phase::left;
  while (done < bytes.size() && step == Step::done && stream.phase != Phase::left && stream.phase != Phase::asking) {
    const Bytes rest = bytes.subspan(done);
    if (stream.skip > 0) {
      const std::size_t skipped = std::min<std::size_t>(stream.skip, rest.size());
      stream.skip -= static_cast<std::uint32_t>(skipped);
      done += skipped;
      continue;
    }
    // Whole in one piece, as a rule.
    if (stream.have == 0) {
      const soup::Read packet = soup::read(rest);
      if (packet.status == soup::ReadStatus::packet && packet.size <= kMostPacket) [[likely]] {
        step = take_packet(id, stream, packet);
        if (step == Step::done) done += packet.size;
        continue;
      }
    }
    done += take_part(id, stream, rest, step);
  }
  if (step == Step::cut) {
    counters_.add(Count::soup_cut);
    leave(id, stream, SessionEndReason::cut);
  }
  if (stream.phase == Phase::left) return {bytes.size(), tcp::kNoNumber};
  if (step == Step::no_room) rest_ = id.value;
  return {done, commands_.made()};
}

/// Those whose logins are with transmit are offered theirs, too, and leave them.
bool SoupStreams::take_rest() {
  half_->offer_again();
  if (half_->has_unread(tcp::ConnectionId{rest_}) && streams_[rest_].phase != Phase::asking) return false;
  rest_ = kNobody;
  return true;
}

/// A packet that comes in pieces, or is too long. Returns how many of the bytes are taken; the last one of a packet not
/// before its command is made.
std::size_t SoupStreams::take_part(tcp::ConnectionId id, Stream& stream, Bytes bytes, Step& step) {
  std::size_t done = 0;
  while (stream.have < sizeof(soup::Header) && done < bytes.size()) stream.part[stream.have++] = bytes[done++];
  const std::size_t length = stream.have < sizeof(be16) ? 1 : std::size_t{*view_as<be16>(Bytes(stream.part))};
  if (length == 0) {
    step = Step::cut;
    return done;
  }
  if (stream.have < sizeof(soup::Header)) return done;
  const std::size_t size = sizeof(be16) + length;
  if (size > kMostPacket) {
    // Nobody logs in like that; who has is passed over, as an unknown type is.
    step = stream.phase == Phase::stranger ? Step::cut : Step::done;
    counters_.add(Count::soup_too_long);
    stream.skip = static_cast<std::uint32_t>(size - stream.have);
    stream.have = 0;
    return done;
  }
  const std::size_t wanted = std::min(size - stream.have, bytes.size() - done);
  std::memcpy(stream.part.data() + stream.have, bytes.data() + done, wanted);
  stream.have = static_cast<std::uint16_t>(stream.have + wanted);
  done += wanted;
  if (stream.have < size) return done;
  step = take_packet(id, stream, soup::read(Bytes(stream.part).first(size)));
  if (step != Step::no_room) {
    stream.have = 0;
    return done;
  }
  --stream.have;
  return done - 1;
}

SoupStreams::Step SoupStreams::take_packet(tcp::ConnectionId id, Stream& stream, const soup::Read& packet) {
  if (stream.phase != Phase::session) return take_first(id, stream, packet);
  if (packet.type == soup::PacketType::unsequenced_data) [[likely]] {
    if (day_over_) [[unlikely]] {
      counters_.add(Count::order_day_over);
    } else if (!commands_.has_room() || !intake_.take(stream.session, packet.payload)) {
      return Step::no_room;
    }
  } else if (packet.type == soup::PacketType::logout_request) {
    counters_.add(Count::logouts);
    leave(id, stream, SessionEndReason::logout);
    return Step::done;
  } else if (packet.type == soup::PacketType::client_heartbeat) {
    counters_.add(Count::heartbeats);
  } else if (packet.type == soup::PacketType::login_request) {
    counters_.add(Count::soup_login_again);
  } else if (packet.type != soup::PacketType::debug) {
    counters_.add(Count::soup_type);
  }
  counters_.add(Count::soup_packets);
  desk_.logins().heard(stream.session, commands_.now());
  return Step::done;
}

/// Ahead of a login nothing else counts, and orders or a logout show that none will come.
SoupStreams::Step SoupStreams::take_first(tcp::ConnectionId id, Stream& stream, const soup::Read& packet) {
  if (packet.type == soup::PacketType::login_request) return take_login(id, stream, packet.payload);
  counters_.add(Count::soup_before_login);
  const bool harmless = packet.type == soup::PacketType::debug || packet.type == soup::PacketType::client_heartbeat;
  return harmless ? Step::done : Step::cut;
}

SoupStreams::Step SoupStreams::take_login(tcp::ConnectionId id, Stream& stream, Bytes payload) {
  if (payload.size() != sizeof(soup::LoginRequest)) {
    counters_.add(Count::soup_malformed);
    return Step::cut;
  }
  if (!commands_.has_room()) return Step::no_room;
  counters_.add(Count::soup_packets);
  remove_stranger(stream);
  stream.session = desk_.take_login(stream.source, ref_of(id), *view_as<soup::LoginRequest>(payload), stream.wanted);
  stream.phase = stream.session == kNoSession ? Phase::left : Phase::asking;
  return Step::done;
}

}  // namespace crosswire
