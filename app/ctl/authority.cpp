// Who may do what: see the header.
#include "app/ctl/authority.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace crosswire {
namespace {

bool is_in(const Person& person, gid_t group) {
  return std::find(person.groups.begin(), person.groups.end(), group) != person.groups.end();
}
bool is_in_one(const Person& person, const std::vector<gid_t>& groups) {
  return std::any_of(groups.begin(), groups.end(), [&person](gid_t group) { return is_in(person, group); });
}

/// How much a phase lets happen: nothing; cancels; orders; executions as they come.
int freedom_of(Phase phase) {
  switch (phase) {
    case Phase::closed:
      return 0;
    case Phase::pre_open:
    case Phase::halted:
      return 1;
    case Phase::opening_call:
    case Phase::closing_call:
    case Phase::intraday_call:
    case Phase::interrupted:
      return 2;
    case Phase::continuous:
      return 3;
  }
  return 3;
}

/// A halt for a time may be carried out somewhat later than it is given in, and end so much later.
constexpr std::chrono::seconds kHaltsLater{10};

bool asks_for_the_same(const CtlAsk& a, const CtlAsk& b) {
  return a.action == b.action && a.phase == b.phase && a.partition == b.partition && a.symbol == b.symbol &&
         a.account == b.account && a.firm == b.firm && a.seconds == b.seconds && a.level == b.level &&
         a.digest == b.digest && a.only_what_may == b.only_what_may;
}

std::string_view word(std::string_view& rest) {
  const std::size_t comma = rest.find(',');
  const std::string_view first = rest.substr(0, comma);
  rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
  return first;
}

}  // namespace

std::string_view role_name(OperatorRole role) {
  constexpr std::array<std::string_view, 5> kNames = {"none", "owner", "market_control", "house_risk", "firm_risk"};
  const auto i = static_cast<std::size_t>(role);
  return kNames[i < kNames.size() ? i : 0];
}

Authority::Authority(std::vector<Place> places, std::optional<OperatorGroups> groups, uid_t owner,
                     std::uint64_t first_number)
    : places_(std::move(places)), groups_(std::move(groups)), owner_(owner), next_number_(first_number) {}

// ---- Who may what ---------------------------------------------------------------------------------------------------

bool Authority::sees_all(const Person& person) const {
  return is_owner(person) || (groups_ && is_in_one(person, groups_->viewer));
}

std::vector<std::string> Authority::firms_of(const Person& person) const {
  std::vector<std::string> firms;
  if (!groups_) return firms;
  for (const OperatorGroups::FirmGroup& one : groups_->firms) {
    if (is_in(person, one.group)) firms.push_back(one.firm);
  }
  return firms;
}

bool Authority::is_known(const Person& person) const {
  if (sees_all(person)) return true;
  return groups_ && (is_in_one(person, groups_->market_control) || is_in_one(person, groups_->house_risk) ||
                     !firms_of(person).empty());
}

const Authority::Place* Authority::place_of(const std::string& partition) const {
  const auto found = std::find_if(places_.begin(), places_.end(),
                                  [&partition](const Place& place) { return place.partition == partition; });
  return found == places_.end() ? nullptr : &*found;
}

std::vector<std::string> Authority::symbols_of(const CtlAsk& ask) const {
  if (!ask.symbol.empty()) return {ask.symbol};
  const Place* const place = place_of(ask.partition);
  return place == nullptr ? std::vector<std::string>() : place->symbols;
}

std::vector<DeskAccount> Authority::accounts_of(const CtlAsk& ask) const {
  std::vector<DeskAccount> accounts;
  const Place* const place = place_of(ask.partition);
  if (place == nullptr) return accounts;
  std::copy_if(
      place->accounts.begin(), place->accounts.end(), std::back_inserter(accounts), [&ask](const DeskAccount& one) {
        return ask.account.empty() ? !ask.firm.empty() && one.firm == ask.firm : is_same_user(one.user, ask.account);
      });
  return accounts;
}

