// Who may do what, alone or with a second person: every role with every command on every scope, and what becomes of
// what waits.
#include "app/ctl/authority.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace crosswire {
namespace {

using namespace std::chrono_literals;
using Verdict = Authority::Verdict;

constexpr gid_t kViewer = 10, kMarket = 20, kHouse = 30, kAnns = 40, kBobs = 50, kNobody = 60;
constexpr uid_t kOwner = 500;

Person person(uid_t uid, std::vector<gid_t> groups) {
  return {.uid = uid, .name = "uid " + std::to_string(uid), .groups = std::move(groups)};
}
const Person kOps = person(1, {kNobody, kViewer});
const Person kMarketer = person(2, {kMarket}), kMarketer2 = person(3, {kNobody, kMarket});
const Person kRisk = person(4, {kHouse}), kRisk2 = person(5, {kHouse});
const Person kAnn = person(6, {kAnns}), kAnn2 = person(7, {kAnns});
const Person kBob = person(8, {kBobs});
const Person kStranger = person(9, {kNobody});
const Person kRoot = person(0, {0}), kOwn = person(kOwner, {kOwner});

OperatorGroups groups() {
  return {.viewer = {kViewer},
          .market_control = {kMarket},
          .house_risk = {kHouse},
          .firms = {{"ANNS", kAnns}, {"BOBS", kBobs}}};
}

std::vector<Authority::Place> places() {
  return {
      {"one",
       {"AAA", "BBB"},
       {{"ann", "ANNS", FirmId{0}}, {"amy", "ANNS", FirmId{0}}, {"bob", "BOBS", FirmId{1}}, {"cyn", "", FirmId{2}}}},
      {"two", {"AAA"}, {{"ann", "BOBS", FirmId{0}}}}};
}

CtlAsk of_symbol(OperatorAction action, const std::string& symbol, Phase phase = {}, std::uint64_t request = 1) {
  return {action, phase, "one", symbol, request, "why"};
}
CtlAsk of_account(OperatorAction action, const std::string& account, std::uint64_t request = 1) {
  return {action, {}, "one", "", request, "", account, ""};
}
CtlAsk of_firm(OperatorAction action, const std::string& firm, std::uint64_t request = 1) {
  return {action, {}, "one", "", request, "", "", firm};
}

class AuthorityTest : public ::testing::Test {
 protected:
  Authority::Decision decide(const Person& who, const CtlAsk& ask) {
    return authority_.decide(who, ask, phases_, now_);
  }
  Verdict verdict(const Person& who, const CtlAsk& ask) { return decide(who, ask).verdict; }

  /// As the socket does with what may be done: given in, and done.
  void act(const Person& who, const CtlAsk& ask, OperatorResult result = OperatorResult::done) {
    const Authority::Decision decision = decide(who, ask);
    ASSERT_EQ(decision.verdict, Verdict::act) << describe(ask) << ": " << decision.why;
    authority_.given_in(ask, decision.role, ++ticket_, now_);
    carried_out(ask, ticket_, result);
  }
  void carried_out(const CtlAsk& ask, std::uint64_t ticket, OperatorResult result = OperatorResult::done) {
    CtlAnswer answer;
    answer.result = result;
    authority_.carried_out(ask, ticket, answer);
  }
  std::uint64_t waits(const Person& who, const CtlAsk& ask) {
    const Authority::Decision decision = decide(who, ask);
    EXPECT_EQ(decision.verdict, Verdict::wait) << describe(ask) << ": " << decision.why;
    return decision.number;
  }
  /// "" where he has approved it, and it is done; else why not.
  std::string approve(const Person& who, std::uint64_t number) {
    std::string error;
    const Authority::Pending* const pending = authority_.to_approve(who, number, now_, error);
    if (pending == nullptr) return error;
    const CtlAsk ask = pending->ask;
    authority_.given_in(ask, pending->role, ++ticket_, now_);
    authority_.approved(number, who);
    carried_out(ask, ticket_);
    return "";
  }

