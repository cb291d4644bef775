// `crosswire scenario`: see the header.
#include "app/scenario/scenario.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "app/flow/error.hpp"
#include "app/scenario/script.hpp"

namespace crosswire {
namespace {

/// Those of a folder by their names.
std::vector<std::string> files_of(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    std::error_code error;
    if (!std::filesystem::is_directory(path, error)) {
      files.push_back(path);
      continue;
    }
    const std::size_t before = files.size();
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
      if (entry.path().extension() == ".scenario") files.push_back(entry.path().string());
    }
    if (files.size() == before) throw std::runtime_error(path + ": has no *.scenario; give a file, or another folder");
    std::sort(files.begin() + static_cast<std::ptrdiff_t>(before), files.end());
  }
  return files;
}

void print_commented(const std::string& text) {
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    fmt::print("# {}\n", rest.substr(0, end));
    rest = end == std::string_view::npos ? "" : rest.substr(end + 1);
  }
}

/// Prints lines; of one that comes again and again only how often.
class Told {
 public:
  explicit Told(std::string_view before) : before_(before) {}
  void print(const std::string& line) {
    if (line == last_) {
      ++repeats_;
      return;
    }
    flush();
    fmt::print("{}{}\n", before_, line);
    last_ = line;
  }
  void flush() {
    if (repeats_ > 0) fmt::print("{}    .. the same {} times more\n", before_, repeats_);
    repeats_ = 0;
    last_.clear();
  }

 private:
  std::string_view before_;
  std::string last_;
  std::size_t repeats_ = 0;
};

int exit_status(std::size_t differ, std::size_t broken) { return broken > 0 ? 2 : differ > 0 ? 1 : 0; }

}  // namespace

int scenario_main(const ScenarioOptions& options) {
  std::vector<std::string> files;
  try {
    files = files_of(options.paths);
  } catch (const std::exception& error) {
    fmt::print(stderr, "crosswire scenario: {}\n", error.what());
    return 2;
  }
  if (options.tap) fmt::print("1..{}\n", files.size());
  Told told(options.tap ? "# " : "");
  std::function<void(const std::string&)> verbose;
  if (options.verbose) verbose = [&told](const std::string& line) { told.print(line); };
  std::size_t number = 0, differ = 0, broken = 0, expectations = 0;
  for (const std::string& file : files) {
    const ScenarioOutcome outcome = run_scenario(file, verbose);
    told.flush();
    const bool held = outcome.fault.empty();
    differ += outcome.differs;
    broken += !held && !outcome.differs;
    expectations += outcome.expectations;
    ++number;
    if (options.tap) {
      fmt::print("{} {} - {}\n", held ? "ok" : "not ok", number, std::filesystem::path(file).stem().string());
      print_commented(outcome.fault);
    } else if (!held) {
      std::fflush(stdout);
      fmt::print(stderr, "{}\n", outcome.fault);
    }
  }
  if (!options.tap) {
    const std::size_t fail = differ + broken;
    fmt::print("{}, {}: {}\n", counted(files.size(), "scenario"), counted(expectations, "expectation"),
               fail == 0   ? "all hold"
               : fail == 1 ? "1 does not hold"
                           : fmt::format("{} do not hold", fail));
  }
  return exit_status(differ, broken);
}

}  // namespace crosswire
