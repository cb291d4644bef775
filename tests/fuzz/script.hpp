// Scripts: bytes that say what clients do, so that what is valid is as near as what is not. A script is a record of 8
// bytes with the setting, then records of 8 bytes, some with raw bytes behind them. Tests only.
#pragma once

#include <vector>

#include "tests/fuzz/chain.hpp"

namespace crosswire::fuzz {

inline constexpr std::size_t kRecord = 8;

/// Byte 0 of a record, modulo kOps.
enum class Op : std::uint8_t {
  enter,         // order messages: byte 1 account, 2.. see the functions
  enter_option,  // an Enter with one option
  cancel,
  replace,
  modify,
  other_message,  // Account Query, Mass Cancel, Disable, Enable
  login,
  soup,
  time,
  request,  // of order messages
  feed_request,
  arp_or_echo,
  spoil,     // the last frame again, with a byte changed
  room,      // of the transmit ports
  raw,       // raw bytes: a frame, an UDP payload, an OUCH message
  together,  // the next frames are one burst
};
inline constexpr unsigned kOps = 16;

/// Byte 1: the account in the low bits; with this bit the message waits for the next one to share its datagram.
inline constexpr std::uint8_t kWaits = 0x80;

inline Op op_of(std::uint8_t byte) { return static_cast<Op>(byte % kOps); }

/// Bytes of the record that `bytes` (not empty) begin with, its raw bytes included.
inline std::size_t record_size(wire::Bytes bytes) {
  const bool raw = op_of(bytes[0]) == Op::raw && bytes.size() >= kRecord;
  const std::size_t behind = raw ? (std::size_t{bytes[3]} << 8 | bytes[4]) % 2048 : 0;
  return std::min(kRecord + behind, bytes.size());
}

/// What a script comes to: one after the other.
struct Act {
  TimeNs time_ns;
  std::vector<FrameBytes> frames;
  std::size_t room = 0;  // not 0: set_room() instead of a burst
};

class Script {
 public:
  explicit Script(wire::Bytes bytes) {
    Input head(bytes.first(std::min(kRecord, bytes.size())));
    setting_.day = head.byte() % kDays;
    setting_.shared_source = (head.byte() & 1) != 0;
    setting_.tiny = (head.byte() & 1) != 0;
    compare_ = head.byte() % 4 == 0;
    bytes = bytes.subspan(std::min(kRecord, bytes.size()));
    while (!bytes.empty()) {
      const std::size_t size = record_size(bytes);
      record(bytes.first(size));
      bytes = bytes.subspan(size);
    }
    together_ = 0;
    flush_messages();
    flush_burst();
    for (unsigned k = 0; k < kAccounts; ++k) log_in(k, Client{.address = Client{}.address + k});
    flush_burst();
  }

  const Setting& setting() const { return setting_; }
  /// Whether the script is also to be played with large rings, which must change nothing.
  bool compare() const { return compare_; }
  const std::vector<Act>& acts() const { return acts_; }
  TimeNs end_ns() const { return now_; }

 private:
  struct Account {
    Client client;
    std::uint64_t upstream = 1;
    std::uint32_t user_ref_num = 0;  // the last one used
    std::vector<Payload> waiting;
  };

  void record(wire::Bytes bytes) {
    Input in(bytes);
    const Op op = op_of(in.byte());
    const std::uint8_t who = in.byte();
    Account& account = accounts_[(who & 0x7F) % kAccounts];
    const bool message = op <= Op::other_message;
    if (!message) flush_messages();
    switch (op) {
      case Op::enter:
        return say(account, who, enter(account, in, {}));
      case Op::enter_option:
        return say(account, who, enter_option(account, in));
      case Op::cancel:
        return say(account, who, test::cancel_message(older(account, in.byte()), in.byte()));
      case Op::replace:
        return say(account, who, replace(account, in));
      case Op::modify:
        return say(account, who, modify(account, in));
      case Op::other_message:
        return say(account, who, other_message(account, in));
      case Op::login:
        return login(account, in);
      case Op::soup:
        return send(test::udp_frame(account.client, test::kOrderPort, soup(in)));
      case Op::time:
        return advance(in);
      case Op::request:
        return send(test::udp_frame(account.client, test::kOrderPort,
                                    test::mold_header(test::kOrderSession, in.u16(), in.byte())));
      case Op::feed_request:
        return send(test::udp_frame(account.client, test::kRequestPort,
                                    test::mold_header(test::kFeedSession, in.u16(), in.byte())));
      case Op::arp_or_echo:
        return send((in.byte() & 1) != 0 ? test::arp_frame(account.client)
                                         : test::echo_frame(account.client, 8 + in.u16() % 1473));
      case Op::spoil:
        return spoil(in);
      case Op::room:
        flush_burst();
        acts_.push_back({now_, {}, 1 + in.byte() % kMaxBurst});
        return;
      case Op::raw:
        return raw(account, in);
      case Op::together:
        together_ = in.byte() % kMaxBurst;
        return;
    }
  }

