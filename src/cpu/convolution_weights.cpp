#include "cpu/blas.hpp"
#include "cpu/convolution_passes.hpp"
#include "cpu/parallel.hpp"
#include "cpu/scratch.hpp"

namespace dl::cpu {
namespace {

constexpr Index pixelsOfBlock = 512;  // that are summed at a time
constexpr Index packedElements = Index{1} << 17;
constexpr Index fewWeights = Index{1} << 14;  // too few to be cut among threads: the images are
constexpr Index piecesOfBatch = 16;           // so that sums are the same for every number of threads

}  // namespace

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
  const Index size = taps() * p.channels * p.filters * p.groups, pieces = std::min(p.batch, piecesOfBatch);
  const Index work = p.batch * target() * size / pieces;
  if (size > fewWeights || pieces == 1 || work * pieces < 4 * parallelWork) return runImages(threadCount());
  std::vector<T> sums(static_cast<std::size_t>(size * (pieces - 1)));
  parallelFor(pieces, std::max<Index>(1, parallelWork / std::max<Index>(1, work)), [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const Index first = p.batch * i / pieces;
      Convolution part = p;
      part.batch = p.batch * (i + 1) / pieces - first;
      WeightPass{part, axes, x + first * p.groups * p.channels * source(), g + first * p.groups * p.filters * target(),
                 i == 0 ? result : sums.data() + (i - 1) * size}
          .runImages(1);
    }
  });
  for (Index i = 0; i + 1 < pieces; ++i)
    for (Index e = 0; e < size; ++e) result[e] += sums[static_cast<std::size_t>(i * size + e)];
}

template <class T>
void WeightPass<T>::runImages(Index threads) const {
  const Index columns = taps() * p.channels, wide = 2 * kernels<T>().wide;
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
  const ScratchArray<T> memory(registers * most + image * c.images);
  T* packed = memory.data();
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
    const ScratchArray<T> memory(grid.channelCells() + 2 * slack + cells);
    T* of = memory.data();
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

// Products with the matrix of what the taps meet, which is smaller than the weights: these are written once, in their own order.
template <class T>
void WeightPass<T>::runSmall(T* met) const {
  const Grid grid(axes.data(), 2, axes[2].rows, sizeof(T));
  const std::vector<Index> tapCells = grid.tapCells(axes.data());
  const Index columns = taps() * p.channels;
  std::vector<Index> pixels;
  for (Index i2 = 0; i2 < axes[2].rows; ++i2)
    for (Index i1 = 0; i1 < axes[1].rows; ++i1)
      for (Index i0 = 0; i0 < axes[0].rows; ++i0) pixels.push_back(grid.rowCell(i0, i1, i2));
  for (Index group = 0; group < p.groups; ++group) {
    parallelFor(p.channels, grainFor(taps() * target()), [&](Index begin, Index end) {
      const ScratchArray<T> memory(grid.channelCells());
      T* cells = memory.data();
      for (Index c = begin; c < end; ++c) {
        grid.fill(axes.data(), x + (group * p.channels + c) * source(), source(), 1, cells);
        T* to = met + c * taps();
        for (const Index pixel : pixels) {
          for (Index t = 0; t < taps(); ++t) to[t] = cells[pixel + tapCells[static_cast<std::size_t>(t)]];
          to += columns;
        }
      }
    });
    gemm<T>(false, false, columns, p.filters, target(), T(1), met, g + group * p.filters * target(), T(0),
            result + group * columns * p.filters);
  }
}

template struct WeightPass<float>;
template struct WeightPass<double>;

}  // namespace dl::cpu
