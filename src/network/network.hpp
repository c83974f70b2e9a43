#pragma once
// How a network is held: its structure, compiled once and shared by all copies, and the values of parameters.
#include "network/graph.hpp"

#include <memory>

namespace dl::network {

/// A layer that computes. Nested networks are taken apart into theirs, so that evaluation, parameters and paths know no nesting.
struct Leaf {
  std::string path;  // "conv1", "block/conv1"
  AnyLayer layer;
};

/// A value that flows: what the network is given, or an output of a leaf.
using Slot = std::uint32_t;

/// One leaf at work, in the order of evaluation.
struct Step {
  std::uint32_t leaf;
  std::vector<Slot> inputs;
  Slot firstOutput;
  std::uint32_t outputCount;
};

/// What a layer gives at any depth, by its path: leaves, and nested networks as wholes.
struct Source {
  std::string path;
  std::vector<std::string> ports;
  std::vector<Slot> slots;
};

/// Which steps run for some outputs, and how often each value is read by them.
struct Schedule {
  std::vector<std::uint32_t> steps;
  std::vector<std::uint32_t> reads;  // by slot; a value that is an output counts one more
};

/// All of a network but the values. Never changes once it is made.
struct Structure {
  LayerGraph graph;
  std::vector<std::string> chosenOutputs;  // as the user named them; empty: those that feed nothing
  std::vector<std::string> inputNames, outputNames;
  std::vector<const DataLayout*> inputLayouts;  // of the input layers, null for inputs that have none
  std::vector<Leaf> leaves;                     // in the order of layers
  std::vector<Step> steps;
  std::vector<Source> sources;
  Slot slotCount = 0;  // the first ones are the network's inputs
  std::vector<Slot> outputs;
  Schedule schedule;  // for `outputs`
};

/// A graph compiled, with the values that nested networks brought along.
struct Compiled {
  std::shared_ptr<const Structure> structure;
  std::vector<Parameters> parameters;  // one for each leaf
};
/// Throws for output names that do not exist, and for cycles.
Compiled compile(LayerGraph graph, std::vector<std::string> outputNames, const Caller& caller);

/// The slot of "relu", "pool/indices" or "block/relu"; throws with a list of what there is.
Slot slotOf(const Structure& structure, std::string_view path, const Caller& caller);
Schedule scheduleFor(const Structure& structure, const std::vector<Slot>& outputs);

}  // namespace dl::network

namespace dl::detail {

struct Network {
  OwnerCount owners;
  std::shared_ptr<const network::Structure> structure;
  std::vector<Parameters> parameters;  // one for each leaf of the structure
  bool initialized = false;
};

}  // namespace dl::detail

namespace dl {

/// The library's own way into a network.
struct NetworkAccess {
  /// What a network holds; an empty one for `DlNetwork()`.
  static const detail::Network& of(const DlNetwork& net);
  /// The same to be changed: made this network's alone.
  static detail::Network& own(DlNetwork& net);
  static DlNetwork make(std::shared_ptr<const network::Structure> structure, std::vector<Parameters> parameters,
                        bool initialized);

  /// The layers that compute, in the order of layers, with paths through nested networks.
  static const std::vector<network::Leaf>& leaves(const DlNetwork& net) { return of(net).structure->leaves; }
  /// Learnables and states, one for each of `leaves`.
  static const std::vector<Parameters>& parameters(const DlNetwork& net) { return of(net).parameters; }
  /// The output names as given; empty when the network's outputs are those that feed nothing.
  static const std::vector<std::string>& chosenOutputs(const DlNetwork& net) { return of(net).structure->chosenOutputs; }
  static const LayerGraph& graph(const DlNetwork& net) { return of(net).structure->graph; }
  /// A network of a graph and, if any, the values of its parameters: one for each leaf, in the order of `leaves`. Throws when
  /// their number is another, and for graphs that cannot be.
  static DlNetwork build(const LayerGraph& graph, const std::vector<std::string>& outputNames, std::vector<Parameters> parameters,
                         bool initialized, const network::Caller& caller);
};

}  // namespace dl
