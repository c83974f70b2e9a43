#include "cpu/convolution.hpp"

#include <algorithm>
#include <array>

#include "cpu/arch.hpp"
#include "cpu/blas.hpp"
#include "cpu/grid.hpp"
#include "cpu/parallel.hpp"
#include "cpu/permute.hpp"
#include "cpu/scratch.hpp"

namespace dl::cpu {
namespace {

constexpr Index stepsOfBlock = 640;            // of k, so that the columns at hand stay in the nearest cache
constexpr Index gridBytes = Index{256} << 10;  // for the second cache, beside the weights
constexpr Index pixelsOfBlock = 512;           // that a weight gradient sums at a time
constexpr Index packedElements = Index{1} << 17;
constexpr Index fewColumns = 2;  // too few for a tile
constexpr Index fewFilters = 4;  // too few for the rows of a tile
constexpr Index arrangedResults = 1024;
constexpr Index parallelWork = Index{1} << 18;  // multiplications from which a second thread pays

template <class T>
const ConvolutionKernels<T>& kernels() {
  return DLARRAY_FOR_ARCH(convolutionKernels<T>)();
}

Index ceilDiv(Index a, Index b) { return (a + b - 1) / b; }
Index floorDiv(Index a, Index b) { return a >= 0 ? a / b : -ceilDiv(-a, b); }

Index volume(const Convolution& p, Index ConvolutionAxis::*size) { return p.axis[0].*size * p.axis[1].*size * p.axis[2].*size; }

// A filter of one element at every place: each image is a matrix, and so are the weights.
bool isProduct(const Convolution& p) {
  for (const ConvolutionAxis& a : p.axis)
    if (a.filter != 1 || a.stride != 1 || a.in != a.out) return false;
  return p.groups == 1;
}

using Axes = std::array<GridAxis, 3>;

std::vector<Index> elementsOf(const Convolution& p, const Axes& axes) {
  return Grid::filterElements(axes.data(), p.axis[0].filter, p.axis[1].filter);
}

// The grid of the data, for results of the convolution.
Axes forwardAxes(const Convolution& p) {
  Axes axes;
  for (int d = 0; d < 3; ++d) {
    const ConvolutionAxis& a = p.axis[d];
    GridAxis& g = axes[static_cast<std::size_t>(d)];
    g.rows = g.target = a.out;
    g.source = a.in;
    g.step = a.stride;
    g.origin = -a.start;
    g.taps.clear();
    for (Index f = 0; f < a.filter; ++f) g.taps.push_back({f, f * a.dilation % a.stride, f * a.dilation / a.stride});
  }
  return axes;
}

// The grid of the results' gradient. Element i * stride + phase of the data meets, by element f of the filter, result i + shift,
// where shift * stride = phase + start - f * dilation; each f belongs to one phase.
Index shiftOf(const ConvolutionAxis& a, Index f) { return -floorDiv(f * a.dilation - a.start, a.stride); }

GridAxis backwardAxis(const ConvolutionAxis& a) {
  GridAxis g;
  g.rows = ceilDiv(a.in, a.stride);
  g.source = a.out;
  g.origin = shiftOf(a, a.filter - 1);
  g.taps.clear();
  for (Index f = 0; f < a.filter; ++f) g.taps.push_back({f, 0, shiftOf(a, f) - g.origin});
  return g;
}
// The part of it that makes the elements of one phase.
GridAxis phaseOf(const ConvolutionAxis& a, Index phase) {
  GridAxis g = backwardAxis(a);
  g.rows = std::max<Index>(0, ceilDiv(a.in - phase, a.stride));
  g.target = a.in;
  g.targetStart = phase;
  g.targetStep = a.stride;
  std::erase_if(g.taps, [&](const GridAxis::Tap& tap) {
    return (tap.shift + g.origin) * a.stride + tap.filter * a.dilation != phase + a.start;
  });
  return g;
}

// The axis along which results are computed in parts: the last one with more than one row.
int cutAxis(const Axes& axes) { return axes[2].rows > 1 ? 2 : axes[1].rows > 1 ? 1 : 0; }

// The cells of one row along the cut axis, and the results there.
Index cellsBeside(const Axes& axes, int cut) {
  Index cells = 1;
  for (int d = 0; d < 3; ++d) {
    const GridAxis& a = axes[static_cast<std::size_t>(d)];
    cells *= std::min(a.step, static_cast<Index>(a.taps.size()));
    if (d != cut) cells *= a.rows + a.reach();
  }
  return cells;
}
Index rowsBeside(const Axes& axes, int cut) {
  Index rows = 1;
  for (int d = 0; d < 3; ++d)
    if (d != cut) rows *= axes[static_cast<std::size_t>(d)].rows;
  return rows;
}

Axes partOf(const Axes& axes, int cut, Index first, Index count) {
  Axes part = axes;
  part[static_cast<std::size_t>(cut)] = axes[static_cast<std::size_t>(cut)].part(first, count);
  return part;
}

// ---- results from a grid ---------------------------------------------------------------------------------------------

// Some of the results: their rows and taps along each axis of the grid, and the filter's elements that the taps stand for.
struct GridTarget {
  Axes axes;
  std::vector<Index> elements;
};

// result(row, column) = sum over channels and taps of the data's grid times weights, for each group and image and all targets.
template <class T>
struct GridPass {
  Axes axes;  // rows and taps of all targets
  std::vector<GridTarget> targets;
  Index channels, columns, groups, batch;
  const T* data;
  const T* weights;
  Index weightChannel, weightColumn, weightGroup;  // from one to the next in the weights
  T* result;

