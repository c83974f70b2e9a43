// Running sums and products; compiled once for every level of the processor.
#include "cpu/simd/scan.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

template <class T>
struct Sum {
  static constexpr T neutral = 0;
  static T combine(T a, T b) { return a + b; }
};
template <class T>
struct Product {
  static constexpr T neutral = 1;
  static T combine(T a, T b) { return a * b; }
};

// Each eight elements are combined among themselves first: only one step in eight waits for the step before.
template <class Op, bool reverse, class T>
T column(const T* x, Index n, T before, T* y) {
  constexpr int group = 8;
  const auto at = [n](Index i) { return reverse ? n - 1 - i : i; };
  Index i = 0;
  for (; i + group <= n; i += group) {
    T part[group];
    part[0] = x[at(i)];
    for (int j = 1; j < group; ++j) part[j] = Op::combine(part[j - 1], x[at(i + j)]);
    for (int j = 0; j < group; ++j) y[at(i + j)] = Op::combine(before, part[j]);
    before = Op::combine(before, part[group - 1]);
  }
  for (; i < n; ++i) y[at(i)] = before = Op::combine(before, x[at(i)]);
  return before;
}

template <class Op, bool reverse, class T>
void rows(const T* x, Index width, Index stride, Index n, T* y) {
  const auto at = [n, stride](Index k) { return (reverse ? n - 1 - k : k) * stride; };
  for (Index i = 0; i < width; ++i) y[at(0) + i] = x[at(0) + i];
  for (Index k = 1; k < n; ++k) {
    const T *from = x + at(k), *last = y + at(k - 1);
    T* to = y + at(k);
    for (Index i = 0; i < width; ++i) to[i] = Op::combine(last[i], from[i]);
  }
}

template <class Op, class T>
void shift(T* y, Index n, T before) {
  for (Index i = 0; i < n; ++i) y[i] = Op::combine(before, y[i]);
}

template <class Op, class T>
ScanKernels<T> kernels(bool reverse) {
  if (reverse) return {column<Op, true, T>, rows<Op, true, T>, shift<Op, T>, Op::neutral};
  return {column<Op, false, T>, rows<Op, false, T>, shift<Op, T>, Op::neutral};
}

}  // namespace

template <class T>
ScanKernels<T> scanKernels(bool product, bool reverse) {
  return product ? kernels<Product<T>, T>(reverse) : kernels<Sum<T>, T>(reverse);
}

template ScanKernels<float> scanKernels(bool, bool);
template ScanKernels<double> scanKernels(bool, bool);

}  // namespace dl::cpu::DLARRAY_ARCH
