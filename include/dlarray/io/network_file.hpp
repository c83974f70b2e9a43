#pragma once
#include <dlarray/network.hpp>

// Networks in files: safetensors with the architecture as JSON among the metadata, so that other programs read the arrays.
namespace dl {

/// Writes a network into one file: its layers with their options, its wiring, and the values of its learnables and states as
/// arrays "layer/parameter", bit for bit. The file is there whole or as it was before. Functions (of function layers, of
/// initializers) stay behind. Throws for files that cannot be written. (MATLAB: save)
void save(const DlNetwork& net, const std::string& file, std::source_location where = std::source_location::current());
/// Writes a table of learnables or states, with the factors of its rows.
void save(const ParameterTable& table, const std::string& file, std::source_location where = std::source_location::current());

struct LoadNetworkOptions {
  /// What the file cannot hold: layers of your own types, and function layers. A layer is taken by its name, or path in nested
  /// networks, and else by its type; options that it shows are those of the file.
  std::vector<AnyLayer> customLayers = {};
};
/// Reads a network that `save` wrote. Throws, naming the file and what is wrong with it, for files that are damaged, of another
/// kind, or of a later version, and for layers of unknown type that are not among `.customLayers`. (MATLAB: load)
DlNetwork loadNetwork(const std::string& file, const LoadNetworkOptions& options = {},
                      std::source_location where = std::source_location::current());
/// Reads a table that `save` wrote; or, from any safetensors file, a row for each array, whose name is cut at the last '/'.
ParameterTable loadLearnables(const std::string& file, std::source_location where = std::source_location::current());

}  // namespace dl
