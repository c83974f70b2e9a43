// Networks, their tables and what was found about them, as text.
#include "network/network.hpp"
#include "network/table.hpp"
#include "core/storage.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <iostream>

namespace dl {

namespace {

using network::tableText;

Index learnableCount(const DlNetwork& net) {
  Index count = 0;
  for (const ParameterTable::Row& row : net.learnables()) count += numel(row.value);
  return count;
}

// "28x28x1" for the sizes of S and C.
std::string extent(const DataLayout& layout) {
  std::string text;
  for (const Index n : layout.sizes('S')) text += fmt::format("{}x", n);
  return text + std::to_string(layout.size("C"));
}

// What an input layer takes, in words.
std::string inputWords(const DataLayout& layout) {
  const std::size_t spatial = layout.sizes('S').size();
  if (layout.format().find('T') != std::string::npos)
    return spatial == 0 ? fmt::format("Sequence input with {} channels", layout.size("C")) : extent(layout) + " image sequences";
  if (spatial == 0) return extent(layout) + " features";
  return extent(layout) + (spatial == 3 ? " volumes" : " images");
}

std::string listOf(const std::vector<std::string>& names) {
  std::string text = "{";
  for (const std::string& name : names) text += fmt::format("{}'{}'", text.size() > 1 ? "  " : "", name);
  return text + "}";
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "" : "\n") + line;
  return text.empty() ? "-" : text;
}

}  // namespace

void summary(const DlNetwork& net, std::ostream& out) {
  out << fmt::format("   Initialized: {}\n\n   Number of learnables: {}\n\n   Inputs:\n", net.initialized(),
                     network::shortCount(learnableCount(net)));
  const std::vector<std::string>& names = net.inputNames();
  const std::vector<const DataLayout*>& layouts = NetworkAccess::of(net).structure->inputLayouts;
  std::size_t widest = 0;
  for (const std::string& name : names) widest = std::max(widest, name.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::string line = fmt::format("      {}   {:<{}}", i + 1, "'" + names[i] + "'", widest + 2);
    line = layouts[i] ? line + "   " + inputWords(*layouts[i]) : line.substr(0, line.find_last_not_of(' ') + 1);
    out << line << "\n";
  }
}

void summary(const DlNetwork& net) { summary(net, std::cout); }

std::ostream& operator<<(std::ostream& out, const DlNetwork& net) {
  return out << fmt::format(
             "  dlnetwork with properties:\n\n"
             "         Layers: [{}x1 Layer]\n"
             "    Connections: [{}x2 table]\n"
             "     Learnables: [{}x3 table]\n"
             "          State: [{}x3 table]\n"
             "     InputNames: {}\n"
             "    OutputNames: {}\n"
             "    Initialized: {:d}\n\n"
             "  View summary with summary.\n",
             net.layers().size(), net.connections().size(), net.learnables().size(), net.state().size(), listOf(net.inputNames()),
             listOf(net.outputNames()), net.initialized());
}

std::ostream& operator<<(std::ostream& out, const ParameterTable& table) {
  std::vector<std::vector<std::string>> rows = {{"Layer", "Parameter", "Value"}};
  for (const ParameterTable::Row& row : table)
    rows.push_back({row.layer, row.parameter,
                    numel(row.value) == 0 ? "[]" : fmt::format("{} {}", describe(row.value), name(underlyingType(row.value)))});
  return out << fmt::format("  {}x3 table\n\n", table.size()) << tableText(rows);
}

std::ostream& operator<<(std::ostream& out, const NetworkAnalysis& analysis) {
  std::vector<std::vector<std::string>> rows = {{"", "Name", "Type", "Activations", "Learnables", "States"}};
  for (const NetworkAnalysis::LayerInfo& layer : analysis.layers)
    rows.push_back({std::to_string(rows.size()), layer.name, layer.type, joined(layer.outputs), joined(layer.learnables),
                    joined(layer.states)});
  out << tableText(rows);
  out << fmt::format("\n  Layers: {}\n  Learnables: {}", analysis.layers.size(), analysis.totalLearnables);
  if (analysis.totalLearnables >= 1000) out << fmt::format(" ({})", network::shortCount(analysis.totalLearnables));
  out << fmt::format("\n  Issues: {}\n", analysis.issues.size());
  for (const NetworkAnalysis::Issue& issue : analysis.issues)
    out << (issue.layer.empty() ? fmt::format("    {}\n", issue.problem)
                                : fmt::format("    layer \"{}\": {}\n", issue.layer, issue.problem));
  return out;
}

}  // namespace dl
