#include "cpu/normalization_columns.hpp"

#include "cpu/arch.hpp"
#include "cpu/lines.hpp"

namespace dl::cpu {
namespace {

// An array inner x kept x outer as tiles: some neighbouring rows of all channels, of some images. A row holds `groups` middle
// positions. Borders follow from the sizes alone.
struct Tiles {
  explicit Tiles(const Normalization& by) : how(by) {
    width = how.run * how.channels;
    groups = width / how.inner;
    const Index rows = how.kept / groups;
    strip = std::clamp<Index>(columnsAtOnce / width, 1, rows);
    across = (rows + strip - 1) / strip;
    images = std::min(how.outer, imagesOfRows);
    blocks = (how.outer + images - 1) / images;
  }

  static constexpr Index columnsAtOnce = 512;  // whose numbers stay in the first cache
  const Normalization& how;
  Index width, groups, strip, across, images, blocks;

  Pieces pieces(std::size_t elementBytes) const {
    const Index columns = strip * width, bytes = columns * how.outer * static_cast<Index>(elementBytes);
    return {across, blocks, columns * images, strip * groups, bytes <= Index{3} << 18 && beyondCaches(how, elementBytes)};
  }
  struct Tile {
    Index first, count, start;  // middle positions, first element
    Rows rows;                  // of all columns
  };
  Tile operator()(Index a, Index block) const {
    const Index first = a * strip * groups, count = std::min(strip * groups, how.kept - first), image = block * images,
                stride = how.inner * how.kept;
    return {first, count, image * stride + first * how.inner, {count * how.inner, stride, std::min(images, how.outer - image)}};
  }
  /// Where the numbers of a middle position's channels begin in those of a row.
  Index channelsOf(Index position) const { return position % groups * how.inner; }
};

template <class T>
class Columns {
 public:
  explicit Columns(const Normalization& by)
      : how(by),
        tiles(by),
        runs(DLARRAY_FOR_ARCH(normalizationKernels<T>)()),
        rows(DLARRAY_FOR_ARCH(normalizationRowKernels<T>)()),
        apart_(spaced(tiles.strip * tiles.width)) {}

  const Normalization& how;
  const Tiles tiles;
  const NormalizationKernels<T> runs;
  const NormalizationRowKernels<T> rows;

  // Memory for numbers of some kinds for each column of a tile.
  ScratchArray<T> memory(int kinds) const { return ScratchArray<T>(kinds * apart_); }
  T* of(const ScratchArray<T>& memory, int kind) const { return memory.data() + kind * apart_; }

  // The numbers of the middle positions for each of their columns.
  void stretch(const Tiles::Tile& tile, const T* values, T* to) const {
    for (Index k = tile.first; k < tile.first + tile.count; ++k) to = std::fill_n(to, how.inner, values[k]);
  }
  // The same, multiplied by those of the channels.
  void stretch(const Tiles::Tile& tile, const T* values, const Lines<T>& channels, T* to) const {
    for (Index k = tile.first; k < tile.first + tile.count; ++k, to += how.inner) {
      const T* each = channels.data() + tiles.channelsOf(k);
      for (Index i = 0; i < how.inner; ++i) to[i] = values[k] * each[i];
    }
  }
  void repeat(const Tiles::Tile& tile, const Lines<T>& channels, T* to) const {
    for (Index k = tile.first; k < tile.first + tile.count; ++k)
      to = std::copy_n(channels.data() + tiles.channelsOf(k), how.inner, to);
  }
  // Calls body(first column, rows of some columns) for all columns, so few at a time that their numbers stay in the first cache.
  template <class F>
  void some(const Tiles::Tile& tile, F&& body) const {
    for (Index i = 0; i < tile.rows.length; i += Tiles::columnsAtOnce)
      body(i, Rows{std::min(Tiles::columnsAtOnce, tile.rows.length - i), tile.rows.stride, tile.rows.count});
  }

