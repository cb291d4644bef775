// crosswire's TCP under a trace: a station on the trace's time, and an application that writes and checks the pattern.
#include <algorithm>
#include <map>
#include <optional>

#include "netstack/tcp/counters.hpp"
#include "tests/netstack/tcp/station.hpp"
#include "tests/netstack/tcp/trace/adapters.hpp"

namespace crosswire::trace {
namespace {

using tcp::ConnectionId;
using tcp::EndReason;

const char* word_of(tcp::SendHalf::State state) {
  using State = tcp::SendHalf::State;
  switch (state) {
    case State::resolving:
    case State::syn_sent:
      return "syn-sent";
    case State::syn_received:
      return "syn-received";
    case State::established:
      return "established";
    case State::fin_wait_1:
      return "fin-wait-1";
    case State::fin_wait_2:
      return "fin-wait-2";
    case State::close_wait:
      return "close-wait";
    case State::closing:
      return "closing";
    case State::last_ack:
      return "last-ack";
    case State::time_wait:
      return "time-wait";
    default:
      return "closed";
  }
}

/// Streams of the pattern, both ways. What a connection left behind is kept, for state() and bytes_read().
class Application final : public tcp::StreamReader, public tcp::StreamWriter {
 public:
  struct Stream {
    Connection who;
    std::uint64_t read = 0;
    bool held = true;
    bool reading = true;
    std::optional<EndReason> ended;
  };

  void opened(ConnectionId id, const tcp::Remote& remote, std::uint16_t port) override {
    const Connection who{remote.address, remote.port, port};
    Stream& stream = streams_[who];
    const bool reading = default_reading_ && (stream.ended ? true : stream.reading);
    stream = {.who = who, .reading = reading};
    by_id_[id] = who;
  }
  Taken take(ConnectionId id, wire::Bytes bytes) override {
    Stream& stream = streams_[by_id_[id]];
    if (!stream.reading) return {0, tcp::kNoNumber};
    for (const std::uint8_t byte : bytes) stream.held &= byte == pattern_at(stream.read++);
    return {bytes.size(), tcp::kNoNumber};
  }
  void finished(ConnectionId) override {}
  void gone(ConnectionId id, EndReason reason) override { end(id, reason); }

  void ready(ConnectionId) override {}
  void copy(ConnectionId, std::uint64_t offset, std::span<std::uint8_t> to) override {
    for (std::uint8_t& byte : to) byte = pattern_at(offset++);
  }
  void acknowledged(ConnectionId, std::uint64_t) override {}
  void heard(ConnectionId) override {}
  void finished_by_peer(ConnectionId) override {}
  void closed(ConnectionId id, EndReason reason) override { end(id, reason); }

  void name(ConnectionId id, const Connection& who) {
    by_id_[id] = who;
    streams_[who] = {.who = who};
  }
  std::optional<ConnectionId> id_of(const Connection& who) const {
    for (const auto& [id, named] : by_id_) {
      if (named == who) return id;
    }
    return std::nullopt;
  }
  Stream* find(const Connection& who) {
    const auto found = streams_.find(who);
    return found == streams_.end() ? nullptr : &found->second;
  }
  const Stream* find(const Connection& who) const { return const_cast<Application*>(this)->find(who); }
  void set_reading(const Connection& who, bool reading) {
    if (who.peer_port == 0) {
      default_reading_ = reading;
    } else {
      streams_[who].reading = reading;
    }
  }

 private:
  void end(ConnectionId id, EndReason reason) {
    const auto found = by_id_.find(id);
    if (found == by_id_.end()) return;
    streams_[found->second].ended = reason;
    by_id_.erase(found);
  }

  std::map<ConnectionId, Connection> by_id_;
  std::map<Connection, Stream> streams_;
  bool default_reading_ = true;
};

tcp::TcpConfig config_of(const Options& options) {
  tcp::TcpConfig config;
  config.connections = 40;
  config.opened_by_us = 8;
  if (options.connections) {
    config.connections = static_cast<std::uint16_t>(*options.connections + 8);
  }
  if (options.backlog) config.backlog = static_cast<std::uint16_t>(*options.backlog);
  if (options.receive_bytes) config.receive_bytes = *options.receive_bytes;
  if (options.rto_floor_ns) config.least_rto_ns = static_cast<TimeNs>(*options.rto_floor_ns);
  if (options.keepalive_ns) config.keepalive_ns = static_cast<TimeNs>(*options.keepalive_ns);
  if (options.time_wait_ns) config.time_wait_ns = static_cast<TimeNs>(*options.time_wait_ns);
  if (options.challenges_per_s) {
    config.challenge_interval_ns = kNsPerSecond / std::max<TimeNs>(1, *options.challenges_per_s);
  }
  if (options.wraps_within) config.initial_sequence = 0u - *options.wraps_within / 2;
  config.secret = {0x0123'4567'89AB'CDEF, 0xFEDC'BA98'7654'3210};
  return config;
}

class CrosswireStack final : public StackUnderTest {
 public:
  explicit CrosswireStack(const Options& options)
      : config_(config_of(options)), station_(std::in_place, config_, test::station_config(1), app_, app_) {
    start(0);
  }

