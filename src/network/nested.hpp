#pragma once
// A network as one layer of another.
#include <dlarray/network.hpp>

namespace dl::network {

/// In a network it is taken apart into its own layers; used alone, its parameters have names such as "conv1/Weights".
struct NetworkLayer : Layer {
  DlNetwork net;

  std::string type() const override { return "NetworkLayer"; }
  std::string stem() const override { return "network"; }
  std::vector<std::string> inputNames() const override { return net.inputNames(); }
  std::vector<std::string> outputNames() const override { return net.outputNames(); }
  void initialize(Parameters& p, const std::vector<DataLayout>& in) const override;
  std::vector<DlArray> predict(const std::vector<DlArray>& X, const Parameters& p) const override;
  std::vector<DlArray> forward(const std::vector<DlArray>& X, const Parameters& p, Parameters& newState) const override;
  std::vector<DlArray> predictAndUpdate(const std::vector<DlArray>& X, const Parameters& p, Parameters& newState) const override;
  void resetState(Parameters& p) const override;
  void options(OptionVisitor& visit) override { visit("network", net); }
};

/// The network inside of a layer, null for layers of other kinds.
const NetworkLayer* nestedIn(const AnyLayer& layer) noexcept;
/// The layer around another network.
AnyLayer withNetwork(const AnyLayer& layer, DlNetwork net);

}  // namespace dl::network
