#pragma once
#include "formulas/math.hpp"

namespace dl::formula {

// psi left of the poles, by reflection (Abramowitz & Stegun 6.3.7), for arguments too negative for the recurrence.
DL_INLINE double reflectedPsi(double x) {
  const double y = 1 - x, square = 1 / (y * y);
  return ::log(y) - 0.5 / y - square / 12 - pi / ::tan(pi * (x - __builtin_floor(x)));
}

// The derivative of order k of psi, by recurrence up to large arguments and the asymptotic series (Abramowitz & Stegun 6.3.18, 6.4.11).
DL_INLINE double polygamma(double order, double x) {
  const int k = static_cast<int>(order);
  if (!(order >= 0) || order != k) return std::numeric_limits<double>::quiet_NaN();
  if (x != x || x == -std::numeric_limits<double>::infinity()) return std::numeric_limits<double>::quiet_NaN();
  if (x == std::numeric_limits<double>::infinity()) return k == 0 ? x : 0.0;
  if (x <= 0 && x == __builtin_floor(x)) return k % 2 == 0 ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
  double factorial = 1;  // k!
  for (int i = 2; i <= k; ++i) factorial *= i;
  const double sign = k % 2 == 0 ? -1 : 1;  // of the k-th derivative of psi for large x: (-1)^(k+1)
  if (x < -1e5) {  // the recurrence would take too many steps
    if (k == 0) return reflectedPsi(x);
    return std::numeric_limits<double>::quiet_NaN();
  }
  double sum = 0;
  const double large = 15 + k;
  while (x < large) {
    sum += sign * factorial / (k == 0 ? x : __builtin_pow(x, k + 1));
    x += 1;
  }
  // Bernoulli numbers B2, B4, ...
  const double bernoulli[] = {1.0 / 6, -1.0 / 30, 1.0 / 42, -1.0 / 30, 5.0 / 66, -691.0 / 2730, 7.0 / 6, -3617.0 / 510};
  const double inverse = 1 / x, square = inverse * inverse;
  double series = 0;
  if (k == 0) {
    double power = square;
    for (int i = 0; i < 8; ++i, power *= square) series -= bernoulli[i] / (2 * (i + 1)) * power;
    return sum + ::log(x) - 0.5 * inverse + series;
  }
  // (k-1)!/x^k + k!/(2 x^(k+1)) + sum B2j (2j+k-1)!/((2j)! x^(2j+k))
  const double lead = __builtin_pow(inverse, k);
  double coefficient = factorial / k * (k + 1) * k / 2;  // (k+1)!/2!
  double power = lead * square;
  for (int i = 0; i < 8; ++i) {
    series += bernoulli[i] * coefficient * power;
    const double j2 = 2 * (i + 1);
    coefficient *= (j2 + k) * (j2 + k + 1) / ((j2 + 1) * (j2 + 2));
    power *= square;
  }
  return sum + sign * (factorial / k * lead + factorial / 2 * lead * inverse + series);
}
DL_INLINE float polygamma(float order, float x) { return static_cast<float>(polygamma(static_cast<double>(order), static_cast<double>(x))); }

// The inverse of erf: a logarithmic start (Winitzki 2008), refined by Halley steps, on the complement where erf is close to 1.
DL_INLINE double erfinv(double y) {
  if (!(y >= -1 && y <= 1)) return std::numeric_limits<double>::quiet_NaN();
  const double a = __builtin_fabs(y);
  if (a == 1) return __builtin_copysign(std::numeric_limits<double>::infinity(), y);
  const double c = 0.147, l = ::log1p(-a * a), t = 2 / (pi * c) + l / 2;
  double x = __builtin_sqrt(__builtin_sqrt(t * t - l / c) - t);
  for (int step = 0; step < 3; ++step) {
    const double error = a > 0.5 ? (1 - a) - ::erfc(x) : ::erf(x) - a;
    const double newton = error / (twoOverRootPi * ::exp(-x * x));
    x -= newton / (1 + x * newton);
  }
  return __builtin_copysign(a == 0 ? 0 : x, y);
}
DL_INLINE float erfinv(float y) { return static_cast<float>(erfinv(static_cast<double>(y))); }

DL_INLINE double gammaFunction(double x) {
  if (x < 0 && x == __builtin_floor(x)) return std::numeric_limits<double>::infinity();  // MATLAB's value at the poles
  return ::tgamma(x);
}
DL_INLINE float gammaFunction(float x) { return static_cast<float>(gammaFunction(static_cast<double>(x))); }
DL_INLINE double gammaln(double x) {
  int sign;
  return ::lgamma_r(x, &sign);
}
DL_INLINE float gammaln(float x) { return static_cast<float>(gammaln(static_cast<double>(x))); }

// The probability that a standard normal number is less than x; small ones keep their digits.
DL_INLINE double normalDistribution(double x) { return 0.5 * erfc(x * -rootHalf); }

// log(1 + t) for t between 0 and 1. In single it takes half the time of the vector variant of log1p, which serves every number:
// 2 atanh(t / (2 + t)) by its series, whose next term is below 4e-8 of the sum.
template <class T>
DL_INLINE T logOfOneAnd(T t) {
  return log1p(t);
}
DL_INLINE float logOfOneAnd(float t) {
  const float z = t / (2.0F + t), w = z * z;
  float p = 1.0F / 13;
  p = p * w + 1.0F / 11;
  p = p * w + 1.0F / 9;
  p = p * w + 1.0F / 7;
  p = p * w + 1.0F / 5;
  p = p * w + 1.0F / 3;
  return 2.0F * (z + z * (w * p));
}

// x times normalDistribution(x), and its derivative.
DL_INLINE double gelu(double x) { return atLeast(x, -1e30) * normalDistribution(x); }
template <class T>
DL_INLINE T geluSlope(T x) {
  const T near = within(x, T(100));
  return normalDistribution(near) + near * T(0.5 * rootHalf * twoOverRootPi) * exp(near * near * T(-0.5));
}

// In single neither the vector variant of erfc nor that of exp is needed, and no division.
struct PowerOfTwo {  // 2^z as power times series, for z between -126 and 126, to 8e-8
  float power, series;

