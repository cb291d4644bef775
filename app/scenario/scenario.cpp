// `crosswire scenario`: see the header.
#include "app/scenario/scenario.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <functional>

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

}  // namespace

int scenario_main(const ScenarioOptions& options) {
  std::vector<std::string> files;
  try {
    files = files_of(options.paths);
  } catch (const std::exception& error) {
    fmt::print(stderr, "crosswire scenario: {}\n", error.what());
    return 1;
  }
  if (options.tap) fmt::print("1..{}\n", files.size());
  std::function<void(const std::string&)> verbose;
  if (options.verbose) {
    verbose = [&options](const std::string& line) { fmt::print("{}{}\n", options.tap ? "# " : "", line); };
  }
  std::size_t number = 0, fail = 0, expectations = 0;
  for (const std::string& file : files) {
    const ScenarioOutcome outcome = run_scenario(file, verbose);
    const bool held = outcome.fault.empty();
    fail += held ? 0 : 1;
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
    fmt::print("{} scenarios, {} expectations: {}\n", files.size(), expectations,
               fail == 0 ? "all hold" : fmt::format("{} of the scenarios do not hold", fail));
  }
  return fail == 0 ? 0 : 1;
}

}  // namespace crosswire
