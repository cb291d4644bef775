// What befalls frames on a bad link: loss, duplication, corruption, a queue that is full, delay, reordering. Decisions
// alone, a pure function of configuration, seed, and the lengths and times of the frames so far: for impaired ports and
// for simulators of a link. One thread; no clock, no device, no allocation after construction.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/types.hpp"
#include "netstack/port/counters.hpp"

namespace crosswire {

/// What may befall the frames of one direction; as it stands here nothing does. Chances are of each frame, 0 .. 1.
struct ImpairmentConfig {
  static constexpr std::uint32_t kMostCorruptBits = 64;
  static constexpr std::uint32_t kMostOvertakers = 1'000;
  static constexpr std::uint32_t kMostQueueBytes = 1u << 30;

  double loss = 0;
  std::vector<std::uint64_t> lose_frames{};  // these are lost, by number, from 1; rising
  double burst_loss = 0;                     // a burst of losses begins with it (Gilbert's model of a link)
  std::uint32_t burst_frames = 5;            // mean length of such a burst, 1 or more
  double duplicate = 0;
  double corrupt = 0;
  std::uint32_t corrupt_bits = 1;  // are flipped in a frame that is corrupted, 1 .. kMostCorruptBits
  double reorder = 0;
  std::uint32_t reorder_by = 3;          // a reordered frame lets so many later ones pass, 1 .. kMostOvertakers
  TimeNs reorder_wait_ns = 10'000'000;   // but waits for them no longer than this
  TimeNs delay_ns = 0;                   // of every frame
  TimeNs jitter_ns = 0;                  // on top of it, evenly from 0 to this: a later frame may overtake
  std::uint64_t rate_bits_per_s = 0;     // of the frames' own bytes; 0: as they come
  std::uint32_t queue_bytes = 1u << 16;  // wait for the rate at most; a frame that finds no room is lost

  [[nodiscard]] bool any() const {
    return loss > 0 || !lose_frames.empty() || burst_loss > 0 || duplicate > 0 || corrupt > 0 || reorder > 0 ||
           delay_ns > 0 || jitter_ns > 0 || rate_bits_per_s > 0;
  }
};

class Impairments {
 public:
  /// Two directions, and two ports, need different seeds: those of the same seed decide alike.
  Impairments(ImpairmentConfig config, std::uint64_t seed);

  /// What becomes of a frame.
  struct Fate {
    struct Copy {
      TimeNs leaves_ns;          // at the earliest
      std::uint32_t overtakers;  // not before so many later frames have left, or
      TimeNs waits_until_ns;     // not before this
    };
    std::array<Copy, 2> copies{};
    std::size_t count = 0;                                                    // of them: 0, it is lost
    std::array<std::uint32_t, ImpairmentConfig::kMostCorruptBits> flipped{};  // bits, from the frame's first
    std::size_t flips = 0;
  };

  /// The next frame, of `length` bytes, at `now_ns`. Times may stand still, and are taken as never falling. Counts all
  /// but `reordered`, `no_buffer` and `let_go_early`, which who holds frames counts.
  Fate next(TimeNs now_ns, std::uint32_t length);

  /// What it says of a frame's bits, done.
  static void flip(const Fate& fate, std::span<std::uint8_t> frame);

  /// The thread that calls next().
  void count(ImpairmentCounter counter, std::uint64_t n = 1) { counters_.add(counter, n); }
  /// Any thread.
  [[nodiscard]] const ImpairmentCounters& counters() const { return counters_; }

 private:
  // What is decided by lot, each by a lot of its own: one more impairment changes nothing of what the others do.
  enum class Lot : std::uint32_t { loss, burst, burst_end, duplicate, corrupt, reorder, jitter, second_jitter, bits };

  [[nodiscard]] std::uint64_t draw(Lot lot, std::uint32_t n = 0) const;
  [[nodiscard]] bool happens(Lot lot, double chance) const;
  std::optional<ImpairmentCounter> loses();
  bool is_listed();
  bool is_in_burst();
  std::optional<TimeNs> through_link(std::uint32_t length);
  void corrupt(Fate& fate, std::uint32_t length);
  Fate::Copy copy(TimeNs sent_ns, Lot jitter) const;

  ImpairmentConfig config_;
  std::uint64_t seed_;
  std::uint64_t frame_ = 0;      // number of the present one, from 1
  std::size_t next_listed_ = 0;  // in lose_frames
  bool burst_goes_on_ = false;
  TimeNs now_ns_ = 0;
  TimeNs link_free_ns_ = 0;
  ImpairmentCounters counters_;
};

/// A seed for each of several links that come of one.
std::uint64_t seed_of(std::uint64_t seed, std::uint32_t link);

}  // namespace crosswire