  void run() const;

 private:
  struct Unit {
    Index image, group, firstColumn, columns;
  };
  struct Steps {
    std::vector<Index> cells, elements;  // of k, for a block of channels
  };
  struct Part {
    Axes axes;
    std::vector<GridRows> rows;  // of each target
  };
  Steps stepsOf(const GridTarget& target, const Grid& grid, Index block) const;
  Part partAt(const Grid& grid, int cut, Index first, Index count) const;
  void runUnit(const Unit& u, const Part& part, const Grid& grid, const std::vector<Steps>& steps, Index block, T* scratch) const;
  void runFew(const Unit& u, const GridProduct<T>& p, const GridRows& rows, T* line) const;
};

Index sizeOf(const Axes& axes, Index GridAxis::*size) { return axes[0].*size * axes[1].*size * axes[2].*size; }

template <class T>
typename GridPass<T>::Steps GridPass<T>::stepsOf(const GridTarget& target, const Grid& grid, Index block) const {
  Steps steps;
  const std::vector<Index> cells = grid.tapCells(target.axes.data());
  for (Index c = 0; c < block; ++c)
    for (std::size_t t = 0; t < cells.size(); ++t) {
      steps.cells.push_back(c * grid.channelCells() + cells[t]);
      steps.elements.push_back(c * weightChannel + target.elements[t]);
    }
  return steps;
}

template <class T>
typename GridPass<T>::Part GridPass<T>::partAt(const Grid& grid, int cut, Index first, Index count) const {
  Part part{partOf(axes, cut, first, std::min(count, axes[static_cast<std::size_t>(cut)].rows - first)), {}};
  for (const GridTarget& t : targets) {
    const Index rows = std::min(count, t.axes[static_cast<std::size_t>(cut)].rows - first);
    part.rows.emplace_back().arrange(grid, partOf(t.axes, cut, first, std::max<Index>(0, rows)).data(), kernels<T>().width,
                                     kernels<T>().tall);
  }
  return part;
}

template <class T>
void GridPass<T>::run() const {
  const int cut = cutAxis(axes);
  const GridAxis& along = axes[static_cast<std::size_t>(cut)];
  Index taps = 0, allTaps = 0;
  for (const GridTarget& t : targets) {
    taps = std::max(taps, static_cast<Index>(t.elements.size()));
    allTaps += static_cast<Index>(t.elements.size());
  }
  const Index blocks = std::min(channels, ceilDiv(channels * taps, stepsOfBlock)), block = ceilDiv(channels, blocks);
  const Index lineBytes = cellsBeside(axes, cut) * block * static_cast<Index>(sizeof(T));
  const Index fitting = std::clamp<Index>(gridBytes / lineBytes - along.reach(), 1, along.rows);
  const Index parts = ceilDiv(along.rows, fitting), rowsOfPart = ceilDiv(along.rows, parts);
  const Grid grid(axes.data(), cut, rowsOfPart, sizeof(T));
  std::vector<Steps> steps;
  for (const GridTarget& t : targets) steps.push_back(stepsOf(t, grid, block));

  const Index threads = threadCount(), whole = batch * groups * parts;
  const Index work = rowsBeside(axes, cut) * rowsOfPart * channels * allTaps * columns;
  const bool share = whole < 4 * threads && whole % threads && work >= 2 * parallelWork;
  const Index shares = share ? std::min(threads, std::max<Index>(1, columns / (2 * kernels<T>().wide))) : 1;
  const Index slack = kernels<T>().tall * kernels<T>().width;
  parallelFor(whole * shares, std::max<Index>(1, parallelWork / std::max<Index>(1, work / shares)), [&](Index begin, Index end) {
    const Index cellCount = block * grid.channelCells() + slack;
    T* scratch = scratchMemory<T>(cellCount + (columns < fewColumns ? grid.channelCells() : 0));
    std::fill(scratch + cellCount - slack, scratch + cellCount, T(0));
    Part part;
    Index arranged = -1;
    for (Index i = begin; i < end; ++i) {
      const Index s = i % shares, unit = i / shares, at = unit % parts;
      if (at != arranged) part = partAt(grid, cut, at * rowsOfPart, rowsOfPart), arranged = at;
      const Index unitColumns = ceilDiv(ceilDiv(columns, shares), kernels<T>().wide) * kernels<T>().wide;
      const Index from = std::min(columns, s * unitColumns), to = std::min(columns, from + unitColumns);
      if (from < to) runUnit({unit / parts / groups, unit / parts % groups, from, to - from}, part, grid, steps, block, scratch);
    }
  });
}

template <class T>
void GridPass<T>::runUnit(const Unit& u, const Part& part, const Grid& grid, const std::vector<Steps>& steps, Index block,
                          T* scratch) const {
  const Index source = sizeOf(axes, &GridAxis::source), target = sizeOf(targets[0].axes, &GridAxis::target);
  const T* from = data + (u.image * groups + u.group) * channels * source;
  T* to = result + ((u.image * groups + u.group) * columns + u.firstColumn) * target;
  const T* w = weights + u.group * weightGroup + u.firstColumn * weightColumn;
  for (Index c = 0; c < channels; c += block) {
    const Index count = std::min(block, channels - c);
    grid.fill(part.axes.data(), from + c * source, source, count, scratch);
    for (std::size_t t = 0; t < targets.size(); ++t) {
      const GridRows& rows = part.rows[t];
      if (rows.slivers.empty()) continue;
      GridProduct<T> p;
      p.grid = scratch;
      p.cells = steps[t].cells.data();
      p.k = count * static_cast<Index>(targets[t].elements.size());
      p.weights = w + c * weightChannel;
      p.elements = steps[t].elements.data();
      p.weightColumn = weightColumn;
      p.columns = u.columns;
      p.slivers = rows.slivers.data();
      p.sliverCount = static_cast<Index>(rows.slivers.size());
      p.add = c > 0;
      p.result = to;
      p.resultStep = targets[t].axes[0].targetStep;
      p.resultColumn = target;
      if (columns < fewColumns)
        runFew(u, p, rows, scratch + block * grid.channelCells() + kernels<T>().tall * kernels<T>().width);
      else
        kernels<T>().product(p);
    }
  }
}

// A few columns: sums over whole stretches of cells, from which the results are taken.
template <class T>
void GridPass<T>::runFew(const Unit& u, const GridProduct<T>& p, const GridRows& rows, T* line) const {
  const Index first = rows.runs.front().row, all = rows.runs.back().row + rows.runs.back().count - first;
  for (Index j = 0; j < u.columns; ++j) {
    T* to = p.result + j * p.resultColumn;
    const bool direct = rows.runs.size() == 1 && p.resultStep == 1 && !p.add;
    T* sums = direct ? to + rows.runs[0].target : line;
    kernels<T>().combine(all, p.grid + first, p.cells, p.weights + j * p.weightColumn, p.elements, p.k, sums);
    if (direct) continue;
    for (const RowPiece& run : rows.runs) {
      const T* from = line + run.row - first;
      T* y = to + run.target;
      if (!p.add && p.resultStep == 1)
        std::copy(from, from + run.count, y);
      else
        for (Index i = 0; i < run.count; ++i) y[i * p.resultStep] = p.add ? y[i * p.resultStep] + from[i] : from[i];
    }
  }
}

// ---- the weights' gradient -------------------------------------------------------------------------------------------

template <class T>
struct WeightPass {
  const Convolution& p;
  Axes axes;
  const T* x;
  const T* g;
  T* result;  // [filters, taps, channels, groups] from `run`, [taps, channels, filters, groups] from `runFew`

