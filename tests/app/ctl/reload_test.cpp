// A reload, with the test in the exchange's place: what is read, refused, given in row by row, and kept for a second
// person.
#include "app/ctl/reload.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <deque>
#include <string>
#include <thread>
#include <vector>

#include "netstack/session/password_digest.hpp"
#include "tests/folder.hpp"

namespace crosswire::reload_test {
namespace {

using namespace std::chrono_literals;

const std::string kConfig =
    "[port]\ndevice = \"net_ring0\"\naddress = \"10.99.0.1\"\n"
    "[[symbol]]\nname = \"AAA\"\nreference_price_e4 = 10000\ntick_e4 = 100\n"
    "[[account]]\nuser = \"ann\"\npassword = \"p\"\nfirm = \"ANNS\"\n[account.risk]\norder_quantity = 100\n";
constexpr gid_t kHouse = 30;
const Person kRisk{4, "alice", {kHouse}}, kRisk2{5, "bert", {kHouse}}, kOther{6, "eve", {31}};

class ReloadTest : public ::testing::Test {
 protected:
  ReloadTest() { start(std::nullopt); }

  void start(const std::optional<OperatorGroups>& groups) {
    write(kConfig);
    const Config config = load_config(path_, ConfigUse::run);
    reload_.reset();
    authority_.emplace(std::vector<Authority::Place>{{"one", {"AAA"}, desk_accounts(config)}}, groups, geteuid());
    desks_.clear();
    desks_.emplace_back("one", config.engine.symbols, desk_accounts(config), rings_);
    std::vector<Reload::Partition> partitions;
    partitions.push_back({desks_.front(), config, [this](const Config& next) { kept_ = next; }});
    reload_ = std::make_unique<Reload>(
        std::move(partitions), *authority_, [](const auto&) {}, [] {});
  }
  void write(const std::string& text) { path_ = folder_.write("one.toml", text, 0600); }
  static std::string with(const std::string& before, const std::string& after, std::string text = kConfig) {
    return text.replace(text.find(before), before.size(), after);
  }
  static CtlAsk ask_for(std::uint64_t request) {
    CtlAsk ask;
    ask.action = OperatorAction::reload;
    ask.request = request;
    return ask;
  }

  /// Until something has come of one; the exchange carries out what it is given meanwhile.
  Reload::Done come_of_it() {
    for (;;) {
      carry_out();
      while (const auto done = desks_.front().collect()) reload_->carried_out(*done);
      auto done = reload_->look(now_);
      if (!done.empty()) {
        EXPECT_EQ(done.size(), 1u);
        return std::move(done.front());
      }
      std::this_thread::yield();
    }
  }
  Reload::Done reload(const Person& person, CtlAsk ask) {
    reload_->ask(person, ask);
    return come_of_it();
  }
  Reload::Done reload(const Person& person = Person{geteuid(), "own", {}}) {
    return reload(person, ask_for(++request_));
  }
  Reload::Done approve(const Person& person, std::uint64_t number) {
    std::string error;
    const Authority::Pending* const pending = authority_->to_approve(person, number, now_, error);
    EXPECT_NE(pending, nullptr) << error;
    reload_->approve(person, *pending);
    return come_of_it();
  }
  void carry_out() {
    wire::OperatorFrame frame;
    while (rings_.requests.pop(frame)) {
      frames_.push_back(frame);
      Event event{};
      event.kind = EventKind::configured;
      event.configured = {};
      event.configured.request = frame.request;
      event.configured.result = result_;
      ASSERT_TRUE(rings_.results.push(event));
    }
  }

