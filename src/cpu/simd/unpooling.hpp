// The table of unpooling kernels that simd/unpooling.cpp fills for every level of the processor.
#pragma once

#include "cpu/pooling.hpp"

namespace dl::cpu {

template <class T>
struct UnpoolKernels {
  /// True when n positions are whole numbers from `begin` to `end` - 1.
  bool (*within)(const double* at, Index n, double begin, double end);
  /// Zeros with x at the positions, where each lies in its own window, and the way back. The first page begins at position
  /// `begin`. False, with useless results, where a position lies elsewhere.
  bool (*pairs)(const T* x, const double* at, const PoolPairs& p, Index begin, Index pages, T* y);
  bool (*pairsAdjoint)(const T* g, const double* at, const PoolPairs& p, Index begin, Index pages, T* dx);
};

namespace v2 {
template <class T>
UnpoolKernels<T> unpoolKernels();
}  // namespace v2
namespace v3 {
template <class T>
UnpoolKernels<T> unpoolKernels();
}  // namespace v3
namespace v4 {
template <class T>
UnpoolKernels<T> unpoolKernels();
}  // namespace v4

}  // namespace dl::cpu
