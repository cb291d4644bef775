// Someone else's sessions as an order-entry capture: see the header. Tools only.
#include "app/flow/from_capture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "app/files/whole_file.hpp"
#include "app/flow/config.hpp"
#include "app/flow/error.hpp"
#include "netstack/port/capture.hpp"

namespace crosswire {
namespace {

/// It is read from its beginning twice.
void check_input(const std::string& path) {
  std::error_code error;  // what cannot be opened is told when it is
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (error || !std::filesystem::exists(status) || std::filesystem::is_directory(status)) return;
  if (std::filesystem::is_regular_file(status)) return;
  throw FlowError(path + ": is not a file that can be read more than once; write the capture into a file");
}

/// Reads the capture to its end, and returns its last time.
TimeNs read_streams(CaptureRxPort& port, CapturedStreams& streams, FromCaptureFigures& figures) {
  TimeNs last_ns = 0;
  std::uint64_t number = 0;
  for (RxBurst burst = port.receive(); !burst.ended; burst = port.receive()) {
    last_ns = burst.time_ns;
    for (const RxFrame& frame : burst.frames) {
      TcpFrame tcp;
      const FrameFate fate = read_tcp_frame({frame.data, frame.length}, tcp);
      ++figures.frames_in[static_cast<std::size_t>(fate)];
      ++number;
      if (fate == FrameFate::taken || fate == FrameFate::taken_partial) streams.take(tcp, {number, burst.time_ns});
    }
  }
  if (!port.error().empty()) throw FlowError(port.error());
  streams.finish();
  return last_ns;
}

// ---- In words -------------------------------------------------------------------------------------------------------

std::string messages_text(const CapturedOrderFigures& orders) {
  std::string text;
  for (const auto& info : wire::ouch::kInbound) {
    const std::uint64_t count = orders.messages[static_cast<std::size_t>(&info - &*wire::ouch::kInbound.begin())];
    if (count > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", info.name, count);
  }
  return text;
}

std::string_view beginning_text(StreamBeginning beginning) {
  switch (beginning) {
    case StreamBeginning::handshake:
      return "from its SYN on";
    case StreamBeginning::half_handshake:
      return "from the answer to its SYN on";
    case StreamBeginning::login:
      return "without its handshake, from its login on";
    case StreamBeginning::middle:
      break;
  }
  return "from its middle on: what came before is not known";
}

std::string hole_text(const StreamReport& stream, const StreamReport::Hole& hole) {
  std::string why = "never arrived, as far as the capture tells";
  if (!stream.acknowledgements) {
    why = "lost by the capture or on the way: the exchange's side is not in it";
  } else if (hole.acknowledged == hole.length) {
    why = "lost by the capture: the exchange has acknowledged them";
  } else if (hole.acknowledged > 0) {
    why = fmt::format("{} of them lost by the capture, which the exchange has acknowledged", hole.acknowledged);
  }
  return fmt::format("  missing: {} from byte {} on; {}\n", counted(hole.length, "byte"), hole.offset, why);
}

std::string session_text(const FromCaptureFigures::Session& session) {
  const StreamReport& stream = session.stream;
  std::string text = fmt::format("{} -> {}, {}: {}, {}, {} missing; {}\n", text_of(stream.client),
                                 text_of(stream.exchange), session.user.empty() ? "no user" : "user " + session.user,
                                 counted(stream.packets.messages, "message"), counted(stream.stream.bytes, "byte"),
                                 stream.stream.missing, beginning_text(stream.beginning));
  std::uint64_t named = 0;
  for (const StreamReport::Hole& hole : stream.holes) {
    text += hole_text(stream, hole);
    named += hole.length;
  }
  if (named < stream.stream.missing)
    text += fmt::format("  missing: {} more in further holes\n", counted(stream.stream.missing - named, "byte"));
  const auto note = [&text](std::uint64_t count, std::string_view unit, std::string_view what) {
    if (count > 0) text += fmt::format("  {} {}\n", counted(count, unit), what);
  };
  note(stream.packets.skipped, "byte", "passed over, of packets that are not there as a whole");
  note(stream.packets.resynced, "time",
       "the packets' beginnings were found by a segment that can begin at nothing else");
  note(stream.stream.repeated, "byte", "came again");
  note(stream.stream.changed, "byte", "came again with another value: the first counts");
  note(stream.stream.late, "byte", "came after more than 30 s, too late: they count as missing");
  note(stream.stream.outside, "segment", "too far from the stream to be of it");
  note(stream.packets.others, "packet", "that are neither logins, orders, heartbeats nor logouts");
  return text;
}

std::string input_text(const FromCaptureFigures& figures) {
  std::string text;
  const auto note = [&text](std::uint64_t count, std::string_view what) {
    if (count > 0) text += fmt::format("  {} {}\n", counted(count, "frame"), what);
  };
  for (std::size_t i = 1; i < figures.frames_in.size(); ++i) note(figures.frames_in[i], kFrameFateText[i]);
  note(figures.oversized,
       "longer than 1518 bytes, left out: shorten what trails by editcap -s 1518, or capture where no "
       "card puts segments together");
  note(figures.clamped_times, "stamped before an earlier one, taken at the time of that");
  note(figures.other_segments, "of TCP connections that are no client's and exchange's SoupBinTCP");
  note(figures.left_out_segments, "left out, of connections beyond the first 65536");
  return text;
}

std::string orders_text(const CapturedOrderFigures& orders) {
  std::string text;
  const auto note = [&text](std::uint64_t count, std::string_view unit, std::string_view what) {
    if (count > 0) text += fmt::format("  {} {}\n", counted(count, unit), what);
  };
  note(orders.made_up_logins, "login", "made up, of sessions whose own is not in the capture");
  note(orders.not_ouch, "message", "left out that are none of OUCH 5.0");
  note(orders.after_logout, "message", "left out that came behind a logout");
  note(orders.overtaken, "message", "of a connection whose user had logged in over another since");
  note(orders.no_symbol, "order", "of a symbol with no printable name, which will be rejected");
  return text;
}

}  // namespace

FromCaptureFigures write_captured_flow(const FromCaptureOptions& options) try {
  check_input(options.in_path);
  const std::int64_t midnight = midnight_utc(CaptureRxPort::first_frame_epoch_ns(options.in_path));
  CaptureRxPort port(options.in_path, midnight);
  WholeFile capture(options.capture_path);
  std::optional<WholeFile> config;
  if (!options.config_path.empty()) config.emplace(options.config_path);
  CaptureWriter writer(capture.path());
  CapturedOrders orders(options.in_path, writer, midnight);
  CapturedStreams streams(options.port, [&orders](const StreamEvent& event) { orders.take(event); });
  FromCaptureFigures figures;
  const TimeNs end_ns = read_streams(port, streams, figures);
  orders.finish(end_ns);
  if (const std::string error = writer.close(); !error.empty()) throw FlowError(error);
  const FlowVenue venue = orders.venue();
  if (config) {
    write_flow_config(config->path(), venue, orders.accounts());
    config->commit();
  }
  capture.commit();
  figures.oversized = port.counters().get(CaptureCounter::oversized);
  figures.clamped_times = port.counters().get(CaptureCounter::clamped_time);
  figures.other_segments = streams.other_segments();
  figures.left_out_segments = streams.left_out();
  figures.frames_out = writer.frames();
  figures.accounts = orders.accounts().size();
  figures.symbols = venue.engine.symbols.size();
  figures.orders = orders.figures();
  for (const StreamReport& stream : streams.reports()) {
    figures.sessions.push_back({orders.user_of(stream.connection), stream});
  }
  return figures;
} catch (const FlowError&) {
  throw;
} catch (const std::runtime_error& error) {  // of the capture
  throw FlowError(error.what());
}

std::string to_text(const FromCaptureOptions& options, const FromCaptureFigures& figures) {
  std::uint64_t missing = 0;
  for (const FromCaptureFigures::Session& session : figures.sessions) missing += session.stream.stream.missing;
  std::uint64_t frames = figures.oversized;
  for (const std::uint64_t count : figures.frames_in) frames += count;
  std::string text = fmt::format("{}: {}, {}, {} missing\n", options.in_path, counted(frames, "frame"),
                                 counted(figures.sessions.size(), "SoupBinTCP connection"), counted(missing, "byte"));
  text += input_text(figures);
  for (const FromCaptureFigures::Session& session : figures.sessions) text += session_text(session);
  text += fmt::format("{}: {}, {}, {}, {}, {}: {}\n", options.capture_path, counted(figures.frames_out, "frame"),
                      counted(figures.accounts, "session"), counted(figures.symbols, "symbol"),
                      counted(figures.orders.logins + figures.orders.made_up_logins, "login"),
                      counted(figures.orders.logouts, "logout"), messages_text(figures.orders));
  text += orders_text(figures.orders);
  if (!options.config_path.empty()) text += fmt::format("{}: for crosswire replay\n", options.config_path);
  return text;
}

}  // namespace crosswire
