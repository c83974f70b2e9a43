// What the learn rate and the L2 regularisation are multiplied by, parameter by parameter.
#include "network/nested.hpp"
#include "network/network.hpp"

#include "core/fail.hpp"

#include <dlarray/ops/creation.hpp>
#include <dlarray/random.hpp>

#include <algorithm>
#include <cmath>

namespace dl {

namespace {

using network::Caller;

// Which of the two factors.
struct Kind {
  OptionalNumber Layer::Factor::*ofLayer;
  double ParameterFactors::*ofParameter;
};
constexpr Kind learnRate{&Layer::Factor::learnRate, &ParameterFactors::learnRate};
constexpr Kind l2{&Layer::Factor::l2, &ParameterFactors::l2};

struct ParameterPath {
  std::string layer, parameter;
};
ParameterPath split(std::string_view path, const Caller& caller) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string_view::npos)
    fail(caller.where, "network:path", "{}: \"{}\" names no layer; give a path such as \"fc/Weights\"", caller.function, path);
  return {std::string(path.substr(0, slash)), std::string(path.substr(slash + 1))};
}
ParameterPath joined(std::string_view layer, std::string_view parameter, const Caller& caller) {
  return split(std::string(layer) + "/" + std::string(parameter), caller);
}

std::size_t leafAt(const network::Structure& structure, const std::string& path, const Caller& caller) {
  const auto found = std::ranges::find(structure.leaves, path, &network::Leaf::path);
  if (found == structure.leaves.end()) {
    std::vector<std::string> known;
    for (const network::Leaf& leaf : structure.leaves) known.push_back(leaf.path);
    fail(caller.where, "network:layer", "{}: there is no layer \"{}\"; the layers are {}", caller.function, path,
         network::listed(known));
  }
  return static_cast<std::size_t>(found - structure.leaves.begin());
}

// What the layer declares for some data that it takes. Numbers drawn on the way are given back to the generator.
Parameters declared(const Layer& layer) {
  const RandomState before = rng();
  Parameters p;
  for (const char* format : {"CB", "SSCB", "CBT", "SCB", "SSSCB", "SSCBT"}) {
    Size size;
    for (const char* label = format; *label; ++label) size.push_back(*label == 'C' ? 12 : *label == 'S' ? 16 : 1);
    Parameters tried;
    try {
      layer.initialize(tried, std::vector<DataLayout>(layer.inputNames().size(), DataLayout(size, format)));
      p = std::move(tried);
      break;
    } catch (const Error&) {
      continue;  // not data for this layer
    }
  }
  rng(before);
  return p;
}

void checkLearnable(const Parameters& p, const ParameterPath& path, const Caller& caller) {
  const Parameters::Entry* entry = p.find(path.parameter);
  if (entry && !entry->isState) return;
  std::vector<std::string> known;
  for (const Parameters::Entry& e : p.entries())
    if (!e.isState) known.push_back(e.name);
  fail(caller.where, "network:parameter", "{}: layer \"{}\" has no learnable \"{}\"; it has {}", caller.function, path.layer,
       path.parameter, network::listed(known));
}
// Of a layer that has no values yet: which learnables it will have is known unless it takes none of the data tried.
void checkToCome(const Layer& layer, const ParameterPath& path, const Caller& caller) {
  if (const Parameters p = declared(layer); !p.entries().empty()) checkLearnable(p, path, caller);
}

void checkFactor(double factor, const Caller& caller) {
  if (!(factor >= 0) || std::isinf(factor))
    fail(caller.where, "network:factor", "{}: a factor of {}; factors are finite and 0 or larger", caller.function, factor);
}

DlNetwork withFactor(const DlNetwork& net, const ParameterPath& path, double factor, Kind kind, const Caller& caller);

AnyLayer withFactor(const AnyLayer& layer, const std::string& path, double factor, Kind kind, const Caller& caller) {
  if (const network::NetworkLayer* nested = network::nestedIn(layer))
    return network::withNetwork(layer, withFactor(nested->net, split(path, caller), factor, kind, caller));
  return layer.changed([&](Layer& l) {
    auto known = std::ranges::find(l.factors, path, &Layer::Factor::parameter);
    if (known == l.factors.end()) known = l.factors.insert(known, {path, {}, {}});
    (*known).*kind.ofLayer = factor;
  });
}

DlNetwork withFactor(const DlNetwork& net, const ParameterPath& path, double factor, Kind kind, const Caller& caller) {
  checkFactor(factor, caller);
  const detail::Network& held = NetworkAccess::of(net);
  const std::size_t leaf = leafAt(*held.structure, path.layer, caller);
  if (held.initialized || !held.parameters[leaf].entries().empty())
    checkLearnable(held.parameters[leaf], path, caller);
  else
    checkToCome(*held.structure->leaves[leaf].layer, path, caller);

  LayerGraph graph = held.structure->graph;
  const std::string top = path.layer.substr(0, path.layer.find('/'));
  AnyLayer& layer = GraphAccess::layers(graph)[network::positionOf(graph.layers(), top)];
  const std::string inside = top == path.layer ? path.parameter : path.layer.substr(top.size() + 1) + "/" + path.parameter;
  layer = withFactor(layer, inside, factor, kind, caller);

  std::vector<Parameters> parameters = held.parameters;
  if (Parameters::Entry* entry = parameters[leaf].find(path.parameter)) entry->factors.*kind.ofParameter = factor;
  return NetworkAccess::make(network::compile(std::move(graph), held.structure->chosenOutputs, caller).structure,
                             std::move(parameters), held.initialized);
}

