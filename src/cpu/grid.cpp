#include "cpu/grid.hpp"

#include <algorithm>

#include "cpu/arch.hpp"

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
  const Index skipped = std::max<Index>(first - begin, 0);
  a.begin = std::max<Index>(begin - first, 0);
  a.rows = std::max<Index>(0, std::min(rows - skipped, count - a.begin));
  a.origin += first * step;
  a.targetStart += skipped * targetStep;
  return a;
}

bool GridAxis::meets(const Tap& tap, Index row) const {
  const Index element = (row + tap.shift) * step + tap.phase + origin;
  return element >= 0 && element < source;
}

Grid::Grid(const GridAxis* axes, int cut, Index rows, Index bytes) {
  for (int d = 0; d < 3; ++d) {
    cells_[d] = (d == cut ? rows : axes[d].rows) + axes[d].reach();
    for (const GridAxis::Tap& tap : axes[d].taps)
      if (std::find(phases_[d].begin(), phases_[d].end(), tap.phase) == phases_[d].end()) phases_[d].push_back(tap.phase);
  }
  Index cells = cells_[0] * cells_[1] * cells_[2];
  for (const auto& phases : phases_) cells *= static_cast<Index>(phases.size());
  // An odd number of cache lines: channels then do not compete for the same places in the caches.
  const Index line = 64 / bytes;
  channel_ = (ceilDiv(cells, line) | 1) * line;
}

std::vector<Index> Grid::tapCells(const GridAxis* axes) const {
  const auto count = [&](int d) { return static_cast<Index>(phases_[d].size()); };
  const auto place = [&](int d, Index phase) {
    return std::find(phases_[d].begin(), phases_[d].end(), phase) - phases_[d].begin();
  };
  const Index phase = cells_[0] * cells_[1] * cells_[2];
  std::vector<Index> cells;
  for (const GridAxis::Tap& t2 : axes[2].taps)
    for (const GridAxis::Tap& t1 : axes[1].taps)
      for (const GridAxis::Tap& t0 : axes[0].taps)
        cells.push_back(phase * (place(0, t0.phase) + count(0) * (place(1, t1.phase) + count(1) * place(2, t2.phase))) +
                        rowCell(t0.shift, t1.shift, t2.shift));
  return cells;
}

std::vector<Index> Grid::filterElements(const GridAxis* axes, Index filter0, Index filter1) {
  std::vector<Index> elements;
  for (const GridAxis::Tap& t2 : axes[2].taps)
    for (const GridAxis::Tap& t1 : axes[1].taps)
      for (const GridAxis::Tap& t0 : axes[0].taps) elements.push_back(t0.filter + filter0 * (t1.filter + filter1 * t2.filter));
  return elements;
}

template <class T>
void Grid::fillPhase(const GridAxis* axes, const Index* phase, const T* data, Index channelStep, Index channels, T* to) const {
  // The cells first to last of an axis lie in the data.
  Index base[3], first[3], last[3];
  for (int d = 0; d < 3; ++d) {
    const GridAxis& a = axes[d];
    const Index cells = d == 0 ? cells_[0] : a.rows + a.reach();
    base[d] = phase[d] + a.origin;
    first[d] = std::clamp<Index>(base[d] >= 0 ? 0 : ceilDiv(-base[d], a.step), 0, cells);
    last[d] = std::clamp<Index>(base[d] >= a.source ? 0 : ceilDiv(a.source - base[d], a.step), first[d], cells);
  }
  const GridAxis &a0 = axes[0], &a1 = axes[1], &a2 = axes[2];
  const Index lines = a1.rows + a1.reach(), planes = a2.rows + a2.reach();
  const auto fillLines = DLARRAY_FOR_ARCH(convolutionKernels<T>)().fillLines;
  for (Index c = 0; c < channels; ++c, data += channelStep, to += channel_)
    for (Index q2 = 0; q2 < planes; ++q2) {
      T* plane = to + rowCell(0, 0, q2);
      if (q2 < first[2] || q2 >= last[2]) {
        std::fill(plane, plane + cells_[0] * lines, T(0));
        continue;
      }
      std::fill(plane, plane + cells_[0] * first[1], T(0));
      const T* from = data + base[0] + a0.source * (first[1] * a1.step + base[1] + a1.source * (q2 * a2.step + base[2]));
      fillLines(
          {from, a0.source * a1.step, a0.step, first[0], last[0], plane + cells_[0] * first[1], cells_[0], last[1] - first[1]});
      std::fill(plane + cells_[0] * last[1], plane + cells_[0] * lines, T(0));
    }
}

