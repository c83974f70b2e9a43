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

template <class State, class Gate, class T>
void gruForward(Index hidden, T* gates, T* recurrent, const T* bias, const T* recurrentBias, const T* before, T* y) {
  T *gr = gates, *gz = gr + hidden, *gk = gz + hidden;
  const T *br = bias, *bz = br + hidden, *bk = bz + hidden;
  const T *rr = recurrentBias, *rz = rr + hidden, *rk = rz + hidden;
#pragma GCC ivdep
  for (Index i = 0; i < hidden; ++i) {
    const T r = Gate::value(gr[i] + br[i] + rr[i]), z = Gate::value(gz[i] + bz[i] + rz[i]);
    const T product = recurrent[i] + rk[i], k = State::value(gk[i] + bk[i] + r * product);
    recurrent[i] = product;
    gr[i] = r, gz[i] = z, gk[i] = k;
    y[i] = k + z * (before[i] - k);
  }
}

template <class State, class Gate, class T>
void gruBackward(Index hidden, const T* gates, const T* recurrent, const T* before, const T* gradient, T* carried, T* sums,
                 T* recurrentSums) {
  const T *gr = gates, *gz = gr + hidden, *gk = gz + hidden;
  T *sr = sums, *sz = sr + hidden, *sk = sz + hidden;
  T *rr = recurrentSums, *rz = rr + hidden, *rk = rz + hidden;
#pragma GCC ivdep
  for (Index i = 0; i < hidden; ++i) {
    const T r = gr[i], z = gz[i], k = gk[i], dy = gradient[i] + carried[i];
    const T dk = dy * (T(1) - z) * State::slope(k), dr = dk * recurrent[i] * Gate::slope(r),
            dz = dy * (before[i] - k) * Gate::slope(z);
    sr[i] = rr[i] = dr;
    sz[i] = rz[i] = dz;
    sk[i] = dk;
    rk[i] = dk * r;
    carried[i] = dy * z;
  }
}

template <class Gate, class T>
void resetFirstReset(Index hidden, T* gates, const T* bias, const T* before, T* gated) {
  T *gr = gates, *gz = gr + hidden;
  const T *br = bias, *bz = br + hidden;
#pragma GCC ivdep
  for (Index i = 0; i < hidden; ++i) {
    const T r = Gate::value(gr[i] + br[i]);
    gz[i] = Gate::value(gz[i] + bz[i]);
    gr[i] = r;
    gated[i] = r * before[i];
  }
}

template <class State, class T>
void resetFirstFinish(Index hidden, T* gates, const T* bias, const T* before, T* y) {
  T *gz = gates + hidden, *gk = gz + hidden;
  const T* bk = bias + 2 * hidden;
#pragma GCC ivdep
  for (Index i = 0; i < hidden; ++i) {
    const T k = State::value(gk[i] + bk[i]);
    gk[i] = k;
    y[i] = k + gz[i] * (before[i] - k);
  }
}

template <class State, class Gate, class T>
void resetFirstBackward(Index hidden, const T* gates, const T* before, const T* gradient, T* carried, T* sums) {
  const T *gz = gates + hidden, *gk = gz + hidden;
  T *sz = sums + hidden, *sk = sz + hidden;
#pragma GCC ivdep
  for (Index i = 0; i < hidden; ++i) {
    const T z = gz[i], k = gk[i], dy = gradient[i] + carried[i];
    sk[i] = dy * (T(1) - z) * State::slope(k);
    sz[i] = dy * (before[i] - k) * Gate::slope(z);
    carried[i] = dy * z;
  }
}

template <class Gate, class T>
void resetFirstBackwardReset(Index hidden, const T* gates, const T* before, const T* gatedGradient, T* carried, T* sums) {
#pragma GCC ivdep
  for (Index i = 0; i < hidden; ++i) {
    const T r = gates[i], d = gatedGradient[i];
    sums[i] = d * before[i] * Gate::slope(r);
    carried[i] += d * r;
  }
}

template <class T>
struct Kernels {
  LstmKernels<T> lstm;
  GruKernels<T> gru;
  ResetFirstKernels<T> resetFirst;
};

template <class T, class State, class Gate>
constexpr Kernels<T> kernelsFor() {
  return {{lstmForward<State, Gate, T>, lstmBackward<State, Gate, T>},
          {gruForward<State, Gate, T>, gruBackward<State, Gate, T>},
          {resetFirstReset<Gate, T>, resetFirstFinish<State, T>, resetFirstBackward<State, Gate, T>,
           resetFirstBackwardReset<Gate, T>}};
}

template <class T>
Kernels<T> kernels(StateActivation state, GateActivation gate) {
  const bool hard = gate == GateActivation::hardSigmoid;
  switch (state) {
    case StateActivation::softsign:
      return hard ? kernelsFor<T, StateSoftsign, GateHardSigmoid>() : kernelsFor<T, StateSoftsign, Sigmoid>();
    case StateActivation::relu:
      return hard ? kernelsFor<T, StateRelu, GateHardSigmoid>() : kernelsFor<T, StateRelu, Sigmoid>();
    default:
      return hard ? kernelsFor<T, Tanh, GateHardSigmoid>() : kernelsFor<T, Tanh, Sigmoid>();
  }
}

}  // namespace

template <class T>
LstmKernels<T> lstmKernels(StateActivation state, GateActivation gate) {
  return kernels<T>(state, gate).lstm;
}
template <class T>
GruKernels<T> gruKernels(StateActivation state, GateActivation gate) {
  return kernels<T>(state, gate).gru;
}

template <class T>
ResetFirstKernels<T> resetFirstKernels(StateActivation state, GateActivation gate) {
  return kernels<T>(state, gate).resetFirst;
}

template LstmKernels<float> lstmKernels(StateActivation, GateActivation);
template LstmKernels<double> lstmKernels(StateActivation, GateActivation);
template GruKernels<float> gruKernels(StateActivation, GateActivation);
template GruKernels<double> gruKernels(StateActivation, GateActivation);
template ResetFirstKernels<float> resetFirstKernels(StateActivation, GateActivation);
template ResetFirstKernels<double> resetFirstKernels(StateActivation, GateActivation);

}  // namespace dl::cpu::DLARRAY_ARCH
