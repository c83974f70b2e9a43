#include "cpu/normalization_along.hpp"

#include <memory>

#include "cpu/arch.hpp"
#include "cpu/normalization_columns.hpp"

namespace dl::cpu {
namespace {

constexpr Index mostRows = 64;                // in one call of a kernel
constexpr Index mostSummed = Index{1} << 13;  // elements, in the array's precision

// Numbers of the rows of one call.
template <class T>
using RowNumbers = T[mostRows];

// Rows of all channels in the order of memory: row q holds `groups` middle positions, and so does row q + perImage of the next
// image. Rows are cut into pieces whose borders follow from the sizes alone: `strip` neighbouring ones of an image, of `images`
// images.
struct Strips {
  explicit Strips(const Normalization& how) : how_(how) {
    width = how.run * how.channels;
    groups = width / how.inner;
    perImage = how.kept / groups;
    constexpr Index most = 32;
    strip = perImage <= mostRows ? perImage : std::max(mostRows, (perImage + most - 1) / most);
    across = (perImage + strip - 1) / strip;
    // Four rows at least, as each piece has sums for a row of channels.
    const Index blocksWanted = std::clamp<Index>(std::min(strip * width * how.outer / 8192, strip * how.outer / 4), 1,
                                                 std::max<Index>(1, most / across));
    images = (how.outer + blocksWanted - 1) / blocksWanted;
    blocks = (how.outer + images - 1) / images;
    // So few at once that they stay in the first cache from one kernel to the next.
    rowsAtOnce = std::clamp<Index>(4096 / width / 4 * 4, 4, mostRows);
  }

  Index width, groups, perImage, strip, across, images, blocks, rowsAtOnce;

  Pieces pieces() const { return {across, blocks, strip * width * images, strip * groups, false}; }

  /// Calls body(first row in its image, first element, number of rows) for the rows of a piece, some at a time.
  template <class F>
  void rows(Index a, Index block, F&& body) const {
    const Index first = a * strip, count = std::min(strip, perImage - first), image = block * images,
                lastImage = std::min(image + images, how_.outer);
    // Whole images lie behind each other.
    const Index runs = across == 1 ? 1 : lastImage - image, length = across == 1 ? (lastImage - image) * perImage : count;
    for (Index run = 0; run < runs; ++run) {
      const Index start = (image + run) * perImage + first;
      for (Index q = 0; q < length; q += rowsAtOnce)
        body((first + q) % perImage, (start + q) * width, std::min(rowsAtOnce, length - q));
    }
  }

  /// The first middle position of the pieces with this number, and how many there are.
  Index firstOf(Index a) const { return a * strip * groups; }
  Index countOf(Index a) const { return std::min(strip * groups, how_.kept - firstOf(a)); }
  /// Calls body(r, middle position) for `count` rows from `row` on.
  template <class F>
  void positions(Index row, Index group, Index count, F&& body) const {
    for (Index r = 0; r < count; row = 0)  // rows of the next image
      for (; r < count && row < perImage; ++r, ++row) body(r, row * groups + group);
  }
  template <class T>
  void gather(const T* values, Index row, Index group, Index count, T* to) const {
    positions(row, group, count, [=](Index r, Index k) { to[r] = values[k]; });
  }
  Rows of(Index count) const { return {how_.inner, width, count}; }

