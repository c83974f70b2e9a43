// Softmax of columns and of rows side by side; compiled once for every level of the processor.
#include "cpu/simd/softmax.hpp"

#include "formulas/math.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

// Parts that are combined at the end of a column: two registers of the largest kind.
template <class T>
constexpr int lanes = 128 / sizeof(T);
// Columns shorter than this are turned, a group at a time, so that the loops run across them.
template <class T>
constexpr Index shortColumn = 128 / sizeof(T);
constexpr int group = 16;

template <class T>
constexpr T infinity = std::numeric_limits<T>::infinity();
template <class T>
constexpr T tiny = std::numeric_limits<T>::min();
// Where e^x is just above the smallest normal number: below, the vector functions would leave their fast path.
template <class T>
constexpr T lowest = sizeof(T) == 4 ? T(-87.3) : T(-708.3);

template <class T>
DL_INLINE T larger(T a, T b) {
  return b > a ? b : a;
}

// e^x for x <= 0, and 0 for -Inf alone.
template <class T>
DL_INLINE T exponential(T x) {
  const T e = formula::exp(x < lowest<T> ? lowest<T> : x);
  return x == -infinity<T> ? T(0) : e;
}

// What is subtracted: nothing from a column that has nothing but -Inf (or NaN).
template <class T>
DL_INLINE T shift(T largest) {
  return largest == -infinity<T> ? T(0) : largest;
}

// `floor` is the smallest normal number times the sum: no result becomes denormal.
template <class T>
DL_INLINE T scaled(T e, T floor, T inverse) {
  return e == T(0) ? T(0) : (e < floor ? floor : e) * inverse;
}

template <class T>
DL_INLINE T inverseOf(T sum) {
  return sum == T(0) ? T(0) : T(1) / sum;
}

template <int count, class T>
DL_INLINE T foldSum(T* part) {
  if constexpr (count == 1) {
    return part[0];
  } else {
    for (int j = 0; j < count / 2; ++j) part[j] += part[j + count / 2];
    return foldSum<count / 2>(part);
  }
}

template <class T>
DL_INLINE T largestOf(const T* x, Index n) {
  T part[lanes<T>];
  for (int j = 0; j < lanes<T>; ++j) part[j] = -infinity<T>;
  Index i = 0;
  for (; i + lanes<T> <= n; i += lanes<T>)
    for (int j = 0; j < lanes<T>; ++j) part[j] = larger(part[j], x[i + j]);
  T result = -infinity<T>;
  for (; i < n; ++i) result = larger(result, x[i]);
  for (int j = 0; j < lanes<T>; ++j) result = larger(result, part[j]);
  return result;
}

template <class T>
void column(const T* x, Index n, T* y) {
  const T largest = shift(largestOf(x, n));
  T part[lanes<T>] = {};
  Index i = 0;
  for (; i + lanes<T> <= n; i += lanes<T>) {
#pragma GCC ivdep
    for (int j = 0; j < lanes<T>; ++j) {
      const T e = exponential(x[i + j] - largest);
      part[j] += e;
      y[i + j] = e;
    }
  }
  T rest = 0;
  for (; i < n; ++i) rest += y[i] = exponential(x[i] - largest);
  const T sum = foldSum<lanes<T>>(part) + rest, floor = tiny<T> * sum, inverse = inverseOf(sum);
  for (Index k = 0; k < n; ++k) y[k] = scaled(y[k], floor, inverse);
}

template <class T>
void columnGradient(const T* g, const T* y, Index n, T* result) {
  T part[lanes<T>] = {};
  Index i = 0;
  for (; i + lanes<T> <= n; i += lanes<T>)
    for (int j = 0; j < lanes<T>; ++j) part[j] += g[i + j] * y[i + j];
  T rest = 0;
  for (; i < n; ++i) rest += g[i] * y[i];
  const T product = foldSum<lanes<T>>(part) + rest;
#pragma GCC ivdep
  for (Index k = 0; k < n; ++k) result[k] = y[k] * (g[k] - product);
}

