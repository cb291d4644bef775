// The time of a process: see the header. On the control thread.
#include "app/run/clock_keeper.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <utility>

#include "app/run/log.hpp"

namespace crosswire {
namespace {

ClockDiscipline calibrated_discipline() {
  const auto [first, second] = read_clocks_twice();
  return {first, second};
}

}  // namespace

ClockKeeper::ClockKeeper() : ClockKeeper(calibrated_discipline(), HostClocks{}) {}

ClockKeeper::ClockKeeper(const ClockDiscipline& discipline, HostClocks host)
    : host_(std::move(host)), discipline_(discipline), shared_(std::make_shared<SharedClock>(discipline.clock())) {
  publish();
}

std::vector<ClockNews> ClockKeeper::look(std::uint64_t now_ns) {
  if (looked_ns_ && now_ns - *looked_ns_ < kLeastBetweenNs) return {};
  looked_ns_ = now_ns;
  shared_->write(discipline_.look(host_.read()));
  std::vector<ClockNews> said;
  if (discipline_.leap_ns() != 0) {
    said.push_back(news(discipline_.unfollowed_ns() != 0 ? ClockNews::Kind::leapt : ClockNews::Kind::leapt_back));
  }
  if (const bool kept = !host_.unsynchronised(); kept != std::exchange(synchronised_, kept)) {
    said.push_back(news(kept ? ClockNews::Kind::synchronised : ClockNews::Kind::unsynchronised));
  }
  // Back only at half of it, so that an offset about the bound is not told again and again.
  const std::int64_t off_ns = std::abs(discipline_.offset_ns());
  const std::int64_t bound_ns = within_bound_ ? ClockDiscipline::kBoundNs : ClockDiscipline::kBoundNs / 2;
  if (const bool within = off_ns <= bound_ns; within != std::exchange(within_bound_, within)) {
    said.push_back(news(within ? ClockNews::Kind::within_bound : ClockNews::Kind::beyond_bound));
  }
  publish();
  return said;
}

ClockNews ClockKeeper::news(ClockNews::Kind kind) const {
  const auto scaled = [](std::int64_t ns, double unit) { return static_cast<double>(ns) / unit; };
  return {kind, scaled(discipline_.leap_ns(), 1e9), scaled(discipline_.unfollowed_ns(), 1e9),
          scaled(discipline_.offset_ns(), 1e3), scaled(discipline_.bound_ns(), 1e3)};
}

void ClockKeeper::publish() {
  offset_ns_.store(discipline_.offset_ns(), std::memory_order_relaxed);
  bound_ns_.store(discipline_.bound_ns(), std::memory_order_relaxed);
  unfollowed_ns_.store(discipline_.unfollowed_ns(), std::memory_order_relaxed);
  synchronised_told_.store(synchronised_, std::memory_order_relaxed);
}

ClockFigure ClockKeeper::figure() const {
  return {offset_ns_.load(std::memory_order_relaxed), bound_ns_.load(std::memory_order_relaxed),
          unfollowed_ns_.load(std::memory_order_relaxed), synchronised_told_.load(std::memory_order_relaxed)};
}

void report(const std::vector<ClockNews>& news) {
  for (const ClockNews& now : news) {
    const std::string seconds = fmt::format("{:+.6f}", now.leap_s);
    const std::string unfollowed = fmt::format("{:+.6f}", now.unfollowed_s);
    const std::string offset = fmt::format("{:+.1f}", now.offset_us);
    switch (now.kind) {
      case ClockNews::Kind::leapt:
        log_error("the host's clock has leapt, and is not followed",
                  {{"seconds", seconds}, {"unfollowed_seconds", unfollowed}});
        break;
      case ClockNews::Kind::leapt_back:
        log_warning("the host's clock has leapt back, and is followed again",
                    {{"seconds", seconds}, {"offset_us", offset}});
        break;
      case ClockNews::Kind::unsynchronised:
        log_warning("nobody keeps the host's clock");
        break;
      case ClockNews::Kind::synchronised:
        log_warning("the host's clock is kept again");
        break;
      case ClockNews::Kind::beyond_bound:
        log_warning("our time is off the host's clock by more than its bound",
                    {{"offset_us", offset}, {"bound_us", ClockDiscipline::kBoundNs / 1000}});
        break;
      case ClockNews::Kind::within_bound:
        log_warning("our time is within its bound of the host's clock again", {{"offset_us", offset}});
        break;
    }
  }
}

}  // namespace crosswire
