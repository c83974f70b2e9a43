#include <dlarray/layers/recurrent.hpp>

#include "engine/fit.hpp"
#include "layers/learnable.hpp"
#include "layers/registry.hpp"

#include <dlarray/nn/recurrent.hpp>
#include <dlarray/ops/creation.hpp>
#include <dlarray/ops/linalg.hpp>
#include <dlarray/ops/shape.hpp>

namespace dl {

namespace {

using namespace layers;

const std::source_location noPlace;

struct Kind {
  const char *type, *function, *stem;
  Index gates;
  bool cell, both = false, projected = false;  // a cell state; both directions; projectors
  const char* bias;                            // its initialiser

  Index directions() const { return both ? 2 : 1; }
};
constexpr Kind lstmKind{"LstmLayer", "lstmLayer", "lstm", 4, true, false, false, "unit-forget-gate"};
constexpr Kind bilstmKind{"BilstmLayer", "bilstmLayer", "biLSTM", 4, true, true, false, "unit-forget-gate"};
constexpr Kind gruKind{"GruLayer", "gruLayer", "gru", 3, false, false, false, "zeros"};
constexpr Kind lstmProjectedKind{"LstmProjectedLayer", "lstmProjectedLayer", "lstmprojected", 4, true, false, true,
                                 "unit-forget-gate"};
constexpr Kind gruProjectedKind{"GruProjectedLayer", "gruProjectedLayer", "gruprojected", 3, false, false, true, "zeros"};

// What one pass over the data gives: every step, and the states of the last one where they were asked for.
struct Pass {
  DlArray Y, hidden, cell;
};

struct RecurrentLayer final : Layer {
  const Kind* kind;
  Index numHiddenUnits = 1, outputProjectorSize = 1, inputProjectorSize = 1, inputSize = 0;
  std::string outputMode = "sequence", resetGateMode = "after-multiplication", stateActivationFunction = "tanh",
              gateActivationFunction = "sigmoid";
  bool hasStateInputs = false, hasStateOutputs = false;
  DlArray hiddenState, cellState;
  LearnableOptions inputWeights{.initializer = "glorot"}, recurrentWeights{.initializer = "orthogonal"},
      inputProjector{.initializer = "orthogonal"}, outputProjector{.initializer = "orthogonal"}, bias;

  explicit RecurrentLayer(const Kind& k) : kind(&k), bias{.initializer = k.bias, .l2 = 0} {}
  std::string type() const override { return kind->type; }
  std::string stem() const override { return kind->stem; }
  std::vector<std::string> inputNames() const override { return ports("in", hasStateInputs); }
  std::vector<std::string> outputNames() const override { return ports("out", hasStateOutputs); }

  void initialize(Parameters& p, const std::vector<DataLayout>& layouts) const override;
  std::vector<DlArray> predict(const std::vector<DlArray>& X, const Parameters& p) const override {
    return evaluate(X, p, nullptr);
  }
  std::vector<DlArray> forward(const std::vector<DlArray>& X, const Parameters& p, Parameters& newState) const override {
    return evaluate(X, p, &newState);
  }
  std::vector<DlArray> predictAndUpdate(const std::vector<DlArray>& X, const Parameters& p, Parameters& newState) const override {
    return evaluate(X, p, &newState);
  }
  void resetState(Parameters& p) const override;
  void options(OptionVisitor& visit) override;

  template <class Options>
  void take(const Options& o, Index hidden, const std::source_location& where);
  template <class Options>
  void takeProjectors(const Options& o, Index output, Index input, const std::source_location& where);

 private:
  std::vector<std::string> ports(const char* data, bool states) const {
    if (!states) return {data};
    return kind->cell ? std::vector<std::string>{data, "hidden", "cell"} : std::vector<std::string>{data, "hidden"};
  }
  Index states() const { return numHiddenUnits * kind->directions(); }
  Index rows() const { return kind->gates * states(); }
  Index biasRows() const { return kind->cell || resetGateMode != "recurrent-bias-after-multiplication" ? rows() : 2 * rows(); }

