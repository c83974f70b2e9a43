#pragma once
// What a prediction a costs beside its target b, for one element; see unary.hpp. A loss may have a parameter, which comes last.
#include "formulas/list.hpp"
#include "formulas/math.hpp"

namespace dl::formula {

struct SquaredError : NeedsForEach<A | B, A | B> {
  static constexpr auto name = "l2loss";
  template <class T> DL_INLINE static T value(T a, T b, T = T(1)) { return (a - b) * (a - b); }
  template <class T> DL_INLINE static T gradientA(T g, T a, T b, T) { return (g + g) * (a - b); }
  template <class T> DL_INLINE static T gradientB(T g, T a, T b, T) { return (g + g) * (b - a); }
};
struct AbsoluteError : NeedsForEach<A | B, A | B> {
  static constexpr auto name = "l1loss";
  template <class T> DL_INLINE static T value(T a, T b, T = T(1)) { return abs(a - b); }
  template <class T> DL_INLINE static T gradientA(T g, T a, T b, T) { return g * sign(a - b); }
  template <class T> DL_INLINE static T gradientB(T g, T a, T b, T) { return g * sign(b - a); }
};
struct HuberError : NeedsForEach<A | B, A | B> {  // quadratic up to the transition, linear from there
  static constexpr auto name = "huber";
  template <class T> DL_INLINE static T value(T a, T b, T transition = T(1)) {
    const T d = abs(a - b), near = where(transition < d, transition, d);
    return near * (d - T(0.5) * near);
  }
  template <class T> DL_INLINE static T gradientA(T g, T a, T b, T transition) { return g * within(a - b, transition); }
  template <class T> DL_INLINE static T gradientB(T g, T a, T b, T transition) { return g * within(b - a, transition); }
};
struct CrossEntropy : NeedsForEach<A | B, A> {
  static constexpr auto name = "crossentropy";
  template <class T> DL_INLINE static T value(T a, T b, T = T(1)) { return -(b * log(probability(a))); }
  template <class T> DL_INLINE static T gradientA(T g, T a, T b, T) { return -(g * b / probability(a)); }
  template <class T> DL_INLINE static T gradientB(T g, T a, T, T) { return -(g * log(probability(a))); }
};
struct BinaryCrossEntropy : NeedsForEach<A | B, A> {
  static constexpr auto name = "crossentropy";
  template <class T> DL_INLINE static T value(T a, T b, T = T(1)) { return -(b * log(probability(a)) + (T(1) - b) * log(counterProbability(a))); }
  template <class T> DL_INLINE static T gradientA(T g, T a, T b, T) { return g * ((T(1) - b) / counterProbability(a) - b / probability(a)); }
  template <class T> DL_INLINE static T gradientB(T g, T a, T, T) { return g * (log(counterProbability(a)) - log(probability(a))); }
};

using LossFormulas = List<SquaredError, AbsoluteError, HuberError, CrossEntropy, BinaryCrossEntropy>;

}  // namespace dl::formula
