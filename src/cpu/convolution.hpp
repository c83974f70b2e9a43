// Convolutions, and what their derivatives are made of.
#pragma once

#include "cpu/types.hpp"

namespace dl::cpu {

/// One dimension that a filter moves along.
struct ConvolutionAxis {
  Index in = 1, filter = 1, out = 1, stride = 1, dilation = 1;
  Index start = 0;  // zeros put in front of the first element; as many behind the last as the result needs
};

/// The sizes of a convolution. Column-major: data [in, in, in, channels x groups, batch], weights [filter, filter, filter, channels,
/// filters, groups], results [out, out, out, filters x groups, batch], where group g joins the g-th channels with the g-th filters:
///
///     y(i, f) = sum over a, c of w(a, c, f) x(i * stride + a * dilation - start, c)
struct Convolution {
  ConvolutionAxis axis[3];
  Index channels = 1, filters = 1;  // of one group
  Index groups = 1, batch = 1;

  /// The product of a size of all axes.
  Index volume(Index ConvolutionAxis::*size) const { return axis[0].*size * axis[1].*size * axis[2].*size; }
};

/// y from x and w; plus a number for each filter of each group where there is a bias.
template <class T>
void convolve(const Convolution& p, const T* x, const T* w, T* y, const T* bias = nullptr);
/// The derivative of sum(y % g) by x. `workspace`, here and below, holds as many elements as the weights.
template <class T>
void convolveDataGradient(const Convolution& p, const T* g, const T* w, T* x, T* workspace);
/// The derivative of sum(y % g) by w.
template <class T>
void convolveWeightGradient(const Convolution& p, const T* x, const T* g, T* w, T* workspace);

}  // namespace dl::cpu
