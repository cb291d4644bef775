// A reload: see the header.
#include "app/ctl/reload.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "app/ctl/groups.hpp"

namespace crosswire {
namespace {

std::uint64_t random_number() {
  std::random_device random;
  return (std::uint64_t{random()} << 32 | random()) | 1;
}

std::uint64_t digest_of_text(const SipKey& key, std::uint64_t before, const std::string& text) {
  std::uint64_t digest = siphash(key, std::array{before, std::uint64_t{text.size()}});
  for (std::size_t at = 0; at < text.size(); at += 16) {
    std::array<std::uint64_t, 3> words{digest, 0, 0};
    std::memcpy(&words[1], text.data() + at, std::min<std::size_t>(16, text.size() - at));
    digest = siphash(key, words);
  }
  return digest;
}

/// A list of thousands fits no line, and one of TOML's may take several.
std::string in_a_line(std::string value) {
  constexpr std::size_t kMost = 80;
  std::replace_if(
      value.begin(), value.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  return value.size() <= kMost ? value : value.substr(0, kMost - 3) + "...";
}

std::string count_of(std::size_t n) { return fmt::format("{} row{}", n, n == 1 ? "" : "s"); }

}  // namespace

Reload::Reload(std::vector<Partition> partitions, Authority& authority,
               std::function<void(const std::vector<Config>&)> check, std::function<void()> wake)
    : partitions_(std::move(partitions)),
      authority_(authority),
      check_(std::move(check)),
      wake_(std::move(wake)),
      digest_key_{random_number(), random_number()} {}

std::uint64_t Reload::ask(const Person& person, const CtlAsk& ask) {
  if (asks_.size() >= kMostWaiting) return 0;
  asks_.push_back(Ask{.ticket = ++last_ticket_, .person = person, .ask = ask, .asked_by = {}});
  return last_ticket_;
}

std::uint64_t Reload::approve(const Person& by, const Authority::Pending& pending) {
  if (asks_.size() >= kMostWaiting) return 0;
  asks_.push_back(Ask{.ticket = ++last_ticket_,
                      .person = by,
                      .ask = pending.ask,
                      .pending = pending.number,
                      .asked_by = pending.person});
  return last_ticket_;
}

/// Of all files with all that they name; what is secret in them is in nobody's sight: the key is this process's own.
std::uint64_t Reload::digest_of(const std::vector<Config>& configs) const {
  std::uint64_t digest = 0;
  for (const Config& config : configs) {
    for (const std::string& path : config.files) {
      std::ifstream in(path, std::ios::binary);
      digest = digest_of_text(digest_key_, digest, std::string(std::istreambuf_iterator<char>(in), {}));
    }
  }
  return digest;
}

/// And of what they change.
std::uint64_t Reload::digest_of_changes(std::uint64_t files, const std::vector<ConfigDifferences>& changes) const {
  std::uint64_t digest = files;
  for (const ConfigDifferences& of_partition : changes) {
    for (const ConfigDifference& row : of_partition.rows) {
      for (const std::string* text : {&row.key, &row.before, &row.after})
        digest = digest_of_text(digest_key_, digest, *text);
    }
  }
  return digest;
}

bool Reload::signal_waits() const {
  const auto by_signal = [](const Ask& ask) { return ask.person.name == Authority::kSignal && !ask.reading.valid(); };
  return std::any_of(asks_.begin(), asks_.end(), by_signal);
}

/// On a thread of its own: it touches nothing that changes.
Reload::Read Reload::read() const try {
  Read read;
  const auto load = [this] {
    std::vector<Config> configs;
    for (const Partition& partition : partitions_) {
      const std::string& path = partition.running.path;
      // A pipe might keep this thread for good.
      std::error_code error;
      if (!std::filesystem::is_regular_file(path, error)) throw std::runtime_error(path + ": is no regular file");
      configs.push_back(load_config(path, ConfigUse::run));
    }
    return configs;
  };
  read.digest = digest_of(load());
  read.configs = load();
  if (digest_of(read.configs) != read.digest) throw std::runtime_error("a file changes while it is read; ask again");
  check_(read.configs);
  read.groups = find_groups(read.configs);
  return read;
} catch (const std::exception& error) {
  Read read;
  read.fault = error.what();
  return read;
}

std::vector<Reload::Done> Reload::look(Clock::time_point now) {
  if (!asks_.empty()) {
    Ask& first = asks_.front();
    if (first.gives_in) {
      give_in(first);
    } else if (!first.reading.valid()) {
      first.reading = std::async(std::launch::async, [this] {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, nullptr);
        Read read = this->read();
        wake_();
        return read;
      });
    } else if (first.reading.wait_for(std::chrono::seconds(0)) == std::future_status::ready) {
      judge(first, first.reading.get(), now);
    }
  }
  return std::exchange(done_, {});
}

void Reload::judge(Ask& ask, Read read, Clock::time_point now) {
  if (!read.fault.empty()) return fail(ask, read.fault);
  std::size_t rows = 0;
  const ConfigDifference* not_now = nullptr;
  std::string why_two;
  for (std::size_t i = 0; i < partitions_.size(); ++i) {
    ask.differences.push_back(differences(partitions_[i].running, read.configs[i]));
    for (const ConfigDifference& row : ask.differences[i].rows) {
      rows += row.may;
      if (!row.may && not_now == nullptr) not_now = &row;
      if (row.loosens && why_two.empty()) why_two = fmt::format("{} loosens", row.key);
    }
  }
  if (not_now != nullptr && !ask.ask.only_what_may) {
    return fail(ask, fmt::format("{}: {} may not change within a day; it takes effect at the next start",
                                 not_now->where, not_now->key));
  }
  // Who approves has been told of these changes of what ran then.
  const std::uint64_t digest = digest_of_changes(read.digest, ask.differences);
  if (ask.pending != 0 && ask.ask.digest != digest) {
    return fail(ask,
                fmt::format("command {}: its files, or what runs, have changed since; ask for it anew", ask.pending));
  }
  CtlReload told;
  told.state = CtlReloadState::checked;
  if (rows == 0 && not_now == nullptr) told.state = CtlReloadState::same;
  if (rows == 0 || ask.ask.dry_run) return answer(ask, told);
  // Nobody knows who has sent a signal: he might approve it as himself.
  if (ask.person.name == Authority::kSignal && authority_.has_roles() && !why_two.empty())
    return fail(ask, fmt::format("{}, which needs a second person: ask for it by crosswire ctl reload", why_two));
  ask.ask.digest = digest;
  ask.ask.what = fmt::format("reload, {} ({:016x})", count_of(rows), digest);
  ask.ask.why_two = why_two;
  read_configs_ = std::move(read.configs);
  read_groups_ = std::move(read.groups);
  if (may(ask, now)) give_in(ask);
}

/// By the authority's word, and while the day goes on. False: it is answered.
bool Reload::may(Ask& ask, Clock::time_point now) {
  const bool open =
      std::all_of(partitions_.begin(), partitions_.end(), [](const auto& one) { return one.desk.is_open(); });
  if (!open) {
    fail(ask, "the day is over");
    return false;
  }
  if (ask.pending != 0) {
    std::string error;
    const Authority::Pending* const pending = authority_.to_approve(ask.person, ask.pending, now, error);
    if (pending == nullptr) {
      fail(ask, error, true);
      return false;
    }
    ask.by = {ask.asked_by.name, ask.person.name, pending->role};
    authority_.approved(ask.pending, ask.person);
  } else {
    const Authority::Decision decision = authority_.decide(ask.person, ask.ask, std::nullopt, now);
    if (decision.verdict == Authority::Verdict::refuse) {
      fail(ask, decision.why, true);
      return false;
    }
    if (decision.verdict == Authority::Verdict::wait) {
      CtlReload told;
      told.state = CtlReloadState::pending;
      told.pending = decision.number;
      told.seconds = static_cast<std::uint64_t>(decision.valid.count());
      told.why = decision.why;
      answer(ask, told);
      return false;
    }
    ask.by = {ask.person.name, "", decision.role};
  }
  ask.gives_in = true;
  not_taken_.clear();
  bool operators = false;
  for (std::size_t i = 0; i < partitions_.size(); ++i) {
    take_changes(ask.differences[i], read_configs_[i], partitions_[i].running);
    partitions_[i].keep(partitions_[i].running);
    operators |= ask.differences[i].operators;
  }
  if (operators && read_groups_) {
    authority_.change_groups(*read_groups_);
    new_groups_ = read_groups_;
  }
  return true;
}

/// As many rows as the desks have places for. What a day that ends meanwhile leaves over holds from the next one on.
void Reload::give_in(Ask& ask) {
  for (; ask.at_partition < partitions_.size(); ++ask.at_partition, ask.at_change = 0) {
    OperatorDesk& desk = partitions_[ask.at_partition].desk;
    const std::vector<ConfigChange>& changes = ask.differences[ask.at_partition].changes;
    for (; ask.at_change < changes.size() && desk.is_open(); ++ask.at_change) {
      if (!desk.may_take()) return;
      desk.submit(changes[ask.at_change], random_number(), ask.ask.reason, ask.by);
      ++under_way_;
    }
  }
  const bool closed =
      std::any_of(partitions_.begin(), partitions_.end(), [](const auto& one) { return !one.desk.is_open(); });
  if (under_way_ > 0 && !closed) return;
  under_way_ = 0;
  CtlReload told;
  told.state = CtlReloadState::done;
  told.error = not_taken_;
  answer(ask, told);
}

void Reload::carried_out(const OperatorDesk::Done& row) {
  if (under_way_ > 0) --under_way_;
  if (row.answer.result != OperatorResult::done && not_taken_.empty()) {
    not_taken_ = fmt::format("{}: {}, and holds from the next day on; the other rows have changed", row.ask.what,
                             result_words(row.answer.result));
  }
}

void Reload::fail(const Ask& ask, const std::string& why, bool refused) {
  CtlReload told;
  told.error = why;
  answer(ask, told, refused);
}

std::vector<CtlReloadRow> Reload::rows_of(const Ask& ask) const {
  std::vector<CtlReloadRow> rows;
  for (std::size_t i = 0; i < ask.differences.size(); ++i) {
    for (const ConfigDifference& row : ask.differences[i].rows)
      rows.push_back(
          {partitions_[i].desk.name(), row.key, in_a_line(row.before), in_a_line(row.after), row.may, row.loosens});
  }
  return rows;
}

/// Of the first; the next one's turn comes with the next look.
void Reload::answer(const Ask& ask, CtlReload answer, bool refused) {
  answer.request = ask.ask.request;
  answer.rows = rows_of(ask);
  if (answer.rows.size() > kMostTold) {
    answer.left_out = answer.rows.size() - kMostTold;
    answer.rows.resize(kMostTold);
  }
  OperatorSignature by = ask.by;
  if (by.name.empty()) by.name = ask.person.name;
  done_.push_back({ask.ticket, ask.ask, std::move(by), std::move(answer), refused});
  asks_.pop_front();
}

}  // namespace crosswire
