// Which traces there are. Tests only.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace crosswire::trace {

/// Paths of all traces, in the order of their names.
inline std::vector<std::string> trace_files() {
  std::vector<std::string> paths;
  const std::string folder = std::string(CROSSWIRE_SOURCE_ROOT) + "/tests/netstack/tcp/traces";
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".trace") paths.push_back(entry.path().string());
  std::sort(paths.begin(), paths.end());
  return paths;
}

/// The file's name in letters that a test's name may have.
inline std::string test_name_of(const std::string& path) {
  std::string name = std::filesystem::path(path).stem().string();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

}  // namespace crosswire::trace
