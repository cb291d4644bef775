// Replay: see the header.
#include "app/replay/replay.hpp"

#include <fmt/format.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <limits>
#include <mutex>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <thread>

#include "app/figures/hgrm.hpp"
#include "app/figures/live_figures.hpp"
#include "app/files/file_clash.hpp"
#include "app/files/whole_file.hpp"
#include "app/partition/idle.hpp"
#include "app/partition/impaired_ports.hpp"
#include "app/partition/partition.hpp"
#include "app/partition/references.hpp"
#include "app/partition/standstill.hpp"
#include "hugepages/base/notice.hpp"
#include "hugepages/host/pinning.hpp"

namespace crosswire {
namespace {

/// Destination MAC of an IPv4 frame to `address`, if it is a station's.
std::optional<MacAddress> destination_mac(const RxFrame& frame, std::uint32_t address) {
  constexpr std::size_t kTag = 4;
  const std::size_t ip = frame.length > 14 && frame.data[12] == 0x81 && frame.data[13] == 0x00 ? 14 + kTag : 14;
  if (frame.length < ip + 20 || frame.data[ip - 2] != 0x08 || frame.data[ip - 1] != 0x00) return std::nullopt;
  const std::uint8_t* const to = frame.data + ip + 16;
  const bool ours =
      (std::uint32_t{to[0]} << 24 | std::uint32_t{to[1]} << 16 | std::uint32_t{to[2]} << 8 | to[3]) == address;
  if (!ours || (frame.data[0] & 1) != 0) return std::nullopt;
  MacAddress mac;
  std::copy_n(frame.data, mac.size(), mac.begin());
  return mac;
}

/// The MAC address by which the capture's clients reach `address`: a recording is replayed with the very configuration
/// of its run, which need not name the device's. For captures whose start marker does not say: of other tools, or flow.
MacAddress mac_in_capture(const std::string& path, std::int64_t midnight, std::uint32_t address) {
  CaptureRxPort capture(path, midnight);  // long falls are taken: whether they may be is the replay's affair
  for (RxBurst burst = capture.receive(); !burst.ended; burst = capture.receive()) {
    for (const RxFrame& frame : burst.frames) {
      if (const auto mac = destination_mac(frame, address)) return *mac;
    }
  }
  return kReplayMac;
}

/// Reference prices that a run had from the day before it are in its recording, not in its configuration.
void take_references(Config& config, const CaptureRxPort& capture, const std::string& in) {
  const std::string fault = set_references(config, capture.references());
  if (fault.empty()) return;
  throw std::runtime_error(
      fmt::format("{}: the recorded run had {}; replay with the configuration of that run", in, fault));
}

/// Hands a capture's bursts on, and counts them for the progress line and their order frames.
class ProgressRxPort final : public RxPort {
 public:
  ProgressRxPort(RxPort& inner, ReplayProgress& progress, const NetConfig& net)
      : inner_(inner), progress_(progress), order_port_(net.order_port), over_tcp_(net.tcp_port != 0) {}

  RxBurst receive() override {
    constexpr std::uint64_t kRecordHeader = 16;  // of a frame in a classic capture
    // A capture always has a next burst, and so has this port, whatever an impaired one has lost.
    RxBurst burst = inner_.receive();
    while (burst.frames.empty() && !burst.day_ended && !burst.ended) burst = inner_.receive();
    std::uint64_t bytes = 0;
    for (const RxFrame& frame : burst.frames) {
      bytes += kRecordHeader + frame.length;
      order_frames_ += is_order_frame(frame, order_port_, over_tcp_) ? 1 : 0;
    }
    progress_.bytes.fetch_add(bytes, std::memory_order_relaxed);
    progress_.frames.fetch_add(burst.frames.size(), std::memory_order_relaxed);
    return burst;
  }

  /// When the stages have ended.
  std::uint64_t order_frames() const { return order_frames_; }

