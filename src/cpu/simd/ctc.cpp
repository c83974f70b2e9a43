// The forward-backward algorithm of CTC (Graves, Fernandez, Gomez, Schmidhuber, "Connectionist temporal classification", 2006)
// over the labels with a blank before, between and behind them; compiled once for every level of the processor.
//
// The probabilities of the ways to the states of one step may lie much farther apart than a double reaches, and the smallest may
// be what counts in the end. Logarithms would do, at the price of several exponentials a state. Instead each state has an
// exponent of its own: a number is m 2^(512 e) with m from 2^-256 to 2^256 or little beyond, so that sums and products take a few
// instructions, lose nothing, and need no logarithm but the one of the result. 0 has an exponent far below all others.
#include "cpu/simd/ctc.hpp"

#include <utility>

#include "cpu/simd/normalization_register.hpp"
#include "formulas/math.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

using Vector = Register<double>::Vector;
typedef std::int64_t Levels __attribute__((vector_size(registerBytes)));
typedef std::uint64_t Bits __attribute__((vector_size(registerBytes)));
typedef std::int64_t LevelsAnywhere __attribute__((vector_size(registerBytes), aligned(8), may_alias));
constexpr Index lanes = Register<double>::lanes;
constexpr Index blockSize = 4 * lanes;  // blanks and labels, m and e of each

constexpr std::int64_t never = -(std::int64_t{1} << 40);  // the exponent of 0
constexpr std::int64_t bitsOfOne = std::int64_t{1023} << 52;
constexpr double small = 0x1p-256, large = 0x1p256;

DL_INLINE Levels loadLevels(const double* x) { return *reinterpret_cast<const LevelsAnywhere*>(x); }
DL_INLINE void store(double* y, Levels v) { *reinterpret_cast<LevelsAnywhere*>(y) = v; }

struct Numbers {
  Vector m;
  Levels e;
};
constexpr Numbers nothing{Vector{}, Levels{} + never};

DL_INLINE Levels larger(Levels a, Levels b) { return a > b ? a : b; }
// 2^(2^(shift - 52) d) for d above `least`, else 0. What the sum of bits would be for other d does not matter.
template <int shift>
DL_INLINE Vector power(Levels d, std::int64_t least) {
  const Bits bits = (reinterpret_cast<Bits>(d) << shift) + static_cast<std::uint64_t>(bitsOfOne);
  return reinterpret_cast<Vector>(bits & reinterpret_cast<Bits>(d > least));
}
// 2^(512 d) for d = 0 and -1; what is farther down is nothing beside the number with d = 0.
DL_INLINE Vector scale(Levels d) { return power<61>(d, -2); }
DL_INLINE Numbers sum(Numbers a, Numbers b) {
  const Levels e = larger(a.e, b.e);
  return {a.m * scale(a.e - e) + b.m * scale(b.e - e), e};
}
DL_INLINE Numbers sum(Numbers a, Numbers b, Numbers c) {
  const Levels e = larger(larger(a.e, b.e), c.e);
  return {a.m * scale(a.e - e) + b.m * scale(b.e - e) + c.m * scale(c.e - e), e};
}
// The same number with m between the bounds, if it was not farther from them than 2^512.
DL_INLINE Numbers brought(Numbers x) {
  const Levels up = x.m < small, down = x.m >= large;
  const Levels by = up - down;  // -1 where the number is small
  return {x.m * reinterpret_cast<Vector>(bitsOfOne - (by << 61)), x.e + by};
}
DL_INLINE Numbers product(Numbers a, Numbers b) { return brought({a.m * b.m, a.e + b.e}); }

