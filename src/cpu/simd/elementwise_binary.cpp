#include "cpu/simd/elementwise.hpp"
#include "formulas/binary.hpp"

namespace dl::cpu::DLARRAY_ARCH {

namespace {

// One loop for each way the inputs step, so that the compiler sees which one stands still. A single number is read before the
// result may overwrite it.
template <class F, class T, class Result>
void value(Index n, const T* a, int stepA, const T* b, int stepB, Result* y) {
  const T a0 = *a, b0 = *b;
  if (stepA && stepB) {
#pragma GCC ivdep
    for (Index i = 0; i < n; ++i) y[i] = F::value(a[i], b[i]);
  } else if (stepA) {
#pragma GCC ivdep
    for (Index i = 0; i < n; ++i) y[i] = F::value(a[i], b0);
  } else if (stepB) {
#pragma GCC ivdep
    for (Index i = 0; i < n; ++i) y[i] = F::value(a0, b[i]);
  } else {
    const Result y0 = F::value(a0, b0);
    for (Index i = 0; i < n; ++i) y[i] = y0;
  }
}

template <class F, bool byA, class T>
void gradient(Index n, const T* g, const T* a, int stepA, const T* b, int stepB, const T* y, T* result) {
  constexpr unsigned needs = byA ? F::needsForA : F::needsForB;
  constexpr bool useA = (needs & formula::A) != 0, useB = (needs & formula::B) != 0, useY = (needs & formula::Y) != 0;
  const T a0 = useA ? *a : T(0), b0 = useB ? *b : T(0);
  const int movesA = useA ? stepA : 1, movesB = useB ? stepB : 1;
  const auto at = [=](Index i, T ai, T bi) __attribute__((always_inline)) {
    const T yi = useY ? y[i] : T(0);
    if constexpr (byA)
      result[i] = F::gradientA(g[i], ai, bi, yi);
    else
      result[i] = F::gradientB(g[i], ai, bi, yi);
  };
  if (movesA && movesB) {
#pragma GCC ivdep
    for (Index i = 0; i < n; ++i) at(i, useA ? a[i] : T(0), useB ? b[i] : T(0));
  } else if (movesA) {
#pragma GCC ivdep
    for (Index i = 0; i < n; ++i) at(i, useA ? a[i] : T(0), b0);
  } else {
#pragma GCC ivdep
    for (Index i = 0; i < n; ++i) at(i, a0, useB && movesB ? b[i] : b0);
  }
}

template <class F, class T>
constexpr BinaryKernel<T> kernel() {
  if constexpr (F::simple)
    return {value<F, T, T>, nullptr, nullptr};
  else
    return {value<F, T, T>, gradient<F, true, T>, gradient<F, false, T>};
}

template <class T, class... F>
const BinaryKernel<T>* binaryTable(formula::List<F...>) {
  static constexpr BinaryKernel<T> table[] = {kernel<F, T>()...};
  return table;
}

template <class T, class... F>
const RelationKernel<T>* relationTable(formula::List<F...>) {
  static constexpr RelationKernel<T> table[] = {value<F, T, bool>...};
  return table;
}

template <class T>
void select(Index n, const bool* condition, int stepC, const T* a, int stepA, const T* b, int stepB, T* y) {
  const bool c0 = *condition;
  const T a0 = *a, b0 = *b;
#pragma GCC ivdep
  for (Index i = 0; i < n; ++i) y[i] = (stepC ? condition[i] : c0) ? (stepA ? a[i] : a0) : (stepB ? b[i] : b0);
}

}  // namespace

template <class T>
ElementwiseKernels<T> elementwise() {
  return {unaryKernels<T>(), predicateKernels<T>(), binaryTable<T>(formula::BinaryFormulas()),
          relationTable<T>(formula::Relations()), select<T>};
}
template ElementwiseKernels<double> elementwise();
template ElementwiseKernels<float> elementwise();

}  // namespace dl::cpu::DLARRAY_ARCH
