// A load generator's frames from a capture: see capture_source.hpp. On the generator's one polling thread.
#include "app/load/capture_source.hpp"

#include <array>
#include <cstring>

#include "netstack/common/limits.hpp"
#include "netstack/wire/mold.hpp"
#include "netstack/wire/ouch.hpp"

namespace crosswire {

namespace mold = wire::mold;
namespace ouch = wire::ouch;

LoadCaptureSource::LoadCaptureSource(const LoadOptions& options)
    : capture_(*options.capture), schedule_(options.schedule) {}

bool LoadCaptureSource::make() {
  const std::size_t at = frames_.size();
  if (at == capture_.payloads.size()) return false;
  const std::span<const std::uint8_t> payload = capture_.payloads[at];
  Session& session = sessions_[capture_.party[at]];
  std::array<std::uint8_t, kMaxFrame> frame;
  std::uint8_t* const to = frame.data() + session.to_exchange.payload_offset();
  std::memcpy(to, payload.data(), payload.size());
  wire::overlay<mold::Header>(to).session = session.name;
  frames_.add({frame.data(), session.to_exchange.finish(frame.data(), payload.size())}, LoadFrame::kReadable);

  LoadMessage known{.due_ns = schedule_ ? schedule_->next() : capture_.due_ns[at], .session = capture_.party[at]};
  const auto number = static_cast<std::uint32_t>(at);
  for (mold::BlockReader blocks(payload); blocks.next();) keep(blocks.block(), number, known);
  messages_.push_back(known);
  show_head();  // frames_ has moved
  return true;
}

/// What a datagram asks, by its first message; all its orders are known to be of it.
void LoadCaptureSource::keep(wire::Bytes message, std::uint32_t number, LoadMessage& known) {
  Session& session = sessions_[known.session];
  const auto follow = [this, number, &session](std::uint32_t ref) {
    std::uint32_t order = session.refs.find(ref);
    if (order == LoadMessage::kNone || order == number) return;
    while (messages_[order].link != LoadMessage::kNone) order = messages_[order].link;
    messages_[order].link = number;
  };
  if (const auto* const enter = wire::view_as<ouch::EnterOrder>(message);
      enter != nullptr && enter->type == enter->kType) {
    session.refs.add(enter->user_ref_num, number);
    known.kind = enter->time_in_force == '3' ? LoadKind::cross : LoadKind::add;
  } else if (const auto* const replace = wire::view_as<ouch::ReplaceOrder>(message);
             replace != nullptr && replace->type == replace->kType) {
    session.refs.add(replace->user_ref_num, number);
    known.kind = LoadKind::replace;
  } else if (const auto* const modify = wire::view_as<ouch::ModifyOrder>(message);
             modify != nullptr && modify->type == modify->kType) {
    follow(modify->user_ref_num);
    known.kind = LoadKind::modify;
  } else if (const auto* const cancel = wire::view_as<ouch::CancelOrder>(message);
             cancel != nullptr && cancel->type == cancel->kType) {
    follow(cancel->user_ref_num);
    known.kind = LoadKind::cancel;
  }
}

void LoadCaptureSource::drop() {
  ++next_;
  show_head();
}

void LoadCaptureSource::show_head() {
  if (next_ == frames_.size()) {
    head_ = {};
    return;
  }
  const std::span<const std::uint8_t> frame = frames_[next_];
  head_ = {frame.data(), static_cast<std::uint32_t>(frame.size()), static_cast<std::uint32_t>(next_)};
}

/// An Enter always has an answer. Of the other orders it is not known which are gone by then.
LoadUnanswered LoadCaptureSource::unanswered() const {
  LoadUnanswered all;
  for (const LoadMessage& message : messages_) {
    if (!message.sent || message.answered) continue;
    const bool enter = message.kind == LoadKind::add || message.kind == LoadKind::cross;
    ++(enter ? all.lost : all.too_late);
  }
  return all;
}

}  // namespace crosswire
