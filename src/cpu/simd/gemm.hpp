// The table of matrix product kernels that simd/gemm.cpp and simd/gemv.cpp fill for every level of the processor.
#pragma once

#include "cpu/types.hpp"

namespace dl::cpu {

/// C (m x n) = alpha * op(A) * op(B), or with alpha 1 added to C where `add` says so; leading dimensions in elements, m, n, k >
/// 0.
template <class T>
struct Product {
  bool transA, transB;
  Index m, n, k;
  T alpha;
  const T* a;
  Index lda;
  const T* b;
  Index ldb;
  bool add;
  T* c;
  Index ldc;
};

/// Kernels of products; each runs in one thread. An element of the result is summed in an order that depends on the kernel and on
/// k alone: a product may be cut into blocks of rows and columns in any way.
template <class T>
struct GemmKernels {
  /// Elements of scratch memory, 64-byte aligned, that `product` needs.
  Index (*scratch)(const Product<T>& p);
  void (*product)(const Product<T>& p, T* scratch);
  /// The same for few columns of A or B, of an A that is transposed and a B that is not: nothing is copied.
  void (*inner)(const Product<T>& p);
  /// Arranges op(A) for many products, in whole registers: m rounded up to a multiple of `rows`, times k elements, 64-byte
  /// aligned.
  void (*arrange)(const Product<T>& p, T* to);
  /// The product with such an A, of B as it lies (not transposed) and alpha 1.
  void (*arranged)(const Product<T>& p, const T* a);
  /// The inner product of two vectors.
  T (*dot)(Index n, const T* x, const T* y);
  /// y[i] = sum over l < k of a[i + l * lda] * x[l], for i < m.
  void (*combine)(Index m, Index k, const T* a, Index lda, const T* x, T* y);
  /// Rows and columns in which results are computed at once: good multiples for cutting.
  Index rows, columns;
};

namespace v2 {
template <class T>
const GemmKernels<T>& gemmKernels();
}
namespace v3 {
template <class T>
const GemmKernels<T>& gemmKernels();
}
namespace v4 {
template <class T>
const GemmKernels<T>& gemmKernels();
}

}  // namespace dl::cpu
