// SoupBinTCP: any bytes as a stream of packets and as one datagram; what decodes encodes to the same bytes.
#include "netstack/wire/soup.hpp"

#include <array>
#include <vector>

#include "tests/fuzz/fuzz.hpp"

namespace crosswire {
namespace {

using namespace fuzz;
namespace soup = wire::soup;

std::string shown(std::string_view text) { return std::string(text); }

/// Padding gone, a login says the same when it is written anew; read from either justification.
void check_login(const soup::LoginRequest& request) {
  const soup::Login login = soup::parse(request);
  const soup::LoginRequest again =
      soup::login_request(login.username, login.password, login.session, login.sequence.value_or(0));
  const soup::Login read = soup::parse(again);
  HOLDS(shown(read.username) == shown(login.username));
  HOLDS(shown(read.password) == shown(login.password));
  HOLDS(shown(read.session) == shown(login.session));
  HOLDS(read.sequence == login.sequence.value_or(0));
  HOLDS(soup::same_credential(read.username, request.username.raw()));
  HOLDS(soup::same_credential(request.password.raw(), read.password));
}

void check_packet(const soup::Read& packet, wire::Bytes bytes) {
  HOLDS(packet.size >= sizeof(soup::Header) && packet.size <= bytes.size());
  HOLDS(packet.payload.size() + sizeof(soup::Header) == packet.size);
  HOLDS(within(packet.payload, bytes));
  if (packet.payload.size() <= soup::kMaxPayload) {
    std::vector<std::uint8_t> again(packet.size);
    std::uint8_t* const payload = soup::begin_packet(again, packet.type, packet.payload.size());
    HOLDS(payload != nullptr);
    std::copy(packet.payload.begin(), packet.payload.end(), payload);
    HOLDS(same_bytes(again, bytes.first(packet.size)));
    HOLDS(soup::begin_packet(std::span(again).first(again.size() - 1), packet.type, packet.payload.size()) == nullptr);
  }
  const bool login = packet.type == soup::PacketType::login_request;
  if (login && packet.payload.size() == sizeof(soup::LoginRequest)) {
    check_login(*wire::view_as<soup::LoginRequest>(packet.payload));
  }
}

}  // namespace
}  // namespace crosswire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace crosswire;
  const wire::Bytes all{data, size};
  const soup::Read datagram = soup::read_datagram(all);
  HOLDS(datagram.status != soup::ReadStatus::incomplete);
  if (datagram.status == soup::ReadStatus::packet) {
    HOLDS(datagram.size == size);
    check_packet(datagram, all);
  }
  for (wire::Bytes remaining = all;;) {
    const soup::Read packet = soup::read(remaining);
    if (packet.status != soup::ReadStatus::packet) {
      HOLDS(packet.status != soup::ReadStatus::malformed || (remaining[0] == 0 && remaining[1] == 0));
      break;
    }
    check_packet(packet, remaining);
    remaining = remaining.subspan(packet.size);
  }
  return 0;
}
