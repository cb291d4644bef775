// The host as hwloc and the kernel's lists tell it, turned into plain values. Set-up only.
#include "hugepages/host/topology.hpp"

#include <fcntl.h>
#include <hwloc.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <set>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace crosswire {
namespace {

/// Above any kernel's CONFIG_NR_CPUS: a number beyond it is a slip, not a core.
constexpr unsigned kMostCores = 1u << 16;
constexpr std::uintmax_t kMostFileBytes = std::uintmax_t{64} << 20;
constexpr unsigned kPciClassNetwork = 0x02;

/// How to mend a file that is no host.
constexpr const char* kAnew = "; make it anew with lstopo host.xml";

/// Names under which save_host() keeps the kernel's lists in a file.
constexpr const char* kIsolatedInfo = "CrosswireIsolated";
constexpr const char* kNohzFullInfo = "CrosswireNohzFull";
constexpr const char* kRcuNocbsInfo = "CrosswireRcuNocbs";

struct Destroy {
  void operator()(hwloc_topology_t topology) const { hwloc_topology_destroy(topology); }
};
struct Free {
  void operator()(hwloc_bitmap_t bitmap) const { hwloc_bitmap_free(bitmap); }
};
using Topology = std::unique_ptr<hwloc_topology, Destroy>;
using Bitmap = std::unique_ptr<hwloc_bitmap_s, Free>;

[[noreturn]] void fail_on_host() {
  throw std::runtime_error("hwloc cannot read the host's topology; is /sys mounted?");
}

Topology make_topology() {
  hwloc_topology_t topology = nullptr;
  if (hwloc_topology_init(&topology) != 0) fail_on_host();
  return Topology(topology);
}

/// Cores outside the cpuset stay visible, marked, so that a message can tell them from those that do not exist.
bool load_with_devices(hwloc_topology_t topology) {
  hwloc_topology_set_io_types_filter(topology, HWLOC_TYPE_FILTER_KEEP_IMPORTANT);
  return hwloc_topology_set_flags(topology, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED) == 0 &&
         hwloc_topology_load(topology) == 0;
}

/// Where its environment says so hwloc describes another host, and then binds no thread and calls that done.
void check_this_host(hwloc_topology_t topology) {
  if (hwloc_topology_is_thissystem(topology) != 0) return;
  throw std::runtime_error(
      "hwloc is told to describe another host: HWLOC_XMLFILE, HWLOC_SYNTHETIC or HWLOC_FSROOT is set; unset it (a file "
      "goes to crosswire plan --topology)");
}

Topology load_this_host() {
  Topology topology = make_topology();
  if (!load_with_devices(topology.get())) fail_on_host();
  check_this_host(topology.get());
  return topology;
}

std::vector<unsigned> cores_of(hwloc_const_bitmap_t bitmap) {
  std::vector<unsigned> cores;
  for (int core = hwloc_bitmap_first(bitmap); core >= 0 && core < static_cast<int>(kMostCores);
       core = hwloc_bitmap_next(bitmap, core)) {
    cores.push_back(static_cast<unsigned>(core));
  }
  return cores;
}

bool contains(const std::vector<unsigned>& sorted, unsigned core) {
  return std::binary_search(sorted.begin(), sorted.end(), core);
}

std::vector<unsigned> both(const std::vector<unsigned>& a, const std::vector<unsigned>& b) {
  std::vector<unsigned> result;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(result));
  return result;
}

/// The processes' own limit (taskset); everything where the kernel does not say.
std::vector<unsigned> affinity(hwloc_topology_t topology, const std::vector<unsigned>& online) {
  const Bitmap bound(hwloc_bitmap_alloc());
  if (hwloc_get_cpubind(topology, bound.get(), HWLOC_CPUBIND_PROCESS) != 0) return online;
  return cores_of(bound.get());
}

