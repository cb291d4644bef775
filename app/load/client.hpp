// The load generator itself: trading firms on one port that log in, send orders when they are due, and take the time of
// every answer and of what the feed tells. One thread polls it; its time is the receive port's, so a test owns it. From
// ready() on it allocates only where frames were lost, however long it runs.
// client.cpp has its stages, sending.cpp what it sends, answers.cpp what it takes in, over_tcp.cpp what is different
// where orders go over TCP.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/load/connections.hpp"
#include "app/load/figures.hpp"
#include "app/load/options.hpp"
#include "app/load/plan.hpp"
#include "app/load/source.hpp"
#include "app/load/stream.hpp"
#include "netstack/client/order_client.hpp"
#include "netstack/common/config.hpp"
#include "netstack/frame_writer/datagram_template.hpp"
#include "netstack/port/port.hpp"

namespace crosswire {

/// LoadClient's: no session has this UDP port.
inline constexpr std::uint16_t kNoLoadParty = 0xFFFF;

class LoadClient final : private LoadAnswers {
 public:
  /// The ports outlive this. Throws std::runtime_error (one line) where there is no memory for TCP.
  LoadClient(const LoadOptions& options, RxPort& rx, TxPort& tx);
  LoadClient(const LoadClient&) = delete;
  LoadClient& operator=(const LoadClient&) = delete;

  /// Takes in a burst, sends what is due. False when all is over. Before the run it waits in ready(), where the caller
  /// says start().
  bool poll();
  bool ready() const { return stage_ == Stage::ready; }
  void start();
  /// Ends the sending; what was sent is waited for. A partial result.
  void stop(const std::string& why);

  /// Complete when poll() has returned false.
  const LoadFigures& figures() const { return figures_; }

  /// For a thread that tells how it goes.
  struct Progress {
    std::atomic<std::uint64_t> sent{0}, answered{0}, late{0}, executions{0}, lost{0};
    std::atomic<bool> running{false};
  };
  const Progress& progress() const { return progress_; }

 private:
  static constexpr TimeNs kKeepAliveNs = 5 * kNsPerSecond;

  enum class Stage { resolve, log_in, query, prepare, ready, fill, run, drain, clear, leave, done };

  struct Session {
    client::OrderClient orders;
    DatagramTemplate to_exchange;
    LoadStream answers;
    std::uint32_t next_ref = 0;  // 0: not known yet
    TimeNs next_ask_ns = 0;
  };
  /// Which message an order reference or match number belongs to, and when the feed told of it: whichever comes first
  /// waits here for the other. An entry keeps the newest.
  class Join {
   public:
    explicit Join(std::size_t entries) : entries_(entries) {}
    struct Entry {
      std::uint64_t key = 0;
      std::uint32_t message = LoadMessage::kNone;
      TimeNs seen_ns = 0;
    };
    Entry& at(std::uint64_t key) {
      Entry& entry = entries_[key & (entries_.size() - 1)];
      if (entry.key != key) entry = {key, LoadMessage::kNone, 0};
      return entry;
    }

   private:
    std::vector<Entry> entries_;  // a power of two
  };

  // --- frames in ---
  void take(const RxFrame& frame);
  void take_arp(wire::Bytes bytes);
  void take_udp(wire::Bytes ip);
  void take_orders(std::uint32_t session, wire::Bytes payload);
  void take_soup(Session& session, wire::Bytes payload);
  void take_answer(std::uint32_t session, wire::Bytes message);
  void take_segments(const RxBurst& burst);
  void answer(std::uint32_t session, std::uint64_t number, wire::Bytes message) override;
  void take_feed(wire::Bytes payload);
  void take_feed_message(wire::Bytes message);

  // --- what answers mean ---
  void acknowledged(LoadMessage& message, LoadLatency part);
  void canceled(std::uint32_t order);
  void executed(std::uint32_t order, char liquidity, std::uint64_t match_number);
  void note(const LoadMessage& message, LoadLatency part, TimeNs at_ns);
  void note_feed(Join::Entry& entry, LoadLatency part);
  LoadMessage& message_of(std::uint32_t number) { return (*source_)[number]; }
  /// Of a capture's orders it is not known which show.
  bool expects_feed() const { return options_.capture == nullptr && options_.server.feed_enabled; }
  bool measured(const LoadMessage& message) const { return !message.aside && message.due_ns >= options_.warm_up_ns; }

  // --- stages ---
  void step();
  void resolve();
  void log_in();
  void log_in_over_tcp();
  void begin_over_tcp(std::uint32_t session, const wire::alpha<10>& name, std::uint64_t next);
  void query();
  void prepare();
  void make_source();
  void fill();
  void run();
  void send_scheduled();
  void send_window();
  void drain();
  void clear();
  void leave();
  void leave_over_tcp();
  void enter(Stage stage);
  void fail(const std::string& why);
  void finish();
  void count_unanswered();

  // --- frames out ---
  bool send_frame(const LoadFrame& frame);
  bool put_frame(const LoadFrame& frame);
  bool put_in_stream(const LoadFrame& frame);
  template <class Write>
  bool send(Session& session, Write&& write);
  void send_login(Session& session);
  void send_query(Session& session);
  void send_logout(Session& session);
  bool send_arp();
  bool send_feed_request(const wire::mold::Header& header);
  void ask_again();
  void ask_for_answers();
  void keep_alive();
  bool every(TimeNs interval_ns);
  void watch_server();

  LoadOptions options_;
  RxPort& rx_;
  TxPort& tx_;
  TimeNs now_ns_ = 0;
  bool ended_ = false;  // the receive port has
  Stage stage_ = Stage::resolve;
  TimeNs stage_ns_ = 0;     // when it began
  TimeNs next_try_ns_ = 0;  // of every()
  bool started_ = false;    // now_ns_ is known
  bool failed_ = false;

  std::optional<MacAddress> server_mac_;
  std::vector<Session> sessions_;
  std::vector<std::uint16_t> session_of_port_;  // by UDP port; kNoLoadParty: none
  DatagramTemplate to_feed_requests_;
  std::unique_ptr<LoadConnections> connections_;  // over TCP alone
  bool leaving_ = false;                          // over TCP: logouts and FINs are out
  LoadStream feed_;
  TimeNs next_feed_ask_ns_ = 0;
  std::string refusal_;
  std::string remark_;  // the server's last one

  std::unique_ptr<LoadSource> source_;  // from prepare on
  std::uint64_t sent_ = 0;              // of all
  std::uint64_t fill_sent_ = 0;         // of these, before the schedule began
  std::uint64_t answered_ = 0;          // of all
  std::uint64_t given_up_ = 0;          // window: unanswered messages that no longer count as outstanding
  TimeNs start_ns_ = 0;                 // of the schedule
  TimeNs last_sent_ns_ = 0;
  TimeNs last_answer_ns_ = 0;
  TimeNs last_measured_answer_ns_ = 0;
  TimeNs last_heard_ns_ = 0;  // of any frame from the server
  TimeNs keep_alive_ns_ = 0;
  TimeNs next_look_ns_ = 0;  // for gaps
  std::uint64_t interval_ns_ = 1;
  std::uint64_t clear_lost_ = 0;  // messages that had no answer when the clearing began
  std::uint64_t feed_open_ = 0;   // answers of which the feed has not told yet

  Join by_reference_;
  Join by_match_;
  LoadFigures figures_;
  Progress progress_;
};

}  // namespace crosswire
