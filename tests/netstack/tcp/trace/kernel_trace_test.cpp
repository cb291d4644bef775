// The traces that the Linux kernel can be walked through: where it does otherwise is listed, not asserted. Its answers
// are other people's choices; a trace that it contradicts deserves a second look.
#include <gtest/gtest.h>

#include <iostream>

#include "tests/netstack/tcp/trace/adapters.hpp"
#include "tests/netstack/tcp/trace/files.hpp"
#include "tests/netstack/tcp/trace/runner.hpp"

namespace crosswire::trace {
namespace {

constexpr std::int64_t kLongestNs = 1'000'000'000;

/// "" or why this walk is not for the kernel.
std::string unfit(const Case& walk) {
  std::int64_t waits_ns = 0;
  for (const Statement& statement : walk.statements) {
    if (statement.verb == Verb::expect) waits_ns += statement.when.to_ns;
    if (statement.verb == Verb::advance || statement.verb == Verb::skip) waits_ns += statement.number;
    if (statement.verb == Verb::abort || statement.verb == Verb::arp) return "it asks what the kernel has not";
  }
  return waits_ns < kLongestNs ? "" : "it waits for a second or longer";
}

class KernelTrace : public testing::TestWithParam<std::string> {};

TEST_P(KernelTrace, IsWalkedAndDifferencesAreListed) {
  const Script script = read_script(GetParam());
  if (!script.not_kernel.empty()) GTEST_SKIP() << script.not_kernel;
  std::string skipped = "no case of it is for the kernel";
  for (const Case& walk : script.cases) {
    if (const std::string why = unfit(walk); !why.empty()) continue;
    const Outcome outcome = run_case(walk, make_kernel);
    skipped = outcome.skipped;
    if (!skipped.empty()) break;
    const std::string name = script.name + (walk.name.empty() ? "" : ", " + walk.name);
    if (outcome.failure.empty())
      std::cout << "the kernel agrees: " << name << "\n";
    else
      std::cout << "the kernel differs: " << name << "\n" << outcome.failure;
  }
  if (!skipped.empty()) GTEST_SKIP() << skipped;
}

INSTANTIATE_TEST_SUITE_P(Files, KernelTrace, testing::ValuesIn(trace_files()),
                         [](const auto& of) { return test_name_of(of.param); });

}  // namespace
}  // namespace crosswire::trace
