#include "cpu/normalization_rows.hpp"

#include <memory>

#include "cpu/arch.hpp"
#include "cpu/parallel.hpp"
#include "cpu/scratch.hpp"

namespace dl::cpu {
namespace {

// An array inner x kept x outer as tiles: some neighbouring middle positions of some images. Their borders follow from the sizes
// alone, and so does the order of every sum.
struct Tiles {
  explicit Tiles(const Normalization& how) : how_(how) {
    rows = how.inner < shortRun;
    if (rows) {
      // As many columns as let all images of them stay in the second cache, if they can.
      positions = std::min(how.kept, std::max<Index>(1, std::clamp<Index>(65536 / how.outer, 512, 2048) / how.inner));
      images = std::min(how.outer, imagesOfRows);
    } else {
      // As few images as make the sums cheap, so that the order is nearly that of memory.
      images = std::min(how.outer, std::clamp<Index>(1024 / how.inner, 1, 64));
      positions = std::clamp<Index>(32768 / (how.inner * images), 1, how.kept);
    }
    across = (how.kept + positions - 1) / positions;
    if (across > 1) {  // evenly, and for two or four threads too
      positions = (how.kept + (across + 3) / 4 * 4 - 1) / ((across + 3) / 4 * 4);
      across = (how.kept + positions - 1) / positions;
    }
    blocks = (how.outer + images - 1) / images;
  }

  bool rows;
  Index positions, images, across, blocks;

  Pieces pieces(std::size_t elementBytes) const {
    constexpr Index cachedBytes = Index{3} << 18;
    const auto one = static_cast<Index>(elementBytes);
    // Long runs at such distances share few places of that cache.
    const bool cached = positions * how_.inner * how_.outer * one <= cachedBytes,
               near = cached && (rows ? beyondCaches(how_, elementBytes) : stride() * one % 16384 != 0);
    return {across, blocks, positions * how_.inner * images, positions, near};
  }
  struct Tile {
    Index first, count, start, images;  // middle positions, first element, images
  };
  Tile operator()(Index a, Index block) const {
    const Index first = a * positions, image = block * images;
    return {first, std::min(positions, how_.kept - first), (image * how_.kept + first) * how_.inner,
            std::min(images, how_.outer - image)};
  }
  Index stride() const { return how_.inner * how_.kept; }
  /// How often each number of a middle position stands in what the kernels read.
  Index copies() const { return rows ? how_.inner : 1; }
  Runs runsOf(const Tile& tile) const { return {how_.inner, stride(), tile.count}; }
  Rows rowsOf(const Tile& tile) const { return {tile.count * how_.inner, stride(), tile.images}; }

 private:
  const Normalization& how_;
};

// Numbers of several kinds for the middle positions, and as the kernels want them: where these go across short runs, as often as
// a run has elements.
template <class T>
class Numbers {
 public:
  Numbers(const Normalization& how, const Tiles& tiles, int kinds, Workspace& memory)
      : kept_(how.kept),
        apart_(spaced(kept_)),
        copies_(tiles.copies()),
        values_(memory.take<T>(apart_ * kinds)),
        stretched_(copies_ > 1 ? memory.take<T>(apart_ * kinds * copies_) : nullptr) {}
  static Index bytes(const Normalization& how, const Tiles& tiles, int kinds) {
    const Index n = spaced(how.kept) * kinds, copies = tiles.copies();
    return Workspace::bytesFor<T>(n) + (copies > 1 ? Workspace::bytesFor<T>(n * copies) : 0);
  }
  /// Of all middle positions; `stretch` behind writing to it.
  T* of(int kind) { return values_ + kind * apart_; }
  const T* at(int kind, Index position) const {
    const Index i = kind * apart_ + position;
    return copies_ > 1 ? stretched_ + i * copies_ : values_ + i;
  }
  void stretch(int kind, Index first, Index count) {
    if (copies_ == 1) return;
    for (Index i = kind * apart_ + first, end = i + count; i < end; ++i)
      std::fill_n(stretched_ + i * copies_, copies_, values_[i]);
  }
  void set(int kind, const T* values) {
    std::copy_n(values, kept_, of(kind));
    stretch(kind, 0, kept_);
  }

