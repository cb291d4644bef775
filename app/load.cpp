// `crosswire load`: see the header. Its command line, and the run on a device; the calling thread is the polling core.
#include "app/load.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

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

#include "app/config.hpp"
#include "app/figures.hpp"
#include "app/file_clash.hpp"
#include "app/flow_error.hpp"
#include "app/hgrm.hpp"
#include "app/live.hpp"
#include "app/load_capture.hpp"
#include "app/load_client.hpp"
#include "app/load_figures.hpp"
#include "app/load_mix_source.hpp"
#include "app/whole_file.hpp"
#include "hugepages/resident.hpp"
#include "netstack/port/capture.hpp"
#include "netstack/port/device.hpp"

namespace crosswire {
namespace {

struct LoadArguments {
  std::string config;
  std::string device;
  std::vector<std::string> dpdk_args;
  std::string mac;
  std::string address;
  std::optional<unsigned> core;
  std::string hugepages = "auto";
  std::optional<std::uint32_t> sessions;

  std::uint64_t rate = 100'000;
  std::string arrivals = "constant";
  std::string gaps;
  std::optional<std::uint32_t> window;
  std::string capture;
  double seconds = 5;
  double warm_up = 1;
  std::uint64_t seed = 1;
  std::string mix = "45/45/10";
  std::optional<std::uint32_t> resting;
  bool floor = false;

