// The grid of a convolution: a copy of the data with its zeros around it, in which the element that a tap of the filter meets lies at the
// same distance from every result's cell.
#pragma once

#include <vector>

#include "cpu/simd/convolution.hpp"
#include "cpu/types.hpp"

namespace dl::cpu {

/// One dimension of a grid. Strides divide the data into phases, elements 0, s, 2 s ..., 1, 1 + s, ...: neighbouring results then meet
/// neighbours of one phase.
struct GridAxis {
  struct Tap {
    Index filter;  // which element of the filter
    Index phase, shift;
  };
  Index rows = 1;                  // results
  Index begin = 0;                 // the grid's row that the first of them is
  Index source = 1;                // size of the data
  Index step = 1, origin = 0;      // cell q of phase r is element q * step + r + origin of the data
  Index target = 1;                // size of the result
  Index targetStart = 0, targetStep = 1;  // where in it row i goes: targetStart + i * targetStep
  std::vector<Tap> taps{{0, 0, 0}};

  Index reach() const;  // the largest shift
  /// What lies in rows `first` to `first` + `count` of the grid.
  GridAxis part(Index first, Index count) const;
  /// True when the tap meets an element of the data from this row of the grid, and not a zero beside them.
  bool meets(const Tap& tap, Index row) const;
};

/// Where cells lie: those of one axis after the other, then phases, then channels.
class Grid {
 public:
  /// For at most `rows` results along the axis that is cut into parts, in channels of elements of `bytes` bytes.
  Grid(const GridAxis* axes, int cut, Index rows, Index bytes);

  Index channelCells() const { return channel_; }
  /// The cells that taps meet, counted from the result's cell; the first axis' taps fastest.
  std::vector<Index> tapCells(const GridAxis* axes) const;
  /// The number of a tap's element in the filter of these sizes.
  static std::vector<Index> filterElements(const GridAxis* axes, Index filter0, Index filter1);
  Index rowCell(Index i0, Index i1, Index i2) const { return i0 + cells_[0] * (i1 + cells_[1] * i2); }
  Index cells(int axis) const { return cells_[axis]; }

  /// Fills the cells of `channels` channels from data that lies `channelStep` apart.
  template <class T>
  void fill(const GridAxis* axes, const T* data, Index channelStep, Index channels, T* to) const;

 private:
  template <class T>
  void fillPhase(const GridAxis* axes, const Index* phase, const T* data, Index channelStep, Index channels, T* to) const;

  Index cells_[3];
  std::vector<Index> phases_[3];  // those that some tap meets
  Index channel_;
};

/// The results of a grid as runs of neighbours, and as slivers of a kernel.
struct GridRows {
  std::vector<RowPiece> runs;
  std::vector<RowPiece> pieces;
  std::vector<RowSliver> slivers;

  /// Slivers of neighbouring cells, for sums over so many steps.
  void arrange(const Grid& grid, const GridAxis* axes, Index steps, Index width, Index tall);
  /// Slivers that leave out what lies between runs, for several images: each begins `imageCells` and `imageTarget` behind the one before.
  void arrangeClosely(const Grid& grid, const GridAxis* axes, Index images, Index imageCells, Index imageTarget, Index width, Index tall);
  /// What the slivers take, in registers.
  Index registers() const;
  /// The cells from the first result to the last.
  Index cells() const { return runs.empty() ? 0 : runs.back().cell + runs.back().count - runs.front().cell; }
  /// How many pieces have to be brought to their places one by one, because a register holds several or parts of them.
  Index scattered(Index width) const;

 private:
  void findRuns(const Grid& grid, const GridAxis* axes, std::vector<std::size_t>& planes);
  void cover(std::size_t begin, std::size_t end, Index targetStep, Index steps, Index width, Index tall);
  void coverLines(std::size_t begin, std::size_t end, Index spacing, bool halves, Index targetStep, Index width, Index tall);
};

}  // namespace dl::cpu
