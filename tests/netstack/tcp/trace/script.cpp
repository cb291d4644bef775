// Reads traces, in two steps: lines (parts put in, loops unrolled, {…} computed), then what each line says.
#include "tests/netstack/tcp/trace/script.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <map>
#include <sstream>
#include <string_view>

namespace crosswire::trace {
namespace {

constexpr std::uint16_t kUsualPort = 26400;
constexpr int kDeepestInclude = 8;

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(" \t\r") - first + 1));
}

std::string file_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw TraceError(path + ": cannot be read");
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

struct Line {
  std::string where;
  std::string text;
};

[[noreturn]] void wrong(const Line& line, const std::string& why) {
  throw TraceError(line.where + ": " + line.text + "\n  " + why);
}

// --- numbers in {…} ---------------------------------------------------------------------------------------------

using Names = std::map<std::string, std::string>;  // what let and repeat have named

/// Sums of products of numbers and names: 1 + i * 1460.
class Sum {
 public:
  Sum(const Line& line, std::string_view text, const Names& names) : line_(line), text_(text), names_(names) {}

  std::int64_t value() {
    std::int64_t sum = product();
    while (true) {
      skip_space();
      if (at_ == text_.size()) return sum;
      const char sign = text_[at_++];
      if (sign != '+' && sign != '-') wrong(line_, "only + - * are computed in {" + std::string(text_) + "}");
      sum += sign == '+' ? product() : -product();
    }
  }

 private:
  void skip_space() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  std::int64_t product() {
    std::int64_t value = factor();
    while (skip_space(), at_ < text_.size() && text_[at_] == '*') {
      ++at_;
      value *= factor();
    }
    return value;
  }
  std::int64_t factor() {
    skip_space();
    const std::size_t begin = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0)) ++at_;
    std::string word(text_.substr(begin, at_ - begin));
    if (const auto found = names_.find(word); found != names_.end()) word = found->second;
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (error != std::errc() || end != word.data() + word.size()) wrong(line_, "no number and no name: " + word);
    return number;
  }

  const Line& line_;
  std::string_view text_;
  const Names& names_;
  std::size_t at_ = 0;
};

Line computed(const Line& line, const Names& names) {
  Line out{line.where, ""};
  std::size_t at = 0;
  while (true) {
    const std::size_t open = line.text.find('{', at);
    out.text += line.text.substr(at, open - at);
    if (open == std::string::npos) return out;
    const std::size_t shut = line.text.find('}', open);
    if (shut == std::string::npos) wrong(line, "{ without }");
    const std::string inner = line.text.substr(open + 1, shut - open - 1);
    const auto named = names.find(inner);  // may be words
    out.text += named != names.end() ? named->second : std::to_string(Sum(line, inner, names).value());
    at = shut + 1;
  }
}

// --- lines --------------------------------------------------------------------------------------------------------

/// The lines of a text that say something, its parts put in.
void read_lines(const std::string& name, const std::string& text, const std::string& folder, int depth,
                std::vector<Line>& lines) {
  std::istringstream in(text);
  std::string raw;
  for (int number = 1; std::getline(in, raw); ++number) {
    const Line line{name + ":" + std::to_string(number), trimmed(std::string_view(raw).substr(0, raw.find('#')))};
    if (line.text.empty()) continue;
    if (!line.text.starts_with("include ")) {
      lines.push_back(line);
      continue;
    }
    if (depth == kDeepestInclude) wrong(line, "parts include each other");
    const std::string part = trimmed(line.text.substr(8)) + ".part";
    const std::string path = folder + "/parts/" + part;
    if (!std::ifstream(path)) wrong(line, "there is no " + path);
    read_lines(part, file_text(path), folder, depth + 1, lines);
  }
}

