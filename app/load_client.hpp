// The load generator itself: trading firms on one port that log in, send prepared orders when they are due, and take
// the time of every answer and of what the feed tells. One thread polls it; its time is the receive port's, so a test
// owns it. While the run is measured it allocates only where frames were lost.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/load_figures.hpp"
#include "app/load_mix.hpp"
#include "app/load_plan.hpp"
#include "app/load_schedule.hpp"
#include "app/load_stream.hpp"
#include "netstack/client/order_client.hpp"
#include "netstack/config.hpp"
#include "netstack/port/port.hpp"
#include "netstack/session/frame_writer.hpp"

namespace crosswire {

/// A trading firm's account, and where it is.
struct LoadParty {
  MacAddress mac;
  std::uint32_t address;  // host byte order
  std::uint16_t port;     // UDP, its own alone
  std::string user;
  std::string password;
};

/// Order datagrams of a capture, to be sent again as they were but for what only the running appliance knows: its MAC
/// address and the name of its session.
struct LoadCapture {
  LoadFrames payloads;               // of UDP
  std::vector<std::uint16_t> party;  // of each: which of LoadOptions::parties sent it
  std::vector<TimeNs> due_ns;        // of each, from the first
};

struct LoadOptions {
  std::vector<LoadParty> parties;  // 1 .. kMaxLoadSessions
  std::uint16_t vlan = 0;
  std::uint16_t feed_asker_port =
      39'999;        // UDP port from which the feed's re-requests go, at the first party's address
  NetConfig server;  // its address, ports and feed; the rest is not looked at
  std::vector<SymbolConfig> symbols;
  LoadMixOptions mix;
  std::optional<LoadSchedule> schedule;  // none: a capture's own times, or a window
  std::uint32_t window = 1;              // orders outstanding, with neither schedule nor capture
  // To be prepared for a window, which ends when they are used up; with a schedule about how many it will have, for
  // their memory.
  std::uint64_t orders = 0;
  TimeNs warm_up_ns = 0;
  TimeNs measured_ns = kNsPerSecond;
  bool floor = false;                    // the other side is an echo: it knows no sessions, and has no feed
  const LoadCapture* capture = nullptr;  // instead of the mix; outlives the client
};
inline constexpr std::uint32_t kMaxLoadSessions = 10'000;

class LoadClient {
 public:
  /// The ports outlive this.
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
  /// What will be sent, from ready() on.
  const LoadFrames& frames() const { return frames_; }
  const std::vector<TimeNs>& due_ns() const { return due_ns_; }

  /// For a thread that tells how it goes.
  struct Progress {
    std::atomic<std::uint64_t> sent{0}, answered{0}, late{0}, executions{0}, lost{0};
    std::atomic<bool> running{false};
  };
  const Progress& progress() const { return progress_; }

 private:
  enum class Stage { resolve, log_in, query, prepare, ready, fill, run, drain, clear, leave, done };

  struct Session {
    client::OrderClient orders;
    DatagramTemplate to_exchange;
    LoadStream answers;
    UserRefIndex refs;
    std::uint32_t next_ref = 0;  // 0: not known yet
    TimeNs next_ask_ns = 0;
  };
  /// Which message an order reference or match number belongs to, and when the feed told of it: whichever comes first
  /// waits here for the other. The newest of each place stays.
  class Join {
   public:
    explicit Join(std::size_t places) : places_(places) {}
    struct Place {
      std::uint64_t key = 0;
      std::uint32_t message = LoadMessage::kNone;
      TimeNs seen_ns = 0;
    };
    Place& at(std::uint64_t key) {
      Place& place = places_[key & (places_.size() - 1)];
      if (place.key != key) place = {key, LoadMessage::kNone, 0};
      return place;
    }

   private:
    std::vector<Place> places_;  // a power of two
  };

  // --- frames in ---
  void take(const RxFrame& frame);
  void take_arp(wire::Bytes bytes);
  void take_udp(wire::Bytes ip);
  void take_orders(std::uint32_t session, wire::Bytes payload);
  void take_soup(Session& session, wire::Bytes payload);
  void take_answer(std::uint32_t session, wire::Bytes message);
  void take_feed(wire::Bytes payload);
  void take_feed_message(wire::Bytes message);

  // --- what answers mean ---
  void acknowledged(std::uint32_t message, LoadLatency part);
  void canceled(std::uint32_t order);
  void executed(std::uint32_t order, char liquidity, std::uint64_t match_number);
  void note(std::uint32_t message, LoadLatency latency, TimeNs at_ns);
  void told(Join::Place& place, LoadLatency part);
  bool measured(std::uint32_t message) const { return message >= first_measured_ && message < count_measured_to_; }

  // --- stages ---
  void step();
  void resolve();
  void log_in();
  void query();
  void prepare();
  bool prepare_next();
  bool prepare_from_mix();
  bool prepare_from_capture();
  void keep_capture_message(wire::Bytes message, std::uint32_t number, LoadMessage& known);
  void fill();
  void run();
  void send_scheduled();
  void send_window();
  void drain();
  void clear();
  void leave();
  void enter(Stage stage);
  void fail(const std::string& why);
  void finish();
  void count_unanswered();

  // --- frames out ---
  bool send_next();
  template <class Write>
  bool send(Session& session, Write&& write);
  bool send_arp();
  bool send_feed_request(const wire::mold::Header& header);
  void ask_again();
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
  std::vector<std::uint16_t> session_of_port_;  // by UDP port; 0xFFFF: none
  DatagramTemplate to_feed_requests_;
  LoadStream feed_;
  TimeNs next_feed_ask_ns_ = 0;
  std::string refusal_;

  LoadFrames frames_;
  std::vector<TimeNs> due_ns_;  // of each message, from the start; in a window from when it was sent
  std::vector<LoadMessage> messages_;
  std::optional<LoadMix> mix_;
  std::vector<std::uint32_t> refs_;  // while preparing: UserRefNum of each order
  std::uint32_t fill_count_ = 0;     // messages before the schedule begins
  std::uint32_t first_measured_ = 0;
  std::uint32_t count_measured_to_ = 0;  // behind the last measured

  std::uint32_t next_ = 0;      // message to be sent
  std::uint64_t answered_ = 0;  // of all
  std::uint64_t given_up_ = 0;  // window: unanswered messages that no longer count as outstanding
  TimeNs start_ns_ = 0;         // of the schedule
  TimeNs last_sent_ns_ = 0;
  TimeNs last_answer_ns_ = 0;
  TimeNs last_heard_ns_ = 0;  // of any frame from the server
  TimeNs keep_alive_ns_ = 0;
  TimeNs next_look_ns_ = 0;  // for gaps
  std::uint64_t interval_ns_ = 1;
  std::uint32_t clear_next_ = 0;
  std::uint64_t clear_sent_ = 0, clear_answered_ = 0;
  std::uint64_t feed_open_ = 0;  // answers of which the feed has not told yet

  Join by_reference_;
  Join by_match_;
  LoadFigures figures_;
  Progress progress_;
};

}  // namespace crosswire
