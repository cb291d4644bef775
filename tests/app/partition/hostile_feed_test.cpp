// Hostile re-requests, crossed ports, reflections, and everything at once: what is counted, what is answered, and that
// bystanders notice nothing.
#include <cstdio>
#include <random>

#include "tests/app/partition/hostile_rig.hpp"

namespace crosswire::test {
namespace {

using enum ReceiveCounter;
constexpr std::uint64_t kMost = ~std::uint64_t{0};

class HostileFeed : public Hostile {
 protected:
  static wire::mold::Header header_of(const FrameBytes& frame) {
    const Payload payload = payload_of(frame);
    return *wire::view_as<wire::mold::Header>(payload);
  }

  FrameBytes feed_request(std::uint64_t first, std::uint16_t count) const {
    return to_requests(mold_header(kFeedSession, first, count));
  }
  FrameBytes order_request(std::uint64_t first, std::uint16_t count) const {
    return to_orders(mold_header(kOrderSession, first, count));
  }

  /// A frame that the appliance sent, sent back to it by the attacker: his MAC and address instead of theirs.
  FrameBytes turned_round(FrameBytes frame, bool swap_ports) const {
    std::copy(kOurMac.begin(), kOurMac.end(), frame.begin());
    std::copy(mal.mac.begin(), mal.mac.end(), frame.begin() + 6);
    if (get16(frame, 12) != 0x0800) return frame;
    set16(frame, 26, mal.address >> 16);
    set16(frame, 28, mal.address & 0xFFFF);
    set16(frame, 30, kOurAddress >> 16);
    set16(frame, 32, kOurAddress & 0xFFFF);
    fix_ip(frame, 14);
    if (frame[23] != 17) return frame;
    const std::size_t from = get16(frame, 34);
    const std::size_t to = get16(frame, 36);
    if (swap_ports) set16(frame, 34, to);
    set16(frame, 36, from);
    fix_udp(frame, 14);
    return frame;
  }

  /// What such a frame has to be counted under.
  static ReceiveCounter counter_of_reflection(const FrameBytes& frame) {
    if (get16(frame, 12) == 0x0806) return arp_sender_ours;
    if (frame[23] == 1) return icmp_not_echo;
    switch (get16(frame, 34)) {
      case kOrderPort:
        return payload_of(frame)[0] == 0 ? soup_type : order_source_unknown;
      case kRequestPort:
        return feed_request_malformed;
      default:
        return udp_port_unknown;
    }
  }

