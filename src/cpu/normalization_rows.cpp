#include "cpu/normalization_rows.hpp"

#include <algorithm>
#include <memory>

#include "cpu/parallel.hpp"

namespace dl::cpu {
namespace {

constexpr Index shortRun = 16;       // shorter runs than this are rows to the kernels
constexpr Index longestRun = 32768;  // longer ones are cut up elsewhere

// An array inner x kept x outer as tiles: some neighbouring middle positions of some images. Their borders follow from the sizes
// alone, and so does the order of every sum.
struct Tiles {
  explicit Tiles(const Normalization& how) : how_(how) {
    rows = how.inner < shortRun;
    positions = std::min(how.kept, rows ? std::max<Index>(1, 2048 / how.inner) : (4096 + how.inner - 1) / how.inner);
    images = std::min(how.outer, rows ? Index{128} : std::clamp<Index>(8192 / how.inner, 1, 64));
    across = (how.kept + positions - 1) / positions;
    blocks = (how.outer + images - 1) / images;
  }

  bool rows;
  Index positions, images, across, blocks;

  /// Calls body(block, first position, number of positions, first element, images) for all, in parallel.
  template <class F>
  void forAll(F&& body) const {
    parallelFor(across * blocks, grainFor(positions * how_.inner * images), [&](Index begin, Index end) {
      for (Index unit = begin; unit < end; ++unit) {
        const Index first = unit % across * positions, block = unit / across, image = block * images;
        body(block, first, std::min(positions, how_.kept - first), (image * how_.kept + first) * how_.inner,
             std::min(images, how_.outer - image));
      }
    });
  }
  Index stride() const { return how_.inner * how_.kept; }
  Runs runs(Index count) const { return {how_.inner, stride(), count}; }
  /// How often each of the numbers of the middle positions stands in the arrays that the kernels read.
  Index copies() const { return rows ? how_.inner : 1; }

 private:
  const Normalization& how_;
};

// Numbers for the middle positions as the kernels want them, several kinds of them.
template <class T>
class Numbers {
 public:
  Numbers(const Tiles& tiles, Index kept, int kinds)
      : copies_(tiles.copies()), n_(kept * copies_), values_(new T[static_cast<std::size_t>(n_ * kinds)]) {}
  void set(int kind, Index position, T value) { std::fill_n(values_.get() + kind * n_ + position * copies_, copies_, value); }
  const T* at(int kind, Index position) const { return values_.get() + kind * n_ + position * copies_; }

