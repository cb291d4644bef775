// What a load generator is asked to do. Plain data, made before the run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/load/mix.hpp"
#include "app/load/plan.hpp"
#include "app/load/schedule.hpp"
#include "hugepages/memory/arena.hpp"
#include "netstack/common/config.hpp"
#include "netstack/common/siphash.hpp"

namespace crosswire {

/// A trading firm's account, and where it is.
struct LoadParty {
  MacAddress mac;
  std::uint32_t address;  // host byte order
  std::uint16_t port;     // its own alone, of UDP or TCP
  std::string user;
  std::string password;
};

/// What its frames are written with.
inline NetConfig side_of(const LoadParty& party) {
  NetConfig side;
  side.mac = party.mac;
  side.address = party.address;
  return side;
}

/// Order datagrams of a capture, to be sent again as they were but for what only the running appliance knows: its MAC
/// address and the name of its session.
struct LoadCapture {
  LoadFrames payloads;               // of UDP
  std::vector<std::uint16_t> party;  // of each: which of LoadOptions::parties sent it
  std::vector<TimeNs> due_ns;        // of each, from the first
};

/// Orders over SoupBinTCP, a connection for each party.
struct LoadTcpOptions {
  std::uint16_t port;  // the appliance's
  SipKey secret{};     // of our sequence numbers
  HugepagePolicy hugepages = HugepagePolicy::automatic;
};

struct LoadOptions {
  std::vector<LoadParty> parties;     // 1 .. kMaxLoadSessions; over TCP 1 .. kMaxLoadConnections, all at one address
  std::optional<LoadTcpOptions> tcp;  // none: orders go over UDP
  std::uint16_t vlan = 0;
  std::uint16_t feed_asker_port =
      39'999;        // UDP port from which the feed's re-requests go, at the first party's address
  NetConfig server;  // its address, ports and feed; the rest is not looked at
  std::vector<SymbolConfig> symbols;
  LoadMixOptions mix;
  std::optional<LoadSchedule> schedule;  // none: a capture's own times, or a window
  std::uint32_t window = 1;              // orders outstanding, with neither schedule nor capture
  TimeNs warm_up_ns = 0;
  TimeNs measured_ns = kNsPerSecond;
  bool floor = false;                    // the other side is an echo: it knows no sessions, and has no feed
  const LoadCapture* capture = nullptr;  // instead of the mix; outlives the client
};
inline constexpr std::uint32_t kMaxLoadSessions = 10'000;
inline constexpr std::uint32_t kMaxLoadConnections = 2'000;

}  // namespace crosswire
