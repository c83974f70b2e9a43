// Normalising channels whose elements lie apart, in the order in which they lie in memory.
#pragma once

#include "cpu/normalization_parts.hpp"

namespace dl::cpu {

/// True when each middle position is one channel and its elements are so spread that going through memory once for each would
/// wait for it.
bool inMemoryOrder(const Normalization& how, std::size_t elementBytes);

/// As `normalize` and `normalizeGradient`, for what `inMemoryOrder` says.
template <class T>
void normalizeInOrder(const Normalization& how, const T* x, const T* offset, const T* scale, T* mean, T* variance, T* y);
template <class T>
void gradientInOrder(const Normalization& how, const T* g, const T* x, const T* scale, const T* mean, const T* variance, T* dx,
                     T* dOffset, T* dScale);

/// As `scaleChannels` and `scaleChannelsGradient`, for runs that are not too long.
template <class T>
void scaleInOrder(Index inner, Index kept, Index outer, const T* x, const T* mean, const T* factor, const T* offset, T* y);
template <class T>
void scaleGradientInOrder(Index inner, Index kept, Index outer, const T* g, const T* x, const T* mean, const T* factor, T* dx,
                          T* sums, T* products);

}  // namespace dl::cpu
