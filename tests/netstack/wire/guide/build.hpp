// How the guide's messages are made: offsets, lengths and example bytes by the codecs, words by notes.
#pragma once

#include <concepts>
#include <span>
#include <stdexcept>
#include <type_traits>

#include "netstack/wire/itch.hpp"
#include "netstack/wire/ouch.hpp"
#include "netstack/wire/soup.hpp"
#include "tests/netstack/wire/guide/guide.hpp"

namespace crosswire::wire::test {

std::vector<Message> soup_packets();
std::vector<Message> ouch_in();
std::vector<Message> ouch_out();
std::vector<Message> itch_messages();

using ouch::Tag;

struct Note {
  std::string_view field;
  std::string says;
  std::vector<Meaning> values = {};
  std::string_view test = {};
};
using Notes = std::vector<Note>;

inline constexpr std::uint64_t kNow = 34'200'000'000'001;  // half past nine, and a nanosecond
inline constexpr std::string_view kPrice = "1/10000; at most 199,999.99";

inline const std::vector<Meaning> kSides = {
    {"B", "buy"}, {"S", "sell"}, {"T", "sell short"}, {"E", "sell short exempt"}};
inline const std::vector<Meaning> kTimes = {
    {"0", "day"}, {"3", "at once; what is left dies (IOC)"}, {"6", "for ExpireTime (GTT)"}};
inline const std::vector<Meaning> kDisplays = {{"Y", "visible"}, {"A", "attributable"}, {"N", "hidden"}};
inline const std::vector<Meaning> kCrossTypes = {{"N", "continuous"}, {"O", "on-open"}, {"C", "on-close"}};
inline const std::vector<Meaning> kCapacities = {
    {"A", "agency"}, {"P", "principal"}, {"R", "riskless"}, {"O", "other"}};
inline const std::vector<Meaning> kStates = {{"L", "live"}, {"D", "dead: nothing more comes for it"}};
inline const std::vector<Meaning> kCrosses = {
    {"O", "opening"}, {"C", "closing"}, {"H", "behind a halt or an interruption"}};
inline const std::vector<Meaning> kFeedSides = {{"B", "buy"}, {"S", "sell, however marked"}};

/// Of fields that say the same in most messages of a protocol.
inline const Notes& common(std::string_view protocol) {
  static const Notes kOuch = {
      {"type", "the message's letter"},
      {"timestamp", "when it happened"},
      {"user_ref_num", "number of the order"},
      {"side", "the order's side as it is now", kSides},
      {"quantity", "shares"},
      {"symbol", "the instrument"},
      {"price", std::string(kPrice)},
      {"time_in_force", "as asked", kTimes},
      {"display", "as asked; `N` of an order for a cross", kDisplays},
      {"order_ref", "the exchange's number of the order, unique in the day; the feed has the same"},
      {"capacity", "as asked", kCapacities},
      {"iso", "always `N`: not eligible", {{"N", "not eligible"}}},
      {"cross_type", "as asked", kCrossTypes},
      {"order_state", "whether more may come for it", kStates},
      {"firm", "as asked"},
      {"cl_ord_id", "the client's own words for the order"}};
  static const Notes kItch = {{"type", "the message's letter"},
                              {"locate", "number of the instrument, from its Stock Directory"},
                              {"tracking", "always 0"},
                              {"timestamp", "when it happened"},
                              {"order_ref", "the order's number, as in its Accepted or Replaced"},
                              {"side", "whose queue it is in", kFeedSides},
                              {"shares", "shares"},
                              {"stock", "the instrument"},
                              {"price", "1/10000"},
                              {"match_number", "number of the execution; OUCH's Executed has the same"},
                              {"cross_type", "which cross it is about", kCrosses}};
  static const Notes kSoup = {{"length", "bytes that follow"}, {"type", "the packet's letter"}};
  return protocol == "ouch" ? kOuch : protocol == "itch" ? kItch : kSoup;
}

template <class T>
Form form_of(std::string_view name, const T&) {
  if constexpr (std::same_as<T, char> || std::is_enum_v<T>) return Form::letter;
  if constexpr (requires(T t) { t.chars; }) return Form::text;
  if (name == "timestamp") return Form::time;
  return name == "price" || name.ends_with("_price") ? Form::price : Form::number;
}

inline std::string text_of(std::string_view text) {
  return std::string(text.substr(0, text.find_last_not_of(' ') + 1));
}
template <class T>
std::string value_of(const T& field) {
  if constexpr (std::same_as<T, char> || std::is_enum_v<T>) {
    return text_of(std::string(1, static_cast<char>(field)));
  } else if constexpr (requires { field.chars; }) {
    return text_of(field.raw());
  } else {
    return std::to_string(field.value());
  }
}

template <class M>
void visit_any(M& message, auto&& f) {
  if constexpr (requires { message.header; }) {
    f("length", message.header.length);
    f("type", message.header.type);
    if constexpr (requires { message.payload.reason; }) {
      f("reason", message.payload.reason);
    } else {
      visit(message.payload, f);
    }
  } else {
    visit(message, f);
  }
}

inline const Note* find(const Notes& notes, std::string_view field) {
  for (const Note& note : notes) {
    if (note.field == field) return &note;
  }
  return nullptr;
}

template <class M>
Message message_of(std::string_view protocol, std::string title, char letter, std::string when, std::string_view test,
                   M example, const Notes& notes) {
  Message message{
      .title = std::move(title), .letter = letter, .size = sizeof(M), .sent = !test.empty(), .when = std::move(when)};
  std::size_t used = 0;
  visit_any(example, [&](std::string_view name, auto& field) {
    const Note* note = find(notes, name);
    used += note != nullptr;
    if (note == nullptr) note = find(common(protocol), name);
    if (note == nullptr) throw std::logic_error(message.title + " says nothing of " + std::string(name));
    const auto offset = reinterpret_cast<const char*>(&field) - reinterpret_cast<const char*>(&example);
    message.fields.push_back({std::string(name), static_cast<std::size_t>(offset), sizeof field, form_of(name, field),
                              note->says, note->values,
                              std::string(test.empty() || note->test.empty() ? test : note->test)});
  });
  if (used != notes.size()) throw std::logic_error(message.title + " has a note of a field that it has not");
  message.example.assign(bytes_of(example).begin(), bytes_of(example).end());
  message.decode = [](Bytes bytes) {
    M read = *view_as<M>(bytes);
    Values values;
    visit_any(read, [&](std::string_view name, auto& field) { values.emplace_back(name, value_of(field)); });
    return values;
  };
  return message;
}

struct Appended {
  std::vector<Tag> tags;
  std::vector<std::pair<Tag, Octets>> example = {};
};

/// The message's options are those of `appended`, or where it names none all that the codec knows of it.
template <class M>
Message ouch_message(std::string title, std::string when, std::string_view test, M example, const Notes& notes,
                     Appended appended = {}) {
  Message message = message_of("ouch", std::move(title), M::kType, std::move(when), test, example, notes);
  message.appendage = M::kAppendage;
  for (std::size_t place = 1; place < ouch::kTagTable.size(); ++place) {
    const Tag tag = ouch::tag_at(place);
    if (appended.tags.empty() && M::kTags.contains(tag)) message.tags.push_back(tag);
  }
  if (!appended.tags.empty()) message.tags = appended.tags;
  Octets room(sizeof(M) + 64);
  room.resize(ouch::write_message(std::span(room), example, [&](ouch::OptionWriter& writer) {
    for (const auto& [tag, value] : appended.example) writer.put(tag, value);
  }));
  message.example = room;
  return message;
}

template <class M>
Message itch_message(std::string title, std::string when, std::string_view test, M example, const Notes& notes) {
  example.head.locate =
      std::uint16_t{notes.empty() || notes[0].field != "locate" ? std::uint16_t{1} : std::uint16_t{0}};
  example.head.tracking = std::uint16_t{0};
  example.head.timestamp = kNow;
  return message_of("itch", std::move(title), M::kType, std::move(when), test, example, notes);
}

}  // namespace crosswire::wire::test