 private:
  const Normalization& how_;
};

// The sums of a call added to those of its middle positions.
void addTo(const Strips& strips, Index row, Index group, Index count, const double* values, Index first, double* to) {
  strips.positions(row, group, count, [=](Index r, Index k) { to[k - first] += values[r]; });
}

// Calls body(first column, part of the rows, sums of two kinds) for parts of rows, so short that they may be summed in the
// array's precision, and adds up the sums in double.
template <class T, class F>
void inShortRows(Rows rows, double* first, double* second, F&& body) {
  std::fill_n(first, rows.count, 0.0);
  std::fill_n(second, rows.count, 0.0);
  for (Index i = 0; i < rows.length; i += mostSummed) {
    RowNumbers<T> a, b;
    body(i, Rows{std::min(mostSummed, rows.length - i), rows.stride, rows.count}, a, b);
    for (Index r = 0; r < rows.count; ++r) {
      first[r] += static_cast<double>(a[r]);
      second[r] += static_cast<double>(b[r]);
    }
  }
}

template <class T>
void deviationsAlong(const NormalizationRowKernels<T>& kernels, const T* x, Rows rows, const T* centres, double* sums,
                     double* squares) {
  inShortRows<T>(rows, sums, squares,
                 [&](Index i, Rows part, T* sum, T* square) { kernels.deviationsAlong(x + i, part, centres, sum, square); });
}

// The moments of rows that are normalised each for itself.
template <class T>
void momentsOfRows(const NormalizationRowKernels<T>& kernels, const T* x, Rows rows, double epsilon, T* means, T* variances,
                   T* factors) {
  const auto n = static_cast<double>(rows.length);
  RowNumbers<T> centres;
  RowNumbers<double> sums, squares;
  for (Index r = 0; r < rows.count; ++r) centres[r] = x[r * rows.stride];
  deviationsAlong(kernels, x, rows, centres, sums, squares);
  if (kernels.moments(rows.count, n, epsilon, centres, sums, squares, means, variances, factors) == 0) return;
  for (Index r = 0; r < rows.count; ++r) {
    if (!Moments::cancelled(n, sums[r], squares[r])) continue;
    centres[r] = means[r];
    deviationsAlong(kernels, x + r * rows.stride, {rows.length, rows.stride, 1}, centres + r, sums, squares);
    kernels.moments(1, n, epsilon, centres + r, sums, squares, means + r, variances + r, factors + r);
  }
}

template <class T>
void normalizeRows(const NormalizationRowKernels<T>& kernels, const Normalization& how, const Strips& strips, const T* x,
                   const T* offset, const T* scale, T* mean, T* variance, T* y) {
  const Index some = strips.rowsAtOnce;
  parallelFor((strips.perImage + some - 1) / some, grainFor(some * strips.width), [&](Index begin, Index end) {
    RowNumbers<T> means, variances, factors;
    for (Index row = begin * some; row < std::min(end * some, strips.perImage); row += some) {
      const Index count = std::min(some, strips.perImage - row);
      for (Index group = 0; group < strips.groups; ++group) {
        const Index at = group * how.inner, start = row * strips.width + at;
        if (how.inner <= mostSummed) {
          kernels.normalizeEach(x + start, strips.of(count), how.epsilon, scale + at, offset + at, means, variances, y + start);
        } else {
          momentsOfRows(kernels, x + start, strips.of(count), how.epsilon, means, variances, factors);
          kernels.scaleAlong(x + start, strips.of(count), means, factors, scale + at, offset + at, y + start);
        }
        strips.positions(row, group, count, [&](Index r, Index k) {
          mean[k] = means[r];
          variance[k] = variances[r];
        });
      }
    }
  });
}

// The gradient, by pieces: each has sums of its own for what the offsets and scales get from it, which are added up in order.
template <class T>
class Gradient {
 public:
  Gradient(const NormalizationRowKernels<T>& kernels, const Normalization& how, const Strips& strips, const T* g, const T* x,
           const T* scale, const T* mean, const T* variance)
      : kernels_(kernels),
        how_(how),
        strips_(strips),
        g_(g),
        x_(x),
        mean_(mean),
        variance_(variance),
        scales_(stretched(how, scale)),
        factors_(new T[static_cast<std::size_t>(how.kept)]),
        channels_(how, strips.across * strips.blocks) {
    kernels.inverseDeviations(how.kept, how.epsilon, variance, factors_.get());
  }

  // Rows that are normalised each for itself are finished while they are in the first cache.
  void rowByRow(T* dx) const {
    if (how_.inner > mostSummed) return longRowByRow(dx);
    parallelFor(strips_.across, grainFor(strips_.strip * strips_.width), [&](Index begin, Index end) {
      for (Index a = begin; a < end; ++a)
        strips_.rows(a, 0, [&](Index row, Index start, Index count) {
          RowNumbers<T> means, variances;
          for (Index group = 0; group < strips_.groups; ++group) {
            const Index at = group * how_.inner, from = start + at;
            strips_.gather(mean_, row, group, count, means);
            strips_.gather(variance_, row, group, count, variances);
            kernels_.gradientEach(g_ + from, x_ + from, strips_.of(count), how_.epsilon, scales_.data() + at, means, variances,
                                  channels_.offsets(a) + at, channels_.scales(a) + at, dx ? dx + from : nullptr);
          }
        });
    });
  }

