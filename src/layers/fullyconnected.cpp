#include <dlarray/layers/fullyconnected.hpp>

#include "layers/registry.hpp"
#include "layers/support.hpp"

#include <dlarray/nn/fullyconnect.hpp>

namespace dl {

namespace {

using namespace layers;

const std::source_location noPlace;

struct FullyConnectedLayer final : Layer {
  Index outputSize = 1, inputSize = 0;
  WeightsAndBias learnables = {};

  std::string type() const override { return "FullyConnectedLayer"; }
  std::string stem() const override { return "fc"; }

  // Elements of an observation.
  static Index elementsOf(const Shape& data) {
    Index elements = 1;
    for (std::size_t d = 0; d < data.size.size(); ++d)
      if (data.format[d] != Format::B && data.format[d] != Format::T) elements *= data.size[d];
    return elements;
  }
  void checkData(const Shape& data, Index wanted, const char* whose) const {
    if (const Index elements = elementsOf(data); elements != wanted)
      fail(noPlace, "layer:elements", "{}: an observation of the input has {} elements, {} {}: {}", called(*this), elements,
           whose, wanted, toString(data));
  }

  void initialize(Parameters& p, const std::vector<DataLayout>& layouts) const override {
    const Shape data = shapesOf(*this, layouts)[0];
    if (inputSize != 0) checkData(data, inputSize, ".inputSize is");
    const Index elements = elementsOf(data);
    learnables.declare(*this, p, {outputSize, elements}, {outputSize, 1}, {elements, outputSize});
    checkData(data, size(p["Weights"], 1), "the weights are for");
  }
  std::vector<DlArray> predict(const std::vector<DlArray>& X, const Parameters& p) const override {
    checkInputs(*this, X.size(), 1);
    const DlArray& weights = p["Weights"];
    checkData(Storage::shape(X[0]), Storage::shape(weights).size[1], "the weights are for");
    return {inside(*this, [&] { return fullyconnect(X[0], weights, p["Bias"]); })};
  }
  void options(OptionVisitor& visit) override {
    visit("outputSize", outputSize);
    visit("inputSize", inputSize);
    learnables.show(visit);
  }
};

}  // namespace

AnyLayer fullyConnectedLayer(Index outputSize, const FullyConnectedLayerOptions& o, std::source_location where) {
  checkNumber(outputSize, 1, "fullyConnectedLayer", "output size", where);
  checkNumber(o.inputSize, 0, "fullyConnectedLayer", "input size", where);
  FullyConnectedLayer layer;
  layer.name = o.name;
  layer.outputSize = outputSize;
  layer.inputSize = o.inputSize;
  layer.learnables = WeightsAndBias::of(o, "fullyConnectedLayer", where);
  return layer;
}

namespace layers {

std::vector<AnyLayer> fullyConnectedPrototypes() { return {FullyConnectedLayer()}; }

}  // namespace layers

}  // namespace dl
