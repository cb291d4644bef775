// An engine with everything around it, for tests: pool, event ring of any size, commands by hand.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <span>
#include <string_view>
#include <thread>
#include <vector>

#include "engine/box.hpp"
#include "tests/engine/reference_exchange.hpp"

namespace crosswire::testing {

inline SymbolName symbol_name(std::string_view text) {
  SymbolName name;
  name.fill(' ');
  std::copy(text.begin(), text.end(), name.begin());
  return name;
}

inline EngineConfig small_config(std::size_t symbols = 1) {
  EngineConfig config;
  for (std::size_t i = 0; i < symbols; ++i)
    config.symbols.push_back({symbol_name("SYM" + std::to_string(i + 1)), Price{1'000'000}, i % 2 == 0 ? 100u : 1u});
  config.sessions = 4;
  config.max_orders = 1000;
  config.max_levels = 1000;
  config.orders_per_account = config.levels_per_account = 1u << 30;  // all that there are
  return config;
}

/// Plays both neighbours of match: prepares commands as receive does, reads events as transmit does.
class EngineRig {
 public:
  static constexpr std::uint64_t kCommandRing = 64;

  explicit EngineRig(const EngineConfig& config, std::uint64_t event_ring = 64)
      : box_(config, {.event_ring = event_ring, .commands_ahead = kCommandRing}),
        arena_(CommandRing::bytes_for(kCommandRing), HugepagePolicy::off),
        commands_(arena_, kCommandRing),
        command_reader_(commands_.add_gating("match")),
        match_(box_.stage(commands_, command_reader_)) {}

  /// Numbers the commands, at most kCommandRing, gives them times and slots, and runs them through the match stage,
  /// before which they wait together; events go to `events`.
  void run(std::span<const Command> burst, std::vector<Event>& events) {
    for (const Command& command : burst) submit(command);
    while (command_reader_.position() < commands_.published()) {
      match_.poll();
      read(events);
    }
  }
  void run(const Command& command, std::vector<Event>& events) { run({&command, 1}, events); }
  std::vector<Event> run(const Command& command) {
    std::vector<Event> events;
    run(command, events);
    return events;
  }

  /// As run(), in terms that the reference speaks.
  std::vector<Outcome> outcomes(const Command& command) { return outcomes({&command, 1}); }
  /// What goes on in turns to its end: engine/jobs.hpp.
  std::vector<Outcome> finish_jobs() {
    std::vector<Outcome> all;
    while (engine().has_jobs()) {
      const auto more = outcomes(Command{.kind = CommandKind::turn, .session = kNoSession});
      all.insert(all.end(), more.begin(), more.end());
    }
    return all;
  }
  std::vector<Outcome> outcomes(std::span<const Command> burst) {
    outcomes_.clear();
    collect_ = true;
    run(burst, scratch_);
    collect_ = false;
    scratch_.clear();
    return outcomes_;
  }

  /// Into the command ring, not yet applied.
  void submit(Command command) {
    box_.prepare(command);
    if (command.kind == CommandKind::enter) {
      orders().resolved(command.order.order).kept.group_id = group_of(command.order.user_ref_num);
    }
    commands_.producer().claim() = command;
    commands_.producer().publish();
  }

  bool poll_match() { return match_.poll() > 0; }
  /// What the stage answers to who asks one of its mailboxes.
  template <class Item, std::size_t kMost>
  std::vector<Item> ask(Mailbox<Item, kMost>& (MatchStage::*mailbox)(), std::uint64_t question) {
    std::vector<Item> items;
    std::atomic<bool> told{false};
    const std::jthread asker([&] {
      EXPECT_TRUE((match_.*mailbox)().ask(question, items, std::chrono::seconds(60)));
      told = true;
    });
    while (!told) match_.poll();
    return items;
  }

  /// Takes what is readable now.
  void read(std::vector<Event>& events) {
    box_.read_events([&](const Event& event) {
      events.push_back(event);
      if (collect_) note(event);
    });
  }

  const Engine& engine() const { return box_.engine(); }
  Orders& orders() { return box_.orders(); }
  std::uint64_t free_slots() const { return box_.free_slots(); }
  std::uint32_t slots() const { return box_.slots(); }
  std::uint64_t unapplied() const { return commands_.published() - command_reader_.position(); }