  void longRowByRow(T* dx) const {
    const auto ones = onesFor(mostRows);
    parallelFor(strips_.across, grainFor(strips_.strip * strips_.width), [&](Index begin, Index end) {
      for (Index a = begin; a < end; ++a)
        strips_.rows(a, 0, [&](Index row, Index start, Index count) {
          RowNumbers<T> variances, byG, byX, rest;
          RowNumbers<double> sums, products;
          for (Index group = 0; group < strips_.groups; ++group) {
            collect(a, row, start, group, count, sums, products);
            if (!dx) continue;
            strips_.gather(variance_, row, group, count, variances);
            kernels_.combinations(count, static_cast<double>(how_.inner), how_.epsilon, variances, ones.get(), sums, products,
                                  byG, byX, rest);
            spread(row, start, group, count, byG, byX, rest, dx);
          }
        });
    });
  }

  void inPasses(T* dx) const {
    const auto n = static_cast<std::size_t>(how_.kept);
    const std::unique_ptr<T[]> byG(new T[n]), byX(new T[n]), rest(new T[n]);
    const auto ones = onesFor(how_.kept);
    Workspace memory(PositionSums<T>::bytes(how_, strips_.blocks));
    PositionSums<T> sums(how_, strips_.blocks, memory);
    inThreeSteps(
        strips_.pieces(),
        [&](Index a, Index block) {
          const Index first = strips_.firstOf(a), some = strips_.countOf(a);
          const std::unique_ptr<double[]> exact(new double[static_cast<std::size_t>(2 * some)]());
          strips_.rows(a, block, [&](Index row, Index start, Index count) {
            RowNumbers<double> sum, product;
            for (Index group = 0; group < strips_.groups; ++group) {
              collect(block * strips_.across + a, row, start, group, count, sum, product);
              addTo(strips_, row, group, count, sum, first, exact.get());
              addTo(strips_, row, group, count, product, first, exact.get() + some);
            }
          });
          sums.set(block, first, some, exact.get());
        },
        [&](Index a) {
          const Index k = strips_.firstOf(a), some = strips_.countOf(a);
          sums.addUp(kernels_, k, some);
          kernels_.combinations(some, static_cast<double>(how_.inner * how_.outer), how_.epsilon, variance_ + k, ones.get(),
                                sums.total(0, k), sums.total(1, k), byG.get() + k, byX.get() + k, rest.get() + k);
        },
        [&](Index a, Index block) {
          if (!dx) return;
          strips_.rows(a, block, [&](Index row, Index start, Index count) {
            RowNumbers<T> a1, b1, c1;
            for (Index group = 0; group < strips_.groups; ++group) {
              strips_.gather(byG.get(), row, group, count, a1);
              strips_.gather(byX.get(), row, group, count, b1);
              strips_.gather(rest.get(), row, group, count, c1);
              spread(row, start, group, count, a1, b1, c1, dx);
            }
          });
        });
  }

  void toChannels(T* dOffset, T* dScale) const { channels_.addUp(kernels_, dOffset, dScale); }

 private:
  static std::unique_ptr<T[]> onesFor(Index n) {
    std::unique_ptr<T[]> ones(new T[static_cast<std::size_t>(n)]);
    std::fill_n(ones.get(), n, T(1));
    return ones;
  }
  void collect(Index piece, Index row, Index start, Index group, Index count, double* sums, double* products) const {
    const Index at = group * how_.inner;
    RowNumbers<T> means, factors;
    strips_.gather(mean_, row, group, count, means);
    strips_.gather(factors_.get(), row, group, count, factors);
    inShortRows<T>(strips_.of(count), sums, products, [&](Index i, Rows part, T* sum, T* product) {
      const Index column = at + i, from = start + column;
      kernels_.productsAlong(g_ + from, x_ + from, part, means, factors, scales_.data() + column,
                             channels_.offsets(piece) + column, channels_.scales(piece) + column, sum, product);
    });
  }
  void spread(Index row, Index start, Index group, Index count, const T* a, const T* b, const T* c, T* dx) const {
    const Index at = group * how_.inner;
    RowNumbers<T> means;
    strips_.gather(mean_, row, group, count, means);
    kernels_.combineAlong(g_ + start + at, x_ + start + at, strips_.of(count), means, scales_.data() + at, a, b, c,
                          dx + start + at);
  }

