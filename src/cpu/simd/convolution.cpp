// Convolutions as products with a matrix that is never formed: its columns are a padded copy of the data, the grid, shifted.
// Compiled once for every level of the processor.
#include "cpu/simd/convolution.hpp"

#include "cpu/simd/tile.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

// n numbers from `from` to places `step` apart.
template <class T>
void copyRows(const T* from, Index n, bool add, T* to, Index step) {
  using Types = Types<T>;
  using Vector = typename Types::Vector;
  if (step != 1) {
    for (Index i = 0; i < n; ++i) to[i * step] = add ? to[i * step] + from[i] : from[i];
    return;
  }
  for (Index i = 0; i < n; i += Types::width) {
    Vector v = *reinterpret_cast<const typename Types::Anywhere*>(from + i), before;
    if (n - i >= Types::width) {
      if (add) v += *reinterpret_cast<const typename Types::Anywhere*>(to + i);
      *reinterpret_cast<typename Types::Anywhere*>(to + i) = v;
    } else {
      if (add) loadPart(to + i, n - i, before), v += before;
      storePart(to + i, n - i, v);
    }
  }
}

template <class T>
void product(const GridProduct<T>& p) {
  constexpr Index width = Types<T>::width, step = tall * width;
  // One register more: the last piece is read by whole registers.
  alignas(64) T sums[(widest > tall * wide ? widest : tall * wide) * width + width];
  bool low = true;
  for (Index s = 0; s < p.sliverCount; ++s) low = low && p.slivers[s].height == 1;
  const Index across = low ? widest : wide;
  for (Index c = 0; c < p.columns; c += across) {
    const Index columns = smaller(across, p.columns - c);
    T* result = p.result + c * p.resultColumn;
    for (Index s = 0; s < p.sliverCount; ++s) {
      const RowSliver& v = p.slivers[s];
      Tile<T> t{p.k,  p.grid + v.cell, 0, p.weights + c * p.weightColumn, 1, p.weightColumn, T(1), false, sums,
                step, v.height * width};
      t.table = p.cells;
      const bool direct = v.pieceCount == 1 && v.pieces[0].count == v.rows && p.resultStep == 1;
      if (direct) t.add = p.add, t.c = result + v.pieces[0].target, t.cColumn = p.resultColumn, t.rows = v.rows;
      if (v.height == 1 && !direct) t.cColumn = width;
      computeTile<Steps::tableOfA>(v.height, columns, t);
      if (direct) continue;
      for (Index j = 0; j < columns; ++j)
        for (const RowPiece* piece = v.pieces; piece < v.pieces + v.pieceCount; ++piece)
          copyRows(t.c + j * t.cColumn + piece->row, piece->count, p.add, result + piece->target + j * p.resultColumn,
                   p.resultStep);
    }
  }
}

template <class T>
void turnedProduct(const TurnedGridProduct<T>& p, bool pack, T* packed) {
  constexpr Index width = Types<T>::width;
  const Index registers = (p.rows + width - 1) / width, k = p.images * p.k;
  if (pack)
    for (Index at = 0; at < registers;) {
      const Index height = sliverHeight(registers - at), rows = smaller(p.rows - at * width, height * width);
      for (Index i = 0; i < p.images; ++i)
        packTurned(p.a + i * p.aImage + at * width * p.aRow, p.aRow, rows, p.k, height,
                   packed + (at * p.images + i * height) * width * p.k);
      at += height;
    }
  const Index across = registers == 1 ? widest : wide;
  for (Index c = 0; c < p.columns; c += across) {
    const Index columns = smaller(across, p.columns - c);
    for (Index at = 0; at < registers;) {
      const Index height = sliverHeight(registers - at), rows = smaller(p.rows - at * width, height * width);
      Tile<T> t{k,
                packed + at * width * k,
                height * width,
                p.grid,
                0,
                0,
                T(1),
                p.add,
                p.result + at * width + c * p.resultColumn,
                p.resultColumn,
                rows};
      t.table = p.cells;
      t.columnsOfB = p.columnCells + c;
      computeTile<Steps::tableOfB>(height, columns, t);
      at += height;
    }
  }
}

// A few registers of results at a time, so that sums need not wait for each other.
template <class T>
void combine(Index n, const T* grid, const Index* cells, const T* weights, Index taps, T* y) {
  using Types = Types<T>;
  using Vector = typename Types::Vector;
  using Anywhere = typename Types::Anywhere;
  constexpr Index width = Types::width, together = 8;
  Index i = 0;
  for (; i + together * width <= n; i += together * width) {
    Vector sum[together] = {};
    for (Index t = 0; t < taps; ++t) {
      const T* from = grid + i + cells[t];
      const T factor = weights[t];
#pragma GCC unroll 8
      for (int r = 0; r < together; ++r) sum[r] += *reinterpret_cast<const Anywhere*>(from + r * width) * factor;
    }
#pragma GCC unroll 8
    for (int r = 0; r < together; ++r) *reinterpret_cast<Anywhere*>(y + i + r * width) = sum[r];
  }
  for (; i < n; i += width) {
    Vector sum = {};
    for (Index t = 0; t < taps; ++t) sum += *reinterpret_cast<const Anywhere*>(grid + i + cells[t]) * weights[t];
    if (n - i >= width)
      *reinterpret_cast<Anywhere*>(y + i) = sum;
    else
      storePart(y + i, n - i, sum);
  }
}

template <class T>
T total(const typename Types<T>::Vector& v) {
  T sum = 0;
  for (int i = 0; i < Types<T>::width; ++i) sum += v[i];
  return sum;
}

// `count` taps at a time.
template <int count, class T>
void dotsOf(Index n, const T* grid, const Index* cells, const T* x, T* sums) {
  using Types = Types<T>;
  using Vector = typename Types::Vector;
  using Anywhere = typename Types::Anywhere;
  Vector sum[count] = {}, here, there;
  const T* from[count];
  for (int t = 0; t < count; ++t) from[t] = grid + cells[t];
  Index i = 0;
  for (; i + Types::width <= n; i += Types::width) {
    here = *reinterpret_cast<const Anywhere*>(x + i);
#pragma GCC unroll 9
    for (int t = 0; t < count; ++t) sum[t] += here * *reinterpret_cast<const Anywhere*>(from[t] + i);
  }
  if (i < n) {
    loadPart(x + i, n - i, here);
    for (int t = 0; t < count; ++t) {
      loadPart(from[t] + i, n - i, there);
      sum[t] += here * there;
    }
  }
  for (int t = 0; t < count; ++t) sums[t] += total<T>(sum[t]);
}

template <class T>
void dots(Index n, const T* grid, const Index* cells, Index taps, const T* x, T* sums) {
  Index t = 0;
  for (; t + 9 <= taps; t += 9) dotsOf<9>(n, grid, cells + t, x, sums + t);
  for (; t + 3 <= taps; t += 3) dotsOf<3>(n, grid, cells + t, x, sums + t);
  for (; t < taps; ++t) dotsOf<1>(n, grid, cells + t, x, sums + t);
}

}  // namespace

template <class T>
const ConvolutionKernels<T>& convolutionKernels() {
  static constexpr ConvolutionKernels<T> kernels{product<T>, turnedProduct<T>, combine<T>, dots<T>, Types<T>::width, tall, wide};
  return kernels;
}

template const ConvolutionKernels<float>& convolutionKernels();
template const ConvolutionKernels<double>& convolutionKernels();

}  // namespace dl::cpu::DLARRAY_ARCH
