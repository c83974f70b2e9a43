// Normalising channels whose elements lie apart, in the order in which they lie in memory.
#pragma once

#include "cpu/normalization.hpp"
#include "cpu/simd/normalization.hpp"

namespace dl::cpu {

/// True when each middle position is one channel and its elements are so spread that going through memory once for each would
/// wait for it.
bool inMemoryOrder(const Normalization& how, std::size_t elementBytes);

/// As `normalize` and `normalizeGradient`, for what `inMemoryOrder` says.
template <class T>
void normalizeInOrder(const NormalizationKernels<T>& kernels, const Normalization& how, const T* x, const T* offset, const T* scale, T* mean,
                      T* variance, T* y);
template <class T>
void gradientInOrder(const NormalizationKernels<T>& kernels, const Normalization& how, const T* g, const T* x, const T* scale,
                     const T* mean, const T* variance, T* dx, T* dOffset, T* dScale);

/// Mean and sum of squared deviations of n elements, joined as Chan, Golub and LeVeque do.
struct Moments {
  double n = 0, mean = 0, squares = 0;
  void join(const Moments& other) {
    if (other.n == 0) return;
    const double total = n + other.n, difference = other.mean - mean;
    mean += difference * other.n / total;
    squares += other.squares + difference * difference * n * other.n / total;
    n = total;
  }
  /// Of n elements whose deviations from a centre and their squares are summed.
  static Moments around(double centre, double n, double sum, double squares) {
    const double shift = sum / n, rest = squares - shift * sum;
    return {n, centre + shift, rest < 0 ? 0 : rest};
  }
  /// True when the centre was so far off that the difference of squares has lost digits.
  static bool cancelled(double n, double sum, double squares) { return sum / n * sum > 0.9 * squares; }
};

/// A first guess of the mean of a middle position, from a few of its elements.
template <class T>
T guessedMean(const NormalizationKernels<T>& kernels, const Normalization& how, const T* x, Index position) {
  const Index length = how.inner < 32 ? how.inner : 32, wanted = 16 / length + 1, count = how.outer < wanted ? how.outer : wanted;
  return kernels.sum(x + position * how.inner, {length, how.inner * how.kept, count}) / static_cast<T>(length * count);
}

/// The moments of a part of a middle position: in one pass around a guess of the mean, in two more where the guess was far off.
template <class T>
Moments momentsOf(const NormalizationKernels<T>& kernels, const T* x, Runs runs, T guess) {
  const auto n = static_cast<double>(runs.length * runs.count);
  T sums[2];
  kernels.deviations(x, runs, guess, sums);
  if (Moments::cancelled(n, static_cast<double>(sums[0]), static_cast<double>(sums[1]))) {
    guess = kernels.sum(x, runs) / static_cast<T>(runs.length * runs.count);
    kernels.deviations(x, runs, guess, sums);
  }
  return Moments::around(static_cast<double>(guess), n, static_cast<double>(sums[0]), static_cast<double>(sums[1]));
}

template <class T>
T inverseDeviation(T variance, double epsilon) {
  return static_cast<T>(1 / __builtin_sqrt(static_cast<double>(variance) + epsilon));
}

/// dx = a scale g + b (x - mean) + c, from the sums of scale g and of scale g (x - mean) over all n elements.
template <class T>
struct Combination {
  T a = 0, b = 0, c = 0;
  Combination() = default;
  Combination(T factor, double sum, double product, Index n)
      : a(factor),
        b(static_cast<T>(-static_cast<double>(factor) * factor * factor * product / static_cast<double>(n))),
        c(static_cast<T>(-static_cast<double>(factor) * sum / static_cast<double>(n))) {}
};

}  // namespace dl::cpu
