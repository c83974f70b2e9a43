// The two passes over a grid that convolutions and their gradients are made of.
#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include "cpu/arch.hpp"
#include "cpu/convolution.hpp"
#include "cpu/grid.hpp"

namespace dl::cpu {

using Axes = std::array<GridAxis, 3>;

inline constexpr Index gridBytes = Index{256} << 10;   // for the second cache, beside the weights
inline constexpr Index parallelWork = Index{1} << 18;  // multiplications from which a second thread pays

inline constexpr Index fewColumns = 2;  // too few for a tile

template <class T>
const ConvolutionKernels<T>& kernels() {
  return DLARRAY_FOR_ARCH(convolutionKernels<T>)();
}

inline Index ceilDiv(Index a, Index b) { return (a + b - 1) / b; }

// The axis along which results are computed in parts: the last one with more than one row.
inline int cutAxis(const Axes& axes) { return axes[2].rows > 1 ? 2 : axes[1].rows > 1 ? 1 : 0; }

// The cells of one row along the cut axis, and the results there.
inline Index cellsBeside(const Axes& axes, int cut) {
  Index cells = 1;
  for (int d = 0; d < 3; ++d) {
    const GridAxis& a = axes[static_cast<std::size_t>(d)];
    cells *= std::min(a.step, static_cast<Index>(a.taps.size()));
    if (d != cut) cells *= a.rows + a.reach();
  }
  return cells;
}
inline Index rowsBeside(const Axes& axes, int cut) {
  Index rows = 1;
  for (int d = 0; d < 3; ++d)
    if (d != cut) rows *= axes[static_cast<std::size_t>(d)].rows;
  return rows;
}

inline Axes partOf(const Axes& axes, int cut, Index first, Index count) {
  Axes part = axes;
  part[static_cast<std::size_t>(cut)] = axes[static_cast<std::size_t>(cut)].part(first, count);
  return part;
}

inline Index sizeOf(const Axes& axes, Index GridAxis::*size) { return axes[0].*size * axes[1].*size * axes[2].*size; }

/// Some of the results: their rows and taps along each axis of the grid, and the filter's elements that the taps stand for.
struct GridTarget {
  Axes axes;
  std::vector<Index> elements;
};

/// result(row, column) = sum over channels and taps of the data's grid times weights, for each group and image and all targets.
template <class T>
struct GridPass {
  Axes axes;  // rows and taps of all targets
  std::vector<GridTarget> targets;
  Index channels, columns, groups, batch;
  const T* data;
  const T* weights;
  Index weightChannel, weightColumn, weightGroup;  // from one to the next in the weights
  T* result;
  bool gaps = false;        // some results belong to no target, and are zero
  const T* bias = nullptr;  // for each column of each group

  void run();

 private:
  struct Unit {
    Index image, images, group, part, firstColumn, columns;
  };
  struct Steps {
    std::vector<Index> cells, elements;  // of k, for a block of channels
    std::vector<Index> soon;             // elements of a tile's weights, a cache line apart, spread over k; or none
  };
  struct Part {
    Axes axes;
    std::vector<GridRows> rows;  // of each target
  };
  // How the work is cut: channels of a block, rows along an axis and images of a unit.
  struct Plan {
    int cut;
    Index block, parts, rowsOfPart, images;
    bool closely;  // the rows of several images in slivers without gaps
  };
  Plan plan();
  Plan planFor(Index steps, Index bytes) const;
  Index cost(const Plan& plan) const;
  Index workOfImage() const;
  std::vector<GridTarget> splitTargets(int cut) const;
  Steps stepsOf(const GridTarget& target, const Grid& grid, Index block) const;
  std::vector<Index> linesOf(const Steps& steps) const;
  Part partAt(const Grid& grid, const Plan& plan, Index part, Index images) const;
  void runUnit(const Unit& u, const Part& part, const Grid& grid, const std::vector<Steps>& steps, const Plan& plan,
               T* scratch) const;
  void clear(const Unit& u, const Plan& plan) const;
  void runFew(const Unit& u, const GridProduct<T>& p, const GridRows& rows, T* line) const;
};

/// The weights' gradient of a convolution, from the grid of its data and the gradient by its results.
template <class T>
struct WeightPass {
  const Convolution& p;
  Axes axes;
  const T* x;
  const T* g;
  T* result;

  /// The result as [filters, taps, channels, groups].
  void run() const;
  /// The same as [taps, channels, filters, groups], for a few filters, down to one for each channel.
  void runFew() const;
  /// The same for an image with no more results than filters. `met` holds as many elements as the weights.
  void runSmall(T* met) const;

 private:
  Index taps() const { return p.volume(&ConvolutionAxis::filter); }
  Index source() const { return p.volume(&ConvolutionAxis::in); }
  Index target() const { return p.volume(&ConvolutionAxis::out); }
  struct Unit {
    Index group, firstColumn, columns, firstRow, rows;
  };
  struct Cut {
    int axis;
    Index rowsOfPart, parts, images, block;
  };
  void runImages(Index threads) const;
  Cut cutFor(Index columns, Index rows) const;
  void runUnit(const Unit& u, const Cut& c) const;
};

/// Gradients of a convolution whose filters are one element, without zeros in front or behind: every result meets data.
template <class T>
struct PointPass {
  const Convolution& p;

  static bool applies(const Convolution& p);
  void dataGradient(const T* g, const T* w, T* x) const;
  void weightGradient(const T* x, const T* g, T* w) const;
};

}  // namespace dl::cpu