  // ---- Messages -----------------------------------------------------------------------------------------------------

  static constexpr std::string_view kSymbolNames[] = {"AAA", "BBBBBBBB", "C.C", "ZZZ"};

  /// 0: the next number. Else an older one, or one further on.
  static std::uint32_t newer(Account& account, std::uint8_t choice) {
    if (choice >= 240) return account.user_ref_num += choice - 238u;
    if (choice >= 224) return account.user_ref_num - std::min<std::uint32_t>(account.user_ref_num, choice - 224u);
    return ++account.user_ref_num;
  }
  static std::uint32_t older(const Account& account, std::uint8_t choice) {
    return account.user_ref_num - std::min<std::uint32_t>(account.user_ref_num, choice % 64u);
  }
  static std::uint32_t quantity(std::uint8_t choice) {
    return choice < 128 ? choice : (choice - 127u) * 7919u;  // beyond the greatest, too
  }
  /// Ticks about the reference; the far offsets are scattered over all prices that there are, so that no two share
  /// their way through the ladder. -128 is a market order's price.
  static std::uint64_t price(std::uint8_t symbol, std::uint8_t offset) {
    static const std::vector<SymbolConfig> kKnown = config_of({}).engine.symbols;
    const SymbolConfig& known = kKnown[std::min<std::size_t>(symbol, kSymbols - 1)];
    const std::int64_t ticks = static_cast<std::int8_t>(offset);
    constexpr std::int64_t kNear = 95;
    if (ticks == -128) return 0x7FFF'FFFF;
    const std::int64_t last = kMaxPrice.value / known.tick_e4;
    const auto at = [&](std::int64_t tick) {
      return static_cast<std::uint64_t>(std::clamp<std::int64_t>(tick, 0, last)) * known.tick_e4;
    };
    if (ticks > kNear) return at(std::int64_t{1} << (ticks - kNear - 1));
    if (ticks < -kNear) return at(last - (std::int64_t{1} << (-ticks - kNear - 1)));
    return at(known.reference.value / known.tick_e4 + ticks);
  }
  static char letter(std::string_view letters, std::uint8_t choice) { return letters[choice % letters.size()]; }

  Payload enter(Account& account, Input& in, const Payload& options) {
    wire::ouch::EnterOrder message = test::enter_fields(0);
    const std::uint8_t what = in.byte();
    const std::uint8_t symbol = what % 4;
    message.side = letter("BSBSBSTE", static_cast<std::uint8_t>(what >> 2));
    message.symbol.set(kSymbolNames[symbol]);
    message.price = price(symbol, in.byte());
    message.quantity = quantity(in.byte());
    const std::uint8_t how = in.byte();
    message.time_in_force = letter("00003356", how);
    message.display = letter("YYYYYNAZ", static_cast<std::uint8_t>(how >> 3));
    const std::uint8_t rare = in.byte();
    if (rare >= 192) {
      message.capacity = letter("APRO", rare);
      message.iso = letter("NNNY", static_cast<std::uint8_t>(rare >> 2));
      message.cross_type = letter("NOCH", static_cast<std::uint8_t>(rare >> 4));
    }
    message.user_ref_num = newer(account, in.byte());
    return test::with_options(test::bytes(message), options);
  }

