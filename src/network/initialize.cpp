#include "network/initialize.hpp"

#include "network/evaluate.hpp"

#include "core/fail.hpp"
#include "core/format.hpp"

#include <dlarray/ops/creation.hpp>

#include <algorithm>

namespace dl::network {

namespace {

// One observation is enough to tell sizes.
DlArray exampleOf(const DataLayout& layout) {
  Size size = layout.size();
  for (std::size_t d = 0; d < size.size() && d < layout.format().size(); ++d)
    if (layout.format()[d] == 'B') size[d] = 1;
  return dlarray(zeros(size, Type::Single), layout.format());
}

// The layout of each input, as far as they are known; the others are problems.
std::vector<std::optional<DataLayout>> inputLayouts(const Structure& structure, const std::vector<DataLayout>& given,
                                                    std::vector<Issue>& issues) {
  const std::vector<std::string>& names = structure.inputNames;
  const auto without = static_cast<std::size_t>(std::ranges::count(structure.inputLayouts, nullptr));
  const bool forAll = given.size() == names.size();
  std::vector<std::optional<DataLayout>> layouts(names.size());
  if (!given.empty() && !forAll && given.size() != without) {
    issues.push_back(
        {"", fmt::format("{} example{} for {} inputs, {}; give one for each, or one for each of the {} without input layer",
                         given.size(), given.size() == 1 ? "" : "s", names.size(), listed(names), without)});
    return layouts;
  }
  std::size_t next = 0;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const DataLayout* own = structure.inputLayouts[i];
    if (own && !(forAll && !given.empty()))
      layouts[i] = *own;
    else if (next < given.size())
      layouts[i] = given[next++];
    else
      issues.push_back({names[i], std::string(noData)});
    if (layouts[i] && layouts[i]->format().empty()) {
      issues.push_back({names[i], fmt::format("the example data, {}, has no labels", toString(layouts[i]->size()))});
      layouts[i].reset();
    }
  }
  return layouts;
}

// What the network adds to what a layer declared: learnables in single precision, and the factors that were set.
void settle(Parameters& p, const Parameters& before, const Layer& layer) {
  for (Parameters::Entry& entry : p.entries()) {
    const Parameters::Entry* had = before.find(entry.name);
    const bool fresh = !had || numel(had->value) == 0;
    if (fresh && !entry.isState && underlyingType(entry.value) == Type::Double) entry.value = single_(entry.value);
  }
  for (const Layer::Factor& factor : layer.factors) {
    Parameters::Entry* entry = p.find(factor.parameter);
    if (!entry || entry->isState) {
      std::vector<std::string> known;
      for (const Parameters::Entry& e : p.entries())
        if (!e.isState) known.push_back(e.name);
      fail({}, "network:parameter", "there is no learnable \"{}\" to give a factor; there are {}", factor.parameter,
           listed(known));
    }
    if (factor.learnRate) entry->factors.learnRate = *factor.learnRate;
    if (factor.l2) entry->factors.l2 = *factor.l2;
  }
}

}  // namespace

Trial tryOut(const detail::Network& net, const std::vector<DataLayout>& inputs) {
  const Structure& structure = *net.structure;
  Trial trial{net.parameters, {}, {}};
  trial.layouts = inputLayouts(structure, inputs, trial.issues);
  trial.layouts.resize(structure.slotCount);
  std::vector<std::optional<DlArray>> values(structure.slotCount);
  for (std::size_t i = 0; i < structure.inputNames.size(); ++i)
    if (trial.layouts[i]) values[i] = exampleOf(*trial.layouts[i]);
  std::vector<Slot> every(structure.slotCount);
  for (Slot slot = 0; slot < structure.slotCount; ++slot) every[slot] = slot;
  std::vector<std::uint32_t> reads = scheduleFor(structure, every).reads;  // one more than steps read, for each slot

  for (const Step& step : structure.steps) {
    const Leaf& leaf = structure.leaves[step.leaf];
    std::vector<DlArray> in;
    std::vector<DataLayout> layouts;
    for (const Slot slot : step.inputs)
      if (values[slot]) {
        in.push_back(*values[slot]);
        layouts.emplace_back(in.back());
        if (--reads[slot] == 1) values[slot].reset();
      }
    if (in.size() < step.inputs.size()) continue;
    try {
      Parameters p = trial.parameters[step.leaf];
      leaf.layer->initialize(p, layouts);
      settle(p, trial.parameters[step.leaf], *leaf.layer);
      std::vector<DlArray> out = leaf.layer->predict(in, p);
      checkOutputs(leaf, out, step.outputCount);
      trial.parameters[step.leaf] = std::move(p);
      for (std::uint32_t k = 0; k < step.outputCount; ++k) {
        trial.layouts[step.firstOutput + k].emplace(out[k]);
        if (reads[step.firstOutput + k] > 1) values[step.firstOutput + k] = std::move(out[k]);
      }
    } catch (const std::exception& e) {
      trial.issues.push_back({leaf.path, e.what()});
    }
  }
  return trial;
}

}  // namespace dl::network

