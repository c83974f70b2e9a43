// Picking, shifting and recurring along the middle dimension of an array inner x n x outer.
#pragma once

#include "cpu/scan.hpp"
#include "cpu/types.hpp"

namespace dl::cpu {

/// y(i, k, o) = x(i, positions(i, k, o), o); x is inner x n x outer, positions and y are inner x k x outer. T: float, double,
/// bool.
template <class T>
void gatherAlong(const T* x, Index inner, Index n, Index outer, const double* positions, Index k, T* y);

/// y(i, positions(i, k, o), o) += x(i, k, o); x and positions are inner x k x outer, y is inner x n x outer. Additions to the
/// same element happen in the order of k. T: float, double.
template <class T>
void scatterAddAlong(const T* x, Index inner, Index n, Index outer, const double* positions, Index k, T* y);

/// y(i, k, o) = x(i, k - steps, o), or `fill` where there is no such element. T: float, double.
template <class T>
void shiftAlong(const T* x, Index inner, Index n, Index outer, Index steps, T fill, T* y);

/// The linear recurrence y(k) = b(k) + a(k) y(k - 1) along the middle dimension from y(-1) = 0, or y(k) = b(k) + a(k) y(k + 1)
/// from its end when reverse; the first coefficient counts for nothing. y may be b. T: float, double.
template <class T>
void recurrence(const T* a, const T* b, Index inner, Index n, Index outer, Direction direction, T* y);

/// The positions of the middle element of each column along the middle dimension (two for even n, else twice the same; of equal
/// elements either); where there is a NaN, the position of the first. lower and upper are inner x outer, n > 0. T: float, double.
template <class T>
void medianPositions(const T* x, Index inner, Index n, Index outer, double* lower, double* upper);

}  // namespace dl::cpu
