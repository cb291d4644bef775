// Start of DPDK's EAL: derives its arguments, keeps it quiet, and turns its many lines of trouble into one.
#include "netstack/port/eal.hpp"

#include <getopt.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_log.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <utility>

#include "hugepages/base/notice.hpp"
#include "netstack/port/kernel_interface.hpp"

namespace crosswire {
namespace {

constexpr std::size_t kMegabyte = std::size_t{1} << 20;

/// Takes DPDK's log, line by line: told as notices, or kept while a DpdkErrors lives. Threads of DPDK write to it, too.
/// Apart from it, what a PrintedLines catches.
class LogSink {
 public:
  void start_keeping() {
    const std::lock_guard lock(mutex_);
    ++keepers_;
    kept_.clear();
  }
  void stop_keeping() {
    const std::lock_guard lock(mutex_);
    --keepers_;
  }
  std::string text() const {
    const std::lock_guard lock(mutex_);
    return kept_;
  }
  void forget_printed() {
    const std::lock_guard lock(mutex_);
    printed_.clear();
  }
  std::vector<std::string> printed() const {
    const std::lock_guard lock(mutex_);
    return printed_;
  }

  void take(std::string_view text, NoticeLevel level) {
    std::vector<Line> lines;
    {
      const std::lock_guard lock(mutex_);
      for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
        line_ += text.substr(0, end);
        text.remove_prefix(end + 1);
        end_line({level, std::exchange(line_, "")}, lines);
      }
      line_ += text;
    }
    for (const Line& line : lines) notice(line.level, line.text);  // which may wait for the disk, and may print
  }

  void take_printed(std::string_view text) {
    const std::lock_guard lock(mutex_);
    for (const char letter : text) {
      if (letter != '\n') {
        printed_line_ += letter;
      } else if (printed_.size() < kMostPrinted) {
        printed_.push_back(std::exchange(printed_line_, ""));
      } else {
        printed_line_.clear();
      }
    }
  }

 private:
  struct Line {
    NoticeLevel level;
    std::string text;
  };
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t kMostKept = 2000;   // characters, then no more lines; more than any driver's reasons
  static constexpr std::size_t kMostPrinted = 64;  // lines; a program that the kernel refuses is printed as a whole
  static constexpr unsigned kLinesPerSecond = 10;  // told; some drivers repeat themselves without end

  void end_line(Line line, std::vector<Line>& lines) {
    // A panic is followed by abort(): nobody would come to read what is kept.
    if (keepers_ == 0 || line.text.find("PANIC") != std::string::npos) {
      report(std::move(line), lines);
    } else if (!line.text.empty() && kept_.size() < kMostKept && kept_.find(line.text) == std::string::npos) {
      kept_ += (kept_.empty() ? "" : "; ") + line.text;
    }
  }

  void report(Line line, std::vector<Line>& lines) {
    const Clock::time_point now = Clock::now();
    if (now - second_began_ >= std::chrono::seconds(1)) {
      if (lines_ > kLinesPerSecond) {
        lines.push_back(
            {NoticeLevel::warning, "dpdk: (" + std::to_string(lines_ - kLinesPerSecond) + " more lines left out)"});
      }
      second_began_ = now;
      lines_ = 0;
    }
    if (++lines_ <= kLinesPerSecond) lines.push_back({line.level, "dpdk: " + line.text});
  }

  mutable std::mutex mutex_;
  std::string line_;
  std::string kept_;
  std::string printed_line_;
  std::vector<std::string> printed_;
  int keepers_ = 0;
  Clock::time_point second_began_{};
  unsigned lines_ = 0;  // in that second
};

// Never destroyed: threads of DPDK may outlive static destruction.
LogSink& log_sink() {
  static auto* sink = new LogSink;
  return *sink;
}

ssize_t write_to_log(void*, const char* text, std::size_t length) {
  const int level = rte_log_cur_msg_loglevel();  // of this thread's message
  log_sink().take({text, length}, level <= static_cast<int>(RTE_LOG_ERR)       ? NoticeLevel::error
                                  : level == static_cast<int>(RTE_LOG_WARNING) ? NoticeLevel::warning
                                                                               : NoticeLevel::info);
  return static_cast<ssize_t>(length);
}

ssize_t write_to_printed(void*, const char* text, std::size_t length) {
  log_sink().take_printed({text, length});
  return static_cast<ssize_t>(length);
}

FILE* stream_to(cookie_write_function_t* write) {
  FILE* const stream = fopencookie(nullptr, "w", {nullptr, write, nullptr, nullptr});
  if (stream != nullptr) std::setvbuf(stream, nullptr, _IONBF, 0);
  return stream;
}

void take_over_log() {
  FILE* const stream = stream_to(write_to_log);
  if (stream != nullptr) rte_openlog_stream(stream);  // else DPDK writes to stderr itself
}

/// Sends C's stdout and stderr nowhere while it lives: DPDK answers a wrong argument with its whole usage text on the
/// one and repeats on the other what it logs. The descriptors stay, so a sanitizer still has its say.
class QuietDpdk {
 public:
  QuietDpdk() : nowhere_(std::fopen("/dev/null", "w")), out_(stdout), error_(stderr) {
    if (nowhere_ == nullptr) return;
    stdout = nowhere_;
    stderr = nowhere_;
  }
  ~QuietDpdk() {
    stdout = out_;
    stderr = error_;
    if (nowhere_ != nullptr) std::fclose(nowhere_);
  }
  QuietDpdk(const QuietDpdk&) = delete;
  QuietDpdk& operator=(const QuietDpdk&) = delete;