 private:
  Index copies_, n_;
  std::unique_ptr<T[]> values_;
};

// The two sums that the kernels take of every middle position in every block of images.
struct Pair {
  double first = 0, second = 0;
};

// Runs a kernel on a tile into zeroed memory, and gives its sums to done(position, sums).
template <class T, class Kernel, class Done>
void sumTile(const NormalizationKernels<T>& kernels, const Tiles& tiles, Index first, Index count, Index inner, Kernel kernel,
             Done done) {
  const Index n = tiles.rows ? 2 * count * inner : 2 * count * kernels.parts;
  const std::unique_ptr<T[]> sums(new T[static_cast<std::size_t>(n)]());
  kernel(sums.get());
  for (Index p = 0; p < count; ++p) {
    Pair pair;
    if (tiles.rows) {
      for (Index i = p * inner; i < (p + 1) * inner; ++i) {
        pair.first += static_cast<double>(sums[static_cast<std::size_t>(i)]);
        pair.second += static_cast<double>(sums[static_cast<std::size_t>(count * inner + i)]);
      }
    } else {
      const T* parts = sums.get() + 2 * p * kernels.parts;
      pair = {static_cast<double>(kernels.total(parts)), static_cast<double>(kernels.total(parts + kernels.parts))};
    }
    done(first + p, pair);
  }
}

// First guesses of the means: for rows from a few of them, as they lie in memory.
template <class T>
void guessMeans(const NormalizationKernels<T>& kernels, const Tiles& tiles, const Normalization& how, const T* x, Numbers<T>& numbers) {
  if (!tiles.rows) {
    for (Index k = 0; k < how.kept; ++k) numbers.set(0, k, guessedMean(kernels, how, x, k));
    return;
  }
  const Index n = tiles.stride(), rows = std::min<Index>(how.outer, 4);
  const std::unique_ptr<T[]> sums(new T[static_cast<std::size_t>(n)]);
  std::copy_n(x, n, sums.get());
  for (Index r = 1; r < rows; ++r)
    for (Index i = 0; i < n; ++i) sums[static_cast<std::size_t>(i)] += x[r * n + i];
  for (Index k = 0; k < how.kept; ++k) {
    T sum = 0;
    for (Index i = 0; i < how.inner; ++i) sum += sums[static_cast<std::size_t>(k * how.inner + i)];
    numbers.set(0, k, sum / static_cast<T>(rows * how.inner));
  }
}

}  // namespace

bool inMemoryOrder(const Normalization& how, std::size_t elementBytes) {
  if (how.inner != how.run || how.outer == 1 || how.inner > longestRun) return false;
  // Long runs that do not meet in the same lines of the caches are best finished position by position.
  const auto bytes = static_cast<Index>(elementBytes), stride = how.inner * how.kept * bytes;
  const bool cached = how.inner * how.outer * bytes <= (Index{1} << 19) && how.inner * bytes >= 8192 && stride % 16384 != 0;
  return !cached;
}

template <class T>
void normalizeInOrder(const NormalizationKernels<T>& kernels, const Normalization& how, const T* x, const T* offset,
                      const T* scale, T* mean, T* variance, T* y) {
  const Tiles tiles(how);
  Numbers<T> numbers(tiles, how.kept, 3);
  guessMeans(kernels, tiles, how, x, numbers);
  const std::unique_ptr<Moments[]> moments(new Moments[static_cast<std::size_t>(how.kept * tiles.blocks)]);
  tiles.forAll([&](Index block, Index first, Index count, Index start, Index images) {
    const auto n = static_cast<double>(how.inner * images);
    sumTile(
        kernels, tiles, first, count, how.inner,
        [&](T* sums) {
          if (tiles.rows)
            kernels.deviationsOfRows(x + start, count * how.inner, tiles.stride(), images, numbers.at(0, first), sums);
          else
            kernels.deviationsOfRuns(x + start, tiles.runs(count), images, numbers.at(0, first), sums);
        },
        [&](Index k, Pair sums) {
          const T guess = *numbers.at(0, k);
          moments[static_cast<std::size_t>(block * how.kept + k)] =
              Moments::cancelled(n, sums.first, sums.second)
                  ? momentsOf(kernels, x + start + (k - first) * how.inner, {how.inner, tiles.stride(), images}, guess)
                  : Moments::around(static_cast<double>(guess), n, sums.first, sums.second);
        });
  });
  for (Index k = 0; k < how.kept; ++k) {
    Moments all;
    for (Index block = 0; block < tiles.blocks; ++block) all.join(moments[static_cast<std::size_t>(block * how.kept + k)]);
    mean[k] = static_cast<T>(all.mean);
    variance[k] = static_cast<T>(all.squares / all.n);
    const Index channel = k % how.channels;
    numbers.set(0, k, mean[k]);
    numbers.set(1, k, inverseDeviation(variance[k], how.epsilon) * scale[channel]);
    numbers.set(2, k, offset[channel]);
  }
  tiles.forAll([&](Index, Index first, Index count, Index start, Index images) {
    const T *means = numbers.at(0, first), *factors = numbers.at(1, first), *offsets = numbers.at(2, first);
    if (tiles.rows)
      kernels.scaleRows(x + start, count * how.inner, tiles.stride(), images, means, factors, offsets, y + start);
    else
      kernels.scaleRuns(x + start, tiles.runs(count), images, means, factors, offsets, y + start);
  });
}

template <class T>
void gradientInOrder(const NormalizationKernels<T>& kernels, const Normalization& how, const T* g, const T* x, const T* scale,
                     const T* mean, const T* variance, T* dx, T* dOffset, T* dScale) {
  const Tiles tiles(how);
  Numbers<T> numbers(tiles, how.kept, 4);
  for (Index k = 0; k < how.kept; ++k) numbers.set(0, k, mean[k]);
  const std::unique_ptr<Pair[]> sums(new Pair[static_cast<std::size_t>(how.kept * tiles.blocks)]);
  tiles.forAll([&](Index block, Index first, Index count, Index start, Index images) {
    sumTile(
        kernels, tiles, first, count, how.inner,
        [&](T* to) {
          if (tiles.rows)
            kernels.productsOfRows(g + start, x + start, count * how.inner, tiles.stride(), images, numbers.at(0, first), to);
          else
            kernels.productsOfRuns(g + start, x + start, tiles.runs(count), images, numbers.at(0, first), to);
        },
        [&](Index k, Pair pair) { sums[static_cast<std::size_t>(block * how.kept + k)] = pair; });
  });
  std::fill_n(dOffset, how.channels, T(0));
  std::fill_n(dScale, how.channels, T(0));
  for (Index k = 0; k < how.kept; ++k) {
    Pair all;
    for (Index block = 0; block < tiles.blocks; ++block) {
      all.first += sums[static_cast<std::size_t>(block * how.kept + k)].first;
      all.second += sums[static_cast<std::size_t>(block * how.kept + k)].second;
    }
    const Index channel = k % how.channels;
    const T factor = inverseDeviation(variance[k], how.epsilon);
    const auto s = static_cast<double>(scale[channel]);
    const Combination<T> with(factor, s * all.first, s * all.second, how.inner * how.outer);
    numbers.set(1, k, with.a * scale[channel]);
    numbers.set(2, k, with.b);
    numbers.set(3, k, with.c);
    dOffset[channel] += static_cast<T>(all.first);
    dScale[channel] += static_cast<T>(all.second * static_cast<double>(factor));
  }
  if (!dx) return;
  tiles.forAll([&](Index, Index first, Index count, Index start, Index images) {
    const T *means = numbers.at(0, first), *a = numbers.at(1, first), *b = numbers.at(2, first), *c = numbers.at(3, first);
    if (tiles.rows)
      kernels.combineRows(g + start, x + start, count * how.inner, tiles.stride(), images, means, a, b, c, dx + start);
    else
      kernels.combineRuns(g + start, x + start, tiles.runs(count), images, means, a, b, c, dx + start);
  });
}

template void normalizeInOrder(const NormalizationKernels<float>&, const Normalization&, const float*, const float*, const float*,
                               float*, float*, float*);
template void normalizeInOrder(const NormalizationKernels<double>&, const Normalization&, const double*, const double*,
                               const double*, double*, double*, double*);
template void gradientInOrder(const NormalizationKernels<float>&, const Normalization&, const float*, const float*, const float*,
                              const float*, const float*, float*, float*, float*);
template void gradientInOrder(const NormalizationKernels<double>&, const Normalization&, const double*, const double*,
                              const double*, const double*, const double*, double*, double*, double*);

}  // namespace dl::cpu
