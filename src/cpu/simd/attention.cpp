// Softmax over the keys of a query; compiled once for every level of the processor.
#include "cpu/simd/attention.hpp"

#include "formulas/math.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

// Sums and maxima are taken in so many interleaved parts, which the compiler keeps in registers.
template <class T>
constexpr int lanes = 128 / sizeof(T);

// The exponential of x <= 0; far from 0, where it no longer counts beside the 1 of the largest score, that of a bound: the vector
// variant would leave the loop for numbers that underflow.
DL_INLINE float exponential(float x) { return formula::exp(x < -87.0F ? -87.0F : x); }
DL_INLINE double exponential(double x) { return formula::exp(x < -708.0 ? -708.0 : x); }

template <class T>
T largest(Index n, const bool* allowed, const T* x) {
  constexpr T nothing = -std::numeric_limits<T>::infinity();
  T part[lanes<T>];
  for (int j = 0; j < lanes<T>; ++j) part[j] = nothing;
  Index i = 0;
  for (; i + lanes<T> <= n; i += lanes<T>)
    for (int j = 0; j < lanes<T>; ++j) {
      const T value = !allowed || allowed[i + j] ? x[i + j] : nothing;
      part[j] = value > part[j] ? value : part[j];
    }
  for (; i < n; ++i) {
    const T value = !allowed || allowed[i] ? x[i] : nothing;
    part[0] = value > part[0] ? value : part[0];
  }
  for (int half = lanes<T> / 2; half > 0; half /= 2)
    for (int j = 0; j < half; ++j) part[j] = part[j] > part[j + half] ? part[j] : part[j + half];
  return part[0];
}

template <class T>
T total(Index n, const T* x) {
  T part[lanes<T>] = {};
  Index i = 0;
  for (; i + lanes<T> <= n; i += lanes<T>)
    for (int j = 0; j < lanes<T>; ++j) part[j] += x[i + j];
  for (; i < n; ++i) part[0] += x[i];
  for (int half = lanes<T> / 2; half > 0; half /= 2)
    for (int j = 0; j < half; ++j) part[j] += part[j + half];
  return part[0];
}

template <class T>
T inner(Index n, const T* x, const T* y) {
  T part[lanes<T>] = {};
  Index i = 0;
  for (; i + lanes<T> <= n; i += lanes<T>)
    for (int j = 0; j < lanes<T>; ++j) part[j] += x[i + j] * y[i + j];
  for (; i < n; ++i) part[0] += x[i] * y[i];
  for (int half = lanes<T> / 2; half > 0; half /= 2)
    for (int j = 0; j < half; ++j) part[j] += part[j + half];
  return part[0];
}

template <class T>
void softmax(Index n, const bool* allowed, T* x) {
  const T top = allowed ? largest(n, allowed, x) : largest(n, nullptr, x);
  if (!(top > -std::numeric_limits<T>::infinity())) {  // no key is seen, or the scores are no numbers, which is not to be hidden
    for (Index i = 0; i < n; ++i) x[i] = (!allowed || allowed[i]) && x[i] != x[i] ? x[i] : T(0);
    return;
  }
  if (allowed) {
#pragma GCC ivdep
    for (Index i = 0; i < n; ++i) x[i] = allowed[i] ? x[i] : top;  // what is behind a mask takes no part, not even as NaN
  }
#pragma GCC ivdep
  for (Index i = 0; i < n; ++i) x[i] = exponential(x[i] - top);
  if (allowed) {
#pragma GCC ivdep
    for (Index i = 0; i < n; ++i) x[i] = allowed[i] ? x[i] : T(0);
  }
  const T factor = T(1) / total(n, x);
#pragma GCC ivdep
  for (Index i = 0; i < n; ++i) x[i] *= factor;
}

template <class T>
void softmaxBack(Index n, T scale, const T* y, const T* gradient, T* x) {
  const T along = inner(n, y, gradient);
#pragma GCC ivdep
  for (Index i = 0; i < n; ++i) x[i] = scale * (y[i] * (gradient[i] - along));
}

}  // namespace

template <class T>
const AttentionKernels<T>& attentionKernels() {
  static constexpr AttentionKernels<T> kernels{softmax<T>, softmaxBack<T>};
  return kernels;
}

template const AttentionKernels<float>& attentionKernels();
template const AttentionKernels<double>& attentionKernels();

}  // namespace dl::cpu::DLARRAY_ARCH
