#pragma once
#include <dlarray/array.hpp>
#include <tuple>

// Recurrent functions: what they remember of earlier steps they pass on as a state. Data is labelled C, B, T (B and T may be missing: one
// observation, one step); S dimensions are flattened into C at each step. Sequences of different length are padded to one length; nothing
// is masked, as in MATLAB: pad at the start, or read Y at each sequence's own last step.
namespace dl {

/// Options of `lstm` and `lstmp`.
struct LstmOptions {
  std::string_view dataFormat = {};                       // labels of X when it has none, such as "CBT"
  std::string_view stateActivationFunction = "tanh";      // or "softsign", "relu"
  std::string_view gateActivationFunction = "sigmoid";    // or "hard-sigmoid"
};

/// Options of `gru`.
struct GruOptions {
  std::string_view dataFormat = {};                       // labels of X when it has none, such as "CBT"
  std::string_view resetGateMode = "after-multiplication";  // or "before-multiplication", "recurrent-bias-after-multiplication"
  std::string_view stateActivationFunction = "tanh";      // or "softsign", "relu"
  std::string_view gateActivationFunction = "sigmoid";    // or "hard-sigmoid"
};

/// Long short-term memory: with [i; f; g; o] = weights x(t) + recurrentWeights h(t-1) + bias, i, f, o through the gate's activation and g
/// through the state's, c(t) = f c(t-1) + i g and h(t) = o state(c(t)). X is C x B x T, H0 and C0 are hidden x B or hidden x 1 (for all
/// observations), weights 4 hidden x C, recurrentWeights 4 hidden x hidden, bias 4 hidden x 1. Y is hidden(C) x B x T, every h(t);
/// `lstm<3>` gives the last h and c too, hidden(C) x B, or hidden x B when X is unlabelled. Throws when sizes or labels do not fit.
/// (MATLAB: lstm; Hochreiter and Schmidhuber 1997)
DlArray lstm(Operand X, Operand H0, Operand C0, Operand weights, Operand recurrentWeights, Operand bias, const LstmOptions& options = {});

/// Projected LSTM: `lstm` with weights * inputProjector' for the weights and recurrentWeights * outputProjector' for the recurrent ones.
/// weights are 4 hidden x p, recurrentWeights 4 hidden x q, inputProjector C x p, outputProjector hidden x q; all else as in `lstm`, and
/// `lstmp<3>` gives the states too. (MATLAB: lstmProjectedLayer)
DlArray lstmp(Operand X, Operand H0, Operand C0, Operand weights, Operand recurrentWeights, Operand bias, Operand inputProjector,
              Operand outputProjector, const LstmOptions& options = {});

/// Gated recurrent unit: with reset r, update z and candidate k (rows in this order), h(t) = (1 - z) k + z h(t-1). X is C x B x T, H0
/// hidden x B or hidden x 1, weights 3 hidden x C, recurrentWeights 3 hidden x hidden, bias 3 hidden x 1, or 6 hidden x 1 (input biases
/// first) for the reset gate "recurrent-bias-after-multiplication", which is that of PyTorch and cuDNN. Y is hidden(C) x B x T; `gru<2>`
/// gives the last h too, as `lstm`. Throws when sizes or labels do not fit. (MATLAB: gru; Cho et al. 2014)
DlArray gru(Operand X, Operand H0, Operand weights, Operand recurrentWeights, Operand bias, const GruOptions& options = {});

namespace detail {
template <int n>
std::tuple<DlArray, DlArray, DlArray> lstmWithStates(const Operand& X, const Operand& H0, const Operand& C0, const Operand& weights,
                                                     const Operand& recurrentWeights, const Operand& bias, const LstmOptions& options);
template <int n>
std::tuple<DlArray, DlArray, DlArray> lstmpWithStates(const Operand& X, const Operand& H0, const Operand& C0, const Operand& weights,
                                                      const Operand& recurrentWeights, const Operand& bias, const Operand& inputProjector,
                                                      const Operand& outputProjector, const LstmOptions& options);
template <int n>
std::tuple<DlArray, DlArray> gruWithState(const Operand& X, const Operand& H0, const Operand& weights, const Operand& recurrentWeights,
                                          const Operand& bias, const GruOptions& options);
template <int n, class All>
auto firstOutputs(All all) {
  if constexpr (n == 3)
    return all;
  else
    return std::tuple(std::move(std::get<0>(all)), std::move(std::get<1>(all)));
}
}  // namespace detail
template <int n>
  requires(n == 2 || n == 3)
auto lstm(Operand X, Operand H0, Operand C0, Operand weights, Operand recurrentWeights, Operand bias, const LstmOptions& options = {}) {
  return detail::firstOutputs<n>(detail::lstmWithStates<n>(X, H0, C0, weights, recurrentWeights, bias, options));
}
template <int n>
  requires(n == 2 || n == 3)
auto lstmp(Operand X, Operand H0, Operand C0, Operand weights, Operand recurrentWeights, Operand bias, Operand inputProjector,
           Operand outputProjector, const LstmOptions& options = {}) {
  return detail::firstOutputs<n>(
      detail::lstmpWithStates<n>(X, H0, C0, weights, recurrentWeights, bias, inputProjector, outputProjector, options));
}
template <int n>
  requires(n == 2)
auto gru(Operand X, Operand H0, Operand weights, Operand recurrentWeights, Operand bias, const GruOptions& options = {}) {
  return detail::gruWithState<n>(X, H0, weights, recurrentWeights, bias, options);
}

}  // namespace dl
