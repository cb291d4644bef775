// Devices that poll an interface of the kernel (net_af_packet, net_af_xdp): that nobody else answers on it, and what
// rights they want. Set-up only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace crosswire {

/// Claims on the interfaces of devices. The kernel lets any number of processes read what comes in there and each would
/// answer; so whoever starts holds a socket of an abstract name, made of the interface's number, which the network
/// namespace keeps and which goes with the process. What has no interface, or one that is not there, claims nothing.
/// Only crosswire looks at it. Not for several threads.
class InterfaceClaims {
 public:
  InterfaceClaims() = default;
  ~InterfaceClaims() { release(); }
  InterfaceClaims(const InterfaceClaims&) = delete;
  InterfaceClaims& operator=(const InterfaceClaims&) = delete;

  /// `devices`: as EalOptions has them. Of net_af_xdp the queues that its arguments name, of net_af_packet the first,
  /// as which both count where nothing else is said. Returns "" or one line that says which is taken, and by what
  /// process.
  [[nodiscard]] std::string claim(const std::vector<std::string>& devices);
  /// `device`: as it was claimed.
  void release(const std::string& device);
  void release();

 private:
  struct Claim {
    std::string device;
    int socket;
  };
  std::vector<Claim> claims_;
};

/// The interface that `device` polls, where there is none of that name now; else "".
std::string missing_interface(const std::string& device);

/// The MTU of the interface that `device` polls; 0 where it polls none, or the kernel does not say.
unsigned interface_mtu(const std::string& device);

/// This process's AF_XDP sockets, of which the kernel does not tell the interface.
std::vector<int> xdp_sockets();
/// Those of the driver of `device`, which it tells nobody; none of what polls no interface of the kernel. `device`: its
/// name with its arguments, started. `others`: xdp_sockets() of before its queues were set up.
std::vector<int> driver_sockets(const std::string& device, const std::vector<int>& others);

/// What the kernel had no room for in the rings between it and a driver that does not ask for it (DPDK 22.11):
/// net_af_packet for nothing at all, net_af_xdp not for a receive ring that was full. Control threads, one at a time.
class KernelLoss {
 public:
  /// `device`: its name with its arguments; `sockets`: its driver's.
  KernelLoss(const std::string& device, std::vector<int> sockets);
  /// Whether there is anybody to ask: not of another driver.
  [[nodiscard]] bool asks() const { return !sockets_.empty(); }
  /// Frames lost since this was made.
  std::uint64_t lost();

 private:
  bool xdp_;
  std::vector<int> sockets_;
  std::uint64_t lost_ = 0;
};

/// Whether the interface of a device still carries frames: the driver is told of nothing, and calls its link up
/// whatever happens to it. Control threads.
class InterfaceLink {
 public:
  /// `device`: its name with its arguments; `sockets`: its driver's. What polls no interface of the kernel has no fault
  /// here.
  InterfaceLink(const std::string& device, std::vector<int> sockets);
  /// "", or what is wrong with it now: "interface xwire0 has no carrier".
  [[nodiscard]] std::string fault();
  /// Whether the interface that the device was started on is deleted, or was moved away, for good: also if there is one
  /// of its name again. A renamed one is still there.
  [[nodiscard]] bool lost();
  /// Whether there is an interface of that name, this one or another. Yes where none is polled.
  [[nodiscard]] bool there() const;

 private:
  std::string name_;          // "": none
  unsigned index_ = 0;        // of the interface that the device was started on
  std::vector<int> sockets_;  // which the kernel unbinds when it goes
  bool lost_ = false;
};

/// What `device` may fail for where it does, as "CAP_NET_RAW and CAP_NET_ADMIN": what its driver wants and this process
/// has not. "" where that is nothing or not known. `device`: its name, with or without arguments.
std::string missing_rights(std::string_view device);

}  // namespace crosswire
