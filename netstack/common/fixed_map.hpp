// FixedMap: 64-bit keys to 16-bit values in a table of fixed size, for lookups on the way of an order.
// receive stage; built at set-up, never grows or rehashes. Keys come from the configuration or from sources that have
// logged in, so no stranger can choose colliding ones.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "hugepages/base/check.hpp"
#include "hugepages/memory/arena.hpp"

namespace crosswire {

class FixedMap {
 public:
  /// At most `most` keys at once: the table is then at most half full. The arena outlives the map.
  FixedMap(Arena& arena, std::size_t most)
      : entries_(arena.array<Entry>(capacity_for(most))), shift_(64 - std::countr_zero(entries_.size())), most_(most) {}
  FixedMap(const FixedMap&) = delete;
  FixedMap& operator=(const FixedMap&) = delete;

  static std::size_t bytes_for(std::size_t most) { return Arena::bytes_for<Entry>(capacity_for(most)); }

  /// nullptr without such a key. Valid until the next insert() or erase().
  const std::uint16_t* find(std::uint64_t key) const {
    for (std::size_t i = home(key); entries_[i].used; i = next(i)) {
      if (entries_[i].key == key) return &entries_[i].value;
    }
    return nullptr;
  }

  /// The key is not there yet (CHECKed).
  void insert(std::uint64_t key, std::uint16_t value) {
    CHECK(size_ < most_, "key %llu is one more than %zu", static_cast<unsigned long long>(key), most_);
    std::size_t i = home(key);
    for (; entries_[i].used; i = next(i)) {
      CHECK(entries_[i].key != key, "key %llu is there already", static_cast<unsigned long long>(key));
    }
    entries_[i] = {key, value, true};
    ++size_;
  }

  /// The key is there (CHECKed). Later entries of its run move up, so that no markers of deleted ones pile up.
  void erase(std::uint64_t key) {
    std::size_t hole = home(key);
    while (entries_[hole].used && entries_[hole].key != key) hole = next(hole);
    CHECK(entries_[hole].used, "key %llu is not there", static_cast<unsigned long long>(key));
    for (std::size_t i = next(hole); entries_[i].used; i = next(i)) {
      const std::size_t from_home = (i - home(entries_[i].key)) & (entries_.size() - 1);
      const std::size_t from_hole = (i - hole) & (entries_.size() - 1);
      if (from_home < from_hole) continue;  // it lies behind its home, which the hole precedes
      entries_[hole] = entries_[i];
      hole = i;
    }
    entries_[hole].used = false;
    --size_;
  }

  std::size_t size() const { return size_; }

 private:
  struct Entry {
    std::uint64_t key;
    std::uint16_t value;
    bool used;
  };
  static_assert(sizeof(Entry) == 16);

  static std::size_t capacity_for(std::size_t most) { return std::bit_ceil(most < 1 ? 2 : 2 * most); }

  /// Fibonacci hashing: the product's high bits depend on all bits of the key.
  std::size_t home(std::uint64_t key) const { return static_cast<std::size_t>(key * 0x9E3779B97F4A7C15u >> shift_); }
  std::size_t next(std::size_t i) const { return (i + 1) & (entries_.size() - 1); }

  std::span<Entry> entries_;
  int shift_;
  std::size_t most_;
  std::size_t size_ = 0;
};

}  // namespace crosswire