std::string line_of_file(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::optional<std::uint64_t> number_in_file(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::uint64_t number = 0;
  if (file >> number) return number;
  return std::nullopt;
}

// --- from hwloc's objects to values ---

int index_of_ancestor(hwloc_topology_t topology, hwloc_obj_type_t type, hwloc_obj_t object) {
  const hwloc_obj_t found = hwloc_get_ancestor_obj_by_type(topology, type, object);
  return found == nullptr ? -1 : static_cast<int>(found->logical_index);
}

std::vector<HostNode> nodes_of(hwloc_topology_t topology) {
  std::vector<HostNode> nodes;
  for (hwloc_obj_t object = nullptr;
       (object = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_NUMANODE, object)) != nullptr;) {
    HostNode node{.number = static_cast<int>(object->os_index), .bytes = object->attr->numanode.local_memory};
    const auto base = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    for (unsigned i = 0; i < object->attr->numanode.page_types_len; ++i) {
      const auto& pages = object->attr->numanode.page_types[i];
      if (pages.size > base) node.hugepages.push_back({.page_bytes = pages.size, .total = pages.count});
    }
    std::sort(node.hugepages.begin(), node.hugepages.end(),
              [](const HostPages& a, const HostPages& b) { return a.page_bytes < b.page_bytes; });
    nodes.push_back(std::move(node));
  }
  std::sort(nodes.begin(), nodes.end(), [](const HostNode& a, const HostNode& b) { return a.number < b.number; });
  return nodes;
}

/// Kinds by Intel's name where the processor tells it, else all kinds but the fastest count as efficiency cores.
void mark_efficiency_cores(hwloc_topology_t topology, HostTopology& host) {
  const int kinds = hwloc_cpukinds_get_nr(topology, 0);
  if (kinds < 2) return;
  const Bitmap cores(hwloc_bitmap_alloc());
  for (int kind = 0; kind < kinds; ++kind) {
    int rank = -1;
    unsigned infos_count = 0;
    hwloc_info_s* infos = nullptr;
    if (hwloc_cpukinds_get_info(topology, static_cast<unsigned>(kind), cores.get(), &rank, &infos_count, &infos, 0) !=
        0) {
      continue;
    }
    bool efficiency = rank >= 0 && rank < kinds - 1;
    for (unsigned i = 0; i < infos_count; ++i) {
      if (std::strcmp(infos[i].name, "CoreType") == 0) efficiency = std::strcmp(infos[i].value, "IntelAtom") == 0;
    }
    for (HostCpu& cpu : host.cpus) {
      if (hwloc_bitmap_isset(cores.get(), cpu.number) != 0) cpu.efficiency = efficiency;
    }
  }
}

std::string pci_name(const hwloc_obj_attr_u::hwloc_pcidev_attr_s& pci) {
  char text[32] = "";
  std::snprintf(text, sizeof text, "%04x:%02x:%02x.%x", unsigned{pci.domain}, unsigned{pci.bus}, unsigned{pci.dev},
                unsigned{pci.func} & 7u);
  return text;
}

/// What a terminal shows as it is: a file may call a device anything.
std::string printable(const char* name) {
  std::string text(name);
  std::replace_if(
      text.begin(), text.end(), [](char letter) { return letter < ' ' || letter > '~'; }, '?');
  return text;
}

std::vector<HostDevice> devices_of(hwloc_topology_t topology, const HostTopology& host) {
  std::vector<HostDevice> devices;
  for (hwloc_obj_t object = nullptr; (object = hwloc_get_next_pcidev(topology, object)) != nullptr;) {
    if (object->attr->pcidev.class_id >> 8 != kPciClassNetwork) continue;
    HostDevice device{.pci = pci_name(object->attr->pcidev)};
    for (hwloc_obj_t child = object->io_first_child; child != nullptr; child = child->next_sibling) {
      if (child->type == HWLOC_OBJ_OS_DEVICE && child->attr->osdev.type == HWLOC_OBJ_OSDEV_NETWORK &&
          child->name != nullptr) {
        device.name = printable(child->name);
      }
    }
    const hwloc_obj_t parent = hwloc_get_non_io_ancestor_obj(topology, object);
    if (parent != nullptr && parent->nodeset != nullptr && hwloc_bitmap_weight(parent->nodeset) == 1) {
      device.node = hwloc_bitmap_first(parent->nodeset);
      if (host.node(device.node) == nullptr) device.node = -1;
    }
    devices.push_back(std::move(device));
  }
  return devices;
}

