// Transposition of small squares in registers. To be included by the sources in simd/ alone: everything is local to them.
#pragma once

#include <cstring>

#include "cpu/simd/register_bytes.hpp"
#include "cpu/types.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

// A square of N x N elements, one register a row. Interleaving row i with row i + N/2 is one step of a perfect shuffle
// of all N * N elements; log2(N) of them turn rows into columns.
template <class T, int N>
struct Square {
  typedef T Row __attribute__((vector_size(N * sizeof(T))));

  template <int... I>
  struct Indices {};
  template <int K, int... I>
  struct Make : Make<K - 1, K - 1, I...> {};
  template <int... I>
  struct Make<0, I...> {
    using type = Indices<I...>;
  };

  template <int... I>
  __attribute__((always_inline)) static void interleave(const Row* from, Row* to, Indices<I...>) {
#pragma GCC unroll 32
    for (int i = 0; i < N / 2; ++i) {
      const Row a = from[i];
      const Row b = from[i + N / 2];
      to[2 * i] = __builtin_shufflevector(a, b, (I / 2 + I % 2 * N)...);
      to[2 * i + 1] = __builtin_shufflevector(a, b, (I / 2 + N / 2 + I % 2 * N)...);
    }
  }

  // columns[j] = element j of each of the N rows, row i beginning at x + i * xStride.
  __attribute__((always_inline)) static void turn(const T* x, Index xStride, Row (&columns)[N]) {
    Row rows[N];
#pragma GCC unroll 32
    for (int i = 0; i < N; ++i) std::memcpy(&rows[i], x + i * xStride, sizeof(Row));
    constexpr typename Make<N>::type all{};
    interleave(rows, columns, all);
    if constexpr (N >= 4) interleave(columns, rows, all);
    if constexpr (N >= 8) interleave(rows, columns, all);
    if constexpr (N >= 16) interleave(columns, rows, all);
    if constexpr (N == 4 || N == 16) {
#pragma GCC unroll 32
      for (int i = 0; i < N; ++i) columns[i] = rows[i];
    }
  }

  // y[i + j * yStride] = x[i * xStride + j] for i, j < N.
  __attribute__((always_inline)) static void run(const T* x, Index xStride, T* y, Index yStride) {
    Row columns[N];
    turn(x, xStride, columns);
#pragma GCC unroll 32
    for (int j = 0; j < N; ++j) std::memcpy(y + j * yStride, &columns[j], sizeof(Row));
  }
};

// y[i + j * yStride] = x[i * xStride + j] for i < m, j < n, without squares.
template <class T>
void transposeRest(const T* x, Index xStride, T* y, Index yStride, Index m, Index n) {
  for (Index j = 0; j < n; ++j)
    for (Index i = 0; i < m; ++i) y[i + j * yStride] = x[i * xStride + j];
}

// The same with squares of N x N, and smaller ones for what is left. The rows of x may each lie on a page of their own, where the
// processor foresees nothing.
template <class T, int N>
void transposeSquares(const T* x, Index xStride, T* y, Index yStride, Index m, Index n) {
  if constexpr (N < 4) {
    transposeRest(x, xStride, y, yStride, m, n);
  } else {
    const Index wholeM = m / N * N, wholeN = n / N * N;
    for (Index j = 0; j < wholeN; j += N)
      for (Index i = 0; i < wholeM; i += N) {
#pragma GCC unroll 16
        for (int q = 0; q < N; ++q) __builtin_prefetch(x + (i + q) * xStride + j + N);
        Square<T, N>::run(x + i * xStride + j, xStride, y + i + j * yStride, yStride);
      }
    if (wholeM < m && wholeN > 0)
      transposeSquares<T, N / 2>(x + wholeM * xStride, xStride, y + wholeM, yStride, m - wholeM, wholeN);
    if (wholeN < n) transposeSquares<T, N / 2>(x + wholeN, xStride, y + wholeN * yStride, yStride, m, n - wholeN);
  }
}

}  // namespace
}  // namespace dl::cpu::DLARRAY_ARCH
