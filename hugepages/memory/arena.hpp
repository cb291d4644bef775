// Arena: one bump allocator over one mapping, on hugepages where there are any.
// Made and carved up by the app at set-up, before any stage runs; stages only use what they were given. It never frees
// single arrays and never grows. Standard library only, so the engine may include it; the system calls are in
// arena.cpp.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "hugepages/base/cache_line.hpp"
#include "hugepages/base/check.hpp"

namespace crosswire {

/// automatic: hugepages, else ordinary pages with one loud line per process. required: hugepages or an error.
/// off: ordinary pages, silently (tests, short-lived tools).
enum class HugepagePolicy { automatic, required, off };

/// Which hugepages. automatic: 1 GiB pages for what fills at least one, else 2 MiB pages. two_mib, one_gib: these; with
/// HugepagePolicy::automatic the arena takes smaller ones where there are none, and its report says so.
enum class PageSize { automatic, two_mib, one_gib };

/// A part of an arena whose pages are alike.
struct ArenaRange {
  std::size_t at = 0;         // byte of the arena where it begins
  std::size_t bytes = 0;      // whole pages
  std::size_t page_size = 0;  // bytes, as the kernel reports it; 0 = it does not say
  int node = -1;              // NUMA node on which the pages really lie; -1 = the kernel does not say

  bool operator==(const ArenaRange&) const = default;
};

/// What an arena really got, read back from the kernel page by page, not what was asked for.
struct ArenaReport {
  std::size_t bytes = 0;            // of the mapping: what was asked for, rounded up to whole pages
  std::size_t page_size = 0;        // of most of its bytes; 0 = the kernel does not say
  int node = -1;                    // on which most of its bytes lie; -1 = the kernel does not say
  bool huge = false;                // all pages are above the machine's base page
  std::size_t asked_page_size = 0;  // 0 = no certain one
  int asked_node = -1;              // -1 = any
  std::vector<ArenaRange> ranges;   // in order, neighbours differ; together all of it
};

/// The pages of a mapping of this process, asked from the kernel one by one. Neighbours that are alike are one range.
/// Set-up only: a call for each 4096 pages.
std::vector<ArenaRange> ranges_of(const void* base, std::size_t bytes);

/// Fills in page_size, node and huge from `ranges` and `bytes`.
void sum_up(ArenaReport& report);

/// "" where all pages are alike and as asked for; else one line: "24 MiB on 2048 KiB pages of node 0, 8 MiB on ...;
/// asked for node 1". What the kernel does not say is no fault.
std::string complaint_of(const ArenaReport& report);

class Arena {
 public:
  /// Maps at least `bytes`, zeroed, with every page faulted in. `numa_node` -1 leaves the node to the kernel; a node
  /// that cannot be had is no error here: see complaint_of(report()). `name` is for messages. Throws std::runtime_error
  /// (one line: what, where, how to fix it) if hugepages are required and not to be had, or if there is no memory at
  /// all.
  explicit Arena(std::size_t bytes, HugepagePolicy policy = HugepagePolicy::automatic, int numa_node = -1,
                 std::string_view name = "", PageSize page_size = PageSize::automatic);
  ~Arena();
  Arena(Arena&& other) noexcept;
  Arena& operator=(Arena&& other) noexcept;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// `n` value-initialised T on a cache-line boundary (or on T's own, if that is coarser). They live as long as the
  /// arena. Set-up only. Exhaustion is a broken invariant: sizes are added up beforehand with bytes_for().
  template <class T>
  [[nodiscard]] std::span<T> array(std::size_t n) {
    static_assert(std::is_trivially_destructible_v<T>, "an arena never runs destructors");
    static_assert(noexcept(T{}), "nothing to clean up half-way");
    auto* first = static_cast<T*>(take(size_of<T>(n), std::max(alignof(T), kCacheLine)));
    // T{} and not T(): an aggregate with a union of non-trivial members has no default constructor. Nothing is copied.
    for (std::size_t i = 0; i < n; ++i) ::new (static_cast<void*>(first + i)) T(T{});
    return {first, n};
  }

  /// Bytes that array<T>(n) takes at most, its padding included: sums of these are a sufficient size for an arena.
  template <class T>
  [[nodiscard]] static std::size_t bytes_for(std::size_t n) {
    constexpr std::size_t kPadding = alignof(T) > kCacheLine ? alignof(T) - kCacheLine : 0;
    return size_of<T>(n) + kPadding;
  }

  /// Forgets all arrays, so that the same can be built anew; nobody may use them any more. Tools and tests: mapping
  /// memory takes longer than all else that they do.
  void clear() { used_ = 0; }

  [[nodiscard]] std::size_t used() const { return used_; }
  [[nodiscard]] const ArenaReport& report() const { return report_; }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  template <class T>
  static std::size_t size_of(std::size_t n) {
    static_assert(alignof(T) <= 4096, "arenas start on a page");
    CHECK(n <= (std::numeric_limits<std::size_t>::max() - 2 * kCacheLine) / sizeof(T), "%zu items of %zu bytes", n,
          sizeof(T));
    return (n * sizeof(T) + kCacheLine - 1) / kCacheLine * kCacheLine;
  }

  void* take(std::size_t bytes, std::size_t alignment);

  std::string name_;
  std::byte* base_ = nullptr;
  std::size_t used_ = 0;
  ArenaReport report_{};
};

}  // namespace crosswire
