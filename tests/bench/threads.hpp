#pragma once
#include <omp.h>

#include <cstddef>
#include <cstring>

namespace bench {

/// memcpy by as many threads as there may be.
inline void copyInParallel(const void* from, void* to, std::size_t bytes) {
#pragma omp parallel
  {
    const auto threads = static_cast<std::size_t>(omp_get_num_threads()), self = static_cast<std::size_t>(omp_get_thread_num());
    const std::size_t begin = bytes * self / threads, end = bytes * (self + 1) / threads;
    std::memcpy(static_cast<char*>(to) + begin, static_cast<const char*>(from) + begin, end - begin);
  }
}

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
