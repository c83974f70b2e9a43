#pragma once
// How wide registers are. To be included by the sources in simd/ alone: everything is local to them.

namespace dl::cpu::DLARRAY_ARCH {
namespace {

#if defined(__AVX512F__)
constexpr int registerBytes = 64;
#elif defined(__AVX2__)
constexpr int registerBytes = 32;
#else
constexpr int registerBytes = 16;
#endif

}  // namespace
}  // namespace dl::cpu::DLARRAY_ARCH
