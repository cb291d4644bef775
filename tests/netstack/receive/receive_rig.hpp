// A ReceiveStage between a scripted port and a command ring that the test reads, and the fixture of its tests. Tests
// only.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "netstack/port/memory_port.hpp"
#include "netstack/receive/receive.hpp"
#include "tests/netstack/client_frames.hpp"
#include "tests/netstack/intake/intake_rig.hpp"

namespace crosswire::test {

class ReceiveRig {
 public:
  explicit ReceiveRig(std::uint64_t ring_capacity = 1024, std::uint32_t slots = 64, const NetConfig& net = test_net())
      : net_(net),
        engine_(test_engine()),
        arena_(BroadcastRing<Command>::bytes_for(ring_capacity) + Orders::bytes_for(slots) +
                   SlotReturnRing::bytes_for(slot_return_capacity(slots)) + SlotSource::bytes_for(slots) +
                   EchoStore::bytes_for() + ReceiveStage::bytes_for(net_, engine_),
               HugepagePolicy::off),
        ring_(arena_, ring_capacity),
        reader_(ring_.add_gating("test")),
        orders_(arena_, slots),
        returns_(arena_, slot_return_capacity(slots)),
        slots_(arena_, returns_, slots),
        echoes_(arena_),
        stage_(net_, engine_, port_, ring_.producer(), orders_, slots_, echoes_, arena_) {}

  MemoryRxPort& port() { return port_; }
  ReceiveStage& stage() { return stage_; }
  std::uint64_t count(ReceiveCounter counter) const { return stage_.counters().get(counter); }
  TimeNs start() const { return net_.start_ns; }

  /// Reads at most `most` commands and gives back what they hold.
  void read(std::size_t most, std::vector<MadeCommand>& into) {
    for (; most > 0 && reader_.available() > 0; --most) {
      into.push_back(take(reader_.peek()));
      reader_.release();
    }
  }

  /// Polls until nothing more happens and returns the commands made.
  std::vector<MadeCommand> run() {
    std::vector<MadeCommand> commands;
    while (true) {
      const std::size_t work = stage_.poll();
      const std::size_t before = commands.size();
      read(reader_.available(), commands);
      if (work == 0 && commands.size() == before) return commands;
    }
  }

  /// One burst at `time`, and the commands that came of it and of what was due before.
  std::vector<MadeCommand> burst(TimeNs time, std::vector<FrameBytes> frames) {
    now_ = time;
    port_.push_burst(time, std::move(frames));
    return run();
  }

  /// The same for one frame at the time of the last burst.
  std::vector<MadeCommand> frame(FrameBytes bytes) { return burst(now_, {std::move(bytes)}); }

 private:
  MadeCommand take(const Command& command) {
    MadeCommand made = take_out(command, orders_, returns_);
    if (command.kind == CommandKind::echo_reply) {
      const auto message = echoes_.message(command.echo.slot, command.echo.length);
      made.echo.assign(message.begin(), message.end());
      echoes_.free_oldest();
    }
    return made;
  }

  NetConfig net_;
  EngineConfig engine_;
  Arena arena_;
  BroadcastRing<Command> ring_;
  BroadcastRing<Command>::GatingReader& reader_;
  Orders orders_;
  SlotReturnRing returns_;
  SlotSource slots_;
  EchoStore echoes_;
  MemoryRxPort port_;
  ReceiveStage stage_;
  TimeNs now_ = net_.start_ns;
};

inline const Client kAlice{};
inline const Client kBob{.mac = {2, 0, 0, 0, 1, 2}, .address = 0x0A630065, .port = 40001};

/// A rig past its day_start.
struct Receive : ::testing::Test {
  Receive() { rig.run(); }

  void log_in(const Client& client, const char* user, const char* password) {
    ASSERT_EQ(kinds(rig.frame(login_frame(client, user, password))), Kinds{CommandKind::session_open});
  }
  void log_in_alice() { log_in(kAlice, "ALICE", "secret"); }

  std::vector<MadeCommand> send(const std::vector<Payload>& messages) {
    const auto commands = rig.frame(data_frame(kAlice, next, messages));
    next += messages.size();
    return commands;
  }

  /// Sends one message and expects one command of it.
  MadeCommand send_one(const Payload& message) {
    const auto commands = send({message});
    EXPECT_EQ(commands.size(), 1u);
    return commands.empty() ? MadeCommand{} : commands[0];
  }

  ReceiveRig rig;
  std::uint64_t next = 1;
};

}  // namespace crosswire::test
