// Why a `crosswire flow` cannot go on. Tools and set-up only; no stage throws.
#pragma once

#include <stdexcept>

namespace crosswire {

/// what() is the one line for the user: where (file and line), what, how to mend.
class FlowError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace crosswire
