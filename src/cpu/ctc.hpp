// Connectionist temporal classification: the negative logarithm of the probability of a sequence of labels.
#pragma once

#include "cpu/types.hpp"

namespace dl::cpu {

/// What a batch is: probabilities y (classes x batch x steps), the steps that take part (batch x steps, 0 or 1), and the labels of each observation
/// (most x batch), the first counts[b] of which are its own. No label is the blank.
template <class T>
struct CtcBatch {
  const T* y;
  const double* steps;
  const double* labels;
  const double* counts;
  Index classes, batch, stepCount, most, blank;

  /// Doubles of workspace for both functions.
  Index workspace() const { return batch * ((stepCount + 4) * (2 * most + 5)); }
};

/// The sum over the batch.
template <class T>
double ctcSum(const CtcBatch<T>& batch, double* workspace);

/// result (as large as y) = factor times the derivative of the sum.
template <class T>
void ctcGradient(const CtcBatch<T>& batch, double factor, double* workspace, T* result);

}  // namespace dl::cpu
