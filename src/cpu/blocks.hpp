// Sums that are the same for every number of threads.
#pragma once

#include <algorithm>

#include "cpu/parallel.hpp"

namespace dl::cpu {

// Sums are taken over blocks that follow from the number of elements alone; there are never more than `mostBlocks`.
inline constexpr Index leastBlock = Index{1} << 12, mostBlocks = 1024;

/// The sum over blocks that cover [0, n), each in double: the rounding errors of single then do not grow with n. Each thread
/// calls body(blocks) once, which calls blocks(blockSum), which calls blockSum(begin, end), a double, for the thread's blocks.
template <class F>
double sumOfBlocks(Index n, F&& body) {
  double total = 0;
  if (n <= leastBlock) {
    if (n > 0) body([&](auto&& blockSum) { total = blockSum(Index{0}, n); });
    return total;
  }
  const Index block = std::max(leastBlock, (n / mostBlocks / leastBlock + 1) * leastBlock), blocks = (n + block - 1) / block;
  double partial[mostBlocks];
  parallelFor(blocks, grainFor(block), [&](Index begin, Index end) {
    body([&](auto&& blockSum) {
      for (Index k = begin; k < end; ++k) partial[k] = blockSum(k * block, std::min(n, (k + 1) * block));
    });
  });
  for (Index k = 0; k < blocks; ++k) total += partial[k];
  return total;
}

}  // namespace dl::cpu