/// Throws std::runtime_error without the source, where the topology has no cores or is not one that Linux can have.
HostTopology values_of(hwloc_topology_t topology) {
  HostTopology host;
  host.nodes = nodes_of(topology);
  const Bitmap allowed(hwloc_bitmap_dup(hwloc_topology_get_allowed_cpuset(topology)));
  for (hwloc_obj_t object = nullptr;
       (object = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_PU, object)) != nullptr;) {
    if (object->os_index >= kMostCores) throw std::runtime_error("has a core without a number");
    HostCpu cpu{.number = object->os_index,
                .package = index_of_ancestor(topology, HWLOC_OBJ_PACKAGE, object),
                .node = object->nodeset == nullptr ? -1 : hwloc_bitmap_first(object->nodeset),
                .l3 = index_of_ancestor(topology, HWLOC_OBJ_L3CACHE, object),
                .physical_core = index_of_ancestor(topology, HWLOC_OBJ_CORE, object)};
    if (host.node(cpu.node) == nullptr) cpu.node = -1;
    cpu.allowed = hwloc_bitmap_isset(allowed.get(), cpu.number) != 0;
    host.cpus.push_back(cpu);
  }
  if (host.cpus.empty()) throw std::runtime_error("has no cores");
  const auto by_number = [](const HostCpu& a, const HostCpu& b) { return a.number < b.number; };
  std::sort(host.cpus.begin(), host.cpus.end(), by_number);
  const auto same_number = [](const HostCpu& a, const HostCpu& b) { return a.number == b.number; };
  if (std::adjacent_find(host.cpus.begin(), host.cpus.end(), same_number) != host.cpus.end()) {
    throw std::runtime_error("has a core twice");
  }
  mark_efficiency_cores(topology, host);
  host.devices = devices_of(topology, host);
  return host;
}

/// hwloc counts hugepages and does not say which are free.
void add_what_is_free(HostTopology& host) {
  const std::filesystem::path nodes = "/sys/devices/system/node";
  const bool one_node = host.nodes.size() == 1;
  for (HostNode& node : host.nodes) {
    const std::filesystem::path folder = nodes / ("node" + std::to_string(node.number));
    for (HostPages& pages : node.hugepages) {
      const std::string size = "hugepages-" + std::to_string(pages.page_bytes / 1024) + "kB";
      pages.free = number_in_file(folder / "hugepages" / size / "free_hugepages");
      if (!pages.free && one_node) pages.free = number_in_file("/sys/kernel/mm/hugepages/" + size + "/free_hugepages");
    }
    // "Node 0 MemFree:  123 kB", or without the node.
    std::ifstream memory(folder / "meminfo");
    if (!memory && one_node) memory.open("/proc/meminfo");
    for (std::string line; std::getline(memory, line);) {
      const std::size_t at = line.find("MemFree:");
      if (at == std::string::npos) continue;
      std::uint64_t kib = 0;
      if (std::istringstream(line.substr(at + 8)) >> kib) node.free_bytes = kib * 1024;
    }
  }
}

std::vector<unsigned> numbers_of(const HostTopology& host, bool (*keep)(const HostCpu&)) {
  std::vector<unsigned> numbers;
  for (const HostCpu& cpu : host.cpus) {
    if (keep(cpu)) numbers.push_back(cpu.number);
  }
  return numbers;
}

std::vector<unsigned> online_of(const HostTopology& host) {
  return numbers_of(host, [](const HostCpu&) { return true; });
}

/// Marks what this process may use, and what the kernel keeps to itself.
void add_limits(HostTopology& host, hwloc_topology_t topology) {
  const KernelLists lists = read_kernel_lists();
  apply_lists(host, lists);
  const std::vector<unsigned> online = online_of(host);
  const std::vector<unsigned> cpuset = numbers_of(host, [](const HostCpu& cpu) { return cpu.allowed; });
  const std::vector<unsigned> usable = usable_cores(online, cpuset, affinity(topology, online), lists.isolated);
  for (HostCpu& cpu : host.cpus) cpu.allowed = contains(usable, cpu.number);
  for (const unsigned core :
       parse_cores(line_of_file("/sys/devices/system/cpu/offline")).value_or(std::vector<unsigned>{})) {
    if (!contains(online, core)) host.offline.push_back(core);
  }
}

std::vector<unsigned> list_in(hwloc_obj_t root, const char* name) {
  const char* const text = hwloc_obj_get_info_by_name(root, name);
  return text == nullptr ? std::vector<unsigned>{} : parse_cores(text).value_or(std::vector<unsigned>{});
}

