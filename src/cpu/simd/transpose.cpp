// Transposition of tiles; compiled once for every level of the processor.
#include "cpu/simd/transpose.hpp"

#include <cstdint>

#include "cpu/simd/square.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

struct Pair {
  std::uint64_t low, high;
};

template <class T, int N>
void tile(const void* x, Index xStride, void* y, Index yStride, Index m, Index n) {
  transposeSquares<T, N>(static_cast<const T*>(x), xStride, static_cast<T*>(y), yStride, m, n);
}

void tile16(const void* x, Index xStride, void* y, Index yStride, Index m, Index n) {
  transposeRest(static_cast<const Pair*>(x), xStride, static_cast<Pair*>(y), yStride, m, n);
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
