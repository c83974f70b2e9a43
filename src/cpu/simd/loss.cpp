// Sums of losses and their derivatives; compiled once for every level of the processor.
#include "cpu/simd/loss.hpp"

#include "cpu/simd/logarithm.hpp"
#include "formulas/loss.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

using namespace formula;

// The formulas with the logarithm of this folder.
struct FastCrossEntropy : CrossEntropy {
  template <class T>
  DL_INLINE static T value(T a, T b, T) {
    return -(b * logarithm(probability(a)));
  }
  template <class T>
  DL_INLINE static T gradientB(T g, T a, T, T) {
    return -(g * logarithm(probability(a)));
  }
};
struct FastBinaryCrossEntropy : BinaryCrossEntropy {  // a - a: NaN where the prediction is infinite or NaN
  template <class T>
  DL_INLINE static T value(T a, T b, T) {
    return (a - a) - (b * finiteLogarithm(probability(a)) + (T(1) - b) * finiteLogarithm(counterProbability(a)));
  }
  /// The same where the target is 0 or 1: one logarithm instead of two.
  template <class T>
  DL_INLINE static T valueOfWhole(T a, T b) {
    return (a - a) - finiteLogarithm(where(b == T(0), counterProbability(a), probability(a)));
  }
  template <class T>
  DL_INLINE static T gradientB(T g, T a, T, T) {
    return g * (logarithm(counterProbability(a)) - logarithm(probability(a)));
  }
};
template <class F>
struct Fast {
  using Type = F;
};
template <>
struct Fast<CrossEntropy> {
  using Type = FastCrossEntropy;
};
template <>
struct Fast<BinaryCrossEntropy> {
  using Type = FastBinaryCrossEntropy;
};

DL_INLINE int bitsOf(float x) { return __builtin_bit_cast(int, x); }
DL_INLINE long bitsOf(double x) { return __builtin_bit_cast(long, x); }

// x, or 0 where the mask is false: bits, since loops that choose by a bool are not vectorised.
DL_INLINE float masked(bool m, float x) { return __builtin_bit_cast(float, bitsOf(x) & -static_cast<int>(m)); }
DL_INLINE double masked(bool m, double x) { return __builtin_bit_cast(double, bitsOf(x) & -static_cast<long>(m)); }

template <class T>
constexpr int lanes = 256 / sizeof(T);

// True when all targets are 0 or 1: then b b - b has no bit.
template <class T>
DL_INLINE bool allWhole(const T* b) {
  decltype(bitsOf(T())) others = bitsOf(b[0] * b[0] - b[0]);
  if (others != 0) return false;
  for (int j = 0; j < lanes<T>; ++j) others |= bitsOf(b[j] * b[j] - b[j]);
  return others == 0;
}

// The sum of the losses, each taken as `weigh` says.
template <class F, class T, class Weigh>
DL_INLINE T sumOf(Index n, T p, const T* a, const T* b, Weigh weigh) {
  T part[lanes<T>] = {};
  Index i = 0;
  for (; i + lanes<T> <= n; i += lanes<T>) {
    if constexpr (requires { F::valueOfWhole(a[0], b[0]); }) {
      if (allWhole(b + i)) {
        for (int j = 0; j < lanes<T>; ++j) part[j] += weigh(i + j, F::valueOfWhole(a[i + j], b[i + j]));
        continue;
      }
    }
    for (int j = 0; j < lanes<T>; ++j) part[j] += weigh(i + j, F::value(a[i + j], b[i + j], p));
  }
  const int rest = static_cast<int>(n - i);
  for (int j = 0; j < rest; ++j) part[j] += weigh(i + j, F::value(a[i + j], b[i + j], p));
  for (int width = lanes<T> / 2; width > 0; width /= 2)
    for (int j = 0; j < width; ++j) part[j] += part[j + width];
  return part[0];
}

template <class F, class T>
T sum(Index n, T p, const T* a, const T* b) {
  return sumOf<F>(
      n, p, a, b, [](Index, T x) __attribute__((always_inline)) { return x; });
}
template <class F, class T>
T weightedSum(Index n, T p, const T* a, const T* b, const T* w, const bool* m) {
  return sumOf<F>(
      n, p, a, b, [=](Index i, T x) __attribute__((always_inline)) { return masked(m[i], w[i] * x); });
}

template <class F, class T>
void values(Index n, T p, T g, const T* a, const T* b, const T* w, const bool* m, T* result) {
#pragma GCC ivdep
  for (Index i = 0; i < n; ++i) result[i] = masked(m[i], g * w[i] * F::value(a[i], b[i], p));
}

template <class F, bool byA, class T>
DL_INLINE T slope(T p, T g, T a, T b) {
  if constexpr (byA)
    return F::gradientA(g, a, b, p);
  else
    return F::gradientB(g, a, b, p);
}
template <class F, bool byA, class T>
void gradient(Index n, T p, T g, const T* a, const T* b, T* result) {
#pragma GCC ivdep
  for (Index i = 0; i < n; ++i) result[i] = slope<F, byA>(p, g, a[i], b[i]);
}
template <class F, bool byA, class T>
void weightedGradient(Index n, T p, T g, const T* a, const T* b, const T* w, const bool* m, T* result) {
#pragma GCC ivdep
  for (Index i = 0; i < n; ++i) result[i] = masked(m[i], slope<F, byA>(p, g * w[i], a[i], b[i]));
}

template <class F, class T>
constexpr LossKernels<T> kernelsOf() {
  return {sum<F, T>,
          weightedSum<F, T>,
          values<F, T>,
          gradient<F, true, T>,
          gradient<F, false, T>,
          weightedGradient<F, true, T>,
          weightedGradient<F, false, T>};
}
template <class T, class... F>
const LossKernels<T>* table(List<F...>) {
  static constexpr LossKernels<T> kernels[] = {kernelsOf<typename Fast<F>::Type, T>()...};
  return kernels;
}

}  // namespace

template <class T>
const LossKernels<T>* lossKernels() {
  return table<T>(LossFormulas());
}
template const LossKernels<float>* lossKernels();
template const LossKernels<double>* lossKernels();

}  // namespace dl::cpu::DLARRAY_ARCH
