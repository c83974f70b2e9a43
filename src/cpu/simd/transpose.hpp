// The table of transposition kernels that simd/transpose.cpp fills for every level of the processor.
#pragma once

#include <cstddef>

#include "cpu/types.hpp"

namespace dl::cpu {

/// y[i + j * yStride] = x[i * xStride + j] for i < m, j < n; strides in elements. m x n should fit the nearest cache.
using TransposeTile = void (*)(const void* x, Index xStride, void* y, Index yStride, Index m, Index n);

/// One kernel for each element size that has its own.
struct TransposeKernels {
  TransposeTile bytes1, bytes2, bytes4, bytes8, bytes16;
};

namespace v2 {
const TransposeKernels& transposeKernels();
}
namespace v3 {
const TransposeKernels& transposeKernels();
}
namespace v4 {
const TransposeKernels& transposeKernels();
}

}  // namespace dl::cpu
