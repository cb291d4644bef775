// MoldUDP64 1.00 (WIRE 2): the header, and bounded reading and writing of message blocks.
// Receive and feed clients read, transmit and publish write. Pure: no allocation, no exceptions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "netstack/wire/bytes.hpp"

namespace crosswire::wire::mold {

/// Header::count where it does not count blocks.
inline constexpr std::uint16_t kHeartbeat = 0;
inline constexpr std::uint16_t kEndOfSession = 0xFFFF;

/// Message numbers of a session start here.
inline constexpr std::uint64_t kFirstSequence = 1;

/// Every packet begins with it; a request is it alone.
struct Header {
  alpha<10> session;
  be64 sequence;  // of the first message; heartbeat, end of session: of the next to come; request: first wanted
  be16 count;     // message blocks that follow; request: how many are wanted
};
static_assert(kIsLayout<Header> && sizeof(Header) == 20 && offsetof(Header, sequence) == 10 &&
              offsetof(Header, count) == 18);

enum class PacketKind : std::uint8_t {
  too_short,       // for the header
  heartbeat,       // count 0
  end_of_session,  // count 0xFFFF
  request,         // count 1 .. 65534, nothing behind the header (WIRE 7: a data packet is never that short)
  data,            // count 1 .. 65534, blocks behind the header: read them with BlockReader, the count may lie
};

/// By header and size alone.
inline PacketKind packet_kind(Bytes datagram) {
  const Header* const header = view_as<Header>(datagram);
  if (header == nullptr) return PacketKind::too_short;
  if (header->count == kHeartbeat) return PacketKind::heartbeat;
  if (header->count == kEndOfSession) return PacketKind::end_of_session;
  return datagram.size() == sizeof(Header) ? PacketKind::request : PacketKind::data;
}

enum class BlockFault : std::uint8_t {
  none,
  short_header,    // fewer than 20 bytes
  truncated,       // the datagram ends before the blocks that the header counts
  trailing_bytes,  // the datagram goes on after them
};

/// Walks over the message blocks of one datagram (its UDP payload, by the IP length: WIRE 8). Blocks before a fault
/// are handed out; heartbeat and end of session have none.
///   for (BlockReader reader(datagram); reader.next();) use(reader.block());
class BlockReader {
 public:
  explicit BlockReader(Bytes datagram) : header_(view_as<Header>(datagram)) {
    if (header_ == nullptr) {
      fault_ = BlockFault::short_header;
      return;
    }
    remaining_ = datagram.subspan(sizeof(Header));
    left_ = header_->count == kEndOfSession ? std::uint16_t{0} : header_->count.value();
  }

  /// nullptr if the datagram is too short for one.
  const Header* header() const { return header_; }

  /// False after the last block and at a fault; then fault() tells which.
  bool next() {
    if (left_ == 0) return end();
    const be16* const length = view_as<be16>(remaining_);
    if (length == nullptr || remaining_.size() - sizeof(be16) < *length) return fail(BlockFault::truncated);
    block_ = remaining_.subspan(sizeof(be16), *length);
    remaining_ = remaining_.subspan(sizeof(be16) + *length);
    --left_;
    return true;
  }

  /// One application message, possibly empty. Valid after next() returned true.
  Bytes block() const { return block_; }
  BlockFault fault() const { return fault_; }

 private:
  bool end() { return fault_ == BlockFault::none && !remaining_.empty() ? fail(BlockFault::trailing_bytes) : false; }

  bool fail(BlockFault fault) {
    fault_ = fault;
    left_ = 0;
    return false;
  }

  const Header* header_;
  Bytes remaining_;
  Bytes block_;
  std::uint16_t left_ = 0;
  BlockFault fault_ = BlockFault::none;
};

/// Do the blocks that the header counts fill the datagram exactly?
inline BlockFault fault_of(Bytes datagram) {
  // Most datagrams of orders hold one message: then two lengths say it all.
  const Header* const header = view_as<Header>(datagram);
  constexpr std::size_t kFirstBlock = sizeof(Header) + sizeof(be16);
  if (header != nullptr && header->count == 1 && datagram.size() >= kFirstBlock &&
      *view_as<be16>(datagram.subspan(sizeof(Header))) == datagram.size() - kFirstBlock) {
    return BlockFault::none;
  }
  BlockReader blocks(datagram);
  while (blocks.next()) {
  }
  return blocks.fault();
}

/// Fills one packet in a bounded buffer: blocks as they come, the header at the end. Without a block it is a heartbeat.
class PacketWriter {
 public:
  /// `buffer` begins where the packet does; its size is the limit (MTU less the lower headers). Fewer than 20 bytes
  /// take nothing.
  explicit PacketWriter(std::span<std::uint8_t> buffer) : buffer_(buffer) {}

  /// Room for a message of `length` bytes, which the caller fills before finish(); nullptr if it does not fit.
  std::uint8_t* try_append(std::size_t length) {
    if (length > 0xFFFF || count_ == kEndOfSession - 1) return nullptr;
    if (buffer_.size() < size_ + sizeof(be16) + length) return nullptr;
    overlay<be16>(buffer_.data() + size_) = static_cast<std::uint16_t>(length);
    std::uint8_t* const message = buffer_.data() + size_ + sizeof(be16);
    size_ += sizeof(be16) + length;
    ++count_;
    return message;
  }

  /// `sequence` is the number of the first message. Returns the packet's bytes; 0 if not even the header has room.
  std::size_t finish(const alpha<10>& session, std::uint64_t sequence) {
    if (buffer_.size() < sizeof(Header)) return 0;
    overlay<Header>(buffer_.data()) = {.session = session, .sequence = sequence, .count = count_};
    return size_;
  }

  std::uint16_t count() const { return count_; }
  std::size_t size() const { return size_; }

 private:
  std::span<std::uint8_t> buffer_;
  std::size_t size_ = sizeof(Header);
  std::uint16_t count_ = 0;
};

}  // namespace crosswire::wire::mold
