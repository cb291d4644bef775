// What the ports count: the lists of names, and what they mean. Constant data; no DPDK.
#pragma once

#include <array>
#include <cstdint>

#include "hugepages/base/counters.hpp"

namespace crosswire {

/// Of a device and its ports: each counts some of these, and their sum is the device's.
enum class DeviceCounter : std::uint8_t {
  rx_frames,
  rx_bytes,
  rx_missed,
  rx_errors,
  rx_no_mbuf,
  rx_oversized,
  rx_untaggable,
  rx_recorders_type,
  rx_in_pieces,
  rx_checksum_partial,
  rx_between_days,
  tx_frames,
  tx_bytes,
  tx_errors,
  tx_no_mbuf,
  tx_ring_full,
  tx_cut_off,
  tx_no_device,
  arp_announcements,
  device_reopened,
  count_
};

/// By number of the enumerator.
inline constexpr std::array kDeviceCounters = [] {
  using enum DeviceCounter;
  using enum CounterKind;
  using enum Harm;
  using Row = CounterRow<DeviceCounter>;
  return std::array{
      Row{rx_frames, figure, "rx_frames", "frames that the device received"},
      Row{rx_bytes, figure, "rx_bytes", "bytes of these"},
      Row{rx_missed, drop, "rx_missed", "no free receive descriptor: polled too slowly; of some drivers not known"},
      Row{rx_errors, drop, "rx_errors", "broken on the wire"},
      Row{rx_no_mbuf, drop, "rx_no_mbuf", "no buffer to receive into"},
      Row{rx_oversized, drop, "rx_oversized", "longer than an Ethernet frame of 1500 bytes"},
      Row{rx_untaggable, drop, "rx_untaggable",
          "the driver took the 802.1Q tag out and there was no room to put it back"},
      Row{rx_recorders_type, drop, "rx_recorders_type",
          "of the EtherType of recordings and operators' commands, 0x88B5, which nobody else may send"},
      Row{rx_in_pieces, notice, "rx_in_pieces", "came in several segments, and were copied into one piece"},
      Row{rx_checksum_partial, notice, "rx_checksum_partial",
          "UDP checksums that a kernel left to a network card that there is not, taken for none"},
      Row{rx_between_days, drop, "rx_between_days", "came when one trading day was over and the next had not begun",
          harmless},
      Row{tx_frames, figure, "tx_frames", "frames that the device sent"},
      Row{tx_bytes, figure, "tx_bytes", "bytes of these"},
      Row{tx_errors, drop, "tx_errors", "accepted by the driver and not sent"},
      Row{tx_no_mbuf, notice, "tx_no_mbuf", "times that no buffer was free: all were on their way out"},
      Row{tx_ring_full, notice, "tx_ring_full", "bursts of which the device took less than all"},
      Row{tx_cut_off, drop, "tx_cut_off", "1 if the last answers could not be sent at the end"},
      Row{tx_no_device, drop, "tx_no_device",
          "answers and feed that could not leave while the device was being replaced"},
      Row{arp_announcements, figure, "arp_announcements", "announcements of our address that were sent"},
      Row{device_reopened, notice, "device_reopened",
          "times that the device was opened anew: its interface was made anew, or the card asked for a reset"},
  };
}();
static_assert(is_whole(kDeviceCounters));

using DeviceCounters = Counters<DeviceCounter>;

/// Of a recording.
enum class RecorderCounter : std::uint8_t { recorder_held_back, count_ };

/// By number of the enumerator.
inline constexpr std::array kRecorderCounters = {
    CounterRow<RecorderCounter>{RecorderCounter::recorder_held_back, CounterKind::notice, "recorder_held_back",
                                "polls put off because the disk was slower than the wire"},
};
static_assert(is_whole(kRecorderCounters));

using RecorderCounters = Counters<RecorderCounter>;

/// Of a capture that is played. None of its oddities ends the replay.
enum class CaptureCounter : std::uint8_t { frames, oversized, cut_short, clamped_time, checksum_partial, count_ };

/// By number of the enumerator.
inline constexpr std::array kCaptureCounters = [] {
  using enum CaptureCounter;
  using enum CounterKind;
  using enum Harm;
  using Row = CounterRow<CaptureCounter>;
  return std::array{
      Row{frames, figure, "frames", "frames handed on"},
      Row{oversized, drop, "oversized", "longer than an Ethernet frame of 1500 bytes, as a device drops them",
          harmless},
      Row{cut_short, notice, "cut_short", "the capture holds less than the wire did; handed on as they are"},
      Row{clamped_time, notice, "clamped_time", "stamped before an earlier frame; given the time of that"},
      Row{checksum_partial, notice, "checksum_partial",
          "UDP checksums that the capture's host had left to its network card, taken for none"},
  };
}();
static_assert(is_whole(kCaptureCounters));

using CaptureCounters = Counters<CaptureCounter>;

/// Of an impaired port, in one direction.
enum class ImpairmentCounter : std::uint8_t {
  frames,
  lost,
  lost_by_number,
  lost_in_burst,
  queue_full,
  no_buffer,
  duplicated,
  corrupted,
  delayed,
  reordered,
  let_go_early,
  count_
};

/// By number of the enumerator.
inline constexpr std::array kImpairmentCounters = [] {
  using enum ImpairmentCounter;
  using enum CounterKind;
  using Row = CounterRow<ImpairmentCounter>;
  return std::array{
      Row{frames, figure, "frames", "frames that came to the impaired port"},
      Row{lost, drop, "lost", "lost on purpose, by chance"},
      Row{lost_by_number, drop, "lost_by_number", "lost on purpose, as lose_frames lists them"},
      Row{lost_in_burst, drop, "lost_in_burst", "lost on purpose, in bursts"},
      Row{queue_full, drop, "queue_full", "found no room in the queue in front of the rate; a duplicate counts too"},
      Row{no_buffer, drop, "no_buffer",
          "more were held back than held_frames, or longer than an Ethernet frame of 1500 bytes"},
      Row{duplicated, notice, "duplicated", "sent on twice on purpose"},
      Row{corrupted, notice, "corrupted", "had bits flipped on purpose"},
      Row{delayed, notice, "delayed", "held back by delay, jitter or rate"},
      Row{reordered, notice, "reordered", "held back on purpose until later frames had passed"},
      Row{let_go_early, notice, "let_go_early", "held back, and let go at an operator's command or the day's end"},
  };
}();
static_assert(is_whole(kImpairmentCounters));

using ImpairmentCounters = Counters<ImpairmentCounter>;

}  // namespace crosswire
