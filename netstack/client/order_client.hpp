// One account's order entry over UDP, from the client's side (WIRE 7): writes the datagrams that it sends, reads those
// that it gets. Clients only (tests, tools, the load generator); one thread, no sockets, no clock, no allocation.
//
//   OrderClient client("U00001", "secret");
//   send(client.login(room));                        // again until take() says logged_in
//   client.begin(room); client.add(EnterOrder{..}); send(client.finish());
//   client.take(datagram, [](std::uint64_t number, wire::Bytes answer) { .. });
//   if (auto size = client.request(room)) send(size);  // when something is missing
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "hugepages/base/check.hpp"
#include "netstack/client/stream_follower.hpp"
#include "netstack/wire/mold.hpp"
#include "netstack/wire/ouch.hpp"
#include "netstack/wire/soup.hpp"

namespace crosswire::client {

/// What a datagram from the exchange turned out to be.
enum class Answer : std::uint8_t {
  logged_in,
  login_refused,  // OrderClient::refusal() says why. S: perhaps to what was sent before it, or not believed yet
  data,           // answers were handed out, or are repeats, or lie behind a gap
  heartbeat,
  end_of_session,  // of the day: no message will follow, ever
  remark,          // for people: OrderClient::remark() is it
  no_session,      // there is none of ours any more: log in to go on
  foreign,         // of another session, or a message before the login
  malformed,       // what the exchange does not send
};

class OrderClient {
 public:
  /// `user` of at most 6 characters, `password` of at most 10.
  OrderClient(std::string_view user, std::string_view password) : user_(user), password_(password) {}

  // Each writes one UDP payload into `room` and returns its size, 0 if it does not fit.

  std::size_t login(std::span<std::uint8_t> room) {
    awaiting_ = true;
    return put_soup(room, wire::soup::login_request(user_, password_, "", answers_ ? answers_->next() : 1));
  }
  std::size_t heartbeat(std::span<std::uint8_t> room) const {
    return put_empty(room, wire::soup::PacketType::client_heartbeat);
  }
  std::size_t logout(std::span<std::uint8_t> room) const {
    return put_empty(room, wire::soup::PacketType::logout_request);
  }
  /// Asks for answers that are missing; 0 if none are.
  std::size_t request(std::span<std::uint8_t> room) const {
    const auto header = answers_ ? answers_->request() : std::nullopt;
    if (!header || room.size() < sizeof(*header)) return 0;
    wire::overlay<wire::mold::Header>(room.data()) = *header;
    return sizeof(*header);
  }

  /// Begins a datagram of messages in `room`, which is the client's until finish(). Logged in, or assume_session();
  /// while a login is under way nobody knows the numbers (CHECKed).
  void begin(std::span<std::uint8_t> room) {
    CHECK(!awaiting_, "messages of %s before its login is answered", user_.c_str());
    packet_ = wire::mold::PacketWriter(room);
  }
  /// Adds a message; `options(writer)` puts its options, if there are any. False, and nothing added: it does not fit.
  template <class Message, class Options = wire::ouch::NoOptions>
  bool add(const Message& message, Options&& options = {}) {
    std::array<std::uint8_t, kMaxMessage> bytes;
    const std::size_t size = wire::ouch::write_message(bytes, message, options);
    std::uint8_t* const at = packet_.try_append(size);
    if (at == nullptr) return false;
    std::copy_n(bytes.data(), size, at);
    return true;
  }
  std::size_t finish() {
    const std::size_t size = packet_.finish(session_, next_upstream_);
    next_upstream_ += packet_.count();
    return size;
  }

  /// Takes one datagram's UDP payload and calls `deliver(number, message)` for each answer that is due, in order.
  template <class Deliver>
  Answer take(wire::Bytes datagram, Deliver&& deliver) {
    if (!datagram.empty() && datagram[0] == 0) return take_soup(datagram);
    if (!answers_) return Answer::foreign;
    switch (answers_->take(datagram, deliver)) {
      case StreamPacket::data:
        return Answer::data;
      case StreamPacket::heartbeat:
        return Answer::heartbeat;
      case StreamPacket::end_of_session:
        return Answer::end_of_session;
      case StreamPacket::foreign:
        return Answer::foreign;
      case StreamPacket::malformed:
        break;
    }
    return Answer::malformed;
  }

