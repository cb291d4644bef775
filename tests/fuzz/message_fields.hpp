// Messages field by field: what decodes must encode to the same bytes. Tests only.
#pragma once

#include <type_traits>

#include "tests/fuzz/fuzz.hpp"
#include "tests/netstack/wire/fields.hpp"

namespace crosswire::fuzz {

/// Reads every field of the message by value and writes it into a fresh one: both must be the same bytes, so no field
/// lies where another one does, and none loses a bit.
template <class M>
void check_fields(wire::Bytes fixed) {
  M read = *wire::view_as<M>(fixed);
  M written;
  std::fill_n(reinterpret_cast<std::uint8_t*>(&written), sizeof(written), std::uint8_t{0});
  // Both messages' fields come in the same order: the second visit takes up what the first one left.
  std::array<std::uint64_t, 32> numbers{};
  std::array<std::string, 32> texts;
  std::size_t fields = 0;
  wire::test::visit(read, [&](const char*, auto& field) {
    using Field = std::remove_cvref_t<decltype(field)>;
    if constexpr (requires { field.raw(); }) {
      texts[fields++] = std::string(field.raw());
    } else if constexpr (requires { field.value(); }) {
      numbers[fields++] = field.value();
    } else {
      static_assert(std::is_same_v<Field, char>);
      numbers[fields++] = static_cast<unsigned char>(field);
    }
  });
  fields = 0;
  wire::test::visit(written, [&](const char*, auto& field) {
    using Field = std::remove_cvref_t<decltype(field)>;
    if constexpr (requires { field.raw(); }) {
      field.set(texts[fields++]);
    } else if constexpr (requires { field.value(); }) {
      field = static_cast<typename Field::value_type>(numbers[fields++]);
    } else {
      field = static_cast<char>(numbers[fields++]);
    }
  });
  HOLDS(same_bytes(wire::bytes_of(written), fixed.first(sizeof(M))));
}

}  // namespace crosswire::fuzz
