#include "network/graph.hpp"

#include "core/fail.hpp"

#include <algorithm>

namespace dl {

bool operator==(const Connection& a, const Connection& b) noexcept {
  return a.source == b.source && a.destination == b.destination;
}

LayerArray::LayerArray(std::vector<AnyLayer> layers) : layers_(std::move(layers)) {}
LayerArray::LayerArray(std::initializer_list<AnyLayer> layers) : layers_(layers) {}
LayerArray::LayerArray(const LayerArray& other) = default;
LayerArray::LayerArray(LayerArray&& other) noexcept = default;
LayerArray& LayerArray::operator=(const LayerArray& other) = default;
LayerArray& LayerArray::operator=(LayerArray&& other) noexcept = default;
LayerArray::~LayerArray() = default;
std::vector<AnyLayer> LayerArray::layers() && { return std::move(layers_); }

LayerGraph::LayerGraph() noexcept = default;
LayerGraph::LayerGraph(const LayerGraph& other) = default;
LayerGraph::LayerGraph(LayerGraph&& other) noexcept = default;
LayerGraph& LayerGraph::operator=(const LayerGraph& other) = default;
LayerGraph& LayerGraph::operator=(LayerGraph&& other) noexcept = default;
LayerGraph::~LayerGraph() = default;

std::vector<std::string> LayerGraph::inputNames() const {
  const auto sources = network::sourcesOf(*this, {"layerGraph", {}});
  std::vector<std::string> names;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    if (layers_[i]->input()) names.push_back(layers_[i].name());
    const std::vector<std::string> ports = network::inputPorts(layers_[i]);
    for (std::size_t port = 0; port < ports.size(); ++port)
      if (!sources[i][port]) names.push_back(network::portPath(layers_[i].name(), ports, port));
  }
  return names;
}

std::vector<std::string> LayerGraph::outputNames() const {
  std::vector<network::Port> used;
  for (const auto& inputs : network::sourcesOf(*this, {"layerGraph", {}}))
    for (const auto& source : inputs)
      if (source) used.push_back(*source);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const std::vector<std::string> ports = layers_[i]->outputNames();
    for (std::size_t port = 0; port < ports.size(); ++port)
      if (std::ranges::find(used, network::Port{i, port}) == used.end())
        names.push_back(network::portPath(layers_[i].name(), ports, port));
  }
  return names;
}

LayerGraph layerGraph(LayerArray layers, std::source_location where) {
  return network::inSeries(std::move(layers).layers(), {"layerGraph", where});
}

}  // namespace dl

namespace dl::network {

std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t most = 20;
  if (names.empty()) return "none";
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), most); ++i) text += (i ? ", " : "") + names[i];
  if (names.size() > most) text += fmt::format(" and {} more", names.size() - most);
  return text;
}

std::vector<std::string> namesOf(const std::vector<AnyLayer>& layers) {
  std::vector<std::string> names;
  for (const AnyLayer& layer : layers) names.push_back(layer.name());
  return names;
}

std::vector<std::string> inputPorts(const AnyLayer& layer) {
  return layer->input() ? std::vector<std::string>() : layer->inputNames();
}

std::string portPath(const std::string& layer, const std::vector<std::string>& ports, std::size_t port) {
  return ports.size() > 1 ? layer + "/" + ports[port] : layer;
}

std::size_t positionOf(const std::vector<AnyLayer>& layers, std::string_view name) noexcept {
  std::size_t i = 0;
  while (i < layers.size() && layers[i].name() != name) ++i;
  return i;
}

std::size_t requirePosition(const std::vector<AnyLayer>& layers, std::string_view name, const Caller& caller) {
  const std::size_t i = positionOf(layers, name);
  if (i == layers.size())
    fail(caller.where, "network:layer", "{}: there is no layer \"{}\"; the layers are {}", caller.function, name,
         listed(namesOf(layers)));
  return i;
}