std::optional<OperatorRole> Authority::role_for(const Person& person, const CtlAsk& ask) const {
  if (!groups_) return is_owner(person) ? std::optional(OperatorRole::owner) : std::nullopt;
  if (ask.action == OperatorAction::reload)
    return is_in_one(person, groups_->house_risk) ? std::optional(OperatorRole::house_risk) : std::nullopt;
  if (!is_about_accounts(ask.action)) {
    const bool may = is_in_one(person, groups_->market_control);
    return may ? std::optional(OperatorRole::market_control) : std::nullopt;
  }
  if (is_in_one(person, groups_->house_risk)) return OperatorRole::house_risk;
  const std::vector<std::string> firms = firms_of(person);
  const std::vector<DeskAccount> accounts = accounts_of(ask);
  const bool own = std::all_of(accounts.begin(), accounts.end(), [&firms](const DeskAccount& one) {
    return std::find(firms.begin(), firms.end(), one.firm) != firms.end();
  });
  return own && !accounts.empty() ? std::optional(OperatorRole::firm_risk) : std::nullopt;
}

std::string Authority::why_refused(const Person& person, const CtlAsk& ask) const {
  if (ask.action == OperatorAction::reload)
    return fmt::format("{} may not: to reload the configuration is for house_risk", person.name);
  const std::string whose = is_about_accounts(ask.action) ? "house_risk, or the risk of its firm" : "market_control";
  return fmt::format("{} may not: {} is for {}", person.name, describe(ask), whose);
}

Person Authority::hanging_up() const {
  return {owner_, std::string(kSignal), groups_ ? groups_->house_risk : std::vector<gid_t>()};
}

Authority::Sight Authority::sight(const Person& person, std::string_view question) const {
  constexpr std::string_view kInfo = "/crosswire/info", kPositions = "/crosswire/positions";
  if (sees_all(person)) return {.all = true, .users = {}, .refused = ""};
  std::string_view rest = question;
  const std::string_view command = word(rest);
  if (command == kInfo && is_known(person)) return {.all = true, .users = {}, .refused = ""};
  const std::vector<std::string> firms = firms_of(person);
  const bool by_account = command == "/crosswire/accounts" || command == "/crosswire/limits" || command == kPositions;
  Sight sight;
  if (firms.empty() || !by_account) {
    sight.refused = fmt::format("{} may not: to see {} is for viewer", person.name, command);
    return sight;
  }
  const std::string user(command == kPositions ? word(rest) : "");
  const std::string partition(word(rest));
  const Place* const place = partition.empty() && places_.size() == 1 ? &places_.front() : place_of(partition);
  for (const DeskAccount& one : place == nullptr ? std::vector<DeskAccount>() : place->accounts) {
    if (std::find(firms.begin(), firms.end(), one.firm) != firms.end()) sight.users.push_back(one.user);
  }
  if (command == kPositions) {
    sight.all = std::find(sight.users.begin(), sight.users.end(), user) != sight.users.end();
    sight.users.clear();
    if (!sight.all) sight.refused = fmt::format("{} may not: {} is no account of his firm", person.name, user);
  } else if (sight.users.empty()) {
    sight.refused = fmt::format("{} may not: his firm has no account there", person.name);
  }
  return sight;
}

// ---- What needs a second person -------------------------------------------------------------------------------------

const Authority::Stopped& Authority::stopped(const std::string& partition) const {
  static const Stopped kNothing;
  const auto found = stopped_.find(partition);
  return found == stopped_.end() ? kNothing : found->second;
}

bool Authority::wants_phases(const CtlAsk& ask) const { return groups_ && ask.action == OperatorAction::phase; }

