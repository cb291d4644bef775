// The packets around the messages: SoupBinTCP's and MoldUDP64's.
#include "netstack/wire/mold.hpp"
#include "tests/netstack/wire/guide/build.hpp"

namespace crosswire::wire::test {
namespace {

constexpr std::string_view kWord = "no login";

Message bare_packet(std::string title, soup::PacketType type, std::string when) {
  Message message{.title = std::move(title),
                  .letter = static_cast<char>(type),
                  .size = sizeof(soup::Header),
                  .sent = false,
                  .when = std::move(when)};
  message.example = {0, 1, static_cast<std::uint8_t>(type)};
  message.fields = {{"length", 0, 2, Form::number, "bytes that follow", {}, ""},
                    {"type", 2, 1, Form::letter, "the packet's letter", {}, ""}};
  message.decode = [](Bytes bytes) {
    const auto& header = *view_as<soup::Header>(bytes);
    return Values{{"length", value_of(header.length)}, {"type", value_of(header.type)}};
  };
  return message;
}

}  // namespace

std::vector<Message> soup_packets() {
  const soup::Framed<soup::LoginRequest> login{.payload = soup::login_request("ann", "secret", "", 1)};
  const soup::Framed<soup::LoginAccepted> accepted{.payload = soup::login_accepted("O0MJ5V2TC0", 2)};
  const soup::Framed<soup::LoginRejected> rejected{.payload = {soup::RejectCode::not_authorised}};
  Message debug = bare_packet(
      "Debug", soup::PacketType::debug,
      "words of why the next packet comes, from offset 3 to the end: `silent`, `taken over`, `no login`, 11 letters at "
      "most. A program passes over it");
  debug.example[1] = static_cast<std::uint8_t>(1 + kWord.size());
  debug.example.insert(debug.example.end(), kWord.begin(), kWord.end());
  return {
      message_of("soup", "Login Request", 'L', "the first packet of a client. Answered by `A`, `J`, or not at all", "",
                 login,
                 {{"username", "padded on the right; case does not matter"},
                  {"password", "padded on the right; case does not matter"},
                  {"session", "padded on the left; blank is the current one"},
                  {"sequence", "decimal, padded on the left; read, without effect"}}),
      bare_packet("Client Heartbeat", soup::PacketType::client_heartbeat, "says that the client is there. No answer"),
      bare_packet("Logout Request", soup::PacketType::logout_request, "ends the client's session. No answer"),
      message_of("soup", "Login Accepted", 'A', "to the source of the login, which is bound now",
                 "TransmitTest.ALoginIsAnsweredToTheSourceItCameFrom", accepted,
                 {{"session", "for each MoldUDP64 packet of the client's, and its re-requests"},
                  {"sequence", "decimal, padded on the left: number of the next answer"}}),
      message_of("soup", "Login Rejected", 'J', "to the source of the login", "TransmitTest.ARefusedLoginIsToldWhy",
                 rejected,
                 {{"reason", "why", {{"A", "unknown user or wrong password"}, {"S", "no such session here"}}}}),
      debug};
}

std::vector<std::pair<std::string, Octets>> mold_examples() {
  const auto alone = [](std::string_view session, std::uint64_t sequence, std::uint16_t count) {
    const mold::Header header{.session = session, .sequence = sequence, .count = count};
    return Octets(bytes_of(header).begin(), bytes_of(header).end());
  };
  Octets packet(1472);
  mold::PacketWriter writer(packet);
  for (const std::size_t i : {std::size_t{0}, std::size_t{2}}) {
    const Octets message = ouch_in()[i].example;
    std::copy(message.begin(), message.end(), writer.try_append(message.size()));
  }
  packet.resize(writer.finish(std::string_view("O0MJ5V2TC0"), 1));
  return {{"a client's two messages, numbers 1 and 2: an Enter Order and a Cancel Order", packet},
          {"a re-request: 5 from number 2 on", alone("O0MJ5V2TC0", 2, 5)},
          {"a heartbeat: 7 is the next number", alone("O0MJ5V2TC0", 7, mold::kHeartbeat)},
          {"the end: there were 6 messages, and there will be no more", alone("O0MJ5V2TC0", 7, mold::kEndOfSession)}};
}

}  // namespace crosswire::wire::test
