// Normalising each element by the squares of neighbouring channels.
#pragma once

#include "cpu/types.hpp"

namespace dl::cpu {

/// For an array inner x channels x outer: base = k + factor s, where s sums the squares of the channels from `before` before an
/// element's own to `behind` behind it, as far as there are any.
struct CrossChannel {
  Index inner, channels, outer;
  Index before, behind;
  double factor, beta, k;
};

/// y = x base ^ -beta.
template <class T>
void crossChannel(const CrossChannel& how, const T* x, T* y);

/// The gradient by x for the gradient g by y.
template <class T>
void crossChannelGradient(const CrossChannel& how, const T* g, const T* x, T* dx);

}  // namespace dl::cpu
