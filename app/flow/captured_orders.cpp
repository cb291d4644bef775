// What the clients of a capture said, as order entry: see the header. Tools only.
#include "app/flow/captured_orders.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "app/config/time_of_day.hpp"
#include "app/flow/error.hpp"
#include "app/flow/ouch_version.hpp"

namespace crosswire {
namespace {

namespace ouch = wire::ouch;

constexpr std::uint32_t kMostSymbols = 65'534;
constexpr std::size_t kMostLive = 1u << 22;    // that are counted
constexpr std::size_t kMostPrices = 1u << 20;  // likewise
constexpr std::uint32_t kAnyPrice = 10'000;    // of a symbol that only has market orders

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

bool is_firm(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); });
}

std::uint64_t order_key(SessionId session, std::uint8_t channel, std::uint32_t number) {
  return std::uint64_t{session.value} << 40 | std::uint64_t{channel} << 32 | number;
}

}  // namespace

CapturedOrders::CapturedOrders(std::string path, CaptureWriter& writer, std::int64_t midnight_epoch_ns)
    : path_(std::move(path)), writer_(writer), midnight_epoch_ns_(midnight_epoch_ns) {}

/// Case does not count.
std::string CapturedOrders::key_of(const std::string& user) {
  std::string key = user;
  for (char& c : key) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return key;
}

ClientFrames& CapturedOrders::frames(TimeNs now_ns) {
  if (!frames_) frames_.emplace(writer_, midnight_epoch_ns_, now_ns);
  return *frames_;
}

void CapturedOrders::take(const StreamEvent& event) {
  switch (event.kind) {
    case StreamEvent::Kind::login: {
      const auto* const login = wire::view_as<wire::soup::LoginRequest>(event.bytes);
      const std::string user(wire::soup::parse(*login).username);
      ++figures_.logins;
      return log_in(event, is_name(user) ? user : made_up_user());
    }
    case StreamEvent::Kind::message:
      return take_message(event);
    case StreamEvent::Kind::logout:
      return take_logout(event);
    case StreamEvent::Kind::ended:
      return take_end(event);
  }
}

void CapturedOrders::log_in(const StreamEvent& event, const std::string& user) {
  ClientFrames& frames = this->frames(event.at.time_ns);
  const std::string key = key_of(user);
  const auto [found, added] = accounts_.try_emplace(key);
  if (added) {
    if (frames.accounts().size() >= kMaxFlowSessions) {
      throw FlowError(fmt::format("{}: has more than {} users, which a replay does not take; part it by --port", path_,
                                  kMaxFlowSessions));
    }
    AccountConfig account;
    account.user = user;
    account.firm.fill(' ');
    found->second.session = frames.add(std::move(account));
  }
  found->second.connection = event.connection;
  connections_[event.connection] = {key, false};
  frames.log_in(found->second.session, event.at.time_ns);
}

std::string CapturedOrders::made_up_user() {
  std::string user;
  do user = fmt::format("X{:05}", ++made_up_);
  while (accounts_.contains(user));
  return user;
}

/// With a login made up for it, if its own is not in the capture.
CapturedOrders::Connection& CapturedOrders::connection_of(const StreamEvent& event) {
  if (!connections_.contains(event.connection)) {
    ++figures_.made_up_logins;
    log_in(event, made_up_user());
  }
  return connections_.at(event.connection);
}

void CapturedOrders::take_message(const StreamEvent& event) {
  const OuchVersion version = version_of(event.bytes);
  if (version == OuchVersion::v4_x) refuse(event);
  if (version == OuchVersion::none || event.bytes.size() > kMaxClientMessage) {
    if (++figures_.not_ouch == 1 && !event.bytes.empty()) {
      first_not_ouch_ = fmt::format("; the first message has {} and begins with 0x{:02X}",
                                    counted(event.bytes.size(), "byte"), event.bytes[0]);
    }
    return;
  }
  const Connection& connection = connection_of(event);
  if (connection.logged_out) {
    ++figures_.after_logout;
    return;
  }
  const Account& account = accounts_.at(connection.key);
  figures_.overtaken += account.connection != event.connection ? 1 : 0;
  frames_->send(account.session, event.bytes, event.at.time_ns);
  note(account.session, event.bytes);
}

void CapturedOrders::refuse(const StreamEvent& event) const {
  throw FlowError(fmt::format(
      "{}: {} sends {} to {}: a message {} of {} bytes at {} UTC; only OUCH 5.0 can be "
      "replayed: give --port of such sessions, if there are any",
      path_, text_of(event.client), name_of_v4(event.bytes.size()), text_of(event.exchange),
      static_cast<char>(event.bytes[0]), event.bytes.size(), format_time_of_day(event.at.time_ns % kNsPerDay)));
}

void CapturedOrders::take_logout(const StreamEvent& event) {
  const auto found = connections_.find(event.connection);
  if (found == connections_.end() || found->second.logged_out) return;
  found->second.logged_out = true;
  ++figures_.logouts;
  const Account& account = accounts_.at(found->second.key);
  // One that has been taken over has no session to end.
  if (account.connection == event.connection) frames_->log_out(account.session, event.at.time_ns);
}

void CapturedOrders::take_end(const StreamEvent& event) {
  const auto found = connections_.find(event.connection);
  if (found == connections_.end() || found->second.logged_out) return;
  const Account& account = accounts_.at(found->second.key);
  if (account.connection == event.connection) frames_->fall_silent(account.session, event.at.time_ns);
}

// ---- What the configuration has to know --------------------------------------------------------------------------------

