#include "network/evaluate.hpp"

#include "core/fail.hpp"
#include "core/format.hpp"
#include "core/storage.hpp"

#include <algorithm>

namespace dl::network {

namespace {

std::vector<DlArray> runLayer(const Layer& layer, const std::vector<DlArray>& inputs, const Parameters& parameters,
                              detail::Mode mode, Parameters& newState) {
  switch (mode) {
    case detail::Mode::Forward:
      return layer.forward(inputs, parameters, newState);
    case detail::Mode::PredictAndUpdate:
      return layer.predictAndUpdate(inputs, parameters, newState);
    default:
      return layer.predict(inputs, parameters);
  }
}

// The rows of a leaf in a table of states; rows come in the order of leaves, but the steps in the order of evaluation.
void takeStates(NetworkState& table, const Leaf& leaf, Parameters& newState) {
  for (Parameters::Entry& entry : newState.entries()) {
    const auto row = std::ranges::find_if(
        table, [&](const ParameterTable::Row& r) { return r.layer == leaf.path && r.parameter == entry.name; });
    if (row == table.end()) fail({}, "network:state", "the layer set a state \"{}\" that it never declared", entry.name);
    row->value = std::move(entry.value);
  }
}

}  // namespace

void checkOutputs(const Leaf& leaf, const std::vector<DlArray>& outputs, std::size_t expected) {
  if (outputs.size() != expected)
    fail({}, "network:outputs", "the layer gave {} outputs and names {}, {}", outputs.size(), expected,
         listed(leaf.layer->outputNames()));
}

std::vector<DlArray> run(const detail::Network& net, std::vector<DlArray> inputs, const Schedule& schedule,
                         const std::vector<Slot>& outputs, detail::Mode mode, NetworkState* newState, const Caller& caller) {
  const Structure& structure = *net.structure;
  std::vector<DlArray> values(structure.slotCount);
  std::ranges::move(inputs, values.begin());
  std::vector<std::uint32_t> reads = schedule.reads;
  std::vector<DlArray> in;
  for (const std::uint32_t index : schedule.steps) {
    const Step& step = structure.steps[index];
    const Leaf& leaf = structure.leaves[step.leaf];
    in.clear();
    for (const Slot slot : step.inputs)
      if (--reads[slot] == 0)
        in.push_back(std::move(values[slot]));
      else
        in.push_back(values[slot]);
    try {
      Parameters changed;
      std::vector<DlArray> out = runLayer(*leaf.layer, in, net.parameters[step.leaf], mode, changed);
      checkOutputs(leaf, out, step.outputCount);
      for (std::uint32_t k = 0; k < step.outputCount; ++k)
        if (reads[step.firstOutput + k] > 0) values[step.firstOutput + k] = std::move(out[k]);
      if (newState) takeStates(*newState, leaf, changed);
    } catch (const Error& e) {
      throw Error(e.identifier(),
                  fmt::format("{}: layer \"{}\": {}{}", caller.function, leaf.path, e.what(), lineOf(caller.where)));
    }
  }
  std::vector<DlArray> results;
  for (const Slot slot : outputs) results.push_back(values[slot]);
  return results;
}

// ---- labels of inputs and outputs ------------------------------------------------------------------------------------------

namespace {

// MATLAB's order of data without labels, for data that has these: images h x w x c x N, sequences of images h x w x c x t x N,
// sequences t x c x N, features N x c.
std::string plainOrder(const std::string& labels) {
  const auto take = [&](char label) { return std::string(static_cast<std::size_t>(std::ranges::count(labels, label)), label); };
  const std::string s = take('S'), c = take('C'), t = take('T'), b = take('B'), u = take('U');
  if (!s.empty()) return s + c + t + b + u;
  return t.empty() ? b + c + u : t + c + b + u;
}

// Whether data may go to an input layer: no labels that the layer does not have, and its sizes of S and C where it knows them. A
// size of 1 may stand for one that is not known; the layer itself looks closer.
bool fits(const DlArray& x, const DataLayout& layout) {
  const DataLayout given(x);
  for (const char label : given.format())
    if (layout.format().find(label) == std::string::npos && label != 'B' && label != 'U') return false;
  std::vector<Index> sizes = given.sizes('S'), wanted = layout.sizes('S');
  sizes.push_back(given.size("C"));
  wanted.push_back(layout.size("C"));
  return std::ranges::equal(sizes, wanted, [](Index is, Index should) { return is == should || should == 1; });
}

DlArray labelledInput(const Structure& structure, std::size_t i, const DlArray& x, const std::vector<std::string>& formats,
                      const Caller& caller) {
  const DataLayout* layout = structure.inputLayouts[i];
  const std::string& inputName = structure.inputNames[i];
  DlArray labelled = x;
  if (dims(x).empty()) {
    std::string format = i < formats.size() ? formats[i] : std::string();
    if (format.empty() && !layout)
      fail(caller.where, "network:labels",
           "{}: the data for input \"{}\", {}, has no labels, and there is no input layer to tell them; "
           "label it or give .inputDataFormats",
           caller.function, inputName, describe(x));
    if (format.empty()) format = plainOrder(layout->format());
    if (static_cast<std::size_t>(ndims(x)) > format.size())
      fail(caller.where, "network:labels", "{}: the data for input \"{}\", {}, has {} dimensions for the labels \"{}\"",
           caller.function, inputName, describe(x), ndims(x), format);
    labelled = dlarray(x, format);
  }
  if (layout && !fits(labelled, *layout))
    fail(caller.where, "network:input", "{}: the data for input \"{}\" is {}, the input layer takes {}", caller.function,
         inputName, describe(labelled), describe(dlarray(Storage::make({layout->size(), {}}, Type::Single), layout->format())));
  return labelled;
}

}  // namespace

std::vector<DlArray> labelledInputs(const Structure& structure, const std::vector<DlArray>& inputs,
                                    const std::vector<std::string>& formats, bool& labelled, const Caller& caller) {
  if (inputs.size() != structure.inputNames.size())
    fail(caller.where, "network:inputCount", "{}: {} input{} for a network of {}: {}", caller.function, inputs.size(),
         inputs.size() == 1 ? "" : "s", structure.inputNames.size(), listed(structure.inputNames));
  labelled = false;
  std::vector<DlArray> results;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    labelled = labelled || !dims(inputs[i]).empty();
    results.push_back(labelledInput(structure, i, inputs[i], formats, caller));
  }
  return results;
}

}  // namespace dl::network

