#include "cpu/update.hpp"

#include "cpu/arch.hpp"
#include "cpu/parallel.hpp"
#include "cpu/simd/update.hpp"

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

template void update(const SgdmStep&, Index, const float*, float*, float*);
template void update(const SgdmStep&, Index, const double*, double*, double*);
template void update(const AdamStep&, Index, const float*, float*, float*, float*);
template void update(const AdamStep&, Index, const double*, double*, double*, double*);
template void update(const RmspropStep&, Index, const float*, float*, float*);
template void update(const RmspropStep&, Index, const double*, double*, double*);

}  // namespace dl::cpu
