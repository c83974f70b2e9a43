#include "cpu/normalization.hpp"

#include <algorithm>
#include <cmath>
#include <memory>

#include "cpu/arch.hpp"
#include "cpu/parallel.hpp"
#include "cpu/normalization_rows.hpp"
#include "cpu/simd/normalization.hpp"

namespace dl::cpu {
namespace {

// What is summed in the array's precision before it is added up in double.
constexpr Index block = Index{1} << 13;
// What belongs together is normalised while it is still in the second cache, if it fits.
constexpr Index cachedBytes = Index{1} << 19;
// Shorter runs are worked on together with their neighbours of other channels.
constexpr Index shortRun = 16;

// The elements of one middle position as chunks of about `block` elements, whose borders follow from the sizes alone: some
// whole segments of `inner` neighbours, or a piece of one.
class Chunks {
 public:
  explicit Chunks(const Normalization& how) : how_(how) {
    pieces_ = (how.inner + block - 1) / block;
    segments_ = pieces_ > 1 ? 1 : std::max<Index>(1, block / how.inner);
    perPosition_ = pieces_ > 1 ? pieces_ * how.outer : (how.outer + segments_ - 1) / segments_;
  }
  Index perPosition() const { return perPosition_; }
  Index elements() const { return std::min(block, how_.inner * how_.outer); }

  /// Where a chunk of a middle position starts in the array, and where in its segment.
  struct Chunk {
    Index start, within;
    Runs runs;
  };
  Chunk operator()(Index position, Index chunk) const {
    const Index stride = how_.inner * how_.kept;
    if (pieces_ > 1) {
      const Index within = chunk % pieces_ * block;
      return {
          position * how_.inner + chunk / pieces_ * stride + within, within, {std::min(block, how_.inner - within), stride, 1}};
    }
    const Index first = chunk * segments_;
    return {position * how_.inner + first * stride, 0, {how_.inner, stride, std::min(segments_, how_.outer - first)}};
  }

  /// Calls body(start, runs, channel within the segment) for the parts of a chunk that belong to one channel.
  template <class F>
  void channels(const Chunk& chunk, F&& body) const {
    const Index end = chunk.within + chunk.runs.length;
    for (Index i = chunk.within; i < end;) {
      const Index channel = i / how_.run, next = std::min(end, (channel + 1) * how_.run);
      body(chunk.start + i - chunk.within, Runs{next - i, chunk.runs.stride, chunk.runs.count}, channel);
      i = next;
    }
  }

