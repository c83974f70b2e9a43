// The table of loss kernels that simd/loss.cpp fills for every level of the processor.
#pragma once

#include "cpu/types.hpp"

namespace dl::cpu {

/// The kernels of one formula, in one thread.
template <class T>
struct LossKernels {
  T (*sum)(Index n, const T* a, const T* b);
  void (*gradientA)(Index n, T g, const T* a, const T* b, T* result);
  void (*gradientB)(Index n, T g, const T* a, const T* b, T* result);
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