/// Unrolls from `at` to the "end" of this loop, or to the end of all at depth 0.
void unroll(const std::vector<Line>& lines, std::size_t& at, int depth, Names names, std::vector<Line>& out) {
  for (; at < lines.size(); ++at) {
    const Line line = computed(lines[at], names);
    if (line.text == "end") {
      if (depth == 0) wrong(line, "end without repeat");
      return;
    }
    if (line.text.starts_with("let ")) {
      const std::string said = trimmed(line.text.substr(4));
      const std::size_t space = said.find(' ');
      if (space == std::string::npos) wrong(line, "let wants a name and what it stands for");
      names[said.substr(0, space)] = trimmed(said.substr(space));
      continue;
    }
    if (!line.text.starts_with("repeat ")) {
      out.push_back(line);
      continue;
    }
    std::istringstream words(line.text);
    std::string word, as, variable;
    std::int64_t count = -1;
    words >> word >> count >> as >> variable;
    if (count < 0) wrong(line, "repeat wants a number");
    const std::size_t first = at + 1;
    std::size_t last = first;
    for (std::int64_t i = 0; i < std::max<std::int64_t>(count, 1); ++i) {
      Names inner = names;
      if (!variable.empty()) inner[variable] = std::to_string(i);
      std::vector<Line> dropped;
      last = first;
      unroll(lines, last, depth + 1, inner, count == 0 ? dropped : out);
    }
    if (last >= lines.size()) wrong(line, "repeat without end");
    at = last;
  }
}

// --- words of a line ------------------------------------------------------------------------------------------------

class Words {
 public:
  explicit Words(const Line& line) : line_(line), rest_(line.text) {}

  [[nodiscard]] bool empty() const { return rest_.empty(); }
  [[nodiscard]] std::string peek() const { return rest_.substr(0, rest_.find(' ')); }
  [[nodiscard]] const std::string& rest() const { return rest_; }
  std::string next(const char* what) {
    if (empty()) wrong(line_, std::string("wants ") + what);
    const std::string word = peek();
    rest_ = trimmed(std::string_view(rest_).substr(word.size()));
    return word;
  }
  bool take(std::string_view word) {
    if (peek() != word) return false;
    next("");
    return true;
  }
  std::string take_all() { return std::exchange(rest_, ""); }
  /// What stands between two marks, which come next.
  std::string between(char open, char shut) {
    const std::size_t end = rest_.find(shut);
    if (rest_.empty() || rest_[0] != open || end == std::string::npos) wrong(line_, std::string("no ") + shut);
    const std::string inner = rest_.substr(1, end - 1);
    rest_ = trimmed(std::string_view(rest_).substr(end + 1));
    return inner;
  }
  void end() const {
    if (!empty()) wrong(line_, "what is this: " + rest_);
  }
  [[noreturn]] void fail(const std::string& why) const { wrong(line_, why); }

 private:
  const Line& line_;
  std::string rest_;
};

std::int64_t integer(const Words& words, const std::string& text) {
  std::int64_t value = 0;
  const char* const first = text.data() + (text.starts_with('+') ? 1 : 0);
  const auto [end, error] = std::from_chars(first, text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) words.fail("no number: " + text);
  return value;
}

Number number(const Words& words, const std::string& text) {
  if (text == "*") return {Number::Kind::any, 0};
  if (text == "some") return {Number::Kind::some, 0};
  if (text == "last") return {Number::Kind::last, 0};
  if (text.starts_with('=')) return {Number::Kind::absolute, integer(words, text.substr(1))};
  return {Number::Kind::relative, integer(words, text)};
}

std::int64_t duration(const Words& words, const std::string& text) {
  const std::pair<const char*, double> units[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"min", 60e9}, {"s", 1e9}};
  std::size_t digits = 0;
  double value = 0;
  try {
    value = std::stod(text, &digits);
  } catch (const std::exception&) {
    words.fail("no time: " + text);
  }
  for (const auto& [unit, scale] : units)
    if (text.substr(digits) == unit) return static_cast<std::int64_t>(value * scale + 0.5);
  words.fail("a time wants a unit (ns us ms s min): " + text);
}

std::uint32_t address(const Words& words, const std::string& text) {
  std::istringstream in(text);
  std::uint32_t value = 0;
  std::string byte;
  int count = 0;
  for (; std::getline(in, byte, '.'); ++count)
    value = value << 8 | static_cast<std::uint32_t>(integer(words, byte) & 255);
  if (count != 4) words.fail("no address: " + text);
  return value;
}

