// Where a load generator's frames come from, one after the other, and what is known of the messages in them. The
// generator's polling thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "app/load/plan.hpp"
#include "engine/types.hpp"

namespace crosswire {

/// A frame that is ready to be sent; `bytes` are the source's until it is popped.
struct LoadFrame {
  static constexpr std::size_t kReadable = 116;  // of `bytes`, whatever `size` says

  const std::uint8_t* bytes = nullptr;
  std::uint32_t size = 0;  // 0: there is none
  std::uint32_t message = LoadMessage::kNone;
};

/// Messages without any answer, by what that means.
struct LoadUnanswered {
  std::uint64_t lost = 0;
  std::uint64_t too_late = 0;  // they name an order that is gone, or may be: silence is the answer
};

class LoadSource {
 public:
  virtual ~LoadSource() = default;

  /// Makes one more frame. False: none is left, or as many are ready as there is room for.
  virtual bool make() = 0;
  /// The next frame to be sent, which is made if need be; its size is 0 if none is left.
  const LoadFrame& next() {
    if (head_.size == 0) make();
    return head_;
  }
  /// next() has been sent.
  void pop() {
    messages_[head_.message].sent = true;
    drop();
  }

  LoadMessage& operator[](std::uint32_t message) { return messages_[message]; }
  /// The message that a session's UserRefNum is of, the newest if there were several; LoadMessage::kNone.
  virtual std::uint32_t find(std::uint32_t session, std::uint32_t user_ref_num) const = 0;

  /// At the end. What was due before `until` and not sent.
  virtual std::uint64_t left(TimeNs until) = 0;
  /// Of all that was sent.
  virtual LoadUnanswered unanswered() const = 0;
  /// From now on make() makes cancels of what still rests, if this source knows that.
  virtual void begin_clearing() = 0;
  /// All of them were made.
  virtual bool cleared() const = 0;

 protected:
  /// head_ becomes the next frame that is ready.
  virtual void drop() = 0;

  LoadFrame head_;
  std::vector<LoadMessage> messages_;
};

}  // namespace crosswire
