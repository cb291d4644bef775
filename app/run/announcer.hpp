// When our address is announced: twice, two seconds apart (RFC 5227), whenever frames can come and go again. The
// control thread runs it; it leaves the frames with a transmit port.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "netstack/common/config.hpp"
#include "netstack/port/link_frames.hpp"

namespace crosswire {

class Announcer {
 public:
  /// Takes frames to be sent, as many as it has room for, and returns how many.
  using Leave = std::function<std::size_t(std::span<const LinkFrame>)>;

  /// One frame for each accepted VLAN, an untagged one where none is.
  Announcer(const NetConfig& config, Leave leave);

  /// The link is there, or there again.
  void begin(std::uint64_t now_ns);
  /// To be called about every 100 ms; `now_ns` of any steady clock.
  void look(std::uint64_t now_ns);

 private:
  Leave leave_;
  std::vector<LinkFrame> frames_;
  std::size_t next_ = 0;
  unsigned rounds_ = 0;  // to come, the one under way included
  std::uint64_t due_ns_ = 0;
};

}  // namespace crosswire
