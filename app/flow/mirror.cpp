// The engine run along: see the header. Tools only.
#include "app/flow/mirror.hpp"

#include <utility>

namespace crosswire {
namespace {

void ignore(const Event&) {}

std::vector<PhaseChange> or_continuous(std::vector<PhaseChange> schedule) {
  if (schedule.empty()) schedule.push_back({0, kAllSymbols, Phase::continuous});
  return schedule;
}

}  // namespace

EngineMirror::EngineMirror(const EngineConfig& config, std::vector<PhaseChange> schedule)
    : schedule_(or_continuous(std::move(schedule))), box_(config) {}

void EngineMirror::advance(TimeNs time_ns) {
  for (; next_phase_ < schedule_.size() && schedule_[next_phase_].at_ns <= time_ns; ++next_phase_) {
    const PhaseChange& change = schedule_[next_phase_];
    Command command{};
    command.time_ns = change.at_ns;
    command.kind = CommandKind::phase;
    command.flags = kLastOfBurst;
    command.session = kNoSession;
    command.symbol = change.symbol;
    command.phase = {.phase = change.phase, .reserved = {}};
    box_.run(command, ignore);
    box_.finish_jobs(ignore);
  }
}

void EngineMirror::apply(const FlowMessage& message) {
  advance(message.time_ns);
  box_.run(command_of(message), ignore);
}

const HotOrder* EngineMirror::find(SessionId session, UserRefNum number) const {
  const OrderIndex index = box_.engine().find(session, number);
  return index == kNoOrder ? nullptr : &box_.orders().hot(index);
}

}  // namespace crosswire
