// Writes the fuzz targets' seeds and dictionaries, made from the codecs' own tables, a synthetic order flow, the
// example files, and real captures where they are: fuzz_corpus OUTDIR. A folder for each target, and TARGET.dict beside
// it.
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "app/flow/csv.hpp"
#include "app/flow/synthetic.hpp"
#include "netstack/port/capture.hpp"
#include "tests/fuzz/script.hpp"
#include "tests/fuzz/tcp_script.hpp"
#include "tests/netstack/wire/random_messages.hpp"

namespace crosswire::fuzz {
namespace {

namespace fs = std::filesystem;
namespace ouch = wire::ouch;
using wire::test::Random;

class Corpus {
 public:
  explicit Corpus(fs::path root) : root_(std::move(root)) {}

  /// `seed` under its target; the name is for people.
  void seed(const std::string& target, const std::string& name, wire::Bytes seed) const {
    fs::create_directories(root_ / target);
    write(root_ / target / name, seed);
  }
  void seed(const std::string& target, const std::string& name, std::string_view text) const {
    seed(target, name, bytes_of(text));
  }

  /// libFuzzer's form: "\x41\x42" a line.
  void dictionary(const std::string& target, const std::vector<Payload>& words) const {
    std::string text;
    for (const Payload& word : words) {
      text += '"';
      for (const std::uint8_t byte : word) {
        char hex[8];
        std::snprintf(hex, sizeof hex, "\\x%02X", static_cast<unsigned>(byte));
        text += hex;
      }
      text += "\"\n";
    }
    write(root_ / (target + ".dict"), bytes_of(text));
  }

