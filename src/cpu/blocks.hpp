// Sums that are the same for every number of threads.
#pragma once

#include <algorithm>
#include <memory>

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

/// `width` sums over the elements [0, n) in double: add(begin, end, sums) adds the elements of a block. Every block has sums of
/// its own, so that there are only as many as take little room beside the elements.
template <class F>
std::unique_ptr<double[]> sumsOfBlocks(Index n, Index width, F&& add) {
  const Index blocks = std::clamp(n / std::max(leastBlock, 16 * width), Index{1}, Index{16}), block = (n + blocks - 1) / blocks;
  auto sums = std::make_unique<double[]>(static_cast<std::size_t>(blocks * width));
  parallelFor(blocks, grainFor(block), [&](Index begin, Index end) {
    for (Index k = begin; k < end; ++k) add(k * block, std::min(n, (k + 1) * block), sums.get() + k * width);
  });
  for (Index k = 1; k < blocks; ++k)
    for (Index i = 0; i < width; ++i) sums[static_cast<std::size_t>(i)] += sums[static_cast<std::size_t>(k * width + i)];
  return sums;
}

}  // namespace dl::cpu
