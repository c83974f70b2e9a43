// Sorting and selecting along one dimension.
#pragma once

#include "cpu/types.hpp"

namespace dl::cpu {

enum class SortOrder { ascending, descending };

/// Sorts x (inner x n x outer) along its middle dimension. Stable in both orders; NaN counts as the largest value (last when
/// ascending, first when descending: MATLAB's sort). `values` and `positions` (0-based, as T) may each be null.
template <class T>
void sort(const T* x, Index inner, Index n, Index outer, SortOrder order, T* values, T* positions);

/// The k <= n largest (descending) or smallest (ascending) elements along the middle dimension, in that order, ties in their
/// order in x, NaN last in both; results are inner x k x outer, each may be null.
template <class T>
void topk(const T* x, Index inner, Index n, Index outer, Index k, SortOrder order, T* values, T* positions);

}  // namespace dl::cpu
