// `crosswire load`: see the header. From arguments to options, and the run on a device; the calling thread is the
// polling core.
#include "app/load/load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "app/config/config.hpp"
#include "app/figures/figures.hpp"
#include "app/figures/hgrm.hpp"
#include "app/files/file_clash.hpp"
#include "app/files/whole_file.hpp"
#include "app/flow/error.hpp"
#include "app/load/capture.hpp"
#include "app/load/client.hpp"
#include "app/load/dpdk_process.hpp"
#include "app/load/figures.hpp"
#include "app/load/mix_source.hpp"
#include "app/load/picture.hpp"
#include "hugepages/memory/resident.hpp"
#include "netstack/port/capture.hpp"
#include "netstack/port/device.hpp"

namespace crosswire {
namespace {

/// All sessions together, as if there were one.
constexpr double kMostOrders = 4e9;
constexpr std::uint32_t kDefaultResting = 10'000;
constexpr std::uint16_t kFirstPort = 40'000;
/// Over TCP the first of them is another one each time, of so many: an appliance remembers for a minute those of the
/// connections that it closed.
constexpr std::uint32_t kFirstTcpPort = 32'768, kTcpPorts = 28'000;
constexpr MacAddress kOwnMac{0x02, 0, 0, 0, 0, 0x64};

TimeNs ns_of(double seconds) { return static_cast<TimeNs>(seconds * 1e9); }

// --- from arguments to options ---------------------------------------------------------------------------------------

bool in_range(std::uint32_t address, const AddressRange& range) {
  return range.prefix == 0 || (address ^ range.address) >> (32 - range.prefix) == 0;
}

/// `wanted`, or the nearest thing to it that the account may log in from.
std::uint32_t address_for(const AccountConfig& account, std::uint32_t wanted, bool given) {
  const auto fits = [wanted](const AddressRange& range) { return in_range(wanted, range); };
  if (given || account.sources.empty() || std::any_of(account.sources.begin(), account.sources.end(), fits))
    return wanted;
  const AddressRange& range = account.sources.front();
  return range.prefix >= 31 ? range.address : range.address + 1;
}

std::vector<LoadParty> parties_of(const Config& config, const LoadArguments& arguments, const MacAddress& mac) {
  const bool tcp = arguments.transport == "tcp";
  std::vector<AccountConfig> accounts = config.net.accounts;
  std::erase_if(accounts, [tcp](const AccountConfig& account) { return tcp ? !account.over_tcp : !account.over_udp; });
  const std::size_t most = tcp ? kMaxLoadConnections : kMaxLoadSessions;
  const std::size_t count = arguments.sessions.value_or(
      static_cast<std::uint32_t>(std::min(std::max<std::size_t>(accounts.size(), 1), most)));
  if (!arguments.floor && count > accounts.size()) {
    throw std::runtime_error(fmt::format("--sessions {}: {} has {} accounts that may log in over {}", count,
                                         arguments.config, accounts.size(), arguments.transport));
  }
  std::uint32_t own = (config.net.address & ~0xFFu) | 100;
  if (own == config.net.address) ++own;
  if (!arguments.address.empty()) own = *parse_address(arguments.address);
  std::vector<LoadParty> parties;
  for (std::size_t i = 0; i < count; ++i) {
    const AccountConfig account = i < accounts.size() ? accounts[i] : AccountConfig{};
    parties.push_back({mac, address_for(account, own, !arguments.address.empty()),
                       static_cast<std::uint16_t>(kFirstPort + i), account.user, account.password});
  }
  return parties;
}

LoadMixOptions mix_of(const LoadArguments& arguments, const Config& config, std::size_t parties) {
  LoadMixOptions mix;
  char excess = 0;
  if (std::sscanf(arguments.mix.c_str(), "%u/%u/%u%c", &mix.adds, &mix.cancels, &mix.crossing, &excess) != 3 ||
      mix.adds > 100 || mix.cancels > 100 || mix.adds + mix.cancels + mix.crossing != 100) {
    throw std::runtime_error(
        fmt::format("--mix {}: give adds/cancels/crossing in percent, 100 together", arguments.mix));
  }
  mix.seed = arguments.seed;
  const std::uint64_t share = orders_per_account(config.engine);
  const auto most = static_cast<std::uint32_t>(std::min<std::uint64_t>(config.engine.max_orders, parties * share));
  mix.resting = arguments.resting.value_or(std::min(kDefaultResting, most / 2));
  if (mix.resting > most) {
    throw std::runtime_error(fmt::format(
        "--resting {}: the appliance's limits.max_orders is {}, and each of the {} accounts may rest {} of them "
        "(limits.orders_per_account)",
        mix.resting, config.engine.max_orders, parties, share));
  }
  return mix;
}

struct Arrivals {
  std::optional<LoadSchedule> schedule;
  std::string words;
  std::uint64_t rate;  // 0: not known
};

Arrivals arrivals_of(const LoadArguments& arguments) {
  const std::uint64_t rate = arguments.rate;
  if (arguments.window) return {std::nullopt, fmt::format("window of {}", *arguments.window), 0};
  if (!arguments.gaps.empty()) {
    return {LoadSchedule::gaps(read_gaps(arguments.gaps)), fmt::format("gaps of {}", arguments.gaps), 0};
  }
  if (!arguments.capture.empty() && !arguments.rate_given) {
    return {std::nullopt, fmt::format("as in {}", arguments.capture), 0};
  }
  if (arguments.arrivals == "constant") return {LoadSchedule::constant(rate), "constant", rate};
  if (arguments.arrivals == "poisson") return {LoadSchedule::poisson(rate, arguments.seed), "poisson", rate};
  std::uint64_t burst = 0;
  const std::string& text = arguments.arrivals;
  const bool is_burst = text.compare(0, 6, "burst:") == 0;
  const char* const end = text.data() + text.size();
  if (is_burst && std::from_chars(text.data() + 6, end, burst).ptr == end && burst >= 1 && burst <= 1'000'000) {
    return {LoadSchedule::burst(rate, burst), fmt::format("bursts of {}", burst), rate};
  }
  throw std::runtime_error(fmt::format("--arrivals {}: give constant, poisson or burst:N", text));
}

HugepagePolicy pages_of(const std::string& text) {
  if (text == "off") return HugepagePolicy::off;
  return text == "required" ? HugepagePolicy::required : HugepagePolicy::automatic;
}

void check_size(const LoadArguments& arguments, const LoadOptions& options, std::uint64_t rate) {
  const double orders = static_cast<double>(rate) * (arguments.seconds + arguments.warm_up);
  if (orders > kMostOrders) {
    throw std::runtime_error(
        fmt::format("{:.0f} orders are more than UserRefNums; give fewer --seconds or a lower --rate", orders));
  }
  const std::uint64_t bytes = LoadMixSource::memory(options.mix, static_cast<std::uint32_t>(options.parties.size()));
  if (bytes > available_memory() / 2) {
    throw std::runtime_error(fmt::format("--resting {} would take {:.1f} GiB here, of {:.1f} GiB that are free",
                                         options.mix.resting, static_cast<double>(bytes) / (1u << 30),
                                         static_cast<double>(available_memory()) / (1u << 30)));
  }
}

LoadTcpOptions tcp_of(const LoadArguments& arguments, const Config& config) {
  if (config.net.tcp_port == 0) {
    throw std::runtime_error(
        fmt::format("--transport tcp: {} takes no orders over TCP; set [orders] tcp_port", arguments.config));
  }
  return {config.net.tcp_port, random_key(), pages_of(arguments.hugepages)};
}

/// Over TCP the generator is one station, and a connection is its port.
void place_connections(const LoadArguments& arguments, LoadOptions& options) {
  std::vector<LoadParty>& parties = options.parties;
  if (parties.size() > kMaxLoadConnections) {
    throw std::runtime_error(
        fmt::format("--transport tcp: {} sessions; {} connections are the most", parties.size(), kMaxLoadConnections));
  }
  std::uint64_t port = kFirstTcpPort + options.tcp->secret.first % (kTcpPorts - kMaxLoadConnections);
  for (LoadParty& party : parties) {
    party.port = static_cast<std::uint16_t>(port++);
    if (!arguments.address.empty()) party.address = *parse_address(arguments.address);
    if (party.address == parties.front().address) continue;
    throw std::runtime_error(fmt::format(
        "--transport tcp: {} would come from {}, and {} from {}; give the accounts one source, or --address",
        parties.front().user, format_address(parties.front().address), party.user, format_address(party.address)));
  }
}

/// The appliance knows no orders that are not meant.
void check_meant(const LoadArguments& arguments, const LoadOptions& options) {
  if (arguments.floor || arguments.yes_trade) return;
  const std::string accounts = options.parties.size() == 1 ? "account " + options.parties.front().user
                                                           : fmt::format("{} accounts", options.parties.size());
  throw std::runtime_error(
      fmt::format("would log in to the appliance behind {} with {} of {}, which ends the sessions that these have, and "
                  "enter real orders; give --yes-trade if that is meant, or --floor against crosswire echo",
                  arguments.device, accounts, arguments.capture.empty() ? arguments.config : arguments.capture));
}

// --- the run ---------------------------------------------------------------------------------------------------------

/// A line per second on stderr, from a thread of its own.
class ProgressLines {
 public:
  explicit ProgressLines(const LoadClient::Progress& progress)
      : thread_([this, &progress](const std::stop_token& stop) { report(progress, stop); }) {}