namespace {

// Layer names hold no '/', so the first one ends the layer; ports of nested networks may hold more.
std::pair<std::string_view, std::string_view> splitPort(std::string_view path) {
  const std::size_t slash = path.find('/');
  if (slash == std::string_view::npos) return {path, {}};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

std::size_t requirePort(const AnyLayer& layer, const std::vector<std::string>& ports, std::string_view port, const char* side,
                        const Caller& caller) {
  const auto found = std::ranges::find(ports, port);
  if (found == ports.end())
    fail(caller.where, "network:port", "{}: layer \"{}\" has no {} \"{}\"; its {}s are {}", caller.function, layer.name(), side,
         port, side, listed(ports));
  return static_cast<std::size_t>(found - ports.begin());
}

}  // namespace

Port sourcePort(const std::vector<AnyLayer>& layers, std::string_view path, const Caller& caller) {
  const auto [name, port] = splitPort(path);
  const std::size_t i = requirePosition(layers, name, caller);
  const std::vector<std::string> ports = layers[i]->outputNames();
  if (port.empty() && !ports.empty()) return {i, 0};
  return {i, requirePort(layers[i], ports, port, "output", caller)};
}

Port destinationPort(const std::vector<AnyLayer>& layers, std::string_view path, const Caller& caller) {
  const auto [name, port] = splitPort(path);
  const std::size_t i = requirePosition(layers, name, caller);
  const std::vector<std::string> ports = inputPorts(layers[i]);
  if (ports.empty())
    fail(caller.where, "network:port", "{}: layer \"{}\" has no inputs that another layer could feed", caller.function, name);
  if (port.empty() && ports.size() == 1) return {i, 0};
  if (port.empty())
    fail(caller.where, "network:port", "{}: layer \"{}\" has {} inputs, {}; name one, as \"{}/{}\"", caller.function, name,
         ports.size(), listed(ports), name, ports[0]);
  return {i, requirePort(layers[i], ports, port, "input", caller)};
}

std::vector<AnyLayer> named(std::vector<AnyLayer> layers, const std::vector<AnyLayer>& others) {
  std::vector<std::string> taken = namesOf(others), stems;
  for (const AnyLayer& layer : layers) {
    if (!layer.name().empty()) taken.push_back(layer.name());
    stems.push_back(layer.name().empty() ? layer->stem() : std::string());
  }
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (stems[i].empty()) continue;
    std::string name = stems[i];
    const bool several = std::ranges::count(stems, stems[i]) > 1;
    for (int number = 1; (several && number == 1 && name == stems[i]) || std::ranges::find(taken, name) != taken.end(); ++number)
      name = fmt::format("{}_{}", stems[i], number);
    taken.push_back(name);
    layers[i] = layers[i].named(std::move(name));
  }
  return layers;
}

std::vector<Issue> nameProblems(const std::vector<AnyLayer>& layers, const std::vector<AnyLayer>& others) {
  std::vector<Issue> issues;
  std::vector<std::string> seen;
  const std::vector<std::string> names = namesOf(layers), taken = namesOf(others);
  for (const std::string& name : names) {
    if (std::ranges::find(seen, name) != seen.end()) continue;
    seen.push_back(name);
    const auto count = std::ranges::count(names, name) + std::ranges::count(taken, name);
    if (name.empty()) issues.push_back({name, "a layer has no name, and its stem() gives none"});
    if (name.find('/') != std::string::npos)
      issues.push_back({name, "a name may not hold '/', which separates layers from ports and parameters"});
    if (count > 1) issues.push_back({name, fmt::format("{} layers have this name; names must differ", count)});
  }
  return issues;
}

void makeDistinct(std::vector<AnyLayer>& layers) {
  std::vector<std::string> taken;
  for (AnyLayer& layer : layers) {
    std::string base = layer.name();
    std::ranges::replace(base, '/', '|');
    std::string name = base;
    for (int number = 2; name.empty() || std::ranges::find(taken, name) != taken.end(); ++number)
      name = fmt::format("{} ({})", base, number);
    taken.push_back(name);
    layer = layer.named(std::move(name));
  }
}

