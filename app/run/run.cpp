// Run: see the header. This is the control thread: it sets up, starts the polling threads, watches them, and ends.
#include "app/run/run.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <deque>
#include <filesystem>
#include <future>
#include <optional>
#include <random>
#include <stdexcept>
#include <utility>

#include "app/config/config.hpp"
#include "app/ctl/authority.hpp"
#include "app/ctl/control_socket.hpp"
#include "app/ctl/groups.hpp"
#include "app/figures/hgrm.hpp"
#include "app/figures/live_figures.hpp"
#include "app/figures/prometheus.hpp"
#include "app/figures/telemetry.hpp"
#include "app/files/file_clash.hpp"
#include "app/files/runtime_folder.hpp"
#include "app/files/say.hpp"
#include "app/run/claimed_cores.hpp"
#include "app/run/clock_keeper.hpp"
#include "app/run/cores.hpp"
#include "app/run/days.hpp"
#include "app/run/end_wish.hpp"
#include "app/run/file_pattern.hpp"
#include "app/run/log.hpp"
#include "app/run/running_partition.hpp"
#include "app/run/stall_monitor.hpp"
#include "app/run/supervisor.hpp"
#include "hugepages/base/count_word.hpp"
#include "hugepages/host/pinning.hpp"
#include "netstack/port/eal.hpp"
#include "netstack/port/kernel_interface.hpp"

