// What all ways of normalising share: passes over pieces of an array, and what their sums say.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>

#include "cpu/lines.hpp"
#include "cpu/normalization.hpp"
#include "cpu/parallel.hpp"
#include "cpu/scratch.hpp"
#include "cpu/simd/normalization.hpp"
#include "cpu/simd/normalization_rows.hpp"

namespace dl::cpu {

constexpr Index shortRun = 16;       // shorter runs than this are rows to the kernels
constexpr Index longestRun = 32768;  // longer ones are cut up

/// What lies across and what lies behind each other: an array cut into across * blocks pieces; what belongs together lies in
/// the pieces with the same number across.
struct Pieces {
  Index across, blocks, elements, positions;  // the latter two of one piece
  bool near;  // what belongs together should be finished before the next is begun, as it may still be in a cache
};

/// Runs collect(a, block) for all pieces, finish(a) behind those with that number, and spread(a, block) behind that. The second
/// pass goes backwards, as what the first has read last may still be in a cache.
template <class Collect, class Finish, class Spread>
void inThreeSteps(const Pieces& pieces, Collect collect, Finish finish, Spread spread) {
  const Index across = pieces.across, blocks = pieces.blocks, threads = threadCount();
  if (pieces.near && (across % threads == 0 || across >= 4 * threads)) {
    parallelFor(across, grainFor(pieces.elements * blocks), [&](Index begin, Index end) {
      for (Index a = begin; a < end; ++a) {
        for (Index b = 0; b < blocks; ++b) collect(a, b);
        finish(a);
        for (Index b = blocks; b-- > 0;) spread(a, b);
      }
    });
    return;
  }
  parallelFor(across * blocks, grainFor(pieces.elements), [&](Index begin, Index end) {
    for (Index unit = begin; unit < end; ++unit) collect(unit % across, unit / across);
  });
  constexpr Index workOfSums = 32;  // that of so many elements
  parallelFor(across, grainFor(workOfSums * pieces.positions), [&](Index begin, Index end) {
    for (Index a = begin; a < end; ++a) finish(a);
  });
  parallelFor(across * blocks, grainFor(pieces.elements), [&](Index begin, Index end) {
    // Within a block forwards, as the hardware looks ahead.
    for (Index block = (end - 1) / across; block >= begin / across; --block)
      for (Index unit = std::max(begin, block * across); unit < std::min(end, (block + 1) * across); ++unit)
        spread(unit % across, block);
  });
}

/// The images of a piece of rows: few, so that the pieces of a thread lie behind each other in memory. What lies beside a piece
/// is fetched too, and would be taken from a thread that has just written to it.
constexpr Index imagesOfRows = 64;

/// True for an array so large that its parts should be finished while they are in a cache.
inline bool beyondCaches(const Normalization& how, std::size_t elementBytes) {
  return how.inner * how.kept * how.outer * static_cast<Index>(elementBytes) > Index{1} << 24;
}

/// Calls body(k, channel, n) for n middle positions from k on whose channels follow each other from `channel` on, for all of
/// [first, first + count).
template <class F>
void byChannels(Index first, Index count, Index channels, F&& body) {
  for (Index k = first, end = first + count; k < end;) {
    const Index channel = k % channels, n = std::min(channels - channel, end - k);
    body(k, channel, n);
    k += n;
  }
}

/// The numbers of the channels for each element of a row of all of them.
template <class T>
Lines<T> stretched(const Normalization& how, const T* values) {
  Lines<T> each(how.run * how.channels);
  T* to = each.data();
  for (Index c = 0; c < how.channels; ++c) to = std::fill_n(to, how.run, values[c]);
  return each;
}

/// What the offsets and the scales get from pieces of an array, for each element of a row of all channels.
template <class T>
class ChannelTotals {
 public:
  ChannelTotals(const Normalization& how, Index pieces)
      : how_(how), pieces_(pieces), width_(how.run * how.channels), apart_((width_ + 15) / 16 * 16), sums_(2 * pieces * apart_) {
    sums_.fill(0);
  }
  T* offsets(Index piece) const { return sums_.data() + 2 * piece * apart_; }
  T* scales(Index piece) const { return offsets(piece) + apart_; }

