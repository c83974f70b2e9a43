#pragma once
#include <omp.h>

#include <cmath>
#include <cstddef>
#include <cstring>
#include <string>

#include "bench.hpp"
#include "pages.hpp"

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

/// How many bytes main memory reads and writes in a second of a copy by as many threads as there may be at the first call; on
/// arrays far larger than the caches.
inline double memoryRate() {
  static const double rate = [] {
    constexpr std::size_t bytes = std::size_t{256} << 20;
    const Numbers<char> from(bytes, 1);
    Numbers<char> to(bytes);
    double best = 1e300;
    for (int turn = 0; turn < 8; ++turn) {
      const double start = now();
      copyInParallel(from.data(), to.data(), bytes);
      best = std::min(best, now() - start);
      keep(to.data());
    }
    return 2 * static_cast<double>(bytes) / best;
  }();
  return rate;
}

/// "  of memory's 90 / 120 %", a dash where there is no way back: the bytes that a function must read and write, forward and
/// forward + backward, against that rate. More than 100 where they lie in the caches.
inline std::string besideMemory(double forward, double both, double forwardBytes, double bothBytes) {
  const auto share = [](double bytes, double seconds) {
    return bytes > 0 ? std::to_string(std::lround(100 * bytes / seconds / memoryRate())) : "-";
  };
  return "  of memory's " + share(forwardBytes, forward) + " / " + share(bothBytes, both) + " %";
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