namespace crosswire {
namespace {

constexpr std::int64_t kNs = 1'000'000'000;

/// Thrown where the wish to end comes before the day has begun: what has been made until then is taken away again.
struct EndedAtStart {};

void leave_if_end_wanted() {
  if (stop_wanted()) throw EndedAtStart{};
}

class EalGuard {
 public:
  ~EalGuard() { eal_stop(); }
};

void fail_if(const std::string& error) {
  if (!error.empty()) throw std::runtime_error(error);
}

/// The configurations go together: one EAL, and no device twice.
void start_eal(const std::vector<Config>& configs, const CorePlan& plan) {
  const Config& first = configs.front();
  EalOptions options;
  for (const Config& config : configs) options.devices.push_back(config.port.device);
  options.extra_args = first.port.dpdk_args;
  options.hugepages = first.hugepages;
  // DPDK takes its memory on the node of this core, and its own threads keep off it: they stay on ours, control's.
  const auto receive = plan.partitions.front().of(Stage::receive);
  if (receive) options.main_core = *receive;
  const std::string error = eal_start(options);
  if (error.empty()) return;
  const bool memory = first.hugepages == HugepagePolicy::required && error.find("hugepages") != std::string::npos;
  const auto named = std::find_if(configs.begin(), configs.end(), [&error](const Config& config) {
    return error.find(config.port.device) != std::string::npos;
  });
  const Config& faulty = memory || named == configs.end() ? first : *named;
  throw std::runtime_error(
      fmt::format("{}: {}", location_of(faulty, memory ? "memory.hugepages" : "port.device"), error));
}

/// A recording cannot be made again, so none is overwritten.
void check_recording(const std::string& record) {
  std::error_code ignored;  // what is not there yet; what cannot be reached cannot be opened either
  if (std::filesystem::is_regular_file(record, ignored) && std::filesystem::file_size(record, ignored) > 0) {
    throw std::runtime_error(record + ": exists; move it away or name another");
  }
}

/// What of the configuration only this host and this moment can tell, before anything is started: whether the one day
/// that [time] midnight names is today. A calendar without it has a day for every moment.
void check_here_and_now(const Config& config) {
  const std::int64_t now_ns = std::time(nullptr) * kNs;
  const TradingDay day = config.calendar.day_at(now_ns);
  const std::int64_t begin_ns = day.midnight_epoch_ns + static_cast<std::int64_t>(day.begin_ns);
  const std::int64_t end_ns = day.midnight_epoch_ns + static_cast<std::int64_t>(day.end_ns);
  if (begin_ns <= now_ns && now_ns < end_ns) return;
  const bool ahead = now_ns < begin_ns;
  const std::int64_t off_ns = ahead ? begin_ns - now_ns : now_ns - end_ns;
  throw std::runtime_error(fmt::format(
      "{}: its day, {}, {} {} {}, {} hours {}; give the midnight at which today began, or leave it out",
      location_of(config, "time.midnight"), day.date, ahead ? "begins only at" : "ended at",
      day.zone.clock(ahead ? begin_ns : end_ns), day.zone.name(), off_ns / (3600 * kNs) + 1, ahead ? "ahead" : "ago"));
}

/// What two partitions of one process may not share, and what they may not differ in.
void check_together(const Config& config, const Config& other) {
  if (device_name(config.port.device) == device_name(other.port.device)) {
    throw std::runtime_error(
        fmt::format("{}: DPDK's device {} is that of {} as well; give each partition its own, as net_af_packet0 "
                    "and net_af_packet1",
                    location_of(config, "port.device"), device_name(config.port.device), other.path));
  }
  if (config.port.dpdk_args != other.port.dpdk_args) {
    throw std::runtime_error(fmt::format("{}: differs from that of {}; DPDK starts once, give both the same",
                                         location_of(config, "port.dpdk_args"), other.path));
  }
  if (config.hugepages != other.hugepages) {
    throw std::runtime_error(fmt::format("{}: differs from that of {}; DPDK starts once, give both the same",
                                         location_of(config, "memory.hugepages"), other.path));
  }
  const std::string& prometheus = config.monitoring.prometheus;
  if (!prometheus.empty() && !other.monitoring.prometheus.empty() && prometheus != other.monitoring.prometheus) {
    throw std::runtime_error(fmt::format("{}: differs from that of {}; a process has one endpoint for all partitions",
                                         location_of(config, "monitoring.prometheus"), other.path));
  }
}

/// On one network that is a fault; whether it is one network nobody here knows.
void warn_of_one_feed(const std::vector<Config>& configs) {
  for (auto config = configs.begin(); config != configs.end(); ++config) {
    const auto same = std::find_if(configs.begin(), config, [&config](const Config& other) {
      return config->net.feed_group == other.net.feed_group && config->net.feed_port == other.net.feed_port;
    });
    if (same == config) continue;
    log_warning("two partitions have one feed; on one network give each its own",
                {{"at", location_of(*config, "feed.group")},
                 {"feed", fmt::format("{}:{}", format_address(config->net.feed_group), config->net.feed_port)},
                 {"also_of", same->path}});
  }
}

void warn_of_placement(const CorePlan& plan, const std::deque<RunningPartition>& partitions) {
  for (const PlacementWarning& warning : plan.warnings) {
    log_warning("the placement breaks a rule; see crosswire plan",
                {{"partition", partitions[warning.partition].name()},
                 {"rule", kPlacementRules[static_cast<std::size_t>(warning.rule)].name},
                 {"is", warning.text}});
  }
}

/// The log goes on in its file; no other file is to end like that.
void check_files(const std::vector<Config>& configs, const std::vector<RunningPartition::Outputs>& outputs,
                 const std::string& log) {
  std::vector<std::string> read;
  std::vector<std::string> written = {log};
  for (const Config& config : configs) read.insert(read.end(), config.files.begin(), config.files.end());
  for (const RunningPartition::Outputs& output : outputs) written.insert(written.end(), {output.record, output.report});
  fail_if(file_clash(read, written));
}

/// Sleeps until something happens, but not for long: poll() goes by the clock that nobody sets. Stages wake nobody, so
/// what came of an operator's command is looked for.
void wait_for_news(const ControlSocket* control) {
  constexpr int kLookEveryMs = StallMonitor::kLookEveryNs / 1'000'000;
  constexpr int kLookForResultsEveryMs = 1;
  std::vector<pollfd> polled = {{news_fd(), POLLIN, 0}};
  if (control != nullptr) control->add_to(polled);
  poll(polled.data(), polled.size(), control != nullptr && control->waits() ? kLookForResultsEveryMs : kLookEveryMs);
  forget_news();
}

/// At boot an interface may come later than we do. Who sits at a terminal is told at once, by the EAL's start.
void wait_for_interfaces(const std::vector<Config>& configs) {
  constexpr std::uint64_t kPatienceNs = 60'000'000'000;  // the unit's TimeoutStartSec= is longer
  if (!supervised()) return;
  const std::uint64_t begun_ns = steady_ns();
  for (const Config& config : configs) {
    const std::string name = missing_interface(config.port.device);
    if (name.empty()) continue;
    log_warning("waiting for an interface that is not there",
                {{"at", location_of(config, "port.device")}, {"interface", name}});
    while (!missing_interface(config.port.device).empty() && steady_ns() - begun_ns < kPatienceNs) {
      leave_if_end_wanted();
      wait_for_news(nullptr);
    }
  }
}

/// Who may say what to the partitions. Numbers of pending commands are others at each start, so that one that was told
/// before it is not taken for another behind it.
Authority make_authority(const std::vector<Config>& configs, const std::deque<RunningPartition>& partitions,
                         const std::optional<OperatorGroups>& groups) {
  std::vector<Authority::Place> places;
  for (std::size_t i = 0; i < configs.size(); ++i) {
    places.push_back({partitions[i].name(), desk_symbols(configs[i]), desk_accounts(configs[i])});
  }
  constexpr unsigned kFrom = 1000, kStarts = 9000;
  return {std::move(places), groups, geteuid(), kFrom + std::random_device()() % kStarts * 10ull};
}

/// The market can do without, but nobody can halt it then.
std::unique_ptr<ControlSocket> listen_for_operators(std::deque<OperatorDesk>& desks, Authority& authority,
                                                    const std::optional<OperatorGroups>& groups, Reload& reload) {
  try {
    const std::string prefix = EalOptions{}.file_prefix;
    auto control = std::make_unique<ControlSocket>(ctl_socket_path(prefix), desks, authority, UserNames(groups),
                                                   telemetry_socket_path(prefix), &reload);
    log_info("operators' commands are taken", {{"socket", control->path()}});
    return control;
  } catch (const std::runtime_error& error) {
    log_warning("no control socket; crosswire ctl cannot reach this process", {{"is", error.what()}});
    return nullptr;
  }
}

/// Until the last day of each partition is finished.
void watch(Days& days, ControlSocket* control, ClockKeeper& clock, CountWord& refused) {
  constexpr std::uint64_t kRefusalsAtOnce = 50;
  LineAllowance refusals(kRefusalsAtOnce, LineAllowance::kEachNs);
  bool stopping = false;
  do {
    wait_for_news(control);
    supervisor_alive();
    report(clock.look(steady_ns()));
    if (control != nullptr) {
      report(control->serve(ControlSocket::Clock::now()));
      report(control->take_notices(), refusals, steady_ns());
      report(control->take_reloads());
      refused.set(control->refused());
    }
    if (take_hang_up()) {
      if (control != nullptr) {
        if (control->hang_up()) {
          log_info("SIGHUP: the configuration is read again");
        } else {
          log_warning("SIGHUP is lost, as too many reloads wait");
        }
      } else {
        log_warning("SIGHUP does nothing without a control socket");
      }
    }
    if (stop_wanted() && !std::exchange(stopping, true)) {
      supervisor_stopping();
      log_info("stopping", {{"signal", last_signal()}});
    }
  } while (days.look());
}

/// One endpoint for all partitions, where one of them names it.
std::unique_ptr<PrometheusEndpoint> listen_for_prometheus(const LiveFigures& figures,
                                                          const std::vector<Config>& configs) {
  const auto named = std::find_if(configs.begin(), configs.end(),
                                  [](const Config& config) { return !config.monitoring.prometheus.empty(); });
  if (named == configs.end()) return nullptr;
  try {
    return std::make_unique<PrometheusEndpoint>(figures, named->monitoring.prometheus);
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(fmt::format("{}: {}", location_of(*named, "monitoring.prometheus"), error.what()));
  }
}

/// What is reloaded, by the checks of a start.
Reload make_reload(const std::vector<Config>& configs, std::deque<RunningPartition>& partitions,
                   std::deque<OperatorDesk>& desks, Authority& authority) {
  std::vector<Reload::Partition> all;
  for (std::size_t i = 0; i < configs.size(); ++i) {
    RunningPartition& running = partitions[i];
    all.push_back({desks[i], configs[i], [&running](const Config& config) { running.keep_for_next_day(config); }});
  }
  const auto check = [](const std::vector<Config>& read) {
    for (std::size_t i = 0; i < read.size(); ++i)
      for (std::size_t other = 0; other < i; ++other) check_together(read[i], read[other]);
  };
  return {std::move(all), authority, check, wake_control};
}

/// Everything between EAL start and stop.
void run_on_devices(const std::vector<Config>& configs, const CorePlan& plan,
                    const std::vector<RunningPartition::Outputs>& outputs, bool resume, ClockKeeper& clock,
                    const std::optional<OperatorGroups>& groups) {
  CountWord refused;
  LiveFigures figures;
  figures.tell_operators_refused([&refused] { return refused.get(); });
  figures.tell_clock([&clock] { return clock.figure(); });
  figures.tell_log_lines_lost(log_lines_lost);
  std::deque<RunningPartition> partitions;
  for (std::size_t i = 0; i < configs.size(); ++i) {
    leave_if_end_wanted();
    partitions.emplace_back(configs[i], plan.partitions[i], outputs[i], *clock.shared(), wake_control);
    partitions.back().show_in(figures);
  }
  const Telemetry telemetry(figures);
  const std::unique_ptr<PrometheusEndpoint> prometheus = listen_for_prometheus(figures, configs);
  std::deque<OperatorDesk> desks;
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    desks.emplace_back(partitions[i].name(), configs[i].engine.symbols, desk_accounts(configs[i]),
                       partitions[i].operators());
  }
  for (RunningPartition& running : partitions) running.start_threads();
  leave_if_end_wanted();
  for (RunningPartition& running : partitions) running.begin_recording();
  print_out(fmt::format("crosswire {}\n", CROSSWIRE_VERSION));
  warn_of_placement(plan, partitions);
  for (const RunningPartition& running : partitions) running.report_start();
  print_out(fmt::format("{}running until SIGINT or SIGTERM\n", plan.text));
  Authority authority = make_authority(configs, partitions, groups);
  Reload reload = make_reload(configs, partitions, desks, authority);
  const std::unique_ptr<ControlSocket> control = listen_for_operators(desks, authority, groups, reload);
  Days days(partitions, desks, control.get(), figures);
  days.begin(resume);
  supervisor_ready(fmt::format("polling {}", partitions.front().name()));
  log_info("running", {{"version", CROSSWIRE_VERSION}, {"pid", getpid()}, {"partitions", partitions.size()}});
  watch(days, control.get(), clock, refused);
  if (control != nullptr) {
    report(control->end());
  }
  for (const std::string& error : days.errors()) fail_if(error);
}

/// "" or what is wrong with the command line.
std::string usage_fault(const RunOptions& options) {
  const std::size_t n = options.configs.size();
  if (!options.records.empty() && options.records.size() != n) return "one --record for each --config, or none";
  if (!options.reports.empty() && options.reports.size() != n) return "one --report for each --config, or none";
  return "";
}

/// A file for each day and each start, where the process goes on from day to day. Throws std::runtime_error.
void check_patterns(const Config& config, const RunningPartition::Outputs& outputs) {
  for (const std::string& pattern : {outputs.record, outputs.report}) {
    std::error_code ignored;
    const bool device_or_pipe =
        std::filesystem::exists(pattern, ignored) && !std::filesystem::is_regular_file(pattern, ignored);
    if (!pattern.empty() && !device_or_pipe) fail_if(fault_of_pattern(pattern, config.rolls));
  }
}

}  // namespace

