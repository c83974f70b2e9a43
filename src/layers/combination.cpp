#include <dlarray/layers/combination.hpp>

#include "layers/registry.hpp"
#include "layers/support.hpp"

#include <dlarray/ops/elementwise.hpp>

namespace dl {

namespace {

using namespace layers;

const std::source_location noPlace;

struct CombinationLayer : Layer {
  Index numInputs = 2;

  std::vector<std::string> inputNames() const override {
    std::vector<std::string> names;
    for (Index i = 1; i <= numInputs; ++i) names.push_back(fmt::format("in{}", i));
    return names;
  }
  void initialize(Parameters&, const std::vector<DataLayout>& data) const override {
    const std::vector<Shape> shapes = shapesOf(*this, data, static_cast<std::size_t>(numInputs));
    inside(*this, [&] { checkData(shapes); });
  }
  std::vector<DlArray> predict(const std::vector<DlArray>& X, const Parameters&) const override {
    checkInputs(*this, X.size(), static_cast<std::size_t>(numInputs));
    return {inside(*this, [&] { return combined(X); })};
  }
  void options(OptionVisitor& visit) override { visit("numInputs", numInputs); }

  virtual void checkData(const std::vector<Shape>& shapes) const = 0;
  virtual DlArray combined(const std::vector<DlArray>& X) const = 0;
};

// ---- element by element --------------------------------------------------------------------------------------------------

void checkExpansion(std::vector<Shape> shapes, const char* function) {
  for (std::size_t i = 1; i < shapes.size(); ++i) shapes[0] = mergeFormats(shapes[0], shapes[i], function, noPlace).result;
}

struct AdditionLayer final : CombinationLayer {
  std::string type() const override { return "AdditionLayer"; }
  std::string stem() const override { return "addition"; }
  void checkData(const std::vector<Shape>& shapes) const override { checkExpansion(shapes, "plus"); }
  DlArray combined(const std::vector<DlArray>& X) const override {
    DlArray y = X[0] + X[1];
    for (std::size_t i = 2; i < X.size(); ++i) y = std::move(y) + X[i];
    return y;
  }
};

struct MultiplicationLayer final : CombinationLayer {
  std::string type() const override { return "MultiplicationLayer"; }
  std::string stem() const override { return "multiplication"; }
  void checkData(const std::vector<Shape>& shapes) const override { checkExpansion(shapes, "times"); }
  DlArray combined(const std::vector<DlArray>& X) const override {
    DlArray y = X[0] % X[1];
    for (std::size_t i = 2; i < X.size(); ++i) y = std::move(y) % X[i];
    return y;
  }
};

// ---- side by side --------------------------------------------------------------------------------------------------------

struct ConcatenationLayer final : CombinationLayer {
  bool depth;
  Index dimension = 0;
  std::string label;  // "" when a number was given

  explicit ConcatenationLayer(bool isDepth) : depth(isDepth), label(isDepth ? "C" : "") {}
  std::string type() const override { return depth ? "DepthConcatenationLayer" : "ConcatenationLayer"; }
  std::string stem() const override { return depth ? "depthcat" : "concat"; }
  void options(OptionVisitor& visit) override {
    if (!depth) {
      visit("dimension", dimension);
      visit("label", label);
    }
    CombinationLayer::options(visit);
  }

  // Sizes that are not known yet are 1 in a layout, so that only labels can be compared.
  void checkData(const std::vector<Shape>& shapes) const override {
    for (std::size_t i = 1; i < shapes.size(); ++i)
      if (!(shapes[i].format == shapes[0].format))
        fail(noPlace, "layer:data", "inputs 1 and {} have different labels: {} and {}", i + 1, toString(shapes[0]),
             toString(shapes[i]));
    if (!label.empty() && countOf(shapes[0], Format::label(label[0])) != 1)
      fail(noPlace, "layer:data", "the inputs, {}, need one dimension with the label {}", toString(shapes[0]), label);
  }
  DlArray combined(const std::vector<DlArray>& X) const override {
    return cat(label.empty() ? Dimensions(dimension) : Dimensions(label), X, noPlace);
  }
};

template <class L>
L layerOf(L layer, Index numInputs, const CombinationLayerOptions& o, const char* function, const std::source_location& where) {
  checkNumber(numInputs, 2, function, "number of inputs", where);
  layer.name = o.name;
  layer.numInputs = numInputs;
  return layer;
}

}  // namespace

AnyLayer additionLayer(Index numInputs, const CombinationLayerOptions& options, std::source_location where) {
  return layerOf(AdditionLayer(), numInputs, options, "additionLayer", where);
}

AnyLayer multiplicationLayer(Index numInputs, const CombinationLayerOptions& options, std::source_location where) {
  return layerOf(MultiplicationLayer(), numInputs, options, "multiplicationLayer", where);
}

AnyLayer concatenationLayer(const Dimensions& dimension, Index numInputs, const CombinationLayerOptions& options,
                            std::source_location where) {
  ConcatenationLayer layer = layerOf(ConcatenationLayer(false), numInputs, options, "concatenationLayer", where);
  const bool isNumber = dimension.kind() == Dimensions::Kind::Numbers && dimension.count() == 1;
  if (isNumber) {
    layer.dimension = dimension.number(0);
    checkNumber(layer.dimension, 0, "concatenationLayer", "dimension", where);
  } else {
    layer.label = dimension.labels();
    if (layer.label.size() != 1 || Format::label(layer.label[0]) == Format::None)
      fail(where, "layer:dimension",
           "concatenationLayer: the dimension is {}; it is one number from 0, or one label such as \"C\"",
           layer.label.empty() ? fmt::format("a list of {} numbers", dimension.count()) : "\"" + layer.label + "\"");
  }
  return layer;
}

AnyLayer depthConcatenationLayer(Index numInputs, const CombinationLayerOptions& options, std::source_location where) {
  return layerOf(ConcatenationLayer(true), numInputs, options, "depthConcatenationLayer", where);
}

namespace layers {

std::vector<AnyLayer> combinationPrototypes() {
  return {AdditionLayer(), MultiplicationLayer(), ConcatenationLayer(false), ConcatenationLayer(true)};
}

}  // namespace layers

}  // namespace dl
