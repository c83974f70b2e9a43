// The table of loss kernels that simd/loss.cpp fills for every level of the processor.
#pragma once

#include "cpu/types.hpp"

namespace dl::cpu {

/// The kernels of one formula, in one thread: n predictions a, targets b, the formula's parameter p. With weights w and a mask m,
/// an element that the mask leaves out gives 0, whatever it is.
template <class T>
struct LossKernels {
  T (*sum)(Index n, T p, const T* a, const T* b);
  T (*weightedSum)(Index n, T p, const T* a, const T* b, const T* w, const bool* m);
  /// result = g times the loss of each element.
  void (*values)(Index n, T p, T g, const T* a, const T* b, const T* w, const bool* m, T* result);
  /// result = g times the derivative of the loss of each element by a or by b.
  using Gradient = void (*)(Index n, T p, T g, const T* a, const T* b, T* result);
  Gradient gradientA, gradientB;
  using WeightedGradient = void (*)(Index n, T p, T g, const T* a, const T* b, const T* w, const bool* m, T* result);
  WeightedGradient weightedA, weightedB;
};

// In the order of formula::LossFormulas.
namespace v2 {
template <class T>
const LossKernels<T>* lossKernels();
}
namespace v3 {
template <class T>
const LossKernels<T>* lossKernels();
}
namespace v4 {
template <class T>
const LossKernels<T>* lossKernels();
}

}  // namespace dl::cpu
