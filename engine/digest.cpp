// The digest of the engine's state, of all that state.hpp names. See engine.hpp.
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "engine/engine.hpp"
#include "engine/state.hpp"

namespace crosswire {
namespace {

class Digest {
 public:
  template <class Value>
  void operator()(const char*, const Value& value) {
    if constexpr (std::is_enum_v<Value>) {
      add(static_cast<std::make_unsigned_t<std::underlying_type_t<Value>>>(value));
    } else {
      add_plain(value);
    }
  }
  std::uint64_t value() const { return state_; }

 private:
  void add(std::uint64_t value) {
    // splitmix64's finaliser over a running state: order matters, every bit spreads.
    std::uint64_t x = state_ + value * 0x9E3779B97F4A7C15u + 0x632BE59BD9B4E019u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    state_ = x ^ (x >> 31);
  }

  void add_plain(std::unsigned_integral auto value) { add(value); }
  void add_plain(std::int64_t value) { add(static_cast<std::uint64_t>(value)); }
  /// On some machines it has a sign.
  void add_plain(char value) { add(static_cast<unsigned char>(value)); }
  template <class Tag, class Rep>
  void add_plain(const Strong<Tag, Rep>& strong) {
    add(strong.value);
  }
  template <std::size_t N>
  void add_plain(const std::array<char, N>& text) {
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < N; ++i) {
      word = word << 8 | static_cast<unsigned char>(text[i]);
      if (i % 8 == 7 || i == N - 1) add(std::exchange(word, 0));
    }
  }

  std::uint64_t state_ = 0;
};

}  // namespace

std::uint64_t Engine::state_hash() const {
  Digest digest;
  EngineState::visit(*this, digest);
  return digest.value();
}

}  // namespace crosswire