 private:
  FILE* nowhere_;
  FILE* out_;
  FILE* error_;
};

bool starts_with(std::string_view text, std::string_view beginning) {
  return text.substr(0, beginning.size()) == beginning;
}

bool is_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

bool fits_hugepages(const EalOptions& options, const EalHost& host) {
  return options.hugepages != HugepagePolicy::off && options.memory_mb > 0 &&
         host.free_hugepage_bytes >= static_cast<std::size_t>(options.memory_mb) * kMegabyte;
}

/// The arguments that are the user's own.
std::string extra_arguments(const EalOptions& options) {
  std::string text;
  for (const std::string& word : options.extra_args) text += " " + word;
  return text.empty() ? "" : " and the extra arguments (" + text.substr(1) + ")";
}

std::string hugepages_missing(const EalOptions& options, const EalHost& host) {
  return "DPDK wants " + std::to_string(options.memory_mb) + " MB of hugepages and " +
         std::to_string(host.free_hugepage_bytes / kMegabyte) + " MB are free";
}
std::string hugepages_remedy(const EalOptions& options) {
  return "mend: sysctl vm.nr_hugepages=" + std::to_string((options.memory_mb + 1) / 2) + " or more";
}

/// "" if DPDK has made an Ethernet port of every device; DPDK itself starts without those that fail.
std::string missing_device(const EalOptions& options, const std::string& said) {
  for (const std::string& device : options.devices) {
    std::uint16_t port_id = 0;
    if (rte_eth_dev_get_port_by_name(device_name(device).c_str(), &port_id) == 0) continue;
    std::string remedy = "is it bound to a driver that DPDK can use (dpdk-devbind.py --status) and in the IOMMU?";
    if (pci_address(device).empty()) {
      const std::string rights = missing_rights(device);
      remedy = "check its name and arguments, that what they refer to exists, and " +
               (rights.empty() ? "the rights to it" : "give the process " + rights + ", or run it as root");
    }
    return "device \"" + device + "\": DPDK cannot bring it up" + (said.empty() ? "" : " (" + said + ")") + "; " +
           remedy;
  }
  return "";
}

/// Whether somebody listens on the socket `path`.
bool somebody_listens(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool refused =
      connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 && errno == ECONNREFUSED;
  close(descriptor);
  return !refused;
}

/// DPDK's vhost server removes a file that it finds in its socket's place, whoever's it is (22.11), and then does not
/// start. Returns "" where there is none any more.
std::string socket_conflict(const EalOptions& options) {
  for (const std::string& device : options.devices) {
    const std::string path = device_argument(device, "iface");
    struct stat status {};
    if (!starts_with(device, "net_vhost") || device_argument(device, "client") == "1") continue;
    if (path.empty() || path.size() >= sizeof(sockaddr_un::sun_path) || lstat(path.c_str(), &status) != 0) continue;
    const std::string begin = "device \"" + device + "\": " + path;
    if (!S_ISSOCK(status.st_mode)) return begin + " is there and no socket; give the device's socket another place";
    if (somebody_listens(path)) return begin + " is another process's socket; end that, or give this device another";
    unlink(path.c_str());  // a crash has left it
  }
  return "";
}

/// An interface that comes later is not waited for here.
std::string interface_conflict(const EalOptions& options) {
  for (const std::string& device : options.devices) {
    const std::string name = missing_interface(device);
    if (name.empty()) continue;
    return "device \"" + device + "\": interface " + name +
           " is not there; see ip link for those that are, or make it first and start then";
  }
  return "";
}

bool started = false;
bool running = false;
InterfaceClaims interfaces;

}  // namespace

