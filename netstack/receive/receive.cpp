// The receive stage: see the header. Reads top down as a frame does: time, Ethernet, IPv4, UDP, session.
#include "netstack/receive/receive.hpp"

#include <algorithm>
#include <optional>

#include "netstack/answers/appendage.hpp"
#include "netstack/common/limits.hpp"
#include "netstack/ip/icmp.hpp"
#include "netstack/ip/ipv4.hpp"
#include "netstack/link/arp.hpp"
#include "netstack/link/ethernet.hpp"
#include "netstack/udp/datagram_reader.hpp"
#include "netstack/wire/operator_frame.hpp"
#include "netstack/wire/soup.hpp"

namespace crosswire {
namespace {

using namespace wire;
using Count = ReceiveCounter;

/// The first point of the tick grid at or after `time`.
constexpr TimeNs tick_at_or_after(TimeNs time) {
  return (time + kTickIntervalNs - 1) / kTickIntervalNs * kTickIntervalNs;
}

/// On the order port a SoupBinTCP packet of fewer than 256 bytes begins with 0, and no session name does (WIRE 7).
bool is_mold(Bytes bytes) { return !bytes.empty() && bytes[0] != 0; }

/// At most so many bytes has the frame that answers a re-request of `messages`.
constexpr std::uint32_t most_answer_bytes(std::uint16_t messages) {
  constexpr std::size_t kHeaders = kEthernetBytes + kVlanTagBytes + kIpv4Bytes + kUdpBytes;
  const std::size_t payload = sizeof(mold::Header) + std::size_t{messages} * (sizeof(be16) + answers::kMaxBytes);
  return static_cast<std::uint32_t>(kHeaders + std::min(payload, kMaxUdpPayload));
}

/// A tenth of a second's worth at once, and at least what one takes.
TokenBucket tenth_at_once(std::uint32_t per_second, std::uint32_t least) {
  return {per_second, std::max(least, per_second / 10)};
}

}  // namespace

ReceiveStage::ReceiveStage(const NetConfig& net, const EngineConfig& engine, RxPort& port,
                           BroadcastRing<Command>::Producer& commands, Orders& orders, SlotSource& slots,
                           EchoStore& echoes, Arena& arena, const tcp::Wiring* tcp)
    : net_(net),
      port_(port),
      echoes_(echoes),
      vlans_(net.vlans),
      order_frames_(net),
      segment_frames_(net),
      order_session_(std::string_view{net.order_session}),
      feed_session_(std::string_view{net.feed_session}),
      next_tick_(tick_at_or_after(net.start_ns)),
      echo_replies_(net.pings_per_second),
      feed_answers_(net.feed_requests_per_second),
      order_requests_(arena.array<TokenBucket>(net.accounts.size())),
      order_resend_bytes_(tenth_at_once(net.order_resend_bytes_per_second, kMaxFrame)),
      commands_(commands, counters_, engine, net.start_ns),
      desk_(net, commands_, counters_, arena),
      intake_(net, engine, commands_, orders, slots, counters_, arena),
      operators_(engine, intake_, commands_, orders, slots, counters_, &desk_.logins()) {
  if (tcp != nullptr) tcp_.emplace(net, *tcp, desk_, intake_, commands_, counters_, arena);
  std::fill(order_requests_.begin(), order_requests_.end(), tenth_at_once(net.order_requests_per_second, 1));
}

std::size_t ReceiveStage::bytes_for(const NetConfig& net, const EngineConfig& engine, const tcp::TcpConfig* tcp) {
  const std::size_t over_tcp =
      tcp == nullptr ? 0 : SoupStreams::bytes_for(net, tcp->connections) + tcp::ReceiveHalf::bytes_for(*tcp);
  return SessionDesk::bytes_for(net) + Arena::bytes_for<TokenBucket>(net.accounts.size()) +
         OrderIntake::bytes_for(net, engine) + over_tcp;
}

std::size_t ReceiveStage::poll() {
  if (session_mailbox_.asked()) [[unlikely]]
    report_sessions();
  finished_ = 0;
  const std::uint64_t before = commands_.made();
  if (step_ == Step::start && make_alone(CommandKind::day_start)) step_ = Step::receive;
  if (step_ == Step::receive) take_burst();
  if (step_ == Step::clock && make_ends() && advance_clock()) step_ = burst_ends_day_ ? Step::end_day : Step::frames;
  if (step_ == Step::frames && (out_of_band_ ? take_operators() : take_frames())) step_ = Step::gone;
  if (step_ == Step::gone && (!tcp_ || tcp_->streams.settle(port_))) step_ = Step::receive;
  if (tcp_) tcp_->half.end_burst();
  if (step_ == Step::end_day) [[unlikely]]
    end_day();
  if (step_ == Step::end_run && make_alone(CommandKind::run_end)) step_ = Step::ended;
  return finished_ + (commands_.made() - before);
}

void ReceiveStage::report_sessions() {
  session_mailbox_.answer([this](std::uint64_t first, std::span<ReceiveSessionState> items) {
    std::size_t n = 0;
    for (; n < items.size() && first + n < net_.accounts.size(); ++n) {
      const Login& login = desk_.logins().login(SessionId{static_cast<std::uint16_t>(first + n)});
      const Transport transport = login.over_tcp() ? Transport::tcp : Transport::udp;
      items[n] = {login.open,         transport,         login.source.address,
                  login.source.port,  login.source.vlan, now() - login.heard_ns,
                  login.next_upstream};
    }
    return n;
  });
}

// ---- Commands -------------------------------------------------------------------------------------------------------

bool ReceiveStage::make_alone(CommandKind kind) {
  if (!commands_.has_room()) return false;
  commands_.make(kind, kNoSession);
  commands_.finish_burst();
  return true;
}

/// Where the port ends without having said so, day and run end at one time.
void ReceiveStage::end_day() {
  if (!day_over_ && !make_alone(CommandKind::day_end)) return;
  day_over_ = true;
  if (tcp_) tcp_->streams.end_day();
  step_ = burst_ended_ ? Step::end_run : Step::receive;
}

// ---- Time -----------------------------------------------------------------------------------------------------------

void ReceiveStage::take_burst() {
  if (answered_ && !answered_->all(commands_.made())) [[unlikely]]
    return;
  // Taken apart: a burst copied as a whole would be read in wider pieces than it has just been stored in, and wait.
  const RxBurst burst = port_.receive();
  frames_ = burst.frames.empty() ? std::span<const RxFrame>() : burst.frames;
  frame_ = 0;
  burst_ended_ = burst.ended;
  burst_ends_day_ = burst.ended || burst.day_ended;
  out_of_band_ = burst.out_of_band;
  burst_ns_ = burst.time_ns;
  if (burst_ns_ < now()) {
    if (!frames_.empty()) counters_.add(Count::time_fell);
    burst_ns_ = now();
  }
  // Behind the burst and before its frames, so that what answers a frame of ours is never older than what is known of
  // that frame.
  if (tcp_) tcp_->half.take_signals();
  step_ = Step::clock;
}

/// Makes what is due up to the burst's time, each at its own; at one time phases come before the tick, and that before
/// a turn.
bool ReceiveStage::make_what_is_due() {
  constexpr TimeNs kNever = TurnClock::kNever;
  for (unsigned points = 0; points < kMostDuePerPoll; ++points) {
    if (in_silence_scan_ && !close_silent_sessions()) return false;
    const bool phases_left = next_phase_ < net_.schedule.size() && !day_over_;
    const TimeNs phase_at = phases_left ? net_.schedule[next_phase_].at_ns : kNever;
    const TimeNs turn_at = commands_.next_turn();
    const TimeNs due = std::min({phase_at, next_tick_, turn_at});
    if (due > burst_ns_) {
      commands_.set_due(due);
      commands_.move_on(burst_ns_);
      return true;
    }
    if (!commands_.has_room()) return false;
    commands_.move_on(std::max(now(), due));  // phases from before the start are entered at the start
    if (turn_at < phase_at && turn_at < next_tick_) {
      commands_.make_turn();
      commands_.finish_burst();
    } else if (phase_at <= next_tick_) {
      enter_phase();
    } else {
      tick();
    }
  }
  return false;
}

void ReceiveStage::enter_phase() {
  const PhaseChange& change = net_.schedule[next_phase_++];
  Command& command = commands_.make(CommandKind::phase, kNoSession);
  command.symbol = change.symbol;
  command.phase.phase = change.phase;
  commands_.finish_burst();
}

void ReceiveStage::tick() {
  next_tick_ += kTickIntervalNs;
  commands_.make(CommandKind::tick, kNoSession);
  commands_.lives_end(intake_.lives_over(now()));
  if (tcp_) tcp_->streams.look_for_late_logins(now());
  in_silence_scan_ = (tcp_ && tcp_->streams.has_ends()) || desk_.logins().may_be_silent(now(), net_.silence_ns);
  silence_scan_ = SessionId{0};
  if (!in_silence_scan_) commands_.finish_burst();
}

bool ReceiveStage::close_silent_sessions() {
  if (!make_ends()) return false;
  while (const std::optional<SessionId> silent = desk_.logins().next_silent(silence_scan_, now(), net_.silence_ns)) {
    silence_scan_ = *silent;
    if (!commands_.has_room()) return false;
    desk_.close(*silent, SessionEndReason::silence);
    counters_.add(Count::silences);
  }
  in_silence_scan_ = false;
  commands_.finish_burst();
  return true;
}

// ---- Operators ------------------------------------------------------------------------------------------------------

bool ReceiveStage::take_operators() {
  CHECK(frames_.size() == 1, "%zu operators' frames in a burst", frames_.size());
  const Bytes frame{frames_[0].data, frames_[0].length};
  const bool notes = tcp_ && frame.size() == sizeof(SessionFrame);
  if (!(notes ? tcp_->streams.take_note(frame) : operators_.take(frame))) return false;
  ++finished_;
  commands_.finish_burst();
  return true;
}

// ---- Frames ---------------------------------------------------------------------------------------------------------

bool ReceiveStage::take_frames() {
  for (; frame_ < frames_.size(); ++frame_) {
    const RxFrame& frame = frames_[frame_];
    if (!take_frame({frame.data, frame.length}, frame.checked)) return false;
    counters_.add(Count::frames);
    ++finished_;
  }
  commands_.finish_burst();
  return true;
}

/// A frame is looked at only when there is room for a command, so that what parsing changes (a token, an upstream
/// number) is changed once. What needs more than one command, or something else, sees to it where it does.
bool ReceiveStage::take_frame(Bytes frame, CheckedSums checked) {
  if (in_block_) return take_blocks();
  if (in_tcp_) return finish_tcp();
  if (!commands_.has_room()) return false;
  // The one predicted path; what is not on it in any way goes the long way, which says why.
  SessionId session;
  const Bytes message = order_frames_.next_message(frame, checked, desk_.logins(), session);
  if (!message.empty() && !day_over_) [[likely]]
    return take_next(session, message);
  return take_any_frame(frame);
}

bool ReceiveStage::take_any_frame(Bytes frame) {
  if (tcp_) {
    const CheckedSums checked = frames_[frame_].checked;
    tcp::SegmentSource from;
    const Bytes segment = segment_frames_.segment_in(frame, checked, from);
    if (!segment.empty()) return take_segment(from, segment, checked.udp);
  }
  const Parsed<link::Frame> parsed = link::parse_ethernet(frame, net_.mac, vlans_);
  if (!parsed.ok()) return count(parsed.drop);
  if (parsed.value.type == RTE_ETHER_TYPE_IPV4) return take_ipv4(parsed.value);
  if (parsed.value.type == RTE_ETHER_TYPE_ARP) return take_arp(parsed.value);
  return count(Count::ether_type_unknown);
}

bool ReceiveStage::take_next(SessionId session, Bytes message) {
  if (!intake_.take(session, message)) return false;
  desk_.logins().heard_next(session, now());
  return count(Count::order_datagrams);
}

bool ReceiveStage::take_arp(const link::Frame& frame) {
  const Parsed<link::ArpAsker> asker = link::parse_arp(frame.payload, frame.source, net_.mac, net_.address);
  if (!asker.ok()) return count(asker.drop);
  if (!arp_replies_.take(frame.source, now())) return count(Count::arp_rate);
  commands_.make(CommandKind::arp_reply, kNoSession).peer =
      peer_of({asker.value.mac, frame.vlan, asker.value.address, 0}, 0);
  return count(Count::arp_requests);
}

bool ReceiveStage::take_ipv4(const link::Frame& frame) {
  const bool checked = frames_[frame_].checked.ip;
  const Parsed<ip::Datagram> datagram = ip::parse_ipv4(frame.payload, net_.address, frame.broadcast, checked);
  if (!datagram.ok()) return count(datagram.drop);
  if (datagram.value.protocol == IPPROTO_UDP) return take_udp(frame, datagram.value);
  if (datagram.value.protocol == IPPROTO_TCP && tcp_) return take_tcp(frame, datagram.value);
  if (datagram.value.protocol == IPPROTO_ICMP) return take_icmp(frame, datagram.value);
  return count(Count::ip_protocol_unknown);
}

bool ReceiveStage::take_tcp(const link::Frame& frame, const ip::Datagram& datagram) {
  const tcp::SegmentSource from{frame.source, frame.vlan, datagram.source};
  return take_segment(from, datagram.payload, frames_[frame_].checked.udp);
}

/// Once the segment is taken, it is not again: what it brought may wait for room, and all frames with it.
bool ReceiveStage::take_segment(const tcp::SegmentSource& from, Bytes segment, bool checked) {
  return tcp_->half.take(from, segment, checked, now()) && finish_tcp();
}

bool ReceiveStage::finish_tcp() {
  in_tcp_ = !tcp_->streams.take_the_rest();
  return !in_tcp_;
}

bool ReceiveStage::take_icmp(const link::Frame& frame, const ip::Datagram& datagram) {
  if (tcp_) {
    const Parsed<Bytes> unreachable = ip::parse_unreachable(datagram.payload);
    if (unreachable.ok()) return tcp_->half.take_unreachable(unreachable.value);
  }
  const Parsed<Bytes> message = ip::parse_echo(datagram.payload);
  if (!message.ok()) return count(message.drop);
  if (!echoes_.has_room()) return false;
  if (!echo_replies_.take(frame.source, now())) return count(Count::icmp_rate);
  Command& command = commands_.make(CommandKind::echo_reply, kNoSession);
  std::copy(frame.source.begin(), frame.source.end(), command.echo.mac);
  command.echo.vlan = frame.vlan;
  command.echo.address = datagram.source;
  command.echo.slot = echoes_.put(message.value);
  command.echo.length = static_cast<std::uint16_t>(message.value.size());
  return count(Count::icmp_echoes);
}

bool ReceiveStage::take_udp(const link::Frame& frame, const ip::Datagram& datagram) {
  const bool checked = frames_[frame_].checked.udp;
  const Parsed<udp::Datagram> udp = udp::parse_udp(datagram.payload, datagram.source, net_.address, checked);
  if (!udp.ok()) return count(udp.drop);
  const Source source{frame.source, frame.vlan, datagram.source, udp.value.source_port};
  if (udp.value.destination_port == net_.order_port) return take_order_datagram(source, udp.value.payload);
  if (udp.value.destination_port == net_.feed_request_port) return take_feed_request(source, udp.value.payload);
  return count(Count::udp_port_unknown);
}

/// WIRE 2: the header alone. Anyone may ask.
bool ReceiveStage::take_feed_request(const Source& source, Bytes bytes) {
  const mold::Header* const header = view_as<mold::Header>(bytes);
  const bool request = mold::packet_kind(bytes) == mold::PacketKind::request && header->sequence != 0;
  if (!request) return count(Count::feed_request_malformed);
  if (header->session != feed_session_) return count(Count::feed_request_session);
  if (!feed_answers_.take(source.mac, now())) return count(Count::feed_request_rate);
  Command& command = commands_.make(CommandKind::feed_resend, kNoSession);
  command.resend.first = header->sequence;
  command.resend.count = header->count;
  std::copy(source.mac.begin(), source.mac.end(), command.resend.mac);
  command.resend.vlan = source.vlan;
  command.resend.port = source.port;
  command.resend.address = source.address;
  return count(Count::feed_requests);
}

// ---- Order entry over UDP (WIRE 7) ----------------------------------------------------------------------------------

bool ReceiveStage::take_order_datagram(const Source& source, Bytes bytes) {
  if (bytes.empty()) return count(Count::order_empty);
  if (!is_mold(bytes)) return take_soup(source, bytes);
  const Parsed<SessionId> session = desk_.logins().find(source);
  return session.ok() ? take_mold(session.value, bytes) : desk_.turn_away(source, session.drop);
}

bool ReceiveStage::take_soup(const Source& source, Bytes bytes) {
  const soup::Read packet = soup::read_datagram(bytes);
  if (packet.status != soup::ReadStatus::packet) return count(Count::soup_malformed);
  if (packet.type == soup::PacketType::login_request) return desk_.take_login(source, packet.payload);
  const bool heartbeat = packet.type == soup::PacketType::client_heartbeat;
  const bool logout = packet.type == soup::PacketType::logout_request;
  if (!heartbeat && !logout) return count(Count::soup_type);
  if (!packet.payload.empty()) return count(Count::soup_malformed);
  const Parsed<SessionId> session = desk_.logins().find(source);
  if (!session.ok()) return desk_.turn_away(source, session.drop);
  if (logout) {
    desk_.close(session.value, SessionEndReason::logout);
    return count(Count::logouts);
  }
  desk_.logins().heard(session.value, now());
  return count(Count::heartbeats);
}

/// A source is one client: if another account is logged in from there, that session ends first.
bool ReceiveStage::take_mold(SessionId session, Bytes bytes) {
  const mold::Header* const header = view_as<mold::Header>(bytes);
  if (header == nullptr) return count(Count::order_short);
  if (header->session != order_session_) return count(Count::order_session);
  const mold::PacketKind kind = mold::packet_kind(bytes);
  if (kind == mold::PacketKind::data) return take_data(session, bytes);
  if (kind != mold::PacketKind::request) return count(Count::order_count);
  return take_request(session, *header);
}

/// An answer is many times as long as what asks for it: so each account has a rate, and all of them a share of the
/// link.
bool ReceiveStage::take_request(SessionId session, const mold::Header& header) {
  if (header.sequence == 0) return count(Count::order_sequence);
  desk_.logins().heard(session, now());
  if (!order_requests_[session.value].take(now())) return count(Count::order_request_rate);
  if (!order_resend_bytes_.take(now(), most_answer_bytes(header.count))) return count(Count::order_request_bytes);
  Command& command = commands_.make(CommandKind::resend, session);
  command.resend.first = header.sequence;
  command.resend.count = header.count;
  return count(Count::order_requests);
}

/// A datagram whose blocks do not fill it exactly is not trusted with its first block either.
bool ReceiveStage::take_data(SessionId session, Bytes bytes) {
  if (mold::fault_of(bytes) != mold::BlockFault::none) return count(Count::order_blocks);
  if (day_over_) [[unlikely]]
    return count(Count::order_day_over);
  blocks_ = mold::BlockReader(bytes);
  const std::uint64_t first = blocks_.header()->sequence;
  const std::uint64_t messages = blocks_.header()->count;
  if (first == 0 || first > std::numeric_limits<std::uint64_t>::max() - messages) return count(Count::order_sequence);

  desk_.logins().heard(session, now());
  counters_.add(Count::order_datagrams);
  const std::uint64_t expected = desk_.logins().login(session).next_upstream;
  const std::uint64_t repeats = first < expected ? std::min(expected - first, messages) : 0;
  if (first > expected) counters_.add(Count::order_gaps);
  if (repeats > 0) counters_.add(Count::order_repeats, repeats);
  if (repeats == messages) return true;
  desk_.logins().expect_upstream(session, first + messages);
  for (std::uint64_t i = 0; i <= repeats; ++i) in_block_ = blocks_.next();
  block_session_ = session;
  return take_blocks();
}

bool ReceiveStage::take_blocks() {
  for (; in_block_; in_block_ = blocks_.next()) {
    if (!intake_.take(block_session_, blocks_.block())) return false;
  }
  return true;
}

}  // namespace crosswire
