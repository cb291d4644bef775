// Between one port of a device and the control thread, which takes the device away (DeviceKeeper) and brings it back
// under the stage that polls. The port's thread pays one load for each burst, of a word that only the control thread
// writes; it waits for nobody.
#pragma once

#include <atomic>
#include <cstdint>

namespace crosswire {

class DeviceGate {
 public:
  static constexpr std::uint16_t kShut = 0xFFFF;  // no device has that id

  /// `call`: is set when the port's thread is to come by although it has nothing to send; nullptr where it always does.
  explicit DeviceGate(std::uint16_t port_id, std::atomic<bool>* call = nullptr) : word_(port_id), call_(call) {}
  DeviceGate(const DeviceGate&) = delete;
  DeviceGate& operator=(const DeviceGate&) = delete;

  /// The port's thread, before each burst: the id to poll, or kShut. From then on, until it gets an id again, it holds
  /// nothing that the driver would miss.
  std::uint16_t enter() {
    const std::uint32_t word = word_.load(std::memory_order_acquire);
    const auto port_id = static_cast<std::uint16_t>(word);
    if (port_id == kShut) [[unlikely]]
      seen_.store(word, std::memory_order_release);
    return port_id;
  }

  // The control thread:

  void shut() {
    const std::uint32_t round = (word_.load(std::memory_order_relaxed) >> 16) + 1;
    word_.store(round << 16 | kShut, std::memory_order_release);
    call();
  }
  /// Has the port's thread seen that it is shut? Then it is out of the driver.
  [[nodiscard]] bool clear() const {
    return seen_.load(std::memory_order_acquire) == word_.load(std::memory_order_relaxed);
  }
  void open(std::uint16_t port_id) {
    word_.store((word_.load(std::memory_order_relaxed) & 0xFFFF'0000) | port_id, std::memory_order_release);
    call();
  }

 private:
  void call() {
    if (call_ != nullptr) call_->store(true, std::memory_order_release);
  }

  std::atomic<std::uint32_t> word_;     // how often it was shut, above; the id below
  std::atomic<std::uint32_t> seen_{0};  // the last word that said kShut to the port's thread
  std::atomic<bool>* call_;
};

}  // namespace crosswire