std::vector<std::uint8_t> hex_bytes(const Words& words, const std::string& text) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t at = 0; at < text.size(); at += 2) {
    std::uint8_t byte = 0;
    const std::string two = text.substr(at, 2);
    const auto [end, error] = std::from_chars(two.data(), two.data() + two.size(), byte, 16);
    if (error != std::errc() || end != two.data() + 2) words.fail("no bytes in hexadecimal: " + text);
    bytes.push_back(byte);
  }
  return bytes;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, separator);) parts.push_back(trimmed(part));
  return parts;
}

OptionSpec option_spec(const Words& words, const std::string& text) {
  const std::vector<std::string> parts = split(text, ' ');
  const auto argument = [&](std::size_t at) {
    if (parts.size() <= at) words.fail("the option wants more: " + text);
    return parts[at];
  };
  OptionSpec spec;
  const std::string name = argument(0);
  if (name == "mss" || name == "wscale") {
    spec.kind = name == "mss" ? OptionKind::mss : OptionKind::wscale;
    spec.first = number(words, argument(1));
  } else if (name == "sack") {
    spec.kind = OptionKind::sack_permitted;
  } else if (name == "ts") {
    spec.kind = OptionKind::timestamps;
    spec.first = number(words, argument(1));
    spec.second = number(words, argument(2));
  } else if (name == "sacks") {
    spec.kind = OptionKind::sack;
    for (std::size_t at = 1; at < parts.size(); ++at) {
      const std::size_t colon = parts[at].find(':');
      if (colon == std::string::npos) words.fail("a block is LEFT:RIGHT: " + text);
      spec.blocks.emplace_back(integer(words, parts[at].substr(0, colon)), integer(words, parts[at].substr(colon + 1)));
    }
  } else if (name == "nop" || name == "eol") {
    spec.bytes = {static_cast<std::uint8_t>(name == "nop" ? 1 : 0)};
  } else if (name == "raw") {
    spec.bytes = hex_bytes(words, argument(1));
  } else {
    words.fail("no such option: " + name);
  }
  return spec;
}

void read_options(Words& words, PacketSpec& packet) {
  packet.options.emplace();
  for (const std::string& part : split(words.between('<', '>'), ',')) {
    if (part == "...")
      packet.further_options = true;
    else if (!part.empty())
      packet.options->push_back(option_spec(words, part));
  }
}

constexpr std::string_view kQuirks[] = {
    "bad checksum", "bad ip checksum", "checksum", "data offset", "truncated",  "ip length", "fragment",   "vlan",
    "from mac",     "to mac",          "ttl",      "reserved",    "junk",       "port",      "to",         "from",
    "padded",       "ip options",      "dscp",     "df",          "ip version", "flags",     "own address"};

void read_quirks(Words& words, PacketSpec& packet) {
  for (const std::string& part : split(words.between('[', ']'), ',')) {
    const auto fits = [&](std::string_view known) {
      return part == known || part.starts_with(std::string(known) + " ");
    };
    std::string_view best;
    for (const std::string_view known : kQuirks)
      if (fits(known) && known.size() > best.size()) best = known;
    if (best.empty()) words.fail("no such quirk: " + part);
    packet.quirks.push_back({std::string(best), trimmed(std::string_view(part).substr(best.size()))});
  }
}

std::optional<std::uint8_t> flags(const std::string& text) {
  const std::map<char, std::uint8_t> letters = {{'S', kSyn}, {'F', kFin}, {'R', kRst}, {'P', kPsh}, {'U', kUrg},
                                                {'E', kEce}, {'C', kCwr}, {'A', kAck}, {'.', 0}};
  std::uint8_t value = 0;
  for (const char letter : text) {
    const auto found = letters.find(letter);
    if (found == letters.end()) return std::nullopt;
    value |= found->second;
  }
  return value;
}

