// DPDK's environment (EAL): started once per process, by the app, before devices and stages. No stage calls this.
#pragma once

#include <cstddef>
#include <cstdio>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "hugepages/memory/arena.hpp"

namespace crosswire {

struct EalOptions {
  /// "any core the process may run on", for main_core.
  static constexpr unsigned kAnyCore = std::numeric_limits<unsigned>::max();

  std::vector<std::string> devices;     // PCI addresses (domain optional) or vdev strings, each with its arguments
  std::vector<std::string> extra_args;  // handed to DPDK as they are, last
  HugepagePolicy hugepages = HugepagePolicy::automatic;
  std::string file_prefix = "crosswire";  // of DPDK's run-time folder; two processes at once need two
  unsigned main_core = kAnyCore;          // the polling core
  int memory_mb = 256;                    // for mbufs and the drivers' queues
};

/// What the host offers, apart from the options so that the derivation below can be tested.
struct EalHost {
  std::size_t free_hugepage_bytes;
  unsigned any_core;
};
EalHost inspect_host();

/// DPDK's arguments without the program's name. Pure. Without enough hugepages: ordinary pages, unless the options
/// require hugepages (eal_start() refuses then). With hugepages: --in-memory, which needs no hugetlbfs mount and no
/// rights to one, and leaves nothing behind after a crash.
std::vector<std::string> eal_arguments(const EalOptions& options, const EalHost& host);

/// Starts the EAL and probes the devices. Returns "" or one line: what, where, how to fix it. Once per process, also
/// after an error (DPDK cannot start twice). The socket of a vhost device that a crash has left is removed; one on
/// which another process listens is an error. The calling thread becomes DPDK's main thread and keeps the cores it may
/// run on. A kernel interface that another process polls (InterfaceClaims) is an error, and ours until eal_stop().
/// Without hugepages where they were wanted: one line on stderr. What DPDK itself has to say later is told as
/// notices "dpdk: ...", a few lines a second, by the thread that says it. SIGPIPE is ignored from then on.
std::string eal_start(const EalOptions& options);

/// Ends the EAL; all Devices and ports are gone by now. Nothing happens if it is not running.
void eal_stop();

/// Of a device that is to be opened again, by the thread that started the EAL: DPDK forgets it, closed or not, and
/// probes it anew with the same arguments. Both return without harm where there is nothing to do; eal_attach() returns
/// "" or one line. An interface of the kernel is claimed anew.
void eal_detach(const std::string& device);
std::string eal_attach(const std::string& device);

/// To be called once by each polling thread other than the one that called eal_start(): without it DPDK's buffer pools
/// have no cache for the thread and every allocation takes the slow way. Returns "" or one line.
std::string eal_register_thread();
/// The end of that, by the thread itself before it ends: what its caches hold goes back to the pools, and its place is
/// the next one's. DPDK's own threads keep theirs.
void eal_unregister_thread();

/// PCI address in `device`, without arguments and with a domain, as DPDK names it; "" if it is not a PCI device.
std::string pci_address(std::string_view device);
/// The value of NAME=VALUE among a device's arguments; "" without.
std::string device_argument(std::string_view device, std::string_view name);
/// What DPDK calls the device: its PCI address or the vdev's name, the part before the first comma.
std::string device_name(std::string_view device);

/// While one lives, DPDK's lines are kept for the message of whoever made it, instead of being told. Set-up only; any
/// one thread.
class DpdkErrors {
 public:
  DpdkErrors();
  ~DpdkErrors();
  DpdkErrors(const DpdkErrors&) = delete;
  DpdkErrors& operator=(const DpdkErrors&) = delete;
  /// The lines so far, joined to one; "" if there are none.
  [[nodiscard]] static std::string text();
};

/// While one lives, what libraries below the drivers (libbpf, libxdp) print on C's stderr is kept, and dropped in the
/// end where nobody tells it: much of it means nothing. Set-up and end only; any one thread.
class PrintedLines {
 public:
  PrintedLines();
  ~PrintedLines();
  PrintedLines(const PrintedLines&) = delete;
  PrintedLines& operator=(const PrintedLines&) = delete;
  /// As notices, for where they have the reason.
  static void report();

 private:
  std::FILE* stderr_;
};

}  // namespace crosswire