template <class T>
void Grid::fill(const GridAxis* axes, const T* data, Index channelStep, Index channels, T* to) const {
  for (const Index p2 : phases_[2])
    for (const Index p1 : phases_[1])
      for (const Index p0 : phases_[0]) {
        const Index phase[] = {p0, p1, p2};
        fillPhase(axes, phase, data, channelStep, channels, to);
        to += cells_[0] * cells_[1] * cells_[2];
      }
}

template void Grid::fill(const GridAxis*, const float*, Index, Index, float*) const;
template void Grid::fill(const GridAxis*, const double*, Index, Index, double*) const;

namespace {

// How many of the registers that remain go into the next sliver: two of four keep busier than three and one.
Index heightOf(Index registers, Index tall) {
  return registers == tall + 1 ? std::max<Index>(1, tall - 1) : std::min(registers, tall);
}

}  // namespace

Index GridRows::registers() const {
  Index count = 0;
  for (const RowSliver& s : slivers) count += s.height;
  return count;
}

Index GridRows::scattered(Index width) const {
  Index count = 0;
  for (const RowSliver& s : slivers) {
    bool places = s.pieceCount == s.height && !s.halves;
    for (Index i = 0; i < s.pieceCount; ++i) places = places && s.pieces[i].row == i * width;
    if (!places && s.pieceCount > 1) count += s.pieceCount;
  }
  return count;
}

void GridRows::findRuns(const Grid& grid, const GridAxis* axes, std::vector<std::size_t>& planes) {
  runs.clear();
  pieces.clear();
  slivers.clear();
  const GridAxis &a0 = axes[0], &a1 = axes[1], &a2 = axes[2];
  const Index lines = a0.rows > 0 ? a1.rows : 0;  // a part of a line may have none of a target's rows
  // The runs of a plane have one length: the last one may only go on in the next plane where it is the only one.
  const bool acrossPlanes = lines == 1 || a1.targetStep == 1;
  for (Index i2 = 0; i2 < a2.rows; ++i2) {
    planes.push_back(runs.size());
    for (Index i1 = 0; i1 < lines; ++i1) {
      const Index line = a1.targetStart + i1 * a1.targetStep + a1.target * (a2.targetStart + i2 * a2.targetStep);
      const RowPiece run{grid.rowCell(a0.begin, a1.begin + i1, a2.begin + i2), 0, a0.rows, a0.targetStart + a0.target * line};
      if (!runs.empty() && (i1 > 0 || acrossPlanes) && a0.targetStep == 1 && runs.back().cell + runs.back().count == run.cell &&
          runs.back().target + runs.back().count == run.target)
        runs.back().count += run.count;
      else
        runs.push_back(run);
    }
  }
  planes.push_back(runs.size());
}

void GridRows::arrange(const Grid& grid, const GridAxis* axes, Index steps, Index width, Index tall) {
  std::vector<std::size_t> planes;
  findRuns(grid, axes, planes);
  // A sliver's pieces lie in memory that no longer moves.
  if (!runs.empty())
    pieces.reserve(3 * runs.size() + static_cast<std::size_t>((runs.back().cell + runs.back().count - runs[0].cell) / width) + 4);
  for (std::size_t p = 0; p + 1 < planes.size(); ++p)
    if (planes[p] < planes[p + 1]) cover(planes[p], planes[p + 1], axes[0].targetStep, steps, width, tall);
}

