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

  // The same for many middle positions at once, in the order of memory: `images` times `count` neighbouring runs of `length`
  // elements, `stride` elements from one image to the next. Runs have 16 elements at least. Sums of a run stay apart in `parts`
  // numbers, two sums in turn, until `totals` adds them up: parts[(2 r + s) parts + j], which the kernels add to. y may be x.
  Index parts;
  void (*deviationsOfRuns)(const T* x, Runs runs, Index images, const T* centres, T* parts);
  void (*productsOfRuns)(const T* g, const T* x, Runs runs, Index images, const T* means, T* parts);
  /// The same with y = factor g on the way; y is another array.
  void (*productsAndScaleOfRuns)(const T* g, const T* x, Runs runs, Index images, const T* means, T* parts, const T* factors,
                                 T* y);
  void (*totals)(const T* parts, Index count, T* first, T* second);
  /// The means of the first 16 elements of runs that lie behind each other.
  void (*beginnings)(const T* x, Index length, Index count, T* means);
  void (*scaleRuns)(const T* x, Runs runs, Index images, const T* means, const T* factors, const T* offsets, T* y);
  void (*combineRuns)(const T* g, const T* x, Runs runs, Index images, const T* means, const T* a, const T* b, const T* c, T* y);
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
