// Reductions over any set of dimensions.
#pragma once

#include <span>

#include "cpu/types.hpp"

namespace dl::cpu {

enum class Reduction { sum, prod, max, min, any, all, sumSquares, sumAbs };

/// One dimension of the input and whether it disappears.
struct ReducedExtent {
  Index size;
  bool reduced;
};

/// y = reduction of x over the dimensions marked in `dims` (fastest first); y keeps the others in their order.
/// T: float, double with every kind but any and all; bool with max, min, any, all. Sums are pairwise over fixed blocks: as
/// accurate as that, and the same for every number of threads. max and min leave NaN out; all NaN, or nothing at all, gives
/// NaN. Nothing at all gives 0 for sums, 1 for prod, false for any (and max of bool), true for all (and min of bool).
template <class T>
void reduce(Reduction kind, const T* x, std::span<const ReducedExtent> dims, T* y);

/// The kinds any and all for every element type: x counts as true where it is not 0; NaN does so for all, not for any (MATLAB's
/// rule). T: float, double, bool.
template <class T>
void reduceLogical(Reduction kind, const T* x, std::span<const ReducedExtent> dims, bool* y);

/// The max or min (by `kind`) of x (inner x n x outer) along its middle dimension, and where given the 0-based position of
/// the first such element; NaN is left out, all NaN gives NaN at position 0. n > 0. T: float, double.
template <class T>
void reduceIndex(Reduction kind, const T* x, Index inner, Index n, Index outer, T* values, T* positions);

}  // namespace dl::cpu