  /// Those of each channel, from the pieces in their order.
  void addUp(const NormalizationRowKernels<T>& kernels, T* dOffset, T* dScale) const {
    const std::unique_ptr<double[]> each(new double[static_cast<std::size_t>(width_)]);
    for (const bool ofScales : {false, true}) {
      std::fill_n(each.get(), width_, 0.0);
      for (Index piece = 0; piece < pieces_; ++piece)
        kernels.addUp(ofScales ? scales(piece) : offsets(piece), width_, each.get());
      for (Index c = 0; c < how_.channels; ++c) {
        double all = 0;
        for (Index i = c * how_.run; i < (c + 1) * how_.run; ++i) all += each[static_cast<std::size_t>(i)];
        (ofScales ? dScale : dOffset)[c] = static_cast<T>(all);
      }
    }
  }

 private:
  const Normalization& how_;
  Index pieces_, width_, apart_;  // each in whole lines of the cache
  Lines<T> sums_;
};

/// Mean and sum of squared deviations of n elements, joined as Chan, Golub and LeVeque do.
struct Moments {
  double n = 0, mean = 0, squares = 0;
  void join(const Moments& other) {
    if (other.n == 0) return;
    const double total = n + other.n, difference = other.mean - mean;
    mean += difference * other.n / total;
    squares += other.squares + difference * difference * n * other.n / total;
    n = total;
  }
  /// Of n elements whose deviations from a centre and their squares are summed.
  static Moments around(double centre, double n, double sum, double squares) {
    const double shift = sum / n, rest = squares - shift * sum;
    return {n, centre + shift, rest < 0 ? 0 : rest};
  }
  /// True when the centre was so far off that the difference of squares has lost digits.
  static bool cancelled(double n, double sum, double squares) { return sum / n * sum > 0.9 * squares; }
};

/// A first guess of the mean of a middle position, from a few of its elements.
template <class T>
T guessedMean(const NormalizationKernels<T>& kernels, const Normalization& how, const T* x, Index position) {
  const Index length = how.inner < 32 ? how.inner : 32, wanted = 16 / length + 1, count = how.outer < wanted ? how.outer : wanted;
  return kernels.sum(x + position * how.inner, {length, how.inner * how.kept, count}) / static_cast<T>(length * count);
}

/// The same for all middle positions; behind some of them finish(first, count).
template <class T, class F>
void guessMeans(const NormalizationKernels<T>& kernels, const Normalization& how, const T* x, T* centres, F finish) {
  constexpr Index work = 32;  // that of so many elements for each
  parallelFor(how.kept, grainFor(work), [&](Index begin, Index end) {
    if (how.inner < shortRun) {
      const Index few = std::min<Index>(how.outer, 4), stride = how.inner * how.kept;
      for (Index k = begin; k < end; ++k) centres[k] = x[k * how.inner];
      for (Index r = 1; r < few; ++r)
        for (Index k = begin; k < end; ++k) centres[k] += x[r * stride + k * how.inner];
      for (Index k = begin; k < end; ++k) centres[k] /= static_cast<T>(few);
    } else {
      kernels.beginnings(x + begin * how.inner, how.inner, end - begin, centres + begin);
    }
    finish(begin, end - begin);
  });
}

/// The moments of a part of a middle position: in one pass around a guess of the mean, in two more where the guess was far off.
template <class T>
Moments momentsOf(const NormalizationKernels<T>& kernels, const T* x, Runs runs, T guess) {
  const auto n = static_cast<double>(runs.length * runs.count);
  T sums[2];
  kernels.deviations(x, runs, guess, sums);
  if (Moments::cancelled(n, static_cast<double>(sums[0]), static_cast<double>(sums[1]))) {
    guess = kernels.sum(x, runs) / static_cast<T>(runs.length * runs.count);
    kernels.deviations(x, runs, guess, sums);
  }
  return Moments::around(static_cast<double>(guess), n, static_cast<double>(sums[0]), static_cast<double>(sums[1]));
}

template <class T>
T inverseDeviation(T variance, double epsilon) {
  return static_cast<T>(1 / std::sqrt(static_cast<double>(variance) + epsilon));
}

/// The memory of one call, cut into arrays.
class Workspace {
 public:
  explicit Workspace(Index bytes) : memory_(bytes / unit + 1), next_(reinterpret_cast<std::byte*>(memory_.data())) {}
  template <class T>
  T* take(Index n) {
    auto* const array = reinterpret_cast<T*>(next_);
    next_ += bytesFor<T>(n);
    return array;
  }
  /// What `take` uses up.
  template <class T>
  static Index bytesFor(Index n) {
    return (n * static_cast<Index>(sizeof(T)) + unit - 1) / unit * unit;
  }

