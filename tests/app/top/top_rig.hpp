// What the tests of `crosswire top` share: somebody at the other end of a telemetry socket, who answers as a test wants
// it, and a look at a page. Tests only.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "app/top/page.hpp"
#include "tests/folder.hpp"

namespace crosswire::test {

inline constexpr TopSize kAll{1'000, 1'000};

/// Listens on a socket for some clients, one after the other, and gives each question to `answer`, which returns what
/// to send; "" hangs up.
class TelemetryServer {
 public:
  explicit TelemetryServer(std::function<std::string(const std::string&)> answer,
                           std::string greeting = "{\"version\":\"x\"}", int clients = 1) {
    sockaddr_un socket_address{};
    socket_address.sun_family = AF_UNIX;
    path().copy(socket_address.sun_path, sizeof socket_address.sun_path - 1);
    listener_ = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    EXPECT_EQ(bind(listener_, reinterpret_cast<const sockaddr*>(&socket_address), sizeof socket_address), 0);
    EXPECT_EQ(listen(listener_, 1), 0);
    thread_ = std::thread([this, answer = std::move(answer), greeting = std::move(greeting), clients] {
      for (int i = 0; i < clients; ++i) {
        const int client = accept(listener_, nullptr, nullptr);
        if (client < 0) return;
        send(client, greeting.data(), greeting.size(), MSG_NOSIGNAL);
        char question[256];
        for (ssize_t n = 0; (n = recv(client, question, sizeof question, 0)) > 0;) {
          const std::string said = answer(std::string(question, static_cast<std::size_t>(n)));
          if (said.empty() || send(client, said.data(), said.size(), MSG_NOSIGNAL) < 0) break;
        }
        close(client);
      }
    });
  }
  ~TelemetryServer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  std::string path() const { return folder_.file("s"); }

 private:
  Folder folder_;
  int listener_ = -1;
  std::thread thread_;
};

inline std::string command_of(const std::string& question) { return question.substr(0, question.find(',')); }

/// As an appliance without any figures.
inline std::string bare(const std::string& question) {
  if (question == "/crosswire/info") return R"({"/crosswire/info":{"version":"9","uptime_ms":1,"partitions":["a"]}})";
  return "{\"" + command_of(question) + "\":{}}";
}

inline void expect_words(const std::string& line, const std::vector<std::string>& words) {
  for (const std::string& word : words) EXPECT_NE(line.find(word), std::string::npos) << word << " in: " << line;
}

}  // namespace crosswire::test
