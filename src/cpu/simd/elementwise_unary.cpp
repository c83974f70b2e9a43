#include "cpu/simd/elementwise.hpp"
#include "formulas/unary.hpp"

namespace dl::cpu::DLARRAY_ARCH {

namespace {

template <class F, class T>
void value(Index n, const T* x, T* y) {
#pragma GCC ivdep
  for (Index i = 0; i < n; ++i) y[i] = F::value(x[i]);
}

template <class F, class T>
void gradient(Index n, const T* g, const T* x, const T* y, T* result) {
  constexpr bool useX = (F::needs & formula::X) != 0, useY = (F::needs & formula::Y) != 0;
#pragma GCC ivdep
  for (Index i = 0; i < n; ++i) result[i] = F::gradient(g[i], useX ? x[i] : T(0), useY ? y[i] : T(0));
}

template <class F, class T>
void predicate(Index n, const T* x, bool* y) {
#pragma GCC ivdep
  for (Index i = 0; i < n; ++i) y[i] = F::value(x[i]);
}

template <class F, class T>
constexpr UnaryKernel<T> kernel() {
  if constexpr (F::differentiable)
    return {value<F, T>, gradient<F, T>};
  else
    return {value<F, T>, nullptr};
}

template <class T, class... F>
const UnaryKernel<T>* unaryTable(formula::List<F...>) {
  static constexpr UnaryKernel<T> table[] = {kernel<F, T>()...};
  return table;
}

template <class T, class... F>
const PredicateKernel<T>* predicateTable(formula::List<F...>) {
  static constexpr PredicateKernel<T> table[] = {predicate<F, T>...};
  return table;
}

}  // namespace

template <class T>
const UnaryKernel<T>* unaryKernels() {
  return unaryTable<T>(formula::UnaryFormulas());
}
template <class T>
const PredicateKernel<T>* predicateKernels() {
  return predicateTable<T>(formula::Predicates());
}
template const UnaryKernel<double>* unaryKernels();
template const UnaryKernel<float>* unaryKernels();
template const PredicateKernel<double>* predicateKernels();
template const PredicateKernel<float>* predicateKernels();

}  // namespace dl::cpu::DLARRAY_ARCH