/// "1:1001(1000)"
void read_range(const Words& words, const std::string& text, PacketSpec& packet) {
  const std::size_t colon = text.find(':'), open = text.find('('), shut = text.find(')');
  if (colon == std::string::npos || open == std::string::npos || shut != text.size() - 1)
    words.fail("data is FIRST:BEHIND(LENGTH): " + text);
  const Number behind = number(words, text.substr(colon + 1, open - colon - 1));
  packet.seq = number(words, text.substr(0, colon));
  packet.length = static_cast<std::uint32_t>(integer(words, text.substr(open + 1, shut - open - 1)));
  if (behind.value - packet.seq.value != packet.length)
    words.fail(std::to_string(packet.length) + " bytes do not reach from one to the other: " + text);
}

void read_icmp(Words& words, PacketSpec& packet) {
  packet.kind = Packet::Kind::icmp;
  const std::string kind = words.next("type and code of ICMP");
  const std::size_t slash = kind.find('/');
  if (slash == std::string::npos) words.fail("ICMP is TYPE/CODE: " + kind);
  packet.icmp_type = static_cast<std::uint8_t>(integer(words, kind.substr(0, slash)));
  packet.icmp_code = static_cast<std::uint8_t>(integer(words, kind.substr(slash + 1)));
}

void read_packet(Words& words, PacketSpec& packet) {
  const std::string first = words.next("a packet");
  if (first == "icmp") {
    read_icmp(words, packet);
  } else if (first == "arp") {
    packet.kind = Packet::Kind::arp;
  } else if (const auto value = flags(first)) {
    packet.flags = *value;
  } else {
    words.fail("no flags (S A F R P U E C, or . for none): " + first);
  }
  while (!words.empty()) {
    const char mark = words.rest()[0];
    if (mark == '<') {
      read_options(words, packet);
    } else if (mark == '[') {
      read_quirks(words, packet);
    } else if (std::isdigit(static_cast<unsigned char>(mark)) != 0 || mark == '-' || mark == '=') {
      read_range(words, words.next(""), packet);
    } else if (words.take("seq")) {
      packet.seq = number(words, words.next("a number"));
    } else if (words.take("ack")) {
      packet.ack = number(words, words.next("a number"));
    } else if (words.take("win")) {
      packet.window = number(words, words.next("a number"));
    } else if (words.take("urg")) {
      packet.urgent = static_cast<std::uint16_t>(integer(words, words.next("a number")));
    } else if (words.take("mtu")) {
      packet.icmp_mtu = static_cast<std::uint16_t>(integer(words, words.next("a number")));
    } else {
      words.fail("what is this: " + words.rest());
    }
  }
}

When read_when(Words& words) {
  if (words.take("within")) return {0, duration(words, words.next("a time"))};
  if (!words.take("after")) return {};
  const std::string text = words.next("a time");
  const std::size_t dots = text.find("..");
  const std::int64_t from = duration(words, text.substr(0, dots));
  return {from, dots == std::string::npos ? from : duration(words, text.substr(dots + 2))};
}

// --- statements -----------------------------------------------------------------------------------------------------

void read_expect(Words& words, Statement& out) {
  if (words.take("nothing")) {
    out.verb = Verb::nothing;
    if (words.take("for")) out.number = duration(words, words.next("a time"));
    return;
  }
  out.when = read_when(words);
  read_packet(words, out.packet);
}

void read_peer(Words& words, Statement& out) {
  out.peer = words.next("a name");
  const std::string place = words.next("ADDRESS:PORT");
  const std::size_t colon = place.find(':');
  if (colon == std::string::npos) words.fail("a peer is at ADDRESS:PORT: " + place);
  out.address = address(words, place.substr(0, colon));
  out.number = integer(words, place.substr(colon + 1));
  if (words.take("isn")) out.isn = integer(words, words.next("a number"));
}

void read_option(Words& words, Statement& out) {
  out.word = words.next("an option's name");
  if (words.empty()) {
    out.number = 1;
    return;
  }
  const std::string value = words.next("");
  out.number =
      std::isdigit(static_cast<unsigned char>(value.back())) != 0 ? integer(words, value) : duration(words, value);
}

