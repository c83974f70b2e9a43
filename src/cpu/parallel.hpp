// The one way in which kernels use several threads.
#pragma once

#include <type_traits>

#include "cpu/types.hpp"

namespace dl::cpu {

/// The number of threads a parallel loop may use: OpenMP's maximum, 1 in a build with DLARRAY_SERIAL.
int threadCount();

namespace detail {

using ChunkBody = void (*)(void* context, Index begin, Index end);

/// True when a loop started here may fork: more than one thread is allowed and no parallel region surrounds the caller.
bool mayFork();

/// Splits [0, n) at multiples of `grain` into one chunk a thread; the first exception of a chunk is rethrown here.
void runChunks(Index n, Index grain, ChunkBody body, void* context);

}  // namespace detail

/// Calls body(begin, end) for chunks that cover [0, n), in parallel when n > grain; chunk borders are multiples of grain.
/// `grain` is the least work worth a thread: a body's result may not depend on where the borders lie.
template <class F>
void parallelFor(Index n, Index grain, F&& body) {
  if (n <= 0) return;
  if (n <= grain || !detail::mayFork()) {
    body(Index{0}, n);
    return;
  }
  using Body = std::remove_reference_t<F>;
  void* context = const_cast<void*>(static_cast<const void*>(&body));
  detail::runChunks(
      n, grain, [](void* c, Index begin, Index end) { (*static_cast<Body*>(c))(begin, end); }, context);
}

/// The elements from which a loop bound by memory gains from a second thread.
inline constexpr Index parallelElements = Index{1} << 16;

/// The grain of a loop whose every step touches `elementsPerStep` elements.
inline Index grainFor(Index elementsPerStep) {
  return elementsPerStep >= parallelElements ? 1 : parallelElements / (elementsPerStep > 0 ? elementsPerStep : 1);
}

}  // namespace dl::cpu
