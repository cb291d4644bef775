// The stacks that traces are held against. Tests only; standard library only.
#pragma once

#include <memory>
#include <string>

#include "tests/netstack/tcp/trace/stack_under_test.hpp"

namespace crosswire::trace {

/// Both halves of crosswire's TCP over memory ports, on the trace's time.
std::unique_ptr<StackUnderTest> make_crosswire(const Options& options, std::string& why);
/// The Linux kernel behind a veth pair in a network namespace of this process's own, on the machine's time.
std::unique_ptr<StackUnderTest> make_kernel(const Options& options, std::string& why);

}  // namespace crosswire::trace
