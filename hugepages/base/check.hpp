// CHECK: an invariant that stays on in release. A broken one stops the process with what it saw.
// Any stage; used for inside errors only. What comes from a wire, file or command line is never CHECKed.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace crosswire {

/// Prints and aborts; out of line and cold so that a CHECK costs one predicted branch.
template <class... Args>
[[noreturn, gnu::cold, gnu::noinline]] void check_failed(const char* file, int line, const char* condition,
                                                         const char* format, Args... args) {
  std::fprintf(stderr, "crosswire: %s:%d: broken invariant: %s: ", file, line, condition);
  if constexpr (sizeof...(Args) == 0) {
    std::fputs(format, stderr);
  } else {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-security"
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    std::fprintf(stderr, format, args...);
#pragma GCC diagnostic pop
  }
  std::fputc('\n', stderr);
  std::abort();
}

}  // namespace crosswire

/// CHECK(condition, "printf format of what was seen", values...)
#define CHECK(condition, ...)                                                 \
  do {                                                                        \
    if (!(condition)) [[unlikely]]                                            \
      ::crosswire::check_failed(__FILE__, __LINE__, #condition, __VA_ARGS__); \
  } while (false)
