#include "cpu/packed.hpp"

#include <algorithm>

#include "cpu/arch.hpp"
#include "cpu/blas.hpp"
#include "cpu/simd/gemm.hpp"

namespace dl::cpu {
namespace {

// The rows that the kernels compute at once at most: three registers.
template <class T>
Index sliverRows() {
  return 3 * DLARRAY_FOR_ARCH(gemmKernels<T>)().rows;
}

}  // namespace

template <class T>
Index PackedFactor<T>::elements(Index m, Index k) {
  return m * k;
}

template <class T>
PackedFactor<T>::PackedFactor(bool trans, Index m, Index k, const T* a, Index lda, T* memory) : m_(m), k_(k), packed_(memory) {
  for (Index i = 0; i < m; i += sliverRows<T>()) {
    const Index rows = std::min(sliverRows<T>(), m - i);
    T* to = memory + i * k;
    if (trans)
      for (Index r = 0; r < rows; ++r)
        for (Index l = 0; l < k; ++l) to[l * rows + r] = a[l + (i + r) * lda];
    else
      for (Index l = 0; l < k; ++l) std::copy_n(a + i + l * lda, rows, to + l * rows);
  }
}

template <class T>
void PackedFactor<T>::multiply(Index n, const T* b, Index ldb, bool add, T* c, Index ldc) const {
  for (Index i = 0; i < m_; i += sliverRows<T>()) {
    const Index rows = std::min(sliverRows<T>(), m_ - i);
    gemmWithin(false, false, rows, n, k_, T(1), packed_ + i * k_, rows, b, ldb, add, c + i, ldc);
  }
}

template class PackedFactor<float>;
template class PackedFactor<double>;

}  // namespace dl::cpu