/// "": it may be done alone.
std::string Authority::why_two(const CtlAsk& ask, const std::optional<std::vector<Phase>>& phases,
                               Clock::time_point now) const {
  if (ask.action == OperatorAction::reload) return groups_ ? ask.why_two : "";
  if (!groups_) return "";
  if (ask.action == OperatorAction::allow) return "it lifts a kill";
  const bool ends_halts =
      ask.action == OperatorAction::resume || (ask.action == OperatorAction::phase && ask.phase == Phase::closed);
  const std::vector<std::string> symbols = symbols_of(ask);
  const auto& halted = stopped(ask.partition).halted;
  const bool any = std::any_of(symbols.begin(), symbols.end(), [&](const auto& one) {
    const auto found = halted.find(one);
    return found != halted.end() && now < found->second.until;
  });
  if (ends_halts && any) return "it ends an operator's halt";
  if (!wants_phases(ask)) return "";
  if (!phases || phases->empty())
    return ask.phase == Phase::closed ? "" : "it may go towards trading: the phase at this moment is not known";
  const bool crosses =
      std::any_of(phases->begin(), phases->end(), [&](Phase phase) { return is_call(phase) && phase != ask.phase; });
  if (crosses && ask.phase != Phase::halted) return "it ends a call, whose cross would execute";
  const bool loosens = std::any_of(phases->begin(), phases->end(),
                                   [&](Phase phase) { return freedom_of(phase) < freedom_of(ask.phase); });
  return loosens ? "it goes towards trading" : "";
}

/// "", or why an allow is another's to ask for: what the house has stopped its firm does not let go.
std::string Authority::why_not_lifted(const CtlAsk& ask, OperatorRole role) const {
  if (ask.action != OperatorAction::allow || role != OperatorRole::firm_risk) return "";
  const auto& killed = stopped(ask.partition).killed;
  for (const DeskAccount& one : accounts_of(ask)) {
    const auto found = killed.find(one.user);
    if (found == killed.end() || !found->second.by_house) continue;
    return fmt::format("account {} was killed by house_risk, who alone may allow it", one.user);
  }
  return "";
}

Authority::Decision Authority::decide(const Person& person, const CtlAsk& ask,
                                      const std::optional<std::vector<Phase>>& phases, Clock::time_point now) {
  Decision decision;
  const std::optional<OperatorRole> role = role_for(person, ask);
  decision.why = role ? why_not_lifted(ask, *role) : why_refused(person, ask);
  if (!decision.why.empty()) return decision;
  const std::string why = why_two(ask, phases, now);
  if (!why.empty()) return keep(person, ask, *role, why, now);
  decision.verdict = Verdict::act;
  decision.role = *role;
  return decision;
}

/// Whose places a pending command takes: a role's, or of firms' risk the firm's.
std::string Authority::seat_of(OperatorRole role, const CtlAsk& ask) const {
  if (role != OperatorRole::firm_risk) return std::string(role_name(role));
  const std::vector<DeskAccount> accounts = accounts_of(ask);
  return fmt::format("the risk of {}", accounts.empty() ? ask.firm : accounts.front().firm);
}

/// The ticket of the newest halt or kill of what the command is about; 0: none.
std::uint64_t Authority::newest_stop(const CtlAsk& ask) const {
  const Stopped& stopped = this->stopped(ask.partition);
  std::uint64_t newest = 0;
  if (is_about_accounts(ask.action)) {
    for (const DeskAccount& one : accounts_of(ask)) {
      const auto found = stopped.killed.find(one.user);
      if (found != stopped.killed.end()) newest = std::max(newest, found->second.ticket);
    }
    return newest;
  }
  for (const std::string& symbol : symbols_of(ask)) {
    const auto found = stopped.halted.find(symbol);
    if (found != stopped.halted.end()) newest = std::max(newest, found->second.ticket);
  }
  return newest;
}

