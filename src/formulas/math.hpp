#pragma once
// Elementary functions of single numbers as the formulas use them. The loops over formulas are compiled several times for different
// processors, so nothing here may become a function of its own that the linker shares between them: all is inlined always.
#include <cmath>
#include <limits>

#if DLARRAY_X86 && defined(__GLIBC__)
// glibc has vector variants of these in libmvec; the attribute lets the compiler call them from a vectorised loop.
extern "C" {
#define DL_VECTOR_VARIANTS(function)                                             \
  __attribute__((simd("notinbranch"))) double function(double) noexcept;         \
  __attribute__((simd("notinbranch"))) float function##f(float) noexcept;
DL_VECTOR_VARIANTS(exp)
DL_VECTOR_VARIANTS(expm1)
DL_VECTOR_VARIANTS(log)
DL_VECTOR_VARIANTS(log1p)
DL_VECTOR_VARIANTS(log2)
DL_VECTOR_VARIANTS(log10)
DL_VECTOR_VARIANTS(sin)
DL_VECTOR_VARIANTS(cos)
DL_VECTOR_VARIANTS(tan)
DL_VECTOR_VARIANTS(asin)
DL_VECTOR_VARIANTS(acos)
DL_VECTOR_VARIANTS(atan)
DL_VECTOR_VARIANTS(sinh)
DL_VECTOR_VARIANTS(cosh)
DL_VECTOR_VARIANTS(tanh)
DL_VECTOR_VARIANTS(asinh)
DL_VECTOR_VARIANTS(acosh)
DL_VECTOR_VARIANTS(atanh)
DL_VECTOR_VARIANTS(erf)
DL_VECTOR_VARIANTS(erfc)
__attribute__((simd("notinbranch"))) double pow(double, double) noexcept;
__attribute__((simd("notinbranch"))) float powf(float, float) noexcept;
__attribute__((simd("notinbranch"))) double atan2(double, double) noexcept;
__attribute__((simd("notinbranch"))) float atan2f(float, float) noexcept;
__attribute__((simd("notinbranch"))) double hypot(double, double) noexcept;
__attribute__((simd("notinbranch"))) float hypotf(float, float) noexcept;
#undef DL_VECTOR_VARIANTS
}
#endif

#define DL_INLINE [[gnu::always_inline]] inline

