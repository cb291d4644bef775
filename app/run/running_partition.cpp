// A partition on its device: see the header. On the control thread.
#include "app/run/running_partition.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <thread>
#include <utility>

#include "app/figures/figures.hpp"
#include "app/files/say.hpp"
#include "app/partition/references.hpp"
#include "app/run/file_pattern.hpp"
#include "app/run/log.hpp"
#include "netstack/port/eal.hpp"

namespace crosswire {
namespace {

/// " (AAA)" where it is one symbol's.
std::string whose(const Config& config, const PhaseChange& change) {
  if (change.symbol == kAllSymbols) return "";
  const SymbolName& name = config.engine.symbols[change.symbol.value - 1].name;
  return fmt::format(" ({})", std::string(name.begin(), std::find(name.begin(), name.end(), ' ')));
}

/// "midnight 2026-01-30 16:00:00 UTC, day 2026-01-31 in Asia/Shanghai, now 2026-01-31 14:58:10, closing_call until
/// closed at 2026-01-31 15:00:00".
std::string describe_time(const Config& config, const TradingDay& day) {
  const TimeNs now = config.net.start_ns;
  Phase phase = Phase::pre_open;
  std::string next = "to the end";
  for (std::size_t i = 0; i < day.schedule.size(); ++i) {
    const PhaseChange& change = day.schedule[i];
    if (change.at_ns > now) {
      next =
          fmt::format("until {}{} at {}", phase_name(change.phase), whose(config, change), local_time_of_phase(day, i));
      break;
    }
    if (change.symbol == kAllSymbols) phase = change.phase;
  }
  return fmt::format("midnight {} UTC, day {} in {}{}, now {}, {} {}", Zone().clock(day.midnight_epoch_ns), day.date,
                     day.zone.name(), day.no_trading.empty() ? "" : fmt::format(" ({})", day.no_trading),
                     local_time(day, now), phase_name(phase), next);
}

/// The name of a file of the day, which nobody else has: with the next number up to which there is one already.
std::string take_file(const std::string& pattern, const std::string& date, std::uint64_t& number) {
  std::string path = file_of(pattern, date, number);
  for (; is_numbered(pattern) && !take_name(path); path = file_of(pattern, date, number)) ++number;
  return path;
}

template <class Do>
std::string error_of(Do what) try {
  what();
  return "";
} catch (const std::runtime_error& error) {
  return error.what();
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
                                   const SharedClock& clock, std::function<void()> on_end)
    : name_(std::filesystem::path(config.path).stem().string()),
      outputs_(outputs),
      cores_(cores),
      clock_(clock),
      on_end_(std::move(on_end)),
      config_(std::move(config)),
      device_(open_device(config_, cores)),
      rx_(*device_, clock, config_.calendar.day_at(clock.read().now_epoch_ns()).midnight_epoch_ns),
      transmit_(*device_),
      publish_(*device_, static_cast<std::uint16_t>(device_->tx_queues() - 1)),
      keeper_(*device_) {
  const std::chrono::seconds patience(device_->faces_process() ? 0 : 2);
  if (const std::string down = device_->wait_for_link(patience); !down.empty()) {
    log_warning("no link", {{"partition", name_}, {"is", down}});
  }
  config_.net.mac = config_.port.mac.value_or(device_->mac());
  config_.placement.node = cores.node;
  memory_.emplace(Partition::make_arena(config_));
  if (!outputs_.record.empty()) {
    record_memory_.emplace(RecordingRxPort::bytes_for(), config_.hugepages, device_->numa_node(), "recorder",
                           config_.page_size);
  }
  const std::string date = config_.calendar.day_at(clock.read().now_epoch_ns()).date;
  file_number_ = next_number({outputs_.record, outputs_.report}, date);
  make_day(references_of_earlier_start());
  make_report();
  warn_of_mac();
  announcer_.emplace(config_.net, [this](std::span<const LinkFrame> frames) { return transmit_.leave(frames); });
}

void RunningPartition::make_day(std::span<const ReferencePrice> references) {
  TradingDay day = config_.calendar.day_at(clock_.read().now_epoch_ns());
  rx_.begin_day(day.midnight_epoch_ns, config_.net.linger_ns);
  if (config_.impair.any()) {
    impaired_.emplace(config_.impair, rx_, transmit_, publish_, ImpairedPorts::Time::of_receive);
  }
  const RunningDay::Ground ground{impaired_ ? impaired_->rx() : rx_, impaired_ ? impaired_->transmit() : transmit_,
                                  impaired_ ? impaired_->publish() : publish_, *memory_,
                                  record_memory_ ? &*record_memory_ : nullptr};
  day_.emplace(config_, std::move(day), rx_.start_time_ns(), references, ground, clock_.read(), layout_of(cores_));
  Partition& partition = day_->partition();
  partition.report_operator_results();
  rx_.take_operators(partition.operators());
  watch_.begin_day(partition);
  monitor_.emplace();
  for (const CoreLoop& loop : partition.loops()) {
    monitor_->watch(partition.chain(), loop, cores_.of(row_of(loop.first()).stage));
  }
  ending_since_ns_.reset();
}

void RunningPartition::show_in(LiveFigures& figures) {
  name_ = figures.add(
      {partition_name(config_.path), day_->partition(), cores_.stages, [this] { return port_counters(false); },
       [this] { return link_up_.load(std::memory_order_relaxed); },
       [this]() -> std::optional<bool> {
         if (day_->recorder() == nullptr) return std::nullopt;
         return day_->recorder()->going_on();
       },
       [this]() -> std::optional<RecorderFigure> {
         const RecordingRxPort* const recorder = day_->recorder();
         if (recorder == nullptr) return std::nullopt;
         return RecorderFigure{recorder->written_bytes(), recorder->waiting_bytes(), recorder->ring_bytes()};
       },
       [this] { return day_figure(); }});
}

DayFigure RunningPartition::day_figure() const {
  const TradingDay& day = day_->day();
  const std::int64_t now_ns = clock_.read().now_epoch_ns() - day.midnight_epoch_ns;
  const auto next = std::find_if(day.schedule.begin(), day.schedule.end(), [now_ns](const PhaseChange& change) {
    return static_cast<std::int64_t>(change.at_ns) > now_ns;
  });
  if (next == day.schedule.end()) return {day.date, ""};
  return {day.date, fmt::format("{}{} at {}", phase_name(next->phase), whose(config_, *next),
                                local_time_of_phase(day, static_cast<std::size_t>(next - day.schedule.begin())))};
}

void RunningPartition::warn_of_mac() const {
  const MacAddress& mac = config_.net.mac;
  if (mac == device_->mac()) return;
  log_warning("[port] mac is not the device's; frames reach it only if the device lets them",
              {{"partition", name_}, {"mac", format_mac(mac)}, {"device_mac", format_mac(device_->mac())}});
}

void RunningPartition::start_threads() { threads_.emplace(tasks(), clock_.read(), on_end_); }

void RunningPartition::begin_recording() {
  if (!record_memory_) return;
  recording_ = take_file(outputs_.record, day_->day().date, file_number_);
  try {
    day_->begin_recording(recording_);
  } catch (const std::runtime_error&) {
    if (is_numbered(outputs_.record)) std::remove(recording_.c_str());  // nothing is in it
    throw;
  }
}

void RunningPartition::make_report() {
  if (outputs_.report.empty()) return;
  report_.emplace(take_file(outputs_.report, day_->day().date, file_number_), is_numbered(outputs_.report));
}

/// A start that follows a crash: the reference prices are the day's, not the configuration's.
std::vector<ReferencePrice> RunningPartition::references_of_earlier_start() const {
  const TradingDay day = config_.calendar.day_at(clock_.read().now_epoch_ns());
  if (!is_numbered(outputs_.record) || !is_dated(outputs_.record)) return {};
  const std::set<std::uint64_t> numbers = numbers_of(outputs_.record, day.date);
  for (auto number = numbers.rbegin(); number != numbers.rend(); ++number) {
    const std::string earlier = file_of(outputs_.record, day.date, *number);
    std::vector<ReferencePrice> references;
    Config fits = config_;
    std::string fault = error_of([&] { references = CaptureRxPort(earlier, day.midnight_epoch_ns).references(); });
    if (fault.empty()) fault = set_references(fits, references);
    if (fault.empty()) {
      if (!references.empty()) {
        log_info("reference prices are those of an earlier start of the day",
                 {{"partition", name_}, {"recording", earlier}});
      }
      return references;
    }
    log_warning("an earlier recording of the day has no reference prices for this start",
                {{"partition", name_}, {"recording", earlier}, {"is", fault}});
  }
  return {};
}

void RunningPartition::go() {
  if (rolled_) rx_.drop_waiting();
  threads_->go();
  if (rolled_) report_day(false);  // not before: who reads it may send at once
}

void RunningPartition::report_start() const {
  const NetConfig& net = config_.net;
  print_out(fmt::format("partition    {}\ndevice       {}\n", name_, device_->description()));
  print_out(fmt::format("address      {}  MAC {}\n", format_address(net.address), format_mac(net.mac)));
  report_day(true);
  if (const std::string complaint = complaint_of(partition().memory()); !complaint.empty()) {
    log_warning("memory is not as it should be; see crosswire doctor", {{"partition", name_}, {"is", complaint}});
  }
  const bool locked = threads_->locked();
  if (!locked) {
    log_warning("memory is not locked; ulimit -l unlimited, or CAP_IPC_LOCK", {{"partition", name_}});
  }
  print_out(fmt::format("memory       {}, {}\n", format_memory(partition().memory()),
                        locked ? "locked" : "not locked (ulimit -l unlimited, or CAP_IPC_LOCK)"));
}

/// What is the day's own.
void RunningPartition::report_day(bool first) const {
  const Config& config = partition().config();
  const NetConfig& net = config.net;
  std::string text;
  if (!first) text += fmt::format("next day\npartition    {}\n", name_);
  text += fmt::format("time         {}\n", describe_time(config, day_->day()));
  const std::string tcp = net.tcp_port == 0 ? "" : fmt::format("TCP {}  ", net.tcp_port);
  text += fmt::format("orders       UDP {}  {}session {}  {} accounts, {} symbols\n", net.order_port, tcp,
                      net.order_session, net.accounts.size(), config.engine.symbols.size());
  text += fmt::format("feed         {}:{}  session {}  re-requests UDP {}\n", format_address(net.feed_group),
                      net.feed_port, net.feed_session, net.feed_request_port);
  const bool recorded = day_->recorder() != nullptr && day_->recorder()->going_on();
  if (recorded) text += fmt::format("recording    {}\n", recording_);
  if (impaired_) text += fmt::format("IMPAIRED     {}\n", describe(config.impair));
  print_out(text);
  if (impaired_) {
    log_warning("IMPAIRED: frames are lost and held back on purpose; take [impair] out of the configuration",
                {{"partition", name_}, {"is", describe(config.impair)}});
  }
  log_info(first ? "partition is ready" : "the next day begins", {{"partition", name_},
                                                                  {"device", device_name(config.port.device)},
                                                                  {"address", format_address(net.address)},
                                                                  {"order_session", net.order_session},
                                                                  {"feed_session", net.feed_session},
                                                                  {"memory_mib", partition().memory().bytes >> 20},
                                                                  {"hugepages", partition().memory().huge},
                                                                  {"recording", recorded ? recording_ : "none"},
                                                                  {"day", day_->day().date}});
}

bool RunningPartition::day_is_over() const {
  const std::int64_t end_epoch_ns = day_->day().midnight_epoch_ns + static_cast<std::int64_t>(day_->day().end_ns);
  return clock_.read().now_epoch_ns() >= end_epoch_ns;
}

bool RunningPartition::day_end_is_overdue(std::uint64_t now_ns) const {
  constexpr std::uint64_t kPatienceNs = 5'000'000'000;  // of which draining has 2 s
  return ending_since_ns_ && now_ns - *ending_since_ns_ >= config_.net.linger_ns + kPatienceNs;
}

std::vector<std::string> RunningPartition::held_symbols() const {
  std::vector<std::string> held;
  const std::vector<SymbolConfig>& symbols = config_.engine.symbols;
  for (std::size_t i = 0; i < symbols.size(); ++i) {
    if (!partition().engine().held(SymbolId{static_cast<std::uint16_t>(i + 1)})) continue;
    held.emplace_back(symbols[i].name.begin(), std::find(symbols[i].name.begin(), symbols[i].name.end(), ' '));
  }
  return held;
}

std::vector<std::string> RunningPartition::killed_accounts() const {
  std::vector<std::string> killed;
  const std::vector<AccountConfig>& accounts = config_.net.accounts;
  for (std::size_t i = 0; i < accounts.size(); ++i) {
    if (partition().engine().killed(SessionId{static_cast<std::uint16_t>(i)})) killed.push_back(accounts[i].user);
  }
  return killed;
}

void RunningPartition::end_day(std::uint64_t now_ns, bool now) {
  constexpr std::uint64_t kGraceNs = 500'000'000;  // a port whose stage is not held up ends before
  if (!ending_since_ns_) ending_since_ns_ = now_ns;
  rx_.request_day_end();
  if (now || now_ns - *ending_since_ns_ >= config_.net.linger_ns + kGraceNs) rx_.request_end();
}

std::vector<PollingTask> RunningPartition::tasks() {
  std::vector<PollingTask> tasks;
  for (CoreLoop& loop : day_->partition().loops()) {
    const StageRow& first = row_of(loop.first());
    tasks.push_back({&loop, &rx_, cores_.of(first.stage), config_.placement.idle,
                     location_of(config_, fmt::format("placement.{}", first.name))});
  }
  return tasks;
}

RunningPartition::DayEnd RunningPartition::finish_day() {
  std::uint64_t wall_ns = 0;
  bool cut_off = false;
  for (const PollEnd& end : threads_->join()) {
    wall_ns = std::max(wall_ns, end.wall_ns);
    cut_off |= end.cut_off;
  }
  if (cut_off && !partition().finished()) {
    log_error("the port has taken too little for 2 s; the last answers are not sent", {{"partition", name_}});
  }
  flush_out();
  std::string error = day_->end_recording();
  counted_ = count_ports();
  const Figures figures = figures_of(partition(), wall_ns, port_counters(!partition().finished() || unsent()));
  print_out(fmt::format("ended\npartition    {}\n{}", name_, to_text(figures)));
  std::uint64_t dropped = 0;
  for (const CounterFigure& counter : figures.counters)
    dropped += counter.kind == CounterKind::drop ? counter.value.value_or(0) : 0;
  log_info("partition has ended", {{"partition", name_},
                                   {"seconds", fmt::format("{:.3f}", static_cast<double>(wall_ns) / 1e9)},
                                   {"orders", figures.orders},
                                   {"executions", figures.executions},
                                   {"dropped", dropped},
                                   {"state_hash", fmt::format("{:016x}", figures.state_hash)},
                                   {"day", day_->day().date}});
  if (const std::string unwritten = write_outputs(figures); error.empty()) error = unwritten;
  return {cut_off, error};
}

std::string RunningPartition::write_outputs(const Figures& figures) {
  std::string error;
  if (report_) {
    error = write_file(report_->path(), to_json(figures));
    if (error.empty()) error = error_of([this] { report_->commit(); });
    report_.reset();
  }
  if (outputs_.hgrm != nullptr) {
    std::string name = rolls() ? fmt::format("{}-{}", name_, day_->day().date) : name_;
    if (is_numbered(outputs_.record) || is_numbered(outputs_.report)) name += fmt::format("-{}", file_number_);
    if (const std::string other = outputs_.hgrm->write(name, partition()); error.empty()) error = other;
  }
  return error;
}

void RunningPartition::roll_over(LiveFigures& figures) {
  const std::vector<ReferencePrice> references = last_prices(partition());
  rolled_ = true;
  {
    const auto pause = figures.pause();
    threads_.reset();
    day_.reset();
    take_reloaded();
    counted_before_ = counted_;
    transmit_.forget_unsent();
    publish_.forget_unsent();
    make_day(references);
    figures.begin_day(name_);
  }
  start_threads();
  const std::string unrecorded = error_of([this] {
    file_number_ = next_number({outputs_.record, outputs_.report}, day_->day().date);
    begin_recording();
  });
  if (!unrecorded.empty() && record_memory_) day_->give_up_recording(unrecorded);
  go_on_without(unrecorded);
  go_on_without(error_of([this] { make_report(); }));
}

/// What a reload may change, and nothing else; memory is as large as before.
void RunningPartition::take_reloaded() {
  if (!next_) return;
  config_.net.accounts = std::move(next_->net.accounts);
  EngineConfig& to = config_.engine;
  EngineConfig& from = next_->engine;
  to.risk = std::move(from.risk);
  to.self_trade = std::move(from.self_trade);
  to.cancel_on = std::move(from.cancel_on);
  to.switched_off = std::move(from.switched_off);
  to.orders_per_account = from.orders_per_account;
  to.levels_per_account = from.levels_per_account;
  to.looks_per_second = from.looks_per_second;
  to.account_queries_per_second = from.account_queries_per_second;
  to.max_fills_per_order = from.max_fills_per_order;
  next_.reset();
}

/// The market of the next day is worth more than its files.
void RunningPartition::go_on_without(const std::string& why) const {
  if (why.empty()) return;
  log_error("a file of the new day cannot be made, and the day goes on without", {{"partition", name_}, {"is", why}});
}

bool RunningPartition::unsent() const {
  return transmit_.unsent() || publish_.unsent() || (impaired_ && impaired_->holds());
}

/// What the device has not taken yet gets a last while: its other side may be slow. Where it is gone nothing helps.
void RunningPartition::flush_out() {
  constexpr auto kLastWhile = std::chrono::seconds(1);
  const auto until = std::chrono::steady_clock::now() + kLastWhile;
  while (unsent() && std::chrono::steady_clock::now() < until && device_->link_up()) {
    if (impaired_) impaired_->let_go();
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

DeviceCounters RunningPartition::count_ports() const {
  DeviceCounters counters = device_->counters();
  for (const auto& row : kDeviceCounters) {
    for (const DeviceCounters& port : {rx_.counters(), transmit_.counters(), publish_.counters()}) {
      counters.add(row.counter, port.get(row.counter));
    }
  }
  return counters;
}

std::vector<CounterFigure> RunningPartition::port_counters(bool unsent) const {
  DeviceCounters counters = count_ports();
  for (const auto& row : kDeviceCounters) {
    counters.set(row.counter, counters.get(row.counter) - counted_before_.get(row.counter));
  }
  counters.set(DeviceCounter::tx_cut_off, unsent ? 1 : 0);
  std::vector<CounterFigure> figures;
  append_counters(figures, "port", kDeviceCounters, counters);
  if (!device_->counts_missed()) figures[static_cast<std::size_t>(DeviceCounter::rx_missed)].value.reset();
  if (const RecordingRxPort* recorder = day_->recorder()) {
    append_counters(figures, "port", kRecorderCounters, recorder->counters());
  }
  if (impaired_) append_impairments(figures, impaired_->received(), impaired_->sent());
  append_counters(figures, "control", kStallCounters, monitor_->counters());
  return figures;
}

}  // namespace crosswire
