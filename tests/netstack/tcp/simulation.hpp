// Two stations of ours, joined by a link that does to frames what a seed says, on virtual time: connections that write,
// pause, read slowly, close by halves, abort. What must come true whatever happens: every byte arrives once and in its
// place, or the connection ends at both ends with a reason; and in the end nothing is left.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "netstack/port/impairments.hpp"
#include "tests/netstack/tcp/station.hpp"

namespace crosswire::test {

/// One end of the connections: writes and checks streams whose bytes tell the connection and the place.
class SimulatedApplication final : public tcp::StreamReader, public tcp::StreamWriter {
 public:
  /// What an end does with a connection, and what came of it. `peer`: both ports, by which both ends know it.
  struct Stream {
    std::uint32_t peer = 0;
    std::uint64_t read = 0;
    std::uint64_t acknowledged = 0;
    std::uint64_t written = 0;
    bool reading = true;
    bool ready = false;
    bool finishing = false;
    bool peer_finished = false;
    std::optional<tcp::EndReason> reader_ended;
    std::optional<tcp::EndReason> writer_ended;
  };

  explicit SimulatedApplication(bool opens) : opens_(opens) {}

  static std::uint8_t byte_at(std::uint32_t peer, bool of_opener, std::uint64_t offset) {
    std::uint64_t mixed = (offset >> 3) * 0x9E37'79B9'7F4A'7C15u + peer * 2 + (of_opener ? 1 : 0);
    mixed ^= mixed >> 29;
    mixed *= 0xBF58'476D'1CE4'E5B9u;
    return static_cast<std::uint8_t>(mixed >> (8 * (offset & 7)));
  }

  void opened(tcp::ConnectionId id, const tcp::Remote& remote, std::uint16_t port) override {
    name(id, remote.port, port);
  }
  Taken take(tcp::ConnectionId id, wire::Bytes bytes) override {
    Stream& stream = streams_.at(by_id_.at(id));
    if (!stream.reading) return {0, tcp::kNoNumber};
    // Sometimes less than there is.
    std::size_t taken = bytes.size();
    if (random_ != nullptr && (*random_)() % 8 == 0) taken = 1 + (*random_)() % bytes.size();
    for (std::size_t i = 0; i < taken; ++i) {
      if (bytes[i] != byte_at(stream.peer, !opens_, stream.read++)) fault("a byte is not the one that was sent");
    }
    return {taken, tcp::kNoNumber};
  }
  void finished(tcp::ConnectionId id) override {
    Stream& stream = streams_.at(by_id_.at(id));
    if (stream.peer_finished) fault("the stream finished twice");
    stream.peer_finished = true;
  }
  void gone(tcp::ConnectionId id, tcp::EndReason reason) override {
    Stream& stream = streams_.at(by_id_.at(id));
    if (stream.reader_ended) fault("the reader's end came twice");
    stream.reader_ended = reason;
  }
  void ready(tcp::ConnectionId id) override {
    if (by_id_.count(id) != 0) streams_.at(by_id_.at(id)).ready = true;
  }
  void copy(tcp::ConnectionId id, std::uint64_t offset, std::span<std::uint8_t> to) override {
    const Stream& stream = streams_.at(by_id_.at(id));
    if (offset < stream.acknowledged) fault("bytes are asked for that were acknowledged");
    if (offset + to.size() > stream.written) fault("bytes are asked for that were never offered");
    for (std::uint8_t& byte : to) byte = byte_at(stream.peer, opens_, offset++);
  }
  void acknowledged(tcp::ConnectionId id, std::uint64_t offset) override {
    Stream& stream = streams_.at(by_id_.at(id));
    if (offset <= stream.acknowledged || offset > stream.written) fault("acknowledged out of order");
    stream.acknowledged = offset;
  }
  void heard(tcp::ConnectionId) override {}
  void finished_by_peer(tcp::ConnectionId) override {}
  void closed(tcp::ConnectionId id, tcp::EndReason reason) override {
    Stream& stream = streams_.at(by_id_.at(id));
    if (stream.writer_ended) fault("the writer's end came twice");
    stream.writer_ended = reason;
  }

