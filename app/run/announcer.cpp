// When our address is announced: see the header. The control thread.
#include "app/run/announcer.hpp"

#include <utility>

#include "netstack/frame_writer/arp_announcement.hpp"

namespace crosswire {
namespace {

// RFC 5227 section 1.1.
constexpr unsigned kAnnounceNum = 2;
constexpr std::uint64_t kAnnounceIntervalNs = 2'000'000'000;

}  // namespace

Announcer::Announcer(const NetConfig& config, Leave leave) : leave_(std::move(leave)) {
  for (const std::uint16_t vlan : config.vlans) frames_.push_back(arp_announcement(config, vlan));
  if (frames_.empty()) frames_.push_back(arp_announcement(config, 0));
}

void Announcer::begin(std::uint64_t now_ns) {
  next_ = 0;
  rounds_ = kAnnounceNum;
  due_ns_ = now_ns;
}

void Announcer::look(std::uint64_t now_ns) {
  if (rounds_ == 0 || now_ns < due_ns_) return;
  next_ += leave_(std::span(frames_).subspan(next_));
  if (next_ < frames_.size()) return;
  next_ = 0;
  --rounds_;
  due_ns_ = now_ns + kAnnounceIntervalNs;
}

}  // namespace crosswire
