#pragma once
// Running something with several numbers of threads.
#ifndef DLARRAY_SERIAL
#include <omp.h>
#endif

namespace dl::test {

/// The result of f() with `threads` threads allowed.
template <class F>
auto withThreads([[maybe_unused]] int threads, F&& f) {
#ifdef DLARRAY_SERIAL
  return f();
#else
  const int before = omp_get_max_threads();
  omp_set_num_threads(threads);
  auto result = f();
  omp_set_num_threads(before);
  return result;
#endif
}

}  // namespace dl::test