 private:
  RxPort& inner_;
  ReplayProgress& progress_;
  std::uint16_t order_port_;
  bool over_tcp_;
  std::uint64_t order_frames_ = 0;
};

std::vector<CounterFigure> port_counters(const CaptureRxPort& rx, const std::optional<ImpairedPorts>& impaired) {
  std::vector<CounterFigure> figures;
  append_counters(figures, "port", kCaptureCounters, rx.counters());
  if (impaired) append_impairments(figures, impaired->received(), impaired->sent());
  return figures;
}

/// What is recorded has come through the run's [impair.receive], and does not come through it twice.
void settle_impairments(Config& config, const CaptureRxPort& capture, const std::string& in) {
  if (capture.impaired() && config.impair.receive.any()) {
    config.impair.receive = {};
    notice(NoticeLevel::info, in + ": came through [impair.receive] when it was recorded, and does not again");
  }
  if (!config.impair.any()) return;
  notice(NoticeLevel::warning,
         fmt::format("IMPAIRED: {}: frames are lost and held back on purpose: {}", in, describe(config.impair)));
}

void fail_if(const std::string& error) {
  if (!error.empty()) throw std::runtime_error(error);
}

/// The input is read from its beginning more than once.
void check_input(const std::string& path) {
  std::error_code error;  // what cannot be opened is told when it is
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (error || !std::filesystem::exists(status) || std::filesystem::is_directory(status)) return;
  if (std::filesystem::is_regular_file(status)) return;
  throw std::runtime_error(path + ": is not a file that can be read more than once; write the capture into a file");
}

/// Rounds until the end; what is complete goes to the file as soon as nothing of it can still come.
void play(Partition& partition, CaptureOutput& output, const CaptureWriter& writer) {
  // A capture always has a next burst, so rounds without work mean that stages wait for each other.
  constexpr auto kStandstill = static_cast<unsigned>(Standstill::kRounds);
  unsigned without_work = 0;
  while (!partition.finished()) {
    without_work = partition.round() ? 0 : without_work + 1;
    CHECK(without_work < kStandstill, "no stage has had work for %u rounds", without_work);
    if (partition.idle()) output.drain();
    if (!writer.error().empty()) return;
  }
}

/// A thread for each loop, wherever the operating system puts it; this one writes what comes out. Each gives the core
/// away where it has nothing to do: there may be fewer cores than threads.
void play_in_threads(Partition& partition, CaptureOutput& output, const CaptureWriter& writer) {
  constexpr auto kWriteEvery = std::chrono::milliseconds(1);
  std::atomic<bool> stop{false};
  std::atomic<std::size_t> running{partition.loops().size()};
  Standstill standstill(partition.chain(), partition.loops());
  {
    std::vector<std::jthread> threads;
    try {
      for (CoreLoop& loop : partition.loops()) {
        threads.emplace_back([&loop, &stop, &running] {
          while (!loop.ended() && !stop.load(std::memory_order_relaxed)) {
            if (!loop.round()) idle_once(Idle::yield);
          }
          running.fetch_sub(1, std::memory_order_release);
        });
      }
    } catch (const std::system_error& error) {
      stop.store(true, std::memory_order_relaxed);  // those that are there would wait for the others
      throw std::runtime_error(
          fmt::format("cannot start a thread: {}; give fewer --cores, or raise ulimit -u", error.what()));
    }
    while (running.load(std::memory_order_acquire) > 0) {
      std::this_thread::sleep_for(kWriteEvery);
      output.drain_passed();
      CHECK(!standstill.look(), "no stage has had work for %u rounds", static_cast<unsigned>(Standstill::kRounds));
      if (!writer.error().empty()) stop.store(true, std::memory_order_relaxed);
    }
  }
}

/// Shows how far the replays are, until destroyed: often where a terminal can overwrite the line, else every 5 s.
class ProgressLine {
 public:
  ProgressLine(const ReplayProgress& progress, std::uint64_t total_bytes)
      : progress_(progress),
        total_bytes_(std::max<std::uint64_t>(total_bytes, 1)),
        thread_([this](auto stop) { show(stop); }) {}
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

 private:
  using Clock = std::chrono::steady_clock;

