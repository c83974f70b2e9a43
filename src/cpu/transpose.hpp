// Which transposition kernel is whose.
#pragma once

#include "cpu/arch.hpp"
#include "cpu/simd/transpose.hpp"

namespace dl::cpu {

/// The kernel for elements of a size in bytes; null where there is none.
inline TransposeTile transposeTile(std::size_t elementSize) {
  const TransposeKernels& k = DLARRAY_FOR_ARCH(transposeKernels)();
  switch (elementSize) {
    case 1:
      return k.bytes1;
    case 2:
      return k.bytes2;
    case 4:
      return k.bytes4;
    case 8:
      return k.bytes8;
    case 16:
      return k.bytes16;
    default:
      return nullptr;
  }
}

}  // namespace dl::cpu
