// The table of softmax kernels that simd/softmax.cpp fills for every level of the processor.
#pragma once

#include "cpu/types.hpp"

namespace dl::cpu {

/// Kernels that run in one thread. Results may lie where an input lies.
template <class T>
struct SoftmaxKernels {
  /// `count` columns of n elements one behind the other.
  void (*columns)(const T* x, Index n, Index count, T* y);
  void (*columnGradients)(const T* g, const T* y, Index n, Index count, T* result);
  /// `width` columns side by side: element k of column i lies at [i + k * stride]. Results `past` the caches go to memory at once, as those of
  /// large arrays should; then they must lie at whole cache lines.
  void (*rows)(const T* x, Index width, Index stride, Index n, T* y, bool past);
  void (*rowGradients)(const T* g, const T* y, Index width, Index stride, Index n, T* result, bool past);
};

namespace v2 {
template <class T>
SoftmaxKernels<T> softmaxKernels();
}
namespace v3 {
template <class T>
SoftmaxKernels<T> softmaxKernels();
}
namespace v4 {
template <class T>
SoftmaxKernels<T> softmaxKernels();
}

}  // namespace dl::cpu