 private:
  void report(const LoadClient::Progress& progress, const std::stop_token& stop) {
    std::uint64_t sent = 0;
    std::unique_lock lock(mutex_);
    for (int second = 1; !stop.stop_requested();) {
      wake_.wait_for(lock, stop, std::chrono::seconds(1), [] { return false; });
      if (stop.stop_requested() || !progress.running.load(std::memory_order_relaxed)) continue;
      const std::uint64_t now = progress.sent.load(std::memory_order_relaxed);
      fmt::print(stderr, "{:>4} s  sent {} (+{})  answered {}  executions {}  late {}  feed gaps {}\n", second++, now,
                 now - sent, progress.answered.load(std::memory_order_relaxed),
                 progress.executions.load(std::memory_order_relaxed), progress.late.load(std::memory_order_relaxed),
                 progress.lost.load(std::memory_order_relaxed));
      sent = now;
    }
  }

  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

/// An output that takes its name only when it is whole, begun before the run so that a wrong name is known at once.
class Output {
 public:
  explicit Output(const std::string& path) {
    if (!path.empty()) file_.emplace(path);
  }
  template <class Text>
  void write(Text&& text) {
    if (!file_) return;
    const std::string error = write_file(file_->path(), text());
    if (!error.empty()) throw std::runtime_error(error);
    file_->commit();
  }

