// Normalising groups of elements by their mean and variance, with a scale and an offset for each channel.
#pragma once

#include "cpu/types.hpp"

namespace dl::cpu {

/// How an array inner x kept x outer is normalised: all elements with the same middle position belong together. Its channels
/// are runs of neighbours: element i of the first dimension at the middle position k belongs to channel (k * (inner / run) + i /
/// run) % channels.
struct Normalization {
  Index inner, kept, outer;
  Index run, channels;
  double epsilon;
};

/// y = scale (x - mean) / sqrt(variance + epsilon) + offset; the mean and variance of each middle position are results too.
template <class T>
void normalize(const Normalization& how, const T* x, const T* offset, const T* scale, T* mean, T* variance, T* y);

/// The gradients by x (null where it is not wanted), offset and scale for the gradient g by y.
template <class T>
void normalizeGradient(const Normalization& how, const T* g, const T* x, const T* scale, const T* mean, const T* variance, T* dx,
                       T* dOffset, T* dScale);

/// y = (x - mean) factor + offset with three numbers for each middle position; y may be x.
template <class T>
void scaleChannels(Index inner, Index kept, Index outer, const T* x, const T* mean, const T* factor, const T* offset, T* y);

/// The gradient by that x (null where it is not wanted) for the gradient g by y; the sums of g and of g (x - mean) for each
/// middle position.
template <class T>
void scaleChannelsGradient(Index inner, Index kept, Index outer, const T* g, const T* x, const T* mean, const T* factor, T* dx,
                           T* sums, T* products);

}  // namespace dl::cpu
