#include "cpu/loss.hpp"

#include <algorithm>

#include "cpu/arch.hpp"
#include "cpu/parallel.hpp"
#include "cpu/simd/loss.hpp"

namespace dl::cpu {
namespace {

template <class T>
const LossKernels<T>& kernels(std::size_t formula) {
  static const LossKernels<T>* const table = DLARRAY_FOR_ARCH(lossKernels<T>)();
  return table[formula];
}

// Sums are taken over blocks that follow from the number of elements alone; there are never more than `mostBlocks`.
constexpr Index leastBlock = Index{1} << 12, mostBlocks = 1024;

}  // namespace

template <class T>
double lossSum(std::size_t formula, const T* a, const T* b, Index n) {
  const auto sum = kernels<T>(formula).sum;
  if (n <= leastBlock) return n > 0 ? static_cast<double>(sum(n, a, b)) : 0.0;
  const Index block = std::max(leastBlock, (n / mostBlocks / leastBlock + 1) * leastBlock), blocks = (n + block - 1) / block;
  double partial[mostBlocks];
  parallelFor(blocks, grainFor(block), [&](Index begin, Index end) {
    for (Index k = begin; k < end; ++k) {
      double total = 0;  // in double, block by block: the rounding errors of single do not grow with n
      const Index last = std::min(n, (k + 1) * block);
      for (Index i = k * block; i < last; i += leastBlock)
        total += static_cast<double>(sum(std::min(leastBlock, last - i), a + i, b + i));
      partial[k] = total;
    }
  });
  double total = 0;
  for (Index k = 0; k < blocks; ++k) total += partial[k];
  return total;
}

template <class T>
void lossGradient(std::size_t formula, bool byA, T g, const T* a, const T* b, Index n, T* result) {
  const auto gradient = byA ? kernels<T>(formula).gradientA : kernels<T>(formula).gradientB;
  parallelFor(n, parallelElements,
              [&](Index begin, Index end) { gradient(end - begin, g, a + begin, b + begin, result + begin); });
}

template double lossSum(std::size_t, const float*, const float*, Index);
template double lossSum(std::size_t, const double*, const double*, Index);
template void lossGradient(std::size_t, bool, float, const float*, const float*, Index, float*);
template void lossGradient(std::size_t, bool, double, const double*, const double*, Index, double*);

}  // namespace dl::cpu