 private:
  Index apart_;
};

}  // namespace

template <class T>
void normalizeColumns(const Normalization& how, const T* x, const T* offset, const T* scale, T* mean, T* variance, T* y) {
  const Columns<T> in(how);
  const Lines<T> offsets = stretched(how, offset), scales = stretched(how, scale);
  Workspace memory(2 * Workspace::bytesFor<T>(how.kept) + PositionSums<T>::bytes(how, in.tiles.blocks));
  T *centres = memory.take<T>(how.kept), *factors = memory.take<T>(how.kept);
  PositionSums<T> sums(how, in.tiles.blocks, memory);
  guessMeans(in.runs, how, x, centres, [](Index, Index) {});
  inThreeSteps(
      in.tiles.pieces(sizeof(T)),
      [&](Index a, Index block) {
        const auto tile = in.tiles(a, block);
        const auto numbers = in.memory(3);
        T *centre = in.of(numbers, 0), *sum = in.of(numbers, 1), *squares = in.of(numbers, 2);
        in.stretch(tile, centres, centre);
        in.rows.deviationsDown(x + tile.start, tile.rows, centre, sum, squares);
        // Sums of deviations from a guess, not of the data: the array's precision serves however many columns there are.
        for (Index p = 0; p < tile.count; ++p)
          for (const int kind : {0, 1})
            sums.part(block, kind, tile.first)[p] =
                in.runs.sum((kind == 0 ? sum : squares) + p * how.inner, {how.inner, how.inner, 1});
      },
      [&](Index a) {
        const auto tile = in.tiles(a, 0);
        sums.moments(in.runs, in.rows, tile.first, tile.count, x, centres, mean, variance, factors);
      },
      [&](Index a, Index block) {
        const auto tile = in.tiles(a, block);
        const auto numbers = in.memory(3);
        T *means = in.of(numbers, 0), *by = in.of(numbers, 1), *plus = in.of(numbers, 2);
        in.stretch(tile, mean, means);
        in.stretch(tile, factors, scales, by);
        in.repeat(tile, offsets, plus);
        in.some(tile, [&](Index i, Rows rows) {
          in.rows.scaleDown(x + tile.start + i, rows, means + i, by + i, plus + i, y + tile.start + i);
        });
      });
}

template <class T>
void gradientColumns(const Normalization& how, const T* g, const T* x, const T* scale, const T* mean, const T* variance, T* dx,
                     T* dOffset, T* dScale) {
  const Columns<T> in(how);
  const Lines<T> scales = stretched(how, scale);
  enum { factors, ones, byG, byX, rest, kinds };
  Workspace memory(kinds * Workspace::bytesFor<T>(how.kept) + PositionSums<T>::bytes(how, in.tiles.blocks));
  T* numbersOf[kinds];
  for (T*& numbers : numbersOf) numbers = memory.take<T>(how.kept);
  PositionSums<T> sums(how, in.tiles.blocks, memory);
  std::fill_n(numbersOf[ones], how.kept, T(1));
  in.rows.inverseDeviations(how.kept, how.epsilon, variance, numbersOf[factors]);
  ChannelTotals<T> channels(how, in.tiles.across * in.tiles.blocks);
  inThreeSteps(
      in.tiles.pieces(2 * sizeof(T)),
      [&](Index a, Index block) {
        const auto tile = in.tiles(a, block);
        const auto numbers = in.memory(3);
        T *means = in.of(numbers, 0), *sum = in.of(numbers, 1), *products = in.of(numbers, 2);
        in.stretch(tile, mean, means);
        in.rows.productsDown(g + tile.start, x + tile.start, tile.rows, means, sum, products);
        const Index piece = block * in.tiles.across + a;
        for (Index p = 0, k = tile.first; p < tile.count; ++p, ++k) {
          const Index at = in.tiles.channelsOf(k), column = p * how.inner;
          in.rows.foldColumns(sum + column, products + column, how.inner, numbersOf[factors][k], scales.data() + at,
                              channels.offsets(piece) + at, channels.scales(piece) + at, sums.part(block, 0, k),
                              sums.part(block, 1, k));
        }
      },
      [&](Index a) {
        const auto tile = in.tiles(a, 0);
        const Index k = tile.first;
        sums.addUp(in.rows, k, tile.count);
        in.rows.combinations(tile.count, static_cast<double>(how.inner * how.outer), how.epsilon, variance + k,
                             numbersOf[ones] + k, sums.total(0, k), sums.total(1, k), numbersOf[byG] + k, numbersOf[byX] + k,
                             numbersOf[rest] + k);
      },
      [&](Index a, Index block) {
        if (!dx) return;
        const auto tile = in.tiles(a, block);
        const auto numbers = in.memory(4);
        T *means = in.of(numbers, 0), *ofG = in.of(numbers, 1), *ofX = in.of(numbers, 2), *more = in.of(numbers, 3);
        in.stretch(tile, mean, means);
        in.stretch(tile, numbersOf[byG], scales, ofG);
        in.stretch(tile, numbersOf[byX], ofX);
        in.stretch(tile, numbersOf[rest], more);
        in.some(tile, [&](Index i, Rows rows) {
          const Index from = tile.start + i;
          in.rows.combineDown(g + from, x + from, rows, means + i, ofG + i, ofX + i, more + i, dx + from);
        });
      });
  channels.addUp(in.rows, dOffset, dScale);
}

template void normalizeColumns(const Normalization&, const float*, const float*, const float*, float*, float*, float*);
template void normalizeColumns(const Normalization&, const double*, const double*, const double*, double*, double*, double*);
template void gradientColumns(const Normalization&, const float*, const float*, const float*, const float*, const float*, float*,
                              float*, float*);
template void gradientColumns(const Normalization&, const double*, const double*, const double*, const double*, const double*,
                              double*, double*, double*);

}  // namespace dl::cpu