Statement statement(const Line& line) {
  static const std::map<std::string, Verb> verbs = {
      {"option", Verb::option}, {"listen", Verb::listen},       {"peer", Verb::peer},
      {"again", Verb::again},   {"isn", Verb::again},           {"connect", Verb::connect},
      {"inject", Verb::inject}, {"expect", Verb::expect},       {"advance", Verb::advance},
      {"skip", Verb::skip},     {"tolerance", Verb::tolerance}, {"write", Verb::write},
      {"read", Verb::read},     {"stop", Verb::stop_reading},   {"shutdown", Verb::shutdown},
      {"close", Verb::close},   {"abort", Verb::abort},         {"state", Verb::state},
      {"got", Verb::got},       {"counter", Verb::counter},     {"arp", Verb::arp}};
  Words words(line);
  Statement out;
  out.where = line.where;
  out.text = line.text;
  if (words.peek().ends_with(':')) {
    out.peer = words.next("");
    out.peer.pop_back();
  }
  const std::string name = words.next("a word");
  const auto found = verbs.find(name);
  if (found == verbs.end()) words.fail("no such statement: " + name);
  out.verb = found->second;
  switch (out.verb) {
    case Verb::option:
      read_option(words, out);
      break;
    case Verb::listen:
      out.number = words.empty() ? kUsualPort : integer(words, words.next(""));
      break;
    case Verb::peer:
      read_peer(words, out);
      break;
    case Verb::again:
      if (name == "again" && !words.empty() && !words.take("isn")) words.fail("wants isn");
      if (!words.empty()) {
        out.word = words.peek().starts_with('+') ? "+" : "";
        out.isn = integer(words, words.next(""));
      }
      break;
    case Verb::inject:
      read_packet(words, out.packet);
      break;
    case Verb::expect:
      read_expect(words, out);
      break;
    case Verb::advance:
    case Verb::skip:
    case Verb::tolerance:
      out.number = duration(words, words.next("a time"));
      break;
    case Verb::write:
    case Verb::got:
      out.number = integer(words, words.next("a number of bytes"));
      break;
    case Verb::stop_reading:
      if (!words.take("reading")) words.fail("stop reading");
      break;
    case Verb::state:
      out.word = words.take_all();
      break;
    case Verb::counter:
      out.word = words.next("a counter's name");
      out.number = integer(words, words.next("its value"));
      break;
    case Verb::arp:
      out.word = words.next("silent or answers");
      break;
    case Verb::connect:
      if (words.take("refused")) out.word = "refused";
      break;
    default:
      break;
  }
  words.end();
  return out;
}

/// What stands before the first case opens each of them.
std::vector<Case> cases_of(const std::vector<Line>& lines) {
  std::vector<Statement> opening;
  std::vector<Case> cases;
  for (const Line& line : lines) {
    if (line.text.starts_with("case ")) {
      cases.push_back({trimmed(line.text.substr(5)), opening});
      continue;
    }
    (cases.empty() ? opening : cases.back().statements).push_back(statement(line));
  }
  if (cases.empty()) cases.push_back({"", opening});
  return cases;
}

}  // namespace

Script parse_script(const std::string& name, const std::string& text, const std::string& folder) {
  Script script;
  script.name = name;
  const std::string mark = "# kernel: no, ";
  if (const std::size_t at = text.find(mark); at != std::string::npos) {
    const std::size_t begin = at + mark.size();
    script.not_kernel = text.substr(begin, text.find('\n', begin) - begin);
  }
  std::vector<Line> lines, unrolled;
  read_lines(name + ".trace", text, folder, 0, lines);
  std::size_t at = 0;
  unroll(lines, at, 0, {}, unrolled);
  script.cases = cases_of(unrolled);
  return script;
}

Script read_script(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string file = path.substr(slash + 1);
  return parse_script(file.substr(0, file.rfind('.')), file_text(path), path.substr(0, slash));
}

}  // namespace crosswire::trace
