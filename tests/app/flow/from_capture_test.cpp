// `crosswire flow --from-capture`: sessions over TCP as a capture has them, through to the replay's executions.
#include "app/flow/from_capture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "app/config/config.hpp"
#include "app/flow/error.hpp"
#include "app/flow/frames.hpp"
#include "app/flow/output.hpp"
#include "tests/app/flow/captured.hpp"
#include "tests/app/program.hpp"
#include "tests/seed.hpp"

namespace crosswire {
namespace {

using test::Buffer;
using test::Captured;
using test::Client;
using test::enter;
using test::Folder;
using test::kStart;
using test::kStep;
using test::login;
using test::order;
using test::ouch;
using test::packet;
using test::session_of;
using test::operator+=;

TEST(FromCapture, ReportsByUserAndByteWhatIsMissingAndWhoLostIt) {
  const Client client = session_of("ALPHA", {order(1), order(2), order(3), order(4)});
  const Captured captured(
      {client.syn(), client.data(0, 99), client.data(149, 199), client.data(199, 210), client.ack(199), client.fin()});
  EXPECT_EQ(captured.figures.orders.messages[0], 2u);
  const std::string text = captured.text();
  EXPECT_NE(
      text.find("10.0.1.1:40001 -> 10.0.0.1:9001, user ALPHA: 2 messages, 160 bytes, 89 missing; from its SYN on\n"
                "  missing: 50 bytes from byte 99 on; lost by the capture: the exchange has acknowledged them\n"
                "  missing: 39 bytes from byte 210 on; never arrived, as far as the capture tells\n"),
      std::string::npos)
      << text;
  const Captured alone({client.syn(), client.data(0, 99), client.data(149, 199)});
  EXPECT_NE(alone.text().find("the exchange's side is not in it"), std::string::npos);
}

TEST(FromCapture, CountsFramesThatAreNoneOfIt) {
  const Client client = session_of("ALPHA", {order(1)});
  Buffer truncated = client.all();
  truncated.resize(80);
  Buffer fragment = client.all();
  fragment[20] = 0x20;
  const Captured captured({client.syn(), Buffer(60, 0), truncated, fragment, Buffer(1600, 0), client.all()});
  const std::string text = captured.text();
  EXPECT_NE(text.find("in.pcap: 6 frames, 1 SoupBinTCP connection, 0 bytes missing"), std::string::npos) << text;
  for (const char* const part : {"1 frame of other traffic", "1 frame in fragments of IPv4", "1 frame cut off by the capture",
                                 "1 frame longer than 1518 bytes"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
  }
}

TEST(FromCapture, GoesOnPastMidnight) {
  const Folder folder;
  const Client client = session_of("ALPHA", {order(1), order(2, 'S')});
  test::write_capture(folder.file("in.pcap"), {client.syn(), client.data(0, 99), client.data(99, 149)},
                      kNsPerDay - 2'000'000, 1'500'000);
  write_captured_flow({folder.file("in.pcap"), std::nullopt, folder.file("out.pcap"), folder.file("out.toml")});
  EXPECT_EQ(Captured::replay_files(folder, "out").orders, 2u);
}

// ---- Round trips ----------------------------------------------------------------------------------------------------

/// Clients that trade with each other at random, and the frames of their connections.
class Trading {
 public:
  static constexpr std::uint32_t kClients = 4;

  Trading(FlowRandom& random, std::uint32_t messages) {
    for (std::uint32_t i = 0; i < kClients; ++i) {
      Client& client = clients_.emplace_back();
      client.client = {0x0A000100 + i, static_cast<std::uint16_t>(40'000 + i)};
      client.isn = i == 0 ? 0xFFFF'FF80 : static_cast<std::uint32_t>(random.next());
      client.stream = login("U0000" + std::to_string(i + 1));
      messages_.emplace_back();
      next_ref_.push_back(1);
    }
    for (std::uint32_t i = 0; i < messages; ++i) add(random);
    for (std::uint32_t i = 0; i < kClients; ++i) segment(random, i);
  }

  struct Frame {
    std::uint32_t client;
    std::size_t begin;  // of the stream
    std::size_t end;
    Buffer bytes;
  };

  /// Repeats some frames, and lets some pass others.
  void disturb(FlowRandom& random) {
    for (std::size_t i = 0; i < frames_.size(); ++i) {
      if (random.chance(10))
        frames_.insert(frames_.begin() + static_cast<std::ptrdiff_t>(std::min(frames_.size(), i + random.below(20))),
                       Frame(frames_[i]));
      const std::size_t other = i + random.below(6);
      if (random.chance(15) && other < frames_.size()) std::swap(frames_[i], frames_[other]);
    }
  }
  /// Loses frames, but none of a login.
  void lose(FlowRandom& random) {
    std::erase_if(frames_, [&](const Frame& frame) { return frame.begin >= 49 && random.chance(7); });
  }

  /// SYNs first, then the frames, then FINs and what the exchange acknowledges.
  std::vector<Buffer> capture() const {
    std::vector<Buffer> all;
    for (const Client& client : clients_) all.push_back(client.syn());
    for (const Frame& frame : frames_) all.push_back(frame.bytes);
    for (const Client& client : clients_) {
      all.push_back(client.fin());
      all.push_back(client.ack(client.stream.size() + 1));
    }
    return all;
  }

  /// By byte: the frame of the capture that brings it first, 0 if none does.
  std::vector<std::size_t> came(std::uint32_t client) const {
    std::vector<std::size_t> first(clients_[client].stream.size());
    for (std::size_t i = 0; i < frames_.size(); ++i) {
      if (frames_[i].client != client) continue;
      for (std::size_t at = frames_[i].begin; at < frames_[i].end; ++at) {
        if (first[at] == 0) first[at] = kClients + i;
      }
    }
    return first;
  }

  /// Messages in the order in which the capture makes them whole, at those times. Nothing may be lost.
  std::vector<FlowMessage> in_order() const {
    std::vector<std::pair<std::size_t, FlowMessage>> all;
    for (std::uint32_t client = 0; client < kClients; ++client) {
      const std::vector<std::size_t> first = came(client);
      std::size_t latest = 0;
      std::size_t at = 0;
      for (const auto& [end, message] : messages_[client]) {
        for (; at < end; ++at) latest = std::max(latest, first[at]);
        all.emplace_back(latest, message);
      }
    }
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<FlowMessage> messages;
    for (auto& [frame, message] : all) {
      message.time_ns = kStart + frame * kStep;
      messages.push_back(message);
    }
    return messages;
  }

  const std::vector<Client>& clients() const { return clients_; }
  std::size_t messages_of(std::uint32_t client) const { return messages_[client].size(); }

 private:
  void add(FlowRandom& random) {
    const std::uint32_t client = random.below(kClients);
    FlowMessage message{};
    message.session = SessionId{static_cast<std::uint16_t>(client)};
    message.price = Price{100'000 + 100 * random.below(10)};
    message.quantity = 1 + random.below(500);
    message.time_in_force = random.chance(20) ? TimeInForce::ioc : TimeInForce::day;
    message.side = random.chance(50) ? Side::buy : Side::sell;
    const std::uint32_t number = next_ref_[client];
    const std::uint32_t kind = number == 1 ? 0 : random.below(10);
    Buffer bytes;
    if (kind < 7) {
      message.kind = CommandKind::enter;
      message.symbol = SymbolId{1};
      message.user_ref_num = UserRefNum{next_ref_[client]++};
      message.cl_ord_id = number;
      auto fields = enter(number, static_cast<char>(message.side), message.quantity, message.price.value);
      fields.time_in_force = static_cast<char>(message.time_in_force);
      bytes = ouch(fields);
    } else if (kind < 9) {
      message.kind = CommandKind::cancel;
      message.user_ref_num = UserRefNum{1 + random.below(number - 1)};
      message.quantity = random.chance(50) ? 0 : message.quantity;
      bytes = ouch(wire::ouch::CancelOrder{.user_ref_num = message.user_ref_num.value, .quantity = message.quantity});
    } else {
      message.kind = CommandKind::replace;
      message.orig_user_ref_num = UserRefNum{1 + random.below(number - 1)};
      message.user_ref_num = UserRefNum{next_ref_[client]++};
      message.cl_ord_id = number;
      bytes = ouch(wire::ouch::ReplaceOrder{.orig_user_ref_num = message.orig_user_ref_num.value,
                                            .user_ref_num = message.user_ref_num.value,
                                            .quantity = message.quantity,
                                            .price = std::uint64_t{message.price.value},
                                            .time_in_force = static_cast<char>(message.time_in_force),
                                            .display = 'Y',
                                            .iso = 'N',
                                            .cl_ord_id = cl_ord_id_text(number)});
    }
    clients_[client].stream += packet('U', bytes);
    messages_[client].emplace_back(clients_[client].stream.size(), message);
    if (random.chance(5)) clients_[client].stream += packet('R');
  }

  /// In segments of random sizes, mixed with the others' frames. Logins are whole, in one or two.
  void segment(FlowRandom& random, std::uint32_t client) {
    const Buffer& stream = clients_[client].stream;
    std::size_t place = 0;
    for (std::size_t at = 0; at < stream.size();) {
      const std::size_t size = at == 0 ? 49 : 1 + random.below(random.chance(50) ? 60 : 400);
      const std::size_t end = std::min(at + size, stream.size());
      place = std::min(place + random.below(Trading::kClients * 2), frames_.size());
      frames_.insert(frames_.begin() + static_cast<std::ptrdiff_t>(place),
                     Frame{client, at, end, clients_[client].data(at, end)});
      ++place;
      at = end;
    }
  }

  std::vector<Client> clients_;
  std::vector<std::vector<std::pair<std::size_t, FlowMessage>>> messages_;  // each with where it ends in the stream
  std::vector<std::uint32_t> next_ref_;
  std::vector<Frame> frames_;
};

/// Every answer to a client of an execution in a replay, byte by byte, its time included, behind the client's name.
std::vector<std::string> executions_of(const Folder& folder, const std::string& name) {
  std::map<ClientKey, std::string> users;  // by address
  for (const AccountConfig& account : load_config(folder.file(name + ".toml"), ConfigUse::replay).net.accounts) {
    users[account.sources.front().address] = account.user;
  }
  std::vector<std::string> executions;
  read_output(folder.file(name + "-answers.pcap"),
              {.answer =
                   [&](ClientKey client, wire::Bytes bytes) {
                     if (bytes[0] != wire::ouch::OrderExecuted::kType) return;
                     executions.push_back(users.at(client >> 16) + " " + std::string(bytes.begin(), bytes.end()));
                   },
               .feed = [](wire::Bytes) {}});
  return executions;
}

TEST(FromCapture, TradesAsTheOrdersThemselvesWhateverTheirSegmentsWentThrough) {
  FlowRandom random(test::seed());
  for (int round = 0; round < 5; ++round) {
    Trading trading(random, 400);
    trading.disturb(random);
    const Captured captured(trading.capture());
    for (const FromCaptureFigures::Session& session : captured.figures.sessions) {
      ASSERT_EQ(session.stream.stream.missing, 0u) << captured.text();
      ASSERT_EQ(session.stream.stream.changed, 0u);
    }

    const std::vector<FlowMessage> messages = trading.in_order();
    {
      CaptureWriter writer(captured.folder.file("direct.pcap"));
      SymbolName symbol{'T', 'S', 'T', ' ', ' ', ' ', ' ', ' '};
      OrderEntryFrames frames(writer, test::kCapturedDay, Trading::kClients, {symbol}, kStart + kStep);
      for (const FlowMessage& message : messages) frames.send(message);
      FlowVenue venue;
      venue.title = "direct";
      venue.midnight_epoch_ns = test::kCapturedDay;
      venue.engine.symbols = {{symbol, Price{100'000}, 1}};
      venue.engine.sessions = Trading::kClients;
      size_limits(venue.engine, 1000, 1000);
      write_flow_config(captured.folder.file("direct.toml"), venue, frames.accounts());
    }
    const Replayed replayed = captured.replayed();
    for (const CounterFigure& counter : replayed.counters) {
      const bool dropped = counter.stage == "receive" && counter.kind == CounterKind::drop;
      ASSERT_TRUE(!dropped || counter.value == 0) << counter.label;
    }
    Captured::replay_files(captured.folder, "direct");
    const auto wanted = executions_of(captured.folder, "direct");
    EXPECT_GT(wanted.size(), 50u);
    ASSERT_EQ(executions_of(captured.folder, "out"), wanted) << "round " << round;
  }
}

TEST(FromCapture, ReportsExactlyTheBytesThatTheCaptureLost) {
  FlowRandom random(test::seed());
  std::uint64_t lost_in_all = 0;
  for (int round = 0; round < 20; ++round) {
    Trading trading(random, 300);
    if (random.chance(50)) trading.disturb(random);
    trading.lose(random);
    const Captured captured(trading.capture());
    ASSERT_EQ(captured.figures.sessions.size(), Trading::kClients);
    for (const FromCaptureFigures::Session& session : captured.figures.sessions) {
      const std::uint32_t client = session.stream.client.port - 40'000u;
      const std::vector<std::size_t> first = trading.came(client);
      std::vector<bool> missing(first.size());
      for (const StreamReport::Hole& hole : session.stream.holes) {
        ASSERT_EQ(hole.acknowledged, hole.length);
        for (std::uint64_t i = 0; i < hole.length; ++i) missing[hole.offset + i] = true;
      }
      for (std::size_t i = 0; i < first.size(); ++i) ASSERT_EQ(missing[i], first[i] == 0) << "byte " << i;
      const auto lost = static_cast<std::uint64_t>(std::count(missing.begin(), missing.end(), true));
      ASSERT_EQ(session.stream.stream.missing, lost);
      lost_in_all += lost;
      ASSERT_LE(session.stream.packets.messages, trading.messages_of(client));
      if (lost == 0) {
        ASSERT_EQ(session.stream.packets.messages, trading.messages_of(client));
      }
      ASSERT_EQ(session.user, "U0000" + std::to_string(client + 1));
    }
    captured.replayed();
  }
  EXPECT_GT(lost_in_all, 0u);
}

TEST(FromCapture, TakesAnyCaptureOrSaysWhyNotInOneLine) {
  FlowRandom random(test::seed());
  const Folder folder;
  std::uint32_t taken = 0;
  for (int round = 0; round < 400; ++round) {
    Trading trading(random, 20);
    trading.disturb(random);
    trading.lose(random);
    std::vector<Buffer> frames = trading.capture();
    for (std::uint32_t changes = random.below(20); changes > 0; --changes) {
      Buffer& frame = frames[random.below(static_cast<std::uint32_t>(frames.size()))];
      if (random.chance(50)) {  // with a right checksum
        TcpFrame tcp;
        if (read_tcp_frame(frame, tcp) != FrameFate::taken) continue;
        Buffer payload(tcp.segment.payload.begin(), tcp.segment.payload.end());
        for (std::uint8_t& byte : payload) byte = random.chance(10) ? static_cast<std::uint8_t>(random.next()) : byte;
        const auto sequence = random.chance(20) ? static_cast<std::uint32_t>(random.next()) : tcp.segment.sequence;
        const auto flags = random.chance(20) ? static_cast<std::uint8_t>(random.next() & 0x3F) : tcp.segment.flags;
        frame = test::tcp_frame(tcp.source, tcp.destination, sequence, tcp.segment.acknowledgement, flags, payload);
      } else {
        frame[random.below(static_cast<std::uint32_t>(frame.size()))] = static_cast<std::uint8_t>(random.next());
        if (random.chance(20)) frame.resize(random.below(static_cast<std::uint32_t>(frame.size())));
      }
    }
    test::write_capture(folder.file("in.pcap"), frames);
    std::optional<std::uint16_t> port;
    if (random.chance(50)) port = 9001;
    const FromCaptureOptions options{folder.file("in.pcap"), port, folder.file("o.pcap"), folder.file("o.toml")};
    try {
      const FromCaptureFigures figures = write_captured_flow(options);
      to_text(options, figures);
      load_config(folder.file("o.toml"), ConfigUse::replay);
      ++taken;
    } catch (const FlowError& error) {
      ASSERT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    }
  }
  EXPECT_GT(taken, 0u);
}

// ---- The program ----------------------------------------------------------------------------------------------------

TEST(FromCapture, IsACommandOfTheProgram) {
  if (test::program().empty()) GTEST_SKIP() << "no program";
  const Folder folder;
  const Client client = session_of("ALPHA", {order(1), order(2, 'S', 30)});
  test::write_capture(folder.file("in.pcap"), {client.syn(), client.all()});
  const std::string flow = test::program() + " flow --from-capture " + folder.file("in.pcap");
  const std::string out = " --out " + folder.file("o.pcap") + " --config-out " + folder.file("o.toml");
  const test::Ran ran = test::shell(flow + out);
  EXPECT_EQ(ran.status, 0) << ran.output;
  EXPECT_NE(ran.output.find("o.pcap: 3 frames, 1 session, 1 symbol, 1 login, 0 logouts: EnterOrder 2\n"),
            std::string::npos)
      << ran.output;
  const test::Ran replayed = test::shell(test::program() + " replay --config " + folder.file("o.toml") + " --in " +
                                         folder.file("o.pcap") + " --out " + folder.file("a.pcap"));
  EXPECT_EQ(replayed.status, 0) << replayed.output;

  EXPECT_EQ(test::shell(flow).status, 2);
  EXPECT_EQ(test::shell(flow + out + " --sessions 2").status, 2);
  EXPECT_EQ(test::shell(flow + out + " --synthetic").status, 2);
  EXPECT_EQ(test::shell(flow + out + " --port 0").status, 2);
  EXPECT_EQ(test::shell(flow + " --out " + folder.file("in.pcap")).status, 2);
  const test::Ran wrong = test::shell(flow + out + " --port 9002");
  EXPECT_EQ(wrong.status, 1);
  EXPECT_NE(wrong.output.find("crosswire flow: "), std::string::npos);
  EXPECT_EQ(std::count(wrong.output.begin(), wrong.output.end(), '\n'), 1);
}

}  // namespace
}  // namespace crosswire
