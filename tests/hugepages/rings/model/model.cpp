// The model of atomics: see the header.
#include "tests/hugepages/rings/model/model.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace crosswire::test {
namespace {

Model* exploring = nullptr;

bool releases(std::memory_order order) { return order == std::memory_order_release; }
bool acquires(std::memory_order order) { return order == std::memory_order_acquire; }

}  // namespace

void Model::View::join(const View& other) {
  for (std::size_t i = 0; i < oldest.size(); ++i) oldest[i] = std::max(oldest[i], other.oldest[i]);
  for (std::size_t i = 0; i < happened.size(); ++i) happened[i] = std::max(happened[i], other.happened[i]);
}

Model& Model::current() {
  if (exploring == nullptr) std::abort();  // a model atomic outside of explore()
  return *exploring;
}

Model::Outcome Model::explore(const Setup& setup, Mutant mutant, std::uint64_t most) {
  const std::unique_ptr<Model> model(new Model(mutant));
  exploring = model.get();
  Outcome outcome;
  do {
    model->execute(setup);
    ++outcome.executions;
    if (outcome.executions == most) model->fail("is too large to be explored");
  } while (model->fault_.empty() && model->next_path());
  outcome.fault = model->fault_;
  exploring = nullptr;
  return outcome;
}

void Model::execute(const Setup& setup) {
  atomics_.clear();
  plain_.clear();
  views_ = {};
  chosen_ = 0;
  running_ = kSetup;
  std::vector<Body> bodies = setup(*this);
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    Thread& thread = threads_[i];
    thread.body = std::move(bodies[i]);
    thread.ended = false;
    views_[i] = views_[kSetup];
    getcontext(&thread.context);
    thread.context.uc_stack.ss_sp = thread.stack.data();
    thread.context.uc_stack.ss_size = thread.stack.size();
    thread.context.uc_link = &scheduler_;
    makecontext(&thread.context, &Model::enter, 0);
  }
  for (;;) {
    std::array<std::size_t, kThreads> ready{};
    std::size_t count = 0;
    for (std::size_t i = 0; i < bodies.size(); ++i) {
      if (!threads_[i].ended) ready[count++] = i;
    }
    if (count == 0) break;
    running_ = ready[choose(count)];
    swapcontext(&scheduler_, &threads_[running_].context);
  }
  running_ = kSetup;
}

void Model::enter() {
  Model& model = current();
  Thread& thread = model.threads_[model.running_];
  thread.body();
  thread.ended = true;
}

/// The next path in depth-first order; false: there is none.
bool Model::next_path() {
  while (!path_.empty() && path_.back().taken + 1 == path_.back().of) path_.pop_back();
  if (path_.empty()) return false;
  ++path_.back().taken;
  return true;
}

std::size_t Model::choose(std::size_t of) {
  if (of == 1) return 0;
  if (chosen_ == path_.size()) path_.push_back({0, of});
  return path_[chosen_++].taken;
}

/// Another thread may come before the access that follows.
void Model::step() {
  if (running_ == kSetup) return;
  swapcontext(&threads_[running_].context, &scheduler_);
}

void Model::fail(const std::string& what) {
  if (fault_.empty()) fault_ = what;
}

Model::Atomic& Model::atomic(const void* where, std::uint64_t initial) {
  const auto [found, is_new] = atomics_.try_emplace(where, Atomic{atomics_.size(), {}});
  if (is_new) found->second.stores.push_back({initial, {}});
  if (found->second.number >= kMostAtomics) std::abort();
  return found->second;
}

std::uint64_t Model::load(const void* where, std::uint64_t initial, std::memory_order order) {
  step();
  Atomic& from = atomic(where, initial);
  View& view = views_[running_];
  std::uint16_t& oldest = view.oldest[from.number];
  const std::size_t newest = from.stores.size() - 1;
  const std::size_t chosen = newest - choose(newest - oldest + 1);
  oldest = static_cast<std::uint16_t>(chosen);
  ++view.happened[running_];
  if (acquires(order) && !weak(Weak::acquires)) view.join(from.stores[chosen].carried);
  return from.stores[chosen].value;
}

void Model::store(const void* where, std::uint64_t initial, std::uint64_t value, std::memory_order order) {
  step();
  Atomic& to = atomic(where, initial);
  View& view = views_[running_];
  view.oldest[to.number] = static_cast<std::uint16_t>(to.stores.size());
  ++view.happened[running_];
  to.stores.push_back({value, releases(order) && !weak(Weak::releases) ? view : View{}});
}

void Model::reads(const void* where) {
  Plain& plain = plain_[where];
  View& view = views_[running_];
  if (plain.written > view.happened[plain.writer]) fail("a plain read races with a write");
  plain.read[running_] = ++view.happened[running_];
}

void Model::writes(const void* where) {
  Plain& plain = plain_[where];
  View& view = views_[running_];
  if (plain.written > view.happened[plain.writer]) fail("a plain write races with a write");
  for (std::size_t i = 0; i < plain.read.size(); ++i) {
    if (plain.read[i] > view.happened[i]) fail("a plain write races with a read");
  }
  plain.writer = running_;
  plain.written = ++view.happened[running_];
}

}  // namespace crosswire::test
