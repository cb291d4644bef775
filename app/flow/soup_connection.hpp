// One TCP connection of a capture whose client speaks SoupBinTCP, or may: its client's stream, and what the exchange
// acknowledged of it. Tools only; one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "app/flow/soup_reader.hpp"
#include "app/flow/stream_assembler.hpp"
#include "app/flow/tcp_frames.hpp"

namespace crosswire {

/// What is known of a connection's first bytes.
enum class StreamBeginning : std::uint8_t {
  handshake,       // the client's SYN
  half_handshake,  // the exchange's answer to it alone
  login,           // neither, but the first segment begins with a login
  middle,          // none of these: what came before is not in the capture
};

/// Something that a client said, or that its connection ended.
struct StreamEvent {
  enum class Kind : std::uint8_t { login, message, logout, ended };
  CapturedAt at;
  std::uint32_t connection;  // its number
  Kind kind;
  Endpoint client;
  Endpoint exchange;
  std::vector<std::uint8_t> bytes;  // login: a LoginRequest; message: itself
};

class SoupConnection final : public SoupHandler {
 public:
  using Tell = std::function<void(StreamEvent&&)>;

  /// `number`: its own. `sequence`: of the client's first byte. `trusted`: as for SoupReader. `tell` outlives this, and
  /// hears of nothing before it is certain that the client speaks SoupBinTCP.
  SoupConnection(std::uint32_t number, const Endpoint& client, const Endpoint& exchange, std::uint32_t sequence,
                 StreamBeginning beginning, bool trusted, const Tell& tell);
  SoupConnection(const SoupConnection&) = delete;
  SoupConnection& operator=(const SoupConnection&) = delete;

  /// A segment of the client's that is no stranger's, see is_strange().
  void from_client(const tcp::Segment& segment, CapturedAt at);
  void from_exchange(const tcp::Segment& segment, CapturedAt at);
  /// Takes the first hole for good.
  void give_up_hole() { assembler_.give_up_hole(reader_); }
  /// No segment comes any more.
  void finish() { assembler_.finish(reader_); }

  /// Whether a segment of the client's, without a SYN, belongs to a later connection of the same ports.
  bool is_strange(const tcp::Segment& segment) const;
  /// Whether a handshake with this first number is this connection's own, come again.
  bool began_at(const Endpoint& client, std::uint32_t sequence) const;

  std::uint32_t number() const { return number_; }
  const Endpoint& client() const { return client_; }
  const Endpoint& exchange() const { return exchange_; }
  StreamBeginning beginning() const { return beginning_; }
  bool has_ended() const { return ended_; }
  const StreamAssembler& assembler() const { return assembler_; }
  const SoupReader& reader() const { return reader_; }

 private:
  void login(const wire::soup::LoginRequest& login, CapturedAt at) override;
  void message(wire::Bytes message, CapturedAt at) override;
  void logout(CapturedAt at) override;
  void ended(CapturedAt at) override;
  void tell(StreamEvent::Kind kind, wire::Bytes bytes, CapturedAt at);

  std::uint32_t number_;
  Endpoint client_;
  Endpoint exchange_;
  std::uint32_t first_sequence_;
  StreamBeginning beginning_;
  bool ended_ = false;
  const Tell& tell_;
  StreamAssembler assembler_;
  SoupReader reader_;
};

}  // namespace crosswire
