// Brings a device back that has died under its ports: its kernel interface was deleted, or moved away, and made anew
// under the same name, or the card's driver asks for a reset. The control thread runs it.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "netstack/port/device.hpp"

namespace crosswire {

/// Closes the device's gates, and when every port has seen that, closes and opens the device (or resets it) and lets
/// the ports go on. Meanwhile the receive port brings empty bursts with the present time, so that phases, heartbeats
/// and expiries go on, and the transmit ports keep a batch each; of what is beyond that nothing could leave, and it is
/// counted (tx_no_device). Buffers that the stages have reserved stay valid. It never waits for a port.
class DeviceKeeper {
 public:
  struct News {
    std::string because;  // "interface xwire0 is gone"
    std::string error;    // "": it is open again; else why it cannot be, told once. It is tried again each second
    bool operator==(const News&) const = default;
  };

  /// `device` outlives this.
  explicit DeviceKeeper(Device& device) : device_(device) {}

  /// To be called about every 100 ms; `now_ns` of any steady clock. What there is to say, if anything.
  std::optional<News> look(std::uint64_t now_ns);

 private:
  enum class State : std::uint8_t { open, closing, away };

  void shut();
  [[nodiscard]] bool ports_are_out() const;
  std::string bring_back();
  void let_go_on();

  Device& device_;
  State state_ = State::open;
  std::string because_;
  bool resets_ = false;  // the driver wants it, and may be able to; else it is closed and opened
  std::string said_;
  std::uint64_t tried_ns_ = 0;
};

}  // namespace crosswire