  void show(const std::stop_token& stop) {
    const bool terminal = isatty(STDERR_FILENO) == 1;
    const auto interval = terminal ? std::chrono::milliseconds(250) : std::chrono::milliseconds(5000);
    const Clock::time_point start = Clock::now();
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, stop, interval, [&] { return stop.stop_requested(); })) {
      const std::uint64_t percent = std::min<std::uint64_t>(100 * progress_.bytes.load() / total_bytes_, 100);
      const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
      fmt::print(stderr, "{}crosswire replay: {:>3} % of the input, {:.0f} frames/s{}", terminal ? "\r" : "", percent,
                 static_cast<double>(progress_.frames.load()) / seconds, terminal ? "" : "\n");
      shown_ = terminal;
    }
    if (shown_) fmt::print(stderr, "\r{:60}\r", "");
  }

  const ReplayProgress& progress_;
  std::uint64_t total_bytes_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  bool shown_ = false;
  std::jthread thread_;
};

int complain(int status, std::string_view what) {
  fmt::print(stderr, "crosswire replay: {}\n", what);
  return status;
}

/// "" or what is wrong with the command line.
std::string usage_fault(const ReplayOptions& options) {
  const std::size_t n = options.ins.size();
  if (options.outs.size() != n) return "as many --out as --in are needed";
  if (options.configs.size() != n && options.configs.size() != 1) return "one --config for all, or one for each --in";
  if (!options.reports.empty() && options.reports.size() != n) return "one --report for each --in, or none";
  if (!options.session.empty() && options.session.size() != 10) return "--session takes ten characters";
  return "";
}

/// "" or which two of the files that are read and written are the same.
std::string overwrite_fault(const std::vector<ReplayJob>& jobs) {
  std::vector<std::string> read;
  std::vector<std::string> written;
  for (const ReplayJob& job : jobs) {
    read.push_back(job.in);
    read.insert(read.end(), job.config.files.begin(), job.config.files.end());
    written.insert(written.end(), {job.out, job.report});
  }
  return file_clash(read, written);
}

std::vector<ReplayJob> jobs_of(const ReplayOptions& options) {
  std::vector<ReplayJob> jobs;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < options.ins.size(); ++i) {
    const std::string& config = options.configs[options.configs.size() == 1 ? 0 : i];
    names.push_back(name_beside(partition_name(options.ins[i]), names));
    jobs.push_back(
        {load_config(config, ConfigUse::replay), options.ins[i], options.outs[i],
         options.reports.empty() ? "" : options.reports[i], options.hgrm, names.back(), options.session, options.cores,
         options.partial_checksums,
         options.allow_time_fall ? CaptureRxPort::LongFall::is_taken : CaptureRxPort::LongFall::is_an_error});
  }
  return jobs;
}

std::uint64_t total_bytes(const std::vector<ReplayJob>& jobs) {
  std::uint64_t bytes = 0;
  for (const ReplayJob& job : jobs) {
    std::error_code error;  // a file that is not there is the replay's affair
    const std::uintmax_t size = std::filesystem::file_size(job.in, error);
    bytes += error ? 0 : size;
  }
  return bytes;
}

struct Outcome {
  std::optional<Replayed> figures;
  std::string error;
};

std::vector<Outcome> replay_all(const std::vector<ReplayJob>& jobs, const TscClock& clock) {
  std::vector<Outcome> outcomes(jobs.size());
  ReplayProgress progress;
  const ProgressLine line(progress, total_bytes(jobs));
  tbb::task_arena arena(static_cast<int>(std::min(jobs.size(), allowed_cores().size())));
  arena.execute([&] {
    tbb::parallel_for(std::size_t{0}, jobs.size(), [&](std::size_t i) {
      try {
        outcomes[i].figures = replay(jobs[i], clock, progress);
      } catch (const std::exception& error) {
        outcomes[i].error = error.what();
      }
    });
  });
  return outcomes;
}

}  // namespace

