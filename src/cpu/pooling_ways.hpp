// The choice among the kernels of pooling.
#pragma once

#include <algorithm>
#include <type_traits>

#include "cpu/arch.hpp"
#include "cpu/parallel.hpp"
#include "cpu/simd/pooling.hpp"

namespace dl::cpu {

/// The elements of each block when a single window holds all of it, else 0. Their number is one that every T can count to.
inline Index wholeBlock(const Pooling& how) {
  constexpr Index countable = Index{1} << 24;
  Index n = 1;
  for (int d = 0; d < how.count; ++d) {
    const PoolAxis& axis = how.axes[d];
    if (axis.out != 1 || axis.before > 0 || axis.window < axis.in) return 0;
    n *= axis.in;
  }
  return n <= countable ? n : 0;
}

/// Windows of two by two along the first two of two axes that touch each other and lie inside; else there are no elements.
inline PoolPairs pairsOf(const Pooling& how) {
  const auto touching = [](const PoolAxis& a) { return a.window == 2 && a.stride == 2 && a.before == 0 && 2 * a.out <= a.in; };
  if (how.count != 2 || !touching(how.axes[0]) || !touching(how.axes[1])) return {};
  return {how.axes[0].in, how.axes[0].out, how.axes[1].in, how.axes[1].out};
}

template <class T>
PoolBlockKernels<T> blockKernels() {
  return DLARRAY_FOR_ARCH(poolBlockKernels<T>)();
}

/// Some pages, blocks or images: where their elements begin, and their results.
struct PoolUnits {
  Index x, y, count;
};

/// Functions for the kernels that there are, and one for all else.
template <class... F>
struct PoolWays : F... {
  using F::operator()...;
};
template <class... F>
PoolWays(F...) -> PoolWays<F...>;

namespace detail {

// Calls fast(units) for some units of a pooling at a time, and where it is false ways(a pooling of them, their elements, their
// results).
template <class Fast, class Ways>
void forPoolUnits(const Pooling& how, Index elements, Index results, Fast fast, const Ways& ways) {
  constexpr Index cached = 4096;  // elements that are looked at again where the fast way fails
  // Kernels take up to 16 blocks at a time. Which units go the other way with each other must not depend on the threads.
  const Index some = cached / elements, together = some >= 16 ? some / 16 * 16 : std::max<Index>(1, some);
  parallelFor(how.outer, (grainFor(elements) + together - 1) / together * together, [&](Index begin, Index end) {
    for (Index first = begin; first < end; first += together) {
      const PoolUnits units{first * elements, first * results, std::min(together, end - first)};
      if (fast(units)) continue;
      Pooling those = how;
      those.outer = units.count;
      ways(those, units.x, units.y);
    }
  });
}

// By kernels for single images; false where these do not know the windows.
template <class Kernels, class Ways>
bool poolImages(const Pooling& how, const Kernels& kernels, const Ways& ways) {
  const PoolImage image{how.axes[0], how.axes[1], how.axes[0].in, how.axes[0].out};
  if (how.count != 2 || !kernels.knows(image)) return false;
  const Index elements = image.along.in * image.across.in, results = image.along.out * image.across.out;
  const auto each = [&](const PoolUnits& units) {
    bool all = true;
    for (Index i = 0; i < units.count && all; ++i)
      all = ways(kernels, image, PoolUnits{units.x + i * elements, units.y + i * results, 1});
    return all;
  };
  forPoolUnits(how, elements, results, each, ways);
  return true;
}

}  // namespace detail

/// The fastest way to pool, where n is the number of elements of blocks that a single window holds, or 0. It is called as
/// ways(kernels, what these want to know, units), and where there is no such way, or it is false, as
/// ways(a pooling, its elements, its results).
template <class T, class Ways>
void fastestPool(const Pooling& how, Index n, const Ways& ways) {
  using Pairs = PoolPairKernels<T>;
  using Blocks = PoolBlockKernels<T>;
  using Dense = PoolDenseKernels<T>;
  using Halved = PoolHalvedKernels<T>;
  if constexpr (std::is_invocable_v<Ways, Pairs, PoolPairs, PoolUnits>) {
    if (const PoolPairs pairs = pairsOf(how); pairs.in > 0) {
      const Pairs kernels = DLARRAY_FOR_ARCH(poolPairKernels<T>)();
      return detail::forPoolUnits(
          how, pairs.in * pairs.columnsIn, pairs.out * pairs.columnsOut,
          [&](const PoolUnits& units) { return ways(kernels, pairs, units); }, ways);
    }
  }
  if constexpr (std::is_invocable_v<Ways, Blocks, Index, PoolUnits>) {
    if (const Blocks kernels = blockKernels<T>(); n >= kernels.least)
      return detail::forPoolUnits(
          how, n, 1, [&](const PoolUnits& units) { return ways(kernels, n, units); }, ways);
  }
  if constexpr (std::is_invocable_v<Ways, Dense, PoolImage, PoolUnits>)
    if (detail::poolImages(how, DLARRAY_FOR_ARCH(poolDenseKernels<T>)(), ways)) return;
  if constexpr (std::is_invocable_v<Ways, Halved, PoolImage, PoolUnits>)
    if (detail::poolImages(how, DLARRAY_FOR_ARCH(poolHalvedKernels<T>)(), ways)) return;
  ways(how, 0, 0);
}

}  // namespace dl::cpu
