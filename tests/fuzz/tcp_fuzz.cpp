// A TCP station with connections in many states at once: a script of segments built from what is right for one of them,
// of raw frames, ICMP errors, ARP, time, acts of what stands above, and a port that takes nothing. Whatever comes:
// every byte that is read was sent at that place, every end is told once, nothing is sent for ever, and in the end all
// places are free again.
#include <array>
#include <map>
#include <optional>
#include <vector>

#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/tcp_script.hpp"
#include "tests/netstack/client_frames.hpp"
#include "tests/netstack/tcp/station.hpp"

namespace crosswire {
namespace {

using namespace fuzz;
using test::Payload;

constexpr std::uint16_t kPort = 7;
constexpr std::uint32_t kPeerAddress = 0x0A63'0002;
constexpr MacAddress kPeerMac{2, 0, 0, 0, 0, 2};
constexpr TimeNs kMorning = 36'000 * kNsPerSecond;
constexpr TimeNs kMostTime = 100 * kNsPerSecond;  // of a script, without its end
constexpr std::size_t kMostSyns = 64;
constexpr std::uint64_t kMostUnacknowledged = 60'000;

/// A stream's byte with this number: of the peer by its sequence number, of the station by its offset.
std::uint8_t byte_at(std::uint32_t stream, std::uint32_t number) {
  std::uint32_t mixed = (number >> 2) * 0x9E37'79B1u ^ stream * 0x85EB'CA6Bu;
  mixed = (mixed ^ mixed >> 15) * 0xC2B2'AE35u;
  return static_cast<std::uint8_t>(mixed >> (8 * (number & 3)));
}

/// What a peer knows of a connection, from what it sent and saw.
struct Slot {
  std::uint16_t port = 0;
  std::uint16_t ours = 0;
  std::uint32_t irs = 0;           // of the last SYN of the peer
  std::uint32_t iss = 0;           // of the last of the station
  std::uint32_t next = 0;          // beyond all that the station has sent
  std::uint32_t una = 0;           // that the peer has acknowledged
  std::uint32_t receive_next = 0;  // that the station has acknowledged
  std::uint32_t window = 0;
  std::uint32_t ts_value = 0;
  bool stamps = false;
  std::vector<std::uint32_t> syns;   // all that the peer has sent: one of them began what is read
  std::vector<std::uint32_t> isses;  // and the station
};

/// Above TCP: it reads and checks, and offers bytes that are checked on the wire.
class Above final : public tcp::StreamReader, public tcp::StreamWriter {
 public:
  struct Stream {
    unsigned slot = 0;
    // The reader's.
    bool open = false;
    bool finished = false;
    std::uint32_t read = 0;
    std::vector<std::uint32_t> begins;  // of the peer's stream, that are still possible
    // The writer's.
    bool known = false;  // until closed()
    bool ready = false;
    std::uint64_t written = 0;
    std::uint64_t acknowledged = 0;
  };
  explicit Above(std::array<Slot, kTcpSlots>& slots) : slots_(slots) {}

  void opened(tcp::ConnectionId id, const tcp::Remote& remote, std::uint16_t port) override {
    Stream& stream = streams_[id.value];
    HOLDS(!stream.open);
    stream.open = true;
    stream.finished = false;
    stream.read = 0;
    stream.begins.clear();
    stream.slot = kTcpSlots;
    for (unsigned i = 0; i < kTcpSlots; ++i) {
      if (slots_[i].port == remote.port && slots_[i].ours == port) stream.slot = i;
    }
    if (stream.slot < kTcpSlots) stream.begins = slots_[stream.slot].syns;
  }
  Taken take(tcp::ConnectionId id, wire::Bytes bytes) override {
    Stream& stream = streams_[id.value];
    HOLDS(stream.open && !stream.finished && !bytes.empty());
    const std::size_t taken = std::min(bytes.size(), at_once_[stream.slot % kTcpSlots]);
    check(stream, bytes.first(taken));
    stream.read += static_cast<std::uint32_t>(taken);
    return {taken, tcp::kNoNumber};
  }
  void finished(tcp::ConnectionId id) override {
    HOLDS(streams_[id.value].open && !streams_[id.value].finished);
    streams_[id.value].finished = true;
  }
  void gone(tcp::ConnectionId id, tcp::EndReason reason) override {
    HOLDS(streams_[id.value].open && reason != tcp::EndReason::none);
    streams_[id.value].open = false;
  }