  void run() const;
  void runFew() const;

 private:
  Index taps() const { return volume(p, &ConvolutionAxis::filter); }
  Index source() const { return volume(p, &ConvolutionAxis::in); }
  Index target() const { return volume(p, &ConvolutionAxis::out); }
  struct Unit {
    Index group, firstColumn, columns, firstRow, rows;
  };
  struct Cut {
    int axis;
    Index rowsOfPart, parts, images, block;
  };
  Cut cutFor(Index columns, Index rows) const;
  void runUnit(const Unit& u, const Cut& c) const;
};

template <class T>
typename WeightPass<T>::Cut WeightPass<T>::cutFor(Index columns, Index rows) const {
  Cut c;
  c.axis = cutAxis(axes);
  const GridAxis& along = axes[static_cast<std::size_t>(c.axis)];
  const Index pixels = std::clamp<Index>(packedElements / (ceilDiv(rows, 16) * 16), 64, pixelsOfBlock);
  const Index fitting = std::clamp<Index>(pixels / rowsBeside(axes, c.axis), 1, along.rows);
  c.parts = ceilDiv(along.rows, fitting);
  c.rowsOfPart = ceilDiv(along.rows, c.parts);
  c.images = c.parts > 1 ? 1 : std::clamp<Index>(pixels / target(), 1, p.batch);
  const Index lines = c.rowsOfPart + along.reach();
  const Index bytes = cellsBeside(axes, c.axis) * lines * c.images * static_cast<Index>(sizeof(T));
  c.block = std::clamp<Index>(gridBytes / bytes, 1, ceilDiv(columns, taps()) + 1);
  return c;
}

template <class T>
void WeightPass<T>::run() const {
  const Index columns = taps() * p.channels, wide = 2 * kernels<T>().wide, threads = threadCount();
  const Index work = p.batch * target() * p.filters * columns;
  const Index wanted = p.groups * work < 2 * parallelWork ? 1 : ceilDiv(threads, p.groups);
  const Index across = std::min(wanted, ceilDiv(columns, wide));
  const Index rowUnit = kernels<T>().tall * kernels<T>().width;
  const Index down = std::min(ceilDiv(wanted, across), ceilDiv(p.filters, rowUnit));
  const Index ofColumns = ceilDiv(ceilDiv(columns, across), wide) * wide,
              ofRows = ceilDiv(ceilDiv(p.filters, down), rowUnit) * rowUnit;
  const Cut cut = cutFor(columns, p.filters);
  parallelFor(p.groups * across * down, std::max<Index>(1, parallelWork / std::max<Index>(1, work)), [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const Index a = i % across, d = i / across % down, column = a * ofColumns, row = d * ofRows;
      if (column < columns && row < p.filters)
        runUnit({i / across / down, column, std::min(ofColumns, columns - column), row, std::min(ofRows, p.filters - row)}, cut);
    }
  });
}

template <class T>
void WeightPass<T>::runUnit(const Unit& u, const Cut& c) const {
  const GridAxis& along = axes[static_cast<std::size_t>(c.axis)];
  const Grid grid(axes.data(), c.axis, c.rowsOfPart, sizeof(T));
  const Index image = c.block * grid.channelCells();
  const Index registers = ceilDiv(u.rows, kernels<T>().width) * kernels<T>().width;
  const Index most = rowsBeside(axes, c.axis) * c.rowsOfPart * c.images;
  T* packed = scratchMemory<T>(registers * most + image * c.images);
  T* cellsOf = packed + registers * most;
  const std::vector<Index> tapCells = grid.tapCells(axes.data());
  std::vector<Index> pixels, columnCells;
  const Index firstChannel = u.firstColumn / taps(), lastChannel = ceilDiv(u.firstColumn + u.columns, taps());
  for (Index b = 0; b < p.batch; b += c.images)
    for (Index part = 0; part < c.parts; ++part) {
      const Index images = std::min(c.images, p.batch - b), first = part * c.rowsOfPart;
      const Axes here = partOf(axes, c.axis, first, std::min(c.rowsOfPart, along.rows - first));
      pixels.clear();
      for (Index i = 0; i < images; ++i)
        for (Index i2 = 0; i2 < here[2].rows; ++i2)
          for (Index i1 = 0; i1 < here[1].rows; ++i1)
            for (Index i0 = 0; i0 < here[0].rows; ++i0) pixels.push_back(i * image + grid.rowCell(i0, i1, i2));
      const Index perImage = static_cast<Index>(pixels.size()) / images;
      bool pack = true;
      for (Index ch = firstChannel; ch < lastChannel; ch += c.block) {
        const Index channels = std::min(c.block, lastChannel - ch);
        for (Index i = 0; i < images; ++i)
          grid.fill(here.data(), x + (((b + i) * p.groups + u.group) * p.channels + ch) * source(), source(), channels,
                    cellsOf + i * image);
        const Index from = std::max(u.firstColumn, ch * taps()),
                    to = std::min(u.firstColumn + u.columns, (ch + channels) * taps());
        columnCells.clear();
        for (Index j = from; j < to; ++j)
          columnCells.push_back((j / taps() - ch) * grid.channelCells() + tapCells[static_cast<std::size_t>(j % taps())]);
        const T* a = g + ((b * p.groups + u.group) * p.filters + u.firstRow) * target() + first * rowsBeside(axes, c.axis);
        kernels<T>().turnedProduct(
            {a, target(), u.rows, images, perImage, p.groups * p.filters * target(), cellsOf, pixels.data(), columnCells.data(),
             to - from, b > 0 || part > 0, result + (u.group * taps() * p.channels + from) * p.filters + u.firstRow, p.filters},
            pack, packed);
        pack = false;
      }
    }
}

// A few filters, down to one for each channel: inner products of the gradient, laid out as the grid, with the shifted grid.
template <class T>
void WeightPass<T>::runFew() const {
  const Grid grid(axes.data(), 2, axes[2].rows, sizeof(T));
  const Index cells = grid.rowCell(axes[0].rows - 1, axes[1].rows - 1, axes[2].rows - 1) + 1;
  const Index slack = kernels<T>().width;
  const std::vector<Index> tapCells = grid.tapCells(axes.data());
  const Index work = p.batch * target() * p.filters * taps();
  parallelFor(p.groups * p.channels, std::max<Index>(1, parallelWork / std::max<Index>(1, work)), [&](Index begin, Index end) {
    T* of = scratchMemory<T>(grid.channelCells() + 2 * slack + cells);
    T* gradient = of + grid.channelCells() + slack;
    std::fill(gradient, gradient + cells, T(0));
    for (Index i = begin; i < end; ++i) {
      const Index group = i / p.channels, channel = i % p.channels;
      T* to = result + (group * p.filters * p.channels + channel) * taps();
      for (Index f = 0; f < p.filters; ++f) std::fill(to + f * p.channels * taps(), to + f * p.channels * taps() + taps(), T(0));
      for (Index b = 0; b < p.batch; ++b) {
        grid.fill(axes.data(), x + ((b * p.groups + group) * p.channels + channel) * source(), source(), 1, of);
        for (Index f = 0; f < p.filters; ++f) {
          const T* from = g + ((b * p.groups + group) * p.filters + f) * target();
          for (Index i2 = 0; i2 < axes[2].rows; ++i2)
            for (Index i1 = 0; i1 < axes[1].rows; ++i1, from += axes[0].rows)
              std::copy(from, from + axes[0].rows, gradient + grid.rowCell(0, i1, i2));
          kernels<T>().dots(cells, of, tapCells.data(), taps(), gradient, to + f * p.channels * taps());
        }
      }
    }
  });
}

}  // namespace

