// Live figures: see the header. On control threads.
#include "app/figures/live_figures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <utility>

namespace crosswire {
namespace {

std::vector<LatencyHistogram> latencies_of(const Partition& partition) {
  std::vector<LatencyHistogram> latencies;
  each_latency(partition, [&](std::string_view name, const Histogram& times) { latencies.push_back({name, times}); });
  return latencies;
}

std::vector<PlacedStageFigure> stages_of(const FigureSource& source) {
  std::vector<PlacedStageFigure> stages;
  for (const StageFigure& figure : crosswire::stages_of(source.partition.chain())) {
    stages.push_back({figure, source.cores[stages.size()]});
  }
  return stages;
}

/// Of each stage that reads a ring.
std::vector<RingFigure> rings_of(const Chain& chain) {
  std::vector<RingFigure> rings;
  for (const StageRow& row : kStageTable) {
    if (row.reads == StageInput::device) continue;
    const std::uint64_t waiting = chain.waiting(row.stage);
    rings.push_back({name_of(row.reads), row.name, waiting, std::max(chain.most_waiting(row.stage), waiting),
                     chain.capacity(row.stage)});
  }
  return rings;
}

std::uint64_t ms_since(std::chrono::steady_clock::time_point begun) {
  const auto span = std::chrono::steady_clock::now() - begun;
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(span).count());
}

/// Without the spaces behind it.
template <std::size_t N>
std::string text_of(const std::array<char, N>& name) {
  return std::string(name.begin(), std::find(name.begin(), name.end(), ' '));
}
std::string symbol_text(const SymbolConfig& symbol) { return text_of(symbol.name); }

}  // namespace

std::vector<TableFigure> tables_of(const Partition& partition) {
  const EngineConfig& config = partition.config().engine;
  const MatchGauges& gauges = partition.match().gauges();
  return {{"live_orders", gauges.live_orders.get(), config.max_orders},
          {"price_levels", gauges.levels.get(), config.max_levels},
          {"price_nodes", gauges.nodes.get(), partition.engine().pools().nodes.capacity(), Ladder::kMaxDepth - 1}};
}

std::vector<std::pair<Phase, std::uint64_t>> phases_of(const Partition& partition) {
  std::vector<std::pair<Phase, std::uint64_t>> phases;
  for (std::size_t i = 0; i < kPhaseNames.size(); ++i) {
    const Phase phase = static_cast<Phase>(i);
    if (const std::uint64_t n = partition.engine().symbols_in(phase); n > 0) phases.emplace_back(phase, n);
  }
  return phases;
}

std::string phases_text(const std::vector<std::pair<Phase, std::uint64_t>>& phases) {
  std::string text;
  for (const auto& [phase, n] : phases) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", phase_name(phase), n);
  }
  return text;
}

std::uint64_t PartitionFigures::counter(std::string_view stage, std::string_view label) const {
  const auto found = std::find_if(counters.begin(), counters.end(),
                                  [&](const CounterFigure& c) { return c.stage == stage && c.label == label; });
  return found == counters.end() ? 0 : found->value.value_or(0);
}

LiveFigures::LiveFigures(std::chrono::milliseconds patience)
    : begun_(std::chrono::steady_clock::now()), patience_(patience) {}

const std::string& LiveFigures::add(FigureSource source) {
  std::vector<std::string> used;
  for (const FigureSource& known : sources_) used.push_back(known.name);
  source.name = name_beside(source.name, used);
  days_begun_.push_back(Clock::now());
  return sources_.emplace_back(std::move(source)).name;
}

void LiveFigures::begin_day(const std::string& name) {
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    if (sources_[i].name == name) days_begun_[i] = Clock::now();
  }
}

