// The table of gate kernels that simd/recurrent.cpp fills for every level of the processor.
#pragma once

#include <cstdint>

#include "cpu/types.hpp"

namespace dl::cpu {

enum class StateActivation : std::uint8_t { tanh, softsign, relu };
enum class GateActivation : std::uint8_t { sigmoid, hardSigmoid };

/// What one step of an LSTM does to one observation; every pointer holds `hidden` numbers, `gates` four times as many in the order i f g o.
template <class T>
struct LstmKernels {
  /// gates: from sums of products to activations; cell = f before + i g, y = o state(cell).
  void (*forward)(Index hidden, T* gates, const T* bias, const T* before, T* cell, T* y);
  /// The derivatives by the sums, from those by y (`gradient`, plus `carried` from the next step) and by the cell, which
  /// becomes that by the cell before.
  void (*backward)(Index hidden, const T* gates, const T* before, const T* cell, const T* gradient, const T* carried, T* cellGradient,
                   T* sums);
};

/// The same for a GRU whose reset gate is applied after the product; gates are three: r z k.
template <class T>
struct GruKernels {
  /// gates: from sums of products to activations; `recurrent`, for the candidate, gets its bias; y = (1 - z) k + z before.
  void (*forward)(Index hidden, T* gates, T* recurrent, const T* bias, const T* recurrentBias, const T* before, T* y);
  /// The derivatives by the sums and by the products with the state, from those by y (`gradient`, plus `carried` from the next step, which
  /// becomes what reaches the state before without a product).
  void (*backward)(Index hidden, const T* gates, const T* recurrent, const T* before, const T* gradient, T* carried, T* sums,
                   T* recurrentSums);
};

/// The same with the reset gate before the product, in two parts: the product of `gated`, reset times state, comes in between.
template <class T>
struct ResetFirstKernels {
  /// gates: the first two from sums of products to activations; gated = reset before.
  void (*reset)(Index hidden, T* gates, const T* bias, const T* before, T* gated);
  /// The candidate from its sum to its activation; y.
  void (*finish)(Index hidden, T* gates, const T* bias, const T* before, T* y);
  /// The derivatives by the sums of update and candidate; `carried` becomes what reaches the state before through the update gate.
  void (*backward)(Index hidden, const T* gates, const T* before, const T* gradient, T* carried, T* sums);
  /// That by the sum of the reset gate, from the derivative by `gated`; adds to `carried` what reaches the state before through that.
  void (*backwardReset)(Index hidden, const T* gates, const T* before, const T* gatedGradient, T* carried, T* sums);
};

namespace v2 {
template <class T>
LstmKernels<T> lstmKernels(StateActivation state, GateActivation gate);
template <class T>
GruKernels<T> gruKernels(StateActivation state, GateActivation gate);
template <class T>
ResetFirstKernels<T> resetFirstKernels(StateActivation state, GateActivation gate);
}
namespace v3 {
template <class T>
LstmKernels<T> lstmKernels(StateActivation state, GateActivation gate);
template <class T>
GruKernels<T> gruKernels(StateActivation state, GateActivation gate);
template <class T>
ResetFirstKernels<T> resetFirstKernels(StateActivation state, GateActivation gate);
}
namespace v4 {
template <class T>
LstmKernels<T> lstmKernels(StateActivation state, GateActivation gate);
template <class T>
GruKernels<T> gruKernels(StateActivation state, GateActivation gate);
template <class T>
ResetFirstKernels<T> resetFirstKernels(StateActivation state, GateActivation gate);
}

}  // namespace dl::cpu