  void ready(tcp::ConnectionId id) override {
    Stream& stream = streams_[id.value];
    HOLDS(!stream.ready);
    stream.known = stream.ready = true;
    stream.written = stream.acknowledged = 0;
  }
  void copy(tcp::ConnectionId id, std::uint64_t offset, std::span<std::uint8_t> to) override {
    const Stream& stream = streams_[id.value];
    HOLDS(stream.ready && offset >= stream.acknowledged && offset + to.size() <= stream.written);
    for (std::uint8_t& byte : to) byte = byte_at(~stream.slot, static_cast<std::uint32_t>(offset++));
  }
  void acknowledged(tcp::ConnectionId id, std::uint64_t offset) override {
    Stream& stream = streams_[id.value];
    HOLDS(stream.ready && offset > stream.acknowledged && offset <= stream.written);
    stream.acknowledged = offset;
  }
  void heard(tcp::ConnectionId id) override { HOLDS(streams_[id.value].ready); }
  void finished_by_peer(tcp::ConnectionId id) override { HOLDS(streams_[id.value].ready); }
  void closed(tcp::ConnectionId id, tcp::EndReason reason) override {
    Stream& stream = streams_[id.value];
    HOLDS(stream.known && reason != tcp::EndReason::none);
    stream.known = stream.ready = false;
  }

  void connects(tcp::ConnectionId id, unsigned slot) {
    HOLDS(!streams_[id.value].known);
    streams_[id.value].known = true;
    streams_[id.value].slot = slot;
  }
  /// The connection of a slot that may be spoken of.
  std::optional<tcp::ConnectionId> id_of(unsigned slot) const {
    for (const auto& [id, stream] : streams_) {
      if (stream.known && stream.slot == slot) return tcp::ConnectionId{id};
    }
    return std::nullopt;
  }
  Stream& stream(tcp::ConnectionId id) { return streams_[id.value]; }
  void read_at_once(unsigned slot, std::size_t bytes) { at_once_[slot] = bytes; }
  void taint() { tainted_ = true; }
  bool all_ended() const {
    return std::none_of(streams_.begin(), streams_.end(),
                        [](const auto& named) { return named.second.open || named.second.known; });
  }

 private:
  void check(Stream& stream, wire::Bytes bytes) {
    if (tainted_ || stream.slot >= kTcpSlots || slots_[stream.slot].syns.size() >= kMostSyns) return;
    std::erase_if(stream.begins, [&](std::uint32_t irs) {
      for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (bytes[i] != byte_at(stream.slot, irs + 1 + stream.read + static_cast<std::uint32_t>(i))) return true;
      }
      return false;
    });
    HOLDS(!stream.begins.empty());
  }

