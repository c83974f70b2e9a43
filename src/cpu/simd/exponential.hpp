// Exponentials of single numbers for loops that do little else: shorter than those of the vector library, which must serve every
// number. To be included by the sources in simd/ alone: everything is inlined.
#pragma once

#include "formulas/math.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

// exp(x) as exp(rest) * power, for x between -87 and 87: rest is no farther from 0 than ln 2 / 2.
struct ReducedExponent {
  float rest, power;

  DL_INLINE explicit ReducedExponent(float x) {
    const formula::Rounded n(x * 1.44269504F);
    // ln 2 in two parts: n times the first is exact.
    rest = (x - n.whole * 0.693359375F) + n.whole * 2.12194440e-4F;
    power = n.power;
  }
};

// exp(x) as (1 + rest) * power, for x between -87 and 87; the error is about that of rounding.
struct Exponential {
  float rest, power;

  DL_INLINE explicit Exponential(float x) {
    const ReducedExponent reduced(x);
    const float r = reduced.rest;
    const float series = 0.5F + r * (1.0F / 6 + r * (1.0F / 24 + r * (1.0F / 120 + r * (1.0F / 720 + r * (1.0F / 5040)))));
    rest = r + r * r * series;
    power = reduced.power;
  }
  DL_INLINE float value() const { return power + power * rest; }
  DL_INLINE float minusOne() const { return power * rest + (power - 1.0F); }
};

DL_INLINE float fastExp(float x) {
  const float above = x < -87.0F ? -87.0F : x;
  return Exponential(above > 87.0F ? 87.0F : above).value();
}
DL_INLINE double fastExp(double x) { return formula::exp(x < -708.0 ? -708.0 : x); }
DL_INLINE float fastTanh(float x) {
  const float twice = -2.0F * formula::abs(x), e = Exponential(twice < -40.0F ? -40.0F : twice).minusOne();
  return formula::copysign(e / (e + 2.0F), x);
}
DL_INLINE double fastTanh(double x) { return formula::tanh(x); }

}  // namespace
}  // namespace dl::cpu::DLARRAY_ARCH
