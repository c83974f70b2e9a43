// Gates of recurrent functions; compiled once for every level of the processor.
#include "cpu/simd/recurrent.hpp"

#include "cpu/simd/exponential.hpp"
#include "formulas/recurrent.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

using namespace formula;

// The formulas with the exponentials of this folder.
struct Sigmoid : GateSigmoid {
  template <class T>
  DL_INLINE static T value(T x) {
    return T(1) / (T(1) + fastExp(-x));
  }
};
struct Tanh : StateTanh {
  template <class T>
  DL_INLINE static T value(T x) {
    return fastTanh(x);
  }
};

template <class State, class Gate, class T>
void lstmForward(Index hidden, T* gates, const T* bias, const T* before, T* cell, T* y) {
  T *gi = gates, *gf = gi + hidden, *gg = gf + hidden, *go = gg + hidden;
  const T *bi = bias, *bf = bi + hidden, *bg = bf + hidden, *bo = bg + hidden;
#pragma GCC ivdep
  for (Index k = 0; k < hidden; ++k) {
    const T i = Gate::value(gi[k] + bi[k]), f = Gate::value(gf[k] + bf[k]);
    const T g = State::value(gg[k] + bg[k]), o = Gate::value(go[k] + bo[k]);
    const T c = f * before[k] + i * g;
    gi[k] = i, gf[k] = f, gg[k] = g, go[k] = o;
    cell[k] = c;
    y[k] = o * State::value(c);
  }
}

template <class State, class Gate, class T>
void lstmBackward(Index hidden, const T* gates, const T* before, const T* cell, const T* gradient, const T* carried,
                  T* cellGradient, T* sums) {
  const T *gi = gates, *gf = gi + hidden, *gg = gf + hidden, *go = gg + hidden;
  T *si = sums, *sf = si + hidden, *sg = sf + hidden, *so = sg + hidden;
#pragma GCC ivdep
  for (Index k = 0; k < hidden; ++k) {
    const T i = gi[k], f = gf[k], g = gg[k], o = go[k];
    const T s = State::value(cell[k]), dy = gradient[k] + carried[k];
    const T dc = cellGradient[k] + dy * o * State::slope(s);
    so[k] = dy * s * Gate::slope(o);
    si[k] = dc * g * Gate::slope(i);
    sg[k] = dc * i * State::slope(g);
    sf[k] = dc * before[k] * Gate::slope(f);
    cellGradient[k] = dc * f;
  }
}

template <class T, class State>
LstmKernels<T> lstmFor(GateActivation gate) {
  if (gate == GateActivation::hardSigmoid)
    return {lstmForward<State, GateHardSigmoid, T>, lstmBackward<State, GateHardSigmoid, T>};
  return {lstmForward<State, Sigmoid, T>, lstmBackward<State, Sigmoid, T>};
}

}  // namespace

template <class T>
LstmKernels<T> lstmKernels(StateActivation state, GateActivation gate) {
  switch (state) {
    case StateActivation::softsign:
      return lstmFor<T, StateSoftsign>(gate);
    case StateActivation::relu:
      return lstmFor<T, StateRelu>(gate);
    default:
      return lstmFor<T, Tanh>(gate);
  }
}

template LstmKernels<float> lstmKernels(StateActivation, GateActivation);
template LstmKernels<double> lstmKernels(StateActivation, GateActivation);

}  // namespace dl::cpu::DLARRAY_ARCH
