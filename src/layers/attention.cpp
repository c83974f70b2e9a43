#include <dlarray/layers/attention.hpp>

#include "engine/fit.hpp"
#include "layers/learnable.hpp"
#include "layers/registry.hpp"

#include <dlarray/nn/fullyconnect.hpp>
#include <dlarray/ops/creation.hpp>
#include <dlarray/ops/elementwise.hpp>
#include <dlarray/random.hpp>

#include <cmath>

namespace dl {

namespace {

using namespace layers;

const std::source_location noPlace;

// ---- attention -----------------------------------------------------------------------------------------------------------

// What both kinds of attention share.
struct AttendingLayer : Layer {
  Index numHeads = 1;
  AttentionScale scale = "auto";
  bool hasPaddingMaskInput = false, hasScoresOutput = false;
  AttentionMask attentionMask = "none";
  double dropoutProbability = 0;

  std::vector<std::string> outputNames() const override {
    return hasScoresOutput ? std::vector<std::string>{"out", "scores"} : std::vector<std::string>{"out"};
  }
  std::vector<DlArray> predict(const std::vector<DlArray>& X, const Parameters& p) const override { return evaluate(X, p, 0); }
  std::vector<DlArray> forward(const std::vector<DlArray>& X, const Parameters& p, Parameters&) const override {
    return evaluate(X, p, dropoutProbability);
  }
  virtual std::vector<DlArray> evaluate(const std::vector<DlArray>& X, const Parameters& p, double dropout) const = 0;

 protected:
  template <class Options>
  void take(Index heads, const Options& o, const char* function, const std::source_location& where) {
    name = o.name;
    numHeads = heads;
    hasPaddingMaskInput = o.hasPaddingMaskInput;
    hasScoresOutput = o.hasScoresOutput;
    attentionMask = o.attentionMask;
    dropoutProbability = o.dropoutProbability;
    checkNumber(heads, 1, function, "number of heads", where);
    checkProbability(dropoutProbability, function, where);
    if (!attentionMask.word().empty()) checkWord(attentionMask.word(), {"none", "causal"}, function, "attentionMask", where);
  }
  void show(OptionVisitor& visit) {
    visit("hasPaddingMaskInput", hasPaddingMaskInput);
    visit("hasScoresOutput", hasScoresOutput);
    visit("attentionMask", attentionMask);
    visit("dropoutProbability", dropoutProbability);
  }
  std::vector<DlArray> attend(const DlArray& q, const DlArray& k, const DlArray& v, const DlArray& mask, double dropout) const {
    const AttentionOptions options{
        .scale = scale, .paddingMask = mask, .attentionMask = attentionMask, .dropoutProbability = dropout};
    if (!hasScoresOutput) return {attention(q, k, v, numHeads, options)};
    auto [Y, scores] = attention<2>(q, k, v, numHeads, options);
    return {std::move(Y), std::move(scores)};
  }
};

// Tokens along S as if they lay along T, so that products for each token leave them apart, and back.
DlArray alongTime(const DlArray& x) {
  std::string labels = dims(x);
  labels[labels.find('S')] = 'T';
  return dlarray(stripdims(x), labels);
}
DlArray alongSpace(const DlArray& y) {
  std::string labels = dims(y);
  labels[labels.find('T')] = 'S';
  return dlarray(stripdims(y), labels);
}

struct SelfAttentionLayer final : AttendingLayer {
  Index numKeyChannels = 1, numValueChannels = 0, outputSize = 0, inputSize = 0;
  // Queries, keys, values, output.
  DlArray weights[4], biases[4];
  LearnableOptions ofWeights{.initializer = "glorot"}, ofBiases{.l2 = 0};
  static constexpr const char *weightNames[] = {"QueryWeights", "KeyWeights", "ValueWeights", "OutputWeights"},
                              *biasNames[] = {"QueryBias", "KeyBias", "ValueBias", "OutputBias"},
                              *weightOptions[] = {"queryWeights", "keyWeights", "valueWeights", "outputWeights"},
                              *biasOptions[] = {"queryBias", "keyBias", "valueBias", "outputBias"};

  std::string type() const override { return "SelfAttentionLayer"; }
  std::string stem() const override { return "selfattention"; }
  std::vector<std::string> inputNames() const override {
    return hasPaddingMaskInput ? std::vector<std::string>{"in", "mask"} : std::vector<std::string>{"in"};
  }
  Index valueChannels() const { return numValueChannels == 0 ? numKeyChannels : numValueChannels; }