template <class T>
void convolve(const Convolution& p, const T* x, const T* w, T* y) {
  if (isProduct(p)) {
    const Index pixels = volume(p, &ConvolutionAxis::in);
    return gemmBatch<T>(false, false, pixels, p.filters, p.channels, T(1), x, pixels * p.channels, w, 0, T(0), y,
                        pixels * p.filters, p.batch);
  }
  const Axes axes = forwardAxes(p);
  const Index taps = volume(p, &ConvolutionAxis::filter);
  GridPass<T>{axes,
              {{axes, elementsOf(p, axes)}},
              p.channels,
              p.filters,
              p.groups,
              p.batch,
              x,
              w,
              taps,
              taps * p.channels,
              taps * p.channels * p.filters,
              y}
      .run();
}

template <class T>
void convolveDataGradient(const Convolution& p, const T* g, const T* w, T* x, T* workspace) {
  const Index results = volume(p, &ConvolutionAxis::out) * p.batch;
  if (isProduct(p)) {
    const Index in = p.channels, pixels = volume(p, &ConvolutionAxis::in);
    return gemmBatch<T>(false, true, pixels, in, p.filters, T(1), g, pixels * p.filters, w, 0, T(0), x, pixels * in, p.batch);
  }
  const auto missesSome = [](const ConvolutionAxis& a) { return a.stride > a.filter || (a.stride > 1 && a.dilation > 1); };
  if (missesSome(p.axis[0]) || missesSome(p.axis[1]) || missesSome(p.axis[2]))
    std::fill(x, x + volume(p, &ConvolutionAxis::in) * p.channels * p.groups * p.batch, T(0));
  const Index taps = volume(p, &ConvolutionAxis::filter);
  // With enough results to use them, weights are put into the order in which they are read: the filters of a group side by side,
  // and with strides, which take some of the taps at a time, each tap for itself.
  const bool arrange = results >= arrangedResults;
  const bool strided = p.axis[0].stride > 1 || p.axis[1].stride > 1 || p.axis[2].stride > 1;
  Index tapStep = 1, weightChannel = taps * p.channels, weightColumn = taps;
  if (arrange) {
    const Index sizes[] = {taps, p.channels, p.filters, p.groups};
    const int together[] = {0, 2, 1, 3}, apart[] = {2, 1, 0, 3};
    permute(w, sizeof(T), sizes, strided ? apart : together, workspace);
    w = workspace;
    tapStep = strided ? p.filters * p.channels : 1;
    weightChannel = strided ? 1 : taps;
    weightColumn = strided ? p.filters : taps * p.filters;
  }
  const auto phases = [&](int d) { return std::min(p.axis[d].stride, p.axis[d].in); };
  std::vector<GridTarget> targets;
  for (Index phase = 0; phase < phases(0) * phases(1) * phases(2); ++phase) {
    const Axes axes{phaseOf(p.axis[0], phase % phases(0)), phaseOf(p.axis[1], phase / phases(0) % phases(1)),
                    phaseOf(p.axis[2], phase / phases(0) / phases(1))};
    std::vector<Index> elements = elementsOf(p, axes);
    for (Index& e : elements) e *= tapStep;
    if (!elements.empty() && sizeOf(axes, &GridAxis::rows) > 0) targets.push_back({axes, std::move(elements)});
  }
  if (targets.empty()) return;
  GridPass<T>{{backwardAxis(p.axis[0]), backwardAxis(p.axis[1]), backwardAxis(p.axis[2])},
              std::move(targets),
              p.filters,
              p.channels,
              p.groups,
              p.batch,
              g,
              w,
              weightChannel,
              weightColumn,
              taps * p.channels * p.filters,
              x}
      .run();
}