namespace dl::detail {

std::vector<DlArray> evaluate(const DlNetwork& net, const std::vector<DlArray>& inputs, const PredictOptions& options, Mode mode,
                              NetworkState* newState, const char* function, const std::source_location& where) {
  const network::Caller caller{function, where};
  const Network& held = NetworkAccess::of(net);
  const network::Structure& structure = *held.structure;
  if (!held.initialized)
    fail(where, "network:uninitialized",
         "{}: the network is not initialized; call net = initialize(net, X) with example data, or without where input layers "
         "tell sizes",
         function);
  bool labelled = true;
  std::vector<DlArray> x = network::labelledInputs(structure, inputs, options.inputDataFormats, labelled, caller);

  std::vector<network::Slot> chosen;
  for (const std::string& name : options.outputs) chosen.push_back(network::slotOf(structure, name, caller));
  if (newState) *newState = net.state();
  std::vector<DlArray> results =
      chosen.empty() ? network::run(held, std::move(x), structure.schedule, structure.outputs, mode, newState, caller)
                     : network::run(held, std::move(x), network::scheduleFor(structure, chosen), chosen, mode, newState, caller);

  for (std::size_t i = 0; i < results.size(); ++i)
    if (i < options.outputDataFormats.size() && !options.outputDataFormats[i].empty())
      results[i] = stripdims(results[i], options.outputDataFormats[i]);
    else if (!labelled)
      results[i] = stripdims(results[i], network::plainOrder(dims(results[i])));
  return results;
}

void checkOutputCount(const DlNetwork& net, std::size_t wanted, const char* function, const std::source_location& where) {
  const std::vector<std::string>& names = net.outputNames();
  if (names.size() < wanted)
    fail(where, "network:outputCount", "{}: {} outputs asked of a network of {}: {}", function, wanted, names.size(),
         network::listed(names));
}

}  // namespace dl::detail

namespace dl {

using detail::Mode;

std::vector<DlArray> predict(const DlNetwork& net, Operand x, const PredictOptions& options) {
  return detail::evaluate(net, {x.get()}, options, Mode::Predict, nullptr, "predict", x.where());
}
std::vector<DlArray> predict(const DlNetwork& net, Operand x1, Operand x2, const PredictOptions& options) {
  return detail::evaluate(net, {x1.get(), x2.get()}, options, Mode::Predict, nullptr, "predict", x1.where());
}
std::vector<DlArray> predict(const DlNetwork& net, const std::vector<DlArray>& inputs, const PredictOptions& options,
                             std::source_location where) {
  return detail::evaluate(net, inputs, options, Mode::Predict, nullptr, "predict", where);
}

std::tuple<std::vector<DlArray>, NetworkState> forward(const DlNetwork& net, Operand x, const ForwardOptions& options) {
  return forward(net, std::vector<DlArray>{x.get()}, options, x.where());
}
std::tuple<std::vector<DlArray>, NetworkState> forward(const DlNetwork& net, const std::vector<DlArray>& inputs,
                                                       const ForwardOptions& options, std::source_location where) {
  NetworkState state;
  std::vector<DlArray> results = detail::evaluate(net, inputs, options, Mode::Forward, &state, "forward", where);
  return {std::move(results), std::move(state)};
}

DlArray activations(const DlNetwork& net, Operand x, std::string_view layer) {
  return activations(net, std::vector<DlArray>{x.get()}, layer, x.where());
}
DlArray activations(const DlNetwork& net, const std::vector<DlArray>& inputs, std::string_view layer,
                    std::source_location where) {
  return detail::evaluate(net, inputs, {.outputs = {std::string(layer)}}, Mode::Predict, nullptr, "activations", where)[0];
}

std::tuple<DlNetwork, DlArray> predictAndUpdateState(const DlNetwork& net, Operand x) {
  detail::checkOutputCount(net, 1, "predictAndUpdateState", x.where());
  NetworkState state;
  std::vector<DlArray> results =
      detail::evaluate(net, {x.get()}, {}, Mode::PredictAndUpdate, &state, "predictAndUpdateState", x.where());
  DlNetwork after = net;
  after.setState(state, x.where());
  return {std::move(after), std::move(results[0])};
}

DlNetwork resetState(const DlNetwork& net) {
  DlNetwork after = net;
  detail::Network& own = NetworkAccess::own(after);
  for (std::size_t i = 0; i < own.parameters.size(); ++i) {
    // The layer sees its states without values, so that those it gives are told from those it leaves.
    Parameters fresh = own.parameters[i];
    for (Parameters::Entry& entry : fresh.entries())
      if (entry.isState) entry.value = DlArray();
    own.structure->leaves[i].layer->resetState(fresh);
    for (Parameters::Entry& entry : own.parameters[i].entries())
      if (const Parameters::Entry* set = fresh.find(entry.name); entry.isState && set && numel(set->value) > 0)
        entry.value = set->value;
  }
  return after;
}

}  // namespace dl
