// Client messages as frames: see frames.hpp. Tools only.
#include "app/flow/frames.hpp"

#include <fmt/format.h>

#include <utility>

#include "hugepages/base/check.hpp"
#include "netstack/session/session_name.hpp"
#include "netstack/wire/ouch.hpp"

namespace crosswire {
namespace {

AccountConfig account_of(std::uint32_t session) {
  const unsigned number = session + 1u;
  AccountConfig account;
  account.user = fmt::format("U{:05}", number);
  const std::string firm = session_name('F', number).substr(7);
  account.firm = {'F', firm[0], firm[1], firm[2]};
  return account;
}

}  // namespace

OrderEntryFrames::OrderEntryFrames(CaptureWriter& writer, std::int64_t midnight_epoch_ns, std::uint32_t sessions,
                                   std::vector<SymbolName> symbols, TimeNs login_ns)
    : symbols_(std::move(symbols)), clients_(writer, midnight_epoch_ns, login_ns) {
  CHECK(sessions >= 1 && sessions <= kMaxFlowSessions, "%u sessions", sessions);
  for (std::uint32_t session = 0; session < sessions; ++session)
    clients_.log_in(clients_.add(account_of(session)), login_ns);
}

void OrderEntryFrames::send(const FlowMessage& message) {
  Message bytes;
  const std::size_t size = compose(message, bytes);
  clients_.send(message.session, {bytes.data(), size}, message.time_ns);
}

std::size_t OrderEntryFrames::compose(const FlowMessage& message, Message& bytes) const {
  namespace ouch = wire::ouch;
  const auto write = [&bytes](const auto& fields) { return ouch::write_message(bytes, fields, ouch::NoOptions{}); };
  switch (message.kind) {
    case CommandKind::enter:
      CHECK(message.symbol.value >= 1 && message.symbol.value <= symbols_.size(), "symbol %u", message.symbol.value);
      return write(ouch::EnterOrder{.user_ref_num = message.user_ref_num.value,
                                    .side = static_cast<char>(message.side),
                                    .quantity = message.quantity,
                                    .symbol = symbols_[message.symbol.value - 1u],
                                    .price = std::uint64_t{message.price.value},
                                    .time_in_force = static_cast<char>(message.time_in_force),
                                    .display = 'Y',
                                    .capacity = 'A',
                                    .iso = 'N',
                                    .cross_type = 'N',
                                    .cl_ord_id = cl_ord_id_text(message.cl_ord_id)});
    case CommandKind::replace:
      return write(ouch::ReplaceOrder{.orig_user_ref_num = message.orig_user_ref_num.value,
                                      .user_ref_num = message.user_ref_num.value,
                                      .quantity = message.quantity,
                                      .price = std::uint64_t{message.price.value},
                                      .time_in_force = static_cast<char>(message.time_in_force),
                                      .display = 'Y',
                                      .iso = 'N',
                                      .cl_ord_id = cl_ord_id_text(message.cl_ord_id)});
    case CommandKind::cancel:
      return write(ouch::CancelOrder{.user_ref_num = message.user_ref_num.value, .quantity = message.quantity});
    case CommandKind::modify:
      return write(ouch::ModifyOrder{.user_ref_num = message.user_ref_num.value,
                                     .side = static_cast<char>(message.side),
                                     .quantity = message.quantity});
    default:
      CHECK(false, "a client does not send kind %u", static_cast<unsigned>(message.kind));
  }
}

}  // namespace crosswire