  void initialize(Parameters& p, const std::vector<DataLayout>& layouts) const override {
    const Shape data = shapesOf(*this, layouts, inputNames().size())[0];
    const Index channels = channelsOf(*this, data);
    TokenDimension::of(*this, data);
    if (inputSize != 0) checkChannels(*this, data, inputSize, ".inputSize is");
    const Index rows[] = {numKeyChannels, numKeyChannels, valueChannels(), outputSize == 0 ? channels : outputSize};
    // MATLAB's order: weights, then biases.
    for (int i = 0; i < 4; ++i) {
      const Index columns = i < 3 ? channels : valueChannels();
      LearnableOptions own = ofWeights;
      own.value = weights[i];
      own.declare(*this, p, weightNames[i], {rows[i], columns}, {columns, rows[i]});
    }
    for (int i = 0; i < 4; ++i) {
      LearnableOptions own = ofBiases;
      own.value = biases[i];
      own.declare(*this, p, biasNames[i], {rows[i], 1}, {1, rows[i]});
    }
    checkChannels(*this, data, size(p["QueryWeights"], 1), "the weights are for");
  }
  std::vector<DlArray> evaluate(const std::vector<DlArray>& X, const Parameters& p, double dropout) const override {
    checkInputs(*this, X.size(), hasPaddingMaskInput ? 2 : 1);
    const Shape& data = Storage::shape(X[0]);
    checkChannels(*this, data, size(p["QueryWeights"], 1), "the weights are for");
    const bool spatial = TokenDimension::of(*this, data).spatial;
    return inside(*this, [&] {
      const DlArray x = spatial ? alongTime(X[0]) : X[0];
      DlArray mask;
      if (hasPaddingMaskInput) mask = spatial && dims(X[1]).find('S') != std::string::npos ? alongTime(X[1]) : X[1];
      const auto projected = [&](const DlArray& from, int i) { return fullyconnect(from, p[weightNames[i]], p[biasNames[i]]); };
      std::vector<DlArray> outputs = attend(projected(x, 0), projected(x, 1), projected(x, 2), mask, dropout);
      outputs[0] = projected(outputs[0], 3);
      if (spatial) outputs[0] = alongSpace(outputs[0]);
      return outputs;
    });
  }
  void options(OptionVisitor& visit) override {
    visit("numHeads", numHeads);
    visit("numKeyChannels", numKeyChannels);
    visit("numValueChannels", numValueChannels);
    visit("outputSize", outputSize);
    show(visit);
    visit("inputSize", inputSize);
    visit("weightsInitializer", ofWeights.initializer);
    visit("biasInitializer", ofBiases.initializer);
    for (int i = 0; i < 4; ++i) visit(weightOptions[i], weights[i]);
    for (int i = 0; i < 4; ++i) visit(biasOptions[i], biases[i]);
    visit("weightLearnRateFactor", ofWeights.learnRate);
    visit("biasLearnRateFactor", ofBiases.learnRate);
    visit("weightL2Factor", ofWeights.l2);
    visit("biasL2Factor", ofBiases.l2);
  }
  void take(Index heads, Index keyChannels, const SelfAttentionLayerOptions& o, const std::source_location& where);
};

void SelfAttentionLayer::take(Index heads, Index keyChannels, const SelfAttentionLayerOptions& o,
                              const std::source_location& where) {
  constexpr const char* function = "selfAttentionLayer";
  AttendingLayer::take(heads, o, function, where);
  numKeyChannels = keyChannels;
  numValueChannels = o.numValueChannels;
  outputSize = o.outputSize;
  inputSize = o.inputSize;
  checkNumber(keyChannels, 1, function, "number of key channels", where);
  checkNumber(numValueChannels, 0, function, "number of value channels", where);
  checkNumber(outputSize, 0, function, "output size", where);
  checkNumber(inputSize, 0, function, "input size", where);
  if (keyChannels % heads != 0 || valueChannels() % heads != 0)
    fail(where, "layer:heads", "{}: {} heads must divide {} key channels and {} value channels", function, heads, keyChannels,
         valueChannels());
  const DlArray *const w[] = {&o.queryWeights, &o.keyWeights, &o.valueWeights, &o.outputWeights}, *const b[] = {&o.queryBias,
                                                                                                                &o.keyBias,
                                                                                                                &o.valueBias,
                                                                                                                &o.outputBias};
  for (int i = 0; i < 4; ++i) {
    weights[i] = *w[i];
    biases[i] = *b[i];
  }
  ofWeights = {o.weightsInitializer, {}, o.weightLearnRateFactor, o.weightL2Factor};
  ofBiases = {o.biasInitializer, {}, o.biasLearnRateFactor, o.biasL2Factor};
  ofWeights.check(function, where);
  ofBiases.check(function, where);
}

struct AttentionLayer final : AttendingLayer {
  std::string type() const override { return "AttentionLayer"; }
  std::string stem() const override { return "attention"; }
  std::vector<std::string> inputNames() const override {
    std::vector<std::string> names{"query", "key", "value"};
    if (hasPaddingMaskInput) names.push_back("mask");
    return names;
  }
  void initialize(Parameters&, const std::vector<DataLayout>& layouts) const override {
    const std::vector<Shape> data = shapesOf(*this, layouts, inputNames().size());
    for (std::size_t i = 0; i < 3; ++i) {
      const Index channels = channelsOf(*this, data[i]);
      TokenDimension::of(*this, data[i]);
      if (channels % numHeads != 0)
        fail(noPlace, "layer:heads", "{}: {} heads do not divide the {} channels of {}", called(*this), numHeads, channels,
             toString(data[i]));
    }
    if (sizeAlong(data[0], Format::C) != sizeAlong(data[1], Format::C))
      fail(noPlace, "layer:channels", "{}: keys must have as many channels as queries: {} and {}", called(*this),
           toString(data[1]), toString(data[0]));
  }
  std::vector<DlArray> evaluate(const std::vector<DlArray>& X, const Parameters&, double dropout) const override {
    checkInputs(*this, X.size(), hasPaddingMaskInput ? 4 : 3);
    return inside(*this, [&] { return attend(X[0], X[1], X[2], hasPaddingMaskInput ? X[3] : DlArray(), dropout); });
  }
  void options(OptionVisitor& visit) override {
    visit("numHeads", numHeads);
    visit("scale", scale);
    show(visit);
  }
  void take(Index heads, const AttentionLayerOptions& o, const std::source_location& where) {
    AttendingLayer::take(heads, o, "attentionLayer", where);
    scale = o.scale;
    if (!scale.word().empty()) checkWord(scale.word(), {"auto"}, "attentionLayer", "scale", where);
  }
};

// ---- positions -----------------------------------------------------------------------------------------------------------

// A matrix channels x tokens as data of this shape, which has a dimension of tokens: the same for every observation.
DlArray forEachObservation(const DlArray& matrix, const TokenDimension& tokens, Shape shape) {
  for (std::size_t d = 0; d < shape.size.size(); ++d)
    if (shape.format[d] == Format::C) shape.size[d] = size(matrix, 0);
  Shape one = shape;
  for (std::size_t d = 0; d < one.size.size(); ++d)
    if (d != tokens.index && one.format[d] != Format::C) one.size[d] = 1;
  // S stands before C, T behind it.
  return engine::expandTo(engine::reshapeTo(tokens.spatial ? transpose(matrix) : matrix, one), shape);
}

struct PositionEmbeddingLayer final : Layer {
  Index outputSize = 1, maxPosition = 1;
  LearnableOptions weights{.initializer = "narrow-normal"};