  void checkData(const Shape& data, Index wanted, const char* whose) const;
  DlArray start(const DlArray& given, const Parameters& p) const;
  std::vector<DlArray> evaluate(const std::vector<DlArray>& X, const Parameters& p, Parameters* newState) const;
  Pass run(const DlArray& x, const DlArray& h, const DlArray& c, const Parameters& p, bool states) const;
  Pass runBoth(const DlArray& x, const DlArray& h, const DlArray& c, const Parameters& p, bool states) const;
  Pass runLstm(const DlArray& x, const DlArray& h, const DlArray& c, const DlArray& w, const DlArray& r, const DlArray& b,
               bool states) const;
};

// The numbers of one step of one observation.
Index featuresOf(const Shape& data) {
  Index features = 1;
  for (std::size_t d = 0; d < data.size.size(); ++d)
    if (data.format[d] == Format::S || data.format[d] == Format::C) features *= data.size[d];
  return features;
}

// h of the last step, or of the first, of all of them.
DlArray stepOf(const DlArray& Y, bool last) {
  const Shape& shape = Storage::shape(Y);
  if (countOf(shape, Format::T) == 0) return Y;
  const Index rows = sizeAlong(shape, Format::C), batch = sizeAlong(shape, Format::B), steps = sizeAlong(shape, Format::T);
  const DlArray flat = engine::reshapeTo(Y, {Size::matrix(rows * batch, steps), {}});
  const Format::Label second = countOf(shape, Format::B) ? Format::B : Format::U;
  return engine::reshapeTo(flat(all, last ? steps - 1 : 0), {Size::matrix(rows, batch), Format::of({Format::C, second})});
}

void RecurrentLayer::checkData(const Shape& data, Index wanted, const char* whose) const {
  for (std::size_t d = 0; d < data.size.size(); ++d)
    if (data.format[d] == Format::U && data.size[d] != 1)
      fail(noPlace, "layer:data", "{}: the input is {}; it may have the labels S, C, B and T", called(*this), toString(data));
  channelsOf(*this, data);
  if (const Index features = featuresOf(data); features != wanted)
    fail(noPlace, "layer:channels", "{}: a step of the input has {} number{}, {} {}: {}", called(*this), features,
         features == 1 ? "" : "s", whose, wanted, toString(data));
}

// Zeros are of the weights' type, so that they do not make single numbers of double ones.
DlArray RecurrentLayer::start(const DlArray& given, const Parameters& p) const {
  const Parameters::Entry* weights = p.find("InputWeights");
  if (isempty(given))
    return zeros(Size{states(), 1}, weights && underlyingType(weights->value) == Type::Double ? Type::Double : Type::Single);
  if (size(given, 0) != states() && numel(given) != states())
    fail(noPlace, "layer:state", "{}: an initial state is {}; it must be {} x 1, or {} x B", called(*this), describe(given),
         states(), states());
  return reshape(stripdims(given), states(), -1);
}

void RecurrentLayer::initialize(Parameters& p, const std::vector<DataLayout>& layouts) const {
  const std::vector<Shape> data = shapesOf(*this, layouts, inputNames().size());
  const Index features = featuresOf(data[0]);
  checkData(data[0], inputSize != 0 ? inputSize : features, ".inputSize is");
  const Index in = kind->projected ? inputProjectorSize : features, out = kind->projected ? outputProjectorSize : numHiddenUnits;
  inputWeights.declare(*this, p, "InputWeights", {rows(), in}, {in, rows()});
  recurrentWeights.declare(*this, p, "RecurrentWeights", {rows(), out}, {out, rows()});
  if (kind->projected) {
    inputProjector.declare(*this, p, "InputProjector", {features, in}, {features, in});
    outputProjector.declare(*this, p, "OutputProjector", {numHiddenUnits, out}, {numHiddenUnits, out});
  }
  // The rows of one direction: where the forget gates of two lie.
  bias.declare(*this, p, "Bias", {biasRows(), 1}, {1, kind->gates * numHiddenUnits});
  checkData(data[0], size(p[kind->projected ? "InputProjector" : "InputWeights"], kind->projected ? 0 : 1),
            "the weights are for");
  if (hasStateInputs) return;
  p.state("HiddenState", start(hiddenState, p));
  if (kind->cell) p.state("CellState", start(cellState, p));
}

void RecurrentLayer::resetState(Parameters& p) const {
  if (hasStateInputs) return;
  const auto set = [&](const char* state, DlArray value) {
    if (Parameters::Entry* known = p.find(state))
      known->value = std::move(value);
    else
      p.state(state, std::move(value));
  };
  set("HiddenState", start(hiddenState, p));
  if (kind->cell) set("CellState", start(cellState, p));
}

std::vector<DlArray> RecurrentLayer::evaluate(const std::vector<DlArray>& X, const Parameters& p, Parameters* newState) const {
  checkInputs(*this, X.size(), hasStateInputs ? (kind->cell ? 3 : 2) : 1);
  const Shape& data = Storage::shape(X[0]);
  checkData(data, size(p[kind->projected ? "InputProjector" : "InputWeights"], kind->projected ? 0 : 1), "the weights are for");
  const Index batch = sizeAlong(data, Format::B);
  const auto state = [&](std::size_t port, const char* which) {
    const DlArray& s = hasStateInputs ? X[port] : p[which];
    if (const Index found = size(s, 1); found != batch && found != 1)
      fail(noPlace, "layer:state", "{}: {} is {}, but the input has {} observation{}: {}; {}", called(*this),
           hasStateInputs ? (port == 1 ? "the input \"hidden\"" : "the input \"cell\"") : which, describe(s), batch,
           batch == 1 ? "" : "s", toString(data),
           hasStateInputs ? "states must have as many columns as there are observations, or one"
                          : "call resetState before data of another number of observations");
    return hasStateInputs ? s : statePreciseAs(X[0], p["RecurrentWeights"], s);
  };
  const DlArray h = state(1, "HiddenState"), c = kind->cell ? state(2, "CellState") : h;
  const bool last = outputMode == "last", noSteps = last && numel(X[0]) == 0;
  return inside(*this, [&] {
    Pass pass = run(X[0], h, c, p, hasStateOutputs || noSteps || (newState && !hasStateInputs));
    if (newState && !hasStateInputs) {
      const Shape plain{Size::matrix(states(), batch), {}};
      newState->state("HiddenState", constantOf(pass.hidden, plain));
      if (kind->cell) newState->state("CellState", constantOf(pass.cell, plain));
    }
    // In both directions, h of the last step is that of each one's own last step.
    std::vector<DlArray> outputs;
    if (!last)
      outputs.push_back(std::move(pass.Y));
    else if (numel(pass.hidden) > 0)
      outputs.push_back(pass.hidden);
    else if (kind->both)
      outputs.push_back(cat(
          "C", {stepOf(pass.Y, true)(span(0, numHiddenUnits - 1), all), stepOf(pass.Y, false)(span(numHiddenUnits, end), all)}));
    else
      outputs.push_back(stepOf(pass.Y, true));
    if (hasStateOutputs) {
      outputs.push_back(std::move(pass.hidden));
      if (kind->cell) outputs.push_back(std::move(pass.cell));
    }
    return outputs;
  });
}

Pass RecurrentLayer::runLstm(const DlArray& x, const DlArray& h, const DlArray& c, const DlArray& w, const DlArray& r,
                             const DlArray& b, bool states) const {
  const LstmOptions options{.stateActivationFunction = stateActivationFunction, .gateActivationFunction = gateActivationFunction};
  if (!states) return {lstm(x, h, c, w, r, b, options), DlArray(), DlArray()};
  auto [Y, hidden, cell] = lstm<3>(x, h, c, w, r, b, options);
  return {std::move(Y), std::move(hidden), std::move(cell)};
}

Pass RecurrentLayer::runBoth(const DlArray& x, const DlArray& h, const DlArray& c, const Parameters& p, bool states) const {
  const bool time = countOf(Storage::shape(x), Format::T) != 0;
  const auto half = [&](const DlArray& all2, Index n, bool second) {
    return all2(span(second ? n : 0, (second ? 2 * n : n) - 1), all);
  };
  const auto direction = [&](bool back) {
    const Index n = numHiddenUnits, gates = 4 * n;
    return runLstm(back && time ? flip(x, "T") : x, half(h, n, back), half(c, n, back), half(p["InputWeights"], gates, back),
                   half(p["RecurrentWeights"], gates, back), half(p["Bias"], gates, back), states);
  };
  Pass forth = direction(false), back = direction(true);
  Pass both{cat("C", {forth.Y, time ? flip(back.Y, "T") : back.Y}), DlArray(), DlArray()};
  if (states) {
    both.hidden = cat("C", {forth.hidden, back.hidden});
    both.cell = cat("C", {forth.cell, back.cell});
  }
  return both;
}

Pass RecurrentLayer::run(const DlArray& x, const DlArray& h, const DlArray& c, const Parameters& p, bool states) const {
  if (kind->both) return runBoth(x, h, c, p, states);
  const DlArray &w = p["InputWeights"], &r = p["RecurrentWeights"], &b = p["Bias"];
  if (kind->cell && !kind->projected) return runLstm(x, h, c, w, r, b, states);
  if (kind->cell) {
    const LstmOptions options{.stateActivationFunction = stateActivationFunction,
                              .gateActivationFunction = gateActivationFunction};
    const DlArray &in = p["InputProjector"], &out = p["OutputProjector"];
    if (!states) return {lstmp(x, h, c, w, r, b, in, out, options), DlArray(), DlArray()};
    auto [Y, hidden, cell] = lstmp<3>(x, h, c, w, r, b, in, out, options);
    return {std::move(Y), std::move(hidden), std::move(cell)};
  }
  const GruOptions options{.resetGateMode = resetGateMode,
                           .stateActivationFunction = stateActivationFunction,
                           .gateActivationFunction = gateActivationFunction};
  const auto with = [&](const DlArray& weights, const DlArray& recurrent) -> Pass {
    if (!states) return {gru(x, h, weights, recurrent, b, options), DlArray(), DlArray()};
    auto [Y, hidden] = gru<2>(x, h, weights, recurrent, b, options);
    return {std::move(Y), std::move(hidden), DlArray()};
  };
  if (!kind->projected) return with(w, r);
  return with(pagemtimes(w, "none", p["InputProjector"], "transpose"), pagemtimes(r, "none", p["OutputProjector"], "transpose"));
}

void RecurrentLayer::options(OptionVisitor& visit) {
  visit("numHiddenUnits", numHiddenUnits);
  if (kind->projected) {
    visit("outputProjectorSize", outputProjectorSize);
    visit("inputProjectorSize", inputProjectorSize);
  }
  visit("outputMode", outputMode);
  visit("hasStateInputs", hasStateInputs);
  visit("hasStateOutputs", hasStateOutputs);
  if (!kind->cell) visit("resetGateMode", resetGateMode);
  visit("stateActivationFunction", stateActivationFunction);
  visit("gateActivationFunction", gateActivationFunction);
  visit("inputSize", inputSize);
  if (kind->cell) visit("cellState", cellState);
  visit("hiddenState", hiddenState);
  inputWeights.show(visit, "inputWeights");
  recurrentWeights.show(visit, "recurrentWeights");
  if (kind->projected) {
    inputProjector.show(visit, "inputProjector");
    outputProjector.show(visit, "outputProjector");
  }
  bias.show(visit, "bias");
}

template <class Options>
void RecurrentLayer::take(const Options& o, Index hidden, const std::source_location& where) {
  name = o.name;
  numHiddenUnits = hidden;
  outputMode = o.outputMode;
  hasStateInputs = o.hasStateInputs;
  hasStateOutputs = o.hasStateOutputs;
  stateActivationFunction = o.stateActivationFunction;
  gateActivationFunction = o.gateActivationFunction;
  inputSize = o.inputSize;
  hiddenState = o.hiddenState;
  inputWeights = {o.inputWeightsInitializer, o.inputWeights, o.inputWeightsLearnRateFactor, o.inputWeightsL2Factor};
  recurrentWeights = {o.recurrentWeightsInitializer, o.recurrentWeights, o.recurrentWeightsLearnRateFactor,
                      o.recurrentWeightsL2Factor};
  bias = {o.biasInitializer, o.bias, o.biasLearnRateFactor, o.biasL2Factor};
  if constexpr (requires { o.cellState; }) cellState = o.cellState;
  if constexpr (requires { o.resetGateMode; }) {
    resetGateMode = o.resetGateMode;
    checkWord(resetGateMode, {"after-multiplication", "before-multiplication", "recurrent-bias-after-multiplication"},
              kind->function, "resetGateMode", where);
  }
  checkNumber(hidden, 1, kind->function, "number of hidden units", where);
  checkNumber(inputSize, 0, kind->function, "input size", where);
  checkWord(outputMode, {"sequence", "last"}, kind->function, "outputMode", where);
  checkWord(stateActivationFunction, {"tanh", "softsign", "relu"}, kind->function, "stateActivationFunction", where);
  checkWord(gateActivationFunction, {"sigmoid", "hard-sigmoid"}, kind->function, "gateActivationFunction", where);
  if (hasStateInputs && (!isempty(hiddenState) || !isempty(cellState)))
    fail(where, "layer:state",
         "{}: with .hasStateInputs the states come in with the data; leave .hiddenState and .cellState empty", kind->function);
  for (const DlArray* state : {&hiddenState, &cellState})
    if (!isempty(*state) && size(*state, 0) != states() && numel(*state) != states())
      fail(where, "layer:state", "{}: an initial state is {}; it must be {} x 1, or {} x B", kind->function, describe(*state),
           states(), states());
  for (const LearnableOptions* learnable : {&inputWeights, &recurrentWeights, &bias}) learnable->check(kind->function, where);
}

template <class Options>
void RecurrentLayer::takeProjectors(const Options& o, Index output, Index input, const std::source_location& where) {
  outputProjectorSize = output;
  inputProjectorSize = input;
  inputProjector = {o.inputProjectorInitializer, o.inputProjector, o.inputProjectorLearnRateFactor, o.inputProjectorL2Factor};
  outputProjector = {o.outputProjectorInitializer, o.outputProjector, o.outputProjectorLearnRateFactor,
                     o.outputProjectorL2Factor};
  checkNumber(output, 1, kind->function, "size of the output projector", where);
  checkNumber(input, 1, kind->function, "size of the input projector", where);
  inputProjector.check(kind->function, where);
  outputProjector.check(kind->function, where);
}

template <class Options>
AnyLayer recurrentLayer(const Kind& kind, Index hidden, const Options& options, const std::source_location& where) {
  RecurrentLayer layer(kind);
  layer.take(options, hidden, where);
  return layer;
}
template <class Options>
AnyLayer projectedLayer(const Kind& kind, Index hidden, Index output, Index input, const Options& options,
                        const std::source_location& where) {
  RecurrentLayer layer(kind);
  layer.take(options, hidden, where);
  layer.takeProjectors(options, output, input, where);
  return layer;
}

}  // namespace

AnyLayer lstmLayer(Index numHiddenUnits, const LstmLayerOptions& options, std::source_location where) {
  return recurrentLayer(lstmKind, numHiddenUnits, options, where);
}
AnyLayer bilstmLayer(Index numHiddenUnits, const BilstmLayerOptions& options, std::source_location where) {
  return recurrentLayer(bilstmKind, numHiddenUnits, options, where);
}
AnyLayer gruLayer(Index numHiddenUnits, const GruLayerOptions& options, std::source_location where) {
  return recurrentLayer(gruKind, numHiddenUnits, options, where);
}
AnyLayer lstmProjectedLayer(Index numHiddenUnits, Index outputProjectorSize, Index inputProjectorSize,
                            const LstmProjectedLayerOptions& options, std::source_location where) {
  return projectedLayer(lstmProjectedKind, numHiddenUnits, outputProjectorSize, inputProjectorSize, options, where);
}
AnyLayer gruProjectedLayer(Index numHiddenUnits, Index outputProjectorSize, Index inputProjectorSize,
                           const GruProjectedLayerOptions& options, std::source_location where) {
  return projectedLayer(gruProjectedKind, numHiddenUnits, outputProjectorSize, inputProjectorSize, options, where);
}

namespace layers {

std::vector<AnyLayer> recurrentPrototypes() {
  std::vector<AnyLayer> all;
  for (const Kind* kind : {&lstmKind, &bilstmKind, &gruKind, &lstmProjectedKind, &gruProjectedKind})
    all.push_back(RecurrentLayer(*kind));
  return all;
}

}  // namespace layers

}  // namespace dl