// `width` is a constant for groups, so that the loops over it dissolve.
template <class T>
DL_INLINE void rowsOf(const T* x, Index width, Index stride, Index n, T* y, Index strideY) {
  T largest[SoftmaxKernels<T>::widest], sum[SoftmaxKernels<T>::widest], inverse[SoftmaxKernels<T>::widest];
  for (Index i = 0; i < width; ++i) {
    largest[i] = -infinity<T>;
    sum[i] = 0;
  }
  for (Index k = 0; k < n; ++k)
    for (Index i = 0; i < width; ++i) largest[i] = larger(largest[i], x[k * stride + i]);
  for (Index i = 0; i < width; ++i) largest[i] = shift(largest[i]);
  for (Index k = 0; k < n; ++k) {
#pragma GCC ivdep
    for (Index i = 0; i < width; ++i) {
      const T e = exponential(x[k * stride + i] - largest[i]);
      sum[i] += e;
      y[k * strideY + i] = e;
    }
  }
  for (Index i = 0; i < width; ++i) {
    inverse[i] = inverseOf(sum[i]);
    sum[i] *= tiny<T>;
  }
  for (Index k = 0; k < n; ++k) {
#pragma GCC ivdep
    for (Index i = 0; i < width; ++i) y[k * strideY + i] = scaled(y[k * strideY + i], sum[i], inverse[i]);
  }
}

template <class T>
DL_INLINE void rowGradientsOf(const T* g, const T* y, Index width, Index stride, Index n, T* result) {
  T product[SoftmaxKernels<T>::widest];
  for (Index i = 0; i < width; ++i) product[i] = 0;
  for (Index k = 0; k < n; ++k)
    for (Index i = 0; i < width; ++i) product[i] += g[k * stride + i] * y[k * stride + i];
  for (Index k = 0; k < n; ++k) {
#pragma GCC ivdep
    for (Index i = 0; i < width; ++i) result[k * stride + i] = y[k * stride + i] * (g[k * stride + i] - product[i]);
  }
}

template <class T>
void rows(const T* x, Index width, Index stride, Index n, T* y) {
  rowsOf(x, width, stride, n, y, stride);
}
template <class T>
void rowGradients(const T* g, const T* y, Index width, Index stride, Index n, T* result) {
  rowGradientsOf(g, y, width, stride, n, result);
}

// A group of short columns as rows: element k of column j at [k * group + j].
template <class T>
DL_INLINE void turn(const T* x, Index n, T* rowsOfGroup) {
  for (Index k = 0; k < n; ++k)
    for (int j = 0; j < group; ++j) rowsOfGroup[k * group + j] = x[j * n + k];
}
template <class T>
DL_INLINE void turnBack(const T* rowsOfGroup, Index n, T* y) {
  for (int j = 0; j < group; ++j)
    for (Index k = 0; k < n; ++k) y[j * n + k] = rowsOfGroup[k * group + j];
}

template <class T>
void columns(const T* x, Index n, Index count, T* y) {
  Index c = 0;
  if (n < shortColumn<T>) {
    T near[shortColumn<T> * group];
    for (; c + group <= count; c += group) {
      turn(x + c * n, n, near);
      rowsOf(near, group, group, n, near, group);
      turnBack(near, n, y + c * n);
    }
  }
  for (; c < count; ++c) column(x + c * n, n, y + c * n);
}

template <class T>
void columnGradients(const T* g, const T* y, Index n, Index count, T* result) {
  Index c = 0;
  if (n < shortColumn<T>) {
    T near[shortColumn<T> * group], nearY[shortColumn<T> * group];
    for (; c + group <= count; c += group) {
      turn(g + c * n, n, near);
      turn(y + c * n, n, nearY);
      rowGradientsOf(near, nearY, group, group, n, near);
      turnBack(near, n, result + c * n);
    }
  }
  for (; c < count; ++c) columnGradient(g + c * n, y + c * n, n, result + c * n);
}

}  // namespace

template <class T>
SoftmaxKernels<T> softmaxKernels() {
  return {columns<T>, columnGradients<T>, rows<T>, rowGradients<T>};
}
template SoftmaxKernels<float> softmaxKernels();
template SoftmaxKernels<double> softmaxKernels();

}  // namespace dl::cpu::DLARRAY_ARCH
