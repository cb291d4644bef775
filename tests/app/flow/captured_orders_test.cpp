// Which accounts, orders and configuration become of captured sessions.
#include "app/flow/captured_orders.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tests/app/flow/captured.hpp"

namespace crosswire {
namespace {

using test::Buffer;
using test::Captured;
using test::Client;
using test::enter;
using test::fault_of;
using test::Folder;
using test::frames_of;
using test::kStart;
using test::order;
using test::ouch;
using test::packet;
using test::session_of;
using Said = std::vector<std::string>;

TEST(CapturedOrders, TradesBetweenTwoCapturedSessions) {
  const Client buyer = session_of("BUYER", {order(1, 'B', 100, 100'000)});
  const Client seller = session_of("seller", {order(1, 'S', 60, 100'000), packet('O')}, 40'002);
  const Captured captured({buyer.syn(), seller.syn(), buyer.all(), seller.all(), seller.fin()});
  EXPECT_EQ(frames_of(captured.options.capture_path),
            (Said{"0 at 2: L", "0 at 2: 1 O", "1 at 3: L", "1 at 3: 1 O", "1 at 3: O"}));
  const Replayed replayed = captured.replayed();
  EXPECT_EQ(replayed.executions, 1u);
  const Config config = load_config(captured.options.config_path, ConfigUse::replay);
  ASSERT_EQ(config.net.accounts.size(), 2u);
  EXPECT_EQ(config.net.accounts[0].user, "BUYER");
  EXPECT_EQ(config.net.accounts[1].user, "seller");
  ASSERT_EQ(config.engine.symbols.size(), 1u);
  EXPECT_EQ(config.engine.symbols[0].reference, Price{100'000});
}

TEST(CapturedOrders, GivesAUserOneAccountOverAllOfItsConnections) {
  const Client first = session_of("ALPHA", {order(1)});
  Client second = session_of("alpha", {order(2, 'S', 40, 100'000)}, 40'002);
  const Captured captured({first.syn(), first.all(), first.fin(), second.syn(), second.all()});
  EXPECT_EQ(captured.figures.accounts, 1u);
  EXPECT_EQ(captured.figures.orders.logins, 2u);
  EXPECT_EQ(frames_of(captured.options.capture_path), (Said{"0 at 1: L", "0 at 1: 1 O", "0 at 4: L", "0 at 4: 1 O"}));
  EXPECT_EQ(captured.replayed().orders, 2u);
}

TEST(CapturedOrders, CountsMessagesOfAConnectionThatWasTakenOverAndSendsThem) {
  const Client first = session_of("ALPHA", {order(1), order(2)});
  const Client second = session_of("ALPHA", {order(3)}, 40'002);
  const Captured captured({first.syn(), first.data(0, 99), second.syn(), second.all(), first.data(99, 149)});
  EXPECT_EQ(captured.figures.orders.overtaken, 1u);
  EXPECT_EQ(captured.figures.orders.messages[0], 3u);
}

TEST(CapturedOrders, MakesUpALoginForASessionWithoutOne) {
  const Client real = session_of("X00001", {order(1)});
  const Client headless = session_of("LOST", {order(5)}, 40'002);
  const Captured captured({real.syn(), real.all(), headless.data(49, 99)});
  EXPECT_EQ(captured.figures.orders.made_up_logins, 1u);
  ASSERT_EQ(captured.figures.sessions.size(), 2u);
  EXPECT_EQ(captured.figures.sessions[1].user, "X00002");
  EXPECT_EQ(captured.replayed().orders, 2u);
  EXPECT_NE(captured.text().find("from its middle on: what came before is not known"), std::string::npos);
}

TEST(CapturedOrders, KeepsAClientAliveWhileItsConnectionIs) {
  const Client client = session_of("ALPHA", {order(1), order(2, 'S')});
  Folder folder;
  CaptureWriter writer(folder.file("in.pcap"));
  const auto write = [&](TimeNs second, const Buffer& frame) {
    writer.write(test::kCapturedDay + static_cast<std::int64_t>(kStart + second * kNsPerSecond), frame);
  };
  write(0, client.syn());
  write(1, client.data(0, 99));
  write(60, client.data(99, 149));
  write(70, client.fin());
  write(200, client.ack(150));
  writer.close();
  write_captured_flow({folder.file("in.pcap"), std::nullopt, folder.file("out.pcap"), folder.file("out.toml")});
  EXPECT_EQ(Captured::replay_files(folder, "out").orders, 2u);
  Said said = frames_of(folder.file("out.pcap"));
  EXPECT_EQ(said.size(), 3u + 6u);  // each 10 s while it is there
  EXPECT_EQ(said.back(), "0 at 70000: R");
}

TEST(CapturedOrders, LeavesOutWhatComesBehindALogout) {
  const Client client = session_of("ALPHA", {order(1), packet('O'), order(2)});
  const Captured captured({client.syn(), client.all()});
  EXPECT_EQ(captured.figures.orders.after_logout, 1u);
  EXPECT_EQ(captured.figures.orders.logouts, 1u);
  EXPECT_EQ(captured.replayed().orders, 1u);
}

TEST(CapturedOrders, GivesAnAccountTheFirmThatItsOrdersName) {
  const auto firm = [](wire::ouch::OptionWriter& options) {
    options.put<wire::ouch::Tag::firm>(std::string_view("LIME"));
  };
  const Client client = session_of("ALPHA", {order(1), packet('U', ouch(enter(2, 'S', 100, 100'000), firm))});
  const Captured captured({client.syn(), client.all()});
  const Config config = load_config(captured.options.config_path, ConfigUse::replay);
  EXPECT_EQ(config.net.accounts[0].firm, (std::array<char, 4>{'L', 'I', 'M', 'E'}));
  EXPECT_EQ(captured.replayed().executions, 1u);  // so neither was rejected
}

TEST(CapturedOrders, WritesAConfigurationThatTakesOddNames) {
  const Client client = session_of("a\"\\b", {packet('U', ouch(enter(1, 'B', 100, 0x7FFF'FFFF, "Q\"\\#"))),
                                              packet('U', ouch(enter(2, 'B', 100, 5, "\x01")))});
  const Client blank = session_of("", {order(1)}, 40'002);
  const Captured captured({client.syn(), client.all(), blank.syn(), blank.all()});
  const Config config = load_config(captured.options.config_path, ConfigUse::replay);
  EXPECT_EQ(config.net.accounts[0].user, "a\"\\b");
  EXPECT_EQ(config.net.accounts[1].user, "X00001");
  EXPECT_EQ(config.engine.symbols.size(), 2u);
  EXPECT_EQ(captured.figures.orders.no_symbol, 1u);
  EXPECT_EQ(captured.replayed().orders, 3u);
}

TEST(CapturedOrders, RefusesOtherVersionsOfOuchByName) {
  Buffer old_order(49, ' ');
  old_order[0] = 'O';
  Buffer old_cancel(19, 'A');
  old_cancel[0] = 'X';
  const Client orders = session_of("ALPHA", {packet('U', old_order)});
  const std::string fault = fault_of({orders.syn(), orders.all()});
  EXPECT_NE(fault.find("in.pcap: 10.0.1.1:40001 sends OUCH 4.1 or 4.2 to 10.0.0.1:9001: a message O of 49 bytes at "
                       "09:00:00.001 UTC; only OUCH 5.0 can be replayed"),
            std::string::npos)
      << fault;
  const Client cancels = session_of("ALPHA", {order(1), packet('U', old_cancel)});
  EXPECT_NE(fault_of({cancels.syn(), cancels.all()}).find("a message X of 19 bytes"), std::string::npos);
  old_order.resize(48);
  const Client older = session_of("ALPHA", {packet('U', old_order)});
  EXPECT_NE(fault_of({older.syn(), older.all()}).find("OUCH 4.0"), std::string::npos);
}

TEST(CapturedOrders, SaysInOneLineWhyThereIsNothingToReplay) {
  const Client none = session_of("ALPHA", {packet('R')});
  EXPECT_NE(fault_of({none.syn(), none.all()}).find("sessions have no order"), std::string::npos);
  const Client odd = session_of("ALPHA", {packet('U', {'?', 1, 2})});
  EXPECT_NE(fault_of({odd.syn(), odd.all()}).find("the first message has 3 bytes and begins with 0x3F"),
            std::string::npos);
  EXPECT_NE(fault_of({none.syn()}).find("no client's side of a SoupBinTCP session"), std::string::npos);
  EXPECT_NE(fault_of({none.syn(), none.all()}, 9002).find("no client's side"), std::string::npos);
}

TEST(CapturedOrders, LeavesNoFileWhereItFails) {
  const Folder folder;
  const Client client = session_of("ALPHA", {packet('R')});
  test::write_capture(folder.file("in.pcap"), {client.syn(), client.all()});
  EXPECT_THROW(
      write_captured_flow({folder.file("in.pcap"), std::nullopt, folder.file("o.pcap"), folder.file("o.toml")}),
      FlowError);
  EXPECT_FALSE(std::filesystem::exists(folder.file("o.pcap")));
  EXPECT_FALSE(std::filesystem::exists(folder.file("o.toml")));
  EXPECT_THROW(write_captured_flow({folder.file("none.pcap"), std::nullopt, folder.file("o.pcap"), ""}), FlowError);
  EXPECT_THROW(write_captured_flow({"/dev/null", std::nullopt, folder.file("o.pcap"), ""}), FlowError);
}

}  // namespace
}  // namespace crosswire