 private:
  Index kept_, apart_, copies_;
  T *values_, *stretched_;
};

template <class T>
class InOrder {
 public:
  explicit InOrder(const Normalization& by)
      : how(by),
        tiles(by),
        runs(DLARRAY_FOR_ARCH(normalizationKernels<T>)()),
        rows(DLARRAY_FOR_ARCH(normalizationRowKernels<T>)()) {}

  const Normalization& how;
  const Tiles tiles;
  const NormalizationKernels<T> runs;
  const NormalizationRowKernels<T> rows;
  using Tile = Tiles::Tile;

  // For numbers of some kinds and sums.
  Workspace memory(int kinds) const {
    return Workspace(Numbers<T>::bytes(how, tiles, kinds) + PositionSums<T>::bytes(how, tiles.blocks));
  }
  // What a tile adds to the sums of its middle positions.
  void deviations(const Tile& tile, const T* x, const T* centres, T* sums, T* squares) const {
    collect(
        tile, sums, squares,
        [&](T* parts) { runs.deviationsOfRuns(x + tile.start, tiles.runsOf(tile), tile.images, centres, parts); },
        [&](T* first, T* second) { rows.deviationsDown(x + tile.start, tiles.rowsOf(tile), centres, first, second); });
  }
  void products(const Tile& tile, const T* g, const T* x, const T* means, T* sums, T* products) const {
    collect(
        tile, sums, products,
        [&](T* parts) { runs.productsOfRuns(g + tile.start, x + tile.start, tiles.runsOf(tile), tile.images, means, parts); },
        [&](T* first, T* second) {
          rows.productsDown(g + tile.start, x + tile.start, tiles.rowsOf(tile), means, first, second);
        });
  }
  // The same with dx = factor g.
  void productsAndScale(const Tile& tile, const T* g, const T* x, const T* means, const T* factors, const T* zeros, T* sums,
                        T* products, T* dx) const {
    if (tiles.rows) {
      this->products(tile, g, x, means, sums, products);
      scale(tile, g, zeros, factors, zeros, dx);
    } else {
      collect(
          tile, sums, products,
          [&](T* parts) {
            runs.productsAndScaleOfRuns(g + tile.start, x + tile.start, tiles.runsOf(tile), tile.images, means, parts, factors,
                                        dx + tile.start);
          },
          [](T*, T*) {});
    }
  }
  void scale(const Tile& tile, const T* x, const T* means, const T* factors, const T* offsets, T* y) const {
    if (tiles.rows)
      rows.scaleDown(x + tile.start, tiles.rowsOf(tile), means, factors, offsets, y + tile.start);
    else
      runs.scaleRuns(x + tile.start, tiles.runsOf(tile), tile.images, means, factors, offsets, y + tile.start);
  }
  void combine(const Tile& tile, const T* g, const T* x, const T* means, const T* a, const T* b, const T* c, T* y) const {
    if (tiles.rows)
      rows.combineDown(g + tile.start, x + tile.start, tiles.rowsOf(tile), means, a, b, c, y + tile.start);
    else
      runs.combineRuns(g + tile.start, x + tile.start, tiles.runsOf(tile), tile.images, means, a, b, c, y + tile.start);
  }

  void guess(const T* x, Numbers<T>& numbers, int kind) const {
    guessMeans(runs, how, x, numbers.of(kind), [&](Index first, Index count) { numbers.stretch(kind, first, count); });
  }

