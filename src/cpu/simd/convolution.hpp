// The table of convolution kernels that simd/convolution.cpp fills for every level of the processor.
#pragma once

#include "cpu/types.hpp"

namespace dl::cpu {

/// Results that lie one after the other in the grid and in the result: `count` of them from `cell` on, at `target`; in a sliver,
/// its rows from `row` on.
struct RowPiece {
  Index cell, row, count, target;
};

/// Results that are computed together, `rows` of them in a few registers, from `cell` on: registers `spacing` apart, or halves of
/// registers; rows that belong to no piece are dropped. Or those of its pieces alone, gathered.
struct RowSliver {
  Index cell, rows, height, spacing;
  bool halves;
  const RowPiece* pieces;
  Index pieceCount;
};

/// to[q] = from[q * step] for first <= q < last, and 0 for the other cells of a line; line by line.
template <class T>
struct LineFill {
  const T* from;
  Index fromLine, step;
  Index first, last;
  T* to;
  Index cells, lines;
};

/// result(row, column) = sum over l < k of grid[row + cells[l]] * weights[elements[l] + column * weightColumn], plus bias[column]
/// where there is one; added where `add` says so.
template <class T>
struct GridProduct {
  const T* grid;
  const Index* cells;
  Index k;
  const T* weights;
  const Index* elements;
  Index weightColumn;
  const Index* soon;  // k elements that cover those of a tile's columns, asked for while the tile before is computed; or null
  const T* bias;
  Index columns;
  const RowSliver* slivers;
  Index sliverCount;
  T* packed;  // room for k + 1 slivers, 64-byte aligned, where the rows of slivers are gathered from their pieces' cells, up to a
              // register beyond the last; or null
  bool add;
  T* result;
  Index resultStep, resultColumn;  // from one row of a piece to the next, from one column to the next
};

/// result(row, column) = sum over images and l < k of a(l, row) * grid[columnCells[column] + cells[l]], where each image has k
/// steps of its own in a and in `cells`; added where `add` says so. Rows of a lie `aRow` apart, steps of k beside each other;
/// rows of the result lie beside each other.
template <class T>
struct TurnedGridProduct {
  const T* a;
  Index aRow, rows;
  Index images, k, aImage;
  const T* grid;
  const Index* cells;
  const Index* columnCells;
  Index columns;
  bool add;
  T* result;
  Index resultColumn;
};

/// Kernels of convolutions; each runs in one thread. An element of the result is summed in the order of k.
template <class T>
struct ConvolutionKernels {
  void (*product)(const GridProduct<T>& p);
  /// `packed` holds images x k times `rows` rounded up to whole registers, 64-byte aligned; it is filled where `pack` says so,
  /// and else still holds what an earlier product with the same a left there.
  void (*turnedProduct)(const TurnedGridProduct<T>& p, bool pack, T* packed);
  void (*fillLines)(const LineFill<T>& f);
  /// to[i * step] = from[i] for i < n, and 0 for the other of `total` elements.
  void (*spread)(const T* from, Index n, Index step, T* to, Index total);
  /// y[i] = start + sum over t < taps of weights[elements[t]] * grid[i + cells[t]] for i < n.
  void (*combine)(Index n, const T* grid, const Index* cells, const T* weights, const Index* elements, Index taps, T start, T* y);
  /// sums[t] += inner product of x[i] and grid[i + cells[t]] for i < n.
  void (*dots)(Index n, const T* grid, const Index* cells, Index taps, const T* x, T* sums);
  /// Elements of a register, registers of a sliver at most, and columns that are computed at once.
  Index width, tall, wide;
};

namespace v2 {
template <class T>
const ConvolutionKernels<T>& convolutionKernels();
}
namespace v3 {
template <class T>
const ConvolutionKernels<T>& convolutionKernels();
}
namespace v4 {
template <class T>
const ConvolutionKernels<T>& convolutionKernels();
}

}  // namespace dl::cpu
