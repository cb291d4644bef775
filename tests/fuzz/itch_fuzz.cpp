// ITCH 5.0: any bytes as one message; what decodes encodes to the same bytes.
#include "netstack/wire/itch.hpp"

#include <array>

#include "tests/fuzz/message_fields.hpp"

namespace crosswire {
namespace {

using namespace fuzz;
namespace itch = wire::itch;

template <class M>
void check_if(char type, wire::Bytes message) {
  if (type != M::kType) return;
  check_fields<M>(message);
  if constexpr (requires(M m) { m.head; }) {
    const M* const read = wire::view_as<M>(message);
    const itch::Header again = itch::head<M>(read->head.locate, read->head.tracking, read->head.timestamp);
    HOLDS(same_bytes(wire::bytes_of(again), message.first(sizeof(again))));
  }
}

}  // namespace
}  // namespace crosswire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace crosswire;
  if (size == 0) return 0;
  const char type = static_cast<char>(data[0]);
  const wire::itch::MessageInfo* const info = wire::itch::kMessages.find(type);
  if (info == nullptr || size < info->size) return 0;
  wire::test::for_each_itch([&]<class M>() { check_if<M>(type, {data, size}); });
  if (type == wire::itch::Snapshot::kType) {
    wire::alpha<20> number = wire::view_as<wire::itch::Snapshot>({data, size})->sequence;
    const auto value = number.decimal();
    if (value) number.set_decimal(*value);
    HOLDS(number.decimal() == value);
  }
  return 0;
}
