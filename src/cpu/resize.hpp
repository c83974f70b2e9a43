// Interpolation along the middle dimension of an array inner x n x outer.
#pragma once

#include <span>

#include "cpu/types.hpp"

namespace dl::cpu {

/// What one element of the result is made of: (1 - weight) times one element and weight times another, which counts only with a
/// weight.
struct Tap {
  Index first, second;
  double weight;
};

/// y, inner x taps x outer.
template <class T>
void interpolate(const T* x, Index inner, Index n, Index outer, std::span<const Tap> taps, T* y);
/// Its transpose: x is zeros with the elements of y, inner x taps x outer, added with their weights.
template <class T>
void interpolateAdjoint(const T* y, Index inner, Index n, Index outer, std::span<const Tap> taps, T* x);

}  // namespace dl::cpu
