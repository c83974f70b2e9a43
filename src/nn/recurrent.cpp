#include "nn/recurrent.hpp"

#include "cpu/blas.hpp"
#include "engine/fit.hpp"
#include "engine/symbol.hpp"
#include "formulas/recurrent.hpp"

#include <dlarray/nn/recurrent.hpp>
#include <dlarray/ops/elementwise.hpp>
#include <dlarray/ops/linalg.hpp>
#include <dlarray/ops/reduction.hpp>
#include <dlarray/ops/shape.hpp>

#include <algorithm>

namespace dl {

using engine::Backward;
using engine::Inputs;
using engine::Result;
using std::source_location;

// ---- what recurrent functions share ----------------------------------------------------------------------------------

Shape stepsShape(Index rows, Index columns, Index steps) {
  Shape shape{Size{rows, columns, steps}, {}};
  dropTrailing(shape);
  return shape;
}

Index stepsTogether(const cpu::RecurrentPlan& plan, Index rows) {
  constexpr Index numbers = Index{1} << 19;
  return std::clamp<Index>(numbers / std::max<Index>(1, rows * plan.batch), 1, plan.steps);
}

DlArray stepsRoom(const cpu::RecurrentPlan& plan, Index rows, Index gateRows, Type type, const std::vector<DlArray>& inputs) {
  const bool traced = std::any_of(inputs.begin(), inputs.end(), Storage::traced);
  return Storage::make(stepsShape(rows, plan.batch, traced ? plan.steps : stepsTogether(plan, gateRows)), type);
}

DlArray product(const DlArray& a, bool transA, const DlArray& b, bool transB) {
  return pagemtimes(a, transA ? "transpose" : "none", b, transB ? "transpose" : "none");
}

DlArray statesBefore(const DlArray& h0, const DlArray& y, const cpu::RecurrentPlan& plan) {
  const DlArray before = plan.steps > 1 ? cat(2, {h0, y(all, all, span(0, plan.steps - 2))}) : h0;
  return reshape(before, plan.hidden, -1);
}

template <class T>
DlArray timesStatesBefore(const DlArray& d, const DlArray& h0, const DlArray& y, const cpu::RecurrentPlan& plan,
                          bool transposed) {
  const Index h = plan.hidden, n = size(d, 0), first = plan.batch, later = plan.batch * (plan.steps - 1);
  const DlArray result = Storage::make({transposed ? Size::matrix(h, n) : Size::matrix(n, h), {}}, typeOf<T>);
  T* to = Storage::mutableData<T>(result);
  const auto add = [&](const T* states, const T* by, Index columns, T old) {
    if (transposed)
      cpu::gemm<T>(false, true, h, n, columns, 1, states, by, old, to);
    else
      cpu::gemm<T>(false, true, n, h, columns, 1, by, states, old, to);
  };
  add(Storage::data<T>(y), Storage::data<T>(d) + n * first, later, 0);
  add(Storage::data<T>(h0), Storage::data<T>(d), first, 1);
  return result;
}
template DlArray timesStatesBefore<float>(const DlArray&, const DlArray&, const DlArray&, const cpu::RecurrentPlan&, bool);
template DlArray timesStatesBefore<double>(const DlArray&, const DlArray&, const DlArray&, const cpu::RecurrentPlan&, bool);

Sequence::Sequence(const Operand& x, std::string_view dataFormat, const char* function)
    : data_(x, dataFormat, function), labelled_(dataFormat.empty()) {
  const Shape& shape = data_.shape();
  if (sizeOf(shape, dimensionsWith(shape, "U")) != 1)
    fail(x.where(), "recurrent:labels", "{}: the data is {}; it may have the labels S, C, B and T", function, toString(shape));
  features = sizeOf(shape, dimensionsWith(shape, "SC"));
  batch = sizeOf(shape, dimensionsWith(shape, "B"));
  steps = sizeOf(shape, dimensionsWith(shape, "T"));
  hasBatch_ = dimensionsWith(shape, "B") != 0;
  hasSteps_ = dimensionsWith(shape, "T") != 0;
}

DlArray Sequence::take(Type type, const source_location& where) {
  const DlArray flat = engine::reshapeTo(data_.take(where), {Size::matrix(features, batch * steps), {}});
  return engine::castTo(Operand(flat, where), type);
}

DlArray Sequence::everyStep(const DlArray& y) const {
  Shape shape{Size{size(y, 0)}, Format::of({Format::C})};
  if (hasBatch_) {
    shape.format.set(shape.size.size(), Format::B);
    shape.size.push_back(batch);
  }
  if (hasSteps_) {
    shape.format.set(shape.size.size(), Format::T);
    shape.size.push_back(steps);
  }
  if (shape.size.size() == 1) {
    shape.format.set(1, Format::U);
    shape.size.push_back(1);
  }
  return data_.result(engine::reshapeTo(y, shape));
}

DlArray Sequence::state(const DlArray& h) const {
  if (!labelled_) return h;
  return engine::reshapeTo(h, {Size::matrix(size(h, 0), batch), Format::of({Format::C, hasBatch_ ? Format::B : Format::U})});
}

DlArray initialState(const Operand& state, const Sequence& data, Index hidden, Type type, const char* function,
                     const char* what) {
  const Shape& own = Storage::shape(state);
  bool fits =
      own.size[0] == hidden && (own.size[1] == data.batch || own.size[1] == 1) && numel(state) == own.size[0] * own.size[1];
  for (std::size_t d = 0; d < own.size.size(); ++d)
    if (own.format.labelled() && own.size[d] != 1 && own.format[d] != (d == 0 ? Format::C : Format::B)) fits = false;
  if (!fits)
    fail(state.where(), "recurrent:state",
         "{}: {} is {}; for {} hidden units and {} observations it must be {}(C) x {}(B), or {} x 1 for all", function, what,
         describe(state), hidden, data.batch, hidden, data.batch, hidden);
  const DlArray plain =
      engine::castTo(Operand(engine::reshapeTo(state, {Size::matrix(own.size[0], own.size[1]), {}}), state.where()), type);
  return engine::expandTo(plain, {Size::matrix(hidden, data.batch), {}});
}

DlArray matrixOf(const Operand& weights, Index rows, Index columns, Type type, const char* function, const char* what) {
  const Size& own = Storage::of(weights).size;
  if (!(own == Size::matrix(rows, columns)))
    fail(weights.where(), "recurrent:weights", "{}: {} is {}, it must be {} x {}", function, what, describe(weights), rows,
         columns);
  return engine::castTo(Operand(engine::reshapeTo(weights, {own, {}}), weights.where()), type);
}

DlArray biasOf(const Operand& bias, Index rows, Type type, const char* function) {
  if (!isvector(bias) || numel(bias) != rows)
    fail(bias.where(), "recurrent:bias", "{}: the bias is {}, it must be {} x 1", function, describe(bias), rows);
  return engine::castTo(Operand(engine::reshapeTo(bias, {Size::matrix(rows, 1), {}}), bias.where()), type);
}

Index hiddenOf(const Operand& recurrentWeights, Index gates, Index columns, const char* function) {
  const Size& own = Storage::of(recurrentWeights).size;
  const Index hidden = own[0] / gates;
  if (own.size() != 2 || own[0] != gates * hidden || hidden == 0 || (columns < 0 && own[1] != hidden))
    fail(recurrentWeights.where(), "recurrent:weights",
         "{}: the recurrent weight matrix is {}; for n hidden units it must be {} n x {}", function, describe(recurrentWeights),
         gates, columns < 0 ? "n" : "the columns of the output projector");
  return hidden;
}

Type commonType(std::initializer_list<const Operand*> inputs) {
  for (const Operand* x : inputs)
    if (Storage::of(x->get()).type == Type::Single) return Type::Single;
  return Type::Double;
}

Activations::Activations(std::string_view s, std::string_view g, const char* function, const source_location& where) {
  if (s == "tanh")
    state = cpu::StateActivation::tanh;
  else if (s == "softsign")
    state = cpu::StateActivation::softsign;
  else if (s == "relu")
    state = cpu::StateActivation::relu;
  else
    fail(where, "recurrent:activation", "{}: .stateActivationFunction = \"{}\"; it is \"tanh\", \"softsign\" or \"relu\"",
         function, s);
  if (g == "sigmoid")
    gate = cpu::GateActivation::sigmoid;
  else if (g == "hard-sigmoid")
    gate = cpu::GateActivation::hardSigmoid;
  else
    fail(where, "recurrent:activation", "{}: .gateActivationFunction = \"{}\"; it is \"sigmoid\" or \"hard-sigmoid\"", function,
         g);
}

namespace {
template <class F>
DlArray valueOf(const DlArray& x) {
  return F::value(formula::Symbol(x)).array;
}
template <class F>
DlArray slopeOf(const DlArray& y) {
  return F::slope(formula::Symbol(y)).array;
}
}  // namespace

DlArray Activations::stateValue(const DlArray& x) const {
  return state == cpu::StateActivation::tanh   ? valueOf<formula::StateTanh>(x)
         : state == cpu::StateActivation::relu ? valueOf<formula::StateRelu>(x)
                                               : valueOf<formula::StateSoftsign>(x);
}
DlArray Activations::stateSlope(const DlArray& y) const {
  return state == cpu::StateActivation::tanh   ? slopeOf<formula::StateTanh>(y)
         : state == cpu::StateActivation::relu ? slopeOf<formula::StateRelu>(y)
                                               : slopeOf<formula::StateSoftsign>(y);
}
DlArray Activations::gateValue(const DlArray& x) const {
  return gate == cpu::GateActivation::sigmoid ? valueOf<formula::GateSigmoid>(x) : valueOf<formula::GateHardSigmoid>(x);
}
DlArray Activations::gateSlope(const DlArray& y) const {
  return gate == cpu::GateActivation::sigmoid ? slopeOf<formula::GateSigmoid>(y) : slopeOf<formula::GateHardSigmoid>(y);
}

// ---- lstm ------------------------------------------------------------------------------------------------------------

namespace {

// All steps at once. The result holds h of every step and, where asked for, behind them c of the last. The last two inputs are
// memory that it fills: the activations of the gates and the cells of every step, which the gradient reads; of fewer where there
// will be none. With a projector the recurrent weights meet the projected states, for which there is memory too.
struct Lstm {
  static constexpr const char* name = "lstm";
  enum { X, H0, C0, W, R, Bias, Gates, Cells, Projector, States };
  static constexpr unsigned kept = 0x3FFU | engine::keptResult;
  cpu::RecurrentPlan plan;
  bool withCell;