double factorOf(const AnyLayer& layer, const ParameterPath& path, Kind kind, const Caller& caller) {
  for (const Layer::Factor& factor : layer->factors)
    if (factor.parameter == path.parameter && factor.*kind.ofLayer) return *(factor.*kind.ofLayer);
  const Parameters p = declared(*layer);
  checkLearnable(p, path, caller);
  return p.find(path.parameter)->factors.*kind.ofParameter;
}

double factorOf(const DlNetwork& net, const ParameterPath& path, Kind kind, const Caller& caller) {
  const detail::Network& held = NetworkAccess::of(net);
  const std::size_t leaf = leafAt(*held.structure, path.layer, caller);
  const Parameters& p = held.parameters[leaf];
  if (p.entries().empty()) return factorOf(held.structure->leaves[leaf].layer, path, kind, caller);
  checkLearnable(p, path, caller);
  return p.find(path.parameter)->factors.*kind.ofParameter;
}

double factorOf(const AnyLayer& layer, std::string_view parameter, Kind kind, const Caller& caller) {
  if (const network::NetworkLayer* nested = network::nestedIn(layer))
    return factorOf(nested->net, split(parameter, caller), kind, caller);
  return factorOf(layer, {layer.name(), std::string(parameter)}, kind, caller);
}

AnyLayer layerWithFactor(const AnyLayer& layer, std::string_view parameter, double factor, Kind kind, const Caller& caller) {
  checkFactor(factor, caller);
  if (!network::nestedIn(layer)) checkToCome(*layer, {layer.name(), std::string(parameter)}, caller);
  return withFactor(layer, std::string(parameter), factor, kind, caller);
}

}  // namespace

DlNetwork setLearnRateFactor(const DlNetwork& net, std::string_view layer, std::string_view parameter, double factor,
                             std::source_location where) {
  const Caller caller{"setLearnRateFactor", where};
  return withFactor(net, joined(layer, parameter, caller), factor, learnRate, caller);
}
DlNetwork setLearnRateFactor(const DlNetwork& net, std::string_view path, double factor, std::source_location where) {
  const Caller caller{"setLearnRateFactor", where};
  return withFactor(net, split(path, caller), factor, learnRate, caller);
}
AnyLayer setLearnRateFactor(const AnyLayer& layer, std::string_view parameter, double factor, std::source_location where) {
  return layerWithFactor(layer, parameter, factor, learnRate, {"setLearnRateFactor", where});
}
DlNetwork setL2Factor(const DlNetwork& net, std::string_view layer, std::string_view parameter, double factor,
                      std::source_location where) {
  const Caller caller{"setL2Factor", where};
  return withFactor(net, joined(layer, parameter, caller), factor, l2, caller);
}
DlNetwork setL2Factor(const DlNetwork& net, std::string_view path, double factor, std::source_location where) {
  const Caller caller{"setL2Factor", where};
  return withFactor(net, split(path, caller), factor, l2, caller);
}
AnyLayer setL2Factor(const AnyLayer& layer, std::string_view parameter, double factor, std::source_location where) {
  return layerWithFactor(layer, parameter, factor, l2, {"setL2Factor", where});
}

double getLearnRateFactor(const DlNetwork& net, std::string_view layer, std::string_view parameter, std::source_location where) {
  const Caller caller{"getLearnRateFactor", where};
  return factorOf(net, joined(layer, parameter, caller), learnRate, caller);
}
double getLearnRateFactor(const DlNetwork& net, std::string_view path, std::source_location where) {
  const Caller caller{"getLearnRateFactor", where};
  return factorOf(net, split(path, caller), learnRate, caller);
}
double getLearnRateFactor(const AnyLayer& layer, std::string_view parameter, std::source_location where) {
  return factorOf(layer, parameter, learnRate, {"getLearnRateFactor", where});
}
double getL2Factor(const DlNetwork& net, std::string_view layer, std::string_view parameter, std::source_location where) {
  const Caller caller{"getL2Factor", where};
  return factorOf(net, joined(layer, parameter, caller), l2, caller);
}
double getL2Factor(const DlNetwork& net, std::string_view path, std::source_location where) {
  const Caller caller{"getL2Factor", where};
  return factorOf(net, split(path, caller), l2, caller);
}
double getL2Factor(const AnyLayer& layer, std::string_view parameter, std::source_location where) {
  return factorOf(layer, parameter, l2, {"getL2Factor", where});
}

}  // namespace dl
