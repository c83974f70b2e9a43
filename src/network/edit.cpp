// Changing graphs and networks.
#include "network/nested.hpp"
#include "network/network.hpp"

#include "core/fail.hpp"

#include <algorithm>

namespace dl {

using network::Caller;

namespace {

// ---- of graphs -----------------------------------------------------------------------------------------------------------

std::string_view layerOf(std::string_view path) { return path.substr(0, path.find('/')); }

std::string sourcePath(const std::vector<AnyLayer>& layers, const network::Port& port) {
  return network::portPath(layers[port.layer].name(), layers[port.layer]->outputNames(), port.port);
}
std::string destinationPath(const std::vector<AnyLayer>& layers, const network::Port& port) {
  return network::portPath(layers[port.layer].name(), network::inputPorts(layers[port.layer]), port.port);
}
Connection connectionOf(const LayerGraph& graph, std::string_view source, std::string_view destination, const Caller& caller) {
  return {sourcePath(graph.layers(), network::sourcePort(graph.layers(), source, caller)),
          destinationPath(graph.layers(), network::destinationPort(graph.layers(), destination, caller))};
}

LayerGraph added(const LayerGraph& graph, std::vector<AnyLayer> layers, const Caller& caller) {
  layers = network::named(std::move(layers), graph.layers());
  network::throwIssues(network::nameProblems(layers, graph.layers()), "network:name", caller);
  LayerGraph result = graph;
  std::vector<AnyLayer>& together = GraphAccess::layers(result);
  const std::size_t first = together.size();
  std::ranges::move(layers, std::back_inserter(together));
  network::connectInSeries(result, first, together.size());
  return result;
}

LayerGraph removed(const LayerGraph& graph, const std::vector<std::string>& names, const Caller& caller) {
  for (const std::string& name : names) network::requirePosition(graph.layers(), name, caller);
  const auto gone = [&](std::string_view name) { return std::ranges::find(names, name) != names.end(); };
  LayerGraph result = graph;
  std::erase_if(GraphAccess::layers(result), [&](const AnyLayer& layer) { return gone(layer.name()); });
  std::erase_if(GraphAccess::connections(result),
                [&](const Connection& c) { return gone(layerOf(c.source)) || gone(layerOf(c.destination)); });
  return result;
}

LayerGraph connected(const LayerGraph& graph, std::string_view source, std::string_view destination, const Caller& caller) {
  const Connection connection = connectionOf(graph, source, destination, caller);
  const auto known = std::ranges::find(graph.connections(), connection.destination, &Connection::destination);
  if (known != graph.connections().end())
    fail(caller.where, "network:connected", "{}: \"{}\" is fed by \"{}\" already; disconnect them first", caller.function,
         connection.destination, known->source);
  LayerGraph result = graph;
  GraphAccess::connections(result).push_back(connection);
  network::evaluationOrder(network::sourcesOf(result, caller), result.layers(), caller);
  return result;
}

LayerGraph disconnected(const LayerGraph& graph, std::string_view source, std::string_view destination, const Caller& caller) {
  const Connection connection = connectionOf(graph, source, destination, caller);
  LayerGraph result = graph;
  if (std::erase(GraphAccess::connections(result), connection) == 0) {
    const auto known = std::ranges::find(graph.connections(), connection.destination, &Connection::destination);
    fail(caller.where, "network:connected", "{}: \"{}\" does not feed \"{}\"; {}", caller.function, connection.source,
         connection.destination, known == graph.connections().end() ? "nothing does" : "\"" + known->source + "\" does");
  }
  return result;
}

// The port of a new layer that takes the place of an old one's.
std::string reconnected(const std::string& layer, const std::vector<std::string>& ports, const std::vector<std::string>& oldPorts,
                        std::size_t port, std::string_view reconnectBy, const char* side, const Caller& caller) {
  std::size_t at = port;
  if (reconnectBy == "name") at = static_cast<std::size_t>(std::ranges::find(ports, oldPorts[port]) - ports.begin());
  if (at >= ports.size())
    fail(caller.where, "network:port", "{}: the new layer \"{}\" has no {} {} to connect again; its {}s are {}{}",
         caller.function, layer, side, reconnectBy == "name" ? "\"" + oldPorts[port] + "\"" : fmt::format("number {}", port + 1),
         side, network::listed(ports), reconnectBy == "name" ? "; .reconnectBy = \"order\" goes by order instead" : "");
  return network::portPath(layer, ports, at);
}

LayerGraph replaced(const LayerGraph& graph, std::string_view name, std::vector<AnyLayer>& layers,
                    const ReplaceLayerOptions& options, const Caller& caller) {
  if (options.reconnectBy != "name" && options.reconnectBy != "order")
    fail(caller.where, "network:reconnectBy", "{}: .reconnectBy is \"{}\"; use \"name\" or \"order\"", caller.function,
         options.reconnectBy);
  const std::size_t at = network::requirePosition(graph.layers(), name, caller);
  if (layers.empty())
    fail(caller.where, "network:layers", "{}: no layers to put in the place of \"{}\"; use removeLayers to remove it",
         caller.function, name);
  const AnyLayer old = graph.layers()[at];
  std::vector<AnyLayer> others = graph.layers();
  others.erase(others.begin() + static_cast<std::ptrdiff_t>(at));
  layers = network::named(std::move(layers), others);
  network::throwIssues(network::nameProblems(layers, others), "network:name", caller);

  std::vector<Connection> connections;
  const AnyLayer &first = layers.front(), &last = layers.back();
  for (Connection connection : graph.connections()) {
    if (layerOf(connection.source) == name)
      connection.source =
          reconnected(last.name(), last->outputNames(), old->outputNames(),
                      network::sourcePort(graph.layers(), connection.source, caller).port, options.reconnectBy, "output", caller);
    if (layerOf(connection.destination) == name)
      connection.destination = reconnected(first.name(), network::inputPorts(first), network::inputPorts(old),
                                           network::destinationPort(graph.layers(), connection.destination, caller).port,
                                           options.reconnectBy, "input", caller);
    connections.push_back(std::move(connection));
  }
  std::vector<AnyLayer> together = std::move(others);
  together.insert(together.begin() + static_cast<std::ptrdiff_t>(at), layers.begin(), layers.end());
  LayerGraph result = GraphAccess::make(std::move(together), std::move(connections));
  network::connectInSeries(result, at, at + layers.size());
  return result;
}

// ---- of networks ---------------------------------------------------------------------------------------------------------

// The network of a changed graph: layers that were there before keep their values, `fresh` ones come with their own, if any.
DlNetwork rebuilt(const DlNetwork& net, LayerGraph graph, const std::vector<std::string>& fresh, const Caller& caller) {
  const detail::Network& before = NetworkAccess::of(net);
  std::vector<std::string> outputs = before.structure->chosenOutputs;
  std::erase_if(outputs, [&](const std::string& path) {
    return network::positionOf(graph.layers(), layerOf(path)) == graph.layers().size();
  });
  network::Compiled compiled = network::compile(std::move(graph), std::move(outputs), caller);
  for (std::size_t i = 0; i < compiled.parameters.size(); ++i) {
    const std::string& path = compiled.structure->leaves[i].path;
    if (std::ranges::find(fresh, layerOf(path)) != fresh.end()) continue;
    const auto known = std::ranges::find(before.structure->leaves, path, &network::Leaf::path);
    if (known != before.structure->leaves.end())
      compiled.parameters[i] = before.parameters[static_cast<std::size_t>(known - before.structure->leaves.begin())];
  }
  return NetworkAccess::make(std::move(compiled.structure), std::move(compiled.parameters), false);
}

std::vector<std::string> namesAfter(const LayerGraph& graph, std::size_t first) {
  std::vector<std::string> names = network::namesOf(graph.layers());
  names.erase(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(first));
  return names;
}

DlNetwork addedTo(const DlNetwork& net, std::vector<AnyLayer> layers, const Caller& caller) {
  LayerGraph graph = added(NetworkAccess::graph(net), std::move(layers), caller);
  const std::vector<std::string> fresh = namesAfter(graph, net.layers().size());
  return rebuilt(net, std::move(graph), fresh, caller);
}

// A layer at the top with the values that the network holds for it, if it is a network.
AnyLayer withValues(const DlNetwork& net, const AnyLayer& layer) {
  const network::NetworkLayer* nested = network::nestedIn(layer);
  if (!nested) return layer;
  const detail::Network &held = NetworkAccess::of(net), &inner = NetworkAccess::of(nested->net);
  const std::string prefix = layer.name() + "/";
  std::vector<Parameters> parameters;
  for (std::size_t i = 0; i < held.parameters.size(); ++i)
    if (held.structure->leaves[i].path.starts_with(prefix)) parameters.push_back(held.parameters[i]);
  return network::withNetwork(layer, NetworkAccess::make(inner.structure, std::move(parameters), held.initialized));
}

AnyLayer layerAt(const AnyLayer& layer, std::string_view rest, const Caller& caller) {
  if (rest.empty()) return layer;
  const network::NetworkLayer* nested = network::nestedIn(layer);
  if (!nested)
    fail(caller.where, "network:layer", "{}: layer \"{}\" holds no network in which there could be a layer \"{}\"",
         caller.function, layer.name(), rest);
  const std::string_view name = layerOf(rest);
  const AnyLayer& inner = nested->net.layers()[network::requirePosition(nested->net.layers(), name, caller)];
  return layerAt(withValues(nested->net, inner), name.size() == rest.size() ? std::string_view() : rest.substr(name.size() + 1),
                 caller);
}

}  // namespace

LayerGraph addLayers(const LayerGraph& graph, LayerArray layers, std::source_location where) {
  return added(graph, std::move(layers).layers(), {"addLayers", where});
}
DlNetwork addLayers(const DlNetwork& net, LayerArray layers, std::source_location where) {
  return addedTo(net, std::move(layers).layers(), {"addLayers", where});
}

namespace detail {
std::vector<std::string> listOf(std::string_view name) { return {std::string(name)}; }
}  // namespace detail

LayerGraph removeLayers(const LayerGraph& graph, const std::vector<std::string>& names, std::source_location where) {
  return removed(graph, names, {"removeLayers", where});
}
DlNetwork removeLayers(const DlNetwork& net, const std::vector<std::string>& names, std::source_location where) {
  const Caller caller{"removeLayers", where};
  return rebuilt(net, removed(NetworkAccess::graph(net), names, caller), {}, caller);
}

LayerGraph replaceLayer(const LayerGraph& graph, std::string_view name, LayerArray layers, const ReplaceLayerOptions& options,
                        std::source_location where) {
  std::vector<AnyLayer> list = std::move(layers).layers();
  return replaced(graph, name, list, options, {"replaceLayer", where});
}
DlNetwork replaceLayer(const DlNetwork& net, std::string_view name, LayerArray layers, const ReplaceLayerOptions& options,
                       std::source_location where) {
  const Caller caller{"replaceLayer", where};
  std::vector<AnyLayer> list = std::move(layers).layers();
  LayerGraph graph = replaced(NetworkAccess::graph(net), name, list, options, caller);
  return rebuilt(net, std::move(graph), network::namesOf(list), caller);
}

LayerGraph connectLayers(const LayerGraph& graph, std::string_view source, std::string_view destination,
                         std::source_location where) {
  return connected(graph, source, destination, {"connectLayers", where});
}
DlNetwork connectLayers(const DlNetwork& net, std::string_view source, std::string_view destination, std::source_location where) {
  const Caller caller{"connectLayers", where};
  return rebuilt(net, connected(NetworkAccess::graph(net), source, destination, caller), {}, caller);
}

LayerGraph disconnectLayers(const LayerGraph& graph, std::string_view source, std::string_view destination,
                            std::source_location where) {
  return disconnected(graph, source, destination, {"disconnectLayers", where});
}
DlNetwork disconnectLayers(const DlNetwork& net, std::string_view source, std::string_view destination,
                           std::source_location where) {
  const Caller caller{"disconnectLayers", where};
  return rebuilt(net, disconnected(NetworkAccess::graph(net), source, destination, caller), {}, caller);
}

DlNetwork addInputLayer(const DlNetwork& net, const AnyLayer& layer, std::string_view input, std::source_location where) {
  const Caller caller{"addInputLayer", where};
  const auto& structure = *NetworkAccess::of(net).structure;
  if (!layer->input())
    fail(where, "network:input", "addInputLayer: \"{}\", a {}, is no input layer", layer.name(), layer->type());
  std::vector<std::string> open;
  for (std::size_t i = 0; i < structure.inputNames.size(); ++i)
    if (network::positionOf(net.layers(), structure.inputNames[i]) == net.layers().size() ||
        !net.layers()[network::positionOf(net.layers(), structure.inputNames[i])]->input())
      open.push_back(structure.inputNames[i]);
  if (open.empty() || (!input.empty() && std::ranges::find(open, input) == open.end()))
    fail(where, "network:input", "addInputLayer: the network has no input {}that lacks a layer; those that do are {}",
         input.empty() ? "" : fmt::format("\"{}\" ", input), network::listed(open));
  const DlNetwork wider = addedTo(net, {layer}, caller);
  LayerGraph graph =
      connected(NetworkAccess::graph(wider), wider.layers().back().name(), input.empty() ? open[0] : std::string(input), caller);
  // First among the layers, as if it had been there from the start.
  std::vector<AnyLayer>& layers = GraphAccess::layers(graph);
  std::ranges::rotate(layers, layers.end() - 1);
  DlNetwork result = rebuilt(wider, std::move(graph), {}, caller);
  const auto& layouts = NetworkAccess::of(result).structure->inputLayouts;
  return std::ranges::count(layouts, nullptr) == 0 ? initialize(result, {}, where) : result;
}

AnyLayer getLayer(const DlNetwork& net, std::string_view path, std::source_location where) {
  const Caller caller{"getLayer", where};
  const std::string_view name = layerOf(path);
  const AnyLayer& layer = net.layers()[network::requirePosition(net.layers(), name, caller)];
  return layerAt(withValues(net, layer), name.size() == path.size() ? std::string_view() : path.substr(name.size() + 1), caller);
}
AnyLayer getLayer(const LayerGraph& graph, std::string_view path, std::source_location where) {
  const Caller caller{"getLayer", where};
  const std::string_view name = layerOf(path);
  const AnyLayer& layer = graph.layers()[network::requirePosition(graph.layers(), name, caller)];
  return layerAt(layer, name.size() == path.size() ? std::string_view() : path.substr(name.size() + 1), caller);
}

}  // namespace dl
