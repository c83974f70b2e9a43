// Largest elements and means of windows that move over an array, and the way back.
#pragma once

#include "cpu/types.hpp"

namespace dl::cpu {

/// How a window moves along one dimension: it begins `before` elements ahead of the first and goes on by `stride`. A dimension
/// that no window moves along has a window of 1, a stride of 1 and as many results as elements.
struct PoolAxis {
  Index in = 1, out = 1, window = 1, stride = 1, before = 0;

  /// The elements of a window that lie inside the array.
  struct Extent {
    Index first, count;
  };
  Extent inside(Index i) const {
    const Index start = i * stride - before, first = start < 0 ? 0 : start, end = start + window;
    return {first, (end < in ? end : in) - first};
  }
};

/// An array of some dimensions, `outer` times. Every window holds one element of the array at least.
struct Pooling {
  static constexpr int most = 10;
  PoolAxis axes[most];
  int count = 0;
  Index outer = 1;
  bool countsPadding = true;  // in the number that a mean is divided by

  /// True when some element is in several windows.
  bool overlaps() const {
    for (int d = 0; d < count; ++d)
      if (axes[d].window > axes[d].stride) return true;
    return false;
  }
};

/// Pages of `columnsIn` columns of `in` elements, in windows of two by two that touch each other: `columnsOut` by `out` of them.
struct PoolPairs {
  Index in = 0, out = 0, columnsIn = 0, columnsOut = 0;
};

/// The largest elements, NaN where a window holds one.
template <class T>
void maxPool(const Pooling& how, const T* x, T* y);
/// Their positions in the whole array: the first of equal ones in column-major order, the first NaN. Where y is not null, the
/// elements themselves too.
template <class T>
void maxPoolPositions(const Pooling& how, const T* x, double* positions, T* y = nullptr);
/// dx = zeros with g added at those positions.
template <class T>
void maxPoolGradient(const Pooling& how, const T* x, const T* g, T* dx);
/// True where each window holds all of a block that is neither too short nor too long for `meanPool` to be the fastest mean.
template <class T>
bool averagesBlocks(const Pooling& how);
/// The means of the windows.
template <class T>
void meanPool(const Pooling& how, const T* x, T* y);
/// Its transpose: every element of g spread over its window.
template <class T>
void meanPoolAdjoint(const Pooling& how, const T* g, T* dx);

}  // namespace dl::cpu
