// A load generator's connections: both halves of TCP, polled in the generator's thread, and a SoupBinTCP client on each
// of them. It knows when each may send, takes orders for them and hands on their answers; what these mean is not its
// concern. The generator's one polling thread; it allocates in its constructor, and where a connection is lost.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/load/figures.hpp"
#include "app/load/options.hpp"
#include "hugepages/memory/arena.hpp"
#include "netstack/client/soup_client.hpp"
#include "netstack/port/port.hpp"
#include "netstack/tcp/host.hpp"

namespace crosswire {

/// Who has the answers.
class LoadAnswers {
 public:
  virtual void answer(std::uint32_t session, std::uint64_t number, wire::Bytes message) = 0;

 protected:
  ~LoadAnswers() = default;
};

class LoadConnections final : private tcp::StreamReader, private tcp::StreamWriter {
 public:
  /// A connection for each of the options' parties, by its place among them. The options ask for TCP; all that is
  /// passed outlives this. Throws std::runtime_error (one line) where there is no memory.
  LoadConnections(const LoadOptions& options, TxPort& tx, LoadAnswers& answers);
  LoadConnections(const LoadConnections&) = delete;
  LoadConnections& operator=(const LoadConnections&) = delete;

  /// Takes in the frames of a burst; those that are not TCP's are passed over. `now` never falls.
  void take_burst(std::span<const RxFrame> frames, TimeNs now);
  /// Sends what there is and what is due. Behind all that was put into the streams at this poll.
  void send() { send_.poll(now_); }

  /// Opens those that are not yet, some at a time: again at each poll until open_count() is all of them.
  void open(const MacAddress& server);
  /// Logged in; of a floor: connected.
  bool is_open(std::uint32_t session) const { return lines_[session].stage == Stage::open; }
  std::size_t open_count() const { return open_; }
  const client::SoupClient& client(std::uint32_t session) const { return clients_[session]; }

  /// Each message of a MoldUDP64 packet goes as a packet of its own. False, and none of them: there is no room now, or
  /// the connection is not open.
  bool send_orders(std::uint32_t session, wire::Bytes mold);
  /// A heartbeat where nothing else was sent for a while, and the end of who has not been heard. At each poll.
  void keep_alive();

  /// Logout and FIN on all that are open; left() when the peers have answered.
  void leave();
  bool left() const;
  /// What is not closed by then is reset.
  void abort();

  /// Why the first of those that were lost was; "" while none is.
  const std::string& fault() const { return fault_; }
  /// Letter of the first login that was refused; 0 while none is.
  char refusal() const { return refusal_; }
  /// When the server's bytes were last taken.
  TimeNs heard_ns() const { return heard_ns_; }
  LoadTcpFigures figures() const;
  /// Packets that an appliance does not send.
  std::uint64_t odd_packets() const;

 private:
  enum class Stage : std::uint8_t { closed, opening, open, leaving, gone };

  /// What is looked at for each order.
  struct Line {
    Stage stage = Stage::closed;
    tcp::ConnectionId connection{};
    TimeNs sent_ns = 0;
    TimeNs heard_ns = 0;
    std::uint64_t written = 0;       // bytes of our stream
    std::uint64_t acknowledged = 0;  // of these
    std::uint64_t answers = 0;       // of a floor, so far
    std::span<std::uint8_t> ring;    // what is written and not acknowledged
  };

  /// The burst, handed to who polls a port.
  class Burst final : public RxPort {
   public:
    void give(std::span<const RxFrame> frames, TimeNs now) {
      frames_ = frames;
      now_ = now;
      asked_for_more_ = false;
    }
    RxBurst receive() override {
      asked_for_more_ = frames_.empty();
      return {std::exchange(frames_, {}), now_, false};
    }
    bool asked_for_more() const { return asked_for_more_; }

   private:
    std::span<const RxFrame> frames_;
    TimeNs now_ = 0;
    bool asked_for_more_ = false;
  };

  // StreamReader.
  void opened(tcp::ConnectionId, const tcp::Remote&, std::uint16_t) override {}
  Taken take(tcp::ConnectionId id, wire::Bytes bytes) override;
  void finished(tcp::ConnectionId id) override;
  void gone(tcp::ConnectionId id, tcp::EndReason reason) override;

  // StreamWriter.
  void ready(tcp::ConnectionId id) override;
  void copy(tcp::ConnectionId id, std::uint64_t offset, std::span<std::uint8_t> to) override;
  void acknowledged(tcp::ConnectionId id, std::uint64_t offset) override;
  void heard(tcp::ConnectionId) override {}
  void finished_by_peer(tcp::ConnectionId) override {}
  void closed(tcp::ConnectionId id, tcp::EndReason reason) override;

  std::size_t room(const Line& line) const;
  void put(Line& line, wire::Bytes bytes);
  void note_stream(std::uint32_t session, client::SoupState state);
  void become_open(Line& line);
  void lose(std::uint32_t session, std::string_view why);
  void cut(std::uint32_t session, std::string_view why);

  const LoadOptions& options_;
  LoadAnswers& answers_;
  tcp::TcpConfig config_;
  NetConfig net_;
  Arena memory_;
  tcp::Signals signals_;
  tcp::ReceiveHalf receive_;
  tcp::SendHalf send_;
  Burst burst_;
  tcp::ReceivingHost host_;
  std::vector<Line> lines_;                  // by session
  std::vector<client::SoupClient> clients_;  // by session
  std::vector<client::SoupPackets> echoes_;  // by session, of a floor
  std::vector<std::uint32_t> session_of_;    // by ConnectionId
  TimeNs now_ = 0;
  TimeNs heard_ns_ = 0;
  std::size_t opening_ = 0;
  std::size_t open_ = 0;
  std::size_t next_opened_ = 0;
  std::size_t next_kept_alive_ = 0;
  std::uint64_t lost_ = 0;
  char refusal_ = 0;
  std::string fault_;
};

}  // namespace crosswire
