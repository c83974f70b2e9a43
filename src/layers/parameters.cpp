#include <dlarray/layers/parameters.hpp>

#include "core/fail.hpp"

#include <algorithm>
#include <cmath>

namespace dl {

namespace {
const std::source_location noPlace;
}

Index DataLayout::size(std::string_view label) const {
  if (label.size() != 1)
    fail(noPlace, "layout:label", "layout: \"{}\" is not the label of one dimension; the labels are S, C, B, T and U", label);
  const std::vector<Index> found = sizes(label[0]);
  if (found.size() > 1)
    fail(noPlace, "layout:label", "layout: {} dimensions of \"{}\" carry the label {}; sizes('{}') gives all of them",
         found.size(), format_, label, label);
  return found.empty() ? 1 : found[0];
}

std::vector<Index> DataLayout::sizes(char label) const {
  std::vector<Index> found;
  for (std::size_t d = 0; d < format_.size() && d < size_.size(); ++d)
    if (format_[d] == label) found.push_back(size_[d]);
  return found;
}

Parameters::Parameters() noexcept = default;
Parameters::Parameters(const Parameters& other) = default;
Parameters::Parameters(Parameters&& other) noexcept = default;
Parameters& Parameters::operator=(const Parameters& other) = default;
Parameters& Parameters::operator=(Parameters&& other) noexcept = default;
Parameters::~Parameters() = default;

ParameterTable::ParameterTable() noexcept = default;
ParameterTable::ParameterTable(const ParameterTable& other) = default;
ParameterTable::ParameterTable(ParameterTable&& other) noexcept = default;
ParameterTable& ParameterTable::operator=(const ParameterTable& other) = default;
ParameterTable& ParameterTable::operator=(ParameterTable&& other) noexcept = default;
ParameterTable::~ParameterTable() = default;

void ParameterTable::push_back(Row row) { rows_.push_back(std::move(row)); }

const Parameters::Entry* Parameters::find(std::string_view name) const noexcept {
  for (const Entry& e : entries_)
    if (e.name == name) return &e;
  return nullptr;
}

namespace {
void checkFactors(std::string_view name, const ParameterFactors& factors) {
  for (const double factor : {factors.learnRate, factors.l2})
    if (!(factor >= 0) || std::isinf(factor))
      fail({}, "layer:factor", "learnable: a factor of \"{}\" is {}; factors are finite and not negative", name, factor);
}
}  // namespace

void Parameters::learnable(std::string_view name, DlArray value, ParameterFactors factors) {
  checkFactors(name, factors);
  if (Entry* known = find(name)) {
    if (numel(known->value) == 0) known->value = std::move(value);
    return;
  }
  entries_.push_back({std::string(name), std::move(value), factors, false});
}

void Parameters::learnable(std::string_view name, const Initializer& initializer, const Size& size, Fans fans,
                           ParameterFactors factors) {
  checkFactors(name, factors);
  const Entry* known = find(name);
  if (!known || numel(known->value) == 0) learnable(name, initializer(size, fans), factors);
}

void Parameters::state(std::string_view name, DlArray value) {
  if (Entry* known = find(name)) {
    if (numel(known->value) == 0) known->value = std::move(value);
    return;
  }
  entries_.push_back({std::string(name), std::move(value), {}, true});
}

const DlArray& Parameters::operator[](std::string_view name) const {
  if (const Entry* e = find(name)) return e->value;
  std::string names;
  for (const Entry& e : entries_) names += (names.empty() ? "" : ", ") + e.name;
  fail(noPlace, "parameters:name", "parameters: there is no \"{}\"; there are {}", name, names.empty() ? "none" : names);
}

namespace {
template <class Table>
auto& valueIn(Table& table, std::string_view layer, std::string_view parameter) {
  for (auto& row : table)
    if (row.layer == layer && row.parameter == parameter) return row.value;
  fail(noPlace, "parameters:name", "parameters: the table has no \"{}/{}\" among its {} rows", layer, parameter, table.size());
}
template <class Table>
auto& valueAt(Table& table, std::string_view path) {
  const auto slash = path.find_last_of('/');
  return valueIn(table, path.substr(0, slash == std::string_view::npos ? 0 : slash),
                 slash == std::string_view::npos ? path : path.substr(slash + 1));
}
}  // namespace

DlArray& ParameterTable::operator()(std::string_view path) { return valueAt(*this, path); }
const DlArray& ParameterTable::operator()(std::string_view path) const { return valueAt(*this, path); }
DlArray& ParameterTable::operator()(std::string_view layer, std::string_view parameter) {
  return valueIn(*this, layer, parameter);
}
const DlArray& ParameterTable::operator()(std::string_view layer, std::string_view parameter) const {
  return valueIn(*this, layer, parameter);
}

}  // namespace dl
