#include "engine/fit.hpp"
#include "nn/recurrent.hpp"

#include <dlarray/nn/recurrent.hpp>
#include <dlarray/ops/elementwise.hpp>
#include <dlarray/ops/linalg.hpp>
#include <dlarray/ops/shape.hpp>

namespace dl {

namespace {

enum class ResetGate { afterMultiplication, beforeMultiplication, recurrentBias };

ResetGate resetGateOf(std::string_view mode, const std::source_location& where) {
  if (mode == "after-multiplication") return ResetGate::afterMultiplication;
  if (mode == "before-multiplication") return ResetGate::beforeMultiplication;
  if (mode == "recurrent-bias-after-multiplication") return ResetGate::recurrentBias;
  fail(where, "gru:resetGateMode",
       "gru: .resetGateMode = \"{}\"; it is \"after-multiplication\", \"before-multiplication\" or "
       "\"recurrent-bias-after-multiplication\"",
       mode);
}

// One step: the state from that before and from the products of the input weights with the data.
struct Step {
  ResetGate mode;
  Activations act;
  Index hidden;
  DlArray r, recurrentBias;  // the latter only for ResetGate::recurrentBias

  DlArray rows(const DlArray& x, Index first, Index count) const {
    return x(span(first * hidden, (first + count) * hidden - 1), all);
  }

  DlArray operator()(const DlArray& x, const DlArray& h) const {
    if (mode == ResetGate::beforeMultiplication) {
      const DlArray gates = act.gateValue(rows(x, 0, 2) + rows(r, 0, 2) * h);
      const DlArray candidate = act.stateValue(rows(x, 2, 1) + rows(r, 2, 1) * (rows(gates, 0, 1) % h));
      return mixed(candidate, h, rows(gates, 1, 1));
    }
    const DlArray sums = mode == ResetGate::recurrentBias ? r * h + recurrentBias : r * h;
    const DlArray gates = act.gateValue(rows(x, 0, 2) + rows(sums, 0, 2));
    const DlArray candidate = act.stateValue(rows(x, 2, 1) + rows(gates, 0, 1) % rows(sums, 2, 1));
    return mixed(candidate, h, rows(gates, 1, 1));
  }
  static DlArray mixed(const DlArray& candidate, const DlArray& h, const DlArray& update) {
    return candidate + update % (h - candidate);
  }
};

}  // namespace

std::tuple<DlArray, DlArray> detail::gruWithState(const Operand& X, const Operand& H0, const Operand& weights,
                                                  const Operand& recurrentWeights, const Operand& bias,
                                                  const GruOptions& options) {
  const ResetGate mode = resetGateOf(options.resetGateMode, X.where());
  const Activations act(options.stateActivationFunction, options.gateActivationFunction, "gru", X.where());
  Sequence data(X, options.dataFormat, "gru");
  const Type type = commonType({&X, &H0, &weights, &recurrentWeights, &bias});
  const Index h = hiddenOf(recurrentWeights, 3, -1, "gru"), biases = mode == ResetGate::recurrentBias ? 6 * h : 3 * h;
  const DlArray w = matrixOf(weights, 3 * h, data.features, type, "gru", "the weight matrix");
  const DlArray b = biasOf(bias, biases, type, "gru");
  Step step{mode, act, h, matrixOf(recurrentWeights, 3 * h, h, type, "gru", "the recurrent weight matrix"), DlArray()};
  if (mode == ResetGate::recurrentBias) step.recurrentBias = b(span(3 * h, 6 * h - 1), all);
  DlArray state = initialState(H0, data, h, type, "gru", "the hidden state");

  const DlArray products =
      engine::reshapeTo(w * data.take(type, X.where()) + b(span(0, 3 * h - 1), all), stepsShape(3 * h, data.batch, data.steps));
  std::vector<DlArray> y;
  for (Index t = 0; t < data.steps; ++t) {
    state = step(products(all, all, t), state);
    y.push_back(state);
  }
  const DlArray every = y.empty() ? engine::filled({Size{h, data.batch, 0}, {}}, type) : cat(2, y);
  return {data.everyStep(every), data.state(state)};
}

DlArray gru(Operand X, Operand H0, Operand weights, Operand recurrentWeights, Operand bias, const GruOptions& options) {
  return std::get<0>(detail::gruWithState(X, H0, weights, recurrentWeights, bias, options));
}

}  // namespace dl
