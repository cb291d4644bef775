// A capture of someone else's SoupBinTCP sessions over TCP as an order-entry capture and its replay configuration.
// Tools only; one thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/flow/captured_orders.hpp"
#include "app/flow/captured_streams.hpp"
#include "app/flow/tcp_frames.hpp"

namespace crosswire {

struct FromCaptureOptions {
  std::string in_path;                // pcap or pcapng, as CaptureRxPort reads them
  std::optional<std::uint16_t> port;  // the exchange's; nothing: whichever
  std::string capture_path;
  std::string config_path;  // empty: no configuration is written
};

struct FromCaptureFigures {
  struct Session {
    std::string user;  // "": it had none, and no message
    StreamReport stream;
  };
  std::array<std::uint64_t, static_cast<std::size_t>(FrameFate::count_)> frames_in{};
  std::uint64_t oversized = 0;      // frames that were too long to be read
  std::uint64_t clamped_times = 0;  // frames stamped before an earlier one
  std::uint64_t other_segments = 0;
  std::uint64_t left_out_segments = 0;  // of connections beyond CapturedStreams::kMostConnections
  std::uint64_t frames_out = 0;
  std::size_t accounts = 0;
  std::size_t symbols = 0;
  CapturedOrderFigures orders;
  std::vector<Session> sessions;  // a connection each
};

/// Writes the capture, and the configuration if asked for. Throws std::runtime_error (one line), FlowError for what is
/// wrong with the capture that is read; then neither file is written.
FromCaptureFigures write_captured_flow(const FromCaptureOptions& options);

/// What was found and what is missing, for people: lines.
std::string to_text(const FromCaptureOptions& options, const FromCaptureFigures& figures);

}  // namespace crosswire