  std::array<Slot, kTcpSlots>& slots_;
  std::map<std::uint16_t, Stream> streams_;
  std::array<std::size_t, kTcpSlots> at_once_{1 << 20, 1 << 20, 1 << 20, 1 << 20, 1 << 20, 1 << 20, 1 << 20, 1 << 20};
  bool tainted_ = false;
};

class Script {
 public:
  explicit Script(Input& input)
      : input_(input), above_(slots_), station_(config(input), test::station_config(1), above_, above_, &memory()) {
    station_.set_now(kMorning);
    for (unsigned i = 0; i < kTcpSlots; ++i) {
      slots_[i].port = static_cast<std::uint16_t>(1'000 + i);
      slots_[i].ours = i < kTcpPassive ? kPort : static_cast<std::uint16_t>(3'000 + i);
      slots_[i].irs = 0x4000'0000u * i - 2'000;
    }
  }

  void play() {
    while (!input_.empty()) {
      act(static_cast<TcpOp>(input_.byte() % kTcpOps));
      HOLDS(station_.receive().connections() <= kConnections);
    }
    end_in_silence();
    take_all_places();
  }

 private:
  static constexpr std::uint16_t kConnections = 10;
  static constexpr std::uint16_t kOpenedByUs = 3;
  static constexpr std::uint64_t kMostFrames = 100;  // of a connection to whom nobody speaks, in silence_ns

  static tcp::TcpConfig config(Input& input) {
    const std::uint8_t bits = input.byte();
    tcp::TcpConfig config;
    config.connections = kConnections;
    config.opened_by_us = kOpenedByUs;
    config.backlog = (bits & 1) != 0 ? 1 : 5;
    config.receive_bytes = (bits & 2) != 0 ? 4'096 : 8'192;
    if ((bits & 0xE0) == 0xE0) config.receive_bytes = 131'072;  // scaled; seldom, as it takes long to lay out
    config.ports = {kPort};
    config.silence_ns = 3 * kNsPerSecond;
    config.time_wait_ns = kNsPerSecond;
    config.fin_wait_ns = 2 * kNsPerSecond;
    config.keepalive_ns = 2 * kNsPerSecond;
    config.secret = {7, 11};
    if ((bits & 4) != 0) config.initial_sequence = 0u - 3'000;  // numbers wrap soon
    if ((bits & 8) != 0) config.resets_per_second = config.challenges_per_second = 2;
    if ((bits & 16) != 0) config.least_rto_ns = 2'000'000;
    return config;
  }

  /// One for all inputs, and laid out anew for each: to make one takes longer than most scripts.
  static Arena& memory() {
    static Arena arena = [] {
      tcp::TcpConfig largest;
      largest.connections = kConnections;
      largest.opened_by_us = kOpenedByUs;
      largest.receive_bytes = 131'072;
      return Arena(test::TcpStation::bytes_for(largest), HugepagePolicy::off);
    }();
    arena.clear();
    return arena;
  }

  Slot& slot() { return slots_[number_ = input_.byte() % kTcpSlots]; }

  // ---- Frames ----

  Payload segment(const Slot& to, std::uint8_t flags, std::uint32_t sequence, std::uint32_t acknowledgement,
                  std::uint16_t window, Payload options, std::size_t bytes) {
    options.resize(std::min<std::size_t>((options.size() + 3) / 4 * 4, 40));
    Payload tcp;
    test::put16(tcp, to.port);
    test::put16(tcp, to.ours);
    test::put32(tcp, sequence);
    test::put32(tcp, acknowledgement);
    tcp.push_back(static_cast<std::uint8_t>((5 + options.size() / 4) << 4));
    tcp.push_back(flags);
    test::put16(tcp, window);
    test::put32(tcp, 0);
    test::put(tcp, options);
    const std::uint32_t first = sequence + ((flags & tcp::kSyn) != 0 ? 1 : 0);
    for (std::uint32_t i = 0; i < bytes; ++i) tcp.push_back(byte_at(number_, first + i));
    Payload pseudo;
    test::put32(pseudo, kPeerAddress);
    test::put32(pseudo, test::kOurAddress);
    test::put16(pseudo, tcp::kProtocol);
    test::put16(pseudo, tcp.size());
    const std::uint32_t sum = test::sum16(pseudo, 0, pseudo.size()) + test::sum16(tcp, 0, tcp.size());
    test::set16(tcp, 16, test::folded(sum));
    return test::ethernet(peer(), test::kOurMac, 0x0800, test::ipv4(peer(), tcp::kProtocol, tcp));
  }
  static test::Client peer() { return {.mac = kPeerMac, .address = kPeerAddress}; }

  /// Timestamps where they were agreed upon.
  Payload usual_options(const Slot& to) const {
    if (!to.stamps) return {};
    Payload options{1, 1, 8, 10};
    test::put32(options, static_cast<std::uint32_t>(station_.now() >> 20));
    test::put32(options, to.ts_value);
    return options;
  }

  void send(Slot& from, std::uint8_t flags, std::uint32_t sequence, std::uint32_t acknowledgement, std::size_t bytes,
            std::uint16_t window = 0xFFFF) {
    inject(segment(from, flags, sequence, acknowledgement, window, usual_options(from), bytes));
  }

  void inject(Payload frame) {
    station_.inject(std::move(frame));
    look();
  }

  void note_syn(Slot& from, std::uint32_t sequence) {
    from.irs = sequence;
    if (from.syns.size() < kMostSyns && std::find(from.syns.begin(), from.syns.end(), sequence) == from.syns.end()) {
      from.syns.push_back(sequence);
    }
  }

  /// At all that has left the station.
  void look() {
    for (const test::TcpStation::Frame& frame : station_.take_frames()) {
      ++frames_;
      const Payload& bytes = frame.bytes;
      HOLDS(bytes.size() >= kMinFrame && bytes.size() <= kMaxFrame);
      if (test::get16(bytes, 12) != 0x0800) continue;
      const std::size_t length = test::get16(bytes, 16);
      HOLDS(14 + length <= bytes.size());
      const std::uint32_t to = get32(bytes, 30);
      tcp::Segment segment{};
      HOLDS(tcp::parse_segment({bytes.data() + 34, length - 20}, test::kOurAddress, to, false, segment) ==
            tcp::kNoTcpDrop);
      if (to != kPeerAddress) continue;
      for (unsigned i = 0; i < kTcpSlots; ++i) {
        if (slots_[i].port == segment.destination_port && slots_[i].ours == segment.source_port) note(i, segment);
      }
    }
  }

  void note(unsigned which, const tcp::Segment& segment) {
    Slot& slot = slots_[which];
    if (segment.has(tcp::kRst)) return;
    if (segment.has(tcp::kSyn)) {
      slot.iss = slot.una = segment.sequence;
      slot.next = segment.sequence + 1;
      slot.stamps = segment.has_timestamps;
      if (slot.isses.size() < kMostSyns) slot.isses.push_back(segment.sequence);
    }
    slot.next = tcp::later_of(slot.next, segment.sequence + segment.length());
    if (segment.has_timestamps) slot.ts_value = segment.ts_value;
    if (segment.has(tcp::kAck)) {
      slot.receive_next = segment.acknowledgement;
      slot.window = segment.window;
    }
    if (segment.payload.empty() || slot.isses.size() >= kMostSyns) return;
    const bool right = std::any_of(slot.isses.begin(), slot.isses.end(), [&](std::uint32_t iss) {
      for (std::size_t i = 0; i < segment.payload.size(); ++i) {
        const std::uint32_t offset = segment.sequence + static_cast<std::uint32_t>(i) - iss - 1;
        if (segment.payload[i] != byte_at(~which, offset)) return false;
      }
      return true;
    });
    HOLDS(right);
  }

  // ---- The script ----

  std::uint32_t place(std::uint32_t base) {
    const std::uint8_t how = input_.byte();
    const auto step = static_cast<std::int8_t>(input_.byte());
    constexpr std::array<std::int32_t, 4> kScales{1, 64, 1'460, 1 << 24};
    return base + static_cast<std::uint32_t>(step * kScales[how & 3]);
  }

  void act(TcpOp op) {
    switch (op) {
      case TcpOp::segment:
        return any_segment();
      case TcpOp::open:
        return open();
      case TcpOp::data: {
        Slot& from = slot();
        return send(from, tcp::kAck | tcp::kPsh, from.receive_next, from.una, input_.byte() * 5u);
      }
      case TcpOp::acknowledge: {
        Slot& from = slot();
        from.una = from.next;
        return send(from, tcp::kAck, from.receive_next, from.una, 0);
      }
      case TcpOp::hole: {
        Slot& from = slot();
        const std::uint32_t beyond = input_.byte() * 16u;
        return send(from, tcp::kAck, from.receive_next + beyond, from.una, input_.byte());
      }
      case TcpOp::sack:
        return sack();
      case TcpOp::finish: {
        Slot& from = slot();
        return send(from, tcp::kAck | tcp::kFin, from.receive_next, from.una, input_.byte() & 1u);
      }
      case TcpOp::reset: {
        Slot& from = slot();
        return send(from, tcp::kRst | tcp::kAck, from.receive_next, from.una, 0);
      }
      case TcpOp::broken:
        return broken();
      case TcpOp::time:
        return pass(TimeNs{input_.byte() + 1u} << (12 + input_.byte() % 13));
      case TcpOp::arp: {
        const bool reply = (input_.byte() & 1) != 0;
        Payload packet = test::arp_packet(reply ? 2 : 1, kPeerMac, kPeerAddress, test::kOurAddress);
        if (reply) std::copy(test::kOurMac.begin(), test::kOurMac.end(), packet.begin() + 18);
        return inject(test::ethernet(peer(), test::kOurMac, 0x0806, packet));
      }
      case TcpOp::raw: {
        const wire::Bytes bytes = input_.take(input_.u16() % kMaxFrame);
        above_.taint();
        return inject(Payload(bytes.begin(), bytes.end()));
      }
      case TcpOp::room: {
        const std::uint8_t frames = input_.byte();
        if (frames == 255)
          station_.tx().set_unlimited_room();
        else
          station_.tx().set_room(frames);
        station_.settle();
        return look();
      }
      case TcpOp::icmp:
        return icmp();
      default:
        return act_above(op);
    }
  }

  void any_segment() {
    Slot& from = slot();
    const std::uint8_t flags = input_.byte() & 0x3F;
    const std::uint32_t sequence = place((flags & tcp::kSyn) != 0 ? from.irs : from.receive_next);
    const std::uint32_t acknowledgement = place(from.next);
    const std::size_t bytes = input_.byte() * 5u;
    const auto window = static_cast<std::uint16_t>(input_.byte() << 8);
    const wire::Bytes some = input_.take(input_.byte() % 41u);
    Payload options(some.begin(), some.end());
    if (options.empty()) options = usual_options(from);
    if ((flags & tcp::kSyn) != 0) note_syn(from, sequence);
    inject(segment(from, flags, sequence, acknowledgement, window, options, bytes));
  }

  void open() {
    Slot& from = slot();
    const std::uint8_t bits = input_.byte();
    Payload options;
    if ((bits & 1) != 0) test::put(options, Payload{2, 4, (bits & 32) != 0 ? std::uint8_t{0} : std::uint8_t{5}, 0xB4});
    if ((bits & 2) != 0) test::put(options, Payload{3, 3, static_cast<std::uint8_t>(bits >> 5), 1});
    if ((bits & 4) != 0) test::put(options, Payload{4, 2, 1, 1});
    if ((bits & 8) != 0) {
      test::put(options, Payload{1, 1, 8, 10});
      test::put32(options, static_cast<std::uint32_t>(station_.now() >> 20));
      test::put32(options, from.ts_value);
    }
    const bool answers = from.ours != kPort;
    const std::uint32_t sequence = from.irs + 100'000;
    note_syn(from, sequence);
    const auto flags = static_cast<std::uint8_t>(tcp::kSyn | (answers ? tcp::kAck : 0));
    from.stamps = from.stamps && (bits & 8) != 0;
    inject(segment(from, flags, sequence, from.next, 0x7000, options, 0));
    if ((bits & 16) != 0) return;  // and no more
    from.una = from.next;
    from.receive_next = sequence + 1;
    send(from, tcp::kAck, sequence + 1, from.next, 0);
  }

  void sack() {
    Slot& from = slot();
    const unsigned ranges = input_.byte() % 4 + 1;
    Payload options = ranges < 4 ? usual_options(from) : Payload{};
    test::put(options, Payload{1, 1, 5, static_cast<std::uint8_t>(2 + 8 * ranges)});
    for (unsigned i = 0; i < ranges; ++i) {
      const std::uint32_t begin = from.una + input_.byte() * 256u;
      test::put32(options, begin);
      test::put32(options, begin + input_.byte() * 64u);
    }
    inject(segment(from, tcp::kAck, from.receive_next, from.una, 0xFFFF, options, 0));
  }

  void broken() {
    Slot& from = slot();
    Payload frame = segment(from, tcp::kAck, from.receive_next, from.next, 0x100, usual_options(from), 20);
    constexpr std::size_t kTcp = 34;
    const std::size_t bit = input_.u16() % ((frame.size() - kTcp) * 8);
    frame[kTcp + bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    const auto& counters = station_.receive().counters();
    const std::uint64_t in_order = counters.get(tcp::TcpReceiveCounter::tcp_in_order);
    const std::uint64_t acks = counters.get(tcp::TcpReceiveCounter::tcp_acks);
    inject(std::move(frame));
    HOLDS(counters.get(tcp::TcpReceiveCounter::tcp_in_order) == in_order);
    HOLDS(counters.get(tcp::TcpReceiveCounter::tcp_acks) == acks);
  }

  void pass(TimeNs span) {
    if (station_.now() + span > kMorning + kMostTime) return;
    const std::uint64_t before = frames_;
    station_.advance_to(station_.now() + span);
    look();
    HOLDS(frames_ - before <= kConnections * kMostFrames);
  }

  void icmp() {
    const Slot& of = slot();
    Payload message{3, input_.byte(), 0, 0, 0, 0, 0, 0};
    Payload quoted;
    test::put16(quoted, of.ours);
    test::put16(quoted, of.port);
    test::put32(quoted, of.una + input_.byte());
    test::Client us{.mac = test::kOurMac, .address = test::kOurAddress};
    test::put(message, test::ipv4(us, tcp::kProtocol, quoted, kPeerAddress));
    test::set16(message, 2, test::folded(test::sum16(message, 0, message.size())));
    inject(test::ethernet(peer(), test::kOurMac, 0x0800, test::ipv4(peer(), 1, message)));
  }

  void act_above(TcpOp op) {
    const Slot& to = slot();
    const std::optional<tcp::ConnectionId> id = above_.id_of(number_);
    if (op == TcpOp::read) {
      const std::uint8_t how = input_.byte();
      above_.read_at_once(number_, how == 255 ? std::size_t{1} << 20 : how);
    } else if (op == TcpOp::connect) {
      const bool knows = (input_.byte() & 1) != 0;
      if (to.ours == kPort || id) return;
      const auto ours = station_.send().connect({kPeerAddress, to.port, 0, knows ? kPeerMac : MacAddress{}}, to.ours);
      if (ours) above_.connects(*ours, number_);
    } else if (id && op == TcpOp::extend) {
      Above::Stream& stream = above_.stream(*id);
      const std::uint32_t bytes = input_.u16();
      if (!stream.ready || stream.written - stream.acknowledged + bytes > kMostUnacknowledged) return;
      const std::uint64_t before = station_.send().offered(*id);
      station_.send().extend(*id, bytes);
      if (station_.send().offered(*id) == before + bytes) stream.written += bytes;
    } else if (id && op == TcpOp::close) {
      const std::uint8_t how = input_.byte() % 3;
      if (how == 0) station_.send().finish(*id);
      if (how == 1) station_.send().close(*id);
      if (how == 2) station_.send().abort(*id);
    }
    station_.settle();
    look();
  }

  // ---- The end ----

  /// Nobody says anything any more: every connection ends, and little is sent until then.
  void end_in_silence() {
    station_.tx().set_unlimited_room();
    for (unsigned i = 0; i < kTcpSlots; ++i) above_.read_at_once(i, std::size_t{1} << 20);
    station_.settle();
    look();
    frames_ = 0;
    constexpr TimeNs kLongEnough = 60 * kNsPerSecond;
    for (TimeNs passed = 0; passed < kLongEnough && station_.receive().connections() > 0; passed += kNsPerSecond) {
      station_.advance_to(station_.now() + kNsPerSecond);
      look();
    }
    station_.advance_to(station_.now() + 5 * kNsPerSecond);  // who has no MAC yet
    look();
    HOLDS(station_.receive().connections() == 0);
    HOLDS(above_.all_ended());
    HOLDS(frames_ <= kConnections * kMostFrames);
  }

  /// No place was lost, nor one of the backlog: all can be opened, and a neighbour gets its answer.
  void take_all_places() {
    for (unsigned i = 0; i < kConnections - kOpenedByUs; ++i) {
      Slot fresh;
      fresh.port = static_cast<std::uint16_t>(5'000 + i);
      fresh.ours = kPort;
      station_.inject(segment(fresh, tcp::kSyn, 1'000, 0, 0xFFFF, {}, 0));
      const auto frames = station_.take_frames();
      HOLDS(frames.size() == 1);
      const std::uint32_t iss = get32(frames[0].bytes, 38);
      station_.inject(segment(fresh, tcp::kAck, 1'001, iss + 1, 0xFFFF, {}, 0));
      HOLDS(station_.receive().connections() == i + 1);
    }
    for (std::uint16_t i = 0; i < kOpenedByUs; ++i) {
      HOLDS(station_.send().connect({kPeerAddress, 9, 0, kPeerMac}, static_cast<std::uint16_t>(6'000 + i)).has_value());
    }
    station_.settle();
    HOLDS(station_.receive().connections() == kConnections);
    station_.take_frames();
    station_.inject(
        test::ethernet(peer(), test::kOurMac, 0x0806, test::arp_packet(1, kPeerMac, kPeerAddress, test::kOurAddress)));
    HOLDS(station_.take_frames().size() == 1);
  }

  static std::uint32_t get32(const Payload& bytes, std::size_t at) {
    return static_cast<std::uint32_t>(test::get16(bytes, at) << 16 | test::get16(bytes, at + 2));
  }

  Input& input_;
  std::array<Slot, kTcpSlots> slots_;
  Above above_;
  test::TcpStation station_;
  unsigned number_ = 0;  // of the slot that is meant
  std::uint64_t frames_ = 0;
};

}  // namespace
}  // namespace crosswire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace crosswire;
  fuzz::Input input({data, size});
  Script(input).play();
  return 0;
}
