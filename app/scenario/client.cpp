// What clients say: see the header.
#include "app/scenario/client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <set>
#include <span>
#include <string>

#include "netstack/wire/ouch.hpp"

namespace crosswire {
namespace {

namespace ouch = wire::ouch;
using ouch::Tag;

/// Larger than any order: a Modify that takes nothing off.
constexpr std::uint32_t kTakesNothing = kMaxQuantity;

std::uint32_t option_number(std::string_view option, std::string_view value) {
  const auto number = parse_number(value);
  if (!number) throw ScenarioFault(fmt::format("{}={}: give a number", option, value));
  return *number;
}

/// What an option is about: of two that are about the same the second would undo the first.
std::string_view subject_of(std::string_view option) {
  static constexpr Word<std::string_view> kSubjects[] = {
      {"day", "a time in force"},
      {"ioc", "a time in force"},
      {"fok", "a time in force"},
      {"gtt", "a time in force"},
      {"hidden", "a display"},
      {"attributable", "a display"},
      {"on_open", "a cross"},
      {"on_close", "a cross"},
      {"stays", "stays or goes"},
      {"goes", "stays or goes"},
      {"not_post_only", "post_only"},
      {"as", "a label"},
      {"buy", "a side"},
      {"sell", "a side"},
      {"short", "a side"},
      {"short_exempt", "a side"},
  };
  return meaning_of(kSubjects, option).value_or(option);
}

}  // namespace

/// What stands behind an order's price, or a Mass Cancel.
struct ScenarioClients::Options {
  char time_in_force = '0';
  char display = 'Y';
  char cross_type = 'N';
  bool fill_or_kill = false;
  std::optional<std::uint32_t> min_quantity, expire_seconds, group, number;
  std::optional<char> post_only, stays, self_trade, side, kill;
  std::string label;
};

ScenarioClients::Options ScenarioClients::read_options(LineReader& line) {
  Options options;
  std::set<std::string_view> subjects;
  while (!line.done()) {
    const std::string_view word = line.next("an option");
    const std::size_t equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    if (!subjects.insert(subject_of(name)).second) {
      throw ScenarioFault(fmt::format("\"{}\": the line has {} already", word, subject_of(name)));
    }
    const std::string_view value = equals == std::string_view::npos ? "" : word.substr(equals + 1);
    const auto side = meaning_of(kSideWords, word);
    if (word == "as") {
      options.label = std::string(line.next("a label"));
    } else if (side) {
      options.side = static_cast<char>(*side);
    } else if (word == "day") {
      options.time_in_force = '0';
    } else if (word == "ioc") {
      options.time_in_force = '3';
    } else if (word == "fok") {
      options.time_in_force = '3';
      options.fill_or_kill = true;
    } else if (name == "gtt") {
      options.time_in_force = '6';
      if (!value.empty()) options.expire_seconds = option_number(name, value);
    } else if (name == "expire") {
      options.expire_seconds = option_number(name, value);
    } else if (name == "min_qty") {
      options.min_quantity = option_number(name, value);
    } else if (word == "kill") {
      options.kill = 'Y';
    } else if (word == "post_only") {
      options.post_only = 'P';
    } else if (word == "not_post_only") {
      options.post_only = 'N';
    } else if (word == "hidden") {
      options.display = 'N';
    } else if (word == "attributable") {
      options.display = 'A';
    } else if (word == "on_open") {
      options.cross_type = 'O';
    } else if (word == "on_close") {
      options.cross_type = 'C';
    } else if (word == "stays") {
      options.stays = 'Y';
    } else if (word == "goes") {
      options.stays = 'N';
    } else if (name == "group") {
      options.group = option_number(name, value);
    } else if (name == "number") {
      options.number = option_number(name, value);
    } else if (name == "self_trade" && meaning_of(kSelfTradeWords, value)) {
      options.self_trade = static_cast<char>(*meaning_of(kSelfTradeWords, value));
    } else {
      throw ScenarioFault(fmt::format("\"{}\" is no option; docs/scenarios.md lists them", word));
    }
  }
  return options;
}

/// The next one, unless the line gives another.
std::uint32_t ScenarioClients::number(SessionId account, const Options& options) {
  std::uint32_t& last = numbers_[account.value];
  const std::uint32_t number = options.number.value_or(last + 1);
  last = std::max(last, number);
  return number;
}

/// The message, and those options that the line gives and it takes.
template <class Message>
wire::Bytes ScenarioClients::put(const Message& message, const Options& options) {
  std::memcpy(room_.data(), &message, sizeof message);
  ouch::OptionWriter writer(std::span<std::uint8_t>(room_).subspan(sizeof message));
  const auto takes = [](Tag tag, bool given) {
    if (given && !Message::kTags.contains(tag)) {
      throw ScenarioFault(fmt::format("{} takes no {}", Message::kName, ouch::tag_info(tag).name));
    }
    return given;
  };
  if (takes(Tag::min_qty, options.min_quantity.has_value())) writer.put<Tag::min_qty>(*options.min_quantity);
  if (takes(Tag::post_only, options.post_only.has_value())) writer.put<Tag::post_only>(*options.post_only);
  if (takes(Tag::expire_time, options.expire_seconds.has_value())) {
    writer.put<Tag::expire_time>(*options.expire_seconds);
  }
  if (takes(Tag::group_id, options.group.has_value())) {
    writer.put<Tag::group_id>(static_cast<std::uint16_t>(*options.group));
  }
  if (takes(Tag::side, options.side.has_value())) writer.put<Tag::side>(*options.side);
  if (takes(Tag::stay_on_disconnect, options.stays.has_value())) writer.put<Tag::stay_on_disconnect>(*options.stays);
  if (takes(Tag::self_trade, options.self_trade.has_value())) writer.put<Tag::self_trade>(*options.self_trade);
  if (takes(Tag::kill, options.kill.has_value())) writer.put<Tag::kill>(*options.kill);
  return {room_.data(), sizeof message + writer.finish()};
}

ScenarioClients::Said ScenarioClients::enter(SessionId account, Side side, LineReader& line) {
  const std::uint32_t quantity = line.number("shares");
  const std::string symbol(line.next("a symbol"));
  const std::uint64_t price = line.price();
  Options options = read_options(line);
  if (options.fill_or_kill) options.min_quantity = quantity;
  const std::uint32_t number = this->number(account, options);
  names_.label(options.label, {account, UserRefNum{number}});
  return {account, put(ouch::EnterOrder{.user_ref_num = number,
                                        .side = static_cast<char>(side),
                                        .quantity = quantity,
                                        .symbol = std::string_view(symbol),
                                        .price = price,
                                        .time_in_force = options.time_in_force,
                                        .display = options.display,
                                        .capacity = 'P',
                                        .iso = 'N',
                                        .cross_type = options.cross_type,
                                        .cl_ord_id = std::string_view(options.label)},
                       options)};
}

ScenarioClients::Said ScenarioClients::replace(LineReader& line) {
  const Names::Order original = names_.order(line.next("an order"));
  const std::uint32_t quantity = line.number("shares");
  const std::uint64_t price = line.price();
  Options options = read_options(line);
  if (options.fill_or_kill) options.min_quantity = quantity;
  if (options.cross_type != 'N') throw ScenarioFault("a Replace cannot say which cross it is for");
  const std::uint32_t number = this->number(original.account, options);
  names_.label(options.label, {original.account, UserRefNum{number}});
  return {original.account, put(ouch::ReplaceOrder{.orig_user_ref_num = original.number.value,
                                                   .user_ref_num = number,
                                                   .quantity = quantity,
                                                   .price = price,
                                                   .time_in_force = options.time_in_force,
                                                   .display = options.display,
                                                   .iso = 'N',
                                                   .cl_ord_id = std::string_view(options.label)},
                                options)};
}

ScenarioClients::Said ScenarioClients::of_order(std::string_view verb, LineReader& line) {
  if (verb == "replace") return replace(line);
  const Names::Order order = names_.order(line.next("an order"));
  const auto shares = [&line](std::uint32_t otherwise) {
    const std::uint32_t quantity = line.take("to") ? line.number("shares") : otherwise;
    line.end();
    return quantity;
  };
  if (verb == "cancel") {
    const ouch::CancelOrder cancel{.user_ref_num = order.number.value, .quantity = shares(0)};
    return {order.account, put(cancel, {})};
  }
  const std::string_view word = line.next("a side");
  const auto side = meaning_of(kSideWords, word);
  if (!side) throw ScenarioFault(fmt::format("\"{}\" is no side; give buy, sell, short or short_exempt", word));
  const ouch::ModifyOrder modify{
      .user_ref_num = order.number.value, .side = static_cast<char>(*side), .quantity = shares(kTakesNothing)};
  return {order.account, put(modify, {})};
}

ScenarioClients::Said ScenarioClients::mass_cancel(SessionId account, LineReader& line) {
  std::string symbol;
  if (names_.find_symbol(line.peek())) symbol = std::string(line.next("a symbol"));
  const Options options = read_options(line);
  return {account, put(ouch::MassCancel{.user_ref_num = number(account, options),
                                        .firm = std::string_view(),
                                        .symbol = std::string_view(symbol)},
                       options)};
}

ScenarioClients::Said ScenarioClients::of_account(SessionId account, std::string_view verb, LineReader& line) {
  if (const auto side = meaning_of(kSideWords, verb)) return enter(account, *side, line);
  if (verb == "mass_cancel") return mass_cancel(account, line);
  if (verb == "query") {
    line.end();
    return {account, put(ouch::AccountQuery{}, {})};
  }
  const bool disables = verb == "disable";
  if (!disables && verb != "enable") {
    throw ScenarioFault(fmt::format("\"{}\" is nothing that an account does; docs/scenarios.md lists it", verb));
  }
  const Options options = read_options(line);
  const std::uint32_t number = this->number(account, options);
  if (disables) {
    return {account, put(ouch::DisableOrderEntry{.user_ref_num = number, .firm = std::string_view()}, options)};
  }
  return {account, put(ouch::EnableOrderEntry{.user_ref_num = number, .firm = std::string_view()}, options)};
}

}  // namespace crosswire