// --- devices' names ---

std::string pci_address(std::string_view device) {
  // [domain:]bus:device.function; DPDK itself prints the domain with four digits or more.
  const std::string_view name = device.substr(0, device.find(','));
  constexpr std::string_view kShort = "xx:xx.0";
  if (name.size() < kShort.size()) return "";
  const std::string_view address = name.substr(name.size() - kShort.size());
  const std::string_view domain = name.substr(0, name.size() - kShort.size());
  if (!is_hex(address.substr(0, 2)) || address[2] != ':' || !is_hex(address.substr(3, 2)) || address[5] != '.' ||
      address[6] < '0' || address[6] > '7') {
    return "";
  }
  if (domain.empty()) return "0000:" + std::string(address);
  const bool whole =
      domain.size() >= 5 && domain.size() <= 9 && domain.back() == ':' && is_hex(domain.substr(0, domain.size() - 1));
  return whole ? std::string(name) : "";
}

std::string device_argument(std::string_view device, std::string_view name) {
  for (std::size_t comma = device.find(','); comma != std::string_view::npos; comma = device.find(',', comma + 1)) {
    const std::string_view argument = device.substr(comma + 1, device.find(',', comma + 1) - comma - 1);
    if (starts_with(argument, name) && argument.substr(name.size(), 1) == "=")
      return std::string(argument.substr(name.size() + 1));
  }
  return "";
}

std::string device_name(std::string_view device) {
  std::string address = pci_address(device);
  return address.empty() ? std::string(device.substr(0, device.find(','))) : address;
}

// --- arguments ---

EalHost inspect_host() {
  EalHost host{0, 0};
  std::error_code error;
  // One folder per page size, "hugepages-2048kB".
  for (const auto& size : std::filesystem::directory_iterator("/sys/kernel/mm/hugepages", error)) {
    std::size_t kilobytes = 0;
    std::size_t pages = 0;
    if (std::sscanf(size.path().filename().c_str(), "hugepages-%zukB", &kilobytes) != 1) continue;
    std::ifstream(size.path() / "free_hugepages") >> pages;
    host.free_hugepage_bytes += kilobytes * 1024 * pages;
  }
  cpu_set_t cores;
  if (sched_getaffinity(0, sizeof cores, &cores) == 0) {
    while (host.any_core < CPU_SETSIZE - 1 && !CPU_ISSET(host.any_core, &cores)) ++host.any_core;
  }
  return host;
}

std::vector<std::string> eal_arguments(const EalOptions& options, const EalHost& host) {
  const unsigned core = options.main_core == EalOptions::kAnyCore ? host.any_core : options.main_core;
  std::vector<std::string> arguments = {"--log-level=*:error", "--file-prefix=" + options.file_prefix,
                                        "--lcores=0@" + std::to_string(core), "-m", std::to_string(options.memory_mb)};
  if (fits_hugepages(options, host)) {
    arguments.push_back("--in-memory");
  } else {
    // --in-memory would be refused here; this is the part of it that leaves no files behind.
    arguments.insert(arguments.end(), {"--no-huge", "--no-shconf"});
  }

  bool any_pci = false;
  bool any_virtio_user = false;
  for (const std::string& device : options.devices) {
    const std::string address = pci_address(device);
    if (address.empty()) {
      arguments.push_back("--vdev=" + device);
      any_virtio_user |= starts_with(device, "net_virtio_user") || starts_with(device, "virtio_user");
    } else {
      any_pci = true;
      const auto comma = device.find(',');
      arguments.insert(arguments.end(), {"-a", address + (comma == std::string::npos ? "" : device.substr(comma))});
    }
  }
  // Virtual devices alone need no physical addresses, and an ordinary user could not learn them.
  if (!any_pci) arguments.insert(arguments.end(), {"--no-pci", "--iova-mode=va"});
  // virtio-user hands its memory to the other side as file descriptors, of which the protocol takes only a few.
  if (any_virtio_user) arguments.push_back("--single-file-segments");
  arguments.insert(arguments.end(), options.extra_args.begin(), options.extra_args.end());
  return arguments;
}

// --- start and end ---

