// crosswire's TCP under a trace.
#include "tests/netstack/tcp/trace/adapters.hpp"

namespace crosswire::trace {

std::unique_ptr<StackUnderTest> make_crosswire(const Options& /*options*/, std::string& why) {
  why = "crosswire's TCP is not there yet";
  return nullptr;
}

}  // namespace crosswire::trace
