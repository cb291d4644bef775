#include "hugepages/memory/resident.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <cstddef>
#include <cstdint>

namespace crosswire::resident_test {
namespace {

std::int64_t faults_of_this_thread() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_minflt + usage.ru_majflt;
}

TEST(Resident, LeavesNoPageToBeMetForTheFirstTime) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "AddressSanitizer lets nobody lock its shadow memory, so mlockall does nothing";
#endif
  constexpr std::size_t kPage = 4096;
  constexpr std::size_t kPages = 256;
  void* const mapped = mmap(nullptr, kPages * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(mapped, MAP_FAILED);
  const bool locked = make_resident();
  auto* const bytes = static_cast<volatile std::byte*>(mapped);
  const std::int64_t before = faults_of_this_thread();
  for (std::size_t page = 0; page < kPages; ++page) bytes[page * kPage] = std::byte{1};
  EXPECT_EQ(faults_of_this_thread() - before, 0);
  if (locked) {
    EXPECT_EQ(munlockall(), 0);
  }
  munmap(mapped, kPages * kPage);
}

}  // namespace
}  // namespace crosswire::resident_test
