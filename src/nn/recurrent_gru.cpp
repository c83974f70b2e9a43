#include "cpu/blas.hpp"
#include "engine/fit.hpp"
#include "nn/recurrent.hpp"

#include <dlarray/nn/recurrent.hpp>
#include <dlarray/ops/elementwise.hpp>
#include <dlarray/ops/linalg.hpp>
#include <dlarray/ops/reduction.hpp>
#include <dlarray/ops/shape.hpp>

#include <algorithm>

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

// All steps at once. The last two inputs are memory that it fills: the activations of the gates, and the products of the state
// with the weights of the candidate, or the state times the reset gate where that comes first; the gradient reads them. There is
// no recurrent bias then.
struct Gru {
  static constexpr const char* name = "gru";
  enum { X, H0, W, R, Bias, RecurrentBias, Gates, Candidates };
  static constexpr unsigned kept = 0xFFU | engine::keptResult;
  cpu::RecurrentPlan plan;
  bool resetFirst;

  engine::Result infer(const engine::Inputs& in) const {
    return {stepsShape(plan.hidden, plan.batch, plan.steps), Storage::of(in[X]).type};
  }
  void run(const engine::Inputs& in, DlArray& y) const {
    if (Storage::of(y).type == Type::Single)
      forward<float>(in, y);
    else
      forward<double>(in, y);
  }
  void gradient(engine::Backward& b) const {
    if (b.recorded())
      resetFirst ? recordedAdjointResetFirst(b) : recordedAdjoint(b);
    else if (Storage::of(b.gradient()).type == Type::Single)
      adjoint<float>(b);
    else
      adjoint<double>(b);
  }

 private:
  template <class T>
  void forward(const engine::Inputs& in, DlArray& y) const {
    const auto data = [&](int i) { return Storage::data<T>(in[i]); };
    T *gates = Storage::mutableData<T>(in[Gates]), *candidates = Storage::mutableData<T>(in[Candidates]);
    const Index rows = 3 * plan.hidden, page = plan.hidden * plan.batch, features = size(in[X], 0),
                together = stepsTogether(plan, rows);
    const bool keeps = size(in[Candidates], 2) == plan.steps;
    const DlArray room = Storage::make({Size::matrix(cpu::gruRoom<T>(plan), 1), {}}, typeOf<T>);
    const T* h = data(H0);
    for (Index t = 0; t < plan.steps; t += together) {
      cpu::RecurrentPlan part = plan;
      part.steps = std::min(together, plan.steps - t);
      T *partGates = gates + (keeps ? t * 3 * page : 0), *partCandidates = candidates + (keeps ? t * page : 0);
      T* to = Storage::mutableData<T>(y) + t * page;
      cpu::gemm<T>(false, false, rows, plan.batch * part.steps, features, 1, data(W), data(X) + t * plan.batch * features, 0,
                   partGates);
      if (resetFirst)
        cpu::resetFirstForward<T>(part, data(R), data(Bias), h, partGates, partCandidates, to, Storage::mutableData<T>(room));
      else
        cpu::gruForward<T>(part, data(R), data(Bias), data(RecurrentBias), h, partGates, partCandidates, to,
                           Storage::mutableData<T>(room));
      h = to + (part.steps - 1) * page;
    }
  }
  template <class T>
  void adjoint(engine::Backward& b) const;
  void recordedAdjoint(engine::Backward& b) const;
  void recordedAdjointResetFirst(engine::Backward& b) const;
};

