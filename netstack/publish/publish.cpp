// The publish stage: see publish.hpp.
#include "netstack/publish/publish.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "hugepages/base/check.hpp"
#include "netstack/common/limits.hpp"
#include "netstack/wire/itch.hpp"

namespace crosswire {
namespace {

namespace itch = wire::itch;
namespace mold = wire::mold;

constexpr std::uint8_t kUnicastTtl = 64;
constexpr std::uint8_t kRank = 1;  // FrameOrigin: behind transmit
constexpr OrderRef kNotOnFeed{0};  // in Execution: an order in the book that is hidden

/// The message that `make` returns, and its head, which is the same function of the event for all.
template <class Message, class Make>
void write_message(std::uint8_t* at, const Event& event, Make make) {
  wire::build_at(at, make);
  itch::Header& head = wire::overlay<Message>(at).head;
  head.type = Message::kType;
  head.locate = event.symbol.value;
  head.tracking = std::uint16_t{0};
  head.timestamp = event.time_ns;
}

/// ITCH knows buyers and sellers; how a sale is marked stays between client and exchange.
char side_letter(Side side) { return is_buy(side) ? 'B' : 'S'; }

/// Trading: orders execute at once. Quotation only: they are taken and shown, and execute at the cross. Halted:
/// neither. Paused: a volatility interruption, in which they are taken and shown as in a call.
char state_letter(Phase phase) {
  switch (phase) {
    case Phase::continuous:
      return 'T';
    case Phase::opening_call:
    case Phase::closing_call:
    case Phase::intraday_call:
      return 'Q';
    case Phase::interrupted:
      return 'P';
    case Phase::pre_open:
    case Phase::closed:
    case Phase::halted:
      break;
  }
  return 'H';
}

/// A halt is the operator's own: O1, operations halt. An interruption is a volatility trading pause: LUDP. The other
/// phases are the day's ordinary course and give no reason.
wire::alpha<4> phase_reason(Phase phase) {
  return phase == Phase::halted ? std::string_view("O1") : phase == Phase::interrupted ? "LUDP" : "";
}

}  // namespace

PublishStage::PublishStage(const NetConfig& config, const EngineConfig& engine, Events& events, const Orders& orders,
                           TxPort& port, Arena& arena)
    : config_(config),
      session_name_(std::string_view(config.feed_session)),
      events_(events),
      orders_(orders),
      port_(port),
      symbols_(arena.array<SymbolName>(engine.symbols.size())),
      channel_(config, config.feed_port, station_of_group(config.feed_group, config.feed_vlan), config.feed_port,
               config.feed_ttl),
      messages_(arena, config.feed_messages_kept),
      payload_(arena.array<std::uint8_t>(kMaxUdpPayload)),
      packet_(payload_) {
  for (std::size_t i = 0; i < symbols_.size(); ++i) symbols_[i] = engine.symbols[i].name;
}

std::size_t PublishStage::bytes_for(const NetConfig& config, const EngineConfig& engine) {
  return Arena::bytes_for<SymbolName>(engine.symbols.size()) + MessageStore<64>::bytes_for(config.feed_messages_kept) +
         Arena::bytes_for<std::uint8_t>(kMaxUdpPayload);
}

std::size_t PublishStage::poll() {
  const std::uint64_t waiting = std::min(events_.available(), kMaxEvents);
  std::uint64_t done = 0;
  committed_ = 0;
  while (done < waiting && handle(events_.peek(done))) ++done;
  if (done < waiting) counters_.add(PublishCounter::port_full);
  if (done > 0) events_.release(done);
  if (port_.wants_flush()) port_.flush();
  return done + committed_;
}

bool PublishStage::handle(const Event& event) {
  if (!config_.feed_enabled) [[unlikely]]
    return true;
  if (!said_ && !say(event)) return false;
  said_ = true;
  if ((event.flags & kLastOfBurst) != 0 && !close(event)) return false;
  said_ = false;
  progress_ = 0;
  return true;
}

bool PublishStage::say(const Event& event) {
  switch (event.kind) {
    case EventKind::accepted:
    case EventKind::rested:
    case EventKind::replaced:
    case EventKind::canceled:
    case EventKind::modified:
      return order(event);
    case EventKind::prevented:
      return prevented(event);
    case EventKind::executed:
      return executed(event);
    case EventKind::crossed:
      return crossed(event);
    case EventKind::cross_done:
      return cross_done(event);
    case EventKind::imbalance:
      return imbalance(event);
    case EventKind::phase:
      return phase(event);
    case EventKind::system:
      return system(event);
    case EventKind::halt_level:
      return halt_level(event);
    case EventKind::declines:
      return declines(event);
    case EventKind::directory:
      return directory(event);
    case EventKind::feed_resend:
      return resend(event);
    case EventKind::tick:
      return tick(event);
    case EventKind::day_end:
      return day_end(event);
    default:
      CHECK(is_only_for_others(event.kind, EventFor::publish), "event of kind %u", static_cast<unsigned>(event.kind));
      return true;
  }
}

// ---- Messages -----------------------------------------------------------------------------------------------------

bool PublishStage::order(const Event& event) {
  const OrderEvent& order = event.order;
  switch (order.feed) {
    case FeedAction::none:
      return true;
    case FeedAction::add:
      return add(event);
    case FeedAction::reduce:
      return publish(
          event, [&] { return itch::OrderCancel{.head = {}, .order_ref = order.ref.value, .shares = order.quantity}; });
    case FeedAction::remove: {
      const OrderRef gone = event.kind == EventKind::replaced ? order.old_ref : order.ref;
      return publish(event, [&] { return itch::OrderDelete{.head = {}, .order_ref = gone.value}; });
    }
    case FeedAction::replace:
      return publish(event, [&] {
        return itch::OrderReplace{.head = {},
                                  .old_ref = order.old_ref.value,
                                  .new_ref = order.ref.value,
                                  .shares = order.open,
                                  .price = order.price.value};
      });
  }
  CHECK(false, "feed action %u", static_cast<unsigned>(order.feed));
}

bool PublishStage::prevented(const Event& event) {
  const Prevention& said = event.prevention;
  if (said.feed == FeedAction::none) return true;
  if (said.feed == FeedAction::remove) {
    return publish(event, [&] { return itch::OrderDelete{.head = {}, .order_ref = said.ref.value}; });
  }
  return publish(event,
                 [&] { return itch::OrderCancel{.head = {}, .order_ref = said.ref.value, .shares = said.quantity}; });
}

/// An attributable order names its firm; how it was asked for is in the cold lines, which outlive the event.
bool PublishStage::add(const Event& event) {
  const OrderEvent& order = event.order;
  if (orders_.asked(order.order).display == static_cast<char>(Display::attributable)) {
    return publish(event, [&] {
      return itch::AddOrderMpid{.head = {},
                                .order_ref = order.ref.value,
                                .side = side_letter(order.side),
                                .shares = order.open,
                                .stock = stock(event.symbol),
                                .price = order.price.value,
                                .attribution = orders_.resolved(order.order).firm};
    });
  }
  return publish(event, [&] {
    return itch::AddOrder{.head = {},
                          .order_ref = order.ref.value,
                          .side = side_letter(order.side),
                          .shares = order.open,
                          .stock = stock(event.symbol),
                          .price = order.price.value};
  });
}

/// Against an order that the feed does not know, it is a Trade: the side says nothing, and there is no reference.
bool PublishStage::executed(const Event& event) {
  const Execution& execution = event.execution;
  if (execution.resting_ref == kNotOnFeed) {
    return publish(event, [&] {
      return itch::Trade{.head = {},
                         .order_ref = std::uint64_t{0},
                         .side = 'B',
                         .shares = execution.quantity,
                         .stock = stock(event.symbol),
                         .price = execution.price.value,
                         .match_number = execution.match.value};
    });
  }
  return publish(event, [&] {
    return itch::OrderExecuted{.head = {},
                               .order_ref = execution.resting_ref.value,
                               .shares = execution.quantity,
                               .match_number = execution.match.value};
  });
}

/// The book is kept by these, the volume by the cross's Q: hence not printable (WIRE 5). Of an order that the feed does
/// not know there is nothing to keep.
bool PublishStage::crossed(const Event& event) {
  const Execution& execution = event.execution;
  const OrderRef refs[] = {execution.ref, execution.resting_ref};
  for (; progress_ < std::size(refs); ++progress_) {
    if (refs[progress_] == kNotOnFeed) continue;
    const auto message = [&] {
      return itch::OrderExecutedWithPrice{.head = {},
                                          .order_ref = refs[progress_].value,
                                          .shares = execution.quantity,
                                          .match_number = execution.match.value,
                                          .printable = 'N',
                                          .price = execution.price.value};
    };
    if (!publish(event, message)) return false;
  }
  return true;
}

bool PublishStage::cross_done(const Event& event) {
  const CrossEvent& cross = event.cross;
  return publish(event, [&] {
    return itch::CrossTrade{.head = {},
                            .shares = cross.paired,
                            .stock = stock(event.symbol),
                            .price = cross.price.value,
                            .match_number = cross.match.value,
                            .cross_type = cross.cross_type};
  });
}

/// Paired and imbalance shares are counted at the indicative price, so in a call that is the current reference price
/// (WIRE 5 `I`). It is the near price, too, which is therefore never away from it: the variation is under 1 % or none.
bool PublishStage::imbalance(const Event& event) {
  const CrossEvent& cross = event.cross;
  return publish(event, [&] {
    return itch::NetOrderImbalance{.head = {},
                                   .paired = cross.paired,
                                   .imbalance = cross.imbalance,
                                   .direction = cross.direction,
                                   .stock = stock(event.symbol),
                                   .far_price = cross.far_price.value,
                                   .near_price = cross.price.value,
                                   .reference_price = cross.price.value,
                                   .cross_type = cross.cross_type,
                                   .variation = cross.price == kNoPrice ? ' ' : 'L'};
  });
}

bool PublishStage::phase(const Event& event) {
  return publish(event, [&] {
    return itch::StockTradingAction{.head = {},
                                    .stock = stock(event.symbol),
                                    .state = state_letter(event.phase.phase),
                                    .reserved = ' ',
                                    .reason = phase_reason(event.phase.phase)};
  });
}

bool PublishStage::system(const Event& event) {
  return publish(event, [&] { return itch::SystemEvent{.head = {}, .event = event.system.event}; });
}

bool PublishStage::halt_level(const Event& event) {
  return publish(event, [&] { return itch::MwcbStatus{.head = {}, .breached = event.halt_level.level}; });
}

bool PublishStage::declines(const Event& event) {
  const auto& levels_e8 = event.declines.levels_e8;
  return publish(event, [&] {
    return itch::MwcbDeclineLevel{.head = {}, .level1 = levels_e8[0], .level2 = levels_e8[1], .level3 = levels_e8[2]};
  });
}

/// An ordinary share of a production system; what crosswire does not know is "none".
bool PublishStage::directory(const Event& event) {
  return publish(event, [&] {
    return itch::StockDirectory{.head = {},
                                .stock = stock(event.symbol),
                                .market_category = ' ',
                                .financial_status = ' ',
                                .round_lot_size = 1u,
                                .round_lots_only = 'N',
                                .issue_class = 'C',
                                .issue_subtype = std::string_view("Z"),
                                .authenticity = 'P',
                                .short_threshold = ' ',
                                .ipo_flag = ' ',
                                .luld_tier = ' ',
                                .etp_flag = 'N',
                                .etp_leverage = 0u,
                                .inverse = 'N'};
  });
}

// ---- The channel --------------------------------------------------------------------------------------------------

/// Only what has left on the channel is sent again: nobody gets news by asking for it.
bool PublishStage::resend(const Event& event) {
  std::uint8_t* const frame = port_.reserve();
  if (frame == nullptr) return false;
  const ResendAsk& ask = event.resend;
  const DatagramTemplate header(config_, config_.feed_request_port, station_of(ask), ask.port, kUnicastTtl);
  const Resend resend =
      write_resend({frame + header.payload_offset(), kMaxUdpPayload}, session_name_, messages_, next_to_leave(), ask);
  commit(header.finish(frame, resend.size), event);
  counters_.add(PublishCounter::resends);
  counters_.add(PublishCounter::resent_messages, resend.count);
  counters_.add(PublishCounter::resends_past_end, resend.count == 0);
  counters_.add(PublishCounter::resends_too_early, resend.begins_too_early);
  return true;
}

bool PublishStage::tick(const Event& event) {
  if (day_over_) return event.time_ns % kEndRepeatNs == 0 ? say_end(event) : true;
  const bool about_to_send = packet_.count() > 0;
  if (about_to_send || event.time_ns - last_sent_ns_ < config_.heartbeat_ns) return true;
  if (!send_empty(event, mold::kHeartbeat)) return false;
  counters_.add(PublishCounter::heartbeats);
  return true;
}

bool PublishStage::day_end(const Event& event) {
  if (!close(event) || !say_end(event)) return false;
  day_over_ = true;
  return true;
}

bool PublishStage::say_end(const Event& event) {
  if (!send_empty(event, mold::kEndOfSession)) return false;
  if (day_over_) counters_.add(PublishCounter::ends_repeated);
  return true;
}

/// Packs and keeps the message that `make` returns. False: the open datagram is full and the port has no room for it;
/// nothing is done.
template <class Make>
bool PublishStage::publish(const Event& event, Make make) {
  using Message = std::invoke_result_t<Make>;
  static_assert(sizeof(Message) <= MessageStore<64>::kMaxMessage);
  std::uint8_t* at = packet_.try_append(sizeof(Message));
  if (at == nullptr) {
    if (!close(event)) return false;
    at = packet_.try_append(sizeof(Message));
  }
  write_message<Message>(at, event, make);
  std::memcpy(messages_.fill(), at, sizeof(Message));
  messages_.commit(sizeof(Message));
  counters_.add(PublishCounter::messages);
  return true;
}

/// Sends the open datagram, if it holds anything, and begins the next one. False: no room.
bool PublishStage::close(const Event& event) {
  if (packet_.count() == 0) return true;
  std::uint8_t* const frame = port_.reserve();
  if (frame == nullptr) return false;
  const std::size_t size = packet_.finish(session_name_, next_to_leave());
  std::memcpy(frame + channel_.payload_offset(), payload_.data(), size);
  commit(channel_.finish(frame, size), event);
  counters_.add(PublishCounter::datagrams);
  packet_ = mold::PacketWriter(payload_);
  last_sent_ns_ = event.time_ns;
  return true;
}

/// A header alone: heartbeat or end of session, with the number of the next message.
bool PublishStage::send_empty(const Event& event, std::uint16_t count) {
  std::uint8_t* const frame = port_.reserve();
  if (frame == nullptr) return false;
  wire::overlay<mold::Header>(frame + channel_.payload_offset()) = {
      .session = session_name_, .sequence = messages_.next(), .count = count};
  commit(channel_.finish(frame, sizeof(mold::Header)), event);
  last_sent_ns_ = event.time_ns;
  return true;
}

void PublishStage::commit(std::size_t length, const Event& event) {
  port_.commit(length, {event.cause, event.time_ns, kRank});
  counters_.add(PublishCounter::frames);
  ++committed_;
}

const SymbolName& PublishStage::stock(SymbolId symbol) const {
  CHECK(symbol.value >= 1 && symbol.value <= symbols_.size(), "symbol %u of %zu", symbol.value, symbols_.size());
  return symbols_[symbol.value - 1u];
}

}  // namespace crosswire
