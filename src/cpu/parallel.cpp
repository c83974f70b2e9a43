#include "cpu/parallel.hpp"

#include <algorithm>
#include <exception>

#ifndef DLARRAY_SERIAL
#include <omp.h>
#endif

namespace dl::cpu {

#ifdef DLARRAY_SERIAL

int threadCount() { return 1; }

namespace detail {

bool mayFork() { return false; }

void runChunks(Index n, Index, ChunkBody body, void* context) { body(context, 0, n); }

}  // namespace detail

#else

int threadCount() { return omp_get_max_threads(); }

namespace detail {

bool mayFork() { return omp_get_max_threads() > 1 && !omp_in_parallel(); }

void runChunks(Index n, Index grain, ChunkBody body, void* context) {
  grain = std::max<Index>(grain, 1);
  const Index grains = (n + grain - 1) / grain;
  const int threads = static_cast<int>(std::min<Index>(threadCount(), grains));
  std::exception_ptr failure;
#pragma omp parallel num_threads(threads)
  {
    // The team may come out smaller than asked for (omp_set_dynamic, thread limits), so it counts itself.
    const Index team = omp_get_num_threads();
    const Index self = omp_get_thread_num();
    const Index begin = std::min(grains * self / team * grain, n);
    const Index end = std::min(grains * (self + 1) / team * grain, n);
    try {
      if (begin < end) body(context, begin, end);
    } catch (...) {
#pragma omp critical(dlarray_parallel_failure)
      if (!failure) failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace detail

#endif

}  // namespace dl::cpu
