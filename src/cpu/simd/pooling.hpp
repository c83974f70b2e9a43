// The table of pooling kernels that simd/pooling.cpp fills for every level of the processor.
#pragma once

#include <cstdint>
#include <type_traits>

#include "cpu/pooling.hpp"

namespace dl::cpu {

/// A whole number as wide as an element, so that vectors of both have equally many.
template <class T>
using PoolCode = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;

/// One row of results: windows that move along the first dimension, over `count` columns that begin at x + columns[c].
template <class T>
struct PoolKernels {
  void (*maxRow)(const T* x, const Index* columns, Index count, const PoolAxis& axis, T* y);
  /// Which element of its window is the largest: column * axis.window + offset.
  void (*maxCodes)(const T* x, const Index* columns, Index count, const PoolAxis& axis, PoolCode<T>* codes);
  void (*sumRow)(const T* x, const Index* columns, Index count, const PoolAxis& axis, T* y);
  /// Adds g to every element of its window.
  void (*spreadRow)(const T* g, const Index* columns, Index count, const PoolAxis& axis, T* x);
};

namespace v2 {
template <class T>
PoolKernels<T> poolKernels();
}
namespace v3 {
template <class T>
PoolKernels<T> poolKernels();
}
namespace v4 {
template <class T>
PoolKernels<T> poolKernels();
}

}  // namespace dl::cpu