template <class T>
void convolveWeightGradient(const Convolution& p, const T* x, const T* g, T* w, T* workspace) {
  const Index columns = volume(p, &ConvolutionAxis::filter) * p.channels;
  if (isProduct(p)) {
    const Index pixels = volume(p, &ConvolutionAxis::in);
    for (Index b = 0; b < p.batch; ++b)
      gemm<T>(true, false, p.channels, p.filters, pixels, T(1), x + b * pixels * p.channels, g + b * pixels * p.filters, T(b > 0),
              w);
    return;
  }
  if (p.filters < fewFilters) return WeightPass<T>{p, forwardAxes(p), x, g, w}.runFew();
  WeightPass<T>{p, forwardAxes(p), x, g, workspace}.run();
  for (Index group = 0; group < p.groups; ++group)
    transpose(workspace + group * columns * p.filters, sizeof(T), p.filters, columns, w + group * columns * p.filters);
}

template void convolve(const Convolution&, const float*, const float*, float*);
template void convolve(const Convolution&, const double*, const double*, double*);
template void convolveDataGradient(const Convolution&, const float*, const float*, float*, float*);
template void convolveDataGradient(const Convolution&, const double*, const double*, double*, double*);
template void convolveWeightGradient(const Convolution&, const float*, const float*, float*, float*);
template void convolveWeightGradient(const Convolution&, const double*, const double*, double*, double*);

}  // namespace dl::cpu
