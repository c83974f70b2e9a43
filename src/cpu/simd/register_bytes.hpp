#pragma once
// How wide registers and lines of the caches are. To be included by the sources in simd/ alone: everything is local to them.
#include "cpu/types.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

#if defined(__AVX512F__)
constexpr int registerBytes = 64;
#elif defined(__AVX2__)
constexpr int registerBytes = 32;
#else
constexpr int registerBytes = 16;
#endif

/// Elements of a line.
template <class T>
constexpr Index cacheLine = 64 / static_cast<Index>(sizeof(T));

}  // namespace
}  // namespace dl::cpu::DLARRAY_ARCH