PartitionFigures LiveFigures::partition(std::size_t number) const {
  const std::shared_lock lock(looking_);
  const FigureSource& source = sources_[number];
  const Partition& partition = source.partition;
  PartitionFigures now;
  now.name = source.name;
  now.order_session = partition.config().net.order_session;
  now.feed_session = partition.config().net.feed_session;
  now.counters = counters_of(partition, source.port ? source.port() : std::vector<CounterFigure>());
  now.latencies = latencies_of(partition);
  now.stages = stages_of(source);
  now.rings = rings_of(partition.chain());
  now.memory = partition.memory();
  now.day_ms = ms_since(days_begun_[number]);
  now.link_up = source.link_up();
  now.recording = source.recording();
  now.recorder = source.recorder();
  now.tables = tables_of(partition);
  now.sessions_open = partition.receive().sessions_open();
  now.accounts = partition.config().net.accounts.size();
  now.phases = phases_of(partition);
  now.symbols = partition.config().engine.symbols.size();
  now.day = source.day();
  return now;
}

std::vector<SessionFigure> LiveFigures::sessions(std::size_t number, std::size_t first) const {
  const std::shared_lock lock(looking_);
  Partition& partition = sources_[number].partition;
  std::vector<ReceiveSessionState> receive;
  std::vector<TransmitSessionState> transmit;
  Stages& stages = partition.stages();
  if (!stages.receive.session_mailbox().ask(first, receive, patience_)) return {};
  if (!stages.transmit.session_mailbox().ask(first, transmit, patience_)) return {};
  std::vector<SessionFigure> sessions;
  for (std::size_t i = 0; i < std::min(receive.size(), transmit.size()); ++i) {
    const ReceiveSessionState& session = receive[i];
    std::string source;
    if (session.open) source = fmt::format("{}:{}", format_address(session.address), session.port);
    if (session.open && session.vlan != 0) source += fmt::format("/{}", session.vlan);
    if (session.open && session.transport == Transport::tcp) source += " tcp";
    sessions.push_back({partition.config().net.accounts[first + i].user, session.open, std::move(source),
                        session.open ? session.silent_ns / 1'000'000 : 0, session.next_in, transmit[i].next_out,
                        transmit[i].next_out - transmit[i].oldest});
  }
  return sessions;
}

std::vector<BookFigure> LiveFigures::books(std::size_t number, std::size_t first) const {
  const std::shared_lock lock(looking_);
  Partition& partition = sources_[number].partition;
  std::vector<BookTop> tops;
  if (!partition.stages().match.top_mailbox().ask(first, tops, patience_)) return {};
  std::vector<BookFigure> books;
  for (std::size_t i = 0; i < tops.size(); ++i) {
    books.push_back({symbol_text(partition.config().engine.symbols[first + i]), tops[i]});
  }
  return books;
}

std::vector<AccountFigure> LiveFigures::accounts(std::size_t number, std::size_t first) const {
  const std::shared_lock lock(looking_);
  Partition& partition = sources_[number].partition;
  std::vector<AccountState> states;
  if (!partition.stages().match.account_mailbox().ask(first, states, patience_)) return {};
  std::vector<AccountFigure> accounts;
  for (std::size_t i = 0; i < states.size(); ++i) {
    const AccountConfig& account = partition.config().net.accounts[first + i];
    accounts.push_back({account.user, text_of(account.firm), states[i]});
  }
  return accounts;
}

/// What a reload has changed since the day began.
static void take_changed(const Engine& engine, SessionId session, RiskConfig& risk) {
  const LimitsNow& now = engine.risk().limits(session);
  for (const RiskRow& row : kRiskRows) {
    const bool of_firm = row.scope == RiskScope::firm;
    std::int64_t& limit = risk.limits[static_cast<std::size_t>(row.limit)];
    if (!of_firm || limit != RiskConfig::kNoLimit)
      limit = of_firm ? engine.risk().firm_limit(engine.firm_of(session)) : now.limit(row.limit);
  }
  risk.forbidden = static_cast<OrderTypes>(now.forbidden.get());
}

