// Elements put back to where pooling found them.
#pragma once

#include "cpu/pooling.hpp"

namespace dl::cpu {

/// n elements and as many positions among `count` results. What may be expected of the positions, though it need not be so, is that
/// each of `pages` parts of the elements came from its own part of the results, and where `pairs` has a size, each element from its
/// own window of two by two.
struct Unpooling {
  Index n = 0, count = 0, pages = 1;
  PoolPairs pairs{};
};

/// True for a whole number from 0 to count - 1.
bool isPosition(double at, Index count);

/// y = zeros with x at the positions; of several at one position the last counts. False where there is something that is no position.
template <class T>
bool unpool(const Unpooling& how, const T* x, const double* at, T* y);
/// Its transpose: dx = g at the positions, 0 for those that did not count.
template <class T>
void unpoolAdjoint(const Unpooling& how, const T* g, const double* at, T* dx);

}  // namespace dl::cpu
