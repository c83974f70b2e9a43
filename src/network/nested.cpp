#include "network/nested.hpp"

#include "network/evaluate.hpp"

namespace dl {

AnyLayer networkLayer(const DlNetwork& net, const NetworkLayerOptions& options) {
  network::NetworkLayer layer;
  layer.name = options.name;
  layer.net = net;
  return layer;
}

}  // namespace dl

namespace dl::network {

namespace {

// The network with the parameters that somebody else holds for it, under names such as "conv1/Weights".
DlNetwork filled(const DlNetwork& net, const Parameters& p, bool initialized) {
  const detail::Network& held = NetworkAccess::of(net);
  std::vector<Parameters> parameters = held.parameters;
  for (std::size_t leaf = 0; leaf < parameters.size(); ++leaf) {
    const std::string prefix = held.structure->leaves[leaf].path + "/";
    for (const Parameters::Entry& entry : p.entries()) {
      if (!entry.name.starts_with(prefix) || entry.name.find('/', prefix.size()) != std::string::npos) continue;
      const std::string name = entry.name.substr(prefix.size());
      if (Parameters::Entry* known = parameters[leaf].find(name))
        known->value = entry.value;
      else
        parameters[leaf].entries().push_back({name, entry.value, entry.factors, entry.isState});
    }
  }
  return NetworkAccess::make(held.structure, std::move(parameters), initialized);
}

std::vector<DlArray> runNested(const DlNetwork& net, const std::vector<DlArray>& X, const Parameters& p, detail::Mode mode,
                               Parameters* newState) {
  const DlNetwork own = filled(net, p, true);
  const detail::Network& held = NetworkAccess::of(own);
  NetworkState state = own.state();
  std::vector<DlArray> results =
      run(held, X, held.structure->schedule, held.structure->outputs, mode, newState ? &state : nullptr, {"networkLayer", {}});
  if (newState)
    for (const ParameterTable::Row& row : state) newState->state(row.layer + "/" + row.parameter, row.value);
  return results;
}

}  // namespace

void NetworkLayer::initialize(Parameters& p, const std::vector<DataLayout>& in) const {
  const DlNetwork ready = dl::initialize(filled(net, p, false), in);
  for (const ParameterTable::Row& row : ready.learnables()) p.learnable(row.layer + "/" + row.parameter, row.value, row.factors);
  for (const ParameterTable::Row& row : ready.state()) p.state(row.layer + "/" + row.parameter, row.value);
}
std::vector<DlArray> NetworkLayer::predict(const std::vector<DlArray>& X, const Parameters& p) const {
  return runNested(net, X, p, detail::Mode::Predict, nullptr);
}
std::vector<DlArray> NetworkLayer::forward(const std::vector<DlArray>& X, const Parameters& p, Parameters& newState) const {
  return runNested(net, X, p, detail::Mode::Forward, &newState);
}
std::vector<DlArray> NetworkLayer::predictAndUpdate(const std::vector<DlArray>& X, const Parameters& p,
                                                    Parameters& newState) const {
  return runNested(net, X, p, detail::Mode::PredictAndUpdate, &newState);
}
void NetworkLayer::resetState(Parameters& p) const {
  for (const ParameterTable::Row& row : dl::resetState(filled(net, p, true)).state()) {
    const std::string path = row.layer + "/" + row.parameter;
    if (Parameters::Entry* known = p.find(path))
      known->value = row.value;
    else
      p.state(path, row.value);
  }
}

const NetworkLayer* nestedIn(const AnyLayer& layer) noexcept { return dynamic_cast<const NetworkLayer*>(&*layer); }

AnyLayer withNetwork(const AnyLayer& layer, DlNetwork net) {
  return layer.changed([&](Layer& l) { static_cast<NetworkLayer&>(l).net = net; });
}

}  // namespace dl::network
