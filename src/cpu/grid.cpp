#include "cpu/grid.hpp"

#include <algorithm>
#include <cstring>

namespace dl::cpu {
namespace {

Index ceilDiv(Index a, Index b) { return (a + b - 1) / b; }

}  // namespace

Index GridAxis::reach() const {
  Index shift = 0;
  for (const Tap& tap : taps) shift = std::max(shift, tap.shift);
  return shift;
}

GridAxis GridAxis::part(Index first, Index count) const {
  GridAxis a = *this;
  a.rows = count;
  a.origin += first * step;
  a.targetStart += first * targetStep;
  return a;
}

Grid::Grid(const GridAxis* axes, int cut, Index rows, Index bytes) {
  for (int d = 0; d < 3; ++d) {
    cells_[d] = (d == cut ? rows : axes[d].rows) + axes[d].reach();
    for (const GridAxis::Tap& tap : axes[d].taps)
      if (std::find(phases_[d].begin(), phases_[d].end(), tap.phase) == phases_[d].end()) phases_[d].push_back(tap.phase);
  }
  const auto count = [&](int d) { return static_cast<Index>(phases_[d].size()); };
  const auto place = [&](int d, Index phase) {
    return std::find(phases_[d].begin(), phases_[d].end(), phase) - phases_[d].begin();
  };
  const Index phase = cells_[0] * cells_[1] * cells_[2];
  for (const GridAxis::Tap& t2 : axes[2].taps)
    for (const GridAxis::Tap& t1 : axes[1].taps)
      for (const GridAxis::Tap& t0 : axes[0].taps)
        taps_.push_back(phase * (place(0, t0.phase) + count(0) * (place(1, t1.phase) + count(1) * place(2, t2.phase))) +
                        rowCell(t0.shift, t1.shift, t2.shift));
  // An odd number of cache lines: channels then do not compete for the same places in the caches.
  const Index line = 64 / bytes;
  channel_ = (ceilDiv(phase * count(0) * count(1) * count(2), line) | 1) * line;
}

std::vector<Index> Grid::filterElements(const GridAxis* axes, Index filter0, Index filter1) {
  std::vector<Index> elements;
  for (const GridAxis::Tap& t2 : axes[2].taps)
    for (const GridAxis::Tap& t1 : axes[1].taps)
      for (const GridAxis::Tap& t0 : axes[0].taps) elements.push_back(t0.filter + filter0 * (t1.filter + filter1 * t2.filter));
  return elements;
}

template <class T>
void Grid::fillPhase(const GridAxis* axes, const Index* phase, const T* data, T* to) const {
  const GridAxis& a0 = axes[0];
  const Index base = phase[0] + a0.origin;  // of cell 0
  const Index first = std::clamp<Index>(base >= 0 ? 0 : ceilDiv(-base, a0.step), 0, cells_[0]);
  const Index last = std::clamp<Index>(base >= a0.source ? 0 : ceilDiv(a0.source - base, a0.step), first, cells_[0]);
  for (Index q2 = 0; q2 < axes[2].rows + axes[2].reach(); ++q2)
    for (Index q1 = 0; q1 < axes[1].rows + axes[1].reach(); ++q1) {
      const Index at1 = q1 * axes[1].step + phase[1] + axes[1].origin, at2 = q2 * axes[2].step + phase[2] + axes[2].origin;
      T* row = to + rowCell(0, q1, q2);
      if (at1 < 0 || at1 >= axes[1].source || at2 < 0 || at2 >= axes[2].source) {
        std::fill(row, row + cells_[0], T(0));
        continue;
      }
      const T* from = data + a0.source * (at1 + axes[1].source * at2) + base;
      std::fill(row, row + first, T(0));
      if (a0.step == 1)
        std::copy(from + first, from + last, row + first);
      else
        for (Index q = first; q < last; ++q) row[q] = from[q * a0.step];
      std::fill(row + last, row + cells_[0], T(0));
    }
}

template <class T>
void Grid::fill(const GridAxis* axes, const T* data, Index channelStep, Index channels, T* to) const {
  for (Index c = 0; c < channels; ++c) {
    T* at = to + c * channel_;
    for (const Index p2 : phases_[2])
      for (const Index p1 : phases_[1])
        for (const Index p0 : phases_[0]) {
          const Index phase[] = {p0, p1, p2};
          fillPhase(axes, phase, data + c * channelStep, at);
          at += cells_[0] * cells_[1] * cells_[2];
        }
  }
}

template void Grid::fill(const GridAxis*, const float*, Index, Index, float*) const;
template void Grid::fill(const GridAxis*, const double*, Index, Index, double*) const;

void GridRows::arrange(const Grid& grid, const GridAxis* axes, Index width, Index tall) {
  runs.clear();
  pieces.clear();
  slivers.clear();
  const GridAxis &a0 = axes[0], &a1 = axes[1], &a2 = axes[2];
  std::vector<std::size_t> planes;
  for (Index i2 = 0; i2 < a2.rows; ++i2) {
    planes.push_back(runs.size());
    for (Index i1 = 0; i1 < a1.rows; ++i1) {
      const Index line = a1.targetStart + i1 * a1.targetStep + a1.target * (a2.targetStart + i2 * a2.targetStep);
      const RowPiece run{grid.rowCell(0, i1, i2), a0.rows, a0.targetStart + a0.target * line};
      if (!runs.empty() && a0.targetStep == 1 && runs.back().row + runs.back().count == run.row &&
          runs.back().target + runs.back().count == run.target)
        runs.back().count += run.count;
      else
        runs.push_back(run);
    }
  }
  planes.push_back(runs.size());
  // A sliver's pieces lie in memory that no longer moves.
  if (!runs.empty())
    pieces.reserve(3 * runs.size() + static_cast<std::size_t>((runs.back().row + runs.back().count - runs[0].row) / width) + 4);
  for (std::size_t p = 0; p + 1 < planes.size(); ++p)
    if (planes[p] < planes[p + 1]) cover(planes[p], planes[p + 1], a0.targetStep, width, tall);
}

// Slivers for some runs: for each run its own, or across them with the cells in between, whichever takes fewer registers.
void GridRows::cover(std::size_t begin, std::size_t end, Index targetStep, Index width, Index tall) {
  const Index first = runs[begin].row, all = runs[end - 1].row + runs[end - 1].count - first;
  Index apart = 0;
  for (std::size_t r = begin; r < end; ++r) apart += ceilDiv(runs[r].count, width);
  const bool across = ceilDiv(all, width) < apart;
  std::size_t run = begin;
  for (Index at = first;;) {
    const Index last = across ? first + all : runs[run].row + runs[run].count;
    const Index left = ceilDiv(last - at, width), height = left == tall + 1 ? std::max<Index>(1, tall - 1) : std::min(left, tall);
    const Index rows = std::min(height * width, last - at);
    const std::size_t mine = pieces.size();
    for (; run < end && runs[run].row < at + rows; ++run) {
      const RowPiece& r = runs[run];
      const Index from = std::max(r.row, at), to = std::min(r.row + r.count, at + rows);
      if (from < to) pieces.push_back({from - at, to - from, r.target + (from - r.row) * targetStep});
      if (r.row + r.count > at + rows) break;
    }
    slivers.push_back(
        {at, pieces.back().row + pieces.back().count, height, pieces.data() + mine, static_cast<Index>(pieces.size() - mine)});
    if (run == end) break;
    at = std::max(at + rows, runs[run].row);
  }
}

}  // namespace dl::cpu
