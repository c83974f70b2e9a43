// The table of normalisation kernels that simd/normalization.cpp fills for every level of the processor.
#pragma once

#include "cpu/types.hpp"

namespace dl::cpu {

/// `count` runs of `length` neighbours, `stride` elements from one start to the next.
struct Runs {
  Index length, stride, count;
};

/// All run in one thread; sums are taken in an order that depends on the sizes alone.
template <class T>
struct NormalizationKernels {
  T (*sum)(const T* x, Runs runs);
  /// sums[0] = sum of x - centre, sums[1] = sum of its squares.
  void (*deviations)(const T* x, Runs runs, T centre, T* sums);
  /// y = (x - mean) factor + offset; y has the runs of x.
  void (*scale)(const T* x, Runs runs, T mean, T factor, T offset, T* y);
  /// sums[0] = sum of g, sums[1] = sum of g (x - mean).
  void (*products)(const T* g, const T* x, Runs runs, T mean, T* sums);
  /// y = a g + b (x - mean) + c.
  void (*combine)(const T* g, const T* x, Runs runs, T mean, T a, T b, T c, T* y);

  // The same where neighbours belong to different channels; one run of n elements, its channels' numbers beside it.
  /// y = (x - mean) factor scale + offset.
  void (*scaleEach)(const T* x, Index n, T mean, T factor, const T* scale, const T* offset, T* y);
  /// sums[0] = sum of scale g, sums[1] = sum of scale g (x - mean); offsets += g, scales += g (x - mean) factor.
  void (*productsEach)(const T* g, const T* x, Index n, T mean, T factor, const T* scale, T* offsets, T* scales, T* sums);
  /// y = a scale g + b (x - mean) + c.
  void (*combineEach)(const T* g, const T* x, Index n, T mean, const T* scale, T a, T b, T c, T* y);
};

namespace v2 {
template <class T>
NormalizationKernels<T> normalizationKernels();
}
namespace v3 {
template <class T>
NormalizationKernels<T> normalizationKernels();
}
namespace v4 {
template <class T>
NormalizationKernels<T> normalizationKernels();
}

}  // namespace dl::cpu
