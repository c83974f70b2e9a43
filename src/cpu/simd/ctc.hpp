// The table of CTC kernels that simd/ctc.cpp fills for every level of the processor.
#pragma once

#include "cpu/ctc.hpp"

namespace dl::cpu {

/// Kernels for observation b of a batch, in one thread.
template <class T>
struct CtcKernels {
  double (*loss)(const CtcBatch<T>& batch, Index b, double* workspace);
  /// Adds to `result`, which is as large as the batch's probabilities.
  void (*gradient)(const CtcBatch<T>& batch, Index b, double factor, double* workspace, T* result);
};

namespace v2 {
template <class T>
CtcKernels<T> ctcKernels();
}
namespace v3 {
template <class T>
CtcKernels<T> ctcKernels();
}
namespace v4 {
template <class T>
CtcKernels<T> ctcKernels();
}

}  // namespace dl::cpu