  Authority authority_{places(), groups(), kOwner};
  std::optional<std::vector<Phase>> phases_ = std::vector<Phase>{Phase::halted};
  Authority::Clock::time_point now_{1h};
  std::uint64_t ticket_ = 0;
};

/// A letter for each of kRoles: a acts, w waits, - is refused.
TEST_F(AuthorityTest, EachRoleMayWhatItsScopeSaysAndNothingElse) {
  const std::vector<Person> roles = {kOps, kMarketer, kRisk, kAnn, kBob, kStranger, kRoot, kOwn};
  const std::vector<std::pair<CtlAsk, std::string>> table = {
      {of_symbol(OperatorAction::halt, "AAA"), "-a------"},
      {of_symbol(OperatorAction::halt, ""), "-a------"},
      {of_symbol(OperatorAction::resume, "AAA"), "-a------"},
      {of_symbol(OperatorAction::resume, ""), "-a------"},
      {of_symbol(OperatorAction::phase, "AAA", Phase::closed), "-a------"},
      {of_symbol(OperatorAction::phase, "", Phase::halted), "-a------"},
      {of_symbol(OperatorAction::phase, "AAA", Phase::continuous), "-w------"},
      {of_account(OperatorAction::kill, "ann"), "--aa----"},
      {of_account(OperatorAction::kill, "ANN"), "--aa----"},
      {of_account(OperatorAction::kill, "bob"), "--a-a---"},
      {of_account(OperatorAction::kill, "cyn"), "--a-----"},
      {of_account(OperatorAction::kill, "eve"), "--a-----"},
      {of_firm(OperatorAction::kill, "ANNS"), "--aa----"},
      {of_firm(OperatorAction::kill, "BOBS"), "--a-a---"},
      {of_firm(OperatorAction::kill, "NONE"), "--a-----"},
      {of_account(OperatorAction::allow, "ann"), "--ww----"},
      {of_account(OperatorAction::allow, "bob"), "--w-w---"},
      {of_account(OperatorAction::allow, "cyn"), "--w-----"},
      {of_firm(OperatorAction::allow, "ANNS"), "--ww----"},
      {of_firm(OperatorAction::allow, "BOBS"), "--w-w---"},
      // An account is of its firm by its partition, too.
      {CtlAsk{OperatorAction::kill, {}, "two", "", 1, "", "ann", ""}, "--a-a---"},
      {CtlAsk{OperatorAction::kill, {}, "three", "", 1, "", "ann", ""}, "--a-----"},
  };
  for (const auto& [ask, expected] : table) {
    for (std::size_t i = 0; i < roles.size(); ++i) {
      Authority authority(places(), groups(), kOwner);
      const Authority::Decision decision = authority.decide(roles[i], ask, phases_, now_);
      const char letter = decision.verdict == Verdict::act ? 'a' : decision.verdict == Verdict::wait ? 'w' : '-';
      EXPECT_EQ(letter, expected[i]) << describe(ask) << " of " << ask.partition << " by " << roles[i].name;
      EXPECT_EQ(decision.verdict == Verdict::act, decision.why.empty());
      EXPECT_EQ(authority.role_for(roles[i], ask).has_value(), expected[i] != '-');
    }
  }
}

TEST_F(AuthorityTest, SaysWhoseItWouldBe) {
  EXPECT_EQ(decide(kAnn, of_symbol(OperatorAction::halt, "AAA")).why, "uid 6 may not: halt, AAA is for market_control");
  EXPECT_EQ(decide(kMarketer, of_firm(OperatorAction::kill, "ANNS")).why,
            "uid 2 may not: kill, firm ANNS is for house_risk, or the risk of its firm");
}

TEST_F(AuthorityTest, KnowsWhoIsInAGroupAndTheOwnerAndRoot) {
  for (const Person* const one : {&kOps, &kMarketer, &kRisk, &kAnn, &kRoot, &kOwn}) {
    EXPECT_TRUE(authority_.is_known(*one)) << one->name;
  }
  EXPECT_FALSE(authority_.is_known(kStranger));
}

TEST_F(AuthorityTest, WithoutGroupsTheOwnerAndRootMayAllAlone) {
  Authority authority(places(), std::nullopt, kOwner);
  EXPECT_FALSE(authority.has_roles());
  for (const CtlAsk& ask : {of_symbol(OperatorAction::resume, ""), of_account(OperatorAction::allow, "ann"),
                            of_symbol(OperatorAction::phase, "", Phase::continuous)}) {
    for (const Person* const one : {&kRoot, &kOwn}) {
      const Authority::Decision decision = authority.decide(*one, ask, std::nullopt, now_);
      EXPECT_EQ(decision.verdict, Verdict::act);
      EXPECT_EQ(decision.role, OperatorRole::owner);
    }
    EXPECT_EQ(authority.decide(kRisk, ask, std::nullopt, now_).verdict, Verdict::refuse);
  }
  EXPECT_FALSE(authority.is_known(kOps));
  EXPECT_TRUE(authority.sight(kOwn, "/crosswire/totals").all);
}

TEST_F(AuthorityTest, TellsInWhichRole) {
  EXPECT_EQ(decide(kMarketer, of_symbol(OperatorAction::halt, "AAA")).role, OperatorRole::market_control);
  EXPECT_EQ(decide(kAnn, of_account(OperatorAction::kill, "ann")).role, OperatorRole::firm_risk);
  EXPECT_EQ(decide(person(11, {kAnns, kHouse}), of_account(OperatorAction::kill, "ann")).role,
            OperatorRole::house_risk);
}

// ---- What loosens ---------------------------------------------------------------------------------------------------

/// From the phase of the row to that of the column, in the order of the phases: a acts, w waits.
TEST_F(AuthorityTest, APhaseTowardsTradingWaitsAndOneAwayFromItActs) {
  const std::vector<std::string> table = {
      //  pre_open, opening_call, continuous, closing_call, closed, halted, intraday_call
      "awwwaaw",  // pre_open
      "wawwwaw",  // opening_call: who leaves it executes its cross
      "aaaaaaa",  // continuous
      "wwwawaw",  // closing_call
      "wwwwaww",  // closed
      "awwwaaw",  // halted
      "wwwwwaa",  // intraday_call
      "wwwwwaw",  // interrupted
  };
  ASSERT_EQ(table.size(), kPhaseNames.size());
  for (std::size_t from = 0; from < kPhaseNames.size(); ++from) {
    for (std::size_t to = 0; to < kAskedPhaseNames.size(); ++to) {
      Authority authority(places(), groups(), kOwner);
      const CtlAsk ask = of_symbol(OperatorAction::phase, "AAA", static_cast<Phase>(to));
      const std::vector<Phase> now = {static_cast<Phase>(from)};
      const Verdict verdict = authority.decide(kMarketer, ask, now, now_).verdict;
      EXPECT_EQ(verdict == Verdict::act ? 'a' : 'w', table[from][to]) << kPhaseNames[from] << " to " << kPhaseNames[to];
    }
  }
}

TEST_F(AuthorityTest, OfSeveralSymbolsTheOneThatIsLoosenedDecides) {
  phases_ = {Phase::continuous, Phase::closed};
  EXPECT_EQ(verdict(kMarketer, of_symbol(OperatorAction::phase, "", Phase::closing_call)), Verdict::wait);
  EXPECT_EQ(verdict(kMarketer, of_symbol(OperatorAction::phase, "", Phase::closed)), Verdict::act);
}

TEST_F(AuthorityTest, APhaseThatIsNotKnownCountsAsALessPermissiveOne) {
  phases_.reset();
  EXPECT_EQ(verdict(kMarketer, of_symbol(OperatorAction::phase, "AAA", Phase::halted)), Verdict::wait);
  EXPECT_EQ(verdict(kMarketer, of_symbol(OperatorAction::phase, "AAA", Phase::closed)), Verdict::act);
}

TEST_F(AuthorityTest, AResumeWaitsWhereAPersonHasHalted) {
  const CtlAsk resume = of_symbol(OperatorAction::resume, "AAA"), all = of_symbol(OperatorAction::resume, "");
  EXPECT_EQ(verdict(kMarketer, resume), Verdict::act) << "the halt of a start is nobody's";
  act(kMarketer, of_symbol(OperatorAction::halt, "AAA"));
  EXPECT_EQ(verdict(kMarketer, of_symbol(OperatorAction::resume, "BBB")), Verdict::act);
  EXPECT_EQ(approve(kMarketer2, waits(kMarketer, all)), "");
  EXPECT_EQ(verdict(kMarketer, resume), Verdict::act) << "it is resumed";
  act(kMarketer, of_symbol(OperatorAction::halt, ""), OperatorResult::halted_already);
  EXPECT_EQ(verdict(kMarketer, of_symbol(OperatorAction::resume, "BBB", {}, 2)), Verdict::wait);
}

TEST_F(AuthorityTest, ClosingWhatAPersonHasHaltedWouldEndTheHaltAndWaits) {
  const CtlAsk close = of_symbol(OperatorAction::phase, "AAA", Phase::closed);
  act(kMarketer, of_symbol(OperatorAction::halt, "AAA"));
  EXPECT_EQ(approve(kMarketer2, waits(kMarketer, close)), "");
  EXPECT_EQ(verdict(kMarketer, of_symbol(OperatorAction::resume, "AAA")), Verdict::act);
}

TEST_F(AuthorityTest, AHaltBehindAResumeUnderWayStays) {
  const CtlAsk halt = of_symbol(OperatorAction::halt, "AAA"), resume = of_symbol(OperatorAction::resume, "AAA");
  authority_.given_in(resume, OperatorRole::market_control, 1, now_);
  authority_.given_in(halt, OperatorRole::market_control, 2, now_);
  carried_out(resume, 1);
  EXPECT_EQ(verdict(kMarketer, resume), Verdict::wait);
}

TEST_F(AuthorityTest, AHaltForATimeIsAPersonsUntilItIsOver) {
  CtlAsk halt = of_symbol(OperatorAction::halt, "AAA");
  const CtlAsk close = of_symbol(OperatorAction::phase, "AAA", Phase::closed, 2);
  halt.seconds = 60;
  act(kMarketer, halt);
  EXPECT_EQ(verdict(kMarketer, of_symbol(OperatorAction::resume, "AAA")), Verdict::wait);
  EXPECT_EQ(verdict(kMarketer, close), Verdict::wait);
  now_ += std::chrono::seconds(60);
  EXPECT_EQ(verdict(kMarketer, close), Verdict::wait) << "it may have been carried out later";
  now_ += std::chrono::seconds(10);
  EXPECT_EQ(verdict(kMarketer, close), Verdict::act);
  act(kMarketer, of_symbol(OperatorAction::halt, "AAA"));
  act(kMarketer, halt);
  now_ += std::chrono::hours(1);
  EXPECT_EQ(verdict(kMarketer, close), Verdict::wait) << "one until resumed goes on";
}

TEST_F(AuthorityTest, AnAnswerThatRepeatsAnEarlierOneHasLetNothingGo) {
  act(kRisk, of_account(OperatorAction::kill, "ann"));
  CtlAnswer again;
  again.result = OperatorResult::done;
  again.repeated = true;
  authority_.carried_out(of_account(OperatorAction::allow, "ann"), ++ticket_, again);
  EXPECT_EQ(verdict(kAnn, of_account(OperatorAction::allow, "ann")), Verdict::refuse);
}

TEST_F(AuthorityTest, HaltsEndWithTheDayAndKillsDoNot) {
  act(kMarketer, of_symbol(OperatorAction::halt, "AAA"));
  act(kRisk, of_account(OperatorAction::kill, "ann"));
  const std::uint64_t number = waits(kRisk, of_account(OperatorAction::allow, "ann"));
  EXPECT_EQ(authority_.end_day("two").size(), 0u);
  const auto lapsed = authority_.end_day("one");
  ASSERT_EQ(lapsed.size(), 1u);
  EXPECT_EQ(lapsed[0].number, number);
  EXPECT_NE(approve(kRisk2, number).find("lapsed with the day"), std::string::npos);
  EXPECT_EQ(verdict(kMarketer, of_symbol(OperatorAction::resume, "AAA")), Verdict::act);
  EXPECT_EQ(verdict(kAnn, of_account(OperatorAction::allow, "ann")), Verdict::refuse);
}

// ---- Whose kill it is -----------------------------------------------------------------------------------------------

TEST_F(AuthorityTest, AKillOfTheHouseIsNotLiftedByTheFirm) {
  act(kRisk, of_account(OperatorAction::kill, "ann"));
  EXPECT_NE(decide(kAnn, of_account(OperatorAction::allow, "ann")).why.find("killed by house_risk"), std::string::npos);
  EXPECT_EQ(verdict(kAnn, of_firm(OperatorAction::allow, "ANNS")), Verdict::refuse);
  EXPECT_EQ(verdict(kAnn, of_account(OperatorAction::allow, "amy")), Verdict::wait);
  const std::uint64_t number = waits(kRisk, of_account(OperatorAction::allow, "ann"));
  EXPECT_NE(approve(kAnn, number).find("killed by house_risk"), std::string::npos);
  EXPECT_EQ(approve(kRisk2, number), "");
  EXPECT_EQ(verdict(kAnn, of_account(OperatorAction::allow, "ann", 2)), Verdict::wait) << "it is the house's no more";
}

TEST_F(AuthorityTest, AKillOfTheFirmIsLiftedByTheFirmOrTheHouse) {
  for (const auto& [asks, approves] :
       std::vector<std::pair<Person, Person>>{{kAnn, kAnn2}, {kAnn, kRisk}, {kRisk, kAnn}, {kRisk, kRisk2}}) {
    act(kAnn, of_firm(OperatorAction::kill, "ANNS", ++ticket_));
    EXPECT_EQ(approve(approves, waits(asks, of_firm(OperatorAction::allow, "ANNS", ++ticket_))), "");
  }
}

TEST_F(AuthorityTest, AKillThatTheHouseRepeatsIsTheHouses) {
  act(kAnn, of_account(OperatorAction::kill, "ann"));
  const std::uint64_t number = waits(kAnn, of_account(OperatorAction::allow, "ann"));
  act(kRisk, of_firm(OperatorAction::kill, "ANNS"), OperatorResult::killed_already);
  EXPECT_NE(approve(kAnn2, number).find("killed by house_risk"), std::string::npos) << "since it was asked for";
  EXPECT_NE(approve(kRisk, number).find("killed by house_risk"), std::string::npos) << "the firm may not ask for it";
  act(kAnn, of_account(OperatorAction::kill, "ann"), OperatorResult::killed_already);
  EXPECT_EQ(verdict(kAnn, of_account(OperatorAction::allow, "ann", 2)), Verdict::refuse);
}

// ---- The second person ----------------------------------------------------------------------------------------------

TEST_F(AuthorityTest, NobodyApprovesHisOwn) {
  const std::uint64_t number = waits(kRisk, of_account(OperatorAction::allow, "ann"));
  EXPECT_NE(approve(kRisk, number).find("your own"), std::string::npos);
  EXPECT_EQ(approve(kRisk2, number), "");
  EXPECT_EQ(approve(kRisk2, number), "command 1 is not pending any more: uid 5 has approved it");
}

TEST_F(AuthorityTest, WhoMayNotDoItMayNotApproveItNorSeeIt) {
  const std::uint64_t number = waits(kRisk, of_account(OperatorAction::allow, "ann"));
  for (const Person* const one : {&kMarketer, &kBob, &kStranger}) {
    EXPECT_EQ(approve(*one, number), "no command 1 is pending") << one->name;
    EXPECT_TRUE(authority_.pending(*one, now_).empty());
  }
  for (const Person* const one : {&kOps, &kRoot, &kOwn}) {
    EXPECT_NE(approve(*one, number).find("may not"), std::string::npos) << one->name;
    ASSERT_EQ(authority_.pending(*one, now_).size(), 1u);
  }
  const CtlPending seen = authority_.pending(kAnn, now_ + 1s)[0];
  EXPECT_EQ(seen.number, number);
  EXPECT_EQ(seen.asked, "allow, account ann");
  EXPECT_EQ(seen.operator_name, "uid 4");
  EXPECT_EQ(seen.role, "house_risk");
  EXPECT_EQ(seen.seconds, 299u);
}

TEST_F(AuthorityTest, LapsesAfterFiveMinutes) {
  const std::uint64_t number = waits(kRisk, of_account(OperatorAction::allow, "ann"));
  now_ += 5min - 1ns;
  EXPECT_TRUE(authority_.lapse(now_).empty());
  EXPECT_EQ(authority_.pending(kRisk2, now_).size(), 1u);
  now_ += 1ns;
  EXPECT_EQ(authority_.pending(kRisk2, now_).size(), 0u);
  EXPECT_EQ(approve(kRisk2, number), "command 1 is not pending any more: it has lapsed") << "also before lapse()";
  const auto lapsed = authority_.lapse(now_);
  ASSERT_EQ(lapsed.size(), 1u);
  EXPECT_EQ(lapsed[0].number, number);
  EXPECT_TRUE(authority_.lapse(now_).empty());
  EXPECT_EQ(approve(kRisk2, number), "command 1 is not pending any more: it has lapsed");
}

TEST_F(AuthorityTest, IsWithdrawnByWhoAskedOrCouldApprove) {
  std::string error;
  const auto number = [&] { return waits(kAnn, of_account(OperatorAction::allow, "ann", ++ticket_)); };
  const std::uint64_t first = number();
  EXPECT_FALSE(authority_.withdraw(kOps, first, now_, error));
  EXPECT_FALSE(authority_.withdraw(kBob, first, now_, error));
  EXPECT_TRUE(authority_.withdraw(kAnn, first, now_, error));
  EXPECT_EQ(approve(kAnn2, first), "command 1 is not pending any more: uid 6 has withdrawn it");
  EXPECT_FALSE(authority_.withdraw(kAnn, first, now_, error));
  EXPECT_TRUE(authority_.withdraw(kRisk, number(), now_, error));
}

TEST_F(AuthorityTest, TheSameRequestAgainIsTheSamePendingCommand) {
  const CtlAsk ask = of_account(OperatorAction::allow, "ann", 9);
  const std::uint64_t number = waits(kRisk, ask);
  EXPECT_EQ(waits(kRisk, ask), number);
  EXPECT_NE(waits(kRisk2, ask), number) << "another person's numbers are his own";
  EXPECT_NE(decide(kRisk, of_account(OperatorAction::allow, "bob", 9)).why.find("pending command 1"),
            std::string::npos);
  EXPECT_EQ(approve(kRisk2, number), "");
  EXPECT_EQ(decide(kRisk, ask).why, "request 9 was command 1: uid 5 has approved it") << "once is enough";
}

TEST_F(AuthorityTest, TheSameCommandWithAnotherNumberIsTheSamePendingOne) {
  const std::uint64_t number = waits(kRisk, of_account(OperatorAction::allow, "ann", 9));
  EXPECT_EQ(waits(kRisk, of_account(OperatorAction::allow, "ann", 10)), number);
  EXPECT_NE(waits(kRisk, of_account(OperatorAction::allow, "amy", 11)), number);
  EXPECT_EQ(authority_.pending(kRisk, now_).size(), 2u);
}

TEST_F(AuthorityTest, WhatIsStoppedAgainSinceIsNotLetGoByAnOlderCommand) {
  act(kMarketer, of_symbol(OperatorAction::halt, "AAA"));
  const std::uint64_t resume = waits(kMarketer, of_symbol(OperatorAction::resume, "AAA", {}, 2));
  act(kMarketer, of_symbol(OperatorAction::halt, "AAA", {}, 3), OperatorResult::halted_already);
  EXPECT_NE(approve(kMarketer2, resume).find("has been stopped again since"), std::string::npos);
  act(kRisk, of_account(OperatorAction::kill, "bob", 4));
  const std::uint64_t allow = waits(kRisk, of_account(OperatorAction::allow, "bob", 5));
  act(kRisk, of_account(OperatorAction::kill, "ann", 6));
  EXPECT_EQ(approve(kRisk2, allow), "") << "another's kill is nothing to it";
}

TEST_F(AuthorityTest, NobodyTakesTheOthersPlaces) {
  // Firm and account are asked for by turns: each is a command of its own.
  std::uint64_t request = 0;
  std::size_t kept = 0;
  for (uid_t uid = 100; uid < 200; ++uid) {
    for (const CtlAsk& ask :
         {of_account(OperatorAction::allow, "ann", ++request), of_firm(OperatorAction::allow, "ANNS", ++request)}) {
      const Authority::Decision decision = decide(person(uid, {kAnns}), ask);
      kept += decision.verdict == Verdict::wait;
      if (decision.verdict == Verdict::wait) continue;
      EXPECT_EQ(decision.why, "64 commands of the risk of ANNS are pending already; have some approved or withdrawn");
    }
  }
  EXPECT_EQ(kept, Authority::kMostOfSeat);
  waits(person(100, {kBobs}), of_account(OperatorAction::allow, "bob", ++request));
  waits(kRisk, of_account(OperatorAction::allow, "ann", ++request));
  waits(kMarketer, of_symbol(OperatorAction::phase, "AAA", Phase::continuous, ++request));
  EXPECT_EQ(verdict(kRisk, of_account(OperatorAction::kill, "ann")), Verdict::act) << "what tightens needs no place";
  now_ += 5min;
  EXPECT_EQ(authority_.lapse(now_).size(), kept + 3);
}

// ---- Figures --------------------------------------------------------------------------------------------------------

TEST_F(AuthorityTest, ViewersSeeAllAndAFirmItsOwnAccounts) {
  for (const Person* const one : {&kOps, &kRoot, &kOwn}) {
    EXPECT_TRUE(authority_.sight(*one, "/crosswire/totals,one").all) << one->name;
    EXPECT_TRUE(authority_.sight(*one, "/crosswire/positions,bob,one,0").all) << one->name;
  }
  EXPECT_TRUE(authority_.sight(kAnn, "/crosswire/info").all);
  for (const char* const question :
       {"/crosswire/accounts,one", "/crosswire/accounts,one,64", "/crosswire/limits,one"}) {
    const Authority::Sight sight = authority_.sight(kAnn, question);
    EXPECT_FALSE(sight.all) << question;
    EXPECT_EQ(sight.users, (std::vector<std::string>{"ann", "amy"})) << question;
  }
  EXPECT_TRUE(authority_.sight(kAnn, "/crosswire/positions,amy,one,0").all);
  for (const char* const question :
       {"/crosswire/positions,bob,one,0", "/crosswire/positions,ann,two,0", "/crosswire/positions,ann",
        "/crosswire/positions,", "/crosswire/accounts,two", "/crosswire/accounts", "/crosswire/totals,one",
        "/crosswire/sessions,one", "/crosswire/info2", "/eal/params", "", ","}) {
    const Authority::Sight sight = authority_.sight(kAnn, question);
    EXPECT_FALSE(sight.all) << question;
    EXPECT_FALSE(sight.refused.empty()) << question;
  }
  EXPECT_FALSE(authority_.sight(kMarketer, "/crosswire/totals,one").refused.empty());
  EXPECT_FALSE(authority_.sight(kRisk, "/crosswire/accounts,one").refused.empty());
  EXPECT_FALSE(authority_.sight(kStranger, "/crosswire/info").refused.empty());
}

}  // namespace
}  // namespace crosswire
