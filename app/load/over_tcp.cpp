// The load generator where its orders go over TCP: see client.hpp. The stages are the same; here is how it logs in and
// leaves, and what a lost connection means. On its one polling thread.
#include <fmt/format.h>

#include <algorithm>

#include "app/load/client.hpp"

namespace crosswire {
namespace {

/// For all connections together, as over UDP.
constexpr TimeNs kAllOpenNs = 10 * kNsPerSecond;
/// For the server's FINs.
constexpr TimeNs kLeaveNs = 3 * kNsPerSecond;

}  // namespace

/// A connection that is lost ends the run: its orders would have no answer, and the rate would be another.
void LoadClient::take_segments(const RxBurst& burst) {
  connections_->take_burst(burst.frames, now_ns_);
  last_heard_ns_ = std::max(last_heard_ns_, connections_->heard_ns());
  if (stage_ >= Stage::leave) return;
  connections_->keep_alive();
  const bool lost = stage_ > Stage::log_in && !connections_->fault().empty();
  if (lost && !failed_) [[unlikely]]
    fail(connections_->fault());
}

void LoadClient::begin_over_tcp(std::uint32_t session, const wire::alpha<10>& name, std::uint64_t next) {
  sessions_[session].orders.assume_session(name);
  sessions_[session].answers.begin(name, next);
}

void LoadClient::log_in_over_tcp() {
  connections_->open(*server_mac_);
  if (const char letter = connections_->refusal(); letter != 0) {
    return fail(fmt::format("a login is refused ({}); are accounts and passwords those of the appliance?", letter));
  }
  if (!connections_->fault().empty()) {
    return fail(connections_->fault() + "; does the appliance take orders over TCP, and on this port?");
  }
  for (std::uint32_t i = 0; i < sessions_.size(); ++i) {
    if (!connections_->is_open(i) || sessions_[i].answers.begun()) continue;
    begin_over_tcp(i, connections_->client(i).session(), connections_->client(i).next_answer());
  }
  if (connections_->open_count() == sessions_.size()) {
    return enter(options_.floor || options_.capture != nullptr ? Stage::prepare : Stage::query);
  }
  if (now_ns_ - stage_ns_ <= kAllOpenNs) return;
  fail(fmt::format("{} of {} logins had no answer; does the appliance take orders over TCP on port {}?",
                   sessions_.size() - connections_->open_count(), sessions_.size(), options_.tcp->port));
}

/// One may come right behind the login's own answer.
void LoadClient::answer(std::uint32_t session, std::uint64_t number, wire::Bytes message) {
  LoadStream& stream = sessions_[session].answers;
  if (!stream.begun()) [[unlikely]]
    begin_over_tcp(session, connections_->client(session).session(), number);
  if (stream.take(number)) take_answer(session, message);
}

/// The source makes datagrams; their messages go one by one.
bool LoadClient::put_in_stream(const LoadFrame& frame) {
  const std::uint32_t session = message_of(frame.message).session;
  const std::size_t offset = sessions_[session].to_exchange.payload_offset();
  return connections_->send_orders(session, {frame.bytes + offset, frame.size - offset});
}

void LoadClient::leave_over_tcp() {
  if (!leaving_) {
    leaving_ = true;
    connections_->leave();
    return;
  }
  if (!connections_->left() && now_ns_ < stage_ns_ + kLeaveNs && !ended_) return;
  connections_->abort();
  finish();
  enter(Stage::done);
}

}  // namespace crosswire
