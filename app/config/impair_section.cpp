// What befalls frames on purpose, in the configuration: see the header.
#include "app/config/impair_section.hpp"

#include <fmt/format.h>

#include <array>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "netstack/common/limits.hpp"
#include "netstack/port/impaired_line.hpp"

namespace crosswire::config_file {
namespace {

constexpr std::uint64_t kNsPerUs = 1'000;
constexpr std::uint64_t kLongestUs = 60'000'000;  // of a delay: a minute

/// A key that says more of another, which must be there.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kSaysMoreOf = {{
    {"burst_frames", "burst_loss"},
    {"corrupt_bits", "corrupt"},
    {"reorder_by", "reorder"},
    {"reorder_wait_us", "reorder"},
    {"queue_bytes", "rate_bits_per_s"},
}};

double chance(const Section& section, std::string_view key) {
  constexpr std::string_view kRemedy = "give a chance, 0.0 .. 1.0";
  if (!section.has(key)) return 0;
  const toml::node& node = section.need(key, kRemedy);
  const auto value = node.is_number() ? node.value<double>() : std::nullopt;
  if (!value) section.reject(key, fmt::format("is {}", type_name(node)), kRemedy);
  if (!(*value >= 0 && *value <= 1)) section.reject(key, fmt::format("{} is out of range", *value), kRemedy);
  return *value;
}

std::vector<std::uint64_t> frame_numbers(const Section& section, std::string_view key) {
  constexpr std::string_view kRemedy = "give a list of whole numbers from 1, each above the one before";
  std::vector<std::uint64_t> numbers;
  if (!section.has(key)) return numbers;
  for (const toml::node& item : section.list(key, kRemedy)) {
    if (!item.is_integer()) section.reject(key, fmt::format("holds {}", type_name(item)), kRemedy);
    const std::int64_t number = item.as_integer()->get();
    const std::uint64_t before = numbers.empty() ? 0 : numbers.back();
    if (number < 1 || static_cast<std::uint64_t>(number) <= before) {
      section.reject(key, fmt::format("{} is not above {}", number, before), kRemedy);
    }
    numbers.push_back(static_cast<std::uint64_t>(number));
  }
  return numbers;
}

ImpairmentConfig read_direction(const std::string& path, const toml::table& impair, std::string_view name) {
  ImpairmentConfig config;
  const toml::node* const node = impair.get(name);
  if (node == nullptr) return config;
  const std::string full = fmt::format("impair.{}", name);
  if (!node->is_table()) {
    fail(path, line_of(*node), full, fmt::format("is {}", type_name(*node)), fmt::format("write [{}]", full));
  }
  const Section section(
      path, full, *node->as_table(),
      {"loss", "lose_frames", "burst_loss", "burst_frames", "duplicate", "corrupt", "corrupt_bits", "reorder",
       "reorder_by", "reorder_wait_us", "delay_us", "jitter_us", "rate_bits_per_s", "queue_bytes"});
  for (const auto& [key, of] : kSaysMoreOf) {
    if (section.has(key) && !section.has(of)) {
      section.reject(key, fmt::format("{} is not there", of), fmt::format("give {}, or leave {} out", of, key));
    }
  }
  const auto number = [&section](std::string_view key, std::uint64_t low, std::uint64_t high, std::uint32_t fallback) {
    return static_cast<std::uint32_t>(section.number(key, low, high, fallback));
  };
  const auto time_ns = [&section](std::string_view key, TimeNs fallback_ns) {
    return section.number(key, 0, kLongestUs, fallback_ns / kNsPerUs) * kNsPerUs;
  };
  config.loss = chance(section, "loss");
  config.lose_frames = frame_numbers(section, "lose_frames");
  config.burst_loss = chance(section, "burst_loss");
  config.burst_frames = number("burst_frames", 1, 1'000'000, config.burst_frames);
  config.duplicate = chance(section, "duplicate");
  config.corrupt = chance(section, "corrupt");
  config.corrupt_bits = number("corrupt_bits", 1, ImpairmentConfig::kMostCorruptBits, config.corrupt_bits);
  config.reorder = chance(section, "reorder");
  config.reorder_by = number("reorder_by", 1, ImpairmentConfig::kMostOvertakers, config.reorder_by);
  config.reorder_wait_ns = time_ns("reorder_wait_us", config.reorder_wait_ns);
  config.delay_ns = time_ns("delay_us", config.delay_ns);
  config.jitter_ns = time_ns("jitter_us", config.jitter_ns);
  if (section.has("rate_bits_per_s")) {
    config.rate_bits_per_s = section.required_number("rate_bits_per_s", 1'000, 400'000'000'000);
  }
  config.queue_bytes = number("queue_bytes", kMaxFrame, ImpairmentConfig::kMostQueueBytes, config.queue_bytes);
  return config;
}

}  // namespace

ImpairConfig read_impair(const std::string& path, const toml::table& root) {
  ImpairConfig config;
  const toml::table* const table = find_table(path, root, "impair");
  if (table == nullptr) return config;
  const Section section(path, "impair", *table, {"seed", "held_frames", "receive", "transmit"});
  config.seed = section.number("seed", 0, INT64_MAX, config.seed);
  config.held_frames = static_cast<std::uint32_t>(
      section.number("held_frames", ImpairedLine::kLeastBuffers, 1u << 20, config.held_frames));
  config.receive = read_direction(path, *table, "receive");
  config.transmit = read_direction(path, *table, "transmit");
  return config;
}

std::string to_text(const ImpairmentConfig& config) {
  std::string text;
  const auto add = [&text](bool there, std::string_view key, const auto& value) {
    if (there) fmt::format_to(std::back_inserter(text), "{}{}={}", text.empty() ? "" : " ", key, value);
  };
  add(config.loss > 0, "loss", config.loss);
  add(!config.lose_frames.empty(), "lose_frames", config.lose_frames.size());
  add(config.burst_loss > 0, "burst_loss", config.burst_loss);
  add(config.burst_loss > 0, "burst_frames", config.burst_frames);
  add(config.duplicate > 0, "duplicate", config.duplicate);
  add(config.corrupt > 0, "corrupt", config.corrupt);
  add(config.corrupt > 0, "corrupt_bits", config.corrupt_bits);
  add(config.reorder > 0, "reorder", config.reorder);
  add(config.reorder > 0, "reorder_by", config.reorder_by);
  add(config.reorder > 0, "reorder_wait_us", config.reorder_wait_ns / kNsPerUs);
  add(config.delay_ns > 0, "delay_us", config.delay_ns / kNsPerUs);
  add(config.jitter_ns > 0, "jitter_us", config.jitter_ns / kNsPerUs);
  add(config.rate_bits_per_s > 0, "rate_bits_per_s", config.rate_bits_per_s);
  add(config.rate_bits_per_s > 0, "queue_bytes", config.queue_bytes);
  return text.empty() ? "nothing" : text;
}

}  // namespace crosswire::config_file
