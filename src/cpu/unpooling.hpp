// Elements put back to where pooling found them.
#pragma once

#include "cpu/types.hpp"

namespace dl::cpu {

/// True when all positions are whole numbers from 0 to count - 1.
bool arePositions(const double* at, Index n, Index count);

/// y = `count` zeros with x at the positions; of several at one position the last counts.
template <class T>
void unpool(const T* x, const double* at, Index n, T* y, Index count);
/// Its transpose: dx = g, of `count` elements, at the positions, 0 for those that did not count.
template <class T>
void unpoolAdjoint(const T* g, Index count, const double* at, Index n, T* dx);

}  // namespace dl::cpu