Authority::Decision Authority::keep(const Person& person, const CtlAsk& ask, OperatorRole role, const std::string& why,
                                    Clock::time_point now) {
  Decision decision;
  const auto is_his = [&](uid_t uid, const CtlAsk& other) {
    return uid == person.uid && other.partition == ask.partition && other.request == ask.request;
  };
  // The same in other words is the same, or one person's repeats would take all places.
  const auto kept = std::find_if(pending_.begin(), pending_.end(), [&](const Pending& one) {
    return is_his(one.person.uid, one.ask) || (one.person.uid == person.uid && asks_for_the_same(one.ask, ask));
  });
  const std::string seat = seat_of(role, ask);
  const auto before =
      std::find_if(settled_.begin(), settled_.end(), [&](const Settled& one) { return is_his(one.uid, one.ask); });
  const bool again = kept != pending_.end() && asks_for_the_same(kept->ask, ask);
  if (before != settled_.end()) {
    decision.why = fmt::format("request {} was command {}: {}", ask.request, before->number, before->how);
  } else if (kept != pending_.end() && !again) {
    decision.why = fmt::format("request {} is that of the pending command {}; give one of its own, or none",
                               ask.request, kept->number);
  } else if (!again && pending_.size() >= kMostPending) {
    decision.why = fmt::format("{} commands are pending already; have some approved or withdrawn", kMostPending);
  } else if (!again && std::count_if(pending_.begin(), pending_.end(), [&](const Pending& one) {
                         return seat_of(one.role, one.ask) == seat;
                       }) >= static_cast<std::ptrdiff_t>(kMostOfSeat)) {
    decision.why =
        fmt::format("{} commands of {} are pending already; have some approved or withdrawn", kMostOfSeat, seat);
  } else if (!again && std::count_if(pending_.begin(), pending_.end(), [&](const Pending& one) {
                         return one.person.uid == person.uid;
                       }) >= static_cast<std::ptrdiff_t>(kMostOfOne)) {
    decision.why = fmt::format("{} commands of yours are pending already; have some approved or withdrawn", kMostOfOne);
  }
  if (!decision.why.empty()) return decision;
  const Pending& pending =
      again ? *kept
            : pending_.emplace_back(Pending{next_number(), ask, person, role, why, now + kValid, newest_stop(ask)});
  decision.verdict = Verdict::wait;
  decision.role = role;
  decision.number = pending.number;
  decision.valid = std::chrono::ceil<std::chrono::seconds>(pending.until - now);
  decision.why = pending.why;
  return decision;
}

// ---- The second person ----------------------------------------------------------------------------------------------

bool Authority::may_see(const Person& person, const Pending& pending) const {
  return sees_all(person) || pending.person.uid == person.uid || role_for(person, pending.ask).has_value();
}

/// What a person may not see is not there for him.
std::deque<Authority::Pending>::const_iterator Authority::find(const Person& person, std::uint64_t number,
                                                               Clock::time_point now, std::string& error) const {
  const auto found =
      std::find_if(pending_.begin(), pending_.end(), [number](const Pending& one) { return one.number == number; });
  if (found != pending_.end() && may_see(person, *found)) {
    if (now < found->until) return found;
    error = fmt::format("command {} is not pending any more: it has lapsed", number);
    return pending_.end();
  }
  const auto before =
      std::find_if(settled_.begin(), settled_.end(), [number](const Settled& one) { return one.number == number; });
  const bool told = before != settled_.end() &&
                    (sees_all(person) || before->uid == person.uid || role_for(person, before->ask).has_value());
  error = told ? fmt::format("command {} is not pending any more: {}", number, before->how)
               : fmt::format("no command {} is pending", number);
  return pending_.end();
}

const Authority::Pending* Authority::to_approve(const Person& person, std::uint64_t number, Clock::time_point now,
                                                std::string& error) const {
  const auto found = find(person, number, now, error);
  if (found == pending_.end()) return nullptr;
  const std::optional<OperatorRole> role = role_for(person, found->ask);
  if (found->person.uid == person.uid) {
    error = fmt::format("command {} is your own; another person has to approve it", number);
  } else if (!role) {
    error = why_refused(person, found->ask);
  } else if (std::string why = why_not_lifted(found->ask, found->role); !why.empty()) {
    error = std::move(why);  // since it was asked for
  } else if (newest_stop(found->ask) > found->stop) {
    error = fmt::format("command {}: what it lets go has been stopped again since; ask for it anew", number);
  } else {
    error = why_not_lifted(found->ask, *role);
  }
  return error.empty() ? &*found : nullptr;
}

void Authority::approved(std::uint64_t number, const Person& by) {
  const auto found =
      std::find_if(pending_.begin(), pending_.end(), [number](const Pending& one) { return one.number == number; });
  if (found != pending_.end()) settle(found, by.name + " has approved it");
}

std::optional<Authority::Pending> Authority::withdraw(const Person& person, std::uint64_t number, Clock::time_point now,
                                                      std::string& error) {
  const auto found = find(person, number, now, error);
  if (found == pending_.end()) return std::nullopt;
  if (found->person.uid != person.uid && !role_for(person, found->ask)) {
    error = why_refused(person, found->ask);
    return std::nullopt;
  }
  Pending withdrawn = *found;
  settle(found, person.name + " has withdrawn it");
  return withdrawn;
}

