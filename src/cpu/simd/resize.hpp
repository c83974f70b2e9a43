// The table of interpolation kernels that simd/resize.cpp fills for every level of the processor.
#pragma once

#include "cpu/resize.hpp"

namespace dl::cpu {

/// Lines of this length have loops of their own.
inline constexpr Index turnedLines = 16;

template <class T>
struct ResizeKernels {
  /// For each tap `inner` elements of `to` from those of `from`.
  void (*interpolate)(const T* from, Index inner, const Tap* taps, Index count, T* to);
  /// Adds to `to` what each tap took from there.
  void (*adjoint)(const T* from, Index inner, const Tap* taps, Index count, T* to);
};

namespace v2 {
template <class T>
ResizeKernels<T> resizeKernels();
}
namespace v3 {
template <class T>
ResizeKernels<T> resizeKernels();
}
namespace v4 {
template <class T>
ResizeKernels<T> resizeKernels();
}

}  // namespace dl::cpu
