#include "cpu/ctc.hpp"

#include <algorithm>
#include <cmath>

#include "cpu/arch.hpp"
#include "cpu/parallel.hpp"
#include "cpu/scratch.hpp"
#include "cpu/simd/ctc.hpp"

namespace dl::cpu {

template <class T>
Index CtcBatch<T>::rows(bool gradient) const {
  if (!gradient) return 2;
  constexpr Index kept = (Index{3} << 19) / static_cast<Index>(sizeof(double));
  // No fewer than there are beginnings to keep, or these would take more.
  const auto least = static_cast<Index>(std::sqrt(static_cast<double>(stepCount))) + 1;
  return std::clamp<Index>(kept / (5 * width()), least, std::max(stepCount, least));
}

template <class T>
Index CtcBatch<T>::memory(bool gradient) const {
  const Index w = width(), n = rows(gradient);
  const Index always = w + (stepCount + 7) / 8 * 8 + w + 8 + 4 * w + 32 + n * w;
  return gradient ? always + 4 * w + w + n * 4 * w + stepCount / n * 4 * w : always;
}

template <class T>
double ctc(const CtcBatch<T>& batch, double factor, T* result) {
  const auto kernel = DLARRAY_FOR_ARCH(ctcKernel<T>)();
  const ScratchArray<double, Scratch::caller> losses(batch.batch);
  // A state costs as much as a dozen elements of a plain loop.
  const Index grain = grainFor(batch.stepCount * (2 * batch.most + 1) * 12);
  parallelFor(batch.batch, grain, [&](Index begin, Index end) {
    const ScratchArray<double> memory(batch.memory(result != nullptr));
    for (Index b = begin; b < end; ++b) losses.data()[b] = kernel(batch, b, factor, result, memory.data());
  });
  double sum = 0;
  for (Index b = 0; b < batch.batch; ++b) sum += losses.data()[b];
  return sum;
}

template struct CtcBatch<float>;
template struct CtcBatch<double>;
template double ctc(const CtcBatch<float>&, double, float*);
template double ctc(const CtcBatch<double>&, double, double*);

}  // namespace dl::cpu
