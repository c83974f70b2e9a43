#pragma once
// The activations of recurrent functions: value, and slope from the value alone, so that nothing else needs to be kept. As in unary.hpp,
// T is a number in the kernels and a Symbol where the derivative is itself differentiated.
#include "formulas/math.hpp"

namespace dl::formula {

struct GateSigmoid {
  template <class T> DL_INLINE static T value(T x) { return sigmoid(x); }
  template <class T> DL_INLINE static T slope(T y) { return y * (T(1) - y); }
};
struct GateHardSigmoid {
  template <class T> DL_INLINE static T value(T x) {
    return where(x < T(-2.5), T(0), where(T(2.5) < x, T(1), T(0.2) * x + T(0.5)));
  }
  template <class T> DL_INLINE static T slope(T y) { return where((T(0) < y) & (y < T(1)), T(0.2), T(0)); }
};
struct StateTanh {
  template <class T> DL_INLINE static T value(T x) { return tanh(x); }
  template <class T> DL_INLINE static T slope(T y) { return T(1) - y * y; }
};
struct StateSoftsign {
  template <class T> DL_INLINE static T value(T x) { return x / (T(1) + where(x < T(0), -x, x)); }
  template <class T> DL_INLINE static T slope(T y) {
    const T rest = T(1) - where(y < T(0), -y, y);
    return rest * rest;
  }
};
struct StateRelu {
  template <class T> DL_INLINE static T value(T x) { return where(x <= T(0), T(0), x); }
  template <class T> DL_INLINE static T slope(T y) { return where(T(0) < y, T(1), T(0)); }
};

}  // namespace dl::formula
