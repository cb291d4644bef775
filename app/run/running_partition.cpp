// A partition on its device: see the header. On the control thread.
#include "app/run/running_partition.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <random>
#include <stdexcept>
#include <thread>
#include <utility>

#include "app/figures/figures.hpp"
#include "app/files/say.hpp"
#include "app/run/log.hpp"
#include "netstack/port/eal.hpp"

namespace crosswire {
namespace {

/// "midnight 2026-01-30 16:00:00 UTC, day 2026-01-31 in Asia/Shanghai, now 2026-01-31 14:58:10, closing_call until
/// closed at 2026-01-31 15:00:00".
std::string describe_time(const Config& config, const TradingDay& day) {
  const auto whose = [&config](const PhaseChange& change) {
    if (change.symbol == kAllSymbols) return std::string();
    const SymbolName& name = config.engine.symbols[change.symbol.value - 1].name;
    return fmt::format(" ({})", std::string(name.begin(), std::find(name.begin(), name.end(), ' ')));
  };
  const TimeNs now = config.net.start_ns;
  Phase phase = Phase::pre_open;
  std::string next = "to the end";
  for (const PhaseChange& change : day.schedule) {
    if (change.at_ns > now) {
      next = fmt::format("until {}{} at {}", phase_name(change.phase), whose(change), local_time(day, change.at_ns));
      break;
    }
    if (change.symbol == kAllSymbols) phase = change.phase;
  }
  return fmt::format("midnight {} UTC, day {} in {}{}, now {}, {} {}", Zone().clock(day.midnight_epoch_ns), day.date,
                     day.zone.name(), day.no_trading.empty() ? "" : fmt::format(" ({})", day.no_trading),
                     local_time(day, now), phase_name(phase), next);
}

/// For the hash of UserRefNums: a client that knew it could choose numbers that collide, and make everyone wait.
std::uint64_t secret() {
  std::random_device random;
  return std::uint64_t{random()} << 32 | random();
}

/// Nobody who sends frames must be able to guess it, nor read it in time: it leaves in no frame.
wire::RecordingTag random_tag() {
  wire::RecordingTag tag;
  std::random_device random;
  for (std::uint8_t& byte : tag) byte = static_cast<std::uint8_t>(random());
  return tag;
}

std::unique_ptr<Device> open_device(const Config& config, const StageCores& cores) {
  DeviceOptions options{.device = config.port.device};
  options.tx_queues = cores.of(Stage::transmit) == cores.of(Stage::publish) ? 1 : 2;
  try {
    return std::make_unique<Device>(options);
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(fmt::format("{}: {}", location_of(config, "port.device"), error.what()));
  }
}

}  // namespace

RunningPartition::RunningPartition(Config config, const StageCores& cores, const Outputs& outputs,
                                   const SharedClock& clock)
    : name_(std::filesystem::path(config.path).stem().string()),
      outputs_(outputs),
      cores_(cores),
      clock_(clock),
      device_(open_device(config, cores)),
      day_(config.calendar.day_at(clock.read().now_epoch_ns())),
      rx_(*device_, clock, day_.midnight_epoch_ns),
      transmit_(*device_),
      publish_(*device_, static_cast<std::uint16_t>(device_->tx_queues() - 1)),
      keeper_(*device_) {
  const std::chrono::seconds patience(device_->faces_process() ? 0 : 2);
  if (const std::string down = device_->wait_for_link(patience); !down.empty()) {
    log_warning("no link", {{"partition", name_}, {"is", down}});
  }
  config.net.mac = config.port.mac.value_or(device_->mac());
  rx_.begin_day(day_.midnight_epoch_ns, config.net.linger_ns);
  set_day(config, day_);
  set_start(config, day_.midnight_epoch_ns, rx_.start_time_ns());
  config.engine.hash_key = secret();
  config.placement.node = cores.node;
  if (!outputs_.report.empty()) report_.emplace(outputs_.report);
  if (!outputs_.record.empty()) {
    record_memory_.emplace(RecordingRxPort::bytes_for(), config.hugepages, device_->numa_node(), "recorder",
                           config.page_size);
    recorder_ = std::make_unique<RecordingRxPort>(rx_, *record_memory_, day_.midnight_epoch_ns, rx_.start_time_ns());
  }
  RxPort& input = recorder_ ? static_cast<RxPort&>(*recorder_) : rx_;
  partition_ = std::make_unique<Partition>(config, Partition::Ports{input, transmit_, publish_}, clock_.read(),
                                           layout_of(cores));
  partition_->report_operator_results();
  rx_.take_operators(partition_->operators());
  warn_of_mac();
  announcer_.emplace(partition_->config().net,
                     [this](std::span<const LinkFrame> frames) { return transmit_.leave(frames); });
}

void RunningPartition::warn_of_mac() const {
  const MacAddress& mac = partition_->config().net.mac;
  if (mac == device_->mac()) return;
  log_warning("[port] mac is not the device's; frames reach it only if the device lets them",
              {{"partition", name_}, {"mac", format_mac(mac)}, {"device_mac", format_mac(device_->mac())}});
}

void RunningPartition::begin_recording() {
  if (recorder_) recorder_->begin(outputs_.record, {partition_->config().net.mac, random_tag()});
}

void RunningPartition::report_start(bool locked) const {
  const Config& config = partition_->config();
  const NetConfig& net = config.net;
  fmt::print("partition    {}\n", name_);
  fmt::print("device       {}\n", device_->description());
  fmt::print("address      {}  MAC {}\n", format_address(net.address), format_mac(net.mac));
  fmt::print("time         {}\n", describe_time(config, day_));
  fmt::print("orders       UDP {}  session {}  {} accounts, {} symbols\n", net.order_port, net.order_session,
             net.accounts.size(), config.engine.symbols.size());
  fmt::print("feed         {}:{}  session {}  re-requests UDP {}\n", format_address(net.feed_group), net.feed_port,
             net.feed_session, net.feed_request_port);
  if (const std::string complaint = complaint_of(partition_->memory()); !complaint.empty()) {
    log_warning("memory is not as it should be; see crosswire doctor", {{"partition", name_}, {"is", complaint}});
  }
  if (!locked) {
    log_warning("memory is not locked; ulimit -l unlimited, or CAP_IPC_LOCK", {{"partition", name_}});
  }
  fmt::print("memory       {}, {}\n", format_memory(partition_->memory()),
             locked ? "locked" : "not locked (ulimit -l unlimited, or CAP_IPC_LOCK)");
  if (recorder_) fmt::print("recording    {}\n", outputs_.record);
  log_info("partition is ready", {{"partition", name_},
                                  {"device", device_name(config.port.device)},
                                  {"address", format_address(net.address)},
                                  {"order_session", net.order_session},
                                  {"feed_session", net.feed_session},
                                  {"memory_mib", partition_->memory().bytes >> 20},
                                  {"hugepages", partition_->memory().huge},
                                  {"recording", outputs_.record.empty() ? "none" : outputs_.record}});
}

void RunningPartition::end_day(std::uint64_t since_ns, bool now) {
  constexpr std::uint64_t kGraceNs = 500'000'000;  // a port whose stage is not held up ends before
  rx_.request_day_end();
  if (now || since_ns >= partition_->config().net.linger_ns + kGraceNs) rx_.request_end();
}

std::vector<PollingTask> RunningPartition::tasks() {
  std::vector<PollingTask> tasks;
  for (CoreLoop& loop : partition_->loops()) {
    const StageRow& first = row_of(loop.first());
    tasks.push_back({&loop, &rx_, cores_.of(first.stage), partition_->config().placement.idle,
                     location_of(partition_->config(), fmt::format("placement.{}", first.name))});
  }
  return tasks;
}

std::string RunningPartition::finish(const std::vector<PollEnd>& ends) {
  std::uint64_t wall_ns = 0;
  bool cut_off = false;
  for (const PollEnd& end : ends) {
    wall_ns = std::max(wall_ns, end.wall_ns);
    cut_off |= end.cut_off;
  }
  if (cut_off && !partition_->finished()) {
    log_error("the port has taken too little for 2 s; the last answers are not sent", {{"partition", name_}});
  }
  flush_out();
  const std::string recording_error = recorder_ ? recorder_->finish() : "";
  const bool unsent = !partition_->finished() || transmit_.unsent() || publish_.unsent();
  const Figures figures = figures_of(*partition_, wall_ns, port_counters(unsent));
  say(stdout, "ended\npartition    {}\n{}", name_, to_text(figures));
  std::fflush(stdout);
  std::uint64_t dropped = 0;
  for (const CounterFigure& counter : figures.counters)
    dropped += counter.kind == CounterKind::drop ? counter.value : 0;
  log_info("partition has ended", {{"partition", name_},
                                   {"seconds", fmt::format("{:.3f}", static_cast<double>(wall_ns) / 1e9)},
                                   {"orders", figures.orders},
                                   {"executions", figures.executions},
                                   {"dropped", dropped},
                                   {"state_hash", fmt::format("{:016x}", figures.state_hash)}});
  if (report_) {
    if (const std::string error = write_file(report_->path(), to_json(figures)); !error.empty()) return error;
    report_->commit();
  }
  return recording_error;
}

/// What the device has not taken yet gets a last while: its other side may be slow. Where it is gone nothing helps.
void RunningPartition::flush_out() {
  constexpr auto kLastWhile = std::chrono::seconds(1);
  const auto until = std::chrono::steady_clock::now() + kLastWhile;
  while ((transmit_.unsent() || publish_.unsent()) && std::chrono::steady_clock::now() < until && device_->link_up()) {
    transmit_.flush();
    publish_.flush();
    std::this_thread::yield();
  }
}

std::optional<DeviceKeeper::News> RunningPartition::look_at_device(std::uint64_t now_ns) {
  auto news = keeper_.look(now_ns);
  if (news && news->error.empty()) {
    carried_ = false;
    warn_of_mac();
  }
  return news;
}

std::optional<RunningPartition::LinkNews> RunningPartition::look_at_link(std::uint64_t now_ns) {
  const std::string fault = device_->link_fault();
  const bool carries = fault.empty() && device_->link_up();
  if (carries && !carried_) announcer_->begin(now_ns);
  carried_ = carries;
  announcer_->look(now_ns);
  if (fault == link_fault_) return std::nullopt;
  if (link_fault_.empty()) link_fell_ns_ = now_ns;
  link_fault_ = fault;
  link_up_.store(fault.empty(), std::memory_order_relaxed);
  return LinkNews{fault, static_cast<double>(now_ns - link_fell_ns_) / 1e9};
}

FigureSource RunningPartition::figure_source() {
  return {partition_name(partition_->config().path),
          *partition_,
          cores_.stages,
          [this] { return port_counters(false); },
          [this] { return link_up_.load(std::memory_order_relaxed); },
          [this] { return recorder_ ? std::optional(recorder_->going_on()) : std::nullopt; }};
}

std::vector<CounterFigure> RunningPartition::port_counters(bool unsent) const {
  DeviceCounters counters = device_->counters();
  for (const auto& row : kDeviceCounters) {
    for (const DeviceCounters& port : {rx_.counters(), transmit_.counters(), publish_.counters()}) {
      counters.add(row.counter, port.get(row.counter));
    }
  }
  counters.set(DeviceCounter::tx_cut_off, unsent ? 1 : 0);
  std::vector<CounterFigure> figures;
  append_counters(figures, "port", kDeviceCounters, counters);
  if (recorder_ != nullptr) append_counters(figures, "port", kRecorderCounters, recorder_->counters());
  return figures;
}

}  // namespace crosswire
