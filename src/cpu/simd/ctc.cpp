// The forward-backward algorithm of CTC (Graves, Fernandez, Gomez, Schmidhuber, "Connectionist temporal classification", 2006),
// in logarithms and in double, over the labels with a blank before, between and behind them; compiled once for every level of the
// processor.
#include "cpu/simd/ctc.hpp"

#include "formulas/math.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

constexpr double never = -1e30;  // the logarithm of 0: finite, so that differences are

DL_INLINE double larger(double a, double b) { return b > a ? b : a; }
// e^x for x <= 0; what is below e^-700 does not matter beside the 1 of the largest.
DL_INLINE double share(double x) { return formula::exp(larger(x, -700.0)); }
DL_INLINE double logSum(double a, double b, double c) {
  const double most = larger(larger(a, b), c);
  return most + formula::log(share(a - most) + share(b - most) + share(c - most));
}

// The lattice of one observation: 2 L + 1 states, between rows of two that are never reached.
template <class T>
struct Lattice {
  const CtcBatch<T>& batch;
  Index b, states;
  double *alpha, *skip, *emission, *beta;

  DL_INLINE Lattice(const CtcBatch<T>& whole, Index observation, double* workspace) : batch(whole), b(observation) {
    states = 2 * static_cast<Index>(batch.counts[b]) + 1;
    alpha = workspace;
    skip = alpha + (batch.stepCount + 1) * width();
    emission = skip + width();
    beta = emission + width();
    // From a label to the next without the blank between them, unless they are the same.
    for (Index s = 0; s < width(); ++s)
      skip[s] = s % 2 == 1 && s >= 3 && s < states && labelOf(s) != labelOf(s - 2) ? 0.0 : never;
  }
  DL_INLINE Index width() const { return states + 2; }
  DL_INLINE Index labelOf(Index s) const {
    return s % 2 ? static_cast<Index>(batch.labels[b * batch.most + s / 2]) : batch.blank;
  }
  DL_INLINE bool takesPart(Index t) const { return batch.steps[b + t * batch.batch] != 0; }
  DL_INLINE Index at(Index t) const { return (b + t * batch.batch) * batch.classes; }
  DL_INLINE double probability(Index t, Index s) const {
    return static_cast<double>(formula::probability(batch.y[at(t) + labelOf(s)]));
  }
  DL_INLINE void emit(Index t) {
    for (Index s = 0; s < states; ++s) emission[s] = probability(t, s);
#pragma GCC ivdep
    for (Index s = 0; s < states; ++s) emission[s] = formula::log(emission[s]);
  }

  // Row t + 1 of alpha: the probabilities of all ways to each state after step t. Row 0 stands before the first blank.
  DL_INLINE double forward() {
    for (Index s = 0; s < width(); ++s) alpha[s] = s == 2 ? 0.0 : never;
    for (Index t = 0; t < batch.stepCount; ++t) {
      const double* before = alpha + t * width();
      double* after = alpha + (t + 1) * width();
      if (!takesPart(t)) {
        for (Index s = 0; s < width(); ++s) after[s] = before[s];
        continue;
      }
      emit(t);
      after[0] = after[1] = never;
#pragma GCC ivdep
      for (Index s = 0; s < states; ++s) after[s + 2] = logSum(before[s + 2], before[s + 1], before[s] + skip[s]) + emission[s];
    }
    const double* last = alpha + batch.stepCount * width();
    return logSum(last[states + 1], states > 1 ? last[states] : never, never);
  }

  // From the end: beta is the probability of all ways on from each state.
  DL_INLINE void backward(double total, double factor, T* result) {
    for (Index s = 0; s < width(); ++s) beta[s] = s == states - 1 || s == states - 2 ? 0.0 : never;
    for (Index t = batch.stepCount - 1; t >= 0; --t) {
      if (!takesPart(t)) continue;
      const double* ways = alpha + (t + 1) * width() + 2;
      for (Index s = 0; s < states; ++s)
        result[at(t) + labelOf(s)] -= static_cast<T>(factor * share(ways[s] + beta[s] - total) / probability(t, s));
      emit(t);
      for (Index s = 0; s < states; ++s) beta[s] += emission[s];
      for (Index s = 0; s < states; ++s) beta[s] = logSum(beta[s], beta[s + 1], beta[s + 2] + skip[s + 2]);
    }
  }
};

template <class T>
double loss(const CtcBatch<T>& batch, Index b, double* workspace) {
  return -Lattice<T>(batch, b, workspace).forward();
}

template <class T>
void gradient(const CtcBatch<T>& batch, Index b, double factor, double* workspace, T* result) {
  Lattice<T> lattice(batch, b, workspace);
  lattice.backward(lattice.forward(), factor, result);
}

}  // namespace

template <class T>
CtcKernels<T> ctcKernels() {
  return {loss<T>, gradient<T>};
}
template CtcKernels<float> ctcKernels();
template CtcKernels<double> ctcKernels();

}  // namespace dl::cpu::DLARRAY_ARCH