/// The exit status.
static int run_until_ended(const RunOptions& options) {
  try {
    std::vector<Config> configs;
    std::vector<RunningPartition::Outputs> outputs;
    for (std::size_t i = 0; i < options.configs.size(); ++i) {
      configs.push_back(load_config(options.configs[i], ConfigUse::run));
      outputs.push_back({options.records.empty() ? "" : options.records[i],
                         options.reports.empty() ? "" : options.reports[i], nullptr});
      for (std::size_t other = 0; other < i; ++other) check_together(configs[i], configs[other]);
      check_patterns(configs[i], outputs[i]);
    }
    check_files(configs, outputs, options.log.file);
    const std::optional<OperatorGroups> groups = find_groups(configs);
    log_begin(options.log);
    warn_of_one_feed(configs);
    const CorePlan plan = resolve_cores(configs);
    for (std::size_t i = 0; i < configs.size(); ++i) {
      check_here_and_now(configs[i]);
      if (outputs[i].record.empty() || is_numbered(outputs[i].record)) continue;
      check_recording(file_of(outputs[i].record, configs[i].calendar.day_at(std::time(nullptr) * kNs).date, 0));
    }
    const CoreClaims claims = claim_cores(configs, plan, options.share_cores);
    std::optional<HgrmFolder> hgrm;
    if (!options.hgrm.empty()) hgrm.emplace(options.hgrm);
    for (RunningPartition::Outputs& output : outputs) output.hgrm = hgrm ? &*hgrm : nullptr;
    end_days_on_signals();
    // Threads that are made from here on, the log's, DPDK's, the recordings' and Prometheus', inherit the control core.
    if (plan.control) fail_if(pin_this_thread(*plan.control));
    log_in_background();
    auto calibrated = std::async(std::launch::async, [] { return std::make_unique<ClockKeeper>(); });  // it sleeps
    const EalGuard eal;
    wait_for_interfaces(configs);
    leave_if_end_wanted();
    start_eal(configs, plan);
    const std::unique_ptr<ClockKeeper> clock = calibrated.get();
    log_time_from(clock->shared());
    run_on_devices(configs, plan, outputs, options.resume, *clock, groups);
  } catch (const EndedAtStart&) {
    log_info("stopped before the day began", {{"signal", last_signal()}});
    return 0;
  } catch (const std::exception& error) {
    log_failure(fmt::format("crosswire run: {}", error.what()));
    return 1;
  }
  log_info("stopped");
  return 0;
}

int run_main(const RunOptions& options) {
  if (const std::string fault = usage_fault(options); !fault.empty()) {
    fmt::print(stderr, "crosswire run: {}\n", fault);
    return 2;
  }
  const int status = run_until_ended(options);
  if (log_end() || status != 0) return status;
  say(stderr, "crosswire: the output cannot be written; make room where stdout goes\n");
  return 1;
}

}  // namespace crosswire
