// Products of matrices and vectors; column-major, contiguous.
#pragma once

#include "cpu/types.hpp"

namespace dl::cpu {

/// C (m x n) = alpha * op(A) * op(B) + beta * C, where op(A) is m x k and op(B) k x n, stored transposed where the flag
/// says so. With beta = 0 the old C is not read; with k = 0 C becomes beta * C. T: float, double.
template <class T>
void gemm(bool transA, bool transB, Index m, Index n, Index k, T alpha, const T* a, const T* b, T beta, T* c);

/// C = alpha * op(A) * op(B), or with alpha 1 added to C where `add` says so, of matrices inside larger ones (leading dimensions
/// in elements), on the calling thread. An element of C depends on its row of op(A) and its column of op(B) alone.
template <class T>
void gemmWithin(bool transA, bool transB, Index m, Index n, Index k, T alpha, const T* a, Index lda, const T* b, Index ldb,
                bool add, T* c, Index ldc);

/// The same by as many threads as it is worth, with the same result for every number of them.
template <class T>
void gemmWithinByThreads(bool transA, bool transB, Index m, Index n, Index k, T alpha, const T* a, Index lda, const T* b,
                         Index ldb, bool add, T* c, Index ldc);

/// One `gemm` a page: page p uses a + p * aStride, b + p * bStride, c + p * cStride (strides in elements; 0 uses the same
/// A or B for every page).
template <class T>
void gemmBatch(bool transA, bool transB, Index m, Index n, Index k, T alpha, const T* a, Index aStride, const T* b, Index bStride,
               T beta, T* c, Index cStride, Index pages);

/// The inner product of two vectors; the same for every number of threads.
template <class T>
T dot(Index n, const T* x, const T* y);

}  // namespace dl::cpu
