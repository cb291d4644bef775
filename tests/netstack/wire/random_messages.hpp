// Seeded random messages: every field over its whole range, every option that the message takes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "netstack/wire/bytes.hpp"
#include "netstack/wire/ouch.hpp"
#include "tests/netstack/wire/fields.hpp"

namespace crosswire::wire::test {

using Octets = std::vector<std::uint8_t>;

// Prints its seed; the environment's CROSSWIRE_SEED repeats a run.
class Random {
 public:
  Random() : Random(chosen_seed()) {}
  explicit Random(std::uint64_t seed) : engine_(seed), seed_(seed) {
    std::cout << "CROSSWIRE_SEED=" << seed << std::endl;
  }

  std::uint64_t seed() const { return seed_; }
  std::uint64_t bits() { return engine_(); }
  std::uint64_t below(std::uint64_t limit) { return engine_() % limit; }
  bool chance() { return below(2) == 0; }
  std::uint8_t byte() { return static_cast<std::uint8_t>(below(256)); }

  // Printable, no spaces: what is justified must come back as it was.
  std::string word(std::size_t least, std::size_t most) {
    std::string text(least + below(most - least + 1), ' ');
    for (char& c : text) c = static_cast<char>('!' + below('~' - '!' + 1));
    return text;
  }

  Octets octets(std::size_t size) {
    Octets result(size);
    for (std::uint8_t& octet : result) octet = byte();
    return result;
  }

 private:
  static std::uint64_t chosen_seed() {
    const char* const given = std::getenv("CROSSWIRE_SEED");
    return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  }

  std::mt19937_64 engine_;
  std::uint64_t seed_;
};

inline void randomize(char& field, Random& random) { field = static_cast<char>(random.byte()); }
inline void randomize(be48& field, Random& random) { field = random.bits() >> 16; }
template <class UInt>
void randomize(BigEndian<UInt>& field, Random& random) {
  field = static_cast<UInt>(random.bits());
}
template <std::size_t N>
void randomize(alpha<N>& field, Random& random) {
  for (char& c : field.chars) c = static_cast<char>(random.byte());
}

// The fixed part, all fields random but the type letter.
template <class M>
M random_fixed(Random& random) {
  M message{};
  visit(message, [&random](std::string_view name, auto& field) {
    if (name != "type") randomize(field, random);
  });
  return message;
}

// An appendage with the options of `tags` in this order, random values.
inline Octets random_appendage(const std::vector<ouch::Tag>& tags, Random& random) {
  Octets bytes(512);
  ouch::OptionWriter writer(bytes);
  for (const ouch::Tag tag : tags) writer.put(tag, random.octets(value_length(ouch::tag_info(tag).kind)));
  bytes.resize(writer.finish());
  return bytes;
}

inline std::vector<ouch::Tag> tags_of(ouch::TagSet set) {
  std::vector<ouch::Tag> tags;
  for (unsigned number = 0; number < 256; ++number) {
    if (set.contains(static_cast<ouch::Tag>(number))) tags.push_back(static_cast<ouch::Tag>(number));
  }
  return tags;
}

// A whole OUCH message: with every option it takes, or with some in any order, or without the optional appendage.
template <class M>
Octets random_ouch(Random& random, bool every_option) {
  const M fixed = random_fixed<M>(random);
  Octets message(bytes_of(fixed).begin(), bytes_of(fixed).end());
  if (M::kAppendage == ouch::Appendage::none) return message;
  if (!every_option && M::kAppendage == ouch::Appendage::optional && random.chance()) return message;
  std::vector<ouch::Tag> tags = tags_of(M::kTags);
  if (!every_option) {
    for (std::size_t i = tags.size(); i > 1; --i) std::swap(tags[i - 1], tags[random.below(i)]);
    tags.resize(random.below(tags.size() + 1));
  }
  const Octets appendage = random_appendage(tags, random);
  message.insert(message.end(), appendage.begin(), appendage.end());
  return message;
}

}  // namespace crosswire::wire::test