  DL_INLINE explicit PowerOfTwo(float z) {
    const Rounded rounded(z);
    const float rest = z - rounded.whole;
    float p = 1.327655976e-3F;
    p = p * rest + 9.675541893e-3F;
    p = p * rest + 5.550713092e-2F;
    p = p * rest + 2.402212024e-1F;
    p = p * rest + 6.931469440e-1F;
    series = p * rest + 1.0000001192F;
    power = rounded.power;
  }
};

// The probability that a normal number is more than a, for a between 0 and `farTail`: the logarithm to base 2 is a polynomial, fitted to
// 1e-7 at 0, where the result is 1/2, and to 1e-5 past 3, so that what is left after rounding is below 6e-8 everywhere.
inline constexpr float farTail = 9.0F;
DL_INLINE float normalTail(float a) {
  float p = 7.979483740e-10F;
  p = p * a - 3.762368550e-8F;
  p = p * a + 7.665813655e-7F;
  p = p * a - 8.762334801e-6F;
  p = p * a + 5.969787526e-5F;
  p = p * a - 2.128027700e-4F;
  p = p * a - 1.533940813e-4F;
  p = p * a + 7.149836514e-3F;
  p = p * a - 5.258836597e-2F;
  p = p * a - 4.591690004e-1F;
  p = p * a - 1.151111007F;
  const PowerOfTwo two(p * a - 0.9999998808F);
  return two.power * two.series;
}

// Beyond `farTail` what is computed is thrown away, whatever it is; NaN is not beyond.
DL_INLINE float gelu(float x) {
  const float a = abs(x);
  return where(x < 0.0F, 0.0F, x) - where(farTail < a, 0.0F, a * normalTail(a));
}
DL_INLINE float geluSlope(float x) {
  const float a = abs(x);
  const PowerOfTwo two(a * a * -0.7213475204F - 1.3257480647F);  // e^(-a^2 / 2) / sqrt(2 pi)
  const float density = two.power * two.series;
  const float tail = where(farTail < a, 0.0F, normalTail(a) - a * density);
  return where(x < 0.0F, tail, 1.0F - tail);
}

}  // namespace dl::formula