// As many lanes of two registers as one has, from a lane of the first on.
template <int first, class R, int... lane>
DL_INLINE R across(R a, R b, std::integer_sequence<int, lane...>) {
  return __builtin_shufflevector(a, b, (lane + first)...);
}
// The last lane of `before` and all but the last of `now`; all but the first of `now` and the first of `behind`.
DL_INLINE auto movedUp(auto before, auto now) { return across<lanes - 1>(before, now, std::make_integer_sequence<int, lanes>()); }
DL_INLINE auto movedDown(auto now, auto behind) { return across<1>(now, behind, std::make_integer_sequence<int, lanes>()); }
DL_INLINE Numbers movedUp(const Numbers& before, const Numbers& now) {
  return {movedUp(before.m, now.m), movedUp(before.e, now.e)};
}
DL_INLINE Numbers movedDown(const Numbers& now, const Numbers& behind) {
  return {movedDown(now.m, behind.m), movedDown(now.e, behind.e)};
}

// What lies in a block: state l of `blanks` stands before label l.
struct States {
  Numbers blanks, labels;
  DL_INLINE static States load(const double* block) {
    using R = Register<double>;
    return {{R::load(block), loadLevels(block + lanes)}, {R::load(block + 2 * lanes), loadLevels(block + 3 * lanes)}};
  }
  DL_INLINE void to(double* block) const {
    Register<double>::store(block, blanks.m);
    store(block + lanes, blanks.e);
    Register<double>::store(block + 2 * lanes, labels.m);
    store(block + 3 * lanes, labels.e);
  }
};

// The lattice of one observation with L labels: L + 1 blanks and L labels, in blocks.
template <class T>
class Lattice {
 public:
  DL_INLINE Lattice(const CtcBatch<T>& whole, Index observation, bool gradient, double* memory)
      : batch_(whole), b_(observation), labels_(static_cast<Index>(whole.counts[observation])) {
    blocks_ = labels_ / lanes + 1;
    width_ = blocks_ * lanes;
    rows_ = batch_.rows(gradient);
    const auto take = [&](Index n) { return memory += n, memory - n; };
    classes_ = reinterpret_cast<Index*>(take(width_));
    steps_ = reinterpret_cast<Index*>(take((batch_.stepCount + 7) / 8 * 8));
    skip_ = take(width_ + lanes);
    ways_ = take(4 * width_ + blockSize) + blockSize;  // a block of nothing stands before the first
    emissions_ = take(rows_ * width_);
    if (gradient) {
      on_ = take(4 * width_);
      derivatives_ = take(width_);
      in_ = take(rows_ * 4 * width_);
      starts_ = take(batch_.stepCount / rows_ * 4 * width_);
    }
    for (Index l = 0; l < labels_; ++l) classes_[l] = static_cast<Index>(batch_.labels[b_ * batch_.most + l]);
    for (Index t = 0; t < batch_.stepCount; ++t)
      if (batch_.steps[b_ + t * batch_.batch] != 0) steps_[count_++] = t;
    // From a label to the next without the blank between them, unless they are the same.
    auto* skip = reinterpret_cast<Level*>(skip_);
    for (Index l = 0; l < width_ + lanes; ++l) skip[l] = l > 0 && l < labels_ && classes_[l] != classes_[l - 1] ? 0 : never;
    // Behind the last label states may be reached as any, but nothing leads back from there.
    for (Index l = 0; l < rows_ * width_; ++l) emissions_[l] = 1;
  }

  // The negative logarithm; with a result, where there is no NaN, also factor times its derivative.
  DL_INLINE double run(double factor, T* result) {
    clear(ways_ - blockSize, blocks_ + 1);
    set(ways_, 0);
    const Index last = result && count_ > 0 ? (count_ - 1) / rows_ : 0;
    if (result) {
      for (Index s = 0; s < last; ++s) {
        copy(ways_, starts_ + s * 4 * width_);
        forward<false>(s * rows_, (s + 1) * rows_);
      }
      forward<true>(last * rows_, count_);
    } else {
      forward<false>(0, count_);
    }
    finish();
    if (result) backward(last, factor, result);
    return 0.0 - (formula::log(total_) + 512.0 * formula::ln2 * static_cast<double>(totalLevel_));
  }

 private:
  typedef Index Level __attribute__((may_alias));

