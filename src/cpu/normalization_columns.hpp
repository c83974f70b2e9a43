// Normalising rows of all channels that go on in many images, down their columns.
#pragma once

#include "cpu/normalization_parts.hpp"

namespace dl::cpu {

/// True when there are so many images that sums over them for each column cost little more than the sums of the rows themselves.
inline bool downColumns(const Normalization& how) { return how.outer >= 16; }

/// As `normalize` and `normalizeGradient`, where `acrossChannels` and `downColumns` hold.
template <class T>
void normalizeColumns(const Normalization& how, const T* x, const T* offset, const T* scale, T* mean, T* variance, T* y);
template <class T>
void gradientColumns(const Normalization& how, const T* g, const T* x, const T* scale, const T* mean, const T* variance, T* dx,
                     T* dOffset, T* dScale);

}  // namespace dl::cpu
