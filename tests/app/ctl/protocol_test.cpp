// The lines between `crosswire ctl` and the appliance: what is said is read again, and nothing else is.
#include "app/ctl/protocol.hpp"

#include <gtest/gtest.h>

#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "app/ctl/client.hpp"
#include "tests/seed.hpp"

namespace crosswire {
namespace {

std::string fault_of(std::string_view line) {
  try {
    read_ask(line);
  } catch (const CtlError& error) {
    return error.what();
  }
  return "";
}

CtlAnswer an_answer() {
  CtlAnswer answer;
  answer.action = OperatorAction::halt;
  answer.partition = "one";
  answer.symbol = "AAA";
  answer.request = 7;
  answer.result = OperatorResult::done;
  answer.sequence = 99;
  answer.time_ns = 34'200'000'000'001;
  answer.changed = 1;
  answer.phase = Phase::halted;
  return answer;
}

CtlAnswer a_kill() {
  CtlAnswer answer = an_answer();
  answer.action = OperatorAction::kill;
  answer.symbol.clear();
  answer.firm = "ANNS";
  answer.changed = 2;
  answer.canceled = 120;
  answer.phase.reset();
  return answer;
}

TEST(CtlProtocol, ReadsWhatItWrites) {
  const CtlAsk ask{OperatorAction::phase,       Phase::closing_call, "one", "AAA",
                   18'446'744'073'709'551'615u, "\"why\" \\ ä"};
  const CtlAsk read = read_ask(to_line(ask));
  EXPECT_EQ(read.action, ask.action);
  EXPECT_EQ(read.phase, ask.phase);
  EXPECT_EQ(read.partition, ask.partition);
  EXPECT_EQ(read.symbol, ask.symbol);
  EXPECT_EQ(read.request, ask.request);
  EXPECT_EQ(read.reason, ask.reason);

  CtlAnswer answer = an_answer();
  answer.repeated = true;
  const CtlAnswer again = read_answer(to_line(answer));
  EXPECT_EQ(to_line(again), to_line(answer));
  EXPECT_EQ(again.sequence, 99u);
  EXPECT_TRUE(again.repeated);
  EXPECT_EQ(again.phase, Phase::halted);
  answer.error = "no";
  EXPECT_EQ(read_answer(to_line(answer)).error, "no");
  EXPECT_FALSE(read_answer(to_line(answer)).unknown);
  answer.unknown = true;
  EXPECT_TRUE(read_answer(to_line(answer)).unknown);
  EXPECT_TRUE(read_ask(to_line(CtlAsk{OperatorAction::halt, {}, "", "", 1, ""})).symbol.empty());

  const CtlAsk kill = read_ask(to_line(CtlAsk{OperatorAction::kill, {}, "", "", 1, "", "ann", ""}));
  EXPECT_EQ(kill.action, OperatorAction::kill);
  EXPECT_EQ(kill.account, "ann");
  EXPECT_EQ(read_ask(to_line(CtlAsk{OperatorAction::allow, {}, "", "", 1, "", "", "ANNS"})).firm, "ANNS");
  CtlAnswer killed = a_kill();
  EXPECT_EQ(read_answer(to_line(killed)).canceled, 120u);
  EXPECT_EQ(read_answer(to_line(killed)).firm, "ANNS");
}

TEST(CtlProtocol, IsOneLineWhateverIsInIt) {
  const std::string line = to_line(CtlAsk{OperatorAction::halt, {}, "a\nb", "c\nd", 1, "\xff\n"});
  EXPECT_EQ(line.find('\n'), std::string::npos);
}

TEST(CtlProtocol, SaysWhatIsWrongWithALine) {
  EXPECT_NE(fault_of("").find("JSON"), std::string::npos);
  EXPECT_NE(fault_of("[1]").find("JSON"), std::string::npos);
  EXPECT_NE(fault_of(R"({"command": "stop", "request": 1})").find("\"stop\""), std::string::npos);
  EXPECT_NE(fault_of(R"({"command": "none", "request": 1})").find("\"none\""), std::string::npos);
  EXPECT_NE(fault_of(R"({"command": "halt", "all": true})").find("request"), std::string::npos);
  EXPECT_NE(fault_of(R"({"command": "halt", "all": true, "request": -1})").find("request"), std::string::npos);
  EXPECT_NE(fault_of(R"({"command": "halt", "all": true, "request": 1.5})").find("request"), std::string::npos);
  EXPECT_NE(fault_of(R"({"command": "halt", "request": 1, "symbol": ""})").find("symbol"), std::string::npos);
  EXPECT_NE(fault_of(R"({"command": "halt", "request": 1, "symbol": 5})").find("symbol"), std::string::npos);
  EXPECT_NE(fault_of(R"({"command": "halt", "all": true, "request": 1, "phase": "closed"})").find("phase"),
            std::string::npos);
  EXPECT_NE(fault_of(R"({"command": "phase", "all": true, "request": 1, "phase": "lunch"})").find("opening_call"),
            std::string::npos);
  EXPECT_NE(fault_of(R"({"command": "phase", "all": true, "request": 1})").find("phase"), std::string::npos);
  EXPECT_NE(fault_of(R"({"command": "halt", "all": true, "request": 1, "reason": "a\u0007b"})").find("reason"),
            std::string::npos);
  const std::string long_reason(kMostReason + 1, 'x');
  EXPECT_NE(fault_of(R"({"command": "halt", "all": true, "request": 1, "reason": ")" + long_reason + "\"}").find("64"),
            std::string::npos);
  for (const char* const hidden : {"\\u007f", "\\u009b", "\\u202e", "\\u2066", "\\u200f"}) {
    const std::string line =
        std::string(R"({"command": "halt", "all": true, "request": 1, "reason": "a)") + hidden + "\"}";
    EXPECT_NE(fault_of(line).find("reason"), std::string::npos) << hidden;
  }
  EXPECT_NE(fault_of(R"({"command": "halt", "request": 1})").find("either a symbol"), std::string::npos);
  for (const char* const target :
       {"", R"(, "all": true)", R"(, "symbol": "AAA", "account": "ann")", R"(, "account": "ann", "firm": "ANNS")"}) {
    const std::string line = std::string(R"({"command": "kill", "request": 1)") + target + "}";
    EXPECT_NE(fault_of(line).find("either an account or a firm"), std::string::npos) << line;
  }
  EXPECT_NE(fault_of(R"({"command": "halt", "all": true, "request": 1, "firm": "ANNS"})").find("either a symbol"),
            std::string::npos);
  EXPECT_NE(fault_of(R"({"command": "halt", "request": 1, "symbol": "A", "all": true})").find("either"),
            std::string::npos);
  EXPECT_NE(fault_of(R"({"command": "halt", "request": 1, "symbol": "A", "symbol": "B"})").find("twice"),
            std::string::npos);
  EXPECT_NE(fault_of(R"({"command": "halt", "request": 1, "symbol": "A", "reason": {"a": 1}})").find("reason"),
            std::string::npos);
  EXPECT_EQ(fault_of(R"({"command": "halt", "request": 1, "all": true})"), "");
  EXPECT_EQ(fault_of(R"({"command": "halt", "request": 1, "symbol": "A", "reason": "\u00a0\u00e4 \u20ac"})"), "");
}

TEST(CtlProtocol, AHaltMayHaveATimeAndALevel) {
  const CtlAsk ask{.action = OperatorAction::halt,
                   .phase = {},
                   .partition = "",
                   .symbol = "",
                   .request = 1,
                   .reason = "",
                   .account = "",
                   .firm = "",
                   .seconds = 900,
                   .level = 2};
  EXPECT_EQ(read_ask(to_line(ask)).seconds, 900u);
  EXPECT_EQ(read_ask(to_line(ask)).level, 2);
  EXPECT_EQ(describe(ask), "halt at level 2 for 900 s, all symbols");
  const auto fault = [](const std::string& more) {
    return fault_of(R"({"command": "halt", "request": 1, )" + more + "}");
  };
  EXPECT_EQ(fault(R"("symbol": "AAA", "seconds": 86400)"), "");
  EXPECT_EQ(fault(R"("all": true, "level": 3)"), "");
  EXPECT_NE(fault(R"("all": true, "seconds": 0)").find("86400"), std::string::npos);
  EXPECT_NE(fault(R"("all": true, "seconds": 86401)").find("86400"), std::string::npos);
  EXPECT_NE(fault(R"("all": true, "level": 4)").find("level"), std::string::npos);
  EXPECT_NE(fault(R"("symbol": "AAA", "level": 1)").find("all symbols"), std::string::npos);
  EXPECT_NE(fault(R"("all": true, "level": 3, "seconds": 5)").find("until resumed"), std::string::npos);
  EXPECT_NE(fault_of(R"({"command": "resume", "request": 1, "all": true, "seconds": 5})").find("halt alone"),
            std::string::npos);
}

TEST(CtlProtocol, ReadsWhatTheSecondPersonSays) {
  for (const CtlWish wish : {CtlWish::pending, CtlWish::approve, CtlWish::withdraw, CtlWish::view}) {
    const bool numbered = wish == CtlWish::approve || wish == CtlWish::withdraw;
    const CtlLine line{wish, {}, numbered ? 4711u : 0u, wish == CtlWish::view ? "/crosswire/accounts,one,64" : ""};
    const CtlLine read = read_line(to_line(line));
    EXPECT_EQ(read.wish, wish);
    EXPECT_EQ(read.number, line.number);
    EXPECT_EQ(read.question, line.question);
  }
  const CtlLine halt = read_line(R"({"command": "halt", "all": true, "request": 1})");
  EXPECT_EQ(halt.wish, CtlWish::operate);
  EXPECT_EQ(halt.ask.action, OperatorAction::halt);

  CtlAnswer answer;
  answer.action = OperatorAction::allow;
  answer.partition = "one";
  answer.account = "ann";
  answer.request = 7;
  answer.pending = 4711;
  answer.seconds = 300;
  answer.why = "it lifts a kill";
  const CtlAnswer again = read_answer(to_line(answer));
  EXPECT_EQ(to_line(again), to_line(answer));
  EXPECT_EQ(again.pending, 4711u);

  const std::vector<CtlPending> pending = {{.number = 4711,
                                            .partition = "one",
                                            .asked = "allow, account ann",
                                            .operator_name = "alice",
                                            .role = "house_risk",
                                            .why = "it lifts a kill",
                                            .reason = "\"a\" test",
                                            .seconds = 12}};
  EXPECT_EQ(to_line(read_pending(to_line(pending))), to_line(pending));
  EXPECT_TRUE(read_pending(to_line(std::vector<CtlPending>{})).empty());
  EXPECT_EQ(read_withdrawn(withdrawn_line(pending[0])).operator_name, "alice");
  EXPECT_THROW(read_pending(R"({"done": "no", "error": "bob may not"})"), CtlError);
  EXPECT_THROW(read_withdrawn(R"({"done": "no", "error": "bob may not"})"), CtlError);
  EXPECT_THROW(read_pending(R"({"commands": [1]})"), CtlError);
}

TEST(CtlProtocol, SaysWhatIsWrongWithALineOfTheSecondPerson) {
  const auto fault = [](const std::string& line) {
    try {
      read_line(line);
    } catch (const CtlError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_NE(fault(R"({"command": "approve"})").find("takes nothing of that"), std::string::npos);
  EXPECT_NE(fault(R"({"command": "approve", "number": 0})").find("number is missing"), std::string::npos);
  EXPECT_NE(fault(R"({"command": "approve", "number": -1})").find("number"), std::string::npos);
  EXPECT_NE(fault(R"({"command": "approve", "number": 1, "symbol": "AAA"})").find("nothing of that"),
            std::string::npos);
  EXPECT_NE(fault(R"({"command": "pending", "number": 1})").find("nothing of that"), std::string::npos);
  EXPECT_NE(fault(R"({"command": "halt", "all": true, "request": 1, "number": 1})").find("no key"), std::string::npos);
  for (const std::string& question : {std::string("/eal/params"), std::string("/crosswire/a b"), std::string(),
                                      "/crosswire/" + std::string(kMostQuestion, 'a')}) {
    EXPECT_NE(fault(R"({"command": "view", "question": ")" + question + "\"}").find("question is none"),
              std::string::npos)
        << question;
  }
}

TEST(CtlProtocol, AnyBytesAreReadOrRefused) {
  std::mt19937 random(static_cast<unsigned>(test::seed()));
  const std::string wholes[] = {to_line(CtlAsk{OperatorAction::phase, Phase::closed, "one", "AAA", 12, "because"}),
                                to_line(CtlLine{CtlWish::approve, {}, 4711, ""}),
                                to_line(CtlLine{CtlWish::view, {}, 0, "/crosswire/info"}),
                                to_line(std::vector<CtlPending>(2))};
  for (int i = 0; i < 20'000; ++i) {
    const std::string& whole = wholes[random() % std::size(wholes)];
    std::string line = whole;
    for (unsigned n = random() % 4; n > 0; --n) line[random() % line.size()] = static_cast<char>(random());
    line.resize(random() % 8 == 0 ? random() % line.size() : line.size());
    fault_of(line);
    const auto refused = [](auto read) {
      try {
        read();
      } catch (const CtlError&) {
      }
    };
    refused([&] { read_line(line); });
    refused([&] { read_answer(line); });
    refused([&] { read_pending(line); });
    refused([&] { read_withdrawn(line); });
  }
}

TEST(CtlProtocol, TellsAPersonWhatWaitsAndWhatHeHasApproved) {
  const CtlAsk ask{OperatorAction::allow, {}, "", "", 7, "", "ann", ""};
  CtlAnswer answer;
  answer.action = OperatorAction::allow;
  answer.partition = "one";
  answer.account = "ann";
  answer.request = 7;
  answer.pending = 4711;
  answer.seconds = 300;
  answer.why = "it lifts a kill";
  EXPECT_EQ(answer_text(ask, answer),
            "one: allow, account ann: waits for a second person, as it lifts a kill; within 300 s another one may: "
            "crosswire ctl approve 4711 (request 7)");
  answer.pending = 0;
  answer.result = OperatorResult::done;
  answer.changed = 1;
  answer.sequence = 99;
  answer.asked = "allow, account ann";
  answer.operator_name = "alice";
  EXPECT_EQ(answer_text({}, answer),
            "one: allow, account ann, asked for by alice: done, 1 account (command 99, 00:00:00.000000000, request 7)");
  answer.error = "command 4711 is your own";
  EXPECT_EQ(answer_text({}, answer), "command 4711 is your own");
  EXPECT_EQ(pending_page({}), "no command waits for a second person\n");
  const std::string page = pending_page({{.number = 4711,
                                          .partition = "one",
                                          .asked = "allow, account ann",
                                          .operator_name = "alice",
                                          .role = "house_risk",
                                          .why = "it lifts a kill",
                                          .reason = "a test",
                                          .seconds = 12}});
  for (const char* const word : {"4711", " 12 ", "allow, account ann", "alice", "house_risk", "a test\n"}) {
    EXPECT_NE(page.find(word), std::string::npos) << word;
  }
}

TEST(CtlProtocol, TellsAPersonInOneLineWhatCameOfIt) {
  const CtlAsk ask{OperatorAction::halt, {}, "", "AAA", 7, ""};
  CtlAnswer answer = an_answer();
  EXPECT_EQ(answer_text(ask, answer),
            "one: halt, AAA: done, 1 symbol, now halted (command 99, 09:30:00.000000001, request 7)");
  answer.repeated = true;
  answer.held = 2;
  answer.phase.reset();
  EXPECT_EQ(
      answer_text(ask, answer),
      "one: halt, AAA: not done again; it was: done, 1 symbol, 2 symbols still halted by an operator (command 99, "
      "09:30:00.000000001, request 7)");
  answer.result = OperatorResult::other_request;
  EXPECT_EQ(answer_text(CtlAsk{OperatorAction::kill, {}, "", "", 7, "", "", "ANNS"}, a_kill()),
            "one: kill, firm ANNS: done, 2 accounts, 120 orders cancelled (command 99, 09:30:00.000000001, request 7)");
  EXPECT_NE(answer_text(ask, answer).find("halt, AAA: refused: that request number is another command's"),
            std::string::npos);
}

}  // namespace
}  // namespace crosswire