  DL_INLINE Index at(Index k) const { return (b_ + steps_[k] * batch_.batch) * batch_.classes; }
  DL_INLINE double blankAt(Index k) const { return static_cast<double>(formula::probability(batch_.y[at(k) + batch_.blank])); }
  DL_INLINE double* emission(Index k) const { return emissions_ + k % rows_ * width_; }
  DL_INLINE void emit(Index k) const {
    const T* y = batch_.y + at(k);
    double* p = emission(k);
    for (Index l = 0; l < labels_; ++l) p[l] = static_cast<double>(formula::probability(y[classes_[l]]));
  }
  // In single precision no probability needs an exponent beside its own; in double it may be farther from the bounds than 2^512.
  DL_INLINE static Numbers leveled(Vector p) {
    if constexpr (sizeof(T) == 4)
      return {p, Levels{}};
    else
      return brought(brought({p, Levels{}}));
  }
  // The blocks of the labels that can have been reached at step k, and from which the end can be reached.
  DL_INLINE Index firstBlock(Index k) const {
    const Index first = labels_ - count_ + k - 1;
    return first > 0 ? first / lanes : 0;
  }
  DL_INLINE Index pastBlock(Index k) const { return k < labels_ ? k / lanes + 1 : blocks_; }

  DL_INLINE static void clear(double* row, Index blocks) {
    for (Index j = 0; j < blocks; ++j) States{nothing, nothing}.to(row + j * blockSize);
  }
  DL_INLINE void copy(const double* from, double* to) const {
    for (Index i = 0; i < blocks_; ++i) States::load(from + i * blockSize).to(to + i * blockSize);
  }
  // Blank l becomes 1; for label l, half a block farther.
  DL_INLINE static double* placeOf(double* row, Index l) { return row + l / lanes * blockSize + l % lanes; }
  DL_INLINE static void set(double* row, Index l, Index offset = 0) {
    placeOf(row, l)[offset] = 1;
    reinterpret_cast<Level*>(placeOf(row, l))[offset + lanes] = 0;
  }

  // From the probabilities of all ways to each state before step k0 to those after step k1 - 1. What comes in from the states
  // before is what the derivative needs, and may be kept.
  template <bool keep>
  DL_INLINE void forward(Index k0, Index k1) {
    if (k0 < k1) emit(k0);
    Vector wrong{};
    for (Index k = k0; k < k1; ++k) {
      if (k + 1 < k1) emit(k + 1);  // ahead, because reading just written numbers in larger pieces waits
      const double blank = blankAt(k);
      const Numbers p0 = leveled(Register<double>::filled(blank));
      const double* p = emission(k);
      for (Index j = 0; j < blocks_; ++j) wrong += Register<double>::load(p + j * lanes) * 0.0;
      wrong += p0.m * 0.0;
      Numbers before = States::load(ways_ + (firstBlock(k) - 1) * blockSize).labels;
      for (Index j = firstBlock(k); j < pastBlock(k); ++j) {
        const States old = States::load(ways_ + j * blockSize);
        Numbers lower = movedUp(before, old.labels);
        const Numbers blanks = sum(old.blanks, lower);
        lower.e += loadLevels(skip_ + j * lanes);
        const States in{blanks, sum(old.blanks, old.labels, lower)};
        if constexpr (keep) in.to(in_ + k % rows_ * 4 * width_ + j * blockSize);
        const Numbers pl = leveled(Register<double>::load(p + j * lanes));
        States{product(in.blanks, p0), product(in.labels, pl)}.to(ways_ + j * blockSize);
        before = old.labels;
      }
    }
    wrong_ += Register<double>::total(wrong);
  }

  // The probability of the labels: at the last blank or at the last label. It is NaN when any of the probabilities is.
  DL_INLINE void finish() {
    const double* blank = placeOf(ways_, labels_);
    total_ = blank[0];
    totalLevel_ = reinterpret_cast<const Level*>(blank)[lanes];
    if (labels_ > 0) {
      const double* label = placeOf(ways_, labels_ - 1) + 2 * lanes;
      const Level level = reinterpret_cast<const Level*>(label)[lanes], most = level > totalLevel_ ? level : totalLevel_;
      const auto scaled = [&](double m, Level e) { return e == most ? m : e == most - 1 ? m * 0x1p-512 : 0.0; };
      total_ = scaled(total_, totalLevel_) + scaled(label[0], level);
      totalLevel_ = most;
    }
    total_ += wrong_;
  }