void throwIssues(const std::vector<Issue>& issues, std::string_view identifier, const Caller& caller) {
  if (issues.empty()) return;
  const auto line = [](const Issue& issue) {
    return issue.layer.empty() ? issue.problem : fmt::format("layer \"{}\": {}", issue.layer, issue.problem);
  };
  std::string sentence = fmt::format("{}: ", caller.function);
  if (issues.size() == 1) {
    sentence += line(issues[0]);
  } else {
    sentence += fmt::format("{} problems", issues.size());
    for (const Issue& issue : issues) sentence += "\n  " + line(issue);
  }
  throwError(caller.where, identifier, std::move(sentence));
}

LayerGraph inSeries(std::vector<AnyLayer> layers, const Caller& caller) {
  layers = named(std::move(layers));
  throwIssues(nameProblems(layers), "network:name", caller);
  LayerGraph graph = GraphAccess::make(std::move(layers), {});
  connectInSeries(graph, 0, graph.layers().size());
  return graph;
}

void connectInSeries(LayerGraph& graph, std::size_t first, std::size_t last) {
  const std::vector<AnyLayer>& layers = graph.layers();
  for (std::size_t i = first + 1; i < last; ++i) {
    const std::vector<std::string> from = layers[i - 1]->outputNames(), to = inputPorts(layers[i]);
    if (from.empty() || to.empty()) continue;
    GraphAccess::connections(graph).push_back({portPath(layers[i - 1].name(), from, 0), portPath(layers[i].name(), to, 0)});
  }
}

std::vector<std::vector<std::optional<Port>>> sourcesOf(const LayerGraph& graph, const Caller& caller) {
  const std::vector<AnyLayer>& layers = graph.layers();
  std::vector<std::vector<std::optional<Port>>> sources;
  for (const AnyLayer& layer : layers) sources.emplace_back(inputPorts(layer).size());
  for (const Connection& connection : graph.connections()) {
    const Port from = sourcePort(layers, connection.source, caller), to = destinationPort(layers, connection.destination, caller);
    std::optional<Port>& source = sources[to.layer][to.port];
    if (source)
      fail(caller.where, "network:connected", "{}: two connections lead to \"{}\"; an input takes one", caller.function,
           connection.destination);
    source = from;
  }
  return sources;
}

namespace {
[[noreturn]] void failCycle(const std::vector<std::size_t>& backwards, std::size_t from, const std::vector<AnyLayer>& layers,
                            const Caller& caller) {
  std::string names = layers[backwards[from]].name();
  for (std::size_t i = backwards.size(); i-- > from;) names += " -> " + layers[backwards[i]].name();
  fail(caller.where, "network:cycle", "{}: the layers {} form a cycle; data must flow one way", caller.function, names);
}
}  // namespace

std::vector<std::size_t> evaluationOrder(const std::vector<std::vector<std::optional<Port>>>& sources,
                                         const std::vector<AnyLayer>& layers, const Caller& caller) {
  enum class Seen : std::uint8_t { No, Open, Done };
  std::vector<Seen> seen(layers.size(), Seen::No);
  std::vector<std::size_t> order, open, nextInput(layers.size(), 0);
  for (std::size_t first = 0; first < layers.size(); ++first) {
    if (seen[first] != Seen::No) continue;
    open.push_back(first);
    seen[first] = Seen::Open;
    while (!open.empty()) {
      const std::size_t at = open.back();
      if (nextInput[at] == sources[at].size()) {
        order.push_back(at);
        seen[at] = Seen::Done;
        open.pop_back();
        continue;
      }
      const std::optional<Port>& source = sources[at][nextInput[at]++];
      if (!source || seen[source->layer] == Seen::Done) continue;
      if (seen[source->layer] == Seen::Open) {
        const auto from = std::ranges::find(open, source->layer) - open.begin();
        failCycle(open, static_cast<std::size_t>(from), layers, caller);
      }
      open.push_back(source->layer);
      seen[source->layer] = Seen::Open;
    }
  }
  return order;
}

}  // namespace dl::network
