// Both ways against the wire specification's own codec (oracle.py): what crosswire writes it must read, and the other
// way round, to the same fields and the same bytes.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "netstack/wire/mold.hpp"
#include "netstack/wire/soup.hpp"
#include "tests/netstack/wire/message_text.hpp"

namespace crosswire::wire {
namespace {

using test::Octets;
using test::Protocol;
using test::Random;

namespace fs = std::filesystem;

const fs::path kSourceRoot = CROSSWIRE_SOURCE_ROOT;
constexpr const char* kPython = "/usr/bin/python3";

struct Line {
  Protocol protocol;
  Octets message;
  std::string text;
};

class WireOracle : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(specification_ / "wire.py")) {
      GTEST_SKIP() << "the wire specification's codec, ../shared/wire/wire.py beside the project, is not there";
    }
    if (!fs::exists(kPython))
      GTEST_SKIP() << "there is no " << kPython << " to run the wire specification's codec with";
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  // What oracle.py answers, line by line.
  std::vector<std::string> ask(const std::string& arguments, const std::string& input) {
    const fs::path question = folder_ / "question";
    const fs::path answer = folder_ / "answer";
    std::ofstream(question) << input;
    const std::string script = (kSourceRoot / "tests/netstack/wire/oracle.py").string();
    const std::string command = std::string(kPython) + " '" + script + "' '" + specification_.string() + "' " +
                                arguments + " < '" + question.string() + "' > '" + answer.string() + "'";
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
    std::ifstream file(answer);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }

 private:
  const fs::path specification_ = kSourceRoot.parent_path() / "shared/wire";
  const fs::path folder_ = fs::path(testing::TempDir()) / ("crosswire-wire-oracle-" + std::to_string(getpid()));
};

void add(std::vector<Line>& lines, Protocol protocol, const Octets& message) {
  lines.push_back({protocol, message, test::describe(protocol, message)});
}

void add_soup(std::vector<Line>& lines, soup::PacketType type, const Octets& payload) {
  Octets packet(sizeof(soup::Header) + payload.size());
  std::copy(payload.begin(), payload.end(), soup::begin_packet(packet, type, payload.size()));
  add(lines, Protocol::soup, packet);
}

template <class Payload>
void add_soup(std::vector<Line>& lines, const Payload& payload) {
  Octets packet(sizeof(soup::Framed<Payload>));
  overlay<soup::Framed<Payload>>(packet.data()) = {.payload = payload};
  add(lines, Protocol::soup, packet);
}

void add_soup_packets(std::vector<Line>& lines, Random& random) {
  using soup::PacketType;
  for (const PacketType type : {PacketType::debug, PacketType::sequenced_data, PacketType::unsequenced_data}) {
    add_soup(lines, type, random.octets(random.below(1'400)));
  }
  for (const PacketType type : {PacketType::server_heartbeat, PacketType::end_of_session, PacketType::client_heartbeat,
                                PacketType::logout_request}) {
    add_soup(lines, type, {});
  }
  add_soup(lines, soup::login_request(random.word(1, 6), random.word(1, 10), random.word(0, 10), random.bits()));
  add_soup(lines, soup::login_accepted(random.word(1, 10), random.bits() >> random.below(64)));
  add_soup(lines, soup::LoginRejected{random.chance() ? soup::RejectCode::not_authorised
                                                      : soup::RejectCode::session_not_available});
}

void add_mold_packets(std::vector<Line>& lines, Random& random) {
  alpha<10> session;
  test::randomize(session, random);
  for (const std::uint16_t count : {mold::kHeartbeat, mold::kEndOfSession, std::uint16_t{5}}) {
    Octets packet(sizeof(mold::Header));
    overlay<mold::Header>(packet.data()) = {.session = session, .sequence = random.bits(), .count = count};
    add(lines, Protocol::mold, packet);
  }
  Octets packet(1'472);
  mold::PacketWriter writer(packet);
  while (true) {
    const Octets message = random.octets(random.below(100));
    std::uint8_t* const at = writer.try_append(message.size());
    if (at == nullptr) break;
    std::copy(message.begin(), message.end(), at);
  }
  packet.resize(writer.finish(session, random.bits()));
  add(lines, Protocol::mold, packet);
}

TEST_F(WireOracle, ReadsAndWritesWhatCrosswireWrites) {
  Random random;
  std::vector<Line> lines;
  for (int i = 0; i < 30; ++i) {
    const bool every_option = i == 0;
    test::for_each_inbound(
        [&]<class M>() { add(lines, Protocol::ouch_in, test::random_ouch<M>(random, every_option)); });
    test::for_each_outbound(
        [&]<class M>() { add(lines, Protocol::ouch_out, test::random_ouch<M>(random, every_option)); });
    test::for_each_itch([&]<class M>() {
      const M message = test::random_fixed<M>(random);
      add(lines, Protocol::itch, Octets(bytes_of(message).begin(), bytes_of(message).end()));
    });
    add_soup_packets(lines, random);
    add_mold_packets(lines, random);
  }
  std::ostringstream input;
  for (const Line& line : lines) {
    input << name_of(line.protocol) << '\t' << test::to_hex(line.message) << '\t' << line.text << '\n';
  }
  const std::vector<std::string> answers = ask("check", input.str());
  ASSERT_EQ(answers.size(), lines.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    ASSERT_EQ(answers[i], "ok") << lines[i].text << '\n' << test::to_hex(lines[i].message);
  }
}

TEST_F(WireOracle, WritesWhatCrosswireReadsAndWrites) {
  Random random;
  const std::uint64_t seed = random.bits();
  const std::vector<std::string> answers = ask("make " + std::to_string(seed) + " 30", "");
  // 25 OUCH, 24 ITCH, 10 SoupBinTCP messages and 4 MoldUDP64 packets.
  ASSERT_EQ(answers.size(), 30u * (25 + 24 + 10 + 4));
  for (const std::string& answer : answers) {
    const std::size_t hex = answer.find('\t') + 1;
    const std::size_t text = answer.find('\t', hex) + 1;
    const Protocol protocol = test::protocol_of(answer.substr(0, hex - 1));
    const Octets message = test::from_hex(answer.substr(hex, text - hex - 1));
    ASSERT_EQ(test::describe(protocol, message), answer.substr(text)) << answer;
    ASSERT_EQ(test::to_hex(test::build(protocol, answer.substr(text))), test::to_hex(message)) << answer;
  }
}

}  // namespace
}  // namespace crosswire::wire