  // The probabilities of all ways on from each state, from the last step to the first.
  DL_INLINE void backward(Index segment, double factor, T* result) {
    if (total_ != total_) return spread(result);
    clear(on_, blocks_);
    set(on_, labels_);
    if (labels_ > 0) set(on_, labels_ - 1, 2 * lanes);
    const double share = -factor / total_;
    for (Index k = count_ - 1; k >= 0; --k) {
      if (k / rows_ < segment) {  // its first pass kept nothing but where it began
        segment = k / rows_;
        copy(starts_ + segment * 4 * width_, ways_);
        forward<true>(segment * rows_, k + 1);
      }
      const Numbers p0 = leveled(Register<double>::filled(blankAt(k)));
      const double *p = emission(k), *in = in_ + k % rows_ * 4 * width_;
      States behind{nothing, nothing};
      Vector blanks{};
      for (Index j = pastBlock(k) - 1; j >= firstBlock(k); --j) {
        const States old = States::load(on_ + j * blockSize), before = States::load(in + j * blockSize);
        blanks += met(before.blanks, old.blanks, share);
        Register<double>::store(derivatives_ + j * lanes, met(before.labels, old.labels, share));
        const Numbers pl = leveled(Register<double>::load(p + j * lanes));
        const States from{product(old.blanks, p0), product(old.labels, pl)};
        Numbers next = movedDown(from.labels, behind.labels);
        next.e += loadLevels(skip_ + j * lanes + 1);
        States{sum(from.blanks, from.labels), sum(from.labels, movedDown(from.blanks, behind.blanks), next)}.to(on_ +
                                                                                                                j * blockSize);
        behind = from;
      }
      T* to = result + at(k);
      to[batch_.blank] += static_cast<T>(Register<double>::total(blanks));
      const Index past = pastBlock(k) * lanes < labels_ ? pastBlock(k) * lanes : labels_;
      for (Index l = firstBlock(k) * lanes; l < past; ++l) to[classes_[l]] += static_cast<T>(derivatives_[l]);
    }
  }
  // The share of the ways that come to a state, less its own probability, times those that go on.
  DL_INLINE Vector met(const Numbers& in, const Numbers& on, double share) const {
    const Levels level = in.e + on.e - totalLevel_;
    const Vector half = power<60>(level, -4);  // 2^(256 level)
    return in.m * share * on.m * half * half;
  }
  // NaN for all classes that play a part.
  DL_INLINE void spread(T* result) const {
    for (Index k = 0; k < count_; ++k) {
      T* to = result + at(k);
      to[batch_.blank] = static_cast<T>(total_);
      for (Index l = 0; l < labels_; ++l) to[classes_[l]] = static_cast<T>(total_);
    }
  }

  const CtcBatch<T>& batch_;
  Index b_, labels_, blocks_, width_, rows_, count_ = 0;
  Index *classes_, *steps_;
  double *skip_, *ways_, *on_ = nullptr, *emissions_, *derivatives_ = nullptr, *in_ = nullptr, *starts_ = nullptr;
  double wrong_ = 0, total_ = 0;
  Index totalLevel_ = 0;
};

template <class T>
double observation(const CtcBatch<T>& batch, Index b, double factor, T* result, double* memory) {
  if (result)
    for (Index t = 0; t < batch.stepCount; ++t) {
      T* to = result + (b + t * batch.batch) * batch.classes;
      for (Index c = 0; c < batch.classes; ++c) to[c] = 0;
    }
  return Lattice<T>(batch, b, result != nullptr, memory).run(factor, result);
}

}  // namespace

template <class T>
CtcKernel<T> ctcKernel() {
  return observation<T>;
}
template CtcKernel<float> ctcKernel();
template CtcKernel<double> ctcKernel();

}  // namespace dl::cpu::DLARRAY_ARCH
