// Connectionist temporal classification: the negative logarithm of the probability of a sequence of labels.
#pragma once

#include "cpu/types.hpp"

namespace dl::cpu {

/// What a batch is: probabilities y (classes x batch x steps), the steps that take part (batch x steps, 0 or 1), and the labels
/// of each observation (most x batch), the first counts[b] of which are its own. No label is the blank.
template <class T>
struct CtcBatch {
  const T* y;
  const double* steps;
  const double* labels;
  const double* counts;
  Index classes, batch, stepCount, most, blank;

  /// Labels and the blank behind them, in whole registers.
  Index width() const { return (most + 8) / 8 * 8; }
  /// Of how many steps a thread keeps what the derivative needs: of those that fit into its bounded memory. For longer
  /// observations it keeps the states before every so many steps, and goes through those steps once more.
  Index rows(bool gradient) const;
  /// Doubles in which a thread works.
  Index memory(bool gradient) const;
};

/// The sum over the batch; with a `result`, as large as y, also factor times its derivative.
template <class T>
double ctc(const CtcBatch<T>& batch, double factor, T* result);

}  // namespace dl::cpu
