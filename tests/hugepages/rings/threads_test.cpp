// Rings and slots with real threads: every value in order, whole, and without a data race. Built twice: as part of the
// ordinary tests, and alone under ThreadSanitizer. Threads yield when they have nothing to do, so two cores suffice.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <random>
#include <thread>
#include <vector>

#include "hugepages/base/histogram.hpp"
#include "hugepages/host/pinning.hpp"
#include "hugepages/memory/order_pool.hpp"
#include "hugepages/rings/broadcast_ring.hpp"
#include "hugepages/rings/mailbox.hpp"
#include "hugepages/rings/seqlock.hpp"
#include "hugepages/rings/spsc_ring.hpp"

namespace crosswire::threads_test {
namespace {

#ifdef __SANITIZE_THREAD__
constexpr std::uint64_t kScale = 1;
#else
constexpr std::uint64_t kScale = 10;
#endif

/// One cache line whose every word follows from the number, so that a torn item shows.
struct alignas(64) Item {
  std::array<std::uint64_t, 8> words;

  void fill(std::uint64_t number) {
    for (std::size_t w = 0; w < words.size(); ++w) words[w] = (number + w) * 0x9E3779B97F4A7C15u;
  }
  bool is(std::uint64_t number) const {
    Item expected;
    expected.fill(number);
    return words == expected.words;
  }
};
using Ring = BroadcastRing<Item>;
using Read = Ring::LappableReader::Read;

Arena arena_for(std::uint64_t bytes) { return Arena(bytes, HugepagePolicy::off); }

/// Publishes `items` in bursts of random size, sometimes holding the newest back.
void produce(Ring& ring, std::uint64_t items, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Ring::Producer& producer = ring.producer();
  for (std::uint64_t number = 0; number < items;) {
    if (!producer.has_room()) {
      producer.publish();  // what was held back
      std::this_thread::yield();
      continue;
    }
    for (std::uint64_t left = 1 + random() % 32; left > 0 && number < items && producer.has_room(); --left) {
      producer.claim().fill(number++);
    }
    if (random() % 2 == 0) {
      producer.publish();
    } else {
      producer.publish_all_but_last();
    }
  }
  producer.publish();
}

/// Reads all `items`, releasing random numbers at a time; returns how many were not as they should be.
std::uint64_t consume(Ring::GatingReader& reader, std::uint64_t items, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::uint64_t wrong = 0;
  for (std::uint64_t number = 0; number < items;) {
    const std::uint64_t available = reader.available();
    if (available == 0) {
      std::this_thread::yield();
      continue;
    }
    const std::uint64_t n = 1 + random() % available;
    for (std::uint64_t i = 0; i < n; ++i) wrong += reader.peek(i).is(number++) ? 0 : 1;
    reader.release(n);
  }
  return wrong;
}

/// Until it has seen all `items`, read or lost; returns how many of those read were not as they should be.
std::uint64_t follow(Ring::LappableReader& reader, std::uint64_t items) {
  std::uint64_t wrong = 0;
  while (reader.position() < items) {
    const std::uint64_t number = reader.position();
    Item item;
    const Read result = reader.read(item);
    if (result == Read::item && !item.is(number)) ++wrong;
    if (result == Read::nothing) std::this_thread::yield();
  }
  return wrong;
}

void run_with_all_kinds_of_readers(std::uint64_t capacity, std::uint64_t items) {
  Arena arena = arena_for(Ring::bytes_for(capacity, true));
  Ring ring(arena, capacity);
  std::array gating = {&ring.add_gating("one"), &ring.add_gating("two")};
  Ring::LappableReader& lappable = ring.add_lappable("shadow");
  std::array<std::uint64_t, 3> wrong{};
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < gating.size(); ++i) {
    threads.emplace_back([&, i] { wrong[i] = consume(*gating[i], items, i); });
  }
  threads.emplace_back([&] { wrong[2] = follow(lappable, items); });
  produce(ring, items, 7);
  for (std::thread& thread : threads) thread.join();
  for (const std::uint64_t count : wrong) EXPECT_EQ(count, 0u);
  for (const auto* reader : gating) EXPECT_EQ(reader->position(), items);
  EXPECT_EQ(ring.published(), items);
  EXPECT_EQ(ring.slowest_gating_position(), items);
}

TEST(BroadcastRingThreads, EveryReaderSeesEveryItemWholeAndInOrder) {
  run_with_all_kinds_of_readers(1024, 200'000 * kScale);
}

TEST(BroadcastRingThreads, WorksAtTheSmallestCapacity) { run_with_all_kinds_of_readers(2, 5'000 * kScale); }

/// Keeps two threads that yield to each other from taking turns on one core, where they would never meet in a slot.
void run_on_own_core(std::size_t which) {
  const std::vector<unsigned>& cores = allowed_cores();
  EXPECT_EQ(pin_this_thread(cores[which % cores.size()]), "");
}

/// Reads a ring that nothing holds back until it has had enough of both, items and laps. How many of each a loaded
/// machine's scheduler allows is not ours to say: after two seconds one of each is enough.
struct LappedReading {
  static constexpr std::uint64_t kItems = 20'000 * kScale;
  static constexpr std::uint64_t kLaps = 200;

  std::uint64_t items = 0;
  std::uint64_t laps = 0;
  std::uint64_t wrong = 0;

  void run(Ring::LappableReader& reader) {
    using std::chrono::steady_clock;
    const auto start = steady_clock::now();
    const auto enough = start + std::chrono::seconds(2);
    const auto too_long = start + std::chrono::seconds(60);
    for (auto now = start; now < too_long; now = steady_clock::now()) {
      if (items >= kItems && laps >= kLaps) return;
      if (items > 0 && laps > 0 && now >= enough) return;
      for (int i = 0; i < 100; ++i) step(reader);
    }
  }

  void step(Ring::LappableReader& reader) {
    const std::uint64_t number = reader.position();
    Item item;
    const Read result = reader.read(item);
    if (result == Read::nothing) return std::this_thread::yield();
    if (result == Read::lapped) {
      ++laps;
    } else {
      ++items;
      wrong += item.is(number) ? 0 : 1;
    }
  }
};

TEST(BroadcastRingThreads, ALappedReaderNeverGetsATornItem) {
  constexpr std::uint64_t kCapacity = 4;
  Arena arena = arena_for(Ring::bytes_for(kCapacity, true));
  Ring ring(arena, kCapacity);
  Ring::LappableReader& reader = ring.add_lappable("shadow");
  LappedReading reading;
  std::atomic<bool> done{false};
  std::thread follower([&] {
    run_on_own_core(0);
    reading.run(reader);
    done.store(true, std::memory_order_relaxed);
  });
  std::thread producer([&] {
    run_on_own_core(1);
    std::mt19937_64 random(11);
    for (std::uint64_t number = 0; !done.load(std::memory_order_relaxed);) {
      for (std::uint64_t burst = 1 + random() % kCapacity; burst > 0; --burst) ring.producer().claim().fill(number++);
      ring.producer().publish();
      if (random() % 4 == 0) std::this_thread::yield();
    }
  });
  follower.join();
  producer.join();
  std::printf("%llu items, %llu laps\n", static_cast<unsigned long long>(reading.items),
              static_cast<unsigned long long>(reading.laps));
  EXPECT_EQ(reading.wrong, 0u);
  EXPECT_GT(reading.items, 0u);
  EXPECT_GT(reading.laps, 0u);
  EXPECT_EQ(reading.items + reader.lost(), reader.position());
}

TEST(SpscRingThreads, CarriesEveryItemInOrder) {
  constexpr std::uint64_t kItems = 200'000 * kScale;
  Arena arena = arena_for(SpscRing<Item>::bytes_for(256));
  SpscRing<Item> ring(arena, 256);
  std::thread pusher([&ring] {
    Item item;
    for (std::uint64_t number = 0; number < kItems; ++number) {
      item.fill(number);
      while (!ring.push(item)) std::this_thread::yield();
    }
  });
  std::uint64_t wrong = 0;
  for (std::uint64_t number = 0; number < kItems; ++number) {
    Item item{};
    while (!ring.pop(item)) std::this_thread::yield();
    wrong += item.is(number) ? 0 : 1;
    EXPECT_LE(ring.size(), 256u);
  }
  pusher.join();
  EXPECT_EQ(wrong, 0u);
}

/// A partition in small: receive writes an order's cold line and sends a command, match answers with an event and
/// retires the slot, a reader of each ring checks the line. A slot that came back too early shows as a wrong line, and
/// to ThreadSanitizer as a race between receive's write and a reader.
class SlotChain {
 public:
  struct alignas(64) Note {
    OrderIndex order;
    std::uint64_t number;
  };
  using Notes = BroadcastRing<Note>;
  struct alignas(32) Hot {
    std::uint64_t number;
  };
  using Pool = OrderPool<Hot, Item, Item>;

  explicit SlotChain(std::uint64_t orders) : orders_(orders) {}

  void run() {
    std::vector<std::thread> threads;
    threads.emplace_back([this] { match(); });
    threads.emplace_back([this] { wrong_journal_ = check(journal_); });
    threads.emplace_back([this] { wrong_transmit_ = check(transmit_); });
    receive();
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(wrong_match_, 0u);
    EXPECT_EQ(wrong_journal_, 0u);
    EXPECT_EQ(wrong_transmit_, 0u);
    while (returner_.hand_back(commands_.slowest_gating_position(), events_.slowest_gating_position()) > 0) {
    }
    EXPECT_EQ(returner_.waiting(), 0u);
    EXPECT_EQ(source_.free_count(), kSlots);
  }

 private:
  // Far fewer slots than places in the rings: a reader that lags is overtaken by its slots unless it is waited for.
  static constexpr std::uint32_t kSlots = 16;
  static constexpr std::uint64_t kRing = 256;

  static std::uint64_t bytes() {
    return Pool::bytes_for(kSlots) + SlotReturnRing::bytes_for(slot_return_capacity(kSlots)) +
           SlotSource::bytes_for(kSlots) + SlotReturner::bytes_for(kSlots) + 2 * Notes::bytes_for(kRing);
  }

  static void send(Notes& ring, const Note& note) {
    while (!ring.producer().has_room()) std::this_thread::yield();
    ring.producer().claim() = note;
    ring.producer().publish();
  }

  static Note next(Notes::GatingReader& reader) {
    while (reader.available() == 0) std::this_thread::yield();
    return reader.peek();
  }

  void receive() {
    for (std::uint64_t number = 1; number <= orders_; ++number) {
      OrderIndex order{};
      while (!source_.take(order)) std::this_thread::yield();
      pool_.asked(order).fill(number);
      send(commands_, {order, number});
    }
  }

  /// As the stage does at every poll(), idle or not: receive may be waiting for just these slots.
  void hand_back() { returner_.hand_back(commands_.slowest_gating_position(), events_.slowest_gating_position()); }

  void match() {
    for (std::uint64_t number = 1; number <= orders_; ++number) {
      for (; matching_.available() == 0; hand_back()) std::this_thread::yield();
      const Note command = matching_.peek();
      wrong_match_ += pool_.asked(command.order).is(number) ? 0 : 1;
      pool_.resolved(command.order).fill(~number);
      send(events_, command);
      matching_.release();
      returner_.retire(command.order, number, number);
      hand_back();
    }
  }

  std::uint64_t check(Notes::GatingReader& reader) {
    std::uint64_t wrong = 0;
    for (std::uint64_t number = 1; number <= orders_; ++number) {
      const Note note = next(reader);
      wrong += note.number == number && pool_.asked(note.order).is(number) ? 0 : 1;
      if (&reader == &transmit_) wrong += pool_.resolved(note.order).is(~number) ? 0 : 1;
      reader.release();
    }
    return wrong;
  }

  std::uint64_t orders_;
  Arena arena_ = arena_for(bytes());
  Pool pool_{arena_, kSlots};
  SlotReturnRing returns_{arena_, slot_return_capacity(kSlots)};
  SlotSource source_{arena_, returns_, kSlots};
  SlotReturner returner_{arena_, returns_, kSlots};
  Notes commands_{arena_, kRing};
  Notes events_{arena_, kRing};
  Notes::GatingReader& matching_ = commands_.add_gating("match");
  Notes::GatingReader& journal_ = commands_.add_gating("journal");
  Notes::GatingReader& transmit_ = events_.add_gating("transmit");
  std::uint64_t wrong_match_ = 0;
  std::uint64_t wrong_journal_ = 0;
  std::uint64_t wrong_transmit_ = 0;
};

TEST(SlotThreads, ASlotIsRewrittenOnlyAfterEveryReaderHasPassedIt) { SlotChain(50'000 * kScale).run(); }

TEST(Threads, AHistogramIsCopiedWhileItsStageRecords) {
  // 1, 2, .. 1000, 1, 2, ..: so that each copy can be judged alone.
  constexpr std::uint64_t kValues = 200'000 * kScale;
  Histogram histogram;
  std::atomic<bool> done{false};
  std::thread stage([&] {
    for (std::uint64_t i = 0; i < kValues; ++i) histogram.record(1 + i % 1'000);
    done.store(true);
  });
  Histogram before;
  std::uint64_t copies = 0;
  for (bool last = false; !last; ++copies) {
    last = done.load();
    const Histogram copy = histogram;
    const Histogram since = copy.since(before);
    ASSERT_EQ(since.count(), copy.count() - before.count());
    ASSERT_LE(copy.max(), 1'000u);
    ASSERT_LE(copy.percentile(50), copy.percentile(99.9));
    ASSERT_LE(copy.percentile(100), copy.max());
    ASSERT_LE(since.percentile(50), since.max());
    ASSERT_LE(since.min(), since.max());
    before = copy;
  }
  stage.join();
  EXPECT_EQ(before.count(), kValues);
  EXPECT_EQ(before.sum(), kValues / 1'000 * 500'500);
  std::printf("%llu copies\n", static_cast<unsigned long long>(copies));
}

struct NumberedItem {
  std::uint64_t number = 0;
  Item item{};
};

TEST(SeqlockThreads, NobodyEverGetsATornValueOrAnOlderOne) {
  using Shared = Seqlock<NumberedItem>;
  constexpr std::uint64_t kValues = 200'000 * kScale;
  NumberedItem value;
  value.item.fill(0);
  Shared shared(value);
  std::atomic<bool> done{false};
  struct Seen {
    std::uint64_t values = 0, wrong = 0, last = 0;
    void see(const NumberedItem& seen) {
      wrong += seen.number < last || !seen.item.is(seen.number) ? 1 : 0;
      values += seen.number != last ? 1 : 0;
      last = seen.number;
    }
  } stage_saw, control_saw;
  std::thread stage([&] {
    run_on_own_core(1);
    Shared::Copy copy(shared);
    while (!done.load()) stage_saw.see(copy.latest());
    stage_saw.see(copy.latest());
  });
  std::thread control([&] {
    while (!done.load()) control_saw.see(shared.read());
    control_saw.see(shared.read());
  });
  std::thread writer([&] {
    run_on_own_core(0);
    for (std::uint64_t number = 1; number <= kValues; ++number) {
      value.number = number;
      value.item.fill(number);
      shared.write(value);
      if (number % 64 == 0) std::this_thread::yield();
    }
    done.store(true);
  });
  writer.join();
  stage.join();
  control.join();
  for (const Seen& saw : {stage_saw, control_saw}) {
    EXPECT_EQ(saw.wrong, 0u);
    EXPECT_EQ(saw.last, kValues);
    EXPECT_GT(saw.values, 1u);
  }
  std::printf("%llu values seen of %llu\n", static_cast<unsigned long long>(stage_saw.values),
              static_cast<unsigned long long>(kValues));
}

TEST(Threads, AStageAnswersEveryQuestionOfItsMailboxWhole) {
  constexpr std::uint64_t kQuestions = 1'000 * kScale;
  using Box = Mailbox<Item, 4>;
  Box box;
  std::atomic<bool> done{false};
  std::uint64_t told = 0;
  std::thread stage([&] {
    while (!done.load()) {
      if (!box.asked()) {
        std::this_thread::yield();
        continue;
      }
      ++told;
      box.answer([](std::uint64_t question, std::span<Item> items) {
        const std::size_t n = question % (Box::kMostItems + 1);
        for (std::size_t i = 0; i < n; ++i) items[i].fill(question + i);
        return n;
      });
    }
  });
  const auto ask = [&box](std::uint64_t from) {
    std::vector<Item> items;
    for (std::uint64_t question = from; question < from + kQuestions; ++question) {
      ASSERT_TRUE(box.ask(question, items, std::chrono::seconds(60)));
      ASSERT_EQ(items.size(), question % (Box::kMostItems + 1));
      for (std::size_t i = 0; i < items.size(); ++i) ASSERT_TRUE(items[i].is(question + i));
    }
  };
  std::thread other([&] { ask(1'000'000'000); });
  ask(0);
  other.join();
  done.store(true);
  stage.join();
  EXPECT_EQ(told, 2 * kQuestions);
}

TEST(Threads, AStageThatIsStalledKeepsNobodyWaiting) {
  Mailbox<Item, 2> box;
  std::vector<Item> items(1);
  EXPECT_FALSE(box.asked());
  EXPECT_FALSE(box.ask(1, items, std::chrono::milliseconds(5)));
  EXPECT_TRUE(items.empty());
  EXPECT_TRUE(box.asked());
  // The first question is still on its way: a second one may not write over it.
  EXPECT_FALSE(box.ask(2, items, std::chrono::milliseconds(5)));
  std::thread stage([&box] {
    for (int answers = 0; answers < 2;) {
      if (!box.asked()) {
        std::this_thread::yield();
        continue;
      }
      box.answer([&answers](std::uint64_t question, std::span<Item> slots) {
        slots[0].fill(question);
        ++answers;
        return std::size_t{1};
      });
    }
  });
  EXPECT_TRUE(box.ask(3, items, std::chrono::seconds(60)));
  ASSERT_EQ(items.size(), 1u);
  EXPECT_TRUE(items[0].is(3));
  stage.join();
}

}  // namespace
}  // namespace crosswire::threads_test