  void name(tcp::ConnectionId id, std::uint16_t peers, std::uint16_t ours) {
    const std::uint32_t peer = opens_ ? std::uint32_t{ours} << 16 | peers : std::uint32_t{peers} << 16 | ours;
    if (by_id_.count(id) != 0 && by_id_.at(id) == peer) return;
    by_id_[id] = peer;
    streams_[peer] = {.peer = peer};
  }
  void draw_from(std::mt19937_64* random) { random_ = random; }

  std::map<std::uint32_t, Stream>& streams() { return streams_; }
  std::optional<tcp::ConnectionId> id_of(std::uint32_t peer) const {
    for (const auto& [id, named] : by_id_) {
      if (named == peer && !streams_.at(peer).writer_ended) return id;
    }
    return std::nullopt;
  }
  const std::string& faults() const { return faults_; }

 private:
  void fault(const char* what) {
    if (faults_.empty()) faults_ = what;
  }

  bool opens_;
  std::map<tcp::ConnectionId, std::uint32_t> by_id_;
  std::map<std::uint32_t, Stream> streams_;
  std::mt19937_64* random_ = nullptr;
  std::string faults_;
};

class TcpSimulation {
 public:
  struct Options {
    std::uint64_t seed = 1;
    bool impaired = true;
    unsigned connections = 3;
    bool aborts = true;
  };

  explicit TcpSimulation(const Options& options)
      : options_(options),
        random_(options.seed),
        config_(draw_config()),
        opener_(true),
        taker_(false),
        a_(config_, station_config(1), opener_, opener_),
        b_(config_, station_config(2), taker_, taker_),
        there_(draw_impairments(), seed_of(options.seed, 0)),
        back_(draw_impairments(), seed_of(options.seed, 1)) {
    opener_.draw_from(&random_);
    taker_.draw_from(&random_);
    constexpr TimeNs kMorning = 36'000 * kNsPerSecond;
    now_ = kMorning;
    a_.set_now(now_);
    b_.set_now(now_);
  }

  /// "" or what did not come true.
  std::string run() {
    for (unsigned i = 0; i < options_.connections; ++i) at(now_ + pick(0, 200'000'000), Event::connect, 0, false);
    const TimeNs limit = now_ + 900 * kNsPerSecond;
    collect();
    while (now_ < limit) {
      TimeNs next = std::min(a_.next_timer(), b_.next_timer());
      if (!wire_.empty()) next = std::min(next, wire_.begin()->first);
      if (!events_.empty()) next = std::min(next, events_.begin()->first);
      if (next == TcpStation::kNever) break;
      step(std::max(next, now_));
      const std::string& faults = !opener_.faults().empty() ? opener_.faults() : taker_.faults();
      if (!faults.empty()) return faults;
    }
    return verdict();
  }