void CapturedOrders::note(SessionId session, wire::Bytes message) {
  const ouch::MessageInfo* const info = ouch::kInbound.find(static_cast<char>(message[0]));
  ++figures_.messages[static_cast<std::size_t>(info - &*ouch::kInbound.begin())];
  std::uint8_t channel = 0;
  for (ouch::OptionReader reader(split(*info, message).options, info->tags); reader.next();) {
    if (reader.option().tag == ouch::Tag::user_ref_idx) channel = static_cast<std::uint8_t>(reader.option().number());
    if (reader.option().tag != ouch::Tag::firm) continue;
    const std::string_view firm = reader.option().text();
    note_firm(session, {firm[0], firm[1], firm[2], firm[3]});
  }
  switch (info->type) {
    case ouch::EnterOrder::kType:
      return note_enter(session, channel, *wire::view_as<ouch::EnterOrder>(message));
    case ouch::ReplaceOrder::kType:
      return note_replace(session, channel, *wire::view_as<ouch::ReplaceOrder>(message));
    case ouch::CancelOrder::kType: {
      const auto& cancel = *wire::view_as<ouch::CancelOrder>(message);
      if (cancel.quantity == 0) live_.erase(order_key(session, channel, cancel.user_ref_num));
      return;
    }
    case ouch::MassCancel::kType:
      return note_firm(session, wire::view_as<ouch::MassCancel>(message)->firm.chars);
    case ouch::DisableOrderEntry::kType:
      return note_firm(session, wire::view_as<ouch::DisableOrderEntry>(message)->firm.chars);
    case ouch::EnableOrderEntry::kType:
      return note_firm(session, wire::view_as<ouch::EnableOrderEntry>(message)->firm.chars);
    default:
      return;
  }
}

/// The first that its messages name is the account's.
void CapturedOrders::note_firm(SessionId session, const std::array<char, 4>& firm) {
  if (frames_->accounts()[session.value].firm != std::array<char, 4>{' ', ' ', ' ', ' '}) return;
  const std::string_view text = std::string_view(firm.data(), firm.size());
  if (is_firm(text.substr(0, text.find_last_not_of(' ') + 1))) frames_->set_firm(session, firm);
}

void CapturedOrders::note_enter(SessionId session, std::uint8_t channel, const ouch::EnterOrder& order) {
  const std::uint32_t symbol = note_symbol(order);
  note_price(symbol, order.price);
  const bool rests = order.time_in_force != static_cast<char>(TimeInForce::ioc);
  if (rests && live_.size() < kMostLive) live_.emplace(order_key(session, channel, order.user_ref_num), symbol);
  most_live_ = std::max<std::uint64_t>(most_live_, live_.size());
}

void CapturedOrders::note_replace(SessionId session, std::uint8_t channel, const ouch::ReplaceOrder& replace) {
  const auto original = live_.extract(order_key(session, channel, replace.orig_user_ref_num));
  if (original.empty()) return;
  live_.emplace(order_key(session, channel, replace.user_ref_num), original.mapped());
  note_price(original.mapped(), replace.price);
}

/// Its number in engine_symbols_; kMostSymbols if it cannot be there.
std::uint32_t CapturedOrders::note_symbol(const ouch::EnterOrder& order) {
  const std::string name(order.symbol.view());
  const auto found = symbols_.find(name);
  if (!is_name(name) || (found == symbols_.end() && symbols_.size() >= kMostSymbols)) {
    ++figures_.no_symbol;
    return kMostSymbols;
  }
  const auto number = found != symbols_.end() ? found->second : static_cast<std::uint32_t>(symbols_.size());
  if (found == symbols_.end()) {
    symbols_.emplace(name, number);
    engine_symbols_.push_back({order.symbol.chars, Price{0}, 1});
  }
  const std::uint64_t price = order.price;
  Price& reference = engine_symbols_[number].reference;
  if (reference.value == 0 && price >= 1 && price <= kMaxPrice.value)
    reference = Price{static_cast<std::uint32_t>(price)};
  return number;
}

void CapturedOrders::note_price(std::uint32_t symbol, std::uint64_t price) {
  if (prices_.size() < kMostPrices) prices_.insert(std::uint64_t{symbol} << 32 | (price & 0xFFFF'FFFF));
}

void CapturedOrders::finish(TimeNs end_ns) {
  if (!frames_ || symbols_.empty()) {
    std::string why =
        frames_ ? "its SoupBinTCP sessions have no order" : "has no client's side of a SoupBinTCP session";
    if (figures_.not_ouch > 0) {
      why =
          counted(figures_.not_ouch, "message") + " of its clients, and none of OUCH 5.0 is an order" + first_not_ouch_;
    }
    throw FlowError(fmt::format("{}: {}; capture the exchange's port from before the logins on, or give another --port",
                                path_, why));
  }
  frames_->heartbeats(end_ns);
}

FlowVenue CapturedOrders::venue() const {
  FlowVenue venue;
  venue.title = "orders of " + path_;
  venue.midnight_epoch_ns = midnight_epoch_ns_;
  venue.engine.symbols = engine_symbols_;
  for (SymbolConfig& symbol : venue.engine.symbols) {
    if (symbol.reference.value == 0) symbol.reference = Price{kAnyPrice};
  }
  venue.engine.sessions = static_cast<std::uint32_t>(frames_->accounts().size());
  size_limits(venue.engine, 2 * most_live_, 2 * std::uint64_t{prices_.size()});
  return venue;
}

std::string CapturedOrders::user_of(std::uint32_t connection) const {
  const auto found = connections_.find(connection);
  if (found == connections_.end()) return "";
  return frames_->accounts()[accounts_.at(found->second.key).session.value].user;
}

}  // namespace crosswire
