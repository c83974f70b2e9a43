#include "cpu/update.hpp"

#include "cpu/arch.hpp"
#include "cpu/parallel.hpp"
#include "cpu/simd/update.hpp"

#include <algorithm>

namespace dl::cpu {

namespace {

constexpr Index grain = Index{1} << 15;

template <class T>
const UpdateKernels<T>& kernels() {
  static const UpdateKernels<T> chosen = DLARRAY_FOR_ARCH(updateKernels<T>)();
  return chosen;
}

}  // namespace

template <class T>
void update(const SgdmStep& step, Index n, const T* g, T* velocity, T* w) {
  parallelFor(n, grain,
              [&](Index begin, Index end) { kernels<T>().sgdm(step, end - begin, g + begin, velocity + begin, w + begin); });
}
template <class T>
void update(const AdamStep& step, Index n, const T* g, T* m, T* v, T* w) {
  parallelFor(n, grain,
              [&](Index begin, Index end) { kernels<T>().adam(step, end - begin, g + begin, m + begin, v + begin, w + begin); });
}
template <class T>
void update(const RmspropStep& step, Index n, const T* g, T* v, T* w) {
  parallelFor(n, grain,
              [&](Index begin, Index end) { kernels<T>().rmsprop(step, end - begin, g + begin, v + begin, w + begin); });
}

template <class T>
double sumOfSquares(Index n, const T* g) {
  // At most so many blocks, whose borders follow from n alone.
  constexpr Index most = 256;
  const Index least = Index{1} << 14, block = std::max(least, (n + most - 1) / most), blocks = (n + block - 1) / block;
  double partial[most] = {};
  parallelFor(blocks, std::max(Index{1}, grain / block), [&](Index begin, Index end) {
    for (Index b = begin; b < end; ++b) partial[b] = kernels<T>().sumOfSquares(std::min(block, n - b * block), g + b * block);
  });
  double sum = 0;
  for (Index b = 0; b < blocks; ++b) sum += partial[b];
  return sum;
}
template <class T>
void scale(double factor, Index n, T* g) {
  parallelFor(n, grain, [&](Index begin, Index end) { kernels<T>().scale(factor, end - begin, g + begin); });
}
template <class T>
void limit(double threshold, Index n, T* g) {
  parallelFor(n, grain, [&](Index begin, Index end) { kernels<T>().limit(threshold, end - begin, g + begin); });
}
template <class T>
void addScaled(double factor, Index n, const T* w, T* g) {
  parallelFor(n, grain, [&](Index begin, Index end) { kernels<T>().addScaled(factor, end - begin, w + begin, g + begin); });
}

template double sumOfSquares(Index, const float*);
template double sumOfSquares(Index, const double*);
template void scale(double, Index, float*);
template void scale(double, Index, double*);
template void limit(double, Index, float*);
template void limit(double, Index, double*);
template void addScaled(double, Index, const float*, float*);
template void addScaled(double, Index, const double*, double*);
template void update(const SgdmStep&, Index, const float*, float*, float*);
template void update(const SgdmStep&, Index, const double*, double*, double*);
template void update(const AdamStep&, Index, const float*, float*, float*, float*);
template void update(const AdamStep&, Index, const double*, double*, double*, double*);
template void update(const RmspropStep&, Index, const float*, float*, float*);
template void update(const RmspropStep&, Index, const double*, double*, double*);

}  // namespace dl::cpu
