// VlanFilter: which 802.1Q VLAN ids are let in.
// receive stage; fixed at set-up, standard library only.
#pragma once

#include <bitset>
#include <cstdint>
#include <vector>

namespace crosswire::link {

class VlanFilter {
 public:
  /// The id's 12 bits of a tag control field.
  static constexpr std::uint16_t kIdMask = 0x0FFF;

  /// NetConfig::vlans: empty lets in untagged frames only; else the ids listed, and untagged frames if 0 is listed.
  explicit VlanFilter(const std::vector<std::uint16_t>& vlans) {
    if (vlans.empty()) accepted_.set(0);
    for (const std::uint16_t vlan : vlans) accepted_.set(vlan & kIdMask);
    accepted_.reset(kIdMask);  // 4095 is reserved (802.1Q, table 9-2)
  }

  /// `vlan` is 0 .. 4095; 0 stands for untagged.
  bool accepts(std::uint16_t vlan) const { return accepted_.test(vlan); }

 private:
  std::bitset<kIdMask + 1> accepted_;
};

}  // namespace crosswire::link
