// Every layer of a network with its sizes, and every problem at once.
#include "network/initialize.hpp"

#include "core/format.hpp"

#include <algorithm>

namespace dl {

namespace {

std::string textOf(const DataLayout& layout) {
  Shape shape{layout.size(), {}};
  for (std::size_t d = 0; d < layout.format().size(); ++d) shape.format.set(d, Format::label(layout.format()[d]));
  return toString(shape);
}

NetworkAnalysis analysisOf(const detail::Network& net, const std::vector<DataLayout>& inputs) {
  const network::Structure& structure = *net.structure;
  const network::Trial trial = network::tryOut(net, inputs);
  NetworkAnalysis analysis;
  analysis.issues = trial.issues;
  for (std::size_t i = 0; i < structure.leaves.size(); ++i) {
    NetworkAnalysis::LayerInfo& info = analysis.layers.emplace_back();
    info.name = structure.leaves[i].path;
    info.type = structure.leaves[i].layer->type();
    for (const Parameters::Entry& entry : trial.parameters[i].entries()) {
      (entry.isState ? info.states : info.learnables).push_back(entry.name + " " + toString(size(entry.value)));
      if (!entry.isState) info.learnableCount += numel(entry.value);
    }
    analysis.totalLearnables += info.learnableCount;
  }
  for (const network::Step& step : structure.steps)
    for (std::uint32_t k = 0; k < step.outputCount; ++k) {
      const std::optional<DataLayout>& layout = trial.layouts[step.firstOutput + k];
      analysis.layers[step.leaf].outputs.push_back(layout ? textOf(*layout) : "unknown");
    }
  return analysis;
}

}  // namespace

NetworkAnalysis analyzeNetwork(const DlNetwork& net, const std::vector<DataLayout>& inputs) {
  return analysisOf(NetworkAccess::of(net), inputs);
}
NetworkAnalysis analyzeNetwork(const LayerGraph& graph, const std::vector<DataLayout>& inputs) {
  return analyzeNetwork(NetworkAccess::build(graph, {}, {}, false, {"analyzeNetwork", {}}), inputs);
}
NetworkAnalysis analyzeNetwork(LayerArray array, const std::vector<DataLayout>& inputs) {
  std::vector<AnyLayer> layers = network::named(std::move(array).layers());
  std::vector<network::Issue> issues = network::nameProblems(layers);
  if (!issues.empty()) network::makeDistinct(layers);
  NetworkAnalysis analysis = analyzeNetwork(network::inSeries(std::move(layers), {"analyzeNetwork", {}}), inputs);
  analysis.issues.insert(analysis.issues.begin(), issues.begin(), issues.end());
  return analysis;
}

}  // namespace dl