  /// Tag and value in the last two bytes, which an Enter without options has for its rarer fields.
  Payload enter_option(Account& account, Input& in) {
    const std::uint8_t first[] = {in.byte(), in.byte(), in.byte(), in.byte(), 0, 0};
    Payload options = option(in);
    Input fields{wire::Bytes(first)};
    return enter(account, fields, options);
  }
  static Payload option(Input& in) {
    const std::uint8_t number = in.byte();
    const wire::ouch::Tag tag = wire::ouch::tag_at(number % (wire::ouch::kOuchTags + 1));  // one of ours
    const std::uint8_t value = in.byte();
    const wire::ouch::ValueKind kind = wire::ouch::tag_info(tag).kind;
    Payload bytes(wire::ouch::value_length(kind));
    if (!bytes.empty()) bytes.back() = value;
    if (kind == wire::ouch::ValueKind::letter) bytes[0] = static_cast<std::uint8_t>(letter("LNYRPM SQ ", value));
    if (kind == wire::ouch::ValueKind::text) bytes = {'F', 'R', 'M', static_cast<std::uint8_t>('0' + value % 4)};
    if (number >= 224) bytes.push_back(value);  // of a wrong length
    return test::option(tag, bytes);
  }

  Payload replace(Account& account, Input& in) {
    const std::uint8_t original = in.byte();
    wire::ouch::ReplaceOrder message = test::replace_fields(older(account, original), 0);
    message.price = price(original >> 6, in.byte());
    message.quantity = quantity(in.byte());
    const std::uint8_t how = in.byte();
    message.time_in_force = letter("00003356", how);
    message.display = letter("YYYYYNAZ", static_cast<std::uint8_t>(how >> 3));
    const std::uint8_t rare = in.byte();
    message.user_ref_num = newer(account, in.byte());
    if (rare < 224) return test::with_options(test::bytes(message), {});
    const std::uint8_t tagged[] = {rare, original};
    Input options{wire::Bytes(tagged)};
    return test::with_options(test::bytes(message), option(options));
  }

  static Payload modify(const Account& account, Input& in) {
    const std::uint32_t number = older(account, in.byte());
    const char side = letter("BSTE", in.byte());
    return test::modify_message(number, side, quantity(in.byte()));
  }

  static Payload other_message(Account& account, Input& in) {
    const std::uint8_t which = in.byte() % 4;
    if (which == 0) return test::query_message();
    const std::uint32_t number = newer(account, in.byte());
    const std::string firm = "FRM" + std::to_string(in.byte() % 4);
    const std::uint8_t symbol = in.byte() % 8;
    const std::uint8_t tag = in.byte();
    const Payload options = tag < 128 ? Payload{} : option(in);
    wire::alpha<4> name{std::string_view{firm}};
    if (which == 2)
      return test::with_options(test::bytes(wire::ouch::DisableOrderEntry{.user_ref_num = number, .firm = name}),
                                options);
    if (which == 3)
      return test::with_options(test::bytes(wire::ouch::EnableOrderEntry{.user_ref_num = number, .firm = name}),
                                options);
    wire::alpha<8> stock{std::string_view{symbol < 4 ? kSymbolNames[symbol] : ""}};
    return test::with_options(
        test::bytes(wire::ouch::MassCancel{.user_ref_num = number, .firm = name, .symbol = stock}), options);
  }

  /// Sends the message, with those that waited for it; or lets it wait.
  void say(Account& account, std::uint8_t who, Payload message) {
    account.waiting.push_back(std::move(message));
    constexpr std::size_t kMost = 16;
    if ((who & kWaits) == 0 || account.waiting.size() == kMost) flush_messages(account);
  }
  void flush_messages(Account& account) {
    if (account.waiting.empty()) return;
    send(test::data_frame(account.client, account.upstream, account.waiting));
    account.upstream += account.waiting.size();
    account.waiting.clear();
  }
  void flush_messages() {
    for (Account& account : accounts_) flush_messages(account);
  }

  // ---- Frames -------------------------------------------------------------------------------------------------------

