#include "cpu/parallel.hpp"

#include <atomic>
#include <mutex>
#include <stdexcept>
#include <utility>

#include <boost/test/unit_test.hpp>

#include "kernel_test.hpp"

using namespace dl::cpu;

BOOST_AUTO_TEST_SUITE(cpu_parallel)

BOOST_AUTO_TEST_CASE(chunks_cover_the_range_once_and_end_at_multiples_of_the_grain) {
  for (const Index n : {0, 1, 7, 8, 9, 64, 100, 1001})
    for (const Index grain : {1, 3, 8, 500}) {
      std::vector<int> visits(static_cast<std::size_t>(n), 0);
      std::mutex mutex;
      bool aligned = true;
      withThreads(3, [&] {
        parallelFor(n, grain, [&](Index begin, Index end) {
          const std::lock_guard lock(mutex);
          aligned = aligned && begin % grain == 0 && (end % grain == 0 || end == n) && begin < end;
          for (Index i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
        });
        return 0;
      });
      BOOST_TEST(aligned);
      for (const int count : visits) BOOST_TEST(count == 1);
    }
}

BOOST_AUTO_TEST_CASE(small_loops_run_whole_in_the_calling_thread) {
  int calls = 0;
  parallelFor(100, 100, [&](Index begin, Index end) {
    ++calls;
    BOOST_TEST(begin == 0);
    BOOST_TEST(end == 100);
  });
  BOOST_TEST(calls == 1);
}

BOOST_AUTO_TEST_CASE(loops_inside_loops_do_not_fork) {
  std::atomic<int> inner = 0, outer = 0;
  withThreads(2, [&] {
    parallelFor(2, 1, [&](Index, Index) {
      ++outer;
      parallelFor(1000, 1, [&](Index, Index) { ++inner; });
    });
    return 0;
  });
  BOOST_TEST(inner == outer);
}

BOOST_AUTO_TEST_CASE(an_exception_comes_out_where_the_loop_was_started) {
  const auto thrower = [](Index begin, Index) {
    if (begin > 0 || threadCount() == 1) throw std::runtime_error("chunk");
  };
  withThreads(2, [&] {
    BOOST_CHECK_THROW(parallelFor(1000, 1, thrower), std::runtime_error);
    return 0;
  });
}

BOOST_AUTO_TEST_CASE(the_grain_of_a_loop_counts_elements) {
  BOOST_TEST(grainFor(1) == parallelElements);
  BOOST_TEST(grainFor(parallelElements) == 1);
  BOOST_TEST(grainFor(0) == parallelElements);
  BOOST_TEST(grainFor(100 * parallelElements) == 1);
}

BOOST_AUTO_TEST_SUITE_END()