 private:
  void note(const Event& e) {
    Outcome o{.kind = e.kind, .symbol = e.symbol.value};
    const OrderEvent& order = e.order;
    switch (e.kind) {
      case EventKind::accepted:
      case EventKind::rested:
      case EventKind::replaced:
      case EventKind::canceled:
      case EventKind::modified:
      case EventKind::refused: {
        const OrderAsked& asked = orders().asked(order.order);
        o.session = asked.session.value;
        o.number = asked.user_ref_num.value;
        o.channel = asked.user_ref_idx;
        CHECK(e.session == asked.session, "event's session %u, order's %u", e.session.value, asked.session.value);
        if (e.kind == EventKind::replaced) o.number_b = order.user_ref_num.value;
        o.price = order.price.value;
        o.quantity = order.quantity;
        o.open = order.open;
        o.ref = order.ref.value;
        o.side = static_cast<char>(order.side);
        o.code = order.code;
        o.feed = int(order.feed);
        break;
      }
      case EventKind::prevented: {
        const Prevention& said = e.prevention;
        const OrderAsked& asked = orders().asked(said.order);
        o.session = asked.session.value;
        o.number = said.user_ref_num.value;
        o.channel = asked.user_ref_idx;
        CHECK(e.session == asked.session && said.user_ref_num == asked.user_ref_num, "event's session %u, order's %u",
              e.session.value, asked.session.value);
        o.price = said.price.value;
        o.quantity = said.quantity;
        o.open = said.open;
        o.ref = said.ref.value;
        o.ref_b = said.would;
        o.side = static_cast<char>(said.side);
        o.code = static_cast<char>(said.action);
        o.feed = int(said.feed);
        break;
      }
      case EventKind::rejected:
        o.session = e.session.value;
        o.number = order.user_ref_num.value;
        o.channel = order.user_ref_idx;
        o.side = static_cast<char>(order.side);
        o.code = e.reject;
        break;
      case EventKind::account:
        o.session = e.session.value;
        o.number = order.user_ref_num.value;
        o.channel = order.user_ref_idx;
        break;
      case EventKind::mass_cancel:
      case EventKind::disable:
      case EventKind::enable:
        o.session = e.session.value;
        o.number = e.firm.user_ref_num.value;
        o.channel = e.firm.user_ref_idx;
        break;
      case EventKind::executed:
      case EventKind::crossed: {
        const Execution& x = e.execution;
        o.session = orders().asked(x.order).session.value;
        o.number = orders().asked(x.order).user_ref_num.value;
        o.session_b = orders().asked(x.resting).session.value;
        o.number_b = orders().asked(x.resting).user_ref_num.value;
        o.channel = orders().asked(x.order).user_ref_idx;
        o.channel_b = orders().asked(x.resting).user_ref_idx;
        o.price = x.price.value;
        o.quantity = x.quantity;
        o.ref = x.ref.value;
        o.ref_b = x.resting_ref.value;
        o.match = x.match.value;
        o.code = e.kind == EventKind::crossed ? e.cross_type : 0;
        break;
      }
      case EventKind::cross_done:
        o.price = e.cross.price.value;
        o.quantity = e.cross.paired;
        o.match = e.cross.match.value;
        o.code = e.cross.cross_type;
        break;
      case EventKind::imbalance:
        o.price = e.cross.price.value;
        o.quantity = e.cross.paired;
        o.open = e.cross.imbalance;
        o.ref = e.cross.far_price.value;
        o.code = e.cross.direction;
        break;
      case EventKind::phase:
        o.code = int(e.phase.phase);
        break;
      case EventKind::declines:
        o.price = e.declines.levels_e8[0];
        o.quantity = e.declines.levels_e8[1];
        o.open = e.declines.levels_e8[2];
        break;
      case EventKind::halt_level:
        o.code = e.halt_level.level;
        break;
      case EventKind::system:
        o.code = e.system.event;
        break;
      case EventKind::operated:
        o.price = std::uint64_t(e.operated.phase);
        o.quantity = e.operated.changed;
        o.open = e.operated.held;
        o.ref = e.operated.request;
        o.ref_b = e.operated.canceled;
        o.side = int(e.operated.action);
        o.code = int(e.operated.result);
        break;
      case EventKind::configured:
        o.session = e.configured.of;
        o.quantity = static_cast<std::uint64_t>(e.configured.value);
        o.ref = e.configured.request;
        o.side = int(e.configured.row);
        o.code = int(e.configured.result);
        o.feed = e.configured.limit;
        break;
      default:
        break;
    }
    outcomes_.push_back(o);
  }

