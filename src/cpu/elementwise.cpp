#include "cpu/elementwise.hpp"

#include "cpu/arch.hpp"
#include "cpu/simd/elementwise.hpp"

namespace dl::cpu {

template <class T>
const ElementwiseKernels<T>& chooseElementwiseKernels() {
  static const ElementwiseKernels<T> kernels = [] {
    switch (arch()) {
#if DLARRAY_X86
      case Arch::v4:
        return v4::elementwise<T>();
      case Arch::v3:
        return v3::elementwise<T>();
#endif
      default:
        return v2::elementwise<T>();
    }
  }();
  chosenElementwiseKernels<T>.store(&kernels, std::memory_order_release);
  return kernels;
}
template const ElementwiseKernels<double>& chooseElementwiseKernels();
template const ElementwiseKernels<float>& chooseElementwiseKernels();

template <class From, class To>
void convert(Index n, const From* x, To* y) {
  for (Index i = 0; i < n; ++i) y[i] = static_cast<To>(x[i]);
}
template void convert(Index, const double*, float*);
template void convert(Index, const float*, double*);
template void convert(Index, const bool*, double*);
template void convert(Index, const bool*, float*);
template void convert(Index, const double*, bool*);
template void convert(Index, const float*, bool*);

}  // namespace dl::cpu
