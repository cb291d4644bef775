// The exchange's zone: from the clock on its wall to the Unix epoch and back. Set-up and control threads only. It reads
// the host's tzdata, and nothing else.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace date {
class time_zone;
}

namespace crosswire {

/// A zone of the host's tzdata, or a fixed offset. A small value: what it points to lives as long as the process.
/// Local times are ns that the clock on the wall shows since its 1970-01-01 00:00:00.
class Zone {
 public:
  Zone() = default;  // UTC
  /// East of UTC, less than a day either way.
  static Zone at_offset(std::int64_t offset_s);

  /// When the clock shows it, ns since the Unix epoch. A time that the clock leaps over is the moment of the leap; of
  /// one that it shows twice, the first.
  std::int64_t epoch_ns(std::int64_t local_ns) const;
  /// What the clock shows.
  std::int64_t local_ns(std::int64_t epoch_ns) const;
  /// The same as "2026-03-29 03:00:00".
  std::string clock(std::int64_t epoch_ns) const;

  /// "Asia/Shanghai", "+08:00" or "UTC".
  const std::string& name() const { return name_; }

 private:
  friend class ZoneSearch;

  std::string name_ = "UTC";
  const date::time_zone* zone_ = nullptr;  // none: a fixed offset
  std::int64_t offset_s_ = 0;
};

/// Why there is no such zone, and how to mend that.
struct ZoneFault {
  std::string what;
  std::string remedy;
};

/// A name of IANA's ("Asia/Shanghai", as the host's tzdata has it), or an offset ("+08:00", up to 14 hours).
std::variant<Zone, ZoneFault> find_zone(std::string_view name);

}  // namespace crosswire
