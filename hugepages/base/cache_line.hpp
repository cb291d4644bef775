// Cache lines: how long they are, and how a thing comes to lie on its own. Standard library only.
#pragma once

#include <cstddef>

namespace crosswire {

inline constexpr std::size_t kCacheLine = 64;

/// A T that shares no cache line with what lies beside it, for members of one object that different threads write:
/// where two of them met on a line, each write of the one would take the line from the other's core, which nothing but
/// the figures would show. Two lines, because the processor fetches them in pairs. It is a T in every other respect.
template <class T>
struct alignas(2 * kCacheLine) OnOwnLines : T {
  using T::T;
};

}  // namespace crosswire
