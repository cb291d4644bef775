// [impair] in the configuration: what it becomes, and the one line that each fault gets.
#include "app/config/impair_section.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/folder.hpp"

namespace crosswire::impair_section_test {
namespace {

const std::string kRest =
    "[port]\naddress = \"10.99.0.1\"\n[[symbol]]\nname = \"AAA\"\nreference_price_e4 = 10000\ntick_e4 = 100\n"
    "[[account]]\nuser = \"U1\"\npassword = \"p\"\nfirm = \"FIRM\"\n";

class ImpairSection : public ::testing::Test {
 protected:
  ImpairConfig load(const std::string& text) {
    return load_config(folder_.write("c.toml", text + kRest, 0600), ConfigUse::replay).impair;
  }

  /// Expects FILE:`line`: `key`: something with `what`; a remedy.
  void expect_error(const std::string& text, int line, const std::string& key, const std::string& what) {
    try {
      load(text);
      FAIL() << "taken:\n" << text;
    } catch (const ConfigError& error) {
      const std::string said = error.what();
      const std::string start = folder_.file("c.toml") + ":" + std::to_string(line) + ": " + key + ": ";
      EXPECT_EQ(said.substr(0, start.size()), start) << said;
      EXPECT_NE(said.find(what), std::string::npos) << said;
      EXPECT_NE(said.find("; "), std::string::npos) << said;
      EXPECT_EQ(said.find('\n'), std::string::npos) << said;
    }
  }
  void expect_key_error(const std::string& keys, const std::string& key, const std::string& what) {
    for (const std::string direction : {"receive", "transmit"}) {
      expect_error("[impair." + direction + "]\n" + keys + "\n", 2, "impair." + direction + "." + key, what);
    }
  }

  test::Folder folder_;
};

TEST_F(ImpairSection, LeftOutImpairsNothing) {
  EXPECT_FALSE(load("").any());
  EXPECT_FALSE(load("[impair]\nseed = 3\n").any());
  EXPECT_FALSE(load("[impair.receive]\nloss = 0\n").any());
  EXPECT_EQ(config_file::to_text(load("").receive), "nothing");
}

TEST_F(ImpairSection, TakesEveryKeyForEitherDirection) {
  const std::string keys = R"(loss = 0.01
lose_frames = [1, 17]
burst_loss = 0.002
burst_frames = 7
duplicate = 1
corrupt = 0.5
corrupt_bits = 64
reorder = 0.25
reorder_by = 9
reorder_wait_us = 500
delay_us = 100
jitter_us = 50
rate_bits_per_s = 10_000_000
queue_bytes = 20000
)";
  for (const bool receive : {true, false}) {
    const ImpairConfig config = load("[impair]\nseed = 42\nheld_frames = 100\n[impair." +
                                     std::string(receive ? "receive" : "transmit") + "]\n" + keys);
    EXPECT_EQ(config.seed, 42u);
    EXPECT_EQ(config.held_frames, 100u);
    EXPECT_TRUE(config.any());
    EXPECT_NE(config.receive.any(), config.transmit.any());
    const ImpairmentConfig& way = receive ? config.receive : config.transmit;
    EXPECT_EQ(way.loss, 0.01);
    EXPECT_EQ(way.lose_frames, (std::vector<std::uint64_t>{1, 17}));
    EXPECT_EQ(way.burst_loss, 0.002);
    EXPECT_EQ(way.burst_frames, 7u);
    EXPECT_EQ(way.duplicate, 1.0);
    EXPECT_EQ(way.corrupt, 0.5);
    EXPECT_EQ(way.corrupt_bits, 64u);
    EXPECT_EQ(way.reorder, 0.25);
    EXPECT_EQ(way.reorder_by, 9u);
    EXPECT_EQ(way.reorder_wait_ns, 500'000u);
    EXPECT_EQ(way.delay_ns, 100'000u);
    EXPECT_EQ(way.jitter_ns, 50'000u);
    EXPECT_EQ(way.rate_bits_per_s, 10'000'000u);
    EXPECT_EQ(way.queue_bytes, 20'000u);
    EXPECT_EQ(config_file::to_text(way),
              "loss=0.01 lose_frames=2 burst_loss=0.002 burst_frames=7 duplicate=1 corrupt=0.5 corrupt_bits=64 "
              "reorder=0.25 reorder_by=9 reorder_wait_us=500 delay_us=100 jitter_us=50 rate_bits_per_s=10000000 "
              "queue_bytes=20000");
  }
}

TEST_F(ImpairSection, NamesFileLineAndKeyOfEachFault) {
  expect_error("impair = 1\n", 1, "impair", "is a whole number");
  expect_error("[impair]\nloss = 0.1\n", 2, "impair.loss", "known here: seed, held_frames, receive, transmit");
  expect_error("[impair]\nseed = -1\n", 2, "impair.seed", "out of range");
  expect_error("[impair]\nheld_frames = 63\n", 2, "impair.held_frames", "64 .. 1048576");
  expect_error("[impair]\nreceive = 0.1\n", 2, "impair.receive", "write [impair.receive]");
  expect_error("[[impair.transmit]]\nloss = 0.1\n", 1, "impair.transmit", "is a list");
  expect_key_error("losses = 0.1", "losses", "unknown key");
  expect_key_error("loss = 1.1", "loss", "1.1 is out of range; give a chance, 0.0 .. 1.0");
  expect_key_error("loss = -0.1", "loss", "out of range");
  expect_key_error("loss = 2", "loss", "out of range");
  expect_key_error("loss = nan", "loss", "out of range");
  expect_key_error("loss = \"1 %\"", "loss", "is a string");
  expect_key_error("loss = true", "loss", "is true or false");
  expect_key_error("lose_frames = 3", "lose_frames", "is a whole number");
  expect_key_error("lose_frames = [\"3\"]", "lose_frames", "holds a string");
  expect_key_error("lose_frames = [0]", "lose_frames", "0 is not above 0");
  expect_key_error("lose_frames = [3, 3]", "lose_frames", "3 is not above 3");
  expect_key_error("corrupt_bits = 2", "corrupt_bits", "corrupt is not there; give corrupt");
  expect_key_error("burst_frames = 2", "burst_frames", "burst_loss is not there");
  expect_key_error("reorder_by = 2", "reorder_by", "reorder is not there");
  expect_key_error("reorder_wait_us = 2", "reorder_wait_us", "reorder is not there");
  expect_key_error("queue_bytes = 2000", "queue_bytes", "rate_bits_per_s is not there");
  expect_key_error("delay_us = 60000001", "delay_us", "0 .. 60000000");
  expect_key_error("jitter_us = 1.5", "jitter_us", "fraction");
  expect_key_error("rate_bits_per_s = 999", "rate_bits_per_s", "1000 .. 400000000000");
  expect_key_error("corrupt_bits = 65\ncorrupt = 0.1", "corrupt_bits", "1 .. 64");
  expect_key_error("burst_frames = 0\nburst_loss = 0.1", "burst_frames", "1 ..");
  expect_key_error("reorder_by = 1001\nreorder = 0.1", "reorder_by", "1 .. 1000");
  expect_key_error("queue_bytes = 1517\nrate_bits_per_s = 1000", "queue_bytes", "1518 ..");
}

}  // namespace
}  // namespace crosswire::impair_section_test
