// What is kept when freed, and how it is given back.
#include "core/pool.hpp"

#include <boost/test/unit_test.hpp>

#include <dlarray/dlarray.hpp>

#include <algorithm>
#include <thread>
#include <vector>

using namespace dl;

BOOST_AUTO_TEST_CASE(large_blocks_are_counted_kept_and_released) {
  releaseMemory();
  const MemoryUse before = memoryUse();
  {
    const DlArray x = zeros(1000, 1000);
    BOOST_TEST(memoryUse().inUse >= before.inUse + 8'000'000);
    BOOST_TEST(memoryUse().peak >= memoryUse().inUse);
  }
  BOOST_TEST(memoryUse().inUse == before.inUse);
  if (detail::pooling) BOOST_TEST(memoryUse().cached >= 8'000'000U);
  releaseMemory();
  BOOST_TEST(memoryUse().cached == 0U);
}

BOOST_AUTO_TEST_CASE(small_blocks_come_back_and_do_not_pile_up) {
  void* block = allocate(100);
  deallocate(block, 100);
  if (detail::pooling) BOOST_TEST(allocate(128) == block);
  // Far more than a thread keeps, freed by another thread than the one that took them.
  std::vector<void*> blocks;
  for (int i = 0; i < 20'000; ++i) blocks.push_back(allocate(1024));
  std::thread([&] {
    for (void* b : blocks) deallocate(b, 1024);
  }).join();
  for (void*& b : blocks) b = allocate(1024);
  for (void* b : blocks) deallocate(b, 1024);
  BOOST_TEST(detail::smallBlocks.room[detail::smallClass(1024)] <= detail::keptPerClass / 1024);
  if (detail::pooling) deallocate(block, 128);
}

BOOST_AUTO_TEST_CASE(steps_of_any_size_end_up_without_the_system) {
  if (!detail::pooling) return;
  // As many small blocks in each step as four lists of a thread hold at first.
  std::vector<void*> blocks(4 * detail::keptPerClass / 1024);
  const auto step = [&] {
    for (void*& b : blocks) b = allocate(1000);
    for (void* b : blocks) deallocate(b, 1000);
  };
  for (int i = 0; i < 8; ++i) step();
  const std::size_t taken = memoryUse().taken;
  for (int i = 0; i < 8; ++i) step();
  BOOST_TEST(memoryUse().taken == taken);
}

BOOST_AUTO_TEST_CASE(a_list_that_is_almost_full_is_seldom_counted) {
  if (!detail::pooling) return;
  std::thread([] {
    const int c = detail::smallClass(64);
    std::vector<void*> blocks(detail::keptPerClass / 64 - 1);
    for (void*& b : blocks) b = allocate(64);
    for (void* b : blocks) deallocate(b, 64);
    // Each time the room is gone the list is counted.
    int counted = 0;
    for (int i = 0; i < 10'000; ++i) {
      if (detail::smallBlocks.room[c] == 0) ++counted;
      deallocate(allocate(64), 64);
    }
    BOOST_TEST(counted <= 4);
  }).join();
}

BOOST_AUTO_TEST_CASE(blocks_of_sizes_that_are_gone_make_room) {
  if (!detail::pooling) return;
  releaseMemory();
  constexpr std::size_t old = std::size_t{100} << 20, next = std::size_t{90} << 20;
  std::vector<void*> blocks;
  for (int i = 0; i < 3; ++i) blocks.push_back(allocate(old));
  for (void* b : blocks) deallocate(b, old);
  for (void*& b : blocks) b = allocate(next);
  for (void* b : blocks) deallocate(b, next);
  const MemoryUse use = memoryUse();
  BOOST_TEST(use.cached <= std::max(use.peak, std::size_t{256} << 20));
  void* again = allocate(next);
  BOOST_TEST((std::find(blocks.begin(), blocks.end(), again) != blocks.end()));
  deallocate(again, next);
  releaseMemory();
}
