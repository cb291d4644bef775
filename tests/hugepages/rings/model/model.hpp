// A model of atomics that tries everything: threads are fibers of one thread, which change at each access, and a load
// may return any value that release, acquire and relaxed accesses permit it, not only the newest. explore() runs a
// small piece of work once for every schedule and every such choice. Plain memory is checked for data races where the
// work says that it accesses it. Tests only; one exploration at a time.
//
// What a thread may still see is kept as a view: of each atomic the oldest store that is not hidden from it. A release
// store carries its thread's view along; an acquire load takes that over. This is exact for atomics that have one
// writer each, as all of ours do, but for stores that a processor would move before an earlier load (load buffering).
#pragma once

#include <ucontext.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace crosswire::test {

class Model {
 public:
  static constexpr std::size_t kThreads = 3;
  static constexpr std::size_t kMostAtomics = 32;

  /// Which of its words a mutant's thread does not keep: `thread`'s stores or its loads are all relaxed.
  enum class Weak { nothing, releases, acquires };
  struct Mutant {
    Weak weak;
    std::size_t thread;
  };

  using Body = std::function<void()>;
  /// Makes what the threads share, and returns what each does. Once for each execution.
  using Setup = std::function<std::vector<Body>(Model&)>;

  struct Outcome {
    std::uint64_t executions = 0;
    std::string fault;  // of the first execution that has one
  };

  /// Every execution, until one is faulty or `most` are done, which is a fault as well.
  static Outcome explore(const Setup& setup, Mutant mutant = {Weak::nothing, 0}, std::uint64_t most = 20'000'000);

  // For the work: plain memory that it is about to read or write, and what must hold.
  void reads(const void* where);
  void writes(const void* where);
  void expect(bool holds, const char* what) {
    if (!holds) fail(what);
  }

  // For ModelAtomic.
  static Model& current();
  std::uint64_t load(const void* atomic, std::uint64_t initial, std::memory_order order);
  void store(const void* atomic, std::uint64_t initial, std::uint64_t value, std::memory_order order);

 private:
  static constexpr std::size_t kSetup = kThreads;  // the thread before all others

  /// What has happened before, as far as a thread knows.
  struct View {
    std::array<std::uint16_t, kMostAtomics> oldest{};    // of each atomic the first store that may be loaded
    std::array<std::uint32_t, kThreads + 1> happened{};  // of each thread how many accesses

    void join(const View& other);
  };
  struct Store {
    std::uint64_t value;
    View carried;  // of a release store
  };
  struct Atomic {
    std::size_t number;
    std::vector<Store> stores;
  };
  struct Plain {
    std::size_t writer = kSetup;
    std::uint32_t written = 0;                       // the writer's count then
    std::array<std::uint32_t, kThreads + 1> read{};  // each reader's
  };
  struct Thread {
    ucontext_t context{};
    std::vector<std::byte> stack = std::vector<std::byte>(64 * 1024);
    Body body;
    bool ended = false;
  };
  struct Choice {
    std::size_t taken;
    std::size_t of;
  };

  explicit Model(Mutant mutant) : mutant_(mutant) {}

  void execute(const Setup& setup);
  bool next_path();
  std::size_t choose(std::size_t of);
  void step();
  void fail(const std::string& what);
  Atomic& atomic(const void* where, std::uint64_t initial);
  bool weak(Weak weak) const { return mutant_.weak == weak && mutant_.thread == running_; }
  static void enter();

  Mutant mutant_;
  std::vector<Choice> path_;
  std::size_t chosen_ = 0;
  std::string fault_;
  // Of one execution.
  std::map<const void*, Atomic> atomics_;
  std::map<const void*, Plain> plain_;
  std::array<View, kThreads + 1> views_{};
  std::array<Thread, kThreads> threads_;
  ucontext_t scheduler_{};
  std::size_t running_ = kSetup;
};

/// In the place of std::atomic, as far as the rings use it.
template <class T>
class ModelAtomic {
 public:
  constexpr ModelAtomic() noexcept = default;
  constexpr ModelAtomic(T value) noexcept : initial_(value) {}
  ModelAtomic(const ModelAtomic&) = delete;
  ModelAtomic& operator=(const ModelAtomic&) = delete;

  T load(std::memory_order order) const { return static_cast<T>(Model::current().load(this, initial_, order)); }
  void store(T value, std::memory_order order) { Model::current().store(this, initial_, value, order); }

 private:
  T initial_{};
};

}  // namespace crosswire::test
