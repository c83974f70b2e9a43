// What the kernels of losses share: they run over pieces, whose values stay in the nearest cache.
#pragma once

#include "cpu/arch.hpp"
#include "cpu/overlay.hpp"
#include "cpu/simd/loss.hpp"

namespace dl::cpu {

inline constexpr Index lossPiece = Laid<float>::piece;

/// The kernels of a formula, by its place in formula::LossFormulas.
template <class T>
const LossKernels<T>& lossKernelsOf(std::size_t formula) {
  static const LossKernels<T>* const table = DLARRAY_FOR_ARCH(lossKernels<T>)();
  return table[formula];
}

/// sums[k * stride] += values[k] for k < n. Many for the same sum are added up beside each other first.
template <class T>
void addTo(double* sums, Index stride, const T* values, Index n) {
  if (stride != 0) {
    for (Index k = 0; k < n; ++k) sums[k * stride] += static_cast<double>(values[k]);
    return;
  }
  constexpr Index width = 16;
  double part[width] = {};
  Index k = 0;
  for (; k + width <= n; k += width)
    for (Index i = 0; i < width; ++i) part[i] += static_cast<double>(values[k + i]);
  for (; k < n; ++k) part[0] += static_cast<double>(values[k]);
  for (const double own : part) *sums += own;
}

}  // namespace dl::cpu
