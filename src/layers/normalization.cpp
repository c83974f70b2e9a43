#include <dlarray/layers/normalization.hpp>

#include "layers/learnable.hpp"
#include "layers/registry.hpp"

#include <dlarray/nn/normalization.hpp>
#include <dlarray/ops/creation.hpp>
#include <dlarray/ops/elementwise.hpp>

namespace dl {

namespace {

using namespace layers;

const std::source_location noPlace;

// What normalisations with an offset and a scale share.
struct NormalizationLayer : Layer {
  double epsilon = 1e-5;
  Index numChannels = 0;
  LearnableOptions offset, scale{.initializer = "ones"};

  template <class Options>
  void take(const Options& o, const char* function, const std::source_location& where) {
    name = o.name;
    epsilon = o.epsilon;
    numChannels = o.numChannels;
    offset = {o.offsetInitializer, o.offset, o.offsetLearnRateFactor, o.offsetL2Factor};
    scale = {o.scaleInitializer, o.scale, o.scaleLearnRateFactor, o.scaleL2Factor};
    checkPositive(epsilon, function, "epsilon", where);
    checkNumber(numChannels, 0, function, "number of channels", where);
    offset.check(function, where);
    scale.check(function, where);
  }
  void initialize(Parameters& p, const std::vector<DataLayout>& layouts) const override {
    const Shape data = shapesOf(*this, layouts)[0];
    checkOwn(data);
    if (numChannels != 0) checkChannels(*this, data, numChannels, ".numChannels is");
    const Size size = channelSize(data);
    offset.declare(*this, p, "Offset", size, {});
    scale.declare(*this, p, "Scale", size, {});
    checkChannels(*this, data, numel(p["Offset"]), "the offset is for");
  }
  std::vector<DlArray> predict(const std::vector<DlArray>& X, const Parameters& p) const override {
    checkInputs(*this, X.size(), 1);
    const DlArray &o = p["Offset"], &s = p["Scale"];
    checkChannels(*this, Storage::shape(X[0]), numel(o), "the offset is for");
    return {inside(*this, [&] { return normalized(X[0], o, s); })};
  }
  void options(OptionVisitor& visit) override {
    visit("epsilon", epsilon);
    visit("numChannels", numChannels);
    offset.show(visit, "offset");
    scale.show(visit, "scale");
  }
  virtual void checkOwn(const Shape& data) const { channelsOf(*this, data); }
  virtual DlArray normalized(const DlArray& x, const DlArray& o, const DlArray& s) const = 0;
};

struct BatchNormalizationLayer final : NormalizationLayer {
  double meanDecay = 0.1, varianceDecay = 0.1;
  DlArray trainedMean, trainedVariance;

  std::string type() const override { return "BatchNormalizationLayer"; }
  std::string stem() const override { return "batchnorm"; }
  void initialize(Parameters& p, const std::vector<DataLayout>& layouts) const override {
    NormalizationLayer::initialize(p, layouts);
    const Size size = dl::size(p["Offset"]);
    declare(p, "TrainedMean", trainedMean, zeros(size, Type::Single));
    declare(p, "TrainedVariance", trainedVariance, ones(size, Type::Single));
  }
  void declare(Parameters& p, const char* state, const DlArray& given, DlArray start) const {
    if (!isempty(given)) {
      if (numel(given) != numel(start))
        fail(noPlace, "layer:state", "{}: {} is {}; for this data it must be {}", called(*this), state, describe(given),
             toString(size(start)));
      start = reshape(given, size(start));
    }
    p.state(state, std::move(start));
  }
  std::vector<DlArray> predict(const std::vector<DlArray>& X, const Parameters& p) const override {
    const DlArray& o = checked(X, p);
    return {inside(*this, [&] {
      const auto state = [&](const char* which) { return statePreciseAs(X[0], o, p[which]); };
      return batchnorm(X[0], o, p["Scale"], state("TrainedMean"), state("TrainedVariance"), {.epsilon = epsilon});
    })};
  }
  std::vector<DlArray> forward(const std::vector<DlArray>& X, const Parameters& p, Parameters& newState) const override {
    const DlArray& o = checked(X, p);
    return inside(*this, [&] {
      auto [Y, mean, variance] = batchnorm<3>(X[0], o, p["Scale"], {.epsilon = epsilon});
      newState.state("TrainedMean", moved(p["TrainedMean"], mean, meanDecay));
      newState.state("TrainedVariance", moved(p["TrainedVariance"], variance, varianceDecay));
      return std::vector<DlArray>{std::move(Y)};
    });
  }
  void options(OptionVisitor& visit) override {
    visit("meanDecay", meanDecay);
    visit("varianceDecay", varianceDecay);
    visit("trainedMean", trainedMean);
    visit("trainedVariance", trainedVariance);
    NormalizationLayer::options(visit);
  }
  DlArray normalized(const DlArray& x, const DlArray& o, const DlArray& s) const override { return batchnorm(x, o, s); }

 private:
  const DlArray& checked(const std::vector<DlArray>& X, const Parameters& p) const {
    checkInputs(*this, X.size(), 1);
    const DlArray& o = p["Offset"];
    checkChannels(*this, Storage::shape(X[0]), numel(o), "the offset is for");
    return o;
  }
  // Of constants only, so that the trace of a training step does not hold what no gradient asks for.
  static DlArray moved(const DlArray& before, const DlArray& now, double decay) {
    const DlArray old = constantOf(before, Storage::shape(before));
    return decay * constantOf(now, Storage::shape(before)) + (1 - decay) * old;
  }
};

struct LayerNormalizationLayer final : NormalizationLayer {
  std::string operationDimension = "auto";