namespace dl {

namespace {

using network::Caller;

DlNetwork initialized(const DlNetwork& net, const std::vector<DataLayout>& inputs, const Caller& caller) {
  const detail::Network& held = NetworkAccess::of(net);
  network::Trial trial = network::tryOut(held, inputs);
  network::throwIssues(trial.issues, "network:problems", caller);
  return NetworkAccess::make(held.structure, std::move(trial.parameters), true);
}

DlNetwork networkOf(const LayerGraph& graph, const std::vector<DataLayout>* inputs, const DlnetworkOptions& options,
                    const Caller& caller) {
  DlNetwork net = NetworkAccess::build(graph, options.outputNames, {}, false, caller);
  if (!options.initialize) return net;
  const auto& known = NetworkAccess::of(net).structure->inputLayouts;
  const bool told = !known.empty() && std::ranges::count(known, nullptr) == 0;
  if (!inputs && !told) return net;
  return initialized(net, inputs ? *inputs : std::vector<DataLayout>(), caller);
}

DlNetwork networkOf(std::vector<AnyLayer> layers, const std::vector<DataLayout>* inputs, const DlnetworkOptions& options,
                    const Caller& caller) {
  layers = network::named(std::move(layers));
  if (!network::nameProblems(layers).empty()) {
    std::vector<network::Issue> issues = analyzeNetwork(layers, inputs ? *inputs : std::vector<DataLayout>()).issues;
    // Unless sizes are asked for, it is no problem that they are not known.
    if (!inputs) std::erase_if(issues, [](const network::Issue& issue) { return issue.problem == network::noData; });
    network::throwIssues(issues, "network:problems", caller);
  }
  return networkOf(network::inSeries(std::move(layers), caller), inputs, options, caller);
}

}  // namespace

DataLayout networkDataLayout(std::initializer_list<detail::AnyNumber> size, std::string_view format, std::source_location where) {
  Size whole;
  for (const detail::AnyNumber number : size) {
    const double n = number.value;
    if (n == n && (n < 0 || n != static_cast<double>(static_cast<Index>(n))))
      fail(where, "networkDataLayout:size",
           "networkDataLayout: {} is not a size; give whole numbers, or NaN where it is not known", n);
    whole.push_back(n == n ? static_cast<Index>(n) : 1);
  }
  return networkDataLayout(whole, format, where);
}

DataLayout networkDataLayout(const Size& size, std::string_view format, std::source_location where) {
  if (parseFormat(format, "networkDataLayout", where).size() != size.size())
    fail(where, "networkDataLayout:labels", "networkDataLayout: {} labels, \"{}\", for {} sizes, {}", format.size(), format,
         size.size(), toString(size));
  return DataLayout(dlarray(zeros(size, Type::Logical), format));
}

DlNetwork dlnetwork() { return {}; }

namespace detail {
std::vector<DataLayout> layoutsOf(std::initializer_list<DataLayout> each) { return each; }
const std::vector<DataLayout>& noLayouts() noexcept {
  static const std::vector<DataLayout> none;
  return none;
}
}  // namespace detail

DlNetwork dlnetwork(LayerArray layers, const DlnetworkOptions& options, std::source_location where) {
  return networkOf(std::move(layers).layers(), nullptr, options, {"dlnetwork", where});
}
DlNetwork dlnetwork(const LayerGraph& graph, const DlnetworkOptions& options, std::source_location where) {
  return networkOf(graph, nullptr, options, {"dlnetwork", where});
}
DlNetwork dlnetwork(LayerArray layers, const detail::Examples& inputs, const DlnetworkOptions& options,
                    std::source_location where) {
  return networkOf(std::move(layers).layers(), &inputs.layouts, options, {"dlnetwork", where});
}
DlNetwork dlnetwork(const LayerGraph& graph, const detail::Examples& inputs, const DlnetworkOptions& options,
                    std::source_location where) {
  return networkOf(graph, &inputs.layouts, options, {"dlnetwork", where});
}

DlNetwork dlnetwork(LayerArray layers, const DataLayout& x1, const DataLayout& x2, const DlnetworkOptions& options,
                    std::source_location where) {
  return dlnetwork(std::move(layers), std::vector<DataLayout>{x1, x2}, options, where);
}
DlNetwork dlnetwork(const LayerGraph& graph, const DataLayout& x1, const DataLayout& x2, const DlnetworkOptions& options,
                    std::source_location where) {
  return dlnetwork(graph, std::vector<DataLayout>{x1, x2}, options, where);
}

DlNetwork initialize(const DlNetwork& net, const std::vector<DataLayout>& inputs, std::source_location where) {
  return initialized(net, inputs, {"initialize", where});
}

}  // namespace dl
