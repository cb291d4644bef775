// What the clients of a capture said, in the order of time, as order entry over UDP: an account for each user, whatever
// connections it came over, and what the replay's configuration has to know of their orders. Tools only; one thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "app/flow/client_frames.hpp"
#include "app/flow/config.hpp"
#include "app/flow/soup_connection.hpp"
#include "netstack/wire/ouch.hpp"

namespace crosswire {

struct CapturedOrderFigures {
  std::array<std::uint64_t, wire::ouch::kInbound.size()> messages{};  // by the row of kInbound
  std::uint64_t logins = 0;
  std::uint64_t logouts = 0;
  std::uint64_t made_up_logins = 0;  // of connections whose own is not in the capture
  std::uint64_t not_ouch = 0;        // messages that are none of OUCH 5.0
  std::uint64_t after_logout = 0;    // messages of a connection that had logged out
  std::uint64_t overtaken = 0;       // messages of a connection whose user had logged in over another since
  std::uint64_t no_symbol = 0;       // orders of a symbol that none can be called
};

class CapturedOrders {
 public:
  /// `path`: of the capture, for its faults. Times are ns since `midnight_epoch_ns`. The writer outlives this.
  CapturedOrders(std::string path, CaptureWriter& writer, std::int64_t midnight_epoch_ns);

  /// Frames never fall. Throws FlowError for messages of OUCH 4.x, and for more users than a flow may have.
  void take(const StreamEvent& event);
  /// Heartbeats up to the capture's end. Throws FlowError if there was no session, or no order in any.
  void finish(TimeNs end_ns);

  const CapturedOrderFigures& figures() const { return figures_; }
  /// For write_flow_config(), after finish(), with accounts().
  FlowVenue venue() const;
  const std::vector<AccountConfig>& accounts() const { return frames_->accounts(); }
  /// Of the connection's session; "" if it has none.
  std::string user_of(std::uint32_t connection) const;

 private:
  struct Account {
    SessionId session;
    std::uint32_t connection;  // over which it has logged in last
  };
  struct Connection {
    std::string key;  // of its account
    bool logged_out = false;
  };

  static std::string key_of(const std::string& user);
  void log_in(const StreamEvent& event, const std::string& user);
  Connection& connection_of(const StreamEvent& event);
  std::string made_up_user();
  void take_message(const StreamEvent& event);
  void take_logout(const StreamEvent& event);
  void take_end(const StreamEvent& event);
  [[noreturn]] void refuse(const StreamEvent& event) const;
  void note(SessionId session, wire::Bytes message);
  void note_firm(SessionId session, const std::array<char, 4>& firm);
  std::uint32_t note_symbol(const wire::ouch::EnterOrder& order);
  void note_price(std::uint32_t symbol, std::uint64_t price);
  void note_replace(SessionId session, std::uint8_t channel, const wire::ouch::ReplaceOrder& replace);
  void note_enter(SessionId session, std::uint8_t channel, const wire::ouch::EnterOrder& order);
  ClientFrames& frames(TimeNs now_ns);

  std::string path_;
  CaptureWriter& writer_;
  std::int64_t midnight_epoch_ns_;
  std::optional<ClientFrames> frames_;       // from the first login on
  std::map<std::string, Account> accounts_;  // by key_of() the user
  std::unordered_map<std::uint32_t, Connection> connections_;
  std::uint32_t made_up_ = 0;
  std::map<std::string, std::uint32_t> symbols_;  // numbers in engine_symbols_
  std::vector<SymbolConfig> engine_symbols_;      // reference price 0: no order has had one yet
  // Orders that may rest, by session, channel and number: their symbols' numbers.
  std::unordered_map<std::uint64_t, std::uint32_t> live_;
  std::uint64_t most_live_ = 0;
  std::unordered_set<std::uint64_t> prices_;  // with their symbols
  std::string first_not_ouch_;
  CapturedOrderFigures figures_;
};

}  // namespace crosswire
