// Interfaces of the kernel under DPDK's devices: see the header.
#include "netstack/port/kernel_interface.hpp"

#include <linux/capability.h>
#include <linux/if_packet.h>
#include <linux/if_xdp.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "netstack/port/eal.hpp"

namespace crosswire {
namespace {

bool is_packet(std::string_view device) { return device.rfind("net_af_packet", 0) == 0; }
bool is_xdp(std::string_view device) { return device.rfind("net_af_xdp", 0) == 0; }

/// An address in the abstract namespace, which begins with a zero byte and needs no file.
struct Address {
  explicit Address(const std::string& name) {
    socket.sun_family = AF_UNIX;
    length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 +
                                    name.copy(socket.sun_path + 1, sizeof socket.sun_path - 1));
  }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&socket); }

  sockaddr_un socket{};
  socklen_t length;
};

int unix_socket() { return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); }

/// "process 1234 polls", as far as it can be told.
std::string who_listens(const Address& address) {
  ucred who{};
  socklen_t length = sizeof who;
  const int asking = unix_socket();
  const bool told = connect(asking, address.get(), address.length) == 0 &&
                    getsockopt(asking, SOL_SOCKET, SO_PEERCRED, &who, &length) == 0 && who.pid > 0;
  close(asking);
  if (!told) return "another process polls";
  return who.pid == getpid() ? "another device of this process polls" : "process " + std::to_string(who.pid) + " polls";
}

/// AF_PACKET and the like; AF_UNSPEC of what is no socket.
int domain_of(int fd) {
  int domain = AF_UNSPEC;
  socklen_t length = sizeof domain;
  return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 ? domain : AF_UNSPEC;
}

/// This process's sockets of a domain.
std::vector<int> sockets_of(int wanted) {
  std::vector<int> sockets;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", error)) {
    const int fd = std::atoi(entry.path().filename().c_str());
    if (domain_of(fd) == wanted) sockets.push_back(fd);
  }
  return sockets;
}

/// The interface to which the kernel has bound a packet socket: -1 once that is gone.
int bound_to(int fd) {
  sockaddr_ll bound{};
  socklen_t length = sizeof bound;
  return getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &length) == 0 ? bound.sll_ifindex : 0;
}

/// Those of net_af_packet's driver for `device`, which it tells nobody.
std::vector<int> packet_sockets(const std::string& device) {
  const auto index = static_cast<int>(if_nametoindex(device_argument(device, "iface").c_str()));
  if (!is_packet(device) || index == 0) return {};
  std::vector<int> sockets = sockets_of(AF_PACKET);
  std::erase_if(sockets, [index](int fd) { return bound_to(fd) != index; });
  return sockets;
}

/// Whether the kernel has taken a driver's socket off its interface: one of AF_XDP has this error for nothing else.
bool is_unbound(int fd) {
  if (domain_of(fd) == AF_PACKET) return bound_to(fd) < 0;
  int error = 0;
  socklen_t length = sizeof error;
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == ENETDOWN;
}

/// Frames that found the receive ring full since somebody asked last.
std::uint64_t packet_drops(int fd) {
  tpacket_stats stats{};
  socklen_t length = sizeof stats;
  return getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &length) == 0 ? stats.tp_drops : 0;
}

/// Frames that found the receive ring full.
std::uint64_t xdp_ring_full(int fd) {
  xdp_statistics stats{};
  socklen_t length = sizeof stats;
  return getsockopt(fd, SOL_XDP, XDP_STATISTICS, &stats, &length) == 0 ? stats.rx_ring_full : 0;
}

/// Asks the kernel for something of the interface that `request` names.
bool ask(unsigned long what, ifreq& request) {
  const int asking = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const bool told = ioctl(asking, what, &request) == 0;
  close(asking);
  return told;
}

/// A whole number among a device's arguments, or `otherwise`.
unsigned number_argument(const std::string& device, std::string_view name, unsigned otherwise) {
  const std::string text = device_argument(device, name);
  return text.empty() ? otherwise : static_cast<unsigned>(std::strtoul(text.c_str(), nullptr, 10));
}

}  // namespace

std::string InterfaceClaims::claim(const std::vector<std::string>& devices) {
  constexpr unsigned kMostQueues = 64;  // DPDK refuses more than an interface has; a slip of the pen costs nothing here
  for (const std::string& device : devices) {
    const bool xdp = is_xdp(device);
    if (!xdp && !is_packet(device)) continue;
    const std::string name = device_argument(device, "iface");
    const unsigned index = if_nametoindex(name.c_str());  // one for all names of an interface
    if (index == 0) continue;                             // DPDK says it
    const unsigned first = xdp ? number_argument(device, "start_queue", 0) : 0;
    const unsigned count = xdp ? std::min(number_argument(device, "queue_count", 1), kMostQueues) : 1;
    for (unsigned queue = first; queue < first + count; ++queue) {
      const Address address("crosswire/interface/" + std::to_string(index) + "/queue/" + std::to_string(queue));
      const int mine = unix_socket();
      if (mine < 0) continue;
      if (bind(mine, address.get(), address.length) == 0 && listen(mine, 16) == 0) {
        claims_.push_back({device, mine});
        continue;
      }
      const bool in_use = errno == EADDRINUSE;
      close(mine);
      if (!in_use) continue;
      return "device \"" + device + "\": " + who_listens(address) + " " +
             (xdp ? "queue " + std::to_string(queue) + " of " : "") + "interface " + name +
             " already, and both would answer; end that, or give this device another";
    }
  }
  return "";
}