std::string whole_file(const std::string& path) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status))
    throw std::runtime_error(path + ": " + error.message() + "; make it with lstopo host.xml");
  if (!std::filesystem::is_regular_file(status))
    throw std::runtime_error(path + ": is no file; make one with lstopo host.xml");
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(path + ": cannot be read: " + std::strerror(errno));
  if (std::filesystem::file_size(path, error) > kMostFileBytes || error) {
    throw std::runtime_error(path + ": is larger than any host's description; make one with lstopo host.xml");
  }
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Throws std::runtime_error without the file's name.
HostTopology values_of_file(const std::string& text) {
  const Topology topology = make_topology();
  // hwloc's length includes the string's end.
  if (hwloc_topology_set_xmlbuffer(topology.get(), text.c_str(), static_cast<int>(text.size()) + 1) != 0 ||
      !load_with_devices(topology.get())) {
    throw std::runtime_error("hwloc cannot read it as a host's description");
  }
  HostTopology host = values_of(topology.get());
  const hwloc_obj_t root = hwloc_get_root_obj(topology.get());
  apply_lists(host, {list_in(root, kIsolatedInfo), list_in(root, kNohzFullInfo), list_in(root, kRcuNocbsInfo)});
  return host;
}

/// hwloc trusts what a file says of its objects and crashes on some that are damaged. So a copy of this process reads
/// it first: what the copy survives, we survive. No other thread of ours runs yet.
bool survives_hwloc(const std::string& text) {
  constexpr rlim_t kMostSeconds = 20;
  const pid_t copy = fork();
  if (copy < 0) return true;  // no process to be had: as well without
  if (copy == 0) {
    const rlimit no_core{0, 0};
    const rlimit time{kMostSeconds, kMostSeconds};
    setrlimit(RLIMIT_CORE, &no_core);
    setrlimit(RLIMIT_CPU, &time);
    const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere >= 0) {
      dup2(nowhere, STDOUT_FILENO);
      dup2(nowhere, STDERR_FILENO);
    }
    try {
      static_cast<void>(values_of_file(text));
    } catch (...) {
      _exit(1);  // nor does hwloc give back all it took for a file that it refuses
    }
    _exit(0);
  }
  int status = 0;
  while (waitpid(copy, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/// The first number of a part of a list; `text` is what is left of it.
std::optional<unsigned> take_number(std::string_view& text, unsigned last) {
  if (!text.empty() && text.front() == 'N') {
    text.remove_prefix(1);
    return last;
  }
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number >= kMostCores) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

bool take_letter(std::string_view& text, char letter) {
  if (text.empty() || text.front() != letter) return false;
  text.remove_prefix(1);
  return true;
}

/// One part of a list: "3", "3-5", "3-20:2/4" (two of each four).
bool add_part(std::string_view part, unsigned last, std::set<unsigned>& cores) {
  const std::optional<unsigned> first = take_number(part, last);
  std::optional<unsigned> end = first;
  std::optional<unsigned> used = 1;
  std::optional<unsigned> group = 1;
  if (first && take_letter(part, '-')) {
    end = take_number(part, last);
    if (end && take_letter(part, ':')) {
      used = take_number(part, last);
      group = take_letter(part, '/') ? take_number(part, last) : std::nullopt;
    }
  }
  if (!first || !end || !used || !group || *end < *first || *group == 0 || *used > *group || !part.empty())
    return false;
  for (unsigned core = *first; core <= *end; ++core) {
    if ((core - *first) % *group < *used) cores.insert(core);
  }
  return true;
}

/// The value of a word of the kernel's command line, the last one if there are several; nothing if it is not there.
std::optional<std::string> boot_parameter(const std::string& command_line, const std::string& name) {
  std::optional<std::string> value;
  std::istringstream words(command_line);
  for (std::string word; words >> word;) {
    if (word == name) value = "";
    if (word.compare(0, name.size() + 1, name + "=") == 0) value = word.substr(name.size() + 1);
  }
  return value;
}

/// Never throws away what it loaded: the answers must not change when DPDK or we bind threads later.
struct Host {
  Topology topology = make_topology();
  std::vector<unsigned> cores;

  Host() {
    if (hwloc_topology_load(topology.get()) != 0) fail_on_host();
    check_this_host(topology.get());
    const std::vector<unsigned> online = cores_of(hwloc_topology_get_topology_cpuset(topology.get()));
    const std::vector<unsigned> cpuset = cores_of(hwloc_topology_get_allowed_cpuset(topology.get()));
    cores = usable_cores(online, cpuset, affinity(topology.get(), online), read_kernel_lists().isolated);
  }
};

const Host& host() {
  static const Host instance;
  return instance;
}

}  // namespace

// --- values ---

const HostCpu* HostTopology::cpu(unsigned number) const {
  const auto found = std::lower_bound(cpus.begin(), cpus.end(), number,
                                      [](const HostCpu& cpu, unsigned wanted) { return cpu.number < wanted; });
  return found == cpus.end() || found->number != number ? nullptr : &*found;
}

const HostNode* HostTopology::node(int number) const {
  const auto found =
      std::find_if(nodes.begin(), nodes.end(), [number](const HostNode& node) { return node.number == number; });
  return found == nodes.end() ? nullptr : &*found;
}

std::vector<unsigned> HostTopology::siblings(const HostCpu& cpu) const {
  std::vector<unsigned> others;
  for (const HostCpu& other : cpus) {
    const bool same = cpu.physical_core >= 0 && other.physical_core == cpu.physical_core;
    if (same && other.number != cpu.number) others.push_back(other.number);
  }
  return others;
}

const HostDevice* HostTopology::device(std::string_view dpdk_name) const {
  constexpr std::string_view kInterface = ",iface=";
  std::string_view interface;
  if (const std::size_t at = dpdk_name.find(kInterface); at != std::string_view::npos) {
    interface = dpdk_name.substr(at + kInterface.size());
    interface = interface.substr(0, interface.find(','));
  }
  std::string pci(dpdk_name.substr(0, dpdk_name.find(',')));
  if (std::count(pci.begin(), pci.end(), ':') == 1) pci.insert(0, "0000:");
  std::transform(pci.begin(), pci.end(), pci.begin(), [](char c) { return c >= 'A' && c <= 'F' ? char(c + 32) : c; });
  for (const HostDevice& device : devices) {
    if (device.pci == pci || (!interface.empty() && device.name == interface)) return &device;
  }
  return nullptr;
}

HostTopology read_host() {
  const Topology topology = load_this_host();
  try {
    HostTopology host = values_of(topology.get());
    host.source = "this host";
    add_limits(host, topology.get());
    add_what_is_free(host);
    return host;
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(std::string("this host, as hwloc sees it, ") + error.what() + "; is /sys mounted?");
  }
}

HostTopology read_host_file(const std::string& path) {
  const std::string text = whole_file(path);
  setenv("HWLOC_HIDE_ERRORS", "2", 0);  // what is wrong with a file we say ourselves, in one line
  if (text.find("<topology") == std::string::npos) throw std::runtime_error(path + ": is no hwloc XML file" + kAnew);
  if (!survives_hwloc(text)) throw std::runtime_error(path + ": hwloc cannot read it as a host's description" + kAnew);
  try {
    HostTopology host = values_of_file(text);
    host.source = path;
    return host;
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(path + ": " + error.what() + kAnew);
  }
}

void save_host(const std::string& path) {
  const Topology topology = load_this_host();
  const hwloc_obj_t root = hwloc_get_root_obj(topology.get());
  const KernelLists lists = read_kernel_lists();
  hwloc_obj_add_info(root, kIsolatedInfo, format_cores(lists.isolated).c_str());
  hwloc_obj_add_info(root, kNohzFullInfo, format_cores(lists.nohz_full).c_str());
  hwloc_obj_add_info(root, kRcuNocbsInfo, format_cores(lists.rcu_nocbs).c_str());
  char* text = nullptr;
  int length = 0;
  if (hwloc_topology_export_xmlbuffer(topology.get(), &text, &length, 0) != 0) fail_on_host();
  std::ofstream file(path, std::ios::binary);
  file.write(text, length - 1);
  hwloc_free_xmlbuffer(topology.get(), text);
  if (!file.flush()) throw std::runtime_error(path + ": cannot be written: " + std::strerror(errno));
}

HostTopology synthetic_host(const std::string& description) {
  const Topology topology = make_topology();
  if (hwloc_topology_set_synthetic(topology.get(), description.c_str()) != 0 || !load_with_devices(topology.get())) {
    throw std::runtime_error("\"" + description + "\" is no synthetic topology of hwloc's");
  }
  HostTopology host = values_of(topology.get());
  host.source = description;
  return host;
}

// --- lists of cores ---

void apply_lists(HostTopology& host, const KernelLists& lists) {
  for (HostCpu& cpu : host.cpus) {
    cpu.isolated = contains(lists.isolated, cpu.number);
    cpu.nohz_full = contains(lists.nohz_full, cpu.number);
    cpu.rcu_nocbs = contains(lists.rcu_nocbs, cpu.number);
  }
}

std::optional<std::vector<unsigned>> parse_cores(std::string_view text, unsigned last) {
  std::set<unsigned> cores;
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    std::string_view part = text.substr(0, comma);
    if (!add_part(part == "all" ? "0-N" : part, last, cores)) return std::nullopt;
    if (comma == text.size() - 1) return std::nullopt;
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return std::vector<unsigned>(cores.begin(), cores.end());
}

std::string format_cores(const std::vector<unsigned>& cores) {
  std::string text;
  for (std::size_t i = 0; i < cores.size(); ++i) {
    const unsigned first = cores[i];
    while (i + 1 < cores.size() && cores[i + 1] == cores[i] + 1) ++i;
    if (!text.empty()) text += ',';
    text += std::to_string(first);
    if (cores[i] != first) text += (cores[i] == first + 1 ? "," : "-") + std::to_string(cores[i]);
  }
  return text;
}

KernelLists read_kernel_lists(const std::string& root) {
  const std::filesystem::path cpu = std::filesystem::path(root) / "sys/devices/system/cpu";
  const auto list = [](const std::string& text, unsigned last) {
    return parse_cores(text, last).value_or(std::vector<unsigned>{});
  };
  const std::vector<unsigned> possible = list(line_of_file(cpu / "possible"), 0);
  const unsigned last = possible.empty() ? 0 : possible.back();
  // What the kernel has not got it writes as "(null)".
  KernelLists lists{list(line_of_file(cpu / "isolated"), last), list(line_of_file(cpu / "nohz_full"), last), {}};
  const std::string command_line = line_of_file(std::filesystem::path(root) / "proc/cmdline");
  if (const auto nocbs = boot_parameter(command_line, "rcu_nocbs"))
    lists.rcu_nocbs = list(nocbs->empty() ? "all" : *nocbs, last);
  // The kernel offloads the callbacks of nohz_full cores, asked or not.
  std::vector<unsigned> offloaded;
  std::set_union(lists.rcu_nocbs.begin(), lists.rcu_nocbs.end(), lists.nohz_full.begin(), lists.nohz_full.end(),
                 std::back_inserter(offloaded));
  lists.rcu_nocbs = std::move(offloaded);
  return lists;
}

std::vector<unsigned> usable_cores(const std::vector<unsigned>& online, const std::vector<unsigned>& cpuset,
                                   const std::vector<unsigned>& affinity, const std::vector<unsigned>& isolated) {
  const std::vector<unsigned> offered = both(online, cpuset);
  std::vector<unsigned> unbound;
  std::set_difference(offered.begin(), offered.end(), isolated.begin(), isolated.end(), std::back_inserter(unbound));
  const std::vector<unsigned> bound = both(offered, affinity);
  return bound == unbound || bound.empty() ? offered : bound;
}

// --- this process ---

const std::vector<unsigned>& allowed_cores() { return host().cores; }

std::string pin_this_thread(unsigned core) {
  const Bitmap only(hwloc_bitmap_alloc());
  hwloc_bitmap_only(only.get(), core);
  if (hwloc_set_cpubind(host().topology.get(), only.get(), HWLOC_CPUBIND_THREAD | HWLOC_CPUBIND_STRICT) == 0) return "";
  return "cannot bind a thread to core " + std::to_string(core) +
         "; choose among the cores this process may use: " + format_cores(allowed_cores());
}

std::string free_this_thread() {
  const Bitmap all(hwloc_bitmap_alloc());
  for (const unsigned core : allowed_cores()) hwloc_bitmap_set(all.get(), core);
  if (hwloc_set_cpubind(host().topology.get(), all.get(), HWLOC_CPUBIND_THREAD) == 0) return "";
  return "cannot let a thread run on cores " + format_cores(allowed_cores()) + "; see taskset -p";
}

int node_of_core(unsigned core) {
  const hwloc_obj_t found = hwloc_get_pu_obj_by_os_index(host().topology.get(), core);
  return found == nullptr || found->nodeset == nullptr ? -1 : hwloc_bitmap_first(found->nodeset);
}

}  // namespace crosswire