namespace dl::formula {

// Both precisions of a function of the C library under one name.
#define DL_BOTH_PRECISIONS(function)                                              \
  DL_INLINE double function(double x) { return ::function(x); }                   \
  DL_INLINE float function(float x) { return ::function##f(x); }
DL_BOTH_PRECISIONS(exp)
DL_BOTH_PRECISIONS(expm1)
DL_BOTH_PRECISIONS(log)
DL_BOTH_PRECISIONS(log1p)
DL_BOTH_PRECISIONS(log2)
DL_BOTH_PRECISIONS(log10)
DL_BOTH_PRECISIONS(sin)
DL_BOTH_PRECISIONS(cos)
DL_BOTH_PRECISIONS(tan)
DL_BOTH_PRECISIONS(asin)
DL_BOTH_PRECISIONS(acos)
DL_BOTH_PRECISIONS(atan)
DL_BOTH_PRECISIONS(sinh)
DL_BOTH_PRECISIONS(cosh)
DL_BOTH_PRECISIONS(tanh)
DL_BOTH_PRECISIONS(asinh)
DL_BOTH_PRECISIONS(acosh)
DL_BOTH_PRECISIONS(atanh)
DL_BOTH_PRECISIONS(erf)
DL_BOTH_PRECISIONS(erfc)
#undef DL_BOTH_PRECISIONS

DL_INLINE double sqrt(double x) { return __builtin_sqrt(x); }
DL_INLINE float sqrt(float x) { return __builtin_sqrtf(x); }
DL_INLINE double abs(double x) { return __builtin_fabs(x); }
DL_INLINE float abs(float x) { return __builtin_fabsf(x); }
DL_INLINE double floor(double x) { return __builtin_floor(x); }
DL_INLINE float floor(float x) { return __builtin_floorf(x); }
DL_INLINE double ceil(double x) { return __builtin_ceil(x); }
DL_INLINE float ceil(float x) { return __builtin_ceilf(x); }
DL_INLINE double trunc(double x) { return __builtin_trunc(x); }
DL_INLINE float trunc(float x) { return __builtin_truncf(x); }
DL_INLINE double copysign(double x, double s) { return __builtin_copysign(x, s); }
DL_INLINE float copysign(float x, float s) { return __builtin_copysignf(x, s); }
DL_INLINE double pow(double x, double p) { return ::pow(x, p); }
DL_INLINE float pow(float x, float p) { return ::powf(x, p); }
DL_INLINE double atan2(double y, double x) { return ::atan2(y, x); }
DL_INLINE float atan2(float y, float x) { return ::atan2f(y, x); }
DL_INLINE double hypot(double y, double x) { return ::hypot(y, x); }
DL_INLINE float hypot(float y, float x) { return ::hypotf(y, x); }
DL_INLINE double fmod(double a, double b) { return __builtin_fmod(a, b); }
DL_INLINE float fmod(float a, float b) { return __builtin_fmodf(a, b); }

DL_INLINE double where(bool condition, double yes, double no) { return condition ? yes : no; }
DL_INLINE float where(bool condition, float yes, float no) { return condition ? yes : no; }
DL_INLINE double sign(double x) { return x > 0 ? 1.0 : x < 0 ? -1.0 : x; }
DL_INLINE float sign(float x) { return x > 0 ? 1.0F : x < 0 ? -1.0F : x; }

inline constexpr double pi = 3.14159265358979323846;
inline constexpr double ln2 = 0.69314718055994530942;
inline constexpr double ln10 = 2.30258509299404568402;
inline constexpr double twoOverRootPi = 1.12837916709551257390;
inline constexpr double rootHalf = 0.70710678118654752440;

// No probability that softmax gives, or that a cross-entropy takes the logarithm of, is smaller: then 1 / p is far from overflow, times
// weights and in sums, and p / p is 1. What 1 - p may be at least is its last bit.
template <class T>
inline constexpr T smallestProbability = sizeof(T) == 4 ? T(0x1p-100) : T(0x1p-1000);
template <class T>
inline constexpr T lastBit = std::numeric_limits<T>::epsilon() / 2;

DL_INLINE double sigmoid(double x) { return 1.0 / (1.0 + exp(-x)); }
DL_INLINE float sigmoid(float x) { return 1.0F / (1.0F + exp(-x)); }

// z between -126 and 126 rounded to a whole number, and 2 to the power of that.
struct Rounded {
  float whole, power;

  DL_INLINE explicit Rounded(float z) {
    constexpr float rounder = 12582912.0F;  // 1.5 * 2^23: a sum with it is a whole number, in the lowest bits
    const float shifted = z + rounder;
    whole = shifted - rounder;
    power = __builtin_bit_cast(float, (__builtin_bit_cast(unsigned, shifted) << 23) + 0x3f800000U);
  }
};

// x, but no less than a limit, and no farther from 0 than one; NaN stays.
template <class T>
DL_INLINE T atLeast(T x, T limit) {
  return where(x < limit, limit, x);
}
template <class T>
DL_INLINE T within(T x, T limit) {
  return where(limit < x, limit, atLeast(x, -limit));
}

DL_INLINE double probability(double p) { return atLeast(p, smallestProbability<double>); }
DL_INLINE float probability(float p) { return atLeast(p, smallestProbability<float>); }
DL_INLINE double counterProbability(double p) { return atLeast(1.0 - p, lastBit<double>); }
DL_INLINE float counterProbability(float p) { return atLeast(1.0F - p, lastBit<float>); }

}  // namespace dl::formula