void InterfaceClaims::release(const std::string& device) {
  std::erase_if(claims_, [&device](const Claim& claim) { return claim.device == device && close(claim.socket) == 0; });
}

void InterfaceClaims::release() {
  for (const Claim& claim : claims_) close(claim.socket);
  claims_.clear();
}

std::string missing_interface(const std::string& device) {
  if (!is_xdp(device) && !is_packet(device)) return "";
  std::string name = device_argument(device, "iface");
  return if_nametoindex(name.c_str()) != 0 ? "" : name;
}

unsigned interface_mtu(const std::string& device) {
  if (!is_xdp(device) && !is_packet(device)) return 0;
  ifreq request{};
  device_argument(device, "iface").copy(request.ifr_name, sizeof request.ifr_name - 1);
  return ask(SIOCGIFMTU, request) ? static_cast<unsigned>(request.ifr_mtu) : 0;
}

std::vector<int> xdp_sockets() { return sockets_of(AF_XDP); }

std::vector<int> driver_sockets(const std::string& device, const std::vector<int>& others) {
  if (!is_xdp(device)) return packet_sockets(device);
  std::vector<int> sockets = xdp_sockets();
  std::erase_if(sockets, [&](int fd) { return std::find(others.begin(), others.end(), fd) != others.end(); });
  return sockets;
}

KernelLoss::KernelLoss(const std::string& device, std::vector<int> sockets)
    : xdp_(is_xdp(device)), sockets_(std::move(sockets)) {
  lost();  // of before
  lost_ = 0;
}

std::uint64_t KernelLoss::lost() {
  std::uint64_t told = 0;
  for (const int fd : sockets_) told += xdp_ ? xdp_ring_full(fd) : packet_drops(fd);
  lost_ = xdp_ ? std::max(lost_, told) : lost_ + told;
  return lost_;
}

InterfaceLink::InterfaceLink(const std::string& device, std::vector<int> sockets) : sockets_(std::move(sockets)) {
  if (!is_xdp(device) && !is_packet(device)) return;
  name_ = device_argument(device, "iface");
  index_ = if_nametoindex(name_.c_str());
  // It went while the device was being started: none of its sockets is bound to it.
  lost_ = is_packet(device) && sockets_.empty() && !sockets_of(AF_PACKET).empty();
}

bool InterfaceLink::lost() {
  if (name_.empty() || lost_) return lost_;  // a later socket may have the number of one that was closed
  std::array<char, IF_NAMESIZE> name_now{};
  lost_ =
      if_indextoname(index_, name_now.data()) == nullptr || std::any_of(sockets_.begin(), sockets_.end(), is_unbound);
  return lost_;
}

bool InterfaceLink::there() const { return name_.empty() || if_nametoindex(name_.c_str()) != 0; }

std::string InterfaceLink::fault() {
  if (name_.empty()) return "";
  if (lost()) return "interface " + name_ + (there() ? " was made anew" : " is gone");
  ifreq request{};
  if (if_indextoname(index_, request.ifr_name) == nullptr) return "";  // just now: the next look says it
  if (!ask(SIOCGIFFLAGS, request)) return "";
  if ((request.ifr_flags & IFF_UP) == 0) return "interface " + name_ + " is down";
  return (request.ifr_flags & IFF_RUNNING) == 0 ? "interface " + name_ + " has no carrier" : "";
}

std::string missing_rights(std::string_view device) {
  struct Right {
    unsigned number;
    std::string_view name;
    bool xdp_alone;
  };
  // CAP_SYS_ADMIN: with CAP_BPF and CAP_PERFMON libxdp loads its program, and may not look it up (Linux 6.18).
  constexpr std::array<Right, 4> kWanted = {{{CAP_NET_RAW, "CAP_NET_RAW", false},
                                             {CAP_NET_ADMIN, "CAP_NET_ADMIN", false},
                                             {CAP_SYS_ADMIN, "CAP_SYS_ADMIN", true},
                                             {CAP_IPC_LOCK, "CAP_IPC_LOCK", true}}};
  if (!is_xdp(device) && !is_packet(device)) return "";
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> have{};
  if (syscall(SYS_capget, &header, have.data()) != 0) return "";
  rlimit locked{};
  const bool locks_all = getrlimit(RLIMIT_MEMLOCK, &locked) == 0 && locked.rlim_cur == RLIM_INFINITY;
  std::vector<std::string_view> missing;
  for (const Right& right : kWanted) {
    const bool has = (have[right.number / 32].effective >> right.number % 32 & 1) != 0;
    const bool not_wanted = (right.xdp_alone && !is_xdp(device)) || (right.number == CAP_IPC_LOCK && locks_all);
    if (!has && !not_wanted) missing.push_back(right.name);
  }
  std::string text;
  for (std::size_t i = 0; i < missing.size(); ++i) {
    text += std::string(i == 0 ? "" : i + 1 == missing.size() ? " and " : ", ") + std::string(missing[i]);
  }
  return text;
}

}  // namespace crosswire
