// A matrix that many products begin with, arranged for them once.
#pragma once

#include "cpu/simd/gemm.hpp"

namespace dl::cpu {

/// op(A), m x k, in slivers of rows as the product kernels read them; the memory is the caller's.
template <class T>
class PackedFactor {
 public:
  /// Elements of memory needed, 64-byte aligned.
  static Index elements(Index m, Index k);
  /// Arranges op(A), stored transposed (k x m) where `trans` says so, its columns `lda` elements apart.
  PackedFactor(bool trans, Index m, Index k, const T* a, Index lda, T* memory);

  /// C (m x n) = op(A) * B (k x n), added to C where `add` says so; on the calling thread. An element of C does not depend on how
  /// many columns are computed together.
  void multiply(Index n, const T* b, Index ldb, bool add, T* c, Index ldc) const;

 private:
  Index m_, k_;
  const T* packed_;
  void (*multiply_)(const Product<T>& p, const T* a);
};

}  // namespace dl::cpu
