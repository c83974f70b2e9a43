// Sums of element losses and their derivatives.
#pragma once

#include <cstddef>

#include "cpu/types.hpp"

namespace dl::cpu {

// `formula` is a place in formula::LossFormulas, a are n predictions, b their targets.

/// The sum of the losses of all elements; the same for every number of threads.
template <class T>
double lossSum(std::size_t formula, const T* a, const T* b, Index n);

/// result = the derivative of g times the loss of each element, by a or by b.
template <class T>
void lossGradient(std::size_t formula, bool byA, T g, const T* a, const T* b, Index n, T* result);

}  // namespace dl::cpu
