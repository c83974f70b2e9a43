// From a graph to a list of layers at work, each with the places of its inputs and outputs.
#include "network/network.hpp"
#include "network/nested.hpp"
#include "core/fail.hpp"

#include <algorithm>

namespace dl::network {

namespace {

class Compiler {
 public:
  Compiler(LayerGraph graph, const Caller& caller)
      : caller_(caller), structure_(std::make_shared<Structure>()), feeds_(sourcesOf(graph, caller)) {
    structure_->graph = std::move(graph);
    placeLeaves();
    placeInputs();
    slots_.resize(layers().size());
    sources_.resize(layers().size());
    for (const std::size_t layer : evaluationOrder(feeds_, layers(), caller)) addLayer(layer);
    for (std::vector<Source>& of : sources_)
      for (Source& source : of) structure_->sources.push_back(std::move(source));
  }

  Compiled finish(std::vector<std::string> outputNames) {
    Structure& s = *structure_;
    s.chosenOutputs = std::move(outputNames);
    s.outputNames = s.chosenOutputs;
    for (const std::string& name : s.outputNames) s.outputs.push_back(slotOf(s, name, caller_));
    if (s.outputNames.empty()) takeFreeOutputs();
    s.schedule = scheduleFor(s, s.outputs);
    return {std::move(structure_), std::move(parameters_)};
  }

 private:
  const std::vector<AnyLayer>& layers() const { return structure_->graph.layers(); }
  Slot newSlot() { return structure_->slotCount++; }

  // The values of nested networks become this network's own, and theirs are given up: they would only grow old.
  void placeLeaves() {
    for (AnyLayer& layer : GraphAccess::layers(structure_->graph)) {
      firstLeaf_.push_back(static_cast<std::uint32_t>(structure_->leaves.size()));
      if (const NetworkLayer* nested = nestedIn(layer)) {
        const detail::Network& inner = NetworkAccess::of(nested->net);
        for (std::size_t i = 0; i < inner.parameters.size(); ++i) {
          const Leaf& leaf = inner.structure->leaves[i];
          structure_->leaves.push_back({layer.name() + "/" + leaf.path, leaf.layer});
          parameters_.push_back(inner.parameters[i]);
        }
        layer = withNetwork(layer, NetworkAccess::make(inner.structure, std::vector<Parameters>(inner.parameters.size()), false));
      } else {
        structure_->leaves.push_back({layer.name(), layer});
        parameters_.emplace_back();
      }
    }
  }

  void placeInputs() {
    structure_->inputNames = structure_->graph.inputNames();
    for (std::size_t i = 0; i < layers().size(); ++i) {
      const AnyLayer& layer = layers()[i];
      if (layer->input()) addInput({i, 0}, layer->input());
      const NetworkLayer* nested = nestedIn(layer);
      for (std::size_t port = 0; port < feeds_[i].size(); ++port)
        if (!feeds_[i][port])
          addInput({i, port}, nested ? NetworkAccess::of(nested->net).structure->inputLayouts[port] : nullptr);
    }
  }
  void addInput(const Port& port, const DataLayout* layout) {
    structure_->inputLayouts.push_back(layout);
    inputSlots_.push_back({port, newSlot()});
  }

  std::vector<Slot> inputsOf(std::size_t layer) const {
    const auto given = [&](std::size_t port) {
      return std::ranges::find(inputSlots_, Port{layer, port}, &std::pair<Port, Slot>::first)->second;
    };
    if (layers()[layer]->input()) return {given(0)};
    std::vector<Slot> inputs;
    for (std::size_t port = 0; port < feeds_[layer].size(); ++port) {
      const std::optional<Port>& feed = feeds_[layer][port];
      inputs.push_back(feed ? slots_[feed->layer][feed->port] : given(port));
    }
    return inputs;
  }

