// Inner products of the columns of two matrices. To be included by the sources in simd/ alone: everything is local to them.
#pragma once

#include <utility>

#include "cpu/simd/gemm.hpp"
#include "cpu/simd/tile.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

// The sums of elements half a register apart, those of a and b by turns.
template <class Vector, int... lanes>
DL_INLINE Vector addHalves(Vector a, Vector b, std::integer_sequence<int, lanes...>) {
  constexpr int width = sizeof...(lanes);
  return __builtin_shufflevector(a, b, (lanes / 2 + lanes % 2 * width)...) +
         __builtin_shufflevector(a, b, (lanes / 2 + width / 2 + lanes % 2 * width)...);
}
template <int distance, class Vector, int... lanes>
DL_INLINE Vector addTurned(Vector v, std::integer_sequence<int, lanes...>) {
  constexpr int width = sizeof...(lanes);
  return v + __builtin_shufflevector(v, v, ((lanes + distance) % width)...);
}

// The sum of the elements of each of `count` registers, a power of two. After each step a register has twice as many sums of half
// as many elements.
template <int count, int left = count, int together = 1, class T>
DL_INLINE void sumRegisters(typename Types<T>::Vector (&v)[count], T (&sums)[count]) {
  constexpr int width = Types<T>::width;
  constexpr std::make_integer_sequence<int, width> lanes{};
  if constexpr (left > 1 && together < width) {
#pragma GCC unroll 16
    for (int i = 0; i < left / 2; ++i) v[i] = addHalves(v[i], v[i + left / 2], lanes);
    sumRegisters<count, left / 2, 2 * together>(v, sums);
  } else {
    if constexpr (together <= width / 16) v[0] = addTurned<8 * together>(v[0], lanes);
    if constexpr (together <= width / 8) v[0] = addTurned<4 * together>(v[0], lanes);
    if constexpr (together <= width / 4) v[0] = addTurned<2 * together>(v[0], lanes);
    if constexpr (together <= width / 2) v[0] = addTurned<together>(v[0], lanes);
#pragma GCC unroll 16
    for (int i = 0; i < left; ++i)
#pragma GCC unroll 16
      for (int e = 0; e < together; ++e) sums[i + e * left] = v[i][e];
  }
}

// Columns i to i + m of A, of which the last is taken again where there are fewer than `rows`, with columns of B from j on.
template <int rows, int columns, class T>
void innerTile(const Product<T>& p, Index i, Index m, Index j) {
  using Vector = typename Types<T>::Vector;
  using Anywhere = typename Types<T>::Anywhere;
  constexpr int width = Types<T>::width, count = columns == 3 ? 4 * rows : columns * rows;
  const T *a[rows], *b[columns];
  for (int r = 0; r < rows; ++r) a[r] = p.a + (i + smaller(r, m - 1)) * p.lda;
  for (int c = 0; c < columns; ++c) b[c] = p.b + (j + c) * p.ldb;
  Vector sum[count] = {};
  Index l = 0;
  for (; l + width <= p.k; l += width) {
    Vector y[columns];
#pragma GCC unroll 4
    for (int c = 0; c < columns; ++c) y[c] = *reinterpret_cast<const Anywhere*>(b[c] + l);
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) {
      Vector x = *reinterpret_cast<const Anywhere*>(a[r] + l);
      keepInRegister(x);
#pragma GCC unroll 4
      for (int c = 0; c < columns; ++c) sum[c * rows + r] += x * y[c];
    }
  }
  if (l < p.k) {
    Vector y[columns];
    for (int c = 0; c < columns; ++c) loadPart(b[c] + l, p.k - l, y[c]);
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) {
      Vector x;
      loadPart(a[r] + l, p.k - l, x);
#pragma GCC unroll 4
      for (int c = 0; c < columns; ++c) sum[c * rows + r] += x * y[c];
    }
  }
  T sums[count];
  sumRegisters(sum, sums);
  const auto give = [&](int c, int r) {
    T& to = p.c[i + r + (j + c) * p.ldc];
    const T result = p.alpha * sums[c * rows + r];
    to = p.add ? to + result : result;
  };
  for (int c = 0; c < columns; ++c)
    if (m == rows)
      for (int r = 0; r < rows; ++r) give(c, r);
    else
      for (int r = 0; r < m; ++r) give(c, r);
}

// `columns` columns of B at a time, and what is left of them.
template <int rows, int columns, class T>
void innerTiles(const Product<T>& p) {
  for (Index i = 0; i < p.m; i += rows) {
    const Index m = smaller(rows, p.m - i);
    Index j = 0;
    for (; j + columns <= p.n; j += columns) innerTile<rows, columns>(p, i, m, j);
    if constexpr (columns > 3)
      if (p.n - j == 3) innerTile<rows, 3>(p, i, m, j);
    if constexpr (columns > 2)
      if (p.n - j == 2) innerTile<rows, 2>(p, i, m, j);
    if constexpr (columns > 1)
      if (p.n - j == 1) innerTile<rows, 1>(p, i, m, j);
  }
}

// A product of a transposed A and a B as it is: few columns of either are read again and again while a tile of the other is near.
template <class T>
void inner(const Product<T>& p) {
  constexpr Index depth = 2048;
  constexpr bool many = registerBytes == 64;  // registers
  for (Index l = 0; l < p.k; l += depth) {
    Product<T> part = p;
    part.k = smaller(depth, p.k - l);
    part.a += l;
    part.b += l;
    part.add = p.add || l > 0;
    if (p.n == 1)
      innerTiles<8, 1>(part);
    else if (p.n == 2)
      innerTiles<many ? 8 : 4, 2>(part);
    else if (p.n == 3 || !many)
      innerTiles<4, 3>(part);
    else
      innerTiles<4, 4>(part);
  }
}

}  // namespace
}  // namespace dl::cpu::DLARRAY_ARCH
