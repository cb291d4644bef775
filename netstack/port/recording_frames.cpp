// Markers and reference prices of a recording: see the header.
#include "netstack/port/recording_frames.hpp"

#include <algorithm>
#include <string_view>

#include "netstack/common/limits.hpp"
#include "netstack/wire/bytes.hpp"

namespace crosswire {
namespace {

constexpr std::string_view kReferenceWords = "crosswire recording references";

// Behind the words.
constexpr std::size_t kWordsOffset = 14;
constexpr std::size_t kStationOffset = 46;
constexpr std::size_t kTagOffset = 52;
constexpr std::size_t kSecretOffset = 68;
constexpr std::size_t kImpairedOffset = 84;
static_assert(kTagOffset == kStationOffset + sizeof(RecordingStart::station));
static_assert(kSecretOffset == kTagOffset + sizeof(RecordingStart::tag) && kSecretOffset + 16 <= kImpairedOffset);
constexpr std::size_t kMarkerWithoutTag = 60;

struct ReferenceHead {
  std::array<std::uint8_t, 12> addresses;
  wire::be16 ether_type;
  std::array<char, kStationOffset - kWordsOffset> words;
  std::uint8_t version;
  std::uint8_t zero;
  wire::be16 count;
  std::array<std::uint8_t, 2> zeros;
  wire::RecordingTag tag;
};
static_assert(offsetof(ReferenceHead, version) == kStationOffset && offsetof(ReferenceHead, tag) == kTagOffset);
struct ReferenceEntry {
  SymbolName symbol;
  wire::be32 price;
};
static_assert(sizeof(ReferenceHead) == kSecretOffset && sizeof(ReferenceEntry) == 12);
static_assert(wire::kIsLayout<ReferenceHead> && wire::kIsLayout<ReferenceEntry>);
constexpr std::uint8_t kReferenceVersion = 1;
constexpr std::size_t kMostEntries = (kMaxFrame - sizeof(ReferenceHead)) / sizeof(ReferenceEntry);

template <std::size_t kLength>
std::array<std::uint8_t, kLength> marker(std::string_view words) {
  constexpr std::size_t kEtherTypeOffset = 12;
  std::array<std::uint8_t, kLength> frame{};
  frame[kEtherTypeOffset] = wire::kRecorderEtherType >> 8;
  frame[kEtherTypeOffset + 1] = wire::kRecorderEtherType & 0xFF;
  std::copy(words.begin(), words.end(), frame.begin() + kWordsOffset);
  return frame;
}

void append(std::vector<std::uint8_t>& frame, wire::Bytes bytes) {
  frame.insert(frame.end(), bytes.begin(), bytes.end());
}

}  // namespace

std::array<std::uint8_t, kStartMarkerLength> start_marker(const RecordingStart& start) {
  auto frame = marker<kStartMarkerLength>("crosswire recording start");
  std::copy(start.station.begin(), start.station.end(), frame.begin() + kStationOffset);
  std::copy(start.tag.begin(), start.tag.end(), frame.begin() + kTagOffset);
  if (start.tcp_secret) {
    wire::overlay<wire::be64>(frame.data() + kSecretOffset) = (*start.tcp_secret)[0];
    wire::overlay<wire::be64>(frame.data() + kSecretOffset + 8) = (*start.tcp_secret)[1];
  }
  frame[kImpairedOffset] = start.impaired ? 1 : 0;
  return frame;
}

std::array<std::uint8_t, kStartMarkerLength> day_end_marker(const wire::RecordingTag& tag) {
  auto frame = marker<kStartMarkerLength>("crosswire recording day end");
  std::copy(tag.begin(), tag.end(), frame.begin() + kTagOffset);
  return frame;
}

std::array<std::uint8_t, kEndMarkerLength> end_marker() { return marker<kEndMarkerLength>("crosswire recording end"); }

std::optional<RecordingStart> read_start_marker(std::span<const std::uint8_t> frame) {
  if (frame.size() != kStartMarkerLength && frame.size() != kMarkerWithoutTag) return std::nullopt;
  RecordingStart start;
  std::copy_n(frame.begin() + kStationOffset, start.station.size(), start.station.begin());
  if (frame.size() == kStartMarkerLength) {
    std::copy_n(frame.begin() + kTagOffset, start.tag.size(), start.tag.begin());
    start.impaired = frame[kImpairedOffset] == 1;
    const auto number = [&](std::size_t at) { return wire::view_as<wire::be64>(frame.subspan(at))->value(); };
    const std::array secret{number(kSecretOffset), number(kSecretOffset + 8)};
    if ((secret[0] | secret[1]) != 0) start.tcp_secret = secret;
  }
  const auto expected = start_marker(start);
  if (!std::equal(frame.begin(), frame.end(), expected.begin())) return std::nullopt;
  return start;
}

bool is_day_end_marker(std::span<const std::uint8_t> frame, const wire::RecordingTag& tag) {
  if (frame.size() != kStartMarkerLength || tag == wire::RecordingTag{}) return false;
  const auto expected = day_end_marker(tag);
  return std::equal(frame.begin(), frame.end(), expected.begin());
}

std::vector<std::vector<std::uint8_t>> reference_frames(const RecordingStart& start) {
  std::vector<std::vector<std::uint8_t>> frames;
  for (std::span<const ReferencePrice> left = start.references; !left.empty();) {
    const std::size_t count = std::min(left.size(), kMostEntries);
    ReferenceHead head{};
    head.ether_type = wire::kRecorderEtherType;
    std::copy(kReferenceWords.begin(), kReferenceWords.end(), head.words.begin());
    head.version = kReferenceVersion;
    head.count = static_cast<std::uint16_t>(count);
    head.tag = start.tag;
    std::vector<std::uint8_t>& frame = frames.emplace_back();
    append(frame, wire::bytes_of(head));
    for (const ReferencePrice& reference : left.first(count)) {
      append(frame, wire::bytes_of(ReferenceEntry{reference.symbol, reference.price.value}));
    }
    left = left.subspan(count);
  }
  return frames;
}

bool is_reference_frame(std::span<const std::uint8_t> frame, const wire::RecordingTag& tag) {
  const auto* const head = wire::view_as<ReferenceHead>(frame);
  if (head == nullptr || tag == wire::RecordingTag{} || head->tag != tag) return false;
  const auto expected = marker<kStationOffset>(kReferenceWords);
  return std::equal(expected.begin(), expected.end(), frame.begin());
}

bool read_references(std::span<const std::uint8_t> frame, std::vector<ReferencePrice>& references) {
  const auto* const head = wire::view_as<ReferenceHead>(frame);
  if (head == nullptr || head->version != kReferenceVersion || head->count == 0) return false;
  const std::span<const std::uint8_t> entries = frame.subspan(sizeof *head);
  if (entries.size() != head->count * sizeof(ReferenceEntry)) return false;
  std::vector<ReferencePrice> read;
  for (std::size_t at = 0; at < entries.size(); at += sizeof(ReferenceEntry)) {
    const auto& entry = *wire::view_as<ReferenceEntry>(entries.subspan(at));
    const bool printable =
        std::all_of(entry.symbol.begin(), entry.symbol.end(), [](char c) { return c >= ' ' && c <= '~'; });
    if (!printable || entry.price == 0 || entry.price > kMaxPrice.value) return false;
    read.push_back({entry.symbol, Price{entry.price}});
  }
  references.insert(references.end(), read.begin(), read.end());
  return true;
}

}  // namespace crosswire
