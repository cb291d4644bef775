// What a step costs: cases that do one operation over and over, and the two meters that they are run under. A case says
// which part of its loop is the operation; setting up and feeding it is not metered.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace crosswire::bench {

/// Counts what happens between start() and stop(): nanoseconds (price_bench) or instructions (price under callgrind).
class Meter {
 public:
  virtual ~Meter() = default;
  virtual void start() = 0;
  virtual void stop() = 0;
};

/// Holds start() and stop() together.
class Metered {
 public:
  explicit Metered(Meter& meter) : meter_(meter) { meter_.start(); }
  ~Metered() { meter_.stop(); }
  Metered(const Metered&) = delete;
  Metered& operator=(const Metered&) = delete;

 private:
  Meter& meter_;
};

/// One operation with its state. run() does at least `operations` of it and returns how many it did.
class Runner {
 public:
  virtual ~Runner() = default;
  virtual std::size_t run(std::size_t operations, Meter& meter) = 0;
};

struct Case {
  std::string name;  // GROUP/OPERATION
  std::function<std::unique_ptr<Runner>()> make;
};

/// Every case, in the order of the price list. Made anew at each call.
std::vector<Case> wire_cases();
std::vector<Case> memory_cases();
std::vector<Case> tcp_cases();
std::vector<Case> engine_cases();
std::vector<Case> stage_cases();
std::vector<Case> soup_cases();
inline std::vector<Case> all_cases() {
  std::vector<Case> all;
  for (auto* part : {wire_cases, memory_cases, tcp_cases, engine_cases, stage_cases, soup_cases}) {
    for (Case& one : part()) all.push_back(std::move(one));
  }
  return all;
}

/// A case whose operation is `step()`, with nothing to be set up between two.
template <class Step>
std::unique_ptr<Runner> repeated(Step step) {
  class Repeated final : public Runner {
   public:
    explicit Repeated(Step step) : step_(std::move(step)) {}
    std::size_t run(std::size_t operations, Meter& meter) override {
      const Metered metered(meter);
      for (std::size_t i = 0; i < operations; ++i) step_();
      return operations;
    }

   private:
    Step step_;
  };
  return std::make_unique<Repeated>(std::move(step));
}

/// Keeps a value alive without storing it anywhere.
template <class T>
inline void use(const T& value) {
  asm volatile("" : : "r,m"(value) : "memory");
}

}  // namespace crosswire::bench