  void inject(std::span<const std::uint8_t> frame) override { station_->inject({frame.begin(), frame.end()}); }
  void advance_to(std::int64_t now_ns) override { station_->advance_to(kStart + static_cast<TimeNs>(now_ns)); }
  std::vector<SentFrame> take_frames() override {
    std::vector<SentFrame> frames;
    for (test::TcpStation::Frame& frame : station_->take_frames()) {
      frames.push_back({static_cast<std::int64_t>(frame.time_ns - kStart), std::move(frame.bytes)});
    }
    return frames;
  }

  bool listen(std::uint16_t port) override {
    if (port == 0) return false;
    // The ports are fixed at start; nothing has happened on the wire yet.
    const TimeNs now = station_->now();
    config_.ports.push_back(port);
    start(now - kStart);
    return true;
  }
  std::uint16_t connect(std::uint32_t peer_address, std::uint16_t peer_port) override {
    const std::optional<ConnectionId> id = station_->send().connect({peer_address, peer_port, 0, {}}, next_port_);
    if (!id) return 0;
    app_.name(*id, {peer_address, peer_port, next_port_});
    station_->settle();
    return next_port_++;
  }
  bool write(const Connection& connection, std::uint64_t bytes) override {
    const auto id = app_.id_of(connection);
    if (!id) return false;
    const std::uint64_t before = station_->send().offered(*id);
    station_->send().extend(*id, static_cast<std::uint32_t>(bytes));
    const bool taken = station_->send().offered(*id) == before + bytes;
    station_->settle();
    return taken;
  }
  void set_reading(const Connection& connection, bool reading) override {
    app_.set_reading(connection, reading);
    station_->settle();
  }
  void shutdown(const Connection& connection) override { with(connection, &tcp::SendHalf::finish); }
  void close(const Connection& connection) override { with(connection, &tcp::SendHalf::close); }
  void abort(const Connection& connection) override {
    if (const auto id = app_.id_of(connection)) station_->send().abort(*id);
    station_->settle();
  }

  std::uint64_t bytes_read(const Connection& connection) const override {
    const Application::Stream* const stream = app_.find(connection);
    return stream == nullptr ? 0 : stream->read;
  }
  bool pattern_held(const Connection& connection) const override {
    const Application::Stream* const stream = app_.find(connection);
    return stream == nullptr || stream->held;
  }
  std::string state(const Connection& connection) const override {
    if (const auto id = app_.id_of(connection)) return word_of(station_->send().state(*id));
    const Application::Stream* const stream = app_.find(connection);
    if (stream != nullptr && stream->ended) {
      return std::string("closed: ") + tcp::kEndReasonWords[static_cast<std::size_t>(*stream->ended)];
    }
    const auto known = station_->send().find(connection.peer_address, connection.peer_port, connection.local_port);
    if (known) return word_of(station_->send().state(*known));
    return stream != nullptr ? "closed" : listens(connection.local_port) ? "listen" : "none";
  }
  std::optional<std::uint64_t> counter(std::string_view name) const override {
    for (const auto& row : tcp::kTcpReceiveCounters) {
      if (row.label == name) return station_->receive().counters().get(row.counter);
    }
    for (const auto& row : tcp::kTcpSendCounters) {
      if (row.label == name) return station_->send().counters().get(row.counter);
    }
    return std::nullopt;
  }

 private:
  static constexpr TimeNs kStart = 36'000 * kNsPerSecond;  // ten in the morning

  void start(TimeNs at) {
    app_ = Application();
    station_.emplace(config_, test::station_config(1), app_, app_);
    station_->set_now(kStart + at);
    station_->settle();
  }
  bool listens(std::uint16_t port) const {
    return std::find(config_.ports.begin(), config_.ports.end(), port) != config_.ports.end();
  }
  void with(const Connection& connection, void (tcp::SendHalf::*what)(ConnectionId)) {
    if (const auto id = app_.id_of(connection)) (station_->send().*what)(*id);
    station_->settle();
  }

  tcp::TcpConfig config_;
  Application app_;
  mutable std::optional<test::TcpStation> station_;
  std::uint16_t next_port_ = 49'152;
};

}  // namespace

std::unique_ptr<StackUnderTest> make_crosswire(const Options& options, std::string& why) {
  if (options.mtu && *options.mtu != kMtu) {
    why = "the port's MTU is fixed at 1500";
    return nullptr;
  }
  return std::make_unique<CrosswireStack>(options);
}

}  // namespace crosswire::trace
