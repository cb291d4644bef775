// Every trace in tests/netstack/tcp/traces is a test of crosswire's TCP, on virtual time.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "tests/netstack/tcp/trace/adapters.hpp"
#include "tests/netstack/tcp/trace/files.hpp"
#include "tests/netstack/tcp/trace/runner.hpp"

namespace crosswire::trace {
namespace {

class Trace : public testing::TestWithParam<std::string> {};

TEST_P(Trace, ComesTrue) {
  Script script;
  try {
    script = read_script(GetParam());
  } catch (const TraceError& error) {
    FAIL() << error.what();
  }
  std::string skipped;
  for (const Case& walk : script.cases) {
    const Outcome outcome = run_case(walk, make_crosswire);
    EXPECT_EQ(outcome.failure, "") << walk.name;
    if (std::getenv("CROSSWIRE_TRACE_STORY") != nullptr) std::cout << walk.name << "\n" << outcome.story;
    skipped = outcome.skipped;
  }
  if (!skipped.empty()) GTEST_SKIP() << skipped;
}

INSTANTIATE_TEST_SUITE_P(Files, Trace, testing::ValuesIn(trace_files()),
                         [](const auto& of) { return test_name_of(of.param); });

}  // namespace
}  // namespace crosswire::trace
