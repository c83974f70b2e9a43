#pragma once
// How layers are joined: names, ports, order.
#include <dlarray/network.hpp>

#include <optional>

namespace dl {

/// The library's own way into a graph, past all checks.
struct GraphAccess {
  static LayerGraph make(std::vector<AnyLayer> layers, std::vector<Connection> connections) {
    LayerGraph graph;
    graph.layers_ = std::move(layers);
    graph.connections_ = std::move(connections);
    return graph;
  }
  static std::vector<AnyLayer>& layers(LayerGraph& graph) noexcept { return graph.layers_; }
  static std::vector<Connection>& connections(LayerGraph& graph) noexcept { return graph.connections_; }
};

}  // namespace dl

namespace dl::network {

/// Who complains, and about which line.
struct Caller {
  const char* function;
  std::source_location where;
};

using Issue = NetworkAnalysis::Issue;

/// "conv1, relu1, fc": at most twenty names, then how many more; "none" for an empty list.
std::string listed(const std::vector<std::string>& names);
std::vector<std::string> namesOf(const std::vector<AnyLayer>& layers);
/// The ports that data comes in by: those of an input layer are the network's own, so that it has none to connect to.
std::vector<std::string> inputPorts(const AnyLayer& layer);
/// "relu", or "pool/indices" where there are several ports.
std::string portPath(const std::string& layer, const std::vector<std::string>& ports, std::size_t port);

/// The position of a layer; the number of layers when there is none of this name.
std::size_t positionOf(const std::vector<AnyLayer>& layers, std::string_view name) noexcept;
/// The same, or an error that lists the layers.
std::size_t requirePosition(const std::vector<AnyLayer>& layers, std::string_view name, const Caller& caller);

/// One port of one layer of a graph.
struct Port {
  std::size_t layer, port;
  friend bool operator==(const Port&, const Port&) noexcept = default;
};
/// The port that "conv1" or "pool/indices" names; throws with a list of what there is. Without a port, a source means its first
/// output and a destination its only input.
Port sourcePort(const std::vector<AnyLayer>& layers, std::string_view path, const Caller& caller);
Port destinationPort(const std::vector<AnyLayer>& layers, std::string_view path, const Caller& caller);

/// The layers with names for those that have none: what the layer's automatic names begin with, and _1, _2, ... where there are
/// several. Names of `others` are taken.
std::vector<AnyLayer> named(std::vector<AnyLayer> layers, const std::vector<AnyLayer>& others = {});
/// What is wrong with the names of layers: used twice, or holding '/'.
std::vector<Issue> nameProblems(const std::vector<AnyLayer>& layers, const std::vector<AnyLayer>& others = {});
/// Other names for layers whose names cannot be, so that the rest of them can be looked at: "relu (2)" for the second relu.
void makeDistinct(std::vector<AnyLayer>& layers);
/// One error with all problems, a line each; nothing when there are none.
void throwIssues(const std::vector<Issue>& issues, std::string_view identifier, const Caller& caller);

/// A graph of layers in series, named and checked. What `layerGraph` does, in the name of another function.
LayerGraph inSeries(std::vector<AnyLayer> layers, const Caller& caller);
/// Joins layers [first, last) in series.
void connectInSeries(LayerGraph& graph, std::size_t first, std::size_t last);

/// Where every input comes from, by layer and port; none for inputs that nothing feeds.
std::vector<std::vector<std::optional<Port>>> sourcesOf(const LayerGraph& graph, const Caller& caller);
/// The layers so that each follows those that feed it, otherwise in the order of the graph. Throws for cycles, naming the layers
/// on one.
std::vector<std::size_t> evaluationOrder(const std::vector<std::vector<std::optional<Port>>>& sources,
                                         const std::vector<AnyLayer>& layers, const Caller& caller);

}  // namespace dl::network
