#include "cpu/normalization.hpp"

#include <algorithm>
#include <cmath>
#include <memory>

#include "cpu/arch.hpp"
#include "cpu/normalization_along.hpp"
#include "cpu/normalization_rows.hpp"

namespace dl::cpu {
namespace {

// What is summed in the array's precision before it is added up in double.
constexpr Index block = Index{1} << 13;

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
  /// The channels that a chunk meets at most.
  Index channelsPerChunk() const {
    const Index all = how_.inner / how_.run;
    return pieces_ > 1 ? std::min(all, block / how_.run + 2) : all;
  }
  Index elements() const { return std::min(block, how_.inner * how_.outer); }
  /// What belongs together is normalised while it is still in the second cache, if it fits or lies side by side.
  Pieces pieces(std::size_t elementBytes) const {
    const Index bytes = how_.inner * how_.outer * static_cast<Index>(elementBytes);
    return {how_.kept, perPosition_, elements(), 1, bytes <= Index{1} << 19 || how_.outer == 1};
  }

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

// dx = a scale g + b (x - mean) + c, from the sums of scale g and of scale g (x - mean) over all n elements.
template <class T>
struct Combination {
  T a = 0, b = 0, c = 0;
  Combination() = default;
  Combination(T factor, double sum, double product, Index n)
      : a(factor),
        b(static_cast<T>(-static_cast<double>(factor) * factor * factor * product / static_cast<double>(n))),
        c(static_cast<T>(-static_cast<double>(factor) * sum / static_cast<double>(n))) {}
};

struct SumPair {
  double sum = 0, product = 0;
};

// The sums of g and of g (x - mean), of the channels in every chunk and of all in every middle position.
template <class T>
class ChannelSums {
 public:
  ChannelSums(const Normalization& how, const Chunks& chunks)
      : how_(how),
        chunks_(chunks),
        perSegment_(how.inner / how.run),
        perChunk_(chunks.channelsPerChunk()),
        sums_(new SumPair[static_cast<std::size_t>(how.kept * chunks.perPosition() * perChunk_)]),
        totals_(new SumPair[static_cast<std::size_t>(how.kept * perSegment_)]) {}

  void collect(const NormalizationKernels<T>& kernels, Index k, Index c, const T* g, const T* x, T mean) const {
    const auto chunk = chunks_(k, c);
    chunks_.channels(chunk, [&, first = chunk.within / how_.run](Index start, Runs runs, Index within) {
      T part[2];
      kernels.products(g + start, x + start, runs, mean, part);
      of(k, c)[within - first] = {static_cast<double>(part[0]), static_cast<double>(part[1])};
    });
  }
  /// Adds up a middle position's chunks; to be called once for each.
  const SumPair* total(Index k) const {
    SumPair* all = totalsOf(k);
    for (Index c = 0; c < chunks_.perPosition(); ++c) {
      const auto chunk = chunks_(k, c);
      const SumPair* part = of(k, c);
      for (Index i = chunk.within / how_.run; i * how_.run < chunk.within + chunk.runs.length; ++i, ++part) {
        all[i].sum += part->sum;
        all[i].product += part->product;
      }
    }
    return all;
  }
  /// The totals for each channel; factorOf(k) multiplies the second of a middle position.
  template <class F>
  void toChannels(F&& factorOf, T* sums, T* products) const {
    for (Index channel = 0; channel < how_.channels; ++channel) {
      SumPair all;
      for (Index cell = channel; cell < how_.kept * perSegment_; cell += how_.channels) {
        const Index k = cell / perSegment_;
        const SumPair& part = totalsOf(k)[cell % perSegment_];
        all.sum += part.sum;
        all.product += part.product * factorOf(k);
      }
      sums[channel] = static_cast<T>(all.sum);
      products[channel] = static_cast<T>(all.product);
    }
  }

 private:
  SumPair* of(Index k, Index c) const { return sums_.get() + (k * chunks_.perPosition() + c) * perChunk_; }
  SumPair* totalsOf(Index k) const { return totals_.get() + k * perSegment_; }

