// Inner products of the columns of two matrices. To be included by the sources in simd/ alone: everything is local to them.
#pragma once

#include "cpu/simd/gemm.hpp"
#include "cpu/simd/normalization_register.hpp"
#include "cpu/simd/tile.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

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
  Register<T>::template totals<count>(sum, sums);
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
