// The whole chain, receive to publish: a script of what clients do (script.hpp), everything sent is read back and must
// hold (chain.hpp). Some scripts are played twice, the second time with large rings: the same frames must leave.
#include <random>

#include "tests/fuzz/script.hpp"

namespace crosswire::fuzz {
namespace {

/// What a script came to.
struct Outcome {
  std::vector<MemoryTxPort::Sent> sent;
  std::uint64_t state_hash;
};

ChainMemory& chain_memory() {
  const auto bytes = [](bool plenty) { return Partition::bytes_for(config_of({.plenty = plenty})); };
  static ChainMemory memory{
      .arena = Arena(std::max(bytes(false), bytes(true)), HugepagePolicy::off), .answers = {}, .feed = {}};
  return memory;
}

Outcome play(const Script& script, bool plenty) {
  Setting setting = script.setting();
  setting.plenty = plenty;
  setting.keep = script.compare();
  Chain chain(setting, chain_memory());
  constexpr std::size_t kActsPerCheck = 16;
  for (std::size_t i = 0; i < script.acts().size(); ++i) {
    const Act& act = script.acts()[i];
    if (act.room != 0 && !plenty) chain.set_room(act.room);
    if (act.room == 0) chain.burst(act.time_ns, act.frames);
    if (i % kActsPerCheck == 0) chain.check_books();
  }
  chain.end(script.end_ns());
  return {chain.take_sent(), script.compare() ? chain.state_hash() : 0};
}

void check_same(const Outcome& one, const Outcome& other) {
  HOLDS(one.state_hash == other.state_hash);
  HOLDS(one.sent.size() == other.sent.size());
  for (std::size_t i = 0; i < one.sent.size(); ++i) {
    HOLDS(one.sent[i].origin.time_ns == other.sent[i].origin.time_ns);
    HOLDS(same_bytes(one.sent[i].bytes, other.sent[i].bytes));
  }
}

/// The records of a script, each with its raw bytes; the first one is the setting.
std::vector<Payload> records_of(wire::Bytes bytes) {
  std::vector<Payload> records;
  while (!bytes.empty()) {
    const std::size_t size = records.empty() ? std::min(kRecord, bytes.size()) : record_size(bytes);
    records.emplace_back(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    bytes = bytes.subspan(size);
  }
  return records;
}

Payload random_record(std::minstd_rand& random) {
  Payload record(kRecord);
  for (std::uint8_t& byte : record) byte = static_cast<std::uint8_t>(random() >> 8);
  // Half of them orders, and most of these what rests or executes.
  constexpr std::uint8_t kWays[] = {0, 0, 0, 0, 2, 3, 3, 8};
  if (record[7] < 128) {
    record[0] = kWays[random() % 8];
    record[1] &= 0x83;
    record[7] %= 128;
  }
  if (op_of(record[0]) == Op::raw) record[0] = 0;  // its bytes come from elsewhere
  return record;
}

/// Inserts, drops, repeats, moves or changes whole records: what bytewise mutation hardly ever does.
void mutate_records(std::vector<Payload>& records, std::minstd_rand& random) {
  const auto any = [&](std::size_t from) { return from + random() % (records.size() - from + 1); };
  const auto at = [&](std::size_t index) { return records.begin() + static_cast<std::ptrdiff_t>(index); };
  if (records.empty()) records.emplace_back(kRecord);
  const std::size_t index = any(1);
  const bool inside = index < records.size();
  switch (random() % 6) {
    case 0: {
      std::vector<Payload> fresh(1 + random() % 4);
      for (Payload& record : fresh) record = random_record(random);
      records.insert(at(index), fresh.begin(), fresh.end());
      break;
    }
    case 1:
      if (inside) records.erase(at(index), at(std::min(records.size(), index + 1 + random() % 8)));
      break;
    case 2:
      if (inside) {
        const std::vector<Payload> again(at(index), at(std::min(records.size(), index + 1 + random() % 16)));
        records.insert(at(any(1)), again.begin(), again.end());
      }
      break;
    case 3:
      if (inside) std::swap(records[index], records[1 + random() % (records.size() - 1)]);
      break;
    case 4:
      records[0][random() % std::min<std::size_t>(records[0].size(), 4)] = static_cast<std::uint8_t>(random() >> 8);
      break;
    default:
      if (inside) {
        Payload& record = records[index];
        record[random() % std::min(record.size(), kRecord)] = static_cast<std::uint8_t>(random() >> 8);
      }
  }
}

}  // namespace
}  // namespace crosswire::fuzz

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned int seed) {
  using namespace crosswire::fuzz;
  std::minstd_rand random(seed);
  if (random() % 3 == 0) return LLVMFuzzerMutate(data, size, max_size);
  std::vector<Payload> records = records_of({data, size});
  for (std::size_t n = 1 + random() % 4; n > 0; --n) mutate_records(records, random);
  size = 0;
  for (const Payload& record : records) {
    if (size + record.size() > max_size) break;
    std::copy(record.begin(), record.end(), data + size);
    size += record.size();
  }
  return size;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace crosswire::fuzz;
  const Script script({data, size});
  const Outcome outcome = play(script, false);
  if (script.compare()) check_same(outcome, play(script, true));
  return 0;
}