std::vector<LimitsFigure> LiveFigures::limits(std::size_t number, std::size_t first) const {
  const std::shared_lock lock(looking_);
  const auto& config = sources_[number].partition.config();
  const Engine& engine = sources_[number].partition.engine();
  const std::vector<AccountConfig>& accounts = config.net.accounts;
  std::vector<LimitsFigure> limits;
  for (std::size_t i = first; i < accounts.size() && limits.size() < kMostLimits; ++i) {
    // Nobody's are kept where nobody has any.
    RiskConfig risk = i < config.engine.risk.size() ? config.engine.risk[i] : RiskConfig{};
    if (i < config.engine.risk.size()) take_changed(engine, SessionId{static_cast<std::uint16_t>(i)}, risk);
    limits.push_back({accounts[i].user, text_of(accounts[i].firm), risk});
  }
  return limits;
}

std::size_t LiveFigures::account_count(std::size_t number) const {
  const std::shared_lock lock(looking_);
  return sources_[number].partition.config().net.accounts.size();
}

std::optional<PositionFigures> LiveFigures::positions(std::size_t number, std::size_t account,
                                                      std::size_t first) const {
  const std::shared_lock lock(looking_);
  Partition& partition = sources_[number].partition;
  const std::vector<SymbolConfig>& symbols = partition.config().engine.symbols;
  const SessionId session{static_cast<std::uint16_t>(account)};
  PositionFigures figures;
  // An answer may have fewer than there is room for, or none that is kept.
  while (first < symbols.size() && figures.positions.size() < PositionMailbox::kMostItems) {
    std::vector<PositionState> states;
    const std::uint64_t question = position_question(session, static_cast<std::uint16_t>(first));
    if (!partition.stages().match.position_mailbox().ask(question, states, patience_)) return std::nullopt;
    if (states.empty()) return figures;
    for (const PositionState& state : states) {
      if (figures.positions.size() == PositionMailbox::kMostItems) break;
      first = state.symbol.value;
      if (state.kept) figures.positions.push_back({symbol_text(symbols[first - 1]), state.position, state.messages});
    }
  }
  if (first < symbols.size()) figures.next = first;
  return figures;
}

std::optional<std::size_t> LiveFigures::account(std::size_t number, std::string_view user) const {
  const std::shared_lock lock(looking_);
  const std::vector<AccountConfig>& accounts = sources_[number].partition.config().net.accounts;
  const auto found = std::find_if(accounts.begin(), accounts.end(),
                                  [&](const AccountConfig& account) { return account.user == user; });
  if (found == accounts.end()) return std::nullopt;
  return static_cast<std::size_t>(found - accounts.begin());
}

std::optional<std::size_t> LiveFigures::symbol(std::size_t number, std::string_view name) const {
  const std::shared_lock lock(looking_);
  const std::vector<SymbolConfig>& symbols = sources_[number].partition.config().engine.symbols;
  const auto found = std::find_if(symbols.begin(), symbols.end(),
                                  [&](const SymbolConfig& symbol) { return symbol_text(symbol) == name; });
  if (found == symbols.end()) return std::nullopt;
  return static_cast<std::size_t>(found - symbols.begin());
}

std::uint64_t LiveFigures::uptime_ms() const { return ms_since(begun_); }

std::string partition_name(const std::string& config_path) {
  constexpr std::size_t kMost = 48;  // with a number behind it, less than what DPDK's telemetry and `top` cut off
  std::string name = std::filesystem::path(config_path).stem().string().substr(0, kMost);
  for (char& letter : name) {
    const bool plain =
        std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '_' || letter == '-' || letter == '.';
    if (!plain) letter = '_';
  }
  return name;
}

std::string name_beside(const std::string& name, const std::vector<std::string>& used) {
  std::string other = name;
  for (int number = 2; std::find(used.begin(), used.end(), other) != used.end(); ++number) {
    other = fmt::format("{}_{}", name, number);
  }
  return other;
}

}  // namespace crosswire
