// What the clients of a scenario say: its lines made into OUCH messages. Counts each account's UserRefNums.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "app/scenario/line_reader.hpp"
#include "app/scenario/words.hpp"
#include "netstack/wire/bytes.hpp"

namespace crosswire {

class ScenarioClients {
 public:
  /// Orders get their labels in `names`, which outlives it.
  ScenarioClients(const Config& config, Names& names) : names_(names), numbers_(config.net.accounts.size(), 0) {}

  struct Said {
    SessionId account;
    wire::Bytes message;  // until the next one
  };
  /// Of an order that there is: "cancel o1", "replace ..", "modify ..", whose verb is read.
  Said of_order(std::string_view verb, LineReader& line);
  /// Of an account: "buy ..", "mass_cancel ..", whose verb is read.
  Said of_account(SessionId account, std::string_view verb, LineReader& line);

  static bool is_of_order(std::string_view verb) { return verb == "cancel" || verb == "replace" || verb == "modify"; }

 private:
  struct Options;
  Options read_options(LineReader& line);
  std::uint32_t number(SessionId account, const Options& options);
  template <class Message>
  wire::Bytes put(const Message& message, const Options& options);
  Said enter(SessionId account, Side side, LineReader& line);
  Said replace(LineReader& line);
  Said mass_cancel(SessionId account, LineReader& line);

  Names& names_;
  std::vector<std::uint32_t> numbers_;  // the last one of each account
  std::array<std::uint8_t, 256> room_{};
};

}  // namespace crosswire
