#include "cpu/scan.hpp"

#include <algorithm>
#include <vector>

#include "cpu/arch.hpp"
#include "cpu/parallel.hpp"
#include "cpu/simd/scan.hpp"

namespace dl::cpu {
namespace {

// A column this long is worth cutting up: each block is scanned by itself, then shifted by what stands before it. The
// choice depends on the sizes alone, so that results are the same for every number of threads.
constexpr Index longColumn = Index{1} << 17;
constexpr Index block = Index{1} << 14;

template <class T>
void scanLongColumn(const ScanKernels<T>& kernels, const T* x, Index n, bool reverse, T* y) {
  const Index blocks = (n + block - 1) / block;
  std::vector<T> totals(static_cast<std::size_t>(blocks));
  parallelFor(blocks, 2, [&](Index begin, Index end) {
    for (Index b = begin; b < end; ++b)
      totals[static_cast<std::size_t>(b)] =
          kernels.column(x + b * block, std::min(block, n - b * block), kernels.neutral, y + b * block);
  });
  kernels.column(totals.data(), blocks, kernels.neutral, totals.data());
  parallelFor(blocks, 2, [&](Index begin, Index end) {
    for (Index b = begin; b < end; ++b) {
      const Index neighbour = reverse ? b + 1 : b - 1;
      if (neighbour < 0 || neighbour == blocks) continue;
      kernels.shift(y + b * block, std::min(block, n - b * block), totals[static_cast<std::size_t>(neighbour)]);
    }
  });
}

template <class T>
void scan(bool product, const T* x, Index inner, Index n, Index outer, Direction direction, T* y) {
  if (inner == 0 || n == 0 || outer == 0) return;
  const bool reverse = direction == Direction::reverse;
  const ScanKernels<T> kernels = DLARRAY_FOR_ARCH(scanKernels<T>)(product, reverse);
  if (inner > 1) {
    const Index tile = std::min<Index>(inner, 1024), tiles = (inner + tile - 1) / tile;
    parallelFor(tiles * outer, grainFor(tile * n), [&](Index begin, Index end) {
      for (Index unit = begin; unit < end; ++unit) {
        const Index column = unit % tiles * tile, offset = unit / tiles * inner * n + column;
        kernels.rows(x + offset, std::min(tile, inner - column), inner, n, y + offset);
      }
    });
  } else if (outer == 1 && n >= longColumn) {
    scanLongColumn(kernels, x, n, reverse, y);
  } else {
    parallelFor(outer, grainFor(n), [&](Index begin, Index end) {
      for (Index c = begin; c < end; ++c) kernels.column(x + c * n, n, kernels.neutral, y + c * n);
    });
  }
}

}  // namespace

template <class T>
void cumsum(const T* x, Index inner, Index n, Index outer, Direction direction, T* y) {
  scan(false, x, inner, n, outer, direction, y);
}

template <class T>
void cumprod(const T* x, Index inner, Index n, Index outer, Direction direction, T* y) {
  scan(true, x, inner, n, outer, direction, y);
}

template void cumsum(const float*, Index, Index, Index, Direction, float*);
template void cumsum(const double*, Index, Index, Index, Direction, double*);
template void cumprod(const float*, Index, Index, Index, Direction, float*);
template void cumprod(const double*, Index, Index, Index, Direction, double*);

}  // namespace dl::cpu
