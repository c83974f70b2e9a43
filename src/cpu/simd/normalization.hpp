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
  /// `count` runs of n elements, one behind the other, each normalised: its mean and variance, and y as above.
  void (*normalizeEach)(const T* x, Index n, Index count, double epsilon, const T* scale, const T* offset, T* means, T* variances, T* y);
  /// sums[0] = sum of scale g, sums[1] = sum of scale g (x - mean); offsets += g, scales += g (x - mean) factor.
  void (*productsEach)(const T* g, const T* x, Index n, T mean, T factor, const T* scale, T* offsets, T* scales, T* sums);
  /// y = a scale g + b (x - mean) + c.
  void (*combineEach)(const T* g, const T* x, Index n, T mean, const T* scale, T a, T b, T c, T* y);

  // The same for many middle positions at once, in the order of memory: `images` times `count` neighbouring runs of `length` elements,
  // `stride` elements from one image to the next. Sums of a run stay apart in `parts` numbers, two sums in turn, until `total` adds them up:
  // parts[(2 r + s) parts + j], which the kernels add to.
  Index parts;
  void (*deviationsOfRuns)(const T* x, Runs runs, Index images, const T* centres, T* parts);
  void (*productsOfRuns)(const T* g, const T* x, Runs runs, Index images, const T* means, T* parts);
  T (*total)(const T* parts);
  void (*scaleRuns)(const T* x, Runs runs, Index images, const T* means, const T* factors, const T* offsets, T* y);
  void (*combineRuns)(const T* g, const T* x, Runs runs, Index images, const T* means, const T* a, const T* b, const T* c, T* y);
  // For runs so short that registers go across them: `images` rows of n elements, `stride` apart, numbers for each element of a
  // row; sums[i] and sums[n + i] for the element i.
  void (*deviationsOfRows)(const T* x, Index n, Index stride, Index images, const T* centres, T* sums);
  void (*productsOfRows)(const T* g, const T* x, Index n, Index stride, Index images, const T* means, T* sums);
  void (*scaleRows)(const T* x, Index n, Index stride, Index images, const T* means, const T* factors, const T* offsets, T* y);
  void (*combineRows)(const T* g, const T* x, Index n, Index stride, Index images, const T* means, const T* a, const T* b, const T* c, T* y);
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