  /// What was on the wire, at both ends, as a capture of nanoseconds.
  void save_capture(const std::string& path) const {
    std::ofstream out(path, std::ios::binary);
    const auto word = [&](std::uint32_t value) { out.write(reinterpret_cast<const char*>(&value), 4); };
    for (const std::uint32_t value : {0xA1B2'3C4Du, 0x0004'0002u, 0u, 0u, 65'535u, 1u}) word(value);
    for (const auto& [time, frame] : seen_) {
      word(static_cast<std::uint32_t>(time / kNsPerSecond));
      word(static_cast<std::uint32_t>(time % kNsPerSecond));
      word(static_cast<std::uint32_t>(frame.size()));
      word(static_cast<std::uint32_t>(frame.size()));
      out.write(reinterpret_cast<const char*>(frame.data()), static_cast<std::streamsize>(frame.size()));
    }
  }

  std::uint64_t bytes_read() {
    std::uint64_t sum = 0;
    for (auto* app : {&opener_, &taker_}) {
      for (const auto& [peer, stream] : app->streams()) sum += stream.read;
    }
    return sum;
  }
  unsigned whole() const { return whole_; }  // connections that both ends closed, all bytes read
  TcpStation& opener() { return a_; }
  TcpStation& taker() { return b_; }

 private:
  enum class Event : std::uint8_t { connect, write, stop_reading, read, finish, abort };
  struct Planned {
    Event event;
    std::uint32_t peer;
    bool at_taker;
  };

  std::uint64_t pick(std::uint64_t least, std::uint64_t most) { return least + random_() % (most - least + 1); }
  bool chance(unsigned percent) { return random_() % 100 < percent; }

  tcp::TcpConfig draw_config() {
    tcp::TcpConfig config;
    config.connections = 16;
    config.opened_by_us = 8;
    config.ports = {7};
    config.receive_bytes = 4096u << pick(0, 5);
    config.time_wait_ns = kNsPerSecond * 2;
    config.fin_wait_ns = 20 * kNsPerSecond;
    config.keepalive_ns = 10 * kNsPerSecond;
    config.secret = {random_(), random_()};
    if (chance(30)) config.initial_sequence = 0u - static_cast<std::uint32_t>(pick(0, 100'000));
    return config;
  }

  ImpairmentConfig draw_impairments() {
    ImpairmentConfig config;
    config.delay_ns = pick(1'000, 2'000'000);
    if (!options_.impaired) return config;
    const auto up_to = [&](double most) { return most * static_cast<double>(pick(0, 1000)) / 1000; };
    if (chance(60)) config.loss = up_to(0.2);
    if (chance(20)) {
      config.burst_loss = up_to(0.02);
      config.burst_frames = static_cast<std::uint32_t>(pick(1, 10));
    }
    if (chance(40)) config.duplicate = up_to(0.2);
    if (chance(40)) config.reorder = up_to(0.2);
    if (chance(30)) config.corrupt = up_to(0.1);
    if (chance(30)) config.jitter_ns = pick(0, 5'000'000);
    if (chance(20)) {
      config.rate_bits_per_s = pick(2'000'000, 200'000'000);
      config.queue_bytes = static_cast<std::uint32_t>(pick(8'000, 200'000));
    }
    return config;
  }

  void at(TimeNs time, Event event, std::uint32_t peer, bool at_taker) {
    events_.emplace(time, Planned{event, peer, at_taker});
  }

  void step(TimeNs to) {
    now_ = to;
    while (!wire_.empty() && wire_.begin()->first <= now_) {
      auto [to_taker, frame] = std::move(wire_.begin()->second);
      wire_.erase(wire_.begin());
      TcpStation& station = to_taker ? b_ : a_;
      station.advance_to(now_);
      station.inject(std::move(frame));
      collect();
    }
    a_.advance_to(now_);
    b_.advance_to(now_);
    while (!events_.empty() && events_.begin()->first <= now_) {
      const Planned planned = events_.begin()->second;
      events_.erase(events_.begin());
      act(planned);
    }
    collect();
    plan_new();
  }

  /// What left a station is on its way, or lost.
  void collect() {
    for (const bool to_taker : {true, false}) {
      TcpStation& from = to_taker ? a_ : b_;
      Impairments& link = to_taker ? there_ : back_;
      for (TcpStation::Frame& frame : from.take_frames()) {
        seen_.emplace_back(now_, frame.bytes);
        const Impairments::Fate fate = link.next(now_, static_cast<std::uint32_t>(frame.bytes.size()));
        for (std::size_t i = 0; i < fate.count; ++i) {
          FrameBytes copy = frame.bytes;
          Impairments::flip(fate, copy);
          // One that is reordered waits for those behind it, here a while instead of a number of them.
          const TimeNs late = fate.copies[i].overtakers > 0 ? pick(1'000, 3'000'000) : 0;
          wire_.emplace(std::max(fate.copies[i].leaves_ns, now_ + 1) + late, std::pair{to_taker, std::move(copy)});
        }
      }
    }
  }

  void act(const Planned& planned) {
    if (planned.event == Event::connect) {
      const bool known = chance(50);
      const NetConfig& net = b_.net();
      const auto id = a_.send().connect({net.address, 7, 0, known ? net.mac : MacAddress{}}, next_port_);
      if (!id) return;
      opener_.name(*id, 7, next_port_);
      plan(std::uint32_t{next_port_} << 16 | 7, false);
      ++next_port_;
      a_.settle();
      return;
    }
    SimulatedApplication& app = planned.at_taker ? taker_ : opener_;
    TcpStation& station = planned.at_taker ? b_ : a_;
    const auto id = app.id_of(planned.peer);
    if (!id) return;
    SimulatedApplication::Stream& stream = app.streams().at(planned.peer);
    switch (planned.event) {
      case Event::write: {
        const std::uint64_t before = station.send().offered(*id);
        const auto bytes = static_cast<std::uint32_t>(chance(70) ? pick(1, 200) : pick(1, 20'000));
        if (!stream.finishing && stream.written - stream.acknowledged < 1'000'000) {
          stream.written += bytes;
          station.send().extend(*id, bytes);
          if (station.send().offered(*id) != before + bytes) stream.written -= bytes;
        }
        break;
      }
      case Event::stop_reading:
        stream.reading = false;
        break;
      case Event::read:
        stream.reading = true;
        break;
      case Event::finish:
        stream.finishing = true;
        stream.reading = true;
        station.send().finish(*id);
        break;
      case Event::abort:
        station.send().abort(*id);
        break;
      case Event::connect:
        break;
    }
    station.settle();
  }

  /// What an end will do with a connection.
  void plan(std::uint32_t peer, bool at_taker) {
    TimeNs time = now_;
    const unsigned writes = static_cast<unsigned>(pick(0, 40));
    const TimeNs pace = chance(50) ? 1'000'000 : 50'000'000;
    for (unsigned i = 0; i < writes; ++i) {
      time += pick(0, pace);
      at(time, Event::write, peer, at_taker);
      if (chance(3)) {
        at(time, Event::stop_reading, peer, at_taker);
        at(time + pick(0, 3 * kNsPerSecond), Event::read, peer, at_taker);
      }
    }
    const bool aborts = options_.aborts && chance(5);
    at(time + pick(0, kNsPerSecond), aborts ? Event::abort : Event::finish, peer, at_taker);
    at(time + 4 * kNsPerSecond, Event::read, peer, at_taker);
    // One that was aborted before it was established is asked again.
    at(time + 60 * kNsPerSecond, Event::finish, peer, at_taker);
  }

  void plan_new() {
    for (auto& [peer, stream] : taker_.streams()) {
      if (stream.ready && !planned_.count(peer)) {
        planned_[peer] = true;
        plan(peer, true);
      }
    }
  }

  std::string verdict() {
    if (!events_.empty() || !wire_.empty()) return "it does not come to an end";
    for (const TcpStation* station : {&a_, &b_}) {
      if (const_cast<TcpStation*>(station)->receive().connections() != 0) return "a connection is left";
    }
    for (auto& [peer, stream] : opener_.streams()) {
      if (!stream.writer_ended) return "the opener was never told of the end";
      const auto found = taker_.streams().find(peer);
      if (found == taker_.streams().end()) continue;
      SimulatedApplication::Stream& other = found->second;
      if (!other.writer_ended || !other.reader_ended) return "the taker was never told of the end";
      if (stream.read > other.written || other.read > stream.written) return "more was read than written";
      if (other.read < stream.acknowledged && !other.writer_ended) return "what was acknowledged was not read";
      const bool clean =
          *stream.writer_ended == tcp::EndReason::finished && *other.writer_ended == tcp::EndReason::finished;
      if (!clean) continue;
      if (stream.read != other.written || other.read != stream.written) {
        return "both closed, and bytes are missing: the opener read " + std::to_string(stream.read) + " of " +
               std::to_string(other.written) + ", the taker " + std::to_string(other.read) + " of " +
               std::to_string(stream.written);
      }
      if (!stream.peer_finished || !other.peer_finished) return "both closed, and one was not told";
      ++whole_;
    }
    return "";
  }

  Options options_;
  std::mt19937_64 random_;
  tcp::TcpConfig config_;
  SimulatedApplication opener_;
  SimulatedApplication taker_;
  TcpStation a_;
  TcpStation b_;
  Impairments there_;
  Impairments back_;
  TimeNs now_ = 0;
  std::multimap<TimeNs, std::pair<bool, FrameBytes>> wire_;
  std::multimap<TimeNs, Planned> events_;
  std::map<std::uint32_t, bool> planned_;
  std::vector<std::pair<TimeNs, FrameBytes>> seen_;
  std::uint16_t next_port_ = 40'000;
  unsigned whole_ = 0;
};

}  // namespace crosswire::test
