#include <dlarray/layers/activation.hpp>

#include "layers/learnable.hpp"
#include "layers/registry.hpp"

#include <dlarray/nn/activation.hpp>
#include <dlarray/ops/creation.hpp>
#include <dlarray/ops/elementwise.hpp>

namespace dl {

namespace {

using namespace layers;

const std::source_location noPlace;

// What tells activations of one array and at most one number apart.
struct Kind {
  const char *type, *stem;
  DlArray (*of)(const DlArray& x, double number);
  const char* number = nullptr;
  double standard = 0;
};
using X = const DlArray&;
constexpr Kind reluKind{"ReluLayer", "relu", [](X x, double) { return relu(x); }};
constexpr Kind leakyKind{"LeakyReluLayer", "leakyrelu", [](X x, double s) { return leakyrelu(x, s); }, "scale", 0.01};
constexpr Kind clippedKind{"ClippedReluLayer", "clippedrelu", [](X x, double c) { return min(relu(x), c); }, "ceiling", 6};
constexpr Kind eluKind{"EluLayer", "elu", [](X x, double a) { return elu(x, a); }, "alpha", 1};
constexpr Kind sigmoidKind{"SigmoidLayer", "sigmoid", [](X x, double) { return sigmoid(x); }};
constexpr Kind tanhKind{"TanhLayer", "tanh", [](X x, double) { return tanh(x); }};
constexpr Kind swishKind{"SwishLayer", "swish", [](X x, double) { return swish(x); }};
constexpr Kind softplusKind{"SoftplusLayer", "softplus", [](X x, double) { return softplus(x); }};
constexpr Kind mishKind{"MishLayer", "mish", [](X x, double) { return mish(x); }};

struct ActivationLayer final : Layer {
  const Kind* kind;
  double number;

  explicit ActivationLayer(const Kind& k) : kind(&k), number(k.standard) {}
  std::string type() const override { return kind->type; }
  std::string stem() const override { return kind->stem; }
  void initialize(Parameters&, const std::vector<DataLayout>& data) const override { checkInputs(*this, data.size(), 1); }
  std::vector<DlArray> predict(const std::vector<DlArray>& x, const Parameters&) const override {
    checkInputs(*this, x.size(), 1);
    return {kind->of(x[0], number)};
  }
  void options(OptionVisitor& visit) override {
    if (kind->number) visit(kind->number, number);
  }
};

struct SoftmaxLayer final : Layer {
  std::string type() const override { return "SoftmaxLayer"; }
  std::string stem() const override { return "softmax"; }
  void initialize(Parameters&, const std::vector<DataLayout>& data) const override {
    channelsOf(*this, shapesOf(*this, data)[0]);
  }
  std::vector<DlArray> predict(const std::vector<DlArray>& x, const Parameters&) const override {
    checkInputs(*this, x.size(), 1);
    channelsOf(*this, Storage::shape(x[0]));
    return {inside(*this, [&] { return softmax(x[0]); })};
  }
};

struct GeluLayer final : Layer {
  std::string approximation = "none";

  std::string type() const override { return "GeluLayer"; }
  std::string stem() const override { return "gelu"; }
  void initialize(Parameters&, const std::vector<DataLayout>& data) const override { checkInputs(*this, data.size(), 1); }
  std::vector<DlArray> predict(const std::vector<DlArray>& x, const Parameters&) const override {
    checkInputs(*this, x.size(), 1);
    return {gelu(x[0], {.approximation = approximation})};
  }
  void options(OptionVisitor& visit) override { visit("approximation", approximation); }
};

struct PreluLayer final : Layer {
  DlArray alpha = 0.25;
  double alphaLearnRateFactor = 1, alphaL2Factor = 1;

  std::string type() const override { return "PreluLayer"; }
  std::string stem() const override { return "prelu"; }
  void initialize(Parameters& p, const std::vector<DataLayout>& data) const override {
    const Shape shape = shapesOf(*this, data)[0];
    channelsOf(*this, shape);
    const Size size = channelSize(shape);
    if (numel(alpha) != 1 && numel(alpha) != numel(size))
      fail(noPlace, "layer:learnable", "{}: Alpha is {}; for this data it must be a number or {}", called(*this), describe(alpha),
           toString(size));
    const DlArray start = single_(stripdims(alpha));
    p.learnable("Alpha", numel(alpha) == 1 ? start * ones(size) : reshape(start, size), {alphaLearnRateFactor, alphaL2Factor});
    checkChannels(*this, shape, numel(p["Alpha"]), "Alpha is for");
  }
  std::vector<DlArray> predict(const std::vector<DlArray>& x, const Parameters& p) const override {
    checkInputs(*this, x.size(), 1);
    const DlArray& slopes = p["Alpha"];
    checkChannels(*this, Storage::shape(x[0]), numel(slopes), "Alpha is for");
    return {relu(x[0]) - dlarray(reshape(slopes, numel(slopes), 1), "CU") % relu(-x[0])};
  }
  void options(OptionVisitor& visit) override {
    visit("alpha", alpha);
    visit("alphaLearnRateFactor", alphaLearnRateFactor);
    visit("alphaL2Factor", alphaL2Factor);
  }
};

struct DropoutLayer final : Layer {
  double probability = 0.5;

  std::string type() const override { return "DropoutLayer"; }
  std::string stem() const override { return "dropout"; }
  void initialize(Parameters&, const std::vector<DataLayout>& data) const override { checkInputs(*this, data.size(), 1); }
  std::vector<DlArray> predict(const std::vector<DlArray>& x, const Parameters&) const override {
    checkInputs(*this, x.size(), 1);
    return {x[0]};
  }
  std::vector<DlArray> forward(const std::vector<DlArray>& x, const Parameters&, Parameters&) const override {
    checkInputs(*this, x.size(), 1);
    return {dropout(x[0], probability)};
  }
  void options(OptionVisitor& visit) override { visit("probability", probability); }
};

struct SpatialDropoutLayer final : Layer {
  double probability = 0.5;