  /// From another port, MAC or VLAN, with a wrong password or the name of another account, as the bytes say.
  void login(Account& account, Input& in) {
    const auto k = static_cast<unsigned>(&account - accounts_.data());
    const std::uint8_t source = in.byte();
    Client client{.address = Client{}.address + k};
    client.port = static_cast<std::uint16_t>(client.port + (source & 1));
    client.mac[5] = static_cast<std::uint8_t>(1 + (source >> 1 & 1));
    client.vlan = (source & 4) != 0 ? 7 : 0;
    if (setting_.shared_source) client.address = Client{}.address + (source >> 3) % 2;
    const std::uint8_t faults = in.byte();
    if (faults < 224) return log_in(k, client);
    send(test::login_frame(client, "USER" + std::to_string(faults % 4), (faults & 4) != 0 ? "secret" : "",
                           (faults & 8) != 0 ? "OTHER" : ""));
  }
  void log_in(unsigned k, const Client& client) {
    accounts_[k].client = client;
    accounts_[k].upstream = 1;
    send(test::login_frame(client, "USER" + std::to_string(k), k == 2 ? "" : "secret"));
  }

  static Payload soup(Input& in) {
    const std::uint8_t type = in.byte();
    Payload payload;
    if (type >= 192) test::put(payload, in.take(type % 4));
    return test::soup_packet(letter("RRRROO+USAJHZL", type), payload);
  }

  void advance(Input& in) {
    flush_burst();
    constexpr TimeNs kUnits[] = {1, 1'000'000, 100'000'000, 50'000'000};
    const TimeNs unit = kUnits[in.byte() % 4];
    now_ = std::min(now_ + unit * in.byte(), kStart + kLongest);
    acts_.push_back({now_, {}});
  }

  void spoil(Input& in) {
    if (last_.empty()) return;
    FrameBytes frame = last_;
    const std::uint8_t how = in.byte();
    const std::size_t at = in.u16() % frame.size();
    frame[at] = static_cast<std::uint8_t>(frame[at] ^ in.byte());
    const std::size_t cut = in.byte();
    if ((how & 1) != 0) frame.resize(frame.size() - std::min(frame.size(), cut));
    if ((how & 2) != 0) fix_checksums(frame);
    send(std::move(frame));
  }
  static void fix_checksums(FrameBytes& frame) {
    const std::size_t at = frame.size() > 14 && test::get16(frame, 12) == 0x8100 ? 18 : 14;
    if (frame.size() < at + 28 || (frame[at] & 15) < 5 || frame.size() < at + (frame[at] & 15u) * 4u) return;
    test::fix_ip(frame, at);
    if (frame[at + 9] == 17 && at + 20 + test::get16(frame, at + 24) <= frame.size()) test::fix_udp(frame, at);
  }

  void raw(Account& account, Input& in) {
    const std::uint8_t which = in.byte() % 4;
    in.take(kRecord - 3);
    const wire::Bytes bytes = in.remaining();
    Payload payload(bytes.begin(), bytes.end());
    if (which == 0) return send(std::move(payload));
    payload.resize(std::min<std::size_t>(payload.size(), 1400));
    if (which == 1) return send(test::udp_frame(account.client, test::kOrderPort, payload));
    if (which == 2) return send(test::udp_frame(account.client, test::kRequestPort, payload));
    send(test::data_frame(account.client, account.upstream++, {payload}));
  }

  void send(FrameBytes frame) {
    last_ = frame;
    burst_.push_back(std::move(frame));
    if (together_ > 0) --together_;
    if (together_ == 0 || burst_.size() == kMaxBurst) flush_burst();
  }
  void flush_burst() {
    if (burst_.empty()) return;
    acts_.push_back({++now_, std::exchange(burst_, {})});
  }

  Setting setting_;
  bool compare_ = false;
  std::array<Account, kAccounts> accounts_ = [] {
    std::array<Account, kAccounts> accounts;
    for (unsigned k = 0; k < kAccounts; ++k) accounts[k].client.address += k;
    return accounts;
  }();
  TimeNs now_ = kStart;
  std::size_t together_ = 0;  // frames that are still to join the burst
  std::vector<FrameBytes> burst_;
  FrameBytes last_;
  std::vector<Act> acts_;
};

}  // namespace crosswire::fuzz
