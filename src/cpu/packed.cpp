#include "cpu/packed.hpp"

#include "cpu/arch.hpp"
#include "cpu/simd/gemm.hpp"

namespace dl::cpu {

template <class T>
Index PackedFactor<T>::elements(Index m, Index k) {
  const Index rows = DLARRAY_FOR_ARCH(gemmKernels<T>)().rows;
  return (m + rows - 1) / rows * rows * k;
}

template <class T>
PackedFactor<T>::PackedFactor(bool trans, Index m, Index k, const T* a, Index lda, T* memory)
    : m_(m), k_(k), packed_(memory), multiply_(DLARRAY_FOR_ARCH(gemmKernels<T>)().arranged) {
  Product<T> p{};
  p.transA = trans, p.m = m, p.k = k, p.a = a, p.lda = lda;
  DLARRAY_FOR_ARCH(gemmKernels<T>)().arrange(p, memory);
}

template <class T>
void PackedFactor<T>::multiply(Index n, const T* b, Index ldb, bool add, T* c, Index ldc) const {
  multiply_(Product<T>{false, false, m_, n, k_, T(1), nullptr, 0, b, ldb, add, c, ldc}, packed_);
}

template class PackedFactor<float>;
template class PackedFactor<double>;

}  // namespace dl::cpu
