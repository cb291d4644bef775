// Lines for people, on streams that may break. Control threads only.
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <utility>

namespace crosswire {

/// Writes to `stream`. Where that fails the text is lost and nothing else happens: a pipe without a reader, a terminal
/// that is gone or a full disk must not end an appliance, as fmt::print()'s exception would. What stdout lost main()
/// tells.
template <class... Values>
void say(std::FILE* stream, fmt::format_string<Values...> format, Values&&... values) {
  const std::string text = fmt::format(format, std::forward<Values>(values)...);
  std::fputs(text.c_str(), stream);
}

}  // namespace crosswire
