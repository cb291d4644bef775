// Hosts in files: see the header. Set-up only.
#include "hugepages/host/host_file.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <vector>

#include "hugepages/host/core_list.hpp"
#include "hugepages/host/hwloc_handles.hpp"
#include "hugepages/host/hwloc_values.hpp"

namespace crosswire {
namespace {

using namespace hwloc;

constexpr std::uintmax_t kMostFileBytes = std::uintmax_t{64} << 20;

/// How to fix a file that is no host.
constexpr const char* kAnew = "; make it anew with lstopo host.xml";

/// Names under which save_host() keeps the kernel's lists in a file.
constexpr const char* kIsolatedInfo = "CrosswireIsolated";
constexpr const char* kNohzFullInfo = "CrosswireNohzFull";
constexpr const char* kRcuNocbsInfo = "CrosswireRcuNocbs";

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

}  // namespace

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

}  // namespace crosswire
