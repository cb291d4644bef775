// The Linux kernel under a trace: a veth pair in a network namespace that each trace gets anew and that ends with it, a
// packet socket on our end, the kernel's sockets on the other. Needs root. Time is the machine's.
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <map>
#include <sstream>

#include "tests/netstack/tcp/trace/adapters.hpp"
#include "tests/netstack/tcp/trace/packet.hpp"

namespace crosswire::trace {
namespace {

constexpr const char* kOurEnd = "cwtrace0";
constexpr const char* kItsEnd = "cwtrace1";
constexpr std::int64_t kPauseNs = 200'000;

/// A descriptor that is closed with its owner.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (fd_ >= 0) ::close(fd_);
    fd_ = std::exchange(other.fd_, -1);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool open() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

std::int64_t wall_ns() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

/// Segments leave as the kernel's TCP makes them: no larger ones, checksums computed.
void switch_offloads_off(const char* interface) {
  const Descriptor control(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  for (const std::uint32_t command : {ETHTOOL_STXCSUM, ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO}) {
    ethtool_value value{command, 0};
    ifreq request{};
    std::strncpy(request.ifr_name, interface, IFNAMSIZ - 1);
    request.ifr_data = reinterpret_cast<char*>(&value);
    ioctl(control.get(), SIOCETHTOOL, &request);
  }
}

/// Any peer in the network is a neighbour that the kernel need not ask for; its time-outs have crosswire's floor.
std::string make_link(std::uint32_t mtu) {
  if (geteuid() != 0) return "needs root";
  if (unshare(CLONE_NEWNET) != 0) return "no network namespaces here";
  std::ofstream("/proc/sys/net/ipv6/conf/default/disable_ipv6") << 1;
  const std::string its = kItsEnd;
  std::string batch = "link add " + std::string(kOurEnd) + " type veth peer name " + its +
                      " address 02:00:00:00:00:01\n" + "link set " + its + " mtu " + std::to_string(mtu) +
                      "\nlink set " + kOurEnd + " up\nlink set " + its + " up\naddr add 10.99.0.1/24 dev " + its +
                      "\n" + "route change 10.99.0.0/24 dev " + its + " src 10.99.0.1 rto_min 60ms\n";
  for (int host = 100; host < 120; ++host)
    batch += "neigh add 10.99.0." + std::to_string(host) + " lladdr 02:00:00:00:00:64 dev " + its + "\n";
  FILE* const ip = popen("ip -batch - >/dev/null 2>&1", "w");
  if (ip == nullptr) return "no ip command here";
  std::fwrite(batch.data(), 1, batch.size(), ip);
  if (pclose(ip) != 0) return "no veth devices (or no ip command) here";
  switch_offloads_off(kItsEnd);
  return "";
}

/// Of the kernel's table of sockets, column "st".
std::string state_word(const std::string& code) {
  static const std::map<std::string, std::string> words = {
      {"01", "established"}, {"02", "syn-sent"},  {"03", "syn-received"}, {"04", "fin-wait-1"},
      {"05", "fin-wait-2"},  {"06", "time-wait"}, {"07", "closed"},       {"08", "close-wait"},
      {"09", "last-ack"},    {"0A", "listen"},    {"0B", "closing"}};
  const auto found = words.find(code);
  return found == words.end() ? "state " + code : found->second;
}

sockaddr_in address_in(std::uint32_t address, std::uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_addr.s_addr = htonl(address);
  out.sin_port = htons(port);
  return out;
}

struct Socket {
  Descriptor fd;
  bool reading = true;
  bool finishing = false;  // FIN behind what is pending
  bool pattern_held = true;
  std::uint64_t read = 0;
  std::uint64_t written = 0;  // taken by the kernel
  std::uint64_t to_write = 0;
  std::string end;  // why it is closed
};

class KernelStack : public StackUnderTest {
 public:
  KernelStack() : epoch_ns_(wall_ns()) {
    wire_ = Descriptor(socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ALL)));
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL);
    address.sll_ifindex = static_cast<int>(if_nametoindex(kOurEnd));
    const int on = 1;
    setsockopt(wire_.get(), SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    good_ = bind(wire_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  [[nodiscard]] bool good() const { return good_; }

  std::optional<std::int64_t> clock() const override { return wall_ns() - epoch_ns_; }

  void inject(std::span<const std::uint8_t> frame) override {
    if (send(wire_.get(), frame.data(), frame.size(), 0) < 0) std::perror("inject");
    pump();
  }
  void advance_to(std::int64_t now_ns) override {
    pump();
    while (*clock() < now_ns) {
      const timespec pause{0, kPauseNs};
      nanosleep(&pause, nullptr);
      pump();
    }
  }
  std::vector<SentFrame> take_frames() override {
    pump();
    return std::exchange(frames_, {});
  }

  bool listen(std::uint16_t port) override {
    Descriptor fd(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const sockaddr_in address = address_in(kStackAddress, port);
    const int on = 1;
    setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const bool listens = bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                         ::listen(fd.get(), 128) == 0;
    listeners_.emplace(port, std::move(fd));
    return listens;
  }
  std::uint16_t connect(std::uint32_t peer_address, std::uint16_t peer_port) override {
    Descriptor fd(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const sockaddr_in peer = address_in(peer_address, peer_port);
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&peer), sizeof peer) != 0 && errno != EINPROGRESS)
      return 0;
    return keep(std::move(fd), {peer_address, peer_port, 0});
  }
  bool write(const Connection& connection, std::uint64_t bytes) override {
    Socket* const one = find(connection);
    if (one == nullptr || !one->fd.open()) return false;
    one->to_write += bytes;
    pump();
    return true;
  }
  void set_reading(const Connection& connection, bool reading) override {
    if (connection.peer_port == 0) later_ones_read_ = reading;
    if (Socket* const one = find(connection)) one->reading = reading;
    pump();
  }
  void shutdown(const Connection& connection) override {
    if (Socket* const one = find(connection)) one->finishing = true;
    pump();
  }
  void close(const Connection& connection) override {
    if (Socket* const one = find(connection)) one->fd = Descriptor();
  }
  void abort(const Connection& connection) override {
    Socket* const one = find(connection);
    if (one == nullptr || !one->fd.open()) return;
    const linger at_once{1, 0};
    setsockopt(one->fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    one->fd = Descriptor();
    one->end = "closed: aborted";
  }

  std::uint64_t bytes_read(const Connection& connection) const override {
    const auto found = sockets_.find(connection);
    return found == sockets_.end() ? 0 : found->second.read;
  }
  bool pattern_held(const Connection& connection) const override {
    const auto found = sockets_.find(connection);
    return found == sockets_.end() || found->second.pattern_held;
  }
  std::string state(const Connection& connection) const override {
    if (const std::string word = state_in_table(connection); !word.empty()) return word;
    const auto found = sockets_.find(connection);
    if (found == sockets_.end()) return "none";
    return found->second.end.empty() ? "closed" : found->second.end;
  }
  std::optional<std::uint64_t> counter(std::string_view) const override { return std::nullopt; }

 private:
  Socket* find(const Connection& connection) {
    const auto found = sockets_.find(connection);
    return found == sockets_.end() ? nullptr : &found->second;
  }

  std::uint16_t keep(Descriptor fd, Connection connection) {
    const int on = 1;
    setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in own{};
    socklen_t size = sizeof own;
    getsockname(fd.get(), reinterpret_cast<sockaddr*>(&own), &size);
    connection.local_port = ntohs(own.sin_port);
    Socket& one = sockets_[connection];
    one = Socket{};
    one.fd = std::move(fd);
    one.reading = later_ones_read_;
    return connection.local_port;
  }

  void pump() {
    receive_frames();
    for (auto& [port, listener] : listeners_) accept_all(listener);
    for (auto& [connection, one] : sockets_) {
      if (!one.fd.open()) continue;
      if (one.reading) read_all(one);
      write_all(one);
    }
    receive_frames();
  }

  void accept_all(const Descriptor& listener) {
    while (true) {
      sockaddr_in peer{};
      socklen_t size = sizeof peer;
      Descriptor fd(accept4(listener.get(), reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!fd.open()) return;
      keep(std::move(fd), {ntohl(peer.sin_addr.s_addr), ntohs(peer.sin_port), 0});
    }
  }

  static void note_end(Socket& one) {
    if (errno == ECONNRESET) one.end = "closed: reset by peer";
    if (errno == ECONNREFUSED) one.end = "closed: refused";
    if (errno == ETIMEDOUT) one.end = "closed: silent";
    if (errno == EHOSTUNREACH || errno == ENETUNREACH) one.end = "closed: unreachable";
  }

  static void read_all(Socket& one) {
    std::array<std::uint8_t, 65536> bytes;
    while (true) {
      const ssize_t got = recv(one.fd.get(), bytes.data(), bytes.size(), 0);
      if (got < 0) note_end(one);
      if (got <= 0) return;
      for (ssize_t i = 0; i < got; ++i)
        one.pattern_held &= bytes[static_cast<std::size_t>(i)] == pattern_at(one.read++);
    }
  }

  static void write_all(Socket& one) {
    while (one.written < one.to_write) {
      std::vector<std::uint8_t> bytes(std::min<std::uint64_t>(one.to_write - one.written, 65536));
      for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = pattern_at(one.written + i);
      const ssize_t took = ::send(one.fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (took <= 0) return;
      one.written += static_cast<std::uint64_t>(took);
    }
    if (std::exchange(one.finishing, false)) ::shutdown(one.fd.get(), SHUT_WR);
  }

  void receive_frames() {
    std::array<std::uint8_t, 70'000> bytes;
    while (true) {
      alignas(cmsghdr) std::array<char, 256> control;
      sockaddr_ll from{};
      iovec into{bytes.data(), bytes.size()};
      msghdr message{&from, sizeof from, &into, 1, control.data(), control.size(), 0};
      const ssize_t length = recvmsg(wire_.get(), &message, 0);
      if (length < 0) return;
      if (from.sll_pkttype == PACKET_OUTGOING) continue;
      frames_.push_back({left_ns(message), {bytes.begin(), bytes.begin() + length}});
    }
  }

  [[nodiscard]] std::int64_t left_ns(msghdr& message) const {
    for (cmsghdr* one = CMSG_FIRSTHDR(&message); one != nullptr; one = CMSG_NXTHDR(&message, one)) {
      if (one->cmsg_level != SOL_SOCKET || one->cmsg_type != SO_TIMESTAMPNS) continue;
      timespec time{};
      std::memcpy(&time, CMSG_DATA(one), sizeof time);
      return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec - epoch_ns_;
    }
    return *clock();
  }

  /// "" where it has no such connection.
  static std::string state_in_table(const Connection& connection) {
    std::ifstream table("/proc/thread-self/net/tcp");
    char wanted[64];
    std::snprintf(wanted, sizeof wanted, "%08X:%04X %08X:%04X", htonl(kStackAddress), connection.local_port,
                  htonl(connection.peer_address), connection.peer_port);
    for (std::string line; std::getline(table, line);) {
      const std::size_t at = line.find(wanted);
      if (at == std::string::npos) continue;
      std::istringstream words(line.substr(at));
      std::string local, remote, code;
      words >> local >> remote >> code;
      return state_word(code);
    }
    return "";
  }

  std::int64_t epoch_ns_;
  bool good_ = false;
  bool later_ones_read_ = true;
  Descriptor wire_;
  std::map<std::uint16_t, Descriptor> listeners_;
  std::map<Connection, Socket> sockets_;
  std::vector<SentFrame> frames_;
};

}  // namespace

std::unique_ptr<StackUnderTest> make_kernel(const Options& options, std::string& why) {
  if (options.connections || options.backlog || options.send_bytes || options.receive_bytes || options.rto_floor_ns ||
      options.keepalive_ns || options.time_wait_ns || options.challenges_per_s || options.wraps_within) {
    why = "the kernel does not have these options";
    return nullptr;
  }
  why = make_link(options.mtu.value_or(1500));
  if (!why.empty()) return nullptr;
  auto stack = std::make_unique<KernelStack>();
  if (!stack->good()) why = "no packet socket here";
  if (!why.empty()) return nullptr;
  return stack;
}

}  // namespace crosswire::trace
