// What befalls frames on a bad link: see the header.
#include "netstack/port/impairments.hpp"

#include <algorithm>
#include <utility>

#include "hugepages/base/check.hpp"

namespace crosswire {
namespace {

constexpr std::uint64_t kBitsPerByte = 8;

/// splitmix64's finaliser (Vigna).
constexpr std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

/// 0 .. n-1, n >= 1 and below 2^32.
constexpr std::uint64_t below(std::uint64_t n, std::uint64_t lot) { return ((lot >> 32) * n) >> 32; }

}  // namespace

std::uint64_t seed_of(std::uint64_t seed, std::uint32_t link) { return mix(mix(seed) + link); }

Impairments::Impairments(ImpairmentConfig config, std::uint64_t seed) : config_(std::move(config)), seed_(mix(seed)) {
  CHECK(config_.queue_bytes <= ImpairmentConfig::kMostQueueBytes, "a queue of %u bytes", config_.queue_bytes);
  CHECK(config_.burst_frames >= 1 && config_.corrupt_bits <= ImpairmentConfig::kMostCorruptBits &&
            config_.reorder_by <= ImpairmentConfig::kMostOvertakers,
        "bursts of %u frames, %u bits, by %u", config_.burst_frames, config_.corrupt_bits, config_.reorder_by);
  CHECK(std::is_sorted(config_.lose_frames.begin(), config_.lose_frames.end()), "lose_frames do not rise");
}

std::uint64_t Impairments::draw(Lot lot, std::uint32_t n) const {
  return mix(mix(seed_ + 0x9E3779B97F4A7C15u * frame_) + (std::uint64_t{n} << 32 | static_cast<std::uint32_t>(lot)));
}

bool Impairments::happens(Lot lot, double chance) const {
  return chance > 0 && static_cast<double>(draw(lot) >> 11) * 0x1p-53 < chance;
}

Impairments::Fate Impairments::next(TimeNs now_ns, std::uint32_t length) {
  ++frame_;
  now_ns_ = std::max(now_ns_, now_ns);
  counters_.add(ImpairmentCounter::frames);
  Fate fate;
  if (const auto lost = loses()) {
    counters_.add(*lost);
    return fate;
  }
  if (happens(Lot::corrupt, config_.corrupt)) corrupt(fate, length);
  const bool twice = happens(Lot::duplicate, config_.duplicate);
  if (twice) counters_.add(ImpairmentCounter::duplicated);
  for (int i = 0; i < (twice ? 2 : 1); ++i) {
    if (const auto sent_ns = through_link(length)) {
      fate.copies[fate.count++] = copy(*sent_ns, i == 0 ? Lot::jitter : Lot::second_jitter);
    } else {
      counters_.add(ImpairmentCounter::queue_full);
    }
  }
  if (fate.count > 0 && fate.copies[0].leaves_ns > now_ns_) counters_.add(ImpairmentCounter::delayed);
  // The first alone: its copy is one of those that pass it.
  if (fate.count > 0 && happens(Lot::reorder, config_.reorder)) {
    fate.copies[0].overtakers = config_.reorder_by;
    fate.copies[0].waits_until_ns = fate.copies[0].leaves_ns + config_.reorder_wait_ns;
  }
  return fate;
}

/// By number before by burst before by chance; each goes on with its own count whatever the others say.
std::optional<ImpairmentCounter> Impairments::loses() {
  const bool listed = is_listed();
  const bool in_burst = is_in_burst();
  if (listed) return ImpairmentCounter::lost_by_number;
  if (in_burst) return ImpairmentCounter::lost_in_burst;
  if (happens(Lot::loss, config_.loss)) return ImpairmentCounter::lost;
  return std::nullopt;
}

bool Impairments::is_listed() {
  while (next_listed_ < config_.lose_frames.size() && config_.lose_frames[next_listed_] < frame_) ++next_listed_;
  return next_listed_ < config_.lose_frames.size() && config_.lose_frames[next_listed_] == frame_;
}

bool Impairments::is_in_burst() {
  const bool lost = burst_goes_on_ || happens(Lot::burst, config_.burst_loss);
  burst_goes_on_ = lost && !happens(Lot::burst_end, 1.0 / config_.burst_frames);
  return lost;
}

/// When its last bit is on the line; nothing where the queue in front has no room for it.
std::optional<TimeNs> Impairments::through_link(std::uint32_t length) {
  const std::uint64_t rate = config_.rate_bits_per_s;
  if (rate == 0) return now_ns_;
  const TimeNs begins_ns = std::max(now_ns_, link_free_ns_);
  const std::uint64_t bits = length * kBitsPerByte;
  const std::uint64_t room_bits = config_.queue_bytes * kBitsPerByte;
  // What waits is not above room_bits, and so many bits times 10^9 fit: 2^33 * 2^30.
  const std::uint64_t waiting_bits = (begins_ns - now_ns_) * rate / kNsPerSecond;
  if (waiting_bits + bits > room_bits) return std::nullopt;
  link_free_ns_ = begins_ns + (bits * kNsPerSecond + rate - 1) / rate;
  return link_free_ns_;
}

void Impairments::corrupt(Fate& fate, std::uint32_t length) {
  const std::uint64_t bits = std::min<std::uint64_t>(length * kBitsPerByte, UINT32_MAX);
  const std::size_t wanted = std::min<std::uint64_t>(config_.corrupt_bits, bits);
  const auto end_of = [&fate] { return fate.flipped.begin() + static_cast<std::ptrdiff_t>(fate.flips); };
  // Floyd's way of drawing without putting back: a bit that is flipped twice would be whole again.
  for (std::uint64_t last = bits - wanted; last < bits; ++last) {
    auto bit = static_cast<std::uint32_t>(below(last + 1, draw(Lot::bits, static_cast<std::uint32_t>(last))));
    if (std::find(fate.flipped.begin(), end_of(), bit) != end_of()) bit = static_cast<std::uint32_t>(last);
    fate.flipped[fate.flips++] = bit;
  }
  if (fate.flips > 0) counters_.add(ImpairmentCounter::corrupted);
}

Impairments::Fate::Copy Impairments::copy(TimeNs sent_ns, Lot jitter) const {
  const TimeNs leaves_ns =
      sent_ns + config_.delay_ns + (config_.jitter_ns == 0 ? 0 : draw(jitter) % (config_.jitter_ns + 1));
  return {leaves_ns, 0, leaves_ns};
}

void Impairments::flip(const Fate& fate, std::span<std::uint8_t> frame) {
  for (std::size_t i = 0; i < fate.flips; ++i) {
    frame[fate.flipped[i] / kBitsPerByte] ^= static_cast<std::uint8_t>(0x80u >> (fate.flipped[i] % kBitsPerByte));
  }
}

}  // namespace crosswire
