// A load generator's frames from its mix: see mix_source.hpp. On the generator's one polling thread.
#include "app/load/mix_source.hpp"

#include <algorithm>
#include <cstring>

#include "hugepages/base/check.hpp"
#include "netstack/common/limits.hpp"
#include "netstack/ip/checksum.hpp"
#include "netstack/wire/mold.hpp"
#include "netstack/wire/ouch.hpp"

namespace crosswire {
namespace {

namespace mold = wire::mold;
namespace ouch = wire::ouch;

constexpr std::size_t kMessageAt = sizeof(mold::Header) + sizeof(wire::be16);  // in a payload of one message
constexpr std::size_t kEnterPayload = kMessageAt + sizeof(ouch::EnterOrder) + sizeof(wire::be16);
constexpr std::size_t kCancelPayload = kMessageAt + sizeof(ouch::CancelOrder);

template <class Message>
constexpr std::size_t kPayload = 0;
template <>
constexpr std::size_t kPayload<ouch::EnterOrder> = kEnterPayload;
template <>
constexpr std::size_t kPayload<ouch::CancelOrder> = kCancelPayload;

}  // namespace

LoadMixSource::LoadMixSource(const LoadOptions& options)
    : schedule_(options.schedule),
      end_ns_(options.warm_up_ns + options.measured_ns),
      resting_(options.mix.resting),
      mix_(options.mix, options.symbols, static_cast<std::uint32_t>(options.parties.size())),
      phase_(resting_ > 0 ? Phase::fill : Phase::mix),
      cells_(kAhead) {
  for (const SymbolConfig& symbol : options.symbols) symbols_.push_back(symbol.name);
  messages_.resize(std::size_t{2} * mix_.slots());
  sessions_.reserve(options.parties.size());
}

std::uint64_t LoadMixSource::memory(const LoadMixOptions& options, std::uint32_t sessions) {
  return LoadMix::memory(options, sessions) +
         std::uint64_t{2} * LoadMix::slots(options, sessions) * sizeof(LoadMessage);
}

void LoadMixSource::add_session(client::OrderClient& orders, const DatagramTemplate& to_exchange,
                                std::uint32_t next_ref) {
  Session session{};
  session.first_ref = next_ref;
  offset_ = kHeaders - to_exchange.payload_offset();
  const auto image = [this, &orders, &to_exchange](const auto& message, std::uint32_t& frame_size) {
    Image made{};
    std::array<std::uint8_t, kMaxFrame> frame{};
    std::uint8_t* const payload = frame.data() + to_exchange.payload_offset();
    orders.begin({payload, kMaxUdpPayload});
    orders.add(message);
    const std::size_t size = orders.finish();
    CHECK(size == kPayload<std::decay_t<decltype(message)>>, "a payload of %zu bytes", size);
    frame_size = static_cast<std::uint32_t>(to_exchange.finish(frame.data(), size));
    std::memcpy(made.bytes.data() + offset_, frame.data(), kImage - offset_);
    std::uint16_t checksum = 0;
    std::memcpy(&checksum, payload - sizeof checksum, sizeof checksum);
    // What the checksum is of, less the payload: in ones' complement a difference is the sum with what is inverted.
    made.sum = std::uint64_t{static_cast<std::uint16_t>(~checksum)} +
               static_cast<std::uint16_t>(~ip::folded(ip::ones_sum(payload, size)));
    return made;
  };
  session.enter = image(ouch::EnterOrder{.user_ref_num = 0u,
                                         .side = 'B',
                                         .quantity = LoadMix::kShares,
                                         .symbol = std::string_view{},
                                         .price = std::uint64_t{0},
                                         .time_in_force = '0',
                                         .display = 'Y',
                                         .capacity = 'A',
                                         .iso = 'N',
                                         .cross_type = 'N',
                                         .cl_ord_id = std::string_view{}},
                        enter_size_);
  session.next_upstream = wire::overlay<mold::Header>(session.enter.bytes.data() + kHeaders).sequence;
  session.cancel = image(ouch::CancelOrder{.user_ref_num = 0u, .quantity = 0u}, cancel_size_);
  sessions_.push_back(session);
}

bool LoadMixSource::make() {
  if (made_ - popped_ == kAhead) return false;
  if (phase_ == Phase::clear) return make_clearing();
  TimeNs due_ns = 0;
  const bool filling = phase_ == Phase::fill;
  if (!filling && !make_due(due_ns)) return false;
  const LoadOrder order = filling ? mix_.next_add() : mix_.next();
  if (order.kind == LoadKind::cancel) {
    const std::uint32_t at = order.slot & (mix_.per_session() - 1);
    cancel(order.session, order.slot, ref_of(order.session, at), due_ns);
  } else {
    enter(order, sessions_[order.session].first_ref + mix_.used(order.session) - 1, due_ns);
  }
  if (filling && mix_.live() == resting_) phase_ = Phase::mix;
  return true;
}

/// False: the time is over.
bool LoadMixSource::make_due(TimeNs& due_ns) {
  if (phase_ == Phase::end) return false;
  if (!schedule_) return true;
  due_ns = schedule_->next();
  if (due_ns >= end_ns_) phase_ = Phase::end;
  return phase_ != Phase::end;
}

/// UserRefNum of the newest order in place `at` of a session's slots.
std::uint32_t LoadMixSource::ref_of(std::uint32_t session, std::uint32_t at) const {
  const std::uint32_t newest = mix_.used(session) - 1;
  return sessions_[session].first_ref + newest - ((newest - at) & (mix_.per_session() - 1));
}

template <class Message, class Write>
void LoadMixSource::write(const Image& image, std::uint32_t session, std::uint32_t size, std::uint32_t message,
                          Write&& write) {
  Cell& to = cell(made_++);
  std::memcpy(to.bytes.data(), image.bytes.data(), kImage);
  to.size = size;
  to.message = message;
  std::uint8_t* const payload = to.bytes.data() + kHeaders;
  wire::overlay<mold::Header>(payload).sequence = sessions_[session].next_upstream++;
  write(wire::overlay<Message>(payload + kMessageAt));
  const std::uint16_t sum = ip::checksum(ip::ones_sum(payload, kPayload<Message>, image.sum));
  const std::uint16_t sent = sum == 0 ? std::uint16_t{0xFFFF} : sum;  // as DatagramTemplate::finish()
  std::memcpy(payload - sizeof sent, &sent, sizeof sent);
  if (head_.size == 0) show_head();
}

/// Counts in letters: no two orders have the same, and to count one further is cheaper than to write a number.
const char* LoadMixSource::next_cl_ord_id() {
  std::size_t at = cl_ord_id_.size() - 1;
  while (++cl_ord_id_[at] > 'Z') cl_ord_id_[at--] = 'A';
  return cl_ord_id_.data();
}

void LoadMixSource::enter(const LoadOrder& order, std::uint32_t ref, TimeNs due_ns) {
  const std::uint32_t number = order_in(order.slot);
  keep_account(order.slot, gone_);
  const bool filling = phase_ == Phase::fill;
  messages_[number] = {.due_ns = due_ns, .session = order.session, .kind = order.kind, .aside = filling};
  messages_[cancel_in(order.slot)].sent = false;
  write<ouch::EnterOrder>(sessions_[order.session].enter, order.session, enter_size_, number,
                          [this, ref, &order](ouch::EnterOrder& enter) {
                            enter.user_ref_num = ref;
                            enter.side = order.buy ? 'B' : 'S';
                            enter.symbol = symbols_[order.symbol];
                            enter.price = std::uint64_t{order.price};
                            enter.time_in_force = order.kind == LoadKind::cross ? '3' : '0';
                            std::memcpy(&enter.cl_ord_id, next_cl_ord_id(), sizeof cl_ord_id_);
                          });
}

void LoadMixSource::cancel(std::uint32_t session, std::uint32_t slot, std::uint32_t ref, TimeNs due_ns) {
  const std::uint32_t number = cancel_in(slot);
  messages_[order_in(slot)].link = number;
  messages_[number] = {.due_ns = due_ns,
                       .session = static_cast<std::uint16_t>(session),
                       .kind = LoadKind::cancel,
                       .aside = phase_ == Phase::fill || phase_ == Phase::clear};
  write<ouch::CancelOrder>(sessions_[session].cancel, session, cancel_size_, number,
                           [ref](ouch::CancelOrder& cancel) { cancel.user_ref_num = ref; });
}

void LoadMixSource::show_head() {
  const Cell& first = cell(popped_);
  head_ = {first.bytes.data() + offset_, first.size, first.message};
}

void LoadMixSource::drop() {
  ++popped_;
  if (popped_ == made_) {
    head_ = {};
  } else {
    show_head();
  }
}

/// An Enter always has an answer, and so has a cancel as long as its order rests.
void LoadMixSource::keep_account(std::uint32_t slot, LoadUnanswered& of) const {
  const LoadMessage& order = messages_[order_in(slot)];
  const LoadMessage& cancel = messages_[cancel_in(slot)];
  of.lost += order.sent && !order.answered;
  if (!cancel.sent || cancel.answered) return;
  ++(order.ended ? of.too_late : of.lost);
}

LoadUnanswered LoadMixSource::unanswered() const {
  LoadUnanswered all = gone_;
  for (std::uint32_t slot = 0; slot < mix_.slots(); ++slot) keep_account(slot, all);
  return all;
}

std::uint64_t LoadMixSource::left(TimeNs until) {
  std::uint64_t count = 0;
  for (std::uint64_t number = popped_; number < made_; ++number) {
    count += messages_[cell(number).message].due_ns < until;
  }
  if (!schedule_ || phase_ != Phase::mix) return count;
  while (schedule_->next() < until) ++count;
  phase_ = Phase::end;
  return count;
}

void LoadMixSource::begin_clearing() {
  // What is ready is not sent any more, and its numbers are free again.
  while (made_ > popped_) {
    const LoadMessage& unsent = messages_[cell(--made_).message];
    --sessions_[unsent.session].next_upstream;
  }
  head_ = {};
  phase_ = Phase::clear;
}

bool LoadMixSource::make_clearing() {
  // Some at a time: the sessions want heartbeats.
  const std::uint32_t end = std::min(clear_slot_ + (1u << 16), mix_.slots());
  while (clear_slot_ < end) {
    const std::uint32_t slot = clear_slot_++;
    const LoadMessage& order = messages_[order_in(slot)];
    if (order.kind != LoadKind::add || !order.answered || order.ended) continue;
    const std::uint32_t session = slot / mix_.per_session();
    cancel(session, slot, ref_of(session, slot & (mix_.per_session() - 1)), 0);
    return true;
  }
  if (clear_slot_ == mix_.slots()) phase_ = Phase::end;
  return false;
}

}  // namespace crosswire
