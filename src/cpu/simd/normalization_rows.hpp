// The table of normalisation kernels over rows that simd/normalization_rows.cpp fills for every level of the processor.
#pragma once

#include "cpu/types.hpp"

namespace dl::cpu {

/// `count` rows of `length` neighbours, `stride` elements from one start to the next.
struct Rows {
  Index length, stride, count;
};

/// All run in one thread; sums are taken in an order that depends on the sizes alone.
template <class T>
struct NormalizationRowKernels {
  // Down the columns of rows, with numbers for each column. y may be x.
  /// sums[i] = sum of x - centre in column i, squares[i] = sum of its squares.
  void (*deviationsDown)(const T* x, Rows rows, const T* centres, T* sums, T* squares);
  /// sums[i] = sum of g, products[i] = sum of g (x - mean).
  void (*productsDown)(const T* g, const T* x, Rows rows, const T* means, T* sums, T* products);
  /// y = (x - mean) factor + offset.
  void (*scaleDown)(const T* x, Rows rows, const T* means, const T* factors, const T* offsets, T* y);
  /// y = a g + b (x - mean) + c.
  void (*combineDown)(const T* g, const T* x, Rows rows, const T* means, const T* a, const T* b, const T* c, T* y);

  /// What the sums of a row's columns say: sum = sum of scale sums, product = sum of scale products; offsets += sums, scales +=
  /// factor products.
  void (*foldColumns)(const T* sums, const T* products, Index n, T factor, const T* scale, T* offsets, T* scales, T* sum,
                      T* product);

  // Along rows, with numbers for each row, and scales and offsets for each column.
  /// sums[r] = sum of x - centre in row r, squares[r] = sum of its squares.
  void (*deviationsAlong)(const T* x, Rows rows, const T* centres, T* sums, T* squares);
  /// y = (x - mean) factor scale + offset.
  void (*scaleAlong)(const T* x, Rows rows, const T* means, const T* factors, const T* scale, const T* offset, T* y);
  /// sums[r] = sum of scale g, products[r] = sum of scale g (x - mean); offsets += g, scales += g (x - mean) factor.
  void (*productsAlong)(const T* g, const T* x, Rows rows, const T* means, const T* factors, const T* scale, T* offsets,
                        T* scales, T* sums, T* products);
  /// y = a scale g + b (x - mean) + c.
  void (*combineAlong)(const T* g, const T* x, Rows rows, const T* means, const T* scale, const T* a, const T* b, const T* c,
                       T* y);

  // Rows that are normalised each for itself, so short that they may be summed in their precision.
  /// y = (x - mean) / sqrt(variance + epsilon) scale + offset; the means and variances of the rows are results too.
  void (*normalizeEach)(const T* x, Rows rows, double epsilon, const T* scale, const T* offset, T* means, T* variances, T* y);
  /// The gradient by x (null where it is not wanted) for the gradient g by y; offsets and scales are added to.
  void (*gradientEach)(const T* g, const T* x, Rows rows, double epsilon, const T* scale, const T* means, const T* variances,
                       T* offsets, T* scales, T* dx);

  // What the sums of n groups of `count` elements say.
  /// to += from.
  void (*addUp)(const T* from, Index n, double* to);
  void (*addUpDoubles)(const double* from, Index n, double* to);
  /// The means, the variances and 1 / sqrt(variance + epsilon) for sums of deviations from centres and of their squares. Returns
  /// how many centres were so far off that the difference of squares has lost digits.
  Index (*moments)(Index n, double count, double epsilon, const T* centres, const double* sums, const double* squares, T* means,
                   T* variances, T* factors);
  void (*inverseDeviations)(Index n, double epsilon, const T* variances, T* factors);
  /// The gradient's a, b and c for sums of g and of g (x - mean); the latter are multiplied by 1 / sqrt(variance + epsilon).
  void (*combinations)(Index n, double count, double epsilon, const T* variances, const T* scale, const double* sums,
                       double* products, T* a, T* b, T* c);
};

namespace v2 {
template <class T>
NormalizationRowKernels<T> normalizationRowKernels();
}
namespace v3 {
template <class T>
NormalizationRowKernels<T> normalizationRowKernels();
}
namespace v4 {
template <class T>
NormalizationRowKernels<T> normalizationRowKernels();
}

}  // namespace dl::cpu
