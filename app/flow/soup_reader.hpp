// The SoupBinTCP packets of a client's stream of which a capture may have lost parts (WIRE 1). Tools only; one thread.
// Where it has lost the packets' boundaries it goes on at the next segment that can only begin at one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "app/flow/stream_assembler.hpp"
#include "netstack/wire/bytes.hpp"
#include "netstack/wire/soup.hpp"

namespace crosswire {

/// What a client says in its packets; `at`: the frame that made the packet whole.
class SoupHandler {
 public:
  virtual ~SoupHandler() = default;
  virtual void login(const wire::soup::LoginRequest& login, CapturedAt at) = 0;
  virtual void message(wire::Bytes message, CapturedAt at) = 0;
  virtual void logout(CapturedAt at) = 0;
  virtual void ended(CapturedAt at) = 0;
};

/// Whether `bytes` begin with packets that clients send, up to their end or, behind at least two of them, up to one
/// that goes on later; a login or an order is among them, or else heartbeats will do.
bool is_packet_chain(wire::Bytes bytes, bool heartbeats_will_do);

class SoupReader final : public StreamSink {
 public:
  /// Longer packets cannot be orders, and are passed over.
  static constexpr std::size_t kLongestPacket = 2048;

  enum class Verdict : std::uint8_t { open, soup, not_soup };
  struct Figures {
    std::uint64_t logins = 0;
    std::uint64_t messages = 0;
    std::uint64_t heartbeats = 0;
    std::uint64_t logouts = 0;
    std::uint64_t others = 0;    // remarks, and what clients do not send
    std::uint64_t skipped = 0;   // bytes that are there, but of which packet is not known, or not the whole of it
    std::uint64_t resynced = 0;  // times that the packets' boundaries were found again
  };

  /// `at_boundary`: the stream's first byte begins a packet. `trusted`: the user says that it is SoupBinTCP; else its
  /// first packet must be a login. `handler` outlives this.
  SoupReader(SoupHandler& handler, bool at_boundary, bool trusted)
      : handler_(handler), lost_(!at_boundary), trusted_(trusted) {}

  void bytes(wire::Bytes bytes, bool segment, CapturedAt at) override;
  void gap(std::uint64_t length) override;
  void end(CapturedAt at) override { handler_.ended(at); }

  Verdict verdict() const { return verdict_; }
  const Figures& figures() const { return figures_; }

 private:
  void skip(std::size_t size) { figures_.skipped += size; }
  bool find_boundary(wire::Bytes bytes, bool segment);
  std::size_t read_packets(wire::Bytes bytes, CapturedAt at);
  bool may_be_first(wire::Bytes bytes) const;
  void take(const wire::soup::Read& packet, CapturedAt at);

  SoupHandler& handler_;
  bool lost_;
  bool trusted_;
  Verdict verdict_ = Verdict::open;
  std::vector<std::uint8_t> partial_;  // the beginning of a packet
  std::uint64_t skip_ = 0;             // bytes up to the next boundary
  Figures figures_;
};

}  // namespace crosswire