  const Normalization& how_;
  const Chunks& chunks_;
  Index perSegment_, perChunk_;
  std::unique_ptr<SumPair[]> sums_, totals_;
};

}  // namespace

template <class T>
void normalize(const Normalization& how, const T* x, const T* offset, const T* scale, T* mean, T* variance, T* y) {
  if (inMemoryOrder(how, sizeof(T))) return normalizeInOrder(how, x, offset, scale, mean, variance, y);
  if (acrossChannels(how)) return normalizeAlong(how, x, offset, scale, mean, variance, y);
  const NormalizationKernels<T> kernels = DLARRAY_FOR_ARCH(normalizationKernels<T>)();
  const Chunks chunks(how);
  const Index each = chunks.perPosition(), perSegment = how.inner / how.run, n = how.inner * how.outer;
  const std::unique_ptr<T[]> factors(new T[static_cast<std::size_t>(how.kept)]);
  const std::unique_ptr<Moments[]> moments(new Moments[static_cast<std::size_t>(how.kept * each)]);
  inThreeSteps(
      chunks.pieces(sizeof(T)),
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
        const T factor = factors[static_cast<std::size_t>(k)];
        chunks.channels(chunks(k, c), [&](Index start, Runs runs, Index within) {
          const Index channel = (k * perSegment + within) % how.channels;
          kernels.scale(x + start, runs, mean[k], factor * scale[channel], offset[channel], y + start);
        });
      });
}

template <class T>
void normalizeGradient(const Normalization& how, const T* g, const T* x, const T* scale, const T* mean, const T* variance, T* dx,
                       T* dOffset, T* dScale) {
  if (inMemoryOrder(how, 2 * sizeof(T))) return gradientInOrder(how, g, x, scale, mean, variance, dx, dOffset, dScale);
  if (acrossChannels(how)) return gradientAlong(how, g, x, scale, mean, variance, dx, dOffset, dScale);
  const NormalizationKernels<T> kernels = DLARRAY_FOR_ARCH(normalizationKernels<T>)();
  const Chunks chunks(how);
  const Index perSegment = how.inner / how.run;
  const ChannelSums<T> sums(how, chunks);
  const std::unique_ptr<Combination<T>[]> combinations(new Combination<T>[static_cast<std::size_t>(how.kept)]);
  inThreeSteps(
      chunks.pieces(2 * sizeof(T)), [&](Index k, Index c) { sums.collect(kernels, k, c, g, x, mean[k]); },
      [&](Index k) {
        const SumPair* all = sums.total(k);
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
  sums.toChannels([&](Index k) { return static_cast<double>(combinations[static_cast<std::size_t>(k)].a); }, dOffset, dScale);
}

template <class T>
void scaleChannels(Index inner, Index kept, Index outer, const T* x, const T* mean, const T* factor, const T* offset, T* y) {
  if (inner <= longestRun) return scaleInOrder(inner, kept, outer, x, mean, factor, offset, y);
  const NormalizationKernels<T> kernels = DLARRAY_FOR_ARCH(normalizationKernels<T>)();
  parallelFor(kept * outer, grainFor(inner), [&](Index begin, Index end) {
    for (Index run = begin; run < end; ++run) {
      const Index k = run % kept;
      kernels.scale(x + run * inner, {inner, inner, 1}, mean[k], factor[k], offset[k], y + run * inner);
    }
  });
}

template <class T>
void scaleChannelsGradient(Index inner, Index kept, Index outer, const T* g, const T* x, const T* mean, const T* factor, T* dx,
                           T* sums, T* products) {
  if (inner <= longestRun) return scaleGradientInOrder(inner, kept, outer, g, x, mean, factor, dx, sums, products);
  const NormalizationKernels<T> kernels = DLARRAY_FOR_ARCH(normalizationKernels<T>)();
  const Normalization how{inner, kept, outer, inner, kept, 0};
  const Chunks chunks(how);
  const ChannelSums<T> all(how, chunks);
  parallelFor(kept * chunks.perPosition(), grainFor(chunks.elements()), [&](Index begin, Index end) {
    for (Index unit = begin; unit < end; ++unit) {
      const Index k = unit % kept, c = unit / kept;
      all.collect(kernels, k, c, g, x, mean[k]);
      if (dx) kernels.scale(g + chunks(k, c).start, chunks(k, c).runs, T(0), factor[k], T(0), dx + chunks(k, c).start);
    }
  });
  for (Index k = 0; k < kept; ++k) all.total(k);
  all.toChannels([](Index) { return 1.0; }, sums, products);
}

template void normalize(const Normalization&, const float*, const float*, const float*, float*, float*, float*);
template void normalize(const Normalization&, const double*, const double*, const double*, double*, double*, double*);
template void normalizeGradient(const Normalization&, const float*, const float*, const float*, const float*, const float*,
                                float*, float*, float*);
template void normalizeGradient(const Normalization&, const double*, const double*, const double*, const double*, const double*,
                                double*, double*, double*);
template void scaleChannels(Index, Index, Index, const float*, const float*, const float*, const float*, float*);
template void scaleChannels(Index, Index, Index, const double*, const double*, const double*, const double*, double*);
template void scaleChannelsGradient(Index, Index, Index, const float*, const float*, const float*, const float*, float*, float*,
                                    float*);
template void scaleChannelsGradient(Index, Index, Index, const double*, const double*, const double*, const double*, double*,
                                    double*, double*);

}  // namespace dl::cpu
