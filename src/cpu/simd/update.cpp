// The steps of solvers; compiled once for every level of the processor.
#include "cpu/simd/update.hpp"

#include "formulas/math.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

template <class T>
void sgdm(const SgdmStep& step, Index n, const T* g, T* velocity, T* w) {
  const T rate = static_cast<T>(step.rate), momentum = static_cast<T>(step.momentum);
#pragma GCC ivdep
  for (Index i = 0; i < n; ++i) {
    const T v = momentum * velocity[i] - rate * g[i];
    velocity[i] = v;
    w[i] += v;
  }
}

template <class T>
void adam(const AdamStep& step, Index n, const T* g, T* m, T* v, T* w) {
  const T first = static_cast<T>(step.first), second = static_cast<T>(step.second), newFirst = static_cast<T>(1 - step.first),
          newSecond = static_cast<T>(1 - step.second), rate = static_cast<T>(step.rate * step.correction),
          correction = static_cast<T>(step.secondCorrection), epsilon = static_cast<T>(step.epsilon),
          kept = static_cast<T>(1 - step.decay);
#pragma GCC ivdep
  for (Index i = 0; i < n; ++i) {
    const T mean = first * m[i] + newFirst * g[i], square = second * v[i] + newSecond * (g[i] * g[i]);
    m[i] = mean;
    v[i] = square;
    w[i] = kept * w[i] - rate * mean / (formula::sqrt(square * correction) + epsilon);
  }
}

template <class T>
void rmsprop(const RmspropStep& step, Index n, const T* g, T* v, T* w) {
  const T rate = static_cast<T>(step.rate), second = static_cast<T>(step.second), newSecond = static_cast<T>(1 - step.second),
          epsilon = static_cast<T>(step.epsilon);
#pragma GCC ivdep
  for (Index i = 0; i < n; ++i) {
    const T square = second * v[i] + newSecond * (g[i] * g[i]);
    v[i] = square;
    w[i] -= rate * g[i] / (formula::sqrt(square) + epsilon);
  }
}

// Sixteen sums side by side, whatever the processor's registers hold, so that all processors add in the same order.
template <class T>
double sumOfSquares(Index n, const T* g) {
  constexpr Index lanes = 16;
  double sums[lanes] = {};
  Index i = 0;
  for (; i + lanes <= n; i += lanes)
    for (Index k = 0; k < lanes; ++k) sums[k] += static_cast<double>(g[i + k]) * static_cast<double>(g[i + k]);
  for (; i < n; ++i) sums[i % lanes] += static_cast<double>(g[i]) * static_cast<double>(g[i]);
  for (Index width = lanes / 2; width > 0; width /= 2)
    for (Index k = 0; k < width; ++k) sums[k] += sums[k + width];
  return sums[0];
}

template <class T>
void scale(double factor, Index n, T* g) {
  const T f = static_cast<T>(factor);
  for (Index i = 0; i < n; ++i) g[i] *= f;
}

// NaN stays NaN.
template <class T>
void limit(double threshold, Index n, T* g) {
  const T t = static_cast<T>(threshold);
  for (Index i = 0; i < n; ++i) {
    const T below = g[i] > t ? t : g[i];
    g[i] = below < -t ? -t : below;
  }
}

template <class T>
void addScaled(double factor, Index n, const T* w, T* g) {
  const T f = static_cast<T>(factor);
#pragma GCC ivdep
  for (Index i = 0; i < n; ++i) g[i] += f * w[i];
}

}  // namespace

template <class T>
UpdateKernels<T> updateKernels() {
  return {sgdm<T>, adam<T>, rmsprop<T>, sumOfSquares<T>, scale<T>, limit<T>, addScaled<T>};
}
template UpdateKernels<float> updateKernels();
template UpdateKernels<double> updateKernels();

}  // namespace dl::cpu::DLARRAY_ARCH
