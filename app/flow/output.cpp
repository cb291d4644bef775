// The output of a replay, message by message: see output.hpp. Tools only.
#include "app/flow/output.hpp"

#include <fmt/format.h>

#include <exception>
#include <map>
#include <unordered_map>

#include "app/flow/client_frames.hpp"
#include "app/flow/error.hpp"
#include "netstack/ip/ipv4.hpp"
#include "netstack/port/capture.hpp"
#include "netstack/udp/datagram_reader.hpp"
#include "netstack/wire/mold.hpp"

namespace crosswire {
namespace {

struct UdpFrame {
  std::uint32_t destination;
  udp::Datagram datagram;
};

class OutputReader {
 public:
  OutputReader(const std::string& path, const OutputHandlers& handlers) : path_(path), handlers_(handlers) {}

  void frame(wire::Bytes bytes) {
    ++frames_;
    UdpFrame udp;
    if (!parse(bytes, udp)) return;  // ARP, ICMP
    const NetConfig exchange = flow_exchange();
    const udp::Datagram& datagram = udp.datagram;
    if (udp.destination == exchange.feed_group && datagram.destination_port == exchange.feed_port) {
      messages(datagram.payload, feed_next_, [this](wire::Bytes message) { handlers_.feed(message); });
    } else if (datagram.source_port == exchange.order_port && datagram.payload[0] != 0) {  // 0: SoupBinTCP (WIRE 7)
      const ClientKey client = std::uint64_t{udp.destination} << 16 | datagram.destination_port;
      messages(datagram.payload, answers_next_[client],
               [this, client](wire::Bytes message) { handlers_.answer(client, message); });
    }
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw FlowError(fmt::format("{}: frame {}: {}", path_, frames_, what));
  }

  /// False: not UDP over IPv4.
  bool parse(wire::Bytes bytes, UdpFrame& frame) const {
    if (bytes.size() < sizeof(rte_ether_hdr)) fail("shorter than an Ethernet header");
    std::uint16_t type = rte_be_to_cpu_16(link::header_at<rte_ether_hdr>(bytes.data()).ether_type);
    bytes = bytes.subspan(sizeof(rte_ether_hdr));
    if (type == RTE_ETHER_TYPE_VLAN && bytes.size() >= sizeof(rte_vlan_hdr)) {
      type = rte_be_to_cpu_16(link::header_at<rte_vlan_hdr>(bytes.data()).eth_proto);
      bytes = bytes.subspan(sizeof(rte_vlan_hdr));
    }
    if (type != RTE_ETHER_TYPE_IPV4) return false;
    if (bytes.size() < sizeof(rte_ipv4_hdr)) fail("shorter than an IPv4 header");
    frame.destination = rte_be_to_cpu_32(link::header_at<rte_ipv4_hdr>(bytes.data()).dst_addr);
    const auto ip = ip::parse_ipv4(bytes, frame.destination, false);
    if (!ip.ok()) fail("its IPv4 header is damaged");
    if (ip.value.protocol != IPPROTO_UDP) return false;
    const auto udp = udp::parse_udp(ip.value.payload, ip.value.source, frame.destination);
    if (!udp.ok()) fail("its UDP datagram is damaged");
    if (udp.value.payload.empty()) fail("an empty datagram");
    frame.datagram = udp.value;
    return true;
  }

  /// Each message of a MoldUDP64 datagram that was not there before. `next`: number expected, 0 = any.
  template <class Handle>
  void messages(wire::Bytes payload, std::uint64_t& next, Handle handle) const {
    wire::mold::BlockReader reader(payload);
    if (reader.header() == nullptr) fail("shorter than a MoldUDP64 header");
    std::uint64_t number = reader.header()->sequence;
    if (next == 0) next = number;
    if (number > next) fail(fmt::format("messages {} .. {} are missing before it", next, number - 1));
    for (; reader.next(); ++number) {
      if (number < next) continue;  // sent again
      ++next;
      handle(reader.block());
    }
    if (reader.fault() != wire::mold::BlockFault::none) fail("its message blocks do not fit the datagram");
  }

  const std::string& path_;
  const OutputHandlers& handlers_;
  std::uint64_t frames_ = 0;
  std::uint64_t feed_next_ = wire::mold::kFirstSequence;
  std::unordered_map<ClientKey, std::uint64_t> answers_next_;  // a client joins its stream at any number
};

}  // namespace

void read_output(const std::string& path, const OutputHandlers& handlers) try {
  OutputReader reader(path, handlers);
  CaptureRxPort port(path, midnight_utc(CaptureRxPort::first_frame_epoch_ns(path)));
  for (RxBurst burst = port.receive(); !burst.ended; burst = port.receive()) {
    for (const RxFrame& frame : burst.frames) reader.frame({frame.data, frame.length});
  }
  if (!port.error().empty()) throw FlowError(port.error());
} catch (const FlowError&) {
  throw;
} catch (const std::runtime_error& error) {  // of the capture
  throw FlowError(error.what());
}

}  // namespace crosswire
