// Natural logarithms for loops that do little else, as exponential.hpp. To be included by the sources in simd/ alone: everything
// is inlined.
#pragma once

#include "formulas/math.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

// Of a normal positive number; of infinity and NaN it is some number. x is a power of two times a number m between 2/3 and 4/3, whose logarithm is
// f + f^2 times a polynomial of f = m - 1, fitted to 3e-8 of it.
DL_INLINE float finiteLogarithm(float x) {
  const unsigned bits = __builtin_bit_cast(unsigned, x), power = (bits - 0x3f2aaaabU) & 0xff800000U;
  const float f = __builtin_bit_cast(float, bits - power) - 1.0F;
  const float exponent = static_cast<float>(static_cast<int>(power));  // times 2^23
  float p = 0.1402713507F;
  p = p * f - 0.1538878828F;
  p = p * f + 0.1399563849F;
  p = p * f - 0.1641591042F;
  p = p * f + 0.2001118064F;
  p = p * f - 0.2500782311F;
  p = p * f + 0.3333319724F;
  p = p * f - 0.4999993742F;
  return exponent * 8.262958295e-8F + (f * f * p + f);
}
DL_INLINE double finiteLogarithm(double x) { return formula::log(x); }

// Of infinity and NaN too.
DL_INLINE float logarithm(float x) {
  return formula::where(x < std::numeric_limits<float>::infinity(), finiteLogarithm(x), x);
}
DL_INLINE double logarithm(double x) { return formula::log(x); }

}  // namespace
}  // namespace dl::cpu::DLARRAY_ARCH
