// Normalising groups of neighbours whose channels change from element to element: the tokens of sequences.
#pragma once

#include "cpu/normalization_parts.hpp"

namespace dl::cpu {

/// True when runs of one channel are short, and what is normalised together goes across several of them.
bool acrossChannels(const Normalization& how);

/// As `normalize` and `normalizeGradient`, for what `acrossChannels` says.
template <class T>
void normalizeAlong(const Normalization& how, const T* x, const T* offset, const T* scale, T* mean, T* variance, T* y);
template <class T>
void gradientAlong(const Normalization& how, const T* g, const T* x, const T* scale, const T* mean, const T* variance, T* dx,
                   T* dOffset, T* dScale);

}  // namespace dl::cpu