Replayed replay(const ReplayJob& job, const TscClock& clock, ReplayProgress& progress) {
  Config config = job.config;
  check_input(job.in);
  // Where [time] midnight names the day, a capture without any frame will do.
  const TradingDay day = config.calendar.day_at(config.midnight_epoch_ns ? *config.midnight_epoch_ns
                                                                         : CaptureRxPort::first_frame_epoch_ns(job.in));
  const std::int64_t midnight = day.midnight_epoch_ns;
  set_day(config, day);
  CaptureRxPort capture(job.in, midnight, schedule_end_ns(config), job.long_fall);
  if (job.partial_checksums) capture.take_partial_checksums();
  capture.linger(config.net.linger_ns);
  config.net.mac = capture.station();
  const bool recorded = config.net.mac != MacAddress{};
  if (config.port.mac) config.net.mac = *config.port.mac;
  if (config.net.mac == MacAddress{}) config.net.mac = mac_in_capture(job.in, midnight, config.net.address);
  take_references(config, capture, job.in);
  set_start(config, midnight, capture.start_time_ns());
  if (!capture.tcp_secret()) config.net.tcp_port = 0;  // of a run without TCP, or of an ordinary capture
  config.net.tcp_secret = capture.tcp_secret().value_or(config.net.tcp_secret);
  config.net.replays = true;
  if (!job.session.empty()) config.net.order_session = job.session;

  // What cannot be written is told before the work, and what was there before stays until the work is done.
  WholeFile out(job.out);
  std::optional<WholeFile> report;
  if (!job.report.empty()) report.emplace(job.report);
  std::optional<HgrmFolder> hgrm;
  if (!job.hgrm.empty()) hgrm.emplace(job.hgrm);
  CaptureWriter writer(out.path());
  fail_if(writer.error());
  CaptureOutput output(writer, midnight);
  const StageLayout layout = StageLayout::over(job.cores);
  CaptureTxPort& transmit = output.add_port();
  CaptureTxPort& publish = output.add_port(!config.net.feed_enabled);
  settle_impairments(config, capture, job.in);
  std::optional<ImpairedPorts> impaired;
  if (config.impair.any()) {
    impaired.emplace(config.impair, capture, transmit, publish, ImpairedPorts::Time::of_frames);
  }
  ProgressRxPort rx(impaired ? impaired->rx() : capture, progress, config.net);
  Partition partition(config,
                      {rx, impaired ? impaired->transmit() : transmit, impaired ? impaired->publish() : publish}, clock,
                      layout);
  const std::uint64_t begun = TscClock::read();
  layout.loops() == 1 ? play(partition, output, writer) : play_in_threads(partition, output, writer);
  if (impaired) impaired->let_go();
  output.drain();
  const std::uint64_t wall_ns = clock.span_ns(TscClock::read() - begun);
  fail_if(capture.error());
  fail_if(writer.close());
  const Replayed figures{{figures_of(partition, wall_ns, port_counters(capture, impaired))},
                         {rx.order_frames(), config.net.order_port, recorded}};
  if (report) fail_if(write_file(report->path(), to_json(figures)));
  if (hgrm) fail_if(hgrm->write(job.name, partition));
  out.commit();
  if (report) report->commit();
  if (const std::string news = capture.broken_off(); !news.empty()) notice(NoticeLevel::warning, news);
  return figures;
}

int replay_main(const ReplayOptions& options) {
  if (const std::string fault = usage_fault(options); !fault.empty()) return complain(2, fault);
  std::vector<ReplayJob> jobs;
  std::vector<Outcome> outcomes;
  try {
    jobs = jobs_of(options);
    if (const std::string fault = overwrite_fault(jobs); !fault.empty()) return complain(2, fault);
    outcomes = replay_all(jobs, TscClock::calibrated());
  } catch (const std::exception& error) {
    return complain(1, error.what());
  }
  int status = 0;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (!outcomes[i].figures) {
      status = complain(1, outcomes[i].error);
      continue;
    }
    fmt::print("replay       {} -> {}\n{}", jobs[i].in, jobs[i].out, to_text(*outcomes[i].figures));
  }
  // Behind all figures, so that they are the last lines.
  std::fflush(stdout);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (!outcomes[i].figures) continue;
    const DroppedOrders dropped = dropped_orders(*outcomes[i].figures, outcomes[i].figures->seen);
    const bool fails = dropped.most && !options.allow_drops;
    if (dropped.text.empty()) continue;
    status = complain(fails ? 1 : status, fmt::format("{}: {}{}", jobs[i].in, dropped.text,
                                                      fails ? "; or take it so by --allow-drops" : ""));
  }
  return status;
}

}  // namespace crosswire
