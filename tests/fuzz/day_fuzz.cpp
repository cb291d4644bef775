// day.toml and times of day: any bytes. A file is refused in one message that names it, or it is complete.
#include "app/flow/recorded_day.hpp"

#include "app/config/config.hpp"
#include "app/config/time_of_day.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace crosswire {
namespace {

using namespace fuzz;

void check_day(const std::string& path) try {
  const Day day = load_day(path);
  HOLDS(!day.symbol.empty() && day.symbol.size() <= 8);
  HOLDS(day.tick_e4 >= 1 && day.reference != kNoPrice && day.reference <= kMaxPrice);
  HOLDS(day.reference.value % day.tick_e4 == 0);
  HOLDS(day.midnight_epoch_ns % static_cast<std::int64_t>(kNsPerDay) == 0);
  TimeNs last = 0;
  for (const PhaseChange& change : day.schedule) {
    HOLDS(change.at_ns >= last && change.at_ns < kNsPerDay);
    last = change.at_ns;
  }
} catch (const ConfigError& fault) {
  HOLDS(std::string_view(fault.what()).rfind(path + ":", 0) == 0);
}

/// What reads as a time of day reads as the same when it is written anew.
void check_time_of_day(std::string_view text) {
  const auto time = parse_time_of_day(text);
  if (!time) return;
  HOLDS(*time < kNsPerDay);
  HOLDS(parse_time_of_day(format_time_of_day(*time)) == time);
}

}  // namespace
}  // namespace crosswire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace crosswire;
  static fuzz::MemoryFile file;
  file.set({{data, size}});
  check_day(file.path());
  check_time_of_day({reinterpret_cast<const char*>(data), size});
  return 0;
}
