// A scenario, run: see the header.
#include "app/scenario/script.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string_view>
#include <system_error>
#include <vector>

#include "app/config/time_of_day.hpp"
#include "app/scenario/client.hpp"
#include "app/scenario/exchange.hpp"
#include "app/scenario/expectation.hpp"
#include "app/scenario/head.hpp"
#include "app/scenario/line_reader.hpp"
#include "app/scenario/tell.hpp"
#include "app/scenario/words.hpp"
#include "hugepages/base/check.hpp"

namespace crosswire {
namespace {

constexpr std::uint32_t kMostTimes = 100'000;
/// Events of a step that are listed at a difference: of those that were expected, of the others.
constexpr std::size_t kMostBefore = 10, kMostBehind = 30;
constexpr std::string_view kHeadMark = "---";
/// Of a scenario's text.
constexpr std::uintmax_t kMostBytes = std::uintmax_t{16} << 20;
constexpr std::size_t kMostOfLine = 4'096;

constexpr Word<OperatorAction> kOperatorWords[] = {{"halt", OperatorAction::halt},
                                                   {"resume", OperatorAction::resume},
                                                   {"phase", OperatorAction::phase},
                                                   {"kill", OperatorAction::kill},
                                                   {"allow", OperatorAction::allow}};
/// Other first words of a line; those of an order's are the clients'.
constexpr std::array<std::string_view, 8> kOtherWords = {"tick",   "at",     "loose",   "strict",
                                                         "expect", "cancel", "replace", "modify"};
constexpr Word<SessionEndReason> kEndWords[] = {{"logout", SessionEndReason::logout},
                                                {"reset", SessionEndReason::reset},
                                                {"silence", SessionEndReason::silence},
                                                {"cut", SessionEndReason::cut},
                                                {"operator", SessionEndReason::by_operator}};

/// A fault is shown with the words of its line: none may steer the terminal. Comments are anything.
void check_text(std::string_view line) {
  if (line.size() > kMostOfLine) throw ScenarioFault(fmt::format("a line has at most {} bytes", kMostOfLine));
  for (const std::string& word : split_line(line)) {
    const auto odd = std::ranges::find_if(word, [](char c) { return c <= ' ' || c > '~'; });
    if (odd != word.end()) {
      throw ScenarioFault(fmt::format("byte {} of the word that begins with \"{}\" is 0x{:02X}; words are ASCII",
                                      odd - word.begin() + 1, std::string(word.begin(), odd),
                                      static_cast<unsigned char>(*odd)));
    }
  }
}

/// A name in the head that is also the first word of a statement could never act.
void check_name(const Config& config, std::string_view word) {
  for (const AccountConfig& account : config.net.accounts) {
    if (account.user == word) throw ScenarioFault(fmt::format("no account may be called {}: it is a statement", word));
  }
}

std::vector<std::string> lines_of(const std::string& path) {
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  const int reason = errno;
  std::error_code error;
  if (!in || std::filesystem::is_directory(path, error)) {
    throw ScenarioFault(fmt::format("cannot be read: {}; give the path of a scenario",
                                    std::generic_category().message(in ? EISDIR : reason)));
  }
  if (const auto bytes = std::filesystem::file_size(path, error); !error && bytes > kMostBytes) {
    throw ScenarioFault(fmt::format("has {} bytes; a scenario has at most {}", bytes, kMostBytes));
  }
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// "AAA" or "all", for an operator's frame.
std::string symbol_or_all(LineReader& line, const Names& names) {
  const std::string name(line.next("a symbol, or all"));
  if (name == "all" && !names.find_symbol(name)) return "";
  names.symbol(name);
  return name;
}

/// Of an account that has what is asked about: else the answer would be the same whatever happens.
const RiskAccount& limits_of(const Engine& engine, SessionId account, RiskChecks what, std::string_view lacks) {
  const Risk& risk = engine.risk();
  if (!risk.is_on() || !risk.account(account).has(what)) throw ScenarioFault(fmt::format("the account has {}", lacks));
  return risk.account(account);
}

/// "100 times": 100; 1 where the line does not say so.
std::uint32_t take_times(LineReader& line) {
  if (line.peek(1) != "times") return 1;
  const std::uint32_t times = line.number("times");
  line.need("times");
  if (times == 0) throw ScenarioFault("0 times is nothing: leave the line out");
  if (times > kMostTimes) throw ScenarioFault(fmt::format("at most {} times", kMostTimes));
  return times;
}

Phase read_phase(LineReader& line) {
  const std::string_view word = line.next("a phase");
  for (std::size_t i = 0; i < kAskedPhaseNames.size(); ++i) {
    if (word == kAskedPhaseNames[i]) return static_cast<Phase>(i);
  }
  throw ScenarioFault(fmt::format("\"{}\" is no phase", word));
}

/// Of which level a halt is, and how long.
void read_halt(LineReader& line, wire::OperatorFrame& frame) {
  if (line.take("level")) frame.level = static_cast<std::uint8_t>(line.number("a level"));
  if (!line.take("for")) return;
  const std::string_view word = line.next("how long");
  const auto span = parse_span(word);
  if (!span || *span < kNsPerSecond || *span % kNsPerSecond != 0 || *span > kMostHaltSeconds * kNsPerSecond)
    throw ScenarioFault(fmt::format("\"{}\" is no time of a halt, as 90s or 15m", word));
  frame.seconds = static_cast<std::uint32_t>(*span / kNsPerSecond);
}

/// What came of the exchange is not what was expected.
class ScenarioDifference : public ScenarioFault {
 public:
  using ScenarioFault::ScenarioFault;
};

/// Runs the lines of one file.
class Script {
 public:
  Script(const std::string& path, const std::function<void(const std::string&)>& verbose)
      : path_(path), verbose_(verbose) {}

  ScenarioOutcome run() {
    try {
      lines_ = lines_of(path_);
      for (; line_ <= lines_.size(); ++line_) check_text(lines_[line_ - 1]);
      line_ = 1;
      begin();
      for (; line_ <= lines_.size(); ++line_) take(split_line(lines_[line_ - 1]));
      check_step();
      if (outcome_.expectations == 0) {
        line_ = lines_.size();
        throw ScenarioFault("nothing is expected; write what should come as \"expect ..\"");
      }
    } catch (const ConfigError& fault) {
      outcome_.fault = fault.what();
    } catch (const ScenarioDifference& difference) {
      outcome_.fault = fmt::format("{}:{}: {}", path_, std::max<std::size_t>(line_, 1), difference.what());
      outcome_.differs = true;
    } catch (const std::exception& fault) {
      outcome_.fault = fmt::format("{}:{}: {}", path_, std::max<std::size_t>(line_, 1), fault.what());
    }
    return outcome_;
  }

 private:
  void begin();
  void take(const Words& words);
  void check_word(const Words& words) const;
  void act(const Words& words);
  bool is_time(LineReader& line);
  bool is_operators(LineReader& line);
  void end_session(SessionId account, LineReader& line);
  void hear(const Event& event);
  void expect(const Words& words);
  void expect_event(const Words& expected);
  void expect_nothing();
  void expect_book(LineReader& line);
  bool expect_state(const Words& words);
  void check_step();
  void compare(const std::string& expected, const std::string& is);
  [[noreturn]] void differ(const std::string& expected, const std::string& got) const;

  const std::string& path_;
  const std::function<void(const std::string&)>& verbose_;
  ScenarioOutcome outcome_;
  std::vector<std::string> lines_;
  std::size_t line_ = 1;  // under way; the first is 1

  std::optional<Config> config_;
  std::optional<Names> names_;
  std::optional<ScenarioClients> clients_;
  std::unique_ptr<ScenarioExchange> exchange_;
  std::uint64_t requests_ = 0;  // operators'
  TimeNs midnight_ns_ = 0;      // of the trading date, in the day's time

  bool loose_ = false;
  std::size_t step_line_ = 0;                      // of what was last done
  std::vector<std::string> events_;                // that came of it
  std::size_t expected_ = 0;                       // of them
  std::map<std::string, std::string> imbalances_;  // the last one of each symbol, of the step
};

/// The head, and the exchange of it.
void Script::begin() {
  while (line_ <= lines_.size() && split_line(lines_[line_ - 1]).empty()) ++line_;
  std::string text;
  std::size_t first = 1;
  if (line_ <= lines_.size() && split_line(lines_[line_ - 1]) == Words{std::string(kHeadMark)}) {
    first = ++line_;
    while (line_ <= lines_.size() && split_line(lines_[line_ - 1]) != Words{std::string(kHeadMark)}) {
      text += lines_[line_++ - 1] + "\n";
    }
    if (line_ > lines_.size()) throw ScenarioFault("the head has no end; close it with a line ---");
    ++line_;
  }
  config_ = read_scenario_head(path_, text, first);
  for (const auto& row : kOperatorWords) check_name(*config_, row.word);
  for (const std::string_view word : kOtherWords) check_name(*config_, word);
  names_.emplace(*config_);
  clients_.emplace(*config_, *names_);
  const TradingDay day = config_->calendar.day_at(config_->midnight_epoch_ns.value_or(0));
  midnight_ns_ = day.begin_ns > 0 ? kNsPerDay : 0;
  exchange_ = std::make_unique<ScenarioExchange>(*config_, day.begin_ns, [this](const Event& event) { hear(event); });
  events_.clear();  // of the day's begin
  imbalances_.clear();
}

void Script::hear(const Event& event) {
  if (!exchange_) return;
  const std::string told = tell(event, exchange_->orders(), *names_);
  if (told.empty()) return;
  if (verbose_) verbose_("    " + told);
  if (event.kind == EventKind::imbalance) {
    imbalances_[names_->symbol_name(event.symbol)] = told;
  } else {
    events_.push_back(told);
  }
}

void Script::take(const Words& words) {
  if (words.empty()) return;
  if (words[0] == "expect") {
    expect(words);
    ++outcome_.expectations;
    return;
  }
  check_word(words);
  check_step();
  if (verbose_) verbose_(fmt::format("{}:{}: {}", path_, line_, joined_words(words)));
  if (words.size() == 1 && (words[0] == "loose" || words[0] == "strict")) {
    loose_ = words[0] == "loose";
    expected_ = events_.size();
    return;
  }
  step_line_ = line_;
  events_.clear();
  imbalances_.clear();
  expected_ = 0;
  LineReader line(words);
  const std::uint32_t times = take_times(line);
  const Words rest(words.begin() + static_cast<std::ptrdiff_t>(line.at()), words.end());
  for (std::uint32_t i = 0; i < times; ++i) act(rest);
}

/// A word that means nothing is told before what came of the step above: an `expect` may be misspelt.
void Script::check_word(const Words& words) const {
  const std::size_t at = words.size() > 1 && words[1] == "times" ? 2 : 0;
  if (at == words.size()) return;
  const std::string& word = words[at];
  if (std::ranges::find(kOtherWords, word) != kOtherWords.end() || meaning_of(kOperatorWords, word)) return;
  if (ScenarioClients::is_of_order(word) || names_->find_account(word)) return;
  throw ScenarioFault(fmt::format("\"{}\" is neither an account nor a statement; docs/scenarios.md lists them", word));
}

void Script::act(const Words& words) {
  LineReader line(words);
  if (is_time(line) || is_operators(line)) return;
  if (ScenarioClients::is_of_order(line.peek())) {
    const auto said = clients_->of_order(line.next("a verb"), line);
    exchange_->say(said.account, said.message);
    return;
  }
  const auto account = names_->find_account(line.next("an account"));
  CHECK(account.has_value(), "an account that check_word() has not seen");
  const std::string_view verb = line.next("what the account does");
  if (verb == "session_ends") return end_session(*account, line);
  const auto said = clients_->of_account(*account, verb, line);
  exchange_->say(said.account, said.message);
}

bool Script::is_time(LineReader& line) {
  TimeNs to = 0;
  if (line.take("tick")) {
    const std::string_view word = line.next("how long");
    const auto span = parse_span(word);
    if (!span) throw ScenarioFault(fmt::format("\"{}\" is no span, as 100ms, 2.5s, 1m", word));
    if (*span > kNsPerDay) throw ScenarioFault(fmt::format("{} is longer than a day", word));
    to = exchange_->now() + *span;
  } else if (line.take("at")) {
    const std::string_view word = line.next("a time");
    const auto time = parse_time_of_day(word);
    if (!time) throw ScenarioFault(fmt::format("\"{}\" is no time of day, as 09:30:00", word));
    to = midnight_ns_ + *time;
    if (to < exchange_->now()) throw ScenarioFault(fmt::format("{} is over already", word));
  } else {
    return false;
  }
  line.end();
  exchange_->move_on(to);
  return true;
}

bool Script::is_operators(LineReader& line) {
  const auto action = meaning_of(kOperatorWords, line.peek());
  if (!action) return false;
  line.next("a command");
  wire::OperatorFrame frame{};
  frame.ether_type = wire::kRecorderEtherType;
  frame.version = wire::OperatorFrame::kVersion;
  frame.request = ++requests_;
  frame.action = static_cast<std::uint8_t>(*action);
  frame.symbol = std::string_view();
  frame.account = kNoSession.value;
  frame.firm = kNoFirm.value;
  frame.role = static_cast<std::uint8_t>(OperatorRole::owner);
  if (!is_about_accounts(*action)) {
    frame.symbol = std::string_view(symbol_or_all(line, *names_));
  } else if (line.take("firm")) {
    frame.firm = names_->firm(line.next("a firm")).value;
  } else {
    frame.account = names_->account(line.next("an account, or firm FIRM")).value;
  }
  if (*action == OperatorAction::halt) read_halt(line, frame);
  if (*action == OperatorAction::phase) frame.phase = static_cast<std::uint8_t>(read_phase(line));
  line.end();
  exchange_->operate(frame);
  return true;
}

void Script::end_session(SessionId account, LineReader& line) {
  const std::string_view word = line.next("how it ends");
  line.end();
  if (word == "takeover") return exchange_->take_over(account);
  const auto reason = meaning_of(kEndWords, word);
  if (!reason) throw ScenarioFault(fmt::format("\"{}\" is no end of a session, as logout", word));
  exchange_->end_session(account, *reason);
}

// ---- Expectations ---------------------------------------------------------------------------------------------------

void Script::expect(const Words& words) {
  LineReader line(words, 1);
  if (line.done()) throw ScenarioFault("what is expected is missing");
  if (step_line_ == 0) throw ScenarioFault("nothing has been done yet of which something could be expected");
  if (line.peek() == "nothing") {
    if (words.size() > 2) throw ScenarioFault("\"nothing\" stands alone");
    return expect_nothing();
  }
  if (expect_state(words)) return;
  const std::uint32_t times = take_times(line);
  const Words rest(words.begin() + static_cast<std::ptrdiff_t>(line.at()), words.end());
  if (rest.empty()) throw ScenarioFault("what is expected is missing");
  const Words expected = as_told(rest);
  for (std::uint32_t i = 0; i < times; ++i) expect_event(expected);
}

void Script::expect_event(const Words& expected) {
  if (expected[0] == "imbalance") {
    const auto found = imbalances_.find(expected.size() > 1 ? expected[1] : "");
    if (found == imbalances_.end()) differ(joined_words(expected), "no imbalance of that symbol");
    if (!is_expected(expected, found->second)) differ(joined_words(expected), found->second);
    return;
  }
  std::size_t at = expected_;
  while (loose_ && at < events_.size() && !is_expected(expected, events_[at])) ++at;
  if (at == events_.size()) differ(joined_words(expected), loose_ ? "none that is like it" : "nothing");
  if (!is_expected(expected, events_[at])) differ(joined_words(expected), events_[at]);
  expected_ = at + 1;
}

void Script::expect_nothing() {
  if (expected_ < events_.size()) differ("nothing", events_[expected_]);
}

/// What is so, rather than what has happened.
bool Script::expect_state(const Words& words) {
  LineReader line(words, 1);
  if (line.take("book")) {
    expect_book(line);
  } else if (line.take("last")) {
    const SymbolId symbol = names_->symbol(line.next("a symbol"));
    const std::string wanted = format_price(line.price());
    line.end();
    compare("last " + wanted, "last " + format_price(exchange_->engine().last_price(symbol).value));
  } else if (line.take("funds")) {
    const SessionId account = names_->account(line.next("an account"));
    const auto wanted = parse_price(line.next("an amount"));
    line.end();
    if (!wanted) throw ScenarioFault("no amount of money, as 1000.00");
    const Purse& purse = limits_of(exchange_->engine(), account, kHasFunds, "no funds: give it funds_e4").purse;
    compare("funds " + format_price(*wanted),
            "funds " + format_price(static_cast<std::uint64_t>(purse.cash - purse.reserved())));
  } else if (line.take("position")) {
    const SessionId account = names_->account(line.next("an account"));
    const SymbolId symbol = names_->symbol(line.next("a symbol"));
    const std::string wanted(line.next("shares"));
    line.end();
    limits_of(exchange_->engine(), account, kHasPositions, "no positions: give it position_long or position_short");
    const Position* const position = exchange_->engine().risk().position(account, symbol);
    compare("position " + wanted, fmt::format("position {}", position == nullptr ? 0 : position->shares));
  } else {
    return false;
  }
  return true;
}

/// "bid 100 x 10.00 .. ask none": a side that is not named is not looked at; "empty": neither has orders.
void Script::expect_book(LineReader& line) {
  const std::string is = tell_book(exchange_->engine(), names_->symbol(line.next("a symbol")));
  if (line.take("empty")) {
    line.end();
    return compare("book empty", is.empty() ? "book empty" : "book " + is);
  }
  std::string wanted;
  bool sides[2] = {};
  const std::size_t asks = is.find("ask");
  const std::string bid = is.substr(0, asks == std::string::npos ? is.size() : asks);
  const std::string ask = asks == std::string::npos ? "" : is.substr(asks);
  while (!line.done()) {
    std::string word(line.next("a word"));
    if (word == "bid" || word == "ask") sides[word == "ask"] = true;
    if (const auto shares = parse_number(word)) word = std::to_string(*shares);
    if (!wanted.empty()) wanted += ' ';
    wanted += word;
    if (word != "x") continue;
    word = line.next("a price");
    const auto price = parse_order_price(word);
    if (!price) throw ScenarioFault("no price, as 10.00 or market");
    wanted += ' ';
    wanted += word == "market" ? word : format_price(*price);
  }
  if (!sides[0] && !sides[1]) throw ScenarioFault("give bid SHARES x PRICE .., bid none, ask .. or empty");
  std::string looked;
  if (sides[0]) looked += bid.empty() ? "bid none " : bid + (bid.back() == ' ' ? "" : " ");
  if (sides[1]) looked += ask.empty() ? "ask none" : ask;
  if (looked.back() == ' ') looked.pop_back();
  compare("book " + wanted, "book " + looked);
}

void Script::check_step() {
  if (loose_ || expected_ == events_.size()) return;
  line_ = step_line_;
  differ("nothing more of it", events_[expected_]);
}

void Script::compare(const std::string& expected, const std::string& is) {
  if (expected != is) differ(expected, is);
}

void Script::differ(const std::string& expected, const std::string& got) const {
  std::string text = fmt::format("expected {}, got {}\n  line {}: {}", expected, got, step_line_,
                                 step_line_ == 0 ? "" : joined_words(split_line(lines_[step_line_ - 1])));
  const std::size_t first = expected_ > kMostBefore ? expected_ - kMostBefore : 0;
  const std::size_t end = std::min(events_.size(), expected_ + kMostBehind);
  if (first > 0) text += fmt::format("\n    .. {} more", first);
  for (std::size_t i = first; i < end; ++i) {
    text += fmt::format("\n  {} {}", i < expected_ ? " " : ">", events_[i]);
  }
  if (end < events_.size()) text += fmt::format("\n  > .. {} more", events_.size() - end);
  if (events_.empty()) text += "\n    nothing came of it";
  throw ScenarioDifference(text);
}

}  // namespace

ScenarioOutcome run_scenario(const std::string& path, const std::function<void(const std::string&)>& verbose) {
  return Script(path, verbose).run();
}

}  // namespace crosswire
