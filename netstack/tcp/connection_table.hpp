// Which connection a segment belongs to: address and both ports to ConnectionId, in a table of fixed size whose hash is
// keyed, so that nobody can make their connections fall on one place. receive core; never grows or rehashes.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "hugepages/base/check.hpp"
#include "hugepages/memory/arena.hpp"
#include "netstack/tcp/config.hpp"

namespace crosswire::tcp {

class ConnectionTable {
 public:
  /// At most `most` at once: the table is then at most a quarter full. The arena outlives it.
  ConnectionTable(Arena& arena, std::size_t most, const SipKey& key)
      : entries_(arena.array<Entry>(capacity_for(most))), key_(key), most_(most) {
    // Odd, so that the product loses nothing.
    multiplier_ = siphash(key, std::array{kMultiplierOf}) | 1;
  }
  ConnectionTable(const ConnectionTable&) = delete;
  ConnectionTable& operator=(const ConnectionTable&) = delete;

  static std::size_t bytes_for(std::size_t most) { return Arena::bytes_for<Entry>(capacity_for(most)); }

  /// The peer's address and port, and our port: host byte order. Never 0 as ports are not.
  static std::uint64_t key_of(std::uint32_t address, std::uint16_t port, std::uint16_t ours) {
    return std::uint64_t{address} << 32 | std::uint64_t{port} << 16 | ours;
  }

  std::optional<ConnectionId> find(std::uint64_t key) const {
    for (std::size_t i = home(key); entries_[i].key != 0; i = next(i)) {
      if (entries_[i].key == key) return entries_[i].connection;
    }
    return std::nullopt;
  }

  /// The key is not there yet, and there is room (CHECKed).
  void insert(std::uint64_t key, ConnectionId connection) {
    CHECK(size_ < most_ && !find(key), "connection %u of %zu", connection.value, size_);
    std::size_t i = home(key);
    while (entries_[i].key != 0) i = next(i);
    entries_[i] = {key, connection};
    ++size_;
  }

  /// The key is there (CHECKed). Later entries of its run move up.
  void erase(std::uint64_t key) {
    std::size_t hole = home(key);
    while (entries_[hole].key != 0 && entries_[hole].key != key) hole = next(hole);
    CHECK(entries_[hole].key == key, "no such connection");
    for (std::size_t i = next(hole); entries_[i].key != 0; i = next(i)) {
      const std::size_t from_home = (i - home(entries_[i].key)) & (entries_.size() - 1);
      const std::size_t from_hole = (i - hole) & (entries_.size() - 1);
      if (from_home < from_hole) continue;
      entries_[hole] = entries_[i];
      hole = i;
    }
    entries_[hole].key = 0;
    --size_;
  }

  std::size_t size() const { return size_; }

 private:
  struct Entry {
    std::uint64_t key;  // 0: free
    ConnectionId connection;
  };

  static constexpr std::uint64_t kMultiplierOf = 0x6D75'6C74'6970'6C79;
  static std::size_t capacity_for(std::size_t most) { return std::bit_ceil(std::max<std::size_t>(4 * most, 8)); }

  /// Two secret numbers and two multiplications: a tenth of SipHash, and nobody sees an outcome to learn from.
  std::size_t home(std::uint64_t key) const {
    std::uint64_t mixed = (key ^ key_.first) * multiplier_;
    mixed = (mixed ^ mixed >> 32 ^ key_.second) * multiplier_;
    return static_cast<std::size_t>(mixed >> 32) & (entries_.size() - 1);
  }
  std::size_t next(std::size_t i) const { return (i + 1) & (entries_.size() - 1); }

  std::span<Entry> entries_;
  SipKey key_;
  std::uint64_t multiplier_ = 1;
  std::size_t most_;
  std::size_t size_ = 0;
};

}  // namespace crosswire::tcp
