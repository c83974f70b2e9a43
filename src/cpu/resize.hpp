// Interpolation along the dimensions of images.
#pragma once

#include <span>
#include <vector>

#include "cpu/types.hpp"

namespace dl::cpu {

/// What one element of the result is made of: (1 - weight) times one element and weight times another, which counts only with a
/// weight.
struct Tap {
  Index first, second;
  double weight;
};

/// A page of inner x n x outer elements along the middle dimension: it gets as many elements there as there are taps.
struct ResizeStep {
  Index inner, n, outer;
  std::vector<Tap> taps;
};

/// Some pages, each by one step after the other; what lies between two steps is kept for one page at a time.
template <class T>
void resize(std::span<const ResizeStep> steps, const T* x, Index pages, T* y);
/// Its transpose: from pages of the results' size to pages of the size before.
template <class T>
void resizeAdjoint(std::span<const ResizeStep> steps, const T* y, Index pages, T* x);

}  // namespace dl::cpu
