// A protocol's messages by type letter.
// Any stage; constant data, no dependencies.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace crosswire::wire {

/// `Info` has a member `char type`, different in each of the N.
template <class Info, std::size_t N>
class MessageTable {
 public:
  constexpr explicit MessageTable(const std::array<Info, N>& infos) : infos_(infos) {
    static_assert(N < 255);
    std::uint8_t number = 0;
    for (const Info& info : infos) number_of_[static_cast<unsigned char>(info.type)] = ++number;
  }

  /// nullptr for a letter that the protocol does not have.
  constexpr const Info* find(char type) const {
    const std::size_t number = number_of_[static_cast<unsigned char>(type)];
    return number == 0 ? nullptr : &infos_[number - 1];
  }

  constexpr auto begin() const { return infos_.begin(); }
  constexpr auto end() const { return infos_.end(); }
  static constexpr std::size_t size() { return N; }

 private:
  std::array<Info, N> infos_;
  std::array<std::uint8_t, 256> number_of_{};  // index in infos_ plus 1; 0 = none
};

}  // namespace crosswire::wire
