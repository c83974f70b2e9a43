// The way back from windows over images, of arrays that are a row of images.
#pragma once

#include <vector>

#include "cpu/pooling.hpp"

namespace dl::cpu {

/// `maxPoolGradient` and, with its shares, `meanPoolAdjoint` for windows that move along one or two dimensions; false, with
/// nothing done, for windows that there is no kernel for.
template <class T>
bool maxPoolGradientOfImages(const Pooling& how, const T* x, const T* g, T* dx);
template <class T>
bool meanPoolAdjointOfImages(const Pooling& how, const std::vector<T>& along, const std::vector<T>& across, const T* g, T* dx);

/// What sums along an axis are multiplied by to be means, one number for each window.
template <class T>
std::vector<T> poolShares(const Pooling& how, const PoolAxis& axis);

}  // namespace dl::cpu