  std::string json;
  std::string hgrm;
  std::string svg;
  std::string beside;
  bool rate_given = false;
};

/// All sessions together, as if there were one.
constexpr double kMostOrders = 4e9;
constexpr std::uint32_t kDefaultResting = 10'000;
constexpr std::uint16_t kFirstPort = 40'000;
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
  const std::size_t accounts = config.net.accounts.size();
  const std::size_t count = arguments.sessions.value_or(
      static_cast<std::uint32_t>(std::min<std::size_t>(std::max<std::size_t>(accounts, 1), kMaxLoadSessions)));
  if (!arguments.floor && count > accounts) {
    throw std::runtime_error(fmt::format("--sessions {}: {} has {} accounts", count, arguments.config, accounts));
  }
  std::uint32_t own = (config.net.address & ~0xFFu) | 100;
  if (own == config.net.address) ++own;
  if (!arguments.address.empty()) own = *parse_address(arguments.address);
  std::vector<LoadParty> parties;
  for (std::size_t i = 0; i < count; ++i) {
    const AccountConfig account = i < accounts ? config.net.accounts[i] : AccountConfig{};
    parties.push_back({mac, address_for(account, own, !arguments.address.empty()),
                       static_cast<std::uint16_t>(kFirstPort + i), account.user, account.password});
  }
  return parties;
}

LoadMixOptions mix_of(const LoadArguments& arguments, const Config& config) {
  LoadMixOptions mix;
  char rest = 0;
  if (std::sscanf(arguments.mix.c_str(), "%u/%u/%u%c", &mix.adds, &mix.cancels, &mix.crossing, &rest) != 3 ||
      mix.adds > 100 || mix.cancels > 100 || mix.adds + mix.cancels + mix.crossing != 100) {
    throw std::runtime_error(
        fmt::format("--mix {}: give adds/cancels/crossing in percent, 100 together", arguments.mix));
  }
  mix.seed = arguments.seed;
  mix.resting = arguments.resting.value_or(std::min(kDefaultResting, config.engine.max_orders / 2));
  if (mix.resting > config.engine.max_orders) {
    throw std::runtime_error(
        fmt::format("--resting {}: the appliance's max_orders is {}", mix.resting, config.engine.max_orders));
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

// --- the run ---------------------------------------------------------------------------------------------------------

/// A line per second on stderr, from a thread of its own.
class ProgressLines {
 public:
  explicit ProgressLines(const LoadClient::Progress& progress)
      : thread_([this, &progress](const std::stop_token& stop) { tell(progress, stop); }) {}

 private:
  void tell(const LoadClient::Progress& progress, const std::stop_token& stop) {
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

LoadFigures run_on_device(const LoadOptions& options, const LiveOptions& live) {
  std::future<TscClock> calibrated = std::async(std::launch::async, TscClock::calibrated);  // it sleeps
  const LiveEal eal(live, "crosswire_load");
  const TscClock clock = calibrated.get();
  Device device({.device = live.device, .receive_all = true});
  if (const std::string down = device.wait_for_link(std::chrono::seconds(2)); !down.empty()) {
    throw std::runtime_error(down);
  }
  DeviceRxPort rx(device, clock, midnight_utc(clock.now_epoch_ns()));
  DeviceTxPort tx(device);
  const auto client = std::make_unique<LoadClient>(options, rx, tx);
  end_on_signals();
  const ProgressLines lines(client->progress());  // before pinning: its thread inherits this one's cores
  pin_to(live.core);
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

int run_load(const LoadArguments& arguments) try {
  const Config config = load_config(arguments.config, ConfigUse::replay);
  check_files(arguments, config);
  const MacAddress mac = arguments.mac.empty() ? kOwnMac : *parse_mac(arguments.mac);
  const LoadBeside beside = arguments.beside.empty() ? LoadBeside{} : read_beside(arguments.beside);
  const Arrivals arrivals = arrivals_of(arguments);
  LoadOptions options;
  options.server = config.net;
  options.symbols = config.engine.symbols;
  options.vlan = config.net.vlans.empty() ? std::uint16_t{0} : config.net.vlans.front();
  options.mix = mix_of(arguments, config);
  options.schedule = arrivals.schedule;
  options.warm_up_ns = ns_of(arguments.warm_up);
  options.measured_ns = ns_of(arguments.seconds);
  options.floor = arguments.floor;
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
    check_size(arguments, options, arrivals.rate);
  }
  if (arguments.window) options.window = *arguments.window;
  for (const SymbolConfig& symbol : options.symbols) {
    if (symbol.reference.value / symbol.tick_e4 >= 2) continue;
    throw std::runtime_error(
        fmt::format("{}: a symbol's reference price is below two ticks; nothing can rest below it", arguments.config));
  }

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
  svg.write([&figures] { return to_svg(figures); });
  hgrm.write([&figures] { return to_hgrm(figures.of(LoadLatency::ack)); });
  hgrm_execution.write([&figures] { return to_hgrm(figures.of(LoadLatency::execution)); });
  hgrm_feed.write([&figures] { return to_hgrm(figures.of(LoadLatency::feed)); });
  if (figures.partial.empty()) return 0;
  std::fflush(stdout);
  fmt::print(stderr, "crosswire load: {}\n", figures.partial);
  return 1;
} catch (const std::exception& error) {
  fmt::print(stderr, "crosswire load: {}\n", one_line(error.what()));
  return 1;
}

CLI::Validator is_mac() {
  return {[](const std::string& text) {
            return parse_mac(text) ? std::string() : std::string("is no station's MAC address, as 02:00:00:00:00:64");
          },
          ""};
}
CLI::Validator is_address() {
  return {[](const std::string& text) {
            return parse_address(text) ? std::string() : std::string("is no IPv4 address, as 10.99.0.100");
          },
          ""};
}

}  // namespace

void add_load_command(CLI::App& root, int& exit_code) {
  CLI::App* const load = root.add_subcommand(
      "load",
      "Send orders to an appliance and take the time of every answer and of what the feed tells.\n"
      "An open loop: orders are sent when they are due, whatever the appliance does, and latency counts from then, so\n"
      "that a stall costs every order that it delays.");
  const auto arguments = std::make_shared<LoadArguments>();
  LoadArguments& a = *arguments;
  constexpr const char* kWhere = "Where";
  constexpr const char* kWhat = "What is sent";
  constexpr const char* kWhen = "When";
  constexpr const char* kOut = "What comes of it";
  load->add_option("--config", a.config, "the appliance's configuration: address, ports, symbols, accounts, feed")
      ->required()
      ->type_name("FILE")
      ->group(kWhere);
  load->add_option("--device", a.device, "this side's device: a PCI address, or a DPDK vdev with its arguments")
      ->required()
      ->group(kWhere);
  load->add_option("--dpdk-arg", a.dpdk_args, "handed to DPDK behind what crosswire derives")
      ->allow_extra_args(false)
      ->group(kWhere);
  load->add_option("--mac", a.mac, "this side's MAC address (default 02:00:00:00:00:64)")
      ->check(is_mac())
      ->group(kWhere);
  load->add_option("--address", a.address, "this side's IPv4 address (default: one that the accounts may log in from)")
      ->check(is_address())
      ->group(kWhere);
  load->add_option("--core", a.core, "polling core (default: wherever the operating system puts it)")->group(kWhere);
  load->add_option("--hugepages", a.hugepages, "as [memory] hugepages of the configuration")
      ->check(CLI::IsMember({"auto", "off", "required"}))
      ->capture_default_str()
      ->group(kWhere);
  load->add_option("--sessions", a.sessions, "log in with the first N accounts (default: all)")
      ->check(CLI::Range(1u, kMaxLoadSessions))
      ->group(kWhere);
  load->add_flag("--floor", a.floor,
                 "the other side is `crosswire echo`, or sends every frame back as it is, MAC addresses swapped or not")
      ->group(kWhere);

  load->add_option("--mix", a.mix, "adds/cancels/crossing orders, in percent")->capture_default_str()->group(kWhat);
  load->add_option("--resting", a.resting, "orders in the books from the start on (default 10000)")->group(kWhat);
  load->add_option("--seed", a.seed, "of orders and arrivals: same seed, same orders")
      ->capture_default_str()
      ->group(kWhat);
  CLI::Option* const capture =
      load->add_option("--capture", a.capture,
                       "send the orders of this flow capture again, when they were sent then, or at --rate; the "
                       "appliance must be fresh")
          ->type_name("FILE")
          ->group(kWhat);

  CLI::Option* const rate = load->add_option("--rate", a.rate, "orders per second")
                                ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{100'000'000}))
                                ->capture_default_str()
                                ->group(kWhen);
  CLI::Option* const arrivals =
      load->add_option("--arrivals", a.arrivals, "constant, poisson or burst:N")->capture_default_str()->group(kWhen);
  CLI::Option* const gaps =
      load->add_option("--gaps", a.gaps, "the gaps between the frames of this capture, over and over")
          ->type_name("FILE")
          ->excludes(rate)
          ->excludes(arrivals)
          ->excludes(capture)
          ->group(kWhen);
  load->add_option("--window", a.window, "a closed loop: this many orders outstanding, as fast as they are answered")
      ->check(CLI::Range(1u, 1u << 20))
      ->excludes(rate)
      ->excludes(arrivals)
      ->excludes(gaps)
      ->excludes(capture)
      ->group(kWhen);
  load->add_option("--seconds", a.seconds, "measured")
      ->check(CLI::Range(0.001, 86'400.0))
      ->capture_default_str()
      ->group(kWhen);
  load->add_option("--warm-up", a.warm_up, "seconds before, not measured")
      ->check(CLI::Range(0.0, 3'600.0))
      ->capture_default_str()
      ->group(kWhen);

  load->add_option("--json", a.json, "all figures")->type_name("FILE")->group(kOut);
  load->add_option("--hgrm", a.hgrm, "PREFIX-ack.hgrm, -execution, -feed: HdrHistogram's percentile format")
      ->type_name("PREFIX")
      ->group(kOut);
  load->add_option("--svg", a.svg, "percentile curve, and latency over time")->type_name("FILE")->group(kOut);
  load->add_option("--beside", a.beside, "print the difference to this --json report of the floor")
      ->type_name("FILE")
      ->group(kOut);
  load->footer(
      "Exit status: 0 all was sent at the rate asked for, 1 a partial result or none (one line says why), 2 wrong "
      "usage.\n"
      "Examples:\n"
      "  crosswire load --config crosswire.toml --device net_virtio_user0,path=/run/x.sock --rate 100000\n"
      "  crosswire load --config crosswire.toml --device 0000:03:00.1 --rate 1000000 --arrivals poisson --svg run.svg\n"
      "  crosswire load --config crosswire.toml --device 0000:03:00.1 --window 64\n"
      "  crosswire load --config crosswire.toml --device 0000:03:00.1 --floor --json floor.json   (against crosswire "
      "echo)\n"
      "  crosswire load --config crosswire.toml --device 0000:03:00.1 --beside floor.json");
  load->callback([arguments, rate, &exit_code] {
    arguments->rate_given = rate->count() > 0;
    exit_code = run_load(*arguments);
  });
}

}  // namespace crosswire