  std::string type() const override { return "PositionEmbeddingLayer"; }
  std::string stem() const override { return "positionembedding"; }
  TokenDimension tokensOf(const Shape& data) const {
    channelsOf(*this, data);
    const TokenDimension tokens = TokenDimension::of(*this, data);
    if (tokens.count > maxPosition)
      fail(noPlace, "layer:positions", "{}: the input has {} tokens, there are {} positions: {}", called(*this), tokens.count,
           maxPosition, toString(data));
    return tokens;
  }
  void initialize(Parameters& p, const std::vector<DataLayout>& layouts) const override {
    tokensOf(shapesOf(*this, layouts)[0]);
    weights.declare(*this, p, "Weights", {outputSize, maxPosition}, {maxPosition, outputSize});
  }
  std::vector<DlArray> predict(const std::vector<DlArray>& X, const Parameters& p) const override {
    checkInputs(*this, X.size(), 1);
    const Shape& data = Storage::shape(X[0]);
    const TokenDimension tokens = tokensOf(data);
    return {forEachObservation(p["Weights"](all, span(0, tokens.count - 1)), tokens, data)};
  }
  void options(OptionVisitor& visit) override {
    visit("outputSize", outputSize);
    visit("maxPosition", maxPosition);
    weights.show(visit, "weights", "weight");
  }
};

struct SinusoidalPositionEncodingLayer final : Layer {
  Index outputSize = 2;
  std::string positions = "auto";

