// `crosswire top`: see the header.
#include "app/top/top.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "app/top/ask.hpp"
#include "app/top/page.hpp"
#include "app/top/terminal.hpp"

namespace crosswire {
namespace {

void refresh_until_quit(const std::string& path, double interval_s) try {
  const auto interval =
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(interval_s));
  TopFigures now = ask_top_figures(path, nullptr, wait_for_answer, kTerminalRows);  // before the screen is taken over
  std::optional<TopFigures> before;
  std::string trouble;  // why there has been no answer since
  const Screen screen;
  for (auto next = std::chrono::steady_clock::now();;) {
    next = std::max(next + interval, std::chrono::steady_clock::now());
    TopKey key = TopKey::resized;
    while (key == TopKey::resized) {
      Screen::show(top_page(now, before ? &*before : nullptr, Screen::size(), trouble));
      key = wait_for_key(next);
    }
    if (key == TopKey::quit) return;
    // A key other than q comes early: that is a wish for fresh figures.
    try {
      TopFigures newer = ask_top_figures(path, nullptr, wait_or_end, kTerminalRows);
      trouble.clear();
      before = std::move(now);
      now = std::move(newer);
    } catch (const std::runtime_error& error) {  // it may be started again
      trouble = error.what();
    }
  }
} catch (const TopEnded&) {  // as by q
}

}  // namespace

int top_main(const TopOptions& options) try {
  const std::string path = options.socket.empty() ? top_socket_path(options.prefix) : options.socket;
  if (options.json) {
    std::string raw;
    ask_top_figures(path, &raw);
    fmt::print("{}\n", raw);
  } else if (options.once || isatty(STDOUT_FILENO) == 0 || isatty(STDIN_FILENO) == 0) {
    constexpr TopSize kAll{std::size_t{1} << 30, std::size_t{1} << 30};
    fmt::print("{}", top_page(ask_top_figures(path), nullptr, kAll, "", TopLists::whole));
  } else {
    refresh_until_quit(path, options.interval_s);
  }
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "crosswire top: {}\n", error.what());
  return 1;
}

}  // namespace crosswire
