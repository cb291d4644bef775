// Capture files, pcap and pcapng, as replay and `flow --check` read them: any bytes as a file.
#include "netstack/port/capture.hpp"

#include <stdexcept>

#include "app/flow/error.hpp"
#include "app/flow/output.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace crosswire {
namespace {

using namespace fuzz;

/// A fault is one line that names the file.
void check_fault(const std::string& what, const std::string& path) {
  HOLDS(what.rfind(path, 0) == 0);
  HOLDS(one_line(what) == what);
}

void check_port(const std::string& path, std::int64_t midnight) try {
  CaptureRxPort port(path, midnight, 10 * kNsPerSecond);
  const TimeNs start = port.start_time_ns();
  TimeNs last = start;
  std::uint64_t frames = 0;
  RxBurst burst = port.receive();
  for (; !burst.ended; burst = port.receive()) {
    HOLDS(burst.frames.empty() == burst.day_ended && burst.frames.size() <= kMaxBurst);
    HOLDS(burst.time_ns >= last && burst.time_ns <= CaptureRxPort::kLatestNs);
    for (const RxFrame& frame : burst.frames) HOLDS(frame.length <= kMaxFrame);
    frames += burst.frames.size();
    last = burst.time_ns;
  }
  HOLDS(burst.frames.empty() && burst.time_ns >= last);
  HOLDS(port.counters().get(CaptureCounter::frames) == frames);
  if (!port.error().empty()) check_fault(port.error(), path);
  HOLDS(port.receive().ended);
} catch (const std::runtime_error& fault) {
  check_fault(fault.what(), path);
}

void check_first_frame(const std::string& path) try {
  const std::int64_t first = CaptureRxPort::first_frame_epoch_ns(path);
  HOLDS(first >= 0);
  check_port(path, midnight_utc(first));
} catch (const std::runtime_error& fault) {
  check_fault(fault.what(), path);
}

void check_output(const std::string& path) try {
  read_output(path, {[](ClientKey, wire::Bytes) {}, [](wire::Bytes) {}});
} catch (const FlowError& fault) {
  check_fault(fault.what(), path);
}

}  // namespace
}  // namespace crosswire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace crosswire;
  static fuzz::MemoryFile file;
  file.set({{data, size}});
  check_first_frame(file.path());
  check_port(file.path(), 0);
  check_output(file.path());
  return 0;
}
