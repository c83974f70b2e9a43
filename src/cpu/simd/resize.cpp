// Interpolation between lines; compiled once for every level of the processor.
#include "cpu/simd/resize.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

// `fixed` lines of a length that fills registers, so that no loop needs an end of its own; 0 for any.
template <Index fixed, class T>
void interpolateLines(const T* from, Index inner, const Tap* taps, Index count, T* to) {
  const Index n = fixed ? fixed : inner;
  for (Index t = 0; t < count; ++t, to += n) {
    const Tap& tap = taps[t];
    const T *a = from + tap.first * n, *b = from + tap.second * n;
    if (tap.weight == 0) {
#pragma GCC ivdep
      for (Index i = 0; i < n; ++i) to[i] = a[i];
      continue;
    }
    const T w = static_cast<T>(tap.weight), v = static_cast<T>(1 - tap.weight);
#pragma GCC ivdep
    for (Index i = 0; i < n; ++i) to[i] = v * a[i] + w * b[i];
  }
}

template <Index fixed, class T>
void adjointLines(const T* from, Index inner, const Tap* taps, Index count, T* to) {
  const Index n = fixed ? fixed : inner;
  for (Index t = 0; t < count; ++t, from += n) {
    const Tap& tap = taps[t];
    T *a = to + tap.first * n, *b = to + tap.second * n;
    const T w = static_cast<T>(tap.weight), v = static_cast<T>(1 - tap.weight);
    if (tap.weight == 0) {
#pragma GCC ivdep
      for (Index i = 0; i < n; ++i) a[i] += from[i];
      continue;
    }
    if (a == b) {
      for (Index i = 0; i < n; ++i) a[i] += v * from[i] + w * from[i];
      continue;
    }
#pragma GCC ivdep
    for (Index i = 0; i < n; ++i) {
      a[i] += v * from[i];
      b[i] += w * from[i];
    }
  }
}

template <class T>
void interpolate(const T* from, Index inner, const Tap* taps, Index count, T* to) {
  inner == turnedLines ? interpolateLines<turnedLines>(from, inner, taps, count, to)
                       : interpolateLines<0>(from, inner, taps, count, to);
}
template <class T>
void adjoint(const T* from, Index inner, const Tap* taps, Index count, T* to) {
  inner == turnedLines ? adjointLines<turnedLines>(from, inner, taps, count, to) : adjointLines<0>(from, inner, taps, count, to);
}

}  // namespace

template <class T>
ResizeKernels<T> resizeKernels() {
  return {interpolate<T>, adjoint<T>};
}
template ResizeKernels<float> resizeKernels();
template ResizeKernels<double> resizeKernels();

}  // namespace dl::cpu::DLARRAY_ARCH
