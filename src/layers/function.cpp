#include <dlarray/layers/function.hpp>

#include "layers/support.hpp"

#include <algorithm>

namespace dl {

namespace detail {
std::vector<DlArray> asList(std::vector<DlArray> results) { return results; }
std::vector<DlArray> asList(DlArray result) { return {std::move(result)}; }
}  // namespace detail

namespace {

using namespace layers;

const std::source_location noPlace;

struct FunctionLayer final : Layer {
  detail::LayerFunction function;
  std::vector<std::string> inputs, outputs;
  bool formattable = false;
  std::string description;

  std::string type() const override { return "FunctionLayer"; }
  std::string stem() const override { return "layer"; }
  std::vector<std::string> inputNames() const override { return inputs; }
  std::vector<std::string> outputNames() const override { return outputs; }
  std::vector<DlArray> predict(const std::vector<DlArray>& X, const Parameters&) const override {
    checkInputs(*this, X.size(), inputs.size());
    std::vector<DlArray> Y = inside(*this, [&] { return function(X); });
    if (Y.size() != outputs.size())
      fail(noPlace, "layer:outputs", "{}: the function returned {} arrays, the layer has {} output{}", called(*this), Y.size(),
           outputs.size(), outputs.size() == 1 ? "" : "s");
    return Y;
  }
  void options(OptionVisitor& visit) override {
    visit("inputNames", inputs);
    visit("outputNames", outputs);
    visit("formattable", formattable);
    visit("description", description);
  }
};

// The names that were given, or "in", or "in1", "in2", ...
std::vector<std::string> portsOf(const char* stem, Index counted, Index given, std::vector<std::string> names,
                                 const std::source_location& where) {
  const std::string what = std::string(stem) + "put";
  if (given < 0) fail(where, "functionLayer:ports", "functionLayer: the number of {}s is {}; it must be 1 at least", what, given);
  const auto named = static_cast<Index>(names.size());
  if (given > 0 && named > 0 && given != named)
    fail(where, "functionLayer:ports", "functionLayer: there are {} names for {} {}s", named, given, what);
  const Index wanted = named > 0 ? named : given > 0 ? given : std::max<Index>(counted, 1);
  if (counted > 0 && counted != wanted)
    fail(where, "functionLayer:ports", "functionLayer: the function has {} {}s, the options say {}", counted, what, wanted);
  if (named == 0)
    for (Index i = 1; i <= wanted; ++i) names.push_back(wanted == 1 ? stem : fmt::format("{}{}", stem, i));
  return names;
}

}  // namespace

AnyLayer detail::functionLayer(LayerFunction function, Index inputs, Index outputs, const FunctionLayerOptions& o,
                               const std::source_location& where) {
  FunctionLayer layer;
  layer.name = o.name;
  layer.function = std::move(function);
  layer.inputs = portsOf("in", inputs, o.numInputs, o.inputNames, where);
  layer.outputs = portsOf("out", outputs, o.numOutputs, o.outputNames, where);
  layer.formattable = o.formattable;
  layer.description = o.description;
  return layer;
}

}  // namespace dl
