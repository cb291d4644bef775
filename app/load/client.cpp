// The load generator: see client.hpp. On the generator's one polling thread.
#include "app/load/client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "app/config/config.hpp"
#include "app/load/capture_source.hpp"
#include "app/load/mix_source.hpp"
#include "hugepages/base/check.hpp"

namespace crosswire {
namespace {

constexpr TimeNs kMs = 1'000'000;
/// To find the appliance, to log in, and for the orders at both ends, each. Its machine may be busy for some seconds.
constexpr TimeNs kPatienceNs = 10'000 * kMs;
constexpr TimeNs kTryAgainNs = 200 * kMs;
/// With orders outstanding: an appliance sends a heartbeat each second at least.
constexpr TimeNs kSilenceNs = 10'000 * kMs;
/// Longer than the appliance's heartbeats are apart: they tell of what was lost at the end. Only where something is
/// missing it is waited for.
constexpr TimeNs kDrainNs = 5'000 * kMs;
/// Beyond its end, for what the sender is behind with.
constexpr TimeNs kGraceNs = 100 * kMs;
/// A window in which nothing came for this long has lost what it waits for.
constexpr TimeNs kWindowStuckNs = 20 * kMs;
constexpr std::uint32_t kFillWindow = 32;
constexpr std::size_t kPreparedAtOnce = 1'024;
constexpr std::uint8_t kTtl = 64;
constexpr std::string_view kFloorSession = "FLOOR00000";

}  // namespace

LoadClient::LoadClient(const LoadOptions& options, RxPort& rx, TxPort& tx)
    : options_(options),
      rx_(rx),
      tx_(tx),
      session_of_port_(std::size_t{1} << 16, kNoLoadParty),
      by_reference_(std::bit_ceil(std::size_t{4} * options.mix.resting + (1u << 16))),
      by_match_(std::size_t{1} << 16) {
  CHECK(!options_.parties.empty() && options_.parties.size() <= kMaxLoadSessions, "%zu sessions",
        options_.parties.size());
  for (const LoadParty& party : options_.parties) {
    session_of_port_[party.port] = static_cast<std::uint16_t>(sessions_.size());
    sessions_.push_back({.orders = client::OrderClient(party.user, party.password)});
  }
  if (options_.tcp) connections_ = std::make_unique<LoadConnections>(options_, tx_, static_cast<LoadAnswers&>(*this));
  figures_.warm_up_ns = options_.warm_up_ns;
  figures_.measured_ns = options_.measured_ns;
  figures_.sessions = static_cast<std::uint32_t>(sessions_.size());
  figures_.floor = options_.floor;
  figures_.seed = options_.mix.seed;
  figures_.intervals.resize(kLoadIntervals);
}

bool LoadClient::poll() {
  const RxBurst burst = rx_.receive();
  now_ns_ = burst.time_ns;
  if (!started_) [[unlikely]] {
    started_ = true;
    last_heard_ns_ = stage_ns_ = now_ns_;
  }
  for (const RxFrame& frame : burst.frames) take(frame);
  if (connections_ != nullptr) take_segments(burst);
  if (burst.ended && !ended_) [[unlikely]] {
    ended_ = true;
    if (stage_ < Stage::leave) fail("interrupted");
  }
  if (stage_ != Stage::done) step();
  if (connections_ != nullptr) connections_->send();
  if (tx_.unsent()) tx_.flush();
  return stage_ != Stage::done || (tx_.unsent() && now_ns_ < stage_ns_ + kTryAgainNs && !ended_);
}

// --- stages ----------------------------------------------------------------------------------------------------------

void LoadClient::enter(Stage stage) {
  stage_ = stage;
  stage_ns_ = now_ns_;
  next_try_ns_ = 0;
}

bool LoadClient::every(TimeNs interval_ns) {
  if (now_ns_ < next_try_ns_) return false;
  next_try_ns_ = now_ns_ + interval_ns;
  return true;
}

void LoadClient::step() {
  switch (stage_) {
    case Stage::resolve:
      return resolve();
    case Stage::log_in:
      return log_in();
    case Stage::query:
      return query();
    case Stage::prepare:
      return prepare();
    case Stage::ready:
      return keep_alive();
    case Stage::fill:
      return fill();
    case Stage::run:
      return run();
    case Stage::drain:
      return drain();
    case Stage::clear:
      return clear();
    case Stage::leave:
      return leave();
    case Stage::done:
      return;
  }
}

void LoadClient::resolve() {
  if (!server_mac_) {
    if (now_ns_ - stage_ns_ > kPatienceNs) {
      return fail(fmt::format("nobody answers ARP for {}; is the appliance up, and on this link?",
                              format_address(options_.server.address)));
    }
    if (every(kTryAgainNs)) send_arp();
    return;
  }
  const Station to{*server_mac_, options_.vlan, options_.server.address};
  for (std::size_t i = 0; i < sessions_.size(); ++i) {
    const LoadParty& party = options_.parties[i];
    sessions_[i].to_exchange = DatagramTemplate(side_of(party), party.port, to, options_.server.order_port, kTtl);
    if (!options_.floor) continue;
    sessions_[i].orders.assume_session(kFloorSession);
    sessions_[i].answers.begin(kFloorSession, 1);
    sessions_[i].next_ref = 1;
  }
  to_feed_requests_ = DatagramTemplate(side_of(options_.parties.front()), options_.feed_asker_port, to,
                                       options_.server.feed_request_port, kTtl);
  enter(options_.floor && connections_ == nullptr ? Stage::prepare : Stage::log_in);
}

void LoadClient::log_in() {
  if (connections_ != nullptr) return log_in_over_tcp();
  const auto waiting = [](const Session& session) { return !session.answers.begun(); };
  const auto missing = std::count_if(sessions_.begin(), sessions_.end(), waiting);
  if (!refusal_.empty()) {
    return fail(fmt::format("a login is refused ({}); are accounts and passwords those of the appliance?", refusal_));
  }
  if (missing == 0) {
    keep_alive_ns_ = now_ns_ + kKeepAliveNs;
    enter(options_.capture != nullptr ? Stage::prepare : Stage::query);
    return;
  }
  if (now_ns_ - stage_ns_ > kPatienceNs) {
    if (!remark_.empty()) return fail(fmt::format("the server puts a login off and says: {}", remark_));
    return fail(figures_.malformed > 0
                    ? "what answers the logins is not an order session's; is the order port another service's?"
                    : fmt::format("{} of {} logins had no answer; may the accounts log in from these addresses?",
                                  missing, sessions_.size()));
  }
  if (!every(kTryAgainNs)) return;
  for (Session& session : sessions_) {
    if (waiting(session)) send_login(session);
  }
}

/// Which UserRefNum is free.
void LoadClient::query() {
  const auto waiting = [](const Session& session) { return session.next_ref == 0; };
  if (std::none_of(sessions_.begin(), sessions_.end(), waiting)) return enter(Stage::prepare);
  if (now_ns_ - stage_ns_ > kPatienceNs) return fail("an Account Query had no answer");
  ask_again();
  if (!every(kTryAgainNs)) return;
  for (Session& session : sessions_) {
    if (waiting(session)) send_query(session);
  }
}

/// A piece at a poll: the sessions stay alive meanwhile.
void LoadClient::prepare() {
  if (source_ == nullptr) make_source();
  keep_alive();
  for (std::size_t i = 0; i < kPreparedAtOnce; ++i) {
    if (!source_->make()) return enter(Stage::ready);
  }
}

void LoadClient::make_source() {
  if (options_.capture != nullptr) {
    auto source = std::make_unique<LoadCaptureSource>(options_);
    for (const Session& session : sessions_) source->add_session(session.answers.session(), session.to_exchange);
    source_ = std::move(source);
  } else {
    auto source = std::make_unique<LoadMixSource>(options_);
    for (Session& session : sessions_) source->add_session(session.orders, session.to_exchange, session.next_ref);
    source_ = std::move(source);
  }
}

void LoadClient::start() {
  CHECK(stage_ == Stage::ready, "start in stage %d", static_cast<int>(stage_));
  interval_ns_ = std::max<TimeNs>(options_.measured_ns / kLoadIntervals, 1);
  last_heard_ns_ = last_answer_ns_ = now_ns_;
  enter(Stage::fill);
}

/// The books get their resting orders, some at a time.
void LoadClient::fill() {
  if (answered_ >= sent_) last_answer_ns_ = now_ns_;  // nothing is waited for
  watch_server();
  ask_again();
  if (stage_ != Stage::fill) return;
  const auto more = [this] { return source_->next().size > 0 && message_of(source_->next().message).aside; };
  while (sent_ - answered_ < kFillWindow && more() && send_frame(source_->next())) {
  }
  if (answered_ < sent_ && now_ns_ > last_answer_ns_ + kPatienceNs) {
    return fail(fmt::format("{} of the {} orders to fill the books had no answer; is this {}?", sent_ - answered_,
                            sent_, options_.floor ? "an echo" : "the appliance of this configuration"));
  }
  if (answered_ < sent_ || more()) return;
  if (source_->next().size == 0) return fail("there is no order to send in this time");
  fill_sent_ = sent_;
  // The first is due when the loop is surely back here.
  start_ns_ = now_ns_ + kMs;
  last_answer_ns_ = start_ns_;
  progress_.running.store(true, std::memory_order_relaxed);
  enter(Stage::run);
}

void LoadClient::run() {
  const std::uint64_t sent = sent_;
  if (options_.schedule || options_.capture != nullptr) {
    send_scheduled();
  } else {
    send_window();
  }
  // What was sent is made up for when nothing is due: before its answer can be here.
  if (sent_ == sent && stage_ == Stage::run) source_->make();
  keep_alive();
  ask_again();
  watch_server();
  progress_.sent.store(sent_ - fill_sent_, std::memory_order_relaxed);
  progress_.answered.store(answered_ - fill_sent_, std::memory_order_relaxed);
  progress_.late.store(figures_.late, std::memory_order_relaxed);
  progress_.executions.store(figures_.executions, std::memory_order_relaxed);
  progress_.lost.store(feed_.counts().lost, std::memory_order_relaxed);
}

void LoadClient::send_scheduled() {
  for (std::size_t i = 0; i < kMaxBurst; ++i) {
    const LoadFrame& frame = source_->next();
    if (frame.size == 0) return enter(Stage::drain);
    const LoadMessage& message = message_of(frame.message);
    const TimeNs due_ns = start_ns_ + message.due_ns;
    if (due_ns > now_ns_) return;
    if (!send_frame(frame)) break;
    last_sent_ns_ = now_ns_;
    if (!measured(message)) continue;
    figures_.send_lateness.record(now_ns_ - due_ns);
    figures_.late += now_ns_ - due_ns > kLoadLateNs;
  }
  const TimeNs end_ns = start_ns_ + options_.warm_up_ns + options_.measured_ns;
  if (now_ns_ > end_ns + kGraceNs) enter(Stage::drain);
}

void LoadClient::send_window() {
  if (now_ns_ < start_ns_) return;
  const TimeNs into_ns = now_ns_ - start_ns_;
  if (into_ns >= options_.warm_up_ns + options_.measured_ns) return enter(Stage::drain);
  if (connections_ == nullptr && sent_ - answered_ - given_up_ >= options_.window &&
      now_ns_ > std::max(last_answer_ns_, last_sent_ns_) + kWindowStuckNs) {
    given_up_ = sent_ - answered_;
  }
  while (sent_ - answered_ < options_.window + given_up_) {
    const LoadFrame& frame = source_->next();
    message_of(frame.message).due_ns = into_ns;
    if (!send_frame(frame)) return;
    last_sent_ns_ = now_ns_;
  }
}

void LoadClient::watch_server() {
  if (answered_ >= sent_) last_heard_ns_ = now_ns_;  // nothing is waited for
  if (now_ns_ < last_heard_ns_ + kSilenceNs) return;
  fail(fmt::format("the server has sent nothing for {} s; it is gone, or the link is", kSilenceNs / kNsPerSecond));
}

/// Until all is answered and told, or nothing more comes.
void LoadClient::drain() {
  keep_alive();
  ask_again();
  const bool streams = feed_.complete() && std::all_of(sessions_.begin(), sessions_.end(), [](const Session& session) {
                         return session.answers.complete();
                       });
  const bool all = answered_ >= sent_ && streams && feed_open_ == 0;
  const TimeNs quiet_since_ns = std::max({last_answer_ns_, last_sent_ns_, stage_ns_});
  if (!all && now_ns_ < quiet_since_ns + kDrainNs && !ended_) return;
  count_unanswered();
  const bool silent = !options_.floor && figures_.lost > 0 && now_ns_ >= last_heard_ns_ + kDrainNs;
  if (!failed_) figures_.judge_losses(sent_, silent ? kDrainNs : 0);
  failed_ = failed_ || silent;  // nobody is there to clear the books
  progress_.running.store(false, std::memory_order_relaxed);
  const bool nothing_rests = options_.floor || options_.capture != nullptr || failed_;
  last_answer_ns_ = now_ns_;
  if (nothing_rests) return enter(Stage::leave);
  clear_lost_ = sent_ - answered_;
  source_->begin_clearing();
  enter(Stage::clear);
}

/// The books are left as they were found, so that the next run finds them so.
void LoadClient::clear() {
  keep_alive();
  ask_again();
  while (sent_ - answered_ - clear_lost_ < kFillWindow && source_->next().size > 0 && send_frame(source_->next())) {
  }
  const bool answered = sent_ - answered_ == clear_lost_;
  if (answered) last_answer_ns_ = now_ns_;
  if ((answered && source_->cleared()) || now_ns_ > last_answer_ns_ + kPatienceNs) enter(Stage::leave);
}

void LoadClient::leave() {
  if (connections_ != nullptr) return leave_over_tcp();
  for (Session& session : sessions_) {
    if (!options_.floor && session.answers.begun()) send_logout(session);
  }
  finish();
  enter(Stage::done);
}

void LoadClient::stop(const std::string& why) {
  if (stage_ < Stage::leave) fail(why);
}

void LoadClient::fail(const std::string& why) {
  if (!failed_) figures_.partial = why;
  failed_ = true;
  const bool sending = stage_ == Stage::run || stage_ == Stage::fill;
  if (sending && !ended_ && now_ns_ < last_heard_ns_ + kSilenceNs) return enter(Stage::drain);
  if (stage_ >= Stage::fill && stage_ <= Stage::drain) count_unanswered();
  progress_.running.store(false, std::memory_order_relaxed);
  enter(Stage::leave);
}

void LoadClient::count_unanswered() {
  const LoadUnanswered unanswered = source_->unanswered();
  figures_.lost = unanswered.lost;
  figures_.too_late = unanswered.too_late;
  const TimeNs into_ns = now_ns_ - std::min(now_ns_, start_ns_);
  const bool window = !options_.schedule && options_.capture == nullptr;
  if (!window) figures_.not_sent = source_->left(std::min(into_ns, options_.warm_up_ns + options_.measured_ns));
}

void LoadClient::finish() {
  const bool window = !options_.schedule && options_.capture == nullptr;
  for (const LoadLatency part :
       {LoadLatency::ack_add, LoadLatency::ack_cross, LoadLatency::ack_cancel, LoadLatency::ack_other}) {
    figures_.of(LoadLatency::ack).merge(figures_.of(part));
  }
  for (const LoadLatency part : {LoadLatency::feed_add, LoadLatency::feed_execution, LoadLatency::feed_delete}) {
    figures_.of(LoadLatency::feed).merge(figures_.of(part));
  }
  const TimeNs begun_ns = start_ns_ + options_.warm_up_ns;
  figures_.answering_ns = last_measured_answer_ns_ > begun_ns ? last_measured_answer_ns_ - begun_ns : 0;
  figures_.sending_ns = last_sent_ns_ > begun_ns ? last_sent_ns_ - begun_ns : 0;
  figures_.feed_missing = feed_open_;
  for (const Session& session : sessions_) {
    const LoadStream::Counts& counts = session.answers.counts();
    figures_.answers.lost += counts.lost;
    figures_.answers.recovered += counts.recovered;
    figures_.answers.out_of_order += counts.out_of_order;
    figures_.answers.repeated += counts.repeated;
  }
  figures_.feed = feed_.counts();
  if (connections_ != nullptr) {
    figures_.tcp = connections_->figures();
    figures_.malformed += connections_->odd_packets();
  }
  const bool behind = figures_.not_sent > 0 || figures_.sending_ns > figures_.measured_ns + figures_.measured_ns / 100;
  if (figures_.partial.empty() && !window && behind) {
    figures_.partial = figures_.tx_blocked > 0
                           ? "the rate was not reached: the port took no more; the appliance or the link is the limit"
                           : "the rate was not reached: the sender cannot do more";
  }
}

}  // namespace crosswire
