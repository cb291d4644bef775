// Shared by the port tests: frames with a number in them, files in a folder that is removed again.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "netstack/port/memory_port.hpp"

namespace crosswire {

inline constexpr std::int64_t kMidnight = 1'700'006'400'000'000'000;  // 2023-11-15T00:00:00Z, ns since the Unix epoch
static_assert(kMidnight % static_cast<std::int64_t>(kNsPerDay) == 0);
inline constexpr TimeNs kOpen = 34'200 * kNsPerSecond;  // 09:30

/// A frame of the recordings' EtherType that carries `number`, from 18 bytes on; 14 bytes at least.
inline FrameBytes numbered_frame(std::uint32_t number, std::size_t length = 60) {
  FrameBytes frame(length);
  std::fill_n(frame.begin(), 6, std::uint8_t{0xFF});
  frame[6] = 0x02;
  frame[12] = 0x88;
  frame[13] = 0xB6;  // local experimental 2: the first one is the recorder's
  for (std::size_t i = 18; i < length; ++i) frame[i] = static_cast<std::uint8_t>(number + i);
  std::memcpy(frame.data() + 14, &number, std::min(sizeof number, length - 14));
  return frame;
}

inline std::uint32_t number_of(const std::uint8_t* frame) {
  std::uint32_t number = 0;
  std::memcpy(&number, frame + 14, sizeof number);
  return number;
}

inline FrameBytes bytes_of(const RxFrame& frame) { return {frame.data, frame.data + frame.length}; }

/// Reserves, fills and commits one frame; false when the port had no room.
inline bool send(TxPort& port, const FrameBytes& frame, const FrameOrigin& origin = {}) {
  std::uint8_t* buffer = port.reserve();
  if (buffer == nullptr) return false;
  std::copy(frame.begin(), frame.end(), buffer);
  port.commit(frame.size(), origin);
  return true;
}

struct SeenBurst {
  TimeNs time_ns;
  std::vector<FrameBytes> frames;
  bool operator==(const SeenBurst&) const = default;
};

/// All bursts with frames until the port has ended, and when that was.
struct SeenRun {
  std::vector<SeenBurst> bursts;
  TimeNs end_ns = 0;
};

inline SeenRun play(RxPort& port) {
  SeenRun run;
  while (true) {
    const RxBurst burst = port.receive();
    if (burst.ended) {
      EXPECT_TRUE(burst.frames.empty());
      run.end_ns = burst.time_ns;
      return run;
    }
    if (burst.frames.empty()) continue;
    run.bursts.push_back({burst.time_ns, {}});
    for (const RxFrame& frame : burst.frames) run.bursts.back().frames.push_back(bytes_of(frame));
  }
}

/// A folder for the files of one test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "crosswire-port-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

inline std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void put_contents(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

}  // namespace crosswire
