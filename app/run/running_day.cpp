// A trading day of a partition: see the header.
#include "app/run/running_day.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <stdexcept>
#include <utility>

#include "app/partition/references.hpp"

namespace crosswire {
namespace {

/// For the hash of UserRefNums: a client that knew it could choose numbers that collide, and make everyone wait. And
/// for TCP's sequence numbers, which nobody may foresee.
std::uint64_t secret() {
  std::random_device random;
  return std::uint64_t{random()} << 32 | random();
}

/// Nobody who sends frames must be able to guess it, nor read it in time: it leaves in no frame.
wire::RecordingTag random_tag() {
  wire::RecordingTag tag;
  std::random_device random;
  for (std::uint8_t& byte : tag) byte = static_cast<std::uint8_t>(random());
  return tag;
}

std::optional<std::array<std::uint64_t, 2>> tcp_secret(const NetConfig& net) {
  if (net.tcp_port == 0) return std::nullopt;
  return net.tcp_secret;
}

Config of_day(Config config, const TradingDay& day, TimeNs start_ns, std::span<const ReferencePrice> references) {
  set_day(config, day);
  set_start(config, day.midnight_epoch_ns, start_ns);
  config.engine.hash_key = secret();
  config.net.tcp_secret = {secret(), secret()};
  if (const std::string fault = set_references(config, references); !fault.empty()) throw std::runtime_error(fault);
  return config;
}

std::unique_ptr<RecordingRxPort> recorder_on(const RunningDay::Ground& ground, std::int64_t midnight_epoch_ns,
                                             TimeNs start_ns) {
  if (ground.record_memory == nullptr) return nullptr;
  ground.record_memory->clear();
  return std::make_unique<RecordingRxPort>(ground.rx, *ground.record_memory, midnight_epoch_ns, start_ns);
}

Arena& cleared(Arena& arena) {
  arena.clear();
  return arena;
}

}  // namespace

RunningDay::RunningDay(Config config, TradingDay day, TimeNs start_ns, std::span<const ReferencePrice> references,
                       const Ground& ground, const TscClock& clock, const StageLayout& layout)
    : day_(std::move(day)),
      references_(references.begin(), references.end()),
      recorder_(recorder_on(ground, day_.midnight_epoch_ns, start_ns)),
      partition_(of_day(std::move(config), day_, start_ns, references),
                 {recorder_ ? static_cast<RxPort&>(*recorder_) : ground.rx, ground.transmit, ground.publish}, clock,
                 cleared(ground.memory), layout) {}

void RunningDay::begin_recording(const std::string& path) {
  const Config& config = partition_.config();
  recorder_->begin(path,
                   {config.net.mac, random_tag(), references_, config.impair.receive.any(), tcp_secret(config.net)});
}

bool RunningDay::began_late(bool rolled) const {
  if (!day_.phases_written) return false;
  const TimeNs on_time_ns = rolled ? day_.begin_ns + 1 : 0;  // what is at the begin is entered some time behind it
  return std::any_of(day_.schedule.begin(), day_.schedule.end(), [&](const PhaseChange& change) {
    return change.at_ns >= on_time_ns && change.at_ns <= partition_.config().net.start_ns;
  });
}

}  // namespace crosswire
