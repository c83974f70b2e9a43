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
// In single the vector variant of erfc takes three times as long as this: e^(-x^2 / 2) times a polynomial of degree 9 in (|x| - 4) / (|x| + 4)
// over |x| + 4, fitted at Chebyshev's points to 4e-8.
DL_INLINE float normalDistribution(float x) {
  const float inverse = 1.0F / (abs(x) + 4.0F), t = 1.0F - 8.0F * inverse;
  float p = -1.573205696e-4F;
  p = p * t + 1.293256813e-4F;
  p = p * t + 1.563786899e-3F;
  p = p * t - 3.476167895e-3F;
  p = p * t - 7.512231382e-3F;
  p = p * t + 6.039529587e-2F;
  p = p * t - 1.865267109e-1F;
  p = p * t + 3.871375629e-1F;
  p = p * t - 6.078964038e-1F;
  p = p * t + 7.552851271e-1F;
  const float tail = exp(x * x * -0.5F) * (p * inverse);
  return where(x < 0.0F, tail, 1.0F - tail);
}

}  // namespace dl::formula
