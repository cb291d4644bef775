// The kernel's TCP in the place of `crosswire echo --tcp`, for scripts/bench-tcp: takes one connection after the other
// and sends back every byte, or takes them all and closes when its client does. One thread, sockets that block.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace {

bool send_all(int connection, const char* bytes, ssize_t size) {
  while (size > 0) {
    const ssize_t sent = send(connection, bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes += sent;
    size -= sent;
  }
  return true;
}

void serve(int connection, bool sink, std::vector<char>& buffer) {
  const int on = 1;
  setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  for (;;) {
    const ssize_t size = recv(connection, buffer.data(), buffer.size(), 0);
    if (size <= 0 || (!sink && !send_all(connection, buffer.data(), size))) break;
  }
  close(connection);
}

}  // namespace

int main(int argc, char** argv) {
  const bool sink = argc == 3 && std::strcmp(argv[2], "--sink") == 0;
  const int port = argc >= 2 ? std::atoi(argv[1]) : 0;
  if (port <= 0 || port > 65'535 || (argc != 2 && !sink)) {
    std::fprintf(stderr, "usage: kernel_echo PORT [--sink]\n");
    return 2;
  }
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  if (bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || listen(listener, 64) != 0) {
    std::fprintf(stderr, "kernel_echo: port %d: %s\n", port, std::strerror(errno));
    return 1;
  }
  std::printf("running\n");
  std::fflush(stdout);
  std::vector<char> buffer(std::size_t{1} << 16);
  for (;;) {
    const int connection = accept(listener, nullptr, nullptr);
    if (connection >= 0) serve(connection, sink, buffer);
  }
}