 private:
  static constexpr Index unit = 64;
  struct alignas(unit) Unit {
    std::byte bytes[unit];
  };
  ScratchArray<Unit> memory_;
  std::byte* next_;
};

/// How far arrays of n numbers that are read in step lie apart: at powers of two they would take each other's places in the first
/// cache. Few numbers stay together, as the gaps would be most of the memory.
inline Index spaced(Index n) { return n < 64 ? n : (n + 15) / 16 * 16 + 272; }

/// The sums of two kinds that the pieces across give for each middle position, and what follows from them.
template <class T>
class PositionSums {
 public:
  PositionSums(const Normalization& how, Index blocks, Workspace& memory)
      : how_(how),
        blocks_(blocks),
        apart_(spaced(how.kept)),
        parts_(memory.take<T>(2 * blocks * apart_)),
        totals_(memory.take<double>(2 * how.kept)) {}
  static Index bytes(const Normalization& how, Index blocks) {
    return Workspace::bytesFor<T>(2 * blocks * spaced(how.kept)) + Workspace::bytesFor<double>(2 * how.kept);
  }
  /// What a piece writes, for the middle positions from `first` on.
  T* part(Index block, int kind, Index first) { return parts_ + (2 * block + kind) * apart_ + first; }
  /// Writes what a piece gives: `count` sums of one kind, then of the other.
  void set(Index block, Index first, Index count, const double* sums) {
    for (const int kind : {0, 1})
      std::transform(sums + kind * count, sums + (kind + 1) * count, part(block, kind, first),
                     [](double value) { return static_cast<T>(value); });
  }
  double* total(int kind, Index first) { return totals_ + kind * how_.kept + first; }

  void addUp(const NormalizationRowKernels<T>& kernels, Index first, Index count) {
    for (const int kind : {0, 1}) std::fill_n(total(kind, first), count, 0.0);
    for (Index block = 0; block < blocks_; ++block)
      for (const int kind : {0, 1}) kernels.addUp(part(block, kind, first), count, total(kind, first));
  }

  /// The means, variances and 1 / sqrt(variance + epsilon) of some middle positions, whose deviations from `centres` were summed.
  void moments(const NormalizationKernels<T>& runs, const NormalizationRowKernels<T>& rows, Index first, Index count, const T* x,
               const T* centres, T* mean, T* variance, T* factors) {
    addUp(rows, first, count);
    const auto n = static_cast<double>(how_.inner * how_.outer);
    if (rows.moments(count, n, how_.epsilon, centres + first, total(0, first), total(1, first), mean + first, variance + first,
                     factors + first) == 0)
      return;
    for (Index k = first; k < first + count; ++k) {
      if (!Moments::cancelled(n, *total(0, k), *total(1, k))) continue;
      Moments all;
      const Index segments = std::max<Index>(1, 8192 / how_.inner), stride = how_.inner * how_.kept;
      for (Index o = 0; o < how_.outer; o += segments)
        all.join(
            momentsOf(runs, x + k * how_.inner + o * stride, {how_.inner, stride, std::min(segments, how_.outer - o)}, mean[k]));
      mean[k] = static_cast<T>(all.mean);
      variance[k] = static_cast<T>(all.squares / n);
      factors[k] = inverseDeviation(variance[k], how_.epsilon);
    }
  }

  /// dx = a g + b (x - mean) + c from sums of g and of g (x - mean); the latter become products with the normalised x. The
  /// channels are those of the middle positions behind the first `from`.
  void combinations(const NormalizationRowKernels<T>& kernels, Index first, Index count, Index from, const T* variance,
                    const T* scale, T* a, T* b, T* c) {
    addUp(kernels, first, count);
    const auto n = static_cast<double>(how_.inner * how_.outer);
    byChannels(from + first, count, how_.channels, [&](Index position, Index channel, Index some) {
      const Index k = position - from;
      kernels.combinations(some, n, how_.epsilon, variance + k, scale + channel, total(0, k), total(1, k), a + k, b + k, c + k);
    });
  }

 private:
  const Normalization& how_;
  Index blocks_, apart_;
  T* parts_;
  double* totals_;
};

}  // namespace dl::cpu
