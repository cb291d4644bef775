// What reading and writing messages costs, without a stage around it.
#include <array>
#include <vector>

#include "bench/meter.hpp"
#include "netstack/client/order_client.hpp"
#include "netstack/frame_writer/datagram_template.hpp"
#include "netstack/intake/order_rules.hpp"
#include "netstack/ip/ipv4.hpp"
#include "netstack/link/ethernet.hpp"
#include "netstack/port/port.hpp"
#include "netstack/udp/datagram_reader.hpp"
#include "netstack/wire/itch.hpp"

namespace crosswire::bench {
namespace {

namespace ouch = wire::ouch;
namespace itch = wire::itch;
namespace mold = wire::mold;

using Bytes = std::vector<std::uint8_t>;

constexpr std::array<char, 4> kFirm{'F', 'I', 'R', 'M'};

ouch::EnterOrder enter() {
  return {.user_ref_num = 1u,
          .side = 'B',
          .quantity = 100u,
          .symbol = std::string_view("BENCH"),
          .price = std::uint64_t{1'000'000},
          .time_in_force = '0',
          .display = 'Y',
          .capacity = 'A',
          .iso = 'N',
          .cross_type = 'N',
          .cl_ord_id = std::string_view("order")};
}

template <class Options = ouch::NoOptions>
Bytes enter_bytes(Options options = {}) {
  Bytes bytes(128);
  bytes.resize(ouch::write_message(std::span(bytes), enter(), options));
  return bytes;
}

/// What receive makes of an Enter Order before it has a slot: appendage, options, field rules.
auto read_enter(Bytes bytes) {
  return [bytes] {
    const ouch::Split split = ouch::split<ouch::EnterOrder>(bytes);
    const OrderOptions options = read_options(split, ouch::EnterOrder::kTags, kFirm);
    use(find_fault(*wire::view_as<ouch::EnterOrder>(wire::Bytes(bytes)), true, options.reject));
  };
}

Bytes order_frame() {
  NetConfig client;
  client.mac = {2, 0, 0, 0, 1, 1};
  client.address = 0x0A630101;
  const DatagramTemplate header(client, 30'000, {{2, 0, 0, 0, 0, 1}, 0, 0x0A630001}, 26'400, 64);
  Bytes frame(kMaxFrame);
  client::OrderClient orders("BENCH", "bench");
  orders.assume_session(std::string_view("O000000000"));
  orders.begin({frame.data() + header.payload_offset(), kMaxUdpPayload});
  orders.add(enter());
  frame.resize(header.finish(frame.data(), orders.finish()));
  return frame;
}

/// Ethernet, IPv4 and UDP of one Enter's frame, both checksums included.
auto parse_headers() {
  return [frame = order_frame(), vlans = link::VlanFilter({})] {
    const auto ethernet = link::parse_ethernet(frame, {2, 0, 0, 0, 0, 1}, vlans);
    const auto ipv4 = ip::parse_ipv4(ethernet.value.payload, 0x0A630001, false);
    use(udp::parse_udp(ipv4.value.payload, ipv4.value.source, 0x0A630001));
  };
}

/// Headers, lengths and both checksums around a payload of `size` bytes.
auto write_headers(std::size_t size) {
  NetConfig us;
  us.mac = {2, 0, 0, 0, 0, 1};
  us.address = 0x0A630001;
  const DatagramTemplate header(us, 26'400, {{2, 0, 0, 0, 1, 1}, 0, 0x0A630101}, 30'000, 64);
  return [header, frame = Bytes(kMaxFrame, 0x5A), size]() mutable { use(header.finish(frame.data(), size)); };
}

auto write_accepted() {
  return [room = std::array<std::uint8_t, 128>{}]() mutable {
    const ouch::OrderAccepted accepted{.timestamp = std::uint64_t{1},
                                       .user_ref_num = 1u,
                                       .side = 'B',
                                       .quantity = 100u,
                                       .symbol = std::string_view("BENCH"),
                                       .price = std::uint64_t{1'000'000},
                                       .time_in_force = '0',
                                       .display = 'Y',
                                       .order_ref = std::uint64_t{1},
                                       .capacity = 'A',
                                       .iso = 'N',
                                       .cross_type = 'N',
                                       .order_state = 'L',
                                       .cl_ord_id = std::string_view("order")};
    use(ouch::write_message(std::span(room), accepted, ouch::NoOptions{}));
    use(room);
  };
}

auto write_add() {
  return [room = std::array<std::uint8_t, 64>{}]() mutable {
    wire::overlay<itch::AddOrder>(room.data()) = {.head = itch::head<itch::AddOrder>(1, 0, 1),
                                                  .order_ref = std::uint64_t{1},
                                                  .side = 'B',
                                                  .shares = 100u,
                                                  .stock = std::string_view("BENCH"),
                                                  .price = 1'000'000u};
    use(room);
  };
}

/// A feed datagram of 30 Add Orders, block by block.
auto read_mold() {
  Bytes datagram(kMaxUdpPayload);
  mold::PacketWriter packet(datagram);
  for (int i = 0; i < 30; ++i) *packet.try_append(sizeof(itch::AddOrder)) = static_cast<std::uint8_t>('A');
  datagram.resize(packet.finish(std::string_view("F000000000"), 1));
  return [datagram] {
    for (mold::BlockReader blocks{wire::Bytes(datagram)}; blocks.next();) use(blocks.block().size());
  };
}

Case of(std::string name, auto step) {
  return {std::move(name), [step] { return repeated(step); }};
}

}  // namespace

std::vector<Case> wire_cases() {
  return {
      of("wire/read_enter", read_enter(enter_bytes())),
      of("wire/read_enter_4_options", read_enter(enter_bytes([](ouch::OptionWriter& options) {
           options.put<ouch::Tag::firm>(std::string_view("FIRM"));
           options.put<ouch::Tag::min_qty>(100u);
           options.put<ouch::Tag::group_id>(std::uint16_t{7});
           options.put<ouch::Tag::user_ref_idx>(std::uint8_t{1});
         }))),
      of("wire/write_accepted", write_accepted()),
      of("wire/write_add", write_add()),
      of("wire/read_mold_30_blocks", read_mold()),
      of("frame/parse_enter", parse_headers()),
      of("frame/write_96_bytes", write_headers(96)),
      of("frame/write_1400_bytes", write_headers(1'400)),
  };
}

}  // namespace crosswire::bench