  static std::string read(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

 private:
  static void write(const fs::path& path, wire::Bytes bytes) {
    std::ofstream out(path, std::ios::binary);
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    if (!out.flush()) throw std::runtime_error(path.string() + ": cannot be written");
  }

  fs::path root_;
};

Payload payload_of(std::string_view text) { return {text.begin(), text.end()}; }

Payload joined(const Payload& first, const Payload& second) {
  Payload all = first;
  test::put(all, second);
  return all;
}

// ---- Wire formats ---------------------------------------------------------------------------------------------------

void add_messages(const Corpus& corpus) {
  Random random(1);
  std::vector<Payload> words;
  for (std::size_t place = 1; place < ouch::kTagTable.size(); ++place) {
    const std::uint8_t length = ouch::value_length(ouch::kTagTable[place].kind);
    const auto tag = static_cast<std::uint8_t>(ouch::tag_at(place));
    if (length > 0) words.push_back({static_cast<std::uint8_t>(length + 1), tag});
  }
  const auto add = [&]<class M>(std::uint8_t direction) {
    for (const bool options : {false, true}) {
      Payload message = joined({direction}, wire::test::random_ouch<M>(random, options));
      corpus.seed("ouch", std::string(M::kName) + (direction == 0 ? "-in" : "-out") + (options ? "-options" : ""),
                  message);
    }
    words.push_back({static_cast<std::uint8_t>(M::kType)});
  };
  wire::test::for_each_inbound([&]<class M>() { add.template operator()<M>(0); });
  wire::test::for_each_outbound([&]<class M>() { add.template operator()<M>(1); });
  corpus.dictionary("ouch", words);

  words.clear();
  wire::test::for_each_itch([&]<class M>() {
    const M message = wire::test::random_fixed<M>(random);
    corpus.seed("itch", std::string(M::kName), wire::bytes_of(message));
    words.push_back({static_cast<std::uint8_t>(M::kType)});
  });
  corpus.dictionary("itch", words);
}

void add_framing(const Corpus& corpus) {
  const Payload login = test::login_packet("USER0", "secret", test::kOrderSession);
  corpus.seed("soup", "login", login);
  corpus.seed("soup", "stream", joined(joined(login, test::soup_packet('R')), test::soup_packet('U', {1, 2, 3})));
  corpus.seed("soup", "accepted",
              test::bytes(wire::soup::Framed<wire::soup::LoginAccepted>{
                  .payload = wire::soup::login_accepted(test::kOrderSession, 77)}));
  corpus.dictionary("soup", {{0, 47, 'L'}, {0, 1, 'R'}, {0, 1, 'O'}, {0, 31, 'A'}, {0, 2, 'J'}});

  corpus.seed("mold", "data", test::mold_packet(1, {test::enter_message(1), test::cancel_message(1), {}}));
  corpus.seed("mold", "heartbeat", test::mold_header(test::kOrderSession, 5, 0));
  corpus.seed("mold", "request", test::mold_header(test::kOrderSession, 5, 9));
  corpus.seed("mold", "end", test::mold_header(test::kOrderSession, 5, 0xFFFF));
  corpus.dictionary("mold", {{0, 0}, {0xFF, 0xFF}, {0xFF, 0xFE}, {0, 1}, {0, 20}});
}

/// One hand-made frame of each kind.
std::vector<std::pair<std::string, FrameBytes>> frames() {
  const Client client;
  Client tagged;
  tagged.vlan = 7;
  return {{"arp", test::arp_frame(client)},
          {"arp-tagged", test::arp_frame(tagged)},
          {"echo", test::echo_frame(client)},
          {"login", test::login_frame(client, "USER0", "secret")},
          {"login-tagged", test::login_frame(tagged, "USER0", "secret")},
          {"order", test::data_frame(client, 1, {test::enter_message(1)})},
          {"order-ip-options",
           test::udp_frame(client, test::kOrderPort, test::mold_packet(1, {test::query_message()}), {1, 1, 1, 0})},
          {"request", test::udp_frame(client, test::kOrderPort, test::mold_header(test::kOrderSession, 1, 3))},
          {"feed-request", test::udp_frame(client, test::kRequestPort, test::mold_header(test::kFeedSession, 1, 3))}};
}

/// Of real captures, where they are: each as it is, and its messages.
void add_captures(const Corpus& corpus) {
  std::error_code none;
  for (const auto& entry :
       fs::recursive_directory_iterator(fs::path(CROSSWIRE_SOURCE_ROOT) / "../shared/data/captures", none)) {
    if (entry.path().extension() != ".pcap") continue;
    const std::string name = entry.path().stem().string();
    corpus.seed("capture", name, Corpus::read(entry.path()));
    CaptureRxPort port(entry.path(), midnight_utc(CaptureRxPort::first_frame_epoch_ns(entry.path())));
    std::size_t number = 0;
    for (RxBurst burst = port.receive(); !burst.ended; burst = port.receive()) {
      for (const RxFrame& frame : burst.frames) {
        const wire::Bytes bytes{frame.data, frame.length};
        corpus.seed("link", name + std::to_string(number++), joined({7}, {bytes.begin(), bytes.end()}));
        constexpr std::size_t kHeaders = 14 + 20 + 8;
        if (bytes.size() > kHeaders) corpus.seed("mold", name + std::to_string(number), bytes.subspan(kHeaders));
      }
    }
  }
}

void add_frames(const Corpus& corpus, const fs::path& scratch) {
  const std::string path = scratch / "each-kind.pcap";
  CaptureWriter writer(path);
  writer.write(1, start_marker());
  for (const auto& [name, frame] : frames()) {
    corpus.seed("link", name, joined({0}, frame));
    writer.write(kNsPerSecond, frame);
  }
  writer.write(2 * kNsPerSecond, end_marker());
  if (const std::string fault = writer.close(); !fault.empty()) throw std::runtime_error(fault);
  corpus.seed("capture", "each-kind", Corpus::read(path));
  fs::remove(path);
  corpus.dictionary("link",
                    {{0x08, 0x00}, {0x08, 0x06}, {0x81, 0x00}, {0x45, 0x00}, {0x46, 0x00}, {0x67, 0x20}, {0x67, 0x6E}});
  corpus.dictionary("capture", {{0x4D, 0x3C, 0xB2, 0xA1},
                                {0xA1, 0xB2, 0x3C, 0x4D},
                                {0xD4, 0xC3, 0xB2, 0xA1},
                                {0x0A, 0x0D, 0x0D, 0x0A},
                                {0x4D, 0x3C, 0x2B, 0x1A},
                                {1, 0, 0, 0},
                                {6, 0, 0, 0},
                                {9, 0, 1, 0},
                                {0x88, 0xB5}});
  // The smallest pcapng: section, interface with nanoseconds, one packet.
  const Payload pcapng{0x0A, 0x0D, 0x0D, 0x0A, 28,   0,    0,  0, 0x4D, 0x3C, 0x2B, 0x1A, 1, 0, 0,  0, 0xFF, 0xFF,
                       0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 28, 0, 0,    0,    1,    0,    0, 0, 28, 0, 0,    0,
                       1,    0,    0,    0,    0,    0,    4,  0, 9,    0,    1,    0,    9, 0, 0,  0, 28,   0,
                       0,    0,    6,    0,    0,    0,    48, 0, 0,    0,    0,    0,    0, 0, 0,  0, 0,    0,
                       1,    0,    0,    0,    14,   0,    0,  0, 14,   0,    0,    0,    2, 0, 0,  0, 0,    1,
                       2,    0,    0,    0,    0,    1,    8,  0, 0,    0,    48,   0,    0, 0};
  corpus.seed("capture", "pcapng", pcapng);
}

// ---- Text files -----------------------------------------------------------------------------------------------------

void add_text(const Corpus& corpus) {
  const fs::path root = CROSSWIRE_SOURCE_ROOT;
  const std::string example = Corpus::read(root / "scripts/example.toml");
  corpus.seed("config", "example", example);
  std::string every;  // with nothing commented out
  for (std::size_t i = 0; i < example.size(); ++i) {
    const bool key = (i == 0 || example[i - 1] == '\n') && example.compare(i, 2, "# ") == 0 &&
                     (example[i + 2] == '[' || example.find(" = ", i) < example.find('\n', i));
    if (key)
      ++i;
    else
      every += example[i];
  }
  corpus.seed("config", "every-key", every);
  corpus.seed("config", "least",
              "[port]\naddress='10.0.0.1'\n[[symbol]]\nname='A'\nreference_price_e4=1\ntick_e4=1\n[[account]]\nuser='U'"
              "\npassword=''\n");
  corpus.seed("day", "day",
              "venue = \"SSE\"\ndate = 2023-02-07\nsymbol = \"600519\"\nreference_price_e4 = 18180000\ntick_e4 = 100\n"
              "[[phase]]\nat = \"09:15:00\"\nstate = \"opening_call\"\n");
  corpus.seed("day", "clock", "09:25:00.080");
  std::vector<Payload> words;
  for (const char* const word : {"[time]",
                                 "midnight",
                                 "2026-01-31T00:00:00+08:00",
                                 "zone",
                                 "Asia/Shanghai",
                                 "+08:00",
                                 "at_end",
                                 "linger_s",
                                 "[calendar]",
                                 "weekdays",
                                 "holidays",
                                 "2026-12-25",
                                 "[[calendar.half_day]]",
                                 "dates",
                                 "[[calendar.half_day.phase]]",
                                 "-1d 20:00:00",
                                 "[port]",
                                 "device",
                                 "address",
                                 "mac",
                                 "vlans",
                                 "feed_vlan",
                                 "dpdk_args",
                                 "[placement]",
                                 "mode",
                                 "core",
                                 "receive",
                                 "match",
                                 "transmit",
                                 "publish",
                                 "control",
                                 "node",
                                 "idle",
                                 "[orders]",
                                 "udp_port",
                                 "silence_s",
                                 "heartbeat_ms",
                                 "messages_kept",
                                 "[feed]",
                                 "group",
                                 "request_port",
                                 "ttl",
                                 "[limits]",
                                 "max_orders",
                                 "max_levels",
                                 "command_ring",
                                 "event_ring",
                                 "failed_logins_per_second",
                                 "feed_requests_per_second",
                                 "pings_per_second",
                                 "strangers_told_per_second",
                                 "order_requests_per_second",
                                 "order_resend_bytes_per_second",
                                 "[memory]",
                                 "hugepages",
                                 "[[symbol]]",
                                 "name",
                                 "reference_price_e4",
                                 "tick_e4",
                                 "[[account]]",
                                 "user",
                                 "password",
                                 "password_file",
                                 "firm",
                                 "sources",
                                 "[[phase]]",
                                 "at",
                                 "state",
                                 "symbol",
                                 "opening_call",
                                 "continuous",
                                 "closing_call",
                                 "closed",
                                 "halted",
                                 "pre_open",
                                 "venue",
                                 "date",
                                 "\"\"\"",
                                 "'''",
                                 " = ",
                                 "0x",
                                 "1e9",
                                 "inf",
                                 "-1",
                                 "9223372036854775807",
                                 "true"}) {
    words.push_back(payload_of(word));
  }
  corpus.dictionary("config", words);
  corpus.dictionary("day", words);
  corpus.seed(
      "csv", "orders",
      std::string(1, '\0') + "34200000000000,A,1,B,1000000,100\n34200000000000,X,1,B,0,50\n34200000000001,D,1,B,0,0\n");
  corpus.seed("csv", "trades",
              std::string(1, '\1') + "34200000000000,1,2,1000000,100,B\n34200000000000,3,4,1000000,5,\n");
  std::string depth = std::string(1, '\2') + "34200000000000,100";
  for (std::size_t i = 0; i < 2 * kDepthLevels; ++i) depth += ",1000000,100";
  corpus.seed("csv", "depth", depth + "\n");
  corpus.seed("csv", "whole",
              std::string(1, char(129)) + "time_ns,buy_order,sell_order,price_e4,shares,aggressor\r\n1,2,3,4,5,S\r\n");
  corpus.dictionary("csv", {payload_of(","),
                            payload_of("\n"),
                            payload_of(",A,"),
                            payload_of(",X,"),
                            payload_of(",D,"),
                            payload_of(",B,"),
                            payload_of(",S,"),
                            {0x1F, 0x8B, 8, 0},
                            payload_of("1999999900"),
                            payload_of("999999"),
                            payload_of("99999999999999")});
}

// ---- Scripts --------------------------------------------------------------------------------------------------------

constexpr std::uint8_t code(Op op) { return static_cast<std::uint8_t>(op); }

Payload record(Op op, std::initializer_list<unsigned> bytes) {
  Payload record{code(op)};
  for (const unsigned byte : bytes) record.push_back(static_cast<std::uint8_t>(byte));
  record.resize(kRecord);
  return record;
}

Payload setting(unsigned day, bool shared, bool tiny, bool compare) {
  return {static_cast<std::uint8_t>(day), shared, tiny, static_cast<std::uint8_t>(compare ? 0 : 1), 0, 0, 0, 0};
}

Payload logins() {
  Payload all;
  for (unsigned k = 0; k < kAccounts; ++k) test::put(all, record(Op::login, {k}));
  return all;
}

/// Orders of the synthetic flow, their numbers and prices folded into what a record holds.
Payload trading(std::uint64_t seed, std::size_t messages, bool in_datagrams) {
  SyntheticFlow flow({.seed = seed, .messages = 400, .symbols = kSymbols, .sessions = kAccounts});
  Payload all;
  FlowMessage message;
  for (std::size_t n = 0; n < messages && flow.next(message); ++n) {
    const unsigned who = message.session.value | (in_datagrams && n % 3 != 0 ? kWaits : 0u);
    const unsigned symbol = (message.symbol.value + 2u) % kSymbols;
    const unsigned offset = message.price.value / 100 % 9 + 252;  // ticks about the reference
    const unsigned sale = message.side == Side::buy ? 0u : 4u;
    const unsigned ioc = message.time_in_force == TimeInForce::ioc ? 4u : 0u;
    const auto back = static_cast<unsigned>(n % 4);
    const auto shares = static_cast<unsigned>(1 + n % 120);
    if (message.kind == CommandKind::enter)
      test::put(all, record(Op::enter, {who, symbol | sale, offset, shares, ioc}));
    if (message.kind == CommandKind::cancel) test::put(all, record(Op::cancel, {who, back, n % 2 == 0 ? 0u : 3u}));
    if (message.kind == CommandKind::replace)
      test::put(all, record(Op::replace, {who, back | symbol << 6, offset, shares, ioc}));
    if (message.kind == CommandKind::modify) test::put(all, record(Op::modify, {who, back, 2, 2}));
    if (n % 16 == 0) test::put(all, record(Op::time, {0, 2, 3}));
  }
  return all;
}

void add_scripts(const Corpus& corpus) {
  for (unsigned day = 0; day < kDays; ++day) {
    for (const bool tiny : {false, true}) {
      const Payload script = joined(joined(setting(day, day == 3, tiny, true), logins()), trading(day + 1, 200, tiny));
      corpus.seed("chain", "day" + std::to_string(day) + (tiny ? "-tiny" : ""), script);
    }
  }
  const Payload begin = joined(setting(0, false, false, false), logins());
  // Prices over the whole range, until there is no way left in the ladders; then aggressors that rest in part.
  Payload scattered = begin;
  constexpr unsigned kFarthest = 29;
  for (unsigned k = 0; k <= kFarthest; ++k) {
    test::put(scattered, record(Op::enter, {k % 2, 1, 96 + kFarthest - k, 1 + k}));
    test::put(scattered, record(Op::enter, {k % 2, 1 | 4, 256 - 96 - kFarthest + k, 1 + k}));
  }
  for (unsigned k = 1; k < 8; ++k) {
    test::put(scattered, record(Op::enter, {2, 1 | 4, 96 + kFarthest - k, 100}));
    test::put(scattered, record(Op::enter, {2, 1, 256 - 96 - kFarthest + k, 100}));
  }
  corpus.seed("chain", "scattered", scattered);
  for (unsigned op = 0; op < kOps; ++op) {
    corpus.seed("chain", "op" + std::to_string(op),
                joined(begin, joined(record(static_cast<Op>(op), {0, 1, 1, 1, 1, 1, 1}), {})));
  }
  for (const auto& [name, frame] : frames()) {
    const auto size = static_cast<unsigned>(frame.size());
    corpus.seed("chain", "raw-" + name, joined(begin, joined(record(Op::raw, {0, 0, size >> 8, size & 255}), frame)));
  }
  Random random(2);
  wire::test::for_each_inbound([&]<class M>() {
    const Payload message = wire::test::random_ouch<M>(random, true);
    const auto size = static_cast<unsigned>(message.size());
    corpus.seed("chain", "raw-" + std::string(M::kName),
                joined(begin, joined(record(Op::raw, {0, 3, size >> 8, size & 255}), message)));
  });
  corpus.dictionary("chain", {});
}

// ---- Scripts of TCP -------------------------------------------------------------------------------------------------

Payload tcp(TcpOp op, std::initializer_list<unsigned> bytes) {
  Payload words{static_cast<std::uint8_t>(op)};
  for (const unsigned byte : bytes) words.push_back(static_cast<std::uint8_t>(byte));
  return words;
}

Payload tcp_script(unsigned setting, const std::vector<Payload>& acts) {
  Payload script{static_cast<std::uint8_t>(setting)};
  for (const Payload& act : acts) test::put(script, act);
  return script;
}

void add_tcp_scripts(const Corpus& corpus) {
  using enum TcpOp;
  constexpr unsigned kAllOptions = 0x2F;
  // All states that a peer can bring about, one slot each.
  const std::vector<Payload> states = {tcp(open, {0, kAllOptions | 16}),  // SYN-RECEIVED
                                       tcp(open, {1, kAllOptions}),
                                       tcp(extend, {1, 80, 0}),  // ESTABLISHED, much under way
                                       tcp(open, {2, 0}),
                                       tcp(close, {2, 0}),  // FIN-WAIT-1
                                       tcp(open, {3, 8}),
                                       tcp(close, {3, 1}),
                                       tcp(acknowledge, {3}),  // FIN-WAIT-2, deaf
                                       tcp(open, {4, 15}),
                                       tcp(finish, {4, 0}),  // CLOSE-WAIT
                                       tcp(open, {5, 1}),
                                       tcp(close, {5, 0}),
                                       tcp(acknowledge, {5}),
                                       tcp(finish, {5, 0}),  // TIME-WAIT
                                       tcp(connect, {6, 1}),
                                       tcp(connect, {7, 0})};  // SYN-SENT, and without MAC
  for (unsigned setting = 0; setting < 32; setting += 7) {
    corpus.seed("tcp", "states" + std::to_string(setting), tcp_script(setting, states));
  }
  for (unsigned op = 0; op < kTcpOps; ++op) {
    std::vector<Payload> acts = states;
    for (unsigned slot = 0; slot < kTcpSlots; ++slot)
      acts.push_back(tcp(static_cast<TcpOp>(op), {slot, 1, 1, 1, 1, 1, 1, 0}));
    corpus.seed("tcp", "op" + std::to_string(op), tcp_script(0, acts));
  }
  corpus.seed(
      "tcp", "losses",
      tcp_script(2, {tcp(open, {1, kAllOptions}), tcp(hole, {1, 3, 40}), tcp(hole, {1, 9, 20}), tcp(data, {1, 10}),
                     tcp(extend, {1, 90, 0}), tcp(sack, {1, 2, 10, 40, 40, 60, 90, 60}), tcp(time, {200, 12}),
                     tcp(sack, {1, 0, 10, 90}), tcp(acknowledge, {1}), tcp(data, {1, 50})}));
  corpus.seed(
      "tcp", "shut-window",
      tcp_script(2, {tcp(open, {1, kAllOptions}), tcp(read, {1, 0}), tcp(data, {1, 250}), tcp(data, {1, 250}),
                     tcp(data, {1, 250}), tcp(data, {1, 250}), tcp(segment, {1, 16, 0, 0, 0, 0, 0, 0, 0}),
                     tcp(extend, {1, 8, 0}), tcp(time, {255, 12}), tcp(read, {1, 255}), tcp(acknowledge, {1})}));
  corpus.seed("tcp", "cookies",
              tcp_script(1, {tcp(open, {0, 16}), tcp(open, {1, kAllOptions}), tcp(open, {2, 1}), tcp(data, {1, 9})}));
  corpus.seed("tcp", "no-room",
              tcp_script(0, {tcp(open, {1, kAllOptions}), tcp(room, {0}), tcp(data, {1, 90}), tcp(extend, {1, 9, 0}),
                             tcp(close, {1, 0}), tcp(time, {99, 12}), tcp(room, {255})}));
  corpus.dictionary("tcp",
                    {{0x01, 0x01, 0x08, 0x0A}, {0x01, 0x01, 0x05, 0x0A}, {0x02, 0x04}, {0x03, 0x03}, {0x04, 0x02}});
}

}  // namespace
}  // namespace crosswire::fuzz

int main(int argc, char** argv) try {
  using namespace crosswire::fuzz;
  if (argc != 2) {
    std::fprintf(stderr, "fuzz_corpus OUTDIR\n");
    return 2;
  }
  fs::create_directories(argv[1]);
  const Corpus corpus(argv[1]);
  add_messages(corpus);
  add_framing(corpus);
  add_frames(corpus, argv[1]);
  add_captures(corpus);
  add_text(corpus);
  add_scripts(corpus);
  add_tcp_scripts(corpus);
  return 0;
} catch (const std::exception& fault) {
  std::fprintf(stderr, "fuzz_corpus: %s\n", fault.what());
  return 1;
}
