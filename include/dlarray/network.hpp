#pragma once
#include <dlarray/layers/layer.hpp>

// Networks: layers, how they are joined, and the values of their parameters.
namespace dl {

/// One line from a source to a destination: a layer ("conv1") or a port of one ("pool/indices", "add/in2").
struct Connection {
  std::string source, destination;
  friend bool operator==(const Connection& a, const Connection& b) noexcept;
};

/// One layer or several, as functions take them: `reluLayer()`, `{convolution2dLayer(3, 8), reluLayer()}`, or a vector of layers.
class LayerArray {
 public:
  LayerArray(std::vector<AnyLayer> layers);
  LayerArray(std::initializer_list<AnyLayer> layers);
  template <std::convertible_to<AnyLayer> L>
  LayerArray(const L& layer) : LayerArray(std::initializer_list<AnyLayer>{AnyLayer(layer)}) {}
  LayerArray(const LayerArray& other);
  LayerArray(LayerArray&& other) noexcept;
  LayerArray& operator=(const LayerArray& other);
  LayerArray& operator=(LayerArray&& other) noexcept;
  ~LayerArray();

  std::vector<AnyLayer> layers() &&;

 private:
  std::vector<AnyLayer> layers_;
};

/// Layers and how they are joined, without values. A value. (MATLAB: layerGraph)
class LayerGraph {
 public:
  LayerGraph() noexcept;
  LayerGraph(const LayerGraph& other);
  LayerGraph(LayerGraph&& other) noexcept;
  LayerGraph& operator=(const LayerGraph& other);
  LayerGraph& operator=(LayerGraph&& other) noexcept;
  ~LayerGraph();

  const std::vector<AnyLayer>& layers() const noexcept { return layers_; }
  const std::vector<Connection>& connections() const noexcept { return connections_; }
  /// Layers with an input that nothing feeds, or input layers, in order; "layer/port" where a layer has several inputs.
  std::vector<std::string> inputNames() const;
  /// Outputs that feed nothing, in order; "layer/port" where a layer has several outputs.
  std::vector<std::string> outputNames() const;

 private:
  friend struct GraphAccess;  // the library's own way in, src/network/graph.hpp
  std::vector<AnyLayer> layers_;
  std::vector<Connection> connections_;
};

/// A graph of layers in series; layers without a name get one: what its layer's automatic names begin with, and _1, _2, ... where there are
/// several. Throws for names used twice. (MATLAB: layerGraph)
LayerGraph layerGraph(LayerArray layers = {}, std::source_location where = std::source_location::current());

namespace detail {
struct Network;
enum class Mode : std::uint8_t { Predict, PredictAndUpdate, Forward };

std::vector<DataLayout> layoutsOf(std::initializer_list<DataLayout> each);
const std::vector<DataLayout>& noLayouts() noexcept;

/// Example data for one input, or for all of them. Not a vector: compilers would take `{.initialize = false}` for one, too.
struct Examples {
  template <std::convertible_to<DataLayout> X>
  Examples(const X& x) : layouts(layoutsOf({DataLayout(x)})) {}
  template <std::same_as<std::vector<DataLayout>> X>
  Examples(const X& all) : layouts(all) {}
  std::vector<DataLayout> layouts;
};
}  // namespace detail

/// Layers, their wiring and the values of their learnables and states. A value: copies share, nothing is changed behind a copy's back.
/// dlfeval traces its learnables, except those with learn-rate factor 0; states and frozen learnables are constants. (MATLAB: dlnetwork)
class DlNetwork {
 public:
  DlNetwork() noexcept = default;
  DlNetwork(const DlNetwork& other) noexcept;
  DlNetwork(DlNetwork&& other) noexcept : held_(detail::taken(other.held_)) {}
  DlNetwork& operator=(DlNetwork other) noexcept {
    detail::exchanged(held_, other.held_);
    return *this;
  }
  ~DlNetwork();

