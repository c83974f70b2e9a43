// Softmax along a dimension, and its derivative.
#pragma once

#include "cpu/types.hpp"

namespace dl::cpu {

// Arrays are inner x n x outer, and the middle dimension is worked along. Results may lie where an input lies.

/// y = e^x divided by its sum; 0 for -Inf, else at least formula::smallestProbability. All zeros where all are -Inf.
template <class T>
void softmax(const T* x, Index inner, Index n, Index outer, T* y);

/// result = y (g - sum of g y): the derivative of softmax, of which y is the result.
template <class T>
void softmaxGradient(const T* g, const T* y, Index inner, Index n, Index outer, T* result);

}  // namespace dl::cpu