  const NormalizationRowKernels<T>& kernels_;
  const Normalization& how_;
  const Strips& strips_;
  const T *g_, *x_, *mean_, *variance_;
  Lines<T> scales_;
  std::unique_ptr<T[]> factors_;
  ChannelTotals<T> channels_;
};

}  // namespace

bool acrossChannels(const Normalization& how) { return how.run < shortRun && how.inner > how.run; }

template <class T>
void normalizeAlong(const Normalization& how, const T* x, const T* offset, const T* scale, T* mean, T* variance, T* y) {
  if (downColumns(how)) return normalizeColumns(how, x, offset, scale, mean, variance, y);
  const NormalizationKernels<T> runs = DLARRAY_FOR_ARCH(normalizationKernels<T>)();
  const NormalizationRowKernels<T> kernels = DLARRAY_FOR_ARCH(normalizationRowKernels<T>)();
  const Strips strips(how);
  const Lines<T> offsets = stretched(how, offset), scales = stretched(how, scale);
  if (how.outer == 1) return normalizeRows(kernels, how, strips, x, offsets.data(), scales.data(), mean, variance, y);
  const std::unique_ptr<T[]> centres(new T[static_cast<std::size_t>(how.kept)]),
      factors(new T[static_cast<std::size_t>(how.kept)]);
  guessMeans(runs, how, x, centres.get(), [](Index, Index) {});
  Workspace memory(PositionSums<T>::bytes(how, strips.blocks));
  PositionSums<T> sums(how, strips.blocks, memory);
  inThreeSteps(
      strips.pieces(),
      [&](Index a, Index block) {
        const Index first = strips.firstOf(a), n = strips.countOf(a);
        const std::unique_ptr<double[]> exact(new double[static_cast<std::size_t>(2 * n)]());
        strips.rows(a, block, [&](Index row, Index start, Index count) {
          RowNumbers<T> centre;
          RowNumbers<double> sum, squares;
          for (Index group = 0; group < strips.groups; ++group) {
            strips.gather(centres.get(), row, group, count, centre);
            deviationsAlong(kernels, x + start + group * how.inner, strips.of(count), centre, sum, squares);
            addTo(strips, row, group, count, sum, first, exact.get());
            addTo(strips, row, group, count, squares, first, exact.get() + n);
          }
        });
        sums.set(block, first, n, exact.get());
      },
      [&](Index a) {
        const Index first = strips.firstOf(a), n = strips.countOf(a);
        sums.moments(runs, kernels, first, n, x, centres.get(), mean, variance, factors.get());
      },
      [&](Index a, Index block) {
        strips.rows(a, block, [&](Index row, Index start, Index count) {
          RowNumbers<T> means, by;
          for (Index group = 0; group < strips.groups; ++group) {
            const Index at = group * how.inner;
            strips.gather(mean, row, group, count, means);
            strips.gather(factors.get(), row, group, count, by);
            kernels.scaleAlong(x + start + at, strips.of(count), means, by, scales.data() + at, offsets.data() + at,
                               y + start + at);
          }
        });
      });
}

template <class T>
void gradientAlong(const Normalization& how, const T* g, const T* x, const T* scale, const T* mean, const T* variance, T* dx,
                   T* dOffset, T* dScale) {
  if (downColumns(how)) return gradientColumns(how, g, x, scale, mean, variance, dx, dOffset, dScale);
  const NormalizationRowKernels<T> kernels = DLARRAY_FOR_ARCH(normalizationRowKernels<T>)();
  const Strips strips(how);
  const Gradient<T> all(kernels, how, strips, g, x, scale, mean, variance);
  if (how.outer == 1)
    all.rowByRow(dx);
  else
    all.inPasses(dx);
  all.toChannels(dOffset, dScale);
}

template void normalizeAlong(const Normalization&, const float*, const float*, const float*, float*, float*, float*);
template void normalizeAlong(const Normalization&, const double*, const double*, const double*, double*, double*, double*);
template void gradientAlong(const Normalization&, const float*, const float*, const float*, const float*, const float*, float*,
                            float*, float*);
template void gradientAlong(const Normalization&, const double*, const double*, const double*, const double*, const double*,
                            double*, double*, double*);

}  // namespace dl::cpu
