#pragma once
// THE list of element-wise functions of one array. Each struct is all there is to say about one of them: its value and its derivative,
// for numbers (the kernels) and for arrays (derivatives of derivatives) alike. A new function is one struct, one entry in `UnaryFormulas`
// or `Predicates`, its declaration in ops/elementwise.hpp and a row in the tests.
#include "formulas/list.hpp"
#include "formulas/special.hpp"

namespace dl::formula {

struct Abs : Needs<X> {
  static constexpr auto name = "abs";
  template <class T> DL_INLINE static T value(T x) { return abs(x); }
  template <class T> DL_INLINE static T gradient(T g, T x, T) { return g * sign(x); }
};
struct Sign : Flat {
  static constexpr auto name = "sign";
  template <class T> DL_INLINE static T value(T x) { return sign(x); }
};
struct Floor : Flat {
  static constexpr auto name = "floor";
  template <class T> DL_INLINE static T value(T x) { return floor(x); }
};
struct Ceil : Flat {
  static constexpr auto name = "ceil";
  template <class T> DL_INLINE static T value(T x) { return ceil(x); }
};
struct Fix : Flat {
  static constexpr auto name = "fix";
  template <class T> DL_INLINE static T value(T x) { return trunc(x); }
};
struct Round : Flat {  // halves away from zero, as MATLAB
  static constexpr auto name = "round";
  template <class T> DL_INLINE static T value(T x) {
    const T whole = trunc(x);
    return where(abs(x - whole) >= T(0.5), whole + copysign(T(1), x), whole);
  }
};
struct Negate : Needs<Nothing> {
  static constexpr auto name = "uminus";
  template <class T> DL_INLINE static T value(T x) { return -x; }
  template <class T> DL_INLINE static T gradient(T g, T, T) { return -g; }
};
struct Square : Needs<X> {
  static constexpr auto name = "square";
  static constexpr double slope = 2;  // the derivative is this times the input: where g is one number, a product in place
  template <class T> DL_INLINE static T value(T x) { return x * x; }
  template <class T> DL_INLINE static T gradient(T g, T x, T) { return (g + g) * x; }
};
struct Sqrt : Needs<Y> {
  static constexpr auto name = "sqrt";
  template <class T> DL_INLINE static T value(T x) { return sqrt(x); }
  // The slope at 0 is taken as 0, not infinity: sqrt(sum(x.^2)) then has the subgradient 0 at x = 0 instead of NaN.
  template <class T> DL_INLINE static T gradient(T g, T, T y) {
    return where(y == T(0), T(0), T(0.5) * g / where(y == T(0), T(1), y));
  }
};
struct Exp : Needs<Y> {
  static constexpr auto name = "exp";
  template <class T> DL_INLINE static T value(T x) { return exp(x); }
  template <class T> DL_INLINE static T gradient(T g, T, T y) { return g * y; }
};
struct Expm1 : Needs<Y> {
  static constexpr auto name = "expm1";
  template <class T> DL_INLINE static T value(T x) { return expm1(x); }
  template <class T> DL_INLINE static T gradient(T g, T, T y) { return g * (y + T(1)); }
};
struct Log : Needs<X> {
  static constexpr auto name = "log";
  template <class T> DL_INLINE static T value(T x) { return log(x); }
  template <class T> DL_INLINE static T gradient(T g, T x, T) { return g / x; }
};
struct Log1p : Needs<X> {
  static constexpr auto name = "log1p";
  template <class T> DL_INLINE static T value(T x) { return log1p(x); }
  template <class T> DL_INLINE static T gradient(T g, T x, T) { return g / (x + T(1)); }
};
struct Log2 : Needs<X> {
  static constexpr auto name = "log2";
  template <class T> DL_INLINE static T value(T x) { return log2(x); }
  template <class T> DL_INLINE static T gradient(T g, T x, T) { return g / (x * T(ln2)); }
};
struct Log10 : Needs<X> {
  static constexpr auto name = "log10";
  template <class T> DL_INLINE static T value(T x) { return log10(x); }
  template <class T> DL_INLINE static T gradient(T g, T x, T) { return g / (x * T(ln10)); }
};
struct Sin : Needs<X> {
  static constexpr auto name = "sin";
  template <class T> DL_INLINE static T value(T x) { return sin(x); }
  template <class T> DL_INLINE static T gradient(T g, T x, T) { return g * cos(x); }
};
struct Cos : Needs<X> {
  static constexpr auto name = "cos";
  template <class T> DL_INLINE static T value(T x) { return cos(x); }
  template <class T> DL_INLINE static T gradient(T g, T x, T) { return -(g * sin(x)); }
};
struct Tan : Needs<Y> {
  static constexpr auto name = "tan";
  template <class T> DL_INLINE static T value(T x) { return tan(x); }
  template <class T> DL_INLINE static T gradient(T g, T, T y) { return g * (y * y + T(1)); }
};
struct Sec : Needs<X | Y> {
  static constexpr auto name = "sec";
  template <class T> DL_INLINE static T value(T x) { return T(1) / cos(x); }
  template <class T> DL_INLINE static T gradient(T g, T x, T y) { return g * y * tan(x); }
};
struct Csc : Needs<X | Y> {
  static constexpr auto name = "csc";
  template <class T> DL_INLINE static T value(T x) { return T(1) / sin(x); }
  template <class T> DL_INLINE static T gradient(T g, T x, T y) { return -(g * y / tan(x)); }
};
struct Cot : Needs<Y> {
  static constexpr auto name = "cot";
  template <class T> DL_INLINE static T value(T x) { return T(1) / tan(x); }
  template <class T> DL_INLINE static T gradient(T g, T, T y) { return -(g * (y * y + T(1))); }
};
struct Asin : Needs<X> {
  static constexpr auto name = "asin";
  template <class T> DL_INLINE static T value(T x) { return asin(x); }
  template <class T> DL_INLINE static T gradient(T g, T x, T) { return g / sqrt((T(1) - x) * (x + T(1))); }
};
struct Acos : Needs<X> {
  static constexpr auto name = "acos";
  template <class T> DL_INLINE static T value(T x) { return acos(x); }
  template <class T> DL_INLINE static T gradient(T g, T x, T) { return -(g / sqrt((T(1) - x) * (x + T(1)))); }
};
struct Atan : Needs<X> {
  static constexpr auto name = "atan";
  template <class T> DL_INLINE static T value(T x) { return atan(x); }
  template <class T> DL_INLINE static T gradient(T g, T x, T) { return g / (x * x + T(1)); }
};
struct Sinh : Needs<X> {
  static constexpr auto name = "sinh";
  template <class T> DL_INLINE static T value(T x) { return sinh(x); }
  template <class T> DL_INLINE static T gradient(T g, T x, T) { return g * cosh(x); }
};
struct Cosh : Needs<X> {
  static constexpr auto name = "cosh";
  template <class T> DL_INLINE static T value(T x) { return cosh(x); }
  template <class T> DL_INLINE static T gradient(T g, T x, T) { return g * sinh(x); }
};
struct Tanh : Needs<Y> {
  static constexpr auto name = "tanh";
  template <class T> DL_INLINE static T value(T x) { return tanh(x); }
  template <class T> DL_INLINE static T gradient(T g, T, T y) { return g * (T(1) - y * y); }
};
struct Asinh : Needs<X> {
  static constexpr auto name = "asinh";
  template <class T> DL_INLINE static T value(T x) { return asinh(x); }
  template <class T> DL_INLINE static T gradient(T g, T x, T) { return g / sqrt(x * x + T(1)); }
};
struct Acosh : Needs<X> {
  static constexpr auto name = "acosh";
  template <class T> DL_INLINE static T value(T x) { return acosh(x); }
  template <class T> DL_INLINE static T gradient(T g, T x, T) { return g / sqrt((x - T(1)) * (x + T(1))); }
};
struct Atanh : Needs<X> {
  static constexpr auto name = "atanh";
  template <class T> DL_INLINE static T value(T x) { return atanh(x); }
  template <class T> DL_INLINE static T gradient(T g, T x, T) { return g / ((T(1) - x) * (x + T(1))); }
};
struct Erf : Needs<X> {
  static constexpr auto name = "erf";
  template <class T> DL_INLINE static T value(T x) { return erf(x); }
  template <class T> DL_INLINE static T gradient(T g, T x, T) { return g * T(twoOverRootPi) * exp(-(x * x)); }
};
struct Erfc : Needs<X> {
  static constexpr auto name = "erfc";
  template <class T> DL_INLINE static T value(T x) { return erfc(x); }
  template <class T> DL_INLINE static T gradient(T g, T x, T) { return -(g * T(twoOverRootPi) * exp(-(x * x))); }
};
struct Erfinv : Needs<Y> {
  static constexpr auto name = "erfinv";
  template <class T> DL_INLINE static T value(T x) { return erfinv(x); }
  template <class T> DL_INLINE static T gradient(T g, T, T y) { return g * T(1 / twoOverRootPi) * exp(y * y); }
};
struct Gamma : Needs<X | Y> {
  static constexpr auto name = "gamma";
  template <class T> DL_INLINE static T value(T x) { return gammaFunction(x); }
  template <class T> DL_INLINE static T gradient(T g, T x, T y) { return g * y * polygamma(T(0), x); }
};
struct Gammaln : Needs<X> {
  static constexpr auto name = "gammaln";
  template <class T> DL_INLINE static T value(T x) { return gammaln(x); }
  template <class T> DL_INLINE static T gradient(T g, T x, T) { return g * polygamma(T(0), x); }
};
struct Angle : Flat {  // of a real number: 0 or pi
  static constexpr auto name = "angle";
  template <class T> DL_INLINE static T value(T x) { return where(x < T(0), T(pi), where(x == x, T(0), x)); }
};

// Activations. Large arguments are limited before they meet a factor that has become 0, so that infinities give limits and not NaN.
struct Relu : Needs<Y> {
  static constexpr auto name = "relu";
  template <class T> DL_INLINE static T value(T x) { return where(x < T(0), T(0), x); }
  template <class T> DL_INLINE static T gradient(T g, T, T y) { return where(y == T(0), T(0), g); }
};
struct Sigmoid : Needs<Y> {
  static constexpr auto name = "sigmoid";
  template <class T> DL_INLINE static T value(T x) { return sigmoid(x); }
  template <class T> DL_INLINE static T gradient(T g, T, T y) { return g * y * (T(1) - y); }
};
struct Softplus : Needs<X> {
  static constexpr auto name = "softplus";
  template <class T> DL_INLINE static T value(T x) { return where(x > T(0), x, T(0)) + logOfOneAnd(exp(-abs(x))); }
  template <class T> DL_INLINE static T gradient(T g, T x, T) { return g * sigmoid(x); }
};
struct Swish : Needs<X> {
  static constexpr auto name = "swish";
  template <class T> DL_INLINE static T value(T x) { return atLeast(x, T(-1e30)) * sigmoid(x); }
  template <class T> DL_INLINE static T gradient(T g, T x, T) {
    const T s = sigmoid(x);
    return g * s * (T(1) + within(x, T(1e30)) * (T(1) - s));
  }
};
struct Mish : Needs<X> {  // x tanh(softplus(x)) = x w / (w + 2) with w = e^x (e^x + 2), which past 20 is x to the last bit
  static constexpr auto name = "mish";
  template <class T> DL_INLINE static T value(T x) {
    const T e = exp(where(x < T(20), x, T(20))), w = e * (e + T(2));
    return where(x == x, atLeast(x, T(-1e30)) * (w / (w + T(2))), x);
  }
  template <class T> DL_INLINE static T gradient(T g, T x, T) {
    const T e = exp(where(x < T(20), x, T(20))), w = e * (e + T(2)), d = w + T(2);
    return g * (w / d + within(x, T(1e4)) * (e / d) * ((e + T(1)) / d) * T(4));
  }
};
struct Gelu : Needs<X> {  // x times the normal distribution function
  static constexpr auto name = "gelu";
  template <class T> DL_INLINE static T value(T x) { return gelu(x); }
  template <class T> DL_INLINE static T gradient(T g, T x, T) { return g * geluSlope(x); }
};
struct GeluTanh : Needs<X> {  // x (1 + tanh(u)) / 2 = x sigmoid(2 u)
  static constexpr auto name = "gelu";
  static constexpr double twice = 2 * rootHalf * twoOverRootPi;  // 2 sqrt(2 / pi)
  template <class T> DL_INLINE static T value(T x) {
    return atLeast(x, T(-1e30)) * sigmoid(x * (x * x * T(twice * 0.044715) + T(twice)));
  }
  template <class T> DL_INLINE static T gradient(T g, T x, T) {
    const T near = within(x, T(100)), square = near * near;
    const T s = sigmoid(near * (square * T(twice * 0.044715) + T(twice)));
    return g * s * (near * (T(1) - s) * (square * T(3 * twice * 0.044715) + T(twice)) + T(1));
  }
};

using UnaryFormulas = List<Abs, Sign, Floor, Ceil, Fix, Round, Negate, Square, Sqrt, Exp, Expm1, Log, Log1p, Log2, Log10, Sin, Cos, Tan, Sec, Csc,
                           Cot, Asin, Acos, Atan, Sinh, Cosh, Tanh, Asinh, Acosh, Atanh, Erf, Erfc, Erfinv, Gamma, Gammaln, Angle,
                           Relu, Sigmoid, Softplus, Swish, Mish, Gelu, GeluTanh>;

// Questions about one number; the answer is a logical array.
struct IsNan {
  static constexpr auto name = "isnan";
  template <class T> DL_INLINE static bool value(T x) { return x != x; }
};
struct IsInf {
  static constexpr auto name = "isinf";
  template <class T> DL_INLINE static bool value(T x) { return abs(x) == std::numeric_limits<T>::infinity(); }
};
struct IsFinite {
  static constexpr auto name = "isfinite";
  template <class T> DL_INLINE static bool value(T x) { return abs(x) <= std::numeric_limits<T>::max(); }
};
struct NonZero {  // how a number becomes logical
  static constexpr auto name = "logical";
  template <class T> DL_INLINE static bool value(T x) { return x != T(0); }
};
struct IsZero {
  static constexpr auto name = "not";
  template <class T> DL_INLINE static bool value(T x) { return x == T(0); }
};

using Predicates = List<IsNan, IsInf, IsFinite, NonZero, IsZero>;

}  // namespace dl::formula
