#include "network/network.hpp"

#include "core/fail.hpp"
#include "core/storage.hpp"

#include <algorithm>

namespace dl {

// ---- a value that copies share -------------------------------------------------------------------------------------------

DlNetwork::DlNetwork(const DlNetwork& other) noexcept : held_(other.held_) {
  if (held_) held_->owners.add();
}
DlNetwork::~DlNetwork() {
  if (held_ && held_->owners.drop()) delete held_;
}

const detail::Network& NetworkAccess::of(const DlNetwork& net) {
  static const detail::Network empty{{}, network::compile({}, {}, {"dlnetwork", {}}).structure, {}, false};
  return net.held_ ? *net.held_ : empty;
}

detail::Network& NetworkAccess::own(DlNetwork& net) {
  if (!net.held_ || !net.held_->owners.alone()) {
    const detail::Network& shared = of(net);
    net = make(shared.structure, shared.parameters, shared.initialized);
  }
  return *net.held_;
}

DlNetwork NetworkAccess::make(std::shared_ptr<const network::Structure> structure, std::vector<Parameters> parameters,
                              bool initialized) {
  return DlNetwork(new detail::Network{{}, std::move(structure), std::move(parameters), initialized});
}

DlNetwork NetworkAccess::build(const LayerGraph& graph, const std::vector<std::string>& outputNames,
                               std::vector<Parameters> parameters, bool initialized, const network::Caller& caller) {
  network::Compiled compiled = network::compile(graph, outputNames, caller);
  if (!parameters.empty()) {
    if (parameters.size() != compiled.parameters.size())
      fail(caller.where, "network:parameters", "{}: parameters of {} layers for a network of {}", caller.function,
           parameters.size(), compiled.parameters.size());
    compiled.parameters = std::move(parameters);
  }
  return make(std::move(compiled.structure), std::move(compiled.parameters), initialized);
}

const std::vector<AnyLayer>& DlNetwork::layers() const noexcept { return NetworkAccess::graph(*this).layers(); }
const std::vector<Connection>& DlNetwork::connections() const noexcept { return NetworkAccess::graph(*this).connections(); }
const std::vector<std::string>& DlNetwork::inputNames() const noexcept { return NetworkAccess::of(*this).structure->inputNames; }
const std::vector<std::string>& DlNetwork::outputNames() const noexcept {
  return NetworkAccess::of(*this).structure->outputNames;
}
bool DlNetwork::initialized() const noexcept { return NetworkAccess::of(*this).initialized; }

void DlNetwork::dlarrayFields(DlNetwork& net, const ArrayVisitor& visit) {
  if (!net.held_) return;
  for (Parameters& parameters : NetworkAccess::own(net).parameters)
    for (Parameters::Entry& entry : parameters.entries())
      if (entry.isState)
        visit.constant(entry.value);
      else
        visit(entry.value, entry.factors.learnRate);
}

// ---- tables --------------------------------------------------------------------------------------------------------------

namespace {

ParameterTable tableOf(const DlNetwork& net, bool states) {
  ParameterTable table;
  const detail::Network& held = NetworkAccess::of(net);
  for (std::size_t leaf = 0; leaf < held.parameters.size(); ++leaf)
    for (const Parameters::Entry& entry : held.parameters[leaf].entries())
      if (entry.isState == states) table.push_back({held.structure->leaves[leaf].path, entry.name, entry.value, entry.factors});
  return table;
}

// Where a row's value goes. Tables mostly come back in the order in which they were given out, so that the next row is the likely
// one.
struct Place {
  std::size_t leaf, entry;
};

// What recurrent layers remember is as wide as there were observations, so that of states that are matrices the rows must stay.
bool fits(const DlArray& now, const DlArray& value, bool state) {
  if (size(now) == size(value)) return true;
  return state && ndims(now) == 2 && ndims(value) == 2 && size(now)[0] == size(value)[0];
}

void assign(DlNetwork& net, const ParameterTable& table, bool states, const network::Caller& caller) {
  const detail::Network& held = NetworkAccess::of(net);
  const char* kind = states ? "state" : "learnable";
  std::vector<Place> places, chosen;
  for (std::size_t leaf = 0; leaf < held.parameters.size(); ++leaf)
    for (std::size_t entry = 0; entry < held.parameters[leaf].entries().size(); ++entry)
      if (held.parameters[leaf].entries()[entry].isState == states) places.push_back({leaf, entry});
  const auto matches = [&](const ParameterTable::Row& row, const Place& place) {
    return held.structure->leaves[place.leaf].path == row.layer &&
           held.parameters[place.leaf].entries()[place.entry].name == row.parameter;
  };
  for (std::size_t i = 0; i < table.size(); ++i) {
    const ParameterTable::Row& row = table[i];
    auto found = places.begin() + static_cast<std::ptrdiff_t>(std::min(i, places.size()));
    if (found == places.end() || !matches(row, *found))
      found = std::ranges::find_if(places, [&](const Place& place) { return matches(row, place); });
    if (found == places.end()) {
      std::vector<std::string> known;
      for (const Place& place : places)
        known.push_back(held.structure->leaves[place.leaf].path + "/" + held.parameters[place.leaf].entries()[place.entry].name);
      fail(caller.where, "network:row", "{}: the network has no {} \"{}/{}\"; it has {}", caller.function, kind, row.layer,
           row.parameter, network::listed(known));
    }
    chosen.push_back(*found);
    const DlArray& now = held.parameters[found->leaf].entries()[found->entry].value;
    if (numel(row.value) == 0) continue;
    if (numel(now) > 0 && !fits(now, row.value, states))
      fail(caller.where, "network:size", "{}: the value for \"{}/{}\" is {}, the network's is {}", caller.function, row.layer,
           row.parameter, describe(row.value), describe(now));
    const Type type = underlyingType(row.value);
    if (!states && type != Type::Single && type != Type::Double)
      fail(caller.where, "network:type", "{}: the value for \"{}/{}\" is {}; learnables are single or double", caller.function,
           row.layer, row.parameter, name(type));
    if (states && numel(now) > 0 && (type == Type::Logical) != (underlyingType(now) == Type::Logical))
      fail(caller.where, "network:type", "{}: the value for \"{}/{}\" is {}, the network's is {}", caller.function, row.layer,
           row.parameter, name(type), name(underlyingType(now)));
  }
  detail::Network& own = NetworkAccess::own(net);
  for (std::size_t i = 0; i < table.size(); ++i)
    if (numel(table[i].value) > 0) own.parameters[chosen[i].leaf].entries()[chosen[i].entry].value = table[i].value;
}

}  // namespace

Learnables DlNetwork::learnables() const { return tableOf(*this, false); }
NetworkState DlNetwork::state() const { return tableOf(*this, true); }
void DlNetwork::setLearnables(const Learnables& learnables, std::source_location where) {
  assign(*this, learnables, false, {"setLearnables", where});
}
void DlNetwork::setState(const NetworkState& state, std::source_location where) {
  assign(*this, state, true, {"setState", where});
}

}  // namespace dl
