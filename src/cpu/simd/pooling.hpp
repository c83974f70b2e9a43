// The table of pooling kernels that simd/pooling.cpp fills for every level of the processor.
#pragma once

#include <cstdint>
#include <type_traits>

#include "cpu/pooling.hpp"

namespace dl::cpu {

/// A whole number as wide as an element, so that vectors of both have equally many.
template <class T>
using PoolCode = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;

/// Rows of results that lie below each other: windows that move along the first dimension, over `count` columns that begin at
/// x + columns[c] for the first row, `xStep` elements further for each of the others; their results lie `yStep` apart.
struct PoolRows {
  PoolAxis axis;
  Index begin = 0, end = 0;  // the results of a row whose windows lie inside the array
  const Index* columns = nullptr;
  Index count = 0;
  Index rows = 0, xStep = 0, yStep = 0;
};

/// The length of a column with all that windows reach beyond its ends.
inline Index joinedLength(const PoolAxis& axis) {
  const Index windows = (axis.out - 1) * axis.stride + axis.window, data = axis.before + axis.in;
  return windows > data ? windows : data;
}

template <class T>
struct PoolKernels {
  /// `scratch` has room for `joinedLength` elements.
  void (*max)(const T* x, const PoolRows& rows, T* scratch, T* y);
  /// True when there is a NaN among n elements.
  bool (*holdsNaN)(const T* x, Index n);
  /// Which element of its window is the largest: column * window + offset. Faster where there is no NaN.
  void (*maxCodes)(const T* x, const PoolRows& rows, bool withNaN, PoolCode<T>* codes);
  /// Adds g to the elements that the codes name; x + columns[c] is where the first window of a column begins, be it in padding.
  /// Zeros are added ahead of a column and behind it, up to codesStep * stride elements from its start. Rows of codes lie
  /// `codesStep` apart, -1 between them; `scratch` has room for as many elements.
  void (*spreadByCodes)(const PoolCode<T>* codes, const T* g, const PoolRows& rows, T* scratch, T* x);
  /// The sums times the share of each window along the row and that of the rows.
  void (*mean)(const T* x, const PoolRows& rows, const T* shares, T share, T* scratch, T* y);
  /// Adds g to every element of its window; the same, but every column has `spreadLength` elements, padding among them.
  void (*spread)(const T* g, const PoolRows& rows, T* scratch, T* x);
};

/// The windows of a row, and as many more as its last elements reach into, in whole registers: from one row of codes to the next.
inline Index codesStep(const PoolAxis& axis) {
  const Index lanes = axis.out <= 4 ? 4 : axis.out <= 8 ? 8 : 16;
  return (axis.out + (axis.window - 1) / axis.stride + lanes - 1) / lanes * lanes;
}
/// The length of a column for `spread`.
inline Index spreadLength(const PoolAxis& axis) {
  const Index registers = codesStep(axis) * axis.stride, windows = (axis.out - 1) * axis.stride + axis.window,
              data = axis.before + axis.in, longer = registers > windows ? registers : windows;
  return longer > data ? longer : data;
}

template <class T>
struct PoolPairKernels {
  /// The largest elements of the windows, and g at their places among zeros. False, with useless results, where an element is
  /// infinite or no number.
  bool (*max)(const T* x, const PoolPairs& p, Index pages, T* y);
  bool (*maxGradient)(const T* x, const T* g, const PoolPairs& p, Index pages, T* dx);
  /// The positions of the largest elements, as the others, and where y is not null the elements; `begin` is the first element's.
  bool (*maxPositions)(const T* x, const PoolPairs& p, Index begin, Index pages, double* positions, T* y);
  /// The means, and g spread over the windows.
  void (*mean)(const T* x, const PoolPairs& p, Index pages, T* y);
  void (*meanAdjoint)(const T* g, const PoolPairs& p, Index pages, T* dx);
};

/// For blocks of n elements, `least` or more, each of which makes one result.
template <class T>
struct PoolBlockKernels {
  Index least;
  /// The sums times a factor, and the way back: every element of a block gets its g times the factor.
  void (*sum)(const T* x, Index n, Index blocks, T factor, T* y);
  void (*fill)(const T* g, Index n, Index blocks, T factor, T* dx);
  /// As those of PoolPairKernels.
  bool (*max)(const T* x, Index n, Index blocks, T* y);
  bool (*maxGradient)(const T* x, const T* g, Index n, Index blocks, T* dx);
};

/// An image of `across.in` columns of `along.in` elements, `columnStep` apart, under windows that move both ways; the results of
/// a row of windows lie `resultStep` behind those of the row before.
struct PoolImage {
  PoolAxis along, across;
  Index columnStep, resultStep;
};

/// The way back for images: every column of the result is written once, when all windows over it are known.
template <class T>
struct PoolImageKernels {
  /// The elements of memory that the functions below want beside, 0 for windows that they are not made for. Once, `prepare` fills
  /// it.
  Index (*scratch)(const PoolImage& p);
  void (*prepare)(const PoolImage& p, T* scratch);
  /// g at the places of the largest elements among zeros. Faster where there is no NaN.
  void (*maxGradient)(const T* x, const T* g, const PoolImage& p, bool withNaN, T* scratch, T* dx);
  /// Every element of g times the share of its column and that of its row, added to all elements of its window.
  void (*meanAdjoint)(const T* g, const T* shareAlong, const T* shareAcross, const PoolImage& p, T* scratch, T* dx);
};

/// For images under windows that there is a kernel for: three by three around every element. Shares as in PoolImageKernels.
template <class T>
struct PoolDenseKernels {
  bool (*knows)(const PoolImage& p);
  /// False, with useless results, where an element is no number, and in the gradient where one is the smallest that there is.
  bool (*max)(const T* x, const PoolImage& p, T* y);
  bool (*maxGradient)(const T* x, const T* g, const PoolImage& p, T* dx);
  void (*mean)(const T* x, const T* shareAlong, const T* shareAcross, const PoolImage& p, T* y);
  void (*meanAdjoint)(const T* g, const T* shareAlong, const T* shareAcross, const PoolImage& p, T* dx);
};

/// The same for windows of three by three around every second element, from the first one on.
template <class T>
struct PoolHalvedKernels {
  bool (*knows)(const PoolImage& p);
  bool (*maxGradient)(const T* x, const T* g, const PoolImage& p, T* dx);
  bool (*maxPositions)(const T* x, const PoolImage& p, Index begin, double* positions, T* y);
};

namespace v2 {
template <class T>
PoolImageKernels<T> poolImageKernels();
template <class T>
PoolKernels<T> poolKernels();
template <class T>
PoolPairKernels<T> poolPairKernels();
template <class T>
PoolBlockKernels<T> poolBlockKernels();
template <class T>
PoolDenseKernels<T> poolDenseKernels();
template <class T>
PoolHalvedKernels<T> poolHalvedKernels();
}  // namespace v2
namespace v3 {
template <class T>
PoolImageKernels<T> poolImageKernels();
template <class T>
PoolKernels<T> poolKernels();
template <class T>
PoolPairKernels<T> poolPairKernels();
template <class T>
PoolBlockKernels<T> poolBlockKernels();
template <class T>
PoolDenseKernels<T> poolDenseKernels();
template <class T>
PoolHalvedKernels<T> poolHalvedKernels();
}  // namespace v3
namespace v4 {
template <class T>
PoolImageKernels<T> poolImageKernels();
template <class T>
PoolKernels<T> poolKernels();
template <class T>
PoolPairKernels<T> poolPairKernels();
template <class T>
PoolBlockKernels<T> poolBlockKernels();
template <class T>
PoolDenseKernels<T> poolDenseKernels();
template <class T>
PoolHalvedKernels<T> poolHalvedKernels();
}  // namespace v4

}  // namespace dl::cpu