 private:
  const Normalization& how_;
  Index pieces_, segments_, perPosition_;
};

// Runs collect(position, chunk) for all, finish(position) behind its chunks, and spread(position, chunk) behind that: position by
// position while it is in the cache, or each for all positions.
template <class Collect, class Finish, class Spread>
void inThreeSteps(const Normalization& how, const Chunks& chunks, Index bytes, Collect collect, Finish finish, Spread spread) {
  const Index each = chunks.perPosition(), elements = how.inner * how.outer;
  if (elements * bytes <= cachedBytes && (how.kept >= 4 || threadCount() == 1)) {
    parallelFor(how.kept, grainFor(elements), [&](Index begin, Index end) {
      for (Index k = begin; k < end; ++k) {
        for (Index c = 0; c < each; ++c) collect(k, c);
        finish(k);
        for (Index c = 0; c < each; ++c) spread(k, c);
      }
    });
    return;
  }
  // The segments of an array in the order in which they lie there.
  const auto forAll = [&](auto& step) {
    parallelFor(how.kept * each, grainFor(chunks.elements()), [&](Index begin, Index end) {
      for (Index unit = begin; unit < end; ++unit) step(unit % how.kept, unit / how.kept);
    });
  };
  forAll(collect);
  for (Index k = 0; k < how.kept; ++k) finish(k);
  forAll(spread);
}

// The numbers of the channels for each element of a short run, `how.inner` of them for each group of channels.
template <class T>
std::unique_ptr<T[]> stretched(const Normalization& how, const T* values) {
  const Index n = how.run * how.channels;
  std::unique_ptr<T[]> each(new T[static_cast<std::size_t>(n)]);
  for (Index i = 0; i < n; ++i) each[static_cast<std::size_t>(i)] = values[i / how.run];
  return each;
}

bool inShortRuns(const Normalization& how) { return how.run < shortRun && how.inner > how.run; }

// The gradient where neighbours belong to different channels: each task takes some middle positions, adds up what the offsets
// and scales get from them, and the tasks' sums are added in order.
template <class T>
void gradientInShortRuns(const Normalization& how, const T* g, const T* x, const T* scale, const T* mean, const T* variance,
                         T* dx, T* dOffset, T* dScale) {
  const NormalizationKernels<T> kernels = DLARRAY_FOR_ARCH(normalizationKernels<T>)();
  constexpr Index most = 32;
  const Index width = how.run * how.channels, perTask = (how.kept + most - 1) / most, tasks = (how.kept + perTask - 1) / perTask;
  const std::unique_ptr<T[]> scales = stretched(how, scale), sums(new T[static_cast<std::size_t>(2 * tasks * width)]());
  const Index stride = how.inner * how.kept;
  parallelFor(tasks, grainFor(perTask * how.inner * how.outer), [&](Index begin, Index end) {
    for (Index k = begin * perTask; k < std::min(how.kept, end * perTask); ++k) {
      const Index at = how.inner == width ? 0 : k * how.inner % width;
      T *offsets = sums.get() + 2 * (k / perTask) * width + at, *products = offsets + width;
      const T factor = inverseDeviation(variance[k], how.epsilon);
      double sum = 0, product = 0;
      for (Index start = k * how.inner, o = 0; o < how.outer; ++o, start += stride) {
        T part[2];
        kernels.productsEach(g + start, x + start, how.inner, mean[k], factor, scales.get() + at, offsets, products, part);
        sum += static_cast<double>(part[0]);
        product += static_cast<double>(part[1]);
      }
      if (!dx) continue;
      const Combination<T> with(factor, sum, product, how.inner * how.outer);
      for (Index start = k * how.inner, o = 0; o < how.outer; ++o, start += stride)
        kernels.combineEach(g + start, x + start, how.inner, mean[k], scales.get() + at, with.a, with.b, with.c, dx + start);
    }
  });
  for (Index c = 0; c < how.channels; ++c) {
    double offset = 0, product = 0;
    for (Index task = 0; task < tasks; ++task)
      for (Index i = c * how.run; i < (c + 1) * how.run; ++i) {
        offset += static_cast<double>(sums[static_cast<std::size_t>(2 * task * width + i)]);
        product += static_cast<double>(sums[static_cast<std::size_t>((2 * task + 1) * width + i)]);
      }
    dOffset[c] = static_cast<T>(offset);
    dScale[c] = static_cast<T>(product);
  }
}

// Short columns that are normalised each for itself, with numbers for each of their elements.
constexpr Index shortColumn = 8192;
bool areColumns(const Normalization& how) {
  return inShortRuns(how) && how.outer == 1 && how.inner == how.run * how.channels && how.inner <= shortColumn;
}

template <class T>
void normalizeColumns(const NormalizationKernels<T>& kernels, const Normalization& how, const T* x, const T* offset,
                      const T* scale, T* mean, T* variance, T* y) {
  const std::unique_ptr<T[]> offsets = stretched(how, offset), scales = stretched(how, scale);
  const Index n = how.inner;
  parallelFor(how.kept, grainFor(n), [&](Index begin, Index end) {
    kernels.normalizeEach(x + begin * n, n, end - begin, how.epsilon, scales.get(), offsets.get(), mean + begin, variance + begin,
                          y + begin * n);
  });
}

}  // namespace

template <class T>
void normalize(const Normalization& how, const T* x, const T* offset, const T* scale, T* mean, T* variance, T* y) {
  const NormalizationKernels<T> kernels = DLARRAY_FOR_ARCH(normalizationKernels<T>)();
  if (inMemoryOrder(how, sizeof(T))) return normalizeInOrder(kernels, how, x, offset, scale, mean, variance, y);
  if (areColumns(how)) return normalizeColumns(kernels, how, x, offset, scale, mean, variance, y);
  const Chunks chunks(how);
  const Index each = chunks.perPosition(), perSegment = how.inner / how.run, n = how.inner * how.outer;
  const bool together = inShortRuns(how);
  const Index groups = how.channels / perSegment;
  const std::unique_ptr<T[]> factors(new T[static_cast<std::size_t>(how.kept)]);
  std::unique_ptr<T[]> offsets, scales;
  if (together) {
    offsets = stretched(how, offset);
    scales = stretched(how, scale);
  }
  const std::unique_ptr<Moments[]> moments(new Moments[static_cast<std::size_t>(how.kept * each)]);
  inThreeSteps(
      how, chunks, sizeof(T),
      [&](Index k, Index c) {
        const auto chunk = chunks(k, c);
        moments[static_cast<std::size_t>(k * each + c)] =
            momentsOf(kernels, x + chunk.start, chunk.runs, guessedMean(kernels, how, x, k));
      },
      [&](Index k) {
        Moments all;
        for (Index c = 0; c < each; ++c) all.join(moments[static_cast<std::size_t>(k * each + c)]);
        mean[k] = static_cast<T>(all.mean);
        variance[k] = static_cast<T>(all.squares / static_cast<double>(n));
        factors[static_cast<std::size_t>(k)] = inverseDeviation(variance[k], how.epsilon);
      },
      [&](Index k, Index c) {
        const auto chunk = chunks(k, c);
        const T factor = factors[static_cast<std::size_t>(k)];
        if (together) {
          const Index at = (groups == 1 ? 0 : k % groups * how.inner) + chunk.within;
          for (Index r = 0; r < chunk.runs.count; ++r) {
            const Index start = chunk.start + r * chunk.runs.stride;
            kernels.scaleEach(x + start, chunk.runs.length, mean[k], factor, scales.get() + at, offsets.get() + at, y + start);
          }
          return;
        }
        chunks.channels(chunk, [&](Index start, Runs runs, Index within) {
          const Index channel = (k * perSegment + within) % how.channels;
          kernels.scale(x + start, runs, mean[k], factor * scale[channel], offset[channel], y + start);
        });
      });
}

template <class T>
void normalizeGradient(const Normalization& how, const T* g, const T* x, const T* scale, const T* mean, const T* variance, T* dx,
                       T* dOffset, T* dScale) {
  if (inShortRuns(how)) return gradientInShortRuns(how, g, x, scale, mean, variance, dx, dOffset, dScale);
  const NormalizationKernels<T> kernels = DLARRAY_FOR_ARCH(normalizationKernels<T>)();
  if (inMemoryOrder(how, 2 * sizeof(T))) return gradientInOrder(kernels, how, g, x, scale, mean, variance, dx, dOffset, dScale);
  const Chunks chunks(how);
  const Index each = chunks.perPosition(), perSegment = how.inner / how.run;
  struct Pair {
    double sum = 0, product = 0;
  };
  const std::unique_ptr<Pair[]> sums(new Pair[static_cast<std::size_t>(how.kept * each * perSegment)]);
  const auto sumsOf = [&](Index k, Index c) { return sums.get() + (k * each + c) * perSegment; };
  const std::unique_ptr<Combination<T>[]> combinations(new Combination<T>[static_cast<std::size_t>(how.kept)]);
  inThreeSteps(
      how, chunks, 2 * sizeof(T),
      [&](Index k, Index c) {
        const auto chunk = chunks(k, c);
        chunks.channels(chunk, [&](Index start, Runs runs, Index within) {
          T part[2];
          kernels.products(g + start, x + start, runs, mean[k], part);
          sumsOf(k, c)[within] = {static_cast<double>(part[0]), static_cast<double>(part[1])};
        });
      },
      [&](Index k) {
        // The sums of the first chunk become those of all, for the channels below.
        Pair* all = sumsOf(k, 0);
        for (Index c = 1; c < each; ++c)
          for (Index i = 0; i < perSegment; ++i) {
            all[i].sum += sumsOf(k, c)[i].sum;
            all[i].product += sumsOf(k, c)[i].product;
          }
        double sum = 0, product = 0;
        for (Index i = 0; i < perSegment; ++i) {
          const auto s = static_cast<double>(scale[(k * perSegment + i) % how.channels]);
          sum += s * all[i].sum;
          product += s * all[i].product;
        }
        combinations[static_cast<std::size_t>(k)] = {inverseDeviation(variance[k], how.epsilon), sum, product,
                                                     how.inner * how.outer};
      },
      [&](Index k, Index c) {
        if (!dx) return;
        const Combination<T>& with = combinations[static_cast<std::size_t>(k)];
        chunks.channels(chunks(k, c), [&](Index start, Runs runs, Index within) {
          const T s = scale[(k * perSegment + within) % how.channels];
          kernels.combine(g + start, x + start, runs, mean[k], with.a * s, with.b, with.c, dx + start);
        });
      });
  for (Index channel = 0; channel < how.channels; ++channel) {
    double offset = 0, product = 0;
    for (Index cell = channel; cell < how.kept * perSegment; cell += how.channels) {
      const Index k = cell / perSegment;
      const Pair& all = sumsOf(k, 0)[cell % perSegment];
      offset += all.sum;
      product += all.product * static_cast<double>(combinations[static_cast<std::size_t>(k)].a);
    }
    dOffset[channel] = static_cast<T>(offset);
    dScale[channel] = static_cast<T>(product);
  }
}

template <class T>
void scaleChannels(Index inner, Index kept, Index outer, const T* x, const T* mean, const T* factor, const T* offset, T* y) {
  const NormalizationKernels<T> kernels = DLARRAY_FOR_ARCH(normalizationKernels<T>)();
  parallelFor(kept * outer, grainFor(inner), [&](Index begin, Index end) {
    for (Index run = begin; run < end; ++run) {
      const Index k = run % kept;
      kernels.scale(x + run * inner, {inner, inner, 1}, mean[k], factor[k], offset[k], y + run * inner);
    }
  });
}

template void normalize(const Normalization&, const float*, const float*, const float*, float*, float*, float*);
template void normalize(const Normalization&, const double*, const double*, const double*, double*, double*, double*);
template void normalizeGradient(const Normalization&, const float*, const float*, const float*, const float*, const float*,
                                float*, float*, float*);
template void normalizeGradient(const Normalization&, const double*, const double*, const double*, const double*, const double*,
                                double*, double*, double*);
template void scaleChannels(Index, Index, Index, const float*, const float*, const float*, const float*, float*);
template void scaleChannels(Index, Index, Index, const double*, const double*, const double*, const double*, double*);

}  // namespace dl::cpu
