#include "cpu/packed.hpp"

#include <algorithm>
#include <vector>

#include "cpu/arch.hpp"
#include "cpu/simd/gemm.hpp"

namespace dl::cpu {
namespace {

template <class T>
const GemmKernels<T>& kernels() {
  return DLARRAY_FOR_ARCH(gemmKernels<T>)();
}

// The rows that the kernels compute at once at most: three registers.
template <class T>
Index sliverRows() {
  return 3 * kernels<T>().rows;
}

}  // namespace

template <class T>
Index PackedFactor<T>::elements(Index m, Index k) {
  return m * k;
}

template <class T>
PackedFactor<T>::PackedFactor(bool trans, Index m, Index k, const T* a, T* memory) : m_(m), k_(k), packed_(memory) {
  for (Index i = 0; i < m; i += sliverRows<T>()) {
    const Index rows = std::min(sliverRows<T>(), m - i);
    T* to = memory + i * k;
    if (trans)
      for (Index r = 0; r < rows; ++r)
        for (Index l = 0; l < k; ++l) to[l * rows + r] = a[l + (i + r) * k];
    else
      for (Index l = 0; l < k; ++l) std::copy_n(a + i + l * m, rows, to + l * rows);
  }
}

template <class T>
void PackedFactor<T>::multiply(Index n, const T* b, Index ldb, bool add, T* c, Index ldc) const {
  thread_local std::vector<T> scratch;  // for the last rows, where they fill no register
  for (Index i = 0; i < m_; i += sliverRows<T>()) {
    const Index rows = std::min(sliverRows<T>(), m_ - i);
    const Product<T> p{false, false, rows, n, k_, T(1), packed_ + i * k_, rows, b, ldb, add, c + i, ldc};
    const auto needed = static_cast<std::size_t>(kernels<T>().scratch(p) + 64 / static_cast<Index>(sizeof(T)));
    if (scratch.size() < needed) scratch.resize(needed);
    const auto misaligned = reinterpret_cast<std::uintptr_t>(scratch.data()) % 64;
    kernels<T>().product(p, scratch.data() + (misaligned ? (64 - misaligned) / sizeof(T) : 0));
  }
}

template class PackedFactor<float>;
template class PackedFactor<double>;

}  // namespace dl::cpu