  const std::vector<AnyLayer>& layers() const noexcept;
  const std::vector<Connection>& connections() const noexcept;
  const std::vector<std::string>& inputNames() const noexcept;
  const std::vector<std::string>& outputNames() const noexcept;
  /// True when every parameter has a value.
  bool initialized() const noexcept;
  /// The learnables, a row each, in the order of layers.
  Learnables learnables() const;
  /// Gives learnables new values, matched by layer and parameter. Rows with empty values leave theirs. Throws, before anything is
  /// changed, for rows that the network does not have and values of another size.
  void setLearnables(const Learnables& learnables, std::source_location where = std::source_location::current());
  NetworkState state() const;
  void setState(const NetworkState& state, std::source_location where = std::source_location::current());

  static void dlarrayFields(DlNetwork& net, const ArrayVisitor& visit);

 private:
  friend struct NetworkAccess;  // the library's own way in, src/network/network.hpp
  explicit DlNetwork(detail::Network* held) noexcept : held_(held) {}
  detail::Network* held_ = nullptr;
};

// ---- making --------------------------------------------------------------------------------------------------------------

/// Size and labels of data for an input, NaN where a size is not known. (MATLAB: networkDataLayout)
DataLayout networkDataLayout(std::initializer_list<detail::AnyNumber> size, std::string_view format,
                             std::source_location where = std::source_location::current());
DataLayout networkDataLayout(const Size& size, std::string_view format, std::source_location where = std::source_location::current());

struct DlnetworkOptions {
  std::vector<std::string> outputNames = {};  // layers or ports; empty: those that feed nothing
  bool initialize = true;
};
/// An empty network, to which layers can be added.
DlNetwork dlnetwork();
/// A network of layers in series, or of a graph. Parameters are initialised where input layers, or example data in the order of its inputs,
/// tell sizes; without them the network stays uninitialised. Throws when the layers do not fit each other: one sentence for every
/// problem, as `analyzeNetwork` finds them. (MATLAB: dlnetwork)
DlNetwork dlnetwork(LayerArray layers, const DlnetworkOptions& options = {},
                    std::source_location where = std::source_location::current());
DlNetwork dlnetwork(const LayerGraph& graph, const DlnetworkOptions& options = {},
                    std::source_location where = std::source_location::current());
DlNetwork dlnetwork(LayerArray layers, const detail::Examples& inputs, const DlnetworkOptions& options = {},
                    std::source_location where = std::source_location::current());
DlNetwork dlnetwork(const LayerGraph& graph, const detail::Examples& inputs, const DlnetworkOptions& options = {},
                    std::source_location where = std::source_location::current());
DlNetwork dlnetwork(LayerArray layers, const DataLayout& x1, const DataLayout& x2, const DlnetworkOptions& options = {},
                    std::source_location where = std::source_location::current());
DlNetwork dlnetwork(const LayerGraph& graph, const DataLayout& x1, const DataLayout& x2, const DlnetworkOptions& options = {},
                    std::source_location where = std::source_location::current());
template <std::convertible_to<DataLayout>... X>
  requires(sizeof...(X) > 2)
DlNetwork dlnetwork(LayerArray layers, const X&... inputs) {
  return dlnetwork(std::move(layers), detail::Examples(detail::layoutsOf({DataLayout(inputs)...})));
}
template <std::convertible_to<DataLayout>... X>
  requires(sizeof...(X) > 2)
DlNetwork dlnetwork(const LayerGraph& graph, const X&... inputs) {
  return dlnetwork(graph, detail::Examples(detail::layoutsOf({DataLayout(inputs)...})));
}

/// Gives values to the parameters that have none, for the sizes of its input layers or of example data. (MATLAB: initialize)
DlNetwork initialize(const DlNetwork& net, const std::vector<DataLayout>& inputs = detail::noLayouts(),
                     std::source_location where = std::source_location::current());
template <std::convertible_to<DataLayout>... X>
  requires(sizeof...(X) > 0)
DlNetwork initialize(const DlNetwork& net, const X&... inputs) {
  return initialize(net, detail::layoutsOf({DataLayout(inputs)...}));
}

// ---- using ---------------------------------------------------------------------------------------------------------------

struct PredictOptions {
  std::vector<std::string> outputs = {};           // layers or ports; empty: the network's outputs
  std::vector<std::string> inputDataFormats = {};  // labels of inputs without labels
  std::vector<std::string> outputDataFormats = {};
};
using ForwardOptions = PredictOptions;

namespace detail {
std::vector<DlArray> evaluate(const DlNetwork& net, const std::vector<DlArray>& inputs, const PredictOptions& options, Mode mode,
                              NetworkState* newState, const char* function, const std::source_location& where);
/// The first n of the results, or an error that says how many there are.
void checkOutputCount(const DlNetwork& net, std::size_t wanted, const char* function, const std::source_location& where);

template <int n>
auto firstOutputs(std::vector<DlArray> all) {
  if constexpr (n == 1)
    return std::move(all[0]);
  else
    return [&]<std::size_t... i>(std::index_sequence<i...>) { return std::tuple(std::move(all[i])...); }(std::make_index_sequence<n>());
}
template <int n>
auto predictWith(const DlNetwork& net, const std::vector<DlArray>& inputs, const std::source_location& where) {
  checkOutputCount(net, n, "predict", where);
  return firstOutputs<n>(evaluate(net, inputs, {}, Mode::Predict, nullptr, "predict", where));
}
template <int n>
auto forwardWith(const DlNetwork& net, const std::vector<DlArray>& inputs, const std::source_location& where) {
  checkOutputCount(net, n, "forward", where);
  NetworkState state;
  std::vector<DlArray> all = evaluate(net, inputs, {}, Mode::Forward, &state, "forward", where);
  return [&]<std::size_t... i>(std::index_sequence<i...>) {
    return std::tuple(std::move(all[i])..., std::move(state));
  }(std::make_index_sequence<n>());
}
}  // namespace detail

/// What the network answers in use: statistics of training, no dropout. `predict<2>(net, X)` gives the first two outputs. Inputs come in the
/// order of `inputNames()`, labelled, or unlabelled in the order of MATLAB: images h x w x c x N, features N x c, sequences t x c x N; then the
/// outputs have no labels either. Throws for networks without values, and for inputs of another number, size or labels.
/// (MATLAB: predict)
template <int n = 1>
auto predict(const DlNetwork& net, Operand x) {
  return detail::predictWith<n>(net, {x.get()}, x.where());
}
template <int n = 1>
auto predict(const DlNetwork& net, Operand x1, Operand x2) {
  return detail::predictWith<n>(net, {x1.get(), x2.get()}, x1.where());
}
template <int n = 1>
auto predict(const DlNetwork& net, Operand x1, Operand x2, Operand x3) {
  return detail::predictWith<n>(net, {x1.get(), x2.get(), x3.get()}, x1.where());
}
/// Any outputs by name, for any number of inputs.
std::vector<DlArray> predict(const DlNetwork& net, Operand x, const PredictOptions& options);
std::vector<DlArray> predict(const DlNetwork& net, Operand x1, Operand x2, const PredictOptions& options);
std::vector<DlArray> predict(const DlNetwork& net, const std::vector<DlArray>& inputs, const PredictOptions& options = {},
                             std::source_location where = std::source_location::current());

/// What the network answers in training, and the state that follows: statistics of the batch, dropout. `auto [Y, state] = forward(net, X)`,
/// `auto [Y1, Y2, state] = forward<2>(net, X)`. The network keeps its state until `net.setState(state)`. (MATLAB: forward)
template <int n = 1>
auto forward(const DlNetwork& net, Operand x) {
  return detail::forwardWith<n>(net, {x.get()}, x.where());
}
template <int n = 1>
auto forward(const DlNetwork& net, Operand x1, Operand x2) {
  return detail::forwardWith<n>(net, {x1.get(), x2.get()}, x1.where());
}
template <int n = 1>
auto forward(const DlNetwork& net, Operand x1, Operand x2, Operand x3) {
  return detail::forwardWith<n>(net, {x1.get(), x2.get(), x3.get()}, x1.where());
}
std::tuple<std::vector<DlArray>, NetworkState> forward(const DlNetwork& net, Operand x, const ForwardOptions& options);
std::tuple<std::vector<DlArray>, NetworkState> forward(const DlNetwork& net, const std::vector<DlArray>& inputs, const ForwardOptions& options = {},
                                                       std::source_location where = std::source_location::current());

/// The output of any layer, "relu_2", or of a port, "pool/indices", in use. (MATLAB: activations)
DlArray activations(const DlNetwork& net, Operand x, std::string_view layer);
DlArray activations(const DlNetwork& net, const std::vector<DlArray>& inputs, std::string_view layer,
                    std::source_location where = std::source_location::current());

/// The network with the states that follow from X, and its answer: for recurrent networks that go on where they stopped.
/// (MATLAB: predictAndUpdateState)
std::tuple<DlNetwork, DlArray> predictAndUpdateState(const DlNetwork& net, Operand x);
/// The network with its states as they were at first. (MATLAB: resetState)
DlNetwork resetState(const DlNetwork& net);

// ---- changing: each returns the new graph or network; what stays keeps its values ----------------------------------------

/// Adds layers, joined in series among themselves and to nothing else. (MATLAB: addLayers)
LayerGraph addLayers(const LayerGraph& graph, LayerArray layers, std::source_location where = std::source_location::current());
DlNetwork addLayers(const DlNetwork& net, LayerArray layers, std::source_location where = std::source_location::current());
namespace detail {
std::vector<std::string> listOf(std::string_view name);
}
LayerGraph removeLayers(const LayerGraph& graph, const std::vector<std::string>& names, std::source_location where = std::source_location::current());
template <std::convertible_to<std::string_view> Name>
LayerGraph removeLayers(const LayerGraph& graph, const Name& name, std::source_location where = std::source_location::current()) {
  return removeLayers(graph, detail::listOf(name), where);
}
DlNetwork removeLayers(const DlNetwork& net, const std::vector<std::string>& names, std::source_location where = std::source_location::current());
template <std::convertible_to<std::string_view> Name>
DlNetwork removeLayers(const DlNetwork& net, const Name& name, std::source_location where = std::source_location::current()) {
  return removeLayers(net, detail::listOf(name), where);
}
struct ReplaceLayerOptions {
  std::string_view reconnectBy = "name";  // ports of the new layer are matched by "name" or by "order"
};
LayerGraph replaceLayer(const LayerGraph& graph, std::string_view name, LayerArray layers, const ReplaceLayerOptions& options = {},
                        std::source_location where = std::source_location::current());
DlNetwork replaceLayer(const DlNetwork& net, std::string_view name, LayerArray layers, const ReplaceLayerOptions& options = {},
                       std::source_location where = std::source_location::current());
LayerGraph connectLayers(const LayerGraph& graph, std::string_view source, std::string_view destination,
                         std::source_location where = std::source_location::current());
DlNetwork connectLayers(const DlNetwork& net, std::string_view source, std::string_view destination,
                        std::source_location where = std::source_location::current());
LayerGraph disconnectLayers(const LayerGraph& graph, std::string_view source, std::string_view destination,
                            std::source_location where = std::source_location::current());
DlNetwork disconnectLayers(const DlNetwork& net, std::string_view source, std::string_view destination,
                           std::source_location where = std::source_location::current());
/// Puts an input layer before an input of the network that has none, the first or the one named, and initialises the network if its input
/// layers then tell all sizes. (MATLAB: addInputLayer)
DlNetwork addInputLayer(const DlNetwork& net, const AnyLayer& layer, std::string_view input = "",
                        std::source_location where = std::source_location::current());
/// A layer by its name, or by a path through nested networks. (MATLAB: getLayer)
AnyLayer getLayer(const DlNetwork& net, std::string_view path, std::source_location where = std::source_location::current());
AnyLayer getLayer(const LayerGraph& graph, std::string_view path, std::source_location where = std::source_location::current());

/// What the global learn rate, or the L2 regularisation, is multiplied by for one parameter; learn rate 0 freezes it. By layer and parameter, or by
/// a path through nested networks "block1/fc/Weights"; layers that are in no network yet are given factors too. Throws for negative factors, and
/// for layers and learnables that do not exist. (MATLAB: setLearnRateFactor and its kin)
DlNetwork setLearnRateFactor(const DlNetwork& net, std::string_view layer, std::string_view parameter, double factor,
                             std::source_location where = std::source_location::current());
DlNetwork setLearnRateFactor(const DlNetwork& net, std::string_view path, double factor, std::source_location where = std::source_location::current());
AnyLayer setLearnRateFactor(const AnyLayer& layer, std::string_view parameter, double factor,
                            std::source_location where = std::source_location::current());
DlNetwork setL2Factor(const DlNetwork& net, std::string_view layer, std::string_view parameter, double factor,
                      std::source_location where = std::source_location::current());
DlNetwork setL2Factor(const DlNetwork& net, std::string_view path, double factor, std::source_location where = std::source_location::current());
AnyLayer setL2Factor(const AnyLayer& layer, std::string_view parameter, double factor, std::source_location where = std::source_location::current());
double getLearnRateFactor(const DlNetwork& net, std::string_view layer, std::string_view parameter,
                          std::source_location where = std::source_location::current());
double getLearnRateFactor(const DlNetwork& net, std::string_view path, std::source_location where = std::source_location::current());
double getLearnRateFactor(const AnyLayer& layer, std::string_view parameter, std::source_location where = std::source_location::current());
double getL2Factor(const DlNetwork& net, std::string_view layer, std::string_view parameter, std::source_location where = std::source_location::current());
double getL2Factor(const DlNetwork& net, std::string_view path, std::source_location where = std::source_location::current());
double getL2Factor(const AnyLayer& layer, std::string_view parameter, std::source_location where = std::source_location::current());

/// A network as one layer of another: its inputs and outputs are the layer's ports, its learnables have paths "block/conv1/Weights".
struct NetworkLayerOptions {
  std::string name = {};
};
AnyLayer networkLayer(const DlNetwork& net, const NetworkLayerOptions& options = {});

// ---- looking -------------------------------------------------------------------------------------------------------------

/// Prints whether the network is initialised, how many learnables it has, and its inputs. (MATLAB: summary)
void summary(const DlNetwork& net);
void summary(const DlNetwork& net, std::ostream& out);
/// Draws the graph by Graphviz's `dot` into a file: SVG, PNG, PDF by its ending, or DOT itself. Throws when the file cannot be written, or when
/// there is no `dot`. (MATLAB: plot)
void plot(const DlNetwork& net, const std::string& file, std::source_location where = std::source_location::current());
void plot(const LayerGraph& graph, const std::string& file, std::source_location where = std::source_location::current());

/// Every layer with its sizes, and every problem at once.
struct NetworkAnalysis {
  struct LayerInfo {
    std::string name, type;
    std::vector<std::string> outputs;     // "28(S) x 28(S) x 20(C) x 1(B)"
    std::vector<std::string> learnables;  // "Weights 5 x 5 x 1 x 20"
    std::vector<std::string> states;
    Index learnableCount = 0;
  };
  struct Issue {
    std::string layer, problem;
  };
  std::vector<LayerInfo> layers;
  std::vector<Issue> issues;
  Index totalLearnables = 0;
};
NetworkAnalysis analyzeNetwork(const DlNetwork& net, const std::vector<DataLayout>& inputs = detail::noLayouts());
NetworkAnalysis analyzeNetwork(const LayerGraph& graph, const std::vector<DataLayout>& inputs = detail::noLayouts());
NetworkAnalysis analyzeNetwork(LayerArray layers, const std::vector<DataLayout>& inputs = detail::noLayouts());
/// The same for example data given one by one.
template <class Network, std::convertible_to<DataLayout>... X>
  requires(sizeof...(X) > 0)
NetworkAnalysis analyzeNetwork(const Network& net, const X&... inputs) {
  return analyzeNetwork(net, detail::layoutsOf({DataLayout(inputs)...}));
}
std::ostream& operator<<(std::ostream& out, const NetworkAnalysis& analysis);
std::ostream& operator<<(std::ostream& out, const DlNetwork& net);
/// Prints a row for each parameter: layer, name, size and type of the value.
std::ostream& operator<<(std::ostream& out, const ParameterTable& table);

/// True when layers, options, wiring, learnables and states are equal.
bool isequal(const DlNetwork& a, const DlNetwork& b);

}  // namespace dl
