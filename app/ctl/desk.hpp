// An operator desk: where a partition's operators' commands are given in, and where what came of them is taken out.
// The control thread's alone. What a desk lets in it will get an answer to, unless the day ends before. A desk stays
// from day to day, and so do its rings' addresses.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/config/config.hpp"
#include "app/config/difference.hpp"
#include "app/ctl/protocol.hpp"
#include "engine/config.hpp"
#include "engine/order.hpp"
#include "netstack/port/operator_rings.hpp"

namespace crosswire {

/// An account as an operator names it. By SessionId.
struct DeskAccount {
  std::string user;
  std::string firm;  // "": none that can be named
  FirmId id;         // of its firm
};
/// As logins are: case does not count.
bool is_same_user(std::string_view a, std::string_view b);
std::vector<DeskAccount> desk_accounts(const Config& config);
/// Names of the symbols.
std::vector<std::string> desk_symbols(const Config& config);

/// A user's name in the 16 places of a recording: of a longer one the first eleven bytes, and behind `~` four
/// hexadecimal digits that follow from all of it, so that two operators are not one.
std::string recorded_name(std::string_view name);

/// Whose command it is, as the log has it; the recording has recorded_name() of both.
struct OperatorSignature {
  std::string name;           // the system's user who asked
  std::string approver = "";  // the second person; "": none was needed
  OperatorRole role = OperatorRole::owner;
};

class OperatorDesk {
 public:
  /// `name` of the partition; `symbols` and `accounts` are what a command may be about. `rings` outlive this.
  OperatorDesk(std::string name, const std::vector<SymbolConfig>& symbols, const std::vector<DeskAccount>& accounts,
               OperatorRings& rings);

  const std::string& name() const { return name_; }

  /// A day is over: nothing more is let in until the next one opens.
  void close() { open_ = false; }
  /// The stages have ended, and all that they did is collected: what else was under way is forgotten, and the rings are
  /// not touched before the next day opens.
  void leave() {
    close();
    under_way_.clear();
    at_rings_ = false;
  }
  /// Another day begins, on empty rings. A desk is made open.
  void open() { open_ = at_rings_ = true; }

  /// Why a command would not be let in now, one line; "": it would be.
  std::string fault_of(const CtlAsk& ask) const;
  /// Gives a command in. Returns a ticket, above those before; or none, and why in `error`, one line.
  std::optional<std::uint64_t> submit(const CtlAsk& ask, const OperatorSignature& by, std::string& error);

  /// A row of a reload; may_take() has said that there is room. `request`: any.
  void submit(const ConfigChange& change, std::uint64_t request, const std::string& reason,
              const OperatorSignature& by);
  /// Whether the desk takes rows now, of which it leaves some places to others.
  bool may_take() const { return open_ && under_way_.size() < OperatorRings::kUnderWay / 2; }
  bool is_open() const { return open_; }

  struct Done {
    std::string partition;
    std::uint64_t ticket;
    CtlAsk ask;
    OperatorSignature by;
    CtlAnswer answer;
  };
  /// The next command that has been carried out; in the order in which they were given in.
  std::optional<Done> collect();

  /// Commands given in and not collected.
  std::size_t under_way() const { return under_way_.size(); }

 private:
  struct Submitted {
    std::uint64_t ticket;
    CtlAsk ask;
    OperatorSignature by;
  };

  std::string name_;
  bool find_accounts(const CtlAsk& ask, SessionId& account, FirmId& firm) const;

  std::vector<std::string> symbols_;
  std::vector<DeskAccount> accounts_;
  OperatorRings& rings_;
  std::deque<Submitted> under_way_;
  std::uint64_t last_ticket_ = 0;
  bool open_ = true;
  bool at_rings_ = true;
};

}  // namespace crosswire