  std::string type() const override { return "LayerNormalizationLayer"; }
  std::string stem() const override { return "layernorm"; }
  DlArray normalized(const DlArray& x, const DlArray& o, const DlArray& s) const override {
    const std::string_view together = operationDimension == "auto" ? "spatial-channel" : std::string_view(operationDimension);
    return layernorm(x, o, s, {.epsilon = epsilon, .operationDimension = together});
  }
  void options(OptionVisitor& visit) override {
    NormalizationLayer::options(visit);
    visit("operationDimension", operationDimension);
  }
};

struct GroupNormalizationLayer final : NormalizationLayer {
  GroupCount numGroups = "all-channels";

  std::string type() const override { return "GroupNormalizationLayer"; }
  std::string stem() const override { return "groupnorm"; }
  void checkOwn(const Shape& data) const override {
    const Index channels = channelsOf(*this, data);
    if (numGroups.word().empty() && channels % numGroups.count() != 0)
      fail(noPlace, "layer:groups", "{}: {} groups do not divide the {} channels of the input, {}", called(*this),
           numGroups.count(), channels, toString(data));
  }
  DlArray normalized(const DlArray& x, const DlArray& o, const DlArray& s) const override {
    return groupnorm(x, numGroups, o, s, {.epsilon = epsilon});
  }
  void options(OptionVisitor& visit) override {
    visit("numGroups", numGroups);
    NormalizationLayer::options(visit);
  }
};

struct InstanceNormalizationLayer final : NormalizationLayer {
  std::string type() const override { return "InstanceNormalizationLayer"; }
  std::string stem() const override { return "instancenorm"; }
  DlArray normalized(const DlArray& x, const DlArray& o, const DlArray& s) const override {
    return instancenorm(x, o, s, {.epsilon = epsilon});
  }
};

struct CrossChannelNormalizationLayer final : Layer {
  Index windowChannelSize = 1;
  double alpha = 1e-4, beta = 0.75, k = 2;

  std::string type() const override { return "CrossChannelNormalizationLayer"; }
  std::string stem() const override { return "crossnorm"; }
  void initialize(Parameters&, const std::vector<DataLayout>& data) const override {
    channelsOf(*this, shapesOf(*this, data)[0]);
  }
  std::vector<DlArray> predict(const std::vector<DlArray>& X, const Parameters&) const override {
    checkInputs(*this, X.size(), 1);
    channelsOf(*this, Storage::shape(X[0]));
    return {inside(*this, [&] { return crosschannelnorm(X[0], windowChannelSize, {.alpha = alpha, .beta = beta, .k = k}); })};
  }
  void options(OptionVisitor& visit) override {
    visit("windowChannelSize", windowChannelSize);
    visit("alpha", alpha);
    visit("beta", beta);
    visit("k", k);
  }
};

}  // namespace

AnyLayer batchNormalizationLayer(const BatchNormalizationLayerOptions& o, std::source_location where) {
  BatchNormalizationLayer layer;
  layer.take(o, "batchNormalizationLayer", where);
  for (const double decay : {o.meanDecay, o.varianceDecay})
    if (!(decay >= 0 && decay <= 1))
      fail(where, "layer:decay", "batchNormalizationLayer: a decay is {}; it must lie between 0 and 1", decay);
  layer.meanDecay = o.meanDecay;
  layer.varianceDecay = o.varianceDecay;
  layer.trainedMean = o.trainedMean;
  layer.trainedVariance = o.trainedVariance;
  return layer;
}

AnyLayer layerNormalizationLayer(const LayerNormalizationLayerOptions& o, std::source_location where) {
  LayerNormalizationLayer layer;
  layer.take(o, "layerNormalizationLayer", where);
  checkWord(o.operationDimension, {"auto", "channel-only", "spatial-channel", "batch-excluded"}, "layerNormalizationLayer",
            "operationDimension", where);
  layer.operationDimension = o.operationDimension;
  return layer;
}

AnyLayer groupNormalizationLayer(const GroupCount& numGroups, const GroupNormalizationLayerOptions& o,
                                 std::source_location where) {
  GroupNormalizationLayer layer;
  layer.take(o, "groupNormalizationLayer", where);
  if (numGroups.word().empty())
    checkNumber(numGroups.count(), 1, "groupNormalizationLayer", "number of groups", where);
  else
    checkWord(numGroups.word(), {"all-channels", "channel-wise"}, "groupNormalizationLayer", "numGroups", where);
  layer.numGroups = numGroups;
  return layer;
}

AnyLayer instanceNormalizationLayer(const InstanceNormalizationLayerOptions& o, std::source_location where) {
  InstanceNormalizationLayer layer;
  layer.take(o, "instanceNormalizationLayer", where);
  return layer;
}

AnyLayer crossChannelNormalizationLayer(Index windowChannelSize, const CrossChannelNormalizationLayerOptions& o,
                                        std::source_location where) {
  checkNumber(windowChannelSize, 1, "crossChannelNormalizationLayer", "window", where);
  CrossChannelNormalizationLayer layer;
  layer.name = o.name;
  layer.windowChannelSize = windowChannelSize;
  layer.alpha = o.alpha;
  layer.beta = o.beta;
  layer.k = o.k;
  return layer;
}

namespace layers {

std::vector<AnyLayer> normalizationPrototypes() {
  return {BatchNormalizationLayer(), LayerNormalizationLayer(), GroupNormalizationLayer(), InstanceNormalizationLayer(),
          CrossChannelNormalizationLayer()};
}

}  // namespace layers

}  // namespace dl