  std::string type() const override { return "SinusoidalPositionEncodingLayer"; }
  std::string stem() const override { return "sinposenc"; }
  void initialize(Parameters&, const std::vector<DataLayout>& layouts) const override { check(shapesOf(*this, layouts)[0]); }
  void check(const Shape& data) const {
    if (positions == "data-values")
      checkChannels(*this, data, 1, "as positions it must have");
    else if (channelsOf(*this, data) > 0)
      TokenDimension::of(*this, data);
  }
  std::vector<DlArray> predict(const std::vector<DlArray>& X, const Parameters&) const override {
    checkInputs(*this, X.size(), 1);
    const Shape& data = Storage::shape(X[0]);
    check(data);
    std::vector<double> rates(static_cast<std::size_t>(outputSize)), isCosine(rates.size());
    for (Index c = 0; c < outputSize; ++c) {
      rates[static_cast<std::size_t>(c)] = std::pow(10000, -static_cast<double>(c / 2 * 2) / static_cast<double>(outputSize));
      isCosine[static_cast<std::size_t>(c)] = c % 2 == 0 ? 0 : 1;
    }
    if (positions == "data-values") {
      const DlArray cosines = dlarray(isCosine, "C"), angles = X[0] % dlarray(rates, "C");
      return {(1 - cosines) % sin(angles) + cosines % cos(angles)};
    }
    const TokenDimension tokens = TokenDimension::of(*this, data);
    std::vector<double> values;
    for (Index t = 0; t < tokens.count; ++t)
      for (std::size_t c = 0; c < rates.size(); ++c) {
        const double angle = static_cast<double>(t) * rates[c];
        values.push_back(isCosine[c] == 0 ? std::sin(angle) : std::cos(angle));
      }
    const Type type = underlyingType(X[0]) == Type::Single ? Type::Single : Type::Double;
    return {forEachObservation(cast(dlarray(values, Size{outputSize, tokens.count}), type), tokens, data)};
  }
  void options(OptionVisitor& visit) override {
    visit("outputSize", outputSize);
    visit("positions", positions);
  }
};

// ---- tokens --------------------------------------------------------------------------------------------------------------

struct EmbeddingConcatenationLayer final : Layer {
  LearnableOptions weights{.initializer = "narrow-normal"};

  std::string type() const override { return "EmbeddingConcatenationLayer"; }
  std::string stem() const override { return "embconcat"; }
  void initialize(Parameters& p, const std::vector<DataLayout>& layouts) const override {
    const Shape data = shapesOf(*this, layouts)[0];
    const Index channels = channelsOf(*this, data);
    TokenDimension::of(*this, data);
    weights.declare(*this, p, "Weights", {channels, 1}, {1, channels});
    checkChannels(*this, data, size(p["Weights"], 0), "the token has");
  }
  std::vector<DlArray> predict(const std::vector<DlArray>& X, const Parameters& p) const override {
    checkInputs(*this, X.size(), 1);
    const Shape& data = Storage::shape(X[0]);
    const DlArray& token = p["Weights"];
    checkChannels(*this, data, size(token, 0), "the token has");
    const TokenDimension tokens = TokenDimension::of(*this, data);
    Shape one = data;
    one.size[tokens.index] = 1;
    return {cat(tokens.spatial ? "S" : "T", {forEachObservation(token, tokens, one), X[0]})};
  }
  void options(OptionVisitor& visit) override { weights.show(visit, "weights", "weight"); }
};

struct Indexing1dLayer final : Layer {
  std::string which = "first";  // "" for an index
  Index index = 0;

