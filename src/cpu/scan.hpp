// Running sums and products.
#pragma once

#include "cpu/types.hpp"

namespace dl::cpu {

enum class Direction { forward, reverse };

/// y = running sums of x (inner x n x outer) along the middle dimension, from its end when reverse; y may be x.
template <class T>
void cumsum(const T* x, Index inner, Index n, Index outer, Direction direction, T* y);

/// y = running products of x (inner x n x outer) along the middle dimension, from its end when reverse; y may be x.
template <class T>
void cumprod(const T* x, Index inner, Index n, Index outer, Direction direction, T* y);

}  // namespace dl::cpu