  Result infer(const Inputs& in) const {
    return {stepsShape(plan.hidden, plan.batch, plan.steps + (withCell ? 1 : 0)), Storage::of(in[X]).type};
  }
  void run(const Inputs& in, DlArray& y) const {
    if (Storage::of(y).type == Type::Single)
      forward<float>(in, y);
    else
      forward<double>(in, y);
  }
  void gradient(Backward& b) const {
    if (b.recorded())
      recordedAdjoint(b);
    else if (Storage::of(b.gradient()).type == Type::Single)
      adjoint<float>(b);
    else
      adjoint<double>(b);
  }

 private:
  Index page() const { return plan.hidden * plan.batch; }
  template <class T>
  void forward(const Inputs& in, DlArray& y) const;
  template <class T>
  void adjoint(Backward& b) const;
  void recordedAdjoint(Backward& b) const;
};

template <class T>
DlArray roomFor(const cpu::RecurrentPlan& plan) {
  return Storage::make({Size::matrix(cpu::lstmRoom<T>(plan), 1), {}}, typeOf<T>);
}

template <class T>
void Lstm::forward(const Inputs& in, DlArray& y) const {
  const auto data = [&](int i) { return Storage::data<T>(in[i]); };
  T *gates = Storage::mutableData<T>(in[Gates]), *cells = Storage::mutableData<T>(in[Cells]), *to = Storage::mutableData<T>(y);
  T* states = plan.projected ? Storage::mutableData<T>(in[States]) : nullptr;
  const T* projector = plan.projected ? data(Projector) : nullptr;
  const Index rows = 4 * plan.hidden, features = size(in[X], 0), together = stepsTogether(plan, rows);
  const bool keeps = size(in[Cells], 2) == plan.steps;
  const DlArray room = roomFor<T>(plan);
  const T *h = data(H0), *c = data(C0);
  for (Index t = 0; t < plan.steps; t += together) {
    cpu::RecurrentPlan part = plan;
    part.steps = std::min(together, plan.steps - t);
    const Index past = keeps ? t * plan.batch : 0;
    T *partGates = gates + past * rows, *partCells = cells + past * plan.hidden;
    T* partStates = states ? states + past * plan.projected : nullptr;
    cpu::gemm<T>(false, false, rows, plan.batch * part.steps, features, 1, data(W), data(X) + t * plan.batch * features, 0,
                 partGates);
    cpu::lstmForward<T>(part, data(R), projector, data(Bias), h, c, partGates, partCells, partStates, to + t * page(),
                        Storage::mutableData<T>(room));
    h = to + (t + part.steps - 1) * page();
    c = partCells + (part.steps - 1) * page();
  }
  if (withCell) std::copy_n(c, page(), to + plan.steps * page());
}

template <class T>
void Lstm::adjoint(Backward& b) const {
  const auto data = [&](int i) { return Storage::data<T>(b.input(i)); };
  const Index rows = 4 * plan.hidden, columns = plan.batch * plan.steps, features = size(b.input(X), 0);
  const auto make = [](Index m, Index n) { return Storage::make({Size::matrix(m, n), {}}, typeOf<T>); };
  const auto raw = [](const DlArray& x) { return Storage::mutableData<T>(x); };
  const T* g = Storage::data<T>(b.gradient());
  DlArray sums = make(rows, columns), dh = make(plan.hidden, plan.batch), dc = make(plan.hidden, plan.batch);
  if (withCell)
    std::copy_n(g + plan.steps * page(), page(), raw(dc));
  else
    std::fill_n(raw(dc), page(), T(0));
  const DlArray room = roomFor<T>(plan), dStates = make(plan.projected, columns);
  const bool projected = plan.projected > 0;
  cpu::lstmBackward<T>(plan, data(R), projected ? data(Projector) : nullptr, data(C0), data(Gates), data(Cells), g, raw(dc),
                       raw(sums), raw(dStates), raw(dh), raw(room));
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
  if (b.needs(R) && projected) {
    DlArray dr = make(rows, plan.projected);
    cpu::gemm<T>(false, true, rows, plan.projected, columns, 1, raw(sums), data(States), 0, raw(dr));
    b.add(R, std::move(dr));
  } else if (b.needs(R)) {
    b.add(R, timesStatesBefore<T>(sums, b.input(H0), b.result(), plan, false));
  }
  if (projected && b.needs(Projector)) b.add(Projector, timesStatesBefore<T>(dStates, b.input(H0), b.result(), plan, true));
  if (b.needs(Bias)) b.add(Bias, engine::sumTo(sums, {Size::matrix(rows, 1), {}}));
  b.add(H0, std::move(dh));
  b.add(C0, std::move(dc));
}

// The same in operations, so that it can be differentiated: the gates anew, all steps in one product, then back step by step.
void Lstm::recordedAdjoint(Backward& b) const {
  const Activations act(plan.state, plan.gate);
  const Index h = plan.hidden, last = plan.steps - 1;
  const DlArray g = b.gradient(), x = b.input(X), w = b.input(W), r = b.input(R);
  const DlArray before = statesBefore(b.input(H0), b.result(), plan);
  const bool projected = plan.projected > 0;
  const DlArray met = projected ? product(b.input(Projector), true, before, false) : before;
  const DlArray z = reshape(w * x + r * met + b.input(Bias), Size{4 * h, plan.batch, plan.steps});
  struct Step {
    DlArray i, f, g, o, before, state;
  };
  std::vector<Step> steps;
  DlArray c = b.input(C0);
  for (Index t = 0; t <= last; ++t) {
    const auto gate = [&](Index k) { return z(span(k * h, (k + 1) * h - 1), all, t); };
    Step s{act.gateValue(gate(0)), act.gateValue(gate(1)), act.stateValue(gate(2)), act.gateValue(gate(3)), c, DlArray()};
    c = s.f % c + s.i % s.g;
    s.state = act.stateValue(c);
    steps.push_back(std::move(s));
  }
  DlArray dh, dc = withCell ? DlArray(g(all, all, plan.steps)) : engine::filled(Storage::shape(c), Storage::of(c).type);
  std::vector<DlArray> sums(steps.size()), dStates(projected ? steps.size() : 0);
  for (Index t = last; t >= 0; --t) {
    const Step& s = steps[static_cast<std::size_t>(t)];
    const DlArray dy = t == last ? g(all, all, t) : g(all, all, t) + dh;
    dc = dc + dy % s.o % act.stateSlope(s.state);
    sums[static_cast<std::size_t>(t)] = vertcat(dc % s.g % act.gateSlope(s.i), dc % s.before % act.gateSlope(s.f),
                                                dc % s.i % act.stateSlope(s.g), dy % s.state % act.gateSlope(s.o));
    dc = dc % s.f;
    dh = product(r, true, sums[static_cast<std::size_t>(t)], false);
    if (projected) {
      dStates[static_cast<std::size_t>(t)] = dh;
      dh = b.input(Projector) * dh;
    }
  }
  const DlArray all4 = horzcat(sums);
  if (b.needs(X)) b.add(X, product(w, true, all4, false));
  if (b.needs(W)) b.add(W, product(all4, false, x, true));
  if (b.needs(R)) b.add(R, product(all4, false, met, true));
  if (projected && b.needs(Projector)) b.add(Projector, product(before, false, horzcat(dStates), true));
  if (b.needs(Bias)) b.add(Bias, sum(all4, 1));
  b.add(H0, std::move(dh));
  b.add(C0, std::move(dc));
}

struct LstmInputs {
  const Operand &x, &h0, &c0, &w, &r, &bias;
};

// Y, and with states h and c of the last step. `features` of the data are what the weights meet: with a projector not the data
// itself.
std::tuple<DlArray, DlArray, DlArray> run(const char* function, const LstmInputs& in, const Operand* inputProjector,
                                          const Operand* outputProjector, const LstmOptions& options, bool states) {
  const source_location& where = in.x.where();
  const Activations act(options.stateActivationFunction, options.gateActivationFunction, function, where);
  Sequence data(in.x, options.dataFormat, function);
  Type type = commonType({&in.x, &in.h0, &in.c0, &in.w, &in.r, &in.bias});
  if (inputProjector) type = type == Type::Single ? type : commonType({inputProjector, outputProjector});
  const Index h = hiddenOf(in.r, 4, outputProjector ? size(*outputProjector, 1) : -1, function);
  const Index columns = inputProjector ? size(*inputProjector, 1) : data.features;
  DlArray w = matrixOf(in.w, 4 * h, columns, type, function, "the weight matrix");
  DlArray r =
      matrixOf(in.r, 4 * h, outputProjector ? size(*outputProjector, 1) : h, type, function, "the recurrent weight matrix");
  const DlArray bias = biasOf(in.bias, 4 * h, type, function);
  const DlArray h0 = initialState(in.h0, data, h, type, function, "the hidden state"),
                c0 = initialState(in.c0, data, h, type, function, "the cell state");
  DlArray x, out;
  Index projected = 0;
  if (inputProjector) {
    const DlArray in1 = matrixOf(*inputProjector, data.features, columns, type, function, "the input projector");
    out = matrixOf(*outputProjector, h, size(r, 1), type, function, "the output projector");
    x = product(in1, true, data.take(type, where), false);
    // Two products a step, 5 hidden projected, instead of one of 4 hidden hidden: where that is more, one matrix is made of both.
    if (5 * size(r, 1) < 4 * h)
      projected = size(r, 1);
    else
      r = product(r, false, out, true);
  } else {
    x = data.take(type, where);
  }
  if (data.steps == 0)
    return {data.everyStep(engine::filled({Size{h, data.batch, 0}, {}}, type)), data.state(h0), data.state(c0)};

  const Index n = data.steps;
  const Lstm op{{h, data.batch, n, act.state, act.gate, projected}, states};
  std::vector<DlArray> inputs{x, h0, c0, w, r, bias};
  std::vector<DlArray> from = inputs;
  if (projected) from.push_back(out);
  for (const Index rows : {4 * h, h}) inputs.push_back(stepsRoom(op.plan, rows, 4 * h, type, from));
  if (projected) inputs.insert(inputs.end(), {out, stepsRoom(op.plan, projected, 4 * h, type, from)});
  const DlArray y = engine::applyToList(op, inputs, where);
  if (!states) return {data.everyStep(y), DlArray(), DlArray()};
  return {data.everyStep(y(all, all, span(0, n - 1))), data.state(y(all, all, n - 1)), data.state(y(all, all, n))};
}

}  // namespace

DlArray lstm(Operand X, Operand H0, Operand C0, Operand weights, Operand recurrentWeights, Operand bias,
             const LstmOptions& options) {
  return std::get<0>(run("lstm", {X, H0, C0, weights, recurrentWeights, bias}, nullptr, nullptr, options, false));
}
DlArray lstmp(Operand X, Operand H0, Operand C0, Operand weights, Operand recurrentWeights, Operand bias, Operand inputProjector,
              Operand outputProjector, const LstmOptions& options) {
  return std::get<0>(
      run("lstmp", {X, H0, C0, weights, recurrentWeights, bias}, &inputProjector, &outputProjector, options, false));
}
template <int n>
std::tuple<DlArray, DlArray, DlArray> detail::lstmWithStates(const Operand& X, const Operand& H0, const Operand& C0,
                                                             const Operand& weights, const Operand& recurrentWeights,
                                                             const Operand& bias, const LstmOptions& options) {
  return run("lstm", {X, H0, C0, weights, recurrentWeights, bias}, nullptr, nullptr, options, true);
}
template std::tuple<DlArray, DlArray, DlArray> detail::lstmWithStates<3>(const Operand& X, const Operand& H0, const Operand& C0,
                                                                         const Operand& weights, const Operand& recurrentWeights,
                                                                         const Operand& bias, const LstmOptions& options);
template std::tuple<DlArray, DlArray, DlArray> detail::lstmWithStates<2>(const Operand& X, const Operand& H0, const Operand& C0,
                                                                         const Operand& weights, const Operand& recurrentWeights,
                                                                         const Operand& bias, const LstmOptions& options);
template <int n>
std::tuple<DlArray, DlArray, DlArray> detail::lstmpWithStates(const Operand& X, const Operand& H0, const Operand& C0,
                                                              const Operand& weights, const Operand& recurrentWeights,
                                                              const Operand& bias, const Operand& inputProjector,
                                                              const Operand& outputProjector, const LstmOptions& options) {
  return run("lstmp", {X, H0, C0, weights, recurrentWeights, bias}, &inputProjector, &outputProjector, options, true);
}
template std::tuple<DlArray, DlArray, DlArray> detail::lstmpWithStates<3>(const Operand& X, const Operand& H0, const Operand& C0,
                                                                          const Operand& weights, const Operand& recurrentWeights,
                                                                          const Operand& bias, const Operand& inputProjector,
                                                                          const Operand& outputProjector,
                                                                          const LstmOptions& options);
template std::tuple<DlArray, DlArray, DlArray> detail::lstmpWithStates<2>(const Operand& X, const Operand& H0, const Operand& C0,
                                                                          const Operand& weights, const Operand& recurrentWeights,
                                                                          const Operand& bias, const Operand& inputProjector,
                                                                          const Operand& outputProjector,
                                                                          const LstmOptions& options);

}  // namespace dl
