// Times of day: see the header. Set-up only.
#include "app/config/time_of_day.hpp"

#include <fmt/format.h>

#include <cstddef>

namespace crosswire {

std::optional<TimeNs> parse_time_of_day(std::string_view text) {
  constexpr std::string_view kPattern = "dd:dd:dd.ddddddddd";
  if (text.size() < 8 || text.size() == 9 || text.size() > kPattern.size()) return std::nullopt;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (kPattern[i] == 'd' ? !digit : text[i] != kPattern[i]) return std::nullopt;
  }
  const auto two = [text](std::size_t at) { return static_cast<TimeNs>((text[at] - '0') * 10 + (text[at + 1] - '0')); };
  if (two(0) > 23 || two(3) > 59 || two(6) > 59) return std::nullopt;
  TimeNs time_ns = (two(0) * 3600 + two(3) * 60 + two(6)) * kNsPerSecond;
  TimeNs digit_ns = kNsPerSecond / 10;
  for (std::size_t i = 9; i < text.size(); ++i, digit_ns /= 10)
    time_ns += static_cast<TimeNs>(text[i] - '0') * digit_ns;
  return time_ns;
}

std::string format_time_of_day(TimeNs time_ns) {
  const TimeNs seconds = time_ns / kNsPerSecond;
  const TimeNs fraction = time_ns % kNsPerSecond;
  const std::string clock = fmt::format("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
  if (fraction % 1'000'000 == 0) return fmt::format("{}.{:03}", clock, fraction / 1'000'000);
  return fmt::format("{}.{:09}", clock, fraction);
}

}  // namespace crosswire