// Slivers of whole lines, each in a register or in half of one.
void GridRows::coverLines(std::size_t begin, std::size_t end, Index spacing, bool halves, Index targetStep, Index width,
                          Index tall) {
  const Index lines = static_cast<Index>(end - begin), each = halves ? width / 2 : width, together = halves ? 2 : 1;
  for (Index line = 0; line < lines;) {
    const Index left = ceilDiv(lines - line, together), height = halves && left == tall + 1 ? left : heightOf(left, tall);
    const Index here = std::min(lines - line, height * together);
    const std::size_t mine = pieces.size();
    for (Index i = 0; i < here; ++i) {
      const RowPiece& r = runs[begin + static_cast<std::size_t>(line + i)];
      if (i > 0 && targetStep == 1 && pieces.back().row + pieces.back().count == i * each &&
          pieces.back().target + pieces.back().count == r.target)
        pieces.back().count += r.count;
      else
        pieces.push_back({r.cell, i * each, r.count, r.target});
    }
    slivers.push_back({runs[begin + static_cast<std::size_t>(line)].cell, pieces.back().row + pieces.back().count, height,
                       spacing, halves, pieces.data() + mine, static_cast<Index>(pieces.size() - mine)});
    line += here;
  }
}

// Slivers for some runs, whichever take the fewest registers: for each run its own, across them with the cells in between, or of
// short runs several, a register or half a register each.
void GridRows::cover(std::size_t begin, std::size_t end, Index targetStep, Index steps, Index width, Index tall) {
  const Index first = runs[begin].cell, all = runs[end - 1].cell + runs[end - 1].count - first;
  Index apart = 0;
  for (std::size_t r = begin; r < end; ++r) apart += ceilDiv(runs[r].count, width);
  // What lies across runs is brought to its places by copying, which takes about five steps.
  const bool across = (steps + 5) * ceilDiv(all, width) < steps * apart;
  const Index lines = static_cast<Index>(end - begin), count = runs[begin].count,
              spacing = lines > 1 ? runs[begin + 1].cell - first : 0;
  const bool halves = 2 * count <= width && width >= 8;
  if (lines > 1 && count <= width && (halves ? ceilDiv(lines, 2) : lines) <= ceilDiv(all, width))
    return coverLines(begin, end, spacing, halves, targetStep, width, tall);
  std::size_t run = begin;
  for (Index at = first;;) {
    const Index last = across ? first + all : runs[run].cell + runs[run].count;
    const Index height = heightOf(ceilDiv(last - at, width), tall), rows = std::min(height * width, last - at);
    const std::size_t mine = pieces.size();
    for (; run < end && runs[run].cell < at + rows; ++run) {
      const RowPiece& r = runs[run];
      const Index from = std::max(r.cell, at), to = std::min(r.cell + r.count, at + rows);
      if (from < to) pieces.push_back({from, from - at, to - from, r.target + (from - r.cell) * targetStep});
      if (r.cell + r.count > at + rows) break;
    }
    slivers.push_back({at, pieces.back().row + pieces.back().count, height, width, false, pieces.data() + mine,
                       static_cast<Index>(pieces.size() - mine)});
    if (run == end) break;
    at = std::max(at + rows, runs[run].cell);
  }
}

void GridRows::arrangeClosely(const Grid& grid, const GridAxis* axes, Index images, Index imageCells, Index imageTarget,
                              Index width, Index tall) {
  std::vector<std::size_t> planes;
  findRuns(grid, axes, planes);
  const std::size_t ofImage = runs.size();
  Index all = 0;
  for (const RowPiece& run : runs) all += run.count * images;
  for (Index i = 1; i < images; ++i)
    for (std::size_t r = 0; r < ofImage; ++r)
      runs.push_back({runs[r].cell + i * imageCells, 0, runs[r].count, runs[r].target + i * imageTarget});
  pieces.reserve(runs.size() + static_cast<std::size_t>(all / width) + 1);
  std::size_t run = 0;
  Index done = 0;  // of the run
  for (Index at = 0; at < all;) {
    const Index height = heightOf(ceilDiv(all - at, width), tall), rows = std::min(height * width, all - at);
    const std::size_t mine = pieces.size();
    for (Index row = 0; row < rows;) {
      const RowPiece& r = runs[run];
      const Index count = std::min(r.count - done, rows - row);
      pieces.push_back({r.cell + done, row, count, r.target + done * axes[0].targetStep});
      row += count;
      done += count;
      if (done == r.count) done = 0, ++run;
    }
    slivers.push_back({0, rows, height, width, false, pieces.data() + mine, static_cast<Index>(pieces.size() - mine)});
    at += rows;
  }
}

}  // namespace dl::cpu
