// Transposition of tiles; compiled once for every level of the processor.
#include "cpu/simd/transpose.hpp"

#include <cstdint>

#include "cpu/simd/square.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

// Elements of 16 bytes are registers already.
typedef std::uint64_t Pair __attribute__((vector_size(16)));
typedef std::uint64_t PairAnywhere __attribute__((vector_size(16), aligned(1), may_alias));

template <class T, int N>
void tile(const void* x, Index xStride, void* y, Index yStride, Index m, Index n) {
  transposeSquares<T, N>(static_cast<const T*>(x), xStride, static_cast<T*>(y), yStride, m, n);
}

// Four by four: whole cache lines are read, and whole ones written.
void tile16(const void* from, Index xStride, void* to, Index yStride, Index m, Index n) {
  const auto* x = static_cast<const PairAnywhere*>(from);
  auto* y = static_cast<PairAnywhere*>(to);
  const Index wholeM = m / 4 * 4, wholeN = n / 4 * 4;
  for (Index j = 0; j < wholeN; j += 4)
    for (Index i = 0; i < wholeM; i += 4) {
      Pair square[16];
#pragma GCC unroll 16
      for (Index e = 0; e < 16; ++e) square[e] = x[(i + e / 4) * xStride + j + e % 4];
#pragma GCC unroll 16
      for (Index e = 0; e < 16; ++e) y[i + e % 4 + (j + e / 4) * yStride] = square[e % 4 * 4 + e / 4];
    }
  for (Index j = 0; j < n; ++j)
    for (Index i = j < wholeN ? wholeM : 0; i < m; ++i) y[i + j * yStride] = x[i * xStride + j];
}

}  // namespace

const TransposeKernels& transposeKernels() {
  // Sixteen rows fill the registers of every level, so single bytes and pairs stay at 16 x 16 and 8 x 8.
  static constexpr TransposeKernels kernels{tile<std::uint8_t, 16>, tile<std::uint16_t, 8>,
                                            tile<std::uint32_t, registerBytes / 4>, tile<std::uint64_t, registerBytes / 8>,
                                            tile16};
  return kernels;
}

}  // namespace dl::cpu::DLARRAY_ARCH
