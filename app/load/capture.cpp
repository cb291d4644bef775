// Captures for the load generator: see capture.hpp. Set-up only.
#include "app/load/capture.hpp"

#include <fmt/format.h>
#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include <algorithm>
#include <map>
#include <optional>
#include <stdexcept>

#include "netstack/link/ethernet.hpp"
#include "netstack/port/capture.hpp"
#include "netstack/wire/mold.hpp"
#include "netstack/wire/soup.hpp"

namespace crosswire {
namespace {

struct Sent {
  MacAddress mac;
  std::uint32_t address;
  std::uint16_t port;
  wire::Bytes payload;
};

/// The datagram to `to_port` that an untagged frame is, if it is one.
std::optional<Sent> datagram_of(const RxFrame& frame, std::uint16_t to_port) {
  struct Headers {
    rte_ether_hdr ether;
    rte_ipv4_hdr ip;
    rte_udp_hdr udp;
  };
  static_assert(sizeof(Headers) == 42, "no gaps between them");
  if (frame.length < sizeof(Headers)) return std::nullopt;
  const auto headers = link::header_at<Headers>(frame.data);
  const bool order = headers.ether.ether_type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4) &&
                     headers.ip.version_ihl == RTE_IPV4_VHL_DEF && headers.ip.next_proto_id == IPPROTO_UDP &&
                     headers.udp.dst_port == rte_cpu_to_be_16(to_port);
  const std::size_t length = rte_be_to_cpu_16(headers.udp.dgram_len);
  if (!order || length < sizeof(rte_udp_hdr)) return std::nullopt;
  if (sizeof(Headers) - sizeof(rte_udp_hdr) + length > frame.length) return std::nullopt;
  return Sent{link::mac_address(headers.ether.src_addr), rte_be_to_cpu_32(headers.ip.src_addr),
              rte_be_to_cpu_16(headers.udp.src_port),
              wire::Bytes(frame.data + sizeof(Headers), length - sizeof(rte_udp_hdr))};
}

template <class Take>
void each_frame(const std::string& path, Take&& take) {
  const std::int64_t midnight = midnight_utc(CaptureRxPort::first_frame_epoch_ns(path));
  CaptureRxPort port(path, midnight);
  for (RxBurst burst = port.receive(); !burst.ended; burst = port.receive()) {
    for (const RxFrame& frame : burst.frames) take(frame, burst.time_ns);
  }
  if (!port.error().empty()) throw std::runtime_error(port.error());
}

std::optional<wire::soup::Login> login_in(wire::Bytes payload) {
  const wire::soup::Read packet = wire::soup::read_datagram(payload);
  if (packet.status != wire::soup::ReadStatus::packet || packet.type != wire::soup::PacketType::login_request) {
    return std::nullopt;
  }
  const auto* const request = wire::view_as<wire::soup::LoginRequest>(packet.payload);
  if (request == nullptr) return std::nullopt;
  return wire::soup::parse(*request);
}

}  // namespace

LoadCaptureFile read_load_capture(const std::string& path, std::uint16_t order_port) {
  LoadCaptureFile file;
  std::map<std::uint16_t, std::uint16_t> party_of_port;
  TimeNs first_ns = 0;
  each_frame(path, [&](const RxFrame& frame, TimeNs time_ns) {
    const std::optional<Sent> sent = datagram_of(frame, order_port);
    if (!sent || sent->payload.empty()) return;
    if (sent->payload[0] == 0) {
      const auto login = login_in(sent->payload);
      if (!login || party_of_port.contains(sent->port) || file.parties.size() == kMaxLoadSessions) return;
      party_of_port[sent->port] = static_cast<std::uint16_t>(file.parties.size());
      file.parties.push_back(
          {sent->mac, sent->address, sent->port, std::string(login->username), std::string(login->password)});
      return;
    }
    const auto party = party_of_port.find(sent->port);
    if (wire::mold::packet_kind(sent->payload) != wire::mold::PacketKind::data || party == party_of_port.end()) return;
    if (file.orders.payloads.size() == 0) first_ns = time_ns;
    file.orders.payloads.add(sent->payload);
    file.orders.party.push_back(party->second);
    file.orders.due_ns.push_back(time_ns - first_ns);
  });
  if (file.orders.payloads.size() == 0) {
    throw std::runtime_error(
        fmt::format("{}: has no orders to UDP port {} of a client that logs in; give a capture of `crosswire flow`",
                    path, order_port));
  }
  return file;
}

std::vector<std::uint64_t> read_gaps(const std::string& path) {
  std::vector<std::uint64_t> gaps;
  std::optional<TimeNs> last_ns;
  each_frame(path, [&](const RxFrame&, TimeNs time_ns) {
    if (last_ns) gaps.push_back(time_ns - *last_ns);
    last_ns = time_ns;
  });
  if (std::all_of(gaps.begin(), gaps.end(), [](std::uint64_t gap) { return gap == 0; })) {
    throw std::runtime_error(path + ": has no two frames of different times; give a capture with gaps to copy");
  }
  return gaps;
}

}  // namespace crosswire
