// The frames that a recording has beside those of the wire: its markers, and what its run knew that the configuration
// does not say. Both MAC addresses are 0, the EtherType is the recorder's, then come words and zeros. Pure functions
// over bytes; the recorder writes such frames, a capture's port reads them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/types.hpp"
#include "netstack/wire/operator_frame.hpp"

namespace crosswire {

/// A symbol's reference price in a run that does not have it from its configuration: the last price of the day before.
struct ReferencePrice {
  SymbolName symbol;
  Price price;  // 1 .. kMaxPrice
  bool operator==(const ReferencePrice&) const = default;
};

/// What a recording says of its run before the first frame.
struct RecordingStart {
  std::array<std::uint8_t, 6> station{};
  wire::RecordingTag tag{};
  std::vector<ReferencePrice> references{};  // only with a tag; none: those of the configuration
  bool impaired = false;                     // its frames have come through an ImpairedRxPort
  // Of TCP's sequence numbers, by which a replay accepts the frames that the run accepted; none: there was no TCP. Who
  // has the recording while the run goes on could foresee them: its file is for its owner alone.
  std::optional<std::array<std::uint64_t, 2>> tcp_secret{};
};

/// A recording's first and last frame, and one where its trading day ends. They carry the times of that: a run lingers
/// between its day's end and its own. A recording that was broken off, by a crash or a disk that was full or too slow,
/// has no end marker.
///
///   bytes of the start marker   what
///    0 .. 13                    addresses 0, EtherType 0x88B5
///   14 .. 45                    "crosswire recording start"
///   46 .. 51                    the run's MAC address, so that a replay knows which frames were to it; 0: not known
///   52 .. 67                    the recording's tag, which all frames of its own repeat; 0: there are none
///   68 .. 83                    the secret of TCP's sequence numbers, as two numbers, big-endian; 0: there was no TCP
///   84                          1: the frames have come through the run's [impair.receive]; else 0
///   85 .. 95                    0
///
/// A marker of 60 bytes, which ends behind the MAC address, is one of a recording without a tag. The day-end marker is
/// the same with the words "crosswire recording day end" and without the MAC address; the end marker, of 60 bytes, has
/// words alone: "crosswire recording end".
inline constexpr std::size_t kStartMarkerLength = 96;
inline constexpr std::size_t kEndMarkerLength = 60;
std::array<std::uint8_t, kStartMarkerLength> start_marker(const RecordingStart& start = {});
std::array<std::uint8_t, kStartMarkerLength> day_end_marker(const wire::RecordingTag& tag);
std::array<std::uint8_t, kEndMarkerLength> end_marker();
/// What a start marker says, which has no reference prices; nothing if the frame is none.
std::optional<RecordingStart> read_start_marker(std::span<const std::uint8_t> frame);
/// Never for a recording without a tag: anybody could have sent one.
bool is_day_end_marker(std::span<const std::uint8_t> frame, const wire::RecordingTag& tag);

/// Reference prices, right behind the start marker and with its time, in as many frames as it takes. Numbers are
/// big-endian.
///
///   bytes of such a frame       what
///    0 .. 13                    addresses 0, EtherType 0x88B5
///   14 .. 45                    "crosswire recording references"
///   46                          version, 1
///   47                          0
///   48 .. 49                    entries in this frame, 1 or more
///   50 .. 51                    0
///   52 .. 67                    the recording's tag
///   68 ..                       entries of 12 bytes, and nothing behind them: the symbol, padded with spaces to 8, and
///                               its price in 1/10000, 4
std::vector<std::vector<std::uint8_t>> reference_frames(const RecordingStart& start);
bool is_reference_frame(std::span<const std::uint8_t> frame, const wire::RecordingTag& tag);
/// Appends what a reference frame says. False, and nothing appended, if it is of another version or broken.
bool read_references(std::span<const std::uint8_t> frame, std::vector<ReferencePrice>& references);

}  // namespace crosswire
