// A capture of TCP taken through `crosswire flow --from-capture`, and what came of it. Tests only.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "app/config/config.hpp"
#include "app/flow/error.hpp"
#include "app/flow/from_capture.hpp"
#include "app/replay/replay.hpp"
#include "netstack/port/capture.hpp"
#include "netstack/wire/mold.hpp"
#include "tests/app/flow/tcp_capture.hpp"
#include "tests/folder.hpp"

namespace crosswire::test {

inline constexpr TimeNs kStart = 9 * 3600 * kNsPerSecond;
inline constexpr TimeNs kStep = 1'000'000;

/// Taken from a capture, written, and replayed.
class Captured {
 public:
  explicit Captured(const std::vector<Buffer>& frames, std::optional<std::uint16_t> port = std::nullopt) {
    write_capture(folder.file("in.pcap"), frames, kStart, kStep);
    options = {folder.file("in.pcap"), port, folder.file("out.pcap"), folder.file("out.toml")};
    figures = write_captured_flow(options);
  }

  Replayed replayed() const { return replay_files(folder, "out"); }
  static Replayed replay_files(const Folder& folder, const std::string& name) {
    static const TscClock clock = TscClock::calibrated();
    ReplayProgress progress;
    return replay({.config = load_config(folder.file(name + ".toml"), ConfigUse::replay),
                   .in = folder.file(name + ".pcap"),
                   .out = folder.file(name + "-answers.pcap"),
                   .report = "",
                   .session = ""},
                  clock, progress);
  }
  std::string text() const { return to_text(options, figures); }

  Folder folder;
  FromCaptureOptions options;
  FromCaptureFigures figures;
};

inline std::string fault_of(const std::vector<Buffer>& frames, std::optional<std::uint16_t> port = std::nullopt) {
  try {
    const Captured captured(frames, port);
  } catch (const FlowError& error) {
    return error.what();
  }
  return "none";
}

/// What the written capture holds, in words: user, time in steps, packet.
inline std::vector<std::string> frames_of(const std::string& path) {
  std::vector<std::string> said;
  CaptureRxPort port(path, kCapturedDay);
  for (RxBurst burst = port.receive(); !burst.ended; burst = port.receive()) {
    for (const RxFrame& frame : burst.frames) {
      const wire::Bytes ip(frame.data + 14, frame.length - 14);
      const wire::Bytes payload = ip.subspan(28, (std::size_t{ip[2]} << 8 | ip[3]) - 28);
      std::string text =
          std::to_string(frame.data[11]) + " at " + std::to_string((burst.time_ns - kStart) / kStep) + ": ";
      if (payload[0] == 0) {
        text += static_cast<char>(payload[2]);
      } else {
        wire::mold::BlockReader reader(payload);
        while (reader.next()) {
          text += std::to_string(reader.header()->sequence) + " ";
          text += static_cast<char>(reader.block()[0]);
        }
      }
      said.push_back(text);
    }
  }
  return said;
}

inline Client session_of(const std::string& user, std::initializer_list<Buffer> packets, std::uint16_t port = 40'001) {
  Client client;
  client.client.port = port;
  client.stream = login(user);
  for (const Buffer& bytes : packets) client.stream += bytes;
  return client;
}

}  // namespace crosswire::test
