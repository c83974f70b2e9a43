// Walking over a rectangular grid of positions in two arrays at once.
#pragma once

#include <algorithm>
#include <span>

#include "cpu/types.hpp"

namespace dl::cpu {

/// One dimension of a grid: how many positions it has, and how far neighbours lie apart in x and in y.
struct Axis {
  Index size = 0;
  Index xStride = 0;
  Index yStride = 0;
  /// Where given, position i lies at x + xOffsets[i] and xStride is not used.
  const Index* xOffsets = nullptr;

  Index xOffset(Index i) const { return xOffsets ? xOffsets[i] : i * xStride; }
};

/// The number of positions of a grid.
inline Index positions(std::span<const Axis> axes) {
  Index n = 1;
  for (const Axis& axis : axes) n *= axis.size;
  return n;
}

/// Calls body(xOffset, yOffset) for the positions [begin, end) of a grid, counted with the first axis fastest.
template <class F>
void walk(std::span<const Axis> axes, Index begin, Index end, F&& body, Index x = 0, Index y = 0) {
  if (begin >= end) return;
  if (axes.empty()) {
    body(x, y);
    return;
  }
  const Axis& axis = axes.back();
  const std::span<const Axis> faster = axes.first(axes.size() - 1);
  if (faster.empty()) {
    for (Index i = begin; i < end; ++i) body(x + axis.xOffset(i), y + i * axis.yStride);
    return;
  }
  const Index step = positions(faster);
  for (Index i = begin / step; i * step < end; ++i)
    walk(faster, std::max<Index>(begin - i * step, 0), std::min(end - i * step, step), body, x + axis.xOffset(i),
         y + i * axis.yStride);
}

}  // namespace dl::cpu
