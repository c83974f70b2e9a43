#pragma once
// THE list of element-wise functions of two arrays; see unary.hpp. `gradientA` and `gradientB` are the derivatives by each input.
#include "formulas/list.hpp"
#include "formulas/loss.hpp"
#include "formulas/special.hpp"

namespace dl::formula {

struct Plus : NeedsForEach<Nothing, Nothing> {
  static constexpr auto name = "plus";
  static constexpr bool simple = true;
  template <class T> DL_INLINE static T value(T a, T b) { return a + b; }
  template <class T> DL_INLINE static T gradientA(T g, T, T, T) { return g; }
  template <class T> DL_INLINE static T gradientB(T g, T, T, T) { return g; }
};
struct Minus : NeedsForEach<Nothing, Nothing> {
  static constexpr auto name = "minus";
  static constexpr bool simple = true;
  template <class T> DL_INLINE static T value(T a, T b) { return a - b; }
  template <class T> DL_INLINE static T gradientA(T g, T, T, T) { return g; }
  template <class T> DL_INLINE static T gradientB(T g, T, T, T) { return -g; }
};
struct Times : NeedsForEach<B, A> {
  static constexpr auto name = "times";
  static constexpr bool simple = true;
  template <class T> DL_INLINE static T value(T a, T b) { return a * b; }
  template <class T> DL_INLINE static T gradientA(T g, T, T b, T) { return g * b; }
  template <class T> DL_INLINE static T gradientB(T g, T a, T, T) { return g * a; }
};
struct Divide : NeedsForEach<B, B | Y> {
  static constexpr auto name = "rdivide";
  template <class T> DL_INLINE static T value(T a, T b) { return a / b; }
  template <class T> DL_INLINE static T gradientA(T g, T, T b, T) { return g / b; }
  template <class T> DL_INLINE static T gradientB(T g, T, T b, T y) { return -(g * y / b); }
};
struct Power : NeedsForEach<A | B, A | Y> {
  static constexpr auto name = "power";
  template <class T> DL_INLINE static T value(T a, T b) { return pow(a, b); }
  // At a = 0 an exponent between 0 and 1 would give an infinite slope and 0 * pow(0, -1) a NaN: both are taken as 0, as for sqrt.
  template <class T> DL_INLINE static T gradientA(T g, T a, T b, T) {
    const auto flat = (a == T(0)) & (b >= T(0)) & (b < T(1));
    return where(flat, T(0), g * b * pow(where(flat, T(1), a), b - T(1)));
  }
  template <class T> DL_INLINE static T gradientB(T g, T a, T, T y) { return where(a == T(0), T(0), g * y * log(where(a == T(0), T(1), a))); }
};
struct Atan2 : NeedsForEach<A | B, A | B> {
  static constexpr auto name = "atan2";
  template <class T> DL_INLINE static T value(T a, T b) { return atan2(a, b); }
  // The distance from the origin rather than its square, which may overflow; slope 0 at the origin, where none exists.
  template <class T> DL_INLINE static T distance(T a, T b) {
    const T h = hypot(a, b);
    return where(h == T(0), T(1), h);
  }
  template <class T> DL_INLINE static T gradientA(T g, T a, T b, T) {
    const T h = distance(a, b);
    return g * (b / h) / h;
  }
  template <class T> DL_INLINE static T gradientB(T g, T a, T b, T) {
    const T h = distance(a, b);
    return -(g * (a / h) / h);
  }
};
struct Hypot : NeedsForEach<A | Y, B | Y> {
  static constexpr auto name = "hypot";
  template <class T> DL_INLINE static T value(T a, T b) { return hypot(a, b); }
  template <class T> DL_INLINE static T gradientA(T g, T a, T, T y) { return g * a / where(y == T(0), T(1), y); }
  template <class T> DL_INLINE static T gradientB(T g, T, T b, T y) { return g * b / where(y == T(0), T(1), y); }
};
struct Mod : NeedsForEach<Nothing, A | B> {  // sign of b, mod(a, 0) is a
  static constexpr auto name = "mod";
  template <class T> DL_INLINE static T value(T a, T b) {
    const T r = fmod(a, b);
    return where(b == T(0), a, where((r != T(0)) & ((r < T(0)) != (b < T(0))), r + b, r));
  }
  template <class T> DL_INLINE static T gradientA(T g, T, T, T) { return g; }
  template <class T> DL_INLINE static T gradientB(T g, T a, T b, T) {
    return where(b == T(0), T(0), -(g * floor(a / where(b == T(0), T(1), b))));
  }
};
struct Rem : NeedsForEach<Nothing, A | B> {  // sign of a, rem(a, 0) is NaN
  static constexpr auto name = "rem";
  template <class T> DL_INLINE static T value(T a, T b) { return fmod(a, b); }
  template <class T> DL_INLINE static T gradientA(T g, T, T, T) { return g; }
  template <class T> DL_INLINE static T gradientB(T g, T a, T b, T) {
    return where(b == T(0), T(0), -(g * trunc(a / where(b == T(0), T(1), b))));
  }
};
// NaN loses against a number; equal values count as the first input's.
struct Max : NeedsForEach<A | B, A | B> {
  static constexpr auto name = "max";
  template <class T> DL_INLINE static auto first(T a, T b) { return (a >= b) | (b != b); }
  template <class T> DL_INLINE static T value(T a, T b) { return where(first(a, b), a, b); }
  template <class T> DL_INLINE static T gradientA(T g, T a, T b, T) { return where(first(a, b), g, T(0)); }
  template <class T> DL_INLINE static T gradientB(T g, T a, T b, T) { return where(first(a, b), T(0), g); }
};
struct Min : NeedsForEach<A | B, A | B> {
  static constexpr auto name = "min";
  template <class T> DL_INLINE static auto first(T a, T b) { return (a <= b) | (b != b); }
  template <class T> DL_INLINE static T value(T a, T b) { return where(first(a, b), a, b); }
  template <class T> DL_INLINE static T gradientA(T g, T a, T b, T) { return where(first(a, b), g, T(0)); }
  template <class T> DL_INLINE static T gradientB(T g, T a, T b, T) { return where(first(a, b), T(0), g); }
};
struct Polygamma : NeedsForEach<Nothing, A | B> {  // psi(order, x); the order is a constant
  static constexpr auto name = "psi";
  template <class T> DL_INLINE static T value(T a, T b) { return polygamma(a, b); }
  template <class T> DL_INLINE static T gradientA(T, T, T, T) { return T(0); }
  template <class T> DL_INLINE static T gradientB(T g, T a, T b, T) { return g * polygamma(a + T(1), b); }
};

// Activations whose second input, a number, shapes them.
struct LeakyRelu : NeedsForEach<A | B, A> {
  static constexpr auto name = "leakyrelu";
  template <class T> DL_INLINE static T value(T a, T b) { return where(a < T(0), a * b, a); }
  template <class T> DL_INLINE static T gradientA(T g, T a, T b, T) { return where(a < T(0), g * b, g); }
  template <class T> DL_INLINE static T gradientB(T g, T a, T, T) { return where(a < T(0), g * a, T(0)); }
};
struct Elu : NeedsForEach<A | B, A> {
  static constexpr auto name = "elu";
  template <class T> DL_INLINE static T value(T a, T b) { return where(a < T(0), b * expm1(a), a); }
  template <class T> DL_INLINE static T gradientA(T g, T a, T b, T) { return where(a < T(0), g * b * exp(where(a < T(0), a, T(0))), g); }
  template <class T> DL_INLINE static T gradientB(T g, T a, T, T) { return where(a < T(0), g * expm1(where(a < T(0), a, T(0))), T(0)); }
};

using BinaryFormulas = List<Plus, Minus, Times, Divide, Power, Atan2, Hypot, Mod, Rem, Max, Min, Polygamma, LeakyRelu, Elu,
                            CrossEntropy>;

// Questions about two numbers; the answer is a logical array.
struct Equal {
  static constexpr auto name = "eq";
  template <class T> DL_INLINE static bool value(T a, T b) { return a == b; }
};
struct NotEqual {
  static constexpr auto name = "ne";
  template <class T> DL_INLINE static bool value(T a, T b) { return a != b; }
};
struct Less {
  static constexpr auto name = "lt";
  template <class T> DL_INLINE static bool value(T a, T b) { return a < b; }
};
struct LessEqual {
  static constexpr auto name = "le";
  template <class T> DL_INLINE static bool value(T a, T b) { return a <= b; }
};
struct Greater {
  static constexpr auto name = "gt";
  template <class T> DL_INLINE static bool value(T a, T b) { return a > b; }
};
struct GreaterEqual {
  static constexpr auto name = "ge";
  template <class T> DL_INLINE static bool value(T a, T b) { return a >= b; }
};
struct And {
  static constexpr auto name = "and";
  template <class T> DL_INLINE static bool value(T a, T b) { return (a != T(0)) & (b != T(0)); }
};
struct Or {
  static constexpr auto name = "or";
  template <class T> DL_INLINE static bool value(T a, T b) { return (a != T(0)) | (b != T(0)); }
};
struct Xor {
  static constexpr auto name = "xor";
  template <class T> DL_INLINE static bool value(T a, T b) { return (a != T(0)) != (b != T(0)); }
};

using Relations = List<Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual, And, Or, Xor>;

}  // namespace dl::formula