 private:
  T summed(const T* values) const {
    T sum = values[0];
    for (Index i = 1; i < how.inner; ++i) sum += values[i];
    return sum;
  }
  template <class OfRuns, class OfRows>
  void collect(const Tile& tile, T* first, T* second, OfRuns ofRuns, OfRows ofRows) const {
    if (tiles.rows && how.inner == 1) return ofRows(first, second);
    const Index width = tiles.rows ? tile.count * how.inner : tile.count * runs.parts;
    T* sums = scratchMemory<T>(2 * width);
    if (tiles.rows)
      ofRows(sums, sums + width);
    else
      ofRuns(std::fill_n(sums, 2 * width, T(0)) - 2 * width);
    if (!tiles.rows) return runs.totals(sums, tile.count, first, second);
    for (Index p = 0; p < tile.count; ++p) {
      first[p] = summed(sums + p * how.inner);
      second[p] = summed(sums + width + p * how.inner);
    }
  }
};

Normalization alone(Index inner, Index kept, Index outer) { return {inner, kept, outer, inner, kept, 0}; }

// Calls body(how, 0), but where there is one image calls body(part of how, its first middle position) for each of the tiles
// [first, last): all their numbers together would be as many as the data. What belongs to one middle position is the same.
template <class F>
void byParts(const Normalization& how, const Tiles& tiles, Index first, Index last, F&& body) {
  if (how.outer > 1) return body(how, Index{0});
  parallelFor(last - first, grainFor(tiles.positions * how.inner), [&](Index begin, Index end) {
    for (Index a = first + begin; a < first + end; ++a) {
      const auto tile = tiles(a, 0);
      Normalization part = how;
      part.kept = tile.count;
      body(part, tile.first);
    }
  });
}

}  // namespace

bool inMemoryOrder(const Normalization& how, std::size_t elementBytes) {
  if (how.inner != how.run || how.inner > (how.outer == 1 ? 2048 : longestRun)) return false;
  // Long runs that do not meet in the same lines of the caches are best finished position by position.
  const auto bytes = static_cast<Index>(elementBytes), stride = how.inner * how.kept * bytes;
  const bool cached = how.inner * how.outer * bytes <= (Index{1} << 19) && how.inner * bytes >= 8192 && stride % 16384 != 0;
  return !cached;
}

namespace {

// Of the middle positions from `from` on, as the channels go; x and y start with the first of them, as mean and variance do.
template <class T>
void normalizePart(const Normalization& how, Index from, const T* x, const T* offset, const T* scale, T* mean, T* variance,
                   T* y) {
  const InOrder<T> in(how);
  enum { centres, means, factors, offsets, kinds };
  Workspace memory = in.memory(kinds);
  Numbers<T> numbers(how, in.tiles, kinds, memory);
  PositionSums<T> sums(how, in.tiles.blocks, memory);
  in.guess(x, numbers, centres);
  inThreeSteps(
      in.tiles.pieces(sizeof(T)),
      [&](Index a, Index block) {
        const auto tile = in.tiles(a, block);
        in.deviations(tile, x, numbers.at(centres, tile.first), sums.part(block, 0, tile.first), sums.part(block, 1, tile.first));
      },
      [&](Index a) {
        const auto [first, count, start, images] = in.tiles(a, 0);
        sums.moments(in.runs, in.rows, first, count, x, numbers.of(centres), mean, variance, numbers.of(factors));
        std::copy_n(mean + first, count, numbers.of(means) + first);
        byChannels(from + first, count, how.channels, [&](Index k, Index channel, Index n) {
          T* each = numbers.of(factors) + k - from;
          for (Index i = 0; i < n; ++i) each[i] *= scale[channel + i];
          std::copy_n(offset + channel, n, numbers.of(offsets) + k - from);
        });
        for (const int kind : {means, factors, offsets}) numbers.stretch(kind, first, count);
      },
      [&](Index a, Index block) {
        const auto tile = in.tiles(a, block);
        in.scale(tile, x, numbers.at(means, tile.first), numbers.at(factors, tile.first), numbers.at(offsets, tile.first), y);
      });
}

// The same for the gradient; `totals` gets the sums of both kinds of all middle positions, `apart` from each other.
template <class T>
void gradientPart(const Normalization& how, Index from, const T* g, const T* x, const T* scale, const T* mean, const T* variance,
                  T* dx, double* totals, Index apart) {
  const InOrder<T> in(how);
  enum { means, byG, byX, rest, kinds };
  Workspace memory = in.memory(kinds);
  Numbers<T> numbers(how, in.tiles, kinds, memory);
  PositionSums<T> sums(how, in.tiles.blocks, memory);
  numbers.set(means, mean);
  inThreeSteps(
      in.tiles.pieces(2 * sizeof(T)),
      [&](Index a, Index block) {
        const auto tile = in.tiles(a, block);
        in.products(tile, g, x, numbers.at(means, tile.first), sums.part(block, 0, tile.first), sums.part(block, 1, tile.first));
      },
      [&](Index a) {
        const auto [first, count, start, images] = in.tiles(a, 0);
        sums.combinations(in.rows, first, count, from, variance, scale, numbers.of(byG), numbers.of(byX), numbers.of(rest));
        for (const int kind : {byG, byX, rest}) numbers.stretch(kind, first, count);
      },
      [&](Index a, Index block) {
        if (!dx) return;
        const auto tile = in.tiles(a, block);
        in.combine(tile, g, x, numbers.at(means, tile.first), numbers.at(byG, tile.first), numbers.at(byX, tile.first),
                   numbers.at(rest, tile.first), dx);
      });
  for (const int kind : {0, 1}) std::copy_n(sums.total(kind, 0), how.kept, totals + kind * apart);
}

template <class T>
void scalePart(const Normalization& how, const T* x, const T* mean, const T* factor, const T* offset, T* y) {
  const Index inner = how.inner, kept = how.kept, outer = how.outer;
  const InOrder<T> in(how);
  Workspace memory(Numbers<T>::bytes(how, in.tiles, 3));
  Numbers<T> numbers(how, in.tiles, 3, memory);
  for (int kind = 0; kind < 3; ++kind) numbers.set(kind, kind == 0 ? mean : kind == 1 ? factor : offset);
  // Nothing is gone through twice, so that pieces may be what lies side by side.
  constexpr Index atOnce = Index{1} << 14;  // elements
  const Index positions = std::clamp<Index>(atOnce / inner, 1, kept), across = (kept + positions - 1) / positions,
              images = across > 1 ? 1 : std::clamp<Index>(atOnce / (inner * kept), 1, outer),
              blocks = (outer + images - 1) / images;
  parallelFor(across * blocks, grainFor(positions * inner * images), [&](Index begin, Index end) {
    for (Index unit = begin; unit < end; ++unit) {
      const Index first = unit % across * positions, image = unit / across * images;
      const Tiles::Tile tile{first, std::min(positions, kept - first), (image * kept + first) * inner,
                             std::min(images, outer - image)};
      in.scale(tile, x, numbers.at(0, first), numbers.at(1, first), numbers.at(2, first), y);
    }
  });
}

template <class T>
void scaleGradientPart(const Normalization& how, const T* g, const T* x, const T* mean, const T* factor, T* dx, double* totals,
                       Index apart) {
  const InOrder<T> in(how);
  enum { means, factors, zeros, kinds };
  Workspace memory = in.memory(kinds);
  Numbers<T> numbers(how, in.tiles, kinds, memory);
  PositionSums<T> sums(how, in.tiles.blocks, memory);
  numbers.set(means, mean);
  numbers.set(factors, factor);
  std::fill_n(numbers.of(zeros), how.kept, T(0));
  numbers.stretch(zeros, 0, how.kept);
  const auto [across, blocks, elements, positions, near] = in.tiles.pieces(2 * sizeof(T));
  parallelFor(across * blocks, grainFor(elements), [&, across = across](Index begin, Index end) {
    for (Index unit = begin; unit < end; ++unit) {
      const Index block = unit / across;
      const auto tile = in.tiles(unit % across, block);
      T *sum = sums.part(block, 0, tile.first), *product = sums.part(block, 1, tile.first);
      if (dx)
        in.productsAndScale(tile, g, x, numbers.at(means, tile.first), numbers.at(factors, tile.first),
                            numbers.at(zeros, tile.first), sum, product, dx);
      else
        in.products(tile, g, x, numbers.at(means, tile.first), sum, product);
    }
  });
  sums.addUp(in.rows, 0, how.kept);
  for (const int kind : {0, 1}) std::copy_n(sums.total(kind, 0), how.kept, totals + kind * apart);
}

// The sums of both kinds for each channel: body(part of how, its first middle position, totals, apart) gives them for the middle
// positions of a part.
template <class T, class F>
void sumsOfChannels(const Normalization& how, T* sums, T* products, F&& body) {
  const Tiles tiles(how);
  const NormalizationRowKernels<T> rows = DLARRAY_FOR_ARCH(normalizationRowKernels<T>)();
  // So many tiles in turn that the threads seldom wait for each other, and so few that their sums are few.
  const Index atOnce = how.outer > 1 ? tiles.across : std::min<Index>(tiles.across, 256),
              apart = std::min(how.kept, atOnce * tiles.positions);
  const std::unique_ptr<double[]> totals(new double[static_cast<std::size_t>(2 * apart)]),
      channels(new double[static_cast<std::size_t>(2 * how.channels)]());
  for (Index a = 0; a < tiles.across; a += atOnce) {
    const Index begin = a * tiles.positions;
    byParts(how, tiles, a, std::min(a + atOnce, tiles.across),
            [&](const Normalization& part, Index first) { body(part, first, totals.get() + first - begin, apart); });
    byChannels(begin, std::min(apart, how.kept - begin), how.channels, [&](Index k, Index channel, Index n) {
      for (const int kind : {0, 1})
        rows.addUpDoubles(totals.get() + kind * apart + k - begin, n, channels.get() + kind * how.channels + channel);
    });
  }
  for (Index c = 0; c < how.channels; ++c) {
    sums[c] = static_cast<T>(channels[static_cast<std::size_t>(c)]);
    products[c] = static_cast<T>(channels[static_cast<std::size_t>(how.channels + c)]);
  }
}

}  // namespace

template <class T>
void normalizeInOrder(const Normalization& how, const T* x, const T* offset, const T* scale, T* mean, T* variance, T* y) {
  const Tiles tiles(how);
  byParts(how, tiles, 0, tiles.across, [&](const Normalization& part, Index first) {
    const Index start = first * how.inner;
    normalizePart(part, first, x + start, offset, scale, mean + first, variance + first, y + start);
  });
}

template <class T>
void gradientInOrder(const Normalization& how, const T* g, const T* x, const T* scale, const T* mean, const T* variance, T* dx,
                     T* dOffset, T* dScale) {
  sumsOfChannels(how, dOffset, dScale, [&](const Normalization& part, Index first, double* totals, Index apart) {
    const Index start = first * how.inner;
    gradientPart(part, first, g + start, x + start, scale, mean + first, variance + first, dx ? dx + start : nullptr, totals,
                 apart);
  });
}

template <class T>
void scaleInOrder(Index inner, Index kept, Index outer, const T* x, const T* mean, const T* factor, const T* offset, T* y) {
  const Normalization how = alone(inner, kept, outer);
  const Tiles tiles(how);
  byParts(how, tiles, 0, tiles.across, [&](const Normalization& part, Index first) {
    scalePart(part, x + first * inner, mean + first, factor + first, offset + first, y + first * inner);
  });
}

template <class T>
void scaleGradientInOrder(Index inner, Index kept, Index outer, const T* g, const T* x, const T* mean, const T* factor, T* dx,
                          T* dSums, T* dProducts) {
  sumsOfChannels(
      alone(inner, kept, outer), dSums, dProducts, [&](const Normalization& part, Index first, double* totals, Index apart) {
        const Index start = first * inner;
        scaleGradientPart(part, g + start, x + start, mean + first, factor + first, dx ? dx + start : nullptr, totals, apart);
      });
}

template void normalizeInOrder(const Normalization&, const float*, const float*, const float*, float*, float*, float*);
template void normalizeInOrder(const Normalization&, const double*, const double*, const double*, double*, double*, double*);
template void gradientInOrder(const Normalization&, const float*, const float*, const float*, const float*, const float*, float*,
                              float*, float*);
template void gradientInOrder(const Normalization&, const double*, const double*, const double*, const double*, const double*,
                              double*, double*, double*);
template void scaleInOrder(Index, Index, Index, const float*, const float*, const float*, const float*, float*);
template void scaleInOrder(Index, Index, Index, const double*, const double*, const double*, const double*, double*);
template void scaleGradientInOrder(Index, Index, Index, const float*, const float*, const float*, const float*, float*, float*,
                                   float*);
template void scaleGradientInOrder(Index, Index, Index, const double*, const double*, const double*, const double*, double*,
                                   double*, double*);

}  // namespace dl::cpu