void Authority::settle(std::deque<Pending>::const_iterator pending, const std::string& how) {
  settled_.push_back({pending->number, pending->ask, pending->person.uid, how});
  if (settled_.size() > kSettledKept) settled_.pop_front();
  pending_.erase(pending);
}

std::vector<Authority::Pending> Authority::lapse(Clock::time_point now) {
  std::vector<Pending> lapsed;
  while (!pending_.empty() && now >= pending_.front().until) {
    lapsed.push_back(pending_.front());
    settle(pending_.begin(), "it has lapsed");
  }
  return lapsed;
}

std::vector<CtlPending> Authority::pending(const Person& person, Clock::time_point now) const {
  std::vector<CtlPending> list;
  for (const Pending& one : pending_) {
    if (now >= one.until || !may_see(person, one)) continue;
    const auto left = std::chrono::ceil<std::chrono::seconds>(one.until - now).count();
    list.push_back({.number = one.number,
                    .partition = one.ask.partition,
                    .asked = describe(one.ask),
                    .operator_name = one.person.name,
                    .role = std::string(role_name(one.role)),
                    .why = one.why,
                    .reason = one.ask.reason,
                    .seconds = static_cast<std::uint64_t>(left)});
  }
  return list;
}

// ---- What operators have stopped ------------------------------------------------------------------------------------

void Authority::given_in(const CtlAsk& ask, OperatorRole role, std::uint64_t ticket, Clock::time_point now) {
  if (!groups_) return;
  Stopped& stopped = stopped_[ask.partition];
  if (ask.action == OperatorAction::halt) {
    const auto until =
        ask.seconds == 0 ? Clock::time_point::max() : now + std::chrono::seconds(ask.seconds) + kHaltsLater;
    for (const std::string& symbol : symbols_of(ask)) {
      Halt& halt = stopped.halted.try_emplace(symbol, Halt{ticket, until}).first->second;
      halt = {ticket, std::max(halt.until, until)};
    }
  }
  if (ask.action != OperatorAction::kill) return;
  for (const DeskAccount& one : accounts_of(ask)) {
    Kill& kill = stopped.killed.try_emplace(one.user, Kill{ticket, false}).first->second;
    kill.ticket = ticket;
    kill.by_house |= role == OperatorRole::house_risk;
  }
}

void Authority::carried_out(const CtlAsk& ask, std::uint64_t ticket, const CtlAnswer& answer) {
  // An answer that repeats an earlier one's has done nothing now.
  if (!groups_ || !answer.error.empty() || answer.repeated) return;
  Stopped& stopped = stopped_[ask.partition];
  const bool done = answer.result == OperatorResult::done;
  // What was stopped again behind the command was not let go by it.
  const bool resumed = ask.action == OperatorAction::resume && (done || answer.result == OperatorResult::not_halted);
  if (resumed || (ask.action == OperatorAction::phase && ask.phase == Phase::closed && done)) {
    for (const std::string& symbol : symbols_of(ask)) {
      const auto found = stopped.halted.find(symbol);
      if (found != stopped.halted.end() && found->second.ticket < ticket) stopped.halted.erase(found);
    }
  }
  const bool allowed = ask.action == OperatorAction::allow && (done || answer.result == OperatorResult::not_killed);
  for (const DeskAccount& one : allowed ? accounts_of(ask) : std::vector<DeskAccount>()) {
    const auto found = stopped.killed.find(one.user);
    if (found != stopped.killed.end() && found->second.ticket < ticket) stopped.killed.erase(found);
  }
}

std::vector<Authority::Pending> Authority::end_day(const std::string& partition) {
  stopped_[partition].halted.clear();
  std::vector<Pending> lapsed;
  for (std::size_t i = 0; i < pending_.size();) {
    if (pending_[i].ask.partition != partition) {
      ++i;
      continue;
    }
    lapsed.push_back(pending_[i]);
    settle(pending_.begin() + static_cast<std::ptrdiff_t>(i), "it has lapsed with the day");
  }
  return lapsed;
}

}  // namespace crosswire