  std::string type() const override { return "SpatialDropoutLayer"; }
  std::string stem() const override { return "spatialdropout"; }
  void initialize(Parameters&, const std::vector<DataLayout>& data) const override {
    channelsOf(*this, shapesOf(*this, data)[0]);
  }
  std::vector<DlArray> predict(const std::vector<DlArray>& x, const Parameters&) const override {
    checkInputs(*this, x.size(), 1);
    channelsOf(*this, Storage::shape(x[0]));
    return {x[0]};
  }
  std::vector<DlArray> forward(const std::vector<DlArray>& x, const Parameters& p, Parameters&) const override {
    if (probability == 0) return predict(x, p);
    checkInputs(*this, x.size(), 1);
    Shape shape = Storage::shape(x[0]);
    channelsOf(*this, shape);
    for (std::size_t d = 0; d < shape.size.size(); ++d)
      if (shape.format[d] != Format::C && shape.format[d] != Format::B) shape.size[d] = 1;
    const Type type = underlyingType(x[0]) == Type::Single ? Type::Single : Type::Double;
    const DlArray kept = dropout(ones(Size{numel(shape.size), 1}, type), probability);
    return {x[0] % Storage::reshaped(kept, shape)};
  }
  void options(OptionVisitor& visit) override { visit("probability", probability); }
};

AnyLayer activation(const Kind& kind, const ActivationLayerOptions& options) {
  ActivationLayer layer(kind);
  layer.name = options.name;
  return layer;
}
AnyLayer activation(const Kind& kind, double number, const ActivationLayerOptions& options) {
  ActivationLayer layer(kind);
  layer.name = options.name;
  layer.number = number;
  return layer;
}

}  // namespace

AnyLayer reluLayer(const ActivationLayerOptions& options) { return activation(reluKind, options); }
AnyLayer leakyReluLayer(double scale, const ActivationLayerOptions& options, std::source_location where) {
  checkFinite(scale, "leakyReluLayer", "the scale", where);
  return activation(leakyKind, scale, options);
}
AnyLayer clippedReluLayer(double ceiling, const ActivationLayerOptions& options, std::source_location where) {
  checkPositive(ceiling, "clippedReluLayer", "the ceiling", where);
  checkFinite(ceiling, "clippedReluLayer", "the ceiling", where);
  return activation(clippedKind, ceiling, options);
}
AnyLayer eluLayer(double alpha, const ActivationLayerOptions& options, std::source_location where) {
  checkFinite(alpha, "eluLayer", "alpha", where);
  return activation(eluKind, alpha, options);
}
AnyLayer sigmoidLayer(const ActivationLayerOptions& options) { return activation(sigmoidKind, options); }
AnyLayer tanhLayer(const ActivationLayerOptions& options) { return activation(tanhKind, options); }
AnyLayer swishLayer(const ActivationLayerOptions& options) { return activation(swishKind, options); }
AnyLayer softplusLayer(const ActivationLayerOptions& options) { return activation(softplusKind, options); }
AnyLayer mishLayer(const ActivationLayerOptions& options) { return activation(mishKind, options); }
AnyLayer softmaxLayer(const ActivationLayerOptions& options) {
  SoftmaxLayer layer;
  layer.name = options.name;
  return layer;
}

AnyLayer geluLayer(const GeluLayerOptions& options, std::source_location where) {
  checkWord(options.approximation, {"none", "tanh"}, "geluLayer", "approximation", where);
  GeluLayer layer;
  layer.name = options.name;
  layer.approximation = options.approximation;
  return layer;
}

AnyLayer preluLayer(const PreluLayerOptions& options, std::source_location where) {
  LearnableOptions{.learnRate = options.alphaLearnRateFactor, .l2 = options.alphaL2Factor}.check("preluLayer", where);
  PreluLayer layer;
  layer.name = options.name;
  layer.alpha = options.alpha;
  layer.alphaLearnRateFactor = options.alphaLearnRateFactor;
  layer.alphaL2Factor = options.alphaL2Factor;
  return layer;
}

AnyLayer dropoutLayer(double probability, const ActivationLayerOptions& options, std::source_location where) {
  checkProbability(probability, "dropoutLayer", where);
  DropoutLayer layer;
  layer.name = options.name;
  layer.probability = probability;
  return layer;
}
AnyLayer spatialDropoutLayer(double probability, const ActivationLayerOptions& options, std::source_location where) {
  checkProbability(probability, "spatialDropoutLayer", where);
  SpatialDropoutLayer layer;
  layer.name = options.name;
  layer.probability = probability;
  return layer;
}

namespace layers {

std::vector<AnyLayer> activationPrototypes() {
  std::vector<AnyLayer> all;
  for (const Kind* kind :
       {&reluKind, &leakyKind, &clippedKind, &eluKind, &sigmoidKind, &tanhKind, &swishKind, &softplusKind, &mishKind})
    all.push_back(ActivationLayer(*kind));
  for (const AnyLayer& other : {AnyLayer(SoftmaxLayer()), AnyLayer(GeluLayer()), AnyLayer(PreluLayer()), AnyLayer(DropoutLayer()),
                                AnyLayer(SpatialDropoutLayer())})
    all.push_back(other);
  return all;
}

}  // namespace layers

}  // namespace dl
