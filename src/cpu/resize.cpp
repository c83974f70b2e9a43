#include "cpu/resize.hpp"

#include <algorithm>

#include "cpu/arch.hpp"
#include "cpu/parallel.hpp"
#include "cpu/scratch.hpp"
#include "cpu/simd/resize.hpp"
#include "cpu/simd/transpose.hpp"

namespace dl::cpu {

namespace {

template <class T>
TransposeTile turn() {
  const TransposeKernels& k = DLARRAY_FOR_ARCH(transposeKernels)();
  return sizeof(T) == 4 ? k.bytes4 : k.bytes8;
}

// Columns that are interpolated along: so many at a time are turned, which makes lines of them that fill registers. Columns too
// long for the caches are left as they are.
constexpr Index longestColumn = 8192;
bool turnable(Index inner, Index n, Index m) { return inner == 1 && n + m <= longestColumn; }

// y, m elements for each of `outer` columns of n, by lines(turned x, turned y); what is left over of the last few is not looked
// at.
template <class T, class Lines>
void turned(const T* x, Index n, Index m, Index outer, T* y, Lines lines) {
  const TransposeTile turned = turn<T>();
  parallelFor(outer, std::max(turnedLines, grainFor(n + m) / turnedLines * turnedLines), [&](Index begin, Index end) {
    T* const from = scratchMemory<T>(turnedLines * (n + m));
    T* const to = from + turnedLines * n;
    for (Index column = begin; column < end; column += turnedLines) {
      const Index count = std::min(turnedLines, end - column);
      turned(x + column * n, n, from, turnedLines, count, n);
      lines(from, to);
      turned(to, turnedLines, y + column * m, m, m, count);
    }
  });
}

}  // namespace

template <class T>
void interpolate(const T* x, Index inner, Index n, Index outer, std::span<const Tap> taps, T* y) {
  const auto m = static_cast<Index>(taps.size());
  const ResizeKernels<T> kernels = DLARRAY_FOR_ARCH(resizeKernels<T>)();
  if (turnable(inner, n, m))
    return turned(x, n, m, outer, y, [&](const T* from, T* to) { kernels.interpolate(from, turnedLines, taps.data(), m, to); });
  parallelFor(outer, grainFor(inner * (n + m)), [&](Index begin, Index end) {
    for (Index page = begin; page < end; ++page)
      kernels.interpolate(x + page * inner * n, inner, taps.data(), m, y + page * inner * m);
  });
}

template <class T>
void interpolateAdjoint(const T* y, Index inner, Index n, Index outer, std::span<const Tap> taps, T* x) {
  const auto m = static_cast<Index>(taps.size());
  const ResizeKernels<T> kernels = DLARRAY_FOR_ARCH(resizeKernels<T>)();
  if (turnable(inner, n, m))
    return turned(y, m, n, outer, x, [&](const T* from, T* to) {
      std::fill_n(to, turnedLines * n, T(0));
      kernels.adjoint(from, turnedLines, taps.data(), m, to);
    });
  parallelFor(outer, grainFor(inner * (n + m)), [&](Index begin, Index end) {
    for (Index page = begin; page < end; ++page) {
      std::fill_n(x + page * inner * n, inner * n, T(0));
      kernels.adjoint(y + page * inner * m, inner, taps.data(), m, x + page * inner * n);
    }
  });
}

template void interpolate(const float*, Index, Index, Index, std::span<const Tap>, float*);
template void interpolate(const double*, Index, Index, Index, std::span<const Tap>, double*);
template void interpolateAdjoint(const float*, Index, Index, Index, std::span<const Tap>, float*);
template void interpolateAdjoint(const double*, Index, Index, Index, std::span<const Tap>, double*);

}  // namespace dl::cpu
