// The walk: each statement of a trace, done or compared.
#include "tests/netstack/tcp/trace/runner.hpp"

#include <algorithm>
#include <cstring>

namespace crosswire::trace {
namespace {

// Time of a machine: a stack that runs on it gets so much room, either way.
constexpr std::int64_t kRealRoomNs = 150'000'000;
constexpr std::int64_t kRealStepNs = 2'000'000;
constexpr std::int64_t kVirtualStepNs = 1'000;
constexpr std::int64_t kVirtualSteps = 1000;
// Where nothing is expected, at once or for longer, the machine's time is looked at for so long.
constexpr std::int64_t kRealQuietNs = 20'000'000;
constexpr std::int64_t kRealLongQuietNs = 100'000'000;

void set_option(Options& options, const Statement& statement) {
  const std::int64_t value = statement.number;
  const auto number = static_cast<std::uint32_t>(value);
  const std::string& name = statement.word;
  if (name == "mtu")
    options.mtu = number;
  else if (name == "connections")
    options.connections = number;
  else if (name == "backlog")
    options.backlog = number;
  else if (name == "send_bytes")
    options.send_bytes = number;
  else if (name == "receive_bytes")
    options.receive_bytes = number;
  else if (name == "rto_floor")
    options.rto_floor_ns = value;
  else if (name == "keepalive")
    options.keepalive_ns = value;
  else if (name == "time_wait")
    options.time_wait_ns = value;
  else if (name == "challenges_per_s")
    options.challenges_per_s = number;
  else if (name == "delayed_acks")
    options.delayed_acks = true;
  else if (name == "wraps_within")
    options.wraps_within = number;
  else
    throw TraceError(statement.where + ": no such option: " + name);
}

bool is_beginning(Verb verb) { return verb == Verb::option; }

}  // namespace

Outcome run_case(const Case& walk, MakeStack make_stack) {
  Outcome outcome;
  try {
    Options options;
    for (const Statement& statement : walk.statements)
      if (is_beginning(statement.verb)) set_option(options, statement);
    const std::unique_ptr<StackUnderTest> stack = make_stack(options, outcome.skipped);
    if (stack == nullptr) return outcome;
    outcome.skipped.clear();
    Runner runner(*stack);
    for (const Statement& statement : walk.statements) runner.run(statement);
    runner.end();
    outcome.story = runner.story();
  } catch (const TraceError& error) {
    outcome.failure = error.what();
  }
  return outcome;
}

Runner::Runner(StackUnderTest& stack) : stack_(stack) {}

std::int64_t Runner::allowance_ns(const When& when) const {
  if (real_time()) return std::max(kRealRoomNs, (when.to_ns - when.from_ns) / 4);
  return when.to_ns > 0 ? tolerance_ns_ : 0;
}

Peer& Runner::peer(const Statement& statement) {
  const auto found = peers_.find(statement.peer);
  if (found == peers_.end()) fail(statement, "there is no peer " + statement.peer);
  return found->second;
}

Connection Runner::connection(const Statement& statement) {
  const Peer& who = peer(statement);
  return {who.address, who.port, who.stack_port};
}

void Runner::fail(const Statement& statement, const std::string& got) const {
  std::string text = statement.where + "\n  wanted: " + statement.text + "\n  got:    " + got +
                     "\n  at:     " + time_text(now_ns_) + "\n  so far:\n" + story();
  throw TraceError(text);
}

std::string Runner::story() const {
  std::string text;
  for (const std::string& line : story_) text += "    " + line + "\n";
  return text;
}

void Runner::note(const char* direction, std::int64_t time_ns, const std::string& text) {
  story_.push_back(time_text(time_ns) + "  " + direction + " " + text);
}

Peer* Runner::peer_of(const Packet& packet) {
  for (auto& [name, who] : peers_) {
    if (packet.to_address != who.address) continue;
    if (packet.kind != Packet::Kind::tcp) return &who;
    if (packet.to_port == who.port && packet.from_port == who.stack_port) return &who;
  }
  return nullptr;
}

std::string Runner::described(const Packet& packet) {
  const Peer* const who = peer_of(packet);
  if (who == nullptr)
    return text_of(packet, 0, 0, 0) + " to " + address_text(packet.to_address) + ":" + std::to_string(packet.to_port);
  const std::uint32_t stack_isn = who->stack_isn.value_or(packet.has(kSyn) ? packet.seq : 0);
  std::string name;
  for (const auto& [key, value] : peers_)
    if (&value == who && !key.empty()) name = key + ": ";
  std::uint32_t stack_ts = who->stack_ts.value_or(0);
  for (const TcpOption& option : options_of(packet.options))
    if (option.kind == OptionKind::timestamps && !who->stack_ts) stack_ts = option.first;
  return name + text_of(packet, stack_isn, who->isn, stack_ts);
}

void Runner::answer_arp(const Packet& request) {
  if (!arp_answers_ || request.icmp_type != 1 || request.to_address == kStackAddress) return;
  Packet reply;
  reply.kind = Packet::Kind::arp;
  reply.icmp_type = 2;
  reply.from_address = request.to_address;
  reply.to_address = request.from_address;
  std::memcpy(reply.from_mac, kPeerMac, 6);
  std::memcpy(reply.to_mac, request.from_mac, 6);
  std::vector<std::uint8_t> frame = frame_of(reply);
  frame.resize(60);
  stack_.inject(frame);
}

/// Takes what was sent; ARP is between the runner and the stack, unless the trace has silenced it.
void Runner::collect() {
  bool again = true;
  while (std::exchange(again, false)) {
    for (const SentFrame& frame : stack_.take_frames()) {
      const Packet packet = packet_of(frame.bytes);
      note("<", frame.time_ns, described(packet));
      if (packet.kind == Packet::Kind::arp && arp_answers_) {
        answer_arp(packet);
        again = true;
        continue;
      }
      left_.push_back({frame.time_ns, packet});
    }
  }
}

/// What comes next is measured from now on.
void Runner::act() {
  if (real_time()) now_ns_ = *stack_.clock();
  event_ns_ = now_ns_;
}

void Runner::advance_to(std::int64_t time_ns) {
  now_ns_ = std::max(now_ns_, time_ns);
  stack_.advance_to(now_ns_);
  collect();
}

void Runner::nothing_left(const Statement& statement) {
  if (!left_.empty()) fail(statement, "a packet that nothing expects: " + described(left_.front().packet));
}

void Runner::run(const Statement& statement) {
  switch (statement.verb) {
    case Verb::option:
      return;
    case Verb::peer:
    case Verb::again: {
      if (statement.verb == Verb::peer) {
        peers_[statement.peer].address = statement.address;
        peers_[statement.peer].port = static_cast<std::uint16_t>(statement.number);
      }
      Peer& who = peer(statement);
      const std::uint32_t base = statement.word == "+" ? who.isn : 0;
      const std::uint32_t isn = statement.isn ? base + static_cast<std::uint32_t>(*statement.isn) : who.isn;
      who = Peer{.address = who.address, .port = who.port, .stack_port = who.stack_port, .isn = isn};
      return;
    }
    case Verb::arp:
      arp_answers_ = statement.word == "answers";
      return;
    case Verb::inject:
      inject(statement);
      return;
    case Verb::expect:
      expect(statement);
      return;
    case Verb::nothing:
      if (real_time()) advance_to(*stack_.clock() + std::clamp(statement.number, kRealQuietNs, kRealLongQuietNs));
      if (!real_time() && statement.number > 0) advance(statement);
      nothing_left(statement);
      return;
    case Verb::advance:
      advance(statement);
      return;
    case Verb::skip:
      advance_to(now_ns_ + statement.number);
      for (const Left& left : left_)
        if (Peer* const who = peer_of(left.packet)) learn(*who, left.packet);
      left_.clear();
      act();
      return;
    case Verb::tolerance:
      tolerance_ns_ = statement.number;
      return;
    case Verb::state:
    case Verb::got:
    case Verb::counter:
      look(statement);
      return;
    default:
      application(statement);
  }
}

void Runner::end() {
  Statement last;
  last.where = "the end";
  last.text = "nothing further";
  nothing_left(last);
}

void Runner::send(const Packet& packet, const std::vector<Quirk>& quirks) {
  std::vector<std::uint8_t> frame = frame_of(packet);
  bend(frame, quirks);
  stack_.inject(frame);
  collect();
}

void Runner::inject(const Statement& statement) {
  nothing_left(statement);
  Peer& who = peer(statement);
  act();
  Packet packet = statement.packet.kind == Packet::Kind::icmp ? icmp_of(statement.packet, who)
                                                              : segment_of(statement.packet, who, now_ns_);
  note(">", now_ns_, statement.text);
  bend(packet, statement.packet.quirks);
  send(packet, statement.packet.quirks);
}

void Runner::advance(const Statement& statement) {
  nothing_left(statement);
  advance_to(now_ns_ + statement.number);
  act();
  nothing_left(statement);
}

/// The first packet to this peer, of those that left.
std::optional<Runner::Left> Runner::take(const Statement& statement) {
  const Peer& who = peer(statement);
  const auto found = std::find_if(left_.begin(), left_.end(), [&](const Left& left) {
    Peer* const to = peer_of(left.packet);
    return to == &who || to == nullptr;
  });
  if (found == left_.end()) return std::nullopt;
  const Left left = *found;
  left_.erase(found);
  return left;
}

/// To the said moment in one step, and through a range in many: what comes next may depend on when it left.
void Runner::wait_for(const Statement& statement, std::int64_t until_ns) {
  const std::int64_t step_ns =
      real_time() ? kRealStepNs : std::max(kVirtualStepNs, (until_ns - now_ns_) / kVirtualSteps);
  const bool in_steps = real_time() || statement.when.from_ns != statement.when.to_ns;
  if (!in_steps) return advance_to(until_ns);
  const auto now = [this] { return stack_.clock().value_or(now_ns_); };
  while (left_.empty() && now() < until_ns) advance_to(std::min(now() + step_ns, until_ns));
}

void Runner::check_time(const Statement& statement, const Left& left, std::int64_t began_ns) const {
  const std::int64_t allowed = allowance_ns(statement.when);
  const std::int64_t early = real_time() ? allowed : 0;
  const std::int64_t waited = left.time_ns - began_ns;
  if (statement.when.to_ns == 0 && real_time()) return;
  if (waited >= statement.when.from_ns - early && waited <= statement.when.to_ns + allowed) return;
  fail(statement, "it left at " + time_text(left.time_ns) + ", " + time_text(waited) + " after what came before");
}

void Runner::expect(const Statement& statement) {
  Peer& who = peer(statement);
  const std::int64_t began_ns = event_ns_;
  if (statement.when.to_ns > 0 || real_time()) {
    if (!real_time()) nothing_left(statement);
    wait_for(statement, began_ns + statement.when.to_ns + allowance_ns(statement.when));
  }
  const std::optional<Left> left = take(statement);
  if (!left) fail(statement, "nothing");
  check_time(statement, *left, began_ns);
  if (statement.packet.kind == Packet::Kind::tcp && peer_of(left->packet) == nullptr)
    fail(statement, "a packet for nobody: " + described(left->packet));
  const std::string differs = difference(statement.packet, left->packet, who);
  if (!differs.empty()) fail(statement, described(left->packet) + "   (" + differs + ")");
  learn(who, left->packet);
  event_ns_ = left->time_ns;
  if (real_time()) now_ns_ = std::max(now_ns_, left->time_ns);
}

void Runner::learn(Peer& who, const Packet& packet) {
  if (packet.kind != Packet::Kind::tcp) return;
  if (packet.has(kSyn) && !who.stack_isn) {
    who.stack_isn = packet.seq;
    who.heard = 0;
  }
  for (const TcpOption& option : options_of(packet.options)) {
    if (option.kind != OptionKind::timestamps) continue;
    if (!who.stack_ts) who.stack_ts = option.first;
    who.newest_ts = option.first;
    if (packet.has(kSyn)) who.hears_timestamps = true;
  }
  const auto first = static_cast<std::int32_t>(packet.seq - who.stack_isn.value_or(packet.seq));
  if (first <= who.heard) who.heard = std::max<std::int64_t>(who.heard, first + packet.sequence_length());
}

void Runner::application(const Statement& statement) {
  nothing_left(statement);
  act();
  note("*", now_ns_, statement.text);
  const Connection of = connection(statement);
  Peer& who = peer(statement);
  switch (statement.verb) {
    case Verb::listen:
      if (!stack_.listen(static_cast<std::uint16_t>(statement.number))) fail(statement, "it cannot listen");
      break;
    case Verb::connect:
      who.stack_port = stack_.connect(who.address, who.port);
      if ((who.stack_port == 0) != (statement.word == "refused"))
        fail(statement, who.stack_port == 0 ? "it is refused" : "it is opened");
      break;
    case Verb::write:
      if (!stack_.write(of, static_cast<std::uint64_t>(statement.number))) fail(statement, "it cannot be written to");
      break;
    case Verb::read:
      stack_.set_reading(of, true);
      break;
    case Verb::stop_reading:
      stack_.set_reading(who.stack_isn ? of : Connection{who.address, 0, 0}, false);
      break;
    case Verb::shutdown:
      stack_.shutdown(of);
      break;
    case Verb::close:
      stack_.close(of);
      break;
    case Verb::abort:
      stack_.abort(of);
      break;
    default:
      break;
  }
  collect();
}

void Runner::look(const Statement& statement) {
  const Connection of = connection(statement);
  if (statement.verb == Verb::state) {
    std::string seen = stack_.state(of);
    std::string wanted = statement.word;
    for (std::int64_t i = 0; real_time() && seen != wanted && i < kRealRoomNs / kRealStepNs; ++i) {
      advance_to(*stack_.clock() + kRealStepNs);
      seen = stack_.state(of);
    }
    if (seen != wanted && !(real_time() && wanted.starts_with(seen + ":"))) fail(statement, seen);
    return;
  }
  if (statement.verb == Verb::got) {
    const auto wanted = static_cast<std::uint64_t>(statement.number);
    for (std::int64_t i = 0; real_time() && stack_.bytes_read(of) < wanted && i < kRealRoomNs / kRealStepNs; ++i)
      advance_to(*stack_.clock() + kRealStepNs);
    if (stack_.bytes_read(of) != wanted) fail(statement, std::to_string(stack_.bytes_read(of)));
    if (!stack_.pattern_held(of)) fail(statement, "bytes that the peer did not send");
    return;
  }
  const std::optional<std::uint64_t> value = stack_.counter(statement.word);
  if (!value && real_time()) return;
  if (!value) fail(statement, "there is no such counter");
  if (*value != static_cast<std::uint64_t>(statement.number)) fail(statement, std::to_string(*value));
}

}  // namespace crosswire::trace
