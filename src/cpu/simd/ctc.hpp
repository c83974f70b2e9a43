// The CTC kernel that simd/ctc.cpp makes for every level of the processor.
#pragma once

#include "cpu/ctc.hpp"

namespace dl::cpu {

/// For observation b of a batch, in one thread: its loss, and where there is a `result`, as large as the batch's probabilities,
/// factor times the derivative in the observation's part of it. `memory` is `batch.memory(result != nullptr)` doubles, 64-byte
/// aligned.
template <class T>
using CtcKernel = double (*)(const CtcBatch<T>& batch, Index b, double factor, T* result, double* memory);

namespace v2 {
template <class T>
CtcKernel<T> ctcKernel();
}
namespace v3 {
template <class T>
CtcKernel<T> ctcKernel();
}
namespace v4 {
template <class T>
CtcKernel<T> ctcKernel();
}

}  // namespace dl::cpu
