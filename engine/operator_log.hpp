// What came of the operators' newest commands, by their request numbers: a request that is repeated, because its answer
// was lost on the way, gets the same answer again and is not done twice. Part of the engine's state; match stage only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/event.hpp"
#include "engine/types.hpp"

namespace crosswire {

class OperatorLog {
 public:
  /// Older requests are forgotten, and would be done again.
  static constexpr std::size_t kKept = 256;

  struct Entry {
    std::uint64_t request;
    Sequence done_by;
    TimeNs done_ns;
    // What was asked.
    SymbolId symbol;
    OperatorAction action;
    Phase to;
    SessionId account;
    FirmId firm;
    std::uint8_t level;
    std::uint32_t seconds;
    // What came of it.
    OperatorResult result;
    Phase phase;
    std::uint16_t changed;
    std::uint16_t held;
    std::uint32_t canceled;

    /// Whether the command asks for the same.
    bool is(const Command& command) const {
      const OperatorAsk& ask = command.operate;
      return symbol == command.symbol && action == ask.action && to == ask.phase && account == ask.account &&
             firm == ask.firm && level == ask.level && seconds == ask.seconds;
    }
  };

  void add(const Entry& entry) { entries_[count_++ % kKept] = entry; }

  /// The kept entry of a request, or nullptr.
  const Entry* find(std::uint64_t request) const {
    for (std::size_t i = 0; i < kept(); ++i) {
      if (entries_[i].request == request) return &entries_[i];
    }
    return nullptr;
  }

  /// Entries that are kept, and each of them, oldest first.
  std::size_t kept() const { return count_ < kKept ? static_cast<std::size_t>(count_) : kKept; }
  const Entry& operator[](std::size_t i) const { return entries_[(count_ - kept() + i) % kKept]; }

 private:
  friend struct EngineState;

  std::array<Entry, kKept> entries_{};
  std::uint64_t count_ = 0;  // ever added
};

}  // namespace crosswire
