// Products with one vector. To be included by the sources in simd/ alone: everything is local to them.
#pragma once

#include "cpu/types.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

// Sums products in `lanes` interleaved parts, then the parts in a tree.
template <int lanes, class T>
T dotInLanes(Index n, const T* x, const T* y) {
  T part[lanes] = {};
  Index i = 0;
  for (; i + lanes <= n; i += lanes)
    for (int j = 0; j < lanes; ++j) part[j] += x[i + j] * y[i + j];
  for (int j = 0; j < n - i; ++j) part[j] += x[i + j] * y[i + j];
  for (int half = lanes / 2; half > 0; half /= 2)
    for (int j = 0; j < half; ++j) part[j] += part[j + half];
  return part[0];
}

template <class T>
T dot(Index n, const T* x, const T* y) {
  constexpr int lanes = 256 / sizeof(T);
  return n >= lanes ? dotInLanes<lanes>(n, x, y) : n >= lanes / 4 ? dotInLanes<lanes / 4>(n, x, y) : dotInLanes<4>(n, x, y);
}

// Eight columns at a time for each passage over y.
template <class T>
void combine(Index m, Index k, const T* a, Index lda, const T* x, T* y) {
  for (Index i = 0; i < m; ++i) y[i] = 0;
  Index l = 0;
  for (; l + 8 <= k; l += 8) {
    const T* c[8];
    T f[8];
    for (int j = 0; j < 8; ++j) c[j] = a + (l + j) * lda, f[j] = x[l + j];
    for (Index i = 0; i < m; ++i)
      y[i] += ((c[0][i] * f[0] + c[1][i] * f[1]) + (c[2][i] * f[2] + c[3][i] * f[3])) +
              ((c[4][i] * f[4] + c[5][i] * f[5]) + (c[6][i] * f[6] + c[7][i] * f[7]));
  }
  for (; l < k; ++l)
    for (Index i = 0; i < m; ++i) y[i] += a[i + l * lda] * x[l];
}

}  // namespace
}  // namespace dl::cpu::DLARRAY_ARCH
