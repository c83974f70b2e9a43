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

}  // namespace

template <class T>
UpdateKernels<T> updateKernels() {
  return {sgdm<T>, adam<T>, rmsprop<T>};
}
template UpdateKernels<float> updateKernels();
template UpdateKernels<double> updateKernels();

}  // namespace dl::cpu::DLARRAY_ARCH