  std::string type() const override { return "Indexing1dLayer"; }
  std::string stem() const override { return "index1d"; }
  void initialize(Parameters&, const std::vector<DataLayout>& layouts) const override {
    tokensOf(shapesOf(*this, layouts)[0], false);
  }
  TokenDimension tokensOf(const Shape& data, bool known) const {
    const TokenDimension tokens = TokenDimension::of(*this, data);
    if (known && (which.empty() ? index >= tokens.count : tokens.count == 0))
      fail(noPlace, "layer:tokens", "{}: token {} is not among the {} of the input, {}", called(*this),
           which.empty() ? std::to_string(index) : "\"" + which + "\"", tokens.count, toString(data));
    return tokens;
  }
  std::vector<DlArray> predict(const std::vector<DlArray>& X, const Parameters&) const override {
    checkInputs(*this, X.size(), 1);
    const Shape& data = Storage::shape(X[0]);
    const TokenDimension tokens = tokensOf(data, true);
    const Index at = which.empty()      ? index
                     : which == "first" ? 0
                     : which == "last"  ? tokens.count - 1
                                        : static_cast<Index>(double(randi({0, tokens.count - 1}, Size{1, 1})));
    // Tokens first or last: one row, or one column, of a matrix.
    const Index others = tokens.count == 0 ? 0 : numel(data.size) / tokens.count;
    const Shape matrix{tokens.spatial ? Size::matrix(tokens.count, others) : Size::matrix(others, tokens.count), {}};
    const DlArray flat = engine::reshapeTo(X[0], matrix);
    Shape rest;
    for (std::size_t d = 0; d < data.size.size(); ++d) {
      if (d == tokens.index) continue;
      rest.format.set(rest.size.size(), data.format[d]);
      rest.size.push_back(data.size[d]);
    }
    if (rest.size.size() == 1) {
      rest.format.set(1, Format::U);
      rest.size.push_back(1);
    }
    return {engine::reshapeTo(tokens.spatial ? flat(at, all) : flat(all, at), rest)};
  }
  void options(OptionVisitor& visit) override {
    visit("which", which);
    visit("index", index);
  }
};

}  // namespace

AnyLayer selfAttentionLayer(Index numHeads, Index numKeyChannels, const SelfAttentionLayerOptions& options,
                            std::source_location where) {
  SelfAttentionLayer layer;
  layer.take(numHeads, numKeyChannels, options, where);
  return layer;
}

AnyLayer attentionLayer(Index numHeads, const AttentionLayerOptions& options, std::source_location where) {
  AttentionLayer layer;
  layer.take(numHeads, options, where);
  return layer;
}

AnyLayer positionEmbeddingLayer(Index outputSize, Index maxPosition, const PositionEmbeddingLayerOptions& o,
                                std::source_location where) {
  checkNumber(outputSize, 1, "positionEmbeddingLayer", "output size", where);
  checkNumber(maxPosition, 1, "positionEmbeddingLayer", "number of positions", where);
  PositionEmbeddingLayer layer;
  layer.name = o.name;
  layer.outputSize = outputSize;
  layer.maxPosition = maxPosition;
  layer.weights = {o.weightsInitializer, o.weights, o.weightLearnRateFactor, o.weightL2Factor};
  layer.weights.check("positionEmbeddingLayer", where);
  return layer;
}

AnyLayer sinusoidalPositionEncodingLayer(Index outputSize, const SinusoidalPositionEncodingLayerOptions& o,
                                         std::source_location where) {
  if (outputSize < 2 || outputSize % 2 != 0)
    fail(where, "layer:number", "sinusoidalPositionEncodingLayer: the output size is {}; it must be even and positive",
         outputSize);
  checkWord(o.positions, {"auto", "data-values"}, "sinusoidalPositionEncodingLayer", "positions", where);
  SinusoidalPositionEncodingLayer layer;
  layer.name = o.name;
  layer.outputSize = outputSize;
  layer.positions = o.positions;
  return layer;
}

AnyLayer embeddingConcatenationLayer(const EmbeddingConcatenationLayerOptions& o, std::source_location where) {
  EmbeddingConcatenationLayer layer;
  layer.name = o.name;
  layer.weights = {o.weightsInitializer, o.weights, o.weightLearnRateFactor, o.weightL2Factor};
  layer.weights.check("embeddingConcatenationLayer", where);
  return layer;
}

AnyLayer indexing1dLayer(std::string_view which, const Indexing1dLayerOptions& o, std::source_location where) {
  checkWord(which, {"first", "last", "random"}, "indexing1dLayer", "index", where);
  Indexing1dLayer layer;
  layer.name = o.name;
  layer.which = which;
  return layer;
}
AnyLayer indexing1dLayer(Index index, const Indexing1dLayerOptions& o, std::source_location where) {
  checkNumber(index, 0, "indexing1dLayer", "index", where);
  Indexing1dLayer layer;
  layer.name = o.name;
  layer.which = "";
  layer.index = index;
  return layer;
}

namespace layers {

std::vector<AnyLayer> attentionPrototypes() {
  return {SelfAttentionLayer(),          AttentionLayer(), PositionEmbeddingLayer(), SinusoidalPositionEncodingLayer(),
          EmbeddingConcatenationLayer(), Indexing1dLayer()};
}

}  // namespace layers

}  // namespace dl