  EngineBox box_;
  Arena arena_;
  CommandRing commands_;
  CommandRing::GatingReader& command_reader_;
  MatchStage match_;
  bool collect_ = false;
  std::vector<Outcome> outcomes_;
  std::vector<Event> scratch_;
};

// ---- Commands by hand ----

inline Command enter(std::uint16_t session, std::uint32_t number, Side side, std::uint32_t price, Quantity quantity,
                     TimeInForce tif = TimeInForce::day, std::uint16_t symbol = 1) {
  Command c{};
  c.kind = CommandKind::enter;
  c.session = SessionId{session};
  c.symbol = SymbolId{symbol};
  c.order.user_ref_num = UserRefNum{number};
  c.order.side = side;
  c.order.price = Price{price};
  c.order.quantity = quantity;
  c.order.time_in_force = tif;
  c.order.display = Display::visible;
  c.order.cross_type = CrossType::continuous;
  return c;
}

inline Command replace(std::uint16_t session, std::uint32_t original, std::uint32_t number, std::uint32_t price,
                       Quantity quantity, TimeInForce tif = TimeInForce::day) {
  Command c = enter(session, number, kNoSide, price, quantity, tif, 0);
  c.kind = CommandKind::replace;
  c.order.orig_user_ref_num = UserRefNum{original};
  return c;
}

inline Command cancel(std::uint16_t session, std::uint32_t number, Quantity quantity = 0) {
  Command c = enter(session, number, Side::buy, 0, quantity, TimeInForce::day, 0);
  c.kind = CommandKind::cancel;
  return c;
}

inline Command modify(std::uint16_t session, std::uint32_t number, Side side, Quantity quantity) {
  Command c = enter(session, number, side, 0, quantity, TimeInForce::day, 0);
  c.kind = CommandKind::modify;
  return c;
}

/// `kind`: mass_cancel, disable or enable. Means every order of the session.
inline Command firm_wide(CommandKind kind, std::uint16_t session, std::uint32_t number, std::uint16_t symbol = 0) {
  Command c{};
  c.kind = kind;
  c.session = SessionId{session};
  c.symbol = SymbolId{symbol};
  c.firm.user_ref_num = UserRefNum{number};
  return c;
}

inline Command session_close(std::uint16_t session, SessionEndReason reason) {
  Command c{};
  c.kind = CommandKind::session_close;
  c.session = SessionId{session};
  c.end.reason = reason;
  return c;
}

/// `code`: 'T' if it takes over, else 0.
inline Command session_open(std::uint16_t session, char code = 0) {
  Command c{};
  c.kind = CommandKind::session_open;
  c.session = SessionId{session};
  c.peer.code = code;
  return c;
}

inline Command account_query(std::uint16_t session) {
  Command c{};
  c.kind = CommandKind::account_query;
  c.session = SessionId{session};
  return c;
}

inline Command phase(Phase to, std::uint16_t symbol = 0) {
  Command c{};
  c.kind = CommandKind::phase;
  c.session = kNoSession;
  c.symbol = SymbolId{symbol};
  c.phase.phase = to;
  c.flags = kLastOfBurst;
  return c;
}

/// `request`: not one of another command, unless it is to be a repeat.
inline Command operate(OperatorAction action, std::uint64_t request, std::uint16_t symbol = 0, Phase to = {}) {
  Command c = phase(Phase{}, symbol);
  c.kind = CommandKind::operate;
  std::memset(c.body, 0, sizeof c.body);
  c.operate.request = request;
  c.operate.action = action;
  c.operate.phase = to;
  return c;
}

/// For so many seconds; of all symbols with the level of a market-wide circuit breaker, if it is not 0.
inline Command halt_for(std::uint32_t seconds, std::uint64_t request, std::uint16_t symbol = 0,
                        std::uint8_t level = 0) {
  Command c = operate(OperatorAction::halt, request, symbol);
  c.operate.seconds = seconds;
  c.operate.level = level;
  return c;
}

/// `kill` or `allow` of an account, or where that is kNoSession, of a firm.
inline Command stop(OperatorAction action, std::uint64_t request, SessionId account, FirmId firm = kNoFirm) {
  Command c = operate(action, request);
  c.operate.account = account;
  c.operate.firm = firm;
  return c;
}

/// A row of the configuration; of an account, or a firm, as the row says.
inline Command configure(ConfigRow row, std::uint16_t of, std::int64_t value, RiskLimit limit = {},
                         std::uint16_t symbol = 0) {
  Command c = phase(Phase{}, symbol);
  c.kind = CommandKind::configure;
  std::memset(c.body, 0, sizeof c.body);
  c.configure.request = 1;
  c.configure.value = value;
  c.configure.of = of;
  c.configure.row = row;
  c.configure.limit = static_cast<std::uint8_t>(limit);
  return c;
}

inline Command tick(TimeNs time_ns) {
  Command c{};
  c.kind = CommandKind::tick;
  c.session = kNoSession;
  c.time_ns = time_ns;
  c.flags = kLastOfBurst;
  return c;
}

inline Command plain(CommandKind kind) {
  Command c{};
  c.kind = kind;
  c.session = kNoSession;
  c.flags = kLastOfBurst;
  return c;
}

}  // namespace crosswire::testing
