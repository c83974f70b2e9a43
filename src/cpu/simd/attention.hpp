// The table of softmax kernels that simd/attention.cpp fills for every level of the processor.
#pragma once

#include "cpu/types.hpp"

namespace dl::cpu {

template <class T>
struct AttentionKernels {
  /// scores[0 .. n) become their softmax; those of keys that are not allowed, unless null, become 0, and all do when none is.
  void (*softmax)(Index n, const bool* allowed, T* scores);
  /// The derivatives by the scores, times `scale`, from those by their softmax.
  void (*softmaxBack)(Index n, T scale, const T* softmax, const T* gradient, T* scores);
};

namespace v2 {
template <class T>
const AttentionKernels<T>& attentionKernels();
}
namespace v3 {
template <class T>
const AttentionKernels<T>& attentionKernels();
}
namespace v4 {
template <class T>
const AttentionKernels<T>& attentionKernels();
}

}  // namespace dl::cpu
