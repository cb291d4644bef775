// Options of TCP segments: see segment.hpp.
#include "netstack/tcp/segment.hpp"

#include <algorithm>

namespace crosswire::tcp {
namespace {

enum Kind : std::uint8_t {
  kEnd = 0,
  kNop = 1,
  kMss = 2,
  kWindowScale = 3,
  kSackPermitted = 4,
  kSack = 5,
  kTimestamps = 8
};

std::uint32_t word_at(const std::uint8_t* at) { return reinterpret_cast<const wire::be32*>(at)->value(); }

/// `body` is what follows kind and length. Known options of another length than theirs count as unknown.
void read_option(std::uint8_t kind, wire::Bytes body, Segment& segment) {
  const bool syn = segment.has(kSyn);
  if (kind == kTimestamps && body.size() == 8) {
    segment.has_timestamps = true;
    segment.ts_value = word_at(body.data());
    segment.ts_echo = word_at(body.data() + 4);
  } else if (kind == kSack && body.size() >= 8 && body.size() % 8 == 0) {
    segment.sacks = static_cast<std::uint8_t>(std::min(body.size() / 8, kMaxSackRanges));
    for (std::size_t i = 0; i < segment.sacks; ++i) {
      segment.sack[i] = {word_at(body.data() + 8 * i), word_at(body.data() + 8 * i + 4)};
    }
  } else if (syn && kind == kMss && body.size() == 2) {
    segment.mss = static_cast<std::uint16_t>(body[0] << 8 | body[1]);
  } else if (syn && kind == kWindowScale && body.size() == 1) {
    segment.shift = std::min(body[0], kMaxShift);
  } else if (syn && kind == kSackPermitted && body.empty()) {
    segment.sack_permitted = true;
  }
}

}  // namespace

void read_options(wire::Bytes bytes, Segment& segment) {
  while (!bytes.empty() && bytes[0] != kEnd) {
    if (bytes[0] == kNop) {
      bytes = bytes.subspan(1);
      continue;
    }
    if (bytes.size() < 2 || bytes[1] < 2 || bytes[1] > bytes.size()) return;
    read_option(bytes[0], bytes.subspan(2, bytes[1] - 2u), segment);
    bytes = bytes.subspan(bytes[1]);
  }
}

}  // namespace crosswire::tcp
