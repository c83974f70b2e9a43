// Sums of losses and their derivatives; compiled once for every level of the processor.
#include "cpu/simd/loss.hpp"

#include "formulas/loss.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

template <class F, class T>
T sum(Index n, const T* a, const T* b) {
  constexpr int lanes = 256 / sizeof(T);
  T part[lanes] = {};
  Index i = 0;
  for (; i + lanes <= n; i += lanes)
    for (int j = 0; j < lanes; ++j) part[j] += F::value(a[i + j], b[i + j]);
  T result = 0;
  for (; i < n; ++i) result += F::value(a[i], b[i]);
  for (int width = lanes / 2; width > 0; width /= 2)
    for (int j = 0; j < width; ++j) part[j] += part[j + width];
  return result + part[0];
}

template <class F, bool byA, class T>
void gradient(Index n, T g, const T* a, const T* b, T* result) {
#pragma GCC ivdep
  for (Index i = 0; i < n; ++i) {
    if constexpr (byA)
      result[i] = F::gradientA(g, a[i], b[i], T(0));
    else
      result[i] = F::gradientB(g, a[i], b[i], T(0));
  }
}

template <class T, class... F>
const LossKernels<T>* table(formula::List<F...>) {
  static constexpr LossKernels<T> kernels[] = {{sum<F, T>, gradient<F, true, T>, gradient<F, false, T>}...};
  return kernels;
}

}  // namespace

template <class T>
const LossKernels<T>* lossKernels() {
  return table<T>(formula::LossFormulas());
}
template const LossKernels<float>* lossKernels();
template const LossKernels<double>* lossKernels();

}  // namespace dl::cpu::DLARRAY_ARCH
