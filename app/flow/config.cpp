// The replay configuration of a flow: see config.hpp. Tools only.
#include "app/flow/config.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "app/config/config.hpp"
#include "app/config/time_of_day.hpp"
#include "app/flow/client_frames.hpp"
#include "app/flow/error.hpp"
#include "engine/user_refs.hpp"

namespace crosswire {
namespace {

constexpr std::uint64_t kSmallest = 4096;          // orders, levels: below it there is nothing to save
constexpr std::uint64_t kKeptMessages = 1u << 20;  // of all sessions, 128 bytes each: nobody asks for them in a replay

std::uint32_t power_of_two(std::uint64_t wanted, std::uint64_t most) {
  return static_cast<std::uint32_t>(std::min(std::bit_ceil(std::max<std::uint64_t>(wanted, 16)), std::bit_floor(most)));
}

/// A TOML basic string of printable ASCII.
std::string toml_string(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

std::string date_of(std::int64_t epoch_ns) {
  const std::chrono::sys_days day = std::chrono::floor<std::chrono::days>(
      std::chrono::sys_time<std::chrono::nanoseconds>(std::chrono::nanoseconds(epoch_ns)));
  const std::chrono::year_month_day date(day);
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

template <std::size_t N>
std::string trimmed(const std::array<char, N>& name) {
  std::string text(name.begin(), name.end());
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

std::string toml_text(const FlowVenue& venue, const std::vector<AccountConfig>& accounts) {
  const NetConfig exchange = flow_exchange();
  const EngineConfig& engine = venue.engine;
  std::string text = fmt::format("# {}: replay of a capture written by `crosswire flow`.\n\n", one_line(venue.title));
  text += fmt::format("[time]\nmidnight = {}T00:00:00Z\nlinger_s = 0\n\n", date_of(venue.midnight_epoch_ns));
  text += fmt::format("[port]\naddress = \"{}\"\nmac = \"{}\"\n\n", format_address(exchange.address),
                      format_mac(exchange.mac));
  text += fmt::format("[orders]\nudp_port = {}\nmessages_kept = {}\n\n", exchange.order_port,
                      power_of_two(65'536, std::max<std::uint64_t>(kKeptMessages / engine.sessions, 16)));
  text += fmt::format("[feed]\ngroup = \"{}\"\nudp_port = {}\nrequest_port = {}\n\n",
                      format_address(exchange.feed_group), exchange.feed_port, exchange.feed_request_port);
  // A day's orders come from few accounts, which have no shares of each other's.
  text +=
      fmt::format("[limits]\nmax_orders = {0}\nmax_levels = {1}\norders_per_account = {0}\nlevels_per_account = {1}\n",
                  engine.max_orders, engine.max_levels);
  for (const SymbolConfig& symbol : engine.symbols) {
    text += fmt::format("\n[[symbol]]\nname = {}\nreference_price_e4 = {}\ntick_e4 = {}\n",
                        toml_string(trimmed(symbol.name)), symbol.reference.value, symbol.tick_e4);
  }
  for (const PhaseChange& change : venue.schedule) {
    text += fmt::format("\n[[phase]]\nat = \"{}\"\nstate = \"{}\"\n", format_time_of_day(change.at_ns),
                        phase_name(change.phase));
  }
  for (const AccountConfig& account : accounts) {
    text += fmt::format("\n[[account]]\nuser = {}\npassword = \"{}\"\n", toml_string(account.user), account.password);
    const std::string firm = trimmed(account.firm);
    if (!firm.empty()) text += fmt::format("firm = \"{}\"\n", firm);
    text += fmt::format("sources = [\"{}\"]\n", format_address(account.sources.front().address));
  }
  return text;
}

}  // namespace

void size_limits(EngineConfig& engine, std::uint64_t live_orders, std::uint64_t prices) {
  engine.max_orders = static_cast<std::uint32_t>(std::max(live_orders + 1, kSmallest));
  // Scattered prices share few ladder nodes, and the engine has two nodes a level: four levels a price always suffice.
  engine.max_levels =
      static_cast<std::uint32_t>(std::min(std::max(4 * prices, kSmallest), std::uint64_t{engine.max_orders} * 2));
}

void write_flow_config(const std::string& path, const FlowVenue& venue, const std::vector<AccountConfig>& accounts) {
  const std::string text = toml_text(venue, accounts);
  std::FILE* const file = std::fopen(path.c_str(), "wbe");
  struct stat status {};
  bool written = file != nullptr && ::fstat(fileno(file), &status) == 0;
  // Of a file alone: /dev/null and its like are everyone's.
  if (written && S_ISREG(status.st_mode)) written = ::fchmod(fileno(file), S_IRUSR | S_IWUSR) == 0;
  written = written && std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if (file != nullptr) written = std::fclose(file) == 0 && written;
  if (!written) {
    throw FlowError(fmt::format("{}: cannot be written: {}; give --config-out a place that you may write to", path,
                                std::strerror(errno)));
  }
}

}  // namespace crosswire