std::string eal_start(const EalOptions& options) {
  if (started) return "DPDK was already started in this process, and it cannot be started twice";
  const EalHost host = inspect_host();
  const bool huge = fits_hugepages(options, host);
  if (!huge && options.hugepages == HugepagePolicy::required) {
    return "hugepages are required: " + hugepages_missing(options, host) + "; " + hugepages_remedy(options);
  }
  if (!huge && options.hugepages == HugepagePolicy::automatic) {
    notice(NoticeLevel::warning, "no hugepages for DPDK (" + hugepages_missing(options, host) +
                                     "): running on ordinary pages (slower); " + hugepages_remedy(options));
  }

  if (const std::string missing = interface_conflict(options); !missing.empty()) return missing;
  if (const std::string conflict = socket_conflict(options); !conflict.empty()) return conflict;
  if (const std::string conflict = interfaces.claim(options.devices); !conflict.empty()) return conflict;

  // DPDK keeps pointers to its arguments and shuffles them.
  static std::vector<std::string> words;
  static std::vector<char*> pointers;
  words = eal_arguments(options, host);
  words.insert(words.begin(), "crosswire");
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);

  started = true;
  // A vhost-user peer that goes away would end us by signal: virtio_user writes to its socket without MSG_NOSIGNAL.
  std::signal(SIGPIPE, SIG_IGN);
  take_over_log();
  const DpdkErrors errors;
  cpu_set_t cores;
  const bool cores_known = sched_getaffinity(0, sizeof cores, &cores) == 0;
  int result = -1;
  {
    const QuietDpdk quiet;
    const int print_option_errors = std::exchange(opterr, 0);
    result = rte_eal_init(static_cast<int>(words.size()), pointers.data());
    opterr = print_option_errors;
  }
  // DPDK has pinned this thread to the main core; where stages run is for the placement to say.
  if (cores_known) sched_setaffinity(0, sizeof cores, &cores);
  if (result < 0) {
    const std::string said = DpdkErrors::text();
    return std::string("DPDK does not start: ") + (said.empty() ? rte_strerror(rte_errno) : said) +
           "; check the device" + extra_arguments(options);
  }
  running = true;
  const std::string missing = missing_device(options, DpdkErrors::text());
  if (!missing.empty()) eal_stop();
  return missing;
}

void eal_stop() {
  if (running) rte_eal_cleanup();
  running = false;
  interfaces.release();
}

namespace {
const char* bus_of(const std::string& device) { return pci_address(device).empty() ? "vdev" : "pci"; }
}  // namespace

void eal_detach(const std::string& device) {
  rte_eal_hotplug_remove(bus_of(device), device_name(device).c_str());
  interfaces.release(device);
}

std::string eal_attach(const std::string& device) {
  const DpdkErrors errors;
  if (std::string conflict = interfaces.claim({device}); !conflict.empty()) return conflict;
  const std::size_t comma = device.find(',');
  const std::string arguments = comma == std::string::npos ? "" : device.substr(comma + 1);
  rte_eal_hotplug_add(bus_of(device), device_name(device).c_str(), arguments.c_str());
  EalOptions options;
  options.devices = {device};
  return missing_device(options, DpdkErrors::text());
}

std::string eal_register_thread() {
  if (rte_lcore_id() != LCORE_ID_ANY || rte_thread_register() == 0) return "";
  return std::string("DPDK takes no more threads: ") + rte_strerror(rte_errno) + "; place the stages on fewer cores";
}

void eal_unregister_thread() {
  if (rte_lcore_id() == LCORE_ID_ANY || rte_eal_lcore_role(rte_lcore_id()) != ROLE_NON_EAL) return;
  // The place's next thread may be another pool's: what lies in the cache would be out of everyone's reach.
  const auto flush = [](rte_mempool* pool, void*) {
    rte_mempool_cache* const cache = rte_mempool_default_cache(pool, rte_lcore_id());
    if (cache != nullptr) rte_mempool_cache_flush(cache, pool);
  };
  rte_mempool_walk(flush, nullptr);
  rte_thread_unregister();
}

DpdkErrors::DpdkErrors() { log_sink().start_keeping(); }
DpdkErrors::~DpdkErrors() { log_sink().stop_keeping(); }
std::string DpdkErrors::text() { return log_sink().text(); }

PrintedLines::PrintedLines() : stderr_(stderr) {
  static FILE* const stream = stream_to(write_to_printed);
  log_sink().forget_printed();
  if (stream != nullptr) stderr = stream;
}
PrintedLines::~PrintedLines() { stderr = stderr_; }
void PrintedLines::report() {
  for (const std::string& line : log_sink().printed()) notice(NoticeLevel::warning, "dpdk: " + line);
}

}  // namespace crosswire