  /// Everything that left for the bystanders and on the feed, on a day without an attack.
  Frames everything_sent() {
    attack({}, {});
    Frames frames;
    for (const std::vector<Left>* list : {&quiet.ann, &quiet.bob, &quiet.feed}) {
      for (const Left& left : *list) frames.push_back(left.bytes);
    }
    return frames;
  }
};

// ---- Re-requests ----------------------------------------------------------------------------------------------------

TEST_F(HostileFeed, AFloodOfFeedRequestsUnderForgedAddressesUsesUpItsOwnTenthOfTheAnswers) {
  const std::size_t part = config_.net.feed_requests_per_second / 10;
  constexpr std::size_t kFlood = 20'000;
  Frames frames;
  Client forged = mal;
  for (std::uint32_t i = 0; i < kFlood; ++i) {
    forged.address = i % 3 == 0 ? ann.address : 0x0A640000 + i;
    forged.port = static_cast<std::uint16_t>(1 + i);
    frames.push_back(udp_frame(forged, kRequestPort, mold_header(kFeedSession, 1, 65'534)));
  }
  const Frames answers = attack(frames, {{feed_requests, part}, {feed_request_rate, kFlood - part}}, Attack::at_once);
  EXPECT_EQ(answers.size(), part);
}

TEST_F(HostileFeed, FeedRequestsOutsideTheFeedGetItsNextNumberOrNothing) {
  const Frames answers = attack({feed_request(kMost, 1), feed_request(kMost, 65'534),
                                 feed_request(kMost - 65'533, 65'534), feed_request(1'000'000, 1), feed_request(0, 1),
                                 feed_request(kMost, 0), feed_request(1, 0), feed_request(1, 65'535)},
                                {{feed_requests, 4}, {feed_request_malformed, 4}});
  ASSERT_EQ(answers.size(), 4u);
  for (const FrameBytes& answer : answers) {
    EXPECT_EQ(header_of(answer).count, 0);
    EXPECT_LT(header_of(answer).sequence, 1000u);
  }
  EXPECT_EQ(hostile.count(PublishCounter::resends_past_end) - quiet.count(PublishCounter::resends_past_end), 4u);
}

TEST_F(HostileFeed, AFeedRequestForEverythingGetsOnePacket) {
  const Frames answers = attack({feed_request(1, 65'534)}, {{feed_requests, 1}});
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_LE(answers[0].size(), 1514u);
  EXPECT_GT(header_of(answers[0]).count, 1);
}

TEST_F(HostileFeed, OrderRequestsOutsideTheStreamGetItsNextNumberOrNothing) {
  const Frames answers =
      attack({order_request(kMost, 1), order_request(kMost, 65'534), order_request(kMost - 65'533, 65'534),
              order_request(2, 1), order_request(0, 1), order_request(kMost, 0), order_request(1, 65'535)},
             {{order_requests, 4}, {order_sequence, 1}, {order_count, 2}});
  ASSERT_EQ(answers.size(), 4u);
  for (const FrameBytes& answer : answers) {
    EXPECT_EQ(header_of(answer).count, 0);
    EXPECT_EQ(header_of(answer).sequence, 2u) << "it has had its System Event alone";
  }
  EXPECT_EQ(hostile.count(TransmitCounter::resends_past_end) - quiet.count(TransmitCounter::resends_past_end), 4u);
}

TEST_F(HostileFeed, AFloodOfOrderRequestsIsAnsweredToWhoIsBoundAlone) {
  config_.net.order_requests_per_second = 100'000;  // its rate is hostile_session_test's
  config_.net.order_resend_bytes_per_second = 1'000'000'000;
  const Frames answers = attack(Frames(10'000, order_request(1, 65'534)), {{order_requests, 10'000}}, Attack::at_once);
  EXPECT_EQ(answers.size(), 10'000u);
}

// ---- Ports ----------------------------------------------------------------------------------------------------------

TEST_F(HostileFeed, OrderDatagramsToTheRequestPortAreDropped) {
  expect_silence(
      {to_requests(login_packet("MAL", "mal")), to_requests(soup_packet('R')), to_requests(soup_packet('O')),
       to_requests(mold_packet(1, {query_message()})), to_requests({}),
       to_requests(mold_packet(1, {query_message()}, kFeedSession)), to_requests(mold_header(kOrderSession, 1, 1))},
      {{feed_request_malformed, 6}, {feed_request_session, 1}});
}

TEST_F(HostileFeed, FeedRequestsToTheOrderPortAreDropped) {
  Client stranger = mal;
  stranger.port = 1;
  const Frames answers = attack(
      {to_orders(mold_header(kFeedSession, 1, 1)), udp_frame(stranger, kOrderPort, mold_header(kFeedSession, 1, 1))},
      {{order_session, 1}, {order_source_unknown, 1}});
  EXPECT_EQ(answers.size(), 2u) << "a stranger is told that he has no session";
}

TEST_F(HostileFeed, WhoSendsFromOurPortNumbersIsAClientAsAnyOther) {
  Frames frames;
  for (const std::uint16_t port : {kOrderPort, kRequestPort, std::uint16_t{26477}}) {
    Client client = mal;
    client.port = port;
    frames.push_back(udp_frame(client, kRequestPort, mold_header(kFeedSession, 1, 1)));
    frames.push_back(login_frame(client, "MAL2", "mal"));
    frames.push_back(udp_frame(client, kOrderPort, soup_packet('O')));
  }
  const Frames answers = attack(frames, {{feed_requests, 3}, {logins, 3}, {logouts, 3}});
  EXPECT_EQ(answers.size(), 6u);
}

TEST_F(HostileFeed, ItsOwnFramesComingBackAreDropped) {
  Frames frames = everything_sent();
  const std::size_t sent = frames.size();
  const std::size_t multicast = quiet.feed.size();
  for (std::size_t i = 0; i < sent; ++i) {
    frames.push_back(frames[i]);
    std::copy(kOurMac.begin(), kOurMac.end(), frames.back().begin());
  }
  expect_silence(
      frames, {{ether_other_destination, sent - multicast}, {ether_multicast, multicast}, {ether_source_ours, sent}});
}

/// So no pair of appliances, and no echo server, can be made to talk to each other: what looks like a client without a
/// session is told so, at a rate, and that is the end of it.
TEST_F(HostileFeed, WhatItSendsTurnedRoundMakesItTellAStrangerAndNoMore) {
  Frames frames;
  Counts counts;
  for (const FrameBytes& frame : everything_sent()) {
    for (const bool swap_ports : {true, false}) {
      frames.push_back(turned_round(frame, swap_ports));
      ++counts[counter_of_reflection(frame)];
    }
  }
  EXPECT_EQ(counts.size(), 6u) << "there are frames of each kind";
  const Frames answers = attack(frames, counts);
  EXPECT_LE(answers.size(), 2u * config_.net.strangers_told_per_second / 10 * 3 / 2);
  ASSERT_FALSE(answers.empty());
  Frames again;
  for (const FrameBytes& answer : answers) {
    for (const bool swap_ports : {true, false}) again.push_back(turned_round(answer, swap_ports));
  }
  expect_silence(again, {{soup_type, again.size()}});
}

// ---- Everything -----------------------------------------------------------------------------------------------------

/// Frames of every kind, half of them spoilt: bytes changed, cut off, added, put twice; checksums fixed or not. Two
/// stations send them under many addresses. No order is for a symbol that there is, so that the feed has no reason to
/// move.
class Soup {
 public:
  Soup(std::uint32_t seed, const Client& mal, const Client& victim) : random_(seed), mal_(mal), victim_(victim) {}

  FrameBytes frame() {
    FrameBytes frame = valid();
    if (below(2) == 0) spoil(frame);
    if (frame.size() >= 12) {
      std::copy(mal_.mac.begin(), mal_.mac.end(), frame.begin() + 6);
      if (below(4) == 0) frame[11] = 0x7A;
    }
    return frame;
  }

 private:
  std::uint64_t below(std::uint64_t n) { return random_() % n; }

  Client client() {
    Client client = mal_;
    switch (below(6)) {
      case 0:
        client.address = static_cast<std::uint32_t>(random_());
        break;
      case 1:
        client = victim_;  // but for the MAC
        break;
      case 2:
        client.port = static_cast<std::uint16_t>(random_());
        break;
      default:
        break;
    }
    return client;
  }

  std::uint64_t number() {
    constexpr std::uint64_t kEdges[] = {0, 1, 2, kMost, kMost - 1, 1u << 31, 0xFFFF'FFFF};
    return below(3) == 0 ? kEdges[below(std::size(kEdges))] : upstream_ += below(3);
  }

  Payload message() {
    const auto ref = static_cast<std::uint32_t>(number());
    wire::ouch::EnterOrder enter = enter_fields(ref);
    enter.symbol = std::string_view{"NOWHERE"};
    switch (below(7)) {
      case 0:
        return cancel_message(ref, static_cast<std::uint32_t>(below(1000)));
      case 1:
        return modify_message(ref, "BSTEx"[below(5)], 1);
      case 2:
        return query_message();
      case 3:
        return replace_message(ref, ref + 1);
      case 4:
        return Payload(below(60), static_cast<std::uint8_t>("OUXMQCDEz"[below(9)]));
      default:
        return with_options(bytes(enter), option(static_cast<wire::ouch::Tag>(below(32)), Payload(below(9), 0)));
    }
  }

  FrameBytes valid() {
    const Client from = client();
    switch (below(12)) {
      case 0:
        return arp_frame(from);
      case 1:
        return echo_frame(from, 8 + below(1473));
      case 2:
        return login_frame(from, "MAL", below(2) == 0 ? "mal" : "guess");
      case 3:
        return login_frame(from, below(2) == 0 ? "MAL2" : "FAR", "mal", below(3) == 0 ? "OTHER" : "");
      case 4:
        return udp_frame(from, kOrderPort, soup_packet("RROUSHZ+"[below(8)]));
      case 5:
        return udp_frame(from, kOrderPort, mold_header(kOrderSession, number(), static_cast<std::uint16_t>(random_())));
      case 6:
        return udp_frame(from, kRequestPort,
                         mold_header(kFeedSession, number(), static_cast<std::uint16_t>(random_())));
      default: {
        std::vector<Payload> messages(1 + below(4));
        for (Payload& one : messages) one = message();
        return data_frame(from, number(), messages);
      }
    }
  }

  void spoil(FrameBytes& frame) {
    for (std::uint64_t n = below(4); n > 0; --n) frame[below(frame.size())] = static_cast<std::uint8_t>(random_());
    switch (below(4)) {
      case 0:
        frame.resize(below(frame.size() + 1));
        break;
      case 1:
        frame.resize(frame.size() + below(2000), static_cast<std::uint8_t>(random_()));
        break;
      case 2: {
        const FrameBytes copy = frame;
        put(frame, copy);
        break;
      }
      default:
        break;
    }
    if (below(2) == 0) fix_checksums(frame);
  }

  /// So that what is spoilt gets further in.
  static void fix_checksums(FrameBytes& frame) {
    if (frame.size() < 42 || get16(frame, 12) != 0x0800 || frame[14] != 0x45) return;
    fix_ip(frame, 14);
    const std::size_t length = get16(frame, 38);
    if (frame[23] == 17 && length >= 8 && 34 + length <= frame.size()) fix_udp(frame, 14);
  }

  std::mt19937_64 random_;
  const Client mal_;
  const Client victim_;
  std::uint64_t upstream_ = 1;
};

TEST_F(HostileFeed, ARandomSoupIsCountedFrameByFrameAndHarmsNobody) {
  constexpr std::uint32_t kSeed = 20'260'711;
  constexpr std::size_t kFrames = 200'000;
  std::printf("seed %u\n", kSeed);
  Soup soup(kSeed, mal, ann);
  Frames frames;
  for (std::size_t i = 0; i < kFrames; ++i) frames.push_back(soup.frame());
  quiet = run({}, Attack::spread);
  hostile = run(frames, Attack::spread);
  expect_bystanders_unharmed();

  // Each frame under one name: what was done, or why it was dropped. Messages have names of their own.
  std::uint64_t counted = 0;
  std::size_t names = 0;
  for (const auto& row : kReceiveCounters) {
    const bool message = row.counter == order_repeats || row.label.starts_with("ouch_");
    const bool done = row.counter == arp_requests || row.counter == icmp_echoes || row.counter == feed_requests ||
                      row.counter == logins || row.counter == logins_refused || row.counter == heartbeats ||
                      row.counter == logouts || row.counter == order_datagrams || row.counter == order_requests;
    if (message || !(row.kind == CounterKind::drop || done)) continue;
    const std::uint64_t rise = hostile.count(row.counter) - quiet.count(row.counter);
    counted += rise;
    names += rise > 0;
  }
  EXPECT_EQ(counted, kFrames);
  EXPECT_GT(names, 40u) << "the soup is not thin";
}

}  // namespace
}  // namespace crosswire::test
