// The control socket's peers that reload the configuration, and those that approve or withdraw what is pending. The
// rest of it: control_socket.cpp.
#include <algorithm>
#include <random>
#include <utility>

#include "app/ctl/control_socket.hpp"

namespace crosswire {

void ControlSocket::approve(Peer& peer, std::uint64_t number, Clock::time_point now) {
  std::string error;
  const Authority::Pending* const pending = authority_.to_approve(peer.person, number, now, error);
  if (pending == nullptr) return turn_away(peer, error);
  peer.asked = describe(pending->ask);
  peer.asked_by = pending->person.name;
  if (pending->ask.action == OperatorAction::reload) {
    peer.since = now;
    return approve_reload(peer, *pending);
  }
  const OperatorSignature by{pending->person.name, peer.person.name, pending->role};
  if (give_in(peer, CtlAsk(pending->ask), by, now)) authority_.approved(number, peer.person);
}

void ControlSocket::withdraw(Peer& peer, std::uint64_t number, Clock::time_point now) {
  std::string error;
  const auto withdrawn = authority_.withdraw(peer.person, number, now, error);
  if (!withdrawn) return turn_away(peer, error);
  CtlPending told;
  told.number = number;
  told.asked = describe(withdrawn->ask);
  told.operator_name = withdrawn->person.name;
  notice({.what = CtlNotice::What::withdrawn,
          .name = withdrawn->person.name,
          .other = peer.person.name,
          .why = "",
          .number = number,
          .ask = withdrawn->ask});
  say(peer, withdrawn_line(told));
}

bool ControlSocket::hang_up() {
  if (reload_ == nullptr) return false;
  if (reload_->signal_waits()) return true;
  CtlAsk ask;
  ask.action = OperatorAction::reload;
  ask.request = std::random_device()() + 1ull;
  ask.reason = "SIGHUP";
  return reload_->ask(authority_.hanging_up(), ask) != 0;
}

void ControlSocket::reload(Peer& peer, const CtlAsk& ask) {
  peer.ask = ask;
  // Who may not is not told what is in the files.
  if (!authority_.role_for(peer.person, ask)) {
    const Authority::Decision decision = authority_.decide(peer.person, ask, std::nullopt, peer.since);
    return turn_away(peer, decision.why);
  }
  peer.reload = reload_ == nullptr ? 0 : reload_->ask(peer.person, ask);
  if (peer.reload == 0) refuse(peer, "too many reloads wait already");
}

void ControlSocket::approve_reload(Peer& peer, const Authority::Pending& pending) {
  peer.ask = pending.ask;
  peer.reload = reload_ == nullptr ? 0 : reload_->approve(peer.person, pending);
  if (peer.reload == 0) refuse(peer, "too many reloads wait already");
}

void ControlSocket::look_at_reloads(Clock::time_point now) {
  if (reload_ == nullptr) return;
  for (Reload::Done& done : reload_->look(now)) {
    for (Peer& peer : peers_)
      if (!peer.done && peer.reload == done.ticket) tell_reload(peer, done);
    if (done.answer.state == CtlReloadState::pending && done.answer.error.empty()) {
      notice({.what = CtlNotice::What::pending,
              .name = done.by.name,
              .other = "",
              .why = done.answer.why,
              .number = done.answer.pending,
              .ask = done.ask});
    }
    reloads_.push_back(std::move(done));
  }
  if (const auto groups = reload_->take_groups()) names_ = UserNames(groups);
}

/// An approval is answered as that of any command is.
void ControlSocket::tell_reload(Peer& peer, const Reload::Done& done) {
  if (done.refused) return turn_away(peer, done.answer.error);
  if (peer.asked.empty()) return say(peer, to_line(done.answer));
  if (!done.answer.error.empty()) return refuse(peer, done.answer.error);
  CtlAnswer told;
  told.action = OperatorAction::reload;
  told.request = done.ask.request;
  told.result = OperatorResult::done;
  const auto changed = std::ranges::count_if(done.answer.rows, [](const CtlReloadRow& row) { return row.may; });
  told.changed = static_cast<std::uint16_t>(static_cast<std::size_t>(changed) + done.answer.left_out);
  answer(peer, told);
}

}  // namespace crosswire
