// The order frames of a replayed capture: see the header.
#include "app/replay/order_frames.hpp"

#include <fmt/format.h>
#include <netinet/in.h>

#include <array>
#include <string_view>

#include "netstack/port/counters.hpp"
#include "netstack/receive/counters.hpp"
#include "netstack/wire/mold.hpp"

namespace crosswire {
namespace {

std::uint32_t number_at(const RxFrame& frame, std::size_t at) {
  return std::uint32_t{frame.data[at]} << 8 | frame.data[at + 1];
}

/// What to do about order frames that are dropped so; "" for what is dropped of other traffic alone, which may be most
/// of a capture and says nothing about its orders.
std::string_view remedy_of(ReceiveCounter counter) {
  using enum ReceiveCounter;
  switch (counter) {
    case ether_short:
    case ip_short:
    case ip_total_length:
    case udp_short:
    case udp_length:
      return "capture whole frames, as tcpdump -s 0 does";
    case ether_source_invalid:
    case ether_source_ours:
    case ether_other_destination:
      return "give [port] mac the address that the clients send to";
    case ether_type_unknown:
    case ip_version:
      return "orders come over Ethernet and IPv4, with one VLAN tag at most";
    case vlan_not_accepted:
      return "give [port] vlans those of the capture";
    case ip_header_length:
    case ip_checksum:
      return "the capture is damaged, or was taken in the middle of a card's offloads";
    case ip_too_long:
    case ip_fragment:
      return "clients have to send datagrams of at most 1500 bytes";
    case ip_other_destination:
    case ip_link_broadcast:
      return "give [port] address the one that the clients send to";
    case ip_source_invalid:
    case ip_source_ours:
    case udp_source_port_zero:
      return "clients need addresses and ports of their own";
    case ip_protocol_unknown:
      return "those that were sent over TCP replay from our own recordings; others by crosswire flow --from-capture";
    case udp_checksum:
      return "a capture from the host that sent them wants --partial-checksums";
    case udp_port_unknown:
      return "give [orders] port the one that the clients send to";
    case login_source_not_allowed:
    case login_refused_rate:
    case order_source_unknown:
      return "the capture must have each client's login, and [[account]] must take it";
    case order_source_changed:
      return "a client's frames have to come from the MAC address and VLAN of its login";
    case login_late:
      return "a login of a source that has just lost its session is believed after 5 s";
    case order_request_rate:
    case order_request_bytes:
      return "[limits] says how many re-requests are answered";
    case order_session:
      return "give --session the name that the clients had from their login";
    case order_day_over:
      return "correct the frames' times or [time] and [[phase]]";
    case soup_malformed:
    case soup_type:
    case order_empty:
    case order_short:
    case order_count:
    case order_blocks:
    case order_sequence:
    case ouch_short:
    case ouch_type_unknown:
    case ouch_appendage:
    case ouch_side:
      return "docs/protocol.md says what an order is";
    default:
      return "";
  }
}

template <class Name, std::size_t N>
std::uint64_t count_of(const Figures& figures, std::string_view stage, const std::array<CounterRow<Name>, N>& table,
                       Name name) {
  const std::string_view label = table[static_cast<std::size_t>(name)].label;
  for (const CounterFigure& figure : figures.counters) {
    if (figure.stage == stage && figure.label == label) return figure.value.value_or(0);
  }
  return 0;
}

std::uint64_t received(const Figures& figures, ReceiveCounter counter) {
  return count_of(figures, "receive", kReceiveCounters, counter);
}
std::uint64_t captured(const Figures& figures, CaptureCounter counter) {
  return count_of(figures, "port", kCaptureCounters, counter);
}

/// The counter that dropped most, with its meaning and remedy, and what the capture itself has to do with it.
std::string why(const Figures& figures) {
  const CounterRow<ReceiveCounter>* most = nullptr;
  std::uint64_t count = 0;
  for (const CounterRow<ReceiveCounter>& row : kReceiveCounters) {
    const std::uint64_t value = received(figures, row.counter);
    if (row.kind != CounterKind::drop || value <= count || remedy_of(row.counter).empty()) continue;
    most = &row;
    count = value;
  }
  if (most == nullptr) return "";
  std::string text =
      fmt::format("; most as receive.{} ({}): {}; {}", most->label, count, most->meaning, remedy_of(most->counter));
  if (const std::uint64_t n = received(figures, ReceiveCounter::logins_refused); n > 0) {
    text += fmt::format("; logins refused: {}, see users and passwords", n);
  }
  if (const std::uint64_t n = received(figures, ReceiveCounter::login_source_not_allowed); n > 0) {
    text += fmt::format("; logins from an address that [[account]] sources does not allow: {}", n);
  }
  if (const std::uint64_t n = captured(figures, CaptureCounter::cut_short); n > 0) {
    text += fmt::format("; frames of which the capture holds less than the wire did: {}", n);
  }
  if (const std::uint64_t n = captured(figures, CaptureCounter::clamped_time); n > 0) {
    text += fmt::format("; frames stamped before an earlier one: {}, see whether one is stamped too late", n);
  }
  return text;
}

std::string share(std::uint64_t part, std::uint64_t whole, std::string_view of) {
  return fmt::format("{} of {} {} ({:.0f} %)", part, whole, of,
                     100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

/// Of IPv4, by what an order may be dropped by. Below that a link has frames that no client sent: a switch's, a
/// kernel's.
std::uint64_t packets_dropped(const Figures& figures) {
  std::uint64_t packets = 0;
  for (const CounterRow<ReceiveCounter>& row : kReceiveCounters) {
    const bool packet = row.kind == CounterKind::drop && row.counter >= ReceiveCounter::ip_short;
    if (packet && !remedy_of(row.counter).empty()) packets += received(figures, row.counter);
  }
  return packets;
}

std::uint64_t unread_messages(const Figures& figures) {
  using enum ReceiveCounter;
  std::uint64_t messages = 0;
  for (const ReceiveCounter counter : {ouch_short, ouch_type_unknown, ouch_appendage, ouch_side}) {
    messages += received(figures, counter);
  }
  return messages;
}

std::uint64_t read_messages(const Figures& figures) {
  using enum ReceiveCounter;
  std::uint64_t messages = 0;
  for (const ReceiveCounter counter :
       {enters, replaces, cancels, modifies, account_queries, mass_cancels, disables, enables, rejects}) {
    messages += received(figures, counter);
  }
  return messages;
}

}  // namespace

bool is_order_frame(const RxFrame& frame, std::uint16_t order_port, bool over_tcp) {
  constexpr std::size_t kTag = 4;
  std::size_t ip = 14;  // behind the EtherType
  const auto tagged = [&] { return number_at(frame, ip - 2) == 0x8100 || number_at(frame, ip - 2) == 0x88A8; };
  while (frame.length >= ip && tagged()) ip += kTag;
  if (frame.length < ip + 20 || number_at(frame, ip - 2) != 0x0800 || frame.data[ip] >> 4 != 4) return false;
  const std::size_t header = std::size_t{frame.data[ip] & 0x0Fu} * 4;
  const std::size_t transport = ip + header;
  const std::size_t total = number_at(frame, ip + 2);
  if (header < 20 || frame.length < transport + 4 || (number_at(frame, ip + 6) & 0x1FFF) != 0) return false;
  if (number_at(frame, transport + 2) != order_port) return false;
  if (frame.data[ip + 9] == IPPROTO_TCP) return !over_tcp && total > header + 60;  // the longest header of TCP
  constexpr std::size_t kUdp = 8;
  const std::size_t payload = transport + kUdp;
  const bool soup = frame.length > payload && frame.data[payload] == 0;  // of a login, heartbeat or logout
  return frame.data[ip + 9] == IPPROTO_UDP && total > header + kUdp + sizeof(wire::mold::Header) && !soup;
}

DroppedOrders dropped_orders(const Figures& figures, const SeenOrders& seen) {
  const std::uint64_t taken = received(figures, ReceiveCounter::order_datagrams);
  if (seen.frames > taken) {
    const std::uint64_t dropped = seen.frames - taken;
    return {share(dropped, seen.frames, "order frames") + " were dropped" + why(figures), 2 * dropped > seen.frames};
  }
  const std::uint64_t dropped = packets_dropped(figures);
  if (taken == 0 && !seen.of_recording && 2 * dropped > figures.frames_in) {
    return {fmt::format("no frame carries orders to port {}, and {} were dropped{}", seen.port,
                        share(dropped, figures.frames_in, "frames"), why(figures)),
            true};
  }
  const std::uint64_t unread = unread_messages(figures);
  const std::uint64_t messages = unread + read_messages(figures);
  if (unread == 0) return {};
  return {share(unread, messages, "order messages") + " were dropped" + why(figures), 2 * unread > messages};
}

}  // namespace crosswire
