// MoldUDP64: any bytes as one datagram; what decodes encodes to the same bytes.
#include "netstack/wire/mold.hpp"

#include <vector>

#include "tests/fuzz/fuzz.hpp"

namespace crosswire {
namespace {

using namespace fuzz;
namespace mold = wire::mold;

void check_blocks(wire::Bytes datagram) {
  std::vector<std::uint8_t> again(datagram.size());
  mold::PacketWriter writer(again);
  std::size_t blocks = 0;
  mold::BlockReader reader(datagram);
  for (; reader.next(); ++blocks) {
    const wire::Bytes block = reader.block();
    HOLDS(within(block, datagram));
    std::uint8_t* const room = writer.try_append(block.size());
    HOLDS(room != nullptr);
    std::copy(block.begin(), block.end(), room);
  }
  HOLDS(!reader.next());
  const mold::Header* const header = reader.header();
  HOLDS((header == nullptr) == (reader.fault() == mold::BlockFault::short_header));
  if (reader.fault() != mold::BlockFault::none) return;
  const bool end = header->count == mold::kEndOfSession;
  HOLDS(blocks == (end ? 0u : header->count.value()));
  HOLDS(writer.finish(header->session, header->sequence) == datagram.size());
  if (!end) HOLDS(same_bytes(again, datagram));
}

void check_kind(wire::Bytes datagram) {
  const mold::BlockReader reader(datagram);
  const bool header_alone = datagram.size() == sizeof(mold::Header);
  switch (mold::packet_kind(datagram)) {
    case mold::PacketKind::too_short:
      HOLDS(reader.header() == nullptr);
      break;
    case mold::PacketKind::heartbeat:
      HOLDS(reader.header()->count == 0);
      break;
    case mold::PacketKind::end_of_session:
      HOLDS(reader.header()->count == 0xFFFF);
      break;
    case mold::PacketKind::request:
      HOLDS(header_alone && reader.header()->count != 0 && reader.header()->count != 0xFFFF);
      break;
    case mold::PacketKind::data:
      HOLDS(!header_alone && reader.header()->count != 0 && reader.header()->count != 0xFFFF);
      break;
  }
}

}  // namespace
}  // namespace crosswire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  crosswire::check_blocks({data, size});
  crosswire::check_kind({data, size});
  return 0;
}