  void addLayer(std::size_t i) {
    const AnyLayer& layer = layers()[i];
    const std::vector<std::string> ports = layer->outputNames();
    if (const NetworkLayer* nested = nestedIn(layer)) {
      addNested(i, *NetworkAccess::of(nested->net).structure, ports);
      return;
    }
    const Slot first = structure_->slotCount;
    for (std::size_t port = 0; port < ports.size(); ++port) slots_[i].push_back(newSlot());
    structure_->steps.push_back({firstLeaf_[i], inputsOf(i), first, static_cast<std::uint32_t>(ports.size())});
    sources_[i].push_back({layer.name(), ports, slots_[i]});
  }

  void addNested(std::size_t i, const Structure& inner, const std::vector<std::string>& ports) {
    std::vector<Slot> place = inputsOf(i);
    place.resize(inner.slotCount);
    const auto placed = [&](std::vector<Slot> slots) {
      for (Slot& slot : slots) slot = place[slot];
      return slots;
    };
    for (const Step& step : inner.steps) {
      const Slot first = structure_->slotCount;
      for (std::uint32_t k = 0; k < step.outputCount; ++k) place[step.firstOutput + k] = newSlot();
      structure_->steps.push_back({firstLeaf_[i] + step.leaf, placed(step.inputs), first, step.outputCount});
    }
    slots_[i] = placed(inner.outputs);
    sources_[i].push_back({layers()[i].name(), ports, slots_[i]});
    for (const Source& source : inner.sources)
      sources_[i].push_back({layers()[i].name() + "/" + source.path, source.ports, placed(source.slots)});
  }

  void takeFreeOutputs() {
    Structure& s = *structure_;
    s.outputNames = s.graph.outputNames();
    for (const std::string& name : s.outputNames) {
      const Port port = sourcePort(layers(), name, caller_);
      s.outputs.push_back(slots_[port.layer][port.port]);
    }
  }

  const Caller& caller_;
  std::shared_ptr<Structure> structure_;
  std::vector<Parameters> parameters_;
  std::vector<std::vector<std::optional<Port>>> feeds_;  // by layer and input
  std::vector<std::uint32_t> firstLeaf_;                 // by layer
  std::vector<std::pair<Port, Slot>> inputSlots_;
  std::vector<std::vector<Slot>> slots_;  // of outputs, by layer
  std::vector<std::vector<Source>> sources_;
};

}  // namespace

Compiled compile(LayerGraph graph, std::vector<std::string> outputNames, const Caller& caller) {
  return Compiler(std::move(graph), caller).finish(std::move(outputNames));
}

Slot slotOf(const Structure& structure, std::string_view path, const Caller& caller) {
  std::vector<std::string> paths;
  for (const Source& source : structure.sources) {
    paths.push_back(source.path);
    if (source.slots.empty() || !path.starts_with(source.path)) continue;
    std::string_view port = path.substr(source.path.size());
    if (port.empty()) return source.slots[0];
    if (port[0] != '/') continue;
    port.remove_prefix(1);
    const auto found = std::ranges::find(source.ports, port);
    if (found != source.ports.end()) return source.slots[static_cast<std::size_t>(found - source.ports.begin())];
    if (structure.sources.back().path == source.path || !(&source + 1)->path.starts_with(source.path + "/"))
      fail(caller.where, "network:output", "{}: layer \"{}\" has no output \"{}\"; its outputs are {}", caller.function,
           source.path, port, listed(source.ports));
  }
  fail(caller.where, "network:output", "{}: there is no layer \"{}\" to give an output; the layers are {}", caller.function, path,
       listed(paths));
}

Schedule scheduleFor(const Structure& structure, const std::vector<Slot>& outputs) {
  Schedule schedule;
  schedule.reads.assign(structure.slotCount, 0);
  for (const Slot slot : outputs) ++schedule.reads[slot];
  for (std::size_t i = structure.steps.size(); i-- > 0;) {
    const Step& step = structure.steps[i];
    const auto first = schedule.reads.begin() + step.firstOutput;
    if (std::all_of(first, first + step.outputCount, [](std::uint32_t reads) { return reads == 0; })) continue;
    schedule.steps.push_back(static_cast<std::uint32_t>(i));
    for (const Slot slot : step.inputs) ++schedule.reads[slot];
  }
  std::ranges::reverse(schedule.steps);
  return schedule;
}

}  // namespace dl::network
