// One direction of one TCP connection, put together from what a capture has of it: segments in any order, repeated,
// with holes that are never filled. Tools only; one thread. Keeps at most kMostHeld bytes out of order.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "engine/types.hpp"
#include "netstack/wire/bytes.hpp"

namespace crosswire {

/// Of a frame: its number in the capture, from 1, and its time. Later frames have no earlier time.
struct CapturedAt {
  std::uint64_t frame = 0;
  TimeNs time_ns = 0;
  bool operator<(const CapturedAt& other) const { return frame < other.frame; }
};

/// Takes what an assembler puts together, in the order of the stream.
class StreamSink {
 public:
  virtual ~StreamSink() = default;
  /// The next bytes. `at`: the frame with which they and all before them, as far as they are there, had come.
  /// `segment`: they begin where a segment began.
  virtual void bytes(wire::Bytes bytes, bool segment, CapturedAt at) = 0;
  /// The next `length` bytes are not in the capture.
  virtual void gap(std::uint64_t length) = 0;
  /// The stream has ended, by FIN.
  virtual void end(CapturedAt at) = 0;
};

class StreamAssembler {
 public:
  /// Out of order, at most: bytes, and segments.
  static constexpr std::size_t kMostHeld = std::size_t{1} << 20;
  static constexpr std::size_t kMostHeldSegments = 8192;
  /// What an out of order segment costs beside its bytes.
  static constexpr std::size_t kSegmentCost = 128;
  /// Segments that lie further away from the next byte are not of this stream.
  static constexpr std::int32_t kWindow = 1 << 26;
  /// As many holes are named; of further ones the bytes are added up.
  static constexpr std::size_t kMostHoles = 1024;
  /// Repeated bytes are compared with the last so many.
  static constexpr std::size_t kHistory = 8192;

  /// Bytes that are not in the capture. Offsets count from the stream's first byte.
  struct Hole {
    std::uint64_t offset;
    std::uint64_t length;
  };
  struct Figures {
    std::uint64_t bytes = 0;     // put together
    std::uint64_t missing = 0;   // in holes
    std::uint64_t repeated = 0;  // came again
    std::uint64_t changed = 0;   // of these: came with another value, which counts for nothing
    std::uint64_t late = 0;      // of holes that had been given up
    std::uint64_t outside = 0;   // segments that are not of this stream
  };

  /// `sequence`: of the first byte.
  explicit StreamAssembler(std::uint32_t sequence) : next_sequence_(sequence) {}

  /// A segment's bytes, from its number on. False: it lies outside, and was left out.
  bool take(std::uint32_t sequence, wire::Bytes bytes, CapturedAt at, StreamSink& sink);
  /// A FIN with this number.
  void take_end(std::uint32_t sequence, CapturedAt at, StreamSink& sink);
  /// The other side has all up to this number.
  void take_acknowledgement(std::uint32_t number);
  /// Whether the number is near what is next: a segment with it is not outside.
  bool is_near(std::uint32_t sequence) const;

  /// Since when bytes wait behind a hole; nothing: none do.
  std::optional<CapturedAt> waits_since() const;
  /// Takes the first hole for one that is never filled, and hands on what is behind it. CHECKed: bytes wait.
  void give_up_hole(StreamSink& sink);
  /// No segment comes any more: holes are given up, and what only the end or an acknowledgement tells of is one.
  void finish(StreamSink& sink);

  const Figures& figures() const { return figures_; }
  const std::vector<Hole>& holes() const { return holes_; }
  /// Of the bytes in a hole, how many the other side has acknowledged: the capture lost them, not the network.
  std::uint64_t acknowledged(const Hole& hole) const;
  /// Its acknowledgements are in the capture.
  bool has_acknowledgements() const { return acknowledged_.has_value(); }
  /// What is held out of order, its cost beside the bytes included.
  std::size_t held_cost() const { return held_bytes_ + held_.size() * kSegmentCost; }

 private:
  struct Piece {
    std::vector<std::uint8_t> bytes;
    CapturedAt at;
    bool segment;
  };

  std::int64_t offset_of(std::uint32_t sequence) const;
  void repeat(std::uint64_t offset, wire::Bytes bytes);
  void hold(std::uint64_t offset, wire::Bytes bytes, CapturedAt at);
  void hand_on_held(StreamSink& sink);
  void hand_on(wire::Bytes bytes, bool segment, CapturedAt at, StreamSink& sink);
  void pass_hole(std::uint64_t length, StreamSink& sink);
  void tell_end(StreamSink& sink);
  void compare(wire::Bytes now, const std::uint8_t* before);

  std::uint32_t next_sequence_;
  std::uint64_t next_ = 0;  // offset of the next byte to hand on
  CapturedAt latest_;
  std::map<std::uint64_t, Piece> held_;  // by offset; none overlap
  std::size_t held_bytes_ = 0;
  std::vector<std::uint8_t> history_;  // what lies before next_
  std::optional<std::uint64_t> end_;   // offset of the FIN
  CapturedAt end_at_;
  bool end_told_ = false;
  std::optional<std::uint64_t> acknowledged_;
  std::vector<Hole> holes_;
  Figures figures_;
};

}  // namespace crosswire