template <class T>
void Gru::adjoint(engine::Backward& b) const {
  const auto data = [&](int i) { return Storage::data<T>(b.input(i)); };
  const Index rows = 3 * plan.hidden, columns = plan.batch * plan.steps, features = size(b.input(X), 0);
  const auto make = [](Index m, Index n) { return Storage::make({Size::matrix(m, n), {}}, typeOf<T>); };
  const auto raw = [](const DlArray& x) { return Storage::mutableData<T>(x); };
  const T* y = Storage::data<T>(b.result());
  // With the reset gate first all sums come from one product each.
  DlArray sums = make(rows, columns), recurrentSums = resetFirst ? sums : make(rows, columns), dh = make(plan.hidden, plan.batch);
  const DlArray room = make(cpu::gruRoom<T>(plan), 1);
  if (resetFirst)
    cpu::resetFirstBackward<T>(plan, data(R), data(H0), y, data(Gates), Storage::data<T>(b.gradient()), raw(sums),
                               raw(make(plan.hidden, plan.batch)), raw(dh), raw(room));
  else
    cpu::gruBackward<T>(plan, data(R), data(H0), y, data(Gates), data(Candidates), Storage::data<T>(b.gradient()), raw(sums),
                        raw(recurrentSums), raw(dh), raw(room));
  if (b.needs(X)) {
    DlArray dx = make(features, columns);
    cpu::gemm<T>(true, false, features, columns, rows, 1, data(W), raw(sums), 0, raw(dx));
    b.add(X, std::move(dx));
  }
  if (b.needs(W)) {
    DlArray dw = make(rows, features);
    cpu::gemm<T>(false, true, rows, features, columns, 1, raw(sums), data(X), 0, raw(dw));
    b.add(W, std::move(dw));
  }
  if (b.needs(R)) {
    if (resetFirst) {
      DlArray dr = make(rows, plan.hidden);
      cpu::resetFirstWeights<T>(plan, raw(sums), data(H0), y, data(Candidates), raw(dr));
      b.add(R, std::move(dr));
    } else {
      b.add(R, timesStatesBefore<T>(recurrentSums, b.input(H0), b.result(), plan, false));
    }
  }
  if (b.needs(Bias)) b.add(Bias, engine::sumTo(sums, {Size::matrix(rows, 1), {}}));
  if (b.needs(RecurrentBias)) b.add(RecurrentBias, engine::sumTo(recurrentSums, {Size::matrix(rows, 1), {}}));
  b.add(H0, std::move(dh));
}

// The same in operations, so that it can be differentiated: the gates anew, all steps at once, then back step by step.
void Gru::recordedAdjoint(engine::Backward& b) const {
  const Activations act(plan.state, plan.gate);
  const Index h = plan.hidden, n = plan.batch, last = plan.steps - 1;
  const DlArray g = b.gradient(), y = b.result(), x = b.input(X), w = b.input(W), r = b.input(R);
  const DlArray before = statesBefore(b.input(H0), y, plan);
  const DlArray input = w * x + b.input(Bias), recurrent = r * before + b.input(RecurrentBias);
  const auto rows = [&](const DlArray& from, Index k) { return from(span(k * h, (k + 1) * h - 1), all); };
  const DlArray reset = act.gateValue(rows(input, 0) + rows(recurrent, 0)),
                update = act.gateValue(rows(input, 1) + rows(recurrent, 1));
  const DlArray products = rows(recurrent, 2), candidate = act.stateValue(rows(input, 2) + reset % products);
  // What dh is multiplied by on its way to each sum, all steps at once.
  const DlArray toCandidate = (1 - update) % act.stateSlope(candidate), toReset = toCandidate % products % act.gateSlope(reset),
                toUpdate = (before - candidate) % act.gateSlope(update), toProducts = toCandidate % reset;
  std::vector<DlArray> steps(static_cast<std::size_t>(plan.steps)), recurrentSteps(steps.size());
  DlArray dh;
  for (Index t = last; t >= 0; --t) {
    const auto at = [&](const DlArray& from) { return from(all, span(t * n, (t + 1) * n - 1)); };
    const auto k = static_cast<std::size_t>(t);
    const DlArray dy = t == last ? g(all, all, t) : g(all, all, t) + dh;
    const DlArray dr = dy % at(toReset), dz = dy % at(toUpdate);
    steps[k] = vertcat(dr, dz, dy % at(toCandidate));
    recurrentSteps[k] = vertcat(dr, dz, dy % at(toProducts));
    dh = dy % at(update) + product(r, true, recurrentSteps[k], false);
  }
  const DlArray sums = horzcat(steps), recurrentSums = horzcat(recurrentSteps);
  if (b.needs(X)) b.add(X, product(w, true, sums, false));
  if (b.needs(W)) b.add(W, product(sums, false, x, true));
  if (b.needs(R)) b.add(R, product(recurrentSums, false, before, true));
  if (b.needs(Bias)) b.add(Bias, sum(sums, 1));
  if (b.needs(RecurrentBias)) b.add(RecurrentBias, sum(recurrentSums, 1));
  b.add(H0, std::move(dh));
}

