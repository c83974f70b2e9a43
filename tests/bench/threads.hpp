#pragma once
#include <omp.h>

namespace bench {

/// Calls body(threads) for one thread and for two, as far as the machine has them.
template <class F>
void forThreads(F&& body) {
  const int available = omp_get_max_threads();
  for (const int threads : {1, 2}) {
    if (threads > available) break;
    omp_set_num_threads(threads);
    body(threads);
  }
}

}  // namespace bench