 private:
  std::optional<WholeFile> file_;
};

LoadFigures run_on_device(const LoadOptions& options, const DpdkProcessOptions& process) {
  std::future<TscClock> calibrated = std::async(std::launch::async, TscClock::calibrated);  // it sleeps
  const DpdkProcess eal(process, "crosswire_load");
  const SharedClock clock(calibrated.get());
  Device device({.device = process.device, .receive_all = true});
  if (const std::string down = device.wait_for_link(std::chrono::seconds(2)); !down.empty()) {
    throw std::runtime_error(down);
  }
  DeviceRxPort rx(device, clock, midnight_utc(clock.read().now_epoch_ns()));
  DeviceTxPort tx(device);
  const auto client = std::make_unique<LoadClient>(options, rx, tx);
  end_on_signals();
  const ProgressLines lines(client->progress());  // before pinning: its thread inherits this one's cores
  pin_to(process.core);
  while (client->poll()) {
    if (client->ready()) {
      make_resident();
      client->start();
    }
    if (end_wanted()) [[unlikely]]
      client->stop("interrupted");
  }
  return client->figures();
}

/// Of --hgrm: of answers, executions and the feed; empty without.
std::array<std::string, 3> hgrm_files(const LoadArguments& arguments) {
  if (arguments.hgrm.empty()) return {};
  return {arguments.hgrm + "-ack.hgrm", arguments.hgrm + "-execution.hgrm", arguments.hgrm + "-feed.hgrm"};
}

void check_files(const LoadArguments& arguments, const Config& config) {
  std::vector<std::string> read = config.files;
  read.insert(read.end(), {arguments.capture, arguments.gaps, arguments.beside});
  std::vector<std::string> written = {arguments.json, arguments.svg};
  for (const std::string& file : hgrm_files(arguments)) written.push_back(file);
  if (const std::string clash = file_clash(read, written); !clash.empty()) throw std::runtime_error(clash);
}

}  // namespace

int load_main(const LoadArguments& arguments) try {
  const Config config = load_config(arguments.config, ConfigUse::replay);
  check_files(arguments, config);
  const MacAddress mac = arguments.mac.empty() ? kOwnMac : *parse_mac(arguments.mac);
  const LoadBeside beside = arguments.beside.empty() ? LoadBeside{} : read_beside(arguments.beside);
  const Arrivals arrivals = arrivals_of(arguments);
  LoadOptions options;
  options.server = config.net;
  options.symbols = config.engine.symbols;
  options.vlan = config.net.vlans.empty() ? std::uint16_t{0} : config.net.vlans.front();
  options.schedule = arrivals.schedule;
  options.warm_up_ns = ns_of(arguments.warm_up);
  options.measured_ns = ns_of(arguments.seconds);
  options.floor = arguments.floor;
  if (arguments.transport == "tcp") options.tcp = tcp_of(arguments, config);
  LoadCaptureFile capture;
  if (!arguments.capture.empty()) {
    capture = read_load_capture(arguments.capture, config.net.order_port);
    options.capture = &capture.orders;
    options.parties = capture.parties;
    options.warm_up_ns = 0;
    if (!arrivals.schedule) options.measured_ns = capture.orders.due_ns.back() + 1;
    if (arrivals.schedule) {
      options.measured_ns =
          capture.orders.due_ns.size() * kNsPerSecond / std::max<std::uint64_t>(arguments.rate, 1) + 1;
    }
  } else {
    options.parties = parties_of(config, arguments, mac);
  }
  if (options.tcp) place_connections(arguments, options);
  options.mix = mix_of(arguments, config, options.parties.size());
  if (arguments.capture.empty()) check_size(arguments, options, arrivals.rate);
  if (arguments.window) options.window = *arguments.window;
  for (const SymbolConfig& symbol : options.symbols) {
    if (symbol.reference.value / symbol.tick_e4 >= 2) continue;
    throw std::runtime_error(
        fmt::format("{}: a symbol's reference price is below two ticks; nothing can rest below it", arguments.config));
  }

  check_meant(arguments, options);

  const std::array<std::string, 3> hgrms = hgrm_files(arguments);
  Output json(arguments.json), svg(arguments.svg);
  Output hgrm(hgrms[0]), hgrm_execution(hgrms[1]), hgrm_feed(hgrms[2]);
  const std::string load_before = describe_host();
  LoadFigures figures =
      run_on_device(options, {arguments.device, arguments.dpdk_args, arguments.core, pages_of(arguments.hugepages)});
  figures.arrivals = arrivals.words;
  figures.rate_asked = arrivals.rate;
  figures.host = load_before;
  fmt::print("{}", to_text(figures, beside));
  json.write([&figures] { return to_json(figures); });
  svg.write([&] { return to_svg(figures, beside); });
  hgrm.write([&figures] { return to_hgrm(figures.of(LoadLatency::ack)); });
  hgrm_execution.write([&figures] { return to_hgrm(figures.of(LoadLatency::execution)); });
  hgrm_feed.write([&figures] { return to_hgrm(figures.of(LoadLatency::feed)); });
  std::fflush(stdout);
  const std::string& news = figures.partial.empty() ? figures.losses : figures.partial;
  if (!news.empty()) fmt::print(stderr, "crosswire load: {}\n", news);
  return figures.partial.empty() ? 0 : 1;
} catch (const std::exception& error) {
  fmt::print(stderr, "crosswire load: {}\n", one_line(error.what()));
  return 1;
}

}  // namespace crosswire