  /// For a client that writes without ever reading, such as a capture's: the session's name is known beforehand.
  void assume_session(const wire::alpha<10>& session) {
    session_ = session;
    next_upstream_ = 1;
    awaiting_ = false;
    lost_ = false;
  }

  bool logged_in() const { return answers_.has_value() && !awaiting_ && !lost_; }
  /// The reason letter of the last refusal, 0 if there was none.
  char refusal() const { return refusal_; }
  /// The exchange's last remark, at most kMaxRemark characters of it; such as why a session is gone. Empty: none.
  std::string_view remark() const { return {remark_.data(), remark_size_}; }
  /// Number of the next answer, and how many are known to be missing. 0 before the first login.
  std::uint64_t next_answer() const { return answers_ ? answers_->next() : 0; }
  std::uint64_t missing() const { return answers_ ? answers_->missing() : 0; }
  const StreamFollower* answers() const { return answers_ ? &*answers_ : nullptr; }
  /// As StreamFollower::give_up().
  std::uint64_t give_up() { return answers_ ? answers_->give_up() : 0; }

 private:
  /// An Enter Order with every option it takes is 45 + 2 + 18 options of up to 10 bytes.
  static constexpr std::size_t kMaxMessage = 256;
  static constexpr std::size_t kMaxRemark = 32;

  template <class Payload>
  static std::size_t put_soup(std::span<std::uint8_t> room, const Payload& payload) {
    if (room.size() < sizeof(wire::soup::Framed<Payload>)) return 0;
    wire::overlay<wire::soup::Framed<Payload>>(room.data()) = {.payload = payload};
    return sizeof(wire::soup::Framed<Payload>);
  }
  static std::size_t put_empty(std::span<std::uint8_t> room, wire::soup::PacketType type) {
    if (room.size() < sizeof(wire::soup::Header)) return 0;
    wire::overlay<wire::soup::Header>(room.data()) = {.length = std::uint16_t{1}, .type = type};
    return sizeof(wire::soup::Header);
  }

  Answer take_soup(wire::Bytes datagram) {
    namespace soup = wire::soup;
    const soup::Read packet = soup::read_datagram(datagram);
    if (packet.status != soup::ReadStatus::packet) return Answer::malformed;
    if (packet.type == soup::PacketType::login_accepted) return take_accepted(packet.payload);
    if (packet.type == soup::PacketType::debug) return take_remark(packet.payload);
    if (packet.type != soup::PacketType::login_rejected) return Answer::malformed;
    const auto* const rejected = wire::view_as<soup::LoginRejected>(packet.payload);
    if (rejected == nullptr) return Answer::malformed;
    refusal_ = static_cast<char>(rejected->reason);
    lost_ = true;
    return awaiting_ ? Answer::login_refused : Answer::no_session;
  }

  Answer take_remark(wire::Bytes text) {
    remark_size_ = std::min(text.size(), kMaxRemark);
    std::copy_n(text.begin(), remark_size_, remark_.begin());
    return Answer::remark;
  }

  /// Only the answer to a login that is under way begins the upstream numbers anew: it may come twice.
  Answer take_accepted(wire::Bytes payload) {
    const auto* const accepted = wire::view_as<wire::soup::LoginAccepted>(payload);
    if (accepted == nullptr || payload.size() != sizeof(*accepted)) return Answer::malformed;
    const std::optional<std::uint64_t> next = accepted->sequence.decimal();
    if (!next || *next == 0) return Answer::malformed;
    if (!awaiting_) return Answer::logged_in;
    refusal_ = 0;
    assume_session(std::string_view(accepted->session.text()));
    if (!answers_ || answers_->session() != session_) answers_.emplace(session_);
    answers_->expect(*next);
    return Answer::logged_in;
  }

  std::string user_;
  std::string password_;
  wire::alpha<10> session_{};
  wire::mold::PacketWriter packet_{std::span<std::uint8_t>{}};
  std::uint64_t next_upstream_ = 1;
  std::optional<StreamFollower> answers_;
  bool awaiting_ = false;
  bool lost_ = false;  // the exchange has said that there is no session
  char refusal_ = 0;
  std::array<char, kMaxRemark> remark_{};
  std::size_t remark_size_ = 0;
};

}  // namespace crosswire::client
