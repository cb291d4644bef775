// The control socket, with the test in the stages' place: who is listened to, what is answered, and what never is.
#include "app/ctl/control_socket.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <deque>
#include <filesystem>
#include <set>
#include <string>

#include "tests/app/top/top_rig.hpp"

namespace crosswire {
namespace {

using namespace std::chrono_literals;

SymbolName symbol(const char* text) {
  SymbolName name;
  name.fill(' ');
  std::copy_n(text, std::strlen(text), name.begin());
  return name;
}

/// A peer's end; closed with it.
struct Peer {
  explicit Peer(const std::string& path) : fd(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    connected = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~Peer() { close(fd); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  void say(const std::string& text) const {
    EXPECT_EQ(send(fd, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  /// What has been said to it by now.
  std::string heard() const {
    char bytes[8192];
    const ssize_t n = recv(fd, bytes, sizeof bytes, 0);
    return n > 0 ? std::string(bytes, static_cast<std::size_t>(n)) : "";
  }

  int fd;
  bool connected = false;
};

class ControlSocketTest : public ::testing::Test {
 protected:
  ControlSocketTest() {
    char folder[] = "/tmp/crosswire-ctl-XXXXXX";
    folder_ = mkdtemp(folder);
    desks_.emplace_back("one", std::vector<SymbolConfig>{{symbol("AAA"), Price{100}, 1}},
                        std::vector<DeskAccount>{{"ann", "ANNS", FirmId{0}}, {"bob", "", FirmId{1}}}, rings_);
    control_ = listen();
  }
  ~ControlSocketTest() override {
    control_.reset();
    std::filesystem::remove_all(folder_);
  }
  std::string path() const { return folder_ + "/run/x.ctl"; }
  std::unique_ptr<ControlSocket> listen(const std::string& figures = "") {
    return std::make_unique<ControlSocket>(path(), desks_, authority_, UserNames({}), figures);
  }
  static std::vector<Authority::Place> places() {
    return {{"one", {"AAA"}, {{"ann", "ANNS", FirmId{0}}, {"bob", "", FirmId{1}}}}};
  }
  /// From here on there is [operators], and this process is in the groups that `roles` names.
  void give(const OperatorGroups& roles, const std::string& figures = "") {
    control_.reset();
    authority_ = Authority(places(), roles, kAnotherUser);
    control_ = listen(figures);
  }
  /// What is answered to one line.
  std::string answer_to(const std::string& line) {
    const Peer peer(path());
    peer.say(line + "\n");
    serve();
    return peer.heard();
  }

  static constexpr uid_t kAnotherUser = 4'000'000'000u;
  std::vector<OperatorDesk::Done> serve() { return control_->serve(now_); }

  /// As the stages would: the next command is carried out.
  void carry_out(OperatorResult result = OperatorResult::done) {
    wire::OperatorFrame frame;
    ASSERT_TRUE(rings_.requests.pop(frame));
    Event event{};
    event.kind = EventKind::operated;
    event.cause = Sequence{++sequence_};
    event.operated = {.request = frame.request,
                      .done_by = event.cause,
                      .done_ns = 5,
                      .slot = {},
                      .action = static_cast<OperatorAction>(frame.action),
                      .result = result,
                      .changed = 1,
                      .held = 0,
                      .phase = Phase::halted,
                      .reserved0 = 0,
                      .canceled = 3};
    ASSERT_TRUE(rings_.results.push(event));
  }

  std::string folder_;
  Arena arena_{OperatorRings::bytes_for(), HugepagePolicy::off};
  OperatorRings rings_{arena_};
  std::deque<OperatorDesk> desks_;
  Authority authority_{places(), std::nullopt, geteuid()};
  std::unique_ptr<ControlSocket> control_;
  ControlSocket::Clock::time_point now_{};
  std::uint64_t sequence_ = 0;
};

constexpr const char* kHalt = "{\"command\": \"halt\", \"symbol\": \"AAA\", \"request\": 7}\n";

TEST_F(ControlSocketTest, CarriesALineToTheStagesAndTheirAnswerBack) {
  const Peer peer(path());
  peer.say(kHalt);
  EXPECT_TRUE(serve().empty());
  EXPECT_TRUE(control_->waits());
  carry_out();
  const auto done = serve();
  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(done[0].partition, "one");
  EXPECT_EQ(done[0].ask.symbol, "AAA");
  const CtlAnswer answer = read_answer(peer.heard().substr(0, 200).c_str());
  EXPECT_EQ(answer.result, OperatorResult::done);
  EXPECT_EQ(answer.request, 7u);
  EXPECT_FALSE(control_->waits());
}

TEST_F(ControlSocketTest, FindsAccountsAndFirmsByName) {
  const auto asked = [this](const std::string& target, wire::OperatorFrame& frame) {
    const Peer peer(path());
    peer.say("{\"command\": \"kill\", " + target + ", \"request\": 7}\n");
    serve();
    if (rings_.requests.pop(frame)) return std::string("asked");
    return peer.heard();
  };
  wire::OperatorFrame frame;
  EXPECT_NE(asked("\"account\": \"eve\"", frame).find("no account of partition one is called"), std::string::npos);
  EXPECT_NE(asked("\"firm\": \"BOBS\"", frame).find("no firm of partition one is called"), std::string::npos);
  EXPECT_EQ(asked("\"account\": \"BOB\"", frame), "asked") << "as in a login, case does not count";
  EXPECT_EQ(frame.account, 1u);
  EXPECT_EQ(frame.firm, kNoFirm.value);
  EXPECT_EQ(asked("\"firm\": \"ANNS\"", frame), "asked");
  EXPECT_EQ(frame.account, kNoSession.value);
  EXPECT_EQ(frame.firm, 0u);
}

TEST_F(ControlSocketTest, TakesALineInPieces) {
  const Peer peer(path());
  const std::string line = kHalt;
  for (const char c : line) {
    EXPECT_EQ(rings_.requests.size(), 0u);
    peer.say(std::string(1, c));
    serve();
  }
  EXPECT_EQ(rings_.requests.size(), 1u);
}

TEST_F(ControlSocketTest, RefusesALineThatDoesNotEnd) {
  const Peer peer(path());
  peer.say(std::string(kMostCtlLine, 'x'));
  serve();
  EXPECT_NE(peer.heard().find("at most"), std::string::npos);
  EXPECT_EQ(rings_.requests.size(), 0u);
}

TEST_F(ControlSocketTest, IsItsUsersAlone) {
  struct stat status {};
  ASSERT_EQ(stat(path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  ASSERT_EQ(stat((folder_ + "/run").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
}

TEST_F(ControlSocketTest, LiesInNoFolderThatOthersMayWrite) {
  std::deque<OperatorDesk> none;
  std::filesystem::create_directory(folder_ + "/open");
  ASSERT_EQ(chmod((folder_ + "/open").c_str(), 0777), 0);
  for (const std::string& at :
       {std::string("/open/x.ctl"), std::string("/no/such/x.ctl"), "/run/" + std::string(200, 'x')}) {
    EXPECT_THROW(ControlSocket(folder_ + at, none, authority_, UserNames({})), std::runtime_error) << at;
  }
}

TEST_F(ControlSocketTest, ListensBesideOneThatListensAndInThePlaceOfOneThatIsDead) {
  std::deque<OperatorDesk> none;
  {
    const ControlSocket beside(path(), none, authority_, UserNames({}));
    EXPECT_EQ(beside.path(), path() + ":1");
  }
  EXPECT_FALSE(std::filesystem::exists(path() + ":1"));
  control_.reset();
  const int left = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path().c_str(), path().size() + 1);
  ASSERT_EQ(bind(left, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  close(left);  // as a crash leaves it
  const ControlSocket instead(path(), none, authority_, UserNames({}));
  EXPECT_EQ(instead.path(), path());
}

TEST_F(ControlSocketTest, TellsAPeerWhenTheStagesDoNotAnswerAndStillCollectsTheResult) {
  const Peer peer(path());
  peer.say(kHalt);
  serve();
  now_ += ControlSocket::kPatience;
  const auto late = serve();
  ASSERT_EQ(late.size(), 1u);
  EXPECT_TRUE(late[0].answer.unknown);
  EXPECT_TRUE(read_answer(peer.heard()).unknown);
  carry_out();
  ASSERT_EQ(serve().size(), 1u) << "for the log";
  EXPECT_FALSE(control_->waits());
}

TEST_F(ControlSocketTest, CutsOffWhoSaysNothing) {
  const Peer silent(path());
  serve();
  now_ += ControlSocket::kPeerPatience;
  serve();
  EXPECT_NE(silent.heard().find("no whole line"), std::string::npos);
}

TEST_F(ControlSocketTest, LetsNobodyWaitBehindThoseWhoSayNothing) {
  std::deque<Peer> silent;
  for (std::size_t i = 0; i < ControlSocket::kMostPeers; ++i) silent.emplace_back(path());
  serve();
  const Peer late(path());
  late.say(kHalt);
  serve();
  EXPECT_EQ(rings_.requests.size(), 1u);
  EXPECT_NE(silent[0].heard().find("too many"), std::string::npos);
}

TEST_F(ControlSocketTest, DoesNothingForAPeerThatHasHungUp) {
  {
    const Peer gone(path());
    gone.say(kHalt);
  }
  serve();
  EXPECT_EQ(rings_.requests.size(), 0u);
}

TEST_F(ControlSocketTest, TakesOneLineAConnection) {
  const Peer peer(path());
  peer.say(std::string(kHalt) + kHalt);
  serve();
  EXPECT_EQ(rings_.requests.size(), 0u);
  EXPECT_NE(peer.heard().find("one line"), std::string::npos);
}

/// A peer that hangs up while its command is under way must not keep poll() awake.
TEST_F(ControlSocketTest, PollsOnlyForThoseWhoMayStillSaySomething) {
  {
    const Peer peer(path());
    peer.say(kHalt);
    serve();
    EXPECT_EQ(rings_.requests.size(), 1u);
  }
  std::vector<pollfd> polled;
  control_->add_to(polled);
  EXPECT_EQ(poll(polled.data(), polled.size(), 0), 0);
  carry_out();
  EXPECT_EQ(serve().size(), 1u);
}

TEST_F(ControlSocketTest, LetsNoMoreInThanTheResultsHavePlacesFor) {
  for (std::uint64_t i = 0; i < OperatorRings::kUnderWay; ++i) {
    const Peer peer(path());
    peer.say(kHalt);
    serve();
    now_ += ControlSocket::kPatience;
    serve();
  }
  const Peer peer(path());
  peer.say(kHalt);
  serve();
  EXPECT_NE(peer.heard().find("too many"), std::string::npos);
  for (std::uint64_t i = 0; i < OperatorRings::kUnderWay; ++i) carry_out();
  EXPECT_EQ(serve().size(), OperatorRings::kUnderWay);
}

TEST_F(ControlSocketTest, AnswersAtTheEndWhatWasCarriedOutAndThatTheRestIsNot) {
  const Peer first(path());
  first.say(kHalt);
  serve();
  const Peer second(path());
  second.say(kHalt);
  serve();
  carry_out();
  const Peer queued(path());
  const auto news = control_->end();
  EXPECT_EQ(news.size(), 1u);
  EXPECT_EQ(read_answer(first.heard()).result, OperatorResult::done);
  for (const Peer* const peer : {&second, &queued}) {
    const CtlAnswer answer = read_answer(peer->heard());
    EXPECT_EQ(answer.error, "the day is over");
    EXPECT_FALSE(answer.unknown);
  }
  EXPECT_FALSE(Peer(path()).connected);
}

TEST_F(ControlSocketTest, SaysThatItIsNotKnownWhereTheDrainWasCutOff) {
  const Peer under_way(path());
  under_way.say(kHalt);
  serve();
  const Peer queued(path());
  control_->end(true);
  EXPECT_TRUE(read_answer(under_way.heard()).unknown);
  EXPECT_FALSE(read_answer(queued.heard()).unknown) << "it was never given in";
}

TEST_F(ControlSocketTest, TellsWhoWaitsThatTheDayIsOverAndServesTheNextOne) {
  const Peer under_way(path());
  under_way.say(kHalt);
  serve();
  desks_.front().close();
  const Peer late(path());
  late.say(kHalt);
  serve();
  EXPECT_EQ(read_answer(late.heard()).error, "the day is over");
  EXPECT_EQ(under_way.heard(), "");
  EXPECT_TRUE(control_->end_day(desks_.front(), false).empty());
  const CtlAnswer answer = read_answer(under_way.heard());
  EXPECT_EQ(answer.error, "the day is over");
  EXPECT_FALSE(answer.unknown);

  wire::OperatorFrame left;
  while (rings_.requests.pop(left)) {  // they are made anew
  }
  desks_.front().open();
  EXPECT_FALSE(control_->waits());
  const Peer next_day(path());
  next_day.say(kHalt);
  serve();
  carry_out();
  serve();
  EXPECT_EQ(read_answer(next_day.heard()).result, OperatorResult::done);
}

TEST_F(ControlSocketTest, LetsThoseOfOtherPartitionsWaitOn) {
  Arena arena(OperatorRings::bytes_for(), HugepagePolicy::off);
  OperatorRings rings(arena);
  desks_.emplace_back("two", std::vector<SymbolConfig>{{symbol("AAA"), Price{100}, 1}}, std::vector<DeskAccount>{},
                      rings);
  const Peer peer(path());
  peer.say("{\"command\": \"halt\", \"partition\": \"one\", \"symbol\": \"AAA\", \"request\": 7}\n");
  serve();
  control_->end_day(desks_.back(), true);
  EXPECT_EQ(peer.heard(), "");
  carry_out();
  serve();
  EXPECT_EQ(read_answer(peer.heard()).result, OperatorResult::done);
}

TEST_F(ControlSocketTest, RefusesASeventeenthProcessInsteadOfTakingALiveSocket) {
  std::deque<OperatorDesk> none;
  std::deque<ControlSocket> others;
  for (int i = 1; i < 16; ++i) others.emplace_back(path(), none, authority_, UserNames({}));
  EXPECT_EQ(others.back().path(), path() + ":15");
  EXPECT_THROW(ControlSocket(path(), none, authority_, UserNames({})), std::runtime_error);
}

TEST_F(ControlSocketTest, AsksForAPartitionWhereThereAreSeveral) {
  desks_.emplace_back("two", std::vector<SymbolConfig>{{symbol("AAA"), Price{100}, 1}}, std::vector<DeskAccount>{},
                      rings_);
  const Peer peer(path());
  peer.say(kHalt);
  serve();
  EXPECT_NE(peer.heard().find("one, two"), std::string::npos);
}

// ---- With [operators] -----------------------------------------------------------------------------------------------

constexpr const char* kAllow = "{\"command\": \"allow\", \"account\": \"ann\", \"request\": 7}";

OperatorGroups all_roles() {
  return {.viewer = {getegid()}, .market_control = {getegid()}, .house_risk = {getegid()}, .firms = {}};
}

TEST_F(ControlSocketTest, WithRolesAnybodyMayConnect) {
  give(all_roles());
  struct stat status {};
  ASSERT_EQ(stat(path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0666u);
  ASSERT_EQ(stat((folder_ + "/run").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0711u);
}

TEST_F(ControlSocketTest, WhoIsInNoneOfTheGroupsIsRefusedAndCounted) {
  give({.viewer = {kAnotherUser}, .market_control = {}, .house_risk = {}, .firms = {}});
  if (geteuid() == 0) GTEST_SKIP() << "root may always see the figures";
  EXPECT_NE(answer_to("{\"command\": \"pending\"}").find("is in none of the groups of [operators]"), std::string::npos);
  EXPECT_EQ(control_->refused(), 1u);
  const auto notices = control_->take_notices();
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_EQ(notices[0].what, CtlNotice::What::refused);
}

TEST_F(ControlSocketTest, AWrongRoleIsRefusedAndCountedAndIsNotToldWhatThereIs) {
  give({.viewer = {}, .market_control = {getegid()}, .house_risk = {}, .firms = {}});
  EXPECT_NE(answer_to(kAllow).find("is for house_risk"), std::string::npos);
  EXPECT_NE(answer_to("{\"command\": \"kill\", \"account\": \"eve\", \"request\": 7}").find("is for house_risk"),
            std::string::npos);
  EXPECT_EQ(control_->refused(), 2u);
  EXPECT_EQ(rings_.requests.size(), 0u);
}

TEST_F(ControlSocketTest, TheCommandCarriesItsRole) {
  give(all_roles());
  const Peer peer(path());
  peer.say("{\"command\": \"kill\", \"account\": \"ann\", \"request\": 7}\n");
  serve();
  wire::OperatorFrame frame;
  ASSERT_TRUE(rings_.requests.pop(frame));
  EXPECT_EQ(frame.role, static_cast<std::uint8_t>(OperatorRole::house_risk));
  EXPECT_EQ(frame.approver[0], '\0');
}

TEST_F(ControlSocketTest, KeepsWhatLoosensAndTellsItsNumber) {
  give(all_roles());
  const CtlAnswer answer = read_answer(answer_to(kAllow));
  EXPECT_EQ(answer.pending, 1u);
  EXPECT_EQ(answer.seconds, 300u);
  EXPECT_EQ(answer.why, "it lifts a kill");
  EXPECT_EQ(answer.account, "ann");
  EXPECT_EQ(rings_.requests.size(), 0u);
  EXPECT_EQ(read_answer(answer_to(kAllow)).pending, 1u) << "asked again";
  now_ += 1min;
  const auto pending = read_pending(answer_to("{\"command\": \"pending\"}"));
  ASSERT_EQ(pending.size(), 1u);
  EXPECT_EQ(pending[0].asked, "allow, account ann");
  EXPECT_EQ(pending[0].seconds, 240u);
  EXPECT_NE(answer_to("{\"command\": \"approve\", \"number\": 1}").find("your own"), std::string::npos);
  EXPECT_EQ(control_->take_notices().front().what, CtlNotice::What::pending);
  now_ += 4min;
  serve();
  EXPECT_EQ(control_->take_notices().back().what, CtlNotice::What::lapsed);
  EXPECT_NE(answer_to("{\"command\": \"approve\", \"number\": 1}").find("it has lapsed"), std::string::npos);
  EXPECT_NE(answer_to("{\"command\": \"approve\", \"number\": 2}").find("no command 2"), std::string::npos);
}

TEST_F(ControlSocketTest, WithdrawsWhatIsPending) {
  give(all_roles());
  answer_to(kAllow);
  EXPECT_EQ(read_withdrawn(answer_to("{\"command\": \"withdraw\", \"number\": 1}")).asked, "allow, account ann");
  EXPECT_TRUE(read_pending(answer_to("{\"command\": \"pending\"}")).empty());
  EXPECT_NE(answer_to("{\"command\": \"withdraw\", \"number\": 1}").find("has withdrawn it"), std::string::npos);
}

/// What another person has asked for: the test puts it there in his place.
TEST_F(ControlSocketTest, AnApprovalActsInBothNames) {
  give(all_roles());
  const Person other{.uid = kAnotherUser, .name = "alice", .groups = {getegid()}};
  const CtlAsk ask{OperatorAction::allow, {}, "one", "", 7, "it was a test", "ann", ""};
  const auto decision = authority_.decide(other, ask, std::nullopt, now_);
  ASSERT_EQ(decision.verdict, Authority::Verdict::wait);
  const std::string approve = fmt::format("{{\"command\": \"approve\", \"number\": {}}}", decision.number);
  const Peer peer(path());
  peer.say(approve + "\n");
  serve();
  wire::OperatorFrame frame = {};
  ASSERT_EQ(rings_.requests.size(), 1u);
  EXPECT_NE(answer_to(approve).find("has approved it"), std::string::npos) << "also before it is done";
  carry_out();
  const auto done = serve();
  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(done[0].by.name, "alice");
  EXPECT_EQ(done[0].by.approver, UserNames({}).of(geteuid()));
  EXPECT_EQ(done[0].by.role, OperatorRole::house_risk);
  const CtlAnswer answer = read_answer(peer.heard());
  EXPECT_EQ(answer.result, OperatorResult::done);
  EXPECT_EQ(answer.asked, "allow, account ann");
  EXPECT_EQ(answer.operator_name, "alice");
  EXPECT_EQ(answer.account, "ann");
  EXPECT_FALSE(rings_.requests.pop(frame)) << "once";
}

TEST(RecordedName, TellsTwoLongOnesApart) {
  EXPECT_EQ(recorded_name("alice"), "alice");
  EXPECT_EQ(recorded_name("sixteen_places__"), "sixteen_places__");
  const std::string first = recorded_name("exchange-operator-1"), second = recorded_name("exchange-operator-2");
  EXPECT_EQ(first.size(), 16u);
  EXPECT_EQ(first.substr(0, 12), "exchange-op~");
  EXPECT_NE(first, second);
}

TEST_F(ControlSocketTest, WhatTheDeskDoesNotTakeStaysPending) {
  give(all_roles());
  const Person other{.uid = kAnotherUser, .name = "alice", .groups = {getegid()}};
  const CtlAsk ask{OperatorAction::allow, {}, "one", "", 7, "", "ann", ""};
  ASSERT_EQ(authority_.decide(other, ask, std::nullopt, now_).number, 1u);
  desks_.front().close();
  EXPECT_NE(answer_to("{\"command\": \"approve\", \"number\": 1}").find("the day is over"), std::string::npos);
  EXPECT_EQ(read_pending(answer_to("{\"command\": \"pending\"}")).size(), 1u);
  EXPECT_NE(answer_to(kAllow).find("the day is over"), std::string::npos) << "nor is anything kept then";
  control_->end_day(desks_.front(), false);
  EXPECT_EQ(control_->take_notices().back().what, CtlNotice::What::lapsed);
}

TEST_F(ControlSocketTest, ACommandThatIsAskedForAThousandTimesIsPendingOnce) {
  give(all_roles());
  std::set<std::uint64_t> numbers;
  for (int i = 1; i <= 1000; ++i) {
    const std::string said =
        answer_to(fmt::format("{{\"command\": \"allow\", \"account\": \"ann\", \"request\": {}}}", i));
    numbers.insert(read_answer(said).pending);
  }
  EXPECT_EQ(numbers.size(), 1u);
  EXPECT_EQ(numbers.count(0), 0u);
  EXPECT_LE(control_->take_notices().size(), ControlSocket::kMostNotices);
}

TEST_F(ControlSocketTest, TenMegabytesAreNotReadToTheirEnd) {
  give(all_roles());
  const Peer peer(path());
  const std::string much(10u << 20, 'x');
  ASSERT_GT(send(peer.fd, much.data(), much.size(), MSG_NOSIGNAL | MSG_DONTWAIT), 0);
  serve();
  EXPECT_NE(peer.heard().find("at most"), std::string::npos);
  EXPECT_EQ(rings_.requests.size(), 0u);
}

TEST_F(ControlSocketTest, HalfARequestIsNone) {
  give(all_roles());
  const Peer peer(path());
  peer.say("{\"command\": \"approve\", \"num");
  serve();
  now_ += ControlSocket::kPeerPatience;
  serve();
  EXPECT_NE(peer.heard().find("no whole line"), std::string::npos);
}

TEST_F(ControlSocketTest, AsksForTheFiguresInThePlaceOfWhoMaySeeThem) {
  const test::TelemetryServer server([](const std::string& question) {
    return "{\"" + test::command_of(question) + "\":{\"user\":[\"ann\",\"bob\"]}}";
  });
  give({.viewer = {}, .market_control = {}, .house_risk = {}, .firms = {{"ANNS", getegid()}}}, server.path());
  const auto heard = [this](const std::string& question) {
    const Peer peer(path());
    peer.say("{\"command\": \"view\", \"question\": \"" + question + "\"}\n");
    for (std::string said; said.empty();) {
      std::vector<pollfd> polled;
      serve();
      said = peer.heard();
      if (!said.empty()) return said;
      control_->add_to(polled);
      EXPECT_GT(poll(polled.data(), polled.size(), 10'000), 0);
    }
    return std::string();
  };
  if (geteuid() != 0) {
    EXPECT_EQ(heard("/crosswire/accounts,one"), "{\"/crosswire/accounts\":{\"user\":[\"ann\"]}}\n");
    EXPECT_NE(heard("/crosswire/totals,one").find("is for viewer"), std::string::npos);
  } else {
    EXPECT_EQ(heard("/crosswire/accounts,one"), "{\"/crosswire/accounts\":{\"user\":[\"ann\",\"bob\"]}}\n");
  }
  EXPECT_NE(heard("/eal/params").find("question is none"), std::string::npos);
  control_.reset();  // hangs up, which the server waits for
}

TEST_F(ControlSocketTest, APhaseIsJudgedByThatOfTheMoment) {
  std::string now = "continuous";
  const test::TelemetryServer server([&now](const std::string& question) {
    return "{\"" + test::command_of(question) + "\":{\"phase\":\"" + now + "\"}}";
  });
  give(all_roles(), server.path());
  const auto asked = [this] {
    const Peer peer(path());
    peer.say("{\"command\": \"phase\", \"phase\": \"closing_call\", \"symbol\": \"AAA\", \"request\": 7}\n");
    while (peer.heard().empty()) {
      serve();
      if (rings_.requests.size() > 0) return std::string("acts");
      std::vector<pollfd> polled;
      control_->add_to(polled);
      if (poll(polled.data(), polled.size(), 0) == 0 && control_->take_notices().size() > 0) break;
    }
    return std::string("waits");
  };
  EXPECT_EQ(asked(), "acts");
  carry_out();
  serve();
  now = "closed";
  EXPECT_EQ(asked(), "waits");
  control_.reset();  // hangs up, which the server waits for
}

}  // namespace
}  // namespace crosswire