void Gru::recordedAdjointResetFirst(engine::Backward& b) const {
  const Activations act(plan.state, plan.gate);
  const Index h = plan.hidden, n = plan.batch, last = plan.steps - 1;
  const DlArray g = b.gradient(), x = b.input(X), w = b.input(W), r = b.input(R);
  const DlArray before = statesBefore(b.input(H0), b.result(), plan);
  const DlArray forGates = r(span(0, 2 * h - 1), all), forCandidate = r(span(2 * h, 3 * h - 1), all);
  const DlArray input = w * x + b.input(Bias);
  const DlArray gates = act.gateValue(input(span(0, 2 * h - 1), all) + forGates * before);
  const DlArray reset = gates(span(0, h - 1), all), update = gates(span(h, 2 * h - 1), all), gated = reset % before;
  const DlArray candidate = act.stateValue(input(span(2 * h, 3 * h - 1), all) + forCandidate * gated);
  // What the derivatives by the state and by `gated` are multiplied by on their way to the sums, all steps at once.
  const DlArray toCandidate = (1 - update) % act.stateSlope(candidate), toUpdate = (before - candidate) % act.gateSlope(update),
                toReset = before % act.gateSlope(reset);
  std::vector<DlArray> steps(static_cast<std::size_t>(plan.steps));
  DlArray dh;
  for (Index t = last; t >= 0; --t) {
    const auto at = [&](const DlArray& from) { return from(all, span(t * n, (t + 1) * n - 1)); };
    const DlArray dy = t == last ? g(all, all, t) : g(all, all, t) + dh;
    const DlArray dk = dy % at(toCandidate), dGated = product(forCandidate, true, dk, false);
    const DlArray dGates = vertcat(dGated % at(toReset), dy % at(toUpdate));
    steps[static_cast<std::size_t>(t)] = vertcat(dGates, dk);
    dh = dy % at(update) + dGated % at(reset) + product(forGates, true, dGates, false);
  }
  const DlArray sums = horzcat(steps);
  if (b.needs(X)) b.add(X, product(w, true, sums, false));
  if (b.needs(W)) b.add(W, product(sums, false, x, true));
  if (b.needs(R))
    b.add(R, vertcat(product(sums(span(0, 2 * h - 1), all), false, before, true),
                     product(sums(span(2 * h, 3 * h - 1), all), false, gated, true)));
  if (b.needs(Bias)) b.add(Bias, sum(sums, 1));
  b.add(H0, std::move(dh));
}

}  // namespace

template <int n>
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
  const DlArray r = matrixOf(recurrentWeights, 3 * h, h, type, "gru", "the recurrent weight matrix");
  const DlArray h0 = initialState(H0, data, h, type, "gru", "the hidden state"), x = data.take(type, X.where());
  if (data.steps == 0) return {data.everyStep(engine::filled({Size{h, data.batch, 0}, {}}, type)), data.state(h0)};

  const bool both = mode == ResetGate::recurrentBias;
  const DlArray inner = both ? DlArray(b(span(3 * h, 6 * h - 1), all)) : engine::filled({Size::matrix(3 * h, 1), {}}, type);
  const Gru op{{h, data.batch, data.steps, act.state, act.gate}, mode == ResetGate::beforeMultiplication};
  std::vector<DlArray> inputs{x, h0, w, r, both ? DlArray(b(span(0, 3 * h - 1), all)) : b, inner};
  const DlArray gates = stepsRoom(op.plan, 3 * h, 3 * h, type, inputs), candidates = stepsRoom(op.plan, h, 3 * h, type, inputs);
  inputs.insert(inputs.end(), {gates, candidates});
  const DlArray y = engine::applyToList(op, inputs, X.where());
  return {data.everyStep(y), data.state(y(all, all, data.steps - 1))};
}
template std::tuple<DlArray, DlArray> detail::gruWithState<2>(const Operand& X, const Operand& H0, const Operand& weights,
                                                              const Operand& recurrentWeights, const Operand& bias,
                                                              const GruOptions& options);

DlArray gru(Operand X, Operand H0, Operand weights, Operand recurrentWeights, Operand bias, const GruOptions& options) {
  return std::get<0>(detail::gruWithState<2>(X, H0, weights, recurrentWeights, bias, options));
}

}  // namespace dl
