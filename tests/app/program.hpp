// The program as a user meets it: started from a test, its exit status and what it printed. Tests only.
#pragma once

#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace crosswire::test {

/// Path of the program, from the environment variable CROSSWIRE that meson sets; "" without it.
inline std::string program() {
  const char* const path = std::getenv("CROSSWIRE");
  return path == nullptr ? "" : path;
}

struct Ran {
  int status;          // -1: ended by a signal
  std::string output;  // stdout and stderr
};

/// Runs a shell command to its end.
inline Ran shell(const std::string& command) {
  std::FILE* const pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return {-1, "popen failed"};
  std::string output;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) output += static_cast<char>(c);
  const int status = pclose(pipe);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, output};
}

}  // namespace crosswire::test
