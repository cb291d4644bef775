// A seeded day of what may arrive: clients that log in, trade, repeat, fall silent, take each other over; pings, ARP,
// lies and noise; time that stands, creeps and leaps. Tests only.
#pragma once

#include <random>
#include <vector>

#include "tests/netstack/client_frames.hpp"

namespace crosswire::test {

struct TimedBurst {
  TimeNs time_ns;
  std::vector<FrameBytes> frames;
};

class RandomBursts {
 public:
  RandomBursts(std::uint32_t seed, TimeNs start) : random_(seed), time_(start) {}

  TimedBurst next() {
    switch (below(20)) {
      case 0:
        time_ += 20 * kNsPerSecond;
        break;  // everybody falls silent
      case 1:
        time_ += below(3 * kNsPerSecond);
        break;
      case 2:
        break;
      default:
        time_ += below(1000);
    }
    const TimeNs fall = below(50) == 0 ? below(1000) : 0;
    TimedBurst burst{time_ - fall, {}};
    for (std::size_t n = below(2) == 0 ? 1 : below(kMaxBurst + 1); n > 0; --n) burst.frames.push_back(frame());
    return burst;
  }

  FrameBytes frame() {
    const Client from = client();
    switch (below(16)) {
      case 0:
        return arp_frame(from);
      case 1:
        return echo_frame(from, 8 + below(1473));
      case 2:
        return login_frame(from, pick<std::string_view>({"ALICE", "alice"}), "secret");
      case 3:
        return login_frame(from, "bob", pick<std::string_view>({"password", "password", "guess"}));
      case 4:
        return login_frame(from, "CAROL", "", pick<std::string_view>({"", kOrderSession, "OTHER"}));
      case 5:
        return udp_frame(from, kOrderPort, soup_packet(pick({'R', 'R', 'R', 'O', 'U'})));
      case 6:
        return udp_frame(from, kOrderPort, mold_header(kOrderSession, below(100), small(5)));
      case 7:
        return udp_frame(from, kRequestPort, mold_header(kFeedSession, below(100), small(5)));
      case 8:
        return spoilt(from);
      default:
        return data_frame(from, upstream(), messages());
    }
  }

  /// 0 .. n-1.
  std::uint64_t below(std::uint64_t n) { return random_() % n; }

 private:
  template <class T>
  T pick(std::initializer_list<T> choices) {
    return choices.begin()[below(choices.size())];
  }
  std::uint16_t small(std::uint64_t n) { return static_cast<std::uint16_t>(below(n)); }

  Client client() {
    Client client;
    client.address += static_cast<std::uint32_t>(below(3));
    client.mac[5] = static_cast<std::uint8_t>(client.address);
    if (below(60) == 0) client.mac[4] = 9;
    return client;
  }

  /// Mostly the next number of one count that all clients share, so that repeats, overlaps and gaps occur.
  std::uint64_t upstream() {
    upstream_ += below(4);
    if (below(30) == 0) upstream_ = 1;
    return upstream_;
  }

  std::vector<Payload> messages() {
    std::vector<Payload> result(1 + (below(3) == 0 ? below(12) : 0));
    for (Payload& message : result) message = order_message();
    return result;
  }

  Payload order_message() {
    const auto number = static_cast<std::uint32_t>(below(1000));
    switch (below(14)) {
      case 0:
        return cancel_message(number, small(200));
      case 1:
        return modify_message(number, pick({'B', 'S', 'T', 'E', 'x'}), small(200));
      case 2:
        return query_message();
      case 3:
        return replace_message(number, number + 1, order_options());
      case 4:
        return Payload(below(60), static_cast<std::uint8_t>(pick({'O', 'U', 'X', 'M', 'Q', 'C', 'D', 'E', 'z'})));
      case 5:
        return enter_message(number, option(wire::ouch::Tag::max_floor, {0, 0, 0, small_byte()}));
      case 6:
        return firm_message(number);
      case 7:
        return enter_message(number, order_options());
      default:
        return enter_message(number);
    }
  }
  /// Some that are offered, some that are not for every message, some twice.
  Payload options() {
    using enum wire::ouch::Tag;
    Payload result;
    while (below(2) == 0) {
      put(result, pick({option(user_ref_idx, {small_byte()}), option(min_qty, u32(small(200))),
                        option(post_only, letter(pick({'P', 'N', 'x'}))), option(expire_time, u32(86'390u + small(20))),
                        option(group_id, u16(below(3))), option(side, letter(pick({'B', 'S', 'x'})))}));
    }
    return result;
  }

  Payload order_options() {
    const bool stays = below(8) == 0;
    return stays ? option(wire::ouch::Tag::stay_on_disconnect, letter(pick({'Y', 'N', 'x'}))) : options();
  }

  Payload firm_message(std::uint32_t number) {
    const auto firm = pick<std::string_view>({"ALIC", "BOB", "CARO", ""});
    switch (below(3)) {
      case 0:
        return disable_message(number, firm);
      case 1:
        return enable_message(number, firm, options());
      default:
        return mass_cancel_message(number, firm, pick<std::string_view>({"AAA", "", "ZZZ"}), options());
    }
  }
  std::uint8_t small_byte() { return static_cast<std::uint8_t>(below(2)); }

  FrameBytes spoilt(const Client& from) {
    FrameBytes frame = data_frame(from, upstream(), messages());
    if (below(2) == 0) frame.resize(below(frame.size() + 1));
    for (std::uint64_t n = below(4); n > 0 && !frame.empty(); --n) {
      frame[below(frame.size())] = static_cast<std::uint8_t>(below(256));
    }
    return frame;
  }

  std::mt19937_64 random_;
  TimeNs time_;
  std::uint64_t upstream_ = 1;
};

}  // namespace crosswire::test