  test::Folder folder_;
  std::string path_;
  Arena arena_{OperatorRings::bytes_for(), HugepagePolicy::off};
  OperatorRings rings_{arena_};
  std::deque<OperatorDesk> desks_;
  std::optional<Authority> authority_;
  std::unique_ptr<Reload> reload_;
  std::optional<Config> kept_;
  std::vector<wire::OperatorFrame> frames_;
  OperatorResult result_ = OperatorResult::done;
  Authority::Clock::time_point now_{1h};
  std::uint64_t request_ = 0;
};

TEST_F(ReloadTest, OfTheSameFileChangesNothing) {
  const Reload::Done done = reload();
  EXPECT_EQ(done.answer.error, "");
  EXPECT_EQ(done.answer.state, CtlReloadState::same);
  EXPECT_TRUE(frames_.empty());
}

TEST_F(ReloadTest, GivesEachRowInOnceAndIsDoneWhenAllAreCarriedOut) {
  write(with("order_quantity = 100", "order_quantity = 200\nprice_band_e4 = 50"));
  const Reload::Done done = reload();
  EXPECT_EQ(done.answer.error, "");
  EXPECT_EQ(done.answer.state, CtlReloadState::done);
  ASSERT_EQ(done.answer.rows.size(), 2u);
  EXPECT_EQ(done.answer.rows[0].key, "account[ann].risk.order_quantity");
  EXPECT_EQ(done.answer.rows[0].before, "100");
  EXPECT_EQ(done.answer.rows[0].after, "200");
  ASSERT_EQ(frames_.size(), 2u);
  EXPECT_EQ(frames_[0].row, static_cast<std::uint8_t>(ConfigRow::limit));
  EXPECT_EQ(frames_[0].account, 0u);
  EXPECT_EQ(frames_[0].value, 200u);
  ASSERT_TRUE(kept_);
  EXPECT_EQ(kept_->engine.risk[0].limit(RiskLimit::order_quantity), 200);
  EXPECT_EQ(reload().answer.state, CtlReloadState::same);
}

TEST_F(ReloadTest, ADryRunChangesNothing) {
  write(with("order_quantity = 100", "order_quantity = 200"));
  CtlAsk ask = ask_for(1);
  ask.dry_run = true;
  EXPECT_EQ(reload({geteuid(), "own", {}}, ask).answer.state, CtlReloadState::checked);
  EXPECT_TRUE(frames_.empty());
  EXPECT_EQ(reload().answer.state, CtlReloadState::done);
}

TEST_F(ReloadTest, AFaultAndAKeyThatMayNotChangeLeaveAllAsItIs) {
  write(with("order_quantity = 100", "order_quantity = 0"));
  EXPECT_NE(reload().answer.error.find("one.toml:13: account.risk.order_quantity: "), std::string::npos);
  const std::string both = with("tick_e4 = 100", "tick_e4 = 200", with("order_quantity = 100", "order_quantity = 90"));
  write(both);
  const Reload::Done refused = reload();
  EXPECT_NE(refused.answer.error.find("symbol[AAA].tick_e4 may not change within a day"), std::string::npos)
      << refused.answer.error;
  EXPECT_EQ(refused.answer.rows.size(), 2u);
  EXPECT_TRUE(frames_.empty());
  EXPECT_FALSE(kept_);
  CtlAsk ask = ask_for(9);
  ask.only_what_may = true;
  EXPECT_EQ(reload({geteuid(), "own", {}}, ask).answer.state, CtlReloadState::done);
  EXPECT_EQ(frames_.size(), 1u);
}

TEST_F(ReloadTest, APasswordLeavesAsADigestAlone) {
  write(with("password = \"p\"", "password = \"geheim\""));
  const Reload::Done done = reload();
  EXPECT_EQ(done.answer.rows.at(0).after, "(secret)");
  ASSERT_EQ(frames_.size(), 1u);
  EXPECT_EQ(frames_[0].value, password_digest("GEHEIM  ", frames_[0].salt)) << "case and padding do not count";
  const std::string bytes(reinterpret_cast<const char*>(frames_.data()), sizeof(wire::OperatorFrame));
  EXPECT_EQ(bytes.find("geheim"), std::string::npos);
}

TEST_F(ReloadTest, WhatTightensActsAtOnceAndWhatLoosensNeedsASecondPerson) {
  start(OperatorGroups{.viewer = {}, .market_control = {}, .house_risk = {kHouse}, .firms = {}});
  write(with("order_quantity = 100", "order_quantity = 90"));
  EXPECT_TRUE(reload(kOther).refused);
  EXPECT_EQ(reload(kRisk).answer.state, CtlReloadState::done);
  write(with("order_quantity = 100", "order_quantity = 110\nprice_band_e4 = 50"));
  const Reload::Done waits = reload(kRisk);
  EXPECT_EQ(waits.answer.state, CtlReloadState::pending) << waits.answer.error;
  EXPECT_EQ(waits.answer.why, "account[ann].risk.order_quantity loosens");
  EXPECT_EQ(frames_.size(), 1u);
  const Reload::Done done = approve(kRisk2, waits.answer.pending);
  EXPECT_EQ(done.answer.error, "");
  EXPECT_EQ(done.by.name, "alice");
  EXPECT_EQ(done.by.approver, "bert");
  EXPECT_EQ(frames_.size(), 3u);
}

TEST_F(ReloadTest, AnApprovalOfAnotherFileThanWasCheckedIsRefused) {
  start(OperatorGroups{.viewer = {}, .market_control = {}, .house_risk = {kHouse}, .firms = {}});
  write(with("order_quantity = 100", "order_quantity = 110"));
  const std::uint64_t number = reload(kRisk).answer.pending;
  write(with("order_quantity = 100", "order_quantity = 1000"));
  EXPECT_NE(approve(kRisk2, number).answer.error.find("its files, or what runs, have changed since"),
            std::string::npos);
  EXPECT_TRUE(frames_.empty());
}

TEST_F(ReloadTest, AnApprovalOfTheSameFileIsRefusedWhereMoreWouldChangeThanWasTold) {
  start(OperatorGroups{.viewer = {}, .market_control = {}, .house_risk = {kHouse}, .firms = {}});
  const std::string loosened = with("order_quantity = 100", "order_quantity = 110");
  write(loosened);
  const std::uint64_t number = reload(kRisk).answer.pending;
  write(with("[account.risk]", "enabled = false\n[account.risk]"));
  EXPECT_EQ(reload(kRisk2).answer.state, CtlReloadState::done);
  write(loosened);
  EXPECT_NE(approve(kRisk2, number).answer.error.find("have changed since"), std::string::npos);
  EXPECT_EQ(frames_.size(), 1u);
}

TEST_F(ReloadTest, TheSignalLoosensNothingWhereThereAreRolesAsItsSenderMightApproveIt) {
  start(OperatorGroups{.viewer = {}, .market_control = {}, .house_risk = {kHouse}, .firms = {}});
  write(with("order_quantity = 100", "order_quantity = 110"));
  const Reload::Done done = reload(authority_->hanging_up());
  EXPECT_NE(done.answer.error.find("order_quantity loosens, which needs a second person"), std::string::npos);
  EXPECT_TRUE(frames_.empty());
}

TEST_F(ReloadTest, OneSignalWaitsAtMost) {
  reload_->ask({geteuid(), "own", {}}, ask_for(1));
  EXPECT_FALSE(reload_->signal_waits());
  reload_->ask(authority_->hanging_up(), ask_for(2));
  EXPECT_TRUE(reload_->signal_waits());
  come_of_it();
  come_of_it();
  EXPECT_FALSE(reload_->signal_waits());
}

TEST_F(ReloadTest, APipeInTheFilesPlaceIsNotReadForEver) {
  unlink(path_.c_str());
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_NE(reload().answer.error.find("one.toml: is no regular file"), std::string::npos);
}

TEST_F(ReloadTest, WhetherAnAccountsPositionsAreKeptIsForADay) {
  const std::string kept = kConfig + "[[account.position]]\nsymbol = \"AAA\"\nlong = 1000\n";
  write(kept);
  EXPECT_NE(reload().answer.error.find("may not change within a day"), std::string::npos);
  EXPECT_TRUE(frames_.empty());
}

TEST_F(ReloadTest, TheSignalIsOneOfTheHouse) {
  start(OperatorGroups{.viewer = {}, .market_control = {}, .house_risk = {kHouse}, .firms = {}});
  write(with("order_quantity = 100", "order_quantity = 90"));
  const Reload::Done done = reload(authority_->hanging_up());
  EXPECT_EQ(done.answer.state, CtlReloadState::done) << done.answer.error;
  EXPECT_EQ(done.by.name, "SIGHUP");
}

TEST_F(ReloadTest, TwoAtOnceGoOneBehindTheOther) {
  write(with("order_quantity = 100", "order_quantity = 90"));
  reload_->ask(Person{geteuid(), "own", {}}, ask_for(1));
  reload_->ask(Person{geteuid(), "own", {}}, ask_for(2));
  EXPECT_EQ(come_of_it().answer.state, CtlReloadState::done);
  EXPECT_EQ(come_of_it().answer.state, CtlReloadState::same);
  EXPECT_EQ(frames_.size(), 1u);
}

TEST_F(ReloadTest, BehindTheDaysEndNothingChanges) {
  write(with("order_quantity = 100", "order_quantity = 90"));
  desks_.front().close();
  EXPECT_EQ(reload().answer.error, "the day is over");
  EXPECT_FALSE(kept_);
}

TEST_F(ReloadTest, WhatTheExchangeDoesNotTakeIsTold) {
  write(with("order_quantity = 100", "order_quantity = 90"));
  result_ = OperatorResult::not_today;
  EXPECT_NE(reload().answer.error.find("account[ann].risk.order_quantity: it may not change within a day"),
            std::string::npos);
}

}  // namespace
}  // namespace crosswire::reload_test
