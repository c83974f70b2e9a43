// The tables of reduction kernels that simd/reduce.cpp and simd/reduce_index.cpp fill for every level of the processor.
#pragma once

#include "cpu/reduce.hpp"

namespace dl::cpu {

/// Kernels of one reduction from elements of type In to results of type Out. They run in one thread, and sum in an order
/// that depends on the sizes alone.
template <class In, class Out>
struct ReduceKernels {
  /// y[c] = reduction of x[c * stride] to x[c * stride + n - 1], for c < count.
  void (*columns)(const In* x, Index n, Index stride, Index count, Out* y);
  /// y[i] = reduction over k < n of x[i + k * stride], for i < width.
  void (*rows)(const In* x, Index width, Index stride, Index n, Out* y);
};

/// Kernels of max or min with positions, for any n.
template <class T>
struct ReduceIndexKernels {
  /// The value and first position (as T) of the extreme of each of `count` columns of n elements.
  void (*columns)(const T* x, Index n, Index count, T* values, T* positions);
  /// The same for `width` columns side by side, x[i + k * stride] being element k of column i.
  void (*rows)(const T* x, Index width, Index stride, Index n, T* values, T* positions);
};

// In, Out: T, T for T = float, double (any and all excepted); T, bool for T = float, double, bool (any and all only).
namespace v2 {
template <class In, class Out>
ReduceKernels<In, Out> reduceKernels(Reduction kind);
template <class T>
ReduceIndexKernels<T> reduceIndexKernels(Reduction kind);
}  // namespace v2
namespace v3 {
template <class In, class Out>
ReduceKernels<In, Out> reduceKernels(Reduction kind);
template <class T>
ReduceIndexKernels<T> reduceIndexKernels(Reduction kind);
}  // namespace v3
namespace v4 {
template <class In, class Out>
ReduceKernels<In, Out> reduceKernels(Reduction kind);
template <class T>
ReduceIndexKernels<T> reduceIndexKernels(Reduction kind);
}  // namespace v4

}  // namespace dl::cpu
